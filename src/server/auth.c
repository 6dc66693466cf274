#include "server/auth.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#include "base/encode.h"

enum { SECRET_BYTES = 32 };

enum err auth_start(void)
{
    return sodium_init() < 0 ? ERR_IO : OK;
}

void auth_secret_make(const char *prefix, char *out, struct auth_hash *hash)
{
    uint8_t chance[SECRET_BYTES];
    size_t  len = strlen(prefix);
    assert(len == 3);
    randombytes_buf(chance, sizeof chance);
    memcpy(out, prefix, len);
    sodium_bin2base64(out + len, AUTH_KEY_TEXT_BYTES - len, chance, sizeof chance,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(chance, sizeof chance);
    *hash = auth_hash_of(str_of(out));
}

struct auth_hash auth_hash_of(struct str secret)
{
    struct auth_hash hash;
    crypto_hash_sha256(hash.bytes, (const uint8_t *)(secret.ptr == NULL ? "" : secret.ptr),
                       secret.len);
    return hash;
}

bool auth_hash_eq(const struct auth_hash *a, const struct auth_hash *b)
{
    return sodium_memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

const struct auth_key *auth_key_find(const struct auth_key *keys, size_t count, struct str text)
{
    const struct auth_key *found = NULL;
    if (text.len == 0 || text.len > AUTH_SECRET_BYTES_MAX)
        return NULL;
    struct auth_hash hash = auth_hash_of(text);
    for (size_t i = 0; i < count; i++)
        if (auth_hash_eq(&keys[i].hash, &hash) && !keys[i].is_revoked)
            found = &keys[i];
    return found;
}

bool auth_scopes_allow(struct str granted, struct str wanted)
{
    struct str word;
    while (str_split(&granted, ' ', &word)) {
        if (word.len == 0)
            continue;
        if (str_eq(word, wanted) || str_eq(word, STR("*")))
            return true;
        if (str_ends(word, STR(":*")) && str_starts(wanted, str_slice(word, 0, word.len - 1)))
            return true;
    }
    return false;
}

/* ---- claims ---- */

static struct str keep(struct auth_claim *claim, struct str text)
{
    if (text.len > sizeof claim->room)
        return STR_NONE;
    memcpy(claim->room, text.ptr, text.len);
    return (struct str){ claim->room, text.len };
}

static void read_basic(struct str text, struct auth_claim *out)
{
    size_t len = 0;
    /* Some libraries leave the padding out; both are read. */
    int variant = str_ends(text, STR("=")) || text.len % 4 == 0
                      ? sodium_base64_VARIANT_ORIGINAL
                      : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    if (sodium_base642bin((uint8_t *)out->room, sizeof out->room, text.ptr, text.len, NULL, &len,
                          NULL, variant) != 0)
        return;
    struct str pair = { out->room, len };
    size_t     colon = str_find_char(pair, 0, ':');
    out->kind = AUTH_BASIC;
    out->user = str_slice(pair, 0, colon);
    out->secret = str_slice(pair, colon + 1, pair.len);
}

void auth_claim_read(struct str header, struct auth_claim *out)
{
    size_t     space = str_find_char(header, 0, ' ');
    struct str scheme = str_slice(header, 0, space);
    struct str rest = str_trim(str_slice(header, space, header.len));

    out->kind = header.len == 0 ? AUTH_NONE : AUTH_BAD;
    out->user = out->secret = STR_NONE;
    if (rest.len == 0)
        return;
    if (str_eq_nocase(scheme, STR("basic"))) {
        read_basic(rest, out);
    } else if (str_eq_nocase(scheme, STR("bearer"))) {
        out->secret = keep(out, rest);
        if (out->secret.len > 0)
            out->kind = AUTH_BEARER;
    }
}

struct str auth_claim_write_key(const struct auth_claim *claim)
{
    switch (claim->kind) {
    case AUTH_BASIC:
        return claim->user;
    case AUTH_BEARER:
        return claim->secret;
    default:
        return STR_NONE;
    }
}

/* ---- owners ---- */

enum err auth_password_hash(struct str password, char out[AUTH_PASSWORD_HASH_BYTES],
                            struct problem *problem)
{
    _Static_assert(AUTH_PASSWORD_HASH_BYTES >= crypto_pwhash_STRBYTES, "the hash fits");
    if (password.len < AUTH_PASSWORD_BYTES_MIN)
        return problem_set(problem, ERR_INPUT, "password", "the password is too short",
                           "use at least 10 characters; a sentence is good");
    if (password.len > AUTH_SECRET_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "password", "the password is too long",
                           "use at most 512 bytes");
    if (crypto_pwhash_str(out, password.ptr, password.len, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return ERR_MEMORY;
    return OK;
}

bool auth_password_is(const char *hash, struct str password)
{
    if (password.len == 0 || password.len > AUTH_SECRET_BYTES_MAX)
        return false;
    return crypto_pwhash_str_verify(hash, password.ptr, password.len) == 0;
}

struct auth_once auth_once_make(int64_t expires_ms, char *out)
{
    struct auth_once once = { .expires_ms = expires_ms };
    auth_secret_make("do_", out, &once.hash);
    return once;
}

bool auth_once_take(struct auth_once *once, struct str text, int64_t now_ms)
{
    struct auth_hash hash = auth_hash_of(text);
    if (!auth_hash_eq(&once->hash, &hash) || once->is_used || now_ms >= once->expires_ms)
        return false;
    once->is_used = true;
    return true;
}

bool auth_is_own_page(struct str sec_fetch_site, struct str origin, struct str scheme,
                      struct str host)
{
    if (sec_fetch_site.len > 0)
        return str_eq(sec_fetch_site, STR("same-origin"));
    if (!str_starts(origin, scheme) || scheme.len == 0)
        return false;
    struct str rest = str_slice(origin, scheme.len, origin.len);
    return str_starts(rest, STR("://")) && host.len > 0 &&
           str_eq_nocase(str_slice(rest, 3, rest.len), host);
}
