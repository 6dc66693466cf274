#include "engine/journey/filling.h"

#include <stdlib.h>
#include <string.h>

#include "engine/inside.h"
#include "engine/own.h"
#include "engine/vec.h"

/* ---- the way they went ---- */

struct mark {
    int64_t    at_ms;
    uint32_t   seq, order;
    struct str node, took;
    bool       is_back; /* it was given later, and is no part of the way */
};

struct path {
    struct mark *items;
    uint32_t     count, room;
};

static int by_time(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_number(struct bag bag, uint16_t key, int64_t number)
{
    int64_t value;
    return bag_int(bag, key, &value) && value == number;
}

static enum err path_read(const struct facts *facts, const struct program *program,
                          const struct enrollment *e, struct path *path)
{
    const struct dict *names = program->names[NAME_PROPERTY];
    uint16_t           took = dict_find(names, STR("took")), back = dict_find(names, STR("back"));
    for (uint32_t r = 0; r < facts->runs_count; r++) {
        const struct run *run = &facts->runs[r];
        for (uint32_t i = 0; i < run->count; i++) {
            if (run->name[i] != OWN_JOURNEY)
                continue;
            struct bag  bag = bag_at(facts->bags, run->bag[i]);
            struct json value;
            if (!is_number(bag, OWN_KEY_ID, (int64_t)e->id) ||
                !is_number(bag, OWN_KEY_WHAT, OWN_AT))
                continue;
            TRY(VEC_ADD(path, (struct mark){ .at_ms = run->at_ms[i],
                                             .seq = run->seq[i],
                                             .order = i,
                                             .node = bag_text(bag, OWN_KEY_NODE),
                                             .took = bag_text(bag, took),
                                             .is_back = bag_find(bag, back, &value) }));
        }
    }
    if (path->count > 1)
        qsort(path->items, path->count, sizeof *path->items, by_time);
    return OK;
}

static bool was_at(const struct path *path, struct str node)
{
    for (uint32_t i = 0; i < path->count; i++)
        if (str_eq(path->items[i].node, node))
            return true;
    return false;
}

/* ---- the same under another name ---- */

static bool is_template_of(const struct node *node, struct str name)
{
    for (uint16_t i = 0; i < node->templates_count; i++)
        if (str_eq(node->templates[i], name))
            return true;
    return false;
}

static bool is_same_values(const struct node_change *a, const struct node_change *b)
{
    bool is = a->values_count == b->values_count;
    for (uint32_t i = 0; is && i < a->values_count; i++)
        is = a->values[i].from == b->values[i].from &&
             str_eq(a->values[i].name, b->values[i].name) &&
             str_eq(a->values[i].source, b->values[i].source) &&
             json_eq(&a->values[i].written, &b->values[i].written);
    return is;
}

/* One template in common is enough: nobody is to get a mail twice. */
static bool is_same_deed(const struct node *a, const struct node *b)
{
    bool is = false;
    if (a->kind != b->kind)
        return false;
    if (a->kind == NODE_SET)
        return is_same_values(&a->change, &b->change);
    if (a->kind != NODE_MESSAGE)
        return str_eq(a->change.name, b->change.name) && a->change.leaves == b->change.leaves;
    for (uint16_t i = 0; i < a->templates_count; i++)
        is = is || is_template_of(b, a->templates[i]);
    return is;
}

struct finding {
    const struct program    *program;
    const struct enrollment *e;
    const struct journey    *from, *to;
    struct path              path;
    bool                     is_ahead[JOURNEY_NODES_MAX]; /* of `to`: they come there yet */
    struct filling          *out;
};

/* What they were at by that name did the same, in any version that they may have gone by, and the
 * node of that name that the new version has, if it has one, no longer does. */
static bool is_of_another_name(const struct finding *f, struct str name, const struct node *node)
{
    const struct journey_def *all = &f->program->journeys.items[f->e->journey];
    uint16_t                  kept = journey_node(f->to, name);
    for (uint32_t i = 0; i < all->count && all->versions[i]->version <= f->e->version; i++) {
        const struct journey *journey = &all->versions[i]->journey;
        uint16_t              at = journey_node(journey, name);
        if (at == JOURNEY_END || !is_same_deed(&journey->nodes[at], node))
            continue;
        if (kept == JOURNEY_END || !is_same_deed(&journey->nodes[at], &f->to->nodes[kept]))
            return true;
    }
    return false;
}

/* They were at it, or at what did the same by another name. */
static bool had(const struct finding *f, const struct node *node)
{
    if (was_at(&f->path, node->id))
        return true;
    for (uint32_t i = 0; i < f->path.count; i++)
        if (is_of_another_name(f, f->path.items[i].node, node))
            return true;
    return false;
}

/* ---- by the new version ---- */

/* The i-th node behind that one, which may be the end. False: there is no i-th. */
static bool behind(const struct journey *journey, const struct node *node, uint16_t i, uint16_t *at)
{
    uint16_t branches = node->branches_count;
    bool     is_until = node->kind == NODE_WAIT_UNTIL; /* the date, and where it is not known */
    if (node->kind == NODE_EXIT || i > branches + (is_until ? 1 : 0))
        return false;
    *at = i < branches                                  ? journey->branches[node->branches + i].next
          : i == branches && (branches > 0 || is_until) ? node->otherwise
                                                        : node->next;
    return true;
}

/* A loop may lead them to what is new: there they get it as everybody does. */
static void ahead_find(struct finding *f, uint16_t place)
{
    uint16_t todo[JOURNEY_NODES_MAX + 1], at;
    uint32_t count = 0;
    memset(f->is_ahead, 0, sizeof f->is_ahead);
    todo[count++] = place;
    while (count > 0) {
        const struct node *node = &f->to->nodes[todo[--count]];
        for (uint16_t i = 0; behind(f->to, node, i, &at); i++) {
            if (at >= f->to->nodes_count || f->is_ahead[at])
                continue;
            f->is_ahead[at] = true;
            todo[count++] = at;
        }
    }
}

bool filling_is_any(const struct journey *from, const struct journey *to)
{
    for (uint16_t i = 0; i < to->nodes_count; i++)
        if (journey_node(from, to->nodes[i].id) == JOURNEY_END)
            return true;
    return false;
}

/* Where the way that was taken leads from there; JOURNEY_END: nowhere that is known. */
static uint16_t after(const struct journey *to, uint16_t at, struct str took)
{
    const struct node *node = &to->nodes[at];
    for (uint16_t i = 0; i < node->branches_count; i++)
        if (str_eq(to->branches[node->branches + i].name, took))
            return to->branches[node->branches + i].next;
    if (node->branches_count > 0)
        return str_eq(node->otherwise_name, took) ? node->otherwise : JOURNEY_END;
    if (node->kind == NODE_WAIT_UNTIL && took.len > 0)
        return node->otherwise;
    return node->next;
}

enum kind_of_new { STRETCH_GIVEN, STRETCH_PASSED, STRETCH_ENDS };

static enum kind_of_new stretch_of(const struct node *node)
{
    switch (node->kind) {
    case NODE_MESSAGE:
        return node->wait_ms > 0 ? STRETCH_ENDS : STRETCH_GIVEN;
    case NODE_SET:
    case NODE_RECORD:
    case NODE_LIST:
        return STRETCH_GIVEN;
    case NODE_WAIT:
    case NODE_WAIT_UNTIL:
        return STRETCH_PASSED;
    default:
        return STRETCH_ENDS;
    }
}

static void give_once(struct filling *out, uint16_t node)
{
    for (uint32_t i = 0; i < out->count; i++)
        if (out->nodes[i] == node)
            return;
    out->nodes[out->count++] = node;
}

static bool is_given(const struct finding *f, uint16_t at)
{
    const struct node *node = &f->to->nodes[at];
    return journey_node(f->from, node->id) == JOURNEY_END && stretch_of(node) == STRETCH_GIVEN &&
           !f->is_ahead[at] && !had(f, node);
}

/* From there to a node of their way; what is new between, if the way is known: what the version
 * that they stand in has there, too, they were moved over, or were given before, and pass. */
static void stretch_find(const struct finding *f, uint16_t at, uint16_t end)
{
    uint16_t found[JOURNEY_NODES_MAX];
    uint32_t count = 0, moves = 0;
    while (at != end) {
        if (at >= f->to->nodes_count || stretch_of(&f->to->nodes[at]) == STRETCH_ENDS ||
            moves++ == f->to->nodes_count)
            return;
        if (is_given(f, at))
            found[count++] = at;
        at = f->to->nodes[at].next;
    }
    for (uint32_t i = 0; i < count; i++)
        give_once(f->out, found[i]);
}

static void way_find(const struct finding *f, uint16_t place)
{
    const struct path *path = &f->path;
    uint16_t           at = 0, last = JOURNEY_END; /* at: where the next stretch begins */
    struct str         took = STR_NONE;
    for (uint32_t i = 0; i <= path->count; i++) {
        bool     is_end = i == path->count;
        uint16_t node = is_end ? place : journey_node(f->to, path->items[i].node);
        if (!is_end && (path->items[i].is_back || node == JOURNEY_END))
            continue;
        if (node == last) { /* a wait tells of itself twice, the second time with its way */
            took = is_end || path->items[i].took.len == 0 ? took : path->items[i].took;
            continue;
        }
        if (last != JOURNEY_END)
            at = after(f->to, last, took);
        stretch_find(f, at, node);
        last = node;
        took = is_end ? STR_NONE : path->items[i].took;
    }
}

enum err filling_find(const struct facts *facts, const struct program *program,
                      const struct enrollment *e, const struct journey *from,
                      const struct journey *to, uint16_t place, struct filling *out)
{
    struct finding f = { .program = program, .e = e, .from = from, .to = to, .out = out };
    out->count = 0;
    if (!filling_is_any(from, to))
        return OK;
    enum err err = path_read(facts, program, e, &f.path);
    if (err == OK && f.path.count <= FILLING_PATH_MAX) {
        ahead_find(&f, place);
        way_find(&f, place);
    }
    VEC_DONE(&f.path);
    return err;
}

/* What is given may end it, and the audience is asked before each. */
enum err filling_give(struct step *step, uint64_t enrollment, const struct filling *filling)
{
    for (uint32_t i = 0; i < filling->count; i++) {
        const struct enrollment *e = journey_enrollment(step, enrollment);
        if (e == NULL || !enrollment_is_inside(e) ||
            program_journey_state(step->engine->program, e->journey) != JOURNEY_RUNS)
            return OK;
        TRY(journey_give(step, e, filling->nodes[i]));
    }
    return OK;
}
