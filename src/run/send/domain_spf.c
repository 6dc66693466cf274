/* Who may send in a domain's name: its SPF record (RFC 7208), and what it should be. */
#include "run/send/domain_inside.h"

#include <stdio.h>
#include <string.h>

enum { SPF_DEPTH_MAX = 10 };

/* ---- SPF ---- */

struct spf {
    struct looking *looking;
    struct str      wanted[SPF_WANTED_MAX]; /* what names the ways out, each "this or-this" */
    struct str      named[SPF_WANTED_MAX];  /* which of them stands there; empty: none */
    uint32_t        wanted_count;
    struct str      against; /* a term that keeps one of them out: "-include:x" */
    bool            is_shut; /* within an include whose match lets nobody send */
    uint32_t        lookups;
    bool            is_unknown, is_broken;
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

struct str spf_way_out(struct arena *arena, struct str host)
{
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++)
        if (is_below(host, services[i].host))
            return str_format(arena, "include:%s", services[i].include);
    bool is_near =
        host.len == 0 || str_find_char(host, 0, '.') == host.len || str_eq(host, STR("127.0.0.1"));
    if (is_near)
        return STR_NONE;
    bool is_address = host.ptr[host.len - 1] >= '0' && host.ptr[host.len - 1] <= '9';
    return str_format(arena, is_address ? "ip4:%.*s" : "a:%.*s", STR_ARG(host));
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
    look_ask(spf->looking, &question, 1);
    if (question.found == DNS_UNKNOWN)
        spf->is_unknown = true;
    else if (look_tagged(&question, "v=spf1", &ignored, &record) != 1)
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

static bool is_open(char qualifier)
{
    return qualifier == '+';
}

/* Only a term that lets send names a way. What another record keeps out, ours may let in yet. */
static void spf_name(struct spf *spf, struct str term, char qualifier, int depth)
{
    for (uint32_t i = 0; i < spf->wanted_count; i++) {
        struct str rest = spf->wanted[i], one;
        while (str_split(&rest, ' ', &one)) {
            if (!str_eq_nocase(term, one))
                continue;
            if (!is_open(qualifier) && depth == 0 && spf->named[i].len == 0)
                spf->against = str_format(spf->looking->arena, "%c%.*s", qualifier, STR_ARG(term));
            else if (is_open(qualifier))
                spf->named[i] = one;
        }
    }
}

/* What another's record lets send is let in here only where the include itself does. */
static void spf_include(struct spf *spf, struct str name, char qualifier, int depth)
{
    bool was_shut = spf->is_shut;
    spf->is_shut = was_shut || !is_open(qualifier);
    spf->lookups++;
    spf_follow(spf, name, depth);
    spf->is_shut = was_shut;
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
        if (!spf->is_shut)
            spf_name(spf, term, qualifier, depth);
        if (str_eq_nocase(term, STR("all"))) {
            has_all = true;
            if (depth == 0)
                spf->all = qualifier;
        } else if (starts(term, "include:"))
            spf_include(spf, str_slice(term, strlen("include:"), term.len), qualifier, depth);
        else if (starts(term, "redirect="))
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

/* Those that are wanted and not named, each behind a blank. */
static struct str not_named(const struct spf *spf)
{
    struct str out = STR_NONE;
    for (uint32_t i = 0; i < spf->wanted_count; i++) {
        struct str first = str_slice(spf->wanted[i], 0, str_find_char(spf->wanted[i], 0, ' '));
        if (spf->named[i].len == 0)
            out = str_format(spf->looking->arena, "%.*s %.*s", STR_ARG(out), STR_ARG(first));
    }
    return out;
}

/* "all" with any qualifier; "redirect=" with any value. */
static bool is_term(struct str text, const char *name)
{
    struct str term = str_slice(text, 0, str_find_char(text, 0, ' '));
    if (term.len > 0 && strchr("+-~?", term.ptr[0]) != NULL)
        term = str_slice(term, 1, term.len);
    return strchr(name, '=') != NULL ? starts(term, name) : str_eq_nocase(term, str_of(name));
}

/* The last such term's place, with the blank before it; the record's length: there is none. */
static size_t term_find(struct str record, const char *name)
{
    for (size_t at = record.len; at-- > 0;)
        if (record.ptr[at] == ' ' && is_term(str_slice(record, at + 1, record.len), name))
            return at;
    return record.len;
}

/* The record as it should be: the old one with the ways out before its end. That is its `all`, or
 * a redirect, which would be ignored beside an `all` of ours (RFC 7208, 6.1). */
static struct str spf_publish(const struct spf *spf, struct str record)
{
    struct arena *arena = spf->looking->arena;
    struct str    ways = spf->wanted_count > 0 ? not_named(spf) : STR(" a:YOUR-MAIL-SERVER");
    if (record.len == 0)
        return str_format(arena, "v=spf1%.*s ~all", STR_ARG(ways));
    size_t     all = term_find(record, "all");
    size_t     at = all < record.len ? all : term_find(record, "redirect=");
    struct str end = str_slice(record, at, record.len);
    if (end.len == 0 || starts(end, " +all") || starts(end, " all"))
        end = STR(" ~all");
    return str_format(arena, "%.*s%.*s%.*s", STR_ARG(str_slice(record, 0, at)), STR_ARG(ways),
                      STR_ARG(end));
}

static struct str all_named(const struct spf *spf)
{
    struct str out = STR_NONE;
    for (uint32_t i = 0; i < spf->wanted_count; i++)
        out = str_format(spf->looking->arena, "%.*s%s%.*s", STR_ARG(out), i == 0 ? "" : ", ",
                         STR_ARG(spf->named[i]));
    return out;
}

static void spf_judge(struct spf *spf, struct look_row *row, struct str record)
{
    spf_walk(spf, record, 0);
    struct str lacks = not_named(spf);
    row->publish = spf_publish(spf, record);
    if (spf->lookups > SPF_LOOKUPS_MAX) {
        row->publish = STR_NONE;
        look_say(row, LOOK_WRONG,
                 "It takes %s%u look-ups, and 10 is the most: receivers take it for broken. "
                 "Replace includes by ip4: and ip6:.",
                 spf->is_unknown ? "at least " : "", spf->lookups);
    } else if (spf->is_broken) {
        row->publish = STR_NONE;
        look_say(row, LOOK_WRONG,
                 "It includes a domain that has no SPF record: receivers take it "
                 "for broken.");
    } else if (spf->is_unknown)
        look_say(row, LOOK_UNKNOWN, "What it includes could not be looked up.");
    else if (spf->all == '+')
        look_say(row, LOOK_WRONG, "It ends in \"all\" that lets everybody send in this name.");
    else if (spf->against.len > 0) {
        row->publish = STR_NONE;
        look_say(row, LOOK_WRONG, "Its %.*s keeps our mail out: write it without the sign.",
                 STR_ARG(spf->against));
    } else if (lacks.len > 0)
        look_say(row, LOOK_WRONG, "It does not name the way our mail goes:%.*s.", STR_ARG(lacks));
    else if (spf->all == 0)
        look_say(row, LOOK_NOTE, "It does not say what becomes of all others: end it in ~all.");
    else {
        row->publish = STR_NONE;
        look_say(row, LOOK_GOOD,
                 spf->wanted_count > 0 ? "It names %.*s, in %u of 10 look-ups."
                                       : "It is one%.*s, with %u of 10 look-ups.",
                 STR_ARG(all_named(spf)), spf->lookups);
    }
}

static bool is_wanted(const struct spf *spf, struct str mechanism)
{
    for (uint32_t i = 0; i < spf->wanted_count; i++)
        if (str_eq_nocase(spf->wanted[i], mechanism))
            return true;
    return false;
}

void spf_look(struct looking *looking, const struct dns_question *question,
              const struct str *wanted, uint32_t wanted_count)
{
    struct look_row *row = look_row_add(looking, "spf", question->name, "TXT");
    struct spf       spf = { .looking = looking };
    struct str       record = STR_NONE;
    if (row == NULL)
        return;
    for (uint32_t i = 0; i < wanted_count; i++)
        if (wanted[i].len > 0 && !is_wanted(&spf, wanted[i]))
            spf.wanted[spf.wanted_count++] = wanted[i];
    uint32_t count = look_tagged(question, "v=spf1", row, &record);
    if (question->found == DNS_UNKNOWN) {
        look_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question->why);
        return;
    }
    if (count == 1) {
        spf_judge(&spf, row, record);
        return;
    }
    if (count > 1)
        spf_walk(&spf, record, 0); /* what the first names already is not named again */
    row->publish = spf_publish(&spf, record);
    if (count == 0)
        look_say(row, LOOK_MISSING, "There is no SPF record.");
    else
        look_say(row, LOOK_WRONG,
                 "There are %u SPF records, and only one may be: put them into one.", count);
}
