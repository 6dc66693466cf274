/*
 * How long events are kept in a random life, as the test understands it: days by name. What is gone
 * by that is told to nobody any more who judges, and later has no row either.
 */
#include "engine/engine_life_test.h"

#include <stdio.h>
#include <string.h>

#include "engine/retain.h"

enum { DAYS_MAX = 30, RULES_BYTES = 200 };

static bool is_older(const struct life_rules *rules, const struct record *r)
{
    if (r->kind != RECORD_TRACK)
        return false;
    for (int n = 0; n < LIFE_EVENTS; n++)
        if (str_eq(r->name, str_of(life_events[n])))
            return rules->days[n] > 0 && r->at_ms < (rules->day - rules->days[n]) * TIME_DAY_MS;
    return false;
}

bool life_is_older(const struct life *life, const struct record *record)
{
    return is_older(&life->in_force, record) ||
           (life->is_coming && is_older(&life->coming, record));
}

/* The last name has no length of its own. */
static void rules_change(struct life *life)
{
    char        lengths[LIFE_EVENTS][24];
    const char *form = "{\"by_event\":{\"%s\":\"%s\",\"%s\":\"%s\"},\"events\":\"%s\"}";
    char       *text = ARENA_ARRAY(life->arena, RULES_BYTES, char);
    for (int n = 0; n < LIFE_EVENTS; n++) {
        int days = life_draw(life, 5) == 0 ? 0 : 1 + (int)life_draw(life, DAYS_MAX);
        life->rules.days[n] = days;
        snprintf(lengths[n], sizeof lengths[n], days == 0 ? "for ever" : "%d days", days);
    }
    snprintf(text, RULES_BYTES, form, life_events[0], lengths[0], life_events[1], lengths[1],
             lengths[2]);
    life_define(life, DEFINE_RETENTION, "retention", text);
}

static void announce(struct life *life)
{
    life->coming = life->rules;
    life->coming.day = life->now_ms / TIME_DAY_MS;
    assert_ok(life_tell(life, (struct record){ .kind = RECORD_RETAIN }));
    life->is_coming = true;
}

bool life_announces_alike(const struct life *life)
{
    return !life->is_coming ||
           (life->coming.day == life->now_ms / TIME_DAY_MS &&
            memcmp(life->coming.days, life->rules.days, sizeof life->rules.days) == 0);
}

void life_announce(struct life *life, struct engine *engine)
{
    struct record retain = { .kind = RECORD_RETAIN,
                             .seq = ++life->seq,
                             .received_ms = life->now_ms,
                             .at_ms = life->now_ms };
    struct out    out = { .arena = life->arena };
    if (life->is_coming)
        assert_ok(engine_apply(engine, &retain, &out, NULL));
}

/* Rows of what is gone are removed, all of them; what is kept longer may then be so. */
static bool rows_go(struct life *life)
{
    bool removes = life_draw(life, 10) == 0, all = true;
    for (uint32_t i = 0; i < life->kept.events_count; i++) {
        life->kept.events[i].purged |= removes && life->kept.events[i].gone;
        all = all && life->kept.events[i].purged == life->kept.events[i].gone;
    }
    return all;
}

void life_retention_go_on(struct life *life)
{
    if (!life->retains)
        return;
    if (life_draw(life, 60) == 0)
        rules_change(life);
    if (engine_retention_is_due(life->engine, rows_go(life)))
        announce(life);
    if (life->is_coming && life_draw(life, 3) == 0)
        life_snapshot(life);
}

void life_retained(struct life *life)
{
    assert_ok(life_tell(life, (struct record){ .kind = RECORD_RETAINED }));
    life->in_force = life->coming;
    life->is_coming = life->twin_is_ahead = false;
    life->retained++;
    for (uint32_t i = 0; i < life->kept.events_count; i++) {
        if (life->kept.events[i].gone || !life_is_older(life, &life->kept.events[i].record))
            continue;
        life->kept.events[i].gone = true;
        life->gone++;
    }
    if (life_draw(life, 2) == 0)
        life_record_random(life); /* who did it is asked before the others */
    life_settle(life);
}
