#include "delivery/guard.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/test.h"

static bool outside(const char *text)
{
    struct sockaddr_in  v4 = { .sin_family = AF_INET };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return guard_is_outside((struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return guard_is_outside((struct sockaddr *)&v6);
}

TEST(guard, every_inside_address_is_inside_in_every_clothing)
{
    static const char *const table[] = {
        "0.0.0.0",
        "10.0.0.1",
        "10.255.255.255",
        "100.64.0.1",
        "100.127.255.255",
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "203.0.113.7",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "168.63.129.16",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1",
        "fe80::1",
        "febf::1",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "ff0e::1",
        "2001:db8::1",
        "2001::1",
        "2001:1ff::1",
        "2002:7f00:1::",
        "2002:a9fe:a9fe::1",
        "2002:c0a8:1::",
        "100::1",
        "3fff:fff::1",
        "4000::1",
        "5f00::1",
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (outside(table[i]))
            fail_msg("%s was taken for a public address", table[i]);
}

TEST(guard, public_addresses_are_outside_up_to_the_edge)
{
    static const char *const table[] = {
        "1.1.1.1",
        "8.8.8.8",
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "126.255.255.255",
        "128.0.0.1",
        "169.253.255.255",
        "169.255.0.0",
        "172.15.255.255",
        "172.32.0.0",
        "192.0.1.1",
        "192.167.255.255",
        "192.169.0.0",
        "198.17.255.255",
        "198.20.0.0",
        "223.255.255.255",
        "168.63.129.17",
        "2606:4700:4700::1111",
        "2a00:1450:4010::8a",
        "2001:4860:4860::8888",
        "2001:200::1",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
        "3ffe::1",
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (!outside(table[i]))
            fail_msg("%s was taken for an inside address", table[i]);
}

TEST(guard, a_family_we_do_not_know_is_inside)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    assert_false(guard_is_outside((struct sockaddr *)&un));
}
