#include "message/links.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/test.h"

struct fixture {
    struct token_keys *keys;
    struct arena      *arena;
    struct buf         out;
    struct links_conf  conf;
};

static struct fixture *fixture_open(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    assert_ok(token_keys_open(&f->keys, STR("0123456789abcdef0123456789abcdef"), STR_NONE));
    f->arena = arena_open(1 << 20);
    f->out = buf_make(1 << 20);
    f->conf = (struct links_conf){ f->keys, STR("https://m.example"), 70000, 123456789 };
    return f;
}

static void fixture_closep(struct fixture **f)
{
    token_keys_close((*f)->keys);
    arena_close((*f)->arena);
    buf_done(&(*f)->out);
    free(*f);
}

/* Tracks and checks that taking the splices out gives the original; returns how many there are. */
static size_t track(struct fixture *f, const char *text)
{
    SCOPED(html_closep) struct html *html = NULL;
    SCOPED(buf_donep) struct buf     back = buf_make(1 << 20);
    struct links_splices             splices;
    struct str                       original = str_of(text);
    assert_ok(html_parse(&html, original, NULL));
    buf_reset(&f->out);
    assert_ok(links_track(&f->conf, html, f->arena, &f->out, &splices));
    size_t at = 0;
    for (size_t i = 0; i < splices.count; i++) {
        struct links_splice s = splices.at[i];
        buf_str(&back, str_slice(buf_view(&f->out), at, s.to));
        buf_str(&back, str_slice(original, s.from, s.from + s.was));
        at = s.to + s.now;
    }
    buf_str(&back, str_slice(buf_view(&f->out), at, f->out.len));
    assert_str(buf_view(&back), text);
    return splices.count;
}

TEST(links, a_tracked_link_leads_back_to_the_url_that_was_written)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    SCOPED(buf_donep) struct buf           url = buf_make(4096);
    struct token                           token;
    assert_int_equal(track(f, "<a class=b HREF=https://shop.example/?a=1&amp;b=2>x</a>"), 2);
    struct str out = buf_view(&f->out);
    size_t     c = str_find(out, 0, STR("\"https://m.example/c/")) + 21;
    size_t     q = str_find(out, c, STR("?u="));
    size_t     end = str_find_char(out, q, '"');
    assert_true(end < out.len);
    assert_ok(percent_read(&url, str_slice(out, q + 3, end), false));
    assert_str(buf_view(&url), "https://shop.example/?a=1&b=2");
    assert_ok(links_click_read(f->keys, str_slice(out, c, q), buf_view(&url), &token));
    assert_int_equal(token.profile, 70000);
    assert_int_equal(token.message, 123456789);
}

TEST(links, only_web_links_that_are_not_ours_are_tracked)
{
    static const struct {
        const char *html;
        size_t      links;
    } cases[] = {
        { "<a href='http://x.example'>a</a>", 1 },
        { "<A\nHREF = \"HTTPS://x.example\">a</A><map><area href=https://y.example></map>", 2 },
        { "<a href=' https://x.example/\n a '>a</a>", 1 },
        { "<a href='mailto:a@x.example'>a</a><a href='tel:1'>b</a><a href='#t'>c</a>", 0 },
        { "<a href='/x'>a</a><a href='//x.example'>b</a><a href>c</a><a href=''>d</a>", 0 },
        { "<a href='javascript:x'>a</a><a href='http:x'>b</a><a href='https://'>c</a>", 0 },
        { "<a href='https://m.example/u/abc'>a</a><a href='https://m.example/v/abc'>b</a>", 0 },
        { "<a href='https://m.example/up'>a</a><a href='https://m.example.evil/u/a'>b</a>", 2 },
        { "<a href='https://x.example' data-dult-track=\"no\">a</a>", 0 },
        { "<link href='https://x.example'><img src='https://x.example'>", 0 },
        { "<!--[if mso]><a href=\"https://x.example\">a</a><![endif]-->", 0 },
        { "<a href='https://x.example'>a<p><b>x</a>y</p><a href='https://x.example' href='no'>",
          2 },
        { "<table><a href='https://x.example'>a</a><tr><td>x</table>", 1 },
        { "<a href='https://x.example", 0 },
    };
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (track(f, cases[i].html) != cases[i].links + 1)
            fail_msg("case %zu: %s\n%.*s", i, cases[i].html, STR_ARG(buf_view(&f->out)));
}

TEST(links, the_pixel_stands_before_the_end_of_the_body)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    static const struct {
        const char *html, *after;
    } cases[] = {
        { "<html><body><p>x</p></BODY></html>", "</BODY></html>" },
        { "<html><body><p>x</p></html>\n", "</html>\n" },
        { "<p>x</p>\n", "" },
        { "<p><!-- </body> --></p>", "" },
        { "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(track(f, cases[i].html), 1);
        struct str out = buf_view(&f->out);
        size_t     from = str_find(out, 0, STR("<img src=\"https://m.example/o/"));
        assert_true(from < out.len && str_find(out, from, STR(".gif\"")) < out.len);
        from = str_find_char(out, from, '>');
        assert_str(str_slice(out, from + 1, out.len), cases[i].after);
    }
}

TEST(links, a_redirect_target_fits_one_header_line)
{
    SCOPED(buf_donep) struct buf out = buf_make(8192);
    assert_true(links_target(STR(" https://x.example/a\r\n\tb c\xC3\xA6\x01\"<> \n"), &out));
    assert_str(buf_view(&out), "https://x.example/ab%20c%C3%A6%01%22%3C%3E");
    assert_false(links_target(STR("ftp://x.example/"), &out));
    char longer[LINKS_URL_BYTES_MAX + 1];
    memset(longer, 'a', sizeof longer);
    memcpy(longer, "https://", 8);
    assert_false(links_target((struct str){ longer, sizeof longer }, &out));
}

TEST(links, the_way_out_is_found_in_html_and_in_text)
{
    SCOPED(html_closep) struct html *with = NULL, *without = NULL;
    struct str                       url = STR("https://m.example");
    assert_ok(html_parse(&with, STR("<p><a href=' https://m.example/u/abc'>stop</a>"), NULL));
    assert_ok(
        html_parse(&without, STR("<a href='https://m.example/v/abc'>https://m.example/u/"), NULL));
    assert_true(links_has_unsubscribe(with, url));
    assert_false(links_has_unsubscribe(without, url));
    assert_true(links_text_has_unsubscribe(STR("stop: https://m.example/u/abc\n"), url));
    assert_false(links_text_has_unsubscribe(STR("https://m.example/u/"), url));
}

TEST(links, a_public_url_must_be_safe_in_every_link)
{
    struct problem problem;
    assert_ok(links_public_url_check(STR("http://127.0.0.1:8080"), &problem));
    assert_ok(links_public_url_check(STR("https://shop.example/dult"), &problem));
    static const char *const wrong[] = { "",
                                         "https://",
                                         "ftp://x",
                                         "https://x/",
                                         "https://x\"",
                                         "https://x?a",
                                         "https://x y",
                                         "https:///x",
                                         "https://x>" };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(links_public_url_check(str_of(wrong[i]), &problem), ERR_INPUT);
}

TEST(links, what_is_sealed_beside_a_token_cannot_be_changed_and_is_not_tracked_again)
{
    SCOPED(fixture_closep) struct fixture *f = fixture_open();
    SCOPED(buf_donep) struct buf           url = buf_make(1024);
    struct token                           token;
    links_sealed_url(&f->conf, TOKEN_QUESTION, STR("q=nps&a=9&e=1"), &url);
    struct str text = buf_view(&url);
    size_t     end = str_find_char(text, 0, '?');
    struct str written = str_slice(text, strlen("https://m.example/q/"), end);
    assert_true(str_starts(text, STR("https://m.example/q/")));
    assert_ok(token_read(f->keys, TOKEN_QUESTION, written, STR("q=nps&a=9&e=1"), &token));
    assert_int_equal(token.profile, 70000);
    assert_int_equal(token_read(f->keys, TOKEN_QUESTION, written, STR("q=nps&a=9&e=2"), &token),
                     ERR_DENIED);
    assert_int_equal(token_read(f->keys, TOKEN_FILE, written, STR("q=nps&a=9&e=1"), &token),
                     ERR_DENIED);
    assert_int_equal(token_read(f->keys, TOKEN_QUESTION, written, STR_NONE, &token), ERR_DENIED);
    char html[512];
    snprintf(html, sizeof html, "<a href=\"%.*s\">9</a>", STR_ARG(text));
    assert_int_equal(track(f, html), 1); /* the pixel alone */
}
