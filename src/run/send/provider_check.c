/*
 * What is asked before a message: `check` of a description, which has a request and rules of its
 * own and sends nothing. It is read as a provider without a channel, so that both are one code.
 */
#include <stdlib.h>

#include "run/send/provider_inside.h"

enum { ARENA_BYTES_MAX = 1 << 20 };

static enum err members_check(struct reading *reading, const struct json *check)
{
    static const char *const known[] = { "when", "request", "answer", "examples", NULL };
    if (check->kind != JSON_OBJECT)
        return reading_fault(reading, "check", "is not an object");
    for (uint32_t i = 0; i < check->count; i++)
        if (word_find(known, check->members[i].key) < 0)
            return reading_fault(reading, "check",
                                 "has a member beside when, request, answer and "
                                 "examples");
    return OK;
}

enum err check_read(struct reading *reading, const struct json *check)
{
    struct provider *provider = reading->provider;
    if (check == NULL)
        return OK;
    TRY(members_check(reading, check));
    provider->check = calloc(1, sizeof *provider->check);
    if (provider->check == NULL)
        return ERR_MEMORY;
    struct provider *own = provider->check;
    struct reading   inner = { .provider = own,
                               .where = reading->where,
                               .problem = reading->problem };
    own->arena = arena_open(ARENA_BYTES_MAX);
    if (own->arena == NULL)
        return ERR_MEMORY;
    own->name = provider->name;
    own->channel = provider->channel;
    own->examples = json_get(check, STR("examples"));
    TRY(reading_text(&inner, check, "when", &own->when));
    return reading_exchange(&inner, check);
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
