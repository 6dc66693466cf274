#include "run/core/erasing_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/checkpoint.h"
#include "engine/erasure.h"
#include "engine/vec.h"
#include "run/core/core_inside.h"
#include "run/core/outbox.h"

enum {
    EVENTS_A_PART = 2000, /* removed in one transaction, so that a commit waits some 10 ms */
    SCRATCH_BYTES = 64 << 20,
    KEPT_BYTES = 1 << 30,
    ROW_BYTES = 4 << 20,
    PATH_BYTES = 4200,
    TRACE_BYTES_MIN = 3, /* shorter ids are in nearly everything; see rejected_each */
};

struct keys {
    uint64_t *items;
    uint32_t  count, room;
};

struct erasing_rows {
    struct store_reader *reader;
    struct json_parser  *parser;
    struct arena        *scratch, *kept;
    struct erasure      *erasure;
    struct keys          profiles, owners, moved, events, identifies, decisions, rejected, messages;
    struct {
        struct str *items; /* what names a person in a text: ids and addresses, in `kept` */
        uint32_t    count, room;
    } traces;
    struct {
        struct str *items;
        uint32_t    count, room;
    } addresses; /* of those, as suppressions are kept */
    struct {
        struct str *items; /* names of files; in `kept` */
        uint32_t    count, room;
    } outbox;
    struct {
        struct store_decision *items;
        uint32_t               count, room;
    } bare;
    struct {
        struct store_state *items;
        uint32_t            count, room;
    } states;
    uint32_t events_done;
    bool     rejected_done;
};

struct erasing_rows *erasing_rows_open(struct store_reader *reader, struct json_parser *parser)
{
    struct erasing_rows *rows = calloc(1, sizeof *rows);
    if (rows == NULL)
        return NULL;
    rows->reader = reader;
    rows->parser = parser;
    rows->scratch = arena_open(SCRATCH_BYTES);
    rows->kept = arena_open(KEPT_BYTES);
    rows->erasure = erasure_open();
    if (rows->scratch != NULL && rows->kept != NULL && rows->erasure != NULL)
        return rows;
    erasing_rows_close(rows);
    return NULL;
}

void erasing_rows_close(struct erasing_rows *rows)
{
    if (rows == NULL)
        return;
    VEC_DONE(&rows->profiles);
    VEC_DONE(&rows->owners);
    VEC_DONE(&rows->moved);
    VEC_DONE(&rows->events);
    VEC_DONE(&rows->identifies);
    VEC_DONE(&rows->decisions);
    VEC_DONE(&rows->rejected);
    VEC_DONE(&rows->traces);
    VEC_DONE(&rows->addresses);
    VEC_DONE(&rows->outbox);
    VEC_DONE(&rows->messages);
    VEC_DONE(&rows->bare);
    VEC_DONE(&rows->states);
    erasure_close(rows->erasure);
    arena_close(rows->scratch);
    arena_close(rows->kept);
    free(rows);
}

enum err erasing_rows_add(struct erasing_rows *rows, uint32_t profile)
{
    TRY(VEC_ADD(&rows->profiles, profile));
    TRY(VEC_ADD(&rows->owners, (uint64_t)profile + 1)); /* as the store counts them */
    return erasure_add(rows->erasure, profile);
}

/* ---- what names a person ---- */

static enum err trace_keep(struct erasing_rows *rows, struct str text)
{
    if (text.len < TRACE_BYTES_MIN)
        return OK;
    for (uint32_t i = 0; i < rows->traces.count; i++)
        if (str_eq(rows->traces.items[i], text))
            return OK;
    struct str kept = str_copy(rows->kept, text);
    return kept.ptr == NULL ? ERR_MEMORY : VEC_ADD(&rows->traces, kept);
}

/* As it stands, and as it stands within a JSON text. */
static enum err trace_add(struct erasing_rows *rows, struct str text)
{
    SCOPED(buf_donep) struct buf quoted = buf_make(DECISION_DETAIL_BYTES_MAX);
    TRY(trace_keep(rows, text));
    json_write_str(&quoted, text);
    TRY(buf_err(&quoted));
    struct str inner = buf_view(&quoted);
    return trace_keep(rows, str_slice(inner, 1, inner.len - 1));
}

/* Of a mail that was sent on trial. */
static enum err outbox_add(struct erasing_rows *rows, struct str reason)
{
    struct str name = outbox_name(reason);
    if (str_is_empty(name))
        return OK;
    name = str_copy(rows->kept, name);
    return name.ptr == NULL ? ERR_MEMORY : VEC_ADD(&rows->outbox, name);
}

static int by_number(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static bool is_of_them(void *context, uint64_t message)
{
    const struct erasing_rows *rows = context;
    return bsearch(&message, rows->messages.items, rows->messages.count, sizeof message,
                   by_number) != NULL;
}

void erasing_rows_outbox(struct erasing_rows *rows, const char *dir)
{
    char outbox[PATH_BYTES];
    if (snprintf(outbox, sizeof outbox, "%s/outbox", dir) >= (int)sizeof outbox)
        return;
    for (uint32_t i = 0; i < rows->outbox.count; i++) /* of versions that wrote no numbers */
        outbox_forget(outbox, rows->outbox.items[i]);
    if (rows->messages.count == 0)
        return;
    qsort(rows->messages.items, rows->messages.count, sizeof rows->messages.items[0], by_number);
    outbox_sweep(outbox, is_of_them, rows);
}

static enum err traces_of_decision(struct erasing_rows *rows, const struct decision *d)
{
    struct json detail;
    bool        names = d->kind == DECISION_PROFILE || d->kind == DECISION_IDENTITY;
    if (!names && d->kind != DECISION_CLAIMED && d->kind != DECISION_SENT)
        return OK;
    arena_reset(rows->scratch);
    if (d->kind == DECISION_CLAIMED)
        TRY(VEC_ADD(&rows->messages, d->subject));
    if (json_parse(rows->parser, rows->scratch, d->detail, &detail, NULL) != OK)
        return OK; /* damaged: it goes all the same */
    if (d->kind == DECISION_SENT)
        return outbox_add(rows, json_get_str(&detail, STR("reason")));
    struct str id = json_get_str(&detail, names ? STR("id") : STR("to"));
    TRY(trace_add(rows, id));
    size_t colon = str_find_char(id, 0, ':');
    return d->subject == IDENTITY_EXTERNAL && colon < id.len
               ? trace_add(rows, str_slice(id, colon + 1, id.len))
               : OK;
}

static enum err identify_each(void *ctx, const struct store_event *row)
{
    struct erasing_rows *rows = ctx;
    struct json          body;
    arena_reset(rows->scratch);
    if (json_parse(rows->parser, rows->scratch, row->body, &body, NULL) != OK)
        return OK;
    const struct json *traits = json_get(&body, STR("traits"));
    return traits == NULL ? OK : trace_add(rows, json_get_str(traits, STR("email")));
}

static enum err addresses_of_traces(struct erasing_rows *rows)
{
    char       bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str address;
    for (uint32_t i = 0; i < rows->traces.count; i++) {
        if (suppression_address(rows->traces.items[i], bytes, &address) != OK)
            continue;
        address = str_copy(rows->kept, address);
        TRY(address.ptr == NULL ? ERR_MEMORY : VEC_ADD(&rows->addresses, address));
    }
    return OK;
}

/* ---- gathering ---- */

static enum err decision_see(void *ctx, const struct store_decision *row)
{
    struct erasing_rows *rows = ctx;
    struct decision      d;
    decision_of_row(row, &d);
    if (erasure_has(rows->erasure, d.profile))
        TRY(traces_of_decision(rows, &d));
    return erasure_see(rows->erasure, &d);
}

static enum err bare_add(struct erasing_rows *rows, const struct store_decision *row)
{
    SCOPED(buf_donep) struct buf text = buf_make(DECISION_DETAIL_BYTES_MAX);
    struct json                  detail = { .kind = JSON_NULL };
    arena_reset(rows->scratch);
    if (!str_is_empty(row->detail) &&
        json_parse(rows->parser, rows->scratch, row->detail, &detail, NULL) != OK)
        return ERR_CORRUPT;
    erasure_bare(&detail, &text);
    TRY(buf_err(&text));
    struct store_decision bare = { .id = row->id, .detail = str_copy(rows->kept, buf_view(&text)) };
    return bare.detail.ptr == NULL ? ERR_MEMORY : VEC_ADD(&rows->bare, bare);
}

static enum err decision_judge(void *ctx, const struct store_decision *row)
{
    struct erasing_rows *rows = ctx;
    struct decision      d;
    decision_of_row(row, &d);
    switch (erasure_rest(rows->erasure, &d)) {
    case ERASURE_NOTHING:
        return VEC_ADD(&rows->decisions, row->id);
    case ERASURE_BARE:
        if (!erasure_has(rows->erasure, d.profile))
            TRY(VEC_ADD(&rows->moved, d.profile));
        return bare_add(rows, row);
    case ERASURE_WHOLE:
        return OK;
    }
    return OK;
}

/* The records of erasures stay: they say who asked, and name nobody. */
static enum err event_see(void *ctx, const struct store_event *row)
{
    struct erasing_rows *rows = ctx;
    if (row->profile == 0 || row->kind == STORE_EVENT_ERASURE ||
        !erasure_has(rows->erasure, (uint32_t)(row->profile - 1)))
        return OK;
    if (row->kind == STORE_EVENT_IDENTIFY)
        TRY(VEC_ADD(&rows->identifies, row->seq));
    return VEC_ADD(&rows->events, row->seq);
}

static bool has_trace(struct str text, struct str trace)
{
    for (size_t i = 0; i + trace.len <= text.len; i++)
        if (str_eq_nocase(str_slice(text, i, i + trace.len), trace))
            return true;
    return false;
}

static enum err rejected_each(void *ctx, const struct store_rejected *row)
{
    struct erasing_rows *rows = ctx;
    const struct str     texts[] = { row->body, row->message_id, row->reason, row->field };
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
        for (uint32_t i = 0; i < rows->traces.count; i++)
            if (has_trace(texts[t], rows->traces.items[i]))
                return VEC_ADD(&rows->rejected, row->id);
    return OK;
}

struct state_wanted {
    struct erasing_rows *rows;
    uint64_t             key;
    uint32_t             profile;
    bool                 is_moved; /* a living profile that an identity moved on from */
    struct buf           scratch;
};

static enum err state_rest(struct state_wanted *wanted, const struct store_state *row)
{
    const struct erasure *erasure = wanted->rows->erasure;
    return wanted->is_moved
               ? checkpoint_pruned(row->state, erasure, row->seq, &wanted->scratch)
               : checkpoint_bare(row->state, erasure, wanted->profile, &wanted->scratch);
}

/* A row of no version that is loaded says nothing; so may its place. */
static enum err state_first(void *ctx, const struct store_state *row)
{
    struct state_wanted *wanted = ctx;
    if (row->profile != wanted->key)
        return ERR_LIMIT;
    struct store_state bare = { .profile = row->profile, .seq = row->seq };
    enum err           err = state_rest(wanted, row);
    if (err == OK && wanted->scratch.len == 0)
        return ERR_LIMIT; /* it was written after the identity had moved */
    if (err == OK) {
        bare.state = str_copy(wanted->rows->kept, buf_view(&wanted->scratch));
        err = bare.state.ptr == NULL ? ERR_MEMORY : OK;
    }
    if (err != OK && err != ERR_CORRUPT)
        return err;
    TRY(VEC_ADD(&wanted->rows->states, bare));
    return ERR_LIMIT;
}

/* A checkpoint alternates between two sets of rows. */
static enum err states_gather(struct erasing_rows *rows, const struct keys *profiles, bool is_moved)
{
    struct state_wanted wanted = { .rows = rows,
                                   .is_moved = is_moved,
                                   .scratch = buf_make(ROW_BYTES) };
    enum err            err = OK;
    for (uint32_t i = 0; i < 2 * profiles->count && err == OK; i++) {
        wanted.profile = (uint32_t)profiles->items[i / 2];
        wanted.key = (uint64_t)(i % 2) << 40 | (profiles->items[i / 2] + 1);
        err = store_states_read(rows->reader, wanted.key, state_first, &wanted);
        err = err == ERR_LIMIT ? OK : err;
    }
    buf_done(&wanted.scratch);
    return err;
}

enum err erasing_rows_gather(struct erasing_rows *rows, struct store_last last)
{
    TRY(store_decisions_read(rows->reader, 1, last.decision, decision_see, rows));
    TRY(store_decisions_read(rows->reader, 1, last.decision, decision_judge, rows));
    TRY(store_event_heads_read(rows->reader, 1, last.seq, event_see, rows));
    TRY(store_events_by_seqs(rows->reader, rows->identifies.items, rows->identifies.count,
                             identify_each, rows));
    TRY(addresses_of_traces(rows));
    TRY(store_rejected_read(rows->reader, STORE_REJECTED_MAX, rejected_each, rows));
    TRY(states_gather(rows, &rows->profiles, false));
    return states_gather(rows, &rows->moved, true);
}

/* ---- removing ---- */

static enum err events_remove(struct erasing_rows *rows, struct store *store)
{
    uint32_t left = rows->events.count - rows->events_done;
    uint32_t count = left < EVENTS_A_PART ? left : EVENTS_A_PART;
    TRY(store_erase(store,
                    &(struct store_erasure){ .events = rows->events.items + rows->events_done,
                                             .events_count = count }));
    rows->events_done += count;
    return OK;
}

enum err erasing_rows_remove(struct erasing_rows *rows, struct store *store, struct store_meta note,
                             bool *done)
{
    *done = false;
    if (!rows->rejected_done) {
        TRY(store_erase(store, &(struct store_erasure){ .rejected = rows->rejected.items,
                                                        .rejected_count = rows->rejected.count }));
        rows->rejected_done = true;
        return OK;
    }
    if (rows->events_done < rows->events.count)
        return events_remove(rows, store);
    TRY(store_erase(store, &(struct store_erasure){ .decisions = rows->decisions.items,
                                                    .decisions_count = rows->decisions.count,
                                                    .bare = rows->bare.items,
                                                    .bare_count = rows->bare.count,
                                                    .states = rows->states.items,
                                                    .states_count = rows->states.count,
                                                    .metas = &note,
                                                    .metas_count = 1,
                                                    .addresses = rows->addresses.items,
                                                    .addresses_count = rows->addresses.count,
                                                    .owners = rows->owners.items,
                                                    .owners_count = rows->owners.count }));
    *done = true;
    return OK;
}
