/* Is it the service that speaks? See hook.h. */
#ifndef DULT_INTAKE_HOOK_PROOF_H
#define DULT_INTAKE_HOOK_PROOF_H

#include "intake/hook.h"

/* Seconds since 1970 as text: not older than HOOK_AGE_MS, nor ahead by more. */
bool proof_is_fresh(struct str seconds, int64_t now_ms);
/* `key`: base64 of the SubjectPublicKeyInfo; `signature`: base64 of the DER. */
bool proof_by_ecdsa(struct str key, struct str signature, struct str timestamp, struct str body);
/* `signature`: hex of HMAC-SHA256 over a, then b. */
bool proof_by_hmac(struct str key, struct str signature, struct str a, struct str b);
/* `authorization`: Basic with base64 of `secret`. */
bool proof_by_password(struct str secret, struct str authorization);

#endif
