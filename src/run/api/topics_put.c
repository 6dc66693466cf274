#include "run/api/topics_put.h"

struct template_question {
    struct str name;
    bool       is_there;
};

static bool template_ask(struct engine *engine, struct task *task)
{
    struct template_question *question = task->context;
    const struct program     *program = engine_program(engine);
    question->is_there =
        program_template_at(program, program_template(program, question->name))->version > 0;
    return true;
}

static bool asks_to_confirm(const struct json *root)
{
    const struct json *list = json_get(root, STR("topics"));
    for (uint32_t i = 0; list != NULL && i < list->count; i++) {
        const struct json *confirm = json_get(&list->items[i], STR("confirm"));
        if (confirm != NULL && confirm->count > 0)
            return true;
    }
    return false;
}

enum err topics_template_wanted(struct call *call, struct str text, struct str *name)
{
    struct template_question question;
    struct json              root;
    *name = STR_NONE;
    TRY(json_parse(call->desk->parser, call->arena, text, &root, &call->problem));
    if (!asks_to_confirm(&root))
        return OK;
    question.name = json_get_str(json_get(&root, STR("confirm")), STR("template"));
    if (str_is_empty(question.name))
        question.name = STR("confirm");
    TRY(call_ask(call, template_ask, &question));
    if (!question.is_there)
        *name = question.name;
    return OK;
}
