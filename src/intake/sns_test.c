/* Amazon's notifications: believed by their signature, their host and their topic. */
#include "intake/sns.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "base/test.h"
#include "base/time.h"

#define TOPIC "arn:aws:sns:eu-west-1:123456789012:bounces"
#define HOST "https://sns.eu-west-1.amazonaws.com/"
#define CERTIFICATE HOST "SimpleNotificationService-01.pem"

struct world {
    struct arena       *arena;
    struct json_parser *parser;
    EVP_PKEY           *key;
    struct str          pem;
    int64_t             now_ms;
    struct sns_letter   letter;
    struct problem      problem;
};

/* A key as Amazon's, in a certificate of a day. */
static struct world world_open(void)
{
    struct world w = { .arena = arena_open(4 << 20),
                       .parser = json_parser_open(),
                       .key = EVP_RSA_gen(2048),
                       .now_ms = time_now_ms() };
    X509        *certificate = X509_new();
    BIO         *out = BIO_new(BIO_s_mem());
    char        *bytes;
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    X509_set_pubkey(certificate, w.key);
    assert_true(X509_sign(certificate, w.key, EVP_sha256()) > 0);
    PEM_write_bio_X509(out, certificate);
    long len = BIO_get_mem_data(out, &bytes);
    w.pem = str_copy(w.arena, (struct str){ bytes, (size_t)len });
    BIO_free(out);
    X509_free(certificate);
    return w;
}

static void world_close(struct world *w)
{
    EVP_PKEY_free(w->key);
    json_parser_close(w->parser);
    arena_close(w->arena);
}

static struct str signature_of(struct world *w, int version, const char *said)
{
    unsigned char bytes[512];
    size_t        len = sizeof bytes;
    struct buf    coded = buf_make(1024);
    EVP_MD_CTX   *digest = EVP_MD_CTX_new();
    const EVP_MD *hash = version == 1 ? EVP_sha1() : EVP_sha256();
    assert_int_equal(EVP_DigestSignInit(digest, NULL, hash, NULL, w->key), 1);
    assert_int_equal(EVP_DigestSign(digest, bytes, &len, (const unsigned char *)said, strlen(said)),
                     1);
    EVP_MD_CTX_free(digest);
    base64_write(&coded, (struct str){ (const char *)bytes, len });
    struct str text = str_copy(w->arena, buf_view(&coded));
    buf_done(&coded);
    return text;
}

static enum err notification(struct world *w, int version, const char *topic, const char *url,
                             const char *said)
{
    struct str body = str_format(
        w->arena,
        "{\"Type\":\"Notification\",\"MessageId\":\"m1\",\"TopicArn\":\"%s\",\"Message\":\"{}\","
        "\"Timestamp\":\"2026-11-22T16:00:00.000Z\",\"SignatureVersion\":\"%d\",\"Signature\":"
        "\"%.*s\",\"SigningCertURL\":\"%s\",\"UnsubscribeURL\":\"" HOST "\"}",
        topic, version, STR_ARG(signature_of(w, version, said)), url);
    return sns_read(body, STR("arn:aws:sns:us-east-1:1:x, " TOPIC), w->parser, w->arena, &w->letter,
                    &w->problem);
}

#define SAID                                                                                       \
    "Message\n{}\nMessageId\nm1\nTimestamp\n2026-11-22T16:00:00.000Z\nTopicArn\n" TOPIC            \
    "\nType\nNotification\n"

TEST(sns, both_versions_of_the_signature_are_believed_and_no_other_text)
{
    struct world w = world_open(), other = world_open();
    for (int version = 1; version <= 2; version++) {
        assert_ok(notification(&w, version, TOPIC, CERTIFICATE, SAID));
        assert_int_equal(w.letter.kind, SNS_NOTIFICATION);
        assert_true(sns_is_signed(&w.letter, w.pem, w.now_ms));
        assert_false(sns_is_signed(&w.letter, other.pem, w.now_ms));
        assert_false(sns_is_signed(&w.letter, STR("no certificate"), w.now_ms));
        assert_false(sns_is_signed(&w.letter, w.pem, w.now_ms + 2 * TIME_DAY_MS));
        w.letter.version = 3 - version;
        assert_false(sns_is_signed(&w.letter, w.pem, w.now_ms));
        assert_ok(notification(&w, version, TOPIC, CERTIFICATE, "Message\n{ }\n"));
        assert_false(sns_is_signed(&w.letter, w.pem, w.now_ms));
    }
    world_close(&w);
    world_close(&other);
}

TEST(sns, what_was_said_more_than_an_hour_ago_is_not_heard_again)
{
    struct world w = world_open();
    int64_t      said_ms;
    assert_ok(time_parse(STR("2026-11-22T16:00:00.000Z"), &said_ms));
    assert_ok(notification(&w, 2, TOPIC, CERTIFICATE, SAID));
    assert_true(sns_is_fresh(&w.letter, said_ms));
    assert_true(sns_is_fresh(&w.letter, said_ms - TIME_DAY_MS)); /* our clock may be behind */
    assert_true(sns_is_fresh(&w.letter, said_ms + TIME_HOUR_MS));
    assert_false(sns_is_fresh(&w.letter, said_ms + SNS_AGE_MS_MAX + 1));
    w.letter.at_ms = TIME_MIN_MS; /* it told no time */
    assert_false(sns_is_fresh(&w.letter, said_ms));
    w.letter.kind = SNS_SUBSCRIPTION;
    assert_true(sns_is_fresh(&w.letter, said_ms));
    world_close(&w);
}

TEST(sns, only_topics_of_ours_and_certificates_of_their_own_region_are_looked_at)
{
    static const char *const urls[] = {
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-2.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/https://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "https://sns.eu-west-1.amazonaws.com:a@evil.example/a.pem",
        "https://bucket.s3.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com/a.txt",
        HOST "a b.pem",
        HOST "SimpleNotificationService-.pem",
        HOST "SimpleNotificationService-0g.pem",
        HOST "?Action=GetEndpointAttributes&x=/SimpleNotificationService-01.pem",
        HOST "SimpleNotificationService-01.pem?a=.pem",
        HOST "a/SimpleNotificationService-01.pem",
    };
    struct world w = world_open();
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++)
        assert_int_equal(notification(&w, 2, TOPIC, urls[i], SAID), ERR_DENIED);
    assert_int_equal(
        notification(&w, 2, "arn:aws:sns:eu-west-1:999999999999:bounces", CERTIFICATE, SAID),
        ERR_DENIED);
    assert_int_equal(notification(&w, 3, TOPIC, CERTIFICATE, SAID), ERR_DENIED);
    world_close(&w);
}

TEST(sns, a_subscription_is_signed_with_its_address_and_token)
{
    struct world w = world_open();
    const char  *said =
        "Message\nYou have chosen\nMessageId\nm2\nSubscribeURL\n" HOST
        "?Action=ConfirmSubscription&Token=t\nTimestamp\nnow\nToken\nt\nTopicArn\n" TOPIC
        "\nType\nSubscriptionConfirmation\n";
    const char *form =
        "{\"Type\":\"SubscriptionConfirmation\",\"MessageId\":\"m2\",\"Token\":\"t\","
        "\"TopicArn\":\"" TOPIC "\",\"Message\":\"You have chosen\",\"SubscribeURL\":"
        "\"%s?Action=ConfirmSubscription&Token=t\",\"Timestamp\":\"now\","
        "\"SignatureVersion\":\"2\",\"Signature\":\"%.*s\",\"SigningCertURL\":"
        "\"" CERTIFICATE "\"}";
    struct str signature = signature_of(&w, 2, said), topics = STR(TOPIC);
    char       body[4096];
    snprintf(body, sizeof body, form, HOST, STR_ARG(signature));
    assert_ok(sns_read(str_of(body), topics, w.parser, w.arena, &w.letter, &w.problem));
    assert_int_equal(w.letter.kind, SNS_SUBSCRIPTION);
    assert_true(sns_is_signed(&w.letter, w.pem, w.now_ms));
    snprintf(body, sizeof body, form, "https://evil.example/", STR_ARG(signature));
    assert_int_equal(sns_read(str_of(body), topics, w.parser, w.arena, &w.letter, &w.problem),
                     ERR_DENIED);
    world_close(&w);
}
