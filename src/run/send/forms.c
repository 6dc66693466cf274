#include "run/send/forms.h"

#include <stdio.h>

static enum err fault(struct problem *problem, uint32_t form, const char *key, const char *what,
                      const char *remedy)
{
    char where[120];
    snprintf(where, sizeof where, "workspace.json:forms[%u]%s%s", form, key[0] == '\0' ? "" : ".",
             key);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

static enum err words_check(const struct json *form, uint32_t number, const char *key,
                            uint32_t least, const char *start, struct problem *problem)
{
    const struct json *list = json_get(form, str_of(key));
    uint32_t           count = list == NULL ? 0 : list->count;
    if ((list != NULL && list->kind != JSON_ARRAY) || count < least || count > FORM_ITEMS_MAX)
        return fault(problem, number, key, "This is not a list of at most 20 texts.",
                     "Write [\"...\"]; a form has at least one topic.");
    for (uint32_t i = 0; i < count; i++) {
        struct str word = list->items[i].kind == JSON_STRING ? list->items[i].string : STR_NONE;
        if (word.len == 0 || word.len > FORM_ITEM_BYTES_MAX || !str_starts(word, str_of(start)) ||
            str_find_char(word, 0, '\n') < word.len || str_find_char(word, 0, '\r') < word.len)
            return fault(problem, number, key, "This is no such text of at most 200 bytes.",
                         "Sites and pages begin with https:// (or http://, on a machine of one's "
                         "own).");
    }
    return OK;
}

static bool is_id(struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        char c = id.ptr[i];
        if (c != '-' && c != '_' && !(c >= '0' && c <= '9') &&
            !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            return false;
    }
    return id.len > 0 && id.len <= FORM_ITEM_BYTES_MAX;
}

static enum err members_check(const struct json *form, uint32_t number, struct problem *problem)
{
    static const struct str known[] = { { "id", 2 },   { "topics", 6 },  { "fields", 6 },
                                        { "text", 4 }, { "origins", 7 }, { "redirects", 9 } };
    for (uint32_t i = 0; i < form->count; i++) {
        size_t k = 0;
        while (k < sizeof known / sizeof known[0] && !str_eq(form->members[i].key, known[k]))
            k++;
        if (k == sizeof known / sizeof known[0])
            return fault(problem, number, "", "A form has a member that nobody knows.",
                         "Use id, topics, fields, text, origins and redirects.");
    }
    return OK;
}

static enum err form_check(const struct json *form, uint32_t number, struct problem *problem)
{
    if (form->kind != JSON_OBJECT || !is_id(json_get_str(form, STR("id"))))
        return fault(
            problem, number, "id", "This form has no id.",
            "Write {\"id\": \"footer\", \"topics\": [...]}, with letters, digits, - and _.");
    TRY(members_check(form, number, problem));
    TRY(words_check(form, number, "topics", 1, "", problem));
    TRY(words_check(form, number, "fields", 0, "", problem));
    TRY(words_check(form, number, "origins", 0, "http", problem));
    TRY(words_check(form, number, "redirects", 0, "http", problem));
    const struct json *fields = json_get(form, STR("fields"));
    for (uint32_t i = 0; fields != NULL && i < fields->count; i++)
        if (str_starts(fields->items[i].string, STR("$")))
            return fault(problem, number, "fields", "Traits that begin with $ are Dult's own.",
                         "Leave it out; a stage is set by a rule, by hand or by a journey.");
    if (form_has(form, "fields", STR("email")))
        return fault(problem, number, "fields", "The address is asked in any case.",
                     "Leave email out.");
    if (json_get_str(form, STR("text")).len > FORM_TEXT_BYTES_MAX)
        return fault(problem, number, "text", "This is longer than 2000 bytes.", "Shorten it.");
    return OK;
}

enum err forms_check(const struct json *workspace, struct problem *problem)
{
    const struct json *forms = json_get(workspace, STR("forms"));
    if (forms == NULL)
        return OK;
    if (forms->kind != JSON_ARRAY || forms->count > FORMS_MAX)
        return problem_set(problem, ERR_INPUT, "workspace.json:forms",
                           "This is not a list of at most 100.", "Write [{\"id\": ...}, ...].");
    for (uint32_t i = 0; i < forms->count; i++) {
        TRY(form_check(&forms->items[i], i, problem));
        if (forms_find(workspace, json_get_str(&forms->items[i], STR("id"))) != &forms->items[i])
            return fault(problem, i, "id", "This id is here twice.", "Keep one of them.");
    }
    return OK;
}

const struct json *forms_find(const struct json *workspace, struct str id)
{
    const struct json *forms = json_get(workspace, STR("forms"));
    for (uint32_t i = 0; forms != NULL && forms->kind == JSON_ARRAY && i < forms->count; i++)
        if (str_eq(json_get_str(&forms->items[i], STR("id")), id))
            return &forms->items[i];
    return NULL;
}

bool form_has(const struct json *form, const char *key, struct str word)
{
    const struct json *list = json_get(form, str_of(key));
    for (uint32_t i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->count; i++)
        if (list->items[i].kind == JSON_STRING && str_eq(list->items[i].string, word))
            return true;
    return false;
}
