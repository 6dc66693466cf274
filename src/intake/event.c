#include "intake/event.h"

#include "base/time.h"
#include "intake/tree.h"

#include <assert.h>
#include <string.h>

_Static_assert(MESSAGE_BYTES_MAX + 2 * OUTER_BYTES_MAX + 1024 <= ARRIVAL_BODY_BYTES_MAX,
               "a body is its message, what the batch adds, and the names of its members");

/* ---- the members we know ---- */

enum field {
    TYPE,
    NAME,
    EVENT,
    USER_ID,
    SENT_AT,
    TRAITS,
    GROUP_ID,
    CONTEXT,
    CHANNEL,
    VERSION,
    CATEGORY,
    MESSAGE_ID,
    TIMESTAMP,
    PROPERTIES,
    PREVIOUS_ID,
    HISTORICAL,
    ANONYMOUS_ID,
    INTEGRATIONS,
    ORIGINAL_TIMESTAMP,
    FIELDS
};

/* In the order of their length, so that a name is compared only with those as long as itself. */
static const struct str field_names[FIELDS] = {
    [TYPE] = { "type", 4 },
    [NAME] = { "name", 4 },
    [EVENT] = { "event", 5 },
    [USER_ID] = { "userId", 6 },
    [SENT_AT] = { "sentAt", 6 },
    [TRAITS] = { "traits", 6 },
    [GROUP_ID] = { "groupId", 7 },
    [CONTEXT] = { "context", 7 },
    [CHANNEL] = { "channel", 7 },
    [VERSION] = { "version", 7 },
    [CATEGORY] = { "category", 8 },
    [MESSAGE_ID] = { "messageId", 9 },
    [TIMESTAMP] = { "timestamp", 9 },
    [PROPERTIES] = { "properties", 10 },
    [PREVIOUS_ID] = { "previousId", 10 },
    [HISTORICAL] = { "historical", 10 },
    [ANONYMOUS_ID] = { "anonymousId", 11 },
    [INTEGRATIONS] = { "integrations", 12 },
    [ORIGINAL_TIMESTAMP] = { "originalTimestamp", 17 },
};

static enum field field_find(struct str key)
{
    static const unsigned char first[19] = { 0,
                                             0,
                                             0,
                                             0,
                                             TYPE,
                                             EVENT,
                                             USER_ID,
                                             GROUP_ID,
                                             CATEGORY,
                                             MESSAGE_ID,
                                             PROPERTIES,
                                             ANONYMOUS_ID,
                                             INTEGRATIONS,
                                             FIELDS,
                                             FIELDS,
                                             FIELDS,
                                             FIELDS,
                                             ORIGINAL_TIMESTAMP,
                                             FIELDS };
    if (key.len >= sizeof first)
        return FIELDS;
    for (unsigned f = first[key.len]; f < FIELDS && field_names[f].len == key.len; f++)
        if (memcmp(field_names[f].ptr, key.ptr, key.len) == 0)
            return (enum field)f;
    return FIELDS;
}

/* ---- refusing ---- */

enum reason {
    NOT_AN_OBJECT,
    TOO_LARGE,
    TOO_MANY,
    NO_TYPE,
    UNKNOWN_TYPE,
    NO_ID,
    NO_USER_ID,
    NO_PREVIOUS_ID,
    NO_GROUP_ID,
    NO_EVENT,
    NOT_TEXT,
    TOO_LONG,
    CONTROL,
    NOT_A_TIME,
    NOT_A_MAP,
    NOT_YOURS
};

static const struct {
    struct str code, remedy;
} reasons[] = {
#define REASON(code, remedy)                                                                       \
    {                                                                                              \
        { code, sizeof code - 1 },                                                                 \
        {                                                                                          \
            remedy, sizeof remedy - 1                                                              \
        }                                                                                          \
    }
    [NOT_AN_OBJECT] = REASON("not_an_object", "Send each event as a JSON object."),
    [TOO_LARGE] = REASON("too_large", "Send events of at most 32 KB each."),
    [TOO_MANY] = REASON("too_many_events", "Send at most 2,500 events in a batch; send this one "
                                           "again in another."),
    [NO_TYPE] = REASON("no_type", "Give each event of a batch a type: track, identify, page, "
                                  "screen, group or alias."),
    [UNKNOWN_TYPE] = REASON("unknown_type", "Use one of track, identify, page, screen, "
                                            "group, alias."),
    [NO_ID] = REASON("no_user_anon_id", "Send a userId or an anonymousId that is not empty."),
    [NO_USER_ID] = REASON("no_user_id", "Send the new id of the person as userId."),
    [NO_PREVIOUS_ID] = REASON("no_previous_id", "Send the old id of the person as previousId."),
    [NO_GROUP_ID] = REASON("no_group_id", "Send the id of the group as groupId."),
    [NO_EVENT] = REASON("no_event", "Send the name of what happened as event."),
    [NOT_TEXT] = REASON("not_text", "Send this as text (a whole number is taken as text)."),
    [TOO_LONG] = REASON("too_long", "Shorten it: ids have at most 256 bytes, names 200 bytes, "
                                    "messageId 100 characters."),
    [CONTROL] = REASON("control_character", "Remove line breaks, tabs, NUL and other control "
                                            "characters."),
    [NOT_A_TIME] = REASON("invalid_timestamp", "Send an ISO 8601 time such as "
                                               "2026-01-02T03:04:05.678Z."),
    [NOT_A_MAP] = REASON("invalid_type", "Send this as a JSON object."),
    [NOT_YOURS] = REASON("reserved_name", "Leave it out: a stage is set with `dult stage set` or "
                                          "PUT /api/v1/profiles/ID/stage."),
#undef REASON
};

/* What a judge has before it while one message lies on the desk. */
struct hearing {
    const struct event_desk *desk;
    const struct event_item *item;
    const struct json       *fields[FIELDS];
    size_t                   text_bytes; /* upper bound of the message's text */
    struct str               field;      /* of the refusal, if any */
    enum reason              reason;
};

/* All judging below returns OK, ERR_INPUT with the hearing's refusal set, or ERR_MEMORY. */
static enum err refuse(struct hearing *h, struct str field, enum reason reason)
{
    h->field = field;
    h->reason = reason;
    return ERR_INPUT;
}

/* An item is kept for a person to look at, unless it is the reason for its own refusal. */
static enum err event_text(const struct event_desk *desk, const struct json *message, size_t bytes,
                           struct str *out)
{
    buf_reset(desk->scratch);
    *out = STR_NONE;
    if (bytes > TREE_BOUND_FACTOR * (size_t)MESSAGE_BYTES_MAX)
        return OK;
    char *start = buf_reserve(desk->scratch, bytes);
    if (start == NULL)
        return ERR_MEMORY;
    struct str text = { start, (size_t)(tree_put(start, message) - start) };
    if (text.len > MESSAGE_BYTES_MAX)
        return OK;
    *out = str_copy(desk->arena, text);
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err refusal_fill(const struct hearing *h, struct arrival_refused *refused)
{
    const struct json *message_id = h->fields[MESSAGE_ID];
    *refused = (struct arrival_refused){
        .index = h->item->index,
        .field = h->field,
        .reason = reasons[h->reason].code,
        .remedy = reasons[h->reason].remedy,
    };
    if (message_id != NULL && message_id->kind == JSON_STRING)
        refused->message_id = str_slice(message_id->string, 0, ID_BYTES_MAX);
    return event_text(h->desk, h->item->message, h->text_bytes, &refused->event);
}

/* ---- single values ---- */

static bool is_given(const struct json *value)
{
    return value != NULL && value->kind != JSON_NULL &&
           !(value->kind == JSON_STRING && value->string.len == 0);
}

static bool has_control(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
            return true;
    return false;
}

/* Text, or a whole number written as text; trimmed; empty when absent. */
static enum err text_take(struct hearing *h, enum field field, size_t bytes_max, struct str *out)
{
    const struct json *value = h->fields[field];
    *out = STR_NONE;
    if (!is_given(value))
        return OK;
    if (value->kind == JSON_INT) {
        *out = str_format(h->desk->arena, "%lld", (long long)value->integer);
        return out->ptr == NULL ? ERR_MEMORY : OK;
    }
    if (value->kind != JSON_STRING)
        return refuse(h, field_names[field], NOT_TEXT);
    struct str text = str_trim(value->string);
    if (text.len > bytes_max)
        return refuse(h, field_names[field], TOO_LONG);
    if (has_control(text))
        return refuse(h, field_names[field], CONTROL);
    *out = text;
    return OK;
}

static enum err map_take(struct hearing *h, enum field field, const struct json **out)
{
    static const struct json empty = { .kind = JSON_OBJECT };
    const struct json       *value = h->fields[field];
    *out = &empty;
    if (value == NULL || value->kind == JSON_NULL)
        return OK;
    if (value->kind != JSON_OBJECT)
        return refuse(h, field_names[field], NOT_A_MAP);
    *out = value;
    return OK;
}

static size_t chars_count(struct str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    return count;
}

/* ---- who, when, which ---- */

static enum err kind_take(struct hearing *h, enum arrival_kind *out)
{
    const struct json *type = h->fields[TYPE];
    if (h->item->has_kind) {
        *out = h->item->kind;
        return OK;
    }
    if (!is_given(type))
        return refuse(h, field_names[TYPE], NO_TYPE);
    if (type->kind != JSON_STRING || arrival_kind_parse(type->string, out) != OK)
        return refuse(h, field_names[TYPE], UNKNOWN_TYPE);
    return OK;
}

static enum err ids_take(struct hearing *h, struct arrival *record)
{
    TRY(text_take(h, USER_ID, ID_BYTES_MAX, &record->user_id));
    TRY(text_take(h, ANONYMOUS_ID, ID_BYTES_MAX, &record->anonymous_id));
    if (record->kind == ARRIVAL_ALIAS) {
        TRY(text_take(h, PREVIOUS_ID, ID_BYTES_MAX, &record->previous_id));
        if (record->user_id.len == 0)
            return refuse(h, field_names[USER_ID], NO_USER_ID);
        if (record->previous_id.len == 0)
            return refuse(h, field_names[PREVIOUS_ID], NO_PREVIOUS_ID);
        return OK;
    }
    if (record->user_id.len == 0 && record->anonymous_id.len == 0)
        return refuse(h, field_names[USER_ID], NO_ID);
    if (record->kind != ARRIVAL_GROUP)
        return OK;
    TRY(text_take(h, GROUP_ID, ID_BYTES_MAX, &record->group_id));
    return record->group_id.len == 0 ? refuse(h, field_names[GROUP_ID], NO_GROUP_ID) : OK;
}

static enum err name_take(struct hearing *h, struct arrival *record)
{
    if (record->kind == ARRIVAL_PAGE || record->kind == ARRIVAL_SCREEN)
        record->name = record->kind == ARRIVAL_PAGE ? STR("Page") : STR("Screen");
    if (record->kind != ARRIVAL_TRACK)
        return OK;
    TRY(text_take(h, EVENT, NAME_BYTES_MAX, &record->name));
    return record->name.len == 0 ? refuse(h, field_names[EVENT], NO_EVENT) : OK;
}

static char *put_hex(char *at, uint64_t value)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[value >> shift & 15];
    return at;
}

static enum err message_id_take(struct hearing *h, struct arrival *record)
{
    TRY(text_take(h, MESSAGE_ID, 4 * MESSAGE_ID_CHARS_MAX, &record->message_id));
    if (chars_count(record->message_id) > MESSAGE_ID_CHARS_MAX)
        return refuse(h, field_names[MESSAGE_ID], TOO_LONG);
    if (record->message_id.len > 0)
        return OK;
    char  seed[32];
    char *half = put_hex(seed, h->desk->name_seed[0]);
    put_hex(half, h->desk->name_seed[1]);
    record->flags |= ARRIVAL_NAMED;
    record->message_id = str_format(h->desk->arena, "srv-%.32s-%u", seed, h->item->index);
    return record->message_id.ptr == NULL ? ERR_MEMORY : OK;
}

bool event_time(const struct json *value, int64_t *out_ms)
{
    const int64_t seconds_max = INT64_C(100000000000); /* the year 5138, or March 1973 in ms */
    if (value->kind == JSON_STRING)
        return time_parse(str_trim(value->string), out_ms) == OK;
    if (value->kind != JSON_INT || value->integer < 0 || value->integer > TIME_MAX_MS)
        return false;
    *out_ms = value->integer < seconds_max ? value->integer * 1000 : value->integer;
    return true;
}

static enum err time_take(struct hearing *h, struct arrival *record)
{
    const struct event_desk *desk = h->desk;
    enum field field = is_given(h->fields[TIMESTAMP]) ? TIMESTAMP : ORIGINAL_TIMESTAMP;

    record->received_ms = record->at_ms = desk->received_ms;
    if (!is_given(h->fields[field]))
        return OK;
    if (!event_time(h->fields[field], &record->at_ms))
        return refuse(h, field_names[field], NOT_A_TIME);
    if ((record->flags & ARRIVAL_HISTORICAL) == 0) {
        int64_t sent_ms = desk->sent_ms;
        bool    has_sent = is_given(h->fields[SENT_AT]) && event_time(h->fields[SENT_AT], &sent_ms);
        if (has_sent || desk->has_sent) {
            record->at_ms = desk->received_ms - (sent_ms - record->at_ms);
            record->flags |= ARRIVAL_SHIFTED;
        }
    }
    if (record->at_ms > desk->received_ms + TIME_AHEAD_MS_MAX || record->at_ms < TIME_MIN_MS) {
        record->at_ms = desk->received_ms;
        record->flags |= ARRIVAL_CLAMPED;
    }
    return OK;
}

/* ---- what ---- */

/* `own` with those members of `outer` that it has not. */
static enum err merge_under(struct arena *arena, const struct json *own, const struct json *outer,
                            const struct json **out)
{
    *out = own->count > 0 ? own : outer;
    if (outer == NULL || outer->count == 0 || own->count == 0) {
        *out = outer == NULL || outer->count == 0 ? own : outer;
        return OK;
    }
    struct json        *merged = ARENA_NEW(arena, struct json);
    struct json_member *members =
        ARENA_ARRAY(arena, (size_t)own->count + outer->count, struct json_member);
    if (merged == NULL || members == NULL)
        return ERR_MEMORY;
    uint32_t count = own->count;
    memcpy(members, own->members, own->count * sizeof *members);
    for (uint32_t i = 0; i < outer->count; i++)
        if (json_get(own, outer->members[i].key) == NULL)
            members[count++] = outer->members[i];
    *merged = (struct json){ .kind = JSON_OBJECT, .count = count, .members = members };
    *out = merged;
    return OK;
}

/* Adds key and value to *object unless it has that key or the value says nothing. */
static enum err member_default(struct arena *arena, const struct json **object, struct str key,
                               const struct json *value)
{
    if (!is_given(value))
        return OK;
    struct json_member member = { .key = key, .value = *value };
    struct json        one = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    if ((*object)->count > 0)
        return merge_under(arena, *object, &one, object);

    struct json        *made = ARENA_NEW(arena, struct json);
    struct json_member *kept = ARENA_NEW(arena, struct json_member);
    if (made == NULL || kept == NULL)
        return ERR_MEMORY;
    *kept = member;
    *made = (struct json){ .kind = JSON_OBJECT, .count = 1, .members = kept };
    *object = made;
    return OK;
}

static enum err context_take(struct hearing *h, struct arrival *record)
{
    const struct event_desk *desk = h->desk;
    TRY(map_take(h, CONTEXT, &record->context));
    bool direct = desk->client_side || json_get_bool(record->context, STR("direct"), false);
    TRY(merge_under(desk->arena, record->context, desk->context, &record->context));
    if (!direct || desk->client_ip.len == 0)
        return OK;
    struct json ip = { .kind = JSON_STRING, .string = desk->client_ip };
    return member_default(desk->arena, &record->context, STR("ip"), &ip);
}

/* What was set of a stage by hand, and how it changed, are traits of these names: no site says so.
 */
static enum err traits_check(struct hearing *h, const struct json *traits)
{
    for (uint32_t i = 0; i < traits->count; i++) {
        struct str key = traits->members[i].key;
        if (str_eq(key, STR("$stage")) || str_starts(key, STR("$stage_")))
            return refuse(h, STR("traits"), NOT_YOURS);
    }
    return OK;
}

/* Which group, in front of what is said of it: one id is one text, however it was written, and a
 * trait of that name does not stand for another group. */
static enum err group_id_put(struct arena *arena, struct arrival *record)
{
    struct json_member *member = ARENA_NEW(arena, struct json_member);
    struct json        *object = ARENA_NEW(arena, struct json);
    if (member == NULL || object == NULL)
        return ERR_MEMORY;
    *member =
        (struct json_member){ STR("groupId"), { .kind = JSON_STRING, .string = record->group_id } };
    *object = (struct json){ .kind = JSON_OBJECT, .count = 1, .members = member };
    return merge_under(arena, object, record->traits, &record->traits);
}

static enum err data_take(struct hearing *h, struct arrival *record)
{
    struct arena *arena = h->desk->arena;
    TRY(map_take(h, PROPERTIES, &record->properties));
    TRY(map_take(h, TRAITS, &record->traits));
    TRY(context_take(h, record));

    static const struct json empty = { .kind = JSON_OBJECT };
    if (record->kind == ARRIVAL_IDENTIFY || record->kind == ARRIVAL_GROUP)
        record->properties = &empty;
    else
        record->traits = &empty;
    if (record->kind == ARRIVAL_ALIAS)
        record->properties = &empty;
    if (record->kind == ARRIVAL_IDENTIFY && record->traits->count == 0) {
        const struct json *inner = json_get(record->context, STR("traits"));
        if (inner != NULL && inner->kind == JSON_OBJECT)
            record->traits = inner;
    }
    if (record->kind == ARRIVAL_IDENTIFY)
        TRY(traits_check(h, record->traits));
    if (record->kind == ARRIVAL_GROUP)
        TRY(group_id_put(arena, record));
    if (record->kind == ARRIVAL_PAGE || record->kind == ARRIVAL_SCREEN) {
        TRY(member_default(arena, &record->properties, STR("name"), h->fields[NAME]));
        TRY(member_default(arena, &record->properties, STR("category"), h->fields[CATEGORY]));
    }
    return OK;
}

/* ---- writing the body ---- */

static char *put_member(char *at, const char *key, size_t key_bytes, const struct json *value)
{
    bool is_map = value != NULL && value->kind == JSON_OBJECT;
    if (!is_given(value) || (is_map && value->count == 0))
        return at;
    if (at[-1] != '{')
        *at++ = ',';
    *at++ = '"';
    memcpy(at, key, key_bytes);
    at += key_bytes;
    *at++ = '"';
    *at++ = ':';
    return tree_put(at, value);
}

#define PUT_MEMBER(at, key, value) put_member((at), "" key, sizeof(key) - 1, (value))

static const struct json *scalar(const struct json *value)
{
    bool is_inner = value != NULL && (value->kind == JSON_OBJECT || value->kind == JSON_ARRAY);
    return is_inner ? NULL : value;
}

static enum err body_write(struct hearing *h, struct arrival *record)
{
    enum { NAMES_BYTES = 1024 };
    const struct event_desk *desk = h->desk;
    const struct json       *integrations;
    TRY(map_take(h, INTEGRATIONS, &integrations));
    TRY(merge_under(desk->arena, integrations, desk->integrations, &integrations));

    /* Traits may be written twice, once inside the context they were taken from. */
    size_t bytes_max = 2 * h->text_bytes + 2 * TREE_BOUND_FACTOR * OUTER_BYTES_MAX +
                       6 * desk->client_ip.len + NAMES_BYTES;
    buf_reset(desk->scratch);
    char *start = buf_reserve(desk->scratch, bytes_max), *at = start;
    if (start == NULL)
        return ERR_MEMORY;
    *at++ = '{';
    at = PUT_MEMBER(at, "properties", record->properties);
    at = PUT_MEMBER(at, "traits", record->traits);
    at = PUT_MEMBER(at, "context", record->context);
    at = PUT_MEMBER(at, "integrations", integrations);
    at = PUT_MEMBER(at, "originalTimestamp",
                    is_given(h->fields[TIMESTAMP]) ? h->fields[TIMESTAMP]
                                                   : h->fields[ORIGINAL_TIMESTAMP]);
    at = PUT_MEMBER(at, "sentAt", scalar(h->fields[SENT_AT]));
    at = PUT_MEMBER(at, "channel", scalar(h->fields[CHANNEL]));
    at = PUT_MEMBER(at, "version", scalar(h->fields[VERSION]));
    *at++ = '}';
    assert((size_t)(at - start) <= bytes_max);
    if (at - start > ARRIVAL_BODY_BYTES_MAX)
        return refuse(h, STR("body"), TOO_LARGE);
    record->body = str_copy(desk->arena, (struct str){ start, (size_t)(at - start) });
    return record->body.ptr == NULL ? ERR_MEMORY : OK;
}

/* ---- the judge ---- */

/* Most are shown to be small enough by their bound; only the others are written to know. */
static enum err size_check(struct hearing *h)
{
    if (h->text_bytes <= MESSAGE_BYTES_MAX)
        return OK;
    struct str text = STR_NONE;
    TRY(event_text(h->desk, h->item->message, h->text_bytes, &text));
    return text.ptr == NULL ? refuse(h, STR("body"), TOO_LARGE) : OK;
}

static enum err hear(struct hearing *h, struct arrival *record)
{
    const struct json *message = h->item->message;
    if (message->kind != JSON_OBJECT)
        return refuse(h, STR("body"), NOT_AN_OBJECT);
    for (uint32_t i = 0; i < message->count; i++) {
        enum field field = field_find(message->members[i].key);
        if (field != FIELDS)
            h->fields[field] = &message->members[i].value;
    }
    TRY(size_check(h));
    record->source = h->desk->source;
    if (h->desk->historical ||
        (h->fields[HISTORICAL] != NULL && h->fields[HISTORICAL]->kind == JSON_BOOL &&
         h->fields[HISTORICAL]->truth))
        record->flags |= ARRIVAL_HISTORICAL;
    TRY(kind_take(h, &record->kind));
    TRY(ids_take(h, record));
    TRY(name_take(h, record));
    TRY(message_id_take(h, record));
    TRY(time_take(h, record));
    TRY(data_take(h, record));
    return body_write(h, record);
}

enum err event_judge(const struct event_desk *desk, const struct event_item *item,
                     struct arrival *record, struct arrival_refused *refused,
                     enum event_verdict *verdict)
{
    struct hearing h = { .desk = desk, .item = item };
    *record = (struct arrival){ 0 };
    TRY(tree_settle(desk->arena, desk->name_seed[0], item->message, &h.text_bytes));

    enum err err = hear(&h, record);
    if (err == ERR_INPUT) {
        *verdict = EVENT_REFUSED;
        return refusal_fill(&h, refused);
    }
    TRY(err);
    bool to_itself = record->kind == ARRIVAL_ALIAS && str_eq(record->user_id, record->previous_id);
    *verdict = to_itself ? EVENT_DROPPED : EVENT_TAKEN;
    return OK;
}

enum err event_refuse_surplus(const struct event_desk *desk, const struct event_item *item,
                              struct arrival_refused *refused)
{
    struct hearing h = { .desk = desk, .item = item, .field = STR("batch"), .reason = TOO_MANY };
    TRY(tree_settle(desk->arena, desk->name_seed[0], item->message, &h.text_bytes));
    h.fields[MESSAGE_ID] = json_get(item->message, STR("messageId"));
    return refusal_fill(&h, refused);
}
