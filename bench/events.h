/*
 * events: a shop's stream of events, cheap to make, so that the server and not its load is
 * measured.
 *
 * A batch is written once and then patched in place: what must differ (message id, person, time)
 * stands in fields of fixed width.
 *
 *     {"batch":[{"type":"track","messageId":"0000000000000000","userId":"u0000000",...},...]}
 *                                            ^ id                       ^ person      ^ time
 *
 * People follow a power law: person = people * u^3 for even u, so a tenth of them make about half
 * of all events; NEW_PER_MILLE of the events come from somebody never seen. Of 1,000 events 60 are
 * identify calls that set the trait "mood" to one of 20 values, and 5 are "Signed Up".
 *
 * With names of its own the stream is as bench/history.c makes it: tracks by known people alone,
 * the k-th name with a share of 1 / k of the first's, each with a revenue.
 */
#ifndef BENCH_EVENTS_H
#define BENCH_EVENTS_H

#include "base/buf.h"

enum {
    EVENTS_BATCH_MAX = 1000,
    EVENTS_NEW_PER_MILLE = 20,
    EVENTS_IDENTIFY_PER_MILLE = 60,
    EVENTS_SIGN_UP_PER_MILLE = 5,
    EVENTS_NAMES_MAX = 64,
};

struct events {
    uint64_t random;  /* state of the generator */
    uint64_t id_next; /* the next message id */
    uint32_t people;  /* known at the start */
    uint32_t born;    /* new ones since */
    uint64_t made;
    char     time[25]; /* of all events until events_clock is called again */
    char     names[EVENTS_NAMES_MAX][64];
    double   shares[EVENTS_NAMES_MAX]; /* up to and with this name, of 1 */
    uint32_t names_count;              /* 0: those of a shop */
};

struct events events_make(uint32_t people, uint64_t seed);
/* Names between commas; false when they are too many or too long. */
bool events_names(struct events *events, const char *names);
void events_clock(struct events *events, int64_t now_ms);

struct events_spot {
    size_t id, person, time;
};

/* Bytes that hold one or many events, with the places to patch. */
struct events_body {
    struct buf         bytes;
    struct events_spot spots[EVENTS_BATCH_MAX];
    uint32_t           count;
};

/* Appends an event to a body and notes its places. */
void events_append(struct events *events, struct events_body *body);
/* Appends the identify call that makes a person known, for warming up. */
void events_append_person(struct events *events, struct events_body *body, uint32_t person);
/* Writes a new id, person and time into each event of a body. */
void events_patch(struct events *events, struct events_body *body);

#endif
