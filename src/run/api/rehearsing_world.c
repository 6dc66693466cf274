/* What a rehearsal stands on: what is defined, by the store and then by the body; names; addresses
 * that nothing is sent to. */
#include <stdlib.h>
#include <string.h>

#include "engine/vec.h"
#include "run/api/publishing.h"
#include "run/api/rehearsing.h"

enum { TRIES_MAX = 20 }; /* while somebody tidies the store up */

static const struct {
    const char          *word;
    enum definition_kind kind;
} KINDS[] = {
    { "workspace", DEFINE_WORKSPACE }, { "topics", DEFINE_TOPICS }, { "limits", DEFINE_LIMITS },
    { "rates", DEFINE_RATES },         { "trait", DEFINE_TRAIT },   { "stages", DEFINE_STAGES },
    { "segment", DEFINE_SEGMENT },     { "score", DEFINE_SCORE },   { "journey", DEFINE_JOURNEY },
    { "template", DEFINE_TEMPLATE },
};
enum { KINDS_COUNT = sizeof KINDS / sizeof KINDS[0] };

/* Choices are of the store alone. */
static bool is_wanted(uint32_t kind)
{
    bool is = kind == DEFINE_JOURNEY_CHOICE;
    for (size_t i = 0; i < KINDS_COUNT; i++)
        is = is || (uint32_t)KINDS[i].kind == kind;
    return is;
}

/* There is one of each of these, whatever it is called. */
static bool is_single(enum definition_kind kind)
{
    return kind == DEFINE_WORKSPACE || kind == DEFINE_TOPICS || kind == DEFINE_STAGES ||
           kind == DEFINE_LIMITS || kind == DEFINE_RATES;
}

static struct rehearse_definition *definition_find(struct rehearsing *r, enum definition_kind kind,
                                                   struct str name)
{
    for (uint32_t i = 0; i < r->definitions.count; i++)
        if (r->definitions.items[i].kind == kind &&
            (is_single(kind) || str_eq(r->definitions.items[i].name, name)))
            return &r->definitions.items[i];
    return NULL;
}

static enum err world_put(struct rehearsing *r, struct rehearse_definition one)
{
    struct rehearse_definition *have = definition_find(r, one.kind, one.name);
    if (have == NULL && r->definitions.count == REHEARSING_DEFINITIONS_MAX)
        return problem_set(&r->ask.call->problem, ERR_LIMIT, "definitions",
                           "There are too many definitions.",
                           "Leave out what the draft needs not.");
    one.name = str_copy(r->arena, one.name);
    one.text = one.kind == DEFINE_TEMPLATE && one.text.len > 0 ? rehearse_head(r->arena, one.text)
                                                               : str_copy(r->arena, one.text);
    if (one.name.ptr == NULL || one.text.ptr == NULL)
        return ERR_MEMORY;
    if (have == NULL)
        return VEC_ADD(&r->definitions, one);
    *have = one;
    return OK;
}

/* ---- the store ---- */

/* The newest version of each by its row, so that no other's text is copied. */
struct newest {
    struct rehearsing *r;
    struct {
        uint64_t *items;
        uint32_t  count, room;
    } rows; /* of each of the definitions */
    bool is_texts;
};

static enum err heads_each(struct newest *newest, const struct store_definition *row)
{
    struct rehearsing         *r = newest->r;
    struct rehearse_definition one = { .kind = (enum definition_kind)row->kind, .name = row->name };
    struct rehearse_definition *have = definition_find(r, one.kind, one.name);
    if (have == NULL) {
        TRY(world_put(r, one));
        return VEC_ADD(&newest->rows, row->id);
    }
    newest->rows.items[have - r->definitions.items] = row->id;
    return OK;
}

static enum err texts_each(struct newest *newest, const struct store_definition *row)
{
    struct rehearsing          *r = newest->r;
    struct rehearse_definition *have =
        definition_find(r, (enum definition_kind)row->kind, row->name);
    if (have == NULL || newest->rows.items[have - r->definitions.items] != row->id)
        return OK;
    return world_put(r, (struct rehearse_definition){ .kind = (enum definition_kind)row->kind,
                                                      .name = row->name,
                                                      .text = row->text });
}

static enum err definition_each(void *ctx, const struct store_definition *row)
{
    struct newest *newest = ctx;
    if (!is_wanted(row->kind))
        return OK;
    return newest->is_texts ? texts_each(newest, row) : heads_each(newest, row);
}

static enum err definitions_read(struct rehearsing *r, struct store_reader *reader)
{
    struct newest newest = { .r = r };
    enum err      err = store_definitions_read(reader, 0, definition_each, &newest);
    newest.is_texts = true;
    if (err == OK)
        err = store_definitions_read(reader, 0, definition_each, &newest);
    VEC_DONE(&newest.rows);
    return err;
}

static enum err name_each(void *ctx, const struct store_name *row)
{
    struct rehearsing   *r = ctx;
    struct rehearse_name name = { (enum name_kind)row->kind, row->id,
                                  str_copy(r->arena, row->text) };
    return name.text.ptr == NULL ? ERR_MEMORY : VEC_ADD(&r->names, name);
}

static enum err suppression_each(void *ctx, const struct store_suppression *row)
{
    struct rehearsing *r = ctx;
    if (row->reason >= SUPPRESSION_REASONS)
        return ERR_CORRUPT;
    return suppressions_put(r->suppressed,
                            &(struct suppression){ .reason = (enum suppression_reason)row->reason,
                                                   .address = row->address,
                                                   .at_ms = row->at_ms,
                                                   .seq = row->seq });
}

static void store_forget(struct rehearsing *r)
{
    VEC_DONE(&r->definitions);
    VEC_DONE(&r->names);
    suppressions_close(r->suppressed);
    r->suppressed = NULL;
}

static enum err store_read_once(struct rehearsing *r, struct store_reader *reader)
{
    store_forget(r);
    r->suppressed = suppressions_open(1);
    if (r->suppressed == NULL)
        return ERR_MEMORY;
    TRY(definitions_read(r, reader));
    TRY(store_names_read(reader, name_each, r));
    return store_suppressions_read(reader, INT64_MAX, suppression_each, r);
}

/* After the view: so all names that it uses are there. */
static enum err store_read(struct rehearsing *r)
{
    SCOPED(store_reader_closep) struct store_reader *reader = NULL;
    enum err                                         err = ERR_WAIT;
    TRY(store_reader_open(core_store(r->ask.call->api->conf.core), "rehearsal", &reader));
    for (int i = 0; err == ERR_WAIT && i < TRIES_MAX; i++)
        err = store_read_once(r, reader);
    return err;
}

/* ---- the body ---- */

static enum err fault(struct rehearsing *r, const char *where, const char *what, const char *remedy)
{
    return problem_set(&r->ask.call->problem, ERR_INPUT, where, what, remedy);
}

/* A journey as text, or as the object that the text would be. */
static enum err draft_text(struct rehearsing *r, const struct json *draft, struct str *text)
{
    SCOPED(buf_donep) struct buf written = buf_make(JOURNEY_TEXT_BYTES_MAX);
    if (draft->kind == JSON_STRING) {
        *text = draft->string;
        return OK;
    }
    if (draft->kind != JSON_OBJECT)
        return fault(r, "draft", "This is no journey.",
                     "Give its JSON, as an object or as a text.");
    json_write(&written, draft);
    TRY(buf_err(&written));
    *text = str_copy(r->arena, buf_view(&written));
    return text->ptr == NULL ? ERR_MEMORY : OK;
}

/* Those that were saved, by name, as if each were given. */
static enum err saved_read(struct rehearsing *r, bool *any)
{
    SCOPED(store_reader_closep) struct store_reader *reader = NULL;
    const struct json                               *list = json_get(r->body, STR("drafts"));
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count == 0)
        return fault(r, "drafts", "This is no list of names.", "Give [\"welcome\"].");
    if (list->count > REHEARSING_DRAFTS_MAX)
        return problem_set(&r->ask.call->problem, ERR_LIMIT, "drafts",
                           "At most 100 drafts are rehearsed at once.",
                           "Rehearse those that you change.");
    TRY(store_reader_open(core_store(r->ask.call->api->conf.core), "rehearsal", &reader));
    for (uint32_t i = 0; i < list->count; i++) {
        struct str name = list->items[i].kind == JSON_STRING ? list->items[i].string : STR_NONE;
        struct str text;
        if (name.len == 0)
            return fault(r, "drafts", "This is no list of names.", "Give [\"welcome\"].");
        TRY(journey_draft_text(r->ask.call, reader, name, &text));
        TRY(world_put(r, (struct rehearse_definition){ .kind = DEFINE_JOURNEY,
                                                       .name = name,
                                                       .text = text,
                                                       .is_draft = true,
                                                       .is_rehearsed = true }));
        *any = true;
    }
    return OK;
}

static enum err draft_read(struct rehearsing *r, bool *any)
{
    const struct json *draft = json_get(r->body, STR("draft"));
    struct json        root;
    struct str         text;
    if (draft == NULL)
        return OK;
    TRY(draft_text(r, draft, &text));
    TRY(json_parse(r->ask.call->desk->parser, r->arena, text, &root, &r->ask.call->problem));
    struct str name = json_get_str(&root, STR("journey"));
    if (name.len == 0)
        return fault(r, "draft", "The journey has no name.", "Give it: {\"journey\": \"name\"}.");
    *any = true;
    return world_put(r, (struct rehearse_definition){ .kind = DEFINE_JOURNEY,
                                                      .name = name,
                                                      .text = text,
                                                      .is_draft = true,
                                                      .is_rehearsed = true });
}

static enum err definition_read(struct rehearsing *r, const struct json *item, bool *any)
{
    struct str                 word = json_get_str(item, STR("kind"));
    struct rehearse_definition one = { .name = json_get_str(item, STR("name")),
                                       .text = json_get_str(item, STR("text")),
                                       .is_draft = true };
    for (size_t i = 0; i < KINDS_COUNT; i++)
        if (str_eq(word, str_of(KINDS[i].word)))
            one.kind = KINDS[i].kind;
    if (one.kind == DEFINE_NONE)
        return fault(
            r, "definitions", "This kind plays no part in a rehearsal.",
            "Give workspace, topics, limits, rates, trait, score, stages, segment, template or "
            "journey.");
    if (one.text.len == 0 || (one.name.len == 0 && !is_single(one.kind)))
        return fault(r, "definitions", "A definition has a name and a text.",
                     "Give {\"kind\": \"segment\", \"name\": ..., \"text\": ...}.");
    one.is_rehearsed = one.kind == DEFINE_JOURNEY;
    *any = *any || one.is_rehearsed;
    return world_put(r, one);
}

static enum err definitions_add(struct rehearsing *r, bool *any)
{
    const struct json *list = json_get(r->body, STR("definitions"));
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY)
        return fault(r, "definitions", "This is no list.",
                     "Give [{\"kind\", \"name\", \"text\"}].");
    for (uint32_t i = 0; i < list->count; i++)
        TRY(definition_read(r, &list->items[i], any));
    return OK;
}

static enum err journey_choose(struct rehearsing *r, struct str name)
{
    struct rehearse_definition *one = definition_find(r, DEFINE_JOURNEY, name);
    if (one == NULL || one->text.len == 0)
        return problem_format(&r->ask.call->problem, ERR_ABSENT, "journeys",
                              "Look at the list of journeys, or give its text as `draft`.",
                              "There is no journey \"%.*s\".", STR_ARG(str_slice(name, 0, 100)));
    one->is_rehearsed = one->is_draft = true;
    return OK;
}

/* `journeys` says which: of those given only these, and published ones beside a draft. */
static enum err journeys_choose(struct rehearsing *r)
{
    const struct json *list = json_get(r->body, STR("journeys"));
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count == 0)
        return fault(r, "journeys", "This is no list of names.", "Give [\"welcome\"].");
    for (uint32_t i = 0; i < r->definitions.count; i++)
        if (json_get(r->body, STR("draft")) == NULL && json_get(r->body, STR("drafts")) == NULL)
            r->definitions.items[i].is_rehearsed = false;
    for (uint32_t i = 0; i < list->count; i++)
        TRY(journey_choose(r,
                           list->items[i].kind == JSON_STRING ? list->items[i].string : STR_NONE));
    return OK;
}

enum err rehearsing_world(struct rehearsing *r)
{
    bool any = false;
    TRY(store_read(r));
    TRY(definitions_add(r, &any));
    TRY(saved_read(r, &any));
    TRY(draft_read(r, &any));
    TRY(journeys_choose(r));
    if (!any && json_get(r->body, STR("journeys")) == NULL)
        return fault(r, "draft", "Which journey is to be rehearsed?",
                     "Give {\"draft\": {\"journey\": ...}} or {\"journeys\": [\"welcome\"]}.");
    r->conf.names = r->names.items;
    r->conf.names_count = r->names.count;
    r->conf.definitions = r->definitions.items;
    r->conf.definitions_count = r->definitions.count;
    r->conf.suppressed = suppressions_count(r->suppressed) > 0 ? r->suppressed : NULL;
    return OK;
}

void rehearsing_world_done(struct rehearsing *r)
{
    store_forget(r);
}
