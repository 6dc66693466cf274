#include "run/send/linked.h"

#include <stdio.h>
#include <string.h>

#include "base/encode.h"
#include "run/send/file_def.h"
#include "template/template.h"

enum { MEMBERS_MAX = 9, URL_BYTES_MAX = 1024 };

/* ---- addresses ---- */

void linked_question_write(struct buf *out, struct str question, struct str answer, int64_t end_s)
{
    buf_format(out, "q=%.*s&a=%.*s&e=%lld", STR_ARG(question), STR_ARG(answer), (long long)end_s);
}

void linked_file_write(struct buf *out, struct str file, uint32_t version, int64_t end_s)
{
    buf_format(out, "f=%.*s&v=%u&e=%lld", STR_ARG(file), version, (long long)end_s);
}

/* Where a block stands among all of them, and who is told once they move no more. */
struct block {
    struct json_member *member;
    size_t              from, len;
};

enum { BLOCKS_MAX = 64 }; /* a mail with more questions asks too much */

struct making {
    const struct linked_in *in;
    struct arena           *arena;
    struct buf             *html;
    struct block            blocks[BLOCKS_MAX];
    uint32_t                blocks_count;
    bool                    failed;
};

static struct str kept(struct making *making, struct buf *text)
{
    struct str copy = buf_err(text) == OK ? str_copy(making->arena, buf_view(text)) : STR_NONE;
    making->failed = making->failed || copy.ptr == NULL;
    return copy;
}

static struct str sealed(struct making *making, enum token_purpose purpose, const struct buf *query)
{
    SCOPED(buf_donep) struct buf url = buf_make(URL_BYTES_MAX);
    if (buf_err(query) != OK) {
        making->failed = true;
        return STR_NONE;
    }
    links_sealed_url(making->in->links, purpose, buf_view(query), &url);
    return kept(making, &url);
}

static int64_t end_of(const struct making *making, uint32_t days)
{
    return making->in->now_ms / 1000 + (int64_t)days * 86400;
}

static struct str question_link(struct making *making, const struct question *question,
                                struct str answer)
{
    SCOPED(buf_donep) struct buf query = buf_make(LINKED_QUERY_BYTES_MAX);
    linked_question_write(&query, question->name, answer, end_of(making, question->days));
    return sealed(making, TOKEN_QUESTION, &query);
}

/* ---- objects ---- */

struct object {
    struct json_member *members;
    uint32_t            count;
};

static struct object object_make(struct making *making, uint32_t room)
{
    struct object object = { ARENA_ARRAY(making->arena, room, struct json_member), 0 };
    making->failed = making->failed || object.members == NULL;
    return object;
}

static void put(struct object *object, struct str key, struct json value)
{
    if (object->members != NULL)
        object->members[object->count++] = (struct json_member){ key, value };
}

static void put_text(struct object *object, struct str key, struct str text)
{
    put(object, key, (struct json){ .kind = JSON_STRING, .string = text });
}

static struct json json_of(const struct object *object)
{
    return (struct json){ .kind = JSON_OBJECT, .count = object->count, .members = object->members };
}

/* ---- the block ---- */

static bool is_scale(const struct question *question)
{
    return question->kind == QUESTION_STARS || question->kind == QUESTION_NPS;
}

/* Cells in a row for a scale and for yes and no, which wrap where the screen is narrow; rows for
 * choices, whose texts are long. */
static void cell_write(struct making *making, const struct question *question,
                       const struct question_words *words, uint32_t at, struct str link)
{
    struct buf *out = making->html;
    struct str  text = question_answer_text(question, words, at);
    bool        is_row = question->kind == QUESTION_CHOICE;
    buf_str(out, STR("<a href=\""));
    html_escape(out, link);
    buf_format(out,
               "\" style=\"display:%s;min-width:%s;margin:0 4px 8px 0;padding:12px %s;"
               "border-radius:6px;background-color:#0F6E7C;color:#FFFFFF;"
               "font:bold 16px/20px Arial,sans-serif;text-align:%s;text-decoration:none\">",
               is_row ? "block" : "inline-block", is_scale(question) ? "20px" : "64px",
               is_scale(question) ? "8px" : "16px", is_row ? "left" : "center");
    html_escape(out, text);
    buf_str(out, STR("</a>"));
}

static void ends_write(struct buf *out, const struct question *question,
                       const struct question_words *words)
{
    if (!is_scale(question) || (words->low.len == 0 && words->high.len == 0))
        return;
    buf_str(out, STR("<p style=\"margin:0;font:14px/20px Arial,sans-serif;color:#555555\">"));
    html_escape(out, question->answers[0].id);
    buf_str(out, STR(": "));
    html_escape(out, words->low);
    buf_str(out, STR(" &nbsp; "));
    html_escape(out, question->answers[question->answers_count - 1].id);
    buf_str(out, STR(": "));
    html_escape(out, words->high);
    buf_str(out, STR("</p>"));
}

static void block_write(struct making *making, const struct question *question,
                        const struct question_words *words, const struct str *links)
{
    struct buf *out = making->html;
    buf_str(out,
            STR("<table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" "
                "width=\"100%\" lang=\""));
    html_escape(out, words->language);
    buf_str(out, STR("\"><tr><td style=\"padding:16px 0\"><p style=\"margin:0 0 12px;"
                     "font:bold 18px/26px Arial,sans-serif\">"));
    html_escape(out, words->question);
    buf_str(out, STR("</p>"));
    for (uint32_t i = 0; i < question->answers_count; i++)
        cell_write(making, question, words, i, links[i]);
    ends_write(out, question, words);
    buf_str(out, STR("</td></tr></table>"));
}

/* A scale has one address in a text: eleven of them nobody reads. */
static struct str text_form(struct making *making, const struct question *question,
                            const struct question_words *words, struct str link,
                            const struct str *links)
{
    SCOPED(buf_donep) struct buf out = buf_make(LINKED_HTML_BYTES_MAX);
    buf_str(&out, words->question);
    buf_char(&out, '\n');
    if (is_scale(question))
        buf_str(&out, link);
    for (uint32_t i = 0; i < question->answers_count && !is_scale(question); i++) {
        buf_str(&out, i == 0 ? STR_NONE : STR("\n"));
        buf_str(&out, question_answer_text(question, words, i));
        buf_str(&out, STR(": "));
        buf_str(&out, links[i]);
    }
    return kept(making, &out);
}

/* ---- one question ---- */

static struct json answer_object(struct making *making, const struct question *question,
                                 const struct question_words *words, uint32_t at, struct str link)
{
    struct object answer = object_make(making, 4);
    put_text(&answer, STR("id"), question->answers[at].id);
    put_text(&answer, STR("text"), question_answer_text(question, words, at));
    put_text(&answer, STR("link"), link);
    if (question->answers[at].has_score)
        put(&answer, STR("score"),
            (struct json){ .kind = JSON_INT, .integer = question->answers[at].score });
    return json_of(&answer);
}

static void block_put(struct making *making, struct object *all, const struct question *question,
                      const struct question_words *words, const struct str *links)
{
    size_t from = making->html->len;
    if (all->members == NULL || making->blocks_count == BLOCKS_MAX)
        return;
    block_write(making, question, words, links);
    put_text(all, STR("html"), STR_NONE);
    making->blocks[making->blocks_count++] =
        (struct block){ &all->members[all->count - 1], from, making->html->len - from };
}

static struct json question_object(struct making *making, const struct question *question)
{
    struct question_words words = question_words(question, making->in->languages, 3);
    struct object         all = object_make(making, MEMBERS_MAX);
    struct object         by_id = object_make(making, question->answers_count);
    struct json *answers = ARENA_ARRAY(making->arena, question->answers_count, struct json);
    struct str   links[QUESTION_ANSWERS_MAX], link = question_link(making, question, STR_NONE);
    if (answers == NULL) {
        making->failed = true;
        return (struct json){ .kind = JSON_NULL };
    }
    for (uint32_t i = 0; i < question->answers_count; i++) {
        links[i] = question_link(making, question, question->answers[i].id);
        answers[i] = answer_object(making, question, &words, i, links[i]);
        put_text(&by_id, question->answers[i].id, links[i]);
    }
    put_text(&all, STR("question"), words.question);
    put_text(&all, STR("language"), words.language);
    put_text(&all, STR("link"), link);
    put(&all, STR("answers"),
        (struct json){ .kind = JSON_ARRAY, .count = question->answers_count, .items = answers });
    put(&all, STR("links"), json_of(&by_id));
    put_text(&all, STR("text"), text_form(making, question, &words, link, links));
    block_put(making, &all, question, &words, links);
    return json_of(&all);
}

/* ---- one file ---- */

/* What a letter on paper shows: message/pdf.h. Mails get their images from the network. */
static bool is_printed(struct str type)
{
    return str_eq_nocase(type, STR("image/png")) || str_eq_nocase(type, STR("image/jpeg"));
}

static struct json file_object(struct making *making, const struct paper *paper,
                               const struct file_def *def)
{
    struct object all = object_make(making, MEMBERS_MAX);
    for (int pinned = 0; pinned < 2; pinned++) {
        SCOPED(buf_donep) struct buf query = buf_make(LINKED_QUERY_BYTES_MAX);
        linked_file_write(&query, paper->name, pinned ? paper->version : 0,
                          end_of(making, def->days));
        put_text(&all, pinned ? STR("pinned_link") : STR("link"),
                 sealed(making, TOKEN_FILE, &query));
    }
    put_text(&all, STR("filename"), def->filename);
    put_text(&all, STR("type"), def->type);
    put(&all, STR("bytes"), (struct json){ .kind = JSON_INT, .integer = def->bytes });
    if (making->in->email->file.channel == CHANNEL_POST && is_printed(def->type))
        put_text(&all, STR("image"), str_format(making->arena, "file:%.*s", STR_ARG(def->sha256)));
    return json_of(&all);
}

/* ---- what the template reads ---- */

/* The name behind the root of a path as it is written; empty: computed, or the whole. */
static struct str name_of(struct str path, struct str root)
{
    struct str rest = str_trim(str_slice(path, root.len, path.len));
    size_t     end = 1;
    if (str_starts(rest, STR("."))) {
        while (end < rest.len && rest.ptr[end] != '.' && rest.ptr[end] != '[')
            end++;
        return str_trim(str_slice(rest, 1, end));
    }
    rest = str_trim(str_slice(rest, 1, rest.len));
    if (rest.len < 2 || (rest.ptr[0] != '"' && rest.ptr[0] != '\''))
        return STR_NONE;
    return str_slice(rest, 1, str_find_char(rest, 1, rest.ptr[0]));
}

static bool is_under(struct str path, struct str root)
{
    char next = path.len > root.len ? path.ptr[root.len] : '.';
    return str_starts(path, root) && (next == '.' || next == '[' || next == ' ');
}

struct part_read {
    const struct template *made;
    const char            *name;
};

enum { PARTS = 7 };

static void parts_of(const struct email *email, struct part_read *out)
{
    out[0] = (struct part_read){ email->subject, "subject" };
    out[1] = (struct part_read){ email->preheader, "preheader" };
    out[2] = (struct part_read){ email->html, "html" };
    out[3] = (struct part_read){ email->text, "text" };
    out[4] = (struct part_read){ email->url, "url" };
    out[5] = (struct part_read){ email->headers, "headers" };
    out[6] = (struct part_read){ email->back, "back" };
}

void linked_names(const struct email *email, struct str root, linked_name *each, void *context)
{
    struct part_read parts[PARTS];
    parts_of(email, parts);
    for (int i = 0; i < PARTS; i++)
        for (size_t k = 0; parts[i].made != NULL && k < template_variables_count(parts[i].made);
             k++) {
            const struct template_variable *variable = &template_variables(parts[i].made)[k];
            if (is_under(variable->path, root))
                each(context, name_of(variable->path, root), variable->line, parts[i].name);
        }
}

/* ---- all of it ---- */

struct reading {
    struct making       *making;
    enum definition_kind kind;
    struct object        found;
    uint32_t             room;
};

static struct json question_read(struct making *making, const struct paper *paper)
{
    struct question *question = ARENA_NEW(making->arena, struct question);
    struct json      nothing = { .kind = JSON_NULL };
    if (question == NULL) {
        making->failed = true;
        return nothing;
    }
    /* A text that an older program took and this one does not is as if it were not there. */
    return question_parse(making->arena, paper->name, paper->text, question, NULL) == OK
               ? question_object(making, question)
               : nothing;
}

static struct json file_read(struct making *making, const struct paper *paper)
{
    struct file_def def;
    return file_def_parse(making->arena, paper->text, &def, NULL) == OK
               ? file_object(making, paper, &def)
               : (struct json){ .kind = JSON_NULL };
}

static void name_read(void *context, struct str name, uint32_t line, const char *part)
{
    struct reading     *reading = context;
    struct making      *making = reading->making;
    const struct paper *paper =
        papers_find(parts_papers(making->in->parts), reading->kind, name, 0);
    (void)line, (void)part;
    for (uint32_t i = 0; i < reading->found.count; i++)
        if (str_eq(reading->found.members[i].key, name))
            return;
    if (paper == NULL || reading->found.members == NULL || reading->found.count == reading->room)
        return;
    put(&reading->found, str_copy(making->arena, name),
        reading->kind == DEFINE_QUESTION ? question_read(making, paper) : file_read(making, paper));
}

static struct json kind_make(struct making *making, enum definition_kind kind, struct str root)
{
    struct reading reading = { making, kind, object_make(making, BLOCKS_MAX), BLOCKS_MAX };
    linked_names(making->in->email, root, name_read, &reading);
    return json_of(&reading.found);
}

enum err linked_make(const struct linked_in *in, struct arena *arena, struct linked *out)
{
    SCOPED(buf_donep) struct buf html = buf_make(LINKED_HTML_BYTES_MAX);
    struct making                making = { .in = in, .arena = arena, .html = &html };
    *out = (struct linked){ .questions = kind_make(&making, DEFINE_QUESTION, STR("questions")),
                            .files = kind_make(&making, DEFINE_FILE, STR("files")) };
    if (making.failed || buf_err(&html) != OK)
        return ERR_MEMORY;
    out->html = str_copy(arena, buf_view(&html));
    if (out->html.ptr == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < making.blocks_count; i++) {
        const struct block *block = &making.blocks[i];
        block->member->value.string = str_slice(out->html, block->from, block->from + block->len);
    }
    return OK;
}
