/*
 * address: may this be written after MAIL FROM, RCPT TO and in a header?
 *
 * Accepted is what mail hosts accept from everybody: a dot-atom, '@', a domain of letters, digits
 * and hyphens (RFC 5321: 64 and 255 bytes, 254 in all). Quoted local parts, address literals and
 * letters outside ASCII are refused with the remedy, because a later surprise at the other host
 * would be told to nobody.
 *
 * Always true   an accepted address has no space, control character, quote, comma or bracket.
 * Knows not     whether anybody lives there.
 */
#ifndef DULT_MESSAGE_ADDRESS_H
#define DULT_MESSAGE_ADDRESS_H

#include "base/str.h"

enum { ADDRESS_BYTES_MAX = 254, ADDRESS_LOCAL_BYTES_MAX = 64, ADDRESS_DOMAIN_BYTES_MAX = 253 };

/* `where` names the field for the problem, such as "to.address". */
MUST enum err address_check(struct str address, const char *where, struct problem *problem);
MUST enum err address_domain_check(struct str domain, const char *where, struct problem *problem);

/* What follows the last '@'. */
struct str address_domain(struct str address);

/* RFC 5322 atext: what may stand in a word without quotes. */
bool address_is_atext(char c);

#endif
