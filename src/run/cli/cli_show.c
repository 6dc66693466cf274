/* dult show: a person, and what happened. dult explain: why, and why not. */
#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "run/cli/cli_next.h"
#include "run/cli/cli_why.h"

enum { LINE_BYTES_MAX = 1 << 20, DETAIL_SHOWN = 160 };

/* "2026-01-02 03:04" of an ISO instant. */
static void at_print(const char *at)
{
    if (strlen(at) >= 19)
        printf("%.10s %.8s", at, at + 11);
    else
        printf("%-19s", at);
}

static void value_print(const struct json *value, int bytes_max)
{
    SCOPED(buf_donep) struct buf text = buf_make(LINE_BYTES_MAX);
    if (value->kind == JSON_STRING) {
        printf("%.*s", STR_ARG(value->string));
        return;
    }
    json_write(&text, value);
    printf("%.*s", STR_ARG(str_slice(buf_view(&text), 0, (size_t)bytes_max)));
    if (text.len > (size_t)bytes_max)
        printf(" ...");
}

static void members_print(const struct json *object, int bytes_max)
{
    for (uint32_t i = 0; object != NULL && object->kind == JSON_OBJECT && i < object->count; i++) {
        printf("%s%.*s ", i == 0 ? "" : ", ", STR_ARG(object->members[i].key));
        value_print(&object->members[i].value, bytes_max);
    }
}

/* A decision's detail also has numbers of records and names, which are for programs (--json). */
static bool is_for_programs(const struct json_member *member)
{
    static const char *const keys[] = { "node_number", "template_id", "journey_id",
                                        "topic_id",    "event",       "traits",
                                        "version",     "visit",       "key_id" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (str_eq(member->key, str_of(keys[i])))
            return true;
    return false;
}

static bool is_instant(struct str key)
{
    return str_eq(key, STR("due")) || str_eq(key, STR("retry_at")) || str_eq(key, STR("since"));
}

static void detail_print(const struct json *detail)
{
    bool first = true;
    for (uint32_t i = 0; detail->kind == JSON_OBJECT && i < detail->count; i++) {
        const struct json_member *member = &detail->members[i];
        char                      at[TIME_TEXT_BYTES];
        if (is_for_programs(member))
            continue;
        printf("%s%.*s ", first ? "" : ", ", STR_ARG(member->key));
        first = false;
        if (is_instant(member->key) && member->value.kind == JSON_INT)
            at_print(time_write(member->value.integer, at));
        else
            value_print(&member->value, DETAIL_SHOWN);
    }
}

static void story_line(struct talk *talk, const struct json *item)
{
    const struct cli  *cli = talk->cli;
    const char        *name = talk_text(talk, item, "name");
    const struct json *detail = json_get(item, STR("detail"));
    const struct json *more = json_get(item, STR("properties"));
    if (more == NULL)
        more = json_get(item, STR("traits"));
    printf("  %s", cli_quiet(cli));
    at_print(talk_text(talk, item, "at"));
    printf("%s  %s%s%s%s  ", cli_plain(cli), talk_text(talk, item, "type"), name[0] ? " \"" : "",
           name, name[0] ? "\"" : "");
    if (detail != NULL)
        detail_print(detail);
    else
        members_print(more, DETAIL_SHOWN);
    printf("\n");
}

static void names_print(struct talk *talk, const char *list, const char *member, const char *label)
{
    const struct json *items = json_get(&talk->answer, str_of(list));
    if (items == NULL || items->kind != JSON_ARRAY || items->count == 0)
        return;
    printf("%s", label);
    for (uint32_t i = 0; i < items->count; i++)
        printf("%s%s", i == 0 ? "" : ", ", talk_text(talk, &items->items[i], member));
    printf("\n");
}

static void computed_print(const struct json *computed)
{
    for (uint32_t i = 0; computed != NULL && computed->kind == JSON_OBJECT && i < computed->count;
         i++) {
        printf("  %-20.*s ", STR_ARG(computed->members[i].key));
        value_print(&computed->members[i].value, DETAIL_SHOWN);
        printf("  computed\n");
    }
}

static void derived_print(const struct json *derived)
{
    for (uint32_t i = 0; derived != NULL && derived->kind == JSON_OBJECT && i < derived->count;
         i++) {
        const struct json *value = json_get(&derived->members[i].value, STR("value"));
        printf("  %-20.*s ", STR_ARG(derived->members[i].key));
        if (value != NULL)
            value_print(value, DETAIL_SHOWN);
        printf("  from %.*s\n", STR_ARG(json_get_str(&derived->members[i].value, STR("from"))));
    }
}

static void person_print(struct talk *talk)
{
    const struct json *traits = json_get(&talk->answer, STR("traits"));
    printf("%s%s%s  known as ", cli_bold(talk->cli), talk_text(talk, &talk->answer, "id"),
           cli_plain(talk->cli));
    names_print(talk, "identities", "id", "");
    for (uint32_t i = 0; traits != NULL && traits->kind == JSON_OBJECT && i < traits->count; i++) {
        printf("  %-20.*s ", STR_ARG(traits->members[i].key));
        value_print(&traits->members[i].value, DETAIL_SHOWN);
        printf("\n");
    }
    computed_print(json_get(&talk->answer, STR("computed")));
    derived_print(json_get(&talk->answer, STR("derived")));
    names_print(talk, "segments", "segment", "In segments: ");
    names_print(talk, "journeys", "journey", "In journeys: ");
    names_print(talk, "lists", "list", "On lists: ");
}

static enum err timeline_ask(struct talk *talk, const char *who)
{
    const char *limit = cli_value(talk->cli, "limit");
    talk_path(talk, "/api/v1/profiles/", who, "/timeline");
    talk_query(talk, "limit", limit == NULL ? "20" : limit);
    return talk_ask(talk, "GET");
}

/* The profile's members, and the timeline's beside them. */
static void show_json(const struct json *person, const struct json *timeline)
{
    SCOPED(buf_donep) struct buf out = buf_make(TALK_BODY_BYTES_MAX);
    const struct json           *items = json_get(timeline, STR("items"));
    json_write(&out, person);
    out.len--; /* the closing brace */
    buf_str(&out, STR(",\"timeline\":"));
    if (items != NULL)
        json_write(&out, items);
    else
        buf_str(&out, STR("[]"));
    buf_str(&out, STR("}"));
    printf("%.*s\n", STR_ARG(buf_view(&out)));
}

enum cli_exit cli_show(struct cli *cli)
{
    struct talk talk;
    struct json person = { .kind = JSON_NULL };
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK) {
        talk_path(&talk, "/api/v1/profiles/", cli->words[0], NULL);
        err = talk_ask(&talk, "GET");
    }
    if (err == OK) {
        person = talk.answer;
        if (!cli->is_json)
            person_print(&talk);
        err = timeline_ask(&talk, cli->words[0]);
    }
    if (err == OK && cli->is_json)
        show_json(&person, &talk.answer);
    const struct json *items = err == OK ? json_get(&talk.answer, STR("items")) : NULL;
    if (items != NULL && !cli->is_json) {
        printf("\nThe latest first:\n");
        for (uint32_t i = 0; i < items->count; i++)
            story_line(&talk, &items->items[i]);
    }
    return talk_end(&talk, err, CLI_OK);
}

/* ---- explain ---- */

/* A message that has not gone: why, when next, how often it was tried, what the last answer was. */
static void trying_print(struct talk *talk)
{
    const struct json *trying = json_get(&talk->answer, STR("trying"));
    const struct json *last = json_get(&talk->answer, STR("last"));
    int64_t            attempts = 0;
    if (trying == NULL || trying->kind != JSON_OBJECT)
        return;
    (void)json_get_int(trying, STR("attempts"), &attempts);
    bool drops = json_get_bool(trying, STR("drops"), false);
    printf("It is %s: %s%s.\n", talk_text(talk, trying, "state"),
           drops ? "it will not be sent as things are: " : "", talk_text(talk, trying, "why"));
    if (json_get(trying, STR("at")) != NULL)
        printf("It is looked at next: %s\n", talk_text(talk, trying, "at"));
    printf("It was tried %lld time%s.\n", (long long)attempts, attempts == 1 ? "" : "s");
    if (last != NULL)
        printf("Last answer: %s at %s%s%s\n", talk_text(talk, last, "state"),
               talk_text(talk, last, "at"), json_get(last, STR("reason")) != NULL ? ": " : "",
               talk_text(talk, last, "reason"));
}

static void journey_print(struct talk *talk)
{
    const struct json *answer = &talk->answer, *inside = json_get(answer, STR("inside"));
    const struct json *decisions = json_get(answer, STR("decisions"));
    const struct json *trigger = json_get(answer, STR("trigger"));
    if (trigger != NULL) {
        printf("It starts with: ");
        members_print(trigger, DETAIL_SHOWN);
        printf("\nComing back: %s\n", talk_text(talk, answer, "reentry"));
    }
    if (json_get(answer, STR("live")) != NULL && !json_get_bool(answer, STR("live"), false))
        printf("It is not live.\n");
    if (json_get(answer, STR("state")) != NULL)
        printf("It is %s.\n", talk_text(talk, answer, "state"));
    if (inside != NULL)
        printf("%s\n",
               inside->count > 0 ? "This person is in it now." : "This person is not in it now.");
    next_print(talk);
    trying_print(talk);
    if (decisions == NULL || decisions->count == 0) {
        printf("Nothing was ever decided about this: what starts it has not happened, or came too "
               "late to count.\n");
        return;
    }
    printf("\nAs it went:\n");
    for (uint32_t i = 0; i < decisions->count; i++)
        story_line(talk, &decisions->items[i]);
    choices_print(talk);
}

static enum cli_exit verdict(const struct talk *talk)
{
    const struct json *why = json_get(&talk->answer, STR("why"));
    return why == NULL || json_get_bool(why, STR("holds"), false) ? CLI_OK : CLI_NO;
}

static enum err explain_ask(struct talk *talk, const char *kind, const char *name)
{
    talk_path(talk, "/api/v1/profiles/", talk->cli->words[0], "/explain");
    talk_query(talk, kind, name);
    talk_query(talk, "at", cli_value(talk->cli, "at"));
    return talk_ask(talk, "GET");
}

/* A name alone is a segment's; a journey's where no segment has it. */
static enum err explain_name(struct talk *talk, const char *name)
{
    enum err       err = explain_ask(talk, "segment", name);
    struct problem none = talk->problem;
    if (err != ERR_ABSENT || strcmp(none.where, "segment") != 0)
        return err;
    err = explain_ask(talk, "journey", name);
    if (err == ERR_ABSENT)
        (void)problem_format(&none, err, "name",
                             "Look at the lists, or say what it is: dult explain PERSON "
                             "segment|journey|message|condition|score NAME",
                             "There is no segment or journey \"%.100s\".", name);
    if (err == ERR_ABSENT)
        talk->problem = none;
    return err;
}

enum cli_exit cli_explain(struct cli *cli)
{
    static const char *const kinds[] = {
        "segment", "journey", "message", "condition", "score", NULL
    };
    struct talk talk;
    int         kind = 0;
    bool        is_short = cli->words_count == 2; /* the name of a segment alone */
    while (!is_short && kinds[kind] != NULL && strcmp(kinds[kind], cli->words[1]) != 0)
        kind++;
    if (kinds[kind] == NULL)
        return cli_usage(
            cli, "What is to be explained?",
            "Name it: dult explain PERSON segment|journey|message|condition|score NAME");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK)
        err = is_short ? explain_name(&talk, cli->words[1])
                       : explain_ask(&talk, kinds[kind], cli->words[2]);
    enum cli_exit code = err == OK ? verdict(&talk) : CLI_OK;
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK && json_get(&talk.answer, STR("why")) != NULL)
        why_print(&talk);
    else if (err == OK)
        journey_print(&talk);
    return talk_end(&talk, err, code);
}
