/*
 * saying: a word of consent as a record, with its proof.
 *
 *      who said it, by which way (how), from where (ip, agent), because of which message, and which
 *      text they had before them: the version of the topics' definition, and the language
 *
 * So `GET .../consent` and the timeline can show, years later, what somebody said yes to.
 */
#ifndef DULT_RUN_API_SAYING_H
#define DULT_RUN_API_SAYING_H

#include "run/api/api_inside.h"

enum { SAYING_AGENT_BYTES_MAX = 300, SAYING_NOTE_BYTES_MAX = 200 };

struct saying {
    uint32_t             profile;
    uint64_t             message; /* whose link was followed; 0: none */
    struct str           topic;   /* empty: every topic */
    enum consent_channel channel;
    enum consent_state   state;
    struct str           how;    /* "one-click", "preference page" ... */
    struct str           source; /* "api", "form", "import"; else what `how` says */
    struct str           by;     /* "person", "key 3" ... */
    struct str           ip, agent;
    uint32_t             text_version; /* 0: none was shown */
    struct str           text_language, text;
    int64_t              at_ms; /* 0: now */
};

/* Whoever asks by this request, at their own page. */
struct saying saying_of_person(struct call *call, uint32_t profile, uint64_t message);
/* All that the entry holds lives in `arena`. ERR_MEMORY. */
MUST enum err saying_entry(struct arena *arena, const struct saying *saying, struct entry *out);

#endif
