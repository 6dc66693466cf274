/* A claim becomes an e-mail: data, Liquid, the way out, compose. */
#include "run/send/render.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "message/address.h"
#include "run/send/render_data.h"
#include "run/send/render_parts.h"
#include "run/send/topic_words.h"
#include "template/locale.h"
#include "template/template.h"

/* The keys of one From domain, opened when they are first needed. */
struct signer {
    struct dkim_key *dkim[SECRETS_DKIM_KEYS];
    char             domain[ADDRESS_BYTES_MAX + 1]; /* empty: free */
    uint64_t         used;                          /* the higher, the later */
};

#define NOBODY "nobody@example.invalid" /* a preview's, of a person without an address */

enum { SIGNERS_MAX = 8 }; /* the one used longest ago goes */

struct render {
    struct render_conf   conf;
    struct store_reader *reader;
    struct json_parser  *parser;
    struct parts        *parts;
    struct locales      *locales;
    struct signer        signers[SIGNERS_MAX];
    uint64_t             uses;
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

static void signer_drop(struct signer *signer)
{
    for (int i = 0; i < SECRETS_DKIM_KEYS; i++)
        dkim_key_close(signer->dkim[i]);
    *signer = (struct signer){ .domain = "" };
}

void render_close(struct render *render)
{
    if (render == NULL)
        return;
    for (size_t i = 0; i < SIGNERS_MAX; i++)
        signer_drop(&render->signers[i]);
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

static void gap_add(struct render_gaps *gaps, struct render_gap gap)
{
    if (gaps->count < RENDER_GAPS_MAX)
        gaps->items[gaps->count++] = gap;
}

/* All that the report names, for whoever looks at it. */
static enum err gaps_take(struct render_gaps *gaps, const struct template_report *report,
                          const struct email_part *part, const char *where, struct arena *arena)
{
    uint32_t offset = part->line - 1;
    for (uint32_t i = 0; i < report->fault_count; i++) {
        struct str what = str_copy(arena, str_of(report->faults[i].what));
        if (what.ptr == NULL)
            return ERR_MEMORY;
        gap_add(gaps, (struct render_gap){ what, where, report->faults[i].line + offset, true });
    }
    for (uint32_t i = 0; i < report->missing_count; i++) {
        struct str path = str_copy(arena, report->missing[i].path);
        if (path.ptr == NULL)
            return ERR_MEMORY;
        gap_add(gaps, (struct render_gap){ path, where, report->missing[i].line + offset, false });
    }
    return OK;
}

struct making {
    struct render          *render;
    const struct claim     *claim;
    const struct email     *email; /* the parsed parts */
    const struct workspace *workspace;
    struct json             data;
    struct str              safe_html; /* of the data */
    struct asked            asked;
    struct compose_keys     keys;
    struct compose_who      who;
    struct compose_urls     urls;
    struct arena           *arena;
    int64_t                 now_ms;
    struct rendered        *out;
    struct str              topic;
    struct signer          *signer;
    bool                    transactional;
    bool                    is_page; /* to be looked at: not signed */

    const struct render_draft *draft; /* of a preview or a test; else NULL */
    bool                       is_test;
    struct render_gaps        *gaps;
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
                                          .safe_html = making->safe_html,
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
    TRY(making->gaps != NULL ? gaps_take(making->gaps, &report, part, where, making->arena)
                             : report_read(&report, part, where, making->out));
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

/* ---- what stands behind links ---- */

/* A rule with a gap adds nothing: it is no reason to hold a message back. */
static enum err utm_value(struct making *making, const struct template *rule, struct str *out)
{
    struct template_render_conf  conf = reader_of(making);
    struct template_report       report;
    SCOPED(buf_donep) struct buf text = buf_make(TEMPLATE_OUTPUT_BYTES_MAX);
    enum err err = template_render(rule, making->arena, &making->data, &conf, &text, &report);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK || report.missing_count > 0 || report.fault_count > 0)
        return OK;
    *out = str_copy(making->arena, str_trim(buf_view(&text)));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err utm_find(struct making *making, struct utm *out)
{
    const struct words *domains = &making->workspace->utm.domains;
    *out = (struct utm){ .domains = domains->items,
                         .domains_count = domains->count,
                         .public_url = making->render->conf.public_url };
    if (making->email->file.no_utm)
        return OK;
    for (int i = 0; i < UTM_KEYS; i++) {
        const struct template *rule = making->email->utm[i];
        if (rule == NULL)
            rule = parts_utm(making->render->parts, (enum utm_key)i);
        if (rule != NULL)
            TRY(utm_value(making, rule, &out->values[i]));
    }
    return OK;
}

static enum err links_tag(struct making *making)
{
    SCOPED(buf_donep) struct buf html = buf_make(2 * HTML_BYTES_MAX);
    struct rendered             *out = making->out;
    struct problem               problem = { 0 };
    struct utm                   utm;
    TRY(utm_find(making, &utm));
    if (out->html.len == 0 || !utm_is_any(&utm))
        return OK;
    enum err err = utm_html(&utm, out->html, &html, &problem);
    if (err == ERR_LIMIT)
        return held(out, "%s: %s", problem.where, problem.what);
    TRY(err);
    out->html = str_copy(making->arena, buf_view(&html));
    return out->html.ptr == NULL ? ERR_MEMORY : OK;
}

/* ---- the message ---- */

static struct signer *signer_of(struct render *render, struct str domain)
{
    struct signer *oldest = &render->signers[0];
    for (size_t i = 0; i < SIGNERS_MAX; i++) {
        struct signer *signer = &render->signers[i];
        if (str_eq(domain, str_of(signer->domain)))
            return signer;
        if (signer->used < oldest->used)
            oldest = signer;
    }
    signer_drop(oldest);
    return oldest;
}

static enum err dkim_get(struct making *making)
{
    struct render *render = making->render;
    struct str     domain = address_domain(making->out->from);
    struct problem problem = { 0 };
    struct signer *signer = signer_of(render, domain);
    making->signer = signer;
    signer->used = ++render->uses;
    if (signer->domain[0] != '\0')
        return OK;
    enum err err = secrets_dkim_open(render->conf.secrets, domain, signer->dkim, &problem);
    if (err != OK)
        return err == ERR_MEMORY ? err : held(making->out, "signing key: %s", problem.what);
    str_to_cstr(domain, signer->domain, sizeof signer->domain);
    return OK;
}

/* All tests are about nobody, and mail programs show one mail of an id only once. */
static struct str test_id(const struct making *making)
{
    struct str domain = address_domain(making->out->from);
    return str_format(making->arena, "test.%lld.%llx@%.*s", (long long)making->now_ms,
                      (unsigned long long)hash_random_seed(), STR_ARG(domain));
}

static enum err compose_once(struct making *making)
{
    struct rendered  *out = making->out;
    struct problem    problem = { 0 };
    struct str        to = making->claim->address;
    struct compose_in in = {
        .from = { out->from_name, out->from },
        .to = { STR_NONE, to.len == 0 && making->draft != NULL ? STR(NOBODY) : to },
        .reply_to = { STR_NONE, out->reply_to },
        .subject = making->is_test ? str_format(making->arena, "[Test] %.*s", STR_ARG(out->subject))
                                   : out->subject,
        .message_id = making->is_test ? test_id(making) : STR_NONE,
        .html = out->html,
        .text = out->text,
        .who = making->who,
        .unsubscribe = !making->transactional,
        .tracking = !making->render->conf.no_tracking && making->draft == NULL,
        .date_ms = making->now_ms,
        .return_domain = making->render->conf.return_domain,
        .feedback = { out->journey.len > 0 ? out->journey : out->broadcast, out->template,
                      making->topic },
        .feedback_sender = address_domain(out->from),
        .files = making->asked.files,
        .files_count = making->asked.files_count,
    };
    enum err err = compose(&making->keys, &in, making->arena, &out->mail, &problem);
    if (err == OK || err == ERR_MEMORY)
        return err;
    return held(out, "%s: %s", problem.where, problem.what);
}

/* In the language of the text: the reader's where a variant was chosen for them, else the house's.
 */
static struct str way_out_word(const struct making *making)
{
    const struct json *person = json_get(&making->data, STR("person"));
    struct str         language = making->claim->variant == 0 ? making->workspace->language
                                                              : language_of(person, making->workspace);
    return unsubscribe_word(house_language(&language, 1));
}

/* The cheap look finds the link where it was written; only compose knows whether it can be seen. */
static enum err compose_with_way_out(struct making *making)
{
    struct rendered *out = making->out;
    struct footer    footer = { making->urls.unsubscribe, making->workspace->name,
                                making->workspace->address, way_out_word(making) };
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

/* The template's, the topic's and language's, or the workspace's. */
static enum err sender_find(struct making *making, const struct sender_profile **out)
{
    const struct sender_profiles *profiles = &making->workspace->senders;
    const struct json            *person = json_get(&making->data, STR("person"));
    struct str                    named = making->email->file.sender;
    *out = NULL;
    if (named.len == 0) {
        *out =
            sender_profile_choose(profiles, making->topic, language_of(person, making->workspace));
        return OK;
    }
    *out = sender_profile_find(profiles, named);
    return *out != NULL ? OK
                        : held(making->out, "there is no sender \"%.*s\" in workspace.json",
                               STR_ARG(str_slice(named, 0, 100)));
}

static enum err sender_take(struct making *making)
{
    const struct workspace      *workspace = making->workspace;
    const struct sender_profile *profile;
    struct rendered             *out = making->out;
    struct str                   from = making->email->file.from;
    TRY(sender_find(making, &profile));
    out->from_name = workspace->sender_name;
    out->from = workspace->sender_email;
    out->reply_to = workspace->reply_to;
    if (profile != NULL) {
        out->from = profile->email;
        out->from_name = profile->name.len > 0 ? profile->name : out->from_name;
        out->reply_to = profile->reply_to;
    }
    out->from_name = str_is_empty(from) ? out->from_name : from;
    if (out->from.len == 0)
        return held(out, "the workspace has no sender: put \"sender\": {\"email\": ...} into "
                         "workspace.json");
    return making->is_page ? OK : dkim_get(making);
}

static enum err names_find(struct making *making)
{
    const struct claim *claim = making->claim;
    struct parts       *parts = making->render->parts;
    struct rendered    *out = making->out;
    if (making->draft != NULL) {
        out->template = making->draft->name;
        out->journey = making->draft->journey;
    } else {
        TRY(parts_name(parts, STORE_NAME_TEMPLATE, claim->template_id, making->arena,
                       &out->template));
        if (claim->journey != JOURNEY_NONE)
            TRY(parts_name(parts, STORE_NAME_JOURNEY, claim->journey, making->arena,
                           &out->journey));
        if (claim->broadcast > 0)
            TRY(parts_name(parts, STORE_NAME_BROADCAST, claim->broadcast - 1, making->arena,
                           &out->broadcast));
    }
    if (claim->variant == 0)
        return OK;
    return parts_name(parts, STORE_NAME_TEMPLATE, claim->variant - 1, making->arena, &out->variant);
}

/* The text that was claimed: the template's, or that of its variant. */
static enum err text_find(struct making *making, struct problem *problem)
{
    const struct claim    *claim = making->claim;
    const struct rendered *out = making->out;
    struct parts          *parts = making->render->parts;
    if (making->draft != NULL && making->draft->text.len > 0)
        return parts_draft(parts, out->template, making->draft->text, making->now_ms,
                           &making->email, problem);
    return parts_email(parts, claim->variant > 0 ? out->variant : out->template,
                       claim->variant > 0 ? claim->variant_version : claim->template_version,
                       making->now_ms, &making->email, problem);
}

static enum err email_find(struct making *making)
{
    struct parts  *parts = making->render->parts;
    struct problem problem = { 0 };
    TRY(parts_refresh(parts));
    TRY(names_find(making));
    making->workspace = parts_workspace(parts);
    enum err err = text_find(making, &problem);
    if (err == ERR_INPUT || err == ERR_LIMIT)
        return held(making->out, "%s: %s", problem.where, problem.what);
    TRY(err);
    making->topic = making->email->file.topic;
    if (making->topic.len > 0 || making->claim->topic == 0)
        return OK;
    return parts_name(parts, STORE_NAME_TOPIC, making->claim->topic, making->arena, &making->topic);
}

static enum err data_find(struct making *making)
{
    struct data_in in = { .claim = making->claim,
                          .reader = making->render->reader,
                          .parser = making->render->parser,
                          .parts = making->render->parts,
                          .urls = &making->urls,
                          .workspace = making->workspace,
                          .journey = making->out->journey,
                          .template_name = making->out->template,
                          .wants_files = !making->is_page && making->draft == NULL,
                          .topic = making->topic,
                          .event = making->draft == NULL ? NULL : making->draft->event,
                          .email = making->email,
                          .links = { making->keys.token, making->who.public_url,
                                     making->who.profile, making->who.message },
                          .now_ms = making->now_ms };
    return data_make(&in, making->arena, &making->asked, &making->data, &making->safe_html);
}

static enum err urls_make(struct making *making)
{
    const struct render *render = making->render;
    struct problem       problem = { 0 };
    making->keys = (struct compose_keys){ .token = secrets_token_keys(render->conf.secrets) };
    making->who = (struct compose_who){ making->claim->profile, making->claim->message,
                                        render->conf.public_url };
    if (making->draft != NULL) /* nobody is unsubscribed by a look at a mail */
        making->who = (struct compose_who){ UINT32_MAX, 0, render->conf.public_url };
    enum err err =
        compose_links(&making->keys, making->who, making->arena, &making->urls, &problem);
    if (err == OK || err == ERR_MEMORY)
        return err;
    return held(making->out, "%s: %s", problem.where, problem.what);
}

/* What is asked for when the mail is on its way lives as long as it, not as the workspace's text.
 */
static enum err letterhead_keep(struct making *making)
{
    struct rendered *out = making->out;
    struct arena    *arena = making->arena;
    out->topic = str_copy(arena, making->email->file.topic);
    out->from = str_copy(arena, out->from);
    out->from_name = str_copy(arena, out->from_name);
    out->reply_to =
        str_copy(arena, making->asked.reply_to.len > 0 ? making->asked.reply_to : out->reply_to);
    out->files = making->asked.files;
    out->files_count = making->asked.files_count;
    bool is_kept = out->topic.ptr != NULL && out->from.ptr != NULL && out->from_name.ptr != NULL &&
                   out->reply_to.ptr != NULL;
    return is_kept ? OK : ERR_MEMORY;
}

/* To the staff by e-mail: from here on it is one, to somebody who has not to be asked. */
static enum err staff_take(struct making *making)
{
    struct claim *claim = ARENA_NEW(making->arena, struct claim);
    if (claim == NULL)
        return ERR_MEMORY;
    *claim = *making->claim;
    claim->address = str_copy(making->arena, making->email->file.to);
    claim->transactional = true;
    making->claim = claim;
    return OK;
}

static bool is_mail(const struct email_file *file)
{
    return file->channel == CHANNEL_EMAIL ||
           (file->channel == CHANNEL_STAFF && !str_eq(file->to, STR("slack")));
}

static enum err notice_make(struct making *making)
{
    const struct email *email = making->email;
    struct rendered    *out = making->out;
    TRY(part_render(making, email->text, &email->file.text, "text", false, &out->text));
    TRY(part_render(making, email->html, &email->file.html, "front", true, &out->html));
    TRY(part_render(making, email->back, &email->file.back, "back", true, &out->back));
    TRY(part_render(making, email->url, &email->file.url, "url", false, &out->url));
    TRY(part_render(making, email->headers, &email->file.headers, "headers", false, &out->headers));
    out->text = str_trim(out->text);
    out->html = str_trim(out->html);
    out->back = str_trim(out->back);
    out->method = str_copy(making->arena, email->file.method);
    out->size = str_copy(making->arena, email->file.size);
    out->from_head = str_copy(making->arena, email->file.from);
    struct json *person = ARENA_NEW(making->arena, struct json);
    if (person == NULL)
        return ERR_MEMORY;
    *person = *json_get(&making->data, STR("person"));
    out->person = person;
    return OK;
}

static enum err message_make(struct making *making)
{
    const struct render *render = making->render;
    TRY(email_find(making));
    making->out->channel = making->email->file.channel;
    if (making->email->file.channel == CHANNEL_STAFF && is_mail(&making->email->file))
        TRY(staff_take(making));
    making->transactional = making->is_page && making->draft == NULL
                                ? making->email->file.transactional
                                : making->claim->transactional;
    TRY(urls_make(making));
    TRY(data_find(making));
    if (!is_mail(&making->email->file))
        return notice_make(making);
    TRY(sender_take(making));
    TRY(letterhead_keep(making));
    if (!making->is_page) {
        making->keys.dkim = (const struct dkim_key *const *)making->signer->dkim;
        making->keys.dkim_count = secrets_dkim_count(render->conf.secrets);
    }
    TRY(parts_render(making));
    TRY(links_tag(making));
    return compose_with_way_out(making);
}

static enum err render_make(struct making *making, const struct claim *claim, int64_t now_ms,
                            struct rendered *out)
{
    making->claim = claim;
    making->now_ms = now_ms;
    making->out = out;
    out->subject = out->html = out->text = out->template = out->journey = out->broadcast =
        out->variant = STR_NONE;
    out->from_name = out->from = out->reply_to = out->topic = STR_NONE;
    out->files_count = 0;
    out->back = out->url = out->headers = STR_NONE;
    out->method = out->size = out->from_head = STR_NONE;
    out->person = NULL;
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

enum err render_preview(struct render *render, const struct render_draft *draft, int64_t now_ms,
                        struct arena *arena, struct rendered *out, struct render_gaps *gaps)
{
    struct making making = {
        .render = render, .arena = arena, .is_page = true, .draft = draft, .gaps = gaps
    };
    gaps->count = 0;
    return render_make(&making, draft->claim, now_ms, out);
}

enum err render_test(struct render *render, const struct render_draft *draft, int64_t now_ms,
                     struct arena *arena, struct rendered *out)
{
    struct making making = { .render = render, .arena = arena, .draft = draft, .is_test = true };
    return render_make(&making, draft->claim, now_ms, out);
}
