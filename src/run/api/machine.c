#include "run/api/machine.h"
#include "run/api/machine_network.h"

/*
 * Parts of user agents, in small letters, as their makers publish them or as they stand in the logs
 * of mail senders. Bare "bot" is none of them: there are telephones called Cubot.
 */
static const char *const machines[] = {
    /* they tell that they are one, or where to read about them */
    "bot/",
    "bot-",
    "+http",
    "crawler",
    "spider",
    /* mail and link scanners */
    "barracuda",
    "mimecast",
    "proofpoint",
    "clamav",
    "urlscan",
    "virustotal",
    "microsoft office existence discovery",
    "microsoft office protocol discovery",
    "google-safety",
    /* previews of a link in a conversation or a search */
    "bingpreview",
    "skypeuripreview",
    "facebookexternalhit",
    "whatsapp/",
    "telegrambot",
    "google-pagerenderer",
    /* browsers without a screen, and libraries */
    "headlesschrome",
    "phantomjs",
    "curl/",
    "wget/",
    "python-requests",
    "python-urllib",
    "aiohttp",
    "go-http-client",
    "apache-httpclient",
    "libwww-perl",
    "java/",
    "axios/",
    "node-fetch",
};

static const char *const proxies[] = { "googleimageproxy", "yahoomailproxy" };

static char small(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool starts_at(struct str text, size_t at, struct str part)
{
    for (size_t i = 0; i < part.len; i++)
        if (small(text.ptr[at + i]) != part.ptr[i])
            return false;
    return true;
}

static bool has(struct str text, struct str part)
{
    for (size_t at = 0; at + part.len <= text.len; at++)
        if (starts_at(text, at, part))
            return true;
    return false;
}

static bool has_any(struct str text, const char *const *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (has(text, str_of(parts[i])))
            return true;
    return false;
}

static bool is_proxy(struct str agent)
{
    return str_eq(agent, STR("Mozilla/5.0")) ||
           has_any(agent, proxies, sizeof proxies / sizeof proxies[0]);
}

static bool is_machine_agent(const struct machine_hit *hit)
{
    struct str agent = str_trim(hit->agent);
    if (hit->head || str_is_empty(agent) || has(hit->purpose, STR("prefetch")))
        return true;
    if (is_proxy(agent))
        return hit->click;
    return has_any(agent, machines, sizeof machines / sizeof machines[0]);
}

const char *machine_sign(const struct machine_hit *hit)
{
    if (is_machine_agent(hit))
        return "agent";
    return machine_network(hit->networks, hit->address) ? "network" : NULL;
}

bool machine_is(const struct machine_hit *hit)
{
    return machine_sign(hit) != NULL;
}
