/* The lines of the outbox: into which a message goes, and who is looked at next. */
#include "engine/inside.h"

enum err outbox_lanes_open(struct engine *engine)
{
    for (int i = 0; i < LANES; i++) {
        engine->outbox[i] = calendar_open();
        if (engine->outbox[i] == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

void outbox_lanes_close(struct engine *engine)
{
    for (int i = 0; i < LANES; i++)
        calendar_close(engine->outbox[i]);
}

uint32_t outbox_lane(const struct engine *engine, const struct message *message)
{
    const struct program *program = engine->program;
    const struct template_def *template = program_template_at(program, message->template_id);
    struct str topic =
        message->topic == 0 ? STR_NONE : program_name(program, NAME_TOPIC, message->topic);
    return lane_of((struct lane_of){ template->channel, template->transactional, topic });
}

enum err outbox_wait(struct engine *engine, uint32_t profile, const struct message *message)
{
    return calendar_add(engine->outbox[outbox_lane(engine, message)],
                        (struct timer){ message->due_ms, profile });
}

/* The first of `lanes` to be looked at; LANES when nothing waits in them. */
static uint32_t lane_next(const struct engine *engine, uint32_t lanes, int64_t *next_ms)
{
    uint32_t next = LANES;
    *next_ms = TIME_NEVER;
    for (uint32_t i = 0; i < LANES; i++) {
        int64_t at_ms = (lanes >> i & 1) != 0 ? calendar_next_ms(engine->outbox[i]) : TIME_NEVER;
        bool    is_urgent = (LANES_URGENT >> i & 1) != 0 && at_ms <= engine->now_ms;
        if (is_urgent || at_ms < *next_ms) {
            *next_ms = at_ms;
            next = i;
        }
        if (is_urgent)
            break;
    }
    return next;
}

int64_t engine_outbox_next_ms(const struct engine *engine, uint32_t lanes)
{
    int64_t next_ms = TIME_NEVER;
    if (engine->queued > 0)
        (void)lane_next(engine, lanes, &next_ms);
    return next_ms;
}

bool outbox_take(struct engine *engine, uint32_t lanes, uint32_t *lane, struct timer *out)
{
    int64_t next_ms;
    for (uint32_t i = 0; i < LANES; i++) /* what is due is compared by its very instant */
        calendar_advance(engine->outbox[i], engine->now_ms);
    *lane = lane_next(engine, lanes, &next_ms);
    return *lane < LANES && next_ms <= engine->now_ms &&
           calendar_take(engine->outbox[*lane], engine->now_ms, out);
}
