/*
 * Every item of a body that can be read is counted once; every record keeps arrival.h's promises;
 * and a record's body, sent again as a message with its ids, gives an equal record and body.
 */
#include "intake/collect.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void member_write(struct buf *out, const char *key, struct str value)
{
    if (value.len == 0)
        return;
    buf_format(out, ",\"%s\":", key);
    json_write_str(out, value);
}

/* The message that a record could have been. */
static void message_write(struct buf *out, const struct arrival *r)
{
    struct str body = str_slice(r->body, 1, r->body.len - 1);
    buf_str(out, STR("{\"batch\":[{\"type\":"));
    json_write_str(out, arrival_kind_name(r->kind));
    if (r->kind == ARRIVAL_TRACK)
        member_write(out, "event", r->name);
    member_write(out, "userId", r->user_id);
    member_write(out, "anonymousId", r->anonymous_id);
    member_write(out, "previousId", r->previous_id);
    member_write(out, "groupId", r->group_id);
    member_write(out, "messageId", r->message_id);
    if (body.len > 0) {
        buf_char(out, ',');
        buf_str(out, body);
    }
    buf_str(out, STR("}]}"));
}

static void again_check(struct collect_parser *parser, struct arena *arena,
                        struct collect_request request, const struct arrival *r)
{
    struct buf            text = buf_make(1 << 20);
    struct collect_result result;
    message_write(&text, r);
    request.body = buf_view(&text);
    request.route = COLLECT_BATCH;
    enum err err = collect_parse(parser, arena, &request, &result, NULL);
    assert(err == OK && result.records_count + result.refused_count == 1);
    if (result.refused_count == 1) /* the outer context made it longer than one message may be */
        assert(str_eq(result.refused[0].reason, STR("too_large")));
    else {
        assert(str_eq(result.records[0].body, r->body));
        assert(json_eq(result.records[0].properties, r->properties));
        assert(json_eq(result.records[0].traits, r->traits));
        assert(json_eq(result.records[0].context, r->context));
        assert(str_eq(result.records[0].user_id, r->user_id));
    }
    buf_done(&text);
}

static void promises_check(const struct arrival *r)
{
    assert(r->user_id.len <= ID_BYTES_MAX && r->anonymous_id.len <= ID_BYTES_MAX);
    assert(r->user_id.len > 0 || r->anonymous_id.len > 0);
    assert(r->kind != ARRIVAL_TRACK || r->name.len > 0);
    assert(r->kind != ARRIVAL_ALIAS || !str_eq(r->user_id, r->previous_id));
    assert(r->message_id.len > 0 && r->name.len <= NAME_BYTES_MAX);
    assert(r->properties->kind == JSON_OBJECT && r->traits->kind == JSON_OBJECT);
    assert(r->context->kind == JSON_OBJECT && r->body.len <= ARRIVAL_BODY_BYTES_MAX);
    assert(r->at_ms <= r->received_ms + INT64_C(86400000));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1)
        return 0;
    struct collect_parser *parser = collect_parser_open();
    struct json_parser    *json = json_parser_open();
    struct arena          *arena = arena_open(REQUEST_ARENA_BYTES_MAX);
    struct collect_result  result;
    struct collect_request request = {
        .route = (enum collect_route)(data[0] % 9),
        .body = { (const char *)data + 1, size - 1 },
        .received_ms = INT64_C(1767323045000),
        .client_ip = STR("::1"),
        .client_side = data[0] >= 128,
    };
    if (collect_parse(parser, arena, &request, &result, NULL) == OK) {
        assert(result.records_count + result.refused_count + result.dropped_count +
                   result.unlisted_count ==
               result.items_count);
        for (uint32_t i = 0; i < result.records_count && i < 50; i++) {
            struct arrival read = { .body = result.records[i].body };
            enum err       err = arrival_body_read(&read, json, arena);
            assert(err == OK && json_eq(read.context, result.records[i].context));
            promises_check(&result.records[i]);
            again_check(parser, arena, request, &result.records[i]);
        }
    }
    collect_parser_close(parser);
    json_parser_close(json);
    arena_close(arena);
    return 0;
}
