#include "engine/behaviour/timeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine/behaviour/edition.h"

struct leavings {
    struct base *base;
    struct delta delta;
};

struct timeline {
    struct base      *base, *coming; /* coming: empty, while freezing */
    struct delta      delta, frozen; /* frozen: nothing in it but while freezing */
    bool              freezing;
    uint32_t          freeze_seq;
    size_t            freeze_bags_bytes;
    uint64_t          arrived; /* rows ever logged */
    struct bag_space *bags;
    struct removal    waiting;          /* for the next merge */
    struct removal   *leaving;          /* with the merge under way */
    struct era       *era, *coming_era; /* coming: while freezing */
    struct era       *left;     /* ended with a removal, until nobody else holds it; or NULL */
    struct removal    clearing; /* the bags it removed */
    struct leavings  *leavings; /* of the last swap; while freezing empty, for the next */
};

struct timeline *timeline_open(void)
{
    struct timeline *timeline = calloc(1, sizeof *timeline);
    if (timeline == NULL)
        return NULL;
    timeline->base = base_open();
    timeline->bags = bag_space_open();
    timeline->leaving = calloc(1, sizeof *timeline->leaving);
    timeline->era = era_open();
    if (timeline->base != NULL && timeline->bags != NULL && timeline->era != NULL &&
        timeline->leaving != NULL && delta_open(&timeline->delta, 0) == OK)
        return timeline;
    timeline_close(timeline);
    return NULL;
}

void timeline_close(struct timeline *timeline)
{
    if (timeline == NULL)
        return;
    delta_done(&timeline->delta);
    delta_done(&timeline->frozen);
    base_drop(timeline->base);
    base_drop(timeline->coming);
    era_drop(timeline->era);
    era_drop(timeline->coming_era);
    era_drop(timeline->left);
    bag_space_drop(timeline->bags);
    removal_done(&timeline->waiting);
    if (timeline->leaving != NULL)
        removal_done(timeline->leaving);
    free(timeline->leaving);
    removal_done(&timeline->clearing);
    leavings_free(timeline->leavings);
    free(timeline);
}

/* ---- events ---- */

enum err timeline_add(struct timeline *timeline, struct timeline_event event)
{
    if (timeline_count(timeline) >= UINT32_MAX)
        return ERR_LIMIT;
    TRY(delta_add(&timeline->delta, &event));
    timeline->arrived++;
    return OK;
}

enum err timeline_bag_add(struct timeline *timeline, struct str bag, uint32_t *place)
{
    struct space *space = &timeline->bags->space;
    size_t        offset;
    if (bag.len == 0) {
        *place = 0;
        return OK;
    }
    TRY(space_add(space, bag.len, BAG_UNIT_BYTES, &offset));
    memcpy(space->bytes + offset, bag.ptr, bag.len);
    *place = (uint32_t)(offset / BAG_UNIT_BYTES);
    return OK;
}

struct bags timeline_bags(const struct timeline *timeline)
{
    return (struct bags){ timeline->bags->space.bytes, timeline->bags->space.len };
}

/* What was forgotten while a merge is under way stays where it is until the next, unseen. */
uint32_t timeline_runs(const struct timeline *timeline, uint32_t profile, struct run *runs)
{
    const struct level *level = &timeline->base->level;
    bool                frozen_hidden = removal_has(&timeline->waiting, profile);
    bool                hidden = frozen_hidden || removal_has(timeline->leaving, profile);
    uint32_t            count = 0;
    if (!hidden && profile < level->profiles &&
        level->offsets[profile] < level->offsets[profile + 1])
        runs[count++] = level_run(level, profile);
    if (!frozen_hidden && blocks_run(&timeline->frozen.blocks, profile, &runs[count]))
        count++;
    if (blocks_run(&timeline->delta.blocks, profile, &runs[count]))
        count++;
    return count;
}

void timeline_prefetch(const struct timeline *timeline, uint32_t profile, uint32_t step)
{
    level_prefetch(&timeline->base->level, profile, step);
    blocks_prefetch(&timeline->frozen.blocks, profile, step);
    blocks_prefetch(&timeline->delta.blocks, profile, step);
}

uint64_t timeline_count(const struct timeline *timeline)
{
    return timeline->base->level.events + timeline_delta_count(timeline);
}

uint64_t timeline_delta_count(const struct timeline *timeline)
{
    return timeline->frozen.events + timeline->delta.events;
}

uint32_t timeline_base_seq(const struct timeline *timeline)
{
    return timeline->base->seq;
}

size_t timeline_bags_bytes(const struct timeline *timeline)
{
    return timeline->bags->space.len;
}

void timeline_publish(const struct timeline *timeline, struct edition *edition)
{
    const struct delta *deltas[EDITION_LOGS] = { &timeline->frozen, &timeline->delta };
    edition->era = era_hold(timeline->era);
    edition->base = base_hold(timeline->base);
    for (int i = 0; i < EDITION_LOGS; i++) {
        if (deltas[i]->log == NULL)
            continue;
        edition->logs[i] = log_hold(deltas[i]->log);
        edition->counts[i] = log_count(deltas[i]->log);
        edition->marks += deltas[i]->marks;
        if (deltas[i]->names > edition->names)
            edition->names = deltas[i]->names;
    }
    edition->bags = bag_space_hold(timeline->bags);
    edition->bags_bytes = timeline->bags->space.len;
}

/* ---- removing ---- */

/* The delta forgets at once: its blocks are the engine's alone, its log is told by a mark. */
static enum err delta_forgets(struct timeline *timeline, uint32_t profile, uint32_t seq)
{
    struct run run;
    if (blocks_run(&timeline->delta.blocks, profile, &run))
        for (uint32_t i = 0; i < run.count; i++)
            if (run.seq[i] <= seq)
                TRY(removal_note(&timeline->waiting, timeline_bags(timeline), run.bag[i]));
    return delta_forget(&timeline->delta, profile, seq);
}

enum err timeline_forget(struct timeline *timeline, uint32_t profile, uint32_t seq)
{
    if (seq <= timeline->base->seq)
        return OK; /* the base was made knowing it */
    TRY(removal_forget(&timeline->waiting, (struct forgotten){ profile, seq }));
    TRY(delta_forgets(timeline, profile, seq));
    timeline->arrived++;
    return OK;
}

enum err timeline_retain(struct timeline *timeline, struct retention retention)
{
    return removal_retain(&timeline->waiting, retention);
}

bool timeline_has_removals(const struct timeline *timeline)
{
    return !removal_is_empty(&timeline->waiting);
}

bool timeline_bag_may_go(const struct timeline *timeline, uint32_t place)
{
    return timeline->leaving->retains &&
           (size_t)place * BAG_UNIT_BYTES < timeline->freeze_bags_bytes;
}

bool timeline_settle(struct timeline *timeline)
{
    if (timeline->left == NULL)
        return true;
    if (atomic_load_explicit(&timeline->left->holds, memory_order_acquire) > 1)
        return false;
    struct space *space = &timeline->bags->space;
    removal_clear(&timeline->clearing, space->bytes, 0, space->len);
    removal_done(&timeline->clearing);
    era_drop(timeline->left);
    timeline->left = NULL;
    return true;
}

/* ---- merging ---- */

static struct base_parts parts_of(const struct timeline *timeline)
{
    return (struct base_parts){ .old = timeline->base,
                                .fresh = &timeline->frozen,
                                .seq = timeline->freeze_seq,
                                .bags = timeline->bags->space.bytes,
                                .bags_bytes = timeline->freeze_bags_bytes,
                                .removal = timeline->leaving };
}

void leavings_free(struct leavings *leavings)
{
    if (leavings == NULL)
        return;
    base_drop(leavings->base);
    delta_done(&leavings->delta);
    free(leavings);
}

struct leavings *timeline_leavings_take(struct timeline *timeline)
{
    struct leavings *leavings = timeline->leavings;
    if (timeline->freezing)
        return NULL;
    timeline->leavings = NULL;
    return leavings;
}

/* What swap will need, so that it cannot fail. */
static enum err coming_open(struct timeline *timeline)
{
    leavings_free(timeline_leavings_take(timeline));
    timeline->leavings = calloc(1, sizeof *timeline->leavings);
    if (timeline->coming == NULL)
        timeline->coming = base_open();
    if (timeline->coming_era == NULL)
        timeline->coming_era = era_open();
    bool is_whole =
        timeline->coming != NULL && timeline->coming_era != NULL && timeline->leavings != NULL;
    return is_whole ? OK : ERR_MEMORY;
}

enum err timeline_freeze(struct timeline *timeline, uint32_t seq, size_t *bytes)
{
    struct delta empty;
    if (timeline->freezing || !timeline_settle(timeline))
        return ERR_CONFLICT;
    TRY(coming_open(timeline));
    TRY(delta_open(&empty, timeline->arrived));
    timeline->frozen = timeline->delta;
    timeline->delta = empty;
    *timeline->leaving = timeline->waiting;
    timeline->waiting = (struct removal){ 0 };
    removal_begin(timeline->leaving);
    timeline->freezing = true;
    timeline->freeze_seq = seq;
    timeline->freeze_bags_bytes = timeline->bags->space.len;
    struct base_parts parts = parts_of(timeline);
    *bytes = base_bytes(&parts);
    return OK;
}

enum err timeline_write(const struct timeline *timeline, unsigned char *region, size_t *bytes)
{
    struct base_parts parts = parts_of(timeline);
    TRY(base_write(&parts, region, bytes));
    base_days(timeline->coming, region);
    return OK;
}

const struct stretch *timeline_cleared(const struct timeline *timeline, uint32_t *count)
{
    *count = timeline->leaving->cleared.count;
    return timeline->leaving->cleared.items;
}

void timeline_outlived_take(struct timeline *timeline, struct outlived *out)
{
    *out = timeline->leaving->outlived;
    timeline->leaving->outlived = (struct outlived){ 0 };
}

void timeline_swap(struct timeline *timeline, unsigned char *region, size_t bytes)
{
    assert(timeline->freezing);
    enum err err = base_take(timeline->coming, region, bytes);
    assert(err == OK); /* our own, just written */
    (void)err;
    *timeline->leavings = (struct leavings){ timeline->base, timeline->frozen };
    timeline->base = timeline->coming;
    timeline->coming = NULL;
    timeline->frozen = (struct delta){ 0 };
    timeline->freezing = false;
    if (timeline->leaving->cleared.count > 0) {
        timeline->clearing = *timeline->leaving;
        *timeline->leaving = (struct removal){ 0 };
        timeline->left = timeline->era;
        timeline->era = timeline->coming_era;
        timeline->coming_era = NULL;
        timeline_settle(timeline);
    }
    removal_done(timeline->leaving);
}

/* An event must not be lost, nor a promise to forget, and no caller could be told. */
static void must(enum err err)
{
    if (err != OK)
        abort();
}

/* The newer events go behind the frozen ones; each row keeps its arrival number. */
void timeline_thaw(struct timeline *timeline)
{
    if (!timeline->freezing)
        return;
    struct delta newer = timeline->delta;
    timeline->delta = timeline->frozen;
    timeline->frozen = (struct delta){ 0 };
    timeline->freezing = false;
    for (uint32_t i = 0; i < log_count(newer.log); i++) {
        const struct timeline_event *row = log_row(newer.log, i);
        must(row->name == DICT_NONE ? delta_forgets(timeline, row->profile, row->seq)
                                    : delta_add(&timeline->delta, row));
    }
    delta_done(&newer);
    must(removal_join(&timeline->waiting, timeline->leaving));
}

/* ---- loading ---- */

/* The bags of a file, in the place of the empty ones. */
static enum err bags_of(int file, size_t bytes, struct bag_space **out)
{
    struct bag_space *bags = bag_space_open();
    if (bags == NULL)
        return ERR_MEMORY;
    bags->space.len = 0;
    enum err err = space_map(&bags->space, file, bytes);
    if (err != OK)
        bag_space_drop(bags);
    else
        *out = bags;
    return err;
}

static enum err bags_take(struct timeline *timeline, const struct base *base, int file,
                          size_t file_bytes)
{
    struct bag_space *bags;
    if (base->bags_bytes > file_bytes)
        return ERR_CORRUPT;
    TRY(bags_of(file, base->bags_bytes, &bags));
    enum err err = base_bags_check(base, bags->space.bytes);
    if (err != OK) {
        bag_space_drop(bags);
        return err;
    }
    bag_space_drop(timeline->bags);
    timeline->bags = bags;
    return OK;
}

enum err timeline_load(struct timeline *timeline, unsigned char *region, size_t bytes,
                       int bags_file, size_t bags_file_bytes)
{
    assert(timeline_count(timeline) == 0 && timeline->base->region == NULL);
    struct base *base = base_open();
    if (base == NULL)
        return ERR_MEMORY;
    enum err err = base_take(base, region, bytes);
    if (err == OK)
        err = base_check(base);
    if (err == OK)
        base_days(base, region);
    if (err == OK)
        err = bags_take(timeline, base, bags_file, bags_file_bytes);
    if (err != OK) {
        base->region = NULL; /* still the caller's */
        base_drop(base);
        return err;
    }
    base_drop(timeline->base);
    timeline->base = base;
    return OK;
}

struct timeline_sizes timeline_sizes(const struct timeline *timeline)
{
    return (struct timeline_sizes){
        .base_bytes = timeline->base->bytes,
        .delta_bytes = delta_bytes(&timeline->delta) + delta_bytes(&timeline->frozen),
        .bags_bytes = timeline->bags->space.len,
    };
}
