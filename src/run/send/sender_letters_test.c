/* A letter on paper is laid out once for a way, whether it can be printed or not. */
#include <stdlib.h>

#include "base/test.h"
#include "run/send/sender_inside.h"

struct scene {
    struct arena    *arena;
    struct provider *provider;
    struct way_conf  conf;
    struct way      *ways[2];
    struct job      *job;
    struct sender   *sender;
    struct problem   problem;
};

static void scene_open(struct scene *s)
{
    struct json_member members[] = {
        { STR("organisation"), { .kind = JSON_STRING, .string = STR("o") } },
        { STR("client_id"), { .kind = JSON_STRING, .string = STR("c") } },
        { STR("client_secret"), { .kind = JSON_STRING, .string = STR("s") } },
    };
    struct json given = { .kind = JSON_OBJECT, .count = 3, .members = members };
    *s = (struct scene){ .arena = arena_open(32 << 20),
                         .job = calloc(1, sizeof *s->job),
                         .sender = calloc(1, sizeof *s->sender) };
    struct json *person = ARENA_NEW(s->arena, struct json);
    assert_ok(provider_parse(&s->provider, provider_builtin(STR("pingen")), "p", &s->problem));
    assert_ok(
        provider_settings_fill(s->provider, s->arena, &given, &s->conf.settings, "p", &s->problem));
    s->conf.provider = s->provider;
    for (int i = 0; i < 2; i++) {
        s->ways[i] = calloc(1, sizeof *s->ways[i]);
        s->ways[i]->conf = &s->conf;
        s->ways[i]->sender = s->sender;
    }
    assert_ok(json_parse_once(s->arena,
                              STR("{\"name\":\"Ada\",\"address\":{\"street\":\"Storgata 1\","
                                  "\"city\":\"Bergen\",\"postal_code\":\"5003\"}}"),
                              person, NULL));
    s->job->arena = s->arena;
    s->job->claim.channel = CHANNEL_POST;
    s->job->claim.address = STR("Storgata 1, 5003 Bergen, NO");
    s->job->rendered.person = person;
    s->job->rendered.back = STR("");
}

static void scene_close(struct scene *s)
{
    provider_close(s->provider);
    for (int i = 0; i < 2; i++)
        free(s->ways[i]);
    free(s->job);
    free(s->sender);
    arena_close(s->arena);
}

TEST(sender_letters, what_cannot_be_printed_is_laid_out_once_for_a_way)
{
    struct scene s;
    scene_open(&s);
    s.job->rendered.html = STR("<p>\xF0\x93\x80\x80</p>"); /* a hieroglyph */
    assert_true(sender_letter_is_to_print(s.ways[0], s.job));
    for (int again = 0; again < 2; again++) {
        s.problem.what[0] = '\0';
        assert_int_equal(sender_letter_print(s.ways[0], s.job, &s.problem), ERR_INPUT);
        assert_string_equal(s.problem.what, "no font that is installed has all of its letters");
        assert_false(sender_letter_is_to_print(s.ways[0], s.job));
        s.job->rendered.html = STR("<p>Hei</p>"); /* it could be now, and nobody looks */
    }
    assert_true(sender_letter_is_to_print(s.ways[1], s.job));
    assert_ok(sender_letter_print(s.ways[1], s.job, &s.problem));
    assert_true(str_starts(s.job->paper.pdf, STR("%PDF-")));
    assert_ok(sender_letter_print(s.ways[1], s.job, &s.problem));
    scene_close(&s);
}
