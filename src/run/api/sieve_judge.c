#include "run/api/sieve.h"

#include <string.h>

static bool is_near(const struct hit *a, const struct hit *b, int64_t within_ms)
{
    int64_t apart_ms = a->at_ms - b->at_ms;
    return a->message == b->message && apart_ms <= within_ms && -apart_ms <= within_ms;
}

static void mark(struct hit *hit, const char *sign)
{
    if (hit->sign == NULL)
        hit->sign = sign;
}

/* How many links of the message were followed within so long from this hit on. */
static uint32_t links_from(const struct hit *hits, uint32_t count, uint32_t from, int64_t within_ms)
{
    uint64_t seen[SIEVE_BURST_LINKS_SLOW];
    uint32_t links = 0;
    for (uint32_t i = 0; i < count && links < SIEVE_BURST_LINKS_SLOW; i++) {
        int64_t  after_ms = hits[i].at_ms - hits[from].at_ms;
        uint32_t k = 0;
        if (hits[i].kind == HIT_OPEN || hits[i].message != hits[from].message || after_ms < 0 ||
            after_ms > within_ms)
            continue;
        while (k < links && seen[k] != hits[i].link)
            k++;
        if (k == links)
            seen[links++] = hits[i].link;
    }
    return links;
}

static void burst_mark(struct hit *hits, uint32_t count, uint32_t from, int64_t within_ms)
{
    for (uint32_t i = 0; i < count; i++)
        if (hits[i].message == hits[from].message && hits[i].at_ms >= hits[from].at_ms &&
            hits[i].at_ms - hits[from].at_ms <= within_ms)
            mark(&hits[i], "burst");
}

static void one_judge(struct hit *hits, uint32_t count, uint32_t at, const struct sieve_conf *conf)
{
    struct hit *hit = &hits[at];
    bool        known = hit->sent_ms != INT64_MIN;
    if (hit->kind == HIT_TRAP)
        for (uint32_t i = 0; i < count; i++)
            if (is_near(&hits[i], hit, conf->wait_ms) ||
                (hits[i].at_ms >= hit->at_ms && hits[i].at_ms - hit->at_ms <= SIEVE_KNOWN_MS &&
                 hits[i].message == hit->message && strcmp(hits[i].address, hit->address) == 0))
                mark(&hits[i], "hidden link");
    if (hit->kind == HIT_CLICK && links_from(hits, count, at, SIEVE_BURST_MS) >= SIEVE_BURST_LINKS)
        burst_mark(hits, count, at, SIEVE_BURST_MS);
    if (hit->kind == HIT_CLICK &&
        links_from(hits, count, at, SIEVE_BURST_SLOW_MS) >= SIEVE_BURST_LINKS_SLOW)
        burst_mark(hits, count, at, SIEVE_BURST_SLOW_MS);
    if (known && (hit->sent_ms == INT64_MAX || hit->at_ms - hit->sent_ms < conf->soon_ms))
        mark(hit, "too soon");
}

void sieve_judge(struct hit *hits, uint32_t count, const struct sieve_conf *conf)
{
    for (uint32_t i = 0; i < count; i++)
        one_judge(hits, count, i, conf);
}
