#include "engine/experiment/winner.h"

#include <stdio.h>

#include "base/time.h"

enum { AFTER_DAYS_MAX = 30, JOURNEY_AFTER_DAYS_MAX = 365 };

static const char *const BY[] = { [WINNER_CLICKED] = "clicked",
                                  [WINNER_OPENED] = "opened",
                                  [WINNER_GOAL] = "goal",
                                  [WINNER_UNSAID] = "" };
static const char *const HOW[] = { [WINNER_NOT_YET] = "",
                                   [WINNER_BY_HAND] = "by hand",
                                   [WINNER_SURE] = "sure",
                                   [WINNER_AHEAD] = "ahead" };

const char *winner_by_word(enum winner_by by)
{
    return BY[by];
}

const char *winner_how_word(enum winner_how how)
{
    return HOW[how];
}

enum winner_how winner_how_of(struct str word)
{
    enum winner_how how = WINNER_AHEAD;
    while (how > WINNER_NOT_YET && !str_eq(word, str_of(HOW[how])))
        how--;
    return how;
}

static enum err wrong(const char *where, const char *member, const char *what, const char *remedy,
                      struct problem *problem)
{
    char place[80];
    snprintf(place, sizeof place, "%.40s%s%.30s", where, member[0] == '\0' ? "" : ".", member);
    return problem_set(problem, ERR_INPUT, place, what, remedy);
}

/* The first two are a broadcast's alone. */
static enum err members_check(const struct json *value, const char *where, bool is_journey,
                              struct problem *problem)
{
    static const char *const known[] = { "share",  "goal", "decide_after", "by",
                                         "people", "sure", "otherwise" };
    for (uint32_t i = 0; i < value->count; i++) {
        bool found = false;
        for (size_t k = is_journey ? 2 : 0; k < sizeof known / sizeof known[0]; k++)
            found = found || str_eq(value->members[i].key, str_of(known[k]));
        if (!found)
            return wrong(where, "", "How a winner is found has no such member.",
                         is_journey
                             ? "Use people, decide_after, by, sure and otherwise."
                             : "Use share, decide_after, by, goal, people, sure and otherwise.",
                         problem);
    }
    return OK;
}

static enum err after_read(const struct json *value, const char *where, int days_max,
                           struct winner_rule *out, struct problem *problem)
{
    char remedy[80];
    if (time_length_parse(json_get_str(value, STR("decide_after")), &out->after_ms) == OK &&
        out->after_ms >= TIME_MINUTE_MS && out->after_ms <= days_max * TIME_DAY_MS)
        return OK;
    snprintf(remedy, sizeof remedy, "Write a minute to %d days, such as \"4 hours\".", days_max);
    return wrong(where, "decide_after", "It says not when the winner is found.", remedy, problem);
}

static enum err by_read(const struct json *value, const char *where, struct winner_rule *out,
                        struct problem *problem)
{
    const struct json *by = json_get(value, STR("by"));
    struct str         word = json_get_str(value, STR("by"));
    uint32_t           i = 0;
    out->goal = json_get_str(value, STR("goal"));
    if (by == NULL)
        out->by = json_get(value, STR("goal")) == NULL ? WINNER_CLICKED : WINNER_GOAL;
    while (by != NULL && i <= WINNER_GOAL && !str_eq(word, str_of(BY[i])))
        i++;
    if (by != NULL && i > WINNER_GOAL)
        return wrong(where, "by", "This is nothing that a winner is found by.",
                     "Write \"clicked\", \"opened\", or \"goal\" and a \"goal\".", problem);
    if (by != NULL)
        out->by = (enum winner_by)i;
    if ((out->by == WINNER_GOAL) != (out->goal.len > 0))
        return wrong(where, "goal", "A goal is an event, and goes with \"by\": \"goal\".",
                     "Write such as \"goal\": \"did \\\"Order Completed\\\"\".", problem);
    return OK;
}

static enum err bounds_read(const struct json *value, const char *where, struct winner_rule *out,
                            struct problem *problem)
{
    const struct json *people = json_get(value, STR("people"));
    const struct json *sure = json_get(value, STR("sure"));
    double             percent = 95;
    out->people = WINNER_PEOPLE;
    if (people != NULL &&
        (people->kind != JSON_INT || people->integer < 1 || people->integer > WINNER_PEOPLE_MAX))
        return wrong(where, "people", "This is no number of people.",
                     "Write how many each variant is to have reached: 1 to 10,000,000.", problem);
    if (people != NULL)
        out->people = (uint32_t)people->integer;
    if (sure != NULL && (!json_to_real(sure, &percent) || !(percent >= 50) || percent > 99.9999))
        return wrong(where, "sure", "This says not how sure it is to be.",
                     "Write percent, 50 to 99.9999, such as 95.", problem);
    out->sure = percent / 100;
    return OK;
}

static enum err otherwise_read(const struct json *value, const char *where, struct winner_rule *out,
                               struct problem *problem)
{
    const struct json *otherwise = json_get(value, STR("otherwise"));
    struct str         word = json_get_str(value, STR("otherwise"));
    if (otherwise != NULL && !str_eq(word, STR("ahead")) && !str_eq(word, STR("wait")))
        return wrong(where, "otherwise", "This is nothing that can be done where none is sure.",
                     "Write \"ahead\" (the one ahead goes out) or \"wait\" (until one is chosen).",
                     problem);
    out->waits = str_eq(word, STR("wait"));
    return OK;
}

enum err winner_read(const struct json *value, const char *where, struct winner_rule *out,
                     struct problem *problem)
{
    char place[60];
    *out = (struct winner_rule){ .share = 0 };
    if (value == NULL)
        return OK;
    snprintf(place, sizeof place, "%.40s.share", where);
    if (value->kind != JSON_OBJECT || json_get(value, STR("share")) == NULL)
        return wrong(
            where, "", "This says not how a winner is found.",
            "Write {\"share\": 20, \"decide_after\": \"4 hours\"}: so many percent get the "
            "variants first.",
            problem);
    TRY(members_check(value, where, false, problem));
    TRY(deal_share_read(json_get(value, STR("share")), 90, place, &out->share, problem));
    TRY(after_read(value, where, AFTER_DAYS_MAX, out, problem));
    TRY(by_read(value, where, out, problem));
    TRY(bounds_read(value, where, out, problem));
    return otherwise_read(value, where, out, problem);
}

enum err winner_read_journey(const struct json *value, const char *where, struct winner_rule *out,
                             struct problem *problem)
{
    struct str by = json_get_str(value, STR("by"));
    *out = (struct winner_rule){ .by = WINNER_UNSAID };
    if (value == NULL)
        return OK;
    if (value->kind != JSON_OBJECT || json_get(value, STR("decide_after")) == NULL)
        return wrong(where, "", "This says not how a winner is found.",
                     "Write {\"people\": 100, \"decide_after\": \"7 days\"}: so many of each "
                     "variant, each after so long.",
                     problem);
    TRY(members_check(value, where, true, problem));
    TRY(after_read(value, where, JOURNEY_AFTER_DAYS_MAX, out, problem));
    for (int i = WINNER_CLICKED; i <= WINNER_GOAL; i++)
        out->by = str_eq(by, str_of(BY[i])) ? (enum winner_by)i : out->by;
    if (json_get(value, STR("by")) != NULL && out->by == WINNER_UNSAID)
        return wrong(where, "by", "This is nothing that a winner is found by.",
                     "Write \"goal\", \"clicked\" or \"opened\".", problem);
    TRY(bounds_read(value, where, out, problem));
    return otherwise_read(value, where, out, problem);
}

uint32_t winner_pick(const struct winner_rule *rule, const struct odds_count *counts,
                     uint32_t count, double *best, enum winner_how *how)
{
    uint32_t first = 0;
    bool     is_enough = true, is_any = false;
    odds_best(counts, count, best);
    for (uint32_t i = 0; i < count; i++) {
        is_enough = is_enough && counts[i].of >= rule->people;
        is_any = is_any || counts[i].successes > 0;
        if (best[i] > best[first])
            first = i;
    }
    /* Without any success the likeliest is who was tried least: that says nothing. */
    *how = counts[first].successes > 0 && is_enough && best[first] >= rule->sure ? WINNER_SURE
           : rule->waits || !is_any                                              ? WINNER_NOT_YET
                                                                                 : WINNER_AHEAD;
    return *how == WINNER_NOT_YET ? WINNER_NONE : first;
}
