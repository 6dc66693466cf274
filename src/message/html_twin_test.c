#include "message/html_twin_test.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gumbo.h>

#include "message/html_inside.h"
#include "message/plain.h"

enum { TWIN_BYTES_MAX = 256 << 20, LINKS_MAX = 4 * HTML_TAGS_MAX };

struct twin {
    struct html  *html;
    struct arena *arena; /* all that gumbo allocates; so nothing of it is freed piece by piece */
    uint32_t      attributes_count, attributes_room;
    unsigned      odd;
    size_t        place; /* in the text, of the node before */
    jmp_buf       full;
};

/* Gumbo does not look at what its allocator returns, so a refusal leaves the parse altogether. */
static void *twin_alloc(void *with, size_t bytes)
{
    struct twin *twin = with;
    void        *at = arena_alloc(twin->arena, bytes);
    if (at == NULL)
        longjmp(twin->full, 1);
    return at;
}

static void twin_free(void *with, void *at)
{
    (void)with;
    (void)at;
}

/* --- gumbo's tree as one of ours ---------------------------------------------------------- */

static void *need(void *at)
{
    if (at == NULL)
        abort();
    return at;
}

/* Ours leaves out the attributes of an <html> or <body> that comes late. */
static bool hides_all(const GumboElement *element)
{
    const GumboAttribute *style = gumbo_get_attribute(&element->attributes, "style");
    return (element->tag == GUMBO_TAG_HTML || element->tag == GUMBO_TAG_BODY) &&
           (gumbo_get_attribute(&element->attributes, "hidden") != NULL ||
            (style != NULL && (strcasestr(style->value, "none") != NULL ||
                               strcasestr(style->value, "hidden") != NULL)));
}

static void attribute_copy(struct twin *twin, const GumboAttribute *from)
{
    struct html *html = twin->html;
    if (twin->attributes_count == twin->attributes_room) {
        twin->attributes_room = 2 * twin->attributes_room + 64;
        html->attributes =
            need(realloc(html->attributes, twin->attributes_room * sizeof *html->attributes));
    }
    struct html_attribute made = { .name = str_of(from->name), .value = str_of(from->value) };
    const char           *place = from->original_value.data;
    if (place >= html->text.ptr && place < html->text.ptr + html->text.len) {
        made.from = (uint32_t)(place - html->text.ptr);
        made.bytes = (uint32_t)from->original_value.length;
    }
    html->attributes[twin->attributes_count++] = made;
}

static struct str name_of(const GumboElement *element)
{
    GumboStringPiece piece = element->original_tag;
    if (element->tag != GUMBO_TAG_UNKNOWN)
        return str_of(gumbo_normalized_tagname(element->tag));
    gumbo_tag_from_original_text(&piece);
    return (struct str){ piece.data, piece.length };
}

/* Gumbo tells of moved elements, not of moved words: they come out of the order of the text. */
static bool is_moved(struct twin *twin, const GumboNode *node)
{
    if (node->type == GUMBO_NODE_COMMENT || node->type == GUMBO_NODE_WHITESPACE)
        return false;
    size_t before = twin->place;
    twin->place = node->type == GUMBO_NODE_ELEMENT ? node->v.element.start_pos.offset
                                                   : node->v.text.start_pos.offset;
    return twin->place < before;
}

/* To gumbo all elements that it does not know have one name: </x> ends <y>. */
static bool is_misended(const GumboElement *element)
{
    GumboStringPiece end = element->original_end_tag;
    if (element->tag != GUMBO_TAG_UNKNOWN || end.length == 0)
        return false;
    gumbo_tag_from_original_text(&end);
    return !str_eq_nocase(name_of(element), (struct str){ end.data, end.length });
}

static unsigned oddity_of(const GumboNode *node)
{
    unsigned flags = node->parse_flags, odd = 0;
    if (flags & (GUMBO_INSERTION_ADOPTION_AGENCY_CLONED | GUMBO_INSERTION_ADOPTION_AGENCY_MOVED |
                 GUMBO_INSERTION_RECONSTRUCTED_FORMATTING_ELEMENT))
        odd |= TWIN_OVERLAPS;
    if (flags & GUMBO_INSERTION_FOSTER_PARENTED)
        odd |= TWIN_FOSTERS;
    if (node->type == GUMBO_NODE_ELEMENT || node->type == GUMBO_NODE_TEMPLATE) {
        GumboTag tag = node->v.element.tag;
        if (tag == GUMBO_TAG_SVG || tag == GUMBO_TAG_MATH || tag == GUMBO_TAG_SELECT ||
            tag == GUMBO_TAG_FRAMESET || tag == GUMBO_TAG_TEMPLATE || tag == GUMBO_TAG_ISINDEX)
            odd |= TWIN_STRANGE;
        if (tag == GUMBO_TAG_FORM || is_misended(&node->v.element) || hides_all(&node->v.element))
            odd |= TWIN_MISENDED;
    }
    return odd;
}

static void node_copy(struct twin *twin, const GumboNode *from, uint32_t parent);

static void element_copy(struct twin *twin, const GumboNode *from, uint32_t parent)
{
    const GumboElement *element = &from->v.element;
    struct html_node    node = { .kind = HTML_ELEMENT,
                                 .parent = parent,
                                 .attributes = twin->attributes_count,
                                 .text = name_of(element) };
    node.tag = html_tag_find(node.text);
    node.attributes_count = element->attributes.length;
    for (unsigned i = 0; i < element->attributes.length; i++)
        attribute_copy(twin, element->attributes.data[i]);
    uint32_t at = twin->html->count;
    need(html_node_add(twin->html, node));
    for (unsigned i = 0; i < element->children.length; i++)
        node_copy(twin, element->children.data[i], at);
    twin->html->nodes[at].end = twin->html->count;
}

static void node_copy(struct twin *twin, const GumboNode *from, uint32_t parent)
{
    struct str text;
    twin->odd |= oddity_of(from) | (is_moved(twin, from) ? TWIN_FOSTERS : 0);
    switch (from->type) {
    case GUMBO_NODE_ELEMENT:
    case GUMBO_NODE_TEMPLATE:
        element_copy(twin, from, parent);
        return;
    case GUMBO_NODE_TEXT:
    case GUMBO_NODE_WHITESPACE:
    case GUMBO_NODE_CDATA:
        text = str_of(from->v.text.text);
        need(html_node_add(twin->html, (struct html_node){ .kind = HTML_TEXT,
                                                           .parent = parent,
                                                           .end = twin->html->count + 1,
                                                           .text = text }));
        return;
    default:
        return;
    }
}

static bool gumbo_run(struct twin *twin)
{
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = twin_alloc;
    options.deallocator = twin_free;
    options.userdata = twin;
    /* With a limit it keeps the name of an attribute that is there twice. */
    options.max_errors = -1;
    if (setjmp(twin->full) != 0)
        return false;
    struct str   text = twin->html->text;
    GumboOutput *output =
        gumbo_parse_with_options(&options, text.len == 0 ? "" : text.ptr, text.len);
    need(html_node_add(twin->html, (struct html_node){ .kind = HTML_ROOT }));
    node_copy(twin, output->root, 0);
    twin->html->nodes[0].end = twin->html->count;
    return true;
}

bool html_twin_parse(struct html **out, struct str text, unsigned *odd)
{
    struct twin twin = { .html = need(calloc(1, sizeof *twin.html)) };
    twin.arena = twin.html->arena = need(arena_open(TWIN_BYTES_MAX));
    twin.html->text = text;
    twin.html->body_end = twin.html->html_end = SIZE_MAX;
    if (!gumbo_run(&twin)) {
        html_close(twin.html);
        return false;
    }
    *odd = twin.odd;
    *out = twin.html;
    return true;
}

/* --- what must be equal ------------------------------------------------------------------- */

struct link {
    uint32_t   from, bytes;
    struct str value;
};

static int link_cmp(const void *a, const void *b)
{
    const struct link *left = a, *right = b;
    return left->from < right->from ? -1 : left->from > right->from;
}

/* Every link with a value, in order, each once: gumbo's tree may have copies. */
static size_t links_list(const struct html *html, struct link *links)
{
    size_t count = 0, kept = 0;
    for (uint32_t at = 0; at < html_count(html); at++) {
        const struct html_node      *node = &html_nodes(html)[at];
        const struct html_attribute *href = html_attribute(html, node, STR("href"));
        if ((html_is(node, HTML_A) || html_is(node, HTML_AREA)) && href != NULL &&
            href->value.len > 0 && count < LINKS_MAX)
            links[count++] = (struct link){ href->from, href->bytes, href->value };
    }
    qsort(links, count, sizeof *links, link_cmp);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || links[kept - 1].from != links[i].from)
            links[kept++] = links[i];
    return kept;
}

/* Gumbo loses the start of a value without quotes that begins with a reference. */
static bool places_agree(struct str text, const struct link *ours, const struct link *twin)
{
    if (ours->from == twin->from)
        return ours->bytes == twin->bytes;
    return text.ptr[ours->from] == '&' && ours->from + ours->bytes == twin->from + twin->bytes;
}

static bool links_agree(const struct html *ours, const struct html *twin)
{
    struct link *left = need(calloc(LINKS_MAX, sizeof *left));
    struct link *right = need(calloc(LINKS_MAX, sizeof *right));
    size_t       left_count = links_list(ours, left), right_count = links_list(twin, right);
    bool         same = left_count == right_count;
    for (size_t i = 0; i < left_count && i < right_count; i++) {
        struct link a = left[i], b = right[i];
        if (places_agree(html_text(ours), &a, &b) && str_eq(a.value, b.value))
            continue;
        fprintf(stderr, "link %zu: ours %u+%u \"%.*s\", twin %u+%u \"%.*s\"\n", i, a.from, a.bytes,
                STR_ARG(a.value), b.from, b.bytes, STR_ARG(b.value));
        same = false;
        break;
    }
    if (left_count != right_count)
        fprintf(stderr, "ours has %zu links, the twin %zu\n", left_count, right_count);
    free(left);
    free(right);
    return same;
}

static bool letters_agree(const struct html *ours, const struct html *twin)
{
    const struct html *both[] = { ours, twin };
    long               balance[256] = { 0 };
    for (int side = 0; side < 2; side++)
        for (uint32_t at = 0; at < html_count(both[side]); at++) {
            const struct html_node *node = &html_nodes(both[side])[at];
            for (size_t i = 0; node->kind == HTML_TEXT && i < node->text.len; i++)
                balance[(unsigned char)node->text.ptr[i]] += side == 0 ? 1 : -1;
        }
    for (int c = '!'; c < 256; c++)
        if (balance[c] != 0) {
            fprintf(stderr, "ours has %ld more of byte %02X in its texts\n", balance[c], c);
            return false;
        }
    return true;
}

static bool plain_agrees(const struct html *ours, const struct html *twin)
{
    struct buf left = buf_make(16 << 20), right = buf_make(16 << 20);
    plain_write(ours, &left);
    plain_write(twin, &right);
    bool same = str_eq(buf_view(&left), buf_view(&right));
    if (!same)
        fprintf(stderr, "--- ours\n%.*s--- twin\n%.*s---\n", STR_ARG(buf_view(&left)),
                STR_ARG(buf_view(&right)));
    buf_done(&left);
    buf_done(&right);
    return same;
}

/* A number that overflows gumbo's integers. */
static bool is_huge_number(struct str text, size_t at)
{
    size_t digits = at + 2;
    while (digits < text.len && isxdigit((unsigned char)text.ptr[digits] | 32))
        digits++;
    return digits > at + 9;
}

/* Gumbo reads control characters and code points that are none as U+FFFD, which is its own idea. */
static bool is_clean(struct str text)
{
    for (size_t at = str_find(text, 0, STR("&#")); at < text.len;
         at = str_find(text, at + 2, STR("&#")))
        if (is_huge_number(text, at + (at + 2 < text.len && (text.ptr[at + 2] | 32) == 'x')))
            return false;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        unsigned char next = i + 1 < text.len ? (unsigned char)text.ptr[i + 1] : 0;
        bool          is_space = c == '\t' || c == '\n' || c == '\f' || c == '\r';
        if ((c < ' ' && !is_space) || c == 0x7F || (c == 0xC2 && next < 0xA0) ||
            (c == 0xBF && next >= 0xBE) || (c == 0xEF && next == 0xB7))
            return false;
    }
    return str_is_utf8(text);
}

bool html_twin_agrees(struct str text)
{
    SCOPED(html_closep) struct html *ours = NULL, *twin = NULL;
    unsigned                         odd = 0;
    if (!is_clean(text) || html_parse(&ours, text, NULL) != OK ||
        !html_twin_parse(&twin, text, &odd) || odd & TWIN_STRANGE)
        return true;
    return links_agree(ours, twin) && letters_agree(ours, twin) &&
           (odd != 0 || plain_agrees(ours, twin));
}
