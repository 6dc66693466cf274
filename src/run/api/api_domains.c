/* What the DNS says of the domains that mail comes from, and what is to be published. */
#include "run/api/domains.h"

#include <stdio.h>

#include "base/time.h"
#include "message/address.h"
#include "run/send/ways_file.h"
#include "run/send/workspace.h"

enum { DOMAINS_MAX = 50, LOOK_WAIT_MS = 6000 };

static void domain_add(struct str *domains, uint32_t *count, struct str address)
{
    struct str domain = address_domain(address);
    if (domain.len == 0 || *count == DOMAINS_MAX)
        return;
    for (uint32_t i = 0; i < *count; i++)
        if (str_eq_nocase(domains[i], domain))
            return;
    domains[(*count)++] = domain;
}

/* The From domains of all senders, each once. */
static enum err domains_find(struct call *call, struct str *domains, uint32_t *count)
{
    struct str       text;
    struct workspace workspace = { .name = STR_NONE };
    *count = 0;
    TRY(newest_workspace(call, &text));
    if (text.len == 0 || workspace_parse(call->arena, text, &workspace, NULL) != OK)
        return OK;
    domain_add(domains, count, workspace.sender_email);
    for (uint32_t i = 0; i < workspace.senders.count; i++)
        domain_add(domains, count, workspace.senders.items[i].email);
    return OK;
}

static enum err has_others(struct call *call, struct str domain, bool *out)
{
    struct str domains[DOMAINS_MAX];
    uint32_t   count;
    TRY(domains_find(call, domains, &count));
    *out = false;
    for (uint32_t i = 0; i < count; i++)
        *out = *out || !str_eq_nocase(domains[i], domain);
    return OK;
}

static void ways_letp(struct ways_file **file)
{
    ways_file_close(*file);
}

enum err domains_look(struct call *call, struct str domain, int64_t wait_ms,
                      struct domain_report *out)
{
    const struct api_conf         *conf = &call->api->conf;
    SCOPED(dns_closep) struct dns *dns = NULL;
    struct domain_what             what = { .domain = domain,
                                            .return_domain = conf->return_domain,
                                            .smtp_host = conf->smtp_host,
                                            .secrets = conf->secrets };
    uint32_t                       count = 0;
    SCOPED(ways_letp)
    struct ways_file *file = conf->ways == NULL ? NULL : ways_shelf_take(conf->ways);
    if (file != NULL) {
        const struct way_conf *ways = ways_file_ways(file, &count);
        TRY(has_others(call, domain, &what.has_others));
        TRY(domain_what_fill(&what, ways, count, call->arena));
    }
    TRY(dns_open(&dns, conf->dns_servers, &call->problem));
    return domain_look(dns, &what, call->arena, wait_ms, out);
}

static void row_write(struct buf *out, const struct look_row *row, bool is_first)
{
    bool first = true;
    buf_str(out, is_first ? STR("{") : STR(",{"));
    write_text(out, &first, "about", str_of(row->about));
    write_text(out, &first, "state", str_of(look_state_name(row->state)));
    write_text(out, &first, "name", row->name);
    write_text(out, &first, "type", row->type);
    json_write_key(out, &first, "found");
    buf_char(out, '[');
    for (uint32_t i = 0; i < row->found_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_write_str(out, row->found[i]);
    }
    buf_char(out, ']');
    write_text(out, &first, "publish", row->publish);
    write_text(out, &first, "what", str_of(row->what));
    buf_char(out, '}');
}

static void report_write(struct buf *out, struct str domain, const struct domain_report *report,
                         bool is_first)
{
    bool first = true;
    buf_str(out, is_first ? STR("{") : STR(",{"));
    write_text(out, &first, "domain", domain);
    json_write_key(out, &first, "authenticated");
    buf_str(out, report->is_authenticated ? STR("true")
                 : report->is_known       ? STR("false")
                                          : STR("null"));
    json_write_key(out, &first, "records");
    buf_char(out, '[');
    for (uint32_t i = 0; i < report->count; i++)
        row_write(out, &report->rows[i], i == 0);
    buf_str(out, STR("]}"));
}

enum err domains_show(struct call *call)
{
    struct str domains[DOMAINS_MAX], asked = call_query(call, "domain");
    uint32_t   count = 0;
    int64_t    until_us = time_mono_us() + (int64_t)LOOK_WAIT_MS * 1000;
    if (asked.len > 0)
        TRY(address_domain_check(asked, "domain", &call->problem));
    if (asked.len > 0)
        domains[count++] = asked;
    else
        TRY(domains_find(call, domains, &count));
    buf_str(&call->out, STR("{\"items\":["));
    for (uint32_t i = 0; i < count; i++) {
        struct domain_report report;
        int64_t              left_ms = (until_us - time_mono_us()) / 1000;
        TRY(domains_look(call, domains[i], left_ms > 0 ? left_ms : 0, &report));
        report_write(&call->out, domains[i], &report, i == 0);
    }
    buf_str(&call->out, STR("]}"));
    return OK;
}

/* ---- is it believed? ---- */

#define KEPT_US INT64_C(300000000)

static bool kept_find(struct api *api, struct str domain, struct domain_kept *out)
{
    bool found = false;
    pthread_mutex_lock(&api->lock);
    for (size_t i = 0; i < API_DOMAINS_KEPT && !found; i++) {
        const struct domain_kept *kept = &api->domains[i];
        found = kept->domain[0] != '\0' && str_eq_nocase(str_of(kept->domain), domain) &&
                time_mono_us() - kept->asked_us < KEPT_US;
        if (found)
            *out = *kept;
    }
    pthread_mutex_unlock(&api->lock);
    return found;
}

static void kept_put(struct api *api, const struct domain_kept *kept)
{
    pthread_mutex_lock(&api->lock);
    api->domains[api->domains_next++ % API_DOMAINS_KEPT] = *kept;
    pthread_mutex_unlock(&api->lock);
}

/* Is there a way out for e-mail, by a server or by a service? */
static bool leads_to_people(struct api *api)
{
    if (api->conf.smtp_host.len > 0 || api->conf.ways == NULL)
        return api->conf.smtp_host.len > 0;
    SCOPED(ways_letp) struct ways_file *file = ways_shelf_take(api->conf.ways);
    return file != NULL && ways_file_first(file, CHANNEL_EMAIL, STR_NONE) != NULL;
}

bool domains_lack(struct call *call, struct str address, int64_t wait_ms)
{
    struct str           domain = address_domain(address);
    struct domain_kept   kept = { .asked_us = time_mono_us() };
    struct domain_report report;
    if (!leads_to_people(call->api) || domain.len == 0 || domain.len >= sizeof kept.domain)
        return false;
    if (!kept_find(call->api, domain, &kept)) {
        if (domains_look(call, domain, wait_ms, &report) != OK)
            return false;
        str_to_cstr(domain, kept.domain, sizeof kept.domain);
        kept.is_known = report.is_known;
        kept.is_authenticated = report.is_authenticated;
        kept_put(call->api, &kept);
    }
    return kept.is_known && !kept.is_authenticated;
}
