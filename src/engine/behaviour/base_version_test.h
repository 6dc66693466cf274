/*
 * base_version: a base as a program of another version would have left it, its sum right. For tests
 * alone: the header of base.c is repeated here, so that a change of either is noticed.
 */
#ifndef DULT_ENGINE_BEHAVIOUR_BASE_VERSION_TEST_H
#define DULT_ENGINE_BEHAVIOUR_BASE_VERSION_TEST_H

#include <stdint.h>
#include <string.h>

#include "base/hash.h"

enum { BASE_VERSION_AT = 8, BASE_CHECKSUM_AT = 56, BASE_HEADER_BYTES = 128 };

/* Adds to the version, and sums anew. */
static inline void base_version_move(unsigned char *region, size_t bytes, int32_t by)
{
    struct str header = { (const char *)region, BASE_HEADER_BYTES };
    struct str columns = { (const char *)region + BASE_HEADER_BYTES, bytes - BASE_HEADER_BYTES };
    uint64_t   sum = 0;
    uint32_t   version;
    memcpy(&version, region + BASE_VERSION_AT, sizeof version);
    version += (uint32_t)by;
    memcpy(region + BASE_VERSION_AT, &version, sizeof version);
    memcpy(region + BASE_CHECKSUM_AT, &sum, sizeof sum);
    sum = hash_str(header, hash_str(columns, 1));
    memcpy(region + BASE_CHECKSUM_AT, &sum, sizeof sum);
}

#endif
