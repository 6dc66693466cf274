/*
 * What journeys begin by, beside what has a name: a stage, a date of the person, a schedule. Each
 * stands among the segments under a name that nobody else can give, and is gone with the last
 * journey that begins by it.
 *
 *      $stage.customer     in stage "customer": entered and left as any segment
 *      $clock.birthday     of the journey "birthday": nobody is ever in it. Its membership has the
 *                          instant of what comes next for the person (journey/clock.c); its
 *                          condition says what that hangs on
 */
#include "engine/journey/clock.h"
#include "engine/program_inside.h"

enum { TEXT_BYTES_MAX = 2048 };

#define STAGE_PREFIX STR("$stage.")
#define CLOCK_PREFIX STR("$clock.")

/* A name of Dult's own. */
static bool is_own(struct str segment)
{
    return str_starts(segment, STAGE_PREFIX) || str_starts(segment, CLOCK_PREFIX);
}

enum err beginning_name_check(struct str segment, struct problem *problem)
{
    return problem == NULL || !is_own(segment)
               ? OK
               : problem_set(problem, ERR_INPUT, "segment",
                             "Names that begin with $stage. and $clock. are Dult's own.",
                             "Give the segment another name.");
}

static enum err stage_check(const struct program *program, struct str name, struct problem *problem)
{
    for (uint32_t i = 0; i < program->stages.count; i++)
        if (str_eq(program->stages.items[i].name, name))
            return OK;
    return problem_format(problem, ERR_ABSENT, "trigger", "Name one of stages.json.",
                          "There is no stage \"%.*s\".", STR_ARG(name));
}

static void quoted(struct buf *out, const char *before, struct str name, const char *after)
{
    buf_str(out, str_of(before));
    json_write_str(out, name);
    buf_str(out, str_of(after));
}

/* What the answer hangs on: the date, and whose clock it is. */
static void condition_write(const struct journey_trigger *trigger, struct buf *out)
{
    if (trigger->is_stage)
        quoted(out, "in stage ", trigger->name, "");
    else if (trigger->clock.until.kind == UNTIL_TRAIT)
        quoted(out, "trait ", trigger->clock.until.trait, " is today");
    else
        buf_str(out,
                trigger->clock.is_workspace ? STR("everyone") : STR("trait \"timezone\" is today"));
}

/* It stays with the segment: the text it lies in goes with the journey's version. */
static enum err clock_keep(struct program *program, uint32_t number, const struct clock *clock)
{
    struct segment_def *def = &program->segments.items[number];
    def->clock = clock_copy(def->arena, clock);
    return def->clock == NULL ? ERR_MEMORY : OK;
}

static enum err put(struct program *program, const struct journey *journey, struct str name,
                    uint32_t version, uint32_t *number, struct problem *problem)
{
    const struct journey_trigger *trigger = &journey->trigger;
    SCOPED(buf_donep) struct buf  text = buf_make(TEXT_BYTES_MAX);
    *number = program_segment(program, name);
    if (trigger->is_stage && *number != SEGMENT_NO_ID)
        return OK;
    condition_write(trigger, &text);
    TRY(buf_err(&text));
    TRY(segment_define(program, name, buf_view(&text), version, number, problem));
    program->segments.items[*number].is_beginning = true;
    return trigger->is_stage ? OK : clock_keep(program, *number, &trigger->clock);
}

enum err beginning_put(struct program *program, const struct journey *journey, bool grow,
                       uint32_t version, uint32_t *number, struct problem *problem)
{
    SCOPED(buf_donep) struct buf  name = buf_make(TEXT_BYTES_MAX);
    const struct journey_trigger *trigger = &journey->trigger;
    *number = 0;
    if (trigger->is_stage)
        TRY(stage_check(program, trigger->name, problem));
    if (!grow)
        return OK;
    buf_str(&name, trigger->is_stage ? STAGE_PREFIX : CLOCK_PREFIX);
    buf_str(&name, trigger->is_stage ? trigger->name : journey->name);
    TRY(buf_err(&name));
    return put(program, journey, buf_view(&name), version, number, problem);
}

enum err beginnings_tidy(struct program *program, uint32_t version)
{
    for (uint32_t i = 0; i < program->segments.count; i++) {
        const struct segment_def *def = &program->segments.items[i];
        bool                      is_used = program->journeys_of[TRIGGER_SEGMENT][i].count > 0 ||
                       program->journeys_of[TRIGGER_LEFT_SEGMENT][i].count > 0 ||
                       program->journeys_of[TRIGGER_CLOCK][i].count > 0;
        if (def->arena == NULL || !def->is_beginning || is_used)
            continue;
        TRY(program_segment_put(program, i,
                                (struct segment_def){ .version = version, .is_beginning = true }));
    }
    return OK;
}
