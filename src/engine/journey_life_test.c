/*
 * Journeys beside a naive twin. The twin keeps a list of enrollments for each person and walks them
 * straight from the JSON, asking every condition anew at every instant that could matter.
 */
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"
#include "base/zone.h"

#define T0 INT64_C(1767225600000)

enum {
    LIVES = 60,
    RECORDS = 150,
    PEOPLE = 4,
    JOURNEYS = 4,
    EVENTS_MAX = 400,
    INSIDE_MAX = 256,
    LOG_MAX = 4000
};

/* ---- conditions: as text for the engine, as a function for the twin ---- */

struct happened {
    char    name;
    int64_t at_ms;
};

struct twin_person {
    struct happened    events[EVENTS_MAX];
    uint32_t           events_count;
    bool               pro, listed, refused, in[3];
    const struct zone *zone;
    struct str         ends; /* a date, as it was told; empty: never told */
};

static uint32_t did(const struct twin_person *p, char name, int64_t from_ms, int64_t to_ms)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->events_count; i++)
        count += p->events[i].name == name && p->events[i].at_ms >= from_ms &&
                 p->events[i].at_ms <= to_ms;
    return count;
}

static const char *const conditions[] = {
    "did \"A\" at least 2 times",
    "did \"B\" in the last 2 days",
    "plan = \"pro\"",
    "did \"C\" since entry",
    "in list \"news\"",
    "in segment \"s1\"",
    "not did \"A\" in the last 1 day and did \"B\"",
};
enum { CONDITIONS = sizeof conditions / sizeof conditions[0] };

static bool holds(const struct twin_person *p, struct str text, int64_t entry_ms, int64_t now_ms)
{
    int64_t day = now_ms - TIME_DAY_MS + 1, two = now_ms - 2 * TIME_DAY_MS + 1, ever = INT64_MIN;
    size_t  i = 0;
    while (!str_eq(text, str_of(conditions[i])))
        i++;
    switch (i) {
    case 0:
        return did(p, 'A', ever, now_ms) >= 2;
    case 1:
    case 5:
        return did(p, 'B', two, now_ms) > 0;
    case 2:
        return p->pro;
    case 3:
        return did(p, 'C', entry_ms, now_ms) > 0;
    case 4:
        return p->listed;
    default:
        return did(p, 'A', day, now_ms) == 0 && did(p, 'B', ever, now_ms) > 0;
    }
}

/* The segments that begin journeys, in the order of their numbers. */
static const struct {
    const char *name;
    int         condition;
} twin_segments[3] = {
    { "s0", 0 },
    { "s1", 1 },
    { "s2", 6 },
};

/* ---- the twin ---- */

struct inside {
    int      person, journey;
    size_t   node;
    int64_t  due_ms, entered_ms;
    uint64_t number;
    bool     stands; /* at a node: not only just come in */
    bool     held, over, reached;
};

enum { WATCHED_MAX = 8 };

struct letter {
    int      person;
    uint64_t inside;
    int64_t  at_ms;
    bool     sending;
};

struct twin {
    const struct zones *zones;
    struct twin_person  people[PEOPLE];
    const struct json  *journeys[JOURNEYS];
    int                 journeys_count;
    struct inside       insides[INSIDE_MAX];
    uint32_t            insides_count;
    int64_t             last_entry[PEOPLE][JOURNEYS]; /* 0: never */
    struct letter       letters[LOG_MAX];
    uint32_t            letters_count;
    uint64_t            numbers, held;
    struct {
        int  journey;
        bool finished;
    } ended[LOG_MAX]; /* of one person, and nobody was told yet */
    uint32_t   ended_count;
    int64_t    done_ms; /* all instants up to here were looked at */
    struct buf log;
};

static struct str member(const struct json *object, const char *key)
{
    return json_get_str(object, str_of(key));
}

static void letters_drop(struct twin *t, uint64_t inside)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->letters_count; i++)
        if (t->letters[i].inside != inside || t->letters[i].sending)
            t->letters[kept++] = t->letters[i];
    t->letters_count = kept;
}

static bool is_outside(const struct inside *in)
{
    return in->held || in->over;
}

static void twin_remove(struct twin *t, uint32_t i)
{
    memmove(&t->insides[i], &t->insides[i + 1], (t->insides_count - i - 1) * sizeof t->insides[0]);
    t->insides_count--;
}

/* Until when the goal counts; 0: there is none. */
static int64_t goal_end_ms(const struct twin *t, const struct inside *in)
{
    const struct json *goal = json_get(t->journeys[in->journey], STR("goal"));
    int64_t            within_ms;
    if (goal == NULL)
        return 0;
    assert_ok(time_length_parse(member(goal, "within"), &within_ms));
    return in->entered_ms + within_ms;
}

static bool twin_end(struct twin *t, uint32_t i, const char *why, int64_t now_ms)
{
    struct inside *in = &t->insides[i];
    buf_format(&t->log, "%d leaves %d at %lld: %s\n", in->person, in->journey, (long long)now_ms,
               why);
    assert_true(t->ended_count < LOG_MAX);
    t->ended[t->ended_count].journey = in->journey;
    t->ended[t->ended_count++].finished = strcmp(why, "finished") == 0;
    if (!in->reached && goal_end_ms(t, in) > now_ms) {
        in->over = true;
        in->due_ms = goal_end_ms(t, in);
        return false;
    }
    twin_remove(t, i);
    return true;
}

static void twin_misses(struct twin *t, uint32_t i, const char *why, int64_t now_ms)
{
    buf_format(&t->log, "%d misses %d at %lld: %s\n", t->insides[i].person, t->insides[i].journey,
               (long long)now_ms, why);
    twin_remove(t, i);
}

/* True: it has no place any more. */
static bool twin_goal(struct twin *t, uint32_t i, int64_t now_ms)
{
    struct inside     *in = &t->insides[i];
    const struct json *journey = t->journeys[in->journey], *goal = json_get(journey, STR("goal"));
    if (in->reached || goal_end_ms(t, in) <= now_ms ||
        !holds(&t->people[in->person], member(goal, "condition"), in->entered_ms, now_ms))
        return false;
    buf_format(&t->log, "%d reaches %d at %lld%s\n", in->person, in->journey, (long long)now_ms,
               in->held ? ", held out" : "");
    in->reached = true;
    if (is_outside(in)) {
        twin_remove(t, i);
        return true;
    }
    if (!json_get_bool(journey, STR("exit_on_goal"), true))
        return false;
    letters_drop(t, in->number);
    return twin_end(t, i, "reached its goal", now_ms);
}

static void twin_exits(struct twin *t, int person, int64_t now_ms)
{
    for (uint32_t i = 0; i < t->insides_count; i++) {
        if (t->insides[i].person != person)
            continue;
        if (twin_goal(t, i, now_ms)) {
            i--;
            continue;
        }
        struct inside in = t->insides[i];
        struct str    when = member(t->journeys[in.journey], "exit_when");
        if (is_outside(&in) || str_is_empty(when) ||
            !holds(&t->people[person], when, in.entered_ms, now_ms))
            continue;
        i -= twin_end(t, i, "exit condition holds", now_ms);
        letters_drop(t, in.number);
    }
}

static size_t node_of(const struct json *nodes, struct str id)
{
    size_t i = 0;
    while (!str_eq(member(&nodes->items[i], "id"), id))
        i++;
    return i;
}

static size_t node_after(const struct json *nodes, size_t at, const char *key)
{
    struct str id = member(&nodes->items[at], key);
    return str_is_empty(id) ? at + 1 : node_of(nodes, id);
}

static uint32_t inside_find(const struct twin *t, uint64_t number)
{
    uint32_t i = 0;
    while (i < t->insides_count && t->insides[i].number != number)
        i++;
    return i;
}

/* ---- waits: minute by minute, as a clock on the wall is watched ---- */

static int64_t clock_minutes(const struct zone *zone, int64_t at_ms)
{
    int64_t local_ms = at_ms + zone_offset_ms(zone, at_ms);
    return local_ms / TIME_MINUTE_MS;
}

/* Is there a day of these, with its time, among the minutes after `from` and up to `to`, that the
 * clock comes by in one minute? A day that it leaves out is none. */
static bool comes_by(uint8_t days, int64_t minute, int64_t from, int64_t to)
{
    const int64_t all = 24 * 60;
    for (int64_t day = from / all; day <= to / all; day++) {
        bool is_wanted = (days >> ((day + 3) % 7) & 1) != 0;
        bool is_left_out = day * all > from && (day + 1) * all <= to;
        if (is_wanted && !is_left_out && day * all + minute > from && day * all + minute <= to)
            return true;
    }
    return false;
}

static int64_t naive_time(const struct zone *zone, uint8_t days, int64_t minute, int64_t now_ms,
                          bool later)
{
    int64_t at_ms = (now_ms / TIME_MINUTE_MS - 3 * 24 * 60) * TIME_MINUTE_MS;
    int64_t shown = clock_minutes(zone, at_ms);
    for (;; at_ms += TIME_MINUTE_MS) {
        int64_t shows = clock_minutes(zone, at_ms);
        if (shows <= shown)
            continue;
        if ((later ? at_ms > now_ms : at_ms >= now_ms) && comes_by(days, minute, shown, shows))
            return at_ms;
        shown = shows;
    }
}

/* When the clock first shows that many minutes since 1970, or more. */
static int64_t naive_local(const struct zone *zone, int64_t minutes)
{
    int64_t at_ms = (minutes - 3 * 24 * 60) * TIME_MINUTE_MS;
    while (clock_minutes(zone, at_ms) < minutes)
        at_ms += TIME_MINUTE_MS;
    return at_ms;
}

/* The texts, and what they mean in numbers. */
static const struct {
    const char *text;
    uint8_t     days;             /* 0: a date */
    int64_t     minute;           /* of the day; -1: none is given */
    const char *date;             /* NULL: what the person's trait says */
    int         before, or_after; /* days */
} untils[] = {
    { "10:00", 0x7F, 600, NULL, 0, 0 },
    { "02:30", 0x7F, 150, NULL, 0, 0 },
    { "00:00", 0x7F, 0, NULL, 0, 0 },
    { "monday 09:30", 0x01, 570, NULL, 0, 0 },
    { "weekday 23:30", 0x1F, 1410, NULL, 0, 0 },
    { "saturday or wednesday 1:15", 0x24, 75, NULL, 0, 0 },
    { "2026-01-13", 0, -1, "2026-01-13", 0, 0 },
    { "2026-01-25 02:30", 0, 150, "2026-01-25", 0, 0 },
    { "ends", 0, -1, NULL, 0, 0 },
    { "2 days before ends", 0, -1, NULL, 2, 0 },
    { "3 days before ends at 08:00", 0, 480, NULL, 3, 0 },
    { "1 day after ends at 02:30", 0, 150, NULL, 0, 1 },
};
enum { UNTILS = sizeof untils / sizeof untils[0] };

/* TIME_NEVER: it is not known. */
static int64_t naive_until(const struct twin_person *p, struct str text, int64_t now_ms, bool later)
{
    size_t i = 0;
    while (!str_eq(text, str_of(untils[i].text)))
        i++;
    if (untils[i].days != 0)
        return naive_time(p->zone, untils[i].days, untils[i].minute, now_ms, later);
    struct str date = untils[i].date != NULL ? str_of(untils[i].date) : p->ends;
    int64_t    at_ms, minute = untils[i].minute, days = untils[i].or_after - untils[i].before;
    if (time_parse(date, &at_ms) != OK)
        return TIME_NEVER;
    if (date.len > 10 && minute < 0)
        return at_ms + days * TIME_DAY_MS;
    int64_t day = date.len > 10 ? clock_minutes(p->zone, at_ms) / (24 * 60) : at_ms / TIME_DAY_MS;
    return naive_local(p->zone, (day + days) * 24 * 60 + (minute < 0 ? 0 : minute));
}

static void twin_take(struct twin *t, const struct inside *in, const char *what, int64_t now_ms)
{
    buf_format(&t->log, "%d takes %s at %d.%zu at %lld\n", in->person, what, in->journey, in->node,
               (long long)now_ms);
}

/* Where a split goes, and what is told of it. */
static size_t twin_variant(struct twin *t, const struct inside *in, const struct json *nodes,
                           int64_t now_ms)
{
    const struct json *node = &nodes->items[in->node], *list = json_get(node, STR("variants"));
    struct str         name = member(node, "experiment");
    char               who[16], what[60];
    double             passed = 0;
    int64_t            share;
    snprintf(who, sizeof who, "p%d", in->person + 1);
    if (str_is_empty(name))
        snprintf(what, sizeof what, "experiment/j%d/n%zu", in->journey, in->node);
    else
        snprintf(what, sizeof what, "experiment/%.*s", STR_ARG(name));
    for (uint32_t i = 0; i < list->count; i++) {
        bool has_share = json_get_int(&list->items[i], STR("share"), &share);
        passed += has_share ? (double)share / 100 : 1.0 / list->count;
        if (hash_chance(str_of(who), str_of(what)) >= passed && i + 1 < list->count)
            continue;
        snprintf(what, sizeof what, "%.*s", STR_ARG(member(&list->items[i], "name")));
        twin_take(t, in, what, now_ms);
        return json_get(&list->items[i], STR("next")) == NULL
                   ? node_after(nodes, in->node, "next")
                   : node_of(nodes, member(&list->items[i], "next"));
    }
    return nodes->count;
}

static size_t twin_split(struct twin *t, const struct inside *in, const struct json *nodes,
                         int64_t now_ms)
{
    const struct json  *node = &nodes->items[in->node], *split = json_get(node, STR("split"));
    struct twin_person *p = &t->people[in->person];
    if (split->kind != JSON_ARRAY) {
        bool yes = holds(p, split->string, in->entered_ms, now_ms);
        twin_take(t, in, yes ? "yes" : "no", now_ms);
        return node_after(nodes, in->node, yes ? "yes" : "no");
    }
    char who[16], what[40];
    snprintf(who, sizeof who, "p%d", in->person + 1);
    snprintf(what, sizeof what, "j%d/n%zu", in->journey, in->node);
    double percent = hash_chance(str_of(who), str_of(what)) * 100;
    for (uint32_t i = 0; i < split->count; i++) {
        const struct json *branch = &split->items[i];
        int64_t            share;
        bool               is_share = json_get_int(branch, STR("share"), &share);
        if (is_share ? percent >= (double)share
                     : !holds(p, member(branch, "if"), in->entered_ms, now_ms)) {
            percent -= is_share ? (double)share : 0;
            continue;
        }
        snprintf(what, sizeof what, "branch %u", i + 1);
        twin_take(t, in, what, now_ms);
        return node_of(nodes, member(branch, "next"));
    }
    twin_take(t, in, "else", now_ms);
    return node_of(nodes, member(node, "else"));
}

/* Begins to wait, or has nothing to wait for. True: it stays. */
static bool twin_wait(struct twin *t, struct inside *in, const struct json *nodes, bool later,
                      size_t *at, int64_t now_ms)
{
    const struct json  *node = &nodes->items[in->node], *what = json_get(node, STR("wait_for"));
    struct twin_person *p = &t->people[in->person];
    int64_t             within_ms;
    if (what == NULL) {
        in->due_ms = naive_until(p, member(node, "wait_until"), now_ms, later);
        if (in->due_ms != TIME_NEVER && in->due_ms >= now_ms)
            return true;
        twin_take(t, in, in->due_ms == TIME_NEVER ? "the date is not known" : "the date is past",
                  now_ms);
        in->due_ms = TIME_NEVER;
        *at = node_after(nodes, in->node, str_is_empty(member(node, "else")) ? "next" : "else");
        return false;
    }
    assert_ok(time_length_parse(member(node, "within"), &within_ms));
    if (what->kind == JSON_STRING && holds(p, what->string, in->entered_ms, now_ms)) {
        twin_take(t, in, "yes", now_ms);
        *at = node_after(nodes, in->node, "yes");
        return false;
    }
    in->due_ms = now_ms + within_ms;
    return true;
}

static void twin_walk(struct twin *t, uint64_t number, size_t at, bool later, int64_t now_ms)
{
    for (;;) {
        uint32_t           i = inside_find(t, number);
        struct inside     *in = &t->insides[i];
        const struct json *nodes = json_get(t->journeys[in->journey], STR("nodes"));
        if (at >= nodes->count) {
            twin_end(t, i, "finished", now_ms);
            return;
        }
        const struct json *node = &nodes->items[at];
        int64_t            wait_ms;
        in->node = at;
        in->due_ms = TIME_NEVER;
        in->stands = true;
        if (time_length_parse(member(node, "wait"), &wait_ms) == OK) {
            in->due_ms = now_ms + wait_ms;
            return;
        }
        if (json_get(node, STR("exit")) != NULL) {
            twin_end(t, i, "finished", now_ms);
            return;
        }
        if (json_get(node, STR("email")) != NULL) {
            buf_format(&t->log, "%d letter of %d.%zu at %lld\n", in->person, in->journey, at,
                       (long long)now_ms);
            t->letters[t->letters_count++] = (struct letter){ in->person, number, now_ms, false };
            at = node_after(nodes, at, "next");
        } else if (json_get(node, STR("split")) != NULL) {
            at = twin_split(t, in, nodes, now_ms);
        } else if (json_get(node, STR("variants")) != NULL) {
            at = twin_variant(t, in, nodes, now_ms);
        } else if (twin_wait(t, in, nodes, later, &at, now_ms)) {
            return;
        }
    }
}

/* What one waits for may have come: a condition, or (event) one of that name; a date may be
 * another. */
static void twin_look(struct twin *t, uint64_t number, const char *event, int64_t now_ms)
{
    struct inside     *in = &t->insides[inside_find(t, number)];
    const struct json *nodes = json_get(t->journeys[in->journey], STR("nodes"));
    const struct json *node = &nodes->items[in->node], *what = json_get(node, STR("wait_for"));
    struct str         until = member(node, "wait_until");
    if (!in->stands || is_outside(in))
        return;
    if (!str_is_empty(until) &&
        naive_until(&t->people[in->person], until, in->due_ms, false) != in->due_ms)
        twin_walk(t, number, in->node, false, now_ms);
    if (what == NULL || (what->kind == JSON_STRING
                             ? !holds(&t->people[in->person], what->string, in->entered_ms, now_ms)
                             : !str_eq(member(what, "event"), str_of(event))))
        return;
    twin_take(t, in, "yes", now_ms);
    twin_walk(t, number, node_after(nodes, in->node, "yes"), false, now_ms);
}

static void twin_waits(struct twin *t, int person, const char *event, int64_t now_ms)
{
    for (uint32_t i = 0; i < t->insides_count; i++) {
        uint64_t number = t->insides[i].number;
        if (t->insides[i].person == person)
            twin_look(t, number, event, now_ms);
        if (i >= t->insides_count || t->insides[i].number != number)
            i--; /* it has ended */
    }
}

static bool may_enter(const struct twin *t, int person, int journey, int64_t now_ms)
{
    int64_t    length_ms, last = t->last_entry[person][journey];
    struct str rule = member(t->journeys[journey], "reentry");
    for (uint32_t i = 0; i < t->insides_count; i++)
        if (t->insides[i].person == person && t->insides[i].journey == journey &&
            !is_outside(&t->insides[i]))
            return false;
    if (last == 0 || str_eq(rule, STR("always")))
        return true;
    if (str_eq(rule, STR("once")))
        return false;
    assert_ok(time_length_parse(str_slice(rule, 6, rule.len), &length_ms));
    return now_ms - last >= length_ms;
}

static bool is_held_out(const struct twin *t, int person, int journey)
{
    const struct json *holdout = json_get(t->journeys[journey], STR("holdout"));
    struct str         name = member(holdout, "name");
    char               who[16], what[40];
    int64_t            share = 0;
    (void)json_get_int(holdout, STR("share"), &share);
    snprintf(who, sizeof who, "p%d", person + 1);
    if (str_is_empty(name))
        snprintf(what, sizeof what, "holdout/j%d", journey);
    else
        snprintf(what, sizeof what, "holdout/%.*s", STR_ARG(name));
    return hash_chance(str_of(who), str_of(what)) * 100 < (double)share;
}

static void twin_room(struct twin *t, int person, int journey, int64_t now_ms)
{
    uint32_t count = 0, oldest = UINT32_MAX;
    for (uint32_t i = 0; i < t->insides_count; i++)
        if (t->insides[i].person == person && t->insides[i].journey == journey &&
            is_outside(&t->insides[i]) && count++ == 0)
            oldest = i;
    for (uint32_t i = 0; count >= WATCHED_MAX && i < t->insides_count; i++)
        if (t->insides[i].person == person && t->insides[i].journey == journey &&
            is_outside(&t->insides[i]) && t->insides[i].number < t->insides[oldest].number)
            oldest = i;
    if (count >= WATCHED_MAX)
        twin_misses(t, oldest, "came in too often", now_ms);
}

static void twin_trigger(struct twin *t, int person, const char *kind, const char *name,
                         int64_t now_ms)
{
    for (int j = 0; j < t->journeys_count; j++) {
        if (!str_eq(member(json_get(t->journeys[j], STR("trigger")), kind), str_of(name)) ||
            !may_enter(t, person, j, now_ms))
            continue;
        uint64_t      number = ++t->numbers;
        struct inside in = { .person = person,
                             .journey = j,
                             .due_ms = TIME_NEVER,
                             .entered_ms = now_ms,
                             .number = number,
                             .held = is_held_out(t, person, j) };
        if (in.held)
            in.due_ms = goal_end_ms(t, &in);
        twin_room(t, person, j, now_ms);
        buf_format(&t->log, "%d %s %d at %lld\n", person, in.held ? "is held out of" : "enters", j,
                   (long long)now_ms);
        t->held += in.held;
        assert_true(t->insides_count < INSIDE_MAX);
        if (!in.held || in.due_ms > 0)
            t->insides[t->insides_count++] = in;
        t->last_entry[person][j] = now_ms;
        twin_exits(t, person, now_ms);
        uint32_t i = inside_find(t, number);
        if (i < t->insides_count && !is_outside(&t->insides[i]))
            twin_walk(t, number, 0, false, now_ms);
    }
}

/* What has ended may begin others, which may end, too. */
static void twin_settle(struct twin *t, int person, int64_t now_ms, bool quiet)
{
    char name[8];
    for (uint32_t i = 0; i < t->ended_count && !quiet; i++) {
        snprintf(name, sizeof name, "j%d", t->ended[i].journey);
        twin_trigger(t, person, t->ended[i].finished ? "finished_journey" : "left_journey", name,
                     now_ms);
    }
    t->ended_count = 0;
}

static void twin_segments_ask(struct twin *t, int person, int64_t now_ms, bool quiet)
{
    bool was[3], is[3];
    for (int s = 0; s < 3; s++) {
        was[s] = t->people[person].in[s];
        is[s] =
            holds(&t->people[person], str_of(conditions[twin_segments[s].condition]), 0, now_ms);
        t->people[person].in[s] = is[s];
    }
    for (int s = 0; s < 3; s++)
        if (is[s] != was[s] && !quiet)
            twin_trigger(t, person, is[s] ? "segment" : "left_segment", twin_segments[s].name,
                         now_ms);
}

static void twin_dues(struct twin *t, int person, int64_t now_ms)
{
    for (uint32_t i = 0; i < t->insides_count; i++) {
        struct inside      in = t->insides[i];
        const struct json *nodes = json_get(t->journeys[in.journey], STR("nodes"));
        if (in.person != person || in.due_ms > now_ms)
            continue;
        if (is_outside(&in)) {
            twin_misses(t, i, "not in time", now_ms);
            i = (uint32_t)-1;
            continue;
        }
        bool is_for = json_get(&nodes->items[in.node], STR("wait_for")) != NULL;
        bool is_until = json_get(&nodes->items[in.node], STR("wait_until")) != NULL;
        if (is_for)
            twin_take(t, &in, "timeout", now_ms);
        twin_walk(t, in.number, node_after(nodes, in.node, is_for ? "timeout" : "next"), is_until,
                  now_ms);
        i = (uint32_t)-1;
    }
}

/* The next instant after `after` at which anything of the person could change by itself. */
static int64_t next_instant(const struct twin *t, int person, int64_t after)
{
    int64_t next = TIME_NEVER;
    for (uint32_t i = 0; i < t->insides_count; i++)
        if (t->insides[i].person == person && t->insides[i].due_ms > after &&
            t->insides[i].due_ms < next)
            next = t->insides[i].due_ms;
    for (uint32_t i = 0; i < t->people[person].events_count; i++)
        for (int days = 1; days <= 2; days++) {
            int64_t at = t->people[person].events[i].at_ms + days * TIME_DAY_MS;
            if (at > after && at < next)
                next = at;
        }
    return next;
}

static void twin_time(struct twin *t, int64_t now_ms)
{
    for (int p = 0; p < PEOPLE; p++)
        for (int64_t at = next_instant(t, p, t->done_ms); at <= now_ms;
             at = next_instant(t, p, at)) {
            twin_exits(t, p, at);
            twin_waits(t, p, "", at);
            twin_dues(t, p, at);
            twin_segments_ask(t, p, at, false);
            twin_settle(t, p, at, false);
            twin_dues(t, p, at);
            twin_settle(t, p, at, false);
        }
    t->done_ms = now_ms;
}

/* ---- the engine's side ---- */

struct life {
    struct engine *engine;
    struct arena  *arena;
    struct out     out;
    uint64_t       seq, random;
    int64_t        now_ms;
    struct twin    twin;
    struct buf     log;
    size_t         logged;
    uint64_t       reached;
};

static uint32_t draw(struct life *life, uint32_t below)
{
    life->random = hash_u64(life->random, 99);
    return (uint32_t)(life->random >> 20) % below;
}

static enum err tell(struct life *life, struct record record)
{
    record.seq = ++life->seq;
    record.received_ms = life->now_ms;
    if (record.at_ms == 0)
        record.at_ms = life->now_ms;
    return engine_apply(life->engine, &record, &life->out, NULL);
}

static enum err define(struct life *life, enum definition_kind kind, const char *name,
                       struct str text)
{
    return tell(life, (struct record){ .kind = RECORD_DEFINE,
                                       .definition_kind = kind,
                                       .name = str_of(name),
                                       .body = text });
}

/* Which journey an enrollment is of: its ENROLLED decision says so. */
static int journey_of(const struct life *life, uint64_t enrollment)
{
    for (size_t i = 0; i < life->out.decisions_count; i++)
        if (life->out.decisions[i].id == enrollment)
            return (int)life->out.decisions[i].subject;
    return -1;
}

static void engine_log(struct life *life)
{
    for (; life->logged < life->out.decisions_count; life->logged++) {
        const struct decision *d = &life->out.decisions[life->logged];
        long long              at = (long long)d->at_ms;
        if (d->kind == DECISION_ENROLLED)
            buf_format(&life->log, "%u enters %d at %lld\n", d->profile, (int)d->subject, at);
        if (d->kind == DECISION_HELD_OUT)
            buf_format(&life->log, "%u is held out of %d at %lld\n", d->profile, (int)d->subject,
                       at);
        if (d->kind == DECISION_GOAL)
            buf_format(&life->log, "%u reaches %d at %lld%s\n", d->profile,
                       journey_of(life, d->subject), at, d->is_held ? ", held out" : "");
        if (d->kind == DECISION_UNREACHED)
            buf_format(&life->log, "%u misses %d at %lld: %.*s\n", d->profile,
                       journey_of(life, d->subject), at, STR_ARG(d->text));
        if (d->kind == DECISION_GOAL)
            life->reached++;
        if (d->kind == DECISION_STEP && d->text.len > 0)
            buf_format(&life->log, "%u takes %.*s at %u.%u at %lld\n", d->profile, STR_ARG(d->text),
                       d->journey, d->object, at);
        if (d->kind == DECISION_INTENT)
            buf_format(&life->log, "%u letter of %u.%u at %lld\n", d->profile, d->journey,
                       d->object, at);
        if (d->kind == DECISION_ENDED)
            buf_format(&life->log, "%u leaves %d at %lld: %.*s\n", d->profile,
                       journey_of(life, d->subject), at, STR_ARG(d->text));
    }
}

static void condition_random(struct life *life, const char *key, struct buf *text)
{
    buf_format(text, "\"%s\":", key);
    json_write_str(text, str_of(conditions[draw(life, CONDITIONS)]));
}

static void split_random(struct life *life, uint32_t nodes, struct buf *text)
{
    uint32_t count = 1 + draw(life, 3), left = 100;
    bool     shares = draw(life, 2) == 0;
    buf_str(text, STR("\"split\":["));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t share = i + 1 == count ? left : 1 + draw(life, left - (count - i - 1));
        buf_str(text, i > 0 ? STR(",{") : STR("{"));
        if (shares)
            buf_format(text, "\"share\":%u", share);
        else
            condition_random(life, "if", text);
        buf_format(text, ",\"next\":\"n%u\"}", draw(life, nodes));
        left -= share;
    }
    buf_char(text, ']');
    if (!shares)
        buf_format(text, ",\"else\":\"n%u\"", draw(life, nodes));
}

/* Names are shared, so that journeys deal the same people alike. */
static void variants_random(struct life *life, uint32_t nodes, struct buf *text)
{
    uint32_t count = 2 + draw(life, 7), left = 100;
    bool     shares = draw(life, 2) == 0;
    buf_str(text, STR("\"variants\":["));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t share = i + 1 == count ? left : 1 + draw(life, left - (count - i - 1));
        buf_format(text, "%s{\"name\":\"v%u\"", i > 0 ? "," : "", i);
        if (shares)
            buf_format(text, ",\"share\":%u", share);
        if (draw(life, 4) > 0)
            buf_format(text, ",\"next\":\"n%u\"", draw(life, nodes));
        buf_char(text, '}');
        left -= share;
    }
    buf_char(text, ']');
    if (draw(life, 2) == 0)
        buf_format(text, ",\"experiment\":\"x%u\"", draw(life, 2));
}

static void wait_for_random(struct life *life, uint32_t nodes, struct buf *text)
{
    if (draw(life, 2) == 0)
        buf_format(text, "\"wait_for\":{\"event\":\"%c\"}", (char)('A' + draw(life, 3)));
    else
        condition_random(life, "wait_for", text);
    buf_format(text, ",\"within\":\"%u hours\",\"yes\":\"n%u\",\"timeout\":\"n%u\"",
               1 + draw(life, 90), draw(life, nodes), draw(life, nodes));
}

static void wait_until_random(struct life *life, uint32_t nodes, struct buf *text)
{
    uint32_t until = draw(life, UNTILS);
    buf_format(text, "\"wait_until\":\"%s\"", untils[until].text);
    if (untils[until].days == 0 && draw(life, 2) == 0)
        buf_format(text, ",\"else\":\"n%u\"", draw(life, nodes));
}

static void node_random(struct life *life, uint32_t nodes, struct buf *text)
{
    switch (draw(life, 14)) {
    case 12:
    case 13:
        variants_random(life, nodes, text);
        break;
    case 0:
    case 1:
        buf_str(text, STR("\"email\":\"letter\""));
        break;
    case 2:
    case 3:
        buf_format(text, "\"wait\":\"%u hours\"", 1 + draw(life, 60));
        break;
    case 4:
        buf_str(text, STR("\"exit\":true"));
        break;
    case 5:
    case 6:
    case 7:
        wait_until_random(life, nodes, text);
        break;
    case 8:
    case 9:
        wait_for_random(life, nodes, text);
        break;
    case 10:
        split_random(life, nodes, text);
        break;
    default:
        condition_random(life, "split", text);
        buf_format(text, ",\"yes\":\"n%u\",\"no\":\"n%u\"", draw(life, nodes), draw(life, nodes));
    }
}

/* An earlier journey's end begins a later one: never in a circle, which would be parked. */
static void trigger_random(struct life *life, int number, struct buf *text)
{
    static const char *const triggers[] = {
        "\"event\":\"A\"",         "\"event\":\"B\"",         "\"event\":\"C\"",
        "\"segment\":\"s0\"",      "\"segment\":\"s1\"",      "\"segment\":\"s2\"",
        "\"left_segment\":\"s0\"", "\"left_segment\":\"s1\"", "\"left_segment\":\"s2\"",
        "\"list\":\"news\"",       "\"left_list\":\"news\"",
    };
    enum { TRIGGERS = sizeof triggers / sizeof triggers[0] };
    if (number > 0 && draw(life, 4) == 0)
        buf_format(text, "\"trigger\":{\"%s_journey\":\"j%u\"},",
                   draw(life, 2) ? "finished" : "left", draw(life, (uint32_t)number));
    else
        buf_format(text, "\"trigger\":{%s},", triggers[draw(life, TRIGGERS)]);
}

static void goal_random(struct life *life, struct buf *text)
{
    if (draw(life, 3) == 0)
        buf_format(text, "\"holdout\":{\"share\":%u%s},", 10 + draw(life, 41),
                   draw(life, 3) == 0 ? ",\"name\":\"all\"" : "");
    if (draw(life, 2) == 0)
        return;
    buf_format(text, "\"goal\":{\"within\":\"%u hours\",", 1 + draw(life, 200));
    condition_random(life, "condition", text);
    buf_str(text, STR("},"));
    if (draw(life, 2) == 0)
        buf_format(text, "\"exit_on_goal\":%s,", draw(life, 2) ? "true" : "false");
}

static struct str journey_random(struct life *life, int number)
{
    static const char *const reentries[] = { "once", "always", "after 30 hours" };
    struct buf               text = buf_make(1 << 16);
    uint32_t                 nodes = 1 + draw(life, 6);
    buf_format(&text, "{\"journey\":\"j%d\",\"reentry\":\"%s\",", number, reentries[draw(life, 3)]);
    trigger_random(life, number, &text);
    if (draw(life, 2) == 0) {
        buf_str(&text, STR("\"exit_when\":"));
        json_write_str(&text, str_of(conditions[draw(life, CONDITIONS)]));
        buf_char(&text, ',');
    }
    goal_random(life, &text);
    buf_str(&text, STR("\"nodes\":["));
    for (uint32_t i = 0; i < nodes; i++) {
        buf_format(&text, "%s{\"id\":\"n%u\",", i > 0 ? "," : "", i);
        node_random(life, nodes, &text);
        if (draw(life, 5) == 0)
            buf_format(&text, ",\"next\":\"n%u\"", draw(life, nodes));
        buf_char(&text, '}');
    }
    buf_str(&text, STR("]}"));
    struct str kept = str_copy(life->arena, buf_view(&text));
    buf_done(&text);
    return kept;
}

static void program_random(struct life *life)
{
    struct twin *t = &life->twin;
    assert_ok(define(life, DEFINE_WORKSPACE, "workspace", STR("{\"lists\":[\"news\"]}")));
    assert_ok(define(life, DEFINE_TEMPLATE, "letter", STR("subject: s\n--- html\nx")));
    for (int s = 0; s < 3; s++)
        assert_ok(define(life, DEFINE_SEGMENT, twin_segments[s].name,
                         str_of(conditions[twin_segments[s].condition])));
    while (t->journeys_count < JOURNEYS) {
        char         name[8];
        struct json *root = ARENA_NEW(life->arena, struct json);
        struct str   text = journey_random(life, t->journeys_count);
        snprintf(name, sizeof name, "j%d", t->journeys_count);
        if (define(life, DEFINE_JOURNEY, name, text) != OK)
            continue; /* a circle without a wait: refused, drawn again */
        assert_ok(json_parse_once(life->arena, text, root, NULL));
        t->journeys[t->journeys_count++] = root;
    }
    assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
}

/* ---- records, told to both ---- */

static void event_both(struct life *life, int person)
{
    char                name[2] = { (char)('A' + draw(life, 3)), 0 }, user[8];
    int64_t             late_ms = draw(life, 4) == 0 ? (int64_t)draw(life, 40) * TIME_HOUR_MS : 0;
    bool                quiet = late_ms > LATENESS_MS_DEFAULT;
    struct twin_person *p = &life->twin.people[person];
    snprintf(user, sizeof user, "u%d", person);
    assert_ok(tell(life, (struct record){ .kind = RECORD_TRACK,
                                          .user_id = str_of(user),
                                          .name = str_of(name),
                                          .at_ms = life->now_ms - late_ms }));
    p->events[p->events_count++] = (struct happened){ name[0], life->now_ms - late_ms };
    twin_exits(&life->twin, person, life->now_ms);
    twin_waits(&life->twin, person, quiet ? "" : name, life->now_ms);
    if (!quiet)
        twin_trigger(&life->twin, person, "event", name, life->now_ms);
    twin_segments_ask(&life->twin, person, life->now_ms, quiet);
    twin_settle(&life->twin, person, life->now_ms, quiet);
}

/* Traits that are told, besides the plan; what is not told stays. */
static void others_tell(struct life *life, struct twin_person *p, struct buf *text)
{
    static const char *const zones[] = { "Spring", "Skip", "West", "Nowhere" };
    static const char *const ends[] = {
        "2026-01-12",           "2026-01-20", "2026-01-16T13:45:00Z",
        "2026-02-02T00:30:00Z", "soon",       "2026-01-25"
    };
    if (draw(life, 3) == 0) {
        const char *zone = zones[draw(life, 4)];
        p->zone = zone_find(life->twin.zones, str_of(zone));
        buf_format(text, ",\"timezone\":\"%s\"", zone);
    }
    if (draw(life, 2) == 0) {
        p->ends = str_of(ends[draw(life, 6)]);
        buf_format(text, ",\"ends\":\"%.*s\"", STR_ARG(p->ends));
    }
}

static void identify_both(struct life *life, int person)
{
    char                         user[8];
    struct json                 *traits = ARENA_NEW(life->arena, struct json);
    SCOPED(buf_donep) struct buf text = buf_make(1000);
    struct twin_person          *p = &life->twin.people[person];
    p->pro = draw(life, 2) == 0;
    snprintf(user, sizeof user, "u%d", person);
    buf_format(&text, "{\"email\":\"u@x.no\",\"plan\":\"%s\"", p->pro ? "pro" : "free");
    others_tell(life, p, &text);
    buf_char(&text, '}');
    assert_ok(json_parse_once(life->arena, str_copy(life->arena, buf_view(&text)), traits, NULL));
    assert_ok(tell(
        life,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = str_of(user), .properties = traits }));
    twin_exits(&life->twin, person, life->now_ms);
    twin_waits(&life->twin, person, "", life->now_ms);
    twin_settle(&life->twin, person, life->now_ms, false);
}

static void list_both(struct life *life, int person)
{
    bool leave = draw(life, 2) == 0, was = life->twin.people[person].listed;
    assert_ok(tell(life, (struct record){ .kind = RECORD_LIST,
                                          .profile = (uint32_t)person,
                                          .name = STR("news"),
                                          .flags = leave ? RECORD_LEAVE : 0 }));
    life->twin.people[person].listed = !leave;
    twin_exits(&life->twin, person, life->now_ms);
    twin_waits(&life->twin, person, "", life->now_ms);
    if (leave == was)
        twin_trigger(&life->twin, person, leave ? "left_list" : "list", "news", life->now_ms);
    twin_settle(&life->twin, person, life->now_ms, false);
}

static bool mails(const struct json *journey)
{
    const struct json *nodes = json_get(journey, STR("nodes"));
    for (uint32_t i = 0; i < nodes->count; i++)
        if (json_get(&nodes->items[i], STR("email")) != NULL)
            return true;
    return false;
}

static void consent_both(struct life *life, int person)
{
    struct twin *t = &life->twin;
    struct json *how = ARENA_NEW(life->arena, struct json);
    bool         granted = draw(life, 3) > 0;
    assert_ok(json_parse_once(life->arena,
                              granted ? STR("{\"state\":\"subscribed\"}")
                                      : STR("{\"state\":\"unsubscribed\"}"),
                              how, NULL));
    assert_ok(tell(
        life,
        (struct record){ .kind = RECORD_CONSENT, .profile = (uint32_t)person, .properties = how }));
    t->people[person].refused = !granted;
    for (uint32_t i = 0; i < t->insides_count && !granted; i++)
        if (t->insides[i].person == person && !is_outside(&t->insides[i]) &&
            mails(t->journeys[t->insides[i].journey]))
            i -= twin_end(t, i, "unsubscribed", life->now_ms);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->letters_count; i++)
        if (granted || t->letters[i].person != person || t->letters[i].sending)
            t->letters[kept++] = t->letters[i];
    t->letters_count = kept;
    twin_settle(t, person, life->now_ms, false);
}

/* One record claims at most `count`: a full one may have left some. */
static void claim_all(struct life *life)
{
    const uint32_t batch = 64;
    size_t         before, came;
    do {
        before = life->out.claims_count;
        assert_ok(tell(life, (struct record){ .kind = RECORD_CLAIM, .count = batch }));
        came = life->out.claims_count - before;
        assert_true(came <= batch);
    } while (came == batch);
}

/* All that may go is claimed: the refused are dropped, the rest is sent, fails or comes back. */
static void claim_both(struct life *life)
{
    struct twin *t = &life->twin;
    size_t       before = life->out.claims_count;
    uint32_t     wanted = 0;
    claim_all(life);
    for (uint32_t i = 0; i < t->letters_count; i++)
        wanted += !t->people[t->letters[i].person].refused;
    assert_int_equal(life->out.claims_count - before, wanted);
    t->letters_count = 0;
    for (size_t i = before, n = life->out.claims_count; i < n; i++) {
        struct claim claim = life->out.claims[i];
        assert_false(t->people[claim.profile].refused);
        struct record r = { .kind = RECORD_OUTCOME,
                            .profile = claim.profile,
                            .outcome = { claim.message,
                                         draw(life, 2) ? OUTCOME_SENT : OUTCOME_UNKNOWN, 0,
                                         STR("250") } };
        assert_ok(tell(life, r));
        assert_int_equal(tell(life, r), ERR_ABSENT); /* told twice, settled once */
    }
}

static int line_compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The two tell of people in another order within an instant: the lines are compared sorted. */
static void logs_compare(struct life *life, uint64_t seed, int step)
{
    struct str lines[2][600], rest[2] = { buf_view(&life->log), buf_view(&life->twin.log) };
    size_t     count[2] = { 0, 0 };
    for (int k = 0; k < 2; k++) {
        while (count[k] < 600 && str_split(&rest[k], '\n', &lines[k][count[k]]))
            count[k]++;
        qsort(lines[k], count[k], sizeof lines[k][0], line_compare);
    }
    for (size_t i = 0; i < count[0] || i < count[1]; i++) {
        struct str is = i < count[0] ? lines[0][i] : STR_NONE,
                   twin = i < count[1] ? lines[1][i] : STR_NONE;
        if (str_eq(is, twin))
            continue;
        print_error("DULT_SEED=%llu step %d\nengine: %.*s\n  twin: %.*s\n",
                    (unsigned long long)seed, step, STR_ARG(is), STR_ARG(twin));
        for (int j = 0; j < life->twin.journeys_count; j++) {
            struct buf text = buf_make(1 << 16);
            json_write(&text, life->twin.journeys[j]);
            print_error("%.*s\n", STR_ARG(buf_view(&text)));
            buf_done(&text);
        }
        fail();
    }
    buf_reset(&life->log);
    buf_reset(&life->twin.log);
}

static void states_compare(struct life *life)
{
    const struct people *people = engine_people(life->engine);
    struct twin         *t = &life->twin;
    uint32_t             inside = 0;
    for (uint32_t i = 0; i < t->insides_count; i++) {
        const struct state *state = people_state_get(people, (uint32_t)t->insides[i].person);
        bool                found = false;
        for (uint32_t k = 0; k < state->rare->enrollments.count; k++) {
            const struct enrollment *e = &state->rare->enrollments.items[k];
            found = found ||
                    ((int)e->journey == t->insides[i].journey && e->node == t->insides[i].node &&
                     e->due_ms == t->insides[i].due_ms && e->is_held == t->insides[i].held &&
                     e->is_over == t->insides[i].over && e->has_goal == t->insides[i].reached &&
                     e->entered_ms == t->insides[i].entered_ms);
        }
        if (!found) {
            const struct inside *in = &t->insides[i];
            print_error("twin: person %d journey %d node %zu due %lld entered %lld%s%s%s\n",
                        in->person, in->journey, in->node, (long long)in->due_ms,
                        (long long)in->entered_ms, in->held ? " held" : "", in->over ? " over" : "",
                        in->reached ? " reached" : "");
            for (uint32_t k = 0; k < state->rare->enrollments.count; k++) {
                const struct enrollment *e = &state->rare->enrollments.items[k];
                print_error("  is: journey %u node %u due %lld entered %lld%s%s%s\n", e->journey,
                            e->node, (long long)e->due_ms, (long long)e->entered_ms,
                            e->is_held ? " held" : "", e->is_over ? " over" : "",
                            e->has_goal ? " reached" : "");
            }
        }
        assert_true(found);
    }
    for (uint32_t p = 0; p < PEOPLE; p++)
        inside += people_state_get(people, p)->rare->enrollments.count;
    assert_int_equal(inside, t->insides_count);
    assert_int_equal(engine_stats(life->engine).queued, t->letters_count);
}

/* Clocks go forward and back, a day is left out, and one place has none of it. */
static struct zones *zones_open(void)
{
    static const struct zone_shift spring[] = { { T0 / 1000 + 9 * 86400 + 3600, 7200 },
                                                { T0 / 1000 + 23 * 86400 + 3600, 3600 } };
    static const struct zone_shift skip[] = { { T0 / 1000 + 12 * 86400 + 11 * 3600, 13 * 3600 } };
    const struct zone              list[] = { { STR("Spring"), spring, 2, 3600 },
                                              { STR("Skip"), skip, 1, -11 * 3600 },
                                              { STR("West"), NULL, 0, -5 * 3600 - 1800 } };
    struct zones                  *zones;
    assert_ok(zones_make(&zones, STR("1"), list, 3));
    return zones;
}

struct lived {
    uint64_t enrolled, held, reached;
};

static struct lived journeys_live(uint64_t seed)
{
    struct life  *life = calloc(1, sizeof *life);
    struct zones *zones = zones_open();
    life->arena = life->out.arena = arena_open(256 << 20);
    life->random = seed;
    life->twin.zones = zones;
    life->now_ms = life->twin.done_ms = T0;
    life->log = buf_make(1 << 20);
    life->twin.log = buf_make(1 << 20);
    assert_ok(engine_open(&life->engine, (struct engine_conf){ .seed = seed,
                                                               .next_decision = 1,
                                                               .lateness_ms = LATENESS_MS_DEFAULT,
                                                               .zones = zones }));
    program_random(life);
    for (int p = 0; p < PEOPLE; p++)
        identify_both(life, p);
    for (int i = 0; i < RECORDS; i++) {
        int person = (int)draw(life, PEOPLE);
        life->now_ms += draw(life, 3) == 0 ? (int64_t)draw(life, 50) * TIME_HOUR_MS
                                           : (int64_t)draw(life, 9000) + 1;
        /* Half the time nobody tells the clock first: the record itself brings the person's time.
         */
        twin_time(&life->twin, life->now_ms);
        uint32_t kind = draw(life, 10);
        if (kind >= 9 || draw(life, 2) == 0)
            assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
        if (kind < 6)
            event_both(life, person);
        else if (kind == 6)
            identify_both(life, person);
        else if (kind == 7)
            list_both(life, person);
        else if (kind == 8)
            consent_both(life, person);
        else
            claim_both(life);
        assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
        for (int p = 0; p < PEOPLE; p++) { /* who came to a time at that very time */
            twin_dues(&life->twin, p, life->now_ms);
            twin_settle(&life->twin, p, life->now_ms, false);
        }
        engine_log(life);
        logs_compare(life, seed, i);
        states_compare(life);
    }
    struct lived lived = { engine_stats(life->engine).enrolled, life->twin.held, life->reached };
    engine_close(life->engine);
    zones_close(zones);
    buf_done(&life->log);
    buf_done(&life->twin.log);
    arena_close(life->arena);
    free(life);
    return lived;
}

TEST(journey_life, journeys_do_what_they_say_when_they_say_it)
{
    const char  *given = getenv("DULT_SEED");
    uint64_t     seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    struct lived all = { 0 };
    printf("journey_life: DULT_SEED=%llu replays\n", (unsigned long long)seed);
    for (int i = 0; i < LIVES; i++) {
        struct lived one = journeys_live(seed + (uint64_t)i);
        all.enrolled += one.enrolled;
        all.held += one.held;
        all.reached += one.reached;
    }
    assert_true(all.enrolled > LIVES * 5 && all.held > LIVES && all.reached > LIVES);
}
