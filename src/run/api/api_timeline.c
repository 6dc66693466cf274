/*
 * One person's timeline: events as the engine has them in order, decisions as their chains have
 * them, and those events that are on no timeline but decided something (an alias, a first identify
 * without traits). Each place on it is (at, seq, decision), and a page goes on below the last one.
 */
#include "run/api/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum { REFS_A_SLICE = 2000, EXTRAS_MAX = 4096, CURSOR_BYTES_MAX = 128 };

struct place {
    int64_t  at_ms;
    uint64_t seq, id; /* id: of the decision; 0 for an event */
};

struct item {
    struct place       place;
    struct decision   *decision; /* NULL: an event */
    struct store_event event;
    struct str         name; /* the event's */
};

struct page {
    struct call *call;
    struct story story;
    struct place below; /* the page begins below this */
    uint32_t     skip, limit;

    struct event_ref *refs; /* the newest `limit` + 1 below the place */
    uint32_t          refs_count;
    uint64_t         *extras;      /* seqs of decisions that may stand for an event */
    bool             *extras_kept; /* on the timeline already */
    uint32_t          extras_count;
    struct item      *items;
    uint32_t          items_count;
};

static int place_cmp(const struct place *a, const struct place *b)
{
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->seq != b->seq)
        return a->seq < b->seq ? -1 : 1;
    return a->id < b->id ? -1 : a->id > b->id;
}

static int newest_first(const void *a, const void *b)
{
    return place_cmp(&((const struct item *)b)->place, &((const struct item *)a)->place);
}

/* ---- from the engine ---- */

/* Fills refs below the place; a slice a turn, since a machine may have a million events. */
static bool refs_ask(struct engine *engine, struct task *task)
{
    struct page     *page = task->context;
    struct event_ref slice[REFS_A_SLICE];
    uint32_t count = engine_events(engine, page->story.person, page->skip + page->refs_count, slice,
                                   REFS_A_SLICE);
    for (uint32_t i = 0; i < count; i++) {
        struct place place = { slice[i].at_ms, slice[i].seq, 0 };
        if (place_cmp(&place, &page->below) >= 0)
            page->skip++;
        else if (page->refs_count <= page->limit)
            page->refs[page->refs_count++] = slice[i];
    }
    return count < REFS_A_SLICE || page->refs_count > page->limit;
}

static bool is_on_timeline(struct engine *engine, const struct story *story, uint64_t seq)
{
    struct run runs[TIMELINE_RUNS_MAX];
    for (uint32_t m = 0; m < story->members_count; m++) {
        uint32_t count = timeline_runs(engine_timeline(engine), story->members[m], runs);
        for (uint32_t r = 0; r < count; r++)
            for (uint32_t i = 0; i < runs[r].count; i++)
                if (runs[r].seq[i] == seq && !own_is_hidden(runs[r].name[i]))
                    return true;
    }
    return false;
}

static bool extras_ask(struct engine *engine, struct task *task)
{
    struct page *page = task->context;
    for (uint32_t i = 0; i < page->extras_count; i++)
        page->extras_kept[i] = is_on_timeline(engine, &page->story, page->extras[i]);
    return true;
}

static bool names_ask(struct engine *engine, struct task *task)
{
    struct page *page = task->context;
    for (uint32_t i = 0; i < page->items_count; i++) {
        struct item *item = &page->items[i];
        if (item->decision == NULL && item->event.name != 0)
            item->name =
                str_copy(page->call->arena, program_name(engine_program(engine), NAME_EVENT,
                                                         own_of_store(item->event.name)));
    }
    return true;
}

/* ---- from the store ---- */

static bool tells_identity(enum decision_kind kind)
{
    return kind == DECISION_PROFILE || kind == DECISION_IDENTITY || kind == DECISION_MERGE ||
           kind == DECISION_SHARED;
}

static bool decision_wanted(const void *context, const struct decision *d)
{
    const struct page *page = context;
    struct place       place = { d->at_ms, d->seq, d->id };
    return tells_identity(d->kind) || place_cmp(&place, &page->below) < 0;
}

/* An event that has decided who somebody is, and may be on no timeline. */
static enum err extras_find(struct page *page)
{
    uint32_t room = page->story.count < EXTRAS_MAX ? page->story.count : EXTRAS_MAX;
    page->extras = ARENA_ARRAY(page->call->arena, room, uint64_t);
    page->extras_kept = ARENA_ARRAY(page->call->arena, room, bool);
    if (page->extras == NULL || page->extras_kept == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < page->story.count; i++) {
        const struct decision *d = &page->story.decisions[i];
        bool seen = page->extras_count > 0 && page->extras[page->extras_count - 1] == d->seq;
        if (tells_identity(d->kind) && !seen && page->extras_count < room)
            page->extras[page->extras_count++] = d->seq;
    }
    return page->extras_count == 0 ? OK : call_ask(page->call, extras_ask, page);
}

static enum err item_event(struct page *page, uint64_t seq, struct item *item)
{
    *item = (struct item){ 0 };
    TRY(store_event_get(page->call->desk->reader, page->call->arena, seq, &item->event));
    item->place = (struct place){ item->event.at_ms, seq, 0 };
    return OK;
}

/* The rows of extras that are no touchpoint's, or lie above the page, are left out. */
static enum err extras_add(struct page *page)
{
    for (uint32_t i = 0; i < page->extras_count; i++) {
        struct item *item = &page->items[page->items_count];
        if (page->extras_kept[i])
            continue;
        enum err err = item_event(page, page->extras[i], item);
        if (err == ERR_ABSENT)
            continue;
        TRY(err);
        if (item->event.kind >= STORE_EVENT_TRACK && item->event.kind <= STORE_EVENT_ALIAS &&
            place_cmp(&item->place, &page->below) < 0)
            page->items_count++;
    }
    return OK;
}

static void decisions_add(struct page *page)
{
    for (uint32_t i = 0; i < page->story.count; i++) {
        struct decision *d = &page->story.decisions[i];
        struct place     place = { d->at_ms, d->seq, d->id };
        if (place_cmp(&place, &page->below) < 0)
            page->items[page->items_count++] = (struct item){ .place = place, .decision = d };
    }
}

static void refs_add(struct page *page)
{
    for (uint32_t i = 0; i < page->refs_count; i++)
        page->items[page->items_count++] =
            (struct item){ .place = { page->refs[i].at_ms, page->refs[i].seq, 0 } };
}

/* Puts everything in order and reads the events of this page only. */
static enum err items_make(struct page *page, bool *more)
{
    size_t room = (size_t)page->refs_count + page->extras_count + page->story.count + 1;
    page->items = ARENA_ARRAY(page->call->arena, room, struct item);
    if (page->items == NULL)
        return ERR_MEMORY;
    TRY(extras_add(page));
    decisions_add(page);
    refs_add(page);
    if (page->items_count > 1)
        qsort(page->items, page->items_count, sizeof *page->items, newest_first);
    *more = page->items_count > page->limit;
    if (*more)
        page->items_count = page->limit;
    for (uint32_t i = 0; i < page->items_count; i++)
        if (page->items[i].decision == NULL && page->items[i].event.seq == 0)
            TRY(item_event(page, page->items[i].place.seq, &page->items[i]));
    return call_ask(page->call, names_ask, page);
}

/* ---- writing ---- */

static void page_write(const struct page *page, bool more)
{
    struct buf  *out = &page->call->out;
    char         cursor[CURSOR_BYTES_MAX] = "";
    struct place last =
        page->items_count == 0 ? page->below : page->items[page->items_count - 1].place;
    buf_str(out, STR("{\"items\":["));
    for (uint32_t i = 0; i < page->items_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        if (page->items[i].decision != NULL)
            story_write(out, page->items[i].decision);
        else
            story_event_write(out, &page->items[i].event, page->items[i].name, STR_NONE);
    }
    if (more)
        snprintf(cursor, sizeof cursor, "%lld.%llu.%llu.%u", (long long)last.at_ms,
                 (unsigned long long)last.seq, (unsigned long long)last.id, page->skip);
    write_next(out, str_of(cursor));
}

/* ---- the call ---- */

/* "at.seq.id.skip"; `before` is an instant, which is a place below everything that happened then.
 */
static enum err below_read(struct call *call, struct page *page)
{
    struct str text = call_query(call, "cursor"), piece;
    int64_t    parts[4];
    page->below = (struct place){ INT64_MAX, UINT64_MAX, UINT64_MAX };
    if (text.len == 0) {
        TRY(call_time(call, "before", INT64_MAX, &page->below.at_ms));
        if (page->below.at_ms != INT64_MAX)
            page->below.seq = page->below.id = 0;
        return OK;
    }
    for (int i = 0; i < 4; i++)
        if (!str_split(&text, '.', &piece) || str_to_int(piece, &parts[i]) != OK ||
            (i > 0 && parts[i] < 0))
            return problem_set(&call->problem, ERR_INPUT, "cursor", "This is no cursor of ours.",
                               "Take it as it stands in `next`.");
    page->below = (struct place){ parts[0], (uint64_t)parts[1], (uint64_t)parts[2] };
    page->skip = parts[3] > UINT32_MAX ? 0 : (uint32_t)parts[3];
    return OK;
}

enum err profile_timeline(struct call *call)
{
    struct page *page = ARENA_NEW(call->arena, struct page);
    bool         more;
    if (page == NULL)
        return ERR_MEMORY;
    page->call = call;
    TRY(call_limit(call, &page->limit));
    TRY(below_read(call, page));
    page->refs = ARENA_ARRAY(call->arena, page->limit + 1, struct event_ref);
    if (page->refs == NULL)
        return ERR_MEMORY;
    TRY(story_find(call, call_param(call, "who"), &page->story));
    TRY(call_ask(call, refs_ask, page));
    TRY(story_read(call, &page->story, decision_wanted, page));
    TRY(extras_find(page));
    TRY(items_make(page, &more));
    page_write(page, more);
    return OK;
}
