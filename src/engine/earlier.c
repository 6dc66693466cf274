#include "engine/earlier.h"

#include "engine/inside.h"

struct keys {
    uint16_t message, key, answer, comment, machine;
};

static uint16_t key_of(const struct engine *engine, const char *name)
{
    return dict_find(engine->program->names[NAME_PROPERTY], str_of(name));
}

static bool is_asked_for(struct bag bag, const struct keys *keys, const struct earlier_query *query)
{
    struct json message, value;
    return bag_find(bag, keys->message, &message) && message.kind == JSON_INT &&
           (uint64_t)message.integer == query->message && bag_find(bag, keys->key, &value) &&
           value.kind == JSON_STRING && str_eq(value.string, query->value);
}

struct last {
    uint32_t   seq;
    struct bag bag;
};

/* What a run has of them; the last by its record. */
static void run_look(const struct known *known, const struct run *run, uint16_t name,
                     const struct keys *keys, const struct earlier_query *query,
                     struct earlier *out, struct last *last)
{
    for (uint32_t i = run->count; (i = run_name_last(run, i, name)) > 0; i--) {
        struct bag  bag = bag_at(known->facts.bags, run->bag[i - 1]);
        struct json machine;
        if (!is_asked_for(bag, keys, query))
            continue;
        out->all++;
        if (!bag_find(bag, keys->machine, &machine) || machine.kind != JSON_BOOL || !machine.truth)
            out->count++;
        if (run->seq[i - 1] >= last->seq)
            *last = (struct last){ run->seq[i - 1], bag };
    }
}

enum err engine_earlier(const struct engine *engine, const struct earlier_query *query,
                        struct arena *arena, struct earlier *out)
{
    uint16_t     name = dict_find(engine->program->names[NAME_EVENT], query->event);
    struct keys  keys = { .message = key_of(engine, "message"),
                          .answer = key_of(engine, "answer"),
                          .comment = key_of(engine, "comment"),
                          .machine = key_of(engine, "machine"),
                          .key = dict_find(engine->program->names[NAME_PROPERTY], query->key) };
    struct last  last = { 0 };
    struct known known;
    *out = (struct earlier){ .count = 0 };
    if (name == DICT_NONE || query->profile >= people_count(engine->people) ||
        people_is_nobody(engine->people, query->profile))
        return OK;
    known_make(&known, engine, people_root(engine->people, query->profile), engine->now_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++)
        run_look(&known, &known.runs[r], name, &keys, query, out, &last);
    struct str answer = bag_text(last.bag, keys.answer), comment = bag_text(last.bag, keys.comment);
    out->answer = str_copy(arena, answer);
    out->comment = str_copy(arena, comment);
    return (answer.len > 0 && out->answer.ptr == NULL) ||
                   (comment.len > 0 && out->comment.ptr == NULL)
               ? ERR_MEMORY
               : OK;
}
