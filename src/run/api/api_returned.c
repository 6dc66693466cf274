/*
 * Returned mail: what it says becomes an event of the person it was sent to, when it is a reply to
 * a mail of ours. Whose it was is told by a token that only we can have written: that of the return
 * path (`token`), or the X-Dult-Message field of the mail that came back with it.
 */
#include "run/api/trail.h"

#include "message/compose.h"

struct returned {
    struct bounces bounces;
    struct trail   trail;
    bool           is_ours;
};

static enum err token_find(struct call *call, struct returned *returned)
{
    const struct token_keys *keys = call->api->conf.tokens;
    struct str               path = call_query(call, "token");
    if (keys == NULL)
        return OK;
    if (path.len == 0)
        path = returned->bounces.path;
    if (path.len > 0 && path.len <= TOKEN_TEXT_BYTES_MAX)
        returned->is_ours =
            token_read_caseless(keys, TOKEN_MESSAGE, path, &returned->trail.token) == OK;
    if (!returned->is_ours && returned->bounces.token.len <= TOKEN_TEXT_BYTES_MAX)
        returned->is_ours = token_read(keys, TOKEN_MESSAGE, returned->bounces.token, STR_NONE,
                                       &returned->trail.token) == OK;
    return returned->is_ours ? trail_read(call, &returned->trail) : OK;
}

/* Each is told once, however often the mail is handed in. */
static enum err entry_of(struct call *call, struct returned *returned, struct bounce *bounce,
                         struct entry *out)
{
    bool       complaint = bounce->class == BOUNCE_COMPLAINT;
    struct str name = complaint ? EVENT_EMAIL_COMPLAINED : EVENT_EMAIL_BOUNCED;
    returned->trail.bounce = bounce;
    TRY(trail_entry(call->arena, &returned->trail, name, out));
    out->message_id =
        str_format(call->arena, "bounce.%llu.%s", (unsigned long long)returned->trail.token.message,
                   bounce_class_name(bounce->class));
    return out->message_id.ptr == NULL ? ERR_MEMORY : OK;
}

struct whom_question {
    uint32_t      profile;
    struct arena *arena;
    struct str    address;
    bool          is_somebody; /* not erased */
};

static bool whom_ask(struct engine *engine, struct task *task)
{
    struct whom_question *question = task->context;
    const struct people  *people = engine_people(engine);
    question->is_somebody =
        question->profile < people_count(people) && !people_is_nobody(people, question->profile);
    if (question->is_somebody)
        question->address = str_copy(question->arena, engine_address(engine, question->profile));
    return true;
}

static void said_write(struct buf *out, const struct bounce *bounce, bool taken)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "recipient", bounce->recipient);
    write_text(out, &first, "class", str_of(bounce_class_name(bounce->class)));
    write_text(out, &first, "status", bounce->status);
    write_text(out, &first, "reason", bounce->reason);
    write_text(out, &first, "said", bounce->said);
    write_raw(out, &first, "taken", taken ? STR("true") : STR("false"));
    buf_char(out, '}');
}

/*
 * A mail of ours went to one person. Where the report hides the recipient (complaints do), it is
 * their address; where it names another one (a forward, an address they had before), that one is
 * in trouble, and no verdict on theirs.
 */
static void recipient_settle(struct bounce *bounce, struct str address)
{
    if (bounce->recipient.len == 0)
        bounce->recipient = address;
    else if (bounce->class == BOUNCE_HARD && !str_eq_nocase(bounce->recipient, address))
        bounce->class = BOUNCE_SOFT;
}

static enum err one_take(struct call *call, struct returned *returned,
                         const struct whom_question *whom, struct bounce *bounce, bool *taken)
{
    struct entry entry;
    *taken = returned->is_ours && whom->is_somebody && bounce->class != BOUNCE_NONE;
    if (!*taken)
        return OK;
    recipient_settle(bounce, whom->address);
    TRY(entry_of(call, returned, bounce, &entry));
    return call_submit(call, &entry, 1, NULL);
}

enum err returned_take(struct call *call)
{
    struct returned      returned = { .trail = { .request = call->request } };
    struct whom_question question = { .arena = call->arena };
    struct str           mail = http_body(call->request);
    if (mail.len == 0)
        return problem_set(&call->problem, ERR_INPUT, "body", "There is no mail.",
                           "Send the returned mail as it came, with its header, as the body.");
    TRY(bounce_read(call->arena, mail, &returned.bounces));
    TRY(token_find(call, &returned));
    question.profile = returned.trail.token.profile;
    if (returned.is_ours)
        TRY(call_ask(call, whom_ask, &question));
    buf_str(&call->out, STR("{\"bounces\":["));
    for (size_t i = 0; i < returned.bounces.count; i++) {
        bool taken;
        TRY(one_take(call, &returned, &question, &returned.bounces.items[i], &taken));
        if (i > 0)
            buf_char(&call->out, ',');
        said_write(&call->out, &returned.bounces.items[i], taken);
    }
    buf_str(&call->out, STR("]}"));
    return OK;
}
