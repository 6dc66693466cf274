#include "engine/journey/entering.h"

#include "base/time.h"
#include "engine/inside.h"

static void text_write(struct buf *out, bool *first, const char *key, struct str text)
{
    if (str_is_empty(text))
        return;
    json_write_key(out, first, key);
    json_write_str(out, text);
}

static bool is_met(struct step *step, const struct condition *condition)
{
    return condition->tree == NULL || segment_eval(&condition->program, &step->known.facts).holds;
}

/* What begins by the calendar is not for everybody. */
static const char *clock_refusal(struct step *step, const struct journey_trigger *trigger)
{
    if (trigger->kind != TRIGGER_CLOCK)
        return NULL;
    if (!is_met(step, &trigger->where))
        return "is not in the segment that it is for";
    return clock_next_ms(step, &trigger->clock) == TIME_NEVER ? "has no such date to come" : NULL;
}

static void condition_write(struct buf *out, bool *first, const char *key,
                            const struct condition *condition)
{
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    if (condition->tree == NULL)
        return;
    segment_write(&text, condition->tree);
    text_write(out, first, key, buf_view(&text));
}

static void begins_write(struct buf *out, bool *first, const struct journey_trigger *trigger)
{
    static const char *const words[TRIGGER_KINDS] = {
        [TRIGGER_EVENT] = "the event",
        [TRIGGER_SEGMENT] = "coming into the segment",
        [TRIGGER_LEFT_SEGMENT] = "leaving the segment",
        [TRIGGER_LIST] = "joining the list",
        [TRIGGER_LEFT_LIST] = "leaving the list",
        [TRIGGER_FINISHED_JOURNEY] = "finishing the journey",
        [TRIGGER_LEFT_JOURNEY] = "leaving before its end the journey",
        [TRIGGER_CLOCK] = "the time",
        [TRIGGER_API] = "being let in by hand or by a program",
    };
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    if (trigger->is_stage)
        buf_str(&text, trigger->kind == TRIGGER_SEGMENT ? STR("coming into the stage")
                                                        : STR("leaving the stage"));
    else
        buf_str(&text, str_of(words[trigger->kind]));
    if (!str_is_empty(trigger->name))
        buf_format(&text, " \"%.*s\"", STR_ARG(trigger->name));
    text_write(out, first, "begins", buf_view(&text));
    text_write(out, first, "key", trigger->key_name);
    condition_write(out, first, "where", &trigger->where);
}

/* Why they would not come in now, or NULL; *from_ms: they would from then on, or TIME_NEVER. */
static const char *past_refusal(const struct step *step, uint32_t number,
                                const struct journey *journey, int64_t *from_ms)
{
    const struct rare *rare = people_state_get(step->engine->people, step->person)->rare;
    uint32_t           inside = 0;
    *from_ms = TIME_NEVER;
    if (step_is_machine(&step->known.facts))
        return "has so many events that nothing begins by them";
    if (goal_holds_out(step, journey))
        return "is one of those held out";
    for (uint32_t i = 0; i < rare->enrollments.count; i++)
        inside += rare->enrollments.items[i].journey == number &&
                  enrollment_is_inside(&rare->enrollments.items[i]);
    if (inside >= journey->at_once)
        return inside == 1 ? "already inside" : "already inside as often as may be at once";
    if (!str_is_empty(journey->trigger.key_name))
        return NULL; /* that goes by the value, which is not known yet */
    for (uint32_t i = 0; i < rare->pasts.count; i++) {
        const struct past *past = &rare->pasts.items[i];
        if (past->journey != number)
            continue;
        if (journey->reentry == REENTRY_ONCE)
            return "was inside before, and comes in once";
        if (journey->reentry == REENTRY_AFTER &&
            step->at_ms - past->entered_ms < journey->reentry_ms) {
            *from_ms = past->entered_ms + journey->reentry_ms;
            return "was inside too short a time ago";
        }
    }
    return NULL;
}

static const char *refusal_of(struct step *step, uint32_t number, const struct journey *journey,
                              int64_t *from_ms)
{
    enum journey_state state = program_journey_state(step->engine->program, number);
    const char        *why = past_refusal(step, number, journey, from_ms);
    if (state != JOURNEY_RUNS)
        return state == JOURNEY_PAUSED ? "the journey is paused" : "the journey is stopped";
    if (why == NULL && !is_met(step, &journey->audience))
        return "is not in the audience";
    return why != NULL ? why : clock_refusal(step, &journey->trigger);
}

/* An instant, by UTC and by their clock: "from" and "from_local". */
static void instants_write(struct buf *out, bool *first, const char *key, const char *local_key,
                           const struct zone *zone, int64_t at_ms)
{
    char text[TIME_TEXT_BYTES];
    text_write(out, first, key, str_of(time_write(at_ms, text)));
    time_write(at_ms + (zone == NULL ? 0 : zone_offset_ms(zone, at_ms)), text);
    text[10] = ' ';
    text_write(out, first, local_key, (struct str){ text, 16 });
}

/* When it comes next for them; nothing where it does not. */
static void clock_write(struct buf *out, bool *first, struct step *step, const struct clock *clock)
{
    int64_t next_ms = clock_next_ms(step, clock);
    if (next_ms != TIME_NEVER)
        instants_write(out, first, "next", "next_local", person_zone(step->engine, step->person),
                       next_ms);
}

void entering_write(struct engine *engine, uint32_t person, uint32_t journey, struct buf *out)
{
    const struct journey_version *version = program_journey_live(engine->program, journey);
    struct step                   step = { .engine = engine,
                                           .person = people_root(engine->people, person),
                                           .at_ms = engine->now_ms,
                                           .own_heard = engine->own_count };
    int64_t                       from_ms;
    bool                          first = true;
    char                          length[TIME_TEXT_BYTES];
    if (version == NULL) {
        buf_str(out, STR("null"));
        return;
    }
    known_make(&step.known, engine, step.person, step.at_ms);
    const struct journey *def = &version->journey;
    const char           *why = refusal_of(&step, journey, def, &from_ms);
    buf_char(out, '{');
    begins_write(out, &first, &def->trigger);
    condition_write(out, &first, "audience", &def->audience);
    if (def->trigger.kind == TRIGGER_CLOCK)
        clock_write(out, &first, &step, &def->trigger.clock);
    if (def->reentry == REENTRY_AFTER) {
        json_write_key(out, &first, "reentry");
        buf_format(out, "\"after %s\"", time_length_write(def->reentry_ms, length, sizeof length));
    } else {
        text_write(out, &first, "reentry",
                   def->reentry == REENTRY_ONCE ? STR("once") : STR("always"));
    }
    json_write_key(out, &first, "enters");
    buf_str(out, why == NULL ? STR("true") : STR("false"));
    text_write(out, &first, "why_not", str_of(why));
    if (from_ms != TIME_NEVER)
        instants_write(out, &first, "from", "from_local", person_zone(engine, step.person),
                       from_ms);
    buf_char(out, '}');
}
