/*
 * render_data: what a template sees, from the rows that the claim names.
 *
 * Traits are merged as the engine holds them: member by member, the later record wins. Computed
 * traits have the values that the claim froze, whatever was told.
 *
 * Errors        ERR_CORRUPT when a row is not what we write; ERR_WAIT, ERR_IO of the store.
 */
#ifndef DULT_RUN_RENDER_DATA_H
#define DULT_RUN_RENDER_DATA_H

#include "base/json.h"
#include "engine/decision.h"
#include "message/compose.h"
#include "message/links.h"
#include "run/send/asked.h"
#include "run/send/render_parts.h"

struct data_in {
    const struct claim        *claim;
    struct store_reader       *reader;
    struct json_parser        *parser;
    struct parts              *parts;
    const struct compose_urls *urls;
    const struct workspace    *workspace;
    bool                       wants_files; /* of a message that a program asked for */
    struct str                 journey, template_name, topic;
    const struct json         *event; /* in place of the claim's; NULL: the claim's */
    const struct email        *email; /* questions and files that it names are made for it */
    struct links_conf          links;
    int64_t                    now_ms;
};

/* All of `out` lies in the arena, or is borrowed from `in`. What lies in `safe_html` is HTML. */
MUST enum err data_make(const struct data_in *in, struct arena *arena, struct asked *asked,
                        struct json *out, struct str *safe_html);

/* `b` over `a`: objects member by member, everything else as a whole. */
MUST enum err data_merge(struct arena *arena, const struct json *a, const struct json *b,
                         struct json *out);

#endif
