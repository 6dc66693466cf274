/* Nodes that change something: traits, events, lists, consent, other journeys. */
#include <stdio.h>

#include "engine/journey/definition_inside.h"
#include "engine/own.h"
#include "engine/record.h"

enum { WHERE_BYTES = 160 };

static bool is_scalar(const struct json *value)
{
    return value->kind == JSON_BOOL || value->kind == JSON_INT || value->kind == JSON_REAL ||
           value->kind == JSON_STRING;
}

static bool is_value(const struct json *value)
{
    bool is = is_scalar(value) || value->kind == JSON_ARRAY;
    for (uint32_t i = 0; value->kind == JSON_ARRAY && i < value->count; i++)
        is = is && is_scalar(&value->items[i]);
    return is;
}

/* {"from": "event.amount"} */
static bool source_read(const struct json *value, struct node_value *out)
{
    struct str from = json_get_str(value, STR("from"));
    if (value->kind != JSON_OBJECT || value->count != 1)
        return false;
    out->from = str_starts(from, STR("event.")) ? VALUE_FROM_EVENT : VALUE_FROM_TRAIT;
    out->source = str_slice(from, 6, from.len);
    return (str_starts(from, STR("event.")) || str_starts(from, STR("trait."))) &&
           out->source.len > 0 && out->source.len <= JOURNEY_NAME_BYTES_MAX;
}

static enum err value_read(struct reading *r, const struct json_member *member, const char *place,
                           struct node_value *out)
{
    char where[WHERE_BYTES];
    snprintf(where, sizeof where, "%.60s.%.*s", place,
             (int)(member->key.len < 80 ? member->key.len : 80), member->key.ptr);
    if (str_is_empty(member->key) || member->key.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(r, where, "A name has 1 to 128 bytes.", "Give it a short name.");
    *out = (struct node_value){ .name = member->key, .written = member->value };
    if (is_value(&member->value) || source_read(&member->value, out))
        return OK;
    if (member->value.kind == JSON_NULL)
        return wrong(r, where, "null takes nothing away.",
                     "Give it a value that says so, such as \"\" or \"none\".");
    return wrong(r, where, "This is no value.",
                 "Write a text, a number, true, false, a list of those, {\"from\": "
                 "\"event.PROPERTY\"} or {\"from\": \"trait.NAME\"}.");
}

static enum err values_read(struct reading *r, const struct json *object, const char *place,
                            struct node_change *out)
{
    struct buf text = buf_make(JOURNEY_VALUE_BYTES_MAX);
    if (object->kind != JSON_OBJECT || object->count > JOURNEY_VALUES_MAX)
        return wrong(r, place, "This is no object of up to 64 values.",
                     "Write such as {\"plan\": \"pro\"}.");
    json_write(&text, object);
    enum err           err = buf_err(&text);
    struct node_value *values = ARENA_ARRAY(r->arena, object->count + 1, struct node_value);
    buf_done(&text);
    if (err == ERR_LIMIT)
        return wrong(r, place, "The values have more than 4096 bytes.", "Shorten them.");
    if (err != OK || values == NULL)
        return err != OK ? err : ERR_MEMORY;
    for (uint32_t i = 0; i < object->count; i++)
        TRY(value_read(r, &object->members[i], place, &values[i]));
    out->values = values;
    out->values_count = object->count;
    return OK;
}

static enum err name_check(struct reading *r, struct str name, const char *place,
                           const char *remedy)
{
    return name.len > 0 && name.len <= JOURNEY_NAME_BYTES_MAX
               ? OK
               : wrong(r, place, "This is no name of 1 to 128 bytes.", remedy);
}

static enum err members_check(struct reading *r, const struct json *value, const char *place,
                              const char *const *known, const char *remedy)
{
    if (value->kind != JSON_OBJECT)
        return wrong(r, place, "This is no object.", remedy);
    for (uint32_t i = 0; i < value->count; i++) {
        const char *const *name = known;
        while (*name != NULL && !str_eq(value->members[i].key, str_of(*name)))
            name++;
        if (*name == NULL)
            return problem_format(r->problem, ERR_INPUT, place, remedy,
                                  "It has no member \"%.*s\".",
                                  STR_ARG(str_slice(value->members[i].key, 0, 60)));
    }
    return OK;
}

/* What Dult itself tells, nobody else does. */
static bool is_own_event(const struct reading *r, struct str name)
{
    uint16_t number = dict_find(r->names.events, name);
    return number != DICT_NONE && number < RUN_OWN_NAMES;
}

static enum err record_read(struct reading *r, const struct json *value, const char *place,
                            struct node_change *out)
{
    static const char *const known[] = { "event", "properties", NULL };
    static const char        remedy[] = "Write {\"event\": \"Trial Won\", \"properties\": {...}}.";
    const struct json       *properties = json_get(value, STR("properties"));
    char                     where[WHERE_BYTES];
    TRY(members_check(r, value, place, known, remedy));
    out->name = json_get_str(value, STR("event"));
    TRY(name_check(r, out->name, place, remedy));
    if (is_own_event(r, out->name))
        return wrong(r, place, "This event is told by Dult alone, when it happens.",
                     "Give yours another name.");
    snprintf(where, sizeof where, "%.60s.properties", place);
    return properties == NULL ? OK : values_read(r, properties, where, out);
}

static enum err consent_read(struct reading *r, const struct json *value, const char *place,
                             struct node_change *out)
{
    static const char *const known[] = { "topic", "channel", "state", NULL };
    static const char        remedy[] =
        "Write {\"topic\": \"news\", \"state\": \"subscribed\"}, or \"unsubscribed\".";
    TRY(members_check(r, value, place, known, remedy));
    out->name = json_get_str(value, STR("topic"));
    if (json_get(value, STR("topic")) != NULL)
        TRY(name_check(r, out->name, place, "Name the topic."));
    if (!channel_of(json_get_str(value, STR("channel")), &out->channel))
        return wrong(r, place, "This is no channel.", "Write email, sms or post.");
    if (!consent_of(json_get_str(value, STR("state")), &out->state) ||
        (out->state != CONSENT_GRANTED && out->state != CONSENT_REFUSED))
        return wrong(r, place, "A journey says yes or no to a topic.", remedy);
    return out->state == CONSENT_GRANTED && str_is_empty(out->name)
               ? wrong(r, place, "Nobody says yes to everything that may ever be.",
                       "Name the topic.")
               : OK;
}

enum err journey_change_read(struct reading *r, enum node_kind kind, const struct json *value,
                             const char *place, struct node_change *out)
{
    switch (kind) {
    case NODE_SET:
        TRY(values_read(r, value, place, out));
        return out->values_count > 0
                   ? OK
                   : wrong(r, place, "Nothing is set.", "Write such as {\"plan\": \"pro\"}.");
    case NODE_RECORD:
        return record_read(r, value, place, out);
    case NODE_CONSENT:
        return consent_read(r, value, place, out);
    default:
        out->name = value->kind == JSON_STRING ? value->string : STR_NONE;
        return name_check(r, out->name, place, "Give its name as a text.");
    }
}
