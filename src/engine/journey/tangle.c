#include "engine/journey/tangle.h"

#include "engine/journey/tangle_round.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

struct looking {
    const struct program *program;
    const struct journey *journey;
    struct tangles       *out;
    /* Of each node, the shortest time from entry to it by waits alone that are as long for all, and
     * by any way; TIME_NEVER: none leads there. */
    int64_t *certain_ms, *soonest_ms;
};

__attribute__((format(printf, 4, 5))) static void add(struct looking *looking, struct str node,
                                                      const char *remedy, const char *format, ...)
{
    struct tangles *out = looking->out;
    va_list         args;
    if (out->count == TANGLES_MAX) {
        out->left_out++;
        return;
    }
    struct tangle *tangle = &out->items[out->count++];
    *tangle = (struct tangle){ .node = node, .remedy = remedy };
    va_start(args, format);
    (void)vsnprintf(tangle->what, sizeof tangle->what, format, args);
    va_end(args);
}

static struct str short_of(struct str text)
{
    return str_slice(text, 0, 60);
}

/* ---- ways ---- */

/* The ways on from a node: its branches, or `next`, and the one where no branch is taken. Shares
 * are of 100 in all, so that one always is. */
static uint32_t ways_of(const struct journey *journey, const struct node *node,
                        uint16_t out[static JOURNEY_BRANCHES_MAX + 2])
{
    const struct branch *branches = &journey->branches[node->branches];
    uint32_t             count = 0;
    if (node->kind == NODE_EXIT)
        return 0;
    for (uint16_t i = 0; i < node->branches_count && i < JOURNEY_BRANCHES_MAX; i++)
        out[count++] = branches[i].next;
    if (count == 0)
        out[count++] = node->next;
    else if (branches[0].when.tree == NULL)
        return count;
    if (count == 1 && node->branches_count == 0 && node->kind != NODE_WAIT_UNTIL)
        return count;
    out[count++] = node->otherwise;
    return count;
}

/* At least so long by way `k`; what waits for something may go on at once, but for its timeout. */
static int64_t least_ms(const struct node *node, uint16_t way)
{
    bool is_timeout = node->kind == NODE_WAIT_FOR && way == node->otherwise;
    return node->kind == NODE_WAIT || is_timeout ? node->wait_ms : 0;
}

/* Each node is looked at again where a shorter way is found: waits are never below 0. */
static void ways_find(const struct journey *journey, bool is_certain, int64_t *at_ms)
{
    bool moved = journey->nodes_count > 0;
    for (uint16_t i = 0; i < journey->nodes_count; i++)
        at_ms[i] = i == 0 ? 0 : TIME_NEVER;
    while (moved) {
        moved = false;
        for (uint16_t i = 0; i < journey->nodes_count; i++) {
            const struct node *node = &journey->nodes[i];
            uint16_t           ways[JOURNEY_BRANCHES_MAX + 2];
            uint32_t           count = ways_of(journey, node, ways);
            bool is_open = node->kind == NODE_WAIT_UNTIL || node->kind == NODE_WAIT_FOR;
            for (uint32_t k = 0; k < count && at_ms[i] != TIME_NEVER; k++) {
                int64_t then_ms = at_ms[i] + least_ms(node, ways[k]);
                if (ways[k] == JOURNEY_END || (is_certain && is_open) || then_ms >= at_ms[ways[k]])
                    continue;
                at_ms[ways[k]] = then_ms;
                moved = true;
            }
        }
    }
}

static enum err soonest_find(struct looking *looking)
{
    size_t room = looking->journey->nodes_count + 1U;
    looking->certain_ms = malloc(2 * room * sizeof looking->certain_ms[0]);
    if (looking->certain_ms == NULL)
        return ERR_MEMORY;
    looking->soonest_ms = looking->certain_ms + room;
    ways_find(looking->journey, true, looking->certain_ms);
    ways_find(looking->journey, false, looking->soonest_ms);
    return OK;
}

static void unreached_tell(struct looking *looking)
{
    for (uint16_t i = 0; i < looking->journey->nodes_count; i++)
        if (looking->soonest_ms[i] == TIME_NEVER)
            add(looking, looking->journey->nodes[i].id,
                "Let a node's `next`, or a branch, name it; or delete it.",
                "Nobody can reach this node: no way leads to it.");
}

/* ---- branches ---- */

static bool is_certain(const struct condition *when)
{
    return when->tree != NULL && when->tree->kind == SEGMENT_EVERYONE;
}

static void branches_tell(struct looking *looking, const struct node *node)
{
    const struct branch *branches = &looking->journey->branches[node->branches];
    bool                 is_over = false; /* one before it takes everybody */
    for (uint16_t i = 0; i < node->branches_count; i++) {
        bool is_twin = false;
        for (uint16_t k = 0; k < i && branches[i].when.tree != NULL; k++)
            is_twin = is_twin || (branches[k].when.tree != NULL &&
                                  segment_eq(branches[k].when.tree, branches[i].when.tree));
        if (is_over || is_twin)
            add(looking, node->id, "Change its condition, or take it away.",
                "Nobody takes the branch \"%.*s\": %s.", STR_ARG(short_of(branches[i].name)),
                is_over ? "one before it takes everybody" : "one before it asks the same");
        is_over = is_over || is_certain(&branches[i].when);
    }
    if (is_over && node->kind == NODE_SPLIT)
        add(looking, node->id, "Ask something that holds for some and not for others.",
            "Nobody goes on by `%.*s`: a branch takes everybody.",
            STR_ARG(short_of(node->otherwise_name)));
}

static bool is_one_way(const struct journey *journey, const struct node *node)
{
    uint16_t ways[JOURNEY_BRANCHES_MAX + 2];
    uint32_t count = ways_of(journey, node, ways);
    for (uint32_t i = 1; i < count; i++)
        if (ways[i] != ways[0])
            return false;
    return node->kind == NODE_SPLIT && count > 1;
}

/* ---- messages ---- */

static const struct template_def *template_of(const struct looking *looking,
                                              const struct node    *node)
{
    if (node->kind != NODE_MESSAGE)
        return NULL;
    uint32_t                   number = program_template(looking->program, node->template);
    const struct template_def *def =
        number == SEGMENT_NO_ID ? NULL : program_template_at(looking->program, number);
    return def != NULL && def->version != 0 && channel_is_to_person(def->channel) ? def : NULL;
}

static bool takes_time(const struct node *node)
{
    return node->kind == NODE_WAIT || node->kind == NODE_WAIT_UNTIL ||
           node->kind == NODE_WAIT_FOR || (node->kind == NODE_MESSAGE && node->wait_ms > 0);
}

/*
 * The next message on the same channel that goes at the same instant as this one, or NULL. Ways are
 * followed until something takes time.
 */
static const struct node *message_at_once(const struct looking *looking, uint16_t from,
                                          enum consent_channel channel, bool *seen)
{
    const struct journey *journey = looking->journey;
    uint16_t              ways[JOURNEY_BRANCHES_MAX + 2];
    uint32_t              count = ways_of(journey, &journey->nodes[from], ways);
    for (uint32_t i = 0; i < count; i++) {
        uint16_t to = ways[i];
        if (to == JOURNEY_END || seen[to])
            continue;
        seen[to] = true;
        const struct node         *node = &journey->nodes[to];
        const struct template_def *def = template_of(looking, node);
        if (def != NULL && def->channel == channel)
            return node;
        const struct node *found =
            takes_time(node) ? NULL : message_at_once(looking, to, channel, seen);
        if (found != NULL)
            return found;
    }
    return NULL;
}

static void twice_tell(struct looking *looking, uint16_t i, bool *seen)
{
    const struct node         *node = &looking->journey->nodes[i];
    const struct template_def *def = template_of(looking, node);
    if (def == NULL || node->wait_ms > 0)
        return;
    memset(seen, 0, looking->journey->nodes_count);
    seen[i] = true;
    const struct node *other = message_at_once(looking, i, def->channel, seen);
    if (other != NULL)
        add(looking, node->id, "Put a wait between them, or make one message of the two.",
            "\"%.*s\" and \"%.*s\" can reach somebody at the same instant.",
            STR_ARG(short_of(node->id)), STR_ARG(short_of(other->id)));
}

/* What the person's clock shows then; UNTIL_NO_TIME: that is not the same for all, or not said. */
static int32_t clock_ms(const struct until *until)
{
    if (until->kind == UNTIL_INSTANT)
        return UNTIL_NO_TIME;
    return until->kind == UNTIL_LOCAL
               ? (int32_t)((until->at_ms % TIME_DAY_MS + TIME_DAY_MS) % TIME_DAY_MS)
               : until->time_ms;
}

static bool is_night(const struct until *until)
{
    int32_t hour = clock_ms(until) / (int32_t)TIME_HOUR_MS;
    return clock_ms(until) != UNTIL_NO_TIME &&
           (hour >= TANGLE_NIGHT_FROM_HOUR || hour < TANGLE_NIGHT_TO_HOUR);
}

static void night_tell(struct looking *looking, uint16_t i, bool *seen)
{
    const struct node *node = &looking->journey->nodes[i];
    if (node->kind != NODE_WAIT_UNTIL || !is_night(&node->until))
        return;
    for (int channel = CHANNEL_EMAIL; channel < CHANNELS; channel++) {
        memset(seen, 0, looking->journey->nodes_count);
        const struct node *message =
            message_at_once(looking, i, (enum consent_channel)channel, seen);
        if (message == NULL || channel == CHANNEL_POST)
            continue;
        add(looking, node->id, "Let it end between 7 and 21 by the person's clock.",
            "The wait ends at %02d:%02d, and then \"%.*s\" comes: in the night.",
            clock_ms(&node->until) / (int32_t)TIME_HOUR_MS,
            clock_ms(&node->until) / (int32_t)TIME_MINUTE_MS % 60, STR_ARG(short_of(message->id)));
        return;
    }
}

/* What goes as soon as somebody has come in, but by post; NULL: nothing. */
static const struct node *message_first(const struct looking *looking, bool *seen)
{
    const struct node         *node = &looking->journey->nodes[0];
    const struct template_def *def = template_of(looking, node);
    const struct node         *message = NULL;
    if (def != NULL && def->channel != CHANNEL_POST)
        return node;
    for (int channel = CHANNEL_EMAIL; channel < CHANNELS && !takes_time(node); channel++) {
        memset(seen, 0, looking->journey->nodes_count);
        if (channel != CHANNEL_POST && message == NULL)
            message = message_at_once(looking, 0, (enum consent_channel)channel, seen);
    }
    return message;
}

static void begun_at_night_tell(struct looking *looking, bool *seen)
{
    const struct journey_trigger *trigger = &looking->journey->trigger;
    const struct until           *until = &trigger->clock.until;
    if (trigger->kind != TRIGGER_CLOCK || !is_night(until))
        return;
    const struct node *message = message_first(looking, seen);
    if (message == NULL)
        return;
    add(looking, STR_NONE, "Let it begin between 7 and 21.",
        "It begins at %02d:%02d, and then \"%.*s\" comes: in the night.",
        clock_ms(until) / (int32_t)TIME_HOUR_MS, clock_ms(until) / (int32_t)TIME_MINUTE_MS % 60,
        STR_ARG(short_of(message->id)));
}

/* A receipt answers what somebody just did: days later, or to a crowd, it is none. */
static void unasked_tell(struct looking *looking, uint16_t i)
{
    const struct node         *node = &looking->journey->nodes[i];
    const struct template_def *def = template_of(looking, node);
    bool is_late = looking->soonest_ms[i] != TIME_NEVER && looking->soonest_ms[i] >= TIME_DAY_MS;
    if (def == NULL || !def->transactional)
        return;
    if (is_late || (looking->journey->trigger.kind != TRIGGER_EVENT &&
                    looking->journey->trigger.kind != TRIGGER_API))
        add(looking, node->id,
            "Give the template a topic and `transactional: no`, so that a refusal is heard.",
            "\"%.*s\" is transactional and goes to those who refused, too, %s.",
            STR_ARG(short_of(node->template)),
            is_late ? "a day or more after they came in" : "though they did not just ask for it");
}

/* ---- leaving, and others ---- */

/* Whoever comes in by being in the segment is in it. */
static void exit_tell(struct looking *looking)
{
    const struct journey      *journey = looking->journey;
    const struct segment_node *exit = journey->exit_when.tree;
    if (exit == NULL)
        return;
    bool is_trigger = journey->trigger.kind == TRIGGER_SEGMENT && !journey->trigger.is_stage &&
                      exit->kind == SEGMENT_IN_SEGMENT && str_eq(exit->name, journey->trigger.name);
    if (is_certain(&journey->exit_when) || is_trigger)
        add(looking, STR_NONE, "Ask for what they have not done when they come in.",
            "Everybody leaves at once: the exit condition holds for whoever comes in.");
}

static bool asks_key(const struct segment_node *tree)
{
    bool asks = tree->kind == SEGMENT_COMPARE && tree->compare.test == SEGMENT_IS_KEY;
    asks = asks || (tree->match.where != NULL && asks_key(tree->match.where)) ||
           (tree->then.where != NULL && asks_key(tree->then.where));
    for (uint32_t i = 0; i < tree->parts_count && !asks; i++)
        asks = asks_key(tree->parts[i]);
    return asks;
}

static bool asks_since_entry(const struct segment_node *tree)
{
    bool asks = tree->match.window.kind == SEGMENT_SINCE_ENTRY;
    for (uint32_t i = 0; i < tree->parts_count && !asks; i++)
        asks = asks_since_entry(tree->parts[i]);
    return asks;
}

/* With a key: what somebody does about one of them counts for all. */
static void tangle_key(struct looking *looking)
{
    const struct journey *journey = looking->journey;
    const char           *told = "Ask for the event of that key alone: where ... is the key.";
    if (str_is_empty(journey->trigger.key_name))
        return;
    struct {
        const char                *what;
        const struct segment_node *tree;
    } asked[] = { { "exit_when", journey->exit_when.tree },
                  { "the goal", journey->goal.condition.tree } };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        if (asked[i].tree != NULL && asks_since_entry(asked[i].tree) && !asks_key(asked[i].tree))
            add(looking, STR_NONE, told,
                "One event ends it for every \"%.*s\" at once: %s does not ask for the key.",
                STR_ARG(short_of(journey->trigger.key_name)), asked[i].what);
    for (uint16_t i = 0; i < journey->nodes_count; i++) {
        const struct node *node = &journey->nodes[i];
        if (node->kind == NODE_WAIT_FOR && node->is_event &&
            !asks_key(journey->branches[node->branches].when.tree))
            add(looking, node->id, told,
                "An event about another \"%.*s\" goes on from here, too: it does not ask for the "
                "key.",
                STR_ARG(short_of(journey->trigger.key_name)));
    }
}

static bool is_same_start(const struct journey *a, const struct journey *b)
{
    const struct segment_node *x = a->trigger.where.tree, *y = b->trigger.where.tree;
    /* Those with audiences of their own are taken at their word. */
    if (a->audience.tree != NULL && b->audience.tree != NULL &&
        !segment_eq(a->audience.tree, b->audience.tree))
        return false;
    return a->trigger.kind == b->trigger.kind && a->trigger.kind != TRIGGER_API &&
           a->trigger.is_stage == b->trigger.is_stage && str_eq(a->trigger.name, b->trigger.name) &&
           (x == NULL || y == NULL || segment_eq(x, y));
}

/* The first message that may be refused and goes out that day; NULL: none. */
static const struct node *message_of_day(const struct looking *looking, int64_t day)
{
    for (uint16_t i = 0; i < looking->journey->nodes_count; i++) {
        const struct template_def *def = template_of(looking, &looking->journey->nodes[i]);
        if (def != NULL && !def->transactional && looking->certain_ms[i] != TIME_NEVER &&
            looking->certain_ms[i] / TIME_DAY_MS == day)
            return &looking->journey->nodes[i];
    }
    return NULL;
}

static void both_tell(struct looking *looking, const struct looking *other)
{
    for (uint16_t i = 0; i < looking->journey->nodes_count; i++) {
        int64_t certain_ms = looking->certain_ms[i];
        if (certain_ms == TIME_NEVER)
            continue;
        int64_t            day = certain_ms / TIME_DAY_MS;
        const struct node *ours = message_of_day(looking, day);
        const struct node *theirs = message_of_day(other, day);
        if (ours != &looking->journey->nodes[i] || theirs == NULL)
            continue;
        add(looking, ours->id, "Let one of them wait, or give them audiences that differ.",
            "The journey \"%.*s\" begins by the same and writes \"%.*s\" on the same day.",
            STR_ARG(short_of(other->journey->name)), STR_ARG(short_of(theirs->id)));
        return; /* once a journey */
    }
}

/* Without a wait it is stopped after 64 consequences; with one it goes on for ever. */
static void round_tell(struct looking *looking)
{
    struct str next;
    if (!tangle_round(looking->program, looking->journey, &next))
        return;
    bool is_itself = str_eq(next, looking->journey->name);
    add(looking, STR_NONE, "Let one of them come in once, or begin by something else.",
        "The journey comes round to itself%s%.*s%s: whoever is in it comes in again and again.",
        is_itself ? "" : ", by way of \"", is_itself ? 0 : (int)short_of(next).len,
        short_of(next).ptr, is_itself ? "" : "\"");
}

static enum err others_tell(struct looking *looking)
{
    for (uint32_t i = 0; i < looking->program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(looking->program, i);
        struct looking                other = *looking;
        if (live == NULL || str_eq(live->journey.name, looking->journey->name) ||
            !is_same_start(looking->journey, &live->journey))
            continue;
        other.journey = &live->journey;
        TRY(soonest_find(&other));
        both_tell(looking, &other);
        free(other.certain_ms);
    }
    return OK;
}

enum err tangles_find(const struct program *program, const struct journey *journey,
                      struct tangles *out)
{
    struct looking looking = { .program = program, .journey = journey, .out = out };
    bool          *seen = calloc(journey->nodes_count + 1U, sizeof seen[0]);
    enum err       err = seen == NULL ? ERR_MEMORY : soonest_find(&looking);
    out->count = out->left_out = 0;
    if (err == OK) {
        exit_tell(&looking);
        begun_at_night_tell(&looking, seen);
        tangle_key(&looking);
        round_tell(&looking);
        unreached_tell(&looking);
        for (uint16_t i = 0; i < journey->nodes_count; i++) {
            const struct node *node = &journey->nodes[i];
            if (is_one_way(journey, node))
                add(&looking, node->id, "Let the ways lead to different nodes, or take it away.",
                    "All ways of this split lead to the same node.");
            branches_tell(&looking, node);
            twice_tell(&looking, i, seen);
            night_tell(&looking, i, seen);
            unasked_tell(&looking, i);
        }
        err = others_tell(&looking);
    }
    free(seen);
    free(looking.certain_ms);
    return err;
}
