#include "engine/trying.h"

#include "base/time.h"
#include "engine/inside.h"

struct trying {
    int64_t    at_ms; /* TIME_NEVER: by a word, not by a time */
    struct str why;
    bool       drops;
};

/* Due, and nothing that holds many holds it. */
static struct trying look(struct engine *engine, uint32_t person, const struct message *message,
                          char bytes[LIMITS_WHY_BYTES_MAX])
{
    struct str unwanted = outbox_why_not(engine, person, message);
    if (!str_is_empty(unwanted))
        return (struct trying){ engine->now_ms, unwanted, true };
    struct hold hold = holding_look(engine, person, message, bytes);
    if (hold.until_ms <= engine->now_ms)
        return (struct trying){ engine->now_ms, STR("it is its turn: delivery takes it next"),
                                false };
    return (struct trying){ hold.is_over ? engine->now_ms : hold.until_ms,
                            hold.is_behind ? STR("another of higher priority goes first")
                                           : hold.why,
                            hold.is_over };
}

static struct trying trying_of(struct engine *engine, uint32_t person,
                               const struct message *message, char bytes[LIMITS_WHY_BYTES_MAX])
{
    if (message->state == MESSAGE_SENDING)
        return (struct trying){ TIME_NEVER, STR("delivery has it in its hands"), false };
    if (message->state == MESSAGE_UNKNOWN)
        return (struct trying){ TIME_NEVER,
                                STR("its answer was lost: it is not sent again; what comes back "
                                    "settles it, or a word of yours"),
                                false };
    if (braking_holds(engine, message))
        return (struct trying){ TIME_NEVER, STR("sending is stopped"), false };
    if (broadcast_holds(engine, message))
        return (struct trying){ TIME_NEVER, STR("its broadcast is paused or cancelled"), false };
    if (message->is_waiting)
        return (struct trying){ TIME_NEVER, STR("no code is left for it"), false };
    if (message->due_ms <= engine->now_ms)
        return look(engine, person, message, bytes);
    return (struct trying){ message->due_ms,
                            message->attempt > 0 ? STR("it was tried, and waits until then")
                                                 : STR("it waits until then"),
                            false };
}

void trying_write(struct engine *engine, uint32_t person, uint64_t message, struct buf *out)
{
    static const char *const states[] = {
        [MESSAGE_QUEUED] = "queued", [MESSAGE_SENDING] = "sending", [MESSAGE_UNKNOWN] = "unknown"
    };
    const struct state *state = people_state_get(engine->people, person);
    char                bytes[LIMITS_WHY_BYTES_MAX], text[TIME_TEXT_BYTES];
    uint32_t            i = 0;
    bool                first = true;
    while (i < state->rare->messages.count && state->rare->messages.items[i].id != message)
        i++;
    if (i == state->rare->messages.count) {
        buf_str(out, STR("null"));
        return;
    }
    const struct message *one = &state->rare->messages.items[i];
    struct trying         trying = trying_of(engine, person, one, bytes);
    buf_char(out, '{');
    json_write_key(out, &first, "state");
    json_write_str(out, str_of(states[one->state]));
    json_write_key(out, &first, "attempts");
    buf_format(out, "%u", one->attempt);
    if (trying.at_ms != TIME_NEVER) {
        json_write_key(out, &first, "at");
        json_write_str(out, str_of(time_write(trying.at_ms, text)));
    }
    json_write_key(out, &first, "why");
    json_write_str(out, trying.why);
    if (trying.drops)
        buf_str(out, STR(",\"drops\":true"));
    buf_char(out, '}');
}
