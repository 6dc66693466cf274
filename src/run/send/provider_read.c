/* What a provider's answer means. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "run/send/provider_inside.h"

enum { ARENA_BYTES_MAX = 4 << 20, VALUE_BYTES_MAX = 256 };

/* Where they do not say for how long (Retry-After counts before these). */
#define QUOTA_WAIT_MS (60 * TIME_SECOND_MS)
#define ACCOUNT_WAIT_MS (5 * TIME_MINUTE_MS)

static bool is_in(const struct json *wanted, const struct json *found)
{
    if (found == NULL)
        return false;
    if (wanted->kind != JSON_ARRAY)
        return json_eq(wanted, found);
    for (uint32_t i = 0; i < wanted->count; i++)
        if (json_eq(&wanted->items[i], found))
            return true;
    return false;
}

static bool fits(const struct rule *rule, int status, const struct json *body)
{
    if (rule->status_least > 0 && (status < rule->status_least || status > rule->status_most))
        return false;
    for (uint32_t i = 0; rule->when != NULL && i < rule->when->count; i++)
        if (!is_in(&rule->when->members[i].value, json_path(body, rule->when->members[i].key)))
            return false;
    return true;
}

static enum provider_verdict verdict_of_status(int status)
{
    if (status >= 200 && status < 300)
        return PROVIDER_SENT;
    if (status == 429)
        return PROVIDER_QUOTA;
    if (status == 401 || status == 403)
        return PROVIDER_ACCOUNT;
    if (status == 502 || status == 504) /* somebody between us gave up waiting for an answer */
        return PROVIDER_UNKNOWN;
    return status == 408 || status == 425 || status >= 500 ? PROVIDER_DEFERRED : PROVIDER_REFUSED;
}

/* The first of the paths that leads to something: in the body, or "header:Name". */
static struct str value_find(const struct str *paths, uint32_t count,
                             const struct fetch_response *response, const struct json *body,
                             char *room)
{
    for (uint32_t i = 0; i < count; i++) {
        if (str_starts(paths[i], STR("header:"))) {
            struct str value =
                fetch_response_header(response, str_slice(paths[i], 7, paths[i].len));
            if (value.len > 0)
                return value;
            continue;
        }
        const struct json *found = json_path(body, paths[i]);
        if (found != NULL && found->kind == JSON_STRING && found->string.len > 0)
            return found->string;
        if (found != NULL && found->kind == JSON_INT) {
            snprintf(room, VALUE_BYTES_MAX, "%lld", (long long)found->integer);
            return str_of(room);
        }
    }
    return STR_NONE;
}

/* In one printable line. */
static void text_put(struct delivery_outcome *out, struct str text)
{
    size_t len = strlen(out->text);
    for (size_t i = 0; i < text.len && len + 1 < sizeof out->text; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        out->text[len++] = iscntrl(c) ? ' ' : (char)c;
    }
    out->text[len] = '\0';
}

static struct delivery_outcome outcome_of(enum provider_verdict verdict)
{
    static const struct delivery_outcome outcomes[] = {
        [PROVIDER_SENT] = { .result = DELIVERY_SENT },
        [PROVIDER_DEFERRED] = { .result = DELIVERY_DEFERRED, .blame = BLAME_CONNECTION },
        [PROVIDER_QUOTA] = { .result = DELIVERY_DEFERRED,
                             .blame = BLAME_POLICY,
                             .wait_ms = QUOTA_WAIT_MS },
        [PROVIDER_ACCOUNT] = { .result = DELIVERY_DEFERRED,
                               .blame = BLAME_POLICY,
                               .wait_ms = ACCOUNT_WAIT_MS },
        [PROVIDER_REFUSED] = { .result = DELIVERY_FAILED, .blame = BLAME_POLICY },
        [PROVIDER_RECIPIENT] = { .result = DELIVERY_FAILED, .blame = BLAME_RECIPIENT },
        [PROVIDER_UNKNOWN] = { .result = DELIVERY_UNKNOWN, .blame = BLAME_CONNECTION },
    };
    return outcomes[verdict];
}

void provider_read(const struct provider *provider, const struct fetch_response *response,
                   struct delivery_outcome *out)
{
    struct arena         *arena = arena_open(ARENA_BYTES_MAX);
    struct json           body = { .kind = JSON_NULL };
    char                  room[VALUE_BYTES_MAX], status[40];
    enum provider_verdict verdict = verdict_of_status(response->status);
    if (arena == NULL || response->body.len == 0 ||
        json_parse_once(arena, response->body, &body, NULL) != OK)
        body = (struct json){ .kind = JSON_NULL };
    for (uint32_t i = 0; i < provider->rules_count; i++)
        if (fits(&provider->rules[i], response->status, &body)) {
            verdict = provider->rules[i].is;
            break;
        }
    *out = outcome_of(verdict);
    if (verdict == PROVIDER_SENT) {
        text_put(out, value_find(provider->ids, provider->ids_count, response, &body, room));
    } else {
        struct str words =
            value_find(provider->errors, provider->errors_count, response, &body, room);
        snprintf(status, sizeof status, "HTTP %d: ", response->status);
        text_put(out, str_of(status));
        text_put(out, words.len > 0 ? words : str_trim(response->body));
    }
    arena_close(arena);
}
