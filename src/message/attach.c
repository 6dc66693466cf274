#include "message/attach.h"

#include "base/encode.h"

enum { LINE_BYTES = 76, LINE_CONTENT_BYTES = LINE_BYTES / 4 * 3 };

static bool is_token_char(unsigned char c)
{
    return c > ' ' && c < 0x7f && str_find_char(STR("()<>@,;:\\\"/[]?="), 0, (char)c) == 15;
}

/* "type/subtype", both tokens. */
static bool is_type(struct str type)
{
    size_t slash = str_find_char(type, 0, '/');
    if (slash == 0 || slash + 1 >= type.len || type.len > ATTACH_TYPE_BYTES_MAX)
        return false;
    for (size_t i = 0; i < type.len; i++)
        if (i != slash && !is_token_char((unsigned char)type.ptr[i]))
            return false;
    return !str_eq_nocase(str_slice(type, 0, slash), STR("multipart")) &&
           !str_eq_nocase(str_slice(type, 0, slash), STR("message"));
}

static bool is_name(struct str name)
{
    if (name.len == 0 || name.len > ATTACH_NAME_BYTES_MAX || !str_is_utf8(name) ||
        name.ptr[0] == '.')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c < ' ' || c == 0x7f || c == '/' || c == '\\')
            return false;
    }
    return true;
}

enum err attach_check(const struct attach_file *file, const char *where, struct problem *problem)
{
    if (!is_name(file->name))
        return problem_set(
            problem, ERR_INPUT, where, "The file has no name that can be kept.",
            "Give a name such as invoice.pdf, of at most 200 bytes, without a path.");
    if (!is_type(file->type))
        return problem_set(problem, ERR_INPUT, where, "The file's type is none that can be sent.",
                           "Give one such as application/pdf, without parameters.");
    if (file->content.len == 0)
        return problem_set(problem, ERR_INPUT, where, "The file is empty.",
                           "Give its content in base64.");
    if (file->content.len > ATTACH_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, where, "The file is larger than 7 MiB.",
                           "Send a link to it instead.");
    return OK;
}

/* Quoted where it is plain; else as RFC 2231 has it. */
static void name_write(struct str name, struct buf *out)
{
    bool plain = true;
    for (size_t i = 0; i < name.len; i++)
        plain = plain && (unsigned char)name.ptr[i] < 0x7f && name.ptr[i] != '"';
    if (plain)
        buf_format(out, " filename=\"%.*s\"\r\n", STR_ARG(name));
    else {
        buf_str(out, STR(" filename*=UTF-8''"));
        percent_write(out, name);
        buf_str(out, STR("\r\n"));
    }
}

void attach_write(const struct attach_file *file, struct buf *out)
{
    buf_format(out, "Content-Type: %.*s\r\nContent-Disposition: attachment;\r\n",
               STR_ARG(file->type));
    name_write(file->name, out);
    buf_str(out, STR("Content-Transfer-Encoding: base64\r\n\r\n"));
    for (size_t at = 0; at < file->content.len; at += LINE_CONTENT_BYTES) {
        size_t end = at + LINE_CONTENT_BYTES;
        base64_write(
            out, str_slice(file->content, at, end < file->content.len ? end : file->content.len));
        buf_str(out, STR("\r\n"));
    }
}
