/* The twin: who is inside of what, walked straight from the JSON; and what follows from what. */
#include "engine/journey_life_test.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/test.h"

/* ---- conditions: as text for the engine, as a function for the twin ---- */

const char *const twin_conditions[TWIN_CONDITIONS + 1] = {
    "did \"A\" at least 2 times",
    "did \"B\" in the last 2 days",
    "plan = \"pro\"",
    "did \"C\" since entry",
    "in list \"news\"",
    "in segment \"s1\"",
    "not did \"A\" in the last 1 day and did \"B\"",
    "did \"C\" where k is the key since entry",
};

const struct twin_segment twin_segments[TWIN_SEGMENTS] = {
    { "s0", 0 },
    { "s1", 1 },
    { "s2", 6 },
};

/* Why somebody looks again: a condition is asked anew where it is about that. */
struct look {
    enum { LOOK_ANY, LOOK_NAME, LOOK_OF_SEGMENT, LOOK_OF_LIST } of;
    char name;
    int  segment;
    bool hears; /* who waits for an event hears of this one */
    int  k;     /* what it says */
};

/* The events that each is about, by name; of a segment its number, of the list 'l'. */
static const char *const about[TWIN_CONDITIONS + 1] = { "A", "B", "", "C", "l", "1", "AB", "C" };

static size_t condition_of(struct str text)
{
    size_t i = 0;
    while (!str_eq(text, str_of(twin_conditions[i])))
        i++;
    return i;
}

static bool is_about(struct str text, struct look look)
{
    const char *what = about[condition_of(text)];
    return look.of == LOOK_ANY || (look.of == LOOK_NAME && strchr(what, look.name) != NULL) ||
           (look.of == LOOK_OF_SEGMENT && strchr(what, '0' + look.segment) != NULL) ||
           (look.of == LOOK_OF_LIST && strchr(what, 'l') != NULL);
}

static uint32_t did(const struct twin_person *p, char name, int64_t from_ms, int64_t to_ms)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->events_count; i++)
        count += p->events[i].name == name && p->events[i].at_ms >= from_ms &&
                 p->events[i].at_ms <= to_ms;
    return count;
}

static bool did_of_key(const struct twin_person *p, char name, int64_t from_ms, int64_t to_ms)
{
    for (uint32_t i = 0; i < p->events_count; i++)
        if (p->events[i].name == name && p->events[i].at_ms >= from_ms &&
            p->events[i].at_ms <= to_ms && p->events[i].k >= 0 && p->events[i].k == p->asked_key)
            return true;
    return false;
}

static bool holds(const struct twin_person *p, struct str text, int64_t entry_ms, int64_t now_ms)
{
    int64_t day = now_ms - TIME_DAY_MS + 1, two = now_ms - 2 * TIME_DAY_MS + 1, ever = INT64_MIN;
    switch (condition_of(text)) {
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
    case 7:
        return did_of_key(p, 'C', entry_ms, now_ms);
    default:
        return did(p, 'A', day, now_ms) == 0 && did(p, 'B', ever, now_ms) > 0;
    }
}

/* ---- what follows ---- */

static struct str member(const struct json *object, const char *key)
{
    return json_get_str(object, str_of(key));
}

static void follow_of(struct twin *t, struct follows what, int k)
{
    what.k = k;
    if (t->queue_count < CONSEQUENCES_MAX) {
        t->queue[t->queue_count++] = what;
        return;
    }
    t->is_parked = true;
    t->is_lost = t->is_lost || what.kind == FOLLOWS_TOLD || what.kind == FOLLOWS_SET;
}

static void follow(struct twin *t, struct follows what)
{
    follow_of(t, what, t->k);
}

/* A schedule names its segment, and does not begin by it. */
static bool begins_by(const struct twin *t, int journey, const char *kind, struct str name)
{
    const struct json *trigger = json_get(t->journeys[journey], STR("trigger"));
    return json_get(trigger, STR("schedule")) == NULL && str_eq(member(trigger, kind), name);
}

/* Does any journey begin by it? */
static bool begins(const struct twin *t, const char *kind, struct str name)
{
    for (int j = 0; j < t->journeys_count; j++)
        if (begins_by(t, j, kind, name))
            return true;
    return false;
}

static bool begins_by_event(const struct twin *t, char name)
{
    return begins(t, "event", (struct str){ &name, 1 });
}

static bool is_inside(const struct twin *t, int person)
{
    for (uint32_t i = 0; i < t->insides_count; i++)
        if (t->insides[i].person == person)
            return true;
    return false;
}

/* The segments that an event of the name may turn; 0: all that time may. */
static void segments_ask(struct twin *t, int person, char name, int64_t now_ms)
{
    for (int s = 0; s < TWIN_SEGMENTS; s++) {
        struct str text = str_of(twin_conditions[twin_segments[s].condition]);
        if (name != 0 && strchr(about[twin_segments[s].condition], name) == NULL)
            continue;
        bool was = t->people[person].in[s], is = holds(&t->people[person], text, 0, now_ms);
        t->people[person].in[s] = is;
        bool heard = is_inside(t, person) || begins(t, "segment", str_of(twin_segments[s].name)) ||
                     begins(t, "left_segment", str_of(twin_segments[s].name));
        if (is != was && heard)
            follow(t, (struct follows){ .kind = is ? FOLLOWS_ENTERED : FOLLOWS_LEFT, .number = s });
    }
}

/* ---- leaving ---- */

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

static void inside_remove(struct twin *t, uint32_t i)
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

static void misses(struct twin *t, uint32_t i, const char *why, int64_t now_ms)
{
    buf_format(&t->log, "%d misses %d at %lld: %s\n", t->insides[i].person, t->insides[i].journey,
               (long long)now_ms, why);
    inside_remove(t, i);
}

/* Who has not reached the goal is watched while its time runs. */
static void end(struct twin *t, uint32_t i, const char *why, int64_t now_ms)
{
    struct inside in = t->insides[i];
    char          name[8];
    bool          finished = strcmp(why, "finished") == 0;
    buf_format(&t->log, "%d leaves %d at %lld: %s\n", in.person, in.journey, (long long)now_ms,
               why);
    if (!in.reached && goal_end_ms(t, &in) > now_ms) {
        t->insides[i].over = true;
        t->insides[i].due_ms = goal_end_ms(t, &in);
    } else {
        inside_remove(t, i);
    }
    snprintf(name, sizeof name, "j%d", in.journey);
    if (begins(t, finished ? "finished_journey" : "left_journey", str_of(name)))
        follow(t, (struct follows){ .kind = finished ? FOLLOWS_FINISHED : FOLLOWS_ENDED,
                                    .number = in.journey });
}

static bool mails(const struct json *journey)
{
    const struct json *nodes = json_get(journey, STR("nodes"));
    for (uint32_t i = 0; i < nodes->count; i++)
        if (json_get(&nodes->items[i], STR("email")) != NULL)
            return true;
    return false;
}

static void refuse(struct twin *t, int person, int64_t now_ms)
{
    t->people[person].refused = true;
    for (uint32_t i = 0; i < t->insides_count; i++)
        if (t->insides[i].person == person && !is_outside(&t->insides[i]) &&
            mails(t->journeys[t->insides[i].journey])) {
            end(t, i, "unsubscribed", now_ms);
            i = UINT32_MAX;
        }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < t->letters_count; i++)
        if (t->letters[i].person != person || t->letters[i].sending)
            t->letters[kept++] = t->letters[i];
    t->letters_count = kept;
}

/* ---- walking ---- */

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
    if (str_is_empty(id) && strcmp(key, "next") != 0)
        id = member(&nodes->items[at], "next");
    return str_is_empty(id) ? at + 1 : node_of(nodes, id);
}

static uint32_t inside_find(const struct twin *t, uint64_t number)
{
    uint32_t i = 0;
    while (i < t->insides_count && t->insides[i].number != number)
        i++;
    return i;
}

static void take(struct twin *t, const struct inside *in, const char *what, int64_t now_ms)
{
    buf_format(&t->log, "%d takes %s at %d.%zu at %lld\n", in->person, what, in->journey, in->node,
               (long long)now_ms);
}

/* Where a split goes, and what is told of it. */
static size_t split(struct twin *t, const struct inside *in, const struct json *nodes,
                    int64_t now_ms)
{
    const struct json  *node = &nodes->items[in->node], *which = json_get(node, STR("split"));
    struct twin_person *p = &t->people[in->person];
    p->asked_key = in->key;
    if (which->kind != JSON_ARRAY) {
        bool yes = holds(p, which->string, in->entered_ms, now_ms);
        take(t, in, yes ? "yes" : "no", now_ms);
        return node_after(nodes, in->node, yes ? "yes" : "no");
    }
    char who[16], what[40];
    snprintf(who, sizeof who, "p%d", in->person + 1);
    snprintf(what, sizeof what, "j%d/n%zu", in->journey, in->node);
    double percent = hash_chance(str_of(who), str_of(what)) * 100;
    for (uint32_t i = 0; i < which->count; i++) {
        const struct json *branch = &which->items[i];
        int64_t            share;
        bool               is_share = json_get_int(branch, STR("share"), &share);
        if (is_share ? percent >= (double)share
                     : !holds(p, member(branch, "if"), in->entered_ms, now_ms)) {
            percent -= is_share ? (double)share : 0;
            continue;
        }
        snprintf(what, sizeof what, "branch %u", i + 1);
        take(t, in, what, now_ms);
        return node_of(nodes, member(branch, "next"));
    }
    take(t, in, "else", now_ms);
    return node_of(nodes, member(node, "else"));
}

static uint32_t variant_dealt(const struct inside *in, const struct json *node)
{
    const struct json *list = json_get(node, STR("variants"));
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
        if (hash_chance(str_of(who), str_of(what)) < passed)
            return i;
    }
    return list->count - 1;
}

/* Who has one keeps it, once anything was said of a winner; others take the one that was chosen. */
static size_t variant(struct twin *t, const struct inside *in, const struct json *nodes,
                      int64_t now_ms)
{
    const struct json        *node = &nodes->items[in->node];
    const struct twin_choice *choice = &t->choices[in->journey][in->node];
    int                      *had = &t->had[in->person][in->journey][in->node];
    bool                      is_said = choice->is_said && now_ms >= choice->at_ms;
    uint32_t                  i = variant_dealt(in, node);
    char                      what[60];
    if (is_said && *had > 0) {
        t->kept += *had != (choice->variant >= 0 ? choice->variant + 1 : (int)i + 1);
        i = (uint32_t)*had - 1;
    } else if (is_said && choice->variant >= 0) {
        t->chosen += (uint32_t)choice->variant != i;
        i = (uint32_t)choice->variant;
    }
    *had = (int)i + 1;
    const struct json *taken = &json_get(node, STR("variants"))->items[i];
    snprintf(what, sizeof what, "%.*s", STR_ARG(member(taken, "name")));
    take(t, in, what, now_ms);
    return json_get(taken, STR("next")) == NULL ? node_after(nodes, in->node, "next")
                                                : node_of(nodes, member(taken, "next"));
}

/* Begins to wait, or has nothing to wait for. True: it stays. */
static bool wait_begin(struct twin *t, struct inside *in, const struct json *nodes, bool later,
                       size_t *at, int64_t now_ms)
{
    const struct json  *node = &nodes->items[in->node], *what = json_get(node, STR("wait_for"));
    struct twin_person *p = &t->people[in->person];
    int64_t             within_ms;
    p->asked_key = in->key;
    if (what == NULL) {
        in->due_ms = twin_until_ms(p, member(node, "wait_until"), now_ms, later);
        bool is_now = later && in->due_ms == now_ms;
        if (is_now) { /* not once more at this instant, and so on for ever */
            in->due_ms = TIME_NEVER;
            *at = node_after(nodes, in->node, "next");
            return false;
        }
        if (in->due_ms != TIME_NEVER && in->due_ms >= now_ms)
            return true;
        take(t, in, in->due_ms == TIME_NEVER ? "the date is not known" : "the date is past",
             now_ms);
        in->due_ms = TIME_NEVER;
        *at = node_after(nodes, in->node, "else");
        return false;
    }
    assert_ok(time_length_parse(member(node, "within"), &within_ms));
    if (what->kind == JSON_STRING && holds(p, what->string, in->entered_ms, now_ms)) {
        take(t, in, "yes", now_ms);
        *at = node_after(nodes, in->node, "yes");
        return false;
    }
    in->due_ms = now_ms + within_ms;
    return true;
}

/* What a node changes; false: it is none that does. */
static bool change(struct twin *t, const struct inside *in, const struct json *node, int64_t now_ms)
{
    struct twin_person *p = &t->people[in->person];
    const struct json  *set = json_get(node, STR("set")), *record = json_get(node, STR("record"));
    bool                joins = !str_is_empty(member(node, "join_list"));
    if (set != NULL) {
        p->pro = str_eq(member(set, "plan"), STR("pro"));
        t->told++;
        follow_of(t, (struct follows){ .kind = FOLLOWS_SET }, -1);
    } else if (record != NULL) {
        char name = member(record, "event").ptr[0];
        assert_true(p->events_count < TWIN_EVENTS_MAX);
        p->events[p->events_count++] = (struct happened){ name, -1, now_ms };
        t->told++;
        follow_of(t, (struct follows){ .kind = FOLLOWS_TOLD, .name = name }, -1);
    } else if (joins || !str_is_empty(member(node, "leave_list"))) {
        if (p->listed != joins)
            follow(t, (struct follows){ .kind = joins ? FOLLOWS_JOINED : FOLLOWS_DEPARTED });
        p->listed = joins;
    } else if (json_get(node, STR("consent")) != NULL) {
        if (p->refused)
            take(t, in, "it is so already", now_ms);
        else
            refuse(t, in->person, now_ms);
    } else if (!str_is_empty(member(node, "start_journey"))) {
        follow_of(t,
                  (struct follows){ .kind = FOLLOWS_STARTED,
                                    .number = member(node, "start_journey").ptr[1] - '0' },
                  in->event_k);
    } else {
        return false;
    }
    return true;
}

/* Stands at the node. False: it stays there, or has ended. */
static bool arrive(struct twin *t, uint64_t number, bool later, size_t *at, int64_t now_ms)
{
    struct inside     *in = &t->insides[inside_find(t, number)];
    const struct json *nodes = json_get(t->journeys[in->journey], STR("nodes"));
    const struct json *node = &nodes->items[*at];
    int64_t            wait_ms;
    in->node = *at;
    in->due_ms = TIME_NEVER;
    in->stands = true;
    if (time_length_parse(member(node, "wait"), &wait_ms) == OK) {
        in->due_ms = now_ms + wait_ms;
        return false;
    }
    if (json_get(node, STR("exit")) != NULL) {
        *at = nodes->count;
        return true;
    }
    if (json_get(node, STR("split")) != NULL) {
        *at = split(t, in, nodes, now_ms);
        return true;
    }
    if (json_get(node, STR("variants")) != NULL) {
        *at = variant(t, in, nodes, now_ms);
        return true;
    }
    if (json_get(node, STR("wait_until")) != NULL || json_get(node, STR("wait_for")) != NULL)
        return !wait_begin(t, in, nodes, later, at, now_ms);
    struct inside here = *in;
    *at = node_after(nodes, *at, "next");
    if (change(t, &here, node, now_ms))
        return true;
    buf_format(&t->log, "%d letter of %d.%zu at %lld\n", here.person, here.journey, here.node,
               (long long)now_ms);
    t->letters[t->letters_count++] = (struct letter){ here.person, number, now_ms, false };
    return true;
}

static bool is_in_audience(const struct twin *t, int person, int journey, int64_t now_ms)
{
    struct str audience = member(t->journeys[journey], "audience");
    return str_is_empty(audience) || holds(&t->people[person], audience, 0, now_ms);
}

static void walk(struct twin *t, uint64_t number, size_t at, bool later, int64_t now_ms)
{
    for (;;) {
        uint32_t i = inside_find(t, number);
        if (i == t->insides_count || is_outside(&t->insides[i]))
            return; /* what it did itself ended it */
        if (at >= json_get(t->journeys[t->insides[i].journey], STR("nodes"))->count) {
            end(t, i, "finished", now_ms);
            return;
        }
        const struct inside *in = &t->insides[i];
        if (str_eq(member(t->journeys[in->journey], "audience_at"), STR("each step")) &&
            !is_in_audience(t, in->person, in->journey, now_ms)) {
            end(t, i, "is no longer in the audience", now_ms);
            letters_drop(t, number);
            return;
        }
        if (!arrive(t, number, later, &at, now_ms))
            return;
    }
}

/* ---- looking ---- */

static bool is_open(const struct twin *t, const struct inside *in, int64_t now_ms)
{
    return !in->reached && goal_end_ms(t, in) > now_ms;
}

/* Is anything of it to be asked? Then all is. */
static bool is_concerned(const struct twin *t, const struct inside *in, struct look look,
                         int64_t now_ms)
{
    const struct json *journey = t->journeys[in->journey];
    const struct json *node = &json_get(journey, STR("nodes"))->items[in->node];
    const struct json *what = in->stands ? json_get(node, STR("wait_for")) : NULL;
    struct str         exit = member(journey, "exit_when");
    if (look.of == LOOK_ANY)
        return true;
    if (is_open(t, in, now_ms) &&
        is_about(member(json_get(journey, STR("goal")), "condition"), look))
        return true;
    if (is_outside(in))
        return false;
    if (!str_is_empty(exit) && is_about(exit, look))
        return true;
    return what != NULL &&
           (what->kind == JSON_STRING
                ? is_about(what->string, look)
                : look.of == LOOK_NAME && member(what, "event").ptr[0] == look.name);
}

/* True: it has left, or has no place any more. */
static bool goal_look(struct twin *t, uint64_t number, int64_t now_ms)
{
    uint32_t           i = inside_find(t, number);
    struct inside     *in = &t->insides[i];
    const struct json *journey = t->journeys[in->journey], *goal = json_get(journey, STR("goal"));
    t->people[in->person].asked_key = in->key;
    if (!is_open(t, in, now_ms) ||
        !holds(&t->people[in->person], member(goal, "condition"), in->entered_ms, now_ms))
        return false;
    buf_format(&t->log, "%d reaches %d at %lld%s\n", in->person, in->journey, (long long)now_ms,
               in->held ? ", held out" : "");
    in->reached = true;
    if (is_outside(in)) {
        inside_remove(t, i);
        return true;
    }
    if (!json_get_bool(journey, STR("exit_on_goal"), true))
        return false;
    end(t, i, "reached its goal", now_ms);
    letters_drop(t, number);
    return true;
}

/* What one waits for may have come: a condition, or an event of that name; a date may be another.
 */
static void look_at(struct twin *t, uint64_t number, struct look look, int64_t now_ms)
{
    if (!is_concerned(t, &t->insides[inside_find(t, number)], look, now_ms) ||
        goal_look(t, number, now_ms))
        return;
    struct inside       in = t->insides[inside_find(t, number)];
    struct twin_person *p = &t->people[in.person];
    struct str          exit = member(t->journeys[in.journey], "exit_when");
    if (is_outside(&in))
        return;
    p->asked_key = in.key;
    if (!str_is_empty(exit) && holds(p, exit, in.entered_ms, now_ms)) {
        end(t, inside_find(t, number), "exit condition holds", now_ms);
        letters_drop(t, number);
        return;
    }
    const struct json *nodes = json_get(t->journeys[in.journey], STR("nodes"));
    const struct json *node = &nodes->items[in.node], *what = json_get(node, STR("wait_for"));
    struct str         until = member(node, "wait_until");
    if (!in.stands)
        return;
    if (!str_is_empty(until) && twin_until_ms(p, until, in.due_ms, false) != in.due_ms)
        walk(t, number, in.node, t->later, now_ms);
    if (what == NULL)
        return;
    bool has_come =
        what->kind == JSON_STRING
            ? holds(p, what->string, in.entered_ms, now_ms)
            : look.hears && member(what, "event").ptr[0] == look.name &&
                  (json_get(what, STR("where")) == NULL || (in.key >= 0 && look.k == in.key));
    if (!has_come)
        return;
    take(t, &in, "yes", now_ms);
    walk(t, number, node_after(nodes, in.node, "yes"), true, now_ms);
}

/* Each that the person is inside of, the oldest first, also those that come while this goes on. */
static void look(struct twin *t, int person, struct look look, int64_t now_ms)
{
    for (uint64_t last = 0;;) {
        uint64_t next = UINT64_MAX;
        for (uint32_t i = 0; i < t->insides_count; i++)
            if (t->insides[i].person == person && t->insides[i].number > last &&
                t->insides[i].number < next)
                next = t->insides[i].number;
        if (next == UINT64_MAX)
            return;
        last = next;
        look_at(t, next, look, now_ms);
    }
}

/* ---- coming in ---- */

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

static bool has_key(const struct twin *t, int journey)
{
    return json_get(json_get(t->journeys[journey], STR("trigger")), STR("key")) != NULL;
}

static bool may_enter(const struct twin *t, int person, int journey, int key, int64_t now_ms)
{
    int64_t    length_ms, last = t->last_entry[person][journey][key + 1];
    int64_t    at_once = has_key(t, journey) ? 16 : 1, inside = 0, same = 0;
    struct str rule = member(t->journeys[journey], "reentry");
    if (has_key(t, journey) && key < 0)
        return false;
    (void)json_get_int(t->journeys[journey], STR("at_once"), &at_once);
    for (uint32_t i = 0; i < t->insides_count; i++) {
        const struct inside *in = &t->insides[i];
        if (in->person != person || in->journey != journey)
            continue;
        inside += !is_outside(in);
        same += !is_outside(in) && in->key == key;
        if (in->held && in->key == key && is_held_out(t, person, journey))
            return false;
    }
    if (inside >= at_once || (key >= 0 && same > 0))
        return false;
    if (last == 0 || str_eq(rule, STR("always")))
        return true;
    if (str_eq(rule, STR("once")))
        return false;
    assert_ok(time_length_parse(str_slice(rule, 6, rule.len), &length_ms));
    return now_ms - last >= length_ms;
}

static void room_make(struct twin *t, int person, int journey, int64_t now_ms)
{
    uint32_t count = 0, second = UINT32_MAX;
    for (uint32_t i = 0; i < t->insides_count; i++) /* in the order that they came in */
        if (t->insides[i].person == person && t->insides[i].journey == journey &&
            is_outside(&t->insides[i]) && count++ == 1)
            second = i;
    if (count >= TWIN_WATCHED_MAX)
        misses(t, second, "came in too often", now_ms);
}

static void enter(struct twin *t, int person, int journey, int64_t now_ms)
{
    int key = has_key(t, journey) ? t->k : -1;
    if (t->quiet || !may_enter(t, person, journey, key, now_ms) ||
        !is_in_audience(t, person, journey, now_ms))
        return;
    struct inside in = { .person = person,
                         .journey = journey,
                         .due_ms = TIME_NEVER,
                         .entered_ms = now_ms,
                         .number = ++t->numbers,
                         .event_k = t->k,
                         .key = key,
                         .held = is_held_out(t, person, journey) };
    if (in.held)
        in.due_ms = goal_end_ms(t, &in);
    room_make(t, person, journey, now_ms);
    buf_format(&t->log, "%d %s %d at %lld\n", person, in.held ? "is held out of" : "enters",
               journey, (long long)now_ms);
    t->held += in.held;
    assert_true(t->insides_count < TWIN_INSIDE_MAX);
    if (!in.held || in.due_ms > 0)
        t->insides[t->insides_count++] = in;
    t->last_entry[person][journey][key + 1] = now_ms;
    look(t, person, (struct look){ .of = LOOK_ANY }, now_ms);
    uint32_t i = inside_find(t, in.number);
    if (i < t->insides_count && !is_outside(&t->insides[i]))
        walk(t, in.number, 0, t->later, now_ms);
}

static void trigger(struct twin *t, int person, const char *kind, struct str name, int64_t now_ms)
{
    for (int j = 0; j < t->journeys_count; j++)
        if (begins_by(t, j, kind, name))
            enter(t, person, j, now_ms);
}

/* ---- one thing after the other ---- */

static void told_event(struct twin *t, int person, char name, int64_t now_ms)
{
    look(t, person, (struct look){ LOOK_NAME, name, 0, !t->quiet, t->k }, now_ms);
    if (begins_by_event(t, name))
        follow(t, (struct follows){ .kind = FOLLOWS_EVENT, .name = name });
    segments_ask(t, person, name, now_ms);
}

static bool is_meant(const struct twin *t, int person, int journey, int64_t now_ms);

static void one_follow(struct twin *t, int person, struct follows what, int64_t now_ms)
{
    char        journey[8];
    struct str  name = (struct str){ &what.name, 1 };
    struct look of_segment = { .of = LOOK_OF_SEGMENT, .segment = what.number };
    snprintf(journey, sizeof journey, "j%d", what.number);
    t->k = what.k;
    switch (what.kind) {
    case FOLLOWS_EVENT:
        trigger(t, person, "event", name, now_ms);
        break;
    case FOLLOWS_TOLD:
        told_event(t, person, what.name, now_ms);
        break;
    case FOLLOWS_SET:
        look(t, person, (struct look){ .of = LOOK_ANY }, now_ms);
        break;
    case FOLLOWS_ENTERED:
    case FOLLOWS_LEFT:
        look(t, person, of_segment, now_ms);
        trigger(t, person, what.kind == FOLLOWS_ENTERED ? "segment" : "left_segment",
                str_of(twin_segments[what.number].name), now_ms);
        break;
    case FOLLOWS_JOINED:
    case FOLLOWS_DEPARTED:
        look(t, person, (struct look){ .of = LOOK_OF_LIST }, now_ms);
        trigger(t, person, what.kind == FOLLOWS_JOINED ? "list" : "left_list", STR("news"), now_ms);
        break;
    case FOLLOWS_FINISHED:
    case FOLLOWS_ENDED:
        trigger(t, person, what.kind == FOLLOWS_FINISHED ? "finished_journey" : "left_journey",
                str_of(journey), now_ms);
        break;
    case FOLLOWS_STARTED:
    case FOLLOWS_CLOCK:
        if (what.kind == FOLLOWS_STARTED || is_meant(t, person, what.number, now_ms))
            enter(t, person, what.number, now_ms);
        break;
    }
}

static void all_follow(struct twin *t, int person, int64_t now_ms)
{
    while (t->queue_done < t->queue_count)
        one_follow(t, person, t->queue[t->queue_done++], now_ms);
    if (!t->is_lost)
        return;
    t->is_lost = false;
    t->quiet = true;
    t->queue_count = t->queue_done = 0;
    look(t, person, (struct look){ .of = LOOK_ANY }, now_ms);
    segments_ask(t, person, 0, now_ms);
    all_follow(t, person, now_ms);
}

static void begin(struct twin *t, bool quiet)
{
    t->queue_count = t->queue_done = 0;
    t->quiet = quiet;
    t->k = -1;
    t->is_parked = t->is_lost = t->later = false;
}

static void settle(struct twin *t, int person, int64_t now_ms)
{
    all_follow(t, person, now_ms);
    t->parked += t->is_parked;
}

void twin_event(struct twin *t, int person, char name, int k, bool quiet, int64_t at_ms,
                int64_t now_ms)
{
    struct twin_person *p = &t->people[person];
    begin(t, quiet);
    t->k = k;
    assert_true(p->events_count < TWIN_EVENTS_MAX);
    p->events[p->events_count++] = (struct happened){ name, k, at_ms };
    told_event(t, person, name, now_ms);
    settle(t, person, now_ms);
}

void twin_traits(struct twin *t, int person, int64_t now_ms)
{
    begin(t, false);
    look(t, person, (struct look){ .of = LOOK_ANY }, now_ms);
    settle(t, person, now_ms);
}

void twin_list(struct twin *t, int person, bool leave, int64_t now_ms)
{
    begin(t, false);
    if (t->people[person].listed == leave)
        follow(t, (struct follows){ .kind = leave ? FOLLOWS_DEPARTED : FOLLOWS_JOINED });
    t->people[person].listed = !leave;
    settle(t, person, now_ms);
}

void twin_consent(struct twin *t, int person, bool granted, int64_t now_ms)
{
    begin(t, false);
    if (granted)
        t->people[person].refused = false;
    else
        refuse(t, person, now_ms);
    settle(t, person, now_ms);
}

/* ---- time ---- */

static bool due_end(struct twin *t, int person, int64_t now_ms)
{
    for (uint32_t i = 0; i < t->insides_count; i++) {
        struct inside      in = t->insides[i];
        const struct json *nodes = json_get(t->journeys[in.journey], STR("nodes"));
        if (in.person != person || in.due_ms > now_ms)
            continue;
        if (is_outside(&in)) {
            misses(t, i, "not in time", now_ms);
            return true;
        }
        bool is_for = json_get(&nodes->items[in.node], STR("wait_for")) != NULL;
        bool is_until = json_get(&nodes->items[in.node], STR("wait_until")) != NULL;
        if (is_for)
            take(t, &in, "timeout", now_ms);
        t->later = t->later || is_until;
        walk(t, in.number, node_after(nodes, in.node, is_for ? "timeout" : "next"), is_until,
             now_ms);
        return true;
    }
    return false;
}

static bool is_due(const struct twin *t, int person, int64_t now_ms)
{
    for (uint32_t i = 0; i < t->insides_count; i++)
        if (t->insides[i].person == person && t->insides[i].due_ms <= now_ms)
            return true;
    return false;
}

/* The date or time that begins the journey; empty: it begins otherwise. */
static struct str calendar_of(const struct twin *t, int journey)
{
    const struct json *trigger = json_get(t->journeys[journey], STR("trigger"));
    struct str         date = member(trigger, "date");
    return str_is_empty(date) ? member(trigger, "schedule") : date;
}

/* When it comes next; TIME_NEVER: it does not. */
static int64_t calendar_next(const struct twin *t, int person, int journey, int64_t after)
{
    struct str text = calendar_of(t, journey);
    int64_t    next =
        str_is_empty(text) ? TIME_NEVER : twin_until_ms(&t->people[person], text, after, true);
    return next > after ? next : TIME_NEVER;
}

/* A schedule is for some, and passes over the others, and whom it had less than 20 hours ago. */
static bool is_meant(const struct twin *t, int person, int journey, int64_t now_ms)
{
    const struct json *trigger = json_get(t->journeys[journey], STR("trigger"));
    struct str         segment = member(trigger, "segment");
    int64_t            last = t->last_entry[person][journey][0];
    if (str_is_empty(member(trigger, "schedule")))
        return last != now_ms;
    if (last != 0 && now_ms - last < 20 * TIME_HOUR_MS)
        return false;
    for (int s = 0; s < TWIN_SEGMENTS; s++)
        if (str_eq(segment, str_of(twin_segments[s].name)))
            return holds(&t->people[person], str_of(twin_conditions[twin_segments[s].condition]), 0,
                         now_ms);
    return true;
}

/* What the calendar has for this very instant, behind the segments that time turns. */
static void calendar_ask(struct twin *t, int person, int64_t at_ms)
{
    for (int j = 0; j < t->journeys_count; j++)
        if (calendar_next(t, person, j, at_ms - 1) == at_ms)
            follow(t, (struct follows){ .kind = FOLLOWS_CLOCK, .number = j });
}

/* Who comes to a time at that very time is looked at once more. */
static void instant(struct twin *t, int person, int64_t at_ms)
{
    bool is_first = true;
    do {
        begin(t, false);
        segments_ask(t, person, 0, at_ms);
        if (is_first)
            calendar_ask(t, person, at_ms);
        is_first = false;
        look(t, person, (struct look){ .of = LOOK_ANY }, at_ms);
        while (due_end(t, person, at_ms))
            continue;
        settle(t, person, at_ms);
    } while (is_due(t, person, at_ms));
}

/* The next instant after `after` at which anything of the person could change by itself. */
static int64_t next_instant(const struct twin *t, int person, int64_t after)
{
    int64_t next = TIME_NEVER;
    for (uint32_t i = 0; i < t->insides_count; i++)
        if (t->insides[i].person == person && t->insides[i].due_ms > after &&
            t->insides[i].due_ms < next)
            next = t->insides[i].due_ms;
    for (int j = 0; j < t->journeys_count; j++) {
        int64_t at = calendar_next(t, person, j, after);
        next = at < next ? at : next;
    }
    for (uint32_t i = 0; i < t->people[person].events_count; i++)
        for (int days = 1; days <= 2; days++) {
            int64_t at = t->people[person].events[i].at_ms + days * TIME_DAY_MS;
            if (at > after && at < next)
                next = at;
        }
    return next;
}

uint32_t twin_time(struct twin *t, int64_t now_ms)
{
    uint32_t most = 0;
    for (int p = 0; p < TWIN_PEOPLE; p++) {
        uint32_t instants = 0;
        for (int64_t at = t->done_ms; (at = next_instant(t, p, at)) <= now_ms; instants++)
            instant(t, p, at);
        if (is_due(t, p, now_ms))
            instant(t, p, now_ms);
        most = instants > most ? instants : most;
    }
    t->done_ms = now_ms;
    return most;
}
