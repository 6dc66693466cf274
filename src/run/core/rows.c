/*
 * The engine's words and the store's words. Profiles are counted from 0 in the engine and from 1 in
 * the store, where 0 is nobody; the store keeps in `object` the decision that began it, the engine
 * in `subject`.
 */
#include "run/core/core_inside.h"

static const struct kinds {
    enum decision_kind       engine;
    enum store_decision_kind store;
    bool                     swapped;
} decision_kinds[] = {
    { DECISION_PROFILE, STORE_DECISION_PROFILE_CREATED, false },
    { DECISION_IDENTITY, STORE_DECISION_IDENTITY, false },
    { DECISION_MERGE, STORE_DECISION_PROFILE_MERGED, false },
    { DECISION_UNMERGE, STORE_DECISION_PROFILE_UNDONE, true },
    { DECISION_SHARED, STORE_DECISION_SHARED, false },
    { DECISION_PARKED, STORE_DECISION_PARKED, false },
    { DECISION_ENTERED, STORE_DECISION_SEGMENT_ENTERED, false },
    { DECISION_LEFT, STORE_DECISION_SEGMENT_LEFT, false },
    { DECISION_JOINED, STORE_DECISION_LIST_JOINED, false },
    { DECISION_DEPARTED, STORE_DECISION_LIST_LEFT, false },
    { DECISION_CONSENT, STORE_DECISION_CONSENT_GIVEN, false },
    { DECISION_CONTEXT, STORE_DECISION_CONTEXT, false },
    { DECISION_ENROLLED, STORE_DECISION_JOURNEY_ENTERED, false },
    { DECISION_STEP, STORE_DECISION_JOURNEY_STEPPED, true },
    { DECISION_ENDED, STORE_DECISION_JOURNEY_EXITED, true },
    { DECISION_NOT_ENROLLED, STORE_DECISION_JOURNEY_REFUSED, false },
    { DECISION_INTENT, STORE_DECISION_MESSAGE_QUEUED, true },
    { DECISION_CLAIMED, STORE_DECISION_MESSAGE_SENDING, true },
    { DECISION_SENT, STORE_DECISION_MESSAGE_SENT, true },
    { DECISION_FAILED, STORE_DECISION_MESSAGE_FAILED, true },
    { DECISION_UNKNOWN, STORE_DECISION_MESSAGE_UNKNOWN, true },
    { DECISION_DROPPED, STORE_DECISION_MESSAGE_DROPPED, true },
    { DECISION_DEFERRED, STORE_DECISION_MESSAGE_WAITING, true },
    { DECISION_RETURNED, STORE_DECISION_MESSAGE_RETURNED, true },
};

enum { DECISION_KINDS = sizeof decision_kinds / sizeof decision_kinds[0] };

static const struct kinds *kinds_of_engine(enum decision_kind kind)
{
    for (int i = 0; i < DECISION_KINDS; i++)
        if (decision_kinds[i].engine == kind)
            return &decision_kinds[i];
    return &decision_kinds[0];
}

static const struct kinds *kinds_of_store(uint32_t kind)
{
    if (kind == STORE_DECISION_CONSENT_WITHDRAWN)
        kind = STORE_DECISION_CONSENT_GIVEN;
    for (int i = 0; i < DECISION_KINDS; i++)
        if ((uint32_t)decision_kinds[i].store == kind)
            return &decision_kinds[i];
    return NULL;
}

void decision_to_row(const struct decision *d, struct store_decision *row)
{
    const struct kinds *kinds = kinds_of_engine(d->kind);
    *row = (struct store_decision){
        .id = d->id,
        .seq = d->seq,
        .profile = (uint64_t)d->profile + 1,
        .prev = d->prev,
        .at_ms = d->at_ms,
        .kind = kinds->store,
        .detail = d->detail,
        .subject = kinds->swapped ? d->object : d->subject,
        .object = kinds->swapped ? d->subject : d->object,
    };
    if (d->kind == DECISION_CONSENT && d->object == 0)
        row->kind = STORE_DECISION_CONSENT_WITHDRAWN;
    if (d->kind == DECISION_STEP && d->due_ms != TIME_NEVER)
        row->kind = STORE_DECISION_JOURNEY_WAITING;
    if (d->kind == DECISION_INTENT)
        row->subject = d->other; /* the template; the node is in the detail */
}

void decision_of_row(const struct store_decision *row, struct decision *d)
{
    uint32_t            kind = row->kind == STORE_DECISION_JOURNEY_WAITING
                                   ? (uint32_t)STORE_DECISION_JOURNEY_STEPPED
                                   : row->kind;
    const struct kinds *kinds = kinds_of_store(kind);
    bool                swapped = kinds != NULL && kinds->swapped;
    *d = (struct decision){
        .id = row->id,
        .seq = row->seq,
        .profile = (uint32_t)(row->profile - 1),
        .prev = row->prev,
        .at_ms = row->at_ms,
        .kind = kinds == NULL ? (enum decision_kind)0 : kinds->engine,
        .subject = swapped ? row->object : row->subject,
        .object = (uint32_t)(swapped ? row->subject : row->object),
        .detail = row->detail,
    };
}

static uint32_t row_kind(const struct record *record)
{
    switch (record->kind) {
    case RECORD_MESSAGE:
        return str_eq(record->name, EVENT_EMAIL_OPENED)         ? STORE_EVENT_OPEN
               : str_eq(record->name, EVENT_EMAIL_CLICKED)      ? STORE_EVENT_CLICK
               : str_eq(record->name, EVENT_EMAIL_UNSUBSCRIBED) ? STORE_EVENT_UNSUBSCRIBE
                                                                : STORE_EVENT_OTHER;
    case RECORD_CONSENT:
    case RECORD_LIST:
        return STORE_EVENT_CONSENT;
    case RECORD_DEFINE:
        return STORE_EVENT_DEFINITION;
    case RECORD_OUTCOME:
        return STORE_EVENT_OUTCOME;
    case RECORD_UNMERGE:
        return STORE_EVENT_OTHER;
    default:
        return record->kind; /* track ... alias have the same numbers in both */
    }
}

_Static_assert((int)RECORD_TRACK == (int)STORE_EVENT_TRACK &&
                   (int)RECORD_ALIAS == (int)STORE_EVENT_ALIAS,
               "the six kinds of touchpoints' records are stored under the engine's numbers");

void event_to_row(const struct entry *entry, uint64_t seq, uint32_t profile, uint32_t name,
                  struct store_event *row)
{
    const struct record *record = &entry->record;
    *row = (struct store_event){
        .seq = seq,
        .received_ms = record->received_ms,
        .at_ms = record->at_ms,
        .kind = row_kind(record),
        .flags = record->flags,
        .source = record->source,
        .name = name,
        .profile = profile == PROFILE_NONE ? 0 : (uint64_t)profile + 1,
        .user_id = record->user_id,
        .anonymous_id = record->anonymous_id,
        .message_id = entry->message_id,
        .body = entry->body,
    };
}

enum record_kind kind_of_row(const struct store_event *row)
{
    switch (row->kind) {
    case STORE_EVENT_TRACK:
    case STORE_EVENT_IDENTIFY:
    case STORE_EVENT_PAGE:
    case STORE_EVENT_SCREEN:
    case STORE_EVENT_GROUP:
        return (enum record_kind)row->kind;
    case STORE_EVENT_OPEN:
    case STORE_EVENT_CLICK:
    case STORE_EVENT_UNSUBSCRIBE:
        return RECORD_MESSAGE;
    case STORE_EVENT_OUTCOME:
    case STORE_EVENT_OTHER:
        return row->name != 0 ? RECORD_MESSAGE : RECORD_NONE;
    default:
        return RECORD_NONE;
    }
}
