#include "intake/text_hook.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/time.h"
#include "intake/hook_proof.h"

enum { SIGNED_BYTES_MAX = TEXT_HOOK_BODY_BYTES_MAX + 8192, URL_BYTES_MAX = 4096 };

struct parameter {
    struct str name, value;
};

struct parameters {
    struct parameter items[TEXT_HOOK_PARAMETERS_MAX];
    uint32_t         count;
};

/* ---- a form ---- */

static enum err decoded(struct arena *arena, struct str text, struct str *out)
{
    SCOPED(buf_donep) struct buf plain = buf_make(TEXT_HOOK_BODY_BYTES_MAX);
    TRY(percent_read(&plain, text, true));
    *out = str_copy(arena, buf_view(&plain));
    return out->ptr == NULL && plain.len > 0 ? ERR_MEMORY : OK;
}

static enum err form_read(struct arena *arena, struct str body, struct parameters *out)
{
    struct str pair;
    out->count = 0;
    while (body.len > 0 && str_split(&body, '&', &pair)) {
        size_t equals = str_find_char(pair, 0, '=');
        if (out->count == TEXT_HOOK_PARAMETERS_MAX)
            return ERR_LIMIT;
        struct parameter *one = &out->items[out->count++];
        TRY(decoded(arena, str_slice(pair, 0, equals), &one->name));
        TRY(decoded(arena, str_slice(pair, equals + 1, pair.len), &one->value));
    }
    return OK;
}

/* Its parameters as an object of texts. */
static enum err form_json(struct arena *arena, const struct parameters *form, struct json *out)
{
    struct json_member *members = ARENA_ARRAY(arena, form->count + 1, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < form->count; i++)
        members[i] =
            (struct json_member){ form->items[i].name,
                                  { .kind = JSON_STRING, .string = form->items[i].value } };
    *out = (struct json){ .kind = JSON_OBJECT, .count = form->count, .members = members };
    return OK;
}

/* ---- proofs ---- */

static int by_name(const void *a, const void *b)
{
    const struct parameter *x = a, *y = b;
    int                     order = str_cmp(x->name, y->name);
    return order != 0 ? order : str_cmp(x->value, y->value);
}

static bool is_signed_so(struct str secret, struct str url, const struct parameters *sorted,
                         struct str signature)
{
    unsigned char                mac[EVP_MAX_MD_SIZE];
    unsigned int                 len = 0;
    SCOPED(buf_donep) struct buf text = buf_make(SIGNED_BYTES_MAX);
    SCOPED(buf_donep) struct buf coded = buf_make(2 * EVP_MAX_MD_SIZE);
    buf_str(&text, url);
    for (uint32_t i = 0; i < sorted->count; i++) {
        const struct parameter *one = &sorted->items[i];
        /* One that is told twice with the same value counts once. */
        if (i > 0 && str_eq(one->name, one[-1].name) && str_eq(one->value, one[-1].value))
            continue;
        buf_str(&text, one->name);
        buf_str(&text, one->value);
    }
    if (buf_err(&text) != OK || HMAC(EVP_sha1(), secret.ptr, (int)secret.len,
                                     (const unsigned char *)text.ptr, text.len, mac, &len) == NULL)
        return false;
    base64_write(&coded, (struct str){ (const char *)mac, len });
    return buf_err(&coded) == OK && coded.len == signature.len &&
           CRYPTO_memcmp(coded.ptr, signature.ptr, coded.len) == 0;
}

/* The URL without a port, or with that of its scheme: Twilio signs one or the other. */
static struct str other_url(struct arena *arena, struct str url)
{
    struct str scheme = str_starts(url, STR("https://")) ? STR("https://") : STR("http://");
    struct str port = scheme.len == 8 ? STR(":443") : STR(":80");
    size_t     slash = str_find_char(url, scheme.len, '/');
    struct str host = str_slice(url, scheme.len, slash), path = str_slice(url, slash, url.len);
    if (str_ends(host, port))
        return str_format(arena, "%.*s%.*s%.*s", STR_ARG(scheme),
                          STR_ARG(str_slice(host, 0, host.len - port.len)), STR_ARG(path));
    return str_format(arena, "%.*s%.*s%.*s%.*s", STR_ARG(scheme), STR_ARG(host), STR_ARG(port),
                      STR_ARG(path));
}

static bool is_by_url(struct str secret, const struct text_request *request, struct arena *arena,
                      const struct parameters *form)
{
    struct parameters sorted = *form;
    if (secret.len == 0 || request->signature.len == 0 || request->url.len > URL_BYTES_MAX)
        return false;
    qsort(sorted.items, sorted.count, sizeof sorted.items[0], by_name);
    return is_signed_so(secret, request->url, &sorted, request->signature) ||
           is_signed_so(secret, other_url(arena, request->url), &sorted, request->signature);
}

/* Milliseconds since 1970 as text, not older than HOOK_AGE_MS. */
static bool is_by_timed_body(struct str secret, const struct text_request *request,
                             struct arena *arena)
{
    int64_t told_ms;
    if (secret.len == 0 || str_to_int(request->timestamp, &told_ms) != OK || told_ms < 0 ||
        told_ms > TIME_MAX_MS)
        return false;
    int64_t age_ms = request->now_ms - told_ms;
    return age_ms <= HOOK_AGE_MS && age_ms >= -HOOK_AGE_MS &&
           proof_by_hmac(secret, request->signature,
                         str_format(arena, "%.*s.", STR_ARG(request->timestamp)), request->body);
}

static bool is_with_secret(struct str secret, const struct text_request *request)
{
    struct str told = request->secret_told;
    if (told.len == 0 && str_starts(request->authorization, STR("Bearer ")))
        told = str_slice(request->authorization, 7, request->authorization.len);
    return secret.len > 0 && told.len == secret.len &&
           CRYPTO_memcmp(told.ptr, secret.ptr, secret.len) == 0;
}

/* ---- all of it ---- */

static bool is_proven(enum text_proof proof, struct str secret, const struct text_request *request,
                      struct arena *arena, const struct parameters *form)
{
    switch (proof) {
    case TEXT_PROOF_URL: /* which says nothing about any other body */
        return request->is_form && is_by_url(secret, request, arena, form);
    case TEXT_PROOF_TIMED_BODY:
        return is_by_timed_body(secret, request, arena);
    case TEXT_PROOF_BODY:
        return proof_by_hmac(secret, request->signature, STR_NONE, request->body);
    case TEXT_PROOF_SECRET:
        return is_with_secret(secret, request);
    }
    return false;
}

enum err text_hook_read(enum text_proof proof, struct str secret,
                        const struct text_request *request, struct arena *arena, struct json *told,
                        struct problem *problem)
{
    struct parameters form = { .count = 0 };
    if (request->is_form)
        TRY(form_read(arena, request->body, &form));
    if (!is_proven(proof, secret, request, arena, &form))
        return problem_set(problem, ERR_DENIED, "signature",
                           "This is not proven to be the service.",
                           "Look at its secret, and at public_url if it signs the address.");
    return request->is_form ? form_json(arena, &form, told)
                            : json_parse_once(arena, request->body, told, problem);
}
