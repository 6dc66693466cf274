/*
 * guard: is this address outside, in the public internet?
 *
 * Webhook addresses are written by people, and some of them would like us to knock on doors that
 * only we can reach: the database next door, the cloud's metadata service. So the guard looks at
 * the address that the name resolved to, at the moment of connecting; names and URLs lie.
 *
 * Always true   what is not known to be public is inside.
 * Cost          a table of 40 prefixes.
 */
#ifndef DULT_DELIVERY_GUARD_H
#define DULT_DELIVERY_GUARD_H

#include <stdbool.h>
#include <sys/socket.h>

/* True for a public unicast IPv4 or IPv6 address. IPv4 carried within IPv6 (mapped, NAT64, 6to4)
 * is judged by the IPv4 address within. Every other family is inside. */
bool guard_is_outside(const struct sockaddr *address);

#endif
