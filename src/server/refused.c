#include "server/refused.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/json.h"
#include "base/time.h"

struct entry {
    int64_t at_ms;
    int     status;
    char    peer[HTTP_PEER_BYTES], method[8], path[128], what[160], remedy[160];
};

struct refused {
    pthread_mutex_t lock;
    uint64_t        count;
    struct entry    ring[REFUSED_MAX];
};

struct refused *refused_open(void)
{
    struct refused *refused = calloc(1, sizeof *refused);
    if (refused != NULL)
        pthread_mutex_init(&refused->lock, NULL);
    return refused;
}

void refused_close(struct refused *refused)
{
    if (refused == NULL)
        return;
    pthread_mutex_destroy(&refused->lock);
    free(refused);
}

void refused_add(struct refused *refused, const struct http_refusal *refusal, int64_t at_ms)
{
    pthread_mutex_lock(&refused->lock);
    struct entry *entry = &refused->ring[refused->count++ % REFUSED_MAX];
    entry->at_ms = at_ms;
    entry->status = refusal->status;
    str_to_cstr(refusal->peer, entry->peer, sizeof entry->peer);
    str_to_cstr(refusal->method, entry->method, sizeof entry->method);
    str_to_cstr(refusal->path, entry->path, sizeof entry->path);
    str_to_cstr(refusal->what, entry->what, sizeof entry->what);
    str_to_cstr(refusal->remedy, entry->remedy, sizeof entry->remedy);
    pthread_mutex_unlock(&refused->lock);
}

uint64_t refused_count(struct refused *refused)
{
    pthread_mutex_lock(&refused->lock);
    uint64_t count = refused->count;
    pthread_mutex_unlock(&refused->lock);
    return count;
}

static void write_text(struct buf *out, bool *first, const char *key, const char *text)
{
    json_write_key(out, first, key);
    json_write_str(out, str_of(text));
}

static void write_entry(struct buf *out, const struct entry *entry)
{
    char at[TIME_TEXT_BYTES];
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "at", time_write(entry->at_ms, at));
    write_text(out, &first, "peer", entry->peer);
    write_text(out, &first, "method", entry->method);
    write_text(out, &first, "path", entry->path);
    json_write_key(out, &first, "status");
    buf_int(out, entry->status);
    write_text(out, &first, "what", entry->what);
    write_text(out, &first, "remedy", entry->remedy);
    buf_char(out, '}');
}

void refused_write(struct refused *refused, struct buf *out)
{
    pthread_mutex_lock(&refused->lock);
    uint64_t kept = refused->count < REFUSED_MAX ? refused->count : REFUSED_MAX;
    buf_format(out, "{\"total\":%llu,\"refused\":[", (unsigned long long)refused->count);
    for (uint64_t i = 1; i <= kept; i++) {
        if (i > 1)
            buf_char(out, ',');
        write_entry(out, &refused->ring[(refused->count - i) % REFUSED_MAX]);
    }
    buf_str(out, STR("]}"));
    pthread_mutex_unlock(&refused->lock);
}
