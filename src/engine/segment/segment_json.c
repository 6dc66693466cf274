#include "engine/segment/segment.h"
#include "engine/segment/segment_reader.h"

/* ---- what a person belongs to */

static enum err read_share(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node)
{
    struct place here = place_under(at, "share");
    node->kind = SEGMENT_SHARE;
    TRY(reader_only(r, object, at, " share seed "));
    if (!json_get_real(object, STR("share"), &node->percent))
        return reader_fail(r, &here, ERR_INPUT, "a number is wanted here", "Write for example 20.");
    TRY(reader_refuse(r, &here, segment_share_fault(node->percent)));
    return reader_name(r, object, "seed", at, &node->name);
}

static enum err read_everyone(struct reader *r, const struct json *object, const struct place *at,
                              struct segment_node *node)
{
    node->kind = SEGMENT_EVERYONE;
    TRY(reader_only(r, object, at, " everyone "));
    return reader_true(r, object, "everyone", at);
}

static enum err read_member(struct reader *r, const struct json *object, const struct place *at,
                            struct segment_node *node)
{
    static const struct {
        const char       *member, *allowed;
        enum segment_kind kind;
    } groups[] = {
        { "in_segment", " in_segment ", SEGMENT_IN_SEGMENT },
        { "in_list", " in_list ", SEGMENT_IN_LIST },
        { "in_stage", " in_stage ", SEGMENT_IN_STAGE },
        { "in_journey", " in_journey at ", SEGMENT_IN_JOURNEY },
    };
    size_t i = 0;
    while (reader_get(object, groups[i].member) == NULL)
        i++;
    node->kind = groups[i].kind;
    TRY(reader_only(r, object, at, groups[i].allowed));
    TRY(reader_name(r, object, groups[i].member, at, &node->name));
    return reader_name_if(r, object, "at", at, &node->at);
}

static enum err read_consent(struct reader *r, const struct json *object, const struct place *at,
                             struct segment_node *node)
{
    struct place here = place_under(at, "consent");
    struct str   word;
    node->kind = SEGMENT_CONSENT;
    TRY(reader_only(r, object, at, " consent to by "));
    TRY(reader_text(r, object, "consent", at, &word));
    if (!segment_consent_of(word, &node->consent))
        return reader_fail(r, &here, ERR_INPUT, "this is no consent",
                           "Write \"granted\", \"refused\" or \"unknown\".");
    TRY(reader_name_if(r, object, "to", at, &node->name));
    return reader_name_if(r, object, "by", at, &node->at);
}

/* ---- the tree */

static enum err read_node(struct reader *r, const struct json *value, const struct place *at,
                          const struct segment_node **out);

static enum err read_group(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node)
{
    bool               is_and = reader_get(object, "and") != NULL;
    const char        *member = is_and ? "and" : "or";
    const struct json *parts = reader_get(object, member);
    struct place       here = place_under(at, member);

    node->kind = is_and ? SEGMENT_AND : SEGMENT_OR;
    TRY(reader_only(r, object, at, is_and ? " and " : " or "));
    if (parts->kind != JSON_ARRAY || parts->count < 2)
        return reader_fail(r, &here, ERR_INPUT, "two or more conditions are wanted here",
                           "Write an array of conditions.");
    const struct segment_node **list =
        ARENA_ARRAY(r->arena, parts->count, const struct segment_node *);
    if (list == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < parts->count; i++) {
        struct place part = { .above = &here, .index = i };
        TRY(read_node(r, &parts->items[i], &part, &list[i]));
    }
    node->parts = list;
    node->parts_count = parts->count;
    return OK;
}

static enum err read_not(struct reader *r, const struct json *object, const struct place *at,
                         struct segment_node *node)
{
    struct place                here = place_under(at, "not");
    const struct segment_node **part = ARENA_ARRAY(r->arena, 1, const struct segment_node *);
    if (part == NULL)
        return ERR_MEMORY;
    node->kind = SEGMENT_NOT;
    TRY(reader_only(r, object, at, " not "));
    TRY(read_node(r, reader_get(object, "not"), &here, part));
    node->parts = part;
    node->parts_count = 1;
    return OK;
}

typedef enum err read_kind(struct reader *r, const struct json *object, const struct place *at,
                           struct segment_node *node);

/* A member that names a condition, and where it may stand. */
static const struct kind {
    const char *member;
    read_kind  *read;
    bool        person, within; /* of a person's condition; in a where, a with or an element */
} kinds[] = {
    { "and", read_group, true, true },
    { "or", read_group, true, true },
    { "not", read_not, true, true },
    { "trait", reader_about_name, true, false },
    { "property", reader_about_name, false, true },
    { "score", reader_score, true, false },
    { "did", reader_did, true, false },
    { "first_did", reader_first_or_last, true, false },
    { "last_did", reader_first_or_last, true, false },
    { "funnel", reader_funnel, true, false },
    { "day_of", reader_day, true, false },
    { "anniversary_of", reader_day, true, false },
    { "in_segment", read_member, true, false },
    { "in_list", read_member, true, false },
    { "in_stage", read_member, true, false },
    { "in_journey", read_member, true, false },
    { "consent", read_consent, true, false },
    { "share", read_share, true, false },
    { "everyone", read_everyone, true, false },
};

static bool fold_find(const struct json *object, enum segment_fold *out)
{
    for (int i = SEGMENT_SUM; i <= SEGMENT_LAST_TIME; i++)
        if (reader_get(object, segment_fold_member((enum segment_fold)i)) != NULL) {
            *out = (enum segment_fold)i;
            return true;
        }
    return false;
}

static read_kind *kind_find(const struct reader *r, const struct json *object,
                            struct segment_node *node)
{
    bool person = r->scope == SCOPE_PERSON;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (reader_get(object, kinds[i].member) != NULL &&
            (person ? kinds[i].person : kinds[i].within))
            return kinds[i].read;
    return person && fold_find(object, &node->fold) ? reader_fold : NULL;
}

static enum err read_object(struct reader *r, const struct json *object, const struct place *at,
                            const struct segment_node **out)
{
    struct segment_node *node = ARENA_NEW(r->arena, struct segment_node);
    if (node == NULL)
        return ERR_MEMORY;
    read_kind *reads = object->kind == JSON_OBJECT ? kind_find(r, object, node) : NULL;
    if (reads == NULL)
        return reader_fail(
            r, at, ERR_INPUT, "this is no condition",
            r->scope == SCOPE_PERSON
                ? "Use an object with trait, did, last_did, first_did, sum, count, "
                  "first, last, funnel, day_of, score, in_segment, in_list, in_stage, "
                  "in_journey, consent, share, everyone, and, or or not."
                : "Use an object with property, and, or or not.");
    if (r->nodes++ == SEGMENT_NODES_MAX)
        return reader_fail(r, at, ERR_LIMIT, "there are more than 1000 conditions",
                           "Split this into segments and ask with in_segment.");
    TRY(reads(r, object, at, node));
    *out = node;
    return OK;
}

static enum err read_node(struct reader *r, const struct json *value, const struct place *at,
                          const struct segment_node **out)
{
    if (r->depth == SEGMENT_DEPTH_MAX)
        return reader_fail(r, at, ERR_LIMIT, "groups lie more than 24 deep",
                           "Split this into segments and ask with in_segment.");
    r->depth++;
    enum err err = read_object(r, value, at, out);
    r->depth--;
    return err;
}

enum err reader_node_in(struct reader *r, enum segment_scope scope, const struct json *value,
                        const struct place *at, const struct segment_node **out)
{
    enum segment_scope outer = r->scope;
    r->scope = scope;
    enum err err = read_node(r, value, at, out);
    r->scope = outer;
    return err;
}

enum err segment_parse_json(struct arena *arena, const struct json *value,
                            const struct segment_node **out, struct problem *problem)
{
    struct reader              r = { .arena = arena, .problem = problem };
    const struct segment_node *node = NULL;
    TRY(read_node(&r, value, NULL, &node));
    TRY(segment_bounds(node, problem, "condition"));
    *out = node;
    return OK;
}

enum err segment_parse_value_json(struct arena *arena, const struct json *value,
                                  const struct segment_node **out, struct problem *problem)
{
    struct reader        r = { .arena = arena, .problem = problem, .nodes = 1, .depth = 1 };
    struct segment_node *node = ARENA_NEW(arena, struct segment_node);
    if (node == NULL)
        return ERR_MEMORY;
    if (value->kind != JSON_OBJECT || !fold_find(value, &node->fold))
        return reader_fail(&r, NULL, ERR_INPUT, "this is no aggregate",
                           "Use an object with sum, average, least, greatest, distinct, count, "
                           "first, last, most_frequent, first_time, last_time or days_between.");
    node->is_value = true;
    TRY(reader_fold(&r, value, NULL, node));
    TRY(segment_bounds(node, problem, "condition"));
    *out = node;
    return OK;
}
