/* What is no e-mail: what its provider is told of it, and what its event says. */
#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "message/sms.h"
#include "message/token.h"
#include "run/send/post.h"
#include "run/send/sender_inside.h"

enum { ID_TAIL_BYTES = 16 };

const char *sender_letter_gap(const struct job *job)
{
    bool is_sms = job->claim.channel == CHANNEL_SMS;
    return is_sms && sms_measure(job->rendered.text).parts > SMS_PARTS_MAX
               ? "the text has more than 10 parts"
               : NULL;
}

/* ---- what the provider is told ---- */

static struct str token_of(const struct sender *sender, const struct job *job, struct arena *arena)
{
    SCOPED(buf_donep) struct buf text = buf_make(TOKEN_TEXT_BYTES_MAX + 1);
    struct token                 token = { .purpose = TOKEN_MESSAGE,
                                           .profile = job->claim.profile,
                                           .message = job->claim.message };
    if (sender->conf.tokens == NULL)
        return STR("");
    token_write(sender->conf.tokens, token, STR_NONE, &text);
    return buf_err(&text) == OK ? str_copy(arena, buf_view(&text)) : STR_NONE;
}

static struct str callback_of(const struct sender *sender, const struct way *way, struct str token,
                              struct arena *arena)
{
    SCOPED(buf_donep) struct buf name = buf_make(3 * WAY_NAME_BYTES_MAX);
    percent_write(&name, str_of(way->conf->name));
    return str_format(arena, "%s/api/v1/receipts/%.*s?m=%.*s", sender->public_url,
                      STR_ARG(buf_view(&name)), STR_ARG(token));
}

enum err sender_letter_fill(const struct way *way, const struct job *job, struct arena *arena,
                            struct provider_message *out)
{
    const struct sender *sender = way->sender;
    struct str           token = token_of(sender, job, arena);
    unsigned long long   number = (unsigned long long)job->claim.message;
    if (token.ptr == NULL)
        return ERR_MEMORY;
    /* The end of the token is a seal of this folder's: two folders may use one account. */
    size_t tail = token.len > ID_TAIL_BYTES ? token.len - ID_TAIL_BYTES : 0;
    out->id =
        str_format(arena, "dult-%llu-%.*s", number, STR_ARG(str_slice(token, tail, token.len)));
    out->to = job->claim.address;
    out->from = job->rendered.from_head;
    if (out->from.len == 0)
        out->from = way_from(way->conf, job->claim.address);
    out->text = job->rendered.text;
    out->html = job->rendered.html;
    out->back = job->rendered.back;
    out->size = job->rendered.size;
    out->url = job->rendered.url;
    out->method = job->rendered.method;
    out->token = token;
    out->callback = callback_of(sender, way, token, arena);
    out->unicode = sms_measure(job->rendered.text).encoding == SMS_UCS2;
    if (job->claim.channel == CHANNEL_POST)
        out->address = post_address(job->rendered.person, job->claim.address, arena);
    out->pdf = job->paper.pdf;
    return out->id.ptr == NULL || out->callback.ptr == NULL ? ERR_MEMORY : OK;
}

/* Is it a line of that header? */
static bool is_header(const char *line, struct str name)
{
    struct str text = str_of(line);
    return str_eq_nocase(str_trim(str_slice(text, 0, str_find_char(text, 0, ':'))), name);
}

/* One that is there already gives way. */
static enum err header_put(struct fetch_request *request, struct str line, struct arena *arena)
{
    struct str name = str_trim(str_slice(line, 0, str_find_char(line, 0, ':')));
    int        i = 0;
    while (i < FETCH_HEADERS_MAX && request->headers[i] != NULL &&
           !is_header(request->headers[i], name))
        i++;
    if (i == FETCH_HEADERS_MAX)
        return ERR_LIMIT;
    request->headers[i] = str_copy(arena, line).ptr;
    return request->headers[i] == NULL ? ERR_MEMORY : OK;
}

enum err sender_letter_headers(const struct job *job, struct arena *arena,
                               struct fetch_request *request, struct problem *problem)
{
    struct str line, rest = job->rendered.headers;
    while (rest.len > 0 && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0)
            continue;
        if (str_find_char(line, 0, ':') == line.len ||
            header_put(request, line, arena) == ERR_LIMIT)
            return problem_set(problem, ERR_INPUT, "headers", "its headers cannot be read",
                               "Write each in a line: Name: value.");
    }
    return OK;
}

bool sender_letter_is_to_print(const struct way *way, const struct job *job)
{
    const struct provider *provider = way->conf->provider;
    return job->claim.channel == CHANNEL_POST && provider != NULL && provider_takes_pdf(provider) &&
           job->printed_for != way;
}

/* What cannot be printed is laid out once, too: it may take as long as what can. */
static enum err unprinted_keep(const struct way *way, struct job *job, const struct problem *why)
{
    struct problem *kept = ARENA_NEW(job->arena, struct problem);
    if (kept == NULL)
        return ERR_MEMORY;
    *kept = *why;
    job->unprinted = kept;
    job->printed_for = way;
    return ERR_INPUT;
}

enum err sender_letter_print(const struct way *way, struct job *job, struct problem *problem)
{
    bool is_its = job->claim.channel == CHANNEL_POST && job->printed_for == way;
    if (is_its && job->unprinted != NULL) {
        *problem = *job->unprinted;
        return ERR_INPUT;
    }
    if (!sender_letter_is_to_print(way, job))
        return OK;
    const char          *dir = way->sender->counts_dir;
    const struct post_in in = { .way = way->conf,
                                .made = &job->rendered,
                                .place = job->claim.address,
                                .at_ms = job->claim.first_try_ms,
                                .dir = dir[0] == '\0' ? NULL : dir };
    enum err             err = post_paper_make(&in, job->arena, &job->paper, problem);
    if (err == ERR_INPUT)
        return unprinted_keep(way, job, problem);
    TRY(err);
    job->unprinted = NULL;
    job->printed_for = way;
    return OK;
}

void sender_letter_price(struct job *job)
{
    struct letter *letter = &job->letter;
    if (!job_is_letter(job) || job->way == NULL)
        return;
    if (job->claim.channel == CHANNEL_SMS)
        letter->parts = sms_measure(job->rendered.text).parts;
    letter->price = way_price(job->way->conf, job->claim.address);
    if (letter->parts > 0)
        letter->price.each *= letter->parts;
    if (letter->told.each > 0)
        letter->price = letter->told;
}

/* ---- its event ---- */

struct str sender_event_name(const struct job *job)
{
    bool is_sent = job->outcome.kind == OUTCOME_SENT;
    if (is_sent && !channel_is_to_person(job->claim.channel))
        return EVENT_NOTICE_SENT;
    return is_sent                               ? EVENT_MESSAGE_SENT
           : job->bounced                        ? EVENT_MESSAGE_BOUNCED
           : job->outcome.kind == OUTCOME_FAILED ? EVENT_MESSAGE_FAILED
                                                 : STR_NONE;
}

static void put(struct json *object, struct json_member *members, const char *key,
                struct json value)
{
    if (value.kind != JSON_STRING || value.string.len > 0)
        members[object->count++] = (struct json_member){ str_of(key), value };
}

static struct json text_json(struct arena *arena, struct str text)
{
    return (struct json){ .kind = JSON_STRING, .string = str_copy(arena, text) };
}

void sender_letter_put(struct arena *arena, const struct job *job, struct json *object,
                       struct json_member *members)
{
    const struct letter *letter = &job->letter;
    if (job->bounced) {
        bool is_stop = letter->verdict == PROVIDER_STOP;
        put(object, members, "class", text_json(arena, is_stop ? STR("stop") : STR("hard")));
        put(object, members, "recipient", text_json(arena, str_of(job->address)));
        put(object, members, "said", text_json(arena, str_of(job->text)));
    }
    put(object, members, "service_id", text_json(arena, str_of(letter->id)));
    put(object, members, "answer", text_json(arena, letter->body));
    if (letter->status > 0)
        put(object, members, "status",
            (struct json){ .kind = JSON_INT, .integer = letter->status });
    if (letter->parts > 0)
        put(object, members, "parts", (struct json){ .kind = JSON_INT, .integer = letter->parts });
    if (letter->price.each > 0) {
        put(object, members, "price",
            (struct json){ .kind = JSON_REAL, .real = letter->price.each });
        put(object, members, "currency", text_json(arena, str_of(letter->price.currency)));
    }
}
