/* Addresses that nothing is sent to: listed, put there and taken off by hand. */
#include "run/api/api_inside.h"

#include <stdio.h>

#include "base/time.h"

enum { REASON_BYTES_MAX = 500, CURSOR_BYTES = 24 };

static void suppression_write(struct buf *out, struct str address, enum suppression_reason reason,
                              int64_t at_ms, struct str said)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "address", address);
    write_text(out, &first, "reason", str_of(suppression_word(reason)));
    write_time(out, &first, "since", at_ms);
    if (said.len > 0)
        write_text(out, &first, "said", said);
    buf_char(out, '}');
}

/* ---- the list, newest first ---- */

struct page {
    struct buf             *out;
    uint32_t                limit, count;
    bool                    has_reason, more;
    enum suppression_reason reason;
    uint64_t                last;
};

static enum err suppression_each(void *ctx, const struct store_suppression *row)
{
    struct page *page = ctx;
    if (row->reason == SUPPRESSION_LIFTED || row->reason >= SUPPRESSION_REASONS ||
        (page->has_reason && row->reason != page->reason))
        return OK;
    if (page->count == page->limit) {
        page->more = true;
        return ERR_LIMIT; /* the page is full */
    }
    if (page->count++ > 0)
        buf_char(page->out, ',');
    suppression_write(page->out, row->address, (enum suppression_reason)row->reason, row->at_ms,
                      row->said);
    page->last = row->id;
    return OK;
}

struct total_question {
    uint32_t total;
};

static bool total_ask(struct engine *engine, struct task *task)
{
    ((struct total_question *)task->context)->total = engine_suppressions(engine);
    return true;
}

static enum err reason_read(struct call *call, struct page *page)
{
    struct str word = call_query(call, "reason");
    page->has_reason = word.len > 0;
    if (page->has_reason &&
        (!suppression_of(word, &page->reason) || page->reason == SUPPRESSION_LIFTED))
        return problem_set(&call->problem, ERR_INPUT, "reason", "There is no such reason.",
                           "Use hard, soft, complaint or manual.");
    return OK;
}

enum err suppressions_list(struct call *call)
{
    struct page           page = { .out = &call->out };
    struct total_question question = { 0 };
    struct str            text = call_query(call, "cursor");
    int64_t               before = INT64_MAX;
    char                  cursor[CURSOR_BYTES] = "";
    bool                  first = true;
    TRY(call_limit(call, &page.limit));
    TRY(reason_read(call, &page));
    if (text.len > 0 && (str_to_int(text, &before) != OK || before < 1))
        return problem_set(&call->problem, ERR_INPUT, "cursor", "This is no cursor of ours.",
                           "Take it as it stands in `next`.");
    TRY(call_ask(call, total_ask, &question));
    buf_char(&call->out, '{');
    write_int(&call->out, &first, "total", question.total);
    buf_str(&call->out, STR(",\"items\":["));
    enum err err =
        store_suppressions_read(call->desk->reader, (uint64_t)before, suppression_each, &page);
    TRY(err == ERR_LIMIT ? OK : err);
    if (page.more)
        snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)page.last);
    write_next(&call->out, str_of(cursor));
    return OK;
}

/* ---- one ---- */

struct one_question {
    struct str              address;
    char                    bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    bool                    is_address, is_known;
    enum suppression_reason reason;
    int64_t                 at_ms;
};

static bool one_ask(struct engine *engine, struct task *task)
{
    struct one_question      *question = task->context;
    const struct suppression *entry = engine_suppression(engine, question->address);
    question->is_address =
        suppression_address(question->address, question->bytes, &question->address) == OK;
    question->is_known = entry != NULL && entry->reason != SUPPRESSION_LIFTED;
    if (entry != NULL) {
        question->reason = entry->reason;
        question->at_ms = entry->at_ms;
    }
    return true;
}

static enum err not_suppressed(struct call *call, struct str address)
{
    return problem_format(&call->problem, ERR_ABSENT, "address",
                          "Nothing keeps mail from it; see the list for what is suppressed.",
                          "%.*s is not suppressed.", STR_ARG(address));
}

enum err suppression_show(struct call *call)
{
    struct one_question question = { .address = call_param(call, "address") };
    TRY(call_ask(call, one_ask, &question));
    if (!question.is_known)
        return not_suppressed(call, question.address);
    suppression_write(&call->out, question.address, question.reason, question.at_ms, STR_NONE);
    return OK;
}

/* ---- changing ---- */

static enum err change(struct call *call, struct str address, struct str reason, bool lift)
{
    struct json_member member = { STR("reason"), { .kind = JSON_STRING, .string = reason } };
    struct json properties = { .kind = JSON_OBJECT, .count = reason.len > 0, .members = &member };
    SCOPED(buf_donep) struct buf body = buf_make(64 << 10);
    bool                         first = true;
    buf_char(&body, '{');
    write_text(&body, &first, "address", address);
    write_text(&body, &first, "state", lift ? STR("lifted") : STR("suppressed"));
    if (reason.len > 0)
        write_text(&body, &first, "reason", reason);
    buf_char(&body, '}');
    TRY(buf_err(&body));
    struct entry entry = { .record = { .kind = RECORD_SUPPRESSION,
                                       .flags = lift ? RECORD_LEAVE : 0,
                                       .name = address,
                                       .at_ms = time_now_ms(),
                                       .received_ms = time_now_ms(),
                                       .properties = &properties },
                           .body = str_copy(call->arena, buf_view(&body)) };
    return entry.body.ptr == NULL ? ERR_MEMORY : call_submit(call, &entry, 1, NULL);
}

enum err suppression_add(struct call *call)
{
    struct json body;
    TRY(call_body(call, &body));
    struct str          reason = json_get_str(&body, STR("reason"));
    struct one_question question = { .address = json_get_str(&body, STR("address")) };
    if (reason.len > REASON_BYTES_MAX)
        return problem_set(&call->problem, ERR_INPUT, "reason", "The reason is too long.",
                           "Say it in 500 bytes.");
    TRY(change(call, question.address, reason, false));
    TRY(call_ask(call, one_ask, &question));
    call->status = 201;
    suppression_write(&call->out, question.address, question.reason, question.at_ms, STR_NONE);
    return OK;
}

enum err suppression_lift(struct call *call)
{
    struct one_question question = { .address = call_param(call, "address") };
    bool                first = true;
    TRY(call_ask(call, one_ask, &question));
    if (!question.is_known)
        return not_suppressed(call, question.address);
    TRY(change(call, question.address, call_query(call, "reason"), true));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "address", question.address);
    write_text(&call->out, &first, "lifted", str_of(suppression_word(question.reason)));
    buf_char(&call->out, '}');
    return OK;
}
