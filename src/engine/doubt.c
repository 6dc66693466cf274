/*
 * What became of a message whose answer was lost. It is never sent again by itself; but what comes
 * back later shows that it arrived, or did not, and a person may know.
 */
#include "engine/inside.h"

/* More of one person's are remembered by nobody; the oldest stay unknown for ever. */
enum { DOUBTS_MAX = 16 };
/* A message that is to be sent again is tried so often in all, then it is unknown, too. */
enum { AGAIN_TRIES_MAX = 3 };

/* What an event of ours shows about the message it is of. */
struct evidence {
    struct str         name;
    enum decision_kind kind;
    struct str         words;
};

static bool evidence_find(struct str name, struct evidence *out)
{
    const struct evidence all[] = {
        { EVENT_MESSAGE_DELIVERED, DECISION_SENT, STR("settled later: it was delivered") },
        { EVENT_MESSAGE_OPENED, DECISION_SENT, STR("settled later: it was opened") },
        { EVENT_MESSAGE_CLICKED, DECISION_SENT, STR("settled later: a link in it was followed") },
        { EVENT_MESSAGE_UNSUBSCRIBED, DECISION_SENT, STR("settled later: it was unsubscribed by") },
        { EVENT_MESSAGE_REPLIED, DECISION_SENT, STR("settled later: it was answered") },
        { EVENT_MESSAGE_COMPLAINED, DECISION_SENT, STR("settled later: it was complained of") },
        { EVENT_MESSAGE_BOUNCED, DECISION_SENT, STR("settled later: it came back") },
        { EVENT_MESSAGE_SENT, DECISION_SENT, STR("settled by hand") },
        { EVENT_MESSAGE_FAILED, DECISION_FAILED, STR("settled by hand") },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (str_eq(all[i].name, name)) {
            *out = all[i];
            return true;
        }
    return false;
}

static const struct message *doubt_find(const struct engine *engine, uint32_t person, uint64_t id)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].id == id &&
            state->rare->messages.items[i].state == MESSAGE_UNKNOWN)
            return &state->rare->messages.items[i];
    return NULL;
}

bool doubt_has(const struct engine *engine, uint32_t person, uint64_t message)
{
    return doubt_find(engine, person, message) != NULL;
}

/* The far side's words, or a person's. */
static struct str reason_of(struct arena *arena, const struct record *record,
                            const struct evidence *evidence)
{
    struct str said = json_get_str(record->properties, STR("said"));
    if (said.len == 0)
        said = json_get_str(record->properties, STR("reason"));
    if (said.len == 0)
        return evidence->words;
    return str_format(arena, "%.*s: %.*s", STR_ARG(evidence->words), STR_ARG(said));
}

enum err doubt_hear(struct engine *engine, const struct record *record, struct out *out)
{
    uint32_t              person = people_root(engine->people, record->profile);
    const struct message *message = doubt_find(engine, person, record->message);
    struct evidence       evidence;
    if (message == NULL || !evidence_find(record->name, &evidence))
        return OK;
    bool is_hard = str_eq(record->name, EVENT_MESSAGE_BOUNCED) &&
                   str_eq(json_get_str(record->properties, STR("class")), STR("hard"));
    struct str reason = reason_of(out->arena, record, &evidence);
    if (reason.ptr == NULL)
        return ERR_MEMORY;
    return decide(engine, out,
                  (struct decision){ .kind = is_hard ? DECISION_FAILED : evidence.kind,
                                     .profile = person,
                                     .at_ms = engine->now_ms,
                                     .subject = message->id,
                                     .object = message->attempt,
                                     .text = reason,
                                     .due_ms = TIME_NEVER,
                                     .event = message->trigger_seq,
                                     .is_asked = message->is_asked });
}

bool doubt_is_again(const struct engine *engine, const struct message *message)
{
    return program_template_at(engine->program, message->template_id)->is_again &&
           message->attempt < AGAIN_TRIES_MAX;
}

void doubt_bound(struct state *state)
{
    uint32_t count = 0, oldest = UINT32_MAX;
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *message = &state->rare->messages.items[i];
        if (message->state != MESSAGE_UNKNOWN)
            continue;
        count++;
        if (oldest == UINT32_MAX || message->id < state->rare->messages.items[oldest].id)
            oldest = i;
    }
    if (count > DOUBTS_MAX)
        STATE_REMOVE(state, messages, oldest);
}
