#include "template/locale.h"

#include <stdio.h>

#include "base/test.h"
#include "base/time.h"
#include "template/template.h"

/* No-break spaces (which of the two differs by ICU's version) as '_', so that they can be seen. */
static void plain(struct buf *text)
{
    size_t to = 0;
    for (size_t i = 0; i < text->len; i++) {
        struct str rest = { text->ptr + i, text->len - i };
        bool       wide = str_starts(rest, STR("\u00a0")), narrow = str_starts(rest, STR("\u202f"));
        text->ptr[to++] = wide || narrow ? '_' : text->ptr[i];
        i += wide ? 1 : narrow ? 2 : 0;
    }
    text->len = to;
}

static void rendered(const struct template_render_conf *conf, const char *source,
                     const char *expected)
{
    static struct template_report report;
    struct arena                 *arena = arena_open(1 << 22);
    struct template              *t = NULL;
    struct buf                    out = buf_make(1 << 16);
    struct json                   data;
    assert_ok(json_parse_once(arena,
                              STR("{\"price\":1234.5,\"text\":\"19.999\",\"none\":null,"
                                  "\"at\":\"2026-03-14T23:30:00Z\",\"day\":\"2026-03-14\"}"),
                              &data, NULL));
    assert_ok(template_parse(&t, str_of(source), NULL, NULL));
    assert_ok(template_render(t, arena, &data, conf, &out, &report));
    plain(&out);
    if (expected == NULL)
        assert_int_equal(report.fault_total, 1);
    else
        assert_str(buf_view(&out), expected);
    buf_done(&out);
    template_close(t);
    arena_close(arena);
}

static const struct zone_shift SHIFTS[] = { { 0, 3600 } };
static const struct zone       BERLIN = { .name = { "Europe/Berlin", 13 }, SHIFTS, 1, 3600 };

TEST(locale, money_numbers_and_dates_are_written_as_in_the_readers_language)
{
    static const struct {
        const char *language, *source, *expected;
    } cases[] = {
        { "de", "{{ price | money: 'EUR' }}", "1.234,50_€" },
        { "en-US", "{{ price | money: 'eur' }}", "€1,234.50" },
        { "sv_SE", "{{ text | money: 'SEK', 0 }}", "20_kr" },
        { "en", "{{ price | money: 'JPY' }}", "¥1,235" },
        { "fr", "{{ price | number: 2 }}", "1_234,50" },
        { "en-IN", "{{ 12345678 | number }}", "1,23,45,678" },
        { "de", "{{ 0.25 | percent }} {{ 0.125 | percent: 1 }}", "25_% 12,5_%" },
        { "de", "{{ at | local_date }}", "15. März 2026" },
        { "en-US", "{{ day | local_date: 'full' }}", "Saturday, March 14, 2026" },
        { "fr", "{{ day | local_date: 'MMMEd' }}", "sam. 14 mars" },
        { "de", "{{ at | local_time }}", "00:30" },
        { "en-US", "{{ at | local_time: 'jm' }}", "12:30_AM" },
        { "de", "{{ at | in_zone | date: '%H:%M %z' }}", "00:30 +0100" },
        { "de", "{{ at | in_zone: 'UTC' | date: '%H:%M' }}", "23:30" },
        { "tlh", "{{ price | money: 'USD' }}", "$1,234.50" },
        { "no such name at all, and far too long for one", "{{ price | number }}", "1,234.5" },
        { "", "{{ none | money: 'EUR' }}{{ none | local_date }}", "" },
        { "de", "{{ 'cheap' | money: 'EUR' }}", NULL },
        { "de", "{{ price | money: 'EURO' }}", NULL },
        { "de", "{{ price | money }}", NULL },
        { "de", "{{ day | local_date: 'zzzz' }}", NULL },
        { "de", "{{ 'soon' | local_date }}", NULL },
        { "de", "{{ at | in_zone: 'Nowhere' }}", NULL },
        { "de", "{{ price | number: 99 }}", NULL },
    };
    SCOPED(locales_closep) struct locales *locales = NULL;
    assert_ok(locales_open(&locales));
    for (int round = 0; round < 3; round++) /* made, kept, and made for the one use */
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
            struct template_render_conf conf = { .language = str_of(cases[i].language),
                                                 .zone = &BERLIN,
                                                 .locales = round < 2 ? locales : NULL };
            rendered(&conf, cases[i].source, cases[i].expected);
        }
}

TEST(locale, a_render_may_have_a_currency_of_its_own)
{
    struct template_render_conf conf = { .language = STR("en"), .currency = STR("CHF") };
    rendered(&conf, "{{ price | money }}", "CHF_1,234.50");
    rendered(&conf, "{{ price | money: nil, 0 }}", "CHF_1,235");
}

TEST(locale, more_languages_than_are_kept_are_written_all_the_same)
{
    SCOPED(locales_closep) struct locales *locales = NULL;
    struct buf                             out = buf_make(1 << 20);
    assert_ok(locales_open(&locales));
    for (int i = 0; i < 3 * LOCALES_KEPT_MAX; i++) {
        char language[16];
        snprintf(language, sizeof language, "de-x-%d", i % (LOCALES_KEPT_MAX + 7));
        struct locale_as as = { .kind = LOCALE_NUMBER, .language = str_of(language), .places = 1 };
        buf_reset(&out);
        assert_ok(locale_number(locales, &as, STR("1234.5"), &out));
        assert_str(buf_view(&out), "1.234,5");
    }
    buf_done(&out);
}
