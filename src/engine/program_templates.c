/*
 * Templates, of which the engine knows the head: channel, topic, and whether it is transactional.
 */
#include "engine/program_inside.h"

#include "engine/vec.h"

/* The value of a header line "key: value" before the first line that begins with "---". */
static struct str head_value(struct str text, const char *key)
{
    struct str rest = str_slice(text, 0, TEMPLATE_HEAD_BYTES_MAX), line;
    while (str_split(&rest, '\n', &line)) {
        if (str_starts(line, STR("---")))
            break;
        size_t colon = str_find_char(line, 0, ':');
        if (colon < line.len && str_eq_nocase(str_trim(str_slice(line, 0, colon)), str_of(key)))
            return str_trim(str_slice(line, colon + 1, line.len));
    }
    return STR_NONE;
}

/* The live journey that sends the template; empty when there is none. */
static struct str template_user(const struct program *program, struct str name)
{
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(program, i);
        for (uint16_t n = 0; live != NULL && n < live->journey.nodes_count; n++)
            if (live->journey.nodes[n].kind == NODE_MESSAGE &&
                str_eq(live->journey.nodes[n].template, name))
                return live->journey.name;
    }
    return STR_NONE;
}

enum err template_check(const struct program *program, struct str name, struct str text,
                        struct problem *problem)
{
    struct str user = text.len == 0 ? template_user(program, name) : STR_NONE;
    if (!str_is_empty(user))
        return problem_format(problem, ERR_CONFLICT, "template", "Change the journey first.",
                              "Journey \"%.*s\" sends it.", STR_ARG(user));
    if (text.len == 0 && topics_confirm_any(&program->topics) &&
        str_eq(name, str_of(program->topics.confirm_template)))
        return problem_set(problem, ERR_CONFLICT, "template",
                           "People are asked with it to confirm a topic.",
                           "Change the topics first.");
    enum consent_channel channel;
    struct str           word = head_value(text, "channel");
    if (!channel_of_template(word, &channel))
        return problem_format(problem, ERR_INPUT, "channel",
                              "Use email, sms, webhook, staff or post.",
                              "There is no channel \"%.*s\".", STR_ARG(str_slice(word, 0, 40)));
    if (text.len > 0 && channel == CHANNEL_EMAIL && str_is_empty(head_value(text, "subject")))
        return problem_set(problem, ERR_INPUT, "subject", "The template has no subject.",
                           "Begin the file with a line \"subject: ...\".");
    return OK;
}

enum err template_define(struct program *program, struct str name, struct str text,
                         uint32_t version, uint32_t *number, struct problem *problem)
{
    struct template_def def = { .version = text.len == 0 ? 0 : version };
    struct str          topic = head_value(text, "topic");
    def.transactional = str_eq_nocase(head_value(text, "transactional"), STR("yes"));
    TRY(template_check(program, name, text, problem));
    (void)channel_of_template(head_value(text, "channel"), &def.channel); /* checked */
    if (text.len == 0 && program_template(program, name) == SEGMENT_NO_ID)
        return ERR_ABSENT;
    if (!str_is_empty(topic))
        TRY(program_intern(program, NAME_TOPIC, topic, &def.topic));
    TRY(program_intern(program, NAME_TEMPLATE, name, number));
    while (program->templates.count <= *number)
        TRY(VEC_ADD(&program->templates, (struct template_def){ 0 }));
    program->templates.items[*number] = def;
    return OK;
}
