/* Counting people, and listing who is in a segment. */
#include "run/api/counting.h"

#include <stdio.h>

#include "base/time.h"

enum { SAMPLE_DEFAULT = 10, SAMPLE_MAX = 100, CURSOR_BYTES_MAX = 16 };

/* ---- who they are, in words ---- */

struct naming {
    struct call    *call;
    const uint32_t *people;
    uint32_t        count;
};

static void person_write(const struct engine *engine, uint32_t person, struct buf *out)
{
    const struct people *people = engine_people(engine);
    bool                 first = true;
    uint32_t             member = person, at;
    enum identity_kind   kind;
    struct str           text;
    buf_char(out, '{');
    write_person(out, &first, "id", person);
    do {
        at = PROFILE_NONE;
        while (people_identity(people, member, &at, &kind, &text))
            if (kind == IDENTITY_USER) {
                write_text(out, &first, "userId", text);
                buf_char(out, '}');
                return;
            }
        member = people_get(people, member)->next;
    } while (member != person);
    buf_char(out, '}');
}

static bool naming_ask(struct engine *engine, struct task *task)
{
    struct naming *naming = task->context;
    for (uint32_t i = 0; i < naming->count; i++) {
        if (i > 0)
            buf_char(&naming->call->out, ',');
        person_write(engine, naming->people[i], &naming->call->out);
    }
    return true;
}

static enum err people_write(struct call *call, const struct count *count)
{
    struct naming naming = { call, count->sample, count->sample_count };
    return call_ask(call, naming_ask, &naming);
}

/* ---- counting ---- */

static enum err count_answer(struct call *call, struct counting *counting)
{
    bool first = true;
    counting->count.sample = ARENA_ARRAY(call->arena, SAMPLE_MAX, uint32_t);
    if (counting->count.sample == NULL)
        return ERR_MEMORY;
    TRY(counting_run(counting));
    const struct count *count = &counting->count;
    buf_char(&call->out, '{');
    write_int(&call->out, &first, "count", (int64_t)count->matching);
    write_int(&call->out, &first, "people", (int64_t)count->people);
    json_write_key(&call->out, &first, "share");
    json_write_real(&call->out,
                    count->people == 0 ? 0.0 : (double)count->matching / (double)count->people);
    write_time(&call->out, &first, "at", counting->at_ms);
    json_write_key(&call->out, &first, "condition");
    SCOPED(buf_donep) struct buf text = buf_make(CALL_ANSWER_BYTES_MAX);
    segment_write(&text, counting->tree);
    TRY(buf_err(&text));
    json_write_str(&call->out, buf_view(&text));
    json_write_key(&call->out, &first, "sample");
    buf_char(&call->out, '[');
    TRY(people_write(call, count));
    buf_str(&call->out, STR("]}"));
    return OK;
}

enum err segment_count(struct call *call)
{
    struct counting counting = { .call = call, .count = { .sample_room = SAMPLE_DEFAULT } };
    struct str      text = call_query(call, "condition");
    counting.segment = call_query(call, "segment");
    TRY(call_time(call, "at", TIME_NEVER, &counting.at_ms));
    if (counting.segment.len == 0)
        TRY(condition_read(call, text, NULL, &counting.tree));
    return count_answer(call, &counting);
}

enum err segment_count_post(struct call *call)
{
    struct counting counting = { .call = call,
                                 .at_ms = TIME_NEVER,
                                 .count = { .sample_room = SAMPLE_DEFAULT } };
    struct json     body;
    int64_t         sample;
    TRY(call_body(call, &body));
    struct str at = json_get_str(&body, STR("at"));
    if (at.len > 0 && time_parse(at, &counting.at_ms) != OK)
        return problem_set(&call->problem, ERR_INPUT, "at", "This is no date.",
                           "Write it as 2026-01-31T12:00:00Z.");
    if (json_get_int(&body, STR("sample"), &sample) && sample >= 0 && sample <= SAMPLE_MAX)
        counting.count.sample_room = (uint32_t)sample;
    counting.segment = json_get_str(&body, STR("segment"));
    if (counting.segment.len == 0)
        TRY(condition_read(call, STR_NONE, json_get(&body, STR("condition")), &counting.tree));
    return count_answer(call, &counting);
}

/* ---- members ---- */

enum err segment_members(struct call *call)
{
    struct counting counting = { .call = call,
                                 .segment = call_param(call, "name"),
                                 .is_listing = true };
    char            cursor[CURSOR_BYTES_MAX] = "";
    struct str      text = call_query(call, "cursor");
    int64_t         after = 0;
    TRY(call_limit(call, &counting.count.sample_room));
    TRY(call_time(call, "at", TIME_NEVER, &counting.at_ms));
    if (text.len > 0 && (str_to_int(text, &after) != OK || after < 0 || after > UINT32_MAX))
        return problem_set(&call->problem, ERR_INPUT, "cursor", "This is no cursor of ours.",
                           "Take it as it stands in `next`.");
    counting.cursor = (uint32_t)after;
    counting.count.sample = ARENA_ARRAY(call->arena, counting.count.sample_room, uint32_t);
    if (counting.count.sample == NULL)
        return ERR_MEMORY;
    TRY(counting_run(&counting));
    buf_str(&call->out, STR("{\"items\":["));
    TRY(people_write(call, &counting.count));
    if (!counting.is_done)
        snprintf(cursor, sizeof cursor, "%u", counting.cursor);
    write_next(&call->out, str_of(cursor));
    return OK;
}
