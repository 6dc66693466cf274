/*
 * Codes given: a claim takes numbers of its pools, or waits until there are some.
 */
#include "engine/inside.h"

#include <stdio.h>
#include <string.h>

#include "engine/broadcasting.h"
#include "engine/vec.h"

/* ---- pools ---- */

static struct codes_pool *pool_of(struct engine *engine, uint32_t number)
{
    return number < engine->pools.count ? &engine->pools.items[number] : NULL;
}

static enum err pools_grow(struct engine *engine, uint32_t number)
{
    while (engine->pools.count <= number)
        TRY(VEC_ADD(&engine->pools, (struct codes_pool){ .had = 0 }));
    return OK;
}

uint32_t engine_codes_count(const struct engine *engine)
{
    return engine->program->codes.count;
}

bool engine_codes_state(const struct engine *engine, uint32_t pool, struct codes_state *out)
{
    const struct codes_def *def = program_codes_at(engine->program, pool);
    if (def->version == 0)
        return false;
    *out = (struct codes_state){ .def = def,
                                 .pool = pool,
                                 .name = program_name(engine->program, NAME_CODES, pool) };
    if (pool >= engine->pools.count)
        return true;
    const struct codes_pool *numbers = &engine->pools.items[pool];
    out->had = numbers->had;
    out->given = numbers->given;
    out->left = def->kind == CODES_FIXED ? 0 : numbers->had - numbers->given;
    out->waiting = numbers->waiting.count;
    return true;
}

bool engine_codes_hear(const struct engine *engine, struct str event)
{
    const struct program *program = engine->program;
    for (uint32_t i = 0; i < program->codes.count; i++)
        if (program->codes.items[i].version > 0 &&
            str_eq(event, str_of(program->codes.items[i].event)))
            return true;
    return false;
}

void pools_done(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->pools.count; i++)
        VEC_DONE(&engine->pools.items[i].waiting);
    VEC_DONE(&engine->pools);
}

void engine_codes_write(const struct engine *engine, struct buf *out)
{
    for (uint32_t i = 0; i < engine->pools.count; i++)
        if (engine->pools.items[i].had > 0 || engine->pools.items[i].given > 0)
            buf_format(out, "%u:%u:%u;", i, engine->pools.items[i].had,
                       engine->pools.items[i].given);
}

enum err engine_codes_load(struct engine *engine, struct str text)
{
    struct str piece;
    char       bytes[64];
    while (text.len > 0 && str_split(&text, ';', &piece)) {
        unsigned number, had, given;
        if (piece.len == 0)
            continue;
        if (sscanf(str_to_cstr(piece, bytes, sizeof bytes), "%u:%u:%u", &number, &had, &given) !=
                3 ||
            number >= DICT_NAMES_MAX)
            return ERR_CORRUPT;
        TRY(pools_grow(engine, number));
        engine->pools.items[number].had = had;
        engine->pools.items[number].given = given;
    }
    return OK;
}

/* ---- waiting ---- */

static struct message *message_of(struct engine *engine, uint32_t person, uint64_t id)
{
    struct state *state = people_state(engine->people, person);
    struct rare  *rare = state == NULL ? NULL : state_rare_own(state);
    for (uint32_t i = 0; rare != NULL && i < rare->messages.count; i++)
        if (rare->messages.items[i].id == id)
            return &rare->messages.items[i];
    return NULL;
}

/* Said once, and again only after it has been sent in between. */
static enum err wait_for(struct engine *engine, struct out *out, uint32_t person,
                         const struct message *message, uint32_t pool, const char *why)
{
    uint64_t id = message->id;
    if (!message->is_told)
        TRY(decide(engine, out,
                   (struct decision){ .kind = DECISION_WAITING,
                                      .profile = person,
                                      .at_ms = engine->now_ms,
                                      .subject = id,
                                      .object = message->attempt,
                                      .text = str_of(why),
                                      .due_ms = TIME_NEVER }));
    struct message *kept = message_of(engine, person, id);
    if (kept == NULL)
        return ERR_MEMORY;
    kept->is_waiting = true;
    TRY(pools_grow(engine, pool));
    return VEC_ADD(&engine->pools.items[pool].waiting, person);
}

/* *count of their messages wait no more. */
static enum err release_person(struct engine *engine, uint32_t profile, uint32_t *count)
{
    *count = 0;
    if (people_is_nobody(engine->people, profile))
        return OK;
    uint32_t            person = people_root(engine->people, profile);
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        if (!state->rare->messages.items[i].is_waiting)
            continue;
        struct message *message = message_of(engine, person, state->rare->messages.items[i].id);
        if (message == NULL)
            return ERR_MEMORY;
        message->is_waiting = false;
        ++*count;
        TRY(outbox_wait(engine, person, message));
    }
    return OK;
}

/* As many as can be served: a million who wait are not looked at for ten codes. */
static uint32_t servable(const struct engine *engine, uint32_t number)
{
    struct codes_state state;
    if (!engine_codes_state(engine, number, &state))
        return 0;
    return state.def->kind == CODES_FIXED ? UINT32_MAX : state.left;
}

/* Who has waited longest first. */
static enum err release(struct engine *engine, uint32_t number, uint32_t most)
{
    struct codes_pool *pool = &engine->pools.items[number];
    uint32_t           taken = 0, released = 0, count;
    while (taken < pool->waiting.count && released < most) {
        TRY(release_person(engine, pool->waiting.items[taken++], &count));
        released += count;
    }
    if (taken > 0)
        memmove(pool->waiting.items, pool->waiting.items + taken,
                (pool->waiting.count - taken) * sizeof pool->waiting.items[0]);
    pool->waiting.count -= taken;
    if (pool->waiting.count == 0)
        VEC_DONE(&pool->waiting);
    return OK;
}

enum err giving_release(struct engine *engine, bool is_all)
{
    for (uint32_t i = 0; i < engine->pools.count; i++)
        TRY(release(engine, i, is_all ? UINT32_MAX : servable(engine, i)));
    return OK;
}

enum err giving_go_on(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->pools.count; i++)
        if (engine->pools.items[i].waiting.count > 0 &&
            engine->pools.items[i].given < engine->pools.items[i].had)
            TRY(release(engine, i, servable(engine, i)));
    return OK;
}

/* ---- at the claim ---- */

static const struct code_given *given_find(const struct state *state, uint64_t of, uint32_t pool)
{
    for (uint32_t i = 0; i < state->rarer->codes.count; i++)
        if (state->rarer->codes.items[i].of == of && state->rarer->codes.items[i].pool == pool)
            return &state->rarer->codes.items[i];
    return NULL;
}

/* Whose code it is: the enrollment's, or that of a message which stands for itself. */
static uint64_t owner_of(const struct message *message)
{
    return message->enrollment != 0 ? message->enrollment : message->id;
}

const struct zone *person_zone(const struct engine *engine, uint32_t person)
{
    struct known known;
    int64_t      until_ms;
    known_make(&known, engine, person, engine->now_ms);
    return known.facts.ops->zone == NULL ? known.facts.zone
                                         : known.facts.ops->zone(&known.facts, &until_ms);
}

/* Why no code of the pool can be given now; false: one can. */
static bool is_lacking(const struct engine *engine, uint32_t person, uint32_t pool,
                       char why[CODES_WHY_BYTES_MAX])
{
    struct codes_state state;
    struct str         name = program_name(engine->program, NAME_CODES, pool);
    const char        *what = NULL;
    if (!engine_codes_state(engine, pool, &state))
        what = "not defined any more";
    else if (codes_expires_ms(state.def, person_zone(engine, person), engine->now_ms) <
             engine->now_ms)
        what = "past their last day";
    else if (state.def->kind == CODES_GENERATED && state.left == 0)
        what = "being made";
    else if (state.def->kind == CODES_POOL && state.left == 0)
        what = "used up";
    if (what == NULL)
        return false;
    snprintf(why, CODES_WHY_BYTES_MAX, "the codes \"%.*s\" are %s", STR_ARG(name), what);
    return true;
}

/* Who watches a pool is told once that it is low, and once that it is used up. */
static void low_note(const struct codes_def *def, struct codes_pool *pool)
{
    uint32_t left = pool->had - pool->given;
    if (def->kind != CODES_POOL || def->low == 0 || left >= def->low)
        return;
    pool->is_to_tell = pool->is_to_tell || !pool->is_low || (left == 0 && !pool->is_empty);
    pool->is_low = true;
    pool->is_empty = left == 0;
}

static enum err give(struct engine *engine, struct out *out, uint32_t person,
                     const struct message *message, uint32_t pool)
{
    const struct codes_def *def = program_codes_at(engine->program, pool);
    TRY(pools_grow(engine, pool));
    uint32_t number = ++engine->pools.items[pool].given;
    low_note(def, &engine->pools.items[pool]);
    return decide(
        engine, out,
        (struct decision){
            .kind = DECISION_CODE,
            .profile = person,
            .at_ms = engine->now_ms,
            .subject = owner_of(message),
            .object = number,
            .other = pool,
            .message = message->id,
            .template_id = message->template_id,
            .journey = message->journey,
            .text = def->kind == CODES_FIXED ? str_of(def->text) : STR_NONE,
            .due_ms = codes_expires_ms(def, person_zone(engine, person), engine->now_ms) });
}

/* Is there one already? A journey's reminder repeats it also when it has expired; of a broadcast,
 * whose first try reached nobody, it is another then. */
static bool has_code(const struct engine *engine, uint32_t person, uint64_t of, uint32_t pool)
{
    const struct code_given *given = given_find(people_state_get(engine->people, person), of, pool);
    return given != NULL && (!broadcast_is_key(of) || given->expires_ms >= engine->now_ms);
}

/* All or none: what waits for one pool takes nothing of another. */
enum err giving_claim(struct engine *engine, struct out *out, uint32_t person,
                      const struct message *message, const struct template_def *template,
                      bool                 *waits)
{
    const struct template_blocks *blocks = &template->blocks;
    uint64_t                      of = owner_of(message);
    *waits = false;
    for (int round = 0; round < 2; round++)
        for (uint32_t i = 0; i < blocks->count; i++) {
            char     why[CODES_WHY_BYTES_MAX];
            uint32_t pool = blocks->items[i].is_codes
                                ? program_codes(engine->program, blocks->items[i].name)
                                : SEGMENT_NO_ID;
            if (pool == SEGMENT_NO_ID || has_code(engine, person, of, pool))
                continue;
            *waits = round == 0 && is_lacking(engine, person, pool, why);
            if (*waits)
                return wait_for(engine, out, person, message, pool, why);
            if (round == 1)
                TRY(give(engine, out, person, message, pool));
        }
    return OK;
}

/* ---- what a template sees ---- */

/* Of a look at a message nothing is given: what would be is shown as an example. */
static void example_write(const struct engine *engine, uint32_t person, uint32_t pool,
                          struct buf *out)
{
    const struct codes_def *def = program_codes_at(engine->program, pool);
    struct str              name = program_name(engine->program, NAME_CODES, pool);
    int64_t expires_ms = codes_expires_ms(def, person_zone(engine, person), engine->now_ms);
    char    time[TIME_TEXT_BYTES];
    buf_str(out, STR("{\"code\":"));
    if (def->kind == CODES_FIXED) {
        json_write_str(out, str_of(def->text));
    } else {
        buf_str(out, STR("\"EXAMPLE-"));
        for (size_t i = 0; i < name.len; i++) /* letters, digits, _ and - */
            buf_char(out, name.ptr[i] >= 'a' && name.ptr[i] <= 'z' ? (char)(name.ptr[i] - 32)
                                                                   : name.ptr[i]);
        buf_char(out, '"');
    }
    if (expires_ms != TIME_NEVER)
        buf_format(out, ",\"expires_at\":\"%s\"", time_write(expires_ms, time));
    buf_str(out, STR(",\"example\":true}"));
}

/* The text is the row's, also of a fixed code: another may be defined since it was given. */
static void given_write(const struct code_given *given, struct buf *out)
{
    char time[TIME_TEXT_BYTES];
    buf_format(out, "{\"pool\":%u,\"number\":%u", given->pool, given->number);
    if (given->expires_ms != TIME_NEVER)
        buf_format(out, ",\"expires_at\":\"%s\"", time_write(given->expires_ms, time));
    buf_char(out, '}');
}

void giving_write(const struct engine *engine, uint32_t person, const struct message *message,
                  const struct template_blocks *blocks, struct buf *out, bool *first)
{
    bool inner = true;
    for (uint32_t i = 0; i < blocks->count; i++) {
        struct str name = blocks->items[i].name;
        uint32_t   pool =
            blocks->items[i].is_codes ? program_codes(engine->program, name) : SEGMENT_NO_ID;
        if (pool == SEGMENT_NO_ID)
            continue;
        if (inner) {
            json_write_key(out, first, "$codes");
            buf_char(out, '{');
        } else {
            buf_char(out, ',');
        }
        inner = false;
        json_write_str(out, name);
        buf_char(out, ':');
        const struct code_given *given =
            message == NULL
                ? NULL
                : given_find(people_state_get(engine->people, person), owner_of(message), pool);
        if (given != NULL)
            given_write(given, out);
        else
            example_write(engine, person, pool, out);
    }
    if (!inner)
        buf_char(out, '}');
}

/* ---- in force ---- */

/* In the place of one that has expired. */
enum err code_apply(struct state *state, const struct decision *d)
{
    struct code_given code = {
        .of = d->subject, .expires_ms = d->due_ms, .pool = d->other, .number = d->object
    };
    const struct code_given *before = given_find(state, code.of, code.pool);
    if (before == NULL)
        return STATE_ADD_RARER(state, codes, code);
    struct rarer *rarer = state_rarer_own(state);
    if (rarer == NULL)
        return ERR_MEMORY;
    rarer->codes.items[before - rarer->codes.items] = code;
    return OK;
}

static bool is_alive(const struct engine *engine, const struct state *state, uint64_t of)
{
    if (broadcast_is_key(of))
        return broadcast_may_go(engine, of);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        if (state->rare->enrollments.items[i].id == of &&
            enrollment_is_inside(&state->rare->enrollments.items[i]))
            return true;
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].state != MESSAGE_UNKNOWN &&
            owner_of(&state->rare->messages.items[i]) == of)
            return true; /* what is in doubt is never sent again */
    return false;
}

void codes_forget(const struct engine *engine, struct state *state)
{
    for (uint32_t i = 0; i < state->rarer->codes.count;)
        if (is_alive(engine, state, state->rarer->codes.items[i].of))
            i++;
        else
            STATE_REMOVE_RARER(state, codes, i);
}

/* ---- the record ---- */

static enum err count_check(const struct record *record, const struct codes_state *state,
                            struct problem *problem)
{
    if (record->count == 0 || record->count > CODES_A_RECORD_MAX)
        return problem_set(problem, ERR_LIMIT, "codes", "These are not 1 to 5,000 codes.",
                           "Send them in several requests.");
    if (state->left + record->count > CODES_LEFT_MAX || state->had > UINT32_MAX - record->count)
        return problem_set(problem, ERR_LIMIT, "codes", "A pool has room for 1,000,000 codes.",
                           "Add more when these are given.");
    return OK;
}

enum err apply_codes(struct engine *engine, const struct record *record, struct problem *problem)
{
    uint32_t           number = program_codes(engine->program, record->name);
    struct codes_state state;
    if (number == SEGMENT_NO_ID || !engine_codes_state(engine, number, &state))
        return problem_format(problem, ERR_ABSENT, "name", "Define them first: dult help codes.",
                              "There are no codes \"%.*s\".",
                              STR_ARG(str_slice(record->name, 0, 60)));
    if (state.def->kind == CODES_FIXED)
        return problem_set(problem, ERR_INPUT, "name", "Everyone gets the same code of these.",
                           "Change the definition to give another.");
    bool withdraws = (record->flags & RECORD_LEAVE) != 0;
    if (!withdraws)
        TRY(count_check(record, &state, problem));
    TRY(pools_grow(engine, number));
    struct codes_pool *pool = pool_of(engine, number);
    if (withdraws) {
        pool->given = pool->had;
        return OK;
    }
    pool->had += record->count;
    if (pool->had - pool->given >= state.def->low)
        pool->is_low = pool->is_empty = pool->is_to_tell = false;
    return release(engine, number, servable(engine, number));
}

/* ---- for the core ---- */

bool engine_codes_low(struct engine *engine, struct codes_state *out)
{
    for (uint32_t i = 0; i < engine->pools.count; i++) {
        if (!engine->pools.items[i].is_to_tell)
            continue;
        engine->pools.items[i].is_to_tell = false;
        if (engine_codes_state(engine, i, out))
            return true;
    }
    return false;
}

bool engine_codes_wanted(const struct engine *engine, uint32_t least, struct codes_state *out)
{
    for (uint32_t i = 0; i < engine->program->codes.count; i++)
        if (program_codes_at(engine->program, i)->kind == CODES_GENERATED &&
            engine_codes_state(engine, i, out) && out->left < least)
            return true;
    return false;
}
