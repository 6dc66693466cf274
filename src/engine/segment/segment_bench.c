/*
 * What one evaluation costs: 100,000 people with 20 events each (40 names, 180 days, a revenue),
 * conditions of the kinds that matter, one thread. Prints nanoseconds a person and events a second.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/segment/segment.h"

enum { PEOPLE = 100000, EVENTS_EACH = 20, NAMES = 40, DAYS = 180, ARENA_BYTES = 1 << 20 };

static struct {
    uint16_t name[PEOPLE * EVENTS_EACH];
    int64_t  at_ms[PEOPLE * EVENTS_EACH];
    uint32_t seq[PEOPLE * EVENTS_EACH], bag[PEOPLE * EVENTS_EACH];
} events;

static uint64_t roll(uint64_t i, uint64_t sides)
{
    return (uint64_t)((unsigned __int128)hash_u64(i, 1) * sides >> 64);
}

static void people_make(struct dict *names, struct dict *properties, struct buf *bags)
{
    struct json_member revenue = { STR("revenue"), { .kind = JSON_INT } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &revenue };
    char               text[32];
    uint16_t           id;

    for (int i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "E%d", i);
        if (dict_intern(names, str_of(text), &id) != OK)
            abort();
    }
    buf_str(bags, STR("--------"));
    for (uint32_t i = 0; i < PEOPLE * EVENTS_EACH; i++) {
        int64_t step_ms = DAYS * TIME_DAY_MS / EVENTS_EACH;
        events.name[i] = (uint16_t)roll(i, NAMES);
        events.at_ms[i] = (i % EVENTS_EACH) * step_ms + (int64_t)roll(i + 7, (uint64_t)step_ms);
        events.seq[i] = i + 1;
        events.bag[i] = (uint32_t)(bags->len / BAG_UNIT_BYTES);
        revenue.value.integer = (int64_t)roll(i + 9, 200);
        if (bag_write(bags, properties, &object, NULL) != OK)
            abort();
    }
}

static uint32_t count_holding(const struct segment_program *program, struct facts facts)
{
    uint32_t holding = 0;
    for (uint32_t p = 0; p < PEOPLE; p++) {
        size_t     at = (size_t)p * EVENTS_EACH;
        struct run run = { events.name + at, events.at_ms + at, events.seq + at, events.bag + at,
                           EVENTS_EACH };
        facts.runs = &run;
        facts.runs_count = 1;
        holding += segment_eval(program, &facts).holds;
    }
    return holding;
}

int main(void)
{
    static const char *const conditions[] = {
        "did \"E1\"",
        "did \"E1\" at least 3 times in the last 30 days and never did \"E2\"",
        "last did \"E1\" more than 30 days ago",
        "did \"E1\" where revenue > 100",
        "sum of revenue of \"E1\" in the last 90 days > 100",
        "did \"E1\" then \"E2\" within 7 days",
    };
    struct segment_names names = {
        .events = dict_open(), .properties = dict_open(), .traits = dict_open(), .grow = true
    };
    struct buf    bags = buf_make((size_t)1 << 30);
    struct arena *arena = arena_open(ARENA_BYTES);

    people_make(names.events, names.properties, &bags);
    for (size_t i = 0; i < sizeof conditions / sizeof conditions[0]; i++) {
        const struct segment_node *node;
        struct segment_program     program;
        struct facts               facts = { .now_ms = DAYS * TIME_DAY_MS,
                                             .seq_max = UINT32_MAX,
                                             .bags = { (const unsigned char *)bags.ptr, bags.len } };
        if (segment_parse(arena, str_of(conditions[i]), &node, NULL) != OK ||
            segment_compile(arena, node, &names, &program, NULL) != OK)
            abort();
        uint32_t holding = count_holding(&program, facts);
        int64_t  from_us = time_mono_us();
        count_holding(&program, facts);
        double us = (double)(time_mono_us() - from_us);
        printf("%6.0f ns a person  %6.1f million events/s  %6u hold  %s\n", us * 1000 / PEOPLE,
               PEOPLE * EVENTS_EACH / us, holding, conditions[i]);
    }
    arena_close(arena);
    buf_done(&bags);
    dict_close(names.events);
    dict_close(names.properties);
    dict_close(names.traits);
    return 0;
}
