#include "run/send/teller.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/json.h"
#include "base/time.h"
#include "delivery/fetch.h"
#include "engine/own.h"

enum {
    LOOK_MS = 500,
    WAIT_FIRST_MS = 1000,
    WAIT_MAX_MS = 600 * 1000,
    TIMEOUT_MS = 15 * 1000,
    SECRET_BYTES_MIN = 16,
    SIGNATURE_BYTES = 100,
    ARENA_BYTES_MAX = 64 << 20,
    BODY_BYTES_MAX = 8 << 20,
    ROWS_MAX = 5000, /* looked at for one request */
};

#define META_KEY STR("status.told") /* "record:decision": both told, and all before them */

struct cursor {
    uint64_t seq, decision;
};

struct teller {
    struct teller_conf   conf;
    struct store_reader *reader;
    struct json_parser  *parser;
    struct loop         *loop;
    struct fetch        *fetch;
    pthread_t            thread;
    bool                 is_running;
    struct cursor        cursor;

    pthread_mutex_t lock;
    pthread_cond_t  moved;
    bool            closing, is_answered, is_taken;
};

/* One request in the making. */
struct telling {
    struct teller *teller;
    struct arena  *arena;
    struct buf     body;
    struct cursor  upto; /* what it tells, and all before */
    uint32_t       count, rows;
};

/* ---- what is told ---- */

const char *message_event_word(uint32_t name)
{
    switch (name) {
    case OWN_MESSAGE_BOUNCED:
        return "bounced";
    case OWN_MESSAGE_OPENED:
        return "opened";
    case OWN_MESSAGE_CLICKED:
        return "clicked";
    case OWN_MESSAGE_UNSUBSCRIBED:
        return "unsubscribed";
    case OWN_MESSAGE_COMPLAINED:
        return "complained";
    case OWN_MESSAGE_REPLIED:
        return "replied";
    case OWN_MESSAGE_DELIVERED:
        return "delivered";
    default:
        return NULL;
    }
}

static const char *decision_word(uint32_t kind)
{
    switch (kind) {
    case STORE_DECISION_MESSAGE_SENT:
        return "sent";
    case STORE_DECISION_MESSAGE_FAILED:
        return "failed";
    case STORE_DECISION_MESSAGE_UNKNOWN:
        return "unknown";
    case STORE_DECISION_MESSAGE_DROPPED:
        return "held";
    case STORE_DECISION_MESSAGE_WAITING:
        return "waiting";
    default:
        return NULL;
    }
}

struct told {
    const char        *type;
    uint64_t           message;
    int64_t            at_ms;
    char               id[32];
    const struct json *more; /* the decision's detail, the event's properties */
};

static void text_put(struct buf *out, const char *key, struct str text)
{
    bool first = false;
    if (text.len == 0)
        return;
    json_write_key(out, &first, key);
    json_write_str(out, text);
}

static void more_put(struct buf *out, const struct json *more)
{
    static const char *const keys[] = { "reason", "url",    "class", "recipient",
                                        "said",   "status", "trial" };
    bool                     first = false;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct json *value = json_get(more, str_of(keys[i]));
        if (value == NULL)
            continue;
        json_write_key(out, &first, keys[i]);
        json_write(out, value);
    }
    text_put(out, "reason", json_get_str(more, STR("text"))); /* of one that waits */
}

static void told_write(struct telling *telling, const struct told *told,
                       const struct store_decision *intent, const struct json *detail,
                       struct str key)
{
    struct buf *out = &telling->body;
    char        at[TIME_TEXT_BYTES];
    buf_format(out, "%s{\"id\":\"%s\",\"type\":\"%s\",\"message\":%" PRIu64 ",\"at\":\"",
               telling->count++ == 0 ? "" : ",", told->id, told->type, told->message);
    buf_str(out, str_of(time_write(told->at_ms, at)));
    buf_format(out, "\",\"profile\":\"p%" PRIu64 "\"", intent->profile);
    text_put(out, "template", json_get_str(detail, STR("template")));
    text_put(out, "key", key);
    more_put(out, told->more);
    buf_char(out, '}');
}

/* Only of a message that a program asked for. */
static enum err told_add(struct telling *telling, const struct told *told)
{
    struct teller        *teller = telling->teller;
    struct store_decision intent;
    struct store_event    request = { .seq = 0 };
    struct json           detail;
    int64_t               asked = 0, seq = 0;
    if (told->at_ms < time_now_ms() - TELLER_AGE_MS)
        return OK;
    enum err err = store_decision_get(teller->reader, telling->arena, told->message, &intent);
    if (err == ERR_ABSENT)
        return OK; /* erased since */
    TRY(err);
    TRY(json_parse(teller->parser, telling->arena, intent.detail, &detail, NULL));
    if (!json_get_int(&detail, STR("asked"), &asked) || asked != 1 ||
        !json_get_int(&detail, STR("event"), &seq))
        return OK;
    err = store_event_get(teller->reader, telling->arena, (uint64_t)seq, &request);
    if (err != OK && err != ERR_ABSENT)
        return err;
    told_write(telling, told, &intent, &detail, request.message_id);
    return buf_err(&telling->body);
}

static bool is_full(const struct telling *telling)
{
    return telling->count >= TELLER_EVENTS_MAX || telling->rows >= ROWS_MAX;
}

static enum err decision_each(void *ctx, const struct store_decision *row)
{
    struct telling *telling = ctx;
    struct json     detail;
    struct told     told = { .type = decision_word(row->kind),
                             .message = row->object,
                             .at_ms = row->at_ms,
                             .more = &detail };
    if (is_full(telling))
        return ERR_LIMIT;
    telling->rows++;
    if (told.type != NULL) {
        snprintf(told.id, sizeof told.id, "d%" PRIu64, row->id);
        TRY(json_parse(telling->teller->parser, telling->arena, row->detail, &detail, NULL));
        TRY(told_add(telling, &told));
    }
    telling->upto.decision = row->id;
    return OK;
}

static bool message_of(const struct json *properties, uint64_t *out)
{
    int64_t number;
    bool    is_there = json_get_int(properties, STR("message"), &number) ||
                    str_to_int(json_get_str(properties, STR("message")), &number) == OK;
    *out = is_there ? (uint64_t)number : 0;
    return is_there && number > 0;
}

static enum err event_told(struct telling *telling, const struct store_event *row)
{
    struct json body;
    struct told told = { .type = message_event_word(row->name), .at_ms = row->at_ms };
    if (told.type == NULL || row->body.len == 0)
        return OK;
    TRY(json_parse(telling->teller->parser, telling->arena, row->body, &body, NULL));
    told.more = json_get(&body, STR("properties"));
    if (json_get_bool(told.more, STR("machine"), false) || !message_of(told.more, &told.message))
        return OK;
    snprintf(told.id, sizeof told.id, "e%" PRIu64, row->seq);
    return told_add(telling, &told);
}

static bool is_of_message(uint32_t kind)
{
    return (kind >= STORE_EVENT_OUTCOME && kind <= STORE_EVENT_UNSUBSCRIBE) ||
           kind == STORE_EVENT_OTHER;
}

static enum err event_each(void *ctx, const struct store_event *row)
{
    struct telling *telling = ctx;
    if (is_full(telling))
        return ERR_LIMIT;
    telling->rows++;
    if (is_of_message(row->kind))
        TRY(event_told(telling, row));
    telling->upto.seq = row->seq;
    return OK;
}

/* Of two rows of one record the decision is told first. */
static enum err telling_fill(struct telling *telling)
{
    struct teller    *teller = telling->teller;
    struct store_last last;
    telling->upto = teller->cursor;
    TRY(store_last(teller->conf.store, &last));
    buf_str(&telling->body, STR("{\"events\":["));
    enum err err = store_decisions_read(teller->reader, teller->cursor.decision + 1, last.decision,
                                        decision_each, telling);
    if (err == OK) {
        telling->rows = 0;
        err = store_events_read(teller->reader, teller->cursor.seq + 1, last.seq, event_each,
                                telling);
    }
    buf_str(&telling->body, STR("]}"));
    return err == ERR_LIMIT ? buf_err(&telling->body) : err;
}

/* ---- one request ---- */

static void answered(void *ctx, const struct fetch_response *response)
{
    struct teller *teller = ctx;
    pthread_mutex_lock(&teller->lock);
    teller->is_answered = true;
    teller->is_taken = response->err == OK && response->status >= 200 && response->status < 300;
    pthread_cond_signal(&teller->moved);
    pthread_mutex_unlock(&teller->lock);
}

static void sign(const struct teller *teller, const char *timestamp, struct str body,
                 char out[SIGNATURE_BYTES])
{
    unsigned char                mac[EVP_MAX_MD_SIZE];
    unsigned int                 len = 0;
    SCOPED(buf_donep) struct buf text = buf_make(BODY_BYTES_MAX + 64);
    SCOPED(buf_donep) struct buf hex = buf_make(2 * EVP_MAX_MD_SIZE);
    buf_format(&text, "%s.", timestamp);
    buf_str(&text, body);
    HMAC(EVP_sha256(), teller->conf.secret, (int)strlen(teller->conf.secret),
         (const unsigned char *)text.ptr, text.len, mac, &len);
    hex_write(&hex, (struct str){ (const char *)mac, len });
    snprintf(out, SIGNATURE_BYTES, "Dult-Signature: v1=%.*s", STR_ARG(buf_view(&hex)));
}

/* Waits for it; true when it was taken. */
static bool post(struct teller *teller, struct str body)
{
    char           timestamp[24], header[48], signature[SIGNATURE_BYTES];
    struct problem problem;
    snprintf(timestamp, sizeof timestamp, "%" PRId64, time_now_ms() / 1000);
    snprintf(header, sizeof header, "Dult-Timestamp: %s", timestamp);
    sign(teller, timestamp, body, signature);
    struct fetch_request request = { .method = "POST",
                                     .url = teller->conf.url,
                                     .headers = { "Content-Type: application/json", header,
                                                  signature },
                                     .body = body,
                                     .timeout_ms = TIMEOUT_MS,
                                     .response_bytes_max = 65536,
                                     .repeatable = true,
                                     .call = answered,
                                     .ctx = teller };
    pthread_mutex_lock(&teller->lock);
    teller->is_answered = teller->is_taken = false;
    pthread_mutex_unlock(&teller->lock);
    if (fetch_send(teller->fetch, &request, &problem) != OK)
        return false;
    pthread_mutex_lock(&teller->lock);
    while (!teller->is_answered)
        pthread_cond_wait(&teller->moved, &teller->lock);
    bool is_taken = teller->is_taken;
    pthread_mutex_unlock(&teller->lock);
    return is_taken;
}

static enum err cursor_keep(struct teller *teller, struct cursor upto)
{
    char text[64];
    snprintf(text, sizeof text, "%" PRIu64 ":%" PRIu64, upto.seq, upto.decision);
    struct store_meta meta = { META_KEY, str_of(text) };
    TRY(store_commit(teller->conf.store,
                     &(struct store_batch){ .metas = &meta, .metas_count = 1 }));
    teller->cursor = upto;
    return OK;
}

/* False: the same again, later. */
static bool tell(struct teller *teller, bool *more)
{
    struct telling telling = { .teller = teller,
                               .arena = arena_open(ARENA_BYTES_MAX),
                               .body = buf_make(BODY_BYTES_MAX) };
    bool           good = telling.arena != NULL && telling_fill(&telling) == OK;
    *more = good && is_full(&telling);
    if (good && telling.count > 0)
        good = post(teller, buf_view(&telling.body)) && cursor_keep(teller, telling.upto) == OK;
    else if (good)
        teller->cursor = telling.upto; /* nothing of it is to be told; found again after a start */
    buf_done(&telling.body);
    arena_close(telling.arena);
    return good;
}

/* ---- the thread ---- */

/* True when it is to end. */
static bool pause_ms(struct teller *teller, int64_t ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    int64_t ns = until.tv_nsec + ms % 1000 * 1000000;
    until.tv_sec += ms / 1000 + ns / 1000000000;
    until.tv_nsec = ns % 1000000000;
    pthread_mutex_lock(&teller->lock);
    int code = 0;
    while (!teller->closing && code == 0)
        code = pthread_cond_timedwait(&teller->moved, &teller->lock, &until);
    bool closing = teller->closing;
    pthread_mutex_unlock(&teller->lock);
    return closing;
}

static void *run(void *arg)
{
    struct teller *teller = arg;
    int64_t        wait_ms = WAIT_FIRST_MS;
    bool           more = false;
    while (!pause_ms(teller, more ? 0 : LOOK_MS)) {
        if (tell(teller, &more)) {
            wait_ms = WAIT_FIRST_MS;
            continue;
        }
        more = false;
        if (pause_ms(teller, wait_ms))
            break;
        wait_ms = wait_ms * 2 < WAIT_MAX_MS ? wait_ms * 2 : WAIT_MAX_MS;
    }
    return NULL;
}

static enum err cursor_read(struct teller *teller)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(65536);
    struct str                         text;
    struct store_last                  last;
    char                               value[64];
    if (arena == NULL)
        return ERR_MEMORY;
    enum err err = store_meta_get(teller->reader, arena, META_KEY, &text);
    if (err == OK && sscanf(str_to_cstr(text, value, sizeof value), "%" SCNu64 ":%" SCNu64,
                            &teller->cursor.seq, &teller->cursor.decision) == 2)
        return OK;
    if (err != OK && err != ERR_ABSENT)
        return err;
    TRY(store_last(teller->conf.store, &last));
    return cursor_keep(teller, (struct cursor){ last.seq, last.decision });
}

static enum err parts_open(struct teller *teller, struct problem *problem)
{
    if (strlen(teller->conf.secret) < SECRET_BYTES_MIN)
        return problem_set(problem, ERR_INPUT, "status_secret",
                           "What is told is signed: this secret is none or too short.",
                           "Give at least 16 characters that the receiver knows, too.");
    TRY(store_reader_open(teller->conf.store, "status", &teller->reader));
    teller->parser = json_parser_open();
    teller->loop = loop_open();
    if (teller->parser == NULL || teller->loop == NULL)
        return ERR_MEMORY;
    /* The operator's own program may well live beside us. */
    teller->fetch = fetch_open(teller->loop, &(struct fetch_conf){ .allow_inside = true });
    if (teller->fetch == NULL)
        return ERR_MEMORY;
    TRY(cursor_read(teller));
    teller->is_running = pthread_create(&teller->thread, NULL, run, teller) == 0;
    return teller->is_running ? OK : ERR_MEMORY;
}

enum err teller_open(struct teller **out, const struct teller_conf *conf, struct problem *problem)
{
    struct teller *teller = calloc(1, sizeof *teller);
    if (teller == NULL)
        return ERR_MEMORY;
    teller->conf = *conf;
    pthread_mutex_init(&teller->lock, NULL);
    pthread_cond_init(&teller->moved, NULL);
    enum err err = parts_open(teller, problem);
    if (err != OK) {
        teller_close(teller);
        return err;
    }
    *out = teller;
    return OK;
}

void teller_close(struct teller *teller)
{
    if (teller == NULL)
        return;
    pthread_mutex_lock(&teller->lock);
    teller->closing = true;
    pthread_cond_broadcast(&teller->moved);
    pthread_mutex_unlock(&teller->lock);
    if (teller->is_running)
        pthread_join(teller->thread, NULL);
    fetch_close(teller->fetch);
    loop_close(teller->loop);
    json_parser_close(teller->parser);
    store_reader_close(teller->reader);
    pthread_cond_destroy(&teller->moved);
    pthread_mutex_destroy(&teller->lock);
    free(teller);
}
