/*
 * someone: what a view knows of one person, as conditions ask for it.
 *
 * All the person's profiles count. The value of a trait lives until the next question.
 */
#ifndef DULT_ENGINE_REPORT_SOMEONE_H
#define DULT_ENGINE_REPORT_SOMEONE_H

#include "engine/behaviour/view.h"
#include "engine/report/report.h"

enum {
    SOMEONE_RUNS_MAX = 64 * VIEW_LEVELS_MAX, /* as many profiles as one person may have */
    SOMEONE_ELEMENTS_MAX = 256,              /* of a trait that is a list */
};

/* Never copied, for it points into itself. */
struct someone {
    struct facts       facts;
    const struct view *view;
    uint32_t           person;
    struct run         runs[SOMEONE_RUNS_MAX];
    struct json        elements[SOMEONE_ELEMENTS_MAX];
};

/* The person with that root. */
void someone_make(struct someone *someone, const struct report *report, uint32_t person);
/* A person of whom nothing is known. */
void someone_nobody(struct someone *someone, const struct report *report);

/* Whether the person had come to be by the instant, or anything of theirs is dated by then. */
bool someone_is_known(const struct someone *someone);

_Static_assert((int)SOMEONE_RUNS_MAX <= (int)FACTS_RUNS_MAX, "a person's runs fit the cursors");

#endif
