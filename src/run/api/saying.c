#include "run/api/saying.h"

#include "base/time.h"

enum { MEMBERS_MAX = 8, BODY_BYTES_MAX = 64 << 10 };

struct object {
    struct json_member *members;
    uint32_t            count;
};

static void put(struct object *object, const char *key, struct json value)
{
    object->members[object->count++] = (struct json_member){ str_of(key), value };
}

static void put_text(struct object *object, const char *key, struct str text)
{
    if (text.len > 0)
        put(object, key, (struct json){ .kind = JSON_STRING, .string = text });
}

static void put_int(struct object *object, const char *key, uint64_t value)
{
    if (value > 0)
        put(object, key, (struct json){ .kind = JSON_INT, .integer = (int64_t)value });
}

static struct json json_of(const struct object *object)
{
    return (struct json){ .kind = JSON_OBJECT, .count = object->count, .members = object->members };
}

/* A header is bytes of a stranger. */
static struct str clean(struct arena *arena, struct str text)
{
    struct str cut = str_slice(text, 0, SAYING_AGENT_BYTES_MAX);
    while (cut.len > 0 && !str_is_utf8(cut) && text.len - cut.len < 4)
        cut.len--;
    return str_is_utf8(cut) ? str_copy(arena, cut) : STR_NONE;
}

struct saying saying_of_person(struct call *call, uint32_t profile, uint64_t message)
{
    return (struct saying){ .profile = profile,
                            .message = message,
                            .by = STR("person"),
                            .ip = http_peer(call->request),
                            .agent =
                                clean(call->arena, http_header(call->request, STR("User-Agent"))) };
}

static enum err proof_make(struct arena *arena, const struct saying *saying, struct json *out)
{
    struct object proof = { ARENA_ARRAY(arena, MEMBERS_MAX, struct json_member), 0 };
    struct object text = { ARENA_ARRAY(arena, MEMBERS_MAX, struct json_member), 0 };
    if (proof.members == NULL || text.members == NULL)
        return ERR_MEMORY;
    put_int(&text, "version", saying->text_version);
    put_text(&text, "language", saying->text_language);
    put_text(&text, "text", saying->text);
    put_text(&proof, "by", saying->by);
    put_text(&proof, "ip", saying->ip);
    put_text(&proof, "agent", saying->agent);
    put_int(&proof, "message", saying->message);
    if (text.count > 0)
        put(&proof, "text", json_of(&text));
    *out = json_of(&proof);
    return OK;
}

static enum err body_write(struct arena *arena, const struct json *properties, struct str *out)
{
    SCOPED(buf_donep) struct buf body = buf_make(BODY_BYTES_MAX);
    buf_str(&body, STR("{\"properties\":"));
    json_write(&body, properties);
    buf_char(&body, '}');
    TRY(buf_err(&body));
    *out = str_copy(arena, buf_view(&body));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

enum err saying_entry(struct arena *arena, const struct saying *saying, struct entry *out)
{
    struct object said = { ARENA_ARRAY(arena, MEMBERS_MAX, struct json_member), 0 };
    struct json  *properties = ARENA_NEW(arena, struct json);
    struct json   proof;
    struct str    body;
    if (said.members == NULL || properties == NULL)
        return ERR_MEMORY;
    TRY(proof_make(arena, saying, &proof));
    put_text(&said, "state", consent_word(saying->state));
    put_text(&said, "how", saying->how);
    put_text(&said, "source", str_is_empty(saying->source) ? saying->how : saying->source);
    put_text(&said, "channel", channel_name(saying->channel));
    put(&said, "proof", proof);
    *properties = json_of(&said);
    TRY(body_write(arena, properties, &body));
    int64_t now_ms = time_now_ms();
    *out = (struct entry){ .record = { .kind = RECORD_CONSENT,
                                       .name = saying->topic,
                                       .profile = saying->profile,
                                       .message = saying->message,
                                       .at_ms = saying->at_ms != 0 ? saying->at_ms : now_ms,
                                       .received_ms = now_ms,
                                       .properties = properties },
                           .body = body };
    return OK;
}
