/*
 * What a store would have of a life with everything in it: loaded with too little memory, and
 * loaded damaged. Then it is loaded, or refused as ERR_CORRUPT.
 */
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "engine/broadcast.h"
#include "engine/checkpoint.h"
#include "engine/checkpoint_row.h"
#include "engine/codes.h"
#include "engine/describe.h"
#include "engine/engine_telling_test.h"
#include "engine/erasure.h"
#include "engine/retain.h"
#include "engine/short_memory_test.h"

/* With sanitizers a load takes ten times as long, so only some of the damages are done there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { EVERY = 13 };
#else
enum { EVERY = 1 };
#endif

enum { ROWS_MAX = 64, PAGES_MAX = 8, OF_A_KIND = 2, ENDS = 11, FLIPS = 7, WHOLE = 4 };

/* clang-format off */
#define SHOP                                                                                       \
    DEFINE(TOPICS, "topics", "{\"topics\":[{\"id\":\"news\"},{\"id\":\"offers\"}]}"),              \
    DEFINE(RETENTION, "retention", "{\"events\":\"90 days\",\"by_event\":{\"Visit\":\"9 days\"}}"),\
    DEFINE(CODES, "made", "{\"kind\":\"pool\",\"low\":2,\"expires\":\"1 days\"}"),                 \
    DEFINE(CODES, "grown", "{\"kind\":\"generated\",\"prefix\":\"A-\"}"),                          \
    DEFINE(CODES, "same", "{\"kind\":\"fixed\",\"code\":\"SAME\"}"),                               \
    { .kind = RECORD_CODES, .name = "made", .count = 3 },                                          \
    DEFINE(TEMPLATE, "hello", "subject: s\ntopic: news\n--- html\n{{ codes.made.code }}"),         \
    DEFINE(TEMPLATE, "fixed", "subject: s\ntopic: news\n--- html\n{{ codes.same.code }}"),         \
    DEFINE(TEMPLATE, "plain", "subject: s\ntransactional: yes\n--- html\nx"),                      \
    DEFINE(SEGMENT, "vip", "did \"Order\" in the last 2 days"),                                    \
    DEFINE(SEGMENT, "visited", "did \"Visit\""),                                                   \
    DEFINE(TRAIT, "spent", "sum of amount of \"Order\" in the last 30 days"),                      \
    DEFINE(STAGES, "stages", "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},{"         \
           "\"name\":\"customer\",\"when\":\"did \\\"Order\\\" in the last 3 days\"}]}"),          \
    DEFINE(JOURNEY, "all", "{\"journey\":\"all\",\"trigger\":{\"event\":\"Order\",\"key\":\"id\"}" \
           ",\"reentry\":\"always\",\"exit_when\":\"did \\\"Left\\\" since entry\",\"goal\":{"     \
           "\"condition\":\"did \\\"Paid\\\" since entry\",\"within\":\"7 days\",\"value\":"       \
           "\"amount\"},\"nodes\":[{\"id\":\"m\",\"email\":\"hello\"},"                            \
           "{\"id\":\"r\",\"record\":{\"event\":\"Told\",\"properties\":{\"plan\":\"x\"}}},"       \
           "{\"id\":\"w\",\"wait\":\"1 day\"},{\"id\":\"p\",\"email\":\"plain\"},"                 \
           "{\"id\":\"v\",\"wait\":\"2 days\"},{\"id\":\"end\",\"exit\":true}]}"),                 \
    DEFINE(JOURNEY, "held", "{\"journey\":\"held\",\"trigger\":{\"event\":\"Order\"},\"holdout\":{"\
           "\"share\":50},\"goal\":{\"condition\":\"did \\\"Paid\\\" since entry\",\"within\":"    \
           "\"2 days\"},\"nodes\":[{\"id\":\"w\",\"wait\":\"9 days\"},{\"id\":\"end\","            \
           "\"exit\":true}]}"),                                                                    \
    DEFINE(BROADCAST, "spring", "{\"broadcast\":\"spring\",\"template\":\"fixed\",\"audience\":"   \
           "\"everyone\",\"holdout\":{\"share\":30}}")
/* clang-format on */

#define PERSON(user, device)                                                                       \
    IS(user, "{\"email\":\"" user "@x.example\",\"plan\":\"pro\"}"),                               \
        { .kind = RECORD_TRACK, .anonymous = device, .name = "Visit" },                            \
        SAYS(user, "news", "subscribed"), { .kind = RECORD_LIST, .who = user, .name = "friends" }, \
        DID(user, "Order", "{\"id\":\"" user "\",\"amount\":7}")

/* Up to the checkpoint. */
static const struct line BEFORE[] = {
    SHOP,
    PERSON("ada", "d1"),
    PERSON("bo", "d2"),
    PERSON("cy", "d3"),
    PERSON("di", "d4"),
    PERSON("ed", "d5"),
    { .kind = RECORD_IDENTIFY, .who = "ada", .anonymous = "d1", .text = "{}" },
    CLAIMS,
    OUTCOME(DEFERRED),
    { .kind = RECORD_TRACK,
      .who = "bo",
      .name = "Visit",
      .context = "{\"timezone\":\"UTC\",\"locale\":\"nb-NO\"}" },
    { .kind = RECORD_BROADCAST, .name = "spring", .text = "{\"act\":\"launch\"}" },
    PASSES(TIME_HOUR_MS),
    CLAIMS,
    { .kind = RECORD_OUTCOME },
    SAYS("bo", "offers", "unsubscribed"),
    SAYS("cy", NULL, "unsubscribed"),
    { .kind = RECORD_LIST, .who = "cy", .name = "friends", .flags = RECORD_LEAVE },
    { .kind = RECORD_LIST, .who = "cy", .name = "foes" },
    { .kind = RECORD_TRACK, .anonymous = "d7", .name = "Order", .text = "{\"id\":\"x\"}" },
    SAYS("di", "news", "pending"),
    { .kind = RECORD_ALIAS, .who = "di", .anonymous = "cy" },
    END,
};

/* And after it: everything that becomes of those. */
static const struct line AFTER[] = {
    DID("ada", "Paid", "{\"amount\":9}"),
    CLAIMS,
    OUTCOME(FAILED),
    CLAIMS,
    OUTCOME(UNKNOWN),
    CLAIMS,
    OUTCOME(RETURNED),
    CLAIMS,
    OUTCOME(HELD),
    { .kind = RECORD_ALIAS, .who = "ada", .anonymous = "bo" },
    PASSES(TIME_HOUR_MS),
    PARTED,
    { .kind = RECORD_IDENTIFY, .who = "ed", .anonymous = "d7", .text = "{\"a\":1}" },
    { .kind = RECORD_CODES, .name = "made", .count = 5 },
    PASSES(TIME_HOUR_MS),
    CLAIMS,
    { .kind = RECORD_OUTCOME },
    { .kind = RECORD_TRACK, .who = "bo", .anonymous = "d7", .name = "Visit" },
    { .kind = RECORD_IDENTIFY, .who = "bo", .anonymous = "d7", .text = "{}" },
    { .kind = RECORD_DEFINE,
      .define = DEFINE_JOURNEY,
      .name = "all",
      .flags = RECORD_MOVE,
      .text = "{\"journey\":\"all\",\"trigger\":{\"event\":\"Order\",\"key\":\"id\"},\"nodes\":["
              "{\"id\":\"w\",\"wait\":\"1 day\"},{\"id\":\"v\",\"wait\":\"2 days\"},"
              "{\"id\":\"end\",\"exit\":true}]}" },
    PASSES(TIME_DAY_MS),
    DID("ed", "Left", "{}"),
    DID("ed", "Order", "{\"id\":\"2\",\"amount\":1}"),
    CLAIMS,
    { .kind = RECORD_ERASE, .who = "ed" },
    { .kind = RECORD_SUPPRESSION, .name = "ada@x.example", .text = "{\"reason\":\"by hand\"}" },
    PASSES(3 * TIME_DAY_MS),
    CLAIMS,
    IS("ed", "{\"email\":\"ed@x.example\"}"),
    PASSES(9 * TIME_DAY_MS),
    END,
};

/* ---- what a store has ---- */

struct store {
    struct telling        life;
    struct telling_stored stored;
    struct checkpoint_row rows[ROWS_MAX]; /* by profile */
    uint32_t              rows_count, checkpoint_seq;
    size_t                checkpoint_decisions;
    struct str            retention, jobs, codes, broadcasts;
    struct {
        uint32_t   number, page;
        struct str text;
    } pages[PAGES_MAX];
    uint32_t pages_count;
};

static void checkpoint_keep(struct store *s)
{
    struct checkpoint_row *rows;
    uint32_t               round, count;
    bool                   done = false;
    assert_ok(checkpoint_begin(s->life.engine, &round));
    s->checkpoint_seq = (uint32_t)engine_seq(s->life.engine);
    s->checkpoint_decisions = s->life.out.decisions_count;
    while (!done) {
        assert_ok(checkpoint_take(s->life.engine, s->life.arena, 3, &rows, &count, &done));
        for (uint32_t i = 0; i < count; i++) {
            assert_true(s->rows_count < ROWS_MAX);
            s->rows[s->rows_count++] = rows[i];
        }
    }
    checkpoint_end(s->life.engine);
}

static struct str written(struct store *s, void (*write)(const struct engine *, struct buf *))
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 20);
    write(s->life.engine, &text);
    assert_ok(buf_err(&text));
    return str_copy(s->life.arena, buf_view(&text));
}

static struct store *store_open(void)
{
    struct store *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->life.stored = &s->stored;
    assert_ok(telling_open(&s->life));
    assert_ok(telling_lines(&s->life, BEFORE));
    checkpoint_keep(s);
    assert_ok(telling_lines(&s->life, AFTER));
    s->retention = written(s, engine_retention_write);
    s->jobs = written(s, engine_jobs_write);
    s->codes = written(s, engine_codes_write);
    s->broadcasts = written(s, engine_broadcasts_write);
    while (engine_broadcast_page(s->life.engine, &s->pages[s->pages_count].number,
                                 &s->pages[s->pages_count].page, &s->pages[s->pages_count].text)) {
        struct str *text = &s->pages[s->pages_count++].text;
        *text = str_copy(s->life.arena, *text);
        assert_true(s->pages_count < PAGES_MAX);
    }
    return s;
}

static void store_close(struct store *s)
{
    telling_close(&s->life);
    free(s);
}

/* ---- an engine of it ---- */

struct loading {
    const struct store   *store;
    bool                  by_rows;
    const struct erasure *erasure; /* NULL: nobody's rows are made bare */
};

static enum err definitions_load(struct engine *engine, const struct store *s)
{
    for (size_t i = 0; i < s->life.out.names_count; i++)
        TRY(engine_load_name(engine, (enum name_kind)s->life.out.names[i].kind,
                             s->life.out.names[i].id, s->life.out.names[i].text));
    for (uint32_t i = 0; i < s->stored.definitions_count; i++) {
        const struct record *d = &s->stored.definitions[i];
        TRY(engine_load_definition(engine, d->definition_kind, d->name, d->body, (uint32_t)d->seq));
    }
    TRY(engine_retention_load(engine, s->retention));
    TRY(engine_codes_load(engine, s->codes));
    TRY(engine_broadcasts_load(engine, s->broadcasts));
    for (uint32_t i = 0; i < s->pages_count; i++)
        TRY(engine_broadcast_page_load(engine, s->pages[i].number, s->pages[i].page,
                                       s->pages[i].text));
    return OK;
}

static enum err events_load(struct engine *engine, const struct store *s)
{
    for (uint32_t i = 0; i < s->stored.events_count; i++) {
        const struct record *r = &s->stored.events[i];
        TRY(engine_load_event(engine, r->kind, r->profile, (uint32_t)r->seq, r->at_ms, r->name,
                              r->properties));
    }
    return OK;
}

static enum err rows_load(struct engine *engine, const struct loading *loading)
{
    const struct store          *s = loading->store;
    SCOPED(buf_donep) struct buf rest = buf_make(1 << 20);
    engine_load_round(engine, 1, s->checkpoint_seq);
    for (uint32_t i = 0; i < s->rows_count; i++) {
        struct str row = s->rows[i].state;
        if (loading->erasure != NULL) {
            TRY(erasure_has(loading->erasure, i)
                    ? checkpoint_bare(row, loading->erasure, i, &rest)
                    : checkpoint_pruned(row, loading->erasure, s->checkpoint_seq, &rest));
            row = rest.len == 0 ? row : buf_view(&rest);
        }
        TRY(checkpoint_load(engine, i, row));
    }
    return checkpoint_loaded(engine);
}

static enum err decisions_load(struct engine *engine, const struct loading *loading,
                               struct json_parser *parser, struct arena *arena)
{
    const struct store *s = loading->store;
    for (size_t i = 0; i < s->life.out.decisions_count; i++) {
        struct decision              d = s->life.out.decisions[i];
        SCOPED(buf_donep) struct buf bare = buf_make(1 << 16);
        struct json                  detail;
        enum erasure_rest            rest =
            loading->erasure == NULL ? ERASURE_WHOLE : erasure_rest(loading->erasure, &d);
        if (rest == ERASURE_NOTHING)
            continue;
        if (rest == ERASURE_BARE) {
            TRY(json_parse(parser, arena, d.detail, &detail, NULL));
            erasure_bare(&detail, &bare);
            TRY(buf_err(&bare));
            d.detail = buf_view(&bare);
        }
        TRY(loading->by_rows && i < s->checkpoint_decisions
                ? engine_load_told(engine, parser, arena, &d)
                : engine_load_decision(engine, parser, arena, &d));
    }
    return OK;
}

static enum err all_load(struct engine *engine, const struct loading *loading,
                         struct json_parser *parser, struct arena *arena)
{
    const struct store *s = loading->store;
    TRY(definitions_load(engine, s));
    if (loading->by_rows)
        TRY(rows_load(engine, loading));
    TRY(events_load(engine, s));
    TRY(decisions_load(engine, loading, parser, arena));
    TRY(engine_jobs_load(engine, s->jobs));
    return engine_load_end(engine, engine_seq(s->life.engine), s->life.now_ms);
}

static enum err loaded(const struct loading *loading, struct buf *said)
{
    struct engine      *engine = NULL;
    struct arena       *arena = arena_open(64 << 20);
    struct json_parser *parser = json_parser_open();
    enum err            err = arena == NULL || parser == NULL ? ERR_MEMORY : OK;
    if (err == OK)
        err = engine_open(&engine, (struct engine_conf){ .seed = 2,
                                                         .next_decision = 1000,
                                                         .lateness_ms = LATENESS_MS_DEFAULT });
    if (err == OK)
        err = all_load(engine, loading, parser, arena);
    if (err == OK && said != NULL)
        describe(engine, said);
    engine_close(engine);
    json_parser_close(parser);
    arena_close(arena);
    return err;
}

/* The erased of the life, as a start would find them. */
static enum err erasure_make(const struct store *s, struct erasure **out)
{
    struct erasure *erasure = *out = erasure_open();
    if (erasure == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < s->life.out.decisions_count; i++)
        if (s->life.out.decisions[i].kind == DECISION_ERASED)
            TRY(erasure_add(erasure, s->life.out.decisions[i].profile));
    for (size_t i = 0; i < s->life.out.decisions_count; i++)
        TRY(erasure_see(erasure, &s->life.out.decisions[i]));
    return OK;
}

static enum err load_live(const void *context, uint64_t *told)
{
    struct loading  loading = *(const struct loading *)context;
    struct erasure *erasure = NULL;
    enum err        err = OK;
    struct buf      said = buf_make(1 << 20);
    if (loading.erasure != NULL)
        err = erasure_make(loading.store, &erasure);
    loading.erasure = erasure;
    if (err == OK)
        err = loaded(&loading, &said);
    if (err == OK)
        err = buf_err(&said);
    *told = short_memory_tell(0, buf_view(&said));
    erasure_close(erasure);
    buf_done(&said);
    return err;
}

TEST(engine_stored, a_life_is_loaded_whole_by_all_ways_or_memory_was_short)
{
    struct store   *s = store_open();
    struct erasure *erasure = NULL;
    assert_ok(erasure_make(s, &erasure));
    const struct loading ways[] = { { s, false, NULL }, { s, true, NULL }, { s, true, erasure } };
    SCOPED(buf_donep) struct buf live = buf_make(1 << 20);
    describe(s->life.engine, &live);
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        SCOPED(buf_donep) struct buf said = buf_make(1 << 20);
        assert_ok(loaded(&ways[i], &said));
        assert_true(i == 2 || str_eq(buf_view(&live), buf_view(&said)));
        assert_true(short_memory_everywhere(load_live, &ways[i]) > 200);
    }
    erasure_close(erasure);
    store_close(s);
}

/* ---- damaged ---- */

static void refused_or_loaded(const struct loading *loading, size_t i, const char *damage)
{
    enum err err = loaded(loading, NULL);
    if (err != OK && err != ERR_CORRUPT)
        print_error("%zu, %s: %s\n", i, damage, err_name(err));
    assert_true(err == OK || err == ERR_CORRUPT);
}

/* The rows alone, by an engine that knows no definitions. */
static enum err rows_loaded(const struct store *s)
{
    struct engine       *engine;
    const struct loading loading = { s, true, NULL };
    assert_ok(engine_open(&engine, (struct engine_conf){ .seed = 2, .next_decision = 1000 }));
    enum err err = rows_load(engine, &loading);
    engine_close(engine);
    return err;
}

/* Numbers of nobody and of nothing, and of somebody else. */
static const uint64_t NUMBERS[] = { 0, 1, 7, 999, UINT32_MAX };
enum { NUMBERS_COUNT = sizeof NUMBERS / sizeof NUMBERS[0] };

static void decision_damage(struct store *s, size_t i, const struct loading *loading)
{
    static const char *const details[] = {
        "", "[", "[]", "{}", "{\"id\":7,\"channel\":\"none\"}", "{\"id\":\"\"}"
    };
    struct decision *d = &s->life.out.decisions[i], was = *d;
    for (size_t k = 0; k < NUMBERS_COUNT; k++) {
        d->subject = NUMBERS[k];
        refused_or_loaded(loading, i, "its subject");
        *d = was;
        d->profile = (uint32_t)NUMBERS[k];
        refused_or_loaded(loading, i, "its profile");
        *d = was;
    }
    for (size_t k = 0; k < sizeof details / sizeof details[0]; k++) {
        d->detail = str_of(details[k]);
        refused_or_loaded(loading, i, "its detail");
        *d = was;
    }
    d->kind = DECISION_NONE;
    refused_or_loaded(loading, i, "its kind");
    *d = was;
}

TEST(engine_stored, a_decision_that_lies_is_refused_or_changes_what_it_says)
{
    struct store  *s = store_open();
    struct loading loading = { s, false, NULL };
    uint32_t       seen[64] = { 0 };
    for (size_t i = 0; i < s->life.out.decisions_count; i++)
        if (seen[s->life.out.decisions[i].kind]++ % EVERY == 0 &&
            seen[s->life.out.decisions[i].kind] <= OF_A_KIND)
            decision_damage(s, i, &loading);
    store_close(s);
}

TEST(engine_stored, a_row_that_ends_too_early_or_too_late_or_is_another_programs_is_refused)
{
    struct store                *s = store_open();
    SCOPED(buf_donep) struct buf rest = buf_make(1 << 20);
    struct erasure              *erasure = NULL;
    assert_ok(erasure_make(s, &erasure));
    for (uint32_t i = 0; i < s->rows_count; i++) {
        struct str was = s->rows[i].state;
        for (size_t len = 0; len < was.len; len += ENDS * EVERY) {
            s->rows[i].state.len = len;
            assert_int_equal(rows_loaded(s), ERR_CORRUPT);
            assert_int_equal(checkpoint_bare(s->rows[i].state, erasure, i, &rest), ERR_CORRUPT);
        }
        char *longer = arena_alloc(s->life.arena, was.len + 1);
        assert_non_null(longer);
        memcpy(longer, was.ptr, was.len);
        longer[was.len] = 0;
        s->rows[i].state = (struct str){ longer, was.len + 1 };
        assert_int_equal(rows_loaded(s), ERR_CORRUPT);
        longer[0]++; /* the version */
        s->rows[i].state.len = was.len;
        assert_int_equal(rows_loaded(s), ERR_CORRUPT);
        assert_int_equal(checkpoint_bare(s->rows[i].state, erasure, i, &rest), ERR_CORRUPT);
        assert_int_equal(checkpoint_pruned(s->rows[i].state, erasure, 1, &rest), ERR_CORRUPT);
        s->rows[i].state = was;
    }
    erasure_close(erasure);
    store_close(s);
}

/* Counts, rings, identities: whatever is no number of a state is found by its form. */
TEST(engine_stored, a_row_of_which_a_bit_has_flipped_is_refused_or_loaded)
{
    struct store  *s = store_open();
    struct loading loading = { s, true, NULL };
    for (uint32_t i = 0; i < s->rows_count; i++) {
        struct str was = s->rows[i].state;
        char      *bytes = arena_alloc(s->life.arena, was.len);
        assert_non_null(bytes);
        memcpy(bytes, was.ptr, was.len);
        s->rows[i].state.ptr = bytes;
        for (size_t at = 0; at < was.len; at += FLIPS * EVERY) {
            bytes[at] = (char)(bytes[at] ^ (1 << (at % 8)));
            enum err err = rows_loaded(s);
            assert_true(err == OK || err == ERR_CORRUPT);
            if (at / FLIPS % WHOLE == 0 && err == OK)
                refused_or_loaded(&loading, at, "a bit");
            bytes[at] = was.ptr[at];
        }
        s->rows[i].state = was;
    }
    store_close(s);
}

TEST(engine_stored, what_is_kept_of_jobs_is_refused_where_it_is_cut_or_no_number)
{
    struct store  *s = store_open();
    struct loading loading = { s, false, NULL };
    struct str    *texts[] = { &s->retention, &s->jobs, &s->codes, &s->broadcasts };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct str was = *texts[i];
        char      *bytes = arena_alloc(s->life.arena, was.len + 1);
        assert_non_null(bytes);
        memcpy(bytes, was.ptr, was.len);
        for (size_t len = 0; len < was.len; len += EVERY) {
            *texts[i] = (struct str){ bytes, len };
            refused_or_loaded(&loading, i, "cut");
            texts[i]->len = was.len;
            static const char others[] = "x-9;:,";
            for (size_t k = 0; k < sizeof others - 1; k++) {
                bytes[len] = others[k];
                refused_or_loaded(&loading, i, "another letter");
            }
            bytes[len] = was.ptr[len];
        }
        *texts[i] = was;
    }
    for (uint32_t i = 0; i < s->pages_count; i++) {
        struct str was = s->pages[i].text;
        for (size_t len = 0; len < was.len; len += 1 + was.len / 50) {
            s->pages[i].text.len = len;
            refused_or_loaded(&loading, i, "a page cut");
        }
        s->pages[i].text = was;
    }
    store_close(s);
}
