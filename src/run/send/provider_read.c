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

/* A number may be told as a text, and a word in another case. */
static bool is_same(const struct json *wanted, const struct json *found)
{
    char number[32];
    if (wanted->kind == JSON_STRING && found->kind == JSON_STRING)
        return str_eq_nocase(wanted->string, found->string);
    if (wanted->kind == JSON_INT && found->kind == JSON_STRING) {
        snprintf(number, sizeof number, "%lld", (long long)wanted->integer);
        return str_eq(str_of(number), found->string);
    }
    if (wanted->kind == JSON_STRING && found->kind == JSON_INT) {
        snprintf(number, sizeof number, "%lld", (long long)found->integer);
        return str_eq(str_of(number), wanted->string);
    }
    return json_eq(wanted, found);
}

static bool is_in(const struct json *wanted, const struct json *found)
{
    if (found == NULL)
        return false;
    if (wanted->kind != JSON_ARRAY)
        return is_same(wanted, found);
    for (uint32_t i = 0; i < wanted->count; i++)
        if (is_same(&wanted->items[i], found))
            return true;
    return false;
}

bool rule_fits(const struct rule *rule, const struct json *root)
{
    for (uint32_t i = 0; rule->when != NULL && i < rule->when->count; i++)
        if (!is_in(&rule->when->members[i].value, json_path(root, rule->when->members[i].key)))
            return false;
    return true;
}

static bool fits(const struct rule *rule, int status, const struct json *body)
{
    bool is_status =
        rule->status_least == 0 || (status >= rule->status_least && status <= rule->status_most);
    return is_status && rule_fits(rule, body);
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
static struct str value_find(const struct paths *paths, const struct fetch_response *response,
                             const struct json *body, char *room)
{
    for (uint32_t i = 0; i < paths->count; i++) {
        struct str path = paths->items[i];
        if (str_starts(path, STR("header:"))) {
            struct str value = fetch_response_header(response, str_slice(path, 7, path.len));
            if (value.len > 0)
                return value;
            continue;
        }
        const struct json *found = json_path(body, path);
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
        [PROVIDER_STOP] = { .result = DELIVERY_FAILED, .blame = BLAME_RECIPIENT },
        [PROVIDER_UNKNOWN] = { .result = DELIVERY_UNKNOWN, .blame = BLAME_CONNECTION },
    };
    return outcomes[verdict];
}

static enum provider_verdict judge(const struct provider *provider, int status,
                                   const struct json *body)
{
    for (uint32_t i = 0; i < provider->rules_count; i++)
        if (fits(&provider->rules[i], status, body))
            return (enum provider_verdict)provider->rules[i].is;
    return verdict_of_status(status);
}

/* "HTTP 400 21211: The number is not valid" */
static void reason_put(const struct provider *provider, const struct fetch_response *response,
                       const struct json *body, struct delivery_outcome *out)
{
    char       rooms[2][VALUE_BYTES_MAX], status[40 + PROVIDER_CODE_BYTES_MAX];
    struct str code = value_find(&provider->code, response, body, rooms[0]);
    struct str words = value_find(&provider->error, response, body, rooms[1]);
    snprintf(status, sizeof status, "HTTP %d%s%.*s: ", response->status, code.len > 0 ? " " : "",
             STR_ARG(str_slice(code, 0, PROVIDER_CODE_BYTES_MAX)));
    text_put(out, str_of(status));
    text_put(out, words.len > 0 ? words : str_trim(response->body));
}

static void price_put(const struct provider *provider, const struct json *body,
                      struct provider_answer *out)
{
    const struct json *price = provider->price.len > 0 ? json_path(body, provider->price) : NULL;
    const struct json *currency =
        provider->currency.len > 0 ? json_path(body, provider->currency) : NULL;
    if (price == NULL || currency == NULL || currency->kind != JSON_STRING ||
        currency->string.len != 3 || (price->kind != JSON_INT && price->kind != JSON_REAL))
        return;
    out->price = price->kind == JSON_INT ? (double)price->integer : price->real;
    str_to_cstr(currency->string, out->currency, sizeof out->currency);
}

void provider_read(const struct provider *provider, const struct fetch_response *response,
                   struct provider_answer *out)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES_MAX);
    struct json                        body = { .kind = JSON_NULL };
    char                               room[VALUE_BYTES_MAX];
    if (arena == NULL || response->body.len == 0 ||
        json_parse_once(arena, response->body, &body, NULL) != OK)
        body = (struct json){ .kind = JSON_NULL };
    *out = (struct provider_answer){ .verdict = judge(provider, response->status, &body) };
    out->outcome = outcome_of(out->verdict);
    if (out->verdict != PROVIDER_SENT) {
        reason_put(provider, response, &body, &out->outcome);
        return;
    }
    price_put(provider, &body, out);
    struct str id = value_find(&provider->id, response, &body, room);
    text_put(&out->outcome, id);
    snprintf(out->id, sizeof out->id, "%.*s", STR_ARG(str_slice(id, 0, sizeof out->id - 1)));
}
