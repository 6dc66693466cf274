/*
 * drafting: a message as it would be, for people who would get it, before anything is sent.
 *
 *      template --> the journey that sends it --> its trigger --> people, each with their own event
 *                                                                    |
 *      engine_claim_draft, a few people in one task <----------------+
 *                                                                    |
 *      render_preview, at the desk: which variables are missing <----+
 *
 * Nothing is decided, queued or counted by it.
 *
 * Cost          the engine is held for DRAFTS_A_TASK people at a time, or a look at LOOKS_A_TASK.
 */
#ifndef DULT_RUN_DRAFTING_H
#define DULT_RUN_DRAFTING_H

#include "run/api/api_inside.h"
#include "run/send/render.h"

enum { DRAFT_PEOPLE_MAX = 1000, DRAFT_NAMED_MAX = 100 };

/* Which message. */
struct drafting {
    struct call       *call;
    struct str         name;       /* the template's */
    struct str         text;       /* not saved yet; empty: the saved one */
    struct str         journey;    /* empty: the first live one that sends it; then its name */
    const struct json *event;      /* an object given instead of the person's own; NULL */
    struct str         event_name; /* of which the person's last one is taken */
    uint32_t           template_id, journey_id;
    const char        *trigger; /* "event", "segment", "list"; NULL: no journey sends it */
    struct str         trigger_name;
};

/* One person's. */
struct drafted {
    struct claim claim;
    struct str   variant; /* JSON, or empty */
    char         id[16];
};

/* Reads text, journey and event from a body; the template and its journey are found. ERR_INPUT,
 * ERR_ABSENT with a problem. */
MUST enum err drafting_read(struct drafting *drafting, struct call *call, const struct json *body);

/* The same of a text that is about to be saved. */
MUST enum err drafting_text(struct drafting *drafting, struct call *call, struct str name,
                            struct str text);

/* The person's draft. ERR_ABSENT when nobody is known so. */
MUST enum err drafting_person(struct drafting *drafting, struct str who, struct drafted *out);

/* People who would get it, spread over all: at most `most`, found by until_us (time_mono_us). */
MUST enum err drafting_people(struct drafting *drafting, uint32_t most, int64_t until_us,
                              struct drafted *out, uint32_t *count);

/* What is told of which variables are missing for how many. */
struct missing_row {
    struct str  path;
    const char *part;
    uint32_t    line, people;
    bool        is_fault;
    struct str  sample; /* people's ids with commas, the first few */
    uint32_t    last;   /* the person counted last, so that each counts once */
};

enum { MISSING_ROWS_MAX = 64 };

struct missing {
    struct missing_row rows[MISSING_ROWS_MAX];
    uint32_t           count, looked, held; /* held: people whose message would stay */
};

/* Renders for each; stops at until_us. */
MUST enum err drafting_missing(struct drafting *drafting, const struct drafted *people,
                               uint32_t count, int64_t until_us, struct missing *out);

#endif
