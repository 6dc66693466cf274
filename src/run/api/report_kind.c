#include "run/api/report_kind.h"

#include "base/time.h"

/* ---- values ---- */

enum err grouping_read(struct ask *ask, const struct json *body, struct grouping *grouping)
{
    TRY(words_by(ask, body, &grouping->words));
    if (grouping->words.of == GROUPS_OF_NOTHING)
        return OK;
    return ask_key(ask, grouping->words.of == GROUPS_OF_TRAIT ? NAME_TRAIT : NAME_PROPERTY,
                   grouping->words.name, &grouping->key);
}

struct gathering {
    struct ask            *ask;
    struct groups_question question;
    struct groups         *hands[CREW_THREADS_MAX];
};

static enum err gather_part(void *context, uint32_t hand, struct report_range range)
{
    struct gathering *gathering = context;
    return groups_gather(gathering->hands[hand], &gathering->ask->report, &gathering->question,
                         range);
}

static enum err gather(struct ask *ask, struct gathering *gathering, uint32_t hands)
{
    for (uint32_t i = 0; i < hands; i++) {
        gathering->hands[i] = groups_open();
        if (gathering->hands[i] == NULL)
            return ERR_MEMORY;
    }
    TRY(ask_share(ask, gather_part, gathering));
    for (uint32_t i = 1; i < hands; i++)
        TRY(groups_add(gathering->hands[0], gathering->hands[i]));
    return OK;
}

enum err grouping_gather(struct ask *ask, struct grouping *grouping,
                         struct groups_question question)
{
    struct gathering gathering = { .ask = ask, .question = question };
    uint32_t         hands = ask_hands(ask);
    if (grouping->words.of == GROUPS_OF_NOTHING)
        return OK;
    grouping->by =
        (struct groups_by){ .of = grouping->words.of, .key = ask->keys[grouping->key].number };
    gathering.question.by = grouping->by;
    enum err err = gather(ask, &gathering, hands);
    for (uint32_t i = err == OK ? 1 : 0; i < hands; i++)
        groups_close(gathering.hands[i]);
    if (err != OK)
        return err;
    grouping->groups = gathering.hands[0];
    TRY(groups_keep(grouping->groups, grouping->words.most));
    grouping->by.groups = grouping->groups;
    return OK;
}

void grouping_done(struct grouping *grouping)
{
    groups_close(grouping->groups);
}

enum err grouping_row(struct call *call, const struct grouping *grouping, const struct json *pick,
                      uint32_t *row)
{
    const struct json *value = json_get(pick, STR("value"));
    struct str         group = json_get_str(pick, STR("group"));
    uint32_t           count = groups_count(grouping->groups), rows = groups_rows(grouping->by);
    bool               is_by = grouping->words.of != GROUPS_OF_NOTHING;
    *row = rows - 1;
    if (value == NULL && (group.len == 0 || str_eq(group, STR("all"))))
        return OK;
    if (is_by && value != NULL) {
        *row = groups_row(grouping->groups, value);
        return OK;
    }
    if (is_by && (str_eq(group, STR("other")) || str_eq(group, STR("without")))) {
        *row = count + (str_eq(group, STR("without")) ? 1 : 0);
        return OK;
    }
    return problem_set(&call->problem, ERR_INPUT, "pick", "This report has no such group.",
                       "Name a `value` of its rows, or a `group`: other, without or all.");
}

void grouping_write(const struct grouping *grouping, uint32_t row, struct buf *out, bool *first)
{
    uint32_t    count = groups_count(grouping->groups);
    const char *word = row < count ? "value" : "all";
    if (grouping->words.of != GROUPS_OF_NOTHING && row == count)
        word = "other";
    if (grouping->words.of != GROUPS_OF_NOTHING && row == count + 1)
        word = "without";
    write_text(out, first, "group", str_of(word));
    if (row >= count)
        return;
    struct json value = groups_value(grouping->groups, row);
    json_write_key(out, first, "value");
    json_write(out, &value);
}

bool grouping_is_said(const struct grouping *grouping, uint32_t row)
{
    uint32_t count = groups_count(grouping->groups);
    return row < count || row + 1 == groups_rows(grouping->by);
}

/* ---- conditions ---- */

struct segment_window pick_window(int64_t from_ms, int64_t to_ms)
{
    return (
        struct segment_window){ .kind = SEGMENT_BETWEEN, .from_ms = from_ms, .to_ms = to_ms - 1 };
}

const struct segment_node *pick_both(struct ask *ask, const struct segment_node *a,
                                     const struct segment_node *b)
{
    struct segment_node        *node = ARENA_NEW(ask->call->arena, struct segment_node);
    const struct segment_node **parts =
        ARENA_ARRAY(ask->call->arena, 2, const struct segment_node *);
    if (a == NULL || b == NULL || node == NULL || parts == NULL)
        return a == NULL ? b : a;
    parts[0] = a;
    parts[1] = b;
    *node = (struct segment_node){ .kind = SEGMENT_AND, .parts = parts, .parts_count = 2 };
    return node;
}

const struct segment_node *pick_event(struct ask *ask, const struct segment_node *event,
                                      int64_t from_ms, int64_t to_ms)
{
    struct segment_node *node = ARENA_NEW(ask->call->arena, struct segment_node);
    if (node == NULL || event == NULL)
        return NULL;
    *node = *event;
    node->match.window = pick_window(from_ms, to_ms);
    return node;
}

static const struct segment_node *equals(struct ask *ask, const struct grouping *grouping,
                                         const struct json *value)
{
    struct segment_node    *node = ARENA_NEW(ask->call->arena, struct segment_node);
    struct segment_literal *literal = ARENA_NEW(ask->call->arena, struct segment_literal);
    if (node == NULL || literal == NULL)
        return NULL;
    literal->kind = value->kind == JSON_STRING ? SEGMENT_TEXT
                    : value->kind == JSON_BOOL ? SEGMENT_TRUTH
                                               : SEGMENT_NUMBER;
    literal->value = *value;
    *node = (struct segment_node){ .kind = SEGMENT_COMPARE,
                                   .compare = { .key = grouping->words.name,
                                                .test = SEGMENT_EQUAL,
                                                .values = literal,
                                                .values_count = 1 } };
    return node;
}

const struct segment_node *pick_value(struct ask *ask, const struct grouping *grouping,
                                      uint32_t row, const struct segment_node *event)
{
    struct segment_node *node = ARENA_NEW(ask->call->arena, struct segment_node);
    if (row + 1 == groups_rows(grouping->by))
        return event;
    if (row >= groups_count(grouping->groups) || event == NULL || node == NULL)
        return NULL;
    struct json                value = groups_value(grouping->groups, row);
    const struct segment_node *is = equals(ask, grouping, &value);
    if (is == NULL)
        return NULL;
    if (grouping->words.of == GROUPS_OF_TRAIT)
        return pick_both(ask, event, is);
    *node = *event;
    node->match.where = pick_both(ask, event->match.where, is);
    return node;
}

/* ---- what a pick says ---- */

enum err pick_number(struct call *call, const struct json *pick, const char *field, uint32_t least,
                     uint32_t most, uint32_t *out)
{
    int64_t value;
    if (!json_get_int(pick, str_of(field), &value) || value < least || value > most)
        return problem_format(&call->problem, ERR_INPUT, "pick",
                              "The report's own answer numbers what can be picked.",
                              "`%s` is to be a number from %u to %u.", field, least, most);
    *out = (uint32_t)value;
    return OK;
}

enum err pick_period(struct ask *ask, const struct json *pick, const struct words_periods *periods,
                     uint32_t *out)
{
    struct str text = json_get_str(pick, STR("period"));
    for (uint32_t i = 0; text.len > 0 && i < periods->periods.count; i++) {
        char label[TIME_TEXT_BYTES];
        words_label(ask, periods, i, label);
        if (str_eq(text, str_of(label))) {
            *out = i;
            return OK;
        }
    }
    return pick_number(ask->call, pick, "period", 0, periods->periods.count - 1, out);
}
