#include "intake/mapping.h"

#include "base/test.h"

#include <stdio.h>
#include <string.h>

/* The message of one row of `text` under `each_row`, as JSON; or the refusal's reason; or "-". */
static struct str message_of(struct arena *arena, const char *each_row, const char *text)
{
    char mapping_text[4000];
    snprintf(mapping_text, sizeof mapping_text,
             "{\"mapping\":\"m\",\"format\":\"csv\",\"columns\":[\"a\",\"b\",\"c\"],"
             "\"each_row\":%s}",
             each_row);
    struct mapping        *mapping;
    struct problem         problem = { 0 };
    struct mapping_refusal refusal;
    struct csv_row         row;
    struct json            message;
    enum err err = mapping_parse(arena, str_copy(arena, str_of(mapping_text)), &mapping, &problem);
    if (err != OK)
        return str_format(arena, "%s", problem.where);
    struct csv *csv = csv_open(mapping_shape(mapping));
    assert_ok(csv_feed(csv, str_of(text), true));
    assert_ok(csv_next(csv, &row, &problem));
    struct mapping_row mapped = { .csv = &row };
    struct buf         out = buf_make(10000);
    err = mapping_row_check(mapping, &mapped, &refusal);
    if (err == OK)
        err = mapping_message(mapping, arena, &mapped, 0, &message, &refusal);
    if (err == OK)
        json_write(&out, &message);
    else if (err == ERR_ABSENT)
        buf_char(&out, '-');
    else
        buf_format(&out, "%.*s %.*s", STR_ARG(refusal.field), STR_ARG(refusal.reason));
    struct str result = str_copy(arena, buf_view(&out));
    buf_done(&out);
    csv_close(csv);
    return result;
}

#define TRACK "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"u\""
#define PROPERTIES(inner) TRACK ",\"properties\":{" inner "}}"

TEST(mapping, every_kind_of_value_says_what_the_manual_says)
{
    static const struct {
        const char *each_row, *text, *message;
    } cases[] = {
        { TRACK "}", "1,2,3", TRACK "}" },
        { "{\"type\":\"track\",\"event\":\"{a} {b}\",\"userId\":\"{c}\"}", "1,2,3",
          "{\"type\":\"track\",\"event\":\"1 2\",\"userId\":\"3\"}" },
        { "{\"type\":\"track\",\"event\":\"{{{a}}}\",\"userId\":\"{b}{c}\"}", "1,,",
          "{\"type\":\"track\",\"event\":\"{1}\"}" },
        { PROPERTIES("\"x\":12,\"y\":true,\"z\":null,\"w\":1.5"), "1,2,3",
          PROPERTIES("\"x\":12,\"y\":true,\"z\":null,\"w\":1.5") },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"number\"}"), " 12.50 ,2,3",
          PROPERTIES("\"x\":12.5") },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"number\"}"), "7,2,3",
          PROPERTIES("\"x\":7") },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"number\"}"), "12 kr,2,3",
          "x not_a_number" },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"number\"}"), "nan,2,3", "x not_a_number" },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"integer\"}"), "1.5,2,3",
          "x not_an_integer" },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"boolean\"}"), "Yes,2,3",
          PROPERTIES("\"x\":true") },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"boolean\"}"), "maybe,2,3",
          "x not_a_boolean" },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"format\":\"%d.%m.%Y\"}"), "2.1.2026,2,3",
          PROPERTIES("\"x\":\"2026-01-02T00:00:00.000Z\"") },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"date\"}"), "soon,2,3", "x not_a_date" },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"number\",\"default\":0}"), " ,2,3",
          PROPERTIES("\"x\":0") },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"number\"}"), ",2,3", PROPERTIES("") },
        { PROPERTIES("\"x\":{\"y\":\"{a}\",\"z\":[\"{b}\",\"{c}\",1]}"), "1,,3",
          PROPERTIES("\"x\":{\"y\":\"1\",\"z\":[\"3\",1]}") },
        { TRACK ",\"timestamp\":\"{a}\"}", "2026-01-02,2,3",
          TRACK ",\"timestamp\":\"2026-01-02T00:00:00.000Z\"}" },
        { TRACK ",\"timestamp\":{\"column\":\"a\",\"format\":\"epoch\"}}", "x,2,3",
          "timestamp not_a_date" },
        { TRACK ",\"skip_when\":[{\"column\":\"a\",\"empty\":true}]}", " ,2,3", "-" },
        { TRACK ",\"skip_when\":[{\"column\":\"a\",\"is\":\"test\"}]}", "test,2,3", "-" },
        { TRACK ",\"skip_when\":[{\"column\":\"a\",\"is\":\"test\"}]}", "x,2,3", TRACK "}" },
        { TRACK "}", "1,2", "row wrong_columns" },
        { TRACK "}", "1,2,3,4", "row wrong_columns" },
    };
    struct arena *arena = arena_open(1 << 24);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_str(message_of(arena, cases[i].each_row, cases[i].text), cases[i].message);
    arena_close(arena);
}

TEST(mapping, a_mistake_in_a_record_is_named_with_its_place)
{
    static const struct {
        const char *each_row, *where;
    } cases[] = {
        { "7", "each_row" },
        { "[]", "each_row" },
        { "[7]", "each_row.0" },
        { "{}", "each_row.type" },
        { "{\"type\":\"purchase\"}", "each_row.type" },
        { "{\"type\":\"track\",\"userId\":\"u\"}", "each_row" },
        { "{\"type\":\"identify\"}", "each_row" },
        { "[" TRACK "}," TRACK ",\"user\":\"x\"}]", "each_row.1.user" },
        { "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"{d}\"}", "columns" },
        { "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"{a\"}", "each_row.userId" },
        { "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"a}\"}", "each_row.userId" },
        { "{\"type\":\"track\",\"event\":\"E\",\"userId\":\"{}\"}", "each_row.userId" },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"type\":\"money\"}"), "each_row.properties.x.type" },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"format\":\"%Q\"}"),
          "each_row.properties.x.format" },
        { PROPERTIES("\"x\":{\"column\":\"a\",\"kind\":\"number\"}"),
          "each_row.properties.x.kind" },
        { PROPERTIES("\"x\":{\"column\":1}"), "each_row.properties.x" },
        { PROPERTIES("\"x\":[{\"column\":\"a\",\"text\":\"b\"}]"), "each_row.properties.x.0" },
        { TRACK ",\"skip_when\":{}}", "each_row.skip_when" },
        { TRACK ",\"skip_when\":[{\"column\":\"a\"}]}", "each_row.skip_when" },
    };
    struct arena *arena = arena_open(1 << 24);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_str(message_of(arena, cases[i].each_row, "1,2,3"), cases[i].where);
    arena_close(arena);
}

TEST(mapping, a_mistake_in_the_shape_of_the_file_is_named_with_its_place)
{
#define ROW "\"each_row\":" TRACK "}"
    static const struct {
        const char *text, *where;
    } cases[] = {
        { "", "body" },
        { "[]", "mapping" },
        { "{\"format\":\"csv\"," ROW "}", "mapping" },
        { "{\"mapping\":\"m\",\"fromat\":\"csv\"," ROW "}", "fromat" },
        { "{\"mapping\":\"m\",\"format\":\"xlsx\"," ROW "}", "format" },
        { "{\"mapping\":\"m\",\"format\":\"csv\"}", "each_row" },
        { "{\"mapping\":\"m\",\"format\":\"csv\",\"separator\":\"ab\"," ROW "}", "separator" },
        { "{\"mapping\":\"m\",\"format\":\"whitespace\",\"separator\":\",\"," ROW "}",
          "separator" },
        { "{\"mapping\":\"m\",\"format\":\"fixed\"," ROW "}", "widths" },
        { "{\"mapping\":\"m\",\"format\":\"fixed\",\"widths\":[0],\"columns\":[\"a\"]," ROW "}",
          "widths" },
        { "{\"mapping\":\"m\",\"format\":\"fixed\",\"widths\":[1,2],\"columns\":[\"a\"]," ROW "}",
          "columns" },
        { "{\"mapping\":\"m\",\"format\":\"csv\",\"header\":false," ROW "}", "columns" },
        { "{\"mapping\":\"m\",\"format\":\"csv\",\"header\":1," ROW "}", "header" },
        { "{\"mapping\":\"m\",\"format\":\"csv\",\"columns\":[1]," ROW "}", "columns" },
        { "{\"mapping\":\"m\",\"format\":\"ndjson\",\"columns\":[\"a\"]," ROW "}", "columns" },
    };
    struct arena *arena = arena_open(1 << 24);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct mapping *mapping;
        struct problem  problem = { 0 };
        enum err        err = mapping_parse(arena, str_of(cases[i].text), &mapping, &problem);
        assert_int_equal(err, ERR_INPUT);
        assert_string_equal(problem.where, cases[i].where);
        assert_true(problem.what[0] != '\0' && problem.remedy[0] != '\0');
    }
    arena_close(arena);
}

TEST(mapping, the_examples_we_ship_are_mappings)
{
    struct arena *arena = arena_open(1 << 20);
    FILE         *file = fopen(DULT_SOURCE_DIR "/connectors/cdnow.json", "r");
    char          text[4000];
    assert_non_null(file);
    size_t          len = fread(text, 1, sizeof text, file);
    struct mapping *mapping;
    struct problem  problem = { 0 };
    fclose(file);
    assert_ok(mapping_parse(arena, (struct str){ text, len }, &mapping, &problem));
    assert_str(mapping_name(mapping), "cdnow");
    arena_close(arena);
}
