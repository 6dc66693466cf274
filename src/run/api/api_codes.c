#include "run/api/api_codes.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "base/time.h"

enum { NAME_BYTES_SHOWN = 129 };

/* ---- the numbers of a pool ---- */

struct state_question {
    struct str         name;
    bool               is_there;
    struct codes_state state;
    struct codes_def   def;
};

static bool state_ask(struct engine *engine, struct task *task)
{
    struct state_question *question = task->context;
    uint32_t               pool = program_codes(engine_program(engine), question->name);
    question->is_there = engine_codes_state(engine, pool, &question->state);
    if (question->is_there)
        question->def = *question->state.def;
    return true;
}

static enum err state_of(struct call *call, struct str name, struct state_question *out)
{
    *out = (struct state_question){ .name = name };
    TRY(call_ask(call, state_ask, out));
    return out->is_there
               ? OK
               : problem_format(&call->problem, ERR_ABSENT, "name",
                                "Look at the list, or put some there with `dult apply`.",
                                "There are no codes \"%.*s\".", STR_ARG(str_slice(name, 0, 60)));
}

static uint64_t key_from(const struct state_question *question)
{
    return store_code_key(question->state.pool, 0);
}

static uint64_t key_to(const struct state_question *question)
{
    return store_code_key(question->state.pool, UINT32_MAX);
}

static void flag_write(struct buf *out, bool *first, const char *key, bool value)
{
    json_write_key(out, first, key);
    buf_str(out, value ? STR("true") : STR("false"));
}

enum err codes_numbers_write(struct call *call, struct str name, struct buf *out, bool *first)
{
    struct state_question    question;
    struct store_codes_count count;
    TRY(state_of(call, name, &question));
    TRY(store_codes_count(call->desk->reader, key_from(&question), key_to(&question), time_now_ms(),
                          &count));
    const struct codes_state *state = &question.state;
    bool                      is_counted = question.def.kind != CODES_FIXED;
    write_text(out, first, "codes", str_of(codes_kind_word(question.def.kind)));
    if (is_counted) {
        write_int(out, first, "had", state->had);
        write_int(out, first, "left", state->left);
    }
    write_int(out, first, "given", (int64_t)count.given);
    write_int(out, first, "redeemed", (int64_t)count.redeemed);
    write_int(out, first, "expired", (int64_t)count.expired);
    write_int(out, first, "orders", (int64_t)count.orders);
    write_int(out, first, "waiting", state->waiting);
    if (question.def.low > 0)
        write_int(out, first, "low", question.def.low);
    flag_write(out, first, "is_low", question.def.low > 0 && state->left < question.def.low);
    flag_write(out, first, "is_empty", question.def.kind == CODES_POOL && state->left == 0);
    return OK;
}

/* ---- all pools at once, without what the store would have to count ---- */

struct pool_line {
    char            name[CODES_NAME_BYTES_MAX + 1];
    enum codes_kind kind;
    uint32_t        left, low, waiting;
};

struct pools_question {
    struct pool_line lines[CODES_POOLS_MAX];
    uint32_t         count;
};

static bool pools_ask(struct engine *engine, struct task *task)
{
    struct pools_question *question = task->context;
    struct codes_state     state;
    for (uint32_t i = 0; i < engine_codes_count(engine) && question->count < CODES_POOLS_MAX; i++) {
        if (!engine_codes_state(engine, i, &state))
            continue;
        struct pool_line *line = &question->lines[question->count++];
        *line = (struct pool_line){ .kind = state.def->kind,
                                    .left = state.left,
                                    .low = state.def->low,
                                    .waiting = state.waiting };
        str_to_cstr(state.name, line->name, sizeof line->name);
    }
    return true;
}

enum err codes_metrics_write(struct call *call, struct buf *out)
{
    struct pools_question *question = ARENA_NEW(call->arena, struct pools_question);
    if (question == NULL)
        return ERR_MEMORY;
    TRY(call_ask(call, pools_ask, question));
    if (question->count > 0)
        buf_str(out, STR("# HELP dult_codes_left Discount codes left in a pool.\n"
                         "# TYPE dult_codes_left gauge\n"));
    for (uint32_t i = 0; i < question->count; i++)
        if (question->lines[i].kind != CODES_FIXED)
            buf_format(out, "dult_codes_left{pool=\"%s\"} %u\n", question->lines[i].name,
                       question->lines[i].left);
    if (question->count > 0)
        buf_str(out, STR("# HELP dult_codes_waiting Messages that wait for codes of a pool.\n"
                         "# TYPE dult_codes_waiting gauge\n"));
    for (uint32_t i = 0; i < question->count; i++)
        buf_format(out, "dult_codes_waiting{pool=\"%s\"} %u\n", question->lines[i].name,
                   question->lines[i].waiting);
    return OK;
}

enum err codes_alerts_write(struct call *call, struct buf *out)
{
    struct pools_question *question = ARENA_NEW(call->arena, struct pools_question);
    bool                   any = false;
    if (question == NULL)
        return ERR_MEMORY;
    TRY(call_ask(call, pools_ask, question));
    buf_char(out, '[');
    for (uint32_t i = 0; i < question->count; i++) {
        const struct pool_line *line = &question->lines[i];
        bool                    first = true;
        if (line->waiting == 0 && line->left >= line->low)
            continue;
        buf_str(out, any ? STR(",{") : STR("{"));
        any = true;
        write_text(out, &first, "name", str_of(line->name));
        write_int(out, &first, "left", line->left);
        write_int(out, &first, "waiting", line->waiting);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    return OK;
}

/* ---- codes come ---- */

struct upload {
    struct call       *call;
    struct codes_state pool;
    struct store_code *codes; /* that are new */
    uint32_t           count;
    struct map         seen; /* fold -> place in codes */
    uint32_t           already, withdrawn, refused;
    struct buf         lines; /* those refused, as JSON */
};

static enum err refuse(struct upload *upload, uint32_t line, struct str code, const char *why)
{
    bool first = true;
    if (upload->refused++ >= API_CODES_REFUSED_SHOWN)
        return OK;
    buf_str(&upload->lines, upload->refused > 1 ? STR(",{") : STR("{"));
    write_int(&upload->lines, &first, "line", line);
    write_text(&upload->lines, &first, "code",
               str_is_utf8(str_slice(code, 0, 80)) ? str_slice(code, 0, 80) : STR_NONE);
    write_text(&upload->lines, &first, "why", str_of(why));
    buf_char(&upload->lines, '}');
    return buf_err(&upload->lines);
}

static bool is_seen(const void *owner, uint32_t value, const void *wanted)
{
    return str_eq(((const struct upload *)owner)->codes[value].fold, *(const struct str *)wanted);
}

struct there {
    const struct codes_state *pool;
    bool                      is_there, is_withdrawn;
};

static enum err there_each(void *ctx, const struct store_code *row)
{
    struct there *there = ctx;
    if (row->key >> 32 != there->pool->pool)
        return OK;
    there->is_there = true;
    there->is_withdrawn = row->given_ms == 0 && (uint32_t)row->key <= there->pool->given;
    return OK;
}

static enum err take(struct upload *upload, uint32_t line, struct str code)
{
    struct call *call = upload->call;
    struct there there = { .pool = &upload->pool };
    if (code.len == 0)
        return OK;
    if (!codes_is_code(code))
        return refuse(upload, line, code,
                      "A code has 1 to 64 signs, no spaces, quotes, commas or semicolons, "
                      "and none of = + - @ first.");
    if (upload->count == API_CODES_A_REQUEST_MAX)
        return problem_set(&call->problem, ERR_LIMIT, "codes",
                           "A request has at most 50,000 codes.", "Send several.");
    char *bytes = arena_alloc(call->arena, code.len);
    if (bytes == NULL)
        return ERR_MEMORY;
    struct str fold = codes_fold(code, bytes);
    uint64_t   hash = hash_str(fold, 0);
    if (map_find(&upload->seen, hash, is_seen, upload, &fold) == MAP_NONE)
        TRY(store_codes_named(call->desk->reader, fold, there_each, &there));
    else
        there.is_there = true;
    if (there.is_there) {
        upload->already += !there.is_withdrawn;
        upload->withdrawn += there.is_withdrawn;
        return OK;
    }
    upload->codes[upload->count] = (struct store_code){ .text = code, .fold = fold };
    return map_add(&upload->seen, hash, upload->count++);
}

/* The first field of a line; what stands over the column is none. */
static struct str field_of(struct str line, uint32_t number)
{
    static const char *const heads[] = { "code", "codes", "coupon", "coupon code",
                                         "discount code" };
    size_t                   end = 0;
    while (end < line.len && line.ptr[end] != ',' && line.ptr[end] != ';' && line.ptr[end] != '\t')
        end++;
    struct str field = str_trim(str_slice(line, 0, end));
    if (field.len >= 2 && field.ptr[0] == '"' && field.ptr[field.len - 1] == '"')
        field = str_trim(str_slice(field, 1, field.len - 1));
    for (size_t i = 0; number == 1 && i < sizeof heads / sizeof heads[0]; i++)
        if (str_eq_nocase(field, str_of(heads[i])))
            return STR_NONE;
    return field;
}

static enum err lines_take(struct upload *upload, struct str text)
{
    struct str line;
    for (uint32_t number = 1; text.len > 0 && str_split(&text, '\n', &line); number++)
        TRY(take(upload, number, field_of(line, number)));
    return OK;
}

static enum err list_take(struct upload *upload, struct str text)
{
    struct json root;
    TRY(json_parse(upload->call->desk->parser, upload->call->arena, text, &root,
                   &upload->call->problem));
    const struct json *list = json_get(&root, STR("codes"));
    if (list == NULL || list->kind != JSON_ARRAY)
        return problem_set(&upload->call->problem, ERR_INPUT, "codes", "This is no list of codes.",
                           "Send {\"codes\": [\"A1\", \"B2\"]}, or text with a code a line.");
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].kind == JSON_STRING)
            TRY(take(upload, i + 1, str_trim(list->items[i].string)));
        else
            TRY(refuse(upload, i + 1, STR_NONE, "This is no text."));
    return OK;
}

/* As many records as are needed, in one task: all of a request or none. */
static enum err upload_submit(struct upload *upload, struct str name)
{
    struct arena *arena = upload->call->arena;
    uint32_t      count = (upload->count + CODES_A_RECORD_MAX - 1) / CODES_A_RECORD_MAX;
    struct entry *entries = ARENA_ARRAY(arena, count, struct entry);
    if (count == 0)
        return OK;
    if (entries == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = i * CODES_A_RECORD_MAX, left = upload->count - from;
        uint32_t some = left < CODES_A_RECORD_MAX ? left : CODES_A_RECORD_MAX;
        entries[i] = (struct entry){
            .record = { .kind = RECORD_CODES,
                        .name = name,
                        .count = some,
                        .at_ms = time_now_ms(),
                        .received_ms = time_now_ms() },
            .codes = upload->codes + from,
            .body = str_format(arena, "{\"codes\":\"%.*s\",\"added\":%u}", STR_ARG(name), some),
        };
    }
    return call_submit(upload->call, entries, count, NULL);
}

/* Before the first record: the others would stay when a later one finds no room. */
static enum err room_check(const struct upload *upload)
{
    if (upload->count <= CODES_LEFT_MAX - upload->pool.left &&
        upload->count <= UINT32_MAX - upload->pool.had)
        return OK;
    return problem_format(
        &upload->call->problem, ERR_LIMIT, "codes", "Add more when these are given.",
        "A pool has room for 1,000,000 codes, and %u are left in this one.", upload->pool.left);
}

static enum err upload_run(struct upload *upload, struct str name, struct str body)
{
    struct call          *call = upload->call;
    struct state_question question;
    TRY(state_of(call, name, &question)); /* as no other upload changes it */
    upload->pool = question.state;
    if (str_starts(body, STR("\xef\xbb\xbf")))
        body = str_slice(body, 3, body.len);
    upload->codes = ARENA_ARRAY(call->arena, API_CODES_A_REQUEST_MAX, struct store_code);
    if (upload->codes == NULL)
        return ERR_MEMORY;
    TRY(str_starts(str_trim(body), STR("{")) ? list_take(upload, str_trim(body))
                                             : lines_take(upload, body));
    TRY(room_check(upload));
    return upload_submit(upload, name);
}

enum err codes_post(struct call *call)
{
    struct str            name = call_param(call, "name");
    struct state_question question;
    bool                  first = true;
    TRY(state_of(call, name, &question));
    if (question.def.kind != CODES_POOL)
        return problem_format(
            &call->problem, ERR_CONFLICT, "name", "Upload to codes of the kind \"pool\".",
            "These codes are %s: none are uploaded.", codes_kind_word(question.def.kind));
    struct upload upload = { .call = call, .seen = map_make(), .lines = buf_make(1 << 20) };
    pthread_mutex_lock(&call->api->codes_lock);
    enum err err = upload_run(&upload, name, http_body(call->request));
    pthread_mutex_unlock(&call->api->codes_lock);
    if (err == OK) {
        buf_char(&call->out, '{');
        write_int(&call->out, &first, "added", upload.count);
        write_int(&call->out, &first, "already", upload.already);
        write_int(&call->out, &first, "withdrawn", upload.withdrawn);
        write_int(&call->out, &first, "refused", upload.refused);
        json_write_key(&call->out, &first, "lines");
        buf_format(&call->out, "[%.*s]", STR_ARG(buf_view(&upload.lines)));
        err = codes_numbers_write(call, name, &call->out, &first);
        buf_char(&call->out, '}');
    }
    map_done(&upload.seen);
    buf_done(&upload.lines);
    return err;
}

enum err codes_withdraw(struct call *call)
{
    struct str            name = call_param(call, "name");
    struct state_question question;
    bool                  first = true;
    TRY(state_of(call, name, &question));
    struct entry entry = {
        .record = { .kind = RECORD_CODES,
                    .flags = RECORD_LEAVE,
                    .name = name,
                    .at_ms = time_now_ms(),
                    .received_ms = time_now_ms() },
        .body = str_format(call->arena, "{\"codes\":\"%.*s\",\"withdrawn\":true}", STR_ARG(name)),
    };
    TRY(call_submit(call, &entry, 1, NULL));
    buf_char(&call->out, '{');
    write_int(&call->out, &first, "withdrawn", question.state.left);
    TRY(codes_numbers_write(call, name, &call->out, &first));
    buf_char(&call->out, '}');
    return OK;
}

/* ---- listed ---- */

enum row_state { ROW_LEFT, ROW_WITHDRAWN, ROW_GIVEN, ROW_EXPIRED, ROW_REDEEMED, ROW_STATES };

static const char *const ROW_WORDS[ROW_STATES] = { "left", "withdrawn", "given", "expired",
                                                   "redeemed" };

static enum row_state state_of_row(const struct store_code *row, uint32_t given, int64_t now_ms)
{
    return row->redeemed_ms > 0 ? ROW_REDEEMED
           : row->given_ms == 0 ? ((uint32_t)row->key <= given ? ROW_WITHDRAWN : ROW_LEFT)
           : row->expires_ms > 0 && row->expires_ms + 1000 <= now_ms ? ROW_EXPIRED
                                                                     : ROW_GIVEN;
}

struct names {
    char journey[NAME_BYTES_SHOWN], template[NAME_BYTES_SHOWN], pool[NAME_BYTES_SHOWN];
};

struct listing {
    struct call *call;
    uint32_t     limit, count, last, given;
    int          wanted; /* a row_state, or -1 */
    bool         is_csv, has_more;
    int64_t      now_ms;
};

static void row_json(struct buf *out, const struct store_code *row, enum row_state state)
{
    bool first = true;
    buf_char(out, '{');
    write_int(out, &first, "number", (uint32_t)row->key);
    write_text(out, &first, "code", row->text);
    write_text(out, &first, "state", str_of(ROW_WORDS[state]));
    if (row->profile > 0)
        write_person(out, &first, "profile", (uint32_t)(row->profile - 1));
    if (row->message > 0)
        write_int(out, &first, "message", (int64_t)row->message);
    if (row->given_ms > 0)
        write_time(out, &first, "given", row->given_ms);
    if (row->expires_ms > 0)
        write_time(out, &first, "expires_at", row->expires_ms);
    if (row->redeemed_ms > 0)
        write_time(out, &first, "redeemed", row->redeemed_ms);
    if (row->orders > 0)
        write_int(out, &first, "orders", row->orders);
    buf_char(out, '}');
}

/* A code has neither commas nor quotes, and begins with nothing that a table would reckon with. */
static void row_csv(struct buf *out, const struct store_code *row, enum row_state state)
{
    char given[TIME_TEXT_BYTES] = "", expires[TIME_TEXT_BYTES] = "", used[TIME_TEXT_BYTES] = "";
    if (row->given_ms > 0)
        time_write(row->given_ms, given);
    if (row->expires_ms > 0)
        time_write(row->expires_ms, expires);
    if (row->redeemed_ms > 0)
        time_write(row->redeemed_ms, used);
    buf_format(out, "%u,%.*s,%s,%s,%s,%s\n", (uint32_t)row->key, STR_ARG(row->text),
               ROW_WORDS[state], given, expires, used);
}

static enum err listing_each(void *ctx, const struct store_code *row)
{
    struct listing *listing = ctx;
    struct buf     *out = &listing->call->out;
    enum row_state  state = state_of_row(row, listing->given, listing->now_ms);
    if (listing->wanted >= 0 && (int)state != listing->wanted)
        return OK;
    if (listing->count == listing->limit) {
        listing->has_more = true;
        return ERR_LIMIT; /* the page is full */
    }
    if (!listing->is_csv && listing->count > 0)
        buf_char(out, ',');
    if (listing->is_csv)
        row_csv(out, row, state);
    else
        row_json(out, row, state);
    listing->count++;
    listing->last = (uint32_t)row->key;
    return buf_err(out);
}

static enum err wanted_read(struct call *call, int *out)
{
    struct str word = call_query(call, "state");
    *out = -1;
    for (int i = 0; i < ROW_STATES; i++)
        if (str_eq(word, str_of(ROW_WORDS[i])))
            *out = i;
    return word.len == 0 || *out >= 0
               ? OK
               : problem_set(&call->problem, ERR_INPUT, "state", "There is no such state.",
                             "Use left, withdrawn, given, expired or redeemed.");
}

static enum err after_read(struct call *call, uint32_t *out)
{
    struct str text = call_query(call, "cursor");
    int64_t    value = 0;
    if (text.len > 0 && (str_to_int(text, &value) != OK || value < 0 || value > UINT32_MAX))
        return problem_set(&call->problem, ERR_INPUT, "cursor", "This is no cursor of ours.",
                           "Take it as it stands in `next`, or the number of the last line.");
    *out = (uint32_t)value;
    return OK;
}

enum err codes_list(struct call *call)
{
    struct state_question question;
    struct listing        listing = { .call = call, .now_ms = time_now_ms() };
    uint32_t              after = 0;
    char                  cursor[16] = "";
    listing.is_csv = str_eq(call_query(call, "format"), STR("csv"));
    TRY(call_limit(call, &listing.limit));
    TRY(wanted_read(call, &listing.wanted));
    TRY(after_read(call, &after));
    TRY(state_of(call, call_param(call, "name"), &question));
    listing.given = question.def.kind == CODES_FIXED ? 0 : question.state.given;
    if (listing.is_csv)
        call->type = STR("text/csv; charset=utf-8");
    buf_str(&call->out, listing.is_csv ? STR("number,code,state,given,expires_at,redeemed\n")
                                       : STR("{\"items\":["));
    enum err err =
        store_codes_read(call->desk->reader, store_code_key(question.state.pool, after) + 1,
                         key_to(&question), listing_each, &listing);
    TRY(err == ERR_LIMIT && listing.has_more ? OK : err);
    if (listing.has_more)
        snprintf(cursor, sizeof cursor, "%u", listing.last);
    if (!listing.is_csv)
        write_next(&call->out, str_of(cursor));
    return OK;
}

/* ---- one code, wherever it is ---- */

enum { FOUND_MAX = 100 };

struct found {
    struct arena     *arena;
    struct store_code items[FOUND_MAX];
    uint32_t          count;
};

static enum err found_each(void *ctx, const struct store_code *row)
{
    struct found *found = ctx;
    if (found->count == FOUND_MAX)
        return ERR_LIMIT;
    struct store_code *item = &found->items[found->count++];
    *item = *row;
    item->text = str_copy(found->arena, row->text);
    return item->text.ptr == NULL ? ERR_MEMORY : OK;
}

struct names_question {
    struct found *found;
    struct names  names[FOUND_MAX];
    uint32_t      given[FOUND_MAX];
};

static void name_take(const struct program *program, enum name_kind kind, uint32_t number,
                      char out[NAME_BYTES_SHOWN])
{
    str_to_cstr(program_name(program, kind, number), out, NAME_BYTES_SHOWN);
}

static bool names_ask(struct engine *engine, struct task *task)
{
    struct names_question *question = task->context;
    const struct program  *program = engine_program(engine);
    for (uint32_t i = 0; i < question->found->count; i++) {
        const struct store_code *row = &question->found->items[i];
        struct codes_state       state;
        uint32_t                 pool = (uint32_t)(row->key >> 32);
        struct names            *names = &question->names[i];
        name_take(program, NAME_CODES, pool, names->pool);
        if (row->journey > 0)
            name_take(program, NAME_JOURNEY, row->journey - 1, names->journey);
        if (row->template_id > 0)
            name_take(program, NAME_TEMPLATE, row->template_id - 1, names->template);
        question->given[i] = engine_codes_state(engine, pool, &state) ? state.given : 0;
    }
    return true;
}

static enum err order_each(void *ctx, const struct store_code_order *row)
{
    struct buf *out = ctx;
    bool        first = true;
    if (out->len > 0 && out->ptr[out->len - 1] == '}')
        buf_char(out, ',');
    buf_char(out, '{');
    write_text(out, &first, "order_id", row->order_id);
    write_time(out, &first, "at", row->at_ms);
    if (row->profile > 0)
        write_person(out, &first, "profile", (uint32_t)(row->profile - 1));
    buf_char(out, '}');
    return buf_err(out);
}

static enum err found_write(struct call *call, const struct store_code *row,
                            const struct names *names, uint32_t given)
{
    struct buf *out = &call->out;
    bool        first = false;
    row_json(out, row, state_of_row(row, given, time_now_ms()));
    out->len--; /* the brace at the end */
    write_text(out, &first, "pool", str_of(names->pool));
    write_text(out, &first, "journey", str_of(names->journey));
    write_text(out, &first, "template", str_of(names->template));
    json_write_key(out, &first, "by");
    buf_char(out, '[');
    TRY(store_code_orders(call->desk->reader, row->key, STR_NONE, order_each, out));
    buf_str(out, STR("]}"));
    return OK;
}

enum err code_show(struct call *call)
{
    struct str             code = str_trim(call_param(call, "code"));
    char                   bytes[CODE_BYTES_MAX];
    struct found          *found = ARENA_NEW(call->arena, struct found);
    struct names_question *question = ARENA_NEW(call->arena, struct names_question);
    if (found == NULL || question == NULL)
        return ERR_MEMORY;
    found->arena = call->arena;
    question->found = found;
    enum err err =
        !codes_is_code(code)
            ? OK
            : store_codes_named(call->desk->reader, codes_fold(code, bytes), found_each, found);
    TRY(err == ERR_LIMIT ? OK : err);
    if (found->count == 0)
        return problem_format(&call->problem, ERR_ABSENT, "code",
                              "A fixed code is everyone's: look at the person who used it.",
                              "There is no code \"%.*s\" of a pool.",
                              STR_ARG(str_slice(code, 0, CODE_BYTES_MAX)));
    TRY(call_ask(call, names_ask, question));
    buf_str(&call->out, STR("{\"items\":["));
    for (uint32_t i = 0; i < found->count; i++) {
        if (i > 0)
            buf_char(&call->out, ',');
        TRY(found_write(call, &found->items[i], &question->names[i], question->given[i]));
    }
    buf_str(&call->out, STR("]}"));
    return OK;
}
