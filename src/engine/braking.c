/*
 * The brake in the engine: what it hears, what a stop writes down, what a claim asks of it.
 */
#include "engine/inside.h"

#include <stdio.h>

static bool is_mail(const struct record *record)
{
    struct str channel = json_get_str(record->properties, STR("channel"));
    return str_is_empty(channel) || str_eq(channel, STR("email"));
}

/* Bounces and complaints of e-mail; a bounce that may be over tomorrow is none. */
static bool came_back(const struct record *record, enum brake_event *out)
{
    bool hard = str_eq(json_get_str(record->properties, STR("class")), STR("hard"));
    bool complaint = str_eq(record->name, EVENT_MESSAGE_COMPLAINED);
    *out = complaint ? BRAKE_COMPLAINED : BRAKE_BOUNCED;
    return is_mail(record) && (complaint || (hard && str_eq(record->name, EVENT_MESSAGE_BOUNCED)));
}

/* ---- whose it is ---- */

/* The domain that the message was from, by its Message Sent; empty: not known. */
static struct str domain_sent(const struct engine *engine, const struct record *record)
{
    const struct dict *names = engine->program->names[NAME_PROPERTY];
    uint16_t           event = dict_find(engine->program->names[NAME_EVENT], EVENT_MESSAGE_SENT);
    uint16_t     message = dict_find(names, STR("message")), from = dict_find(names, STR("from"));
    char         number[24];
    struct known known;
    if (event == DICT_NONE || people_is_nobody(engine->people, record->profile))
        return STR_NONE;
    snprintf(number, sizeof number, "%llu", (unsigned long long)record->message);
    known_make(&known, engine, people_root(engine->people, record->profile), engine->now_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++) {
        const struct run *run = &known.runs[r];
        for (uint32_t i = run->count; (i = run_name_last(run, i, event)) > 0; i--) {
            struct bag  bag = bag_at(known.facts.bags, run->bag[i - 1]);
            struct json id, domain;
            if (bag_find(bag, message, &id) && id.kind == JSON_STRING &&
                str_eq(id.string, str_of(number)) && bag_find(bag, from, &domain) &&
                domain.kind == JSON_STRING)
                return domain.string;
        }
    }
    return STR_NONE;
}

static struct str domain_of(const struct engine *engine, const struct record *record)
{
    struct str told = json_get_str(record->properties, STR("from"));
    return told.len > 0 || record->kind == RECORD_OUTCOME ? told : domain_sent(engine, record);
}

/* ---- stopping ---- */

void braking_hold(const struct engine *engine, struct out *out)
{
    const struct brake_conf *conf = &engine->program->sending;
    out->holds = out->holds || conf->is_stopped;
    out->holds_receipts = out->holds_receipts || (conf->is_stopped && conf->stops_receipts);
    out->sending = ARENA_NEW(out->arena, struct brake_conf);
    if (out->sending != NULL)
        *out->sending = *conf;
}

static enum err stop(struct engine *engine, struct out *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(BRAKE_TEXT_BYTES_MAX);
    struct brake_conf           *conf = &engine->program->sending;
    conf->version = (uint32_t)engine->seq;
    brake_write(conf, &text);
    TRY(buf_err(&text));
    braking_hold(engine, out);
    if (out->sending == NULL)
        return ERR_MEMORY;
    out->stopped = str_copy(out->arena, buf_view(&text));
    return out->stopped.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err stop_all(struct engine *engine, struct out *out, const char *why)
{
    struct brake_conf *conf = &engine->program->sending;
    conf->is_stopped = true;
    str_to_cstr(str_of(why), conf->why, sizeof conf->why);
    return stop(engine, out);
}

/* The others go on, and what it sent counts in nothing more. */
static enum err stop_domain(struct engine *engine, struct out *out, struct str domain,
                            struct brake *brake, const char *why)
{
    struct brake_conf    *conf = &engine->program->sending;
    struct brake_stopped *stopped = &conf->stopped[conf->stopped_count++];
    *stopped = (struct brake_stopped){ .domain = "" };
    str_to_cstr(domain, stopped->domain, sizeof stopped->domain);
    str_to_cstr(str_of(why), stopped->why, sizeof stopped->why);
    brake_subtract(&engine->brake, brake);
    brake_reset(brake);
    return stop(engine, out);
}

static void count(struct engine *engine, struct brake *domain, enum brake_event event)
{
    brake_hear(&engine->brake, event, engine->now_ms);
    if (domain != NULL)
        brake_hear(domain, event, engine->now_ms);
}

enum err braking_hear(struct engine *engine, const struct record *record, struct out *out)
{
    const struct brake_conf *conf = &engine->program->sending;
    char                     why[BRAKE_WHY_BYTES_MAX + 1];
    enum brake_event         event;
    bool                     outcome = record->kind == RECORD_OUTCOME;
    bool                     back = came_back(record, &event);
    bool sent = outcome && (back || record->outcome.kind == OUTCOME_SENT) && is_mail(record);
    if ((record->flags & RECORD_HISTORICAL) != 0 || (!sent && !back))
        return OK;
    struct str    domain = domain_of(engine, record);
    struct brake *brake = brake_of(&engine->brake_domains, domain);
    if (brake_has_stopped(conf, domain))
        return OK; /* what comes back of it later stops nobody else */
    /* One that was refused at once was sent, too: what is bounced is a part of what is sent. */
    if (sent)
        count(engine, brake, BRAKE_SENT);
    if (!back)
        return OK;
    count(engine, brake, event);
    if (conf->is_stopped)
        return OK;
    bool others = brake != NULL && conf->stopped_count < BRAKE_STOPPED_MAX &&
                  brake_has_others(&engine->brake_domains, brake, conf->hours, engine->now_ms);
    if (others && brake_is_due(brake, conf, engine->now_ms, why))
        return stop_domain(engine, out, domain, brake, why);
    return brake_is_due(&engine->brake, conf, engine->now_ms, why) ? stop_all(engine, out, why)
                                                                   : OK;
}

bool braking_keeps(struct engine *engine, uint32_t person, const struct record_outcome *outcome)
{
    if (!brake_has_stopped(&engine->program->sending, outcome->stopped_domain))
        return false;
    struct state *state = people_state(engine->people, person);
    struct rare  *rare = state == NULL ? NULL : state_rare_own(state);
    for (uint32_t i = 0; rare != NULL && i < rare->messages.count; i++)
        if (rare->messages.items[i].id == outcome->message) {
            rare->messages.items[i].is_waiting = true;
            return true;
        }
    return false;
}

/* ---- holding, and going on ---- */

bool braking_holds(const struct engine *engine, const struct message *message)
{
    const struct brake_conf *conf = &engine->program->sending;
    const struct template_def *template =
        program_template_at(engine->program, message->template_id);
    return conf->is_stopped && (conf->stops_receipts || !template->transactional);
}

static enum err release_person(struct engine *engine, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *message = &state->rare->messages.items[i];
        if (message->state != MESSAGE_QUEUED)
            continue;
        TRY(outbox_wait(engine, person, message));
        if (message->is_waiting) { /* for codes that are still lacking: it will wait again */
            struct state *own = people_state(engine->people, person);
            struct rare  *rare = own == NULL ? NULL : state_rare_own(own);
            if (rare == NULL)
                return ERR_MEMORY;
            rare->messages.items[i].is_waiting = false;
            state = own;
        }
    }
    return OK;
}

/* Timers that came while it was stopped are gone: each message that waits gets one again. */
enum err braking_release(struct engine *engine)
{
    brake_reset(&engine->brake);
    brake_domains_done(&engine->brake_domains);
    for (uint32_t p = 0; p < people_count(engine->people) && engine->queued > 0; p++) {
        const struct profile *profile = people_get(engine->people, p);
        if (profile->state == NULL)
            continue;
        TRY(release_person(engine, p));
    }
    return OK;
}

struct brake_counts engine_brake_counts(const struct engine *engine)
{
    return brake_counts(&engine->brake, engine->program->sending.hours, engine->now_ms);
}
