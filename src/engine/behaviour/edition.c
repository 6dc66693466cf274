#include "engine/behaviour/edition.h"

#include <stdlib.h>

#include "engine/behaviour/view.h"

#define BAGS_BYTES_MAX ((size_t)32 << 30)

struct edition *edition_make(struct timeline *timeline, struct rings *rings, struct moment moment)
{
    struct edition *edition = calloc(1, sizeof *edition);
    if (edition == NULL)
        return NULL;
    atomic_init(&edition->holds, 1);
    edition->seq = moment.seq;
    edition->profiles = moment.profiles;
    edition->now_ms = moment.now_ms;
    timeline_settle(timeline);
    timeline_publish(timeline, edition);
    edition->rings = rings_hold(rings);
    edition->turns = rings->turns_count;
    edition->arrivals = moment.arrivals == NULL ? NULL : arrivals_hold(moment.arrivals);
    return edition;
}

struct edition *edition_hold(struct edition *edition)
{
    holds_add(&edition->holds);
    return edition;
}

void edition_drop(struct edition *edition)
{
    if (edition == NULL || !holds_end(&edition->holds))
        return;
    era_drop(edition->era);
    base_drop(edition->base);
    for (int i = 0; i < EDITION_LOGS; i++)
        log_drop(edition->logs[i]);
    bag_space_drop(edition->bags);
    rings_drop(edition->rings);
    arrivals_drop(edition->arrivals);
    free(edition);
}

static bool has_log(const struct edition *edition, const struct log *log)
{
    bool has = log == NULL;
    for (int i = 0; i < EDITION_LOGS; i++)
        has = has || edition->logs[i] == log;
    return has;
}

bool edition_follows(const struct edition *newer, const struct edition *older)
{
    bool has = newer->base == older->base && newer->bags == older->bags &&
               newer->rings == older->rings && newer->arrivals == older->arrivals;
    for (int i = 0; i < EDITION_LOGS; i++)
        has = has && has_log(newer, older->logs[i]);
    return has;
}

struct era *era_open(void)
{
    struct era *era = calloc(1, sizeof *era);
    if (era != NULL)
        atomic_init(&era->holds, 1);
    return era;
}

struct era *era_hold(struct era *era)
{
    holds_add(&era->holds);
    return era;
}

void era_drop(struct era *era)
{
    if (era != NULL && holds_end(&era->holds))
        free(era);
}

/* ---- bags ---- */

struct bag_space *bag_space_open(void)
{
    struct bag_space *bags = calloc(1, sizeof *bags);
    size_t            first; /* place 0 means "no properties" */
    if (bags == NULL)
        return NULL;
    atomic_init(&bags->holds, 1);
    if (space_open(&bags->space, BAGS_BYTES_MAX) == OK &&
        space_add(&bags->space, BAG_UNIT_BYTES, BAG_UNIT_BYTES, &first) == OK)
        return bags;
    bag_space_drop(bags);
    return NULL;
}

struct bag_space *bag_space_hold(struct bag_space *bags)
{
    holds_add(&bags->holds);
    return bags;
}

void bag_space_drop(struct bag_space *bags)
{
    if (bags == NULL || !holds_end(&bags->holds))
        return;
    space_close(&bags->space);
    free(bags);
}
