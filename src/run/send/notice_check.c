/* What would hurt, or cost, the messages of a template that is no e-mail. */
#include <stdio.h>

#include "base/json.h"
#include "message/pdf.h"
#include "message/sms.h"
#include "run/send/email_check.h"

enum { LOST_BYTES_MAX = 300 };

static void finding(struct buf *out, const char *severity, const char *part, uint32_t line,
                    const char *about, const char *remedy, const char *what)
{
    buf_format(out, "{\"severity\":\"%s\",\"part\":\"%s\",\"line\":%u,\"about\":\"%s\",\"what\":",
               severity, part, line, about);
    json_write_str(out, str_of(what));
    buf_str(out, STR(",\"remedy\":"));
    json_write_str(out, str_of(remedy));
    buf_char(out, '}');
}

/* As it is written, with what Liquid will put in counted by the length of its tags. */
static uint32_t sms_findings(const struct email_part *text, struct buf *out)
{
    char               what[200];
    struct sms_measure is = sms_measure(str_trim(text->text));
    snprintf(what, sizeof what, "As written it is %u part%s, %s, %u characters.", is.parts,
             is.parts == 1 ? "" : "s", sms_encoding_name(is.encoding), is.characters);
    finding(out, is.parts > SMS_PARTS_MAX ? "error" : "note", "text", text->line, "parts",
            is.parts > SMS_PARTS_MAX ? "Shorten it: more than 10 are not sent."
                                     : "A preview for a person shows their own.",
            what);
    if (is.encoding == SMS_GSM)
        return is.parts > SMS_PARTS_MAX;
    snprintf(what, sizeof what,
             "\"%.*s\" is outside the alphabet of GSM: a part has 70 characters, not 160.",
             STR_ARG(is.culprit));
    buf_char(out, ',');
    finding(out, "warning", "text", text->line, "alphabet", "Write it with a plain letter.", what);
    return is.parts > SMS_PARTS_MAX;
}

static void next_of(bool *first, struct buf *out)
{
    if (!*first)
        buf_char(out, ',');
    *first = false;
}

/* True: an error, for with such an image nothing is printed. */
static bool image_findings(const struct email_part *side, const char *part, bool *first,
                           struct buf *out)
{
    struct problem problem;
    size_t         file = str_find(side->text, 0, STR("files."));
    if (str_find(side->text, file, STR(".image")) < side->text.len) {
        next_of(first, out);
        finding(out, "note", part, side->line, "image", "On a postcard show one by https.",
                "Images of files/ show on letters alone.");
    }
    if (pdf_images_check(side->text, &problem) != ERR_INPUT)
        return false;
    next_of(first, out);
    finding(out, "error", part, side->line, "image", problem.remedy, problem.what);
    return true;
}

/* What no letter shows: whether it goes as one, its way decides. */
static void side_findings(const struct email_part *side, const char *part, bool *first,
                          struct buf *out)
{
    SCOPED(buf_donep) struct buf what = buf_make(LOST_BYTES_MAX);
    uint32_t                     lost = 0;
    struct problem               problem;
    if (pdf_lost(side->text, &lost, &problem) != OK || lost == 0)
        return;
    buf_str(&what, STR("Printed as a letter (by a provider that takes a PDF) it is without "));
    pdf_lost_write(lost, &what);
    buf_str(&what, STR(".\0"));
    if (buf_err(&what) != OK)
        return;
    next_of(first, out);
    finding(out, "note", part, side->line, "letter",
            "A postcard shows them. A preview shows the letter as it is printed.", what.ptr);
}

enum err notice_findings_write(const struct email_file *file, struct buf *out)
{
    uint32_t errors = 0;
    bool     first = true;
    buf_str(out, STR("\"findings\":["));
    if (file->channel == CHANNEL_SMS)
        errors = sms_findings(&file->text, out);
    if (file->channel == CHANNEL_POST) {
        side_findings(&file->html, "front", &first, out);
        side_findings(&file->back, "back", &first, out);
        errors += image_findings(&file->html, "front", &first, out);
        errors += image_findings(&file->back, "back", &first, out);
    }
    buf_format(out, "],\"errors\":%u", errors);
    return buf_err(out);
}
