/*
 * Ways of the channels that are no e-mail: which there are, what a text message costs before it is
 * sent, what a postcard is.
 */
#include "run/api/api_inside.h"

#include <string.h>

#include "base/encode.h"
#include "base/time.h"
#include "engine/profile/phone.h"
#include "message/sms.h"
#include "run/send/post.h"
#include "run/send/sender.h"
#include "run/send/ways_file.h"

static void number_write(struct buf *out, bool *first, const char *key, double number)
{
    struct json value = { .kind = JSON_REAL, .real = number };
    json_write_key(out, first, key);
    json_write(out, &value);
}

static void price_write(struct buf *out, bool *first, struct way_price price, uint32_t parts)
{
    if (price.each <= 0)
        return;
    number_write(out, first, "price", price.each * parts);
    write_text(out, first, "currency", str_of(price.currency));
}

struct ways_file *call_ways(struct call *call)
{
    return call->api->conf.ways == NULL ? NULL : ways_shelf_take(call->api->conf.ways);
}

static const struct way_stats *stats_of(const struct way_stats *stats, uint32_t count,
                                        const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(stats[i].name, name) == 0)
            return &stats[i];
    return NULL;
}

static void way_write(struct call *call, const struct way_conf *way, const struct way_stats *is)
{
    struct buf *out = &call->out;
    bool        first = true;
    buf_char(out, '{');
    write_text(out, &first, "channel", channel_name(way_channel(way)));
    write_text(out, &first, "way", str_of(way->name));
    if (way->provider != NULL)
        write_text(out, &first, "service", provider_name(way->provider));
    if (way_channel(way) == CHANNEL_POST)
        price_write(out, &first, way_price(way, STR_NONE), 1);
    if (way->plan.per_month > 0) {
        write_int(out, &first, "monthly_max", way->plan.per_month);
        if (is != NULL)
            write_int(out, &first, "this_month", is->month);
    }
    if (is != NULL)
        write_raw(out, &first, "open", is->is_open ? STR("true") : STR("false"));
    buf_char(out, '}');
}

enum err channels_list(struct call *call)
{
    struct ways_file *file = call_ways(call);
    struct way_stats  stats[WAYS_MAX];
    uint32_t          count = 0, known = 0, written = 0;
    if (call->api->sender != NULL)
        known = sender_ways(call->api->sender, stats);
    const struct way_conf *ways = file == NULL ? NULL : ways_file_ways(file, &count);
    buf_str(&call->out, STR("{\"items\":["));
    for (uint32_t i = 0; i < count; i++) {
        if (way_channel(&ways[i]) == CHANNEL_EMAIL)
            continue;
        if (written++ > 0)
            buf_char(&call->out, ',');
        way_write(call, &ways[i], stats_of(stats, known, ways[i].name));
    }
    buf_str(&call->out, STR("]}"));
    ways_file_close(file);
    return OK;
}

/* What the first way to that address says of it. */
static void way_facts_write(struct call *call, enum consent_channel channel, struct str address,
                            uint32_t parts, bool *first)
{
    struct ways_file      *file = call_ways(call);
    const struct way_conf *way = file == NULL ? NULL : ways_file_first(file, channel, address);
    if (way != NULL && channel == CHANNEL_SMS)
        write_text(&call->out, first, "sms_from", way_from(way, address));
    if (way != NULL)
        price_write(&call->out, first, way_price(way, address), parts);
    ways_file_close(file);
}

void channels_measure_write(struct call *call, struct str text, struct str e164, bool *first)
{
    struct buf        *out = &call->out;
    struct sms_measure is = sms_measure(text);
    write_int(out, first, "parts", is.parts);
    write_text(out, first, "encoding", str_of(sms_encoding_name(is.encoding)));
    write_int(out, first, "characters", is.characters);
    write_int(out, first, "left", is.left);
    if (is.culprit.len > 0)
        write_text(out, first, "culprit", is.culprit);
    if (e164.len > 0)
        way_facts_write(call, CHANNEL_SMS, e164, is.parts, first);
}

/* The same as a letter on paper, where the first way to that address prints one. */
static void paper_write(struct call *call, const struct claim *claim, const struct rendered *made,
                        bool *first)
{
    struct ways_file            *file = call_ways(call);
    struct buf                  *out = &call->out;
    SCOPED(buf_donep) struct buf text = buf_make(2 * PDF_BYTES_MAX);
    struct problem               problem = { .what = "there is no memory for it now" };
    struct post_paper            paper;
    bool                         inner = true;
    const struct way_conf       *way =
        file == NULL ? NULL : ways_file_first(file, CHANNEL_POST, claim->address);
    bool is_printed = way != NULL && way->provider != NULL && provider_takes_pdf(way->provider);
    const struct post_in in = { .way = way,
                                .made = made,
                                .place = claim->address,
                                .at_ms = time_now_ms(),
                                .dir = call->api->conf.dir };
    enum err err = is_printed ? post_paper_make(&in, call->arena, &paper, &problem) : ERR_ABSENT;
    if (is_printed) {
        json_write_key(out, first, "letter");
        buf_char(out, '{');
        write_text(out, &inner, "way", str_of(way->name));
    }
    if (err == OK) {
        write_int(out, &inner, "pages", paper.pages);
        pdf_lost_write(paper.lost, &text);
        write_text(out, &inner, "not_shown", buf_view(&text));
        buf_reset(&text);
        base64_write(&text, paper.pdf);
        write_text(out, &inner, "pdf", buf_view(&text));
    } else if (is_printed) {
        write_text(out, &inner, "fault", str_of(problem.what));
        write_text(out, &inner, "remedy", str_of(problem.remedy));
    }
    if (is_printed)
        buf_char(out, '}');
    ways_file_close(file);
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
        way_facts_write(call, CHANNEL_POST, claim->address, 1, first);
        paper_write(call, claim, made, first);
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
