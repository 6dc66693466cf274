#include "run/api/sharing.h"

#include "base/time.h"
#include "run/send/email_file.h"
#include "run/send/snippets.h"

static enum err snippet_each(void *ctx, const struct store_definition *row)
{
    return snippets_take(ctx, row);
}

enum err snippets_now(struct call *call, struct snippets **out)
{
    TRY(snippets_open(out, call->desk->reader));
    return store_definitions_read(call->desk->reader, 0, snippet_each, *out);
}

/* Definitions have the time of their record, which may be a little ahead of ours. */
static struct snippets_view view_of(const struct snippets *snippets, struct str hidden)
{
    return (struct snippets_view){ .snippets = snippets, .at_ms = TIME_NEVER, .hidden = hidden };
}

enum err templates_check(struct call *call, struct str name, struct str text)
{
    SCOPED(snippets_closep) struct snippets *snippets = NULL;
    TRY(snippets_now(call, &snippets));
    struct snippets_view view = view_of(snippets, STR_NONE);
    struct template_conf conf = { .snippet = snippets_find, .snippet_owner = &view };
    return email_file_check(name, text, &conf, NULL, &call->problem);
}

enum { TEMPLATES_MAX = 40000 };

struct row {
    struct str name;
    uint64_t   id;
};

/* The newest version of each template. */
struct newest {
    struct call *call;
    struct row  *items;
    uint32_t     count;
};

static enum err newest_each(void *ctx, const struct store_definition *row)
{
    struct newest *newest = ctx;
    if (row->kind != STORE_DEFINITION_TEMPLATE)
        return OK;
    uint32_t at = 0;
    while (at < newest->count && !str_eq(newest->items[at].name, row->name))
        at++;
    if (at == TEMPLATES_MAX)
        return ERR_LIMIT;
    newest->items[at].name = str_copy(newest->call->arena, row->name);
    newest->items[at].id = row->id;
    newest->count += at == newest->count;
    return newest->items[at].name.ptr == NULL ? ERR_MEMORY : OK;
}

struct wanted {
    struct arena *arena;
    struct str    text;
};

static enum err wanted_each(void *ctx, const struct store_definition *row)
{
    struct wanted *wanted = ctx;
    wanted->text = str_copy(wanted->arena, row->text);
    return wanted->text.ptr == NULL ? ERR_MEMORY : ERR_LIMIT; /* ERR_LIMIT: one is enough */
}

static enum err template_try(struct str name, struct str text, struct snippets_view *view)
{
    struct template_conf conf = { .snippet = snippets_find, .snippet_owner = view };
    return email_file_check(name, text, &conf, NULL, NULL);
}

/* A template that is broken already is none of this deletion's doing. */
static enum err template_breaks(struct call *call, const struct row *row,
                                const struct snippets *snippets, struct str snippet, bool *breaks)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(2 * EMAIL_FILE_BYTES_MAX);
    struct snippets_view all = view_of(snippets, STR_NONE), without = view_of(snippets, snippet);
    struct wanted        wanted = { .arena = scratch };
    *breaks = false;
    if (scratch == NULL)
        return ERR_MEMORY;
    enum err err = store_definitions_read(call->desk->reader, row->id, wanted_each, &wanted);
    if (err != OK && err != ERR_LIMIT)
        return err;
    if (wanted.text.len > 0)
        *breaks = template_try(row->name, wanted.text, &without) != OK &&
                  template_try(row->name, wanted.text, &all) == OK;
    return OK;
}

enum err templates_spare(struct call *call, struct str snippet)
{
    SCOPED(snippets_closep) struct snippets *snippets = NULL;
    struct newest                            newest = { .call = call };
    TRY(snippets_now(call, &snippets));
    newest.items = ARENA_ARRAY(call->arena, TEMPLATES_MAX, struct row);
    if (newest.items == NULL)
        return ERR_MEMORY;
    TRY(store_definitions_read(call->desk->reader, 0, newest_each, &newest));
    for (uint32_t i = 0; i < newest.count; i++) {
        bool breaks;
        TRY(template_breaks(call, &newest.items[i], snippets, snippet, &breaks));
        if (breaks)
            return problem_format(
                &call->problem, ERR_CONFLICT, "name", "Take it out of the template first.",
                "The template \"%.*s\" needs this snippet.", STR_ARG(newest.items[i].name));
    }
    return OK;
}
