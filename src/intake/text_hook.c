#include "intake/text_hook.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/encode.h"
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

static struct str form_get(const struct parameters *form, const char *name)
{
    for (uint32_t i = 0; i < form->count; i++)
        if (str_eq(form->items[i].name, str_of(name)))
            return form->items[i].value;
    return STR_NONE;
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

static bool is_twilio(struct str secret, const struct text_request *request, struct arena *arena,
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
static bool is_lob(struct str secret, const struct text_request *request, struct arena *arena)
{
    int64_t told_ms;
    if (secret.len == 0 || str_to_int(request->timestamp, &told_ms) != OK)
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

/* ---- what is told ---- */

static bool is_one_of(struct str word, const char *const *all)
{
    for (; *all != NULL; all++)
        if (str_eq_nocase(word, str_of(*all)))
            return true;
    return false;
}

/* Of a receipt: its word, and the code of carriers and Twilio. */
static enum text_kind receipt_kind(struct str status, struct str code)
{
    static const char *const delivered[] = { "delivered", "read", "DELIVRD", NULL };
    static const char *const failed[] = { "undelivered", "failed",  "expired", "rejected",
                                          "UNDELIV",     "REJECTD", "error",   NULL };
    static const char *const dead[] = { "30005", "30006", "21211", "21614", NULL };
    if (is_one_of(status, delivered))
        return TEXT_DELIVERED;
    if (!is_one_of(status, failed))
        return TEXT_OTHER;
    if (str_eq(code, STR("21610")))
        return TEXT_STOPPED;
    return is_one_of(code, dead) ? TEXT_DEAD : TEXT_FAILED;
}

static void twilio_read(const struct parameters *form, struct text_event *out)
{
    out->status = form_get(form, "MessageStatus");
    out->id = form_get(form, "MessageSid");
    out->code = form_get(form, "ErrorCode");
    out->from = form_get(form, "From");
    out->to = form_get(form, "To");
    out->text = form_get(form, "Body");
    out->kind = out->status.len > 0 ? receipt_kind(out->status, out->code) : TEXT_ANSWER;
}

static void lob_read(const struct json *root, struct text_event *out)
{
    const struct json       *type = json_get(root, STR("event_type"));
    const struct json       *body = json_get(root, STR("body"));
    const struct json       *metadata = body == NULL ? NULL : json_get(body, STR("metadata"));
    struct str               word = type == NULL ? STR_NONE : json_get_str(type, STR("id"));
    static const char *const delivered[] = { "postcard.delivered", "letter.delivered", NULL };
    static const char *const returned[] = { "postcard.returned_to_sender",
                                            "letter.returned_to_sender", NULL };
    static const char *const failed[] = { "postcard.failed", "postcard.rejected", "letter.failed",
                                          "letter.rejected", NULL };
    out->status = word;
    out->id = json_get_str(root, STR("id"));
    out->token = metadata == NULL ? STR_NONE : json_get_str(metadata, STR("dult"));
    out->kind = is_one_of(word, delivered)  ? TEXT_DELIVERED
                : is_one_of(word, returned) ? TEXT_DEAD
                : is_one_of(word, failed)   ? TEXT_FAILED
                                            : TEXT_OTHER;
}

static struct str field(const struct json *root, const struct parameters *form, bool is_form,
                        const char *const *names, struct arena *arena)
{
    for (; *names != NULL; names++) {
        const struct json *value = is_form ? NULL : json_get(root, str_of(*names));
        struct str text = is_form ? form_get(form, *names) : json_get_str(root, str_of(*names));
        if (value != NULL && value->kind == JSON_INT)
            text = str_format(arena, "%lld", (long long)value->integer);
        if (text.len > 0)
            return text;
    }
    return STR_NONE;
}

/* The names that gateways use, Vonage's among them. */
static void other_read(const struct json *root, const struct parameters *form, bool is_form,
                       struct arena *arena, struct text_event *out)
{
    static const char *const from[] = { "from", "msisdn", "sender", NULL };
    static const char *const to[] = { "to", "recipient", NULL };
    static const char *const text[] = { "text", "body", "message", NULL };
    static const char *const id[] = { "id", "messageId", "message-id", NULL };
    static const char *const code[] = { "code", "err-code", "error", NULL };
    static const char *const status[] = { "status", NULL };
    out->from = field(root, form, is_form, from, arena);
    out->to = field(root, form, is_form, to, arena);
    out->text = field(root, form, is_form, text, arena);
    out->id = field(root, form, is_form, id, arena);
    out->code = field(root, form, is_form, code, arena);
    out->status = field(root, form, is_form, status, arena);
    out->kind = out->status.len > 0 ? receipt_kind(out->status, out->code)
                : out->text.len > 0 ? TEXT_ANSWER
                                    : TEXT_OTHER;
}

enum err text_hook_read(struct str service, struct str secret, const struct text_request *request,
                        struct arena *arena, struct text_event *out, struct problem *problem)
{
    struct parameters form = { .count = 0 };
    struct json       root = { .kind = JSON_OBJECT };
    bool              twilio = str_eq(service, STR("twilio")), lob = str_eq(service, STR("lob"));
    *out = (struct text_event){ .kind = TEXT_OTHER };
    if (twilio || request->is_form)
        TRY(form_read(arena, request->body, &form));
    bool proven = twilio ? is_twilio(secret, request, arena, &form)
                  : lob  ? is_lob(secret, request, arena)
                         : is_with_secret(secret, request);
    if (!proven)
        return problem_set(problem, ERR_DENIED, "signature",
                           "This is not proven to be the service.",
                           "Look at its secret, and at public_url if it signs the address.");
    if (!twilio && !request->is_form)
        TRY(json_parse_once(arena, request->body, &root, problem));
    if (twilio)
        twilio_read(&form, out);
    else if (lob)
        lob_read(&root, out);
    else
        other_read(&root, &form, request->is_form, arena, out);
    return OK;
}
