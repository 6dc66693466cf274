/* Everything about a person in one document: GET /api/v1/profiles/{who}/export. */
#include "run/api/exporting.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "engine/vec.h"

enum {
    STATE_BYTES_MAX = 32 << 20,
    HEADS_A_SLICE = 100000, /* read in one statement, so that none holds the store's log long */
    STORY_A_SLICE = 5000,
    EXPORTS_READ_MAX = 4, /* whose readers are slow: each may take 16 GB of the disk */
};
#define EXPORT_MS_MAX (30 * TIME_MINUTE_MS)

static const char ABOUT[] =
    "Everything that is kept about one person, as of the instant `asOf`. Instants are UTC (ISO "
    "8601). `record` is the number under which something came in; `person` is what is known by "
    "now. Events are as they were told, the oldest first.";

#define MESSAGES                                                                                   \
    "each message: what it was, where it went, what came of it; opens and clicks by people and "   \
    "by machines; where it can be read again (view)"

static const char *const SECTIONS[][2] = {
    { "person",
      "identities, traits, computed and derived traits, segments, journeys, lists, merges" },
    { "traits", "each trait that was told: when last, by which record and source" },
    { "consent", "what may be sent now (standing), and every word with its proof (said)" },
    { "enrollments", "each way through a journey, step by step" },
    { "history", "all else that followed: identities, merges, segments, lists" },
    { "events", "everything that was told or seen, with all that was told with it" },
    { "messages", MESSAGES },
    { "codes", "discount codes that the person was given" },
    { "suppressions", "addresses of the person that nothing is sent to" },
    { "rejected", "what was told of the person and could not be taken" },
};

/* ---- what the parts share ---- */

struct str export_name(const struct export *export, enum name_kind kind, uint64_t number)
{
    return number < export->names[kind].count ? export->names[kind].items[number] : STR_NONE;
}

struct str export_source(const struct export *export, uint32_t source)
{
    return source < export->sources.count ? export->sources.items[source] : STR_NONE;
}

bool export_is_member(const struct export *export, uint64_t store_profile)
{
    for (uint32_t i = 0; i < export->story.members_count; i++)
        if ((uint64_t) export->story.members[i] + 1 == store_profile)
            return true;
    return false;
}

enum err export_address(struct export *export, struct str address)
{
    if (address.len == 0 || export->addresses_count == EXPORT_ADDRESSES_MAX)
        return OK;
    for (uint32_t i = export->addresses_count; i > 0; i--)
        if (str_eq(export->addresses[i - 1], address))
            return OK;
    struct str kept = str_copy(export->call->arena, address);
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    export->addresses[export->addresses_count++] = kept;
    return OK;
}

void export_list(struct export *export, const char *key)
{
    buf_format(&export->spool.out, ",\n\"%s\":[", key);
}

struct buf *export_item(struct export *export, bool *any)
{
    buf_str(&export->spool.out, *any ? STR(",\n") : STR("\n"));
    *any = true;
    return &export->spool.out;
}

enum err export_item_end(struct export *export)
{
    return spool_flush(&export->spool);
}

void export_list_end(struct export *export)
{
    buf_str(&export->spool.out, STR("]"));
}

/* ---- as of one instant ---- */

static bool export_ask(struct engine *engine, struct task *task)
{
    struct export *export = task->context;
    uint32_t person = call_find(engine, call_param(export->call, "who"));
    export->story.person = PROFILE_NONE;
    if (person == PROFILE_NONE)
        return true;
    story_heads(engine, person, &export->story);
    export->seq = engine_seq(engine);
    export->trait_seqs_count =
        engine_trait_seqs(engine, person, export->trait_seqs, EXPORT_TRAIT_SEQS_MAX);
    profile_write(engine, person, &export->state);
    consent_standings_write(engine, person, &export->standing);
    return true;
}

/* ---- what there is, by numbers ---- */

static enum err name_each(void *ctx, const struct store_name *row)
{
    struct export *export = ctx;
    if (row->kind >= NAME_KINDS)
        return OK;
    while (export->names[row->kind].count < row->id)
        TRY(VEC_ADD(&export->names[row->kind], STR_NONE));
    struct str text = str_copy(export->call->arena, row->text);
    return text.ptr == NULL ? ERR_MEMORY : VEC_ADD(&export->names[row->kind], text);
}

static enum err source_each(void *ctx, const struct store_credential *row)
{
    struct export *export = ctx;
    while (export->sources.count < row->id)
        TRY(VEC_ADD(&export->sources, STR_NONE));
    struct str name = str_copy(export->call->arena, row->name);
    return name.ptr == NULL ? ERR_MEMORY : VEC_ADD(&export->sources, name);
}

struct chain {
    struct export *export;
    uint64_t prev;
};

/* Where a decision stands in the document. What is about nothing else is history. */
static enum err decision_each(void *ctx, const struct store_decision *row)
{
    struct chain *chain = ctx;
    struct export *export = chain->export;
    struct decision d;
    decision_of_row(row, &d);
    chain->prev = row->prev;
    if (row->seq < export->first_seq)
        export->first_seq = row->seq;
    if (message_state_name(d.kind) != NULL)
        return VEC_ADD(
            &export->messages,
            (struct export_ref){ d.kind == DECISION_INTENT ? d.id : d.subject, d.seq, d.id });
    bool begins = d.kind == DECISION_ENROLLED ||
                  (d.kind == DECISION_HELD_OUT && !broadcast_is_key(d.subject));
    if (begins || d.kind == DECISION_STEP || d.kind == DECISION_ENDED || d.kind == DECISION_GOAL ||
        d.kind == DECISION_UNREACHED || d.kind == DECISION_MOVED)
        return VEC_ADD(&export->enrollments,
                       (struct export_ref){ begins ? d.id : d.subject, d.seq, d.id });
    return d.kind == DECISION_CONSENT ? VEC_ADD(&export->consents, d.id)
                                      : VEC_ADD(&export->history, d.id);
}

static enum err chain_read(struct export *export, uint64_t head)
{
    struct chain chain = { export, head };
    while (chain.prev != 0) {
        if (http_is_left(export->call->request))
            return ERR_WAIT;
        uint64_t from = chain.prev;
        TRY(store_story_read(export->call->desk->reader, from, STORY_A_SLICE, decision_each,
                             &chain));
        if (chain.prev == from)
            return ERR_CORRUPT; /* no such decision: the chain would never end */
    }
    return OK;
}

/* As erasing_rows.c finds them; the record of an erasure is nobody's. */
static enum err head_each(void *ctx, const struct store_event *row)
{
    struct export *export = ctx;
    if (row->profile == 0 || row->kind == STORE_EVENT_ERASURE ||
        !export_is_member(export, row->profile))
        return OK;
    return VEC_ADD(&export->events, row->seq);
}

static enum err heads_read(struct export *export)
{
    for (uint64_t from = export->first_seq; from <= export->seq; from += HEADS_A_SLICE) {
        uint64_t last = from + HEADS_A_SLICE - 1;
        if (http_is_left(export->call->request))
            return ERR_WAIT;
        TRY(store_event_heads_read(export->call->desk->reader, from,
                                   last < export->seq ? last : export->seq, head_each, export));
    }
    return OK;
}

static int ids_in_order(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void ids_sort(struct export_ids *ids)
{
    if (ids->count > 1)
        qsort(ids->items, ids->count, sizeof *ids->items, ids_in_order);
}

static enum err numbers_read(struct export *export)
{
    struct store_reader *reader = export->call->desk->reader;
    TRY(store_names_read(reader, name_each, export));
    TRY(store_credentials_read(reader, source_each, export));
    export->first_seq = export->seq;
    for (uint32_t i = 0; i < export->story.members_count; i++)
        TRY(chain_read(export, export->story.heads[i]));
    ids_sort(&export->history);
    ids_sort(&export->consents);
    return heads_read(export);
}

/* ---- the document ---- */

static enum err head_write(struct export *export)
{
    struct buf *out = &export->spool.out;
    bool        first = true;
    buf_char(out, '{');
    write_text(out, &first, "format", STR("dult-person-1"));
    write_text(out, &first, "about", str_of(ABOUT));
    json_write_key(out, &first, "sections");
    bool section = true;
    buf_char(out, '{');
    for (size_t i = 0; i < sizeof SECTIONS / sizeof SECTIONS[0]; i++)
        write_text(out, &section, SECTIONS[i][0], str_of(SECTIONS[i][1]));
    buf_char(out, '}');
    write_text(out, &first, "house", export->call->api->conf.name);
    write_time(out, &first, "asOf", export->as_of_ms);
    write_int(out, &first, "record", (int64_t) export->seq);
    buf_str(out, STR(",\n\"person\":"));
    TRY(json_parse(export->call->desk->parser, export->call->arena, buf_view(&export->state),
                   &export->person, NULL));
    json_write_pretty(out, &export->person);
    return spool_flush(&export->spool);
}

static enum err document_write(struct export *export)
{
    TRY(head_write(export));
    TRY(export_traits(export));
    TRY(export_consents(export));
    TRY(export_enrollments(export));
    TRY(export_history(export));
    TRY(export_events(export));
    TRY(export_messages(export));
    TRY(export_codes(export));
    TRY(export_suppressions(export));
    TRY(export_rejected(export));
    buf_str(&export->spool.out, STR("}\n"));
    return OK;
}

static bool gone_ask(struct engine *engine, struct task *task)
{
    struct export *export = task->context;
    if (people_is_nobody(engine_people(engine), export->story.person))
        export->story.person = PROFILE_NONE;
    return true;
}

static enum err export_make(struct export *export)
{
    struct call *call = export->call;
    TRY(call_ask(call, export_ask, export));
    if (export->story.person == PROFILE_NONE)
        return call_nobody(call, call_param(call, "who"));
    TRY(buf_err(&export->state));
    TRY(buf_err(&export->standing));
    export->as_of_ms = time_now_ms();
    TRY(numbers_read(export));
    TRY(document_write(export));
    TRY(call_ask(call, gone_ask, export)); /* erased meanwhile: half of it is missing */
    return export->story.person == PROFILE_NONE ? call_nobody(call, call_param(call, "who")) : OK;
}

/* ---- the call ---- */

static enum err export_reply(struct export *export)
{
    struct call       *call = export->call;
    struct http_header headers[] = {
        { STR("Cache-Control"), STR("no-store") },
        { STR("Content-Disposition"), STR("attachment; filename=\"person.json\"") },
    };
    struct http_answer answer = { .status = 200,
                                  .type = STR("application/json"),
                                  .headers = headers,
                                  .headers_count = sizeof headers / sizeof headers[0] };
    TRY(spool_reply(&export->spool, call->request, &answer));
    call->is_answered = true;
    return OK;
}

static void export_done(struct export *export)
{
    spool_close(&export->spool);
    buf_done(&export->state);
    buf_done(&export->standing);
    arena_close(export->row);
    for (size_t i = 0; i < NAME_KINDS; i++)
        VEC_DONE(&export->names[i]);
    VEC_DONE(&export->sources);
    VEC_DONE(&export->history);
    VEC_DONE(&export->consents);
    VEC_DONE(&export->events);
    VEC_DONE(&export->messages);
    VEC_DONE(&export->enrollments);
}

static enum err export_run(struct export *export)
{
    const char *dir = export->call->api->conf.dir;
    export->state = buf_make(STATE_BYTES_MAX);
    export->standing = buf_make(STATE_BYTES_MAX);
    export->row = arena_open(EXPORT_ROW_BYTES_MAX);
    enum err err = spool_open(&export->spool, dir == NULL ? "/tmp" : dir);
    export->spool.readers = &export->call->api->exports_read;
    if (err == OK)
        err = export->row == NULL ? ERR_MEMORY : export_make(export);
    return err;
}

enum err profile_export(struct call *call)
{
    struct export *export = ARENA_NEW(call->arena, struct export);
    if (export == NULL)
        return ERR_MEMORY;
    if (atomic_load(&call->api->exports_read) >= EXPORTS_READ_MAX)
        return problem_set(&call->problem, ERR_WAIT, "", "Other exports are still being read.",
                           "Ask again when one of them is through.");
    if (atomic_exchange(&call->api->is_exporting, true))
        return problem_set(&call->problem, ERR_WAIT, "", "Another export is being written.",
                           "Ask again in a moment.");
    *export = (struct export){ .call = call };
    http_take_longer(call->request, EXPORT_MS_MAX);
    enum err err = export_run(export);
    atomic_store(&call->api->is_exporting, false); /* who has the answer may ask for the next */
    if (err == OK)
        err = export_reply(export);
    if (err != OK && call->problem.what[0] == '\0')
        call->problem = export->spool.problem;
    export_done(export);
    return err;
}
