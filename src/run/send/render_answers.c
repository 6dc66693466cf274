#include "run/send/render_answers.h"

enum { SEEN_MAX = 32, SEEN_MEMBERS = 2 };

struct seen {
    const struct data_in *in;
    struct arena         *arena;
    struct {
        struct json answer;
        int64_t     message;
    } items[SEEN_MAX];
    uint32_t count;
};

static struct json body_see(const struct seen *seen, struct str text)
{
    struct json body;
    bool        is_json = json_parse(seen->in->parser, seen->arena, text, &body, NULL) == OK;
    return is_json ? body : (struct json){ .kind = JSON_STRING, .string = text };
}

static enum err answer_see(struct seen *seen, const struct json *properties, int64_t message)
{
    struct json_member *members = ARENA_ARRAY(seen->arena, SEEN_MEMBERS, struct json_member);
    const struct json  *status = json_get(properties, STR("status"));
    struct json        *answer = &seen->items[seen->count].answer;
    if (members == NULL)
        return ERR_MEMORY;
    *answer = (struct json){ .kind = JSON_OBJECT, .members = members };
    members[answer->count++] = (struct json_member){ STR("status"), *status };
    members[answer->count++] =
        (struct json_member){ STR("body"),
                              body_see(seen, json_get_str(properties, STR("answer"))) };
    seen->items[seen->count++].message = message;
    return OK;
}

static enum err event_each(void *ctx, const struct store_event *row)
{
    struct seen *seen = ctx;
    struct json  body;
    int64_t      message;
    struct str   own = str_copy(seen->arena, row->body);
    if (own.ptr == NULL)
        return ERR_MEMORY;
    if (json_parse(seen->in->parser, seen->arena, own, &body, NULL) != OK)
        return ERR_CORRUPT;
    const struct json *properties = json_get(&body, STR("properties"));
    const struct json *status = json_get(properties, STR("status"));
    if (status == NULL || status->kind != JSON_INT || seen->count == SEEN_MAX ||
        str_to_int(json_get_str(properties, STR("message")), &message) != OK)
        return OK; /* nobody answered */
    return answer_see(seen, properties, message);
}

/* The node whose message it was; empty: of another enrollment, or erased since. */
static enum err node_of(const struct seen *seen, int64_t message, int64_t enrollment,
                        struct str *node)
{
    struct store_decision row;
    struct json           detail;
    *node = STR_NONE;
    enum err err = store_decision_get(seen->in->reader, seen->arena, (uint64_t)message, &row);
    if (err == ERR_ABSENT)
        return OK;
    TRY(err);
    if (row.kind != STORE_DECISION_MESSAGE_QUEUED ||
        (enrollment != 0 && row.object != (uint64_t)enrollment))
        return OK;
    if (json_parse(seen->in->parser, seen->arena, row.detail, &detail, NULL) != OK)
        return ERR_CORRUPT;
    *node = json_get_str(&detail, STR("node"));
    return OK;
}

static enum err nodes_put(const struct seen *seen, int64_t enrollment, struct json *out)
{
    struct json_member *members = ARENA_ARRAY(seen->arena, seen->count, struct json_member);
    if (members == NULL)
        return ERR_MEMORY;
    *out = (struct json){ .kind = JSON_OBJECT, .members = members };
    for (uint32_t i = 0; i < seen->count; i++) {
        struct str node;
        uint32_t   place = 0;
        TRY(node_of(seen, seen->items[i].message, enrollment, &node));
        while (place < out->count && !str_eq(members[place].key, node))
            place++;
        if (node.len == 0)
            continue;
        members[place] = (struct json_member){ node, seen->items[i].answer };
        out->count += place == out->count;
    }
    return OK;
}

enum err render_answers(const struct data_in *in, struct arena *arena, const struct json *claimed,
                        struct json *out)
{
    const struct json *list = json_get(claimed, STR("seqs"));
    struct seen        seen = { .in = in, .arena = arena };
    uint64_t           seqs[SEEN_MAX];
    uint32_t           count = 0;
    int64_t            enrollment;
    if (list == NULL || list->kind != JSON_ARRAY || list->count > SEEN_MAX ||
        !json_get_int(claimed, STR("of"), &enrollment))
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].kind == JSON_INT)
            seqs[count++] = (uint64_t)list->items[i].integer;
    TRY(store_events_by_seqs(in->reader, seqs, count, event_each, &seen));
    return nodes_put(&seen, enrollment, out);
}
