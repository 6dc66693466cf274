/* Returned mail handed in by a program. */
#include "run/api/api_inside.h"
#include "run/returned/returned.h"

static void said_write(struct buf *out, const struct bounce *bounce, bool is_taken)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "recipient", bounce->recipient);
    write_text(out, &first, "class", str_of(bounce_class_name(bounce->class)));
    write_text(out, &first, "status", bounce->status);
    write_text(out, &first, "reason", bounce->reason);
    write_text(out, &first, "said", bounce->said);
    write_raw(out, &first, "taken", is_taken ? STR("true") : STR("false"));
    buf_char(out, '}');
}

enum err returned_post(struct call *call)
{
    struct returned   returned;
    struct trail_desk desk = { call->desk->reader, call->desk->parser, call->arena };
    struct str        mail = http_body(call->request);
    if (mail.len == 0)
        return problem_set(&call->problem, ERR_INPUT, "body", "There is no mail.",
                           "Send the returned mail as it came, with its header, as the body.");
    TRY(returned_take(&desk, call->api->conf.core, call->api->conf.tokens,
                      call_query(call, "token"), mail, &returned));
    buf_str(&call->out, STR("{\"bounces\":["));
    for (size_t i = 0; i < returned.bounces.count; i++) {
        if (i > 0)
            buf_char(&call->out, ',');
        said_write(&call->out, &returned.bounces.items[i], returned.is_taken[i]);
    }
    buf_str(&call->out, STR("]"));
    if (returned.reply != RETURNED_NO_REPLY)
        buf_format(&call->out, ",\"reply\":\"%s\"",
                   returned.reply == RETURNED_UNSUBSCRIBED ? "unsubscribed" : "replied");
    buf_char(&call->out, '}');
    return OK;
}
