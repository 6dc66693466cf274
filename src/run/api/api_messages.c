/*
 * What was sent, and what was not: a person's messages by their chains, the newest of all by
 * reading decisions backwards, and how many are in which state by counting every decision once.
 */
#include "run/api/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/time.h"

enum {
    WINDOW_DECISIONS = 2048,        /* read backwards at a time */
    SCANNED_DECISIONS_MAX = 200000, /* for one page; then the page ends and says where to go on */
    CURSOR_BYTES_MAX = 24,
};

const char *message_state_name(enum decision_kind kind)
{
    switch (kind) {
    case DECISION_INTENT:
    case DECISION_RETURNED:
        return "queued";
    case DECISION_CLAIMED:
        return "sending";
    case DECISION_DEFERRED:
    case DECISION_WAITING:
        return "waiting";
    case DECISION_SENT:
        return "sent";
    case DECISION_FAILED:
        return "failed";
    case DECISION_UNKNOWN:
        return "unknown";
    case DECISION_DROPPED:
        return "held";
    default:
        return NULL;
    }
}

/* ---- counting: each decision once, those not final or unknown remembered by number ---- */

enum open_state { OPEN_QUEUED, OPEN_WAITING, OPEN_SENDING, OPEN_UNKNOWN, OPEN_STATES };

struct open_message {
    uint64_t        id;
    enum open_state state;
    uint32_t        next_free;
};

struct tally {
    pthread_mutex_t      lock;
    uint64_t             last;       /* the last decision counted */
    uint64_t             erased_seq; /* rows were overwritten up to this erasure when it began */
    uint64_t             due, sent, failed, held;
    uint64_t             open[OPEN_STATES];
    struct map           map; /* message -> place in items */
    struct open_message *items;
    uint32_t             count, room, free; /* free: first of the free places, or MAP_NONE */
};

struct tally *tally_open(void)
{
    struct tally *tally = calloc(1, sizeof *tally);
    if (tally == NULL)
        return NULL;
    pthread_mutex_init(&tally->lock, NULL);
    tally->map = map_make();
    tally->free = MAP_NONE;
    return tally;
}

void tally_close(struct tally *tally)
{
    if (tally == NULL)
        return;
    pthread_mutex_destroy(&tally->lock);
    map_done(&tally->map);
    free(tally->items);
    free(tally);
}

/* Messages of the erased do not count, so all are counted anew. */
static void tally_clear(struct tally *tally, uint64_t erased_seq)
{
    map_done(&tally->map);
    tally->map = map_make();
    tally->free = MAP_NONE;
    tally->count = 0;
    tally->last = tally->due = tally->sent = tally->failed = tally->held = 0;
    memset(tally->open, 0, sizeof tally->open);
    tally->erased_seq = erased_seq;
}

static bool is_message(const void *owner, uint32_t value, const void *key)
{
    return ((const struct tally *)owner)->items[value].id == *(const uint64_t *)key;
}

static enum err open_place(struct tally *tally, uint32_t *place)
{
    if (tally->free != MAP_NONE) {
        *place = tally->free;
        tally->free = tally->items[*place].next_free;
        return OK;
    }
    if (tally->count == tally->room) {
        uint32_t             room = tally->room == 0 ? 1024 : tally->room * 2;
        struct open_message *items = realloc(tally->items, room * sizeof *items);
        if (items == NULL)
            return ERR_MEMORY;
        tally->items = items;
        tally->room = room;
    }
    *place = tally->count++;
    return OK;
}

static enum err tally_begin(struct tally *tally, uint64_t message)
{
    uint32_t place;
    TRY(open_place(tally, &place));
    tally->items[place] = (struct open_message){ .id = message, .state = OPEN_QUEUED };
    TRY(map_add(&tally->map, hash_u64(message, 0), place));
    tally->due++;
    tally->open[OPEN_QUEUED]++;
    return OK;
}

static void tally_move(struct tally *tally, const struct decision *d)
{
    uint64_t  hash = hash_u64(d->subject, 0);
    uint32_t  place = map_find(&tally->map, hash, is_message, tally, &d->subject);
    uint64_t *final = d->kind == DECISION_SENT      ? &tally->sent
                      : d->kind == DECISION_FAILED  ? &tally->failed
                      : d->kind == DECISION_DROPPED ? &tally->held
                                                    : NULL;
    if (place == MAP_NONE)
        return;
    struct open_message *item = &tally->items[place];
    tally->open[item->state]--;
    if (final == NULL) {
        item->state = d->kind == DECISION_CLAIMED   ? OPEN_SENDING
                      : d->kind == DECISION_UNKNOWN ? OPEN_UNKNOWN /* it may be settled */
                      : d->kind == DECISION_DEFERRED || d->kind == DECISION_WAITING ? OPEN_WAITING
                                                                                    : OPEN_QUEUED;
        tally->open[item->state]++;
        return;
    }
    (*final)++;
    map_remove(&tally->map, hash, place);
    item->next_free = tally->free;
    tally->free = place;
}

static enum err tally_each(void *ctx, const struct store_decision *row)
{
    struct tally   *tally = ctx;
    struct decision decision;
    if (row->kind >= STORE_DECISION_MESSAGE_QUEUED && row->kind <= STORE_DECISION_MESSAGE_LACKS) {
        decision_of_row(row, &decision);
        if (decision.kind == DECISION_INTENT)
            TRY(tally_begin(tally, decision.id));
        else if (message_state_name(decision.kind) != NULL)
            tally_move(tally, &decision);
    }
    tally->last = row->id;
    return OK;
}

enum err tally_count(struct call *call, struct message_counts *out)
{
    struct tally *tally = call->api->tally;
    uint64_t      erased_seq = core_stats(call->api->conf.core).erased_seq;
    pthread_mutex_lock(&tally->lock);
    if (tally->erased_seq < erased_seq)
        tally_clear(tally, erased_seq);
    enum err err =
        store_decisions_read(call->desk->reader, tally->last + 1, INT64_MAX, tally_each, tally);
    *out = (struct message_counts){ .due = tally->due,
                                    .sent = tally->sent,
                                    .unknown = tally->open[OPEN_UNKNOWN],
                                    .failed = tally->failed,
                                    .held = tally->held,
                                    .queued = tally->open[OPEN_QUEUED],
                                    .waiting = tally->open[OPEN_WAITING],
                                    .sending = tally->open[OPEN_SENDING] };
    pthread_mutex_unlock(&tally->lock);
    return err;
}

void message_counts_write(struct buf *out, const struct message_counts *counts)
{
    bool first = true;
    buf_char(out, '{');
    write_int(out, &first, "due", (int64_t)counts->due);
    write_int(out, &first, "sent", (int64_t)counts->sent);
    write_int(out, &first, "unknown", (int64_t)counts->unknown);
    write_int(out, &first, "failed", (int64_t)counts->failed);
    write_int(out, &first, "held", (int64_t)counts->held);
    write_int(out, &first, "queued", (int64_t)counts->queued);
    write_int(out, &first, "waiting", (int64_t)counts->waiting);
    write_int(out, &first, "sending", (int64_t)counts->sending);
    buf_char(out, '}');
}

enum err messages_summary(struct call *call)
{
    struct message_counts counts;
    TRY(tally_count(call, &counts));
    message_counts_write(&call->out, &counts);
    return OK;
}

/* ---- one message ---- */

struct message_view {
    struct decision intent, last;
    struct str      to;
    uint32_t        attempts;
};

struct message_page {
    struct call *call;
    struct str   state;
    uint32_t     limit, written;
    uint64_t     below; /* messages with a smaller number */
    uint64_t     scanned_to;
    struct str   cursor;
};

static bool is_about(const struct decision *d, uint64_t message)
{
    if (d->kind == DECISION_INTENT)
        return d->id == message;
    return message_state_name(d->kind) != NULL && d->subject == message;
}

/* From a story, which is newest first. */
static void view_make(struct message_view *view, const struct story *story,
                      const struct decision *intent)
{
    *view = (struct message_view){ .intent = *intent, .last = *intent };
    for (uint32_t i = story->count; i > 0; i--) {
        const struct decision *d = &story->decisions[i - 1];
        if (d->id < intent->id || !is_about(d, intent->id))
            continue;
        view->last = *d;
        if (d->kind == DECISION_CLAIMED) {
            view->attempts++;
            view->to = d->detail; /* {"to":..}: read when it is written */
        }
    }
}

static enum err detail_write(struct call *call, bool *first, struct str detail,
                             const char *const *keys, const char *const *names, size_t count)
{
    struct json object;
    if (detail.len == 0)
        return OK;
    TRY(json_parse(call->desk->parser, call->arena, detail, &object, NULL));
    for (size_t i = 0; i < count; i++)
        write_text(&call->out, first, names[i], json_get_str(&object, str_of(keys[i])));
    return OK;
}

/* Which text was claimed, and why. */
static enum err variant_write(struct call *call, bool *first, struct str detail)
{
    struct json object;
    if (detail.len == 0)
        return OK;
    TRY(json_parse(call->desk->parser, call->arena, detail, &object, NULL));
    const struct json *variant = json_get(&object, STR("variant"));
    write_text(&call->out, first, "variant", json_get_str(variant, STR("name")));
    write_text(&call->out, first, "variant_why", json_get_str(variant, STR("why")));
    return OK;
}

static enum err view_write(struct message_page *page, const struct message_view *view)
{
    static const char *const intent_keys[] = { "template", "journey", "broadcast", "node" };
    static const char *const to_keys[] = { "to" };
    static const char *const last_keys[] = { "reason", "text" };
    static const char *const last_names[] = { "reason", "reason" };
    struct call             *call = page->call;
    bool                     first = true;
    buf_str(&call->out, page->written++ == 0 ? STR("{") : STR(",{"));
    write_int(&call->out, &first, "id", (int64_t)view->intent.id);
    write_person(&call->out, &first, "profile", view->intent.profile);
    write_text(&call->out, &first, "state", str_of(message_state_name(view->last.kind)));
    TRY(detail_write(call, &first, view->intent.detail, intent_keys, intent_keys, 4));
    TRY(detail_write(call, &first, view->to, to_keys, to_keys, 1));
    TRY(variant_write(call, &first, view->to));
    if (!broadcast_is_key(view->intent.subject))
        write_int(&call->out, &first, "enrollment", (int64_t)view->intent.subject);
    write_int(&call->out, &first, "attempts", view->attempts);
    write_time(&call->out, &first, "due", view->intent.at_ms);
    write_time(&call->out, &first, "at", view->last.at_ms);
    if (view->last.kind != DECISION_CLAIMED && view->last.kind != DECISION_INTENT)
        TRY(detail_write(call, &first, view->last.detail, last_keys, last_names, 2));
    buf_char(&call->out, '}');
    return OK;
}

static bool is_wanted(const struct message_page *page, const struct message_view *view)
{
    return page->state.len == 0 || str_eq(page->state, str_of(message_state_name(view->last.kind)));
}

static bool about_messages(const void *context, const struct decision *d)
{
    (void)context;
    return message_state_name(d->kind) != NULL;
}

static enum err story_messages(struct message_page *page, struct story *story, uint64_t only)
{
    TRY(story_read(page->call, story, about_messages, NULL));
    for (uint32_t i = 0; i < story->count; i++) {
        const struct decision *d = &story->decisions[i];
        struct message_view    view;
        if (d->kind != DECISION_INTENT || d->id >= page->below || (only != 0 && d->id != only))
            continue;
        view_make(&view, story, d);
        if (!is_wanted(page, &view))
            continue;
        if (page->written == page->limit)
            return OK;
        TRY(view_write(page, &view));
        page->scanned_to = d->id;
    }
    if (only == 0)
        page->scanned_to = 0; /* there are no more */
    return OK;
}

/* ---- of everybody: intents backwards, each finished from its person's story ---- */

struct window {
    struct message_page *page;
    struct decision     *intents;
    uint32_t             count;
};

static enum err window_each(void *ctx, const struct store_decision *row)
{
    struct window  *window = ctx;
    struct decision decision;
    if (row->kind != STORE_DECISION_MESSAGE_QUEUED)
        return OK;
    decision_of_row(row, &decision);
    window->intents[window->count++] = decision;
    return OK;
}

struct heads_question {
    const struct window *window;
    struct story        *stories; /* one an intent */
};

static bool heads_ask(struct engine *engine, struct task *task)
{
    struct heads_question *question = task->context;
    const struct people   *people = engine_people(engine);
    for (uint32_t i = 0; i < question->window->count; i++) {
        uint32_t profile = question->window->intents[i].profile;
        if (profile < people_count(people))
            story_heads(engine, people_root(people, profile), &question->stories[i]);
    }
    return true;
}

static enum err window_write(struct message_page *page, const struct window *window)
{
    struct heads_question question = { window, ARENA_ARRAY(page->call->arena, window->count,
                                                           struct story) };
    if (question.stories == NULL)
        return ERR_MEMORY;
    if (window->count > 0)
        TRY(call_ask(page->call, heads_ask, &question));
    for (uint32_t i = window->count; i > 0 && page->written < page->limit; i--) {
        uint64_t id = window->intents[i - 1].id;
        TRY(story_messages(page, &question.stories[i - 1], id));
        page->scanned_to = id;
    }
    return OK;
}

static enum err window_show(struct message_page *page, uint64_t from, uint64_t to)
{
    struct window window = { page,
                             ARENA_ARRAY(page->call->arena, WINDOW_DECISIONS, struct decision), 0 };
    if (window.intents == NULL)
        return ERR_MEMORY;
    TRY(store_decisions_read(page->call->desk->reader, from, to, window_each, &window));
    return window_write(page, &window);
}

/* What a window reads is not needed for the next: of a hundred the answer would be too large. */
static enum err window_visit(struct message_page *page, struct arena *scratch, uint64_t from,
                             uint64_t to)
{
    struct arena *arena = page->call->arena;
    page->call->arena = scratch;
    enum err err = window_show(page, from, to);
    page->call->arena = arena;
    arena_reset(scratch);
    return err;
}

static enum err everybody_messages(struct message_page *page)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(CALL_ARENA_BYTES_MAX);
    struct store_last                  last;
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(store_last(core_store(page->call->api->conf.core), &last));
    uint64_t to = page->below > last.decision ? last.decision : page->below - 1;
    uint64_t scanned = 0;
    page->scanned_to = to + 1;
    while (to > 0 && page->written < page->limit && scanned < SCANNED_DECISIONS_MAX) {
        uint64_t from = to > WINDOW_DECISIONS ? to - WINDOW_DECISIONS + 1 : 1;
        TRY(window_visit(page, scratch, from, to));
        if (page->written < page->limit)
            page->scanned_to = from;
        scanned += to - from + 1;
        to = from - 1;
    }
    if (page->written < page->limit && to == 0)
        page->scanned_to = 0;
    return OK;
}

/* ---- the call ---- */

static enum err page_read(struct call *call, struct message_page *page)
{
    static const char *const states[] = { "queued", "waiting", "sending", "sent",
                                          "failed", "unknown", "held" };
    struct str               cursor = call_query(call, "cursor");
    int64_t                  below = INT64_MAX;
    bool                     known = false;
    *page = (struct message_page){ .call = call, .state = call_query(call, "state") };
    TRY(call_limit(call, &page->limit));
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++)
        known = known || str_eq(page->state, str_of(states[i]));
    if (page->state.len > 0 && !known)
        return problem_set(&call->problem, ERR_INPUT, "state", "This is no state of a message.",
                           "Use queued, waiting, sending, sent, failed, unknown or held.");
    if (cursor.len > 0 && (str_to_int(cursor, &below) != OK || below < 1))
        return problem_set(&call->problem, ERR_INPUT, "cursor", "This is no cursor of ours.",
                           "Take it as it stands in `next`.");
    page->below = (uint64_t)below;
    return OK;
}

enum err messages_list(struct call *call)
{
    struct message_page page;
    char                cursor[CURSOR_BYTES_MAX] = "";
    struct str          who = call_query(call, "profile");
    TRY(page_read(call, &page));
    buf_str(&call->out, STR("{\"items\":["));
    if (who.len > 0) {
        struct story story = { 0 };
        TRY(story_find(call, who, &story));
        TRY(story_messages(&page, &story, 0));
    } else {
        TRY(everybody_messages(&page));
    }
    if (page.scanned_to > 0)
        snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)page.scanned_to);
    write_next(&call->out, str_of(cursor));
    return OK;
}
