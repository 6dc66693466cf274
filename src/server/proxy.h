/*
 * proxy: who is the client when a proxy stands between?
 *
 * A forwarded header is a claim. It counts only when the socket's peer is one of the networks the
 * operator named, and then from the right: each trusted hop vouches for the one before it, and the
 * first address that is not trusted is the client.
 *
 *     X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2     peer 10.0.0.1, trusted 10.0.0.0/8
 *                      claimed  ^ the client  trusted
 *
 * Always true   without a trusted peer the answer is the peer, whatever the headers say.
 * Knows not     sockets: addresses come as text.
 */
#ifndef DULT_SERVER_PROXY_H
#define DULT_SERVER_PROXY_H

#include "base/str.h"

enum {
    PROXY_NETS_MAX = 64,
    PROXY_HOPS_MAX = 32, /* a longer chain is a forgery or a loop */
    PROXY_ADDRESS_BYTES = 48,
};

/* IPv4 lies in IPv6 as ::ffff:a.b.c.d, so one comparison serves both. */
struct proxy_address {
    uint8_t bytes[16];
};

struct proxy_net {
    struct proxy_address address;
    int                  bits; /* of the 128 */
};

struct proxy_trust {
    struct proxy_net nets[PROXY_NETS_MAX];
    size_t           count;
};

/* "203.0.113.9", "2001:db8::1", "[2001:db8::1]:443", "203.0.113.9:80". ERR_INPUT otherwise. */
MUST enum err proxy_address_parse(struct str text, struct proxy_address *out);
/* IPv4 without the mapping. `out` has PROXY_ADDRESS_BYTES. Returns out. */
char *proxy_address_write(const struct proxy_address *address, char *out);

/* "10.0.0.0/8", "2001:db8::/32", "192.0.2.1". ERR_INPUT otherwise. */
MUST enum err proxy_net_parse(struct str text, struct proxy_net *out);
bool          proxy_net_has(const struct proxy_net *net, const struct proxy_address *address);

/* Adds "10.0.0.0/8, 2001:db8::/32, 192.0.2.1" to the list. */
MUST enum err proxy_trust_parse(struct proxy_trust *trust, struct str list,
                                struct problem *problem);
bool          proxy_trust_has(const struct proxy_trust *trust, const struct proxy_address *address);

struct proxy_claims {
    struct str forwarded_for, forwarded_proto, forwarded; /* the headers, or STR_NONE */
};

struct proxy_client {
    struct proxy_address address;
    bool                 is_https, is_forwarded;
};

/*
 * The client of a connection from `peer`. X-Forwarded-For and -Proto are read when given, else
 * Forwarded (RFC 7239). What cannot be read ends the walk at the last hop that could.
 */
struct proxy_client proxy_client_of(const struct proxy_trust   *trust,
                                    const struct proxy_address *peer, bool is_peer_https,
                                    const struct proxy_claims *claims);

#endif
