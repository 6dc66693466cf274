#include "run/cli/diff.h"

#include "base/test.h"

static struct str diff_of(const char *before, const char *after, struct buf *out)
{
    *out = buf_make(1 << 16);
    assert_ok(diff_write((struct diff_side){ "a", str_of(before) },
                         (struct diff_side){ "b", str_of(after) }, out));
    return buf_view(out);
}

static void is(const char *before, const char *after, const char *expected)
{
    struct buf out;
    assert_str(diff_of(before, after, &out), expected);
    buf_done(&out);
}

TEST(diff, of_equal_texts_is_nothing)
{
    is("one\ntwo\n", "one\ntwo\n", "");
    is("", "", "");
}

TEST(diff, shows_a_changed_line_between_its_neighbours)
{
    is("one\ntwo\nthree\n", "one\n2\nthree\n",
       "--- a\n+++ b\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n");
}

TEST(diff, of_a_new_text_is_all_of_it)
{
    is("", "one\ntwo\n", "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+one\n+two\n");
    is("one\n", "", "--- a\n+++ b\n@@ -1,1 +0,0 @@\n-one\n");
}

TEST(diff, keeps_changes_that_are_far_apart_in_hunks_of_their_own)
{
    is("a\n1\n2\n3\n4\n5\n6\n7\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\nB\n",
       "--- a\n+++ b\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n"
       "@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
}

TEST(diff, finds_lines_that_were_put_in_and_taken_out)
{
    is("a\nb\nc\nd\n", "a\nc\nx\nd\n", "--- a\n+++ b\n@@ -1,4 +1,4 @@\n a\n-b\n c\n+x\n d\n");
}
