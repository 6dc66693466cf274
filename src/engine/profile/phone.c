#include "engine/profile/phone.h"

#include <string.h>

#include "engine/profile/phone_table.h"
#include "engine/profile/place.h"

enum { DIGITS_MAX = 24, E164_DIGITS_MAX = 15, NATIONAL_DIGITS_MAX = 31 };

struct digits {
    char     of[DIGITS_MAX + 1];
    uint32_t count;
    bool     plus;
};

static const struct phone_plan *plan_of(struct str country)
{
    for (uint32_t i = 0; i < phone_plans_count; i++)
        if (str_eq_nocase(country, str_of(phone_plans[i].country)))
            return &phone_plans[i];
    return NULL;
}

static bool begins(struct str digits, const char *with)
{
    return with[0] != '\0' && str_starts(digits, str_of(with));
}

/* Is that many digits a number somewhere under the calling code? */
static bool is_possible(const char *calling, size_t digits)
{
    if (digits == 0 || digits > NATIONAL_DIGITS_MAX)
        return false;
    for (uint32_t i = 0; i < phone_plans_count; i++)
        if (strcmp(phone_plans[i].calling, calling) == 0 &&
            (phone_plans[i].lengths >> digits & 1) != 0)
            return true;
    return false;
}

/* Digits, with the signs that people put between them; "(0)" after a plus is not dialled. */
static bool digits_read(struct str text, struct digits *out)
{
    *out = (struct digits){ .count = 0 };
    text = str_trim(text);
    if (text.len == 0 || text.len > PHONE_WRITTEN_BYTES_MAX)
        return false;
    out->plus = text.ptr[0] == '+';
    for (size_t i = out->plus; i < text.len; i++) {
        char c = text.ptr[i];
        if (out->plus && str_starts(str_slice(text, i, text.len), STR("(0)"))) {
            i += 2;
            continue;
        }
        bool between = c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')';
        if (!between && (c < '0' || c > '9'))
            return false;
        if (between)
            continue;
        if (out->count == DIGITS_MAX)
            return false;
        out->of[out->count++] = c;
    }
    return out->count > 0;
}

/* The plan of the calling code that `digits` begins with; no code is the beginning of another. */
static const struct phone_plan *plan_abroad(struct str digits)
{
    for (uint32_t i = 0; i < phone_plans_count; i++)
        if (begins(digits, phone_plans[i].calling))
            return &phone_plans[i];
    return NULL;
}

static enum err number_write(const char *calling, struct str national, char *out)
{
    size_t len = strlen(calling);
    if (!is_possible(calling, national.len) || len + national.len > E164_DIGITS_MAX)
        return ERR_INPUT;
    out[0] = '+';
    memcpy(out + 1, calling, len);
    memcpy(out + 1 + len, national.ptr, national.len);
    out[1 + len + national.len] = '\0';
    return OK;
}

/* Without the prefix that is dialled within the country. A 0 begins no number where it is the
 * prefix; an 8 or a 1 may, if it is needed for the length. */
static struct str trunk_drop(const struct phone_plan *plan, struct str digits)
{
    struct str bare = str_slice(digits, strlen(plan->trunk), digits.len);
    bool       drops = begins(digits, plan->trunk) && is_possible(plan->calling, bare.len) &&
                 (plan->trunk[0] == '0' || !is_possible(plan->calling, digits.len));
    return drops ? bare : digits;
}

static enum err international(struct str digits, char *out)
{
    const struct phone_plan *plan = plan_abroad(digits);
    if (plan == NULL)
        return ERR_INPUT;
    /* "+44 0791...": the prefix of the country, written all the same */
    struct str national = str_slice(digits, strlen(plan->calling), digits.len);
    return number_write(plan->calling, trunk_drop(plan, national), out);
}

static enum err national(const struct phone_plan *plan, struct str digits, char *out)
{
    struct str bare = trunk_drop(plan, digits);
    if (is_possible(plan->calling, bare.len))
        return number_write(plan->calling, bare, out);
    /* The calling code without its plus. */
    return begins(digits, plan->calling) ? international(digits, out) : ERR_INPUT;
}

enum err phone_e164(struct str written, struct str country, char out[PHONE_BYTES_MAX])
{
    struct digits            read;
    const struct phone_plan *plan = plan_of(country);
    if (!digits_read(written, &read))
        return ERR_INPUT;
    struct str digits = { read.of, read.count };
    if (read.plus)
        return international(digits, out);
    const char *abroad = plan != NULL && begins(digits, plan->abroad) ? plan->abroad : "00";
    if (begins(digits, abroad))
        return international(str_slice(digits, strlen(abroad), digits.len), out);
    return plan == NULL ? ERR_INPUT : national(plan, digits, out);
}

struct str phone_country(struct str e164)
{
    const char *code = place_phone_code(e164);
    return code == NULL ? STR_NONE : str_of(code);
}
