#include "server/asset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

enum { ETAG_BYTES = 24, HEADERS_MAX = ASSET_HEADERS + 4 };

struct assets {
    size_t               count;
    const struct asset **sorted;
    char (*etags)[ETAG_BYTES];
};

static int by_path(const void *a, const void *b)
{
    return strcmp((*(const struct asset *const *)a)->path, (*(const struct asset *const *)b)->path);
}

enum err assets_open(const struct asset *table, size_t count, struct assets **out)
{
    struct assets *assets = calloc(1, sizeof *assets);
    if (assets == NULL)
        return ERR_MEMORY;
    assets->count = count;
    assets->sorted = calloc(count + 1, sizeof assets->sorted[0]);
    assets->etags = calloc(count + 1, sizeof assets->etags[0]);
    if (assets->sorted == NULL || assets->etags == NULL) {
        assets_close(assets);
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < count; i++)
        assets->sorted[i] = &table[i];
    qsort(assets->sorted, count, sizeof assets->sorted[0], by_path);
    for (size_t i = 0; i < count; i++) {
        const struct asset *asset = assets->sorted[i];
        if (i > 0 && strcmp(assets->sorted[i - 1]->path, asset->path) == 0) {
            assets_close(assets);
            return ERR_CONFLICT;
        }
        if (asset->etag != NULL)
            snprintf(assets->etags[i], ETAG_BYTES, "%s", asset->etag);
        else
            snprintf(assets->etags[i], ETAG_BYTES, "W/\"%016llx\"",
                     (unsigned long long)hash_str(asset->plain, 0));
    }
    *out = assets;
    return OK;
}

void assets_close(struct assets *assets)
{
    if (assets == NULL)
        return;
    free(assets->sorted);
    free(assets->etags);
    free(assets);
}

/* Inline styles are let in: component libraries measure and place by them. Inline scripts are not.
 */
size_t asset_security_headers(struct http_header *out)
{
    out[0] = (struct http_header){ STR("Content-Security-Policy"),
                                   STR("default-src 'self'; img-src 'self' data: https:; "
                                       "style-src 'self' 'unsafe-inline'; object-src 'none'; "
                                       "base-uri 'none'; form-action 'self'; "
                                       "frame-ancestors 'none'") };
    out[1] = (struct http_header){ STR("X-Content-Type-Options"), STR("nosniff") };
    out[2] = (struct http_header){ STR("X-Frame-Options"), STR("DENY") };
    out[3] = (struct http_header){ STR("Referrer-Policy"), STR("no-referrer") };
    out[4] = (struct http_header){ STR("Cross-Origin-Opener-Policy"), STR("same-origin") };
    return ASSET_HEADERS;
}

/* Does a comma list hold the word, unless it says q=0? */
static bool list_has(struct str list, struct str word)
{
    struct str piece;
    while (str_split(&list, ',', &piece)) {
        size_t     mark = str_find_char(piece, 0, ';');
        struct str weight = str_trim(str_slice(piece, mark + 1, piece.len));
        if (str_eq_nocase(str_trim(str_slice(piece, 0, mark)), word))
            return !str_eq(weight, STR("q=0")) && !str_eq(weight, STR("q=0.0"));
    }
    return false;
}

static struct str without_weak(struct str etag)
{
    return str_starts(etag, STR("W/")) ? str_slice(etag, 2, etag.len) : etag;
}

static bool is_known(struct str if_none_match, struct str etag)
{
    struct str piece;
    while (str_split(&if_none_match, ',', &piece)) {
        piece = str_trim(piece);
        if (str_eq(without_weak(piece), without_weak(etag)) || str_eq(piece, STR("*")))
            return true;
    }
    return false;
}

static struct str choose(const struct asset *asset, struct str accepted, struct str *coding)
{
    *coding = STR_NONE;
    if (asset->brotli.ptr != NULL && list_has(accepted, STR("br"))) {
        *coding = STR("br");
        return asset->brotli;
    }
    if (asset->gzip.ptr != NULL && list_has(accepted, STR("gzip"))) {
        *coding = STR("gzip");
        return asset->gzip;
    }
    return asset->plain;
}

static void reply(const struct asset *asset, struct str etag, struct http_request *request)
{
    struct http_header headers[HEADERS_MAX];
    struct str         coding;
    size_t             count = asset_security_headers(headers);
    struct http_answer answer = {
        .status = 200, .type = str_of(asset->type), .headers = headers, .is_body_lasting = true
    };

    answer.body = choose(asset, http_header(request, STR("accept-encoding")), &coding);
    headers[count++] = (struct http_header){ STR("ETag"), etag };
    headers[count++] =
        (struct http_header){ STR("Cache-Control"), asset->is_lasting
                                                        ? STR("public, max-age=31536000, immutable")
                                                        : STR("no-cache") };
    headers[count++] = (struct http_header){ STR("Vary"), STR("Accept-Encoding") };
    if (coding.len > 0)
        headers[count++] = (struct http_header){ STR("Content-Encoding"), coding };
    if (is_known(http_header(request, STR("if-none-match")), etag)) {
        answer.status = 304;
        answer.body = STR_NONE;
    }
    answer.headers_count = count;
    http_reply(request, &answer);
}

bool assets_reply(const struct assets *assets, struct http_request *request, struct str path)
{
    size_t low = 0, high = assets->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int    order = str_cmp(path, str_of(assets->sorted[middle]->path));
        if (order == 0) {
            reply(assets->sorted[middle], str_of(assets->etags[middle]), request);
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}
