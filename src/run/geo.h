/*
 * geo: which country an IP address is in.
 *
 * Reads a MaxMind database (MMDB) with `country.iso_code` or `country_code` in it, as GeoLite2,
 * DB-IP and the free @ip-location-db files have. Without a file nobody's country is known from the
 * network, and nothing else changes.
 *
 * Always true   looking up is safe from any thread, allocates nothing and cannot fail.
 * Source        the MaxMind DB file format, version 2; libmaxminddb reads it.
 */
#ifndef DULT_RUN_GEO_H
#define DULT_RUN_GEO_H

#include "base/err.h"
#include "base/str.h"

struct geo;

/* ERR_ABSENT without the file, ERR_INPUT when it is no such database; with a problem. */
MUST enum err geo_open(struct geo **out, const char *path, struct problem *problem);
void          geo_close(struct geo *geo); /* NULL is nothing */

/* Two capital letters (ISO 3166), or empty when the address says nothing. `geo` may be NULL. The
 * text lives as long as `geo`. */
struct str geo_country(const struct geo *geo, struct str address);

#endif
