/*
 * broadcast_world: a world with the broadcast "spring" in it, and what its tests do with one. For
 * the tests alone, and whole in each, for it is small.
 */
#ifndef DULT_ENGINE_BROADCAST_WORLD_TEST_H
#define DULT_ENGINE_BROADCAST_WORLD_TEST_H

#include <stdio.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/broadcast.h"
#include "engine/engine_world_test.h"
#include "engine/lane.h"

static inline void identify(struct world *w, const char *user, const char *traits)
{
    struct json object;
    assert_ok(json_parse_once(w->arena, str_of(traits), &object, NULL));
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                                    .user_id = str_of(user),
                                                    .properties = &object }));
}

static inline void person(struct world *w, const char *user)
{
    char traits[100];
    snprintf(traits, sizeof traits, "{\"email\":\"%s@shop.example\",\"plan\":\"pro\"}", user);
    identify(w, user, traits);
}

static inline enum err act(struct world *w, const char *what)
{
    struct json_member member = { STR("act"), { .kind = JSON_STRING, .string = str_of(what) } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    return engine_world_tell(
        w,
        (struct record){ .kind = RECORD_BROADCAST, .name = STR("spring"), .properties = &object });
}

static inline struct broadcast_status status(struct world *w)
{
    struct broadcast_status s;
    assert_true(engine_broadcast(w->engine,
                                 program_broadcast(engine_program(w->engine), STR("spring")), &s));
    return s;
}

static inline enum err define(struct world *w, const char *more)
{
    struct str text = str_format(w->arena,
                                 "{\"broadcast\":\"spring\",\"template\":\"news\","
                                 "\"audience\":\"plan = \\\"pro\\\"\"%s}",
                                 more);
    return engine_world_define(w, DEFINE_BROADCAST, "spring", text.ptr);
}

static inline struct world world(void)
{
    struct world w = engine_world_open();
    assert_ok(
        engine_world_define(&w, DEFINE_TEMPLATE, "news", "subject: s\ntopic: offers\n--- html\nx"));
    assert_ok(define(&w, ""));
    return w;
}

static inline void run(struct world *w)
{
    for (int i = 0; i < 20 && engine_next_ms(w->engine) <= w->now_ms; i++)
        engine_world_tick(w, 0);
}

static inline const struct claim *claim(struct world *w)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    return w->out.claims_count > before ? &w->out.claims[before] : NULL;
}

static inline void outcome(struct world *w, const struct claim *of, enum outcome_kind kind)
{
    assert_ok(engine_world_tell(
        w, (struct record){
               .kind = RECORD_OUTCOME,
               .profile = of->profile,
               .outcome = { .message = of->message, .kind = kind, .retry_at_ms = w->now_ms } }));
}

/* Another engine that stands where this one stood: its names, definitions, decisions, and what is
 * kept of broadcasts. */
static inline void reload(struct world *w, const char *texts[][3], size_t texts_count)
{
    SCOPED(buf_donep) struct buf                   kept = buf_make(1 << 20);
    SCOPED(json_parser_closep) struct json_parser *parser = json_parser_open();
    struct world                                   next = engine_world_open();
    uint32_t                                       number, page;
    struct str                                     text;
    assert_true(engine_broadcasts_moved(w->engine));
    engine_broadcasts_write(w->engine, &kept);
    next.now_ms = w->now_ms;
    next.seq = w->seq;
    for (size_t i = 0; i < w->out.names_count; i++)
        assert_ok(engine_load_name(next.engine, (enum name_kind)w->out.names[i].kind,
                                   w->out.names[i].id, w->out.names[i].text));
    for (size_t i = 0; i < texts_count; i++)
        assert_ok(engine_load_definition(
            next.engine, texts[i][0][0] == 'b' ? DEFINE_BROADCAST : DEFINE_TEMPLATE,
            str_of(texts[i][1]), str_of(texts[i][2]), (uint32_t)i + 1));
    for (size_t i = 0; i < w->out.decisions_count; i++) {
        struct decision d = w->out.decisions[i];
        d.text = STR_NONE;
        assert_ok(engine_load_decision(next.engine, parser, next.arena, &d));
    }
    assert_ok(engine_broadcasts_load(next.engine, buf_view(&kept)));
    while (engine_broadcast_page(w->engine, &number, &page, &text)) {
        assert_in_range(page, 0, engine_broadcast_pages(next.engine, number) - 1);
        assert_ok(engine_broadcast_page_load(next.engine, number, page, text));
    }
    assert_ok(engine_load_end(next.engine, next.seq, next.now_ms));
    engine_close(w->engine);
    w->engine = next.engine;
    next.engine = NULL;
    zones_close(w->zones);
    w->zones = next.zones;
    arena_close(next.arena);
}

#endif
