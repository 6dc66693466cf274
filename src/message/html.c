#include "message/html.h"

#include <assert.h>
#include <setjmp.h>
#include <stdlib.h>

struct html {
    struct str    text;
    struct arena *tree; /* all that gumbo allocates; so nothing of it is freed piece by piece */
    GumboOutput  *output;
    jmp_buf       full;
};

/* Gumbo does not look at what its allocator returns, so a refusal leaves the parse altogether. */
static void *tree_alloc(void *html, size_t bytes)
{
    struct html *self = html;
    void        *at = arena_alloc(self->tree, bytes);
    if (at == NULL)
        longjmp(self->full, 1);
    return at;
}

static void tree_free(void *html, void *at)
{
    (void)html;
    (void)at;
}

static bool gumbo_run(struct html *html)
{
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = tree_alloc;
    options.deallocator = tree_free;
    options.userdata = html;
    options.max_errors = 0;
    if (setjmp(html->full) != 0)
        return false;
    html->output = gumbo_parse_with_options(&options, html->text.len == 0 ? "" : html->text.ptr,
                                            html->text.len);
    return true;
}

static bool is_deeper_than(const GumboNode *node, int depth)
{
    if (node->type != GUMBO_NODE_ELEMENT && node->type != GUMBO_NODE_TEMPLATE)
        return false;
    if (depth == 0)
        return true;
    const GumboVector *children = &node->v.element.children;
    for (unsigned i = 0; i < children->length; i++)
        if (is_deeper_than(children->data[i], depth - 1))
            return true;
    return false;
}

static size_t tags_count(struct str text)
{
    size_t count = 0;
    for (size_t at = str_find_char(text, 0, '<'); at < text.len; count++)
        at = str_find_char(text, at + 1, '<');
    return count;
}

enum err html_parse(struct html **out, struct str text, struct problem *problem)
{
    if (text.len > HTML_BYTES_MAX || tags_count(text) > HTML_TAGS_MAX)
        return problem_format(problem, ERR_LIMIT, "html", "shorten the template",
                              "the HTML has %zu bytes and %zu tags; %d and %d are the most",
                              text.len, tags_count(text), HTML_BYTES_MAX, HTML_TAGS_MAX);
    struct html *html = calloc(1, sizeof *html);
    if (html == NULL)
        return ERR_MEMORY;
    html->text = text;
    html->tree = arena_open(HTML_TREE_BYTES_MAX);
    if (html->tree == NULL) {
        html_close(html);
        return ERR_MEMORY;
    }
    if (!gumbo_run(html) || is_deeper_than(html->output->root, HTML_DEPTH_MAX)) {
        html_close(html);
        return problem_set(problem, ERR_LIMIT, "html",
                           "the HTML's elements are nested too deeply to be drawn",
                           "close each element; look for a loop that opens and never closes");
    }
    *out = html;
    return OK;
}

void html_close(struct html *html)
{
    if (html == NULL)
        return;
    arena_close(html->tree);
    free(html);
}

void html_closep(struct html **html)
{
    html_close(*html);
}

const GumboNode *html_root(const struct html *html)
{
    return html->output->root;
}

struct str html_text(const struct html *html)
{
    return html->text;
}

struct str html_attribute(const GumboNode *node, const char *name)
{
    assert(node->type == GUMBO_NODE_ELEMENT);
    const GumboAttribute *found = gumbo_get_attribute(&node->v.element.attributes, name);
    return found == NULL ? STR_NONE : str_of(found->value);
}

bool html_is(const GumboNode *node, GumboTag tag)
{
    return node->type == GUMBO_NODE_ELEMENT && node->v.element.tag == tag &&
           node->v.element.tag_namespace == GUMBO_NAMESPACE_HTML;
}
