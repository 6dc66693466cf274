#include "engine/segment/segment_reader.h"

#include <stdio.h>
#include <string.h>

static void place_write(struct buf *out, const struct place *place)
{
    if (place == NULL)
        return;
    place_write(out, place->above);
    if (place->member == NULL)
        buf_format(out, "[%u]", place->index);
    else
        buf_format(out, "%s%s", out->len > 0 ? "." : "", place->member);
}

enum err reader_fail(const struct reader *r, const struct place *place, enum err code,
                     const char *what, const char *remedy)
{
    SCOPED(buf_donep) struct buf path = buf_make(4096);
    char                         where[sizeof r->problem->where];
    place_write(&path, place);
    str_to_cstr(path.len == 0 ? STR("condition") : buf_view(&path), where, sizeof where);
    return problem_set(r->problem, code, where, what, remedy);
}

enum err reader_refuse(const struct reader *r, const struct place *place,
                       struct segment_fault fault)
{
    return fault.what == NULL ? OK : reader_fail(r, place, ERR_INPUT, fault.what, fault.remedy);
}

struct place place_under(const struct place *above, const char *member)
{
    return (struct place){ .above = above, .member = member };
}

const struct json *reader_get(const struct json *object, const char *member)
{
    return json_get(object, str_of(member));
}

enum err reader_only(const struct reader *r, const struct json *object, const struct place *at,
                     const char *allowed)
{
    for (uint32_t i = 0; i < object->count; i++) {
        char         member[64], spaced[68];
        struct place here =
            place_under(at, str_to_cstr(object->members[i].key, member, sizeof member));
        snprintf(spaced, sizeof spaced, " %s ", member);
        if (object->members[i].key.len < sizeof member && strchr(member, ' ') == NULL &&
            strstr(allowed, spaced) != NULL)
            continue;
        char remedy[240];
        snprintf(remedy, sizeof remedy, "Remove it, or use one of:%s", allowed);
        return reader_fail(r, &here, ERR_INPUT, "this member has no meaning here", remedy);
    }
    return OK;
}

enum err reader_text(struct reader *r, const struct json *object, const char *member,
                     const struct place *at, struct str *out)
{
    const struct json *value = reader_get(object, member);
    struct place       here = place_under(at, member);
    if (value == NULL || value->kind != JSON_STRING)
        return reader_fail(r, &here, ERR_INPUT, "a text is wanted here", "Write a JSON string.");
    *out = str_copy(r->arena, value->string);
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

enum err reader_name(struct reader *r, const struct json *object, const char *member,
                     const struct place *at, struct str *out)
{
    struct place here = place_under(at, member);
    TRY(reader_text(r, object, member, at, out));
    return reader_refuse(r, &here, segment_name_fault(*out));
}

enum err reader_name_if(struct reader *r, const struct json *object, const char *member,
                        const struct place *at, struct str *out)
{
    return reader_get(object, member) == NULL ? OK : reader_name(r, object, member, at, out);
}

enum err reader_date(struct reader *r, const struct json *value, const struct place *at,
                     int64_t *out_ms, bool *out_is_day)
{
    if (value == NULL || value->kind != JSON_STRING || time_parse(value->string, out_ms) != OK)
        return reader_fail(r, at, ERR_INPUT, "a date is wanted here",
                           "Write a text such as \"2026-01-31\" or \"2026-01-31T12:00:00Z\".");
    *out_is_day = value->string.len == sizeof "2026-01-31" - 1;
    return OK;
}

enum err reader_length(struct reader *r, const struct json *object, const char *member,
                       const struct place *at, int64_t *out_ms)
{
    const struct json *value = reader_get(object, member);
    struct place       here = place_under(at, member);
    if (value == NULL || value->kind != JSON_STRING ||
        time_length_parse(value->string, out_ms) != OK)
        return reader_fail(r, &here, ERR_INPUT, "a length of time is wanted here",
                           "Write a text such as \"30 days\" or \"1 hour\".");
    return reader_refuse(r, &here, segment_length_fault(*out_ms));
}

enum err reader_whole(struct reader *r, const struct json *object, const char *member,
                      const struct place *at, int32_t *out)
{
    const struct json *value = reader_get(object, member);
    struct place       here = place_under(at, member);
    struct json whole = value == NULL ? (struct json){ .kind = JSON_NULL } : segment_number(*value);
    if (whole.kind != JSON_INT)
        return reader_fail(r, &here, ERR_INPUT, "a whole number is wanted here",
                           "Write for example 3.");
    *out = whole.integer > INT32_MAX   ? INT32_MAX
           : whole.integer < INT32_MIN ? INT32_MIN
                                       : (int32_t)whole.integer;
    return OK;
}

enum err reader_true(struct reader *r, const struct json *object, const char *member,
                     const struct place *at)
{
    const struct json *value = reader_get(object, member);
    struct place       here = place_under(at, member);
    if (value == NULL || value->kind != JSON_BOOL || !value->truth)
        return reader_fail(r, &here, ERR_INPUT, "true is wanted here",
                           "Write true, or leave it out.");
    return OK;
}
