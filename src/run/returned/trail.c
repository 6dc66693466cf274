#include "run/returned/trail.h"

#include "base/time.h"
#include "message/links.h"

enum {
    PROPERTIES_MAX = 14 + TRAIL_MORE_MAX,
    BODY_BYTES_MAX = 12 * LINKS_URL_BYTES_MAX + 6 * 1000 + 8192, /* an address, and a comment */
};

enum err trail_read(const struct trail_desk *desk, struct trail *trail)
{
    struct store_decision row;
    struct json           detail;
    int64_t               topic = 0;
    enum err err = store_decision_get(desk->reader, desk->arena, trail->token.message, &row);
    trail->is_gone = err == ERR_ABSENT;
    if (trail->is_gone)
        return OK; /* erased since: what is ours is still ours, and has no name */
    TRY(err);
    if (row.kind != STORE_DECISION_MESSAGE_QUEUED || row.profile == 0)
        return ERR_DENIED;
    TRY(json_parse(desk->parser, desk->arena, row.detail, &detail, NULL));
    trail->template = json_get_str(&detail, STR("template"));
    trail->journey = json_get_str(&detail, STR("journey"));
    trail->broadcast = json_get_str(&detail, STR("broadcast"));
    (void)channel_of_template(json_get_str(&detail, STR("channel")), &trail->channel);
    if (json_get_int(&detail, STR("topic_id"), &topic))
        trail->topic = (uint32_t)topic;
    return OK;
}

/* ---- the record ---- */

struct properties {
    struct arena       *arena;
    struct json_member *members;
    uint32_t            count;
};

static void put(struct properties *all, const char *key, struct json value)
{
    all->members[all->count++] = (struct json_member){ str_of(key), value };
}

static void put_text(struct properties *all, const char *key, struct str text)
{
    if (text.len > 0)
        put(all, key, (struct json){ .kind = JSON_STRING, .string = str_copy(all->arena, text) });
}

static void put_bounce(struct properties *all, const struct bounce *bounce)
{
    put_text(all, "class", str_of(bounce_class_name(bounce->class)));
    put_text(all, "recipient", bounce->recipient);
    put_text(all, "status", bounce->status);
    put_text(all, "reason", bounce->reason);
    put_text(all, "said", bounce->said);
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

enum err trail_entry(struct arena *arena, const struct trail *trail, struct str name,
                     struct entry *out)
{
    struct properties all = { arena, ARENA_ARRAY(arena, PROPERTIES_MAX, struct json_member), 0 };
    struct json      *properties = ARENA_NEW(arena, struct json);
    struct str        body;
    if (all.members == NULL || properties == NULL)
        return ERR_MEMORY;
    put(&all, "message",
        (struct json){ .kind = JSON_INT, .integer = (int64_t)trail->token.message });
    put_text(&all, "channel",
             channel_name(trail->channel == CHANNEL_ALL ? CHANNEL_EMAIL : trail->channel));
    put_text(&all, "url", trail->url);
    put_text(&all, "template", trail->template);
    put_text(&all, "journey", trail->journey);
    put_text(&all, "broadcast", trail->broadcast);
    if (trail->machine)
        put(&all, "machine", (struct json){ .kind = JSON_BOOL, .truth = true });
    if (trail->sign != NULL)
        put_text(&all, "sign", str_of(trail->sign));
    put_text(&all, "subject", trail->subject);
    put_text(&all, "reason", trail->reason);
    if (trail->bounce != NULL)
        put_bounce(&all, trail->bounce);
    for (uint32_t i = 0; i < trail->more_count && i < TRAIL_MORE_MAX; i++)
        all.members[all.count++] = trail->more[i];
    *properties = (struct json){ .kind = JSON_OBJECT, .count = all.count, .members = all.members };
    TRY(body_write(arena, properties, &body));
    *out = (struct entry){
        .record = { .kind = RECORD_MESSAGE,
                    .flags = trail->machine ? RECORD_MACHINE : 0,
                    .name = name,
                    .profile = trail->token.profile,
                    .message = trail->token.message,
                    .at_ms = time_now_ms(),
                    .received_ms = time_now_ms(),
                    .properties = properties },
        .body = body,
    };
    return OK;
}
