#include "engine/report/report_world_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "engine/own.h"
#include "engine/report/block.h"
#include "engine/segment/segment_program.h"

enum { BAGS_BYTES = 4 << 20, LEVEL_BYTES = 4 << 20, PLACES = 3 };

static const char *const places[PLACES] = { "Far/East", "Far/West", "Half/Past" };

void world_open(struct world *w)
{
    const struct zone list[PLACES] = { { str_of(places[0]), NULL, 0, 14 * 3600 },
                                       { str_of(places[1]), NULL, 0, -11 * 3600 },
                                       { str_of(places[2]), NULL, 0, 5 * 3600 + 1800 } };
    memset(w, 0, sizeof *w);
    w->events = dict_open();
    w->properties = dict_open();
    w->traits = dict_open();
    w->bags = buf_make(BAGS_BYTES);
    /* Midnight lies among the events. */
    assert_ok(time_parse(STR("2026-01-01T14:00:00Z"), &w->base_ms));
    assert_ok(own_names(w->events, w->properties, w->traits));
    assert_ok(zones_make(&w->zones, STR("x"), list, PLACES));
    for (int i = 0; i < VIEW_LEVELS_MAX; i++) {
        w->regions[i] = aligned_alloc(64, LEVEL_BYTES);
        assert_non_null(w->regions[i]);
    }
}

void world_done(struct world *w)
{
    dict_close(w->events);
    dict_close(w->properties);
    dict_close(w->traits);
    buf_done(&w->bags);
    zones_close(w->zones);
    for (int i = 0; i < VIEW_LEVELS_MAX; i++)
        free(w->regions[i]);
}

/* ---- properties */

static struct json random_value(struct dice *dice, struct json *items)
{
    if (dice_roll(dice, 4) > 0)
        return dice_scalar(dice);
    uint32_t count = dice_roll(dice, 4);
    for (uint32_t i = 0; i < count; i++)
        items[i] = dice_scalar(dice);
    return (struct json){ .kind = JSON_ARRAY, .count = count, .items = items };
}

static uint32_t random_bag(struct world *w, struct dice *dice, uint16_t name)
{
    static const char *const traits[] = { "country", "age", "vip", "joined", "tags", "timezone" };
    static const char *const properties[] = { "n", "s", "tags", "p.n", "p.s" };
    struct json_member       members[5];
    struct json              items[5][4];
    struct json object = { .kind = JSON_OBJECT, .members = members, .count = dice_roll(dice, 5) };
    size_t      before = w->bags.len;
    bool        is_trait = name == 0;

    for (uint32_t i = 0; i < object.count; i++)
        members[i] = (struct json_member){
            str_of((is_trait ? traits : properties)[dice_roll(dice, is_trait ? 6 : 5)]),
            random_value(dice, items[i])
        };
    for (uint32_t i = 0; is_trait && i < object.count; i++)
        if (str_eq(members[i].key, STR("timezone")))
            members[i].value = (struct json){ .kind = JSON_STRING,
                                              .string = str_of(places[dice_roll(dice, PLACES)]) };
    if (name == OWN_CONSENT) {
        object.count = 2 + dice_roll(dice, 2);
        members[0] = (struct json_member){ STR("topic"), { .kind = JSON_INT } };
        members[0].value.integer = (int64_t)dice_roll(dice, 3);
        members[1] = (struct json_member){ STR("state"), { .kind = JSON_STRING } };
        members[1].value.string = dice_roll(dice, 2) ? STR("granted") : STR("refused");
        members[2] = (struct json_member){ STR("channel"), { .kind = JSON_STRING } };
        members[2].value.string = dice_roll(dice, 2) ? STR("l1") : STR("l2");
    }
    if (name == OWN_LIST) {
        object.count = 2;
        members[0] = (struct json_member){ STR("list"), { .kind = JSON_INT } };
        members[0].value.integer = (int64_t)dice_roll(dice, 3);
        members[1] = (struct json_member){ STR("joined"), { .kind = JSON_BOOL } };
        members[1].value.truth = dice_roll(dice, 3) > 0;
    }
    assert_ok(bag_write(&w->bags, is_trait ? w->traits : w->properties, &object, NULL));
    return w->bags.len > before ? (uint32_t)(before / BAG_UNIT_BYTES) : 0;
}

/* ---- people and events */

static void roll_arrivals(struct world *w, struct dice *dice, uint32_t profiles)
{
    int64_t hours = 1 + (int64_t)dice_roll(dice, 40), each = hours * TIME_HOUR_MS / profiles;
    for (uint32_t p = 0; p < profiles; p++)
        w->arrived_ms[p] = w->base_ms + each * p;
}

static void roll_rings(struct world *w, struct dice *dice, uint32_t profiles)
{
    uint32_t merges = dice_roll(dice, 3) == 0 ? 0 : dice_roll(dice, profiles);
    for (uint32_t p = 0; p < profiles; p++)
        w->root[p] = w->next[p] = p;
    for (uint32_t i = 0; i < merges; i++) {
        uint32_t a = w->root[dice_roll(dice, profiles)], b = w->root[dice_roll(dice, profiles)];
        uint32_t members = 0, p = a;
        do
            members++;
        while ((p = w->next[p]) != a);
        p = b;
        do
            members++;
        while ((p = w->next[p]) != b);
        if (a == b || members > 64)
            continue;
        do
            w->root[p] = a;
        while ((p = w->next[p]) != b);
        uint32_t after = w->next[a];
        w->next[a] = w->next[b];
        w->next[b] = after;
    }
}

static int64_t random_at(struct dice *dice, const struct world *w)
{
    int64_t at = w->base_ms + dice_roll(dice, 25) * TIME_HOUR_MS;
    return dice_roll(dice, 4) > 0 ? at : at + (int64_t)dice_roll(dice, 3) - 1;
}

static int by_person(const void *a, const void *b)
{
    const struct world_event *x = a, *y = b;
    if (x->root != y->root)
        return x->root < y->root ? -1 : 1;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

static int by_profile(const void *a, const void *b)
{
    const struct world_event *x = a, *y = b;
    if (x->profile != y->profile)
        return x->profile < y->profile ? -1 : 1;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

enum { LEVEL_NAMES = RUN_DEEDS + 8 };

/* Events with seq in [from, to) as one level; numbered from 0 for the base. */
static void level_make(struct world *w, struct world_event *list, uint32_t l, uint32_t from,
                       uint32_t to, uint32_t profiles)
{
    static uint32_t      whose[WORLD_PROFILES_MAX];
    struct level_columns columns;
    uint32_t             events = 0, entries = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        if (list[i].seq < from || list[i].seq >= to)
            continue;
        if (entries == 0 || whose[entries - 1] != list[i].profile)
            whose[entries++] = list[i].profile;
        events++;
    }
    if (l == 0)
        entries = profiles;
    struct level_room room = {
        .profiles = entries, .events = events, .names = LEVEL_NAMES, .numbered = l == 0
    };
    assert_true(level_lay(NULL, room, &columns) <= LEVEL_BYTES);
    level_lay(w->regions[l], room, &columns);
    events = 0;
    uint32_t at = 0;
    for (uint32_t e = 0; e < entries; e++) {
        uint32_t profile = l == 0 ? e : whose[e];
        if (l > 0)
            columns.profile[e] = profile;
        columns.offsets[e] = events;
        for (; at < w->count && list[at].profile <= profile; at++) {
            if (list[at].seq < from || list[at].seq >= to)
                continue;
            columns.at_ms[events] = list[at].at_ms;
            columns.seq[events] = list[at].seq;
            columns.bag[events] = list[at].bag;
            columns.name[events++] = list[at].name;
        }
    }
    columns.offsets[entries] = events;
    w->view.levels[l] = level_finish(&columns, entries, LEVEL_NAMES);
    level_days(&w->view.levels[l], w->days[l]);
    w->view.levels[l].first_day = w->days[l];
}

static void roll_levels(struct world *w, struct dice *dice)
{
    static struct world_event list[WORLD_EVENTS_MAX];
    uint32_t                  end = w->count + 1;
    uint32_t                  base = dice_roll(dice, 3) == 0 ? 0 : dice_roll(dice, end + 1);
    uint32_t                  profiles = 0, older = base + dice_roll(dice, end - base + 1);

    memcpy(list, w->list, w->count * sizeof list[0]);
    qsort(list, w->count, sizeof list[0], by_profile);
    for (uint32_t i = 0; i < w->count; i++)
        if (list[i].seq < base && list[i].profile >= profiles)
            profiles = list[i].profile + 1;
    level_make(w, list, 0, 0, base, profiles);
    w->view.levels_count = 1 + dice_roll(dice, 3);
    if (w->view.levels_count == 1)
        level_make(w, list, 0, 0, end, w->view.profiles);
    if (w->view.levels_count == 2)
        level_make(w, list, 1, base, end, 0);
    if (w->view.levels_count == 3) {
        level_make(w, list, 1, base, older, 0);
        level_make(w, list, 2, older, end, 0);
    }
    if (dice_roll(dice, 4) == 0) /* one does not say who began when */
        w->view.levels[dice_roll(dice, w->view.levels_count)].first_day = NULL;
}

static void roll_events(struct world *w, struct dice *dice, uint32_t profiles)
{
    static const char *const names[] = { "A", "A", "B", "C", "D", "Score Crossed" };
    uint32_t                 busy = dice_roll(dice, profiles);
    bool                     deeds_only = dice_roll(dice, 3) == 0;
    bool                     nearly_all = dice_roll(dice, 3) == 0; /* did something */
    w->count = dice_roll(dice, 8) == 0 ? 0 : dice_roll(dice, 12 * profiles + 1);
    if (w->count > WORLD_EVENTS_MAX - 1)
        w->count = WORLD_EVENTS_MAX - 1;
    buf_reset(&w->bags);
    buf_str(&w->bags, STR("--------"));
    for (uint32_t i = 0; i < w->count; i++) {
        struct world_event *e = &w->list[i];
        uint32_t            kind = deeds_only ? 7 : dice_roll(dice, 8);
        e->profile = dice_roll(dice, 3) == 0 ? busy : dice_roll(dice, profiles);
        if (nearly_all && i < profiles && i % 97 != 50)
            e->profile = i;
        e->root = w->root[e->profile];
        e->seq = i + 1;
        e->at_ms = random_at(dice, w);
        e->name = kind == 0 ? OWN_TRAITS : kind == 1 ? OWN_LIST : OWN_CONSENT;
        if (kind > 2)
            assert_ok(dict_intern(w->events, str_of(names[dice_roll(dice, deeds_only ? 5 : 6)]),
                                  &e->name));
        e->bag = random_bag(w, dice, e->name);
    }
    qsort(w->list, w->count, sizeof w->list[0], by_person);
    for (uint32_t p = 0, i = 0; p <= profiles; p++) {
        while (i < w->count && w->list[i].root < p)
            i++;
        w->from[p] = i;
    }
}

void world_roll(struct world *w, struct dice *dice)
{
    uint32_t profiles = 1 + dice_roll(dice, dice_roll(dice, 20) == 0  ? WORLD_PROFILES_MAX - 1
                                            : dice_roll(dice, 2) == 0 ? 8
                                                                      : 300);
    roll_rings(w, dice, profiles);
    roll_arrivals(w, dice, profiles);
    roll_events(w, dice, profiles);
    w->view = (struct view){ .seq = UINT32_MAX,
                             .profiles = profiles,
                             .root = w->root,
                             .next = w->next,
                             .arrived_ms = w->arrived_ms,
                             .bags = { (const unsigned char *)w->bags.ptr, w->bags.len } };
    roll_levels(w, dice);
    for (uint32_t i = 0; i <= profiles / 64; i++)
        w->among[i] = (uint64_t)dice_roll(dice, UINT32_MAX) << 32 | dice_roll(dice, UINT32_MAX);
    w->report =
        (struct report){ .view = &w->view,
                         .at_ms = random_at(dice, w),
                         .zone = dice_roll(dice, 2)
                                     ? zone_find(w->zones, str_of(places[dice_roll(dice, PLACES)]))
                                     : NULL,
                         .zones = w->zones,
                         .among = dice_roll(dice, 3) == 0 ? w->among : NULL };
    if (dice_roll(dice, 2) == 0) /* nothing is dated later */
        w->report.at_ms = w->base_ms + (25 + dice_roll(dice, 12)) * TIME_HOUR_MS;
}

/* ---- what is asked */

static uint32_t number_of(const void *owner, struct str name)
{
    (void)owner;
    return (uint32_t)(name.ptr[1] - '0');
}

struct segment_names world_names(struct world *w)
{
    return (struct segment_names){ .events = w->events,
                                   .properties = w->properties,
                                   .traits = w->traits,
                                   .grow = true,
                                   .has_entry = true,
                                   .segment = number_of,
                                   .list = number_of,
                                   .topic = number_of };
}

struct segment_program world_event(struct world *w, struct dice *dice)
{
    struct segment_names   names = world_names(w);
    struct segment_program program;
    struct segment_node   *node = arena_alloc(dice->arena, sizeof *node);
    assert_non_null(node);
    for (;;) {
        const struct segment_node *random = dice_condition(dice, 1);
        if (random->kind != SEGMENT_DID)
            continue;
        *node = (struct segment_node){ .kind = SEGMENT_DID, .times_count = 1 };
        node->match = random->match;
        node->match.window = (struct segment_window){ .kind = SEGMENT_EVER };
        if (dice_roll(dice, 2) == 0)
            node->match.where = NULL;
        assert_ok(segment_compile(dice->arena, node, &names, &program, NULL));
        assert_ok(report_event_check(&program, "", NULL));
        if (dice_roll(dice, 5) == 0)
            ((struct segment_op *)program.ops)->match.event = BLOCK_ANYTHING;
        return program;
    }
}

bool world_is(const struct world *w, const struct segment_program *program,
              const struct world_event *event)
{
    struct facts          facts = { .now_ms = w->report.at_ms, .zone = w->report.zone };
    struct segment_asking asking = { program->ops, &facts };
    uint16_t              name = program->ops[0].match.event;
    bool is_named = name == BLOCK_ANYTHING ? event->name >= RUN_DEEDS : event->name == name;
    return is_named && event->at_ms <= w->report.at_ms &&
           (program->ops[0].match.where == 0 ||
            segment_where(&asking, program->ops[0].match.where, bag_at(w->view.bags, event->bag)));
}

/* ---- facts from the list */

static bool trait_of(const struct facts *facts, uint16_t key, struct facts_trait *out)
{
    struct world_facts *f = (struct world_facts *)facts->person;
    *out = (struct facts_trait){ .until_ms = TIME_NEVER };
    for (uint32_t i = f->run.count; i > 0; i--) {
        struct bag      bag = bag_at(facts->bags, f->bag[i - 1]);
        struct bag_item item;
        uint32_t        at = 0, count = 0;
        bool            listed = false;
        if (f->name[i - 1] != OWN_TRAITS)
            continue;
        while (bag_next_of(bag, &at, key, &item)) {
            f->elements[count++] = item.value;
            listed = listed || item.listed;
        }
        if (count > 0 && f->at_ms[i - 1] > facts->now_ms)
            out->until_ms = f->at_ms[i - 1];
        if (count == 0 || f->at_ms[i - 1] > facts->now_ms)
            continue;
        out->seq = f->seq[i - 1];
        out->since_ms = f->at_ms[i - 1];
        out->value = f->elements[0];
        if (listed)
            out->value = (struct json){ .kind = JSON_ARRAY, .count = count, .items = f->elements };
        return true;
    }
    return false;
}

static struct facts_member list_of(const struct facts *facts, uint32_t list)
{
    const struct world_facts *f = facts->person;
    struct json               number, joined = { .kind = JSON_NULL };
    for (uint32_t i = f->run.count; i > 0; i--) {
        struct bag bag = bag_at(facts->bags, f->bag[i - 1]);
        if (f->name[i - 1] == OWN_LIST && f->at_ms[i - 1] <= facts->now_ms &&
            bag_find(bag, OWN_KEY_LIST, &number) && number.integer == list)
            return (struct facts_member){ bag_find(bag, OWN_KEY_JOINED, &joined) && joined.truth, 0,
                                          TIME_NEVER };
    }
    return (struct facts_member){ false, 0, TIME_NEVER };
}

static struct facts_member segment_of(const struct facts *facts, uint32_t segment)
{
    (void)facts;
    (void)segment;
    return (struct facts_member){ false, 0, TIME_NEVER };
}

static struct str id_of(const struct facts *facts)
{
    struct world_facts *f = (struct world_facts *)facts->person;
    snprintf(f->public_id, sizeof f->public_id, "p%u", f->person + 1);
    return str_of(f->public_id);
}

/* What the person told last, else the workspace's. */
static const struct zone *zone_of(const struct facts *facts, int64_t *until_ms)
{
    struct facts_trait told;
    *until_ms = TIME_NEVER;
    return trait_of(facts, PLACE_TIMEZONE, &told) ? zone_find(facts->zones, told.value.string)
                                                  : facts->zone;
}

/* The last word about that topic or all, by that channel or all. */
static struct facts_consent consent_of(const struct facts *facts, uint32_t topic,
                                       struct str channel)
{
    const struct world_facts *f = facts->person;
    for (uint32_t i = f->run.count; i > 0; i--) {
        struct bag  bag = bag_at(facts->bags, f->bag[i - 1]);
        struct json about, by, state;
        if (f->name[i - 1] != OWN_CONSENT || f->at_ms[i - 1] > facts->now_ms ||
            !bag_find(bag, OWN_KEY_TOPIC, &about) || !bag_find(bag, OWN_KEY_STATE, &state) ||
            (about.integer != 0 && about.integer != topic) ||
            (bag_find(bag, OWN_KEY_CHANNEL, &by) && !str_eq(by.string, channel)))
            continue;
        return (struct facts_consent){ str_eq(state.string, STR("granted")) ? FACTS_CONSENT_GRANTED
                                                                            : FACTS_CONSENT_REFUSED,
                                       0, TIME_NEVER };
    }
    return (struct facts_consent){ FACTS_CONSENT_UNKNOWN, 0, TIME_NEVER };
}

static const struct facts_ops ops = { .trait = trait_of,
                                      .in_list = list_of,
                                      .in_segment = segment_of,
                                      .public_id = id_of,
                                      .zone = zone_of,
                                      .consent = consent_of };

void world_facts(struct world_facts *f, const struct world *w, uint32_t person, int64_t at_ms)
{
    uint32_t from = w->from[person], count = w->from[person + 1] - from;
    for (uint32_t i = 0; i < count; i++) {
        const struct world_event *e = &w->list[from + i];
        f->name[i] = e->name;
        f->at_ms[i] = e->at_ms;
        f->seq[i] = e->seq;
        f->bag[i] = e->bag;
    }
    f->world = w;
    f->person = person;
    f->run = (struct run){ f->name, f->at_ms, f->seq, f->bag, count };
    f->facts = (struct facts){ .now_ms = at_ms,
                               .seq_max = UINT32_MAX,
                               .runs = &f->run,
                               .runs_count = 1,
                               .bags = w->view.bags,
                               .zone = w->report.zone,
                               .zones = w->report.zones,
                               .person = f,
                               .ops = &ops };
}

bool world_is_there(const struct world *w, uint32_t person, int64_t at_ms)
{
    uint32_t from = w->from[person], member = person;
    do
        if (w->arrived_ms[member] <= at_ms)
            return true;
    while ((member = w->next[member]) != person);
    return from < w->from[person + 1] && w->list[from].at_ms <= at_ms;
}

bool world_is_asked(const struct world *w, uint32_t person)
{
    return w->root[person] == person && world_is_there(w, person, w->report.at_ms) &&
           (w->report.among == NULL || report_bit(w->report.among, person));
}

/* ---- playing */

void world_play(const char *what, world_play_one *play, uint64_t at_least)
{
    static struct world w;
    uint64_t            seed = dice_seed(what), compared = 0;
    struct arena       *arena = arena_open((size_t)64 << 20);
    bool                ok = true;
    world_open(&w);
    for (uint64_t round = 0; ok && compared < at_least; round++) {
        struct dice dice = {
            .state = hash_u64(round, seed), .arena = arena, .base_ms = w.base_ms, .more = WORLD_ASKS
        };
        world_roll(&w, &dice);
        ok = play(&w, &dice, &compared);
        if (!ok)
            print_error("  round %llu\n", (unsigned long long)round);
        arena_reset(arena);
    }
    printf("  %llu compared\n", (unsigned long long)compared);
    arena_close(arena);
    world_done(&w);
    assert_true(ok);
}

uint32_t world_parts(struct world *w, struct dice *dice)
{
    w->parts = 1 + dice_roll(dice, 4);
    return w->parts;
}

struct report_range world_part(const struct world *w, uint32_t part)
{
    return report_part(&w->report, part, w->parts);
}

struct json world_value(const struct world *w, struct groups_by by, uint32_t person, uint32_t bag)
{
    static struct world_facts facts;
    struct facts_trait        trait;
    struct json               value = { .kind = JSON_NULL };
    if (by.of == GROUPS_OF_PROPERTY) {
        (void)bag_find(bag_at(w->view.bags, bag), by.key, &value);
        return value;
    }
    world_facts(&facts, w, person, w->report.at_ms);
    if (!trait_of(&facts.facts, by.key, &trait))
        return value;
    return trait.value.kind == JSON_ARRAY ? trait.value.items[0] : trait.value;
}

struct groups_by world_by(struct world *w, struct dice *dice, const struct segment_program *event,
                          int64_t from_ms, int64_t to_ms)
{
    struct groups         *all = groups_open();
    struct groups_question q = { .event = event, .from_ms = from_ms, .to_ms = to_ms };
    if (dice_roll(dice, 3) == 0) {
        groups_close(all);
        return q.by;
    }
    bool is_trait = dice_roll(dice, 2) == 0;
    q.by.of = is_trait ? GROUPS_OF_TRAIT : GROUPS_OF_PROPERTY;
    assert_ok(dict_intern(is_trait ? w->traits : w->properties,
                          is_trait ? STR("country") : STR("n"), &q.by.key));
    for (uint32_t part = 0; part < w->parts; part++) {
        struct groups *groups = groups_open();
        assert_ok(groups_gather(groups, &w->report, &q, world_part(w, part)));
        assert_ok(groups_add(all, groups));
        groups_close(groups);
    }
    assert_ok(groups_keep(all, dice_roll(dice, 5)));
    q.by.groups = all;
    return q.by;
}

void world_by_done(struct groups_by by)
{
    groups_close((struct groups *)by.groups);
}
