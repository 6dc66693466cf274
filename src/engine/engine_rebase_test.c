#include "engine/engine_rebase_test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/test.h"
#include "engine/inside.h"
#include "engine/retain.h"

struct rebase_copy rebase_none(void)
{
    return (struct rebase_copy){ .bags_file = -1 };
}

void rebase_drop(struct rebase_copy *copy)
{
    if (copy->bags_file < 0)
        return;
    munmap(copy->region, copy->region_bytes);
    close(copy->bags_file);
    *copy = rebase_none();
}

static void *map(size_t bytes)
{
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(region != MAP_FAILED);
    return region;
}

void rebase_begin(struct engine *engine, uint64_t seq, size_t *bytes)
{
    if (engine_retention_is_coming(engine))
        assert_ok(engine_retention_tell(engine));
    assert_ok(timeline_freeze(engine_timeline(engine), (uint32_t)seq, bytes));
}

unsigned char *rebase_write(struct engine *engine, size_t *bytes)
{
    unsigned char *region = map(*bytes);
    size_t         used = *bytes, page = (size_t)sysconf(_SC_PAGESIZE);
    assert_ok(timeline_write(engine_timeline(engine), region, &used));
    assert_true(used <= *bytes); /* less where somebody was erased */
    size_t whole = (used + page - 1) / page * page;
    if (whole < *bytes)
        munmap(region + whole, *bytes - whole);
    *bytes = used;
    return region;
}

void rebase_end(struct engine *engine, unsigned char *region, size_t bytes)
{
    if (engine_retention_is_coming(engine))
        engine_retention_merged(engine);
    timeline_swap(engine_timeline(engine), region, bytes);
}

static void bags_keep(const struct timeline *timeline, struct rebase_copy *copy)
{
    uint32_t              count;
    const struct stretch *cleared = timeline_cleared(timeline, &count);
    copy->bags_bytes = timeline_bags_bytes(timeline);
    copy->bags_file = memfd_create("bags", 0);
    assert_true(copy->bags_file >= 0);
    assert_int_equal(write(copy->bags_file, timeline_bags(timeline).bytes, copy->bags_bytes),
                     copy->bags_bytes);
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(fallocate(copy->bags_file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                   (off_t)cleared[i].from, (off_t)cleared[i].len),
                         0);
}

void rebase_keep(struct engine *engine, const unsigned char *region, size_t bytes,
                 struct rebase_copy *copy)
{
    rebase_drop(copy);
    copy->region = map(bytes);
    copy->region_bytes = bytes;
    memcpy(copy->region, region, bytes);
    bags_keep(engine_timeline(engine), copy);
}

void rebase_load(struct engine *engine, const struct rebase_copy *copy)
{
    unsigned char *region = map(copy->region_bytes);
    memcpy(region, copy->region, copy->region_bytes);
    assert_ok(timeline_load(engine_timeline(engine), region, copy->region_bytes, copy->bags_file,
                            copy->bags_bytes));
    assert_true(timeline_base_seq(engine_timeline(engine)) >= engine_retention_base_seq(engine));
}
