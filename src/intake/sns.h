/*
 * sns: Amazon's notifications: is it Amazon that speaks, and of a topic of ours?
 *
 *      envelope {Type, MessageId, TopicArn, Message, Timestamp, SignatureVersion, Signature,
 *                SigningCertURL, SubscribeURL, Token}
 *      signed are "Key\nValue\n" of some of its members in the order of their names, with RSA and
 *      SHA-1 (version 1) or SHA-256 (2), by the key of the certificate at SigningCertURL
 *
 * A valid signature says that it is some topic of Amazon's, anybody's; so the topics are named by
 * us (`topics`). Certificates and subscriptions are fetched only from the topic's own region:
 *
 *      arn:aws:sns:eu-west-1:123456789012:bounces  ->  https://sns.eu-west-1.amazonaws.com/
 *
 * Pure: who calls fetches. Always true: nothing of Message is read before sns_is_signed.
 * Source        docs.aws.amazon.com/sns (verifying signatures of messages: "older than one hour" is
 *               to be refused; delivery retries: 3,600 seconds); npm sns-validator.
 */
#ifndef DULT_INTAKE_SNS_H
#define DULT_INTAKE_SNS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/time.h"

/* What is older was replayed: SNS tries for an hour at most, and our clocks may differ. */
#define SNS_AGE_MS_MAX (TIME_HOUR_MS + 5 * TIME_MINUTE_MS)

enum { SNS_CERTIFICATE_BYTES_MAX = 16 << 10, SNS_URL_BYTES_MAX = 2048 };

enum sns_kind {
    SNS_NOTIFICATION,
    SNS_SUBSCRIPTION, /* to be confirmed at subscribe_url */
    SNS_OTHER,        /* a subscription's end, and what may come one day */
};

struct sns_letter {
    enum sns_kind kind;
    struct str    id, topic, message;
    struct str    certificate_url, subscribe_url; /* both of the topic's own host */
    struct str    signature;                      /* base64 */
    int           version;                        /* 1 or 2 */
    int64_t       at_ms;                          /* Timestamp; TIME_MIN_MS: it tells none */
    struct str    said;                           /* what was signed */
};

/* `topics`: ARNs between commas. ERR_DENIED: of none of these, or a URL that is not Amazon's;
 * ERR_INPUT: no envelope. All of `out` lives in `arena`. */
MUST enum err sns_read(struct str body, struct str topics, struct json_parser *parser,
                       struct arena *arena, struct sns_letter *out, struct problem *problem);

/* `certificate`: PEM, valid at that instant. */
bool sns_is_signed(const struct sns_letter *letter, struct str certificate, int64_t now_ms);
/* Was it said within SNS_AGE_MS_MAX? A confirmation may be older: its token lives for three days,
 * and says nothing a second time. */
bool sns_is_fresh(const struct sns_letter *letter, int64_t now_ms);

#endif
