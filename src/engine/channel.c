#include "engine/channel.h"

struct str channel_name(enum consent_channel channel)
{
    static const char *const names[CHANNELS] = { "", "email", "sms", "push", "post" };
    return str_of(names[channel]);
}

bool channel_of(struct str word, enum consent_channel *out)
{
    for (int i = 0; i < CHANNELS; i++)
        if (str_eq(word, channel_name((enum consent_channel)i))) {
            *out = (enum consent_channel)i;
            return true;
        }
    return false;
}
