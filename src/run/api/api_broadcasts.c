#include "run/api/api_broadcasts.h"

#include <stdio.h>

#include "base/time.h"
#include "run/api/judging.h"

enum {
    PREVIEW_PART = 1000, /* profiles that are looked at while nobody else is served */
    HELD_FROM = RECIPIENT_NO_CONSENT,
};

static enum err absent(struct call *call, struct str name)
{
    return problem_format(&call->problem, ERR_ABSENT, "name",
                          "Look at the list, or put one there with `dult apply`.",
                          "There is no broadcast \"%.*s\".", STR_ARG(str_slice(name, 0, 128)));
}

/* ---- its numbers ---- */

struct status_question {
    struct call            *call;
    struct str              name;
    struct broadcast_status status;
    uint32_t                number, throttle, arms_count;
    struct str              arms[DEAL_ARMS_MAX]; /* the variants' names */
    bool                    is_there;
};

static bool status_ask(struct engine *engine, struct task *task)
{
    struct status_question *question = task->context;
    question->number = program_broadcast(engine_program(engine), question->name);
    question->is_there = question->number != SEGMENT_NO_ID &&
                         engine_broadcast(engine, question->number, &question->status);
    if (question->is_there)
        question->throttle = question->status.def->throttle;
    question->arms_count = question->is_there ? question->status.def->arms_count : 0;
    for (uint32_t i = 0; i < question->arms_count; i++)
        question->arms[i] = str_copy(question->call->arena, question->status.def->arms[i].name);
    return true;
}

static enum err status_of(struct call *call, struct str name, struct status_question *out)
{
    *out = (struct status_question){ .call = call, .name = name };
    TRY(call_ask(call, status_ask, out));
    return out->is_there ? OK : absent(call, name);
}

struct sums {
    uint64_t all, final, held, basis; /* basis: as many as there will be, as far as is known */
};

static struct sums sums_of(const struct broadcast_status *status)
{
    struct sums sums = { .all = 0 };
    for (int i = 1; i < RECIPIENT_STATES; i++) {
        sums.all += status->counts[i];
        if ((RECIPIENTS_OPEN >> i & 1) == 0)
            sums.final += status->counts[i];
        if (i >= HELD_FROM && i != RECIPIENT_HELD_OUT)
            sums.held += status->counts[i];
    }
    sums.basis = status->is_looking && status->expected > sums.all ? status->expected : sums.all;
    return sums;
}

/* How long it will take still, or -1. */
static int64_t seconds_left(const struct status_question *question, struct sums sums)
{
    const struct broadcast_status *status = &question->status;
    int64_t                        passed_ms = time_now_ms() - status->start_ms;
    uint64_t                       left = sums.basis - sums.final;
    if (status->state != BROADCAST_RUNNING)
        return -1;
    int64_t by_rate = sums.final == 0 || passed_ms <= 0
                          ? -1
                          : (int64_t)((double)left * (double)passed_ms / (double)sums.final / 1e3);
    if (question->throttle == 0)
        return by_rate;
    int64_t by_throttle = (int64_t)((double)left * 3600 / question->throttle);
    return by_throttle;
}

static void counts_write(const struct broadcast_status *status, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    for (int i = 1; i < RECIPIENT_STATES; i++)
        write_int(out, &first, recipient_word((enum recipient_state)i), (int64_t)status->counts[i]);
    buf_char(out, '}');
}

static void real_write(struct buf *out, bool *first, const char *key, double value)
{
    json_write_key(out, first, key);
    json_write_real(out, value);
}

/* As it was counted when the winner was looked for. */
static void arms_write(const struct status_question *question, struct buf *out)
{
    const struct broadcast_test *test = &question->status.test;
    double                       best[DEAL_ARMS_MAX];
    odds_best(test->counts, question->arms_count, best);
    for (uint32_t i = 0; i < question->arms_count; i++) {
        struct odds_range rate = odds_of(test->counts[i], 0.95);
        bool              first = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &first, "name", question->arms[i]);
        write_int(out, &first, "people", (int64_t)test->counts[i].of);
        write_int(out, &first, "reached", (int64_t)test->counts[i].successes);
        real_write(out, &first, "low", rate.low);
        real_write(out, &first, "high", rate.high);
        real_write(out, &first, "best", best[i]);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void experiment_write(const struct status_question *question, struct buf *out, bool *first)
{
    const struct broadcast_test *test = &question->status.test;
    uint64_t                     counted = 0;
    bool                         inner = true;
    for (uint32_t i = 0; i < question->arms_count; i++)
        counted += test->counts[i].of;
    json_write_key(out, first, "experiment");
    buf_char(out, '{');
    write_text(out, &inner, "phase", str_of(broadcast_phase_word(test->phase)));
    if (question->status.decides_ms > 0)
        write_time(out, &inner, "decides", question->status.decides_ms);
    if (test->chosen > 0 && test->chosen <= question->arms_count) {
        write_text(out, &inner, "winner", question->arms[test->chosen - 1]);
        write_text(out, &inner, "how", str_of(winner_how_word(test->how)));
        write_time(out, &inner, "at", test->chosen_ms);
    }
    if (counted > 0) {
        json_write_key(out, &inner, "variants");
        arms_write(question, out);
    }
    buf_char(out, '}');
}

static void status_write(const struct status_question *question, struct buf *out, bool *first)
{
    const struct broadcast_status *status = &question->status;
    struct sums                    sums = sums_of(status);
    int64_t                        left = seconds_left(question, sums);
    bool is_over = status->state == BROADCAST_FINISHED || status->state == BROADCAST_CANCELLED;
    write_text(out, first, "state", str_of(broadcast_state_word(status->state)));
    if (status->is_lost)
        write_text(
            out, first, "problem",
            STR("A stage or computed trait that its audience names is gone. Put it back, and "
                "resume."));
    if (status->launched_ms > 0)
        write_time(out, first, "launched", status->launched_ms);
    if (status->launched_ms > 0)
        write_time(out, first, "starts", status->start_ms);
    if (status->next_ms != TIME_NEVER && status->next_ms > time_now_ms())
        write_time(out, first, "next", status->next_ms);
    if (status->finished_ms > 0)
        write_time(out, first, "finished", status->finished_ms);
    if (question->throttle > 0)
        write_int(out, first, "throttle", question->throttle);
    write_int(out, first, "expected", (int64_t)status->expected);
    write_int(out, first, "recipients", (int64_t)sums.all);
    write_int(out, first, "final", (int64_t)sums.final);
    write_int(out, first, "held_back", (int64_t)sums.held);
    if (status->counts[RECIPIENT_HELD_OUT] > 0)
        write_int(out, first, "held_out", (int64_t)status->counts[RECIPIENT_HELD_OUT]);
    write_int(out, first, "percent",
              is_over           ? 100
              : sums.basis == 0 ? 0
                                : (int64_t)(sums.final * 100 / sums.basis));
    if (left >= 0)
        write_int(out, first, "seconds_left", left);
    write_int(out, first, "retries", status->retries);
    json_write_key(out, first, "counts");
    counts_write(status, out);
    if (question->arms_count > 0)
        experiment_write(question, out, first);
}

enum err broadcast_numbers_write(struct call *call, struct str name, struct buf *out, bool *first)
{
    struct status_question question;
    TRY(status_of(call, name, &question));
    status_write(&question, out, first);
    return OK;
}

/* ---- before a launch ---- */

struct preview_question {
    struct broadcast_preview preview;
    enum err                 err;
};

static bool preview_ask(struct engine *engine, struct task *task)
{
    struct preview_question *question = task->context;
    bool                     done = false;
    question->err = broadcast_preview_step(engine, &question->preview, PREVIEW_PART, &done);
    return done || question->err != OK;
}

static void preview_write(const struct broadcast_preview *preview, struct buf *out, bool *first)
{
    bool     inner = true;
    uint64_t goes = preview->counts[RECIPIENT_WAITING];
    uint64_t held_out = preview->counts[RECIPIENT_HELD_OUT];
    write_int(out, first, "audience", (int64_t)preview->audience);
    write_int(out, first, "would_get_it", (int64_t)goes);
    write_int(out, first, "would_be_held_back", (int64_t)(preview->audience - goes - held_out));
    if (held_out > 0)
        write_int(out, first, "held_out", (int64_t)held_out);
    json_write_key(out, first, "reasons");
    buf_char(out, '{');
    for (int i = HELD_FROM; i < RECIPIENT_STATES; i++)
        if (preview->counts[i] > 0 && i != RECIPIENT_HELD_OUT)
            write_int(out, &inner, recipient_word((enum recipient_state)i),
                      (int64_t)preview->counts[i]);
    buf_char(out, '}');
    if (preview->first_ms != TIME_NEVER) {
        write_time(out, first, "first", preview->first_ms);
        write_time(out, first, "last", preview->last_ms);
    }
    if (preview->passed > 0)
        write_int(out, first, "at_once", (int64_t)preview->passed);
}

static enum err preview_make(struct call *call, uint32_t number, struct preview_question *question)
{
    *question = (struct preview_question){ .preview = { .number = number } };
    enum err err = call_ask(call, preview_ask, question);
    broadcast_preview_done(&question->preview);
    TRY(err);
    if (question->err == ERR_ABSENT)
        return problem_set(&call->problem, ERR_ABSENT, "audience",
                           "Something that the audience asks for is not there any more.",
                           "Change the audience.");
    return question->err;
}

/* ---- acts ---- */

static enum err act_tell(struct call *call, struct str name, const char *word, uint64_t expected,
                         struct str variant)
{
    struct json_member members[] = {
        { STR("act"), { .kind = JSON_STRING, .string = str_of(word) } },
        { STR("expected"), { .kind = JSON_INT, .integer = (int64_t)expected } },
        { STR("variant"), { .kind = JSON_STRING, .string = variant } },
    };
    struct json properties = { .kind = JSON_OBJECT, .count = 3, .members = members };
    SCOPED(buf_donep) struct buf body = buf_make(1 << 12);
    bool                         first = true;
    buf_char(&body, '{');
    write_text(&body, &first, "broadcast", name);
    write_text(&body, &first, "act", str_of(word));
    if (expected > 0)
        write_int(&body, &first, "expected", (int64_t)expected);
    if (variant.len > 0)
        write_text(&body, &first, "variant", variant);
    write_text(
        &body, &first, "by",
        http_is_local(call->request)
            ? STR("command line")
            : str_format(call->arena, "key %llu", (unsigned long long)route_who(call->request)));
    buf_char(&body, '}');
    TRY(buf_err(&body));
    struct entry entry = { .record = { .kind = RECORD_BROADCAST,
                                       .name = name,
                                       .properties = &properties,
                                       .at_ms = time_now_ms(),
                                       .received_ms = time_now_ms() },
                           .body = str_copy(call->arena, buf_view(&body)) };
    return call_submit(call, &entry, 1, NULL);
}

/* Counted first, also where nobody looks: what is expected is kept with the launch. */
enum err broadcast_launch(struct call *call)
{
    struct str              name = call_param(call, "name");
    struct status_question  status;
    struct preview_question question;
    bool                    first = true, is_dry = call_flag(call, "dry");
    TRY(status_of(call, name, &status));
    if (status.status.state != BROADCAST_DRAFT)
        return problem_set(&call->problem, ERR_CONFLICT, "broadcast",
                           "It was launched already, and goes to nobody twice.",
                           "Give a new broadcast another name.");
    TRY(preview_make(call, status.number, &question));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "name", name);
    preview_write(&question.preview, &call->out, &first);
    TRY(judging_launch_write(call, STR_NONE, &call->out, &first));
    if (is_dry) {
        buf_str(&call->out, STR(",\"dry\":true"));
    } else {
        TRY(act_tell(call, name, "launch", question.preview.audience, STR_NONE));
        TRY(broadcast_numbers_write(call, name, &call->out, &first));
    }
    buf_char(&call->out, '}');
    return OK;
}

static enum err act_of(struct call *call, const char *word, struct str variant)
{
    struct str name = call_param(call, "name");
    bool       first = true;
    TRY(act_tell(call, name, word, 0, variant));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "name", name);
    TRY(broadcast_numbers_write(call, name, &call->out, &first));
    buf_char(&call->out, '}');
    return OK;
}

static enum err act(struct call *call, const char *word)
{
    return act_of(call, word, STR_NONE);
}

enum err broadcast_choose_one(struct call *call)
{
    struct str variant = call_query(call, "variant");
    if (variant.len == 0 || variant.len > JOURNEY_NAME_BYTES_MAX)
        return problem_set(&call->problem, ERR_INPUT, "variant", "No variant is named.",
                           "Name one of the experiment's: ?variant=short.");
    return act_of(call, "choose", variant);
}

enum err broadcast_pause(struct call *call)
{
    return act(call, "pause");
}

enum err broadcast_resume(struct call *call)
{
    return act(call, "resume");
}

enum err broadcast_cancel(struct call *call)
{
    return act(call, "cancel");
}

enum err broadcast_retry_failed(struct call *call)
{
    return act(call, "retry-failed");
}

/* ---- the people behind the counts ---- */

struct people_question {
    struct call          *call;
    struct str            name;
    uint32_t              bits, from, limit, count;
    uint32_t             *people;
    enum recipient_state *states;
    bool                  is_there;
};

static struct str user_id_of(const struct people *people, uint32_t person)
{
    uint32_t           member = person, at;
    enum identity_kind kind;
    struct str         text;
    do {
        at = PROFILE_NONE;
        while (people_identity(people, member, &at, &kind, &text))
            if (kind == IDENTITY_USER)
                return text;
        member = people_get(people, member)->next;
    } while (member != person);
    return STR_NONE;
}

static bool people_ask(struct engine *engine, struct task *task)
{
    struct people_question *question = task->context;
    struct buf             *out = &question->call->out;
    uint32_t                number = program_broadcast(engine_program(engine), question->name);
    question->is_there = number != SEGMENT_NO_ID;
    if (!question->is_there)
        return true;
    question->count = engine_broadcast_people(engine, number, question->bits, &question->from,
                                              question->people, question->states, question->limit);
    for (uint32_t i = 0; i < question->count; i++) {
        bool       first = true;
        struct str user = user_id_of(engine_people(engine), question->people[i]);
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        write_person(out, &first, "id", question->people[i]);
        if (user.len > 0)
            write_text(out, &first, "userId", user);
        write_text(out, &first, "state", str_of(recipient_word(question->states[i])));
        buf_char(out, '}');
    }
    return true;
}

/* "failed", "held_back" for all of these, or several with commas; empty: everyone. */
static enum err states_read(struct call *call, uint32_t *bits)
{
    struct str rest = call_query(call, "state"), word;
    *bits = rest.len == 0 ? ~RECIPIENT_BIT(RECIPIENT_NONE) : 0;
    while (rest.len > 0 && str_split(&rest, ',', &word)) {
        enum recipient_state state = recipient_of_word(word);
        if (str_eq(word, STR("held_back")))
            *bits |= ~(RECIPIENT_BIT(HELD_FROM) - 1) & ~RECIPIENT_BIT(RECIPIENT_HELD_OUT);
        else if (state != RECIPIENT_NONE)
            *bits |= RECIPIENT_BIT(state);
        else
            return problem_set(&call->problem, ERR_INPUT, "state", "There is no such state.",
                               "Use a name of `counts`, such as failed, or held_back.");
    }
    return OK;
}

static enum err from_read(struct call *call, uint32_t *from)
{
    struct str cursor = call_query(call, "cursor");
    int64_t    value = 0;
    if (cursor.len > 0 && (str_to_int(cursor, &value) != OK || value < 0 || value > UINT32_MAX))
        return problem_set(&call->problem, ERR_INPUT, "cursor", "This is no cursor of ours.",
                           "Take it as it stands in `next`.");
    *from = (uint32_t)value;
    return OK;
}

enum err broadcast_people(struct call *call)
{
    struct people_question question = { .call = call, .name = call_param(call, "name") };
    char                   next[16] = "";
    TRY(call_limit(call, &question.limit));
    TRY(states_read(call, &question.bits));
    TRY(from_read(call, &question.from));
    question.people = ARENA_ARRAY(call->arena, question.limit, uint32_t);
    question.states = ARENA_ARRAY(call->arena, question.limit, enum recipient_state);
    if (question.people == NULL || question.states == NULL)
        return ERR_MEMORY;
    buf_str(&call->out, STR("{\"items\":["));
    TRY(call_ask(call, people_ask, &question));
    if (!question.is_there)
        return absent(call, question.name);
    if (question.from != UINT32_MAX)
        snprintf(next, sizeof next, "%u", question.from);
    write_next(&call->out, str_of(next));
    return OK;
}
