#include "intake/import.h"

#include "base/hash.h"
#include "base/map.h"
#include "intake/event.h"
#include "intake/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PIECE_BYTES = 256 * 1024,
    DIGEST_BYTES = 32,
    NAME_DIGITS = 16, /* of the digest in a record's name: 64 bits tell any two files apart */
    SCRATCH_BYTES_MAX = 4 * TREE_BOUND_FACTOR * MESSAGE_BYTES_MAX,
};

struct import {
    struct import_file  file;
    struct mapping     *mapping;
    int                 fd;
    struct csv         *csv;
    struct json_parser *json;
    struct buf          scratch;
    EVP_MD_CTX         *sha;
    char               *piece;
    char                digest[2 * DIGEST_BYTES + 1];
    uint64_t            bytes_done, bytes_total;
    uint64_t            row;
    bool                header_seen, ended;
};

/* ---- the file ---- */

static enum err io_problem(const char *path, enum err code, struct problem *problem)
{
    return problem_format(problem, code, path, "Check the path and who may read it.",
                          "The file cannot be read: %s.", strerror(errno));
}

/* Reads the next piece; a length of 0 is the end. */
static enum err piece_read(struct import *import, struct str *out, struct problem *problem)
{
    ssize_t got;
    do
        got = read(import->fd, import->piece, PIECE_BYTES);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return io_problem(import->file.path, ERR_IO, problem);
    *out = (struct str){ import->piece, (size_t)got };
    import->bytes_done += (uint64_t)got;
    if (got > 0 && EVP_DigestUpdate(import->sha, out->ptr, out->len) != 1)
        return ERR_MEMORY;
    return OK;
}

static void progress_tell(const struct import *import, enum import_pass pass)
{
    if (import->file.progress != NULL)
        import->file.progress(import->file.context, pass, import->bytes_done, import->bytes_total);
}

static enum err digest_begin(struct import *import)
{
    return EVP_DigestInit_ex(import->sha, EVP_sha256(), NULL) == 1 ? OK : ERR_MEMORY;
}

static enum err digest_end(struct import *import, char *out)
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    if (EVP_DigestFinal_ex(import->sha, bytes, NULL) != 1)
        return ERR_MEMORY;
    for (int i = 0; i < DIGEST_BYTES; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    return OK;
}

/* The first pass: names the file by its content, then goes back to its start. */
static enum err digest_make(struct import *import, struct problem *problem)
{
    struct str piece;
    TRY(digest_begin(import));
    do {
        TRY(piece_read(import, &piece, problem));
        progress_tell(import, IMPORT_DIGEST);
    } while (piece.len > 0);
    TRY(digest_end(import, import->digest));
    import->bytes_done = 0;
    if (lseek(import->fd, 0, SEEK_SET) != 0)
        return io_problem(import->file.path, ERR_IO, problem);
    return digest_begin(import);
}

static enum err file_open(struct import *import, struct problem *problem)
{
    struct stat status;
    import->fd = open(import->file.path, O_RDONLY | O_CLOEXEC);
    if (import->fd < 0)
        return io_problem(import->file.path, errno == ENOENT ? ERR_ABSENT : ERR_IO, problem);
    if (fstat(import->fd, &status) != 0)
        return io_problem(import->file.path, ERR_IO, problem);
    if (!S_ISREG(status.st_mode))
        return problem_set(problem, ERR_INPUT, import->file.path, "This is not a file.",
                           "An import is read twice: give a file, not a pipe or a folder.");
    import->bytes_total = (uint64_t)status.st_size;
    return digest_make(import, problem);
}

void import_close(struct import *import)
{
    if (import == NULL)
        return;
    if (import->fd >= 0)
        close(import->fd);
    csv_close(import->csv);
    json_parser_close(import->json);
    buf_done(&import->scratch);
    EVP_MD_CTX_free(import->sha);
    free(import->piece);
    free(import);
}

void import_closep(struct import **import)
{
    import_close(*import);
}

enum err import_open(struct import **out, const struct import_file *file, struct mapping *mapping,
                     struct problem *problem)
{
    SCOPED(import_closep) struct import *import = calloc(1, sizeof *import);
    if (import == NULL)
        return ERR_MEMORY;
    import->file = *file;
    import->mapping = mapping;
    import->fd = -1;
    import->csv = csv_open(mapping_shape(mapping));
    import->json = json_parser_open();
    import->scratch = buf_make(SCRATCH_BYTES_MAX);
    import->sha = EVP_MD_CTX_new();
    import->piece = malloc(PIECE_BYTES);
    if (import->csv == NULL || import->json == NULL || import->sha == NULL || import->piece == NULL)
        return ERR_MEMORY;
    TRY(file_open(import, problem));
    *out = import;
    import = NULL;
    return OK;
}

struct str import_digest(const struct import *import)
{
    return str_of(import->digest);
}

/* ---- rows ---- */

/* At the end of the second pass the file must have said what it said in the first. */
static enum err end_check(struct import *import, struct problem *problem)
{
    char again[2 * DIGEST_BYTES + 1];
    import->ended = true;
    TRY(digest_end(import, again));
    if (strcmp(again, import->digest) == 0)
        return OK;
    return problem_set(problem, ERR_CONFLICT, import->file.path,
                       "The file changed while it was read.",
                       "Import a copy that nobody writes to; with a messageId in the mapping "
                       "nothing counts twice.");
}

static enum err feed(struct import *import, struct problem *problem)
{
    struct str piece;
    TRY(piece_read(import, &piece, problem));
    progress_tell(import, IMPORT_ROWS);
    if (piece.len == 0)
        TRY(end_check(import, problem));
    return csv_feed(import->csv, piece, piece.len == 0);
}

/* The next row; bad rows come out as ERR_INPUT or ERR_LIMIT with row->line set. */
static enum err row_next(struct import *import, struct csv_row *row, struct problem *bad,
                         struct problem *problem)
{
    for (;;) {
        enum err err = csv_next(import->csv, row, bad);
        if (err != ERR_WAIT)
            return err;
        enum err fed = feed(import, problem);
        if (fed != OK) {
            bad->what[0] = '\0'; /* it is not this row that is bad */
            return fed;
        }
    }
}

static enum err header_take(struct import *import, struct problem *problem)
{
    struct csv_row row;
    import->header_seen = true;
    if (!mapping_has_header(import->mapping))
        return OK;
    struct problem bad = { 0 };
    enum err       err = row_next(import, &row, &bad, problem);
    if (err == ERR_INPUT || err == ERR_LIMIT)
        return problem_set(problem, ERR_INPUT, bad.where, bad.what, bad.remedy);
    TRY(err);
    return mapping_bind(import->mapping, &row, problem);
}

/* ---- one row into a batch ---- */

struct taking {
    struct import       *import;
    struct arena        *arena;
    struct import_batch *batch;
    struct event_desk    desk;
    uint64_t             line;
};

static void refuse(struct taking *t, struct mapping_refusal why, struct str text)
{
    t->batch->refused[t->batch->refused_count++] = (struct import_refused){
        .line = t->line,
        .row = t->import->row,
        .field = why.field,
        .reason = why.reason,
        .remedy = why.remedy,
        .text = text,
    };
}

bool import_row_read(struct str name, struct import_row *out)
{
    static const char digits[] = "0123456789abcdef";
    struct str        prefix = STR("imp-");
    size_t            at = prefix.len, digits_end = at + NAME_DIGITS;
    uint64_t          file = 0, row = 0;
    if (!str_starts(name, prefix) || name.len < digits_end + 2 || name.ptr[digits_end] != '-' ||
        name.ptr[digits_end + 1] == '0')
        return false;
    for (; at < digits_end; at++) {
        const char *digit = memchr(digits, name.ptr[at], sizeof digits - 1);
        if (digit == NULL)
            return false;
        file = file << 4 | (uint64_t)(digit - digits);
    }
    for (at++; at < name.len; at++) {
        if (name.ptr[at] < '0' || name.ptr[at] > '9')
            return false;
        row = row * 10 + (uint64_t)(name.ptr[at] - '0');
        if (row > UINT32_MAX)
            return false;
    }
    *out = (struct import_row){ file, (uint32_t)row };
    return true;
}

/* Adds the name that a row's record has, unless the mapping gave one. */
static enum err name_add(struct taking *t, uint32_t index, struct json *message)
{
    struct json_member *members = ARENA_ARRAY(t->arena, message->count + 1u, struct json_member);
    struct str          digest = str_slice(import_digest(t->import), 0, NAME_DIGITS), name;
    unsigned long long  row = t->import->row;
    if (json_get(message, STR("messageId")) != NULL)
        return OK;
    name = index == 0 ? str_format(t->arena, "imp-%.*s-%llu", STR_ARG(digest), row)
                      : str_format(t->arena, "imp-%.*s-%llu-%u", STR_ARG(digest), row, index);
    if (members == NULL || name.ptr == NULL)
        return ERR_MEMORY;
    if (message->count > 0)
        memcpy(members, message->members, message->count * sizeof *members);
    members[message->count] = (struct json_member){
        .key = STR("messageId"),
        .value = { .kind = JSON_STRING, .string = name },
    };
    message->members = members;
    message->count++;
    return OK;
}

/* The message shares constants with the mapping: what is settled in place must be its own. */
static enum err message_take(struct taking *t, uint32_t index, const struct json *built)
{
    struct json            message;
    struct arrival_refused refused;
    enum event_verdict     verdict;
    struct event_item      item = { .message = &message, .index = index };
    struct import_batch   *batch = t->batch;
    TRY(json_copy(t->arena, built, &message));
    TRY(name_add(t, index, &message));
    TRY(event_judge(&t->desk, &item, &batch->records[batch->records_count], &refused, &verdict));
    batch->records_count += verdict == EVENT_TAKEN;
    batch->skipped += verdict == EVENT_DROPPED;
    if (verdict == EVENT_REFUSED)
        refuse(t, (struct mapping_refusal){ refused.field, refused.reason, refused.remedy },
               refused.event);
    return OK;
}

static enum err records_take(struct taking *t, const struct mapping_row *row)
{
    struct mapping_refusal why;
    enum err               err = mapping_row_check(t->import->mapping, row, &why);
    if (err == ERR_INPUT)
        refuse(t, why, STR_NONE);
    for (uint32_t i = 0; err == OK && i < mapping_records(t->import->mapping); i++) {
        struct json built;
        enum err    made = mapping_message(t->import->mapping, t->arena, row, i, &built, &why);
        if (made == ERR_ABSENT)
            t->batch->skipped++;
        else if (made == ERR_INPUT)
            refuse(t, why, STR_NONE);
        else if (made != OK)
            return made;
        else
            TRY(message_take(t, i, &built));
    }
    return OK;
}

/* A row of NDJSON is one field: its object. */
static enum err ndjson_take(struct taking *t, const struct csv_row *row)
{
    struct json object;
    enum err    err = json_parse(t->import->json, t->arena, row->fields[0], &object, NULL);
    if (err == ERR_MEMORY)
        return err;
    if (err != OK || object.kind != JSON_OBJECT) {
        refuse(t,
               (struct mapping_refusal){ STR("row"), STR("not_an_object"),
                                         STR("Write one JSON object in each line.") },
               STR_NONE);
        return OK;
    }
    return records_take(t, &(struct mapping_row){ .csv = row, .object = &object });
}

static enum err bad_row_take(struct taking *t, const struct problem *bad)
{
    struct str remedy = str_format(t->arena, "%s %s", bad->what, bad->remedy);
    refuse(t, (struct mapping_refusal){ STR("row"), STR("unreadable_row"), remedy }, STR_NONE);
    return remedy.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err row_take(struct taking *t, struct problem *problem)
{
    struct csv_row row = { 0 };
    struct problem bad = { 0 };
    enum err       err = row_next(t->import, &row, &bad, problem);
    bool           is_bad = (err == ERR_INPUT || err == ERR_LIMIT) && bad.what[0] != '\0';
    if (err != OK && !is_bad)
        return err;
    t->import->row++;
    t->batch->rows++;
    t->line = row.line;
    if (is_bad)
        return bad_row_take(t, &bad);
    if (mapping_is_ndjson(t->import->mapping))
        return ndjson_take(t, &row);
    return records_take(t, &(struct mapping_row){ .csv = &row });
}

enum err import_next(struct import *import, struct arena *arena, struct import_batch *out,
                     struct problem *problem)
{
    size_t              places = (size_t)IMPORT_BATCH_ROWS * mapping_records(import->mapping);
    struct import_batch batch = { .bytes_total = import->bytes_total };
    struct taking       t = {
              .import = import,
              .arena = arena,
              .batch = &batch,
              .desk = { .arena = arena,
                        .scratch = &import->scratch,
                        .received_ms = import->file.received_ms,
                        .source = import->file.source,
                        .historical = true },
    };
    batch.records = ARENA_ARRAY(arena, places + 1, struct arrival);
    batch.refused = ARENA_ARRAY(arena, places, struct import_refused);
    if (batch.records == NULL || batch.refused == NULL)
        return ERR_MEMORY;
    if (!import->header_seen)
        TRY(header_take(import, problem));
    while (batch.rows < IMPORT_BATCH_ROWS) {
        enum err err = row_take(&t, problem);
        if (err == ERR_ABSENT && batch.rows > 0)
            break;
        TRY(err);
    }
    batch.bytes_done = import->bytes_done;
    *out = batch;
    return OK;
}

/* ---- what an import would do ---- */

/* The different people seen so far: their keys in an arena, found by hash. */
struct people {
    struct arena *arena;
    struct map    map;
    struct str   *keys;
    size_t        room;
};

static bool is_key(const void *owner, uint32_t value, const void *key)
{
    return str_eq(((const struct people *)owner)->keys[value], *(const struct str *)key);
}

static enum err people_add(struct people *people, struct str key)
{
    uint64_t hash = hash_str(key, 1);
    uint32_t count = people->map.count;
    if (map_find(&people->map, hash, is_key, people, &key) != MAP_NONE)
        return OK;
    if (count == people->room) {
        size_t      room = people->room == 0 ? 1024 : people->room * 2;
        struct str *keys = realloc(people->keys, room * sizeof *keys);
        if (keys == NULL)
            return ERR_MEMORY;
        people->keys = keys;
        people->room = room;
    }
    people->keys[count] = str_copy(people->arena, key);
    if (people->keys[count].ptr == NULL)
        return ERR_MEMORY;
    return map_add(&people->map, hash, count);
}

static void people_donep(struct people *people)
{
    map_done(&people->map);
    free(people->keys);
    arena_close(people->arena);
}

static enum err str_keep(struct arena *arena, struct str *text)
{
    *text = str_copy(arena, *text);
    return text->ptr == NULL ? ERR_MEMORY : OK;
}

/* A record of the preview keeps what a person looks at: ids, name, times and the body's text. */
static enum err record_keep(struct arena *arena, const struct arrival *from, struct arrival *to)
{
    static const struct json empty = { .kind = JSON_OBJECT };
    *to = *from;
    TRY(str_keep(arena, &to->name));
    TRY(str_keep(arena, &to->user_id));
    TRY(str_keep(arena, &to->anonymous_id));
    TRY(str_keep(arena, &to->previous_id));
    TRY(str_keep(arena, &to->group_id));
    TRY(str_keep(arena, &to->message_id));
    TRY(str_keep(arena, &to->body));
    to->properties = to->traits = to->context = &empty;
    return OK;
}

static enum err record_count(struct import_preview *preview, struct arena *arena,
                             struct people *people, const struct arrival *record)
{
    if (preview->records == 0 || record->at_ms < preview->first_ms)
        preview->first_ms = record->at_ms;
    if (preview->records == 0 || record->at_ms > preview->last_ms)
        preview->last_ms = record->at_ms;
    preview->records++;
    if (preview->first_count < IMPORT_PREVIEW_ROWS)
        TRY(record_keep(arena, record, &preview->first[preview->first_count++]));
    return people_add(people, record->user_id.len > 0 ? record->user_id : record->anonymous_id);
}

static enum err refused_count(struct import_preview *preview, struct arena *arena,
                              const struct import_refused *refused)
{
    preview->refused++;
    if (preview->refused_rows_count == IMPORT_PREVIEW_REFUSED)
        return OK;
    struct import_refused *kept = &preview->refused_rows[preview->refused_rows_count++];
    *kept = *refused;
    TRY(str_keep(arena, &kept->remedy));
    return str_keep(arena, &kept->text);
}

static enum err batch_count(struct import_preview *preview, struct arena *arena,
                            struct people *people, const struct import_batch *batch)
{
    preview->rows += batch->rows;
    preview->skipped += batch->skipped;
    for (uint32_t i = 0; i < batch->records_count; i++)
        TRY(record_count(preview, arena, people, &batch->records[i]));
    for (uint32_t i = 0; i < batch->refused_count; i++)
        TRY(refused_count(preview, arena, &batch->refused[i]));
    return OK;
}

enum err import_preview(const struct import_file *file, struct mapping *mapping,
                        struct arena *arena, struct import_preview *out, struct problem *problem)
{
    enum { PEOPLE_BYTES_MAX = INT32_MAX };
    SCOPED(import_closep) struct import *import = NULL;
    SCOPED(arena_closep) struct arena   *rows = arena_open(IMPORT_ARENA_BYTES_MAX);
    SCOPED(people_donep)
    struct people         people = { .arena = arena_open(PEOPLE_BYTES_MAX), .map = map_make() };
    struct import_preview preview = {
        .refused_rows = ARENA_ARRAY(arena, IMPORT_PREVIEW_REFUSED, struct import_refused),
    };
    struct import_batch batch;
    enum err            err;
    if (rows == NULL || people.arena == NULL || preview.refused_rows == NULL)
        return ERR_MEMORY;
    TRY(import_open(&import, file, mapping, problem));
    while ((err = import_next(import, rows, &batch, problem)) == OK) {
        TRY(batch_count(&preview, arena, &people, &batch));
        arena_reset(rows);
    }
    if (err != ERR_ABSENT)
        return err;
    preview.people = people.map.count;
    *out = preview;
    return OK;
}
