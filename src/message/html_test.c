#include "message/html.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/test.h"
#include "message/html_entity.h"
#include "message/html_twin_test.h"

/* The tree as one line: elements as name(...), texts in quotes. */
static void tree_write(const struct html *html, uint32_t at, struct buf *out)
{
    const struct html_node *nodes = html_nodes(html);
    if (nodes[at].kind == HTML_TEXT) {
        buf_char(out, '"');
        buf_str(out, nodes[at].text);
        buf_char(out, '"');
        return;
    }
    if (at > 0) {
        buf_str(out, nodes[at].text);
        buf_char(out, '(');
    }
    for (uint32_t child = at + 1; child < nodes[at].end; child = nodes[child].end)
        tree_write(html, child, out);
    if (at > 0)
        buf_char(out, ')');
}

static void check_tree(const char *from, const char *expected)
{
    SCOPED(html_closep) struct html *html = NULL;
    SCOPED(buf_donep) struct buf     out = buf_make(1 << 20);
    assert_ok(html_parse(&html, str_of(from), NULL));
    tree_write(html, 0, &out);
    assert_ok(buf_err(&out));
    assert_str(buf_view(&out), expected);
}

TEST(html, elements_end_where_the_standard_says)
{
    check_tree("<ul><li>a<li>b<ul><li>c</ul></ul>", "ul(li(\"a\")li(\"b\"ul(li(\"c\"))))");
    check_tree("<p>a<p>b<div>c</div>d</p>", "p(\"a\")p(\"b\")div(\"c\")\"d\"p()");
    check_tree("<table><td>a<td>b<tr><td>c</table>d",
               "table(tr(td(\"a\")td(\"b\"))tr(td(\"c\")))\"d\"");
    check_tree("<a href=x>a<a href=y>b</a></a>c", "a(\"a\")a(\"b\")\"c\"");
    check_tree("<td>a</td><b>b</i>c</b>", "\"a\"b(\"b\"\"c\")");
    check_tree("<head><title>a<b></title><p>c", "head(title(\"a<b>\"))p(\"c\")");
    check_tree("<div><span>a</div>b</span>", "div(span(\"a\"))\"b\"");
    check_tree("<h1>a<h2>b</h1>c", "h1(\"a\")h2(\"b\")\"c\"");
    check_tree("<form>a<form>b</form>c", "form(\"a\"\"b\")\"c\"");
    check_tree("<svg><path d=x /><g>a</g></svg>b", "svg(path()g(\"a\"))\"b\"");
}

TEST(html, what_style_and_script_hold_is_no_tag)
{
    check_tree("<style>a > b { x: '</p>' }</style>c", "style(\"a > b { x: '</p>' }\")\"c\"");
    check_tree("<script>if (a<b) '<!-- <script> </script> '</script>c",
               "script(\"if (a<b) '<!-- <script> </script> '\")\"c\"");
    check_tree("<textarea>&lt;<p></TEXTAREA >b", "textarea(\"<<p>\")\"b\"");
    check_tree("a<!-- <b> --!>b<!-->c<?xml d>e</ f>g<![CDATA[h]]>i<!doctype j>k",
               "\"a\"\"b\"\"c\"\"e\"\"g\"\"i\"\"k\"");
}

TEST(html, an_attribute_has_the_place_of_its_value_with_quotes)
{
    struct str                       text = STR("<a x HREF = 'u&amp;v' href=w y=\"\" =z=1 q=/>");
    SCOPED(html_closep) struct html *html = NULL;
    assert_ok(html_parse(&html, text, NULL));
    const struct html_node      *a = &html_nodes(html)[1];
    const struct html_attribute *href = html_attribute(html, a, STR("href"));
    assert_non_null(href);
    assert_str(href->value, "u&v");
    assert_str(str_slice(text, href->from, href->from + href->bytes), "'u&amp;v'");
    assert_int_equal(a->attributes_count, 5);
    assert_int_equal(html_attribute(html, a, STR("x"))->bytes, 0);
    assert_str(html_value(html, a, STR("=z")), "1");
    assert_str(html_value(html, a, STR("q")), "/");
    assert_null(html_attribute(html, a, STR("w")));
    assert_false(a->is_self_closing);
}

TEST(html, references_are_read_as_browsers_read_them)
{
    static const struct {
        const char *raw, *text, *attribute;
    } cases[] = {
        { "&amp;&lt;&#65;&#x41;&#X41", "&<AAA", "&<AAA" },
        { "&copy=1&copy2&copy",
          "\xC2\xA9=1\xC2\xA9"
          "2\xC2\xA9",
          "&copy=1&copy2\xC2\xA9" },
        { "&notit;&notin;&notin", "\xC2\xACit;\xE2\x88\x89\xC2\xACin",
          "&notit;\xE2\x88\x89&notin" },
        { "&#128;&#0;&#xD800;&#1114112;", "\xE2\x82\xAC\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD",
          "\xE2\x82\xAC\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD" },
        { "&nGt;&nosuch;&&#;&#x;&", "\xE2\x89\xAB\xE2\x83\x92&nosuch;&&#;&#x;&",
          "\xE2\x89\xAB\xE2\x83\x92&nosuch;&&#;&#x;&" },
        { "a\r\nb\rc", "a\nb\nc", "a\nb\nc" },
        { "&CounterClockwiseContourIntegral;", "\xE2\x88\xB3", "\xE2\x88\xB3" },
        { "&CounterClockwiseContourIntegrals;", "&CounterClockwiseContourIntegrals;",
          "&CounterClockwiseContourIntegrals;" },
    };
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 16);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str raw = str_of(cases[i].raw);
        assert_str(html_decode(arena, raw, HTML_DECODE_TEXT), cases[i].text);
        assert_str(html_decode(arena, raw, HTML_DECODE_ATTRIBUTE), cases[i].attribute);
    }
    assert_str(html_decode(arena, STR("a\0b"), HTML_DECODE_TEXT), "ab");
    assert_str(html_decode(arena, STR("a\0b"), HTML_DECODE_RAW), "a\xEF\xBF\xBD"
                                                                 "b");
}

TEST(html, every_tag_is_found_by_its_name)
{
    for (int tag = HTML_OTHER + 1; tag < HTML_TAGS; tag++)
        assert_int_equal(html_tag_find(html_tag_name((enum html_tag)tag)), tag);
    assert_int_equal(html_tag_find(STR("BlockQuote")), HTML_BLOCKQUOTE);
    static const char *const none[] = { "", "v:rect", "{x", "@", "aa", "z", "zz", "1" };
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++)
        assert_int_equal(html_tag_find(str_of(none[i])), HTML_OTHER);
}

TEST(html, html_that_would_exhaust_a_reader_is_refused_with_the_remedy)
{
    SCOPED(buf_donep) struct buf text = buf_make(4 << 20);
    struct html                 *html = NULL;
    struct problem               problem = { .what = "" };
    for (int i = 0; i < HTML_DEPTH_MAX; i++)
        buf_str(&text, STR("<div>"));
    assert_ok(html_parse(&html, buf_view(&text), &problem));
    html_close(html);
    html = NULL;
    buf_str(&text, STR("<div>"));
    assert_int_equal(html_parse(&html, buf_view(&text), &problem), ERR_LIMIT);
    assert_true(problem.remedy[0] != '\0');

    buf_reset(&text);
    buf_str(&text, STR("<p"));
    for (int i = 0; i < HTML_ATTRIBUTES_MAX + 1; i++)
        buf_format(&text, " x%d", i);
    buf_char(&text, '>');
    assert_int_equal(html_parse(&html, buf_view(&text), &problem), ERR_LIMIT);

    buf_reset(&text);
    for (int i = 0; i < HTML_TAGS_MAX + 1; i++)
        buf_str(&text, STR("<i"));
    assert_int_equal(html_parse(&html, buf_view(&text), &problem), ERR_LIMIT);
    assert_null(html);
}

/* --- beside gumbo ------------------------------------------------------------------------- */

TEST(html, nasty_html_reads_as_gumbo_reads_it)
{
    static const char *const nasties[] = {
        "",
        "<",
        "<a",
        "<a href",
        "<a href='https://x.example",
        "<a href=\"https://x.example\"y=1>a</a>",
        "<a href = https://x.example/?a=1&amp;b&copy=2&reg;=3 >a</a>",
        "<a\thref\n=\r\n'https://x.example/\r\n a'>a</a>",
        "<A HREF=https://x.example/>a</A/><AREA/HREF=b//>",
        "<a href=x href=y hREF=z>a</a>",
        "<a x x href=y>a</a><p x=y y=z x=q style=display:none>b</p>",
        "<a href=`x y` title='a>b' =href=y>c</a>",
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" "
        "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n<html xmlns=x>\n<head>\n"
        "<meta a/><title>T &amp; <b></title><style>p>a{}</style></head>\n<body bgcolor=#fff>\n"
        "<table><tbody><tr><td><a href=x>1</a></td></tr></tbody></table></body></html>\n ",
        "<!--[if mso]><table><tr><td><![endif]--><div>a</div><!--[if mso]></td></tr><![endif]-->",
        "<![if !mso]><p>a<![endif]><!-->b<!--->c<!---->d<!--x--!>e<!--y--z-->f<!--",
        "</>a</ b>c</1>d<1>e<?php x ?>f</",
        "<script><!-- <a href=x> <script> </script> <a href=y> --></script><a href=z>",
        "<script><!--><script></script><a href=y></script>",
        "<style><!-- </style><a href=a>b</a> --></style>",
        "<textarea>\n<a href=x></textareax></textarea ><a href=y>",
        "<title><a href=x></title/><a href=y>b",
        "<xmp><b>&amp;</xmp>a<iframe><p></iframe>b<noembed><i></noembed>c<plaintext><a href=x>",
        "<p>a<table><tr><td>b</table>c</p>",
        "<!doctype html><p>a<table><tr><td>b</table>c</p>d",
        "<ul><li>a<p>b<li>c<div><li>d</div></ul><dl><dt>e<dd>f<dt>g</dl>",
        "<table><caption>a<td>b<tr><th>c<tbody><td>d<tfoot><tr><td>e<table><td>f</table>g</table>h",
        "<table><colgroup><col><col><tr><td>a<col><td>b</table>",
        "<table><form><tr><td>a<td>b</table>c",
        "<form>c<form>d</form>e",
        "<tr><td>a</td></tr><caption>b</caption><col>c",
        "<h1>a<h2>b</h3>c<h4><p>d</h4>e",
        "<button>a<p>b<button>c</p></button>d",
        "a</p>b</br>c<br/>d<hr>e<image alt=f>g<img alt=' h '>",
        "<pre>\n a\n\n  b</pre>c<blockquote>d<blockquote>e</blockquote>f",
        "<center><font color=red>a</center>b</font>",
        "<b>a<i>b</b>c</i>d<a href=x>e<p>f</a>g</p>h",
        "<a href=x><div>a<a href=y>b</div>c</a>d",
        "<table>a<tr>b<td>c</td>d</table>e<table><a href=x>f</a></table>",
        "<div hidden>a<p>b</div>c<span style='display:none'>d</span>e",
        "<p>a<b>b<p>c</b>d<nobr>e<nobr>f",
        "<body>a</body>b</html>c<p>d",
        "<head>a<title>b</title>c</head>d<body>e<html><body>f",
        "<head><noscript><style>a</style></noscript><meta>\n</head>\n<style>b</style><body>c",
        "<object><a href=x>a<param><b>b</object>c</a><marquee>d</marquee>e",
        "&Aacute;&aacute&Aacut;&#8203;&hearts;&zwnj;&fjlig;&NotEqualTilde;&ang;&angle;&ampx",
        "<p\fclass=a\f>b<o:p>c</o:p><v:rect href=x>d</v:rect><custom-thing>e</custom>f",
        "\xEF\xBB\xBF<p>a</p>\n<p>&#xFEFF;b",
    };
    for (size_t i = 0; i < sizeof nasties / sizeof nasties[0]; i++)
        if (!html_twin_agrees(str_of(nasties[i])))
            fail_msg("%s", nasties[i]);
}

static void file_read(const char *folder, const char *name, struct buf *out)
{
    char  path[512], piece[4096];
    FILE *file;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "rb");
    assert_non_null(file);
    buf_reset(out);
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;)
        buf_str(out, (struct str){ piece, got });
    fclose(file);
    assert_ok(buf_err(out));
}

TEST(html, the_mails_of_others_read_as_gumbo_reads_them)
{
    static const char            folder[] = DULT_SOURCE_DIR "/test/corpora/html_fuzz";
    SCOPED(buf_donep) struct buf text = buf_make(1 << 20);
    DIR                         *dir = opendir(folder);
    int                          compared = 0;
    assert_non_null(dir);
    for (struct dirent *one; (one = readdir(dir)) != NULL;) {
        SCOPED(html_closep) struct html *html = NULL;
        if (one->d_name[0] == '.')
            continue;
        file_read(folder, one->d_name, &text);
        if (!html_twin_agrees(buf_view(&text)))
            fail_msg("%s", one->d_name);
        assert_ok(html_parse(&html, buf_view(&text), NULL));
        assert_true(html_count(html) > 50);
        compared++;
    }
    closedir(dir);
    assert_true(compared >= 6);
}

TEST(html, every_name_of_a_sign_reads_as_gumbo_reads_it)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 20);
    for (char a = 'A'; a <= 'z'; a++) /* old names, alone and before other letters */
        for (char b = 'A'; b <= 'z'; b++)
            buf_format(&text, "<a href='&%c%c &%c%cacute;&%c%c=&%c%c;'>&%cgrave%c;&%c%c</a>\n", a,
                       b, a, b, a, b, a, b, a, b, a, b);
    assert_true(html_twin_agrees(buf_view(&text)));
}
