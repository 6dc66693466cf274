/* What waits outlives a crash: the file is left as it is, and opened again. */
#include "run/api/hit_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"

struct heard {
    char     text[256];
    uint32_t count;
};

static bool hear(void *context, struct str line, int part)
{
    struct heard *heard = context;
    (void)part;
    size_t used = strlen(heard->text);
    snprintf(heard->text + used, sizeof heard->text - used, "%.*s ", STR_ARG(line));
    heard->count++;
    return true;
}

static struct hit_file *opened(const char *dir, struct heard *heard)
{
    struct hit_file *file;
    *heard = (struct heard){ .count = 0 };
    assert_ok(hit_file_open(&file, dir, hear, heard));
    return file;
}

static void folder_make(char *dir)
{
    strcpy(dir, "/tmp/hit_file_test.XXXXXX");
    assert_non_null(mkdtemp(dir));
}

static void folder_remove(const char *dir)
{
    char path[64];
    for (int part = 0; part < 2; part++) {
        snprintf(path, sizeof path, "%s/hits.%d", dir, part);
        unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

static off_t size_of(const char *dir, int part)
{
    char        path[64];
    struct stat about;
    snprintf(path, sizeof path, "%s/hits.%d", dir, part);
    assert_int_equal(stat(path, &about), 0);
    return about.st_size;
}

TEST(hit_file, what_is_not_done_is_read_again_and_a_line_half_written_is_none)
{
    char         dir[64], path[80];
    struct heard heard;
    int          part;
    folder_make(dir);
    struct hit_file *file = opened(dir, &heard);
    assert_int_equal(heard.count, 0);
    assert_ok(hit_file_add(file, STR("one"), &part));
    assert_ok(hit_file_add(file, STR("two"), &part));
    hit_file_done(file, part); /* which of them nobody knows: both are read */
    hit_file_close(file);
    snprintf(path, sizeof path, "%s/hits.%d", dir, part);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "thr", 3), 3);
    close(fd);
    file = opened(dir, &heard);
    assert_string_equal(heard.text, "one two ");
    assert_ok(hit_file_add(file, STR("four"), &part));
    hit_file_close(file);
    file = opened(dir, &heard);
    assert_string_equal(heard.text, "one two four ");
    hit_file_close(file);
    folder_remove(dir);
}

TEST(hit_file, what_is_all_done_takes_no_room)
{
    char         dir[64];
    struct heard heard;
    int          part;
    folder_make(dir);
    struct hit_file *file = opened(dir, &heard);
    assert_ok(hit_file_add(file, STR("one"), &part));
    assert_true(size_of(dir, part) > 0);
    hit_file_done(file, part);
    assert_int_equal(size_of(dir, part), 0);
    hit_file_close(file);
    folder_remove(dir);
}

TEST(hit_file, a_long_wait_fills_the_other_file_so_that_the_first_can_be_emptied)
{
    enum { LINE = 60000 };
    char         dir[64], *line = malloc(LINE);
    struct heard heard;
    int          parts[2] = { 0 }, first = -1, part;
    folder_make(dir);
    memset(line, 'x', LINE);
    struct hit_file *file = opened(dir, &heard);
    for (int i = 0; i < 40; i++) {
        assert_ok(hit_file_add(file, (struct str){ line, LINE }, &part));
        first = first < 0 ? part : first;
        parts[part]++;
    }
    assert_true(parts[first] * LINE >= HIT_FILE_BYTES && parts[!first] > 0);
    for (int i = 0; i < parts[first]; i++)
        hit_file_done(file, first);
    assert_int_equal(size_of(dir, first), 0);
    assert_true(size_of(dir, !first) > 0);
    assert_int_equal(hit_file_add(file, (struct str){ line, HIT_LINE_BYTES_MAX + 1 }, &part),
                     ERR_LIMIT);
    hit_file_close(file);
    free(line);
    folder_remove(dir);
}

TEST(hit_file, a_line_that_is_to_go_goes_though_others_never_stop_coming)
{
    char         dir[64];
    struct heard heard;
    int          before, part, later;
    folder_make(dir);
    struct hit_file *file = opened(dir, &heard);
    assert_ok(hit_file_add(file, STR("erased"), &before));
    assert_ok(hit_file_add(file, STR("one"), &part));
    hit_file_done(file, before);
    uint64_t mark = hit_file_mark(file);
    assert_false(hit_file_is_clear(file, mark)); /* its bytes are there while "one" waits */
    assert_ok(hit_file_add(file, STR("two"), &later));
    assert_int_not_equal(later, before);
    hit_file_done(file, part);
    assert_true(hit_file_is_clear(file, mark));
    assert_int_equal(size_of(dir, before), 0);
    assert_int_equal(size_of(dir, later), 4);
    assert_false(hit_file_is_clear(file, hit_file_mark(file)));
    hit_file_close(file);
    folder_remove(dir);
}
