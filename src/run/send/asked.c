#include "run/send/asked.h"

struct reading {
    struct arena *arena;
    struct asked *asked;
};

static enum err file_each(void *ctx, const struct store_file *row)
{
    struct reading *reading = ctx;
    struct asked   *asked = reading->asked;
    if (asked->files_count == ATTACH_FILES_MAX)
        return ERR_CORRUPT;
    struct attach_file file = { .name = str_copy(reading->arena, row->name),
                                .type = str_copy(reading->arena, row->type),
                                .content = str_copy(reading->arena, row->content) };
    if (file.name.ptr == NULL || file.type.ptr == NULL || file.content.ptr == NULL)
        return ERR_MEMORY;
    asked->files[asked->files_count++] = file;
    return OK;
}

enum err asked_read(struct store_reader *reader, struct arena *arena, uint64_t seq,
                    const struct json *body, bool wants_files, struct asked *out)
{
    struct reading     reading = { arena, out };
    const struct json *files = json_get(body, STR("files"));
    out->reply_to = json_get_str(body, STR("reply_to"));
    if (!wants_files || files == NULL || files->kind != JSON_ARRAY)
        return OK;
    out->files = ARENA_ARRAY(arena, ATTACH_FILES_MAX, struct attach_file);
    if (out->files == NULL)
        return ERR_MEMORY;
    TRY(store_files_read(reader, seq, file_each, &reading));
    return out->files_count == files->count ? OK : ERR_CORRUPT;
}
