/* What is told of broadcasts in a random life: launches and other acts, codes, claims and answers.
 */
#include "engine/engine_life_cast_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/broadcast.h"
#include "engine/codes.h"

enum { PEOPLE = 12, DRAIN_STEPS = 1000, CLAIMS_EACH = 4 };
#define DRAIN_MS (20 * TIME_MINUTE_MS)

static const struct {
    const char *condition;
    bool        is_pure; /* nothing that it names is defined anew */
} audiences[] = {
    { "everyone", true },
    { "plan = \"pro\"", true },
    { "country in (\"NO\", \"SE\")", true },
    { "did \"Visit\" at least 2 times in the last 3 days", true },
    { "never did \"Order\" in the last 2 days", true },
    { "in segment \"active\"", false },
    { "in stage \"regular\"", false },
    { "reckoned > 20", false },
};
enum { AUDIENCES = sizeof audiences / sizeof audiences[0] };

static struct casting *casting_open(void)
{
    struct casting *casting = calloc(1, sizeof *casting);
    assert_non_null(casting);
    return casting;
}

/* Those who are told of most have an address from the first. */
static void people_tell(struct life *life)
{
    for (uint32_t i = 0; i < PEOPLE; i++)
        assert_ok(life_tell(
            life, (struct record){
                      .kind = RECORD_IDENTIFY,
                      .user_id = str_format(life->arena, "u%u", i),
                      .properties = life_object(
                          life, str_format(life->arena, "{\"email\":\"U%u@x.example\"}", i)) }));
}

/* When people are left in peace, and how much they get. */
enum { LIMITS = 4 };
static const char *const limits[LIMITS] = {
    "{}",
    "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}",
    "{\"limits\":[{\"most\":2,\"in\":\"1 day\",\"wait\":\"1 day\"},{\"most\":4,\"in\":\"7 "
    "days\"}]}",
    "{\"quiet\":[{\"from\":\"monday or friday 12:00\",\"to\":\"09:00\"}],"
    "\"limits\":[{\"most\":1,\"in\":\"6 hours\",\"wait\":\"2 days\",\"channel\":\"email\"}]}",
};

void life_cast_begin(struct life *life)
{
    life->casting = casting_open();
    life->twin_casting = casting_open();
    people_tell(life);
    life_define(life, DEFINE_CODES, "gift", "{\"kind\":\"pool\",\"expires\":\"2 days\"}");
    life_define(life, DEFINE_LIMITS, "limits", limits[life_draw(life, LIMITS)]);
    life_define(life, DEFINE_TEMPLATE, "plain", "subject: s\ntopic: news\n--- html\nx");
    life_define(life, DEFINE_TEMPLATE, "other", "subject: s\ntopic: news\n--- html\ny");
    life_define(life, DEFINE_TEMPLATE, "gift",
                "subject: s\ntopic: news\n--- html\n{{ codes.gift.code }}");
}

void life_cast_done(struct life *life)
{
    free(life->casting);
    free(life->twin_casting);
}

/* ---- what a store has of it ---- */

void life_cast_keep(struct life *life)
{
    struct kept                 *kept = &life->kept;
    SCOPED(buf_donep) struct buf text = buf_make(1 << 16);
    uint32_t                     number, page;
    struct str                   letters;
    while (engine_broadcast_page(life->engine, &number, &page, &letters)) {
        assert_true(page == 0 && number < LIFE_CASTS_MAX);
        kept->cast_pages[number] = str_copy(life->arena, letters);
    }
    if (!engine_broadcasts_moved(life->engine))
        return;
    engine_broadcasts_write(life->engine, &text);
    assert_ok(buf_err(&text));
    kept->casts = str_copy(life->arena, buf_view(&text));
}

void life_cast_load(struct life *life)
{
    const struct kept           *kept = &life->kept;
    SCOPED(buf_donep) struct buf codes = buf_make(1 << 12);
    engine_codes_write(life->engine, &codes);
    assert_ok(engine_codes_load(life->twin, buf_view(&codes)));
    assert_ok(engine_broadcasts_load(life->twin, kept->casts));
    for (uint32_t i = 0; i < LIFE_CASTS_MAX; i++)
        if (kept->cast_pages[i].len > 0 && engine_broadcast_pages(life->twin, i) > 0)
            assert_ok(engine_broadcast_page_load(life->twin, i, 0, kept->cast_pages[i]));
}

void life_cast_loaded(struct life *life)
{
    struct casting *casting = life->twin_casting;
    *casting = *life->casting;
    casting->decisions_seen = casting->claims_seen = 0;
    for (uint32_t i = 0; i < casting->count; i++)
        casting_readdress(life, life->twin, &casting->casts[i]);
    for (uint32_t i = 0; i < casting->away_count; i++) { /* as a start lists what is in doubt */
        uint32_t bearer = cast_bearer(life->twin, casting->away[i].message);
        if (bearer != PROFILE_NONE)
            casting->away[i].profile = bearer;
    }
    casting_same(life, life->twin);
    casting_judge(life, casting, life->twin);
}

/* ---- acts ---- */

static const char *when_random(struct life *life, char bytes[80])
{
    int64_t at_ms = life->now_ms + (int64_t)life_draw(life, 20) * TIME_HOUR_MS + TIME_MINUTE_MS;
    char    time[TIME_TEXT_BYTES];
    switch (life_draw(life, 8)) {
    case 0:
        snprintf(bytes, 80, ",\"when\":{\"at\":\"%s\"}", time_write(at_ms, time));
        return bytes;
    case 1:
        snprintf(bytes, 80, ",\"when\":{\"local\":\"%.16s\"}", time_write(at_ms, time));
        return bytes;
    case 2:
        snprintf(bytes, 80, ",\"when\":{\"local\":\"%.10s best hour or %02u:00\"}",
                 time_write(at_ms, time), life_draw(life, 24));
        return bytes;
    default:
        return "";
    }
}

static const char *throttle_random(struct life *life, uint32_t *throttle, char bytes[40])
{
    static const uint32_t throttles[] = { 30, 200, 3600 };
    *throttle = life_draw(life, 2) == 0 ? 0 : throttles[life_draw(life, 3)];
    if (*throttle == 0)
        return "";
    snprintf(bytes, 40, ",\"throttle\":%u", *throttle);
    return bytes;
}

/* What is not a definition's goes to both castings alike. */
static void cast_add(struct life *life, struct cast cast)
{
    struct casting *all[] = { life->casting, life->twin_casting };
    for (int i = 0; i < 2; i++)
        if (i == 0 || life->twin != NULL)
            all[i]->casts[all[i]->count++] = cast;
}

/* Where its people get it by their own clocks, no winner is found by itself. */
static void experiment_write(struct life *life, bool is_local, struct cast *cast, struct buf *text)
{
    buf_str(text, STR("\"experiment\":{\"variants\":[{\"name\":\"a\",\"share\":30,"
                      "\"template\":\"plain\"},{\"name\":\"b\",\"share\":70,"
                      "\"template\":\"other\"}]"));
    cast->tested = is_local || life_draw(life, 2) == 0 ? 0 : 10 + life_draw(life, 60);
    if (cast->tested > 0)
        buf_format(text,
                   ",\"winner\":{\"share\":%u,\"decide_after\":\"%u minutes\",\"otherwise\":"
                   "\"%s\"}",
                   cast->tested, 1 + life_draw(life, 120),
                   life_draw(life, 8) > 0 ? "ahead" : "wait");
    buf_str(text, STR("},"));
}

static void cast_define(struct life *life)
{
    char        when[80], throttle[40];
    uint32_t    a = life_draw(life, AUDIENCES);
    struct cast cast = { .is_pure = audiences[a].is_pure, .has_code = life_draw(life, 2) == 0 };
    if (life->casting->count == LIFE_CASTS_MAX)
        return;
    const char *name = str_format(life->arena, "cast %u", life->casting->count).ptr;
    const char *at = when_random(life, when);
    const char *most = throttle_random(life, &cast.throttle, throttle);
    SCOPED(buf_donep) struct buf text = buf_make(1000);
    cast.is_dealt = !cast.has_code && life_draw(life, 2) == 0;
    cast.holdout = life_draw(life, 2) == 0 ? 5 + life_draw(life, 40) : 0;
    buf_format(&text, "{\"broadcast\":\"%s\",", name);
    if (cast.holdout > 0)
        buf_format(&text, "\"holdout\":{\"share\":%u},", cast.holdout);
    if (cast.is_dealt)
        experiment_write(life, str_starts(str_of(at), STR(",\"when\":{\"local")), &cast, &text);
    else
        buf_format(&text, "\"template\":\"%s\",", cast.has_code ? "gift" : "plain");
    buf_str(&text, STR("\"audience\":"));
    json_write_str(&text, str_of(audiences[a].condition));
    buf_format(&text, "%s%s}", at, most);
    buf_char(&text, '\0');
    assert_ok(buf_err(&text));
    life_define(life, DEFINE_BROADCAST, name, str_copy(life->arena, buf_view(&text)).ptr);
    cast.number = program_broadcast(engine_program(life->engine), str_of(name));
    cast_add(life, cast);
}

/* May it be done? By the broadcast's state alone. */
static bool is_allowed(const struct engine *engine, const struct cast *cast, enum broadcast_act act)
{
    struct broadcast_status s;
    bool                    is_under_way;
    assert_true(engine_broadcast(engine, cast->number, &s));
    is_under_way = s.state == BROADCAST_SCHEDULED || s.state == BROADCAST_RUNNING ||
                   s.state == BROADCAST_PAUSED;
    switch (act) {
    case BROADCAST_LAUNCH:
        return s.state == BROADCAST_DRAFT &&
               (s.def->when == BROADCAST_NOW ||
                s.def->at_ms + (s.def->when == BROADCAST_LOCAL ? 12 * TIME_HOUR_MS : 0) +
                        (s.def->is_best ? TIME_DAY_MS : 0) >
                    engine->now_ms);
    case BROADCAST_PAUSE:
        return is_under_way && s.state != BROADCAST_PAUSED;
    case BROADCAST_RESUME:
        return s.state == BROADCAST_PAUSED;
    case BROADCAST_CANCEL:
        return is_under_way;
    case BROADCAST_CHOOSE:
        return is_under_way && cast->is_dealt;
    default:
        return (is_under_way || s.state == BROADCAST_FINISHED) && s.counts[RECIPIENT_FAILED] > 0;
    }
}

static bool is_over(const struct engine *engine, const struct cast *cast)
{
    return broadcast_run_get(engine, cast->number)->finished_ms != 0;
}

static void act_tell(struct life *life, uint32_t i, enum broadcast_act act)
{
    static const char *const words[] = {
        "{\"act\":\"launch\"}",       "{\"act\":\"pause\"}",
        "{\"act\":\"resume\"}",       "{\"act\":\"cancel\"}",
        "{\"act\":\"retry-failed\"}", "{\"act\":\"choose\",\"variant\":\"b\"}"
    };
    const struct cast *cast = &life->casting->casts[i];
    struct engine     *engines[] = { life->engine, life->twin };
    enum err           errs[2];
    bool               allowed[2] = { false, false };
    struct record      record = { .kind = RECORD_BROADCAST,
                                  .name = program_name(engine_program(life->engine), NAME_BROADCAST,
                                                       cast->number),
                                  .properties = life_object(life, str_of(words[act])) };
    for (int e = 0; e < 2 && engines[e] != NULL; e++)
        allowed[e] = is_allowed(engines[e], cast, act);
    errs[0] = life_tell_apart(life, record, record, &errs[1]);
    for (int e = 0; e < 2 && engines[e] != NULL; e++)
        assert_int_equal(errs[e], allowed[e] ? OK : ERR_CONFLICT);
    life->acts[act] += allowed[0];
}

/* Mostly with the newest, which are under way; most are to live. */
static void act_random(struct life *life)
{
    static const enum broadcast_act acts[] = {
        BROADCAST_LAUNCH, BROADCAST_PAUSE,  BROADCAST_RESUME, BROADCAST_RESUME, BROADCAST_RETRY,
        BROADCAST_RETRY,  BROADCAST_CANCEL, BROADCAST_RESUME, BROADCAST_CHOOSE
    };
    uint32_t count = life->casting->count, last = count < 4 ? count : 4;
    uint32_t i =
        life_draw(life, 3) == 0 ? life_draw(life, count) : count - 1 - life_draw(life, last);
    act_tell(life, i, acts[life_draw(life, sizeof acts / sizeof *acts)]);
}

/* ---- claims and answers ---- */

static struct record answer_of(struct casting *casting, uint32_t pick,
                               struct record_outcome outcome)
{
    if (casting->away_count == 0)
        return (struct record){ .kind = RECORD_CLOCK };
    uint32_t         i = pick % casting->away_count;
    struct cast_away away = casting->away[i];
    casting->away[i] = casting->away[--casting->away_count];
    outcome.message = away.message;
    return (struct record){ .kind = RECORD_OUTCOME, .profile = away.profile, .outcome = outcome };
}

/* What is of somebody who was erased is nobody's; and of one who was erased after it went over to
 * another, and they parted, no event is kept. */
static enum err answer_err(const struct engine *engine, const struct record *record)
{
    return record->kind != RECORD_OUTCOME ||
                   (cast_bearer(engine, record->outcome.message) != PROFILE_NONE &&
                    !people_is_nobody(engine->people, record->profile))
               ? OK
               : ERR_ABSENT;
}

static void answer_tell(struct life *life, struct record_outcome outcome)
{
    uint32_t      pick = life_draw(life, 1000);
    struct record own = answer_of(life->casting, pick, outcome), its = own;
    enum err      expected = answer_err(life->engine, &own), its_expected = OK, its_err = OK;
    if (life->twin != NULL) {
        its = answer_of(life->twin_casting, pick, outcome);
        its_expected = answer_err(life->twin, &its);
    }
    assert_int_equal(life_tell_apart(life, own, its, &its_err), expected);
    if (life->twin != NULL)
        assert_int_equal(its_err, its_expected);
}

static void answer_random(struct life *life)
{
    static const enum outcome_kind kinds[] = {
        OUTCOME_SENT,     OUTCOME_SENT,     OUTCOME_SENT,     OUTCOME_SENT,
        OUTCOME_SENT,     OUTCOME_DEFERRED, OUTCOME_FAILED,   OUTCOME_UNKNOWN,
        OUTCOME_RETURNED, OUTCOME_HELD,     OUTCOME_DEFERRED, OUTCOME_FAILED,
    };
    struct record_outcome outcome = { .kind = kinds[life_draw(life, sizeof kinds / sizeof *kinds)],
                                      .text = STR("as drawn") };
    if (outcome.kind == OUTCOME_DEFERRED)
        outcome.retry_at_ms = life->now_ms + (int64_t)life_draw(life, 180) * TIME_MINUTE_MS;
    answer_tell(life, outcome);
}

static void claim_tell(struct life *life)
{
    struct record record = { .kind = RECORD_CLAIM, .count = 1 + life_draw(life, CLAIMS_EACH) };
    if (life->casting->away_count > CAST_AWAY_MAX / 2)
        return;
    assert_ok(life_tell(life, record));
}

static void codes_tell(struct life *life)
{
    assert_ok(life_tell(life, (struct record){ .kind = RECORD_CODES,
                                               .name = STR("gift"),
                                               .count = 1 + life_draw(life, 12) }));
}

/* ---- doubts ---- */

/* The profile's message that is in doubt, or 0. */
static uint64_t doubt_of(const struct engine *engine, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].state == MESSAGE_UNKNOWN)
            return state->rare->messages.items[i].id;
    return 0;
}

/* Somebody knows it after all, or a click shows it. To the other engine it may be of none. */
static void doubt_tell(struct life *life)
{
    uint32_t      people = people_count(life->engine->people), from, p;
    struct record record = { .kind = RECORD_MESSAGE,
                             .name =
                                 life_draw(life, 2) ? EVENT_MESSAGE_FAILED : EVENT_MESSAGE_CLICKED,
                             .properties = life_object(life, STR("{\"template\":\"plain\"}")) };
    struct record twins;
    enum err      twins_err;
    if (people == 0)
        return;
    from = p = life_draw(life, people);
    while ((record.message = doubt_of(life->engine, p)) == 0 && (p = (p + 1) % people) != from) {}
    if (record.message == 0)
        return;
    record.profile = p;
    twins = record;
    if (life->twin != NULL)
        twins.message = doubt_of(life->twin, p);
    assert_ok(life_tell_apart(life, record, twins, &twins_err));
}

void life_cast_go_on(struct life *life)
{
    uint32_t open = life->engine->broadcasts_open, kind = life_draw(life, 20);
    if (kind == 0 && open < 6) { /* some wait for their winner */
        cast_define(life);
        if (life_draw(life, 5) > 0)
            act_tell(life, life->casting->count - 1, BROADCAST_LAUNCH);
    } else if (kind < 3 && life->casting->count > 0) {
        act_random(life);
    } else if (kind < 8) {
        claim_tell(life);
    } else if (kind < 14) {
        answer_random(life);
    } else if (kind == 14) {
        codes_tell(life);
    } else if (kind == 15) {
        doubt_tell(life);
    }
}

/* ---- the end ---- */

static bool all_over(const struct life *life)
{
    for (uint32_t i = 0; i < life->casting->count; i++)
        if (life->casting->casts[i].is_launched && !is_over(life->engine, &life->casting->casts[i]))
            return false;
    return true;
}

/* Whatever stood still goes on, all ways are open, and each answer comes: then each broadcast is
 * over, and each row final. */
void life_cast_end(struct life *life)
{
    engine_close(life->twin);
    life->twin = NULL;
    for (uint32_t i = 0; i < life->casting->count; i++)
        if (is_allowed(life->engine, &life->casting->casts[i], BROADCAST_RESUME))
            act_tell(life, i, BROADCAST_RESUME);
    for (uint32_t i = 0; i < life->casting->count; i++) /* whatever nobody would be sure of */
        if (life->casting->casts[i].tested > 0 &&
            is_allowed(life->engine, &life->casting->casts[i], BROADCAST_CHOOSE))
            act_tell(life, i, BROADCAST_CHOOSE);
    for (int i = 0; i < DRAIN_STEPS && !all_over(life); i++) {
        life->now_ms += DRAIN_MS;
        codes_tell(life);
        life_settle(life);
        claim_tell(life);
        while (life->casting->away_count > 0)
            answer_tell(life, (struct record_outcome){ .kind = OUTCOME_SENT });
        casting_judge(life, life->casting, life->engine);
    }
    assert_true(all_over(life));
    assert_int_equal(life->engine->sending, 0);
    assert_int_equal(life->engine->queued, 0);
    assert_true(life->casting->count > 10 && life->casting->claims > (life->busy ? 3 : 20));
}
