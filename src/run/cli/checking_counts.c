/*
 * What drawings hide, with people counted from the history of a data folder: GET /api/v1/check, of
 * what is in force (run/api/counted.h). What is about a file of this folder is told with its path;
 * what the folder adds is counted once it is applied. And of the folder itself: a segment that
 * nothing in it asks for.
 */
#include <stdlib.h>

#include "run/cli/checking.h"
#include "run/named.h"

struct counts {
    struct talk         talk;
    const struct files *files;
    struct findings    *findings;
    struct arena       *arena;
};

static const struct file *file_of(const struct counts *counts, struct str kind, struct str name)
{
    for (uint32_t i = 0; i < counts->files->count; i++) {
        const struct file *file = &counts->files->items[i];
        if (str_eq(str_of(file_kind_name(file->kind)), kind) && str_eq(file->name, name))
            return file;
    }
    return NULL;
}

/* One that was found, as the only one of an answer. */
static void take(struct counts *counts, const struct file *file, const struct json *one)
{
    struct json        list = { .kind = JSON_ARRAY, .count = 1, .items = one };
    struct json_member member = { STR("findings"), list };
    struct json        answer = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    findings_take(counts->findings, file->path, &answer);
}

/* Drawings were looked at as the files have them; what nothing asks for is asked of the folder. */
static bool is_taken(struct str about)
{
    return !str_eq(about, STR("flow")) && !str_eq(about, STR("unused"));
}

/* The same, said of the other of the two. */
static enum err mirrored(const struct counts *counts, const struct json *one, struct json *out)
{
    const struct json  *said = json_get(one, STR("mirrored"));
    struct json_member *members = ARENA_ARRAY(counts->arena, one->count, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    *out = *one;
    out->members = members;
    for (uint32_t i = 0; i < one->count; i++) {
        members[i] = one->members[i];
        if (said != NULL && str_eq(members[i].key, STR("what")))
            members[i].value = *said;
    }
    return OK;
}

static enum err findings_each(struct counts *counts, const struct json *list)
{
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        struct json        one = list->items[i];
        struct str         kind = json_get_str(&one, STR("kind"));
        const struct file *file = file_of(counts, kind, json_get_str(&one, STR("name")));
        if (!is_taken(json_get_str(&one, STR("about"))))
            continue;
        if (file == NULL) {
            file = file_of(counts, kind, json_get_str(&one, STR("other")));
            TRY(mirrored(counts, &list->items[i], &one));
        }
        if (file != NULL)
            take(counts, file, &one);
    }
    return OK;
}

static enum err tell(struct counts *counts, const struct file *file, const char *severity,
                     const char *about, struct str what, const char *remedy)
{
    struct str text =
        str_format(counts->arena,
                   "{\"severity\":\"%s\",\"part\":\"%s\",\"about\":\"%s\",\"line\":1,"
                   "\"what\":\"%.*s\",\"remedy\":\"%s\"}",
                   severity, file_kind_name(file->kind), about, STR_ARG(what), remedy);
    struct json one;
    if (text.ptr == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(counts->arena, text, &one, NULL));
    take(counts, file, &one);
    return OK;
}

/* ---- segments that nothing asks for ---- */

static bool is_asked(const struct files *files, const struct file *segment)
{
    for (uint32_t i = 0; i < files->count; i++) {
        const struct file *file = &files->items[i];
        if (file != segment && file->kind != FILE_HANDOUT && named_in(file->text, segment->name))
            return true;
    }
    return false;
}

static enum err unused_tell(struct counts *counts)
{
    for (uint32_t i = 0; i < counts->files->count; i++) {
        const struct file *file = &counts->files->items[i];
        if (file->kind == FILE_SEGMENT && !is_asked(counts->files, file))
            TRY(tell(counts, file, "warning", "unused",
                     STR("Nothing in this folder asks for this segment."),
                     "Delete it, unless it is looked at by hand or by a program."));
    }
    return OK;
}

static enum err left_out_tell(struct counts *counts)
{
    long long left = talk_number(&counts->talk.answer, "left_out");
    if (left == 0 || counts->files->count == 0)
        return OK;
    return tell(counts, &counts->files->items[0], "note", "counts",
                str_format(counts->arena,
                           "%lld segments and journeys were left out: 200 of each are compared.",
                           left),
                "");
}

static enum err ask(struct counts *counts)
{
    struct talk *talk = &counts->talk;
    talk_path(talk, "/api/v1/check", NULL, "?counts=1");
    TRY(talk_ask(talk, "GET"));
    TRY(findings_each(counts, json_get(&talk->answer, STR("findings"))));
    TRY(unused_tell(counts));
    return left_out_tell(counts);
}

enum err checking_counts(struct cli *cli, const struct files *files, struct findings *findings,
                         struct problem *problem)
{
    struct counts counts = { .files = files, .findings = findings };
    enum err      err = talk_open(&counts.talk, cli, false);
    counts.arena = counts.talk.arena;
    if (err == OK)
        err = ask(&counts);
    *problem = counts.talk.problem;
    talk_close(&counts.talk);
    return err;
}
