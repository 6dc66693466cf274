#include "server/gate.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"

static enum gate_verdict read_whole(struct str bytes, struct gate_head *head,
                                    struct gate_refusal *why)
{
    return gate_read(bytes, 0, head, why);
}

TEST(gate, an_ordinary_request_passes_and_its_parts_are_found)
{
    struct gate_head    head;
    struct gate_refusal why;
    struct str          bytes =
        STR("POST /v1/batch?a=1&b HTTP/1.1\r\nHost: shop.example:8080\r\n"
            "Content-Type:text/plain \r\ncontent-length: 17\r\nX-Empty:\r\n\r\nbody");
    assert_int_equal(read_whole(bytes, &head, &why), GATE_PASS);
    assert_int_equal(head.method, GATE_POST);
    assert_str(gate_text(bytes, head.path), "/v1/batch");
    assert_str(gate_text(bytes, head.query), "a=1&b");
    assert_str(gate_text(bytes, head.host), "shop.example:8080");
    assert_str(gate_field(&head, bytes, STR("CONTENT-TYPE")), "text/plain");
    assert_str(gate_field(&head, bytes, STR("x-empty")), "");
    assert_null(gate_field(&head, bytes, STR("x-absent")).ptr);
    assert_int_equal(head.body_bytes, 17);
    assert_int_equal(head.bytes, bytes.len - 4);
    assert_true(head.is_keep_alive);
}

TEST(gate, connection_and_version_decide_who_may_stay)
{
    static const struct {
        const char *bytes;
        bool        stays;
    } table[] = {
        { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n", false },
        { "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, close\r\n\r\n", false },
        { "GET / HTTP/1.0\r\n\r\n", false },
        { "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct gate_head    head;
        struct gate_refusal why;
        assert_int_equal(read_whole(str_of(table[i].bytes), &head, &why), GATE_PASS);
        assert_int_equal(head.is_keep_alive, table[i].stays);
    }
}

TEST(gate, a_full_address_as_target_must_agree_with_the_host)
{
    struct gate_head    head;
    struct gate_refusal why;
    struct str          good = STR("GET http://A.example/x?y HTTP/1.1\r\nHost: a.example\r\n\r\n");
    struct str          bad = STR("GET http://evil.example/x HTTP/1.1\r\nHost: a.example\r\n\r\n");
    assert_int_equal(read_whole(good, &head, &why), GATE_PASS);
    assert_str(gate_text(good, head.path), "/x");
    assert_str(gate_text(good, head.query), "y");
    assert_int_equal(read_whole(bad, &head, &why), GATE_REFUSE);
}

/* What may be read in two ways, or in none. Each is a whole head unless it says otherwise. */
TEST(gate, whatever_can_be_read_in_two_ways_is_refused)
{
    static const struct {
        int        status;
        struct str bytes;
    } table[] = {
#define HEAD(status, text)                                                                         \
    {                                                                                              \
        status,                                                                                    \
        {                                                                                          \
            text, sizeof(text) - 1                                                                 \
        }                                                                                          \
    }
#define WITH(status, lines) HEAD(status, "POST / HTTP/1.1\r\nHost: a\r\n" lines "\r\n\r\n")
        WITH(400, "Content-Length: 5\r\nContent-Length: 6"),
        WITH(400, "Content-Length: 5\r\nContent-Length: 5"),
        WITH(400, "Content-Length: 5, 5"),
        WITH(400, "Content-Length: +5"),
        WITH(400, "Content-Length: -1"),
        WITH(400, "Content-Length: 0x5"),
        WITH(400, "Content-Length: 5 5"),
        WITH(400, "Content-Length:"),
        WITH(400, "Content-Length: 99999999999999999999"),
        WITH(400, "Content-Length: 5\r\nTransfer-Encoding: chunked"),
        WITH(400, "Transfer-Encoding: chunked\r\nContent-Length: 5"),
        WITH(400, "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
        WITH(400, "Transfer-Encoding: identity"),
        WITH(400, "Transfer-Encoding: gzip, chunked"),
        WITH(400, "Transfer-Encoding: xchunked"),
        WITH(400, "Transfer-Encoding: \x0b"
                  "chunked"),
        WITH(400, "Transfer-Encoding : chunked"),
        WITH(400, " Transfer-Encoding: chunked"),
        WITH(400, "X: 1\r\n Transfer-Encoding: chunked"),
        WITH(400, "Content_Length: 5"),
        WITH(400, "Host: b"),
        WITH(400, "X: a\0b"),
        WITH(400, "X: a\rb"),
        WITH(400, "X: a\nContent-Length: 5"),
        WITH(400, "X: a\x01"
                  "b"),
        WITH(400, "X: a\x7f"),
        WITH(400, "no colon here"),
        WITH(400, ": no name"),
        WITH(400, "X(y): 1"),
        WITH(400, "X\0Y: 1"),
        WITH(417, "Expect: 200-ok"),
        HEAD(400, "GET / HTTP/1.1\r\n\r\n"),
        HEAD(400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
        HEAD(400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"),
        HEAD(400, "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"),
        HEAD(400, "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        HEAD(400, "GET /\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n"),
        HEAD(400, "GET / x HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "get / HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
        HEAD(400, "GET * HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET a/b HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET http://a HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET /%0 HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET /%00 HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET / http/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET / HTTP/11\r\nHost: a\r\n\r\n"),
        HEAD(505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n"),
        HEAD(400, "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"),
        HEAD(400, "GET / HTTP/1.1\nHost: a\n\n"), /* never a blank line: refused all the same */
        HEAD(400, "\x16\x03\x01\x02"),            /* TLS to a plain port */
#undef HEAD
#undef WITH
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct gate_head    head;
        struct gate_refusal why = { 0 };
        if (read_whole(table[i].bytes, &head, &why) != GATE_REFUSE || why.status != table[i].status)
            fail_msg("row %zu: status %d instead of %d", i, why.status, table[i].status);
        assert_non_null(why.what);
        assert_non_null(why.remedy);
    }
}

TEST(gate, bounds_are_refused_and_one_below_them_passes)
{
    static char         bytes[GATE_HEAD_BYTES_MAX + 100];
    struct gate_head    head;
    struct gate_refusal why;
    int                 len = sprintf(bytes, "GET / HTTP/1.1\r\nHost: a\r\n");
    int                 start = len;

    for (int i = 1; i < GATE_FIELDS_MAX; i++)
        len += sprintf(bytes + len, "A: b\r\n");
    sprintf(bytes + len, "\r\n");
    assert_int_equal(read_whole(str_of(bytes), &head, &why), GATE_PASS);
    sprintf(bytes + len, "A: b\r\n\r\n");
    assert_int_equal(read_whole(str_of(bytes), &head, &why), GATE_REFUSE);
    assert_int_equal(why.status, 431);

    memset(bytes + start, 'x', sizeof bytes - 1 - (size_t)start);
    assert_int_equal(read_whole((struct str){ bytes, GATE_HEAD_BYTES_MAX - 1 }, &head, &why),
                     GATE_MORE);
    assert_int_equal(read_whole((struct str){ bytes, GATE_HEAD_BYTES_MAX }, &head, &why),
                     GATE_REFUSE);
    assert_int_equal(why.status, 431);

    memset(bytes, 0, sizeof bytes);
    memset(bytes, 'x', GATE_TARGET_BYTES_MAX + 10);
    memcpy(bytes, "GET /", 5);
    strcat(bytes, " HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(read_whole(str_of(bytes), &head, &why), GATE_REFUSE);
    assert_int_equal(why.status, 414);
}

TEST(gate, a_head_may_come_byte_by_byte)
{
    struct str          bytes = STR("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n");
    struct gate_head    head;
    struct gate_refusal why;
    for (size_t len = 0; len < bytes.len; len++)
        assert_int_equal(gate_read(str_slice(bytes, 0, len), len == 0 ? 0 : len - 1, &head, &why),
                         GATE_MORE);
    assert_int_equal(gate_read(bytes, bytes.len - 1, &head, &why), GATE_PASS);
    assert_int_equal(head.body_bytes, 3);
}

/* Reads a chunked body handed over `step` bytes at a time. */
static enum gate_verdict unchunk(struct str bytes, size_t step, char *out, size_t *len,
                                 struct str *after, struct gate_refusal *why)
{
    struct gate_chunk chunk = { 0 };
    *len = 0;
    for (size_t at = 0; at < bytes.len; at += step) {
        struct str rest = str_slice(bytes, at, at + step), data;
        while (rest.len > 0) {
            enum gate_verdict verdict = gate_chunk_read(&chunk, &rest, &data, why);
            memcpy(out + *len, data.ptr == NULL ? "" : data.ptr, data.len);
            *len += data.len;
            if (verdict != GATE_MORE) {
                *after = (struct str){ rest.ptr, (size_t)(bytes.ptr + bytes.len - rest.ptr) };
                return verdict;
            }
        }
    }
    return GATE_MORE;
}

TEST(gate, chunks_read_the_same_however_they_are_cut)
{
    struct str bytes =
        STR("5;name=value\r\nhello\r\nA\r\n, world..\n\r\n00\r\nX-Sum: 1\r\n\r\nGET /");
    for (size_t step = 1; step <= bytes.len; step++) {
        char                out[64];
        size_t              len;
        struct str          after;
        struct gate_refusal why;
        assert_int_equal(unchunk(bytes, step, out, &len, &after, &why), GATE_PASS);
        assert_str(((struct str){ out, len }), "hello, world..\n");
        assert_str(after, "GET /");
    }
}

TEST(gate, chunks_that_are_not_plain_are_refused)
{
    static const char *const table[] = {
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "\r\n",
        "5\r\nhelloXX0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5 \r\nhello\r\n",
        "fffffffff\r\n",
        "5;a\rb\r\nhello\r\n",
        "5;a\nhello\r\n",
        "0\r\nbad trailer\r\n\r\n",
        "0\r\n: x\r\n\r\n",
        "g\r\n",
        "5;\x01\r\n",
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char                out[64];
        size_t              len;
        struct str          after;
        struct gate_refusal why;
        if (unchunk(str_of(table[i]), 1, out, &len, &after, &why) != GATE_REFUSE)
            fail_msg("row %zu passed", i);
    }
}
