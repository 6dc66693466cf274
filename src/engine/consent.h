/*
 * consent: what somebody said about being written to, and how we know.
 *
 *      (topic, channel)  ->  granted | refused | pending | unknown
 *
 *      pending   said yes, and a mail asks to confirm it: nothing is sent as if it were a yes
 *      unknown   never asked; or what was said is taken back, by the button "undo"
 *
 * A word carries its proof: {"by", "ip", "agent", "message", "text": {"version", "language"} ...},
 * as the room that heard it puts it together. The engine keeps it with the decision, and asks it
 * nothing. `source` says by which way it came; a topic may ask those who come by some of them to
 * confirm (topics.h).
 */
#ifndef DULT_ENGINE_CONSENT_H
#define DULT_ENGINE_CONSENT_H

#include "base/str.h"

/* The numbers stand in checkpoint rows and decisions. */
enum consent_state {
    CONSENT_REFUSED = 0,
    CONSENT_GRANTED = 1,
    CONSENT_PENDING = 2,
    CONSENT_UNKNOWN = 3,
};

enum { CONSENT_PROOF_BYTES_MAX = 4096 };

/* "subscribed", "unsubscribed", "pending", "unknown": as the API and details have it. */
struct str consent_word(enum consent_state state);
/* Those, and "granted" and "refused"; false for another word. */
bool consent_of(struct str word, enum consent_state *out);
/* "granted" ...: as timelines and conditions have it; what is none of them refuses. */
struct str         consent_told(enum consent_state state);
enum consent_state consent_of_told(struct str word);

/* The topic of selling or sharing data about somebody, which nothing is mailed about. */
#define CONSENT_TOPIC_SALE STR("sale or sharing")

/* By which way a word came. */
enum consent_source {
    CONSENT_BY_API = 0,
    CONSENT_BY_FORM = 1,
    CONSENT_BY_IMPORT = 2,
    CONSENT_SOURCES_ASKED, /* those before may be asked to confirm; any other is a confirmation */
};

/* "api", "form", "import"; CONSENT_SOURCES_ASKED for any other. */
enum consent_source consent_source_of(struct str word);

#endif
