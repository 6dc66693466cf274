#include "run/api/unseen.h"

#include "base/json.h"
#include "run/nearest.h"

enum { NAMES_LOOKED_AT = 500 };

/* What one walk down a tree needs. */
struct walk {
    struct unseen        *unseen;
    const struct program *program;
    struct arena         *arena;
};

static bool is_there(const struct unseen *unseen, bool is_trait, struct str name)
{
    for (uint32_t i = 0; i < unseen->count; i++)
        if (unseen->items[i].is_trait == is_trait && str_eq(unseen->items[i].name, name))
            return true;
    return false;
}

/* The engine waits meanwhile: of very many names only the first are looked at. */
static enum err near_find(const struct walk *walk, const struct dict *dict, struct str name,
                          struct str *out)
{
    size_t     best = nearest_make(name).best_steps;
    uint32_t   count = dict_count(dict) < NAMES_LOOKED_AT ? dict_count(dict) : NAMES_LOOKED_AT;
    struct str near = STR_NONE;
    for (uint32_t id = 0; id < count; id++) {
        struct str known = dict_text(dict, (uint16_t)id);
        size_t     apart = known.len > name.len ? known.len - name.len : name.len - known.len;
        if (apart >= best || str_starts(known, STR("$")))
            continue;
        size_t steps = nearest_steps(name, known);
        if (steps >= best)
            continue;
        best = steps;
        near = known;
    }
    *out = STR_NONE;
    if (near.len > 0)
        *out = str_copy(walk->arena, near);
    return near.len > 0 && out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err name_add(const struct walk *walk, bool is_trait, struct str name)
{
    struct unseen     *unseen = walk->unseen;
    const struct dict *dict = walk->program->names[is_trait ? NAME_TRAIT : NAME_EVENT];
    if (name.len == 0 || dict_find(dict, name) != DICT_NONE || unseen->count == UNSEEN_MAX ||
        is_there(unseen, is_trait, name))
        return OK;
    struct unseen_name *item = &unseen->items[unseen->count++];
    *item = (struct unseen_name){ .is_trait = is_trait, .name = name };
    return near_find(walk, dict, name, &item->near);
}

/* The event whose filter ended just before the part, in a text, where a filter without parentheses
 * ends with its first `and`; or the empty text. */
static struct str filtered_before(const struct segment_node *all, uint32_t part)
{
    const struct segment_node *before;
    while (part-- > 0) {
        before = all->parts[part];
        if (before->kind == SEGMENT_COMPARE)
            continue;
        bool has_one = before->line > 0 && before->match.subject == SEGMENT_EVENT &&
                       before->match.where != NULL && before->match.where->kind == SEGMENT_COMPARE;
        return has_one ? before->match.event : STR_NONE;
    }
    return STR_NONE;
}

static void where_of_set(const struct walk *walk, struct str trait, struct str event)
{
    struct unseen *unseen = walk->unseen;
    if (event.len == 0 || dict_find(walk->program->names[NAME_PROPERTY], trait) == DICT_NONE)
        return;
    for (uint32_t i = 0; i < unseen->count; i++)
        if (unseen->items[i].is_trait && str_eq(unseen->items[i].name, trait))
            unseen->items[i].where_of = event;
}

static enum err match_add(const struct walk *walk, const struct segment_match *match)
{
    return match->subject == SEGMENT_EVENT ? name_add(walk, false, match->event) : OK;
}

static enum err node_add(const struct walk *walk, const struct segment_node *node)
{
    bool asks_trait =
        node->kind == SEGMENT_COMPARE || node->kind == SEGMENT_DAY || node->kind == SEGMENT_BEEN;
    if (asks_trait && program_computed(walk->program, node->compare.key) == NULL)
        TRY(name_add(walk, true, node->compare.key));
    TRY(match_add(walk, &node->match));
    TRY(match_add(walk, &node->then));
    for (uint32_t i = 0; i < node->steps_count; i++)
        TRY(match_add(walk, &node->steps[i]));
    for (uint32_t i = 0; i < node->parts_count; i++) {
        const struct segment_node *part = node->parts[i];
        TRY(node_add(walk, part));
        if (node->kind == SEGMENT_AND && part->kind == SEGMENT_COMPARE)
            where_of_set(walk, part->compare.key, filtered_before(node, i));
    }
    return OK;
}

enum err unseen_add(struct unseen *unseen, const struct program *program, struct arena *arena,
                    const struct segment_node *tree)
{
    struct walk walk = { unseen, program, arena };
    return node_add(&walk, tree);
}

void unseen_write(const struct unseen *unseen, struct buf *out, bool *first)
{
    if (unseen->count == 0)
        return;
    json_write_key(out, first, "unseen");
    for (uint32_t i = 0; i < unseen->count; i++) {
        const struct unseen_name *item = &unseen->items[i];
        bool                      fresh = true;
        buf_str(out, i == 0 ? STR("[{") : STR(",{"));
        json_write_key(out, &fresh, item->is_trait ? "trait" : "event");
        json_write_str(out, item->name);
        if (item->near.len > 0) {
            json_write_key(out, &fresh, "near");
            json_write_str(out, item->near);
        }
        if (item->where_of.len > 0) {
            json_write_key(out, &fresh, "where_of");
            json_write_str(out, item->where_of);
        }
        buf_char(out, '}');
    }
    buf_char(out, ']');
}
