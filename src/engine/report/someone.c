#include "engine/report/someone.h"

#include <stdio.h>

/* The events and properties that the program gives its first numbers to. */
enum { EVENT_IDENTIFY = 0, EVENT_LIST = 1, KEY_LIST = 0, KEY_JOINED = 1 };

bool someone_value(struct bag bag, uint16_t key, struct json *elements, struct json *out)
{
    uint32_t        at = 0, count = 0;
    struct bag_item item;
    bool            listed = false;
    while (count < SOMEONE_ELEMENTS_MAX && bag_next_of(bag, &at, key, &item)) {
        elements[count++] = item.value;
        listed = listed || item.listed;
    }
    if (count == 0)
        return false;
    *out = listed ? (struct json){ .kind = JSON_ARRAY, .count = count, .items = elements }
                  : elements[0];
    return true;
}

/* The newest event of the name at or before now whose bag `is` wanted; its place in a run. */
struct newest {
    const struct run *run;
    uint32_t          at;
    int64_t           next_ms; /* the oldest one after now; TIME_NEVER */
};

static bool is_newer(const struct newest *best, const struct run *run, uint32_t i)
{
    if (best->run == NULL || run->at_ms[i] != best->run->at_ms[best->at])
        return best->run == NULL || run->at_ms[i] > best->run->at_ms[best->at];
    return run->seq[i] >= best->run->seq[best->at];
}

typedef bool is_wanted(struct bag bag, uint32_t what);

static struct newest newest_of(const struct facts *facts, uint16_t name, is_wanted *wanted,
                               uint32_t what)
{
    struct newest best = { .next_ms = TIME_NEVER };
    for (uint32_t r = 0; r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        for (uint32_t k = run->count; k > 0; k--) {
            uint32_t i = k - 1;
            if (run->name[i] != name || !wanted(bag_at(facts->bags, run->bag[i]), what))
                continue;
            if (run->at_ms[i] > facts->now_ms) {
                best.next_ms = run->at_ms[i] < best.next_ms ? run->at_ms[i] : best.next_ms;
                continue;
            }
            if (is_newer(&best, run, i))
                best = (struct newest){ run, i, best.next_ms };
            break;
        }
    }
    return best;
}

static bool has_key(struct bag bag, uint32_t key)
{
    struct json value;
    return bag_find(bag, (uint16_t)key, &value);
}

static bool trait_of(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    struct someone *someone = (struct someone *)facts->person;
    struct newest   best = newest_of(facts, EVENT_IDENTIFY, has_key, key);
    *out = (struct facts_trait){ .since_ms = FACTS_SINCE_UNKNOWN, .until_ms = best.next_ms };
    if (best.run == NULL)
        return false;
    out->seq = best.run->seq[best.at];
    out->since_ms = best.run->at_ms[best.at];
    return someone_value(bag_at(facts->bags, best.run->bag[best.at]), key, someone->elements,
                         &out->value);
}

static bool is_of_list(struct bag bag, uint32_t list)
{
    struct json value;
    return bag_find(bag, KEY_LIST, &value) && value.kind == JSON_INT && value.integer == list;
}

static struct facts_member list_of(const struct facts *facts, uint32_t list)
{
    struct newest       best = newest_of(facts, EVENT_LIST, is_of_list, list);
    struct facts_member out = { false, FACTS_SINCE_UNKNOWN, best.next_ms };
    struct json         joined;
    if (best.run == NULL)
        return out;
    out.holds = bag_find(bag_at(facts->bags, best.run->bag[best.at]), KEY_JOINED, &joined) &&
                joined.kind == JSON_BOOL && joined.truth;
    out.since_ms = best.run->at_ms[best.at];
    return out;
}

/* Programs asked of a view have their segments compiled in place. */
static struct facts_member segment_of(const struct facts *facts, uint32_t segment)
{
    (void)facts;
    (void)segment;
    return (struct facts_member){ false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
}

/* What is not on the timeline yet. */
static struct facts_member journey_of(const struct facts *facts, uint32_t journey, struct str node)
{
    (void)facts;
    (void)journey;
    (void)node;
    return (struct facts_member){ false, FACTS_SINCE_UNKNOWN, TIME_NEVER };
}

static struct facts_consent consent_of(const struct facts *facts, uint32_t topic,
                                       struct str channel)
{
    (void)facts;
    (void)topic;
    (void)channel;
    return (struct facts_consent){ FACTS_CONSENT_UNKNOWN, FACTS_SINCE_UNKNOWN, TIME_NEVER };
}

static struct str public_id_of(const struct facts *facts)
{
    struct someone *someone = (struct someone *)facts->person;
    int len = snprintf(someone->public_id, sizeof someone->public_id, "p%u", someone->person + 1);
    return (struct str){ someone->public_id, (size_t)len };
}

static const struct facts_ops someone_ops = {
    .trait = trait_of,
    .in_list = list_of,
    .in_segment = segment_of,
    .public_id = public_id_of,
    .in_journey = journey_of,
    .consent = consent_of,
};

static struct facts facts_of(const struct someone *someone, const struct report *report)
{
    return (struct facts){ .now_ms = report->at_ms,
                           .seq_max = report->view->seq,
                           .runs = someone->runs,
                           .bags = report->view->bags,
                           .zone = report->zone,
                           .person = someone,
                           .ops = &someone_ops };
}

void someone_nobody(struct someone *someone, const struct report *report)
{
    someone->view = report->view;
    someone->person = UINT32_MAX - 1;
    someone->facts = facts_of(someone, report);
}

void someone_make(struct someone *someone, const struct report *report, uint32_t person)
{
    const struct view *view = report->view;
    uint32_t           count = 0, member = person;
    someone_nobody(someone, report);
    someone->person = person;
    do {
        count += view_runs(view, member, someone->runs + count);
        member = view->next[member];
    } while (member != person && count + VIEW_LEVELS_MAX <= SOMEONE_RUNS_MAX);
    someone->facts.runs_count = count;
}

bool someone_is_known(const struct someone *someone)
{
    for (uint32_t r = 0; r < someone->facts.runs_count; r++)
        if (someone->runs[r].count > 0 && someone->runs[r].at_ms[0] <= someone->facts.now_ms)
            return true;
    return false;
}
