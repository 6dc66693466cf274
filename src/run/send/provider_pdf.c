/* What a provider that prints letters says of their paper. */
#include <math.h>
#include <stdlib.h>

#include "run/send/provider_inside.h"

enum { NUMBER_BYTES_MAX = 32 };

static const char *const parts[PDF_PARTS + 1] = { "x",    "y",        "width",   "height",
                                                  "font", "language", "country", NULL };

enum { PART_FONT = 4, PART_LANGUAGE, PART_COUNTRY };

enum err pdf_read(struct reading *reading, const struct json *pdf)
{
    struct provider *provider = reading->provider;
    if (pdf == NULL)
        return OK;
    if (pdf->kind != JSON_OBJECT || provider->channel != CHANNEL_POST)
        return reading_fault(reading, "pdf", "is no object of a provider of post");
    for (uint32_t i = 0; i < pdf->count; i++)
        if (word_find(parts, pdf->members[i].key) < 0)
            return reading_fault(reading, "pdf", "has a member that is unknown");
    for (int i = 0; i < PDF_PARTS; i++) {
        TRY(reading_text(reading, pdf, parts[i], &provider->pdf[i]));
        if (provider->pdf[i] == NULL && i < PART_FONT)
            return reading_fault(reading, "pdf", "needs x, y, width and height");
    }
    return OK;
}

bool provider_takes_pdf(const struct provider *provider)
{
    return provider->pdf[0] != NULL;
}

static bool number_read(struct str text, double *out)
{
    char  copy[NUMBER_BYTES_MAX];
    char *end;
    text = str_trim(text);
    if (text.len == 0 || text.len >= sizeof copy)
        return false;
    str_to_cstr(text, copy, sizeof copy);
    *out = strtod(copy, &end);
    return *end == '\0' && isfinite(*out);
}

enum err provider_pdf_origin(const struct provider *provider, const struct json *settings,
                             struct arena *arena, struct provider_origin *out)
{
    const struct provider_message none = { .id = STR_NONE };
    struct str                    language, country;
    TRY(provider_text(provider, settings, &none, 0, arena, provider->pdf[PART_LANGUAGE],
                      &language));
    TRY(provider_text(provider, settings, &none, 0, arena, provider->pdf[PART_COUNTRY], &country));
    *out = (struct provider_origin){ str_trim(language), str_trim(country) };
    return OK;
}

enum err provider_pdf_form(const struct provider *provider, const struct json *settings,
                           struct arena *arena, struct pdf_form *out, struct problem *problem)
{
    const struct provider_message none = { .id = STR_NONE };
    double                        numbers[PART_FONT];
    struct str                    text, font;
    for (int i = 0; i < PART_FONT; i++) {
        TRY(provider_text(provider, settings, &none, 0, arena, provider->pdf[i], &text));
        if (!number_read(text, &numbers[i]))
            return problem_format(problem, ERR_INPUT, "pdf", "Look at the settings of its way.",
                                  "`%s` of the window is no number", parts[i]);
    }
    TRY(provider_text(provider, settings, &none, 0, arena, provider->pdf[PART_FONT], &font));
    *out = (struct pdf_form){ .x = numbers[0],
                              .y = numbers[1],
                              .width = numbers[2],
                              .height = numbers[3],
                              .font = str_trim(font) };
    return pdf_form_is_good(out)
               ? OK
               : problem_set(problem, ERR_INPUT, "pdf", "the address would not lie on the paper",
                             "Look at the settings of its way.");
}
