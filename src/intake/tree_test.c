#include "intake/tree.h"

#include "base/hash.h"
#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct str written(struct arena *arena, const char *text)
{
    struct json value;
    size_t      bytes;
    assert_ok(json_parse_once(arena, str_of(text), &value, NULL));
    assert_ok(tree_settle(arena, 1, &value, &bytes));
    char  *at = arena_alloc(arena, bytes);
    size_t len = (size_t)(tree_put(at, &value) - at);
    assert_true(len <= bytes);
    assert_true(bytes <= TREE_BOUND_FACTOR * len);
    return (struct str){ at, len };
}

TEST(tree, a_repeated_key_keeps_its_first_place_and_its_last_value)
{
    struct arena *arena = arena_open(1 << 20);
    assert_str(written(arena, "{\"a\":1,\"b\":2,\"a\":{\"c\":1,\"c\":[{\"d\":1,\"d\":2}]}}"),
               "{\"a\":{\"c\":[{\"d\":2}]},\"b\":2}");
    assert_str(written(arena, "[{\"\":1,\"\":2},true,false,null]"), "[{\"\":2},true,false,null]");
    arena_close(arena);
}

TEST(tree, many_keys_are_settled_as_few_are)
{
    struct arena *arena = arena_open(1 << 22);
    struct buf    text = buf_make(1 << 20), want = buf_make(1 << 20);
    for (int i = 0; i < 3000; i++)
        buf_format(&text, "%c\"key%d\":%d", i == 0 ? '{' : ',', i % 1000, i);
    for (int i = 0; i < 1000; i++)
        buf_format(&want, "%c\"key%d\":%d", i == 0 ? '{' : ',', i, i + 2000);
    buf_str(&text, STR("}\0"));
    buf_char(&want, '}');
    assert_true(str_eq(written(arena, text.ptr), buf_view(&want)));
    buf_done(&text);
    buf_done(&want);
    arena_close(arena);
}

TEST(tree, text_is_escaped_as_json_asks_at_every_place_of_a_word)
{
    struct arena *arena = arena_open(1 << 20);
    for (int c = 0; c < 128; c++)
        for (int at = 0; at < 17; at++) {
            char        text[17], out[6 * 17 + 2];
            struct json back;
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            struct str written_text = { out, 0 };
            written_text.len = (size_t)(tree_put_str(out, (struct str){ text, 17 }) - out);
            assert_ok(json_parse_once(arena, written_text, &back, NULL));
            assert_true(str_eq(back.string, (struct str){ text, 17 }));
            arena_reset(arena);
        }
    assert_str(written(arena, "\"bl\\u00e5b\\u00e6r \\n\\u0001\\/\""), "\"blåbær \\n\\u0001/\"");
    arena_close(arena);
}

TEST(tree, numbers_read_back_as_the_same_bits)
{
    static const struct {
        double      value;
        const char *text;
    } known[] = {
        { 11.77, "11.77" },
        { 12.0, "12.0" },
        { -0.0, "-0.0" },
        { 0.1, "0.1" },
        { -2.5, "-2.5" },
        { 1e300, "1e+300" },
        { 0.0, "0.0" },
        { 59.91273, "59.91273" },
        { 0.30000000000000004, "0.30000000000000004" },
        { 9007199254740993.0, "9007199254740992.0" },
    };
    char text[TREE_NUMBER_BYTES_MAX + 1];
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        *tree_put_real(text, known[i].value) = '\0';
        assert_string_equal(text, known[i].text);
    }
    for (uint64_t i = 0; i < 200000; i++) {
        uint64_t bits = hash_u64(i, 1);
        double   value;
        if (i % 2 == 0)
            memcpy(&value, &bits, sizeof value);
        else
            value = (double)(int64_t)(bits >> (i % 60)) / (i % 4 == 1 ? 100 : 1000);
        if (value - value != 0)
            continue;
        char *end = tree_put_real(text, value);
        assert_true(end - text <= TREE_NUMBER_BYTES_MAX);
        *end = '\0';
        assert_true(strtod(text, NULL) == value);
    }
}
