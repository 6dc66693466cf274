#include "run/api/sieve.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/time.h"
#include "message/links.h"
#include "run/api/hit_file.h"

enum {
    HIT_ARENA_BYTES_MAX = 1 << 20,
    JUDGED_AT_ONCE = 500,
    PAUSE_MS = 200, /* between two looks */
    ID_BYTES = 48,
    BATCH_ARENA_BYTES_MAX = 1 << 20,
};
_Static_assert((int)JUDGED_AT_ONCE <= (int)CORE_TASK_RECORDS_MAX, "they are one task");

struct waiting {
    struct arena *arena; /* NULL: recorded already, and still evidence */
    struct trail  trail;
    struct hit    hit;
    int           part; /* of the file */
    char          id[ID_BYTES];
};

/* Hits of one message lie together when they are in this order. */
struct place {
    uint64_t message;
    uint32_t at;
};

struct sieve {
    struct sieve_conf conf;
    pthread_mutex_t   lock;
    pthread_cond_t    moved;
    pthread_t         thread;
    struct hit_file  *file;
    uint64_t          erasure, erasure_mark; /* lines from before it are to go */
    uint64_t          seed, number;          /* of the ids */
    struct waiting   *items;                 /* by arrival; only the thread takes any away */
    struct place     *places;
    uint32_t          count;
    bool              stopping;
};

/* The places of those whose time has come. */
struct due {
    struct sieve *sieve;
    uint32_t      items[JUDGED_AT_ONCE];
    uint32_t      count;
};

/* ---- on disk ---- */

static enum err line_write(const struct waiting *one, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    json_write_key(out, &first, "id");
    json_write_str(out, str_of(one->id));
    struct {
        const char *key;
        int64_t     value;
    } numbers[] = { { "kind", one->hit.kind },
                    { "profile", one->trail.token.profile },
                    { "message", (int64_t)one->hit.message },
                    { "link", (int64_t)one->hit.link },
                    { "at", one->hit.at_ms },
                    { "channel", one->trail.channel } };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_write_key(out, &first, numbers[i].key);
        buf_int(out, numbers[i].value);
    }
    struct {
        const char *key;
        struct str  value;
    } texts[] = { { "address", str_of(one->hit.address) },
                  { "sign", one->hit.sign == NULL ? STR_NONE : str_of(one->hit.sign) },
                  { "url", one->trail.url },
                  { "template", one->trail.template },
                  { "journey", one->trail.journey },
                  { "broadcast", one->trail.broadcast } };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_write_key(out, &first, texts[i].key);
        json_write_str(out, texts[i].value);
    }
    buf_char(out, '}');
    return buf_err(out);
}

static int64_t number_of(const struct json *line, const char *key)
{
    int64_t value = 0;
    (void)json_get_int(line, str_of(key), &value);
    return value;
}

/* A sign lives as long as the hit's arena. */
static const char *sign_of(struct arena *arena, const struct json *line)
{
    struct str sign = json_get_str(line, STR("sign"));
    char      *copy = str_is_empty(sign) ? NULL : arena_alloc(arena, sign.len + 1);
    return copy == NULL ? NULL : str_to_cstr(sign, copy, sign.len + 1);
}

static bool line_read(struct str text, struct waiting *out)
{
    struct json line;
    *out = (struct waiting){ .arena = arena_open(HIT_ARENA_BYTES_MAX) };
    if (out->arena == NULL)
        return false;
    struct str kept = str_copy(out->arena, text);
    if (kept.ptr == NULL || json_parse_once(out->arena, kept, &line, NULL) != OK ||
        line.kind != JSON_OBJECT) {
        arena_close(out->arena);
        return false;
    }
    out->hit = (struct hit){ .kind = (enum hit_kind)number_of(&line, "kind"),
                             .message = (uint64_t)number_of(&line, "message"),
                             .link = (uint64_t)number_of(&line, "link"),
                             .at_ms = number_of(&line, "at"),
                             .sent_ms = INT64_MIN,
                             .sign = sign_of(out->arena, &line) };
    out->trail = (struct trail){ .token = { .purpose = TOKEN_CLICK,
                                            .profile = (uint32_t)number_of(&line, "profile"),
                                            .message = out->hit.message },
                                 .channel = (enum consent_channel)number_of(&line, "channel"),
                                 .url = json_get_str(&line, STR("url")),
                                 .template = json_get_str(&line, STR("template")),
                                 .journey = json_get_str(&line, STR("journey")),
                                 .broadcast = json_get_str(&line, STR("broadcast")) };
    str_to_cstr(json_get_str(&line, STR("address")), out->hit.address, sizeof out->hit.address);
    str_to_cstr(json_get_str(&line, STR("id")), out->id, sizeof out->id);
    return true;
}

/* One that was taken before the process ended. */
static bool line_take(void *context, struct str text, int part)
{
    struct sieve  *sieve = context;
    struct waiting one;
    if (sieve->count == SIEVE_MAX || !line_read(text, &one))
        return false;
    one.part = part;
    sieve->items[sieve->count++] = one;
    return true;
}

/* ---- judging: on the thread, with the lock held but for the engine's and the disk's time ---- */

static int64_t due_ms(const struct sieve *sieve, const struct waiting *one)
{
    return one->hit.at_ms + sieve->conf.wait_ms;
}

/* What is no evidence any more goes. */
static void old_drop(struct sieve *sieve, int64_t now_ms)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < sieve->count; i++)
        if (sieve->items[i].arena != NULL ||
            now_ms - sieve->items[i].hit.at_ms <= SIEVE_KNOWN_MS + sieve->conf.wait_ms)
            sieve->items[kept++] = sieve->items[i];
    sieve->count = kept;
}

static void due_find(struct sieve *sieve, int64_t now_ms, struct due *due)
{
    due->count = 0;
    for (uint32_t i = 0; i < sieve->count && due->count < JUDGED_AT_ONCE; i++)
        if (sieve->items[i].arena != NULL &&
            (sieve->stopping || due_ms(sieve, &sieve->items[i]) <= now_ms))
            due->items[due->count++] = i;
}

static bool sent_ask(struct engine *engine, struct task *task)
{
    struct due *due = task->context;
    for (uint32_t i = 0; i < due->count; i++) {
        struct waiting *one = &due->sieve->items[due->items[i]];
        one->hit.sent_ms =
            engine_message_sent_ms(engine, one->trail.token.profile, one->hit.message);
    }
    return true;
}

/* Hits come to their places meanwhile, and none goes. */
static void sent_learn(struct sieve *sieve, struct due *due)
{
    struct task task = { .ask = sent_ask, .context = due };
    pthread_mutex_unlock(&sieve->lock);
    bool known = core_run(sieve->conf.core, &task) == OK;
    pthread_mutex_lock(&sieve->lock);
    for (uint32_t i = 0; i < due->count && !known; i++)
        sieve->items[due->items[i]].hit.sent_ms = INT64_MIN;
}

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->message != y->message)
        return x->message < y->message ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void together_judge(struct sieve *sieve, const struct place *places, uint32_t count)
{
    struct hit hits[SIEVE_TOGETHER_MAX];
    for (uint32_t i = 0; i < count; i++)
        hits[i] = sieve->items[places[i].at].hit;
    sieve_judge(hits, count, &sieve->conf);
    for (uint32_t i = 0; i < count; i++)
        sieve->items[places[i].at].hit.sign = hits[i].sign;
}

static bool has_due(const struct sieve *sieve, const struct place *places, uint32_t count,
                    int64_t now_ms)
{
    for (uint32_t i = 0; i < count; i++)
        if (sieve->items[places[i].at].arena != NULL &&
            (sieve->stopping || due_ms(sieve, &sieve->items[places[i].at]) <= now_ms))
            return true;
    return false;
}

/* Each message of which a hit is due, by all that is known of that message. */
static void judge(struct sieve *sieve, int64_t now_ms)
{
    struct place *places = sieve->places;
    uint32_t      count = sieve->count, end;
    for (uint32_t i = 0; i < count; i++)
        places[i] = (struct place){ sieve->items[i].hit.message, i };
    qsort(places, count, sizeof places[0], compare_places);
    for (uint32_t i = 0; i < count; i = end) {
        for (end = i + 1; end < count && places[end].message == places[i].message;)
            end++;
        uint32_t from = end - i > SIEVE_TOGETHER_MAX ? end - SIEVE_TOGETHER_MAX : i;
        if (has_due(sieve, places + i, end - i, now_ms))
            together_judge(sieve, places + from, end - from);
    }
}

/* ---- recording ---- */

static enum err entry_make(struct waiting *one, struct entry *out)
{
    struct str name = one->hit.kind == HIT_OPEN ? EVENT_MESSAGE_OPENED : EVENT_MESSAGE_CLICKED;
    one->trail.machine = one->hit.sign != NULL;
    one->trail.sign = one->hit.sign;
    TRY(trail_entry(one->arena, &one->trail, name, out));
    out->record.at_ms = one->hit.at_ms;
    out->message_id = str_of(one->id);
    return OK;
}

/* All that are due as one task. ERR_WAIT: the core takes none now. */
static enum err due_record(struct sieve *sieve, const struct due *due)
{
    struct arena *arena = arena_open(BATCH_ARENA_BYTES_MAX);
    struct entry *entries = arena == NULL ? NULL : ARENA_ARRAY(arena, due->count, struct entry);
    struct task   task = { .entries = entries };
    enum err      err = entries == NULL ? ERR_MEMORY : OK;
    for (uint32_t i = 0; i < due->count && err == OK; i++) {
        err = entry_make(&sieve->items[due->items[i]], &entries[i]);
        task.entries_count++;
    }
    if (err == OK)
        err = core_run(sieve->conf.core, &task);
    arena_close(arena);
    return err == ERR_MEMORY ? ERR_WAIT : err; /* whoever was erased meanwhile is not counted */
}

/* What was said of it stays said, as evidence. */
static void due_end(struct sieve *sieve, const struct due *due)
{
    for (uint32_t i = 0; i < due->count; i++) {
        struct waiting *one = &sieve->items[due->items[i]];
        arena_close(one->arena);
        one->arena = NULL;
        one->trail = (struct trail){ 0 };
        one->hit.sign = one->hit.sign == NULL ? NULL : "known";
        hit_file_done(sieve->file, one->part);
    }
}

/* ---- the thread ---- */

static int64_t next_ms(const struct sieve *sieve)
{
    int64_t next = INT64_MAX;
    for (uint32_t i = 0; i < sieve->count; i++)
        if (sieve->items[i].arena != NULL && due_ms(sieve, &sieve->items[i]) < next)
            next = due_ms(sieve, &sieve->items[i]);
    return next;
}

static void rest(struct sieve *sieve, int64_t until_ms)
{
    struct timespec at = { until_ms / 1000, until_ms % 1000 * 1000000 };
    while (!sieve->stopping) {
        if (until_ms == INT64_MAX) {
            pthread_cond_wait(&sieve->moved, &sieve->lock);
            return;
        }
        if (pthread_cond_timedwait(&sieve->moved, &sieve->lock, &at) == ETIMEDOUT)
            return;
    }
}

static void *sieve_run(void *context)
{
    struct sieve *sieve = context;
    struct due    due = { .sieve = sieve };
    pthread_mutex_lock(&sieve->lock);
    for (;;) {
        int64_t now_ms = time_now_ms();
        old_drop(sieve, now_ms);
        due_find(sieve, now_ms, &due);
        if (due.count == 0 && sieve->stopping)
            break;
        if (due.count == 0) {
            int64_t next = next_ms(sieve);
            rest(sieve, next > now_ms + PAUSE_MS ? next : now_ms + PAUSE_MS);
            continue;
        }
        sent_learn(sieve, &due);
        judge(sieve, now_ms);
        pthread_mutex_unlock(&sieve->lock);
        enum err err = due_record(sieve, &due);
        pthread_mutex_lock(&sieve->lock);
        if (err == ERR_WAIT && sieve->stopping)
            break; /* the file has them for the next start */
        if (err == ERR_WAIT)
            rest(sieve, now_ms + PAUSE_MS);
        else
            due_end(sieve, &due);
    }
    pthread_mutex_unlock(&sieve->lock);
    return NULL;
}

/* ---- its life ---- */

static void sieve_free(struct sieve *sieve)
{
    for (uint32_t i = 0; sieve->items != NULL && i < sieve->count; i++)
        arena_close(sieve->items[i].arena);
    pthread_cond_destroy(&sieve->moved);
    pthread_mutex_destroy(&sieve->lock);
    hit_file_close(sieve->file);
    free(sieve->items);
    free(sieve->places);
    free(sieve);
}

enum err sieve_open(struct sieve **out, const struct sieve_conf *conf)
{
    struct sieve *sieve = calloc(1, sizeof *sieve);
    if (sieve == NULL)
        return ERR_MEMORY;
    sieve->conf = *conf;
    sieve->seed = hash_random_seed();
    pthread_mutex_init(&sieve->lock, NULL);
    pthread_cond_init(&sieve->moved, NULL);
    sieve->items = calloc(SIEVE_MAX, sizeof *sieve->items);
    sieve->places = calloc(SIEVE_MAX, sizeof *sieve->places);
    enum err err = sieve->items == NULL || sieve->places == NULL
                       ? ERR_MEMORY
                       : hit_file_open(&sieve->file, conf->dir, line_take, sieve);
    if (err == OK && pthread_create(&sieve->thread, NULL, sieve_run, sieve) != 0)
        err = ERR_MEMORY;
    if (err != OK) {
        sieve_free(sieve);
        return err;
    }
    *out = sieve;
    return OK;
}

bool sieve_is_clear(struct sieve *sieve, uint64_t erasure)
{
    pthread_mutex_lock(&sieve->lock);
    if (sieve->erasure != erasure) {
        sieve->erasure = erasure;
        sieve->erasure_mark = hit_file_mark(sieve->file);
    }
    bool is_clear = hit_file_is_clear(sieve->file, sieve->erasure_mark);
    pthread_mutex_unlock(&sieve->lock);
    return is_clear;
}

void sieve_close(struct sieve *sieve)
{
    if (sieve == NULL)
        return;
    pthread_mutex_lock(&sieve->lock);
    sieve->stopping = true;
    pthread_cond_signal(&sieve->moved);
    pthread_mutex_unlock(&sieve->lock);
    pthread_join(sieve->thread, NULL);
    sieve_free(sieve);
}

static enum err one_keep(struct sieve *sieve, struct waiting *one)
{
    SCOPED(buf_donep) struct buf line = buf_make(HIT_LINE_BYTES_MAX + 1);
    snprintf(one->id, sizeof one->id, "hit-%016llx-%llu", (unsigned long long)sieve->seed,
             (unsigned long long)sieve->number++);
    TRY(line_write(one, &line));
    return hit_file_add(sieve->file, buf_view(&line), &one->part);
}

enum err sieve_take(struct sieve *sieve, const struct trail *trail, struct hit hit)
{
    struct waiting one = { .arena = arena_open(HIT_ARENA_BYTES_MAX), .trail = *trail, .hit = hit };
    if (one.arena == NULL)
        return ERR_MEMORY;
    one.trail.request = NULL;
    one.trail.url = str_copy(one.arena, trail->url);
    one.trail.template = str_copy(one.arena, trail->template);
    one.trail.journey = str_copy(one.arena, trail->journey);
    one.trail.broadcast = str_copy(one.arena, trail->broadcast);
    pthread_mutex_lock(&sieve->lock);
    enum err err = sieve->count == SIEVE_MAX ? ERR_LIMIT : one_keep(sieve, &one);
    if (err == OK)
        sieve->items[sieve->count++] = one;
    pthread_cond_signal(&sieve->moved);
    pthread_mutex_unlock(&sieve->lock);
    if (err != OK)
        arena_close(one.arena);
    return err;
}
