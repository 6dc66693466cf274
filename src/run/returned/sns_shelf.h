/*
 * sns_shelf: certificates of Amazon's that were fetched, and those that could not be had.
 *
 * Whoever posts here names a certificate, so what cannot be had is kept apart from what could:
 * however many a stranger makes up, none of Amazon's is forgotten for them. Not asked for again are
 * the last SNS_FAILED_MAX that failed, for a minute each.
 *
 * Threads       the owner's lock.
 */
#ifndef DULT_RUN_SNS_SHELF_H
#define DULT_RUN_SNS_SHELF_H

#include "base/buf.h"
#include "base/time.h"
#include "intake/sns.h"

enum { SNS_KEPT_MAX = 4, SNS_FAILED_MAX = 16 };

#define SNS_FAILED_PAUSE_MS TIME_MINUTE_MS

struct sns_shelf {
    struct {
        char       url[SNS_URL_BYTES_MAX + 1];
        struct buf pem;
    } kept[SNS_KEPT_MAX];
    struct {
        char    url[SNS_URL_BYTES_MAX + 1];
        int64_t at_ms;
    } failed[SNS_FAILED_MAX];
    uint32_t kept_next, failed_next;
};

void sns_shelf_init(struct sns_shelf *shelf);
void sns_shelf_done(struct sns_shelf *shelf);

/* Borrowed until something is kept; empty: it is not here. */
struct str sns_shelf_find(const struct sns_shelf *shelf, struct str url);
/* Did it fail less than SNS_FAILED_PAUSE_MS ago? */
bool sns_shelf_has_failed(const struct sns_shelf *shelf, struct str url, int64_t now_ms);
/* What was answered; empty: it could not be had. ERR_MEMORY. */
MUST enum err sns_shelf_put(struct sns_shelf *shelf, struct str url, struct str pem,
                            int64_t now_ms);

#endif
