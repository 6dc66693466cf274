#include "run/api/judging.h"

#include "run/send/email_check.h"

struct newest {
    struct arena *arena;
    struct str    text; /* of the workspace; empty: nobody has described it */
};

static enum err newest_each(void *ctx, const struct store_definition *row)
{
    struct newest *newest = ctx;
    if (row->kind != STORE_DEFINITION_WORKSPACE)
        return OK;
    newest->text = str_copy(newest->arena, row->text);
    return newest->text.ptr == NULL ? ERR_MEMORY : OK;
}

enum err judging_write(struct call *call, struct str name, struct str text, struct buf *out,
                       bool *first)
{
    struct newest     newest = { .arena = call->arena };
    struct workspace  workspace;
    struct email_file file;
    TRY(email_file_parse(name, text, &file, &call->problem));
    TRY(store_definitions_read(call->desk->reader, 0, newest_each, &newest));
    bool is_known =
        newest.text.len > 0 && workspace_parse(call->arena, newest.text, &workspace, NULL) == OK;
    if (!*first)
        buf_char(out, ',');
    *first = false;
    return email_findings_write(&file, is_known ? &workspace : NULL, out, &call->problem);
}
