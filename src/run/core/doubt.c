/*
 * What was claimed when the process ended, and has no outcome in the store: begun.h knows of each
 * whether it was not begun (it goes again), was answered (that is told now; its words are lost, and
 * what was asked for a pause has that of its try), or is in doubt: it may have arrived or not, and
 * nobody can know, unless who was asked knows a second request by its key.
 */
#include <stdlib.h>

#include "base/time.h"
#include "run/core/core_inside.h"

enum { IN_DOUBT_MAX = 8192, DOUBT_TASK_BYTES_MAX = 32 << 20, MEMBERS = 7 };

static bool may_ask_again(const struct core *core, uint64_t message)
{
    const struct core_calls *calls = &core->conf.calls;
    return calls->may_ask_again != NULL && calls->may_ask_again(calls->context, message);
}

static struct record_outcome outcome_of(const struct core *core, const struct claim *claim,
                                        enum begun_state state)
{
    static const struct {
        enum outcome_kind kind;
        const char       *text;
    } outcomes[] = {
        [BEGUN_NOT] = { OUTCOME_RETURNED, "the process ended before it was begun" },
        [BEGUN_MAY] = { OUTCOME_UNKNOWN, "the process ended while it was being sent" },
        [BEGUN_SENT] = { OUTCOME_SENT, "the process ended when it was sent, before the answer was "
                                       "written down" },
        [BEGUN_KEPT] = { OUTCOME_SENT, "trial: kept in the outbox; the process ended before that "
                                       "was written down" },
        [BEGUN_REFUSED] = { OUTCOME_FAILED, "refused; the process ended before the answer was "
                                            "written down" },
        [BEGUN_PUT_OFF] = { OUTCOME_DEFERRED, "put off; the process ended before the answer was "
                                              "written down" },
    };
    struct record_outcome outcome = { .message = claim->message,
                                      .kind = outcomes[state].kind,
                                      .text = str_of(outcomes[state].text) };
    if (state == BEGUN_MAY && may_ask_again(core, claim->message))
        outcome.kind = OUTCOME_RETURNED;
    if (state == BEGUN_PUT_OFF && core->conf.calls.retry_at_ms != NULL)
        outcome.retry_at_ms = core->conf.calls.retry_at_ms(core->conf.calls.context, claim);
    if (outcome.retry_at_ms == TIME_NEVER)
        outcome.kind = OUTCOME_FAILED;
    return outcome;
}

/* ---- the event of one that was answered, as its sender would have told it ---- */

static void put(struct json *object, struct json_member *members, const char *key, struct str text)
{
    if (text.len > 0)
        members[object->count++] =
            (struct json_member){ str_of(key), { .kind = JSON_STRING, .string = text } };
}

/* What is put off and has no time left has failed. */
static bool is_failed(const struct entry *entry)
{
    return entry->record.outcome.kind == OUTCOME_FAILED;
}

static enum err event_put(const struct core *core, struct arena *arena, const struct claim *claim,
                          enum begun_state state, struct entry *entry)
{
    const struct program *program = engine_program(core->engine);
    const struct template_def *template = program_template_at(program, claim->template_id);
    SCOPED(buf_donep) struct buf body = buf_make(4096);
    struct json                 *object = ARENA_NEW(arena, struct json);
    struct json_member          *members = ARENA_ARRAY(arena, MEMBERS, struct json_member);
    if (object == NULL || members == NULL)
        return ERR_MEMORY;
    *object = (struct json){ .kind = JSON_OBJECT, .members = members };
    put(object, members, "message", str_format(arena, "%llu", (unsigned long long)claim->message));
    put(object, members, "channel", channel_name(template->channel));
    put(object, members, "template", program_name(program, NAME_TEMPLATE, claim->template_id));
    if (claim->journey != JOURNEY_NONE)
        put(object, members, "journey", program_name(program, NAME_JOURNEY, claim->journey));
    if (claim->entry > 0)
        put(object, members, "entry", str_format(arena, "%llu", (unsigned long long)claim->entry));
    if (claim->broadcast > 0)
        put(object, members, "broadcast",
            program_name(program, NAME_BROADCAST, claim->broadcast - 1));
    if (state == BEGUN_KEPT)
        members[object->count++] =
            (struct json_member){ STR("trial"), { .kind = JSON_BOOL, .truth = true } };
    buf_str(&body, STR("{\"properties\":"));
    json_write(&body, object);
    buf_char(&body, '}');
    TRY(buf_err(&body));
    entry->record.name = is_failed(entry)                          ? EVENT_MESSAGE_FAILED
                         : channel_is_to_person(template->channel) ? EVENT_MESSAGE_SENT
                                                                   : EVENT_NOTICE_SENT;
    entry->record.properties = object;
    entry->body = str_copy(arena, buf_view(&body));
    return entry->body.ptr == NULL ? ERR_MEMORY : OK;
}

/* ---- all of them, once ---- */

static enum err entry_make(const struct core *core, struct arena *arena, const struct claim *claim,
                           struct entry *entry)
{
    int64_t          now_ms = time_now_ms();
    enum begun_state state = begun_look(core->begun, claim->message);
    *entry = (struct entry){ .record = { .kind = RECORD_OUTCOME,
                                         .received_ms = now_ms,
                                         .at_ms = now_ms,
                                         .profile = claim->profile,
                                         .outcome = outcome_of(core, claim, state) },
                             .body = STR("{}") };
    bool is_told = state == BEGUN_SENT || state == BEGUN_KEPT || is_failed(entry);
    return is_told ? event_put(core, arena, claim, state, entry) : OK;
}

static void settled(struct task *task)
{
    begun_settle(task->core->begun);
}

static enum err task_make(struct core *core, struct arena *arena, const struct claim *claims,
                          uint32_t count, struct task **out)
{
    struct task  *task = ARENA_NEW(arena, struct task);
    struct entry *entries = ARENA_ARRAY(arena, count, struct entry);
    if (task == NULL || entries == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        TRY(entry_make(core, arena, &claims[i], &entries[i]));
    *task = (struct task){
        .arena = arena, .entries = entries, .entries_count = count, .done = settled
    };
    *out = task;
    return OK;
}

enum err doubt_settle(struct core *core)
{
    struct claim *claims = calloc(IN_DOUBT_MAX, sizeof *claims);
    struct arena *arena = arena_open(DOUBT_TASK_BYTES_MAX);
    uint32_t      count = claims == NULL ? 0 : engine_in_doubt(core->engine, claims, IN_DOUBT_MAX);
    struct task  *task = NULL;
    enum err      err = claims == NULL || arena == NULL ? ERR_MEMORY : OK;
    if (err == OK && count > 0)
        err = task_make(core, arena, claims, count, &task);
    if (err == OK && count > 0)
        err = core_submit(core, task);
    if (err == OK && count == 0)
        begun_settle(core->begun);
    if (err != OK || count == 0)
        arena_close(arena);
    free(claims);
    return err;
}
