#include "engine/report/growth.h"

#include <stdlib.h>
#include <string.h>

#include "engine/report/population.h"

enum err growth_check(const struct growth_question *q, struct problem *problem)
{
    if (q->count == 0)
        return problem_set(problem, ERR_INPUT, "periods", "there is no instant to ask about",
                           "Ask for at least one.");
    if (q->count > REPORT_PERIODS_MAX + 1)
        return problem_format(problem, ERR_LIMIT, "periods", "Ask for longer or fewer periods.",
                              "%u instants are more than %d", q->count, REPORT_PERIODS_MAX + 1);
    for (uint32_t i = 1; i < q->count; i++)
        if (q->at_ms[i - 1] >= q->at_ms[i])
            return problem_format(problem, ERR_INPUT, "periods", "Give them in order of time.",
                                  "instant %u is not after the one before", i + 1);
    return OK;
}

static uint64_t change(const uint64_t *before, const uint64_t *now, uint32_t word,
                       enum growth_who who)
{
    return who == GROWTH_IN        ? now[word]
           : who == GROWTH_ENTERED ? now[word] & ~before[word]
                                   : before[word] & ~now[word];
}

static uint64_t count_of(const uint64_t *before, const uint64_t *now, struct report_range range,
                         enum growth_who who)
{
    uint64_t count = 0;
    for (uint32_t word = range.from / 64; word < (range.to + 63) / 64; word++)
        count += (uint64_t)__builtin_popcountll(change(before, now, word, who));
    return count;
}

static void point_put(const struct growth_question *q, uint32_t i, const uint64_t *before,
                      const uint64_t *now, struct report_range range, struct growth_point *point)
{
    point->people += count_of(before, now, range, GROWTH_IN);
    if (i > 0) {
        point->entered += count_of(before, now, range, GROWTH_ENTERED);
        point->left += count_of(before, now, range, GROWTH_LEFT);
    }
    if (q->pick.bits == NULL || q->pick.point != i || (i == 0 && q->pick.who != GROWTH_IN))
        return;
    for (uint32_t word = range.from / 64; word < (range.to + 63) / 64; word++)
        q->pick.bits[word] |= change(before, now, word, q->pick.who);
}

enum err growth_run(const struct report *report, const struct growth_question *q,
                    struct report_range range, struct growth_point *points)
{
    size_t        words = report_words(report);
    uint64_t     *bits = calloc(2 * words + 1, sizeof *bits), *before = bits, *now = bits + words;
    struct report at = *report;
    enum err      err = bits == NULL ? ERR_MEMORY : OK;

    for (uint32_t i = 0; err == OK && i < q->count; i++) {
        uint64_t *other = before;
        before = now;
        now = other;
        at.at_ms = q->at_ms[i];
        err = population_match(&at, q->program, range, now);
        if (err == OK)
            point_put(q, i, before, now, range, &points[i]);
    }
    free(bits);
    return err;
}
