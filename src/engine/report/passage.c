#include "engine/report/passage.h"

#include <stdlib.h>

#include "engine/behaviour/view.h"
#include "engine/own.h"
#include "engine/vec.h"

struct said {
    int64_t  at_ms;
    uint32_t seq, bag, order; /* order: as it was found, which is as it was decided */
    uint16_t name;
};

/* One time in the journey. */
struct entry {
    int64_t id;
    bool    is_held, has_goal;
};

/* What the event of that number was worth: once, to the newest entry that it ends well. */
struct worth {
    double   value;              /* 0: none */
    uint32_t seq, entry, traces; /* traces: of ways, by then */
};

/* That way was taken, or that node was stood at, by that entry. */
struct trace {
    uint32_t entry, number, node; /* node: of the way */
    bool     has_goal;            /* reached after that way was taken */
    bool     is_chosen;           /* by somebody, and not dealt */
};

struct letter {
    int64_t  message;
    uint32_t node, traces; /* node: UINT32_MAX for none; traces: of ways, by then */
    uint32_t entry;
    bool     opened, clicked;
};

struct walk {
    const struct report           *report;
    const struct passage_question *question;
    struct passage                *out;
    struct {
        struct said *items;
        uint32_t     count, room;
    } said;
    struct {
        struct entry *items;
        uint32_t      count, room;
    } entries;
    struct {
        struct trace *items;
        uint32_t      count, room;
    } nodes, ways;
    struct {
        struct letter *items;
        uint32_t       count, room;
    } letters;
    struct worth worth; /* not yet added */
};

/* ---- what was said ---- */

static bool is_about(const struct walk *walk, uint16_t name, struct bag bag)
{
    int64_t journey;
    if (name == OWN_JOURNEY)
        return bag_int(bag, OWN_KEY_JOURNEY, &journey) && journey == walk->question->journey;
    return str_eq(bag_text(bag, OWN_KEY_JOURNEY), walk->question->name);
}

static enum err run_gather(struct walk *walk, const struct run *run)
{
    for (uint32_t i = 0; i < run->count && run->at_ms[i] <= walk->report->at_ms; i++) {
        uint16_t name = run->name[i];
        if (name != OWN_JOURNEY && name != OWN_MESSAGE_SENT && name != OWN_MESSAGE_OPENED &&
            name != OWN_MESSAGE_CLICKED)
            continue;
        if (is_about(walk, name, bag_at(walk->report->view->bags, run->bag[i])))
            TRY(VEC_ADD(&walk->said, (struct said){ run->at_ms[i], run->seq[i], run->bag[i],
                                                    walk->said.count, name }));
    }
    return OK;
}

static int by_time(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static enum err gather(struct walk *walk, uint32_t root)
{
    const struct view *view = walk->report->view;
    struct run         runs[VIEW_LEVELS_MAX];
    uint32_t           member = root;
    walk->said.count = 0;
    do {
        uint32_t count = view_runs(view, member, runs);
        for (uint32_t i = 0; i < count; i++)
            TRY(run_gather(walk, &runs[i]));
        member = view->next[member];
    } while (member != root);
    if (walk->said.count > 1)
        qsort(walk->said.items, walk->said.count, sizeof walk->said.items[0], by_time);
    return OK;
}

/* ---- one person ---- */

static uint32_t entry_of(const struct walk *walk, int64_t id)
{
    uint32_t i = 0;
    while (i < walk->entries.count && walk->entries.items[i].id != id)
        i++;
    return i;
}

static uint32_t node_of(const struct walk *walk, struct str id)
{
    uint32_t i = 0;
    while (i < walk->question->nodes_count && !str_eq(walk->question->nodes[i].id, id))
        i++;
    return i;
}

static struct passage_group *group_of(const struct walk *walk, uint32_t entry)
{
    return walk->entries.items[entry].is_held ? &walk->out->out : &walk->out->in;
}

static enum err begun(struct walk *walk, int64_t id, bool is_held)
{
    TRY(VEC_ADD(&walk->entries, (struct entry){ .id = id, .is_held = is_held }));
    walk->out->held_out += is_held;
    walk->out->all.entered += !is_held;
    return OK;
}

/* The node that the entry stood at last; others may have gone on meanwhile. */
static uint32_t last_of(const struct walk *walk, uint32_t entry)
{
    for (uint32_t i = walk->nodes.count; i > 0; i--)
        if (walk->nodes.items[i - 1].entry == entry)
            return walk->nodes.items[i - 1].number;
    return UINT32_MAX;
}

/* What was given to who is past it (journey/filling.h) is not where they stand. */
static void stands_still(struct walk *walk)
{
    struct trace given = walk->nodes.items[walk->nodes.count - 1];
    for (uint32_t i = walk->nodes.count - 1; i > 0; i--)
        if (walk->nodes.items[i - 1].entry == given.entry) {
            walk->nodes.items[walk->nodes.count - 1] = walk->nodes.items[i - 1];
            walk->nodes.items[i - 1] = given;
            return;
        }
}

static enum err stood(struct walk *walk, uint32_t entry, struct bag bag)
{
    const struct passage_question *question = walk->question;
    struct str                     took = bag_text(bag, question->took);
    struct json                    chosen;
    uint32_t                       n = node_of(walk, bag_text(bag, OWN_KEY_NODE));
    if (n == question->nodes_count)
        return OK;
    const struct passage_node *node = &question->nodes[n];
    /* A wait tells of itself twice: as it begins, and with the way that was taken. */
    bool is_again = took.len > 0 && last_of(walk, entry) == n;
    walk->out->nodes[n].entered += !is_again;
    TRY(VEC_ADD(&walk->nodes, (struct trace){ .entry = entry, .number = n, .node = n }));
    if (bag_find(bag, question->back, &chosen))
        stands_still(walk);
    for (uint32_t w = node->ways; w < node->ways + node->ways_count; w++)
        if (str_eq(question->ways[w], took)) {
            walk->out->ways[w].entered++;
            return VEC_ADD(&walk->ways,
                           (struct trace){ .entry = entry,
                                           .number = w,
                                           .node = n,
                                           .is_chosen = bag_find(bag, question->chosen, &chosen) });
        }
    return OK;
}

/* Each way that the entry took, once, among the first `count` traces. */
static bool is_first_of(const struct walk *walk, uint32_t i)
{
    for (uint32_t k = 0; k < i; k++)
        if (walk->ways.items[k].entry == walk->ways.items[i].entry &&
            walk->ways.items[k].number == walk->ways.items[i].number)
            return false;
    return true;
}

static void worth_add(struct walk *walk)
{
    const struct worth *worth = &walk->worth;
    walk->out->all.value += worth->value;
    for (uint32_t i = 0; i < worth->traces; i++)
        if (walk->ways.items[i].entry == worth->entry && is_first_of(walk, i))
            walk->out->ways[walk->ways.items[i].number].value += worth->value;
    walk->worth = (struct worth){ .value = 0 };
}

static void reached(struct walk *walk, uint32_t entry, uint32_t seq, struct bag bag)
{
    struct json value;
    double      worth = 0;
    if (bag_find(bag, walk->question->value, &value))
        (void)json_to_real(&value, &worth);
    walk->entries.items[entry].has_goal = true;
    if (walk->entries.items[entry].is_held) {
        walk->out->held_reached++;
        return;
    }
    walk->out->all.reached++;
    for (uint32_t i = 0; i < walk->ways.count; i++) {
        walk->ways.items[i].has_goal |= walk->ways.items[i].entry == entry;
        if (walk->ways.items[i].entry == entry && is_first_of(walk, i))
            walk->out->ways[walk->ways.items[i].number].reached++;
    }
    if (walk->worth.seq != seq)
        worth_add(walk);
    if (worth != 0 && (walk->worth.value == 0 || walk->worth.entry < entry))
        walk->worth = (struct worth){ worth, seq, entry, walk->ways.count };
}

static void reason_add(struct passage_reason reasons[PASSAGE_REASONS_MAX], uint32_t *reasons_count,
                       struct str text, uint64_t count)
{
    uint32_t i = 0;
    while (i < *reasons_count && !str_eq(reasons[i].text, text))
        i++;
    if (i == PASSAGE_REASONS_MAX)
        i--; /* the last is all others */
    if (i == *reasons_count) {
        bool is_last = i == PASSAGE_REASONS_MAX - 1;
        reasons[(*reasons_count)++] = (struct passage_reason){ is_last ? STR("other") : text, 0 };
    }
    reasons[i].count += count;
}

static void exit_add(struct passage *out, struct str text, uint64_t count)
{
    reason_add(out->exits, &out->exits_count, text, count);
}

static enum err journey_said(struct walk *walk, uint32_t seq, struct bag bag)
{
    int64_t id, what;
    if (!bag_int(bag, OWN_KEY_ID, &id) || !bag_int(bag, OWN_KEY_WHAT, &what))
        return OK;
    uint32_t   entry = entry_of(walk, id);
    struct str reason = bag_text(bag, walk->question->reason);
    if ((what == OWN_ENTERED || what == OWN_HELD_OUT) && entry < walk->entries.count)
        return OK;
    if (what == OWN_ENTERED && reason.len > 0)
        reason_add(walk->out->causes, &walk->out->causes_count, reason, 1);
    if (what == OWN_ENTERED || what == OWN_HELD_OUT)
        return begun(walk, id, what == OWN_HELD_OUT);
    if (entry == walk->entries.count)
        return OK; /* begun before what is kept */
    if (what == OWN_AT)
        return stood(walk, entry, bag);
    if (what == OWN_GOAL)
        reached(walk, entry, seq, bag);
    if (what == OWN_FINISHED || what == OWN_LEFT)
        exit_add(walk->out,
                 what == OWN_FINISHED ? STR("finished")
                 : reason.len > 0     ? reason
                                      : STR("left"),
                 1);
    return OK;
}

/* ---- messages ---- */

static bool node_sends(const struct passage_node *node, struct str template)
{
    for (uint32_t i = 0; i < node->templates_count; i++)
        if (str_eq(node->templates[i], template))
            return true;
    return false;
}

/* Its number, which senders tell as a text. */
static bool message_of(struct bag bag, uint16_t key, int64_t *out)
{
    struct json value;
    if (bag_int(bag, key, out))
        return true;
    return bag_find(bag, key, &value) && value.kind == JSON_STRING &&
           str_to_int(value.string, out) == OK;
}

/* The entry that it names, else the newest; and the last node with that template that it stood at.
 */
static struct letter letter_make(const struct walk *walk, int64_t message, struct bag bag)
{
    struct letter letter = { .message = message, .node = UINT32_MAX, .traces = walk->ways.count };
    struct str template = bag_text(bag, OWN_KEY_TEMPLATE);
    int64_t id;
    bool    is_named = message_of(bag, walk->question->entry, &id);
    letter.entry = is_named ? entry_of(walk, id) : walk->entries.count;
    is_named = letter.entry < walk->entries.count; /* false: begun before what is kept */
    if (!is_named)
        letter.entry = walk->entries.count - 1;
    for (uint32_t i = walk->nodes.count; i > 0; i--) {
        const struct trace *at = &walk->nodes.items[i - 1];
        if ((!is_named || at->entry == letter.entry) &&
            node_sends(&walk->question->nodes[at->number], template)) {
            letter.node = at->number;
            letter.entry = at->entry;
            break;
        }
    }
    return letter;
}

static void counts_add(struct passage_count *count, uint16_t name)
{
    count->sent += name == OWN_MESSAGE_SENT;
    count->opened += name == OWN_MESSAGE_OPENED;
    count->clicked += name == OWN_MESSAGE_CLICKED;
}

static void letter_count(struct walk *walk, const struct letter *letter, uint16_t name)
{
    counts_add(&walk->out->all, name);
    if (letter->node != UINT32_MAX)
        counts_add(&walk->out->nodes[letter->node], name);
    for (uint32_t i = 0; i < letter->traces; i++)
        if (walk->ways.items[i].entry == letter->entry && is_first_of(walk, i))
            counts_add(&walk->out->ways[walk->ways.items[i].number], name);
}

static enum err message_said(struct walk *walk, uint16_t name, struct bag bag)
{
    struct json machine;
    int64_t     message;
    uint32_t    i = 0;
    if (walk->entries.count == 0 || !message_of(bag, walk->question->message, &message))
        return OK;
    if (name != OWN_MESSAGE_SENT && bag_find(bag, OWN_KEY_MACHINE, &machine) && machine.truth)
        return OK;
    while (i < walk->letters.count && walk->letters.items[i].message != message)
        i++;
    if (i == walk->letters.count) {
        if (name != OWN_MESSAGE_SENT)
            return OK; /* of one whose sending is not known */
        TRY(VEC_ADD(&walk->letters, letter_make(walk, message, bag)));
        letter_count(walk, &walk->letters.items[i], name);
        return OK;
    }
    struct letter *letter = &walk->letters.items[i];
    bool          *was = name == OWN_MESSAGE_OPENED ? &letter->opened : &letter->clicked;
    if (name == OWN_MESSAGE_SENT || *was)
        return OK;
    *was = true;
    letter_count(walk, letter, name);
    return OK;
}

/* Of each node the way that was taken first: what came of later times proves nothing twice. */
static void ways_count(struct walk *walk)
{
    for (uint32_t i = 0; i < walk->ways.count; i++) {
        const struct trace *way = &walk->ways.items[i];
        uint32_t            k = 0;
        while (k < i && walk->ways.items[k].node != way->node)
            k++;
        if (k < i || way->is_chosen)
            continue;
        walk->out->ways[way->number].people++;
        walk->out->ways[way->number].people_reached += way->has_goal;
    }
}

/* By their first time inside; held out is who never was. */
static void person_count(struct walk *walk)
{
    uint32_t first = 0;
    while (first < walk->entries.count && walk->entries.items[first].is_held)
        first++;
    if (first == walk->entries.count)
        first = 0;
    if (walk->entries.count == 0)
        return;
    group_of(walk, first)->people++;
    group_of(walk, first)->reached += walk->entries.items[first].has_goal;
}

static enum err person(struct walk *walk, uint32_t root)
{
    TRY(gather(walk, root));
    walk->entries.count = walk->nodes.count = walk->ways.count = walk->letters.count = 0;
    for (uint32_t i = 0; i < walk->said.count; i++) {
        const struct said *said = &walk->said.items[i];
        struct bag         bag = bag_at(walk->report->view->bags, said->bag);
        TRY(said->name == OWN_JOURNEY ? journey_said(walk, said->seq, bag)
                                      : message_said(walk, said->name, bag));
    }
    worth_add(walk);
    ways_count(walk);
    person_count(walk);
    return OK;
}

enum err passage_run(const struct report *report, const struct passage_question *question,
                     struct report_range range, struct passage *out)
{
    struct walk walk = { .report = report, .question = question, .out = out };
    enum err    err = OK;
    for (uint32_t p = range.from; p < range.to && err == OK; p++)
        if (report->view->root[p] == p && (report->among == NULL || report_bit(report->among, p)))
            err = person(&walk, p);
    VEC_DONE(&walk.said);
    VEC_DONE(&walk.entries);
    VEC_DONE(&walk.nodes);
    VEC_DONE(&walk.ways);
    VEC_DONE(&walk.letters);
    return err;
}

static void count_add(struct passage_count *into, const struct passage_count *from)
{
    into->entered += from->entered;
    into->sent += from->sent;
    into->opened += from->opened;
    into->clicked += from->clicked;
    into->reached += from->reached;
    into->people += from->people;
    into->people_reached += from->people_reached;
    into->value += from->value;
}

void passage_add(const struct passage_question *question, struct passage *into,
                 const struct passage *from)
{
    count_add(&into->all, &from->all);
    into->held_out += from->held_out;
    into->held_reached += from->held_reached;
    into->in.people += from->in.people;
    into->in.reached += from->in.reached;
    into->out.people += from->out.people;
    into->out.reached += from->out.reached;
    for (uint32_t i = 0; i < question->nodes_count; i++)
        count_add(&into->nodes[i], &from->nodes[i]);
    for (uint32_t i = 0; i < question->ways_count; i++)
        count_add(&into->ways[i], &from->ways[i]);
    for (uint32_t i = 0; i < from->exits_count; i++)
        exit_add(into, from->exits[i].text, from->exits[i].count);
    for (uint32_t i = 0; i < from->causes_count; i++)
        reason_add(into->causes, &into->causes_count, from->causes[i].text, from->causes[i].count);
}
