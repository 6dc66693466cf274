#include "run/send/profiles.h"

#include <stdio.h>

#include "message/address.h"
#include "message/header.h"
#include "run/send/workspace.h"
#include "template/template.h"

static enum err fault(struct problem *problem, const char *field, const char *what,
                      const char *remedy)
{
    char where[160];
    snprintf(where, sizeof where, "workspace.json:%s", field);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

static enum err members_check(const struct json *object, const char *field,
                              const char *const *known, const char *remedy, struct problem *problem)
{
    if (object->kind != JSON_OBJECT)
        return fault(problem, field, "This is not a JSON object.", "Write {...}.");
    for (uint32_t i = 0; i < object->count; i++) {
        const char *const *name = known;
        char               at[120];
        while (*name != NULL && !str_eq(object->members[i].key, str_of(*name)))
            name++;
        snprintf(at, sizeof at, "%s.%.*s", field,
                 STR_ARG(str_slice(object->members[i].key, 0, 60)));
        if (*name == NULL)
            return fault(problem, at, "There is no such setting.", remedy);
    }
    return OK;
}

static enum err words_read(struct arena *arena, const struct json *object, const char *field,
                           const char *key, struct words *out, struct problem *problem)
{
    const struct json *list = json_get(object, str_of(key));
    char               at[120];
    snprintf(at, sizeof at, "%s.%s", field, key);
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > PROFILE_WORDS_MAX)
        return fault(problem, at, "This is not a list of at most 100.", "Write [\"news\", ...].");
    struct str *items = ARENA_ARRAY(arena, list->count, struct str);
    if (items == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++) {
        items[i] = list->items[i].kind == JSON_STRING ? str_trim(list->items[i].string) : STR_NONE;
        if (items[i].len == 0 || items[i].len > WORKSPACE_NAME_BYTES_MAX)
            return fault(problem, at, "An item is not a text of at most 200 bytes.",
                         "Write [\"news\", ...].");
    }
    *out = (struct words){ items, list->count };
    return OK;
}

/* ---- senders ---- */

static enum err line_read(const struct json *object, const char *field, const char *key,
                          struct str *out, struct problem *problem)
{
    struct str value = str_trim(json_get_str(object, str_of(key)));
    char       at[120];
    snprintf(at, sizeof at, "%s.%s", field, key);
    if (json_get(object, str_of(key)) != NULL &&
        (json_get(object, str_of(key))->kind != JSON_STRING ||
         value.len > WORKSPACE_NAME_BYTES_MAX || header_text_check(value, at, NULL) != OK))
        return fault(problem, at, "This is not a text of one line and at most 200 bytes.",
                     "Write it in quotes, without line breaks.");
    *out = value;
    return OK;
}

static enum err mailbox_read(const struct json *object, const char *field, const char *key,
                             struct str *out, struct problem *problem)
{
    char where[160];
    TRY(line_read(object, field, key, out, problem));
    snprintf(where, sizeof where, "workspace.json:%s.%s", field, key);
    return out->len == 0 ? OK : address_check(*out, where, problem);
}

static enum err sender_read(struct arena *arena, const struct json *value, const char *field,
                            struct sender_profile *out, struct problem *problem)
{
    static const char *const known[] = { "id",     "name",      "email", "reply_to",
                                         "topics", "languages", NULL };
    TRY(members_check(value, field, known, "Use id, name, email, reply_to, topics and languages.",
                      problem));
    *out = (struct sender_profile){ .id = STR_NONE };
    TRY(line_read(value, field, "id", &out->id, problem));
    TRY(line_read(value, field, "name", &out->name, problem));
    TRY(mailbox_read(value, field, "email", &out->email, problem));
    TRY(mailbox_read(value, field, "reply_to", &out->reply_to, problem));
    TRY(words_read(arena, value, field, "topics", &out->topics, problem));
    TRY(words_read(arena, value, field, "languages", &out->languages, problem));
    if (out->id.len == 0 || out->email.len == 0)
        return fault(problem, field, "A sender has an id and an email.",
                     "Write {\"id\": \"support\", \"email\": \"help@shop.example\"}.");
    return OK;
}

enum err sender_profiles_parse(struct arena *arena, const struct json *root,
                               struct sender_profiles *out, struct problem *problem)
{
    const struct json *list = json_get(root, STR("senders"));
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > PROFILES_MAX)
        return fault(problem, "senders", "This is not a list of at most 200.",
                     "Write [{\"id\": \"support\", \"email\": ...}, ...].");
    struct sender_profile *made = ARENA_ARRAY(arena, list->count, struct sender_profile);
    if (made == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++) {
        char field[48];
        snprintf(field, sizeof field, "senders[%u]", i);
        TRY(sender_read(arena, &list->items[i], field, &made[i], problem));
        for (uint32_t k = 0; k < i; k++)
            if (str_eq(made[k].id, made[i].id))
                return fault(problem, field, "This id is here twice.", "Keep one of them.");
    }
    *out = (struct sender_profiles){ made, list->count };
    return OK;
}

const struct sender_profile *sender_profile_find(const struct sender_profiles *profiles,
                                                 struct str                    id)
{
    for (uint32_t i = 0; i < profiles->count; i++)
        if (str_eq(profiles->items[i].id, id))
            return &profiles->items[i];
    return NULL;
}

static bool has_topic(const struct sender_profile *profile, struct str topic)
{
    for (uint32_t i = 0; i < profile->topics.count; i++)
        if (str_eq(profile->topics.items[i], topic))
            return true;
    return false;
}

/* "nb" is for nb-NO, too. */
static bool has_language(const struct sender_profile *profile, struct str language)
{
    for (uint32_t i = 0; i < profile->languages.count; i++) {
        struct str one = profile->languages.items[i];
        bool same = language.len >= one.len && str_eq_nocase(str_slice(language, 0, one.len), one);
        if (same && (language.len == one.len || language.ptr[one.len] == '-' ||
                     language.ptr[one.len] == '_'))
            return true;
    }
    return false;
}

const struct sender_profile *sender_profile_choose(const struct sender_profiles *profiles,
                                                   struct str topic, struct str language)
{
    const struct sender_profile *best = NULL;
    int                          most = 0;
    for (uint32_t i = 0; i < profiles->count; i++) {
        const struct sender_profile *profile = &profiles->items[i];
        bool by_topic = profile->topics.count > 0, by_language = profile->languages.count > 0;
        int  fit = 2 * by_topic + by_language;
        if ((by_topic && !has_topic(profile, topic)) ||
            (by_language && !has_language(profile, language)) || fit <= most)
            continue;
        best = profile;
        most = fit;
    }
    return best;
}

/* ---- utm ---- */

static enum err rule_read(const struct json *object, const char *key, struct str *out,
                          struct problem *problem)
{
    SCOPED(template_closep) struct template *made = NULL;
    struct problem                           inside = { .where = "" };
    const struct json                       *value = json_get(object, str_of(key));
    char                                     at[40];
    snprintf(at, sizeof at, "utm.%s", key);
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || value->string.len > UTM_RULE_BYTES_MAX)
        return fault(problem, at, "This is not a text of at most 1000 bytes.",
                     "Write \"dult\", or Liquid such as \"{{ template.name }}\".");
    enum err err = template_parse(&made, value->string, NULL, &inside);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK)
        return fault(problem, at, inside.what, inside.remedy);
    *out = str_trim(value->string);
    return OK;
}

enum err utm_rules_parse(struct arena *arena, const struct json *root, struct utm_rules *out,
                         struct problem *problem)
{
    static const char *const known[] = { "source",  "medium",  "campaign", "term",
                                         "content", "domains", NULL };
    const struct json       *object = json_get(root, STR("utm"));
    if (object == NULL)
        return OK;
    TRY(members_check(object, "utm", known,
                      "Use source, medium, campaign, term, content and domains.", problem));
    for (int i = 0; i < UTM_KEYS; i++)
        TRY(rule_read(object, utm_names[i] + sizeof "utm_" - 1, &out->values[i], problem));
    return words_read(arena, object, "utm", "domains", &out->domains, problem);
}
