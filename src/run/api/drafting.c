#include "run/api/drafting.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "engine/variant.h"

enum {
    DRAFTS_A_TASK = 32,
    LOOKS_A_TASK = 4000,
    LOOKS_MAX = 1000000, /* of one call; who is rarer is named by hand */
    SAMPLE = 5,
    SEARCH_STRIDE = 7919, /* a prime: a sample is of early and of late people */
};

/* ---- which message ---- */

static bool sends(const struct journey_version *live, struct str template)
{
    for (uint16_t n = 0; live != NULL && n < live->journey.nodes_count; n++)
        if (journey_node_sends(&live->journey.nodes[n], template))
            return true;
    return false;
}

/* Journeys name the base of a variant. */
static struct str base_of(struct str name)
{
    struct str          base;
    struct variant_tags tags;
    return variant_split(name, &base, &tags) ? base : name;
}

/* The journey that was named, or the first that sends the template. */
static enum err journey_find(struct drafting *drafting, const struct program *program)
{
    const struct journey_version *live = NULL;
    for (uint32_t i = 0; i < program->journeys.count && live == NULL; i++) {
        const struct journey_version *one = program_journey_live(program, i);
        bool                          is_it = one != NULL &&
                     (drafting->journey.len > 0
                          ? str_eq(one->journey.name, drafting->journey)
                          : sends(one, drafting->name) || sends(one, base_of(drafting->name)));
        if (is_it) {
            live = one;
            drafting->journey_id = i;
        }
    }
    if (live == NULL && drafting->journey.len > 0)
        return problem_format(&drafting->call->problem, ERR_ABSENT, "journey",
                              "Look at the list of journeys.", "There is no journey \"%.*s\".",
                              STR_ARG(drafting->journey));
    if (live == NULL)
        return OK;
    static const char *const words[TRIGGER_KINDS] = {
        [TRIGGER_EVENT] = "event",
        [TRIGGER_SEGMENT] = "segment",
        [TRIGGER_LEFT_SEGMENT] = "left_segment",
        [TRIGGER_LIST] = "list",
        [TRIGGER_LEFT_LIST] = "left_list",
        [TRIGGER_FINISHED_JOURNEY] = "finished_journey",
        [TRIGGER_LEFT_JOURNEY] = "left_journey",
        [TRIGGER_CLOCK] = "date",
        [TRIGGER_API] = "api",
    };
    const struct journey_trigger *trigger = &live->journey.trigger;
    drafting->trigger = words[trigger->kind];
    if (trigger->is_stage)
        drafting->trigger = trigger->kind == TRIGGER_SEGMENT ? "stage" : "left_stage";
    if (trigger->kind == TRIGGER_CLOCK && trigger->clock.until.kind == UNTIL_TIME)
        drafting->trigger = "schedule";
    drafting->trigger_name = str_copy(drafting->call->arena, live->journey.trigger.name);
    drafting->journey = str_copy(drafting->call->arena, live->journey.name);
    if (live->journey.trigger.kind == TRIGGER_EVENT && drafting->event_name.len == 0)
        drafting->event_name = drafting->trigger_name;
    if (live->journey.trigger.kind == TRIGGER_API && drafting->event_name.len == 0)
        drafting->event_name = EVENT_JOURNEY_ENTRY;
    return OK;
}

struct asking {
    struct drafting *drafting;
    struct str       who;
    struct drafted  *out;
    uint32_t         most, *count;
    uint32_t         looked, place; /* of the search */
    bool             is_over;
    enum err         err;
};

static bool message_ask(struct engine *engine, struct task *task)
{
    struct asking   *asking = task->context;
    struct drafting *drafting = asking->drafting;
    struct program  *program = engine_program(engine);
    drafting->template_id = program_template(program, drafting->name);
    asking->err = journey_find(drafting, program);
    if (asking->err == OK && drafting->template_id == SEGMENT_NO_ID && drafting->text.len == 0)
        asking->err = problem_format(&drafting->call->problem, ERR_ABSENT, "name",
                                     "Look at the list of templates, or give its `text`.",
                                     "There is no template \"%.*s\".", STR_ARG(drafting->name));
    return true;
}

enum err drafting_read(struct drafting *drafting, struct call *call, const struct json *body)
{
    const struct json *event = json_get(body, STR("event"));
    *drafting = (struct drafting){ .call = call,
                                   .name = call_param(call, "name"),
                                   .text = json_get_str(body, STR("text")),
                                   .journey = json_get_str(body, STR("journey")) };
    if (event != NULL && event->kind == JSON_OBJECT)
        drafting->event = event;
    else if (event != NULL && event->kind == JSON_STRING)
        drafting->event_name = event->string;
    else if (event != NULL)
        return problem_set(&call->problem, ERR_INPUT, "event", "This is no event.",
                           "Give a name, or {\"name\": ..., \"properties\": {...}}.");
    struct asking asking = { .drafting = drafting };
    TRY(call_ask(call, message_ask, &asking));
    return asking.err;
}

enum err drafting_text(struct drafting *drafting, struct call *call, struct str name,
                       struct str text)
{
    struct asking asking = { .drafting = drafting };
    *drafting = (struct drafting){ .call = call, .name = name, .text = text };
    TRY(call_ask(call, message_ask, &asking));
    return asking.err;
}

/* ---- one person ---- */

static uint32_t event_of(struct engine *engine, const struct drafting *drafting, uint32_t person)
{
    const struct program *program = engine_program(engine);
    uint16_t              name = dict_find(program->names[NAME_EVENT], drafting->event_name);
    if (drafting->event != NULL || drafting->event_name.len == 0 || name == DICT_NONE)
        return 0;
    return engine_last_event(engine, person, name);
}

static enum err draft(struct engine *engine, struct drafting *drafting, uint32_t person,
                      struct drafted *out)
{
    struct claim_draft wanted = { .person = person,
                                  .template_id = drafting->template_id,
                                  .journey = drafting->journey_id,
                                  .event_seq = event_of(engine, drafting, person),
                                  .text = drafting->text,
                                  .problem = &drafting->call->problem };
    engine_public_id(out->id, person);
    return engine_claim_draft(engine, &wanted, drafting->call->arena, &out->claim, &out->variant);
}

static bool person_ask(struct engine *engine, struct task *task)
{
    struct asking *asking = task->context;
    uint32_t       person = call_find(engine, asking->who);
    asking->err = person == PROFILE_NONE ? call_nobody(asking->drafting->call, asking->who)
                                         : draft(engine, asking->drafting, person, asking->out);
    return true;
}

enum err drafting_person(struct drafting *drafting, struct str who, struct drafted *out)
{
    struct asking asking = { .drafting = drafting, .who = who, .out = out };
    TRY(call_ask(drafting->call, person_ask, &asking));
    return asking.err;
}

/* ---- people who would get it ---- */

static bool is_by(const struct drafting *drafting, const char *trigger)
{
    return drafting->trigger != NULL && strcmp(drafting->trigger, trigger) == 0;
}

/* What the journey's trigger asks of a person, as a condition; false: of everyone. */
static bool trigger_compile(const struct drafting *drafting, struct program *program,
                            struct segment_program *out)
{
    struct segment_names names = program_names(program, false);
    struct segment_node  node = { .kind = SEGMENT_IN_SEGMENT, .name = drafting->trigger_name };
    if (is_by(drafting, "list"))
        node.kind = SEGMENT_IN_LIST;
    else if (!is_by(drafting, "segment"))
        return false; /* of who has left nothing is asked */
    return segment_compile(drafting->call->arena, &node, &names, out, NULL) == OK;
}

static bool is_meant(struct engine *engine, const struct drafting *drafting,
                     const struct segment_program *program, uint32_t person)
{
    const struct people *people = engine_people(engine);
    if (people_is_nobody(people, person) || people_root(people, person) != person)
        return false;
    if (program != NULL)
        return engine_ask(engine, program, person, engine_now_ms(engine)).holds;
    return !is_by(drafting, "event") || drafting->event != NULL ||
           event_of(engine, drafting, person) != 0;
}

static bool people_ask(struct engine *engine, struct task *task)
{
    struct asking         *asking = task->context;
    uint32_t               count = people_count(engine_people(engine));
    struct segment_program program;
    bool     has_program = trigger_compile(asking->drafting, engine_program(engine), &program);
    uint32_t stride = count > 0 && count % SEARCH_STRIDE == 0 ? 1 : SEARCH_STRIDE;
    uint32_t looks = 0, drafts = 0;
    while (!asking->is_over && looks < LOOKS_A_TASK && drafts < DRAFTS_A_TASK) {
        if (asking->looked == count || asking->looked == LOOKS_MAX ||
            *asking->count == asking->most) {
            asking->is_over = true;
            return true;
        }
        uint32_t person = (uint32_t)((uint64_t)asking->looked * stride % count);
        asking->looked++;
        looks++;
        if (!is_meant(engine, asking->drafting, has_program ? &program : NULL, person))
            continue;
        struct drafted *one = &asking->out[*asking->count];
        asking->err = draft(engine, asking->drafting, person, one);
        drafts++;
        asking->is_over = asking->err != OK;
        *asking->count += asking->err == OK && one->claim.address.len > 0;
    }
    return true;
}

enum err drafting_people(struct drafting *drafting, uint32_t most, int64_t until_us,
                         struct drafted *out, uint32_t *count)
{
    struct asking asking = { .drafting = drafting, .out = out, .most = most, .count = count };
    *count = 0;
    while (!asking.is_over && time_mono_us() < until_us)
        TRY(call_ask(drafting->call, people_ask, &asking));
    return asking.err;
}

/* ---- what is missing ---- */

static struct missing_row *row_of(struct missing *missing, const struct render_gap *gap,
                                  struct arena *arena)
{
    for (uint32_t i = 0; i < missing->count; i++) {
        struct missing_row *row = &missing->rows[i];
        if (row->line == gap->line && row->part == gap->part && str_eq(row->path, gap->path))
            return row;
    }
    if (missing->count == MISSING_ROWS_MAX)
        return NULL;
    struct missing_row *row = &missing->rows[missing->count];
    *row = (struct missing_row){ .path = str_copy(arena, gap->path),
                                 .part = gap->part,
                                 .line = gap->line,
                                 .is_fault = gap->is_fault,
                                 .last = UINT32_MAX };
    if (row->path.ptr == NULL)
        return NULL;
    missing->count++;
    return row;
}

static void gaps_count(struct missing *missing, const struct render_gaps *gaps, uint32_t number,
                       const char *id, struct arena *arena)
{
    for (uint32_t i = 0; i < gaps->count; i++) {
        struct missing_row *row = row_of(missing, &gaps->items[i], arena);
        if (row == NULL || row->last == number)
            continue;
        row->last = number;
        if (row->people++ < SAMPLE)
            row->sample = str_format(arena, "%.*s%s%s", STR_ARG(row->sample),
                                     row->sample.len > 0 ? "," : "", id);
    }
    missing->held += gaps->count > 0;
}

static enum err missing_of(struct drafting *drafting, struct render *render,
                           const struct drafted *person, struct arena *arena,
                           struct render_gaps *gaps)
{
    struct rendered     out = { .mail = { .message = buf_make(COMPOSE_BYTES_MAX) } };
    struct render_draft wanted = { .claim = &person->claim,
                                   .name = drafting->name,
                                   .text = drafting->text,
                                   .event = drafting->event,
                                   .journey = drafting->journey };
    enum err            err = render_preview(render, &wanted, time_now_ms(), arena, &out, gaps);
    buf_done(&out.mail.message);
    if (err != ERR_INPUT)
        return err;
    if (gaps->count == 0) { /* an empty subject, a sender that is not there */
        struct str why = str_copy(arena, str_of(out.reason));
        gaps->items[gaps->count++] = (struct render_gap){ why, "message", 0, true };
    }
    return OK;
}

enum err drafting_missing(struct drafting *drafting, const struct drafted *people, uint32_t count,
                          int64_t until_us, struct missing *out)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(RENDER_ARENA_BYTES_MAX);
    struct render                     *render;
    *out = (struct missing){ .count = 0 };
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(call_render(drafting->call, &render));
    for (uint32_t i = 0; i < count && (i == 0 || time_mono_us() < until_us); i++) {
        struct render_gaps gaps = { .count = 0 };
        TRY(missing_of(drafting, render, &people[i], scratch, &gaps));
        gaps_count(out, &gaps, i, people[i].id, drafting->call->arena);
        out->looked++;
        arena_reset(scratch);
    }
    return OK;
}
