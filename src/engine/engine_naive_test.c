#include "engine/engine_naive_test.h"

#include <stdlib.h>
#include <string.h>

#include "engine/segment/segment_naive_test.h"

/* ---- the condition, with what it names in the place of the names ---- */

struct unfolding {
    const struct program *program;
    struct arena         *arena;
    bool                  cannot;
};

static const struct segment_node *unfold(struct unfolding *u, const struct segment_node *node);

static const struct segment_node *group(struct unfolding *u, enum segment_kind kind,
                                        const struct segment_node *const *parts, uint32_t count)
{
    struct segment_node        *node = ARENA_NEW(u->arena, struct segment_node);
    const struct segment_node **kept = ARENA_ARRAY(u->arena, count, const struct segment_node *);
    for (uint32_t i = 0; i < count; i++)
        kept[i] = unfold(u, parts[i]);
    *node = (struct segment_node){ .kind = kind, .parts = kept, .parts_count = count };
    return node;
}

static const struct segment_node *unfold_segment(struct unfolding *u, struct str name)
{
    uint32_t number = program_segment(u->program, name);
    assert_int_not_equal(number, SEGMENT_NO_ID);
    return unfold(u, u->program->segments.items[number].tree);
}

/* Its rule, and that of none after it. */
static const struct segment_node *unfold_stage(struct unfolding *u, struct str name)
{
    const struct segment_node *parts[PROGRAM_STAGES_MAX], *rule;
    const struct stages_def   *stages = &u->program->stages;
    uint32_t                   count = 0, i = 0;
    while (i < stages->count && !str_eq(stages->items[i].name, name))
        i++;
    if (i == stages->count) { /* nobody is in it */
        struct segment_node *everyone = ARENA_NEW(u->arena, struct segment_node);
        *everyone = (struct segment_node){ .kind = SEGMENT_EVERYONE };
        rule = everyone;
        return group(u, SEGMENT_NOT, &rule, 1);
    }
    for (; i < stages->count; i++) {
        rule = stages->items[i].rule;
        parts[count] = count == 0 ? rule : group(u, SEGMENT_NOT, &rule, 1);
        count++;
    }
    return group(u, SEGMENT_AND, parts, count);
}

static const struct segment_node *unfold(struct unfolding *u, const struct segment_node *node)
{
    switch (node->kind) {
    case SEGMENT_AND:
    case SEGMENT_OR:
    case SEGMENT_NOT:
        return group(u, node->kind, node->parts, node->parts_count);
    case SEGMENT_IN_SEGMENT:
        return unfold_segment(u, node->name);
    case SEGMENT_SCORE: /* asked by segment_score_test */
    case SEGMENT_IN_STAGE:
        return unfold_stage(u, node->name);
    case SEGMENT_IN_LIST:
    case SEGMENT_IN_JOURNEY:
    case SEGMENT_CONSENT:
    case SEGMENT_SHARE:
        u->cannot = true;
        return node;
    default:
        u->cannot = u->cannot || node->match.subject >= SEGMENT_ENTERED;
        return node;
    }
}

/* ---- the person ---- */

static void zone_copy(struct world *w, uint32_t i, const struct zone *zone)
{
    w->zones[i] = (struct zone){ .shifts = w->zone_shifts[i] };
    if (zone == NULL)
        return;
    assert_true(zone->shifts_count <= ZONE_SHIFTS_EACH);
    w->zones[i].offset_s = zone->offset_s;
    w->zones[i].shifts_count = zone->shifts_count;
    memcpy(w->zone_shifts[i], zone->shifts, zone->shifts_count * sizeof *zone->shifts);
}

/* By time, then by order of arrival. False when there are too many. */
static bool home_add(struct world *w, uint32_t *homes, const struct record *r,
                     const struct zone *zone)
{
    struct home home = { r->at_ms, (uint32_t)r->seq, *homes + 1 };
    uint32_t    i = *homes;
    if (*homes == HOMES_MAX)
        return false;
    zone_copy(w, home.zone, zone);
    for (; i > 0 && (w->homes[i - 1].at_ms > home.at_ms ||
                     (w->homes[i - 1].at_ms == home.at_ms && w->homes[i - 1].seq > home.seq));
         i--)
        w->homes[i] = w->homes[i - 1];
    w->homes[i] = home;
    ++*homes;
    return true;
}

static bool traits_add(struct world *w, const struct program *program, uint32_t *homes,
                       const struct record *r)
{
    const struct json *traits = r->properties;
    for (uint32_t i = 0; traits != NULL && i < traits->count; i++) {
        const struct json_member *member = &traits->members[i];
        if (w->traits_count == TRAITS_MAX)
            return false;
        if (member->value.kind == JSON_NULL)
            continue;
        w->traits[w->traits_count++] =
            (struct change){ member->key, r->at_ms, (uint32_t)r->seq, member->value };
        if (str_eq(member->key, STR("timezone")) &&
            !home_add(w, homes, r, zone_find(program->zones, member->value.string)))
            return false;
    }
    return true;
}

static bool person_make(struct world *w, const struct program *program, const struct told *told)
{
    uint32_t homes = 0;
    for (uint32_t i = 0; i < HOMES_MAX; i++)
        w->homes[i] = (struct home){ .at_ms = INT64_MAX, .seq = UINT32_MAX };
    zone_copy(w, 0, program->zone);
    w->seq_max = UINT32_MAX;
    w->computed = program_computed_tree(program, NAIVE_COMPUTED);
    for (uint32_t i = 0; i < told->count; i++) {
        const struct record *r = told->records[i];
        if (r->kind == RECORD_IDENTIFY && !traits_add(w, program, &homes, r))
            return false;
        if (r->kind == RECORD_IDENTIFY)
            continue;
        w->events[w->events_count++] =
            (struct event){ r->name, r->at_ms, (uint32_t)r->seq,
                            r->properties == NULL ? (struct json){ .kind = JSON_NULL }
                                                  : *r->properties };
    }
    return true;
}

enum told_answer told_ask(const struct program *program, const struct told *told,
                          const struct segment_node *tree, int64_t now_ms)
{
    _Static_assert((int)NAIVE_RECORDS_MAX <= (int)EVENTS_MAX, "all have room");
    struct unfolding           u = { .program = program, .arena = arena_open(1 << 20) };
    struct world              *w = calloc(1, sizeof *w);
    const struct segment_node *whole = unfold(&u, tree);
    enum told_answer           answer = TOLD_UNASKED;
    assert_non_null(w);
    if (!u.cannot && person_make(w, program, told))
        answer = naive(w, now_ms, whole) ? TOLD_YES : TOLD_NO;
    free(w);
    arena_close(u.arena);
    return answer;
}
