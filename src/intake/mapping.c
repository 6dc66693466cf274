#include "intake/mapping.h"

#include "base/time.h"
#include "intake/arrival.h"
#include "intake/date_format.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum value_kind { VALUE_CONSTANT, VALUE_COLUMN, VALUE_TEMPLATE, VALUE_OBJECT, VALUE_LIST };
enum value_type { TYPE_TEXT, TYPE_NUMBER, TYPE_INTEGER, TYPE_BOOLEAN, TYPE_DATE };
enum { TYPES = 5, UNBOUND = -1, COLUMN_CONSTANT = -1 };

static const char *const type_names[TYPES] = {
    [TYPE_TEXT] = "text",       [TYPE_NUMBER] = "number", [TYPE_INTEGER] = "integer",
    [TYPE_BOOLEAN] = "boolean", [TYPE_DATE] = "date",
};

/* A piece of a template: literal text, or a column (an index into mapping.columns). */
struct part {
    struct str text;
    int32_t    column; /* COLUMN_CONSTANT for text */
};

struct value {
    struct str         key; /* in an object */
    enum value_kind    kind;
    enum value_type    type;
    bool               is_typed; /* a type was asked for */
    struct str         format;   /* of a date */
    const struct json *constant; /* VALUE_CONSTANT; else the default, or NULL */
    struct part       *parts;    /* VALUE_COLUMN has one */
    uint32_t           parts_count;
    struct value      *inner; /* of an object or a list */
    uint32_t           inner_count;
};

struct skip {
    int32_t    column;
    bool       when_empty;
    struct str when_is;
};

struct each {
    struct value message; /* a VALUE_OBJECT */
    struct skip *skips;
    uint32_t     skips_count;
};

struct mapping {
    struct arena      *arena;
    struct str         name;
    struct csv_shape   shape;
    bool               is_ndjson, has_header;
    struct str         columns[MAPPING_COLUMNS_MAX]; /* that the records ask for */
    int32_t            places[MAPPING_COLUMNS_MAX];  /* where they are in a row */
    uint32_t           columns_count;
    const struct json *given_columns; /* names in the file's order, or NULL */
    uint32_t           row_fields;    /* how many a row must have; 0 where not known yet */
    struct each        each[MAPPING_RECORDS_MAX];
    uint32_t           each_count;
};

/* ---- parsing: places and problems ---- */

/* A path through the mapping file, for problems: each step knows the one above it. */
struct place {
    const struct place *above;
    struct str          name;
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

static enum err wrong(const struct place *place, struct problem *problem, const char *what,
                      const char *remedy)
{
    char where[160];
    place_write(place, where, sizeof where);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

/* Is every key of `object` one of the words (a list ended by NULL)? */
static enum err words_check(const struct json *object, const char *const *words,
                            const struct place *place, struct problem *problem)
{
    for (uint32_t i = 0; i < object->count; i++) {
        struct str key = object->members[i].key;
        size_t     w = 0;
        while (words[w] != NULL && !str_eq(key, str_of(words[w])))
            w++;
        struct place here = { place, key };
        if (words[w] == NULL)
            return wrong(&here, problem, "This word is not known here.",
                         "See the manual of mappings for the words, and check the spelling.");
    }
    return OK;
}

/* ---- parsing: columns and templates ---- */

/* The index of a column in mapping->columns, added where new. */
static enum err column_add(struct mapping *mapping, struct str name, const struct place *place,
                           struct problem *problem, int32_t *out)
{
    uint32_t i = 0;
    while (i < mapping->columns_count && !str_eq(mapping->columns[i], name))
        i++;
    if (name.len == 0)
        return wrong(place, problem, "A column has no name.", "Name a column of the file.");
    if (i == MAPPING_COLUMNS_MAX)
        return wrong(place, problem, "More than 1,024 columns.", "Use fewer columns.");
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
        return wrong(place, problem, "A brace that has no partner.",
                     "Write {column}, and {{ or }} for a brace itself.");
    *at = end + 1;
    return column_add(mapping, str_trim(str_slice(text, from + 1, end)), place, problem,
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
    return column_add(mapping, name, place, problem, &value->parts[0].column);
}

/* ---- parsing: values ---- */

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
            return wrong(&at_type, problem, "This type is not known.",
                         "Use text, number, integer, boolean or date.");
        value->type = (enum value_type)t;
    }
    value->format = STR("iso");
    if (format == NULL)
        return OK;
    if (value->is_typed && value->type != TYPE_DATE)
        return wrong(&at_format, problem, "Only a date has a format.", "Say \"type\":\"date\".");
    if (format->kind != JSON_STRING || !date_format_is(format->string))
        return wrong(&at_format, problem, "This is not a date format.",
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
    TRY(words_check(from, words, place, problem));
    TRY(type_parse(from, value, place, problem));
    value->constant = json_get(from, STR("default"));
    if (column != NULL && text != NULL)
        return wrong(place, problem, "Both a column and a text.", "Leave one of them out.");
    const struct json *said = column != NULL ? column : text;
    if (said->kind != JSON_STRING)
        return wrong(place, problem, "The column or text is not a string.", "Quote it.");
    if (column != NULL)
        return column_parse(mapping, said->string, value, place, problem);
    return template_parse(mapping, said->string, value, place, problem);
}

static enum err inner_parse(struct mapping *mapping, const struct json *from, struct value *value,
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
        return inner_parse(mapping, from, value, place, problem);
    value->kind = VALUE_CONSTANT;
    value->constant = from;
    return OK;
}

/* ---- parsing: records ---- */

static enum err skips_parse(struct mapping *mapping, const struct json *from, struct each *each,
                            const struct place *place, struct problem *problem)
{
    static const char *const words[] = { "column", "empty", "is", NULL };
    struct place             here = { place, STR("skip_when") };
    if (from == NULL)
        return OK;
    if (from->kind != JSON_ARRAY)
        return wrong(&here, problem, "This is not a list.",
                     "Write [{\"column\":\"email\",\"empty\":true}].");
    each->skips = ARENA_ARRAY(mapping->arena, from->count, struct skip);
    if (each->skips == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < from->count; i++) {
        struct skip       *skip = &each->skips[each->skips_count++];
        const struct json *is = json_get(&from->items[i], STR("is"));
        if (from->items[i].kind != JSON_OBJECT)
            return wrong(&here, problem, "An item is not an object.",
                         "Write {\"column\":\"email\",\"empty\":true}.");
        TRY(words_check(&from->items[i], words, &here, problem));
        TRY(column_add(mapping, json_get_str(&from->items[i], STR("column")), &here, problem,
                       &skip->column));
        skip->when_empty = json_get_bool(&from->items[i], STR("empty"), false);
        skip->when_is = is != NULL && is->kind == JSON_STRING ? is->string : STR_NONE;
        if (skip->when_empty == (skip->when_is.len > 0))
            return wrong(&here, problem, "Neither or both of empty and is.",
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
        return wrong(&here, problem, "The type of the record is missing or not known.",
                     "Use track, identify, page, screen, group or alias.");
    if (kind == ARRIVAL_TRACK && json_get(from, STR("event")) == NULL)
        return wrong(place, problem, "A track has no event.",
                     "Name what happened: \"event\":\"Order Completed\".");
    if (json_get(from, STR("userId")) == NULL && json_get(from, STR("anonymousId")) == NULL)
        return wrong(place, problem, "The record has neither userId nor anonymousId.",
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
        return wrong(place, problem, "A record is not an object.",
                     "Write {\"type\":\"track\",\"event\":...}.");
    TRY(words_check(from, words, place, problem));
    TRY(kind_check(from, place, problem));
    TRY(skips_parse(mapping, json_get(from, STR("skip_when")), each, place, problem));
    struct json message;
    TRY(without_skips(mapping->arena, from, &message));
    TRY(inner_parse(mapping, &message, &each->message, place, problem));
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
        return wrong(&top, problem, "The mapping does not say what a row becomes.",
                     "Write \"each_row\":{\"type\":\"track\",...}, or a list of these.");
    bool     is_list = from->kind == JSON_ARRAY;
    uint32_t count = is_list ? from->count : 1;
    if (count == 0 || count > MAPPING_RECORDS_MAX)
        return wrong(&top, problem, "A row becomes no record, or more than 16.",
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

/* ---- parsing: the shape of the file ---- */

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
        return wrong(&here, problem, "Widths and the format \"fixed\" belong together.",
                     "List the bytes of each column: \"widths\":[5,8,2].");
    int32_t *widths = ARENA_ARRAY(mapping->arena, from->count, int32_t);
    if (widths == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < from->count; i++) {
        const struct json *item = &from->items[i];
        if (item->kind != JSON_INT || item->integer < 1 || item->integer > CSV_FIELD_BYTES_MAX)
            return wrong(&here, problem, "A width is no number of bytes.",
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
        return wrong(&here, problem, "Only csv has a separator.", "Leave it out.");
    if (from->kind != JSON_STRING || from->string.len != 1 || from->string.ptr[0] == '"' ||
        from->string.ptr[0] == '\n' || from->string.ptr[0] == '\r' || from->string.ptr[0] == '\0')
        return wrong(&here, problem, "The separator is not one character.",
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
    return wrong(&here, problem, "The format is missing or not known.",
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
            return wrong(&here, problem, "A name is not a string.", "Quote the names.");
        names[i] = given->items[i].string;
    }
    if (mapping->shape.form == CSV_FIXED && given->count != mapping->shape.widths_count)
        return wrong(&here, problem, "There are not as many columns as widths.",
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
            return wrong(&here, problem, "NDJSON names its values itself.",
                         "Leave out header and columns.");
        return OK;
    }
    if (header != NULL && header->kind != JSON_BOOL)
        return wrong(&(struct place){ NULL, STR("header") }, problem, "This is not true or false.",
                     "Say true when the first row names the columns.");
    mapping->has_header = header != NULL ? header->truth : mapping->given_columns == NULL;
    if (mapping->given_columns == NULL && !mapping->has_header)
        return wrong(&here, problem, "Nothing names the columns.",
                     "Say \"header\":true, or list the names as columns.");
    if (mapping->given_columns == NULL)
        return OK;
    if (mapping->given_columns->kind != JSON_ARRAY || mapping->given_columns->count == 0)
        return wrong(&here, problem, "This is not a list of names.",
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
        return wrong(&top, problem, "The mapping is not a JSON object.", "See the manual.");
    mapping->arena = arena;
    mapping->name = json_get_str(root, STR("mapping"));
    TRY(words_check(root, words, NULL, problem));
    if (mapping->name.len == 0)
        return wrong(&top, problem, "The mapping has no name.", "Write \"mapping\":\"orders\".");
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

/* ---- rows ---- */

#define REFUSAL(field, reason, remedy)                                                             \
    ((struct mapping_refusal){ (field), STR(reason), STR(remedy) })

enum err mapping_row_check(const struct mapping *mapping, const struct mapping_row *row,
                           struct mapping_refusal *refusal)
{
    if (mapping->is_ndjson || row->csv->count == mapping->row_fields)
        return OK;
    *refusal =
        REFUSAL(STR("row"), "wrong_columns", "Give this row as many fields as there are columns.");
    return ERR_INPUT;
}

/* A column of a row: text, or for ndjson whatever stands there (NULL when nothing does). */
struct cell {
    struct str         text;
    const struct json *json;
};

static enum err cell_take(const struct mapping *mapping, struct arena *arena,
                          const struct mapping_row *row, int32_t column, struct cell *out)
{
    *out = (struct cell){ 0 };
    if (!mapping->is_ndjson) {
        int32_t place = mapping->places[column];
        assert(place != UNBOUND && (uint32_t)place < row->csv->count);
        out->text = row->csv->fields[place];
        return OK;
    }
    const struct json *json = json_path(row->object, mapping->columns[column]);
    if (json == NULL || json->kind == JSON_NULL)
        return OK;
    out->json = json;
    out->text = json->string;
    if (json->kind == JSON_STRING)
        return OK;
    SCOPED(buf_donep) struct buf text = buf_make(CSV_ROW_BYTES_MAX * 6);
    json_write(&text, json);
    TRY(buf_err(&text));
    out->text = str_copy(arena, buf_view(&text));
    return out->text.ptr == NULL ? ERR_MEMORY : OK;
}

static bool cell_is_empty(struct cell cell)
{
    return str_trim(cell.text).len == 0;
}

/* What a template says; *empty when it has columns and each is empty. */
static enum err template_take(const struct mapping *mapping, struct arena *arena,
                              const struct mapping_row *row, const struct value *value,
                              struct str *out, bool *empty)
{
    SCOPED(buf_donep) struct buf text = buf_make(CSV_ROW_BYTES_MAX * 6);
    bool                         has_columns = false, has_text = false;
    for (uint32_t i = 0; i < value->parts_count; i++) {
        const struct part *part = &value->parts[i];
        struct cell        cell = { .text = part->text };
        if (part->column != COLUMN_CONSTANT) {
            TRY(cell_take(mapping, arena, row, part->column, &cell));
            has_columns = true;
            has_text = has_text || !cell_is_empty(cell);
        }
        buf_str(&text, cell.text);
    }
    TRY(buf_err(&text));
    *empty = has_columns && !has_text;
    *out = str_copy(arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static bool boolean_read(struct str text, bool *out)
{
    static const char *const words[2][5] = { { "false", "no", "n", "f", "0" },
                                             { "true", "yes", "y", "t", "1" } };
    for (int truth = 0; truth < 2; truth++)
        for (int i = 0; i < 5; i++)
            if (str_eq_nocase(text, str_of(words[truth][i]))) {
                *out = truth == 1;
                return true;
            }
    return false;
}

static enum err date_make(struct arena *arena, struct str format, struct str text, struct json *out)
{
    char    iso[TIME_TEXT_BYTES];
    int64_t at_ms;
    TRY(date_format_read(format, text, &at_ms));
    *out = (struct json){ .kind = JSON_STRING,
                          .string = str_copy(arena, str_of(time_write(at_ms, iso))) };
    return out->string.ptr == NULL ? ERR_MEMORY : OK;
}

/* Text as the type that was asked for. ERR_INPUT when it is not one. */
static enum err typed_make(struct arena *arena, const struct value *value, struct str text,
                           struct json *out)
{
    struct str trimmed = str_trim(text);
    *out = (struct json){ 0 };
    switch (value->type) {
    case TYPE_TEXT:
        *out = (struct json){ .kind = JSON_STRING, .string = text };
        return OK;
    case TYPE_NUMBER:
        out->kind = JSON_INT;
        if (str_to_int(trimmed, &out->integer) == OK)
            return OK;
        out->kind = JSON_REAL;
        return str_to_real(trimmed, &out->real);
    case TYPE_INTEGER:
        out->kind = JSON_INT;
        return str_to_int(trimmed, &out->integer);
    case TYPE_BOOLEAN:
        out->kind = JSON_BOOL;
        return boolean_read(trimmed, &out->truth) ? OK : ERR_INPUT;
    case TYPE_DATE:
        return date_make(arena, value->format, trimmed, out);
    }
    return ERR_CORRUPT;
}

static struct mapping_refusal type_refusal(const struct value *value)
{
    switch (value->type) {
    case TYPE_NUMBER:
        return REFUSAL(value->key, "not_a_number", "Write a number such as 12.50, without units.");
    case TYPE_INTEGER:
        return REFUSAL(value->key, "not_an_integer", "Write a whole number.");
    case TYPE_BOOLEAN:
        return REFUSAL(value->key, "not_a_boolean", "Write true or false, yes or no, 1 or 0.");
    default:
        return REFUSAL(value->key, "not_a_date", "Write the date as the mapping's format says.");
    }
}

/* Builds values; ERR_ABSENT where there is nothing to say. */
struct builder {
    const struct mapping     *mapping;
    struct arena             *arena;
    const struct mapping_row *row;
    struct mapping_refusal   *refusal;
};

static enum err value_make(const struct builder *b, const struct value *value, struct json *out);

static enum err default_make(const struct value *value, struct json *out)
{
    if (value->constant == NULL)
        return ERR_ABSENT;
    *out = *value->constant;
    return OK;
}

static enum err source_make(const struct builder *b, const struct value *value, struct json *out)
{
    struct cell cell = { 0 };
    bool        empty;
    if (value->kind == VALUE_COLUMN) {
        TRY(cell_take(b->mapping, b->arena, b->row, value->parts[0].column, &cell));
        empty = cell_is_empty(cell);
    } else {
        TRY(template_take(b->mapping, b->arena, b->row, value, &cell.text, &empty));
    }
    if (empty)
        return default_make(value, out);
    if (cell.json != NULL && !value->is_typed) {
        *out = *cell.json;
        return OK;
    }
    enum err err = typed_make(b->arena, value, cell.text, out);
    if (err == ERR_INPUT)
        *b->refusal = type_refusal(value);
    return err;
}

static enum err object_make(const struct builder *b, const struct value *value, struct json *out)
{
    struct json_member *members = ARENA_ARRAY(b->arena, value->inner_count, struct json_member);
    uint32_t            count = 0;
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < value->inner_count; i++) {
        enum err err = value_make(b, &value->inner[i], &members[count].value);
        if (err == ERR_ABSENT)
            continue;
        TRY(err);
        members[count++].key = value->inner[i].key;
    }
    *out = (struct json){ .kind = JSON_OBJECT, .count = count, .members = members };
    return OK;
}

static enum err list_make(const struct builder *b, const struct value *value, struct json *out)
{
    struct json *items = ARENA_ARRAY(b->arena, value->inner_count, struct json);
    uint32_t     count = 0;
    if (items == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < value->inner_count; i++) {
        enum err err = value_make(b, &value->inner[i], &items[count]);
        if (err == ERR_ABSENT)
            continue;
        TRY(err);
        count++;
    }
    *out = (struct json){ .kind = JSON_ARRAY, .count = count, .items = items };
    return OK;
}

static enum err value_make(const struct builder *b, const struct value *value, struct json *out)
{
    switch (value->kind) {
    case VALUE_CONSTANT:
        return default_make(value, out);
    case VALUE_COLUMN:
    case VALUE_TEMPLATE:
        return source_make(b, value, out);
    case VALUE_OBJECT:
        return object_make(b, value, out);
    case VALUE_LIST:
        return list_make(b, value, out);
    }
    return ERR_CORRUPT;
}

static enum err is_skipped(const struct builder *b, const struct each *each, bool *out)
{
    *out = false;
    for (uint32_t i = 0; i < each->skips_count && !*out; i++) {
        struct cell cell;
        TRY(cell_take(b->mapping, b->arena, b->row, each->skips[i].column, &cell));
        *out = each->skips[i].when_empty ? cell_is_empty(cell)
                                         : str_eq(str_trim(cell.text), each->skips[i].when_is);
    }
    return OK;
}

enum err mapping_message(const struct mapping *mapping, struct arena *arena,
                         const struct mapping_row *row, uint32_t index, struct json *out,
                         struct mapping_refusal *refusal)
{
    struct builder b = { mapping, arena, row, refusal };
    bool           skipped;
    assert(index < mapping->each_count);
    TRY(is_skipped(&b, &mapping->each[index], &skipped));
    if (skipped)
        return ERR_ABSENT;
    return object_make(&b, &mapping->each[index].message, out);
}
