#include "bounce/report.h"

#include "bounce/mail.h"
#include "bounce/scan.h"

/* What follows "rfc822;" or "smtp;". */
static struct str value_of(struct str typed)
{
    size_t at = str_find_char(typed, 0, ';');
    return str_trim(at < typed.len && at < 20 ? str_slice(typed, at + 1, typed.len) : typed);
}

/* An address of the field; without one the bare value ("kijitora" of a local delivery). */
static struct str recipient_of(struct str typed)
{
    struct str value = value_of(typed), address;
    if (scan_address(value, 0, &address) < value.len)
        return address;
    if (value.len > 1 && value.ptr[0] == '<')
        value = str_slice(value, 1, str_find_char(value, 1, '>'));
    bool is_name = str_find_char(value, 0, ' ') == value.len &&
                   str_find_char(value, 0, '/') == value.len &&
                   str_find_char(value, 0, '|') == value.len;
    return is_name ? str_slice(value, 0, ADDRESS_BYTES_MAX) : STR_NONE;
}

static enum action action_of(struct str value)
{
    if (scan_starts_nocase(value, "fail"))
        return ACTION_FAILED;
    if (scan_starts_nocase(value, "delayed"))
        return ACTION_DELAYED;
    if (scan_starts_nocase(value, "deliver") || scan_starts_nocase(value, "relayed") ||
        scan_starts_nocase(value, "expanded"))
        return ACTION_DELIVERED;
    return ACTION_UNKNOWN;
}

static bool item_is_empty(const struct report_item *item)
{
    return item->recipient.len == 0 && item->original.len == 0 && item->status.len == 0 &&
           item->said.len == 0 && item->action == ACTION_UNKNOWN;
}

static void item_end(struct report *report, struct report_item *item)
{
    bool final_is_full = scan_address_is_full(item->recipient);
    if (!final_is_full && item->original.len > 0)
        item->recipient = item->original;
    if (!item_is_empty(item) && report->count < REPORT_RECIPIENTS_MAX)
        report->items[report->count++] = *item;
    *item = (struct report_item){ .action = ACTION_UNKNOWN };
}

/* The name of the field that begins the line, or none. */
static struct str field_name(struct str line)
{
    size_t colon = str_find_char(line, 0, ':');
    if (colon == line.len || colon > 40)
        return STR_NONE;
    struct str name = str_trim(str_slice(line, 0, colon));
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] > '~' || name.ptr[i] == '<')
            return STR_NONE;
    return name;
}

static void field_take(struct report *report, struct report_item *item, struct str name,
                       struct str value)
{
    if (str_eq_nocase(name, STR("final-recipient"))) {
        if (item->recipient.len > 0)
            item_end(report, item);
        item->recipient = recipient_of(value);
    } else if (str_eq_nocase(name, STR("original-recipient"))) {
        if (item->original.len > 0)
            item_end(report, item);
        item->original = recipient_of(value);
    } else if (str_eq_nocase(name, STR("action")))
        item->action = action_of(value);
    else if (str_eq_nocase(name, STR("status"))) {
        struct str status;
        if (scan_status(value, &status))
            item->status = status;
    } else if (str_eq_nocase(name, STR("diagnostic-code")))
        item->said = value_of(value);
    else if (str_eq_nocase(name, STR("x-powermta-bouncecategory")))
        item->category = value;
    else if (str_eq_nocase(name, STR("reporting-mta")))
        report->reporter = value_of(value);
}

/* The value with the line that continues it: they lie beside each other. */
static struct str joined(struct str value, struct str line)
{
    if (value.ptr == NULL)
        return line;
    size_t len = (size_t)(line.ptr + line.len - value.ptr);
    return len > REPORT_WORDS_BYTES_MAX ? value : (struct str){ value.ptr, len };
}

bool report_read(struct str text, struct report *report)
{
    struct report_item item = { .action = ACTION_UNKNOWN };
    struct str         line, name = STR_NONE, value = STR_NONE;
    size_t             before = report->count;
    while (scan_line(&text, &line)) {
        bool       is_folded = line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '\t');
        struct str next = is_folded ? STR_NONE : field_name(line), trimmed = str_trim(line);
        if (trimmed.len > 0 && next.len == 0) {
            value = joined(value, trimmed);
            continue;
        }
        if (name.len > 0)
            field_take(report, &item, name, value);
        name = next;
        value = next.len == 0
                    ? STR_NONE
                    : str_trim(str_slice(line, str_find_char(line, 0, ':') + 1, line.len));
        if (trimmed.len == 0 && (item.recipient.len > 0 || item.original.len > 0))
            item_end(report, &item);
    }
    if (name.len > 0)
        field_take(report, &item, name, value);
    item_end(report, &item);
    return report->count > before;
}
