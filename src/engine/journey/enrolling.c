#include "engine/journey/enrolling.h"

#include "engine/inside.h"

bool enrolling_is_name(struct str event)
{
    return str_eq(event, EVENT_JOURNEY_ENTRY) || str_eq(event, EVENT_JOURNEY_EXIT);
}

enum err enrolling_properties(struct arena *arena, const struct json *given, struct str journey,
                              struct json *out, struct problem *problem)
{
    uint32_t                     count = given == NULL ? 0 : given->count;
    SCOPED(buf_donep) struct buf text = buf_make(ENROLLING_BYTES_MAX);
    struct json_member          *members = ARENA_ARRAY(arena, count + 1, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    if (given != NULL && given->kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "properties", "This is not a JSON object.",
                           "Give what templates see as `event`: {\"plan\": \"pro\"}.");
    if (given != NULL && json_get(given, STR("journey")) != NULL)
        return problem_set(problem, ERR_INPUT, "properties.journey",
                           "`journey` names the journey they are let into.",
                           "Give the property another name.");
    for (uint32_t i = 0; i < count; i++)
        members[i] = given->members[i];
    members[count] =
        (struct json_member){ STR("journey"), { .kind = JSON_STRING, .string = journey } };
    *out = (struct json){ .kind = JSON_OBJECT, .count = count + 1, .members = members };
    json_write(&text, out);
    if (buf_err(&text) == ERR_LIMIT)
        return problem_set(problem, ERR_LIMIT, "properties", "There is more than 64 KiB of it.",
                           "Give what the templates show, and a link to the rest.");
    return buf_err(&text);
}

static uint32_t inside_first(const struct engine *engine, uint32_t person, uint32_t journey)
{
    const struct rare *rare = people_state_get(engine->people, person)->rare;
    uint32_t           i = 0;
    while (i < rare->enrollments.count && (rare->enrollments.items[i].journey != journey ||
                                           !enrollment_is_inside(&rare->enrollments.items[i])))
        i++;
    return i;
}

static bool is_inside(const struct engine *engine, uint32_t person, uint32_t journey)
{
    return inside_first(engine, person, journey) <
           people_state_get(engine->people, person)->rare->enrollments.count;
}

/* Each time that they are inside; what else follows may end others of them meanwhile. */
static enum err take_out(struct step *step, uint32_t journey)
{
    while (is_inside(step->engine, step->person, journey)) {
        uint32_t i = inside_first(step->engine, step->person, journey);
        uint64_t id =
            people_state_get(step->engine->people, step->person)->rare->enrollments.items[i].id;
        step->out->message = step->engine->next_decision;
        TRY(journey_leave(step, id, ENROLLING_REASON));
    }
    return OK;
}

enum err enrolling_follow(struct engine *engine, struct out *out,
                          const struct timeline_event *event, uint32_t journey, bool leaves)
{
    struct step step;
    TRY(step_begin(&step, engine, out, event->profile, engine->now_ms, false));
    step_because(&step, event);
    if (leaves) {
        TRY(take_out(&step, journey));
    } else {
        TRY(journey_let_in(&step, journey, ENROLLING_CAUSE));
        out->message = step.let_in;
    }
    return step_run(&step);
}

static enum err journey_find(const struct engine *engine, const struct record *record,
                             uint32_t *out, struct problem *problem)
{
    *out = program_journey(engine->program, record->body);
    if (*out != SEGMENT_NO_ID && ((record->flags & RECORD_LEAVE) != 0 ||
                                  program_journey_live(engine->program, *out) != NULL))
        return OK;
    return problem_format(problem, ERR_ABSENT, "journey", "Look at the list of journeys.",
                          "There is no journey \"%.*s\".", STR_ARG(record->body));
}

enum err apply_enroll(struct engine *engine, const struct record *record, struct out *out,
                      struct problem *problem)
{
    struct timeline_event event = { .at_ms = record->at_ms, .profile = record->profile };
    bool                  leaves = (record->flags & RECORD_LEAVE) != 0, added;
    uint32_t              journey;
    if (people_is_nobody(engine->people, record->profile))
        return ERR_ABSENT;
    TRY(journey_find(engine, record, &journey, problem));
    out->profile = record->profile;
    TRY(wakes_before(engine, out, record->profile, record->received_ms));
    if (leaves && !is_inside(engine, people_root(engine->people, record->profile), journey))
        return problem_format(problem, ERR_ABSENT, "person",
                              "`dult explain PERSON journey NAME` tells where they are.",
                              "This person is not in the journey \"%.*s\".", STR_ARG(record->body));
    event.seq = (uint32_t)engine->number;
    TRY(event_put(engine, RECORD_ENROLL, &event, record->name, record->properties, &added));
    TRY(event_follow(engine, record, out, &event, added, false));
    return enrolling_follow(engine, out, &event, journey, leaves);
}
