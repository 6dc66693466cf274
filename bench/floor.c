/*
 * floor: how fast can this machine answer at all? One JSON line of milliseconds, medians.
 *
 *     floor --dir DIR --end SECONDS --rounds 7       DIR as bench/history.c wrote it; one thread
 *
 * For each of the four questions, over plain columns in memory:
 *     bytes   a pass that adds up the columns which the question touches: the memory's bandwidth
 *     plain   the shortest hand-written loop, one person after the other, one hard-coded question
 * `answers` are those of the plain loops: what every engine must give.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/time.h"

enum {
    A = 9,  /* Order Completed */
    B = 10, /* Refund Asked */
    F1 = 6, /* Product Added, Checkout Started, Order Completed */
    F2 = 8,
    F3 = 9,
    WEEKS = 12,
    DAY_S = 86400,
    WEEK_S = 7 * DAY_S,
    ROUNDS_MAX = 101,
};

struct columns {
    uint32_t        people, events, end_s;
    const uint32_t *offsets, *at;
    const uint8_t  *name;
};

struct answers {
    uint32_t three, step[4], idle;
    uint32_t kept[WEEKS][WEEKS];
};

static void fail(const char *what)
{
    fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *column_read(const char *dir, const char *name, size_t *bytes)
{
    char        path[4096];
    struct stat stat;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &stat) != 0)
        fail(path);
    char *column = malloc((size_t)stat.st_size + 64);
    for (off_t done = 0; column != NULL && done < stat.st_size;) {
        ssize_t n = read(file, column + done, (size_t)(stat.st_size - done));
        if (n <= 0)
            fail(path);
        done += n;
    }
    if (column == NULL)
        fail("memory");
    close(file);
    *bytes = (size_t)stat.st_size;
    return column;
}

/* ---- the memory ---- */

static uint64_t sum_bytes(const void *column, size_t bytes)
{
    const uint64_t *words = column;
    uint64_t        sum[4] = { 0 };
    for (size_t i = 0; i + 4 <= bytes / 8; i += 4)
        for (int k = 0; k < 4; k++)
            sum[k] += words[i + k];
    return sum[0] + sum[1] + sum[2] + sum[3];
}

static uint64_t touch_names(const struct columns *c)
{
    return sum_bytes(c->name, c->events) + sum_bytes(c->offsets, (size_t)c->people * 4);
}

static uint64_t touch_times(const struct columns *c)
{
    return sum_bytes(c->at, (size_t)c->events * 4) + sum_bytes(c->offsets, (size_t)c->people * 4);
}

static uint64_t touch_both(const struct columns *c)
{
    return touch_times(c) + sum_bytes(c->name, c->events);
}

/* ---- the plain loops ---- */

static void ask_three(const struct columns *c, struct answers *out)
{
    uint32_t since = c->end_s - 30 * DAY_S;
    out->three = 0;
    for (uint32_t p = 0; p < c->people; p++) {
        uint32_t times = 0;
        bool     never = true;
        for (uint32_t i = c->offsets[p]; i < c->offsets[p + 1]; i++) {
            times += c->name[i] == A && c->at[i] > since;
            never &= c->name[i] != B;
        }
        out->three += never && times >= 3;
    }
}

/* The latest start that reaches a step is the best one. */
static void ask_funnel(const struct columns *c, struct answers *out)
{
    memset(out->step, 0, sizeof out->step);
    for (uint32_t p = 0; p < c->people; p++) {
        uint32_t first = 0, second = 0, best = 0; /* when the chain of this length began; 0 none */
        for (uint32_t i = c->offsets[p]; i < c->offsets[p + 1] && best < 3; i++) {
            uint32_t at = c->at[i], reached = 0;
            if (c->name[i] == F1) {
                first = at;
                reached = 1;
            } else if (c->name[i] == F2 && first != 0 && at - first <= WEEK_S) {
                second = first;
                reached = 2;
            } else if (c->name[i] == F3 && second != 0 && at - second <= WEEK_S) {
                reached = 3;
            }
            best = reached > best ? reached : best;
        }
        for (uint32_t s = 1; s <= best; s++)
            out->step[s]++;
    }
}

/* By the week of a person's first event, of the last twelve: in which weeks after did they act? */
static void ask_retention(const struct columns *c, struct answers *out)
{
    uint32_t from = c->end_s - WEEKS * WEEK_S;
    memset(out->kept, 0, sizeof out->kept);
    for (uint32_t p = 0; p < c->people; p++) {
        uint32_t i = c->offsets[p], end = c->offsets[p + 1];
        if (i == end || c->at[i] < from)
            continue;
        uint32_t born = (c->at[i] - from) / WEEK_S, seen = 0;
        for (; i < end; i++) {
            seen |= 1U << ((c->at[i] - from) / WEEK_S - born);
        }
        for (uint32_t age = 0; age < WEEKS; age++)
            out->kept[born][age] += seen >> age & 1;
    }
}

static void ask_idle(const struct columns *c, struct answers *out)
{
    uint32_t since = c->end_s - 30 * DAY_S;
    out->idle = 0;
    for (uint32_t p = 0; p < c->people; p++)
        out->idle += c->offsets[p] == c->offsets[p + 1] || c->at[c->offsets[p + 1] - 1] <= since;
}

/* ---- the run ---- */

typedef uint64_t touch(const struct columns *c);
typedef void     ask(const struct columns *c, struct answers *out);

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return values[count / 2];
}

static void answers_print(const struct answers *a)
{
    printf("\"answers\":{\"three\":%u,\"funnel\":[%u,%u,%u],\"idle\":%u,\"retention\":[", a->three,
           a->step[1], a->step[2], a->step[3], a->idle);
    for (int week = 0; week < WEEKS; week++)
        for (int age = 0; age < WEEKS; age++)
            printf("%s%u%s", age == 0 ? (week > 0 ? ",[" : "[") : ",", a->kept[week][age],
                   age == WEEKS - 1 ? "]" : "");
    printf("]}");
}

static volatile uint64_t kept; /* so that nothing is left out */

static void measure(const struct columns *c, int rounds)
{
    static const struct {
        const char *name;
        touch      *touch;
        ask        *ask;
    } questions[] = {
        { "three", touch_both, ask_three },
        { "funnel", touch_both, ask_funnel },
        { "retention", touch_times, ask_retention },
        { "idle", touch_times, ask_idle },
        { "names", touch_names, NULL },
    };
    struct answers answers = { 0 };
    printf("{");
    for (size_t q = 0; q < sizeof questions / sizeof questions[0]; q++) {
        double bytes[ROUNDS_MAX], plain[ROUNDS_MAX];
        for (int round = 0; round < rounds; round++) {
            int64_t began = time_mono_us();
            kept += questions[q].touch(c);
            int64_t between = time_mono_us();
            if (questions[q].ask != NULL)
                questions[q].ask(c, &answers);
            plain[round] = (double)(time_mono_us() - between) / 1000;
            bytes[round] = (double)(between - began) / 1000;
        }
        printf("\"%s\":{\"bytes\":%.2f,\"plain\":%.2f},", questions[q].name, median(bytes, rounds),
               median(plain, rounds));
    }
    answers_print(&answers);
    printf("}\n");
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        { "dir", required_argument, NULL, 'd' },
        { "end", required_argument, NULL, 'e' },
        { "rounds", required_argument, NULL, 'r' },
        { NULL, 0, NULL, 0 },
    };
    const char *dir = NULL;
    int64_t     end = 0, rounds = 7;
    int         option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            dir = optarg;
        else if (option == '?' || str_to_int(str_of(optarg), option == 'e' ? &end : &rounds) != OK)
            exit(2);
    }
    if (dir == NULL || end < 1 || end > UINT32_MAX || rounds < 1 || rounds > ROUNDS_MAX) {
        fprintf(stderr, "usage: floor --dir DIR --end SECONDS [--rounds N]\n");
        return 2;
    }
    size_t         bytes;
    struct columns c = { .end_s = (uint32_t)end };
    c.offsets = column_read(dir, "offsets.u32", &bytes);
    c.people = (uint32_t)(bytes / 4 - 1);
    c.at = column_read(dir, "at.u32", &bytes);
    c.name = column_read(dir, "name.u8", &bytes);
    c.events = (uint32_t)bytes;
    measure(&c, (int)rounds);
    return 0;
}
