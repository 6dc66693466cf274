#include "engine/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "engine/erasure.h"
#include "engine/inside.h"
#include "engine/vec.h"

/* The parts of a state, as they follow each other in a row; all but the first are rare. */
enum {
    PART_MEMBERSHIPS,
    PART_ENROLLMENTS,
    PART_PASTS,
    PART_MESSAGES,
    PART_CONSENTS,
    PART_LISTS,
    PART_MERGES,
    PARTS
};

enum { ROW_VERSION = 6, ROW_BYTES_MAX = 4 << 20, ROW_SHARED = 1, ROW_ASK_ALL = 2, ROW_ERASED = 4 };

struct early {
    uint32_t profile;
    char    *bytes; /* malloc'ed */
    size_t   len;
};

struct checkpoint {
    uint32_t   cursor, profiles;
    struct buf scratch;
    struct {
        struct early *items;
        uint32_t      count, room;
    } early;
};

struct row_head {
    uint32_t version, root, next, flags;
    uint64_t head;
    int64_t  arrived_ms, wake_ms;
    uint32_t identities, counts[PARTS];
};

/* The arrays of a state, so that writing and reading go through one list. */
struct part {
    void    **items;
    uint32_t *count, *room;
    size_t    size;
};

static void parts_of(struct state *s, struct rare *rare, struct part parts[PARTS])
{
#define PART(in, vec)                                                                              \
    {                                                                                              \
        (void **)&in->vec.items, &in->vec.count, &in->vec.room, sizeof *in->vec.items              \
    }
    struct part all[PARTS] = { PART(s, memberships), PART(rare, enrollments), PART(rare, pasts),
                               PART(rare, messages), PART(rare, consents),    PART(rare, lists),
                               PART(rare, merges) };
#undef PART
    memcpy(parts, all, sizeof all);
}

static void bytes_add(struct buf *out, const void *bytes, size_t len)
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
        bytes_add(out, &len, sizeof len);
        buf_str(out, text);
        ++*count;
    }
}

static enum err row_write(const struct engine *engine, uint32_t profile, struct buf *out)
{
    struct profile *p = people_get(engine->people, profile);
    struct part     parts[PARTS];
    struct row_head head = { ROW_VERSION,
                             p->root,
                             p->next,
                             (p->shared ? ROW_SHARED : 0) | (p->ask_all ? ROW_ASK_ALL : 0) |
                                 (p->erased ? ROW_ERASED : 0),
                             p->head,
                             people_arrived_ms(engine->people, profile),
                             p->wake_ms,
                             0,
                             { 0 } };
    buf_reset(out);
    bytes_add(out, &head, sizeof head);
    identities_write(engine, profile, out, &head.identities);
    if (p->state != NULL) {
        /* Only read: the shared empty one may be among them. */
        parts_of(p->state, (struct rare *)p->state->rare, parts);
        for (int i = 0; i < PARTS; i++) {
            head.counts[i] = *parts[i].count;
            if (head.counts[i] > 0)
                bytes_add(out, *parts[i].items, head.counts[i] * parts[i].size);
        }
    }
    TRY(buf_err(out));
    memcpy(out->ptr, &head, sizeof head);
    return OK;
}

enum err checkpoint_begin(struct engine *engine, uint32_t *round)
{
    if (engine->checkpoint != NULL)
        return ERR_CONFLICT;
    if (engine->jobs.count > 0)
        return ERR_WAIT;
    engine->checkpoint = calloc(1, sizeof *engine->checkpoint);
    if (engine->checkpoint == NULL)
        return ERR_MEMORY;
    engine->checkpoint->profiles = people_count(engine->people);
    engine->checkpoint->scratch = buf_make(ROW_BYTES_MAX);
    *round = ++engine->round;
    return OK;
}

bool checkpoint_is_open(const struct engine *engine)
{
    return engine->checkpoint != NULL;
}

void checkpoint_end(struct engine *engine)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    if (checkpoint == NULL)
        return;
    for (uint32_t i = 0; i < checkpoint->early.count; i++)
        free(checkpoint->early.items[i].bytes);
    VEC_DONE(&checkpoint->early);
    buf_done(&checkpoint->scratch);
    free(checkpoint);
    engine->checkpoint = NULL;
}

enum err checkpoint_before(struct engine *engine, uint32_t profile)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    if (checkpoint == NULL || profile >= checkpoint->profiles || profile < checkpoint->cursor ||
        people_get(engine->people, profile)->round == engine->round)
        return OK;
    TRY(row_write(engine, profile, &checkpoint->scratch));
    struct str   row = buf_view(&checkpoint->scratch);
    struct early early = { profile, malloc(row.len), row.len };
    if (early.bytes == NULL)
        return ERR_MEMORY;
    memcpy(early.bytes, row.ptr, row.len);
    enum err err = VEC_ADD(&checkpoint->early, early);
    if (err != OK) {
        free(early.bytes);
        return err;
    }
    people_get(engine->people, profile)->round = engine->round;
    return OK;
}

/* Rows that went first wait for their writing: not with what is to be forgotten. */
enum err checkpoint_before_erasure(struct engine *engine, uint32_t profile)
{
    struct checkpoint *checkpoint = engine->checkpoint;
    TRY(checkpoint_before(engine, profile));
    for (uint32_t i = 0; checkpoint != NULL && i < checkpoint->early.count; i++) {
        struct early *early = &checkpoint->early.items[i];
        if (early->profile != profile)
            continue;
        TRY(checkpoint_bare((struct str){ early->bytes, early->len }, NULL, profile,
                            &checkpoint->scratch));
        struct str bare = buf_view(&checkpoint->scratch);
        memcpy(early->bytes, bare.ptr, bare.len); /* never more than there was */
        early->len = bare.len;
    }
    return OK;
}

static enum err row_give(struct arena *arena, struct checkpoint_row *row, uint32_t profile,
                         struct str bytes)
{
    row->profile = profile;
    row->state = str_copy(arena, bytes);
    return row->state.ptr == NULL ? ERR_MEMORY : OK;
}

enum err checkpoint_take(struct engine *engine, struct arena *arena, uint32_t most,
                         struct checkpoint_row **rows, uint32_t *count, bool *done)
{
    struct checkpoint     *checkpoint = engine->checkpoint;
    uint32_t               n = 0;
    struct checkpoint_row *all =
        ARENA_ARRAY(arena, (size_t)checkpoint->early.count + most, struct checkpoint_row);
    if (all == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < checkpoint->early.count; i++) {
        struct early *early = &checkpoint->early.items[i];
        TRY(row_give(arena, &all[n++], early->profile, (struct str){ early->bytes, early->len }));
        free(early->bytes);
        early->bytes = NULL;
    }
    checkpoint->early.count = 0;
    for (uint32_t i = 0; i < most && checkpoint->cursor < checkpoint->profiles;
         checkpoint->cursor++) {
        if (people_get(engine->people, checkpoint->cursor)->round == engine->round)
            continue;
        TRY(row_write(engine, checkpoint->cursor, &checkpoint->scratch));
        TRY(row_give(arena, &all[n++], checkpoint->cursor, buf_view(&checkpoint->scratch)));
        people_get(engine->people, checkpoint->cursor)->round = engine->round;
        i++;
    }
    *rows = all;
    *count = n;
    *done = checkpoint->cursor == checkpoint->profiles;
    return OK;
}

/* ---- loading ---- */

static bool bytes_take(struct str *from, void *to, size_t len)
{
    if (from->len < len)
        return false;
    if (len > 0)
        memcpy(to, from->ptr, len);
    *from = str_slice(*from, len, from->len);
    return true;
}

static bool identity_take(struct str *rest, char *kind, struct str *text)
{
    uint16_t len;
    if (!bytes_take(rest, kind, 1) || !bytes_take(rest, &len, 2) || rest->len < len || len == 0 ||
        len > IDENTITY_BYTES_MAX)
        return false;
    *text = str_slice(*rest, 0, len);
    *rest = str_slice(*rest, len, rest->len);
    return true;
}

/* ---- what is left of an erased profile's row ---- */

/* The bytes of a part; false: the row ends before it does. */
static bool part_take(struct str *rest, const struct row_head *head, int part, size_t size,
                      struct str *bytes)
{
    uint32_t count = head->counts[part];
    if (count > rest->len / size)
        return false;
    *bytes = str_slice(*rest, 0, count * size);
    *rest = str_slice(*rest, count * size, rest->len);
    return true;
}

static bool parts_take(struct str rest, const struct row_head *head, struct str parts[PARTS])
{
    struct state state = { 0 };
    struct rare  rare;
    struct part  all[PARTS];
    char         kind;
    struct str   text;
    parts_of(&state, &rare, all);
    for (uint32_t i = 0; i < head->identities; i++)
        if (!identity_take(&rest, &kind, &text))
            return false;
    for (int i = 0; i < PARTS; i++)
        if (!part_take(&rest, head, i, all[i].size, &parts[i]))
            return false;
    return rest.len == 0;
}

/* Whether the item with that id stays; with no erasure they all do. */
static bool is_kept(const struct erasure *erasure, uint64_t id)
{
    return erasure == NULL || !erasure_drops(erasure, id);
}

static void enrollments_keep(struct str *rest, const struct erasure *erasure, struct row_head *head,
                             struct buf *out)
{
    struct enrollment enrollment;
    while (bytes_take(rest, &enrollment, sizeof enrollment))
        if (is_kept(erasure, enrollment.id)) {
            bytes_add(out, &enrollment, sizeof enrollment);
            head->counts[PART_ENROLLMENTS]++;
        }
}

static void messages_keep(struct str *rest, const struct erasure *erasure, struct row_head *head,
                          struct buf *out)
{
    struct message message;
    while (bytes_take(rest, &message, sizeof message))
        if (is_kept(erasure, message.id)) {
            bytes_add(out, &message, sizeof message);
            head->counts[PART_MESSAGES]++;
        }
}

enum err checkpoint_bare(struct str state, const struct erasure *erasure, uint32_t profile,
                         struct buf *out)
{
    struct row_head head;
    struct str      parts[PARTS];
    if (!bytes_take(&state, &head, sizeof head) || head.version != ROW_VERSION ||
        !parts_take(state, &head, parts))
        return ERR_CORRUPT;
    struct row_head bare = { .version = ROW_VERSION,
                             .root = head.root,
                             .next = head.next,
                             .arrived_ms = head.arrived_ms,
                             .head = head.head,
                             .wake_ms = TIME_NEVER,
                             .flags = head.flags & ROW_ERASED };
    buf_reset(out);
    bytes_add(out, &bare, sizeof bare);
    enrollments_keep(&parts[PART_ENROLLMENTS], erasure, &bare, out);
    if (erasure == NULL || erasure_was_absorbed(erasure, profile)) {
        buf_str(out, parts[PART_PASTS]);
        bare.counts[PART_PASTS] = head.counts[PART_PASTS];
    }
    messages_keep(&parts[PART_MESSAGES], erasure, &bare, out);
    buf_str(out, parts[PART_MERGES]);
    bare.counts[PART_MERGES] = head.counts[PART_MERGES];
    TRY(buf_err(out));
    memcpy(out->ptr, &bare, sizeof bare);
    return OK;
}

enum err checkpoint_pruned(struct str state, const struct erasure *erasure, uint64_t seq,
                           struct buf *out)
{
    struct row_head head;
    struct str      text, rest = state;
    char            kind;
    buf_reset(out);
    if (!bytes_take(&rest, &head, sizeof head) || head.version != ROW_VERSION)
        return ERR_CORRUPT;
    uint32_t identities = head.identities;
    bytes_add(out, &head, sizeof head);
    for (uint32_t i = 0; i < identities; i++) {
        struct str all = rest;
        if (!identity_take(&rest, &kind, &text))
            return ERR_CORRUPT;
        if (erasure_took(erasure, (enum identity_kind)kind, text, seq))
            head.identities--;
        else
            buf_str(out, str_slice(all, 0, all.len - rest.len));
    }
    buf_str(out, rest);
    TRY(buf_err(out));
    memcpy(out->ptr, &head, sizeof head);
    if (head.identities == identities)
        buf_reset(out);
    return OK;
}

static enum err identity_load(struct engine *engine, uint32_t profile, struct str *rest)
{
    char       kind;
    struct str text;
    if (!identity_take(rest, &kind, &text))
        return ERR_CORRUPT;
    if (people_find(engine->people, (enum identity_kind)kind, text) != PROFILE_NONE)
        return ERR_CORRUPT;
    return people_link(engine->people, profile, (enum identity_kind)kind, text);
}

static enum err part_load(struct part *part, uint32_t count, struct str *rest)
{
    if (count == 0)
        return OK;
    if (count > rest->len / part->size)
        return ERR_CORRUPT;
    *part->items = malloc(count * part->size);
    if (*part->items == NULL)
        return ERR_MEMORY;
    *part->count = *part->room = count;
    return bytes_take(rest, *part->items, count * part->size) ? OK : ERR_CORRUPT;
}

static enum err state_load(struct engine *engine, uint32_t profile, const struct row_head *head,
                           struct str *rest)
{
    struct profile *p = people_get(engine->people, profile);
    struct part     parts[PARTS];
    uint32_t        rare = 0;
    for (int i = 1; i < PARTS; i++) /* the first are the memberships */
        rare |= head->counts[i];
    if ((rare | head->counts[0]) == 0)
        return OK;
    p->state = state_open();
    if (p->state == NULL || (rare != 0 && state_rare_own(p->state) == NULL))
        return ERR_MEMORY;
    parts_of(p->state, (struct rare *)p->state->rare, parts);
    for (int i = 0; i < (rare != 0 ? PARTS : 1); i++)
        TRY(part_load(&parts[i], head->counts[i], rest));
    for (uint32_t i = 0; i < p->state->rare->messages.count; i++) {
        const struct message *message = &p->state->rare->messages.items[i];
        if (message->state == MESSAGE_SENDING) {
            engine->sending++;
            continue;
        }
        engine->queued++;
        TRY(calendar_add(engine->outbox, (struct timer){ message->due_ms, profile }));
    }
    return OK;
}

enum err checkpoint_load(struct engine *engine, uint32_t profile, struct str row)
{
    struct row_head head;
    uint32_t        number;
    if (!bytes_take(&row, &head, sizeof head) || head.version != ROW_VERSION)
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

void engine_jobs_write(const struct engine *engine, struct buf *out)
{
    for (uint32_t i = 0; i < engine->jobs.count; i++)
        buf_format(out, "%u:%u:%u:%d;", engine->jobs.items[i].segment,
                   engine->jobs.items[i].version, engine->jobs.items[i].cursor,
                   engine->jobs.items[i].fire);
}

enum err engine_jobs_load(struct engine *engine, struct str text)
{
    struct str rest = text, one, field;
    while (str_split(&rest, ';', &one)) {
        int64_t numbers[4] = { 0 };
        int     n = 0;
        while (n < 4 && str_split(&one, ':', &field))
            if (str_to_int(field, &numbers[n++]) != OK)
                break;
        if (n >= 3)
            TRY(VEC_ADD(&engine->jobs, (struct job){ (uint32_t)numbers[0], (uint32_t)numbers[1],
                                                     (uint32_t)numbers[2], numbers[3] == 1 }));
    }
    return OK;
}
