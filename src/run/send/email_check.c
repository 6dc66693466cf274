#include "run/send/email_check.h"

#include <stdlib.h>

#include "base/json.h"
#include "message/check.h"

static const struct email_part *part_of(const struct email_file *file, enum check_part part)
{
    return part == CHECK_SUBJECT     ? &file->subject
           : part == CHECK_PREHEADER ? &file->preheader
           : part == CHECK_TEXT      ? &file->text
                                     : &file->html;
}

static void text_write(struct buf *out, const char *key, const char *text)
{
    buf_format(out, ",\"%s\":", key);
    json_write_str(out, str_of(text));
}

static void findings_write(const struct check_findings *findings, const struct email_file *file,
                           struct buf *out)
{
    uint32_t errors = 0;
    buf_str(out, STR("\"findings\":["));
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct check_finding *one = &findings->at[i];
        uint32_t                    line = part_of(file, one->part)->line + one->line - 1;
        errors += one->severity == CHECK_ERROR;
        buf_format(out, "%s{\"severity\":\"%s\",\"part\":\"%s\",\"line\":%u", i == 0 ? "" : ",",
                   check_severity_name(one->severity), check_part_name(one->part), line);
        text_write(out, "about", one->about);
        text_write(out, "what", one->what);
        text_write(out, "remedy", one->remedy);
        buf_char(out, '}');
    }
    buf_format(out, "],\"errors\":%u", errors);
}

enum err email_findings_write(const struct email_file *file, const struct workspace *workspace,
                              struct buf *out, struct problem *problem)
{
    struct check_in in = { .subject = file->subject.text,
                           .preheader = file->preheader.text,
                           .html = file->html.text,
                           .text = file->text.text,
                           .unsubscribe = STR("links.unsubscribe"),
                           .address = workspace == NULL ? STR_NONE : workspace->address,
                           .is_template = true,
                           .is_transactional = file->transactional,
                           .knows_address = workspace != NULL };
    if (file->channel != CHANNEL_EMAIL)
        return notice_findings_write(file, out);
    struct check_findings *findings = calloc(1, sizeof *findings);
    if (findings == NULL)
        return ERR_MEMORY;
    enum err err = check_mail(&in, findings, problem);
    if (err == OK)
        findings_write(findings, file, out);
    free(findings);
    return err == OK ? buf_err(out) : err;
}
