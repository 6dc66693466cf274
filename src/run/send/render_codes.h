/*
 * render_codes: the discount codes of a message, as its template sees them.
 *
 *      claimed   {"spring": {"pool": 3, "number": 17, "expires_at": "..."}}
 *      seen      {"spring": {"code": "SPRING-7KQ2", "expires_at": "..."}}
 *
 * The claim names numbers, which stay whose they are; the store has the codes, also the fixed ones
 * as they were given. Of an example the claim has the text.
 */
#ifndef DULT_RUN_RENDER_CODES_H
#define DULT_RUN_RENDER_CODES_H

#include "base/json.h"
#include "store/store.h"

/* `claimed`: NULL, or what the claim froze as "$codes". ERR_CORRUPT when the code is not there. */
MUST enum err render_codes(struct store_reader *reader, struct arena *arena,
                           const struct json *claimed, struct json *out);

#endif
