#include "delivery/retry.h"

#include <assert.h>

#include "base/hash.h"
#include "base/time.h"

static int64_t pause_ms(uint32_t attempt)
{
    static const int64_t minutes[] = { 1, 5, 15, 60, 180, 360 };
    uint32_t             last = sizeof minutes / sizeof minutes[0] - 1;
    uint32_t             step = attempt - 1 < last ? attempt - 1 : last;
    return minutes[step] * TIME_MINUTE_MS;
}

int64_t retry_at_ms(const struct retry *retry)
{
    assert(retry->attempt >= 1);
    assert(retry->now_ms >= retry->first_ms);

    if (retry->result == DELIVERY_RETURNED)
        return retry->now_ms;
    if (retry->result != DELIVERY_DEFERRED)
        return TIME_NEVER;

    int64_t pause = pause_ms(retry->attempt);
    int64_t extra = (int64_t)(hash_u64(retry->attempt, retry->seed) % (uint64_t)(pause / 5));
    int64_t last_ms = retry->first_ms + RETRY_WINDOW_MS;
    int64_t at_ms = retry->now_ms + pause + extra;
    if (at_ms <= last_ms)
        return at_ms;
    /* One last try at the very end, if a fair pause still fits before it. */
    return last_ms - retry->now_ms >= pause / 2 ? last_ms : TIME_NEVER;
}

int64_t backoff_ms(struct backoff_conf conf, uint32_t failures, uint64_t chance)
{
    assert(conf.first_ms > 0 && conf.first_ms <= conf.most_ms);
    assert(failures >= 1);

    int64_t full = conf.first_ms;
    for (uint32_t i = 1; i < failures && full < conf.most_ms; i++)
        full = full > conf.most_ms / 2 ? conf.most_ms : full * 2;
    int64_t half = full / 2;
    return full - (int64_t)(chance % (uint64_t)(half + 1));
}
