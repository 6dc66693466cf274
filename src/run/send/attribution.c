#include "run/send/attribution.h"

#include <stdio.h>

#include "base/time.h"

enum { NAME_BYTES_MAX = 200 };

static enum err fault(const char *member, const char *what, const char *remedy,
                      struct problem *problem)
{
    char where[80];
    snprintf(where, sizeof where, "workspace.json:attribution%s%s", member[0] == '\0' ? "" : ".",
             member);
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

static enum err name_read(const struct json *object, const char *member, struct str *out,
                          struct problem *problem)
{
    const struct json *value = json_get(object, str_of(member));
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || value->string.len > NAME_BYTES_MAX)
        return fault(member, "This is no name.", "Write a text of at most 200 bytes.", problem);
    *out = value->string;
    return OK;
}

static enum err values_read(const struct json *object, struct attribution *out,
                            struct problem *problem)
{
    const struct json *value = json_get(object, STR("value"));
    if (value == NULL)
        return OK;
    uint32_t count = value->kind == JSON_ARRAY ? value->count : 1;
    bool     is_good = count >= 1 && count <= ORDERS_VALUES_MAX;
    for (uint32_t i = 0; is_good && i < count; i++) {
        const struct json *one = value->kind == JSON_ARRAY ? &value->items[i] : value;
        is_good =
            one->kind == JSON_STRING && one->string.len > 0 && one->string.len <= NAME_BYTES_MAX;
        out->values[i] = one->string;
    }
    out->values_count = count;
    return is_good ? OK
                   : fault("value", "This names no property that says what an order is worth.",
                           "Write one, such as \"revenue\", or a list of at most four of which the "
                           "first that is there counts.",
                           problem);
}

static enum err within_read(const struct json *object, struct attribution *out,
                            struct problem *problem)
{
    const struct json *within = json_get(object, STR("within"));
    char               member[32];
    if (within == NULL)
        return OK;
    if (within->kind != JSON_OBJECT)
        return fault("within", "These are no lengths of time.",
                     "Write {\"clicked\": \"5 days\", \"opened\": \"1 day\", \"received\": "
                     "\"none\"}.",
                     problem);
    for (uint32_t m = 0; m < within->count; m++) {
        struct str text = within->members[m].value.kind == JSON_STRING
                              ? within->members[m].value.string
                              : STR_NONE;
        int        touch = 0;
        while (touch < CREDIT_TOUCHES &&
               !str_eq(within->members[m].key, str_of(credit_touch_word((enum credit_touch)touch))))
            touch++;
        if (touch == CREDIT_TOUCHES)
            return fault("within", "There is no such touch.", "Use clicked, opened and received.",
                         problem);
        snprintf(member, sizeof member, "within.%s", credit_touch_word((enum credit_touch)touch));
        if (str_eq(text, STR("none")))
            out->rule.within_ms[touch] = 0;
        else if (time_length_parse(text, &out->rule.within_ms[touch]) != OK ||
                 out->rule.within_ms[touch] <= 0 ||
                 out->rule.within_ms[touch] > ATTRIBUTION_WITHIN_MAX_MS)
            return fault(member, "This is no length of time.",
                         "Write up to 400 days, such as \"5 days\", or \"none\".", problem);
    }
    return OK;
}

enum err attribution_model(struct str text, const char *where, enum credit_model *out,
                           struct problem *problem)
{
    enum credit_model model = credit_model_of(text);
    if (str_is_empty(text))
        return OK;
    if (model == CREDIT_MODELS)
        return problem_set(problem, ERR_INPUT, where, "There is no such model.",
                           "Write last, first or linear.");
    *out = model;
    return OK;
}

static enum err members_check(const struct json *object, struct problem *problem)
{
    static const char *const known[] = { "event",  "value", "order",  "currency", "refund",
                                         "cancel", "model", "within", "report" };
    for (uint32_t m = 0; m < object->count; m++) {
        size_t i = 0;
        while (i < sizeof known / sizeof known[0] &&
               !str_eq(object->members[m].key, str_of(known[i])))
            i++;
        if (i == sizeof known / sizeof known[0])
            return fault("", "There is no such member.",
                         "Use event, value, order, currency, refund, cancel, model, within and "
                         "report.",
                         problem);
    }
    return OK;
}

enum err attribution_parse(const struct json *root, struct attribution *out,
                           struct problem *problem)
{
    const struct json *object = root == NULL ? NULL : json_get(root, STR("attribution"));
    char               code[RATES_CURRENCY_BYTES];
    *out = (struct attribution){
        .event = STR("Order Completed"),
        .refund = STR("Order Refunded"),
        .cancel = STR("Order Cancelled"),
        .id = STR("order_id"),
        .currency = STR("currency"),
        .values = { STR("revenue"), STR("total") },
        .values_count = 2,
        .rule = { .model = CREDIT_LAST,
                  .within_ms = { [CREDIT_CLICKED] = 5 * TIME_DAY_MS,
                                 [CREDIT_OPENED] = TIME_DAY_MS,
                                 [CREDIT_RECEIVED] = TIME_DAY_MS } },
    };
    if (object == NULL)
        return OK;
    if (object->kind != JSON_OBJECT)
        return fault("", "This is not a JSON object.", "Write {\"model\": \"last\"}.", problem);
    TRY(members_check(object, problem));
    TRY(name_read(object, "event", &out->event, problem));
    TRY(name_read(object, "refund", &out->refund, problem));
    TRY(name_read(object, "cancel", &out->cancel, problem));
    TRY(name_read(object, "order", &out->id, problem));
    TRY(name_read(object, "currency", &out->currency, problem));
    TRY(name_read(object, "report", &out->report, problem));
    if (str_is_empty(out->event))
        return fault("event", "Without a name nothing counts.",
                     "Write such as \"Order Completed\".", problem);
    if (out->report.len > 0 && !rates_code(out->report, code))
        return fault("report", "This is no currency.", "Write its three letters, such as \"NOK\".",
                     problem);
    TRY(attribution_model(json_get_str(object, STR("model")), "workspace.json:attribution.model",
                          &out->rule.model, problem));
    TRY(values_read(object, out, problem));
    return within_read(object, out, problem);
}
