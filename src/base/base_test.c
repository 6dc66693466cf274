/* Examples of base, each file's in a line or two; the larger modules have tests of their own. */
#include "base/encode.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/map.h"
#include "base/test.h"
#include "base/time.h"

#include <stdio.h>
#include <string.h>

static void count_down(void *what)
{
    int *left = what;
    *left = *left * 10 + 1;
}

static void count_up(void *what)
{
    int *left = what;
    *left = *left * 10 + 2;
}

TEST(arena, what_was_deferred_ends_once_with_the_arena_or_its_reset_the_latest_first)
{
    int           done = 0;
    struct arena *arena = arena_open(1000);
    assert_true(arena_defer(arena, count_down, &done));
    assert_true(arena_defer(arena, count_up, &done));
    arena_reset(arena);
    assert_int_equal(done, 21);
    while (arena_alloc(arena, 16) != NULL)
        ;
    assert_false(arena_defer(arena, count_up, &done));
    arena_close(arena);
    assert_int_equal(done, 21);
}

TEST(arena, an_arena_refuses_beyond_its_bound_and_stays_usable)
{
    struct arena *arena = arena_open(8192);
    assert_non_null(arena_alloc(arena, 4000));
    assert_null(arena_alloc(arena, 8192));
    assert_non_null(arena_alloc(arena, 16));
    assert_null(arena_array(arena, SIZE_MAX / 2, 4));
    arena_reset(arena);
    assert_int_equal(arena_used(arena), 0);
    arena_close(arena);
    arena_close(NULL);
}

TEST(str, a_split_gives_every_piece_even_the_empty_last)
{
    struct str rest = STR("a,,b,"), piece;
    size_t     count = 0;
    while (str_split(&rest, ',', &piece))
        count++;
    assert_int_equal(count, 4);
}

TEST(str, numbers_are_whole_or_refused)
{
    int64_t i;
    double  d;
    assert_ok(str_to_int(STR("-9223372036854775808"), &i));
    assert_int_equal(i, INT64_MIN);
    assert_int_equal(str_to_int(STR("9223372036854775808"), &i), ERR_INPUT);
    assert_int_equal(str_to_int(STR("12x"), &i), ERR_INPUT);
    assert_int_equal(str_to_int(STR("-"), &i), ERR_INPUT);
    assert_ok(str_to_real(STR("2500315.63"), &d));
    assert_true(d == 2500315.63);
    assert_int_equal(str_to_real(STR("nan"), &d), ERR_INPUT);
    assert_int_equal(str_to_real(STR("0x10"), &d), ERR_INPUT);
    assert_int_equal(str_to_real(STR("1e999"), &d), ERR_INPUT);
}

TEST(str, utf8_is_checked_as_rfc_3629_says)
{
    assert_true(str_is_utf8(STR("blåbær \xF0\x9F\x8D\x93")));
    assert_false(str_is_utf8(STR("\xC0\xAF")));
    assert_false(str_is_utf8(STR("\xED\xA0\x80")));
    assert_false(str_is_utf8(STR("\xF4\x90\x80\x80")));
    assert_false(str_is_utf8(STR("a\xE2\x82")));
}

TEST(buf, the_first_failure_sticks)
{
    struct buf buf = buf_make(4);
    buf_str(&buf, STR("abc"));
    buf_str(&buf, STR("de"));
    buf_char(&buf, 'f');
    assert_int_equal(buf_err(&buf), ERR_LIMIT);
    assert_str(buf_view(&buf), "abc");
    buf_done(&buf);
}

TEST(buf, a_guess_of_what_comes_never_fails_and_a_format_uses_the_last_byte_but_one)
{
    struct buf buf = buf_make(4), none = buf_make(0);
    buf_expect(&buf, 1000);
    buf_format(&buf, "%s", "abc");
    assert_str(buf_view(&buf), "abc");
    buf_format(&buf, "%s", "d"); /* vsnprintf ends it, and there is no room for that */
    assert_int_equal(buf_err(&buf), ERR_LIMIT);
    assert_str(buf_view(&buf), "abc");
    buf_expect(&none, 1);
    buf_char(&none, 'a');
    assert_int_equal(buf_err(&none), ERR_LIMIT);
    buf_done(&buf);
    buf_done(&none);
}

TEST(time, every_day_of_eight_hundred_years_goes_there_and_back)
{
    for (int64_t day = -200000; day < 100000; day++) {
        int64_t           at = day * TIME_DAY_MS + 12345678;
        struct time_parts p = time_split(at);
        assert_int_equal(time_join(&p), at);
    }
    assert_int_equal(time_split(0).weekday, 4);
}

TEST(time, text_of_the_world_is_read)
{
    static const struct {
        const char *text;
        int64_t     ms;
    } good[] = {
        { "1970-01-01", 0 },
        { "2026-01-02T03:04:05.678Z", INT64_C(1767323045678) },
        { "2026-01-02T03:04:05.6789123Z", INT64_C(1767323045678) },
        { "2026-01-02T04:04:05.678+01:00", INT64_C(1767323045678) },
        { "2026-01-02 03:04", INT64_C(1767323040000) },
        { "2024-02-29", INT64_C(1709164800000) },
    };
    static const char *const bad[] = { "",
                                       "2026",
                                       "2026-13-01",
                                       "2025-02-29",
                                       "2026-01-02T25:00Z",
                                       "2026-01-02T",
                                       "2026-01-02T03:04:05.Z",
                                       "2026-01-02x" };
    int64_t                  ms;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_ok(time_parse(str_of(good[i].text), &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(time_parse(str_of(bad[i]), &ms), ERR_INPUT);
    char text[TIME_TEXT_BYTES];
    assert_string_equal(time_write(INT64_C(1767323045678), text), "2026-01-02T03:04:05.678Z");
}

TEST(time, lengths_are_read_and_written_in_the_largest_whole_unit)
{
    int64_t ms;
    char    text[32];
    assert_ok(time_length_parse(STR("30 days"), &ms));
    assert_string_equal(time_length_write(ms, text, sizeof text), "30 days");
    assert_ok(time_length_parse(STR("1h"), &ms));
    assert_string_equal(time_length_write(ms, text, sizeof text), "1 hour");
    assert_ok(time_length_parse(STR("90 minutes"), &ms));
    assert_string_equal(time_length_write(ms, text, sizeof text), "90 minutes");
    assert_int_equal(time_length_parse(STR("3 fortnights"), &ms), ERR_INPUT);
    assert_int_equal(time_length_parse(STR("days"), &ms), ERR_INPUT);
    assert_int_equal(time_length_parse(STR("99999999999999999999d"), &ms), ERR_INPUT);
}

TEST(json, what_is_no_utf8_is_written_so_that_it_can_be_read)
{
    static const struct {
        const char *text, *written;
    } cases[] = {
        { "b\xC3\xB8", "\"b\xC3\xB8\"" },
        { "b\xC3", "\"b\xEF\xBF\xBD\"" },
        { "\xB8\"\xF0\x9F\x98x", "\"\xEF\xBF\xBD\\\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx\"" },
        { "\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        SCOPED(buf_donep) struct buf out = buf_make(100);
        json_write_str(&out, str_of(cases[i].text));
        assert_str(buf_view(&out), cases[i].written);
    }
}

TEST(json, what_is_read_is_written_back)
{
    static const char text[] =
        "{\"a\":1,\"b\":[true,null,-2.5,\"\\u00e5\\n\"],\"c\":{},\"a\":9007199254740993,\"d\":1.0}";
    struct arena *arena = arena_open(1 << 20);
    struct json   value;
    struct buf    out = buf_make(1000);
    assert_ok(json_parse_once(arena, str_of(text), &value, NULL));
    json_write(&out, &value);
    assert_str(
        buf_view(&out),
        "{\"a\":1,\"b\":[true,null,-2.5,\"å\\n\"],\"c\":{},\"a\":9007199254740993,\"d\":1.0}");
    assert_int_equal(json_get(&value, STR("a"))->integer, INT64_C(9007199254740993));
    assert_true(json_path(&value, STR("b.2"))->real == -2.5);
    assert_null(json_path(&value, STR("b.9")));
    buf_done(&out);
    arena_close(arena);
}

TEST(json, broken_text_is_refused_with_a_remedy)
{
    static const char *const bad[] = { "",    "{",   "{\"a\":}",      "[1,]",       "\"\xFF\"",
                                       "nul", "1 2", "{\"a\":1e999}", "\"\\ud800\"" };
    struct arena            *arena = arena_open(1 << 20);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct json    value;
        struct problem problem = { 0 };
        assert_int_equal(json_parse_once(arena, str_of(bad[i]), &value, &problem), ERR_INPUT);
        assert_true(problem.what[0] != '\0' && problem.remedy[0] != '\0');
    }
    arena_close(arena);
}

TEST(json, depth_has_a_bound)
{
    char          deep[400];
    struct arena *arena = arena_open(1 << 20);
    struct json   value;
    memset(deep, '[', 200);
    memset(deep + 200, ']', 200);
    assert_int_equal(json_parse_once(arena, (struct str){ deep, 400 }, &value, NULL), ERR_LIMIT);
    assert_ok(json_parse_once(arena, (struct str){ deep + 150, 100 }, &value, NULL));
    arena_close(arena);
}

TEST(encode, the_vectors_of_rfc_4648)
{
    struct buf out = buf_make(100);
    base64_write(&out, STR("foobar"));
    buf_char(&out, ' ');
    base64_write(&out, STR("fooba"));
    buf_char(&out, ' ');
    base64url_write(&out, STR("\xff\xfe"));
    assert_str(buf_view(&out), "Zm9vYmFy Zm9vYmE= __4");
    buf_reset(&out);
    assert_ok(base64_read(&out, STR("Zm9vYg==")));
    assert_str(buf_view(&out), "foob");
    assert_int_equal(base64_read(&out, STR("Zm9vYh==")), ERR_INPUT);
    assert_int_equal(base64_read(&out, STR("Zm9")), ERR_INPUT);
    assert_int_equal(percent_read(&out, STR("%4"), false), ERR_INPUT);
    buf_reset(&out);
    assert_ok(percent_read(&out, STR("a%20b+c%C3%A5"), true));
    assert_str(buf_view(&out), "a b cå");
    buf_done(&out);
}

TEST(encode, what_html_would_take_for_its_own_is_escaped_in_texts_and_in_attributes)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        { "", "" },
        { "a b", "a b" },
        { "<a href=\"x\">", "&lt;a href=&quot;x&quot;&gt;" },
        { "'&amp;'", "&#39;&amp;amp;&#39;" },
        { "\xc3\xa5 < \xe2\x82\xac", "\xc3\xa5 &lt; \xe2\x82\xac" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = buf_make(100);
        html_escape(&out, str_of(cases[i].text));
        assert_str(buf_view(&out), cases[i].wanted);
        buf_done(&out);
    }
}

static bool same_number(const void *owner, uint32_t value, const void *key)
{
    (void)owner;
    return value == *(const uint32_t *)key;
}

TEST(map, a_map_agrees_with_a_plain_array)
{
    struct map map = map_make();
    bool       there[5000] = { false };
    uint64_t   random = 1;
    for (int step = 0; step < 200000; step++) {
        random = hash_u64(random, 7);
        uint32_t key = (uint32_t)(random % 5000);
        uint64_t hash = (uint64_t)(key % 97) << 32; /* many equal tags: the worst case */
        assert_int_equal(map_find(&map, hash, same_number, NULL, &key) != MAP_NONE, there[key]);
        if (!there[key])
            assert_ok(map_add(&map, hash, key));
        else
            assert_true(map_remove(&map, hash, key));
        there[key] = !there[key];
        uint32_t guess = map_guess(&map, hash);
        assert_true(guess == MAP_NONE ? !there[key] : guess % 97 == key % 97 && there[guess]);
    }
    map_done(&map);
}

TEST(hash, chance_is_even_and_fixed_for_ever)
{
    int  low = 0;
    char who[16];
    for (int i = 0; i < 10000; i++) {
        snprintf(who, sizeof who, "p%d", i);
        low += hash_chance(str_of(who), STR("experiment")) < 0.2;
    }
    assert_in_range(low, 1880, 2120);
    assert_true(hash_chance(STR("ada"), STR("welcome")) == hash_chance(STR("ada"), STR("welcome")));
}
