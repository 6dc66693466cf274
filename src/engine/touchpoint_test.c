/* Touchpoints: what is taken, what is refused and at which field, and that their stages stay. */
#include "engine/touchpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "engine/program.h"

static enum err define(struct program *program, enum definition_kind kind, const char *name,
                       const char *text, struct problem *problem)
{
    static uint32_t version;
    uint32_t        number;
    *problem = (struct problem){ .where = "" };
    return program_define(program, kind, str_of(name), str_of(text), ++version, &number, problem);
}

static const char STAGES[] = "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},"
                             "{\"name\":\"customer\",\"when\":\"did \\\"Order Completed\\\"\"}]}";

static struct program *open_(void)
{
    struct program *program = NULL;
    struct problem  problem;
    assert_ok(program_open(&program));
    assert_ok(define(program, DEFINE_STAGES, "stages", STAGES, &problem));
    return program;
}

TEST(touchpoint, says_its_stage_its_events_and_how_it_should_feel)
{
    struct arena     *arena = arena_open(1 << 20);
    struct touchpoint t;
    struct problem    problem;
    assert_ok(touchpoint_parse(arena,
                               STR("{\"title\":\"The checkout\",\"stage\":\"customer\","
                                   "\"source\":\"shop\",\"events\":[\"Order Completed\","
                                   "{\"event\":\"Cart\",\"where\":\"total > 5\"},"
                                   "\"opened message \\\"hello\\\"\"],"
                                   "\"feeling\":\"safe\",\"note\":\"No account.\"}"),
                               &t, &problem));
    assert_str(t.title, "The checkout");
    assert_str(t.stage, "customer");
    assert_str(t.source, "shop");
    assert_str(t.feeling, "safe");
    assert_str(t.note, "No account.");
    assert_int_equal(t.events_count, 3);
    struct buf text = buf_make(1000);
    segment_write(&text, t.events[1]);
    assert_str(buf_view(&text), "did \"Cart\" where total > 5");
    buf_done(&text);
    arena_close(arena);
}

TEST(touchpoint, a_wrong_one_is_refused_at_its_field_and_changes_nothing)
{
    static const struct {
        const char *text, *where;
        enum err    err;
    } rows[] = {
        { "[]", "body", ERR_INPUT },
        { "{\"stage\":\"customer\",\"event\":\"X\"}", "body", ERR_INPUT },
        { "{\"title\":\"x\"}", "stage", ERR_INPUT },
        { "{\"stage\":7}", "stage", ERR_INPUT },
        { "{\"stage\":\"nobody\"}", "stage", ERR_ABSENT },
        { "{\"stage\":\"customer\",\"events\":\"X\"}", "events", ERR_INPUT },
        { "{\"stage\":\"customer\",\"events\":[\"X\",\"\"]}", "events[1]", ERR_INPUT },
        { "{\"stage\":\"customer\",\"events\":[\"did \\\"X\\\" at least 2 times\"]}", "events[0]",
          ERR_INPUT },
        { "{\"stage\":\"customer\",\"events\":[\"did \\\"X\\\" in the last 2 days\"]}", "events[0]",
          ERR_INPUT },
        { "{\"stage\":\"customer\",\"events\":[{\"event\":\"X\",\"where\":\"n >\"}]}", "where ",
          ERR_INPUT },
    };
    struct program *p = open_();
    struct problem  problem;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (define(p, DEFINE_TOUCHPOINT, "t", rows[i].text, &problem) != rows[i].err ||
            strncmp(problem.where, rows[i].where, strlen(rows[i].where)) != 0)
            fail_msg("%s: %s: %s", rows[i].text, problem.where, problem.what);
        assert_true(problem.remedy[0] != '\0');
        assert_int_equal(p->papers.count, 0);
    }
    assert_int_equal(define(p, DEFINE_TOUCHPOINT, "t", "", &problem), ERR_ABSENT);
    program_close(p);
}

TEST(touchpoint, lengths_and_numbers_are_bounded)
{
    struct program *p = open_();
    struct problem  problem;
    char            text[2000] = "{\"stage\":\"customer\",\"title\":\"", name[16];
    memset(text + strlen(text), 'x', TOUCHPOINT_TITLE_BYTES_MAX + 1);
    snprintf(text + strlen(text), 8, "\"}");
    assert_int_equal(define(p, DEFINE_TOUCHPOINT, "t", text, &problem), ERR_LIMIT);
    assert_string_equal(problem.where, "title");
    static char blanks[PAPER_TEXT_BYTES_MAX + 100] = "{\"stage\":\"customer\"}";
    memset(blanks + strlen(blanks), ' ', sizeof blanks - 1 - strlen(blanks));
    assert_int_equal(program_check(p, DEFINE_TOUCHPOINT, STR("t"), str_of(blanks), &problem),
                     ERR_LIMIT);
    snprintf(text, sizeof text, "{\"stage\":\"customer\",\"events\":[\"e\"");
    for (int i = 0; i < TOUCHPOINT_EVENTS_MAX; i++)
        snprintf(text + strlen(text), 8, ",\"e\"");
    snprintf(text + strlen(text), 8, "]}");
    assert_int_equal(define(p, DEFINE_TOUCHPOINT, "t", text, &problem), ERR_LIMIT);
    assert_string_equal(problem.where, "events");
    for (int i = 0; i < TOUCHPOINTS_MAX; i++) {
        snprintf(name, sizeof name, "t%d", i);
        assert_ok(define(p, DEFINE_TOUCHPOINT, name, "{\"stage\":\"customer\"}", &problem));
    }
    assert_int_equal(define(p, DEFINE_TOUCHPOINT, "more", "{\"stage\":\"customer\"}", &problem),
                     ERR_LIMIT);
    assert_ok(define(p, DEFINE_TOUCHPOINT, "t7", "{\"stage\":\"visitor\"}", &problem));
    assert_ok(define(p, DEFINE_TOUCHPOINT, "t7", "", &problem));
    assert_ok(define(p, DEFINE_TOUCHPOINT, "more", "{\"stage\":\"customer\"}", &problem));
    program_close(p);
}

/* So that one `dult apply`, which sets stages first, can rename both. */
TEST(touchpoint, a_stage_may_go_from_under_one_and_no_new_one_is_put_there)
{
    static const char fewer[] = "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"}]}";
    static const char there[] = "{\"stage\":\"customer\",\"events\":[\"Order Completed\"]}";
    struct program   *p = open_();
    struct problem    problem;
    assert_ok(define(p, DEFINE_TOUCHPOINT, "checkout", there, &problem));
    assert_ok(define(p, DEFINE_STAGES, "stages", fewer, &problem));
    assert_int_equal(p->stages.count, 1);
    assert_int_equal(define(p, DEFINE_TOUCHPOINT, "till", there, &problem), ERR_ABSENT);
    assert_ok(define(p, DEFINE_TOUCHPOINT, "checkout", "{\"stage\":\"visitor\"}", &problem));
    assert_ok(define(p, DEFINE_STAGES, "stages", "", &problem));
    program_close(p);
}
