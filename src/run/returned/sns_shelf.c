#include "run/returned/sns_shelf.h"

void sns_shelf_init(struct sns_shelf *shelf)
{
    *shelf = (struct sns_shelf){ .kept_next = 0 };
    for (int i = 0; i < SNS_KEPT_MAX; i++)
        shelf->kept[i].pem = buf_make(SNS_CERTIFICATE_BYTES_MAX);
}

void sns_shelf_done(struct sns_shelf *shelf)
{
    for (int i = 0; i < SNS_KEPT_MAX; i++)
        buf_done(&shelf->kept[i].pem);
}

struct str sns_shelf_find(const struct sns_shelf *shelf, struct str url)
{
    for (int i = 0; i < SNS_KEPT_MAX; i++)
        if (str_eq(str_of(shelf->kept[i].url), url))
            return buf_view(&shelf->kept[i].pem);
    return STR_NONE;
}

bool sns_shelf_has_failed(const struct sns_shelf *shelf, struct str url, int64_t now_ms)
{
    for (int i = 0; i < SNS_FAILED_MAX; i++)
        if (str_eq(str_of(shelf->failed[i].url), url) &&
            now_ms - shelf->failed[i].at_ms < SNS_FAILED_PAUSE_MS)
            return true;
    return false;
}

enum err sns_shelf_put(struct sns_shelf *shelf, struct str url, struct str pem, int64_t now_ms)
{
    if (pem.len == 0) {
        uint32_t at = shelf->failed_next++ % SNS_FAILED_MAX;
        str_to_cstr(url, shelf->failed[at].url, sizeof shelf->failed[at].url);
        shelf->failed[at].at_ms = now_ms;
        return OK;
    }
    uint32_t at = shelf->kept_next++ % SNS_KEPT_MAX;
    shelf->kept[at].url[0] = '\0';
    buf_reset(&shelf->kept[at].pem);
    buf_str(&shelf->kept[at].pem, pem);
    TRY(buf_err(&shelf->kept[at].pem));
    str_to_cstr(url, shelf->kept[at].url, sizeof shelf->kept[at].url);
    return OK;
}
