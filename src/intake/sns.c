#include "intake/sns.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <time.h>

#include "base/encode.h"

enum { SIGNATURE_BYTES_MAX = 1024, SAID_BYTES_MAX = 1 << 20, ARN_PARTS = 6, HOST_BYTES_MAX = 200 };

static enum err denied(struct problem *problem, const char *what)
{
    return problem_set(problem, ERR_DENIED, "signature", what,
                       "Compare the topic with ses_topic, and let Amazon SNS itself post here.");
}

/* ---- where Amazon is ---- */

static bool is_one_of(struct str list, struct str word)
{
    struct str one;
    while (str_split(&list, ',', &one))
        if (word.len > 0 && str_eq(str_trim(one), word))
            return true;
    return false;
}

/* The region of arn:aws:sns:REGION:ACCOUNT:NAME; empty: it is none. */
static struct str region_of(struct str arn, bool *is_china)
{
    struct str parts[ARN_PARTS];
    int        count = 0;
    while (count < ARN_PARTS && str_split(&arn, ':', &parts[count]))
        count++;
    if (count != ARN_PARTS || !str_eq(parts[0], STR("arn")) || !str_eq(parts[2], STR("sns")))
        return STR_NONE;
    for (size_t i = 0; i < parts[3].len; i++) {
        char c = parts[3].ptr[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return STR_NONE;
    }
    *is_china = str_eq(parts[1], STR("aws-cn"));
    return parts[3];
}

/* https://sns.REGION.amazonaws.com/... and nothing that could lead elsewhere. */
static bool is_amazons(struct arena *arena, struct str url, struct str topic)
{
    bool       is_china = false;
    struct str region = region_of(topic, &is_china);
    if (region.len < 3 || region.len > HOST_BYTES_MAX || url.len > SNS_URL_BYTES_MAX)
        return false;
    for (size_t i = 0; i < url.len; i++)
        if (url.ptr[i] <= ' ' || url.ptr[i] == 0x7f || url.ptr[i] == '\\' || url.ptr[i] == '@')
            return false;
    return str_starts(url, str_format(arena, "https://sns.%.*s.amazonaws.com%s/", STR_ARG(region),
                                      is_china ? ".cn" : ""));
}

/*
 * Of the name that Amazon gives them, and nothing else: any other answer of that host, a query's,
 * may hold a certificate that somebody put into it.
 */
static bool is_certificate_name(struct str url)
{
    static const struct str begin = { "/SimpleNotificationService-", 27 }, end = { ".pem", 4 };
    size_t                  at = str_find_char(url, 8, '/'); /* behind https:// */
    struct str              path = str_slice(url, at, url.len);
    if (!str_starts(path, begin) || !str_ends(path, end) || path.len <= begin.len + end.len)
        return false;
    for (size_t i = begin.len; i < path.len - end.len; i++)
        if (!(path.ptr[i] >= '0' && path.ptr[i] <= '9') &&
            !(path.ptr[i] >= 'a' && path.ptr[i] <= 'f') &&
            !(path.ptr[i] >= 'A' && path.ptr[i] <= 'F'))
            return false;
    return true;
}

/* ---- the envelope ---- */

static const char *const OF_NOTIFICATION[] = { "Message",  "MessageId", "Subject", "Timestamp",
                                               "TopicArn", "Type",      NULL };
static const char *const OF_SUBSCRIPTION[] = { "Message", "MessageId", "SubscribeURL", "Timestamp",
                                               "Token",   "TopicArn",  "Type",         NULL };

static enum err said_make(const struct json *body, const char *const *keys, struct arena *arena,
                          struct str *out)
{
    SCOPED(buf_donep) struct buf said = buf_make(SAID_BYTES_MAX);
    for (; *keys != NULL; keys++) {
        const struct json *value = json_get(body, str_of(*keys));
        if (value == NULL || value->kind != JSON_STRING)
            continue;
        buf_str(&said, str_of(*keys));
        buf_char(&said, '\n');
        buf_str(&said, value->string);
        buf_char(&said, '\n');
    }
    TRY(buf_err(&said));
    *out = str_copy(arena, buf_view(&said));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

enum err sns_read(struct str text, struct str topics, struct json_parser *parser,
                  struct arena *arena, struct sns_letter *out, struct problem *problem)
{
    struct json       body;
    struct sns_letter letter = { .kind = SNS_OTHER };
    if (json_parse(parser, arena, text, &body, NULL) != OK || body.kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "body", "This is no message of Amazon SNS.",
                           "Subscribe this address to the topic, without raw delivery.");
    struct str type = json_get_str(&body, STR("Type"));
    struct str version = json_get_str(&body, STR("SignatureVersion"));
    letter.kind = str_eq(type, STR("Notification"))               ? SNS_NOTIFICATION
                  : str_eq(type, STR("SubscriptionConfirmation")) ? SNS_SUBSCRIPTION
                                                                  : SNS_OTHER;
    letter.id = json_get_str(&body, STR("MessageId"));
    letter.topic = json_get_str(&body, STR("TopicArn"));
    letter.message = json_get_str(&body, STR("Message"));
    if (time_parse(json_get_str(&body, STR("Timestamp")), &letter.at_ms) != OK)
        letter.at_ms = TIME_MIN_MS;
    letter.certificate_url = json_get_str(&body, STR("SigningCertURL"));
    letter.subscribe_url = json_get_str(&body, STR("SubscribeURL"));
    letter.signature = json_get_str(&body, STR("Signature"));
    letter.version = str_eq(version, STR("1")) ? 1 : str_eq(version, STR("2")) ? 2 : 0;
    if (!is_one_of(topics, letter.topic))
        return denied(problem, "This is not of a topic of ours.");
    if (letter.version == 0 || !is_certificate_name(letter.certificate_url) ||
        !is_amazons(arena, letter.certificate_url, letter.topic) ||
        (letter.kind == SNS_SUBSCRIPTION && !is_amazons(arena, letter.subscribe_url, letter.topic)))
        return denied(problem, "Its certificate or its address is not Amazon's.");
    bool is_control = json_get(&body, STR("Token")) != NULL;
    TRY(said_make(&body, is_control ? OF_SUBSCRIPTION : OF_NOTIFICATION, arena, &letter.said));
    *out = letter;
    return OK;
}

/* ---- the signature ---- */

static X509 *certificate_of(struct str pem)
{
    BIO *bytes =
        pem.len > SNS_CERTIFICATE_BYTES_MAX ? NULL : BIO_new_mem_buf(pem.ptr, (int)pem.len);
    X509 *certificate = bytes == NULL ? NULL : PEM_read_bio_X509(bytes, NULL, NULL, NULL);
    BIO_free(bytes);
    return certificate;
}

static bool is_valid_at(const X509 *certificate, int64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    return X509_cmp_time(X509_get0_notBefore(certificate), &now) < 0 &&
           X509_cmp_time(X509_get0_notAfter(certificate), &now) > 0;
}

static bool is_signed_by(EVP_PKEY *key, const struct sns_letter *letter, struct str signature)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    bool        ok = digest != NULL && key != NULL && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
              EVP_DigestVerifyInit(digest, NULL, letter->version == 1 ? EVP_sha1() : EVP_sha256(),
                                   NULL, key) == 1 &&
              EVP_DigestVerify(digest, (const unsigned char *)signature.ptr, signature.len,
                               (const unsigned char *)letter->said.ptr, letter->said.len) == 1;
    EVP_MD_CTX_free(digest);
    return ok;
}

bool sns_is_signed(const struct sns_letter *letter, struct str pem, int64_t now_ms)
{
    SCOPED(buf_donep) struct buf signature = buf_make(SIGNATURE_BYTES_MAX);
    if (base64_read(&signature, letter->signature) != OK || signature.len == 0)
        return false;
    X509 *certificate = certificate_of(pem);
    bool  ok = certificate != NULL && is_valid_at(certificate, now_ms) &&
              is_signed_by(X509_get0_pubkey(certificate), letter, buf_view(&signature));
    X509_free(certificate);
    return ok;
}

bool sns_is_fresh(const struct sns_letter *letter, int64_t now_ms)
{
    return letter->kind == SNS_SUBSCRIPTION || now_ms - letter->at_ms <= SNS_AGE_MS_MAX;
}
