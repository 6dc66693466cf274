#include "run/send/notice_file.h"

#include <stdio.h>

struct reading {
    struct str         name, rest;
    uint32_t           line;
    struct email_file *out;
    struct problem    *problem;
};

static enum err fault(const struct reading *reading, const char *what, const char *remedy)
{
    char where[160];
    snprintf(where, sizeof where, "templates/%.*s.email:%u:1",
             STR_ARG(str_slice(reading->name, 0, 100)), reading->line > 0 ? reading->line : 1);
    return problem_set(reading->problem, ERR_INPUT, where, what, remedy);
}

static bool line_next(struct reading *reading, struct str *line)
{
    if (!str_split(&reading->rest, '\n', line))
        return false;
    reading->line++;
    if (str_ends(*line, STR("\r")))
        line->len--;
    return true;
}

bool notice_file_is_one(struct str source)
{
    struct str           line, rest = str_slice(source, 0, EMAIL_FILE_HEAD_BYTES_MAX);
    enum consent_channel channel;
    while (str_split(&rest, '\n', &line) && !str_starts(line, STR("---"))) {
        size_t colon = str_find_char(line, 0, ':');
        if (colon < line.len && str_eq_nocase(str_trim(str_slice(line, 0, colon)), STR("channel")))
            return !channel_of_template(str_trim(str_slice(line, colon + 1, line.len)), &channel) ||
                   channel != CHANNEL_EMAIL;
    }
    return false;
}

/* ---- the head ---- */

static enum err head_put(struct reading *reading, struct str key, struct email_part value)
{
    struct email_file *file = reading->out;
    if (str_eq_nocase(key, STR("channel")))
        return channel_of_template(value.text, &file->channel)
                   ? OK
                   : fault(reading, "There is no such channel.",
                           "Use email, sms, webhook, staff or post.");
    if (str_eq_nocase(key, STR("transactional"))) {
        file->transactional = str_eq_nocase(value.text, STR("yes"));
        return OK;
    }
    const struct {
        const char        *key;
        struct str        *text;
        struct email_part *part;
    } heads[] = {
        { "topic", &file->topic, NULL }, { "from", &file->from, NULL },
        { "to", &file->to, NULL },       { "method", &file->method, NULL },
        { "size", &file->size, NULL },   { "subject", NULL, &file->subject },
        { "url", NULL, &file->url },
    };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (str_eq_nocase(key, str_of(heads[i].key))) {
            if (heads[i].text != NULL)
                *heads[i].text = value.text;
            else
                *heads[i].part = value;
            return OK;
        }
    return fault(reading, "There is no such header for this channel.",
                 "Use channel, topic, transactional, from, to, subject, method, url and size.");
}

static enum err head_line(struct reading *reading, struct str line)
{
    size_t     colon = str_find_char(line, 0, ':');
    struct str text = str_trim(str_slice(line, colon + 1, line.len));
    if (colon == line.len)
        return fault(reading, "This line is not \"name: value\".",
                     "Write a header line, or \"--- text\" where the body begins.");
    /* Conditions of blocks, and links' tags, are those of e-mails. */
    return head_put(
        reading, str_trim(str_slice(line, 0, colon)),
        (struct email_part){ text, reading->line, (uint32_t)(text.ptr - line.ptr) + 1 });
}

/* ---- the bodies ---- */

static struct email_part *body_of(struct email_file *file, struct str marker)
{
    struct str name = str_trim(str_slice(marker, 3, marker.len));
    const struct {
        const char        *name;
        struct email_part *part;
    } bodies[] = {
        { "text", &file->text }, { "body", &file->text },       { "front", &file->html },
        { "back", &file->back }, { "headers", &file->headers },
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        if (str_eq_nocase(name, str_of(bodies[i].name)))
            return bodies[i].part;
    return NULL;
}

static enum err bodies_read(struct reading *reading, struct str line)
{
    struct email_part *part = NULL;
    do {
        struct email_part *next = str_starts(line, STR("---")) ? body_of(reading->out, line) : NULL;
        if (next != NULL) {
            if (next->line != 0)
                return fault(reading, "This body is here twice.", "Keep one of them.");
            part = next;
            *part = (struct email_part){ { reading->rest.ptr, 0 }, reading->line + 1, 1 };
            continue;
        }
        if (part == NULL)
            return fault(reading, "There is no such body.",
                         "Use \"--- text\", \"--- body\", \"--- headers\", \"--- front\" or \"--- "
                         "back\".");
        part->text.len = (size_t)(line.ptr + line.len - part->text.ptr);
    } while (line_next(reading, &line));
    return OK;
}

/* ---- what a channel needs ---- */

static enum err channel_check(const struct reading *reading)
{
    const struct email_file *file = reading->out;
    bool                     has_text = str_trim(file->text.text).len > 0;
    switch (file->channel) {
    case CHANNEL_SMS:
        return has_text ? OK : fault(reading, "The text is empty.", "Write it below \"--- text\".");
    case CHANNEL_WEBHOOK:
        return file->url.text.len > 0 ? OK
                                      : fault(reading, "The webhook has no address.",
                                              "Add a line \"url: https://...\".");
    case CHANNEL_POST:
        return file->html.line > 0 && file->back.line > 0
                   ? OK
                   : fault(reading, "A postcard has two sides.",
                           "Write \"--- front\" and \"--- back\", each with HTML.");
    case CHANNEL_STAFF:
        if (!has_text || file->to.len == 0)
            return fault(reading, "Who is told, or what, is missing.",
                         "Add \"to: name@shop.example\" or \"to: slack\", and a text.");
        return str_eq(file->to, STR("slack")) || file->subject.text.len > 0
                   ? OK
                   : fault(reading, "The message to the staff has no subject.",
                           "Add a line \"subject: ...\".");
    default:
        return OK;
    }
}

enum err notice_file_parse(struct str name, struct str source, struct email_file *out,
                           struct problem *problem)
{
    struct email_file file = { .channel = CHANNEL_EMAIL };
    struct reading    reading = { .name = name, .rest = source, .out = &file, .problem = problem };
    struct str        line;
    if (source.len > EMAIL_FILE_BYTES_MAX || !str_is_utf8(source))
        return fault(&reading, "The template is larger than 2 MB, or not UTF-8.", "Save it so.");
    while (line_next(&reading, &line)) {
        if (str_starts(line, STR("---"))) {
            TRY(bodies_read(&reading, line));
            break;
        }
        if (str_trim(line).len > 0)
            TRY(head_line(&reading, line));
    }
    TRY(channel_check(&reading));
    *out = file;
    return OK;
}
