/*
 * A file that a mail hands out: a page with a button, and behind it the file.
 *
 *      GET /g/   the page; looking is a click and no download
 *      POST /g/  the download: an event of the person, then led on to
 *      GET /d/   the bytes, for some hours: a download that broke off goes on, and counts once
 *
 * Why a page and not the file at once: programs follow every link of a mail and would fetch every
 * file of it, using up what a link allows and starting what waits for a download. A judgement after
 * some seconds, as for clicks, would come when the bytes are sent. A button they do not press.
 */
#include "run/api/visitor.h"

#include "base/time.h"
#include "engine/earlier.h"
#include "run/api/file_reply.h"
#include "run/api/tracking.h"
#include "run/send/linked.h"

enum { OPEN_S = 6 * 3600, TOKEN_BYTES_READ_MAX = 200 };

/* Somebody at the page of a file. */
struct fetching {
    struct call    *call;
    struct visitor  visitor;
    struct page     page;
    struct str      name; /* of the address, with what follows */
    uint32_t        wanted;
    int64_t         end_s;
    struct str      text; /* of the definition */
    uint32_t        version;
    struct file_def def;
    struct earlier  earlier;
    bool            is_nobody;
};

static bool address_read(struct fetching *fetching, struct buf *sealed)
{
    struct call *call = fetching->call;
    int64_t      version;
    fetching->name = call_query(call, "f");
    if (!question_is_name(fetching->name) || str_to_int(call_query(call, "v"), &version) != OK ||
        str_to_int(call_query(call, "e"), &fetching->end_s) != OK || version < 0 ||
        version > UINT32_MAX)
        return false;
    fetching->wanted = (uint32_t)version;
    linked_file_write(sealed, fetching->name, fetching->wanted, fetching->end_s);
    return buf_err(sealed) == OK;
}

static bool file_ask(struct engine *engine, struct task *task)
{
    struct fetching     *fetching = task->context;
    const struct token  *token = &fetching->visitor.trail.token;
    const struct people *people = engine_people(engine);
    const struct paper  *paper =
        papers_find(&engine_program(engine)->papers, DEFINE_FILE, fetching->name, fetching->wanted);
    struct earlier_query query = { token->profile, token->message, EVENT_FILE_DOWNLOADED,
                                   STR("file"), fetching->name };
    fetching->is_nobody =
        token->profile >= people_count(people) || people_is_nobody(people, token->profile);
    if (paper != NULL) {
        fetching->text = str_copy(fetching->call->arena, paper->text);
        fetching->version = paper->version;
    }
    if (engine_earlier(engine, &query, fetching->call->arena, &fetching->earlier) != OK)
        fetching->text = STR_NONE;
    return true;
}

static bool is_over(const struct fetching *fetching)
{
    return time_now_ms() / 1000 > fetching->end_s;
}

static bool is_used_up(const struct fetching *fetching)
{
    return fetching->def.downloads > 0 && fetching->earlier.count >= fetching->def.downloads;
}

static enum err told(struct fetching *fetching, const char *title, const char *text)
{
    page_heading(&fetching->page, title);
    page_words(&fetching->page, text, STR_NONE);
    return page_send(&fetching->page, 410);
}

static enum err begin(struct call *call, struct fetching *fetching, bool *is_answered)
{
    SCOPED(buf_donep) struct buf sealed = buf_make(LINKED_QUERY_BYTES_MAX);
    *fetching = (struct fetching){ .call = call };
    *is_answered = true;
    if (!address_read(fetching, &sealed))
        return track_nowhere(call);
    enum err err = visitor_open_sealed(call, TOKEN_FILE, buf_view(&sealed), &fetching->visitor);
    if (err == ERR_DENIED || (err == OK && fetching->visitor.is_erased))
        return track_nowhere_sealed(call, TOKEN_FILE, buf_view(&sealed));
    TRY(err);
    TRY(call_ask(call, file_ask, fetching));
    TRY(visitor_page(&fetching->visitor, &fetching->page));
    if (is_over(fetching) || fetching->text.len == 0 ||
        file_def_parse(call->arena, fetching->text, &fetching->def, NULL) != OK)
        return told(fetching, "expired_title", "file_old_text");
    if (is_used_up(fetching))
        return told(fetching, "file_used_title", "file_used_text");
    *is_answered = false;
    return OK;
}

static void size_write(struct buf *out, int64_t bytes)
{
    enum { KB = 1000, MB = 1000000 };
    int64_t size = bytes < MB ? (bytes + KB - 1) / KB : (bytes + MB / 2) / MB;
    buf_format(out, "<p class=\"more\">%lld %s</p>", (long long)size, bytes < MB ? "KB" : "MB");
}

enum err file_page(struct call *call)
{
    struct fetching *fetching = ARENA_NEW(call->arena, struct fetching);
    bool             is_answered;
    if (fetching == NULL)
        return ERR_MEMORY;
    TRY(begin(call, fetching, &is_answered));
    if (is_answered)
        return OK;
    tracking_visited(call, &fetching->visitor.trail,
                     str_format(call->arena, "file:%.*s", STR_ARG(fetching->name)));
    page_heading(&fetching->page, "file_title");
    page_words(&fetching->page, "file_text", fetching->def.filename);
    size_write(&fetching->page.out, fetching->def.bytes);
    page_form(&fetching->page);
    page_button(&fetching->page, "download", "file_button", false);
    return page_send(&fetching->page, 200);
}

/* ---- the button ---- */

static enum err downloaded(struct fetching *fetching)
{
    struct call       *call = fetching->call;
    struct trail       trail = fetching->visitor.trail;
    struct json_member more[] = {
        { STR("file"), { .kind = JSON_STRING, .string = fetching->name } },
        { STR("version"), { .kind = JSON_INT, .integer = fetching->version } },
        { STR("filename"), { .kind = JSON_STRING, .string = fetching->def.filename } },
    };
    struct entry entry;
    trail.more = more;
    trail.more_count = sizeof more / sizeof more[0];
    trail.sign = tracking_sign(call);
    trail.machine = trail.sign != NULL;
    TRY(trail_entry(call->arena, &trail, EVENT_FILE_DOWNLOADED, &entry));
    /* Two presses at one moment have one number, and are one download. */
    entry.message_id =
        str_format(call->arena, "download.%llu.%.*s.%u", (unsigned long long)trail.token.message,
                   STR_ARG(fetching->name), fetching->earlier.all);
    return entry.message_id.ptr == NULL ? ERR_MEMORY : call_submit(call, &entry, 1, NULL);
}

static enum err led_on(struct fetching *fetching)
{
    struct call                 *call = fetching->call;
    SCOPED(buf_donep) struct buf query = buf_make(LINKED_QUERY_BYTES_MAX);
    SCOPED(buf_donep) struct buf url = buf_make(2 * LINKED_QUERY_BYTES_MAX);
    struct token                 token = fetching->visitor.trail.token;
    token.purpose = TOKEN_DOWNLOAD;
    linked_file_write(&query, fetching->name, fetching->version, time_now_ms() / 1000 + OPEN_S);
    TRY(buf_err(&query));
    buf_str(&url, STR("../d/"));
    token_write(call->api->conf.tokens, token, buf_view(&query), &url);
    buf_char(&url, '?');
    buf_str(&url, buf_view(&query));
    TRY(buf_err(&url));
    struct http_header headers[] = { { STR("Location"), buf_view(&url) },
                                     { STR("Cache-Control"), STR("no-store") },
                                     { STR("Referrer-Policy"), STR("no-referrer") } };
    call->is_answered = true;
    http_reply(call->request,
               &(struct http_answer){ .status = 303, .headers = headers, .headers_count = 3 });
    return OK;
}

enum err file_post(struct call *call)
{
    struct fetching *fetching = ARENA_NEW(call->arena, struct fetching);
    bool             is_answered;
    if (fetching == NULL)
        return ERR_MEMORY;
    TRY(begin(call, fetching, &is_answered));
    if (is_answered)
        return OK;
    enum err err = downloaded(fetching);
    buf_done(&fetching->page.out);
    return err == OK ? led_on(fetching) : err;
}

/* ---- the bytes ---- */

enum err file_download(struct call *call)
{
    SCOPED(buf_donep) struct buf sealed = buf_make(LINKED_QUERY_BYTES_MAX);
    struct fetching             *fetching = ARENA_NEW(call->arena, struct fetching);
    struct str                   text = call_param(call, "token");
    if (fetching == NULL)
        return ERR_MEMORY;
    *fetching = (struct fetching){ .call = call };
    if (call->api->conf.tokens == NULL || text.len > TOKEN_BYTES_READ_MAX ||
        !address_read(fetching, &sealed) ||
        token_read(call->api->conf.tokens, TOKEN_DOWNLOAD, text, buf_view(&sealed),
                   &fetching->visitor.trail.token) != OK)
        return track_nowhere(call);
    TRY(call_ask(call, file_ask, fetching));
    if (fetching->is_nobody)
        return track_nowhere(call);
    enum err err = is_over(fetching) || fetching->text.len == 0
                       ? ERR_ABSENT
                       : file_def_parse(call->arena, fetching->text, &fetching->def, NULL);
    if (err == OK)
        err = file_reply(call, &fetching->def);
    if (err != ERR_ABSENT)
        return err;
    TRY(page_open(call, NULL, 0, STR_NONE, &fetching->page));
    return told(fetching, "expired_title", "file_old_text");
}
