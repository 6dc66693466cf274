/* A winner at a journey's node: the definition that says so, and who takes it. */
#include "engine/journey/choosing.h"

#include "engine/inside.h"
#include "engine/own.h"
#include "engine/program_inside.h"
#include "engine/vec.h"

/* ---- the text ---- */

struct str journey_choice_name(struct arena *arena, struct str journey, struct str node)
{
    return str_format(arena, "%.*s/%.*s", STR_ARG(journey), STR_ARG(node));
}

static void text_put(struct buf *out, bool *first, const char *key, struct str text)
{
    if (str_is_empty(text))
        return;
    json_write_key(out, first, key);
    json_write_str(out, text);
}

static void number_put(struct buf *out, bool *first, const char *key, int64_t number)
{
    json_write_key(out, first, key);
    buf_int(out, number);
}

void journey_choice_write(struct str journey, const struct journey_choice *choice, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    text_put(out, &first, "journey", journey);
    text_put(out, &first, "node", choice->node);
    text_put(out, &first, "experiment", choice->experiment);
    text_put(out, &first, "variant", choice->variant);
    text_put(out, &first, "how", str_of(winner_how_word(choice->how)));
    number_put(out, &first, "at", choice->at_ms);
    for (uint32_t i = 0; i < choice->counts_count; i++) {
        bool inner = true;
        buf_str(out, i == 0 ? STR(",\"counted\":[{") : STR(",{"));
        text_put(out, &inner, "name", choice->names[i]);
        number_put(out, &inner, "people", (int64_t)choice->counts[i].of);
        number_put(out, &inner, "reached", (int64_t)choice->counts[i].successes);
        buf_char(out, '}');
    }
    buf_str(out, choice->counts_count > 0 ? STR("]}") : STR("}"));
}

static void counted_read(const struct json *list, struct journey_choice *out)
{
    for (uint32_t i = 0;
         list != NULL && list->kind == JSON_ARRAY && i < list->count && i < DEAL_ARMS_MAX; i++) {
        int64_t people = 0, reached = 0;
        (void)json_get_int(&list->items[i], STR("people"), &people);
        (void)json_get_int(&list->items[i], STR("reached"), &reached);
        if (reached < 0 || people < reached)
            return;
        out->names[i] = json_get_str(&list->items[i], STR("name"));
        out->counts[i] = (struct odds_count){ (uint64_t)people, (uint64_t)reached };
        out->counts_count = i + 1;
    }
}

/* Texts lie in the arena, with the copy of the whole. */
static enum err choice_read(struct arena *arena, struct str text, struct str *journey,
                            struct journey_choice *out, struct problem *problem)
{
    struct str  kept = str_copy(arena, text);
    struct json root = { .kind = JSON_NULL };
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(arena, kept, &root, problem));
    *out = (struct journey_choice){ .arena = arena };
    *journey = json_get_str(&root, STR("journey"));
    out->node = json_get_str(&root, STR("node"));
    out->experiment = json_get_str(&root, STR("experiment"));
    out->variant = json_get_str(&root, STR("variant"));
    out->how = winner_how_of(json_get_str(&root, STR("how")));
    counted_read(json_get(&root, STR("counted")), out);
    if (!str_is_empty(*journey) && !str_is_empty(out->node) &&
        json_get_int(&root, STR("at"), &out->at_ms))
        return OK;
    return problem_set(problem, ERR_INPUT, "choice", "This is no choice of a variant.",
                       "Write {\"journey\", \"node\", \"experiment\", \"variant\", \"at\"}.");
}

/* ---- the definition ---- */

static const struct branch *variant_of(const struct journey *journey, const struct node *node,
                                       struct str name)
{
    for (uint16_t i = 0; i < node->branches_count; i++)
        if (str_eq(journey->branches[node->branches + i].name, name))
            return &journey->branches[node->branches + i];
    return NULL;
}

static enum err fits(const struct program *program, struct str name,
                     const struct journey_choice *choice, struct problem *problem)
{
    const struct journey_version *live =
        program_journey_live(program, program_journey(program, name));
    if (live == NULL)
        return problem_format(problem, ERR_ABSENT, "journey", "Look at the list of journeys.",
                              "There is no journey \"%.*s\".", STR_ARG(str_slice(name, 0, 128)));
    uint16_t number = journey_node(&live->journey, choice->node);
    if (number == JOURNEY_END || !live->journey.nodes[number].is_experiment)
        return problem_format(problem, ERR_ABSENT, "node",
                              "Name a node with \"variants\"; `dult journey numbers` lists them.",
                              "The journey has no experiment \"%.*s\".",
                              STR_ARG(str_slice(choice->node, 0, 128)));
    if (str_is_empty(choice->variant) ||
        variant_of(&live->journey, &live->journey.nodes[number], choice->variant) != NULL)
        return OK;
    return problem_format(problem, ERR_ABSENT, "variant", "Name one of the experiment's variants.",
                          "The experiment has no variant \"%.*s\".",
                          STR_ARG(str_slice(choice->variant, 0, 128)));
}

enum err journey_choice_check(const struct program *program, struct str text,
                              struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct journey_choice              choice;
    struct str                         journey;
    if (arena == NULL)
        return ERR_MEMORY;
    TRY(choice_read(arena, text, &journey, &choice, problem));
    return fits(program, journey, &choice, problem);
}

/* What is loaded was taken once: its node may be gone from the version of now. */
enum err journey_choice_define(struct program *program, struct str name, struct str text,
                               uint32_t version, uint32_t *number, struct problem *problem)
{
    struct arena         *arena = arena_open(1 << 20);
    struct journey_choice choice;
    struct str            journey;
    (void)name;
    if (arena == NULL)
        return ERR_MEMORY;
    enum err err = choice_read(arena, text, &journey, &choice, problem);
    if (err == OK && !program->is_loading)
        err = fits(program, journey, &choice, problem);
    choice.version = version;
    *number = err == OK ? program_journey(program, journey) : SEGMENT_NO_ID;
    if (err == OK && *number == SEGMENT_NO_ID)
        err = ERR_ABSENT;
    if (err == OK)
        err = VEC_ADD(&program->journeys.items[*number].choices, choice);
    if (err != OK) {
        arena_close(arena);
        return err;
    }
    journey_contests_count(program, *number);
    return OK;
}

void journey_choices_done(struct journey_def *def)
{
    for (uint32_t i = 0; i < def->choices.count; i++)
        arena_close(def->choices.items[i].arena);
    VEC_DONE(&def->choices);
}

/* Another experiment at the node has nothing to do with it. */
const struct journey_choice *program_journey_choice(const struct program *program, uint32_t journey,
                                                    const struct node *node, int64_t at_ms)
{
    const struct journey_def *def =
        journey < program->journeys.count ? &program->journeys.items[journey] : NULL;
    for (uint32_t i = def == NULL ? 0 : def->choices.count; i > 0; i--)
        if (def->choices.items[i - 1].at_ms <= at_ms &&
            str_eq(def->choices.items[i - 1].node, node->id) &&
            str_eq(def->choices.items[i - 1].experiment, node->experiment))
            return &def->choices.items[i - 1];
    return NULL;
}

void journey_contests_count(struct program *program, uint32_t journey)
{
    struct journey_def           *def = &program->journeys.items[journey];
    const struct journey_version *live = program_journey_live(program, journey);
    program->contests -= def->contests;
    def->contests = 0;
    for (uint16_t i = 0; live != NULL && i < live->journey.nodes_count; i++)
        def->contests +=
            live->journey.nodes[i].winner.after_ms > 0 &&
            program_journey_choice(program, journey, &live->journey.nodes[i], TIME_NEVER) == NULL;
    program->contests += def->contests;
}

/* ---- who takes it ---- */

/* The last variant of the node that the person took, or NULL. */
static const struct branch *had(struct step *step, const struct journey *journey, uint32_t number,
                                const struct node *node)
{
    const struct facts  *facts = step_facts(step);
    uint16_t             took = dict_find(step->engine->program->names[NAME_PROPERTY], STR("took"));
    const struct branch *last = NULL;
    int64_t              last_ms = INT64_MIN;
    uint32_t             last_seq = 0;
    for (uint32_t r = 0; took != DICT_NONE && r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        for (uint32_t i = run->count; (i = run_name_last(run, i, OWN_JOURNEY)) > 0; i--) {
            struct bag  bag = bag_at(facts->bags, run->bag[i - 1]);
            struct json of, at, way;
            if (run->at_ms[i - 1] < last_ms ||
                (run->at_ms[i - 1] == last_ms && run->seq[i - 1] <= last_seq) ||
                !bag_find(bag, OWN_KEY_JOURNEY, &of) || of.integer != (int64_t)number ||
                !bag_find(bag, OWN_KEY_NODE, &at) || !str_eq(at.string, node->id) ||
                !bag_find(bag, took, &way))
                continue;
            const struct branch *branch = variant_of(journey, node, way.string);
            if (branch == NULL)
                continue;
            last = branch;
            last_ms = run->at_ms[i - 1];
            last_seq = run->seq[i - 1];
        }
    }
    return last;
}

struct choosing choosing_of(struct step *step, const struct journey *journey,
                            const struct enrollment *e, const struct node *node)
{
    const struct journey_choice *choice =
        node->is_experiment
            ? program_journey_choice(step->engine->program, e->journey, node, step->at_ms)
            : NULL;
    if (choice == NULL)
        return (struct choosing){ NULL, NULL };
    const struct branch *kept = had(step, journey, e->journey, node);
    if (kept != NULL)
        return (struct choosing){ kept, NULL };
    const struct branch *chosen =
        str_is_empty(choice->variant) ? NULL : variant_of(journey, node, choice->variant);
    return (struct choosing){ chosen, chosen == NULL ? NULL : choice };
}
