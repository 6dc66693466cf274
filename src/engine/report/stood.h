/*
 * stood: at which node of its journey a message was sent, and which variants its entry was dealt.
 *
 * Read from what the engine told of a person's steps ($journey, own.h) beside the nodes of the
 * journeys of now: the last node with the message's template that the entry stood at before it was
 * sent. Where somebody may be in a journey several times at once the message says which entry it
 * is of; else it is the newest that stood there.
 *
 * Knows not     nodes that the journey of now has not.
 */
#ifndef DULT_ENGINE_REPORT_STOOD_H
#define DULT_ENGINE_REPORT_STOOD_H

#include "engine/report/letters.h"

struct stood_node {
    struct str        id;
    const struct str *templates; /* all that it may send */
    uint32_t          templates_count;
    bool              is_experiment;
};

struct stood_journey {
    struct str name;
    uint32_t   from, count; /* its nodes */
};

struct stood_question {
    const struct stood_journey *journeys; /* by number */
    uint32_t                    journeys_count;
    const struct stood_node    *nodes;
    uint16_t                    took; /* the property */
};

struct stood_step {
    int64_t    entry, at_ms;
    uint32_t   seq, journey, node; /* node: among all */
    struct str took;
};

struct stood {
    const struct stood_question *question;
    struct {
        struct stood_step *items;
        uint32_t           count, room;
    } steps; /* in order */
};

enum { STOOD_NOWHERE = UINT32_MAX };

void stood_done(struct stood *stood);
/* Of the person with these letters, which gathered OWN_JOURNEY, too. ERR_MEMORY. */
MUST enum err stood_read(struct stood *stood, const struct letters *letters);
/* The step at whose node the letter was sent, or STOOD_NOWHERE. */
uint32_t stood_of(const struct stood *stood, const struct letter *letter);
/* The next step from *at on, before the letter was sent, with which the entry of `step` was dealt a
 * variant; each of an experiment's node once. NULL: none is left. */
const struct stood_step *stood_dealt(const struct stood *stood, const struct letter *letter,
                                     uint32_t step, uint32_t *at);

#endif
