#include "engine/behaviour/dict.h"

#include <stdio.h>

#include "base/test.h"

static uint16_t intern(struct dict *dict, const char *name)
{
    uint16_t id;
    assert_ok(dict_intern(dict, str_of(name), &id));
    return id;
}

TEST(dict, ids_follow_the_order_of_first_sight_and_never_change)
{
    SCOPED(dict_closep) struct dict *dict = dict_open();
    assert_int_equal(intern(dict, "Signed Up"), 0);
    assert_int_equal(intern(dict, "Order Completed"), 1);
    assert_int_equal(intern(dict, "Signed Up"), 0);
    assert_int_equal(intern(dict, ""), 2);
    assert_int_equal(dict_count(dict), 3);
    assert_str(dict_text(dict, 1), "Order Completed");
    assert_int_equal(dict_find(dict, STR("signed up")), DICT_NONE);
    assert_str(dict_text(dict, DICT_NONE), "");
}

TEST(dict, stored_and_read_again_in_order_it_is_the_same)
{
    SCOPED(dict_closep) struct dict *dict = dict_open();
    SCOPED(dict_closep) struct dict *again = dict_open();
    char                             name[32];
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof name, "name %d", i * 7919 % 3001);
        intern(dict, name);
    }
    for (uint32_t id = 0; id < dict_count(dict); id++) {
        uint16_t given;
        assert_ok(dict_intern(again, dict_text(dict, (uint16_t)id), &given));
        assert_int_equal(given, id);
    }
    assert_int_equal(dict_count(again), 3001);
}

TEST(dict, the_name_after_the_last_place_is_other_and_is_counted)
{
    SCOPED(dict_closep) struct dict *dict = dict_open();
    char                             name[DICT_NAME_BYTES_MAX + 2];
    for (int i = 0; i < DICT_NAMES_MAX; i++) {
        snprintf(name, sizeof name, "n%d", i);
        assert_int_equal(intern(dict, name), i);
    }
    assert_int_equal(intern(dict, "one more"), DICT_OTHER);
    assert_int_equal(intern(dict, "n59999"), 59999);
    assert_int_equal(dict_find(dict, STR("one more")), DICT_NONE);
    assert_int_equal(dict_other_count(dict), 1);
    assert_str(dict_text(dict, DICT_OTHER), "other");
}

TEST(dict, a_name_too_long_is_other)
{
    SCOPED(dict_closep) struct dict *dict = dict_open();
    char                             name[DICT_NAME_BYTES_MAX + 1];
    uint16_t                         id;
    for (size_t i = 0; i < sizeof name; i++)
        name[i] = 'x';
    assert_ok(dict_intern(dict, (struct str){ name, DICT_NAME_BYTES_MAX }, &id));
    assert_int_equal(id, 0);
    assert_ok(dict_intern(dict, (struct str){ name, DICT_NAME_BYTES_MAX + 1 }, &id));
    assert_int_equal(id, DICT_OTHER);
}
