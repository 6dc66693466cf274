#include "engine/segment/segment_computed.h"
#include "engine/segment/segment_scan.h"
#include "engine/segment/segment_since.h"
#include "engine/segment/segment_values.h"

enum { EVENTS_SHOWN_MAX = 5 }; /* the newest; the count says how many there are */

void segment_write_instant(struct buf *out, int64_t at_ms)
{
    char text[TIME_TEXT_BYTES];
    buf_char(out, '"');
    buf_str(out, str_of(time_write(at_ms, text)));
    buf_char(out, '"');
}

static void write_since(struct buf *out, bool *first, int64_t since_ms)
{
    if (since_ms == FACTS_SINCE_UNKNOWN)
        return;
    json_write_key(out, first, "since");
    segment_write_instant(out, since_ms);
}

static void write_condition(struct buf *out, bool *first, const struct segment_node *node)
{
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    segment_write(&text, node);
    if (buf_err(&text) == ERR_MEMORY)
        out->err = ERR_MEMORY;
    json_write_key(out, first, "condition");
    json_write_str(out, buf_view(&text));
}

/* The value under the key of "with the same". */
static void write_same(struct buf *out, bool *first, const struct json *value)
{
    json_write_key(out, first, "same");
    json_write(out, value);
}

static void write_event(const struct segment_asking *asking, const struct segment_op *op,
                        const struct segment_hit *hit, struct buf *out)
{
    struct json same;
    bool        first = false;
    buf_format(out, "{\"seq\":%u,\"at\":", hit->seq);
    segment_write_instant(out, hit->at_ms);
    if (op->has_same && segment_same_value(segment_hit_bag(asking, hit), op->same, &same))
        write_same(out, &first, &same);
    buf_char(out, '}');
}

static void write_events(const struct segment_asking *asking, const struct segment_op *op,
                         const struct segment_match_op *match, struct segment_span span,
                         struct buf *out, bool *first, const char *key)
{
    struct segment_scan scan;
    struct segment_hit  hit;
    uint32_t            count = 0;

    json_write_key(out, first, key);
    buf_char(out, '[');
    segment_scan_newest(&scan, asking, match, span);
    for (; segment_scan_take_newest(&scan, &hit); count++) {
        if (count >= EVENTS_SHOWN_MAX)
            continue;
        if (count > 0)
            buf_char(out, ',');
        write_event(asking, op, &hit, out);
    }
    buf_char(out, ']');
    json_write_key(out, first, key[0] == 'e' ? "count" : "then_count");
    buf_int(out, count);
}

/* By which value it holds. */
static void write_witness(const struct segment_asking *asking, const struct segment_op *op,
                          struct buf *out, bool *first)
{
    struct segment_witness witness;
    if (op->has_same && segment_eval_then(asking, op, INT64_MIN, &witness).holds)
        write_same(out, first, &witness.same);
}

/* The window's events for a count; for the first or last one, and what decides it, all of them. */
static void write_behaviour(const struct segment_asking *asking, const struct segment_op *op,
                            struct buf *out, bool *first)
{
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct segment_span  past = { INT64_MIN, asking->facts->now_ms };
    bool                 instant = op->kind == SEGMENT_FIRST_DID || op->kind == SEGMENT_LAST_DID;
    struct json          value;
    int64_t              until_ms;

    if (op->kind == SEGMENT_AGGREGATE && segment_fold_value(asking, op, &value, &until_ms)) {
        json_write_key(out, first, "value");
        json_write(out, &value);
    }
    if (op->kind == SEGMENT_FIRST_DID) {
        struct segment_scan scan;
        struct segment_hit  hit;
        segment_scan_oldest(&scan, asking, &op->match, past);
        if (segment_scan_peek_oldest(&scan, &hit)) {
            json_write_key(out, first, "first");
            segment_write_instant(out, hit.at_ms);
        }
    }
    if (op->kind == SEGMENT_THEN || op->kind == SEGMENT_THEN_NOT)
        write_witness(asking, op, out, first);
    write_events(asking, op, &op->match, instant ? past : reach.now, out, first, "events");
    if (op->kind == SEGMENT_THEN || op->kind == SEGMENT_THEN_NOT)
        write_events(asking, op, &op->then, past, out, first, "then_events");
}

/* The farthest step that was reached, and by step the events that might serve it. */
static void write_funnel(const struct segment_asking *asking, const struct segment_op *op,
                         struct buf *out, bool *first)
{
    struct segment_reach reach = segment_reach_of(&op->match.window, asking->facts);
    struct segment_span  span = reach.now;
    struct segment_op    one = *op;
    one.not_step = 0;
    one.step = op->steps_count;
    struct segment_levels levels = segment_eval_funnel(asking, &one, INT64_MIN);
    while (one.step > 0 && !levels.step.holds) {
        one.step--;
        levels = segment_eval_funnel(asking, &one, INT64_MIN);
    }
    json_write_key(out, first, "reached");
    buf_int(out, one.step);
    if (op->has_same && levels.step.holds)
        write_same(out, first, &levels.same);
    json_write_key(out, first, "steps");
    for (uint32_t i = 0; i < op->steps_count; i++) {
        bool is_first = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_events(asking, op, &op->steps[i], span, out, &is_first, "events");
        buf_char(out, '}');
        span.to_ms = asking->facts->now_ms;
    }
    buf_char(out, ']');
}

static void write_computed(const struct segment_asking *asking, const struct segment_op *op,
                           struct buf *out, bool *first)
{
    json_write_key(out, first, "computed");
    buf_str(out, STR("true"));
    write_behaviour(asking, op, out, first);
}

static void write_trait(const struct segment_asking *asking, const struct segment_op *op,
                        struct buf *out, bool *first)
{
    if (op->computed != 0) {
        write_computed(asking, &asking->ops[op->computed], out, first);
        return;
    }
    struct facts_trait trait = { .value = { .kind = JSON_NULL },
                                 .until_ms = TIME_NEVER,
                                 .since_ms = FACTS_SINCE_UNKNOWN };
    bool               known = asking->facts->ops->trait(asking->facts, op->key, &trait);
    json_write_key(out, first, "value");
    if (known)
        json_write(out, &trait.value);
    else
        buf_str(out, STR("null"));
    if (!known)
        return;
    if (trait.seq != 0) {
        json_write_key(out, first, "seq");
        buf_int(out, trait.seq);
    }
    write_since(out, first, trait.since_ms);
    if (trait.from != NULL) {
        json_write_key(out, first, "from");
        json_write_str(out, str_of(trait.from));
    }
}

static void write_member(const struct segment_asking *asking, const struct segment_op *op,
                         struct buf *out, bool *first)
{
    const struct facts *facts = asking->facts;
    struct facts_member member = op->kind == SEGMENT_IN_LIST ? facts->ops->in_list(facts, op->id)
                                 : op->kind == SEGMENT_IN_JOURNEY
                                     ? facts->ops->in_journey(facts, op->id, op->at)
                                     : facts->ops->in_segment(facts, op->id);
    write_since(out, first, member.since_ms);
}

/* Where days begin and end for this person, and which one it is there. */
static void write_today(const struct facts *facts, struct buf *out, bool *first)
{
    char text[TIME_TEXT_BYTES];
    time_write(zone_day_of(facts->zone, facts->now_ms) * TIME_DAY_MS, text);
    json_write_key(out, first, "today");
    json_write_str(out, str_slice(str_of(text), 0, str_find_char(str_of(text), 0, 'T')));
    json_write_key(out, first, "zone");
    json_write_str(out, facts->zone == NULL ? STR("UTC") : facts->zone->name);
}

static void write_been(const struct segment_asking *asking, const struct segment_op *op,
                       struct buf *out, bool *first)
{
    struct segment_been been = segment_been_since(asking, op, TIME_MIN_MS);
    write_trait(asking, op, out, first);
    json_write_key(out, first, "passes");
    buf_str(out, been.now.holds ? STR("true") : STR("false"));
    if (!been.now.holds || been.since_ms == FACTS_SINCE_UNKNOWN)
        return;
    json_write_key(out, first, "passes_since");
    segment_write_instant(out, been.since_ms);
}

static void write_consent(const struct segment_asking *asking, const struct segment_op *op,
                          struct buf *out, bool *first)
{
    static const struct str states[] = {
        [FACTS_CONSENT_UNKNOWN] = { "unknown", 7 },
        [FACTS_CONSENT_GRANTED] = { "granted", 7 },
        [FACTS_CONSENT_REFUSED] = { "refused", 7 },
        [FACTS_CONSENT_PENDING] = { "pending", 7 },
    };
    struct facts_consent said = segment_consent_said(asking->facts, op);
    json_write_key(out, first, "consent");
    json_write_str(out, states[said.state]);
    write_since(out, first, said.since_ms);
}

/* The stage that the person is in, if it is this one or a later one. */
static void write_stage(const struct segment_asking *asking, uint32_t at, struct buf *out,
                        bool *first)
{
    const struct segment_op *ops = asking->ops;
    struct str               stage = STR_NONE;
    uint32_t                 i = 0;
    for (uint32_t part = at + 1; part < ops[at].next; part = ops[part].next, i++)
        if (segment_eval_op(asking, part).holds)
            stage = ops[at].stages[i];
    json_write_key(out, first, "stage");
    if (str_is_empty(stage))
        buf_str(out, STR("null"));
    else
        json_write_str(out, stage);
}

/* A window that is told in days, in instants. */
static void write_window(const struct facts *facts, const struct segment_window *w, struct buf *out,
                         bool *first)
{
    struct segment_reach reach = segment_reach_of(w, facts);
    if (w->kind != SEGMENT_CALENDAR && !w->from_is_day && !w->to_is_day)
        return;
    write_today(facts, out, first);
    if (reach.now.from_ms != INT64_MIN) {
        json_write_key(out, first, "from");
        segment_write_instant(out, reach.now.from_ms);
    }
    json_write_key(out, first, "to");
    segment_write_instant(out, reach.now.to_ms);
}

/* One explanation: what is asked, and since when it has been so (facts: before they got a zone). */
struct explaining {
    struct segment_asking         asking;
    const struct segment_program *program;
    const struct facts           *facts;
    int64_t                      *reads;
};

static void explain(const struct explaining *why, const struct segment_node *node, uint32_t at,
                    struct buf *out);

static void write_so_since(const struct explaining *why, uint32_t at, bool holds, struct buf *out,
                           bool *first)
{
    struct segment_since since = segment_since_op(why->program, at, holds, why->facts, why->reads);
    if (since.since_ms == FACTS_SINCE_UNKNOWN)
        return;
    json_write_key(out, first, "so_since");
    segment_write_instant(out, since.since_ms);
    if (!since.or_earlier)
        return;
    json_write_key(out, first, "or_earlier");
    buf_str(out, STR("true"));
}

static void write_parts(const struct explaining *why, const struct segment_node *node, uint32_t at,
                        struct buf *out, bool *first)
{
    json_write_key(out, first, "parts");
    uint32_t part = at + 1;
    for (uint32_t i = 0; i < node->parts_count; i++, part = why->asking.ops[part].next) {
        buf_char(out, i == 0 ? '[' : ',');
        explain(why, node->parts[i], part, out);
    }
    buf_char(out, ']');
}

static void write_reasons(const struct explaining *why, const struct segment_node *node,
                          uint32_t at, struct buf *out, bool *first)
{
    const struct segment_asking *asking = &why->asking;
    const struct segment_op     *op = &asking->ops[at];
    switch (op->kind) {
    case SEGMENT_AND:
    case SEGMENT_OR:
    case SEGMENT_NOT:
        write_parts(why, node, at, out, first);
        return;
    case SEGMENT_COMPARE:
        write_trait(asking, op, out, first);
        return;
    case SEGMENT_DAY:
        write_trait(asking, op, out, first);
        write_today(asking->facts, out, first);
        return;
    case SEGMENT_BEEN:
        write_been(asking, op, out, first);
        return;
    case SEGMENT_IN_STAGE:
        write_stage(asking, at, out, first);
        return;
    case SEGMENT_CONSENT:
        write_consent(asking, op, out, first);
        return;
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        write_window(asking->facts, &op->match.window, out, first);
        if (segment_is_about_trait(node)) {
            write_computed(asking, op, out, first);
            return;
        }
        write_behaviour(asking, op, out, first);
        return;
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
        if (op->id != SEGMENT_NO_ID)
            write_member(asking, op, out, first);
        return;
    case SEGMENT_IN_JOURNEY:
        if (asking->facts->ops->in_journey != NULL)
            write_member(asking, op, out, first);
        return;
    case SEGMENT_EVERYONE:
    case SEGMENT_SHARE:
        return;
    case SEGMENT_FUNNEL:
        write_window(asking->facts, &op->match.window, out, first);
        write_funnel(asking, op, out, first);
        return;
    case SEGMENT_SCORE:
        segment_score_explain(asking, at, out, first);
        return;
    case SEGMENT_ELEMENT:
        return; /* below where: told by the events that pass */
    }
}

static void explain(const struct explaining *why, const struct segment_node *node, uint32_t at,
                    struct buf *out)
{
    struct verdict verdict = segment_eval_op(&why->asking, at);
    bool           first = true;

    buf_char(out, '{');
    write_condition(out, &first, node);
    json_write_key(out, &first, "holds");
    buf_str(out, verdict.holds ? STR("true") : STR("false"));
    if (verdict.until_ms != TIME_NEVER) {
        json_write_key(out, &first, "until");
        segment_write_instant(out, verdict.until_ms);
    }
    write_so_since(why, at, verdict.holds, out, &first);
    write_reasons(why, node, at, out, &first);
    buf_char(out, '}');
}

void segment_explain(const struct segment_program *program, const struct segment_node *node,
                     const struct facts *facts, struct buf *out)
{
    struct segment_local local;
    int64_t              reads = SEGMENT_READS_MAX;
    struct explaining why = { .asking = { program->ops, segment_localize(program, facts, &local) },
                              .program = program,
                              .facts = facts,
                              .reads = &reads };
    explain(&why, node, 0, out);
}
