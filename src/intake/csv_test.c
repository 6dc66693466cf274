#include "intake/csv.h"

#include "base/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* All rows as text: fields between '|', rows ended by ';', bad rows as '!line'. */
static void rows_write(struct buf *out, struct csv_shape shape, struct str text, size_t piece_bytes)
{
    struct csv    *csv = csv_open(shape);
    struct csv_row row;
    struct problem problem;
    size_t         at = 0;
    for (;;) {
        enum err err = csv_next(csv, &row, &problem);
        if (err == ERR_ABSENT)
            break;
        if (err == ERR_WAIT) {
            struct str piece = str_slice(text, at, at + piece_bytes);
            at += piece.len;
            assert_ok(csv_feed(csv, piece, at == text.len));
            continue;
        }
        if (err != OK) {
            assert_true(problem.what[0] != '\0' && problem.remedy[0] != '\0');
            buf_format(out, "!%llu", (unsigned long long)row.line);
        }
        for (uint32_t i = 0; err == OK && i < row.count; i++)
            buf_format(out, "%s%.*s", i > 0 ? "|" : "", STR_ARG(row.fields[i]));
        buf_char(out, ';');
    }
    csv_close(csv);
}

TEST(csv, what_the_world_exports_is_read_alike_in_pieces_of_any_size)
{
    static const struct {
        const char *text, *rows;
    } cases[] = {
        { "", "" },
        { "\n\r\n\n", "" },
        { "a", "a;" },
        { "a,b\n1,2\n", "a|b;1|2;" },
        { "a,b\r\n1,2\r\n", "a|b;1|2;" },
        { "\xEF\xBB\xBF"
          "a,b\n1,2",
          "a|b;1|2;" },
        { "a,,\n,b,\n,,\n", "a||;|b|;||;" },
        { "\"a\",\"b,c\"\n", "a|b,c;" },
        { "\"a \"\"b\"\" c\",d\n", "a \"b\" c|d;" },
        { "\"\",\"\"\"\"\n", "|\";" },
        { "\"two\nlines\",x\ny,z\n", "two\nlines|x;y|z;" },
        { "\"two\r\nlines\",x\r\n", "two\r\nlines|x;" },
        { " a , b \n", " a | b ;" },
        { "\xC3\xA5,\xF0\x9F\x8D\x93\n", "å|🍓;" },
        { "a,b\n\"x\"y,1\nc,d\n", "a|b;!2;c|d;" },
        { "a,b\nx\"y,1\nc,d\n", "a|b;!2;c|d;" },
        { "a,b\n\xFF,1\nc,d\n", "a|b;!2;c|d;" },
        { "a,b\n1,\"open\nc,d\n", "a|b;!2;" },
        { "\"x\n\",1\nb\"ad\nc,d", "x\n|1;!3;c|d;" },
    };
    struct csv_shape shape = { .form = CSV_SEPARATED, .separator = ',' };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t piece = 1; piece < 40; piece += 3) {
            struct buf out = buf_make(1000);
            rows_write(&out, shape, str_of(cases[i].text), piece);
            assert_str(buf_view(&out), cases[i].rows);
            buf_done(&out);
        }
}

TEST(csv, other_forms_have_no_quotes)
{
    static const int32_t widths[] = { 5, 8, 2 };
    static const struct {
        struct csv_shape shape;
        const char      *text, *rows;
    } cases[] = {
        { { .form = CSV_SEPARATED, .separator = ';' }, "a;b,c\n", "a|b,c;" },
        { { .form = CSV_SEPARATED, .separator = '\t' }, "a\tb c\n", "a|b c;" },
        { { .form = CSV_WHITESPACE },
          " 00001 19970101  1   11.77\r\n  \n\tb \"c\" \n",
          "00001|19970101|1|11.77;b|\"c\";" },
        { { .form = CSV_FIXED, .widths = widths, .widths_count = 3 },
          "0000119970101 3\n1\n00001199701010003\n0000\xC3\xA5\n",
          "00001|19970101|3;1||;!3;!4;" },
        { { .form = CSV_LINES }, "{\"a\":1}\n\n[2]\r\n", "{\"a\":1};[2];" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = buf_make(1000);
        rows_write(&out, cases[i].shape, str_of(cases[i].text), 7);
        assert_str(buf_view(&out), cases[i].rows);
        buf_done(&out);
    }
}

TEST(csv, a_row_beyond_a_bound_is_refused_and_the_next_is_read)
{
    struct csv_shape shape = { .form = CSV_SEPARATED, .separator = ',' };
    static const struct {
        char        fill;
        size_t      count;
        const char *rows;
    } cases[] = {
        { 'x', CSV_FIELD_BYTES_MAX + 1, "!1;y|z;" },
        { ',', CSV_FIELDS_MAX, "!1;y|z;" },
        { 'x', CSV_ROW_BYTES_MAX + 1, "!1;y|z;" },
        { 'x', 3 * CSV_ROW_BYTES_MAX, "!1;y|z;" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char      *text = malloc(cases[i].count + 5);
        struct buf out = buf_make(1000);
        memset(text, cases[i].fill, cases[i].count);
        memcpy(text + cases[i].count, "\ny,z\n", 5);
        rows_write(&out, shape, (struct str){ text, cases[i].count + 5 }, 100000);
        assert_str(buf_view(&out), cases[i].rows);
        buf_done(&out);
        free(text);
    }
}

TEST(csv, an_open_quote_costs_one_row_and_not_the_file)
{
    struct csv_shape shape = { .form = CSV_SEPARATED, .separator = ',' };
    struct buf       text = buf_make(1 << 22), out = buf_make(1 << 22);
    buf_str(&text, STR("\"open,1\n"));
    for (int i = 0; i < 100000; i++)
        buf_format(&text, "a,%d\n", i);
    rows_write(&out, shape, buf_view(&text), 65536);
    assert_true(str_starts(buf_view(&out), STR("!1;a|")));
    assert_true(str_ends(buf_view(&out), STR(";a|99999;")));
    buf_done(&text);
    buf_done(&out);
}
