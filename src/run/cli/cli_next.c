#include "run/cli/cli_next.h"

#include "base/time.h"
#include "run/cli/cli_why.h"

static bool has(const struct json *object, const char *key)
{
    return json_get(object, str_of(key)) != NULL;
}

/* "2026-01-05 10:00 UTC (in 3 days; 2026-01-05 11:00 by their clock)" */
static void instant_print(struct talk *talk, const struct json *object, const char *key,
                          const char *local)
{
    char       relative[WHY_TEXT_BYTES];
    int64_t    at_ms;
    struct str text = json_get_str(object, str_of(key));
    if (time_parse(text, &at_ms) != OK || text.len < 16)
        return;
    printf("%.10s %.5s UTC (%s", text.ptr, text.ptr + 11,
           why_relative(at_ms, time_now_ms(), relative));
    if (has(object, local))
        printf("; %s by their clock", talk_text(talk, object, local));
    printf(")");
}

static void message_print(struct talk *talk, const struct json *step)
{
    printf("message %s", talk_text(talk, step, "template"));
    printf(" (%s)", talk_text(talk, step, "channel"));
    if (!json_get_bool(step, STR("goes"), false))
        printf(" would not go as of now: %s", talk_text(talk, step, "why_not"));
    else if (has(step, "not_before")) {
        printf(" would wait until ");
        instant_print(talk, step, "not_before", "not_before_local");
        printf(": %s", talk_text(talk, step, "held_by"));
    } else
        printf(" would go as of now");
}

static void step_print(struct talk *talk, const struct json *step)
{
    struct str does = json_get_str(step, STR("does"));
    printf("    ");
    if (has(step, "node"))
        printf("%s: ", talk_text(talk, step, "node"));
    if (str_eq(does, STR("message")))
        message_print(talk, step);
    else
        printf("%s", talk_text(talk, step, "does"));
    if (has(step, "name"))
        printf(" %s", talk_text(talk, step, "name"));
    if (has(step, "length"))
        printf(" %s", talk_text(talk, step, "length"));
    if (has(step, "for"))
        printf(" %s", talk_text(talk, step, "for"));
    if (has(step, "within"))
        printf(", at most %s", talk_text(talk, step, "within"));
    if (has(step, "takes"))
        printf(", as of now %s", talk_text(talk, step, "takes"));
    if (has(step, "because"))
        printf(", for %s", talk_text(talk, step, "because"));
    if (has(step, "chosen")) {
        printf(" on ");
        instant_print(talk, json_get(step, STR("chosen")), "at", "");
        printf(", %s", talk_text(talk, json_get(step, STR("chosen")), "how"));
    }
    printf("\n");
}

static void way_print(struct talk *talk, const struct json *way)
{
    const struct json *then = json_get(way, STR("then"));
    printf("  ");
    if (has(way, "way"))
        printf("%s: ", talk_text(talk, way, "way"));
    printf("%s\n", talk_text(talk, way, "when"));
    for (uint32_t i = 0; then != NULL && then->kind == JSON_ARRAY && i < then->count; i++)
        step_print(talk, &then->items[i]);
}

static void inside_print(struct talk *talk, const struct json *one)
{
    const struct json *ways = json_get(one, STR("ways"));
    if (has(one, "node")) {
        printf("\nAt node %s", talk_text(talk, one, "node"));
        if (has(one, "key"))
            printf(" with %s", talk_text(talk, one, "key"));
        printf(", waiting for %s until ", talk_text(talk, one, "waits_for"));
        instant_print(talk, one, "until", "until_local");
        printf(". What next:\n");
    }
    for (uint32_t i = 0; ways != NULL && ways->kind == JSON_ARRAY && i < ways->count; i++)
        way_print(talk, &ways->items[i]);
    if (has(one, "left_when"))
        printf("It is left when: %s\n", talk_text(talk, one, "left_when"));
    if (has(one, "stays_while"))
        printf("It is left at the next step unless: %s\n", talk_text(talk, one, "stays_while"));
    if (has(one, "goal")) {
        printf("It is left by its goal: %s, until ", talk_text(talk, one, "goal"));
        instant_print(talk, one, "goal_until", "");
        printf("\n");
    }
}

static void entering_print(struct talk *talk, const struct json *entering)
{
    printf("To come in: %s", talk_text(talk, entering, "begins"));
    if (has(entering, "where"))
        printf(" where %s", talk_text(talk, entering, "where"));
    if (has(entering, "audience"))
        printf(", for %s", talk_text(talk, entering, "audience"));
    if (has(entering, "next")) {
        printf(", next ");
        instant_print(talk, entering, "next", "next_local");
    }
    if (json_get_bool(entering, STR("enters"), false))
        printf(". Now that would let this person in.\n");
    else
        printf(". Now that would not let this person in: %s", talk_text(talk, entering, "why_not"));
    if (has(entering, "from")) {
        printf("; from ");
        instant_print(talk, entering, "from", "from_local");
        printf(" on it would");
    }
    if (has(entering, "why_not"))
        printf(".\n");
}

void next_print(struct talk *talk)
{
    const struct json *next = json_get(&talk->answer, STR("next"));
    const struct json *entering = json_get(&talk->answer, STR("entering"));
    for (uint32_t i = 0; next != NULL && next->kind == JSON_ARRAY && i < next->count; i++)
        inside_print(talk, &next->items[i]);
    if (next != NULL && next->count == 0 && entering != NULL && entering->kind == JSON_OBJECT)
        entering_print(talk, entering);
}
