/* How long does it take from one event to another? */
#include "base/time.h"
#include "engine/report/spread.h"
#include "run/api/report_kind.h"

struct spreading {
    struct ask            *ask;
    uint32_t               first, then;
    int64_t                from_ms, to_ms;
    struct spread_question question;
    struct spread         *hands[CREW_THREADS_MAX];
};

/*
 * The buckets of times.h, an eighth of a doubling each, are put together to what a person wants to
 * read. A limit is the nearest bucket's; what is written is where it truly lies.
 */
static const int64_t LIMITS_MS[] = { 0,
                                     TIME_MINUTE_MS,
                                     5 * TIME_MINUTE_MS,
                                     15 * TIME_MINUTE_MS,
                                     TIME_HOUR_MS,
                                     3 * TIME_HOUR_MS,
                                     12 * TIME_HOUR_MS,
                                     TIME_DAY_MS,
                                     2 * TIME_DAY_MS,
                                     4 * TIME_DAY_MS,
                                     7 * TIME_DAY_MS,
                                     14 * TIME_DAY_MS,
                                     30 * TIME_DAY_MS,
                                     60 * TIME_DAY_MS,
                                     90 * TIME_DAY_MS,
                                     180 * TIME_DAY_MS,
                                     365 * TIME_DAY_MS };
enum { SPANS = sizeof LIMITS_MS / sizeof LIMITS_MS[0] };

static uint32_t span_bucket(uint32_t span)
{
    return span == 0 ? 0 : span < SPANS ? times_bucket(LIMITS_MS[span]) : TIMES_BUCKETS;
}

static enum err spread_read(struct ask *ask, const struct json *body, void *question)
{
    struct spreading *spread = question;
    struct str        count = json_get_str(body, STR("count"));
    spread->ask = ask;
    TRY(words_event(ask, body, json_get(body, STR("event")), "event", &spread->first));
    TRY(words_event(ask, body,
                    json_get(body, STR("then")) == NULL ? json_get(body, STR("event"))
                                                        : json_get(body, STR("then")),
                    "then", &spread->then));
    if (count.len > 0 && !str_eq(count, STR("first")) && !str_eq(count, STR("all")))
        return problem_set(&ask->call->problem, ERR_INPUT, "count",
                           "This is neither first nor all.",
                           "first: once a person; all: from every such event.");
    spread->question.all = str_eq(count, STR("all"));
    return OK;
}

static enum err spread_pick_read(struct spreading *spread, struct report_pick *pick)
{
    uint32_t span = 0;
    bool     never = json_get_bool(pick->body, STR("never"), false);
    if (!never)
        TRY(pick_number(spread->ask->call, pick->body, "bucket", 0, SPANS - 1, &span));
    spread->question.pick =
        (struct spread_pick){ pick->bits, span_bucket(span), span_bucket(span + 1), never };
    return OK;
}

static enum err spread_ready(struct ask *ask, void *question, struct report_pick *pick)
{
    struct spreading *spread = question;
    TRY(words_span(ask, 90 * TIME_DAY_MS, &spread->from_ms, &spread->to_ms));
    spread->question.first = &ask->conditions[spread->first].program;
    spread->question.then = &ask->conditions[spread->then].program;
    spread->question.from_ms = spread->from_ms;
    spread->question.to_ms = spread->to_ms;
    TRY(spread_check(&spread->question, &ask->call->problem));
    if (pick->bits != NULL)
        TRY(spread_pick_read(spread, pick));
    for (uint32_t i = 0; i < ask_hands(ask); i++) {
        spread->hands[i] = ARENA_NEW(ask->call->arena, struct spread);
        if (spread->hands[i] == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

static enum err spread_part(void *question, uint32_t hand, struct report_range range)
{
    struct spreading *spread = question;
    return spread_run(&spread->ask->report, &spread->question, range, spread->hands[hand]);
}

static void buckets_write(const struct times *times, struct buf *out)
{
    buf_char(out, '[');
    for (uint32_t span = 0; span < SPANS; span++) {
        uint32_t from = span_bucket(span), to = span_bucket(span + 1);
        uint64_t count = 0;
        bool     first = true;
        for (uint32_t bucket = from; bucket < to; bucket++)
            count += times->buckets[bucket];
        buf_str(out, span == 0 ? STR("{") : STR(",{"));
        write_int(out, &first, "bucket", span);
        write_int(out, &first, "from_ms", times_from_ms(from));
        if (to < TIMES_BUCKETS)
            write_int(out, &first, "to_ms", times_from_ms(to));
        write_int(out, &first, "count", (int64_t)count);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static enum err spread_write(struct ask *ask, void *question, bool *first)
{
    static const struct {
        const char *name;
        double      share;
    } shares[] = { { "p10_ms", 0.1 },
                   { "p25_ms", 0.25 },
                   { "median_ms", 0.5 },
                   { "p75_ms", 0.75 },
                   { "p90_ms", 0.9 } };
    struct spreading *spread = question;
    struct buf       *out = &ask->call->out;
    struct spread    *all = spread->hands[0];
    for (uint32_t i = 1; i < ask_hands(ask); i++)
        spread_add(all, spread->hands[i]);
    TRY(ask_write_condition(ask, spread->first, "event", first));
    TRY(ask_write_condition(ask, spread->then, "then", first));
    words_span_write(out, first, spread->from_ms, spread->to_ms);
    write_text(out, first, "count", spread->question.all ? STR("all") : STR("first"));
    write_int(out, first, "people", (int64_t)all->people);
    write_int(out, first, "begun", (int64_t)all->begun);
    write_int(out, first, "followed", (int64_t)all->took.count);
    write_int(out, first, "never", (int64_t)(all->begun - all->took.count));
    for (size_t i = 0; all->took.count > 0 && i < sizeof shares / sizeof shares[0]; i++)
        write_int(out, first, shares[i].name, times_share_ms(&all->took, shares[i].share));
    json_write_key(out, first, "buckets");
    buckets_write(&all->took, out);
    return OK;
}

const struct report_kind report_spread = {
    "spread", sizeof(struct spreading), spread_read, spread_ready, spread_part, spread_write, NULL
};
