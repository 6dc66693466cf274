/*
 * linked: questions and files as a template sees them: links that are this person's, by this
 * message.
 *
 *     questions.NAME.question   its text              questions.NAME.link    to its page
 *     questions.NAME.answers    each {id, text, score, link}: the page with this answer chosen
 *     questions.NAME.links.ID   such a link by itself
 *     questions.NAME.html       a block to be put into a mail as it is
 *     questions.NAME.text       the same for a text
 *     files.NAME.link           to its page; files.NAME.pinned_link: to the version of now
 *     files.NAME.filename, .type, .bytes
 *     files.NAME.image          in what is printed: its bytes of now, for a letter's <img>
 *
 *     {public_url}/q/{token}?q=nps&a=9&e=1793456789
 *     {public_url}/g/{token}?f=guide&v=0&e=1793456789
 *
 * What stands behind '?' is sealed in the token: nobody can ask another question, or longer. `e` is
 * the second at which the link ends.
 *
 * Only what the template names is made: what it asks by a computed name is not there.
 */
#ifndef DULT_RUN_SEND_LINKED_H
#define DULT_RUN_SEND_LINKED_H

#include "message/links.h"
#include "run/send/question.h"
#include "run/send/render_parts.h"

enum { LINKED_QUERY_BYTES_MAX = 256, LINKED_HTML_BYTES_MAX = 1 << 20 };

struct linked_in {
    const struct links_conf *links;
    struct parts            *parts;
    const struct email      *email; /* the template that asks */
    struct str               languages[3];
    int64_t                  now_ms;
};

struct linked {
    struct json questions, files;
    struct str  html; /* where the blocks lie, all of them: HTML that is not to be escaped */
};

/* All of `out` lies in the arena. ERR_MEMORY. */
MUST enum err linked_make(const struct linked_in *in, struct arena *arena, struct linked *out);

/* The sealed part of an address; `answer` may be empty. */
void linked_question_write(struct buf *out, struct str question, struct str answer, int64_t end_s);
void linked_file_write(struct buf *out, struct str file, uint32_t version, int64_t end_s);

/* The names that it reads of `root` ("questions"), one call for each place; empty where one is
 * computed. The line is the part's. */
typedef void linked_name(void *context, struct str name, uint32_t line, const char *part);
void linked_names(const struct email *email, struct str root, linked_name *each, void *context);

#endif
