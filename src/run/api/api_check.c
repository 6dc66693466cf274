/*
 * The spaghetti check of what is in force: GET /api/v1/check.
 *
 * What the drawings of all live journeys hide (tangling.h); with ?counts=1 also with people counted
 * from what really happened (counted.h).
 */
#include "run/api/counted.h"
#include "run/api/tangling.h"

struct checking {
    struct call         *call;
    struct ask           ask;
    struct counted_names names;
    struct buf           rows;
    bool                 any, is_counted;
};

static void answer_write(struct checking *checking, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    json_write_key(out, &first, "findings");
    buf_char(out, '[');
    buf_str(out, buf_view(&checking->rows));
    buf_char(out, ']');
    json_write_key(out, &first, "counted");
    buf_str(out, checking->is_counted ? STR("true") : STR("false"));
    if (checking->names.left_out > 0)
        write_int(out, &first, "left_out", checking->names.left_out);
    ask_write_point(&checking->ask, out, &first);
    buf_char(out, '}');
}

static enum err run(struct checking *checking)
{
    TRY(counted_names(checking->call, &checking->names));
    for (uint32_t i = 0; i < checking->names.journeys_count; i++)
        TRY(tangling_write_live(checking->call, checking->names.journeys[i].name, &checking->rows,
                                &checking->any));
    if (checking->is_counted)
        TRY(counted_write(&checking->ask, &checking->names, &checking->rows, &checking->any));
    TRY(buf_err(&checking->rows));
    answer_write(checking, &checking->call->out);
    return buf_err(&checking->call->out);
}

enum err check_show(struct call *call)
{
    struct checking *checking = ARENA_NEW(call->arena, struct checking);
    if (checking == NULL)
        return ERR_MEMORY;
    checking->call = call;
    checking->is_counted = call_flag(call, "counts");
    checking->rows = buf_make(CALL_ANSWER_BYTES_MAX);
    enum err err = ask_open(&checking->ask, call, NULL);
    if (err == OK)
        err = run(checking);
    ask_close(&checking->ask);
    buf_done(&checking->rows);
    return err;
}
