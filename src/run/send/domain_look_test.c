/* What the DNS says of a domain that mail comes from, asked of a real server on this machine. */
#include "run/send/domain_look.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "delivery/dns_peer_test.h"

struct desk {
    char            dir[64];
    struct secrets *secrets;
    struct arena   *arena;
    char            rsa_name[160], rsa[1000], ed_name[160], ed[1000]; /* as they should be */
};

static void desk_open(struct desk *desk, const char *domain)
{
    struct dkim_key             *keys[SECRETS_DKIM_KEYS];
    struct problem               problem = { .where = "" };
    SCOPED(buf_donep) struct buf text = buf_make(4096);
    *desk = (struct desk){ .dir = "/tmp/dult-domain-XXXXXX", .arena = arena_open(8 << 20) };
    assert_non_null(mkdtemp(desk->dir));
    assert_ok(secrets_open(&desk->secrets, desk->dir, &problem));
    assert_ok(secrets_dkim_open(desk->secrets, str_of(domain), keys, &problem));
    char *names[] = { desk->rsa_name, desk->ed_name }, *records[] = { desk->rsa, desk->ed };
    for (int i = 0; i < SECRETS_DKIM_KEYS; i++) {
        buf_reset(&text);
        dkim_record_name(keys[i], &text);
        str_to_cstr(buf_view(&text), names[i], 160);
        buf_reset(&text);
        assert_ok(dkim_record_write(keys[i], &text));
        str_to_cstr(buf_view(&text), records[i], 1000);
        dkim_key_close(keys[i]);
    }
}

static void desk_close(struct desk *desk)
{
    char command[128];
    secrets_close(desk->secrets);
    arena_close(desk->arena);
    snprintf(command, sizeof command, "rm -rf %s", desk->dir);
    assert_int_equal(system(command), 0);
}

static struct domain_report look(struct desk *desk, const struct dns_zone *zones,
                                 struct domain_what what)
{
    SCOPED(dns_closep) struct dns *dns = NULL;
    struct domain_report           report;
    char                           servers[32];
    struct dns_peer               *peer = dns_peer_open(zones, servers);
    assert_ok(dns_open(&dns, servers, NULL));
    what.secrets = desk->secrets;
    assert_ok(domain_look(dns, &what, desk->arena, 3000, &report));
    dns_peer_close(peer);
    return report;
}

static const struct look_row *row(const struct domain_report *report, const char *about, int nth)
{
    for (uint32_t i = 0; i < report->count; i++)
        if (strcmp(report->rows[i].about, about) == 0 && nth-- == 0)
            return &report->rows[i];
    fail();
    return NULL;
}

TEST(domain_look, a_domain_with_all_its_records_is_good_and_has_nothing_to_publish)
{
    struct desk desk;
    desk_open(&desk, "news.shop.example");
    const struct dns_zone zones[] = {
        { DNS_TXT, "bounce.shop.example", "v=spf1 mx include:sendgrid.net -all" },
        { DNS_TXT, "sendgrid.net", "v=spf1 ip4:192.0.2.0/24 ~all" },
        { DNS_MX, "bounce.shop.example", "10 mx.shop.example" },
        { DNS_TXT, desk.rsa_name, desk.rsa },
        { DNS_TXT, desk.ed_name, desk.ed },
        { DNS_TXT, "_dmarc.shop.example", "v=DMARC1; p=reject" },
        { .name = NULL },
    };
    struct domain_report report =
        look(&desk, zones,
             (struct domain_what){ .domain = STR("news.shop.example"),
                                   .return_domain = STR("bounce.shop.example"),
                                   .smtp_host = STR("smtp.sendgrid.net") });
    assert_int_equal(report.count, 5);
    for (uint32_t i = 0; i < report.count; i++) {
        assert_int_equal(report.rows[i].state, LOOK_GOOD);
        assert_int_equal(report.rows[i].publish.len, 0);
    }
    assert_true(report.is_authenticated && report.is_known);
    assert_str(row(&report, "dmarc", 0)->name, "_dmarc.shop.example"); /* of the one above */
    desk_close(&desk);
}

TEST(domain_look, what_is_missing_is_told_with_the_exact_record)
{
    struct desk desk;
    desk_open(&desk, "shop.example");
    const struct dns_zone zones[] = { { DNS_A, "shop.example", "192.0.2.1" }, { .name = NULL } };
    struct domain_report  report =
        look(&desk, zones,
             (struct domain_what){ .domain = STR("shop.example"),
                                   .smtp_host = STR("mail.shop.example") });
    assert_int_equal(row(&report, "spf", 0)->state, LOOK_MISSING);
    assert_str(row(&report, "spf", 0)->publish, "v=spf1 a:mail.shop.example ~all");
    assert_str(row(&report, "dkim", 0)->name, desk.rsa_name);
    assert_str(row(&report, "dkim", 0)->publish, desk.rsa);
    assert_str(row(&report, "dkim", 1)->publish, desk.ed);
    assert_str(row(&report, "dmarc", 0)->publish,
               "v=DMARC1; p=none; rua=mailto:postmaster@shop.example");
    assert_int_equal(row(&report, "mx", 0)->state, LOOK_MISSING);
    assert_false(report.is_authenticated);
    assert_true(report.is_known);
    desk_close(&desk);
}

TEST(domain_look, a_key_that_is_another_or_revoked_or_twice_is_wrong)
{
    static const char *const there[] = { "v=DKIM1; k=rsa; p=AAAA", "v=DKIM1; p=", "hello" };
    static const char *const what[] = { "Another key", "revoked", "no key" };
    for (int i = 0; i < 3; i++) {
        struct desk desk;
        desk_open(&desk, "shop.example");
        const struct dns_zone zones[] = { { DNS_TXT, desk.rsa_name, there[i] },
                                          { DNS_TXT, desk.ed_name, desk.ed },
                                          { DNS_TXT, desk.ed_name, "v=DKIM1; p=x" },
                                          { .name = NULL } };
        struct domain_report  report =
            look(&desk, zones, (struct domain_what){ .domain = STR("shop.example") });
        assert_int_equal(row(&report, "dkim", 0)->state, LOOK_WRONG);
        assert_non_null(strstr(row(&report, "dkim", 0)->what, what[i]));
        assert_str(row(&report, "dkim", 0)->publish, desk.rsa);
        assert_int_equal(row(&report, "dkim", 1)->state, LOOK_WRONG);
        assert_false(report.is_authenticated);
        desk_close(&desk);
    }
}

TEST(domain_look, a_key_broken_over_lines_is_the_same_key)
{
    struct desk desk;
    char        broken[1200];
    desk_open(&desk, "shop.example");
    char *p = strstr(desk.rsa, "p=") + 20;
    snprintf(broken, sizeof broken, "%.*s  %s", (int)(p - desk.rsa), desk.rsa, p);
    const struct dns_zone zones[] = { { DNS_TXT, desk.rsa_name, broken }, { .name = NULL } };
    struct domain_report  report =
        look(&desk, zones, (struct domain_what){ .domain = STR("shop.example") });
    assert_int_equal(row(&report, "dkim", 0)->state, LOOK_GOOD);
    desk_close(&desk);
}

static void spf_is(const char *record, const char *other, const char *host, enum look_state state,
                   const char *publish, const char *what)
{
    struct desk desk;
    desk_open(&desk, "shop.example");
    const struct dns_zone zones[] = {
        { DNS_TXT, "shop.example", record },
        { DNS_TXT, "shop.example", other },
        { DNS_TXT, "one.example", "v=spf1 a mx a:x.example exists:y.example ptr ~all" },
        { DNS_TXT, "two.example",
          "v=spf1 include:one.example a mx a:z.example ip4:192.0.2.1 ~all" },
        { DNS_TXT, "silent.example", NULL },
        { .name = NULL },
    };
    struct domain_report report =
        look(&desk, zones,
             (struct domain_what){ .domain = STR("shop.example"), .smtp_host = str_of(host) });
    const struct look_row *spf = row(&report, "spf", 0);
    assert_int_equal(spf->state, state);
    assert_str(spf->publish, publish);
    assert_non_null(strstr(spf->what, what));
    desk_close(&desk);
}

TEST(domain_look, a_record_of_who_may_send_is_judged_as_receivers_do)
{
    spf_is("v=spf1 ip4:192.0.2.1 -all", "x", "", LOOK_GOOD, "", "0 of 10");
    spf_is("v=spf1 include:one.example -all", "x", "", LOOK_GOOD, "", "6 of 10");
    spf_is("v=spf1 include:two.example a -all", "x", "", LOOK_WRONG, "", "11 look-ups");
    spf_is("v=spf1 redirect=one.example", "x", "", LOOK_GOOD, "", "6 of 10");
    spf_is("v=spf1 include:none.example -all", "x", "", LOOK_WRONG, "", "no SPF record");
    spf_is("v=spf1 mx -all", "x", "smtp.mailgun.org", LOOK_WRONG,
           "v=spf1 mx include:mailgun.org -all", "include:mailgun.org");
    spf_is("v=spf1 a:mail.x.example ?all", "x", "mail.x.example", LOOK_GOOD, "",
           "a:mail.x.example");
    spf_is("v=spf1 mx +all", "x", "", LOOK_WRONG, "v=spf1 mx a:YOUR-MAIL-SERVER ~all", "everybody");
    spf_is("v=spf1 mx -all", "v=spf1 a -all", "mail.x.example", LOOK_WRONG,
           "v=spf1 mx a:mail.x.example -all", "2 SPF records");
    spf_is("V=SPF1 ip4:192.0.2.1 -ALL", "v=spf10 x", "", LOOK_GOOD, "", "0 of 10");
}

TEST(domain_look, a_record_that_leads_on_to_another_still_does_so_with_the_way_out_in_it)
{
    spf_is("v=spf1 redirect=one.example", "x", "mail.x.example", LOOK_WRONG,
           "v=spf1 a:mail.x.example redirect=one.example", "does not name");
    spf_is("v=spf1 a:mail.x.example redirect=one.example", "x", "mail.x.example", LOOK_GOOD, "",
           "a:mail.x.example");
    spf_is("v=spf1 mx REDIRECT=one.example", "x", "mail.x.example", LOOK_WRONG,
           "v=spf1 mx a:mail.x.example REDIRECT=one.example", "does not name");
    spf_is("v=spf1 redirect=one.example mx -all", "x", "mail.x.example", LOOK_WRONG,
           "v=spf1 redirect=one.example mx a:mail.x.example -all", "does not name");
}

TEST(domain_look, a_way_out_is_named_only_by_a_term_that_lets_send)
{
    static const char host[] = "x.example"; /* one.example lets it send */
    spf_is("v=spf1 include:one.example -all", "x", host, LOOK_GOOD, "", "a:x.example");
    spf_is("v=spf1 -include:one.example -all", "x", host, LOOK_WRONG,
           "v=spf1 -include:one.example a:x.example -all", "does not name");
    spf_is("v=spf1 ~a:x.example ~all", "x", host, LOOK_WRONG, "", "~a:x.example");
    spf_is("v=spf1 -a:x.example a:x.example ~all", "x", host, LOOK_WRONG, "", "-a:x.example");
    spf_is("v=spf1 a:x.example -a:x.example ~all", "x", host, LOOK_GOOD, "", "a:x.example");
}

TEST(domain_look, silence_is_unknown_and_no_reason_to_publish_anything_new)
{
    struct desk           desk;
    const struct dns_zone zones[] = { { DNS_TXT, "shop.example", NULL },
                                      { DNS_TXT, "_dmarc.shop.example", NULL },
                                      { .name = NULL } };
    desk_open(&desk, "shop.example");
    struct domain_report report =
        look(&desk, zones, (struct domain_what){ .domain = STR("shop.example") });
    assert_int_equal(row(&report, "spf", 0)->state, LOOK_UNKNOWN);
    assert_int_equal(row(&report, "spf", 0)->publish.len, 0);
    assert_int_equal(row(&report, "dmarc", 0)->state, LOOK_UNKNOWN);
    assert_false(report.is_known);
    desk_close(&desk);
}

TEST(domain_look, policies_that_are_no_policy_are_wrong)
{
    static const struct {
        const char     *record;
        enum look_state state;
    } cases[] = { { "v=DMARC1; p=quarantine", LOOK_GOOD },
                  { "v=DMARC1; p=none", LOOK_NOTE },
                  { "v=DMARC1; rua=mailto:a@b.example", LOOK_WRONG },
                  { "v=DMARC1; p=maybe", LOOK_WRONG },
                  { "v=DMARC2; p=reject", LOOK_MISSING } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk desk;
        desk_open(&desk, "shop.example");
        const struct dns_zone zones[] = { { DNS_TXT, "_dmarc.shop.example", cases[i].record },
                                          { .name = NULL } };
        struct domain_report  report =
            look(&desk, zones, (struct domain_what){ .domain = STR("shop.example") });
        assert_int_equal(row(&report, "dmarc", 0)->state, cases[i].state);
        desk_close(&desk);
    }
}

/* ---- services ---- */

enum { WAYS = 4 };

/* The built-in provider of that name as a way with these settings. */
static struct provider *service(struct desk *desk, const char *name, const char *settings,
                                struct way_conf *out)
{
    struct provider *provider;
    struct problem   problem = { .what = "" };
    struct json      given;
    *out = (struct way_conf){ .name = name, .kind = WAY_HTTP, .channel = CHANNEL_EMAIL };
    assert_ok(provider_parse(&provider, provider_builtin(str_of(name)), name, &problem));
    assert_ok(json_parse_once(desk->arena, str_of(settings), &given, NULL));
    assert_ok(
        provider_settings_fill(provider, desk->arena, &given, &out->settings, name, &problem));
    out->provider = provider;
    return provider;
}

static struct domain_report look_by(struct desk *desk, const struct dns_zone *zones,
                                    const struct way_conf *ways, uint32_t count)
{
    struct domain_what what = { .domain = STR("shop.example") };
    assert_ok(domain_what_fill(&what, ways, count, desk->arena));
    return look(desk, zones, what);
}

TEST(domain_look, a_service_is_told_with_its_own_records_and_ours_are_left_out_where_it_signs)
{
    struct desk           desk;
    struct way_conf       way;
    const struct dns_zone zones[] = { { DNS_TXT, "_dmarc.shop.example", "v=DMARC1; p=reject" },
                                      { .name = NULL } };
    desk_open(&desk, "shop.example");
    struct provider *provider =
        service(&desk, "postmark", "{\"server_token\":\"x\",\"dkim_selector\":\"pm1\"}", &way);
    struct domain_report report = look_by(&desk, zones, &way, 1);
    assert_int_equal(report.count, 3); /* dmarc, and two of theirs */
    assert_str(row(&report, "return", 0)->name, "pm-bounces.shop.example");
    assert_str(row(&report, "return", 0)->type, "CNAME");
    assert_str(row(&report, "return", 0)->publish, "pm.mtasv.net");
    assert_int_equal(row(&report, "return", 0)->state, LOOK_MISSING);
    assert_str(row(&report, "dkim", 0)->name, "pm1._domainkey.shop.example");
    assert_int_equal(row(&report, "dkim", 0)->state, LOOK_MISSING);
    assert_non_null(strstr(row(&report, "dkim", 0)->what, "Sender Signatures"));
    assert_false(report.is_authenticated);
    provider_close(provider);
    desk_close(&desk);
}

TEST(domain_look, what_a_service_wants_is_good_when_it_stands_there)
{
    struct desk           desk;
    struct way_conf       way;
    const struct dns_zone zones[] = {
        { DNS_CNAME, "pm-bounces.shop.example", "PM.mtasv.net" },
        { DNS_TXT, "pm1._domainkey.shop.example", "k=rsa; p=AAAA" },
        { DNS_TXT, "_dmarc.shop.example", "v=DMARC1; p=reject" },
        { .name = NULL },
    };
    desk_open(&desk, "shop.example");
    struct provider *provider =
        service(&desk, "postmark", "{\"server_token\":\"x\",\"dkim_selector\":\"pm1\"}", &way);
    struct domain_report report = look_by(&desk, zones, &way, 1);
    for (uint32_t i = 0; i < report.count; i++) {
        assert_int_equal(report.rows[i].state, LOOK_GOOD);
        assert_int_equal(report.rows[i].publish.len, 0);
    }
    assert_true(report.is_authenticated);
    provider_close(provider);
    desk_close(&desk);
}

TEST(domain_look, what_only_the_service_shows_is_a_hint_and_proves_nothing)
{
    struct desk           desk;
    struct way_conf       way;
    const struct dns_zone zones[] = { { DNS_A, "shop.example", "192.0.2.1" }, { .name = NULL } };
    desk_open(&desk, "shop.example");
    struct provider       *provider = service(&desk, "postmark", "{\"server_token\":\"x\"}", &way);
    struct domain_report   report = look_by(&desk, zones, &way, 1);
    const struct look_row *dkim = row(&report, "dkim", 0);
    assert_true(dkim->is_hint);
    assert_int_equal(dkim->state, LOOK_NOTE);
    assert_non_null(strstr(dkim->what, "Postmark: Sender Signatures"));
    assert_false(report.is_authenticated);
    provider_close(provider);
    desk_close(&desk);
}

TEST(domain_look, services_and_a_mail_server_share_one_record_of_who_may_send)
{
    struct desk           desk;
    struct way_conf       ways[WAYS] = { { .name = "own", .kind = WAY_SMTP } };
    const struct dns_zone zones[] = {
        { DNS_TXT, "shop.example", "v=spf1 a:mail.shop.example ~all" },
        { DNS_MX, "shop.example", "10 mxa.eu.mailgun.org" },
        { DNS_TXT, "bounce.shop.example", "v=spf1 include:amazonses.com ~all" },
        { DNS_TXT, "amazonses.com", "v=spf1 ip4:192.0.2.0/24 ~all" },
        { DNS_MX, "bounce.shop.example", "5 feedback-smtp.eu-west-1.amazonses.com" },
        { DNS_CNAME, "two._domainkey.shop.example", "elsewhere.example" },
        { .name = NULL },
    };
    desk_open(&desk, "shop.example");
    ways[0].smtp_url = "smtp://mail.shop.example";
    struct provider *mailgun =
        service(&desk, "mailgun",
                "{\"domain\":\"shop.example\",\"api_key\":\"x\",\"endpoint\":"
                "\"https://api.eu.mailgun.net\"}",
                &ways[1]);
    struct provider *ses =
        service(&desk, "ses",
                "{\"region\":\"eu-west-1\",\"access_key\":\"x\",\"secret_key\":\"x\","
                "\"mail_from\":\"bounce.shop.example\",\"dkim_tokens\":\"one two\"}",
                &ways[2]);
    ways[3] = ways[1]; /* the same account again wants nothing more */
    struct domain_report report = look_by(&desk, zones, ways, WAYS);

    assert_str(row(&report, "spf", 0)->name, "shop.example");
    assert_str(row(&report, "spf", 0)->publish,
               "v=spf1 a:mail.shop.example include:eu.mailgun.org ~all");
    assert_str(row(&report, "spf", 1)->name, "bounce.shop.example");
    assert_int_equal(row(&report, "spf", 1)->state, LOOK_GOOD);
    assert_int_equal(row(&report, "return", 0)->state, LOOK_GOOD); /* of its two, one is there */
    assert_str(row(&report, "return", 1)->publish, "10 mxb.eu.mailgun.org");
    assert_int_equal(row(&report, "return", 2)->state, LOOK_GOOD);
    assert_str(row(&report, "dkim", 0)->publish, desk.rsa); /* they keep our signature */
    assert_str(row(&report, "dkim", 3)->publish, "one.dkim.amazonses.com");
    assert_int_equal(row(&report, "dkim", 4)->state, LOOK_WRONG);
    assert_str(row(&report, "dkim", 4)->publish, "two.dkim.amazonses.com");
    assert_int_equal(report.count, 12);
    provider_close(mailgun);
    provider_close(ses);
    desk_close(&desk);
}

TEST(domain_look, a_key_that_the_service_alone_knows_is_any_that_was_not_revoked)
{
    static const struct {
        const char     *record;
        enum look_state state;
    } cases[] = { { "k=rsa; p=AAAA", LOOK_GOOD },
                  { "v=DKIM1; k=rsa; p=AAAA", LOOK_GOOD },
                  { "v=DKIM1; k=rsa; p=", LOOK_WRONG },
                  { "p= ;", LOOK_WRONG },
                  { "v=spf1 -all", LOOK_WRONG },
                  { "v=DMARC1; p=none", LOOK_WRONG },
                  { "", LOOK_WRONG } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct desk           desk;
        struct way_conf       way;
        const struct dns_zone zones[] = {
            { DNS_TXT, "pm1._domainkey.shop.example", cases[i].record }, { .name = NULL }
        };
        desk_open(&desk, "shop.example");
        struct provider *provider =
            service(&desk, "postmark", "{\"server_token\":\"x\",\"dkim_selector\":\"pm1\"}", &way);
        struct domain_report report = look_by(&desk, zones, &way, 1);
        assert_int_equal(row(&report, "dkim", 0)->state, cases[i].state);
        assert_int_equal(report.is_authenticated, cases[i].state == LOOK_GOOD);
        provider_close(provider);
        desk_close(&desk);
    }
}

/* A key under one selector is one domain's; the return path has the same name on each. */
TEST(domain_look, what_a_way_for_all_says_of_one_domain_is_missed_in_no_other)
{
    struct desk           desk;
    struct way_conf       way;
    struct str            own[] = { STR("shop.example"), STR("news.example") };
    const struct dns_zone none[] = { { DNS_A, "shop.example", "192.0.2.1" }, { .name = NULL } };
    const struct dns_zone there[] = { { DNS_TXT, "pm1._domainkey.shop.example", "p=AAAA" },
                                      { .name = NULL } };
    desk_open(&desk, "shop.example");
    struct provider *provider =
        service(&desk, "postmark", "{\"server_token\":\"x\",\"dkim_selector\":\"pm1\"}", &way);
    for (uint32_t domains = 0; domains < 3; domains++) {
        struct domain_what what = { .domain = STR("shop.example"), .has_others = true };
        way.domains = own;
        way.domains_count = domains;
        assert_ok(domain_what_fill(&what, &way, 1, desk.arena));
        struct domain_report report = look(&desk, none, what);
        assert_int_equal(row(&report, "return", 0)->state, LOOK_MISSING);
        assert_int_equal(row(&report, "dkim", 0)->state, domains == 1 ? LOOK_MISSING : LOOK_NOTE);
        assert_int_equal(row(&report, "dkim", 0)->is_hint, domains != 1);
        assert_false(report.is_authenticated);
        report = look(&desk, there, what);
        assert_int_equal(row(&report, "dkim", 0)->state, LOOK_GOOD);
        assert_true(report.is_authenticated);
    }
    provider_close(provider);
    desk_close(&desk);
}

TEST(domain_look, each_of_many_ways_out_has_to_be_named)
{
    enum { SERVERS = DOMAIN_HOSTS_MAX + 1 };
    struct desk           desk;
    struct domain_what    what = { .domain = STR("shop.example") };
    struct way_conf       ways[SERVERS + 1] = { { .name = NULL } };
    char                  urls[SERVERS][40];
    const struct dns_zone zones[] = { { DNS_TXT, "shop.example",
                                        "v=spf1 include:mailgun.org ip4:192.0.2.0 ip4:192.0.2.1 "
                                        "ip4:192.0.2.2 ip4:192.0.2.3 ip4:192.0.2.4 ip4:192.0.2.5 "
                                        "ip4:192.0.2.6 ~all" },
                                      { DNS_TXT, "mailgun.org", "v=spf1 ip4:192.0.2.9 ~all" },
                                      { .name = NULL } };
    desk_open(&desk, "shop.example");
    struct provider *mailgun =
        service(&desk, "mailgun", "{\"domain\":\"shop.example\",\"api_key\":\"x\"}", &ways[0]);
    for (int i = 0; i < SERVERS; i++) {
        snprintf(urls[i], sizeof urls[i], "smtp://192.0.2.%d", i);
        ways[i + 1] = (struct way_conf){ .name = "own", .kind = WAY_SMTP, .smtp_url = urls[i] };
    }
    assert_ok(domain_what_fill(&what, ways, SERVERS + 1, desk.arena));
    struct domain_report report = look(&desk, zones, what);
    assert_int_equal(row(&report, "spf", 0)->state, LOOK_WRONG);
    assert_non_null(strstr(row(&report, "spf", 0)->what, "ip4:192.0.2.7"));
    provider_close(mailgun);
    desk_close(&desk);
}

static void mailgun_is(const char *endpoint, const char *record, enum look_state state,
                       const char *publish)
{
    struct desk           desk;
    struct way_conf       way;
    char                  settings[200];
    const struct dns_zone zones[] = { { DNS_TXT, "shop.example", record },
                                      { DNS_TXT, "mailgun.org", "v=spf1 ip4:192.0.2.1 ~all" },
                                      { DNS_TXT, "eu.mailgun.org", "v=spf1 ip4:192.0.2.2 ~all" },
                                      { .name = NULL } };
    desk_open(&desk, "shop.example");
    snprintf(settings, sizeof settings,
             "{\"domain\":\"shop.example\",\"api_key\":\"x\",\"endpoint\":\"%s\"}", endpoint);
    struct provider     *mailgun = service(&desk, "mailgun", settings, &way);
    struct domain_report report = look_by(&desk, zones, &way, 1);
    assert_int_equal(row(&report, "spf", 0)->state, state);
    assert_str(row(&report, "spf", 0)->publish, publish);
    provider_close(mailgun);
    desk_close(&desk);
}

/* mailgun.org includes the European servers, too. */
TEST(domain_look, europeans_of_mailgun_may_include_either_of_its_records_and_others_only_one)
{
    static const char eu[] = "https://api.eu.mailgun.net", us[] = "https://api.mailgun.net";
    mailgun_is(eu, "v=spf1 include:eu.mailgun.org ~all", LOOK_GOOD, "");
    mailgun_is(eu, "v=spf1 include:mailgun.org ~all", LOOK_GOOD, "");
    mailgun_is(eu, "v=spf1 mx ~all", LOOK_WRONG, "v=spf1 mx include:eu.mailgun.org ~all");
    mailgun_is(us, "v=spf1 include:mailgun.org ~all", LOOK_GOOD, "");
    mailgun_is(us, "v=spf1 include:eu.mailgun.org ~all", LOOK_WRONG,
               "v=spf1 include:eu.mailgun.org include:mailgun.org ~all");
}

static void dkim_leads_to(const char *region, const char *host)
{
    static const char *const tokens[] = { "one", "two", "three" };
    struct desk              desk;
    struct way_conf          way;
    char                     settings[200], names[3][60], values[3][80];
    struct dns_zone          zones[4] = { { .name = NULL } };
    desk_open(&desk, "shop.example");
    snprintf(settings, sizeof settings,
             "{\"region\":\"%s\",\"access_key\":\"x\",\"secret_key\":\"x\","
             "\"dkim_tokens\":\"one two three\"}",
             region);
    for (int i = 0; i < 3; i++) {
        snprintf(names[i], sizeof names[i], "%s._domainkey.shop.example", tokens[i]);
        snprintf(values[i], sizeof values[i], "%s.%s", tokens[i], host);
        zones[i] = (struct dns_zone){ DNS_CNAME, names[i], values[i] };
    }
    struct provider     *ses = service(&desk, "ses", settings, &way);
    struct domain_report report = look_by(&desk, zones, &way, 1);
    for (int i = 0; i < 3; i++) /* behind our own keys */
        assert_int_equal(row(&report, "dkim", SECRETS_DKIM_KEYS + i)->state, LOOK_GOOD);
    provider_close(ses);
    desk_close(&desk);
}

/* The table "DKIM domains" of the AWS General Reference, and a region that it does not know. */
TEST(domain_look, easy_dkim_leads_to_a_domain_of_its_region_but_for_the_old_regions)
{
    dkim_leads_to("eu-west-1", "dkim.amazonses.com");
    dkim_leads_to("me-south-1", "dkim.amazonses.com");
    dkim_leads_to("ap-south-1", "dkim.amazonses.com");
    dkim_leads_to("us-gov-west-1", "dkim.amazonses.com");
    dkim_leads_to("ap-south-2", "dkim.ap-south-2.amazonses.com");
    dkim_leads_to("eu-south-1", "dkim.eu-south-1.amazonses.com");
    dkim_leads_to("us-gov-east-1", "dkim.us-gov-east-1.amazonses.com");
    dkim_leads_to("xx-later-1", "dkim.xx-later-1.amazonses.com");
}

TEST(domain_look, a_way_for_other_domains_wants_nothing_of_this_one)
{
    struct desk        desk;
    struct way_conf    way;
    struct domain_what what = { .domain = STR("shop.example") };
    struct str         other = STR("other.example");
    desk_open(&desk, "shop.example");
    struct provider *provider = service(&desk, "postmark", "{\"server_token\":\"x\"}", &way);
    way.domains = &other;
    way.domains_count = 1;
    assert_ok(domain_what_fill(&what, &way, 1, desk.arena));
    assert_int_equal(what.wants_count, 0);
    assert_false(what.no_smtp || what.no_keys);
    provider_close(provider);
    desk_close(&desk);
}
