/* Definitions: what is refused leaves everything as it was. */
#include "engine/program.h"

#include <stdio.h>

#include <string.h>

#include "base/test.h"

static enum err define(struct program *program, enum definition_kind kind, const char *name,
                       const char *text, uint32_t version)
{
    uint32_t number;
    return program_define(program, kind, str_of(name), str_of(text), version, &number, NULL);
}

static struct program *open_(void)
{
    struct program *program = NULL;
    assert_ok(program_open(&program));
    return program;
}

TEST(program, segments_that_would_depend_on_themselves_are_refused)
{
    struct program *p = open_();
    assert_ok(define(p, DEFINE_SEGMENT, "a", "did \"A\"", 1));
    assert_ok(define(p, DEFINE_SEGMENT, "b", "in segment \"a\"", 2));
    assert_ok(define(p, DEFINE_SEGMENT, "c", "in segment \"b\" or did \"C\"", 3));
    assert_int_equal(define(p, DEFINE_SEGMENT, "a", "not in segment \"c\"", 4), ERR_CONFLICT);
    assert_int_equal(define(p, DEFINE_SEGMENT, "a", "in segment \"a\"", 4), ERR_CONFLICT);
    assert_int_equal(p->segments.items[program_segment(p, STR("a"))].version, 1);
    assert_ok(define(p, DEFINE_SEGMENT, "b", "did \"B\"", 5)); /* the tie is cut */
    assert_ok(define(p, DEFINE_SEGMENT, "a", "not in segment \"c\"", 6));
    program_close(p);
}

TEST(program, segments_nest_to_the_bound_and_no_deeper_from_either_end)
{
    struct program *p = open_();
    char            name[16], text[64];
    assert_ok(define(p, DEFINE_SEGMENT, "n0", "did \"A\"", 1));
    for (int i = 1; i < SEGMENT_NESTING_MAX; i++) {
        snprintf(name, sizeof name, "n%d", i);
        /* Named twice: the ways through are 2^15, the levels are 16. */
        snprintf(text, sizeof text, "in segment \"n%d\" or not in segment \"n%d\"", i - 1,
                 i > 1 ? i - 2 : 0);
        assert_ok(define(p, DEFINE_SEGMENT, name, text, 1));
    }
    snprintf(text, sizeof text, "in segment \"n%d\"", SEGMENT_NESTING_MAX - 1);
    assert_int_equal(define(p, DEFINE_SEGMENT, "above", text, 2), ERR_LIMIT);
    assert_ok(define(p, DEFINE_SEGMENT, "root", "did \"R\"", 3));
    assert_int_equal(define(p, DEFINE_SEGMENT, "n0", "in segment \"root\"", 4), ERR_LIMIT);
    program_close(p);
}

TEST(program, what_is_in_use_is_not_deleted)
{
    struct program *p = open_();
    assert_ok(define(p, DEFINE_TEMPLATE, "mail", "subject: s\n", 1));
    assert_ok(define(p, DEFINE_SEGMENT, "a", "did \"A\"", 1));
    assert_ok(define(p, DEFINE_SEGMENT, "b", "did \"B\"", 1));
    assert_ok(define(p, DEFINE_SEGMENT, "c", "did \"C\"", 1));
    assert_ok(define(p, DEFINE_SEGMENT, "user", "in segment \"c\"", 1));
    assert_ok(define(
        p, DEFINE_JOURNEY, "j",
        "{\"journey\":\"j\",\"trigger\":{\"segment\":\"a\"},"
        "\"exit_when\":\"in segment \\\"b\\\"\",\"nodes\":[{\"id\":\"m\",\"email\":\"mail\"}]}",
        2));
    assert_int_equal(define(p, DEFINE_SEGMENT, "a", "", 3), ERR_CONFLICT);
    assert_int_equal(define(p, DEFINE_SEGMENT, "b", "", 3), ERR_CONFLICT);
    assert_int_equal(define(p, DEFINE_SEGMENT, "c", "", 3), ERR_CONFLICT);
    assert_int_equal(define(p, DEFINE_TEMPLATE, "mail", "", 3), ERR_CONFLICT);
    assert_int_equal(define(p, DEFINE_SEGMENT, "never", "", 3), ERR_ABSENT);
    assert_ok(define(p, DEFINE_JOURNEY, "j", "", 4));
    assert_ok(define(p, DEFINE_SEGMENT, "a", "", 5));
    assert_ok(define(p, DEFINE_SEGMENT, "b", "", 5));
    assert_ok(define(p, DEFINE_TEMPLATE, "mail", "", 5));
    assert_int_equal(define(p, DEFINE_SEGMENT, "c", "", 5), ERR_CONFLICT);
    program_close(p);
}

static uint32_t heard(const struct program *p, struct numbers *const *tables, enum name_kind kind,
                      const char *name)
{
    return (*tables)[dict_find(p->names[kind], str_of(name))].count;
}

TEST(program, a_circle_is_refused_with_all_of_it_shown)
{
    struct program *p = open_();
    struct problem  problem = { 0 };
    uint32_t        number;
    assert_ok(define(p, DEFINE_SEGMENT, "vip", "did \"A\"", 1));
    assert_ok(define(p, DEFINE_SEGMENT, "loyal", "in segment \"vip\"", 2));
    assert_ok(define(p, DEFINE_SEGMENT, "gold", "in segment \"loyal\" or did \"B\"", 3));
    assert_int_equal(program_define(p, DEFINE_SEGMENT, STR("vip"),
                                    STR("did \"C\" or in segment \"gold\""), 4, &number, &problem),
                     ERR_CONFLICT);
    assert_non_null(strstr(problem.what, "vip -> gold -> loyal -> vip."));
    program_close(p);
}

TEST(program, who_must_hear_follows_every_change_of_a_definition)
{
    struct program *p = open_();
    assert_ok(define(p, DEFINE_SEGMENT, "s", "did \"A\" and did \"B\"", 1));
    assert_ok(define(p, DEFINE_JOURNEY, "j",
                     "{\"journey\":\"j\",\"trigger\":{\"event\":\"A\"},\"nodes\":"
                     "[{\"id\":\"e\",\"exit\":true}]}",
                     2));
    assert_int_equal(heard(p, &p->segments_of_event, NAME_EVENT, "A"), 1);
    assert_int_equal(heard(p, &p->journeys_of[TRIGGER_EVENT], NAME_EVENT, "A"), 1);
    assert_ok(define(p, DEFINE_SEGMENT, "s", "did \"B\"", 3));
    assert_ok(define(p, DEFINE_JOURNEY, "j",
                     "{\"journey\":\"j\",\"trigger\":{\"segment\":\"s\"},\"nodes\":"
                     "[{\"id\":\"e\",\"exit\":true}]}",
                     4));
    assert_int_equal(heard(p, &p->segments_of_event, NAME_EVENT, "A"), 0);
    assert_int_equal(heard(p, &p->segments_of_event, NAME_EVENT, "B"), 1);
    assert_int_equal(heard(p, &p->journeys_of[TRIGGER_EVENT], NAME_EVENT, "A"), 0);
    assert_int_equal(heard(p, &p->journeys_of[TRIGGER_SEGMENT], NAME_SEGMENT, "s"), 1);

    uint32_t j = program_journey(p, STR("j"));
    assert_non_null(program_journey_version(p, j, 2)); /* for those who are inside it */
    assert_int_equal(program_journey_live(p, j)->version, 4);
    assert_int_equal(define(p, DEFINE_JOURNEY, "j", "{\"journey\":\"j\"}", 5), ERR_INPUT);
    assert_int_equal(program_journey_live(p, j)->version, 4);
    assert_ok(define(p, DEFINE_JOURNEY, "j", "", 6));
    assert_null(program_journey_live(p, j));
    assert_non_null(program_journey_version(p, j, 4));
    assert_int_equal(heard(p, &p->journeys_of[TRIGGER_SEGMENT], NAME_SEGMENT, "s"), 0);
    program_close(p);
}

TEST(program, a_workspace_has_a_time_zone_that_the_system_knows)
{
    const struct zone                  list[] = { { STR("Europe/Oslo"), NULL, 0, 3600 } };
    SCOPED(zones_closep) struct zones *zones = NULL;
    struct program                    *p = open_();
    assert_ok(zones_make(&zones, STR("x"), list, 1));
    p->zones = zones;
    assert_int_equal(
        program_check(p, DEFINE_WORKSPACE, STR_NONE, STR("{\"timezone\":\"Europe/Bergen\"}"), NULL),
        ERR_INPUT);
    assert_int_equal(program_check(p, DEFINE_WORKSPACE, STR_NONE, STR("{\"timezone\":1}"), NULL),
                     ERR_INPUT);
    assert_ok(program_check(p, DEFINE_WORKSPACE, STR_NONE, STR("{}"), NULL));
    assert_ok(define(p, DEFINE_WORKSPACE, "", "{\"timezone\":\"Europe/Oslo\"}", 1));
    assert_ptr_equal(p->zone, zones_at(zones, 0));
    /* Stored when the system still had it: it is UTC then, and no reason not to start. */
    assert_ok(define(p, DEFINE_WORKSPACE, "", "{\"timezone\":\"Europe/Bergen\"}", 2));
    assert_null(p->zone);
    program_close(p);
}

static void name_load(struct program *p, uint32_t id, const char *text)
{
    assert_ok(program_name_load(p, NAME_EVENT, id, str_of(text)));
}

/* As yesterday's program stored them: it had no names from 16 on of its own. */
static struct program *older(void)
{
    struct program *p = open_();
    for (uint16_t i = 0; i < RUN_OWN_NAMES; i++)
        assert_ok(program_name_load(p, NAME_EVENT, i, dict_text(p->names[NAME_EVENT], i)));
    name_load(p, 16, "Visit");
    name_load(p, 17, "Score Crossed");
    name_load(p, 18, "Order");
    return p;
}

TEST(program, a_name_that_was_one_of_many_yesterday_and_is_dults_now_is_found_by_rows_of_both)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct out                         out = { .arena = arena };
    struct retention                   kept;
    struct program                    *p = older();
    assert_int_equal(dict_find(p->names[NAME_EVENT], STR("Visit")), own_of_store(16));
    assert_int_equal(dict_find(p->names[NAME_EVENT], STR("Order")), own_of_store(18));
    assert_int_equal(dict_find(p->names[NAME_EVENT], EVENT_SCORE_CROSSED), OWN_SCORE_CROSSED);
    assert_str(program_name(p, NAME_EVENT, own_of_store(17)), "Score Crossed");
    assert_true(program_name_is_older(p, own_of_store(17)));
    assert_false(program_name_is_older(p, own_of_store(18)));
    assert_false(program_name_is_older(p, OWN_SCORE_CROSSED));
    for (uint32_t id = 0; id < DICT_NAMES_MAX; id++)
        assert_int_equal(own_of_store(own_to_store(id)), id);
    /* What it has since is stored behind all that it had. */
    assert_ok(program_names_out(p, &out));
    uint32_t told = 0;
    for (size_t i = 0; i < out.names_count; i++)
        told += out.names[i].kind == NAME_EVENT && out.names[i].id >= OWN_STORED_TOLD;
    assert_int_equal(told, OWN_TOLD_END - RUN_OWN_NAMES);
    struct program *again = older();
    for (size_t i = 0; i < out.names_count; i++)
        assert_ok(program_name_load(again, (enum name_kind)out.names[i].kind, out.names[i].id,
                                    out.names[i].text));
    out.names_count = 0;
    assert_ok(program_names_out(again, &out));
    assert_int_equal(out.names_count, 0);
    /* How long it is kept holds for its rows under either number. */
    assert_ok(define(p, DEFINE_RETENTION, "retention",
                     "{\"events\":\"2 years\",\"by_event\":{\"Score Crossed\":\"30 days\"}}", 1));
    assert_ok(program_retention_at(p, INT64_C(1767225600000), &kept));
    assert_true(kept.before_ms[OWN_SCORE_CROSSED] > kept.rest_ms);
    assert_true(retention_before_ms(&kept, own_of_store(17)) == kept.before_ms[OWN_SCORE_CROSSED]);
    assert_true(retention_before_ms(&kept, own_of_store(18)) == kept.rest_ms);
    retention_done(&kept);
    program_close(again);
    program_close(p);
}
