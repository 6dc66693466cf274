#include "run/api/newest.h"

#include "run/api/api_inside.h"
#include "store/store.h"

enum { NEWEST_BYTES_MAX = 16 << 20 };

void newest_init(struct newest_text *newest)
{
    *newest = (struct newest_text){ .text = buf_make(NEWEST_BYTES_MAX) };
    pthread_mutex_init(&newest->lock, NULL);
}

void newest_done(struct newest_text *newest)
{
    buf_done(&newest->text);
    pthread_mutex_destroy(&newest->lock);
}

static enum err row_read(void *context, const struct store_definition *row)
{
    struct newest_text *newest = context;
    newest->from = row->id + 1;
    if (row->kind != STORE_DEFINITION_WORKSPACE)
        return OK;
    buf_reset(&newest->text);
    buf_str(&newest->text, row->text);
    return buf_err(&newest->text);
}

/* A report's thread has no reader of its own: it opens one for a moment. */
static enum err rows_read(struct call *call, struct newest_text *newest)
{
    SCOPED(store_reader_closep) struct store_reader *own = NULL;
    if (call->desk->reader == NULL)
        TRY(store_reader_open(core_store(call->api->conf.core), "report", &own));
    return store_definitions_read(own == NULL ? call->desk->reader : own, newest->from, row_read,
                                  newest);
}

enum err newest_workspace(struct call *call, struct str *text)
{
    struct newest_text *newest = &call->api->newest;
    pthread_mutex_lock(&newest->lock);
    enum err err = rows_read(call, newest);
    if (err != OK)
        newest->from = 0; /* the row that failed is read again */
    else
        *text = str_copy(call->arena, buf_view(&newest->text));
    pthread_mutex_unlock(&newest->lock);
    return err != OK ? err : text->ptr == NULL ? ERR_MEMORY : OK;
}
