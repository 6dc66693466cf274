#include "template/parse.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    parse_tag  *parse;
} TAGS[] = {
    { "if", parse_if },           { "for", parse_for },           { "assign", parse_assign },
    { "unless", parse_unless },   { "case", parse_case },         { "capture", parse_capture },
    { "comment", parse_comment }, { "render", parse_render },     { "include", parse_include },
    { "echo", parse_echo },       { "liquid", parse_liquid },     { "#", parse_hash },
    { "raw", parse_raw },         { "doc", parse_doc },           { "increment", parse_count },
    { "decrement", parse_count }, { "cycle", parse_cycle },       { "tablerow", parse_tablerow },
    { "break", parse_break },     { "continue", parse_continue }, { "ifchanged", parse_ifchanged },
};

uint32_t parse_line(struct parser *p, const char *at)
{
    /* Counted from the last place asked for, so that a long template is read once. */
    if (p->line_at == NULL) {
        p->line_at = p->source.ptr;
        p->line_number = 1;
    }
    for (; p->line_at < at; p->line_at++)
        p->line_number += *p->line_at == '\n';
    for (; p->line_at > at; p->line_at--)
        p->line_number -= p->line_at[-1] == '\n';
    return p->line_number;
}

/* "3:14" or "snippets/footer:3:14"; columns count bytes from 1. */
static void place_write(struct parser *p, const char *at, char *out, size_t bytes)
{
    const char *line_start = at;
    while (line_start > p->source.ptr && line_start[-1] != '\n')
        line_start--;
    unsigned line = parse_line(p, at), column = (unsigned)(at - line_start) + 1;
    if (p->unit->name.len == 0)
        snprintf(out, bytes, "%u:%u", line, column);
    else
        snprintf(out, bytes, "%.*s:%u:%u", STR_ARG(str_slice(p->unit->name, 0, 100)), line, column);
}

enum err parse_fault(struct parser *p, const char *at, const char *remedy, const char *format, ...)
{
    char    what[sizeof p->problem->what], where[sizeof p->problem->where];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    place_write(p, at, where, sizeof where);
    return problem_set(p->problem, ERR_INPUT, where, what, remedy);
}

enum err parse_append(struct parser *p, void *items, uint32_t *room, uint32_t count, size_t size)
{
    void *old = NULL;
    memcpy(&old, items, sizeof old);
    if (count < *room)
        return OK;
    uint32_t more = *room == 0 ? 8 : *room * 2;
    void    *grown = arena_array(p->arena, more, size);
    if (grown == NULL)
        return problem_set(p->problem, ERR_LIMIT, "", "the template is too large when compiled",
                           "Shorten it, or use fewer and smaller snippets.");
    if (count > 0)
        memcpy(grown, old, (size_t)count * size);
    memcpy(items, &grown, sizeof grown);
    *room = more;
    return OK;
}

enum err parse_op(struct parser *p, struct op op, uint32_t *index)
{
    struct unit *unit = p->unit;
    TRY(parse_append(p, &unit->ops, &p->op_room, unit->op_count, sizeof op));
    if (p->tag_at != p->piece.at) {
        p->tag_at = p->piece.at;
        p->tag_line = parse_line(p, p->piece.at);
    }
    if (op.line == 0)
        op.line = p->tag_line;
    if (index != NULL)
        *index = unit->op_count;
    unit->ops[unit->op_count++] = op;
    return OK;
}

enum err parse_jump(struct parser *p, struct jumps *jumps, struct op op)
{
    TRY(parse_append(p, &jumps->at, &jumps->room, jumps->count, sizeof *jumps->at));
    return parse_op(p, op, &jumps->at[jumps->count++]);
}

void parse_land(struct parser *p, struct jumps *jumps)
{
    for (uint32_t i = 0; i < jumps->count; i++)
        p->unit->ops[jumps->at[i]].target = p->unit->op_count;
    jumps->count = 0;
}

void parse_drop_blank(struct parser *p, uint32_t from)
{
    for (uint32_t i = from; i < p->unit->op_count; i++) {
        struct op *op = &p->unit->ops[i];
        if (op->code == OP_TEXT && !op->keep)
            op->code = OP_NOP;
    }
}

void parse_keep(struct parser *p, uint32_t from)
{
    for (uint32_t i = from; i < p->unit->op_count; i++)
        p->unit->ops[i].keep = true;
}

static uint32_t *index_slot(const struct index *index, struct str name)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < name.len; i++)
        hash = (hash ^ (unsigned char)name.ptr[i]) * UINT32_C(16777619);
    return (uint32_t *)(uintptr_t)&index->heads[(hash ^ hash >> 16) % 256];
}

uint32_t parse_index_head(const struct index *index, struct str name)
{
    return *index_slot(index, name);
}

enum err parse_index(struct parser *p, struct index *index, struct str name, uint32_t number)
{
    TRY(parse_append(p, &index->next, &index->room, number, sizeof *index->next));
    uint32_t *slot = index_slot(index, name);
    index->next[number] = *slot;
    *slot = number + 1;
    return OK;
}

enum err parse_symbol(struct parser *p, struct str name, uint32_t *symbol)
{
    struct template *t = p->t;
    for (uint32_t i = parse_index_head(&t->symbol_index, name); i > 0;
         i = t->symbol_index.next[i - 1]) {
        if (str_eq(t->symbols[i - 1], name)) {
            *symbol = i - 1;
            return OK;
        }
    }
    if (t->symbol_count >= TEMPLATE_NAMES_MAX)
        return problem_format(p->problem, ERR_LIMIT, "", "Use fewer variables, or lists of them.",
                              "more than %d different variables", TEMPLATE_NAMES_MAX);
    TRY(parse_append(p, &t->symbols, &t->symbol_room, t->symbol_count, sizeof *t->symbols));
    TRY(parse_index(p, &t->symbol_index, name, t->symbol_count));
    t->symbols[t->symbol_count] = name;
    *symbol = t->symbol_count++;
    return OK;
}

enum err parse_bind(struct parser *p, uint32_t symbol)
{
    TRY(parse_append(p, &p->bound, &p->bound_room, p->bound_count, sizeof *p->bound));
    p->bound[p->bound_count++] = symbol;
    return OK;
}

enum err parse_bind_rest(struct parser *p, uint32_t symbol)
{
    for (uint32_t i = 0; i < p->bound_count; i++)
        if (p->bound[i] == symbol)
            return OK;
    return parse_bind(p, symbol);
}

/* Entries are blanked, not cut: what was assigned meanwhile stays bound behind them. */
void parse_unbind(struct parser *p, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to && i < p->bound_count; i++)
        p->bound[i] = SYMBOL_NONE;
    if (p->bound_count == to)
        p->bound_count = from;
}

bool parse_by_patterns(const struct parser *p)
{
    return p->t->conf.strictness != TEMPLATE_STRICT2;
}

uint32_t parse_temp(struct parser *p)
{
    return p->unit->temp_count++;
}

static parse_tag *tag_find(struct str name)
{
    for (size_t i = 0; i < sizeof TAGS / sizeof TAGS[0]; i++)
        if (str_eq(name, str_of(TAGS[i].name)))
            return TAGS[i].parse;
    return NULL;
}

static enum err parse_text(struct parser *p, struct body *body)
{
    struct str text = p->piece.markup;
    if (text.len == 0)
        return OK;
    if (!text_is_blank(text))
        body->blank = false;
    return parse_op(p, (struct op){ .code = OP_TEXT, .text = text }, NULL);
}

static enum err parse_output(struct parser *p, struct body *body)
{
    bool blank;
    body->blank = false;
    return parse_echo(p, &blank);
}

/* True when the tag was one of ours; otherwise it ends the body. */
static enum err parse_one_tag(struct parser *p, struct body *body, bool *ours)
{
    parse_tag *parse = tag_find(p->piece.name);
    *ours = parse != NULL;
    if (parse == NULL)
        return OK;
    if (p->depth >= TEMPLATE_NESTING_MAX) {
        parse_fault(p, p->piece.at, "Move inner parts into snippets.", "blocks nest deeper than %d",
                    TEMPLATE_NESTING_MAX);
        return ERR_LIMIT;
    }
    bool blank = false;
    p->depth++;
    enum err err = parse(p, &blank);
    p->depth--;
    body->blank = body->blank && blank;
    return err;
}

enum err parse_body(struct parser *p, struct body *body)
{
    bool ours = true;
    for (;;) {
        p->piece = scan_next(&p->scan);
        switch (p->piece.kind) {
        case PIECE_TEXT:
            TRY(parse_text(p, body));
            break;
        case PIECE_OUTPUT:
            TRY(parse_output(p, body));
            break;
        case PIECE_TAG:
            TRY(parse_one_tag(p, body, &ours));
            break;
        case PIECE_BROKEN:
            return parse_fault(p, p->piece.at,
                               "Close it, or write a lone {{ between {% raw %} and "
                               "{% endraw %}.",
                               "%s", p->piece.fault);
        case PIECE_END:
            ours = false;
            break;
        }
        if (!ours) {
            body->stop = p->piece;
            return OK;
        }
    }
}

static enum err stop_fault(struct parser *p, const struct piece *stop, const char *end)
{
    if (stop->kind == PIECE_END)
        return parse_fault(p, stop->at, "Add the closing tag.", "{%% %s %%} is missing", end);
    return parse_fault(p, stop->at,
                       "See the manual for the tags there are, and check which block "
                       "is open here.",
                       "unknown or misplaced tag '%.*s'", STR_ARG(str_slice(stop->name, 0, 60)));
}

enum err parse_body_to(struct parser *p, struct body *body, const char *end)
{
    TRY(parse_body(p, body));
    if (body->stop.kind == PIECE_TAG && str_eq(body->stop.name, str_of(end)))
        return OK;
    return stop_fault(p, &body->stop, end);
}

static enum err parse_unit(struct parser *p)
{
    struct body body = { .blank = true };
    TRY(parse_body(p, &body));
    if (body.stop.kind != PIECE_END)
        return stop_fault(p, &body.stop, "");
    p->piece = body.stop;
    return parse_op(p, (struct op){ .code = OP_END }, NULL);
}

static enum err source_check(struct str source, struct str name, struct problem *problem)
{
    char where[sizeof problem->where];
    snprintf(where, sizeof where, "%.*s", STR_ARG(str_slice(name, 0, 100)));
    if (source.len > TEMPLATE_SOURCE_BYTES_MAX)
        return problem_format(problem, ERR_LIMIT, where, "Shorten it.",
                              "the template is larger than %zu bytes", TEMPLATE_SOURCE_BYTES_MAX);
    if (!str_is_utf8(source))
        return problem_set(problem, ERR_INPUT, where, "the template is not UTF-8 text",
                           "Save it as UTF-8.");
    return OK;
}

/* A unit stands in the list before it is parsed, so that a snippet may name itself. */
static enum err unit_parse(struct template *t, struct str name, struct str source,
                           const struct parser *outer, struct problem *problem, struct unit **out)
{
    TRY(source_check(source, name, problem));
    struct unit *unit = ARENA_NEW(t->arena, struct unit);
    struct str   kept = str_copy(t->arena, source);
    struct str   kept_name = str_copy(t->arena, name);
    if (unit == NULL || kept.ptr == NULL || kept_name.ptr == NULL)
        return problem_set(problem, ERR_LIMIT, "", "the template is too large when compiled",
                           "Shorten it, or use fewer and smaller snippets.");
    *unit = (struct unit){ .name = kept_name, .older = t->units };
    t->units = unit;
    struct parser p = { .t = t,
                        .arena = t->arena,
                        .unit = unit,
                        .source = kept,
                        .scan = scan_make(kept, false),
                        .problem = problem };
    if (outer != NULL)
        p.depth = outer->depth;
    for (uint32_t i = 0; outer != NULL && i < outer->bound_count; i++)
        TRY(parse_bind(&p, outer->bound[i]));
    *out = unit;
    return parse_unit(&p);
}

static struct unit *unit_find(const struct template *t, struct str name)
{
    for (struct unit *unit = t->units; unit != NULL; unit = unit->older)
        if (unit->name.len > 0 && str_eq(unit->name, name))
            return unit;
    return NULL;
}

static enum err snippet_load(struct template *t, struct str name, const struct parser *outer,
                             struct problem *problem, const struct unit **out)
{
    struct unit *unit = unit_find(t, name);
    struct str   source = STR_NONE;
    if (unit == NULL) {
        enum err err = ERR_ABSENT;
        if (t->conf.snippet != NULL && name.len > 0)
            err = t->conf.snippet(t->conf.snippet_owner, name, t->arena, &source);
        if (err != OK)
            return problem_format(problem, err, "", "Save the snippet first, or mend its name.",
                                  "there is no snippet '%.*s'", STR_ARG(str_slice(name, 0, 100)));
        TRY(unit_parse(t, name, source, outer, problem, &unit));
    }
    *out = unit;
    return OK;
}

enum err parse_snippet(struct parser *p, struct str name, const struct unit **out)
{
    struct problem problem = { 0 };
    enum err       err = snippet_load(p->t, name, p, &problem, out);
    if (err == OK)
        return OK;
    if (problem.where[0] == '\0' && err == ERR_ABSENT)
        return parse_fault(p, p->piece.at, problem.remedy, "%s", problem.what);
    return problem_set(p->problem, err, problem.where, problem.what, problem.remedy);
}

enum err program_extend(const struct template *t, struct arena *arena, struct str name,
                        struct template **out, const struct unit **unit, struct problem *problem)
{
    struct template *copy = ARENA_NEW(arena, struct template);
    if (copy == NULL)
        return ERR_MEMORY;
    *copy = *t;
    copy->arena = arena;
    copy->symbol_room = copy->symbol_count; /* so that growing copies and never writes into t */
    copy->variable_room = copy->variable_count;
    copy->symbol_index.room = copy->symbol_count;
    copy->variable_index.room = copy->variable_count;
    if (copy->variable_count > 0) {
        copy->variables = ARENA_ARRAY(arena, copy->variable_count, struct template_variable);
        if (copy->variables == NULL)
            return ERR_MEMORY;
        memcpy(copy->variables, t->variables, t->variable_count * sizeof *copy->variables);
    }
    TRY(snippet_load(copy, name, NULL, problem, unit));
    *out = copy;
    return OK;
}

enum err template_parse(struct template **out, struct str source, const struct template_conf *conf,
                        struct problem *problem)
{
    struct problem unheard = { 0 };
    if (problem == NULL)
        problem = &unheard;
    struct arena *arena = arena_open(TEMPLATE_PROGRAM_BYTES_MAX);
    if (arena == NULL)
        return ERR_MEMORY;
    struct template *t = ARENA_NEW(arena, struct template);
    if (t == NULL) {
        arena_close(arena);
        return ERR_MEMORY;
    }
    t->arena = arena;
    if (conf != NULL)
        t->conf = *conf;
    enum err err = unit_parse(t, STR_NONE, source, NULL, problem, &t->main);
    if (err != OK) {
        arena_close(arena);
        return err;
    }
    *out = t;
    return OK;
}

void template_close(struct template *t)
{
    if (t != NULL)
        arena_close(t->arena);
}

void template_closep(struct template **t)
{
    template_close(*t);
}

bool template_has_snippets(const struct template *t)
{
    return t->has_snippets;
}

size_t template_variables_count(const struct template *t)
{
    return t->variable_count;
}

const struct template_variable *template_variables(const struct template *t)
{
    return t->variables;
}
