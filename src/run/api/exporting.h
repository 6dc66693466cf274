/*
 * exporting: all that is kept about one person, as one JSON document.
 *
 *      engine, one question   who, state, heads, the record it is true at
 *      store                  decisions along the heads; records by their profile, up to that one
 *           --> parts, one after the other --> spool (spool.h) --> the answer
 *
 * What is exported is found as what is erased is found (core/erasing_rows.h): decisions of the
 * person's profiles, records of the person's profiles, rejected events that carry their ids. So a
 * kind of record or decision that nobody has thought of here stands among `events` or `history`,
 * and nothing of another person comes along.
 *
 * Always true   as of one instant: rows of records up to `seq` never change. A person who is erased
 *               meanwhile is not exported.
 * Cost          16 bytes an event and decision of the person, one row at a time; the heads of all
 *               records since the person came are read, about a million a second.
 */
#ifndef DULT_RUN_API_EXPORTING_H
#define DULT_RUN_API_EXPORTING_H

#include "run/api/spool.h"
#include "run/api/story.h"

enum {
    EXPORT_ROW_BYTES_MAX = 64 << 20,
    EXPORT_TRAIT_SEQS_MAX = 256,
    EXPORT_ADDRESSES_MAX = 1000,
};

/* A row about a message or an enrollment. */
struct export_ref {
    uint64_t about; /* the decision that began it */
    uint64_t seq;
    uint64_t id; /* of a decision; 0: it is the event `seq` */
};

struct export_ids {
    uint64_t *items;
    uint32_t  count, room;
};

struct export_refs {
    struct export_ref *items;
    uint32_t           count, room;
};

struct export
{
    struct call  *call;
    struct spool  spool;
    struct arena *row;      /* what lies here ends with the row */
    struct buf    state;    /* the person, as the engine writes one */
    struct buf    standing; /* what may be sent to them, as the engine says */
    struct json   person;   /* `state`, read */

    struct story story;
    uint64_t     seq; /* all is as of this record */
    int64_t      as_of_ms;
    uint64_t     first_seq; /* before it nothing is about the person */
    uint32_t     trait_seqs[EXPORT_TRAIT_SEQS_MAX], trait_seqs_count;

    struct {
        struct str *items; /* by number; in the call's arena */
        uint32_t    count, room;
    } names[NAME_KINDS], sources;

    struct export_ids  history, consents, events; /* ascending */
    struct export_refs messages, enrollments;
    struct str         addresses[EXPORT_ADDRESSES_MAX]; /* that the person ever had */
    uint32_t           addresses_count;
};

/* ---- what the parts share ---- */

struct str export_name(const struct export *export, enum name_kind kind, uint64_t number);
struct str export_source(const struct export *export, uint32_t source);
bool       export_is_member(const struct export *export, uint64_t store_profile);
/* Remembers an address, for the list of suppressions. ERR_MEMORY. */
MUST enum err export_address(struct export *export, struct str address);

/* A list: its key, items, its end. After each item the spool is flushed. */
void          export_list(struct export *export, const char *key);
struct buf   *export_item(struct export *export, bool *any);
MUST enum err export_item_end(struct export *export);
void          export_list_end(struct export *export);

/* A decision's detail in words: instants as such, names for numbers. */
MUST enum err export_detail(struct export *export, struct str detail, bool *first);
/* {"type", "at", "record", "detail"'s members}; `type` is the decision's word. */
MUST enum err export_decision(struct export *export, const struct decision *d, const char *type);
/* The stored decision, in the row's arena, which begins anew. ERR_ABSENT. */
MUST enum err export_decision_get(struct export *export, uint64_t id, struct decision *out);

/* ---- the parts, in the order of the document ---- */

MUST enum err export_traits(struct export *export);
MUST enum err export_consents(struct export *export);
MUST enum err export_enrollments(struct export *export);
MUST enum err export_history(struct export *export);
MUST enum err export_events(struct export *export);
MUST enum err export_messages(struct export *export);
MUST enum err export_codes(struct export *export);
MUST enum err export_suppressions(struct export *export);
MUST enum err export_rejected(struct export *export);

#endif
