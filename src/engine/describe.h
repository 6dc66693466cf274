/*
 * describe: everything that is known about everyone, as text, to compare two engines by. For
 * tests. Left out is what is recomputed after a load: expiries and the timers that follow.
 */
#ifndef DULT_ENGINE_DESCRIBE_H
#define DULT_ENGINE_DESCRIBE_H

#include "engine/engine.h"

static inline void describe_identities(const struct people *people, uint32_t p, struct buf *out)
{
    /* Their order is of no account: the sum of the hashes names the set. */
    uint32_t           at = PROFILE_NONE, count = 0;
    uint64_t           sum = 0;
    enum identity_kind kind;
    struct str         text;
    for (; people_identity(people, p, &at, &kind, &text); count++)
        for (size_t i = 0, h = (size_t)kind; i <= text.len; i++) {
            h = h * 131 + (i < text.len ? (unsigned char)text.ptr[i] : 7);
            sum += i == text.len ? h : 0;
        }
    buf_format(out, " identities %u %llx\n", count, (unsigned long long)sum);
}

static inline void describe_state(const struct state *s, struct buf *out)
{
    for (uint32_t i = 0; i < s->memberships.count; i++) {
        struct membership one = memberships_at(&s->memberships, i);
        if (one.in)
            buf_format(out, " in %u since %lld\n", one.segment, (long long)one.entered_ms);
    }
    for (uint32_t i = 0; i < s->rare->enrollments.count; i++) {
        const struct enrollment *e = &s->rare->enrollments.items[i];
        buf_format(out, " %s%sat %llu journey %u.%u node %u visit %u due %lld entered %lld by %u\n",
                   e->is_held   ? "held out "
                   : e->is_over ? "over "
                                : "",
                   e->has_goal ? "goal " : "", (unsigned long long)e->id, e->journey, e->version,
                   e->node, e->visit, (long long)e->due_ms, (long long)e->entered_ms,
                   e->trigger_seq);
    }
    for (uint32_t i = 0; i < s->rare->pasts.count; i++)
        buf_format(out, " past %u %u %u times %lld\n", s->rare->pasts.items[i].journey,
                   s->rare->pasts.items[i].key, (unsigned)s->rare->pasts.items[i].times,
                   (long long)s->rare->pasts.items[i].entered_ms);
    for (uint32_t i = 0; i < s->rare->messages.count; i++) {
        const struct message *m = &s->rare->messages.items[i];
        buf_format(
            out,
            " message %llu of %llu template %u topic %u state %u attempt %u since %lld due %lld\n",
            (unsigned long long)m->id, (unsigned long long)m->enrollment, m->template_id, m->topic,
            m->state, m->attempt, (long long)m->first_try_ms, (long long)m->due_ms);
    }
    for (uint32_t i = 0; i < s->rarer->consents.count; i++)
        buf_format(out, " consent %u by %u %d\n", s->rarer->consents.items[i].topic,
                   s->rarer->consents.items[i].channel, s->rarer->consents.items[i].state);
    for (uint32_t i = 0; i < s->rarer->lists.count; i++)
        buf_format(out, " list %u since %lld\n", s->rarer->lists.items[i].list,
                   (long long)s->rarer->lists.items[i].since_ms);
    for (uint32_t i = 0; i < s->rarer->merges.count; i++)
        buf_format(out, " merge %llu %u into %u\n",
                   (unsigned long long)s->rarer->merges.items[i].id, s->rarer->merges.items[i].from,
                   s->rarer->merges.items[i].into);
}

static inline void describe(const struct engine *engine, struct buf *out)
{
    const struct people *people = engine_people(engine);
    for (uint32_t p = 0; p < people_count(people); p++) {
        const struct profile *profile = people_get(people, p);
        buf_format(out, "%u root %u next %u head %llu shared %d\n", p, profile->root, profile->next,
                   (unsigned long long)profile->head, profile->shared);
        describe_identities(people, p, out);
        if (profile->root == p)
            describe_state(people_state_get(people, p), out);
    }
}

#endif
