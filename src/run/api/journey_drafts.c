/*
 * Drafts of journeys: a text kept beside the published one, without effect: saved, listed, compared
 * with what is published, and published.
 *
 *      PUT .../draft --> kept, with who and when; what would keep it from being published is told
 *      POST .../draft/publish --> as a PUT of the text would be, and the draft is gone
 *
 * A definition that the engine asks nothing of. Bounds: JOURNEY_DRAFTS_MAX journeys with one, of
 * JOURNEY_TEXT_BYTES_MAX each. Of a draft the store has the newest saving, of the journey each
 * published version: of these rows only the newest text is copied. A draft saved while another is
 * published stays.
 */
#include "engine/program.h"
#include "engine/vec.h"
#include "run/api/publishing.h"

struct draft {
    struct str name, author;
    uint64_t   row;   /* of the store */
    size_t     bytes; /* of its text; 0: there is none (any more) */
    struct str text;  /* of one draft alone, and where it is asked for */
    int64_t    at_ms;
    uint32_t   version;
    uint32_t   published; /* the version of now; 0: none */
    uint64_t   live_row;
    struct str live; /* its text, of one draft alone */
};

struct drafts {
    struct arena *arena;
    struct str    name; /* empty: all */
    struct {
        struct draft *items;
        uint32_t      count, room;
    } all;
};

static enum err copy(struct arena *arena, struct str text, struct str *out)
{
    *out = str_copy(arena, text);
    return out->ptr == NULL && text.len > 0 ? ERR_MEMORY : OK;
}

static struct draft *draft_known(struct drafts *drafts, struct str name)
{
    for (uint32_t i = 0; i < drafts->all.count; i++)
        if (str_eq(drafts->all.items[i].name, name))
            return &drafts->all.items[i];
    return NULL;
}

static enum err draft_of(struct drafts *drafts, struct str name, struct draft **out)
{
    struct draft one = { 0 };
    *out = draft_known(drafts, name);
    if (*out != NULL)
        return OK;
    TRY(copy(drafts->arena, name, &one.name));
    TRY(VEC_ADD(&drafts->all, one));
    *out = &drafts->all.items[drafts->all.count - 1];
    return OK;
}

static bool is_asked(const struct drafts *drafts, const struct store_definition *row)
{
    return (row->kind == DEFINE_JOURNEY || row->kind == DEFINE_JOURNEY_DRAFT) &&
           (drafts->name.len == 0 || str_eq(drafts->name, row->name));
}

/* Which row is the newest: every version passes, so no text is copied here. */
static enum err head_each(void *ctx, const struct store_definition *row)
{
    struct drafts *drafts = ctx;
    struct draft  *draft;
    if (!is_asked(drafts, row))
        return OK;
    TRY(draft_of(drafts, row->name, &draft));
    if (row->kind == DEFINE_JOURNEY) {
        draft->published = row->text.len > 0 ? row->version : 0;
        draft->live_row = row->id;
        return OK;
    }
    if (!str_eq(draft->author, row->author))
        TRY(copy(drafts->arena, row->author, &draft->author));
    draft->bytes = row->text.len;
    draft->row = row->id;
    draft->at_ms = row->at_ms;
    draft->version = row->version;
    return OK;
}

static enum err text_each(void *ctx, const struct store_definition *row)
{
    struct drafts *drafts = ctx;
    struct draft  *draft = is_asked(drafts, row) ? draft_known(drafts, row->name) : NULL;
    if (draft != NULL && row->id == draft->row)
        TRY(copy(drafts->arena, row->text, &draft->text));
    if (draft != NULL && row->id == draft->live_row)
        TRY(copy(drafts->arena, row->text, &draft->live));
    return OK;
}

/* Names, who and when; VEC_DONE is the caller's. An empty name: of all. */
static enum err drafts_read(struct drafts *drafts, struct arena *arena, struct store_reader *reader,
                            struct str name)
{
    *drafts = (struct drafts){ .arena = arena, .name = name };
    enum err err = store_definitions_read(reader, 0, head_each, drafts);
    if (err != OK)
        VEC_DONE(&drafts->all);
    return err;
}

static enum err absent(struct call *call, struct str name)
{
    return problem_format(&call->problem, ERR_ABSENT, "name",
                          "`dult journey draft list` lists them; PUT its text to save one.",
                          "There is no draft of a journey \"%.*s\".",
                          STR_ARG(str_slice(name, 0, 128)));
}

/* The one of that name, which is there; its texts, and what is published, where they are wanted. */
static enum err draft_read(struct call *call, struct store_reader *reader, struct str name,
                           bool is_texts, struct draft *out)
{
    struct drafts drafts;
    TRY(drafts_read(&drafts, call->arena, reader, name));
    bool     is_there = drafts.all.count > 0 && drafts.all.items[0].bytes > 0;
    enum err err =
        is_there && is_texts ? store_definitions_read(reader, 0, text_each, &drafts) : OK;
    if (is_there)
        *out = drafts.all.items[0];
    VEC_DONE(&drafts.all);
    return err != OK || is_there ? err : absent(call, name);
}

static enum err draft_find(struct call *call, bool is_texts, struct draft *out)
{
    return draft_read(call, call->desk->reader, call_param(call, "name"), is_texts, out);
}

/* ---- what keeps it from being published ---- */

struct check {
    struct call   *call;
    struct str     name, text;
    struct problem problem;
    enum err       err;
};

static bool check_ask(struct engine *engine, struct task *task)
{
    struct check *check = task->context;
    check->err = program_check(engine_program(engine), DEFINE_JOURNEY, check->name, check->text,
                               &check->problem);
    return true;
}

/* "problem": {"where", "what", "remedy"}, where it could not be published now. */
static enum err problem_write(struct call *call, struct str name, struct str text, bool *first)
{
    struct check check = { .call = call, .name = name, .text = text };
    bool         inner = true;
    TRY(call_ask(call, check_ask, &check));
    if (check.err == OK || check.err == ERR_MEMORY)
        return check.err;
    json_write_key(&call->out, first, "problem");
    buf_char(&call->out, '{');
    write_text(&call->out, &inner, "where", str_of(check.problem.where));
    write_text(&call->out, &inner, "what", str_of(check.problem.what));
    write_text(&call->out, &inner, "remedy", str_of(check.problem.remedy));
    buf_char(&call->out, '}');
    return OK;
}

/* ---- told ---- */

static void head_write(struct buf *out, const struct draft *draft, bool *first)
{
    write_text(out, first, "journey", draft->name);
    write_time(out, first, "saved", draft->at_ms);
    write_text(out, first, "author", draft->author);
    json_write_key(out, first, "is_new");
    buf_str(out, draft->published == 0 ? STR("true") : STR("false"));
    json_write_key(out, first, "published_since");
    buf_str(out, draft->published > draft->version ? STR("true") : STR("false"));
}

enum err journey_drafts(struct call *call)
{
    struct drafts drafts;
    bool          any = false;
    TRY(drafts_read(&drafts, call->arena, call->desk->reader, STR_NONE));
    buf_str(&call->out, STR("{\"items\":["));
    for (uint32_t i = 0; i < drafts.all.count; i++) {
        bool first = true;
        if (drafts.all.items[i].bytes == 0)
            continue;
        buf_str(&call->out, any ? STR(",{") : STR("{"));
        any = true;
        head_write(&call->out, &drafts.all.items[i], &first);
        buf_char(&call->out, '}');
    }
    buf_str(&call->out, STR("]}"));
    VEC_DONE(&drafts.all);
    return buf_err(&call->out);
}

enum err journey_draft_show(struct call *call)
{
    struct draft draft;
    bool         first = true;
    TRY(draft_find(call, true, &draft));
    if (call_flag(call, "raw")) {
        call->type = STR("text/plain; charset=utf-8");
        buf_str(&call->out, draft.text);
        return OK;
    }
    buf_char(&call->out, '{');
    head_write(&call->out, &draft, &first);
    write_text(&call->out, &first, "text", draft.text);
    TRY(problem_write(call, draft.name, draft.text, &first));
    buf_char(&call->out, '}');
    return OK;
}

enum err journey_draft_changes(struct call *call)
{
    struct draft draft;
    TRY(draft_find(call, true, &draft));
    return journey_changes_write(call, draft.name, draft.published == 0 ? STR("{}") : draft.live,
                                 draft.text);
}

/* ---- saved, thrown away, published ---- */

static enum err text_check(struct call *call, struct str name, struct str text)
{
    struct json root;
    if (text.len == 0 || text.len > JOURNEY_TEXT_BYTES_MAX || !str_is_utf8(text))
        return problem_set(&call->problem, ERR_INPUT, "body",
                           "A draft is the JSON of a journey, of at most 512 KB.",
                           "Send the file's text, or DELETE to throw the draft away.");
    TRY(json_parse_once(call->arena, text, &root, &call->problem));
    if (root.kind == JSON_OBJECT && str_eq(json_get_str(&root, STR("journey")), name))
        return OK;
    return problem_format(&call->problem, ERR_INPUT, "journey",
                          "Give \"journey\" the name under which the draft is saved.",
                          "The draft is not of the journey \"%.*s\".",
                          STR_ARG(str_slice(name, 0, 128)));
}

static enum err room_check(struct call *call, struct str name)
{
    struct drafts drafts;
    uint32_t      count = 0;
    TRY(drafts_read(&drafts, call->arena, call->desk->reader, STR_NONE));
    for (uint32_t i = 0; i < drafts.all.count; i++)
        count += drafts.all.items[i].bytes > 0 && !str_eq(drafts.all.items[i].name, name);
    VEC_DONE(&drafts.all);
    return count < JOURNEY_DRAFTS_MAX ? OK
                                      : problem_set(&call->problem, ERR_LIMIT, "drafts",
                                                    "There are drafts of 1,000 journeys already.",
                                                    "Publish some of them, or throw them away.");
}

/* Between two looks no other draft comes or goes. */
static enum err save(struct call *call, struct str name, struct str text, bool *is_changed)
{
    uint64_t version;
    pthread_mutex_lock(&call->api->drafts_lock);
    enum err err = room_check(call, name);
    if (err == OK)
        err = definition_change(call, DEFINE_JOURNEY_DRAFT, name, text, &version, is_changed);
    pthread_mutex_unlock(&call->api->drafts_lock);
    return err;
}

/* Unless another was saved since `row` was read; 0: whichever it is. */
static enum err throw_away(struct call *call, uint64_t row, struct draft *draft)
{
    uint64_t version;
    bool     is_changed;
    pthread_mutex_lock(&call->api->drafts_lock);
    enum err err = draft_find(call, false, draft);
    if (err == OK && (row == 0 || draft->row == row))
        err = definition_change(call, DEFINE_JOURNEY_DRAFT, draft->name, STR_NONE, &version,
                                &is_changed);
    pthread_mutex_unlock(&call->api->drafts_lock);
    return err;
}

enum err journey_draft_put(struct call *call)
{
    struct str name = call_param(call, "name"), text = http_body(call->request);
    bool       is_changed, first = true;
    if (name.len == 0 || name.len > JOURNEY_NAME_BYTES_MAX || !str_is_utf8(name))
        return problem_set(&call->problem, ERR_INPUT, "name", "A name has 1 to 128 bytes.",
                           "Give the journey a shorter one.");
    TRY(text_check(call, name, text));
    TRY(save(call, name, text, &is_changed));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "journey", name);
    json_write_key(&call->out, &first, "changed");
    buf_str(&call->out, is_changed ? STR("true") : STR("false"));
    TRY(problem_write(call, name, text, &first));
    buf_char(&call->out, '}');
    return OK;
}

enum err journey_draft_delete(struct call *call)
{
    struct draft draft;
    bool         first = true;
    TRY(throw_away(call, 0, &draft));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "journey", draft.name);
    buf_str(&call->out, STR(",\"deleted\":true}"));
    return OK;
}

/* What was saved while it was published is another draft, and stays. */
enum err journey_draft_publish(struct call *call)
{
    struct draft draft, newest;
    TRY(draft_find(call, true, &draft));
    TRY(definition_publish(call, DEFINE_JOURNEY, draft.name, draft.text));
    if (call_flag(call, "dry"))
        return OK;
    enum err err = throw_away(call, draft.row, &newest);
    return err == ERR_ABSENT ? OK : err;
}

enum err journey_draft_text(struct call *call, struct store_reader *reader, struct str name,
                            struct str *text)
{
    struct draft draft;
    TRY(draft_read(call, reader, name, true, &draft));
    *text = draft.text;
    return OK;
}
