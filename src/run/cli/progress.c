#include "run/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"

enum { BAR_PLACES = 24, BETWEEN_US = 100000 };

struct progress progress_make(const char *label)
{
    return (struct progress){ .label = label, .is_on = isatty(STDERR_FILENO) };
}

void progress_show(struct progress *progress, uint64_t done, uint64_t total, const char *note)
{
    static const char full[] = "########################", none[] = "------------------------";
    int64_t           now_us = time_mono_us();
    if (!progress->is_on || now_us - progress->last_us < BETWEEN_US)
        return;
    progress->last_us = now_us;
    int share = total == 0 ? 0 : (int)(done >= total ? 100 : done * 100 / total);
    int places = share * BAR_PLACES / 100;
    fprintf(stderr, "\r%s  [%.*s%.*s] %3d%%  %s\033[K", progress->label, places, full,
            BAR_PLACES - places, none, share, note == NULL ? "" : note);
}

void progress_end(struct progress *progress)
{
    if (progress->is_on && progress->last_us != 0)
        fputs("\r\033[K", stderr);
    progress->last_us = 0;
}

char *progress_number(int64_t value, char *out)
{
    char   digits[24];
    size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRId64, value), at = 0;
    for (size_t i = 0; i < length; i++) {
        bool is_group = i > 0 && digits[i - 1] != '-' && (length - i) % 3 == 0;
        if (is_group)
            out[at++] = ',';
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}
