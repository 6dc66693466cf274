#include "run/api/winning.h"

#include "base/time.h"
#include "run/api/figures.h"
#include "run/api/routes.h"

/* ---- told ---- */

static bool is_copied(struct arena *arena, struct str *text)
{
    *text = str_copy(arena, *text);
    return text->ptr != NULL || text->len == 0;
}

bool winning_copy(struct arena *arena, const struct program *program, uint32_t journey,
                  const struct node *node, struct winning *out)
{
    const struct journey_choice *choice =
        program_journey_choice(program, journey, node, TIME_NEVER);
    bool is_good = true;
    *out = (struct winning){ .by = node->winner.by };
    if (node->winner.after_ms > 0) {
        out->people = node->winner.people;
        out->after_ms = node->winner.after_ms;
    }
    if (choice == NULL)
        return true;
    out->choice = *choice;
    out->choice.arena = NULL;
    is_good = is_copied(arena, &out->choice.node) && is_copied(arena, &out->choice.experiment) &&
              is_copied(arena, &out->choice.variant);
    for (uint32_t i = 0; is_good && i < out->choice.counts_count; i++)
        is_good = is_copied(arena, &out->choice.names[i]);
    return is_good;
}

/* As it was when the winner was looked for. */
static void counted_write(const struct journey_choice *choice, struct buf *out, bool *first)
{
    double best[DEAL_ARMS_MAX] = { 0 };
    if (choice->counts_count < DEAL_ARMS_MIN)
        return;
    odds_best(choice->counts, choice->counts_count, best);
    json_write_key(out, first, "counted");
    for (uint32_t i = 0; i < choice->counts_count; i++) {
        bool inner = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &inner, "name", choice->names[i]);
        write_int(out, &inner, "people", (int64_t)choice->counts[i].of);
        write_int(out, &inner, "reached", (int64_t)choice->counts[i].successes);
        figures_write(out, &inner, "rate", odds_of(choice->counts[i], FIGURES_SURE));
        figure_write(out, &inner, "best", best[i]);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static const char *phase_of(const struct journey_choice *choice)
{
    return choice->version == 0            ? "open"
           : choice->variant.len > 0       ? "chosen"
           : choice->how == WINNER_NOT_YET ? "asked"
                                           : "dealt";
}

void winning_write(const struct winning *winning, struct buf *out, bool *first)
{
    const struct journey_choice *choice = &winning->choice;
    bool                         inner = true;
    if (choice->version == 0 && winning->people == 0)
        return;
    json_write_key(out, first, "winner");
    buf_char(out, '{');
    write_text(out, &inner, "phase", str_of(phase_of(choice)));
    if (choice->version == 0) {
        write_int(out, &inner, "people", winning->people);
        write_int(out, &inner, "after_ms", winning->after_ms);
        write_text(out, &inner, "by", str_of(winner_by_word(winning->by)));
    } else {
        if (choice->variant.len > 0)
            write_text(out, &inner, "variant", choice->variant);
        if (choice->how != WINNER_NOT_YET)
            write_text(out, &inner, "how", str_of(winner_how_word(choice->how)));
        write_time(out, &inner, "at", choice->at_ms);
        counted_write(choice, out, &inner);
    }
    buf_char(out, '}');
}

/* ---- said ---- */

struct said {
    struct call   *call;
    struct str     journey, node;
    struct winning winning;
    struct str     experiment; /* empty: the journey has no such node, or it deals nobody */
    bool           is_full;
};

static bool said_ask(struct engine *engine, struct task *task)
{
    struct said                  *said = task->context;
    const struct program         *program = engine_program(engine);
    uint32_t                      number = program_journey(program, said->journey);
    const struct journey_version *live = program_journey_live(program, number);
    uint16_t at = live == NULL ? JOURNEY_END : journey_node(&live->journey, said->node);
    if (at == JOURNEY_END || !live->journey.nodes[at].is_experiment)
        return true; /* refused as it is defined, with what is missing */
    said->experiment = str_copy(said->call->arena, live->journey.nodes[at].experiment);
    said->is_full =
        said->experiment.ptr == NULL ||
        !winning_copy(said->call->arena, program, number, &live->journey.nodes[at], &said->winning);
    return true;
}

static enum err said_define(struct said *said, struct str variant)
{
    SCOPED(buf_donep) struct buf text = buf_make(JOURNEY_CHOICE_BYTES_MAX);
    struct journey_choice       *choice = &said->winning.choice;
    uint64_t                     version;
    bool                         is_changed;
    *choice = (struct journey_choice){ .node = said->node,
                                       .experiment = said->experiment,
                                       .variant = variant,
                                       .how = WINNER_BY_HAND,
                                       .at_ms = time_now_ms() };
    journey_choice_write(said->journey, choice, &text);
    TRY(buf_err(&text));
    struct str name = journey_choice_name(said->call->arena, said->journey, said->node);
    if (name.ptr == NULL)
        return ERR_MEMORY;
    TRY(definition_change(said->call, DEFINE_JOURNEY_CHOICE, name, buf_view(&text), &version,
                          &is_changed));
    choice->version = (uint32_t)version;
    return OK;
}

static enum err say(struct call *call, struct str variant)
{
    struct said said = { .call = call,
                         .journey = call_param(call, "name"),
                         .node = call_param(call, "node") };
    bool        first = true;
    TRY(call_ask(call, said_ask, &said));
    if (said.is_full)
        return ERR_MEMORY;
    /* Said again it stays as it was, with its time. */
    bool is_so = said.winning.choice.version > 0 &&
                 (variant.len > 0 || said.winning.choice.how == WINNER_BY_HAND) &&
                 str_eq(said.winning.choice.variant, variant);
    if (!is_so)
        TRY(said_define(&said, variant));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "journey", said.journey);
    write_text(&call->out, &first, "node", said.node);
    write_text(&call->out, &first, "experiment", said.experiment);
    winning_write(&said.winning, &call->out, &first);
    buf_char(&call->out, '}');
    return OK;
}

enum err journey_winner_post(struct call *call)
{
    struct str variant = call_query(call, "variant");
    if (variant.len == 0 || variant.len > JOURNEY_NAME_BYTES_MAX)
        return problem_set(&call->problem, ERR_INPUT, "variant", "No variant is named.",
                           "Name one of the experiment's, ?variant=short; DELETE takes back what "
                           "was chosen.");
    return say(call, variant);
}

enum err journey_winner_delete(struct call *call)
{
    return say(call, STR_NONE);
}
