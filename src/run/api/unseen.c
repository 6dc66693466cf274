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
    for (uint32_t i = 0; i < node->parts_count; i++)
        TRY(node_add(walk, node->parts[i]));
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
        buf_char(out, '}');
    }
    buf_char(out, ']');
}
