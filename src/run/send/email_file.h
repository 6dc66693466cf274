/*
 * email_file: a template as a marketer keeps it, in one file.
 *
 *     subject: Welcome, {{ person.first_name | default: "friend" }}
 *     topic: newsletter
 *     preheader: Three steps to your first night out
 *     --- html
 *     <h1>Hello</h1> ...
 *     --- text
 *     Hello ...
 *
 * Header lines are `subject` (needed), `preheader`, `topic`, `transactional: yes|no`, `sender` (one
 * of the workspace's profiles), `from` (the sender's name alone), `language` (that it is written
 * in), `utm: no` or `utm_source` and the like, and `when NAME: condition` (the engine's to read).
 * Subject, preheader, utm_*, html and text are Liquid. The text is made from the html where it is
 * left out. `--- mjml` is what the html was made from: kept, and never sent. Lines may end in CRLF.
 *
 * Always true   the texts are slices of the file, which must live as long; a file that
 *               email_file_check has passed renders without a syntax error.
 * Errors        ERR_INPUT with where = "templates/welcome.email:3:14"; ERR_LIMIT for what is too
 *               large.
 */
#ifndef DULT_RUN_EMAIL_FILE_H
#define DULT_RUN_EMAIL_FILE_H

#include "base/str.h"
#include "engine/channel.h"
#include "message/utm.h"

enum {
    EMAIL_FILE_BYTES_MAX = 2 << 20, /* html and text of 1 MiB each are the template room's bound */
    EMAIL_FILE_HEAD_BYTES_MAX = 8192, /* as much as the engine looks through for the topic */
};

/* A piece of the file, and the line it begins on, so that a fault within is found. */
struct email_part {
    struct str text;
    uint32_t   line;   /* 1 and up; 0: not there */
    uint32_t   column; /* of its first byte, 1 and up */
};

struct email_file {
    struct email_part subject, preheader, html, text, mjml;
    struct email_part utm[UTM_KEYS];
    struct str        topic, from, sender, language; /* may be empty */
    bool              transactional;
    uint32_t          in_doubt_line; /* of "in_doubt: send again"; 0: there is none */
    bool              no_utm;        /* the workspace's rules are not for it */

    enum consent_channel channel; /* what follows is of others than e-mail: notice_file.h */
    struct email_part    url, headers, back;
    struct str           to, method, size;
};

/* `name` is the template's ("welcome"), for the places in problems. */
MUST enum err email_file_parse(struct str name, struct str source, struct email_file *out,
                               struct problem *problem);

struct template;
struct template_conf; /* how its Liquid is read, and where snippets come from; NULL: there are none
                       */

/* Parses, and reads the Liquid of every part: what passes may be saved. `out` may be NULL. */
MUST enum err email_file_check(struct str name, struct str source, const struct template_conf *conf,
                               struct email_file *out, struct problem *problem);

/* The template of a part; *out is NULL for a part that is not there. */
MUST enum err email_part_template(struct str name, const struct email_part *part,
                                  const struct template_conf *conf, struct template **out,
                                  struct problem *problem);

#endif
