/* The steps before a message, by a clock that the test owns. */
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "run/send/sender_inside.h"

struct scene {
    struct provider *provider;
    struct way_conf  conf;
    struct way      *way;
    struct job      *job;
    struct problem   problem;
};

static void scene_open(struct scene *s)
{
    *s = (struct scene){ .way = calloc(1, sizeof *s->way), .job = calloc(1, sizeof *s->job) };
    assert_ok(provider_parse(
        &s->provider,
        STR("{\"provider\":\"p\",\"request\":{\"url\":\"u\"},\"steps\":[{\"name\":\"one\","
            "\"request\":{\"url\":\"u\"},\"needs\":\"place\"},{\"name\":\"two\",\"request\":{"
            "\"url\":\"u\"}}]}"),
        "p", &s->problem));
    s->conf.provider = s->provider;
    s->way->conf = &s->conf;
    s->job->arena = arena_open(1 << 20);
}

static void scene_close(struct scene *s)
{
    arena_close(s->job->arena);
    provider_close(s->provider);
    free(s->way);
    free(s->job);
}

/* The next step is that one, NULL being the message. */
static void next_is(struct scene *s, int64_t now_ms, const char *name)
{
    const struct provider *step;
    assert_ok(steps_next(s->way, s->job, now_ms, &step, &s->problem));
    assert_int_equal(step == NULL, name == NULL);
    if (step != NULL)
        assert_true(str_eq(provider_title(step), str_of(name)));
    s->job->checking = step;
}

static bool answers(struct scene *s, const char *body, struct delivery_outcome *out)
{
    struct fetch_response response = { .err = OK, .status = 200, .body = str_of(body) };
    return steps_answered(s->job, &response, out);
}

TEST(sender_steps, they_are_asked_in_order_and_anew_when_their_answers_are_too_old)
{
    struct scene            s;
    struct delivery_outcome out;
    scene_open(&s);
    next_is(&s, 1000, "one");
    assert_true(answers(&s, "{\"place\":\"x\"}", &out));
    next_is(&s, 2000, "two");
    assert_true(answers(&s, "", &out));
    next_is(&s, 3000, NULL);
    next_is(&s, 1000 + STEPS_GOOD_MS - 1, NULL);
    next_is(&s, 1000 + STEPS_GOOD_MS, "one");
    scene_close(&s);
}

TEST(sender_steps, a_try_begins_them_twice_and_no_more)
{
    struct scene            s;
    struct delivery_outcome out;
    const struct provider  *step;
    scene_open(&s);
    for (int round = 0; round < STEPS_ROUNDS_MAX; round++) {
        next_is(&s, round * STEPS_GOOD_MS, "one");
        assert_true(answers(&s, "{\"place\":\"x\"}", &out));
    }
    assert_int_equal(steps_next(s.way, s.job, STEPS_ROUNDS_MAX * STEPS_GOOD_MS, &step, &s.problem),
                     ERR_IO);
    assert_non_null(strstr(s.problem.what, "took more than 5 minutes"));
    next_is(&s, STEPS_ROUNDS_MAX * STEPS_GOOD_MS, "one"); /* the next try has its own */
    scene_close(&s);
}

TEST(sender_steps, an_answer_without_what_is_needed_is_trouble_of_theirs)
{
    struct scene            s;
    struct delivery_outcome out;
    scene_open(&s);
    next_is(&s, 1000, "one");
    assert_false(answers(&s, "{}", &out));
    assert_int_equal(out.result, DELIVERY_DEFERRED);
    assert_int_equal(out.blame, BLAME_CONNECTION);
    assert_string_equal(out.text, "one before: its answer has no place");
    scene_close(&s);
}
