/*
 * The brake in the engine: what it hears, what a stop writes down, what a claim asks of it.
 */
#include "engine/inside.h"

/* Bounces and complaints of e-mail; a bounce that may be over tomorrow is none. */
static bool came_back(const struct record *record, enum brake_event *out)
{
    struct str channel = json_get_str(record->properties, STR("channel"));
    bool       hard = str_eq(json_get_str(record->properties, STR("class")), STR("hard"));
    bool       complaint = str_eq(record->name, EVENT_MESSAGE_COMPLAINED);
    *out = complaint ? BRAKE_COMPLAINED : BRAKE_BOUNCED;
    return (str_is_empty(channel) || str_eq(channel, STR("email"))) &&
           (complaint || (hard && str_eq(record->name, EVENT_MESSAGE_BOUNCED)));
}

void braking_hold(const struct engine *engine, struct out *out)
{
    const struct brake_conf *conf = &engine->program->sending;
    out->holds = out->holds || conf->is_stopped;
    out->holds_receipts = out->holds_receipts || (conf->is_stopped && conf->stops_receipts);
}

static enum err stop(struct engine *engine, struct out *out, const char *why)
{
    SCOPED(buf_donep) struct buf text = buf_make(BRAKE_TEXT_BYTES_MAX);
    struct brake_conf           *conf = &engine->program->sending;
    conf->is_stopped = true;
    str_to_cstr(str_of(why), conf->why, sizeof conf->why);
    conf->version = (uint32_t)engine->seq;
    brake_write(conf, &text);
    TRY(buf_err(&text));
    braking_hold(engine, out);
    out->stopped = str_copy(out->arena, buf_view(&text));
    return out->stopped.ptr == NULL ? ERR_MEMORY : OK;
}

enum err braking_hear(struct engine *engine, const struct record *record, struct out *out)
{
    char             why[BRAKE_WHY_BYTES_MAX + 1];
    enum brake_event event;
    bool             outcome = record->kind == RECORD_OUTCOME;
    bool             back = came_back(record, &event);
    if ((record->flags & RECORD_HISTORICAL) != 0)
        return OK;
    /* One that was refused at once was sent, too: what is bounced is a part of what is sent. */
    if (outcome && (back || record->outcome.kind == OUTCOME_SENT))
        brake_hear(&engine->brake, BRAKE_SENT, engine->now_ms);
    if (!back)
        return OK;
    brake_hear(&engine->brake, event, engine->now_ms);
    if (engine->program->sending.is_stopped ||
        !brake_is_due(&engine->brake, &engine->program->sending, engine->now_ms, why))
        return OK;
    return stop(engine, out, why);
}

bool braking_holds(const struct engine *engine, const struct message *message)
{
    const struct brake_conf *conf = &engine->program->sending;
    const struct template_def *template =
        program_template_at(engine->program, message->template_id);
    return conf->is_stopped && (conf->stops_receipts || !template->transactional);
}

/* Timers that came while it was stopped are gone: each message that waits gets one again. */
enum err braking_release(struct engine *engine)
{
    brake_reset(&engine->brake);
    for (uint32_t p = 0; p < people_count(engine->people) && engine->queued > 0; p++) {
        const struct profile *profile = people_get(engine->people, p);
        if (profile->state == NULL)
            continue;
        for (uint32_t i = 0; i < profile->state->rare->messages.count; i++) {
            const struct message *message = &profile->state->rare->messages.items[i];
            if (message->state == MESSAGE_QUEUED)
                TRY(outbox_wait(engine, p, message));
        }
    }
    return OK;
}

struct brake_counts engine_brake_counts(const struct engine *engine)
{
    return brake_counts(&engine->brake, engine->program->sending.hours, engine->now_ms);
}
