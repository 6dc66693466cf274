/*
 * What 200 live segments of about four conditions cost one engine thread: two engines, one without
 * segments, take the same records in turns. First people and a history by a power law, then in
 * slices the live part: events of people who are known, identifies, people who are new. No store;
 * decisions are made and thrown away.
 *
 *     engine_bench [records of history and as many live [segments [names [people [days [plain]]]]]]
 *
 * History and live part take `days` each, so that what leaves a window is as much as what enters
 * it. "plain": the segments are all as bench/segments has them in its plain set, a count, a never,
 * a trait or a sum. Prints microseconds of processor time a record: without, with, and what the
 * segments add: the median of ROUNDS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/time.h"
#include "engine/engine.h"

enum { CLOCKS_MAX = 1000, NAMES_MAX = 40, BATCH = 2000, BODIES = 4096, ROUNDS = 7, SIDES = 2 };

/* Of a round: one slice of identifies and one of new people in KINDS_EVERY slices. */
enum kind { KNOWN, IDENTIFY, NEW, KINDS, KINDS_EVERY = 20 };

#define T0 INT64_C(1767225600000)

struct side {
    struct engine *engine;
    struct arena  *arena; /* of a batch's decisions */
    struct out     out;
    uint32_t       segments;
    double         us[KINDS]; /* of this round */
};

struct bench {
    struct side        sides[SIDES];
    struct arena      *kept;
    uint32_t           names;
    uint64_t           seq, random, people, records[KINDS];
    int64_t            now_ms;
    const struct json *properties[BODIES], *traits[BODIES];
    char               events[NAMES_MAX][16], users[BATCH][16];
    struct record      batch[BATCH];
};

static uint32_t draw(struct bench *b, uint32_t below)
{
    b->random = hash_u64(b->random, 5);
    return (uint32_t)(b->random >> 30) % below;
}

static void apply(struct bench *b, struct side *side, struct record *record)
{
    struct problem problem = { 0 };
    if (record->at_ms == 0)
        record->at_ms = b->now_ms;
    record->received_ms = record->at_ms;
    if (engine_apply(side->engine, record, &side->out, &problem) != OK) {
        fprintf(stderr, "refused: %s %s\n", problem.where, problem.what);
        exit(1);
    }
}

static void define(struct bench *b, enum definition_kind kind, struct str name, struct str text,
                   uint32_t first_side)
{
    struct record record = {
        .kind = RECORD_DEFINE, .definition_kind = kind, .name = name, .body = text, .seq = ++b->seq
    };
    for (uint32_t i = first_side; i < SIDES; i++)
        apply(b, &b->sides[i], &record);
}

/* The numbers and names that make segments of one form differ. */
struct form {
    struct bench *b;
    uint32_t      i, e, then, other; /* its number; three events' numbers */
};

static struct str often(const struct form *f)
{
    return str_format(f->b->kept,
                      "did \"E%u\" at least %u times in the last %u days%s and never did "
                      "\"Refund %u\" and (plan = \"p%u\" or sum of value of \"E%u\" in the last 90 "
                      "days > %u)",
                      f->e, 1 + f->i % 20, 7 + f->i % 60, f->i % 5 == 4 ? " where value > 50" : "",
                      f->i % 7, f->i % 20, f->then, 100 * (1 + f->i % 40));
}

static struct str lapsed(const struct form *f)
{
    return str_format(f->b->kept,
                      "last did \"E%u\" more than %u days ago and did \"E%u\" at least %u times "
                      "and plan != \"p%u\" and never did \"Refund %u\" in the last 60 days",
                      f->e, 7 + f->i % 50, f->then, 1 + f->i % 6, f->i % 20, f->i % 7);
}

static struct str recent(const struct form *f)
{
    return str_format(f->b->kept,
                      "last did \"E%u\" less than %u days ago and never did \"E%u\" in the last "
                      "%u days and (plan in (\"p%u\", \"p%u\") or sum of value of \"E%u\" in the "
                      "last 30 days where ref = \"mail\" > %u)",
                      f->e, 2 + f->i % 12, f->then, 14 + f->i % 60, f->i % 20, (f->i + 3) % 20,
                      f->other, 50 * (1 + f->i % 20));
}

static struct str active(const struct form *f)
{
    return str_format(f->b->kept,
                      "did anything at least %u times in the last %u days and plan = \"p%u\" and "
                      "(did \"E%u\" or not did \"E%u\" in the last 30 days)",
                      3 + f->i % 20, 7 + f->i % 30, f->i % 20, f->e, f->then);
}

static struct str dormant(const struct form *f)
{
    return str_format(f->b->kept,
                      "never did anything in the last %u days and did \"E%u\" at least %u times "
                      "and sum of value of \"E%u\" > %u and never did \"Refund %u\"",
                      14 + f->i % 60, f->e, 1 + f->i % 4, f->then, 20 * (1 + f->i % 20), f->i % 7);
}

static struct str followed(const struct form *f)
{
    return str_format(f->b->kept,
                      "did \"E%u\" in the last %u days where value > %u then \"E%u\" within %u "
                      "hours and never did \"E%u\" in the last 30 days and plan != \"p%u\"",
                      f->e, 7 + f->i % 40, f->i % 80, f->then, 1 + f->i % 72, f->other, f->i % 20);
}

static struct str abandoned(const struct form *f)
{
    return str_format(f->b->kept,
                      "did \"E%u\" in the last %u days then no \"E%u\" within %u hours and did "
                      "\"E%u\" at least %u times and country = \"NO\"",
                      f->e, 3 + f->i % 20, f->then, 1 + f->i % 48, f->other, 1 + f->i % 5);
}

static struct str funnelled(const struct form *f)
{
    return str_format(f->b->kept,
                      "reached step 2 but not step 3 of (\"E%u\", \"E%u\" where value > %u, "
                      "\"E%u\") within %u days in the last 30 days and plan != \"p%u\" and never "
                      "did \"Refund %u\"",
                      f->e, f->then, f->i % 60, f->other, 1 + f->i % 7, f->i % 20, f->i % 7);
}

static struct str spending(const struct form *f)
{
    return str_format(f->b->kept,
                      "average of value of \"E%u\" in the last %u days > %u and did \"E%u\" at "
                      "least %u times and (plan = \"p%u\" or greatest of value of \"E%u\" in the "
                      "last 30 days >= %u)",
                      f->e, 30 + f->i % 60, 20 + f->i % 60, f->e, 2 + f->i % 4, f->i % 20, f->then,
                      60 + f->i % 40);
}

static struct str varied(const struct form *f)
{
    return str_format(f->b->kept,
                      "distinct count of sku of \"E%u\" in the last %u days >= %u and sum of value "
                      "of \"E%u\" where value > %u in the last 60 days > %u and plan = \"p%u\"",
                      f->e, 20 + f->i % 70, 2 + f->i % 8, f->then, f->i % 50, 50 * (1 + f->i % 30),
                      f->i % 20);
}

static struct str monthly(const struct form *f)
{
    return str_format(f->b->kept,
                      "did \"E%u\" at least %u times this %s and not did \"E%u\" today and "
                      "plan != \"p%u\" and last of page of \"E%u\" starts with \"/p/%u\"",
                      f->e, 1 + f->i % 5, f->i % 2 == 0 ? "month" : "week", f->then, f->i % 20,
                      f->other, 1 + f->i % 3);
}

static struct str settled(const struct form *f)
{
    return str_format(
        f->b->kept,
        "plan has been = \"p%u\" for %u days and email ends with \"@example.com\" "
        "and did \"E%u\" at least %u times in the last %u days and never did \"Refund "
        "%u\"",
        f->i % 20, 7 + f->i % 30, f->e, 1 + f->i % 5, 14 + f->i % 50, f->i % 7);
}

static struct str plain(const struct form *f)
{
    return str_format(f->b->kept,
                      "did \"E%u\" at least %u times in the last %u days and never did \"Refund "
                      "%u\" and (plan = \"p%u\" or sum of value of \"E%u\" in the last 90 days > "
                      "%u)",
                      f->e, 5 + f->i % 20, 7 + f->i % 60, f->i % 7, f->i % 20,
                      (f->e + 1) % f->b->names, 250 * (1 + f->i % 40));
}

/* As a marketer's are: mostly how often lately, never, a trait or a sum; some of each other sort.
 */
static void segments_define(struct bench *b, uint32_t count, bool all_plain)
{
    typedef struct str  write(const struct form *f);
    static write *const forms[] = { often,     lapsed,    often,    recent,   often,
                                    active,    often,     spending, often,    settled,
                                    often,     dormant,   often,    varied,   often,
                                    abandoned, funnelled, recent,   followed, monthly };
    enum { FORMS = sizeof forms / sizeof forms[0] };
    for (uint32_t i = 0; i < count; i++) {
        uint32_t    turn = i / FORMS; /* a form's segments are of different events */
        uint32_t    e = (i + turn) % b->names;
        struct form form = { b, i + turn, e, (e + 13) % b->names, (e + 7) % b->names };
        define(b, DEFINE_SEGMENT, str_format(b->kept, "segment%u", i),
               all_plain ? plain(&form) : forms[i % FORMS](&form), 1);
    }
}

static void journeys_define(struct bench *b)
{
    static const char *const triggers[] = { "\"event\":\"E3\"", "\"event\":\"E5\"" };
    define(b, DEFINE_TEMPLATE, STR("mail"), STR("subject: s\n--- html\nx"), 0);
    for (int i = 0; i < 2; i++)
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
                i, triggers[i]),
            0);
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
    for (int i = 0; i < NAMES_MAX; i++)
        snprintf(b->events[i], sizeof b->events[i], "E%d", i);
}

/* Of those who are there a few do most: the place is the square of an even draw. */
static void record_make(struct bench *b, enum kind kind, int64_t step_ms, uint32_t i)
{
    double   even = (double)draw(b, 1 << 24) / (1 << 24);
    double   name = (double)draw(b, 1 << 24) / (1 << 24);
    uint64_t who = kind == NEW ? b->people++ : (uint64_t)(even * even * (double)b->people);
    int      len = snprintf(b->users[i], 16, "u%llu", (unsigned long long)who);
    b->batch[i] = (struct record){ .kind = RECORD_TRACK,
                                   .user_id = { b->users[i], (size_t)len },
                                   .seq = ++b->seq,
                                   .at_ms = b->now_ms + step_ms * i / BATCH,
                                   .name = str_of(b->events[(int)(name * name * b->names)]),
                                   .properties = b->properties[draw(b, BODIES)] };
    if (kind == IDENTIFY) {
        b->batch[i].kind = RECORD_IDENTIFY;
        b->batch[i].name = STR_NONE;
        b->batch[i].properties = b->traits[draw(b, 2) == 0 ? who % BODIES : draw(b, BODIES)];
    }
}

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void side_run(struct bench *b, struct side *side, enum kind kind)
{
    struct record clock_record = { .kind = RECORD_CLOCK };
    uint64_t      clocks = b->seq;
    arena_reset(side->arena);
    side->out = (struct out){ .arena = side->arena };
    double began = cpu_us();
    for (int i = 0; i < ENGINE_AHEAD; i++)
        engine_prefetch(side->engine, &b->batch[i]);
    for (int i = 0; i < BATCH; i++) {
        if (i + ENGINE_AHEAD < BATCH)
            engine_prefetch(side->engine, &b->batch[i + ENGINE_AHEAD]);
        apply(b, side, &b->batch[i]);
    }
    while (engine_next_ms(side->engine) <= b->now_ms) {
        clock_record.seq = ++clocks;
        apply(b, side, &clock_record);
    }
    side->us[kind] += cpu_us() - began;
}

/* Wake-ups are paid by the slice at which they come. */
static void slice_run(struct bench *b, enum kind kind, int64_t step_ms, uint32_t turn)
{
    b->seq += CLOCKS_MAX; /* room for those of the slice before: a side may have more of them */
    for (uint32_t i = 0; i < BATCH; i++)
        record_make(b, kind, step_ms, i);
    b->now_ms += step_ms;
    for (uint32_t i = 0; i < SIDES; i++)
        side_run(b, &b->sides[(i + turn) % SIDES], kind);
    b->records[kind] += BATCH;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *list)
{
    qsort(list, ROUNDS, sizeof list[0], compare_doubles);
    return list[ROUNDS / 2];
}

static void round_run(struct bench *b, uint64_t slices, int64_t step_ms,
                      double us[KINDS][SIDES][ROUNDS], int round)
{
    for (int kind = 0; kind < KINDS; kind++) {
        b->records[kind] = 0;
        b->sides[0].us[kind] = b->sides[1].us[kind] = 0;
    }
    for (uint64_t i = 0; i < slices; i++)
        slice_run(b,
                  i % KINDS_EVERY == 0   ? IDENTIFY
                  : i % KINDS_EVERY == 1 ? NEW
                                         : KNOWN,
                  step_ms, (uint32_t)i);
    for (int kind = 0; kind < KINDS; kind++)
        for (int side = 0; side < SIDES; side++)
            us[kind][side][round] = b->sides[side].us[kind] / (double)b->records[kind];
}

static void tell(double us[KINDS][SIDES][ROUNDS])
{
    static const char *const words[] = { "events of known people", "identifies", "new people" };
    for (int kind = 0; kind < KINDS; kind++) {
        double without = median(us[kind][0]), with = median(us[kind][1]);
        printf("%-24s %6.2f us without, %6.2f us with, the segments add %6.2f us\n", words[kind],
               without, with, with - without);
    }
}

static struct bench bench; /* large */
static double       us[KINDS][SIDES][ROUNDS];

int main(int argc, char **argv)
{
    struct bench *b = &bench;
    uint64_t      wanted = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    uint32_t      count = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 200;
    uint64_t      people = argc > 4 ? strtoull(argv[4], NULL, 10) : 100000;
    int64_t       days = argc > 5 ? (int64_t)strtoull(argv[5], NULL, 10) : 90;
    int64_t       step_ms = days * TIME_DAY_MS / (int64_t)(wanted / BATCH);
    b->names = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 10) % (NAMES_MAX + 1) : NAMES_MAX;
    b->random = 7;
    b->now_ms = T0;
    b->kept = arena_open(64 << 20);
    for (int i = 0; i < SIDES; i++) {
        struct side *side = &b->sides[i];
        side->arena = side->out.arena = arena_open((size_t)1 << 28);
        if (engine_open(&side->engine,
                        (struct engine_conf){ .seed = 1,
                                              .next_decision = 1,
                                              .lateness_ms = LATENESS_MS_DEFAULT }) != OK)
            return 1;
    }
    bodies_make(b);
    segments_define(b, count, argc > 6 && strcmp(argv[6], "plain") == 0);
    journeys_define(b);
    while (b->people < people)
        slice_run(b, NEW, TIME_MINUTE_MS, 0);
    for (uint64_t n = 0; n < wanted; n += BATCH)
        slice_run(b, n / BATCH % 10 == 0 ? IDENTIFY : KNOWN, step_ms, 0);
    struct engine_stats first = engine_stats(b->sides[1].engine);
    for (int round = 0; round < ROUNDS; round++)
        round_run(b, wanted / BATCH / ROUNDS, step_ms, us, round);
    struct engine_stats last = engine_stats(b->sides[1].engine);
    double              events = (double)(last.events - first.events);
    tell(us);
    printf("%llu events, %llu people at the end; %.1f%% change a membership\n",
           (unsigned long long)last.events, (unsigned long long)last.profiles,
           100.0 * (double)(last.memberships_changed - first.memberships_changed) / events);
    for (int i = 0; i < SIDES; i++) {
        engine_close(b->sides[i].engine);
        arena_close(b->sides[i].arena);
    }
    arena_close(b->kept);
    return 0;
}
