#include "message/html_tree.h"

#include "message/html_entity.h"

/* --- the stack of open elements ----------------------------------------------------------- */

static struct html_node *node_at(const struct html_tree *tree, uint32_t place)
{
    return &tree->html->nodes[tree->open[place]];
}

static enum html_tag tag_at(const struct html_tree *tree, uint32_t place)
{
    return node_at(tree, place)->tag;
}

static struct html_node *top(const struct html_tree *tree)
{
    return node_at(tree, tree->depth - 1);
}

static bool is_foreign(const struct html_node *node)
{
    return node->kind == HTML_ELEMENT && (node->tag == HTML_SVG || node->tag == HTML_MATH);
}

static void pop(struct html_tree *tree)
{
    struct html_node *node = top(tree);
    node->end = tree->html->count;
    tree->foreign -= is_foreign(node);
    if (tree->open[tree->depth - 1] == tree->form)
        tree->form = 0;
    tree->depth--;
}

/* Until the element at `place` is closed; 0, the root, is none. */
static void pop_through(struct html_tree *tree, uint32_t place)
{
    while (place > 0 && tree->depth > place)
        pop(tree);
}

/* Until the element at `place` is the innermost. */
static void pop_to(struct html_tree *tree, uint32_t place)
{
    while (tree->depth > place + 1)
        pop(tree);
}

enum scope { SCOPE_TABLE = 1, SCOPE_PLAIN = 2, SCOPE_BUTTON = 4, SCOPE_LIST = 8 };

/* In which scopes an element hides those around it. */
static int fence_of(enum html_tag tag)
{
    switch (tag) {
    case HTML_HTML:
    case HTML_TABLE:
    case HTML_TEMPLATE:
        return SCOPE_TABLE | SCOPE_PLAIN | SCOPE_BUTTON | SCOPE_LIST;
    case HTML_APPLET:
    case HTML_CAPTION:
    case HTML_TD:
    case HTML_TH:
    case HTML_MARQUEE:
    case HTML_OBJECT:
        return SCOPE_PLAIN | SCOPE_BUTTON | SCOPE_LIST;
    case HTML_BUTTON:
        return SCOPE_BUTTON;
    case HTML_OL:
    case HTML_UL:
        return SCOPE_LIST;
    default:
        return 0;
    }
}

/* The place of the innermost open `tag` that can be seen in this scope; 0: none. */
static uint32_t find(const struct html_tree *tree, enum html_tag tag, enum scope scope)
{
    for (uint32_t place = tree->depth - 1; place > 0; place--) {
        if (tag_at(tree, place) == tag)
            return place;
        if (fence_of(tag_at(tree, place)) & (int)scope)
            return 0;
    }
    return 0;
}

static bool is_heading(enum html_tag tag)
{
    return tag >= HTML_H1 && tag <= HTML_H6;
}

/* Closes what needs no end tag, but not `except`. */
static void implied_close(struct html_tree *tree, enum html_tag except)
{
    for (enum html_tag tag = top(tree)->tag;
         tag != except && (tag == HTML_P || tag == HTML_LI || tag == HTML_DD || tag == HTML_DT);
         tag = top(tree)->tag)
        pop(tree);
}

static void paragraph_close(struct html_tree *tree)
{
    pop_through(tree, find(tree, HTML_P, SCOPE_BUTTON));
}

/* --- nodes -------------------------------------------------------------------------------- */

static void node_push(struct html_tree *tree, struct html_node node)
{
    node.parent = tree->open[tree->depth - 1];
    node.end = tree->html->count + 1;
    if (html_node_add(tree->html, node) == NULL) {
        tree->err = ERR_MEMORY;
        return;
    }
    if (node.kind == HTML_TEXT)
        return;
    if (tree->depth == HTML_DEPTH_MAX + 1) {
        tree->err = ERR_LIMIT;
        return;
    }
    tree->open[tree->depth++] = tree->html->count - 1;
    tree->foreign += is_foreign(&node);
}

static void element_push(struct html_tree *tree, const struct html_token *token)
{
    bool is_image = token->tag == HTML_IMAGE && tree->foreign == 0; /* meant, and read, as <img> */
    node_push(tree, (struct html_node){ .kind = HTML_ELEMENT,
                                        .tag = is_image ? HTML_IMG : token->tag,
                                        .from = token->from,
                                        .to = token->to,
                                        .attributes = token->attributes,
                                        .attributes_count = token->attributes_count,
                                        .text = token->name,
                                        .is_self_closing = token->is_self_closing });
}

/* An element that nobody wrote. */
static void implied_push(struct html_tree *tree, enum html_tag tag, const struct html_token *token)
{
    struct html_token implied = {
        .tag = tag, .name = html_tag_name(tag), .from = token->from, .to = token->from
    };
    element_push(tree, &implied);
}

static void void_push(struct html_tree *tree, const struct html_token *token)
{
    element_push(tree, token);
    if (tree->err == OK)
        pop(tree);
}

/* --- tables ------------------------------------------------------------------------------- */

/* The innermost part of a table that is open, or the <template> around us; 0: none. */
static uint32_t table_part(const struct html_tree *tree)
{
    for (uint32_t place = tree->depth - 1; place > 0; place--) {
        enum html_tag tag = tag_at(tree, place);
        if (tag == HTML_TABLE || tag == HTML_TEMPLATE ||
            (html_tag_flags(tag) & HTML_IS_TABLE && tag != HTML_COL))
            return place;
    }
    return 0;
}

static bool is_cell(enum html_tag tag)
{
    return tag == HTML_TD || tag == HTML_TH || tag == HTML_CAPTION;
}

/* In a table, and in none of its cells. */
static bool is_between_cells(const struct html_tree *tree)
{
    uint32_t part = table_part(tree);
    return part > 0 && !is_cell(tag_at(tree, part)) && tag_at(tree, part) != HTML_TEMPLATE;
}

/* Leaves cells, rows and groups until `tag` may begin. */
static void table_open_up(struct html_tree *tree, uint32_t part, enum html_tag tag)
{
    while (part > 0) {
        enum html_tag open = tag_at(tree, part);
        bool          stays = open == HTML_TABLE || open == HTML_TEMPLATE ||
                     ((tag == HTML_TD || tag == HTML_TH) && open == HTML_TR) ||
                     ((tag == HTML_TD || tag == HTML_TH || tag == HTML_TR) &&
                      (open == HTML_TBODY || open == HTML_THEAD || open == HTML_TFOOT)) ||
                     (tag == HTML_COL && open == HTML_COLGROUP);
        if (stays) {
            pop_to(tree, part);
            return;
        }
        pop_through(tree, part);
        part = table_part(tree);
    }
}

static void table_start(struct html_tree *tree, const struct html_token *token)
{
    uint32_t part = table_part(tree);
    if (part == 0)
        return; /* outside a table it means nothing */
    table_open_up(tree, part, token->tag);
    if (token->tag == HTML_COL) {
        void_push(tree, token);
        return;
    }
    bool has_row = top(tree)->tag == HTML_TR || top(tree)->tag == HTML_TEMPLATE;
    if ((token->tag == HTML_TD || token->tag == HTML_TH) && !has_row)
        implied_push(tree, HTML_TR, token);
    if (tree->err == OK)
        element_push(tree, token);
}

/* --- start tags --------------------------------------------------------------------------- */

static void item_close(struct html_tree *tree, enum html_tag tag)
{
    for (uint32_t place = tree->depth - 1; place > 0; place--) {
        enum html_tag open = tag_at(tree, place);
        if (open == tag || (tag != HTML_LI && (open == HTML_DD || open == HTML_DT))) {
            pop_through(tree, place);
            return;
        }
        if (html_tag_flags(open) & HTML_IS_SPECIAL && open != HTML_ADDRESS && open != HTML_DIV &&
            open != HTML_P)
            return;
    }
}

/* A link in a link ends it, but not out of a cell. */
static void link_close(struct html_tree *tree)
{
    pop_through(tree, find(tree, HTML_A, SCOPE_PLAIN));
}

static void form_start(struct html_tree *tree, const struct html_token *token)
{
    if (tree->form != 0)
        return;
    bool between = is_between_cells(tree);
    paragraph_close(tree);
    element_push(tree, token);
    if (tree->err != OK)
        return;
    tree->form = tree->open[tree->depth - 1];
    if (between) { /* around rows a form holds nothing, but no other may begin */
        uint32_t form = tree->form;
        pop(tree);
        tree->form = form;
    }
}

/* What the tag ends before it begins. */
static void start_clear(struct html_tree *tree, enum html_tag tag)
{
    uint32_t flags = html_tag_flags(tag);
    if (tag == HTML_LI || tag == HTML_DD || tag == HTML_DT)
        item_close(tree, tag);
    if (tag == HTML_TABLE && is_between_cells(tree))
        pop_through(tree, find(tree, HTML_TABLE, SCOPE_TABLE));
    bool closes = flags & HTML_IS_BLOCK || tag == HTML_LI || tag == HTML_DD || tag == HTML_DT ||
                  tag == HTML_HR || tag == HTML_XMP || tag == HTML_PLAINTEXT ||
                  (tag == HTML_TABLE && tree->scan->has_doctype);
    if (closes)
        paragraph_close(tree);
    if (is_heading(tag) && is_heading(top(tree)->tag))
        pop(tree);
    if (tag == HTML_A)
        link_close(tree);
    if (tag == HTML_BUTTON)
        pop_through(tree, find(tree, tag, SCOPE_PLAIN));
    if (tag == HTML_NOBR)
        pop_through(tree, find(tree, tag, SCOPE_PLAIN));
}

static void body_start(struct html_tree *tree, const struct html_token *token)
{
    uint32_t flags = html_tag_flags(token->tag);
    start_clear(tree, token->tag);
    if (flags & HTML_IS_VOID || (tree->foreign > 0 && token->is_self_closing) ||
        ((token->tag == HTML_SVG || token->tag == HTML_MATH) && token->is_self_closing)) {
        void_push(tree, token);
        return;
    }
    element_push(tree, token);
    if (flags & (HTML_IS_RAW | HTML_IS_TITLE | HTML_IS_SCRIPT | HTML_IS_REST))
        html_scan_raw(tree->scan, token->tag);
}

/* <html>, <head> and <body> begin once, and only before anything else does. */
static void frame_start(struct html_tree *tree, const struct html_token *token)
{
    if (tree->has_body || (token->tag == HTML_HTML && tree->html->count > 1) ||
        (token->tag == HTML_HEAD && tree->has_head))
        return;
    tree->has_head = token->tag != HTML_HTML;
    tree->has_body = token->tag == HTML_BODY;
    element_push(tree, token);
}

/* What cannot stand in the head ends it, and the body has begun. */
static void head_leave(struct html_tree *tree)
{
    pop_through(tree, find(tree, HTML_HEAD, SCOPE_TABLE));
    tree->has_body = true;
}

static void start_take(struct html_tree *tree, const struct html_token *token)
{
    uint32_t flags = html_tag_flags(token->tag);
    if (token->tag == HTML_HTML || token->tag == HTML_HEAD || token->tag == HTML_BODY) {
        if (token->tag == HTML_BODY)
            pop_through(tree, find(tree, HTML_HEAD, SCOPE_TABLE));
        frame_start(tree, token);
        return;
    }
    if (!tree->has_body && !(flags & HTML_IS_HEAD))
        head_leave(tree);
    if (flags & HTML_IS_TABLE)
        table_start(tree, token);
    else if (token->tag == HTML_FORM)
        form_start(tree, token);
    else
        body_start(tree, token);
}

/* --- end tags ----------------------------------------------------------------------------- */

static void heading_end(struct html_tree *tree)
{
    for (uint32_t place = tree->depth - 1; place > 0; place--) {
        if (is_heading(tag_at(tree, place))) {
            pop_through(tree, place);
            return;
        }
        if (fence_of(tag_at(tree, place)) & SCOPE_PLAIN)
            return;
    }
}

static void paragraph_end(struct html_tree *tree, const struct html_token *token)
{
    if (find(tree, HTML_P, SCOPE_BUTTON) == 0) { /* an end tag alone makes an empty one */
        implied_push(tree, HTML_P, token);
        if (tree->err != OK)
            return;
    }
    paragraph_close(tree);
}

static void form_end(struct html_tree *tree)
{
    uint32_t form = tree->form;
    if (form == 0)
        return;
    tree->form = 0;
    implied_close(tree, HTML_OTHER);
    if (tree->open[tree->depth - 1] == form)
        pop(tree);
}

static void break_end(struct html_tree *tree, const struct html_token *token)
{
    implied_push(tree, HTML_BR, token);
    if (tree->err == OK)
        pop(tree);
}

/* Any other element's: of that name, unless it would have to reach through a special one. */
static void other_end(struct html_tree *tree, const struct html_token *token)
{
    for (uint32_t place = tree->depth - 1; place > 0; place--) {
        const struct html_node *node = node_at(tree, place);
        if (node->tag == token->tag &&
            (token->tag != HTML_OTHER || str_eq_nocase(node->text, token->name))) {
            pop_through(tree, place);
            return;
        }
        if (html_tag_flags(node->tag) & HTML_IS_SPECIAL)
            return;
    }
}

static void frame_end(struct html_tree *tree, const struct html_token *token)
{
    if (token->tag == HTML_BODY)
        tree->html->body_end = token->from;
    if (token->tag == HTML_HTML)
        tree->html->html_end = token->from;
    if (token->tag == HTML_HEAD)
        pop_through(tree, find(tree, HTML_HEAD, SCOPE_TABLE));
}

static void end_take(struct html_tree *tree, const struct html_token *token)
{
    enum html_tag tag = token->tag;
    uint32_t      flags = html_tag_flags(tag);
    if (tag == HTML_HTML || tag == HTML_HEAD || tag == HTML_BODY)
        frame_end(tree, token);
    else if (tag == HTML_BR)
        break_end(tree, token);
    else if (tag == HTML_P)
        paragraph_end(tree, token);
    else if (is_heading(tag))
        heading_end(tree);
    else if (tag == HTML_FORM)
        form_end(tree);
    else if (tag == HTML_TABLE || flags & HTML_IS_TABLE || tag == HTML_TEMPLATE)
        pop_through(tree, find(tree, tag, SCOPE_TABLE));
    else if (tag == HTML_LI)
        pop_through(tree, find(tree, tag, SCOPE_LIST));
    else if (flags & HTML_IS_BLOCK || tag == HTML_DD || tag == HTML_DT || tag == HTML_BUTTON ||
             tag == HTML_A || tag == HTML_APPLET || tag == HTML_MARQUEE || tag == HTML_OBJECT)
        pop_through(tree, find(tree, tag, SCOPE_PLAIN));
    else
        other_end(tree, token);
}

/* --- texts -------------------------------------------------------------------------------- */

static bool is_blank(struct str text)
{
    return str_trim(text).len == 0;
}

static enum html_decoding decoding_of(enum html_tag tag)
{
    uint32_t flags = html_tag_flags(tag);
    if (flags & (HTML_IS_RAW | HTML_IS_SCRIPT | HTML_IS_REST))
        return HTML_DECODE_RAW;
    return flags & HTML_IS_TITLE ? HTML_DECODE_TITLE : HTML_DECODE_TEXT;
}

static void text_take(struct html_tree *tree, const struct html_token *token)
{
    struct str    raw = str_slice(tree->html->text, token->from, token->to);
    enum html_tag in = top(tree)->kind == HTML_ELEMENT ? top(tree)->tag : HTML_OTHER;
    if (!tree->has_body && decoding_of(in) == HTML_DECODE_TEXT) {
        if (is_blank(raw))
            return;
        head_leave(tree);
    }
    struct str text = html_decode(tree->html->arena, raw, decoding_of(in));
    if (text.ptr == NULL) {
        tree->err = ERR_MEMORY;
        return;
    }
    node_push(tree, (struct html_node){
                        .kind = HTML_TEXT, .from = token->from, .to = token->to, .text = text });
}

/* --- the face ----------------------------------------------------------------------------- */

void html_tree_begin(struct html_tree *tree, struct html *html, struct html_scan *scan)
{
    *tree = (struct html_tree){ .html = html, .scan = scan };
    if (html_node_add(html, (struct html_node){ .kind = HTML_ROOT }) == NULL)
        tree->err = ERR_MEMORY;
    else
        tree->depth = 1;
}

void html_tree_take(struct html_tree *tree, const struct html_token *token)
{
    if (tree->err != OK)
        return;
    if (token->kind == HTML_TOKEN_TEXT)
        text_take(tree, token);
    else if (token->kind == HTML_TOKEN_START)
        start_take(tree, token);
    else if (token->kind == HTML_TOKEN_END_TAG)
        end_take(tree, token);
}

void html_tree_end(struct html_tree *tree)
{
    while (tree->depth > 0)
        pop(tree);
}
