#include "message/html.h"

#include <assert.h>
#include <stdlib.h>

#include "message/html_entity.h"
#include "message/html_tree.h"

_Static_assert(HTML_BYTES_MAX < UINT32_MAX, "a place fits 32 bits");

static size_t tags_count(struct str text)
{
    size_t count = 0;
    for (size_t at = str_find_char(text, 0, '<'); at < text.len; count++)
        at = str_find_char(text, at + 1, '<');
    return count;
}

struct html_node *html_node_add(struct html *html, struct html_node node)
{
    if (html->count == html->room) {
        uint32_t          room = html->room == 0 ? 256 : html->room * 2;
        struct html_node *grown = realloc(html->nodes, room * sizeof *grown);
        if (grown == NULL)
            return NULL;
        html->nodes = grown;
        html->room = room;
    }
    html->nodes[html->count] = node;
    return &html->nodes[html->count++];
}

static enum err attributes_decode(struct html *html, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct html_attribute *attribute = &html->attributes[i];
        struct str             value = attribute->value;
        attribute->value = html_decode(html->arena, value, HTML_DECODE_ATTRIBUTE);
        if (value.len > 0 && attribute->value.ptr == NULL)
            return ERR_MEMORY;
    }
    return OK;
}

static enum err tree_make(struct html *html)
{
    struct html_scan  scan = { .text = html->text };
    struct html_token token;
    struct html_tree  tree;
    enum err          err = OK;
    html_tree_begin(&tree, html, &scan);
    do {
        err = html_scan_next(&scan, &token);
        if (err == OK)
            html_tree_take(&tree, &token);
    } while (err == OK && tree.err == OK && token.kind != HTML_TOKEN_END);
    html_tree_end(&tree);
    html->attributes = scan.attributes;
    TRY(err);
    TRY(tree.err);
    return attributes_decode(html, scan.attributes_count);
}

enum err html_parse(struct html **out, struct str text, struct problem *problem)
{
    if (text.len > HTML_BYTES_MAX || (text.len > HTML_TAGS_MAX && tags_count(text) > HTML_TAGS_MAX))
        return problem_format(problem, ERR_LIMIT, "html", "shorten the template",
                              "the HTML has %zu bytes and %zu tags; %d and %d are the most",
                              text.len, tags_count(text), HTML_BYTES_MAX, HTML_TAGS_MAX);
    struct html *html = calloc(1, sizeof *html);
    if (html == NULL)
        return ERR_MEMORY;
    html->text = text;
    html->body_end = html->html_end = SIZE_MAX;
    html->arena = arena_open(16 * HTML_BYTES_MAX);
    enum err err = html->arena == NULL ? ERR_MEMORY : tree_make(html);
    if (err == OK) {
        *out = html;
        return OK;
    }
    html_close(html);
    if (err != ERR_LIMIT)
        return err;
    return problem_set(problem, ERR_LIMIT, "html",
                       "the HTML's elements are nested too deeply to be drawn, or one has over 100 "
                       "attributes",
                       "close each element; look for a loop that opens and never closes");
}

void html_close(struct html *html)
{
    if (html == NULL)
        return;
    arena_close(html->arena);
    free(html->nodes);
    free(html->attributes);
    free(html);
}

void html_closep(struct html **html)
{
    html_close(*html);
}

struct str html_text(const struct html *html)
{
    return html->text;
}

const struct html_node *html_nodes(const struct html *html)
{
    return html->nodes;
}

uint32_t html_count(const struct html *html)
{
    return html->count;
}

const struct html_attribute *html_attribute(const struct html *html, const struct html_node *node,
                                            struct str name)
{
    for (uint32_t i = 0; i < node->attributes_count; i++)
        if (str_eq_nocase(html->attributes[node->attributes + i].name, name))
            return &html->attributes[node->attributes + i];
    return NULL;
}

struct str html_value(const struct html *html, const struct html_node *node, struct str name)
{
    const struct html_attribute *found = html_attribute(html, node, name);
    return found == NULL ? STR_NONE : found->value;
}

size_t html_body_end(const struct html *html)
{
    if (html->body_end != SIZE_MAX)
        return html->body_end;
    return html->html_end != SIZE_MAX ? html->html_end : html->text.len;
}

bool html_is(const struct html_node *node, enum html_tag tag)
{
    return node->kind == HTML_ELEMENT && node->tag == tag;
}
