/*
 * dkim: our name under a message (RFC 6376, 8301, 8463).
 *
 * rsa-sha256 and ed25519-sha256, relaxed/relaxed. Few hosts know Ed25519 yet, so a message may
 * carry both: the body is hashed once and each key signs the same fields.
 *
 *     message --+-- body ----> relaxed --> SHA-256 --> bh=
 *               +-- fields --> relaxed --> with our own field, b= empty --> signature --> b=
 *
 * Signed are From, To, Subject, Date, Message-ID, Reply-To, MIME-Version, Content-Type,
 * Content-Transfer-Encoding, List-Id, List-Unsubscribe, List-Unsubscribe-Post (RFC 8058 wants
 * both), Feedback-ID, X-Dult-Message and Auto-Submitted where present. From, To, Subject, Date,
 * Message-ID and Reply-To are listed once more than they occur, so that adding a second one breaks
 * the signature. There is no l=: nothing can be appended either.
 *
 * Always true   a key is parsed once and may be shared by threads.
 * Cost          what the signature costs (RSA-2048 about 260 us, Ed25519 40 us) and a pass over
 *               the message, of which no copy is made.
 */
#ifndef DULT_MESSAGE_DKIM_H
#define DULT_MESSAGE_DKIM_H

#include "base/buf.h"

enum { DKIM_RSA_BITS_MIN = 1024, DKIM_RSA_BITS = 2048, DKIM_SELECTOR_BYTES_MAX = 63 };

struct dkim_key;

/* Parses a private key (PEM, PKCS8 or the older RSA form) for `selector`._domainkey.`domain`. */
MUST enum err dkim_key_open(struct dkim_key **out, struct str pem, struct str domain,
                            struct str selector, struct problem *problem);
void          dkim_key_close(struct dkim_key *key);
void          dkim_key_closep(struct dkim_key **key);

/*
 * Appends one DKIM-Signature field for each key; they go before the message, which has CRLF line
 * ends and is not changed. `at_ms` becomes t=.
 */
MUST enum err dkim_sign(const struct dkim_key *const *keys, size_t keys_count, struct str message,
                        int64_t at_ms, struct buf *out);

/* A new private key as PEM (PKCS8): RSA-2048, or Ed25519. */
MUST enum err dkim_key_generate(struct buf *pem);
MUST enum err dkim_key_generate_ed25519(struct buf *pem);

/* Where the public key is published: "selector._domainkey.domain". */
void dkim_record_name(const struct dkim_key *key, struct buf *out);
/* The TXT record as one text: "v=DKIM1; k=rsa; p=...". */
MUST enum err dkim_record_write(const struct dkim_key *key, struct buf *out);
/* The same as a zone file has it: quoted strings of at most 255 bytes. */
MUST enum err dkim_record_zone_write(const struct dkim_key *key, struct buf *out);

/* The pieces, for tests and for whoever verifies: relaxed forms, and a signature over bytes. */
void          dkim_body_relaxed(struct str body, struct buf *out);
void          dkim_field_relaxed(struct str field, struct buf *out); /* without its last CRLF */
MUST enum err dkim_key_sign(const struct dkim_key *key, struct str bytes, struct buf *signature);

#endif
