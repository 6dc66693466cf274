/* Random mail of random people, beside counts by plain loops over what was told. */
#include "engine/report/results_world_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/report/results_inside.h"

/* The same person has a later one of the same broadcast. */
static bool is_tried_again(struct mail *mail, int message)
{
    int64_t first_ms[2] = { INT64_MAX, INT64_MAX };
    for (int m = 0; m < MAIL_MESSAGES && mail->broadcast[message] != 0; m++) {
        uint32_t who[2] = { mail_whose(mail, m), mail_whose(mail, message) };
        for (int i = 0; i < MAIL_TOLD; i++)
            first_ms[0] = mail->told[i].message == message && mail->told[i].at_ms < first_ms[0]
                              ? mail->told[i].at_ms
                              : first_ms[0];
        first_ms[1] = INT64_MAX;
        for (int i = 0; i < MAIL_TOLD; i++)
            first_ms[1] = mail->told[i].message == m && mail->told[i].at_ms < first_ms[1]
                              ? mail->told[i].at_ms
                              : first_ms[1];
        if (mail->broadcast[m] == mail->broadcast[message] && who[0] == who[1] &&
            first_ms[1] != INT64_MAX && first_ms[1] > first_ms[0])
            return true;
    }
    return false;
}

static struct results_count twin(struct mail *mail, int template, int broadcast, int64_t from_ms,
                                 int64_t to_ms)
{
    struct results_count count = { .sent = 0 };
    for (int m = 0; m < MAIL_MESSAGES; m++) {
        struct fate fate = mail_fate(mail, m);
        if (!fate.is_told || fate.sent_ms < from_ms || fate.sent_ms >= to_ms ||
            (template >= 0 && mail->template[m] != template) ||
            (broadcast >= 0 && mail->broadcast[m] != broadcast) ||
            (!fate.was[SENT] && is_tried_again(mail, m)))
            continue;
        bool is_delivered = fate.was[SENT] && !fate.was[HARD] && !fate.was[SOFT];
        count.tried++;
        count.sent += fate.was[SENT];
        count.delivered += is_delivered;
        count.confirmed += is_delivered && fate.was[CONFIRMED];
        count.hard += fate.was[HARD];
        count.soft += fate.was[SOFT] && !fate.was[HARD];
        count.failed += fate.was[FAILED];
        count.opened += fate.was[OPENED];
        count.clicked += fate.was[CLICKED];
        count.opened_machine += fate.by_machine[OPENED] && !fate.was[OPENED];
        count.clicked_machine += fate.by_machine[CLICKED] && !fate.was[CLICKED];
        count.complained += fate.was[COMPLAINED];
        count.unsubscribed += fate.was[UNSUBSCRIBED];
        count.replied += fate.was[REPLIED];
    }
    return count;
}

static void same(const struct asked *asked, struct results_key key, struct results_count wanted)
{
    const struct results_row *row = results_find(&asked->results, &key);
    struct results_count      is = row == NULL ? (struct results_count){ .sent = 0 } : row->count;
    assert_memory_equal(&is, &wanted, sizeof is);
}

static void compare(struct mail *mail, int64_t from_ms, int64_t to_ms)
{
    uint32_t     parts = 1 + (uint32_t)mail_roll(mail, 3);
    struct asked by =
        mail_ask(mail, (struct results_question){ RESULTS_MESSAGE, from_ms, to_ms }, parts);
    struct results_count all = twin(mail, -1, -1, from_ms, to_ms);
    assert_memory_equal(&by.results.all, &all, sizeof all);
    for (int t = 0; t < 3; t++)
        same(&by, (struct results_key){ .of = RESULTS_MESSAGE, .whole = str_of(MAIL_TEMPLATES[t]) },
             twin(mail, t, -1, from_ms, to_ms));
    asked_done(&by);
    by = mail_ask(mail, (struct results_question){ RESULTS_BROADCAST, from_ms, to_ms }, parts);
    for (int b = 0; b < 3; b++)
        same(&by,
             (struct results_key){ .of = RESULTS_BROADCAST, .whole = str_of(MAIL_BROADCASTS[b]) },
             twin(mail, -1, b, from_ms, to_ms));
    asked_done(&by);
    by = mail_ask(mail, (struct results_question){ RESULTS_VARIANT, from_ms, to_ms, STR("spring") },
                  parts);
    all = twin(mail, -1, 1, from_ms, to_ms);
    assert_memory_equal(&by.results.all, &all, sizeof all);
    for (int t = 0; t < 2; t++)
        same(&by,
             (struct results_key){ .of = RESULTS_BROADCAST,
                                   .whole = STR("spring"),
                                   .variant = t == 0 ? STR("a") : STR("b") },
             twin(mail, t, 1, from_ms, to_ms));
    assert_true(by.results.rows.count <= 2); /* what is no variant's has no row */
    asked_done(&by);
}

TEST(results, what_became_of_random_mail_is_what_plain_loops_count)
{
    for (unsigned seed = 1; seed <= 6; seed++) {
        struct mail *mail = calloc(1, sizeof *mail);
        assert_non_null(mail);
        mail_open(mail, seed);
        int64_t middle = (T0 + mail->world.now_ms) / 2;
        compare(mail, INT64_MIN, INT64_MAX);
        compare(mail, middle, INT64_MAX);
        compare(mail, T0, middle);
        engine_world_close(&mail->world);
        free(mail);
    }
}

TEST(results, too_many_rows_share_one)
{
    struct results results = results_make();
    uint32_t       row, last = 0;
    for (uint32_t i = 0; i < RESULTS_ROWS_MAX + 5; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", i);
        char *kept = strdup(text);
        assert_non_null(kept);
        struct results_key key = { .of = RESULTS_MESSAGE, .whole = str_of(kept) };
        assert_ok(results_row(&results, &key, &row));
        last = row;
        if (row == results.rows.count - 1 && results.rows.items[row].key.of == RESULTS_MESSAGE)
            continue;
        free(kept);
    }
    assert_int_equal(results.rows.count, RESULTS_ROWS_MAX);
    assert_int_equal(last, RESULTS_ROWS_MAX - 1);
    assert_true(str_eq(results.rows.items[last].key.whole, STR("(other)")));
    for (uint32_t i = 0; i + 1 < results.rows.count; i++)
        free((char *)(uintptr_t)results.rows.items[i].key.whole.ptr);
    results_done(&results);
}

TEST(results, rows_are_sorted_by_what_they_are_of_and_then_by_name)
{
    static const struct results_key sorted[] = {
        { RESULTS_MESSAGE, { "a", 1 }, { "", 0 }, { "", 0 } },
        { RESULTS_MESSAGE, { "b", 1 }, { "", 0 }, { "", 0 } },
        { RESULTS_JOURNEY, { "a", 1 }, { "m", 1 }, { "", 0 } },
        { RESULTS_JOURNEY, { "a", 1 }, { "m", 1 }, { "x", 1 } },
        { RESULTS_JOURNEY, { "a", 1 }, { "n", 1 }, { "", 0 } },
        { RESULTS_BROADCAST, { "a", 1 }, { "", 0 }, { "", 0 } },
    };
    enum { ROWS = sizeof sorted / sizeof sorted[0] };
    struct results results = results_make();
    uint32_t       row;
    results_sort(&results); /* of none and of one there is nothing to do */
    for (uint32_t i = 0; i < ROWS; i++)
        assert_ok(results_row(&results, &sorted[(i * 5 + 2) % ROWS], &row));
    for (uint32_t i = 0; i < ROWS; i++)
        assert_non_null(results_find(&results, &sorted[i]));
    results_sort(&results);
    for (uint32_t i = 0; i < ROWS; i++)
        assert_memory_equal(&results.rows.items[i].key, &sorted[i], sizeof sorted[i]);
    results_done(&results);
}

TEST(results, what_one_groups_by_has_a_word_each)
{
    for (int by = 0; by < RESULTS_BYS; by++)
        assert_int_equal(results_by_of(str_of(results_by_word((enum results_by)by))), by);
    assert_int_equal(results_by_of(STR("weather")), RESULTS_BYS);
}

TEST(results, currencies_without_a_rate_are_told_one_by_one_and_the_last_of_many_together)
{
    static struct results results;
    uint64_t              orders = 0;
    for (int turn = 0; turn < 2; turn++)
        for (int i = 0; i < 40; i++) {
            struct orders_missing one = { .orders = 1, .amount = 10, .first_ms = 100 - turn };
            one.currency[0] = 'A';
            one.currency[1] = (char)('A' + i / 26);
            one.currency[2] = (char)('A' + i % 26);
            results_missing_add(&results, &one);
        }
    assert_int_equal(results.missing_count, ORDERS_MISSING_MAX);
    for (uint32_t i = 0; i < results.missing_count; i++) {
        orders += results.missing[i].orders;
        assert_int_equal(results.missing[i].first_ms, 99);
    }
    assert_int_equal(orders, 80);
    assert_int_equal(results.missing[0].orders, 2);
    assert_int_equal(results.missing[ORDERS_MISSING_MAX - 1].currency[0], '\0');
}
