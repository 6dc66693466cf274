#include "message/pdf.h"

#include <glib.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/test.h"

#define LEFT                                                                                       \
    {                                                                                              \
        .x = 22, .y = 60, .width = 85.5, .height = 25.5                                            \
    }

static const struct pdf_letter LETTER = {
    .form = LEFT,
    .address = { "Ada Lovelace\nStorgata 1\n5003 Bergen\nNORWAY", 42 },
    .front = { "<p>Hei</p>", 10 },
    .back = { "", 0 },
    .at_ms = 1767312000000,
};

struct made {
    struct buf     bytes;
    uint32_t       pages;
    struct problem problem;
};

static enum err make(struct made *made, const struct pdf_letter *letter)
{
    *made = (struct made){ .bytes = buf_make(PDF_BYTES_MAX) };
    return pdf_write(letter, &made->bytes, &made->pages, &made->problem);
}

static enum err make_of(struct made *made, const char *front, const char *back)
{
    struct pdf_letter letter = LETTER;
    letter.front = str_of(front);
    letter.back = str_of(back);
    return make(made, &letter);
}

TEST(pdf, the_same_letter_is_the_same_file)
{
    struct made one, two;
    assert_ok(make(&one, &LETTER));
    assert_ok(make(&two, &LETTER));
    assert_true(str_starts(buf_view(&one.bytes), STR("%PDF-")));
    assert_true(str_eq(buf_view(&one.bytes), buf_view(&two.bytes)));
    assert_int_equal(one.pages, 1);
    buf_done(&one.bytes);
    buf_done(&two.bytes);
}

enum { THREADS = 4, LETTERS = 5 };

static void *letters_make(void *first)
{
    const struct buf *wanted = first;
    for (int i = 0; i < LETTERS; i++) {
        struct made made;
        assert_ok(make(&made, &LETTER));
        assert_true(str_eq(buf_view(&made.bytes), buf_view(wanted)));
        buf_done(&made.bytes);
    }
    return NULL;
}

TEST(pdf, threads_that_print_at_once_print_the_same)
{
    struct made made;
    pthread_t   threads[THREADS];
    assert_ok(make(&made, &LETTER));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, letters_make, &made.bytes), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    buf_done(&made.bytes);
}

TEST(pdf, the_back_begins_a_page_and_an_empty_one_is_none)
{
    struct made made;
    assert_ok(make_of(&made, "<p>a", "<p>b"));
    assert_int_equal(made.pages, 2);
    buf_done(&made.bytes);
    assert_ok(make_of(&made, "<p>a", " \n"));
    assert_int_equal(made.pages, 1);
    buf_done(&made.bytes);
}

#define NOTHING_SEEN "nothing of the front would be seen"

TEST(pdf, a_back_of_which_nothing_is_seen_is_no_page_and_such_a_front_no_letter)
{
    static const char *const nothing[] = {
        "<p></p>",
        "<img src=a.png>",
        "<!-- x -->",
        "<p>&nbsp;</p><p> &#8195;</p>",
        "<div hidden>a</div>",
        "<style>p { x: y }</style>",
        "<ul><li></ul>",
        "<br><br>",
    };
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        struct made made;
        assert_ok(make_of(&made, "<p>a", nothing[i]));
        assert_int_equal(made.pages, 1);
        buf_done(&made.bytes);
        assert_int_equal(make_of(&made, nothing[i], "<p>b"), ERR_INPUT);
        assert_string_equal(made.problem.what, NOTHING_SEEN);
        buf_done(&made.bytes);
    }
    struct made made;
    assert_ok(make_of(&made, "<hr>", "<p>&nbsp;<hr><p>a"));
    assert_int_equal(made.pages, 2);
    buf_done(&made.bytes);
}

TEST(pdf, a_file_that_has_no_room_is_told_with_its_size)
{
    struct made made = { .bytes = buf_make(1 << 20) };
    assert_ok(pdf_write(&LETTER, &made.bytes, &made.pages, &made.problem));
    size_t bytes = made.bytes.len;
    buf_done(&made.bytes);
    made.bytes = buf_make(bytes - 1);
    assert_int_equal(pdf_write(&LETTER, &made.bytes, &made.pages, &made.problem), ERR_INPUT);
    assert_non_null(strstr(made.problem.what, "the letter's file has 0.0 MB, more than the 0.0"));
    buf_done(&made.bytes);
}

/* Words between two tags, so many bytes of them. */
static struct buf words(const char *from, int bytes, const char *to)
{
    struct buf out = buf_make(PDF_HTML_BYTES_MAX);
    buf_str(&out, str_of(from));
    for (int i = 0; i < bytes; i += 5)
        buf_str(&out, STR("word "));
    buf_str(&out, str_of(to));
    buf_char(&out, '\0');
    assert_ok(buf_err(&out));
    return out;
}

TEST(pdf, a_paragraph_over_64_KB_is_told)
{
    struct made made;
    struct buf  fits = words("<p>", 64000, "</p>"), more = words("<p>", 66000, "</p>");
    assert_ok(make_of(&made, fits.ptr, ""));
    buf_done(&made.bytes);
    assert_int_equal(make_of(&made, more.ptr, ""), ERR_INPUT);
    assert_string_equal(made.problem.what, "a paragraph of the letter is over 64 KB");
    buf_done(&made.bytes);
    buf_done(&fits);
    buf_done(&more);
}

static int64_t spent_us(const char *html)
{
    struct timespec from, to;
    struct made     made;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    assert_ok(make_of(&made, html, ""));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    buf_done(&made.bytes);
    return (to.tv_sec - from.tv_sec) * 1000000 + (to.tv_nsec - from.tv_nsec) / 1000;
}

TEST(pdf, underlined_words_cost_what_others_do)
{
    struct buf plain = words("<p><code>", 60000, "</code></p>");
    struct buf lined = words("<p><u><s><code>", 60000, "</code></s></u></p>");
    (void)spent_us(plain.ptr); /* fonts are found */
    int64_t plain_us = spent_us(plain.ptr), lined_us = spent_us(lined.ptr);
    if (lined_us >= 4 * plain_us)
        print_error("%lld us, underlined %lld us\n", (long long)plain_us, (long long)lined_us);
    assert_true(lined_us < 4 * plain_us);
    buf_done(&plain);
    buf_done(&lined);
}

/* So many paragraphs of one line each. */
static struct buf paragraphs(int count)
{
    struct buf out = buf_make(PDF_HTML_BYTES_MAX);
    for (int i = 0; i < count; i++)
        buf_str(&out, STR("<p>A line of the letter.</p>"));
    buf_char(&out, '\0');
    assert_ok(buf_err(&out));
    return out;
}

TEST(pdf, a_long_letter_goes_on_over_pages_up_to_fifty)
{
    struct made       made;
    struct buf        html = paragraphs(40), longer = paragraphs(3000);
    struct pdf_letter letter = LETTER;
    letter.front = str_slice(buf_view(&html), 0, html.len - 1);
    assert_ok(make(&made, &letter));
    assert_int_equal(made.pages, 2);
    buf_done(&made.bytes);
    letter.front = str_slice(buf_view(&longer), 0, longer.len - 1);
    assert_int_equal(make(&made, &letter), ERR_INPUT);
    assert_string_equal(made.problem.what, "the letter has more than 50 pages");
    buf_done(&made.bytes);
    buf_done(&html);
    buf_done(&longer);
}

TEST(pdf, an_address_that_does_not_fit_is_told)
{
    struct made       made;
    struct pdf_letter letter = LETTER;
    letter.address =
        STR("The Very Honourable and Most Reverend Society for the Promotion of Tents of "
            "All Colours and Sizes\nStorgata 1\n5003 Bergen\nNORWAY");
    assert_int_equal(make(&made, &letter), ERR_INPUT);
    assert_string_equal(made.problem.where, "address");
    buf_done(&made.bytes);
    letter.address = STR("\xF0\x93\x80\x80\nStorgata 1\n5003 Bergen\nNORWAY");
    assert_int_equal(make(&made, &letter), ERR_INPUT);
    assert_string_equal(made.problem.where, "address");
    assert_string_equal(made.problem.what, "no font that is installed has all of its letters");
    buf_done(&made.bytes);
    letter.address = STR("a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl");
    assert_int_equal(make(&made, &letter), ERR_INPUT);
    buf_done(&made.bytes);
}

TEST(pdf, a_window_beside_the_paper_is_none)
{
    struct made       made;
    struct pdf_letter letter = LETTER;
    letter.form.x = 130;
    assert_false(pdf_form_is_good(&letter.form));
    assert_int_equal(make(&made, &letter), ERR_INPUT);
    buf_done(&made.bytes);
    letter.form = (struct pdf_form)LEFT;
    letter.form.y = 220;
    assert_false(pdf_form_is_good(&letter.form));
}

TEST(pdf, a_letter_that_no_font_has_is_not_printed_as_a_box)
{
    struct made made;
    assert_int_equal(make_of(&made, "<p>\xF0\x93\x80\x80</p>", ""), ERR_INPUT); /* a hieroglyph */
    assert_string_equal(made.problem.what, "no font that is installed has all of its letters");
    buf_done(&made.bytes);
}

TEST(pdf, what_it_does_not_show_is_named)
{
    static const struct {
        const char *html, *lost;
    } all[] = {
        { "<h1>A</h1><p style='text-align: right'>b<ul><li>c</ul>", "" },
        { "<img src=a.png alt=A>", "images" },
        { "<img src=https://tents.example/a.png alt=A>", "images" },
        { "<img src='data:image/png;base64,AA=='><img src=file:a>", "" },
        { "<img src='{{ files.logo.image }}'>", "" },
        { "<p style='color: red; background: #eee; margin: 0 auto'>a", "" },
        { "<p style='float: left'>a", "some styles" },
        { "<p style='font-family: Arial'>a", "fonts" },
        { "<p style='background: url(a.png)'>a", "images" },
        { "<style>p { color: red }</style><p>a", "" },
        { "<style>p:hover { color: red }</style><p>a", "some styles" },
        { "<table bgcolor=red><tr><td>a<td><img></table>", "images" },
        { "<div hidden><img></div>", "" },
        { "<div style='display: none'><form></form></div>", "" },
        { "<svg></svg>", "forms, drawings and the like" },
        { "{% if person.x %}<b>{{ person.x }}</b>{% endif %}", "" },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct problem problem;
        struct buf     text = buf_make(300);
        uint32_t       lost;
        assert_ok(pdf_lost(str_of(all[i].html), &lost, &problem));
        pdf_lost_write(lost, &text);
        assert_str(buf_view(&text), all[i].lost);
        buf_done(&text);
    }
}

TEST(pdf, what_people_send_as_html_is_drawn_or_told_but_never_fatal)
{
    static const char *const all[] = {
        "",
        "plain words",
        "<h1>",
        "<ul><li><ol><li>deep<ul><li>er</ul></ol></ul>",
        "<pre>  a\n\tb\n</pre>",
        "<br><br>a<br>",
        "<p>a&nbsp;b&#0;c\x01",
        "<a href='https://x.example/'></a><a href='https://x.example/'>x.example</a>",
        "<table><tr><td>a</td><td>b</td></tr></table>",
        "<hr><hr>",
        ("<blockquote><blockquote><blockquote><blockquote><blockquote><blockquote><blockquote>"
         "<blockquote><blockquote><blockquote>a"),
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct made made;
        assert_ok(make_of(&made, "<p>a", all[i]));
        buf_done(&made.bytes);
        if (make_of(&made, all[i], "") != OK)
            assert_string_equal(made.problem.what, NOTHING_SEEN);
        buf_done(&made.bytes);
    }
}

/* One red pixel, and one of a JPEG, as far as a letter reads it. */
#define RED_PNG                                                                                    \
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQ" \
    "DJ/pLvAAAAAElFTkSuQmCC"
static const char JPEG[] =
    "\xFF\xD8\xFF\xE0\x00\x04\x00\x00\xFF\xC0\x00\x11\x08\x00\x10\x00\x20\x03"
    "\x01\x11\x00\x02\x11\x00\x03\x11\x00 the picture \xFF\xD9";

static bool has(const struct made *made, const char *text)
{
    return str_find(buf_view(&made->bytes), 0, str_of(text)) < made->bytes.len;
}

/* Bytes for "file:a". */
static enum err picture_read(void *context, struct str name, struct arena *arena, struct str *out,
                             struct problem *problem)
{
    const struct str *bytes = context;
    if (!str_eq(name, STR("a")))
        return problem_set(problem, ERR_INPUT, "image", "it is not here", "Put it there.");
    *out = str_copy(arena, *bytes);
    return OK;
}

static enum err make_with(struct made *made, const char *front, struct str bytes)
{
    const struct pdf_pictures pictures = { picture_read, &bytes };
    struct pdf_letter         letter = LETTER;
    letter.front = str_of(front);
    letter.pictures = &pictures;
    return make(made, &letter);
}

TEST(pdf, an_image_of_the_html_or_of_the_house_is_in_the_file_once)
{
    struct made made, again;
    struct str  jpeg = { JPEG, sizeof JPEG - 1 };
    assert_ok(make_of(&made, "<img src='" RED_PNG "' width=100>", ""));
    assert_true(has(&made, "/Subtype /Image"));
    buf_done(&made.bytes);
    assert_ok(make_with(&made, "<img src=file:a>", jpeg));
    assert_true(has(&made, "/DCTDecode") && has(&made, " the picture "));
    assert_ok(make_with(&again, "<img src=file:a><p><img src=file:a>", jpeg));
    assert_true(again.bytes.len < made.bytes.len + sizeof JPEG + 200);
    buf_done(&again.bytes);
    buf_done(&made.bytes);
}

TEST(pdf, an_image_with_a_ground_of_its_own_is_there)
{
    static const char *const all[] = {
        "<img style='display:block;background-color:#eee' src=file:a>",
        "<a style='background:#fff' href=x><img style='display:block' src=file:a></a>",
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct made made;
        assert_ok(make_with(&made, all[i], (struct str){ JPEG, sizeof JPEG - 1 }));
        assert_true(has(&made, "/DCTDecode"));
        buf_done(&made.bytes);
    }
}

TEST(pdf, a_tall_image_that_comes_first_leaves_the_first_page_to_the_address)
{
    struct made made;
    struct str  jpeg = { JPEG, sizeof JPEG - 1 };
    assert_ok(make_with(&made, "<img src=file:a width=600 height=800>", jpeg));
    assert_int_equal(made.pages, 2);
    buf_done(&made.bytes);
    assert_ok(make_with(&made, "<img src=file:a width=300 height=400>", jpeg));
    assert_int_equal(made.pages, 1);
    buf_done(&made.bytes);
}

TEST(pdf, an_image_that_cannot_be_had_is_told_and_no_letter)
{
    static const struct {
        const char *html, *what;
    } all[] = {
        { "a<img src=file:b>", "it is not here" },
        { "a<img src='data:image/png;base64,AAAA'>",
          "an image of the letter is no PNG, and no JPEG that is printed" },
        { "a<img src='data:image/png;base64,!'>", "an image of the letter (data:) cannot be read" },
        { "a<img src='data:image/png,x'>", "an image of the letter (data:) cannot be read" },
        { "a<img src='data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1Pe'>",
          "an image of the letter is damaged" },
        { "a<img "
          "src='data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAAAAAAAAAAAAAElEQVR4nGP4"
          "z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC'>",
          "an image of the letter is damaged" },
        { "a<img src='data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAJxEAAAABCAIAAACQd1Pe'>",
          "the images of the letter have over 16 million pixels" },
        { "a<img src=file:a>", "an image of the letter is no PNG, and no JPEG that is printed" },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct made made;
        assert_int_equal(make_with(&made, all[i].html, (struct str){ JPEG, sizeof JPEG - 2 }),
                         ERR_INPUT);
        assert_string_equal(made.problem.what, all[i].what);
        buf_done(&made.bytes);
    }
}

TEST(pdf, images_of_a_template_are_looked_at_where_they_are_in_it)
{
    struct problem problem;
    assert_ok(pdf_images_check(STR("<img src='" RED_PNG "'><img src='data:{{ a }}'>"), &problem));
    assert_ok(pdf_images_check(STR("<img src='{{ files.a.image }}'><img src=file:x>"), &problem));
    assert_int_equal(pdf_images_check(STR("<img src='data:image/png;base64,AAAA'>"), &problem),
                     ERR_INPUT);
}

/* Before the text, so often; after it the ends. */
static struct buf nested(const char *from, int times, const char *text, const char *to)
{
    struct buf out = buf_make(PDF_HTML_BYTES_MAX);
    for (int i = 0; i < times; i++)
        buf_str(&out, str_of(from));
    buf_str(&out, str_of(text));
    for (int i = 0; i < times; i++)
        buf_str(&out, str_of(to));
    buf_char(&out, '\0');
    assert_ok(buf_err(&out));
    return out;
}

static void told(struct buf html, const char *what)
{
    struct made made;
    assert_int_equal(make_of(&made, html.ptr, ""), ERR_INPUT);
    assert_string_equal(made.problem.what, what);
    buf_done(&made.bytes);
    buf_done(&html);
}

TEST(pdf, tables_have_bounds)
{
    told(nested("<table><tr><td>", 21, "a", "</td></tr></table>"),
         "tables of the letter stand in each other over 20 deep");
    struct buf cells = nested("<td>a", 65, "", ""), table = buf_make(PDF_HTML_BYTES_MAX);
    buf_format(&table, "<table><tr>%s</table>", cells.ptr);
    buf_char(&table, '\0');
    told(table, "a table of the letter has over 64 columns");
    buf_done(&cells);
}

/* A layout that measured each table anew in each that it stands in took twice as long for one more:
 * seconds for sixteen. */
TEST(pdf, a_table_in_twenty_others_costs_what_it_does_alone)
{
    struct buf alone = nested("<table><tr><td>words", 1, "<p>more", "</td></tr></table>");
    struct buf deep = nested("<table><tr><td>words", 20, "<p>more", "</td></tr></table>");
    (void)spent_us(alone.ptr); /* fonts are found */
    int64_t alone_us = spent_us(alone.ptr), deep_us = spent_us(deep.ptr);
    if (deep_us >= 60 * alone_us)
        print_error("%lld us, twenty %lld us\n", (long long)alone_us, (long long)deep_us);
    assert_true(deep_us < 60 * alone_us);
    buf_done(&alone);
    buf_done(&deep);
}

TEST(pdf, a_page_may_be_asked_for)
{
    struct made made;
    assert_ok(make_of(&made, "<p>a<p style='page-break-before: always'>b", ""));
    assert_int_equal(made.pages, 2);
    buf_done(&made.bytes);
    assert_ok(
        make_of(&made, "<p style='break-after: page'>a<p>b<p style='break-after: page'>c", ""));
    assert_int_equal(made.pages, 2);
    buf_done(&made.bytes);
}

TEST(pdf, what_hostile_people_write_as_css_is_drawn_all_the_same)
{
    static const char *const all[] = {
        "width:calc(1/0);font-size:1e300pt;margin:-99999999999px;color:rgb(;background:rgb(1",
        "font-size:0.0001px;line-height:1e9;letter-spacing:1e9px;padding:1e99em",
        "height:1e9px;border:1e9px solid;border-top:;border-color:(((",
        "color:#;background:#12345;background-color:#gggggg;font:;font:/;margin:auto auto auto "
        "auto auto",
        "width:0;max-width:0px;padding:0 1000px",
        "width:100%;margin:0 900px;text-transform:uppercase;text-align:justify",
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct made made;
        char        html[1000];
        snprintf(html, sizeof html,
                 "<table style='%s'><tr style='%s'><td style='%s'><p style='%s'>a<b style='%s'>b",
                 all[i], all[i], all[i], all[i], all[i]);
        assert_ok(make_of(&made, html, ""));
        buf_done(&made.bytes);
    }
}

TEST(pdf, however_deep_big_and_small_are_a_letter_comes)
{
    enum { DEEP = 100 }; /* 1.15 a hundred times is beyond what Pango has room for */
    const char    *tags[] = { "<big>", "<small>" };
    GLogLevelFlags fatal = g_log_set_always_fatal(G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
    for (int kind = 0; kind < 2; kind++) {
        struct buf html = buf_make(1 << 16);
        for (int i = 0; i < DEEP; i++)
            buf_str(&html, str_of(tags[kind]));
        buf_str(&html, STR("a"));
        buf_char(&html, '\0');
        struct made made;
        assert_ok(make_of(&made, html.ptr, html.ptr));
        buf_done(&made.bytes);
        buf_done(&html);
    }
    g_log_set_always_fatal(fatal);
}
