#include "engine/checkpoint_row.h"

#include <stdlib.h>
#include <string.h>

#include "engine/checkpoint.h"

void row_parts(struct state *s, struct part parts[PARTS])
{
    /* To write to by whoever made them the state's own. */
    struct rare  *rare = (struct rare *)s->rare;
    struct rarer *rarer = (struct rarer *)s->rarer;
#define PART(in, vec)                                                                              \
    {                                                                                              \
        (void **)&in->vec.items, &in->vec.count, &in->vec.room, sizeof *in->vec.items              \
    }
    struct part all[PARTS] = { { .count = &s->memberships.count,
                                 .size = sizeof(struct membership_row) },
                               PART(rare, enrollments),
                               PART(rare, pasts),
                               PART(rare, messages),
                               PART(rarer, consents),
                               PART(rarer, lists),
                               PART(rarer, merges),
                               PART(rarer, codes) };
#undef PART
    memcpy(parts, all, sizeof all);
}

void row_bytes_add(struct buf *out, const void *bytes, size_t len)
{
    buf_str(out, (struct str){ bytes, len });
}

static void identities_write(const struct engine *engine, uint32_t profile, struct buf *out,
                             uint32_t *count)
{
    uint32_t           at = PROFILE_NONE;
    enum identity_kind kind;
    struct str         text;
    while (people_identity(engine->people, profile, &at, &kind, &text)) {
        uint16_t len = (uint16_t)text.len;
        buf_char(out, (char)kind);
        row_bytes_add(out, &len, sizeof len);
        buf_str(out, text);
        ++*count;
    }
}

static void memberships_write(const struct memberships *all, struct buf *out)
{
    for (uint32_t i = 0; i < all->count; i++) {
        struct membership     one = memberships_at(all, i);
        struct membership_row row = { one.until_ms, one.entered_ms, one.segment, one.in };
        row_bytes_add(out, &row, sizeof row);
    }
}

enum err row_write(const struct engine *engine, uint32_t profile, struct buf *out)
{
    struct profile *p = people_get(engine->people, profile);
    struct part     parts[PARTS];
    struct row_head head = { ROW_VERSION,
                             p->root,
                             p->next,
                             (p->shared ? ROW_SHARED : 0) | (p->ask_all ? ROW_ASK_ALL : 0) |
                                 (p->erased ? ROW_ERASED : 0) | (p->quietly ? ROW_QUIETLY : 0),
                             p->head,
                             people_arrived_ms(engine->people, profile),
                             p->wake_ms,
                             0,
                             { 0 } };
    buf_reset(out);
    row_bytes_add(out, &head, sizeof head);
    identities_write(engine, profile, out, &head.identities);
    if (p->state != NULL) {
        row_parts(p->state, parts);
        for (int i = 0; i < PARTS; i++) {
            head.counts[i] = *parts[i].count;
            if (i == PART_MEMBERSHIPS)
                memberships_write(&p->state->memberships, out);
            else if (head.counts[i] > 0)
                row_bytes_add(out, *parts[i].items, head.counts[i] * parts[i].size);
        }
    }
    TRY(buf_err(out));
    memcpy(out->ptr, &head, sizeof head);
    return OK;
}

/* ---- loading ---- */

bool row_bytes_take(struct str *from, void *to, size_t len)
{
    if (from->len < len)
        return false;
    if (len > 0)
        memcpy(to, from->ptr, len);
    *from = str_slice(*from, len, from->len);
    return true;
}

bool row_identity_take(struct str *rest, char *kind, struct str *text)
{
    uint16_t len;
    if (!row_bytes_take(rest, kind, 1) || !row_bytes_take(rest, &len, 2) || rest->len < len ||
        len == 0 || len > IDENTITY_BYTES_MAX)
        return false;
    *text = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return true;
}

static enum err identity_load(struct engine *engine, uint32_t profile, struct str *rest)
{
    char       kind;
    struct str text;
    if (!row_identity_take(rest, &kind, &text))
        return ERR_CORRUPT;
    if (people_find(engine->people, (enum identity_kind)kind, text) != PROFILE_NONE)
        return ERR_CORRUPT;
    return people_link(engine->people, profile, (enum identity_kind)kind, text);
}

static enum err memberships_load(struct state *state, uint32_t count, struct str *rest)
{
    struct memberships   *all = &state->memberships;
    struct membership_row row;
    if (count > rest->len / sizeof row)
        return ERR_CORRUPT;
    TRY(memberships_reserve(all, slab_of(state), count));
    for (uint32_t i = 0; i < count; i++) {
        (void)row_bytes_take(rest, &row, sizeof row);
        TRY(memberships_set(all, slab_of(state),
                            (struct membership){ .until_ms = row.until_ms,
                                                 .entered_ms = row.entered_ms,
                                                 .segment = row.segment,
                                                 .in = row.in }));
    }
    return OK;
}

static enum err part_load(struct slab *slab, struct part *part, uint32_t count, struct str *rest)
{
    if (count == 0)
        return OK;
    if (count > rest->len / part->size)
        return ERR_CORRUPT;
    size_t bytes = count * part->size;
    *part->items = slab_take(slab, bytes);
    if (*part->items == NULL)
        return ERR_MEMORY;
    *part->count = *part->room = count;
    return row_bytes_take(rest, *part->items, bytes) ? OK : ERR_CORRUPT;
}

static bool has_any(const struct row_head *head, int from, int to)
{
    for (int i = from; i < to; i++)
        if (head->counts[i] > 0)
            return true;
    return false;
}

static enum err parts_load(struct state *state, const struct row_head *head, struct str *rest)
{
    struct part parts[PARTS];
    if (has_any(head, PART_ENROLLMENTS, PART_CONSENTS) && state_rare_own(state) == NULL)
        return ERR_MEMORY;
    if (has_any(head, PART_CONSENTS, PARTS) && state_rarer_own(state) == NULL)
        return ERR_MEMORY;
    row_parts(state, parts);
    TRY(memberships_load(state, head->counts[PART_MEMBERSHIPS], rest));
    for (int i = PART_MEMBERSHIPS + 1; i < PARTS; i++)
        TRY(part_load(slab_of(state), &parts[i], head->counts[i], rest));
    return OK;
}

/* The last 4 bytes of an enrollment meant nothing, and the second 4 of a past how often. */
static void keys_clear(struct rare *rare)
{
    for (uint32_t i = 0; i < rare->enrollments.count; i++)
        rare->enrollments.items[i].key = 0;
    for (uint32_t i = 0; i < rare->pasts.count; i++) {
        struct past *past = &rare->pasts.items[i];
        uint32_t     times = past->key;
        int64_t      entered_ms;
        memcpy(&entered_ms, (const char *)past + 8, sizeof entered_ms);
        *past = (struct past){ .journey = past->journey,
                               .entered_ms = entered_ms,
                               .times = times < PAST_TIMES_MAX ? times : PAST_TIMES_MAX };
    }
}

static enum err state_load(struct engine *engine, uint32_t profile, const struct row_head *head,
                           struct str *rest)
{
    struct profile *p = people_get(engine->people, profile);
    if (!has_any(head, 0, PARTS))
        return OK;
    p->state = people_state_new(engine->people);
    if (p->state == NULL)
        return ERR_MEMORY;
    TRY(parts_load(p->state, head, rest));
    if (head->version == ROW_VERSION_UNKEYED && has_any(head, PART_ENROLLMENTS, PART_CONSENTS))
        keys_clear(state_rare_own(p->state));
    for (uint32_t i = 0; i < p->state->rare->messages.count; i++) {
        struct message *message = &state_rare_own(p->state)->messages.items[i];
        message->is_waiting = false; /* who waited for codes is looked at again */
        if (message->state == MESSAGE_UNKNOWN)
            continue;
        if (message->state == MESSAGE_SENDING) {
            engine->sending++;
            continue;
        }
        engine->queued++;
        TRY(outbox_wait(engine, profile, message));
    }
    return OK;
}

bool row_is_ours(const struct row_head *head)
{
    return head->version == ROW_VERSION || head->version == ROW_VERSION_UNKEYED;
}

enum err checkpoint_load(struct engine *engine, uint32_t profile, struct str row)
{
    struct row_head head;
    uint32_t        number;
    if (!row_bytes_take(&row, &head, sizeof head) || !row_is_ours(&head))
        return ERR_CORRUPT;
    TRY(people_add(engine->people, head.arrived_ms, &number));
    if (number != profile)
        return ERR_CORRUPT;
    struct profile *p = people_get(engine->people, profile);
    p->root = head.root;
    p->next = head.next;
    p->head = head.head;
    p->wake_ms = p->timer_ms = head.wake_ms;
    p->shared = (head.flags & ROW_SHARED) != 0;
    p->ask_all = (head.flags & ROW_ASK_ALL) != 0;
    p->erased = (head.flags & ROW_ERASED) != 0;
    p->quietly = (head.flags & ROW_QUIETLY) != 0;
    for (uint32_t i = 0; i < head.identities; i++)
        TRY(identity_load(engine, profile, &row));
    TRY(state_load(engine, profile, &head, &row));
    if (row.len != 0)
        return ERR_CORRUPT;
    return p->wake_ms == TIME_NEVER
               ? OK
               : calendar_add(engine->wakes, (struct timer){ p->wake_ms, profile });
}

enum err checkpoint_loaded(const struct engine *engine)
{
    uint32_t count = people_count(engine->people);
    for (uint32_t i = 0; i < count; i++) {
        const struct profile *p = people_get(engine->people, i);
        if (p->root >= count || p->next >= count ||
            people_root(engine->people, p->root) != p->root ||
            people_root(engine->people, p->next) != p->root || (p->state != NULL && p->root != i))
            return ERR_CORRUPT;
    }
    return OK;
}
