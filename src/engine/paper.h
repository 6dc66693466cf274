/*
 * paper: definitions that the engine keeps for those who show them, and asks nothing: questions,
 * files and touchpoints.
 *
 *      "nps"    question   version 812                    the newest alone
 *      "guide"  file       versions 640, 655, 702         the newest PAPER_VERSIONS_MAX: a link
 *                                                         may be pinned to one
 *
 * A page that is looked at by everybody who got a mail has its text by one look into memory instead
 * of reading all that was ever defined.
 *
 * Always true   versions of a name ascend; a name whose text is empty is gone with all of them.
 * Bounds        below; more is refused with a problem and changes nothing.
 */
#ifndef DULT_ENGINE_PAPER_H
#define DULT_ENGINE_PAPER_H

#include <stdint.h>

#include "base/str.h"
#include "engine/record.h"

enum {
    PAPERS_MAX = 1000,       /* names of one kind */
    PAPER_VERSIONS_MAX = 20, /* of one file */
    PAPER_TEXT_BYTES_MAX = 64 << 10,
};

struct paper {
    enum definition_kind kind;
    uint32_t             version; /* the defining record's seq */
    struct str           name, text;
};

struct papers {
    struct paper *items;
    uint32_t      count, room;
};

/* Takes one definition; `text` empty deletes the name. ERR_ABSENT, ERR_LIMIT, ERR_MEMORY. */
MUST enum err papers_take(struct papers *papers, enum definition_kind kind, struct str name,
                          struct str text, uint32_t version, struct problem *problem);
void          papers_done(struct papers *papers);

/* The newest of that name, or exactly that version where it is not 0; NULL: there is none. Lives
 * until the next papers_take. */
const struct paper *papers_find(const struct papers *papers, enum definition_kind kind,
                                struct str name, uint32_t version);

#endif
