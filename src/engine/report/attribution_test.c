/* Orders put to messages, beside a plain twin that looks at everything for each order. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/behaviour/edition.h"
#include "engine/behaviour/view.h"
#include "engine/report/results_world_test.h"
#include "engine/short_memory_test.h"

static const char RATES[] =
    "{\"base\":\"NOK\",\"rates\":[{\"date\":\"2026-01-01\",\"currency\":\"EUR\",\"rate\":11.5},"
    "{\"date\":\"2026-01-02\",\"currency\":\"EUR\",\"rate\":11.75},"
    "{\"date\":\"2026-01-02\",\"currency\":\"SEK\",\"rate\":1.02}]}";

struct twin {
    double   orders[MAIL_MESSAGES];
    int64_t  revenue[MAIL_MESSAGES];
    double   put, total, without, untold;
    int64_t  put_revenue, total_revenue, returned;
    uint64_t strays;
};

static uint32_t buyer(struct mail *mail, int i)
{
    return mail_person(mail, mail->bought[i].who);
}

/* The first of the person's with that id. */
static int order_of(struct mail *mail, int i)
{
    for (int k = 0; k < (int)mail->bought_count; k++)
        if (mail->bought[k].kind == 0 && mail->bought[k].id == mail->bought[i].id &&
            buyer(mail, k) == buyer(mail, i))
            return k;
    return -1;
}

/* As told above; 0: there is none by that day. */
static double worth_of(int currency, int64_t at_ms)
{
    bool is_second = at_ms >= T0 + TIME_DAY_MS;
    return currency <= 1 ? 1 : currency == 2 ? (is_second ? 11.75 : 11.5) : is_second ? 1.02 : 0;
}

static int64_t told_in_nok(int64_t money, int currency, int64_t at_ms)
{
    return currency <= 1 ? money : (int64_t)llround((double)money * worth_of(currency, at_ms));
}

/* Less what was given back; -1: there is no rate. */
static int64_t net_of(struct mail *mail, int order, int64_t *gross)
{
    const struct bought *one = &mail->bought[order];
    int64_t amount = one->cents < 0 ? 0 : one->cents * INT64_C(100), back = 0, other = 0;
    bool    is_whole = false;
    int     own = one->currency == 0 ? 1 : one->currency;
    *gross = 0;
    for (int i = 0; i < (int)mail->bought_count; i++) {
        const struct bought *given = &mail->bought[i];
        int                  theirs = given->currency == 0 ? own : given->currency;
        if (given->kind == 0 || order_of(mail, i) != order)
            continue;
        if (given->kind == 2 || given->cents < 0)
            is_whole = true;
        else if (theirs == own)
            back += given->cents * INT64_C(100);
        else if (worth_of(theirs, one->at_ms) > 0)
            other += told_in_nok(given->cents * INT64_C(100), theirs, one->at_ms);
    }
    if (one->cents < 0)
        return 0;
    if (!(worth_of(own, one->at_ms) > 0))
        return -1;
    *gross = told_in_nok(amount, own, one->at_ms);
    back = is_whole || back > amount ? amount : back;
    int64_t net = told_in_nok(amount - back, own, one->at_ms) - other;
    return net > 0 ? net : 0;
}

struct found {
    int     message;
    int64_t at_ms;
};

static int by_touch(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

/* When the message touched somebody that way last (or first) within the window; 0: never. */
static int64_t touched(const struct mail *mail, int message, int kind, int64_t from_ms,
                       int64_t to_ms, bool is_first)
{
    struct fate fate = mail_fate(mail, message);
    int64_t     best = 0;
    if (kind == SENT)
        return fate.was[SENT] && !fate.was[HARD] && !fate.was[SOFT] && fate.sent_ms >= from_ms &&
                       fate.sent_ms < to_ms
                   ? fate.sent_ms
                   : 0;
    for (int i = 0; i < MAIL_TOLD; i++) {
        const struct told *told = &mail->told[i];
        if (told->message == message && told->kind == kind && !told->is_machine &&
            told->at_ms >= from_ms && told->at_ms < to_ms && (best == 0 || !is_first))
            best = told->at_ms;
    }
    return best;
}

static uint32_t share_of(struct mail *mail, const struct credit_rule *rule, int order,
                         struct found *found)
{
    static const int kinds[] = { CLICKED, OPENED, SENT };
    uint32_t         count = 0;
    int64_t          to_ms = mail->bought[order].at_ms;
    for (int k = 0; k < CREDIT_TOUCHES && count == 0; k++)
        for (int m = 0; m < MAIL_MESSAGES && rule->within_ms[k] > 0; m++) {
            int64_t at_ms = mail_whose(mail, m) != buyer(mail, order)
                                ? 0
                                : touched(mail, m, kinds[k], to_ms - rule->within_ms[k], to_ms,
                                          rule->model == CREDIT_FIRST);
            if (at_ms != 0)
                found[count++] = (struct found){ m, at_ms };
        }
    qsort(found, count, sizeof found[0], by_touch);
    if (rule->model == CREDIT_LAST && count > 1)
        found[0] = found[count - 1];
    return count == 0 ? 0 : rule->model == CREDIT_LINEAR ? count : 1;
}

static struct twin *twin_make(struct mail *mail, const struct credit_rule *rule, int64_t from_ms,
                              int64_t to_ms)
{
    struct twin *twin = calloc(1, sizeof *twin);
    assert_non_null(twin);
    for (int i = 0; i < (int)mail->bought_count; i++) {
        struct found found[MAIL_MESSAGES];
        int64_t      gross;
        if (mail->bought[i].kind != 0) {
            twin->strays += order_of(mail, i) < 0;
            continue;
        }
        if (order_of(mail, i) != i || mail->bought[i].at_ms < from_ms ||
            mail->bought[i].at_ms >= to_ms)
            continue;
        int64_t  net = net_of(mail, i, &gross);
        uint32_t count = share_of(mail, rule, i, found);
        twin->total++;
        twin->untold += net < 0;
        net = net < 0 ? 0 : net;
        twin->total_revenue += net;
        twin->returned += gross - net;
        twin->without += count == 0;
        twin->put += count > 0;
        for (uint32_t k = 0; k < count; k++) {
            twin->orders[found[k].message] += 1.0 / count;
            twin->revenue[found[k].message] += net / count + (k < net % count ? 1 : 0);
            twin->put_revenue += net / count + (k < net % count ? 1 : 0);
        }
    }
    return twin;
}

static struct orders_question orders_question(struct mail *mail)
{
    const struct program *program = engine_program(mail->world.engine);
    const struct dict    *keys = program->names[NAME_PROPERTY], *names = program->names[NAME_EVENT];
    struct orders_question made = { .event = dict_find(names, STR("Order Completed")),
                                    .refund = dict_find(names, STR("Order Refunded")),
                                    .cancel = dict_find(names, STR("Order Cancelled")),
                                    .values = { dict_find(keys, STR("revenue")),
                                                dict_find(keys, STR("total")) },
                                    .values_count = 2,
                                    .id = dict_find(keys, STR("order_id")),
                                    .currency = dict_find(keys, STR("currency")),
                                    .home = "NOK",
                                    .report = "NOK" };
    assert_ok(rates_parse(mail->world.arena, str_of(RATES), &made.rates, NULL));
    return made;
}

static void row_same(const struct asked *asked, struct results_key key, double orders,
                     int64_t revenue)
{
    const struct results_row *row = results_find(&asked->results, &key);
    struct results_worth      worth = row == NULL ? (struct results_worth){ 0 } : row->worth;
    assert_true(fabs(worth.orders - orders) < 1e-6);
    assert_int_equal(worth.revenue, revenue);
}

static void compare(struct mail *mail, struct credit_rule rule, int64_t from_ms, int64_t to_ms)
{
    struct orders_question  orders = orders_question(mail);
    struct results_question question = {
        .by = RESULTS_MESSAGE, .from_ms = from_ms, .to_ms = to_ms, .orders = &orders, .credit = rule
    };
    struct asked          asked = mail_ask(mail, question, 1 + (uint32_t)mail_roll(mail, 3));
    struct twin          *twin = twin_make(mail, &rule, from_ms, to_ms);
    const struct results *is = &asked.results;
    assert_true(is->total.orders == twin->total && is->without.orders == twin->without);
    assert_true(fabs(is->put.orders - twin->put) < 1e-6);
    assert_int_equal(is->total.revenue, twin->total_revenue);
    assert_int_equal(is->put.revenue, twin->put_revenue);
    assert_int_equal(is->put.revenue + is->without.revenue, is->total.revenue);
    assert_int_equal(is->returned, twin->returned);
    assert_int_equal(is->untold, (uint64_t)twin->untold);
    assert_int_equal(is->strays, twin->strays);
    for (int t = 0; t < 3; t++) {
        double  sum = 0;
        int64_t revenue = 0;
        for (int m = 0; m < MAIL_MESSAGES; m++)
            if (mail->template[m] == t) {
                sum += twin->orders[m];
                revenue += twin->revenue[m];
            }
        row_same(&asked,
                 (struct results_key){ .of = RESULTS_MESSAGE, .whole = str_of(MAIL_TEMPLATES[t]) },
                 sum, revenue);
    }
    asked_done(&asked);
    question.by = RESULTS_VARIANT;
    question.broadcast = STR("spring");
    asked = mail_ask(mail, question, 1);
    for (int t = 0; t < 2; t++) {
        double  sum = 0;
        int64_t revenue = 0;
        for (int m = 0; m < MAIL_MESSAGES; m++)
            if (mail->template[m] == t && mail->broadcast[m] == 1) {
                sum += twin->orders[m];
                revenue += twin->revenue[m];
            }
        row_same(&asked,
                 (struct results_key){ .of = RESULTS_BROADCAST,
                                       .whole = STR("spring"),
                                       .variant = t == 0 ? STR("a") : STR("b") },
                 sum, revenue);
    }
    asked_done(&asked);
    free(twin);
}

TEST(attribution, random_orders_go_to_the_messages_that_a_plain_twin_finds)
{
    for (unsigned seed = 1; seed <= 4; seed++) {
        struct mail *mail = calloc(1, sizeof *mail);
        assert_non_null(mail);
        mail_open(mail, seed);
        int64_t middle = (T0 + mail->world.now_ms) / 2;
        for (int model = 0; model < CREDIT_MODELS; model++) {
            struct credit_rule rule = { (enum credit_model)model,
                                        { 3 * TIME_HOUR_MS, TIME_HOUR_MS, 2 * TIME_HOUR_MS } };
            compare(mail, rule, INT64_MIN, INT64_MAX);
            rule.within_ms[mail_roll(mail, 3)] = 0;
            compare(mail, rule, middle, INT64_MAX);
        }
        engine_world_close(&mail->world);
        free(mail);
    }
}

TEST(attribution, the_people_behind_a_row_are_those_who_ordered_by_it)
{
    struct mail *mail = calloc(1, sizeof *mail);
    assert_non_null(mail);
    mail_open(mail, 9);
    struct orders_question  orders = orders_question(mail);
    uint64_t                bits[1] = { 0 };
    struct results_question question = {
        .by = RESULTS_MESSAGE,
        .from_ms = INT64_MIN,
        .to_ms = INT64_MAX,
        .orders = &orders,
        .credit = { CREDIT_LINEAR, { TIME_DAY_MS, TIME_DAY_MS, TIME_DAY_MS } },
        .pick = { .of = RESULTS_PICK_KEY,
                  .key = { .of = RESULTS_MESSAGE, .whole = STR("short") },
                  .bits = bits }
    };
    struct asked              asked = mail_ask(mail, question, 1);
    const struct results_row *row = results_find(&asked.results, &question.pick.key);
    assert_non_null(row);
    assert_int_equal((uint64_t)__builtin_popcountll(bits[0]), row->worth.people);
    assert_true(row->worth.people > 3);
    asked_done(&asked);
    bits[0] = 0;
    question.pick.of = RESULTS_PICK_WITHOUT;
    question.credit = (struct credit_rule){ CREDIT_LAST, { TIME_MINUTE_MS, 0, 0 } };
    asked = mail_ask(mail, question, 2);
    assert_int_equal((uint64_t)__builtin_popcountll(bits[0]), asked.results.without.people);
    asked_done(&asked);
    engine_world_close(&mail->world);
    free(mail);
}

struct given {
    struct report           report;
    struct results_question question;
};

static enum err results_live(const void *context, uint64_t *told)
{
    const struct given     *g = context;
    struct results_question question = g->question;
    enum err                err = OK;
    for (int by = 0; by < RESULTS_BYS && err == OK; by++) {
        struct results results = results_make(), sum = results_make();
        question.by = (enum results_by)by;
        err = results_run(&g->report, &question,
                          (struct report_range){ 0, g->report.view->profiles }, &results);
        if (err == OK)
            err = results_add(&sum, &results);
        const int64_t counts[] = { (int64_t)sum.all.sent, sum.total.revenue, sum.put.revenue,
                                   (int64_t)sum.rows.count };
        *told = short_memory_tell(*told, (struct str){ (const char *)counts, sizeof counts });
        results_done(&results);
        results_done(&sum);
    }
    return err;
}

TEST(attribution, every_row_is_what_it_would_have_been_or_memory_was_short)
{
    struct mail *mail = calloc(1, sizeof *mail);
    assert_non_null(mail);
    mail_open(mail, 9);
    struct orders_question orders = orders_question(mail);
    struct view           *view;
    struct edition        *edition = engine_edition(mail->world.engine);
    uint64_t               among[1] = { 0x7777777777777777 };
    const struct dict     *keys = engine_program(mail->world.engine)->names[NAME_PROPERTY];
    assert_ok(view_make(&view, edition, NULL));
    struct given given = {
        .report = { .view = view, .at_ms = mail->world.now_ms, .among = among },
        .question = { .from_ms = INT64_MIN,
                      .to_ms = INT64_MAX,
                      .arms = MAIL_ARMS,
                      .arms_count = 2,
                      .orders = &orders,
                      .credit = { CREDIT_LINEAR, { TIME_DAY_MS, TIME_DAY_MS, TIME_DAY_MS } },
                      .keys = { .message = dict_find(keys, STR("message")),
                                .entry = dict_find(keys, STR("entry")),
                                .class = dict_find(keys, STR("class")),
                                .broadcast = dict_find(keys, STR("broadcast")) } }
    };
    assert_true(short_memory_everywhere(results_live, &given) > 10);
    view_drop(view);
    edition_drop(edition);
    engine_world_close(&mail->world);
    free(mail);
}

TEST(rates, the_newest_before_the_day_counts_and_none_is_never_nothing)
{
    struct arena  *arena = arena_open(1 << 20);
    struct rates   rates;
    struct problem problem;
    int64_t        out, second = (T0 + TIME_DAY_MS) / TIME_DAY_MS;
    assert_ok(rates_parse(arena, str_of(RATES), &rates, &problem));
    assert_true(rates_convert(&rates, 10000, "EUR", "NOK", second - 1, &out) && out == 115000);
    assert_true(rates_convert(&rates, 10000, "EUR", "NOK", second + 300, &out) && out == 117500);
    assert_true(rates_convert(&rates, 117500, "NOK", "EUR", second, &out) && out == 10000);
    assert_true(rates_convert(&rates, 10200, "SEK", "SEK", 0, &out) && out == 10200);
    assert_false(rates_convert(&rates, 1, "SEK", "NOK", second - 1, &out));
    assert_false(rates_convert(&rates, 1, "USD", "NOK", second, &out));
    static const char *const wrong[][2] = {
        { "{}", "base" },
        { "{\"base\":\"NOK\"}", "rates" },
        { "{\"base\":\"NOK\",\"rates\":[{\"date\":\"x\",\"currency\":\"EUR\",\"rate\":1}]}",
          "rates[0].date" },
        { "{\"base\":\"NOK\",\"rates\":[{\"date\":\"2026-01-01\",\"currency\":\"NOK\",\"rate\":1}]"
          "}",
          "rates[0].currency" },
        { "{\"base\":\"NOK\",\"rates\":[{\"date\":\"2026-01-01\",\"currency\":\"EUR\",\"rate\":0}]"
          "}",
          "rates[0].rate" },
        { "{\"base\":\"NOK\",\"rates\":[{\"date\":\"2026-01-01\",\"currency\":\"EUR\",\"rate\":1},"
          "{\"date\":\"2026-01-01\",\"currency\":\"eur\",\"rate\":2}]}",
          "rates" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(rates_parse(arena, str_of(wrong[i][0]), &rates, &problem), ERR_INPUT);
        assert_string_equal(problem.where, wrong[i][1]);
    }
    arena_close(arena);
}

TEST(credit, parts_of_a_sum_add_up_to_it)
{
    for (int64_t money = 0; money < 50; money++)
        for (uint32_t count = 1; count < 9; count++) {
            int64_t sum = 0;
            for (uint32_t i = 0; i < count; i++)
                sum += credit_part(money, i, count);
            assert_int_equal(sum, money);
        }
}
