/* What the ways in use want of the domain that mail comes from. */
#include "run/send/domain_look.h"

#include "run/send/sender_url.h"

static bool is_for(const struct way_conf *way, struct str domain)
{
    bool is_any = way->domains_count == 0;
    for (uint32_t i = 0; i < way->domains_count && !is_any; i++)
        is_any = str_eq_nocase(way->domains[i], domain);
    return is_any && way_channel(way) == CHANNEL_EMAIL;
}

static bool is_known(const struct domain_what *what, struct str host)
{
    bool known = str_eq_nocase(what->smtp_host, host);
    for (uint32_t i = 0; i < what->more_hosts_count && !known; i++)
        known = str_eq_nocase(what->more_hosts[i], host);
    return known;
}

/* A mail server that is one of ours already says nothing new. */
static enum err host_add(struct domain_what *what, struct str *more, const char *url,
                         struct arena *arena)
{
    struct sender_url way;
    if (sender_url_parse(str_of(url), &way, NULL) != OK || is_known(what, str_of(way.host)))
        return OK;
    struct str host = str_copy(arena, str_of(way.host));
    if (host.ptr == NULL)
        return ERR_MEMORY;
    if (what->smtp_host.len == 0)
        what->smtp_host = host;
    else if (what->more_hosts_count < DOMAIN_HOSTS_MAX)
        more[what->more_hosts_count++] = host;
    return OK;
}

static bool is_same(const struct provider_record *a, const struct provider_record *b)
{
    return str_eq(a->about, b->about) && str_eq(a->type, b->type) &&
           str_eq_nocase(a->name, b->name) && str_eq(a->value, b->value) && str_eq(a->who, b->who);
}

/* Two accounts of one service may want the same. */
static void want_add(struct domain_what *what, struct provider_record *wants,
                     const struct provider_record *want)
{
    for (uint32_t i = 0; i < what->wants_count; i++)
        if (is_same(&wants[i], want))
            return;
    if (what->wants_count < DOMAIN_WANTS_MAX)
        wants[what->wants_count++] = *want;
}

/* The settings with nothing in them. */
static enum err emptied(const struct json *settings, struct arena *arena, struct json *out)
{
    struct json_member *members = ARENA_ARRAY(arena, settings->count + 1, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < settings->count; i++)
        members[i] = (struct json_member){ settings->members[i].key,
                                           { .kind = JSON_STRING, .string = STR("") } };
    *out = *settings;
    out->members = members;
    return OK;
}

struct records {
    struct provider_record items[PROVIDER_RECORDS_MAX];
    uint32_t               count;
};

static bool has(const struct records *records, const struct provider_record *wanted)
{
    for (uint32_t i = 0; i < records->count; i++)
        if (is_same(&records->items[i], wanted))
            return true;
    return false;
}

/* A record is one domain's where another domain would want another, and other settings, too: a key
 * under the selector that is set. */
static enum err of_one_find(struct records *records, const struct way_conf *way, struct str domain,
                            struct arena *arena)
{
    struct records other, bare;
    struct json    nothing;
    TRY(emptied(&way->settings, arena, &nothing));
    TRY(provider_records(way->provider, &way->settings, STR("other.invalid"), arena, other.items,
                         &other.count));
    TRY(provider_records(way->provider, &nothing, domain, arena, bare.items, &bare.count));
    for (uint32_t i = 0; i < records->count; i++)
        records->items[i].is_of_one =
            !has(&other, &records->items[i]) && !has(&bare, &records->items[i]);
    return OK;
}

static enum err service_add(struct domain_what *what, struct provider_record *wants,
                            const struct way_conf *way, struct arena *arena)
{
    struct records records;
    TRY(provider_records(way->provider, &way->settings, what->domain, arena, records.items,
                         &records.count));
    if (what->has_others && way->domains_count != 1)
        TRY(of_one_find(&records, way, what->domain, arena));
    for (uint32_t i = 0; i < records.count; i++)
        want_add(what, wants, &records.items[i]);
    return OK;
}

enum err domain_what_fill(struct domain_what *what, const struct way_conf *ways, uint32_t count,
                          struct arena *arena)
{
    struct str             *more = ARENA_ARRAY(arena, DOMAIN_HOSTS_MAX, struct str);
    struct provider_record *wants = ARENA_ARRAY(arena, DOMAIN_WANTS_MAX, struct provider_record);
    bool                    by_service = false, by_letter = false;
    if (more == NULL || wants == NULL)
        return ERR_MEMORY;
    what->more_hosts = more;
    what->wants = wants;
    for (uint32_t i = 0; i < count; i++) {
        const struct way_conf *way = &ways[i];
        if (!is_for(way, what->domain))
            continue;
        if (way->kind == WAY_SMTP)
            TRY(host_add(what, more, way->smtp_url, arena));
        if (way->kind != WAY_HTTP)
            continue;
        TRY(service_add(what, wants, way, arena));
        by_service = true;
        by_letter = by_letter || provider_keeps_letter(way->provider);
    }
    what->no_smtp = by_service && what->smtp_host.len == 0;
    what->no_keys = what->no_smtp && !by_letter;
    return OK;
}
