#include "run/send/provider.h"

#include <stdlib.h>

#include "base/time.h"
#include "run/send/provider_inside.h"

enum { ARENA_BYTES_MAX = 4 << 20 };

enum err provider_parse(struct provider **out, struct str text, const char *where,
                        struct problem *problem)
{
    struct provider *provider = calloc(1, sizeof *provider);
    if (provider == NULL)
        return ERR_MEMORY;
    provider->arena = arena_open(ARENA_BYTES_MAX);
    enum err err = provider->arena == NULL ? ERR_MEMORY : OK;
    if (err == OK && text.len > PROVIDER_BYTES_MAX)
        err = problem_set(problem, ERR_INPUT, where, "The description is longer than 64 KB.",
                          "Make it shorter.");
    if (err == OK)
        err = provider_description_read(provider, text, where, problem);
    if (err == OK)
        *out = provider;
    else
        provider_close(provider);
    return err;
}

void provider_close(struct provider *provider)
{
    if (provider == NULL)
        return;
    provider_close(provider->check);
    provider_close(provider->token);
    for (uint32_t i = 0; i < provider->steps_count; i++)
        provider_close(provider->steps[i]);
    for (uint32_t i = 0; i < provider->templates_count; i++)
        template_close(provider->templates[i]);
    arena_close(provider->arena);
    free(provider);
}

/* ---- what it says of itself ---- */

bool provider_same(const struct provider *a, const struct provider *b)
{
    return str_eq(a->source, b->source);
}

struct str provider_name(const struct provider *provider)
{
    return provider->name;
}

struct str provider_title(const struct provider *provider)
{
    return provider->title.len > 0 ? provider->title : provider->name;
}

enum consent_channel provider_channel(const struct provider *provider)
{
    return provider->channel;
}

uint32_t provider_settings_count(const struct provider *provider)
{
    return provider->settings_count;
}

const struct provider_setting *provider_settings(const struct provider *provider)
{
    return provider->settings;
}

struct provider_rate provider_rate(const struct provider *provider)
{
    return provider->rate;
}

int64_t provider_key_ms(const struct provider *provider)
{
    return (int64_t)(provider->key_hours * (double)TIME_HOUR_MS);
}

static bool has_setting(const struct provider *provider, struct str name)
{
    for (uint32_t i = 0; i < provider->settings_count; i++)
        if (str_eq(provider->settings[i].name, name))
            return true;
    return false;
}

enum err provider_settings_fill(const struct provider *provider, struct arena *arena,
                                const struct json *given, struct json *out, const char *where,
                                struct problem *problem)
{
    struct json_member *members = ARENA_ARRAY(arena, PROVIDER_SETTINGS_MAX, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; given != NULL && i < given->count; i++)
        if (!has_setting(provider, given->members[i].key))
            return problem_format(problem, ERR_INPUT, where,
                                  "`dult providers` lists the settings of each.",
                                  "%.*s has no setting \"%.*s\".", STR_ARG(provider->name),
                                  STR_ARG(str_slice(given->members[i].key, 0, 60)));
    for (uint32_t i = 0; i < provider->settings_count; i++) {
        const struct provider_setting *setting = &provider->settings[i];
        struct str                     value = json_get_str(given, setting->name);
        if (value.len == 0 && setting->is_needed)
            return problem_format(problem, ERR_INPUT, where,
                                  "`dult providers` lists the settings of each.",
                                  "%.*s needs the setting \"%.*s\".", STR_ARG(provider->name),
                                  STR_ARG(setting->name));
        members[i].key = setting->name;
        members[i].value =
            (struct json){ .kind = JSON_STRING, .string = value.len > 0 ? value : setting->absent };
    }
    *out =
        (struct json){ .kind = JSON_OBJECT, .count = provider->settings_count, .members = members };
    return OK;
}
