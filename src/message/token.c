#include "message/token.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * The plain hash of the library: EVP_MAC costs 0.8 us a token more, all of it in copying its
 * context and finding its own parts, which is a tenth of an RSA signature for a mail with 30 links.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "base/encode.h"

enum { TOKEN_VERSION = 1, TOKEN_MAC_BYTES = 16, SHA256_BYTES = 32, TOKEN_BYTES_MIN = 3 + 16 };

_Static_assert(TOKEN_TEXT_BYTES_MAX == (TOKEN_BYTES_MAX * 8 + 4) / 5, "base32 of the longest");

/* What the secret is used for here; another use of the same secret takes another label. */
static const char label[] = "dult link 1";

/* HMAC-SHA256 (RFC 2104) with the key taken in: copied for each token. */
struct mac {
    SHA256_CTX inner, outer;
};

struct token_keys {
    struct mac now, older;
    bool       has_older;
};

struct token_bytes {
    unsigned char at[TOKEN_BYTES_MAX];
    size_t        len;
};

/* False only where the library cannot hash at all. */
static bool pad_take(SHA256_CTX *hash, struct str secret, unsigned char with)
{
    unsigned char block[SHA256_CBLOCK];
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = with ^ (i < secret.len ? (unsigned char)secret.ptr[i] : 0);
    bool done = SHA256_Init(hash) == 1 && SHA256_Update(hash, block, sizeof block) == 1;
    OPENSSL_cleanse(block, sizeof block);
    return done;
}

static bool mac_open(struct mac *mac, struct str secret)
{
    return pad_take(&mac->inner, secret, 0x36) && pad_take(&mac->outer, secret, 0x5C);
}

enum err token_keys_open(struct token_keys **out, struct str secret, struct str older)
{
    if (secret.len != TOKEN_SECRET_BYTES || (older.len != 0 && older.len != TOKEN_SECRET_BYTES))
        return ERR_INPUT;
    struct token_keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return ERR_MEMORY;
    keys->has_older = older.len != 0;
    if (!mac_open(&keys->now, secret) || (keys->has_older && !mac_open(&keys->older, older))) {
        token_keys_close(keys);
        return ERR_MEMORY;
    }
    *out = keys;
    return OK;
}

void token_keys_close(struct token_keys *keys)
{
    if (keys == NULL)
        return;
    OPENSSL_cleanse(keys, sizeof *keys);
    free(keys);
}

void token_keys_closep(struct token_keys **keys)
{
    token_keys_close(*keys);
}

static void varint_add(struct token_bytes *bytes, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        bytes->at[bytes->len++] = (unsigned char)(value | 0x80);
    bytes->at[bytes->len++] = (unsigned char)value;
}

/* Reads one number in its shortest form, so that no second spelling of a token exists. */
static bool varint_take(const struct token_bytes *bytes, size_t *at, uint64_t *out)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && *at < bytes->len; shift += 7) {
        unsigned char byte = bytes->at[(*at)++];
        if (shift == 63 && byte > 1)
            return false;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = value;
            return byte != 0 || shift == 0;
        }
    }
    return false;
}

static bool seal(const struct mac *keyed, const struct token_bytes *head, struct str extra,
                 unsigned char mac[SHA256_BYTES])
{
    struct mac one = *keyed;
    /* The head tells its own length (numbers end themselves): head and extra cannot blend. */
    return SHA256_Update(&one.inner, label, sizeof label) == 1 &&
           SHA256_Update(&one.inner, head->at, head->len) == 1 &&
           SHA256_Update(&one.inner, extra.ptr, extra.len) == 1 &&
           SHA256_Final(mac, &one.inner) == 1 &&
           SHA256_Update(&one.outer, mac, SHA256_BYTES) == 1 && SHA256_Final(mac, &one.outer) == 1;
}

static enum err token_make(const struct token_keys *keys, struct token token, struct str extra,
                           struct token_bytes *out)
{
    assert(token.purpose >= TOKEN_OPEN && token.purpose < TOKEN_PURPOSES_END);
    unsigned char mac[SHA256_BYTES];

    out->len = 0;
    out->at[out->len++] = (unsigned char)(TOKEN_VERSION << 4 | token.purpose);
    varint_add(out, token.profile);
    varint_add(out, token.message);
    if (!seal(&keys->now, out, extra, mac))
        return ERR_MEMORY;
    memcpy(out->at + out->len, mac, TOKEN_MAC_BYTES);
    out->len += TOKEN_MAC_BYTES;
    return OK;
}

static enum err token_open(const struct token_keys *keys, enum token_purpose purpose,
                           const struct token_bytes *bytes, struct str extra, struct token *out)
{
    if (bytes->len < TOKEN_BYTES_MIN || bytes->at[0] != (TOKEN_VERSION << 4 | (int)purpose))
        return ERR_DENIED;
    struct token_bytes head = *bytes;
    uint64_t           profile, message;
    size_t             at = 1;
    head.len -= TOKEN_MAC_BYTES;
    if (!varint_take(&head, &at, &profile) || !varint_take(&head, &at, &message) ||
        at != head.len || profile > UINT32_MAX)
        return ERR_DENIED;

    const struct mac *tried[] = { &keys->now, keys->has_older ? &keys->older : NULL };
    for (size_t i = 0; i < 2 && tried[i] != NULL; i++) {
        unsigned char mac[SHA256_BYTES];
        if (!seal(tried[i], &head, extra, mac))
            return ERR_MEMORY;
        if (CRYPTO_memcmp(mac, bytes->at + head.len, TOKEN_MAC_BYTES) == 0) {
            *out = (struct token){ purpose, (uint32_t)profile, message };
            return OK;
        }
    }
    return ERR_DENIED;
}

void token_write(const struct token_keys *keys, struct token token, struct str extra,
                 struct buf *out)
{
    struct token_bytes bytes;
    enum err           code = token_make(keys, token, extra, &bytes);
    if (code == OK)
        base64url_write(out, (struct str){ (const char *)bytes.at, bytes.len });
    else if (out->err == OK)
        out->err = code;
}

enum err token_read(const struct token_keys *keys, enum token_purpose purpose, struct str text,
                    struct str extra, struct token *out)
{
    if (text.len > TOKEN_TEXT_BYTES_MAX)
        return ERR_DENIED;
    SCOPED(buf_donep) struct buf decoded = buf_make(TOKEN_BYTES_MAX);
    enum err                     code = base64url_read(&decoded, text);
    if (code != OK)
        return code == ERR_MEMORY ? code : ERR_DENIED;
    struct token_bytes bytes = { .len = decoded.len };
    if (decoded.len > 0)
        memcpy(bytes.at, decoded.ptr, decoded.len);
    return token_open(keys, purpose, &bytes, extra, out);
}

void token_write_caseless(const struct token_keys *keys, struct token token, struct buf *out)
{
    struct token_bytes bytes;
    enum err           code = token_make(keys, token, STR_NONE, &bytes);
    if (code != OK) {
        if (out->err == OK)
            out->err = code;
        return;
    }
    uint32_t bits = 0, held = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | bytes.at[i];
        for (held += 8; held >= 5; held -= 5)
            buf_char(out, "abcdefghijklmnopqrstuvwxyz234567"[bits >> (held - 5) & 31]);
    }
    if (held > 0)
        buf_char(out, "abcdefghijklmnopqrstuvwxyz234567"[bits << (5 - held) & 31]);
}

static int base32_value(char c)
{
    if (c >= 'a' && c <= 'z')
        return c - 'a';
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

enum err token_read_caseless(const struct token_keys *keys, enum token_purpose purpose,
                             struct str text, struct token *out)
{
    if (text.len > TOKEN_TEXT_BYTES_MAX)
        return ERR_DENIED;
    struct token_bytes bytes = { .len = 0 };
    uint32_t           bits = 0, held = 0;
    for (size_t i = 0; i < text.len; i++) {
        int value = base32_value(text.ptr[i]);
        if (value < 0)
            return ERR_DENIED;
        bits = bits << 5 | (uint32_t)value;
        held += 5;
        if (held >= 8) {
            held -= 8;
            bytes.at[bytes.len++] = (unsigned char)(bits >> held);
        }
    }
    if (held >= 5 || (bits & ((1u << held) - 1)) != 0)
        return ERR_DENIED; /* a spare character or stray bits: a second spelling */
    return token_open(keys, purpose, &bytes, STR_NONE, out);
}
