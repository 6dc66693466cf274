#include "run/nearest.h"

#include "base/test.h"

TEST(nearest, counts_a_letter_added_removed_changed_or_swapped_as_one_step)
{
    assert_int_equal(nearest_steps(STR("listen"), STR("listen")), 0);
    assert_int_equal(nearest_steps(STR("lsten"), STR("listen")), 1);
    assert_int_equal(nearest_steps(STR("listten"), STR("listen")), 1);
    assert_int_equal(nearest_steps(STR("lisben"), STR("listen")), 1);
    assert_int_equal(nearest_steps(STR("lisetn"), STR("listen")), 1);
    assert_int_equal(nearest_steps(STR(""), STR("abc")), 3);
}

TEST(nearest, offers_nothing_that_is_another_word)
{
    struct nearest nearest = nearest_make(STR("segmnet"));
    nearest_offer(&nearest, "serve");
    nearest_offer(&nearest, "show");
    assert_null(nearest.best);
    nearest_offer(&nearest, "segment");
    assert_string_equal(nearest.best, "segment");
}
