/*
 * An engine made again from what was stored: names, definitions, events and decisions in their
 * order.
 */
#include "engine/inside.h"

enum err engine_load_name(struct engine *engine, enum name_kind kind, uint32_t id, struct str text)
{
    return program_name_load(engine->program, kind, id, text);
}

enum err engine_load_definition(struct engine *engine, enum definition_kind kind, struct str name,
                                struct str text, uint32_t version)
{
    uint32_t number;
    engine->program->is_loading = true;
    enum err err = program_define(engine->program, kind, name, text, version, &number, NULL);
    engine->program->is_loading = false;
    return err == ERR_MEMORY || err == OK ? err : ERR_CORRUPT;
}

void engine_load_round(struct engine *engine, uint32_t round, uint64_t seq)
{
    engine->round = round;
    engine->loaded_seq = seq;
}

void engine_load_zones(struct engine *engine, struct str version)
{
    const struct zones *zones = engine->conf.zones;
    engine->zones_moved = zones != NULL && !str_eq(zones_version(zones), version);
}

void engine_load_rules(struct engine *engine, uint32_t rules)
{
    engine->rules_moved = rules != ENGINE_RULES;
}

void engine_load_touch(struct engine *engine, uint32_t profile)
{
    if (!people_is_nobody(engine->people, profile))
        people_get(engine->people, people_root(engine->people, profile))->ask_all = true;
}

/* An event whose name found no place among the names. */
static enum err event_other_load(struct engine *engine, struct timeline_event event,
                                 const struct json *properties)
{
    struct str bag;
    event.name = DICT_OTHER;
    TRY(bag_make(engine, NAME_PROPERTY, properties, &bag));
    TRY(timeline_bag_add(engine->timeline, bag, &event.bag));
    return timeline_add(engine->timeline, event);
}

enum err engine_load_event(struct engine *engine, enum record_kind kind, uint32_t profile,
                           uint32_t seq, int64_t at_ms, struct str name,
                           const struct json *properties)
{
    struct timeline_event event = { .profile = profile, .seq = seq, .at_ms = at_ms };
    bool                  added;
    if (event_is_older(engine, kind, name, at_ms))
        return OK;
    if (kind != RECORD_IDENTIFY && str_is_empty(name))
        return event_other_load(engine, event, properties);
    return event_put(engine, kind, &event, name, properties, &added);
}

enum err engine_load_decision(struct engine *engine, struct json_parser *parser,
                              struct arena *scratch, struct decision *decision)
{
    TRY(decision_read(engine, parser, scratch, decision));
    engine->seq = decision->seq;
    enum err err = decision_apply(engine, decision);
    if (err != OK)
        return err == ERR_MEMORY ? err : ERR_CORRUPT;
    engine_load_touch(engine, decision->profile);
    return OK;
}

enum err engine_load_told(struct engine *engine, struct json_parser *parser, struct arena *scratch,
                          struct decision *decision)
{
    TRY(decision_read(engine, parser, scratch, decision));
    if (decision->kind == DECISION_ERASED)
        return timeline_forget(engine->timeline, decision->profile, (uint32_t)decision->seq);
    return own_add(engine, decision);
}

void engine_load_behind(struct engine *engine, int64_t behind_ms)
{
    engine->behind_ms = behind_ms;
}

enum err engine_load_end(struct engine *engine, uint64_t seq, int64_t now_ms)
{
    engine->seq = seq;
    engine->now_ms = engine->loaded_ms = now_ms;
    TRY(changed_ask(engine));
    TRY(retain_loaded(engine));
    TRY(broadcasts_loaded(engine));
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        struct profile *profile = people_get(engine->people, p);
        if (profile->state != NULL) /* what became of broadcasts is known only now */
            codes_forget(engine, profile->state);
        if (!profile->ask_all)
            continue;
        profile->ask_all = profile->root == p;
        if (profile->root != p)
            people_get(engine->people, profile->root)->ask_all = true;
    }
    for (uint32_t p = 0; p < people_count(engine->people); p++) {
        struct profile *profile = people_get(engine->people, p);
        if (!profile->ask_all)
            continue;
        TRY(wake_at(engine, p, now_ms));
    }
    return OK;
}
