/*
 * test: a thin, self-registering layer over cmocka.
 *
 *     TEST(throttle, a_long_sleep_earns_one_burst_and_no_more) { assert_int_equal(...); }
 *
 * A test is named as a sentence one could dispute. Each module's `x_test.c` is linked into its
 * room's test program; `test_main.c` runs all that registered, or those whose "module.name"
 * contains the program's first argument.
 */
#ifndef DULT_BASE_TEST_H
#define DULT_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

void test_register(const char *module, const char *name, void (*run)(void **));

#define TEST(module, name)                                                                         \
    static void                              test_##module##_##name(void **state);                 \
    __attribute__((constructor)) static void register_##module##_##name(void)                      \
    {                                                                                              \
        test_register(#module, #name, test_##module##_##name);                                     \
    }                                                                                              \
    static void test_##module##_##name(void **state __attribute__((unused)))

#define assert_ok(call) assert_int_equal((call), OK)
#define assert_str(actual, expected) test_assert_str((actual), str_of(expected), __FILE__, __LINE__)

void test_assert_str(struct str actual, struct str expected, const char *file, int line);

#endif
