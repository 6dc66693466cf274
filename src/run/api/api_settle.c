/*
 * A message whose answer was lost, settled by somebody who knows: POST
 * /api/v1/messages/{id}/settle. It becomes what an outcome would have made of it, "Message Sent" or
 * "Message Failed" on the person's timeline.
 */
#include "run/api/api_inside.h"
#include "run/returned/trail.h"

enum { WHY_BYTES_MAX = 500 };

static enum err nothing(struct call *call)
{
    return problem_set(&call->problem, ERR_ABSENT, "id", "There is no such message.",
                       "Take the id of the list of messages.");
}

static enum err trail_find(struct call *call, struct trail *trail)
{
    struct trail_desk     desk = { call->desk->reader, call->desk->parser, call->arena };
    struct store_decision row;
    int64_t               id;
    if (str_to_int(call_param(call, "id"), &id) != OK || id < 1)
        return nothing(call);
    enum err err = store_decision_get(call->desk->reader, call->arena, (uint64_t)id, &row);
    if (err == ERR_ABSENT || (err == OK && row.kind != STORE_DECISION_MESSAGE_QUEUED))
        return nothing(call);
    TRY(err);
    trail->token = (struct token){ .purpose = TOKEN_MESSAGE,
                                   .profile = (uint32_t)row.profile - 1,
                                   .message = (uint64_t)id };
    return trail_read(&desk, trail);
}

static enum err word_read(struct call *call, bool *is_sent, struct str *why)
{
    struct json body;
    TRY(call_body(call, &body));
    struct str state = json_get_str(&body, STR("state"));
    *is_sent = str_eq(state, STR("sent"));
    *why = json_get_str(&body, STR("why"));
    if (!*is_sent && !str_eq(state, STR("failed")))
        return problem_set(&call->problem, ERR_INPUT, "state", "This settles nothing.",
                           "Use sent or failed.");
    if (why->len > WHY_BYTES_MAX)
        return problem_set(&call->problem, ERR_INPUT, "why", "This is too long.",
                           "Say it in 500 bytes.");
    return OK;
}

enum err message_settle(struct call *call)
{
    struct trail trail = { 0 };
    struct entry entry;
    bool         is_sent;
    TRY(word_read(call, &is_sent, &trail.reason));
    TRY(trail_find(call, &trail));
    TRY(trail_entry(call->arena, &trail, is_sent ? EVENT_MESSAGE_SENT : EVENT_MESSAGE_FAILED,
                    &entry));
    entry.record.flags |= RECORD_SETTLE;
    enum err err = call_submit(call, &entry, 1, NULL);
    if (err == ERR_ABSENT)
        return problem_set(&call->problem, ERR_CONFLICT, "id", "This message is not unknown.",
                           "Only those that are listed with state=unknown are settled by hand.");
    TRY(err);
    buf_format(&call->out, "{\"id\":%llu,\"state\":\"%s\"}",
               (unsigned long long)trail.token.message, is_sent ? "sent" : "failed");
    return OK;
}
