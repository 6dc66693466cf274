#include "run/api/linked_judge.h"

#include <stdio.h>

#include "base/time.h"
#include "run/api/sharing.h"
#include "run/send/linked.h"
#include "run/send/snippets.h"
#include "template/template.h"

enum { NAMES_MAX = 200 };

struct name {
    enum definition_kind kind;
    struct str           name;
    uint32_t             line;
    const char          *part;
    bool                 is_there;
};

struct names {
    struct call         *call;
    enum definition_kind kind; /* of those that are being read */
    struct name          items[NAMES_MAX];
    uint32_t             count;
};

static void name_note(void *context, struct str name, uint32_t line, const char *part)
{
    struct names *names = context;
    for (uint32_t i = 0; i < names->count; i++)
        if (names->items[i].kind == names->kind && str_eq(names->items[i].name, name))
            return;
    if (name.len > 0 && names->count < NAMES_MAX)
        names->items[names->count++] =
            (struct name){ names->kind, str_copy(names->call->arena, name), line, part, false };
}

static bool names_ask(struct engine *engine, struct task *task)
{
    struct names        *names = task->context;
    const struct papers *papers = &engine_program(engine)->papers;
    for (uint32_t i = 0; i < names->count; i++)
        names->items[i].is_there =
            papers_find(papers, names->items[i].kind, names->items[i].name, 0) != NULL;
    return true;
}

static enum check_part part_of(const char *name)
{
    for (int part = CHECK_SUBJECT; part <= CHECK_TEXT; part++)
        if (str_eq(str_of(name), str_of(check_part_name((enum check_part)part))))
            return (enum check_part)part;
    return CHECK_TEXT; /* of another channel than e-mail */
}

static void told(const struct name *name, struct check_findings *out)
{
    bool                 is_question = name->kind == DEFINE_QUESTION;
    struct check_finding finding = { .severity = CHECK_ERROR,
                                     .part = part_of(name->part),
                                     .line = name->line,
                                     .about = is_question ? "question" : "file",
                                     .remedy = is_question ? "Put it into questions/, or write the "
                                                             "name of one that is there."
                                                           : "Put it into files/, or write the "
                                                             "name of one that is there." };
    snprintf(finding.what, sizeof finding.what, "There is no %s \"%.*s\".",
             is_question ? "question" : "file", STR_ARG(str_slice(name->name, 0, 80)));
    finding_add(out, finding);
}

static enum err parts_read(struct str name, const struct email_file *file,
                           const struct template_conf *conf, struct email *email)
{
    *email = (struct email){ .file = *file };
    TRY(email_part_template(name, &file->subject, conf, &email->subject, NULL));
    TRY(email_part_template(name, &file->preheader, conf, &email->preheader, NULL));
    TRY(email_part_template(name, &file->html, conf, &email->html, NULL));
    TRY(email_part_template(name, &file->text, conf, &email->text, NULL));
    TRY(email_part_template(name, &file->url, conf, &email->url, NULL));
    TRY(email_part_template(name, &file->headers, conf, &email->headers, NULL));
    return email_part_template(name, &file->back, conf, &email->back, NULL);
}

static void parts_close_all(struct email *email)
{
    template_close(email->subject);
    template_close(email->preheader);
    template_close(email->html);
    template_close(email->text);
    template_close(email->url);
    template_close(email->headers);
    template_close(email->back);
}

enum err linked_judge(struct call *call, struct str name, const struct email_file *file,
                      struct check_findings *out)
{
    SCOPED(snippets_closep) struct snippets *snippets = NULL;
    struct names                            *names = ARENA_NEW(call->arena, struct names);
    struct email                             email;
    if (names == NULL)
        return ERR_MEMORY;
    *names = (struct names){ .call = call, .kind = DEFINE_QUESTION };
    TRY(snippets_now(call, &snippets));
    struct snippets_view view = { .snippets = snippets, .at_ms = TIME_NEVER };
    struct template_conf conf = { .snippet = snippets_find, .snippet_owner = &view };
    enum err             err = parts_read(name, file, &conf, &email);
    if (err == OK) {
        linked_names(&email, STR("questions"), name_note, names);
        names->kind = DEFINE_FILE;
        linked_names(&email, STR("files"), name_note, names);
    }
    parts_close_all(&email);
    TRY(err == ERR_MEMORY ? err : OK); /* a fault of the text is told where it is read */
    TRY(call_ask(call, names_ask, names));
    for (uint32_t i = 0; i < names->count; i++)
        if (!names->items[i].is_there)
            told(&names->items[i], out);
    return OK;
}
