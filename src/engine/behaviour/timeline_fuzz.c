/*
 * Two properties of the snapshot's reader. A snapshot that was changed in any way is refused, or
 * shows exactly what was written. And one that lies but has the right sum is refused, or can be
 * read to its ends.
 */
#include "engine/behaviour/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "engine/behaviour/edition.h"
#include "engine/behaviour/view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHANGE_BYTES = 3, EVENT_BYTES = 4, HEADER_BYTES = 128, CHECKSUM_AT = 56, BYTES_AT = 48 };

struct input {
    const uint8_t *data;
    size_t         size;
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static uint8_t take(struct input *in)
{
    if (in->size == 0)
        return 0;
    in->size--;
    return *in->data++;
}

static unsigned char *region_map(size_t bytes)
{
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(region != MAP_FAILED);
    return region;
}

static struct timeline *timeline_of(struct input *in)
{
    struct timeline *timeline = timeline_open();
    must(timeline != NULL);
    for (uint32_t seq = 1; in->size >= EVENT_BYTES && seq < 2000; seq++) {
        struct timeline_event e = { .profile = take(in), .name = take(in), .seq = seq };
        const unsigned char   bag[8] = { 8, 0, 0, 0, take(in) };
        e.at_ms = take(in);
        must(timeline_bag_add(timeline, (struct str){ (const char *)bag, 8 }, &e.bag) == OK);
        must(timeline_add(timeline, e) == OK);
    }
    return timeline;
}

static int bags_file(const struct timeline *timeline)
{
    struct bags bags = timeline_bags(timeline);
    int         file = memfd_create("bags", 0);
    must(file >= 0 && write(file, bags.bytes, bags.len) == (ssize_t)bags.len);
    return file;
}

/* Reads everything that a reader may, and sums it. */
static uint64_t all_sum(struct timeline *timeline)
{
    struct rings   *rings = rings_open(0);
    struct edition *edition =
        rings == NULL ? NULL : edition_make(timeline, rings, (struct moment){ 0 });
    struct view *view = NULL;
    must(edition != NULL && view_make(&view, edition, NULL) == OK);
    const struct level *level = &view->levels[0];
    uint64_t            sum = hash_u64(level->events, level->profiles);
    for (uint32_t p = 0; p < level->profiles; p++) {
        struct run run = level_run(level, p);
        for (uint32_t i = 0; i < run.count; i++)
            sum = hash_u64(sum ^ (uint64_t)run.at_ms[i] ^ (uint64_t)run.name[i] << 40,
                           (uint64_t)run.seq[i] << 32 | run.bag[i]) +
                  bag_at(view->bags, run.bag[i]).len;
        sum = hash_u64(sum, (uint64_t)level->last_ms[p]);
    }
    for (uint32_t n = 0; n < level->names; n++)
        for (uint32_t i = level->post_offsets[n]; i < level->post_offsets[n + 1]; i++)
            sum = hash_u64(sum, (uint64_t)level->seq[level->posts[i]] << 16 | n);
    edition_drop(edition);
    view_drop(view);
    rings_drop(rings);
    return sum;
}

/* Changes some bytes; gives the new length. */
static size_t change(struct input *in, unsigned char *region, size_t bytes)
{
    uint8_t changes = take(in) % 8;
    for (uint8_t i = 0; i < changes; i++) {
        size_t at = (size_t)take(in) << 8 | take(in);
        region[at % bytes] ^= take(in);
    }
    size_t cut = take(in);
    return cut % 4 == 0 && cut < bytes ? bytes - cut : bytes;
}

/* As one would who knows how the sum is made. */
static void sum_mend(unsigned char *region, size_t bytes)
{
    uint64_t len = bytes, sum = 0;
    if (bytes < HEADER_BYTES)
        return;
    memcpy(region + BYTES_AT, &len, sizeof len);
    memcpy(region + CHECKSUM_AT, &sum, sizeof sum);
    struct str columns = { (const char *)region + HEADER_BYTES, bytes - HEADER_BYTES };
    sum = hash_str((struct str){ (const char *)region, HEADER_BYTES }, hash_str(columns, 1));
    memcpy(region + CHECKSUM_AT, &sum, sizeof sum);
}

static void reload(unsigned char *region, size_t bytes, int file, size_t bags_bytes, bool mended,
                   uint64_t written)
{
    struct timeline *again = timeline_open();
    must(again != NULL);
    enum err err = timeline_load(again, region, bytes, file, bags_bytes);
    must(err == OK || err == ERR_CORRUPT);
    if (err == OK) {
        uint64_t sum = all_sum(again);
        must(mended || sum == written);
    } else {
        munmap(region, bytes);
        must(timeline_count(again) == 0);
    }
    timeline_close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           head = size / 4 < 64 ? size / 4 : 64, bytes;
    struct input     changes = { data, head }, events = { data + head, size - head };
    struct timeline *timeline = timeline_of(&events);
    bool             mended = take(&changes) % 2 == 1;
    must(timeline_freeze(timeline, 7, &bytes) == OK);
    unsigned char *region = region_map(bytes), *changed = region_map(bytes);
    must(timeline_write(timeline, region, &bytes) == OK);
    memcpy(changed, region, bytes);
    timeline_swap(timeline, region, bytes);

    int    file = bags_file(timeline);
    size_t kept = change(&changes, changed, bytes);
    if (mended)
        sum_mend(changed, kept);
    reload(changed, kept, file, timeline_bags_bytes(timeline), mended, all_sum(timeline));
    if (kept < bytes && (bytes + 4095) / 4096 > (kept + 4095) / 4096)
        munmap(changed + (kept + 4095) / 4096 * 4096, 4096);
    close(file);
    timeline_close(timeline);
    return 0;
}
