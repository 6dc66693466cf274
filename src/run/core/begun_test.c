#include "run/core/begun.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/test.h"

static struct begun *begun_of(const char *dir)
{
    struct begun  *begun;
    struct problem problem = { 0 };
    assert_ok(begun_open(&begun, dir, &problem));
    return begun;
}

static void folder_make(char dir[32])
{
    snprintf(dir, 32, "/tmp/dult-begun-XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static void folder_remove(const char *dir)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

TEST(begun, of_a_run_that_ended_any_way_only_what_was_begun_is_in_doubt)
{
    char dir[32];
    folder_make(dir);
    struct begun *begun = begun_of(dir);
    begun_settle(begun);
    begun_add(begun, 7);
    uint32_t eight = begun_add(begun, 8);
    begun_add(begun, 9);
    begun_remove(begun, eight);
    begun_heard(begun, begun_add(begun, 11), BEGUN_SENT);
    for (enum begun_state what = BEGUN_KEPT; what <= BEGUN_PUT_OFF; what++)
        begun_heard(begun, begun_add(begun, 20 + what), what);
    begun_close(begun); /* as a kill does: nothing is written at the end */

    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_MAY);
    assert_int_equal(begun_look(begun, 8), BEGUN_NOT);
    assert_int_equal(begun_look(begun, 9), BEGUN_MAY);
    assert_int_equal(begun_look(begun, 11), BEGUN_SENT);
    for (enum begun_state what = BEGUN_KEPT; what <= BEGUN_PUT_OFF; what++)
        assert_int_equal(begun_look(begun, 20 + what), what);
    begun_add(begun, 10);
    begun_close(begun); /* killed before what was in doubt was settled */

    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_MAY);
    assert_int_equal(begun_look(begun, 9), BEGUN_MAY);
    assert_int_equal(begun_look(begun, 10), BEGUN_MAY);
    begun_settle(begun);
    assert_int_equal(begun_look(begun, 7), BEGUN_NOT);
    begun_close(begun);
    folder_remove(dir);
}

TEST(begun, a_new_file_a_copy_and_one_of_another_boot_are_not_believed)
{
    char dir[32], command[160], path[64];
    folder_make(dir);
    struct begun *begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_MAY);
    begun_close(begun);
    begun = begun_of(dir); /* killed before it settled anything */
    assert_int_equal(begun_look(begun, 7), BEGUN_MAY);
    begun_settle(begun);
    begun_close(begun);
    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_NOT);
    begun_close(begun);

    snprintf(command, sizeof command, "cp %s/begun %s/copy && mv %s/copy %s/begun", dir, dir, dir,
             dir);
    assert_int_equal(system(command), 0);
    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_MAY);
    begun_settle(begun);
    begun_close(begun);

    snprintf(path, sizeof path, "%s/begun", dir);
    FILE *file = fopen(path, "r+");
    assert_int_equal(fputs("another", file) >= 0, 1);
    fclose(file);
    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_MAY);
    begun_close(begun);
    folder_remove(dir);
}

TEST(begun, with_another_store_in_the_place_of_its_own_it_is_not_believed)
{
    char dir[32], command[256];
    folder_make(dir);
    snprintf(command, sizeof command, "echo store > %s/dult.db", dir);
    assert_int_equal(system(command), 0);
    struct begun *begun = begun_of(dir);
    begun_settle(begun);
    begun_close(begun);
    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_NOT);
    begun_close(begun);

    snprintf(command, sizeof command,
             "cp %s/dult.db %s/backup && rm %s/dult.db && mv %s/backup %s/dult.db", dir, dir, dir,
             dir, dir);
    assert_int_equal(system(command), 0);
    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_MAY);
    begun_settle(begun);
    begun_close(begun);
    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, 7), BEGUN_NOT);
    begun_close(begun);
    folder_remove(dir);
}

TEST(begun, more_than_there_is_room_for_make_the_next_start_doubt_everything)
{
    char dir[32];
    folder_make(dir);
    struct begun *begun = begun_of(dir);
    begun_settle(begun);
    for (uint64_t i = 1; i <= BEGUN_MESSAGES_MAX + 1; i++)
        begun_add(begun, i);
    begun_close(begun);
    begun = begun_of(dir);
    assert_int_equal(begun_look(begun, BEGUN_MESSAGES_MAX + 9), BEGUN_MAY);
    begun_close(begun);
    folder_remove(dir);
}
