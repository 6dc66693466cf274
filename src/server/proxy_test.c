#include "server/proxy.h"

#include "base/test.h"

static struct proxy_trust trusting(const char *list)
{
    struct proxy_trust trust = { .count = 0 };
    assert_ok(proxy_trust_parse(&trust, str_of(list), NULL));
    return trust;
}

TEST(proxy, only_a_trusted_peer_may_say_who_the_client_is)
{
    static const struct {
        const char *trust, *peer, *forwarded_for, *proto, *forwarded, *client;
        bool        is_https;
    } table[] = {
        { "", "10.0.0.1", "1.2.3.4", "https", NULL, "10.0.0.1", false },
        { "10.0.0.0/8", "11.0.0.1", "1.2.3.4", "https", NULL, "11.0.0.1", false },
        { "10.0.0.0/8", "10.0.0.1", "1.2.3.4", "https", NULL, "1.2.3.4", true },
        { "10.0.0.0/8", "10.0.0.1", "6.6.6.6, 203.0.113.9, 10.0.0.2", NULL, NULL, "203.0.113.9",
          false },
        { "10.0.0.0/8", "10.0.0.1", "6.6.6.6, nonsense, 10.0.0.2", NULL, NULL, "10.0.0.2", false },
        { "10.0.0.0/8", "10.0.0.1", "10.0.0.3", NULL, NULL, "10.0.0.3", false },
        { "10.0.0.0/8", "10.0.0.1", "", NULL, NULL, "10.0.0.1", false },
        { "10.0.0.0/8", "10.0.0.1", NULL, NULL, "for=6.6.6.6, for=\"[2001:db8::1]:44\";proto=https",
          "2001:db8::1", true },
        { "10.0.0.0/8", "10.0.0.1", NULL, NULL, "for=unknown;proto=https", "10.0.0.1", true },
        { "10.0.0.0/8", "10.0.0.1", NULL, NULL, "FOR = 1.2.3.4:80 ; by=x", "1.2.3.4", false },
        { "10.0.0.0/8", "10.0.0.1", "1.1.1.1", NULL, "for=2.2.2.2", "1.1.1.1", false },
        { "2001:db8::/32", "2001:db8:1::1", "1.2.3.4:9", "http", NULL, "1.2.3.4", false },
        { "::ffff:10.0.0.0/8", "10.9.9.9", "1.2.3.4", NULL, NULL, "1.2.3.4", false },
        { "192.0.2.7", "192.0.2.7", "1.2.3.4", NULL, NULL, "1.2.3.4", false },
        { "192.0.2.6/31", "192.0.2.8", "1.2.3.4", NULL, NULL, "192.0.2.8", false },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        char                 text[PROXY_ADDRESS_BYTES];
        struct proxy_address peer;
        struct proxy_trust   trust = trusting(table[i].trust);
        assert_ok(proxy_address_parse(str_of(table[i].peer), &peer));
        struct proxy_claims claims = { str_of(table[i].forwarded_for), str_of(table[i].proto),
                                       str_of(table[i].forwarded) };
        struct proxy_client client = proxy_client_of(&trust, &peer, false, &claims);
        assert_str(str_of(proxy_address_write(&client.address, text)), table[i].client);
        assert_int_equal(client.is_https, table[i].is_https);
    }
}

TEST(proxy, a_list_with_one_bad_network_changes_nothing)
{
    static const char *const table[] = {
        "10.0.0.0/33", "10.0.0/8",         "x",         "::/129",
        "10.0.0.0/-1", "10.0.0.0/8, [::1", "10.0.0.0/", "1.2.3.4/x"
    };
    struct proxy_trust trust = trusting("192.0.2.0/24");
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct problem problem = { 0 };
        assert_int_equal(proxy_trust_parse(&trust, str_of(table[i]), &problem), ERR_INPUT);
        assert_true(problem.what[0] != '\0' && problem.remedy[0] != '\0');
        assert_int_equal(trust.count, 1);
    }
}
