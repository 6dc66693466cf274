/*
 * What questions to everyone cost: 20 million events of 1 million people (activity by a power law,
 * 40 names, 180 days), of which the last 1% lies in level 1; one thread, the median of 9.
 *
 * Beside each question stands the floor: a plain pass over the bytes that any answer must touch,
 * measured in the same run.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "base/hash.h"
#include "engine/report/block.h"
#include "engine/report/funnel.h"
#include "engine/report/population.h"
#include "engine/report/retention.h"
#include "engine/segment/segment_program.h"

enum { NAMES = 40, DAYS = 180, ROUNDS = 9, ARENA_BYTES = 1 << 20, WEEKS = 12 };

#define NOW_MS (DAYS * TIME_DAY_MS)
#define LIVE_MS (NOW_MS - NOW_MS / 100)

static uint32_t people_count = 1000000, events_count = 20000000;
static bool     large_pages;

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

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* How many events each person has: that of rank r about c * r^-0.6; ranks are dealt as by chance.
 */
static uint32_t *activity_make(void)
{
    uint32_t *counts = calloc(people_count, sizeof *counts);
    double    all = 0, carried = 0;
    uint32_t  given = 0;
    for (uint32_t r = 1; r <= people_count; r++)
        all += pow(r, -0.6);
    for (uint32_t p = 0; p < people_count; p++) {
        uint32_t rank = (uint32_t)((uint64_t)p * 7368787 % people_count) + 1;
        carried += events_count * pow(rank, -0.6) / all;
        counts[p] = (uint32_t)carried - given;
        given = (uint32_t)carried;
    }
    counts[people_count - 1] += events_count - given;
    return counts;
}

/* Half of the people begin on any day, two in five stop on any later day. */
static void times_make(int64_t *times, uint32_t count, uint32_t person, uint64_t i)
{
    double from = chance(person, 7) < 0.5 ? 0 : chance(person, 8);
    double to = chance(person, 9) < 0.6 ? 1 : from + (1 - from) * chance(person, 10);
    for (uint32_t k = 0; k < count; k++)
        times[k] = (int64_t)((from + (to - from) * chance(i + k, 3)) * (double)NOW_MS);
    qsort(times, count, sizeof *times, by_time);
}

/* The k-th name has a share of 1 / k of the first's. */
static uint16_t name_of(uint64_t i)
{
    static double shares[NAMES], all;
    double        drawn = chance(i, 5);
    uint16_t      k = 0;
    for (int n = 0; all == 0 && n < NAMES; n++)
        shares[n] = (n == 0 ? 0 : shares[n - 1]) + 1.0 / (n + 1);
    all = shares[NAMES - 1];
    while (k + 1 < NAMES && drawn * all >= shares[k])
        k++;
    return (uint16_t)(RUN_DEEDS + k);
}

static void event_put(struct level_columns *c, uint32_t at, int64_t at_ms, uint64_t i)
{
    c->at_ms[at] = at_ms;
    c->seq[at] = (uint32_t)i + 1;
    c->bag[at] = 0;
    c->name[at] = name_of(i);
}

static unsigned char *memory(size_t bytes)
{
    enum { PAGE = 2 << 20 };
    bytes = (bytes + PAGE - 1) / PAGE * PAGE;
    unsigned char *region = aligned_alloc(PAGE, bytes);
    if (region == NULL)
        abort();
    if (large_pages)
        (void)madvise(region, bytes, MADV_HUGEPAGE);
    return region;
}

static void levels_make(struct bench *b)
{
    uint32_t         *counts = activity_make(), at[2] = { 0 }, entries = 0;
    int64_t          *times = calloc(events_count, sizeof *times);
    struct level_room room = { people_count, events_count, RUN_DEEDS + NAMES, true };
    uint64_t          i = 0;
    for (int l = 0; l < 2; l++) {
        room.numbered = l == 0;
        size_t bytes = level_lay(NULL, room, &b->columns[l]);
        level_lay(memory(bytes), room, &b->columns[l]);
    }
    for (uint32_t p = 0; p < people_count; p++) {
        uint32_t fresh = at[1];
        b->columns[0].offsets[p] = at[0];
        times_make(times, counts[p], p, i);
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
    for (int l = 0; l < 2; l++) {
        uint16_t *days = calloc(b->view.levels[l].profiles + 1, sizeof *days);
        level_days(&b->view.levels[l], days);
        b->view.levels[l].first_day = days;
    }
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
    for (int i = 0; i < RUN_DEEDS + NAMES; i++) {
        snprintf(text, sizeof text, i < RUN_DEEDS ? "$own %d" : "E%d", i - RUN_DEEDS);
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

/* What the thread itself used, so that whatever else runs on the machine counts for little. */
static int64_t busy_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

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
        int64_t from_us = busy_us();
        if (population_match(&b->report, &program, all, b->bits) != OK)
            abort();
        took[i] = busy_us() - from_us;
    }
    printf("%8.2f ms  %8llu people  %s\n", median_ms(),
           (unsigned long long)report_bits_count(b->bits, all), text);
}

static void ask_funnel(struct bench *b)
{
    struct segment_program   steps[] = { program_of(b, "did \"E6\""), program_of(b, "did \"E8\""),
                                         program_of(b, "did \"E9\"") };
    struct funnel_question   q = { steps, 3, 7 * TIME_DAY_MS, 0, NOW_MS };
    static struct funnel_row row;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t from_us = busy_us();
        memset(&row, 0, sizeof row);
        if (funnel_run(&b->report, &q, (struct report_range){ 0, people_count }, &row) != OK)
            abort();
        took[i] = busy_us() - from_us;
    }
    printf("%8.2f ms  %8llu people  funnel E6, E8, E9 in 7 days\n", median_ms(),
           (unsigned long long)row.people[2]);
}

static struct segment_program anything(struct bench *b)
{
    struct segment_program program = program_of(b, "did \"E1\"");
    ((struct segment_op *)program.ops)->match.event = BLOCK_ANYTHING;
    return program;
}

static void ask_retention(struct bench *b, bool any)
{
    struct segment_program    event = anything(b);
    int64_t                   at_ms[WEEKS + 1];
    uint64_t                  born[WEEKS], came[WEEKS * WEEKS];
    struct retention_question q = { &event, &event, { at_ms, WEEKS }, any };
    for (int i = 0; i <= WEEKS; i++)
        at_ms[i] = NOW_MS - (WEEKS - i) * 7 * TIME_DAY_MS;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t from_us = busy_us();
        memset(born, 0, sizeof born);
        memset(came, 0, sizeof came);
        if (retention_run(&b->report, &q, (struct report_range){ 0, people_count }, born, came) !=
            OK)
            abort();
        took[i] = busy_us() - from_us;
    }
    printf("%8.2f ms  %8llu people  weekly retention 12 x 12, %s\n", median_ms(),
           (unsigned long long)born[0], any ? "any week" : "first time");
}

static void ask_idle(struct bench *b)
{
    struct segment_program program = program_of(b, "never did \"E1\" in the last 30 days");
    struct report_range    all = { 0, people_count };
    ((struct segment_op *)program.ops)->match.event = BLOCK_ANYTHING;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t from_us = busy_us();
        if (population_match(&b->report, &program, all, b->bits) != OK)
            abort();
        took[i] = busy_us() - from_us;
    }
    printf("%8.2f ms  %8llu people  never did anything in the last 30 days\n", median_ms(),
           (unsigned long long)report_bits_count(b->bits, all));
}

static volatile uint64_t sink; /* so that no pass is left out */

static void floor_of(const char *what, const void *bytes, size_t length)
{
    const uint64_t *words = bytes;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t  from_us = busy_us();
        uint64_t sum = 0;
        for (size_t k = 0; k < length / 8; k++)
            sum += words[k];
        sink += sum;
        took[i] = busy_us() - from_us;
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
    large_pages = argc > 2;
    events_count = 20 * people_count;
    bench_open(&b);
    printf("%u people, %u events in the base, %u in level 1\n", people_count,
           b.view.levels[0].events, b.view.levels[1].events);
    ask_segment(&b, "did \"E9\" at least 3 times in the last 30 days and never did \"E10\"");
    ask_funnel(&b);
    ask_retention(&b, false);
    ask_idle(&b);
    ask_retention(&b, true);
    ask_segment(&b, "never did \"E10\"");
    ask_segment(&b, "did \"E8\" then \"E9\" within 7 days");
    floor_of("the instants", b.view.levels[0].at_ms, b.view.levels[0].events * sizeof(int64_t));
    floor_of("the offsets", b.view.levels[0].offsets, people_count * sizeof(uint32_t));
    floor_of("last_ms", b.view.levels[0].last_ms, people_count * sizeof(int64_t));
    return 0;
}
