/*
 * What is asked before a message: `check`, `steps` and `token` of a description, which have a
 * request and rules of their own and send nothing. Each is read as a provider, so that all are one
 * code.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/time.h"
#include "run/send/provider_inside.h"

enum { ARENA_BYTES_MAX = 1 << 20, TOKEN_DAYS_MAX = 366 };

#define TOKEN_USUAL_MS (10 * TIME_MINUTE_MS) /* where they do not say how long it is good */
#define TOKEN_EARLY_MS TIME_MINUTE_MS        /* so much before its end it is renewed */

static enum err members_check(struct reading *reading, const struct json *object,
                              const char *const *known, const char *place)
{
    if (object->kind != JSON_OBJECT)
        return reading_fault(reading, place, "is not an object");
    for (uint32_t i = 0; i < object->count; i++)
        if (word_find(known, object->members[i].key) < 0)
            return reading_fault(reading, place, "has a member that is unknown");
    return OK;
}

/* The description closes it. */
static enum err own_open(struct reading *reading, const struct json *object, struct provider **out)
{
    struct provider *own = calloc(1, sizeof *own);
    if (own == NULL)
        return ERR_MEMORY;
    *out = own;
    own->arena = arena_open(ARENA_BYTES_MAX);
    if (own->arena == NULL)
        return ERR_MEMORY;
    own->name = reading->provider->name;
    own->channel = reading->provider->channel;
    own->examples = json_get(object, STR("examples"));
    return OK;
}

enum err check_read(struct reading *reading, const struct json *check)
{
    static const char *const known[] = { "when", "request", "answer", "examples", NULL };
    struct reading           inner = *reading;
    if (check == NULL)
        return OK;
    TRY(members_check(reading, check, known, "check"));
    TRY(own_open(reading, check, &reading->provider->check));
    inner.provider = reading->provider->check;
    TRY(reading_text(&inner, check, "when", &inner.provider->when));
    return reading_exchange(&inner, check);
}

static bool has_step(const struct provider *provider, struct str name)
{
    for (uint32_t i = 0; i < provider->steps_count; i++)
        if (str_eq(provider->steps[i]->title, name))
            return true;
    return false;
}

static enum err step_read(struct reading *reading, const struct json *step)
{
    static const char *const known[] = { "name", "request", "answer", "needs", "examples", NULL };
    struct provider         *provider = reading->provider;
    struct reading           inner = *reading;
    struct str               name = json_get_str(step, STR("name"));
    TRY(members_check(reading, step, known, "steps"));
    if (name.len == 0 || has_step(provider, name))
        return reading_fault(reading, "steps", "one has no name of its own");
    enum err err = own_open(reading, step, &provider->steps[provider->steps_count]);
    provider->steps_count += provider->steps[provider->steps_count] != NULL;
    TRY(err);
    inner.provider = provider->steps[provider->steps_count - 1];
    inner.provider->title = name;
    TRY(reading_paths(&inner, json_get(step, STR("needs")), &inner.provider->needs));
    return reading_exchange(&inner, step);
}

enum err steps_read(struct reading *reading, const struct json *steps)
{
    if (steps == NULL)
        return OK;
    if (steps->kind != JSON_ARRAY || steps->count > PROVIDER_STEPS_MAX)
        return reading_fault(reading, "steps", "is not a list of at most 4 requests");
    if (steps->count > 0 && reading->provider->key_hours > 0)
        return reading_fault(reading, "idempotency.hours",
                             "does not go with steps: after a stop what they were answered is "
                             "lost, so the message could not be asked for as it was");
    for (uint32_t i = 0; i < steps->count; i++)
        TRY(step_read(reading, &steps->items[i]));
    return OK;
}

const struct provider *provider_step(const struct provider *provider, uint32_t number)
{
    return number < provider->steps_count ? provider->steps[number] : NULL;
}

static bool says_something(const struct json *value)
{
    return value != NULL && value->kind != JSON_NULL &&
           !(value->kind == JSON_STRING && str_trim(value->string).len == 0);
}

/* What is asked next would be refused without it, or worse, taken. */
static enum err needs_look(const struct provider *step, const struct json *body, char *lack)
{
    for (uint32_t i = 0; i < step->needs.count; i++) {
        if (says_something(json_path(body, step->needs.items[i])))
            continue;
        snprintf(lack, PROVIDER_LACK_BYTES, "its answer has no %.*s",
                 STR_ARG(str_slice(step->needs.items[i], 0, 100)));
        return ERR_ABSENT;
    }
    return OK;
}

enum err provider_step_take(const struct provider *step, const struct fetch_response *response,
                            struct arena *arena, struct json *steps, char *lack)
{
    struct json body = { .kind = JSON_NULL };
    struct str  text = str_copy(arena, response->body);
    if (text.ptr == NULL)
        return ERR_MEMORY;
    enum err err = text.len == 0 ? OK : json_parse_once(arena, text, &body, NULL);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK)
        body = (struct json){ .kind = JSON_NULL };
    TRY(needs_look(step, &body, lack));
    struct json_member *members = ARENA_ARRAY(arena, PROVIDER_STEPS_MAX, struct json_member);
    uint32_t            count = steps->kind == JSON_OBJECT ? steps->count : 0;
    if (members == NULL)
        return ERR_MEMORY;
    assert(count < PROVIDER_STEPS_MAX);
    for (uint32_t i = 0; i < count; i++)
        members[i] = steps->members[i];
    members[count] = (struct json_member){ step->title, body };
    *steps = (struct json){ .kind = JSON_OBJECT, .count = count + 1, .members = members };
    return OK;
}

enum err access_read(struct reading *reading, const struct json *token)
{
    static const char *const known[] = {
        "request", "answer", "value", "seconds", "examples", NULL
    };
    struct reading inner = *reading;
    if (token == NULL)
        return OK;
    TRY(members_check(reading, token, known, "token"));
    TRY(own_open(reading, token, &reading->provider->token));
    inner.provider = reading->provider->token;
    inner.provider->token_value = json_get_str(token, STR("value"));
    inner.provider->token_seconds = json_get_str(token, STR("seconds"));
    if (inner.provider->token_value.len == 0)
        return reading_fault(reading, "token", "has no `value`, the path to it in the answer");
    return reading_exchange(&inner, token);
}

const struct provider *provider_check(const struct provider *provider, const struct json *settings,
                                      const struct provider_message *message, int64_t now_ms,
                                      struct arena *arena)
{
    const struct provider *check = provider->check;
    struct str             when = STR("yes");
    if (check != NULL && check->when != NULL &&
        provider_text(check, settings, message, now_ms, arena, check->when, &when) != OK)
        return NULL;
    return check != NULL && str_trim(when).len > 0 ? check : NULL;
}

/* ---- tokens ---- */

const struct provider *provider_token(const struct provider *provider)
{
    return provider->token;
}

static int64_t good_ms(const struct provider *token, const struct json *body)
{
    const struct json *seconds =
        token->token_seconds.len == 0 ? NULL : json_path(body, token->token_seconds);
    if (seconds == NULL || seconds->kind != JSON_INT || seconds->integer <= 0 ||
        seconds->integer > TOKEN_DAYS_MAX * TIME_DAY_MS / TIME_SECOND_MS)
        return TOKEN_USUAL_MS;
    int64_t ms = seconds->integer * TIME_SECOND_MS;
    return ms > 2 * TOKEN_EARLY_MS ? ms - TOKEN_EARLY_MS : ms / 2;
}

bool provider_token_take(const struct provider *token, const struct fetch_response *response,
                         int64_t now_ms, struct provider_access *out)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES_MAX);
    struct json                        body;
    if (arena == NULL || json_parse_once(arena, response->body, &body, NULL) != OK)
        return false;
    const struct json *value = json_path(&body, token->token_value);
    if (value == NULL || value->kind != JSON_STRING || value->string.len == 0 ||
        value->string.len >= sizeof out->value)
        return false;
    str_to_cstr(value->string, out->value, sizeof out->value);
    out->until_ms = now_ms + good_ms(token, &body);
    return true;
}
