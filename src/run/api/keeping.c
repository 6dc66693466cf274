#include "run/api/keeping.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/report/outlived.h"
#include "engine/retain.h"
#include "run/api/ask.h"

enum {
    COMPILES_A_TURN = 64, /* segments, of one task on the engine's thread */
    SEGMENTS_TOLD = 100,  /* those that change most come first */
};

struct segment_change {
    struct str name;
    uint64_t   entering, leaving;
};

struct preview {
    struct ask              ask;
    struct call            *call;
    struct str              text;
    struct retention        retention;
    struct segment_program *programs;
    struct segment_change  *changes;
    uint32_t                count, room, next; /* next: the segment to be compiled */
    enum err                err;
    struct outlived_counts *hands;
};

/* ---- what is asked ---- */

static enum err room_make(struct preview *preview, uint32_t segments)
{
    struct arena *arena = preview->call->arena;
    preview->room = segments;
    preview->programs = ARENA_ARRAY(arena, segments + 1, struct segment_program);
    preview->changes = ARENA_ARRAY(arena, segments + 1, struct segment_change);
    return preview->programs == NULL || preview->changes == NULL ? ERR_MEMORY : OK;
}

/* Segments that may miss what goes, each compiled to stand alone. */
static enum err segments_compile(struct preview *preview, struct program *program)
{
    struct segment_names names = program_names_in_place(program);
    uint32_t             end = preview->next + COMPILES_A_TURN;
    if (end > preview->room)
        end = preview->room;
    for (; preview->next < end; preview->next++) {
        const struct segment_def *def = &program->segments.items[preview->next];
        struct segment_program   *compiled = &preview->programs[preview->count];
        if (def->arena == NULL)
            continue;
        TRY(segment_compile(preview->call->arena, def->tree, &names, compiled,
                            &preview->call->problem));
        if (!segment_sees(compiled, &preview->retention, preview->ask.report.at_ms))
            continue;
        preview->changes[preview->count++].name =
            str_copy(preview->call->arena, program_name(program, NAME_SEGMENT, preview->next));
    }
    return OK;
}

static bool compile_ask(struct engine *engine, struct task *task)
{
    struct preview *preview = task->context;
    struct program *program = engine_program(engine);
    preview->err = OK;
    if (preview->programs == NULL) {
        preview->err = program_retention_of(program, preview->text, preview->ask.report.at_ms,
                                            &preview->retention, &preview->call->problem);
        if (preview->err == OK)
            preview->err = room_make(preview, program->segments.count);
        preview->ask.report.zone = program->zone;
        preview->ask.report.zones = program->zones;
    }
    if (preview->err == OK)
        preview->err = segments_compile(preview, program);
    return true;
}

static enum err hands_make(struct preview *preview)
{
    uint32_t      hands = ask_hands(&preview->ask);
    struct arena *arena = preview->call->arena;
    preview->hands = ARENA_ARRAY(arena, hands, struct outlived_counts);
    if (preview->hands == NULL)
        return ERR_MEMORY;
    for (uint32_t h = 0; h < hands; h++) {
        uint64_t *both = ARENA_ARRAY(arena, 2 * (size_t)preview->count + 1, uint64_t);
        if (both == NULL)
            return ERR_MEMORY;
        memset(both, 0, (2 * (size_t)preview->count + 1) * sizeof *both);
        preview->hands[h] =
            (struct outlived_counts){ .entering = both, .leaving = both + preview->count };
    }
    return OK;
}

static enum err part(void *context, uint32_t hand, struct report_range range)
{
    struct preview          *preview = context;
    struct outlived_question question = { &preview->retention, preview->programs, preview->count };
    return outlived_count(&preview->ask.report, &question, range, &preview->hands[hand]);
}

static enum err preview_run(struct preview *preview)
{
    do {
        TRY(call_ask(preview->call, compile_ask, preview));
        TRY(preview->err);
    } while (preview->next < preview->room);
    TRY(hands_make(preview));
    return ask_share(&preview->ask, part, preview);
}

/* ---- what is told ---- */

static int change_compare(const void *a, const void *b)
{
    const struct segment_change *one = a, *two = b;
    uint64_t                     x = one->entering + one->leaving, y = two->entering + two->leaving;
    return x != y ? (x < y ? 1 : -1) : str_cmp(one->name, two->name);
}

static void changes_write(struct preview *preview, struct buf *out, bool *first)
{
    uint64_t entering = 0, leaving = 0;
    uint32_t told = 0;
    for (uint32_t i = 0; i < preview->count; i++) {
        entering += preview->changes[i].entering;
        leaving += preview->changes[i].leaving;
    }
    write_int(out, first, "entering", (int64_t)entering);
    write_int(out, first, "leaving", (int64_t)leaving);
    if (preview->count > 1)
        qsort(preview->changes, preview->count, sizeof *preview->changes, change_compare);
    json_write_key(out, first, "segments");
    buf_char(out, '[');
    for (uint32_t i = 0; i < preview->count && told < SEGMENTS_TOLD; i++) {
        const struct segment_change *change = &preview->changes[i];
        bool                         inner = true;
        if (change->entering + change->leaving == 0)
            break;
        buf_str(out, told++ == 0 ? STR("{") : STR(",{"));
        write_text(out, &inner, "segment", change->name);
        write_int(out, &inner, "entering", (int64_t)change->entering);
        write_int(out, &inner, "leaving", (int64_t)change->leaving);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void preview_write(struct preview *preview, struct buf *out, bool *first)
{
    uint64_t events = 0, people = 0;
    bool     inner = true;
    for (uint32_t h = 0; h < ask_hands(&preview->ask); h++) {
        events += preview->hands[h].events;
        people += preview->hands[h].people;
        for (uint32_t i = 0; i < preview->count; i++) {
            preview->changes[i].entering += preview->hands[h].entering[i];
            preview->changes[i].leaving += preview->hands[h].leaving[i];
        }
    }
    json_write_key(out, first, "goes");
    buf_char(out, '{');
    write_int(out, &inner, "events", (int64_t)events);
    write_int(out, &inner, "people", (int64_t)people);
    changes_write(preview, out, &inner);
    ask_write_point(&preview->ask, out, &inner);
    buf_char(out, '}');
}

enum err keeping_preview_write(struct call *call, struct str text, struct buf *out, bool *first)
{
    struct preview *preview = ARENA_NEW(call->arena, struct preview);
    if (preview == NULL)
        return ERR_MEMORY;
    *preview = (struct preview){ .call = call, .text = text };
    enum err err = ask_open(&preview->ask, call, NULL);
    if (err == OK)
        err = preview_run(preview);
    if (err == OK)
        preview_write(preview, out, first);
    retention_done(&preview->retention);
    ask_close(&preview->ask);
    return err;
}

/* ---- what is in force ---- */

struct telling {
    struct buf  *out;
    bool        *first;
    struct core *core;
};

static void kept_write(struct buf *out, bool *first, const char *key, int64_t from_ms)
{
    json_write_key(out, first, key);
    if (from_ms == TIME_MIN_MS) {
        buf_str(out, STR("null"));
        return;
    }
    char text[TIME_TEXT_BYTES];
    json_write_str(out, str_of(time_write(from_ms, text)));
}

static void by_event_write(struct buf *out, bool *first, const struct program *program,
                           const struct retention *in_force)
{
    bool is_none = true;
    json_write_key(out, first, "by_event");
    buf_char(out, '[');
    for (uint32_t n = RUN_OWN_NAMES; n < in_force->names; n++) {
        bool inner = true;
        if (in_force->before_ms[n] == in_force->rest_ms || program_name_is_older(program, n))
            continue;
        buf_str(out, is_none ? STR("{") : STR(",{"));
        is_none = false;
        write_text(out, &inner, "event", program_name(program, NAME_EVENT, n));
        kept_write(out, &inner, "from", in_force->before_ms[n]);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

/* "waiting" for a merge, "asking" people, "removing" rows, "done". */
static struct str state_word(const struct engine_retention *now,
                             const struct purge_progress *progress, bool is_due)
{
    return now->is_coming || is_due ? STR("waiting")
           : now->is_asking         ? STR("asking")
           : !progress->is_done     ? STR("removing")
                                    : STR("done");
}

static bool state_ask(struct engine *engine, struct task *task)
{
    struct telling         *state = task->context;
    struct engine_retention now = engine_retention(engine);
    struct purge_progress   progress = core_purge(state->core);
    bool                    inner = true, is_due = engine_retention_is_due(engine, true);
    struct buf             *out = state->out;
    write_text(out, state->first, "state", state_word(&now, &progress, is_due));
    json_write_key(out, state->first, "kept_from");
    buf_char(out, '{');
    kept_write(out, &inner, "events", now.in_force.rest_ms);
    by_event_write(out, &inner, engine_program(engine), &now.in_force);
    buf_char(out, '}');
    write_int(out, state->first, "older_events", (int64_t)now.older);
    json_write_key(out, state->first, "stored");
    buf_char(out, '{');
    inner = true;
    write_int(out, &inner, "looked_at",
              (int64_t)(progress.is_done ? progress.limit : progress.looked));
    write_int(out, &inner, "of", (int64_t)progress.limit);
    write_int(out, &inner, "removed", (int64_t)progress.removed);
    buf_char(out, '}');
    return true;
}

enum err keeping_state_write(struct call *call, struct buf *out, bool *first)
{
    struct telling telling = { out, first, call->api->conf.core };
    return call_ask(call, state_ask, &telling);
}
