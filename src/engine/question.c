/* Questions to the engine: they change nothing. */
#include "engine/inside.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/behaviour/edition.h"

enum { TRAIT_KEYS_MAX = 4096 };

const struct people *engine_people(const struct engine *engine)
{
    return engine->people;
}

struct program *engine_program(struct engine *engine)
{
    return engine->program;
}

struct timeline *engine_timeline(struct engine *engine)
{
    return engine->timeline;
}

struct edition *engine_edition(struct engine *engine)
{
    struct rings *rings = people_rings(engine->people);
    struct moment moment = { .seq = (uint32_t)engine->seq,
                             .profiles = people_count(engine->people),
                             .now_ms = engine->now_ms,
                             .arrivals = people_arrivals(engine->people) };
    return rings == NULL ? NULL : edition_make(engine->timeline, rings, moment);
}

struct str engine_public_id(char out[16], uint32_t profile)
{
    int len = snprintf(out, 16, "p%u", profile + 1);
    return (struct str){ out, (size_t)len };
}

uint32_t engine_find(const struct engine *engine, struct str who)
{
    uint32_t found = PROFILE_NONE;
    int64_t  number;
    if (str_is_empty(who) || who.len > IDENTITY_BYTES_MAX)
        return PROFILE_NONE;
    found = people_find(engine->people, IDENTITY_USER, who);
    if (found == PROFILE_NONE && str_starts(who, STR("anonymous:")))
        found = people_find(engine->people, IDENTITY_ANONYMOUS, str_slice(who, 10, who.len));
    if (found == PROFILE_NONE)
        found = people_find(engine->people, IDENTITY_EXTERNAL, who);
    if (found == PROFILE_NONE)
        found = people_find(engine->people, IDENTITY_ANONYMOUS, who);
    if (found == PROFILE_NONE && who.ptr[0] == 'p' &&
        str_to_int(str_slice(who, 1, who.len), &number) == OK && number >= 1 &&
        number <= UINT32_MAX && !people_is_nobody(engine->people, (uint32_t)(number - 1)))
        found = (uint32_t)number - 1;
    return found;
}

struct verdict engine_ask(const struct engine *engine, const struct segment_program *program,
                          uint32_t person, int64_t at_ms)
{
    struct known known;
    known_make(&known, engine, people_root(engine->people, person), at_ms);
    return segment_eval(program, &known.facts);
}

struct segment_since engine_since(const struct engine *engine, uint32_t person, uint32_t segment,
                                  int64_t *reads)
{
    const struct segment_def *def = &engine->program->segments.items[segment];
    struct known              known;
    if (def->arena == NULL)
        return (struct segment_since){ FACTS_SINCE_UNKNOWN, false };
    known_make(&known, engine, people_root(engine->people, person), engine->now_ms);
    return segment_since(&def->program, &known.facts, reads);
}

void engine_explain(const struct engine *engine, const struct segment_program *program,
                    const struct segment_node *tree, uint32_t person, int64_t at_ms,
                    struct buf *out)
{
    struct known known;
    known_make(&known, engine, people_root(engine->people, person), at_ms);
    segment_explain(program, tree, &known.facts, out);
}

/* A person is known at a moment if any record of theirs had come, or happened, by then. */
static bool exists_at(const struct known *known, uint32_t person)
{
    const struct people *people = known->engine->people;
    uint32_t             member = person;
    do
        if (people_arrived_ms(people, member) <= known->facts.now_ms)
            return true;
    while ((member = people_get(people, member)->next) != person);
    for (uint32_t i = 0; i < known->facts.runs_count; i++)
        if (known->runs[i].count > 0 && known->runs[i].at_ms[0] <= known->facts.now_ms)
            return true;
    return false;
}

bool engine_count(const struct engine *engine, const struct segment_program *program, int64_t at_ms,
                  uint32_t *cursor, uint32_t most, struct count *count)
{
    uint32_t     all = people_count(engine->people);
    uint32_t     end = all - *cursor > most ? *cursor + most : all;
    struct known known;
    for (uint32_t p = *cursor; p < end; p++) {
        if (people_root(engine->people, p) != p || people_is_nobody(engine->people, p))
            continue;
        known_make(&known, engine, p, at_ms);
        if (!exists_at(&known, p))
            continue;
        count->people++;
        if (!segment_eval(program, &known.facts).holds)
            continue;
        count->matching++;
        if (count->sample_count < count->sample_room)
            count->sample[count->sample_count++] = p;
    }
    *cursor = end;
    return end == all;
}

/* ---- traits ---- */

struct trait_set {
    int64_t  at_ms;
    uint32_t seq, bag;
};

static int newest_first(const void *a, const void *b)
{
    const struct trait_set *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms > y->at_ms ? -1 : 1;
    return x->seq > y->seq ? -1 : x->seq < y->seq;
}

enum { TRAIT_SETS_MAX = 1024 };

/* The latest identify calls, newest first. */
static uint32_t trait_sets(const struct known *known, struct trait_set *sets)
{
    uint32_t count = 0;
    for (uint32_t r = 0; r < known->facts.runs_count; r++) {
        const struct run *run = &known->runs[r];
        for (uint32_t i = run->count; i > 0 && count < TRAIT_SETS_MAX; i--)
            if (run->name[i - 1] == OWN_TRAITS && run->at_ms[i - 1] <= known->facts.now_ms)
                sets[count++] =
                    (struct trait_set){ run->at_ms[i - 1], run->seq[i - 1], run->bag[i - 1] };
    }
    qsort(sets, count, sizeof *sets, newest_first);
    return count;
}

static bool seen_add(uint16_t *seen, uint32_t *count, uint16_t key)
{
    for (uint32_t i = 0; i < *count; i++)
        if (seen[i] == key)
            return false;
    if (*count < TRAIT_KEYS_MAX)
        seen[(*count)++] = key;
    return true;
}

uint32_t engine_trait_seqs(const struct engine *engine, uint32_t person, uint32_t *seqs,
                           uint32_t most)
{
    struct known     known;
    struct trait_set sets[TRAIT_SETS_MAX];
    uint16_t         seen[TRAIT_KEYS_MAX];
    uint32_t         keys = 0, count = 0;
    known_make(&known, engine, people_root(engine->people, person), engine->now_ms);
    uint32_t all = trait_sets(&known, sets);
    for (uint32_t i = 0; i < all && count < most; i++) {
        uint32_t        at = 0;
        struct bag_item item;
        bool            adds = false;
        struct bag      bag = bag_at(known.facts.bags, sets[i].bag);
        while (bag_next(bag, &at, &item))
            if (seen_add(seen, &keys, item.key))
                adds = true;
        if (adds)
            seqs[count++] = sets[i].seq;
    }
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t other = seqs[i];
        seqs[i] = seqs[count - 1 - i];
        seqs[count - 1 - i] = other;
    }
    return count;
}

static void trait_write(const struct program *program, struct bag bag, uint16_t key,
                        struct buf *out)
{
    uint32_t        at = 0, count = 0;
    struct bag_item item;
    json_write_str(out, program_name(program, NAME_TRAIT, key));
    buf_char(out, ':');
    while (bag_next_of(bag, &at, key, &item)) {
        if (item.listed)
            buf_char(out, count == 0 ? '[' : ',');
        json_write(out, &item.value);
        count++;
        if (!item.listed)
            return;
    }
    buf_char(out, ']');
}

void engine_traits_write(const struct engine *engine, uint32_t person, struct buf *out)
{
    struct known     known;
    struct trait_set sets[TRAIT_SETS_MAX];
    uint16_t         seen[TRAIT_KEYS_MAX];
    uint32_t         keys = 0;
    bool             first = true;
    known_make(&known, engine, people_root(engine->people, person), engine->now_ms);
    uint32_t all = trait_sets(&known, sets);
    buf_char(out, '{');
    for (uint32_t i = 0; i < all; i++) {
        uint32_t        at = 0;
        struct bag_item item;
        struct bag      bag = bag_at(known.facts.bags, sets[i].bag);
        while (bag_next(bag, &at, &item)) {
            if (!seen_add(seen, &keys, item.key))
                continue;
            if (!first)
                buf_char(out, ',');
            first = false;
            trait_write(engine->program, bag, item.key, out);
        }
    }
    buf_char(out, '}');
}

/* ---- traits that nobody told ---- */

enum {
    COMPUTED_VALUE_BYTES_MAX = 1024, /* a longer one is left out */
    TOLD_PEOPLE_MAX = 10000,
};

struct writing {
    struct buf *out;
    size_t      begin, bytes_max;
    bool        first;
};

/* One value under its name, where it fits; what opens a group goes before its first. */
static void computed_write_one(struct writing *w, struct str opening, struct str name,
                               const struct json *value)
{
    SCOPED(buf_donep) struct buf text = buf_make(COMPUTED_VALUE_BYTES_MAX);
    json_write_str(&text, name);
    buf_char(&text, ':');
    json_write(&text, value);
    size_t much = buf_view(w->out).len - w->begin + opening.len + buf_view(&text).len + 3;
    if (buf_err(&text) != OK || much > w->bytes_max)
        return;
    if (!w->first)
        buf_char(w->out, ',');
    w->first = false;
    buf_str(w->out, opening);
    buf_str(w->out, buf_view(&text));
}

/* The scores are one object, "scores", so that a template asks for person.scores.NAME. */
static void computed_write_kind(const struct program *program, const struct facts *facts,
                                bool scores, struct writing *w)
{
    bool    is_open = false;
    int64_t until_ms;
    for (uint32_t i = 0; i < program->computed.count; i++) {
        const struct computed_def *def = &program->computed.items[i];
        struct json                value;
        if (def->arena == NULL)
            continue;
        struct str name = program_name(program, NAME_TRAIT, def->trait);
        if (str_starts(name, SEGMENT_SCORE_PREFIX) != scores ||
            !segment_value(&def->program, facts, &value, &until_ms))
            continue;
        size_t before = buf_view(w->out).len;
        if (scores)
            name = str_slice(name, SEGMENT_SCORE_PREFIX.len, name.len);
        computed_write_one(w, scores && !is_open ? STR("\"scores\":{") : STR_NONE, name, &value);
        is_open = is_open || (scores && buf_view(w->out).len > before);
    }
    if (is_open)
        buf_char(w->out, '}');
}

void engine_computed_write(const struct engine *engine, uint32_t person, size_t bytes_max,
                           struct buf *out)
{
    struct known   known;
    struct writing w = { out, buf_view(out).len, bytes_max, true };
    known_make(&known, engine, people_root(engine->people, person), engine->now_ms);
    buf_char(out, '{');
    computed_write_kind(engine->program, &known.facts, true, &w);
    computed_write_kind(engine->program, &known.facts, false, &w);
    buf_char(out, '}');
}

void engine_derived_write(const struct engine *engine, uint32_t person, struct buf *out)
{
    struct known known;
    bool         first = true;
    known_make(&known, engine, people_root(engine->people, person), engine->now_ms);
    buf_char(out, '{');
    for (int trait = 0; trait < PLACE_DERIVED; trait++) {
        struct facts_trait known_as;
        bool               inner = true;
        enum place_origin  origin = known_place(&known.facts, (enum place_trait)trait, &known_as);
        if (origin == PLACE_UNKNOWN || origin == PLACE_FROM_TRAIT)
            continue; /* what was told is among the traits */
        json_write_key(out, &first, place_trait_name((enum place_trait)trait));
        buf_char(out, '{');
        json_write_key(out, &inner, "value");
        json_write(out, &known_as.value);
        json_write_key(out, &inner, "from");
        json_write_str(out, str_of(place_origin_word(origin)));
        buf_char(out, '}');
    }
    buf_char(out, '}');
}

struct str engine_language(const struct engine *engine, uint32_t person)
{
    struct known       known;
    struct facts_trait language;
    known_make(&known, engine, people_root(engine->people, person), engine->now_ms);
    bool is_known = known_place(&known.facts, PLACE_LANGUAGE, &language) != PLACE_UNKNOWN &&
                    language.value.kind == JSON_STRING;
    return is_known ? language.value.string : STR_NONE;
}

/* The number stands as text where delivery told it. */
static bool names_message(struct bag bag, uint16_t key, uint64_t message)
{
    struct json value;
    int64_t     number;
    if (!bag_find(bag, key, &value))
        return false;
    if (value.kind == JSON_INT)
        return (uint64_t)value.integer == message;
    return value.kind == JSON_STRING && str_to_int(value.string, &number) == OK &&
           (uint64_t)number == message;
}

int64_t engine_message_sent_ms(const struct engine *engine, uint32_t profile, uint64_t message)
{
    struct known known;
    uint16_t     key = dict_find(engine->program->names[NAME_PROPERTY], STR("message"));
    if (people_is_nobody(engine->people, profile))
        return INT64_MIN;
    uint32_t            person = people_root(engine->people, profile);
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].id == message &&
            state->rare->messages.items[i].state == MESSAGE_SENDING)
            return INT64_MAX;
    known_make(&known, engine, person, engine->now_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++)
        for (uint32_t i = known.runs[r].count;
             (i = run_name_last(&known.runs[r], i, OWN_MESSAGE_SENT)) > 0; i--)
            if (names_message(bag_at(known.facts.bags, known.runs[r].bag[i - 1]), key, message))
                return known.runs[r].at_ms[i - 1];
    return INT64_MIN;
}

/* A trait that is told is told of many: the first ten thousand people show it, in milliseconds. */
bool engine_trait_is_told(const struct engine *engine, struct str name)
{
    uint16_t           key = dict_find(engine->program->names[NAME_TRAIT], name);
    struct facts_trait trait;
    struct known       known;
    uint32_t           all = people_count(engine->people);
    uint32_t           most = all < TOLD_PEOPLE_MAX ? all : TOLD_PEOPLE_MAX;
    for (uint32_t p = 0; key != DICT_NONE && p < most; p++) {
        if (people_root(engine->people, p) != p)
            continue;
        known_make(&known, engine, p, engine->now_ms);
        if (known.facts.ops->trait(&known.facts, key, &trait))
            return true;
    }
    return false;
}

/* ---- the timeline ---- */

static bool later(const struct run *a, uint32_t i, const struct run *b, uint32_t k)
{
    return a->at_ms[i] != b->at_ms[k] ? a->at_ms[i] > b->at_ms[k] : a->seq[i] > b->seq[k];
}

uint32_t engine_events(const struct engine *engine, uint32_t person, uint32_t skip,
                       struct event_ref *refs, uint32_t most)
{
    struct run runs[RUNS_MAX];
    uint32_t   owner[RUNS_MAX], left[RUNS_MAX], runs_count = 0, count = 0;
    uint32_t   member = people_root(engine->people, person), root = member;
    do {
        uint32_t added = timeline_runs(engine->timeline, member, runs + runs_count);
        for (uint32_t i = 0; i < added; i++, runs_count++) {
            owner[runs_count] = member;
            left[runs_count] = runs[runs_count].count;
        }
        member = people_get(engine->people, member)->next;
    } while (member != root && runs_count + TIMELINE_RUNS_MAX <= RUNS_MAX);

    while (count < most) {
        uint32_t best = RUNS_MAX;
        for (uint32_t r = 0; r < runs_count; r++)
            if (left[r] > 0 &&
                (best == RUNS_MAX || later(&runs[r], left[r] - 1, &runs[best], left[best] - 1)))
                best = r;
        if (best == RUNS_MAX)
            break;
        uint32_t i = --left[best];
        if (own_is_hidden(runs[best].name[i]))
            continue;
        if (skip > 0)
            skip--;
        else
            refs[count++] =
                (struct event_ref){ runs[best].seq[i], owner[best], runs[best].at_ms[i] };
    }
    return count;
}

static bool is_of_message(uint16_t name)
{
    return name >= OWN_MESSAGE_BOUNCED && name <= OWN_MESSAGE_DELIVERED;
}

uint32_t engine_message_events(const struct engine *engine, uint32_t person, uint64_t seq,
                               uint64_t *seqs, uint32_t most)
{
    struct known known;
    uint32_t     count = 0;
    known_make(&known, engine, people_root(engine->people, person), engine->now_ms);
    for (uint32_t r = 0; r < known.facts.runs_count; r++) {
        const struct run *run = &known.facts.runs[r];
        for (uint32_t i = run->count; i > 0 && count < most; i--)
            if (run->seq[i - 1] > seq && is_of_message(run->name[i - 1]))
                seqs[count++] = run->seq[i - 1];
    }
    return count;
}

struct engine_stats engine_stats(const struct engine *engine)
{
    return (struct engine_stats){
        .profiles = people_count(engine->people),
        .events = timeline_count(engine->timeline),
        .decisions = engine->next_decision - 1,
        .timers = calendar_count(engine->wakes),
        .queued = engine->queued,
        .sending = engine->sending,
        .parked = engine->parked,
        .memberships_changed = engine->memberships_changed,
        .enrolled = engine->enrolled,
        .jobs_left = engine->jobs.count,
        .timeline = timeline_sizes(engine->timeline),
    };
}
