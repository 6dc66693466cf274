#include "run/send/channels.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "engine/profile/phone.h"

enum { ARENA_BYTES_MAX = 8 << 20 };

struct channels {
    struct arena   *arena;
    struct json     root;
    struct gateway *gateways[CHANNELS_ALL];
};

static enum err file_read(struct channels *channels, const char *path, struct str *text,
                          struct problem *problem)
{
    struct stat stat_of;
    FILE       *file = fopen(path, "rb");
    if (file == NULL || fstat(fileno(file), &stat_of) != 0) {
        if (file != NULL)
            (void)fclose(file);
        return problem_set(problem, errno == ENOENT ? ERR_ABSENT : ERR_IO, "channels",
                           "The file of channels cannot be opened.", "Look at its path.");
    }
    char  *bytes = arena_alloc(channels->arena, CHANNELS_BYTES_MAX);
    size_t len = bytes == NULL ? 0 : fread(bytes, 1, CHANNELS_BYTES_MAX, file);
    (void)fclose(file);
    *text = (struct str){ bytes, len };
    if ((stat_of.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return problem_set(problem, ERR_DENIED, "channels",
                           "Others may read the file of channels, which has secrets.",
                           "chmod 600 it.");
    return OK;
}

static enum err section_open(struct channels *channels, const char *key, const char *provider,
                             struct problem *problem)
{
    static const struct json     none = { .kind = JSON_OBJECT };
    SCOPED(buf_donep) struct buf text = buf_make(GATEWAY_TEXT_BYTES_MAX);
    const struct json           *section = json_get(&channels->root, str_of(key)), *own = NULL;
    struct gateway              *gateway;
    if (section != NULL)
        own = json_get(section, STR("description"));
    if (section == NULL && provider == NULL)
        return OK;
    struct str name = section == NULL ? STR_NONE : json_get_str(section, STR("provider"));
    if (name.len == 0 && provider != NULL)
        name = str_of(provider);
    if (own != NULL) {
        json_write(&text, own);
    } else if (gateway_built_in(name) != NULL) {
        buf_str(&text, str_of(gateway_built_in(name)));
    } else {
        return problem_format(problem, ERR_INPUT, "channels",
                              "Use twilio, vonage, gateway or lob, or write a \"description\".",
                              "There is no provider \"%.*s\".", STR_ARG(str_slice(name, 0, 60)));
    }
    TRY(buf_err(&text));
    TRY(gateway_open(&gateway, buf_view(&text), section == NULL ? &none : section, problem));
    enum consent_channel channel = gateway_channel(gateway);
    gateway_close(channels->gateways[channel]);
    channels->gateways[channel] = gateway;
    return OK;
}

static enum err channels_fill(struct channels *channels, const char *path, struct problem *problem)
{
    struct str text = STR("{}");
    if (path != NULL)
        TRY(file_read(channels, path, &text, problem));
    TRY(json_parse_once(channels->arena, text, &channels->root, problem));
    if (channels->root.kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "channels", "The file is no JSON object.",
                           "Write {\"sms\": {...}}.");
    TRY(section_open(channels, "sms", NULL, problem));
    TRY(section_open(channels, "post", NULL, problem));
    TRY(section_open(channels, "webhook", "webhook", problem));
    bool has_slack = json_get(&channels->root, STR("slack")) != NULL;
    return has_slack ? section_open(channels, "slack", "slack", problem) : OK;
}

enum err channels_open(struct channels **out, const char *path, struct problem *problem)
{
    struct channels *channels = calloc(1, sizeof *channels);
    enum err         err = channels == NULL ? ERR_MEMORY : OK;
    if (err == OK && (channels->arena = arena_open(ARENA_BYTES_MAX)) == NULL)
        err = ERR_MEMORY;
    if (err == OK)
        err = channels_fill(channels, path, problem);
    if (err == OK)
        *out = channels;
    else
        channels_close(channels);
    return err;
}

void channels_close(struct channels *channels)
{
    if (channels == NULL)
        return;
    for (int i = 0; i < CHANNELS_ALL; i++)
        gateway_close(channels->gateways[i]);
    arena_close(channels->arena);
    free(channels);
}

const struct gateway *channels_gateway(const struct channels *channels,
                                       enum consent_channel   channel)
{
    return channels->gateways[channel];
}

static const struct json *setting_of(const struct channels *channels, const char *section,
                                     const char *key)
{
    const struct json *at = json_get(&channels->root, str_of(section));
    return at == NULL ? NULL : json_get(at, str_of(key));
}

struct str channels_setting(const struct channels *channels, const char *section, const char *key)
{
    const struct json *value = setting_of(channels, section, key);
    return value != NULL && value->kind == JSON_STRING ? value->string : STR_NONE;
}

bool channels_allow_inside(const struct channels *channels)
{
    const struct json *value = json_get(&channels->root, STR("inside"));
    return value != NULL && value->kind == JSON_BOOL && value->truth;
}

/* ---- by country ---- */

static const struct json *by_country(const struct json *table, struct str e164)
{
    if (table == NULL || table->kind != JSON_OBJECT)
        return table;
    const struct json *own = json_get(table, phone_country(e164));
    return own != NULL ? own : json_get(table, STR("default"));
}

struct str channels_from(const struct channels *channels, struct str e164)
{
    const struct json *from = by_country(setting_of(channels, "sms", "from"), e164);
    return from != NULL && from->kind == JSON_STRING ? from->string : STR_NONE;
}

static double number_of(const struct json *value)
{
    double number;
    return value != NULL && json_to_real(value, &number) ? number : 0;
}

struct channels_price channels_sms_price(const struct channels *channels, struct str e164)
{
    const struct json *prices = setting_of(channels, "sms", "prices");
    if (prices == NULL || prices->kind != JSON_OBJECT)
        return (struct channels_price){ .each = 0 };
    return (struct channels_price){ number_of(by_country(prices, e164)),
                                    json_get_str(prices, STR("currency")) };
}

struct channels_price channels_post_price(const struct channels *channels)
{
    return (struct channels_price){ number_of(setting_of(channels, "post", "price")),
                                    channels_setting(channels, "post", "currency") };
}

uint32_t channels_post_max(const struct channels *channels)
{
    double most = number_of(setting_of(channels, "post", "monthly_max"));
    return most > 0 && most < UINT32_MAX ? (uint32_t)most : 0;
}

/* ---- answers ---- */

static struct str in_language(const struct json *texts, struct str language)
{
    if (texts == NULL)
        return STR_NONE;
    if (texts->kind == JSON_STRING)
        return texts->string;
    struct str text = json_get_str(texts, str_slice(language, 0, 2));
    return text.len > 0 ? text : json_get_str(texts, STR("en"));
}

struct str channels_reply(const struct channels *channels, enum sms_word word, struct str language)
{
    static const char *const keys[] = { NULL, "stopped", "started", "help" };
    static const struct {
        const char *language, *text;
    } help[] = {
        { "nb", "Svar STOPP for \xc3\xa5 slippe flere meldinger, START for \xc3\xa5 f\xc3\xa5 dem "
                "igjen." },
        { "no", "Svar STOPP for \xc3\xa5 slippe flere meldinger, START for \xc3\xa5 f\xc3\xa5 dem "
                "igjen." },
        { "de",
          "Antworten Sie STOPP, um keine Nachrichten mehr zu bekommen, START f\xc3\xbcr neue." },
        { "fr", "R\xc3\xa9pondez STOP pour ne plus rien recevoir, START pour recommencer." },
        { "en", "Reply STOP to end these messages, START to get them again." },
    };
    if (word == SMS_WORD_NONE)
        return STR_NONE;
    struct str text = in_language(setting_of(channels, "sms", keys[word]), language);
    if (text.len > 0 || word != SMS_WORD_HELP)
        return text;
    for (size_t i = 0; i < sizeof help / sizeof help[0]; i++)
        if (str_eq_nocase(str_slice(language, 0, 2), str_of(help[i].language)))
            return str_of(help[i].text);
    return str_of(help[sizeof help / sizeof help[0] - 1].text);
}
