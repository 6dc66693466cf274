#include "engine/report/orders.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "base/zone.h"
#include "engine/behaviour/view.h"
#include "engine/vec.h"

void orders_done(struct orders *orders)
{
    VEC_DONE(&orders->all);
    free(orders->places);
}

static bool value_of(struct bag bag, uint16_t key, struct json *out)
{
    return key != DICT_NONE && bag_find(bag, key, out) && out->kind != JSON_NULL;
}

/* "007" is no number: it is another id than 7. */
static void id_read(struct bag bag, uint16_t key, struct order *out)
{
    struct json value;
    if (!value_of(bag, key, &value))
        return;
    out->is_number = value.kind == JSON_INT;
    out->number = value.kind == JSON_INT ? value.integer : 0;
    if (value.kind != JSON_STRING)
        return;
    out->id = value.string;
    out->is_number = value.string.len > 0 && value.string.len <= 18 &&
                     (value.string.ptr[0] != '0' || value.string.len == 1) &&
                     value.string.ptr[0] != '-' && value.string.ptr[0] != '+' &&
                     str_to_int(value.string, &out->number) == OK;
}

static bool has_id(const struct order *order)
{
    return order->is_number || order->id.len > 0;
}

static bool is_same(const struct order *a, const struct order *b)
{
    return a->is_number == b->is_number &&
           (a->is_number ? a->number == b->number : str_eq(a->id, b->id));
}

static void currency_read(struct orders *orders, struct bag bag, struct order *out)
{
    struct json value;
    memcpy(out->currency, orders->question->home, sizeof out->currency);
    if (!value_of(bag, orders->question->currency, &value))
        return;
    out->has_currency = true;
    if (value.kind != JSON_STRING || !rates_code(str_trim(value.string), out->currency)) {
        memset(out->currency, 0, sizeof out->currency);
        memcpy(out->currency, "???", 3); /* no rate has it: it is named as missing */
        orders->unreadable++;
    }
}

/* Many shops tell what is given back as less than nothing. */
static struct json without_sign(struct json value)
{
    if (value.kind == JSON_INT && value.integer < 0 && value.integer > INT64_MIN)
        value.integer = -value.integer;
    if (value.kind == JSON_REAL && value.real < 0)
        value.real = -value.real;
    if (value.kind == JSON_STRING)
        value.string = str_trim(value.string);
    if (value.kind == JSON_STRING && str_starts(value.string, STR("-")))
        value.string = str_slice(value.string, 1, value.string.len);
    return value;
}

static void amount_read(struct orders *orders, struct bag bag, bool is_return, struct order *out)
{
    const struct orders_question *question = orders->question;
    struct json                   value;
    uint32_t                      i = 0;
    while (i < question->values_count && !value_of(bag, question->values[i], &value))
        i++;
    if (i == question->values_count)
        return;
    if (is_return)
        value = without_sign(value);
    out->has_amount = money_read(&value, &out->gross);
    out->is_unreadable = !out->has_amount;
    orders->unreadable += !out->has_amount;
}

static struct order order_read(struct orders *orders, const struct letters *letters,
                               const struct letters_said *said, bool is_return)
{
    struct bag   bag = bag_at(letters->report->view->bags, said->bag);
    struct order made = { .at_ms = said->at_ms, .seq = said->seq };
    id_read(bag, orders->question->id, &made);
    currency_read(orders, bag, &made);
    amount_read(orders, bag, is_return, &made);
    return made;
}

static uint32_t place_first(const struct orders *orders, const struct order *like)
{
    uint64_t hash = like->is_number ? hash_u64((uint64_t)like->number, 1) : hash_str(like->id, 1);
    return (uint32_t)hash & (orders->places_room - 1);
}

/* Where the order stands among the places, or where it would be put. */
static uint32_t place_of(const struct orders *orders, const struct order *like)
{
    uint32_t last = orders->places_room - 1, place = place_first(orders, like);
    while (orders->places[place] != 0 &&
           !is_same(&orders->all.items[orders->places[place] - 1], like))
        place = (place + 1) & last;
    return place;
}

static struct order *order_find(const struct orders *orders, const struct order *like)
{
    if (!has_id(like) || orders->places_room == 0)
        return NULL;
    uint32_t number = orders->places[place_of(orders, like)];
    return number == 0 ? NULL : &orders->all.items[number - 1];
}

/* Those of the person before; by what they had, not by what there is room for. */
static void orders_forget(struct orders *orders)
{
    for (uint32_t i = 0; i < orders->all.count; i++)
        for (uint32_t place = has_id(&orders->all.items[i])
                                  ? place_first(orders, &orders->all.items[i])
                                  : orders->places_room;
             place < orders->places_room && orders->places[place] != 0;
             place = (place + 1) & (orders->places_room - 1))
            orders->places[place] = 0;
    orders->all.count = 0;
}

static enum err places_make(struct orders *orders, uint32_t room)
{
    uint32_t *places = calloc(room, sizeof places[0]);
    if (places == NULL)
        return ERR_MEMORY;
    free(orders->places);
    orders->places = places;
    orders->places_room = room;
    for (uint32_t i = 0; i < orders->all.count; i++)
        if (has_id(&orders->all.items[i]))
            places[place_of(orders, &orders->all.items[i])] = i + 1;
    return OK;
}

static enum err order_add(struct orders *orders, struct order made)
{
    if (2 * (orders->all.count + 1) > orders->places_room)
        TRY(places_make(orders, orders->places_room == 0 ? 64 : 2 * orders->places_room));
    if (has_id(&made))
        orders->places[place_of(orders, &made)] = orders->all.count + 1;
    return VEC_ADD(&orders->all, made);
}

static int64_t day_of(const struct letters *letters, int64_t at_ms)
{
    return zone_day_of(letters->report->zone, at_ms);
}

static void give_back(struct orders *orders, const struct letters *letters,
                      const struct letters_said *said, bool is_whole)
{
    struct order  back = order_read(orders, letters, said, true);
    struct order *order = order_find(orders, &back);
    int64_t       other;
    if (order != NULL && !back.has_currency)
        memcpy(back.currency, order->currency, sizeof back.currency);
    if (order == NULL) {
        orders->strays++;
    } else if (back.is_unreadable && !is_whole) {
        return; /* it says how much, and nobody knows: told as unreadable, and nothing is taken off
                 */
    } else if (is_whole || !back.has_amount) {
        order->back = order->gross;
    } else if (strcmp(order->currency, back.currency) == 0) {
        order->back = money_add(order->back, back.gross);
    } else if (rates_convert(&orders->question->rates, back.gross, back.currency,
                             orders->question->report, day_of(letters, order->at_ms), &other)) {
        order->back_other = money_add(order->back_other, other);
    } else {
        orders->unreadable++;
    }
}

static void reckon(const struct orders *orders, const struct letters *letters, struct order *order)
{
    const struct orders_question *question = orders->question;
    int64_t day = day_of(letters, order->at_ms), gross = 0, back = order->back;
    if (back > order->gross)
        back = order->gross;
    order->is_told =
        !order->has_amount || (rates_convert(&question->rates, order->gross, order->currency,
                                             question->report, day, &gross) &&
                               rates_convert(&question->rates, order->gross - back, order->currency,
                                             question->report, day, &order->net));
    if (!order->is_told)
        return;
    order->net = order->net > order->back_other ? order->net - order->back_other : 0;
    order->returned = gross - order->net;
}

enum err orders_read(struct orders *orders, const struct letters *letters)
{
    const struct orders_question *question = orders->question;
    orders_forget(orders);
    for (uint32_t i = 0; i < letters->said.count; i++) {
        const struct letters_said *said = &letters->said.items[i];
        if (said->name != question->event)
            continue;
        struct order made = order_read(orders, letters, said, false);
        if (order_find(orders, &made) == NULL)
            TRY(order_add(orders, made));
    }
    for (uint32_t i = 0; i < letters->said.count; i++) {
        const struct letters_said *said = &letters->said.items[i];
        if (said->name != question->event &&
            (said->name == question->refund || said->name == question->cancel))
            give_back(orders, letters, said, said->name == question->cancel);
    }
    for (uint32_t i = 0; i < orders->all.count; i++)
        reckon(orders, letters, &orders->all.items[i]);
    return OK;
}
