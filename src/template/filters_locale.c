/* money, number, percent, local_date, local_time, in_zone: as the reader writes and lives. */
#include "template/date.h"
#include "template/decimal.h"
#include "template/filters.h"
#include "template/lexer.h"
#include "template/locale.h"

/* ---- numbers ---- */

/* The number of a value in decimal digits, or false (and a fault) when it is none. */
static bool digits_of(struct render *r, const struct value *v, struct str *out)
{
    struct value number = *v;
    bool         text = v->kind == VALUE_STRING;
    if (text && !value_is_number_text(v->string)) {
        render_fault(r, "'%.*s' is not a number", STR_ARG(str_slice(v->string, 0, 40)));
        return false;
    }
    if (!text && v->kind != VALUE_INT && v->kind != VALUE_REAL) {
        render_fault(r, "what should be a number is none");
        return false;
    }
    *out = text ? str_trim(v->string) : value_text(r, &number);
    return r->err == OK;
}

static bool places_of(struct render *r, const struct value *v, int *out)
{
    int64_t places = -1;
    if (v->kind != VALUE_NIL && (!value_to_integer(v, &places) || places < 0 || places > 20)) {
        render_fault(r, "the places behind the point are a whole number from 0 to 20");
        return false;
    }
    *out = (int)places;
    return true;
}

static struct value as_number(struct render *r, const struct value *input, struct locale_as as)
{
    SCOPED(locales_closep) struct locales *own = NULL;
    struct locales                        *locales = r->conf->locales;
    struct buf                             out = render_buf();
    struct str                             digits;
    if (input->kind == VALUE_NIL || !digits_of(r, input, &digits))
        return VALUE_NONE;
    if (locales == NULL && locales_open(&own) == OK)
        locales = own;
    as.language = r->conf->language;
    enum err     err = locales == NULL ? ERR_MEMORY : locale_number(locales, &as, digits, &out);
    struct value made = render_text(r, &out);
    if (err == ERR_MEMORY)
        render_stop(r, ERR_MEMORY, "no memory for a number", "Try again.");
    else if (err != OK)
        return render_fault(r, "'%.*s' is not the code of a currency",
                            STR_ARG(str_slice(as.form, 0, 20)));
    render_charge_bytes(r, 1024); /* some ten times what other filters cost */
    return made;
}

/* money: "EUR", places; without a code the render's own currency. */
static struct value money(struct render *r, const struct value *input, const struct value *args,
                          uint32_t count)
{
    struct locale_as as = { .kind = LOCALE_MONEY, .form = r->conf->currency };
    if (count > 0 && args[0].kind != VALUE_NIL)
        as.form = value_text(r, &args[0]);
    if (as.form.len == 0)
        return render_fault(r, "money needs the code of a currency: money: 'EUR'");
    return places_of(r, &args[1], &as.places) ? as_number(r, input, as) : VALUE_NONE;
}

static struct value number(struct render *r, const struct value *input, const struct value *args,
                           uint32_t count)
{
    struct locale_as as = { .kind = LOCALE_NUMBER };
    (void)count;
    return places_of(r, &args[0], &as.places) ? as_number(r, input, as) : VALUE_NONE;
}

static struct value percent(struct render *r, const struct value *input, const struct value *args,
                            uint32_t count)
{
    struct locale_as as = { .kind = LOCALE_PERCENT };
    (void)count;
    return places_of(r, &args[0], &as.places) ? as_number(r, input, as) : VALUE_NONE;
}

/* ---- dates ---- */

/* An instant is shown by the reader's clock; a day or time without a zone is shown as it stands. */
static bool local_of(struct render *r, const struct value *input, const struct zone *zone,
                     struct date *out)
{
    if (!date_of_value(r, input, out)) {
        struct str text = str_slice(value_text(r, input), 0, 40);
        render_fault(r, "'%.*s' is not a date", STR_ARG(text));
        return false;
    }
    if (out->is_instant)
        out->offset_s = (int32_t)(zone_offset_ms(zone, out->at_ms) / TIME_SECOND_MS);
    return true;
}

static struct value as_date(struct render *r, const struct value *input, const struct value *form,
                            struct locale_as as)
{
    SCOPED(locales_closep) struct locales *own = NULL;
    struct locales                        *locales = r->conf->locales;
    struct buf                             out = render_buf();
    struct date                            date;
    if (input->kind == VALUE_NIL || !local_of(r, input, r->conf->zone, &date))
        return VALUE_NONE;
    if (form->kind != VALUE_NIL)
        as.form = value_text(r, form);
    if (locales == NULL && locales_open(&own) == OK)
        locales = own;
    as.language = r->conf->language;
    int64_t      local_ms = date.at_ms + (int64_t)date.offset_s * TIME_SECOND_MS;
    enum err     err = locales == NULL ? ERR_MEMORY : locale_date(locales, &as, local_ms, &out);
    struct value made = render_text(r, &out);
    if (err == ERR_MEMORY)
        render_stop(r, ERR_MEMORY, "no memory for a date", "Try again.");
    else if (err != OK)
        return render_fault(r, "'%.*s' is not a form of dates", STR_ARG(str_slice(as.form, 0, 40)));
    render_charge_bytes(r, 1024);
    return made;
}

static struct value local_date(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    (void)count;
    return as_date(r, input, &args[0],
                   (struct locale_as){ .kind = LOCALE_DATE, .form = STR("long"), .places = -1 });
}

static struct value local_time(struct render *r, const struct value *input,
                               const struct value *args, uint32_t count)
{
    (void)count;
    return as_date(r, input, &args[0],
                   (struct locale_as){ .kind = LOCALE_TIME, .form = STR("short"), .places = -1 });
}

/* The same instant with the offset of a zone, so that `date` shows it as clocks there do. */
static struct value in_zone(struct render *r, const struct value *input, const struct value *args,
                            uint32_t count)
{
    const struct zone *zone = r->conf->zone;
    struct buf         out = render_buf();
    struct date        date;
    if (input->kind == VALUE_NIL)
        return VALUE_NONE;
    if (count > 0 && args[0].kind != VALUE_NIL) {
        struct str name = value_text(r, &args[0]);
        zone = zone_find(r->conf->zones, name);
        if (zone == NULL && !str_eq_nocase(name, STR("UTC")))
            return render_fault(r, "there is no time zone '%.*s'", STR_ARG(str_slice(name, 0, 60)));
    }
    if (!local_of(r, input, zone, &date))
        return VALUE_NONE;
    date_write(&out, &date, STR("%Y-%m-%dT%H:%M:%S%:z"));
    return render_text(r, &out);
}

const struct filter FILTERS_LOCALE[] = {
    { "money", money, 0, 2, NULL, false },
    { "number", number, 0, 1, NULL, false },
    { "percent", percent, 0, 1, NULL, false },
    { "local_date", local_date, 0, 1, NULL, false },
    { "local_time", local_time, 0, 1, NULL, false },
    { "in_zone", in_zone, 0, 1, NULL, false },
    { NULL, NULL, 0, 0, NULL, false },
};
