#include "run/api/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/report/population.h"
#include "run/api/counting.h"

enum { CURSOR_BYTES = 40 };

_Static_assert(CREW_PART_PROFILES % REPORT_ALIGN == 0, "no two parts write to one word");

/* ---- opening ---- */

/* A cursor has the next profile and the instant of the first page, so that all pages agree. */
static enum err cursor_read(struct ask *ask, const struct json *body, bool *is_given)
{
    struct str text = json_get_str(body, STR("cursor"));
    int64_t    profile = 0;
    if (text.len == 0)
        text = call_query(ask->call, "cursor");
    *is_given = text.len > 0;
    if (text.len == 0)
        return OK;
    size_t dot = str_find_char(text, 0, '.');
    if (str_to_int(str_slice(text, 0, dot), &profile) != OK || profile < 0 ||
        profile > UINT32_MAX ||
        str_to_int(str_slice(text, dot + 1, text.len), &ask->report.at_ms) != OK ||
        ask->report.at_ms < TIME_MIN_MS || ask->report.at_ms > TIME_MAX_MS)
        return problem_set(&ask->call->problem, ERR_INPUT, "cursor", "This is no cursor of ours.",
                           "Take it as it stands in `next`.");
    ask->from = (uint32_t)profile;
    return OK;
}

static enum err at_read(struct ask *ask, const struct json *body)
{
    struct str text = json_get_str(body, STR("at"));
    bool       is_given;
    TRY(cursor_read(ask, body, &is_given));
    if (is_given)
        return OK;
    int64_t now_ms = time_now_ms();
    if (now_ms < ask->view->now_ms)
        now_ms = ask->view->now_ms; /* our clock went back; what is known did not */
    if (text.len == 0)
        return call_time(ask->call, "at", now_ms, &ask->report.at_ms);
    if (time_parse(text, &ask->report.at_ms) == OK)
        return OK;
    return problem_format(&ask->call->problem, ERR_INPUT, "at",
                          "Write it as 2026-01-31 or 2026-01-31T12:00:00Z.", "\"%.*s\" is no date.",
                          STR_ARG(text));
}

static enum err threads_read(struct ask *ask, const struct json *body)
{
    struct str text = call_query(ask->call, "threads");
    int64_t    threads = 0;
    bool       is_bad = text.len > 0 && str_to_int(text, &threads) != OK;
    if (text.len == 0)
        (void)json_get_int(body, STR("threads"), &threads);
    if (is_bad || threads < 0 || threads > CREW_THREADS_MAX)
        return problem_set(&ask->call->problem, ERR_INPUT, "threads",
                           "This is no number of threads.",
                           "Give 1 or 2, or leave it out for all there are.");
    ask->hands = (uint32_t)threads;
    return OK;
}

enum err ask_open(struct ask *ask, struct call *call, const struct json *body)
{
    *ask = (struct ask){ .call = call, .body = body };
    enum err err = reading_view(core_reading(call->api->conf.core), &ask->view);
    if (err == ERR_WAIT)
        return problem_set(&call->problem, err, "", "Nothing is known yet.",
                           "Ask again in a second.");
    TRY(err);
    ask->report.view = ask->view;
    ask->running.what =
        call->request == NULL ? STR("/api/v1/rehearsals") : http_path(call->request);
    ask->running.request = call->request;
    atomic_store(&ask->running.all, ask->view->profiles);
    running_begin(&call->api->running, &ask->running);
    TRY(at_read(ask, body));
    return threads_read(ask, body);
}

void ask_close(struct ask *ask)
{
    if (ask->view == NULL)
        return;
    running_end(&ask->call->api->running, &ask->running);
    view_drop(ask->view);
    ask->view = NULL;
}

/* ---- conditions ---- */

enum err ask_condition(struct ask *ask, struct ask_condition condition, uint32_t *number)
{
    if (ask->conditions_count == ASK_CONDITIONS_MAX)
        return problem_format(&ask->call->problem, ERR_LIMIT, condition.where,
                              "Ask for fewer at a time.", "One question has at most %d conditions.",
                              ASK_CONDITIONS_MAX);
    *number = ask->conditions_count;
    ask->conditions[ask->conditions_count++] = condition;
    return OK;
}

enum err ask_key(struct ask *ask, enum name_kind kind, struct str text, uint32_t *number)
{
    if (ask->keys_count == ASK_KEYS_MAX)
        return ERR_LIMIT;
    *number = ask->keys_count;
    ask->keys[ask->keys_count++] = (struct ask_key){ kind, text, DICT_NONE };
    return OK;
}

void ask_anew(struct ask *ask)
{
    ask->conditions_count = ask->keys_count = ask->audience = 0;
}

static const struct segment_node *both(struct arena *arena, const struct segment_node *a,
                                       const struct segment_node *b)
{
    struct segment_node        *node = ARENA_NEW(arena, struct segment_node);
    const struct segment_node **parts = ARENA_ARRAY(arena, 2, const struct segment_node *);
    if (node == NULL || parts == NULL)
        return NULL;
    parts[0] = a;
    parts[1] = b;
    *node = (struct segment_node){ .kind = SEGMENT_AND, .parts = parts, .parts_count = 2 };
    return node;
}

enum err ask_audience_read(struct ask *ask, const struct json *body)
{
    struct ask_condition condition = { .where = "condition" };
    struct arena        *arena = ask->call->arena;
    const struct json   *given = json_get(body, STR("condition"));
    struct str           name = json_get_str(body, STR("segment"));
    uint32_t             number = 0;
    if (given != NULL)
        TRY(condition_read(ask->call, STR_NONE, given, &condition.tree));
    if (name.len > 0 && given == NULL) {
        condition.where = "segment";
        condition.name = name;
    } else if (name.len > 0) {
        struct segment_node *in = ARENA_NEW(arena, struct segment_node);
        if (in == NULL)
            return ERR_MEMORY;
        *in = (struct segment_node){ .kind = SEGMENT_IN_SEGMENT, .name = name };
        condition.tree = both(arena, in, condition.tree);
        if (condition.tree == NULL)
            return ERR_MEMORY;
    }
    if (given == NULL && name.len == 0)
        return OK;
    TRY(ask_condition(ask, condition, &number));
    ask->audience = number + 1;
    return OK;
}

/* ---- compiling, on the engine's thread ---- */

struct compiling {
    struct ask *ask;
    enum err    err;
};

/* A defined segment's tree may be replaced at any time: ours is read from its text. */
static enum err tree_copy(struct ask *ask, struct program *program, struct ask_condition *condition)
{
    SCOPED(buf_donep) struct buf text = buf_make(CALL_ANSWER_BYTES_MAX);
    uint32_t                     number = program_segment(program, condition->name);
    if (number == SEGMENT_NO_ID || program->segments.items[number].arena == NULL) {
        if (condition->is_absence)
            return OK;
        return problem_format(&ask->call->problem, ERR_ABSENT, condition->where,
                              "Look at the list of segments.", "There is no segment \"%.*s\".",
                              STR_ARG(condition->name));
    }
    segment_write(&text, program->segments.items[number].tree);
    TRY(buf_err(&text));
    return segment_parse(ask->call->arena, buf_view(&text), &condition->tree, &ask->call->problem);
}

static enum err compile(struct ask *ask, struct engine *engine)
{
    struct program      *program = engine_program(engine);
    struct segment_names names = program_names_in_place(program);
    for (uint32_t i = 0; i < ask->conditions_count; i++) {
        struct ask_condition *condition = &ask->conditions[i];
        if (condition->tree == NULL)
            TRY(tree_copy(ask, program, condition));
        if (condition->tree == NULL)
            continue;
        TRY(segment_compile(ask->call->arena, condition->tree, &names, &condition->program,
                            &ask->call->problem));
        TRY(unseen_add(&ask->unseen, program, ask->call->arena, condition->tree));
        if (condition->is_event)
            TRY(report_event_check(&condition->program, condition->where, &ask->call->problem));
    }
    ask->zone = ask->report.zone = program->zone;
    ask->report.zones = program->zones;
    for (uint32_t i = 0; i < ask->keys_count; i++)
        ask->keys[i].number = dict_find(program->names[ask->keys[i].kind], ask->keys[i].text);
    return OK;
}

static bool compile_ask(struct engine *engine, struct task *task)
{
    struct compiling *compiling = task->context;
    compiling->err = compile(compiling->ask, engine);
    return true;
}

enum err ask_compile(struct ask *ask)
{
    struct compiling compiling = { ask, OK };
    if (ask->conditions_count == 0 && ask->keys_count == 0)
        return OK;
    TRY(call_ask(ask->call, compile_ask, &compiling));
    return compiling.err;
}

/* ---- sharing the work ---- */

struct sharing {
    struct ask *ask;
    ask_part   *part;
    void       *context;
    uint64_t   *everyone; /* NULL: they are not counted */
};

static void sharing_part(void *context, uint32_t hand, uint32_t from, uint32_t to)
{
    struct sharing     *sharing = context;
    struct report_range range = { from, to };
    int                 none = OK;
    if (sharing->everyone != NULL)
        population_known(&sharing->ask->report, range, sharing->everyone);
    enum err err = sharing->part(sharing->context, hand, range);
    if (err != OK)
        atomic_compare_exchange_strong(&sharing->ask->part_err, &none, (int)err);
    atomic_fetch_add(&sharing->ask->running.done, to - from);
}

static bool sharing_is_over(void *context)
{
    struct sharing *sharing = context;
    return atomic_load(&sharing->ask->part_err) != OK || running_is_over(&sharing->ask->running);
}

uint32_t ask_hands(const struct ask *ask)
{
    uint32_t all = crew_threads(ask->call->api->crew);
    return ask->hands == 0 || ask->hands > all ? all : ask->hands;
}

static enum err stopped(const struct ask *ask)
{
    return problem_set(&ask->call->problem, ERR_WAIT, "", "This report was stopped before its end.",
                       "Ask again; keep the connection open until it answers.");
}

enum err ask_go_on(const struct ask *ask)
{
    return running_is_over(&ask->running) ? stopped(ask) : OK;
}

enum err ask_share(struct ask *ask, ask_part *part, void *context)
{
    struct sharing   sharing = { ask, part, context, ask->everyone };
    struct crew_work work = { .context = &sharing,
                              .profiles = ask->view->profiles,
                              .hands = ask->hands,
                              .part = sharing_part,
                              .is_over = sharing_is_over };
    atomic_store(&ask->running.done, 0);
    bool     is_whole = crew_share(ask->call->api->crew, &work);
    enum err err = (enum err)atomic_load(&ask->part_err);
    if (err != OK)
        return err;
    if (sharing.everyone != NULL)
        ask->people = ask_count(ask, sharing.everyone);
    ask->everyone = NULL;
    return is_whole ? OK : stopped(ask);
}

/* ---- sets of people ---- */

uint64_t *ask_bits(struct ask *ask)
{
    return ARENA_ARRAY(ask->call->arena, report_words(&ask->report) + 1, uint64_t);
}

struct matching {
    struct ask                   *ask;
    const struct segment_program *program;
    uint64_t                     *bits;
};

static enum err match_part(void *context, uint32_t hand, struct report_range range)
{
    struct matching *matching = context;
    (void)hand;
    return population_match(&matching->ask->report, matching->program, range, matching->bits);
}

enum err ask_match(struct ask *ask, const struct segment_program *program, uint64_t *bits)
{
    struct matching matching = { ask, program, bits };
    return ask_share(ask, match_part, &matching);
}

uint64_t ask_count(const struct ask *ask, const uint64_t *bits)
{
    return report_bits_count(bits, (struct report_range){ 0, ask->view->profiles });
}

enum err ask_everyone(struct ask *ask)
{
    ask->everyone = ask_bits(ask);
    return ask->everyone == NULL ? ERR_MEMORY : OK;
}

enum err ask_audience(struct ask *ask)
{
    if (ask->audience == 0)
        return ask_everyone(ask);
    uint64_t *among = ask_bits(ask);
    if (among == NULL)
        return ERR_MEMORY;
    TRY(ask_match(ask, &ask->conditions[ask->audience - 1].program, among));
    ask->people = ask_count(ask, among);
    ask->report.among = among;
    return OK;
}

/* ---- writing ---- */

void ask_write_point(const struct ask *ask, struct buf *out, bool *first)
{
    write_int(out, first, "seq", ask->view->seq);
    write_time(out, first, "at", ask->report.at_ms);
    unseen_write(&ask->unseen, out, first);
}

enum err ask_write_condition(struct ask *ask, uint32_t number, const char *key, bool *first)
{
    SCOPED(buf_donep) struct buf text = buf_make(CALL_ANSWER_BYTES_MAX);
    segment_write(&text, ask->conditions[number].tree);
    TRY(buf_err(&text));
    write_text(&ask->call->out, first, key, buf_view(&text));
    return OK;
}

/* ---- who they are ---- */

struct naming {
    struct call *call;
    uint32_t     people[ASK_NAMES];
    uint32_t     count;
    bool         is_first;
};

static void person_write(const struct engine *engine, uint32_t person, struct buf *out)
{
    const struct people *people = engine_people(engine);
    bool                 first = true;
    uint32_t             member = person, at;
    enum identity_kind   kind;
    struct str           text;
    buf_char(out, '{');
    write_person(out, &first, "id", person);
    do {
        at = PROFILE_NONE;
        while (people_identity(people, member, &at, &kind, &text))
            if (kind == IDENTITY_USER) {
                write_text(out, &first, "userId", text);
                buf_char(out, '}');
                return;
            }
        member = people_get(people, member)->next;
    } while (member != person);
    buf_char(out, '}');
}

static bool naming_ask(struct engine *engine, struct task *task)
{
    struct naming *naming = task->context;
    for (uint32_t i = 0; i < naming->count; i++) {
        if (!naming->is_first)
            buf_char(&naming->call->out, ',');
        naming->is_first = false;
        person_write(engine, naming->people[i], &naming->call->out);
    }
    naming->count = 0;
    return true;
}

enum err ask_write_people(struct ask *ask, const uint64_t *bits, uint32_t from, uint32_t most,
                          uint32_t *next)
{
    struct naming naming = { .call = ask->call, .is_first = true };
    uint32_t      profile = from, written = 0;
    for (; profile < ask->view->profiles && written < most; profile++) {
        if (profile % 64 == 0 && bits[profile / 64] == 0) {
            profile += 63;
            continue;
        }
        if (!report_bit(bits, profile))
            continue;
        naming.people[naming.count++] = profile;
        written++;
        if (naming.count == ASK_NAMES)
            TRY(call_ask(ask->call, naming_ask, &naming));
    }
    if (naming.count > 0)
        TRY(call_ask(ask->call, naming_ask, &naming));
    while (profile < ask->view->profiles && !report_bit(bits, profile))
        profile++;
    *next = profile < ask->view->profiles ? profile : UINT32_MAX;
    return OK;
}

/* ---- pages ---- */

static enum err limit_read(struct ask *ask, const struct json *body, uint32_t *limit)
{
    int64_t value;
    if (!json_get_int(body, STR("limit"), &value))
        return call_limit(ask->call, limit);
    if (value < 1 || value > API_LIMIT_MAX)
        return problem_set(&ask->call->problem, ERR_INPUT, "limit",
                           "This is no number from 1 to 1000.",
                           "Ask for at most 1000 and go on with `cursor`.");
    *limit = (uint32_t)value;
    return OK;
}

enum err ask_write_page(struct ask *ask, const uint64_t *bits, const struct json *body)
{
    struct buf *out = &ask->call->out;
    char        cursor[CURSOR_BYTES] = "";
    uint32_t    limit = 0, next = UINT32_MAX;
    TRY(limit_read(ask, body, &limit));
    buf_str(out, STR("\"items\":["));
    TRY(ask_write_people(ask, bits, ask->from, limit, &next));
    if (next != UINT32_MAX)
        snprintf(cursor, sizeof cursor, "%u.%lld", next, (long long)ask->report.at_ms);
    write_next(out, str_of(cursor));
    return OK;
}
