/* What the services in use want published: their providers' descriptions say it (provider.h). */
#include "run/send/domain_inside.h"

#include <string.h>

static bool is_spf(const struct provider_record *want)
{
    return str_eq(want->about, STR("spf"));
}

static bool is_dkim(const struct provider_record *want)
{
    return str_eq(want->about, STR("dkim"));
}

static const char *about_of(const struct provider_record *want)
{
    return is_spf(want) ? "spf" : is_dkim(want) ? "dkim" : "return";
}

static enum dns_type type_of(const struct provider_record *want)
{
    return str_eq(want->type, STR("MX"))      ? DNS_MX
           : str_eq(want->type, STR("CNAME")) ? DNS_CNAME
                                              : DNS_TXT;
}

static struct str without_dot(struct str name)
{
    return str_ends(name, STR(".")) ? str_slice(name, 0, name.len - 1) : name;
}

/* Not a revoked one, nor what a wildcard says of every name ("v=spf1 -all"). */
static bool is_key(struct str record)
{
    char version[8], key[8];
    bool is_other = look_tag(record, 'v', version, sizeof version) && strcmp(version, "DKIM1") != 0;
    return !is_other && look_tag(record, 'p', key, sizeof key) && key[0] != '\0';
}

/* The host of "10 mx.shop.example": which number it has is the domain's own affair. */
static struct str without_preference(struct str text)
{
    size_t blank = str_find_char(text, 0, ' ');
    return blank < text.len ? str_trim(str_slice(text, blank, text.len)) : text;
}

static bool is_host(struct str found, struct str wanted)
{
    return str_eq_nocase(without_dot(without_preference(found)),
                         without_dot(without_preference(wanted)));
}

/* Names are alike in small and capital letters, keys are not. Where the service alone knows the
 * value, any that can be it. */
static bool is_it(const struct provider_record *want, struct str found)
{
    if (want->value.len == 0)
        return !is_dkim(want) || type_of(want) != DNS_TXT || is_key(found);
    return type_of(want) == DNS_TXT ? str_eq(str_trim(found), want->value)
                                    : is_host(found, want->value);
}

/* What cannot be looked at before its service is asked. */
static void hint(struct looking *looking, const struct provider_record *want)
{
    struct look_row *row = look_row_add(looking, about_of(want), looking->what->domain, "");
    if (row == NULL)
        return;
    row->is_hint = true;
    row->type = want->type;
    look_say(row, LOOK_NOTE, "%.*s: %.*s", STR_ARG(want->who), STR_ARG(want->ask));
}

static void judge(struct looking *looking, const struct provider_record *want,
                  const struct dns_question *question)
{
    bool             is_there = false;
    struct look_row *row = look_row_add(looking, about_of(want), want->name, "");
    if (row == NULL)
        return;
    row->type = want->type;
    row->publish = want->value;
    for (uint32_t i = 0; i < question->count; i++) {
        look_found(row, question->records[i]);
        is_there = is_there || is_it(want, question->records[i]);
    }
    if (question->found == DNS_UNKNOWN)
        look_say(row, LOOK_UNKNOWN, "It could not be looked up: %s.", question->why);
    else if (is_there) {
        row->publish = STR_NONE;
        look_say(row, LOOK_GOOD, "%.*s: the record is there.", STR_ARG(want->who));
    } else if (want->is_of_one) {
        row->publish = STR_NONE;
        row->is_hint = true;
        look_say(row, LOOK_NOTE,
                 "%.*s: what its settings name is not there, and may be another domain's. Give "
                 "each domain a way of its own, with `domains`.",
                 STR_ARG(want->who));
    } else
        look_say(row, question->count == 0 ? LOOK_MISSING : LOOK_WRONG, "%.*s wants %s. %.*s",
                 STR_ARG(want->who), question->count == 0 ? "this record" : "another record",
                 STR_ARG(want->ask));
}

/* Those of one name that are looked at beside the record of the return domain. */
uint32_t wants_spf(const struct domain_what *what, struct str name, struct str *wanted)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < what->wants_count; i++)
        if (is_spf(&what->wants[i]) && str_eq_nocase(what->wants[i].name, name))
            wanted[count++] = what->wants[i].value;
    return count;
}

/* One record of a name serves all that want something of it. */
static void spf_of(struct looking *looking, uint32_t at, struct str done,
                   const struct dns_question *question)
{
    const struct domain_what *what = looking->what;
    struct str                wanted[DOMAIN_WANTS_MAX];
    if (str_eq_nocase(question->name, done))
        return;
    for (uint32_t i = 0; i < at; i++)
        if (is_spf(&what->wants[i]) && str_eq_nocase(what->wants[i].name, question->name))
            return; /* looked at with the first */
    spf_look(looking, question, wanted, wants_spf(what, question->name, wanted));
}

/* `done`: the name whose SPF record was looked at already. */
void wants_look(struct looking *looking, struct str done)
{
    const struct domain_what *what = looking->what;
    struct dns_question       asked[DOMAIN_WANTS_MAX];
    uint32_t                  count = 0, next = 0;
    for (uint32_t i = 0; i < what->wants_count; i++)
        if (what->wants[i].name.len > 0)
            asked[count++] = (struct dns_question){ .type = type_of(&what->wants[i]),
                                                    .name = what->wants[i].name };
    look_ask(looking, asked, count);
    for (uint32_t i = 0; i < what->wants_count; i++) {
        const struct provider_record *want = &what->wants[i];
        if (want->name.len == 0)
            hint(looking, want);
        else if (!is_spf(want))
            judge(looking, want, &asked[next++]);
        else
            spf_of(looking, i, done, &asked[next++]);
    }
}
