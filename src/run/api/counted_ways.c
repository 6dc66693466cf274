/* Ways that almost nobody takes, and an exit by which nobody ever left. */
#include "run/api/counted_inside.h"

#include <inttypes.h>
#include <stdio.h>

#include "run/api/journey_numbers.h"

static enum err ways_tell(struct counted *counted, const struct numbers_question *q, uint32_t n)
{
    const struct passage_node  *node = &q->passage.nodes[n];
    const struct passage_count *ways = &q->hands[0]->ways[node->ways];
    char                        what[COUNTED_TEXT_BYTES];
    uint64_t                    all = 0;
    if (q->is_experiment[n])
        return OK;
    for (uint32_t i = 0; i < node->ways_count; i++)
        all += ways[i].entered;
    for (uint32_t i = 0; i < node->ways_count && all >= COUNTED_PASSES_LEAST; i++) {
        if (100 * ways[i].entered >= all)
            continue;
        snprintf(what, sizeof what,
                 "\"%.*s\": almost nobody goes by \"%.*s\": %" PRIu64 " of %" PRIu64 " passes.",
                 STR_ARG(str_slice(node->id, 0, 100)),
                 STR_ARG(str_slice(q->passage.ways[node->ways + i], 0, 100)), ways[i].entered, all);
        TRY(counted_tell(counted, (struct finding){
                                      "journey", "way", what,
                                      "Take the way out, or ask something that more people answer.",
                                      q->name, STR_NONE, 0 }));
    }
    return OK;
}

static enum err exit_tell(struct counted *counted, const struct numbers_question *q)
{
    const struct passage *all = q->hands[0];
    char                  what[COUNTED_TEXT_BYTES];
    if (!q->has_exit || all->all.entered < COUNTED_PASSES_LEAST)
        return OK;
    for (uint32_t i = 0; i < all->exits_count; i++)
        if (str_eq(all->exits[i].text, STR("exit condition holds")) && all->exits[i].count > 0)
            return OK;
    snprintf(what, sizeof what, "Of %" PRIu64 " entries nobody left by `exit_when`.",
             all->all.entered);
    return counted_tell(
        counted, (struct finding){ "journey", "exit", what,
                                   "See whether the condition can ever hold of those inside.",
                                   q->name, STR_NONE, 0 });
}

enum err counted_ways(struct counted *counted, struct str name)
{
    struct numbers_question q;
    enum err                err = journey_numbers_find(counted->call, name, &q);
    if (err == ERR_ABSENT) {
        counted->call->problem.what[0] = '\0';
        return OK; /* deleted meanwhile */
    }
    TRY(err);
    TRY(journey_numbers_count(&q, counted->ask));
    for (uint32_t n = 0; n < q.passage.nodes_count; n++)
        TRY(ways_tell(counted, &q, n));
    return exit_tell(counted, &q);
}
