/* Segments, journeys, templates and the workspace: as files, checked, applied, listed. */
#include "run/api/api_broadcasts.h"
#include "run/api/api_codes.h"
#include "run/api/counting.h"
#include "run/api/judging.h"
#include "run/api/keeping.h"
#include "run/api/launching.h"
#include "run/api/page.h"
#include "run/api/publishing.h"
#include "run/api/seeing.h"
#include "run/api/sharing.h"
#include "run/api/standing.h"
#include "run/api/topics_put.h"
#include "run/send/question.h"
#include "run/send/snippets.h"
#include "run/send/workspace.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum { NAME_BYTES_MAX_HERE = 128, DEFINITIONS_MAX = 40000, AUTHOR_BYTES_MAX = 40 };

static enum definition_kind kind_of(struct call *call)
{
    struct str path = http_path(call->request);
    return str_starts(path, STR("/api/v1/segments"))      ? DEFINE_SEGMENT
           : str_starts(path, STR("/api/v1/journeys"))    ? DEFINE_JOURNEY
           : str_starts(path, STR("/api/v1/templates"))   ? DEFINE_TEMPLATE
           : str_starts(path, STR("/api/v1/snippets"))    ? DEFINE_SNIPPET
           : str_starts(path, STR("/api/v1/codes"))       ? DEFINE_CODES
           : str_starts(path, STR("/api/v1/broadcasts"))  ? DEFINE_BROADCAST
           : str_starts(path, STR("/api/v1/questions"))   ? DEFINE_QUESTION
           : str_starts(path, STR("/api/v1/files"))       ? DEFINE_FILE
           : str_starts(path, STR("/api/v1/traits"))      ? DEFINE_TRAIT
           : str_starts(path, STR("/api/v1/scores"))      ? DEFINE_SCORE
           : str_starts(path, STR("/api/v1/stages"))      ? DEFINE_STAGES
           : str_starts(path, STR("/api/v1/touchpoints")) ? DEFINE_TOUCHPOINT
           : str_starts(path, STR("/api/v1/retention"))   ? DEFINE_RETENTION
           : str_starts(path, STR("/api/v1/topics"))      ? DEFINE_TOPICS
           : str_starts(path, STR("/api/v1/limits"))      ? DEFINE_LIMITS
           : str_starts(path, STR("/api/v1/rates"))       ? DEFINE_RATES
                                                          : DEFINE_WORKSPACE;
}

static const char *kind_word(enum definition_kind kind)
{
    static const char *const words[DEFINE_KINDS] = {
        [DEFINE_NONE] = "definition",
        [DEFINE_WORKSPACE] = "workspace",
        [DEFINE_SEGMENT] = "segment",
        [DEFINE_JOURNEY] = "journey",
        [DEFINE_TEMPLATE] = "template",
        [DEFINE_TRAIT] = "trait",
        [DEFINE_STAGES] = "stages",
        [DEFINE_RETENTION] = "retention",
        [DEFINE_SNIPPET] = "snippet",
        [DEFINE_TOPICS] = "topics",
        [DEFINE_CODES] = "codes",
        [DEFINE_QUESTION] = "question",
        [DEFINE_FILE] = "file",
        [DEFINE_BROADCAST] = "broadcast",
        [DEFINE_LIMITS] = "limits",
        [DEFINE_SCORE] = "score",
        [DEFINE_JOURNEY_STATE] = "journey state",
        [DEFINE_RATES] = "rates",
        [DEFINE_LESSON] = "lesson",
        [DEFINE_JOURNEY_CHOICE] = "journey choice",
        [DEFINE_JOURNEY_DRAFT] = "journey draft",
        [DEFINE_TOUCHPOINT] = "touchpoint",
    };
    return words[kind];
}

static struct str name_of(struct call *call, enum definition_kind kind)
{
    return kind == DEFINE_WORKSPACE   ? STR("workspace")
           : kind == DEFINE_STAGES    ? STR("stages")
           : kind == DEFINE_RETENTION ? STR("retention")
           : kind == DEFINE_TOPICS    ? STR("topics")
           : kind == DEFINE_LIMITS    ? STR("limits")
           : kind == DEFINE_RATES     ? STR("rates")
                                      : call_param(call, "name");
}

/* ---- reading: the last version of each counts ---- */

struct shelf {
    struct call             *call;
    enum definition_kind     kind;
    struct str               name; /* empty: all of the kind */
    struct store_definition *items;
    uint32_t                 count, room;
};

static struct store_definition *shelf_find(struct shelf *shelf, struct str name)
{
    for (uint32_t i = 0; i < shelf->count; i++)
        if (str_eq(shelf->items[i].name, name))
            return &shelf->items[i];
    return NULL;
}

static enum err shelf_grow(struct shelf *shelf)
{
    uint32_t room = shelf->room == 0 ? 64 : shelf->room * 2;
    if (shelf->count < shelf->room)
        return OK;
    if (room > DEFINITIONS_MAX)
        return ERR_LIMIT;
    struct store_definition *items = ARENA_ARRAY(shelf->call->arena, room, struct store_definition);
    if (items == NULL)
        return ERR_MEMORY;
    if (shelf->count > 0)
        memcpy(items, shelf->items, shelf->count * sizeof *items);
    shelf->items = items;
    shelf->room = room;
    return OK;
}

/* Only the heads: every version passes here, and of one definition alone the newest text is kept.
 */
static enum err shelf_each(void *ctx, const struct store_definition *row)
{
    struct shelf *shelf = ctx;
    struct arena *arena = shelf->call->arena;
    if (row->kind != (uint32_t)shelf->kind ||
        (shelf->name.len > 0 && !str_eq(shelf->name, row->name)))
        return OK;
    struct store_definition *item = shelf_find(shelf, row->name);
    if (item == NULL) {
        TRY(shelf_grow(shelf));
        item = &shelf->items[shelf->count++];
        *item = (struct store_definition){ .name = str_copy(arena, row->name) };
    }
    struct str name = item->name, author = item->author;
    *item = *row;
    item->name = name;
    item->author = str_eq(author, row->author) ? author : str_copy(arena, row->author);
    item->text = (struct str){ row->text.len > 0 ? "" : NULL, 0 };
    return OK;
}

static enum err shelf_text_each(void *ctx, const struct store_definition *row)
{
    struct shelf *shelf = ctx;
    if (shelf->count == 0 || row->id != shelf->items[0].id || row->text.len == 0)
        return OK;
    shelf->items[0].text = str_copy(shelf->call->arena, row->text);
    return shelf->items[0].text.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err shelf_read(struct shelf *shelf)
{
    struct store_reader *reader = shelf->call->desk->reader;
    TRY(store_definitions_read(reader, 0, shelf_each, shelf));
    return shelf->name.len > 0 ? store_definitions_read(reader, 0, shelf_text_each, shelf) : OK;
}

static void head_write(struct buf *out, bool *first, const struct store_definition *item)
{
    write_text(out, first, "kind", str_of(kind_word((enum definition_kind)item->kind)));
    write_text(out, first, "name", item->name);
    write_int(out, first, "version", item->version);
    write_time(out, first, "changed", item->at_ms);
    write_text(out, first, "author", item->author);
}

/* ---- computed traits: who names them, and whether people were told the same name ---- */

struct trait_question {
    struct str            name;
    struct computed_users users;
    bool                  wants_told, is_told;
};

static bool trait_ask(struct engine *engine, struct task *task)
{
    struct trait_question *question = task->context;
    program_computed_users(engine_program(engine), question->name, &question->users);
    question->is_told = question->wants_told && engine_trait_is_told(engine, question->name);
    return true;
}

static enum err users_write(struct call *call, struct str name, bool wants_told, bool *first)
{
    struct trait_question question = { .name = name, .wants_told = wants_told };
    struct buf           *out = &call->out;
    TRY(call_ask(call, trait_ask, &question));
    write_int(out, first, "segments", question.users.segments);
    write_int(out, first, "journeys", question.users.journeys);
    if (question.is_told)
        write_text(out, first, "note",
                   STR("People were told a trait of this name; the computed one counts."));
    return OK;
}

enum err definitions_list(struct call *call)
{
    struct shelf shelf = { .call = call, .kind = kind_of(call) };
    struct str   cursor = call_query(call, "cursor"), last = STR_NONE;
    uint32_t     limit, written = 0, i = 0;
    TRY(call_limit(call, &limit));
    TRY(shelf_read(&shelf));
    /* In the order they were first made, which does not change. */
    while (cursor.len > 0 && i < shelf.count && !str_eq(shelf.items[i].name, cursor))
        i++;
    i += cursor.len > 0 && i < shelf.count;
    buf_str(&call->out, STR("{\"items\":["));
    for (; i < shelf.count && written < limit; i++) {
        bool first = true;
        if (shelf.items[i].text.ptr == NULL)
            continue;
        buf_str(&call->out, written++ == 0 ? STR("{") : STR(",{"));
        head_write(&call->out, &first, &shelf.items[i]);
        if (shelf.kind == DEFINE_TRAIT)
            TRY(users_write(call, shelf.items[i].name, false, &first));
        if (shelf.kind == DEFINE_CODES)
            TRY(codes_numbers_write(call, shelf.items[i].name, &call->out, &first));
        if (shelf.kind == DEFINE_BROADCAST)
            TRY(broadcast_numbers_write(call, shelf.items[i].name, &call->out, &first));
        if (shelf.kind == DEFINE_JOURNEY)
            TRY(launching_state_write(call, shelf.items[i].name, &call->out, &first));
        buf_char(&call->out, '}');
        last = shelf.items[i].name;
    }
    write_next(&call->out, i < shelf.count ? last : STR_NONE);
    return OK;
}

static enum err definition_absent(struct call *call, enum definition_kind kind, struct str name)
{
    return problem_format(&call->problem, ERR_ABSENT, "name",
                          "Look at the list, or put one there "
                          "with `dult apply`.",
                          "There is no %s \"%.*s\".", kind_word(kind), STR_ARG(name));
}

/* ---- the stages, each with how many people are in it now ---- */

static enum err stage_count(struct ask *ask, struct str name, struct counting *counting)
{
    struct segment_node node = { .kind = SEGMENT_IN_STAGE, .name = name };
    TRY(counting_of(ask, counting, &node, STR_NONE));
    return counting_run(ask, counting);
}

static enum err stages_write(struct call *call, struct str text, bool *first)
{
    struct json root = { .kind = JSON_NULL };
    struct buf *out = &call->out;
    if (text.len > 0)
        TRY(json_parse_once(call->arena, text, &root, &call->problem));
    const struct json *list = json_get(&root, STR("stages"));
    json_write_key(out, first, "stages");
    for (uint32_t i = 0; list != NULL && list->kind == JSON_ARRAY && i < list->count; i++) {
        struct str      name = json_get_str(&list->items[i], STR("name"));
        struct counting counting = { .count = 0 };
        struct ask      ask;
        bool            inner = true;
        enum err        err = ask_open(&ask, call, NULL);
        if (err == OK)
            err = stage_count(&ask, name, &counting);
        ask_close(&ask);
        TRY(err);
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_text(out, &inner, "name", name);
        write_text(out, &inner, "when", json_get_str(&list->items[i], STR("when")));
        write_int(out, &inner, "count", (int64_t)counting.count);
        buf_char(out, '}');
    }
    buf_str(out, list == NULL || list->count == 0 ? STR("[]") : STR("]"));
    return OK;
}

enum err definition_show(struct call *call)
{
    enum definition_kind    kind = kind_of(call);
    struct shelf            shelf = { .call = call, .kind = kind, .name = name_of(call, kind) };
    bool                    first = true;
    struct store_definition none = { .kind = kind, .name = shelf.name, .at_ms = TIME_NEVER };
    if (shelf.name.len == 0)
        return definition_absent(call, kind, shelf.name);
    TRY(shelf_read(&shelf));
    if (shelf.count == 0 || shelf.items[0].text.len == 0) {
        if (kind != DEFINE_WORKSPACE && kind != DEFINE_STAGES && kind != DEFINE_RETENTION &&
            kind != DEFINE_TOPICS && kind != DEFINE_LIMITS && kind != DEFINE_RATES)
            return definition_absent(call, kind, shelf.name);
        /* There is always a workspace, stages, topics, and how long events are kept: these have
         * not been described yet. */
        shelf.items = &none;
    }
    if (call_flag(call, "raw")) {
        call->type = STR("text/plain; charset=utf-8");
        buf_str(&call->out, shelf.items[0].text);
        return OK;
    }
    buf_char(&call->out, '{');
    head_write(&call->out, &first, &shelf.items[0]);
    json_write_key(&call->out, &first, "text");
    json_write_str(&call->out, shelf.items[0].text);
    if (kind == DEFINE_TRAIT)
        TRY(users_write(call, shelf.name, true, &first));
    if (kind == DEFINE_CODES)
        TRY(codes_numbers_write(call, shelf.name, &call->out, &first));
    if (kind == DEFINE_BROADCAST)
        TRY(broadcast_numbers_write(call, shelf.name, &call->out, &first));
    if (kind == DEFINE_JOURNEY)
        TRY(launching_state_write(call, shelf.name, &call->out, &first));
    if (kind == DEFINE_RETENTION)
        TRY(keeping_state_write(call, &call->out, &first));
    if (kind == DEFINE_TOUCHPOINT)
        TRY(seeing_write_text(call, shelf.items[0].text, &call->out, &first));
    if (kind == DEFINE_STAGES)
        TRY(stages_write(call, shelf.items[0].text, &first));
    buf_char(&call->out, '}');
    return OK;
}

/* ---- changing ---- */

struct check {
    struct call         *call;
    enum definition_kind kind;
    struct str           name, text;
    enum err             err;
};

static bool check_ask(struct engine *engine, struct task *task)
{
    struct check *check = task->context;
    check->err = program_check(engine_program(engine), check->kind, check->name, check->text,
                               &check->call->problem);
    return true;
}

/* What was launched stays as it was. */
static bool allows_ask(struct engine *engine, struct task *task)
{
    struct check *check = task->context;
    check->err = engine_broadcast_allows(engine, check->kind, check->name, check->text,
                                         &check->call->problem);
    return true;
}

static enum err allowed_check(struct call *call, enum definition_kind kind, struct str name,
                              struct str text)
{
    struct check check = { call, kind, name, text, OK };
    TRY(call_ask(call, allows_ask, &check));
    return check.err;
}

static enum err question_check(struct call *call, struct str name, struct str text)
{
    struct question *question = ARENA_NEW(call->arena, struct question);
    return question == NULL ? ERR_MEMORY
                            : question_parse(call->arena, name, text, question, &call->problem);
}

static enum err text_check(struct call *call, enum definition_kind kind, struct str name,
                           struct str text)
{
    struct check check = { call, kind, name, text, OK };
    if (name.len == 0 || name.len > NAME_BYTES_MAX_HERE || !str_is_utf8(name))
        return problem_set(&call->problem, ERR_INPUT, "name", "A name has 1 to 128 bytes.",
                           "Rename the file.");
    if (kind == DEFINE_SEGMENT && str_eq(name, STR("count")))
        return problem_set(&call->problem, ERR_INPUT, "name", "No segment may be named \"count\".",
                           "Rename the file.");
    if (str_trim(text).len == 0)
        return problem_set(&call->problem, ERR_INPUT, "body", "The definition is empty.",
                           "Send the file's text, or DELETE to delete it.");
    if (!str_is_utf8(text))
        return problem_set(&call->problem, ERR_INPUT, "body", "The text is not UTF-8.",
                           "Save the file as UTF-8.");
    if (kind == DEFINE_WORKSPACE) {
        struct workspace workspace;
        TRY(workspace_parse(call->arena, text, &workspace, &call->problem));
    }
    if (kind == DEFINE_TEMPLATE)
        TRY(templates_check(call, name, text));
    if (kind == DEFINE_SNIPPET)
        TRY(snippets_check(name, text, &call->problem));
    if (kind == DEFINE_QUESTION)
        TRY(question_check(call, name, text));
    TRY(call_ask(call, check_ask, &check));
    return check.err;
}

static struct str author_of(struct call *call)
{
    if (http_is_local(call->request))
        return STR("command line");
    return str_format(call->arena, "key %llu", (unsigned long long)route_who(call->request));
}

/* What becomes of those inside a journey that is published anew. */
static enum err inside_check(struct call *call, enum definition_kind kind, struct str name)
{
    struct str inside = call_query(call, "inside");
    if (kind == DEFINE_JOURNEY && str_eq(inside, STR("backfill")))
        return standing_fills_check(call, name);
    if (inside.len == 0 ||
        (kind == DEFINE_JOURNEY && (str_eq(inside, STR("finish")) || str_eq(inside, STR("move")))))
        return OK;
    return problem_set(&call->problem, ERR_INPUT, "inside",
                       "Those inside a journey finish the version they came in by, or move.",
                       "Say inside=finish, inside=move or inside=backfill, of a journey alone.");
}

static uint8_t flags_of(struct call *call, enum definition_kind kind)
{
    bool moves = kind == DEFINE_JOURNEY && str_eq(call_query(call, "inside"), STR("move"));
    bool fills = kind == DEFINE_JOURNEY && str_eq(call_query(call, "inside"), STR("backfill"));
    bool launches = kind == DEFINE_JOURNEY && call_flag(call, "also_inside");
    return (uint8_t)((call_flag(call, "fire") ? RECORD_FIRE : 0) | (moves ? RECORD_MOVE : 0) |
                     (fills ? RECORD_BACKFILL : 0) | (launches ? RECORD_LAUNCH : 0));
}

static enum err define(struct call *call, enum definition_kind kind, struct str name,
                       struct str text, uint64_t *version)
{
    struct task  task;
    struct entry entry = {
        .record = { .kind = RECORD_DEFINE,
                    .flags = flags_of(call, kind),
                    .definition_kind = kind,
                    .name = name,
                    .body = text,
                    .at_ms = time_now_ms(),
                    .received_ms = time_now_ms() },
        .author = author_of(call),
        .body = str_format(call->arena, "{\"definition\":\"%s\"}", kind_word(kind)),
    };
    TRY(call_submit(call, &entry, 1, &task));
    *version = task.seq;
    return OK;
}

static enum err confirm_template_put(struct call *call, struct str topics)
{
    struct str name;
    uint64_t   version;
    TRY(topics_template_wanted(call, topics, &name));
    return str_is_empty(name) ? OK
                              : define(call, DEFINE_TEMPLATE, name, page_confirm_email(), &version);
}

/* How many a segment holds for, and who would come and go, before it is applied. */
static enum err reach_ask(struct ask *ask, struct counting *counting, struct str name,
                          struct str text)
{
    const struct segment_node *tree;
    TRY(condition_read(ask->call, text, NULL, &tree));
    TRY(counting_of(ask, counting, tree, STR_NONE));
    TRY(counting_compare(ask, counting, name));
    return counting_run(ask, counting);
}

static enum err reach_count(struct call *call, struct counting *counting, struct str name,
                            struct str text)
{
    struct ask ask;
    *counting = (struct counting){ .count = 0 };
    enum err err = ask_open(&ask, call, NULL);
    if (err == OK)
        err = reach_ask(&ask, counting, name, text);
    ask_close(&ask);
    return err;
}

static void segment_write_reach(const struct counting *counting, struct buf *out, bool *first)
{
    counting_write(counting, out, first);
    unseen_write(&counting->unseen, out, first);
}

static bool is_same(struct call *call, enum definition_kind kind, struct str name, struct str text,
                    uint64_t *version)
{
    struct shelf shelf = { .call = call, .kind = kind, .name = name };
    if (shelf_read(&shelf) != OK || shelf.count == 0 || !str_eq(shelf.items[0].text, text))
        return false;
    *version = shelf.items[0].version;
    return true;
}

enum err definition_change(struct call *call, enum definition_kind kind, struct str name,
                           struct str text, uint64_t *version, bool *is_changed)
{
    *is_changed = !is_same(call, kind, name, text, version);
    return *is_changed ? define(call, kind, name, text, version) : OK;
}

enum err definition_publish(struct call *call, enum definition_kind kind, struct str name,
                            struct str text)
{
    struct counting counting;
    uint64_t        version = 0;
    bool            first = true, is_dry = call_flag(call, "dry");
    TRY(inside_check(call, kind, name));
    TRY(launching_check(call, kind, text));
    TRY(text_check(call, kind, name, text));
    bool is_changed = !is_same(call, kind, name, text, &version) ||
                      (kind == DEFINE_JOURNEY && call_flag(call, "also_inside"));
    if (kind == DEFINE_BROADCAST && is_changed)
        TRY(allowed_check(call, kind, name, text));
    if (kind == DEFINE_SEGMENT)
        TRY(reach_count(call, &counting, name, text));
    SCOPED(buf_donep) struct buf goes = buf_make(CALL_ANSWER_BYTES_MAX);
    bool                         is_first = true;
    if (kind == DEFINE_RETENTION) /* before it is put in force */
        TRY(keeping_preview_write(call, text, &goes, &is_first));
    if (kind == DEFINE_TEMPLATE)
        TRY(judging_write(call, name, text, &goes, &is_first));
    if (kind == DEFINE_TOPICS && !is_dry)
        TRY(confirm_template_put(call, text));
    if (kind == DEFINE_JOURNEY || kind == DEFINE_BROADCAST)
        TRY(judging_launch_write(call, kind == DEFINE_JOURNEY ? text : STR_NONE, &goes, &is_first));
    if (kind == DEFINE_JOURNEY && is_changed)
        TRY(standing_write(call, name, text, &goes, &is_first));
    if (kind == DEFINE_JOURNEY && is_changed)
        TRY(launching_write(call, text, &goes, &is_first));
    if (!is_dry && is_changed)
        TRY(define(call, kind, name, text, &version));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "kind", str_of(kind_word(kind)));
    write_text(&call->out, &first, "name", name);
    if (version > 0)
        write_int(&call->out, &first, "version", (int64_t)version);
    json_write_key(&call->out, &first, "changed");
    buf_str(&call->out, is_changed ? STR("true") : STR("false"));
    if (is_dry)
        buf_str(&call->out, STR(",\"dry\":true"));
    if (kind == DEFINE_SEGMENT)
        segment_write_reach(&counting, &call->out, &first);
    if (goes.len > 0) {
        buf_char(&call->out, ',');
        buf_str(&call->out, buf_view(&goes));
    }
    if (kind == DEFINE_TRAIT)
        TRY(users_write(call, name, true, &first));
    buf_char(&call->out, '}');
    return OK;
}

enum err definition_put(struct call *call)
{
    enum definition_kind kind = kind_of(call);
    return definition_publish(call, kind, name_of(call, kind), http_body(call->request));
}

enum err definition_delete(struct call *call)
{
    enum definition_kind kind = kind_of(call);
    struct str           name = name_of(call, kind);
    uint64_t             version;
    bool                 first = true;
    if (kind == DEFINE_SNIPPET)
        TRY(templates_spare(call, name));
    TRY(define(call, kind, name, STR_NONE, &version));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "kind", str_of(kind_word(kind)));
    write_text(&call->out, &first, "name", name);
    write_int(&call->out, &first, "version", (int64_t)version);
    buf_str(&call->out, STR(",\"deleted\":true}"));
    return OK;
}
