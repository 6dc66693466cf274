/*
 * How many messages went by a way today and this month, for those whose days or months are bounded.
 *
 * Counted ahead on disk, a part of the number at a time: after a crash what was counted and not
 * sent counts as sent, so that no day and no month has more than its number. What is printed is
 * paid, so a month's part is small.
 *
 *     DIR/ways-today      ses 20780 150        name, day since 1970, how many
 *     DIR/ways-month      lob 682 41           name, month since 1970, how many
 *
 * The lines of ways that are not told now, or are without a bound, stay while their day or month
 * lasts: who is put back within it goes on counting where they were.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "run/cli/files.h"
#include "run/send/sender_inside.h"

enum {
    FILE_TEXT_BYTES_MAX = 16 << 10, /* some 80 bytes a line */
    ABSENT_MAX = 64,                /* lines of ways that are not there; more are forgotten */
    PATH_MORE = 20,
};

/* A day, a month: its file, and into how many parts its number is counted ahead. */
struct span {
    const char *file;
    uint32_t    parts;
    bool        is_month;
};

static const struct span DAY = { "ways-today", 20, false };
static const struct span MONTH = { "ways-month", 1000, true };

static int64_t number_of(const struct span *span, int64_t now_ms)
{
    time_t    seconds = (time_t)(now_ms / 1000);
    struct tm parts;
    if (!span->is_month)
        return now_ms / TIME_DAY_MS;
    gmtime_r(&seconds, &parts);
    return (int64_t)(parts.tm_year - 70) * 12 + parts.tm_mon;
}

static struct tally *tally_of(struct way *way, const struct span *span)
{
    return span->is_month ? &way->month : &way->day;
}

static bool is_bounded(const struct way *way, const struct span *span)
{
    const struct way_plan *plan = &way->conf->plan;
    return span->is_month ? plan->per_month > 0 : plan->per_day > 0 || plan->first_day > 0;
}

static uint32_t limit_of(const struct way *way, const struct span *span, int64_t number)
{
    return span->is_month ? way->conf->plan.per_month : way_plan_limit(&way->conf->plan, number);
}

static uint32_t used(const struct tally *tally, const struct span *span, int64_t now_ms)
{
    return tally->number == number_of(span, now_ms) ? tally->used : 0;
}

uint32_t counts_today(const struct way *way, int64_t now_ms)
{
    return used(&way->day, &DAY, now_ms);
}

uint32_t counts_month(const struct way *way, int64_t now_ms)
{
    return used(&way->month, &MONTH, now_ms);
}

bool counts_has_one(const struct way *way, int64_t now_ms)
{
    return (!is_bounded(way, &DAY) ||
            counts_today(way, now_ms) < limit_of(way, &DAY, number_of(&DAY, now_ms))) &&
           (!is_bounded(way, &MONTH) || counts_month(way, now_ms) < limit_of(way, &MONTH, 0));
}

int64_t counts_opens_ms(const struct way *way, int64_t now_ms)
{
    struct tm parts = { .tm_mday = 1 };
    int64_t   month = number_of(&MONTH, now_ms) + 1;
    if (counts_has_one(way, now_ms))
        return 0;
    if (!is_bounded(way, &MONTH) || counts_month(way, now_ms) < limit_of(way, &MONTH, 0))
        return (now_ms / TIME_DAY_MS + 1) * TIME_DAY_MS;
    parts.tm_year = (int)(month / 12) + 70;
    parts.tm_mon = (int)(month % 12);
    return (int64_t)timegm(&parts) * 1000;
}

/* ---- the files ---- */

static struct way *way_named(struct sender *sender, struct str name)
{
    for (uint32_t i = 0; i < sender->ways_count; i++)
        if (str_eq(str_of(sender->ways[i]->conf->name), name))
            return sender->ways[i];
    return NULL;
}

/* "name number count"; a name may have blanks. */
static bool line_parse(struct str line, struct str *name, struct tally *tally)
{
    int64_t numbers[2];
    for (int i = 1; i >= 0; i--) {
        size_t blank = line.len;
        while (blank > 0 && line.ptr[blank - 1] != ' ')
            blank--;
        if (blank < 2 || str_to_int(str_slice(line, blank, line.len), &numbers[i]) != OK ||
            numbers[i] < 0 || numbers[i] > UINT32_MAX)
            return false;
        line = str_slice(line, 0, blank - 1);
    }
    *name = line;
    *tally = (struct tally){ numbers[0], (uint32_t)numbers[1], (uint32_t)numbers[1] };
    return true;
}

static bool line_read(struct sender *sender, const struct span *span, struct str line)
{
    struct str   name;
    struct tally tally;
    if (!line_parse(line, &name, &tally))
        return false;
    struct way *way = way_named(sender, name);
    if (way != NULL)
        *tally_of(way, span) = tally;
    return true;
}

static enum err span_read(struct sender *sender, const struct span *span, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    char                               path[sizeof sender->counts_dir + PATH_MORE];
    struct str                         text, line;
    if (arena == NULL)
        return ERR_MEMORY;
    snprintf(path, sizeof path, "%s/%s", sender->counts_dir, span->file);
    enum err err = files_read_one(arena, path, FILE_TEXT_BYTES_MAX, &text, problem);
    if (err != OK)
        return err;
    while (str_split(&text, '\n', &line))
        if (line.len > 0 && !line_read(sender, span, line))
            return problem_set(problem, ERR_INPUT, span->file,
                               "What the ways sent so far cannot be read.",
                               "Remove the file: its numbers begin anew.");
    return OK;
}

/* Where months were counted before: "2026-11 412", of postcards. */
static void old_month_read(struct sender *sender)
{
    char     path[sizeof sender->counts_dir + PATH_MORE];
    unsigned year, month, count;
    snprintf(path, sizeof path, "%s/post-count", sender->counts_dir);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return;
    bool is_read = fscanf(file, "%4u-%2u %9u", &year, &month, &count) == 3 && year >= 1970;
    (void)fclose(file);
    for (uint32_t i = 0; is_read && i < sender->ways_count; i++)
        if (way_channel(sender->ways[i]->conf) == CHANNEL_POST) {
            sender->ways[i]->month =
                (struct tally){ (int64_t)(year - 1970) * 12 + month - 1, count, count };
            return;
        }
}

enum err counts_read(struct sender *sender, struct problem *problem)
{
    if (sender->counts_dir[0] == '\0')
        return OK;
    enum err err = span_read(sender, &DAY, problem);
    if (err != OK && err != ERR_ABSENT)
        return err;
    err = span_read(sender, &MONTH, problem);
    if (err == ERR_ABSENT)
        old_month_read(sender);
    return err == ERR_ABSENT ? OK : err;
}

/* The lines of the file as it is that stay though their way counts nothing now. */
static bool absent_write(struct sender *sender, const struct span *span, int64_t number,
                         const char *path, struct buf *out)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct problem                     problem;
    struct str                         text, line, name;
    struct tally                       tally;
    if (arena == NULL)
        return false;
    enum err err = files_read_one(arena, path, FILE_TEXT_BYTES_MAX, &text, &problem);
    if (err != OK)
        return err == ERR_ABSENT;
    for (uint32_t kept = 0; kept < ABSENT_MAX && str_split(&text, '\n', &line);) {
        const struct way *way = NULL;
        if (!line_parse(line, &name, &tally) || tally.number != number ||
            ((way = way_named(sender, name)) != NULL && is_bounded(way, span)))
            continue;
        buf_format(out, "%.*s\n", STR_ARG(line));
        kept++;
    }
    return true;
}

static bool text_write(struct sender *sender, const struct span *span, const char *path,
                       struct buf *text)
{
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        struct way         *way = sender->ways[i];
        const struct tally *tally = tally_of(way, span);
        if (is_bounded(way, span))
            buf_format(text, "%s %lld %u\n", way->conf->name, (long long)tally->number,
                       tally->kept);
    }
    int  file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = file >= 0 && buf_err(text) == OK &&
                write(file, text->ptr, text->len) == (ssize_t)text->len && fsync(file) == 0;
    if (file >= 0)
        close(file);
    return done;
}

/* A new file in the place of the old one: a power cut leaves one of the two. */
static bool span_write(struct sender *sender, const struct span *span, int64_t number)
{
    char path[sizeof sender->counts_dir + PATH_MORE], fresh[sizeof path + 4];
    SCOPED(buf_donep) struct buf text = buf_make(FILE_TEXT_BYTES_MAX);
    if (sender->counts_dir[0] == '\0')
        return true;
    snprintf(path, sizeof path, "%s/%s", sender->counts_dir, span->file);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    if (!absent_write(sender, span, number, path, &text) ||
        !text_write(sender, span, fresh, &text) || rename(fresh, path) != 0)
        return false;
    int  folder = open(sender->counts_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return done;
}

/* ---- counting ---- */

static bool keep_more(struct way *way, const struct span *span, uint32_t most)
{
    struct tally *tally = tally_of(way, span);
    uint32_t      before = tally->kept, part = most / span->parts > 0 ? most / span->parts : 1;
    tally->kept = least(most, tally->kept + part);
    if (span_write(way->sender, span, tally->number))
        return true;
    tally->kept = before;
    return false;
}

static bool take(struct way *way, const struct span *span, int64_t now_ms)
{
    struct tally *tally = tally_of(way, span);
    int64_t       number = number_of(span, now_ms);
    if (!is_bounded(way, span))
        return true;
    if (tally->number != number)
        *tally = (struct tally){ .number = number };
    if (tally->used == tally->kept && !keep_more(way, span, limit_of(way, span, number)))
        return false;
    tally->used++;
    return true;
}

static void give_back(struct way *way, const struct span *span, int64_t now_ms)
{
    struct tally *tally = tally_of(way, span);
    if (is_bounded(way, span) && tally->number == number_of(span, now_ms) && tally->used > 0)
        tally->used--;
}

bool counts_take(struct way *way, int64_t now_ms)
{
    if (!take(way, &DAY, now_ms))
        return false;
    if (take(way, &MONTH, now_ms))
        return true;
    give_back(way, &DAY, now_ms);
    return false;
}

void counts_give_back(struct way *way, int64_t now_ms)
{
    give_back(way, &DAY, now_ms);
    give_back(way, &MONTH, now_ms);
}
