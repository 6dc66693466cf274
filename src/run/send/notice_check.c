/* What would hurt, or cost, the messages of a template that is no e-mail. */
#include <stdio.h>

#include "base/json.h"
#include "message/sms.h"
#include "run/send/email_check.h"

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

enum err notice_findings_write(const struct email_file *file, struct buf *out)
{
    uint32_t errors = 0;
    buf_str(out, STR("\"findings\":["));
    if (file->channel == CHANNEL_SMS)
        errors = sms_findings(&file->text, out);
    buf_format(out, "],\"errors\":%u", errors);
    return buf_err(out);
}
