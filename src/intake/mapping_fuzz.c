/*
 * A mapping is refused with a place, a fault and a remedy, or it turns whatever rows come into
 * messages that are objects with unique, known keys. Input: mapping, a NUL, the file.
 */
#include "intake/mapping.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void row_check(const struct mapping *mapping, struct arena *arena, const struct csv_row *csv)
{
    struct mapping_refusal refusal = { 0 };
    struct json            object, message;
    struct mapping_row     row = { .csv = csv };
    if (mapping_is_ndjson(mapping)) {
        if (json_parse_once(arena, csv->fields[0], &object, NULL) != OK)
            return;
        row.object = &object;
    }
    if (mapping_row_check(mapping, &row, &refusal) != OK) {
        assert(refusal.reason.len > 0 && refusal.remedy.len > 0);
        return;
    }
    for (uint32_t i = 0; i < mapping_records(mapping); i++) {
        enum err err = mapping_message(mapping, arena, &row, i, &message, &refusal);
        assert(err == OK || err == ERR_ABSENT || err == ERR_INPUT);
        if (err == OK)
            assert(message.kind == JSON_OBJECT && json_get(&message, STR("type")) != NULL);
        if (err == ERR_INPUT)
            assert(refusal.reason.len > 0 && refusal.remedy.len > 0);
    }
}

static void rows_check(struct mapping *mapping, struct arena *arena, struct str file)
{
    struct csv    *csv = csv_open(mapping_shape(mapping));
    struct csv_row row;
    enum err       err = csv_feed(csv, file, true);
    bool           bound = !mapping_has_header(mapping);
    assert(err == OK);
    while ((err = csv_next(csv, &row, NULL)) != ERR_ABSENT) {
        if (err == OK && bound)
            row_check(mapping, arena, &row);
        else if (err == OK && mapping_bind(mapping, &row, NULL) != OK)
            break;
        else if (err == OK)
            bound = true;
    }
    csv_close(csv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = { (const char *)data, size }, file = STR_NONE;
    size_t     cut = str_find_char(text, 0, '\0');
    file = str_slice(text, cut + 1, text.len);
    text = str_slice(text, 0, cut);

    struct arena   *arena = arena_open(1 << 26);
    struct problem  problem = { 0 };
    struct mapping *mapping;
    enum err        err = mapping_parse(arena, text, &mapping, &problem);
    if (err == OK)
        rows_check(mapping, arena, file);
    else
        assert(problem.where[0] != '\0' && problem.what[0] != '\0' && problem.remedy[0] != '\0');
    arena_close(arena);
    return 0;
}
