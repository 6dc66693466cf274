#include "intake/mapping_inside.h"

#include <stdio.h>
#include <string.h>

#include "intake/arrival.h"

static enum err skips_parse(struct mapping *mapping, const struct json *from, struct each *each,
                            const struct place *place, struct problem *problem)
{
    static const char *const words[] = { "column", "empty", "is", NULL };
    struct place             here = { place, STR("skip_when") };
    if (from == NULL)
        return OK;
    if (from->kind != JSON_ARRAY)
        return mapping_wrong(&here, problem, "This is not a list.",
                             "Write [{\"column\":\"email\",\"empty\":true}].");
    each->skips = ARENA_ARRAY(mapping->arena, from->count, struct skip);
    if (each->skips == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < from->count; i++) {
        struct skip       *skip = &each->skips[each->skips_count++];
        const struct json *is = json_get(&from->items[i], STR("is"));
        if (from->items[i].kind != JSON_OBJECT)
            return mapping_wrong(&here, problem, "An item is not an object.",
                                 "Write {\"column\":\"email\",\"empty\":true}.");
        TRY(mapping_words_check(&from->items[i], words, &here, problem));
        TRY(mapping_column(mapping, json_get_str(&from->items[i], STR("column")), &here, problem,
                           &skip->column));
        skip->when_empty = json_get_bool(&from->items[i], STR("empty"), false);
        skip->when_is = is != NULL && is->kind == JSON_STRING ? is->string : STR_NONE;
        if (skip->when_empty == (skip->when_is.len > 0))
            return mapping_wrong(&here, problem, "Neither or both of empty and is.",
                                 "Say \"empty\":true, or \"is\":\"some text\".");
    }
    return OK;
}

/* The type decides what kind of record it is: it is a word of ours, not a template. */
static enum err kind_check(const struct json *from, const struct place *place,
                           struct problem *problem)
{
    struct place       here = { place, STR("type") };
    const struct json *type = json_get(from, STR("type"));
    enum arrival_kind  kind;
    if (type == NULL || type->kind != JSON_STRING || arrival_kind_parse(type->string, &kind) != OK)
        return mapping_wrong(&here, problem, "The type of the record is missing or not known.",
                             "Use track, identify, page, screen, group or alias.");
    if (kind == ARRIVAL_TRACK && json_get(from, STR("event")) == NULL)
        return mapping_wrong(place, problem, "A track has no event.",
                             "Name what happened: \"event\":\"Order Completed\".");
    if (json_get(from, STR("userId")) == NULL && json_get(from, STR("anonymousId")) == NULL)
        return mapping_wrong(place, problem, "The record has neither userId nor anonymousId.",
                             "Say whom the row is about: \"userId\":\"{customer}\".");
    return OK;
}

static enum err without_skips(struct arena *arena, const struct json *from, struct json *out)
{
    struct json_member *members = ARENA_ARRAY(arena, from->count, struct json_member);
    uint32_t            count = 0;
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < from->count; i++)
        if (!str_eq(from->members[i].key, STR("skip_when")))
            members[count++] = from->members[i];
    *out = (struct json){ .kind = JSON_OBJECT, .count = count, .members = members };
    return OK;
}

static enum err each_parse(struct mapping *mapping, const struct json *from, struct each *each,
                           const struct place *place, struct problem *problem)
{
    static const char *const words[] = { "type",      "event",        "name",       "category",
                                         "userId",    "anonymousId",  "previousId", "groupId",
                                         "messageId", "timestamp",    "properties", "traits",
                                         "context",   "integrations", "skip_when",  NULL };
    if (from->kind != JSON_OBJECT)
        return mapping_wrong(place, problem, "A record is not an object.",
                             "Write {\"type\":\"track\",\"event\":...}.");
    TRY(mapping_words_check(from, words, place, problem));
    TRY(kind_check(from, place, problem));
    TRY(skips_parse(mapping, json_get(from, STR("skip_when")), each, place, problem));
    struct json message;
    TRY(without_skips(mapping->arena, from, &message));
    TRY(mapping_inner_parse(mapping, &message, &each->message, place, problem));
    for (uint32_t i = 0; i < each->message.inner_count; i++) {
        struct value *value = &each->message.inner[i];
        bool          is_source = value->kind == VALUE_COLUMN || value->kind == VALUE_TEMPLATE;
        if (str_eq(value->key, STR("timestamp")) && is_source && !value->is_typed) {
            value->type = TYPE_DATE;
            value->is_typed = true;
            value->format = STR("iso");
        }
    }
    return OK;
}

static enum err rows_parse(struct mapping *mapping, const struct json *root,
                           struct problem *problem)
{
    const struct json *from = json_get(root, STR("each_row"));
    struct place       top = { NULL, STR("each_row") };
    if (from == NULL || (from->kind != JSON_OBJECT && from->kind != JSON_ARRAY))
        return mapping_wrong(&top, problem, "The mapping does not say what a row becomes.",
                             "Write \"each_row\":{\"type\":\"track\",...}, or a list of these.");
    bool     is_list = from->kind == JSON_ARRAY;
    uint32_t count = is_list ? from->count : 1;
    if (count == 0 || count > MAPPING_RECORDS_MAX)
        return mapping_wrong(&top, problem, "A row becomes no record, or more than 16.",
                             "Write between 1 and 16 records.");
    for (uint32_t i = 0; i < count; i++) {
        char index[16];
        snprintf(index, sizeof index, "%u", i);
        struct place here = { &top, str_of(index) };
        TRY(each_parse(mapping, is_list ? &from->items[i] : from, &mapping->each[i],
                       is_list ? &here : &top, problem));
        mapping->each_count++;
    }
    return OK;
}

static enum err widths_parse(struct mapping *mapping, const struct json *root,
                             struct problem *problem)
{
    struct place       here = { NULL, STR("widths") };
    const struct json *from = json_get(root, STR("widths"));
    bool               wanted = mapping->shape.form == CSV_FIXED;
    if (!wanted && from == NULL)
        return OK;
    if (!wanted || from == NULL || from->kind != JSON_ARRAY || from->count == 0 ||
        from->count > CSV_FIELDS_MAX)
        return mapping_wrong(&here, problem, "Widths and the format \"fixed\" belong together.",
                             "List the bytes of each column: \"widths\":[5,8,2].");
    int32_t *widths = ARENA_ARRAY(mapping->arena, from->count, int32_t);
    if (widths == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct json *item = &from->items[i];
        if (item->kind != JSON_INT || item->integer < 1 || item->integer > CSV_FIELD_BYTES_MAX)
            return mapping_wrong(&here, problem, "A width is no number of bytes.",
                                 "Use whole numbers of at least 1.");
        widths[i] = (int32_t)item->integer;
    }
    mapping->shape.widths = widths;
    mapping->shape.widths_count = from->count;
    return OK;
}

static enum err separator_parse(struct mapping *mapping, const struct json *root,
                                struct problem *problem)
{
    struct place       here = { NULL, STR("separator") };
    const struct json *from = json_get(root, STR("separator"));
    mapping->shape.separator = ',';
    if (from == NULL)
        return OK;
    if (mapping->shape.form != CSV_SEPARATED)
        return mapping_wrong(&here, problem, "Only csv has a separator.", "Leave it out.");
    if (from->kind != JSON_STRING || from->string.len != 1 || from->string.ptr[0] == '"' ||
        from->string.ptr[0] == '\n' || from->string.ptr[0] == '\r' || from->string.ptr[0] == '\0')
        return mapping_wrong(&here, problem, "The separator is not one character.",
                             "Use \",\", \";\", \"\\t\" or \"|\".");
    mapping->shape.separator = from->string.ptr[0];
    return OK;
}

static enum err format_parse(struct mapping *mapping, const struct json *root,
                             struct problem *problem)
{
    static const struct {
        const char   *name;
        enum csv_form form;
    } forms[] = {
        { "csv", CSV_SEPARATED },
        { "whitespace", CSV_WHITESPACE },
        { "fixed", CSV_FIXED },
        { "ndjson", CSV_LINES },
    };
    struct place here = { NULL, STR("format") };
    struct str   name = json_get_str(root, STR("format"));
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (str_eq(name, str_of(forms[i].name))) {
            mapping->shape.form = forms[i].form;
            mapping->is_ndjson = forms[i].form == CSV_LINES;
            TRY(separator_parse(mapping, root, problem));
            return widths_parse(mapping, root, problem);
        }
    return mapping_wrong(&here, problem, "The format is missing or not known.",
                         "Use csv, whitespace, fixed or ndjson.");
}

/* Finds each column that is asked for among the names a row has. */
static enum err places_find(struct mapping *mapping, const struct str *names, uint32_t count,
                            struct problem *problem)
{
    for (uint32_t c = 0; c < mapping->columns_count; c++) {
        mapping->places[c] = UNBOUND;
        for (uint32_t i = 0; i < count && mapping->places[c] == UNBOUND; i++)
            if (str_eq(str_trim(names[i]), mapping->columns[c]))
                mapping->places[c] = (int32_t)i;
        if (mapping->places[c] == UNBOUND)
            return problem_format(problem, ERR_INPUT, "columns",
                                  "Check the spelling, and the header or columns of the mapping.",
                                  "The file has no column named \"%.*s\".",
                                  STR_ARG(mapping->columns[c]));
    }
    mapping->row_fields = count;
    return OK;
}

static enum err given_columns_bind(struct mapping *mapping, struct problem *problem)
{
    struct place       here = { NULL, STR("columns") };
    const struct json *given = mapping->given_columns;
    struct str        *names = ARENA_ARRAY(mapping->arena, given->count, struct str);
    if (names == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < given->count; i++) {
        if (given->items[i].kind != JSON_STRING)
            return mapping_wrong(&here, problem, "A name is not a string.", "Quote the names.");
        names[i] = given->items[i].string;
    }
    if (mapping->shape.form == CSV_FIXED && given->count != mapping->shape.widths_count)
        return mapping_wrong(&here, problem, "There are not as many columns as widths.",
                             "Give a name and a width for each column.");
    return places_find(mapping, names, given->count, problem);
}

static enum err columns_parse(struct mapping *mapping, const struct json *root,
                              struct problem *problem)
{
    struct place       here = { NULL, STR("columns") };
    const struct json *header = json_get(root, STR("header"));
    mapping->given_columns = json_get(root, STR("columns"));
    if (mapping->is_ndjson) {
        if (header != NULL || mapping->given_columns != NULL)
            return mapping_wrong(&here, problem, "NDJSON names its values itself.",
                                 "Leave out header and columns.");
        return OK;
    }
    if (header != NULL && header->kind != JSON_BOOL)
        return mapping_wrong(&(struct place){ NULL, STR("header") }, problem,
                             "This is not true or false.",
                             "Say true when the first row names the columns.");
    mapping->has_header = header != NULL ? header->truth : mapping->given_columns == NULL;
    if (mapping->given_columns == NULL && !mapping->has_header)
        return mapping_wrong(&here, problem, "Nothing names the columns.",
                             "Say \"header\":true, or list the names as columns.");
    if (mapping->given_columns == NULL)
        return OK;
    if (mapping->given_columns->kind != JSON_ARRAY || mapping->given_columns->count == 0)
        return mapping_wrong(&here, problem, "This is not a list of names.",
                             "Write \"columns\":[\"customer\",\"date\"].");
    return given_columns_bind(mapping, problem);
}

enum err mapping_parse(struct arena *arena, struct str text, struct mapping **out,
                       struct problem *problem)
{
    static const char *const words[] = { "mapping", "about",   "format",   "separator", "widths",
                                         "header",  "columns", "each_row", NULL };
    struct place             top = { NULL, STR("mapping") };
    struct mapping          *mapping = ARENA_NEW(arena, struct mapping);
    struct json             *root = ARENA_NEW(arena, struct json);
    if (mapping == NULL || root == NULL)
        return ERR_MEMORY;
    if (text.len > MAPPING_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "mapping", "The mapping is larger than 256 KB.",
                           "Is this the mapping, and not the data?");
    TRY(json_parse_once(arena, text, root, problem));
    if (root->kind != JSON_OBJECT)
        return mapping_wrong(&top, problem, "The mapping is not a JSON object.", "See the manual.");
    mapping->arena = arena;
    mapping->name = json_get_str(root, STR("mapping"));
    TRY(mapping_words_check(root, words, NULL, problem));
    if (mapping->name.len == 0)
        return mapping_wrong(&top, problem, "The mapping has no name.",
                             "Write \"mapping\":\"orders\".");
    TRY(format_parse(mapping, root, problem));
    TRY(rows_parse(mapping, root, problem));
    TRY(columns_parse(mapping, root, problem));
    *out = mapping;
    return OK;
}

struct str mapping_name(const struct mapping *mapping)
{
    return mapping->name;
}

struct csv_shape mapping_shape(const struct mapping *mapping)
{
    return mapping->shape;
}

bool mapping_has_header(const struct mapping *mapping)
{
    return mapping->has_header;
}

bool mapping_is_ndjson(const struct mapping *mapping)
{
    return mapping->is_ndjson;
}

uint32_t mapping_records(const struct mapping *mapping)
{
    return mapping->each_count;
}

enum err mapping_bind(struct mapping *mapping, const struct csv_row *header,
                      struct problem *problem)
{
    if (mapping->given_columns == NULL)
        return places_find(mapping, header->fields, header->count, problem);
    if (header->count == mapping->given_columns->count)
        return OK;
    return problem_format(problem, ERR_INPUT, "columns", "Name every column of the file.",
                          "The header has %u columns, the mapping names %u.", header->count,
                          mapping->given_columns->count);
}
