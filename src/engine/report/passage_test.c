/* The walk over timelines beside counts of the decisions that made them. */
#include "engine/report/passage.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/behaviour/edition.h"
#include "engine/behaviour/view.h"
#include "engine/engine_world_test.h"
#include "engine/report/results.h"
#include "engine/short_memory_test.h"

enum { PEOPLE = 120, NODES = 4, WAYS = 2 };

static const char JOURNEY[] =
    "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"reentry\":\"always\","
    "\"holdout\":{\"share\":30},\"goal\":{\"condition\":\"did \\\"Order Completed\\\" since "
    "entry\",\"within\":\"30 days\",\"value\":\"revenue\"},\"nodes\":["
    "{\"id\":\"x\",\"variants\":[{\"name\":\"a\",\"next\":\"one\"},{\"name\":\"b\",\"next\":"
    "\"two\"}]},{\"id\":\"one\",\"email\":\"letter\",\"next\":\"w\"},"
    "{\"id\":\"two\",\"email\":\"other\",\"next\":\"w\"},{\"id\":\"w\",\"wait\":\"2 days\"}]}";

static struct json *object(struct world *w, struct str text)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, text, value, NULL));
    return value;
}

static void track(struct world *w, int i, const char *event, const char *properties)
{
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .user_id = str_format(w->arena, "u%d", i),
                                                    .name = str_of(event),
                                                    .properties = object(w, str_of(properties)) }));
}

static void came_of(struct world *w, const struct claim *claim, struct str name, bool machine)
{
    const struct program *program = engine_program(w->engine);
    struct str            text = str_format(
                   w->arena, "{\"message\":\"%llu\",\"template\":\"%.*s\",\"journey\":\"j\",\"machine\":%s}",
                   (unsigned long long)claim->message,
                   STR_ARG(program_name(program, NAME_TEMPLATE, claim->template_id)),
        machine ? "true" : "false");
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .name = name,
                                                    .profile = claim->profile,
                                                    .message = claim->message,
                                                    .properties = object(w, text) }));
}

/* Everyone's first letters go, some are opened, some of those twice and some by a machine. */
static void post(struct world *w, uint64_t *opened)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1000 }));
    for (size_t i = before; i < w->out.claims_count; i++) {
        struct claim claim = w->out.claims[i];
        assert_ok(engine_world_tell(
            w, (struct record){ .kind = RECORD_OUTCOME,
                                .profile = claim.profile,
                                .outcome = { .message = claim.message, .kind = OUTCOME_SENT } }));
        came_of(w, &claim, EVENT_MESSAGE_SENT, false);
        if (i % 3 == 0) {
            came_of(w, &claim, EVENT_MESSAGE_OPENED, false);
            came_of(w, &claim, EVENT_MESSAGE_OPENED, false);
            ++*opened;
        } else if (i % 3 == 1) {
            came_of(w, &claim, EVENT_MESSAGE_OPENED, true);
        }
    }
}

static uint64_t decided(const struct world *w, enum decision_kind kind, bool held)
{
    uint64_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == kind &&
                 (kind != DECISION_GOAL || w->out.decisions[i].is_held == held);
    return count;
}

static struct passage_question question_of(const struct world *w)
{
    static const struct str          letter = { "letter", 6 }, other = { "other", 5 };
    static const struct passage_node nodes[NODES] = {
        { { "x", 1 }, { NULL, 0 }, 0, 2, NULL, 0 },
        { { "one", 3 }, { "letter", 6 }, 2, 0, &letter, 1 },
        { { "two", 3 }, { "other", 5 }, 2, 0, &other, 1 },
        { { "w", 1 }, { NULL, 0 }, 2, 0, NULL, 0 },
    };
    static const struct str ways[WAYS] = { { "a", 1 }, { "b", 1 } };
    const struct program   *program = engine_program(w->engine);
    const struct dict      *keys = program->names[NAME_PROPERTY];
    return (struct passage_question){ .journey = program_journey(program, STR("j")),
                                      .name = STR("j"),
                                      .nodes = nodes,
                                      .nodes_count = NODES,
                                      .ways = ways,
                                      .ways_count = WAYS,
                                      .message = dict_find(keys, STR("message")),
                                      .took = dict_find(keys, STR("took")),
                                      .chosen = dict_find(keys, STR("chosen")),
                                      .back = dict_find(keys, STR("back")),
                                      .reason = dict_find(keys, STR("reason")),
                                      .value = dict_find(keys, STR("value")),
                                      .entry = dict_find(keys, STR("entry")) };
}

static struct passage passage_of(struct world *w, uint32_t parts)
{
    struct passage_question q = question_of(w);
    struct passage          sum = { .nodes = ARENA_ARRAY(w->arena, NODES, struct passage_count),
                                    .ways = ARENA_ARRAY(w->arena, WAYS, struct passage_count) };
    struct view            *view;
    struct edition         *edition = engine_edition(w->engine);
    assert_ok(view_make(&view, edition, NULL));
    struct report report = { .view = view, .at_ms = w->now_ms };
    for (uint32_t i = 0; i < parts; i++) {
        struct passage part = { .nodes = ARENA_ARRAY(w->arena, NODES, struct passage_count),
                                .ways = ARENA_ARRAY(w->arena, WAYS, struct passage_count) };
        assert_ok(passage_run(&report, &q, report_part(&report, i, parts), &part));
        for (uint32_t k = 0; k < part.exits_count; k++) /* texts of a view that is dropped */
            part.exits[k].text = str_copy(w->arena, part.exits[k].text);
        passage_add(&q, &sum, &part);
    }
    view_drop(view);
    edition_drop(edition);
    return sum;
}

static uint64_t exits_of(const struct passage *passage, const char *text)
{
    for (uint32_t i = 0; i < passage->exits_count; i++)
        if (str_eq(passage->exits[i].text, str_of(text)))
            return passage->exits[i].count;
    return 0;
}

static struct world lived(uint64_t *opened)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "other", "subject: s\n--- html\nx"));
    if (engine_world_define(&w, DEFINE_JOURNEY, "j", JOURNEY) != OK)
        fail_msg("%s %s", w.problem.where, w.problem.what);
    for (int i = 0; i < PEOPLE; i++) {
        assert_ok(engine_world_tell(
            &w, (struct record){ .kind = RECORD_IDENTIFY,
                                 .user_id = str_format(w.arena, "u%d", i),
                                 .properties = object(&w, STR("{\"email\":\"a@x.no\"}")) }));
        track(&w, i, "Start", "{}");
    }
    post(&w, opened);
    for (int i = 0; i < PEOPLE; i += 2)
        track(&w, i, "Order Completed", "{\"revenue\":10}");
    for (int i = 0; i < 72; i++)
        engine_world_tick(&w, TIME_HOUR_MS);
    for (int i = 0; i < PEOPLE; i += 5) /* some come again */
        track(&w, i, "Start", "{}");
    for (int i = 0; i < PEOPLE; i += 10)
        track(&w, i, "Order Completed", "{\"revenue\":1}");
    return w;
}

TEST(passage, what_is_counted_is_what_was_decided)
{
    uint64_t       opened = 0, arrived = 0;
    struct world   w = lived(&opened);
    struct passage is = passage_of(&w, 1);
    assert_int_equal(is.all.entered, decided(&w, DECISION_ENROLLED, false));
    assert_int_equal(is.held_out, decided(&w, DECISION_HELD_OUT, false));
    assert_int_equal(is.all.reached, decided(&w, DECISION_GOAL, false));
    assert_int_equal(is.held_reached, decided(&w, DECISION_GOAL, true));
    assert_int_equal(is.in.people + is.out.people, PEOPLE);
    assert_int_equal(is.in.reached + is.out.reached, PEOPLE / 2); /* by their first time */
    assert_true(is.out.people > 15 && is.out.reached > 5);
    assert_int_equal(is.all.opened, opened);
    assert_int_equal(is.all.sent, is.nodes[1].sent + is.nodes[2].sent);
    assert_int_equal(is.ways[0].entered, is.nodes[1].entered);
    assert_int_equal(is.ways[0].sent, is.nodes[1].sent);
    assert_int_equal(is.ways[1].opened, is.nodes[2].opened);
    assert_int_equal(is.ways[0].reached + is.ways[1].reached, is.all.reached);
    assert_int_equal((int64_t)(is.ways[0].value + is.ways[1].value), (int64_t)is.all.value);
    assert_true(is.ways[0].opened > 5 && is.ways[1].reached > 5);
    for (size_t i = 0; i < w.out.decisions_count; i++)
        arrived += w.out.decisions[i].kind == DECISION_STEP && w.out.decisions[i].object == 3;
    assert_int_equal(is.nodes[3].entered, arrived);
    assert_int_equal(exits_of(&is, "finished") + exits_of(&is, "reached its goal"),
                     decided(&w, DECISION_ENDED, false));
    assert_true(exits_of(&is, "finished") > 0 && exits_of(&is, "reached its goal") > 0);
    engine_world_close(&w);
}

TEST(passage, parts_add_up)
{
    uint64_t       opened = 0;
    struct world   w = lived(&opened);
    struct passage one = passage_of(&w, 1), many = passage_of(&w, 3);
    assert_memory_equal(&one.all, &many.all, sizeof one.all);
    assert_memory_equal(&one.in, &many.in, sizeof one.in);
    assert_memory_equal(&one.out, &many.out, sizeof one.out);
    assert_memory_equal(one.nodes, many.nodes, NODES * sizeof one.nodes[0]);
    assert_memory_equal(one.ways, many.ways, WAYS * sizeof one.ways[0]);
    assert_int_equal(exits_of(&one, "finished"), exits_of(&many, "finished"));
    engine_world_close(&w);
}

static struct world shop(const char *more)
{
    struct world w = engine_world_open();
    struct str   text = str_format(
          w.arena,
          "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\"},\"reentry\":\"always\",%s"
            "\"goal\":{\"condition\":\"did \\\"Order Completed\\\" since entry\",\"within\":"
            "\"30 "
            "days\",\"value\":\"revenue\"},\"nodes\":[{\"id\":\"x\",\"variants\":[{\"name\":\"a\"},"
            "{\"name\":\"b\"}]},{\"id\":\"w\",\"wait\":\"1 day\"}]}",
          more);
    if (engine_world_define(&w, DEFINE_JOURNEY, "j", text.ptr) != OK)
        fail_msg("%s %s", w.problem.where, w.problem.what);
    return w;
}

static int first_of(struct world *w, enum decision_kind kind, int i)
{
    uint64_t before = decided(w, kind, false);
    for (;; i++) {
        track(w, i, "Start", "{}");
        if (decided(w, kind, false) > before)
            return i;
    }
}

TEST(passage, who_was_held_out_and_becomes_one_with_somebody_inside_was_let_in)
{
    struct world w = shop("\"holdout\":{\"share\":50},");
    int          held = first_of(&w, DECISION_HELD_OUT, 0);
    engine_world_tick(&w, TIME_HOUR_MS);
    int inside = first_of(&w, DECISION_ENROLLED, 100);
    assert_ok(
        engine_world_tell(&w, (struct record){ .kind = RECORD_ALIAS,
                                               .user_id = str_format(w.arena, "u%d", inside),
                                               .previous_id = str_format(w.arena, "u%d", held) }));
    engine_world_tick(&w, TIME_HOUR_MS);
    struct passage before = passage_of(&w, 1);
    track(&w, inside, "Order Completed", "{\"revenue\":10}");
    struct passage is = passage_of(&w, 1);
    assert_int_equal(is.in.reached, 1);
    assert_int_equal(is.out.reached, 0);
    assert_int_equal(is.in.people, before.in.people);
    assert_int_equal(is.in.people, decided(&w, DECISION_ENROLLED, false));
    assert_int_equal(is.out.people, decided(&w, DECISION_HELD_OUT, false) - 1);
    engine_world_close(&w);
}

TEST(passage, one_order_is_paid_once_however_often_they_came_in)
{
    struct world w = shop("");
    for (int i = 0; i < 3; i++) {
        track(&w, 0, "Start", "{}");
        for (int k = 0; k < 48; k++)
            engine_world_tick(&w, TIME_HOUR_MS);
    }
    track(&w, 0, "Start", "{}");
    track(&w, 0, "Order Completed", "{\"revenue\":100}");
    struct passage is = passage_of(&w, 1);
    assert_int_equal(is.all.reached, 4);
    assert_int_equal((int64_t)is.all.value, 100);
    assert_int_equal((int64_t)(is.ways[0].value + is.ways[1].value), 100);
    engine_world_tick(&w, TIME_HOUR_MS);
    track(&w, 0, "Start", "{}");
    track(&w, 0, "Order Completed", "{\"revenue\":7}"); /* of another one it counts anew */
    is = passage_of(&w, 1);
    assert_int_equal(is.all.reached, 5);
    assert_int_equal((int64_t)is.all.value, 107);
    engine_world_close(&w);
}

/* ---- several times at once ---- */

static const char CARTS[] =
    "{\"journey\":\"j\",\"trigger\":{\"event\":\"Start\",\"key\":\"cart\"},\"reentry\":\"always\","
    "\"goal\":{\"condition\":\"did \\\"Order Completed\\\" where cart is the key since entry\","
    "\"within\":\"30 days\"},\"nodes\":["
    "{\"id\":\"w\",\"wait_for\":{\"event\":\"Looked\",\"where\":\"cart is the key\"},"
    "\"within\":\"3 hours\",\"yes\":\"one\",\"timeout\":\"two\"},"
    "{\"id\":\"one\",\"email\":\"letter\",\"next\":\"e\"},"
    "{\"id\":\"two\",\"email\":\"letter\",\"next\":\"e\"},"
    "{\"id\":\"e\",\"wait\":\"2 days\"}]}";

enum { CART_NODES = 4, CART_WAYS = 2 };

static const struct str          THE_LETTER = { "letter", 6 };
static const struct passage_node CART_PLACES[CART_NODES] = {
    { { "w", 1 }, { NULL, 0 }, 0, 2, NULL, 0 },
    { { "one", 3 }, { "letter", 6 }, 2, 0, &THE_LETTER, 1 },
    { { "two", 3 }, { "letter", 6 }, 2, 0, &THE_LETTER, 1 },
    { { "e", 1 }, { NULL, 0 }, 2, 0, NULL, 0 },
};
static const struct str CART_NAMES[CART_WAYS] = { { "yes", 3 }, { "timeout", 7 } };

static void sent_of(struct world *w, const struct claim *claim)
{
    struct str text = str_format(
        w->arena,
        "{\"message\":\"%llu\",\"template\":\"letter\",\"journey\":\"j\",\"entry\":\"%llu\"}",
        (unsigned long long)claim->message, (unsigned long long)claim->entry);
    assert_true(claim->entry > 0);
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .name = EVENT_MESSAGE_SENT,
                                                    .profile = claim->profile,
                                                    .message = claim->message,
                                                    .properties = object(w, text) }));
}

TEST(passage, with_two_carts_at_once_a_wait_counts_once_and_a_message_for_its_own_cart)
{
    struct world   w = engine_world_open();
    struct passage is = { .nodes = ARENA_ARRAY(w.arena, CART_NODES, struct passage_count),
                          .ways = ARENA_ARRAY(w.arena, CART_WAYS, struct passage_count) };
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "letter", "subject: s\n--- html\nx"));
    if (engine_world_define(&w, DEFINE_JOURNEY, "j", CARTS) != OK)
        fail_msg("%s %s", w.problem.where, w.problem.what);
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_IDENTIFY,
                             .user_id = STR("u0"),
                             .properties = object(&w, STR("{\"email\":\"a@x.no\"}")) }));
    track(&w, 0, "Start", "{\"cart\":1}");
    track(&w, 0, "Start", "{\"cart\":2}");
    track(&w, 0, "Looked", "{\"cart\":1}"); /* the first one goes on, the second waits */
    for (int i = 0; i < 4; i++)
        engine_world_tick(&w, TIME_HOUR_MS);
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CLAIM, .count = 1000 }));
    assert_int_equal(w.out.claims_count, 2);
    for (size_t i = 0; i < w.out.claims_count; i++)
        sent_of(&w, &w.out.claims[i]); /* both after both stood at their nodes */
    track(&w, 0, "Order Completed", "{\"cart\":2}");
    struct passage_question q = question_of(&w);
    q.nodes = CART_PLACES;
    q.nodes_count = CART_NODES;
    q.ways = CART_NAMES;
    q.ways_count = CART_WAYS;
    struct view    *view;
    struct edition *edition = engine_edition(w.engine);
    assert_ok(view_make(&view, edition, NULL));
    struct report report = { .view = view, .at_ms = w.now_ms };
    assert_ok(passage_run(&report, &q, report_part(&report, 0, 1), &is));
    assert_int_equal(is.nodes[0].entered, 2); /* not the wait's end, too */
    for (int i = 0; i < CART_WAYS; i++) {
        assert_int_equal(is.nodes[1 + i].sent, 1);
        assert_int_equal(is.ways[i].entered, 1);
        assert_int_equal(is.ways[i].sent, 1);
    }
    assert_int_equal(is.ways[0].reached, 0);
    assert_int_equal(is.ways[1].reached, 1);
    assert_int_equal(is.ways[0].people + is.ways[1].people, 1); /* one person, by the first time */
    view_drop(view);
    edition_drop(edition);
    engine_world_close(&w);
}

TEST(passage, variants_are_judged_by_people_at_their_first_time_there)
{
    uint64_t       opened = 0;
    struct world   w = lived(&opened);
    struct passage is = passage_of(&w, 1);
    assert_true(is.ways[0].entered + is.ways[1].entered > is.in.people);
    assert_int_equal(is.ways[0].people + is.ways[1].people, is.in.people);
    assert_int_equal(is.ways[0].people_reached + is.ways[1].people_reached, is.in.reached);
    engine_world_close(&w);
}

/* ---- beside the results of messages, which know the same nodes and variants ---- */

TEST(results, by_node_and_variant_messages_count_where_the_journey_s_numbers_have_them)
{
    static const struct str           letter = { "letter", 6 }, other = { "other", 5 };
    static const struct stood_node    nodes[NODES] = { { { "x", 1 }, NULL, 0, true },
                                                       { { "one", 3 }, &letter, 1, false },
                                                       { { "two", 3 }, &other, 1, false },
                                                       { { "w", 1 }, NULL, 0, false } };
    static const struct stood_journey journeys[] = { { { "j", 1 }, 0, NODES } };
    uint64_t                          opened = 0;
    struct world                      w = lived(&opened);
    struct passage                    is = passage_of(&w, 1);
    const struct dict                *keys = engine_program(w.engine)->names[NAME_PROPERTY];
    struct stood_question             stood = { journeys, 1, nodes, dict_find(keys, STR("took")) };
    struct view                      *view;
    struct edition                   *edition = engine_edition(w.engine);
    assert_int_equal(program_journey(engine_program(w.engine), STR("j")), 0);
    assert_ok(view_make(&view, edition, NULL));
    struct report report = { .view = view, .at_ms = w.now_ms };
    for (int by = RESULTS_NODE; by <= RESULTS_VARIANT; by++) {
        struct results          results = results_make();
        struct results_question question = { .by = (enum results_by)by,
                                             .from_ms = INT64_MIN,
                                             .to_ms = INT64_MAX,
                                             .stood = &stood,
                                             .keys = { dict_find(keys, STR("message")), DICT_NONE,
                                                       DICT_NONE, DICT_NONE } };
        assert_ok(results_run(&report, &question, report_part(&report, 0, 1), &results));
        assert_int_equal(results.all.sent, is.all.sent);
        assert_int_equal(results.rows.count, 2);
        for (uint32_t i = 0; i < 2; i++) {
            bool                        is_node = by == RESULTS_NODE;
            struct results_key          key = { .of = RESULTS_JOURNEY,
                                                .whole = STR("j"),
                                                .node = is_node ? nodes[1 + i].id : STR("x"),
                                                .variant = is_node  ? STR_NONE
                                                           : i == 0 ? STR("a")
                                                                    : STR("b") };
            const struct results_row   *row = results_find(&results, &key);
            const struct passage_count *wanted = is_node ? &is.nodes[1 + i] : &is.ways[i];
            assert_non_null(row);
            assert_int_equal(row->count.sent, wanted->sent);
            assert_int_equal(row->count.opened, wanted->opened);
            assert_true(row->count.opened > 0);
        }
        results_done(&results);
    }
    view_drop(view);
    edition_drop(edition);
    engine_world_close(&w);
}

struct walked {
    struct report           report;
    struct passage_question question;
};

static enum err walk(const void *context, uint64_t *told)
{
    const struct walked *w = context;
    struct passage_count nodes[NODES] = { { 0 } }, ways[WAYS] = { { 0 } };
    struct passage       is = { .nodes = nodes, .ways = ways };
    TRY(passage_run(&w->report, &w->question, (struct report_range){ 0, w->report.view->profiles },
                    &is));
    const uint64_t counts[] = { is.all.entered, is.all.reached, is.all.opened, nodes[3].entered };
    *told = short_memory_tell(*told, (struct str){ (const char *)counts, sizeof counts });
    return OK;
}

TEST(passage, it_is_counted_for_those_asked_about_or_memory_was_short)
{
    uint64_t        opened = 0, among[PEOPLE / 64 + 1] = { 0x5555555555555555 };
    struct world    w = lived(&opened);
    struct view    *view;
    struct edition *edition = engine_edition(w.engine);
    assert_ok(view_make(&view, edition, NULL));
    struct walked walked = { { .view = view, .at_ms = w.now_ms, .among = among }, question_of(&w) };
    assert_true(short_memory_everywhere(walk, &walked) > 2);
    struct passage_count nodes[NODES] = { { 0 } }, ways[WAYS] = { { 0 } };
    struct passage       half = { .nodes = nodes, .ways = ways }, all = passage_of(&w, 1);
    assert_ok(passage_run(&walked.report, &walked.question,
                          (struct report_range){ 0, view->profiles }, &half));
    assert_int_equal(half.in.people + half.out.people, 32); /* every other one of the first 64 */
    assert_true(half.all.entered > 0 && half.all.entered < all.all.entered);
    view_drop(view);
    edition_drop(edition);
    engine_world_close(&w);
}
