#include "run/send/domain_look.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

enum { SPF_DEPTH_MAX = 10, TEXT_BYTES_MAX = 4096 };

const char *look_state_name(enum look_state state)
{
    static const char *const names[] = { [LOOK_GOOD] = "good",
                                         [LOOK_NOTE] = "note",
                                         [LOOK_MISSING] = "missing",
                                         [LOOK_WRONG] = "wrong",
                                         [LOOK_UNKNOWN] = "unknown" };
    return names[state];
}

struct looking {
    struct dns               *dns;
    const struct domain_what *what;
    struct arena             *arena;
    int64_t                   until_us;
    struct domain_report     *out;
};

static void row_say(struct look_row *row, enum look_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void row_say(struct look_row *row, enum look_state state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(row->what, sizeof row->what, format, args);
    va_end(args);
    row->state = state;
}

static void ask(struct looking *looking, struct dns_question *questions, uint32_t count)
{
    int64_t left_ms = (looking->until_us - time_mono_us()) / 1000;
    dns_ask(looking->dns, questions, count, looking->arena, left_ms > 0 ? left_ms : 0);
}

static struct look_row *row_add(struct looking *looking, const char *about, struct str name,
                                const char *type)
{
    struct look_row *row = &looking->out->rows[looking->out->count++];
    *row = (struct look_row){ .about = about, .name = name, .type = str_of(type) };
    return row;
}

static void found_keep(struct look_row *row, struct str record)
{
    if (row->found_count < sizeof row->found / sizeof row->found[0])
        row->found[row->found_count++] = record;
}

/* Records that begin with the tag, as "v=spf1". */
static uint32_t tagged(const struct dns_question *question, const char *tag, struct look_row *row,
                       struct str *first)
{
    uint32_t count = 0;
    size_t   len = strlen(tag);
    for (uint32_t i = 0; i < question->count; i++) {
        struct str record = str_trim(question->records[i]);
        bool is_it = record.len >= len && str_eq_nocase(str_slice(record, 0, len), str_of(tag)) &&
                     (record.len == len || record.ptr[len] == ' ' || record.ptr[len] == ';');
        if (!is_it)
            continue;
        if (count++ == 0)
            *first = record;
        found_keep(row, record);
    }
    return count;
}

/* ---- SPF ---- */

struct spf {
    struct looking *looking;
    struct str      wanted; /* the mechanism that names the way out; empty: not known */
    uint32_t        lookups;
    bool            names_it, is_unknown, is_broken;
    char            all; /* the qualifier of `all` in the domain's own record; 0: none */
};

/* What the services tell their customers to include. */
static const struct {
    const char *host, *include;
} services[] = {
    { "amazonaws.com", "amazonses.com" },
    { "sendgrid.net", "sendgrid.net" },
    { "mailgun.org", "mailgun.org" },
    { "postmarkapp.com", "spf.mtasv.net" },
    { "gmail.com", "_spf.google.com" },
    { "google.com", "_spf.google.com" },
    { "office365.com", "spf.protection.outlook.com" },
    { "sparkpostmail.com", "_spf.sparkpostmail.com" },
    { "mandrillapp.com", "spf.mandrillapp.com" },
    { "mailjet.com", "spf.mailjet.com" },
    { "brevo.com", "spf.brevo.com" },
};

static bool is_below(struct str host, const char *domain)
{
    size_t len = strlen(domain);
    return host.len >= len &&
           str_eq_nocase(str_slice(host, host.len - len, host.len), str_of(domain)) &&
           (host.len == len || host.ptr[host.len - len - 1] == '.');
}

static struct str way_out(struct looking *looking)
{
    struct str host = looking->what->smtp_host;
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        if (is_below(host, services[i].host))
            return str_format(looking->arena, "include:%s", services[i].include);
    bool is_near =
        host.len == 0 || str_find_char(host, 0, '.') == host.len || str_eq(host, STR("127.0.0.1"));
    if (is_near)
        return STR_NONE;
    bool is_address = host.ptr[host.len - 1] >= '0' && host.ptr[host.len - 1] <= '9';
    return str_format(looking->arena, is_address ? "ip4:%.*s" : "a:%.*s", STR_ARG(host));
}

static void spf_walk(struct spf *spf, struct str record, int depth);

static void spf_follow(struct spf *spf, struct str name, int depth)
{
    struct dns_question question = { .type = DNS_TXT, .name = name };
    struct look_row     ignored = { .found_count = 0 };
    struct str          record = STR_NONE;
    if (depth == SPF_DEPTH_MAX || spf->lookups > 2 * SPF_LOOKUPS_MAX ||
        str_find_char(name, 0, '%') < name.len) /* a macro: it depends on the mail */
        return;
    ask(spf->looking, &question, 1);
    if (question.found == DNS_UNKNOWN)
        spf->is_unknown = true;
    else if (tagged(&question, "v=spf1", &ignored, &record) != 1)
        spf->is_broken = true; /* an include without a record is an error of the whole */
    else
        spf_walk(spf, record, depth + 1);
}

static bool starts(struct str text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && str_eq_nocase(str_slice(text, 0, len), str_of(with));
}

/* a, mx, ptr and exists cost a look-up, too; ip4, ip6 and all do not. */
static bool costs(struct str term)
{
    static const char *const kinds[] = { "a", "mx", "ptr", "exists", NULL };
    for (const char *const *kind = kinds; *kind != NULL; kind++) {
        size_t len = strlen(*kind);
        if (starts(term, *kind) &&
            (term.len == len || term.ptr[len] == ':' || term.ptr[len] == '/'))
            return true;
    }
    return false;
}

static void spf_walk(struct spf *spf, struct str record, int depth)
{
    struct str rest = record, term, redirect = STR_NONE;
    bool       has_all = false;
    while (str_split(&rest, ' ', &term)) {
        char qualifier = '+';
        if (term.len > 0 && strchr("+-~?", term.ptr[0]) != NULL) {
            qualifier = term.ptr[0];
            term = str_slice(term, 1, term.len);
        }
        if (spf->wanted.len > 0 && str_eq_nocase(term, spf->wanted))
            spf->names_it = true;
        if (str_eq_nocase(term, STR("all"))) {
            has_all = true;
            if (depth == 0)
                spf->all = qualifier;
        } else if (starts(term, "include:")) {
            spf->lookups++;
            spf_follow(spf, str_slice(term, strlen("include:"), term.len), depth);
        } else if (starts(term, "redirect="))
            redirect = str_slice(term, strlen("redirect="), term.len);
        else
            spf->lookups += costs(term);
    }
    if (redirect.len == 0 || has_all)
        return;
    spf->lookups++;
    if (depth == 0)
        spf->all = 'r';
    spf_follow(spf, redirect, depth);
}

/* The record as it should be: the old one with the way out before its `all`. */
static struct str spf_publish(struct looking *looking, struct str record, struct str wanted)
{
    struct str way = wanted.len > 0 ? wanted : STR("a:YOUR-MAIL-SERVER");
    if (record.len == 0)
        return str_format(looking->arena, "v=spf1 %.*s ~all", STR_ARG(way));
    size_t at = record.len;
    for (size_t i = 0; i + 4 <= record.len; i++)
        if (record.ptr[i] == ' ' && (str_eq_nocase(str_slice(record, i + 1, i + 4), STR("all")) ||
                                     str_eq_nocase(str_slice(record, i + 2, i + 5), STR("all"))))
            at = i;
    struct str end = at < record.len && !starts(str_slice(record, at, record.len), " +all") &&
                             !starts(str_slice(record, at, record.len), " all")
                         ? str_slice(record, at, record.len)
                         : STR(" ~all");
    bool       named = str_find(record, 0, way) < record.len;
    return str_format(looking->arena, "%.*s%s%.*s%.*s", STR_ARG(str_slice(record, 0, at)),
                      named ? "" : " ", STR_ARG(named ? STR_NONE : way), STR_ARG(end));
}

static void spf_judge(struct looking *looking, struct look_row *row, struct str record)
{
    struct spf spf = { .looking = looking, .wanted = way_out(looking) };
    spf_walk(&spf, record, 0);
    row->publish = spf_publish(looking, record, spf.wanted);
    if (spf.lookups > SPF_LOOKUPS_MAX) {
        row->publish = STR_NONE;
        row_say(row, LOOK_WRONG,
                "It takes %s%u look-ups, and 10 is the most: receivers take it for broken. Replace "
                "includes by ip4: and ip6:.",
                spf.is_unknown ? "at least " : "", spf.lookups);
    } else if (spf.is_broken) {
        row->publish = STR_NONE;
        row_say(row, LOOK_WRONG,
                "It includes a domain that has no SPF record: receivers take it "
                "for broken.");
    } else if (spf.is_unknown)
        row_say(row, LOOK_UNKNOWN, "What it includes could not be looked up.");
    else if (spf.all == '+')
        row_say(row, LOOK_WRONG, "It ends in \"all\" that lets everybody send in this name.");
    else if (spf.wanted.len > 0 && !spf.names_it)
        row_say(row, LOOK_WRONG, "It does not name the way our mail goes: %.*s.",
                STR_ARG(spf.wanted));
    else if (spf.all == 0)
        row_say(row, LOOK_NOTE, "It does not say what becomes of all others: end it in ~all.");
    else {
        row->publish = STR_NONE;
        row_say(row, LOOK_GOOD,
                spf.wanted.len > 0 ? "It names %.*s, in %u of 10 look-ups."
                                   : "It is one%.*s, with %u of 10 look-ups.",
                STR_ARG(spf.wanted), spf.lookups);
    }
}

static void spf_look(struct looking *looking, const struct dns_question *question)
{
    struct look_row *row = row_add(looking, "spf", question->name, "TXT");
    struct str       record = STR_NONE;
    uint32_t         count = tagged(question, "v=spf1", row, &record);
    if (question->found == DNS_UNKNOWN) {
        row_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question->why);
        return;
    }
    if (count == 1) {
        spf_judge(looking, row, record);
        return;
    }
    row->publish = spf_publish(looking, record, way_out(looking));
    if (count == 0)
        row_say(row, LOOK_MISSING, "There is no SPF record.");
    else
        row_say(row, LOOK_WRONG,
                "There are %u SPF records, and only one may be: put them into one.", count);
}

/* ---- DKIM ---- */

/* The value of a tag, without white space. */
static bool tag_value(struct str record, char tag, char *out, size_t room)
{
    struct str rest = record, part;
    while (str_split(&rest, ';', &part)) {
        size_t     equals = str_find_char(part, 0, '=');
        struct str name = str_trim(str_slice(part, 0, equals));
        size_t     len = 0;
        if (equals == part.len || name.len != 1 || (name.ptr[0] | 0x20) != tag)
            continue;
        for (size_t i = equals + 1; i < part.len && len + 1 < room; i++)
            if (strchr(" \t\r\n", part.ptr[i]) == NULL)
                out[len++] = part.ptr[i];
        out[len] = '\0';
        return true;
    }
    return false;
}

static void dkim_judge(struct look_row *row, const struct dns_question *question, struct str ours)
{
    char wanted[TEXT_BYTES_MAX] = "", there[TEXT_BYTES_MAX] = "";
    row->publish = ours;
    (void)tag_value(ours, 'p', wanted, sizeof wanted);
    for (uint32_t i = 0; i < question->count; i++)
        found_keep(row, question->records[i]);
    if (question->found == DNS_UNKNOWN) {
        row_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question->why);
    } else if (question->count == 0) {
        row_say(row, LOOK_MISSING, "The key is not published.");
    } else if (question->count > 1) {
        row_say(row, LOOK_WRONG, "There are %u records, and only one may be.", question->count);
    } else if (!tag_value(question->records[0], 'p', there, sizeof there)) {
        row_say(row, LOOK_WRONG, "What stands there is no key.");
    } else if (there[0] == '\0') {
        row_say(row, LOOK_WRONG, "The key was revoked: its p= is empty.");
    } else if (strcmp(there, wanted) != 0) {
        row_say(row, LOOK_WRONG, "Another key is published: our signatures do not fit it.");
    } else {
        row->publish = STR_NONE;
        row_say(row, LOOK_GOOD, "Our key is published.");
    }
}

struct keys {
    struct dkim_key *keys[SECRETS_DKIM_KEYS];
};

static void keys_done(struct keys *keys)
{
    for (int i = 0; i < SECRETS_DKIM_KEYS; i++)
        dkim_key_close(keys->keys[i]);
}

static enum err text_of(enum err (*write)(const struct dkim_key *, struct buf *),
                        const struct dkim_key *key, struct arena *arena, struct str *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(TEXT_BYTES_MAX);
    TRY(write(key, &text));
    TRY(buf_err(&text));
    *out = str_copy(arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err name_write(const struct dkim_key *key, struct buf *out)
{
    dkim_record_name(key, out);
    return buf_err(out);
}

/* The operator's own key may be another domain's. */
static enum err dkim_names(struct looking *looking, struct dns_question *questions,
                           struct str *records, uint32_t *count)
{
    SCOPED(keys_done) struct keys opened = { .keys = { NULL } };
    const struct secrets         *secrets = looking->what->secrets;
    *count = 0;
    if (secrets == NULL)
        return OK;
    TRY(secrets_dkim_open(secrets, looking->what->domain, opened.keys, NULL));
    for (size_t i = 0; i < secrets_dkim_count(secrets); i++) {
        struct dns_question *question = &questions[*count];
        *question = (struct dns_question){ .type = DNS_TXT };
        TRY(text_of(name_write, opened.keys[i], looking->arena, &question->name));
        TRY(text_of(dkim_record_write, opened.keys[i], looking->arena, &records[*count]));
        (*count)++;
    }
    return OK;
}

/* ---- DMARC ---- */

/* "p=reject" in "v=DMARC1; p=reject; ..." */
static bool policy_of(struct str record, char *out, size_t room)
{
    return tag_value(record, 'p', out, room);
}

static struct str above(struct str domain)
{
    size_t     dot = str_find_char(domain, 0, '.');
    struct str rest = str_slice(domain, dot + 1, domain.len);
    return str_find_char(rest, 0, '.') < rest.len ? rest : STR_NONE;
}

static void dmarc_judge(struct look_row *row, struct str record, uint32_t count)
{
    char policy[16] = "";
    if (count > 1)
        row_say(row, LOOK_WRONG, "There are %u DMARC records, and only one may be.", count);
    else if (!policy_of(record, policy, sizeof policy))
        row_say(row, LOOK_WRONG, "It has no policy: p=none, p=quarantine or p=reject.");
    else if (strcmp(policy, "none") == 0) {
        row->publish = STR_NONE;
        row_say(
            row, LOOK_NOTE,
            "Its policy is p=none: forged mail is delivered. Go on to p=quarantine when reports "
            "are clean.");
    } else if (strcmp(policy, "quarantine") == 0 || strcmp(policy, "reject") == 0) {
        row->publish = STR_NONE;
        row_say(row, LOOK_GOOD, "Its policy is p=%s; our mail passes by its DKIM signature.",
                policy);
    } else
        row_say(row, LOOK_WRONG, "There is no policy p=%s.", policy);
}

/* The record of the domain, or of one above it: receivers look no further than that. */
static void dmarc_look(struct looking *looking)
{
    struct str       domain = looking->what->domain;
    struct str       name = str_format(looking->arena, "_dmarc.%.*s", STR_ARG(domain));
    struct look_row *row = row_add(looking, "dmarc", name, "TXT");
    row->publish =
        str_format(looking->arena, "v=DMARC1; p=none; rua=mailto:postmaster@%.*s", STR_ARG(domain));
    for (struct str at = domain; at.len > 0; at = above(at)) {
        struct dns_question question = { .type = DNS_TXT };
        struct str          record = STR_NONE;
        question.name = str_format(looking->arena, "_dmarc.%.*s", STR_ARG(at));
        ask(looking, &question, 1);
        if (question.found == DNS_UNKNOWN) {
            row_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question.why);
            return;
        }
        uint32_t count = tagged(&question, "v=DMARC1", row, &record);
        if (count == 0)
            continue;
        row->name = question.name;
        dmarc_judge(row, record, count);
        return;
    }
    row_say(row, LOOK_MISSING,
            "There is no DMARC policy: Gmail and Yahoo want one of who sends much.");
}

/* ---- what comes back ---- */

static void mx_look(struct looking *looking, const struct dns_question *question)
{
    struct look_row *row = row_add(looking, "mx", question->name, "MX");
    for (uint32_t i = 0; i < question->count; i++)
        found_keep(row, question->records[i]);
    if (question->found == DNS_UNKNOWN)
        row_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question->why);
    else if (question->count > 0 && !str_ends(question->records[0], STR(" .")))
        row_say(row, LOOK_GOOD, "What comes back finds a host.");
    else {
        row->publish = str_format(looking->arena, "10 YOUR-MAIL-SERVER");
        row_say(row, LOOK_MISSING, "No host takes mail for it: nothing comes back from there.");
    }
}

/* ---- all of it ---- */

static void report_end(struct domain_report *report)
{
    bool spf = false, dkim = false;
    report->is_known = true;
    for (uint32_t i = 0; i < report->count; i++) {
        const struct look_row *row = &report->rows[i];
        bool                   good = row->state == LOOK_GOOD || row->state == LOOK_NOTE;
        spf = spf || (good && strcmp(row->about, "spf") == 0);
        dkim = dkim || (good && strcmp(row->about, "dkim") == 0);
        report->is_known = report->is_known && row->state != LOOK_UNKNOWN;
    }
    report->is_authenticated = spf || dkim;
}

enum err domain_look(struct dns *dns, const struct domain_what *what, struct arena *arena,
                     int64_t wait_ms, struct domain_report *out)
{
    struct looking      looking = { .dns = dns,
                                    .what = what,
                                    .arena = arena,
                                    .until_us = time_mono_us() + wait_ms * 1000,
                                    .out = out };
    struct str          back = what->return_domain.len > 0 ? what->return_domain : what->domain;
    struct dns_question first[SECRETS_DKIM_KEYS + 2];
    struct str          records[SECRETS_DKIM_KEYS];
    uint32_t            keys;
    *out = (struct domain_report){ .count = 0 };
    TRY(dkim_names(&looking, first, records, &keys));
    first[keys] = (struct dns_question){ .type = DNS_TXT, .name = back };
    first[keys + 1] = (struct dns_question){ .type = DNS_MX, .name = back };
    ask(&looking, first, keys + 2);
    spf_look(&looking, &first[keys]);
    for (uint32_t i = 0; i < keys; i++)
        dkim_judge(row_add(&looking, "dkim", first[i].name, "TXT"), &first[i], records[i]);
    dmarc_look(&looking);
    mx_look(&looking, &first[keys + 1]);
    report_end(out);
    return OK;
}
