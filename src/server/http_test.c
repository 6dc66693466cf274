#include "server/http_rig_test.h"
#include "server/spill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

TEST(http, a_request_is_handed_over_whole_and_answered_from_another_thread)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(rig_ask(rig,
                             STR("POST /v1/track?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "Content-Length: 5\r\n\r\nhello"),
                             text),
                     200);
    assert_non_null(strstr(text, "\r\n\r\nPOST /v1/track?a=b 127.0.0.1 http 5 hello"));
    assert_non_null(strstr(text, "Connection: close\r\n"));
    assert_non_null(strstr(text, "Date: "));
    rig_close(rig);
}

TEST(http, a_body_in_chunks_is_one_run_of_bytes)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(rig_ask(rig,
                             STR("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n"
                                 "3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: 1\r\n\r\n"),
                             text),
                     200);
    assert_non_null(strstr(text, " 5 hello"));
    rig_close(rig);
}

TEST(http, requests_sent_in_one_go_are_answered_in_order)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(rig_ask(rig,
                             STR("POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\naGET /2 "
                                 "HTTP/1.1\r\nHost: x\r\n\r\nPOST /3 HTTP/1.1\r\nHost: x\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n1\r\nb\r\n0\r\n\r\n"
                                 "GET /hidden HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
                             text),
                     200);
    const char *one = strstr(text, "POST /1? 127.0.0.1 http 1 a"), *two = strstr(text, "GET /2?");
    const char *three = strstr(text, "POST /3? 127.0.0.1 http 1 b");
    assert_true(one != NULL && one < two && two < three);
    assert_int_equal(atomic_load(&rig->hidden), 1); /* so the counter of the next test does count */
    rig_close(rig);
}

#define HIDDEN "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"

/* Each hides a request where some reader might begin anew. None may be served. */
TEST(http, no_request_hidden_in_another_is_ever_served)
{
    static const struct str table[] = {
#define RAW(text) { text, sizeof(text) - 1 }
#define WITH(lines, body) RAW("POST / HTTP/1.1\r\nHost: x\r\n" lines "\r\n\r\n" body)
        WITH("Content-Length: 0\r\nContent-Length: 33", HIDDEN),
        WITH("Content-Length: 33\r\nContent-Length: 0", HIDDEN),
        WITH("Content-Length: 0\r\nContent-Length: 0", HIDDEN),
        WITH("Content-Length: 33, 0", HIDDEN),
        WITH("Content-Length: +0", HIDDEN),
        WITH("Content-Length: -0", HIDDEN),
        WITH("Content-Length: 0x0", HIDDEN),
        WITH("Content-Length: 0 33", HIDDEN),
        WITH("Content-Length:", HIDDEN),
        WITH("Content-Length: 18446744073709551616", HIDDEN),
        WITH("Content-Length: 33\r\nTransfer-Encoding: chunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: identity, chunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: xchunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked, identity", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding : chunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding\t: chunked", "0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: \x0b"
             "chunked",
             "0\r\n\r\n" HIDDEN),
        WITH("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n" HIDDEN),
        WITH("X: y\r\n\tContent-Length: 33", HIDDEN),
        WITH("X: y\nContent-Length: 33", HIDDEN),
        WITH("X: y\rContent-Length: 33", HIDDEN),
        WITH("Content-Length: 33\nX: y", HIDDEN),
        WITH("Content_Length: 33", HIDDEN),
        WITH("X: a\0Content-Length: 33", HIDDEN),
        WITH("Content-Length\0: 33", HIDDEN),
        WITH("Content-Length: 33\0", HIDDEN),
        WITH("Host: y", HIDDEN),
        WITH(": 33", HIDDEN),
        WITH("Transfer-Encoding: chunked", "0x0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "0\n\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "1\r\naX\r\n0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "1\r\na\n0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "0 \r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "-0\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "0;a\n\r\n\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "100000000\r\n" HIDDEN),
        WITH("Transfer-Encoding: chunked", "00000000000000000\r\n\r\n" HIDDEN),
        WITH("Expect: 100-continue, x", HIDDEN),
        RAW("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" HIDDEN),
        RAW("POST http://y/ HTTP/1.1\r\nHost: x\r\n\r\n" HIDDEN),
        RAW("POST /a b HTTP/1.1\r\nHost: x\r\n\r\n" HIDDEN),
        RAW("POST / HTTP/1.1\nHost: x\n\n" HIDDEN),
        RAW("POST /\r\n\r\n" HIDDEN),
        RAW("\r\n\r\n" HIDDEN),
        RAW("FETCH / HTTP/1.1\r\nHost: x\r\n\r\n" HIDDEN),
#undef WITH
#undef RAW
    };
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        int status = rig_ask(rig, table[i], text);
        if (status < 400 || status > 499 || rig_count_of(text, "Date: ") != 1)
            fail_msg("row %zu: %s", i, text);
        assert_non_null(strstr(text, "{\"error\":{\"code\":"));
    }
    assert_int_equal(atomic_load(&rig->hidden), 0);
    assert_int_equal(atomic_load(&rig->refused), sizeof table / sizeof table[0]);
    rig_close(rig);
}

/* The same for bodies that are well framed: what lies inside them is a body. */
TEST(http, a_request_inside_a_well_framed_body_is_body)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(rig_ask(rig,
                             STR("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "Content-Length: 33\r\n\r\n" HIDDEN),
                             text),
                     200);
    assert_int_equal(rig_ask(rig,
                             STR("POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                                 "Transfer-Encoding: chunked\r\n\r\n21\r\n" HIDDEN "\r\n0\r\n\r\n"),
                             text),
                     200);
    assert_int_equal(
        rig_ask(rig, STR("POST /denied HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n" HIDDEN),
                text),
        401);
    assert_int_equal(atomic_load(&rig->hidden), 0);
    rig_close(rig);
}

TEST(http, a_body_beyond_its_bound_is_413_whether_it_says_so_or_not)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    rig->body_bytes_max = 8;
    assert_int_equal(
        rig_ask(rig, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123456789"), text),
        413);
    assert_int_equal(
        rig_ask(rig, STR("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"), text),
        413);
    assert_int_equal(rig_ask(rig,
                             STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                                 "5\r\nhello\r\n4\r\nmore\r\n0\r\n\r\n"),
                             text),
                     413);
    assert_int_equal(rig_ask(rig,
                             STR("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
                                 "Connection: close\r\n\r\n8\r\n12345678\r\n0\r\n\r\n"),
                             text),
                     200);
    rig_close(rig);
}

static void large_body_comes_through(const char *spill_dir, size_t large)
{
    struct rig *rig = rig_open((struct http_conf){ .spill_dir = spill_dir });
    char       *sent = malloc(large + 200), *heard = malloc(large + 1000);
    struct str  body;
    rig->body_bytes_max = (int64_t)large;
    for (int chunked = 0; chunked < 2; chunked++) {
        int head = sprintf(sent, "PUT / HTTP/1.1\r\nHost: x\r\n%s: ",
                           chunked ? "Transfer-Encoding" : "Content-Length");
        head += chunked ? sprintf(sent + head, "chunked\r\n\r\n%zx\r\n", large)
                        : sprintf(sent + head, "%zu\r\n\r\n", large);
        for (size_t i = 0; i < large; i++)
            sent[(size_t)head + i] = (char)('a' + i % 23);
        memcpy(sent + head + large, "\r\n0\r\n\r\n", 7);
        int fd = rig_dial(rig);
        rig_say(fd, (struct str){ sent, (size_t)head + large + (chunked ? 7 : 0) });
        assert_true(rig_hear_one(fd, heard, large + 1000, &body));
        assert_true(str_ends(body, (struct str){ sent + head, large }));
        close(fd);
    }
    free(sent);
    free(heard);
    rig_close(rig);
}

TEST(http, a_large_body_comes_through_unchanged)
{
    large_body_comes_through(NULL, 3 << 20);
    large_body_comes_through(NULL, 6 << 20);
}

TEST(http, a_large_body_on_disk_comes_through_unchanged)
{
    large_body_comes_through("/tmp", SPILL_BYTES);
    large_body_comes_through("/tmp", SPILL_BYTES + 1);
    large_body_comes_through("/tmp", 7 << 20);
    large_body_comes_through("/tmp/no-such-folder", 6 << 20); /* then in memory */
}

/* What came of a body is on disk, and gone when its client is. */
TEST(http, a_large_body_is_not_held_in_memory_and_a_cut_one_by_nobody)
{
    enum { WHOLE = 40 << 20, CAME = 30 << 20, PIECE = 1 << 20 };
    struct rig       *rig = rig_open((struct http_conf){ .spill_dir = "/tmp" });
    char              head[100], *piece = calloc(1, PIECE);
    struct http_stats stats;
    int               fd = rig_dial(rig), tries = 0;
    rig->body_bytes_max = WHOLE;
    snprintf(head, sizeof head, "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n", WHOLE);
    rig_say(fd, str_of(head));
    for (int i = 0; i < CAME / PIECE; i++)
        rig_say(fd, (struct str){ piece, PIECE });
    while (stats = http_stats(rig->server), stats.bytes_in < CAME && tries++ < 1000)
        usleep(10000);
    assert_true(stats.bytes_in >= CAME);
    assert_true(stats.spilled_bytes >= CAME);
    assert_in_range(stats.held_bytes, 0, 1 << 20);
    close(fd);
    for (tries = 0; stats = http_stats(rig->server), stats.spilled_bytes > 0 && tries < 1000;
         tries++)
        usleep(10000);
    assert_int_equal(stats.spilled_bytes, 0);
    free(piece);
    rig_close(rig);
}

TEST(http, who_expects_a_word_before_the_body_gets_it)
{
    char        text[TEXT_BYTES];
    struct str  body;
    struct rig *rig = rig_open((struct http_conf){ 0 });
    int         fd = rig_dial(rig);
    rig_say(fd,
            STR("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
    assert_int_equal(recv(fd, text, sizeof text, 0), 25);
    assert_memory_equal(text, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    rig_say(fd, STR("ok"));
    assert_true(rig_hear_one(fd, text, sizeof text, &body));
    assert_str(body, "POST /? 127.0.0.1 http 2 ok");
    close(fd);
    rig_close(rig);
}

TEST(http, only_a_trusted_proxy_is_believed)
{
    char               text[TEXT_BYTES];
    struct proxy_trust trust = { .count = 0 };
    struct str         bytes = STR("GET / HTTP/1.0\r\nX-Forwarded-For: 203.0.113.9\r\n"
                                           "X-Forwarded-Proto: https\r\n\r\n");
    struct rig        *rig = rig_open((struct http_conf){ .trust = &trust });
    assert_int_equal(rig_ask(rig, bytes, text), 200);
    assert_non_null(strstr(text, "GET /? 127.0.0.1 http 0"));
    rig_close(rig);
    assert_ok(proxy_trust_parse(&trust, STR("127.0.0.0/8"), NULL));
    rig = rig_open((struct http_conf){ .trust = &trust });
    assert_int_equal(rig_ask(rig, bytes, text), 200);
    assert_non_null(strstr(text, "GET /? 203.0.113.9 https 0"));
    rig_close(rig);
}

TEST(http, head_has_a_length_and_no_body)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_int_equal(
        rig_ask(rig, STR("HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), text), 200);
    assert_non_null(strstr(text, "Content-Length: 25\r\n"));
    assert_true(str_ends(str_of(text), STR("\r\n\r\n")));
    rig_close(rig);
}
