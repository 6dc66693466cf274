/* A broadcast's winner: who gets the variants first, what became of them, and who is chosen. */
#include "engine/broadcast.h"
#include "engine/broadcasting.h"

enum { COUNTS = 2000 }; /* recipients of one clock record */
#define SUCCESS_MS (365 * TIME_DAY_MS)

bool broadcast_is_of_test(const struct engine *engine, const struct broadcast_def *def,
                          uint32_t person)
{
    char bytes[16];
    return deal_chance(DEAL_TEST, def->experiment, deal_person(engine, person, bytes)) <
           def->winner.share;
}

bool broadcast_is_open(const struct broadcast_run *run)
{
    enum broadcast_phase phase = run->test.phase;
    return phase == BROADCAST_TESTING || phase == BROADCAST_TESTED || phase == BROADCAST_ASKED;
}

/* Who of them slept is come back to first. */
bool broadcast_test_end(const struct engine *engine, const struct broadcast_def *def,
                        struct broadcast_run *run)
{
    if (run->test.phase != BROADCAST_TESTING || run->later_ms != TIME_NEVER)
        return false;
    run->test.phase = BROADCAST_TESTED;
    run->round_ms = engine->now_ms + def->winner.after_ms;
    run->looking.cursor = 0;
    return true;
}

/* Only those who were not come by have anything left to get. */
void broadcast_choose(const struct engine *engine, struct broadcast_run *run, uint32_t arm,
                      enum winner_how how)
{
    if (broadcast_is_open(run)) {
        run->looking.cursor = 0;
        run->round_ms = run->start_ms > engine->now_ms ? run->start_ms : engine->now_ms;
        run->later_ms = TIME_NEVER;
    }
    run->ready_ms = 0;
    run->test.phase = BROADCAST_CHOSEN;
    run->test.chosen = arm + 1;
    run->test.how = how;
    run->test.chosen_ms = engine->now_ms;
}

/* ---- what is asked ---- */

static void message_say(struct buf *out, const char *verb, const struct broadcast_def *def,
                        uint32_t arm)
{
    buf_format(out, "%s message of broadcast ", verb);
    json_write_str(out, def->name);
    buf_str(out, STR(" where template = "));
    json_write_str(out, def->arms[arm].template);
}

static struct str goal_event(struct str goal)
{
    goal = str_trim(goal);
    return str_starts(goal, STR("did ")) ? str_trim(str_slice(goal, 4, goal.len)) : goal;
}

enum err broadcast_winner_condition(struct arena *arena, const struct broadcast_def *def,
                                    uint32_t arm, bool is_success, const struct segment_node **out,
                                    struct problem *problem)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 14);
    bool                         is_goal = is_success && def->winner.by == WINNER_GOAL;
    message_say(&text,
                !is_success || is_goal             ? "received"
                : def->winner.by == WINNER_CLICKED ? "clicked"
                                                   : "opened",
                def, arm);
    if (is_goal) {
        buf_str(&text, STR(" then "));
        buf_str(&text, goal_event(def->winner.goal));
        buf_str(&text, STR(" within 365 days"));
    }
    TRY(buf_err(&text));
    struct str kept = str_copy(arena, buf_view(&text));
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    enum err err = segment_parse(arena, kept, out, NULL);
    if (err == OK && (*out)->kind == (is_goal ? SEGMENT_THEN : SEGMENT_DID) &&
        (!is_goal || (*out)->within_ms == SUCCESS_MS))
        return OK;
    if (err == ERR_MEMORY)
        return err;
    return problem_set(problem, ERR_INPUT, "experiment.winner.goal", "This is no event.",
                       "Write such as \"did \\\"Order Completed\\\" where revenue > 50\", without "
                       "a time: it counts from the message on.");
}

/* ---- counted ---- */

/* Of each variant: whom it reached, and with whom it did what it is for. */
struct asked {
    struct segment_program reached[DEAL_ARMS_MAX], done[DEAL_ARMS_MAX];
};

static enum err compile(const struct engine *engine, const struct broadcast_def *def,
                        struct arena *arena, struct asked *out)
{
    struct segment_names       names = program_names(engine->program, true);
    const struct segment_node *tree;
    for (uint32_t i = 0; i < def->arms_count; i++) {
        TRY(broadcast_winner_condition(arena, def, i, false, &tree, NULL));
        TRY(segment_compile(arena, tree, &names, &out->reached[i], NULL));
        TRY(broadcast_winner_condition(arena, def, i, true, &tree, NULL));
        TRY(segment_compile(arena, tree, &names, &out->done[i], NULL));
    }
    return OK;
}

#define WENT (RECIPIENT_BIT(RECIPIENT_SENT) | RECIPIENT_BIT(RECIPIENT_UNKNOWN))

/* A person counts once, by the first of their profiles that it went to. */
static bool is_first(const struct engine *engine, const struct broadcast_run *run, uint32_t profile)
{
    for (uint32_t m = people_get(engine->people, profile)->next; m != profile;
         m = people_get(engine->people, m)->next)
        if (m < profile && (WENT >> recipients_get(&run->recipients, m) & 1) != 0)
            return false;
    return !people_is_nobody(engine->people, profile);
}

static void count_one(const struct engine *engine, const struct asked *asked,
                      const struct broadcast_def *def, struct broadcast_run *run, uint32_t profile)
{
    uint32_t person = people_root(engine->people, profile);
    for (uint32_t i = 0; i < def->arms_count; i++) {
        if (!engine_ask(engine, &asked->reached[i], person, engine->now_ms).holds)
            continue;
        run->test.counts[i].of++;
        run->test.counts[i].successes +=
            engine_ask(engine, &asked->done[i], person, engine->now_ms).holds;
    }
}

static void found(struct engine *engine, const struct broadcast_def *def, struct broadcast_run *run)
{
    double          best[DEAL_ARMS_MAX];
    enum winner_how how;
    uint32_t        arm = winner_pick(&def->winner, run->test.counts, def->arms_count, best, &how);
    if (arm != WINNER_NONE) {
        broadcast_choose(engine, run, arm, how);
        return;
    }
    run->test.phase = BROADCAST_ASKED;
    run->round_ms = TIME_NEVER;
}

enum err broadcast_count(struct engine *engine, uint32_t number, struct broadcast_run *run)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, number);
    /* The time runs from when all of the share went: what was stopped or paused tells nothing. */
    if (run->looking.cursor == 0 &&
        run->recipients.counts[RECIPIENT_WAITING] + run->recipients.counts[RECIPIENT_SENDING] > 0) {
        run->round_ms = engine->now_ms + def->winner.after_ms;
        return OK;
    }
    SCOPED(arena_closep) struct arena *arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    struct asked                       asked;
    if (arena == NULL)
        return ERR_MEMORY;
    enum err err = compile(engine, def, arena, &asked);
    if (err == ERR_MEMORY)
        return err;
    run->is_paused = run->is_paused || err != OK; /* what it asks for is gone */
    for (int i = 0; i < COUNTS && err == OK && run->looking.cursor < run->looking.end; i++) {
        uint32_t p = recipients_next(&run->recipients, WENT, run->looking.cursor);
        bool     is_one = p < run->looking.end;
        run->looking.cursor = is_one ? p + 1 : run->looking.end;
        if (is_one && is_first(engine, run, p))
            count_one(engine, &asked, def, run, p);
    }
    if (err == OK && run->looking.cursor == run->looking.end)
        found(engine, def, run);
    return OK;
}
