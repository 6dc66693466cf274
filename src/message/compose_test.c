#include "message/compose.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"

struct fixture {
    struct token_keys     *token;
    struct dkim_key       *dkim;
    const struct dkim_key *dkim_keys[1];
    struct compose_keys    keys;
    struct arena          *arena;
    struct compose_in      in;
    struct compose_out     out;
    struct problem         problem;
};

static const char ed25519_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
    "-----END PRIVATE KEY-----\n";

static struct fixture *fixture_open(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_ok(token_keys_open(&f->token, STR("0123456789abcdef0123456789abcdef"), STR_NONE));
    assert_ok(dkim_key_open(&f->dkim, str_of(ed25519_pem), STR("shop.example"), STR("s1"), NULL));
    f->dkim_keys[0] = f->dkim;
    f->keys = (struct compose_keys){ f->token, f->dkim_keys, 1 };
    f->arena = arena_open(1 << 20);
    f->out.message = buf_make(COMPOSE_BYTES_MAX);
    f->in = (struct compose_in){
        .from = { STR("Fjell & Tind"), STR("hei@shop.example") },
        .to = { STR("Ada"), STR("ada@x.example") },
        .subject = STR("Welcome"),
        .html = STR("<p>Hi <a href='https://shop.example/a?b=1&amp;c=2'>see</a></p>"),
        .who = { 70000, 123456789, STR("https://m.example") },
        .unsubscribe = true,
        .tracking = true,
        .date_ms = INT64_C(1795301148000),
        .return_domain = STR("bounce.shop.example"),
        .feedback = { STR("Welcome, all"), STR("hello"), STR("news") },
        .feedback_sender = STR("dult"),
    };
    return f;
}

static void fixture_closep(struct fixture **f)
{
    token_keys_close((*f)->token);
    dkim_key_close((*f)->dkim);
    arena_close((*f)->arena);
    buf_done(&(*f)->out.message);
    free(*f);
}

static bool says(const struct fixture *f, const char *text)
{
    struct str message = buf_view(&f->out.message);
    return str_find(message, 0, str_of(text)) < message.len;
}

static void composed(struct fixture *f)
{
    if (compose(&f->keys, &f->in, f->arena, &f->out, &f->problem) != OK)
        fail_msg("%s: %s", f->problem.where, f->problem.what);
}

TEST(compose, a_message_carries_links_pixel_text_fields_and_signature)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    composed(f);
    assert_true(
        str_starts(buf_view(&f->out.message), STR("DKIM-Signature: v=1; a=ed25519-sha256;")));
    assert_true(says(f, "\r\nList-Unsubscribe: <https://m.example/u/"));
    assert_true(says(f, "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"));
    assert_true(says(f, "\r\nFeedback-ID: Welcome__all:hello:news:dult\r\n"));
    assert_true(says(f, "Hi see (https://shop.example/a?b=1&c=2)\r\n"));
    assert_true(says(f, "https://m.example/c/"));
    assert_true(says(f, "https://m.example/o/"));
    assert_str(f->out.envelope_to, "ada@x.example");
    assert_false(f->out.has_unsubscribe_link);
}

TEST(compose, the_url_given_before_rendering_is_the_one_in_the_header)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    struct compose_urls                    urls;
    assert_ok(compose_links(&f->keys, f->in.who, f->arena, &urls, &f->problem));
    f->in.html = str_format(f->arena, "<a href=\"%.*s\">stop</a>", STR_ARG(urls.unsubscribe));
    composed(f);
    assert_true(str_eq(urls.unsubscribe, f->out.urls.unsubscribe));
    /* And an address of this message alone, for programs that know no button. */
    SCOPED(buf_donep) struct buf address = buf_make(400);
    buf_format(&address, "\r\nList-Unsubscribe: <%.*s>,\r\n <mailto:u-", STR_ARG(urls.unsubscribe));
    token_write_caseless(f->token, (struct token){ TOKEN_MESSAGE, 70000, 123456789 }, &address);
    buf_str(&address, STR("@bounce.shop.example?subject=unsubscribe>\r\n"));
    assert_true(says(f, str_copy(f->arena, buf_view(&address)).ptr));
    assert_true(f->out.has_unsubscribe_link);
    assert_false(says(f, "/c/")); /* our own link is not tracked */

    struct token token;
    struct str   text =
        str_slice(urls.unsubscribe, strlen("https://m.example/u/"), urls.unsubscribe.len);
    assert_ok(token_read(f->token, TOKEN_UNSUBSCRIBE, text, STR_NONE, &token));
    assert_int_equal(token.profile, 70000);
}

TEST(compose, a_bounce_names_its_message_and_no_other)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    struct token                           token;
    composed(f);
    assert_true(str_ends(f->out.envelope_from, STR("@bounce.shop.example")));
    char upper[512];
    str_to_cstr(f->out.envelope_from, upper, sizeof upper);
    for (char *c = upper; *c != '\0'; c++)
        *c = *c >= 'a' && *c <= 'z' ? (char)(*c - 32) : *c;
    assert_ok(compose_return_path_read(f->token, str_of(upper), &token));
    assert_int_equal(token.message, 123456789);
    upper[5] = upper[5] == 'A' ? 'B' : 'A';
    assert_int_equal(compose_return_path_read(f->token, str_of(upper), &token), ERR_DENIED);
    assert_int_equal(compose_return_path_read(f->token, STR("hei@shop.example"), &token),
                     ERR_DENIED);

    struct str id = str_format(f->arena, " <%.*s>", STR_ARG(f->out.message_id));
    assert_ok(compose_message_id_read(f->token, id, &token));
    assert_int_equal(token.profile, 70000);
    f->in.message_id = STR("kept@shop.example");
    composed(f);
    assert_true(says(f, "\r\nMessage-ID: <kept@shop.example>\r\n"));
    assert_int_equal(compose_message_id_read(f->token, f->out.message_id, &token), ERR_DENIED);
}

TEST(compose, a_transactional_message_without_tracking_is_left_as_written)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    f->in.unsubscribe = f->in.tracking = false;
    f->in.who.public_url = STR_NONE;
    f->in.return_domain = STR_NONE;
    f->keys.dkim_count = 0;
    f->in.html = STR("<p><a href=https://x.example/>Your receipt</a>");
    f->in.text = STR("Your receipt: https://x.example/");
    composed(f);
    assert_true(says(f, "\r\n\r\n<p><a href=https://x.example/>Your receipt</a>\r\n"));
    assert_true(says(f, "\r\n\r\nYour receipt: https://x.example/\r\n"));
    assert_false(says(f, "List-Unsubscribe"));
    assert_false(says(f, "DKIM"));
    assert_str(f->out.envelope_from, "hei@shop.example");
    assert_int_equal(f->out.urls.view.len, 0);
    f->in.who.public_url = STR("https://m.example"); /* a view link alone is no way out */
    composed(f);
    assert_false(says(f, "List-Unsubscribe"));
    assert_true(f->out.urls.view.len > 0);
}

TEST(compose, a_problem_names_the_field_and_leaves_the_result_alone)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    f->in.subject = STR("x\r\nBcc: y@z.example");
    assert_int_equal(compose(&f->keys, &f->in, f->arena, &f->out, &f->problem), ERR_INPUT);
    assert_string_equal(f->problem.where, "subject");
    assert_null(f->out.message_id.ptr);
    f->in.subject = STR("x");
    f->in.who.public_url = STR_NONE;
    assert_int_equal(compose(&f->keys, &f->in, f->arena, &f->out, &f->problem), ERR_INPUT);
    assert_string_equal(f->problem.where, "public_url");
}

struct racer {
    struct fixture *f;
    struct str      expected;
    bool            same;
};

static void *race(void *with)
{
    struct racer                      *racer = with;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct compose_out                 out = { .message = buf_make(COMPOSE_BYTES_MAX) };
    racer->same = arena != NULL;
    for (int i = 0; i < 50 && racer->same; i++) {
        arena_reset(arena);
        racer->same = compose(&racer->f->keys, &racer->f->in, arena, &out, NULL) == OK &&
                      str_eq(buf_view(&out.message), racer->expected);
    }
    buf_done(&out.message);
    return NULL;
}

TEST(compose, threads_that_share_the_keys_give_the_same_bytes)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    pthread_t                              threads[4];
    struct racer                           racers[4];
    composed(f);
    for (int i = 0; i < 4; i++) {
        racers[i] = (struct racer){ f, buf_view(&f->out.message), false };
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(racers[i].same);
    }
}
