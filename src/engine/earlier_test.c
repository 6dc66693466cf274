/* What somebody did by the same link before, and what the engine keeps for those who show it. */
#include "engine/earlier.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "engine/engine_world_test.h"

static struct json text(const char *value)
{
    return (struct json){ .kind = JSON_STRING, .string = str_of(value) };
}

static void answer(struct world *w, uint32_t profile, uint64_t message, const char *question,
                   const char *said, bool machine)
{
    struct json_member members[] = {
        { STR("message"), { .kind = JSON_INT, .integer = (int64_t)message } },
        { STR("question"), text(question) },
        { STR("answer"), text(said) },
        { STR("machine"), { .kind = JSON_BOOL, .truth = machine } },
    };
    struct json object = { .kind = JSON_OBJECT, .count = 4, .members = members };
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .name = EVENT_QUESTION_ANSWERED,
                                                    .profile = profile,
                                                    .message = message,
                                                    .properties = &object }));
}

static struct earlier asked(struct world *w, uint32_t profile, uint64_t message, const char *name)
{
    struct earlier_query query = { profile, message, EVENT_QUESTION_ANSWERED, STR("question"),
                                   str_of(name) };
    struct earlier       out;
    assert_ok(engine_earlier(w->engine, &query, w->arena, &out));
    return out;
}

TEST(earlier, the_last_answer_by_one_message_counts_and_others_do_not)
{
    struct world w = engine_world_open();
    engine_world_order(&w, "ada", 1);
    uint32_t ada = engine_find(w.engine, STR("ada"));
    assert_int_equal(asked(&w, ada, 7, "nps").all, 0);
    answer(&w, ada, 7, "nps", "9", false);
    answer(&w, ada, 7, "nps", "3", false);
    answer(&w, ada, 8, "nps", "10", false);
    answer(&w, ada, 7, "other", "yes", false);
    struct earlier nps = asked(&w, ada, 7, "nps");
    assert_int_equal(nps.count, 2);
    assert_str(nps.answer, "3");
    assert_int_equal(asked(&w, ada, 9, "nps").all, 0);
    answer(&w, ada, 7, "nps", "5", true);
    nps = asked(&w, ada, 7, "nps");
    assert_int_equal(nps.count, 2);
    assert_int_equal(nps.all, 3);
    engine_world_close(&w);
}

TEST(earlier, an_answer_is_an_event_that_segments_see)
{
    struct world w = engine_world_open();
    engine_world_order(&w, "ada", 1);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "promoters",
                                  "did \"Question Answered\" where answer = \"9\""));
    assert_false(engine_world_is_in(&w, "promoters", "ada"));
    answer(&w, engine_find(w.engine, STR("ada")), 7, "nps", "9", false);
    assert_true(engine_world_is_in(&w, "promoters", "ada"));
    engine_world_close(&w);
}

TEST(earlier, a_trait_told_by_number_needs_no_id_and_nobody_has_none)
{
    struct world       w = engine_world_open();
    struct json_member member = { STR("happy"), { .kind = JSON_BOOL, .truth = true } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    struct record      told = { .kind = RECORD_IDENTIFY, .properties = &object };
    engine_world_order(&w, "ada", 1);
    told.profile = engine_find(w.engine, STR("ada"));
    assert_int_equal(engine_world_tell(&w, told), ERR_INPUT); /* about nobody, without the flag */
    told.flags = RECORD_NUMBERED;
    assert_ok(engine_world_tell(&w, told));
    assert_true(engine_world_holds(&w, "happy = true", "ada", w.now_ms));
    told.profile = 4711;
    assert_int_equal(engine_world_tell(&w, told), ERR_ABSENT);
    engine_world_close(&w);
}

TEST(paper, a_question_has_its_newest_text_and_a_file_its_last_twenty)
{
    struct papers  papers = { 0 };
    struct problem problem = { 0 };
    for (uint32_t version = 1; version <= 25; version++) {
        assert_ok(papers_take(&papers, DEFINE_FILE, STR("guide"), STR("x"), version, &problem));
        assert_ok(papers_take(&papers, DEFINE_QUESTION, STR("guide"), STR("y"), version, &problem));
    }
    assert_int_equal(papers_find(&papers, DEFINE_FILE, STR("guide"), 0)->version, 25);
    assert_int_equal(papers_find(&papers, DEFINE_FILE, STR("guide"), 6)->version, 6);
    assert_null(papers_find(&papers, DEFINE_FILE, STR("guide"), 5));
    assert_null(papers_find(&papers, DEFINE_QUESTION, STR("guide"), 24));
    assert_ok(papers_take(&papers, DEFINE_FILE, STR("guide"), STR_NONE, 26, &problem));
    assert_null(papers_find(&papers, DEFINE_FILE, STR("guide"), 0));
    assert_int_equal(papers_take(&papers, DEFINE_FILE, STR("guide"), STR_NONE, 27, &problem),
                     ERR_ABSENT);
    assert_non_null(papers_find(&papers, DEFINE_QUESTION, STR("guide"), 0));
    papers_done(&papers);
}

TEST(paper, the_thousand_and_first_name_is_refused_and_changes_nothing)
{
    struct papers  papers = { 0 };
    struct problem problem = { 0 };
    char           name[16];
    for (int i = 0; i < PAPERS_MAX; i++) {
        snprintf(name, sizeof name, "q%d", i);
        assert_ok(papers_take(&papers, DEFINE_QUESTION, str_of(name), STR("x"), 1, &problem));
    }
    assert_int_equal(papers_take(&papers, DEFINE_QUESTION, STR("one"), STR("x"), 2, &problem),
                     ERR_LIMIT);
    assert_ok(papers_take(&papers, DEFINE_QUESTION, STR("q5"), STR("z"), 2, &problem));
    assert_int_equal(papers.count, PAPERS_MAX);
    papers_done(&papers);
}
