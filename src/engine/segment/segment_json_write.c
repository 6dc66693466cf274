#include "engine/segment/segment.h"
#include "engine/segment/segment_words.h"

static void write_node(struct buf *out, const struct segment_node *node, bool in_where);

/* ---- members */

static void write_text(struct buf *out, bool *first, const char *member, struct str text)
{
    json_write_key(out, first, member);
    json_write_str(out, text);
}

/* Nothing when the text is empty. */
static void write_text_if(struct buf *out, bool *first, const char *member, struct str text)
{
    if (text.len > 0)
        write_text(out, first, member, text);
}

static void write_int(struct buf *out, bool *first, const char *member, int64_t value)
{
    json_write_key(out, first, member);
    buf_int(out, value);
}

static void write_true(struct buf *out, bool *first, const char *member)
{
    json_write_key(out, first, member);
    buf_str(out, STR("true"));
}

static void write_date(struct buf *out, int64_t at_ms, bool is_day)
{
    buf_char(out, '"');
    segment_write_date(out, at_ms, is_day);
    buf_char(out, '"');
}

static void write_length(struct buf *out, bool *first, const char *member, int64_t length_ms)
{
    json_write_key(out, first, member);
    buf_char(out, '"');
    segment_write_length(out, length_ms);
    buf_char(out, '"');
}

static void write_where(struct buf *out, bool *first, const char *member,
                        const struct segment_node *where)
{
    if (where == NULL)
        return;
    json_write_key(out, first, member);
    write_node(out, where, true);
}

/* ---- comparisons and days */

static void write_ago(struct buf *out, int64_t from_now_ms)
{
    bool first = true;
    if (from_now_ms == 0)
        write_true(out, &first, "now");
    else if (from_now_ms < 0)
        write_length(out, &first, "ago", -from_now_ms);
    else
        write_length(out, &first, "from_now", from_now_ms);
}

static void write_date_literal(struct buf *out, const struct segment_literal *literal)
{
    int64_t value = literal->value.integer;
    bool    first = true;
    buf_char(out, '{');
    if (literal->kind == SEGMENT_TODAY) {
        write_int(out, &first, "days_from_today", value);
    } else if (literal->kind == SEGMENT_AGO) {
        write_ago(out, value);
    } else {
        json_write_key(out, &first, "date");
        write_date(out, value, literal->kind == SEGMENT_A_DAY);
    }
    buf_char(out, '}');
}

static void write_literal(struct buf *out, const struct segment_literal *literal)
{
    if (literal->kind >= SEGMENT_DATE)
        write_date_literal(out, literal);
    else
        json_write(out, &literal->value);
}

static void write_test(struct buf *out, bool *first, const struct segment_compare *c)
{
    bool many = segment_test_takes_list(c->test);
    write_text(out, first, "op", str_of(segment_test_word(c->test)));
    if (c->values_count == 0)
        return;
    json_write_key(out, first, many ? "values" : "value");
    if (many)
        buf_char(out, '[');
    for (uint32_t i = 0; i < c->values_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        write_literal(out, &c->values[i]);
    }
    if (many)
        buf_char(out, ']');
}

static void write_name(struct buf *out, bool *first, const struct segment_compare *c, bool in_where)
{
    if (!in_where && c->which == SEGMENT_PLAIN && str_starts(c->key, SEGMENT_SCORE_PREFIX)) {
        write_text(out, first, "score", str_slice(c->key, SEGMENT_SCORE_PREFIX.len, c->key.len));
        return;
    }
    write_text(out, first, in_where ? "property" : "trait", c->key);
    if (c->which != SEGMENT_PLAIN)
        write_text(out, first, "which", c->which == SEGMENT_ANY ? STR("any") : STR("all"));
}

static void write_about_name(struct buf *out, const struct segment_node *node, bool in_where)
{
    bool first = true;
    write_name(out, &first, &node->compare, in_where);
    if (node->kind == SEGMENT_ELEMENT)
        write_where(out, &first, "element", node->parts[0]);
    else
        write_test(out, &first, &node->compare);
    if (node->kind == SEGMENT_BEEN)
        write_length(out, &first, "for", node->within_ms);
}

static void write_day(struct buf *out, const struct segment_node *node)
{
    bool first = true;
    write_text(out, &first, node->yearly ? "anniversary_of" : "day_of", node->compare.key);
    write_int(out, &first, "from_days", node->from_days);
    write_int(out, &first, "to_days", node->to_days);
}

/* ---- what happened */

static void write_window(struct buf *out, bool *first, const struct segment_window *w)
{
    switch (w->kind) {
    case SEGMENT_EVER:
        return;
    case SEGMENT_LAST:
        write_length(out, first, "in_the_last", w->length_ms);
        return;
    case SEGMENT_NOT_LAST:
        write_length(out, first, "not_in_the_last", w->length_ms);
        return;
    case SEGMENT_SINCE:
        json_write_key(out, first, "since");
        write_date(out, w->from_ms, w->from_is_day);
        return;
    case SEGMENT_BEFORE:
        json_write_key(out, first, "before");
        write_date(out, w->to_ms, w->to_is_day);
        return;
    case SEGMENT_BETWEEN:
        json_write_key(out, first, "between");
        buf_char(out, '[');
        write_date(out, w->from_ms, w->from_is_day);
        buf_char(out, ',');
        write_date(out, w->to_ms, w->to_is_day);
        buf_char(out, ']');
        return;
    case SEGMENT_SINCE_ENTRY:
        write_true(out, first, "since_entry");
        return;
    case SEGMENT_CALENDAR:
        write_text(out, first, "during", str_of(segment_calendar_word(w->unit, w->back)));
        return;
    }
}

static void write_message(struct buf *out, bool *first, const char *member,
                          const struct segment_match *m)
{
    bool inner = true;
    json_write_key(out, first, member);
    if (m->of == SEGMENT_OF_ANY) {
        buf_str(out, STR("\"any\""));
    } else {
        buf_char(out, '{');
        write_text(out, &inner, segment_of_word(m->of), m->name);
        buf_char(out, '}');
    }
    if (m->hits != SEGMENT_BY_PEOPLE)
        write_text(out, first, "by",
                   m->hits == SEGMENT_BY_MACHINES ? STR("machine") : STR("anyone"));
}

static void write_happening(struct buf *out, bool *first, const char *member,
                            const struct segment_match *m)
{
    const char *subject = segment_subject_member(m->subject);
    bool        inner = true;
    if (m->subject == SEGMENT_EVENT) {
        write_text(out, first, member, m->event);
        return;
    }
    json_write_key(out, first, member);
    buf_char(out, '{');
    if (m->subject == SEGMENT_ANYTHING)
        write_true(out, &inner, subject);
    else if (segment_subject_is_message(m->subject))
        write_message(out, &inner, subject, m);
    else
        write_text(out, &inner, subject, m->name);
    buf_char(out, '}');
}

static void write_match(struct buf *out, bool *first, const char *member,
                        const struct segment_match *match)
{
    write_happening(out, first, member, match);
    write_window(out, first, &match->window);
    write_where(out, first, "where", match->where);
}

static void write_did(struct buf *out, const struct segment_node *node)
{
    static const char *const times[] = { "at_least", "at_most", "exactly" };
    bool                     first = true;
    write_match(out, &first, "did", &node->match);
    if (node->times != SEGMENT_TIMES_AT_LEAST || node->times_count != 1)
        write_int(out, &first, times[node->times], node->times_count);
}

static void write_first_or_last(struct buf *out, const struct segment_node *node)
{
    bool first = true;
    write_match(out, &first, node->kind == SEGMENT_FIRST_DID ? "first_did" : "last_did",
                &node->match);
}

static void write_fold(struct buf *out, const struct segment_node *node)
{
    const char *member = segment_fold_member(node->fold);
    bool        first = true;
    if (node->property.len > 0)
        write_text(out, &first, member, node->property);
    else
        write_true(out, &first, member);
    write_where(out, &first, "with", node->with);
    write_match(out, &first, "of", &node->match);
    if (node->is_value)
        return;
    if (!segment_fold_is_number(node->fold)) {
        write_test(out, &first, &node->compare);
        return;
    }
    write_text(out, &first, "op", str_of(segment_test_word(node->test)));
    json_write_key(out, &first, "value");
    json_write(out, &node->number);
}

static void write_then(struct buf *out, const struct segment_node *node)
{
    bool first = true;
    write_match(out, &first, "did", &node->match);
    write_happening(out, &first, node->kind == SEGMENT_THEN ? "then" : "then_no", &node->then);
    write_where(out, &first, "then_where", node->then.where);
    write_length(out, &first, "within", node->within_ms);
    write_text_if(out, &first, "same", node->same);
}

static void write_funnel(struct buf *out, const struct segment_node *node)
{
    bool first = true;
    json_write_key(out, &first, "funnel");
    for (uint32_t i = 0; i < node->steps_count; i++) {
        bool inner = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        write_happening(out, &inner, "did", &node->steps[i]);
        write_where(out, &inner, "where", node->steps[i].where);
        buf_char(out, '}');
    }
    buf_char(out, ']');
    write_int(out, &first, "step", node->step);
    if (node->not_step != 0)
        write_int(out, &first, "not_step", node->not_step);
    write_length(out, &first, "within", node->within_ms);
    write_text_if(out, &first, "same", node->same);
    write_window(out, &first, &node->match.window);
}

/* ---- what a person belongs to */

static void write_member(struct buf *out, const char *member, const struct segment_node *node)
{
    bool first = true;
    write_text(out, &first, member, node->name);
    write_text_if(out, &first, "at", node->at);
}

static void write_consent(struct buf *out, const struct segment_node *node)
{
    bool first = true;
    write_text(out, &first, "consent", str_of(segment_consent_word(node->consent)));
    write_text_if(out, &first, "to", node->name);
    write_text_if(out, &first, "by", node->at);
}

static void write_share(struct buf *out, const struct segment_node *node)
{
    struct json percent = segment_number((struct json){ .kind = JSON_REAL, .real = node->percent });
    bool        first = true;
    json_write_key(out, &first, "share");
    json_write(out, &percent);
    write_text(out, &first, "seed", node->name);
}

/* ---- the tree */

static void write_group(struct buf *out, const struct segment_node *node, bool in_where)
{
    bool first = true;
    json_write_key(out, &first, node->kind == SEGMENT_AND ? "and" : "or");
    for (uint32_t i = 0; i < node->parts_count; i++) {
        buf_char(out, i == 0 ? '[' : ',');
        write_node(out, node->parts[i], in_where);
    }
    buf_char(out, ']');
}

static void write_members(struct buf *out, const struct segment_node *node, bool in_where)
{
    bool first = true;
    switch (node->kind) {
    case SEGMENT_EVERYONE:
        write_true(out, &first, "everyone");
        return;
    case SEGMENT_AND:
    case SEGMENT_OR:
        write_group(out, node, in_where);
        return;
    case SEGMENT_NOT:
        json_write_key(out, &first, "not");
        write_node(out, node->parts[0], in_where);
        return;
    case SEGMENT_COMPARE:
    case SEGMENT_ELEMENT:
    case SEGMENT_BEEN:
        write_about_name(out, node, in_where);
        return;
    case SEGMENT_DAY:
        write_day(out, node);
        return;
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
    case SEGMENT_THEN:
    case SEGMENT_THEN_NOT:
        write_then(out, node);
        return;
    case SEGMENT_FUNNEL:
        write_funnel(out, node);
        return;
    case SEGMENT_IN_SEGMENT:
        write_member(out, "in_segment", node);
        return;
    case SEGMENT_IN_LIST:
        write_member(out, "in_list", node);
        return;
    case SEGMENT_IN_STAGE:
        write_member(out, "in_stage", node);
        return;
    case SEGMENT_IN_JOURNEY:
        write_member(out, "in_journey", node);
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

static void write_node(struct buf *out, const struct segment_node *node, bool in_where)
{
    buf_char(out, '{');
    write_members(out, node, in_where);
    buf_char(out, '}');
}

void segment_write_json(struct buf *out, const struct segment_node *node)
{
    write_node(out, node, false);
}
