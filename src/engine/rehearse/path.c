/* One person's way, told in the order in which it was decided. */
#include "engine/rehearse/rehearse_inside.h"

struct telling {
    const struct rehearse_hand *hand;
    struct arena               *arena;
    struct rehearse_path       *out;
};

/* The decision that a later one names; the engine's numbers grow. */
static const struct decision *decision_of(const struct out *out, uint64_t id)
{
    for (size_t i = out->decisions_count; i > 0; i--)
        if (out->decisions[i - 1].id == id)
            return &out->decisions[i - 1];
    return NULL;
}

/* The journey that it is about, as a number; JOURNEY_NONE: about none. */
static uint32_t journey_of(const struct out *out, const struct decision *d)
{
    const struct decision *intent;
    switch (d->kind) {
    case DECISION_ENROLLED:
    case DECISION_NOT_ENROLLED:
    case DECISION_HELD_OUT:
        return (uint32_t)d->subject;
    case DECISION_STEP:
    case DECISION_ENDED:
    case DECISION_GOAL:
    case DECISION_INTENT:
        return d->journey;
    case DECISION_SENT:
    case DECISION_DROPPED:
    case DECISION_WAITING:
        intent = decision_of(out, d->subject);
        return intent == NULL || intent->kind != DECISION_INTENT ? JOURNEY_NONE : intent->journey;
    default:
        return JOURNEY_NONE;
    }
}

static enum err line_make(struct telling *telling, const struct decision *d, uint32_t journey,
                          struct rehearse_line *out)
{
    const struct program  *program = telling->hand->engine->program;
    const struct decision *intent = d;
    struct arena          *arena = telling->arena;
    if (d->kind == DECISION_SENT || d->kind == DECISION_DROPPED || d->kind == DECISION_WAITING)
        intent = decision_of(&telling->hand->out, d->subject);
    bool is_message = intent != NULL && intent->kind == DECISION_INTENT;
    *out = (struct rehearse_line){
        .at_ms = d->at_ms,
        .due_ms = d->kind == DECISION_STEP || d->kind == DECISION_WAITING ? d->due_ms : TIME_NEVER,
        .kind = d->kind,
        .journey = journey,
        .node = str_copy(arena, is_message ? intent->node : d->node),
        .text = str_copy(arena, d->text),
        .template = str_copy(arena, is_message ? program_name(program, NAME_TEMPLATE, intent->other)
                                               : STR_NONE),
    };
    return out->node.ptr == NULL || out->text.ptr == NULL || out->template.ptr == NULL ? ERR_MEMORY
                                                                                       : OK;
}

static enum err path_tell(struct telling *telling)
{
    const struct out       *out = &telling->hand->out;
    const struct rehearsal *r = telling->hand->rehearsal;
    struct rehearse_path   *path = telling->out;
    path->items = ARENA_ARRAY(telling->arena, out->decisions_count, struct rehearse_line);
    if (path->items == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < out->decisions_count; i++) {
        const struct decision *d = &out->decisions[i];
        uint32_t               number = journey_of(out, d);
        uint32_t               journey =
            number == JOURNEY_NONE ? r->journeys_count : rehearse_journey_at(r, number);
        if (journey < r->journeys_count)
            TRY(line_make(telling, d, journey, &path->items[path->count++]));
    }
    return OK;
}

enum err rehearse_person(struct rehearse_hand *hand, const struct view *view, uint32_t person,
                         struct arena *arena, struct rehearse_path *out)
{
    struct telling telling = { hand, arena, out };
    *out = (struct rehearse_path){ .count = 0 };
    if (person >= view->profiles)
        return OK;
    TRY(living_run(hand, view, view->root[person]));
    out->events = hand->life.count;
    return path_tell(&telling);
}
