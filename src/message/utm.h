/*
 * utm: says in each link of a mail where the visit came from.
 *
 *     https://shop.example/tents?size=2#top
 *     https://shop.example/tents?size=2&utm_source=dult&utm_campaign=welcome#top
 *
 * Tagged are http and https links of <a> and <area>, of the domains that are named, or of all where
 * none is. Left alone: our own (unsubscribe, view, preferences), mailto: and the like, links marked
 * data-dult-utm="no", those in comments, and each parameter that a link has already.
 *
 * Always true   a tagged link tagged again is the same link; bytes outside the changed values stay.
 */
#ifndef DULT_MESSAGE_UTM_H
#define DULT_MESSAGE_UTM_H

#include "base/buf.h"

enum utm_key { UTM_SOURCE, UTM_MEDIUM, UTM_CAMPAIGN, UTM_TERM, UTM_CONTENT, UTM_KEYS };

enum { UTM_VALUE_BYTES_MAX = 200 };

extern const char *const utm_names[UTM_KEYS]; /* "utm_source" ... */

struct utm {
    struct str        values[UTM_KEYS]; /* empty: not added; longer ones are cut */
    const struct str *domains;          /* and those below them; none: all */
    size_t            domains_count;
    struct str        public_url; /* ours, whose links stay; may be empty */
};

/* Is there anything to add? */
bool utm_is_any(const struct utm *utm);

/* Appends the URL with what is missing of the parameters. */
void utm_url(const struct utm *utm, struct str url, struct buf *out);

/* Appends the HTML with its links tagged. ERR_LIMIT with a problem where it cannot be read. */
MUST enum err utm_html(const struct utm *utm, struct str html, struct buf *out,
                       struct problem *problem);

#endif
