#include "engine/keep.h"

#include <stdio.h>

#include "base/time.h"

enum { YEARS_MAX = 100, MONTHS_A_YEAR = 12, DAYS_MAX = 36525 };

static const struct {
    const char    *word;
    enum keep_unit unit;
    uint32_t       each;
} units[] = {
    { "day", KEEP_DAYS, 1 },     { "days", KEEP_DAYS, 1 },     { "week", KEEP_DAYS, 7 },
    { "weeks", KEEP_DAYS, 7 },   { "month", KEEP_MONTHS, 1 },  { "months", KEEP_MONTHS, 1 },
    { "year", KEEP_MONTHS, 12 }, { "years", KEEP_MONTHS, 12 },
};

enum err keep_parse(struct str text, struct keep *out)
{
    int64_t count;
    text = str_trim(text);
    if (str_eq(text, STR("for ever")) || str_eq(text, STR("forever"))) {
        *out = (struct keep){ KEEP_FOR_EVER, 0 };
        return OK;
    }
    size_t     space = str_find_char(text, 0, ' ');
    struct str word = str_trim(str_slice(text, space, text.len));
    if (space == text.len || str_to_int(str_slice(text, 0, space), &count) != OK || count < 1 ||
        count > DAYS_MAX)
        return ERR_INPUT;
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (!str_eq(word, str_of(units[i].word)))
            continue;
        *out = (struct keep){ units[i].unit, (uint32_t)count * units[i].each };
        return out->count <= (out->unit == KEEP_DAYS ? (uint32_t)DAYS_MAX
                                                     : (uint32_t)YEARS_MAX * MONTHS_A_YEAR)
                   ? OK
                   : ERR_INPUT;
    }
    return ERR_INPUT;
}

static int32_t days_in_month(int32_t year, int32_t month)
{
    static const int32_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool                 leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* The same day of an earlier month, or its last one where it is shorter. */
static int64_t months_before(int64_t now_ms, uint32_t months)
{
    struct time_parts parts = time_split(now_ms);
    int32_t           month = parts.year * MONTHS_A_YEAR + parts.month - 1 - (int32_t)months;
    struct time_parts then = { .year = month / MONTHS_A_YEAR, .month = month % MONTHS_A_YEAR + 1 };
    int32_t           last = days_in_month(then.year, then.month);
    then.day = parts.day < last ? parts.day : last;
    return time_join(&then);
}

int64_t keep_from_ms(struct keep keep, int64_t now_ms)
{
    int64_t today_ms = now_ms - ((now_ms % TIME_DAY_MS) + TIME_DAY_MS) % TIME_DAY_MS;
    switch (keep.unit) {
    case KEEP_FOR_EVER:
        break;
    case KEEP_DAYS:
        return today_ms - keep.count * TIME_DAY_MS;
    case KEEP_MONTHS:
        return months_before(today_ms, keep.count);
    }
    return TIME_MIN_MS;
}

/* ---- the document ---- */

static enum err keep_value(const struct json *value, const char *where, struct keep *out,
                           struct problem *problem)
{
    if (value->kind == JSON_STRING && keep_parse(value->string, out) == OK)
        return OK;
    return problem_set(problem, ERR_INPUT, where, "This is no length of time.",
                       "Write \"90 days\", \"6 months\", \"2 years\" or \"for ever\"; a day is the "
                       "least.");
}

static enum err events_read(struct arena *arena, const struct json *by_event,
                            struct keep_rules *rules, struct problem *problem)
{
    if (by_event->kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "by_event", "This is not a JSON object.",
                           "Write {\"Page Viewed\": \"90 days\"}.");
    if (by_event->count > KEEP_EVENTS_MAX)
        return problem_set(problem, ERR_LIMIT, "by_event", "There are more than 1,000 events.",
                           "Leave out those that are kept as long as the rest.");
    rules->events = ARENA_ARRAY(arena, by_event->count + 1, struct keep_event);
    if (rules->events == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < by_event->count; i++) {
        struct keep_event *event = &rules->events[rules->events_count++];
        char               where[80];
        event->name = str_copy(arena, by_event->members[i].key);
        if (event->name.ptr == NULL)
            return ERR_MEMORY;
        snprintf(where, sizeof where, "by_event.%.*s",
                 (int)(event->name.len < 60 ? event->name.len : 60), event->name.ptr);
        if (event->name.len == 0)
            return problem_set(problem, ERR_INPUT, "by_event", "An event has no name.",
                               "Write {\"Page Viewed\": \"90 days\"}.");
        TRY(keep_value(&by_event->members[i].value, where, &event->keep, problem));
    }
    return OK;
}

enum err keep_read(struct arena *arena, struct str text, struct keep_rules *out,
                   struct problem *problem)
{
    struct keep_rules rules = { .rest = { KEEP_FOR_EVER, 0 } };
    struct json       root;
    if (str_trim(text).len == 0) {
        *out = rules;
        return OK;
    }
    TRY(json_parse_once(arena, text, &root, problem));
    if (root.kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "retention", "This is not a JSON object.",
                           "Write {\"events\": \"2 years\"}.");
    for (uint32_t i = 0; i < root.count; i++) {
        const struct json_member *member = &root.members[i];
        if (str_eq(member->key, STR("events")))
            TRY(keep_value(&member->value, "events", &rules.rest, problem));
        else if (str_eq(member->key, STR("by_event")))
            TRY(events_read(arena, &member->value, &rules, problem));
        else
            return problem_format(problem, ERR_INPUT, "retention", "Use events and by_event.",
                                  "There is no setting \"%.*s\".",
                                  (int)(member->key.len < 60 ? member->key.len : 60),
                                  member->key.ptr);
    }
    *out = rules;
    return OK;
}
