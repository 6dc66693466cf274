/* The walk over everyone's messages and orders. */
#include <stdlib.h>
#include <string.h>

#include "engine/behaviour/view.h"
#include "engine/own.h"
#include "engine/report/results_inside.h"

enum { KEYS_MAX = 17 }; /* experiments that one message was part of; further ones are left out */

struct walk {
    const struct results_question *question;
    const struct report           *report;
    struct results                *out;
    struct letters                 letters;
    struct orders                  orders;
    struct stood                   stood;
    struct credit                  credit;
    uint32_t                       root;
    int64_t                       *part; /* of each letter, money; as many as there is room for */
    uint32_t                       parts_room;
    struct results_key             keys[KEYS_MAX];
    uint32_t                       keys_count;
};

static void key_add(struct walk *walk, struct results_key key)
{
    if (walk->keys_count < KEYS_MAX)
        walk->keys[walk->keys_count++] = key;
}

static void variants_add(struct walk *walk, const struct letter *letter)
{
    const struct results_question *question = walk->question;
    const struct stood_question   *nodes = question->stood;
    const struct results_arm      *arm =
        results_arm_of(question->arms, question->arms_count, letter->broadcast, letter->template);
    const struct stood_step *dealt;
    uint32_t                 at = 0;
    uint32_t step = nodes == NULL ? (uint32_t)STOOD_NOWHERE : stood_of(&walk->stood, letter);
    if (arm != NULL)
        key_add(walk, (struct results_key){ .of = RESULTS_BROADCAST,
                                            .whole = arm->broadcast,
                                            .variant = arm->variant });
    while (step != (uint32_t)STOOD_NOWHERE &&
           (dealt = stood_dealt(&walk->stood, letter, step, &at)) != NULL)
        key_add(walk, (struct results_key){ .of = RESULTS_JOURNEY,
                                            .whole = letter->journey,
                                            .node = nodes->nodes[dealt->node].id,
                                            .variant = dealt->took });
}

/* The rows that a message has. */
static void keys_find(struct walk *walk, const struct letter *letter)
{
    const struct stood_question *nodes = walk->question->stood;
    uint32_t                     step;
    walk->keys_count = 0;
    switch (walk->question->by) {
    case RESULTS_VARIANT:
        variants_add(walk, letter);
        return;
    case RESULTS_MESSAGE:
        key_add(walk, (struct results_key){ .of = RESULTS_MESSAGE, .whole = letter->template });
        return;
    case RESULTS_BROADCAST:
        key_add(walk, (struct results_key){ .of = RESULTS_BROADCAST, .whole = letter->broadcast });
        return;
    case RESULTS_NODE:
        step = nodes == NULL ? (uint32_t)STOOD_NOWHERE : stood_of(&walk->stood, letter);
        key_add(walk, (struct results_key){
                          .of = RESULTS_JOURNEY,
                          .whole = letter->journey,
                          .node = step == (uint32_t)STOOD_NOWHERE
                                      ? STR_NONE
                                      : nodes->nodes[walk->stood.steps.items[step].node].id });
        return;
    default:
        key_add(walk, (struct results_key){ .of = RESULTS_JOURNEY, .whole = letter->journey });
    }
}

/* ---- who is behind a number ---- */

static void pick_person(struct walk *walk, enum results_pick_of of, uint32_t came)
{
    const struct results_pick *pick = &walk->question->pick;
    if (pick->of == of && pick->came == came)
        pick->bits[walk->root / 64] |= UINT64_C(1) << (walk->root % 64);
}

static bool is_picked(const struct walk *walk, const struct results_key *key)
{
    const struct results_key *wanted = &walk->question->pick.key;
    return walk->question->pick.of == RESULTS_PICK_KEY && wanted->of == key->of &&
           str_eq(wanted->whole, key->whole) && str_eq(wanted->node, key->node) &&
           str_eq(wanted->variant, key->variant);
}

static bool came_is(const struct letter *letter, uint32_t came)
{
    return came == LETTER_CONFIRMED ? letter_is_delivered(letter) : (letter->came & came) != 0;
}

static void pick_letter(struct walk *walk, const struct letter *letter)
{
    const struct results_pick *pick = &walk->question->pick;
    if (pick->of == RESULTS_PICK_NONE || pick->came == 0 || !came_is(letter, pick->came))
        return;
    pick_person(walk, RESULTS_PICK_ALL, pick->came);
    for (uint32_t i = 0; i < walk->keys_count; i++)
        if (is_picked(walk, &walk->keys[i]))
            pick_person(walk, RESULTS_PICK_KEY, pick->came);
}

/* ---- messages ---- */

static enum err rows_count(struct walk *walk, const struct letter *letter)
{
    uint32_t row;
    keys_find(walk, letter);
    pick_letter(walk, letter);
    for (uint32_t i = 0; i < walk->keys_count; i++) {
        TRY(results_row(walk->out, &walk->keys[i], &row));
        results_letter_count(&walk->out->rows.items[row].count, letter);
    }
    return OK;
}

static bool is_asked(const struct results_question *question, const struct letter *letter)
{
    return letter->sent_ms >= question->from_ms && letter->sent_ms < question->to_ms &&
           (str_is_empty(question->broadcast) || str_eq(letter->broadcast, question->broadcast));
}

/* Refused, and tried again as another message of the same broadcast: the last try counts. */
static bool is_tried_again(const struct letters *letters, uint32_t at)
{
    const struct letter *letter = &letters->all.items[at];
    if (letter_is(letter, LETTER_SENT) || str_is_empty(letter->broadcast))
        return false;
    for (uint32_t i = at + 1; i < letters->all.count; i++)
        if (str_eq(letters->all.items[i].broadcast, letter->broadcast))
            return true;
    return false;
}

static enum err letters_count(struct walk *walk)
{
    for (uint32_t i = 0; i < walk->letters.all.count; i++) {
        const struct letter *letter = &walk->letters.all.items[i];
        if (!is_asked(walk->question, letter) || is_tried_again(&walk->letters, i))
            continue;
        results_letter_count(&walk->out->all, letter);
        TRY(rows_count(walk, letter));
    }
    return OK;
}

/* ---- orders ---- */

static enum err worth_add(struct walk *walk, const struct letter *letter, double share,
                          int64_t money)
{
    keys_find(walk, letter);
    for (uint32_t i = 0; i < walk->keys_count; i++) {
        uint32_t row;
        TRY(results_row(walk->out, &walk->keys[i], &row));
        struct results_row *of = &walk->out->rows.items[row];
        of->worth.orders += share;
        of->worth.revenue = money_add(of->worth.revenue, money);
        of->worth.people += of->last != walk->root + 1;
        of->last = walk->root + 1;
        if (is_picked(walk, &walk->keys[i]))
            pick_person(walk, RESULTS_PICK_KEY, 0);
    }
    return OK;
}

static void order_untold(struct results *out, const struct order *order)
{
    struct orders_missing one = { .orders = 1, .amount = order->gross, .first_ms = order->at_ms };
    memcpy(one.currency, order->currency, sizeof one.currency);
    out->untold++;
    results_missing_add(out, &one);
}

/* Of the messages that share it, those that are asked about. */
static enum err order_put(struct walk *walk, const struct order *order, bool *is_put)
{
    const struct results_question *question = walk->question;
    TRY(credit_find(&question->credit, &walk->letters, order->at_ms, order->seq, &walk->credit));
    for (uint32_t i = 0; i < walk->credit.count; i++) {
        const struct letter *letter = &walk->letters.all.items[walk->credit.items[i]];
        int64_t              money = credit_part(order->net, i, walk->credit.count);
        double               share = 1.0 / walk->credit.count;
        if (!str_is_empty(question->broadcast) && !str_eq(letter->broadcast, question->broadcast))
            continue;
        *is_put = true;
        walk->part[walk->credit.items[i]] = money_add(walk->part[walk->credit.items[i]], money);
        walk->out->put.orders += share;
        walk->out->put.revenue = money_add(walk->out->put.revenue, money);
        TRY(worth_add(walk, letter, share, money));
    }
    return OK;
}

static void order_count(const struct order *order, struct results_worth *of, bool *was)
{
    of->orders++;
    of->revenue = money_add(of->revenue, order->net);
    of->people += !*was;
    *was = true;
}

/* What each message brought, squared: once a message, however many orders it had. */
static enum err squares_add(struct walk *walk)
{
    for (uint32_t i = 0; i < walk->letters.all.count; i++) {
        double   units = (double)walk->part[i] / MONEY_UNIT;
        uint32_t row;
        if (walk->part[i] == 0)
            continue;
        walk->out->put.squares += units * units;
        keys_find(walk, &walk->letters.all.items[i]);
        for (uint32_t k = 0; k < walk->keys_count; k++) {
            TRY(results_row(walk->out, &walk->keys[k], &row));
            walk->out->rows.items[row].worth.squares += units * units;
        }
    }
    return OK;
}

static enum err parts_make(struct walk *walk)
{
    if (walk->letters.all.count > walk->parts_room) {
        int64_t *part = realloc(walk->part, walk->letters.all.count * sizeof part[0]);
        if (part == NULL)
            return ERR_MEMORY;
        walk->part = part;
        walk->parts_room = walk->letters.all.count;
    }
    if (walk->letters.all.count > 0)
        memset(walk->part, 0, walk->letters.all.count * sizeof walk->part[0]);
    return OK;
}

static enum err orders_count(struct walk *walk)
{
    const struct results_question *question = walk->question;
    bool                           was_total = false, was_put = false, was_without = false;
    TRY(orders_read(&walk->orders, &walk->letters));
    TRY(parts_make(walk));
    for (uint32_t i = 0; i < walk->orders.all.count; i++) {
        const struct order *order = &walk->orders.all.items[i];
        bool                is_put = false;
        if (order->at_ms < question->from_ms || order->at_ms >= question->to_ms)
            continue;
        if (!order->is_told)
            order_untold(walk->out, order);
        walk->out->returned = money_add(walk->out->returned, order->returned);
        order_count(order, &walk->out->total, &was_total);
        TRY(order_put(walk, order, &is_put));
        if (is_put) {
            walk->out->put.people += !was_put;
            was_put = true;
            pick_person(walk, RESULTS_PICK_ALL, 0);
        } else if (walk->credit.count == 0) {
            order_count(order, &walk->out->without, &was_without);
            pick_person(walk, RESULTS_PICK_WITHOUT, 0);
        }
    }
    return squares_add(walk);
}

static enum err person(struct walk *walk, uint32_t root)
{
    walk->root = root;
    TRY(letters_read(&walk->letters, root));
    if (walk->question->stood != NULL)
        TRY(stood_read(&walk->stood, &walk->letters));
    TRY(letters_count(walk));
    return walk->question->orders == NULL ? OK : orders_count(walk);
}

static void name_want(uint64_t *names, uint16_t name)
{
    if (name != DICT_NONE)
        names[name / 64] |= UINT64_C(1) << (name % 64);
}

enum err results_run(const struct report *report, const struct results_question *question,
                     struct report_range range, struct results *out)
{
    uint64_t    names[(UINT16_MAX + 1) / 64] = { 0 };
    struct walk walk = { .question = question,
                         .report = report,
                         .out = out,
                         .letters = { .report = report, .keys = question->keys, .also = names },
                         .orders = { .question = question->orders },
                         .stood = { .question = question->stood } };
    enum err    err = OK;
    if (question->stood != NULL)
        name_want(names, OWN_JOURNEY);
    if (question->orders != NULL) {
        name_want(names, question->orders->event);
        name_want(names, question->orders->refund);
        name_want(names, question->orders->cancel);
    }
    for (uint32_t p = range.from; p < range.to && err == OK; p++)
        if (report->view->root[p] == p && (report->among == NULL || report_bit(report->among, p)))
            err = person(&walk, p);
    out->strays += walk.orders.strays;
    out->unreadable += walk.orders.unreadable;
    letters_done(&walk.letters);
    orders_done(&walk.orders);
    stood_done(&walk.stood);
    credit_done(&walk.credit);
    free(walk.part);
    return err;
}
