#include "engine/journey/best_hour.h"

#include "base/zone.h"
#include "engine/own.h"

enum { HOURS = 24 };

static bool is_by_machine(struct bag bag)
{
    struct json machine;
    return bag_find(bag, OWN_KEY_MACHINE, &machine) && machine.kind == JSON_BOOL && machine.truth;
}

static int hour_of(const struct zone *zone, int64_t at_ms)
{
    int64_t local_ms = at_ms + zone_offset_ms(zone, at_ms);
    return (int)((local_ms % TIME_DAY_MS + TIME_DAY_MS) % TIME_DAY_MS / TIME_HOUR_MS);
}

/* How many there are, each at its hour. */
static uint32_t clicks_count(const struct facts *facts, const struct run *run,
                             const struct zone *zone, uint32_t hours[HOURS])
{
    uint32_t count = 0;
    for (uint32_t i = run->count;
         count < BEST_HOUR_CLICKS && (i = run_name_last(run, i, OWN_MESSAGE_CLICKED)) > 0; i--) {
        uint32_t k = i - 1;
        if (run->seq[k] > facts->seq_max || run->at_ms[k] > facts->now_ms ||
            is_by_machine(bag_at(facts->bags, run->bag[k])))
            continue;
        hours[hour_of(zone, run->at_ms[k])]++;
        count++;
    }
    return count;
}

int32_t best_hour_ms(const struct facts *facts, const struct zone *zone, int32_t otherwise_ms)
{
    uint32_t hours[HOURS] = { 0 }, count = 0, most = 0;
    int      best = 0, from = otherwise_ms / (int32_t)TIME_HOUR_MS;
    for (uint32_t r = 0; r < facts->runs_count; r++)
        count += clicks_count(facts, &facts->runs[r], zone, hours);
    if (count < BEST_HOUR_LEAST)
        return otherwise_ms;
    for (int i = 0; i < HOURS; i++) {
        int      hour = (from + i) % HOURS;
        uint32_t weight =
            2 * hours[hour] + hours[(hour + 1) % HOURS] + hours[(hour + HOURS - 1) % HOURS];
        if (weight > most) {
            most = weight;
            best = hour;
        }
    }
    return best * (int32_t)TIME_HOUR_MS;
}
