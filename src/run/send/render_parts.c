#include "run/send/render_parts.h"

#include <stdlib.h>

#include "message/inline.h"
#include "run/send/render.h"
#include "run/send/snippets.h"
#include "template/template.h"

enum {
    WORKSPACE_ARENA_BYTES_MAX = 8 << 20,
    NAMES_ARENA_BYTES_MAX = 64 << 20,
    TEMPLATE_ARENA_BYTES_MAX = 2 * EMAIL_FILE_BYTES_MAX + 65536
};

struct kept {
    struct arena *arena; /* NULL: free */
    struct str    name;
    uint32_t      version;
    uint64_t      used;    /* the higher, the later */
    uint64_t      edition; /* of the snippets it was read with; 0: it has none */
    struct email  email;

    struct snippets_view view; /* asked while it is rendered, too */
};

struct parts {
    struct store_reader *reader;
    struct snippets     *snippets;
    uint64_t             next_definition, uses;
    struct arena        *workspace_arena;
    struct workspace     workspace;
    struct arena        *topics_arena;
    struct json          topics;
    struct papers        papers;
    struct template     *utm[UTM_KEYS]; /* the workspace's; NULL where there is none */
    struct kept          draft;         /* the last text that was not saved */
    struct kept          kept[RENDER_TEMPLATES_MAX];
    struct arena        *names_arena;
    struct str          *names[STORE_NAME_SOURCE + 1];
    uint32_t             names_count[STORE_NAME_SOURCE + 1], names_room[STORE_NAME_SOURCE + 1];
};

enum err parts_open(struct parts **out, struct store_reader *reader)
{
    struct parts *parts = calloc(1, sizeof *parts);
    if (parts == NULL)
        return ERR_MEMORY;
    parts->reader = reader;
    enum err err = snippets_open(&parts->snippets, reader);
    if (err == OK)
        *out = parts;
    else
        free(parts);
    return err;
}

static void kept_drop(struct kept *kept)
{
    template_close(kept->email.subject);
    template_close(kept->email.preheader);
    template_close(kept->email.html);
    template_close(kept->email.text);
    template_close(kept->email.url);
    template_close(kept->email.headers);
    template_close(kept->email.back);
    for (int i = 0; i < UTM_KEYS; i++)
        template_close(kept->email.utm[i]);
    arena_close(kept->arena);
    *kept = (struct kept){ 0 };
}

static void utm_drop(struct parts *parts)
{
    for (int i = 0; i < UTM_KEYS; i++) {
        template_close(parts->utm[i]);
        parts->utm[i] = NULL;
    }
}

void parts_close(struct parts *parts)
{
    if (parts == NULL)
        return;
    for (size_t i = 0; i < RENDER_TEMPLATES_MAX; i++)
        kept_drop(&parts->kept[i]);
    kept_drop(&parts->draft);
    utm_drop(parts);
    snippets_close(parts->snippets);
    arena_close(parts->workspace_arena);
    arena_close(parts->topics_arena);
    papers_done(&parts->papers);
    arena_close(parts->names_arena);
    free(parts);
}

/* ---- the workspace ---- */

/* A text that is no workspace was saved by an older program: the one before stays. */
static enum err workspace_take(struct parts *parts, struct str text)
{
    struct workspace workspace;
    struct arena    *arena = arena_open(WORKSPACE_ARENA_BYTES_MAX);
    if (arena == NULL)
        return ERR_MEMORY;
    if (workspace_parse(arena, text, &workspace, NULL) != OK) {
        arena_close(arena);
        return OK;
    }
    /* Texts of the tree lie in the arena already: json_parse copies. */
    arena_close(parts->workspace_arena);
    parts->workspace_arena = arena;
    parts->workspace = workspace;
    utm_drop(parts);
    for (int i = 0; i < UTM_KEYS; i++)
        if (workspace.utm.values[i].len > 0 &&
            template_parse(&parts->utm[i], workspace.utm.values[i], NULL, NULL) == ERR_MEMORY)
            return ERR_MEMORY;
    return OK;
}

static enum err topics_take(struct parts *parts, struct str text)
{
    struct json   topics = { .kind = JSON_NULL };
    struct arena *arena = arena_open(WORKSPACE_ARENA_BYTES_MAX);
    if (arena == NULL)
        return ERR_MEMORY;
    if (text.len > 0 && json_parse_once(arena, text, &topics, NULL) != OK)
        topics = (struct json){ .kind = JSON_NULL };
    arena_close(parts->topics_arena);
    parts->topics_arena = arena;
    parts->topics = topics;
    return OK;
}

const struct json *parts_topics(const struct parts *parts)
{
    return &parts->topics;
}

const struct papers *parts_papers(const struct parts *parts)
{
    return &parts->papers;
}

/* What the engine took it took within its bounds; a deletion of what is not there is nothing. */
static enum err paper_take(struct parts *parts, const struct store_definition *row)
{
    if (row->kind != STORE_DEFINITION_QUESTION && row->kind != STORE_DEFINITION_FILE)
        return OK;
    enum err err = papers_take(&parts->papers, (enum definition_kind)row->kind, row->name,
                               row->text, row->version, NULL);
    return err == ERR_MEMORY ? err : OK;
}

static enum err definition_each(void *ctx, const struct store_definition *row)
{
    struct parts *parts = ctx;
    if (row->kind == STORE_DEFINITION_WORKSPACE)
        TRY(workspace_take(parts, row->text));
    if (row->kind == STORE_DEFINITION_TOPIC_TEXTS)
        TRY(topics_take(parts, row->text));
    TRY(paper_take(parts, row));
    TRY(snippets_take(parts->snippets, row));
    parts->next_definition = row->id + 1;
    return OK;
}

enum err parts_refresh(struct parts *parts)
{
    return store_definitions_read(parts->reader, parts->next_definition, definition_each, parts);
}

const struct workspace *parts_workspace(const struct parts *parts)
{
    return &parts->workspace;
}

const struct template *parts_utm(const struct parts *parts, enum utm_key key)
{
    return parts->utm[key];
}

/* ---- templates ---- */

struct wanted {
    struct str    name;
    uint32_t      version;
    struct arena *arena;
    struct str    text;
    bool          found;
};

static enum err wanted_each(void *ctx, const struct store_definition *row)
{
    struct wanted *wanted = ctx;
    if (row->kind != STORE_DEFINITION_TEMPLATE || row->version != wanted->version ||
        !str_eq(row->name, wanted->name))
        return OK;
    wanted->text = str_copy(wanted->arena, row->text);
    wanted->found = true;
    return wanted->text.ptr == NULL ? ERR_MEMORY : ERR_LIMIT; /* ERR_LIMIT: enough */
}

static bool has_snippets(const struct email *email)
{
    const struct template *const made[] = { email->subject, email->preheader, email->html,
                                            email->text,    email->url,       email->headers,
                                            email->back };
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++)
        if (made[i] != NULL && template_has_snippets(made[i]))
            return true;
    return false;
}

/* Once for a version, and not for each message. A style that is too large is sent as written. */
static enum err html_inline(struct arena *arena, struct email_part *html)
{
    SCOPED(buf_donep) struct buf out = buf_make(EMAIL_FILE_BYTES_MAX / 2);
    enum err                     err = inline_styles(html->text, &out, NULL);
    if (err != OK || html->text.len == 0)
        return err == ERR_MEMORY ? err : OK;
    struct str made = str_copy(arena, buf_view(&out));
    if (made.ptr == NULL)
        return ERR_MEMORY;
    html->text = made;
    return OK;
}

static enum err email_make(struct parts *parts, struct arena *arena, struct str text,
                           struct kept *kept, struct problem *problem)
{
    struct email        *email = &kept->email;
    struct template_conf conf = { .snippet = snippets_find, .snippet_owner = &kept->view };
    TRY(email_file_parse(kept->name, text, &email->file, problem));
    TRY(html_inline(arena, &email->file.html));
    TRY(email_part_template(kept->name, &email->file.subject, &conf, &email->subject, problem));
    TRY(email_part_template(kept->name, &email->file.preheader, &conf, &email->preheader, problem));
    TRY(email_part_template(kept->name, &email->file.html, &conf, &email->html, problem));
    TRY(email_part_template(kept->name, &email->file.text, &conf, &email->text, problem));
    TRY(email_part_template(kept->name, &email->file.url, &conf, &email->url, problem));
    TRY(email_part_template(kept->name, &email->file.headers, &conf, &email->headers, problem));
    TRY(email_part_template(kept->name, &email->file.back, &conf, &email->back, problem));
    for (int i = 0; i < UTM_KEYS; i++)
        TRY(email_part_template(kept->name, &email->file.utm[i], &conf, &email->utm[i], problem));
    kept->edition = has_snippets(email) ? snippets_edition(parts->snippets, kept->view.at_ms) : 0;
    return OK;
}

static enum err email_read(struct parts *parts, struct wanted *wanted, struct kept *kept,
                           struct problem *problem)
{
    enum err err = store_definitions_read(parts->reader, 0, wanted_each, wanted);
    if (err != OK && !(err == ERR_LIMIT && wanted->found))
        return err;
    if (!wanted->found)
        return ERR_ABSENT;
    kept->name = str_copy(wanted->arena, wanted->name);
    kept->version = wanted->version;
    return email_make(parts, wanted->arena, wanted->text, kept, problem);
}

enum err parts_draft(struct parts *parts, struct str name, struct str text, int64_t at_ms,
                     const struct email **out, struct problem *problem)
{
    struct kept *draft = &parts->draft;
    kept_drop(draft);
    draft->arena = arena_open(TEMPLATE_ARENA_BYTES_MAX);
    if (draft->arena == NULL)
        return ERR_MEMORY;
    draft->view = (struct snippets_view){ .snippets = parts->snippets, .at_ms = at_ms };
    draft->name = str_copy(draft->arena, name);
    struct str kept = str_copy(draft->arena, text);
    if (draft->name.ptr == NULL || kept.ptr == NULL)
        return ERR_MEMORY;
    TRY(email_make(parts, draft->arena, kept, draft, problem));
    *out = &draft->email;
    return OK;
}

/* The slot of the template, or else a free one, or that used longest ago. */
static struct kept *slot_find(struct parts *parts, struct str name, uint32_t version,
                              uint64_t edition)
{
    struct kept *oldest = &parts->kept[0];
    for (size_t i = 0; i < RENDER_TEMPLATES_MAX; i++) {
        struct kept *kept = &parts->kept[i];
        if (kept->arena != NULL && kept->version == version &&
            (kept->edition == 0 || kept->edition == edition) && str_eq(kept->name, name))
            return kept;
        if (kept->used < oldest->used)
            oldest = kept;
    }
    kept_drop(oldest);
    return oldest;
}

enum err parts_email(struct parts *parts, struct str name, uint32_t version, int64_t at_ms,
                     const struct email **out, struct problem *problem)
{
    struct kept *kept = slot_find(parts, name, version, snippets_edition(parts->snippets, at_ms));
    if (kept->arena == NULL) {
        kept->arena = arena_open(TEMPLATE_ARENA_BYTES_MAX);
        if (kept->arena == NULL)
            return ERR_MEMORY;
        kept->view = (struct snippets_view){ .snippets = parts->snippets, .at_ms = at_ms };
        struct wanted wanted = { .name = name, .version = version, .arena = kept->arena };
        enum err      err = email_read(parts, &wanted, kept, problem);
        if (err != OK) {
            kept_drop(kept);
            return err;
        }
    }
    kept->used = ++parts->uses;
    *out = &kept->email;
    return OK;
}

/* ---- names ---- */

static enum err name_each(void *ctx, const struct store_name *row)
{
    struct parts *parts = ctx;
    if (row->kind > STORE_NAME_SOURCE || row->id > UINT16_MAX)
        return OK;
    if (row->id >= parts->names_room[row->kind]) {
        uint32_t    room = row->id < 128 ? 256 : 2 * (row->id + 1);
        struct str *names = ARENA_ARRAY(parts->names_arena, room, struct str);
        if (names == NULL)
            return ERR_MEMORY;
        for (uint32_t i = 0; i < parts->names_count[row->kind]; i++)
            names[i] = parts->names[row->kind][i];
        parts->names[row->kind] = names;
        parts->names_room[row->kind] = room;
    }
    parts->names[row->kind][row->id] = str_copy(parts->names_arena, row->text);
    if (parts->names_count[row->kind] <= row->id)
        parts->names_count[row->kind] = row->id + 1;
    return OK;
}

static enum err names_read(struct parts *parts)
{
    arena_close(parts->names_arena);
    for (int kind = 0; kind <= STORE_NAME_SOURCE; kind++) {
        parts->names[kind] = NULL;
        parts->names_count[kind] = parts->names_room[kind] = 0;
    }
    parts->names_arena = arena_open(NAMES_ARENA_BYTES_MAX);
    return parts->names_arena == NULL ? ERR_MEMORY
                                      : store_names_read(parts->reader, name_each, parts);
}

/* Numbers are given out in order but for a few far behind the others (own.h). */
static bool has_name(const struct parts *parts, enum store_name_kind kind, uint32_t id)
{
    return id < parts->names_count[kind] && parts->names[kind][id].ptr != NULL;
}

enum err parts_name(struct parts *parts, enum store_name_kind kind, uint32_t id,
                    struct arena *arena, struct str *out)
{
    if (!has_name(parts, kind, id))
        TRY(names_read(parts));
    *out = has_name(parts, kind, id) ? str_copy(arena, parts->names[kind][id]) : STR_NONE;
    return OK;
}
