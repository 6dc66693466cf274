#include "intake/import.h"

#include "base/test.h"
#include "base/time.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_MS INT64_C(1767323045000)
#define CDNOW_FILE DULT_SOURCE_DIR "/../shared/data/cdnow/CDNOW_master.txt"

struct fixture {
    struct arena       *kept, *rows;
    struct mapping     *mapping;
    struct import      *import;
    struct import_batch batch;
    struct problem      problem;
    char                path[64];
};

static void file_write(struct fixture *f, const char *text)
{
    strcpy(f->path, "/tmp/dult-import-XXXXXX");
    int fd = mkstemp(f->path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static struct fixture fixture_open(const char *mapping, const char *text)
{
    struct fixture f = { .kept = arena_open(1 << 24), .rows = arena_open(IMPORT_ARENA_BYTES_MAX) };
    file_write(&f, text);
    struct import_file file = { .path = f.path, .received_ms = NOW_MS, .source = 3 };
    assert_ok(mapping_parse(f.kept, str_of(mapping), &f.mapping, &f.problem));
    assert_ok(import_open(&f.import, &file, f.mapping, &f.problem));
    return f;
}

static void fixture_close(struct fixture *f)
{
    import_close(f->import);
    unlink(f->path);
    arena_close(f->kept);
    arena_close(f->rows);
}

#define ORDERS                                                                                     \
    "{\"mapping\":\"orders\",\"format\":\"csv\",\"separator\":\";\",\"each_row\":["                \
    "{\"type\":\"identify\",\"userId\":\"{id}\",\"traits\":{\"email\":\"{mail}\"},"                \
    "\"skip_when\":[{\"column\":\"mail\",\"empty\":true}]},"                                       \
    "{\"type\":\"track\",\"event\":\"Order Completed\",\"userId\":\"{id}\","                       \
    "\"timestamp\":{\"column\":\"day\",\"format\":\"%d.%m.%Y\"},"                                  \
    "\"properties\":{\"revenue\":{\"column\":\"sum\",\"type\":\"number\"}}}]}"

TEST(import, a_row_becomes_its_records_named_by_file_and_row)
{
    struct fixture f = fixture_open(ORDERS, "id;mail;day;sum\r\n"
                                            "ada;ada@example.com;2.1.2020;12.50\r\n"
                                            "bob;;3.1.2020;7\r\n");
    char           name[64];
    assert_ok(import_next(f.import, f.rows, &f.batch, &f.problem));
    const struct arrival *r = f.batch.records;
    assert_int_equal(f.batch.records_count, 3);
    assert_int_equal(f.batch.skipped, 1);
    assert_int_equal(f.batch.rows, 2);
    assert_int_equal(f.batch.bytes_done, f.batch.bytes_total);
    assert_int_equal(r[0].kind, ARRIVAL_IDENTIFY);
    assert_str(json_get_str(r[0].traits, STR("email")), "ada@example.com");
    assert_int_equal(r[0].at_ms, NOW_MS);
    assert_int_equal(r[1].at_ms, INT64_C(1577923200000));
    assert_int_equal(r[1].flags, ARRIVAL_HISTORICAL);
    assert_int_equal(r[1].source, 3);
    snprintf(name, sizeof name, "imp-%.16s-1", import_digest(f.import).ptr);
    assert_str(r[0].message_id, name);
    struct import_row row = { 0 };
    assert_true(import_row_read(r[0].message_id, &row));
    assert_int_equal(row.row, 1);
    assert_int_equal(row.file, strtoull(str_slice(r[0].message_id, 4, 20).ptr, NULL, 16));
    assert_false(import_row_read(r[1].message_id, &row));
    snprintf(name, sizeof name, "imp-%.16s-1-1", import_digest(f.import).ptr);
    assert_str(r[1].message_id, name);
    assert_int_equal(import_next(f.import, f.rows, &f.batch, &f.problem), ERR_ABSENT);
    fixture_close(&f);
}

TEST(import, only_the_name_that_a_row_is_given_reads_as_one)
{
    struct import_row row = { 0 };
    assert_true(import_row_read(STR("imp-0123456789abcdef-4294967295"), &row));
    assert_true(row.file == UINT64_C(0x0123456789abcdef));
    assert_int_equal(row.row, UINT32_MAX);
    const char *others[] = {
        "",
        "imp-",
        "imp-0123456789abcdef",
        "imp-0123456789abcdef-",
        "imp-0123456789abcdef-0",
        "imp-0123456789abcdef-01",
        "imp-0123456789abcdef-1x",
        "imp-0123456789abcdef-4294967296",
        "imp-0123456789abcdef-18446744073709551617",
        "imp-0123456789ABCDEF-1",
        "imp-0123456789abcde-1",
        "imp-0123456789abcdef01",
        "IMP-0123456789abcdef-1",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(import_row_read(str_of(others[i]), &row));
}

TEST(import, a_bad_row_is_refused_with_its_line_and_the_others_are_taken)
{
    struct fixture f = fixture_open(ORDERS, "id;mail;day;sum\n"
                                            "a;;2.1.2020;1\n"
                                            "b;;31.2.2020;1\n"
                                            "c;;2.1.2020;much\n"
                                            "d;;2.1.2020\n"
                                            "\"e\"x;;2.1.2020;1\n"
                                            ";;2.1.2020;1\n"
                                            "g;;2.1.2020;1\n");
    static const struct {
        uint64_t    line;
        const char *field, *reason;
    } want[] = {
        { 3, "timestamp", "not_a_date" },   { 4, "revenue", "not_a_number" },
        { 5, "row", "wrong_columns" },      { 6, "row", "unreadable_row" },
        { 7, "userId", "no_user_anon_id" },
    };
    assert_ok(import_next(f.import, f.rows, &f.batch, &f.problem));
    assert_int_equal(f.batch.records_count, 2);
    assert_int_equal(f.batch.rows, 7);
    assert_int_equal(f.batch.refused_count, sizeof want / sizeof want[0]);
    for (uint32_t i = 0; i < f.batch.refused_count; i++) {
        assert_int_equal(f.batch.refused[i].line, want[i].line);
        assert_int_equal(f.batch.refused[i].row, want[i].line - 1);
        assert_str(f.batch.refused[i].field, want[i].field);
        assert_str(f.batch.refused[i].reason, want[i].reason);
        assert_true(f.batch.refused[i].remedy.len > 0);
    }
    fixture_close(&f);
}

TEST(import, json_lines_keep_their_types_and_may_name_themselves)
{
    struct fixture f = fixture_open(
        "{\"mapping\":\"m\",\"format\":\"ndjson\",\"each_row\":{\"type\":\"track\",\"event\":"
        "\"{kind}\",\"userId\":{\"column\":\"who.id\"},\"messageId\":\"order-{nr}\",\"properties\":"
        "{\"items\":{\"column\":\"items\"},\"first\":\"{items.0.sku}\"}}}",
        "{\"kind\":\"Paid\",\"who\":{\"id\":7},\"nr\":1,\"items\":[{\"sku\":\"t\",\"n\":2}]}\n"
        "[1]\n"
        "{\"kind\":\"Paid\",\"who\":{},\"nr\":2}\n"
        "nonsense\n");
    assert_ok(import_next(f.import, f.rows, &f.batch, &f.problem));
    assert_int_equal(f.batch.records_count, 1);
    assert_int_equal(f.batch.refused_count, 3);
    assert_str(f.batch.records[0].user_id, "7");
    assert_str(f.batch.records[0].message_id, "order-1");
    assert_str(f.batch.records[0].body,
               "{\"properties\":{\"items\":[{\"sku\":\"t\",\"n\":2}],\"first\":\"t\"}}");
    fixture_close(&f);
}

TEST(import, a_header_that_lacks_a_column_is_refused_by_name)
{
    struct fixture f = fixture_open(ORDERS, "id;email;day;sum\na;b;2.1.2020;1\n");
    assert_int_equal(import_next(f.import, f.rows, &f.batch, &f.problem), ERR_INPUT);
    assert_non_null(strstr(f.problem.what, "\"mail\""));
    fixture_close(&f);
}

TEST(import, what_cannot_be_read_is_said)
{
    struct fixture     f = fixture_open(ORDERS, "");
    struct import     *import = NULL;
    struct import_file file = { .path = "/nowhere/at/all" };
    assert_int_equal(import_open(&import, &file, f.mapping, &f.problem), ERR_ABSENT);
    file.path = "/tmp";
    assert_int_equal(import_open(&import, &file, f.mapping, &f.problem), ERR_INPUT);
    assert_int_equal(import_next(f.import, f.rows, &f.batch, &f.problem), ERR_ABSENT);
    fixture_close(&f);
}

TEST(import, a_file_that_changes_between_its_two_passes_is_a_conflict)
{
    struct fixture f = fixture_open(ORDERS, "id;mail;day;sum\na;;2.1.2020;1\n");
    FILE          *file = fopen(f.path, "a");
    fputs("b;;2.1.2020;1\n", file);
    fclose(file);
    assert_int_equal(import_next(f.import, f.rows, &f.batch, &f.problem), ERR_CONFLICT);
    fixture_close(&f);
}

static struct mapping *cdnow_mapping(struct arena *arena)
{
    char            text[4000];
    FILE           *file = fopen(DULT_SOURCE_DIR "/connectors/cdnow.json", "r");
    struct mapping *mapping = NULL;
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof text, file);
    fclose(file);
    assert_ok(mapping_parse(arena, (struct str){ text, len }, &mapping, NULL));
    return mapping;
}

static bool cdnow_is_here(void)
{
    if (access(CDNOW_FILE, R_OK) == 0)
        return true;
    print_message("skipped: %s is not here\n", CDNOW_FILE);
    return false;
}

struct seen {
    uint64_t calls, done[2];
};

static void progress_see(void *context, enum import_pass pass, uint64_t done, uint64_t total)
{
    struct seen *seen = context;
    assert_true(done >= seen->done[pass] && done <= total);
    seen->done[pass] = done;
    seen->calls++;
}

TEST(import, the_purchases_of_cdnow_sum_to_the_cent)
{
    if (!cdnow_is_here())
        return;
    struct arena      *kept = arena_open(1 << 20), *rows = arena_open(IMPORT_ARENA_BYTES_MAX);
    struct seen        seen = { 0 };
    struct import_file file = {
        .path = CDNOW_FILE, .received_ms = NOW_MS, .progress = progress_see, .context = &seen
    };
    struct import      *import;
    struct import_batch batch;
    uint64_t            records = 0, refused = 0;
    int64_t             discs = 0, cents = 0;
    enum err            err;
    assert_ok(import_open(&import, &file, cdnow_mapping(kept), NULL));
    while ((err = import_next(import, rows, &batch, NULL)) == OK) {
        for (uint32_t i = 0; i < batch.records_count; i++) {
            double  revenue;
            int64_t quantity;
            assert_true(json_get_real(batch.records[i].properties, STR("revenue"), &revenue));
            assert_true(json_get_int(batch.records[i].properties, STR("quantity"), &quantity));
            discs += quantity;
            cents += llround(revenue * 100);
        }
        records += batch.records_count;
        refused += batch.refused_count;
        arena_reset(rows);
    }
    assert_int_equal(err, ERR_ABSENT);
    assert_int_equal(records, 69659);
    assert_int_equal(refused, 0);
    assert_int_equal(discs, 167881);
    assert_int_equal(cents, 250031563);
    assert_true(seen.calls > 10 && seen.done[IMPORT_ROWS] == seen.done[IMPORT_DIGEST]);
    import_close(import);
    arena_close(kept);
    arena_close(rows);
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

TEST(import, equal_rows_of_one_file_all_count)
{
    if (!cdnow_is_here())
        return;
    struct arena       *kept = arena_open(1 << 20), *rows = arena_open(1 << 30);
    struct import_file  file = { .path = CDNOW_FILE, .received_ms = NOW_MS };
    struct import      *import;
    struct import_batch batch;
    struct str         *texts = calloc(69659, sizeof *texts), *names = calloc(69659, sizeof *names);
    uint32_t            count = 0, equal_rows = 0, equal_names = 0;
    assert_ok(import_open(&import, &file, cdnow_mapping(kept), NULL));
    while (import_next(import, rows, &batch, NULL) == OK)
        for (uint32_t i = 0; i < batch.records_count; i++) {
            const struct arrival *r = &batch.records[i];
            texts[count] = str_format(rows, "%.*s %.*s %lld", STR_ARG(r->user_id), STR_ARG(r->body),
                                      (long long)r->at_ms);
            names[count++] = r->message_id;
        }
    qsort(texts, count, sizeof texts[0], by_text);
    qsort(names, count, sizeof names[0], by_text);
    for (uint32_t i = 1; i < count; i++) {
        equal_rows += str_eq(texts[i], texts[i - 1]);
        equal_names += str_eq(names[i], names[i - 1]);
    }
    assert_int_equal(count, 69659);
    assert_int_equal(equal_rows, 255);
    assert_int_equal(equal_names, 0);
    import_close(import);
    free(texts);
    free(names);
    arena_close(kept);
    arena_close(rows);
}

TEST(import, a_preview_says_what_an_import_would_do)
{
    struct arena         *kept = arena_open(1 << 22);
    struct import_preview preview;
    struct fixture        f = fixture_open(ORDERS, "id;mail;day;sum\na;x@example.com;2.1.2020;1\n"
                                                          "a;;3.1.2020;1\nb;;soon;1\n");
    struct import_file    file = { .path = f.path, .received_ms = NOW_MS };
    assert_ok(import_preview(&file, f.mapping, kept, &preview, NULL));
    assert_int_equal(preview.rows, 3);
    assert_int_equal(preview.records, 3);
    assert_int_equal(preview.people, 1);
    assert_int_equal(preview.skipped, 2);
    assert_int_equal(preview.refused, 1);
    assert_int_equal(preview.refused_rows[0].line, 4);
    assert_int_equal(preview.first_ms, INT64_C(1577923200000));
    assert_int_equal(preview.first_count, 3);
    assert_str(preview.first[1].body, "{\"properties\":{\"revenue\":1},\"originalTimestamp\":"
                                      "\"2020-01-02T00:00:00.000Z\"}");
    fixture_close(&f);
    if (cdnow_is_here()) {
        file.path = CDNOW_FILE;
        assert_ok(import_preview(&file, cdnow_mapping(kept), kept, &preview, NULL));
        assert_int_equal(preview.rows, 69659);
        assert_int_equal(preview.people, 23570);
        assert_str(preview.first[0].user_id, "00001");
        assert_int_equal(preview.first[0].at_ms, INT64_C(852076800000));
    }
    arena_close(kept);
}
