/* A pool's definition read and checked; names, codes and their last day. */
#include "engine/codes.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "base/zone.h"

enum { SCRATCH_BYTES = 1 << 20 };

static const char *const WORDS[] = { "", "fixed", "pool", "generated" };

const char *codes_kind_word(enum codes_kind kind)
{
    return WORDS[kind];
}

/* Segment's `coupon`, and what shops call it. */
static const char *const PROPERTIES[] = { "coupon", "coupons", "discount_code", "discount_codes" };

const char *codes_property(const struct codes_def *def, uint32_t i)
{
    if (def->properties_count > 0)
        return i < def->properties_count ? def->properties[i] : NULL;
    return i < sizeof PROPERTIES / sizeof PROPERTIES[0] ? PROPERTIES[i] : NULL;
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

bool codes_is_name(struct str name)
{
    bool good = name.len > 0 && name.len <= CODES_NAME_BYTES_MAX && name.ptr[0] != '-' &&
                !(name.ptr[0] >= '0' && name.ptr[0] <= '9');
    for (size_t i = 0; good && i < name.len; i++)
        good = is_letter_or_digit(name.ptr[i]) || name.ptr[i] == '_' || name.ptr[i] == '-';
    return good;
}

bool codes_is_code(struct str code)
{
    bool good = code.len > 0 && code.len <= CODE_BYTES_MAX && str_is_utf8(code) &&
                memchr("=+-@", code.ptr[0], 4) == NULL;
    for (size_t i = 0; good && i < code.len; i++) {
        unsigned char c = (unsigned char)code.ptr[i];
        good = c > ' ' && c != 0x7f && c != '"' && c != ',' && c != ';';
    }
    return good;
}

struct str codes_fold(struct str code, char *out)
{
    size_t len = code.len < CODE_BYTES_MAX ? code.len : CODE_BYTES_MAX;
    for (size_t i = 0; i < len; i++)
        out[i] =
            code.ptr[i] >= 'A' && code.ptr[i] <= 'Z' ? (char)(code.ptr[i] | 0x20) : code.ptr[i];
    return (struct str){ out, len };
}

/* ---- the definition ---- */

static enum err fault(struct problem *problem, const char *field, const char *what,
                      const char *remedy)
{
    return problem_set(problem, ERR_INPUT, field, what, remedy);
}

static bool is_one_of(struct str key, const char *const *known)
{
    for (size_t i = 0; known[i] != NULL; i++)
        if (str_eq(key, str_of(known[i])))
            return true;
    return false;
}

static enum err keys_check(const struct json *object, const char *const *known, const char *field,
                           const char *remedy, struct problem *problem)
{
    for (uint32_t i = 0; i < object->count; i++)
        if (!is_one_of(object->members[i].key, known))
            return problem_format(problem, ERR_INPUT, field, remedy,
                                  "There is no setting \"%.*s\".",
                                  STR_ARG(str_slice(object->members[i].key, 0, 60)));
    return OK;
}

static enum err kind_read(const struct json *root, struct codes_def *out, struct problem *problem)
{
    struct str word = json_get_str(root, STR("kind"));
    for (int kind = CODES_FIXED; kind <= CODES_GENERATED; kind++)
        if (str_eq(word, str_of(WORDS[kind]))) {
            out->kind = (enum codes_kind)kind;
            return OK;
        }
    return fault(problem, "kind", "There is no such kind.",
                 "Write \"fixed\", \"pool\" or \"generated\".");
}

static enum err fixed_read(const struct json *root, struct codes_def *out, struct problem *problem)
{
    struct str code = json_get_str(root, STR("code"));
    if (json_get(root, STR("code")) == NULL && out->kind != CODES_FIXED)
        return OK;
    if (out->kind != CODES_FIXED)
        return fault(problem, "code", "Only a fixed code stands here.",
                     "Leave it out, or write \"kind\": \"fixed\".");
    if (!codes_is_code(code))
        return fault(problem, "code", "This is no code of 1 to 64 signs without spaces.",
                     "Write \"code\": \"WELCOME10\".");
    str_to_cstr(code, out->text, sizeof out->text);
    return OK;
}

static enum err generated_read(const struct json *root, struct codes_def *out,
                               struct problem *problem)
{
    const struct json *prefix = json_get(root, STR("prefix")),
                      *length = json_get(root, STR("length"));
    int64_t value = CODES_LENGTH;
    if (out->kind != CODES_GENERATED)
        return prefix == NULL && length == NULL
                   ? OK
                   : fault(problem, prefix != NULL ? "prefix" : "length",
                           "Only generated codes have this.",
                           "Leave it out, or write \"kind\": \"generated\".");
    if (length != NULL && (!json_get_int(root, STR("length"), &value) || value < CODES_LENGTH_MIN ||
                           value > CODES_LENGTH_MAX))
        return fault(problem, "length", "This is no number from 8 to 24.", "Write 10.");
    struct str text = json_get_str(root, STR("prefix"));
    if (prefix != NULL && (prefix->kind != JSON_STRING || text.len > CODES_PREFIX_BYTES_MAX ||
                           (text.len > 0 && !codes_is_code(text))))
        return fault(problem, "prefix", "This is no text of at most 20 signs without spaces.",
                     "Write \"prefix\": \"SPRING-\".");
    out->length = (uint32_t)value;
    str_to_cstr(text, out->text, sizeof out->text);
    return OK;
}

/* "14 days" or "1 day". */
static bool days_read(struct str text, uint32_t *out)
{
    size_t     space = str_find_char(text, 0, ' ');
    int64_t    days;
    struct str word = str_trim(str_slice(text, space, text.len));
    if (str_to_int(str_slice(text, 0, space), &days) != OK || days < 1 || days > CODES_DAYS_MAX ||
        !(str_eq(word, STR("days")) || (days == 1 && str_eq(word, STR("day")))))
        return false;
    *out = (uint32_t)days;
    return true;
}

static bool day_read(struct str text, int64_t *out)
{
    int64_t at_ms;
    char    bytes[32];
    if (text.len != 10)
        return false;
    snprintf(bytes, sizeof bytes, "%.*sT00:00:00Z", STR_ARG(text));
    if (time_parse(str_of(bytes), &at_ms) != OK || at_ms <= 0)
        return false;
    *out = at_ms / TIME_DAY_MS;
    return true;
}

static enum err expires_read(const struct json *root, struct codes_def *out,
                             struct problem *problem)
{
    const struct json *expires = json_get(root, STR("expires"));
    if (expires == NULL)
        return OK;
    struct str text = str_trim(json_get_str(root, STR("expires")));
    if (expires->kind == JSON_STRING && (days_read(text, &out->days) || day_read(text, &out->day)))
        return OK;
    return fault(problem, "expires", "This is neither a number of days nor a day.",
                 "Write \"14 days\" (to 3660), or \"2026-12-31\"; leave it out for never.");
}

static enum err low_read(const struct json *root, struct codes_def *out, struct problem *problem)
{
    int64_t low = CODES_LOW;
    if (json_get(root, STR("low")) != NULL && out->kind != CODES_POOL)
        return fault(problem, "low", "Only what is uploaded can run low.", "Leave it out.");
    if (json_get(root, STR("low")) != NULL &&
        (!json_get_int(root, STR("low"), &low) || low < 0 || low > CODES_LEFT_MAX))
        return fault(problem, "low", "This is no number from 0 to 1,000,000.", "Write 100.");
    out->low = out->kind == CODES_POOL ? (uint32_t)low : 0;
    return OK;
}

static enum err properties_read(const struct json *list, struct codes_def *out,
                                struct problem *problem)
{
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count == 0 || list->count > CODES_PROPERTIES_MAX)
        return fault(problem, "redeemed.properties", "This is no list of 1 to 10 names.",
                     "Write [\"coupon\"].");
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json *item = &list->items[i];
        if (item->kind != JSON_STRING || item->string.len == 0 ||
            item->string.len > CODES_PROPERTY_BYTES_MAX)
            return fault(problem, "redeemed.properties", "This is no name of a property.",
                         "Write [\"coupon\"].");
        str_to_cstr(item->string, out->properties[i], sizeof out->properties[i]);
    }
    out->properties_count = list->count;
    return OK;
}

static enum err redeemed_read(const struct json *root, struct codes_def *out,
                              struct problem *problem)
{
    static const char *const known[] = { "event", "properties", NULL };
    const struct json       *redeemed = json_get(root, STR("redeemed"));
    str_to_cstr(STR("Order Completed"), out->event, sizeof out->event);
    if (redeemed == NULL)
        return OK;
    if (redeemed->kind != JSON_OBJECT)
        return fault(problem, "redeemed", "This names no event.",
                     "Write {\"event\": \"Order Completed\", \"properties\": [\"coupon\"]}.");
    TRY(keys_check(redeemed, known, "redeemed", "Use event and properties.", problem));
    const struct json *event = json_get(redeemed, STR("event"));
    if (event != NULL && (event->kind != JSON_STRING || event->string.len == 0 ||
                          event->string.len > CODES_EVENT_BYTES_MAX))
        return fault(problem, "redeemed.event", "This is no name of an event.",
                     "Write \"Order Completed\".");
    if (event != NULL)
        str_to_cstr(event->string, out->event, sizeof out->event);
    return properties_read(json_get(redeemed, STR("properties")), out, problem);
}

static enum err root_read(const struct json *root, struct codes_def *out, struct problem *problem)
{
    static const char *const known[] = { "kind",    "code", "prefix",   "length",
                                         "expires", "low",  "redeemed", NULL };
    if (root->kind != JSON_OBJECT)
        return fault(problem, "body", "This is no definition of codes.",
                     "Write {\"kind\": \"pool\"}.");
    TRY(keys_check(root, known, "codes",
                   "Use kind, code, prefix, length, expires, low and redeemed.", problem));
    TRY(kind_read(root, out, problem));
    TRY(fixed_read(root, out, problem));
    TRY(generated_read(root, out, problem));
    TRY(expires_read(root, out, problem));
    TRY(low_read(root, out, problem));
    return redeemed_read(root, out, problem);
}

enum err codes_parse(struct str text, struct codes_def *out, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(SCRATCH_BYTES);
    struct codes_def                   made = { .kind = CODES_NONE };
    struct json                        root;
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(scratch, text, &root, problem));
    TRY(root_read(&root, &made, problem));
    *out = made;
    return OK;
}

/* ---- the last day ---- */

int64_t codes_expires_ms(const struct codes_def *def, const struct zone *zone, int64_t now_ms)
{
    if (def->days == 0 && def->day == 0)
        return TIME_NEVER;
    int64_t day = def->days > 0 ? zone_day_of(zone, now_ms) + def->days : def->day;
    return zone_day_start_ms(zone, day + 1) - 1000; /* the last second of a day shows that day */
}

/* ---- what a text names ---- */

static bool is_word(char c)
{
    return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The name behind "codes": .name, ["name"] or ['name']; empty: it names none. */
static struct str name_behind(struct str code, size_t at)
{
    size_t from = at + 1, to;
    if (at >= code.len || (code.ptr[at] != '.' && code.ptr[at] != '['))
        return STR_NONE;
    if (code.ptr[at] == '.') {
        for (to = from; to < code.len && is_word(code.ptr[to]) && code.ptr[to] != '.';)
            to++;
        return str_slice(code, from, to);
    }
    while (from < code.len && is_space(code.ptr[from]))
        from++;
    if (from >= code.len || (code.ptr[from] != '"' && code.ptr[from] != '\''))
        return STR_NONE;
    to = str_find_char(code, from + 1, code.ptr[from]);
    return to < code.len ? str_slice(code, from + 1, to) : STR_NONE;
}

static enum err name_add(struct str name, struct str *names, uint32_t *count)
{
    for (uint32_t i = 0; i < *count; i++)
        if (str_eq(names[i], name))
            return OK;
    if (*count == CODES_A_TEMPLATE_MAX)
        return ERR_LIMIT;
    names[(*count)++] = name;
    return OK;
}

/* What stands between the braces of one tag or output. */
static enum err braces_read(struct str code, struct str *names, uint32_t *count)
{
    struct str word = STR("codes");
    for (size_t at = str_find(code, 0, word); at < code.len; at = str_find(code, at, word)) {
        bool is_whole = at == 0 || !is_word(code.ptr[at - 1]);
        at += word.len;
        struct str name = is_whole ? name_behind(code, at) : STR_NONE;
        if (name.len > 0)
            TRY(name_add(name, names, count));
    }
    return OK;
}

enum err codes_named(struct str text, struct str names[CODES_A_TEMPLATE_MAX], uint32_t *count)
{
    *count = 0;
    for (size_t at = 0; (at = str_find_char(text, at, '{')) + 1 < text.len;) {
        char kind = text.ptr[++at];
        if (kind != '{' && kind != '%')
            continue;
        size_t end = str_find(text, at, kind == '{' ? STR("}}") : STR("%}"));
        TRY(braces_read(str_slice(text, at + 1, end), names, count));
        at = end;
    }
    return OK;
}
