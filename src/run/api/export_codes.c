/* The discount codes that a person was given. */
#include "run/api/exporting.h"

struct listing {
    struct export *export;
    bool any;
};

static enum err code_each(void *ctx, const struct store_code *row)
{
    struct listing *listing = ctx;
    struct export *export = listing->export;
    struct buf *out = export_item(export, &listing->any);
    bool        first = true;
    buf_char(out, '{');
    write_text(out, &first, "pool", export_name(export, NAME_CODES, row->key >> 32));
    write_text(out, &first, "code", row->text);
    write_int(out, &first, "message", (int64_t)row->message);
    write_time(out, &first, "given", row->given_ms);
    if (row->expires_ms > 0)
        write_time(out, &first, "expires_at", row->expires_ms);
    if (row->redeemed_ms > 0)
        write_time(out, &first, "redeemed", row->redeemed_ms);
    buf_char(out, '}');
    return buf_err(out);
}

enum err export_codes(struct export *export)
{
    struct listing      listing = { .export = export };
    const struct story *story = &export->story;
    export_list(export, "codes");
    for (uint32_t i = 0; i < story->members_count; i++)
        TRY(store_codes_of(export->call->desk->reader, (uint64_t)story->members[i] + 1, 0,
                           INT64_MAX, code_each, &listing));
    export_list_end(export);
    return spool_flush(&export->spool);
}
