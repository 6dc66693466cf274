/*
 * domains_tell: the API's answer about sending domains, for a person.
 *
 *     shop.example
 *     good    spf    shop.example                 It names include:sendgrid.net, in 2 of 10
 * look-ups. missing dkim   dult1._domainkey.shop.example  The key is not published.
 *         dult1._domainkey.shop.example. IN TXT ( "v=DKIM1; k=rsa; p=MIIB..." "..." )
 */
#ifndef DULT_RUN_DOMAINS_TELL_H
#define DULT_RUN_DOMAINS_TELL_H

#include "run/cli/cli_talk.h"

/* True when something is missing or wrong. */
bool domains_tell(struct talk *talk);

#endif
