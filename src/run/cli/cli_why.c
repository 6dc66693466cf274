#include "run/cli/cli_why.h"

#include <string.h>

#include "base/time.h"
#include "run/cli/cli_report.h"

enum { VALUE_SHOWN = 120, INDENT = 2, MARK_COLUMNS = 5, EVENTS_SHOWN = 5 };

char *why_relative(int64_t at_ms, int64_t now_ms, char *out)
{
    char    length[REPORT_TEXT_BYTES];
    int64_t away_ms = at_ms > now_ms ? at_ms - now_ms : now_ms - at_ms;
    if (away_ms < TIME_SECOND_MS)
        snprintf(out, WHY_TEXT_BYTES, "now");
    else if (at_ms > now_ms)
        snprintf(out, WHY_TEXT_BYTES, "in %.40s", report_length(away_ms, length));
    else
        snprintf(out, WHY_TEXT_BYTES, "%.40s ago", report_length(away_ms, length));
    return out;
}

struct tree {
    struct talk *talk;
    int64_t      now_ms; /* the instant explained */
};

/* "2026-01-30 10:12 (9 days ago)"; what is no instant stands as it is. */
static void instant_print(const struct tree *tree, struct str text)
{
    char    relative[WHY_TEXT_BYTES];
    int64_t at_ms;
    if (time_parse(text, &at_ms) != OK || text.len < 16) {
        printf("%.*s", STR_ARG(text));
        return;
    }
    printf("%.10s %.5s %s(%s)%s", text.ptr, text.ptr + 11, cli_quiet(tree->talk->cli),
           why_relative(at_ms, tree->now_ms, relative), cli_plain(tree->talk->cli));
}

static void value_print(const struct json *value)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 20);
    json_write(&text, value);
    printf("%.*s", STR_ARG(str_slice(buf_view(&text), 0, VALUE_SHOWN)));
    if (text.len > VALUE_SHOWN)
        printf(" ...");
}

/* ---- evidence ---- */

static void margin(int depth)
{
    printf("%*s", depth * INDENT + MARK_COLUMNS, "");
}

static void event_print(const struct tree *tree, const struct json *event)
{
    const struct json *more = json_get(event, STR("properties"));
    instant_print(tree, json_get_str(event, STR("at")));
    for (uint32_t i = 0; more != NULL && more->kind == JSON_OBJECT && i < more->count; i++) {
        printf("%s%.*s ", i == 0 ? "  " : ", ", STR_ARG(more->members[i].key));
        value_print(&more->members[i].value);
    }
}

static void events_print(const struct tree *tree, const struct json *why, const char *list,
                         const char *number, int depth)
{
    const struct json *events = json_get(why, str_of(list));
    int64_t            count = 0;
    if (events == NULL || events->kind != JSON_ARRAY)
        return;
    (void)json_get_int(why, str_of(number), &count);
    margin(depth);
    if (count == 0) {
        printf("not once\n");
        return;
    }
    printf("%s%lld %s:\n", list[0] == 't' ? "then " : "", (long long)count,
           count == 1 ? "time" : "times");
    for (uint32_t i = 0; i < events->count && i < EVENTS_SHOWN; i++) {
        margin(depth);
        printf("  ");
        event_print(tree, &events->items[i]);
        printf("\n");
    }
    if (count > EVENTS_SHOWN) {
        margin(depth);
        printf("  and %lld before\n", (long long)(count - EVENTS_SHOWN));
    }
}

static void trait_print(const struct tree *tree, const struct json *why, int depth)
{
    const struct json *value = json_get(why, STR("value"));
    struct str         since = json_get_str(why, STR("since"));
    if (value == NULL)
        return;
    margin(depth);
    if (value->kind == JSON_NULL) {
        printf("it is not known\n");
        return;
    }
    printf("it is ");
    value_print(value);
    if (since.len > 0) {
        printf(" since ");
        instant_print(tree, since);
    }
    printf("\n");
}

/* Whatever else is said; instants are told with how far they are. */
static void rest_print(const struct tree *tree, const struct json *why, int depth)
{
    static const char *const told[] = { "condition",   "holds",       "parts",      "events",
                                        "count",       "then_events", "then_count", "value",
                                        "seq",         "name",        "steps",      "rules",
                                        "half_life_ms" };
    bool                     has_value = json_get(why, STR("value")) != NULL;
    for (uint32_t i = 0; i < why->count; i++) {
        const struct json_member *member = &why->members[i];
        bool                      is_told = has_value && str_eq(member->key, STR("since"));
        for (size_t k = 0; k < sizeof told / sizeof told[0]; k++)
            is_told = is_told || str_eq(member->key, str_of(told[k]));
        if (is_told || member->value.kind == JSON_NULL)
            continue;
        margin(depth);
        for (size_t c = 0; c < member->key.len; c++)
            putchar(member->key.ptr[c] == '_' ? ' ' : member->key.ptr[c]);
        putchar(' ');
        if (member->value.kind == JSON_STRING)
            instant_print(tree, member->value.string);
        else
            value_print(&member->value);
        printf("\n");
    }
}

/* ---- the tree ---- */

/* What joins the parts: their text stands in the whole's, with the word between. */
static const char *group_of(const struct json *why, const struct json *parts)
{
    struct str whole = json_get_str(why, STR("condition"));
    struct str first = json_get_str(&parts->items[0], STR("condition"));
    if (parts->count == 1)
        return "not this";
    size_t at = str_find(whole, 0, first) + first.len;
    while (at < whole.len && (whole.ptr[at] == ')' || whole.ptr[at] == ' '))
        at++;
    return str_starts(str_slice(whole, at, whole.len), STR("or ")) ? "any of these"
                                                                   : "all of these";
}

static void steps_print(const struct tree *tree, const struct json *why, int depth)
{
    const struct json *steps = json_get(why, STR("steps"));
    for (uint32_t i = 0; steps != NULL && steps->kind == JSON_ARRAY && i < steps->count; i++) {
        margin(depth);
        printf("step %u\n", i + 1);
        events_print(tree, &steps->items[i], "events", "count", depth + 1);
    }
}

/* Of a score: what each rule gives, and by what. */
static void rules_print(const struct tree *tree, const struct json *why, int depth)
{
    const struct json *rules = json_get(why, STR("rules"));
    for (uint32_t i = 0; rules != NULL && rules->kind == JSON_ARRAY && i < rules->count; i++) {
        const struct json *rule = &rules->items[i], *gives = json_get(rule, STR("gives"));
        margin(depth);
        if (gives != NULL)
            value_print(gives);
        printf(" points: %s\n", talk_text(tree->talk, rule, "rule"));
        if (json_get(rule, STR("events")) != NULL)
            events_print(tree, rule, "events", "count", depth + 1);
    }
}

static void part_print(const struct tree *tree, const struct json *why, int depth)
{
    const struct cli  *cli = tree->talk->cli;
    const struct json *parts = json_get(why, STR("parts"));
    bool               holds = json_get_bool(why, STR("holds"), false);
    bool               is_group = parts != NULL && parts->kind == JSON_ARRAY && parts->count > 0;
    printf("%*s%s%-*s%s%s\n", depth * INDENT, "", holds ? cli_good(cli) : cli_bad(cli),
           MARK_COLUMNS, holds ? "yes" : "no", cli_plain(cli),
           is_group ? group_of(why, parts) : talk_text(tree->talk, why, "condition"));
    trait_print(tree, why, depth);
    events_print(tree, why, "events", "count", depth);
    events_print(tree, why, "then_events", "then_count", depth);
    rest_print(tree, why, depth);
    steps_print(tree, why, depth);
    rules_print(tree, why, depth);
    for (uint32_t i = 0; is_group && i < parts->count; i++)
        part_print(tree, &parts->items[i], depth + 1);
}

void why_print(struct talk *talk)
{
    const struct json *why = json_get(&talk->answer, STR("why"));
    struct tree        tree = { .talk = talk, .now_ms = time_now_ms() };
    struct str         at = json_get_str(&talk->answer, STR("at"));
    const char        *segment = talk_text(talk, &talk->answer, "segment");
    if (why == NULL || why->kind != JSON_OBJECT)
        return;
    if (time_parse(at, &tree.now_ms) == OK)
        printf("%s%s%s%s%s, as of %.16s UTC\n\n", cli_bold(talk->cli),
               talk_text(talk, &talk->answer, "profile"), segment[0] ? " and segment " : "",
               segment, cli_plain(talk->cli), talk_text(talk, &talk->answer, "at"));
    part_print(&tree, why, 0);
}
