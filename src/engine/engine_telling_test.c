#include "engine/engine_telling_test.h"

#include <stdlib.h>

#include "engine/short_memory_test.h"

/* ---- what a store would have ---- */

static void event_keep(struct telling *t, struct record event, uint32_t profile)
{
    struct telling_stored *stored = t->stored;
    if (stored->events_count == TELLING_EVENTS_MAX)
        abort();
    event.profile = profile;
    event.name = str_copy(t->arena, event.name);
    if (event.properties != NULL && event.properties->kind == JSON_OBJECT) {
        struct json *kept = arena_alloc(t->arena, sizeof *kept);
        if (kept == NULL)
            abort();
        *kept = *event.properties;
        event.properties = kept;
    }
    stored->events[stored->events_count++] = event;
}

/* What nodes told has a number before that of the record under way. */
static void record_keep(struct telling *t, struct record record, enum err err)
{
    static const uint32_t events = 1u << RECORD_TRACK | 1u << RECORD_IDENTIFY | 1u << RECORD_PAGE |
                                   1u << RECORD_SCREEN | 1u << RECORD_GROUP | 1u << RECORD_MESSAGE;
    struct telling_stored *stored = t->stored;
    for (; t->told_events < t->out.told_count; t->told_events++) {
        const struct told_event *told = &t->out.told[t->told_events];
        event_keep(t,
                   (struct record){ .kind = told->is_traits ? RECORD_IDENTIFY : RECORD_TRACK,
                                    .seq = told->seq,
                                    .name = told->name,
                                    .at_ms = told->at_ms,
                                    .properties = told->properties },
                   told->profile);
    }
    if (err != OK)
        return;
    record.seq = t->out.seq;
    if ((events >> record.kind & 1) != 0 && t->out.profile != PROFILE_NONE)
        event_keep(t, record, t->out.profile);
    if (record.kind == RECORD_DEFINE && stored->definitions_count < TELLING_DEFINITIONS_MAX)
        stored->definitions[stored->definitions_count++] = record;
}

/* ---- telling ---- */

static void told_number(struct telling *t, uint64_t number)
{
    t->told = short_memory_tell(t->told, (struct str){ (const char *)&number, sizeof number });
}

static void decisions_tell(struct telling *t)
{
    for (; t->told_decisions < t->out.decisions_count; t->told_decisions++) {
        const struct decision *d = &t->out.decisions[t->told_decisions];
        told_number(t, (uint64_t)d->kind << 32 | d->profile);
        if (d->kind == DECISION_MERGE)
            t->merged = d->id;
        t->told = short_memory_tell(t->told, d->text);
        t->told = short_memory_tell(t->told, d->key);
        t->told = short_memory_tell(t->told, d->detail);
    }
}

static enum err record_tell(struct telling *t, struct record record)
{
    struct problem problem = { 0 };
    record.seq = engine_seq(t->engine) + 1;
    record.at_ms = record.received_ms = t->now_ms;
    size_t   claims = t->out.claims_count;
    enum err err = engine_apply(t->engine, &record, &t->out, &problem);
    if (err == ERR_MEMORY)
        return err;
    if (t->stored != NULL)
        record_keep(t, record, err);
    told_number(t, (uint64_t)err);
    t->told = short_memory_tell(t->told, str_of(problem.what));
    decisions_tell(t);
    for (size_t i = claims; i < t->out.claims_count; i++) {
        t->claimed = t->out.claims[i].message;
        told_number(t, t->claimed);
        t->told = short_memory_tell(t->told, t->out.claims[i].address);
    }
    return OK;
}

static enum err line_tell(struct telling *t, const struct line *line)
{
    struct json   properties = { .kind = JSON_NULL }, said;
    struct record record = { .kind = line->kind,
                             .definition_kind = line->define,
                             .flags = line->flags,
                             .user_id = str_of(line->who),
                             .anonymous_id = str_of(line->anonymous),
                             .name = str_of(line->name),
                             .previous_id = str_of(line->anonymous),
                             .body = str_of(line->define != 0 ? line->text : line->anonymous),
                             .merge = t->merged,
                             .count = line->count > 0 ? line->count : 10 };
    t->now_ms += line->after_ms;
    if (line->define == 0 && line->text != NULL) {
        TRY(json_parse_once(t->arena, str_of(line->text), &properties, NULL));
        record.properties = &properties;
    }
    if (line->context != NULL) {
        TRY(json_parse_once(t->arena, str_of(line->context), &said, NULL));
        record.context = &said;
    }
    if (line->kind == RECORD_CLOCK)
        for (int i = 0; i < 50 && engine_next_ms(t->engine) <= t->now_ms; i++)
            TRY(record_tell(t, record));
    if (line->kind != RECORD_TRACK && line->kind != RECORD_IDENTIFY && line->who != NULL)
        record.profile = engine_find(t->engine, str_of(line->who));
    record.message = t->claimed;
    record.outcome =
        (struct record_outcome){ .message = t->claimed,
                                 .kind = line->outcome > 0 ? line->outcome : OUTCOME_SENT,
                                 .retry_at_ms = t->now_ms + TIME_MINUTE_MS,
                                 .text = STR("as it was") };
    return record_tell(t, record);
}

enum err telling_open(struct telling *t)
{
    t->now_ms = TELLING_T0;
    t->arena = arena_open(64 << 20);
    t->out.arena = t->arena;
    if (t->arena == NULL)
        return ERR_MEMORY;
    return engine_open(
        &t->engine,
        (struct engine_conf){ .seed = 1, .next_decision = 1, .lateness_ms = LATENESS_MS_DEFAULT });
}

void telling_close(struct telling *t)
{
    engine_close(t->engine);
    arena_close(t->arena);
}

enum err telling_lines(struct telling *t, const struct line *lines)
{
    for (const struct line *line = lines; line->kind != RECORD_NONE; line++)
        TRY(line_tell(t, line));
    return OK;
}
