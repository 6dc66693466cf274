#include "run/log.h"

#include <stdio.h>
#include <unistd.h>

#include "base/json.h"
#include "base/time.h"

enum { LINE_BYTES_MAX = 4096 }; /* a problem's three texts, escaped */

static void member(struct buf *line, bool *first, const char *key, const char *text)
{
    if (text[0] == '\0')
        return;
    json_write_key(line, first, key);
    json_write_str(line, str_of(text));
}

static void line_write(enum log_level level, const struct problem *problem)
{
    static const char *const     names[] = { "info", "warning", "error" };
    SCOPED(buf_donep) struct buf line = buf_make(LINE_BYTES_MAX);
    bool                         first = true;
    char                         at[TIME_TEXT_BYTES];
    buf_char(&line, '{');
    member(&line, &first, "at", time_write(time_now_ms(), at));
    member(&line, &first, "level", names[level]);
    member(&line, &first, "what", problem->what);
    member(&line, &first, "where", problem->where);
    member(&line, &first, "remedy", problem->remedy);
    buf_str(&line, STR("}\n"));
    if (buf_err(&line) == OK && write(STDERR_FILENO, line.ptr, line.len) < 0)
        return; /* nobody reads it, and there is no other place to say so */
}

void log_say(enum log_level level, const char *what_format, ...)
{
    struct problem problem = { .where = "" };
    va_list        args;
    va_start(args, what_format);
    vsnprintf(problem.what, sizeof problem.what, what_format, args);
    va_end(args);
    line_write(level, &problem);
}

void log_problem(enum log_level level, const struct problem *problem)
{
    line_write(level, problem);
}
