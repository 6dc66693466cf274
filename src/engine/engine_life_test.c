/*
 * Random lives: whatever happened, and however late, everyone's memberships are what a full
 * evaluation gives at this very instant, and no wake-up was missed on the way. In half of the lives
 * two people do nearly everything, so that their answers stand (segment_standing.h), and now and
 * then some are forgotten.
 *
 * For whatever the naive twin of conditions can be asked it says the same, given nothing but the
 * records as they were told (engine_naive_test.h): of the living engine and of a loaded one. Time
 * goes on in leaps, and now and then from one wake-up to the next, with a look just before each.
 *
 * Now and then a second engine is loaded from what a store would have (names, definitions, events,
 * decisions; perhaps a checkpoint and a snapshot of the timeline, each of another moment; perhaps
 * with newer rules of time zones). Told the same for a while, it is as true. Now and then somebody
 * is erased; what is loaded is then in half of the cases only what erasure.h leaves.
 */
#include "engine/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"
#include "engine/checkpoint.h"
#include "engine/describe.h"
#include "engine/engine_naive_test.h"
#include "engine/erasure.h"

#define T0 INT64_C(1767225600000)

enum {
    LIVES = 6,
    RECORDS = 900,
    USERS = 12,
    DEVICES = 16,
    BUSY_USERS = 2,
    CROWD_USERS = 40, /* of a life in which many do a little */
    DEFINITIONS_MAX = 400,
    ROWS_MAX = 400,
    WAKES_STEPPED = 6, /* looked at one by one */
    NAIVE_ASKED = 40,  /* pairs of a person and a segment after each record */
    TWIN_RECORDS = 25, /* told to a loaded engine before it is given up */
};

static const char *const segments[][2] = {
    { "active", "did \"Visit\" at least 2 times in the last 3 days" },
    { "buyer", "sum of revenue of \"Order\" in the last 10 days > 40" },
    { "dormant", "not did \"Visit\" in the last 5 days" },
    { "exact", "did \"Order\" exactly 2 times where revenue > 10" },
    { "norse", "country in (\"NO\", \"SE\")" },
    { "both", "in segment \"active\" and in segment \"norse\"" },
    { "lost", "in segment \"buyer\" and not in segment \"active\"" },
    { "listed", "in list \"news\" or plan = \"pro\"" },
    { "recent", "last did \"Order\" less than 2 days ago" },
    { "share", "in 30% by \"salt\" and did \"Visit\"" },
    { "spender", "sum of revenue of \"Order\" in the last 90 days > 300" },
    { "big spender", "sum of revenue of \"Order\" >= 900 and did \"Order\" where revenue > 38" },
    { "thrifty", "sum of revenue of \"Order\" in the last 4 days < 55" },
    { "round", "sum of revenue of \"Visit\" in the last 2 days where revenue > 30 = 66" },
    { "average", "average of revenue of \"Visit\" in the last 20 days > 18" },
    { "mean", "average of revenue of \"Order\" in the last 2 days <= 17" },
    { "least", "least of revenue of \"Visit\" in the last 2 days <= 2" },
    { "never less", "least of revenue of \"Order\" in the last 1 day > 4" },
    { "greatest", "greatest of revenue of \"Order\" in the last 3 days >= 39" },
    { "never more", "greatest of revenue of \"Visit\" in the last 12 hours < 30" },
    { "most", "greatest of revenue of \"Visit\" in the last 2 days = 38" },
    { "varied", "distinct count of revenue of \"Visit\" in the last 4 days >= 12" },
    { "monotone", "distinct count of items of \"Order\" in the last 1 day < 4" },
    { "few", "did \"Visit\" at most 3 times in the last 1 day where revenue > 20" },
    { "many", "did \"Visit\" at least 40 times in the last 30 days" },
    { "old", "did \"Order\" at least 9 times not in the last 10 days" },
    { "old sum", "sum of revenue of \"Order\" not in the last 12 days > 250" },
    { "times", "did \"Visit\" exactly 4 times in the last 1 day" },
    { "ever", "did \"Other\" exactly 7 times where revenue > 33" },
    { "January", "did \"Visit\" at least 20 times between 2026-01-03 and 2026-01-09" },
    { "first", "first did \"Order\" more than 3 days ago where revenue > 36" },
    { "last", "last did \"Visit\" less than 1 day ago where revenue > 36" },
    { "gone", "last did \"Order\" more than 2 days ago where revenue > 30" },
    { "then", "did \"Visit\" in the last 2 days then \"Order\" where revenue > 36 within 2 hours" },
    { "then no",
      "did \"Order\" in the last 2 days then no \"Other\" where revenue > 20 within 5 hours" },
    { "items", "sum of items of \"Order\" in the last 5 days > 20" },
    { "items ever", "sum of items of \"Visit\" >= 60" },
    { "few items", "sum of items of \"Visit\" in the last 2 days <= 24 and plan = \"pro\"" },
    { "some items", "sum of items of \"Order\" in the last 3 days where revenue > 10 >= 9" },
    { "items since", "sum of items of \"Other\" since 2026-01-04T00:00:00Z < 40" },
    { "same items", "not sum of items of \"Order\" in the last 5 days > 60 or plan != \"pro\"" },
    { "at most", "did \"Visit\" at most 5 times in the last 2 days and country = \"NO\"" },
    { "since", "did \"Visit\" at least 3 times since 2026-01-05T00:00:00Z where revenue > 5" },
    { "long so", "plan has been = \"pro\" for 2 days and did \"Order\"" },
    { "none told", "plan does not exist or did \"Other\" at least 30 times" },
    { "waiting", "in journey \"orders\" at \"pause\"" },
    { "came twice", "entered journey \"orders\" at least 2 times in the last 6 days" },
    { "finisher", "finished journey \"actives\" and not in journey \"orders\"" },
    { "refuser", "consent to \"news\" is refused or consent is refused" },
    { "asked", "consent to \"news\" is granted and did \"Visit\" this week" },
    { "today", "did \"Visit\" at least 2 times today" },
    { "this week", "did \"Order\" this week and not did \"Other\" yesterday" },
    { "last month", "did \"Other\" at least 2 times last week or did \"Order\" this month" },
    { "party", "birthday is in the next 7 days or anniversary of birthday is 2 days ago" },
    { "renewing", "renewal < 3 days from now and renewal >= today" },
    { "reckoned", "reckoned > 60" },
    { "reckoned less", "reckoned < 25 and did \"Visit\" in the last 2 days" },
    { "regular", "in stage \"regular\"" },
    { "no visitor", "not in stage \"visitor\" and did \"Other\" today" },
    { "fun", "reached step 2 but not step 3 of (\"Visit\", \"Order\" where revenue > 5, \"Other\") "
             "within 9 hours in the last 6 days" },
    { "same cart",
      "did \"Visit\" in the last 3 days then \"Order\" within 12 hours with the same cart" },
    { "left cart",
      "did \"Visit\" in the last 3 days then no \"Order\" within 4 hours with the same cart" },
    { "clicked", "clicked any message in the last 4 days" },
    { "scanned", "opened any message by a machine at least 2 times in the last 5 days" },
    { "liked", "plan matches \"^p\" and country matches \"[NS]\"" },
    { "unlike", "never did anything in the last 4 days" },
    { "idle", "never did anything in the last 3 days" },
    { "keen", "did anything at least 6 times in the last 2 days where revenue > 5" },
    { "any five", "did anything exactly 5 times in the last 1 day" },
    { "any sum", "sum of revenue of anything in the last 3 days > 150" },
    { "not then", "not did \"Order\" in the last 3 days then \"Other\" within 3 hours" },
    { "not then no", "not did \"Visit\" in the last 2 days then no \"Order\" within 2 hours" },
    { "not answered", "did anything then no \"Visit\" where revenue > 10 within 9 hours" },
    { "same then", "did \"Visit\" then \"Order\" within 1 day with the same revenue" },
    { "funnel", "reached step 2 but not step 3 of (\"Visit\", \"Order\" where revenue > 10, "
                "\"Other\") within 9 hours in the last 4 days" },
    { "not funnel", "not reached step 3 of (\"Visit\", \"Visit\", anything where revenue > 20) "
                    "within 2 hours in the last 1 day" },
    { "latest", "last of revenue of \"Order\" in the last 3 days > 20" },
    { "not latest", "not last of revenue of \"Visit\" > 20 and did \"Visit\"" },
    { "week", "did \"Visit\" at least 3 times this week and not did \"Order\" today" },
    { "yesterday", "did \"Visit\" yesterday and count of \"Order\" today < 3" },
    { "counted", "count of \"Order\" in the last 2 days >= 3 and count of \"Visit\" <= 30" },
    { "values", "count of items of \"Order\" in the last 2 days > 9" },
    { "between", "did \"Order\" at least 3 times between 2026-01-02 and 2026-01-04" },
    { "due", "did \"Order\" at least 2 times where due > 12 hours ago" },
    { "same leaves",
      "in segment \"spender\" or (sum of revenue of \"Order\" in the last 90 days > 300 "
      "and not did \"Visit\" at least 40 times in the last 30 days)" },
};
enum { SEGMENTS = sizeof segments / sizeof segments[0] };

/* What any of the segments may be changed to; none names a segment, so no circle can come of it. */
static const char *const changed[] = {
    "did \"Visit\" at least 3 times in the last 2 days",
    "never did \"Order\" in the last 4 days",
    "in journey \"orders\" at \"more\" or finished journey \"orders\" at least 2 times",
    "consent to \"news\" is refused",
    "did \"Order\" then no \"Visit\" within 6 hours",
    "did \"Visit\" today and not did \"Order\" yesterday",
    "plan has been = \"pro\" for 2 days",
    "everyone",
    "did anything this week and reckoned > 30",
    "in stage \"regular\" or birthday is in 3 days",
    "clicked any message by anyone",
    "did \"Order\" at least 2 times last week",
};
enum { CHANGED = sizeof changed / sizeof changed[0] };

/* What else may be defined anew. */
static const char *const reckonings[] = {
    "sum of revenue of \"Order\" in the last 4 days",
    "sum of revenue of \"Visit\" in the last 2 days",
    "greatest of revenue of \"Order\" this week",
    "count of \"Visit\" in the last 1 day where revenue > 20",
};
static const char *const stages[] = {
    "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},{\"name\":\"regular\","
    "\"when\":\"did \\\"Order\\\" at least 2 times in the last 5 days\"}]}",
    "{\"stages\":[{\"name\":\"visitor\",\"when\":\"did \\\"Visit\\\" today\"},{\"name\":"
    "\"regular\",\"when\":\"reckoned > 40\"},{\"name\":\"gone\",\"when\":"
    "\"never did anything in the last 3 days\"}]}",
    "{\"stages\":[{\"name\":\"regular\",\"when\":\"plan = \\\"pro\\\"\"},{\"name\":\"visitor\","
    "\"when\":\"did \\\"Order\\\" in the last 2 days\"}]}",
};
static const char *const workspaces[] = {
    "{\"lists\":[\"news\"],\"topics\":[\"news\"]}",
    "{\"lists\":[\"news\"],\"topics\":[\"news\"],\"timezone\":\"Far/East\"}",
    "{\"lists\":[\"news\"],\"topics\":[\"news\"],\"timezone\":\"Sum/Mer\"}",
};
enum { OTHERS = 3 };
_Static_assert(sizeof stages / sizeof stages[0] == OTHERS, "one is drawn of so many");
_Static_assert(sizeof workspaces / sizeof workspaces[0] == OTHERS, "one is drawn of so many");

static const char *const places[] = { "Far/East", "Far/West", "Sum/Mer", "Half/Past" };

static const char *const journeys[][2] = {
    { "orders",
      "{\"journey\":\"orders\",\"trigger\":{\"event\":\"Order\"},\"reentry\":\"always\","
      "\"exit_when\":\"did \\\"Other\\\" at least 2 times since entry or reckoned > 150\","
      "\"nodes\":["
      "{\"id\":\"pause\",\"wait\":\"1 day\"},"
      "{\"id\":\"ask\",\"split\":\"did \\\"Visit\\\" since entry\",\"yes\":\"end\","
      "\"no\":\"more\"},{\"id\":\"more\",\"wait\":\"30 hours\"},"
      "{\"id\":\"end\",\"exit\":true}]}" },
    { "actives", "{\"journey\":\"actives\",\"trigger\":{\"segment\":\"active\"},"
                 "\"reentry\":\"after 2 days\",\"exit_when\":\"in segment \\\"buyer\\\"\","
                 "\"nodes\":[{\"id\":\"pause\",\"wait\":\"5 hours\"},"
                 "{\"id\":\"end\",\"exit\":true}]}" },
};

/* What a store would have beside the decisions and names, which `out` keeps. */
struct kept {
    struct {
        enum definition_kind kind;
        const char          *name, *text;
        uint32_t             seq;
    } definitions[DEFINITIONS_MAX];
    struct {
        struct record record;
        uint32_t      profile;
    } events[RECORDS];
    struct checkpoint_row rows[ROWS_MAX];
    uint32_t              definitions_count, events_count, rows_count;
    uint32_t       checkpoint_seq, checkpoint_decisions; /* of a finished round; 0 for none */
    uint32_t       round_seq, round_decisions;           /* of the one under way */
    unsigned char *region;                               /* the last snapshot of the timeline */
    size_t         region_bytes, bags_bytes;
    int            bags_file; /* -1 for none */
};

struct life {
    struct zones   *zones, *newer; /* rules of time zones; the later ones are known to some twins */
    struct engine  *engine, *twin; /* twin: loaded from what was kept; NULL for most of the time */
    struct out      twin_out;
    uint32_t        twin_left, loads, erased, swept;
    struct erasure *erasure; /* while a twin is loaded from what an erasure left; else NULL */
    struct kept     kept;
    struct arena   *arena;
    struct out      out;
    uint64_t        seq, random, standing;
    int64_t         now_ms;
    bool            busy;  /* two people do nearly everything */
    bool            crowd; /* many do a little */
    uint64_t        naive; /* answers of the naive twin */
};

static uint32_t draw(struct life *life, uint32_t below)
{
    life->random = hash_u64(life->random, 77);
    return (uint32_t)(life->random >> 20) % below;
}

static enum err tell(struct life *life, struct record record)
{
    record.seq = ++life->seq;
    record.received_ms = life->now_ms;
    if (record.at_ms == 0)
        record.at_ms = life->now_ms;
    enum err err = engine_apply(life->engine, &record, &life->out, NULL);
    if (record.kind == RECORD_UNMERGE) { /* it names a decision, and numbers may differ by now */
        engine_close(life->twin);
        life->twin = NULL;
    }
    if (life->twin != NULL)
        assert_int_equal(engine_apply(life->twin, &record, &life->twin_out, NULL), err);
    bool is_event = record.kind == RECORD_TRACK || record.kind == RECORD_IDENTIFY ||
                    record.kind == RECORD_MESSAGE;
    if (err == OK && is_event && life->out.profile != PROFILE_NONE) {
        assert_true(life->kept.events_count < RECORDS);
        life->kept.events[life->kept.events_count].record = record;
        life->kept.events[life->kept.events_count++].profile = life->out.profile;
    }
    return err;
}

static void define(struct life *life, enum definition_kind kind, const char *name, const char *text)
{
    struct kept *kept = &life->kept;
    assert_ok(tell(life, (struct record){ .kind = RECORD_DEFINE,
                                          .definition_kind = kind,
                                          .name = str_of(name),
                                          .body = str_of(text) }));
    assert_true(kept->definitions_count < DEFINITIONS_MAX);
    kept->definitions[kept->definitions_count].kind = kind;
    kept->definitions[kept->definitions_count].name = name;
    kept->definitions[kept->definitions_count].text = text;
    kept->definitions[kept->definitions_count++].seq = (uint32_t)life->seq;
}

static const struct json *object(struct life *life, struct str text)
{
    struct json *value = ARENA_NEW(life->arena, struct json);
    assert_ok(json_parse_once(life->arena, text, value, NULL));
    return value;
}

static struct str who(struct life *life, const char *letter, uint32_t below)
{
    if (life->busy && draw(life, 40) > 0)
        below = BUSY_USERS;
    if (life->crowd)
        below = CROWD_USERS;
    return str_format(life->arena, "%s%u", letter, draw(life, below));
}

/* Mostly now, sometimes late, sometimes dated ahead. */
static int64_t when(struct life *life)
{
    uint32_t kind = draw(life, 10);
    if (kind < 7)
        return life->now_ms;
    int64_t shift = (int64_t)draw(life, 8 * 24) * TIME_HOUR_MS;
    return kind == 7 ? life->now_ms + shift / 8 : life->now_ms - shift;
}

static const struct json *traits_random(struct life *life)
{
    static const char *const     countries[] = { "NO", "SE", "DE" };
    SCOPED(buf_donep) struct buf text = buf_make(1000);
    buf_format(&text, "{\"country\":\"%s\",\"plan\":\"%s\"", countries[draw(life, 3)],
               draw(life, 2) ? "pro" : "free");
    if (draw(life, 4) == 0)
        buf_format(&text, ",\"timezone\":\"%s\"", places[draw(life, 4)]);
    if (draw(life, 3) == 0)
        buf_format(&text, ",\"birthday\":\"1990-01-%02u\"", 1 + draw(life, 28));
    if (draw(life, 3) == 0)
        buf_format(&text, ",\"renewal\":\"2026-01-%02uT12:00:00Z\"", 1 + draw(life, 28));
    buf_char(&text, '}');
    return object(life, str_copy(life->arena, buf_view(&text)));
}

static struct record message_random(struct life *life)
{
    struct str properties = str_format(life->arena, "{\"template\":\"t\",\"machine\":%s}",
                                       draw(life, 2) ? "true" : "false");
    return (struct record){ .kind = RECORD_MESSAGE,
                            .name = draw(life, 2) ? EVENT_EMAIL_CLICKED : EVENT_EMAIL_OPENED,
                            .profile = draw(life, people_count(engine_people(life->engine))),
                            .properties = object(life, properties),
                            .at_ms = when(life) };
}

static void definition_random(struct life *life)
{
    uint32_t i = draw(life, SEGMENTS), kind = draw(life, 6);
    if (kind == 0)
        define(life, DEFINE_TRAIT, "reckoned", reckonings[draw(life, 4)]);
    else if (kind == 1)
        define(life, DEFINE_STAGES, "stages", stages[draw(life, OTHERS)]);
    else if (kind == 2)
        define(life, DEFINE_WORKSPACE, "workspace", workspaces[draw(life, OTHERS)]);
    else
        define(life, DEFINE_SEGMENT, segments[i][0],
               draw(life, 3) > 0 ? changed[draw(life, CHANGED)] : segments[i][1]);
}

static void record_random(struct life *life)
{
    static const char *const events[] = { "Visit", "Order", "Other" };
    struct record            r = { .kind = RECORD_TRACK, .at_ms = when(life) };
    uint32_t                 kind = draw(life, life->busy ? 60 : 20);
    int                      revenue = (int)draw(life, 40) - (draw(life, 20) == 0 ? 40 : 0);
    bool                     known = draw(life, 3) > 0;
    if (known)
        r.user_id = who(life, "u", USERS);
    if (!known || draw(life, 3) == 0)
        r.anonymous_id = who(life, "d", DEVICES);
    r.name = str_of(events[draw(life, 3)]);
    r.properties = object(
        life,
        str_format(life->arena, "{\"revenue\":%d,\"items\":[%u,\"a\",%u],\"cart\":%u,\"due\":%lld}",
                   revenue, draw(life, 5), draw(life, 9), draw(life, 3),
                   (long long)(life->now_ms + (int64_t)draw(life, 48) * TIME_HOUR_MS)));
    if (kind < 4) {
        r.kind = RECORD_IDENTIFY;
        r.properties = traits_random(life);
        r.name = STR_NONE;
    } else if (kind == 4) {
        r = (struct record){ .kind = RECORD_ALIAS,
                             .user_id = who(life, "u", USERS),
                             .previous_id =
                                 draw(life, 2) ? who(life, "u", USERS) : who(life, "d", DEVICES) };
        if (str_eq(r.user_id, r.previous_id))
            return;
    } else if (kind == 5) {
        r = (struct record){ .kind = RECORD_LIST,
                             .user_id = who(life, "u", USERS),
                             .name = STR("news"),
                             .at_ms = when(life),
                             .flags = draw(life, 2) ? RECORD_LEAVE : 0 };
    } else if (kind == 6 && people_count(engine_people(life->engine)) > 0) {
        uint32_t            p = draw(life, people_count(engine_people(life->engine)));
        const struct state *state = people_state_get(engine_people(life->engine), p);
        if (state->rare->merges.count == 0)
            return;
        r = (struct record){
            .kind = RECORD_UNMERGE,
            .profile = p,
            .merge = state->rare->merges.items[draw(life, state->rare->merges.count)].id
        };
    } else if (kind == 7) {
        r.flags = RECORD_HISTORICAL;
    } else if (kind == 8 && people_count(engine_people(life->engine)) > 0) {
        r = (struct record){ .kind = RECORD_CONSENT,
                             .name = draw(life, 3) > 0 ? STR("news") : STR_NONE,
                             .at_ms = when(life),
                             .profile = draw(life, people_count(engine_people(life->engine))),
                             .properties = object(
                                 life, draw(life, 2) ? STR("{\"state\":\"subscribed\"}")
                                                     : STR("{\"state\":\"unsubscribed\"}")) };
    } else if (kind == 9 && draw(life, 2) == 0) {
        definition_random(life);
        return;
    } else if (kind == 10 && people_count(engine_people(life->engine)) > 0) {
        r = message_random(life);
    } else if (kind == 11 && (life->busy || draw(life, 3) == 0) &&
               people_count(engine_people(life->engine)) > 0) {
        r = (struct record){ .kind = RECORD_ERASE,
                             .profile = draw(life, people_count(engine_people(life->engine))) };
        life->erased += !people_is_nobody(engine_people(life->engine), r.profile);
    }
    enum err err = tell(life, r);
    assert_true(err == OK || err == ERR_CONFLICT || err == ERR_ABSENT);
}

/* Some answers of anyone are no longer known, as after a start. */
static void forget(struct life *life)
{
    struct people   *people = life->engine->people;
    struct profile  *profile = people_get(people, draw(life, people_count(people)));
    struct standing *items = profile->state == NULL ? NULL : profile->state->rare->standings.items;
    if (items == NULL)
        return;
    uint32_t kept = 0, one_in = 1 + draw(life, 3);
    for (uint32_t i = 0; i < profile->state->rare->standings.count; i++)
        if (draw(life, one_in) > 0)
            items[kept++] = items[i];
    state_rare_own(profile->state)->standings.count = kept;
}

static bool member(const struct engine *engine, uint32_t person, uint32_t segment)
{
    const struct state *state = people_state_get(engine_people(engine), person);
    for (uint32_t i = 0; i < state->memberships.count; i++)
        if (state->memberships.items[i].segment == segment)
            return state->memberships.items[i].in;
    return false;
}

static void compare(struct life *life, struct engine *engine, uint64_t seed, int step)
{
    struct program *program = engine_program(engine);
    for (uint32_t p = 0; p < people_count(engine_people(engine)); p++) {
        if (people_root(engine_people(engine), p) != p)
            continue;
        if (people_is_nobody(engine_people(engine), p)) {
            assert_null(people_get(engine->people, p)->state);
            continue;
        }
        for (uint32_t s = 0; s < SEGMENTS; s++) {
            uint32_t number = program_segment(program, str_of(segments[s][0]));
            bool     truth =
                engine_ask(engine, &program->segments.items[number].program, p, life->now_ms).holds;
            if (member(engine, p, number) == truth)
                continue;
            print_error("seed %llu step %d, %s: profile %u segment %s is %d, the truth %d\n",
                        (unsigned long long)seed, step, engine == life->engine ? "live" : "loaded",
                        p, segments[s][0], !truth, truth);
            fail();
        }
    }
}

/* By the records that were told of the person, whatever the engine made of them. */
static enum told_answer naive_answer(struct life *life, struct engine *engine, uint32_t person,
                                     const struct segment_def *def)
{
    struct told told = { .count = 0 };
    for (uint32_t i = 0; i < life->kept.events_count; i++) {
        if (people_root(engine_people(engine), life->kept.events[i].profile) != person)
            continue;
        if (told.count == NAIVE_RECORDS_MAX)
            return TOLD_UNASKED;
        told.records[told.count++] = &life->kept.events[i].record;
    }
    return told_ask(engine_program(engine), &told, def->tree, life->now_ms);
}

static void naive_compare(struct life *life, struct engine *engine, uint64_t seed, int step)
{
    struct program *program = engine_program(engine);
    uint32_t        people = people_count(engine_people(engine));
    for (int i = 0; people > 0 && i < NAIVE_ASKED; i++) {
        uint32_t p = people_root(engine_people(engine), draw(life, people));
        uint32_t number = program_segment(program, str_of(segments[draw(life, SEGMENTS)][0]));
        if (people_is_nobody(engine_people(engine), p))
            continue;
        enum told_answer answer = naive_answer(life, engine, p, &program->segments.items[number]);
        life->naive += answer != TOLD_UNASKED;
        if (answer == TOLD_UNASKED || member(engine, p, number) == (answer == TOLD_YES))
            continue;
        print_error("seed %llu step %d, %s: profile %u segment %.*s is %d, by what was told %d\n",
                    (unsigned long long)seed, step, engine == life->engine ? "live" : "loaded", p,
                    STR_ARG(program_name(program, NAME_SEGMENT, number)), member(engine, p, number),
                    answer == TOLD_YES);
        fail();
    }
}

static void compare_all(struct life *life, uint64_t seed, int step)
{
    compare(life, life->engine, seed, step);
    naive_compare(life, life->engine, seed, step);
    if (life->twin == NULL)
        return;
    compare(life, life->twin, seed, step);
    naive_compare(life, life->twin, seed, step);
}

static uint64_t standing_count(const struct life *life)
{
    uint64_t count = 0;
    for (uint32_t p = 0; p < people_count(life->engine->people); p++)
        count += people_state_get(life->engine->people, p)->rare->standings.count;
    return count;
}

/* ---- what a store has, and an engine loaded from it ---- */

static void *map(size_t bytes)
{
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(region != MAP_FAILED);
    return region;
}

static void snapshot_drop(struct kept *kept)
{
    if (kept->bags_file < 0)
        return;
    munmap(kept->region, kept->region_bytes);
    close(kept->bags_file);
    kept->bags_file = -1;
}

/* The timeline gets a new base, and a copy of it is kept as a file would be. */
static void snapshot(struct life *life)
{
    struct kept     *kept = &life->kept;
    struct timeline *timeline = engine_timeline(life->engine);
    size_t           bytes;
    snapshot_drop(kept);
    assert_ok(timeline_freeze(timeline, (uint32_t)life->seq, &bytes));
    unsigned char *region = map(bytes);
    size_t         used = bytes;
    assert_ok(timeline_write(timeline, region, &used));
    assert_true(used <= bytes); /* less where somebody was erased */
    size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (used + page - 1) / page * page;
    if (whole < bytes)
        munmap(region + whole, bytes - whole);
    kept->region = map(used);
    kept->region_bytes = used;
    memcpy(kept->region, region, used);
    timeline_swap(timeline, region, used);
    kept->bags_bytes = timeline_bags_bytes(timeline);
    kept->bags_file = memfd_create("bags", 0);
    assert_true(kept->bags_file >= 0);
    assert_int_equal(write(kept->bags_file, timeline_bags(timeline).bytes, kept->bags_bytes),
                     kept->bags_bytes);
}

/* A checkpoint begins now and then, and takes a few rows after each record. */
static void checkpoint_go_on(struct life *life)
{
    struct kept           *kept = &life->kept;
    struct checkpoint_row *rows;
    uint32_t               round, count;
    bool                   done;
    if (!checkpoint_is_open(life->engine)) {
        if (draw(life, 40) > 0 || engine_has_job(life->engine))
            return;
        assert_ok(checkpoint_begin(life->engine, &round));
        kept->round_seq = (uint32_t)life->seq;
        kept->round_decisions = (uint32_t)life->out.decisions_count;
        kept->checkpoint_seq = kept->rows_count = 0;
    }
    assert_ok(checkpoint_take(life->engine, life->arena, 1 + draw(life, 9), &rows, &count, &done));
    for (uint32_t i = 0; i < count; i++) {
        assert_true(kept->rows_count < ROWS_MAX);
        kept->rows[kept->rows_count++] = rows[i];
    }
    if (!done)
        return;
    checkpoint_end(life->engine);
    kept->checkpoint_seq = kept->round_seq;
    kept->checkpoint_decisions = kept->round_decisions;
}

/* The profiles that are nobody's by now; NULL: all is loaded as it was written. */
static struct erasure *erasure_of_life(struct life *life)
{
    struct erasure *erasure = erasure_open();
    assert_non_null(erasure);
    for (uint32_t i = 0; i < life->out.decisions_count; i++)
        if (life->out.decisions[i].kind == DECISION_ERASED)
            assert_ok(erasure_add(erasure, life->out.decisions[i].profile));
    for (uint32_t i = 0; i < life->out.decisions_count; i++)
        assert_ok(erasure_see(erasure, &life->out.decisions[i]));
    return erasure;
}

static struct str bare(struct life *life, struct str detail)
{
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    erasure_bare(object(life, detail), &text);
    assert_ok(buf_err(&text));
    return str_copy(life->arena, buf_view(&text));
}

static struct str row_of(const struct life *life, const struct checkpoint_row *row,
                         struct buf *scratch)
{
    if (life->erasure == NULL)
        return row->state;
    if (erasure_has(life->erasure, row->profile))
        assert_ok(checkpoint_bare(row->state, scratch));
    else
        assert_ok(checkpoint_pruned(row->state, life->erasure, life->kept.checkpoint_seq, scratch));
    return scratch->len == 0 ? row->state : buf_view(scratch);
}

static void checkpoint_in(struct life *life, struct engine *twin)
{
    const struct kept           *kept = &life->kept;
    SCOPED(buf_donep) struct buf scratch = buf_make(1 << 20);
    for (uint32_t p = 0; p < kept->rows_count; p++)
        for (uint32_t i = 0; i < kept->rows_count; i++)
            if (kept->rows[i].profile == p)
                assert_ok(checkpoint_load(twin, p, row_of(life, &kept->rows[i], &scratch)));
    assert_ok(checkpoint_loaded(twin));
}

static void snapshot_in(struct life *life, struct engine *twin)
{
    const struct kept *kept = &life->kept;
    unsigned char     *region = map(kept->region_bytes);
    memcpy(region, kept->region, kept->region_bytes);
    assert_ok(timeline_load(engine_timeline(twin), region, kept->region_bytes, kept->bags_file,
                            kept->bags_bytes));
}

static void tail_in(struct life *life, struct engine *twin, uint32_t checkpoint_seq,
                    uint32_t checkpoint_decisions)
{
    const struct kept  *kept = &life->kept;
    struct json_parser *parser = json_parser_open();
    uint32_t            base_seq = timeline_base_seq(engine_timeline(twin));
    for (uint32_t i = 0; i < kept->events_count; i++) {
        const struct record *r = &kept->events[i].record;
        bool gone = life->erasure != NULL && erasure_has(life->erasure, kept->events[i].profile);
        if (r->seq > base_seq && !gone)
            assert_ok(engine_load_event(twin, r->kind, kept->events[i].profile, (uint32_t)r->seq,
                                        r->at_ms, r->name, r->properties));
    }
    for (uint32_t i = 0; i < life->out.decisions_count; i++) {
        struct decision   d = life->out.decisions[i];
        enum erasure_rest rest =
            life->erasure == NULL ? ERASURE_WHOLE : erasure_rest(life->erasure, &d);
        if (rest == ERASURE_NOTHING)
            continue;
        if (rest == ERASURE_BARE)
            d.detail = bare(life, d.detail);
        if (i >= checkpoint_decisions)
            assert_ok(engine_load_decision(twin, parser, life->arena, &d));
        else if (d.seq > base_seq)
            assert_ok(engine_load_told(twin, parser, life->arena, &d));
    }
    for (uint32_t i = 0; i < kept->events_count; i++)
        if (kept->events[i].record.seq > checkpoint_seq)
            engine_load_touch(twin, kept->events[i].profile);
    json_parser_close(parser);
}

/* Who is who, and who is nobody, is loaded as it was. */
static void same(struct life *life, uint64_t seed)
{
    const struct people         *was = life->engine->people, *is = life->twin->people;
    SCOPED(buf_donep) struct buf a = buf_make(1 << 16), b = buf_make(1 << 16);
    assert_int_equal(people_count(was), people_count(is));
    for (uint32_t p = 0; p < people_count(was); p++) {
        buf_format(&a, "%u of %u nobody %d", p, people_root(was, p), people_is_nobody(was, p));
        buf_format(&b, "%u of %u nobody %d", p, people_root(is, p), people_is_nobody(is, p));
        describe_identities(was, p, &a);
        describe_identities(is, p, &b);
    }
    if (!str_eq(buf_view(&a), buf_view(&b)))
        print_error("seed %llu: live\n%.*sloaded\n%.*s", (unsigned long long)seed,
                    STR_ARG(buf_view(&a)), STR_ARG(buf_view(&b)));
    assert_true(str_eq(buf_view(&a), buf_view(&b)));
}

static void twin_load(struct life *life, uint64_t seed)
{
    const struct kept           *kept = &life->kept;
    bool                         has_checkpoint = kept->checkpoint_seq > 0 && draw(life, 4) > 0;
    SCOPED(buf_donep) struct buf jobs = buf_make(1 << 16);
    struct engine_conf           conf = { .seed = seed + 1,
                                          .next_decision = life->out.decisions_count + 1,
                                          .lateness_ms = LATENESS_MS_DEFAULT,
                                          .zones = draw(life, 2) ? life->newer : life->zones };
    assert_ok(engine_open(&life->twin, conf));
    for (size_t i = 0; i < life->out.names_count; i++)
        assert_ok(engine_load_name(life->twin, (enum name_kind)life->out.names[i].kind,
                                   life->out.names[i].id, life->out.names[i].text));
    for (uint32_t i = 0; i < kept->definitions_count; i++)
        assert_ok(engine_load_definition(
            life->twin, kept->definitions[i].kind, str_of(kept->definitions[i].name),
            str_of(kept->definitions[i].text), kept->definitions[i].seq));
    life->erasure = draw(life, 2) == 0 ? erasure_of_life(life) : NULL;
    life->swept += life->erasure != NULL;
    if (has_checkpoint) {
        engine_load_round(life->twin, 1, kept->checkpoint_seq);
        engine_load_zones(life->twin, zones_version(life->zones));
        checkpoint_in(life, life->twin);
    }
    if (kept->bags_file >= 0 && draw(life, 4) > 0)
        snapshot_in(life, life->twin);
    tail_in(life, life->twin, has_checkpoint ? kept->checkpoint_seq : 0,
            has_checkpoint ? kept->checkpoint_decisions : 0);
    engine_jobs_write(life->engine, &jobs);
    assert_ok(engine_jobs_load(life->twin, buf_view(&jobs)));
    assert_ok(engine_load_end(life->twin, life->seq, life->now_ms));
    erasure_close(life->erasure);
    life->erasure = NULL;
    same(life, seed);
    life->twin_out = (struct out){ .arena = life->arena };
    life->twin_left = TWIN_RECORDS;
    life->loads++;
}

static void twin_go_on(struct life *life, uint64_t seed)
{
    if (life->twin == NULL) {
        if (draw(life, 40) == 0)
            twin_load(life, seed);
    } else if (life->twin_left-- == 0) {
        engine_close(life->twin);
        life->twin = NULL;
    }
}

/* ---- a life ---- */

static void definitions_tell(struct life *life)
{
    define(life, DEFINE_WORKSPACE, "workspace", workspaces[0]);
    define(life, DEFINE_TRAIT, "reckoned", reckonings[0]);
    define(life, DEFINE_STAGES, "stages", stages[0]);
    define(life, DEFINE_SEGMENT, segments[0][0], segments[0][1]);
    define(life, DEFINE_SEGMENT, segments[1][0], segments[1][1]);
    for (size_t i = 0; i < sizeof journeys / sizeof journeys[0]; i++)
        define(life, DEFINE_JOURNEY, journeys[i][0], journeys[i][1]);
    for (int i = 2; i < SEGMENTS; i++)
        define(life, DEFINE_SEGMENT, segments[i][0], segments[i][1]);
}

static int64_t pause_of(struct life *life)
{
    uint32_t kind = draw(life, 300);
    if (kind == 0)
        return (int64_t)draw(life, 40) * TIME_DAY_MS; /* nothing was heard for weeks */
    return kind % 3 == 0 ? (int64_t)draw(life, 20) * TIME_HOUR_MS : (int64_t)draw(life, 5000);
}

/* Clocks are put forward by an hour on the tenth day; by the later rules two days before. */
static struct zones *zones_of(const char *version, int64_t days)
{
    const struct zone_shift summer = { T0 / 1000 + days * 24 * 3600, 7200 };
    const struct zone       list[] = { { STR("Far/East"), NULL, 0, 14 * 3600 },
                                       { STR("Far/West"), NULL, 0, -11 * 3600 },
                                       { STR("Half/Past"), NULL, 0, 5 * 3600 + 1800 },
                                       { STR("Sum/Mer"), &summer, 1, 3600 } };
    struct zones           *zones = NULL;
    assert_ok(zones_make(&zones, str_of(version), list, 4));
    return zones;
}

/* From one wake-up to the next, and a look just before each. */
static void wakes_step(struct life *life, int64_t until_ms, uint64_t seed, int step)
{
    for (int i = 0; i < WAKES_STEPPED; i++) {
        int64_t next_ms = engine_next_ms(life->engine);
        if (life->twin != NULL && engine_next_ms(life->twin) < next_ms)
            next_ms = engine_next_ms(life->twin);
        if (next_ms > until_ms || next_ms <= life->now_ms + 1)
            return;
        for (int64_t before = 1; before >= 0; before--) {
            life->now_ms = next_ms - before;
            assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
            compare_all(life, seed, step);
        }
    }
}

static void live(uint64_t seed, int kind)
{
    bool         busy = kind == 1;
    struct life *life = calloc(1, sizeof *life);
    assert_non_null(life);
    *life = (struct life){ .arena = arena_open(512 << 20),
                           .random = seed,
                           .now_ms = T0,
                           .busy = busy,
                           .crowd = kind == 2,
                           .zones = zones_of("2026a", 10),
                           .newer = zones_of("2026b", 8) };
    life->out.arena = life->arena;
    life->kept.bags_file = -1;
    assert_ok(engine_open(&life->engine, (struct engine_conf){ .seed = seed,
                                                               .next_decision = 1,
                                                               .lateness_ms = LATENESS_MS_DEFAULT,
                                                               .zones = life->zones }));
    definitions_tell(life);
    while (engine_has_job(life->engine))
        assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
    for (int i = 0; i < RECORDS; i++) {
        record_random(life);
        twin_go_on(life, seed);
        checkpoint_go_on(life);
        if (draw(life, 60) == 0)
            snapshot(life);
        life->standing += standing_count(life);
        if (draw(life, 8) == 0)
            forget(life);
        int64_t until_ms = life->now_ms + pause_of(life);
        if (draw(life, 8) == 0)
            wakes_step(life, until_ms, seed, i);
        life->now_ms = until_ms;
        assert_ok(tell(life, (struct record){ .kind = RECORD_CLOCK }));
        compare_all(life, seed, i);
    }
    assert_true(engine_stats(life->engine).memberships_changed > 300);
    assert_true(engine_stats(life->engine).enrolled > 20);
    assert_true(!busy || life->standing > 1000);
    assert_true(life->naive > (busy ? 1000 : 10000));
    assert_true(life->loads > 3 && life->erased > 2);
    snapshot_drop(&life->kept);
    engine_close(life->twin);
    engine_close(life->engine);
    zones_close(life->zones);
    zones_close(life->newer);
    arena_close(life->arena);
    free(life);
}

TEST(engine_life, memberships_are_the_truth_after_every_record_and_a_loaded_engine_lives_on_alike)
{
    const char *given = getenv("DULT_SEED");
    uint64_t    seed = given != NULL ? strtoull(given, NULL, 0) : hash_random_seed() >> 16;
    printf("engine_life: DULT_SEED=%llu replays\n", (unsigned long long)seed);
    for (int i = 0; i < LIVES; i++)
        live(seed + (uint64_t)i, i % 3);
}
