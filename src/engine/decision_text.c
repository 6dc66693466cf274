/*
 * A decision written down: what it is called, and its detail, a JSON object that is stored and read
 * back on load.
 */
#include "engine/inside.h"

const char *decision_name(enum decision_kind kind)
{
    switch (kind) {
    case DECISION_NONE:
        break;
    case DECISION_PROFILE:
        return "profile";
    case DECISION_IDENTITY:
        return "identity";
    case DECISION_MERGE:
        return "merge";
    case DECISION_UNMERGE:
        return "unmerge";
    case DECISION_SHARED:
        return "shared";
    case DECISION_ERASED:
        return "erased";
    case DECISION_ENTERED:
        return "entered";
    case DECISION_LEFT:
        return "left";
    case DECISION_JOINED:
        return "joined";
    case DECISION_DEPARTED:
        return "departed";
    case DECISION_CONSENT:
        return "consent";
    case DECISION_ENROLLED:
        return "enrolled";
    case DECISION_STEP:
        return "step";
    case DECISION_ENDED:
        return "ended";
    case DECISION_NOT_ENROLLED:
        return "not enrolled";
    case DECISION_PARKED:
        return "parked";
    case DECISION_HELD_OUT:
        return "held out";
    case DECISION_GOAL:
        return "reached the goal";
    case DECISION_UNREACHED:
        return "did not reach the goal";
    case DECISION_MOVED:
        return "moved";
    case DECISION_INTENT:
        return "queued";
    case DECISION_CLAIMED:
        return "sending";
    case DECISION_SENT:
        return "sent";
    case DECISION_FAILED:
        return "failed";
    case DECISION_UNKNOWN:
        return "unknown";
    case DECISION_DROPPED:
        return "held back";
    case DECISION_DEFERRED:
        return "deferred";
    case DECISION_RETURNED:
        return "returned";
    case DECISION_CONTEXT:
        return "context";
    case DECISION_CODE:
        return "given a code";
    case DECISION_WAITING:
        return "waiting";
    }
    return "decision";
}

static void member_str(struct buf *out, bool *first, const char *key, struct str value)
{
    if (str_is_empty(value))
        return;
    json_write_key(out, first, key);
    json_write_str(out, value);
}

static void member_int(struct buf *out, bool *first, const char *key, int64_t value)
{
    json_write_key(out, first, key);
    buf_int(out, value);
}

void decision_write(const struct engine *engine, const struct decision *d, struct buf *out)
{
    const struct program *program = engine->program;
    bool                  first = true;
    buf_char(out, '{');
    switch (d->kind) {
    case DECISION_PROFILE:
    case DECISION_IDENTITY:
    case DECISION_SHARED:
        member_str(out, &first, "id", d->text);
        break;
    case DECISION_ENTERED:
    case DECISION_LEFT:
        member_str(out, &first, "segment",
                   program_name(program, NAME_SEGMENT, (uint32_t)d->subject));
        if (d->kind == DECISION_ENTERED && d->since_ms != d->at_ms)
            member_int(out, &first, "since", d->since_ms);
        if (d->kind == DECISION_ENTERED && d->or_earlier)
            member_int(out, &first, "or_earlier", 1);
        break;
    case DECISION_JOINED:
    case DECISION_DEPARTED:
        member_str(out, &first, "list", program_name(program, NAME_LIST, (uint32_t)d->subject));
        break;
    case DECISION_CONSENT:
        member_str(out, &first, "topic", program_name(program, NAME_TOPIC, (uint32_t)d->subject));
        member_str(out, &first, "channel", channel_name(d->channel));
        member_str(out, &first, "state", consent_word((enum consent_state)d->object));
        member_str(out, &first, "how", d->text);
        if (d->proof.len > 0) {
            json_write_key(out, &first, "proof");
            buf_str(out, d->proof);
        }
        break;
    case DECISION_CONTEXT:
        member_str(out, &first, "country", d->text);
        member_str(out, &first, "zone", d->zone);
        member_str(out, &first, "locale", d->locale);
        break;
    case DECISION_ENROLLED:
    case DECISION_NOT_ENROLLED:
        member_str(out, &first, "journey",
                   program_name(program, NAME_JOURNEY, (uint32_t)d->subject));
        member_str(out, &first, "reason", d->text);
        member_int(out, &first, "event", d->event);
        member_str(out, &first, "key", d->key);
        if (d->key_id != 0)
            member_int(out, &first, "key_id", d->key_id);
        break;
    case DECISION_HELD_OUT:
        if (broadcast_is_key(d->subject))
            member_str(out, &first, "broadcast",
                       program_name(program, NAME_BROADCAST, broadcast_of_key(d->subject)));
        else
            member_str(out, &first, "journey",
                       program_name(program, NAME_JOURNEY, (uint32_t)d->subject));
        member_int(out, &first, "event", d->event);
        member_str(out, &first, "key", d->key);
        if (d->key_id != 0)
            member_int(out, &first, "key_id", d->key_id);
        if (d->due_ms > 0)
            member_int(out, &first, "due", d->due_ms);
        break;
    case DECISION_GOAL:
        member_str(out, &first, "node", d->node);
        member_int(out, &first, "journey_id", d->journey);
        member_int(out, &first, "event", d->event);
        member_str(out, &first, "value", d->text);
        if (d->is_held)
            member_int(out, &first, "held_out", 1);
        break;
    case DECISION_STEP:
        member_str(out, &first, "node", d->node);
        member_int(out, &first, "journey_id", d->journey);
        member_int(out, &first, "visit", d->other);
        if (d->due_ms != TIME_NEVER)
            member_int(out, &first, "due", d->due_ms);
        member_str(out, &first, "took", d->text);
        if (d->event > 0)
            member_int(out, &first, "chosen", d->event);
        if (d->is_back)
            member_int(out, &first, "back", 1);
        break;
    case DECISION_MOVED:
        member_str(out, &first, "node", d->node);
        member_int(out, &first, "journey_id", d->journey);
        member_int(out, &first, "version", d->other);
        if (d->due_ms != TIME_NEVER)
            member_int(out, &first, "due", d->due_ms);
        break;
    case DECISION_INTENT:
        member_str(out, &first, "template", program_name(program, NAME_TEMPLATE, d->other));
        member_str(out, &first, "channel", channel_name(d->channel));
        member_str(out, &first, "journey", program_name(program, NAME_JOURNEY, d->journey));
        member_str(out, &first, "node", d->node);
        member_int(out, &first, "node_number", d->object);
        member_int(out, &first, "template_id", d->other);
        member_int(out, &first, "journey_id", d->journey);
        member_int(out, &first, "topic_id", d->topic);
        member_int(out, &first, "event", d->event);
        if (d->is_asked)
            member_int(out, &first, "asked", 1);
        if (broadcast_is_key(d->subject))
            member_str(out, &first, "broadcast",
                       program_name(program, NAME_BROADCAST, broadcast_of_key(d->subject)));
        break;
    case DECISION_CLAIMED:
        member_str(out, &first, "to", d->text);
        member_int(out, &first, "event", d->event);
        member_int(out, &first, "version", d->other);
        json_write_key(out, &first, "traits");
        for (uint32_t i = 0; i < d->seqs_count; i++) {
            buf_char(out, i == 0 ? '[' : ',');
            buf_int(out, d->seqs[i]);
        }
        buf_str(out, d->seqs_count == 0 ? STR("[]") : STR("]"));
        if (d->computed.len > 0) {
            json_write_key(out, &first, "computed");
            buf_str(out, d->computed);
        }
        if (d->variant.len > 0) {
            json_write_key(out, &first, "variant");
            buf_str(out, d->variant);
        }
        break;
    case DECISION_CODE:
        member_str(out, &first, "codes", program_name(program, NAME_CODES, d->other));
        member_int(out, &first, "codes_id", d->other);
        member_int(out, &first, "message", (int64_t)d->message);
        member_int(out, &first, "template_id", d->template_id);
        member_int(out, &first, "journey_id", d->journey);
        if (d->due_ms != TIME_NEVER)
            member_int(out, &first, "expires", d->due_ms);
        member_str(out, &first, "code", d->text);
        break;
    case DECISION_DEFERRED:
    case DECISION_RETURNED:
        member_int(out, &first, "retry_at", d->due_ms);
        member_str(out, &first, "text", d->text);
        break;
    case DECISION_WAITING:
        if (d->due_ms != TIME_NEVER)
            member_int(out, &first, "retry_at", d->due_ms);
        member_str(out, &first, "reason", d->text);
        break;
    case DECISION_ENDED:
    case DECISION_UNREACHED:
        member_str(out, &first, "node", d->node);
        member_int(out, &first, "journey_id", d->journey);
        member_str(out, &first, "reason", d->text);
        if (d->kind == DECISION_ENDED && d->due_ms > 0)
            member_int(out, &first, "due", d->due_ms);
        break;
    default:
        member_str(out, &first, "reason", d->text);
    }
    buf_char(out, '}');
}

static uint32_t number_get(const struct json *object, const char *key)
{
    int64_t value;
    return json_get_int(object, str_of(key), &value) ? (uint32_t)value : 0;
}

static struct str first_text(const struct json *object)
{
    static const char *const keys[] = { "id", "how", "reason", "took", "to", "text", "country" };
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        if (json_get(object, str_of(keys[i])) != NULL)
            return json_get_str(object, str_of(keys[i]));
    return STR_NONE;
}

enum err decision_read(struct engine *engine, struct json_parser *parser, struct arena *scratch,
                       struct decision *d)
{
    struct json detail;
    (void)engine;
    enum err err = json_parse(parser, scratch, d->detail, &detail, NULL);
    if (err != OK)
        return err == ERR_MEMORY ? err : ERR_CORRUPT;
    d->text = first_text(&detail);
    d->event = number_get(&detail, d->kind == DECISION_STEP ? "chosen" : "event");
    d->node = json_get_str(&detail, STR("node"));
    d->key = json_get_str(&detail, STR("key"));
    d->key_id = number_get(&detail, "key_id");
    if (d->kind == DECISION_CONSENT &&
        !channel_of(json_get_str(&detail, STR("channel")), &d->channel))
        return ERR_CORRUPT;
    d->zone = json_get_str(&detail, STR("zone"));
    d->locale = json_get_str(&detail, STR("locale"));
    d->journey = number_get(&detail, "journey_id");
    d->topic = number_get(&detail, "topic_id");
    d->other = d->kind == DECISION_STEP ? number_get(&detail, "visit")
                                        : number_get(&detail, "template_id");
    if (d->kind == DECISION_INTENT) {
        d->object = number_get(&detail, "node_number");
        d->is_asked = number_get(&detail, "asked") == 1;
    }
    d->is_back = d->kind == DECISION_STEP && number_get(&detail, "back") == 1;
    if (d->kind == DECISION_MOVED)
        d->other = number_get(&detail, "version");
    if (d->kind == DECISION_CODE)
        d->other = number_get(&detail, "codes_id");
    if (d->kind == DECISION_GOAL) {
        d->text = json_get_str(&detail, STR("value"));
        d->is_held = number_get(&detail, "held_out") == 1;
    }
    d->due_ms = TIME_NEVER;
    if (!json_get_int(&detail, STR("due"), &d->due_ms) &&
        !json_get_int(&detail, STR("retry_at"), &d->due_ms) &&
        !json_get_int(&detail, STR("expires"), &d->due_ms))
        d->due_ms = d->kind == DECISION_HELD_OUT || d->kind == DECISION_ENDED ? 0 : TIME_NEVER;
    return OK;
}
