#include "engine/profile/postal.h"

#include <string.h>

enum { CODE_COMPACT_BYTES = 16 };

static const struct postal_rule *rule_of(struct str country)
{
    for (unsigned i = 0; i < postal_rules_count; i++)
        if (str_eq(country, str_of(postal_rules[i].country)))
            return &postal_rules[i];
    return NULL;
}

static bool is_listed(const char *list, struct str country)
{
    struct str all = str_of(list);
    return country.len == 2 && str_find(all, 0, country) < all.len;
}

/* Those that use none (Universal Postal Union), and Ireland, where a letter needs none. */
static bool needs_code(struct str country)
{
    return !is_listed("AE AG AO AW BF BI BJ BO BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA "
                      "GD GH GM GQ GY HK IE JM KI KM KN KP ML MO MR MW NR NU QA RW SB SC SL SR "
                      "SS ST SX SY TD TG TK TL TO TV UG VU YE ZW",
                      country);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return c >= 'A' && c <= 'Z';
}

static char capital(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* In capitals, without spaces and dashes; false: it is longer than any. */
static bool compact(struct str code, char out[CODE_COMPACT_BYTES])
{
    size_t len = 0;
    for (size_t i = 0; i < code.len; i++) {
        if (code.ptr[i] == ' ' || code.ptr[i] == '-')
            continue;
        if (len == CODE_COMPACT_BYTES - 1)
            return false;
        out[len++] = capital(code.ptr[i]);
    }
    out[len] = '\0';
    return true;
}

static bool fits(char c, char wanted)
{
    switch (wanted) {
    case 'N':
        return is_digit(c);
    case 'A':
        return is_letter(c);
    case 'X':
        return is_digit(c) || is_letter(c);
    default:
        return c == capital(wanted);
    }
}

static bool has_shape(const char *code, const char *shape)
{
    for (; *shape != '\0'; shape += *shape == '|') {
        size_t i = 0, len = strcspn(shape, "|");
        while (i < len && fits(code[i], shape[i]))
            i++;
        if (i == len && code[i] == '\0')
            return true;
        shape += len;
    }
    return false;
}

/* Behind "N-", "SE-" or the like: the sign of a country, as long as a dash follows. */
static struct str sign_cut(struct str code)
{
    size_t letters = 0;
    while (letters < code.len && letters < 3 && is_letter(capital(code.ptr[letters])))
        letters++;
    bool has_sign = letters > 0 && letters < 3 && letters < code.len && code.ptr[letters] == '-';
    return has_sign ? str_slice(code, letters + 1, code.len) : code;
}

static bool code_is_good(const struct postal_rule *rule, struct str code)
{
    char text[CODE_COMPACT_BYTES];
    if (compact(code, text) && has_shape(text, rule->shape))
        return true;
    return compact(sign_cut(code), text) && has_shape(text, rule->shape);
}

struct str postal_why(const struct postal_address *address)
{
    const struct postal_rule *rule = rule_of(address->country);
    if (str_is_empty(address->street) && str_is_empty(address->city))
        return STR("no postal address");
    if (str_is_empty(address->street))
        return STR("the postal address has no street");
    if (str_is_empty(address->city))
        return STR("the postal address has no city");
    if (str_is_empty(address->country))
        return STR("the postal address has no country");
    if (str_is_empty(address->code) && needs_code(address->country))
        return STR("the postal address has no postal code");
    if (str_is_empty(address->state) && is_listed("US CA AU", address->country))
        return STR("the postal address has no state");
    bool is_good = rule == NULL || str_is_empty(address->code) || code_is_good(rule, address->code);
    return is_good ? STR_NONE : str_of(rule->why);
}

const char *postal_lines(struct str country)
{
    const struct postal_rule *rule = rule_of(country);
    return rule == NULL ? "A\nZ C\nS" : rule->lines;
}
