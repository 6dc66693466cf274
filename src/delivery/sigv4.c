#include "delivery/sigv4.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/encode.h"
#include "base/time.h"

enum { HASH_BYTES = 32, CANONICAL_BYTES_MAX = 64 << 10, SMALL_BYTES_MAX = 8 << 10 };

struct field {
    struct str name, value; /* the name in lower case */
};

struct fields {
    struct field items[SIGV4_HEADERS_MAX];
    uint32_t     count;
};

struct url {
    struct str host, path, query; /* the host with its port, where that is not the usual one */
};

/* ---- hashes ---- */

struct hash {
    unsigned char bytes[HASH_BYTES];
};

static struct str view(const struct hash *hash)
{
    return (struct str){ (const char *)hash->bytes, HASH_BYTES };
}

static struct hash sha256(struct str bytes)
{
    struct hash hash = { { 0 } };
    EVP_Digest(bytes.ptr, bytes.len, hash.bytes, NULL, EVP_sha256(), NULL);
    return hash;
}

static struct hash hmac(struct str key, struct str bytes)
{
    struct hash hash = { { 0 } };
    HMAC(EVP_sha256(), key.ptr, (int)key.len, (const unsigned char *)bytes.ptr, bytes.len,
         hash.bytes, NULL);
    return hash;
}

/* ---- the request's parts ---- */

static bool url_split(struct str text, struct url *out)
{
    bool is_tls = str_starts(text, STR("https://"));
    if (!is_tls && !str_starts(text, STR("http://")))
        return false;
    struct str rest = str_slice(text, is_tls ? 8 : 7, text.len);
    size_t     question = str_find_char(rest, 0, '?');
    out->query = str_slice(rest, question + 1, rest.len);
    rest = str_slice(rest, 0, question);
    size_t slash = str_find_char(rest, 0, '/');
    out->host = str_slice(rest, 0, slash);
    out->path = slash < rest.len ? str_slice(rest, slash, rest.len) : STR("/");
    struct str usual = is_tls ? STR(":443") : STR(":80");
    if (str_ends(out->host, usual))
        out->host.len -= usual.len;
    return out->host.len > 0;
}

static struct str lower(struct arena *arena, struct str text)
{
    struct str copy = str_copy(arena, text);
    for (size_t i = 0; i < copy.len; i++)
        ((char *)copy.ptr)[i] = (char)tolower((unsigned char)copy.ptr[i]);
    return copy;
}

static bool field_add(struct fields *fields, struct str name, struct str value)
{
    if (fields->count == SIGV4_HEADERS_MAX)
        return false;
    fields->items[fields->count++] = (struct field){ name, str_trim(value) };
    return true;
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(((const struct field *)a)->name, ((const struct field *)b)->name);
}

static bool fields_find(struct arena *arena, const struct sigv4_request *request,
                        const struct sigv4_headers *out, struct str host, struct fields *fields)
{
    const char *own[] = { out->date.ptr, out->token.ptr, NULL };
    bool        fits = field_add(fields, STR("host"), host);
    for (int list = 0; list < 2; list++)
        for (const char *const *at = list == 0 ? request->headers : own; *at != NULL; at++) {
            struct str text = str_of(*at);
            size_t     colon = str_find_char(text, 0, ':');
            struct str name = lower(arena, str_slice(text, 0, colon));
            if (str_eq(name, STR("content-type")) || str_starts(name, STR("x-amz-")))
                fits = fits && field_add(fields, name, str_slice(text, colon + 1, text.len));
        }
    qsort(fields->items, fields->count, sizeof fields->items[0], by_name);
    return fits;
}

/* ---- the canonical request ---- */

/* Each segment is escaped once more than it is in the URL. */
static void path_write(struct str path, struct buf *out)
{
    for (size_t at = 0; at < path.len; at++) {
        size_t slash = str_find_char(path, at, '/');
        percent_write(out, str_slice(path, at, slash));
        if (slash < path.len)
            buf_char(out, '/');
        at = slash;
    }
}

static int by_text(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void query_write(struct str query, struct buf *out)
{
    struct str parts[SIGV4_HEADERS_MAX], part;
    uint32_t   count = 0;
    while (query.len > 0 && count < SIGV4_HEADERS_MAX && str_split(&query, '&', &part))
        parts[count++] = part;
    qsort(parts, count, sizeof parts[0], by_text);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, '&');
        buf_str(out, parts[i]);
        if (str_find_char(parts[i], 0, '=') == parts[i].len)
            buf_char(out, '=');
    }
}

static void names_write(const struct fields *fields, struct buf *out)
{
    for (uint32_t i = 0; i < fields->count; i++) {
        if (i > 0)
            buf_char(out, ';');
        buf_str(out, fields->items[i].name);
    }
}

static void canonical_write(const struct sigv4_request *request, const struct url *url,
                            const struct fields *fields, struct buf *out)
{
    struct hash body = sha256(request->body);
    buf_str(out, request->method);
    buf_char(out, '\n');
    path_write(url->path, out);
    buf_char(out, '\n');
    query_write(url->query, out);
    buf_char(out, '\n');
    for (uint32_t i = 0; i < fields->count; i++) {
        buf_str(out, fields->items[i].name);
        buf_char(out, ':');
        buf_str(out, fields->items[i].value);
        buf_char(out, '\n');
    }
    buf_char(out, '\n');
    names_write(fields, out);
    buf_char(out, '\n');
    hex_write(out, view(&body));
}

/* ---- the signature ---- */

static void scope_write(const struct sigv4_keys *keys, struct str day, struct buf *out)
{
    buf_str(out, day);
    buf_char(out, '/');
    buf_str(out, keys->region);
    buf_char(out, '/');
    buf_str(out, keys->service);
    buf_str(out, STR("/aws4_request"));
}

static struct hash signature_of(const struct sigv4_keys *keys, struct str day, struct str to_sign)
{
    struct buf first = buf_make(SMALL_BYTES_MAX);
    buf_str(&first, STR("AWS4"));
    buf_str(&first, keys->secret);
    struct hash hash = hmac(buf_view(&first), day);
    if (first.ptr != NULL)
        explicit_bzero(first.ptr, first.len);
    buf_done(&first);
    hash = hmac(view(&hash), keys->region);
    hash = hmac(view(&hash), keys->service);
    hash = hmac(view(&hash), STR("aws4_request"));
    return hmac(view(&hash), to_sign);
}

/* "20150830T123600Z" */
static struct str instant_of(struct arena *arena, int64_t at_ms)
{
    struct time_parts at = time_split(at_ms);
    return str_format(arena, "%04d%02d%02dT%02d%02d%02dZ", at.year, at.month, at.day, at.hour,
                      at.minute, at.second);
}

enum err sigv4_sign(struct arena *arena, const struct sigv4_keys *keys,
                    const struct sigv4_request *request, struct sigv4_headers *out)
{
    SCOPED(buf_donep) struct buf canonical = buf_make(CANONICAL_BYTES_MAX);
    SCOPED(buf_donep) struct buf to_sign = buf_make(SMALL_BYTES_MAX);
    SCOPED(buf_donep) struct buf line = buf_make(SMALL_BYTES_MAX);
    struct url                   url;
    struct fields                fields = { .count = 0 };
    struct str                   instant = instant_of(arena, request->at_ms);
    struct str                   day = str_slice(instant, 0, 8);
    if (instant.ptr == NULL)
        return ERR_MEMORY;
    *out = (struct sigv4_headers){ str_format(arena, "X-Amz-Date: %s", instant.ptr), STR_NONE,
                                   STR_NONE };
    if (keys->token.len > 0)
        out->token = str_format(arena, "X-Amz-Security-Token: %.*s", STR_ARG(keys->token));
    if (!url_split(request->url, &url) ||
        !fields_find(arena, request, out, lower(arena, url.host), &fields))
        return ERR_INPUT;
    canonical_write(request, &url, &fields, &canonical);
    struct hash hashed = sha256(buf_view(&canonical));
    buf_format(&to_sign, "AWS4-HMAC-SHA256\n%s\n", instant.ptr);
    scope_write(keys, day, &to_sign);
    buf_char(&to_sign, '\n');
    hex_write(&to_sign, view(&hashed));
    struct hash signature = signature_of(keys, day, buf_view(&to_sign));
    buf_str(&line, STR("Authorization: AWS4-HMAC-SHA256 Credential="));
    buf_str(&line, keys->key);
    buf_char(&line, '/');
    scope_write(keys, day, &line);
    buf_str(&line, STR(", SignedHeaders="));
    names_write(&fields, &line);
    buf_str(&line, STR(", Signature="));
    hex_write(&line, view(&signature));
    TRY(buf_err(&canonical));
    TRY(buf_err(&to_sign));
    TRY(buf_err(&line));
    out->authorization = str_copy(arena, buf_view(&line));
    return out->authorization.ptr == NULL || out->date.ptr == NULL ? ERR_MEMORY : OK;
}
