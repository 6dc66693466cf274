/*
 * forms: where strangers may sign up from other sites, `forms` of workspace.json.
 *
 *     "forms": [{"id": "footer", "topics": ["news"], "fields": ["first_name"],
 *                "text": "Yes, write to me once a month.",
 *                "origins": ["https://shop.example"], "redirects":
 * ["https://shop.example/thanks"]}]
 *
 * `topics` are what one signs up for, `fields` which traits the form may tell of somebody new,
 * `text` what stands beside its button (kept with the proof), `origins` the sites whose scripts may
 * read the answer, `redirects` the pages that people may be led to afterwards.
 *
 * Always true   what is open to strangers is listed: no other topic, trait, site or page.
 */
#ifndef DULT_RUN_FORMS_H
#define DULT_RUN_FORMS_H

#include "base/json.h"

enum {
    FORMS_MAX = 100,
    FORM_ITEMS_MAX = 20,       /* of each list */
    FORM_ITEM_BYTES_MAX = 200, /* an id, a field, an origin, a page */
    FORM_TEXT_BYTES_MAX = 2000,
};

/* Are those of the workspace right? ERR_INPUT with a problem. */
MUST enum err forms_check(const struct json *workspace, struct problem *problem);
/* The form of that id, an object, or NULL. */
const struct json *forms_find(const struct json *workspace, struct str id);
/* Is the word in the form's list of that key? */
bool form_has(const struct json *form, const char *key, struct str word);

#endif
