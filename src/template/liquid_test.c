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

/* What the reference says and the file of cases does not ask. */
TEST(liquid, the_reference_holds_beyond_the_cases)
{
    static const struct {
        const char *source, *expected;
    } cases[] = {
        { "{{ 'straße' | upcase }} {{ 'ÆØ' | downcase }} {{ 'éA' | capitalize }}",
          "STRASSE æø Éa" },
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
