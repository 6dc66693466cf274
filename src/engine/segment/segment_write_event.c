#include "engine/segment/segment_writer.h"

/* ---- windows and filters */

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
        segment_write_date(out, w->from_ms, w->from_is_day);
        return;
    case SEGMENT_BEFORE:
        buf_str(out, STR(" before "));
        segment_write_date(out, w->to_ms, w->to_is_day);
        return;
    case SEGMENT_BETWEEN:
        buf_str(out, STR(" between "));
        segment_write_date(out, w->from_ms, w->from_is_day);
        buf_str(out, STR(" and "));
        segment_write_date(out, w->to_ms, w->to_is_day);
        return;
    case SEGMENT_SINCE_ENTRY:
        buf_str(out, STR(" since entry"));
        return;
    case SEGMENT_CALENDAR:
        buf_format(out, " %s", segment_calendar_word(w->unit, w->back));
        return;
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

static void write_where(struct buf *out, const struct segment_match *match, bool brackets)
{
    if (match->where == NULL)
        return;
    buf_str(out, STR(" where "));
    writer_grouped(out, match->where, true, brackets || writer_is_group(match->where));
}

static void write_same(struct buf *out, struct str same)
{
    if (same.len == 0)
        return;
    buf_str(out, STR(" with the same "));
    writer_key(out, same, true);
}

/* ---- what happened */

static void write_message(struct buf *out, const struct segment_match *m)
{
    static const char *const hits[] = { "", " by a machine", " by anyone" };
    buf_str(out, m->of == SEGMENT_OF_MESSAGE ? STR(" message ") : STR(" any message"));
    if (m->of == SEGMENT_OF_JOURNEY || m->of == SEGMENT_OF_BROADCAST)
        buf_format(out, " of %s ", segment_of_word(m->of));
    if (m->of != SEGMENT_OF_ANY)
        json_write_str(out, m->name);
    buf_str(out, str_of(hits[m->hits]));
}

static void write_happening(struct buf *out, const struct segment_match *m)
{
    if (m->subject == SEGMENT_EVENT) {
        json_write_str(out, m->event);
        return;
    }
    if (m->subject == SEGMENT_ANYTHING) {
        buf_str(out, STR("anything"));
        return;
    }
    buf_str(out, str_of(segment_subject_word(m->subject)));
    if (segment_subject_is_message(m->subject)) {
        write_message(out, m);
    } else {
        buf_str(out, STR(" journey "));
        json_write_str(out, m->name);
    }
}

/* "did "Order Completed"", but "opened any message". */
static void write_did_what(struct buf *out, const struct segment_match *m)
{
    if (m->subject == SEGMENT_EVENT || m->subject == SEGMENT_ANYTHING)
        buf_str(out, STR("did "));
    write_happening(out, m);
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
    if (never)
        buf_str(out, STR("never "));
    write_did_what(out, &node->match);
    if (!never)
        write_times(out, node);
    write_window(out, &node->match.window);
    write_where(out, &node->match, false);
}

static void write_first_or_last(struct buf *out, const struct segment_node *node)
{
    buf_str(out, node->kind == SEGMENT_FIRST_DID ? STR("first ") : STR("last "));
    write_did_what(out, &node->match);
    write_instant(out, &node->match.window);
    write_where(out, &node->match, false);
}

/* ---- aggregates */

static void write_property(struct buf *out, const struct segment_node *node)
{
    if (node->property.len == 0)
        return;
    writer_key(out, node->property, true);
    if (node->with != NULL) {
        buf_str(out, STR(" with "));
        writer_grouped(out, node->with, true, true);
    }
    buf_str(out, STR(" of "));
}

static void write_fold(struct buf *out, const struct segment_node *node)
{
    bool is_number = segment_fold_is_number(node->fold);
    buf_str(out, str_of(segment_fold_word(node->fold)));
    buf_str(out, node->fold == SEGMENT_GAP ? STR(" ") : STR(" of "));
    write_property(out, node);
    write_happening(out, &node->match);
    write_window(out, &node->match.window);
    /* The first `between` is the window's, so that one of values stands behind a window. */
    if (!is_number && !node->is_value && node->match.window.kind == SEGMENT_EVER &&
        node->compare.test == SEGMENT_BETWEEN_VALUES)
        buf_str(out, STR(" ever"));
    write_where(out, &node->match, !node->is_value);
    if (node->is_value)
        return;
    buf_char(out, ' ');
    if (!is_number) {
        writer_test(out, &node->compare);
        return;
    }
    buf_format(out, "%s ", segment_test_word(node->test));
    json_write(out, &node->number);
}

/* ---- one after another */

static void write_then_no(struct buf *out, const struct segment_match *then)
{
    buf_str(out, STR(" and then "));
    if (then->subject == SEGMENT_ANYTHING) {
        buf_str(out, STR("nothing"));
        return;
    }
    buf_str(out, then->subject == SEGMENT_EVENT ? STR("no ") : STR("never "));
    write_happening(out, then);
}

static void write_then(struct buf *out, const struct segment_node *node)
{
    write_did_what(out, &node->match);
    write_window(out, &node->match.window);
    write_where(out, &node->match, false);
    if (node->kind == SEGMENT_THEN) {
        buf_str(out, STR(" then "));
        write_happening(out, &node->then);
    } else {
        write_then_no(out, &node->then);
    }
    write_where(out, &node->then, false);
    buf_str(out, STR(" within "));
    segment_write_length(out, node->within_ms);
    write_same(out, node->same);
}

static void write_funnel(struct buf *out, const struct segment_node *node)
{
    buf_format(out, "reached step %u", node->step);
    if (node->not_step != 0)
        buf_format(out, " but not step %u", node->not_step);
    buf_str(out, STR(" of ("));
    for (uint32_t i = 0; i < node->steps_count; i++) {
        if (i > 0)
            buf_str(out, STR(", "));
        write_happening(out, &node->steps[i]);
        write_where(out, &node->steps[i], false);
    }
    buf_str(out, STR(") within "));
    segment_write_length(out, node->within_ms);
    write_same(out, node->same);
    write_window(out, &node->match.window);
}

void writer_behaviour(struct buf *out, const struct segment_node *node)
{
    switch (node->kind) {
    case SEGMENT_DID:
        write_did(out, node);
        return;
    case SEGMENT_FIRST_DID:
    case SEGMENT_LAST_DID:
        write_first_or_last(out, node);
        return;
    case SEGMENT_AGGREGATE:
        write_fold(out, node);
        return;
    case SEGMENT_FUNNEL:
        write_funnel(out, node);
        return;
    default:
        write_then(out, node);
        return;
    }
}
