#include "run/send/file_def.h"

#include <string.h>

#include "base/encode.h"

/* ---- what is right ---- */

enum err file_name_check(struct str filename, struct problem *problem)
{
    bool good = filename.len >= 1 && filename.len <= FILE_NAME_BYTES_MAX && str_is_utf8(filename) &&
                filename.ptr[0] != '.' && str_trim(filename).len == filename.len;
    for (size_t i = 0; good && i < filename.len; i++)
        good = (unsigned char)filename.ptr[i] >= ' ' && filename.ptr[i] != 0x7f &&
               filename.ptr[i] != '/' && filename.ptr[i] != '\\';
    return good ? OK
                : problem_set(problem, ERR_INPUT, "filename",
                              "This is no file's name of 1 to 200 bytes.",
                              "Write it without a folder: \"Guide.pdf\".");
}

static bool is_token(struct str text)
{
    bool good = text.len > 0;
    for (size_t i = 0; good && i < text.len; i++) {
        char c = text.ptr[i];
        good = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ||
               (c != '\0' && strchr("!#$&^_.+-", c) != NULL);
    }
    return good;
}

/* What follows the first ';' is of no use to somebody who saves it, but for the charset. */
static bool is_rest(struct str rest)
{
    for (size_t i = 0; i < rest.len; i++)
        if (rest.ptr[i] < ' ' || rest.ptr[i] > '~')
            return false;
    return true;
}

enum err file_type_check(struct str type, struct problem *problem)
{
    struct str head = str_trim(str_slice(type, 0, str_find_char(type, 0, ';')));
    size_t     slash = str_find_char(head, 0, '/');
    bool       good = type.len <= FILE_TYPE_BYTES_MAX && slash < head.len && is_rest(type) &&
                is_token(str_slice(head, 0, slash)) &&
                is_token(str_slice(head, slash + 1, head.len));
    return good ? OK
                : problem_set(problem, ERR_INPUT, "Content-Type", "This is no type of content.",
                              "Send one such as application/pdf.");
}

enum err file_number_check(const char *what, int64_t value, int64_t least, int64_t most,
                           struct problem *problem)
{
    if (value >= least && value <= most)
        return OK;
    return problem_format(problem, ERR_INPUT, what, "Write such a number, or leave it out.",
                          "This is no number from %lld to %lld.", (long long)least,
                          (long long)most);
}

static bool is_sha(struct str text)
{
    bool good = text.len == FILE_SHA_BYTES;
    for (size_t i = 0; good && i < text.len; i++)
        good = (text.ptr[i] >= '0' && text.ptr[i] <= '9') ||
               (text.ptr[i] >= 'a' && text.ptr[i] <= 'f');
    return good;
}

enum err file_def_parse(struct arena *arena, struct str text, struct file_def *out,
                        struct problem *problem)
{
    struct json root;
    int64_t     days = FILE_DAYS, downloads = 0, bytes = 0;
    TRY(json_parse_once(arena, text, &root, problem));
    struct file_def def = { .filename = json_get_str(&root, STR("filename")),
                            .type = json_get_str(&root, STR("type")),
                            .sha256 = json_get_str(&root, STR("sha256")) };
    (void)json_get_int(&root, STR("days"), &days);
    (void)json_get_int(&root, STR("downloads"), &downloads);
    TRY(file_name_check(def.filename, problem));
    TRY(file_type_check(def.type, problem));
    TRY(file_number_check("days", days, 1, FILE_DAYS_MAX, problem));
    TRY(file_number_check("downloads", downloads, 0, FILE_DOWNLOADS_MAX, problem));
    if (!is_sha(def.sha256) || !json_get_int(&root, STR("bytes"), &bytes) || bytes < 1 ||
        bytes > FILE_CONTENT_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "sha256", "It does not say which bytes it is.",
                           "Send the file itself to PUT /api/v1/files/NAME.");
    def.bytes = bytes;
    def.days = (uint32_t)days;
    def.downloads = (uint32_t)downloads;
    *out = def;
    return OK;
}

void file_def_write(const struct file_def *def, struct buf *out)
{
    buf_str(out, STR("{\"filename\":"));
    json_write_str(out, def->filename);
    buf_str(out, STR(",\"type\":"));
    json_write_str(out, def->type);
    buf_format(out, ",\"bytes\":%lld,\"sha256\":\"%.*s\",\"days\":%u,\"downloads\":%u}",
               (long long)def->bytes, STR_ARG(def->sha256), def->days, def->downloads);
}

/* ---- how it is told ---- */

struct str file_type_of(struct str filename)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        { ".pdf", "application/pdf" },
        { ".epub", "application/epub+zip" },
        { ".zip", "application/zip" },
        { ".txt", "text/plain; charset=utf-8" },
        { ".csv", "text/csv; charset=utf-8" },
        { ".ics", "text/calendar; charset=utf-8" },
        { ".jpg", "image/jpeg" },
        { ".jpeg", "image/jpeg" },
        { ".png", "image/png" },
        { ".gif", "image/gif" },
        { ".webp", "image/webp" },
        { ".svg", "image/svg+xml" },
        { ".mp3", "audio/mpeg" },
        { ".m4a", "audio/mp4" },
        { ".mp4", "video/mp4" },
        { ".docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
        { ".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" },
        { ".pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation" },
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        struct str ending = str_of(types[i].ending);
        if (filename.len > ending.len &&
            str_eq_nocase(str_slice(filename, filename.len - ending.len, filename.len), ending))
            return str_of(types[i].type);
    }
    return STR("application/octet-stream");
}

/* The first form is for programs that know no other: ASCII, and nothing that they misread. */
void file_disposition_write(struct str filename, struct buf *out)
{
    bool is_plain = true;
    buf_str(out, STR("attachment; filename=\""));
    for (size_t i = 0; i < filename.len; i++) {
        unsigned char c = (unsigned char)filename.ptr[i];
        bool          is_next = c >= 0x80 && c < 0xC0; /* one '_' for a character, not for a byte */
        bool          is_kept = c < 0x7F && c != '"' && c != '\\' && c != '%';
        is_plain = is_plain && is_kept;
        if (!is_next)
            buf_char(out, is_kept ? (char)c : '_');
    }
    buf_char(out, '"');
    if (is_plain)
        return;
    buf_str(out, STR("; filename*=UTF-8''"));
    percent_write(out, filename);
}
