/* What is new before where those inside stand, by example, and counted by hand beside. */
#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/checkpoint.h"
#include "engine/engine_world_test.h"
#include "engine/inside.h"

enum { PEOPLE = 1300, DEFINED_MAX = 8 };

struct life {
    struct world w;
    const char  *audience; /* members of the journey */
    struct {
        enum definition_kind kind;
        struct str           name, text;
        uint32_t             version;
    } defined[DEFINED_MAX];
    uint32_t count;
};

static void define(struct life *l, enum definition_kind kind, const char *name, struct str text,
                   uint8_t flags)
{
    assert_ok(engine_world_tell(&l->w, (struct record){ .kind = RECORD_DEFINE,
                                                        .flags = flags,
                                                        .definition_kind = kind,
                                                        .name = str_of(name),
                                                        .body = text }));
    l->defined[l->count].kind = kind;
    l->defined[l->count].name = str_of(name);
    l->defined[l->count].text = text;
    l->defined[l->count++].version = (uint32_t)l->w.seq;
}

static struct str text_of(struct life *l, const char *nodes)
{
    return str_format(l->w.arena,
                      "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},"
                      "\"reentry\":\"always\",%s\"nodes\":[%s]}",
                      l->audience, nodes);
}

static void publish(struct life *l, const char *nodes, uint8_t flags)
{
    define(l, DEFINE_JOURNEY, "j", text_of(l, nodes), flags);
}

static void tell(struct life *l, const char *who, const char *event)
{
    assert_ok(engine_world_tell(
        &l->w,
        (struct record){ .kind = RECORD_TRACK, .user_id = str_of(who), .name = str_of(event) }));
}

static void vip(struct life *l, const char *who, const char *value)
{
    struct json traits;
    struct str  text = str_format(l->w.arena, "{\"vip\":\"%s\"}", value);
    assert_ok(json_parse_once(l->w.arena, text, &traits, NULL));
    assert_ok(engine_world_tell(
        &l->w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = str_of(who), .properties = &traits }));
}

static void say(struct life *l, const char *word)
{
    assert_ok(engine_world_define(
        &l->w, DEFINE_JOURNEY_STATE, "j",
        str_format(l->w.arena, "{\"state\":\"%s\",\"at\":%lld}", word, (long long)l->w.now_ms)
            .ptr));
}

static struct life life_of(const char *audience, const char *nodes)
{
    struct life l = { .w = engine_world_open(), .audience = audience };
    define(&l, DEFINE_TEMPLATE, "letter", STR("subject: s\n--- html\nx"), 0);
    define(&l, DEFINE_TEMPLATE, "other", STR("subject: o\n--- html\ny"), 0);
    publish(&l, nodes, 0);
    vip(&l, "ada", "no");
    tell(&l, "ada", "Start");
    engine_world_tick(&l.w, 2 * TIME_HOUR_MS);
    return l;
}

static uint32_t count_of(const struct life *l, enum decision_kind kind)
{
    uint32_t count = 0;
    for (size_t i = 0; i < l->w.out.decisions_count; i++)
        count += l->w.out.decisions[i].kind == kind;
    return count;
}

/* Where was the i-th message from? "": there is none. */
static struct str sent_from(const struct life *l, uint32_t i)
{
    for (size_t k = 0; k < l->w.out.decisions_count; k++)
        if (l->w.out.decisions[k].kind == DECISION_INTENT && i-- == 0)
            return l->w.out.decisions[k].node;
    return STR_NONE;
}

#define assert_from(l, i, node) assert_true(str_eq(sent_from(l, i), STR(node)))

static struct inside_count counted(struct life *l, const char *nodes)
{
    struct segment_names names = program_names(engine_program(l->w.engine), false);
    struct inside_count  count = { 0 };
    struct journey       to;
    uint32_t             cursor = 0, turns = 0;
    assert_ok(journey_parse(l->w.arena, text_of(l, nodes), &names, &to, NULL));
    while (!engine_inside_count(l->w.engine, 0, &to, &cursor, 150, &count))
        assert_true(++turns < 10000);
    return count;
}

static void settle(struct life *l)
{
    for (int i = 0; i < 20; i++)
        engine_world_tick(&l->w, 0);
    assert_false(jobs_are_due(l->w.engine));
}

#define PAUSE "{\"id\":\"pause\",\"wait\":\"5 days\"}"
#define LAST ",{\"id\":\"last\",\"wait\":\"5 days\"}"
#define NEW "{\"id\":\"new\",\"email\":\"letter\"},"
#define OLD PAUSE LAST

TEST(filling, who_is_no_longer_in_the_audience_leaves_instead)
{
    struct life l =
        life_of("\"audience\":\"vip = \\\"no\\\"\",\"audience_at\":\"each step\",", OLD);
    assert_int_equal(counted(&l, NEW OLD).filled, 1);
    vip(&l, "ada", "yes");
    assert_int_equal(counted(&l, NEW OLD).filled, 0);
    publish(&l, NEW "{\"id\":\"tell\",\"set\":{\"plan\":\"pro\"}}," OLD, RECORD_BACKFILL);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_MOVED), 1);
    assert_int_equal(count_of(&l, DECISION_INTENT), 0);
    assert_int_equal(l.w.out.told_count, 0);
    assert_int_equal(count_of(&l, DECISION_ENDED), 1);
    engine_world_close(&l.w);
}

TEST(filling, nothing_is_given_after_the_journey_was_stopped)
{
    struct life l = life_of("", OLD);
    publish(&l, NEW "{\"id\":\"tell\",\"set\":{\"plan\":\"pro\"}}," OLD, RECORD_BACKFILL);
    say(&l, "stopped");
    assert_int_equal(counted(&l, "{\"id\":\"newer\",\"email\":\"letter\"}," OLD).filled, 0);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_INTENT), 0);
    assert_int_equal(l.w.out.told_count, 0);
    assert_int_equal(count_of(&l, DECISION_ENDED), 1);
    engine_world_close(&l.w);
}

TEST(filling, waits_while_the_journey_is_paused_and_goes_on_as_it_is_resumed)
{
    struct life l = life_of("", OLD);
    publish(&l, NEW OLD, RECORD_BACKFILL);
    say(&l, "paused");
    settle(&l);
    tell(&l, "ada", "Other");
    assert_int_equal(count_of(&l, DECISION_MOVED), 0);
    engine_world_tick(&l.w, TIME_HOUR_MS);
    assert_int_equal(count_of(&l, DECISION_INTENT), 0);
    say(&l, "running");
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_MOVED), 1);
    assert_int_equal(count_of(&l, DECISION_INTENT), 1);
    engine_world_close(&l.w);
}

TEST(filling, another_publishing_ends_it_for_whom_it_has_not_come_to)
{
    struct life l = life_of("", OLD);
    publish(&l, NEW OLD, RECORD_BACKFILL);
    publish(&l, OLD, 0);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_MOVED), 0);
    assert_int_equal(count_of(&l, DECISION_INTENT), 0);
    publish(&l, NEW OLD, RECORD_BACKFILL);
    define(&l, DEFINE_JOURNEY, "j", STR_NONE, 0);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_INTENT), 0);
    engine_world_close(&l.w);
}

#define WAIT_FOR(yes)                                                                              \
    "{\"id\":\"pause\",\"wait_for\":\"vip = \\\"yes\\\"\",\"within\":\"9 days\","                  \
    "\"yes\":\"" yes "\",\"timeout\":\"end\"},"
#define OFFER "{\"id\":\"offer\",\"email\":\"other\"},"
#define END "{\"id\":\"end\",\"wait\":\"9 days\"}"

TEST(filling, what_is_new_comes_before_what_they_go_on_to_at_once)
{
    struct life l =
        life_of("", "{\"id\":\"pause\",\"wait_for\":\"vip = \\\"maybe\\\"\","
                    "\"within\":\"9 days\",\"yes\":\"offer\",\"timeout\":\"end\"}," OFFER END);
    vip(&l, "ada", "yes");
    publish(&l, NEW WAIT_FOR("offer") OFFER END, RECORD_BACKFILL);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_INTENT), 2);
    assert_from(&l, 0, "new");
    assert_from(&l, 1, "offer");
    engine_world_close(&l.w);
}

TEST(filling, who_comes_there_yet_by_a_loop_is_not_given_it_beside)
{
    struct life l = life_of("", "{\"id\":\"pause\",\"wait_for\":\"vip = \\\"maybe\\\"\","
                                "\"within\":\"9 days\",\"yes\":\"end\",\"timeout\":\"end\"}," END);
    vip(&l, "ada", "yes");
    assert_int_equal(
        counted(&l, NEW "{\"id\":\"rest\",\"wait\":\"9 days\"}," WAIT_FOR("new") END).filled, 0);
    publish(&l, NEW "{\"id\":\"rest\",\"wait\":\"9 days\"}," WAIT_FOR("new") END, RECORD_BACKFILL);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_INTENT), 1);
    engine_world_close(&l.w);
}

#define TWO NEW "{\"id\":\"new2\",\"email\":\"other\"}," OLD

TEST(filling, a_second_one_beside_the_first_is_given_too)
{
    for (int is_moved = 0; is_moved < 2; is_moved++) {
        struct life l = life_of("", OLD);
        publish(&l, NEW OLD, is_moved ? RECORD_MOVE : RECORD_BACKFILL);
        settle(&l);
        assert_int_equal(counted(&l, TWO).filled, 1);
        publish(&l, TWO, RECORD_BACKFILL);
        settle(&l);
        assert_int_equal(count_of(&l, DECISION_INTENT), is_moved ? 1 : 2);
        assert_true(str_eq(sent_from(&l, is_moved ? 0 : 1), STR("new2")));
        engine_world_close(&l.w);
    }
}

#define MAIL "{\"id\":\"mail\",\"email\":\"letter\"},"

TEST(filling, what_has_another_name_alone_is_no_news)
{
    struct life l = life_of("", MAIL "{\"id\":\"tell\",\"set\":{\"plan\":\"pro\"}}," OLD);
    const char *renamed = "{\"id\":\"welcome\",\"email\":\"letter\"},"
                          "{\"id\":\"say\",\"set\":{\"plan\":\"pro\"}},"
                          "{\"id\":\"more\",\"set\":{\"plan\":\"gold\"}},"
                          "{\"id\":\"fresh\",\"email\":\"other\"}," OLD;
    size_t      told = l.w.out.told_count;
    assert_int_equal(count_of(&l, DECISION_INTENT), 1);
    assert_int_equal(counted(&l, renamed).fills_count, 2);
    publish(&l, renamed, RECORD_BACKFILL);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_INTENT), 2);
    assert_from(&l, 1, "fresh");
    assert_int_equal(l.w.out.told_count, told + 1);
    engine_world_close(&l.w);
}

TEST(filling, the_same_letter_again_beside_the_old_one_is_news)
{
    struct life l = life_of("", MAIL OLD);
    publish(&l, MAIL NEW OLD, RECORD_BACKFILL);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_INTENT), 2);
    engine_world_close(&l.w);
}

TEST(filling, a_letter_that_moved_to_a_new_node_while_the_old_one_sends_another_is_no_news)
{
    struct life l = life_of("", MAIL OLD);
    publish(&l,
            "{\"id\":\"intro\",\"email\":\"letter\"},{\"id\":\"mail\",\"email\":\"other\"}," OLD,
            RECORD_BACKFILL);
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_INTENT), 1);
    engine_world_close(&l.w);
}

TEST(filling, what_was_stopped_is_not_taken_up_as_the_journey_opens_again)
{
    struct life l = life_of("", OLD);
    publish(&l, NEW OLD, RECORD_BACKFILL);
    say(&l, "stopped");
    say(&l, "running");
    settle(&l);
    assert_int_equal(count_of(&l, DECISION_INTENT), 0);
    engine_world_close(&l.w);
}

/* ---- many, and a program that ends between two parts ---- */

/* Four of five come in; then a third of all is no longer in the audience. */
static bool comes(int i)
{
    return i % 5 != 0;
}

static bool is_vip(int i)
{
    return i % 3 == 0;
}

static void crowd_come(struct life *l)
{
    char who[16];
    for (int i = 0; i < PEOPLE; i++) {
        snprintf(who, sizeof who, "p%d", i);
        vip(l, who, "no");
        if (comes(i))
            tell(l, who, "Start");
        if (is_vip(i))
            vip(l, who, "yes");
    }
    engine_world_tick(&l->w, TIME_HOUR_MS);
}

/* Another engine that has read what this one wrote down. */
static void reload(struct life *l)
{
    SCOPED(buf_donep) struct buf                   jobs = buf_make(1000);
    SCOPED(json_parser_closep) struct json_parser *parser = json_parser_open();
    struct world                                  *w = &l->w, next = engine_world_open();
    engine_jobs_write(w->engine, &jobs);
    for (size_t i = 0; i < w->out.names_count; i++) {
        struct str text = str_copy(w->arena, w->out.names[i].text); /* it was the program's */
        w->out.names[i].text = text;
        assert_ok(engine_load_name(next.engine, (enum name_kind)w->out.names[i].kind,
                                   w->out.names[i].id, text));
    }
    for (uint32_t i = 0; i < l->count; i++)
        assert_ok(engine_load_definition(next.engine, l->defined[i].kind, l->defined[i].name,
                                         l->defined[i].text, l->defined[i].version));
    for (size_t i = 0; i < w->out.decisions_count; i++) {
        struct decision d = w->out.decisions[i];
        w->out.decisions[i].node = str_copy(w->arena, d.node); /* it was the program's */
        d.text = STR_NONE;
        assert_ok(engine_load_decision(next.engine, parser, next.arena, &d));
    }
    assert_ok(engine_jobs_load(next.engine, buf_view(&jobs)));
    assert_ok(engine_load_end(next.engine, w->seq, w->now_ms));
    engine_close(w->engine);
    zones_close(w->zones);
    w->engine = next.engine;
    w->zones = next.zones;
    arena_close(next.arena);
}

static void sent_are(const struct life *l, const char *node, uint32_t most, uint32_t all)
{
    uint32_t *sent = calloc(PEOPLE + 2, sizeof *sent), count = 0;
    for (size_t i = 0; i < l->w.out.decisions_count; i++) {
        const struct decision *d = &l->w.out.decisions[i];
        if (d->kind != DECISION_INTENT || !str_eq(d->node, str_of(node)))
            continue;
        assert_in_range(d->profile, 0, PEOPLE + 1);
        assert_in_range(++sent[d->profile], 1, most);
        count++;
    }
    free(sent);
    assert_int_equal(count, all);
}

TEST(filling, each_gets_it_once_as_counted_also_where_the_program_ends_between)
{
    for (int is_reloaded = 0; is_reloaded < 2; is_reloaded++) {
        /* What people told lies in the store, which is not here: no audience after a load. */
        struct life l = life_of(
            is_reloaded ? "" : "\"audience\":\"vip = \\\"no\\\"\",\"audience_at\":\"each step\",",
            OLD);
        crowd_come(&l);
        uint32_t naive = 1, inside = 1;
        for (int i = 0; i < PEOPLE; i++) {
            naive += comes(i) && (is_reloaded || !is_vip(i));
            inside += comes(i);
        }
        struct inside_count count = counted(&l, NEW OLD);
        assert_int_equal(count.filled, naive);
        assert_int_equal(count.fills[0].people, naive);
        publish(&l, NEW OLD, RECORD_BACKFILL);
        engine_world_tick(&l.w, 0);
        assert_true(jobs_are_due(l.w.engine)); /* a part */
        assert_true(count_of(&l, DECISION_INTENT) < naive);
        if (is_reloaded)
            reload(&l);
        settle(&l);
        sent_are(&l, "new", 1, naive);
        assert_int_equal(count_of(&l, DECISION_MOVED), inside);
        if (is_reloaded)
            reload(&l);
        publish(&l, TWO, RECORD_BACKFILL);
        settle(&l);
        sent_are(&l, "new", 1, naive);
        sent_are(&l, "new2", 1, naive);
        engine_world_close(&l.w);
    }
}
