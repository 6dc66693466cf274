/*
 * Journeys beside a naive twin: drawn at random, told to both, and both say the same.
 */
#include "engine/journey_life_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hash.h"
#include "base/test.h"
#include "engine/segment/segment_key.h"

#define T0 INT64_C(1767225600000)

enum { LIVES = 60, RECORDS = 150, LINES_MAX = 4000 };

/* ---- the engine's side ---- */

struct life {
    struct engine *engine;
    struct arena  *arena;
    struct out     out;
    uint64_t       random;
    int64_t        now_ms;
    struct twin    twin;
    bool           has_goals;
    bool           has_calendar; /* its journeys begin by dates and schedules, too, and for some */
    bool           is_keyed;     /* the journey that is drawn now has a key */
    bool           is_swift;     /* its journeys only change things, and go round */
    struct buf     log;
    size_t         logged;
    uint64_t       reached, records;
};

static uint32_t draw(struct life *life, uint32_t below)
{
    life->random = hash_u64(life->random, 99);
    return (uint32_t)(life->random >> 20) % below;
}

static enum err tell(struct life *life, struct record record)
{
    life->records++;
    record.seq = engine_seq(life->engine) + 1;
    record.received_ms = life->now_ms;
    if (record.at_ms == 0)
        record.at_ms = life->now_ms;
    return engine_apply(life->engine, &record, &life->out, NULL);
}

static enum err define(struct life *life, enum definition_kind kind, const char *name,
                       struct str text)
{
    return tell(life, (struct record){ .kind = RECORD_DEFINE,
                                       .definition_kind = kind,
                                       .name = str_of(name),
                                       .body = text });
}

/* Which journey an enrollment is of: its ENROLLED decision says so. */
static int journey_of(const struct life *life, uint64_t enrollment)
{
    for (size_t i = 0; i < life->out.decisions_count; i++)
        if (life->out.decisions[i].id == enrollment)
            return (int)life->out.decisions[i].subject;
    return -1;
}

static void engine_log(struct life *life)
{
    for (; life->logged < life->out.decisions_count; life->logged++) {
        const struct decision *d = &life->out.decisions[life->logged];
        long long              at = (long long)d->at_ms;
        if (d->kind == DECISION_ENROLLED)
            buf_format(&life->log, "%u enters %d at %lld\n", d->profile, (int)d->subject, at);
        if (d->kind == DECISION_HELD_OUT)
            buf_format(&life->log, "%u is held out of %d at %lld\n", d->profile, (int)d->subject,
                       at);
        if (d->kind == DECISION_GOAL)
            buf_format(&life->log, "%u reaches %d at %lld%s\n", d->profile,
                       journey_of(life, d->subject), at, d->is_held ? ", held out" : "");
        if (d->kind == DECISION_UNREACHED)
            buf_format(&life->log, "%u misses %d at %lld: %.*s\n", d->profile,
                       journey_of(life, d->subject), at, STR_ARG(d->text));
        if (d->kind == DECISION_GOAL)
            life->reached++;
        if (d->kind == DECISION_STEP && d->text.len > 0)
            buf_format(&life->log, "%u takes %.*s at %u.%u at %lld\n", d->profile, STR_ARG(d->text),
                       d->journey, d->object, at);
        if (d->kind == DECISION_INTENT)
            buf_format(&life->log, "%u letter of %u.%u at %lld\n", d->profile, d->journey,
                       d->object, at);
        if (d->kind == DECISION_ENDED)
            buf_format(&life->log, "%u leaves %d at %lld: %.*s\n", d->profile,
                       journey_of(life, d->subject), at, STR_ARG(d->text));
    }
}

/* One in three asks for the key, where there is one. */
static uint32_t condition_drawn(struct life *life)
{
    return life->is_keyed && draw(life, 3) == 0 ? TWIN_CONDITIONS : draw(life, TWIN_CONDITIONS);
}

static void condition_random(struct life *life, const char *key, struct buf *text)
{
    buf_format(text, "\"%s\":", key);
    json_write_str(text, str_of(twin_conditions[condition_drawn(life)]));
}

static void split_random(struct life *life, uint32_t nodes, struct buf *text)
{
    uint32_t count = 1 + draw(life, 3), left = 100;
    bool     shares = draw(life, 2) == 0;
    buf_str(text, STR("\"split\":["));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t share = i + 1 == count ? left : 1 + draw(life, left - (count - i - 1));
        buf_str(text, i > 0 ? STR(",{") : STR("{"));
        if (shares)
            buf_format(text, "\"share\":%u", share);
        else
            condition_random(life, "if", text);
        buf_format(text, ",\"next\":\"n%u\"}", draw(life, nodes));
        left -= share;
    }
    buf_char(text, ']');
    if (!shares)
        buf_format(text, ",\"else\":\"n%u\"", draw(life, nodes));
}

/* Names are shared, so that journeys deal the same people alike. */
static void variants_random(struct life *life, uint32_t nodes, struct buf *text)
{
    uint32_t count = 2 + draw(life, 7), left = 100;
    bool     shares = draw(life, 2) == 0;
    buf_str(text, STR("\"variants\":["));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t share = i + 1 == count ? left : 1 + draw(life, left - (count - i - 1));
        buf_format(text, "%s{\"name\":\"v%u\"", i > 0 ? "," : "", i);
        if (shares)
            buf_format(text, ",\"share\":%u", share);
        if (draw(life, 4) > 0)
            buf_format(text, ",\"next\":\"n%u\"", draw(life, nodes));
        buf_char(text, '}');
        left -= share;
    }
    buf_char(text, ']');
    if (draw(life, 2) == 0)
        buf_format(text, ",\"experiment\":\"x%u\"", draw(life, 2));
}

static void wait_for_random(struct life *life, uint32_t nodes, struct buf *text)
{
    if (draw(life, 2) == 0)
        buf_format(text, "\"wait_for\":{\"event\":\"%c\"%s}", (char)('A' + draw(life, 3)),
                   life->is_keyed && draw(life, 2) == 0 ? ",\"where\":\"k is the key\"" : "");
    else
        condition_random(life, "wait_for", text);
    buf_format(text, ",\"within\":\"%u hours\",\"yes\":\"n%u\",\"timeout\":\"n%u\"",
               1 + draw(life, 90), draw(life, nodes), draw(life, nodes));
}

static void wait_until_random(struct life *life, uint32_t nodes, struct buf *text)
{
    uint32_t until = draw(life, twin_untils);
    buf_format(text, "\"wait_until\":\"%.*s\"", STR_ARG(twin_until_text(until)));
    if (twin_until_is_date(until) && draw(life, 2) == 0)
        buf_format(text, ",\"else\":\"n%u\"", draw(life, nodes));
}

/* Another journey is an earlier one: the later are not there yet. */
static void change_random(struct life *life, int number, struct buf *text)
{
    uint32_t kind = life->is_swift && draw(life, 2) == 0 ? 2 : draw(life, number > 0 ? 7 : 6);
    if (kind < 2)
        buf_format(text, "\"set\":{\"plan\":\"%s\"}", draw(life, 2) ? "pro" : "free");
    else if (kind < 4)
        buf_format(text, "\"record\":{\"event\":\"%c\"}", (char)('A' + draw(life, 3)));
    else if (kind == 4)
        buf_format(text, "\"%s_list\":\"news\"", draw(life, 2) ? "join" : "leave");
    else if (kind == 5 && draw(life, 3) == 0)
        buf_str(text, STR("\"consent\":{\"state\":\"unsubscribed\"}"));
    else if (kind == 5)
        buf_str(text, STR("\"leave_list\":\"news\""));
    else
        buf_format(text, "\"start_journey\":\"j%u\"", draw(life, (uint32_t)number));
}

static void node_random(struct life *life, int number, uint32_t nodes, struct buf *text)
{
    switch (life->is_swift ? 12 + draw(life, 3) : draw(life, 18)) {
    case 16:
    case 17:
        variants_random(life, nodes, text);
        break;
    case 12:
    case 13:
    case 14:
        if (life->has_goals && draw(life, 2) == 0)
            variants_random(life, nodes, text);
        else
            change_random(life, number, text);
        break;
    case 0:
    case 1:
        buf_str(text, STR("\"email\":\"letter\""));
        break;
    case 2:
    case 3:
        buf_format(text, "\"wait\":\"%u hours\"", 1 + draw(life, 60));
        break;
    case 4:
        buf_str(text, STR("\"exit\":true"));
        break;
    case 5:
    case 6:
    case 7:
        wait_until_random(life, nodes, text);
        break;
    case 8:
    case 9:
        wait_for_random(life, nodes, text);
        break;
    case 10:
        split_random(life, nodes, text);
        break;
    default:
        condition_random(life, "split", text);
        buf_format(text, ",\"yes\":\"n%u\",\"no\":\"n%u\"", draw(life, nodes), draw(life, nodes));
    }
}

/* Those of the waits that a journey may begin by. */
static void calendar_random(struct life *life, struct buf *text)
{
    static const char *const times[] = { "10:00", "02:30", "monday 09:30", "weekday 23:30" };
    static const char *const dates[] = { "ends", "2 days before ends",
                                         "3 days before ends at 08:00",
                                         "1 day after ends at 02:30" };
    if (draw(life, 2) == 0)
        buf_format(text, "\"trigger\":{\"date\":\"%s\"},", dates[draw(life, 4)]);
    else
        buf_format(text, "\"trigger\":{\"schedule\":\"%s\",\"segment\":\"s%u\"},",
                   times[draw(life, 4)], draw(life, TWIN_SEGMENTS));
}

static void audience_random(struct life *life, struct buf *text)
{
    buf_str(text, STR("\"audience\":"));
    json_write_str(text, str_of(twin_conditions[draw(life, 2)]));
    buf_str(text, draw(life, 2) == 0 ? STR(",\"audience_at\":\"each step\",") : STR(","));
}

/* An earlier journey's end begins a later one. */
static void trigger_random(struct life *life, int number, struct buf *text)
{
    static const char *const triggers[] = {
        "\"event\":\"A\"",         "\"event\":\"B\"",         "\"event\":\"C\"",
        "\"segment\":\"s0\"",      "\"segment\":\"s1\"",      "\"segment\":\"s2\"",
        "\"left_segment\":\"s0\"", "\"left_segment\":\"s1\"", "\"left_segment\":\"s2\"",
        "\"list\":\"news\"",       "\"left_list\":\"news\"",
    };
    enum { TRIGGERS = sizeof triggers / sizeof triggers[0] };
    if (life->has_calendar && !life->is_keyed && draw(life, 2) == 0)
        calendar_random(life, text);
    else if (life->is_keyed)
        buf_format(text, "\"trigger\":{%s,\"key\":\"k\"},", triggers[draw(life, 3)]);
    else if (life->is_swift)
        buf_format(text, "\"trigger\":{%s},", triggers[draw(life, 3)]);
    else if (number > 0 && draw(life, 4) == 0)
        buf_format(text, "\"trigger\":{\"%s_journey\":\"j%u\"},",
                   draw(life, 2) ? "finished" : "left", draw(life, (uint32_t)number));
    else
        buf_format(text, "\"trigger\":{%s},", triggers[draw(life, TRIGGERS)]);
}

static void goal_random(struct life *life, struct buf *text)
{
    if (draw(life, 3) == 0)
        buf_format(text, "\"holdout\":{\"share\":%u%s},", 10 + draw(life, 41),
                   draw(life, 3) == 0 ? ",\"name\":\"all\"" : "");
    if (draw(life, 2) == 0)
        return;
    buf_format(text, "\"goal\":{\"within\":\"%u hours\",", 1 + draw(life, 200));
    condition_random(life, "condition", text);
    buf_str(text, STR("},"));
    if (draw(life, 2) == 0)
        buf_format(text, "\"exit_on_goal\":%s,", draw(life, 2) ? "true" : "false");
}

static struct str journey_random(struct life *life, int number)
{
    static const char *const reentries[] = { "once", "always", "after 30 hours" };
    struct buf               text = buf_make(1 << 16);
    uint32_t nodes = 1 + draw(life, 6), reentry = life->is_swift ? 1 : draw(life, 3);
    life->is_keyed = draw(life, 3) == 0;
    buf_format(&text, "{\"journey\":\"j%d\",\"reentry\":\"%s\",", number, reentries[reentry]);
    if ((life->is_keyed || reentry > 0) && !life->is_swift && draw(life, 3) == 0)
        buf_format(&text, "\"at_once\":%u,", 1 + draw(life, 3));
    trigger_random(life, number, &text);
    if (life->has_calendar && draw(life, 2) == 0)
        audience_random(life, &text);
    if (!life->is_swift && draw(life, 2) == 0) {
        buf_str(&text, STR("\"exit_when\":"));
        json_write_str(&text, str_of(twin_conditions[condition_drawn(life)]));
        buf_char(&text, ',');
    }
    if (life->has_goals)
        goal_random(life, &text);
    buf_str(&text, STR("\"nodes\":["));
    for (uint32_t i = 0; i < nodes; i++) {
        buf_format(&text, "%s{\"id\":\"n%u\",", i > 0 ? "," : "", i);
        node_random(life, number, nodes, &text);
        if (draw(life, 5) == 0)
            buf_format(&text, ",\"next\":\"n%u\"", draw(life, nodes));
        buf_char(&text, '}');
    }
    buf_str(&text, STR("]}"));
    struct str kept = str_copy(life->arena, buf_view(&text));
    buf_done(&text);
    return kept;
}

static void program_random(struct life *life)
{
    struct twin *t = &life->twin;
    assert_ok(define(life, DEFINE_WORKSPACE, "workspace", STR("{\"lists\":[\"news\"]}")));
    assert_ok(define(life, DEFINE_TEMPLATE, "letter", STR("subject: s\n--- html\nx")));
    for (int s = 0; s < TWIN_SEGMENTS; s++)
        assert_ok(define(life, DEFINE_SEGMENT, twin_segments[s].name,
                         str_of(twin_conditions[twin_segments[s].condition])));
    while (t->journeys_count < TWIN_JOURNEYS) {
        char         name[8];
        struct json *root = ARENA_NEW(life->arena, struct json);
        struct str   text = journey_random(life, t->journeys_count);
        snprintf(name, sizeof name, "j%d", t->journeys_count);
        if (define(life, DEFINE_JOURNEY, name, text) != OK)
            continue; /* a circle without a wait: refused, drawn again */
        assert_ok(json_parse_once(life->arena, text, root, NULL));
        t->journeys[t->journeys_count++] = root;
    }
    assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
}

/* ---- records, told to both ---- */

static void event_both(struct life *life, int person)
{
    char               name[2] = { (char)('A' + draw(life, 3)), 0 }, user[8];
    int64_t            late_ms = draw(life, 4) == 0 ? (int64_t)draw(life, 40) * TIME_HOUR_MS : 0;
    int                k = (int)draw(life, TWIN_KEYS + 1) - 1;
    struct json_member said = { STR("k"), { .kind = JSON_INT, .integer = k } };
    struct json        properties = { .kind = JSON_OBJECT, .count = k >= 0, .members = &said };
    if (draw(life, 2) == 0) /* one and the same as a text */
        said.value =
            (struct json){ .kind = JSON_STRING, .string = str_format(life->arena, "%d", k) };
    snprintf(user, sizeof user, "u%d", person);
    assert_ok(tell(life, (struct record){ .kind = RECORD_TRACK,
                                          .user_id = str_of(user),
                                          .name = str_of(name),
                                          .properties = &properties,
                                          .at_ms = life->now_ms - late_ms }));
    twin_event(&life->twin, person, name[0], k, late_ms > LATENESS_MS_DEFAULT,
               life->now_ms - late_ms, life->now_ms);
}

/* Traits that are told, besides the plan; what is not told stays. */
static void others_tell(struct life *life, struct twin_person *p, struct buf *text)
{
    static const char *const zones[] = { "Spring", "Skip", "West", "Nowhere" };
    static const char *const ends[] = {
        "2026-01-12", "2026-01-20", "2026-01-16T13:45:00Z", "2026-02-02T00:30:00Z", "soon",
        "2026-01-25", "2024-02-29", "1996-01-10",           "2025-01-01",
    };
    if (draw(life, 3) == 0) {
        const char *zone = zones[draw(life, 4)];
        p->zone = zone_find(life->twin.zones, str_of(zone));
        buf_format(text, ",\"timezone\":\"%s\"", zone);
    }
    if (draw(life, 2) == 0) {
        p->ends = str_of(ends[draw(life, sizeof ends / sizeof ends[0])]);
        buf_format(text, ",\"ends\":\"%.*s\"", STR_ARG(p->ends));
    }
}

static void identify_both(struct life *life, int person)
{
    char                         user[8];
    struct json                 *traits = ARENA_NEW(life->arena, struct json);
    SCOPED(buf_donep) struct buf text = buf_make(1000);
    struct twin_person          *p = &life->twin.people[person];
    p->pro = draw(life, 2) == 0;
    snprintf(user, sizeof user, "u%d", person);
    buf_format(&text, "{\"email\":\"u@x.no\",\"plan\":\"%s\"", p->pro ? "pro" : "free");
    others_tell(life, p, &text);
    buf_char(&text, '}');
    assert_ok(json_parse_once(life->arena, str_copy(life->arena, buf_view(&text)), traits, NULL));
    assert_ok(tell(
        life,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = str_of(user), .properties = traits }));
    twin_traits(&life->twin, person, life->now_ms);
}

static void list_both(struct life *life, int person)
{
    bool leave = draw(life, 2) == 0;
    assert_ok(tell(life, (struct record){ .kind = RECORD_LIST,
                                          .profile = (uint32_t)person,
                                          .name = STR("news"),
                                          .flags = leave ? RECORD_LEAVE : 0 }));
    twin_list(&life->twin, person, leave, life->now_ms);
}

/* Somebody chooses a variant at a node, or takes back what was chosen. */
static void choice_both(struct life *life)
{
    struct twin       *t = &life->twin;
    uint32_t           j, n, place = draw(life, TWIN_JOURNEYS * TWIN_NODES), tries = 0;
    const struct json *nodes, *list = NULL;
    for (; list == NULL && tries < TWIN_JOURNEYS * TWIN_NODES; tries++) {
        j = place / TWIN_NODES;
        n = place % TWIN_NODES;
        nodes = json_get(t->journeys[j], STR("nodes"));
        list = n < nodes->count ? json_get(&nodes->items[n], STR("variants")) : NULL;
        place = (place + 1) % (TWIN_JOURNEYS * TWIN_NODES);
    }
    if (list == NULL)
        return;
    struct str          name = json_get_str(&nodes->items[n], STR("experiment"));
    struct twin_choice *choice = &t->choices[j][n];
    char                text[200], called[16];
    *choice = (struct twin_choice){ true, (int)draw(life, list->count + 1) - 1, life->now_ms };
    snprintf(called, sizeof called, "j%u/n%u", j, n);
    int len =
        snprintf(text, sizeof text,
                 "{\"journey\":\"j%u\",\"node\":\"n%u\",\"experiment\":\"%.*s\",\"at\":%lld", j, n,
                 STR_ARG(name.len > 0 ? name : str_of(called)), (long long)life->now_ms);
    if (choice->variant >= 0)
        len += snprintf(text + len, sizeof text - (size_t)len,
                        ",\"how\":\"by hand\",\"variant\":\"v%d\"", choice->variant);
    snprintf(text + len, sizeof text - (size_t)len, "}");
    assert_ok(define(life, DEFINE_JOURNEY_CHOICE, called, str_of(text)));
}

static void consent_both(struct life *life, int person)
{
    struct json *how = ARENA_NEW(life->arena, struct json);
    bool         granted = draw(life, 3) > 0;
    assert_ok(json_parse_once(life->arena,
                              granted ? STR("{\"state\":\"subscribed\"}")
                                      : STR("{\"state\":\"unsubscribed\"}"),
                              how, NULL));
    assert_ok(tell(
        life,
        (struct record){ .kind = RECORD_CONSENT, .profile = (uint32_t)person, .properties = how }));
    twin_consent(&life->twin, person, granted, life->now_ms);
}

/* One record claims at most `count`: a full one may have left some. */
static void claim_all(struct life *life)
{
    const uint32_t batch = 64;
    size_t         before, came;
    do {
        before = life->out.claims_count;
        assert_ok(tell(life, (struct record){ .kind = RECORD_CLAIM, .count = batch }));
        came = life->out.claims_count - before;
        assert_true(came <= batch);
    } while (came == batch);
}

/* All that may go is claimed: the refused are dropped, the rest is sent, fails or comes back. */
static void claim_both(struct life *life)
{
    struct twin *t = &life->twin;
    size_t       before = life->out.claims_count;
    uint32_t     wanted = 0;
    claim_all(life);
    for (uint32_t i = 0; i < t->letters_count; i++)
        wanted += !t->people[t->letters[i].person].refused;
    assert_int_equal(life->out.claims_count - before, wanted);
    t->letters_count = 0;
    for (size_t i = before, n = life->out.claims_count; i < n; i++) {
        struct claim claim = life->out.claims[i];
        assert_false(t->people[claim.profile].refused);
        struct record r = { .kind = RECORD_OUTCOME,
                            .profile = claim.profile,
                            .outcome = { claim.message,
                                         draw(life, 2) ? OUTCOME_SENT : OUTCOME_UNKNOWN, 0,
                                         STR("250") } };
        assert_ok(tell(life, r));
        assert_int_equal(tell(life, r), ERR_ABSENT); /* told twice, settled once */
    }
}

static int line_compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* The two tell of people in another order within an instant: the lines are compared sorted. */
static void logs_compare(struct life *life, uint64_t seed, int step)
{
    struct str lines[2][LINES_MAX], rest[2] = { buf_view(&life->log), buf_view(&life->twin.log) };
    size_t     count[2] = { 0, 0 };
    for (int k = 0; k < 2; k++) {
        while (count[k] < LINES_MAX && str_split(&rest[k], '\n', &lines[k][count[k]]))
            count[k]++;
        qsort(lines[k], count[k], sizeof lines[k][0], line_compare);
    }
    for (size_t i = 0; i < count[0] || i < count[1]; i++) {
        struct str is = i < count[0] ? lines[0][i] : STR_NONE,
                   twin = i < count[1] ? lines[1][i] : STR_NONE;
        if (str_eq(is, twin))
            continue;
        print_error("DULT_SEED=%llu step %d\nengine: %.*s\n  twin: %.*s\n",
                    (unsigned long long)seed, step, STR_ARG(is), STR_ARG(twin));
        for (int j = 0; j < life->twin.journeys_count; j++) {
            struct buf text = buf_make(1 << 16);
            json_write(&text, life->twin.journeys[j]);
            print_error("%.*s\n", STR_ARG(buf_view(&text)));
            buf_done(&text);
        }
        for (int k = 0; k < 2; k++)
            for (size_t l = 0; l < count[k]; l++)
                print_error("%s %.*s\n", k == 0 ? "engine" : "  twin", STR_ARG(lines[k][l]));
        fail();
    }
    buf_reset(&life->log);
    buf_reset(&life->twin.log);
}

static uint32_t key_number(int key)
{
    return segment_key(&(struct json){ .kind = key < 0 ? JSON_NULL : JSON_INT, .integer = key });
}

static void states_compare(struct life *life)
{
    const struct people *people = engine_people(life->engine);
    struct twin         *t = &life->twin;
    uint32_t             inside = 0;
    for (uint32_t i = 0; i < t->insides_count; i++) {
        const struct state *state = people_state_get(people, (uint32_t)t->insides[i].person);
        bool                found = false;
        for (uint32_t k = 0; k < state->rare->enrollments.count; k++) {
            const struct enrollment *e = &state->rare->enrollments.items[k];
            found = found ||
                    ((int)e->journey == t->insides[i].journey && e->node == t->insides[i].node &&
                     e->due_ms == t->insides[i].due_ms && e->is_held == t->insides[i].held &&
                     e->is_over == t->insides[i].over && e->has_goal == t->insides[i].reached &&
                     e->entered_ms == t->insides[i].entered_ms &&
                     e->key == key_number(t->insides[i].key));
        }
        if (!found) {
            const struct inside *in = &t->insides[i];
            print_error("twin: person %d journey %d node %zu due %lld entered %lld%s%s%s\n",
                        in->person, in->journey, in->node, (long long)in->due_ms,
                        (long long)in->entered_ms, in->held ? " held" : "", in->over ? " over" : "",
                        in->reached ? " reached" : "");
            for (uint32_t k = 0; k < state->rare->enrollments.count; k++) {
                const struct enrollment *e = &state->rare->enrollments.items[k];
                print_error("  is: journey %u node %u due %lld entered %lld%s%s%s\n", e->journey,
                            e->node, (long long)e->due_ms, (long long)e->entered_ms,
                            e->is_held ? " held" : "", e->is_over ? " over" : "",
                            e->has_goal ? " reached" : "");
            }
        }
        assert_true(found);
    }
    for (uint32_t p = 0; p < TWIN_PEOPLE; p++)
        inside += people_state_get(people, p)->rare->enrollments.count;
    assert_int_equal(inside, t->insides_count);
    assert_int_equal(engine_stats(life->engine).queued, t->letters_count);
    assert_int_equal(engine_stats(life->engine).parked, t->parked);
    assert_int_equal(life->out.told_count, t->told);
}

/* Clocks go forward and back, a day is left out, and one place has none of it. */
static struct zones *zones_open(void)
{
    static const struct zone_shift spring[] = { { T0 / 1000 + 9 * 86400 + 3600, 7200 },
                                                { T0 / 1000 + 23 * 86400 + 3600, 3600 } };
    static const struct zone_shift skip[] = { { T0 / 1000 + 12 * 86400 + 11 * 3600, 13 * 3600 } };
    const struct zone              list[] = { { STR("Spring"), spring, 2, 3600 },
                                              { STR("Skip"), skip, 1, -11 * 3600 },
                                              { STR("West"), NULL, 0, -5 * 3600 - 1800 } };
    struct zones                  *zones;
    assert_ok(zones_make(&zones, STR("1"), list, 3));
    return zones;
}

/* What came of it. */
struct lived {
    uint64_t enrolled, told, parked, held, reached, chosen, kept;
    uint64_t lives, records;
    int64_t  virtual_ms;
};

static void journeys_live(uint64_t seed, bool has_calendar, struct lived *lived)
{
    struct life  *life = calloc(1, sizeof *life);
    struct zones *zones = zones_open();
    life->arena = life->out.arena = arena_open(256 << 20);
    life->random = seed;
    life->has_goals = draw(life, 2) == 0;
    life->is_swift = !life->has_goals && draw(life, 3) == 0;
    life->has_calendar = has_calendar;
    life->twin.zones = zones;
    life->now_ms = life->twin.done_ms = T0;
    life->log = buf_make(1 << 20);
    life->twin.log = buf_make(1 << 20);
    assert_ok(engine_open(&life->engine, (struct engine_conf){ .seed = seed,
                                                               .next_decision = 1,
                                                               .lateness_ms = LATENESS_MS_DEFAULT,
                                                               .zones = zones }));
    program_random(life);
    for (int p = 0; p < TWIN_PEOPLE; p++)
        identify_both(life, p);
    for (int i = 0; i < (life->is_swift ? 12 : RECORDS); i++) { /* those write much */
        int person = (int)draw(life, TWIN_PEOPLE);
        life->now_ms += draw(life, 3) == 0 ? (int64_t)draw(life, 50) * TIME_HOUR_MS
                                           : (int64_t)draw(life, 9000) + 1;
        /* Half the time nobody tells the clock first: the record itself brings the person's time,
         * as far as WAKES_MAX. */
        uint32_t instants = twin_time(&life->twin, life->now_ms), kind = draw(life, 10);
        if (kind >= 9 || draw(life, 2) == 0 || instants >= WAKES_MAX / 2)
            assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
        if (kind < 6)
            event_both(life, person);
        else if (kind == 6)
            identify_both(life, person);
        else if (kind == 7)
            list_both(life, person);
        else if (kind == 8)
            consent_both(life, person);
        else
            claim_both(life);
        if (life->has_goals && draw(life, 8) == 0) {
            /* What the record made due at its very instant is lived by both before the choice. */
            assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
            (void)twin_time(&life->twin, life->now_ms++);
            choice_both(life);
        }
        assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
        (void)twin_time(&life->twin, life->now_ms);
        engine_log(life);
        logs_compare(life, seed, i);
        states_compare(life);
    }
    lived->enrolled += engine_stats(life->engine).enrolled;
    lived->told += life->twin.told;
    lived->parked += life->twin.parked;
    lived->held += life->twin.held;
    lived->reached += life->reached;
    lived->chosen += life->twin.chosen;
    lived->kept += life->twin.kept;
    lived->records += life->records;
    lived->virtual_ms += life->now_ms - T0;
    lived->lives++;
    engine_close(life->engine);
    zones_close(zones);
    buf_done(&life->log);
    buf_done(&life->twin.log);
    arena_close(life->arena);
    free(life);
}

/* How long a simulation is to be; unset: LIVES. */
static uint64_t wanted(const char *name)
{
    const char *given = getenv(name);
    return given == NULL ? 0 : strtoull(given, NULL, 0);
}

static bool is_enough(const struct lived *lived, time_t began)
{
    bool many = lived->lives >= LIVES && (lived->parked > 0 || lived->lives >= 10 * LIVES);
    return many && lived->records >= wanted("SIMULATE_RECORDS") &&
           lived->enrolled + lived->held >= wanted("SIMULATE_ENROLLMENTS") &&
           (uint64_t)(time(NULL) - began) >= wanted("SIMULATE_SECONDS");
}

TEST(journey_life, journeys_do_what_they_say_when_they_say_it)
{
    const char  *given = getenv("DULT_SEED");
    uint64_t     seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    struct lived lived = { 0 };
    time_t       began = time(NULL);
    printf("journey_life: DULT_SEED=%llu replays\n", (unsigned long long)seed);
    while (!is_enough(&lived, began))
        journeys_live(seed + lived.lives, false, &lived);
    printf("journey_life: %llu lives, %llu records, %llu enrollments, %.1f virtual years\n",
           (unsigned long long)lived.lives, (unsigned long long)lived.records,
           (unsigned long long)(lived.enrolled + lived.held),
           (double)lived.virtual_ms / (365.25 * TIME_DAY_MS));
    assert_true(lived.enrolled > LIVES * 5);
    assert_true(lived.told > LIVES * 5);
    assert_true(lived.parked > 0);
    assert_true(lived.held > LIVES && lived.reached > LIVES);
    assert_true(lived.chosen > 0 && lived.kept > 0); /* and it made a difference */
}

TEST(journey_life, journeys_begin_by_the_calendar_and_are_for_whom_they_say)
{
    const char  *given = getenv("DULT_SEED");
    uint64_t     seed = given != NULL ? strtoull(given, NULL, 0) : 20261123;
    struct lived lived = { 0 };
    while (lived.lives < LIVES)
        journeys_live(seed + lived.lives, true, &lived);
    assert_true(lived.enrolled > LIVES * 5);
}
