/*
 * profiles: who writes, and how links say where a visit came from; both from workspace.json.
 *
 *     "senders": [{"id": "support", "name": "Help at Tents", "email": "help@tents.example",
 *                  "reply_to": "...", "topics": ["service"], "languages": ["nb", "sv"]}],
 *     "utm": {"source": "dult", "medium": "email", "campaign": "{{ template.name }}",
 *             "domains": ["tents.example"]}
 *
 * A message is from the sender that its template names; else from that whose topics and languages
 * are the message's: both before topic alone, topic before language; else from the workspace's. A
 * profile with neither is only for templates that name it.
 *
 * Always true   every profile has an address that can be written to, and an id that is there once.
 * Errors        ERR_INPUT, where = "workspace.json:senders[2].email".
 */
#ifndef DULT_RUN_PROFILES_H
#define DULT_RUN_PROFILES_H

#include "base/json.h"
#include "message/utm.h"

enum { PROFILES_MAX = 200, PROFILE_WORDS_MAX = 100, UTM_RULE_BYTES_MAX = 1000 };

struct words {
    const struct str *items;
    uint32_t          count;
};

struct sender_profile {
    struct str   id, name, email, reply_to; /* name and reply_to may be empty: the workspace's */
    struct words topics, languages;
};

struct sender_profiles {
    const struct sender_profile *items;
    uint32_t                     count;
};

struct utm_rules {
    struct str   values[UTM_KEYS]; /* Liquid; empty: not added */
    struct words domains;          /* none: all */
};

MUST enum err sender_profiles_parse(struct arena *arena, const struct json *root,
                                    struct sender_profiles *out, struct problem *problem);
MUST enum err utm_rules_parse(struct arena *arena, const struct json *root, struct utm_rules *out,
                              struct problem *problem);

/* NULL: there is none of that id. */
const struct sender_profile *sender_profile_find(const struct sender_profiles *profiles,
                                                 struct str                    id);
/* NULL: the workspace's own sender. Topic and language may be empty. */
const struct sender_profile *sender_profile_choose(const struct sender_profiles *profiles,
                                                   struct str topic, struct str language);

#endif
