/*
 * The engine's words and the store's words. Profiles are counted from 0 in the engine and from 1 in
 * the store, where 0 is nobody; the store keeps in `object` the decision that began it, the engine
 * in `subject`.
 */
#include "run/core/core_inside.h"

#include <stdlib.h>

struct kind {
    enum store_decision_kind store;
    bool                     swapped; /* subject and object */
};

/* No default: the compiler names the kind that has no row. */
static struct kind kind_of_engine(enum decision_kind kind)
{
    switch (kind) {
    case DECISION_NONE:
        break;
    case DECISION_PROFILE:
        return (struct kind){ STORE_DECISION_PROFILE_CREATED, false };
    case DECISION_IDENTITY:
        return (struct kind){ STORE_DECISION_IDENTITY, false };
    case DECISION_MERGE:
        return (struct kind){ STORE_DECISION_PROFILE_MERGED, false };
    case DECISION_UNMERGE:
        return (struct kind){ STORE_DECISION_PROFILE_UNDONE, true };
    case DECISION_SHARED:
        return (struct kind){ STORE_DECISION_SHARED, false };
    case DECISION_ERASED:
        return (struct kind){ STORE_DECISION_PROFILE_ERASED, false };
    case DECISION_PARKED:
        return (struct kind){ STORE_DECISION_PARKED, false };
    case DECISION_ENTERED:
        return (struct kind){ STORE_DECISION_SEGMENT_ENTERED, false };
    case DECISION_LEFT:
        return (struct kind){ STORE_DECISION_SEGMENT_LEFT, false };
    case DECISION_JOINED:
        return (struct kind){ STORE_DECISION_LIST_JOINED, false };
    case DECISION_DEPARTED:
        return (struct kind){ STORE_DECISION_LIST_LEFT, false };
    case DECISION_CONSENT:
        return (struct kind){ STORE_DECISION_CONSENT_GIVEN, false };
    case DECISION_CONTEXT:
        return (struct kind){ STORE_DECISION_CONTEXT, false };
    case DECISION_ENROLLED:
        return (struct kind){ STORE_DECISION_JOURNEY_ENTERED, false };
    case DECISION_STEP:
        return (struct kind){ STORE_DECISION_JOURNEY_STEPPED, true };
    case DECISION_ENDED:
        return (struct kind){ STORE_DECISION_JOURNEY_EXITED, true };
    case DECISION_NOT_ENROLLED:
        return (struct kind){ STORE_DECISION_JOURNEY_REFUSED, false };
    case DECISION_HELD_OUT:
        return (struct kind){ STORE_DECISION_HELD_OUT, false };
    case DECISION_GOAL:
        return (struct kind){ STORE_DECISION_JOURNEY_GOAL, true };
    case DECISION_UNREACHED:
        return (struct kind){ STORE_DECISION_JOURNEY_MISSED, true };
    case DECISION_MOVED:
        return (struct kind){ STORE_DECISION_JOURNEY_MOVED, true };
    case DECISION_INTENT:
        return (struct kind){ STORE_DECISION_MESSAGE_QUEUED, true };
    case DECISION_CLAIMED:
        return (struct kind){ STORE_DECISION_MESSAGE_SENDING, true };
    case DECISION_SENT:
        return (struct kind){ STORE_DECISION_MESSAGE_SENT, true };
    case DECISION_FAILED:
        return (struct kind){ STORE_DECISION_MESSAGE_FAILED, true };
    case DECISION_UNKNOWN:
        return (struct kind){ STORE_DECISION_MESSAGE_UNKNOWN, true };
    case DECISION_DROPPED:
        return (struct kind){ STORE_DECISION_MESSAGE_DROPPED, true };
    case DECISION_DEFERRED:
        return (struct kind){ STORE_DECISION_MESSAGE_WAITING, true };
    case DECISION_RETURNED:
        return (struct kind){ STORE_DECISION_MESSAGE_RETURNED, true };
    case DECISION_CODE:
        return (struct kind){ STORE_DECISION_MESSAGE_CODE, true };
    case DECISION_WAITING:
        return (struct kind){ STORE_DECISION_MESSAGE_LACKS, true };
    }
    abort(); /* stored as another kind it would be wrong for ever */
}

static enum decision_kind kind_of_store(uint32_t kind)
{
    switch ((enum store_decision_kind)kind) {
    case STORE_DECISION_PROFILE_CREATED:
        return DECISION_PROFILE;
    case STORE_DECISION_PROFILE_MERGED:
        return DECISION_MERGE;
    case STORE_DECISION_PROFILE_UNDONE:
        return DECISION_UNMERGE;
    case STORE_DECISION_PARKED:
        return DECISION_PARKED;
    case STORE_DECISION_IDENTITY:
        return DECISION_IDENTITY;
    case STORE_DECISION_SHARED:
        return DECISION_SHARED;
    case STORE_DECISION_PROFILE_ERASED:
        return DECISION_ERASED;
    case STORE_DECISION_SEGMENT_ENTERED:
        return DECISION_ENTERED;
    case STORE_DECISION_SEGMENT_LEFT:
        return DECISION_LEFT;
    case STORE_DECISION_JOURNEY_ENTERED:
        return DECISION_ENROLLED;
    case STORE_DECISION_JOURNEY_STEPPED:
    case STORE_DECISION_JOURNEY_WAITING:
        return DECISION_STEP;
    case STORE_DECISION_JOURNEY_EXITED:
        return DECISION_ENDED;
    case STORE_DECISION_JOURNEY_REFUSED:
        return DECISION_NOT_ENROLLED;
    case STORE_DECISION_HELD_OUT:
        return DECISION_HELD_OUT;
    case STORE_DECISION_JOURNEY_GOAL:
        return DECISION_GOAL;
    case STORE_DECISION_JOURNEY_MISSED:
        return DECISION_UNREACHED;
    case STORE_DECISION_JOURNEY_MOVED:
        return DECISION_MOVED;
    case STORE_DECISION_MESSAGE_QUEUED:
        return DECISION_INTENT;
    case STORE_DECISION_MESSAGE_WAITING:
        return DECISION_DEFERRED;
    case STORE_DECISION_MESSAGE_DROPPED:
        return DECISION_DROPPED;
    case STORE_DECISION_MESSAGE_SENDING:
        return DECISION_CLAIMED;
    case STORE_DECISION_MESSAGE_SENT:
        return DECISION_SENT;
    case STORE_DECISION_MESSAGE_FAILED:
        return DECISION_FAILED;
    case STORE_DECISION_MESSAGE_UNKNOWN:
        return DECISION_UNKNOWN;
    case STORE_DECISION_MESSAGE_RETURNED:
        return DECISION_RETURNED;
    case STORE_DECISION_MESSAGE_CODE:
        return DECISION_CODE;
    case STORE_DECISION_MESSAGE_LACKS:
        return DECISION_WAITING;
    case STORE_DECISION_CONSENT_GIVEN:
    case STORE_DECISION_CONSENT_WITHDRAWN:
    case STORE_DECISION_CONSENT_PENDING:
    case STORE_DECISION_CONSENT_UNSAID:
        return DECISION_CONSENT;
    case STORE_DECISION_LIST_JOINED:
        return DECISION_JOINED;
    case STORE_DECISION_LIST_LEFT:
        return DECISION_DEPARTED;
    case STORE_DECISION_CONTEXT:
        return DECISION_CONTEXT;
    case STORE_DECISION_TRAITS:
    case STORE_DECISION_MESSAGE_BOUNCED:
    case STORE_DECISION_MESSAGE_COMPLAINED:
    case STORE_DECISION_MESSAGE_OPENED:
    case STORE_DECISION_MESSAGE_CLICKED:
    case STORE_DECISION_MESSAGE_UNSUBSCRIBED:
    case STORE_DECISION_SUPPRESSED:
    case STORE_DECISION_UNSUPPRESSED:
        return DECISION_NONE; /* the engine decides none of these */
    }
    return DECISION_NONE;
}

static uint32_t consent_row_kind(uint32_t state)
{
    return state == CONSENT_GRANTED   ? STORE_DECISION_CONSENT_GIVEN
           : state == CONSENT_PENDING ? STORE_DECISION_CONSENT_PENDING
           : state == CONSENT_UNKNOWN ? STORE_DECISION_CONSENT_UNSAID
                                      : STORE_DECISION_CONSENT_WITHDRAWN;
}

void decision_to_row(const struct decision *d, struct store_decision *row)
{
    struct kind kind = kind_of_engine(d->kind);
    *row = (struct store_decision){
        .id = d->id,
        .seq = d->seq,
        .profile = (uint64_t)d->profile + 1,
        .prev = d->prev,
        .at_ms = d->at_ms,
        .kind = kind.store,
        .detail = d->detail,
        .subject = kind.swapped ? d->object : d->subject,
        .object = kind.swapped ? d->subject : d->object,
    };
    if (d->kind == DECISION_CONSENT)
        row->kind = consent_row_kind(d->object);
    if (d->kind == DECISION_STEP && d->due_ms != TIME_NEVER)
        row->kind = STORE_DECISION_JOURNEY_WAITING;
    if (d->kind == DECISION_INTENT)
        row->subject = d->other; /* the template; the node is in the detail */
}

void decision_of_row(const struct store_decision *row, struct decision *d)
{
    enum decision_kind kind = kind_of_store(row->kind);
    bool               swapped = kind != DECISION_NONE && kind_of_engine(kind).swapped;
    *d = (struct decision){
        .id = row->id,
        .seq = row->seq,
        .profile = (uint32_t)(row->profile - 1),
        .prev = row->prev,
        .at_ms = row->at_ms,
        .kind = kind,
        .subject = swapped ? row->object : row->subject,
        .object = (uint32_t)(swapped ? row->subject : row->object),
        .detail = row->detail,
    };
}

static uint32_t row_kind(const struct record *record)
{
    switch (record->kind) {
    case RECORD_MESSAGE:
        return str_eq(record->name, EVENT_MESSAGE_OPENED)         ? STORE_EVENT_OPEN
               : str_eq(record->name, EVENT_MESSAGE_CLICKED)      ? STORE_EVENT_CLICK
               : str_eq(record->name, EVENT_MESSAGE_UNSUBSCRIBED) ? STORE_EVENT_UNSUBSCRIBE
               : str_eq(record->name, EVENT_CODE_REDEEMED)        ? STORE_EVENT_TRACK
                                                                  : STORE_EVENT_OTHER;
    case RECORD_CONSENT:
    case RECORD_LIST:
    case RECORD_SUPPRESSION:
        return STORE_EVENT_CONSENT;
    case RECORD_DEFINE:
        return STORE_EVENT_DEFINITION;
    case RECORD_OUTCOME:
        return STORE_EVENT_OUTCOME;
    case RECORD_UNMERGE:
    case RECORD_CODES:
    case RECORD_ENROLL: /* with a name: an event of ours, as what came of messages is */
        return STORE_EVENT_OTHER;
    case RECORD_BROADCAST:
        return STORE_EVENT_JOB;
    case RECORD_ERASE:
        return STORE_EVENT_ERASURE;
    case RECORD_SEND:
        return STORE_EVENT_REQUEST;
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
    case STORE_EVENT_REQUEST:
        return RECORD_MESSAGE;
    case STORE_EVENT_OUTCOME:
    case STORE_EVENT_OTHER:
        return row->name != 0 ? RECORD_MESSAGE : RECORD_NONE;
    default:
        return RECORD_NONE;
    }
}
