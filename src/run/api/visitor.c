#include "run/api/visitor.h"

#include <string.h>

#include "run/send/topic_words.h"
#include "server/query.h"

enum { TOKEN_BYTES_READ_MAX = 200, FIELD_BYTES_MAX = 300 };

/* ---- who it is ---- */

static enum err said_read(struct engine *engine, struct visitor *visitor, uint32_t person)
{
    struct arena       *arena = visitor->call->arena;
    const struct state *state = people_state_get(engine_people(engine), person);
    visitor->said = ARENA_ARRAY(arena, state->rarer->consents.count + 1, struct visitor_said);
    if (visitor->said == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < state->rarer->consents.count; i++) {
        const struct consent *said = &state->rarer->consents.items[i];
        struct str            name = said->topic == 0
                                         ? STR_NONE
                                         : program_name(engine_program(engine), NAME_TOPIC, said->topic);
        visitor->said[visitor->said_count++] =
            (struct visitor_said){ str_copy(arena, name), (enum consent_channel)said->channel,
                                   (enum consent_state)said->state };
    }
    return OK;
}

static enum err visitor_fill(struct engine *engine, struct visitor *visitor)
{
    struct arena         *arena = visitor->call->arena;
    const struct program *program = engine_program(engine);
    const struct people  *people = engine_people(engine);
    uint32_t              profile = visitor->trail.token.profile;
    visitor->is_known = profile < people_count(people);
    visitor->is_erased = visitor->is_known && people_is_nobody(people, profile);
    visitor->house = str_copy(arena, str_of(program->house.name));
    visitor->languages[1] = str_copy(arena, str_of(program->house.language));
    visitor->version = program->topics.version;
    visitor->confirm_days = program->topics.days;
    visitor->document =
        str_copy(arena, (struct str){ program->topics.text, program->topics.text_bytes });
    if (visitor->trail.topic != 0)
        visitor->topic = str_copy(arena, program_name(program, NAME_TOPIC, visitor->trail.topic));
    if (!visitor->is_known || visitor->is_erased)
        return OK;
    visitor->languages[0] = str_copy(arena, engine_language(engine, profile));
    return said_read(engine, visitor, people_root(people, profile));
}

struct visitor_question {
    struct visitor *visitor;
    enum err        err;
};

static bool visitor_ask(struct engine *engine, struct task *task)
{
    struct visitor_question *question = task->context;
    question->err = visitor_fill(engine, question->visitor);
    return true;
}

enum err visitor_open(struct call *call, enum token_purpose purpose, struct visitor *out)
{
    return visitor_open_sealed(call, purpose, STR_NONE, out);
}

enum err visitor_open_sealed(struct call *call, enum token_purpose purpose, struct str sealed,
                             struct visitor *out)
{
    struct str              text = call_param(call, "token");
    struct visitor_question question = { .visitor = out };
    *out = (struct visitor){ .call = call, .topics = { .kind = JSON_NULL } };
    if (call->api->conf.tokens == NULL || text.len == 0 || text.len > TOKEN_BYTES_READ_MAX)
        return ERR_DENIED;
    TRY(token_read(call->api->conf.tokens, purpose, text, sealed, &out->trail.token));
    struct trail_desk desk = { call->desk->reader, call->desk->parser, call->arena };
    TRY(trail_read(&desk, &out->trail));
    TRY(call_ask(call, visitor_ask, &question));
    TRY(question.err);
    if (!out->is_known)
        return ERR_DENIED;
    if (out->document.len > 0)
        TRY(json_parse(call->desk->parser, call->arena, out->document, &out->topics, NULL));
    return OK;
}

enum err visitor_page(struct visitor *visitor, struct page *out)
{
    return page_open(visitor->call, visitor->languages, VISITOR_LANGUAGES, visitor->house, out);
}

struct str visitor_topic(const struct visitor *visitor, const struct page *page, struct str topic,
                         struct str *description)
{
    struct str languages[] = { visitor->languages[0], page->language, visitor->languages[1] };
    struct topic_words words = topic_words_of(&visitor->topics, topic, languages, 3);
    if (description != NULL)
        *description = words.description;
    return words.name;
}

enum consent_state visitor_state(const struct visitor *visitor, struct str topic,
                                 enum consent_channel channel)
{
    for (uint32_t i = 0; i < visitor->said_count; i++)
        if (visitor->said[i].channel == channel && str_eq(visitor->said[i].topic, topic))
            return visitor->said[i].state;
    return CONSENT_UNKNOWN;
}

/* ---- lines ---- */

static bool line_add(struct visitor *visitor, struct str topic, enum consent_channel channel)
{
    if (visitor->lines_count == VISITOR_LINES_MAX)
        return false;
    visitor->lines[visitor->lines_count++] =
        (struct visitor_line){ .topic = topic, .channel = channel };
    return true;
}

static void lines_of_document(struct visitor *visitor)
{
    const struct json *list = json_get(&visitor->topics, STR("topics"));
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        struct str           id = json_get_str(&list->items[i], STR("id"));
        const struct json   *channels = json_get(&list->items[i], STR("channels"));
        enum consent_channel channel;
        if (channels == NULL || channels->count == 0)
            (void)line_add(visitor, id, CHANNEL_EMAIL);
        for (uint32_t k = 0; channels != NULL && k < channels->count; k++)
            if (channel_of(channels->items[k].string, &channel))
                (void)line_add(visitor, id, channel);
    }
}

static bool lines_ask(struct engine *engine, struct task *task)
{
    struct visitor       *visitor = task->context;
    const struct program *program = engine_program(engine);
    if (visitor->version == 0)
        for (uint32_t topic = 1; topic < dict_count(program->names[NAME_TOPIC]); topic++)
            (void)line_add(visitor,
                           str_copy(visitor->call->arena, program_name(program, NAME_TOPIC, topic)),
                           CHANNEL_EMAIL);
    for (uint32_t i = 0; i < visitor->lines_count; i++) {
        struct visitor_line  *line = &visitor->lines[i];
        struct consent_answer answer =
            engine_consent(engine, visitor->trail.token.profile,
                           program_topic(program, line->topic), line->channel);
        line->is_on = str_is_empty(answer.why_not);
        line->is_pending = answer.state == FACTS_CONSENT_PENDING && !line->is_on;
    }
    return true;
}

enum err visitor_lines(struct visitor *visitor)
{
    visitor->lines = ARENA_ARRAY(visitor->call->arena, VISITOR_LINES_MAX, struct visitor_line);
    if (visitor->lines == NULL)
        return ERR_MEMORY;
    if (visitor->version != 0)
        lines_of_document(visitor);
    return call_ask(visitor->call, lines_ask, visitor);
}

/* ---- words ---- */

struct saying visitor_saying(const struct visitor *visitor, const struct page *page,
                             const char *how)
{
    struct saying saying =
        saying_of_person(visitor->call, visitor->trail.token.profile, visitor->trail.token.message);
    saying.how = str_of(how);
    saying.text_version = visitor->version;
    saying.text_language = page->language;
    return saying;
}

enum err visitor_submit(struct visitor *visitor, const struct saying *words, uint32_t count,
                        bool is_leaving)
{
    struct call  *call = visitor->call;
    struct entry *entries = ARENA_ARRAY(call->arena, count + 1, struct entry);
    if (entries == NULL)
        return ERR_MEMORY;
    if (visitor->is_erased)
        return OK; /* nothing is sent to nobody, and nothing is kept of it */
    for (uint32_t i = 0; i < count; i++)
        TRY(saying_entry(call->arena, &words[i], &entries[i]));
    if (is_leaving) {
        TRY(trail_entry(call->arena, &visitor->trail, EVENT_MESSAGE_UNSUBSCRIBED, &entries[count]));
        /* Told once, however often a mail program posts it; the consent itself is set each time. */
        entries[count].message_id = str_format(call->arena, "unsubscribe.%llu",
                                               (unsigned long long)visitor->trail.token.message);
        count++;
    }
    return count == 0 ? OK : call_submit(call, entries, count, NULL);
}

/* ---- undo ---- */

struct str visitor_field(struct arena *arena, const struct visitor_said *said)
{
    struct str channel = said->channel == CHANNEL_ALL ? STR("all") : channel_name(said->channel);
    return str_format(arena, "%.*s %.*s %.*s", STR_ARG(consent_word(said->state)), STR_ARG(channel),
                      STR_ARG(said->topic));
}

bool visitor_field_read(struct arena *arena, struct str text, struct visitor_said *out)
{
    SCOPED(buf_donep) struct buf plain = buf_make(FIELD_BYTES_MAX);
    struct str                   query = str_format(arena, "v=%.*s", STR_ARG(text)), state, channel;
    if (query.ptr == NULL || !query_get(query, STR("v"), &plain))
        return false;
    struct str rest = buf_view(&plain);
    if (!str_split(&rest, ' ', &state) || !str_split(&rest, ' ', &channel) ||
        !consent_of(state, &out->state) || !str_is_utf8(rest))
        return false;
    if (str_eq(channel, STR("all")))
        channel = STR_NONE;
    out->topic = str_copy(arena, rest);
    return channel_of(channel, &out->channel) && rest.len <= SAYING_NOTE_BYTES_MAX;
}

/* Says of each `was` in the form what it says. */
enum err visitor_undo(struct visitor *visitor, struct page *page)
{
    struct call   *call = visitor->call;
    struct str     rest = http_body(call->request), name, value;
    struct saying *words = ARENA_ARRAY(call->arena, VISITOR_LINES_MAX, struct saying);
    uint32_t       count = 0;
    if (words == NULL)
        return ERR_MEMORY;
    while (count < VISITOR_LINES_MAX && query_next(&rest, &name, &value)) {
        struct visitor_said was;
        if (!str_eq(name, STR("was")) || !visitor_field_read(call->arena, value, &was))
            continue;
        words[count] = visitor_saying(visitor, page, "undo");
        words[count].topic = was.topic;
        words[count].channel = was.channel;
        words[count++].state = was.state;
    }
    return visitor_submit(visitor, words, count, false);
}
