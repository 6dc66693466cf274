/*
 * From the store to an engine: names, definitions, the last checkpoint's states, the index's base;
 * then the events the base does not have and the decisions made since the checkpoint.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/time.h"
#include "engine/retain.h"
#include "run/core/core_inside.h"

enum { SCRATCH_BYTES_MAX = 64 << 20 };

struct loading {
    struct core        *core;
    struct json_parser *parser;
    struct arena       *scratch;
    uint64_t            set, checkpoint_seq, checkpoint_decision;
    uint32_t            round;
    struct str          zones_version; /* of the rules that the checkpoint's answers are of */
    uint64_t            touched_count, touched_room;
    uint32_t           *touched;
    uint64_t            events, decisions;
    bool                is_older; /* the folder's names are not ours */
    int64_t             received_ms, now_ms;
};

static enum err name_each(void *ctx, const struct store_name *row)
{
    struct loading *loading = ctx;
    enum err        err =
        engine_load_name(loading->core->engine, (enum name_kind)row->kind, row->id, row->text);
    loading->is_older = loading->is_older || err == ERR_CORRUPT;
    return err;
}

static enum err definition_each(void *ctx, const struct store_definition *row)
{
    struct loading *loading = ctx;
    return engine_load_definition(loading->core->engine, (enum definition_kind)row->kind, row->name,
                                  row->text, (uint32_t)row->seq);
}

static enum err state_each(void *ctx, const struct store_state *row)
{
    struct loading *loading = ctx;
    if (row->profile >> 40 != loading->set)
        return ERR_LIMIT; /* the other set begins: stop */
    if (row->seq != loading->checkpoint_seq)
        return OK; /* left over from a round before */
    uint32_t profile = (uint32_t)((row->profile & ((UINT64_C(1) << 40) - 1)) - 1);
    return checkpoint_load(loading->core->engine, profile, row->state);
}

static enum err touch(struct loading *loading, uint32_t profile)
{
    if (loading->touched_count == loading->touched_room) {
        uint64_t  room = loading->touched_room == 0 ? 1024 : loading->touched_room * 2;
        uint32_t *items = realloc(loading->touched, room * sizeof *items);
        if (items == NULL)
            return ERR_MEMORY;
        loading->touched = items;
        loading->touched_room = room;
    }
    loading->touched[loading->touched_count++] = profile;
    return OK;
}

/* An event that the base has already: only its person is to be looked at again. */
static enum err head_each(void *ctx, const struct store_event *row)
{
    struct loading *loading = ctx;
    loading->received_ms = row->received_ms;
    if (kind_of_row(row) == RECORD_NONE || row->profile == 0)
        return OK;
    return touch(loading, (uint32_t)(row->profile - 1));
}

static enum err event_each(void *ctx, const struct store_event *row)
{
    struct loading  *loading = ctx;
    struct core     *core = loading->core;
    enum record_kind kind = kind_of_row(row);
    struct json      body;
    loading->received_ms = row->received_ms;
    if (kind == RECORD_NONE || row->profile == 0)
        return OK;
    uint32_t profile = (uint32_t)(row->profile - 1);
    if (row->seq > loading->checkpoint_seq)
        TRY(touch(loading, profile));
    arena_reset(loading->scratch);
    if (str_is_empty(row->body))
        body = (struct json){ .kind = JSON_NULL };
    else if (json_parse(loading->parser, loading->scratch, row->body, &body, NULL) != OK)
        return ERR_CORRUPT;
    bool       traits = kind == RECORD_IDENTIFY || kind == RECORD_GROUP;
    struct str name =
        program_name(engine_program(core->engine), NAME_EVENT, own_of_store(row->name));
    loading->events++;
    return engine_load_event(core->engine, kind, profile, (uint32_t)row->seq, row->at_ms, name,
                             json_get(&body, traits ? STR("traits") : STR("properties")));
}

static enum err decision_each(void *ctx, const struct store_decision *row)
{
    struct loading *loading = ctx;
    struct decision decision;
    arena_reset(loading->scratch);
    decision_of_row(row, &decision);
    loading->decisions++;
    return engine_load_decision(loading->core->engine, loading->parser, loading->scratch,
                                &decision);
}

/* What a checkpoint has and the base has not is on the timeline again, and nowhere else. */
static enum err told_each(void *ctx, const struct store_decision *row)
{
    struct loading *loading = ctx;
    struct decision decision;
    arena_reset(loading->scratch);
    decision_of_row(row, &decision);
    return engine_load_told(loading->core->engine, loading->parser, loading->scratch, &decision);
}

struct first_decision {
    uint64_t id, seq;
};

static enum err decision_first(void *ctx, const struct store_decision *row)
{
    *(struct first_decision *)ctx = (struct first_decision){ row->id, row->seq };
    return ERR_LIMIT;
}

/* The first decision of a record after `seq`, up to `last`: ids and records ascend together. */
static enum err decision_after(struct store_reader *reader, uint64_t seq, uint64_t last,
                               uint64_t *out)
{
    uint64_t low = 1, high = last + 1;
    while (low < high) {
        uint64_t              middle = low + (high - low) / 2;
        struct first_decision first = { UINT64_MAX, UINT64_MAX };
        enum err err = store_decisions_read(reader, middle, last, decision_first, &first);
        if (err != OK && err != ERR_LIMIT)
            return err;
        if (first.seq <= seq)
            low = first.id + 1;
        else
            high = middle;
    }
    *out = low;
    return OK;
}

static enum err told_read(struct loading *loading, uint64_t base_seq)
{
    uint64_t from;
    if (loading->checkpoint_seq <= base_seq)
        return OK;
    TRY(decision_after(loading->core->reader, base_seq, loading->checkpoint_decision, &from));
    return store_decisions_read(loading->core->reader, from, loading->checkpoint_decision,
                                told_each, loading);
}

static void checkpoint_read(struct loading *loading)
{
    struct str         text = STR_NONE;
    unsigned long long round, seq, decision;
    char               value[96];
    if (store_meta_get(loading->core->reader, loading->scratch, STR("checkpoint"), &text) != OK ||
        sscanf(str_to_cstr(text, value, sizeof value), "%llu:%llu:%llu", &round, &seq, &decision) !=
            3)
        return;
    loading->round = (uint32_t)round;
    loading->set = round & 1;
    loading->checkpoint_seq = seq;
    loading->checkpoint_decision = decision;
    for (int i = 0; i < 3; i++)
        text = str_slice(text, str_find_char(text, 0, ':') + 1, text.len);
    loading->zones_version = text;
}

/*
 * "RULES:ROUND": by what rules the round is; an older program that writes another one says nothing,
 * and one of before there was such a number is by the first.
 */
static void rules_read(struct loading *loading)
{
    struct core       *core = loading->core;
    struct str         text = STR_NONE;
    unsigned long long rules = 1, of = 0, round = 0;
    char               value[96];
    if (store_meta_get(core->reader, loading->scratch, STR("checkpoint"), &text) == OK &&
        sscanf(str_to_cstr(text, value, sizeof value), "%llu:", &round) != 1)
        round = 0;
    if (store_meta_get(core->reader, loading->scratch, STR("rules"), &text) != OK ||
        sscanf(str_to_cstr(text, value, sizeof value), "%llu:%llu", &rules, &of) != 2 ||
        of != round)
        rules = 1;
    core->rules_due = core->seq == 0;
    core->rules_older = !core->rules_due && rules != ENGINE_RULES;
    engine_load_rules(core->engine, core->rules_older ? (uint32_t)rules : ENGINE_RULES);
}

static enum err states_read(struct loading *loading)
{
    if (loading->checkpoint_seq == 0)
        return OK;
    engine_load_round(loading->core->engine, loading->round, loading->checkpoint_seq);
    engine_load_zones(loading->core->engine, loading->zones_version);
    enum err err =
        store_states_read(loading->core->reader, loading->set << 40, state_each, loading);
    if (err != OK && err != ERR_LIMIT)
        return err;
    return checkpoint_loaded(loading->core->engine);
}

/* The first stored event at or after `seq`. */
struct first {
    uint64_t seq;
    int64_t  received_ms;
};

static enum err first_each(void *ctx, const struct store_event *row)
{
    *(struct first *)ctx = (struct first){ row->seq, row->received_ms };
    return ERR_LIMIT;
}

static enum err dedupe_each(void *ctx, const struct store_event *row)
{
    struct core *core = ctx;
    if (atomic_load(&core->closing))
        return ERR_WAIT;
    core->ids_from = row->seq + 1;
    if (str_is_empty(row->message_id))
        return OK;
    struct dedupe *dedupe = row->kind == STORE_EVENT_REQUEST ? core->request_keys : core->dedupe;
    uint32_t       seq = (uint32_t)row->seq;
    if (dedupe == core->dedupe && row->seq + DEDUPE_IDS_MAX < core->loaded_seq)
        return OK; /* past its bound */
    struct dedupe_id id = dedupe_id(dedupe, row->source, row->message_id);
    remember(core, dedupe, id, seq, row->received_ms);
    return OK;
}

/* `received` never goes back, so the first record of the last day is found by halving. */
static enum err dedupe_read(struct core *core, struct store_reader *reader, int64_t now_ms)
{
    uint64_t low = 1, last = core->loaded_seq, high = last + 1;
    while (low < high && !atomic_load(&core->closing)) {
        uint64_t     middle = low + (high - low) / 2;
        struct first first = { UINT64_MAX, INT64_MAX };
        enum err     err = store_event_heads_read(reader, middle, last, first_each, &first);
        if (err == ERR_WAIT)
            continue; /* interrupted by whoever tidies the store up */
        if (err != OK && err != ERR_LIMIT)
            return err;
        if (first.received_ms < now_ms - TIME_DAY_MS)
            low = first.seq + 1;
        else
            high = middle;
    }
    core->ids_from = low;
    enum err err = ERR_WAIT;
    while (err == ERR_WAIT && !atomic_load(&core->closing))
        err = store_event_heads_read(reader, core->ids_from, last, dedupe_each, core);
    return err;
}

/*
 * The ids of the last day are read beside everything else: questions need not wait for them, and
 * the first record that has an id does (dedupe_ready).
 */
void *dedupe_thread(void *arg)
{
    struct core         *core = arg;
    struct store_reader *reader = NULL;
    enum err             err = store_reader_open(core->store, "message ids", &reader);
    if (err == OK)
        err = dedupe_read(core, reader, time_now_ms());
    store_reader_close(reader);
    if (err != OK && !atomic_load(&core->closing))
        core_fatal(core, "the message ids of the last day could not be read");
    atomic_store(&core->ids_known, true);
    return NULL;
}

void dedupe_ready(struct core *core)
{
    if (core->dedupe_loading)
        pthread_join(core->dedupe_thread, NULL);
    core->dedupe_loading = false;
}

static enum err tail_read(struct loading *loading)
{
    struct core *core = loading->core;
    uint64_t     base_seq = timeline_base_seq(engine_timeline(core->engine));
    if (loading->checkpoint_seq < base_seq)
        TRY(store_event_heads_read(core->reader, loading->checkpoint_seq + 1, base_seq, head_each,
                                   loading));
    TRY(store_events_read(core->reader, base_seq + 1, core->seq, event_each, loading));
    TRY(told_read(loading, base_seq));
    TRY(store_decisions_read(core->reader, loading->checkpoint_decision + 1, INT64_MAX,
                             decision_each, loading));
    for (uint64_t i = 0; i < loading->touched_count; i++)
        engine_load_touch(core->engine, loading->touched[i]);
    core->since_checkpoint = loading->touched_count + loading->decisions;
    return OK;
}

/* Where time and numbering stood when the last batch was written. */
static void now_read(struct loading *loading)
{
    struct str         text = STR_NONE;
    unsigned long long seq;
    long long          now_ms, behind_ms = 0;
    char               value[64];
    if (store_meta_get(loading->core->reader, loading->scratch, STR("now"), &text) != OK ||
        sscanf(str_to_cstr(text, value, sizeof value), "%llu:%lld:%lld", &seq, &now_ms,
               &behind_ms) < 2)
        return;
    if (seq > loading->core->seq)
        loading->core->seq = seq;
    loading->now_ms = now_ms;
    engine_load_behind(loading->core->engine, behind_ms);
}

static enum err jobs_read(struct loading *loading)
{
    struct core *core = loading->core;
    struct str   jobs = STR_NONE;
    if (store_meta_get(core->reader, loading->scratch, STR("jobs"), &jobs) != OK)
        return OK;
    free(core->jobs_text);
    core->jobs_text = strndup(jobs.ptr, jobs.len);
    return core->jobs_text == NULL ? ERR_MEMORY : engine_jobs_load(core->engine, jobs);
}

static enum err codes_read(struct loading *loading)
{
    struct core *core = loading->core;
    struct str   text = STR_NONE;
    if (store_meta_get(core->reader, loading->scratch, STR("codes"), &text) != OK)
        return OK;
    free(core->codes_text);
    core->codes_text = strndup(text.ptr, text.len);
    return core->codes_text == NULL ? ERR_MEMORY : engine_codes_load(core->engine, text);
}

/* Before any event: those that are no longer kept are left out. */
static enum err retention_read_meta(struct loading *loading)
{
    struct core *core = loading->core;
    struct str   text = STR_NONE, progress = STR_NONE;
    if (store_meta_get(core->reader, loading->scratch, STR("retention"), &text) != OK)
        return OK;
    free(core->retention_text);
    core->retention_text = strndup(text.ptr, text.len);
    if (core->retention_text == NULL)
        return ERR_MEMORY;
    TRY(engine_retention_load(core->engine, text));
    struct engine_retention now = engine_retention(core->engine);
    struct retention        in_force;
    if (now.seq == 0)
        return OK;
    TRY(retention_copy(&now.in_force, &in_force));
    purge_begin(core->purge, in_force, now.seq);
    if (store_meta_get(core->reader, loading->scratch, PURGE_META, &progress) == OK)
        purge_resume(core->purge, progress);
    return OK;
}

static enum err suppression_each(void *ctx, const struct store_suppression *row)
{
    struct loading *loading = ctx;
    if (row->reason >= SUPPRESSION_REASONS)
        return ERR_CORRUPT;
    return engine_load_suppression(
        loading->core->engine,
        &(struct suppression){ .reason = (enum suppression_reason)row->reason,
                               .address = row->address,
                               .at_ms = row->at_ms,
                               .seq = row->seq });
}

/* What is loaded; the rest is made anew from events and decisions. */
struct helps {
    bool checkpoint, index;
};

static enum err all_read(struct loading *loading, struct helps helps)
{
    struct core *core = loading->core;
    bool         loaded = false;
    TRY(engine_make(core));
    TRY(store_names_read(core->reader, name_each, loading));
    TRY(store_definitions_read(core->reader, 0, definition_each, loading));
    TRY(store_suppressions_read(core->reader, INT64_MAX, suppression_each, loading));
    now_read(loading);
    rules_read(loading);
    TRY(codes_read(loading));
    TRY(retention_read_meta(loading));
    if (helps.checkpoint && !core->conf.no_checkpoint) {
        checkpoint_read(loading);
        TRY(states_read(loading));
    }
    core->bags_kept = 0;
    if (helps.index && !core->conf.no_snapshot)
        TRY(index_load(core, &loaded));
    core->stats.snapshot_loaded = loaded;
    TRY(tail_read(loading));
    TRY(jobs_read(loading));
    TRY(broadcasts_read(core, loading->scratch));
    if (loading->now_ms < loading->received_ms)
        loading->now_ms = loading->received_ms;
    if (loading->now_ms == 0)
        loading->now_ms = time_now_ms();
    return engine_load_end(core->engine, core->seq, loading->now_ms);
}

static enum err load_with(struct core *core, struct loading *loading, struct helps helps)
{
    *loading = (struct loading){ .core = core,
                                 .parser = json_parser_open(),
                                 .scratch = arena_open(SCRATCH_BYTES_MAX) };
    enum err err =
        loading->parser == NULL || loading->scratch == NULL ? ERR_MEMORY : all_read(loading, helps);
    free(loading->touched);
    json_parser_close(loading->parser);
    arena_close(loading->scratch);
    return err;
}

/*
 * Checkpoint and index are derived: when they contradict the rest, the rest is enough. A checkpoint
 * goes first: one of an older version says nothing against the index, which takes longer to make.
 */
enum err load(struct core *core, struct problem *problem)
{
    static const struct {
        struct helps helps;
        const char  *what;
    } tries[] = {
        { { true, true }, "the checkpoint is not of this data or version; it is left out" },
        { { false, true }, "the index is not of this data; all is rebuilt from the store" },
        { { false, false }, NULL },
    };
    struct loading loading;
    int64_t        begun_us = time_mono_us();
    enum err       err = load_with(core, &loading, tries[0].helps);
    if (loading.is_older)
        return problem_format(problem, ERR_CONFLICT, core->dir,
                              "Start with a new folder and import the events again; the version "
                              "that made this one still reads it.",
                              "This data folder was made by an older version of Dult, which "
                              "counted its own events and properties otherwise.");
    for (size_t i = 0; err == ERR_CORRUPT && tries[i].what != NULL; i++) {
        fprintf(stderr, "{\"level\":\"warning\",\"what\":\"%s\"}\n", tries[i].what);
        err = load_with(core, &loading, tries[i + 1].helps);
    }
    core->loaded_seq = core->seq;
    core->stats.loaded_events = loading.events;
    core->stats.loaded_decisions = loading.decisions;
    core->stats.load_ms = (uint64_t)(time_mono_us() - begun_us) / 1000;
    if (err == OK)
        return OK;
    return problem_format(problem, err, core->dir,
                          "Keep a copy of the folder; restore the last snapshot or report this.",
                          "The data could not be loaded (%s).", err_name(err));
}
