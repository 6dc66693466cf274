/*
 * snippets: the pieces that templates share, as they were at an instant.
 *
 *     snippets/footer.liquid        {% render 'footer' %}
 *
 * A template is mailed with the version it was claimed with, but with the snippets of the moment:
 * a changed footer is in every mail from then on. A page that shows what was mailed asks for the
 * snippets of that moment.
 *
 *      definitions --> snippets_take --> (name, id, at) ...   texts stay in the store
 *                                            |
 *      template_parse <-- snippets_find(name, at or before)
 *
 * Cost          some 60 bytes a version; a look-up reads one row.
 * Errors        ERR_ABSENT when there is (or was) none of that name; ERR_LIMIT beyond
 *               SNIPPETS_VERSIONS_MAX; ERR_WAIT, ERR_IO of the store.
 * Threads       one, as the reader.
 */
#ifndef DULT_RUN_SNIPPETS_H
#define DULT_RUN_SNIPPETS_H

#include "store/store.h"
#include "template/template.h"

enum { SNIPPETS_VERSIONS_MAX = 100000 };

struct snippets;

MUST enum err snippets_open(struct snippets **out, struct store_reader *reader);
void          snippets_close(struct snippets *snippets); /* NULL is nothing */
void          snippets_closep(struct snippets **snippets);

/* Takes in a row of the definitions, of whatever kind, in the order of their ids. */
MUST enum err snippets_take(struct snippets *snippets, const struct store_definition *row);

/* A number that is another one when other snippets hold at `at_ms`; 0 when there are none yet. */
uint64_t snippets_edition(const struct snippets *snippets, int64_t at_ms);

struct snippets_view {
    const struct snippets *snippets;
    int64_t                at_ms;
    struct str             hidden; /* of this name there is none; empty: all are seen */
};

/* A template_snippet; its owner is a snippets_view. */
enum err snippets_find(void *owner, struct str name, struct arena *arena, struct str *source);

/*
 * Whether the text is a snippet. What it renders in turn need not be there yet: a template that
 * needs it is refused. ERR_INPUT with where = "snippets/footer.liquid:3:14".
 */
MUST enum err snippets_check(struct str name, struct str text, struct problem *problem);

/* Puts "snippets/footer.liquid:3:14" where the template room says "footer:3:14". */
void snippets_place(struct problem *problem);

#endif
