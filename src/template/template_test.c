#include "template/template.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/test.h"

static const char DATA[] =
    "{\"person\":{\"name\":\"Ada <b>\",\"none\":null,\"age\":36},\"event\":{\"items\":"
    "[{\"t\":\"Hat\",\"p\":3},{\"t\":\"Sock\"}]},\"n\":10}";

struct rendering {
    struct arena          *arena;
    struct buf             out;
    struct template       *t;
    struct template_report report;
    struct problem         problem;
    enum err               err;
};

static enum err snippet(void *owner __attribute__((unused)), struct str name, struct arena *arena,
                        struct str *source)
{
    if (str_eq(name, STR("row")))
        *source = str_copy(arena, STR("[{{ row.t }}:{{ price | default: '-' }}]"));
    else if (str_eq(name, STR("self")))
        *source = str_copy(arena, STR("x{% render 'self' %}"));
    else if (str_eq(name, STR("broken")))
        *source = str_copy(arena, STR("one\n{% if %}{% endif %}"));
    else if (str_eq(name, STR("new")))
        *source = str_copy(arena, STR("{% assign fresh = person.age %}{{ fresh }}{{ gone }}"));
    else
        return ERR_ABSENT;
    return OK;
}

static struct rendering render_with(const char *source, struct template_render_conf conf)
{
    struct rendering     r = { .arena = arena_open((size_t)256 << 20),
                               .out = buf_make((size_t)8 << 20) };
    struct template_conf parse_conf = { .snippet = snippet };
    struct json          data;
    assert_non_null(r.arena);
    assert_ok(json_parse_once(r.arena, str_of(DATA), &data, NULL));
    r.err = template_parse(&r.t, str_of(source), &parse_conf, &r.problem);
    if (r.err == OK)
        r.err = template_render(r.t, r.arena, &data, &conf, &r.out, &r.report);
    return r;
}

static void done(struct rendering *r)
{
    template_close(r->t);
    buf_done(&r->out);
    arena_close(r->arena);
}

static void assert_renders(const char *source, bool escape, const char *expected)
{
    struct template_render_conf conf = { .escape_html = escape };
    struct rendering            r = render_with(source, conf);
    assert_int_equal(r.err, OK);
    assert_str(buf_view(&r.out), expected);
    done(&r);
}

static void assert_missing(const char *source, const char *expected)
{
    struct rendering r = render_with(source, (struct template_render_conf){ 0 });
    assert_int_equal(r.err, OK);
    struct buf list = buf_make(4096);
    for (uint32_t i = 0; i < r.report.missing_count; i++)
        buf_format(&list, "%.*s:%u ", STR_ARG(r.report.missing[i].path), r.report.missing[i].line);
    assert_str(buf_view(&list), expected);
    buf_done(&list);
    done(&r);
}

static void assert_refused(const char *source, enum err err, const char *where)
{
    struct template     *t = NULL;
    struct problem       problem = { 0 };
    struct template_conf conf = { .snippet = snippet };
    assert_int_equal(template_parse(&t, str_of(source), &conf, &problem), err);
    assert_null(t);
    assert_string_equal(problem.where, where);
    assert_true(problem.what[0] != '\0' && problem.remedy[0] != '\0');
}

TEST(template, a_missing_path_is_reported_once_with_its_line)
{
    assert_missing("{{ person.name }}", "");
    assert_missing("\n{{ person.phone }}\n{{ person.phone }}{{ other }}",
                   "person.phone:2 other:3 ");
    assert_missing("{{ person.none }}", "person.none:1 ");
    assert_missing("{% for i in event.items %}{{ i.p }}{% endfor %}", "i.p:1 ");
    assert_missing("{% for i in event.nothing %}{{ i }}{% endfor %}", "event.nothing:1 ");
}

TEST(template, what_default_replaces_or_a_condition_tests_is_not_missing)
{
    assert_missing("{{ gone | default: 'x' }}", "");
    assert_missing("{{ gone | upcase | default: 'x' }}", "");
    assert_missing("{% assign a = gone %}{{ a | default: 'x' }}", "");
    assert_missing("{% if gone %}{{ gone }}{% elsif gone.x == 3 %}{% endif %}", "");
    assert_missing("{% unless gone %}ok{% endunless %}"
                   "{% case gone %}{% when 1 %}{% endcase %}",
                   "");
    assert_missing("{{ forloop.parentloop }}{% for i in (1..1) %}{{ forloop.parentloop.index }}"
                   "{% endfor %}",
                   "forloop.parentloop:1 forloop.parentloop.index:1 ");
}

TEST(template, a_missing_path_is_still_missing_behind_other_filters_and_names)
{
    assert_missing("{{ gone | upcase }}", "gone:1 ");
    assert_missing("{{ gone | prepend: 'Hi ' | default: 'x' }}", "gone:1 ");
    assert_missing("{{ 'Hi ' | append: gone }}", "gone:1 ");
    assert_missing("{% assign a = gone %}\n{{ a }}", "gone:1 ");
    assert_missing("{{ gone | default: lost }}", "lost:1 ");
    assert_missing("{% render 'row' %}", "row.t:1 ");
}

TEST(template, output_is_escaped_but_for_raw_literals_and_captures)
{
    assert_renders("{{ person.name }}", false, "Ada <b>");
    assert_renders("{{ person.name }}", true, "Ada &lt;b&gt;");
    assert_renders("{{ person.name | raw }}", true, "Ada <b>");
    assert_renders("{{ person.name | escape }}", true, "Ada &lt;b&gt;");
    assert_renders("{{ '<i>' | append: person.name | append: '</i>' }}", true,
                   "<i>Ada &lt;b&gt;</i>");
    assert_renders("{% capture c %}<p>{{ person.name }}</p>{% endcapture %}{{ c }}", true,
                   "<p>Ada &lt;b&gt;</p>");
    assert_renders("{{ event }}", true,
                   "{&quot;items&quot;=&gt;[{&quot;t&quot;=&gt;&quot;Hat&quot;, "
                   "&quot;p&quot;=&gt;3}, {&quot;t&quot;=&gt;&quot;Sock&quot;}]}");
}

TEST(template, what_is_decoded_or_cut_from_text_is_not_trusted)
{
    assert_renders("{{ '%3Cb%3E' | url_decode }}", true, "&lt;b&gt;");
    assert_renders("{{ 'PGI+' | base64_decode }}", true, "&lt;b&gt;");
    assert_renders("{{ person.name | split: ' ' | last }}", true, "&lt;b&gt;");
    assert_renders("{{ person.name | newline_to_br }}", true, "Ada &lt;b&gt;");
}

TEST(template, a_broken_template_is_refused_with_its_place)
{
    assert_refused("{% if %}x{% endif %}", ERR_INPUT, "1:1");
    assert_refused("a\n  {{ x | nosuch }}", ERR_INPUT, "2:10");
    assert_refused("a\n{% for i in x %}", ERR_INPUT, "2:17");
    assert_refused("{{ x", ERR_INPUT, "1:1");
    assert_refused("{{ 'x }}", ERR_INPUT, "1:4");
    assert_refused("{% endif %}", ERR_INPUT, "1:1");
    assert_refused("ab{% render 'gone' %}", ERR_INPUT, "1:3");
    assert_refused("{% render 'broken' %}", ERR_INPUT, "broken:2:1");
    assert_refused("\xff", ERR_INPUT, "");
    assert_refused("{{ n | round: 1, 2 }}", ERR_INPUT, "1:18");
}

TEST(template, nesting_is_bounded)
{
    struct buf text = buf_make(1 << 20);
    for (int i = 0; i < 200; i++)
        buf_str(&text, STR("{% if n %}"));
    buf_char(&text, '\0');
    assert_refused(text.ptr, ERR_LIMIT, "1:1001");
    buf_reset(&text);
    buf_str(&text, STR("{{ a"));
    for (int i = 0; i < 5000; i++)
        buf_str(&text, STR("[a"));
    buf_str(&text, STR("}}"));
    buf_char(&text, '\0');
    assert_refused(text.ptr, ERR_LIMIT, "1:204");
    buf_done(&text);
}

static void assert_stops(const char *source, struct template_render_conf conf, enum err err)
{
    struct rendering r = render_with(source, conf);
    assert_int_equal(r.err, err);
    assert_true(r.report.problem.what[0] != '\0');
    done(&r);
}

TEST(template, no_template_runs_for_ever)
{
    struct template_render_conf plain = { 0 }, small = { .output_bytes_max = 100 };
    assert_stops("{% for i in (1..9000000000000000000) %}{% endfor %}", plain, ERR_LIMIT);
    assert_stops("{% for i in (1..2000) %}{% for j in (1..2000) %}{% endfor %}{% endfor %}", plain,
                 ERR_LIMIT);
    assert_stops("{{ (1..900000000000) | join }}", plain, ERR_LIMIT);
    assert_stops("{% assign s = 'abc' %}{% for i in (1..99) %}{% assign s = s | append: s %}"
                 "{% endfor %}",
                 plain, ERR_LIMIT);
    assert_stops("{% assign s = 'abcdefgh' %}{% for i in (1..16) %}{% assign s = s | append: s %}"
                 "{% endfor %}{% for i in (1..900000) %}{% if s < s %}{% endif %}{% endfor %}",
                 plain, ERR_LIMIT);
    assert_stops("{% assign s = 'abcdefgh' %}{% for i in (1..16) %}{% assign s = s | append: s %}"
                 "{% endfor %}{% for i in (1..9000) %}{% assign x = s | url_encode %}{% endfor %}",
                 plain, ERR_LIMIT);
    assert_stops("{% render 'self' %}", plain, ERR_LIMIT);
    assert_stops("{% for i in (1..99) %}0123456789{% endfor %}", small, ERR_LIMIT);
}

TEST(template, a_loop_without_work_still_ends_quickly)
{
    assert_renders("{% for i in (1..9000000000000000000) limit: 2 %}{{ i }}{% endfor %}", false,
                   "12");
    assert_renders("{{ (1..9000000000000000000) | size }}", false, "9000000000000000000");
}

TEST(template, a_fault_shows_nothing_and_is_reported)
{
    struct template_render_conf conf = { 0 };
    struct rendering            r = render_with("a{{ 1 | divided_by: 0 }}b", conf);
    assert_int_equal(r.err, OK);
    assert_str(buf_view(&r.out), "ab");
    assert_int_equal(r.report.fault_total, 1);
    assert_string_equal(r.report.faults[0].what, "divided by 0");
    done(&r);
    assert_stops("a{{ 1 | divided_by: 0 }}b",
                 (struct template_render_conf){ .stop_at_error = true }, ERR_INPUT);
    assert_stops("a{{ gone }}b", (struct template_render_conf){ .stop_at_missing = true },
                 ERR_ABSENT);
}

TEST(template, a_snippet_with_a_computed_name_is_found_and_brings_its_names)
{
    assert_renders("{% assign s = 'new' %}{% include s %}|{% include s %}|{{ fresh }}", false,
                   "36|36|36");
    assert_renders("{% render 'row' for event.items as row, price: 5 %}", false, "[Hat:5][Sock:5]");
    assert_renders("{% for i in (1..3) %}{% capture c %}{% if i == 2 %}{% continue %}{% endif %}"
                   "{{ i }}{% endcapture %}{{ c }}{% endfor %}",
                   false, "13");
}

TEST(template, the_variables_of_a_template_are_its_datas_and_not_its_own)
{
    struct template *t = NULL;
    assert_ok(template_parse(&t,
                             STR("{% assign a = person.age %}{{ a }}{{ person.name }}"
                                 "{% for i in event.items %}{{ i.t }}{% endfor %}"
                                 "{{ x.y | default: '' }}{% if z %}{% endif %}"
                                 "{{ person.age }}"),
                             NULL, NULL));
    static const struct {
        const char *path;
        bool        optional;
    } expected[] = { { "person.age", false },
                     { "person.name", false },
                     { "event.items", false },
                     { "x.y", true },
                     { "z", true } };
    assert_int_equal(template_variables_count(t), 5);
    for (size_t i = 0; i < 5; i++) {
        assert_str(template_variables(t)[i].path, expected[i].path);
        assert_int_equal(template_variables(t)[i].optional, expected[i].optional);
    }
    template_close(t);
}

struct shared {
    const struct template *t;
    const struct json     *data;
    bool                   same;
};

static void *render_often(void *given)
{
    struct shared         *shared = given;
    struct arena          *arena = arena_open(1 << 20);
    struct buf             out = buf_make(1 << 20);
    struct template_report report;
    shared->same = true;
    for (int i = 0; i < 500; i++) {
        buf_reset(&out);
        arena_reset(arena);
        enum err err = template_render(shared->t, arena, shared->data, NULL, &out, &report);
        shared->same = shared->same && err == OK && str_eq(buf_view(&out), STR("363HatSock01"));
    }
    buf_done(&out);
    arena_close(arena);
    return NULL;
}

TEST(template, several_threads_render_one_template)
{
    struct template_conf conf = { .snippet = snippet };
    struct template     *t = NULL;
    struct arena        *arena = arena_open(1 << 20);
    struct json          data;
    struct shared        shared[3];
    pthread_t            threads[3];
    assert_ok(json_parse_once(arena, str_of(DATA), &data, NULL));
    assert_ok(template_parse(&t,
                             STR("{% assign s = 'new' %}{% include s %}"
                                 "{% for i in event.items %}{% if i.p %}{{ i.p }}{% endif %}"
                                 "{{ i.t }}{% endfor %}{% increment c %}{% increment c %}"),
                             &conf, NULL));
    for (int i = 0; i < 3; i++) {
        shared[i] = (struct shared){ t, &data, false };
        assert_int_equal(pthread_create(&threads[i], NULL, render_often, &shared[i]), 0);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(shared[i].same);
    }
    template_close(t);
    arena_close(arena);
}

/* Quadratic work on any of these takes minutes; the bound is wide enough for sanitizers. */
TEST(template, a_megabyte_of_one_thing_is_read_in_proportion)
{
    static const struct {
        const char *begin, *again, *end;
    } cases[] = {
        { "{% if ", "a and ", "a %}x{% endif %}" },
        { "{{ ", "[", " }}" },
        { "{{ ", "a'", " }}" },
        { "{% cycle ", "a:", " %}" },
        { "{% tablerow ", "a in ", " %}{% endtablerow %}" },
        { "{% assign ", "(a", " %}" },
        { "{% raw %}", "{% a ", "%}" },
        { "", "{{ a.b }}", "" },
        { "", "{% if a %}{% endif %}", "" },
    };
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        struct template_conf conf = { .strictness = i % 2 == 0 ? TEMPLATE_STRICT : TEMPLATE_LAX };
        struct template     *t = NULL;
        struct buf           source = buf_make(TEMPLATE_SOURCE_BYTES_MAX + 64);
        clock_t              begin = clock();
        buf_str(&source, str_of(cases[i / 2].begin));
        while (source.len < TEMPLATE_SOURCE_BYTES_MAX - 64)
            buf_str(&source, str_of(cases[i / 2].again));
        buf_str(&source, str_of(cases[i / 2].end));
        enum err err = template_parse(&t, buf_view(&source), &conf, NULL);
        assert_true(err == OK || err == ERR_INPUT || err == ERR_LIMIT);
        assert_true(clock() - begin < 10 * CLOCKS_PER_SEC);
        template_close(t);
        buf_done(&source);
    }
}

TEST(template, html_that_our_own_hand_made_is_not_escaped_and_what_is_made_of_it_is)
{
    static const char                  made[] = "<b>9</b><i>1</i>";
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct json_member                 members[] = {
                        { STR("ours"), { .kind = JSON_STRING, .string = { made, 8 } } },
                        { STR("theirs"), { .kind = JSON_STRING, .string = STR("<b>9</b>") } },
    };
    struct json                  data = { .kind = JSON_OBJECT, .count = 2, .members = members };
    struct template_render_conf  conf = { .escape_html = true,
                                          .safe_html = { made, sizeof made - 1 } };
    struct template_report       report;
    SCOPED(buf_donep) struct buf out = buf_make(4096);
    SCOPED(template_closep) struct template *t = NULL;
    assert_ok(template_parse(&t, STR("{{ ours }}|{{ theirs }}|{{ ours | upcase }}"), NULL, NULL));
    assert_ok(template_render(t, arena, &data, &conf, &out, &report));
    assert_str(buf_view(&out), "<b>9</b>|&lt;b&gt;9&lt;/b&gt;|&lt;B&gt;9&lt;/B&gt;");
}
