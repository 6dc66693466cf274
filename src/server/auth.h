/*
 * auth: is this really the one it says?
 *
 * A key is 256 bits of chance, so its SHA-256 is enough to keep: who steals the store cannot sign
 * in. A password is a person's, so it is kept as argon2id, which takes 64 MiB and some tens of
 * milliseconds on purpose: never on a loop thread.
 *
 *     dk_3q2-7w...   shown once     -> SHA-256 ->  kept with name and scopes
 *
 * Scopes are words: "write", "api:profiles:read". A granted "api:*" covers all that begin so, and
 * "*" (the owner) covers everything.
 *
 * Always true   secrets are compared in constant time, and every key of the list is looked at.
 * Knows not     the store, the clock, sockets.
 */
#ifndef DULT_SERVER_AUTH_H
#define DULT_SERVER_AUTH_H

#include "base/buf.h"

enum {
    AUTH_KEY_TEXT_BYTES = 48,    /* "dk_", 43 characters, NUL */
    AUTH_SECRET_BYTES_MAX = 512, /* the longest key or password that is read */
    AUTH_PASSWORD_BYTES_MIN = 10,
    AUTH_PASSWORD_HASH_BYTES = 128, /* with its NUL */
    AUTH_ONCE_MS = 3600000,         /* an owner token's life, unless the caller knows better */
};

struct auth_hash {
    uint8_t bytes[32];
};

/* Call once at the start. ERR_IO when the system has no chance to give. */
MUST enum err auth_start(void);

/* ---- keys and tokens ---- */

/* A new secret with a three-character prefix such as "dk_". `out` has AUTH_KEY_TEXT_BYTES. */
void auth_secret_make(const char *prefix, char *out, struct auth_hash *hash);
/* Any text may be a key (people bring write keys from elsewhere). */
struct auth_hash auth_hash_of(struct str secret);
bool             auth_hash_eq(const struct auth_hash *a, const struct auth_hash *b);

struct auth_key {
    struct auth_hash hash;
    uint64_t         id;
    struct str       scopes; /* words with spaces between */
    bool             is_revoked;
};

/* The key of that text, or NULL. Looks at all `count`. */
const struct auth_key *auth_key_find(const struct auth_key *keys, size_t count, struct str text);
bool                   auth_scopes_allow(struct str granted, struct str wanted);

/* ---- what a client sends ---- */

enum auth_kind { AUTH_NONE, AUTH_BASIC, AUTH_BEARER, AUTH_BAD };

struct auth_claim {
    enum auth_kind kind;
    struct str     user, secret; /* Basic: both sides of the colon; Bearer: secret */
    char           room[AUTH_SECRET_BYTES_MAX];
};

/* Reads an Authorization header. The texts point into *out, so it must not be copied. */
void auth_claim_read(struct str header, struct auth_claim *out);
/* The write key in it: Basic's user (a missing colon is tolerated) or the Bearer token. */
struct str auth_claim_write_key(const struct auth_claim *claim);

/* ---- owners ---- */

/* ERR_INPUT with *problem for one that is too short or too long; ERR_MEMORY. */
MUST enum err auth_password_hash(struct str password, char out[AUTH_PASSWORD_HASH_BYTES],
                                 struct problem *problem);
bool          auth_password_is(const char *hash, struct str password);

/* A token that opens the door once, before a time: the first owner's link. */
struct auth_once {
    struct auth_hash hash;
    int64_t          expires_ms;
    bool             is_used;
};

/* Writes the token's text ("do_...") to `out` (AUTH_KEY_TEXT_BYTES). */
struct auth_once auth_once_make(int64_t expires_ms, char *out);
/* True for the right text in time, and only the first time. One thread at a time. */
bool auth_once_take(struct auth_once *once, struct str text, int64_t now_ms);

/*
 * For requests that change something by a browser's cookie: do they come from our own pages?
 * Any of the headers may be STR_NONE; without Sec-Fetch-Site and Origin the answer is no.
 */
bool auth_is_own_page(struct str sec_fetch_site, struct str origin, struct str scheme,
                      struct str host);

#endif
