#include "run/api/standing.h"

#include "engine/program.h"

struct standing_question {
    struct call        *call;
    struct str          name, text;
    struct journey      to;
    struct inside_count count;
    uint32_t            number, cursor;
    bool                is_read, has_to;
};

static void names_take(struct standing_question *standing)
{
    for (uint32_t i = 0; i < standing->count.nodes_count; i++)
        standing->count.nodes[i].id = str_copy(standing->call->arena, standing->count.nodes[i].id);
}

struct pausing {
    struct str name;
    bool       is_paused;
};

static bool pausing_ask(struct engine *engine, struct task *task)
{
    struct pausing       *pausing = task->context;
    const struct program *program = engine_program(engine);
    pausing->is_paused =
        program_journey_state(program, program_journey(program, pausing->name)) == JOURNEY_PAUSED;
    return true;
}

enum err standing_fills_check(struct call *call, struct str name)
{
    struct pausing pausing = { .name = name };
    TRY(call_ask(call, pausing_ask, &pausing));
    return !pausing.is_paused ? OK
                              : problem_set(&call->problem, ERR_CONFLICT, "inside",
                                            "The journey is paused: nobody in it gets anything.",
                                            "Resume it first, or say inside=move.");
}

static void fills_write(const struct inside_count *count, struct buf *out, bool *first)
{
    if (count->filled == 0)
        return;
    write_int(out, first, "filled", (int64_t)count->filled);
    json_write_key(out, first, "fills");
    for (uint32_t i = 0; i < count->fills_count; i++) {
        bool one = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &one, "id", count->fills[i].id);
        write_int(out, &one, "people", (int64_t)count->fills[i].people);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static bool standing_ask(struct engine *engine, struct task *task)
{
    struct standing_question *standing = task->context;
    struct program           *program = engine_program(engine);
    if (!standing->is_read) {
        struct segment_names names = program_names(program, false);
        standing->number = program_journey(program, standing->name);
        standing->has_to =
            journey_parse(standing->call->arena, standing->text, &names, &standing->to, NULL) == OK;
        standing->is_read = true;
    }
    if (standing->number == SEGMENT_NO_ID)
        return true;
    if (!engine_inside_count(engine, standing->number, standing->has_to ? &standing->to : NULL,
                             &standing->cursor, STANDING_PEOPLE, &standing->count))
        return false;
    names_take(standing);
    return true;
}

enum err standing_write(struct call *call, struct str name, struct str text, struct buf *out,
                        bool *first)
{
    struct standing_question *standing = ARENA_NEW(call->arena, struct standing_question);
    bool                      inner = true;
    if (standing == NULL)
        return ERR_MEMORY;
    *standing = (struct standing_question){ .call = call, .name = name, .text = text };
    TRY(call_ask(call, standing_ask, standing));
    if (standing->number == SEGMENT_NO_ID)
        return OK;
    json_write_key(out, first, "inside");
    buf_char(out, '{');
    write_int(out, &inner, "people", (int64_t)standing->count.people);
    write_int(out, &inner, "moves", (int64_t)standing->count.moves);
    json_write_key(out, &inner, "nodes");
    for (uint32_t i = 0; i < standing->count.nodes_count; i++) {
        const struct inside_node *node = &standing->count.nodes[i];
        bool                      one = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &one, "id", node->id);
        write_int(out, &one, "people", (int64_t)node->people);
        write_int(out, &one, "moves", (int64_t)node->moves);
        buf_char(out, '}');
    }
    buf_str(out, standing->count.nodes_count == 0 ? STR("[]") : STR("]"));
    fills_write(&standing->count, out, &inner);
    buf_char(out, '}');
    return buf_err(out);
}
