/* What may be asked for again, over crashes. */
#include "run/send/doubts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"

static struct doubts *open_in(const char *dir)
{
    struct doubts *doubts = NULL;
    struct problem problem;
    assert_ok(doubts_open(&doubts, dir, &problem));
    return doubts;
}

static void note(struct doubts *doubts, uint64_t message, int64_t first_ms)
{
    struct doubt doubt = { .message = message, .first_ms = first_ms, .account = 0xabcdef };
    strcpy(doubt.way, "a way");
    doubts_note(doubts, &doubt);
}

static void remove_all(const char *dir)
{
    char path[80];
    snprintf(path, sizeof path, "%s/in-doubt", dir);
    unlink(path);
    rmdir(dir);
}

TEST(doubts, what_was_asked_for_is_known_after_a_crash_and_what_was_lifted_is_not)
{
    char           dir[] = "/tmp/dult-doubts-XXXXXX", path[80];
    struct doubt   found;
    struct doubts *doubts;
    assert_non_null(mkdtemp(dir));
    doubts = open_in(dir);
    note(doubts, 7, 1000);
    note(doubts, 8, 2000);
    note(doubts, 7, 9000); /* asked for again: its first time counts */
    note(doubts, 9, 3000);
    assert_true(doubts_lift(doubts, 8));
    snprintf(path, sizeof path, "%s/in-doubt", dir);
    FILE *file = fopen(path, "a");
    fputs("+ 10 4000 abcdef a w", file); /* the crash came in the middle of a line */
    (void)fclose(file);

    struct doubts *later = open_in(dir); /* as after kill -9: the first one never closed */
    assert_true(doubts_find(later, 7, &found));
    assert_true(found.was_here && found.first_ms == 1000 && found.account == 0xabcdef);
    assert_string_equal(found.way, "a way");
    assert_false(doubts_find(later, 8, &found));
    assert_true(doubts_find(later, 9, &found));
    assert_false(doubts_find(later, 10, &found));
    doubts_forget(later, 7);
    doubts_forget(later, 9);
    assert_false(doubts_find(later, 7, &found));
    doubts_close(later);
    doubts_close(doubts);
    doubts = open_in(dir);
    assert_false(doubts_find(doubts, 9, &found));
    doubts_close(doubts);
    remove_all(dir);
}

TEST(doubts, without_a_folder_they_are_known_until_the_end)
{
    struct doubts *doubts = open_in(NULL);
    struct doubt   found;
    note(doubts, 7, 1000);
    assert_true(doubts_find(doubts, 7, &found));
    assert_true(doubts_lift(doubts, 7));
    assert_false(doubts_find(doubts, 7, &found));
    doubts_close(doubts);
}
