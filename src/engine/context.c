/*
 * What the network shows of a person: country, zone and locale, decided when they are news.
 */
#include "engine/inside.h"

enum { CONTEXT_BACK_MAX = 4096 };

static struct str context_text(const struct record *record, struct str key)
{
    struct str text = record->context == NULL ? STR_NONE : json_get_str(record->context, key);
    return text.len > ZONE_NAME_BYTES_MAX ? STR_NONE : text;
}

/* The same as the profile's last context before? Those further back than CONTEXT_BACK_MAX events
 * are told again. */
static bool context_is_known(const struct engine *engine, uint32_t profile, int64_t at_ms,
                             const struct str told[3])
{
    static const uint16_t keys[3] = { OWN_KEY_COUNTRY, OWN_KEY_ZONE, OWN_KEY_LOCALE };
    struct run            runs[TIMELINE_RUNS_MAX];
    uint32_t              count = timeline_runs(engine->timeline, profile, runs);
    for (uint32_t r = count; r > 0; r--) {
        const struct run *run = &runs[r - 1];
        uint32_t          end = run->count > CONTEXT_BACK_MAX ? run->count - CONTEXT_BACK_MAX : 0;
        for (uint32_t i = run->count; i > end; i--) {
            if (run->name[i - 1] != OWN_CONTEXT || run->at_ms[i - 1] > at_ms)
                continue;
            struct bag bag = bag_at(timeline_bags(engine->timeline), run->bag[i - 1]);
            for (int k = 0; k < 3; k++) {
                struct json value = { .kind = JSON_NULL };
                if (!bag_find(bag, keys[k], &value) ? !str_is_empty(told[k])
                                                    : !str_eq(value.string, told[k]))
                    return false;
            }
            return true;
        }
    }
    return false;
}

enum err context_tell(struct engine *engine, const struct record *record, struct out *out,
                      uint32_t profile)
{
    const struct str told[3] = { record->country, context_text(record, STR("timezone")),
                                 context_text(record, STR("locale")) };
    if (str_is_empty(told[0]) && str_is_empty(told[1]) && str_is_empty(told[2]))
        return OK;
    if (context_is_known(engine, profile, record->at_ms, told))
        return OK;
    return decide(engine, out,
                  (struct decision){ .kind = DECISION_CONTEXT,
                                     .profile = profile,
                                     .at_ms = record->at_ms,
                                     .text = told[0],
                                     .zone = told[1],
                                     .locale = told[2] });
}
