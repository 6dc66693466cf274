#include "engine/story/story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/journey/enrolling.h"
#include "engine/story/chronicle.h"
#include "engine/story/stage.h"

#define FROM_MS_DEFAULT INT64_C(1767603600000) /* Monday 2026-01-05, 09:00 UTC */

enum { SAID_BYTES_MAX = 1 << 20, WHERE_BYTES = 96 };

struct telling {
    struct arena             *arena;
    const struct story_world *world;
    struct stage              stage;
    struct buf                said; /* why it fails; empty so far: it does not */
    uint32_t                  step;
    bool                     *seen; /* of the stage's messages: a `gets` has named it */
    uint32_t                  seen_room;
    struct problem            problem; /* of the step */
};

/* ---- reading ---- */

static enum err fault(struct telling *telling, const char *where, const char *what,
                      const char *remedy)
{
    return problem_set(&telling->problem, ERR_INPUT, where, what, remedy);
}

static enum err text_get(struct telling *telling, const struct json *object, const char *key,
                         struct str *out)
{
    const struct json *value = json_get(object, str_of(key));
    if (value == NULL || value->kind != JSON_STRING || value->string.len == 0)
        return fault(telling, key, "This is no text.", "Write a text between quotation marks.");
    *out = value->string;
    return OK;
}

static enum err object_get(struct telling *telling, const struct json *object, const char *key,
                           const struct json **out)
{
    *out = json_get(object, str_of(key));
    if (*out == NULL || (*out)->kind == JSON_OBJECT)
        return OK;
    return fault(telling, key, "This is no object.", "Write {\"name\": value, ...}.");
}

static enum err time_get(struct telling *telling, const struct json *step, int64_t *out_ms)
{
    const struct json *after = json_get(step, STR("after")), *at = json_get(step, STR("at"));
    int64_t            length_ms;
    *out_ms = telling->stage.now_ms;
    if (after != NULL && at != NULL)
        return fault(telling, "at", "A step has one time.", "Write `after` or `at`.");
    if (after != NULL) {
        if (after->kind != JSON_STRING || time_length_parse(after->string, &length_ms) != OK ||
            length_ms < 0 || length_ms > TIME_MAX_MS - *out_ms)
            return fault(telling, "after", "This is no length of time.",
                         "Write \"3 days\", \"1 hour\", \"90 minutes\".");
        *out_ms += length_ms;
    }
    if (at == NULL)
        return OK;
    if (at->kind != JSON_STRING || time_parse(at->string, out_ms) != OK)
        return fault(telling, "at", "This is no instant.", "Write \"2026-03-02T10:00:00Z\".");
    if (*out_ms < telling->stage.now_ms)
        return fault(telling, "at", "Time does not go back.",
                     "Put the steps in the order in which they happen.");
    return OK;
}

static enum err members_check(struct telling *telling, const struct json *object,
                              const char *const *known)
{
    for (uint32_t i = 0; i < object->count; i++) {
        const char *const *name = known;
        while (*name != NULL && !str_eq(object->members[i].key, str_of(*name)))
            name++;
        if (*name == NULL)
            return problem_format(
                &telling->problem, ERR_INPUT, "", "docs/stories.md lists what a story may say.",
                "\"%.*s\" is nothing that a step says.", STR_ARG(object->members[i].key));
    }
    return OK;
}

/* ---- what happens ---- */

static enum err person_find(struct telling *telling, struct str who, uint32_t *out)
{
    *out = engine_find(telling->stage.engine, who);
    if (*out != PROFILE_NONE)
        return OK;
    return problem_format(&telling->problem, ERR_INPUT, "person",
                          "Tell of them first: {\"person\": ..., \"traits\": {...}}.",
                          "Nobody is called \"%.*s\".", STR_ARG(who));
}

static enum err tell(struct telling *telling, struct record record)
{
    return stage_tell(&telling->stage, record, &telling->problem);
}

static enum err identify(struct telling *telling, const struct json *step, struct str who)
{
    struct record record = { .kind = RECORD_IDENTIFY, .user_id = who };
    TRY(object_get(telling, step, "traits", &record.properties));
    return tell(telling, record);
}

static enum err track(struct telling *telling, const struct json *step, struct str who)
{
    struct record record = { .kind = RECORD_TRACK, .user_id = who };
    TRY(text_get(telling, step, "event", &record.name));
    TRY(object_get(telling, step, "properties", &record.properties));
    return tell(telling, record);
}

static enum err list_tell(struct telling *telling, const struct json *step, struct str who,
                          const char *verb, uint8_t flags)
{
    struct record record = { .kind = RECORD_LIST, .flags = flags, .user_id = who };
    TRY(text_get(telling, step, verb, &record.name));
    return tell(telling, record);
}

static enum err joins(struct telling *telling, const struct json *step, struct str who)
{
    return list_tell(telling, step, who, "joins", 0);
}

static enum err leaves(struct telling *telling, const struct json *step, struct str who)
{
    return list_tell(telling, step, who, "leaves", RECORD_LEAVE);
}

/* Let into a journey by hand, or taken out of it. */
static enum err by_hand(struct telling *telling, const struct json *step, struct str who,
                        const char *verb, struct str name, uint8_t flags)
{
    struct json        properties;
    const struct json *given;
    struct record      record = {
             .kind = RECORD_ENROLL, .name = name, .flags = flags, .properties = &properties
    };
    TRY(text_get(telling, step, verb, &record.body));
    TRY(object_get(telling, step, "properties", &given));
    TRY(enrolling_properties(telling->arena, given, record.body, &properties, &telling->problem));
    TRY(person_find(telling, who, &record.profile));
    return tell(telling, record);
}

static enum err enrolls(struct telling *telling, const struct json *step, struct str who)
{
    return by_hand(telling, step, who, "enroll", EVENT_JOURNEY_ENTRY, 0);
}

static enum err taken_out(struct telling *telling, const struct json *step, struct str who)
{
    return by_hand(telling, step, who, "take_out", EVENT_JOURNEY_EXIT, RECORD_LEAVE);
}

static enum err consents(struct telling *telling, const struct json *step, struct str who)
{
    static const char *const keys[] = { "state", "channel" };
    struct json_member       members[3];
    struct json              properties = { .kind = JSON_OBJECT, .members = members };
    struct record record = { .kind = RECORD_CONSENT, .user_id = who, .properties = &properties };
    struct str    text;
    enum consent_state    state;
    enum consent_channel  channel;
    const struct program *program = engine_program(telling->stage.engine);
    TRY(text_get(telling, step, "consent", &record.name));
    if (program_topic(program, record.name) == SEGMENT_NO_ID)
        return problem_format(&telling->problem, ERR_INPUT, "consent",
                              "Name one of topics.json, or of the workspace.",
                              "There is no topic \"%.*s\".", STR_ARG(record.name));
    if (!consent_of(json_get_str(step, STR("state")), &state))
        return fault(telling, "state", "This is no state of consent.",
                     "Write subscribed or unsubscribed.");
    if (!channel_of(json_get_str(step, STR("channel")), &channel))
        return fault(telling, "channel", "This is no channel.", "Write email, sms or post.");
    for (size_t i = 0; i < 2; i++) {
        if (i > 0 && json_get(step, str_of(keys[i])) == NULL)
            continue;
        TRY(text_get(telling, step, keys[i], &text));
        members[properties.count++] =
            (struct json_member){ str_of(keys[i]), { .kind = JSON_STRING, .string = text } };
    }
    members[properties.count++] =
        (struct json_member){ STR("how"), { .kind = JSON_STRING, .string = STR("story") } };
    return tell(telling, record);
}

/* The last message of that template that went to the person; NULL: none. */
static const struct stage_sent *sent_find(const struct telling *telling, uint32_t person,
                                          struct str template)
{
    const struct people *people = engine_people(telling->stage.engine);
    uint32_t             number = program_template(engine_program(telling->stage.engine), template);
    for (uint32_t i = telling->stage.sent.count; i > 0; i--) {
        const struct stage_sent *sent = &telling->stage.sent.items[i - 1];
        if (sent->template_id == number &&
            people_root(people, sent->profile) == people_root(people, person))
            return sent;
    }
    return NULL;
}

/* What came of a message: a person's doing, not a scanner's. */
static enum err came_of(struct telling *telling, const struct json *step, struct str who,
                        const char *verb, struct str name)
{
    const struct program *program = engine_program(telling->stage.engine);
    uint32_t              person;
    struct str template;
    struct json_member members[5];
    struct json        properties = { .kind = JSON_OBJECT, .members = members };
    TRY(text_get(telling, step, verb, &template));
    TRY(person_find(telling, who, &person));
    const struct stage_sent *sent = sent_find(telling, person, template);
    if (sent == NULL)
        return problem_format(&telling->problem, ERR_INPUT, verb,
                              "Let time pass until it is sent, or name another message.",
                              "%.*s was sent no \"%.*s\" yet.", STR_ARG(who), STR_ARG(template));
    members[properties.count++] =
        (struct json_member){ STR("message"),
                              { .kind = JSON_INT, .integer = (int64_t)sent->message } };
    members[properties.count++] =
        (struct json_member){ STR("template"), { .kind = JSON_STRING, .string = template } };
    if (sent->journey != JOURNEY_NONE)
        members[properties.count++] = (struct json_member){
            STR("journey"),
            { .kind = JSON_STRING, .string = program_name(program, NAME_JOURNEY, sent->journey) }
        };
    if (str_eq(name, EVENT_MESSAGE_BOUNCED)) {
        members[properties.count++] =
            (struct json_member){ STR("class"), { .kind = JSON_STRING, .string = STR("hard") } };
        members[properties.count++] =
            (struct json_member){ STR("recipient"),
                                  { .kind = JSON_STRING,
                                    .string = engine_address(telling->stage.engine, person) } };
    }
    return tell(telling, (struct record){ .kind = RECORD_MESSAGE,
                                          .name = name,
                                          .profile = sent->profile,
                                          .message = sent->message,
                                          .properties = &properties });
}

static enum err opens(struct telling *telling, const struct json *step, struct str who)
{
    return came_of(telling, step, who, "opens", EVENT_MESSAGE_OPENED);
}

static enum err clicks(struct telling *telling, const struct json *step, struct str who)
{
    return came_of(telling, step, who, "clicks", EVENT_MESSAGE_CLICKED);
}

static enum err bounces(struct telling *telling, const struct json *step, struct str who)
{
    return came_of(telling, step, who, "bounces", EVENT_MESSAGE_BOUNCED);
}

/* ---- what is expected ---- */

static void fail_begin(struct telling *telling, const struct json *step)
{
    const struct json *note = json_get(step, STR("note"));
    char               at[TIME_TEXT_BYTES];
    buf_format(&telling->said, "    step %u, %.16s", telling->step + 1,
               time_write(telling->stage.now_ms, at));
    if (note != NULL && note->kind == JSON_STRING)
        buf_format(&telling->said, " (%.*s)", STR_ARG(note->string));
    buf_str(&telling->said, STR(": "));
}

static void fail_end(struct telling *telling, struct str who)
{
    uint32_t person = engine_find(telling->stage.engine, who);
    buf_char(&telling->said, '\n');
    if (person == PROFILE_NONE)
        return;
    buf_format(&telling->said, "    What happened to %.*s:\n", STR_ARG(who));
    chronicle_write(&telling->stage, person, STORY_SAID_MAX, &telling->said);
}

static enum err expect(struct telling *telling, const struct json *step, struct str who)
{
    const struct json         *wanted = json_get(step, STR("expect"));
    const struct segment_node *tree;
    struct segment_program     program;
    struct segment_names       names = program_names(engine_program(telling->stage.engine), false);
    uint32_t                   person;
    TRY(person_find(telling, who, &person));
    enum err err = wanted->kind == JSON_STRING
                       ? segment_parse(telling->arena, wanted->string, &tree, &telling->problem)
                       : segment_parse_json(telling->arena, wanted, &tree, &telling->problem);
    TRY(err);
    TRY(segment_compile(telling->arena, tree, &names, &program, &telling->problem));
    if (engine_ask(telling->stage.engine, &program, person, telling->stage.now_ms).holds)
        return OK;
    fail_begin(telling, step);
    buf_format(&telling->said, "this does not hold for %.*s:\n        ", STR_ARG(who));
    segment_write(&telling->said, tree);
    fail_end(telling, who);
    return OK;
}

struct wanted {
    struct str template;
    int64_t at_ms; /* TIME_NEVER: at any time */
};

static enum err wanted_get(struct telling *telling, const struct json *item, struct wanted *out)
{
    static const char *const known[] = { "message", "at", NULL };
    *out = (struct wanted){ .at_ms = TIME_NEVER };
    if (item->kind == JSON_STRING)
        out->template = item->string;
    else if (item->kind != JSON_OBJECT)
        return fault(telling, "gets", "This is no message.",
                     "Write the names of templates: [\"welcome\"].");
    else {
        TRY(members_check(telling, item, known));
        TRY(text_get(telling, item, "message", &out->template));
        const struct json *at = json_get(item, STR("at"));
        if (at != NULL && (at->kind != JSON_STRING || time_parse(at->string, &out->at_ms) != OK))
            return fault(telling, "gets", "`at` is no instant.", "Write \"2026-03-02T10:00:00Z\".");
    }
    if (program_template(engine_program(telling->stage.engine), out->template) != SEGMENT_NO_ID)
        return OK;
    return problem_format(&telling->problem, ERR_INPUT, "gets",
                          "Name a file of templates/ without its ending.",
                          "There is no template \"%.*s\".", STR_ARG(out->template));
}

static enum err seen_room(struct telling *telling)
{
    uint32_t room = telling->stage.sent.count;
    if (room <= telling->seen_room)
        return OK;
    bool *seen = realloc(telling->seen, room);
    if (seen == NULL)
        return ERR_MEMORY;
    memset(seen + telling->seen_room, 0, room - telling->seen_room);
    telling->seen = seen;
    telling->seen_room = room;
    return OK;
}

/* The next that this person got and no step has named; NULL: there is none. */
static const struct stage_sent *sent_next(struct telling *telling, uint32_t person, uint32_t *from)
{
    const struct people *people = engine_people(telling->stage.engine);
    for (; *from < telling->stage.sent.count; ++*from) {
        const struct stage_sent *sent = &telling->stage.sent.items[*from];
        if (telling->seen[*from] ||
            people_root(people, sent->profile) != people_root(people, person))
            continue;
        telling->seen[(*from)++] = true;
        return sent;
    }
    return NULL;
}

static void sent_say(struct telling *telling, const struct stage_sent *sent, bool first)
{
    const struct program *program = engine_program(telling->stage.engine);
    char                  at[TIME_TEXT_BYTES];
    buf_format(&telling->said, "%s\"%.*s\" at %.16s", first ? "" : ", ",
               STR_ARG(program_name(program, NAME_TEMPLATE, sent->template_id)),
               time_write(sent->at_ms, at));
}

static void wanted_say(struct telling *telling, const struct wanted *wanted, bool first)
{
    char at[TIME_TEXT_BYTES];
    buf_format(&telling->said, "%s\"%.*s\"", first ? "" : ", ", STR_ARG(wanted->template));
    if (wanted->at_ms != TIME_NEVER)
        buf_format(&telling->said, " at %.16s", time_write(wanted->at_ms, at));
}

static void gets_fail(struct telling *telling, const struct json *step, struct str who,
                      const struct wanted *wanted, uint32_t wanted_count, uint32_t person,
                      const bool *before)
{
    const struct people *people = engine_people(telling->stage.engine);
    bool                 first = true;
    fail_begin(telling, step);
    buf_format(&telling->said, "%.*s should get ", STR_ARG(who));
    for (uint32_t i = 0; i < wanted_count; i++)
        wanted_say(telling, &wanted[i], i == 0);
    buf_str(&telling->said, wanted_count == 0 ? STR("nothing, and got ") : STR(", and got "));
    for (uint32_t i = 0; i < telling->stage.sent.count; i++) {
        const struct stage_sent *sent = &telling->stage.sent.items[i];
        if (before[i] || people_root(people, sent->profile) != people_root(people, person))
            continue;
        sent_say(telling, sent, first);
        first = false;
    }
    buf_str(&telling->said, first ? STR("nothing.") : STR("."));
    fail_end(telling, who);
}

/* All that the person got since the last time this was asked, in order. */
static enum err gets(struct telling *telling, const struct json *step, struct str who)
{
    const struct json *list = json_get(step, STR("gets"));
    uint32_t           person, from = 0;
    if (list->kind != JSON_ARRAY)
        return fault(telling, "gets", "This is no list.",
                     "Write the names of templates, or [] for none.");
    TRY(person_find(telling, who, &person));
    TRY(seen_room(telling));
    uint32_t       count = list->count;
    struct wanted *wanted = ARENA_ARRAY(telling->arena, count + 1, struct wanted);
    bool          *before = ARENA_ARRAY(telling->arena, telling->seen_room + 1, bool);
    if (wanted == NULL || before == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        TRY(wanted_get(telling, &list->items[i], &wanted[i]));
    if (telling->seen_room > 0)
        memcpy(before, telling->seen, telling->seen_room);
    const struct program *program = engine_program(telling->stage.engine);
    bool                  same = true;
    for (uint32_t i = 0; i < count; i++) {
        const struct stage_sent *sent = sent_next(telling, person, &from);
        same = same && sent != NULL &&
               sent->template_id == program_template(program, wanted[i].template) &&
               (wanted[i].at_ms == TIME_NEVER || wanted[i].at_ms == sent->at_ms);
    }
    while (sent_next(telling, person, &from) != NULL)
        same = false;
    if (!same)
        gets_fail(telling, step, who, wanted, count, person, before);
    return OK;
}

/* ---- a step, a story, a file ---- */

static const struct verb {
    const char *name;
    const char *others[3]; /* members that go with it */
    enum err (*does)(struct telling *telling, const struct json *step, struct str who);
} VERBS[] = {
    { "traits", { NULL }, identify },
    { "event", { "properties" }, track },
    { "joins", { NULL }, joins },
    { "leaves", { NULL }, leaves },
    { "enroll", { "properties" }, enrolls },
    { "take_out", { NULL }, taken_out },
    { "consent", { "state", "channel" }, consents },
    { "opens", { NULL }, opens },
    { "clicks", { NULL }, clicks },
    { "bounces", { NULL }, bounces },
    { "gets", { NULL }, gets },
    { "expect", { NULL }, expect },
};

static bool is_with(const struct verb *verb, struct str key)
{
    static const char *const all[] = { "person", "after", "at", "note" };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (str_eq(key, str_of(all[i])))
            return true;
    if (verb == NULL)
        return false;
    for (size_t i = 0; verb->others[i] != NULL; i++)
        if (str_eq(key, str_of(verb->others[i])))
            return true;
    return str_eq(key, str_of(verb->name));
}

static enum err members_fit(struct telling *telling, const struct json *step,
                            const struct verb *verb)
{
    for (uint32_t i = 0; i < step->count; i++)
        if (!is_with(verb, step->members[i].key))
            return problem_format(&telling->problem, ERR_INPUT, verb == NULL ? "" : verb->name,
                                  "docs/stories.md lists what a step may say.",
                                  "\"%.*s\" is nothing that this step says.",
                                  STR_ARG(str_slice(step->members[i].key, 0, 60)));
    return OK;
}

static enum err step_tell_one(struct telling *telling, const struct json *step)
{
    const struct verb *verb = NULL;
    struct str         who;
    int64_t            at_ms;
    if (step->kind != JSON_OBJECT)
        return fault(telling, "", "This is no step.", "Write {\"person\": ..., \"event\": ...}.");
    for (size_t i = 0; i < sizeof VERBS / sizeof VERBS[0]; i++) {
        if (json_get(step, str_of(VERBS[i].name)) == NULL)
            continue;
        if (verb != NULL)
            return problem_format(&telling->problem, ERR_INPUT, VERBS[i].name,
                                  "Make two steps of it.", "A step says one thing: not `%s` too.",
                                  verb->name);
        verb = &VERBS[i];
    }
    TRY(members_fit(telling, step, verb));
    TRY(time_get(telling, step, &at_ms));
    if (verb == NULL && json_get(step, STR("person")) != NULL)
        return fault(telling, "person", "The step does not say what they do.",
                     "Write traits, event, joins, leaves, enroll, take_out, consent, opens, "
                     "clicks, bounces, gets or expect.");
    TRY(stage_until(&telling->stage, at_ms, &telling->problem));
    if (verb == NULL)
        return OK; /* time passes */
    TRY(text_get(telling, step, "person", &who));
    return verb->does(telling, step, who);
}

/* Of a fixed code there is one, for everybody. */
static bool is_counted(const struct stage *stage, struct str codes)
{
    const struct program *program = engine_program(stage->engine);
    return program_codes_at(program, program_codes(program, codes))->kind != CODES_FIXED;
}

static enum err world_make(struct telling *telling, struct problem *problem)
{
    for (uint32_t i = 0; i < telling->world->count; i++) {
        const struct story_definition *one = &telling->world->items[i];
        struct problem                 why = { .where = "" };
        struct record                  record = { .kind = RECORD_DEFINE,
                                                  .definition_kind = one->kind,
                                                  .name = one->name,
                                                  .body = one->text };
        enum err                       err = stage_tell(&telling->stage, record, &why);
        if (err == ERR_MEMORY)
            return err;
        if (err != OK)
            return problem_format(problem, ERR_INPUT, one->path, why.remedy, "%s%s%s", why.where,
                                  why.where[0] == '\0' ? "" : ": ", why.what);
        if (one->kind == DEFINE_CODES && is_counted(&telling->stage, one->name))
            TRY(stage_tell(
                &telling->stage,
                (struct record){ .kind = RECORD_CODES, .name = one->name, .count = STAGE_CODES },
                problem));
    }
    return OK;
}

static enum err steps_tell(struct telling *telling, const struct json *steps)
{
    for (telling->step = 0; telling->step < steps->count && telling->said.len == 0;
         telling->step++) {
        const struct json *step = &steps->items[telling->step];
        telling->problem = (struct problem){ .where = "" };
        enum err err = step_tell_one(telling, step);
        if (err == ERR_MEMORY)
            return err;
        if (err == OK)
            continue;
        fail_begin(telling, step);
        const struct problem *why = &telling->problem;
        buf_format(&telling->said, "%s%s%s %s\n", why->where, why->where[0] == '\0' ? "" : ": ",
                   why->what, why->remedy);
    }
    return buf_err(&telling->said);
}

static enum err story_tell(struct arena *arena, const struct json *story,
                           const struct story_world *world, struct story_result *out,
                           struct problem *problem)
{
    struct telling telling = { .arena = arena, .world = world, .said = buf_make(SAID_BYTES_MAX) };
    const struct json *from = json_get(story, STR("from"));
    int64_t            from_ms = FROM_MS_DEFAULT;
    if (from != NULL && (from->kind != JSON_STRING || time_parse(from->string, &from_ms) != OK))
        return problem_set(problem, ERR_INPUT, "from", "This is no instant.",
                           "Write \"2026-03-02T10:00:00Z\".");
    TRY(stage_open(&telling.stage, from_ms, world->zones));
    enum err err = world_make(&telling, problem);
    if (err == OK)
        err = steps_tell(&telling, json_get(story, STR("tell")));
    if (err == OK && telling.said.len > 0)
        out->said = str_copy(arena, buf_view(&telling.said));
    out->passed = telling.said.len == 0;
    if (err == OK && !out->passed && out->said.ptr == NULL)
        err = ERR_MEMORY;
    free(telling.seen);
    buf_done(&telling.said);
    stage_close(&telling.stage);
    return err;
}

static enum err story_check(const struct json *story, uint32_t number, struct problem *problem)
{
    static const char *const known[] = { "story", "from", "tell" };
    const struct json       *tell = json_get(story, STR("tell"));
    char                     where[WHERE_BYTES];
    snprintf(where, sizeof where, "stories[%u]", number);
    if (story->kind != JSON_OBJECT || json_get_str(story, STR("story")).len == 0)
        return problem_set(problem, ERR_INPUT, where, "A story has a title.",
                           "Write {\"story\": \"Who buys is not reminded\", \"tell\": [...]}.");
    if (tell == NULL || tell->kind != JSON_ARRAY || tell->count == 0)
        return problem_set(problem, ERR_INPUT, where, "The story tells nothing.",
                           "Write its steps: \"tell\": [{\"person\": ..., ...}].");
    if (tell->count > STORY_STEPS_MAX)
        return problem_format(problem, ERR_LIMIT, where, "Part it.",
                              "A story has at most %d steps.", STORY_STEPS_MAX);
    bool asks = false;
    for (uint32_t i = 0; i < tell->count; i++)
        asks = asks || json_get(&tell->items[i], STR("gets")) != NULL ||
               json_get(&tell->items[i], STR("expect")) != NULL;
    if (!asks)
        return problem_set(problem, ERR_INPUT, where, "The story expects nothing.",
                           "End it by {\"person\": ..., \"gets\": [...]} or `expect`.");
    for (uint32_t i = 0; i < story->count; i++)
        if (!str_eq(story->members[i].key, str_of(known[0])) &&
            !str_eq(story->members[i].key, str_of(known[1])) &&
            !str_eq(story->members[i].key, str_of(known[2])))
            return problem_format(problem, ERR_INPUT, where, "Write story, from and tell.",
                                  "\"%.*s\" is nothing that a story has.",
                                  STR_ARG(story->members[i].key));
    return OK;
}

enum err story_tell_all(struct arena *arena, struct str text, const struct story_world *world,
                        struct story_results *out, struct problem *problem)
{
    struct json root;
    *out = (struct story_results){ 0 };
    TRY(json_parse_once(arena, text, &root, problem));
    const struct json *stories = json_get(&root, STR("stories"));
    if (root.kind != JSON_OBJECT || root.count != 1 || stories == NULL ||
        stories->kind != JSON_ARRAY || stories->count == 0)
        return problem_set(problem, ERR_INPUT, "", "This is no file of stories.",
                           "Write {\"stories\": [{\"story\": ..., \"tell\": [...]}]}.");
    if (stories->count > STORIES_MAX)
        return problem_format(problem, ERR_LIMIT, "stories", "Part the file.",
                              "A file has at most %d stories.", STORIES_MAX);
    out->items = ARENA_ARRAY(arena, stories->count, struct story_result);
    if (out->items == NULL)
        return ERR_MEMORY;
    for (; out->count < stories->count; out->count++) {
        const struct json   *story = &stories->items[out->count];
        struct story_result *result = &out->items[out->count];
        TRY(story_check(story, out->count, problem));
        *result = (struct story_result){ .story = json_get_str(story, STR("story")) };
        TRY(story_tell(arena, story, world, result, problem));
        out->failed += !result->passed;
    }
    return OK;
}
