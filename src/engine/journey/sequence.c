#include "engine/journey/sequence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/journey/until.h"

enum { MEMBERS_EACH = 4, MEMBERS_MORE = 2, EVERY_DAY = 0x7F };

struct expanding {
    struct arena        *arena;
    struct problem      *problem;
    struct sequence_map *map;
    const struct json   *journey, *list;
    struct json         *nodes;
    uint32_t             count, at;
    int64_t              day;        /* of the mail before */
    bool                 is_shifted; /* one waited for a day of the week */
};

static enum err wrong(struct expanding *x, const char *field, const char *what, const char *remedy)
{
    char where[64];
    snprintf(where, sizeof where, "sequence[%u]%s%s", x->at, field[0] == '\0' ? "" : ".", field);
    return problem_set(x->problem, ERR_INPUT, where, what, remedy);
}

/* ---- nodes ---- */

static struct json text_json(struct str text)
{
    return (struct json){ .kind = JSON_STRING, .string = text };
}

/* {"id": "KIND-DAY", key: value, ...}, the others given as they are; an empty key is left out. */
static enum err node_add(struct expanding *x, const char *kind, int64_t day, const char *key,
                         struct json value, const char *also, struct json also_value)
{
    struct json_member *members = ARENA_ARRAY(x->arena, MEMBERS_EACH, struct json_member);
    struct str          id = str_format(x->arena, "%s-%lld", kind, (long long)day);
    uint32_t            count = 0;
    if (members == NULL || id.ptr == NULL)
        return ERR_MEMORY;
    members[count++] = (struct json_member){ STR("id"), text_json(id) };
    members[count++] = (struct json_member){ str_of(key), value };
    if (also[0] != '\0')
        members[count++] = (struct json_member){ str_of(also), also_value };
    x->map->mail[x->count] = (uint16_t)x->at;
    x->nodes[x->count++] = (struct json){ .kind = JSON_OBJECT, .count = count, .members = members };
    return OK;
}

static enum err until_add(struct expanding *x, const char *kind, int64_t day, struct str until)
{
    return until.ptr == NULL
               ? ERR_MEMORY
               : node_add(x, kind, day, "wait_until", text_json(until), "", (struct json){ 0 });
}

/*
 * Each mail is reckoned from when the person came in, whatever the others waited for. Where the day
 * may be past by then (day 0, and behind a mail that waited for a day of the week) the time of day
 * is waited for by itself: it is then the next one.
 */
static enum err wait_add(struct expanding *x, int64_t day, struct str at, bool is_daily)
{
    const char *days = day == 1 ? "day" : "days";
    bool        is_sure = day > 0 && !x->is_shifted;
    if (str_is_empty(at))
        return day == 0
                   ? OK
                   : until_add(x, "wait", day,
                               str_format(x->arena, "%lld %s after entry", (long long)day, days));
    x->is_shifted = x->is_shifted || !is_daily;
    if (is_daily && is_sure)
        return until_add(
            x, "wait", day,
            str_format(x->arena, "%lld %s after entry at %.*s", (long long)day, days, STR_ARG(at)));
    if (day > 0)
        TRY(until_add(x, "wait", day,
                      str_format(x->arena, "%lld %s after entry at 00:00", (long long)day, days)));
    return until_add(x, "time", day, at);
}

/* ---- one mail ---- */

static enum err members_check(struct expanding *x, const struct json *item)
{
    static const char *const known[] = { "day", "email", "message", "at", "unless", "note" };
    if (item->kind != JSON_OBJECT)
        return wrong(x, "", "This is no mail of a sequence.",
                     "Write {\"day\": 3, \"email\": \"guide\"}.");
    for (uint32_t i = 0; i < item->count; i++) {
        size_t k = 0;
        while (k < sizeof known / sizeof known[0] &&
               !str_eq(item->members[i].key, str_of(known[k])))
            k++;
        if (k == sizeof known / sizeof known[0])
            return wrong(x, "", "A mail of a sequence has no such member.",
                         "Use day, email, message, at, unless or note; for more write nodes.");
    }
    return OK;
}

static enum err at_read(struct expanding *x, const struct json *item, int64_t day, struct str *out,
                        bool *is_daily)
{
    const struct json *own = json_get(item, STR("at")), *all = json_get(x->journey, STR("at"));
    const struct json *value = own != NULL ? own : day > 0 ? all : NULL;
    struct problem     ignored;
    struct until       until;
    *out = STR_NONE;
    *is_daily = true;
    if (value == NULL)
        return OK;
    *out = value->kind == JSON_STRING ? value->string : STR_NONE;
    if (!str_is_empty(*out) && until_parse(*out, &until, &ignored) == OK &&
        until.kind == UNTIL_TIME) {
        *is_daily = until.days == EVERY_DAY && !until.is_best;
        return OK;
    }
    if (own == NULL)
        return problem_set(x->problem, ERR_INPUT, "at", "This is no time of day.",
                           "Write such as \"10:00\" or \"weekday 10:00\".");
    return wrong(x, "at", "This is no time of day.",
                 "Write such as \"10:00\" or \"weekday 10:00\".");
}

static enum err mail_expand(struct expanding *x, const struct json *item)
{
    bool is_email = json_get(item, STR("email")) != NULL;
    const struct json *template = json_get(item, is_email ? STR("email") : STR("message"));
    const struct json *unless = json_get(item, STR("unless"));
    int64_t            day;
    struct str         at;
    bool               is_daily;
    TRY(members_check(x, item));
    if (!json_get_int(item, STR("day"), &day) || day < 0 || day > SEQUENCE_DAY_MAX ||
        day <= x->day - (x->at == 0))
        return wrong(x, "day", "The days are whole numbers from 0 to 3650, each above the last.",
                     "Write on which day the mail goes; two mails on one day want nodes.");
    if (template == NULL || (is_email && json_get(item, STR("message")) != NULL))
        return wrong(x, "email", "A mail needs one template.",
                     "Name it as \"email\", or as \"message\" for another channel.");
    if (unless != NULL && unless->kind != JSON_STRING && unless->kind != JSON_OBJECT)
        return wrong(x, "unless", "This is no condition.",
                     "Write one as a segment's, such as \"did \\\"Order Completed\\\"\".");
    TRY(at_read(x, item, day, &at, &is_daily));
    TRY(wait_add(x, day, at, is_daily));
    x->day = day;
    if (unless != NULL) {
        /* On to what stands behind the mail: the next one's first node, or the end. */
        struct str behind = str_format(x->arena, "after-%lld", (long long)day);
        if (behind.ptr == NULL)
            return ERR_MEMORY;
        TRY(node_add(x, "if", day, "split", *unless, "yes", text_json(behind)));
    }
    return node_add(x, "day", day, is_email ? "email" : "message", *template, "",
                    (struct json){ 0 });
}

/* "after-3" is the node behind "day-3"; where there is none, a last one is put there. */
static enum err targets_set(struct expanding *x)
{
    for (uint32_t i = 0; i < x->count; i++) {
        struct json_member *yes = (struct json_member *)(uintptr_t)&x->nodes[i].members[2];
        if (x->nodes[i].count < 3 || !str_eq(yes->key, STR("yes")))
            continue;
        if (i + 2 == x->count)
            TRY(node_add(x, "end", x->day, "exit",
                         (struct json){ .kind = JSON_BOOL, .truth = true }, "",
                         (struct json){ 0 }));
        yes->value = x->nodes[i + 2].members[0].value;
    }
    return OK;
}

/* ---- the journey ---- */

/* {"not": {"in_list": NAME}}, where it begins by one; false: it begins by something else. */
static enum err exit_make(const struct expanding *x, struct json *out, bool *found)
{
    const struct json *trigger = json_get(x->journey, STR("trigger"));
    struct str         list = json_get_str(trigger, STR("list"));
    struct str         name = str_is_empty(list) ? json_get_str(trigger, STR("segment")) : list;
    *found = !str_is_empty(name) && json_get(x->journey, STR("exit_when")) == NULL;
    if (!*found)
        return OK;
    struct json_member *in = ARENA_NEW(x->arena, struct json_member);
    struct json_member *not = ARENA_NEW(x->arena, struct json_member);
    if (in == NULL || not == NULL)
        return ERR_MEMORY;
    *in = (struct json_member){ str_is_empty(list) ? STR("in_segment") : STR("in_list"),
                                text_json(name) };
    *not = (struct json_member){ STR("not"), { .kind = JSON_OBJECT, .count = 1, .members = in } };
    *out = (struct json){ .kind = JSON_OBJECT, .count = 1, .members = not };
    return OK;
}

static enum err journey_make(struct expanding *x, struct json *out)
{
    struct json_member *members =
        ARENA_ARRAY(x->arena, out->count + MEMBERS_MORE, struct json_member);
    uint32_t    count = 0;
    struct json exit_when;
    bool        leaves;
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < out->count; i++)
        if (!str_eq(out->members[i].key, STR("sequence")) &&
            !str_eq(out->members[i].key, STR("at")))
            members[count++] = out->members[i];
    TRY(exit_make(x, &exit_when, &leaves));
    if (leaves)
        members[count++] = (struct json_member){ STR("exit_when"), exit_when };
    members[count++] =
        (struct json_member){ STR("nodes"),
                              { .kind = JSON_ARRAY, .count = x->count, .items = x->nodes } };
    *out = (struct json){ .kind = JSON_OBJECT, .count = count, .members = members };
    return OK;
}

enum err sequence_expand(struct arena *arena, struct json *journey, struct sequence_map *map,
                         struct problem *problem)
{
    const struct json *list = json_get(journey, STR("sequence"));
    map->count = 0;
    if (list == NULL)
        return OK;
    struct expanding x = {
        .arena = arena, .problem = problem, .map = map, .journey = journey, .list = list
    };
    if (json_get(journey, STR("nodes")) != NULL)
        return problem_set(problem, ERR_INPUT, "nodes", "A journey has a sequence or nodes.",
                           "Leave one of them out.");
    if (list->kind != JSON_ARRAY || list->count == 0 || list->count > SEQUENCE_MAX)
        return problem_set(problem, ERR_INPUT, "sequence", "This is no list of 1 to 100 mails.",
                           "Write [{\"day\": 0, \"email\": \"hello\"}].");
    x.nodes = ARENA_ARRAY(arena, list->count * SEQUENCE_NODES_EACH + 1, struct json);
    if (x.nodes == NULL)
        return ERR_MEMORY;
    for (; x.at < list->count; x.at++)
        TRY(mail_expand(&x, &list->items[x.at]));
    x.at--;
    TRY(targets_set(&x));
    TRY(journey_make(&x, journey));
    map->count = x.count;
    return OK;
}

void sequence_place(const struct sequence_map *map, struct problem *problem)
{
    static const char nodes[] = "nodes[";
    char             *end;
    if (map->count == 0 || problem == NULL || strncmp(problem->where, nodes, sizeof nodes - 1) != 0)
        return;
    unsigned long node = strtoul(problem->where + sizeof nodes - 1, &end, 10);
    if (node >= map->count)
        return;
    char rest[sizeof problem->where];
    snprintf(rest, sizeof rest, "%s", end);
    /* What is asked of a mail is the split before it. */
    const char *field = strncmp(rest, "].split", 7) == 0 ? "].unless" : NULL;
    snprintf(problem->where, sizeof problem->where, "sequence[%u%s%.100s", map->mail[node],
             field == NULL ? "" : field, field == NULL ? rest : rest + 7);
}
