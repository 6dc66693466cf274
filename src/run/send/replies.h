/*
 * replies: what is answered to a text message that says STOP, START or HELP.
 *
 *     {"help": {"en": "Tents & Co, help@tents.example.", "nb": "..."}, "stopped": "...", "started":
 * "..."}
 *
 * A text for all, or by language with "en" for the others. HELP is always answered, the other two
 * where they are told: carriers confirm STOP themselves.
 */
#ifndef DULT_RUN_REPLIES_H
#define DULT_RUN_REPLIES_H

#include "base/json.h"
#include "message/sms.h"

/* In the language nearest to `language`; `told` may be NULL; empty: nothing is answered. */
struct str replies_find(const struct json *told, enum sms_word word, struct str language);

#endif
