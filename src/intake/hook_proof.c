#include "intake/hook_proof.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>

#include "base/buf.h"
#include "base/encode.h"

enum { KEY_BYTES_MAX = 1024, SIGNATURE_BYTES_MAX = 256, PASSWORD_BYTES_MAX = 1024 };

bool proof_is_fresh(struct str seconds, int64_t now_ms)
{
    int64_t told;
    if (str_to_int(seconds, &told) != OK || told < 0 || told > INT64_MAX / 1000)
        return false;
    int64_t age_ms = now_ms - told * 1000;
    return age_ms <= HOOK_AGE_MS && age_ms >= -HOOK_AGE_MS;
}

static bool is_signed(EVP_PKEY *key, struct str signature, struct str a, struct str b)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool        ok =
        digest != NULL && EVP_DigestVerifyInit(digest, NULL, EVP_sha256(), NULL, key) == 1 &&
        EVP_DigestVerifyUpdate(digest, a.ptr, a.len) == 1 &&
        EVP_DigestVerifyUpdate(digest, b.ptr, b.len) == 1 &&
        EVP_DigestVerifyFinal(digest, (const unsigned char *)signature.ptr, signature.len) == 1;
    EVP_MD_CTX_free(digest);
    return ok;
}

bool proof_by_ecdsa(struct str key_text, struct str signature_text, struct str timestamp,
                    struct str body)
{
    SCOPED(buf_donep) struct buf key = buf_make(KEY_BYTES_MAX);
    SCOPED(buf_donep) struct buf signature = buf_make(SIGNATURE_BYTES_MAX);
    if (base64_read(&key, key_text) != OK || base64_read(&signature, signature_text) != OK ||
        signature.len == 0)
        return false;
    const unsigned char *bytes = (const unsigned char *)key.ptr;
    EVP_PKEY *public = d2i_PUBKEY(NULL, &bytes, (long)key.len);
    bool ok = public != NULL && EVP_PKEY_get_base_id(public) == EVP_PKEY_EC &&
              is_signed(public, buf_view(&signature), timestamp, body);
    EVP_PKEY_free(public);
    return ok;
}

bool proof_by_hmac(struct str key, struct str signature, struct str a, struct str b)
{
    unsigned char                mac[EVP_MAX_MD_SIZE];
    unsigned int                 len = 0;
    SCOPED(buf_donep) struct buf told = buf_make(SIGNATURE_BYTES_MAX);
    SCOPED(buf_donep) struct buf text = buf_make(HOOK_BODY_BYTES_MAX);
    buf_str(&text, a);
    buf_str(&text, b);
    if (key.len == 0 || key.len > KEY_BYTES_MAX || buf_err(&text) != OK ||
        hex_read(&told, signature) != OK ||
        HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)text.ptr, text.len, mac,
             &len) == NULL)
        return false;
    return told.len == len && CRYPTO_memcmp(told.ptr, mac, len) == 0;
}

bool proof_by_password(struct str secret, struct str authorization)
{
    static const struct str      scheme = { "Basic ", 6 };
    SCOPED(buf_donep) struct buf told = buf_make(PASSWORD_BYTES_MAX);
    if (secret.len == 0 || authorization.len < scheme.len ||
        !str_eq_nocase(str_slice(authorization, 0, scheme.len), scheme) ||
        base64_read(&told, str_trim(str_slice(authorization, scheme.len, authorization.len))) != OK)
        return false;
    return told.len == secret.len && CRYPTO_memcmp(told.ptr, secret.ptr, secret.len) == 0;
}
