/*
 * domains: the DNS of the domains that mail comes from, for a call at a desk.
 */
#ifndef DULT_RUN_DOMAINS_H
#define DULT_RUN_DOMAINS_H

#include "run/api/api_inside.h"
#include "run/send/domain_look.h"

/* Waits at most wait_ms; what was not answered by then is unknown. */
MUST enum err domains_look(struct call *call, struct str domain, int64_t wait_ms,
                           struct domain_report *out);

/*
 * Would mail from this address lack any sender authentication? Asked at most once in five minutes,
 * within wait_ms; false where it cannot be told, and where no mail goes to people.
 */
bool domains_lack(struct call *call, struct str address, int64_t wait_ms);

#endif
