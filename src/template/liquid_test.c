/* Conformance: the cases of Golden Liquid that the project keeps beside the repository. */
#include "template/template.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"

#define CASES DULT_SOURCE_DIR "/../shared/data/liquid-conformance.json"

/* Names of the cases that fail, a line each. An entry here needs its argument beside it. */
static const char KNOWN_EXCEPTIONS[] = "";

static struct str names_only(struct arena *arena, const char *text, size_t bytes)
{
    struct buf names = buf_make(bytes + 1);
    struct str rest = { text, bytes }, line;
    while (str_split(&rest, '\n', &line)) {
        if (!str_starts(line, STR("FAIL ")))
            continue;
        buf_str(&names, str_slice(line, 5, line.len));
        buf_char(&names, '\n');
    }
    struct str kept = str_copy(arena, buf_view(&names));
    buf_done(&names);
    return kept;
}

TEST(liquid, every_conformance_case_passes_but_those_argued_here)
{
    int passed = 0, failed = 0;
    if (access(CASES, R_OK) != 0) {
        print_message("skipped: there is no %s\n", CASES);
        skip();
    }
    char  *text = NULL;
    size_t bytes = 0;
    FILE  *out = open_memstream(&text, &bytes);
    assert_non_null(out);
    enum err err = template_cases_run(CASES, out, &passed, &failed);
    fclose(out);
    assert_ok(err);
    struct arena *arena = arena_open(bytes + (1 << 20));
    struct str    names = names_only(arena, text, bytes);
    if (!str_eq(names, str_of(KNOWN_EXCEPTIONS)))
        print_message("%s", text);
    assert_str(names, KNOWN_EXCEPTIONS);
    assert_true(passed > 700);
    arena_close(arena);
    free(text);
}

TEST(liquid, a_file_of_cases_that_is_not_there_is_absent)
{
    int passed, failed;
    assert_int_equal(template_cases_run("/nonexistent/cases.json", stdout, &passed, &failed),
                     ERR_ABSENT);
}
