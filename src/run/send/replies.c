#include "run/send/replies.h"

static struct str in_language(const struct json *texts, struct str language)
{
    if (texts == NULL)
        return STR_NONE;
    if (texts->kind == JSON_STRING)
        return texts->string;
    struct str text = json_get_str(texts, str_slice(language, 0, 2));
    return text.len > 0 ? text : json_get_str(texts, STR("en"));
}

struct str replies_find(const struct json *told, enum sms_word word, struct str language)
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
    struct str text = in_language(json_get(told, str_of(keys[word])), language);
    if (text.len > 0 || word != SMS_WORD_HELP)
        return text;
    for (size_t i = 0; i < sizeof help / sizeof help[0]; i++)
        if (str_eq_nocase(str_slice(language, 0, 2), str_of(help[i].language)))
            return str_of(help[i].text);
    return str_of(help[sizeof help / sizeof help[0] - 1].text);
}
