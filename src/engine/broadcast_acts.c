/* A broadcast launched, paused, resumed, cancelled, its failed ones sent again, its winner chosen.
 */
#include "engine/broadcast.h"
#include "engine/broadcasting.h"

#define FAR_EAST_MS (14 * TIME_HOUR_MS)
#define FAR_WEST_MS (12 * TIME_HOUR_MS)

static const char *const ACTS[BROADCAST_ACTS] = { "launch", "pause",        "resume",
                                                  "cancel", "retry-failed", "choose" };

enum broadcast_act broadcast_act_of(struct str word)
{
    int i = 0;
    while (i < BROADCAST_ACTS && !str_eq(word, str_of(ACTS[i])))
        i++;
    return (enum broadcast_act)i;
}

static enum err refuse(struct problem *problem, const char *what, const char *remedy)
{
    return problem_set(problem, ERR_CONFLICT, "broadcast", what, remedy);
}

static enum err time_check(const struct engine *engine, const struct broadcast_def *def,
                           struct problem *problem)
{
    int64_t last_ms = def->at_ms + (def->when == BROADCAST_LOCAL ? FAR_WEST_MS : 0) +
                      (def->is_best ? TIME_DAY_MS : 0);
    if (def->when == BROADCAST_NOW || last_ms > engine->now_ms)
        return OK;
    return problem_set(problem, ERR_CONFLICT, "when",
                       def->when == BROADCAST_AT ? "That instant has passed."
                                                 : "That time has passed everywhere.",
                       "Write a later one, or \"now\".");
}

static int64_t start_of(const struct engine *engine, const struct broadcast_def *def)
{
    int64_t at_ms = def->when == BROADCAST_NOW  ? engine->now_ms
                    : def->when == BROADCAST_AT ? def->at_ms
                                                : def->at_ms - FAR_EAST_MS;
    return at_ms > engine->now_ms ? at_ms : engine->now_ms;
}

/* Are all that it sends there, and for persons by one channel? Of a winner it alone is sent. */
static bool is_fit(const struct engine *engine, const struct broadcast_def *def,
                   const struct broadcast_run *run)
{
    uint32_t only =
        run->test.chosen > 0 ? def->arms[run->test.chosen - 1].template_id : def->template_id;
    const struct template_def *first = program_template_at(engine->program, only);
    bool fits = channel_is_to_person(first->channel) && first->version > 0 && !first->transactional;
    for (uint32_t i = 0; i < def->arms_count && run->test.chosen == 0; i++) {
        const struct template_def *template =
            program_template_at(engine->program, def->arms[i].template_id);
        fits = fits && template->version > 0 && !template->transactional &&
               template->channel == first->channel;
    }
    return fits;
}

static enum err launch(struct engine *engine, uint32_t number, const struct record *record,
                       struct problem *problem)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, number);
    struct broadcast_run       *run = broadcast_run_of(engine, number);
    int64_t                     expected = 0;
    if (run == NULL)
        return ERR_MEMORY;
    if (run->is_launched)
        return refuse(problem, "It was launched already, and goes to nobody twice.",
                      "Give a new broadcast another name.");
    if (!is_fit(engine, def, run))
        return refuse(problem, "Its template was deleted, or is none for a broadcast any more.",
                      "Apply the template again, without \"transactional: yes\".");
    TRY(time_check(engine, def, problem));
    (void)json_get_int(record->properties, STR("expected"), &expected);
    run->is_launched = true;
    run->launched_ms = engine->now_ms;
    run->start_ms = run->round_ms = start_of(engine, def);
    run->looking = (struct broadcast_round){ 0, people_count(engine->people) };
    run->test.phase = def->winner.share > 0 ? BROADCAST_TESTING : BROADCAST_PLAIN;
    run->expected = expected > 0 ? (uint64_t)expected : 0;
    engine->broadcasts_open++;
    return OK;
}

static enum err pause(struct broadcast_run *run, struct problem *problem)
{
    if (!broadcast_is_under_way(run) || run->is_cancelled)
        return refuse(problem, "It is not under way.", "Look at its state.");
    if (run->is_paused)
        return refuse(problem, "It is paused already.", "Resume it, or cancel it.");
    run->is_paused = true;
    return OK;
}

const struct message *broadcast_message_of(const struct engine *engine, uint32_t number,
                                           uint32_t profile)
{
    const struct state *state =
        people_state_get(engine->people, people_root(engine->people, profile));
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].enrollment == broadcast_key(number, profile))
            return &state->rare->messages.items[i];
    return NULL;
}

/* Timers that came while it was paused are gone: each message that waits gets one again. */
static enum err release(struct engine *engine, uint32_t number)
{
    const struct recipients *recipients = &broadcast_run_get(engine, number)->recipients;
    uint32_t bits = RECIPIENT_BIT(RECIPIENT_WAITING) | RECIPIENT_BIT(RECIPIENT_DEFERRED);
    for (uint32_t p = recipients_next(recipients, bits, 0); p != UINT32_MAX;
         p = recipients_next(recipients, bits, p + 1)) {
        const struct message *message = broadcast_message_of(engine, number, p);
        if (message != NULL && message->state == MESSAGE_QUEUED)
            TRY(outbox_wait(engine, people_root(engine->people, p), message));
    }
    return OK;
}

static enum err resume(struct engine *engine, uint32_t number, struct problem *problem)
{
    struct broadcast_run *run = &engine->broadcasts.items[number];
    if (!run->is_paused)
        return refuse(problem, "It is not paused.", "Look at its state.");
    run->is_paused = false;
    run->ready_ms = 0;
    broadcast_settle(engine, run);
    return release(engine, number);
}

static enum err cancel(struct engine *engine, struct broadcast_run *run, struct problem *problem)
{
    if (!broadcast_is_under_way(run) || run->is_cancelled)
        return refuse(problem, "It is not under way.", "What was sent cannot be taken back.");
    run->is_cancelled = true;
    if (run->test.phase != BROADCAST_CHOSEN)
        run->test.phase = BROADCAST_PLAIN;
    run->is_paused = false;
    run->ready_ms = 0;
    run->retrying = (struct broadcast_round){ 0, 0 };
    run->looking = (struct broadcast_round){ 0, people_count(engine->people) };
    run->round_ms = engine->now_ms;
    run->later_ms = TIME_NEVER;
    return OK;
}

static enum err retry(struct engine *engine, uint32_t number, struct problem *problem)
{
    struct broadcast_run *run = &engine->broadcasts.items[number];
    if (!run->is_launched || run->is_cancelled)
        return refuse(problem, "It was not launched, or was cancelled.", "Look at its state.");
    if (run->recipients.counts[RECIPIENT_FAILED] == 0)
        return refuse(problem, "It failed for nobody.", "Look at its state.");
    if (!is_fit(engine, program_broadcast_at(engine->program, number), run))
        return refuse(problem,
                      "What it sends, or a variant of it, was deleted, or is none for a broadcast "
                      "any more.",
                      "Apply the template again, as it was.");
    if (run->finished_ms != 0) {
        TRY(broadcast_addresses_make(engine, number)); /* they were let go when it was over */
        recipients_over(&run->recipients, false);
        engine->broadcasts_open++;
    }
    run->finished_ms = 0;
    run->ready_ms = 0;
    run->retries++;
    run->retrying = (struct broadcast_round){ 0, people_count(engine->people) };
    return OK;
}

static enum err choose(struct engine *engine, uint32_t number, const struct record *record,
                       struct problem *problem)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, number);
    struct broadcast_run       *run = &engine->broadcasts.items[number];
    struct str                  name = json_get_str(record->properties, STR("variant"));
    uint32_t                    i = 0;
    while (i < def->arms_count && !str_eq(def->arms[i].name, name))
        i++;
    if (def->arms_count == 0)
        return refuse(problem, "It has no experiment, so there is nothing to choose.",
                      "Look at what it is: GET /api/v1/broadcasts/NAME.");
    if (i == def->arms_count)
        return problem_format(problem, ERR_ABSENT, "variant", "Name one of its variants.",
                              "There is no variant \"%.*s\".", STR_ARG(str_slice(name, 0, 128)));
    if (!broadcast_is_under_way(run) || run->is_cancelled)
        return refuse(problem, "It is not under way.", "Choose while it is; look at its state.");
    broadcast_choose(engine, run, i, WINNER_BY_HAND);
    return OK;
}

static enum err act_run(struct engine *engine, uint32_t number, const struct record *record,
                        struct problem *problem)
{
    struct broadcast_run *run = broadcast_run_of(engine, number);
    if (run == NULL)
        return ERR_MEMORY;
    switch (broadcast_act_of(json_get_str(record->properties, STR("act")))) {
    case BROADCAST_LAUNCH:
        return launch(engine, number, record, problem);
    case BROADCAST_PAUSE:
        return pause(run, problem);
    case BROADCAST_RESUME:
        return resume(engine, number, problem);
    case BROADCAST_CANCEL:
        return cancel(engine, run, problem);
    case BROADCAST_RETRY:
        return retry(engine, number, problem);
    case BROADCAST_CHOOSE:
        return choose(engine, number, record, problem);
    case BROADCAST_ACTS:
        break;
    }
    return problem_set(problem, ERR_INPUT, "act", "There is no such act.",
                       "Use launch, pause, resume, cancel, retry-failed or choose.");
}

enum err apply_broadcast(struct engine *engine, const struct record *record,
                         struct problem *problem)
{
    uint32_t number = program_broadcast(engine->program, record->name);
    if (number == SEGMENT_NO_ID)
        return problem_format(problem, ERR_ABSENT, "name", "Look at the list.",
                              "There is no broadcast \"%.*s\".",
                              STR_ARG(str_slice(record->name, 0, 128)));
    TRY(act_run(engine, number, record, problem));
    engine->broadcasts_moved = true;
    return OK;
}

/* ---- definitions ---- */

static bool needs(const struct broadcast_def *def, const struct program *program,
                  enum definition_kind kind, struct str name)
{
    for (uint32_t i = 0; kind == DEFINE_TEMPLATE && i < def->arms_count; i++)
        if (str_eq(def->arms[i].template, name))
            return true;
    if (kind == DEFINE_TEMPLATE)
        return str_eq(def->template, name);
    if (kind == DEFINE_TRAIT)
        return program_asks(program, def->audience.tree, name);
    return kind == DEFINE_SEGMENT &&
           segment_needs_segment(&def->audience.program, program_segment(program, name));
}

/* What was launched stays as it was; what one that is not over asks for is not deleted. Stored
 * definitions are loaded without this: they were looked at when they came. */
enum err engine_broadcast_allows(const struct engine *engine, enum definition_kind kind,
                                 struct str name, struct str text, struct problem *problem)
{
    const struct program *program = engine->program;
    uint32_t              number = program_broadcast(program, name);
    if (kind == DEFINE_BROADCAST)
        return number != SEGMENT_NO_ID && broadcast_run_get(engine, number)->is_launched
                   ? problem_format(problem, ERR_CONFLICT, "broadcast",
                                    "Give a new broadcast another name.",
                                    "The broadcast \"%.*s\" was launched, and stays as it was.",
                                    STR_ARG(str_slice(name, 0, 128)))
                   : OK;
    if (text.len > 0)
        return OK;
    for (uint32_t i = 0; i < program->broadcasts.count; i++) {
        const struct broadcast_def *def = &program->broadcasts.items[i];
        if (def->arena != NULL && broadcast_run_get(engine, i)->finished_ms == 0 &&
            needs(def, program, kind, name))
            return problem_format(problem, ERR_CONFLICT, "definition",
                                  "Change the broadcast first, or wait until it is finished.",
                                  "The broadcast \"%.*s\" uses \"%.*s\".", STR_ARG(def->name),
                                  STR_ARG(str_slice(name, 0, 60)));
    }
    return OK;
}
