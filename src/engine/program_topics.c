/*
 * The topics: one document, read into what a claim and a word of consent ask of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/program_inside.h"
#include "engine/vec.h"

struct topic_def topics_at(const struct topics_def *topics, uint32_t topic)
{
    return topic < topics->count ? topics->items[topic] : (struct topic_def){ 0 };
}

bool topics_confirm_any(const struct topics_def *topics)
{
    for (uint32_t i = 0; i < topics->count; i++)
        if (topics->items[i].confirm != 0)
            return true;
    return false;
}

void topics_done(struct topics_def *topics)
{
    free(topics->items);
    free(topics->text);
    *topics = (struct topics_def){ 0 };
}

static enum err fault(struct problem *problem, uint32_t topic, const char *field, const char *what,
                      const char *remedy)
{
    char where[64];
    snprintf(where, sizeof where, "topics[%u].%s", topic, field);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

/* ---- texts ---- */

static bool is_language(struct str code)
{
    bool good = code.len >= 2 && code.len <= 35;
    for (size_t i = 0; good && i < code.len; i++) {
        char c = code.ptr[i];
        good = c == '-' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    }
    return good;
}

static bool is_text(const struct json *value, size_t bytes_max)
{
    return value == NULL || (value->kind == JSON_STRING && value->string.len <= bytes_max);
}

static enum err texts_check(const struct json *texts, uint32_t topic, struct problem *problem)
{
    if (texts == NULL)
        return OK;
    if (texts->kind != JSON_OBJECT || texts->count > TOPIC_LANGUAGES_MAX)
        return fault(problem, topic, "texts", "These are no texts by language.",
                     "Write {\"en\": {\"name\": \"News\", \"description\": \"...\"}}.");
    for (uint32_t i = 0; i < texts->count; i++) {
        const struct json *text = &texts->members[i].value;
        if (!is_language(texts->members[i].key))
            return fault(problem, topic, "texts", "A text is under something that is no language.",
                         "Write codes such as en, nb, de or pt-BR.");
        if (text->kind != JSON_OBJECT || str_is_empty(json_get_str(text, STR("name"))) ||
            !is_text(json_get(text, STR("name")), TOPIC_NAME_BYTES_MAX) ||
            !is_text(json_get(text, STR("description")), TOPIC_TEXT_BYTES_MAX))
            return fault(problem, topic, "texts",
                         "A text has no name, or one of more than 200 bytes, or a description of "
                         "more than 2,000.",
                         "Write {\"name\": \"News\", \"description\": \"Once a month.\"}.");
    }
    return OK;
}

/* ---- one topic ---- */

static enum err channels_check(const struct json *list, uint32_t topic, struct problem *problem)
{
    enum consent_channel channel;
    bool good = list == NULL || (list->kind == JSON_ARRAY && list->count < CHANNELS);
    for (uint32_t i = 0; good && list != NULL && i < list->count; i++)
        good = list->items[i].kind == JSON_STRING && channel_of(list->items[i].string, &channel) &&
               channel != CHANNEL_ALL;
    return good ? OK
                : fault(problem, topic, "channels", "These are no channels.",
                        "Write [\"email\"], with sms, push and post where you use them.");
}

static enum err confirm_read(const struct json *list, uint32_t topic, struct topic_def *out,
                             struct problem *problem)
{
    bool good = list == NULL || list->kind == JSON_ARRAY;
    for (uint32_t i = 0; good && list != NULL && i < list->count; i++) {
        enum consent_source source = CONSENT_SOURCES_ASKED;
        if (list->items[i].kind == JSON_STRING)
            source = consent_source_of(list->items[i].string);
        good = source < CONSENT_SOURCES_ASKED;
        if (good)
            out->confirm |= (uint8_t)(1 << source);
    }
    return good ? OK
                : fault(problem, topic, "confirm", "These are no ways by which people say yes.",
                        "Write [\"form\"], with api and import where these are to be confirmed.");
}

static enum err topic_read(const struct json *item, uint32_t at, struct topic_def *out,
                           struct problem *problem)
{
    static const char *const known[] = { "id", "channels", "opt_in", "confirm", "texts" };
    struct str               id = json_get_str(item, STR("id"));
    const struct json       *opt_in = json_get(item, STR("opt_in"));
    *out = (struct topic_def){ .opt_in = json_get_bool(item, STR("opt_in"), false) };
    if (str_is_empty(id) || id.len > TOPIC_NAME_BYTES_MAX || str_eq(id, STR("*")))
        return fault(problem, at, "id", "It has no id, or one of more than 200 bytes.",
                     "Write {\"id\": \"news\"}.");
    for (uint32_t i = 0; i < item->count; i++) {
        size_t k = 0;
        while (k < sizeof known / sizeof known[0] &&
               !str_eq(item->members[i].key, str_of(known[k])))
            k++;
        if (k == sizeof known / sizeof known[0])
            return fault(problem, at, "", "There is no such setting.",
                         "Use id, channels, opt_in, confirm and texts.");
    }
    if (opt_in != NULL && opt_in->kind != JSON_BOOL)
        return fault(problem, at, "opt_in", "This is neither true nor false.", "Write true.");
    TRY(channels_check(json_get(item, STR("channels")), at, problem));
    TRY(confirm_read(json_get(item, STR("confirm")), at, out, problem));
    return texts_check(json_get(item, STR("texts")), at, problem);
}

static enum err number_read(const struct json *object, const char *key, int64_t most, uint32_t *out,
                            struct problem *problem)
{
    int64_t value;
    if (json_get(object, str_of(key)) == NULL)
        return OK;
    if (!json_get_int(object, str_of(key), &value) || value < 1 || value > most)
        return problem_format(problem, ERR_INPUT, key, "Write a number, or leave it out.",
                              "This is no number from 1 to %lld.", (long long)most);
    *out = (uint32_t)value;
    return OK;
}

static enum err confirm_conf_read(const struct json *conf, struct topics_def *def,
                                  struct problem *problem)
{
    struct str name = json_get_str(conf, STR("template"));
    def->days = TOPICS_CONFIRM_DAYS;
    def->mails = TOPICS_CONFIRM_MAILS;
    if (name.len > TOPICS_TEMPLATE_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "confirm.template", "A name has at most 128 bytes.",
                           "Name a template.");
    str_to_cstr(name.len > 0 ? name : STR("confirm"), def->confirm_template,
                sizeof def->confirm_template);
    TRY(number_read(conf, "days", TOPICS_CONFIRM_DAYS_MAX, &def->days, problem));
    return number_read(conf, "mails", TOPICS_CONFIRM_MAILS_MAX, &def->mails, problem);
}

/* ---- the document ---- */

static enum err item_put(struct program *program, struct topics_def *def, struct str id,
                         struct topic_def topic)
{
    uint32_t number;
    TRY(program_intern(program, NAME_TOPIC, id, &number));
    while (def->count <= number)
        TRY(VEC_ADD(def, (struct topic_def){ 0 }));
    def->items[number] = topic;
    return OK;
}

/* Without a program the document is only checked. */
static enum err list_read(struct program *program, struct topics_def *def, const struct json *list,
                          struct problem *problem)
{
    if (list == NULL || list->kind != JSON_ARRAY || list->count > TOPICS_MAX)
        return problem_set(problem, ERR_INPUT, "topics", "There is no list of at most 200 topics.",
                           "Write {\"topics\": [{\"id\": \"news\", \"channels\": [\"email\"]}]}.");
    for (uint32_t i = 0; i < list->count; i++) {
        struct topic_def topic;
        struct str       id = json_get_str(&list->items[i], STR("id"));
        if (list->items[i].kind != JSON_OBJECT)
            return fault(problem, i, "", "This is not a topic.", "Write {\"id\": \"news\"}.");
        TRY(topic_read(&list->items[i], i, &topic, problem));
        for (uint32_t k = 0; k < i; k++)
            if (str_eq(json_get_str(&list->items[k], STR("id")), id))
                return fault(problem, i, "id", "This id is here twice.", "Keep one of them.");
        if (program != NULL)
            TRY(item_put(program, def, id, topic));
    }
    return OK;
}

static enum err document_read(struct program *program, struct str text, struct topics_def *def,
                              struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct json                        root;
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(scratch, text, &root, problem));
    TRY(confirm_conf_read(json_get(&root, STR("confirm")), def, problem));
    return list_read(program, def, json_get(&root, STR("topics")), problem);
}

static enum err text_keep(struct topics_def *def, struct str text)
{
    def->text = malloc(text.len);
    def->text_bytes = text.len;
    if (def->text == NULL)
        return ERR_MEMORY;
    memcpy(def->text, text.ptr, text.len);
    return OK;
}

enum err topics_define(struct program *program, struct str text, uint32_t version,
                       struct problem *problem)
{
    struct topics_def def = { .version = version }, old = program->topics;
    if (text.len == 0 && old.version == 0)
        return ERR_ABSENT;
    enum err err = text.len == 0 ? OK : document_read(program, text, &def, problem);
    if (err == OK && text.len > 0)
        err = text_keep(&def, text);
    if (err == OK)
        program->topics = def;
    topics_done(err == OK ? &old : &def);
    return err;
}

enum err topics_check(struct str text, struct problem *problem)
{
    struct topics_def def = { 0 };
    return text.len == 0 ? OK : document_read(NULL, text, &def, problem);
}

/* ---- limits ---- */

static enum err topic_number(void *context, struct str name, uint32_t *number)
{
    return program_intern(context, NAME_TOPIC, name, number);
}

enum err limits_define(struct program *program, struct str text, uint32_t version,
                       struct problem *problem)
{
    struct limits_topics topics = { topic_number, program };
    struct limits_def    def = { .version = version };
    if (text.len == 0 && program->limits.version == 0)
        return ERR_ABSENT;
    if (text.len > 0)
        TRY(limits_parse(text, &topics, &def, problem));
    program->limits = text.len > 0 ? def : (struct limits_def){ .version = 0 };
    return OK;
}

enum err limits_check(struct str text, struct problem *problem)
{
    struct limits_def def = { .version = 0 };
    return text.len == 0 ? OK : limits_parse(text, NULL, &def, problem);
}
