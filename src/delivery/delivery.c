#include "delivery/delivery.h"

#include <stdio.h>
#include <string.h>

const char *delivery_result_name(enum delivery_result result)
{
    static const char *const names[] = {
        [DELIVERY_SENT] = "sent",         [DELIVERY_DEFERRED] = "deferred",
        [DELIVERY_FAILED] = "failed",     [DELIVERY_UNKNOWN] = "unknown",
        [DELIVERY_RETURNED] = "returned",
    };
    return names[result];
}

const char *delivery_blame_name(enum delivery_blame blame)
{
    static const char *const names[] = {
        [BLAME_NONE] = "none",
        [BLAME_RECIPIENT] = "recipient",
        [BLAME_POLICY] = "policy",
        [BLAME_CONNECTION] = "connection",
    };
    return names[blame];
}

struct delivery_outcome delivery_outcome_make(enum delivery_result result,
                                              enum delivery_blame blame, const char *text)
{
    struct delivery_outcome outcome = { .result = result, .blame = blame };
    snprintf(outcome.text, sizeof outcome.text, "%s", text);
    return outcome;
}

/* Quoted local parts with spaces exist on paper; no mailbox of a customer has one. */
static bool address_is_plain(struct str address)
{
    for (size_t i = 0; i < address.len; i++) {
        unsigned char c = (unsigned char)address.ptr[i];
        if (c <= ' ' || c == 0x7f || c == '<' || c == '>')
            return false;
    }
    return address.len <= DELIVERY_ADDRESS_BYTES_MAX && str_is_utf8(address);
}

static bool address_has_domain(struct str address)
{
    size_t at = str_find_char(address, 0, '@');
    return at > 0 && at + 1 < address.len;
}

static bool lines_end_in_crlf(struct str data)
{
    const char *end = data.ptr + data.len;
    const char *p = data.ptr;
    while (p < end) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        const char *cr = memchr(p, '\r', (size_t)((lf == NULL ? end : lf) - p));
        if (lf == NULL)
            return cr == NULL;
        if (cr == NULL || cr + 1 != lf)
            return false;
        p = lf + 1;
    }
    return true;
}

enum err delivery_message_check(const struct delivery_message *message, struct problem *problem)
{
    if (!address_is_plain(message->to) || !address_has_domain(message->to))
        return problem_set(problem, ERR_INPUT, "to", "this is not an address that can be mailed",
                           "Give it as name@domain, without spaces, brackets or line ends.");
    if (message->from.len > 0 &&
        (!address_is_plain(message->from) || !address_has_domain(message->from)))
        return problem_set(problem, ERR_INPUT, "from", "this is not an address that can send",
                           "Give it as name@domain, without spaces, brackets or line ends.");
    if (message->data.len == 0)
        return problem_set(problem, ERR_INPUT, "data", "the message is empty",
                           "Compose at least the headers.");
    if (!lines_end_in_crlf(message->data))
        return problem_set(problem, ERR_INPUT, "data", "a line ends in a bare CR or LF",
                           "End every line by CRLF before the message is signed.");
    return OK;
}

enum err channel_give(struct channel *channel, struct delivery_message *message)
{
    return channel->ops->give(channel, message);
}

void channel_recall(struct channel *channel, const uint64_t *ids, size_t count)
{
    channel->ops->recall(channel, ids, count);
}

void channel_end(struct channel *channel, bool in_time)
{
    channel->ops->end(channel, in_time);
}

void channel_stop(struct channel *channel)
{
    channel->ops->stop(channel);
}

void channel_stats_read(struct channel *channel, struct channel_stats *out)
{
    channel->ops->stats(channel, out);
}

void channel_close(struct channel *channel)
{
    if (channel != NULL)
        channel->ops->close(channel);
}
