#include "template/date.h"
#include "template/filters.h"

bool date_of_value(struct render *r, const struct value *v, struct date *out)
{
    if (v->kind == VALUE_STRING)
        return date_parse(v->string, r->conf->now_ms, out);
    if (v->kind != VALUE_INT || v->integer < TIME_MIN_MS / TIME_SECOND_MS ||
        v->integer > TIME_MAX_MS / TIME_SECOND_MS)
        return false;
    *out = (struct date){ .at_ms = v->integer * TIME_SECOND_MS,
                          .zone = STR("UTC"),
                          .is_instant = true };
    return true;
}

/* What is no date, or has no format, passes as it is. */
static struct value date(struct render *r, const struct value *input, const struct value *args,
                         uint32_t count)
{
    struct date when;
    struct str  format = value_text(r, &args[0]);
    (void)count;
    if (format.len == 0 || !date_of_value(r, input, &when))
        return *input;
    struct buf out = render_buf();
    date_write(&out, &when, format);
    render_charge_bytes(r, out.len * 8);
    struct value made = render_text(r, &out);
    made.safe = input->safe && args[0].safe;
    return made;
}

const struct filter FILTERS_DATE[] = {
    { "date", date, 1, 1, NULL, false },
    { NULL, NULL, 0, 0, NULL, false },
};
