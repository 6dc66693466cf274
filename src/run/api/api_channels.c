/* Services of the channels that are no e-mail, and what a text message costs before it is sent. */
#include "run/api/api_inside.h"

#include "base/time.h"
#include "engine/profile/phone.h"
#include "run/send/courier.h"

static void number_write(struct buf *out, bool *first, const char *key, double number)
{
    struct json value = { .kind = JSON_REAL, .real = number };
    json_write_key(out, first, key);
    json_write(out, &value);
}

static void price_write(struct buf *out, bool *first, struct channels_price price, uint32_t parts)
{
    if (price.each <= 0)
        return;
    number_write(out, first, "price", price.each * parts);
    write_text(out, first, "currency", price.currency);
}

static void one_write(struct call *call, enum consent_channel channel, bool *first_of_all)
{
    const struct channels *channels = call->api->conf.channels;
    const struct gateway  *gateway = channels_gateway(channels, channel);
    struct courier        *courier = call->api->conf.courier;
    struct buf            *out = &call->out;
    bool                   first = true;
    buf_str(out, *first_of_all ? STR("{") : STR(",{"));
    *first_of_all = false;
    write_text(out, &first, "channel", channel_name(channel));
    write_text(out, &first, "service", gateway == NULL ? STR_NONE : gateway_name(gateway));
    if (channel == CHANNEL_POST && gateway != NULL) {
        price_write(out, &first, channels_post_price(channels), 1);
        if (channels_post_max(channels) > 0)
            write_int(out, &first, "monthly_max", channels_post_max(channels));
        if (courier != NULL)
            write_int(out, &first, "this_month", courier_post_count(courier, time_now_ms()));
    }
    buf_char(out, '}');
}

enum err channels_list(struct call *call)
{
    static const enum consent_channel all[] = { CHANNEL_SMS, CHANNEL_POST, CHANNEL_WEBHOOK,
                                                CHANNEL_STAFF };
    bool                              first = true;
    buf_str(&call->out, STR("{\"items\":["));
    for (size_t i = 0; i < sizeof all / sizeof all[0] && call->api->conf.channels != NULL; i++)
        one_write(call, all[i], &first);
    buf_str(&call->out, STR("]}"));
    return OK;
}

void channels_measure_write(struct call *call, struct str text, struct str e164, bool *first)
{
    const struct channels *channels = call->api->conf.channels;
    struct buf            *out = &call->out;
    struct sms_measure     is = sms_measure(text);
    write_int(out, first, "parts", is.parts);
    write_text(out, first, "encoding", str_of(sms_encoding_name(is.encoding)));
    write_int(out, first, "characters", is.characters);
    write_int(out, first, "left", is.left);
    if (is.culprit.len > 0)
        write_text(out, first, "culprit", is.culprit);
    if (channels == NULL || e164.len == 0)
        return;
    write_text(out, first, "sms_from", channels_from(channels, e164));
    price_write(out, first, channels_sms_price(channels, e164), is.parts);
}

void channels_notice_write(struct call *call, const struct claim *claim,
                           const struct rendered *made, bool *first)
{
    struct buf *out = &call->out;
    write_text(out, first, "channel", channel_name(made->channel));
    if (made->channel == CHANNEL_SMS)
        channels_measure_write(call, made->text, claim->address, first);
    if (made->channel == CHANNEL_POST) {
        write_text(out, first, "front", made->html);
        write_text(out, first, "back", made->back);
        write_text(out, first, "size", made->size);
        if (call->api->conf.channels != NULL)
            price_write(out, first, channels_post_price(call->api->conf.channels), 1);
    }
    if (made->channel == CHANNEL_WEBHOOK) {
        write_text(out, first, "method", made->method.len > 0 ? made->method : STR("POST"));
        write_text(out, first, "url", made->url);
        write_text(out, first, "request_headers", made->headers);
    }
}

enum err channels_measure(struct call *call)
{
    struct json body;
    char        number[PHONE_BYTES_MAX] = "";
    bool        first = true;
    TRY(call_body(call, &body));
    struct str text = json_get_str(&body, STR("text")), to = json_get_str(&body, STR("to"));
    if (text.len == 0 || text.len > SMS_TEXT_BYTES_MAX || !str_is_utf8(text))
        return problem_set(&call->problem, ERR_INPUT, "text",
                           "There is no text of at most 6,400 bytes.", "Give \"text\".");
    if (to.len > 0 && phone_e164(to, json_get_str(&body, STR("country")), number) != OK)
        return problem_set(&call->problem, ERR_INPUT, "to",
                           "This is no number that can be dialled.",
                           "Begin it with + and the country's code, or give \"country\".");
    buf_char(&call->out, '{');
    if (to.len > 0)
        write_text(&call->out, &first, "to", str_of(number));
    channels_measure_write(call, text, str_of(number), &first);
    buf_char(&call->out, '}');
    return OK;
}
