#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void json_parser_closep(struct json_parser **parser)
{
    json_parser_close(*parser);
}

enum err json_parse_once(struct arena *arena, struct str text, struct json *out,
                         struct problem *problem)
{
    SCOPED(json_parser_closep) struct json_parser *parser = json_parser_open();
    if (parser == NULL)
        return ERR_MEMORY;
    return json_parse(parser, arena, text, out, problem);
}

const struct json *json_get(const struct json *object, struct str key)
{
    if (object == NULL || object->kind != JSON_OBJECT)
        return NULL;
    for (uint32_t i = object->count; i > 0; i--)
        if (str_eq(object->members[i - 1].key, key))
            return &object->members[i - 1].value;
    return NULL;
}

const struct json *json_path(const struct json *value, struct str path)
{
    struct str rest = path, step;
    while (value != NULL && str_split(&rest, '.', &step)) {
        int64_t index;
        if (value->kind == JSON_ARRAY)
            value = str_to_int(step, &index) == OK && index >= 0 && index < value->count
                        ? &value->items[index]
                        : NULL;
        else
            value = json_get(value, step);
    }
    return value;
}

struct str json_get_str(const struct json *object, struct str key)
{
    const struct json *value = json_get(object, key);
    return value != NULL && value->kind == JSON_STRING ? value->string : STR_NONE;
}

bool json_get_int(const struct json *object, struct str key, int64_t *out)
{
    const struct json *value = json_get(object, key);
    if (value == NULL || value->kind != JSON_INT)
        return false;
    *out = value->integer;
    return true;
}

bool json_get_real(const struct json *object, struct str key, double *out)
{
    const struct json *value = json_get(object, key);
    return value != NULL && json_to_real(value, out);
}

bool json_get_bool(const struct json *object, struct str key, bool absent)
{
    const struct json *value = json_get(object, key);
    return value != NULL && value->kind == JSON_BOOL ? value->truth : absent;
}

bool json_to_real(const struct json *value, double *out)
{
    if (value->kind != JSON_INT && value->kind != JSON_REAL)
        return false;
    *out = value->kind == JSON_INT ? (double)value->integer : value->real;
    return true;
}

static bool object_eq(const struct json *a, const struct json *b)
{
    for (uint32_t i = 0; i < a->count; i++) {
        const struct json *other = json_get(b, a->members[i].key);
        if (other == NULL || !json_eq(json_get(a, a->members[i].key), other))
            return false;
    }
    return true;
}

bool json_eq(const struct json *a, const struct json *b)
{
    double x, y;
    if (a->kind == JSON_INT && b->kind == JSON_INT)
        return a->integer == b->integer;
    if (json_to_real(a, &x) && json_to_real(b, &y))
        return x == y;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case JSON_BOOL:
        return a->truth == b->truth;
    case JSON_STRING:
        return str_eq(a->string, b->string);
    case JSON_OBJECT:
        return object_eq(a, b) && object_eq(b, a);
    case JSON_ARRAY:
        if (a->count != b->count)
            return false;
        for (uint32_t i = 0; i < a->count; i++)
            if (!json_eq(&a->items[i], &b->items[i]))
                return false;
        return true;
    default:
        return true;
    }
}

static enum err string_copy(struct arena *arena, struct str from, struct str *to)
{
    *to = str_copy(arena, from);
    return to->ptr == NULL ? ERR_MEMORY : OK;
}

enum err json_copy(struct arena *arena, const struct json *value, struct json *out)
{
    struct json copy = *value;
    if (value->kind == JSON_STRING)
        TRY(string_copy(arena, value->string, &copy.string));
    if (value->kind == JSON_ARRAY) {
        struct json *items = ARENA_ARRAY(arena, value->count, struct json);
        if (items == NULL)
            return ERR_MEMORY;
        for (uint32_t i = 0; i < value->count; i++)
            TRY(json_copy(arena, &value->items[i], &items[i]));
        copy.items = items;
    }
    if (value->kind == JSON_OBJECT) {
        struct json_member *members = ARENA_ARRAY(arena, value->count, struct json_member);
        if (members == NULL)
            return ERR_MEMORY;
        for (uint32_t i = 0; i < value->count; i++) {
            TRY(string_copy(arena, value->members[i].key, &members[i].key));
            TRY(json_copy(arena, &value->members[i].value, &members[i].value));
        }
        copy.members = members;
    }
    *out = copy;
    return OK;
}

/* 0: as it is; 'u': \u00XX; anything else: a backslash and that character. */
static const char escapes[256] = {
    [0] = 'u',  [1] = 'u',  [2] = 'u',  [3] = 'u',  [4] = 'u',   [5] = 'u',     [6] = 'u',
    [7] = 'u',  [8] = 'b',  [9] = 't',  [10] = 'n', [11] = 'u',  [12] = 'f',    [13] = 'r',
    [14] = 'u', [15] = 'u', [16] = 'u', [17] = 'u', [18] = 'u',  [19] = 'u',    [20] = 'u',
    [21] = 'u', [22] = 'u', [23] = 'u', [24] = 'u', [25] = 'u',  [26] = 'u',    [27] = 'u',
    [28] = 'u', [29] = 'u', [30] = 'u', [31] = 'u', ['"'] = '"', ['\\'] = '\\',
};

static void utf8_write(struct buf *out, struct str s)
{
    size_t from = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (escapes[c] == 0)
            continue;
        buf_str(out, str_slice(s, from, i));
        if (escapes[c] == 'u')
            buf_format(out, "\\u%04x", c);
        else
            buf_str(out, (struct str){ (char[]){ '\\', escapes[c] }, 2 });
        from = i + 1;
    }
    buf_str(out, str_slice(s, from, s.len));
}

void json_write_str(struct buf *out, struct str s)
{
    bool is_whole = str_is_utf8(s);
    buf_char(out, '"');
    if (is_whole)
        utf8_write(out, s);
    for (size_t i = 0; !is_whole && i < s.len;) {
        size_t bytes = str_utf8_at(s, i);
        if (bytes == 0)
            buf_str(out, STR("\xEF\xBF\xBD"));
        else
            utf8_write(out, str_slice(s, i, i + bytes));
        i += bytes == 0 ? 1 : bytes;
    }
    buf_char(out, '"');
}

void json_write_real(struct buf *out, double value)
{
    char text[40];
    if (!isfinite(value)) {
        buf_str(out, STR("null"));
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_str(out, str_of(text));
    if (strpbrk(text, ".e") == NULL) /* so that it is read back as the same kind */
        buf_str(out, STR(".0"));
}

static void newline(struct buf *out, int indent)
{
    if (indent < 0)
        return;
    buf_char(out, '\n');
    for (int i = 0; i < indent; i++)
        buf_str(out, STR("  "));
}

/* `indent` is the depth for pretty text, or -1 for compact. */
static void value_write(struct buf *out, const struct json *value, int indent)
{
    int inner = indent < 0 ? -1 : indent + 1;
    switch (value->kind) {
    case JSON_NULL:
        buf_str(out, STR("null"));
        return;
    case JSON_BOOL:
        buf_str(out, value->truth ? STR("true") : STR("false"));
        return;
    case JSON_INT:
        buf_int(out, value->integer);
        return;
    case JSON_REAL:
        json_write_real(out, value->real);
        return;
    case JSON_STRING:
        json_write_str(out, value->string);
        return;
    case JSON_ARRAY:
        buf_char(out, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            if (i > 0)
                buf_char(out, ',');
            newline(out, inner);
            value_write(out, &value->items[i], inner);
        }
        if (value->count > 0)
            newline(out, indent);
        buf_char(out, ']');
        return;
    case JSON_OBJECT:
        buf_char(out, '{');
        for (uint32_t i = 0; i < value->count; i++) {
            if (i > 0)
                buf_char(out, ',');
            newline(out, inner);
            json_write_str(out, value->members[i].key);
            buf_str(out, indent < 0 ? STR(":") : STR(": "));
            value_write(out, &value->members[i].value, inner);
        }
        if (value->count > 0)
            newline(out, indent);
        buf_char(out, '}');
        return;
    }
}

void json_write(struct buf *out, const struct json *value)
{
    value_write(out, value, -1);
}

void json_write_pretty(struct buf *out, const struct json *value)
{
    value_write(out, value, 0);
}

void json_write_key(struct buf *out, bool *first, const char *key)
{
    if (!*first)
        buf_char(out, ',');
    *first = false;
    json_write_str(out, str_of(key));
    buf_char(out, ':');
}
