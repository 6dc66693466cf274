#include "server/spill.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"

enum { BYTES = 9 << 20 };

static int names_in(const char *dir)
{
    int  count = 0;
    DIR *open_dir = opendir(dir);
    assert_non_null(open_dir);
    while (readdir(open_dir) != NULL)
        count++;
    closedir(open_dir);
    return count - 2; /* . and .. */
}

static char byte_at(size_t i)
{
    return (char)(i * 2654435761u >> 13);
}

TEST(spill, what_was_written_is_read_again_though_it_left_memory_and_no_name_was_ever_there)
{
    char         dir[] = "/tmp/dult-spill-XXXXXX";
    struct spill spill;
    assert_non_null(mkdtemp(dir));
    assert_ok(spill_open(&spill, dir, SPILL_BYTES));
    for (size_t i = 0; i < BYTES; i++) {
        if (i == spill.room)
            assert_ok(spill_grow(&spill, spill.room + (1 << 20) + 5));
        spill.bytes[i] = byte_at(i);
        if (i % 100000 == 0)
            spill_leave(&spill, i + 1);
    }
    assert_int_equal(names_in(dir), 0);
    for (size_t i = 0; i < BYTES; i++)
        if (spill.bytes[i] != byte_at(i))
            fail_msg("byte %zu", i);
    spill_done(&spill);
    spill_done(&spill);
    assert_int_equal(rmdir(dir), 0);
}

TEST(spill, where_no_file_can_be_made_it_says_so)
{
    struct spill spill;
    assert_int_equal(spill_open(&spill, "/proc/self/no-such-folder", SPILL_BYTES), ERR_IO);
}
