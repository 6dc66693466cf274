/*
 * How many messages went by a way today, for those whose days are bounded.
 *
 * Counted ahead on disk, a part of the day's number at a time: after a crash what was counted and
 * not sent counts as sent, so that a day never has more than its number.
 *
 *     DIR/ways-today      ses 20780 150        name, day since 1970, how many
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/time.h"
#include "run/cli/files.h"
#include "run/send/sender_inside.h"

enum { PARTS = 20, FILE_TEXT_BYTES_MAX = 4096 };

#define COUNTS_FILE "ways-today"

static int64_t day_of(int64_t now_ms)
{
    return now_ms / TIME_DAY_MS;
}

static bool is_bounded(const struct way *way)
{
    return way->conf->plan.per_day > 0 || way->conf->plan.first_day > 0;
}

uint32_t counts_today(const struct way *way, int64_t now_ms)
{
    return way->day == day_of(now_ms) ? way->day_used : 0;
}

bool counts_has_one(const struct way *way, int64_t now_ms)
{
    return !is_bounded(way) ||
           counts_today(way, now_ms) < way_plan_limit(&way->conf->plan, day_of(now_ms));
}

/* ---- the file ---- */

static struct way *way_named(struct sender *sender, struct str name)
{
    for (uint32_t i = 0; i < sender->ways_count; i++)
        if (str_eq(str_of(sender->ways[i].conf->name), name))
            return &sender->ways[i];
    return NULL;
}

/* "name day count"; a name may have blanks. */
static bool line_read(struct sender *sender, struct str line)
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
    struct way *way = way_named(sender, line);
    if (way != NULL) {
        way->day = numbers[0];
        way->day_used = way->day_kept = (uint32_t)numbers[1];
    }
    return true;
}

enum err counts_read(struct sender *sender, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    char                               path[sizeof sender->counts_dir + 16];
    struct str                         text, line;
    if (sender->counts_dir[0] == '\0')
        return OK;
    if (arena == NULL)
        return ERR_MEMORY;
    snprintf(path, sizeof path, "%s/" COUNTS_FILE, sender->counts_dir);
    enum err err = files_read_one(arena, path, FILE_TEXT_BYTES_MAX, &text, problem);
    if (err != OK)
        return err == ERR_ABSENT ? OK : err;
    while (str_split(&text, '\n', &line))
        if (line.len > 0 && !line_read(sender, line))
            return problem_set(problem, ERR_INPUT, COUNTS_FILE,
                               "What the ways sent today cannot be read.",
                               "Remove the file: today's numbers begin anew.");
    return OK;
}

static bool text_write(const struct sender *sender, const char *path, struct buf *text)
{
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        const struct way *way = &sender->ways[i];
        if (is_bounded(way))
            buf_format(text, "%s %lld %u\n", way->conf->name, (long long)way->day, way->day_kept);
    }
    int  file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = file >= 0 && buf_err(text) == OK &&
                write(file, text->ptr, text->len) == (ssize_t)text->len && fsync(file) == 0;
    if (file >= 0)
        close(file);
    return done;
}

/* A new file in the place of the old one: a power cut leaves one of the two. */
static bool counts_write(const struct sender *sender)
{
    char                         path[sizeof sender->counts_dir + 16], fresh[sizeof path + 4];
    SCOPED(buf_donep) struct buf text = buf_make(FILE_TEXT_BYTES_MAX);
    if (sender->counts_dir[0] == '\0')
        return true;
    snprintf(path, sizeof path, "%s/" COUNTS_FILE, sender->counts_dir);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    if (!text_write(sender, fresh, &text) || rename(fresh, path) != 0)
        return false;
    int  folder = open(sender->counts_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0)
        close(folder);
    return done;
}

/* ---- counting ---- */

static bool keep_more(struct way *way, uint32_t most)
{
    uint32_t before = way->day_kept, part = most / PARTS > 0 ? most / PARTS : 1;
    way->day_kept = least(most, way->day_kept + part);
    if (counts_write(way->sender))
        return true;
    way->day_kept = before;
    return false;
}

bool counts_take(struct way *way, int64_t now_ms)
{
    int64_t day = day_of(now_ms);
    if (!is_bounded(way))
        return true;
    if (way->day != day) {
        way->day = day;
        way->day_used = way->day_kept = 0;
    }
    if (way->day_used == way->day_kept && !keep_more(way, way_plan_limit(&way->conf->plan, day)))
        return false;
    way->day_used++;
    return true;
}

void counts_give_back(struct way *way, int64_t now_ms)
{
    if (is_bounded(way) && way->day == day_of(now_ms) && way->day_used > 0)
        way->day_used--;
}
