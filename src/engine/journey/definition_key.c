/* By what somebody is in a journey several times, and how often at the same time. */
#include "engine/journey/definition_inside.h"

/* What conditions name has a number; so has the property. */
static enum err key_read(struct reading *r, const struct json *value, struct journey_trigger *out)
{
    out->key = DICT_NONE;
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || str_is_empty(value->string) ||
        value->string.len > SEGMENT_NAME_BYTES_MAX)
        return wrong(r, "trigger.key", "This is no name of a property.",
                     "Name the property of the event that tells one from another: \"cart_id\".");
    out->key_name = value->string;
    out->key = dict_find(r->names.properties, value->string);
    if (out->key != DICT_NONE || !r->names.grow)
        return OK;
    TRY(dict_intern(r->names.properties, value->string, &out->key));
    return out->key != DICT_OTHER
               ? OK
               : problem_set(
                     r->problem, ERR_LIMIT, "trigger.key",
                     "The workspace has 60000 properties already, and this is none of them.",
                     "Use a property that was told before.");
}

enum err journey_key_read(struct reading *r, const struct json *root, struct journey *out)
{
    const struct json *trigger = json_get(root, STR("trigger")),
                      *at_once = json_get(root, STR("at_once"));
    if (out->trigger.kind == TRIGGER_EVENT || out->trigger.kind == TRIGGER_API)
        TRY(key_read(r, json_get(trigger, STR("key")), &out->trigger));
    bool has_key = !str_is_empty(out->trigger.key_name);
    out->at_once = has_key ? JOURNEY_AT_ONCE_MAX : 1;
    if (at_once == NULL)
        return OK;
    if (at_once->kind != JSON_INT || at_once->integer < 1 || at_once->integer > JOURNEY_AT_ONCE_MAX)
        return wrong(r, "at_once", "This is no number from 1 to 16.",
                     "Write how often one person may be inside at the same time, such as 3.");
    out->at_once = (uint32_t)at_once->integer;
    return has_key || out->at_once == 1 || out->reentry != REENTRY_ONCE
               ? OK
               : wrong(r, "at_once", "Who comes in once is never inside several times.",
                       "Write \"reentry\": \"always\" beside it, or give the trigger a \"key\".");
}
