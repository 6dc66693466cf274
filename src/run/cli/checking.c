#include "run/cli/checking.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delivery/look.h"
#include "message/html.h"
#include "run/send/email_file.h"

enum { FINDINGS_BYTES_MAX = 1 << 20, ARENA_BYTES_MAX = 16 << 20, WHAT_BYTES = 600 };

/* ---- findings, as the API would give them ---- */

struct told {
    struct arena *arena; /* one file's */
    struct buf    json;
    const char   *part; /* of the file */
    bool          any;
};

static void told_add(struct told *told, const char *severity, const char *about, int64_t line,
                     const char *what, const char *remedy)
{
    buf_format(&told->json, "%s{\"severity\":\"%s\",\"about\":\"%s\",\"part\":\"%s\",\"line\":%lld",
               told->any ? "," : "", severity, about, told->part, (long long)line);
    buf_str(&told->json, STR(",\"what\":"));
    json_write_str(&told->json, str_of(what));
    buf_str(&told->json, STR(",\"remedy\":"));
    json_write_str(&told->json, str_of(remedy));
    buf_char(&told->json, '}');
    told->any = true;
}

static enum err told_end(struct told *told, const struct file *file, struct findings *findings)
{
    struct json answer;
    TRY(buf_err(&told->json));
    struct str text =
        str_format(told->arena, "{\"findings\":[%.*s]}", STR_ARG(buf_view(&told->json)));
    if (text.ptr == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(told->arena, text, &answer, NULL));
    findings_take(findings, file->path, &answer);
    buf_reset(&told->json);
    told->any = false;
    return OK;
}

/* ---- people ---- */

enum err checking_brackets(struct findings *findings, struct arena *arena, const struct file *file,
                           const struct json *answer)
{
    struct told        told = { .arena = arena, .json = buf_make(FINDINGS_BYTES_MAX), "segment" };
    const struct json *unseen = json_get(answer, STR("unseen"));
    char               what[WHAT_BYTES], remedy[WHAT_BYTES];
    for (uint32_t i = 0; unseen != NULL && i < unseen->count; i++) {
        struct str trait = json_get_str(&unseen->items[i], STR("trait"));
        struct str event = json_get_str(&unseen->items[i], STR("where_of"));
        if (event.len == 0)
            continue;
        snprintf(what, sizeof what,
                 "Nobody has a trait \"%.*s\", but events have a property of that name.",
                 STR_ARG(str_slice(trait, 0, 100)));
        snprintf(remedy, sizeof remedy,
                 "Where all is asked of \"%.*s\", write parentheses: where (... and ...).",
                 STR_ARG(str_slice(event, 0, 100)));
        told_add(&told, "warning", "condition", 1, what, remedy);
    }
    enum err err = told.any ? told_end(&told, file, findings) : OK;
    buf_done(&told.json);
    return err;
}

static void question_write(struct talk *talk, const struct file *file)
{
    const char *people = cli_value(talk->cli, "person");
    struct str  rest = people == NULL ? STR_NONE : str_of(people), one;
    bool        first = true, any = false;
    buf_char(&talk->body, '{');
    json_write_key(&talk->body, &first, "text");
    json_write_str(&talk->body, file->text);
    if (cli_has(talk->cli, "people")) {
        json_write_key(&talk->body, &first, "sample");
        buf_str(&talk->body, str_of(cli_value(talk->cli, "people")));
    }
    if (people != NULL) {
        json_write_key(&talk->body, &first, "people");
        buf_char(&talk->body, '[');
        while (rest.len > 0 && str_split(&rest, ',', &one)) {
            if (any)
                buf_char(&talk->body, ',');
            any = true;
            json_write_str(&talk->body, str_trim(one));
        }
        buf_char(&talk->body, ']');
    }
    buf_char(&talk->body, '}');
}

static void sample_of(struct talk *talk, const struct json *row, char *out, size_t room)
{
    const struct json *sample = json_get(row, STR("sample"));
    size_t             len = 0;
    out[0] = '\0';
    for (uint32_t i = 0; sample != NULL && i < sample->count && len < room; i++)
        len += (size_t)snprintf(out + len, room - len, "%s%.*s", i == 0 ? "" : ", ",
                                STR_ARG(sample->items[i].string));
    (void)talk;
}

static void people_tell(struct talk *talk, struct told *told)
{
    const struct json *rows = json_get(&talk->answer, STR("missing"));
    char               what[WHAT_BYTES], sample[200];
    int64_t            looked = 0, held = 0;
    (void)json_get_int(&talk->answer, STR("looked"), &looked);
    (void)json_get_int(&talk->answer, STR("held"), &held);
    for (uint32_t i = 0; rows != NULL && i < rows->count; i++) {
        const struct json *row = &rows->items[i];
        const char        *path = talk_text(talk, row, "path");
        int64_t            people = 0, line = 0;
        (void)json_get_int(row, STR("people"), &people);
        (void)json_get_int(row, STR("line"), &line);
        sample_of(talk, row, sample, sizeof sample);
        snprintf(what, sizeof what, "%s %.200s for %lld of %lld people, such as %s.",
                 path[0] != '\0' ? "Missing" : "Wrong:",
                 path[0] != '\0' ? path : talk_text(talk, row, "what"), (long long)people,
                 (long long)looked, sample);
        told_add(told, "warning", "person", line, what,
                 "Give a `default`, or ask with {% if %}: their message would be held back.");
    }
    snprintf(what, sizeof what, "Rendered for %lld people: %lld complete, %lld would be held back.",
             (long long)looked, (long long)(looked - held), (long long)held);
    told_add(told, "note", "person", 1, what,
             looked > 0 ? "" : "Nobody in this data folder would get it now.");
}

/* The API only looks at it. A segment that names one that is not defined yet is not asked about. */
static enum err segment_ask(struct talk *talk, const struct file *file, struct findings *findings)
{
    talk_path(talk, "/api/v1/segments/", file->name.ptr, "?dry=1");
    buf_reset(&talk->body);
    buf_str(&talk->body, file->text);
    enum err err = talk_ask(talk, "PUT");
    if (err == ERR_INPUT || err == ERR_ABSENT) {
        talk->problem.what[0] = '\0';
        return OK;
    }
    return err == OK ? checking_brackets(findings, talk->arena, file, &talk->answer) : err;
}

enum err checking_people(struct cli *cli, const struct files *files, struct findings *findings,
                         struct problem *problem)
{
    struct talk talk;
    struct told told = { .arena = arena_open(ARENA_BYTES_MAX),
                         .json = buf_make(FINDINGS_BYTES_MAX),
                         .part = "html" };
    enum err    err = told.arena == NULL ? ERR_MEMORY : talk_open(&talk, cli, false);
    for (uint32_t i = 0; err == OK && i < files->count; i++) {
        const struct file *file = &files->items[i];
        if (file->kind == FILE_SEGMENT)
            err = segment_ask(&talk, file, findings);
        if (file->kind != FILE_TEMPLATE)
            continue;
        question_write(&talk, file);
        talk_path(&talk, "/api/v1/templates/", file->name.ptr, "/people");
        err = talk_ask(&talk, "POST");
        if (err == OK)
            people_tell(&talk, &told);
        if (err == OK)
            err = told_end(&told, file, findings);
        arena_reset(told.arena);
    }
    if (err != OK && told.arena != NULL)
        *problem = talk.problem;
    if (told.arena != NULL)
        talk_close(&talk);
    buf_done(&told.json);
    arena_close(told.arena);
    return err;
}

/* ---- links ---- */

struct asked {
    struct str  url;
    struct look look;
};

struct links {
    struct arena *arena; /* of all files */
    struct asked *items;
    uint32_t      count;
    struct told  *told;
};

/* What Liquid puts in is not known here. */
static bool is_plain(struct str url)
{
    bool is_web = str_eq_nocase(str_slice(url, 0, 7), STR("http://")) ||
                  str_eq_nocase(str_slice(url, 0, 8), STR("https://"));
    return is_web && str_find(url, 0, STR("{{")) == url.len &&
           str_find(url, 0, STR("{%")) == url.len;
}

static const struct look *look_of(struct links *links, struct str url)
{
    for (uint32_t i = 0; i < links->count; i++)
        if (str_eq(links->items[i].url, url))
            return &links->items[i].look;
    if (links->count == CHECKING_LINKS_MAX)
        return NULL;
    struct asked *asked = &links->items[links->count];
    asked->url = str_copy(links->arena, url);
    if (asked->url.ptr == NULL)
        return NULL;
    asked->look = look_at(asked->url.ptr, false); /* str_copy ends it with NUL */
    links->count++;
    return &asked->look;
}

static void link_tell(struct links *links, struct str url, int64_t line)
{
    char               what[WHAT_BYTES];
    const struct look *look = look_of(links, url);
    if (look == NULL || (look->status >= 200 && look->status < 400))
        return;
    if (look->status == 0)
        snprintf(what, sizeof what, "This link does not answer: %.*s (%s)",
                 STR_ARG(str_slice(url, 0, 200)), look->why);
    else
        snprintf(what, sizeof what, "This link answers %ld: %.*s", look->status,
                 STR_ARG(str_slice(url, 0, 200)));
    /* Some pages are for people alone, and some servers are busy. */
    bool is_gone = look->status == 404 || look->status == 410;
    told_add(links->told, is_gone ? "error" : "warning", "link", line, what,
             is_gone ? "Put in the address of a page that is there."
                     : "Open it in a browser, and mend it if it is broken.");
}

static int64_t line_of(struct str text, size_t at)
{
    int64_t line = 0;
    for (size_t i = 0; i < at && i < text.len; i++)
        line += text.ptr[i] == '\n';
    return line;
}

static enum err links_of(struct links *links, const struct email_file *email,
                         struct problem *problem)
{
    SCOPED(html_closep) struct html *html = NULL;
    struct str                       text = email->html.text;
    TRY(html_parse(&html, text, problem));
    for (uint32_t at = 0; at < html_count(html); at++) {
        const struct html_node *node = &html_nodes(html)[at];
        bool                    is_image = html_is(node, HTML_IMG);
        if (!is_image && !html_is(node, HTML_A) && !html_is(node, HTML_AREA))
            continue;
        struct str url = str_trim(html_value(html, node, is_image ? STR("src") : STR("href")));
        if (is_plain(url))
            link_tell(links, url, email->html.line + line_of(text, node->from));
    }
    return OK;
}

enum err checking_links(const struct files *files, struct findings *findings,
                        struct problem *problem)
{
    struct told  told = { .arena = arena_open(ARENA_BYTES_MAX),
                          .json = buf_make(FINDINGS_BYTES_MAX),
                          .part = "html" };
    struct links links = { .arena = arena_open(ARENA_BYTES_MAX),
                           .items = calloc(CHECKING_LINKS_MAX, sizeof(struct asked)),
                           .told = &told };
    enum err     err =
        told.arena == NULL || links.arena == NULL || links.items == NULL ? ERR_MEMORY : OK;
    for (uint32_t i = 0; err == OK && i < files->count; i++) {
        const struct file *file = &files->items[i];
        struct email_file  email;
        if (file->kind != FILE_TEMPLATE)
            continue;
        err = email_file_parse(file->name, file->text, &email, problem);
        if (err == OK)
            err = links_of(&links, &email, problem);
        if (err == OK)
            err = told_end(&told, file, findings);
        if (told.arena != NULL)
            arena_reset(told.arena);
    }
    buf_done(&told.json);
    arena_close(told.arena);
    arena_close(links.arena);
    free(links.items);
    return err;
}
