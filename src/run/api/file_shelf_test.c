/* Bytes on a shelf: whole or not there; and which part of them a Range asks for. */
#include "run/api/file_shelf.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "run/api/file_reply.h"

struct cellar {
    char               dir[64];
    struct file_shelf *shelf;
};

static int remove_each(const char *path, const struct stat *stat_, int type, struct FTW *place)
{
    (void)stat_, (void)type, (void)place;
    return remove(path);
}

static struct cellar cellar_open(void)
{
    struct cellar cellar = { .dir = "/tmp/dult-shelf-XXXXXX" };
    assert_non_null(mkdtemp(cellar.dir));
    assert_ok(file_shelf_open(&cellar.shelf, cellar.dir));
    return cellar;
}

static void cellar_close(struct cellar *cellar)
{
    file_shelf_close(cellar->shelf);
    nftw(cellar->dir, remove_each, 16, FTW_DEPTH | FTW_PHYS);
}

static bool is_first(void *context, struct str sha)
{
    return str_eq(sha, str_of(context));
}

TEST(file_shelf, what_was_put_is_read_back_also_while_it_is_swept_away)
{
    struct cellar      cellar = cellar_open();
    char               one[FILE_SHA_BYTES + 1], two[FILE_SHA_BYTES + 1], path[256];
    struct file_bytes *taken, *again;
    struct problem     problem = { 0 };
    assert_ok(file_shelf_put(cellar.shelf, STR("abc"), one, &problem));
    assert_string_equal(one, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_ok(file_shelf_put(cellar.shelf, STR("abc"), one, &problem));
    assert_ok(file_shelf_put(cellar.shelf, STR("other"), two, &problem));
    struct file_def def = { .sha256 = str_of(two), .bytes = 5 };
    assert_ok(file_shelf_take(cellar.shelf, &def, &taken));
    snprintf(path, sizeof path, "%s/files/.new-crash1", cellar.dir);
    FILE *half = fopen(path, "w");
    assert_non_null(half);
    assert_int_equal(fclose(half), 0);
    file_shelf_sweep(cellar.shelf, is_first, one);
    assert_int_not_equal(access(path, F_OK), 0);
    assert_str(taken->bytes, "other");
    assert_int_equal(file_shelf_take(cellar.shelf, &def, &again), ERR_ABSENT);
    file_shelf_give(taken);
    def = (struct file_def){ .sha256 = str_of(one), .bytes = 3 };
    assert_ok(file_shelf_take(cellar.shelf, &def, &taken));
    assert_str(taken->bytes, "abc");
    file_shelf_give(taken);
    def.bytes = 4;
    assert_int_equal(file_shelf_take(cellar.shelf, &def, &taken), ERR_CORRUPT);
    cellar_close(&cellar);
}

TEST(file_shelf, nothing_and_too_much_are_refused)
{
    struct cellar  cellar = cellar_open();
    char           sha[FILE_SHA_BYTES + 1];
    struct problem problem = { 0 };
    char          *much = calloc(1, FILE_CONTENT_BYTES_MAX + 1);
    assert_non_null(much);
    assert_int_equal(file_shelf_put(cellar.shelf, STR_NONE, sha, &problem), ERR_INPUT);
    assert_int_equal(file_shelf_put(cellar.shelf, (struct str){ much, FILE_CONTENT_BYTES_MAX + 1 },
                                    sha, &problem),
                     ERR_LIMIT);
    free(much);
    cellar_close(&cellar);
}

TEST(file_reply, one_range_of_bytes_is_a_part_and_all_else_the_whole)
{
    static const struct {
        const char *header;
        int         kind;
        size_t      from, to;
    } cases[] = {
        { "", RANGE_WHOLE, 0, 100 },
        { "bytes=0-0", RANGE_PART, 0, 1 },
        { "bytes=0-99", RANGE_PART, 0, 100 },
        { "bytes=10-", RANGE_PART, 10, 100 },
        { "bytes=90-1000", RANGE_PART, 90, 100 },
        { "bytes=-10", RANGE_PART, 90, 100 },
        { "bytes=-1000", RANGE_PART, 0, 100 },
        { "bytes=100-", RANGE_NONE, 0, 0 },
        { "bytes=-0", RANGE_NONE, 0, 0 },
        { "bytes=5-4", RANGE_WHOLE, 0, 100 },
        { "bytes=0-1,5-6", RANGE_WHOLE, 0, 100 },
        { "bytes=", RANGE_WHOLE, 0, 100 },
        { "bytes=-", RANGE_WHOLE, 0, 100 },
        { "bytes=a-b", RANGE_WHOLE, 0, 100 },
        { "bytes=+1-2", RANGE_WHOLE, 0, 100 },
        { "bytes=99999999999999999999-", RANGE_WHOLE, 0, 100 },
        { "items=0-1", RANGE_WHOLE, 0, 100 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct file_range range = file_range_of(str_of(cases[i].header), 100);
        assert_int_equal(range.kind, cases[i].kind);
        assert_int_equal(range.from, cases[i].from);
        assert_int_equal(range.to, cases[i].to);
    }
}
