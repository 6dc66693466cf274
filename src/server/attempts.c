#include "server/attempts.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

/* Like a throttle: the instant at which all tries are back, pushed on by each failure. */
struct place {
    uint64_t address; /* its hash; 0 is an empty place */
    int64_t  whole_ms;
};

struct attempts {
    pthread_mutex_t lock;
    uint64_t        seed;
    struct place    rows[ATTEMPTS_ROWS][ATTEMPTS_ROW_PLACES];
};

struct attempts *attempts_open(uint64_t seed)
{
    struct attempts *attempts = calloc(1, sizeof *attempts);
    if (attempts == NULL)
        return NULL;
    attempts->seed = seed;
    pthread_mutex_init(&attempts->lock, NULL);
    return attempts;
}

void attempts_close(struct attempts *attempts)
{
    if (attempts == NULL)
        return;
    pthread_mutex_destroy(&attempts->lock);
    free(attempts);
}

static struct place *find(struct attempts *attempts, uint64_t hash)
{
    struct place *row = attempts->rows[hash % ATTEMPTS_ROWS];
    for (int i = 0; i < ATTEMPTS_ROW_PLACES; i++)
        if (row[i].address == hash)
            return &row[i];
    return NULL;
}

static struct place *find_or_make(struct attempts *attempts, uint64_t hash)
{
    struct place *row = attempts->rows[hash % ATTEMPTS_ROWS], *quiet = &row[0];
    struct place *found = find(attempts, hash);
    if (found != NULL)
        return found;
    for (int i = 1; i < ATTEMPTS_ROW_PLACES; i++)
        if (row[i].whole_ms < quiet->whole_ms)
            quiet = &row[i];
    *quiet = (struct place){ .address = hash };
    return quiet;
}

/* One house has a whole /64 of IPv6 addresses: they count as one. */
static uint64_t hash_of(const struct attempts *attempts, struct str address)
{
    unsigned char six[16];
    char          text[INET6_ADDRSTRLEN] = "";
    if (address.len < sizeof text)
        memcpy(text, address.ptr, address.len);
    if (inet_pton(AF_INET6, text, six) == 1)
        address = (struct str){ (const char *)six, sizeof six / 2 };
    uint64_t hash = hash_str(address, attempts->seed);
    return hash == 0 ? 1 : hash;
}

int64_t attempts_wait_ms(struct attempts *attempts, struct str address, int64_t now_ms)
{
    int64_t  wait_ms = 0;
    uint64_t hash = hash_of(attempts, address);
    pthread_mutex_lock(&attempts->lock);
    const struct place *place = find(attempts, hash);
    if (place != NULL)
        wait_ms = place->whole_ms - now_ms - (int64_t)(ATTEMPTS_MAX - 1) * ATTEMPTS_BACK_MS;
    pthread_mutex_unlock(&attempts->lock);
    return wait_ms > 0 ? wait_ms : 0;
}

void attempts_failed(struct attempts *attempts, struct str address, int64_t now_ms)
{
    uint64_t hash = hash_of(attempts, address);
    int64_t  most_ms = now_ms + (int64_t)ATTEMPTS_MAX * ATTEMPTS_BACK_MS;
    pthread_mutex_lock(&attempts->lock);
    struct place *place = find_or_make(attempts, hash);
    if (place->whole_ms < now_ms)
        place->whole_ms = now_ms;
    place->whole_ms += ATTEMPTS_BACK_MS;
    if (place->whole_ms > most_ms)
        place->whole_ms = most_ms;
    pthread_mutex_unlock(&attempts->lock);
}
