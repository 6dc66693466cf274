/* What Dult tells of a person by itself, with records of their own. */
#include "engine/inside.h"

static enum err told_add(struct out *out, const struct told_event *told)
{
    if (out->told_count == out->told_room) {
        size_t             room = out->told_room == 0 ? 16 : out->told_room * 2;
        struct told_event *items = ARENA_ARRAY(out->arena, room, struct told_event);
        if (items == NULL)
            return ERR_MEMORY;
        for (size_t i = 0; i < out->told_count; i++)
            items[i] = out->told[i];
        out->told = items;
        out->told_room = room;
    }
    out->told[out->told_count++] = *told;
    return OK;
}

enum err step_tell(struct step *step, bool is_traits, struct str name, const struct json *values,
                   struct str body)
{
    struct engine        *engine = step->engine;
    bool                  added;
    enum record_kind      kind = is_traits ? RECORD_IDENTIFY : RECORD_TRACK;
    struct timeline_event event = { .profile = step->person, .at_ms = step->at_ms };
    struct told_event     told = { .is_traits = is_traits,
                                   .profile = step->person,
                                   .at_ms = step->at_ms,
                                   .received_ms = engine->now_ms,
                                   .body = body };
    if (event_is_older(engine, kind, name, step->at_ms))
        return OK; /* it would be kept no longer */
    told.name = str_copy(step->out->arena, name);
    struct json *kept = ARENA_NEW(step->out->arena, struct json);
    if (told.name.ptr == NULL || kept == NULL)
        return ERR_MEMORY;
    *kept = *values;
    told.properties = kept;
    TRY(checkpoint_before(engine, step->person));
    told.seq = ++engine->seq;
    event.seq = (uint32_t)told.seq;
    TRY(event_put(engine, kind, &event, name, values, &added));
    hear_forget(engine, step->person);
    engine->own_count++; /* facts are made anew */
    step->has_told = true;
    TRY(told_add(step->out, &told));
    if (added)
        step_queue_of(step, (struct consequence){ .kind = CONSEQUENCE_TOLD, .event = event });
    return OK;
}
