/*
 * Templates, of which the engine knows the head: channel, topic, whether it is transactional, and
 * what it asks about its reader; which are variants of which. Of snippets, what they ask.
 */
#include "engine/program_inside.h"

#include "engine/variant.h"
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
            if (journey_node_sends(&live->journey.nodes[n], name))
                return live->journey.name;
    }
    return STR_NONE;
}

/* The lines before the bodies. */
static struct str head_of(struct str text)
{
    struct str head = str_slice(text, 0, TEMPLATE_HEAD_BYTES_MAX);
    size_t     end = str_find(head, 0, STR("\n---"));
    return str_slice(head, 0, end);
}

/* What no stored template lacks. */
static enum err head_check(struct str text, struct problem *problem)
{
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

enum err template_check(struct program *program, struct str name, struct str text,
                        struct problem *problem)
{
    struct str             user = text.len == 0 ? template_user(program, name) : STR_NONE;
    struct template_blocks blocks = { .arena = NULL };
    if (!str_is_empty(user))
        return problem_format(problem, ERR_CONFLICT, "template", "Change the journey first.",
                              "Journey \"%.*s\" sends it.", STR_ARG(user));
    if (text.len == 0 && topics_confirm_any(&program->topics) &&
        str_eq(name, str_of(program->topics.confirm_template)))
        return problem_set(problem, ERR_CONFLICT, "template",
                           "People are asked with it to confirm a topic.",
                           "Change the topics first.");
    TRY(head_check(text, problem));
    if (head_value(text, "language").len > TEMPLATE_LANGUAGE_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "language", "This is no language.",
                           "Write a code such as \"nb\" or \"pt-BR\".");
    TRY(template_blocks_read(&blocks, head_of(text), text, problem));
    enum err err = template_blocks_check(program, &blocks, problem);
    template_blocks_done(&blocks);
    return err;
}

/* ---- variants: those of one base in a chain ---- */

static struct template_def *def_at(struct program *program, uint32_t number)
{
    return &program->templates.items[number];
}

static void variant_link(struct program *program, uint32_t base, uint32_t variant)
{
    struct template_def *def = def_at(program, variant);
    def->next_variant = def_at(program, base)->first_variant;
    def_at(program, base)->first_variant = variant + 1;
}

/* Is `name` a variant of `of`? */
static bool is_variant(struct str name, struct str of)
{
    struct str          base;
    struct variant_tags tags;
    return name.len > of.len && variant_split(name, &base, &tags) && str_eq(base, of);
}

/* Once for each template: with the base it is of, and with the variants that were there before. */
static void variants_link(struct program *program, struct str name, uint32_t number)
{
    struct str          base;
    struct variant_tags tags;
    if (def_at(program, number)->is_linked)
        return;
    def_at(program, number)->is_linked = true;
    for (uint32_t i = 0; i < program->templates.count; i++) {
        struct str other = program_name(program, NAME_TEMPLATE, i);
        if (i != number && def_at(program, i)->is_linked && is_variant(other, name))
            variant_link(program, number, i);
    }
    if (!variant_split(name, &base, &tags))
        return;
    uint32_t of = program_number(program, NAME_TEMPLATE, base);
    if (of < program->templates.count && of != number && def_at(program, of)->is_linked)
        variant_link(program, of, number);
}

enum err template_draft_read(struct str text, struct template_def *out, struct problem *problem)
{
    struct template_def def = { .version = 1 };
    struct str          language = head_value(text, "language");
    TRY(head_check(text, problem));
    (void)channel_of_template(head_value(text, "channel"), &def.channel); /* checked */
    def.transactional = str_eq_nocase(head_value(text, "transactional"), STR("yes"));
    def.is_again =
        def.transactional && str_eq_nocase(head_value(text, "in_doubt"), STR("send again"));
    def.has_snippets =
        str_find(text, 0, STR("render")) < text.len || str_find(text, 0, STR("include")) < text.len;
    if (language.len <= TEMPLATE_LANGUAGE_BYTES_MAX)
        str_to_cstr(language, def.language, sizeof def.language);
    TRY(template_blocks_read(&def.blocks, head_of(text), text, problem));
    *out = def;
    return OK;
}

static enum err def_make(struct program *program, struct str text, uint32_t version,
                         struct template_def *out, struct problem *problem)
{
    uint32_t   number = 0;
    struct str topic = head_value(text, "topic");
    if (!str_is_empty(topic))
        TRY(program_intern(program, NAME_TOPIC, topic, &number));
    TRY(template_draft_read(text, out, problem));
    out->version = text.len == 0 ? 0 : version;
    out->topic = number;
    return OK;
}

/* Segments that it asks for may be gone since: stored templates must load. */
enum err template_define(struct program *program, struct str name, struct str text,
                         uint32_t version, uint32_t *number, struct problem *problem)
{
    struct template_def def;
    if (text.len == 0)
        TRY(template_check(program, name, text, problem));
    if (text.len == 0 && program_template(program, name) == SEGMENT_NO_ID)
        return ERR_ABSENT;
    TRY(program_intern(program, NAME_TEMPLATE, name, number));
    while (program->templates.count <= *number)
        TRY(VEC_ADD(&program->templates, (struct template_def){ 0 }));
    TRY(def_make(program, text, version, &def, problem));
    struct template_def *kept = def_at(program, *number);
    template_blocks_done(&kept->blocks);
    def.first_variant = kept->first_variant;
    def.next_variant = kept->next_variant;
    def.is_linked = kept->is_linked;
    *kept = def;
    variants_link(program, name, *number);
    return OK;
}

/* ---- snippets ---- */

static struct snippet_def *snippet_find(struct program *program, struct str name)
{
    for (uint32_t i = 0; i < program->snippets.count; i++)
        if (str_eq(program->snippets.items[i].name, name))
            return &program->snippets.items[i];
    return NULL;
}

/* Which templates use a snippet is not known here, and each of theirs would take a code. */
static enum err snippet_codes_check(const struct template_blocks *blocks, struct problem *problem)
{
    for (uint32_t i = 0; i < blocks->count; i++)
        if (blocks->items[i].is_codes)
            return problem_format(problem, ERR_INPUT, "codes",
                                  "Hand it in from the template: {%% render \"box\", code: "
                                  "codes.NAME.code %%}.",
                                  "A snippet takes no code of its own (\"%.*s\").",
                                  STR_ARG(str_slice(blocks->items[i].name, 0, 60)));
    return OK;
}

enum err snippet_check(struct program *program, struct str text, struct problem *problem)
{
    struct template_blocks blocks = { .arena = NULL };
    TRY(template_blocks_read(&blocks, STR_NONE, text, problem));
    enum err err = snippet_codes_check(&blocks, problem);
    if (err == OK)
        err = template_blocks_check(program, &blocks, problem);
    template_blocks_done(&blocks);
    return err;
}

enum err snippet_define(struct program *program, struct str name, struct str text)
{
    struct template_blocks blocks = { .arena = NULL };
    struct snippet_def    *kept = snippet_find(program, name);
    if (template_blocks_read(&blocks, STR_NONE, text, NULL) == ERR_MEMORY)
        return ERR_MEMORY; /* one that asks too much, saved by an older Dult, asks nothing */
    if (kept != NULL) {
        uint32_t place = (uint32_t)(kept - program->snippets.items);
        template_blocks_done(&kept->blocks);
        VEC_REMOVE(&program->snippets, place);
    }
    if (blocks.count == 0)
        return OK;
    struct snippet_def def = { .name = str_copy(blocks.arena, name), .blocks = blocks };
    enum err           err = def.name.ptr == NULL ? ERR_MEMORY : VEC_ADD(&program->snippets, def);
    if (err != OK)
        template_blocks_done(&blocks);
    return err;
}

void templates_done(struct program *program)
{
    for (uint32_t i = 0; i < program->templates.count; i++)
        template_blocks_done(&program->templates.items[i].blocks);
    for (uint32_t i = 0; i < program->snippets.count; i++)
        template_blocks_done(&program->snippets.items[i].blocks);
    VEC_DONE(&program->templates);
    VEC_DONE(&program->snippets);
}
