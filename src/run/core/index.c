/*
 * The index on disk: <dir>/index/base.dult and bags.dult. They are derived: written aside, synced,
 * renamed; when they are damaged or absent the index is rebuilt from the store.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "engine/retain.h"
#include "run/core/core_inside.h"

enum {
    BAGS_STEP_BYTES = 8 << 20,
    BAGS_CLEAR_BYTES = BAG_BYTES_MAX,   /* the largest bag */
    REMOVAL_EACH_US = 60 * 1000 * 1000, /* a base is made anew for what is to be forgotten */
    LOOK_EACH_US = 100 * 1000,
    FLUSH_BYTES = 1 << 20,
    FLUSH_US = 10 * 1000, /* for that much: 100 MB a second at most */
    PATH_BYTES = 4096,
};

/* One base in the making, on a thread of its own. */
struct snapshot {
    struct core         *core;
    pthread_t            thread;
    atomic_bool          finished;
    bool                 good;
    bool                 retains; /* leaves out what is announced to be kept no longer */
    size_t               bytes;
    unsigned char       *region;
    const unsigned char *bags; /* never moves; what lies before bags_to does not change */
    size_t               bags_from, bags_to;
    uint64_t             wanted_seq; /* must be durable before it may be found at a start */
};

static char *path_of(const struct core *core, const char *name, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/index/%s", core->dir, name);
    return out;
}

static bool write_all(int file, const unsigned char *bytes, size_t len, off_t at)
{
    while (len > 0) {
        size_t  step = len < BAGS_STEP_BYTES ? len : BAGS_STEP_BYTES;
        ssize_t done = pwrite(file, bytes, step, at);
        if (done <= 0)
            return false;
        bytes += done;
        at += done;
        len -= (size_t)done;
    }
    return true;
}

/* The bags of what was removed are overwritten in the file, too. From here to the rename the old
 * base does not fit its bags; after a crash in between all is rebuilt from the store. */
static bool bags_clear(struct snapshot *snapshot)
{
    static const unsigned char nothing[BAGS_CLEAR_BYTES];
    char                       path[PATH_BYTES];
    uint32_t                   count;
    const struct stretch      *cleared =
        timeline_cleared(engine_timeline(snapshot->core->engine), &count);
    if (count == 0)
        return true;
    int  file = open(path_of(snapshot->core, "bags.dult", path), O_RDWR | O_CLOEXEC);
    bool good = file >= 0;
    for (uint32_t i = 0; i < count && good; i++)
        good = write_all(file, nothing, cleared[i].len, (off_t)cleared[i].from);
    good = good && fdatasync(file) == 0;
    if (file >= 0)
        close(file);
    return good;
}

static bool bags_write(struct snapshot *snapshot)
{
    char path[PATH_BYTES];
    int file = open(path_of(snapshot->core, "bags.dult", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    bool good = write_all(file, snapshot->bags + snapshot->bags_from,
                          snapshot->bags_to - snapshot->bags_from, (off_t)snapshot->bags_from) &&
                ftruncate(file, (off_t)snapshot->bags_to) == 0 && fdatasync(file) == 0;
    close(file);
    return good;
}

/* What a removal left over of the region goes back. */
static bool region_shorten(struct snapshot *snapshot, int file, size_t used)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), keep = (used + page - 1) / page * page;
    if (keep < snapshot->bytes)
        munmap(snapshot->region + keep, snapshot->bytes - keep);
    snapshot->bytes = used;
    return ftruncate(file, (off_t)used) == 0;
}

/*
 * A base goes to the disk a little at a time: commits wait for the disk behind whatever is on its
 * way there, and a whole base at once was seconds. Nobody waits for the base but an end.
 */
static bool region_flush(const struct snapshot *snapshot, int file)
{
    for (size_t at = 0; at < snapshot->bytes; at += FLUSH_BYTES) {
        int64_t began_us = time_mono_us();
        if (sync_file_range(file, (off64_t)at, FLUSH_BYTES,
                            SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
                                SYNC_FILE_RANGE_WAIT_AFTER) != 0)
            return false;
        int64_t rest_us = FLUSH_US - (time_mono_us() - began_us);
        if (rest_us > 0 && !atomic_load(&snapshot->core->closing))
            usleep((useconds_t)rest_us);
    }
    return true;
}

static bool base_fill(struct snapshot *snapshot, int file)
{
    size_t used = snapshot->bytes;
    if (timeline_write(engine_timeline(snapshot->core->engine), snapshot->region, &used) != OK)
        return false;
    return (used == snapshot->bytes || region_shorten(snapshot, file, used)) &&
           region_flush(snapshot, file);
}

/* Fills a file of the right size through a mapping, which then is the new base. */
static bool base_write(struct snapshot *snapshot, const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return false;
    bool good = posix_fallocate(file, 0, (off_t)snapshot->bytes) == 0;
    if (good) {
        snapshot->region = mmap(NULL, snapshot->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        good = snapshot->region != MAP_FAILED;
        if (!good)
            snapshot->region = NULL;
    }
    if (good)
        good = base_fill(snapshot, file) && fsync(file) == 0;
    close(file);
    return good;
}

static void *snapshot_thread(void *arg)
{
    struct snapshot *snapshot = arg;
    char             aside[PATH_BYTES], path[PATH_BYTES];
    path_of(snapshot->core, "base.new", aside);
    path_of(snapshot->core, "base.dult", path);
    snapshot->good = bags_write(snapshot) && base_write(snapshot, aside) && bags_clear(snapshot);
    /* A base must not know of records that a crash could still take away. */
    while (snapshot->good && atomic_load(&snapshot->core->committed_seq) < snapshot->wanted_seq)
        usleep(1000);
    snapshot->good = snapshot->good && rename(aside, path) == 0;
    atomic_store(&snapshot->finished, true);
    queue_nudge(snapshot->core->tasks);
    return NULL;
}

void snapshot_close(struct snapshot *snapshot)
{
    free(snapshot);
}

static void snapshot_begin(struct core *core, uint64_t durable_seq)
{
    struct timeline *timeline = engine_timeline(core->engine);
    struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    char             path[PATH_BYTES];
    if (snapshot == NULL)
        return;
    snprintf(path, sizeof path, "%s/index", core->dir);
    mkdir(path, 0700);
    snapshot->core = core;
    snapshot->bags_from = core->bags_kept;
    snapshot->bags_to = timeline_bags_bytes(timeline);
    snapshot->bags = timeline_bags(timeline).bytes;
    snapshot->wanted_seq = durable_seq;
    snapshot->retains = engine_retention_is_coming(core->engine);
    bool is_told = !snapshot->retains || engine_retention_tell(core->engine) == OK;
    if (!is_told || timeline_freeze(timeline, (uint32_t)core->seq, &snapshot->bytes) != OK) {
        free(snapshot);
        return;
    }
    core->snapshot_bytes = snapshot->bytes; /* the thread may find that it needs less */
    if (pthread_create(&snapshot->thread, NULL, snapshot_thread, snapshot) != 0) {
        timeline_thaw(timeline);
        free(snapshot);
        return;
    }
    core->snapshot = snapshot;
    core->snapshot_us = time_mono_us();
}

static void leavings_end(void *leavings)
{
    leavings_free(leavings);
}

static void snapshot_take(struct core *core)
{
    struct snapshot *snapshot = core->snapshot;
    struct timeline *timeline = engine_timeline(core->engine);
    pthread_join(snapshot->thread, NULL);
    if (snapshot->good && snapshot->retains) {
        engine_retention_merged(core->engine);
        core->is_retained = true;
    }
    if (snapshot->good) {
        timeline_swap(timeline, snapshot->region, snapshot->bytes);
        sweep_put(core->sweep, leavings_end, timeline_leavings_take(timeline));
        core->bags_kept = snapshot->bags_to;
        core->is_rebased = true; /* until the next edition readers hold the old one */
        pthread_mutex_lock(&core->lock);
        core->stats.merges++;
        pthread_mutex_unlock(&core->lock);
    } else {
        if (snapshot->region != NULL)
            munmap(snapshot->region, snapshot->bytes);
        timeline_thaw(timeline);
        fprintf(stderr,
                "{\"level\":\"warning\",\"what\":\"the index snapshot could not be written\","
                "\"remedy\":\"Look at the disk's space; events are safe in the store.\"}\n");
    }
    core->merge_failed = !snapshot->good;
    snapshot_close(snapshot);
    core->snapshot = NULL;
}

static struct merging merging_of(const struct core *core)
{
    const struct timeline *timeline = engine_timeline(core->engine);
    return (struct merging){ .fresh = timeline_delta_count(timeline),
                             .all = timeline_count(timeline),
                             .events_min = core->conf.merge_events,
                             .last_bytes = core->snapshot_bytes,
                             .since_us = time_mono_us() - core->snapshot_us };
}

static int64_t removal_wait_us(const struct core *core)
{
    int64_t each_us = core->conf.removal_each_ms > 0 ? core->conf.removal_each_ms * INT64_C(1000)
                                                     : REMOVAL_EACH_US;
    return core->snapshot_us + each_us - time_mono_us();
}

int64_t index_sleep_us(const struct core *core)
{
    if (core->snapshot != NULL)
        return LOOK_EACH_US;
    if (!timeline_has_removals(engine_timeline(core->engine)))
        return INT64_MAX;
    int64_t wait_us = removal_wait_us(core); /* past: readers hold what the last one removed */
    return wait_us > LOOK_EACH_US ? wait_us : LOOK_EACH_US;
}

void index_turn(struct core *core, uint64_t durable_seq)
{
    if (core->snapshot != NULL) {
        if (atomic_load(&core->snapshot->finished))
            snapshot_take(core);
        return;
    }
    struct merging merging = merging_of(core);
    bool           removes =
        timeline_has_removals(engine_timeline(core->engine)) && removal_wait_us(core) <= 0;
    bool retains = engine_retention_is_coming(core->engine) &&
                   (!core->merge_failed || merging.since_us >= REMOVAL_EACH_US);
    if (removes || retains || merging_is_due(&merging))
        snapshot_begin(core, durable_seq);
}

/* At the end whatever the next start would have to read again is worth a base. */
void index_finish(struct core *core)
{
    struct timeline *timeline = engine_timeline(core->engine);
    if (core->snapshot != NULL)
        snapshot_take(core);
    uint64_t bound = core->conf.merge_events > 0 ? core->conf.merge_events : MERGING_EVENTS_MIN;
    if (timeline_delta_count(timeline) < bound && !timeline_has_removals(timeline))
        return;
    snapshot_begin(core, atomic_load(&core->committed_seq));
    if (core->snapshot != NULL)
        snapshot_take(core);
}

/* What a crash left: a base half made, bags beyond those of the base. */
static bool leftovers_remove(const struct core *core)
{
    char path[PATH_BYTES];
    unlink(path_of(core, "base.new", path));
    return truncate(path_of(core, "bags.dult", path), (off_t)core->bags_kept) == 0 ||
           errno == ENOENT;
}

enum err index_load(struct core *core, bool *loaded)
{
    char        path[PATH_BYTES];
    struct stat base_stat, bags_stat;
    int         base = open(path_of(core, "base.dult", path), O_RDONLY | O_CLOEXEC);
    int         bags = open(path_of(core, "bags.dult", path), O_RDONLY | O_CLOEXEC);
    enum err    err = ERR_ABSENT;
    *loaded = false;
    if (base >= 0 && bags >= 0 && fstat(base, &base_stat) == 0 && fstat(bags, &bags_stat) == 0 &&
        base_stat.st_size > 0) {
        size_t         bytes = (size_t)base_stat.st_size;
        unsigned char *region = mmap(NULL, bytes, PROT_READ, MAP_SHARED, base, 0);
        err = region == MAP_FAILED ? ERR_IO
                                   : timeline_load(engine_timeline(core->engine), region, bytes,
                                                   bags, (size_t)bags_stat.st_size);
        if (err != OK && region != MAP_FAILED)
            munmap(region, bytes);
        if (err == ERR_CORRUPT)
            unlink(path_of(core, "base.dult", path)); /* its bags are written anew */
    }
    if (base >= 0)
        close(base);
    if (bags >= 0)
        close(bags);
    *loaded = err == OK;
    if (err == OK && timeline_base_seq(engine_timeline(core->engine)) > core->seq) {
        unlink(path_of(core, "base.dult", path));
        return ERR_CORRUPT; /* it is of a store that had gone further */
    }
    if (err == OK && timeline_base_seq(engine_timeline(core->engine)) <
                         engine_retention_base_seq(core->engine)) {
        unlink(path_of(core, "base.dult", path));
        return ERR_CORRUPT; /* it has what is no longer kept */
    }
    core->bags_kept = err == OK ? timeline_bags_bytes(engine_timeline(core->engine)) : 0;
    if (err != ERR_MEMORY && !leftovers_remove(core))
        return ERR_IO;
    if (err == ERR_CORRUPT)
        fprintf(stderr,
                "{\"level\":\"warning\",\"what\":\"the index snapshot is damaged or of another "
                "version of Dult; it is rebuilt from the store\"}\n");
    return err == ERR_MEMORY ? err : OK;
}
