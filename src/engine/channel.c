#include "engine/channel.h"

struct str channel_name(enum consent_channel channel)
{
    static const char *const names[CHANNELS_ALL] = {
        [CHANNEL_ALL] = "",        [CHANNEL_EMAIL] = "email", [CHANNEL_SMS] = "sms",
        [CHANNEL_PUSH] = "push",   [CHANNEL_POST] = "post",   [CHANNEL_WEBHOOK] = "webhook",
        [CHANNEL_STAFF] = "staff",
    };
    return str_of(names[channel]);
}

static bool word_find(struct str word, int channels, enum consent_channel *out)
{
    for (int i = 0; i < channels; i++)
        if (str_eq(word, channel_name((enum consent_channel)i))) {
            *out = (enum consent_channel)i;
            return true;
        }
    return false;
}

bool channel_of(struct str word, enum consent_channel *out)
{
    return word_find(word, CHANNELS, out);
}

bool channel_of_template(struct str word, enum consent_channel *out)
{
    if (!word_find(word, CHANNELS_ALL, out) || *out == CHANNEL_PUSH)
        return false;
    if (*out == CHANNEL_ALL)
        *out = CHANNEL_EMAIL;
    return true;
}
