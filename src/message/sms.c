#include "message/sms.h"

#include <string.h>

enum {
    GSM_ALONE = 160,
    GSM_PART = 153,
    UCS2_ALONE = 70,
    UCS2_PART = 67,
    BEYOND_BMP = 0x10000,
};

/* The letters of the basic table that are not of ASCII, and the ASCII that it has. */
static const uint16_t basic_letters[] = {
    0xA3,  0xA5,  0xE8,  0xE9,  0xF9,  0xEC,  0xF2,  0xC7,  0xD8,  0xF8, 0xC5, 0xE5, 0x394,
    0x3A6, 0x393, 0x39B, 0x3A9, 0x3A0, 0x3A8, 0x3A3, 0x398, 0x39E, 0xC6, 0xE6, 0xDF, 0xC9,
    0xA4,  0xA1,  0xC4,  0xD6,  0xD1,  0xDC,  0xA7,  0xBF,  0xE4,  0xF6, 0xF1, 0xFC, 0xE0,
};

/* Takes one character off the text; what is no UTF-8 counts as one that GSM does not have. */
static uint32_t code_take(struct str *text, struct str *character)
{
    unsigned char first = (unsigned char)text->ptr[0];
    size_t        len = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    uint32_t      code = first < 0x80 ? first : first & (0xFFu >> (len + 1));
    if (len > text->len || (first >= 0x80 && first < 0xC0))
        len = 1;
    for (size_t i = 1; i < len; i++)
        code = code << 6 | ((unsigned char)text->ptr[i] & 0x3F);
    *character = str_slice(*text, 0, len);
    *text = str_slice(*text, len, text->len);
    return code;
}

/* Units of 7 bits: 1, 2 with the second table, 0 for none. */
static uint32_t gsm_units(uint32_t code)
{
    if (code == 0x20AC || code == '\f')
        return 2;
    if (code < 0x80) {
        if (code == '\n' || code == '\r')
            return 1;
        if (code < ' ' || code == 0x7F || code == '`')
            return 0;
        return strchr("^{}\\[~]|", (int)code) != NULL ? 2 : 1;
    }
    for (size_t i = 0; i < sizeof basic_letters / sizeof basic_letters[0]; i++)
        if (basic_letters[i] == code)
            return 1;
    return 0;
}

static uint32_t units_of(uint32_t code, enum sms_encoding encoding)
{
    if (encoding == SMS_GSM)
        return gsm_units(code);
    return code >= BEYOND_BMP ? 2 : 1;
}

/* How full the parts of `room` units are; a unit pair goes into the next part as a whole. */
static void parts_fill(struct str text, uint32_t room, struct sms_measure *out)
{
    uint32_t   in_part = 0;
    struct str character;
    out->parts = 0;
    while (text.len > 0) {
        uint32_t units = units_of(code_take(&text, &character), out->encoding);
        if (out->parts == 0 || in_part + units > room) {
            out->parts++;
            in_part = 0;
        }
        in_part += units;
    }
    out->left = out->parts == 0 ? room : room - in_part;
}

struct sms_measure sms_measure(struct str text)
{
    struct sms_measure out = { .encoding = SMS_GSM };
    struct str         rest = text, character;
    while (rest.len > 0) {
        bool fits = gsm_units(code_take(&rest, &character)) > 0;
        out.characters++;
        if (!fits && out.encoding == SMS_GSM) {
            out.encoding = SMS_UCS2;
            out.culprit = character;
        }
    }
    for (rest = text; rest.len > 0;)
        out.units += units_of(code_take(&rest, &character), out.encoding);
    bool     gsm = out.encoding == SMS_GSM;
    uint32_t alone = gsm ? GSM_ALONE : UCS2_ALONE;
    parts_fill(text, out.units <= alone ? alone : (uint32_t)(gsm ? GSM_PART : UCS2_PART), &out);
    return out;
}

const char *sms_encoding_name(enum sms_encoding encoding)
{
    return encoding == SMS_GSM ? "GSM-7" : "UCS-2";
}

/* ---- words ---- */

enum { WORD_BYTES_MAX = 40 };

struct words {
    enum sms_word      word;
    const char *const *all;
};

/* Carriers' words (CTIA), and en, nb, de, fr; without accents, which phones leave out. */
static const char *const stop_words[] = {
    "stop",     "stopall",     "stop all",    "unsubscribe",    "cancel",        "end",
    "quit",     "optout",      "opt out",     "opt-out",        "revoke",        "stopp",
    "stans",    "avslutt",     "avmeld",      "meld av",        "slutt",         "stoppen",
    "abmelden", "abbestellen", "ende",        "kundigen",       "kuendigen",     "arret",
    "arreter",  "desabonner",  "desinscrire", "desinscription", "desabonnement", "fin",
    NULL,
};
static const char *const start_words[] = {
    "start",     "yes",     "unstop",   "subscribe", "begin",    "meld pa",
    "pamelding", "starte",  "anmelden", "starten",   "beginnen", "demarrer",
    "commencer", "abonner", "inscrire", "reprendre", NULL,
};
static const char *const help_words[] = {
    "help", "info", "hjelp", "hilfe", "aide", "?", NULL,
};

static const struct words all_words[] = {
    { SMS_WORD_STOP, stop_words },
    { SMS_WORD_START, start_words },
    { SMS_WORD_HELP, help_words },
};

/* The letter without its accent, in lower case: 0 for what does not count. */
static char plain_letter(uint32_t code)
{
    static const struct {
        uint16_t code;
        char     letter;
    } accents[] = {
        { 0xE0, 'a' }, { 0xE2, 'a' }, { 0xE5, 'a' }, { 0xE4, 'a' }, { 0xC0, 'a' }, { 0xC2, 'a' },
        { 0xC5, 'a' }, { 0xC4, 'a' }, { 0xE8, 'e' }, { 0xE9, 'e' }, { 0xEA, 'e' }, { 0xEB, 'e' },
        { 0xC8, 'e' }, { 0xC9, 'e' }, { 0xCA, 'e' }, { 0xF6, 'o' }, { 0xF4, 'o' }, { 0xF8, 'o' },
        { 0xD6, 'o' }, { 0xD8, 'o' }, { 0xFC, 'u' }, { 0xFB, 'u' }, { 0xF9, 'u' }, { 0xDC, 'u' },
        { 0xEE, 'i' }, { 0xEF, 'i' }, { 0xE7, 'c' }, { 0xC7, 'c' },
    };
    if (code >= 'A' && code <= 'Z')
        return (char)(code + 'a' - 'A');
    if ((code >= 'a' && code <= 'z') || code == '-' || code == '?')
        return (char)code;
    if (code < 0x80)
        return code == ' ' || code == '\n' || code == '\r' || code == '\t' ? ' ' : '\0';
    for (size_t i = 0; i < sizeof accents / sizeof accents[0]; i++)
        if (accents[i].code == code)
            return accents[i].letter;
    return code == 0xA0 ? ' ' : '\0';
}

/* Digits and other scripts make it no word: 0 is kept for what people put around one. */
static bool is_dropped(uint32_t code)
{
    return (code < 0x80 && strchr(".,!\"'()*#:;", (int)code) != NULL) || code == 0xAB ||
           code == 0xBB || (code >= 0x2018 && code <= 0x201E);
}

static bool word_plain(struct str text, char out[WORD_BYTES_MAX])
{
    size_t     len = 0;
    struct str character;
    while (text.len > 0) {
        uint32_t code = code_take(&text, &character);
        if (is_dropped(code))
            continue;
        char letter = plain_letter(code);
        if (letter == '\0' || len + 1 == WORD_BYTES_MAX)
            return false;
        if (letter != ' ' || (len > 0 && out[len - 1] != ' '))
            out[len++] = letter;
    }
    while (len > 0 && out[len - 1] == ' ')
        len--;
    out[len] = '\0';
    return len > 0;
}

enum sms_word sms_word_of(struct str text)
{
    char plain[WORD_BYTES_MAX];
    if (!word_plain(text, plain))
        return SMS_WORD_NONE;
    for (size_t i = 0; i < sizeof all_words / sizeof all_words[0]; i++)
        for (const char *const *word = all_words[i].all; *word != NULL; word++)
            if (strcmp(*word, plain) == 0)
                return all_words[i].word;
    return SMS_WORD_NONE;
}

const char *sms_word_name(enum sms_word word)
{
    static const char *const names[] = { "", "stop", "start", "help" };
    return names[word];
}
