/* A person is forgotten for good: asked for here, done in the background (core/erasing.h). */
#include "run/api/rehearsals.h"
#include "run/api/story.h"

#include "base/time.h"
#include "engine/own.h"

/* How much there is of the person. */
struct person_question {
    struct str   who;
    struct story story;
    uint64_t     events;
};

static bool person_ask(struct engine *engine, struct task *task)
{
    struct person_question *question = task->context;
    uint32_t                person = call_find(engine, question->who);
    question->story.person = PROFILE_NONE;
    if (person == PROFILE_NONE)
        return true;
    story_heads(engine, person, &question->story);
    for (uint32_t m = 0; m < question->story.members_count; m++) {
        struct run runs[TIMELINE_RUNS_MAX];
        uint32_t   count = timeline_runs(engine_timeline(engine), question->story.members[m], runs);
        for (uint32_t r = 0; r < count; r++)
            for (uint32_t i = 0; i < runs[r].count; i++)
                question->events += !own_is_hidden(runs[r].name[i]);
    }
    return true;
}

static bool is_intent(const void *context, const struct decision *d)
{
    (void)context;
    return d->kind == DECISION_INTENT;
}

static void person_write(struct call *call, const struct person_question *question, bool *first)
{
    write_person(&call->out, first, "profile", question->story.person);
    write_int(&call->out, first, "profiles", question->story.members_count);
    write_int(&call->out, first, "events", (int64_t)question->events);
    write_int(&call->out, first, "messages", question->story.count);
}

enum err profile_erase(struct call *call)
{
    struct person_question question = { .who = call_param(call, "who") };
    struct task            task;
    bool                   first = true;
    TRY(call_ask(call, person_ask, &question));
    if (question.story.person == PROFILE_NONE)
        return call_nobody(call, question.who);
    TRY(story_read(call, &question.story, is_intent, NULL));
    buf_char(&call->out, '{');
    if (!call_flag(call, "dry")) {
        struct entry entry = { .record = { .kind = RECORD_ERASE,
                                           .profile = question.story.person,
                                           .at_ms = time_now_ms(),
                                           .received_ms = time_now_ms() },
                               .body = STR("{}") };
        TRY(call_submit(call, &entry, 1, &task));
        call->status = 202;
        rehearsals_forget(call->api->rehearsals);
        write_int(&call->out, &first, "erasure", (int64_t)task.seq);
    }
    person_write(call, &question, &first);
    buf_char(&call->out, '}');
    return OK;
}

/* ---- how far it is ---- */

static const char *state_name(enum core_erasure_step step)
{
    switch (step) {
    case CORE_ERASURE_ROWS:
        return "rows";
    case CORE_ERASURE_INDEX:
        return "index";
    case CORE_ERASURE_FILES:
        return "files";
    case CORE_ERASURE_DONE:
        return "done";
    }
    return "rows";
}

static enum err erasure_find(struct call *call, int64_t *seq, struct store_event *row)
{
    struct str text = call_param(call, "id");
    if (str_to_int(text, seq) == OK && *seq > 0) {
        enum err err = store_event_get(call->desk->reader, call->arena, (uint64_t)*seq, row);
        if (err != ERR_ABSENT && (err != OK || row->kind == STORE_EVENT_ERASURE))
            return err;
    }
    return problem_format(&call->problem, ERR_ABSENT, "id",
                          "Take the number that the erasure was answered with.",
                          "There is no erasure %.*s.", STR_ARG(text));
}

/* When it was done; the time that a first look at the store gives is the answer's. */
static enum err done_write(struct call *call, int64_t seq, bool *first)
{
    struct str key = str_format(call->arena, "erasure.%lld", (long long)seq), text;
    int64_t    done_ms;
    enum err   err = store_meta_get(call->desk->reader, call->arena, key, &text);
    if (err == ERR_ABSENT)
        return OK;
    TRY(err);
    if (str_to_int(text, &done_ms) == OK)
        write_time(&call->out, first, "done", done_ms);
    return OK;
}

enum err erasure_show(struct call *call)
{
    struct store_event row;
    int64_t            seq;
    bool               first = true;
    TRY(erasure_find(call, &seq, &row));
    struct core_erasure erasure = core_erasure(call->api->conf.core, (uint64_t)seq);
    buf_char(&call->out, '{');
    write_int(&call->out, &first, "erasure", seq);
    write_text(&call->out, &first, "state", str_of(state_name(erasure.step)));
    write_text(&call->out, &first, "waitingFor", str_of(erasure.reader));
    write_time(&call->out, &first, "asked", row.received_ms);
    if (erasure.step == CORE_ERASURE_DONE)
        TRY(done_write(call, seq, &first));
    buf_char(&call->out, '}');
    return OK;
}
