/*
 * dns_peer: for tests. A small DNS server on a UDP and a TCP port of its own, which knows what it
 * is told.
 */
#ifndef DULT_DELIVERY_DNS_PEER_TEST_H
#define DULT_DELIVERY_DNS_PEER_TEST_H

#include "delivery/dns.h"

struct dns_zone {
    enum dns_type type;
    const char   *name, *text; /* of MX: "10 host"; NULL text: the server says nothing at all */
};

struct dns_peer;
/* The last zone has no name. `servers` gets "127.0.0.1:PORT". */
struct dns_peer *dns_peer_open(const struct dns_zone *zones, char servers[32]);
void             dns_peer_close(struct dns_peer *peer);
unsigned         dns_peer_asked(struct dns_peer *peer);

#endif
