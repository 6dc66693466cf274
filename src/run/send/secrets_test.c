#include "run/send/secrets.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"

struct folder {
    char path[64];
};

static struct folder folder_make(void)
{
    struct folder folder = { "/tmp/dult-secrets-XXXXXX" };
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static void folder_remove(const struct folder *folder)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder->path);
    assert_int_equal(system(command), 0);
}

static struct str link_write(const struct secrets *secrets, struct buf *out)
{
    token_write(secrets_token_keys(secrets), (struct token){ TOKEN_OPEN, 7, 9 }, STR_NONE, out);
    return buf_view(out);
}

TEST(secrets, are_made_once_private_and_the_same_afterwards)
{
    struct folder                folder = folder_make();
    struct secrets              *first = NULL, *second = NULL;
    struct problem               problem = { 0 };
    struct stat                  stat_;
    char                         path[128];
    SCOPED(buf_donep) struct buf a = buf_make(1024), b = buf_make(1024);
    SCOPED(buf_donep) struct buf dns_a = buf_make(8192), dns_b = buf_make(8192);
    assert_ok(secrets_open(&first, folder.path, &problem));
    assert_ok(secrets_open(&second, folder.path, &problem));
    assert_true(str_eq(link_write(first, &a), link_write(second, &b)));
    assert_ok(secrets_dns_write(first, STR("shop.example"), &dns_a));
    assert_ok(secrets_dns_write(second, STR("shop.example"), &dns_b));
    assert_true(str_eq(buf_view(&dns_a), buf_view(&dns_b)));
    assert_true(str_find(buf_view(&dns_a), 0, STR("dult1._domainkey.shop.example. IN TXT")) <
                dns_a.len);
    assert_true(str_find(buf_view(&dns_a), 0, STR("k=ed25519")) < dns_a.len);
    snprintf(path, sizeof path, "%s/secrets", folder.path);
    assert_int_equal(stat(path, &stat_), 0);
    assert_int_equal(stat_.st_mode & 0777, 0700);
    snprintf(path, sizeof path, "%s/secrets/workspace.secret", folder.path);
    assert_int_equal(stat(path, &stat_), 0);
    assert_int_equal(stat_.st_mode & 0777, 0600);
    secrets_close(first);
    secrets_close(second);
    folder_remove(&folder);
}

TEST(secrets, a_secret_that_others_may_read_or_that_was_cut_is_refused)
{
    struct folder   folder = folder_make();
    struct secrets *secrets = NULL;
    struct problem  problem = { 0 };
    char            path[128];
    assert_ok(secrets_open(&secrets, folder.path, &problem));
    secrets_close(secrets);
    snprintf(path, sizeof path, "%s/secrets/workspace.secret", folder.path);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(secrets_open(&secrets, folder.path, &problem), ERR_DENIED);
    assert_true(problem.remedy[0] != '\0');
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 20), 0);
    assert_int_equal(secrets_open(&secrets, folder.path, &problem), ERR_CORRUPT);
    folder_remove(&folder);
}

TEST(secrets, a_key_that_the_operator_brings_signs_alone_and_under_its_own_domain)
{
    struct folder                folder = folder_make();
    struct secrets              *secrets = NULL;
    struct dkim_key             *keys[SECRETS_DKIM_KEYS];
    SCOPED(buf_donep) struct buf pem = buf_make(16384);
    SCOPED(buf_donep) struct buf name = buf_make(300);
    assert_ok(secrets_open(&secrets, folder.path, NULL));
    assert_ok(dkim_key_generate(&pem));
    struct secrets_own own = { STR("tents.example"), STR("mine"), STR("no key") };
    assert_int_not_equal(secrets_dkim_own(secrets, &own, NULL), OK);
    assert_int_equal(secrets_dkim_count(secrets), SECRETS_DKIM_KEYS);
    own.pem = buf_view(&pem);
    assert_ok(secrets_dkim_own(secrets, &own, NULL));
    assert_int_equal(secrets_dkim_count(secrets), 1);
    assert_ok(secrets_dkim_open(secrets, STR("news.tents.example"), keys, NULL));
    assert_null(keys[1]);
    dkim_record_name(keys[0], &name);
    assert_str(buf_view(&name), "mine._domainkey.tents.example");
    dkim_key_close(keys[0]);
    secrets_close(secrets);
    folder_remove(&folder);
}
