#include "engine/journey/definition_inside.h"
#include "engine/journey/sequence.h"
#include "engine/record.h"

#include <stdio.h>
#include <string.h>

enum err journey_at_place(struct reading *r, enum err err, const char *where)
{
    if (err == OK || r->problem == NULL || err == ERR_MEMORY)
        return err;
    char inner[sizeof r->problem->where];
    memcpy(inner, r->problem->where, sizeof inner);
    snprintf(r->problem->where, sizeof r->problem->where, "%s%s%.100s", where,
             inner[0] == '\0' ? "" : ":", inner);
    return err;
}

enum err journey_condition_read(struct reading *r, const struct json *value, const char *where,
                                struct condition *out)
{
    const struct segment_node *tree;
    enum err                   err;
    if (value->kind == JSON_STRING)
        err = segment_parse(r->arena, value->string, &tree, r->problem);
    else
        err = segment_parse_json(r->arena, value, &tree, r->problem);
    if (err == OK)
        err = segment_compile(r->arena, tree, &r->names, &out->program, r->problem);
    TRY(journey_at_place(r, err, where));
    out->tree = tree;
    return OK;
}

static bool asks_property(const struct segment_node *node, struct str key)
{
    bool asks = node != NULL && str_eq(node->compare.key, key);
    for (uint32_t i = 0; node != NULL && !asks && i < node->parts_count; i++)
        asks = asks_property(node->parts[i], key);
    return asks;
}

/* A `where` is about properties: it is asked as did "event" where (...). */
static enum err where_read(struct reading *r, struct str event, const struct json *value,
                           const char *place, struct condition *out)
{
    if (value != NULL && value->kind != JSON_STRING)
        return wrong(r, place, "This is not a text.",
                     "Write a condition on the event's properties, such as \"revenue > 100\".");
    struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    buf_str(&text, STR("did "));
    json_write_str(&text, event);
    if (value != NULL) {
        buf_str(&text, STR(" where ("));
        buf_str(&text, value->string);
        buf_str(&text, STR(")"));
    }
    struct str kept = str_copy(r->arena, buf_view(&text));
    enum err   err = buf_err(&text);
    buf_done(&text);
    if (err != OK || kept.ptr == NULL)
        return err != OK ? err : ERR_MEMORY;
    struct json whole = { .kind = JSON_STRING, .string = kept };
    TRY(journey_condition_read(r, &whole, place, out));
    if (out->tree->kind != SEGMENT_DID && !r->is_stored)
        return wrong(r, place, "A bracket is closed here that this condition did not open.",
                     "Write a condition on the event's properties, such as \"revenue > 100\".");
    return OK;
}

enum err journey_event_read(struct reading *r, struct str event, const struct json *where,
                            const char *place, struct condition *out, bool *hears_machines)
{
    TRY(where_read(r, event, where, place, out));
    *hears_machines = asks_property(out->tree->match.where, STR("machine"));
    return OK;
}

static const struct {
    const char       *key;
    enum trigger_kind kind;
    const char       *other; /* a member that may stand beside it; "": none */
} triggers[] = {
    { "event", TRIGGER_EVENT, "where key" },
    { "segment", TRIGGER_SEGMENT, "" },
    { "left_segment", TRIGGER_LEFT_SEGMENT, "" },
    { "list", TRIGGER_LIST, "" },
    { "left_list", TRIGGER_LEFT_LIST, "" },
    { "finished_journey", TRIGGER_FINISHED_JOURNEY, "" },
    { "left_journey", TRIGGER_LEFT_JOURNEY, "" },
    { "opened", TRIGGER_EVENT, "by" },
    { "clicked", TRIGGER_EVENT, "by" },
    { "stage", TRIGGER_SEGMENT, "" },
    { "left_stage", TRIGGER_LEFT_SEGMENT, "" },
    { "date", TRIGGER_CLOCK, "" },
    { "schedule", TRIGGER_CLOCK, "segment zone" },
    { "api", TRIGGER_API, "key" },
    { "form", TRIGGER_EVENT, "where key" },
    { "webhook", TRIGGER_EVENT, "where key" },
};
enum { TRIGGERS = sizeof triggers / sizeof triggers[0] };

/* {"clicked": WHICH, "by"?: WHO} is asked as the condition {"did": the same}. */
static enum err message_trigger_read(struct reading *r, const struct json *value, const char *key,
                                     struct journey_trigger *out)
{
    struct json_member did = { STR("did"), *value };
    struct json        whole = { .kind = JSON_OBJECT, .count = 1, .members = &did };
    out->name = key[0] == 'o' ? EVENT_MESSAGE_OPENED : EVENT_MESSAGE_CLICKED;
    out->hears_machines = true; /* the condition says whose it hears */
    return journey_condition_read(r, &whole, "trigger", &out->where);
}

/* What a form of a site, and a receiver of webhooks, tell: ordinary names. */
#define EVENT_FORM_SUBMITTED STR("Form Submitted")
#define EVENT_WEBHOOK_RECEIVED STR("Webhook Received")

/* What says which form or receiver an event is of: any of these properties. */
static const struct source {
    const char *key;
    const char *properties[3];
} sources[] = {
    { "form", { "form", "form_id", "form_name" } },
    { "webhook", { "webhook" } },
};

static const struct source *source_find(const char *key)
{
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (strcmp(sources[i].key, key) == 0)
            return &sources[i];
    return NULL;
}

/* (form = "contact" or form_id = "contact" or ...) and (WHERE) */
static enum err source_where_write(struct buf *text, const struct source *source, struct str name,
                                   const struct json *where)
{
    enum { PROPERTIES = sizeof source->properties / sizeof source->properties[0] };
    for (size_t i = 0; i < PROPERTIES && source->properties[i] != NULL; i++) {
        buf_str(text, i == 0 ? STR("(") : STR(" or "));
        buf_str(text, str_of(source->properties[i]));
        buf_str(text, STR(" = "));
        json_write_str(text, name);
    }
    buf_str(text, STR(")"));
    if (where != NULL) {
        buf_str(text, STR(" and ("));
        buf_str(text, where->string);
        buf_str(text, STR(")"));
    }
    return buf_err(text);
}

/* {"form": NAME, "where"?} is that event of that form; a webhook likewise. out->name is NAME. */
static enum err source_trigger_read(struct reading *r, const struct source *source,
                                    const struct json *where, struct journey_trigger *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    struct str                   name = out->name;
    if (where != NULL && where->kind != JSON_STRING)
        return wrong(r, "trigger.where", "This is not a text.",
                     "Write a condition on the event's properties, such as \"budget > 100\".");
    out->name = source->key[0] == 'f' ? EVENT_FORM_SUBMITTED : EVENT_WEBHOOK_RECEIVED;
    if (where != NULL) /* by itself: a bracket of its own must not end the one about it */
        TRY(journey_event_read(r, out->name, where, "trigger.where", &out->where,
                               &out->hears_machines));
    if (source_where_write(&text, source, name, where) == ERR_LIMIT)
        return wrong(r, "trigger.where", "This condition is too long.", "Use at most 60 KiB.");
    TRY(buf_err(&text));
    struct json whole = { .kind = JSON_STRING, .string = str_copy(r->arena, buf_view(&text)) };
    if (whole.string.ptr == NULL)
        return ERR_MEMORY;
    return journey_event_read(r, out->name, &whole, "trigger.where", &out->where,
                              &out->hears_machines);
}

static bool is_beside(struct str key, int kind)
{
    struct str rest = str_of(triggers[kind].other), word;
    while (str_split(&rest, ' ', &word))
        if (str_eq(word, key))
            return true;
    return false;
}

static enum err trigger_members_check(struct reading *r, const struct json *value, int kind)
{
    for (uint32_t i = 0; i < value->count; i++) {
        struct str key = value->members[i].key;
        if (r->is_stored || str_eq(key, str_of(triggers[kind].key)) || is_beside(key, kind))
            continue;
        return str_eq(key, STR("where"))
                   ? wrong(r, "trigger.where", "Only an event has properties.",
                           "Put the condition into the segment, or start with a split.")
                   : problem_format(
                         r->problem, ERR_INPUT, "trigger",
                         "Leave it out; \"where\" and \"key\" go with \"event\", \"form\" "
                         "and \"webhook\", \"by\" with \"opened\" and \"clicked\".",
                         "A trigger by \"%s\" has no member \"%.*s\".", triggers[kind].key,
                         (int)(key.len < 80 ? key.len : 80), key.ptr);
    }
    return OK;
}

/* {"date": "7 days before anniversary of birthday at 09:00"} */
static enum err date_read(struct reading *r, struct journey_trigger *out)
{
    TRY(journey_until_read(r, out->name, "trigger.date", &out->clock.until));
    return out->clock.until.kind == UNTIL_TRAIT && !out->clock.until.is_entry
               ? OK
               : wrong(r, "trigger.date", "This is no date of a person.",
                       "Name a trait that is one, such as \"3 days before trial_ends\" or "
                       "\"anniversary of birthday at 09:00\"; for a time of the week write "
                       "\"schedule\".");
}

/* {"schedule": "monday 10:00", "segment"?: NAME, "zone"?: "workspace"} */
static enum err schedule_read(struct reading *r, const struct json *value,
                              struct journey_trigger *out)
{
    const struct json *segment = json_get(value, STR("segment"));
    const struct json *zone = json_get(value, STR("zone"));
    struct str         whose = zone == NULL ? STR("person") : json_get_str(value, STR("zone"));
    struct json_member in = { .key = STR("in_segment") };
    struct json        whole = { .kind = JSON_OBJECT, .count = 1, .members = &in };
    TRY(journey_until_read(r, out->name, "trigger.schedule", &out->clock.until));
    if (out->clock.until.kind != UNTIL_TIME || out->clock.until.is_best)
        return wrong(r, "trigger.schedule", "This is no time that comes again.",
                     "Write such as \"monday 10:00\", \"weekday 09:00\" or \"10:00\".");
    out->clock.is_workspace = str_eq(whose, STR("workspace"));
    if (!out->clock.is_workspace && !str_eq(whose, STR("person")))
        return wrong(r, "trigger.zone", "There is no such clock.",
                     "Write \"workspace\"; without it each person's own clock counts.");
    if (segment == NULL)
        return OK;
    in.value = *segment;
    return journey_condition_read(r, &whole, "trigger.segment", &out->where);
}

static enum err trigger_read(struct reading *r, const struct json *value,
                             struct journey_trigger *out)
{
    int  found = 0, kind = 0;
    bool has_schedule = json_get(value, STR("schedule")) != NULL;
    for (int i = 0; i < TRIGGERS; i++)
        if (json_get(value, str_of(triggers[i].key)) != NULL &&
            !(has_schedule && strcmp(triggers[i].key, "segment") == 0)) {
            found++;
            kind = i;
        }
    if (found != 1)
        return wrong(
            r, "trigger", "A journey begins in exactly one way.",
            "Give \"trigger\" one of event, segment, left_segment, stage, left_stage, list, "
            "left_list, date, schedule, finished_journey, left_journey, opened, clicked, form or "
            "webhook, with its name, or "
            "{\"api\": true}.");
    TRY(trigger_members_check(r, value, kind));
    out->kind = triggers[kind].kind;
    if (str_eq(str_of(triggers[kind].other), STR("by")))
        return message_trigger_read(r, value, triggers[kind].key, out);
    if (out->kind == TRIGGER_API)
        return json_get_bool(value, STR("api"), false)
                   ? OK
                   : wrong(r, "trigger.api", "This is not `true`.",
                           "Write {\"api\": true}: who is let in by hand or by a program.");
    out->name = json_get_str(value, str_of(triggers[kind].key));
    if (str_is_empty(out->name))
        return problem_format(r->problem, ERR_INPUT, "trigger", "Give it a name as a text.",
                              "The \"%s\" of the trigger has no name.", triggers[kind].key);
    if (out->name.len > DICT_NAME_BYTES_MAX)
        return problem_format(r->problem, ERR_INPUT, "trigger", "Shorten it.",
                              "The \"%s\" of the trigger is longer than 512 bytes.",
                              triggers[kind].key);
    out->is_stage =
        strcmp(triggers[kind].key, "stage") == 0 || strcmp(triggers[kind].key, "left_stage") == 0;
    if (out->kind == TRIGGER_CLOCK)
        return has_schedule ? schedule_read(r, value, out) : date_read(r, out);
    const struct json   *where = json_get(value, STR("where"));
    const struct source *source = source_find(triggers[kind].key);
    if (source != NULL)
        return source_trigger_read(r, source, where, out);
    if (where == NULL)
        return OK;
    return journey_event_read(r, out->name, where, "trigger.where", &out->where,
                              &out->hears_machines);
}

/* What comes again by the calendar lets in again, unless the journey says otherwise. */
static struct str reentry_default(const struct journey_trigger *trigger)
{
    return trigger->kind == TRIGGER_CLOCK &&
                   (trigger->clock.until.kind == UNTIL_TIME || trigger->clock.until.is_yearly)
               ? STR("always")
               : STR("once");
}

static enum err reentry_read(struct reading *r, const struct json *value, struct journey *out)
{
    struct str text = value == NULL                ? reentry_default(&out->trigger)
                      : value->kind == JSON_STRING ? value->string
                                                   : STR("");
    if (str_eq(text, STR("once")))
        out->reentry = REENTRY_ONCE;
    else if (str_eq(text, STR("always")))
        out->reentry = REENTRY_ALWAYS;
    else if (str_starts(text, STR("after ")) &&
             time_length_parse(str_slice(text, 6, text.len), &out->reentry_ms) == OK)
        out->reentry = REENTRY_AFTER;
    else
        return wrong(r, "reentry", "This is not a rule for coming in again.",
                     "Write \"once\", \"always\" or \"after 30 days\".");
    return OK;
}

static enum err members_check(struct reading *r, const struct json *root)
{
    static const char *const known[] = { "journey",      "trigger", "reentry", "priority",
                                         "exit_when",    "holdout", "goal",    "nodes",
                                         "exit_on_goal", "note",    "at_once", "audience",
                                         "audience_at" };
    for (uint32_t i = 0; i < root->count; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
            found = found || str_eq(root->members[i].key, str_of(known[k]));
        if (!found)
            return wrong(r, root->members[i].key.ptr, "A journey has no such member.",
                         "Use journey, trigger, audience, audience_at, reentry, at_once, priority, "
                         "exit_when, holdout, goal, exit_on_goal, nodes, sequence or note.");
    }
    return OK;
}

/* Who may come in is asked before there is an entry. */
static enum err audience_read(struct reading *r, const struct json *root, struct journey *out)
{
    const struct json *audience = json_get(root, STR("audience"));
    const struct json *at = json_get(root, STR("audience_at"));
    struct str         when = at == NULL ? STR("entry") : json_get_str(root, STR("audience_at"));
    out->is_audience_kept = str_eq(when, STR("each step"));
    if (!out->is_audience_kept && !str_eq(when, STR("entry")))
        return wrong(r, "audience_at", "The audience is asked at no such time.",
                     "Write \"entry\" or \"each step\".");
    if (audience == NULL && out->trigger.kind == TRIGGER_CLOCK &&
        out->trigger.clock.until.kind == UNTIL_TIME && out->trigger.where.tree == NULL)
        return wrong(r, "trigger", "The schedule does not say for whom it is.",
                     "Give it a \"segment\", or the journey an \"audience\".");
    if (audience != NULL)
        return journey_condition_read(r, audience, "audience", &out->audience);
    return at == NULL ? OK
                      : wrong(r, "audience_at", "There is no audience to ask for.",
                              "Give \"audience\" a condition, or leave this out.");
}

/* All of it, once a sequence has become nodes. */
static enum err whole_read(struct reading *r, const struct json *root, struct journey *out)
{
    TRY(members_check(r, root));
    out->name = json_get_str(root, STR("journey"));
    if (str_is_empty(out->name) || out->name.len > JOURNEY_NAME_BYTES_MAX)
        return wrong(r, "journey", "A journey needs a name of 1 to 128 bytes.",
                     "Give \"journey\" its name.");
    TRY(trigger_read(r, json_get(root, STR("trigger")), &out->trigger));
    if ((out->trigger.kind == TRIGGER_FINISHED_JOURNEY ||
         out->trigger.kind == TRIGGER_LEFT_JOURNEY) &&
        str_eq(out->trigger.name, out->name))
        return wrong(r, "trigger", "A journey cannot begin by its own end.",
                     "Let its last node go on to an earlier one, with a wait between.");
    TRY(reentry_read(r, json_get(root, STR("reentry")), out));
    TRY(journey_key_read(r, root, out));
    TRY(audience_read(r, root, out));
    if (!limits_priority_read(root, &out->priority))
        return wrong(r, "priority", "This is no number from 1 to 9.",
                     "Write such as 7, or leave it out: it is then 5.");
    r->names.has_entry = true;
    r->names.has_key = !str_is_empty(out->trigger.key_name);
    const struct json *exit_when = json_get(root, STR("exit_when"));
    if (exit_when != NULL)
        TRY(journey_condition_read(r, exit_when, "exit_when", &out->exit_when));
    TRY(journey_goal_read(r, root, out));
    r->nodes = json_get(root, STR("nodes"));
    TRY(journey_nodes_read(r, out));
    return journey_experiments_name(r, out);
}

enum err journey_parse(struct arena *arena, struct str text, const struct segment_names *names,
                       struct journey *out, struct problem *problem)
{
    struct reading r = {
        .arena = arena, .names = *names, .problem = problem, .is_stored = problem == NULL
    };
    struct json   *root = ARENA_NEW(arena, struct json);
    struct journey journey = { 0 };
    if (root == NULL)
        return ERR_MEMORY;
    if (text.len > JOURNEY_TEXT_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "journey", "The text is longer than 512 KB.",
                           "Split the journey into several.");
    TRY(json_parse_once(arena, text, root, problem));
    if (root->kind != JSON_OBJECT)
        return wrong(&r, "journey", "A journey is a JSON object.",
                     "Begin with {\"journey\": ...}.");
    struct sequence_map *map = ARENA_NEW(arena, struct sequence_map);
    if (map == NULL)
        return ERR_MEMORY;
    TRY(sequence_expand(arena, root, map, problem));
    enum err err = whole_read(&r, root, &journey);
    journey.sequence = map;
    if (err == OK)
        *out = journey;
    else
        sequence_place(map, problem);
    return err;
}

uint16_t journey_node(const struct journey *journey, struct str id)
{
    for (uint16_t i = 0; i < journey->nodes_count; i++)
        if (str_eq(journey->nodes[i].id, id))
            return i;
    return JOURNEY_END;
}

bool journey_node_sends(const struct node *node, struct str template)
{
    for (uint16_t i = 0; i < node->templates_count; i++)
        if (str_eq(node->templates[i], template))
            return true;
    return false;
}

bool journey_node_awaits(const struct node *node, struct str trait)
{
    return node->kind == NODE_WAIT_UNTIL && node->until.kind == UNTIL_TRAIT &&
           !node->until.is_entry && str_eq(node->until.trait, trait);
}
