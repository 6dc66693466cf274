#include "delivery/maildir.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "delivery/desk_test.h"

#define LETTER STR("Subject: hello\r\n\r\n.bye\r\n")

static void remove_all(const char *path)
{
    char command[256];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

static int count_files(const char *path, const char *folder)
{
    char full[300];
    int  count = 0;
    snprintf(full, sizeof full, "%s/%s", path, folder);
    DIR *dir = opendir(full);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

TEST(maildir, a_message_given_twice_is_there_once)
{
    char path[] = "/tmp/maildir_test.XXXXXX", file[300], text[256] = { 0 };
    assert_non_null(mkdtemp(path));
    for (int round = 0; round < 2; round++) {
        struct desk     desk;
        struct channel *channel;
        struct problem  problem;
        desk_init(&desk, 100, "x.example", LETTER);
        struct channel_calls calls = desk_calls(&desk);
        assert_ok(maildir_open(path, &calls, &channel, &problem));
        assert_true(desk_run(&desk, channel, 20000));
        assert_int_equal(desk_count(&desk, DELIVERY_SENT), 100);
        channel_close(channel);
        desk_done(&desk);
    }
    assert_int_equal(count_files(path, "new"), 100);
    assert_int_equal(count_files(path, "tmp"), 0);
    snprintf(file, sizeof file, "%s/new/m42@x.example", path);
    FILE *f = fopen(file, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, sizeof text - 1, f) > 0);
    fclose(f);
    assert_string_equal(text, "Return-Path: <shop@shop.example>\r\nDelivered-To: m42@x.example\r\n"
                              "X-Dult-Message: 43\r\nSubject: hello\r\n\r\n.bye\r\n");
    remove_all(path);
}

TEST(maildir, a_message_id_cannot_leave_the_folder)
{
    char name[MAILDIR_NAME_BYTES_MAX + 1];
    maildir_name(STR("abc-1.2@shop.example"), name);
    assert_string_equal(name, "abc-1.2@shop.example");
    maildir_name(STR("../../etc/passwd"), name);
    assert_string_equal(name, "%2e.%2f..%2fetc%2fpasswd");
    maildir_name(STR("a:b\n"), name);
    assert_string_equal(name, "a%3ab%0a");
}

TEST(maildir, long_ids_get_names_of_their_own)
{
    char id[1000], one[MAILDIR_NAME_BYTES_MAX + 1], two[MAILDIR_NAME_BYTES_MAX + 1];
    memset(id, 'a', sizeof id);
    maildir_name((struct str){ id, sizeof id }, one);
    id[999] = 'b';
    maildir_name((struct str){ id, sizeof id }, two);
    assert_true(strlen(one) <= MAILDIR_NAME_BYTES_MAX);
    assert_string_not_equal(one, two);
}

TEST(maildir, a_folder_that_cannot_be_made_is_named)
{
    struct desk     desk;
    struct channel *channel = NULL;
    struct problem  problem = { 0 };
    desk_init(&desk, 1, "x.example", LETTER);
    struct channel_calls calls = desk_calls(&desk);
    assert_int_equal(maildir_open("/proc/nowhere/outbox", &calls, &channel, &problem), ERR_IO);
    assert_string_equal(problem.where, "/proc/nowhere/outbox");
    desk_done(&desk);
}

TEST(maildir, stopping_returns_what_is_not_written)
{
    char            path[] = "/tmp/maildir_test.XXXXXX";
    struct desk     desk;
    struct channel *channel;
    struct problem  problem;
    assert_non_null(mkdtemp(path));
    desk_init(&desk, MAILDIR_PLACES, "x.example", LETTER);
    struct channel_calls calls = desk_calls(&desk);
    assert_ok(maildir_open(path, &calls, &channel, &problem));
    assert_true(desk_wait_places(&desk, MAILDIR_PLACES, 5000));
    for (int i = 0; i < MAILDIR_PLACES; i++)
        assert_ok(channel_give(channel, &desk.messages[i]));
    channel_recall(channel, &(uint64_t){ MAILDIR_PLACES }, 1);
    channel_stop(channel);
    assert_int_equal(desk.done_count, MAILDIR_PLACES);
    assert_int_equal(desk_count(&desk, DELIVERY_SENT), count_files(path, "new"));
    assert_int_equal(desk_count(&desk, DELIVERY_SENT) + desk_count(&desk, DELIVERY_RETURNED),
                     MAILDIR_PLACES);
    channel_close(channel);
    desk_done(&desk);
    remove_all(path);
}
