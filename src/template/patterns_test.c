#include "template/patterns.h"

#include <stdio.h>

#include "base/buf.h"
#include "base/test.h"

/* Every match of a pattern in a text, with '/' between. */
static struct str all(struct arena *arena, struct str text,
                      bool (*next)(struct str *, struct str *))
{
    struct buf found = buf_make(1 << 16);
    struct str match;
    while (next(&text, &match)) {
        buf_str(&found, match);
        buf_char(&found, '/');
    }
    struct str copy = str_copy(arena, buf_view(&found));
    buf_done(&found);
    return copy;
}

static bool attribute(struct str *rest, struct str *match)
{
    static char text[256];
    struct str  key, value;
    if (!pattern_attribute(rest, &key, &value))
        return false;
    snprintf(text, sizeof text, "%.*s=%.*s", STR_ARG(key), STR_ARG(value));
    *match = str_of(text);
    return true;
}

static bool condition(struct str *rest, struct str *match)
{
    bool is_operator;
    return pattern_condition(rest, match, &is_operator);
}

TEST(patterns, each_finds_what_the_expressions_of_the_reference_find)
{
    static const struct {
        bool (*next)(struct str *, struct str *);
        const char *text, *expected;
    } cases[] = {
        { pattern_fragment, "a 'b c'd \"e\", f|g", "a/'b c'/d/\"e\"/f/g/" },
        { pattern_fragment, "x'y z'w", "x'y z'w/" },
        { pattern_fragment, "'open a \"b\"", "open/a/\"b\"/" },
        { pattern_fragment, " , | ' ", "" },
        { pattern_quoted, "foo 'a''b' \"c\"", "'a''b'/\"c\"/" },
        { pattern_quoted, "'open \"b\"", "\"b\"/" },
        { attribute, "i in x limit:2 cols : 'a b', !! offset: (1..2)",
          "limit=2/cols='a b'/offset=(1..2)/" },
        { attribute, "a-b: c d:: e", "a-b=c/d=:/" },
        { pattern_target, "&foo = bar.baz[0]", "foo/bar.baz[0]/" },
        { pattern_target, "(a(b(c) = 1", "(a(b(c)/1/" },
        { condition, "a and b or c", "a/and/b/or/c/" },
        { condition, "andy == 'x and y' and band", "andy == 'x and y'/and/band/" },
        { condition, "a  or  (b|c) && d", "a/or/(b|c) && d/" },
    };
    struct arena *arena = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_str(all(arena, str_of(cases[i].text), cases[i].next), cases[i].expected);
    arena_close(arena);
}

TEST(patterns, a_keyword_needs_space_on_both_sides)
{
    struct str rest = STR("  with x");
    assert_true(pattern_keyword(&rest, STR("with")));
    assert_str(rest, "x");
    rest = STR(" without x");
    assert_false(pattern_keyword(&rest, STR("with")));
    rest = STR("with x");
    assert_false(pattern_keyword(&rest, STR("with")));
}
