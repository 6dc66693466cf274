#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

const char *err_name(enum err code)
{
    static const char *const names[] = {
        [OK] = "ok",
        [ERR_WAIT] = "wait",
        [ERR_INPUT] = "input",
        [ERR_ABSENT] = "absent",
        [ERR_LIMIT] = "limit",
        [ERR_DENIED] = "denied",
        [ERR_CONFLICT] = "conflict",
        [ERR_IO] = "io",
        [ERR_CORRUPT] = "corrupt",
        [ERR_MEMORY] = "memory",
    };
    if ((unsigned)code >= sizeof names / sizeof names[0])
        return "unknown";
    return names[code];
}

enum err problem_set(struct problem *p, enum err code, const char *where, const char *what,
                     const char *remedy)
{
    if (p == NULL)
        return code;
    snprintf(p->where, sizeof p->where, "%s", where);
    snprintf(p->what, sizeof p->what, "%s", what);
    snprintf(p->remedy, sizeof p->remedy, "%s", remedy);
    return code;
}

enum err problem_format(struct problem *p, enum err code, const char *where, const char *remedy,
                        const char *what_format, ...)
{
    if (p == NULL)
        return code;
    va_list args;
    va_start(args, what_format);
    vsnprintf(p->what, sizeof p->what, what_format, args);
    va_end(args);
    snprintf(p->where, sizeof p->where, "%s", where);
    snprintf(p->remedy, sizeof p->remedy, "%s", remedy);
    return code;
}
