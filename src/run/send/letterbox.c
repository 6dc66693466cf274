#include "run/send/letterbox.h"

#include <stdlib.h>

const struct way_conf letterbox_ways[LETTERBOXES] = {
    { .name = "texts", .kind = WAY_COURIER, .channel = CHANNEL_SMS },
    { .name = "others", .kind = WAY_COURIER, .channel = CHANNEL_WEBHOOK },
};

static enum err give(struct channel *channel, struct delivery_message *message)
{
    (void)channel;
    (void)message;
    return ERR_LIMIT;
}

static void recall(struct channel *channel, uint64_t id)
{
    (void)channel;
    (void)id;
}

static void stop(struct channel *channel)
{
    (void)channel;
}

static void stats(struct channel *channel, struct channel_stats *out)
{
    (void)channel;
    *out = (struct channel_stats){ .places = LETTERBOX_PLACES };
}

static void close_channel(struct channel *channel)
{
    free(channel);
}

static const struct channel_ops ops = { give, recall, stop, stats, close_channel };

enum err letterbox_open(const struct channel_calls *calls, struct channel **out)
{
    struct channel *channel = calloc(1, sizeof *channel);
    if (channel == NULL)
        return ERR_MEMORY;
    channel->ops = &ops;
    *out = channel;
    calls->room(calls->ctx, LETTERBOX_PLACES);
    return OK;
}
