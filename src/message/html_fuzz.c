/*
 * html_fuzz: our reading of HTML beside gumbo's.
 *
 * The same links with the same places and values, and the same text (html_twin_test.h says where
 * only the letters must be the same). The tree itself is sound: what is in a node lies in its
 * parent, places ascend, and nothing is nested deeper than it may be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "message/html_twin_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { BYTES_MAX = 64 << 10, TAGS_MAX = 500 /* some of gumbo's work is the square of it */ };

static void need(bool holds)
{
    if (!holds)
        abort();
}

static void tree_check(const struct html *html)
{
    const struct html_node *nodes = html_nodes(html);
    uint32_t                count = html_count(html), place = 0;
    need(count > 0 && nodes[0].kind == HTML_ROOT && nodes[0].end == count);
    for (uint32_t at = 1; at < count; at++) {
        uint32_t depth = 0;
        need(nodes[at].parent < at && nodes[at].end > at);
        need(nodes[at].end <= nodes[nodes[at].parent].end);
        need(nodes[at].from >= place && nodes[at].to >= nodes[at].from);
        need(nodes[at].to <= html_text(html).len);
        place = nodes[at].to;
        for (uint32_t up = at; up > 0; up = nodes[up].parent)
            depth++;
        need(depth <= HTML_DEPTH_MAX + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str                       text = { (const char *)data, size };
    SCOPED(html_closep) struct html *html = NULL;
    size_t                           tags = 0;
    if (html_parse(&html, text, NULL) != OK)
        return 0;
    tree_check(html);
    for (size_t i = 0; i < size; i++)
        tags += data[i] == '<';
    if (size <= BYTES_MAX && tags <= TAGS_MAX)
        need(html_twin_agrees(text));
    return 0;
}
