#include "engine/variant.h"

enum {
    LANGUAGE_BYTES_MAX = 35, /* of BCP 47, with script, region and what follows them */
    FIT_CURRENCY = 1,
    FIT_COUNTRY = 2,
    FIT_LANGUAGE = 4, /* a step in the chain of languages */
    RANK_NONE = 1,
    RANK_HOUSE = 2,
    RANK_PERSON = 2 + LANGUAGE_BYTES_MAX,
};

static bool are(struct str text, char from, char to)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < from || text.ptr[i] > to)
            return false;
    return text.len > 0;
}

static bool is_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')))
            return false;
    }
    return text.len >= 2 && text.len <= 8;
}

/* "nb", "pt-BR", "zh-Hant-TW": two or three small letters, then parts behind hyphens. */
static bool is_language(struct str text)
{
    struct str rest = text, part;
    if (text.len > LANGUAGE_BYTES_MAX || !str_split(&rest, '-', &part) || part.len < 2 ||
        part.len > 3 || !are(part, 'a', 'z'))
        return false;
    while (str_split(&rest, '-', &part))
        if (!is_word(part))
            return false;
    return text.ptr[text.len - 1] != '-';
}

/* Takes the last ".part" of the name off into *tag. */
static bool tag_take(struct str *name, struct str *tag)
{
    size_t dot = name->len;
    while (dot > 0 && name->ptr[dot - 1] != '.')
        dot--;
    if (dot < 2)
        return false;
    *tag = str_slice(*name, dot, name->len);
    *name = str_slice(*name, 0, dot - 1);
    return true;
}

bool variant_split(struct str name, struct str *base, struct variant_tags *tags)
{
    struct variant_tags found = { .language = STR_NONE };
    struct str          left = name, rest = name, tag;
    for (int place = 0; tag_take(&rest, &tag); place++) {
        if (place == 0 && tag.len == 3 && are(tag, 'A', 'Z'))
            found.currency = tag;
        else if (found.country.len == 0 && tag.len == 2 && are(tag, 'A', 'Z'))
            found.country = tag;
        else if (is_language(tag)) {
            found.language = tag;
            left = rest;
            break;
        } else
            break;
        left = rest;
    }
    if (left.len == name.len)
        return false;
    *base = left;
    *tags = found;
    return true;
}

static char folded(char c)
{
    return c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Norwegian is told as "no" by some and written as "nb" by most. */
static struct str told(struct str language)
{
    bool is_no = str_eq_nocase(str_slice(language, 0, 2), STR("no")) &&
                 (language.len == 2 || language.ptr[2] == '-' || language.ptr[2] == '_');
    return is_no && language.len == 2 ? STR("nb") : language;
}

/* Is `wide` the language `exact`, or what is left of it without its last parts? */
static bool is_of(struct str wide, struct str exact)
{
    wide = told(wide);
    exact = told(exact);
    if (wide.len == 0 || wide.len > exact.len)
        return false;
    for (size_t i = 0; i < wide.len; i++)
        if (folded(wide.ptr[i]) != folded(exact.ptr[i]))
            return false;
    return wide.len == exact.len || folded(exact.ptr[wide.len]) == '-';
}

/* 0: another language than the reader's. */
static uint32_t language_rank(struct str language, const struct variant_reader *reader)
{
    if (language.len == 0 || language.len > LANGUAGE_BYTES_MAX)
        return RANK_NONE;
    if (is_of(language, reader->language))
        return RANK_PERSON + (uint32_t)language.len;
    return is_of(language, reader->house) ? RANK_HOUSE + (uint32_t)language.len - 1 : 0;
}

uint32_t variant_fit(const struct variant_tags *tags, const struct variant_reader *reader)
{
    uint32_t rank = language_rank(tags->language, reader);
    if (rank == 0 || (tags->country.len > 0 && !str_eq_nocase(tags->country, reader->country)) ||
        (tags->currency.len > 0 && !str_eq_nocase(tags->currency, reader->currency)))
        return 0;
    return rank * FIT_LANGUAGE + (tags->country.len > 0 ? FIT_COUNTRY : 0) +
           (tags->currency.len > 0 ? FIT_CURRENCY : 0);
}

uint32_t variant_base_fit(struct str language, const struct variant_reader *reader)
{
    uint32_t rank = language_rank(language, reader);
    return rank == 0 ? 1 : rank * FIT_LANGUAGE;
}
