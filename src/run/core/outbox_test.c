/* What an erasure finds in the outbox of a trial. */
#include "run/core/outbox.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"
#include "delivery/maildir.h"

static void file_put(const char *dir, const char *name, const char *text)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool has(const char *dir, const char *name)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

static bool is_seven(void *context, uint64_t message)
{
    (void)context;
    return message == 7;
}

TEST(outbox, a_message_is_found_by_its_number_wherever_it_was_moved_and_however_far_it_was_written)
{
    char                    dir[] = "/tmp/dult-outbox-XXXXXX", command[64];
    struct delivery_message mail = { .id = 7,
                                     .message_id = STR("seven@x.example"),
                                     .from = STR("shop@x.example"),
                                     .to = STR("ada@x.example"),
                                     .data = STR("Subject: a\r\n\r\nX-Dult-Message: 8\r\n") };
    assert_non_null(mkdtemp(dir));
    assert_int_equal(maildir_write(dir, &mail).result, DELIVERY_SENT);
    mail.id = 77;
    mail.message_id = STR("others@x.example");
    mail.data = STR("Subject: b\r\n\r\nX-Dult-Message: 7\r\n"); /* says its text, not its head */
    assert_int_equal(maildir_write(dir, &mail).result, DELIVERY_SENT);
    file_put(dir, "tmp/half", "Return-Path: <>\r\nX-Dult-Message: 7\r\nSubj");
    file_put(dir, "cur/read:2,S", "Return-Path: <>\r\nX-Dult-Message: 7\r\n\r\nhello");
    file_put(dir, "cur/older", "Return-Path: <>\r\nSubject: 7\r\n\r\nhello");
    file_put(dir, "cur/empty", "");

    outbox_sweep(dir, is_seven, NULL);
    assert_false(has(dir, "new/seven@x.example") || has(dir, "tmp/half") ||
                 has(dir, "cur/read:2,S"));
    assert_true(has(dir, "new/others@x.example") && has(dir, "cur/older") && has(dir, "cur/empty"));
    outbox_forget(dir, STR("older"));
    assert_false(has(dir, "cur/older"));
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}
