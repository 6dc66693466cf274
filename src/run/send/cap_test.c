/* The month's number of postcards, over starts and months. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"
#include "run/send/cap.h"

#define NOVEMBER INT64_C(1795824000000) /* 2026-11-28 */
#define DECEMBER INT64_C(1796428800000) /* 2026-12-05 */

TEST(cap, the_month_has_its_number_after_a_start_and_a_new_month_begins_at_none)
{
    char        dir[] = "/tmp/dult-cap-XXXXXX", path[64];
    struct cap *cap;
    assert_non_null(mkdtemp(dir));
    assert_ok(cap_open(&cap, dir, 2));
    assert_ok(cap_take(cap, NOVEMBER));
    assert_ok(cap_take(cap, NOVEMBER));
    assert_int_equal(cap_take(cap, NOVEMBER), ERR_LIMIT);
    cap_give_back(cap, NOVEMBER); /* one was not printed after all */
    assert_ok(cap_take(cap, NOVEMBER));
    cap_close(cap);
    assert_ok(cap_open(&cap, dir, 2));
    assert_int_equal(cap_count(cap, NOVEMBER), 2);
    assert_int_equal(cap_take(cap, NOVEMBER), ERR_LIMIT);
    assert_ok(cap_take(cap, DECEMBER));
    assert_int_equal(cap_count(cap, DECEMBER), 1);
    cap_close(cap);
    snprintf(path, sizeof path, "%s/post-count", dir);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(dir), 0);
}

TEST(cap, where_the_count_cannot_be_written_nothing_goes_to_print)
{
    struct cap *cap;
    assert_ok(cap_open(&cap, "/nonexistent", 0));
    assert_int_equal(cap_take(cap, NOVEMBER), ERR_IO);
    cap_close(cap);
}
