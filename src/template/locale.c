#include "template/locale.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/udat.h>
#include <unicode/udatpg.h>
#include <unicode/uloc.h>
#include <unicode/unum.h>
#include <unicode/ustring.h>

/* A written date or amount; the longest are some 60 characters. */
enum { WRITTEN_UNITS_MAX = 256, LANGUAGE_BYTES = 12 };

struct kept {
    enum locale_kind kind;
    char             language[LOCALE_NAME_BYTES_MAX + 1], form[LOCALE_FORM_BYTES_MAX + 1];
    int              places;
    UNumberFormat   *number;
    UDateFormat     *date;
    uint64_t         used; /* the higher, the later; 0: free */
};

struct locales {
    struct kept kept[LOCALES_KEPT_MAX];
    uint64_t    uses;
};

enum err locales_open(struct locales **out)
{
    *out = calloc(1, sizeof **out);
    return *out == NULL ? ERR_MEMORY : OK;
}

static void kept_drop(struct kept *kept)
{
    if (kept->number != NULL)
        unum_close(kept->number);
    if (kept->date != NULL)
        udat_close(kept->date);
    *kept = (struct kept){ 0 };
}

void locales_close(struct locales *locales)
{
    for (int i = 0; locales != NULL && i < LOCALES_KEPT_MAX; i++)
        kept_drop(&locales->kept[i]);
    free(locales);
}

void locales_closep(struct locales **locales)
{
    locales_close(*locales);
}

static bool is_letters(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((text.ptr[i] | 0x20) < 'a' || (text.ptr[i] | 0x20) > 'z')
            return false;
    return text.len > 0;
}

static bool is_known(const char *name)
{
    char       language[8];
    UErrorCode status = U_ZERO_ERROR;
    int32_t    len = uloc_getLanguage(name, language, sizeof language, &status);
    for (int32_t i = 0; U_SUCCESS(status) && len > 0 && i < uloc_countAvailable(); i++) {
        const char *known = uloc_getAvailable(i);
        if (strncmp(known, language, (size_t)len) == 0 && (known[len] == '_' || known[len] == '\0'))
            return true;
    }
    return false;
}

/* "nb-NO" and "nb_NO" are the same to ICU once canonical; a language it has not is English. */
static void language_write(struct str language, char *out)
{
    char       given[LOCALE_NAME_BYTES_MAX + 1];
    UErrorCode status = U_ZERO_ERROR;
    str_to_cstr(language, given, sizeof given);
    int32_t len = language.len > LOCALE_NAME_BYTES_MAX
                      ? 0
                      : uloc_canonicalize(given, out, LOCALE_NAME_BYTES_MAX, &status);
    if (U_FAILURE(status) || len <= 0 || len >= LOCALE_NAME_BYTES_MAX || !is_known(out))
        memcpy(out, "en", 3);
}

/* ---- making formatters ---- */

static UNumberFormat *number_open(const struct kept *kept, const char *language, UErrorCode *status)
{
    static const UNumberFormatStyle styles[] = { [LOCALE_NUMBER] = UNUM_DECIMAL,
                                                 [LOCALE_PERCENT] = UNUM_PERCENT,
                                                 [LOCALE_MONEY] = UNUM_CURRENCY };
    UNumberFormat *number = unum_open(styles[kept->kind], NULL, 0, language, NULL, status);
    if (U_FAILURE(*status))
        return NULL;
    unum_setAttribute(number, UNUM_ROUNDING_MODE, UNUM_ROUND_HALFUP);
    if (kept->kind == LOCALE_MONEY) {
        UChar code[4] = { (UChar)kept->form[0], (UChar)kept->form[1], (UChar)kept->form[2], 0 };
        unum_setTextAttribute(number, UNUM_CURRENCY_CODE, code, 3, status);
    }
    if (kept->places >= 0) {
        unum_setAttribute(number, UNUM_MIN_FRACTION_DIGITS, kept->places);
        unum_setAttribute(number, UNUM_MAX_FRACTION_DIGITS, kept->places);
    }
    return number;
}

static bool style_of(const char *form, UDateFormatStyle *out)
{
    static const struct {
        const char      *name;
        UDateFormatStyle style;
    } styles[] = { { "short", UDAT_SHORT },
                   { "medium", UDAT_MEDIUM },
                   { "long", UDAT_LONG },
                   { "full", UDAT_FULL } };
    for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++) {
        *out = styles[i].style;
        if (strcmp(form, styles[i].name) == 0)
            return true;
    }
    return false;
}

/* Letters of a skeleton that say a day or a time of day, and nothing of a zone. */
static bool is_skeleton(const char *form)
{
    return form[0] != '\0' && strspn(form, "GyYMLwWdDEecabBhHkKmsSjJC") == strlen(form);
}

static UDateFormat *skeleton_open(const char *form, const char *language, UErrorCode *status)
{
    static const UChar         utc[] = { 'U', 'T', 'C', 0 };
    UChar                      skeleton[LOCALE_FORM_BYTES_MAX + 1], pattern[WRITTEN_UNITS_MAX];
    UDateTimePatternGenerator *generator = udatpg_open(language, status);
    u_uastrncpy(skeleton, form, LOCALE_FORM_BYTES_MAX);
    int32_t len = udatpg_getBestPattern(generator, skeleton, (int32_t)strlen(form), pattern,
                                        WRITTEN_UNITS_MAX, status);
    if (generator != NULL)
        udatpg_close(generator);
    if (U_FAILURE(*status))
        return NULL;
    return udat_open(UDAT_PATTERN, UDAT_PATTERN, language, utc, 3, pattern, len, status);
}

static UDateFormat *date_open(const struct kept *kept, const char *language, UErrorCode *status)
{
    static const UChar utc[] = { 'U', 'T', 'C', 0 };
    UDateFormatStyle   style;
    if (!style_of(kept->form, &style))
        return skeleton_open(kept->form, language, status);
    /* The long styles of a time name its zone, which nobody asked for. */
    if (kept->kind == LOCALE_TIME && style < UDAT_MEDIUM)
        style = UDAT_MEDIUM;
    bool time = kept->kind == LOCALE_TIME;
    return udat_open(time ? style : UDAT_NONE, time ? UDAT_NONE : style, language, utc, 3, NULL, 0,
                     status);
}

static UErrorCode formatter_open(struct kept *kept, const char *language)
{
    UErrorCode status = U_ZERO_ERROR;
    if (kept->kind <= LOCALE_MONEY)
        kept->number = number_open(kept, language, &status);
    else
        kept->date = date_open(kept, language, &status);
    return status;
}

/* ---- keeping them ---- */

static bool is_form(const struct locale_as *as)
{
    char form[LOCALE_FORM_BYTES_MAX + 1];
    if (as->form.len > LOCALE_FORM_BYTES_MAX)
        return false;
    if (as->kind == LOCALE_MONEY)
        return as->form.len == 3 && is_letters(as->form);
    UDateFormatStyle style;
    str_to_cstr(as->form, form, sizeof form);
    return as->kind < LOCALE_MONEY || style_of(form, &style) || is_skeleton(form);
}

static struct kept *kept_find(struct locales *locales, const struct kept *wanted)
{
    struct kept *oldest = &locales->kept[0];
    for (int i = 0; i < LOCALES_KEPT_MAX; i++) {
        struct kept *kept = &locales->kept[i];
        if (kept->used > 0 && kept->kind == wanted->kind && kept->places == wanted->places &&
            strcmp(kept->form, wanted->form) == 0 && strcmp(kept->language, wanted->language) == 0)
            return kept;
        if (kept->used < oldest->used)
            oldest = kept;
    }
    kept_drop(oldest);
    return oldest;
}

static enum err kept_get(struct locales *locales, const struct locale_as *as, struct kept **out)
{
    struct kept wanted = { .kind = as->kind, .places = as->places };
    if (!is_form(as))
        return ERR_INPUT;
    str_to_cstr(as->form, wanted.form, sizeof wanted.form);
    for (char *c = wanted.form; as->kind == LOCALE_MONEY && *c != '\0'; c++)
        *c = (char)(*c & ~0x20);
    str_to_cstr(as->language, wanted.language, sizeof wanted.language);
    struct kept *kept = kept_find(locales, &wanted);
    if (kept->used == 0) {
        char language[LOCALE_NAME_BYTES_MAX + 1];
        language_write(as->language, language);
        UErrorCode status = formatter_open(&wanted, language);
        if (U_FAILURE(status)) {
            kept_drop(&wanted);
            return status == U_MEMORY_ALLOCATION_ERROR ? ERR_MEMORY : ERR_INPUT;
        }
        *kept = wanted;
    }
    kept->used = ++locales->uses;
    *out = kept;
    return OK;
}

/* ---- writing ---- */

static enum err written(struct buf *out, const UChar *units, int32_t count, UErrorCode status)
{
    char    bytes[WRITTEN_UNITS_MAX * 3];
    int32_t len = 0;
    if (U_FAILURE(status) || count > WRITTEN_UNITS_MAX)
        return ERR_INPUT;
    u_strToUTF8(bytes, sizeof bytes, &len, units, count, &status);
    if (U_FAILURE(status))
        return ERR_INPUT;
    buf_str(out, (struct str){ bytes, (size_t)len });
    return OK;
}

enum err locale_number(struct locales *locales, const struct locale_as *as, struct str digits,
                       struct buf *out)
{
    struct kept *kept;
    UChar        units[WRITTEN_UNITS_MAX];
    UErrorCode   status = U_ZERO_ERROR;
    TRY(kept_get(locales, as, &kept));
    int32_t count = unum_formatDecimal(kept->number, digits.ptr, (int32_t)digits.len, units,
                                       WRITTEN_UNITS_MAX, NULL, &status);
    return written(out, units, count, status);
}

enum err locale_date(struct locales *locales, const struct locale_as *as, int64_t local_ms,
                     struct buf *out)
{
    struct kept *kept;
    UChar        units[WRITTEN_UNITS_MAX];
    UErrorCode   status = U_ZERO_ERROR;
    TRY(kept_get(locales, as, &kept));
    int32_t count =
        udat_format(kept->date, (UDate)local_ms, units, WRITTEN_UNITS_MAX, NULL, &status);
    return written(out, units, count, status);
}

/* Two or three letters, and what follows them. */
static void language_take(struct str language, char out[LANGUAGE_BYTES])
{
    size_t letters = str_find_char(language, 0, '-');
    bool   is_one = language.len < LANGUAGE_BYTES && letters >= 2 && letters <= 3 &&
                  is_letters(str_slice(language, 0, letters));
    str_to_cstr(is_one ? language : STR("en"), out, LANGUAGE_BYTES);
}

void locale_country_write(struct str code, struct str language, struct buf *out)
{
    char       region[8] = "und_", tongue[LANGUAGE_BYTES];
    UChar      name[WRITTEN_UNITS_MAX], capitals[WRITTEN_UNITS_MAX];
    char       text[4 * WRITTEN_UNITS_MAX];
    int32_t    bytes;
    UErrorCode fault = U_ZERO_ERROR;
    if (code.len != 2 || !is_letters(code)) {
        buf_str(out, code);
        return;
    }
    memcpy(region + 4, code.ptr, code.len);
    language_take(language, tongue);
    int32_t units = uloc_getDisplayCountry(region, tongue, name, WRITTEN_UNITS_MAX, &fault);
    if (fault == U_USING_DEFAULT_WARNING) /* the code alone: it is no language of ICU's */
        units = uloc_getDisplayCountry(region, "en", name, WRITTEN_UNITS_MAX, &fault);
    units = u_strToUpper(capitals, WRITTEN_UNITS_MAX, name, units, tongue, &fault);
    u_strToUTF8(text, sizeof text, &bytes, capitals, units, &fault);
    buf_str(out, U_SUCCESS(fault) ? (struct str){ text, (size_t)bytes } : code);
}
