#include "message/mime.h"

#include <string.h>

#include "base/encode.h"
#include "base/hash.h"
#include "base/time.h"
#include "message/address.h"
#include "message/bytes.h"
#include "message/header.h"

enum {
    LINE_BYTES_MAX = 998,   /* RFC 5322: without the CRLF */
    QUOTED_LINE_BYTES = 76, /* RFC 2045: with the '=' that continues it */
    BOUNDARY_BYTES = 18,
};

/* --- checks ------------------------------------------------------------------------------- */

static enum err mailbox_check(const struct mime_mailbox *mailbox, const char *name_where,
                              const char *address_where, struct problem *problem)
{
    TRY(header_text_check(mailbox->name, name_where, problem));
    return address_check(mailbox->address, address_where, problem);
}

static enum err body_check(struct str body, const char *where, struct problem *problem)
{
    if (body.len > 0 && memchr(body.ptr, '\0', body.len) != NULL)
        return problem_set(problem, ERR_INPUT, where, "it has a NUL", "remove it");
    if (!str_is_utf8(body))
        return problem_set(problem, ERR_INPUT, where, "it is not UTF-8", "save it as UTF-8");
    return OK;
}

static enum err message_id_check(struct str id, struct problem *problem)
{
    TRY(header_token_check(id, "message_id", problem));
    struct str domain = address_domain(id);
    if (id.len < domain.len + 2 || domain.len == 0)
        return problem_set(problem, ERR_INPUT, "message_id", "it is not of the form left@right",
                           "give the message a left part and a domain of yours");
    return address_domain_check(domain, "message_id", problem);
}

static enum err unsubscribe_check(const struct mime_message *m, struct problem *problem)
{
    TRY(header_token_check(m->unsubscribe_url, "unsubscribe_url", problem));
    if (m->unsubscribe_url.len > 0 && !str_starts(m->unsubscribe_url, STR("https://")) &&
        !str_starts(m->unsubscribe_url, STR("http://")))
        return problem_set(problem, ERR_INPUT, "unsubscribe_url", "it is not an http(s) address",
                           "set the public URL");
    if (m->unsubscribe_address.len > 0)
        return address_check(m->unsubscribe_address, "unsubscribe_address", problem);
    return OK;
}

static enum err message_check(const struct mime_message *m, struct problem *problem)
{
    TRY(mailbox_check(&m->from, "from.name", "from.address", problem));
    TRY(mailbox_check(&m->to, "to.name", "to.address", problem));
    if (m->reply_to.address.len > 0 || m->reply_to.name.len > 0)
        TRY(mailbox_check(&m->reply_to, "reply_to.name", "reply_to.address", problem));
    TRY(header_text_check(m->subject, "subject", problem));
    if (str_trim(m->subject).len == 0)
        return problem_set(problem, ERR_INPUT, "subject", "it is empty",
                           "write a subject, or a default for what was missing in it");
    if (m->date_ms < TIME_MIN_MS || m->date_ms > TIME_MAX_MS)
        return problem_set(problem, ERR_INPUT, "date_ms", "it is outside the years 1 to 9999",
                           "set the clock");
    TRY(message_id_check(m->message_id, problem));
    TRY(unsubscribe_check(m, problem));
    if (m->list_id.len > 0)
        TRY(address_domain_check(m->list_id, "list_id", problem));
    TRY(header_token_check(m->feedback_id, "feedback_id", problem));
    TRY(header_token_check(m->dult_message, "dult_message", problem));
    if (m->text.len == 0 && m->html.len == 0)
        return problem_set(problem, ERR_INPUT, "html", "the message is empty",
                           "write a body under '--- html' or '--- text'");
    TRY(body_check(m->text, "text", problem));
    return body_check(m->html, "html", problem);
}

/* --- parts -------------------------------------------------------------------------------- */

/* Cuts one line, ended by CRLF, LF or CR, off the front; false when the text is used up. */
static bool line_take(struct str *rest, struct str *line, bool *ended)
{
    if (rest->len == 0)
        return false;
    size_t end = bytes_line_end(*rest, 0);
    *line = str_slice(*rest, 0, end);
    *ended = end < rest->len;
    size_t next = *ended ? end + 1 : end;
    if (*ended && rest->ptr[end] == '\r' && next < rest->len && rest->ptr[next] == '\n')
        next++;
    *rest = str_slice(*rest, next, rest->len);
    return true;
}

static bool is_seven_bit(struct str body)
{
    struct str line;
    bool       ended;
    while (line_take(&body, &line, &ended)) {
        /* Old mail stores write ">From " for "From " at the start of a line, and break a seal. */
        if (line.len > LINE_BYTES_MAX ||
            (line.len > 0 && line.ptr[0] == 'F' && str_starts(line, STR("From "))))
            return false;
        for (size_t i = bytes_printable(line, 0); i < line.len; i += bytes_printable(line, i))
            if (line.ptr[i++] != '\t')
                return false;
    }
    return true;
}

static void seven_bit_write(struct buf *out, struct str body)
{
    struct str line;
    bool       ended;
    while (line_take(&body, &line, &ended)) {
        buf_str(out, line);
        if (ended)
            buf_str(out, STR("\r\n"));
    }
}

static bool is_quoted_literal(struct str line, size_t i, size_t column)
{
    unsigned char c = (unsigned char)line.ptr[i];
    if (c == ' ' || c == '\t')
        return i + 1 < line.len; /* hosts drop white space at the end of a line */
    if (c <= ' ' || c >= 0x7F || c == '=')
        return false;
    /* Two things that careless hosts change at the start of a line. */
    if (column > 0 || (c != '.' && c != 'F'))
        return true;
    return c == 'F' && !str_starts(str_slice(line, i, line.len), STR("From "));
}

/* One line of the result, made in the buf itself; `made` is NULL where it has no room. */
struct quoted {
    struct buf *out;
    char       *made;
    size_t      column;
};

static void quoted_begin(struct quoted *quoted)
{
    quoted->made = buf_reserve(quoted->out, QUOTED_LINE_BYTES + 3);
    quoted->column = 0;
}

static void quoted_break(struct quoted *quoted)
{
    memcpy(quoted->made + quoted->column, "=\r\n", 3);
    buf_added(quoted->out, quoted->column + 3);
    quoted_begin(quoted);
}

/* Of the bytes of `run`, which stand as they are, as many as the line has room for. */
static size_t quoted_run(struct quoted *quoted, struct str run)
{
    size_t room = QUOTED_LINE_BYTES - 1 - quoted->column;
    if (quoted->column == 0)
        return 0; /* the first byte of a line has rules of its own */
    size_t bytes = run.len < room ? run.len : room;
    memcpy(quoted->made + quoted->column, run.ptr, bytes);
    quoted->column += bytes;
    return bytes;
}

static void quoted_line_write(struct buf *out, struct str line)
{
    static const char digits[] = "0123456789ABCDEF";
    struct quoted     quoted = { .out = out };
    size_t            run_end = 0; /* up to here nothing needs a look */
    quoted_begin(&quoted);
    for (size_t i = 0; i < line.len && quoted.made != NULL; i++) {
        if (i >= run_end)
            run_end = i + bytes_quotable(str_slice(line, 0, line.len - 1), i);
        i += quoted_run(&quoted, str_slice(line, i, run_end));
        bool   literal = is_quoted_literal(line, i, quoted.column);
        size_t room = i + 1 == line.len ? QUOTED_LINE_BYTES : QUOTED_LINE_BYTES - 1;
        if (quoted.column + (literal ? 1 : 3) > room) {
            quoted_break(&quoted);
            if (quoted.made == NULL)
                return;
            literal = is_quoted_literal(line, i, quoted.column);
        }
        unsigned char c = (unsigned char)line.ptr[i];
        quoted.made[quoted.column++] = literal ? (char)c : '=';
        if (!literal) {
            quoted.made[quoted.column++] = digits[c >> 4];
            quoted.made[quoted.column++] = digits[c & 15];
        }
    }
    if (quoted.made != NULL)
        buf_added(out, quoted.column);
}

static void quoted_write(struct buf *out, struct str body)
{
    struct str line;
    bool       ended;
    while (line_take(&body, &line, &ended)) {
        quoted_line_write(out, line);
        if (ended)
            buf_str(out, STR("\r\n"));
    }
}

static void part_write(struct buf *out, struct str type, struct str body)
{
    bool seven_bit = is_seven_bit(body);
    header_token(out, STR("Content-Type"), type);
    header_token(out, STR("Content-Transfer-Encoding"),
                 seven_bit ? STR("7bit") : STR("quoted-printable"));
    buf_str(out, STR("\r\n"));
    if (seven_bit)
        seven_bit_write(out, body);
    else
        quoted_write(out, body);
    buf_str(out, STR("\r\n"));
}

/* --- the message -------------------------------------------------------------------------- */

void mime_date_write(int64_t at_ms, struct buf *out)
{
    static const char days[] = "MonTueWedThuFriSatSun";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct time_parts t = time_split(at_ms);
    buf_format(out, "%.3s, %02d %.3s %04d %02d:%02d:%02d +0000", days + 3 * (t.weekday - 1), t.day,
               months + 3 * (t.month - 1), t.year, t.hour, t.minute, t.second);
}

static bool has_boundary(struct str body, struct str boundary)
{
    for (size_t at = str_find_char(body, 0, '='); at < body.len;
         at = str_find_char(body, at + 1, '='))
        if (str_starts(str_slice(body, at, body.len), boundary))
            return true;
    return false;
}

/*
 * "=_" cannot appear in quoted-printable or base64, and 7bit parts appear as they are; so a
 * boundary that is absent from the bodies is absent from the parts.
 */
static struct str boundary_make(const struct mime_message *m, uint64_t seed,
                                char made[BOUNDARY_BYTES + 1])
{
    struct str boundary = { made, BOUNDARY_BYTES };
    for (;; seed++) {
        uint64_t hash = hash_str(m->message_id, seed);
        made[0] = '=';
        made[1] = '_';
        for (int i = 0; i < 16; i++)
            made[2 + i] = "0123456789abcdef"[hash >> 4 * i & 15];
        if (!has_boundary(m->text, boundary) && !has_boundary(m->html, boundary))
            return boundary;
    }
}

static void unsubscribe_write(const struct mime_message *m, struct buf *out)
{
    if (m->unsubscribe_url.len == 0 && m->unsubscribe_address.len == 0)
        return;
    buf_str(out, STR("List-Unsubscribe: "));
    if (m->unsubscribe_url.len > 0) {
        buf_char(out, '<');
        buf_str(out, m->unsubscribe_url);
        buf_char(out, '>');
    }
    if (m->unsubscribe_address.len > 0) {
        struct str domain = address_domain(m->unsubscribe_address);
        buf_str(out, m->unsubscribe_url.len > 0 ? STR(",\r\n <mailto:") : STR("<mailto:"));
        percent_write(
            out, str_slice(m->unsubscribe_address, 0, m->unsubscribe_address.len - domain.len - 1));
        buf_char(out, '@');
        buf_str(out, domain);
        buf_str(out, STR("?subject=unsubscribe>"));
    }
    buf_str(out, STR("\r\n"));
    if (m->unsubscribe_url.len > 0)
        header_token(out, STR("List-Unsubscribe-Post"), STR("List-Unsubscribe=One-Click"));
}

static void fields_write(const struct mime_message *m, struct buf *out)
{
    header_mailbox(out, STR("From"), m->from.name, m->from.address);
    header_mailbox(out, STR("To"), m->to.name, m->to.address);
    if (m->reply_to.address.len > 0)
        header_mailbox(out, STR("Reply-To"), m->reply_to.name, m->reply_to.address);
    header_text(out, STR("Subject"), m->subject);
    buf_str(out, STR("Date: "));
    mime_date_write(m->date_ms, out);
    buf_str(out, STR("\r\nMessage-ID: <"));
    buf_str(out, m->message_id);
    buf_str(out, STR(">\r\nMIME-Version: 1.0\r\n"));
    if (m->list_id.len > 0) {
        buf_str(out, STR("List-Id: <"));
        buf_str(out, m->list_id);
        buf_str(out, STR(">\r\n"));
    }
    unsubscribe_write(m, out);
    if (m->feedback_id.len > 0)
        header_token(out, STR("Feedback-ID"), m->feedback_id);
    if (m->dult_message.len > 0)
        header_token(out, STR("X-Dult-Message"), m->dult_message);
    header_token(out, STR("Auto-Submitted"), STR("auto-generated"));
}

static void alternatives_write(const struct mime_message *m, struct buf *out)
{
    char       made[BOUNDARY_BYTES + 1];
    struct str boundary = boundary_make(m, 0, made);
    buf_format(out, "Content-Type: multipart/alternative;\r\n boundary=\"%.*s\"\r\n\r\n--%.*s\r\n",
               STR_ARG(boundary), STR_ARG(boundary));
    part_write(out, STR("text/plain; charset=utf-8"), m->text);
    buf_format(out, "--%.*s\r\n", STR_ARG(boundary));
    part_write(out, STR("text/html; charset=utf-8"), m->html);
    buf_format(out, "--%.*s--\r\n", STR_ARG(boundary));
}

static void bodies_write(const struct mime_message *m, struct buf *out)
{
    if (m->html.len == 0)
        part_write(out, STR("text/plain; charset=utf-8"), m->text);
    else if (m->text.len == 0)
        part_write(out, STR("text/html; charset=utf-8"), m->html);
    else
        alternatives_write(m, out);
}

/* The seed is far from that of the alternatives within, so that no boundary begins another. */
static void mixed_write(const struct mime_message *m, struct buf *out)
{
    char       made[BOUNDARY_BYTES + 1];
    struct str boundary = boundary_make(m, UINT64_C(1) << 32, made);
    buf_format(out, "Content-Type: multipart/mixed;\r\n boundary=\"%.*s\"\r\n\r\n--%.*s\r\n",
               STR_ARG(boundary), STR_ARG(boundary));
    bodies_write(m, out);
    for (size_t i = 0; i < m->files_count; i++) {
        buf_format(out, "--%.*s\r\n", STR_ARG(boundary));
        attach_write(&m->files[i], out);
    }
    buf_format(out, "--%.*s--\r\n", STR_ARG(boundary));
}

enum err mime_write(const struct mime_message *m, struct buf *out, struct problem *problem)
{
    TRY(message_check(m, problem));
    fields_write(m, out);
    if (m->files_count > 0)
        mixed_write(m, out);
    else
        bodies_write(m, out);
    if (buf_err(out) == ERR_LIMIT)
        return problem_set(problem, ERR_LIMIT, "html", "the message is larger than may be sent",
                           "shorten the template");
    return buf_err(out);
}
