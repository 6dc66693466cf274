#include "run/send/alerting.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/hash.h"
#include "base/time.h"
#include "message/address.h"
#include "message/compose.h"
#include "run/log.h"
#include "run/send/workspace.h"

enum { ARENA_BYTES = 64 << 20, TRIES = 4 };

/* Between one try and the next. */
static const int64_t PAUSES_MS[TRIES] = { 0, TIME_MINUTE_MS, 5 * TIME_MINUTE_MS,
                                          30 * TIME_MINUTE_MS };

/* One message to one of them. */
struct alert {
    struct problem problem;
    uint32_t       to, tried;
    int64_t        due_ms, at_ms;
};

struct alerting {
    struct alerting_conf conf;
    char                 to[ALERTS_TO_MAX][ALERT_TO_BYTES_MAX];
    uint32_t             to_count;
    struct store_reader *reader;
    pthread_t            thread;
    bool                 is_running;

    pthread_mutex_t lock;
    pthread_cond_t  moved;
    bool            closing;
    struct alert    waiting[ALERTS_MAX];
    uint32_t        count;
};

static bool is_slack(const char *to)
{
    return str_eq(str_of(to), STR("slack"));
}

/* ---- who writes ---- */

struct newest {
    struct arena *arena;
    struct str    text;
};

static enum err newest_each(void *ctx, const struct store_definition *row)
{
    struct newest *newest = ctx;
    if (row->kind != STORE_DEFINITION_WORKSPACE)
        return OK;
    newest->text = str_copy(newest->arena, row->text);
    return newest->text.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err workspace_find(struct alerting *alerting, struct arena *arena,
                               struct workspace *out)
{
    struct newest newest = { .arena = arena };
    *out = (struct workspace){ .name = STR_NONE };
    TRY(store_definitions_read(alerting->reader, 0, newest_each, &newest));
    return newest.text.len == 0 ? ERR_ABSENT : workspace_parse(arena, newest.text, out, NULL);
}

/* ---- one message ---- */

struct keys {
    struct dkim_key *keys[SECRETS_DKIM_KEYS];
};

static void keys_done(struct keys *keys)
{
    for (int i = 0; i < SECRETS_DKIM_KEYS; i++)
        dkim_key_close(keys->keys[i]);
}

static struct str words_of(const struct alert *alert, struct str house, struct arena *arena)
{
    char at[TIME_TEXT_BYTES];
    return str_format(arena, "%s\n\n%s\n\n%.*s, %s\n", alert->problem.what, alert->problem.remedy,
                      STR_ARG(house), time_write(alert->at_ms, at));
}

static enum err mail_make(struct alerting *alerting, const struct alert *alert,
                          const struct workspace *workspace, struct arena *arena,
                          struct rendered *out)
{
    const struct alerting_conf   *conf = &alerting->conf;
    SCOPED(keys_done) struct keys opened = { .keys = { NULL } };
    struct str                    domain = address_domain(workspace->sender_email);
    struct compose_keys           keys = { .token = conf->tokens };
    struct problem                problem = { .where = "" };
    if (domain.len == 0)
        return ERR_ABSENT;
    TRY(secrets_dkim_open(conf->secrets, domain, opened.keys, &problem));
    keys.dkim = (const struct dkim_key *const *)opened.keys;
    keys.dkim_count = secrets_dkim_count(conf->secrets);
    struct compose_in in = {
        .from = { STR("Dult"), workspace->sender_email },
        .to = { STR_NONE, str_of(alerting->to[alert->to]) },
        .subject = str_format(arena, "[Dult] %.120s", alert->problem.what),
        .message_id = str_format(arena, "alert.%lld.%llx@%.*s", (long long)alert->at_ms,
                                 (unsigned long long)hash_random_seed(), STR_ARG(domain)),
        .text = words_of(alert, workspace->name, arena),
        .date_ms = time_now_ms(),
    };
    out->from = workspace->sender_email;
    return compose(&keys, &in, arena, &out->mail, &problem);
}

static enum err message_make(struct alerting *alerting, const struct alert *alert,
                             struct arena *arena, struct rendered *out)
{
    static const struct json nobody = { .kind = JSON_OBJECT };
    struct workspace         workspace;
    TRY(workspace_find(alerting, arena, &workspace));
    if (!is_slack(alerting->to[alert->to]))
        return mail_make(alerting, alert, &workspace, arena, out);
    out->person = &nobody;
    out->template = STR("alert");
    out->text = words_of(alert, workspace.name, arena);
    return out->text.ptr == NULL ? ERR_MEMORY : OK;
}

/* Why it did not go, in `said`; empty: it did, or may have. */
static void try_once(struct alerting *alerting, const struct alert *alert, char *said, size_t room)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    struct rendered                    rendered = { .subject = STR_NONE };
    const char                        *to = alerting->to[alert->to];
    struct delivery_outcome            outcome;
    rendered.mail.message = buf_make(COMPOSE_BYTES_MAX);
    enum err err = arena == NULL ? ERR_MEMORY : message_make(alerting, alert, arena, &rendered);
    if (err == OK) {
        struct sender_try tried = { &rendered,
                                    { .channel = is_slack(to) ? CHANNEL_STAFF : CHANNEL_EMAIL,
                                      .transactional = true,
                                      .attempt = 1,
                                      .address = str_of(to) } };
        err = sender_try(alerting->conf.sender, &tried, &outcome);
    }
    buf_done(&rendered.mail.message);
    said[0] = '\0';
    if (err == ERR_ABSENT)
        snprintf(said, room, "workspace.json does not say who sends");
    else if (err != OK)
        snprintf(said, room, "it could not be made now (%s)", err_name(err));
    else if (outcome.result != DELIVERY_SENT && outcome.result != DELIVERY_UNKNOWN)
        snprintf(said, room, "%s", outcome.text[0] == '\0' ? "no reason was given" : outcome.text);
}

static void give_up(const struct alerting *alerting, const struct alert *alert, const char *said)
{
    struct problem problem = { .where = "" };
    (void)problem_format(
        &problem, ERR_IO, "alert_to", "Look at the ways out: dult doctor says how they are.",
        "%s was not told (%.100s): %.200s", alerting->to[alert->to], alert->problem.what, said);
    log_problem(LOG_ERROR, &problem);
}

/* ---- the thread ---- */

/* The one that is due first; ALERTS_MAX: there is none. With the lock. */
static uint32_t first_of(const struct alerting *alerting)
{
    uint32_t first = ALERTS_MAX;
    for (uint32_t i = 0; i < alerting->count; i++)
        if (first == ALERTS_MAX || alerting->waiting[i].due_ms < alerting->waiting[first].due_ms)
            first = i;
    return first;
}

static void add(struct alerting *alerting, const struct alert *alert)
{
    if (alerting->count < ALERTS_MAX)
        alerting->waiting[alerting->count++] = *alert;
}

static void again(struct alerting *alerting, struct alert *alert, const char *said)
{
    if (++alert->tried == TRIES) {
        give_up(alerting, alert, said);
        return;
    }
    int64_t told_ms = alerting->conf.retry_ms;
    alert->due_ms = time_now_ms() + (told_ms > 0 ? told_ms : PAUSES_MS[alert->tried]);
    pthread_mutex_lock(&alerting->lock);
    add(alerting, alert);
    pthread_mutex_unlock(&alerting->lock);
}

/* Waits until one is due and takes it; false: it is closing. */
static bool next(struct alerting *alerting, struct alert *out)
{
    bool found = false;
    pthread_mutex_lock(&alerting->lock);
    while (!alerting->closing && !found) {
        uint32_t first = first_of(alerting);
        int64_t  wait_ms =
            first == ALERTS_MAX ? TIME_HOUR_MS : alerting->waiting[first].due_ms - time_now_ms();
        if (wait_ms <= 0) {
            *out = alerting->waiting[first];
            alerting->waiting[first] = alerting->waiting[--alerting->count];
            found = true;
            break;
        }
        int64_t         until_ms = time_mono_us() / 1000 + wait_ms;
        struct timespec until = { .tv_sec = until_ms / 1000, .tv_nsec = until_ms % 1000 * 1000000 };
        (void)pthread_cond_clockwait(&alerting->moved, &alerting->lock, CLOCK_MONOTONIC, &until);
    }
    pthread_mutex_unlock(&alerting->lock);
    return found;
}

static void *run(void *context)
{
    struct alerting *alerting = context;
    struct alert     alert;
    char             said[DELIVERY_TEXT_BYTES_MAX];
    while (next(alerting, &alert)) {
        try_once(alerting, &alert, said, sizeof said);
        if (said[0] != '\0')
            again(alerting, &alert, said);
    }
    return NULL;
}

void alerting_tell(void *context, const struct problem *problem)
{
    struct alerting *alerting = context;
    int64_t          now_ms = time_now_ms();
    pthread_mutex_lock(&alerting->lock);
    for (uint32_t i = 0; i < alerting->to_count; i++)
        add(alerting, &(struct alert){ *problem, .to = i, .due_ms = now_ms, .at_ms = now_ms });
    pthread_cond_signal(&alerting->moved);
    pthread_mutex_unlock(&alerting->lock);
}

/* ---- its life ---- */

static enum err to_read(struct alerting *alerting, struct problem *problem)
{
    struct str rest = str_of(alerting->conf.to), piece;
    while (str_split(&rest, ',', &piece)) {
        piece = str_trim(piece);
        if (piece.len == 0)
            continue;
        if (alerting->to_count == ALERTS_TO_MAX)
            return problem_set(problem, ERR_INPUT, "alert_to", "These are more than 8.",
                               "Name a list of yours that all of them are on.");
        if (!str_eq(piece, STR("slack")))
            TRY(address_check(piece, "alert_to", problem));
        str_to_cstr(piece, alerting->to[alerting->to_count++], ALERT_TO_BYTES_MAX);
    }
    return OK;
}

static enum err parts_open(struct alerting *alerting, struct problem *problem)
{
    TRY(to_read(alerting, problem));
    TRY(store_reader_open(alerting->conf.store, "alerts", &alerting->reader));
    alerting->is_running = pthread_create(&alerting->thread, NULL, run, alerting) == 0;
    return alerting->is_running ? OK : ERR_MEMORY;
}

enum err alerting_open(struct alerting **out, const struct alerting_conf *conf,
                       struct problem *problem)
{
    struct alerting *alerting = calloc(1, sizeof *alerting);
    if (alerting == NULL)
        return ERR_MEMORY;
    alerting->conf = *conf;
    pthread_mutex_init(&alerting->lock, NULL);
    pthread_cond_init(&alerting->moved, NULL);
    enum err err = parts_open(alerting, problem);
    if (err != OK) {
        alerting_close(alerting);
        return err;
    }
    *out = alerting;
    return OK;
}

void alerting_close(struct alerting *alerting)
{
    if (alerting == NULL)
        return;
    pthread_mutex_lock(&alerting->lock);
    alerting->closing = true;
    pthread_cond_broadcast(&alerting->moved);
    pthread_mutex_unlock(&alerting->lock);
    if (alerting->is_running)
        pthread_join(alerting->thread, NULL);
    store_reader_close(alerting->reader);
    pthread_cond_destroy(&alerting->moved);
    pthread_mutex_destroy(&alerting->lock);
    free(alerting);
}
