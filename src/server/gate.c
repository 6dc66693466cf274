#include "server/gate.h"

#include <assert.h>
#include <string.h>

/* What may stand where. A table, because every byte of every head passes here. */
enum { IS_TOKEN = 1, IS_VALUE = 2, IS_TARGET = 4, IS_HOST = 8 };

static const uint8_t *gate_table(void)
{
    static uint8_t table[256];
    static bool    is_made;
    if (is_made)
        return table;
    for (int c = 0x20; c < 0x100; c++)
        if (c != 0x7f)
            table[c] |= IS_VALUE;
    table['\t'] |= IS_VALUE;
    for (int c = 0x21; c < 0x7f; c++)
        if (c != '#')
            table[c] |= IS_TARGET;
    for (int c = '0'; c <= 'z'; c++)
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
            table[c] |= IS_TOKEN | IS_HOST;
    for (const char *p = "!#$%&'*+-.^_`|~"; *p != '\0'; p++)
        table[(uint8_t)*p] |= IS_TOKEN;
    for (const char *p = "-._:[]"; *p != '\0'; p++)
        table[(uint8_t)*p] |= IS_HOST;
    is_made = true;
    return table;
}

/* Threads read the table without a lock, so it is made before there are any. */
__attribute__((constructor)) static void gate_table_make(void)
{
    (void)gate_table();
}

static bool all_are(struct str s, uint8_t kind)
{
    const uint8_t *table = gate_table();
    for (size_t i = 0; i < s.len; i++)
        if ((table[(uint8_t)s.ptr[i]] & kind) == 0)
            return false;
    return true;
}

static const struct str METHODS[GATE_METHODS] = {
    [GATE_GET] = { "GET", 3 },         [GATE_HEAD] = { "HEAD", 4 },
    [GATE_POST] = { "POST", 4 },       [GATE_PUT] = { "PUT", 3 },
    [GATE_PATCH] = { "PATCH", 5 },     [GATE_DELETE] = { "DELETE", 6 },
    [GATE_OPTIONS] = { "OPTIONS", 7 },
};

struct str gate_method_name(enum gate_method method)
{
    assert(method < GATE_METHODS);
    return METHODS[method];
}

bool gate_method_parse(struct str name, enum gate_method *out)
{
    for (int i = 0; i < GATE_METHODS; i++)
        if (str_eq(name, METHODS[i])) {
            *out = (enum gate_method)i;
            return true;
        }
    return false;
}

struct str gate_text(struct str bytes, struct gate_place place)
{
    assert((size_t)place.at + place.len <= bytes.len);
    return (struct str){ bytes.ptr + place.at, place.len };
}

static struct gate_place place_of(struct str bytes, struct str part)
{
    return (struct gate_place){ (uint16_t)(part.ptr - bytes.ptr), (uint16_t)part.len };
}

struct str gate_field(const struct gate_head *head, struct str bytes, struct str name)
{
    for (uint16_t i = 0; i < head->fields_count; i++) {
        const struct gate_field *field = &head->fields[i];
        if (field->name.len == name.len && str_eq_nocase(gate_text(bytes, field->name), name))
            return gate_text(bytes, field->value);
    }
    return STR_NONE;
}

static enum gate_verdict refuse(struct gate_refusal *why, int status, const char *what,
                                const char *remedy)
{
    *why = (struct gate_refusal){ status, what, remedy };
    return GATE_REFUSE;
}

static enum gate_verdict refuse_400(struct gate_refusal *why, const char *what)
{
    return refuse(why, 400, what, "send one well-formed HTTP/1.1 request (RFC 9112)");
}

/* Until the blank line is there: is what has come already hopeless? Keeps bare LF from waiting. */
static enum gate_verdict look_ahead(struct str bytes, size_t seen, struct gate_refusal *why)
{
    if (bytes.len >= 1 && (bytes.ptr[0] < 'A' || bytes.ptr[0] > 'Z'))
        return refuse_400(why, "the request does not begin with a method");
    for (size_t at = seen; at < bytes.len; at++) {
        at = str_find_char(bytes, at, '\n');
        if (at < bytes.len && (at == 0 || bytes.ptr[at - 1] != '\r'))
            return refuse_400(why, "a line ends in a bare line feed");
    }
    if (bytes.len > seen && memchr(bytes.ptr + seen, '\0', bytes.len - seen) != NULL)
        return refuse_400(why, "the head holds a NUL byte");
    if (bytes.len >= GATE_HEAD_BYTES_MAX)
        return refuse(why, 431, "the request's head is too large", "send fewer or shorter headers");
    return GATE_MORE;
}

static bool is_percent_sound(struct str target)
{
    for (size_t i = 0; i < target.len; i++) {
        if (target.ptr[i] != '%')
            continue;
        if (i + 2 >= target.len)
            return false;
        for (size_t k = i + 1; k <= i + 2; k++) {
            char c = target.ptr[k];
            if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
                return false;
        }
        if (target.ptr[i + 1] == '0' && target.ptr[i + 2] == '0')
            return false;
    }
    return true;
}

/* Cuts the scheme and authority off an absolute-form; false when there is no such form. */
static bool cut_authority(struct str *target, struct str *authority)
{
    struct str rest = *target;
    size_t from = str_starts(rest, STR("http://")) ? 7 : str_starts(rest, STR("https://")) ? 8 : 0;
    if (from == 0)
        return false;
    size_t slash = str_find_char(rest, from, '/');
    *authority = str_slice(rest, from, slash);
    *target = str_slice(rest, slash, rest.len);
    return slash < rest.len;
}

static enum gate_verdict read_target(struct str bytes, struct str target, struct gate_head *out,
                                     struct str *authority, struct gate_refusal *why)
{
    if (target.len > GATE_TARGET_BYTES_MAX)
        return refuse(why, 414, "the request's target is too long", "send a shorter query string");
    if (target.len == 0 || !all_are(target, IS_TARGET))
        return refuse_400(why, "the target holds a byte that must be percent-encoded");
    out->target = place_of(bytes, target);
    if (str_eq(target, STR("*")) && out->method == GATE_OPTIONS) {
        out->path = out->target;
        return GATE_PASS;
    }
    if (target.ptr[0] != '/' && !cut_authority(&target, authority))
        return refuse_400(why, "the target is neither a path nor a full http address");
    size_t mark = str_find_char(target, 0, '?');
    if (!is_percent_sound(str_slice(target, 0, mark)))
        return refuse_400(why, "the path holds a bad percent escape");
    out->path = place_of(bytes, str_slice(target, 0, mark));
    out->query = place_of(bytes, str_slice(target, mark + 1, target.len));
    return GATE_PASS;
}

static enum gate_verdict read_request_line(struct str bytes, struct str line, struct gate_head *out,
                                           struct str *authority, struct gate_refusal *why)
{
    size_t first = str_find_char(line, 0, ' ');
    size_t second = str_find_char(line, first + 1, ' ');
    if (second >= line.len)
        return refuse_400(why, "the request line is not: method, target, version");
    if (!gate_method_parse(str_slice(line, 0, first), &out->method))
        return refuse(why, 400, "the method is not one of ours",
                      "use GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS");
    struct str version = str_slice(line, second + 1, line.len);
    if (str_eq(version, STR("HTTP/1.1")))
        out->is_keep_alive = true;
    else if (!str_eq(version, STR("HTTP/1.0")))
        return refuse(why, str_starts(version, STR("HTTP/")) && version.len == 8 ? 505 : 400,
                      "the version is not HTTP/1.1", "speak HTTP/1.1");
    return read_target(bytes, str_slice(line, first + 1, second), out, authority, why);
}

/* Which fields have come; framing must be told once and in one way. */
struct gate_seen {
    bool       has_host, has_length, has_coding, is_close, is_1_0;
    struct str authority;
};

static enum gate_verdict read_length(struct str value, struct gate_head *out,
                                     struct gate_refusal *why)
{
    if (value.len == 0 || value.len > 15)
        return refuse_400(why, "Content-Length is not a number of sensible size");
    uint64_t length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return refuse_400(why, "Content-Length holds something that is no digit");
        length = length * 10 + (uint64_t)(value.ptr[i] - '0');
    }
    out->body_bytes = length;
    return GATE_PASS;
}

static void read_connection(struct str value, struct gate_head *out, struct gate_seen *seen)
{
    struct str option;
    while (str_split(&value, ',', &option)) {
        option = str_trim(option);
        if (str_eq_nocase(option, STR("close")))
            seen->is_close = true;
        else if (str_eq_nocase(option, STR("keep-alive")))
            out->is_keep_alive = true;
    }
}

/* The few fields that say where the request ends or whom it is for. */
static enum gate_verdict read_special(struct str bytes, struct str name, struct str value,
                                      struct gate_head *out, struct gate_seen *seen,
                                      struct gate_refusal *why)
{
    if (str_eq_nocase(name, STR("host"))) {
        if (seen->has_host)
            return refuse_400(why, "Host is given more than once");
        if (value.len == 0 || !all_are(value, IS_HOST))
            return refuse_400(why, "Host is not a host name with an optional port");
        seen->has_host = true;
        out->host = place_of(bytes, value);
    } else if (str_eq_nocase(name, STR("content-length"))) {
        if (seen->has_length)
            return refuse_400(why, "Content-Length is given more than once");
        seen->has_length = true;
        return read_length(value, out, why);
    } else if (str_eq_nocase(name, STR("transfer-encoding"))) {
        if (seen->has_coding || !str_eq_nocase(value, STR("chunked")))
            return refuse_400(why, "Transfer-Encoding is not just: chunked");
        seen->has_coding = out->is_chunked = true;
    } else if (str_eq_nocase(name, STR("content_length")) ||
               str_eq_nocase(name, STR("transfer_encoding"))) {
        return refuse_400(why, "a header looks like one that frames the body, but is not");
    } else if (str_eq_nocase(name, STR("connection"))) {
        read_connection(value, out, seen);
    } else if (str_eq_nocase(name, STR("expect"))) {
        if (!str_eq_nocase(value, STR("100-continue")))
            return refuse(why, 417, "Expect is not: 100-continue", "leave Expect out");
        out->wants_continue = true;
    }
    return GATE_PASS;
}

static enum gate_verdict read_field(struct str bytes, struct str line, struct gate_head *out,
                                    struct gate_seen *seen, struct gate_refusal *why)
{
    size_t     colon = str_find_char(line, 0, ':');
    struct str name = str_slice(line, 0, colon);
    if (colon == line.len || name.len == 0 || !all_are(name, IS_TOKEN))
        return refuse_400(why, "a header's name is not a token followed by a colon");
    struct str value = str_slice(line, colon + 1, line.len);
    if (!all_are(value, IS_VALUE))
        return refuse_400(why, "a header's value holds a control byte");
    while (value.len > 0 && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
        value = str_slice(value, 1, value.len);
    while (value.len > 0 && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
        value.len--;
    if (out->fields_count == GATE_FIELDS_MAX)
        return refuse(why, 431, "too many headers", "send fewer headers");
    out->fields[out->fields_count++] =
        (struct gate_field){ place_of(bytes, name), place_of(bytes, value) };

    /* Only these lengths name a field that we look at; most others leave here. */
    switch (name.len) {
    case 4:
    case 6:
    case 10:
    case 14:
    case 17:
        return read_special(bytes, name, value, out, seen, why);
    default:
        return GATE_PASS;
    }
}

static enum gate_verdict judge(struct str bytes, struct gate_head *out, struct gate_seen *seen,
                               struct gate_refusal *why)
{
    if (!seen->has_host && !seen->is_1_0)
        return refuse_400(why, "Host is missing");
    if (seen->has_length && seen->has_coding)
        return refuse_400(why, "Content-Length and Transfer-Encoding are both given");
    if (seen->has_coding && seen->is_1_0)
        return refuse_400(why, "Transfer-Encoding in an HTTP/1.0 request");
    if (seen->authority.ptr != NULL && !str_eq_nocase(seen->authority, gate_text(bytes, out->host)))
        return refuse_400(why, "the target's host and the Host header differ");
    if (seen->is_close)
        out->is_keep_alive = false;
    if (seen->is_1_0)
        out->wants_continue = false;
    return GATE_PASS;
}

static enum gate_verdict read_lines(struct str bytes, size_t end, struct gate_head *out,
                                    struct gate_refusal *why)
{
    struct gate_seen seen = { 0 };
    struct str       head = str_slice(bytes, 0, end + 2); /* each line with its CRLF */
    for (size_t at = 0; at < head.len;) {
        size_t stop = str_find_char(head, at, '\n');
        if (stop == head.len || stop == at || head.ptr[stop - 1] != '\r')
            return refuse_400(why, "a line ends in a bare line feed");
        struct str line = str_slice(head, at, stop - 1);
        if (memchr(line.ptr, '\r', line.len) != NULL || memchr(line.ptr, '\0', line.len) != NULL)
            return refuse_400(why, "a line holds a bare carriage return or a NUL byte");
        enum gate_verdict verdict = at == 0
                                        ? read_request_line(bytes, line, out, &seen.authority, why)
                                        : read_field(bytes, line, out, &seen, why);
        if (verdict != GATE_PASS)
            return verdict;
        if (at == 0)
            seen.is_1_0 = line.ptr[line.len - 1] == '0';
        at = stop + 1;
    }
    return judge(bytes, out, &seen, why);
}

enum gate_verdict gate_read(struct str bytes, size_t seen, struct gate_head *out,
                            struct gate_refusal *why)
{
    assert(seen <= bytes.len);
    struct str  window = str_slice(bytes, 0, GATE_HEAD_BYTES_MAX);
    size_t      from = seen > 3 ? seen - 3 : 0;
    const char *end =
        from >= window.len ? NULL : memmem(window.ptr + from, window.len - from, "\r\n\r\n", 4);
    if (end == NULL)
        return look_ahead(window, seen < window.len ? seen : window.len, why);

    /* The array of fields is long and written as it fills: no need to clear it. */
    memset(out, 0, offsetof(struct gate_head, fields));
    out->bytes = (uint32_t)(end - window.ptr) + 4;
    return read_lines(window, (size_t)(end - window.ptr), out, why);
}

/* ---- chunks ---- */

enum { CHUNK_SIZE, CHUNK_DATA, CHUNK_DATA_CR, CHUNK_DATA_LF, CHUNK_TRAILER, CHUNK_END };

/* Moves bytes into the line until its CRLF. True when the line is whole (CRLF cut off). */
static enum gate_verdict take_line(struct gate_chunk *chunk, struct str *rest,
                                   struct gate_refusal *why)
{
    while (rest->len > 0) {
        char c = rest->ptr[0];
        *rest = str_slice(*rest, 1, rest->len);
        bool after_cr = chunk->line_len > 0 && chunk->line[chunk->line_len - 1] == '\r';
        if (after_cr != (c == '\n'))
            return refuse_400(why, "a line of the chunked body does not end in CR LF");
        if (c == '\n') {
            chunk->line_len--;
            return GATE_PASS;
        }
        if (c != '\r' && (gate_table()[(uint8_t)c] & IS_VALUE) == 0)
            return refuse_400(why, "a line of the chunked body holds a control byte");
        if (chunk->line_len == GATE_CHUNK_LINE_BYTES_MAX)
            return refuse_400(why, "a line of the chunked body is too long");
        chunk->line[chunk->line_len++] = c;
    }
    return GATE_MORE;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum gate_verdict read_size(struct gate_chunk *chunk, struct gate_refusal *why)
{
    uint64_t size = 0;
    uint16_t i = 0;
    for (; i < chunk->line_len && hex_value(chunk->line[i]) >= 0; i++) {
        if (i == 8)
            return refuse(why, 413, "a chunk is too large", "send smaller chunks");
        size = size * 16 + (uint64_t)hex_value(chunk->line[i]);
    }
    if (i == 0 || (i < chunk->line_len && chunk->line[i] != ';'))
        return refuse_400(why, "a chunk's size is not plain hexadecimal");
    chunk->left = size;
    chunk->line_len = 0;
    chunk->state = size == 0 ? CHUNK_TRAILER : CHUNK_DATA;
    return GATE_MORE;
}

static enum gate_verdict read_trailer(struct gate_chunk *chunk, struct gate_refusal *why)
{
    struct str line = { chunk->line, chunk->line_len };
    if (line.len == 0) {
        chunk->state = CHUNK_END;
        return GATE_PASS;
    }
    size_t colon = str_find_char(line, 0, ':');
    if (colon == 0 || colon == line.len || !all_are(str_slice(line, 0, colon), IS_TOKEN))
        return refuse_400(why, "a trailer's name is not a token followed by a colon");
    if (++chunk->trailer_lines > GATE_TRAILER_LINES_MAX)
        return refuse(why, 431, "too many trailers", "send no trailers");
    chunk->line_len = 0;
    return GATE_MORE;
}

static enum gate_verdict take_data(struct gate_chunk *chunk, struct str *rest, struct str *data,
                                   struct gate_refusal *why)
{
    if (chunk->state == CHUNK_DATA) {
        *data = str_slice(*rest, 0, chunk->left < rest->len ? (size_t)chunk->left : rest->len);
        *rest = str_slice(*rest, data->len, rest->len);
        chunk->left -= data->len;
        if (chunk->left == 0)
            chunk->state = CHUNK_DATA_CR;
        return GATE_MORE;
    }
    bool is_cr = chunk->state == CHUNK_DATA_CR;
    if (rest->ptr[0] != (is_cr ? '\r' : '\n'))
        return refuse_400(why, "a chunk is longer than it says");
    *rest = str_slice(*rest, 1, rest->len);
    chunk->state = is_cr ? CHUNK_DATA_LF : CHUNK_SIZE;
    return GATE_MORE;
}

enum gate_verdict gate_chunk_read(struct gate_chunk *chunk, struct str *rest, struct str *data,
                                  struct gate_refusal *why)
{
    *data = STR_NONE;
    if (chunk->state == CHUNK_END)
        return GATE_PASS;
    if (rest->len == 0)
        return GATE_MORE;
    if (chunk->state != CHUNK_SIZE && chunk->state != CHUNK_TRAILER)
        return take_data(chunk, rest, data, why);
    enum gate_verdict verdict = take_line(chunk, rest, why);
    if (verdict != GATE_PASS)
        return verdict;
    return chunk->state == CHUNK_SIZE ? read_size(chunk, why) : read_trailer(chunk, why);
}
