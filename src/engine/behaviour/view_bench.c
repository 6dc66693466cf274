/*
 * What readers beside the engine wait for, with a million people: a merge, loading what it made,
 * and views of it.
 *
 *     view_bench [millions of events]
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "engine/behaviour/edition.h"
#include "engine/behaviour/view.h"

enum { PEOPLE = 1000000, NAMES = 60, MILLION = 1000000 };

struct bench {
    struct timeline *timeline;
    struct rings    *rings;
    uint64_t         random;
    uint32_t         seq;
};

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static uint32_t draw(struct bench *b, uint32_t below)
{
    b->random = hash_u64(b->random, 5);
    return (uint32_t)(b->random >> 30) % below;
}

static void events_add(struct bench *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct timeline_event e = { .profile = draw(b, PEOPLE),
                                    .name = (uint16_t)draw(b, NAMES),
                                    .seq = ++b->seq,
                                    .at_ms = (int64_t)b->seq * 100 };
        if (timeline_add(b->timeline, e) != OK)
            exit(1);
    }
}

/* A new base, through a file as in life; gives the file. */
static int merge(struct bench *b, size_t *bytes)
{
    char path[] = "/tmp/view_bench.XXXXXX";
    int  file = mkstemp(path);
    unlink(path);
    double began = now_ms();
    if (timeline_freeze(b->timeline, b->seq, bytes) != OK || ftruncate(file, (off_t)*bytes) != 0)
        exit(1);
    double frozen = now_ms();
    void  *region = mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (region == MAP_FAILED || timeline_write(b->timeline, region, bytes) != OK)
        exit(1);
    double written = now_ms();
    timeline_swap(b->timeline, region, *bytes);
    printf("merge      %.2f ms freeze, %.0f ms write, %.2f ms swap; %.2f bytes an event\n",
           frozen - began, written - frozen, now_ms() - written,
           (double)*bytes / (double)timeline_count(b->timeline));
    return file;
}

static void load(int file, size_t bytes)
{
    struct timeline *timeline = timeline_open();
    FILE            *bags = tmpfile();
    char             nothing[BAG_UNIT_BYTES] = { 0 };
    fwrite(nothing, 1, sizeof nothing, bags);
    fflush(bags);
    double began = now_ms();
    void  *region = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
    if (timeline_load(timeline, region, bytes, fileno(bags), sizeof nothing) != OK)
        exit(1);
    printf("load       %.0f ms\n", now_ms() - began);
    timeline_close(timeline);
    fclose(bags);
}

static struct view *view_of(struct bench *b, const struct view *before, const char *what)
{
    struct view    *view = NULL;
    double          began = now_ms();
    struct edition *edition =
        edition_make(b->timeline, b->rings, (struct moment){ b->seq, PEOPLE, 0, NULL });
    double published = now_ms();
    if (view_make(&view, edition, before) != OK)
        exit(1);
    printf("view       %6.2f ms %s (edition %.3f ms)\n", now_ms() - published, what,
           published - began);
    edition_drop(edition);
    return view;
}

/* The next view, of `count` more events and perhaps `joins` joins. */
static void view_next(struct bench *b, struct view **view, uint32_t count, uint32_t joins,
                      const char *what)
{
    events_add(b, count);
    for (uint32_t i = 0; i < joins; i++)
        rings_turn(b->rings, (struct turn){ draw(b, PEOPLE), draw(b, PEOPLE), draw(b, PEOPLE) });
    struct view *next = view_of(b, *view, what);
    view_drop(*view);
    *view = next;
}

int main(int argc, char **argv)
{
    uint32_t     millions = argc > 1 ? (uint32_t)atoi(argv[1]) : 20;
    struct bench b = { .timeline = timeline_open(), .rings = rings_open(PEOPLE), .random = 9 };
    size_t       bytes;
    if (b.timeline == NULL || b.rings == NULL)
        return 1;
    for (uint32_t p = 0; p < PEOPLE; p++)
        b.rings->root[p] = b.rings->next[p] = p;
    events_add(&b, millions * MILLION);
    int file = merge(&b, &bytes);
    load(file, bytes);
    struct view *view = view_of(&b, NULL, "of the base alone");
    view_drop(view);
    events_add(&b, 200000);
    view = view_of(&b, NULL, "of 200,000 events since the base, none before it");
    view_next(&b, &view, 4000, 0, "of 4,000 more");
    view_next(&b, &view, 4000, 0, "of 4,000 more");
    view_next(&b, &view, 4000, 100, "of 4,000 more and 100 joins");
    for (int i = 0; i < 8; i++)
        view_next(&b, &view, 4000, 0, "of 4,000 more");
    merge(&b, &bytes);
    view_next(&b, &view, 4000, 0, "of 4,000, the first after a merge");
    view_drop(view);
    timeline_close(b.timeline);
    rings_drop(b.rings);
    close(file);
    return 0;
}
