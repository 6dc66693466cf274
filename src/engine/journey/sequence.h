/*
 * sequence: days and mails on one page, instead of nodes.
 *
 *     {"journey": "nurture", "trigger": {"list": "leads"}, "at": "10:00",
 *      "sequence": [
 *        {"day": 0, "email": "hello"},
 *        {"day": 3, "email": "guide", "unless": "did \"Guide Opened\""},
 *        {"day": 7, "email": "offer", "at": "weekday 09:00"}]}
 *
 *     day      since the person came in; ascending, one mail a day
 *     email    or message: the template, as in a node
 *     at       the time of day, perhaps on certain days (until.h): that of the mail, else that of
 *              all after day 0. Left out: at the hour at which the person came in. On day 0 it is
 *              the next such time
 *     unless   who meets it then does not get this mail, and goes on
 *
 * Who leaves the list (or segment) by which the journey begins leaves the journey, unless it has an
 * exit_when of its own. It is turned into nodes, so everything else is as in any journey:
 *
 *     day-0 (message) -> wait-3, time-3 -> if-3 (split) -> day-3 (message) -> ...
 *
 * Bounds        SEQUENCE_MAX mails, SEQUENCE_DAY_MAX.
 */
#ifndef DULT_ENGINE_SEQUENCE_H
#define DULT_ENGINE_SEQUENCE_H

#include "base/json.h"

enum {
    SEQUENCE_MAX = 100,
    SEQUENCE_DAY_MAX = 3650,
    SEQUENCE_NODES_EACH = 4, /* of one mail at the most */
};

/* Which mail each of the nodes is of. */
struct sequence_map {
    uint16_t mail[SEQUENCE_MAX * SEQUENCE_NODES_EACH + 1]; /* and an end */
    uint32_t count;                                        /* 0: it was no sequence */
};

/*
 * A journey that has a "sequence" becomes one that has nodes; any other stays as it is. What is new
 * lives in the arena. ERR_INPUT with the place, what is wrong and the remedy; ERR_MEMORY.
 */
MUST enum err sequence_expand(struct arena *arena, struct json *journey, struct sequence_map *map,
                              struct problem *problem);

/* "nodes[7].email" becomes "sequence[2].email". */
void sequence_place(const struct sequence_map *map, struct problem *problem);

#endif
