/*
 * Any text taken as a wait is refused with what to write, or ends at an instant: one that comes
 * again never before now, and strictly later where it is to be later.
 */
#include <stdlib.h>
#include <string.h>

#include "engine/journey/until.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The first bytes are the time at which it begins to wait, the rest the text. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct until   until;
    struct problem problem = { .where = "" };
    int64_t        now_ms = 0;
    uint32_t       minutes;
    if (size < sizeof minutes)
        return 0;
    memcpy(&minutes, data, sizeof minutes);
    now_ms = (int64_t)(minutes % (200U * 366 * 24 * 60)) * TIME_MINUTE_MS;
    struct str text = { (const char *)data + sizeof minutes, size - sizeof minutes };
    if (until_parse(text, &until, &problem) != OK) {
        must(problem.what[0] != '\0' && problem.remedy[0] != '\0');
        return 0;
    }
    struct json date = { .kind = JSON_STRING, .string = STR("1996-02-29") };
    for (int later = 0; later < 2; later++) {
        int64_t end_ms = until_end_ms(&until, NULL, &date, now_ms, later != 0);
        must(end_ms == TIME_NEVER || (end_ms >= TIME_MIN_MS && end_ms <= TIME_MAX_MS));
        if (until.kind == UNTIL_TIME || until.is_yearly)
            must(end_ms >= now_ms + later);
    }
    return 0;
}
