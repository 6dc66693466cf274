/*
 * workspace: who we are, from workspace.json.
 *
 *     {"name": "Tents & Co", "address": "1 Harbour Road, Bergen",
 *      "sender": {"name": "Ada of Tents", "email": "ada@tents.example", "reply_to": "help@..."},
 *      "topics": ["news", {"id": "offers", "name": "Offers"}], "lists": ["newsletter"],
 *      "timezone": "Europe/Oslo", "language": "nb", "currency": "NOK",
 *      "senders": [...], "utm": {...},                            profiles.h
 *      "forms": [...],                                            forms.h
 *      "attribution": {...}}                                      attribution.h
 *
 * Everything may be left out: a new workspace has no name and no sender, and whoever wants to send
 * is told so. The sender's name is the workspace's where it has none.
 *
 * Always true   an address that is there is one that can be written to; ids of topics and of lists
 *               are there once.
 * Errors        ERR_INPUT, where = "workspace.json:sender.email".
 */
#ifndef DULT_RUN_WORKSPACE_H
#define DULT_RUN_WORKSPACE_H

#include "run/send/attribution.h"
#include "run/send/profiles.h"

enum {
    WORKSPACE_BYTES_MAX = 1 << 20,
    WORKSPACE_NAME_BYTES_MAX = 200, /* it stands in a From field */
    WORKSPACE_ITEMS_MAX = 1000,     /* topics; lists */
};

struct workspace_item {
    struct str id, name; /* the name is the id where there is none */
};

struct workspace {
    struct str                   name, address;
    struct str                   sender_name, sender_email, reply_to; /* may be empty */
    struct str                   timezone, language, currency;        /* may be empty */
    const struct workspace_item *topics, *lists;
    uint32_t                     topics_count, lists_count;
    struct sender_profiles       senders; /* beside the one above */
    struct utm_rules             utm;
    struct attribution           attribution;
};

/* The texts lie in the arena. An empty text gives the defaults. */
MUST enum err workspace_parse(struct arena *arena, struct str text, struct workspace *out,
                              struct problem *problem);

#endif
