#include "engine/engine_world_test.h"

#include "base/test.h"
#include "base/time.h"

struct world engine_world_open(void)
{
    struct world      w = { .arena = arena_open(64 << 20), .now_ms = T0 };
    const struct zone far_east = { STR("Far/East"), NULL, 0, 14 * 3600 };
    w.out.arena = w.arena;
    assert_ok(zones_make(&w.zones, STR("2026a"), &far_east, 1));
    assert_ok(engine_open(&w.engine, (struct engine_conf){ .seed = 1,
                                                           .next_decision = 1,
                                                           .lateness_ms = LATENESS_MS_DEFAULT,
                                                           .zones = w.zones }));
    return w;
}

void engine_world_close(struct world *w)
{
    engine_close(w->engine);
    zones_close(w->zones);
    arena_close(w->arena);
}

enum err engine_world_tell(struct world *w, struct record record)
{
    record.seq = w->seq = engine_seq(w->engine) + 1;
    record.received_ms = w->now_ms;
    if (record.at_ms == 0)
        record.at_ms = w->now_ms;
    return engine_apply(w->engine, &record, &w->out, &w->problem);
}

enum err engine_world_define(struct world *w, enum definition_kind kind, const char *name,
                             const char *text)
{
    return engine_world_tell(w, (struct record){ .kind = RECORD_DEFINE,
                                                 .definition_kind = kind,
                                                 .name = str_of(name),
                                                 .body = str_of(text) });
}

void engine_world_order_at(struct world *w, const char *user, const char *properties, int64_t at_ms)
{
    struct json value;
    assert_ok(json_parse_once(w->arena, str_of(properties), &value, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                    .at_ms = at_ms,
                                                    .user_id = str_of(user),
                                                    .name = STR("Order Completed"),
                                                    .properties = &value }));
}

void engine_world_order(struct world *w, const char *user, int amount)
{
    struct str text = str_format(w->arena, "{\"amount\":%d}", amount);
    engine_world_order_at(w, user, text.ptr, w->now_ms);
}

void engine_world_tick(struct world *w, int64_t ms)
{
    w->now_ms += ms;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLOCK }));
}

bool engine_world_is_in(struct world *w, const char *segment, const char *user)
{
    uint32_t            number = program_segment(engine_program(w->engine), str_of(segment));
    uint32_t            person = engine_find(w->engine, str_of(user));
    const struct state *state = people_state_get(engine_people(w->engine), person);
    return memberships_of(&state->memberships, number).in;
}

bool engine_world_holds(struct world *w, const char *condition, const char *who, int64_t at_ms)
{
    const struct segment_node *tree;
    struct segment_program     program;
    struct segment_names       names = program_names_in_place(engine_program(w->engine));
    assert_ok(segment_parse(w->arena, str_of(condition), &tree, NULL));
    assert_ok(segment_compile(w->arena, tree, &names, &program, NULL));
    return engine_ask(w->engine, &program, engine_find(w->engine, str_of(who)), at_ms).holds;
}
