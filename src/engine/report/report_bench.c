/*
 * What questions to everyone cost: 20 million events of 1 million people (activity by a power law,
 * 40 names, 180 days), of which the last 1% lies in level 1; one thread, the median of 9.
 *
 * Beside each question stands the floor: a plain pass over the bytes that any answer must touch,
 * measured in the same run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/behaviour/view.h"
#include "engine/report/funnel.h"
#include "engine/report/population.h"
#include "engine/report/retention.h"

enum { NAMES = 40, DAYS = 180, ROUNDS = 9, ARENA_BYTES = 1 << 20, WEEKS = 12 };

#define NOW_MS (DAYS * TIME_DAY_MS)
#define LIVE_MS (NOW_MS - NOW_MS / 100)

static uint32_t people_count = 1000000, events_count = 20000000;

struct bench {
    struct view          view;
    struct report        report;
    struct dict         *events, *properties, *traits;
    struct arena        *arena;
    struct level_columns columns[2];
    uint64_t            *bits;
};

static double chance(uint64_t i, uint64_t what)
{
    return (double)(hash_u64(i, what) >> 11) / 9007199254740992.0;
}

/* ---- the data */

/* How many events each person has: few have many. */
static uint32_t *activity_make(void)
{
    uint32_t *counts = calloc(people_count, sizeof *counts);
    double   *weights = calloc(people_count, sizeof *weights), sum = 0;
    uint32_t  left = events_count;
    for (uint32_t p = 0; p < people_count; p++) {
        double u = chance(p, 1);
        weights[p] = 1 / (u * 0.9999 + 0.0001);
        weights[p] = weights[p] > 2000 ? 2000 : weights[p];
        sum += weights[p];
    }
    for (uint32_t p = 0; p < people_count; p++) {
        counts[p] = (uint32_t)(weights[p] / sum * events_count);
        left -= counts[p];
    }
    for (uint32_t i = 0; i < left; i++)
        counts[hash_u64(i, 2) % people_count]++;
    free(weights);
    return counts;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void event_put(struct level_columns *c, uint32_t at, int64_t at_ms, uint64_t i)
{
    c->at_ms[at] = at_ms;
    c->seq[at] = (uint32_t)i + 1;
    c->bag[at] = 0;
    c->name[at] = (uint16_t)(RUN_OWN_NAMES + hash_u64(i, 5) % NAMES);
}

static void levels_make(struct bench *b)
{
    uint32_t         *counts = activity_make(), at[2] = { 0 }, entries = 0;
    int64_t          *times = calloc(events_count, sizeof *times);
    struct level_room room = { people_count, events_count, RUN_OWN_NAMES + NAMES, true };
    uint64_t          i = 0;
    for (int l = 0; l < 2; l++) {
        room.numbered = l == 0;
        size_t bytes = level_lay(NULL, room, &b->columns[l]);
        level_lay(aligned_alloc(64, bytes), room, &b->columns[l]);
    }
    for (uint32_t p = 0; p < people_count; p++) {
        uint32_t fresh = at[1];
        b->columns[0].offsets[p] = at[0];
        for (uint32_t k = 0; k < counts[p]; k++)
            times[k] = (int64_t)(chance(i + k, 3) * (double)NOW_MS);
        qsort(times, counts[p], sizeof *times, by_time);
        for (uint32_t k = 0; k < counts[p]; k++, i++) {
            int l = times[k] >= LIVE_MS;
            event_put(&b->columns[l], at[l]++, times[k], i);
        }
        if (at[1] > fresh) {
            b->columns[1].profile[entries] = p;
            b->columns[1].offsets[entries++] = fresh;
        }
    }
    b->columns[0].offsets[people_count] = at[0];
    b->columns[1].offsets[entries] = at[1];
    b->view.levels[0] = level_finish(&b->columns[0], people_count, room.names);
    b->view.levels[1] = level_finish(&b->columns[1], entries, room.names);
    b->view.levels_count = 2;
    free(counts);
    free(times);
}

static void bench_open(struct bench *b)
{
    char      text[32];
    uint16_t  id;
    uint32_t *root = calloc(people_count, sizeof *root), *next = calloc(people_count, sizeof *next);
    b->events = dict_open();
    b->properties = dict_open();
    b->traits = dict_open();
    b->arena = arena_open(ARENA_BYTES);
    for (int i = 0; i < RUN_OWN_NAMES + NAMES; i++) {
        snprintf(text, sizeof text, i < RUN_OWN_NAMES ? "$own %d" : "E%d", i - RUN_OWN_NAMES);
        if (dict_intern(b->events, str_of(text), &id) != OK)
            abort();
    }
    for (uint32_t p = 0; p < people_count; p++)
        root[p] = next[p] = p;
    b->view = (struct view){
        .seq = UINT32_MAX, .now_ms = NOW_MS, .profiles = people_count, .root = root, .next = next
    };
    b->report = (struct report){ .view = &b->view, .at_ms = NOW_MS };
    b->bits = calloc(people_count / 64 + 1, sizeof(uint64_t));
    levels_make(b);
}

static struct segment_program program_of(struct bench *b, const char *text)
{
    struct segment_names       names = { b->events, b->properties, b->traits, .grow = true };
    const struct segment_node *node;
    struct segment_program     program;
    if (segment_parse(b->arena, str_of(text), &node, NULL) != OK ||
        segment_compile(b->arena, node, &names, &program, NULL) != OK)
        abort();
    return program;
}

/* ---- timing */

static int64_t took[ROUNDS];

static double median_ms(void)
{
    qsort(took, ROUNDS, sizeof took[0], by_time);
    return (double)took[ROUNDS / 2] / 1000;
}

static void ask_segment(struct bench *b, const char *text)
{
    struct segment_program program = program_of(b, text);
    struct report_range    all = { 0, people_count };
    for (int i = 0; i < ROUNDS; i++) {
        int64_t from_us = time_mono_us();
        if (population_match(&b->report, &program, all, b->bits) != OK)
            abort();
        took[i] = time_mono_us() - from_us;
    }
    printf("%8.2f ms  %8llu people  %s\n", median_ms(),
           (unsigned long long)report_bits_count(b->bits, all), text);
}

static void floor_of(const char *what, const void *bytes, size_t length)
{
    const uint64_t   *words = bytes;
    volatile uint64_t sink = 0;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t  from_us = time_mono_us();
        uint64_t sum = 0;
        for (size_t k = 0; k < length / 8; k++)
            sum += words[k];
        sink += sum;
        took[i] = time_mono_us() - from_us;
    }
    double ms = median_ms();
    printf("%8.2f ms  %8.1f GB/s    a plain pass over %s (%.0f MB)\n", ms,
           (double)length / ms / 1e6, what, (double)length / 1e6);
}

int main(int argc, char **argv)
{
    static struct bench b;
    if (argc > 1)
        people_count = (uint32_t)strtoul(argv[1], NULL, 10);
    events_count = 20 * people_count;
    bench_open(&b);
    printf("%u people, %u events in the base, %u in level 1\n", people_count,
           b.view.levels[0].events, b.view.levels[1].events);
    ask_segment(&b, "did \"E1\" at least 3 times in the last 30 days and never did \"E2\"");
    ask_segment(&b, "did \"E1\" at least 3 times in the last 30 days");
    ask_segment(&b, "never did \"E2\"");
    ask_segment(&b, "everyone");
    ask_segment(&b, "did \"E1\" then \"E2\" within 7 days");
    floor_of("the instants", b.view.levels[0].at_ms, b.view.levels[0].events * sizeof(int64_t));
    floor_of("the offsets", b.view.levels[0].offsets, people_count * sizeof(uint32_t));
    floor_of("last_ms", b.view.levels[0].last_ms, people_count * sizeof(int64_t));
    return 0;
}
