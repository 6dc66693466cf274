#include "run/send/courier.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "run/send/cap.h"

struct courier {
    struct courier_conf conf;
    struct loop        *loop;
    struct fetch       *fetch;
    struct cap         *cap;
};

enum err courier_open(struct courier **out, const struct courier_conf *conf)
{
    struct courier   *courier = calloc(1, sizeof *courier);
    struct fetch_conf calls = { .allow_inside = channels_allow_inside(conf->channels) };
    enum err          err = courier == NULL ? ERR_MEMORY : OK;
    if (err == OK) {
        courier->conf = *conf;
        err = cap_open(&courier->cap, conf->dir, channels_post_max(conf->channels));
    }
    if (err == OK && (courier->loop = loop_open()) == NULL)
        err = ERR_MEMORY;
    if (err == OK && (courier->fetch = fetch_open(courier->loop, &calls)) == NULL)
        err = ERR_MEMORY;
    if (err == OK)
        *out = courier;
    else
        courier_close(courier);
    return err;
}

void courier_close(struct courier *courier)
{
    if (courier == NULL)
        return;
    fetch_close(courier->fetch);
    loop_close(courier->loop);
    cap_close(courier->cap);
    free(courier);
}

/* ---- what it ends with ---- */

static void finish(struct letter *letter, enum delivery_result result, const char *text)
{
    letter->outcome.answer.outcome = delivery_outcome_make(
        result, result == DELIVERY_DEFERRED ? BLAME_CONNECTION : BLAME_POLICY, text);
    letter->done(letter->ctx, &letter->outcome);
}

/* It can never be sent so; like a gap in its text. */
static void hold(struct letter *letter, const char *why)
{
    letter->outcome.is_held = true;
    finish(letter, DELIVERY_FAILED, why);
}

static void answered(void *ctx, const struct fetch_response *response)
{
    struct letter         *letter = ctx;
    struct letter_outcome *outcome = &letter->outcome;
    bool                   is_post = gateway_channel(letter->gateway) == CHANNEL_POST;
    gateway_answer(letter->gateway, response, letter->arena, &outcome->answer);
    outcome->status = response->err == OK ? response->status : 0;
    if (gateway_channel(letter->gateway) == CHANNEL_WEBHOOK && response->err == OK)
        snprintf(outcome->body, sizeof outcome->body, "%.*s",
                 STR_ARG(str_slice(response->body, 0, sizeof outcome->body - 1)));
    enum delivery_result result = outcome->answer.outcome.result;
    if (is_post && (result == DELIVERY_FAILED || result == DELIVERY_DEFERRED))
        cap_give_back(letter->courier->cap, time_now_ms());
    letter->done(letter->ctx, outcome);
}

/* ---- what the service is told ---- */

enum { MEMBERS_MAX = 20 };

struct telling {
    struct json_member *members;
    uint32_t            count;
};

static void put(struct telling *t, const char *key, struct json value)
{
    t->members[t->count++] = (struct json_member){ str_of(key), value };
}

static void put_text(struct telling *t, const char *key, struct str text)
{
    put(t, key, (struct json){ .kind = JSON_STRING, .string = text });
}

static struct str token_of(const struct courier *courier, const struct letter *letter)
{
    SCOPED(buf_donep) struct buf text = buf_make(TOKEN_TEXT_BYTES_MAX + 1);
    struct token                 token = { .purpose = TOKEN_MESSAGE,
                                           .profile = letter->claim->profile,
                                           .message = letter->claim->message };
    token_write(courier->conf.tokens, token, STR_NONE, &text);
    return buf_err(&text) == OK ? str_copy(letter->arena, buf_view(&text)) : STR_NONE;
}

/* The first of the names that the person's address has. */
static struct str part_of(const struct json *address, const char *const *names)
{
    for (; address != NULL && *names != NULL; names++)
        if (json_get_str(address, str_of(*names)).len > 0)
            return json_get_str(address, str_of(*names));
    return STR_NONE;
}

static struct str name_of(const struct json *person, struct arena *arena)
{
    struct str name = json_get_str(person, STR("name"));
    struct str first = json_get_str(person, STR("first_name"));
    struct str last = json_get_str(person, STR("last_name"));
    if (name.len > 0)
        return name;
    return str_format(arena, "%.*s%s%.*s", STR_ARG(first), first.len > 0 && last.len > 0 ? " " : "",
                      STR_ARG(last));
}

/* As the claim found it: complete. The country is the claim's, two letters. */
static enum err address_put(struct telling *t, const struct letter *letter)
{
    static const char *const streets[] = { "street", "line1", "address1", NULL };
    static const char *const codes[] = { "postal_code", "postalCode", "zip", NULL };
    static const char *const states[] = { "state", "province", NULL };
    static const char *const cities[] = { "city", NULL };
    const struct json       *person = letter->rendered->person;
    const struct json       *address = json_get(person, STR("address"));
    struct telling           a = { ARENA_ARRAY(letter->arena, 8, struct json_member), 0 };
    struct str               to = letter->claim->address;
    if (a.members == NULL)
        return ERR_MEMORY;
    put_text(&a, "name", name_of(person, letter->arena));
    put_text(&a, "street", part_of(address, streets));
    put_text(&a, "city", part_of(address, cities));
    put_text(&a, "postal_code", part_of(address, codes));
    put_text(&a, "state", part_of(address, states));
    put_text(&a, "country", str_slice(to, to.len < 2 ? 0 : to.len - 2, to.len));
    put(t, "address", (struct json){ .kind = JSON_OBJECT, .count = a.count, .members = a.members });
    return OK;
}

static struct str callback_of(const struct courier *courier, const struct letter *letter,
                              struct str token)
{
    return str_format(letter->arena, "%s/api/v1/receipts/%.*s?m=%.*s", courier->conf.public_url,
                      STR_ARG(gateway_name(letter->gateway)), STR_ARG(token));
}

static enum err message_make(struct courier *courier, struct letter *letter, struct json *out)
{
    const struct rendered *rendered = letter->rendered;
    struct telling         t = { ARENA_ARRAY(letter->arena, MEMBERS_MAX, struct json_member), 0 };
    struct str             token = token_of(courier, letter), to = letter->claim->address;
    struct str             from = rendered->from_head;
    if (t.members == NULL || token.ptr == NULL)
        return ERR_MEMORY;
    if (from.len == 0)
        from = channels_from(courier->conf.channels, to);
    put_text(&t, "to", to);
    put_text(&t, "from", from);
    put_text(&t, "text", rendered->text);
    put_text(&t, "front", rendered->html);
    put_text(&t, "back", rendered->back);
    put_text(&t, "size", rendered->size);
    put_text(&t, "url", rendered->url);
    put_text(&t, "method", rendered->method);
    put_text(&t, "token", token);
    put_text(&t, "callback", callback_of(courier, letter, token));
    put_text(&t, "id",
             str_format(letter->arena, "dult-%llu", (unsigned long long)letter->claim->message));
    bool unicode = sms_measure(rendered->text).encoding == SMS_UCS2;
    put(&t, "unicode", (struct json){ .kind = JSON_BOOL, .truth = unicode });
    put(&t, "transactional",
        (struct json){ .kind = JSON_BOOL, .truth = letter->claim->transactional });
    if (letter->claim->channel == CHANNEL_POST)
        TRY(address_put(&t, letter));
    *out = (struct json){ .kind = JSON_OBJECT, .count = t.count, .members = t.members };
    return OK;
}

/* The template's own header lines, of a webhook. */
static enum err headers_add(struct letter *letter, struct fetch_request *request)
{
    struct str line, rest = letter->rendered->headers;
    int        i = 0;
    while (i < FETCH_HEADERS_MAX && request->headers[i] != NULL)
        i++;
    while (rest.len > 0 && str_split(&rest, '\n', &line)) {
        line = str_trim(line);
        if (line.len == 0)
            continue;
        if (i == FETCH_HEADERS_MAX || str_find_char(line, 0, ':') == line.len)
            return ERR_INPUT;
        request->headers[i] = str_format(letter->arena, "%.*s", STR_ARG(line)).ptr;
        if (request->headers[i++] == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

/* ---- sending ---- */

static const char *what_is_missing(enum consent_channel channel)
{
    return channel == CHANNEL_SMS ? "there is no service for text messages: set \"sms\" in the "
                                    "file of channels"
           : channel == CHANNEL_POST
               ? "there is no service for postcards: set \"post\" in the file "
                 "of channels"
               : "there is no address for the chat: set \"slack\" in the file "
                 "of channels";
}

/* Parts and price; false: too many parts. */
static bool price_find(struct courier *courier, struct letter *letter)
{
    struct letter_outcome *outcome = &letter->outcome;
    struct channels_price  price = { .each = 0 };
    if (letter->claim->channel == CHANNEL_SMS) {
        outcome->parts = sms_measure(letter->rendered->text).parts;
        price = channels_sms_price(courier->conf.channels, letter->claim->address);
        outcome->price = price.each * outcome->parts;
    } else if (letter->claim->channel == CHANNEL_POST) {
        price = channels_post_price(courier->conf.channels);
        outcome->price = price.each;
    }
    str_to_cstr(price.currency, outcome->currency, sizeof outcome->currency);
    return outcome->parts <= SMS_PARTS_MAX;
}

static void request_send(struct courier *courier, struct letter *letter)
{
    struct fetch_request request;
    struct json          message;
    struct problem       problem = { .what = "" };
    enum err             err = message_make(courier, letter, &message);
    if (err == OK)
        err = gateway_request(letter->gateway, &message, letter->arena, &request, &problem);
    if (err == OK)
        err = headers_add(letter, &request);
    if (err == ERR_INPUT || err == ERR_LIMIT) {
        hold(letter, problem.what[0] != '\0' ? problem.what : "its headers cannot be read");
        return;
    }
    if (err == OK && letter->claim->channel == CHANNEL_POST)
        err = cap_take(courier->cap, time_now_ms());
    letter->outcome.is_capped = err == ERR_LIMIT;
    if (err != OK) {
        finish(letter, DELIVERY_DEFERRED,
               err == ERR_LIMIT ? "this month's number of postcards is reached"
                                : "the request could not be made now");
        return;
    }
    request.call = answered;
    request.ctx = letter;
    err = fetch_send(courier->fetch, &request, &problem);
    if (err == OK)
        return;
    if (letter->claim->channel == CHANNEL_POST)
        cap_give_back(courier->cap, time_now_ms());
    if (err == ERR_INPUT)
        hold(letter, problem.what);
    else
        finish(letter, DELIVERY_DEFERRED, "too many requests are under way");
}

void courier_send(struct courier *courier, struct letter *letter)
{
    letter->courier = courier;
    letter->gateway = channels_gateway(courier->conf.channels, letter->claim->channel);
    letter->outcome = (struct letter_outcome){ .status = 0 };
    if (letter->gateway == NULL)
        hold(letter, what_is_missing(letter->claim->channel));
    else if (!price_find(courier, letter))
        hold(letter, "the text has more than 10 parts");
    else
        request_send(courier, letter);
}

uint32_t courier_post_count(struct courier *courier, int64_t now_ms)
{
    return cap_count(courier->cap, now_ms);
}
