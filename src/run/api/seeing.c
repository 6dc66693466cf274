#include "run/api/seeing.h"

#include "base/time.h"
#include "engine/report/seen.h"
#include "run/api/crew.h"

_Static_assert((int)TOUCHPOINT_EVENTS_MAX <= (int)HITS_KINDS_MAX, "they are walked at once");
_Static_assert((int)TOUCHPOINT_EVENTS_MAX <= (int)ASK_CONDITIONS_MAX, "and asked at once");

struct seeing {
    struct ask                   *ask;
    const struct segment_program *events[TOUCHPOINT_EVENTS_MAX];
    struct seen_question          question;
    struct seen                   hands[CREW_THREADS_MAX];
};

enum err seeing_days(struct call *call, int64_t *days)
{
    struct str text = call_query(call, "days");
    *days = SEEING_DAYS;
    if (text.len == 0 || (str_to_int(text, days) == OK && *days >= 1 && *days <= SEEING_DAYS_MAX))
        return OK;
    return problem_set(&call->problem, ERR_INPUT, "days", "This is no number of days.",
                       "Give 1 to 3650, or leave it out for 30.");
}

static enum err part(void *context, uint32_t hand, struct report_range range)
{
    struct seeing *seeing = context;
    return seen_run(&seeing->ask->report, &seeing->question, range, &seeing->hands[hand]);
}

static enum err run(struct seeing *seeing, const struct touchpoint *touchpoint, int64_t days)
{
    struct ask *ask = seeing->ask;
    uint32_t    number;
    ask_anew(ask);
    for (uint32_t i = 0; i < touchpoint->events_count; i++)
        TRY(ask_condition(ask,
                          (struct ask_condition){
                              .where = "events", .tree = touchpoint->events[i], .is_event = true },
                          &number));
    TRY(ask_compile(ask));
    for (uint32_t i = 0; i < touchpoint->events_count; i++)
        seeing->events[i] = &ask->conditions[i].program;
    seeing->question = (struct seen_question){ .events = seeing->events,
                                               .count = touchpoint->events_count,
                                               .since_ms = ask->report.at_ms - days * TIME_DAY_MS };
    if (touchpoint->events_count > 0)
        TRY(ask_share(ask, part, seeing));
    for (uint32_t i = 1; i < ask_hands(ask); i++)
        seen_add(&seeing->hands[0], &seeing->hands[i]);
    return OK;
}

/* ---- written ---- */

static void last_write(struct buf *out, bool *first, const struct seen_count *count)
{
    write_time(out, first, "last", count->ever == 0 ? TIME_NEVER : count->last_ms);
    json_write_key(out, first, "never");
    buf_str(out, count->ever == 0 ? STR("true") : STR("false"));
}

static enum err events_write(const struct touchpoint *touchpoint, const struct seen *seen,
                             struct buf *out, bool *first)
{
    json_write_key(out, first, "events");
    buf_char(out, '[');
    for (uint32_t i = 0; i < touchpoint->events_count; i++) {
        SCOPED(buf_donep) struct buf text = buf_make(CALL_ANSWER_BYTES_MAX);
        bool                         inner = true;
        segment_write(&text, touchpoint->events[i]);
        TRY(buf_err(&text));
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        write_text(out, &inner, "event", buf_view(&text));
        write_int(out, &inner, "count", (int64_t)seen->each[i].ever);
        write_int(out, &inner, "recent", (int64_t)seen->each[i].lately);
        last_write(out, &inner, &seen->each[i]);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    return OK;
}

static void words_write(struct api *api, const struct touchpoint *touchpoint, struct buf *out,
                        bool *first)
{
    const struct {
        const char *key;
        struct str  text;
    } words[] = { { "title", touchpoint->title },
                  { "stage", touchpoint->stage },
                  { "source", touchpoint->source },
                  { "feeling", touchpoint->feeling },
                  { "note", touchpoint->note } };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].text.len > 0)
            write_text(out, first, words[i].key, words[i].text);
    if (touchpoint->source.len == 0)
        return;
    json_write_key(out, first, "source_known");
    buf_str(out, keys_is_source(api, touchpoint->source) ? STR("true") : STR("false"));
}

enum err seeing_write(struct ask *ask, const struct touchpoint *touchpoint, int64_t days,
                      struct buf *out, bool *first)
{
    struct seeing *seeing = ARENA_NEW(ask->call->arena, struct seeing);
    bool           inner = true;
    if (seeing == NULL)
        return ERR_MEMORY;
    seeing->ask = ask;
    TRY(run(seeing, touchpoint, days));
    const struct seen *seen = &seeing->hands[0];
    words_write(ask->call->api, touchpoint, out, first);
    json_write_key(out, first, "seen");
    buf_char(out, '{');
    write_int(out, &inner, "count", (int64_t)seen->all.ever);
    write_int(out, &inner, "people", (int64_t)seen->people);
    last_write(out, &inner, &seen->all);
    write_int(out, &inner, "recent", (int64_t)seen->all.lately);
    write_int(out, &inner, "recent_people", (int64_t)seen->people_lately);
    write_int(out, &inner, "days", days);
    buf_char(out, '}');
    return events_write(touchpoint, seen, out, first);
}

static enum err text_ask(struct ask *ask, struct str text, struct buf *out, bool *first)
{
    struct touchpoint touchpoint;
    int64_t           days;
    TRY(seeing_days(ask->call, &days));
    TRY(touchpoint_parse(ask->call->arena, text, &touchpoint, &ask->call->problem));
    TRY(seeing_write(ask, &touchpoint, days, out, first));
    unseen_write(&ask->unseen, out, first);
    return OK;
}

enum err seeing_write_text(struct call *call, struct str text, struct buf *out, bool *first)
{
    struct ask ask;
    enum err   err = ask_open(&ask, call, NULL);
    if (err == OK)
        err = text_ask(&ask, text, out, first);
    ask_close(&ask);
    return err;
}
