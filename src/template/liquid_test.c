/* Conformance: the cases of Golden Liquid that the project keeps beside the repository. */
#include "template/template.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include <stdio.h>

#define CASES DULT_SOURCE_DIR "/../shared/data/liquid-conformance.json"

/* Names of the cases that fail, a line each. An entry here needs its argument beside it. */
static const char KNOWN_EXCEPTIONS[] = "";

static struct str names_only(struct arena *arena, const char *text, size_t bytes)
{
    struct buf names = buf_make(bytes + 1);
    struct str rest = { text, bytes }, line;
    while (str_split(&rest, '\n', &line)) {
        if (!str_starts(line, STR("FAIL ")))
            continue;
        buf_str(&names, str_slice(line, 5, line.len));
        buf_char(&names, '\n');
    }
    struct str kept = str_copy(arena, buf_view(&names));
    buf_done(&names);
    return kept;
}

static void file_read(const char *path, struct buf *out)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (;;) {
        char  *room = buf_reserve(out, 65536);
        size_t got = fread(room, 1, 65536, file);
        buf_added(out, got);
        if (got == 0)
            break;
    }
    fclose(file);
}

TEST(liquid, every_conformance_case_passes_but_those_argued_here)
{
    int passed = 0, failed = 0;
    if (access(CASES, R_OK) != 0) {
        print_message("skipped: there is no %s\n", CASES);
        skip();
    }
    struct buf text = buf_make(64 << 20), report = buf_make(64 << 20);
    file_read(CASES, &text);
    assert_ok(template_cases_run(buf_view(&text), &report, &passed, &failed));
    struct arena *arena = arena_open(report.len + (1 << 20));
    struct str    names = names_only(arena, report.ptr, report.len);
    if (!str_eq(names, str_of(KNOWN_EXCEPTIONS)))
        print_message("%.*s", STR_ARG(buf_view(&report)));
    assert_str(names, KNOWN_EXCEPTIONS);
    assert_true(passed > 700);
    arena_close(arena);
    buf_done(&text);
    buf_done(&report);
}

TEST(liquid, a_text_that_is_no_list_of_cases_is_refused)
{
    struct buf report = buf_make(1 << 20);
    int        passed, failed;
    assert_int_equal(template_cases_run(STR("{\"a\":1}"), &report, &passed, &failed), ERR_INPUT);
    assert_int_equal(template_cases_run(STR("[{"), &report, &passed, &failed), ERR_INPUT);
    buf_done(&report);
}

static void strictness_check(enum template_strictness strictness, const char *source,
                             const char *expected)
{
    struct template_render_conf   how = { .show_errors = true };
    struct template_conf          conf = { .strictness = strictness };
    static struct template_report report;
    struct arena                 *arena = arena_open(1 << 22);
    struct template              *t = NULL;
    struct buf                    out = buf_make(1 << 16);
    struct json                   data;
    assert_ok(json_parse_once(arena, STR("{\"a\":1,\"b\":\"x\"}"), &data, NULL));
    enum err err = template_parse(&t, str_of(source), &conf, NULL);
    if (expected == NULL) {
        assert_int_equal(err, ERR_INPUT);
    } else {
        assert_ok(err);
        assert_ok(template_render(t, arena, &data, &how, &out, &report));
        assert_str(buf_view(&out), expected);
    }
    buf_done(&out);
    template_close(t);
    arena_close(arena);
}

/* By strictness: what is rendered, or NULL where the template is refused. */
TEST(liquid, what_cannot_be_read_is_refused_or_skipped_as_strictness_says)
{
    static const struct {
        const char *source, *strict, *strict2, *lax;
    } cases[] = {
        { "{{ a | plus: 1, }}", NULL, "2", "2" },
        { "{{ a b }}", NULL, NULL, "1" },
        { "{{ 'x' | nothing | upcase }}", NULL, NULL, "X" },
        { "{% if a == 1 && b %}y{% endif %}", NULL, NULL, "y" },
        { "{% if a =< 1 %}y{% else %}n{% endif %}.", NULL, NULL,
          "Liquid error: Unknown operator =<." },
        { "{% for i in (1...3) %}{{ i }}{% endfor %}", NULL, NULL, "123" },
        { "{% case a huh %}{% when 1 huh %}y{% endcase %}", "y", NULL, "y" },
        { "{% cycle .5, 2 %}", "", NULL, "" },
        { "{% include %}", NULL, NULL, NULL },
        { "{{ a {% b }}", NULL, NULL, NULL },
        { "{{ nil | default: 'a', 'b' }}", "a", "a", "a" },
        { "{{ ['a'] }}", "1", NULL, "1" },
        { "{% assign [x] = 2 %}{{ a }}", "1", NULL, "1" },
        { "{% capture 'x' %}2{% endcapture %}{{ x }}", "2", NULL, "2" },
        { "{{ 1 | divided_by: 0 }}!", "Liquid error: divided by 0!", "Liquid error: divided by 0!",
          "Liquid error: divided by 0!" },
        { "{% if 1 < 'x' %}a{% else %}b{% endif %}",
          "Liquid error: comparison of Integer with String failed",
          "Liquid error: comparison of Integer with String failed",
          "Liquid error: comparison of Integer with String failed" },
        { "{% if %}y{% endif %}", NULL, NULL, NULL },
        { "{% doc %}{% doc %}{% enddoc %}", NULL, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        strictness_check(TEMPLATE_STRICT, cases[i].source, cases[i].strict);
        strictness_check(TEMPLATE_STRICT2, cases[i].source, cases[i].strict2);
        strictness_check(TEMPLATE_LAX, cases[i].source, cases[i].lax);
    }
}

/* What the reference says and the file of cases does not ask. */
TEST(liquid, the_reference_holds_beyond_the_cases)
{
    static const struct {
        const char *source, *expected;
    } cases[] = {
        { "{{ 'straße' | upcase }} {{ 'ÆØ' | downcase }} {{ 'éA' | capitalize }}"
          "{{ 'ßa' | capitalize }}",
          "STRASSE æø ÉaSsa" },
        { "{% for i in (1..3) %}{% for j in (1..3) %}{% if j == 2 %}{% break %}{% endif %}"
          "{{i}}{{j}} {% endfor %}{% endfor %}",
          "11 21 31 " },
        { "{% for p in o %}{{ p[0] }}={{ p | last }};{% endfor %}{{ o.size }}", "a=1;b=2;2" },
        { "{{ 183.357 | round: 2 }} {{ 4 | divided_by: 0.5 }} {{ 3 | modulo: -2 }}",
          "183.36 8.0 -1" },
        { "{% if l contains 'x' and none or t %}1{% else %}2{% endif %}", "1" },
        { "{% if t or t and none %}1{% else %}2{% endif %}", "1" },
        { "{% assign x = 'a,b,,c,,' | split: ',' %}{{ x.size }}{{ x | join: '|' }}", "4a|b||c" },
        { "{{ 'Hello' | slice: -3, 2 }}{{ 'x' | append: nil }}{{ nil | append: 'y' }}", "llxy" },
        { "{% liquid\n assign a = 1\n case a\n when 1\n echo 'one'\n endcase\n%}", "one" },
        { "{{ l2 | sort: 'p' | map: 'p' | join }}", "1 2 3 " },
        { "{% for i in (1..4) reversed %}{{ i }}{% endfor %}", "4321" },
        { "{%- for i in (1..2) -%} {{- i -}} {%- else -%} x {%- endfor -%} ", "12" },
        { "{% if 2 &gt; 1 and 1 &lt;= 1 %}yes{% endif %}", "yes" },
        { "{% tablerow i in (1..2) no: 1 !! cols:1 %}{{ i }}{% endtablerow %}",
          "<tr class=\"row1\">\n<td class=\"col1\">1</td></tr>\n"
          "<tr class=\"row2\"><td class=\"col1\">2</td></tr>\n" },
        { "{% assign a = 1 %}{% case a %}{% when 1, 2 %}x{% assign a = 2 %}{% when 2 %}y{% endcase "
          "%}",
          "xxy" },
        { "{% assign k = 't' %}{{ self[k] }} {{ self['o'].a }} {{ self.none }}", "true 1 " },
        { "{% for i in (1..2) %}{{ forloop['index'] }}{% endfor %}{{ (3..1) | first }}", "123" },
        { "{% for c in 'word' offset: 3 %}{{ c }}{% endfor %}{{ 3.5 | times: -0 }}", "word0.0" },
        { "{{ none | times: -2.25 }} {{ none | times: -2.25 | modulo: 1 }}", "-0.0 0.0" },
        { "{{ -4.5 | modulo: 1.5 }} {{ 0.0 | times: -2 | modulo: -1 }}", "0.0 0.0" },
        { "{{ 'a b ' | truncatewords: 2 }}{{ 'a b' | truncatewords: 2 }}", "a b...a b" },
        { "{% raw %}{% a {% endraw {% endraw %}", "{% a {% endraw " },
        { "{% cycle 'a', 'b' %}{% cycle \"a\",'b' %}{% cycle \"1\", 'b' %}{% cycle 1, 'b' %}",
          "ab11" },
        { "{% assign t = (2..5) %}{{ 181 | map: t }}{{ 2 | compact: t }}", "132" },
        { "{% assign t = (5..2) %}{{ 181 | map: t }}{% assign t = (3..3) %}{{ 181 | map: t }}",
          "50" },
    };
    struct template_report report;
    struct arena          *arena = arena_open(1 << 22);
    struct json            data;
    assert_ok(json_parse_once(arena,
                              STR("{\"o\":{\"a\":1,\"b\":2},\"l\":[\"x\"],\"t\":true,"
                                  "\"l2\":[{\"p\":3},{\"p\":1},{\"p\":null},{\"p\":2}]}"),
                              &data, NULL));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct template *t = NULL;
        struct buf       out = buf_make(1 << 16);
        assert_ok(template_parse(&t, str_of(cases[i].source), NULL, NULL));
        assert_ok(template_render(t, arena, &data, NULL, &out, &report));
        assert_str(buf_view(&out), cases[i].expected);
        buf_done(&out);
        template_close(t);
    }
    arena_close(arena);
}
