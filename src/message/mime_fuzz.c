/*
 * mime_fuzz: whatever stands in the fields, no line is added to the head.
 *
 * The input is cut into fields by its own bytes, so any byte can stand in any field. A message that
 * is written has each known field at most once and no other, lines of at most 998 printable bytes,
 * CRLF and nothing else for a line break, and as many parts as bodies.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/mime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void need(bool holds)
{
    if (!holds)
        abort();
}

static struct str field_take(struct str *rest)
{
    if (rest->len == 0)
        return STR_NONE;
    size_t     len = (unsigned char)rest->ptr[0];
    struct str field = str_slice(*rest, 1, 1 + len);
    *rest = str_slice(*rest, 1 + len, rest->len);
    return field;
}

static void check_line(struct str head_line, unsigned *seen)
{
    static const char *const known[] = {
        "From",
        "To",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "List-Id",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
        "Feedback-ID",
        "X-Dult-Message",
        "Auto-Submitted",
        "Content-Type",
        "Content-Transfer-Encoding",
    };
    if (head_line.ptr[0] == ' ')
        return; /* a continuation */
    struct str name = str_slice(head_line, 0, str_find_char(head_line, 0, ':'));
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(name, str_of(known[i]))) {
            need((*seen & 1u << i) == 0);
            *seen |= 1u << i;
            return;
        }
    abort();
}

/* The boundary: Content-Type is the last field, so a subject that imitates it comes before. */
static struct str boundary_of(struct str message)
{
    struct str head = str_slice(message, 0, str_find(message, 0, STR("\r\n\r\n")));
    struct str name = STR("\r\n boundary=\""), boundary = STR_NONE;
    for (size_t at = str_find(head, 0, name); at < head.len; at = str_find(head, at + 1, name))
        boundary = str_slice(head, at + name.len, at + name.len + 18);
    return boundary;
}

static void check_message(struct str message, bool has_parts)
{
    struct str boundary = boundary_of(message);
    unsigned   seen = 0;
    size_t     delimiters = 0, at = 0;
    bool       in_head = true;
    while (at < message.len) {
        size_t     end = str_find(message, at, STR("\r\n"));
        struct str line = str_slice(message, at, end);
        need(end < message.len && line.len <= 998);
        for (size_t i = 0; i < line.len; i++)
            need((line.ptr[i] >= ' ' && line.ptr[i] < 0x7F) || line.ptr[i] == '\t');
        if (line.len == 0)
            in_head = false;
        else if (in_head)
            check_line(line, &seen);
        if (has_parts && str_starts(line, STR("--")))
            delimiters += str_eq(str_slice(line, 2, 20), boundary);
        at = end + 2;
    }
    need(!has_parts || delimiters == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str          rest = { (const char *)data, size };
    struct mime_message m = {
        .from = { field_take(&rest), STR("hei@shop.example") },
        .to = { field_take(&rest), STR("ada@x.example") },
        .subject = field_take(&rest),
        .text = field_take(&rest),
        .html = field_take(&rest),
        .message_id = STR("a@shop.example"),
    };
    struct str *more[] = { &m.from.address,        &m.to.address, &m.reply_to.name,
                           &m.reply_to.address,    &m.message_id, &m.unsubscribe_url,
                           &m.unsubscribe_address, &m.list_id,    &m.feedback_id,
                           &m.dult_message };
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++) {
        struct str given = field_take(&rest);
        if (given.len > 0)
            *more[i] = given;
    }
    SCOPED(buf_donep) struct buf out = buf_make(1 << 20);
    struct problem               problem = { .what = "" };
    if (mime_write(&m, &out, &problem) == OK)
        check_message(buf_view(&out), m.text.len > 0 && m.html.len > 0);
    else
        need(problem.where[0] != '\0' && problem.what[0] != '\0' && problem.remedy[0] != '\0');
    return 0;
}
