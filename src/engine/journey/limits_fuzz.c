/*
 * Any text taken as limits is refused with a place, what is wrong and a remedy, or leaves some time
 * of the week free: what is due in quiet hours has an end to them at which it is not quiet.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/journey/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The first bytes are the time that it is, the rest the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct limits_def def = { .version = 1 };
    struct problem    problem = { .where = "" };
    uint32_t          minutes;
    if (size < sizeof minutes)
        return 0;
    memcpy(&minutes, data, sizeof minutes);
    struct str text = { (const char *)data + sizeof minutes, size - sizeof minutes };
    enum err   err = limits_parse(text, NULL, &def, &problem);
    must(err == OK || (problem.what[0] != '\0' && problem.remedy[0] != '\0'));
    if (err != OK)
        return 0;
    int64_t now_ms = (int64_t)(minutes % (200U * 366 * 24 * 60)) * TIME_MINUTE_MS;
    for (int channel = CHANNEL_EMAIL; channel < CHANNELS; channel++) {
        enum consent_channel by = (enum consent_channel)channel;
        int64_t              end_ms = limits_quiet_until_ms(&def, by, NULL, now_ms);
        must(end_ms >= now_ms && end_ms < now_ms + 9 * TIME_DAY_MS);
        must(limits_quiet_until_ms(&def, by, NULL, end_ms) == end_ms);
    }
    for (uint32_t i = 0; i < def.most_count; i++) {
        char       bytes[LIMITS_WHY_BYTES_MAX];
        struct str why = limits_say(&def.most[i], STR("news"), bytes);
        must(why.len > 0 && why.len < sizeof bytes);
    }
    return 0;
}
