/* Questions as they are defined: what is right, what is wrong, and what somebody reads. */
#include "run/send/question.h"

#include <string.h>

#include "base/test.h"
#include "message/links.h"
#include "run/send/file_def.h"

#define TEXTS "\"texts\":{\"en\":{\"question\":\"Q\"},\"nb\":{\"question\":\"S\"}}"

static enum err parse(struct arena *arena, const char *text, struct question *out,
                      struct problem *problem)
{
    *problem = (struct problem){ .where = "" };
    return question_parse(arena, STR("q"), str_of(text), out, problem);
}

TEST(question, each_kind_has_its_answers_and_scores)
{
    static const struct {
        const char *text, *first, *last;
        uint32_t    count;
        int64_t     least, most;
    } cases[] = {
        { "{\"kind\":\"yes_no\"," TEXTS "}", "yes", "no", 2, 1, 0 },
        { "{\"kind\":\"stars\"," TEXTS "}", "1", "5", 5, 1, 5 },
        { "{\"kind\":\"nps\"," TEXTS "}", "0", "10", 11, 0, 10 },
    };
    struct arena   *arena = arena_open(1 << 20);
    struct question question;
    struct problem  problem;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ok(parse(arena, cases[i].text, &question, &problem));
        assert_int_equal(question.answers_count, cases[i].count);
        assert_str(question.answers[0].id, cases[i].first);
        assert_str(question.answers[question.answers_count - 1].id, cases[i].last);
        assert_int_equal(question.answers[0].score, cases[i].least);
        assert_int_equal(question.answers[question.answers_count - 1].score, cases[i].most);
        assert_int_equal(question.days, 60);
        assert_true(question.may_change);
        assert_false(question.asks_comment);
    }
    assert_ok(
        parse(arena,
              "{\"kind\":\"choice\",\"choices\":[{\"id\":\"a\"},{\"id\":\"b\",\"score\":-3}],"
              "\"texts\":{\"en\":{\"question\":\"Q\",\"answers\":{\"a\":\"A\",\"b\":\"B\"}}}}",
              &question, &problem));
    assert_false(question.answers[0].has_score);
    assert_int_equal(question.answers[1].score, -3);
    arena_close(arena);
}

TEST(question, what_is_wrong_is_refused_with_its_place)
{
    static const struct {
        const char *text, *where;
    } cases[] = {
        { "[]", "" },
        { "{\"kind\":\"slider\"," TEXTS "}", "kind" },
        { "{\"kind\":\"nps\"}", "texts" },
        { "{\"kind\":\"nps\",\"texts\":{}}", "texts" },
        { "{\"kind\":\"nps\",\"texts\":{\"e\":{\"question\":\"Q\"}}}", "texts" },
        { "{\"kind\":\"nps\",\"texts\":{\"en\":{\"low\":\"Q\"}}}", "texts.en" },
        { "{\"kind\":\"nps\",\"texts\":{\"en\":{\"question\":\"Q\",\"hint\":\"x\"}}}", "texts.en" },
        { "{\"kind\":\"nps\",\"texts\":{\"en\":{\"question\":\"Q\",\"answers\":{\"11\":\"x\"}}}}",
          "texts.en" },
        { "{\"kind\":\"nps\",\"day\":3," TEXTS "}", "" },
        { "{\"kind\":\"nps\",\"days\":0," TEXTS "}", "days" },
        { "{\"kind\":\"nps\",\"days\":401," TEXTS "}", "days" },
        { "{\"kind\":\"nps\",\"change\":1," TEXTS "}", "change" },
        { "{\"kind\":\"nps\",\"choices\":[]," TEXTS "}", "choices" },
        { "{\"kind\":\"choice\"," TEXTS "}", "choices" },
        { "{\"kind\":\"choice\",\"choices\":[{\"id\":\"a\"},{\"id\":\"a\"}]," TEXTS "}",
          "choices" },
        { "{\"kind\":\"choice\",\"choices\":[{\"id\":\"a b\"},{\"id\":\"c\"}]," TEXTS "}",
          "choices" },
        { "{\"kind\":\"choice\",\"choices\":[{\"id\":\"a\"},{\"id\":\"b\"}]," TEXTS "}",
          "texts.en" },
        { "{\"kind\":\"nps\",\"then\":{}," TEXTS "}", "then" },
        { "{\"kind\":\"nps\",\"then\":[{\"answers\":[11]}]," TEXTS "}", "then[0]" },
        { "{\"kind\":\"nps\",\"then\":[{},{\"redirect\":\"http://a.example\"}]," TEXTS "}",
          "then[1]" },
        { "{\"kind\":\"nps\",\"then\":[{\"redirect\":\"https://localhost/x\"}]," TEXTS "}",
          "then[0]" },
        { "{\"kind\":\"nps\",\"then\":[{\"redirect\":\"https://a@b.example\"}]," TEXTS "}",
          "then[0]" },
        { "{\"kind\":\"nps\",\"then\":[{\"redirect\":\"https://b.example/\\u000d\\u000aX: "
          "y\"}]," TEXTS "}",
          "then[0]" },
        { "{\"kind\":\"nps\",\"then\":[{\"trait\":{\"name\":\"$x\"}}]," TEXTS "}", "then[0]" },
        { "{\"kind\":\"nps\",\"then\":[{\"trait\":{\"name\":\"x\",\"value\":[]}}]," TEXTS "}",
          "then[0]" },
        { "{\"kind\":\"nps\",\"then\":[{\"consent\":{\"state\":\"granted\"}}]," TEXTS "}",
          "then[0]" },
        { "{\"kind\":\"nps\",\"then\":[{\"consent\":{\"topic\":\"n\",\"state\":\"pending\"}}]"
          "," TEXTS "}",
          "then[0]" },
        { "{\"kind\":\"nps\",\"then\":[{\"thanks\":{\"en\":1}}]," TEXTS "}", "then[0]" },
    };
    struct arena   *arena = arena_open(1 << 20);
    struct question question;
    struct problem  problem;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse(arena, cases[i].text, &question, &problem), ERR_INPUT);
        assert_string_equal(problem.where, cases[i].where);
        assert_true(problem.what[0] != '\0' && problem.remedy[0] != '\0');
    }
    static const char *const names[] = { "", "-a", "a.b", "a/b", "..", "a b", "\303\245" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(question_parse(arena, str_of(names[i]),
                                        STR("{\"kind\":\"nps\"," TEXTS "}"), &question, &problem),
                         ERR_INPUT);
    arena_close(arena);
}

TEST(question, a_reader_has_their_language_else_english_else_the_first)
{
    struct arena   *arena = arena_open(1 << 20);
    struct question question;
    struct problem  problem;
    struct str      norwegian = STR("no-NO"), finnish = STR("fi");
    assert_ok(parse(arena, "{\"kind\":\"yes_no\"," TEXTS "}", &question, &problem));
    struct question_words words = question_words(&question, &norwegian, 1);
    assert_str(words.question, "S");
    assert_str(question_answer_text(&question, &words, 1), "Nei");
    words = question_words(&question, &finnish, 1);
    assert_str(words.question, "Q");
    assert_str(question_answer_text(&question, &words, 0), "Yes");
    assert_ok(parse(arena,
                    "{\"kind\":\"yes_no\",\"texts\":{\"fi\":{\"question\":\"K\","
                    "\"answers\":{\"yes\":\"Juu\"}},\"de\":{\"question\":\"F\"}}}",
                    &question, &problem));
    words = question_words(&question, &norwegian, 1);
    assert_str(words.question, "K");
    assert_str(question_answer_text(&question, &words, 0), "Juu");
    arena_close(arena);
}

TEST(question, a_trait_becomes_what_was_answered_unless_said)
{
    struct arena   *arena = arena_open(1 << 20);
    struct question question;
    struct problem  problem;
    assert_ok(
        parse(arena,
              "{\"kind\":\"nps\",\"then\":[{\"answers\":[9,\"10\"],\"trait\":{\"name\":\"a\"}},"
              "{\"trait\":{\"name\":\"b\",\"value\":\"x\"}}]," TEXTS "}",
              &question, &problem));
    assert_int_equal(question.rules[0].answers, 1u << 9 | 1u << 10);
    assert_int_equal(question.rules[1].answers, (1u << 11) - 1);
    assert_int_equal(question_trait_value(&question, &question.rules[0], 9).integer, 9);
    assert_str(question_trait_value(&question, &question.rules[1], 9).string, "x");
    assert_ok(parse(arena,
                    "{\"kind\":\"yes_no\",\"then\":[{\"trait\":{\"name\":\"a\"}}]," TEXTS "}",
                    &question, &problem));
    assert_true(question_trait_value(&question, &question.rules[0], 0).truth);
    assert_false(question_trait_value(&question, &question.rules[0], 1).truth);
    arena_close(arena);
}

TEST(file_def, a_name_is_written_for_old_programs_and_for_new_ones)
{
    static const struct {
        const char *name, *header;
    } cases[] = {
        { "Guide.pdf", "attachment; filename=\"Guide.pdf\"" },
        { "a \"b\".pdf", "attachment; filename=\"a _b_.pdf\"; filename*=UTF-8''a%20%22b%22.pdf" },
        { "\303\205l.pdf", "attachment; filename=\"_l.pdf\"; filename*=UTF-8''%C3%85l.pdf" },
        { "100%.pdf", "attachment; filename=\"100_.pdf\"; filename*=UTF-8''100%25.pdf" },
        { "a;b.pdf", "attachment; filename=\"a;b.pdf\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SCOPED(buf_donep) struct buf out = buf_make(1024);
        file_disposition_write(str_of(cases[i].name), &out);
        assert_str(buf_view(&out), cases[i].header);
    }
}

TEST(file_def, a_path_or_a_control_character_is_no_name_and_what_ends_a_header_no_type)
{
    static const char *const names[] = { "",     ".",     "..", ".x", "a/b", "a\\b",
                                         "a\nb", "a\x7f", " a", "a ", "\xff" };
    static const char *const types[] = { "",      "pdf",         "a/",        "/b",
                                         "a b/c", "a/b\r\nX: y", "a/b; \x01", "a/b/c" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_int_equal(file_name_check(str_of(names[i]), NULL), ERR_INPUT);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(file_type_check(str_of(types[i]), NULL), ERR_INPUT);
    assert_ok(file_name_check(STR("Guide to \303\245.pdf"), NULL));
    assert_ok(file_type_check(STR("text/plain; charset=utf-8"), NULL));
    assert_str(file_type_of(STR("A.PDF")), "application/pdf");
    assert_str(file_type_of(STR("pdf")), "application/octet-stream");
}

TEST(file_def, what_was_written_reads_back_the_same)
{
    struct arena   *arena = arena_open(1 << 20);
    struct buf      out = buf_make(1024), again = buf_make(1024);
    struct file_def def = { STR("G\"\303\245.pdf"),
                            STR("application/pdf"),
                            STR("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
                            81234,
                            30,
                            2 };
    struct file_def read;
    file_def_write(&def, &out);
    assert_ok(file_def_parse(arena, buf_view(&out), &read, NULL));
    file_def_write(&read, &again);
    assert_true(str_eq(buf_view(&out), buf_view(&again)));
    def.sha256 = STR("../../../../etc/passwd");
    buf_reset(&out);
    file_def_write(&def, &out);
    assert_int_equal(file_def_parse(arena, buf_view(&out), &read, NULL), ERR_INPUT);
    buf_done(&out);
    buf_done(&again);
    arena_close(arena);
}
