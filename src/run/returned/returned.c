#include "run/returned/returned.h"

#include "base/hash.h"
#include "base/time.h"
#include "bounce/reply.h"
#include "run/api/saying.h"

enum { BODY_BYTES_MAX = 16 << 10 };

/* One mail on its way through. */
struct taking {
    const struct trail_desk *desk;
    struct core             *core;
    struct trail             trail;
    bool                     is_ours;
    bool                     is_leaving; /* by the address it was written to */
};

static enum err token_find(struct taking *taking, const struct token_keys *keys, struct str path,
                           const struct bounces *bounces)
{
    if (keys == NULL)
        return OK;
    if (path.len == 0)
        path = bounces->path;
    taking->is_leaving = str_starts(path, STR("u-")) || str_starts(path, STR("U-"));
    if (taking->is_leaving)
        path = str_slice(path, 2, path.len);
    if (path.len > 0 && path.len <= TOKEN_TEXT_BYTES_MAX)
        taking->is_ours =
            token_read_caseless(keys, TOKEN_MESSAGE, path, &taking->trail.token) == OK;
    if (!taking->is_ours && bounces->token.len <= TOKEN_TEXT_BYTES_MAX)
        taking->is_ours =
            token_read(keys, TOKEN_MESSAGE, bounces->token, STR_NONE, &taking->trail.token) == OK;
    if (!taking->is_ours)
        return OK;
    enum err err = trail_read(taking->desk, &taking->trail);
    taking->is_ours = err == OK;
    return err == ERR_DENIED ? OK : err;
}

/* Each is told once, however often the mail is handed in. */
static enum err entry_of(struct taking *taking, const struct bounce *bounce, struct entry *out)
{
    bool       complaint = bounce->class == BOUNCE_COMPLAINT;
    struct str name = complaint ? EVENT_MESSAGE_COMPLAINED : EVENT_MESSAGE_BOUNCED;
    taking->trail.bounce = bounce;
    TRY(trail_entry(taking->desk->arena, &taking->trail, name, out));
    out->message_id = str_format(taking->desk->arena, "bounce.%llu.%s",
                                 (unsigned long long)taking->trail.token.message,
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

static enum err whom_find(struct taking *taking, struct whom_question *question)
{
    struct task task = { .ask = whom_ask, .context = question };
    *question = (struct whom_question){ .profile = taking->trail.token.profile,
                                        .arena = taking->desk->arena };
    return taking->is_ours ? core_run(taking->core, &task) : OK;
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

/* Somebody may be erased in this very moment. */
static enum err submit(struct taking *taking, struct entry *entry)
{
    struct task task = { .entries = entry, .entries_count = 1 };
    TRY(core_run(taking->core, &task));
    return task.refused == 0 || task.err == ERR_ABSENT ? OK : task.err;
}

static enum err one_take(struct taking *taking, const struct whom_question *whom,
                         struct bounce *bounce, bool *is_taken)
{
    struct entry entry;
    *is_taken = taking->is_ours && whom->is_somebody && bounce->class != BOUNCE_NONE;
    if (!*is_taken)
        return OK;
    recipient_settle(bounce, whom->address);
    TRY(entry_of(taking, bounce, &entry));
    return submit(taking, &entry);
}

/* ---- a person's answer ---- */

struct topic_question {
    uint32_t      topic;
    struct arena *arena;
    struct str    name;
};

static bool topic_ask(struct engine *engine, struct task *task)
{
    struct topic_question *question = task->context;
    question->name = str_copy(question->arena,
                              program_name(engine_program(engine), NAME_TOPIC, question->topic));
    return true;
}

static enum err topic_find(struct taking *taking, struct str *out)
{
    struct topic_question question = { taking->trail.topic, taking->desk->arena, STR_NONE };
    struct task           task = { .ask = topic_ask, .context = &question };
    if (question.topic != 0)
        TRY(core_run(taking->core, &task));
    *out = question.name;
    return OK;
}

/* No more of the topic, by any channel: whoever writes a mail means it. */
static enum err leave(struct taking *taking)
{
    struct arena *arena = taking->desk->arena;
    struct entry  entry;
    struct saying word = { .profile = taking->trail.token.profile,
                           .message = taking->trail.token.message,
                           .state = CONSENT_REFUSED,
                           .how = STR("reply"),
                           .by = STR("person") };
    TRY(topic_find(taking, &word.topic));
    TRY(saying_entry(arena, &word, &entry));
    TRY(submit(taking, &entry));
    TRY(trail_entry(arena, &taking->trail, EVENT_MESSAGE_UNSUBSCRIBED, &entry));
    entry.message_id =
        str_format(arena, "unsubscribe.%llu", (unsigned long long)taking->trail.token.message);
    return entry.message_id.ptr == NULL ? ERR_MEMORY : submit(taking, &entry);
}

static enum err replied(struct taking *taking, const struct reply *reply)
{
    struct arena *arena = taking->desk->arena;
    struct entry  entry;
    taking->trail.subject = str_is_utf8(reply->subject) ? reply->subject : STR_NONE;
    TRY(trail_entry(arena, &taking->trail, EVENT_MESSAGE_REPLIED, &entry));
    entry.message_id =
        str_format(arena, "reply.%llu.%llx", (unsigned long long)taking->trail.token.message,
                   (unsigned long long)hash_str(reply->id, 1));
    return entry.message_id.ptr == NULL ? ERR_MEMORY : submit(taking, &entry);
}

static enum err reply_take(struct taking *taking, const struct token_keys *keys, struct str mail,
                           enum returned_reply *out)
{
    struct reply         reply;
    struct whom_question whom;
    TRY(reply_read(taking->desk->arena, mail, &reply));
    if (reply.is_automatic || keys == NULL)
        return OK;
    if (!taking->is_ours) {
        const struct bounces about = { .token = reply.about };
        TRY(token_find(taking, keys, STR_NONE, &about));
    }
    TRY(whom_find(taking, &whom));
    if (!taking->is_ours || !whom.is_somebody)
        return OK;
    bool leaving = taking->is_leaving || reply.unsubscribes;
    TRY(leaving ? leave(taking) : replied(taking, &reply));
    *out = leaving ? RETURNED_UNSUBSCRIBED : RETURNED_REPLIED;
    return OK;
}

enum err returned_take(const struct trail_desk *desk, struct core *core,
                       const struct token_keys *keys, struct str token, struct str mail,
                       struct returned *out)
{
    struct taking        taking = { .desk = desk, .core = core };
    struct whom_question whom;
    *out = (struct returned){ .bounces = { .count = 0 } };
    TRY(bounce_read(desk->arena, mail, &out->bounces));
    TRY(token_find(&taking, keys, token, &out->bounces));
    if (out->bounces.count == 0)
        return reply_take(&taking, keys, mail, &out->reply);
    TRY(whom_find(&taking, &whom));
    for (size_t i = 0; i < out->bounces.count; i++)
        TRY(one_take(&taking, &whom, &out->bounces.items[i], &out->is_taken[i]));
    return OK;
}

/* ---- by the word of a service ---- */

/* The record names an address, and nobody. */
static enum err address_entry(struct arena *arena, const struct bounce *bounce, struct entry *out)
{
    struct json_member          *members = ARENA_ARRAY(arena, 2, struct json_member);
    struct json                 *properties = ARENA_NEW(arena, struct json);
    SCOPED(buf_donep) struct buf body = buf_make(BODY_BYTES_MAX);
    struct str class = str_of(bounce_class_name(bounce->class));
    if (members == NULL || properties == NULL)
        return ERR_MEMORY;
    members[0] = (struct json_member){ STR("class"), { .kind = JSON_STRING, .string = class } };
    members[1] =
        (struct json_member){ STR("reason"), { .kind = JSON_STRING, .string = bounce->said } };
    *properties = (struct json){ .kind = JSON_OBJECT, .count = 2, .members = members };
    json_write(&body, properties);
    TRY(buf_err(&body));
    *out = (struct entry){ .record = { .kind = RECORD_SUPPRESSION,
                                       .name = bounce->recipient,
                                       .at_ms = time_now_ms(),
                                       .received_ms = time_now_ms(),
                                       .properties = properties },
                           .body = str_copy(arena, buf_view(&body)) };
    return out->body.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err address_take(struct taking *taking, struct str id, const struct bounce *bounce,
                             bool *is_taken)
{
    struct entry entry;
    char         bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str   address;
    *is_taken = (bounce->class == BOUNCE_HARD || bounce->class == BOUNCE_COMPLAINT) &&
                suppression_address(bounce->recipient, bytes, &address) == OK;
    if (!*is_taken)
        return OK;
    TRY(address_entry(taking->desk->arena, bounce, &entry));
    entry.message_id = id;
    return submit(taking, &entry);
}

enum err returned_vouched(const struct trail_desk *desk, struct core *core,
                          const struct token_keys *keys, struct str token, struct str id,
                          struct bounce *bounce, bool *is_taken)
{
    const struct bounces none = { .token = token };
    struct taking        taking = { .desk = desk, .core = core };
    struct whom_question whom;
    *is_taken = false;
    TRY(token_find(&taking, keys, STR_NONE, &none));
    TRY(whom_find(&taking, &whom));
    if (!taking.is_ours)
        return address_take(&taking, id, bounce, is_taken);
    return one_take(&taking, &whom, bounce, is_taken);
}

enum err returned_delivered(const struct trail_desk *desk, struct core *core,
                            const struct token_keys *keys, struct str token, struct str id,
                            bool *is_taken)
{
    const struct bounces none = { .token = token };
    struct taking        taking = { .desk = desk, .core = core };
    struct whom_question whom;
    struct entry         entry;
    *is_taken = false;
    TRY(token_find(&taking, keys, STR_NONE, &none));
    TRY(whom_find(&taking, &whom));
    if (!taking.is_ours || !whom.is_somebody)
        return OK;
    TRY(trail_entry(desk->arena, &taking.trail, EVENT_MESSAGE_DELIVERED, &entry));
    entry.message_id = id;
    *is_taken = true;
    return submit(&taking, &entry);
}
