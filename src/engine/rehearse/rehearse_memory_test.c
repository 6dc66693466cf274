/* A rehearsal for which memory is short, wherever it asks for some: it says so, or shows what it
 * would have shown. The life behind it has all that rehearsals look at. */
#include "base/test.h"
#include "engine/behaviour/edition.h"
#include "engine/rehearse/rehearse_world_test.h"
#include "engine/short_memory_test.h"

#define PAPER "subject: s\ntopic: news\n--- html\nx"

static void at(struct rehearse_world *w, int64_t day)
{
    rehearse_world_until(w, T0 + day * TIME_DAY_MS);
}

static void define(struct rehearse_world *w, enum definition_kind kind, const char *name,
                   const char *text)
{
    if (rehearse_world_define(w, kind, name, str_of(text)) != OK)
        fail_msg("%s: %s %s", name, w->problem.where, w->problem.what);
}

static void says(struct rehearse_world *w, const char *user, const char *state)
{
    struct json how;
    assert_ok(
        json_parse_once(w->arena, str_format(w->arena, "{\"state\":\"%s\"}", state), &how, NULL));
    rehearse_world_tell(w, (struct record){ .kind = RECORD_CONSENT,
                                            .profile = engine_find(w->life.engine, str_of(user)),
                                            .name = STR("news"),
                                            .properties = &how });
}

static void lists(struct rehearse_world *w, const char *user, uint8_t flags)
{
    rehearse_world_tell(w, (struct record){ .kind = RECORD_LIST,
                                            .user_id = str_of(user),
                                            .name = STR("friends"),
                                            .flags = flags });
}

static void defined(struct rehearse_world *w)
{
    define(w, DEFINE_WORKSPACE, "workspace", "{\"name\":\"x\",\"timezone\":\"Spring\"}");
    define(w, DEFINE_TOPICS, "topics", "{\"topics\":[{\"id\":\"news\"},{\"id\":\"offers\"}]}");
    define(w, DEFINE_TEMPLATE, "letter", PAPER);
    define(w, DEFINE_TEMPLATE, "text", "channel: sms\ntopic: news\n--- text\ny");
    define(w, DEFINE_TRAIT, "spent", "sum of amount of \"Bought\" in the last 30 days");
    define(w, DEFINE_SEGMENT, "buyers", "spent > 5");
    define(w, DEFINE_STAGES, "stages",
           "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},{\"name\":\"customer\","
           "\"when\":\"did \\\"Bought\\\" in the last 3 days\"}]}");
    define(w, DEFINE_LIMITS, "limits",
           "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}],\"limits\":[{\"most\":1,\"in\":"
           "\"6 hours\",\"wait\":\"2 days\"}]}");
    define(w, DEFINE_JOURNEY, "old",
           "{\"journey\":\"old\",\"trigger\":{\"event\":\"Signed Up\"},\"exit_when\":\"did "
           "\\\"Bought\\\" since entry\",\"nodes\":[{\"id\":\"a\",\"email\":\"letter\"},"
           "{\"id\":\"w\",\"wait\":\"5 days\"}]}");
    w->definitions[w->definitions_count - 1].is_rehearsed = false;
    rehearse_world_draft(
        w, DEFINE_JOURNEY, "welcome",
        STR("{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},\"reentry\":\"after 2 "
            "days\",\"exit_when\":\"did \\\"Left\\\" since entry\",\"goal\":{\"condition\":\"did "
            "\\\"Bought\\\" since entry\",\"within\":\"7 days\"},\"holdout\":{\"share\":20},"
            "\"nodes\":[{\"id\":\"m\",\"message\":\"letter\"},{\"id\":\"s\",\"message\":\"text\"},"
            "{\"id\":\"x\",\"variants\":[{\"name\":\"a\",\"next\":\"u\"},{\"name\":\"b\",\"next\":"
            "\"f\"}]},{\"id\":\"u\",\"wait_until\":\"monday 10:00\"},"
            "{\"id\":\"f\",\"wait_for\":{\"event\":\"Looked\"},\"within\":\"2 days\"},"
            "{\"id\":\"t\",\"set\":{\"plan\":\"pro\"}},"
            "{\"id\":\"p\",\"split\":\"in segment \\\"buyers\\\"\",\"yes\":\"end\",\"no\":\"r\"},"
            "{\"id\":\"r\",\"record\":{\"event\":\"Told\",\"properties\":{\"a\":\"x\"}}},"
            "{\"id\":\"l\",\"message\":\"letter\"},"
            "{\"id\":\"end\",\"exit\":true}]}"));
    rehearse_world_draft(w, DEFINE_JOURNEY, "after",
                         STR("{\"journey\":\"after\",\"trigger\":{\"finished_journey\":\"old\"},"
                             "\"nodes\":[{\"id\":\"a\",\"message\":\"letter\"}]}"));
    rehearse_world_draft(w, DEFINE_JOURNEY, "gone",
                         STR("{\"journey\":\"gone\",\"trigger\":{\"left_journey\":\"old\"},"
                             "\"nodes\":[{\"id\":\"a\",\"wait\":\"1 day\"}]}"));
    rehearse_world_draft(w, DEFINE_JOURNEY, "stage",
                         STR("{\"journey\":\"stage\",\"trigger\":{\"stage\":\"customer\"},"
                             "\"audience\":\"plan exists\",\"nodes\":[{\"id\":\"a\",\"message\":"
                             "\"letter\"}]}"));
}

static struct rehearse_world *history(void)
{
    struct rehearse_world *w = rehearse_world_open();
    defined(w);
    at(w, 1);
    rehearse_world_event(w, "nobody", "Looked", NULL);
    lists(w, "leaver", RECORD_LEAVE); /* leaves no event behind */
    rehearse_world_traits(w, "ada", "{\"email\":\"ada@x.no\",\"phone\":\"+4790000001\"}");
    at(w, 2);
    for (int day = 2; day < 6; day++) {
        static const char *const users[] = { "ada", "bo", "cy", "di" };
        for (int i = 0; i < 4; i++) {
            struct str traits =
                str_format(w->arena, "{\"email\":\"%s@x.no\",\"phone\":\"+479000000%d\"%s}",
                           users[i], i + 1, i % 2 ? ",\"plan\":\"basic\"" : "");
            rehearse_world_traits(w, users[i], traits.ptr);
            rehearse_world_event(w, users[i], day == 2 || i > 1 ? "Signed Up" : "Looked", NULL);
        }
        at(w, day + 1);
    }
    lists(w, "bo", 0);
    rehearse_world_event(w, "bo", "Bought", "{\"amount\":7}");
    rehearse_world_event(w, "cy", "Left", NULL);
    rehearse_world_event(w, "di", "Bought", "{\"amount\":3}");
    says(w, "di", "unsubscribed");
    rehearse_world_tell(
        w,
        (struct record){ .kind = RECORD_ALIAS, .user_id = STR("ada"), .previous_id = STR("a2") });
    rehearse_world_event(w, "a2", "Signed Up", NULL);
    rehearse_world_tell(w, (struct record){ .kind = RECORD_ALIAS,
                                            .user_id = STR("cy"),
                                            .previous_id = STR("nobody") });
    at(w, 8);
    lists(w, "bo", RECORD_LEAVE);
    assert_ok(
        suppressions_put(w->suppressed, &(struct suppression){ .reason = SUPPRESSION_HARD,
                                                               .address = STR("cy@x.no"),
                                                               .at_ms = T0 + 4 * TIME_DAY_MS }));
    assert_ok(
        suppressions_put(w->suppressed, &(struct suppression){ .reason = SUPPRESSION_LIFTED,
                                                               .address = STR("bo@x.no"),
                                                               .at_ms = T0 + 4 * TIME_DAY_MS }));
    at(w, 20);
    return w;
}

/* ---- what came of it, as one number ---- */

static uint64_t number_tell(uint64_t told, uint64_t number)
{
    return short_memory_tell(told, (struct str){ (const char *)&number, sizeof number });
}

static uint64_t reasons_tell(uint64_t told, struct rehearse_reasons reasons)
{
    for (uint32_t i = 0; i < reasons.count; i++)
        told = number_tell(short_memory_tell(told, reasons.items[i].text), reasons.items[i].count);
    return told;
}

static uint64_t result_tell(uint64_t told, const struct rehearse_result *result)
{
    told = number_tell(told, result->events);
    for (uint32_t i = 0; i < result->journeys_count; i++) {
        const struct rehearse_journey *j = &result->journeys[i];
        told = number_tell(number_tell(number_tell(told, j->entries), j->sent), j->goals);
        told = reasons_tell(reasons_tell(told, j->ended), j->refused);
        for (uint32_t k = 0; k < j->sample_count; k++)
            told = short_memory_tell(told, j->sample[k].ended);
        for (uint16_t k = 0; k < j->nodes_count; k++) {
            told = number_tell(told, j->nodes[k].arrived);
            told = reasons_tell(reasons_tell(told, j->nodes[k].took), j->nodes[k].held);
            told = reasons_tell(told, j->nodes[k].delayed);
        }
    }
    return told;
}

/* ---- rehearsed ---- */

struct given {
    struct rehearse_conf conf;
    const struct view   *view;
    uint32_t             person;
};

static enum err people_go(const struct given *g, const struct rehearsal *rehearsal,
                          struct rehearse_hand **hand, struct rehearse_result *result)
{
    TRY(rehearse_hand_open(hand, rehearsal));
    TRY(rehearse_part(*hand, g->view, 0, g->view->profiles));
    TRY(rehearse_gather(result, *hand));
    return OK;
}

static enum err person_goes(const struct given *g, struct rehearse_hand *hand, uint64_t *told)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(16 << 20);
    struct rehearse_path               path;
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(rehearse_person(hand, g->view, g->person, arena, &path));
    for (uint32_t i = 0; i < path.count; i++)
        *told = short_memory_tell(short_memory_tell(*told, path.items[i].node), path.items[i].text);
    return OK;
}

static enum err live(const void *context, uint64_t *told)
{
    const struct given    *g = context;
    struct rehearsal      *rehearsal = NULL;
    struct rehearse_hand  *hand = NULL;
    struct rehearse_result result = { 0 };
    struct problem         problem;
    enum err               err = rehearsal_open(&rehearsal, &g->conf, &problem);
    if (err == OK)
        err = rehearse_result_init(&result, rehearsal);
    if (err == OK)
        err = people_go(g, rehearsal, &hand, &result);
    if (err == OK)
        err = person_goes(g, hand, told);
    *told = result_tell(*told, &result);
    rehearse_hand_close(hand);
    rehearsal_close(rehearsal);
    rehearse_result_done(&result);
    return err;
}

static void everywhere(struct rehearse_world *w, int64_t from_ms, const char *user)
{
    static struct rehearse_progress progress;
    assert_ok(rehearse_world_run(w, from_ms, w->life.now_ms, 1));
    struct given g = { rehearse_world_conf(w, from_ms, w->life.now_ms), w->view,
                       engine_find(w->life.engine, str_of(user)) };
    g.conf.progress = &progress;
    assert_true(short_memory_everywhere(live, &g) > 400);
}

TEST(rehearse_memory, a_rehearsal_is_what_it_would_have_been_or_memory_was_short)
{
    struct rehearse_world *w = history();
    everywhere(w, T0 + 5 * TIME_DAY_MS / 2, "ada"); /* there is a past */
    const struct rehearse_journey *j = rehearse_world_journey(w, "welcome");
    assert_true(rehearse_world_node(j, "m")->sent > 0);
    assert_true(rehearse_world_node(j, "s")->sent > 0);
    assert_true(j->held > 0);
    assert_true(j->goals + j->goals_held_out > 0);
    assert_true(rehearse_world_journey(w, "gone")->entries > 0);
    assert_true(rehearse_world_journey(w, "after")->entries > 0);
    assert_true(rehearse_world_journey(w, "stage")->entries > 0);
    rehearse_world_close(w);
}
