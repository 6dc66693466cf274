/* Which variant of a template is for whom. */
#include "engine/variant.h"

#include "base/test.h"

TEST(variant, a_name_says_what_it_is_for_and_a_name_without_tags_is_none)
{
    static const struct {
        const char *name, *base, *language, *country, *currency;
    } names[] = {
        { "welcome.nb", "welcome", "nb", "", "" },
        { "welcome.pt-BR", "welcome", "pt-BR", "", "" },
        { "welcome.zh-Hant-TW", "welcome", "zh-Hant-TW", "", "" },
        { "welcome.NO", "welcome", "", "NO", "" },
        { "welcome.EUR", "welcome", "", "", "EUR" },
        { "welcome.de.AT.EUR", "welcome", "de", "AT", "EUR" },
        { "welcome.de.EUR", "welcome", "de", "", "EUR" },
        { "shop.order.nb", "shop.order", "nb", "", "" },
        { "welcome", NULL, "", "", "" },
        { "welcome.v2", NULL, "", "", "" },
        { "welcome.Nb", NULL, "", "", "" },
        { "welcome.pt-", NULL, "", "", "" },
        { "welcome.", NULL, "", "", "" },
        { ".nb", NULL, "", "", "" },
        { "", NULL, "", "", "" },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str          base = STR_NONE;
        struct variant_tags tags = { .language = STR_NONE };
        assert_int_equal(variant_split(str_of(names[i].name), &base, &tags), names[i].base != NULL);
        if (names[i].base == NULL)
            continue;
        assert_str(base, names[i].base);
        assert_true(str_eq(tags.language, str_of(names[i].language)));
        assert_true(str_eq(tags.country, str_of(names[i].country)));
        assert_true(str_eq(tags.currency, str_of(names[i].currency)));
    }
}

/* The best of the names for the reader; the first stands for the base. */
static const char *chosen(const char *const *names, struct variant_reader reader)
{
    const char *best = names[0];
    uint32_t    most = variant_base_fit(STR_NONE, &reader);
    for (size_t i = 1; names[i] != NULL; i++) {
        struct str          base;
        struct variant_tags tags;
        assert_true(variant_split(str_of(names[i]), &base, &tags));
        uint32_t fit = variant_fit(&tags, &reader);
        if (fit > most) {
            best = names[i];
            most = fit;
        }
    }
    return best;
}

TEST(variant, the_chain_goes_from_the_persons_language_by_the_workspaces_to_the_base)
{
    static const char *const both[] = { "w", "w.pt", "w.pt-BR", "w.nb", NULL };
    static const char *const wide[] = { "w", "w.pt", "w.nb", NULL };
    static const char *const house[] = { "w", "w.nb", NULL };
    static const char *const none[] = { "w", "w.de", NULL };
    struct variant_reader    brazil = { .language = STR("pt-BR"), .house = STR("nb-NO") };
    assert_string_equal(chosen(both, brazil), "w.pt-BR");
    assert_string_equal(chosen(wide, brazil), "w.pt");
    assert_string_equal(chosen(house, brazil), "w.nb");
    assert_string_equal(chosen(none, brazil), "w");
    /* A variant for Brazil is not for Portugal. */
    static const char *const narrow[] = { "w", "w.pt-BR", NULL };
    assert_string_equal(chosen(narrow, (struct variant_reader){ .language = STR("pt-PT") }), "w");
    assert_string_equal(chosen(narrow, (struct variant_reader){ .language = STR("pt") }), "w");
}

TEST(variant, a_language_is_written_in_many_ways_and_is_one)
{
    static const char *const names[] = { "w", "w.nb", "w.pt-BR", NULL };
    assert_string_equal(chosen(names, (struct variant_reader){ .language = STR("no") }), "w.nb");
    assert_string_equal(chosen(names, (struct variant_reader){ .language = STR("nb_NO") }), "w.nb");
    assert_string_equal(chosen(names, (struct variant_reader){ .language = STR("PT_br") }),
                        "w.pt-BR");
    assert_string_equal(chosen(names, (struct variant_reader){ .language = STR("nbx") }), "w");
}

TEST(variant, language_counts_before_country_and_country_before_currency)
{
    static const char *const names[] = {
        "w", "w.de", "w.NO", "w.EUR", "w.de.AT", "w.de.EUR", NULL
    };
    struct variant_reader reader = { .language = STR("de-AT"),
                                     .country = STR("AT"),
                                     .currency = STR("EUR") };
    assert_string_equal(chosen(names, reader), "w.de.AT");
    reader.country = STR("NO");
    assert_string_equal(chosen(names, reader), "w.de.EUR");
    reader.currency = STR("NOK");
    assert_string_equal(chosen(names, reader), "w.de");
    reader.language = STR("fr");
    assert_string_equal(chosen(names, reader), "w.NO");
    reader.country = STR("FR");
    assert_string_equal(chosen(names, reader), "w");
    reader.currency = STR("eur");
    assert_string_equal(chosen(names, reader), "w.EUR");
}

TEST(variant, a_base_in_the_persons_language_is_better_than_the_workspaces)
{
    struct variant_reader english = { .language = STR("en-GB"), .house = STR("nb") };
    struct variant_tags   nb = { .language = STR("nb") };
    assert_true(variant_fit(&nb, &english) > variant_base_fit(STR_NONE, &english));
    assert_true(variant_fit(&nb, &english) < variant_base_fit(STR("en"), &english));
}
