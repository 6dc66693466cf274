#include "run/send/domain_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

enum { TEXT_BYTES_MAX = 4096 };

const char *look_state_name(enum look_state state)
{
    static const char *const names[] = { [LOOK_GOOD] = "good",
                                         [LOOK_NOTE] = "note",
                                         [LOOK_MISSING] = "missing",
                                         [LOOK_WRONG] = "wrong",
                                         [LOOK_UNKNOWN] = "unknown" };
    return names[state];
}

void look_say(struct look_row *row, enum look_state state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(row->what, sizeof row->what, format, args);
    va_end(args);
    row->state = state;
}

void look_ask(struct looking *looking, struct dns_question *questions, uint32_t count)
{
    int64_t left_ms = (looking->until_us - time_mono_us()) / 1000;
    dns_ask(looking->dns, questions, count, looking->arena, left_ms > 0 ? left_ms : 0);
}

struct look_row *look_row_add(struct looking *looking, const char *about, struct str name,
                              const char *type)
{
    if (looking->out->count == DOMAIN_ROWS_MAX)
        return NULL;
    struct look_row *row = &looking->out->rows[looking->out->count++];
    *row = (struct look_row){ .about = about, .name = name, .type = str_of(type) };
    return row;
}

void look_found(struct look_row *row, struct str record)
{
    if (row->found_count < sizeof row->found / sizeof row->found[0])
        row->found[row->found_count++] = record;
}

/* Records that begin with the tag, as "v=spf1". */
uint32_t look_tagged(const struct dns_question *question, const char *tag, struct look_row *row,
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
        look_found(row, record);
    }
    return count;
}

/* ---- DKIM ---- */

bool look_tag(struct str record, char tag, char *out, size_t room)
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
    (void)look_tag(ours, 'p', wanted, sizeof wanted);
    for (uint32_t i = 0; i < question->count; i++)
        look_found(row, question->records[i]);
    if (question->found == DNS_UNKNOWN) {
        look_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question->why);
    } else if (question->count == 0) {
        look_say(row, LOOK_MISSING, "The key is not published.");
    } else if (question->count > 1) {
        look_say(row, LOOK_WRONG, "There are %u records, and only one may be.", question->count);
    } else if (!look_tag(question->records[0], 'p', there, sizeof there)) {
        look_say(row, LOOK_WRONG, "What stands there is no key.");
    } else if (there[0] == '\0') {
        look_say(row, LOOK_WRONG, "The key was revoked: its p= is empty.");
    } else if (strcmp(there, wanted) != 0) {
        look_say(row, LOOK_WRONG, "Another key is published: our signatures do not fit it.");
    } else {
        row->publish = STR_NONE;
        look_say(row, LOOK_GOOD, "Our key is published.");
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
    return look_tag(record, 'p', out, room);
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
        look_say(row, LOOK_WRONG, "There are %u DMARC records, and only one may be.", count);
    else if (!policy_of(record, policy, sizeof policy))
        look_say(row, LOOK_WRONG, "It has no policy: p=none, p=quarantine or p=reject.");
    else if (strcmp(policy, "none") == 0) {
        row->publish = STR_NONE;
        look_say(
            row, LOOK_NOTE,
            "Its policy is p=none: forged mail is delivered. Go on to p=quarantine when reports "
            "are clean.");
    } else if (strcmp(policy, "quarantine") == 0 || strcmp(policy, "reject") == 0) {
        row->publish = STR_NONE;
        look_say(row, LOOK_GOOD, "Its policy is p=%s; our mail passes by its DKIM signature.",
                 policy);
    } else
        look_say(row, LOOK_WRONG, "There is no policy p=%s.", policy);
}

/* The record of the domain, or of one above it: receivers look no further than that. */
static void dmarc_look(struct looking *looking)
{
    struct str       domain = looking->what->domain;
    struct str       name = str_format(looking->arena, "_dmarc.%.*s", STR_ARG(domain));
    struct look_row *row = look_row_add(looking, "dmarc", name, "TXT");
    row->publish =
        str_format(looking->arena, "v=DMARC1; p=none; rua=mailto:postmaster@%.*s", STR_ARG(domain));
    for (struct str at = domain; at.len > 0; at = above(at)) {
        struct dns_question question = { .type = DNS_TXT };
        struct str          record = STR_NONE;
        question.name = str_format(looking->arena, "_dmarc.%.*s", STR_ARG(at));
        look_ask(looking, &question, 1);
        if (question.found == DNS_UNKNOWN) {
            look_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question.why);
            return;
        }
        uint32_t count = look_tagged(&question, "v=DMARC1", row, &record);
        if (count == 0)
            continue;
        row->name = question.name;
        dmarc_judge(row, record, count);
        return;
    }
    look_say(row, LOOK_MISSING,
             "There is no DMARC policy: Gmail and Yahoo want one of who sends much.");
}

/* ---- what comes back ---- */

static void mx_look(struct looking *looking, const struct dns_question *question)
{
    struct look_row *row = look_row_add(looking, "mx", question->name, "MX");
    for (uint32_t i = 0; i < question->count; i++)
        look_found(row, question->records[i]);
    if (question->found == DNS_UNKNOWN)
        look_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question->why);
    else if (question->count > 0 && !str_ends(question->records[0], STR(" .")))
        look_say(row, LOOK_GOOD, "What comes back finds a host.");
    else {
        row->publish = str_format(looking->arena, "10 YOUR-MAIL-SERVER");
        look_say(row, LOOK_MISSING, "No host takes mail for it: nothing comes back from there.");
    }
}

/* ---- all of it ---- */

static void report_end(struct domain_report *report)
{
    bool spf = false, dkim = false;
    report->is_known = true;
    for (uint32_t i = 0; i < report->count; i++) {
        const struct look_row *row = &report->rows[i];
        bool good = !row->is_hint && (row->state == LOOK_GOOD || row->state == LOOK_NOTE);
        spf = spf || (good && strcmp(row->about, "spf") == 0);
        dkim = dkim || (good && strcmp(row->about, "dkim") == 0);
        report->is_known = report->is_known && row->state != LOOK_UNKNOWN;
    }
    report->is_authenticated = spf || dkim;
}

/* The record of who may send in the name that bounces go to. */
static void own_spf_look(struct looking *looking, const struct dns_question *question)
{
    const struct domain_what *what = looking->what;
    struct str                wanted[SPF_WANTED_MAX];
    uint32_t                  count = wants_spf(what, question->name, wanted);
    wanted[count++] = spf_way_out(looking->arena, what->smtp_host);
    for (uint32_t i = 0; i < what->more_hosts_count && i < DOMAIN_HOSTS_MAX; i++)
        wanted[count++] = spf_way_out(looking->arena, what->more_hosts[i]);
    spf_look(looking, question, wanted, count);
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
    uint32_t            keys = 0;
    *out = (struct domain_report){ .count = 0 };
    if (!what->no_keys)
        TRY(dkim_names(&looking, first, records, &keys));
    first[keys] = (struct dns_question){ .type = DNS_TXT, .name = back };
    first[keys + 1] = (struct dns_question){ .type = DNS_MX, .name = back };
    look_ask(&looking, first, keys + (what->no_smtp ? 0 : 2));
    if (!what->no_smtp)
        own_spf_look(&looking, &first[keys]);
    for (uint32_t i = 0; i < keys; i++)
        dkim_judge(look_row_add(&looking, "dkim", first[i].name, "TXT"), &first[i], records[i]);
    dmarc_look(&looking);
    if (!what->no_smtp)
        mx_look(&looking, &first[keys + 1]);
    wants_look(&looking, what->no_smtp ? STR_NONE : back);
    report_end(out);
    return OK;
}
