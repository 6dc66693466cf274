/*
 * token: a link that only we can have written.
 *
 * Each link in an e-mail names a person and a message, and needs no cookie and no table: what it
 * names is inside, sealed under the workspace secret (HMAC-SHA256, cut to 128 bits).
 *
 *      byte 0            varint     varint     16 bytes
 *     +-----------------+----------+----------+-----------------------------------------+
 *     | version,purpose | profile  | message  | HMAC(secret, label, these bytes, extra) |
 *     +-----------------+----------+----------+-----------------------------------------+
 *     base64url: 26 to 43 characters; base32 (for the local part of an address): 32 to 52
 *
 * `extra` is sealed but not carried: a click link has its target URL beside the token, and the URL
 * is the extra, so nobody can make our server redirect to a place we did not write.
 *
 * Always true   one token has one spelling; a token of one purpose is denied for every other.
 * Cost          about 0.3 us; no memory is kept.
 * Knows not     expiry: an unsubscribe link must work for as long as the mail is kept.
 */
#ifndef DULT_MESSAGE_TOKEN_H
#define DULT_MESSAGE_TOKEN_H

#include "base/buf.h"

enum {
    TOKEN_SECRET_BYTES = 32,
    TOKEN_BYTES_MAX = 1 + 5 + 10 + 16,
    TOKEN_TEXT_BYTES_MAX = 52, /* TOKEN_BYTES_MAX in base32; base64url is shorter */
};

enum token_purpose {
    TOKEN_OPEN = 1,
    TOKEN_CLICK,
    TOKEN_UNSUBSCRIBE,
    TOKEN_VIEW,
    TOKEN_MESSAGE, /* Message-ID, X-Dult-Message and the return path: for bounces and complaints */
    TOKEN_PREFERENCES,
    TOKEN_CONFIRM,
    TOKEN_TRAP, /* a link that nobody sees */
    TOKEN_QUESTION,
    TOKEN_FILE,     /* the page of a file */
    TOKEN_DOWNLOAD, /* its bytes, for a short while after the button was pressed */
    TOKEN_PURPOSES_END,
};

struct token {
    enum token_purpose purpose;
    uint32_t           profile;
    uint64_t           message;
};

struct token_keys; /* may be shared by threads */

/*
 * Takes the workspace secret of TOKEN_SECRET_BYTES bytes and, while keys are rotated, the one
 * before it (or STR_NONE), with which tokens are read but no longer written.
 */
MUST enum err token_keys_open(struct token_keys **out, struct str secret, struct str older);
void          token_keys_close(struct token_keys *keys);
void          token_keys_closep(struct token_keys **keys);

/* Appends the token; a failure sticks in `out` as every failure of a buf does. */
void token_write(const struct token_keys *keys, struct token token, struct str extra,
                 struct buf *out);
/* The same in lower-case base32, for where upper and lower case may be lost. */
void token_write_caseless(const struct token_keys *keys, struct token token, struct buf *out);

/* ERR_DENIED unless the text is exactly what token_write gave for this purpose and extra. */
MUST enum err token_read(const struct token_keys *keys, enum token_purpose purpose, struct str text,
                         struct str extra, struct token *out);
MUST enum err token_read_caseless(const struct token_keys *keys, enum token_purpose purpose,
                                  struct str text, struct token *out);

#endif
