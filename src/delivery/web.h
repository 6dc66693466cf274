/*
 * web: messages by HTTP requests to a service, as a channel.
 *
 *      give --> | waiting | --throttle, per-domain limit--> make(request) --> fetch -->
 * read(answer) urgent ones first                                            | again, with the same
 * key, while in doubt <--+
 *
 * What is asked and what an answer means is the owner's to say (make, read): this room knows how
 * to call, how many at once, how long to wait, and which answers leave doubt.
 *
 *      no connection, or not all of the request was written     deferred (connection)
 *      all of it was written, and no answer came                unknown; with an idempotency key:
 *                                                               asked again up to WEB_TRIES_MAX
 *                                                               times, then unknown
 *      an answer                                                what `read` says
 *      an answer that asks to wait (wait_ms)                    deferred, and so is all that waits;
 *                                                               nothing goes before that is over
 *
 * After a failure nothing goes and nothing is offered for a while that doubles; then two requests
 * at once are tried, and all of them again after the first answer. Where each message names a host
 * of its own (`many_hosts`), trouble with one is that message's alone, which is tried again later:
 * nothing is closed, and what asks to wait is not obeyed for the others.
 *
 * Always true   at most `connections_max` requests are under way, one message in each; as many
 *               more messages wait at most. A request without a key is written at most once.
 * Threads       see delivery.h. `make` and `read` are called on the loop's thread.
 */
#ifndef DULT_DELIVERY_WEB_H
#define DULT_DELIVERY_WEB_H

#include "base/arena.h"
#include "delivery/delivery.h"
#include "delivery/fetch.h"
#include "delivery/retry.h"
#include "delivery/throttle.h"

enum {
    WEB_CONNECTIONS_MAX = 64,
    WEB_TRIES_MAX = 5,
    WEB_ANSWER_BYTES_MAX = 64 << 10, /* services answer with an id or a reason */
    WEB_TIMEOUT_MS = 60000,          /* usual */
    WEB_WAIT_MS_MAX = 24 * 3600 * 1000,
};
#define WEB_ARENA_BYTES_MAX ((size_t)96 << 20) /* a message of 10 MB, escaped, and its base64 */

struct web_calls {
    /* The request for a message; what it points at lies in the arena. ERR_INPUT: this message
     * cannot be asked for; ERR_WAIT: it was recalled meanwhile; ERR_MEMORY. `call`, `ctx` and the
     * limits are the channel's to fill in.
     */
    enum err (*make)(void *ctx, const struct delivery_message *message, struct arena *arena,
                     struct fetch_request *out, struct problem *problem);
    /* What the answer means. `retry_after_s` is the channel's to obey. True: it was a question that
     * is answered well, and `make` has the next request for the message. */
    bool (*read)(void *ctx, const struct delivery_message *message,
                 const struct fetch_response *response, struct delivery_outcome *out);
    void *ctx;
};

struct web_conf {
    struct fetch_conf    fetch;
    uint32_t             connections_max;     /* 1..WEB_CONNECTIONS_MAX; 0: 4 */
    uint32_t             domain_messages_max; /* at once to one destination; 0: no bound */
    bool                 many_hosts;          /* each message names its own */
    struct throttle_conf throttle;            /* messages a second */
    struct backoff_conf  backoff;             /* zero: 1 s doubling to 5 minutes */
    int64_t              timeout_ms;          /* 0: WEB_TIMEOUT_MS */
    int64_t              stop_ms;             /* how long stop waits for answers; 0: 30 s */
    uint64_t             seed;                /* for the backoff's chance */
};

/* ERR_INPUT with *problem; ERR_MEMORY. The first room call comes from the loop's thread, soon. */
MUST enum err web_open(struct loop *loop, const struct web_conf *conf, const struct web_calls *web,
                       const struct channel_calls *calls, struct channel **out,
                       struct problem *problem);

#endif
