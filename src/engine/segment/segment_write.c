#include "engine/segment/segment.h"
#include "engine/segment/segment_words.h"

static void write_node(struct buf *out, const struct segment_node *node, bool in_where);

static void write_key(struct buf *out, struct str key, bool is_property)
{
    if (segment_is_plain_name(key)) {
        buf_str(out, key);
        return;
    }
    buf_str(out, is_property ? STR("property ") : STR("trait "));
    json_write_str(out, key);
}

static void write_literal(struct buf *out, const struct segment_literal *literal)
{
    if (literal->kind == SEGMENT_DATE)
        segment_write_date(out, literal->value.integer);
    else if (literal->kind == SEGMENT_TRUTH)
        buf_str(out, literal->value.truth ? STR("yes") : STR("no"));
    else
        json_write(out, &literal->value);
}

static void write_values(struct buf *out, const struct segment_compare *c)
{
    bool is_list = c->test == SEGMENT_IN || c->test == SEGMENT_NOT_IN;
    if (is_list)
        buf_char(out, '(');
    for (uint32_t i = 0; i < c->values_count; i++) {
        if (i > 0)
            buf_str(out, is_list ? STR(", ") : STR(" and "));
        write_literal(out, &c->values[i]);
    }
    if (is_list)
        buf_char(out, ')');
}

static void write_compare(struct buf *out, const struct segment_compare *c, bool in_where)
{
    if (c->which != SEGMENT_PLAIN)
        buf_str(out, c->which == SEGMENT_ANY ? STR("any ") : STR("all "));
    write_key(out, c->key, in_where);
    buf_char(out, ' ');
    buf_str(out, str_of(segment_test_word(c->test)));
    if (c->values_count > 0)
        buf_char(out, ' ');
    write_values(out, c);
}

static void write_window(struct buf *out, const struct segment_window *w)
{
    switch (w->kind) {
    case SEGMENT_EVER:
        return;
    case SEGMENT_LAST:
        buf_str(out, STR(" in the last "));
        segment_write_length(out, w->length_ms);
        return;
    case SEGMENT_NOT_LAST:
        buf_str(out, STR(" not in the last "));
        segment_write_length(out, w->length_ms);
        return;
    case SEGMENT_SINCE:
        buf_str(out, STR(" since "));
        segment_write_date(out, w->from_ms);
        return;
    case SEGMENT_BEFORE:
        buf_str(out, STR(" before "));
        segment_write_date(out, w->to_ms);
        return;
    case SEGMENT_BETWEEN:
        buf_str(out, STR(" between "));
        segment_write_date(out, w->from_ms);
        buf_str(out, STR(" and "));
        segment_write_date(out, w->to_ms);
        return;
    case SEGMENT_SINCE_ENTRY:
        buf_str(out, STR(" since entry"));
        return;
    default:
        break; /* not there yet */
    }
}

/* For "last did": the same windows, as one says them of an instant. */
static void write_instant(struct buf *out, const struct segment_window *w)
{
    if (w->kind == SEGMENT_EVER) {
        buf_str(out, STR(" ever"));
    } else if (w->kind == SEGMENT_LAST || w->kind == SEGMENT_NOT_LAST) {
        buf_str(out, w->kind == SEGMENT_LAST ? STR(" less than ") : STR(" more than "));
        segment_write_length(out, w->length_ms);
        buf_str(out, STR(" ago"));
    } else {
        write_window(out, w);
    }
}

static bool is_group(const struct segment_node *node)
{
    return node->kind == SEGMENT_AND || node->kind == SEGMENT_OR;
}

static void write_grouped(struct buf *out, const struct segment_node *node, bool in_where,
                          bool brackets)
{
    if (brackets)
        buf_char(out, '(');
    write_node(out, node, in_where);
    if (brackets)
        buf_char(out, ')');
}

static void write_where(struct buf *out, const struct segment_match *match, bool brackets)
{
    if (match->where == NULL)
        return;
    buf_str(out, STR(" where "));
    write_grouped(out, match->where, true, brackets || is_group(match->where));
}

static void write_times(struct buf *out, const struct segment_node *node)
{
    static const char *const words[] = { "at least", "at most", "exactly" };
    if (node->times == SEGMENT_TIMES_AT_LEAST && node->times_count == 1)
        return;
    buf_format(out, " %s %u %s", words[node->times], node->times_count,
               node->times_count == 1 ? "time" : "times");
}

static void write_did(struct buf *out, const struct segment_node *node)
{
    bool never = node->times == SEGMENT_TIMES_AT_MOST && node->times_count == 0;
    buf_str(out, never ? STR("never did ") : STR("did "));
    json_write_str(out, node->match.event);
    if (!never)
        write_times(out, node);
    write_window(out, &node->match.window);
    write_where(out, &node->match, false);
}

static void write_first_or_last(struct buf *out, const struct segment_node *node)
{
    buf_str(out, node->kind == SEGMENT_FIRST_DID ? STR("first did ") : STR("last did "));
    json_write_str(out, node->match.event);
    write_instant(out, &node->match.window);
    write_where(out, &node->match, false);
}

static void write_aggregate(struct buf *out, const struct segment_node *node)
{
    buf_str(out, str_of(segment_fold_word(node->fold)));
    buf_str(out, node->fold == SEGMENT_DISTINCT ? STR(" count of ") : STR(" of "));
    write_key(out, node->property, true);
    buf_str(out, STR(" of "));
    json_write_str(out, node->match.event);
    write_window(out, &node->match.window);
    write_where(out, &node->match, true);
    buf_format(out, " %s ", segment_test_word(node->test));
    json_write(out, &node->number);
}

static void write_then(struct buf *out, const struct segment_node *node)
{
    buf_str(out, STR("did "));
    json_write_str(out, node->match.event);
    write_window(out, &node->match.window);
    write_where(out, &node->match, false);
    buf_str(out, node->kind == SEGMENT_THEN ? STR(" then ") : STR(" and then no "));
    json_write_str(out, node->then.event);
    write_where(out, &node->then, false);
    buf_str(out, STR(" within "));
    segment_write_length(out, node->within_ms);
}

static void write_share(struct buf *out, const struct segment_node *node)
{
    struct json percent = segment_number((struct json){ .kind = JSON_REAL, .real = node->percent });
    buf_str(out, STR("in "));
    json_write(out, &percent);
    buf_str(out, STR("% by "));
    json_write_str(out, node->name);
}

static void write_parts(struct buf *out, const struct segment_node *node, bool in_where)
{
    for (uint32_t i = 0; i < node->parts_count; i++) {
        const struct segment_node *part = node->parts[i];
        if (i > 0)
            buf_str(out, node->kind == SEGMENT_AND ? STR(" and ") : STR(" or "));
        /* A group in a group of its own kind keeps its brackets, so that the tree comes back. */
        write_grouped(out, part, in_where,
                      is_group(part) && (node->kind == SEGMENT_AND || part->kind == SEGMENT_OR));
    }
}

static void write_node(struct buf *out, const struct segment_node *node, bool in_where)
{
    switch (node->kind) {
    case SEGMENT_EVERYONE:
        buf_str(out, STR("everyone"));
        return;
    case SEGMENT_AND:
    case SEGMENT_OR:
        write_parts(out, node, in_where);
        return;
    case SEGMENT_NOT:
        buf_str(out, STR("not "));
        write_grouped(out, node->parts[0], in_where, is_group(node->parts[0]));
        return;
    case SEGMENT_COMPARE:
        write_compare(out, &node->compare, in_where);
        return;
    case SEGMENT_DID:
        write_did(out, node);
        return;
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        write_first_or_last(out, node);
        return;
    case SEGMENT_AGGREGATE:
        write_aggregate(out, node);
        return;
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        write_then(out, node);
        return;
    case SEGMENT_IN_SEGMENT:
    case SEGMENT_IN_LIST:
        buf_str(out, node->kind == SEGMENT_IN_LIST ? STR("in list ") : STR("in segment "));
        json_write_str(out, node->name);
        return;
    case SEGMENT_SHARE:
        write_share(out, node);
        return;
    default:
        break; /* not there yet */
    }
}

void segment_write(struct buf *out, const struct segment_node *node)
{
    write_node(out, node, false);
}

/* ---- bounds that both faces share */

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t depth_of(const struct segment_node *node)
{
    uint32_t below = 0;
    for (uint32_t i = 0; i < node->parts_count; i++)
        below = larger(below, depth_of(node->parts[i]));
    if (node->match.where != NULL)
        below = larger(below, depth_of(node->match.where));
    if (node->then.where != NULL)
        below = larger(below, depth_of(node->then.where));
    return below + 1;
}

enum err segment_bounds(const struct segment_node *node, struct problem *problem, const char *where)
{
    static const char remedy[] = "Split this into segments and ask with: in segment \"...\".";
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);

    if (depth_of(node) > SEGMENT_DEPTH_MAX)
        return problem_set(problem, ERR_LIMIT, where, "groups lie more than 24 deep", remedy);
    segment_write(&text, node);
    if (buf_err(&text) == ERR_LIMIT)
        return problem_set(problem, ERR_LIMIT, where, "the condition is longer than 65536 bytes",
                           remedy);
    return buf_err(&text);
}
