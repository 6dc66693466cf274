#include "message/bytes.h"

#include "base/test.h"

/* The same by the rules, a byte at a time. */
static bool is_printable(unsigned char c)
{
    return c >= ' ' && c < 127;
}

static bool stops_words(struct str text, size_t at)
{
    unsigned char c = (unsigned char)text.ptr[at];
    unsigned char next = at + 1 < text.len ? (unsigned char)text.ptr[at + 1] : 0;
    return !is_printable(c) || (c == ' ' && (next == ' ' || !is_printable(next)));
}

static bool stops_relaxed(struct str text, size_t at)
{
    char next = at + 1 < text.len ? text.ptr[at + 1] : '\r';
    return text.ptr[at] == '\t' || (text.ptr[at] == ' ' && (next == ' ' || next == '\r'));
}

static void compare(struct str text, size_t from)
{
    size_t printable = from, quotable = from, line = from, words = from, relaxed = from;
    while (printable < text.len && is_printable((unsigned char)text.ptr[printable]))
        printable++;
    while (quotable < text.len && is_printable((unsigned char)text.ptr[quotable]) &&
           text.ptr[quotable] != '=')
        quotable++;
    while (line < text.len && text.ptr[line] != '\r' && text.ptr[line] != '\n')
        line++;
    while (words < text.len && !stops_words(text, words))
        words++;
    while (relaxed < text.len && !stops_relaxed(text, relaxed))
        relaxed++;
    assert_int_equal(bytes_printable(text, from), printable - from);
    assert_int_equal(bytes_quotable(text, from), quotable - from);
    assert_int_equal(bytes_line_end(text, from), line);
    assert_int_equal(bytes_words(text, from), words - from);
    assert_int_equal(bytes_relaxed_end(text, from), relaxed);
}

TEST(bytes, many_at_a_time_see_what_one_at_a_time_sees)
{
    static const char special[] = "\0\t\n\f\r \x1F!=~\x7F\x80\xA0\xFF";
    char              bytes[150]; /* twice the 64 */
    for (size_t len = 0; len <= sizeof bytes; len++)
        for (size_t at = 0; at < len; at++)
            for (size_t k = 0; k < sizeof special; k++) {
                memset(bytes, 'a', sizeof bytes);
                bytes[at] = special[k];
                if (at + 1 < len)
                    bytes[at + 1] = special[(k + len) % sizeof special];
                compare((struct str){ bytes, len }, 0);
                compare((struct str){ bytes, len }, len / 3);
            }
}
