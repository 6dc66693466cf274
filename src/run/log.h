/*
 * log: what an operator should know, a line of JSON each, on standard error.
 *
 *     {"at":"2026-01-02T03:04:05.678Z","level":"warning","what":"...","where":"...","remedy":"..."}
 *
 * Library code returns its errors; only the edge says them, here, once.
 *
 * Always true   a line is written whole, whatever other threads write.
 */
#ifndef DULT_RUN_LOG_H
#define DULT_RUN_LOG_H

#include "base/str.h"

enum log_level { LOG_INFO, LOG_WARNING, LOG_ERROR };

void log_say(enum log_level level, const char *what_format, ...)
    __attribute__((format(printf, 2, 3)));
void log_problem(enum log_level level, const struct problem *problem);

#endif
