#include "delivery/guard.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct prefix4 {
    uint32_t base;
    int      bits;
};

struct prefix6 {
    uint8_t base[16];
    int     bits;
};

#define V4(a, b, c, d) ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (d))

/* IANA's registry of special-purpose IPv4 addresses, and multicast. */
static const struct prefix4 inside4[] = {
    { V4(0, 0, 0, 0), 8 },        /* this network */
    { V4(10, 0, 0, 0), 8 },       /* private */
    { V4(100, 64, 0, 0), 10 },    /* carrier's NAT; some clouds' metadata */
    { V4(127, 0, 0, 0), 8 },      /* loopback */
    { V4(169, 254, 0, 0), 16 },   /* link-local; metadata of most clouds */
    { V4(172, 16, 0, 0), 12 },    /* private */
    { V4(192, 0, 0, 0), 24 },     /* protocol assignments; metadata of one cloud */
    { V4(192, 0, 2, 0), 24 },     /* documentation */
    { V4(192, 31, 196, 0), 24 },  /* AS112 */
    { V4(192, 52, 193, 0), 24 },  /* automatic multicast tunnelling */
    { V4(192, 88, 99, 0), 24 },   /* 6to4 relays, gone */
    { V4(192, 168, 0, 0), 16 },   /* private */
    { V4(192, 175, 48, 0), 24 },  /* AS112 */
    { V4(198, 18, 0, 0), 15 },    /* benchmarks */
    { V4(198, 51, 100, 0), 24 },  /* documentation */
    { V4(203, 0, 113, 0), 24 },   /* documentation */
    { V4(168, 63, 129, 16), 32 }, /* one cloud's inner service on a public-looking address */
    { V4(224, 0, 0, 0), 4 },      /* multicast */
    { V4(240, 0, 0, 0), 4 },      /* reserved and broadcast */
};

/* Within 2000::/3, which alone is global unicast; whatever lies beyond it is inside. */
static const struct prefix6 inside6[] = {
    { { 0x20, 0x01, 0x00, 0x00 }, 23 },             /* protocol assignments, Teredo, ORCHID */
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32 },             /* documentation */
    { { 0x26, 0x20, 0x00, 0x4f, 0x80, 0x00 }, 48 }, /* AS112 */
    { { 0x3f, 0xff }, 20 },                         /* documentation */
};

static bool is_outside4(uint32_t address)
{
    for (size_t i = 0; i < sizeof inside4 / sizeof inside4[0]; i++)
        if ((address ^ inside4[i].base) >> (32 - inside4[i].bits) == 0)
            return false;
    return true;
}

static bool has_prefix(const uint8_t *address, const uint8_t *base, int bits)
{
    size_t whole = (size_t)bits / 8;
    if (memcmp(address, base, whole) != 0)
        return false;
    int rest = bits % 8;
    return rest == 0 || (address[whole] ^ base[whole]) >> (8 - rest) == 0;
}

static uint32_t read4(const uint8_t *p)
{
    return V4(p[0], p[1], p[2], p[3]);
}

static bool is_outside6(const uint8_t *address)
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
    static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };
    static const uint8_t sixtofour[2] = { 0x20, 0x02 };
    static const uint8_t global[1] = { 0x20 };

    if (has_prefix(address, mapped, 96) || has_prefix(address, nat64, 96))
        return is_outside4(read4(address + 12));
    if (has_prefix(address, sixtofour, 16))
        return is_outside4(read4(address + 2));
    if (!has_prefix(address, global, 3))
        return false;
    for (size_t i = 0; i < sizeof inside6 / sizeof inside6[0]; i++)
        if (has_prefix(address, inside6[i].base, inside6[i].bits))
            return false;
    return true;
}

bool guard_is_outside(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof v4);
        return is_outside4(ntohl(v4.sin_addr.s_addr));
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof v6);
        return is_outside6(v6.sin6_addr.s6_addr);
    }
    return false;
}
