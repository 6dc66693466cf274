#include "run/cli/files.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"

struct shop {
    char           folder[64];
    struct arena  *arena;
    struct files   files;
    struct problem problem;
};

static void shop_file(struct shop *shop, const char *path, const char *text)
{
    char full[256];
    snprintf(full, sizeof full, "%s/%s", shop->folder, path);
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static struct shop shop_open(void)
{
    static const char *const folders[] = { "segments", "templates", "journeys", "traits",
                                           "snippets" };
    struct shop              shop = { .folder = "/tmp/dult-files-XXXXXX" };
    char                     full[256];
    assert_non_null(mkdtemp(shop.folder));
    shop.arena = arena_open(64 << 20);
    assert_non_null(shop.arena);
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        snprintf(full, sizeof full, "%s/%s", shop.folder, folders[i]);
        assert_int_equal(mkdir(full, 0700), 0);
    }
    return shop;
}

static int remove_each(const char *path, const struct stat *stat_, int type, struct FTW *place)
{
    (void)stat_;
    (void)type;
    (void)place;
    return remove(path);
}

static void shop_close(struct shop *shop)
{
    arena_close(shop->arena);
    nftw(shop->folder, remove_each, 16, FTW_DEPTH | FTW_PHYS);
}

static enum err shop_read(struct shop *shop)
{
    TRY(files_read(shop->arena, shop->folder, &shop->files, &shop->problem));
    return files_order(shop->arena, &shop->files, &shop->problem);
}

TEST(files, come_in_the_order_in_which_they_can_be_defined)
{
    static const char *const expected[] = {
        "workspace.json",       "traits/spent.txt",      "stages.json",
        "segments/zoo.segment", "segments/all.segment",  "segments/best.segment",
        "snippets/foot.liquid", "templates/hello.email", "templates/hello.nb.email",
        "journeys/zeta.json",   "journeys/again.json",   "journeys/welcome.json"
    };
    struct shop shop = shop_open();
    shop_file(&shop, "journeys/welcome.json", "{\"a\":\"not in journey \\\"again\\\"\"}");
    shop_file(&shop, "journeys/again.json", "{\"left_journey\" : \"zeta\"}");
    shop_file(&shop, "journeys/zeta.json", "{\"left_journey\":\"zet\",\"journey\":\"zeta\"}");
    shop_file(&shop, "segments/all.segment", "# not in segment \"best\"\nin segment \"zoo\"\n");
    shop_file(&shop, "segments/best.segment", "in segment \"all\" and not in segment  \"zoo\"");
    shop_file(&shop, "segments/zoo.segment", "did \"A\"\n");
    shop_file(&shop, "traits/spent.txt", "sum of revenue of \"A\"\n");
    shop_file(&shop, "stages.json", "{}");
    shop_file(&shop, "templates/hello.nb.email", "subject: x\n");
    shop_file(&shop, "templates/hello.email", "subject: x\n");
    shop_file(&shop, "snippets/foot.liquid", "bye");
    shop_file(&shop, "workspace.json", "{}");
    assert_ok(shop_read(&shop));
    assert_int_equal(shop.files.count, 12);
    for (uint32_t i = 0; i < 12; i++)
        assert_str(shop.files.items[i].path, expected[i]);
    assert_str(shop.files.items[4].name, "all");
    shop_close(&shop);
}

TEST(files, segments_that_name_each_other_in_a_ring_are_refused)
{
    struct shop shop = shop_open();
    shop_file(&shop, "segments/a.segment", "in segment \"b\"");
    shop_file(&shop, "segments/b.segment", "in segment \"a\"");
    assert_int_equal(shop_read(&shop), ERR_INPUT);
    assert_non_null(strstr(shop.problem.where, "segments/"));
    shop_close(&shop);
}

TEST(files, a_misspelt_ending_is_refused_with_the_right_one)
{
    struct shop shop = shop_open();
    shop_file(&shop, "journeys/welcome.jsn", "{}");
    assert_int_equal(shop_read(&shop), ERR_INPUT);
    assert_string_equal(shop.problem.where, "journeys/welcome.jsn");
    assert_non_null(strstr(shop.problem.remedy, ".json"));
    shop_close(&shop);
}

TEST(files, hidden_files_are_an_editors_business)
{
    struct shop shop = shop_open();
    shop_file(&shop, "segments/.vip.segment.swp", "x");
    shop_file(&shop, "segments/vip.segment", "did \"A\"");
    assert_ok(shop_read(&shop));
    assert_int_equal(shop.files.count, 1);
    shop_close(&shop);
}

TEST(files, a_folder_that_holds_nothing_of_a_workspace_is_refused)
{
    struct shop shop = shop_open();
    assert_int_equal(shop_read(&shop), ERR_INPUT);
    assert_int_equal(files_read(shop.arena, "/nowhere/at/all", &shop.files, &shop.problem),
                     ERR_ABSENT);
    shop_close(&shop);
}

TEST(files, bytes_that_are_not_utf8_are_refused_with_the_files_name)
{
    struct shop shop = shop_open();
    shop_file(&shop, "segments/vip.segment", "name = \"\xff\"");
    assert_int_equal(shop_read(&shop), ERR_INPUT);
    assert_string_equal(shop.problem.where, "segments/vip.segment");
    shop_close(&shop);
}

TEST(files, a_folder_is_made_with_those_above_it_and_for_this_user_alone)
{
    struct shop shop = shop_open();
    char        path[128];
    struct stat stat_;
    snprintf(path, sizeof path, "%s/a/b/c", shop.folder);
    assert_ok(files_folder_make(path, &shop.problem));
    assert_ok(files_folder_make(path, &shop.problem));
    assert_int_equal(stat(path, &stat_), 0);
    assert_int_equal(stat_.st_mode & 0777, 0700);
    shop_file(&shop, "plain", "");
    snprintf(path, sizeof path, "%s/plain/x", shop.folder);
    assert_int_equal(files_folder_make(path, &shop.problem), ERR_IO);
    shop_close(&shop);
}
