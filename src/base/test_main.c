#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TESTS_MAX = 4096 };

static struct CMUnitTest tests[TESTS_MAX];
static char             *names[TESTS_MAX];
static size_t            tests_count;

void test_register(const char *module, const char *name, void (*run)(void **))
{
    char *full = NULL;
    if (tests_count == TESTS_MAX || asprintf(&full, "%s.%s", module, name) < 0)
        abort();
    names[tests_count] = full;
    tests[tests_count++] = (struct CMUnitTest){ .name = full, .test_func = run };
}

void test_assert_str(struct str actual, struct str expected, const char *file, int line)
{
    if (str_eq(actual, expected))
        return;
    print_error("\"%.*s\"\n  is not\n\"%.*s\"\n", STR_ARG(actual), STR_ARG(expected));
    _fail(file, line);
}

/* The argument is a part of the names that are run; DULT_TESTS_PART=1/4 runs every fourth of them,
 * from the second on, so that several processes share a program. Names with DULT_TESTS_BUT in them
 * are left out. */
int main(int argc, char **argv)
{
    const char *shared = getenv("DULT_TESTS_PART"), *but = getenv("DULT_TESTS_BUT");
    size_t      chosen = 0, named = 0, part = 0, parts = 1;
    if (shared != NULL && (sscanf(shared, "%zu/%zu", &part, &parts) != 2 || part >= parts)) {
        fprintf(stderr, "DULT_TESTS_PART: this is no part; write 0/4, 1/4, 2/4 or 3/4\n");
        return 2;
    }
    for (size_t i = 0; i < tests_count; i++)
        if ((argc < 2 || strstr(tests[i].name, argv[1]) != NULL) &&
            (but == NULL || strstr(tests[i].name, but) == NULL) && named++ % parts == part)
            tests[chosen++] = tests[i];
    if (chosen == 0) {
        fprintf(stderr, "no test is named like that\n");
        return 2;
    }
    /* The macro counts the array it is given, which here is longer than what was registered. */
    int failed = _cmocka_run_group_tests(argv[0], tests, chosen, NULL, NULL);
    for (size_t i = 0; i < tests_count; i++)
        free(names[i]);
    return failed;
}
