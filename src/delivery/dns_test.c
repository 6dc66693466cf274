/* Asked of a real server on this machine. */
#include "delivery/dns.h"

#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "delivery/dns_peer_test.h"

#define FORTY "0123456789012345678901234567890123456789"
#define LONG FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY FORTY

static const struct dns_zone zones[] = {
    { DNS_TXT, "shop.example", "v=spf1 -all" }, { DNS_TXT, "shop.example", "other" },
    { DNS_TXT, "long.example", LONG },          { DNS_MX, "shop.example", "10 mx.shop.example" },
    { DNS_A, "mx.shop.example", "192.0.2.7" },  { DNS_AAAA, "mx.shop.example", "2001:db8::7" },
    { DNS_TXT, "silent.example", NULL },        { .name = NULL },
};

struct desk {
    struct dns      *dns;
    struct dns_peer *peer;
    struct arena    *arena;
};

static struct desk desk_open(void)
{
    struct desk desk = { .arena = arena_open(1 << 20) };
    char        servers[32];
    desk.peer = dns_peer_open(zones, servers);
    assert_ok(dns_open(&desk.dns, servers, NULL));
    return desk;
}

static void desk_close(struct desk *desk)
{
    dns_close(desk->dns);
    dns_peer_close(desk->peer);
    arena_close(desk->arena);
}

TEST(dns, all_questions_are_answered_at_once_and_none_is_an_answer)
{
    struct desk         desk = desk_open();
    struct dns_question ask[] = { { .type = DNS_TXT, .name = STR("shop.example") },
                                  { .type = DNS_MX, .name = STR("SHOP.example") },
                                  { .type = DNS_A, .name = STR("mx.shop.example") },
                                  { .type = DNS_AAAA, .name = STR("mx.shop.example") },
                                  { .type = DNS_TXT, .name = STR("mx.shop.example") },
                                  { .type = DNS_TXT, .name = STR("nowhere.example") } };
    dns_ask(desk.dns, ask, 6, desk.arena, 3000);
    assert_int_equal(ask[0].count, 2);
    assert_str(ask[0].records[0], "v=spf1 -all");
    assert_str(ask[0].records[1], "other");
    assert_str(ask[1].records[0], "10 mx.shop.example");
    assert_str(ask[2].records[0], "192.0.2.7");
    assert_str(ask[3].records[0], "2001:db8::7");
    assert_int_equal(ask[4].found, DNS_NONE);
    assert_int_equal(ask[5].found, DNS_NONE);
    desk_close(&desk);
}

TEST(dns, a_text_in_pieces_is_one_text_also_where_it_is_too_long_for_a_packet)
{
    struct desk         desk = desk_open();
    struct dns_question ask[] = { { .type = DNS_TXT, .name = STR("long.example") } };
    dns_ask(desk.dns, ask, 1, desk.arena, 3000);
    assert_int_equal(ask[0].found, DNS_FOUND);
    assert_int_equal(ask[0].count, 1);
    assert_str(ask[0].records[0], LONG);
    desk_close(&desk);
}

TEST(dns, silence_ends_at_the_deadline_and_is_not_taken_for_none)
{
    struct desk         desk = desk_open();
    struct dns_question ask[] = { { .type = DNS_TXT, .name = STR("silent.example") },
                                  { .type = DNS_TXT, .name = STR("shop.example") },
                                  { .type = DNS_TXT, .name = STR_NONE } };
    int64_t             begun_us = time_mono_us();
    dns_ask(desk.dns, ask, 3, desk.arena, 1000); /* within which the others are answered */
    assert_true(time_mono_us() - begun_us < 10000000);
    assert_int_equal(ask[0].found, DNS_UNKNOWN);
    assert_string_equal(ask[0].why, "nobody answered in time");
    assert_int_equal(ask[1].found, DNS_FOUND);
    assert_int_equal(ask[2].found, DNS_UNKNOWN);
    dns_ask(desk.dns, &ask[1], 1, desk.arena, 3000); /* and it can be asked again */
    assert_int_equal(ask[1].count, 2);
    desk_close(&desk);
}

TEST(dns, where_nobody_listens_the_answer_is_unknown)
{
    SCOPED(dns_closep) struct dns     *dns = NULL;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct dns_question                ask[] = { { .type = DNS_MX, .name = STR("shop.example") } };
    struct problem                     problem = { .where = "" };
    assert_ok(dns_open(&dns, "127.0.0.1:1", NULL));
    dns_ask(dns, ask, 1, arena, 1000);
    assert_int_equal(ask[0].found, DNS_UNKNOWN);
    assert_true(ask[0].why[0] != '\0');
    struct dns *other = NULL;
    assert_int_equal(dns_open(&other, "no address", &problem), ERR_INPUT);
    assert_true(problem.remedy[0] != '\0');
}
