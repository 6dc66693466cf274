#include "engine/behaviour/bag.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"

enum { ARENA_BYTES = 8 << 20, OUT_BYTES = 1 << 20 };

struct bagged {
    struct arena *arena;
    struct dict  *keys;
    struct buf    out;
    struct bag    bag;
    uint32_t      left_out;
};

static struct bagged bagged(const char *text)
{
    struct bagged b = { .arena = arena_open(ARENA_BYTES),
                        .keys = dict_open(),
                        .out = buf_make(OUT_BYTES) };
    struct json   json;
    assert_ok(json_parse_once(b.arena, str_of(text), &json, NULL));
    buf_str(&b.out, STR("12345678"));
    assert_ok(bag_write(&b.out, b.keys, &json, &b.left_out));
    assert_int_equal(b.out.len % BAG_UNIT_BYTES, 0);
    struct bags region = { (const unsigned char *)b.out.ptr, b.out.len };
    b.bag = bag_at(region, 1);
    return b;
}

static void bagged_donep(struct bagged *b)
{
    buf_done(&b->out);
    dict_close(b->keys);
    arena_close(b->arena);
}

/* The items as text: "key=value key[element]=value". */
static void assert_items(const struct bagged *b, const char *expected)
{
    SCOPED(buf_donep) struct buf text = buf_make(OUT_BYTES);
    struct bag_item              item;
    uint32_t                     at = 0;
    while (bag_next(b->bag, &at, &item)) {
        if (text.len > 0)
            buf_char(&text, ' ');
        buf_str(&text, dict_text(b->keys, item.key));
        if (item.listed)
            buf_format(&text, "[%d]", item.element);
        buf_char(&text, '=');
        json_write(&text, &item.value);
    }
    assert_str(buf_view(&text), expected);
}

TEST(bag, nested_things_become_dotted_keys_and_arrays_repeated_ones)
{
    static const struct {
        const char *json, *items;
    } table[] = {
        { "{\"revenue\":9.5,\"to\":{\"city\":\"Oslo\"}}", "revenue=9.5 to.city=\"Oslo\"" },
        { "{\"p\":[{\"c\":\"a\",\"n\":1},{\"c\":\"b\"}]}", "p.c[0]=\"a\" p.n[0]=1 p.c[1]=\"b\"" },
        { "{\"t\":[\"x\",null,true]}", "t[0]=\"x\" t[1]=null t[2]=true" },
        { "{\"m\":[[1,2],[3]]}", "m[0]=1 m[0]=2 m[1]=3" },
        { "{\"a\":[],\"b\":{},\"c\":0}", "c=0" },
        { "{\"a\":1,\"b\":2,\"a\":{\"x\":3}}", "b=2 a.x=3" },
        { "{\"\":1,\"a\":{\"\":2}}", "=1 a.=2" },
        { "{\"a\":-128,\"b\":128,\"c\":-40000,\"d\":3000000000,\"e\":-9223372036854775808}",
          "a=-128 b=128 c=-40000 d=3000000000 e=-9223372036854775808" },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        SCOPED(bagged_donep) struct bagged b = bagged(table[i].json);
        assert_int_equal(b.left_out, 0);
        assert_items(&b, table[i].items);
    }
}

TEST(bag, an_object_without_scalars_takes_no_room)
{
    SCOPED(bagged_donep) struct bagged b = bagged("{\"a\":{\"b\":[]}}");
    assert_int_equal(b.out.len, 8);
    assert_int_equal(b.bag.len, 0);
}

/* What one element holds, as "key=value key=value". */
static void element_is(const struct bagged *b, struct bag element, const char *wanted)
{
    char            text[200] = "";
    struct bag_item item;
    uint32_t        at = 0;
    while (bag_next(element, &at, &item)) {
        struct str key = dict_text(b->keys, item.key);
        snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s=%lld ", STR_ARG(key),
                 (long long)item.value.integer);
    }
    assert_string_equal(text, wanted);
}

TEST(bag, the_elements_of_a_list_with_objects_are_walked_one_by_one_with_the_empty_ones)
{
    SCOPED(bagged_donep)
    struct bagged b =
        bagged("{\"a\":1,\"p\":[{\"x\":1,\"y\":[2,3]},{},4,{\"x\":5}],\"t\":[6,7],\"e\":[{}]}");
    struct bag      bag = b.bag, element;
    struct bag_list list;
    const char     *elements[] = { "p.x=1 p.y=2 p.y=3 ", "", "p=4 ", "p.x=5 " };

    assert_true(bag_list_find(bag, dict_find(b.keys, STR("p")), &list));
    assert_int_equal(list.count, 4);
    for (int i = 0; i < 4; i++) {
        assert_true(bag_list_next(&list, &element));
        element_is(&b, element, elements[i]);
    }
    assert_false(bag_list_next(&list, &element));
    assert_false(bag_list_find(bag, dict_find(b.keys, STR("t")), &list)); /* no objects */
    assert_true(bag_list_find(bag, dict_find(b.keys, STR("e")), &list));
    assert_int_equal(list.count, 1);
}

TEST(bag, find_gives_the_first_value_and_nothing_for_another_key)
{
    SCOPED(bagged_donep) struct bagged b = bagged("{\"x\":1,\"a\":[7,8]}");
    struct json                        value;
    assert_true(bag_find(b.bag, dict_find(b.keys, STR("a")), &value));
    assert_int_equal(value.integer, 7);
    assert_false(bag_find(b.bag, DICT_NONE, &value));
}

TEST(bag, a_text_and_an_integer_are_found_by_what_they_are)
{
    SCOPED(bagged_donep) struct bagged b = bagged("{\"n\":7,\"t\":\"seven\",\"f\":7.5}");
    uint16_t n = dict_find(b.keys, STR("n")), t = dict_find(b.keys, STR("t"));
    int64_t  number = 1;
    assert_true(str_eq(bag_text(b.bag, t), STR("seven")));
    assert_int_equal(bag_text(b.bag, n).len, 0);
    assert_int_equal(bag_text(b.bag, DICT_NONE).len, 0);
    assert_false(bag_int(b.bag, t, &number));
    assert_false(bag_int(b.bag, dict_find(b.keys, STR("f")), &number));
    assert_int_equal(number, 1);
    assert_true(bag_int(b.bag, n, &number));
    assert_int_equal(number, 7);
}

TEST(bag, a_key_takes_a_byte_until_the_dictionary_has_256_of_them)
{
    SCOPED(buf_donep) struct buf text = buf_make(OUT_BYTES);
    buf_str(&text, STR("{"));
    for (int i = 0; i < 300; i++)
        buf_format(&text, i == 0 ? "\"k%d\":%d" : ",\"k%d\":%d", i, i % 100);
    buf_str(&text, STR(",\"t\":[1,{\"u\":2}]}"));
    buf_char(&text, 0);
    SCOPED(bagged_donep) struct bagged b = bagged(text.ptr);
    struct json                        value;
    struct bag_list                    list;
    /* t, t.u and the list; the items of a list have their place in it, the list its length. */
    assert_int_equal(b.bag.len, 256 * 3 + 44 * 4 + (3 + 2) + (3 + 2 + 1) + (3 + 2 + 1));
    for (int i = 0; i < 300; i++) {
        char name[8];
        snprintf(name, sizeof name, "k%d", i);
        assert_true(bag_find(b.bag, dict_find(b.keys, str_of(name)), &value));
        assert_int_equal(value.integer, i % 100);
    }
    assert_true(bag_find(b.bag, dict_find(b.keys, STR("t.u")), &value));
    assert_int_equal(value.integer, 2);
    assert_true(bag_list_find(b.bag, dict_find(b.keys, STR("t")), &list));
    assert_int_equal(list.count, 2);
}

TEST(bag, what_is_too_deep_is_left_out_and_counted_and_the_rest_is_kept)
{
    SCOPED(bagged_donep)
    struct bagged b =
        bagged("{\"a\":{\"b\":{\"c\":{\"d\":{\"e\":{\"f\":{\"g\":{\"h\":{\"i\":{\"j\":1}}}}}}}}},"
               "\"z\":2}");
    assert_int_equal(b.left_out, 1);
    assert_items(&b, "z=2");
}

TEST(bag, items_beyond_the_bound_are_left_out_and_counted)
{
    SCOPED(buf_donep) struct buf text = buf_make(OUT_BYTES);
    buf_str(&text, STR("{\"a\":[0"));
    for (int i = 1; i < BAG_ITEMS_MAX + 10; i++)
        buf_format(&text, ",%d", i % 100);
    buf_str(&text, STR("]}"));
    buf_char(&text, 0);
    SCOPED(bagged_donep) struct bagged b = bagged(text.ptr);
    struct bag_item                    item;
    uint32_t                           at = 0, count = 0;
    while (bag_next(b.bag, &at, &item))
        assert_int_equal(item.element, count++);
    assert_int_equal(count, BAG_ITEMS_MAX);
    assert_int_equal(b.left_out, 10);
}

TEST(bag, a_text_that_fills_more_than_a_bag_is_left_out)
{
    SCOPED(buf_donep) struct buf text = buf_make(OUT_BYTES);
    buf_str(&text, STR("{\"long\":\""));
    for (int i = 0; i < BAG_BYTES_MAX; i++)
        buf_char(&text, 'x');
    buf_str(&text, STR("\",\"b\":true}"));
    buf_char(&text, 0);
    SCOPED(bagged_donep) struct bagged b = bagged(text.ptr);
    assert_int_equal(b.left_out, 1);
    assert_items(&b, "b=true");
}

TEST(bag, a_full_buffer_is_an_error_that_leaves_nothing_behind)
{
    SCOPED(bagged_donep) struct bagged b = bagged("{\"a\":1}");
    SCOPED(buf_donep) struct buf       small = buf_make(12);
    struct json                        json;
    assert_ok(json_parse_once(b.arena, STR("{\"a\":\"0123456789\"}"), &json, NULL));
    assert_int_equal(bag_write(&small, b.keys, &json, NULL), ERR_LIMIT);
    assert_int_equal(small.len, 0);
}

TEST(bag, an_offset_or_length_that_lies_gives_the_empty_bag)
{
    static const unsigned char bytes[24] = { [8] = 200, [16] = 3 };
    struct bags                region = { bytes, sizeof bytes };
    for (uint32_t offset = 0; offset < 8; offset++)
        assert_int_equal(bag_at(region, offset).len, 0);
    assert_int_equal(bag_at(region, UINT32_MAX).len, 0);
}

TEST(bag, damaged_bytes_end_the_bag_early_and_are_never_read_beyond)
{
    static const char text[] = "{\"a\":[1,2.5,\"some text\",300],\"b\":{\"c\":\"x\"},\"d\":null}";
    SCOPED(bagged_donep) struct bagged b = bagged(text);
    for (uint32_t at = 0; at < b.bag.len; at++)
        for (int value = 0; value < 256; value++) {
            unsigned char *copy = arena_alloc(b.arena, b.bag.len); /* the sanitizer's fence */
            memcpy(copy, b.bag.bytes, b.bag.len);
            copy[at] = (unsigned char)value;
            struct bag      damaged = { copy, b.bag.len };
            struct bag_item item;
            uint32_t        walk = 0, before = 0;
            while (bag_next(damaged, &walk, &item)) {
                assert_true(walk > before && walk <= damaged.len);
                before = walk;
            }
        }
}
