/*
 * machine: was a mail opened, or its link followed, by a program and not by a person?
 *
 *      HEAD                                     a machine: people's programs fetch
 *      no user agent                            a machine: every browser and mail program tells one
 *      Sec-Purpose, Purpose, X-Moz: prefetch    a machine: fetched ahead, maybe never looked at
 *      a scanner's, preview's or library's user agent (the table in machine.c)      a machine
 *      a click by a picture proxy               a machine: proxies fetch pictures, follow no links
 *      a network of mail scanners (scanners.txt, machine_network.h)                 a machine
 *      anything else                            a person
 *
 * A picture proxy's open is a person's. Gmail and Yahoo fetch the picture when the person opens the
 * mail. Apple Mail tells only "Mozilla/5.0" and may fetch without anybody looking; it is counted
 * all the same, because nothing in the request tells its two cases apart, and people who read there
 * would otherwise never open anything. So opens overstate: a click says more.
 *
 * What it does not find: a scanner that passes itself off as a browser, from elsewhere: see
 * sieve.h, which looks at many hits together. Whoever it calls a machine is recorded with the mark
 * `machine`, so nothing is lost by a wrong word.
 *
 * Pure; any thread.
 */
#ifndef DULT_RUN_API_MACHINE_H
#define DULT_RUN_API_MACHINE_H

#include "base/str.h"

struct machine_networks;

struct machine_hit {
    bool       head;    /* asked by HEAD */
    bool       click;   /* a link; else the picture that tells of an open */
    struct str agent;   /* User-Agent; empty: none */
    struct str purpose; /* Sec-Purpose, else Purpose, else X-Moz; empty: none */
    struct str address; /* where it came from; empty: not known */

    const struct machine_networks *networks; /* of scanners; NULL: none is known */
};

/* Why it is a program's, "agent" or "network"; NULL: it is a person's. */
const char *machine_sign(const struct machine_hit *hit);
bool        machine_is(const struct machine_hit *hit);

#endif
