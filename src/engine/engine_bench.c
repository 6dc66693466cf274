/*
 * What one engine thread takes: 50 live segments of about four conditions, 3 journeys, 40 event
 * names, people by a power law with 2% new ones. No store; decisions are made and thrown away.
 *
 *     engine_bench [records [segments]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/time.h"
#include "engine/engine.h"

enum { EVENTS = 40, BATCH = 4000, BODIES = 4096, PEOPLE_FIRST = 200000, AHEAD = 4 };

#define T0 INT64_C(1767225600000)

struct bench {
    struct engine     *engine;
    struct arena      *arena, *kept;
    struct out         out;
    uint32_t           segments;
    uint64_t           seq, random, people, decided, before;
    clock_t            spent;
    int64_t            now_ms;
    const struct json *properties[BODIES], *traits[BODIES];
    char               events[EVENTS][16];
};

static uint32_t draw(struct bench *b, uint32_t below)
{
    b->random = hash_u64(b->random, 5);
    return (uint32_t)(b->random >> 30) % below;
}

static void apply(struct bench *b, struct record *record)
{
    struct problem problem = { 0 };
    record->seq = ++b->seq;
    record->received_ms = b->now_ms;
    if (record->at_ms == 0)
        record->at_ms = b->now_ms;
    if (engine_apply(b->engine, record, &b->out, &problem) != OK) {
        fprintf(stderr, "refused: %s %s\n", problem.where, problem.what);
        exit(1);
    }
}

static void define(struct bench *b, enum definition_kind kind, struct str name, struct str text)
{
    struct record record = {
        .kind = RECORD_DEFINE, .definition_kind = kind, .name = name, .body = text
    };
    apply(b, &record);
}

static void segments_define(struct bench *b)
{
    for (uint32_t i = 0; i < b->segments; i++) {
        uint32_t   e = i % EVENTS;
        struct str text = str_format(
            b->kept,
            "did \"E%u\" at least %u times in the last %u days where value > %u and not did "
            "\"E%u\" in the "
            "last %u days and (plan = \"p%u\" or sum of value of \"E%u\" in the last 90 days > %u)",
            e, 1 + i % 4, 7 + i % 30, i % 50, (e + 7) % EVENTS, 1 + i % 14, i % 5,
            (e + 13) % EVENTS, 50 * (i % 50));
        define(b, DEFINE_SEGMENT, str_format(b->kept, "segment%u", i), text);
    }
}

static void journeys_define(struct bench *b)
{
    static const char *const triggers[] = { "\"event\":\"E31\"", "\"event\":\"E38\"",
                                            "\"segment\":\"segment9\"" };
    define(b, DEFINE_TEMPLATE, STR("mail"), STR("subject: s\n--- html\nx"));
    for (int i = 0; i < (b->segments > 9 ? 3 : 2); i++)
        define(
            b, DEFINE_JOURNEY, str_format(b->kept, "journey%d", i),
            str_format(
                b->kept,
                "{\"journey\":\"journey%d\",\"trigger\":{%s},\"reentry\":\"after 7 "
                "days\",\"exit_when\":"
                "\"did \\\"E2\\\" since entry\",\"nodes\":[{\"id\":\"a\",\"email\":\"mail\"},"
                "{\"id\":\"b\",\"wait\":\"2 days\"},{\"id\":\"c\",\"split\":\"did \\\"E3\\\" since "
                "entry\","
                "\"yes\":\"e\"},{\"id\":\"d\",\"email\":\"mail\"},{\"id\":\"e\",\"exit\":true}]}",
                i, triggers[i]));
}

static const struct json *object(struct bench *b, struct str text)
{
    struct json *value = ARENA_NEW(b->kept, struct json);
    if (json_parse_once(b->kept, text, value, NULL) != OK)
        exit(1);
    return value;
}

static void bodies_make(struct bench *b)
{
    for (int i = 0; i < BODIES; i++) {
        b->properties[i] = object(
            b, str_format(b->kept,
                          "{\"value\":%u,\"sku\":\"sku-%u\",\"page\":\"/p/%u\",\"ref\":\"mail\"}",
                          draw(b, 100), draw(b, 5000), draw(b, 300)));
        b->traits[i] = object(
            b, str_format(b->kept,
                          "{\"email\":\"user%u@example.com\",\"plan\":\"p%u\",\"country\":\"NO\"}",
                          i, draw(b, 20)));
    }
    for (int i = 0; i < EVENTS; i++)
        snprintf(b->events[i], sizeof b->events[i], "E%d", i);
}

/* 2% are new; of the rest a few do most: the place is the square of an even draw, so that the
 * busiest of 200,000 does one event in 450. */
static void record_make(struct bench *b, struct record *record, char user[16])
{
    double   even = (double)draw(b, 1 << 24) / (1 << 24);
    uint64_t who = draw(b, 50) == 0 ? b->people++ : (uint64_t)(even * even * (double)b->people);
    double   name = (double)draw(b, 1 << 24) / (1 << 24);
    int      len = snprintf(user, 16, "u%llu", (unsigned long long)who);
    *record = (struct record){ .kind = RECORD_TRACK,
                               .user_id = { user, (size_t)len },
                               .name = str_of(b->events[(int)(name * name * EVENTS)]),
                               .properties = b->properties[draw(b, BODIES)] };
    if (draw(b, 20) == 0) {
        record->kind = RECORD_IDENTIFY;
        record->name = STR_NONE;
        record->properties = b->traits[who % BODIES];
    }
}

/* Those who are there already: one page each, and every new segment applied to them. */
static void people_make(struct bench *b)
{
    char user[16];
    for (uint32_t i = 0; i < PEOPLE_FIRST; i++) {
        int           len = snprintf(user, sizeof user, "u%u", i);
        struct record record = { .kind = RECORD_PAGE, .user_id = { user, (size_t)len } };
        if (i % BATCH == 0) {
            arena_reset(b->arena);
            b->out = (struct out){ .arena = b->arena };
        }
        apply(b, &record);
    }
    while (engine_has_job(b->engine)) {
        struct record record = { .kind = RECORD_CLOCK };
        arena_reset(b->arena);
        b->out = (struct out){ .arena = b->arena };
        apply(b, &record);
    }
}

static void batch_run(struct bench *b, struct record *records, char (*users)[16])
{
    for (int i = 0; i < BATCH; i++)
        record_make(b, &records[i], users[i]);
    arena_reset(b->arena);
    b->out = (struct out){ .arena = b->arena };
    clock_t began = clock();
    for (int i = 0; i < AHEAD; i++)
        engine_prefetch(b->engine, &records[i]);
    for (int i = 0; i < BATCH; i++) {
        if (i + AHEAD < BATCH)
            engine_prefetch(b->engine, &records[i + AHEAD]);
        apply(b, &records[i]);
    }
    b->now_ms += 30 * TIME_MINUTE_MS; /* 2 million records are ten days */
    struct record clock_record = { .kind = RECORD_CLOCK };
    while (engine_next_ms(b->engine) <= b->now_ms)
        apply(b, &clock_record);
    b->decided += b->out.decisions_count;
    b->spent += clock() - began;
    if (b->seq / BATCH % 250 == 0) {
        struct engine_stats s = engine_stats(b->engine);
        fprintf(stderr, "%9llu events  %.0f/s\n", (unsigned long long)s.events,
                (double)(s.events - b->before) / ((double)b->spent / CLOCKS_PER_SEC));
    }
}

int main(int argc, char **argv)
{
    uint64_t       wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 3000000;
    struct bench   b = { .random = 7,
                         .segments = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 50,
                         .people = PEOPLE_FIRST,
                         .now_ms = T0,
                         .kept = arena_open(64 << 20),
                         .arena = arena_open((size_t)1 << 30) };
    struct record *records = calloc(BATCH, sizeof *records);
    char(*users)[16] = calloc(BATCH, 16);
    b.out.arena = b.arena;
    if (engine_open(&b.engine, (struct engine_conf){ .seed = 1,
                                                     .next_decision = 1,
                                                     .lateness_ms = LATENESS_MS_DEFAULT }) != OK)
        return 1;
    bodies_make(&b);
    segments_define(&b);
    journeys_define(&b);
    people_make(&b);
    b.before = engine_stats(b.engine).events;
    struct engine_stats first = engine_stats(b.engine);
    for (uint64_t n = 0; n < wanted; n += BATCH)
        batch_run(&b, records, users);
    struct engine_stats stats = engine_stats(b.engine);
    double s = (double)b.spent / CLOCKS_PER_SEC, events = (double)(stats.events - b.before);
    printf("%.0f records/s of CPU (%llu events, %llu profiles at the end)\n", events / s,
           (unsigned long long)stats.events, (unsigned long long)stats.profiles);
    printf("%.1f%% change a membership, %.1f%% enroll, %.2f decisions a record, %llu timers\n",
           100.0 * (double)(stats.memberships_changed - first.memberships_changed) / events,
           100.0 * (double)(stats.enrolled - first.enrolled) / events, (double)b.decided / events,
           (unsigned long long)stats.timers);
    engine_close(b.engine);
    arena_close(b.arena);
    arena_close(b.kept);
    free(records);
    free(users);
    return 0;
}
