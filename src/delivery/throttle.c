#include "delivery/throttle.h"

#include <assert.h>

struct throttle throttle_make(struct throttle_conf conf)
{
    assert(conf.per_s >= 0);
    if (conf.per_s == 0)
        return (struct throttle){ 0 };

    int64_t per_s = conf.per_s < THROTTLE_PER_S_MAX ? conf.per_s : THROTTLE_PER_S_MAX;
    int64_t burst = conf.burst > 1 ? conf.burst : 1;
    /* Rounded up, so that a thousand slots never take less than their time. */
    int64_t interval_us = (1000000 + per_s - 1) / per_s;
    return (struct throttle){ .interval_us = interval_us, .slack_us = (burst - 1) * interval_us };
}

int64_t throttle_take(struct throttle *t, int64_t now_us)
{
    assert(now_us >= 0);
    if (t->interval_us == 0)
        return 0;

    int64_t wait_us = t->due_us - t->slack_us - now_us;
    if (wait_us > 0)
        return wait_us;

    /* A host left alone all night is not owed a night of messages, only one burst. */
    if (t->due_us < now_us)
        t->due_us = now_us;
    t->due_us += t->interval_us;
    return 0;
}
