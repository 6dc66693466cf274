/* What was told of a person: events as they came, where traits come from, what was refused. */
#include "run/api/exporting.h"

#include <string.h>

#include "base/time.h"
#include "engine/vec.h"
#include "run/send/teller.h"

enum { EVENTS_A_SLICE = 2000, TRAITS_MAX = 4096 };

/* ---- events ---- */

struct telling {
    struct export *export;
    bool any;
};

/* Links say it as a number, outcomes as a text. */
static uint64_t message_of(const struct json *properties)
{
    int64_t number = 0;
    if (!json_get_int(properties, STR("message"), &number) &&
        str_to_int(json_get_str(properties, STR("message")), &number) != OK)
        return 0;
    return number > 0 ? (uint64_t)number : 0;
}

/* What of the event belongs to other parts as well. */
static enum err event_note(struct export *export, const struct store_event *row)
{
    bool        is_of_message = message_event_word(row->name) != NULL;
    struct json body;
    if (!is_of_message && row->kind != STORE_EVENT_IDENTIFY)
        return OK;
    arena_reset(export->row);
    if (json_parse(export->call->desk->parser, export->row, row->body, &body, NULL) != OK)
        return OK; /* it stands among the events all the same */
    const struct json *traits = json_get(&body, STR("traits"));
    if (!is_of_message) {
        TRY(export_address(export, json_get_str(traits, STR("email"))));
        return export_address(export, json_get_str(traits, STR("phone")));
    }
    uint64_t message = message_of(json_get(&body, STR("properties")));
    return message == 0 ? OK
                        : VEC_ADD(&export->messages, (struct export_ref){ message, row->seq, 0 });
}

static enum err event_each(void *ctx, const struct store_event *row)
{
    struct telling *telling = ctx;
    struct export *export = telling->export;
    struct buf *out = export_item(export, &telling->any);
    story_event_write(out, row,
                      row->name == 0 ? STR_NONE : export_name(export, NAME_EVENT, row->name),
                      export_source(export, row->source));
    TRY(event_note(export, row));
    return export_item_end(export);
}

enum err export_events(struct export *export)
{
    struct telling telling = { export, false };
    export_list(export, "events");
    for (uint32_t from = 0; from < export->events.count; from += EVENTS_A_SLICE) {
        uint32_t left = export->events.count - from;
        if (http_is_left(export->call->request))
            return ERR_WAIT;
        TRY(store_events_by_seqs(export->call->desk->reader, export->events.items + from,
                                 left < EVENTS_A_SLICE ? left : EVENTS_A_SLICE, event_each,
                                 &telling));
    }
    export_list_end(export);
    return OK;
}

/* ---- where traits come from ---- */

struct origin {
    int64_t  at_ms;
    uint64_t seq;
    uint32_t source;
};

struct origins {
    struct export *export;
    const struct json *traits;
    struct origin     *items; /* as many as traits */
};

static enum err origin_each(void *ctx, const struct store_event *row)
{
    struct origins *origins = ctx;
    struct export *export = origins->export;
    struct json body;
    arena_reset(export->row);
    TRY(json_parse(export->call->desk->parser, export->row, row->body, &body, NULL));
    const struct json *told = json_get(&body, STR("traits"));
    for (uint32_t i = 0; i < origins->traits->count; i++) {
        const struct json *value = json_path(told, origins->traits->members[i].key);
        if (value != NULL && value->kind != JSON_NULL &&
            (origins->items[i].seq == 0 || json_eq(value, &origins->traits->members[i].value)))
            origins->items[i] = (struct origin){ row->at_ms, row->seq, row->source };
    }
    return OK;
}

static enum err origins_write(struct export *export, const struct origins *origins)
{
    bool any = false;
    for (uint32_t i = 0; i < origins->traits->count; i++) {
        const struct origin *origin = &origins->items[i];
        struct buf          *out = export_item(export, &any);
        bool                 first = true;
        buf_char(out, '{');
        write_text(out, &first, "name", origins->traits->members[i].key);
        json_write_key(out, &first, "value");
        json_write(out, &origins->traits->members[i].value);
        if (origin->seq != 0) {
            write_time(out, &first, "told", origin->at_ms);
            write_int(out, &first, "record", (int64_t)origin->seq);
            write_text(out, &first, "source", export_source(export, origin->source));
        }
        buf_char(out, '}');
        TRY(export_item_end(export));
    }
    return OK;
}

enum err export_traits(struct export *export)
{
    static const struct json none = { .kind = JSON_OBJECT };
    const struct json       *traits = json_get(&export->person, STR("traits"));
    struct origins           origins = { .export = export };
    uint64_t                 seqs[EXPORT_TRAIT_SEQS_MAX];
    origins.traits = traits != NULL && traits->kind == JSON_OBJECT ? traits : &none;
    origins.items =
        ARENA_ARRAY(export->call->arena, (size_t)origins.traits->count + 1, struct origin);
    if (origins.items == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < export->trait_seqs_count; i++)
        seqs[i] = export->trait_seqs[i];
    TRY(store_events_by_seqs(export->call->desk->reader, seqs, export->trait_seqs_count,
                             origin_each, &origins));
    export_list(export, "traits");
    TRY(origins_write(export, &origins));
    export_list_end(export);
    return OK;
}

/* ---- addresses that nothing is sent to ---- */

static void suppression_write(const struct suppression *entry, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "address", entry->address);
    write_text(out, &first, "reason", str_of(suppression_word(entry->reason)));
    write_time(out, &first, "since", entry->at_ms);
    write_int(out, &first, "record", (int64_t)entry->seq);
    buf_char(out, '}');
}

static bool suppressions_ask(struct engine *engine, struct task *task)
{
    struct export *export = task->context;
    bool any = false;
    for (int channel = CHANNEL_EMAIL; channel < CHANNELS; channel++) {
        char       bytes[REACH_BYTES_MAX];
        struct str address;
        if (engine_reach(engine, export->story.person, (enum consent_channel)channel, bytes,
                         &address))
            (void)!export_address(export, address);
    }
    for (uint32_t i = 0; i < export->addresses_count; i++) {
        const struct suppression *entry = engine_suppression(engine, export->addresses[i]);
        if (entry != NULL)
            suppression_write(entry, export_item(export, &any));
    }
    return true;
}

enum err export_suppressions(struct export *export)
{
    export_list(export, "suppressions");
    TRY(call_ask(export->call, suppressions_ask, export));
    export_list_end(export);
    return spool_flush(&export->spool);
}

/* ---- what could not be taken ---- */

static bool is_theirs(const struct export *export, const struct json *event)
{
    const struct json *identities = json_get(&export->person, STR("identities"));
    for (uint32_t i = 0; identities != NULL && i < identities->count; i++) {
        struct str kind = json_get_str(&identities->items[i], STR("kind"));
        struct str id = json_get_str(&identities->items[i], STR("id"));
        bool       is_user = str_eq(kind, STR("user"));
        if (!is_user && !str_eq(kind, STR("anonymous")))
            continue;
        if (str_eq(json_get_str(event, is_user ? STR("userId") : STR("anonymousId")), id) ||
            str_eq(json_get_str(event, STR("previousId")), id))
            return true;
    }
    return false;
}

static enum err rejected_each(void *ctx, const struct store_rejected *row)
{
    struct telling *telling = ctx;
    struct export *export = telling->export;
    struct json event;
    bool        first = true;
    arena_reset(export->row);
    if (json_parse(export->call->desk->parser, export->row, row->body, &event, NULL) != OK ||
        !is_theirs(export, &event))
        return OK;
    struct buf *out = export_item(export, &telling->any);
    buf_char(out, '{');
    write_time(out, &first, "received", row->received_ms);
    write_text(out, &first, "reason", row->reason);
    write_text(out, &first, "field", row->field);
    json_write_key(out, &first, "told");
    json_write(out, &event);
    buf_char(out, '}');
    return export_item_end(export);
}

enum err export_rejected(struct export *export)
{
    struct telling telling = { export, false };
    export_list(export, "rejected");
    TRY(store_rejected_read(export->call->desk->reader, STORE_REJECTED_MAX, rejected_each,
                            &telling));
    export_list_end(export);
    return OK;
}
