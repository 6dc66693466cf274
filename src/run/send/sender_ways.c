/*
 * By which way a message goes, and on whose place.
 *
 * A way's channel offers places. What is claimed for the way takes one when it is made, or waits in
 * the way's line; so does a guest, a message that was claimed for another way. Some places are left
 * to receipts. So what a way is given never exceeds what its channel offered, and what is claimed
 * for it never exceeds its places by more than `ahead`: as many as left it in the last PACE_MS, for
 * from a claim to its first byte the disk and a rendering thread have their turn, and a place that
 * waits for both sends nothing meanwhile. A slow way is ahead by none.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "message/address.h"
#include "run/send/sender_inside.h"

enum {
    RESERVE_PARTS = 8, /* one place in so many is for receipts */
    AHEAD_PARTS = 4,   /* while some wait, more are claimed by so many a part of `ahead` */
    PACE_MS = 50,      /* so long, about, a message waits that was claimed ahead of its place */
};

/* Everything is closed and nobody says for how long. */
#define CLOSED_PAUSE_MS TIME_SECOND_MS
#define CLOSED_PAUSE_MS_MAX TIME_MINUTE_MS

/* ---- lines ---- */

void line_add(struct job_line *line, struct job *job)
{
    job->next = NULL;
    *line->last = job;
    line->last = &job->next;
}

struct job *line_take(struct job_line *line)
{
    struct job *job = line->first;
    if (job == NULL)
        return NULL;
    line->first = job->next;
    if (line->first == NULL)
        line->last = &line->first;
    job->next = NULL;
    return job;
}

/* ---- what a way is for ---- */

static bool has_word(const struct str *words, uint32_t count, struct str word)
{
    for (uint32_t i = 0; i < count; i++)
        if (str_eq_nocase(words[i], word))
            return true;
    return count == 0;
}

/* What goes to the staff is a chat's, or a mail to them. */
static enum consent_channel channel_of_job(const struct job *job)
{
    return job_is_letter(job) ? job->claim.channel : CHANNEL_EMAIL;
}

static bool is_for(const struct way *way, const struct job *job)
{
    const struct way_conf *conf = way->conf;
    bool                   is_receipt = job->claim.transactional;
    bool                   is_mail = !job_is_letter(job);
    return doubt_fits(way, job) && way_channel(conf) == channel_of_job(job) &&
           !(is_receipt && conf->no_receipts) && !(!is_receipt && conf->only_receipts) &&
           way_is_for_place(conf, job->claim.address) &&
           has_word(conf->topics, conf->topics_count, job->rendered.topic) &&
           (!is_mail ||
            has_word(conf->domains, conf->domains_count, address_domain(job->rendered.from)));
}

/* May a message of the lane be for it? */
static bool is_for_lane(const struct way *way, uint32_t lane)
{
    const struct way_conf *conf = way->conf;
    struct lane_of         message = { .channel = way_channel(conf), .transactional = true };
    if (!conf->no_receipts && lane_of(message) == lane)
        return true;
    if (message.channel == CHANNEL_EMAIL && lane == LANE_STAFF)
        return true;
    message.transactional = false;
    for (uint32_t i = 0; i < conf->topics_count && !conf->only_receipts; i++) {
        message.topic = conf->topics[i];
        if (lane_of(message) == lane)
            return true;
    }
    if (conf->topics_count > 0 || conf->only_receipts)
        return false;
    bool is_letter = lane >= LANE_TOPICS && lane < LANE_TOPICS + LANE_TOPICS_COUNT;
    return message.channel == CHANNEL_EMAIL ? is_letter : lane_of(message) == lane;
}

/* Is every message of the lane for it? */
static bool takes_all(const struct way *way, uint32_t lane)
{
    const struct way_conf *conf = way->conf;
    bool                   is_shared = lane == LANE_STAFF; /* chats and mail */
    bool is_half = (conf->no_receipts || conf->only_receipts) && lane >= LANE_WEBHOOK;
    return conf->topics_count + conf->domains_count + conf->countries_count == 0 && !is_shared &&
           !is_half;
}

static bool is_open(const struct way *way, int64_t now_ms)
{
    return !way->is_down && way->paused_until_ms <= now_ms && counts_has_one(way, now_ms);
}

/* The lanes that this way's places are for: those that no way before it takes whole. What no way
 * is for at all goes to the first, where it is held back with a reason. */
static void lanes_find(struct sender *sender, int64_t now_ms, uint32_t *lanes)
{
    for (uint32_t lane = 0; lane < LANES; lane++) {
        bool is_any = false, is_covered = false;
        for (uint32_t i = 0; i < sender->ways_count; i++) {
            const struct way *way = sender->ways[i];
            bool              fits = is_for_lane(way, lane);
            is_any = is_any || fits;
            if (!fits || is_covered || !is_open(way, now_ms))
                continue;
            lanes[i] |= 1u << lane;
            is_covered = takes_all(way, lane);
        }
        if (!is_any)
            lanes[0] |= 1u << lane;
    }
}

/* ---- the core's doors ---- */

static uint32_t door_of(const struct way *way, enum door door)
{
    return DOORS * way->number + door;
}

struct way *ways_of_door(struct sender *sender, uint32_t door)
{
    return &sender->slots[door / DOORS];
}

static uint32_t reserve_of(const struct way *way)
{
    if ((way->lanes & LANES_URGENT) == 0 || way->places < 2)
        return 0;
    return way->places / RESERVE_PARTS > 0 ? way->places / RESERVE_PARTS : 1;
}

/* ---- how far ahead ---- */

static void pace_note(struct pace *pace, int64_t now_ms)
{
    int64_t since_ms = now_ms - pace->from_ms;
    if (since_ms < 0 || since_ms >= 2 * PACE_MS)
        *pace = (struct pace){ .from_ms = now_ms };
    else if (since_ms >= PACE_MS)
        *pace = (struct pace){ .from_ms = now_ms, .before = pace->count };
    pace->count++;
}

static uint32_t ahead_of(const struct way *way, int64_t now_ms)
{
    bool is_late = now_ms < way->pace.from_ms || now_ms - way->pace.from_ms >= 2 * PACE_MS;
    return is_late ? 0 : least(way->pace.before, WAY_AHEAD_MAX);
}

/* Places that only receipts may have now. */
static uint32_t kept_of(const struct way *way)
{
    uint32_t reserve = reserve_of(way);
    return reserve > way->receipts ? reserve - way->receipts : 0;
}

static uint32_t less(uint32_t a, uint32_t b)
{
    return a > b ? a - b : 0;
}

static void door_tell(struct way *way, enum door door, uint32_t more)
{
    if (more == 0)
        return;
    way->promised[door] += more;
    core_door_room(way->sender->core, door_of(way, door), more);
}

/* How many more may be claimed for it. */
static uint32_t room_any(const struct way *way, int64_t now_ms)
{
    uint32_t ahead = ahead_of(way, now_ms), promised = way->promised[DOOR_ANY];
    uint32_t most = way->places - reserve_of(way) + ahead;
    uint32_t lined = way->unplaced > way->stats.waiting ? way->unplaced : way->stats.waiting;
    uint32_t more = least(less(most, promised + way->sending[DOOR_ANY]),
                          less(less(way->free, kept_of(way)) + ahead, promised + lined));
    /* Claims one by one are commits one by one. */
    return promised + way->unplaced > 0 && more < ahead / AHEAD_PARTS ? 0 : more;
}

static uint32_t room_receipts(const struct way *way)
{
    uint32_t busy = way->promised[DOOR_RECEIPTS] + way->sending[DOOR_RECEIPTS];
    return least(less(reserve_of(way), busy), way->free);
}

static void way_tell(struct way *way, int64_t now_ms)
{
    const struct sender *sender = way->sender;
    /* A copy of a folder claims nothing: it may have been sent by the other one. */
    bool is_waiting = sender->leads_outside && trial_state(sender->conf.trial) == TRIAL_COPY;
    if (!sender->ready || sender->stopping || is_waiting || way->lanes == 0)
        return;
    door_tell(way, DOOR_RECEIPTS, room_receipts(way));
    door_tell(way, DOOR_ANY, room_any(way, now_ms));
}

static void way_take_back(struct way *way)
{
    for (enum door door = 0; door < DOORS; door++) {
        uint32_t back = core_door_take_back(way->sender->core, door_of(way, door));
        way->promised[door] -= back;
    }
}

void ways_withdraw(struct sender *sender)
{
    for (uint32_t i = 0; i < sender->ways_count; i++)
        way_take_back(sender->ways[i]);
}

static void way_lanes_set(struct way *way, uint32_t lanes)
{
    struct core *core = way->sender->core;
    if (lanes == way->lanes)
        return;
    way->lanes = lanes;
    core_door_lanes(core, door_of(way, DOOR_ANY), lanes);
    core_door_lanes(core, door_of(way, DOOR_RECEIPTS), lanes & LANES_URGENT);
    if (lanes == 0)
        way_take_back(way);
}

/* ---- choosing ---- */

static struct way *way_choose(struct sender *sender, const struct job *job, int64_t now_ms)
{
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        struct way *way = sender->ways[i];
        if ((job->tried >> way->number & 1) == 0 && is_for(way, job) && is_open(way, now_ms))
            return way;
    }
    return NULL;
}

struct way *sender_way_now(struct sender *sender, const struct job *job)
{
    pthread_mutex_lock(&sender->lock);
    struct way *way = way_choose(sender, job, time_now_ms());
    pthread_mutex_unlock(&sender->lock);
    return way;
}

static bool is_for_none(const struct sender *sender, const struct job *job)
{
    for (uint32_t i = 0; i < sender->ways_count; i++)
        if (is_for(sender->ways[i], job))
            return false;
    return true;
}

/* When time alone opens it: after a pause that was asked for, or with the next day. */
static int64_t way_opens_ms(const struct way *way, int64_t now_ms)
{
    int64_t counted_ms = counts_opens_ms(way, now_ms);
    return counted_ms > way->paused_until_ms ? counted_ms : way->paused_until_ms;
}

int64_t closed_pause_ms(int64_t down_for_ms)
{
    int64_t half_ms = down_for_ms / 2;
    return half_ms < CLOSED_PAUSE_MS       ? CLOSED_PAUSE_MS
           : half_ms > CLOSED_PAUSE_MS_MAX ? CLOSED_PAUSE_MS_MAX
                                           : half_ms;
}

/* When the first of the ways that are for the job opens, as far as one says; of ways that are down
 * nobody knows: the longer they are, the less often they are asked about. */
static int64_t opens_ms(const struct sender *sender, const struct job *job, int64_t now_ms)
{
    int64_t soonest_ms = TIME_NEVER, down_for_ms = INT64_MAX;
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        const struct way *way = sender->ways[i];
        if (!is_for(way, job))
            continue;
        if (way->is_down && now_ms - way->down_ms < down_for_ms)
            down_for_ms = now_ms - way->down_ms;
        if (!way->is_down && way_opens_ms(way, now_ms) < soonest_ms)
            soonest_ms = way_opens_ms(way, now_ms);
    }
    if (down_for_ms == INT64_MAX)
        down_for_ms = 0;
    return soonest_ms > now_ms && soonest_ms < TIME_NEVER ? soonest_ms
                                                          : now_ms + closed_pause_ms(down_for_ms);
}

/* ---- places ---- */

static bool place_take(struct way *way, struct job *job)
{
    bool is_urgent = job->claim.transactional;
    if (way->free <= (is_urgent ? 0 : kept_of(way)))
        return false;
    way->free--;
    way->receipts += is_urgent;
    if (job->home != NULL && !job->is_reserve)
        job->home->unplaced -= !job->is_placed;
    job->is_placed = true;
    return true;
}

/* It was not given. */
static void place_leave(struct way *way, const struct job *job)
{
    way->free++;
    way->receipts -= job->claim.transactional;
}

/* With its place: one of the day's number. Where that cannot be kept the way is left for a while.
 */
static bool day_take(struct way *way, const struct job *job, int64_t now_ms)
{
    if (counts_take(way, now_ms))
        return true;
    place_leave(way, job);
    way->paused_until_ms = now_ms + TIME_MINUTE_MS;
    snprintf(way->stats.error, sizeof way->stats.error, "today's number cannot be kept on disk");
    way->stats.error_ms = now_ms;
    ways_look(way->sender);
    return false;
}

bool sender_begin(struct sender *sender, struct job *job)
{
    if (job->is_recalled)
        return false;
    if (!job->is_begun && job->trying == NULL)
        job->begun_at = begun_add(core_begun(sender->core), job->claim.message);
    job->is_begun = job->trying == NULL;
    return true;
}

/* It has a place and is to be given, or has none. */
static bool job_place(struct way *way, struct job *job, int64_t now_ms)
{
    struct sender *sender = way->sender;
    if (sender->stopping || sender->recalling || !place_take(way, job) ||
        !day_take(way, job, now_ms))
        return false;
    bool may_begin = sender_begin(sender, job);
    assert(may_begin); /* what is recalled is in no line */
    (void)may_begin;
    job->in_flight = true;
    sender->giving++;
    sender->stats.queued--;
    sender->stats.in_flight++;
    way->stats.in_flight++;
    return true;
}

/* Those of the line that have a place now, receipts first. */
static struct job *line_place(struct way *way, int64_t now_ms)
{
    struct job_line placed = { NULL, &placed.first };
    for (int urgent = 1; urgent >= 0; urgent--)
        while (way->line[urgent].first != NULL && is_open(way, now_ms) &&
               job_place(way, way->line[urgent].first, now_ms)) {
            line_add(&placed, line_take(&way->line[urgent]));
            way->stats.waiting--;
        }
    return placed.first;
}

static struct job *line_empty(struct way *way)
{
    struct job_line all = { NULL, &all.first };
    for (int urgent = 1; urgent >= 0; urgent--)
        while (way->line[urgent].first != NULL) {
            line_add(&all, line_take(&way->line[urgent]));
            way->stats.waiting--;
        }
    return all.first;
}

/* All of the line of a way that is closed now: the next way is chosen for them. */
static struct job *line_leave(struct way *way, int64_t now_ms)
{
    return is_open(way, now_ms) ? NULL : line_empty(way);
}

/* ---- giving ---- */

/* A webhook's is its URL's host; a mailbox's domain is found by the channel. */
static struct str destination_of(const struct job *job)
{
    bool is_webhook = job->claim.channel == CHANNEL_WEBHOOK;
    return !job_is_letter(job) ? STR_NONE : is_webhook ? job->rendered.url : job->claim.address;
}

/* The channel has it, or had it already, or takes no more. */
static void given(struct sender *sender)
{
    pthread_mutex_lock(&sender->lock);
    if (--sender->giving == 0 && (sender->recalling || sender->stopping))
        pthread_cond_broadcast(&sender->all_given);
    pthread_mutex_unlock(&sender->lock);
}

static void job_give(struct sender *sender, struct job *job)
{
    const struct compose_out *mail = &job->rendered.mail;
    job->mail = (struct delivery_message){
        .id = job->claim.message,
        .message_id = mail->message_id,
        .from = mail->envelope_from,
        .to = mail->envelope_to,
        .destination = way_destination(channel_of_job(job), destination_of(job)),
        .data = buf_view(&mail->message),
        .tag = job,
        .is_urgent = job->claim.transactional,
    };
    if (channel_give(job->way->channel, &job->mail) != OK) {
        snprintf(job->text, sizeof job->text, "the channel is stopping");
        sender_finish(sender, job, OUTCOME_RETURNED, 0);
    } /* else it may be done from here on, and another's, already */
    given(sender);
}

static void no_way_text(struct job *job)
{
    struct str channel = channel_name(job->claim.channel);
    if (!job_is_letter(job))
        snprintf(job->text, sizeof job->text, "no way out is for %.*s of topic \"%.*s\" from %.*s",
                 STR_ARG(channel), STR_ARG(job->rendered.topic),
                 STR_ARG(address_domain(job->rendered.from)));
    else
        snprintf(job->text, sizeof job->text, "no way out is for %.*s of topic \"%.*s\" to %.*s",
                 STR_ARG(channel), STR_ARG(job->rendered.topic), STR_ARG(job->claim.address));
}

/* No way is open that is for it and has not been tried. */
static void job_without_way(struct sender *sender, struct job *job, int64_t now_ms)
{
    if (job->tried != 0) {
        sender_settle(sender, job, &job->said);
        return;
    }
    pthread_mutex_lock(&sender->lock);
    bool is_ending = sender->stopping; /* of these ways: it says nothing of the next ones */
    bool is_held = !is_ending && (is_for_none(sender, job) || doubt_is_over(sender, job, now_ms));
    int64_t at_ms = is_ending ? 0 : opens_ms(sender, job, now_ms);
    pthread_mutex_unlock(&sender->lock);
    if (is_held && job->is_doubt)
        snprintf(job->text, sizeof job->text, "its provider does not remember its key any more");
    else if (is_held)
        no_way_text(job);
    else
        snprintf(job->text, sizeof job->text, "no way out is open");
    sender_finish(sender, job, is_held ? OUTCOME_HELD : OUTCOME_RETURNED, is_held ? 0 : at_ms);
}

static void jobs_give(struct sender *sender, struct job *jobs)
{
    while (jobs != NULL) {
        struct job *job = jobs;
        jobs = job->next;
        job_give(sender, job);
    }
}

void sender_route(struct sender *sender, struct job *job)
{
    int64_t now_ms = time_now_ms();
    pthread_mutex_lock(&sender->lock);
    struct way *way = sender->stopping || doubt_is_over(sender, job, now_ms)
                          ? NULL
                          : way_choose(sender, job, now_ms);
    bool        is_placed = false, is_recalled = job->is_recalled;
    if (is_recalled)
        way = NULL;
    if (way != NULL) {
        job->way = way;
        is_placed = job_place(way, job, now_ms);
    }
    if (way != NULL && !is_placed) {
        line_add(&way->line[job->claim.transactional], job);
        way->stats.waiting++;
    }
    pthread_mutex_unlock(&sender->lock);
    if (is_recalled)
        sender_come_back(sender, job);
    else if (is_placed)
        job_give(sender, job);
    else if (way == NULL)
        job_without_way(sender, job, now_ms);
}

/* ---- looking again ---- */

static void jobs_route(struct sender *sender, struct job *jobs)
{
    while (jobs != NULL) {
        struct job *job = jobs;
        jobs = job->next;
        sender_route(sender, job);
    }
}

/* With the lock, which is given up meanwhile. */
void sender_look(struct sender *sender)
{
    int64_t now_ms = time_now_ms();
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        struct job *placed = line_place(sender->ways[i], now_ms);
        struct job *wanderers = line_leave(sender->ways[i], now_ms);
        if (placed == NULL && wanderers == NULL)
            continue;
        pthread_mutex_unlock(&sender->lock);
        jobs_give(sender, placed);
        jobs_route(sender, wanderers);
        pthread_mutex_lock(&sender->lock);
    }
    ways_look(sender);
}

void sender_lines_return(struct sender *sender)
{
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        pthread_mutex_lock(&sender->lock);
        struct job *jobs = line_empty(sender->ways[i]);
        pthread_mutex_unlock(&sender->lock);
        jobs_route(sender, jobs); /* stopping: each is settled */
    }
}

static void opening_find(struct sender *sender, int64_t now_ms)
{
    sender->look_again_ms = TIME_NEVER;
    for (uint32_t i = 0; i < sender->ways_count; i++) {
        int64_t at_ms = way_opens_ms(sender->ways[i], now_ms);
        if (at_ms > now_ms && at_ms < sender->look_again_ms)
            sender->look_again_ms = at_ms;
    }
}

/* A bit a way: what their lanes depend on, beside what is written of them. */
static uint32_t open_ways(const struct sender *sender, int64_t now_ms)
{
    uint32_t open = 0;
    for (uint32_t i = 0; i < sender->ways_count; i++)
        open |= (uint32_t)is_open(sender->ways[i], now_ms) << i;
    return open;
}

static void lanes_look(struct sender *sender, int64_t now_ms)
{
    uint32_t lanes[WAYS_MAX] = { 0 }, open = open_ways(sender, now_ms);
    if (sender->has_lanes && open == sender->lanes_open)
        return;
    lanes_find(sender, now_ms, lanes);
    for (uint32_t i = 0; i < sender->ways_count; i++)
        way_lanes_set(sender->ways[i], lanes[i]);
    sender->lanes_open = open;
    sender->has_lanes = true;
}

void ways_look(struct sender *sender)
{
    int64_t now_ms = time_now_ms(), before_ms = sender->look_again_ms;
    lanes_look(sender, now_ms);
    for (uint32_t i = 0; i < sender->ways_count; i++)
        way_tell(sender->ways[i], now_ms);
    opening_find(sender, now_ms);
    if (sender->look_again_ms < before_ms)
        pthread_cond_signal(&sender->moved); /* who waits for the old instant waits too long */
}

/* ---- what channels say ---- */

/* Trouble that another way need not have, with a message that was certainly not sent. */
static bool may_pass_on(const struct delivery_outcome *outcome)
{
    return (outcome->result == DELIVERY_DEFERRED && outcome->blame != BLAME_RECIPIENT) ||
           (outcome->result == DELIVERY_FAILED && outcome->blame == BLAME_POLICY);
}

/* The way that it goes on by, or NULL; with the lock. */
static struct way *pass_on(struct way *way, struct job *job, const struct delivery_outcome *outcome,
                           int64_t now_ms)
{
    if (way->sender->stopping || job->is_doubt || !may_pass_on(outcome))
        return NULL;
    /* A try that counts says more than one to be repeated: it comes to an end. */
    bool is_better =
        job->tried == 0 ||
        (outcome->result == DELIVERY_DEFERRED &&
         (job->said.result == DELIVERY_FAILED || (job->said.wait_ms > 0 && outcome->wait_ms == 0)));
    if (is_better)
        job->said = *outcome;
    job->tried |= 1u << way->number;
    return way_choose(way->sender, job, now_ms);
}

/* Its places and marks of the way that it leaves; with the lock. */
static void job_leave(struct way *way, struct job *job)
{
    struct sender *sender = way->sender;
    way->stats.passed_on++;
    job->in_flight = false;
    if (job->is_begun)
        begun_remove(core_begun(sender->core), job->begun_at);
    job->is_begun = false;   /* it was certainly not sent */
    job->is_renewed = false; /* another way has another token */
    sender->stats.in_flight--;
    sender->stats.queued++;
}

/* To the renderers: who hears all ways is not to lay out letters. False: it need not be. With the
 * lock; while it is not stopping they are there. */
static bool printed_anew(struct way *next, struct job *job)
{
    struct sender *sender = next->sender;
    if (job->trying != NULL || !sender_letter_is_to_print(next, job))
        return false;
    line_add(&sender->rendering[job->claim.transactional], job);
    pthread_cond_signal(&sender->work);
    return true;
}

static void way_is_down(struct way *way, int64_t now_ms)
{
    if (!way->is_down)
        way->down_ms = now_ms;
    way->is_down = true;
}

static void way_note(struct way *way, const struct delivery_outcome *outcome, int64_t now_ms)
{
    if (outcome->result == DELIVERY_SENT)
        way->stats.sent++;
    else if (outcome->result != DELIVERY_UNKNOWN)
        counts_give_back(way, now_ms);
    if (outcome->result == DELIVERY_DEFERRED && outcome->wait_ms > 0)
        way->paused_until_ms = now_ms + outcome->wait_ms;
    else if (outcome->result == DELIVERY_DEFERRED && outcome->blame == BLAME_CONNECTION)
        way_is_down(way, now_ms);
    if (outcome->result == DELIVERY_SENT || outcome->result == DELIVERY_RETURNED)
        return;
    snprintf(way->stats.error, sizeof way->stats.error, "%s", outcome->text);
    way->stats.error_ms = now_ms;
}

static void way_done(void *ctx, struct delivery_message *message,
                     const struct delivery_outcome *outcome)
{
    struct way    *way = ctx;
    struct sender *sender = way->sender;
    struct job    *job = message->tag;
    int64_t        now_ms = time_now_ms();
    bool           is_settled = doubt_done(way, job, outcome); /* may wait for the disk */
    pthread_mutex_lock(&sender->lock);
    way->stats.in_flight--;
    way->receipts -= job->claim.transactional;
    pace_note(&way->pace, now_ms);
    way_note(way, outcome, now_ms);
    struct way *next = is_settled ? NULL : pass_on(way, job, outcome, now_ms);
    if (next != NULL)
        job_leave(way, job);
    bool is_printed_anew = next != NULL && printed_anew(next, job);
    if (outcome->result != DELIVERY_SENT) /* else its place is offered next, and looked at then */
        ways_look(sender);
    struct job *wanderers = line_leave(way, now_ms);
    pthread_mutex_unlock(&sender->lock);
    jobs_route(sender, wanderers);
    if (is_printed_anew)
        return;
    if (is_settled)
        sender_finish(sender, job, job->outcome.kind, job->outcome.retry_at_ms);
    else if (next != NULL)
        sender_route(sender, job);
    else
        sender_settle(sender, job, job->tried != 0 && may_pass_on(outcome) ? &job->said : outcome);
}

static void way_room(void *ctx, uint32_t places)
{
    struct way    *way = ctx;
    struct sender *sender = way->sender;
    int64_t        now_ms = time_now_ms();
    pthread_mutex_lock(&sender->lock);
    way->free += places;
    way->is_down = false;
    struct job *placed = line_place(way, now_ms);
    ways_look(sender);
    pthread_mutex_unlock(&sender->lock);
    jobs_give(sender, placed);
}

struct channel_calls way_calls(struct way *way)
{
    return (struct channel_calls){ .room = way_room, .done = way_done, .ctx = way };
}

void ways_free(struct job *job)
{
    struct way *home = job->home;
    home->sending[job->is_reserve ? DOOR_RECEIPTS : DOOR_ANY]--;
    home->unplaced -= !job->is_placed && !job->is_reserve;
}

bool sender_has_several(const struct sender *sender, const struct way *way)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sender->ways_count; i++)
        count += way_channel(sender->ways[i]->conf) == way_channel(way->conf);
    return count > 1;
}

/* ---- for people ---- */

uint32_t sender_ways(struct sender *sender, struct way_stats *out)
{
    int64_t now_ms = time_now_ms();
    pthread_rwlock_rdlock(&sender->ways_lock);
    uint32_t count = sender->ways_count;
    for (uint32_t i = 0; i < count; i++) {
        struct way *way = sender->ways[i];
        pthread_mutex_lock(&sender->lock);
        out[i] = way->stats;
        snprintf(out[i].name, sizeof out[i].name, "%s", way->conf->name);
        out[i].is_open = is_open(way, now_ms);
        out[i].opens_ms = way_opens_ms(way, now_ms) > now_ms ? way_opens_ms(way, now_ms) : 0;
        out[i].today = counts_today(way, now_ms);
        out[i].today_most = way_plan_limit(&way->conf->plan, now_ms / TIME_DAY_MS);
        out[i].month = counts_month(way, now_ms);
        out[i].month_most = way->conf->plan.per_month;
        out[i].for_channel = way_channel(way->conf);
        struct channel *channel = sender->ready ? way->channel : NULL;
        pthread_mutex_unlock(&sender->lock);
        if (channel != NULL)
            channel_stats_read(channel, &out[i].channel);
        if (out[i].opens_ms == 0 && out[i].channel.down_ms > 0)
            out[i].opens_ms = now_ms + out[i].channel.down_ms;
    }
    pthread_rwlock_unlock(&sender->ways_lock);
    return count;
}
