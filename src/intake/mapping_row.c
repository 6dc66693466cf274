/*
 * A row turned into messages.
 */
#include "intake/mapping_inside.h"

#include <assert.h>
#include <string.h>

#include "base/time.h"
#include "intake/date_format.h"

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
