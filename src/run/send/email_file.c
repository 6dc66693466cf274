#include "run/send/email_file.h"

#include <stdio.h>

#include "run/send/notice_file.h"
#include "run/send/snippets.h"
#include "template/template.h"

/* One reading of one file. */
struct reading {
    struct str         name, rest; /* rest: the lines not yet read */
    const char        *begin;
    uint32_t           line;
    struct email_file *out;
    struct problem    *problem;
    uint32_t           seen; /* bits of enum head, so that a line given twice is found */
};

enum head {
    HEAD_SUBJECT,
    HEAD_PREHEADER,
    HEAD_TOPIC,
    HEAD_TRANSACTIONAL,
    HEAD_FROM,
    HEAD_SENDER,
    HEAD_LANGUAGE,
    HEAD_UTM,
    HEAD_IN_DOUBT,
    HEAD_UTM_FIRST, /* one for each of enum utm_key */
    HEADS = HEAD_UTM_FIRST + UTM_KEYS
};

static const char *head_name(uint32_t head)
{
    static const char *const names[HEAD_UTM_FIRST] = {
        [HEAD_SUBJECT] = "subject",   [HEAD_PREHEADER] = "preheader",
        [HEAD_TOPIC] = "topic",       [HEAD_TRANSACTIONAL] = "transactional",
        [HEAD_FROM] = "from",         [HEAD_SENDER] = "sender",
        [HEAD_LANGUAGE] = "language", [HEAD_UTM] = "utm",
        [HEAD_IN_DOUBT] = "in_doubt",
    };
    return head < HEAD_UTM_FIRST ? names[head] : utm_names[head - HEAD_UTM_FIRST];
}

static void place_write(char *out, size_t room, struct str name, uint32_t line, uint32_t column)
{
    snprintf(out, room, "templates/%.*s.email:%u:%u", STR_ARG(name), line, column);
}

static enum err fault(const struct reading *reading, uint32_t column, const char *what,
                      const char *remedy)
{
    char where[160];
    place_write(where, sizeof where, reading->name, reading->line, column);
    return problem_set(reading->problem, ERR_INPUT, where, what, remedy);
}

/* The next line without its end; false after the last. */
static bool line_next(struct reading *reading, struct str *line)
{
    if (!str_split(&reading->rest, '\n', line))
        return false;
    reading->line++;
    if (str_ends(*line, STR("\r")))
        line->len--;
    return true;
}

/* ---- the head ---- */

static enum err head_put(struct reading *reading, enum head head, struct email_part value)
{
    struct email_file *file = reading->out;
    switch (head) {
    case HEAD_SUBJECT:
        file->subject = value;
        break;
    case HEAD_PREHEADER:
        file->preheader = value;
        break;
    case HEAD_TOPIC:
        file->topic = value.text;
        break;
    case HEAD_FROM:
        file->from = value.text;
        break;
    case HEAD_SENDER:
        file->sender = value.text;
        break;
    case HEAD_LANGUAGE:
        file->language = value.text;
        break;
    case HEAD_UTM:
        file->no_utm = str_eq_nocase(value.text, STR("no"));
        if (!file->no_utm)
            return fault(reading, value.column, "\"utm\" can only be no.",
                         "Write \"utm: no\", or \"utm_campaign: ...\" and the like.");
        break;
    case HEAD_TRANSACTIONAL:
        file->transactional = str_eq_nocase(value.text, STR("yes"));
        if (!file->transactional && !str_eq_nocase(value.text, STR("no")))
            return fault(
                reading, value.column, "\"transactional\" is neither yes nor no.",
                "Write \"transactional: yes\" for receipts and the like, otherwise \"no\".");
        break;
    case HEAD_IN_DOUBT:
        if (!str_eq_nocase(value.text, STR("send again")))
            return fault(reading, value.column, "\"in_doubt\" can only be send again.",
                         "Leave it out: then what is in doubt is not sent again.");
        file->in_doubt_line = value.line;
        break;
    default:
        file->utm[head - HEAD_UTM_FIRST] = value;
    }
    return OK;
}

static enum err head_line(struct reading *reading, struct str line)
{
    size_t     colon = str_find_char(line, 0, ':');
    struct str key = str_trim(str_slice(line, 0, colon));
    struct str text = str_trim(str_slice(line, colon + 1, line.len));
    if (colon == line.len)
        return fault(reading, 1, "This line is not \"name: value\".",
                     "Write a header line, or \"--- html\" where the body begins.");
    if (str_eq_nocase(str_slice(key, 0, 5), STR("when ")) || str_eq_nocase(key, STR("channel")))
        return OK; /* a condition, which the engine reads; e-mail, or we were not here */
    for (uint32_t head = 0; head < HEADS; head++) {
        if (!str_eq_nocase(key, str_of(head_name(head))))
            continue;
        if (reading->seen & 1U << head)
            return fault(reading, 1, "This header line is here twice.", "Keep one of them.");
        reading->seen |= 1U << head;
        return head_put(
            reading, (enum head)head,
            (struct email_part){ text, reading->line, (uint32_t)(text.ptr - line.ptr) + 1 });
    }
    char where[160];
    place_write(where, sizeof where, reading->name, reading->line, 1);
    return problem_format(reading->problem, ERR_INPUT, where,
                          "Use subject, preheader, topic, transactional, sender, from, language, "
                          "in_doubt, utm, utm_source (medium, campaign, term, content) and when "
                          "NAME.",
                          "There is no header \"%.*s\".", STR_ARG(key));
}

/* ---- the bodies ---- */

static struct email_part *body_of_marker(struct email_file *file, struct str line)
{
    if (!str_starts(line, STR("---")))
        return NULL;
    struct str name = str_trim(str_slice(line, 3, line.len));
    if (str_eq_nocase(name, STR("html")))
        return &file->html;
    if (str_eq_nocase(name, STR("mjml")))
        return &file->mjml;
    return str_eq_nocase(name, STR("text")) ? &file->text : NULL;
}

static enum err body_begin(struct reading *reading, struct email_part *part)
{
    if (part->line != 0)
        return fault(reading, 1, "This body is here twice.",
                     "Keep one \"--- html\", one \"--- text\" and one \"--- mjml\".");
    *part = (struct email_part){ { reading->rest.ptr, 0 }, reading->line + 1, 1 };
    return OK;
}

static enum err bodies_read(struct reading *reading, struct email_part *part)
{
    struct str line;
    TRY(body_begin(reading, part));
    while (line_next(reading, &line)) {
        struct email_part *next = body_of_marker(reading->out, line);
        if (next == NULL) {
            const char *end = reading->rest.ptr != NULL && reading->rest.len > 0
                                  ? reading->rest.ptr
                                  : line.ptr + line.len;
            part->text.ptr = part->text.ptr == NULL ? line.ptr : part->text.ptr;
            part->text.len = (size_t)(end - part->text.ptr);
            continue;
        }
        part = next;
        TRY(body_begin(reading, part));
    }
    return OK;
}

static enum err head_read(struct reading *reading)
{
    struct str line;
    while (line_next(reading, &line)) {
        struct email_part *part = body_of_marker(reading->out, line);
        if (part != NULL)
            return bodies_read(reading, part);
        if (str_starts(line, STR("---")))
            return fault(reading, 1, "There is no such body.",
                         "Use \"--- html\", \"--- text\" or \"--- mjml\".");
        if (line.ptr + line.len - reading->begin > EMAIL_FILE_HEAD_BYTES_MAX)
            return fault(reading, 1, "The header lines are longer than 8 KB.", "Shorten them.");
        if (str_trim(line).len > 0)
            TRY(head_line(reading, line));
    }
    return fault(reading, 1, "The template has no body.",
                 "Add a line \"--- html\" and the HTML below it.");
}

enum err email_file_parse(struct str name, struct str source, struct email_file *out,
                          struct problem *problem)
{
    struct email_file file = { .channel = CHANNEL_EMAIL };
    struct reading    reading = {
           .name = name, .rest = source, .begin = source.ptr, .out = &file, .problem = problem
    };
    if (notice_file_is_one(source))
        return notice_file_parse(name, source, out, problem);
    if (source.len > EMAIL_FILE_BYTES_MAX) {
        reading.line = 1;
        (void)fault(&reading, 1, "The template is larger than 2 MB.", "Put images behind links.");
        return ERR_LIMIT;
    }
    if (!str_is_utf8(source)) {
        reading.line = 1;
        return fault(&reading, 1, "The file is not UTF-8.", "Save it as UTF-8.");
    }
    TRY(head_read(&reading));
    if (str_is_empty(file.subject.text)) {
        reading.line = file.subject.line > 0 ? file.subject.line : 1;
        return fault(&reading, 1, "The template has no subject.",
                     "Begin the file with a line \"subject: ...\".");
    }
    if (file.in_doubt_line > 0 && !file.transactional) {
        reading.line = file.in_doubt_line;
        return fault(&reading, 1, "Only what is transactional is sent again when in doubt.",
                     "Write \"transactional: yes\", or leave \"in_doubt\" out.");
    }
    if (str_trim(file.html.text).len == 0 && str_trim(file.text.text).len == 0)
        return fault(&reading, 1, "The body is empty.", "Write HTML below \"--- html\".");
    *out = file;
    return OK;
}

/* ---- Liquid ---- */

/* The template room counts from the part's first byte, people from the file's. */
static void place_move(struct str name, const struct email_part *part, struct problem *problem)
{
    unsigned line = 1, column = 1;
    if (problem->where[0] > '9') { /* in a snippet, which is a file of its own */
        snippets_place(problem);
        return;
    }
    if (sscanf(problem->where, "%u:%u", &line, &column) < 1)
        line = 1;
    if (line == 1)
        column += part->column - 1;
    place_write(problem->where, sizeof problem->where, name, line + part->line - 1, column);
}

enum err email_part_template(struct str name, const struct email_part *part,
                             const struct template_conf *conf, struct template **out,
                             struct problem *problem)
{
    struct problem   inside = { 0 };
    struct template *made = NULL;
    if (part->line == 0 || part->text.len == 0) {
        *out = NULL;
        return OK;
    }
    enum err err = template_parse(&made, part->text, conf, &inside);
    if (err == OK) {
        *out = made;
        return OK;
    }
    place_move(name, part, &inside);
    if (problem != NULL)
        *problem = inside;
    return err;
}

enum err email_file_check(struct str name, struct str source, const struct template_conf *conf,
                          struct email_file *out, struct problem *problem)
{
    struct email_file file;
    TRY(email_file_parse(name, source, &file, problem));
    const struct email_part *const parts[] = { &file.subject, &file.preheader, &file.html,
                                               &file.text,    &file.url,       &file.headers,
                                               &file.back };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        SCOPED(template_closep) struct template *made = NULL;
        TRY(email_part_template(name, parts[i], conf, &made, problem));
    }
    for (size_t i = 0; i < UTM_KEYS; i++) {
        SCOPED(template_closep) struct template *made = NULL;
        TRY(email_part_template(name, &file.utm[i], conf, &made, problem));
    }
    if (out != NULL)
        *out = file;
    return OK;
}
