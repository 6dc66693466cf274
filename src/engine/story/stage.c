#include "engine/story/stage.h"

#include <stdlib.h>
#include <string.h>

#include "engine/lane.h"
#include "engine/vec.h"

enum err stage_open(struct stage *stage, int64_t at_ms, const struct zones *zones)
{
    *stage = (struct stage){ .now_ms = at_ms, .arena = arena_open(STAGE_BYTES_MAX) };
    stage->out.arena = stage->arena;
    struct engine_conf conf = { .next_decision = 1,
                                .lateness_ms = LATENESS_MS_DEFAULT,
                                .zones = zones };
    enum err           err = stage->arena == NULL ? ERR_MEMORY : engine_open(&stage->engine, conf);
    if (err != OK)
        stage_close(stage);
    return err;
}

void stage_close(struct stage *stage)
{
    if (stage->engine != NULL)
        engine_close(stage->engine);
    if (stage->arena != NULL)
        arena_close(stage->arena);
    free(stage->sent.items);
    *stage = (struct stage){ 0 };
}

static enum err apply(struct stage *stage, struct record record, struct problem *problem)
{
    record.seq = engine_seq(stage->engine) + 1;
    record.at_ms = record.received_ms = stage->now_ms;
    return engine_apply(stage->engine, &record, &stage->out, problem);
}

/* ---- the post ---- */

static struct json text_of(struct str text)
{
    return (struct json){ .kind = JSON_STRING, .string = text };
}

/* As delivery would tell it. */
static enum err sent_tell(struct stage *stage, const struct claim *claim, struct problem *problem)
{
    const struct program *program = engine_program(stage->engine);
    bool mailed = claim->channel == CHANNEL_EMAIL || claim->channel == CHANNEL_SMS ||
                  claim->channel == CHANNEL_POST;
    struct json_member members[4] = {
        { STR("message"), { .kind = JSON_INT, .integer = (int64_t)claim->message } },
        { STR("channel"), text_of(channel_name(claim->channel)) },
        { STR("template"), text_of(program_name(program, NAME_TEMPLATE, claim->template_id)) },
    };
    struct json properties = { .kind = JSON_OBJECT, .count = 3, .members = members };
    if (claim->journey != JOURNEY_NONE)
        members[properties.count++] =
            (struct json_member){ STR("journey"),
                                  text_of(program_name(program, NAME_JOURNEY, claim->journey)) };
    struct stage_sent sent = { stage->now_ms, claim->message, claim->profile, claim->template_id,
                               claim->journey };
    TRY(VEC_ADD(&stage->sent, sent));
    return apply(stage,
                 (struct record){ .kind = RECORD_OUTCOME,
                                  .name = mailed ? EVENT_MESSAGE_SENT : EVENT_NOTICE_SENT,
                                  .profile = claim->profile,
                                  .message = claim->message,
                                  .properties = &properties,
                                  .outcome = { .message = claim->message, .kind = OUTCOME_SENT } },
                 problem);
}

static enum err turn_count(struct stage *stage, struct problem *problem)
{
    if (stage->turns++ < STAGE_TURNS_MAX)
        return OK;
    return problem_format(problem, ERR_LIMIT, "", "Let less time pass, or tell less.",
                          "More than %d things happened by themselves.", STAGE_TURNS_MAX);
}

/* All that is due goes, also what follows from its having gone. */
static enum err post(struct stage *stage, struct problem *problem)
{
    while (engine_outbox_next_ms(stage->engine, LANES_ALL) <= stage->now_ms) {
        size_t before = stage->out.claims_count;
        TRY(turn_count(stage, problem));
        TRY(apply(stage, (struct record){ .kind = RECORD_CLAIM, .count = CLAIMS_MAX }, problem));
        size_t after = stage->out.claims_count;
        for (size_t i = before; i < after; i++)
            TRY(sent_tell(stage, &stage->out.claims[i], problem));
        if (before == after && engine_outbox_next_ms(stage->engine, LANES_ALL) <= stage->now_ms)
            return OK; /* what is left is held */
    }
    return OK;
}

/* ---- time ---- */

static int64_t next_ms(const struct stage *stage)
{
    int64_t time_ms = engine_next_ms(stage->engine);
    int64_t post_ms = engine_outbox_next_ms(stage->engine, LANES_ALL);
    return post_ms > stage->now_ms && post_ms < time_ms ? post_ms : time_ms;
}

enum err stage_until(struct stage *stage, int64_t at_ms, struct problem *problem)
{
    TRY(post(stage, problem));
    for (int64_t next = next_ms(stage); next <= at_ms; next = next_ms(stage)) {
        if (next > stage->now_ms)
            stage->now_ms = next;
        TRY(turn_count(stage, problem));
        TRY(apply(stage, (struct record){ .kind = RECORD_CLOCK }, problem));
        TRY(post(stage, problem));
    }
    if (at_ms > stage->now_ms)
        stage->now_ms = at_ms;
    return apply(stage, (struct record){ .kind = RECORD_CLOCK }, problem);
}

enum err stage_tell(struct stage *stage, struct record record, struct problem *problem)
{
    TRY(stage_until(stage, stage->now_ms, problem));
    TRY(apply(stage, record, problem));
    return stage_until(stage, stage->now_ms, problem);
}
