/*
 * Files that mails hand out: put, listed, deleted. The bytes go to the shelf first and the
 * definition after them, so that a definition never names what is not there.
 */
#include "run/api/file_reply.h"
#include "run/api/file_shelf.h"
#include "run/send/question.h"

enum { DEF_BYTES_MAX = 4096, FILES_KEPT_MAX = PAPERS_MAX * PAPER_VERSIONS_MAX };

/* ---- what is there ---- */

struct one {
    struct call *call;
    struct str   name, text; /* text: of the definition; empty: there is none */
    uint32_t     version;    /* wanted, 0: the newest; then which it is */
};

static bool one_ask(struct engine *engine, struct task *task)
{
    struct one         *one = task->context;
    const struct paper *paper =
        papers_find(&engine_program(engine)->papers, DEFINE_FILE, one->name, one->version);
    if (paper == NULL)
        return true;
    one->text = str_copy(one->call->arena, paper->text);
    one->version = paper->version;
    return true;
}

static enum err shelf_wanted(struct call *call)
{
    return call->api->files != NULL
               ? OK
               : problem_set(&call->problem, ERR_ABSENT, "files", "No files are kept here.",
                             "Run Dult on a data folder.");
}

static void def_write(struct buf *out, const struct file_def *def)
{
    SCOPED(buf_donep) struct buf text = buf_make(DEF_BYTES_MAX);
    file_def_write(def, &text);
    buf_str(out, str_slice(buf_view(&text), 1, text.len - 1)); /* within its braces */
}

struct listing {
    struct call  *call;
    struct paper *items;
    uint32_t      count;
    bool          is_newest; /* of each name the newest alone */
    bool          failed;
};

static bool list_ask(struct engine *engine, struct task *task)
{
    struct listing      *listing = task->context;
    const struct papers *papers = &engine_program(engine)->papers;
    for (uint32_t i = 0; i < papers->count; i++) {
        const struct paper *paper = &papers->items[i];
        if (paper->kind != DEFINE_FILE || listing->count == FILES_KEPT_MAX ||
            (listing->is_newest &&
             papers_find(papers, DEFINE_FILE, paper->name, 0)->version != paper->version))
            continue;
        struct paper *item = &listing->items[listing->count++];
        *item = (struct paper){ .version = paper->version,
                                .name = str_copy(listing->call->arena, paper->name),
                                .text = str_copy(listing->call->arena, paper->text) };
        listing->failed = listing->failed || item->name.ptr == NULL || item->text.ptr == NULL;
    }
    return true;
}

static enum err list_read(struct call *call, bool is_newest, struct listing *out)
{
    *out = (struct listing){ .call = call,
                             .items = ARENA_ARRAY(call->arena, FILES_KEPT_MAX, struct paper),
                             .is_newest = is_newest };
    if (out->items == NULL)
        return ERR_MEMORY;
    TRY(call_ask(call, list_ask, out));
    return out->failed ? ERR_MEMORY : OK;
}

enum err files_list(struct call *call)
{
    struct listing listing;
    uint32_t       written = 0;
    TRY(list_read(call, true, &listing));
    buf_str(&call->out, STR("{\"items\":["));
    for (uint32_t i = 0; i < listing.count; i++) {
        struct file_def def;
        bool            first = true;
        if (file_def_parse(call->arena, listing.items[i].text, &def, NULL) != OK)
            continue;
        buf_str(&call->out, written++ == 0 ? STR("{") : STR(",{"));
        write_text(&call->out, &first, "name", listing.items[i].name);
        write_int(&call->out, &first, "version", listing.items[i].version);
        buf_char(&call->out, ',');
        def_write(&call->out, &def);
        buf_char(&call->out, '}');
    }
    write_next(&call->out, STR_NONE);
    return OK;
}

enum err file_content(struct call *call)
{
    struct one      one = { .call = call, .name = call_param(call, "name") };
    struct str      version = call_query(call, "version");
    int64_t         number = 0;
    struct file_def def;
    TRY(shelf_wanted(call));
    if (version.len > 0 &&
        (str_to_int(version, &number) != OK || number < 1 || number > UINT32_MAX))
        return problem_set(&call->problem, ERR_INPUT, "version", "This is no version.",
                           "Take one that was told when the file was put.");
    one.version = (uint32_t)number;
    TRY(call_ask(call, one_ask, &one));
    if (one.text.len == 0)
        return problem_set(&call->problem, ERR_ABSENT, "name", "There is no such file.",
                           "Look at GET /api/v1/files.");
    TRY(file_def_parse(call->arena, one.text, &def, &call->problem));
    return file_reply(call, &def);
}

/* ---- sweeping ---- */

static bool is_wanted(void *context, struct str sha)
{
    const struct listing *listing = context;
    for (uint32_t i = 0; i < listing->count; i++)
        if (str_find(listing->items[i].text, 0, sha) < listing->items[i].text.len)
            return true;
    return false;
}

/* What no version names any more goes; what cannot be told now goes the next time. */
static void sweep(struct call *call)
{
    struct listing listing;
    if (list_read(call, false, &listing) == OK)
        file_shelf_sweep(call->api->files, is_wanted, &listing);
}

/* ---- putting ---- */

/* A number of the query; else what it was, or what it is unless said. */
static enum err number_read(struct call *call, const char *key, int64_t least, int64_t most,
                            uint32_t *value)
{
    struct str text = call_query(call, key);
    int64_t    number = *value;
    if (text.len > 0 && str_to_int(text, &number) != OK)
        number = -1;
    TRY(file_number_check(key, number, least, most, &call->problem));
    *value = (uint32_t)number;
    return OK;
}

/* What programs send that were not told a type: it says nothing of the file. */
static bool is_unsaid(struct str type)
{
    struct str head = str_trim(str_slice(type, 0, str_find_char(type, 0, ';')));
    return head.len == 0 || str_eq_nocase(head, STR("application/json")) ||
           str_eq_nocase(head, STR("application/x-www-form-urlencoded")) ||
           str_eq_nocase(head, STR("application/octet-stream"));
}

/* What is not said stays as it is. */
static enum err def_read(struct call *call, struct file_def *def, bool is_there)
{
    struct str filename = call_query(call, "filename");
    struct str type = call_query(call, "type");
    struct str header = http_header(call->request, STR("Content-Type"));
    bool       has_body = http_body(call->request).len > 0;
    if (type.len == 0 && has_body && !is_unsaid(header))
        type = str_copy(call->arena, header);
    if (filename.len > 0)
        def->filename = filename;
    else if (!is_there)
        def->filename = call_param(call, "name");
    if (type.len > 0)
        def->type = type;
    else if (!is_there || filename.len > 0)
        def->type = file_type_of(def->filename);
    TRY(file_name_check(def->filename, &call->problem));
    TRY(file_type_check(def->type, &call->problem));
    TRY(number_read(call, "days", 1, FILE_DAYS_MAX, &def->days));
    return number_read(call, "downloads", 0, FILE_DOWNLOADS_MAX, &def->downloads);
}

static enum err put_locked(struct call *call, struct str name, struct file_def *def,
                           uint64_t *version, bool *is_changed)
{
    char      *sha = arena_alloc(call->arena, FILE_SHA_BYTES + 1);
    struct str body = http_body(call->request);
    struct buf text = buf_make(DEF_BYTES_MAX);
    enum err   err = sha == NULL ? ERR_MEMORY : OK;
    if (err == OK && body.len > 0) {
        err = file_shelf_put(call->api->files, body, sha, &call->problem);
        def->sha256 = str_of(sha);
        def->bytes = (int64_t)body.len;
    }
    file_def_write(def, &text);
    if (err == OK)
        err = buf_err(&text);
    if (err == OK)
        err = definition_change(call, DEFINE_FILE, name, buf_view(&text), version, is_changed);
    if (err == OK && *is_changed)
        sweep(call);
    buf_done(&text);
    return err;
}

/* What is changed and what it is made of are one: under the lock nobody changes it in between. */
static enum err put_run(struct call *call, struct str name, struct file_def *def, uint64_t *version,
                        bool *is_changed)
{
    struct one one = { .call = call, .name = name };
    TRY(call_ask(call, one_ask, &one));
    bool is_there =
        one.text.len > 0 && file_def_parse(call->arena, one.text, def, &call->problem) == OK;
    if (!is_there && http_body(call->request).len == 0)
        return problem_set(&call->problem, ERR_INPUT, "body", "The file is empty.",
                           "Send its bytes.");
    TRY(def_read(call, def, is_there));
    return call_flag(call, "dry") ? OK : put_locked(call, name, def, version, is_changed);
}

enum err file_put(struct call *call)
{
    struct str      name = call_param(call, "name");
    struct file_def def = { .days = FILE_DAYS };
    uint64_t        version = 0;
    bool            is_changed = false, first = true;
    TRY(shelf_wanted(call));
    TRY(question_name_check(name, &call->problem));
    file_shelf_lock(call->api->files);
    enum err err = put_run(call, name, &def, &version, &is_changed);
    file_shelf_unlock(call->api->files);
    TRY(err);
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "kind", STR("file"));
    write_text(&call->out, &first, "name", name);
    if (version > 0)
        write_int(&call->out, &first, "version", (int64_t)version);
    json_write_key(&call->out, &first, "changed");
    buf_str(&call->out, is_changed ? STR("true") : STR("false"));
    buf_char(&call->out, ',');
    def_write(&call->out, &def);
    buf_char(&call->out, '}');
    return OK;
}

enum err file_delete(struct call *call)
{
    TRY(shelf_wanted(call));
    file_shelf_lock(call->api->files);
    enum err err = definition_delete(call);
    if (err == OK)
        sweep(call);
    file_shelf_unlock(call->api->files);
    return err;
}
