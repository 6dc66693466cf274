/* A claim becomes an e-mail: data, Liquid, the way out, compose. */
#include "run/send/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "message/address.h"
#include "run/send/render_data.h"
#include "run/send/render_parts.h"
#include "template/locale.h"
#include "template/template.h"

struct render {
    struct render_conf   conf;
    struct store_reader *reader;
    struct json_parser  *parser;
    struct parts        *parts;
    struct locales      *locales;
    struct dkim_key     *dkim[SECRETS_DKIM_KEYS];
    char                 dkim_domain[ADDRESS_BYTES_MAX + 1]; /* that they were opened for */
};

enum err render_open(struct render **out, const struct render_conf *conf)
{
    struct render *render = calloc(1, sizeof *render);
    if (render == NULL)
        return ERR_MEMORY;
    render->conf = *conf;
    render->parser = json_parser_open();
    enum err err = render->parser == NULL ? ERR_MEMORY : OK;
    if (err == OK)
        err = store_reader_open(conf->store, "render", &render->reader);
    if (err == OK)
        err = parts_open(&render->parts, render->reader);
    if (err == OK)
        err = locales_open(&render->locales);
    if (err == OK)
        *out = render;
    else
        render_close(render);
    return err;
}

static void dkim_drop(struct render *render)
{
    for (int i = 0; i < SECRETS_DKIM_KEYS; i++) {
        dkim_key_close(render->dkim[i]);
        render->dkim[i] = NULL;
    }
    render->dkim_domain[0] = '\0';
}

void render_close(struct render *render)
{
    if (render == NULL)
        return;
    dkim_drop(render);
    parts_close(render->parts);
    locales_close(render->locales);
    store_reader_close(render->reader);
    json_parser_close(render->parser);
    free(render);
}

/* ---- why it is held back ---- */

static enum err held(struct rendered *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static enum err held(struct rendered *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out->reason, sizeof out->reason, format, args);
    va_end(args);
    return ERR_INPUT;
}

/* What the report says of one part; the first few gaps are named. */
static enum err report_read(const struct template_report *report, const struct email_part *part,
                            const char *where, struct rendered *out)
{
    enum { NAMED = 4 };
    size_t   len = 0;
    uint32_t offset = part->line - 1;
    if (report->fault_count > 0)
        return held(out, "%s: %s (line %u)", where, report->faults[0].what,
                    report->faults[0].line + offset);
    for (uint32_t i = 0; i < report->missing_count && i < NAMED && len < sizeof out->reason; i++)
        len += (size_t)snprintf(out->reason + len, sizeof out->reason - len, "%s%.*s (line %u)",
                                i == 0 ? "missing " : ", ", STR_ARG(report->missing[i].path),
                                report->missing[i].line + offset);
    return report->missing_count > 0 ? ERR_INPUT : OK;
}

/* ---- Liquid ---- */

struct making {
    struct render          *render;
    const struct claim     *claim;
    const struct email     *email; /* the parsed parts */
    const struct workspace *workspace;
    struct json             data;
    struct compose_keys     keys;
    struct compose_who      who;
    struct compose_urls     urls;
    struct arena           *arena;
    int64_t                 now_ms;
    struct rendered        *out;
    bool                    transactional;
    bool                    is_page; /* to be looked at: not signed */
};

/* The more exact of the two, where they do not contradict each other: language en, locale en-GB. */
static struct str language_of(const struct json *person, const struct workspace *workspace)
{
    struct str language = json_get_str(person, STR("language"));
    struct str locale = json_get_str(person, STR("locale"));
    if (locale.len > 0 && (language.len == 0 || str_starts(locale, language)))
        return locale;
    return language.len > 0 ? language : workspace->language;
}

static const struct zone *zone_of(const struct making *making, const struct json *person)
{
    const struct zones *zones = making->render->conf.zones;
    const struct zone  *zone = zone_find(zones, json_get_str(person, STR("timezone")));
    return zone != NULL ? zone : zone_find(zones, making->workspace->timezone);
}

static struct template_render_conf reader_of(const struct making *making)
{
    const struct json *person = json_get(&making->data, STR("person"));
    return (struct template_render_conf){ .now_ms = making->now_ms,
                                          .language = language_of(person, making->workspace),
                                          .currency = making->workspace->currency,
                                          .zone = zone_of(making, person),
                                          .zones = making->render->conf.zones,
                                          .locales = making->render->locales };
}

static enum err part_render(struct making           *making, const struct template *template,
                            const struct email_part *part, const char *where, bool escape,
                            struct str *out)
{
    struct template_render_conf  conf = reader_of(making);
    struct template_report       report;
    SCOPED(buf_donep) struct buf text = buf_make(TEMPLATE_OUTPUT_BYTES_MAX);
    *out = STR_NONE;
    if (template == NULL)
        return OK;
    conf.escape_html = escape;
    enum err err = template_render(template, making->arena, &making->data, &conf, &text, &report);
    if (err == ERR_LIMIT)
        return held(making->out, "%s: %s", where, report.problem.what);
    TRY(err);
    TRY(report_read(&report, part, where, making->out));
    TRY(buf_err(&text));
    *out = str_copy(making->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

/* A subject is one line. What would end it becomes a space. */
static struct str one_line(struct arena *arena, struct str text)
{
    struct str copy = str_copy(arena, text);
    for (size_t i = 0; i < copy.len; i++)
        if ((unsigned char)copy.ptr[i] < ' ' || copy.ptr[i] == 0x7f)
            ((char *)copy.ptr)[i] = ' ';
    return str_trim(copy);
}

static enum err parts_render(struct making *making)
{
    const struct email *email = making->email;
    struct rendered    *out = making->out;
    struct str          preheader;
    TRY(part_render(making, email->subject, &email->file.subject, "subject", false, &out->subject));
    TRY(part_render(making, email->preheader, &email->file.preheader, "preheader", true,
                    &preheader));
    TRY(part_render(making, email->html, &email->file.html, "html", true, &out->html));
    TRY(part_render(making, email->text, &email->file.text, "text", false, &out->text));
    out->subject = one_line(making->arena, out->subject);
    if (out->subject.len == 0)
        return held(out, "the subject is empty");
    return body_preheader(making->arena, preheader, &out->html);
}

/* ---- the message ---- */

static enum err dkim_get(struct render *render, struct str sender, struct rendered *out)
{
    struct str     domain = address_domain(sender);
    struct problem problem = { 0 };
    if (str_eq(domain, str_of(render->dkim_domain)))
        return OK;
    dkim_drop(render);
    enum err err = secrets_dkim_open(render->conf.secrets, domain, render->dkim, &problem);
    if (err != OK)
        return err == ERR_MEMORY ? err : held(out, "signing key: %s", problem.what);
    str_to_cstr(domain, render->dkim_domain, sizeof render->dkim_domain);
    return OK;
}

static enum err compose_once(struct making *making)
{
    const struct workspace *workspace = making->workspace;
    struct rendered        *out = making->out;
    struct str              from = making->email->file.from;
    struct problem          problem = { 0 };
    struct compose_in       in = {
              .from = { str_is_empty(from) ? workspace->sender_name : from, workspace->sender_email },
              .to = { STR_NONE, making->claim->address },
              .reply_to = { STR_NONE, workspace->reply_to },
              .subject = out->subject,
              .html = out->html,
              .text = out->text,
              .who = making->who,
              .unsubscribe = !making->transactional,
              .tracking = !making->render->conf.no_tracking,
              .date_ms = making->now_ms,
              .return_domain = making->render->conf.return_domain,
              .feedback = { out->journey, out->template, making->email->file.topic },
              .feedback_sender = address_domain(workspace->sender_email),
    };
    enum err err = compose(&making->keys, &in, making->arena, &out->mail, &problem);
    if (err == OK || err == ERR_MEMORY)
        return err;
    return held(out, "%s: %s", problem.where, problem.what);
}

/* The cheap look finds the link where it was written; only compose knows whether it can be seen. */
static enum err compose_with_way_out(struct making *making)
{
    struct rendered *out = making->out;
    struct footer    footer = { making->urls.unsubscribe, making->workspace->name,
                                making->workspace->address };
    bool             wanted = !making->transactional;
    if (wanted && out->text.len > 0 && str_find(out->text, 0, footer.url) == out->text.len)
        TRY(footer_text(making->arena, &footer, &out->text));
    bool written = out->html.len == 0 || str_find(out->html, 0, footer.url) < out->html.len;
    if (wanted && !written)
        TRY(footer_html(making->arena, &footer, &out->html));
    TRY(compose_once(making));
    if (!wanted || !written || out->html.len == 0 || out->mail.has_unsubscribe_link)
        return OK;
    TRY(footer_html(making->arena, &footer, &out->html));
    return compose_once(making);
}

static enum err sender_check(struct making *making)
{
    const struct workspace *workspace = making->workspace;
    if (workspace->sender_email.len == 0)
        return held(making->out,
                    "the workspace has no sender: put \"sender\": {\"email\": ...} into "
                    "workspace.json");
    return making->is_page ? OK : dkim_get(making->render, workspace->sender_email, making->out);
}

static enum err names_find(struct making *making)
{
    const struct claim *claim = making->claim;
    struct parts       *parts = making->render->parts;
    TRY(parts_name(parts, STORE_NAME_TEMPLATE, claim->template_id, making->arena,
                   &making->out->template));
    return parts_name(parts, STORE_NAME_JOURNEY, claim->journey, making->arena,
                      &making->out->journey);
}

static enum err email_find(struct making *making)
{
    struct parts  *parts = making->render->parts;
    struct problem problem = { 0 };
    TRY(parts_refresh(parts));
    TRY(names_find(making));
    making->workspace = parts_workspace(parts);
    enum err err = parts_email(parts, making->out->template, making->claim->template_version,
                               making->now_ms, &making->email, &problem);
    if (err == ERR_INPUT || err == ERR_LIMIT)
        return held(making->out, "%s: %s", problem.where, problem.what);
    return err;
}

static enum err data_find(struct making *making)
{
    struct data_in in = { .claim = making->claim,
                          .reader = making->render->reader,
                          .parser = making->render->parser,
                          .parts = making->render->parts,
                          .urls = &making->urls,
                          .workspace = making->workspace,
                          .journey = making->out->journey };
    return data_make(&in, making->arena, &making->data);
}

static enum err message_make(struct making *making)
{
    struct render *render = making->render;
    struct problem problem = { 0 };
    TRY(email_find(making));
    TRY(sender_check(making));
    making->transactional =
        making->is_page ? making->email->file.transactional : making->claim->transactional;
    making->keys = (struct compose_keys){ secrets_token_keys(render->conf.secrets),
                                          (const struct dkim_key *const *)render->dkim,
                                          secrets_dkim_count(render->conf.secrets) };
    if (making->is_page)
        making->keys.dkim_count = 0;
    making->who = (struct compose_who){ making->claim->profile, making->claim->message,
                                        render->conf.public_url };
    enum err err =
        compose_links(&making->keys, making->who, making->arena, &making->urls, &problem);
    if (err != OK)
        return err == ERR_MEMORY ? err : held(making->out, "%s: %s", problem.where, problem.what);
    TRY(data_find(making));
    TRY(parts_render(making));
    return compose_with_way_out(making);
}

static enum err render_make(struct making *making, const struct claim *claim, int64_t now_ms,
                            struct rendered *out)
{
    making->claim = claim;
    making->now_ms = now_ms;
    making->out = out;
    out->subject = out->html = out->text = out->template = out->journey = STR_NONE;
    out->reason[0] = '\0';
    enum err err = message_make(making);
    /* What another try would not mend is held back, so that it is seen and nothing turns for ever.
     */
    if (err == OK || err == ERR_INPUT || err == ERR_WAIT || err == ERR_IO || err == ERR_MEMORY)
        return err;
    return held(out, "what the message needs could not be read (%s)", err_name(err));
}

enum err render_message(struct render *render, const struct claim *claim, int64_t now_ms,
                        struct arena *arena, struct rendered *out)
{
    struct making making = { .render = render, .arena = arena };
    return render_make(&making, claim, now_ms, out);
}

enum err render_page(struct render *render, const struct claim *claim, int64_t now_ms,
                     struct arena *arena, struct rendered *out)
{
    struct making making = { .render = render, .arena = arena, .is_page = true };
    out->mail.message = buf_make(COMPOSE_BYTES_MAX);
    enum err err = render_make(&making, claim, now_ms, out);
    buf_done(&out->mail.message);
    return err;
}
