/* The engine thread: takes tasks in order, lets time pass, and fills a batch for the disk. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/time.h"
#include "engine/retain.h"
#include "run/core/core_inside.h"
#include "run/log.h"

enum {
    TASKS_A_TURN = 512,
    CLOCKS_A_TURN = 4, /* of up to 500 timers each; one where somebody waits for an answer */
    SEQS_A_RECORD_MAX = 1 << 24, /* a clock's timers, and what nodes tell because of them */
    ASKS_A_TURN = 8,
    MINTING_AGAIN_US = 1000,
    INDEX_AGAIN_US = 100000, /* until a merge is tried again that is waited for */
};

#define SLEEP_US_MAX INT64_C(60000000)

static struct batch *batch_open(void)
{
    struct arena *arena = arena_open(CORE_BATCH_BYTES_MAX);
    struct batch *batch = arena == NULL ? NULL : ARENA_NEW(arena, struct batch);
    if (batch == NULL)
        return NULL;
    batch->arena = arena;
    batch->out.arena = arena;
    batch->tasks = ARENA_ARRAY(arena, TASKS_A_TURN + ASKS_A_TURN, struct task *);
    return batch->tasks == NULL ? NULL : batch;
}

void *grown(struct arena *arena, void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t more = *room == 0 ? 256 : *room * 2;
    void  *fresh = arena_array(arena, more, size);
    if (fresh == NULL)
        return NULL;
    if (count > 0)
        memcpy(fresh, items, count * size);
    *room = more;
    return fresh;
}

/* ---- seen before? ---- */

enum { ROW_TRIES = 100 };

/* Whoever tidies the store up interrupts readers: the look is then taken again. */
static enum err row_get(struct core *core, struct arena *arena, uint32_t seq,
                        struct store_event *row)
{
    enum err err = ERR_WAIT;
    for (int i = 0; i < ROW_TRIES && err == ERR_WAIT; i++)
        err = store_event_get(core->reader, arena, seq, row);
    return err;
}

static bool is_same(struct core *core, struct batch *batch, const struct entry *entry,
                    uint64_t hash, uint32_t seq)
{
    const struct recent *recent = &core->recent[seq & (RECENT_IDS - 1)];
    struct store_event   row;
    if (recent->seq == seq)
        return recent->hash == hash;
    enum err err = row_get(core, batch->arena, seq, &row);
    if (err == ERR_ABSENT)
        return true; /* erased since: what is sent again does not bring the person back */
    if (err != OK)
        return false;
    return row.source == entry->record.source && str_eq(row.message_id, entry->message_id);
}

/* The record that was here before under the same id; 0: none. */
static uint32_t seen_before(struct core *core, struct batch *batch, const struct entry *entry,
                            struct dedupe *dedupe, struct dedupe_id id)
{
    uint32_t place = 0, seq;
    while ((seq = dedupe_next(dedupe, id, &place)) != 0)
        if (is_same(core, batch, entry, id.hash, seq))
            break;
    return seq;
}

static struct dedupe *dedupe_of(const struct core *core, enum record_kind kind)
{
    return kind == RECORD_SEND ? core->request_keys : core->dedupe;
}

void remember(struct core *core, struct dedupe *dedupe, struct dedupe_id id, uint32_t seq,
              int64_t received_ms)
{
    core->recent[seq & (RECENT_IDS - 1)] = (struct recent){ id.hash, seq };
    if (dedupe_add(dedupe, id, seq) != OK)
        core_fatal(core, "no memory for message ids");
    uint32_t last = (core->minutes_first + core->minutes_count - 1) % MINUTES_MAX;
    if (core->minutes_count > 0 && received_ms - core->minutes[last].received_ms < TIME_MINUTE_MS)
        return;
    while (core->minutes_count > 0 &&
           (core->minutes_count == MINUTES_MAX ||
            core->minutes[core->minutes_first].received_ms < received_ms - TIME_DAY_MS)) {
        dedupe_horizon(core->dedupe, core->minutes[core->minutes_first].seq);
        dedupe_horizon(core->request_keys, core->minutes[core->minutes_first].seq);
        core->minutes_first = (core->minutes_first + 1) % MINUTES_MAX;
        core->minutes_count--;
    }
    core->minutes[(core->minutes_first + core->minutes_count++) % MINUTES_MAX] =
        (struct minute){ received_ms, seq };
}

/* ---- one record ---- */

static void engine_err_check(struct core *core, enum err err)
{
    if (err == ERR_MEMORY || err == ERR_CORRUPT || err == ERR_IO)
        core_fatal(core, err == ERR_MEMORY ? "the engine has no memory"
                                           : "the engine met bytes that lie");
}

static uint32_t name_number(struct core *core, const struct record *record)
{
    static const char *const fixed[] = {
        [RECORD_PAGE] = "Page", [RECORD_SCREEN] = "Screen", [RECORD_GROUP] = "Group"
    };
    struct str name = record->name;
    if (record->kind == RECORD_DEFINE || record->kind == RECORD_CONSENT ||
        record->kind == RECORD_LIST || record->kind == RECORD_IDENTIFY ||
        record->kind == RECORD_SUPPRESSION || record->kind == RECORD_CODES ||
        record->kind == RECORD_BROADCAST)
        return 0;
    if (str_is_empty(name) && record->kind <= RECORD_GROUP)
        name = str_of(fixed[record->kind]);
    if (str_is_empty(name) && record->kind != RECORD_TRACK)
        return 0;
    uint16_t id = dict_find(engine_program(core->engine)->names[NAME_EVENT], name);
    return id == DICT_NONE ? DICT_OTHER : own_to_store(id);
}

static void event_keep(struct core *core, struct batch *batch, const struct entry *entry)
{
    batch->events = grown(batch->arena, batch->events, batch->events_count, &batch->events_room,
                          sizeof *batch->events);
    if (batch->events == NULL)
        core_fatal(core, "no memory for a batch");
    event_to_row(entry, batch->out.seq, batch->out.profile, name_number(core, &entry->record),
                 &batch->events[batch->events_count++]);
}

/* What nodes of journeys told before that number is stored as what came from outside, and is read
 * the same way. Rows go by their numbers. */
static void told_keep(struct core *core, struct batch *batch, uint64_t before)
{
    for (; batch->told_kept < batch->out.told_count; batch->told_kept++) {
        const struct told_event *told = &batch->out.told[batch->told_kept];
        if (told->seq >= before)
            return;
        struct entry entry = {
            .record = { .kind = told->is_traits ? RECORD_IDENTIFY : RECORD_TRACK,
                        .name = told->name,
                        .at_ms = told->at_ms,
                        .received_ms = told->received_ms },
            .body = told->body,
        };
        batch->events = grown(batch->arena, batch->events, batch->events_count, &batch->events_room,
                              sizeof *batch->events);
        if (batch->events == NULL)
            core_fatal(core, "no memory for a batch");
        event_to_row(&entry, told->seq, told->profile, name_number(core, &entry.record),
                     &batch->events[batch->events_count++]);
    }
}

static void files_keep(struct core *core, struct batch *batch, const struct entry *entry)
{
    for (uint32_t i = 0; i < entry->files_count; i++) {
        batch->files = grown(batch->arena, batch->files, batch->files_count, &batch->files_room,
                             sizeof *batch->files);
        if (batch->files == NULL)
            core_fatal(core, "no memory for a batch");
        batch->files[batch->files_count] = entry->files[i];
        batch->files[batch->files_count++].seq = batch->out.seq;
    }
}

static void definition_keep(struct core *core, struct batch *batch, const struct entry *entry)
{
    const struct record *record = &entry->record;
    batch->definitions = grown(batch->arena, batch->definitions, batch->definitions_count,
                               &batch->definitions_room, sizeof *batch->definitions);
    if (batch->definitions == NULL)
        core_fatal(core, "no memory for a batch");
    batch->definitions[batch->definitions_count++] =
        (struct store_definition){ .id = core->next_definition++,
                                   .seq = batch->out.seq,
                                   .at_ms = record->at_ms,
                                   .kind = record->definition_kind,
                                   .version = (uint32_t)batch->out.seq,
                                   .name = record->name,
                                   .text = record->body,
                                   .author = entry->author,
                                   .replaces = record->definition_kind == DEFINE_JOURNEY_DRAFT };
}

static void stopped_say(const struct brake_stopped *stopped, struct problem *problem)
{
    char remedy[BRAKE_DOMAIN_BYTES + 80];
    snprintf(remedy, sizeof remedy,
             "Find out which list or template it was, then: dult sending resume %s",
             stopped->domain);
    (void)problem_format(problem, ERR_LIMIT, "sending", remedy,
                         "Sending from %s has stopped by itself: %s.", stopped->domain,
                         stopped->why);
}

/* Records have numbers of 32 bits, and what a clock's turn tells takes some, too. */
static void room_check(struct core *core)
{
    if (core->seq >= UINT32_MAX - SEQS_A_RECORD_MAX)
        core_fatal(core, "this partition has had its 4 billion records");
}

/* In the transaction of what was too much: nothing is claimed between the two. */
static void stop_keep(struct core *core, struct batch *batch, int64_t at_ms)
{
    struct entry   entry = { .record = { .kind = RECORD_DEFINE,
                                         .definition_kind = DEFINE_SENDING,
                                         .name = STR("sending"),
                                         .body = batch->out.stopped,
                                         .at_ms = at_ms },
                             .author = STR("Dult") };
    struct problem problem;
    definition_keep(core, batch, &entry);
    const struct brake_conf *sending = &engine_program(core->engine)->sending;
    if (sending->is_stopped)
        (void)problem_format(&problem, ERR_LIMIT, "sending",
                             "Find out which list or template it was, then: dult sending resume",
                             "Sending has stopped by itself: %s.", sending->why);
    else
        stopped_say(&sending->stopped[sending->stopped_count - 1], &problem);
    core_tell(core, LOG_ERROR, &problem);
}

/* A journey's experiment has its winner, or has none for sure: kept as if somebody had said so. */
static void choice_keep(struct core *core, struct batch *batch, int64_t at_ms)
{
    struct entry entry = { .record = { .kind = RECORD_DEFINE,
                                       .definition_kind = DEFINE_JOURNEY_CHOICE,
                                       .name = batch->out.chosen_name,
                                       .body = batch->out.chosen,
                                       .at_ms = at_ms },
                           .author = STR("Dult") };
    definition_keep(core, batch, &entry);
}

static void entry_take(struct core *core, struct batch *batch, struct task *task,
                       struct entry *entry)
{
    struct dedupe_id id = { 0 };
    bool             named = !str_is_empty(entry->message_id);
    struct dedupe   *dedupe = dedupe_of(core, entry->record.kind);
    if (named) {
        dedupe_ready(core);
        id = dedupe_id(dedupe, entry->record.source, entry->message_id);
        uint32_t before = seen_before(core, batch, entry, dedupe, id);
        if (before != 0) {
            task->duplicates++;
            if (entry->record.kind == RECORD_SEND)
                task->seq = before;
            return;
        }
    }
    room_check(core);
    int64_t now_ms = engine_now_ms(core->engine);
    if (entry->record.received_ms < now_ms)
        entry->record.received_ms = now_ms;
    entry->record.seq = ++core->seq;
    enum err err = engine_apply(core->engine, &entry->record, &batch->out, &task->problem);
    core->seq = engine_seq(core->engine);
    told_keep(core, batch, batch->out.seq);
    if (err != OK) {
        engine_err_check(core, err);
        task->err = err;
        task->refused++;
        return;
    }
    task->taken++;
    task->older += batch->out.older;
    if (batch->out.older)
        return; /* accepted, and not kept */
    if (named)
        remember(core, dedupe, id, (uint32_t)batch->out.seq, entry->record.received_ms);
    task->seq = batch->out.seq;
    task->message = batch->out.message;
    task->profile = batch->out.profile;
    event_keep(core, batch, entry);
    if (batch->out.stopped.len > 0)
        stop_keep(core, batch, entry->record.received_ms);
    if (batch->out.chosen.len > 0)
        choice_keep(core, batch, entry->record.received_ms);
    files_keep(core, batch, entry);
    if (entry->record.kind == RECORD_DEFINE)
        definition_keep(core, batch, entry);
    if (entry->record.kind == RECORD_ERASE)
        batch->erasure_seq = core->erasure_seq = batch->out.seq;
    codes_keep(core, batch, entry);
}

static void entry_run(struct core *core, struct batch *batch, struct task *task,
                      struct entry *entry)
{
    entry_take(core, batch, task, entry);
    told_keep(core, batch, UINT64_MAX);
}

/* An order may have redeemed codes, which stands right behind it. */
static void order_run(struct core *core, struct batch *batch, struct task *task,
                      struct entry *entry)
{
    struct redeemed *redeemed = NULL;
    uint32_t         taken = task->taken, older = task->older;
    entry_run(core, batch, task, entry);
    if (task->taken == taken || task->older != older)
        return;
    uint32_t count = codes_redeemed(core, batch, entry, &redeemed);
    for (uint32_t i = 0; i < count; i++) {
        struct task own = { .profile = PROFILE_NONE };
        entry_run(core, batch, &own, &redeemed[i].entry);
        if (own.taken > 0)
            codes_order_keep(core, batch, &redeemed[i].order);
        if (own.err != OK)
            log_say(LOG_ERROR, "the redemption of a code was not taken (%s)", err_name(own.err));
    }
}

static int64_t mono_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A part of a question: the engine does nothing else meanwhile, so it is measured. */
static bool ask_run(struct core *core, struct task *task)
{
    int64_t begun_ns = mono_ns();
    bool    is_answered = task->ask(core->engine, task);
    waits_add(&core->waits, mono_ns() - begun_ns);
    return is_answered;
}

/* What the entry will need is asked for, to be there when its turn comes. */
static void entry_ahead(const struct core *core, const struct entry *entry)
{
    const struct record *record = &entry->record;
    engine_prefetch(core->engine, record);
    if (str_is_empty(entry->message_id) || core->dedupe_loading)
        return;
    dedupe_prefetch(dedupe_of(core, record->kind), record->source, entry->message_id);
}

static void task_run(struct core *core, struct batch *batch, struct task *task)
{
    task->core = core;
    task->profile = PROFILE_NONE;
    for (uint32_t i = 0; i < task->entries_count && i < ENGINE_AHEAD; i++)
        entry_ahead(core, &task->entries[i]);
    for (uint32_t i = 0; i < task->entries_count; i++) {
        if (i + ENGINE_AHEAD < task->entries_count)
            entry_ahead(core, &task->entries[i + ENGINE_AHEAD]);
        uint32_t duplicates = task->duplicates;
        order_run(core, batch, task, &task->entries[i]);
        if (task->entries[i].leads && task->duplicates > duplicates)
            break;
    }
    if (task->ask == NULL || ask_run(core, task)) {
        batch->tasks[batch->tasks_count++] = task;
        return;
    }
    core->asking[core->asking_count++] = task;
}

/* Long questions go on, each a part a turn. */
static void asks_run(struct core *core, struct batch *batch)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < core->asking_count; i++) {
        struct task *task = core->asking[i];
        if (i < ASKS_A_TURN && ask_run(core, task))
            batch->tasks[batch->tasks_count++] = task;
        else
            core->asking[kept++] = task;
    }
    core->asking_count = kept;
}

/* ---- time, claims, checkpoints ---- */

void own_record(struct core *core, struct batch *batch, struct record record)
{
    room_check(core);
    record.seq = ++core->seq;
    record.at_ms = record.received_ms;
    engine_err_check(core, engine_apply(core->engine, &record, &batch->out, NULL));
    core->seq = engine_seq(core->engine);
    told_keep(core, batch, UINT64_MAX);
}

static void clock_run(struct core *core, struct batch *batch, int64_t now_ms)
{
    int clocks = batch->tasks_count > 0 ? 1 : CLOCKS_A_TURN;
    for (int i = 0; i < clocks && engine_next_ms(core->engine) <= now_ms; i++)
        own_record(core, batch, (struct record){ .kind = RECORD_CLOCK, .received_ms = now_ms });
}

/* Who takes room back meanwhile finds none, and what is left over is there again. */
static void door_claim(struct core *core, struct batch *batch, int64_t now_ms, uint32_t door)
{
    uint32_t lanes = atomic_load(&core->doors[door].lanes);
    if (lanes == 0 || atomic_load(&core->doors[door].room) == 0 ||
        engine_outbox_next_ms(core->engine, lanes) > now_ms)
        return;
    uint32_t room = atomic_exchange(&core->doors[door].room, 0);
    size_t   before = batch->out.claims_count;
    if (room > 0)
        own_record(
            core, batch,
            (struct record){
                .kind = RECORD_CLAIM, .received_ms = now_ms, .count = room, .lanes = lanes });
    for (size_t i = before; i < batch->out.claims_count; i++)
        batch->out.claims[i].door = door;
    atomic_fetch_add(&core->doors[door].room, room - (uint32_t)(batch->out.claims_count - before));
}

static void claims_run(struct core *core, struct batch *batch, int64_t now_ms)
{
    for (uint32_t door = 0; door < CORE_DOORS; door++)
        door_claim(core, batch, now_ms, door);
}

/* When a message is due that there is room for. */
static int64_t claims_next_ms(struct core *core)
{
    int64_t next_ms = TIME_NEVER;
    for (uint32_t door = 0; door < CORE_DOORS; door++) {
        uint32_t lanes = atomic_load(&core->doors[door].lanes);
        if (lanes == 0 || atomic_load(&core->doors[door].room) == 0)
            continue;
        int64_t at_ms = engine_outbox_next_ms(core->engine, lanes);
        next_ms = at_ms < next_ms ? at_ms : next_ms;
    }
    return next_ms;
}

void meta_add(struct core *core, struct batch *batch, struct str key, struct str value)
{
    batch->metas = grown(batch->arena, batch->metas, batch->metas_count, &batch->metas_room,
                         sizeof *batch->metas);
    if (batch->metas == NULL || key.ptr == NULL || value.ptr == NULL)
        core_fatal(core, "no memory for a batch");
    batch->metas[batch->metas_count++] = (struct store_meta){ key, value };
}

/* A whole round is by our rules: it begins when no definition is still being asked of everyone. */
static void rules_keep(struct core *core, struct batch *batch, uint32_t round)
{
    core->rules_due = core->rules_older = false;
    meta_add(core, batch, STR("rules"), str_format(batch->arena, "%d:%u", ENGINE_RULES, round));
}

static struct checkpointing checkpointing_of(const struct core *core, const struct batch *batch,
                                             bool idle)
{
    return (struct checkpointing){ .people = people_count(engine_people(core->engine)),
                                   .every = core->conf.checkpoint_rows,
                                   .since = core->since_checkpoint,
                                   .fresh =
                                       (uint32_t)(batch->events_count + batch->out.decisions_count),
                                   .is_idle = idle,
                                   .is_closing = idle && queue_is_stopped(core->tasks),
                                   .is_wanted = core->rules_older };
}

static bool checkpoint_start(struct core *core, struct checkpointing checkpointing)
{
    if (core->ending)
        checkpointing.is_closing = false; /* the last one was, or was not worth it */
    core->ending = core->ending || checkpointing.is_closing;
    if (!checkpointing_is_due(&checkpointing) ||
        checkpoint_begin(core->engine, &core->checkpoint_round) != OK)
        return false;
    core->checkpoint_seq = core->seq;
    core->checkpoint_decision = engine_stats(core->engine).decisions;
    core->since_checkpoint = 0;
    return true;
}

static void checkpoint_run(struct core *core, struct batch *batch, bool idle)
{
    struct checkpointing checkpointing = checkpointing_of(core, batch, idle);
    bool                 done;
    if (!checkpoint_is_open(core->engine) && !checkpoint_start(core, checkpointing))
        return;
    if (checkpoint_take(core->engine, batch->arena, checkpointing_rows(&checkpointing),
                        &batch->states, &batch->states_count, &done) != OK)
        core_fatal(core, "no memory for a checkpoint");
    batch->states_round = core->checkpoint_round;
    batch->states_seq = core->checkpoint_seq;
    if (!done)
        return;
    checkpoint_end(core->engine);
    batch->checkpoint_done = true;
    struct str value = str_format(batch->arena, "%u:%llu:%llu:%.*s", core->checkpoint_round,
                                  (unsigned long long)core->checkpoint_seq,
                                  (unsigned long long)core->checkpoint_decision,
                                  STR_ARG(zones_version(core->zones)));
    meta_add(core, batch, STR("checkpoint"), value);
    rules_keep(core, batch, core->checkpoint_round);
}

/* What the engine writes is kept when it is another than the store has. */
static void text_keep(struct core *core, struct batch *batch, struct str key, char **stored,
                      void (*write)(const struct engine *engine, struct buf *out))
{
    struct buf text = buf_make(JOBS_TEXT_BYTES_MAX);
    write(core->engine, &text);
    buf_char(&text, '\0');
    if (buf_err(&text) != OK)
        core_fatal(core, "no memory for the jobs");
    struct str now = { text.ptr, text.len - 1 };
    if (str_eq(now, str_of(*stored))) {
        buf_done(&text);
        return;
    }
    meta_add(core, batch, key, str_copy(batch->arena, now));
    free(*stored);
    *stored = text.ptr;
}

/* A changed segment that is being applied to everyone goes on after a restart, and so does what is
 * kept no longer. */
static void jobs_keep(struct core *core, struct batch *batch)
{
    text_keep(core, batch, STR("jobs"), &core->jobs_text, engine_jobs_write);
    text_keep(core, batch, STR("retention"), &core->retention_text, engine_retention_write);
    text_keep(core, batch, STR("codes"), &core->codes_text, engine_codes_write);
    broadcasts_keep(core, batch);
}

/* With each day, and with a new definition, more is kept no longer. True when it was announced. */
static bool retention_run(struct core *core, struct batch *batch, int64_t now_ms)
{
    int64_t day = now_ms / TIME_DAY_MS;
    if (day != core->retention_day && engine_program(core->engine)->retention.version > 0)
        own_record(core, batch, (struct record){ .kind = RECORD_CLOCK, .received_ms = now_ms });
    core->retention_day = day;
    /* In this order: an order that was handed over is one that is not done. */
    bool is_purged = !atomic_load(&core->purge_handed) && purge_progress(core->purge).is_done;
    core->retention_waits = engine_retention_is_due(core->engine, true);
    if (core->snapshot != NULL || !engine_retention_is_due(core->engine, is_purged))
        return false;
    core->retention_waits = false;
    own_record(core, batch, (struct record){ .kind = RECORD_RETAIN, .received_ms = now_ms });
    return true;
}

/* A base without what is older stands: people are asked, and stored rows removed. */
static void retention_settle(struct core *core, struct batch *batch, int64_t now_ms)
{
    if (!core->is_retained)
        return;
    core->is_retained = false;
    own_record(core, batch, (struct record){ .kind = RECORD_RETAINED, .received_ms = now_ms });
    struct retention in_force = engine_retention(core->engine).in_force;
    batch->purge = ARENA_NEW(batch->arena, struct purge_order);
    if (batch->purge == NULL || retention_copy(&in_force, &batch->purge->in_force) != OK)
        core_fatal(core, "no memory for what is kept no longer");
    batch->purge->seq = core->seq;
    atomic_store(&core->purge_handed, true);
}

/* After a crash it is known from this that somebody is still to be forgotten for good. */
static void erasure_keep(struct core *core, struct batch *batch)
{
    if (batch->erasure_seq > 0)
        meta_add(core, batch, STR("erasure"),
                 str_format(batch->arena, "%llu", (unsigned long long)batch->erasure_seq));
}

/* Rows of a checkpoint may wait that were copied before: overwriting begins when all are written.
 */
static void erasure_hand(struct core *core, struct batch *batch)
{
    if (checkpoint_is_open(core->engine))
        return;
    batch->erasing_seq = core->erasure_seq;
    core->erasure_seq = 0;
}

static bool is_empty(const struct batch *batch)
{
    return batch->tasks_count == 0 && batch->events_count == 0 && batch->out.decisions_count == 0 &&
           batch->states_count == 0 && batch->metas_count == 0 && batch->out.names_count == 0;
}

/* Only questions, or nothing: the disk has no part in it. */
static bool is_bare(const struct core *core, const struct batch *batch)
{
    bool is_rejecting = false;
    for (uint32_t i = 0; i < batch->tasks_count; i++)
        is_rejecting = is_rejecting || batch->tasks[i]->rejected_count > 0;
    return !is_rejecting && batch->seq == core->handed_seq && batch->events_count == 0 &&
           batch->definitions_count == 0 && batch->out.decisions_count == 0 &&
           batch->out.names_count == 0 && batch->states_count == 0 && batch->metas_count == 0;
}

static int64_t sleep_us(struct core *core)
{
    bool is_first = core->retention_day == 0; /* what was begun before a start goes on */
    if (core->asking_count > 0 || checkpoint_is_open(core->engine) || is_first)
        return 0;
    if (core->is_minting)
        return MINTING_AGAIN_US;
    if (core->retention_waits ||
        (core->snapshot == NULL && engine_retention_is_coming(core->engine)))
        return INDEX_AGAIN_US;
    int64_t now_ms = time_now_ms(), next_ms = engine_next_ms(core->engine);
    int64_t claims_ms = claims_next_ms(core);
    if (claims_ms < next_ms)
        next_ms = claims_ms;
    if (core->minting_next_ms > 0 && core->minting_next_ms < next_ms)
        next_ms = core->minting_next_ms;
    if (next_ms <= now_ms)
        return 0;
    int64_t wait_us =
        next_ms - now_ms > SLEEP_US_MAX / 1000 ? SLEEP_US_MAX : (next_ms - now_ms) * 1000;
    int64_t index_us = index_sleep_us(core);
    return index_us < wait_us ? index_us : wait_us;
}

static void turn(struct core *core, struct batch *batch, struct task **tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        task_run(core, batch, tasks[i]);
    asks_run(core, batch);
    int64_t now_ms = time_now_ms();
    if (now_ms < engine_now_ms(core->engine))
        now_ms = engine_now_ms(core->engine);
    clock_run(core, batch, now_ms);
    core->is_minting = codes_mint(core, batch, now_ms);
    claims_run(core, batch, now_ms);
    codes_tell(core);
    bool is_announced = retention_run(core, batch, now_ms);
    checkpoint_run(core, batch, count == 0);
    erasure_hand(core, batch);
    /* What is announced now comes with this batch, and no base by it before that is on disk. */
    bool is_handed = is_announced || !is_empty(batch);
    index_turn(core, is_handed ? core->seq : core->handed_seq);
    retention_settle(core, batch, now_ms);
    jobs_keep(core, batch);
    erasure_keep(core, batch);
    batch->seq = core->seq;
    core->since_checkpoint += batch->out.decisions_count + batch->events_count;
}

static size_t take(struct core *core, struct task **tasks, int64_t wait_us)
{
    if (core->asking_count > CORE_TASKS_MAX - TASKS_A_TURN)
        return 0; /* so many long questions that no more would find a place */
    size_t count = queue_take(core->tasks, (void **)tasks, 1, wait_us), records;
    if (count == 0)
        return 0;
    records = tasks[0]->entries_count;
    while (count < TASKS_A_TURN && records < CORE_BATCH_RECORDS &&
           queue_take(core->tasks, (void **)&tasks[count], 1, 0) == 1)
        records += tasks[count++]->entries_count;
    return count;
}

/* Where the engine's time and numbering stood: records of time alone leave no row of their own. */
static void now_keep(struct core *core, struct batch *batch)
{
    meta_add(core, batch, STR("now"),
             str_format(batch->arena, "%llu:%lld:%lld", (unsigned long long)batch->seq,
                        (long long)engine_now_ms(core->engine),
                        (long long)engine_behind_ms(core->engine)));
}

static void edition_take(struct core *core, struct batch *batch)
{
    batch->edition = engine_edition(core->engine);
    if (batch->edition == NULL)
        core_fatal(core, "no memory for what readers see");
    if (core->is_rebased)
        batch->index_seq = timeline_base_seq(engine_timeline(core->engine));
    core->is_rebased = false;
}

void *turn_thread(void *arg)
{
    struct core  *core = arg;
    struct task  *tasks[TASKS_A_TURN];
    struct batch *batch = NULL;
    for (;;) {
        /* Asked before taking: what was put before the stop is then taken. */
        bool stopped = queue_is_stopped(core->tasks);
        /* What comes while the disk is busy goes into one batch, and waits for one commit less. */
        queue_wait_place(core->batches);
        size_t count = take(core, tasks, sleep_us(core));
        if (count == 0 && stopped && core->asking_count == 0 && core->ending &&
            !checkpoint_is_open(core->engine))
            break;
        if (batch == NULL)
            batch = batch_open();
        if (batch == NULL)
            core_fatal(core, "no memory for a batch");
        turn(core, batch, tasks, count);
        if (is_empty(batch) && !core->is_rebased)
            continue;
        batch->is_bare = is_bare(core, batch);
        if (!batch->is_bare)
            now_keep(core, batch);
        if (!batch->is_bare && core->rules_due)
            rules_keep(core, batch, 0);
        if (!batch->is_bare || core->is_rebased)
            edition_take(core, batch);
        core->handed_seq = batch->seq;
        if (queue_put_wait(core->batches, batch) != OK)
            core_fatal(core, "the commit thread is gone");
        batch = NULL;
    }
    if (batch != NULL)
        arena_close(batch->arena);
    queue_stop(core->batches);
    return NULL;
}
