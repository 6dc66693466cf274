#include "bounce/notice.h"

#include "base/json.h"
#include "bounce/scan.h"

/* The object that begins at `from`: to its closing brace, strings minded. */
static struct str object_at(struct str text, size_t from)
{
    int  depth = 0;
    bool in_string = false;
    for (size_t at = from; at < text.len; at++) {
        char c = text.ptr[at];
        if (in_string && c == '\\')
            at++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && c == '{')
            depth++;
        else if (!in_string && c == '}' && --depth == 0)
            return str_slice(text, from, at + 1);
    }
    return STR_NONE;
}

/* JSON has no line ends inside strings; a mail that was wrapped has ("!\n" is an old wrapping). */
static struct str unwrap(struct arena *arena, struct str text)
{
    char  *out = arena_alloc(arena, text.len + 1);
    size_t used = 0;
    if (out == NULL)
        return STR_NONE;
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '!' && i + 1 < text.len && text.ptr[i + 1] == '\n')
            i += i + 2 < text.len && text.ptr[i + 2] == ' ' ? 2 : 1;
        else if (text.ptr[i] != '\n' && text.ptr[i] != '\r')
            out[used++] = text.ptr[i];
    return (struct str){ out, used };
}

static struct str text_of(const struct json *object, const char *key)
{
    const struct json *value = object == NULL ? NULL : json_get(object, str_of(key));
    return value != NULL && value->kind == JSON_STRING ? value->string : STR_NONE;
}

static const struct json *member(const struct json *object, const char *key, enum json_kind kind)
{
    const struct json *value =
        object != NULL && object->kind == JSON_OBJECT ? json_get(object, str_of(key)) : NULL;
    return value != NULL && value->kind == kind ? value : NULL;
}

static void recipients_add(struct report *report, const struct json *list, enum action action)
{
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct json *one = &list->items[i];
        bool               is_object = one->kind == JSON_OBJECT;
        struct str         said = is_object ? text_of(one, "diagnosticCode") : STR_NONE;
        size_t             type = str_find_char(said, 0, ';');
        if (report->count == REPORT_RECIPIENTS_MAX)
            return;
        report->items[report->count++] = (struct report_item){
            .recipient = is_object                  ? text_of(one, "emailAddress")
                         : one->kind == JSON_STRING ? one->string
                                                    : STR_NONE,
            .status = is_object ? text_of(one, "status") : STR_NONE,
            .said = str_trim(type < 8 ? str_slice(said, type + 1, said.len) : said),
            .action = action,
        };
    }
}

static enum notice_kind notice_take(struct report *report, const struct json *notice)
{
    struct str kind = text_of(notice, "notificationType");
    if (kind.len == 0)
        kind = text_of(notice, "eventType");
    if (str_eq(kind, STR("Bounce"))) {
        const struct json *bounce = member(notice, "bounce", JSON_OBJECT);
        recipients_add(report, member(bounce, "bouncedRecipients", JSON_ARRAY), ACTION_FAILED);
        return NOTICE_BOUNCE;
    }
    if (str_eq(kind, STR("Complaint"))) {
        const struct json *complaint = member(notice, "complaint", JSON_OBJECT);
        recipients_add(report, member(complaint, "complainedRecipients", JSON_ARRAY),
                       ACTION_UNKNOWN);
        return NOTICE_COMPLAINT;
    }
    if (str_eq(kind, STR("Delivery"))) {
        const struct json *delivery = member(notice, "delivery", JSON_OBJECT);
        recipients_add(report, member(delivery, "recipients", JSON_ARRAY), ACTION_DELIVERED);
        return NOTICE_DELIVERY;
    }
    return NOTICE_NONE;
}

static enum notice_kind object_read(struct arena *arena, struct json_parser *parser,
                                    struct str object, struct report *report)
{
    struct json json;
    if (object.len == 0 || json_parse(parser, arena, object, &json, NULL) != OK ||
        json.kind != JSON_OBJECT)
        return NOTICE_NONE;
    struct str  inner = text_of(&json, "Message"); /* SNS's envelope */
    struct json message;
    if (inner.len > 0 && json_parse(parser, arena, inner, &message, NULL) == OK &&
        message.kind == JSON_OBJECT)
        return notice_take(report, &message);
    return notice_take(report, &json);
}

enum notice_kind notice_read(struct arena *arena, struct str text, struct report *report)
{
    SCOPED(json_parser_closep) struct json_parser *parser = NULL;
    struct str                                     trimmed = str_trim(text);
    if (trimmed.len == 0 || trimmed.ptr[0] != '{')
        return NOTICE_NONE;
    parser = json_parser_open();
    if (parser == NULL)
        return NOTICE_NONE;
    return object_read(arena, parser, object_at(unwrap(arena, trimmed), 0), report);
}
