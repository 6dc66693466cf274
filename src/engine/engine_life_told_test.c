/* What is told in a random life: who did what, who they are, and how all is defined. */
#include "engine/engine_life_cast_test.h"

#include "base/hash.h"

enum {
    USERS = 12,
    DEVICES = 16,
    BUSY_USERS = 2,
    CROWD_USERS = 40, /* of a life in which many do a little */
    ADDRESSES = 30,
};

/* ---- the words ---- */

const char *const life_events[LIFE_EVENTS] = { "Visit", "Order", "Other" };

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
      "\"goal\":{\"condition\":\"did \\\"Visit\\\" since entry and reckoned > 30\","
      "\"within\":\"3 days\",\"value\":\"revenue\"},\"exit_on_goal\":false,"
      "\"exit_when\":\"did \\\"Other\\\" at least 2 times since entry or reckoned > 150\","
      "\"nodes\":["
      "{\"id\":\"pause\",\"wait\":\"1 day\"},"
      "{\"id\":\"ask\",\"split\":\"did \\\"Visit\\\" since entry\",\"yes\":\"end\","
      "\"no\":\"more\"},{\"id\":\"more\",\"wait\":\"30 hours\"},"
      "{\"id\":\"end\",\"exit\":true}]}" },
    { "actives", "{\"journey\":\"actives\",\"trigger\":{\"segment\":\"active\"},"
                 "\"holdout\":{\"share\":30},\"goal\":{\"condition\":\"did \\\"Other\\\" since "
                 "entry\",\"within\":\"2 days\"},"
                 "\"reentry\":\"after 2 days\",\"exit_when\":\"in segment \\\"buyer\\\"\","
                 "\"nodes\":[{\"id\":\"pause\",\"wait\":\"5 hours\"},"
                 "{\"id\":\"end\",\"exit\":true}]}" },
    { "waits",
      "{\"journey\":\"waits\",\"trigger\":{\"event\":\"Visit\"},\"reentry\":\"always\","
      "\"exit_when\":\"did \\\"Other\\\" at least 9 times since entry\",\"nodes\":["
      "{\"id\":\"ten\",\"wait_until\":\"weekday 10:00\"},"
      "{\"id\":\"which\",\"split\":[{\"if\":\"plan = \\\"pro\\\"\",\"next\":\"reckon\"},"
      "{\"if\":\"in 50% by \\\"x\\\"\",\"next\":\"order\"}],\"else\":\"due\"},"
      "{\"id\":\"reckon\",\"wait_for\":\"reckoned > 90 or in stage \\\"regular\\\"\","
      "\"within\":\"2 days\"},"
      "{\"id\":\"order\",\"wait_for\":{\"event\":\"Order\",\"where\":\"revenue > 20\"},"
      "\"within\":\"30 hours\",\"timeout\":\"share\"},"
      "{\"id\":\"due\",\"wait_until\":\"2 days before renewal at 08:00\",\"else\":\"share\"},"
      "{\"id\":\"share\",\"split\":[{\"share\":40,\"next\":\"ten\"},{\"share\":60,\"next\":"
      "\"last\"}]},"
      "{\"id\":\"last\",\"wait_for\":\"did \\\"Order\\\" today and not did \\\"Visit\\\" in the "
      "last 9 hours\",\"within\":\"4 days\"}]}" },
    /* No clock of a person's, for a loaded engine may know other rules of them. */
    { "changes",
      "{\"journey\":\"changes\",\"trigger\":{\"event\":\"Order\",\"where\":\"revenue > 12\"},"
      "\"reentry\":\"always\",\"nodes\":["
      "{\"id\":\"told\",\"record\":{\"event\":\"Other\",\"properties\":{\"revenue\":{\"from\":"
      "\"event.revenue\"},\"cart\":1}}},"
      "{\"id\":\"which\",\"split\":\"plan = \\\"pro\\\"\",\"yes\":\"down\",\"no\":\"up\"},"
      "{\"id\":\"down\",\"set\":{\"plan\":\"free\"},\"next\":\"pause\"},"
      "{\"id\":\"up\",\"set\":{\"plan\":\"pro\",\"country\":\"SE\",\"birthday\":{\"from\":"
      "\"trait.birthday\"}}},"
      "{\"id\":\"pause\",\"wait\":\"9 hours\"},"
      "{\"id\":\"again\",\"record\":{\"event\":\"Visit\",\"properties\":{\"items\":[3,4],"
      "\"revenue\":{\"from\":\"event.revenue\"}}}},"
      "{\"id\":\"more\",\"split\":[{\"share\":50,\"next\":\"joins\"},{\"share\":50,\"next\":"
      "\"leaves\"}]},"
      "{\"id\":\"joins\",\"join_list\":\"news\"},"
      "{\"id\":\"yes\",\"consent\":{\"topic\":\"offers\",\"state\":\"subscribed\"},\"next\":"
      "\"start\"},"
      "{\"id\":\"leaves\",\"leave_list\":\"news\"},"
      "{\"id\":\"no\",\"consent\":{\"topic\":\"offers\",\"channel\":\"sms\",\"state\":"
      "\"unsubscribed\"}},"
      "{\"id\":\"start\",\"start_journey\":\"orders\"}]}" },
};

uint32_t life_segments_count(void)
{
    return SEGMENTS;
}

struct str life_segment(uint32_t number)
{
    return str_of(segments[number][0]);
}

/* ---- telling ---- */

uint32_t life_draw(struct life *life, uint32_t below)
{
    life->random = hash_u64(life->random, 77);
    return (uint32_t)(life->random >> 20) % below;
}

static void stamp(const struct life *life, struct record *record)
{
    record->seq = life->seq;
    record->received_ms = life->now_ms;
    if (record->at_ms == 0)
        record->at_ms = life->now_ms;
}

static void record_keep(struct life *life, struct record record, uint32_t profile)
{
    assert_true(life->kept.events_count < LIFE_EVENTS_MAX);
    life->kept.events[life->kept.events_count].record = record;
    life->kept.events[life->kept.events_count++].profile = profile;
}

/* What nodes told before that number. */
static void told_keep(struct life *life, uint64_t before)
{
    for (; life->told < life->out.told_count && life->out.told[life->told].seq < before;
         life->told++) {
        const struct told_event *told = &life->out.told[life->told];
        record_keep(life,
                    (struct record){ .kind = told->is_traits ? RECORD_IDENTIFY : RECORD_TRACK,
                                     .seq = told->seq,
                                     .name = told->name,
                                     .at_ms = told->at_ms,
                                     .received_ms = told->received_ms,
                                     .properties = told->properties },
                    told->profile);
    }
}

/* What there is of it on a timeline now, in order of the numbers. */
static void events_keep(struct life *life, const struct record *record, enum err err)
{
    bool is_event = record->kind == RECORD_TRACK || record->kind == RECORD_IDENTIFY ||
                    record->kind == RECORD_MESSAGE;
    struct record kept = *record;
    told_keep(life, life->out.seq);
    kept.seq = life->out.seq;
    if (err == OK && record->kind == RECORD_TRACK)
        assert_int_equal(life->out.older, life_is_older(life, record));
    if (err == OK && is_event && life->out.profile != PROFILE_NONE)
        record_keep(life, kept, life->out.profile);
    told_keep(life, UINT64_MAX);
}

/* Each engine is told; what came of it for broadcasts is judged. */
static enum err tell(struct life *life, struct engine *engine, struct casting *casting,
                     struct out *out, const struct record *record)
{
    if (casting != NULL)
        casting_before(casting, engine);
    enum err err = engine_apply(engine, record, out, NULL);
    if (engine == life->engine)
        events_keep(life, record, err);
    if (casting != NULL) {
        casting_after(life, casting, engine, out, record, err);
        casting_judge(life, casting, engine);
    }
    return err;
}

static void seq_settle(struct life *life)
{
    uint64_t seq = engine_seq(life->engine);
    if (life->twin != NULL && engine_seq(life->twin) > seq)
        seq = engine_seq(life->twin);
    if (seq > life->seq)
        life->seq = seq;
}

enum err life_tell_apart(struct life *life, struct record record, struct record twins,
                         enum err *twins_err)
{
    life->seq++;
    stamp(life, &record);
    stamp(life, &twins);
    enum err err = tell(life, life->engine, life->casting, &life->out, &record);
    *twins_err = err;
    if (record.kind == RECORD_UNMERGE) { /* it names a decision, and numbers may differ by now */
        engine_close(life->twin);
        life->twin = NULL;
    }
    if (life->twin != NULL)
        *twins_err = tell(life, life->twin, life->twin_casting, &life->twin_out, &twins);
    seq_settle(life);
    if (life->casting != NULL)
        life_cast_keep(life);
    return err;
}

enum err life_tell(struct life *life, struct record record)
{
    enum err twins_err, err = life_tell_apart(life, record, record, &twins_err);
    assert_int_equal(twins_err, err);
    return err;
}

void life_settle(struct life *life)
{
    do
        assert_ok(life_tell(life, (struct record){ .kind = RECORD_CLOCK }));
    while (engine_has_job(life->engine) || (life->twin != NULL && engine_has_job(life->twin)));
}

static void define_by(struct life *life, enum definition_kind kind, const char *name,
                      const char *text, uint8_t flags)
{
    struct kept *kept = &life->kept;
    assert_ok(life_tell(life, (struct record){ .kind = RECORD_DEFINE,
                                               .flags = flags,
                                               .definition_kind = kind,
                                               .name = str_of(name),
                                               .body = str_of(text) }));
    assert_true(kept->definitions_count < LIFE_DEFINITIONS_MAX);
    kept->definitions[kept->definitions_count].kind = kind;
    kept->definitions[kept->definitions_count].name = name;
    kept->definitions[kept->definitions_count].text = text;
    kept->definitions[kept->definitions_count++].seq = (uint32_t)life->seq;
}

void life_define(struct life *life, enum definition_kind kind, const char *name, const char *text)
{
    define_by(life, kind, name, text, 0);
}

const struct json *life_object(struct life *life, struct str text)
{
    struct json *value = ARENA_NEW(life->arena, struct json);
    assert_ok(json_parse_once(life->arena, text, value, NULL));
    return value;
}

void life_definitions_tell(struct life *life)
{
    life_define(life, DEFINE_WORKSPACE, "workspace", workspaces[0]);
    life_define(life, DEFINE_TRAIT, "reckoned", reckonings[0]);
    life_define(life, DEFINE_STAGES, "stages", stages[0]);
    life_define(life, DEFINE_SEGMENT, segments[0][0], segments[0][1]);
    life_define(life, DEFINE_SEGMENT, segments[1][0], segments[1][1]);
    for (size_t i = 0; i < sizeof journeys / sizeof journeys[0]; i++)
        life_define(life, DEFINE_JOURNEY, journeys[i][0], journeys[i][1]);
    for (int i = 2; i < SEGMENTS; i++)
        life_define(life, DEFINE_SEGMENT, segments[i][0], segments[i][1]);
}

/* ---- at random ---- */

/* Published in the place of the first: other waits, in another order, and one of them gone. */
static const char orders_anew[] =
    "{\"journey\":\"orders\",\"trigger\":{\"event\":\"Order\"},\"reentry\":\"always\","
    "\"goal\":{\"condition\":\"did \\\"Visit\\\" since entry and reckoned > 30\","
    "\"within\":\"4 days\",\"value\":\"revenue\"},\"exit_on_goal\":true,"
    "\"exit_when\":\"did \\\"Other\\\" since entry\",\"nodes\":["
    "{\"id\":\"first\",\"wait\":\"2 hours\"},{\"id\":\"more\",\"wait\":\"10 hours\"},"
    "{\"id\":\"pause\",\"wait\":\"40 hours\"},{\"id\":\"end\",\"exit\":true}]}";
static const char waits_anew[] =
    "{\"journey\":\"waits\",\"trigger\":{\"event\":\"Visit\"},\"reentry\":\"always\",\"nodes\":["
    "{\"id\":\"order\",\"wait_for\":{\"event\":\"Order\"},\"within\":\"9 hours\"},"
    "{\"id\":\"ten\",\"wait_until\":\"weekday 12:00\"},"
    "{\"id\":\"last\",\"wait_for\":\"did \\\"Order\\\" today\",\"within\":\"2 days\"}]}";

static struct str who(struct life *life, const char *letter, uint32_t below)
{
    if (life->busy && life_draw(life, 40) > 0)
        below = BUSY_USERS;
    if (life->crowd)
        below = CROWD_USERS;
    return str_format(life->arena, "%s%u", letter, life_draw(life, below));
}

/* Mostly now, sometimes late, sometimes dated ahead. */
static int64_t when(struct life *life)
{
    uint32_t kind = life_draw(life, 10);
    if (kind < 7)
        return life->now_ms;
    int64_t shift = (int64_t)life_draw(life, 8 * 24) * TIME_HOUR_MS;
    return kind == 7 ? life->now_ms + shift / 8 : life->now_ms - shift;
}

static const struct json *traits_random(struct life *life)
{
    static const char *const     countries[] = { "NO", "SE", "DE" };
    SCOPED(buf_donep) struct buf text = buf_make(1000);
    buf_format(&text, "{\"country\":\"%s\",\"plan\":\"%s\"", countries[life_draw(life, 3)],
               life_draw(life, 2) ? "pro" : "free");
    if (life_draw(life, 4) > 0) /* some share one */
        buf_format(&text, ",\"email\":\"e%u@x.example\"", life_draw(life, ADDRESSES));
    if (life_draw(life, 4) == 0)
        buf_format(&text, ",\"timezone\":\"%s\"", places[life_draw(life, 4)]);
    if (life_draw(life, 3) == 0)
        buf_format(&text, ",\"birthday\":\"1990-01-%02u\"", 1 + life_draw(life, 28));
    if (life_draw(life, 3) == 0)
        buf_format(&text, ",\"renewal\":\"2026-01-%02uT12:00:00Z\"", 1 + life_draw(life, 28));
    buf_char(&text, '}');
    return life_object(life, str_copy(life->arena, buf_view(&text)));
}

static struct record message_random(struct life *life)
{
    struct str properties = str_format(life->arena, "{\"template\":\"t\",\"machine\":%s}",
                                       life_draw(life, 2) ? "true" : "false");
    return (struct record){ .kind = RECORD_MESSAGE,
                            .name =
                                life_draw(life, 2) ? EVENT_MESSAGE_CLICKED : EVENT_MESSAGE_OPENED,
                            .profile = life_draw(life, people_count(engine_people(life->engine))),
                            .properties = life_object(life, properties),
                            .at_ms = when(life) };
}

static void definition_random(struct life *life)
{
    uint32_t i = life_draw(life, SEGMENTS), kind = life_draw(life, 9);
    uint8_t  moves = life_draw(life, 3) > 0 ? RECORD_MOVE : 0;
    if (kind == 0)
        life_define(life, DEFINE_TRAIT, "reckoned", reckonings[life_draw(life, 4)]);
    else if (kind == 1)
        life_define(life, DEFINE_STAGES, "stages", stages[life_draw(life, OTHERS)]);
    else if (kind > 6)
        define_by(life, DEFINE_JOURNEY, "orders", life_draw(life, 2) ? journeys[0][1] : orders_anew,
                  moves);
    else if (kind > 5)
        define_by(life, DEFINE_JOURNEY, "waits", life_draw(life, 2) ? journeys[2][1] : waits_anew,
                  moves);
    else if (kind == 2)
        life_define(life, DEFINE_WORKSPACE, "workspace", workspaces[life_draw(life, OTHERS)]);
    else
        life_define(life, DEFINE_SEGMENT, segments[i][0],
                    life_draw(life, 3) > 0 ? changed[life_draw(life, CHANGED)] : segments[i][1]);
}

void life_record_random(struct life *life)
{
    struct record r = { .kind = RECORD_TRACK, .at_ms = when(life) };
    uint32_t      kind = life_draw(life, life->busy ? 60 : 20);
    int           revenue = (int)life_draw(life, 40) - (life_draw(life, 20) == 0 ? 40 : 0);
    bool          known = life_draw(life, 3) > 0;
    if (known)
        r.user_id = who(life, "u", USERS);
    if (!known || life_draw(life, 3) == 0)
        r.anonymous_id = who(life, "d", DEVICES);
    r.name = str_of(life_events[life_draw(life, LIFE_EVENTS)]);
    r.properties = life_object(
        life,
        str_format(life->arena, "{\"revenue\":%d,\"items\":[%u,\"a\",%u],\"cart\":%u,\"due\":%lld}",
                   revenue, life_draw(life, 5), life_draw(life, 9), life_draw(life, 3),
                   (long long)(life->now_ms + (int64_t)life_draw(life, 48) * TIME_HOUR_MS)));
    if (kind < 4) {
        r.kind = RECORD_IDENTIFY;
        r.properties = traits_random(life);
        r.name = STR_NONE;
    } else if (kind == 4) {
        r = (struct record){ .kind = RECORD_ALIAS,
                             .user_id = who(life, "u", USERS),
                             .previous_id = life_draw(life, 2) ? who(life, "u", USERS)
                                                               : who(life, "d", DEVICES) };
        if (str_eq(r.user_id, r.previous_id))
            return;
    } else if (kind == 5) {
        r = (struct record){ .kind = RECORD_LIST,
                             .user_id = who(life, "u", USERS),
                             .name = STR("news"),
                             .at_ms = when(life),
                             .flags = life_draw(life, 2) ? RECORD_LEAVE : 0 };
    } else if (kind == 6 && people_count(engine_people(life->engine)) > 0) {
        uint32_t            p = life_draw(life, people_count(engine_people(life->engine)));
        const struct state *state = people_state_get(engine_people(life->engine), p);
        if (state->rarer->merges.count == 0)
            return;
        r = (struct record){
            .kind = RECORD_UNMERGE,
            .profile = p,
            .merge = state->rarer->merges.items[life_draw(life, state->rarer->merges.count)].id
        };
    } else if (kind == 7) {
        r.flags = RECORD_HISTORICAL;
    } else if (kind == 8 && people_count(engine_people(life->engine)) > 0) {
        r = (struct record){ .kind = RECORD_CONSENT,
                             .name = life_draw(life, 3) > 0 ? STR("news") : STR_NONE,
                             .at_ms = when(life),
                             .profile = life_draw(life, people_count(engine_people(life->engine))),
                             .properties = life_object(
                                 life, life_draw(life, 2) ? STR("{\"state\":\"subscribed\"}")
                                                          : STR("{\"state\":\"unsubscribed\"}")) };
    } else if (kind == 9 && life_draw(life, 2) == 0) {
        definition_random(life);
        return;
    } else if (kind == 10 && people_count(engine_people(life->engine)) > 0) {
        r = message_random(life);
    } else if (kind == 11 && (life->busy || life_draw(life, 3) == 0) &&
               people_count(engine_people(life->engine)) > 0) {
        r = (struct record){ .kind = RECORD_ERASE,
                             .profile =
                                 life_draw(life, people_count(engine_people(life->engine))) };
        life->erased += !people_is_nobody(engine_people(life->engine), r.profile);
    }
    enum err err = life_tell(life, r);
    assert_true(err == OK || err == ERR_CONFLICT || err == ERR_ABSENT);
}
