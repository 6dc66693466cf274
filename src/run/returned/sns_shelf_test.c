#include "run/returned/sns_shelf.h"

#include <stdio.h>

#include "base/test.h"

static struct str url_of(char text[64], int number)
{
    snprintf(text, 64, "https://sns.eu-west-1.amazonaws.com/%d.pem", number);
    return str_of(text);
}

TEST(sns_shelf, however_many_a_stranger_makes_up_none_of_amazons_is_forgotten)
{
    struct sns_shelf shelf;
    char             text[64];
    sns_shelf_init(&shelf);
    assert_ok(sns_shelf_put(&shelf, STR("https://good"), STR("PEM"), 0));
    for (int i = 0; i < 100; i++)
        assert_ok(sns_shelf_put(&shelf, url_of(text, i), STR_NONE, i));
    assert_str(sns_shelf_find(&shelf, STR("https://good")), "PEM");
    assert_int_equal(sns_shelf_find(&shelf, url_of(text, 99)).len, 0);
    sns_shelf_done(&shelf);
}

TEST(sns_shelf, what_failed_is_not_asked_for_again_for_a_minute_and_what_came_then_is_kept)
{
    struct sns_shelf shelf;
    sns_shelf_init(&shelf);
    assert_false(sns_shelf_has_failed(&shelf, STR("https://a"), 5));
    assert_ok(sns_shelf_put(&shelf, STR("https://a"), STR_NONE, 5));
    assert_true(sns_shelf_has_failed(&shelf, STR("https://a"), 5 + SNS_FAILED_PAUSE_MS - 1));
    assert_false(sns_shelf_has_failed(&shelf, STR("https://b"), 5));
    assert_false(sns_shelf_has_failed(&shelf, STR("https://a"), 5 + SNS_FAILED_PAUSE_MS));
    assert_ok(sns_shelf_put(&shelf, STR("https://a"), STR("PEM"), 6));
    assert_str(sns_shelf_find(&shelf, STR("https://a")), "PEM");
    for (int i = 0; i < SNS_KEPT_MAX; i++) {
        char text[64];
        assert_ok(sns_shelf_put(&shelf, url_of(text, i), STR("NEW"), 7));
    }
    assert_int_equal(sns_shelf_find(&shelf, STR("https://a")).len, 0); /* the oldest goes */
    sns_shelf_done(&shelf);
}
