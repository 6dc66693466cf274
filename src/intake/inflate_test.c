#include "intake/inflate.h"

#include "base/test.h"

#include <stdlib.h>
#include <string.h>
#define ZLIB_CONST
#include <zlib.h>

enum { GZIP = 31, ZLIB = 15, BARE = -15 };

static struct str packed(struct arena *arena, struct str plain, int bits)
{
    z_stream zlib = { 0 };
    assert_int_equal(deflateInit2(&zlib, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&zlib, plain.len) + 64;
    char  *at = arena_alloc(arena, room);
    zlib.next_in = (const Bytef *)plain.ptr;
    zlib.avail_in = (uInt)plain.len;
    zlib.next_out = (Bytef *)at;
    zlib.avail_out = (uInt)room;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    deflateEnd(&zlib);
    return (struct str){ at, zlib.total_out };
}

static struct str repeated(struct arena *arena, const char *unit, size_t bytes)
{
    char *at = arena_alloc(arena, bytes);
    for (size_t i = 0; i < bytes; i++)
        at[i] = unit[i % strlen(unit)];
    return (struct str){ at, bytes };
}

TEST(inflate, each_form_is_read_whole_and_byte_by_byte)
{
    static const struct {
        int                 bits;
        enum inflate_coding coding;
    } forms[] = {
        { GZIP, INFLATE_GZIP },
        { GZIP, INFLATE_IDENTITY }, /* by its magic */
        { ZLIB, INFLATE_DEFLATE },
        { BARE, INFLATE_DEFLATE },
    };
    struct arena *arena = arena_open(1 << 24);
    struct str    plain = repeated(arena, "{\"batch\":[{\"type\":\"track\"}]} ", 100000);
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct str      body = packed(arena, plain, forms[i].bits);
        struct buf      out = buf_make(plain.len);
        struct inflate *stream = inflate_open(forms[i].coding);
        assert_ok(inflate_body(forms[i].coding, body, &out, NULL));
        assert_true(str_eq(buf_view(&out), plain));
        buf_reset(&out);
        for (size_t k = 0; k < body.len; k++)
            assert_ok(inflate_feed(stream, str_slice(body, k, k + 1), &out, NULL));
        assert_ok(inflate_end(stream, &out, NULL));
        assert_true(str_eq(buf_view(&out), plain));
        inflate_close(stream);
        buf_done(&out);
    }
    arena_close(arena);
}

TEST(inflate, a_plain_body_passes_however_short)
{
    static const char *const bodies[] = { "", "{", "{}", "{\"batch\":[]}" };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct buf out = buf_make(100);
        assert_ok(inflate_body(INFLATE_IDENTITY, str_of(bodies[i]), &out, NULL));
        assert_str(buf_view(&out), bodies[i]);
        buf_done(&out);
    }
}

TEST(inflate, one_byte_beyond_the_bound_is_refused_in_every_form)
{
    static const struct {
        int                 bits;
        enum inflate_coding coding;
    } forms[] = {
        { GZIP, INFLATE_GZIP },
        { ZLIB, INFLATE_DEFLATE },
        { BARE, INFLATE_DEFLATE },
    };
    struct arena  *arena = arena_open(1 << 24);
    struct str     plain = repeated(arena, "abcdefghij", 70000);
    struct problem problem = { 0 };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        struct buf exact = buf_make(70000), small = buf_make(69999);
        struct str body = packed(arena, plain, forms[i].bits);
        assert_ok(inflate_body(forms[i].coding, body, &exact, NULL));
        assert_int_equal(inflate_body(forms[i].coding, body, &small, &problem), ERR_LIMIT);
        assert_true(problem.remedy[0] != '\0');
        buf_done(&exact);
        buf_done(&small);
    }
    struct buf small = buf_make(69999);
    assert_int_equal(inflate_body(INFLATE_IDENTITY, plain, &small, NULL), ERR_LIMIT);
    buf_done(&small);
    arena_close(arena);
}

TEST(inflate, a_bomb_goes_off_at_its_ratio_long_before_the_bound)
{
    struct arena *arena = arena_open(1 << 26);
    struct str    zeros = repeated(arena, "0", 20 << 20);
    struct buf    out = buf_make(64 << 20);
    assert_int_equal(inflate_body(INFLATE_GZIP, packed(arena, zeros, GZIP), &out, NULL), ERR_LIMIT);
    assert_true(out.len < 2 << 20);
    buf_done(&out);
    arena_close(arena);
}

TEST(inflate, what_is_broken_cut_or_followed_is_refused)
{
    struct arena *arena = arena_open(1 << 24);
    struct str    plain = repeated(arena, "{\"batch\":[]}", 3000);
    struct str    body = packed(arena, plain, GZIP);
    for (size_t cut = 1; cut < body.len; cut++) {
        struct buf out = buf_make(4096);
        enum err   err = inflate_body(INFLATE_GZIP, str_slice(body, 0, cut), &out, NULL);
        assert_int_equal(err, ERR_INPUT);
        buf_done(&out);
    }
    struct buf out = buf_make(8192);
    struct str twice;
    char      *more = arena_alloc(arena, 2 * body.len);
    memcpy(more, body.ptr, body.len);
    memcpy(more + body.len, body.ptr, body.len);
    twice = (struct str){ more, body.len + 1 };
    assert_int_equal(inflate_body(INFLATE_GZIP, twice, &out, NULL), ERR_INPUT);
    buf_reset(&out);
    twice.len = 2 * body.len;
    assert_int_equal(inflate_body(INFLATE_GZIP, twice, &out, NULL), ERR_INPUT);
    buf_reset(&out);
    more[body.len - 5] ^= 1; /* the checksum */
    twice.len = body.len;
    assert_int_equal(inflate_body(INFLATE_GZIP, twice, &out, NULL), ERR_INPUT);
    buf_reset(&out);
    assert_int_equal(inflate_body(INFLATE_GZIP, STR("{}"), &out, NULL), ERR_INPUT);
    assert_int_equal(inflate_body(INFLATE_GZIP, STR(""), &out, NULL), ERR_INPUT);
    assert_int_equal(inflate_body(INFLATE_DEFLATE, STR(""), &out, NULL), ERR_INPUT);
    buf_done(&out);
    arena_close(arena);
}

TEST(inflate, codings_are_known_by_name_or_refused)
{
    static const struct {
        const char         *name;
        enum err            err;
        enum inflate_coding coding;
    } cases[] = {
        { "", OK, INFLATE_IDENTITY },   { "identity", OK, INFLATE_IDENTITY },
        { "gzip", OK, INFLATE_GZIP },   { " GZip ", OK, INFLATE_GZIP },
        { "x-gzip", OK, INFLATE_GZIP }, { "deflate", OK, INFLATE_DEFLATE },
        { "br", ERR_INPUT, 0 },         { "gzip, gzip", ERR_INPUT, 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum inflate_coding coding = 0;
        assert_int_equal(inflate_coding_parse(str_of(cases[i].name), &coding), cases[i].err);
        assert_int_equal(coding, cases[i].coding);
    }
}
