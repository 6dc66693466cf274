#include "run/send/topic_words.h"

#include "run/send/render_data.h"

static const char *const house_languages[] = { "en", "nb", "sv", "nl", "de", "fr" };

const struct json *topic_find(const struct json *document, struct str id)
{
    const struct json *list = json_get(document, STR("topics"));
    for (uint32_t i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->count; i++)
        if (str_eq(json_get_str(&list->items[i], STR("id")), id))
            return &list->items[i];
    return NULL;
}

/* ---- languages ---- */

static struct str base_of(struct str language)
{
    size_t end = 0;
    while (end < language.len && language.ptr[end] != '-' && language.ptr[end] != '_')
        end++;
    return str_slice(language, 0, end);
}

static const struct json_member *exactly(const struct json *by_language, struct str wanted)
{
    for (uint32_t i = 0; i < by_language->count; i++)
        if (str_eq_nocase(by_language->members[i].key, wanted))
            return &by_language->members[i];
    return NULL;
}

static bool is_norwegian(struct str base)
{
    return str_eq_nocase(base, STR("no")) || str_eq_nocase(base, STR("nn")) ||
           str_eq_nocase(base, STR("nb"));
}

const struct json_member *language_member(const struct json *by_language, struct str wanted)
{
    static const char *const norwegian[] = { "nb", "no", "nn" };
    if (by_language == NULL || by_language->kind != JSON_OBJECT || wanted.len == 0)
        return NULL;
    struct str                base = base_of(wanted);
    const struct json_member *found = exactly(by_language, wanted);
    if (found == NULL)
        found = exactly(by_language, base);
    for (size_t i = 0; found == NULL && is_norwegian(base) && i < 3; i++)
        found = exactly(by_language, str_of(norwegian[i]));
    return found;
}

struct str house_language(const struct str *languages, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct str base = is_norwegian(base_of(languages[i])) ? STR("nb") : base_of(languages[i]);
        for (size_t k = 0; k < sizeof house_languages / sizeof house_languages[0]; k++)
            if (str_eq_nocase(base, str_of(house_languages[k])))
                return str_of(house_languages[k]);
    }
    return STR("en");
}

struct str unsubscribe_word(struct str language)
{
    static const char *const words[][2] = {
        { "en", "Unsubscribe" }, { "nb", "Meld meg av" }, { "sv", "Avsluta prenumerationen" },
        { "nl", "Afmelden" },    { "de", "Abmelden" },    { "fr", "Se d\xc3\xa9sabonner" },
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(language, str_of(words[i][0])))
            return str_of(words[i][1]);
    return str_of(words[0][1]);
}

struct topic_words topic_words_of(const struct json *document, struct str id,
                                  const struct str *languages, uint32_t count)
{
    const struct json        *topic = topic_find(document, id);
    const struct json        *texts = topic == NULL ? NULL : json_get(topic, STR("texts"));
    const struct json_member *found = NULL;
    for (uint32_t i = 0; found == NULL && i < count; i++)
        found = language_member(texts, languages[i]);
    if (found == NULL)
        found = language_member(texts, STR("en"));
    if (found == NULL && texts != NULL && texts->kind == JSON_OBJECT && texts->count > 0)
        found = &texts->members[0];
    if (found == NULL)
        return (struct topic_words){ .name = id };
    return (struct topic_words){ json_get_str(&found->value, STR("name")),
                                 json_get_str(&found->value, STR("description")), found->key };
}

/* ---- for templates ---- */

static struct json text_json(struct str text)
{
    return (struct json){ .kind = JSON_STRING, .string = text };
}

enum err topic_data(const struct data_in *in, struct arena *arena, const struct json *person,
                    struct json *out)
{
    enum { MEMBERS = 4 };
    struct json_member *members = ARENA_ARRAY(arena, MEMBERS, struct json_member);
    struct str          id = STR_NONE;
    struct str          languages[] = { json_get_str(person, STR("language")),
                                        json_get_str(person, STR("locale")), in->workspace->language };
    if (members == NULL)
        return ERR_MEMORY;
    if (in->claim->topic != 0)
        TRY(parts_name(in->parts, STORE_NAME_TOPIC, in->claim->topic, arena, &id));
    struct topic_words words = topic_words_of(parts_topics(in->parts), id, languages, 3);
    members[0] = (struct json_member){ STR("id"), text_json(id) };
    members[1] = (struct json_member){ STR("name"), text_json(words.name) };
    members[2] = (struct json_member){ STR("description"), text_json(words.description) };
    members[3] = (struct json_member){ STR("language"), text_json(house_language(languages, 3)) };
    *out = (struct json){ .kind = JSON_OBJECT, .count = MEMBERS, .members = members };
    return OK;
}
