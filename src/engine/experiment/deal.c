#include "engine/experiment/deal.h"

#include <math.h>
#include <stdio.h>

#include "base/hash.h"
#include "engine/profile/people.h"

/* What is hashed has the kind in front, so that no two kinds share a chance. */
static const char *const KINDS[] = {
    [DEAL_EXPERIMENT] = "experiment",
    [DEAL_HOLDOUT] = "holdout",
    [DEAL_TEST] = "test",
};

enum { WHAT_BYTES_MAX = 4 * DEAL_NAME_BYTES_MAX };

/* It asks for no memory: a share that hangs on how much is left would not be kept. */
uint32_t deal_chance(enum deal_kind kind, struct str name, struct str who)
{
    char what[WHAT_BYTES_MAX];
    int  len = snprintf(what, sizeof what, "%s/%.*s", KINDS[kind],
                        STR_ARG(str_slice(name, 0, 3 * DEAL_NAME_BYTES_MAX)));
    return (uint32_t)(hash_chance(who, (struct str){ what, (size_t)len }) * DEAL_ALL);
}

struct str deal_who(const struct people *people, uint32_t profile, char bytes[16])
{
    uint32_t first = profile;
    for (uint32_t member = people_get(people, profile)->next; member != profile;
         member = people_get(people, member)->next)
        first = member < first ? member : first;
    return (struct str){ bytes, (size_t)snprintf(bytes, 16, "p%u", first + 1) };
}

enum err deal_share_read(const struct json *value, double most, const char *where, uint32_t *out,
                         struct problem *problem)
{
    double percent;
    if (!json_to_real(value, &percent) || percent > most || !(percent * (DEAL_ALL / 100) >= 1))
        return problem_format(problem, ERR_INPUT, where, "Write such as {\"share\": 30}.",
                              "A share is at least 0.0001 and at most %g, in percent.", most);
    *out = (uint32_t)lround(percent * (DEAL_ALL / 100));
    return OK;
}

enum err holdout_read(const struct json *value, struct str own, struct holdout *out,
                      struct problem *problem)
{
    const struct json *name = json_get(value, STR("name"));
    *out = (struct holdout){ .name = own };
    if (value == NULL)
        return OK;
    if (value->kind != JSON_OBJECT || json_get(value, STR("share")) == NULL)
        return problem_set(problem, ERR_INPUT, "holdout", "This is nobody who is held out.",
                           "Write {\"share\": 10}, in percent.");
    for (uint32_t i = 0; i < value->count; i++)
        if (!str_eq(value->members[i].key, STR("share")) &&
            !str_eq(value->members[i].key, STR("name")))
            return problem_set(problem, ERR_INPUT, "holdout", "A holdout has no such member.",
                               "Use share and name.");
    if (name != NULL && (name->kind != JSON_STRING || str_is_empty(name->string) ||
                         name->string.len > DEAL_NAME_BYTES_MAX))
        return problem_set(problem, ERR_INPUT, "holdout.name",
                           "A holdout has a name of 1 to 128 bytes.",
                           "Write a text, or leave it out.");
    if (name != NULL)
        out->name = name->string;
    return deal_share_read(json_get(value, STR("share")), 50, "holdout.share", &out->share,
                           problem);
}

bool holdout_has(const struct holdout *holdout, struct str who)
{
    return holdout->share > 0 && deal_chance(DEAL_HOLDOUT, holdout->name, who) < holdout->share;
}
