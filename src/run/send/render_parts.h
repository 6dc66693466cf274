/*
 * render_parts: what messages are made of that is the same for many: templates, names, the
 * workspace; read from the store when they are first needed.
 *
 *      parts_refresh: definitions newer than the last one seen      (one look by key a message)
 *      parts_email:   (name, version, at) -> parsed parts           (kept; oldest use goes)
 *
 * A message is rendered with the version it was claimed with, even when a newer one was saved
 * meanwhile, and with the snippets of the moment.
 *
 * Threads       one; each render has its own.
 */
#ifndef DULT_RUN_RENDER_PARTS_H
#define DULT_RUN_RENDER_PARTS_H

#include "engine/paper.h"
#include "run/send/email_file.h"
#include "run/send/workspace.h"
#include "store/store.h"

struct template;

/* A template file and its parts, parsed; the file's texts live with it. */
struct email {
    struct email_file file;
    struct template  *subject, *preheader, *html, *text; /* NULL where there is none */
    struct template  *url, *headers, *back;              /* the same, of other channels */
    struct template  *utm[UTM_KEYS];                     /* the same */
};

struct parts;

MUST enum err parts_open(struct parts **out, struct store_reader *reader);
void          parts_close(struct parts *parts);

/* Takes in what was defined since the last call. */
MUST enum err           parts_refresh(struct parts *parts);
const struct workspace *parts_workspace(const struct parts *parts);
/* The topics' document, an object; null where there is none. */
const struct json *parts_topics(const struct parts *parts);
/* Questions and files, the newest of each. */
const struct papers *parts_papers(const struct parts *parts);
/* Its rule for what is behind a link; NULL: none. */
const struct template *parts_utm(const struct parts *parts, enum utm_key key);

/*
 * With the snippets that held at `at_ms`; lives until the next call. ERR_INPUT with a problem when
 * the file is broken or a snippet of it is gone; ERR_ABSENT.
 */
MUST enum err parts_email(struct parts *parts, struct str name, uint32_t version, int64_t at_ms,
                          const struct email **out, struct problem *problem);

/* The same of a text that is not saved. */
MUST enum err parts_draft(struct parts *parts, struct str name, struct str text, int64_t at_ms,
                          const struct email **out, struct problem *problem);

/* The word of a number, in the arena; empty when there is none. */
MUST enum err parts_name(struct parts *parts, enum store_name_kind kind, uint32_t id,
                         struct arena *arena, struct str *out);

/* ---- pieces that are put into a body ---- */

struct footer {
    struct str url, name, address;
    struct str word; /* of the link */
};
MUST enum err footer_html(struct arena *arena, const struct footer *footer, struct str *html);
MUST enum err footer_text(struct arena *arena, const struct footer *footer, struct str *text);
/* The line that mail programs show beside the subject, not seen in the mail itself. */
MUST enum err body_preheader(struct arena *arena, struct str preheader, struct str *html);

#endif
