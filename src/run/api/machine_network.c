#include "run/api/machine_network.h"

#include <stddef.h>
#include <stdint.h>

#include "server/proxy.h"

struct network {
    uint8_t bytes[4];
    int     bits;
};

static const struct network networks[] = {
    /* Exchange Online Protection: learn.microsoft.com, "Microsoft 365 URLs and IP addresses", ID 10
     */
    { { 40, 92, 0, 0 }, 15 },
    { { 40, 107, 0, 0 }, 16 },
    { { 52, 100, 0, 0 }, 14 },
    { { 104, 47, 0, 0 }, 17 },
    /* Proofpoint Essentials: help.proofpoint.com, "Connection details" */
    { { 67, 231, 144, 0 }, 20 },
    { { 148, 163, 128, 0 }, 19 },
    /* Barracuda Email Gateway Defense: campus.barracuda.com, "IP ranges used" */
    { { 64, 235, 144, 0 }, 20 },
    { { 209, 222, 80, 0 }, 21 },
};

static uint32_t number_of(const uint8_t bytes[4])
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

bool machine_network(struct str address)
{
    static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF };
    struct proxy_address parsed;
    if (proxy_address_parse(address, &parsed) != OK)
        return false;
    for (size_t i = 0; i < sizeof mapped; i++)
        if (parsed.bytes[i] != mapped[i])
            return false;
    uint32_t number = number_of(parsed.bytes + 12);
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++)
        if ((number ^ number_of(networks[i].bytes)) >> (32 - networks[i].bits) == 0)
            return true;
    return false;
}
