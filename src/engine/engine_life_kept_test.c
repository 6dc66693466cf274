/* What a store has of a life (names, definitions, events, decisions, a checkpoint and a snapshot of
 * the timeline), and an engine that is loaded from it. */
#include "engine/engine_life_test.h"

#include "engine/describe.h"
#include "engine/retain.h"

enum { TWIN_RECORDS = 25 }; /* told to a loaded engine before it is given up */

static void twin_base(struct life *life)
{
    size_t bytes;
    rebase_begin(life->twin, life->seq, &bytes);
    unsigned char *region = rebase_write(life->twin, &bytes);
    rebase_end(life->twin, region, bytes);
}

void life_snapshot(struct life *life)
{
    size_t bytes;
    rebase_begin(life->engine, life->seq, &bytes);
    if (life->retains)
        for (uint32_t more = life_draw(life, 3); more > 0; more--)
            life_record_random(life);
    unsigned char *region = rebase_write(life->engine, &bytes);
    rebase_keep(life->engine, region, bytes, &life->kept.base);
    if (life->is_coming) {
        life_twin_go_on(life); /* the file is there, and nothing says so yet */
        life_settle(life);
        life_judge(life);
    }
    rebase_end(life->engine, region, bytes);
    if (!life->is_coming)
        return;
    if (life->twin != NULL)
        twin_base(life);
    life_retained(life);
}

/* A checkpoint begins now and then, and takes a few rows after each record. */
void life_checkpoint_go_on(struct life *life)
{
    struct kept           *kept = &life->kept;
    struct checkpoint_row *rows;
    uint32_t               round, count;
    bool                   done;
    if (!checkpoint_is_open(life->engine)) {
        if (life_draw(life, 40) > 0 || engine_has_job(life->engine))
            return;
        assert_ok(checkpoint_begin(life->engine, &round));
        kept->round_seq = (uint32_t)life->seq;
        kept->round_decisions = (uint32_t)life->out.decisions_count;
        kept->checkpoint_seq = kept->rows_count = 0;
    }
    assert_ok(
        checkpoint_take(life->engine, life->arena, 1 + life_draw(life, 9), &rows, &count, &done));
    for (uint32_t i = 0; i < count; i++) {
        assert_true(kept->rows_count < LIFE_ROWS_MAX);
        kept->rows[kept->rows_count++] = rows[i];
    }
    if (!done)
        return;
    checkpoint_end(life->engine);
    kept->checkpoint_seq = kept->round_seq;
    kept->checkpoint_decisions = kept->round_decisions;
}

/* The profiles that are nobody's by now; NULL: all is loaded as it was written. */
static struct erasure *erasure_of_life(struct life *life)
{
    struct erasure *erasure = erasure_open();
    assert_non_null(erasure);
    for (uint32_t i = 0; i < life->out.decisions_count; i++)
        if (life->out.decisions[i].kind == DECISION_ERASED)
            assert_ok(erasure_add(erasure, life->out.decisions[i].profile));
    for (uint32_t i = 0; i < life->out.decisions_count; i++)
        assert_ok(erasure_see(erasure, &life->out.decisions[i]));
    return erasure;
}

static struct str bare(struct life *life, struct str detail)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    erasure_bare(life_object(life, detail), &text);
    assert_ok(buf_err(&text));
    return str_copy(life->arena, buf_view(&text));
}

static struct str row_of(const struct life *life, const struct checkpoint_row *row,
                         struct buf *scratch)
{
    if (life->erasure == NULL)
        return row->state;
    if (erasure_has(life->erasure, row->profile))
        assert_ok(checkpoint_bare(row->state, life->erasure, row->profile, scratch));
    else
        assert_ok(checkpoint_pruned(row->state, life->erasure, life->kept.checkpoint_seq, scratch));
    return scratch->len == 0 ? row->state : buf_view(scratch);
}

static void checkpoint_in(struct life *life, struct engine *twin)
{
    const struct kept           *kept = &life->kept;
    SCOPED(buf_donep) struct buf scratch = buf_make(1 << 20);
    for (uint32_t p = 0; p < kept->rows_count; p++)
        for (uint32_t i = 0; i < kept->rows_count; i++)
            if (kept->rows[i].profile == p)
                assert_ok(checkpoint_load(twin, p, row_of(life, &kept->rows[i], &scratch)));
    assert_ok(checkpoint_loaded(twin));
}

static void tail_in(struct life *life, struct engine *twin, uint32_t checkpoint_seq,
                    uint32_t checkpoint_decisions)
{
    const struct kept  *kept = &life->kept;
    struct json_parser *parser = json_parser_open();
    uint32_t            base_seq = timeline_base_seq(engine_timeline(twin));
    for (uint32_t i = 0; i < kept->events_count; i++) {
        const struct record *r = &kept->events[i].record;
        bool gone = life->erasure != NULL && erasure_has(life->erasure, kept->events[i].profile);
        if (r->seq > base_seq && !gone && !kept->events[i].purged)
            assert_ok(engine_load_event(twin, r->kind, kept->events[i].profile, (uint32_t)r->seq,
                                        r->at_ms, r->name, r->properties));
    }
    for (uint32_t i = 0; i < life->out.decisions_count; i++) {
        struct decision   d = life->out.decisions[i];
        enum erasure_rest rest =
            life->erasure == NULL ? ERASURE_WHOLE : erasure_rest(life->erasure, &d);
        if (rest == ERASURE_NOTHING)
            continue;
        if (rest == ERASURE_BARE)
            d.detail = bare(life, d.detail);
        if (i >= checkpoint_decisions)
            assert_ok(engine_load_decision(twin, parser, life->arena, &d));
        else if (d.seq > base_seq)
            assert_ok(engine_load_told(twin, parser, life->arena, &d));
    }
    for (uint32_t i = 0; i < kept->events_count; i++)
        if (kept->events[i].record.seq > checkpoint_seq)
            engine_load_touch(twin, kept->events[i].profile);
    json_parser_close(parser);
}

/* Who is who, and who is nobody, is loaded as it was. */
static void same(struct life *life)
{
    const struct people         *was = life->engine->people, *is = life->twin->people;
    SCOPED(buf_donep) struct buf a = buf_make(1 << 16), b = buf_make(1 << 16);
    assert_int_equal(people_count(was), people_count(is));
    for (uint32_t p = 0; p < people_count(was); p++) {
        buf_format(&a, "%u of %u nobody %d", p, people_root(was, p), people_is_nobody(was, p));
        buf_format(&b, "%u of %u nobody %d", p, people_root(is, p), people_is_nobody(is, p));
        describe_identities(was, p, &a);
        describe_identities(is, p, &b);
    }
    if (!str_eq(buf_view(&a), buf_view(&b)))
        print_error("seed %llu: live\n%.*sloaded\n%.*s", (unsigned long long)life->seed,
                    STR_ARG(buf_view(&a)), STR_ARG(buf_view(&b)));
    assert_true(str_eq(buf_view(&a), buf_view(&b)));
}

static void twin_load(struct life *life)
{
    const struct kept *kept = &life->kept;
    bool               has_checkpoint = kept->checkpoint_seq > 0 && life_draw(life, 4) > 0;
    SCOPED(buf_donep) struct buf jobs = buf_make(1 << 16), retention = buf_make(1 << 16);
    struct engine_conf           conf = { .seed = life->seed + 1,
                                          .next_decision = life->out.decisions_count + 1,
                                          .lateness_ms = LATENESS_MS_DEFAULT,
                                          .zones = life_draw(life, 2) ? life->newer : life->zones };
    assert_ok(engine_open(&life->twin, conf));
    for (size_t i = 0; i < life->out.names_count; i++)
        assert_ok(engine_load_name(life->twin, (enum name_kind)life->out.names[i].kind,
                                   life->out.names[i].id, life->out.names[i].text));
    for (uint32_t i = 0; i < kept->definitions_count; i++)
        assert_ok(engine_load_definition(
            life->twin, kept->definitions[i].kind, str_of(kept->definitions[i].name),
            str_of(kept->definitions[i].text), kept->definitions[i].seq));
    engine_retention_write(life->engine, &retention);
    assert_ok(engine_retention_load(life->twin, buf_view(&retention)));
    life->erasure = life_draw(life, 2) == 0 ? erasure_of_life(life) : NULL;
    life->swept += life->erasure != NULL;
    if (has_checkpoint) {
        engine_load_round(life->twin, 1, kept->checkpoint_seq);
        engine_load_zones(life->twin, zones_version(life->zones));
        checkpoint_in(life, life->twin);
    }
    if (kept->base.bags_file >= 0 && life_draw(life, 4) > 0)
        rebase_load(life->twin, &kept->base);
    tail_in(life, life->twin, has_checkpoint ? kept->checkpoint_seq : 0,
            has_checkpoint ? kept->checkpoint_decisions : 0);
    engine_jobs_write(life->engine, &jobs);
    assert_ok(engine_jobs_load(life->twin, buf_view(&jobs)));
    life_cast_load(life);
    assert_ok(engine_load_end(life->twin, life->seq, life->now_ms));
    erasure_close(life->erasure);
    life->erasure = NULL;
    same(life);
    life_cast_loaded(life);
    life->twin_out = (struct out){ .arena = life->arena };
    life->twin_left = TWIN_RECORDS;
    life_announce(life, life->twin);
    life->twin_is_ahead = life->is_coming;
    life->loads++;
}

void life_twin_go_on(struct life *life)
{
    if (life->twin == NULL) {
        if (life_draw(life, life->is_coming ? 4 : 40) == 0 && life_announces_alike(life))
            twin_load(life);
    } else if (life->twin_left-- == 0) {
        engine_close(life->twin);
        life->twin = NULL;
    }
}
