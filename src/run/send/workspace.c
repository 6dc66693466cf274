#include "run/send/workspace.h"

#include <stdio.h>

#include "base/json.h"
#include "message/address.h"
#include "message/header.h"
#include "run/send/forms.h"

static enum err fault(struct problem *problem, const char *field, const char *what,
                      const char *remedy)
{
    char where[160];
    snprintf(where, sizeof where, "workspace.json:%s", field);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

/* An unknown name is a typing mistake that would otherwise be found when a mail looks wrong. */
static enum err members_check(const struct json *object, const char *field,
                              const char *const *known, struct problem *problem)
{
    if (object->kind != JSON_OBJECT)
        return fault(problem, field, "This is not a JSON object.", "Write {...}.");
    for (uint32_t i = 0; i < object->count; i++) {
        const char *const *name = known;
        while (*name != NULL && !str_eq(object->members[i].key, str_of(*name)))
            name++;
        char at[120];
        snprintf(at, sizeof at, "%s%s%.*s", field, field[0] == '\0' ? "" : ".",
                 STR_ARG(str_slice(object->members[i].key, 0, 60)));
        if (*name == NULL)
            return fault(
                problem, at, "There is no such setting.",
                "Use name, address, sender {name, email, reply_to}, senders, topics, lists, "
                "timezone, language, currency, utm, forms and attribution.");
    }
    return OK;
}

/* A text of people's words for a header field. */
static enum err words(const struct json *object, const char *key, const char *field,
                      struct str *out, struct problem *problem)
{
    const struct json *value = json_get(object, str_of(key));
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || value->string.len > WORKSPACE_NAME_BYTES_MAX ||
        header_text_check(value->string, field, NULL) != OK)
        return fault(problem, field, "This is not a text of one line and at most 200 bytes.",
                     "Write it in quotes, without line breaks.");
    *out = str_trim(value->string);
    return OK;
}

static enum err mailbox(const struct json *object, const char *key, const char *field,
                        struct str *out, struct problem *problem)
{
    const struct json *value = json_get(object, str_of(key));
    char               where[160];
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING)
        return fault(problem, field, "This is not a text.", "Write \"name@example.com\".");
    snprintf(where, sizeof where, "workspace.json:%s", field);
    struct str address = str_trim(value->string);
    if (!str_is_empty(address))
        TRY(address_check(address, where, problem));
    *out = address;
    return OK;
}

/* A postal address may have lines. */
static enum err postal(const struct json *root, struct str *out, struct problem *problem)
{
    const struct json *value = json_get(root, STR("address"));
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || value->string.len > 4 * WORKSPACE_NAME_BYTES_MAX)
        return fault(problem, "address", "This is not a text of at most 800 bytes.",
                     "Write the postal address in quotes.");
    *out = str_trim(value->string);
    return OK;
}

static enum err sender(const struct json *root, struct workspace *out, struct problem *problem)
{
    static const char *const known[] = { "name", "email", "reply_to", NULL };
    const struct json       *object = json_get(root, STR("sender"));
    if (object == NULL)
        return OK;
    TRY(members_check(object, "sender", known, problem));
    TRY(words(object, "name", "sender.name", &out->sender_name, problem));
    TRY(mailbox(object, "email", "sender.email", &out->sender_email, problem));
    return mailbox(object, "reply_to", "sender.reply_to", &out->reply_to, problem);
}

static enum err item_read(const struct json *value, const char *field, struct workspace_item *out,
                          struct problem *problem)
{
    static const char *const known[] = { "id", "name", NULL };
    if (value->kind == JSON_STRING) {
        *out = (struct workspace_item){ value->string, value->string };
    } else {
        TRY(members_check(value, field, known, problem));
        out->id = json_get_str(value, STR("id"));
        out->name = json_get_str(value, STR("name"));
        if (str_is_empty(out->name))
            out->name = out->id;
    }
    if (str_is_empty(out->id) || out->id.len > WORKSPACE_NAME_BYTES_MAX)
        return fault(problem, field, "It has no id, or one of more than 200 bytes.",
                     "Write a text such as \"news\", or {\"id\": \"news\", \"name\": \"News\"}.");
    return OK;
}

static enum err items(struct arena *arena, const struct json *root, const char *key,
                      const struct workspace_item **out, uint32_t *count, struct problem *problem)
{
    const struct json *list = json_get(root, str_of(key));
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > WORKSPACE_ITEMS_MAX)
        return fault(problem, key, "This is not a list of at most 1,000.",
                     "Write [\"news\", ...].");
    struct workspace_item *made = ARENA_ARRAY(arena, list->count, struct workspace_item);
    if (made == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < list->count; i++) {
        char field[48];
        snprintf(field, sizeof field, "%s[%u]", key, i);
        TRY(item_read(&list->items[i], field, &made[i], problem));
        for (uint32_t k = 0; k < i; k++)
            if (str_eq(made[k].id, made[i].id))
                return fault(problem, field, "This id is here twice.", "Keep one of them.");
    }
    *out = made;
    *count = list->count;
    return OK;
}

/* "nb-NO", "EUR": letters, digits and hyphens. */
static enum err code(const struct json *root, const char *key, size_t bytes_max, struct str *out,
                     struct problem *problem)
{
    const struct json *value = json_get(root, str_of(key));
    if (value == NULL)
        return OK;
    bool good = value->kind == JSON_STRING && value->string.len <= bytes_max;
    for (size_t i = 0; good && i < value->string.len; i++) {
        char c = value->string.ptr[i];
        good = c == '-' || c == '_' || (c >= '0' && c <= '9') ||
               ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    }
    if (!good)
        return fault(problem, key, "This is no code.",
                     "Write a language such as \"nb-NO\", or a currency such as \"EUR\".");
    *out = value->string;
    return OK;
}

enum err workspace_parse(struct arena *arena, struct str text, struct workspace *out,
                         struct problem *problem)
{
    static const char *const known[] = { "name",     "address",     "sender",   "topics",  "lists",
                                         "timezone", "language",    "currency", "senders", "utm",
                                         "forms",    "attribution", NULL };
    struct workspace         made = { 0 };
    struct json              root;
    if (text.len > WORKSPACE_BYTES_MAX) {
        (void)fault(problem, "", "The file is larger than 1 MB.", "Shorten it.");
        return ERR_LIMIT;
    }
    if (str_trim(text).len == 0) {
        *out = made;
        return OK;
    }
    TRY(json_parse_once(arena, text, &root, problem));
    TRY(members_check(&root, "", known, problem));
    TRY(words(&root, "name", "name", &made.name, problem));
    TRY(postal(&root, &made.address, problem));
    TRY(sender(&root, &made, problem));
    TRY(items(arena, &root, "topics", &made.topics, &made.topics_count, problem));
    TRY(items(arena, &root, "lists", &made.lists, &made.lists_count, problem));
    TRY(code(&root, "language", 35, &made.language, problem));
    TRY(code(&root, "currency", 3, &made.currency, problem));
    TRY(sender_profiles_parse(arena, &root, &made.senders, problem));
    TRY(utm_rules_parse(arena, &root, &made.utm, problem));
    TRY(forms_check(&root, problem));
    TRY(attribution_parse(&root, &made.attribution, problem));
    made.timezone = json_get_str(&root, STR("timezone"));
    if (str_is_empty(made.sender_name))
        made.sender_name = made.name;
    *out = made;
    return OK;
}
