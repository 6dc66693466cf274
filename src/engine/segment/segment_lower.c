/* What Dult knows of a person lies on the timeline as events of its own: a subject becomes the name
 * of one, and a filter on its properties. */
#include "engine/segment/segment_lower.h"

#include "engine/own.h"
#include "engine/segment/segment_words.h"

struct lowering {
    struct arena              *arena;
    const struct segment_node *parts[SEGMENT_LOWERED_PARTS_MAX];
    uint32_t                   count;
    bool                       failed;
};

static struct segment_node *make(struct lowering *l, enum segment_kind kind)
{
    struct segment_node *node = ARENA_NEW(l->arena, struct segment_node);
    if (node != NULL)
        *node = (struct segment_node){ .kind = kind };
    l->failed = l->failed || node == NULL;
    return node;
}

static struct segment_node *equals(struct lowering *l, const char *key,
                                   struct segment_literal value)
{
    struct segment_node    *node = make(l, SEGMENT_COMPARE);
    struct segment_literal *values = ARENA_NEW(l->arena, struct segment_literal);
    if (node == NULL || values == NULL) {
        l->failed = true;
        return NULL;
    }
    *values = value;
    node->compare = (struct segment_compare){ .key = str_of(key), .values = values };
    node->compare.test = SEGMENT_EQUAL;
    node->compare.values_count = 1;
    return node;
}

static const struct segment_node *group(struct lowering *l, enum segment_kind kind,
                                        const struct segment_node *const *parts, uint32_t count)
{
    struct segment_node        *node = make(l, kind);
    const struct segment_node **kept = ARENA_ARRAY(l->arena, count, const struct segment_node *);
    if (node == NULL || kept == NULL) {
        l->failed = true;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        kept[i] = parts[i];
    node->parts = kept;
    node->parts_count = count;
    return node;
}

static void add(struct lowering *l, const struct segment_node *part)
{
    l->parts[l->count++] = part;
}

static struct segment_literal number(int64_t value)
{
    return (struct segment_literal){ SEGMENT_NUMBER, { .kind = JSON_INT, .integer = value } };
}

static void add_message(struct lowering *l, const struct segment_match *match)
{
    struct segment_literal name = { SEGMENT_TEXT, { .kind = JSON_STRING, .string = match->name } };
    struct segment_literal yes = { SEGMENT_TRUTH, { .kind = JSON_BOOL, .truth = true } };
    const struct segment_node *machine;
    if (match->of != SEGMENT_OF_ANY)
        add(l, equals(l, segment_of_property(match->of), name));
    if (!segment_subject_has_hits(match->subject) || match->hits == SEGMENT_BY_ANYONE)
        return;
    machine = equals(l, "machine", yes);
    if (machine != NULL)
        add(l, match->hits == SEGMENT_BY_MACHINES ? machine : group(l, SEGMENT_NOT, &machine, 1));
}

static void add_journey(struct lowering *l, enum segment_subject subject, uint32_t journey)
{
    enum own_what what = subject == SEGMENT_ENTERED    ? OWN_ENTERED
                         : subject == SEGMENT_FINISHED ? OWN_FINISHED
                                                       : OWN_GOAL;
    add(l, equals(l, "what", number(what)));
    add(l, equals(l, "journey", number(journey)));
}

struct str segment_subject_event(enum segment_subject subject)
{
    switch (subject) {
    case SEGMENT_RECEIVED:
        return STR("Message Sent");
    case SEGMENT_OPENED:
        return STR("Message Opened");
    case SEGMENT_CLICKED:
        return STR("Message Clicked");
    case SEGMENT_BOUNCED:
        return STR("Message Bounced");
    case SEGMENT_UNSUBSCRIBED:
        return STR("Message Unsubscribed");
    default:
        return STR("$journey");
    }
}

enum err segment_lower(struct arena *arena, const struct segment_match *match, uint32_t journey,
                       const struct segment_node **where)
{
    struct lowering l = { .arena = arena };
    *where = match->where;
    if (match->subject <= SEGMENT_ANYTHING)
        return OK;
    if (segment_subject_is_journey(match->subject))
        add_journey(&l, match->subject, journey);
    else
        add_message(&l, match);
    if (match->where != NULL)
        add(&l, match->where);
    if (l.count == 1)
        *where = l.parts[0];
    else if (l.count > 1)
        *where = group(&l, SEGMENT_AND, l.parts, l.count);
    return l.failed ? ERR_MEMORY : OK;
}
