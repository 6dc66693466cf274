#include "run/api/story.h"

#include <stdlib.h>
#include <string.h>

struct reading {
    struct call  *call;
    struct story *story;
    story_keep   *keep;
    const void   *context;
};

void story_heads(const struct engine *engine, uint32_t person, struct story *story)
{
    const struct people *people = engine_people(engine);
    uint32_t             member = person;
    story->person = person;
    story->members_count = 0;
    do {
        story->members[story->members_count] = member;
        story->heads[story->members_count++] = people_get(people, member)->head;
        member = people_get(people, member)->next;
    } while (member != person && story->members_count < RING_PROFILES_MAX);
}

struct story_question {
    struct str    who;
    struct story *story;
};

static bool story_ask(struct engine *engine, struct task *task)
{
    struct story_question *question = task->context;
    uint32_t               person = call_find(engine, question->who);
    question->story->person = PROFILE_NONE;
    if (person != PROFILE_NONE)
        story_heads(engine, person, question->story);
    return true;
}

enum err story_find(struct call *call, struct str who, struct story *story)
{
    struct story_question question = { who, story };
    TRY(call_ask(call, story_ask, &question));
    return story->person == PROFILE_NONE ? call_nobody(call, who) : OK;
}

static enum err decision_keep(struct reading *reading, struct decision *decision)
{
    struct story *story = reading->story;
    if (story->count == story->room) {
        uint32_t         room = story->room == 0 ? 256 : story->room * 2;
        struct decision *grown = ARENA_ARRAY(reading->call->arena, room, struct decision);
        if (grown == NULL)
            return ERR_MEMORY;
        if (story->count > 0)
            memcpy(grown, story->decisions, story->count * sizeof *grown);
        story->decisions = grown;
        story->room = room;
    }
    decision->detail = str_copy(reading->call->arena, decision->detail);
    story->decisions[story->count++] = *decision;
    return decision->detail.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err row_each(void *ctx, const struct store_decision *row)
{
    struct reading *reading = ctx;
    struct decision decision;
    decision_of_row(row, &decision);
    if (reading->keep != NULL && !reading->keep(reading->context, &decision))
        return OK;
    return decision_keep(reading, &decision);
}

static int newest_first(const void *a, const void *b)
{
    const struct decision *x = a, *y = b;
    return x->id > y->id ? -1 : x->id < y->id;
}

enum err story_read(struct call *call, struct story *story, story_keep *keep, const void *context)
{
    struct reading reading = { call, story, keep, context };
    for (uint32_t i = 0; i < story->members_count; i++)
        if (story->heads[i] != 0)
            TRY(store_story_read(call->desk->reader, story->heads[i], STORY_MAX, row_each,
                                 &reading));
    if (story->count > 1)
        qsort(story->decisions, story->count, sizeof *story->decisions, newest_first);
    return OK;
}

void story_write(struct buf *out, const struct decision *d)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "kind", STR("decision"));
    write_text(out, &first, "type", str_of(decision_name(d->kind)));
    write_time(out, &first, "at", d->at_ms);
    write_int(out, &first, "seq", (int64_t)d->seq);
    write_int(out, &first, "id", (int64_t)d->id);
    write_person(out, &first, "profile", d->profile);
    if (message_state_name(d->kind) != NULL)
        write_int(out, &first, "message",
                  (int64_t)(d->kind == DECISION_INTENT ? d->id : d->subject));
    if (d->kind == DECISION_STEP || d->kind == DECISION_ENDED || d->kind == DECISION_ENROLLED ||
        d->kind == DECISION_GOAL || d->kind == DECISION_UNREACHED || d->kind == DECISION_MOVED)
        write_int(out, &first, "enrollment",
                  (int64_t)(d->kind == DECISION_ENROLLED ? d->id : d->subject));
    write_raw(out, &first, "detail", d->detail);
    buf_char(out, '}');
}

static const char *event_type(uint32_t kind)
{
    switch (kind) {
    case STORE_EVENT_TRACK:
        return "track";
    case STORE_EVENT_IDENTIFY:
        return "identify";
    case STORE_EVENT_PAGE:
        return "page";
    case STORE_EVENT_SCREEN:
        return "screen";
    case STORE_EVENT_GROUP:
        return "group";
    case STORE_EVENT_ALIAS:
        return "alias";
    case STORE_EVENT_OPEN:
        return "open";
    case STORE_EVENT_CLICK:
        return "click";
    case STORE_EVENT_UNSUBSCRIBE:
        return "unsubscribe";
    case STORE_EVENT_OUTCOME:
        return "outcome";
    case STORE_EVENT_REQUEST:
        return "request";
    case STORE_EVENT_CONSENT:
        return "consent";
    default:
        return "other";
    }
}

void story_event_write(struct buf *out, const struct store_event *event, struct str name,
                       struct str source)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "kind", STR("event"));
    write_text(out, &first, "type", str_of(event_type(event->kind)));
    write_text(out, &first, "name", name);
    write_time(out, &first, "at", event->at_ms);
    write_time(out, &first, "received", event->received_ms);
    write_int(out, &first, "seq", (int64_t)event->seq);
    if (event->profile != 0)
        write_person(out, &first, "profile", (uint32_t)(event->profile - 1));
    write_text(out, &first, "messageId", event->message_id);
    write_text(out, &first, "userId", event->user_id);
    write_text(out, &first, "anonymousId", event->anonymous_id);
    write_int(out, &first, "source", event->source);
    write_text(out, &first, "sourceName", source);
    if ((event->flags & RECORD_HISTORICAL) != 0)
        buf_str(out, STR(",\"historical\":true"));
    /* The body is an object that we wrote ourselves; its members stand beside ours. */
    if (event->body.len > 2) {
        buf_char(out, ',');
        buf_str(out, str_slice(event->body, 1, event->body.len - 1));
    }
    buf_char(out, '}');
}
