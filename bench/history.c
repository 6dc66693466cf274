/*
 * history: a shop's half year, made up the same way every time, for asking engines about it.
 *
 *     history --dir DIR --people 1000000 --events 20000000 --end SECONDS
 *
 * Writes into DIR, all of the same events:
 *
 *     offsets.u32, at.u32, name.u8     columns, by person and then time; offsets has people + 1
 *     rows.csv                         person,at,name,cents      the same order
 *     history.csv                      person,at,event,revenue   by time: the first 99%
 *     live.csv                         by time: the rest
 *
 * How active people are follows a power law: the person of rank r makes about c * r^-0.6 events
 * (of 20 million: the busiest 32,000, the last 8). Half of the people are there from the first of
 * the 180 days, the others begin on any day; two in five stop on any later day. Within that
 * time a person's events lie evenly at random, before the end, on whole seconds, no two on one. The
 * k-th of 40 names has a share of 1 / k of the first's (23.4% down to 0.6%). Revenue is 0.01 to
 * 500.00 on each event.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum { NAMES = 40, DAYS = 180, SPAN_S = DAYS * 86400, LIVE_PER_MILLE = 10, CENTS_MAX = 50000 };

#define EXPONENT 0.6

static const char *const NAME_TEXTS[NAMES] = {
    "Page",
    "Product Viewed",
    "Search",
    "Product List Viewed",
    "Cart Viewed",
    "Email Read",
    "Product Added",
    "Video Watched",
    "Checkout Started",
    "Order Completed",
    "Refund Asked",
    "Guide Read",
    "Coupon Applied",
    "Product Removed",
    "Wishlist Added",
    "Review Read",
    "Signed In",
    "Signed Out",
    "Size Chart Opened",
    "Store Found",
    "Banner Clicked",
    "Filter Applied",
    "Sort Changed",
    "Share Clicked",
    "Help Opened",
    "Chat Started",
    "Review Written",
    "Address Changed",
    "Payment Failed",
    "Order Cancelled",
    "Order Returned",
    "Gift Card Used",
    "Points Redeemed",
    "Friend Invited",
    "App Installed",
    "Push Allowed",
    "Profile Changed",
    "Survey Answered",
    "Password Changed",
    "Account Closed",
};

struct history {
    const char *dir;
    uint32_t    people, events, end_s;
    uint64_t    random;
    uint32_t    share[NAMES]; /* of 2^32, up to and with this name */
    uint32_t   *offsets, *at, *cents;
    uint8_t    *name;
};

static void fail(const char *what)
{
    fprintf(stderr, "history: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void *room(size_t bytes)
{
    void *memory = malloc(bytes > 0 ? bytes : 1);
    if (memory == NULL)
        fail("memory");
    return memory;
}

/* splitmix64: the upper half of a step. */
static uint32_t chance(struct history *h)
{
    uint64_t z = h->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) >> 32);
}

static uint32_t below(struct history *h, uint32_t bound)
{
    return (uint32_t)(((uint64_t)chance(h) * bound) >> 32);
}

/* ---- making ---- */

static void shares_make(struct history *h)
{
    double all = 0, sum = 0;
    for (int k = 0; k < NAMES; k++)
        all += 1.0 / (k + 1);
    for (int k = 0; k < NAMES; k++) {
        sum += 1.0 / (k + 1);
        h->share[k] = k == NAMES - 1 ? UINT32_MAX : (uint32_t)(sum / all * 4294967295.0);
    }
}

static uint8_t name_draw(struct history *h)
{
    uint32_t drawn = chance(h);
    uint8_t  k = 0;
    while (drawn > h->share[k])
        k++;
    return k;
}

/* How many events each person makes; ranks are dealt to people as by chance. */
static void offsets_make(struct history *h)
{
    double all = 0, carried = 0;
    for (uint32_t r = 1; r <= h->people; r++)
        all += pow(r, -EXPONENT);
    h->offsets[0] = 0;
    for (uint32_t p = 0; p < h->people; p++) {
        uint32_t rank = (uint32_t)((uint64_t)p * 7368787 % h->people) + 1;
        carried += h->events * pow(rank, -EXPONENT) / all;
        uint32_t to = (uint32_t)carried; /* what is rounded off comes with the next */
        h->offsets[p + 1] = p + 1 == h->people || to > h->events ? h->events : to;
    }
}

static int compare_at(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void person_make(struct history *h, uint32_t person)
{
    uint32_t  count = h->offsets[person + 1] - h->offsets[person];
    uint32_t *at = h->at + h->offsets[person];
    uint32_t  from = h->end_s - SPAN_S, to = h->end_s;
    bool      is_late = chance(h) & 1;
    uint32_t  stops = below(h, 5);
    if (is_late)
        from += below(h, SPAN_S);
    if (stops < 2)
        to -= below(h, to - from);
    if (to - from < 8 * count) { /* room for the busiest */
        from = h->end_s - SPAN_S;
        to = h->end_s;
    }
    for (uint32_t i = 0; i < count; i++)
        at[i] = to - 1 - below(h, to - from);
    qsort(at, count, sizeof *at, compare_at);
    for (uint32_t i = 1; i < count; i++)
        if (at[i] <= at[i - 1])
            at[i] = at[i - 1] + 1;
    for (uint32_t i = count; i-- > 0 && at[i] >= h->end_s - (count - 1 - i);)
        at[i] = h->end_s - (count - i);
    for (uint32_t i = h->offsets[person]; i < h->offsets[person + 1]; i++) {
        h->name[i] = name_draw(h);
        h->cents[i] = 1 + below(h, CENTS_MAX);
    }
}

/* ---- writing ---- */

static FILE *file_open(const struct history *h, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", h->dir, name);
    FILE *file = fopen(path, "w");
    if (file == NULL)
        fail(path);
    setvbuf(file, NULL, _IOFBF, 1 << 20);
    return file;
}

static void file_close(FILE *file)
{
    if (ferror(file) || fclose(file) != 0)
        fail("writing");
}

static void column_write(const struct history *h, const char *name, const void *column, size_t item,
                         size_t count)
{
    FILE *file = file_open(h, name);
    fwrite(column, item, count, file);
    file_close(file);
}

static void rows_write(const struct history *h)
{
    FILE *file = file_open(h, "rows.csv");
    for (uint32_t p = 0; p < h->people; p++)
        for (uint32_t i = h->offsets[p]; i < h->offsets[p + 1]; i++)
            fprintf(file, "%u,%u,%u,%u\n", p, h->at[i], h->name[i], h->cents[i]);
    file_close(file);
}

/* The places of events by time: counted by the second. */
static uint32_t *times_sort(const struct history *h)
{
    uint32_t  first_s = h->end_s - SPAN_S;
    uint32_t *starts = calloc((size_t)SPAN_S + 2, sizeof *starts);
    uint32_t *order = room(sizeof *order * h->events);
    if (starts == NULL)
        fail("memory");
    for (uint32_t i = 0; i < h->events; i++)
        starts[h->at[i] - first_s + 1]++;
    for (uint32_t s = 0; s <= SPAN_S; s++)
        starts[s + 1] += starts[s];
    for (uint32_t i = 0; i < h->events; i++)
        order[starts[h->at[i] - first_s]++] = i;
    free(starts);
    return order;
}

static void history_write(const struct history *h)
{
    uint32_t *order = times_sort(h);
    uint32_t *person = room(sizeof *person * h->events);
    uint32_t  live = (uint32_t)((uint64_t)h->events * LIVE_PER_MILLE / 1000);
    FILE     *file = file_open(h, "history.csv");
    for (uint32_t p = 0; p < h->people; p++)
        for (uint32_t i = h->offsets[p]; i < h->offsets[p + 1]; i++)
            person[i] = p;
    fputs("person,at,event,revenue\n", file);
    for (uint32_t i = 0; i < h->events; i++) {
        uint32_t e = order[i];
        if (i == h->events - live) {
            file_close(file);
            file = file_open(h, "live.csv");
        }
        fprintf(file, "u%07u,%u,%s,%u.%02u\n", person[e], h->at[e], NAME_TEXTS[h->name[e]],
                h->cents[e] / 100, h->cents[e] % 100);
    }
    file_close(file);
    free(person);
    free(order);
}

/* ---- the run ---- */

static uint32_t number_read(const char *text)
{
    int64_t number = 0;
    if (str_to_int(str_of(text), &number) != OK || number < 1 || number > UINT32_MAX)
        exit(2);
    return (uint32_t)number;
}

static struct history history_read(int argc, char **argv)
{
    static const struct option options[] = {
        { "dir", required_argument, NULL, 'd' },
        { "people", required_argument, NULL, 'p' },
        { "events", required_argument, NULL, 'e' },
        { "end", required_argument, NULL, 't' },
        { NULL, 0, NULL, 0 },
    };
    struct history h = { .people = 1000000, .events = 20000000, .random = 20261122 };
    int            option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            h.dir = optarg;
        else if (option == 'p')
            h.people = number_read(optarg);
        else if (option == 'e')
            h.events = number_read(optarg);
        else if (option == 't')
            h.end_s = number_read(optarg);
        else
            exit(2);
    }
    if (h.dir == NULL || h.end_s < 2 * SPAN_S || h.events < h.people || h.events / 100 > SPAN_S) {
        fprintf(stderr, "usage: history --dir DIR --end SECONDS [--people N] [--events N]\n");
        exit(2);
    }
    return h;
}

int main(int argc, char **argv)
{
    struct history h = history_read(argc, argv);
    h.offsets = room(sizeof *h.offsets * ((size_t)h.people + 1));
    h.at = room(sizeof *h.at * h.events);
    h.cents = room(sizeof *h.cents * h.events);
    h.name = room(h.events);
    shares_make(&h);
    offsets_make(&h);
    for (uint32_t p = 0; p < h.people; p++)
        person_make(&h, p);
    column_write(&h, "offsets.u32", h.offsets, sizeof *h.offsets, (size_t)h.people + 1);
    column_write(&h, "at.u32", h.at, sizeof *h.at, h.events);
    column_write(&h, "name.u8", h.name, sizeof *h.name, h.events);
    rows_write(&h);
    history_write(&h);
    printf("{\"people\":%u,\"events\":%u,\"end\":%u,\"names\":[", h.people, h.events, h.end_s);
    for (int k = 0; k < NAMES; k++)
        printf("%s\"%s\"", k > 0 ? "," : "", NAME_TEXTS[k]);
    printf("]}\n");
    return 0;
}
