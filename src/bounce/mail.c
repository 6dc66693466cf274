#include "bounce/mail.h"

#include <string.h>

#include "bounce/mail_decode.h"
#include "bounce/scan.h"

size_t mail_head_end(struct str text)
{
    if (text.len > 0 && text.ptr[0] == '\n')
        return 1;
    size_t end = str_find(text, 0, STR("\n\n"));
    return end < text.len ? end + 2 : text.len;
}

/* The line's value when it is the field's; blanks before the colon are an old habit. */
static bool field_is(struct str line, const char *name, struct str *value)
{
    if (!scan_starts_nocase(line, name))
        return false;
    size_t at = strlen(name);
    while (at < line.len && (line.ptr[at] == ' ' || line.ptr[at] == '\t'))
        at++;
    if (at >= line.len || line.ptr[at] != ':')
        return false;
    *value = str_slice(line, at + 1, line.len);
    return true;
}

/* A parameter at the begin of a line is a fold that lost its blank. */
static bool continues(struct str line)
{
    return line.len > 0 &&
           (line.ptr[0] == ' ' || line.ptr[0] == '\t' || scan_starts_nocase(line, "boundary="));
}

/* The line and those that continue it, as one. */
static struct str unfold(struct arena *arena, struct str first, struct str rest)
{
    size_t     end = first.len;
    struct str line;
    while (end < MAIL_FIELD_BYTES_MAX && scan_line(&rest, &line) && continues(line))
        end = (size_t)(line.ptr + line.len - first.ptr);
    if (end > MAIL_FIELD_BYTES_MAX)
        end = MAIL_FIELD_BYTES_MAX;
    char *value = arena_alloc(arena, end + 1);
    if (value == NULL)
        return STR_NONE;
    for (size_t i = 0; i < end; i++)
        value[i] = first.ptr[i] == '\n' || first.ptr[i] == '\t' ? ' ' : first.ptr[i];
    return str_trim((struct str){ value, end });
}

bool mail_field(struct arena *arena, struct str head, const char *name, int nth, struct str *out)
{
    struct str line, value;
    while (scan_line(&head, &line))
        if (field_is(line, name, &value) && nth-- == 0) {
            *out = unfold(arena, value, head);
            return true;
        }
    return false;
}

/* ---- types ---- */

/* "boundary" of `multipart/mixed; boundary="a b"`. */
static struct str parameter(struct str value, const char *name)
{
    size_t len = strlen(name);
    for (size_t at = scan_find_nocase(value, 0, name); at < value.len;
         at = scan_find_nocase(value, at + 1, name)) {
        size_t from = at + len;
        while (from < value.len && value.ptr[from] == ' ')
            from++;
        if (from >= value.len || value.ptr[from] != '=')
            continue;
        from++;
        while (from < value.len && value.ptr[from] == ' ')
            from++;
        if (from < value.len && value.ptr[from] == '"')
            return str_slice(value, from + 1, str_find_char(value, from + 1, '"'));
        return str_trim(str_slice(value, from, str_find_char(value, from, ';')));
    }
    return STR_NONE;
}

static enum mail_kind kind_of(struct str type)
{
    static const struct {
        const char    *type;
        enum mail_kind kind;
    } kinds[] = {
        { "text/html", MAIL_HTML },
        { "text/rfc822", MAIL_RETURNED },
        { "text/x-message-h", MAIL_RETURNED },
        { "text/calendar", MAIL_OTHER },
        { "text/", MAIL_TEXT },
        { "message/delivery-status", MAIL_STATUS },
        { "message/xdelivery-status", MAIL_STATUS },
        { "message/global-delivery-status", MAIL_STATUS },
        { "message/feedback-report", MAIL_FEEDBACK },
        { "message/xfeedback-report", MAIL_FEEDBACK },
        { "message/", MAIL_RETURNED },
        { "multipart/", MAIL_TEXT }, /* one that could not be opened */
    };
    if (type.len == 0)
        return MAIL_TEXT;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (scan_starts_nocase(type, kinds[i].type))
            return kinds[i].kind;
    return str_find_char(type, 0, '/') == type.len ? MAIL_TEXT : MAIL_OTHER;
}

/* Does the text begin with a field? A part without a head, and without the empty line, exists. */
static bool begins_with_field(struct str text)
{
    size_t colon = str_find_char(text, 0, ':'), end = str_find_char(text, 0, '\n');
    if (colon >= end || colon == 0)
        return false;
    for (size_t i = 0; i < colon; i++)
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~')
            return false;
    return true;
}

static bool is_attached(struct arena *arena, struct str head)
{
    struct str disposition;
    return mail_field(arena, head, "content-disposition", 0, &disposition) &&
           scan_starts_nocase(disposition, "attachment");
}

static void part_add(struct arena *arena, struct mail *mail, struct str head, struct str type,
                     struct str body)
{
    struct mail_part part = { kind_of(type), body };
    struct str       encoding = STR_NONE;
    if (mail->parts_count == MAIL_PARTS_MAX)
        return;
    (void)mail_field(arena, head, "content-transfer-encoding", 0, &encoding);
    if (part.kind == MAIL_OTHER)
        part.body = STR_NONE;
    else if (scan_starts_nocase(encoding, "base64"))
        part.body = mail_decode_base64(arena, body);
    else if (scan_starts_nocase(encoding, "quoted-printable"))
        part.body = mail_decode_quoted(arena, body);
    if (part.kind == MAIL_HTML)
        part.body = mail_decode_html(arena, part.body);
    /* The head of what was returned, attached as a text file. */
    if (part.kind == MAIL_TEXT && mail->parts_count > 0 && is_attached(arena, head) &&
        begins_with_field(part.body))
        part.kind = MAIL_RETURNED;
    mail->parts[mail->parts_count++] = part;
}

/* ---- containers ---- */

/* The next line that is "--boundary"; its index and the index behind it. */
static bool boundary_find(struct str body, size_t from, struct str boundary, size_t *begin,
                          size_t *behind)
{
    for (size_t at = from; at < body.len;) {
        size_t     end = str_find_char(body, at, '\n');
        struct str line = str_slice(body, at, end);
        if (line.len >= boundary.len + 2 && line.ptr[0] == '-' && line.ptr[1] == '-' &&
            str_eq(str_slice(line, 2, 2 + boundary.len), boundary)) {
            *begin = at;
            *behind = end < body.len ? end + 1 : body.len;
            return true;
        }
        at = end + 1;
    }
    return false;
}

static void entity_read(struct arena *arena, struct mail *mail, struct str entity, int depth);

static bool container_read(struct arena *arena, struct mail *mail, struct str body,
                           struct str boundary, int depth)
{
    size_t begin, from, next, behind;
    if (boundary.len == 0 || depth >= MAIL_DEPTH_MAX ||
        !boundary_find(body, 0, boundary, &begin, &from))
        return false;
    int parts_before = mail->parts_count;
    while (mail->parts_count < MAIL_PARTS_MAX) {
        bool       has_next = boundary_find(body, from, boundary, &next, &behind);
        struct str part = str_slice(body, from, has_next ? next : body.len);
        if (str_trim(part).len > 0)
            entity_read(arena, mail, part, depth + 1);
        if (!has_next)
            break;
        from = behind;
    }
    /* Text before the first boundary is "this is a MIME message", unless it is all there is. */
    return mail->parts_count > parts_before;
}

static void entity_read(struct arena *arena, struct mail *mail, struct str entity, int depth)
{
    size_t     end = depth > 0 && !begins_with_field(entity) ? 0 : mail_head_end(entity);
    struct str head = str_slice(entity, 0, end), body = str_slice(entity, end, entity.len);
    struct str type = STR_NONE;
    if (depth == 0)
        mail->head = head;
    (void)mail_field(arena, head, "content-type", 0, &type);
    if (scan_starts_nocase(type, "multipart/") &&
        container_read(arena, mail, body, parameter(type, "boundary"), depth))
        return;
    part_add(arena, mail, head, type, body);
}

/* One kind of line end; the "From " line of an mbox is not a field. */
static struct str normalize(struct arena *arena, struct str bytes)
{
    bytes = str_slice(bytes, 0, MAIL_BYTES_MAX);
    while (bytes.len > 0 && (bytes.ptr[0] == '\n' || bytes.ptr[0] == '\r'))
        bytes = str_slice(bytes, 1, bytes.len);
    if (str_starts(bytes, STR("From ")))
        bytes = str_slice(bytes, str_find_char(bytes, 0, '\n') + 1, bytes.len);
    char  *copy = arena_alloc(arena, bytes.len + 1);
    size_t used = 0;
    if (copy == NULL)
        return STR_NONE;
    for (size_t i = 0; i < bytes.len; i++)
        if (bytes.ptr[i] != '\r' || (i + 1 < bytes.len && bytes.ptr[i + 1] != '\n'))
            copy[used++] = bytes.ptr[i] == '\r' ? '\n' : bytes.ptr[i];
    return (struct str){ copy, used };
}

enum err mail_read(struct arena *arena, struct str bytes, struct mail *out)
{
    struct mail mail = { .parts_count = 0 };
    struct str  text = normalize(arena, bytes);
    if (text.ptr == NULL)
        return ERR_MEMORY;
    entity_read(arena, &mail, text, 0);
    *out = mail;
    return OK;
}
