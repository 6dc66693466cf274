/* Experiments: listed, searched, shown with their numbers, and what was learnt of them kept. */
#include "run/api/experimenting.h"

#include <stdlib.h>

#include "base/time.h"
#include "engine/vec.h"
#include "store/store.h"

struct place {
    struct str journey, node, broadcast; /* journey and node, or broadcast */
};

struct experiment {
    struct str   name, hypothesis;
    struct str   words; /* of its variants, for the search */
    struct place places[EXPERIMENT_PLACES_MAX];
    uint32_t     places_count;
    struct json  lesson; /* as it was kept; null: none */
    int64_t      learnt_ms;
    struct str   author;
};

/* One definition's newest text. */
struct newest_row {
    uint32_t   kind;
    struct str name, text, author;
    int64_t    at_ms;
};

struct log {
    struct call *call;
    struct {
        struct newest_row *items;
        uint32_t           count, room;
    } rows;
    struct {
        struct experiment *items;
        uint32_t           count, room;
    } all;
};

static void log_done(struct log *log)
{
    VEC_DONE(&log->rows);
    VEC_DONE(&log->all);
}

/* ---- read ---- */

static enum err row_each(void *context, const struct store_definition *row)
{
    struct log        *log = context;
    struct arena      *arena = log->call->arena;
    struct newest_row *have = NULL;
    if (row->kind != DEFINE_JOURNEY && row->kind != DEFINE_BROADCAST && row->kind != DEFINE_LESSON)
        return OK;
    for (uint32_t i = 0; i < log->rows.count && have == NULL; i++)
        if (log->rows.items[i].kind == row->kind && str_eq(log->rows.items[i].name, row->name))
            have = &log->rows.items[i];
    if (have == NULL) {
        TRY(VEC_ADD(&log->rows,
                    (struct newest_row){ .kind = row->kind, .name = str_copy(arena, row->name) }));
        have = &log->rows.items[log->rows.count - 1];
    }
    have->text = str_copy(arena, row->text);
    have->author = str_copy(arena, row->author);
    have->at_ms = row->at_ms;
    return OK;
}

static enum err experiment_of(struct log *log, struct str name, struct experiment **out)
{
    for (uint32_t i = 0; i < log->all.count; i++)
        if (str_eq(log->all.items[i].name, name)) {
            *out = &log->all.items[i];
            return OK;
        }
    if (log->all.count == EXPERIMENTS_MAX)
        return problem_set(&log->call->problem, ERR_LIMIT, "experiments",
                           "There are more than 10,000 experiments.",
                           "Take old journeys and broadcasts away.");
    TRY(VEC_ADD(&log->all, (struct experiment){ .name = name, .lesson = { .kind = JSON_NULL } }));
    *out = &log->all.items[log->all.count - 1];
    return OK;
}

static enum err place_add(struct log *log, struct str name, const struct json *experiment,
                          struct place place)
{
    const struct json *variants = json_get(experiment, STR("variants"));
    struct experiment *of;
    TRY(experiment_of(log, name, &of));
    if (of->hypothesis.len == 0)
        of->hypothesis = json_get_str(experiment, STR("hypothesis"));
    for (uint32_t i = 0; variants->kind == JSON_ARRAY && i < variants->count; i++)
        of->words = str_format(log->call->arena, "%.*s %.*s", STR_ARG(of->words),
                               STR_ARG(json_get_str(&variants->items[i], STR("name"))));
    if (of->places_count < EXPERIMENT_PLACES_MAX)
        of->places[of->places_count++] = place;
    return OK;
}

static enum err journey_read(struct log *log, const struct newest_row *row, const struct json *root)
{
    const struct json *nodes = json_get(root, STR("nodes"));
    for (uint32_t i = 0; nodes != NULL && nodes->kind == JSON_ARRAY && i < nodes->count; i++) {
        const struct json *node = &nodes->items[i];
        struct str         name = json_get_str(node, STR("experiment"));
        struct str         id = json_get_str(node, STR("id"));
        if (json_get(node, STR("variants")) == NULL)
            continue;
        if (name.len == 0)
            name = str_format(log->call->arena, "%.*s/%.*s", STR_ARG(row->name), STR_ARG(id));
        TRY(place_add(log, name, node, (struct place){ .journey = row->name, .node = id }));
    }
    return OK;
}

static enum err broadcast_read(struct log *log, const struct newest_row *row,
                               const struct json *root)
{
    const struct json *experiment = json_get(root, STR("experiment"));
    struct str         name = json_get_str(experiment, STR("name"));
    if (experiment == NULL || json_get(experiment, STR("variants")) == NULL)
        return OK;
    return place_add(log, name.len > 0 ? name : row->name, experiment,
                     (struct place){ .broadcast = row->name });
}

static enum err lesson_read(struct log *log, const struct newest_row *row, const struct json *root)
{
    struct experiment *of;
    TRY(experiment_of(log, row->name, &of));
    of->lesson = *root;
    of->learnt_ms = row->at_ms;
    of->author = row->author;
    if (of->hypothesis.len == 0)
        of->hypothesis = json_get_str(root, STR("hypothesis"));
    return OK;
}

static enum err row_read(struct log *log, const struct newest_row *row)
{
    struct json root;
    if (row->text.len == 0 || json_parse_once(log->call->arena, row->text, &root, NULL) != OK)
        return OK; /* deleted, or of a version that wrote it otherwise */
    return row->kind == DEFINE_JOURNEY     ? journey_read(log, row, &root)
           : row->kind == DEFINE_BROADCAST ? broadcast_read(log, row, &root)
                                           : lesson_read(log, row, &root);
}

static enum err log_read(struct call *call, struct log *log)
{
    *log = (struct log){ .call = call };
    TRY(store_definitions_read(call->desk->reader, 0, row_each, log));
    for (uint32_t i = 0; i < log->rows.count; i++)
        TRY(row_read(log, &log->rows.items[i]));
    return OK;
}

/* ---- searched ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool has_word(struct str text, struct str word)
{
    for (size_t i = 0; i + word.len <= text.len; i++) {
        size_t k = 0;
        while (k < word.len && lower(text.ptr[i + k]) == lower(word.ptr[k]))
            k++;
        if (k == word.len)
            return true;
    }
    return false;
}

/* Every word, in the name, the hypothesis, the lesson or the names of variants. */
static bool is_found(const struct experiment *one, struct str words)
{
    struct str word;
    while (words.len > 0 && str_split(&words, ' ', &word))
        if (word.len > 0 && !has_word(one->name, word) && !has_word(one->hypothesis, word) &&
            !has_word(one->words, word) &&
            !has_word(json_get_str(&one->lesson, STR("lesson")), word))
            return false;
    return true;
}

/* ---- written ---- */

static void place_write(struct buf *out, const struct place *place, bool *first)
{
    if (place->broadcast.len > 0) {
        write_text(out, first, "broadcast", place->broadcast);
        return;
    }
    write_text(out, first, "journey", place->journey);
    write_text(out, first, "node", place->node);
}

static void head_write(struct buf *out, const struct experiment *one, bool *first)
{
    write_text(out, first, "name", one->name);
    if (one->hypothesis.len > 0)
        write_text(out, first, "hypothesis", one->hypothesis);
    json_write_key(out, first, "places");
    buf_char(out, '[');
    for (uint32_t i = 0; i < one->places_count; i++) {
        bool inner = true;
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        place_write(out, &one->places[i], &inner);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    if (one->lesson.kind != JSON_OBJECT)
        return;
    write_text(out, first, "lesson", json_get_str(&one->lesson, STR("lesson")));
    write_time(out, first, "learnt", one->learnt_ms);
    write_text(out, first, "author", one->author);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct experiment *)a)->name, ((const struct experiment *)b)->name);
}

static enum err list_write(struct call *call, struct log *log)
{
    struct str words = call_query(call, "search"), cursor = call_query(call, "cursor");
    struct str last = STR_NONE;
    uint32_t   limit, written = 0, i = 0;
    TRY(call_limit(call, &limit));
    if (log->all.count > 1)
        qsort(log->all.items, log->all.count, sizeof log->all.items[0], by_name);
    buf_str(&call->out, STR("{\"items\":["));
    for (; i < log->all.count && written < limit; i++) {
        const struct experiment *one = &log->all.items[i];
        bool                     first = true;
        if ((cursor.len > 0 && str_cmp(one->name, cursor) <= 0) || !is_found(one, words))
            continue;
        buf_str(&call->out, written++ == 0 ? STR("{") : STR(",{"));
        head_write(&call->out, one, &first);
        buf_char(&call->out, '}');
        last = one->name;
    }
    write_next(&call->out, i < log->all.count ? last : STR_NONE);
    return OK;
}

enum err experiments_list(struct call *call)
{
    struct log log;
    enum err   err = log_read(call, &log);
    if (err == OK)
        err = list_write(call, &log);
    log_done(&log);
    return err;
}

/* ---- one, with its numbers ---- */

static const struct json *variants_of(const struct json *answer, const struct place *place)
{
    const struct json *nodes = json_get(answer, STR("nodes"));
    if (place->broadcast.len > 0)
        return json_get(answer, STR("variants"));
    for (uint32_t i = 0; nodes != NULL && i < nodes->count; i++)
        if (str_eq(json_get_str(&nodes->items[i], STR("id")), place->node))
            return json_get(&nodes->items[i], STR("variants"));
    return NULL;
}

/* What the place's own numbers say of its variants; nothing where there are none (a draft). */
static enum err outcome_one(struct call *call, const struct place *place, struct buf *out,
                            bool *is_any)
{
    bool     first = true;
    enum err err = place->broadcast.len > 0 ? broadcast_numbers_of(call, place->broadcast)
                                            : journey_numbers_of(call, place->journey);
    if (err == ERR_ABSENT)
        return OK;
    TRY(err);
    struct str  said = str_copy(call->arena, buf_view(&call->out));
    struct json answer;
    buf_reset(&call->out);
    TRY(json_parse_once(call->arena, said, &answer, &call->problem));
    const struct json *variants = variants_of(&answer, place);
    if (variants == NULL)
        return OK;
    buf_str(out, *is_any ? STR(",{") : STR("{"));
    *is_any = true;
    place_write(out, place, &first);
    write_text(out, &first, "at", json_get_str(&answer, STR("at")));
    json_write_key(out, &first, "variants");
    json_write(out, variants);
    buf_char(out, '}');
    return OK;
}

static enum err outcome_make(struct call *call, const struct experiment *one, struct str *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(CALL_ANSWER_BYTES_MAX);
    bool                         is_any = false;
    buf_char(&text, '[');
    for (uint32_t i = 0; i < one->places_count; i++)
        TRY(outcome_one(call, &one->places[i], &text, &is_any));
    buf_char(&text, ']');
    TRY(buf_err(&text));
    *out = str_copy(call->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err find(struct call *call, struct log *log, const struct experiment **out)
{
    struct str name = call_param(call, "name");
    TRY(log_read(call, log));
    for (uint32_t i = 0; i < log->all.count; i++)
        if (str_eq(log->all.items[i].name, name)) {
            *out = &log->all.items[i];
            return OK;
        }
    return problem_format(&call->problem, ERR_ABSENT, "name",
                          "Look at the list: `dult experiment`. One without a name of its own is "
                          "called JOURNEY/NODE, or as its broadcast.",
                          "There is no experiment \"%.*s\".", STR_ARG(str_slice(name, 0, 128)));
}

static enum err show(struct call *call, struct log *log)
{
    const struct experiment *one;
    const struct json       *kept;
    struct str               outcome;
    bool                     first = true;
    TRY(find(call, log, &one));
    TRY(outcome_make(call, one, &outcome));
    buf_char(&call->out, '{');
    head_write(&call->out, one, &first);
    write_raw(&call->out, &first, "now", outcome);
    kept = json_get(&one->lesson, STR("outcome"));
    if (kept != NULL) {
        json_write_key(&call->out, &first, "kept");
        json_write(&call->out, kept);
    }
    buf_char(&call->out, '}');
    return OK;
}

enum err experiment_show(struct call *call)
{
    struct log log = { .call = call };
    enum err   err = show(call, &log);
    log_done(&log);
    return err;
}

/* ---- what was learnt ---- */

static enum err lesson_text(struct call *call, const struct experiment *one, struct str lesson,
                            struct str *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(CALL_ANSWER_BYTES_MAX);
    struct str                   outcome;
    bool                         first = true;
    const struct json           *kept = json_get(&one->lesson, STR("outcome"));
    TRY(outcome_make(call, one, &outcome));
    buf_char(&text, '{');
    write_text(&text, &first, "lesson", lesson);
    if (one->hypothesis.len > 0)
        write_text(&text, &first, "hypothesis", one->hypothesis);
    json_write_key(&text, &first, "outcome");
    if (outcome.len == 2 && kept != NULL)
        json_write(&text, kept); /* what is gone keeps what it had */
    else
        buf_str(&text, outcome);
    buf_char(&text, '}');
    TRY(buf_err(&text));
    *out = str_copy(call->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err learn(struct call *call, struct log *log)
{
    const struct experiment *one;
    struct json              body;
    struct str               text = STR_NONE;
    uint64_t                 version;
    bool                     is_changed, first = true;
    TRY(call_body(call, &body));
    struct str         lesson = str_trim(json_get_str(&body, STR("lesson")));
    const struct json *given = json_get(&body, STR("lesson"));
    if (given == NULL || given->kind != JSON_STRING || lesson.len > LESSON_BYTES_MAX)
        return problem_set(&call->problem, ERR_INPUT, "lesson", "What was learnt?",
                           "Send {\"lesson\": TEXT} of at most 4,000 bytes; an empty one takes it "
                           "away.");
    TRY(find(call, log, &one));
    if (lesson.len > 0)
        TRY(lesson_text(call, one, lesson, &text));
    TRY(definition_change(call, DEFINE_LESSON, one->name, text, &version, &is_changed));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "name", one->name);
    write_text(&call->out, &first, "lesson", lesson);
    if (one->hypothesis.len > 0)
        write_text(&call->out, &first, "hypothesis", one->hypothesis);
    buf_char(&call->out, '}');
    return OK;
}

enum err experiment_learn(struct call *call)
{
    struct log log = { .call = call };
    enum err   err = learn(call, &log);
    log_done(&log);
    return err;
}
