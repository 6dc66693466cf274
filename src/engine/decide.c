/*
 * A decision made: in force first, then written down with its evidence for the store.
 */
#include "engine/inside.h"

#include <string.h>

/* Steps, endings and messages say in which journey, and at which of its nodes. */
static void place_tell(const struct engine *engine, struct decision *d)
{
    const struct state *state = people_state_get(engine->people, d->profile);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *e = &state->rare->enrollments.items[i];
        if (e->id != d->subject)
            continue;
        const struct journey_version *version =
            program_journey_version(engine->program, e->journey, e->version);
        d->journey = e->journey;
        if (version != NULL && d->object < version->journey.nodes_count)
            d->node = version->journey.nodes[d->object].id;
    }
}

static enum err out_add(struct out *out, const struct decision *d)
{
    if (out->decisions_count == out->decisions_room) {
        size_t           room = out->decisions_room == 0 ? 256 : out->decisions_room * 2;
        struct decision *items = ARENA_ARRAY(out->arena, room, struct decision);
        if (items == NULL)
            return ERR_MEMORY;
        if (out->decisions_count > 0)
            memcpy(items, out->decisions, out->decisions_count * sizeof *items);
        out->decisions = items;
        out->decisions_room = room;
    }
    out->decisions[out->decisions_count++] = *d;
    return OK;
}

enum err decide(struct engine *engine, struct out *out, struct decision d)
{
    d.id = engine->next_decision++;
    d.seq = engine->seq;
    bool is_first = d.kind == DECISION_PROFILE || d.kind == DECISION_ERASED; /* of its story */
    d.prev = is_first ? 0 : people_get(engine->people, d.profile)->head;
    if (engine->detail.bytes_max == 0)
        engine->detail = buf_make(DECISION_DETAIL_BYTES_MAX);
    buf_reset(&engine->detail);
    if (d.kind == DECISION_STEP || d.kind == DECISION_ENDED || d.kind == DECISION_INTENT ||
        d.kind == DECISION_GOAL || d.kind == DECISION_UNREACHED)
        place_tell(engine, &d);
    TRY(decision_apply(engine, &d));
    if (!engine->is_brief)
        decision_write(engine, &d, &engine->detail);
    TRY(buf_err(&engine->detail));
    d.detail = str_copy(out->arena, buf_view(&engine->detail));
    d.text = str_copy(out->arena, d.text);
    d.key = str_copy(out->arena, d.key);
    if (d.detail.ptr == NULL || d.text.ptr == NULL || d.key.ptr == NULL)
        return ERR_MEMORY;
    return out_add(out, &d);
}
