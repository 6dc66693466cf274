/*
 * The values of a mapping as they are written: columns, templates, types, objects and lists.
 */
#include "intake/mapping_inside.h"

#include <stdio.h>
#include <string.h>

#include "intake/date_format.h"

static const char *const type_names[TYPES] = {
    [TYPE_TEXT] = "text",       [TYPE_NUMBER] = "number", [TYPE_INTEGER] = "integer",
    [TYPE_BOOLEAN] = "boolean", [TYPE_DATE] = "date",
};

static void place_write(const struct place *place, char *out, size_t out_bytes)
{
    out[0] = '\0';
    if (place->above != NULL)
        place_write(place->above, out, out_bytes);
    size_t     len = strlen(out);
    struct str name = place->name; /* a stranger's key may be empty or begin with a NUL */
    if (name.len == 0 || name.ptr[0] == '\0')
        name = STR("\"\"");
    snprintf(out + len, out_bytes - len, "%s%.*s", len > 0 ? "." : "", STR_ARG(name));
}

enum err mapping_wrong(const struct place *place, struct problem *problem, const char *what,
                       const char *remedy)
{
    char where[160];
    place_write(place, where, sizeof where);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

/* Is every key of `object` one of the words (a list ended by NULL)? */
enum err mapping_words_check(const struct json *object, const char *const *words,
                             const struct place *place, struct problem *problem)
{
    for (uint32_t i = 0; i < object->count; i++) {
        struct str key = object->members[i].key;
        size_t     w = 0;
        while (words[w] != NULL && !str_eq(key, str_of(words[w])))
            w++;
        struct place here = { place, key };
        if (words[w] == NULL)
            return mapping_wrong(
                &here, problem, "This word is not known here.",
                "See the manual of mappings for the words, and check the spelling.");
    }
    return OK;
}

/* The index of a column in mapping->columns, added where new. */
enum err mapping_column(struct mapping *mapping, struct str name, const struct place *place,
                        struct problem *problem, int32_t *out)
{
    uint32_t i = 0;
    while (i < mapping->columns_count && !str_eq(mapping->columns[i], name))
        i++;
    if (name.len == 0)
        return mapping_wrong(place, problem, "A column has no name.", "Name a column of the file.");
    if (i == MAPPING_COLUMNS_MAX)
        return mapping_wrong(place, problem, "More than 1,024 columns.", "Use fewer columns.");
    if (i == mapping->columns_count) {
        mapping->columns[i] = name;
        mapping->places[i] = UNBOUND;
        mapping->columns_count++;
    }
    *out = (int32_t)i;
    return OK;
}

/* The next piece of template text from *at on: up to a brace, a doubled brace, or a {column}. */
static enum err part_parse(struct mapping *mapping, struct str text, size_t *at, struct part *part,
                           const struct place *place, struct problem *problem)
{
    size_t from = *at;
    char   first = text.ptr[from];
    part->column = COLUMN_CONSTANT;
    if (first != '{' && first != '}') {
        while (*at < text.len && text.ptr[*at] != '{' && text.ptr[*at] != '}')
            ++*at;
        part->text = str_slice(text, from, *at);
        return OK;
    }
    if (from + 1 < text.len && text.ptr[from + 1] == first) {
        *at = from + 2;
        part->text = str_slice(text, from, from + 1);
        return OK;
    }
    size_t end = str_find_char(text, from, '}');
    if (first == '}' || end == text.len)
        return mapping_wrong(place, problem, "A brace that has no partner.",
                             "Write {column}, and {{ or }} for a brace itself.");
    *at = end + 1;
    return mapping_column(mapping, str_trim(str_slice(text, from + 1, end)), place, problem,
                          &part->column);
}

static enum err template_parse(struct mapping *mapping, struct str text, struct value *value,
                               const struct place *place, struct problem *problem)
{
    value->parts = ARENA_ARRAY(mapping->arena, text.len, struct part);
    if (value->parts == NULL)
        return ERR_MEMORY;
    for (size_t at = 0; at < text.len;)
        TRY(part_parse(mapping, text, &at, &value->parts[value->parts_count++], place, problem));
    value->kind = VALUE_TEMPLATE;
    return OK;
}

static enum err column_parse(struct mapping *mapping, struct str name, struct value *value,
                             const struct place *place, struct problem *problem)
{
    value->parts = ARENA_NEW(mapping->arena, struct part);
    if (value->parts == NULL)
        return ERR_MEMORY;
    value->kind = VALUE_COLUMN;
    value->parts_count = 1;
    return mapping_column(mapping, name, place, problem, &value->parts[0].column);
}

static enum err value_parse(struct mapping *mapping, const struct json *from, struct value *value,
                            const struct place *place, struct problem *problem);

static enum err type_parse(const struct json *from, struct value *value, const struct place *place,
                           struct problem *problem)
{
    const struct json *type = json_get(from, STR("type")), *format = json_get(from, STR("format"));
    struct place       at_type = { place, STR("type") }, at_format = { place, STR("format") };
    value->is_typed = type != NULL;
    if (type != NULL) {
        int t = 0;
        while (t < TYPES &&
               !(type->kind == JSON_STRING && str_eq(type->string, str_of(type_names[t]))))
            t++;
        if (t == TYPES)
            return mapping_wrong(&at_type, problem, "This type is not known.",
                                 "Use text, number, integer, boolean or date.");
        value->type = (enum value_type)t;
    }
    value->format = STR("iso");
    if (format == NULL)
        return OK;
    if (value->is_typed && value->type != TYPE_DATE)
        return mapping_wrong(&at_format, problem, "Only a date has a format.",
                             "Say \"type\":\"date\".");
    if (format->kind != JSON_STRING || !date_format_is(format->string))
        return mapping_wrong(&at_format, problem, "This is not a date format.",
                             "Use iso, epoch, epoch_ms or a pattern such as %Y%m%d.");
    value->type = TYPE_DATE;
    value->is_typed = true;
    value->format = format->string;
    return OK;
}

/* {"column":...} or {"text":...} with type, format and default. */
static enum err source_parse(struct mapping *mapping, const struct json *from, struct value *value,
                             const struct place *place, struct problem *problem)
{
    static const char *const words[] = { "column", "text", "type", "format", "default", NULL };
    const struct json       *column = json_get(from, STR("column"));
    const struct json       *text = json_get(from, STR("text"));
    TRY(mapping_words_check(from, words, place, problem));
    TRY(type_parse(from, value, place, problem));
    value->constant = json_get(from, STR("default"));
    if (column != NULL && text != NULL)
        return mapping_wrong(place, problem, "Both a column and a text.", "Leave one of them out.");
    const struct json *said = column != NULL ? column : text;
    if (said->kind != JSON_STRING)
        return mapping_wrong(place, problem, "The column or text is not a string.", "Quote it.");
    if (column != NULL)
        return column_parse(mapping, said->string, value, place, problem);
    return template_parse(mapping, said->string, value, place, problem);
}

enum err mapping_inner_parse(struct mapping *mapping, const struct json *from, struct value *value,
                             const struct place *place, struct problem *problem)
{
    value->kind = from->kind == JSON_OBJECT ? VALUE_OBJECT : VALUE_LIST;
    value->inner = ARENA_ARRAY(mapping->arena, from->count, struct value);
    if (value->inner == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < from->count; i++) {
        char index[16];
        bool is_object = from->kind == JSON_OBJECT;
        snprintf(index, sizeof index, "%u", i);
        struct place here = { place, is_object ? from->members[i].key : str_of(index) };
        value->inner[i].key = is_object ? from->members[i].key : value->key;
        TRY(value_parse(mapping, is_object ? &from->members[i].value : &from->items[i],
                        &value->inner[i], &here, problem));
        value->inner_count++;
    }
    return OK;
}

static enum err value_parse(struct mapping *mapping, const struct json *from, struct value *value,
                            const struct place *place, struct problem *problem)
{
    if (from->kind == JSON_STRING)
        return template_parse(mapping, from->string, value, place, problem);
    if (from->kind == JSON_OBJECT &&
        (json_get(from, STR("column")) != NULL || json_get(from, STR("text")) != NULL))
        return source_parse(mapping, from, value, place, problem);
    if (from->kind == JSON_OBJECT || from->kind == JSON_ARRAY)
        return mapping_inner_parse(mapping, from, value, place, problem);
    value->kind = VALUE_CONSTANT;
    value->constant = from;
    return OK;
}
