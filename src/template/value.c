#include "template/value.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template/lexer.h"
#include "template/render.h"

struct value value_of_bool(bool truth)
{
    return (struct value){ .kind = VALUE_BOOL, .truth = truth };
}

struct value value_of_int(int64_t integer)
{
    return (struct value){ .kind = VALUE_INT, .integer = integer };
}

struct value value_of_real(double real)
{
    return (struct value){ .kind = VALUE_REAL, .real = real };
}

struct value value_of_str(struct str string)
{
    return (struct value){ .kind = VALUE_STRING, .string = string };
}

struct value value_of_list(const struct value *items, size_t count)
{
    assert(count <= UINT32_MAX);
    return (struct value){ .kind = VALUE_LIST, .items = items, .count = (uint32_t)count };
}

struct value value_of_json(const struct json *json)
{
    if (json == NULL)
        return VALUE_NONE;
    switch (json->kind) {
    case JSON_NULL:
        return VALUE_NONE;
    case JSON_BOOL:
        return value_of_bool(json->truth);
    case JSON_INT:
        return value_of_int(json->integer);
    case JSON_REAL:
        return value_of_real(json->real);
    case JSON_STRING:
        return value_of_str(json->string);
    case JSON_ARRAY:
        return (struct value){ .kind = VALUE_ARRAY, .json = json };
    case JSON_OBJECT:
        return (struct value){ .kind = VALUE_OBJECT, .json = json };
    }
    return VALUE_NONE;
}

bool value_is_true(const struct value *v)
{
    return v->kind != VALUE_NIL && (v->kind != VALUE_BOOL || v->truth);
}

bool value_is_sequence(const struct value *v)
{
    return v->kind == VALUE_LIST || v->kind == VALUE_ARRAY || v->kind == VALUE_RANGE;
}

bool value_is_empty(const struct value *v)
{
    switch (v->kind) {
    case VALUE_STRING:
        return v->string.len == 0;
    case VALUE_OBJECT:
        return v->json->count == 0;
    case VALUE_LIST:
    case VALUE_ARRAY:
        return value_count(v) == 0;
    default:
        return false;
    }
}

bool value_is_blank(const struct value *v)
{
    if (v->kind == VALUE_STRING)
        return text_is_blank(v->string);
    return !value_is_true(v) || value_is_empty(v);
}

int64_t value_count(const struct value *v)
{
    int64_t span;
    switch (v->kind) {
    case VALUE_LIST:
        return v->count;
    case VALUE_ARRAY:
        return v->json->count;
    case VALUE_RANGE:
        if (v->range.hi < v->range.lo)
            return 0;
        if (__builtin_sub_overflow(v->range.hi, v->range.lo, &span) || span == INT64_MAX)
            return INT64_MAX;
        return span + 1;
    default:
        return 0;
    }
}

struct value value_item(const struct value *v, int64_t index)
{
    assert(index >= 0 && index < value_count(v));
    if (v->kind == VALUE_LIST)
        return v->items[index];
    if (v->kind == VALUE_ARRAY)
        return value_of_json(&v->json->items[index]);
    return value_of_int(v->range.lo + index);
}

struct value value_pair(struct render *r, const struct json_member *member)
{
    struct value *pair = render_values(r, 2);
    if (pair == NULL)
        return VALUE_NONE;
    pair[0] = value_of_str(member->key);
    pair[1] = value_of_json(&member->value);
    return value_of_list(pair, 2);
}

static bool is_number(const struct value *v)
{
    return v->kind == VALUE_INT || v->kind == VALUE_REAL;
}

static double real_of(const struct value *v)
{
    return v->kind == VALUE_INT ? (double)v->integer : v->real;
}

int value_order(const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_INT && b->kind == VALUE_INT)
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    if (is_number(a) && is_number(b)) {
        double x = real_of(a), y = real_of(b);
        return x < y ? -1 : x > y ? 1 : x == y ? 0 : VALUE_UNORDERED;
    }
    if (a->kind == VALUE_STRING && b->kind == VALUE_STRING) {
        int order = str_cmp(a->string, b->string);
        return order < 0 ? -1 : order > 0;
    }
    return VALUE_UNORDERED;
}

static bool sequence_eq(struct render *r, const struct value *a, const struct value *b)
{
    if (a->kind == VALUE_RANGE || b->kind == VALUE_RANGE)
        return a->kind == b->kind && a->range.lo == b->range.lo && a->range.hi == b->range.hi;
    int64_t count = value_count(a);
    if (count != value_count(b))
        return false;
    for (int64_t i = 0; i < count && render_charge(r, 1); i++) {
        struct value x = value_item(a, i), y = value_item(b, i);
        if (!value_eq(r, &x, &y))
            return false;
    }
    return true;
}

static bool object_eq(struct render *r, const struct json *a, const struct json *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count && render_charge(r, 1 + b->count / 64); i++) {
        const struct json *other = json_get(b, a->members[i].key);
        struct value       x = value_of_json(&a->members[i].value), y = value_of_json(other);
        if (other == NULL || !value_eq(r, &x, &y))
            return false;
    }
    return true;
}

static bool word_eq(const struct value *word, const struct value *other)
{
    return word->kind == VALUE_EMPTY ? value_is_empty(other) : value_is_blank(other);
}

static bool is_word(const struct value *v)
{
    return v->kind == VALUE_EMPTY || v->kind == VALUE_BLANK;
}

bool value_eq(struct render *r, const struct value *a, const struct value *b)
{
    if (is_word(a))
        return !is_word(b) && word_eq(a, b);
    if (is_word(b))
        return word_eq(b, a);
    if (is_number(a) && is_number(b))
        return value_order(a, b) == 0;
    if (value_is_sequence(a) && value_is_sequence(b))
        return sequence_eq(r, a, b);
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case VALUE_BOOL:
        return a->truth == b->truth;
    case VALUE_STRING:
        return a->string.len == b->string.len && render_charge_bytes(r, a->string.len) &&
               str_eq(a->string, b->string);
    case VALUE_OBJECT:
        return a->json == b->json || object_eq(r, a->json, b->json);
    case VALUE_LOOP:
        return a->loop == b->loop;
    case VALUE_SELF:
        return a->frame == b->frame;
    default:
        return true; /* nil */
    }
}

/* "12345", 3 -> "12.345" with the point after `point` digits. */
static int fixed_write(char *out, const char *digits, int count, int point)
{
    char *to = out;
    if (point <= 0) {
        *to++ = '0';
        *to++ = '.';
        for (int i = point; i < 0; i++)
            *to++ = '0';
        memcpy(to, digits, (size_t)count);
        return (int)(to + count - out);
    }
    for (int i = 0; i < point; i++)
        *to++ = i < count ? digits[i] : '0';
    *to++ = '.';
    if (count <= point)
        *to++ = '0';
    for (int i = point; i < count; i++)
        *to++ = digits[i];
    return (int)(to - out);
}

static int scientific_write(char *out, const char *digits, int count, int exponent)
{
    return snprintf(out, VALUE_REAL_BYTES - 1, "%c.%.*se%c%02d", digits[0],
                    count > 1 ? count - 1 : 1, count > 1 ? digits + 1 : "0",
                    exponent < 0 ? '-' : '+', abs(exponent));
}

/*
 * Prices and ratios have few places. An integer below 10^15 over a power of ten divides to the
 * nearest double, so when that is the number itself the digits are found without a search.
 */
static bool short_digits(double real, char *digits, int *count, int *exponent)
{
    double scale = 1;
    for (int places = 0; places <= 6; places++, scale *= 10) {
        double whole = rint(real * scale);
        if (whole >= 1e15 || whole < 1)
            return false;
        if (whole / scale != real)
            continue;
        char     reversed[20];
        int      n = 0;
        uint64_t left = (uint64_t)whole;
        for (; left > 0; left /= 10)
            reversed[n++] = (char)('0' + left % 10);
        for (int i = 0; i < n; i++)
            digits[i] = reversed[n - 1 - i];
        *count = n;
        *exponent = n - places - 1;
        return true;
    }
    return false;
}

static void searched_digits(double real, char *digits, int *count, int *exponent)
{
    char text[VALUE_REAL_BYTES];
    for (int precision = 14; precision <= 16; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, real);
        if (strtod(text, NULL) == real)
            break;
    }
    char *exponent_at = strchr(text, 'e');
    *exponent = real == 0 ? 0 : atoi(exponent_at + 1);
    *count = 0;
    for (char *c = text; c < exponent_at; c++)
        if (*c != '.')
            digits[(*count)++] = *c;
}

struct str value_real_text(double real, char *out)
{
    if (!isfinite(real))
        return str_of(isnan(real) ? "NaN" : real < 0 ? "-Infinity" : "Infinity");
    char digits[20];
    int  count = 0, exponent = 0;
    if (!short_digits(fabs(real), digits, &count, &exponent))
        searched_digits(fabs(real), digits, &count, &exponent);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    char *to = out;
    if (signbit(real))
        *to++ = '-';
    if (exponent > -5 && exponent < 16)
        to += fixed_write(to, digits, count, exponent + 1);
    else
        to += scientific_write(to, digits, count, exponent);
    return (struct str){ out, (size_t)(to - out) };
}

static void sequence_inspect(struct render *r, struct buf *out, const struct value *v, int depth)
{
    int64_t count = value_count(v);
    buf_char(out, '[');
    for (int64_t i = 0; i < count && render_charge(r, 1); i++) {
        struct value item = value_item(v, i);
        if (i > 0)
            buf_str(out, STR(", "));
        value_inspect(r, out, &item, depth + 1);
    }
    buf_char(out, ']');
}

static void object_inspect(struct render *r, struct buf *out, const struct json *object, int depth)
{
    buf_char(out, '{');
    for (uint32_t i = 0; i < object->count && render_charge(r, 1); i++) {
        struct value item = value_of_json(&object->members[i].value);
        if (i > 0)
            buf_str(out, STR(", "));
        json_write_str(out, object->members[i].key);
        buf_str(out, STR("=>"));
        value_inspect(r, out, &item, depth + 1);
    }
    buf_char(out, '}');
}

void value_inspect(struct render *r, struct buf *out, const struct value *v, int depth)
{
    if (depth > 2 * JSON_DEPTH_MAX)
        buf_str(out, STR("..."));
    else if (v->kind == VALUE_LIST || v->kind == VALUE_ARRAY)
        sequence_inspect(r, out, v, depth);
    else if (v->kind == VALUE_OBJECT)
        object_inspect(r, out, v->json, depth);
    else if (v->kind == VALUE_STRING && render_charge_bytes(r, v->string.len))
        json_write_str(out, v->string);
    else if (v->kind == VALUE_NIL)
        buf_str(out, STR("nil"));
    else
        value_print(r, out, v);
}

void value_print(struct render *r, struct buf *out, const struct value *v)
{
    char real[VALUE_REAL_BYTES];
    switch (v->kind) {
    case VALUE_NIL:
    case VALUE_EMPTY:
    case VALUE_BLANK:
        return;
    case VALUE_BOOL:
        buf_str(out, v->truth ? STR("true") : STR("false"));
        return;
    case VALUE_INT:
        buf_int(out, v->integer);
        return;
    case VALUE_REAL:
        buf_str(out, value_real_text(v->real, real));
        return;
    case VALUE_STRING:
        if (render_charge_bytes(r, v->string.len))
            buf_str(out, v->string);
        return;
    case VALUE_OBJECT:
        object_inspect(r, out, v->json, 0);
        return;
    case VALUE_RANGE:
        buf_int(out, v->range.lo);
        buf_str(out, STR(".."));
        buf_int(out, v->range.hi);
        return;
    case VALUE_LOOP:
        buf_str(out, v->loop->each != NULL && v->loop->each->table ? STR("Liquid::TablerowloopDrop")
                                                                   : STR("Liquid::ForloopDrop"));
        return;
    case VALUE_SELF:
        buf_str(out, STR("Liquid::SelfDrop"));
        return;
    case VALUE_LIST:
    case VALUE_ARRAY:
        for (int64_t i = 0, n = value_count(v); i < n && render_charge(r, 1); i++) {
            struct value item = value_item(v, i);
            value_print(r, out, &item);
        }
        return;
    }
}

struct str value_text(struct render *r, const struct value *v)
{
    if (v->kind == VALUE_STRING)
        return v->string;
    if (v->kind == VALUE_NIL || v->kind == VALUE_EMPTY || v->kind == VALUE_BLANK)
        return STR("");
    struct buf text = render_buf();
    if (v->kind == VALUE_LIST || v->kind == VALUE_ARRAY)
        value_inspect(r, &text, v, 0);
    else
        value_print(r, &text, v);
    struct value made = render_text(r, &text);
    return made.kind == VALUE_STRING ? made.string : STR("");
}

void value_key_write(struct buf *out, const struct value *v)
{
    char real[VALUE_REAL_BYTES];
    buf_format(out, "%d:", (int)v->kind);
    if (v->kind == VALUE_INT)
        buf_int(out, v->integer);
    else if (v->kind == VALUE_REAL)
        buf_str(out, value_real_text(v->real, real));
    else if (v->kind == VALUE_STRING)
        json_write_str(out, v->string);
    else if (v->kind == VALUE_BOOL)
        buf_int(out, v->truth);
    else if (v->kind == VALUE_RANGE)
        buf_format(out, "%lld..%lld", (long long)v->range.lo, (long long)v->range.hi);
}

bool value_to_integer(const struct value *v, int64_t *out)
{
    if (v->kind == VALUE_INT) {
        *out = v->integer;
        return true;
    }
    return v->kind == VALUE_STRING && str_to_int(str_trim(v->string), out) == OK;
}

bool value_is_number_text(struct str text)
{
    size_t digits = 0, points = 0;
    text = str_trim(text);
    for (size_t i = text.len > 0 && text.ptr[0] == '-'; i < text.len; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        digits += digit;
        points += text.ptr[i] == '.';
        if (!digit && (text.ptr[i] != '.' || digits == 0))
            return false;
    }
    return digits > 0 && points < 2;
}

int64_t value_leading_int(struct str text)
{
    text = text_trim_left(text);
    bool    negative = text.len > 0 && text.ptr[0] == '-';
    size_t  i = negative || (text.len > 0 && text.ptr[0] == '+') ? 1 : 0;
    int64_t value = 0;
    for (bool digit = false; i < text.len; i++) {
        bool underscore = text.ptr[i] == '_' && digit; /* one between two digits */
        digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        if (underscore)
            continue;
        if (!digit)
            break;
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, text.ptr[i] - '0', &value))
            return negative ? INT64_MIN : INT64_MAX;
    }
    return negative ? -value : value;
}
