#include "engine/segment/segment.h"
#include "engine/segment/segment_writer.h"

void writer_key(struct buf *out, struct str key, bool is_property)
{
    if (segment_is_plain_name(key)) {
        buf_str(out, key);
        return;
    }
    buf_str(out, is_property ? STR("property ") : STR("trait "));
    json_write_str(out, key);
}

/* ---- literals and tests */

/* yesterday, today, tomorrow; false for other days. */
static bool write_near_day(struct buf *out, int64_t days)
{
    if (days < -1 || days > 1)
        return false;
    buf_str(out, days < 0 ? STR("yesterday") : days == 0 ? STR("today") : STR("tomorrow"));
    return true;
}

static void write_ago(struct buf *out, int64_t from_now_ms)
{
    if (from_now_ms == 0) {
        buf_str(out, STR("now"));
        return;
    }
    segment_write_length(out, from_now_ms < 0 ? -from_now_ms : from_now_ms);
    buf_str(out, from_now_ms < 0 ? STR(" ago") : STR(" from now"));
}

static void write_literal(struct buf *out, const struct segment_literal *literal)
{
    int64_t value = literal->value.integer;
    switch (literal->kind) {
    case SEGMENT_TEXT:
    case SEGMENT_NUMBER:
        json_write(out, &literal->value);
        return;
    case SEGMENT_TRUTH:
        buf_str(out, literal->value.truth ? STR("yes") : STR("no"));
        return;
    case SEGMENT_DATE:
    case SEGMENT_A_DAY:
        segment_write_date(out, value, literal->kind == SEGMENT_A_DAY);
        return;
    case SEGMENT_AGO:
        write_ago(out, value);
        return;
    case SEGMENT_TODAY:
        if (!write_near_day(out, value))
            buf_format(out, "%lld days %s today", (long long)(value < 0 ? -value : value),
                       value < 0 ? "before" : "after");
        return;
    }
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

void writer_test(struct buf *out, const struct segment_compare *c)
{
    buf_str(out, str_of(segment_test_word(c->test)));
    if (c->values_count > 0)
        buf_char(out, ' ');
    write_values(out, c);
}

/* ---- about a name */

static void write_name(struct buf *out, const struct segment_compare *c, bool in_where)
{
    if (c->which != SEGMENT_PLAIN)
        buf_str(out, c->which == SEGMENT_ANY ? STR("any ") : STR("all "));
    writer_key(out, c->key, in_where);
    buf_char(out, ' ');
}

static void write_compare(struct buf *out, const struct segment_compare *c, bool in_where)
{
    if (!in_where && c->which == SEGMENT_PLAIN && str_starts(c->key, SEGMENT_SCORE_PREFIX)) {
        buf_str(out, STR("score "));
        json_write_str(out, str_slice(c->key, SEGMENT_SCORE_PREFIX.len, c->key.len));
        buf_char(out, ' ');
    } else {
        write_name(out, c, in_where);
    }
    writer_test(out, c);
}

static void write_been(struct buf *out, const struct segment_node *node)
{
    write_name(out, &node->compare, false);
    if (node->compare.test == SEGMENT_EXISTS) {
        buf_str(out, STR("has existed"));
    } else {
        buf_str(out, STR("has been "));
        writer_test(out, &node->compare);
    }
    buf_str(out, STR(" for "));
    segment_write_length(out, node->within_ms);
}

static const char *plural(int32_t count)
{
    return count == 1 ? "" : "s";
}

static void write_one_day(struct buf *out, int32_t days)
{
    if (write_near_day(out, days))
        return;
    if (days > 0)
        buf_format(out, "in %d days", days);
    else
        buf_format(out, "%d days ago", -days);
}

static void write_day(struct buf *out, const struct segment_node *node)
{
    int32_t from = node->from_days, to = node->to_days;
    if (node->yearly)
        buf_str(out, STR("anniversary of "));
    write_name(out, &node->compare, false);
    buf_str(out, STR("is "));
    if (from == to) {
        write_one_day(out, from);
    } else if (from == 0) {
        buf_format(out, "in the next %d day%s", to, plural(to));
    } else if (to == 0) {
        buf_format(out, "in the last %d day%s", -from, plural(-from));
    } else {
        buf_str(out, STR("between "));
        write_one_day(out, from);
        buf_str(out, STR(" and "));
        write_one_day(out, to);
    }
}

static void write_element(struct buf *out, const struct segment_node *node)
{
    write_name(out, &node->compare, true);
    writer_grouped(out, node->parts[0], true, true);
}

/* ---- what a person belongs to */

static void write_member(struct buf *out, const char *of, const struct segment_node *node)
{
    buf_format(out, "in %s ", of);
    json_write_str(out, node->name);
    if (node->at.len > 0) {
        buf_str(out, STR(" at "));
        json_write_str(out, node->at);
    }
}

static void write_consent(struct buf *out, const struct segment_node *node)
{
    buf_str(out, STR("consent "));
    if (node->name.len > 0) {
        buf_str(out, STR("to "));
        json_write_str(out, node->name);
        buf_char(out, ' ');
    }
    if (node->at.len > 0) {
        buf_str(out, STR("by "));
        json_write_str(out, node->at);
        buf_char(out, ' ');
    }
    buf_format(out, "is %s", segment_consent_word(node->consent));
}

static void write_share(struct buf *out, const struct segment_node *node)
{
    struct json percent = segment_number((struct json){ .kind = JSON_REAL, .real = node->percent });
    buf_str(out, STR("in "));
    json_write(out, &percent);
    buf_str(out, STR("% by "));
    json_write_str(out, node->name);
}

/* ---- the tree */

bool writer_is_group(const struct segment_node *node)
{
    return node->kind == SEGMENT_AND || node->kind == SEGMENT_OR;
}

void writer_grouped(struct buf *out, const struct segment_node *node, bool in_where, bool brackets)
{
    if (brackets)
        buf_char(out, '(');
    writer_node(out, node, in_where);
    if (brackets)
        buf_char(out, ')');
}

static void write_parts(struct buf *out, const struct segment_node *node, bool in_where)
{
    for (uint32_t i = 0; i < node->parts_count; i++) {
        const struct segment_node *part = node->parts[i];
        if (i > 0)
            buf_str(out, node->kind == SEGMENT_AND ? STR(" and ") : STR(" or "));
        /* A group in a group of its own kind keeps its brackets, so that the tree comes back. */
        writer_grouped(out, part, in_where,
                       writer_is_group(part) &&
                           (node->kind == SEGMENT_AND || part->kind == SEGMENT_OR));
    }
}

void writer_node(struct buf *out, const struct segment_node *node, bool in_where)
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
        writer_grouped(out, node->parts[0], in_where, writer_is_group(node->parts[0]));
        return;
    case SEGMENT_COMPARE:
        write_compare(out, &node->compare, in_where);
        return;
    case SEGMENT_ELEMENT:
        write_element(out, node);
        return;
    case SEGMENT_DAY:
        write_day(out, node);
        return;
    case SEGMENT_BEEN:
        write_been(out, node);
        return;
    case SEGMENT_DID:
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
    case SEGMENT_AGGREGATE:
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
    case SEGMENT_FUNNEL:
        writer_behaviour(out, node);
        return;
    case SEGMENT_IN_SEGMENT:
        write_member(out, "segment", node);
        return;
    case SEGMENT_IN_LIST:
        write_member(out, "list", node);
        return;
    case SEGMENT_IN_STAGE:
        write_member(out, "stage", node);
        return;
    case SEGMENT_IN_JOURNEY:
        write_member(out, "journey", node);
        return;
    case SEGMENT_CONSENT:
        write_consent(out, node);
        return;
    case SEGMENT_SHARE:
        write_share(out, node);
        return;
    case SEGMENT_SCORE:
        return; /* it is named, never written */
    }
}

void segment_write(struct buf *out, const struct segment_node *node)
{
    writer_node(out, node, false);
}
