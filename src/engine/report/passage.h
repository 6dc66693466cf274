/*
 * passage: what became of those who came into a journey, by node, by way and by variant.
 *
 *      comes in | is held out --> nodes --> messages sent, opened, clicked --> goal
 *                                   |                                           |
 *                                  leaves, by reason         counted for each way that was taken
 * before
 *
 * One walk over what the engine put on people's timelines ($journey) and what came of messages. An
 * open or a click counts once a message, and never by a scanner. A message counts at the last node
 * with its template that the entry it names stood at (that the person stood at, where it names
 * none), and for each way that entry took before it was sent.
 *
 * The groups compare people, each by their first time; so do variants, by the first time that the
 * person came to the experiment: who came in again proves nothing twice, and who took a variant
 * because it was chosen (journey/choosing.h) was not dealt it, and is in no comparison. Who
 * was held out and came in all the same (they became one with somebody inside) counts as let in, by
 * their first time inside. What an event is worth counts once a person, for the newest entry whose
 * goal it reached.
 *
 * Knows not     nodes and ways that the journey of now has not; those it leaves out.
 * Cost          a look at each event's name, and some 100 ns for each of the journey's.
 */
#ifndef DULT_ENGINE_REPORT_PASSAGE_H
#define DULT_ENGINE_REPORT_PASSAGE_H

#include "engine/report/report.h"

enum { PASSAGE_REASONS_MAX = 16 }; /* told apart; any other is "other" */

struct passage_node {
    struct str        id, template;     /* template: of a message, the first of several */
    uint32_t          ways, ways_count; /* the first, among all */
    const struct str *templates;        /* all that it may send */
    uint32_t          templates_count;
};

struct passage_question {
    uint32_t                   journey;
    struct str                 name;
    const struct passage_node *nodes;
    uint32_t                   nodes_count;
    const struct str          *ways; /* names, of all nodes one after the other */
    uint32_t                   ways_count;
    uint16_t message, took, chosen, back, reason, value, entry; /* keys; DICT_NONE: never told */
};

struct passage_count {
    uint64_t entered, sent, opened, clicked;
    uint64_t reached;                /* of a way: the goal, by those who had taken it */
    uint64_t people, people_reached; /* of a way: by each person's first time at its node */
    double   value;
};

struct passage_group {
    uint64_t people, reached;
};

struct passage_reason {
    struct str text; /* borrowed from the view */
    uint64_t   count;
};

struct passage {
    struct passage_count  all; /* entered, messages and goals of those let in */
    uint64_t              held_out, held_reached;
    struct passage_group  in, out;
    struct passage_count *nodes, *ways; /* as the question has them; the caller's, zeroed */
    struct passage_reason exits[PASSAGE_REASONS_MAX];
    uint32_t              exits_count;
    struct passage_reason causes[PASSAGE_REASONS_MAX]; /* of entries, but the trigger */
    uint32_t              causes_count;
};

/* Adds those of the stretch. ERR_MEMORY. */
MUST enum err passage_run(const struct report *report, const struct passage_question *question,
                          struct report_range range, struct passage *out);
void          passage_add(const struct passage_question *question, struct passage *into,
                          const struct passage *from);

#endif
