/*
 * Withdrawals racing with sends: words of consent, claims, outcomes that put a message back into
 * the queue, merges and the clock in random order. A naive judge hears every word and looks at
 * every claim: nothing may be claimed that its reader had refused by then, or not yet confirmed.
 */
#include "engine/engine_world_test.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/segment/segment_random_test.h"

enum { PEOPLE = 12, STEPS = 3000, WORDS_MAX = STEPS, SENDING_MAX = STEPS };

/* "all" stands for every topic. Topic 2 asks forms to confirm, 3 is opt-in. */
static const char *const topics[] = { "", "news", "paper", "offers" };
static const char *const channels[] = { "", "email", "sms" };
enum { TOPICS = 4, CHANNELS_SAID = 3, CONFIRMED = 2, OPT_IN = 3 };

struct word {
    uint32_t           person; /* the root, when it was said */
    int                topic, channel;
    enum consent_state state;
    bool               holds; /* a refusal that nobody has taken back */
};

struct race {
    struct world w;
    struct dice  dice;
    struct word  words[WORDS_MAX];
    int          words_count;
    struct claim sending[SENDING_MAX];
    int          sending_count, sent, dropped, refused;
};

static uint32_t root_of(const struct race *race, uint32_t profile)
{
    return people_root(engine_people(race->w.engine), profile);
}

/* ---- the judge ---- */

/* A refusal of anyone who is this person by now holds until the same is said otherwise by them. */
static void judge_hear(struct race *race, struct word word)
{
    for (int i = 0; i < race->words_count; i++) {
        struct word *before = &race->words[i];
        if (before->topic == word.topic && before->channel == word.channel &&
            root_of(race, before->person) == word.person)
            before->holds = false;
    }
    word.holds = word.state == CONSENT_REFUSED;
    race->words[race->words_count++] = word;
}

static bool speaks(const struct race *race, const struct word *word, uint32_t person, int topic)
{
    return root_of(race, word->person) == person && (word->topic == 0 || word->topic == topic) &&
           (word->channel == 0 || word->channel == 1);
}

/* Was the word about this very topic and channel taken back later? */
static bool is_taken_back(const struct race *race, int at)
{
    const struct word *word = &race->words[at];
    for (int i = at; i < race->words_count; i++)
        if (race->words[i].state == CONSENT_UNKNOWN && race->words[i].topic == word->topic &&
            race->words[i].channel == word->channel &&
            root_of(race, race->words[i].person) == root_of(race, word->person))
            return true;
    return false;
}

static enum consent_state last_word(const struct race *race, uint32_t person, int topic)
{
    for (int i = race->words_count - 1; i >= 0; i--)
        if (speaks(race, &race->words[i], person, topic) && !is_taken_back(race, i))
            return race->words[i].state;
    return CONSENT_UNKNOWN;
}

static void judge_claim(struct race *race, const struct claim *claim)
{
    uint32_t   person = root_of(race, claim->profile);
    struct str name =
        program_name(engine_program(race->w.engine), NAME_TEMPLATE, claim->template_id);
    int topic = -1;
    for (int t = 1; t < TOPICS; t++)
        if (str_eq(name, str_of(topics[t])))
            topic = t;
    if (topic < 0)
        return; /* a receipt, or a mail that asks to confirm */
    for (int i = 0; i < race->words_count; i++)
        assert_false(race->words[i].holds && speaks(race, &race->words[i], person, topic));
    assert_true(last_word(race, person, topic) != CONSENT_PENDING);
    assert_true(topic != OPT_IN || last_word(race, person, topic) == CONSENT_GRANTED);
}

/* ---- what happens ---- */

static uint32_t somebody(struct race *race)
{
    char name[2] = { (char)('a' + dice_roll(&race->dice, PEOPLE)), 0 };
    return engine_find(race->w.engine, str_of(name));
}

/* What was decided last about consent is what is in force; the engine may ask to confirm. */
static void say(struct race *race)
{
    static const char *const states[] = { "unsubscribed", "unsubscribed", "subscribed",
                                          "subscribed", "unknown" };
    static const char *const sources[] = { "api", "form", "confirmation" };
    struct word              word = { .person = root_of(race, somebody(race)),
                                      .topic = (int)dice_roll(&race->dice, TOPICS),
                                      .channel = (int)dice_roll(&race->dice, CHANNELS_SAID) };
    struct json              value;
    struct str               text =
        str_format(race->w.arena, "{\"state\":\"%s\",\"channel\":\"%s\",\"source\":\"%s\"}",
                   states[dice_roll(&race->dice, 5)], channels[word.channel],
                   sources[dice_roll(&race->dice, 3)]);
    size_t before = race->w.out.decisions_count;
    assert_ok(json_parse_once(race->w.arena, text, &value, NULL));
    if (engine_world_tell(&race->w, (struct record){ .kind = RECORD_CONSENT,
                                                     .profile = word.person,
                                                     .name = str_of(topics[word.topic]),
                                                     .properties = &value }) != OK)
        return; /* a form said yes to everything */
    for (size_t i = before; i < race->w.out.decisions_count; i++)
        if (race->w.out.decisions[i].kind == DECISION_CONSENT)
            word.state = (enum consent_state)race->w.out.decisions[i].object;
    race->refused += word.state == CONSENT_REFUSED;
    judge_hear(race, word);
}

static void happen(struct race *race)
{
    static const char *const events[] = { "news", "paper", "offers", "receipt" };
    char                     name[2] = { (char)('a' + dice_roll(&race->dice, PEOPLE)), 0 };
    assert_ok(engine_world_tell(
        &race->w, (struct record){ .kind = RECORD_TRACK,
                                   .user_id = str_of(name),
                                   .name = str_of(events[dice_roll(&race->dice, 4)]) }));
}

static void claim(struct race *race)
{
    size_t before = race->w.out.claims_count, decided = race->w.out.decisions_count;
    assert_ok(engine_world_tell(
        &race->w,
        (struct record){ .kind = RECORD_CLAIM, .count = 1 + (uint32_t)dice_roll(&race->dice, 4) }));
    for (size_t i = before; i < race->w.out.claims_count; i++) {
        judge_claim(race, &race->w.out.claims[i]);
        race->sending[race->sending_count++] = race->w.out.claims[i];
        race->sent++;
    }
    for (size_t i = decided; i < race->w.out.decisions_count; i++)
        race->dropped += race->w.out.decisions[i].kind == DECISION_DROPPED;
}

/* Deferred and returned ones wait again, and are claimed again: maybe after a refusal. */
static void outcome(struct race *race)
{
    static const enum outcome_kind kinds[] = { OUTCOME_SENT, OUTCOME_DEFERRED, OUTCOME_DEFERRED,
                                               OUTCOME_RETURNED, OUTCOME_FAILED };
    if (race->sending_count == 0)
        return;
    int          at = (int)dice_roll(&race->dice, (uint32_t)race->sending_count);
    struct claim it = race->sending[at];
    race->sending[at] = race->sending[--race->sending_count];
    assert_ok(engine_world_tell(
        &race->w,
        (struct record){ .kind = RECORD_OUTCOME,
                         .profile = it.profile,
                         .outcome = { .message = it.message,
                                      .kind = kinds[dice_roll(&race->dice, 5)],
                                      .retry_at_ms = race->w.now_ms + TIME_MINUTE_MS } }));
}

/* Two become one: what either refused is refused. */
static void merge(struct race *race)
{
    char a[2] = { (char)('a' + dice_roll(&race->dice, PEOPLE)), 0 };
    char b[2] = { (char)('a' + dice_roll(&race->dice, PEOPLE)), 0 };
    if (a[0] != b[0])
        assert_ok(engine_world_tell(&race->w, (struct record){ .kind = RECORD_ALIAS,
                                                               .user_id = str_of(a),
                                                               .previous_id = str_of(b) }));
}

static void begin(struct race *race)
{
    static const char *const mails[] = { "news", "paper", "offers", "receipt" };
    assert_ok(engine_world_define(&race->w, DEFINE_TEMPLATE, "confirm",
                                  "subject: Is it you?\ntransactional: yes\n--- html\nhi"));
    for (int i = 0; i < 4; i++) {
        struct str text =
            str_format(race->w.arena, "subject: x\n%s%s\n--- html\nhi",
                       i == 3 ? "transactional: yes" : "topic: ", i == 3 ? "" : mails[i]);
        struct str journey = str_format(
            race->w.arena,
            "{\"journey\":\"%s\",\"trigger\":{\"event\":\"%s\"},\"reentry\":\"always\","
            "\"nodes\":[{\"id\":\"m\",\"email\":\"%s\"},{\"id\":\"w\",\"wait\":\"1 minute\"},"
            "{\"id\":\"n\",\"email\":\"%s\"}]}",
            mails[i], mails[i], mails[i], mails[i]);
        assert_ok(engine_world_define(&race->w, DEFINE_TEMPLATE, mails[i], text.ptr));
        assert_ok(engine_world_define(&race->w, DEFINE_JOURNEY, mails[i], journey.ptr));
    }
    assert_ok(engine_world_define(
        &race->w, DEFINE_TOPICS, "topics",
        "{\"topics\":[{\"id\":\"news\"},{\"id\":\"paper\",\"confirm\":[\"form\"]},"
        "{\"id\":\"offers\",\"opt_in\":true}]}"));
    for (int i = 0; i < PEOPLE; i++) {
        char        name[2] = { (char)('a' + i), 0 };
        struct json traits;
        struct str  text = str_format(race->w.arena, "{\"email\":\"%s@example.com\"}", name);
        assert_ok(json_parse_once(race->w.arena, text, &traits, NULL));
        assert_ok(engine_world_tell(&race->w, (struct record){ .kind = RECORD_IDENTIFY,
                                                               .user_id = str_of(name),
                                                               .properties = &traits }));
    }
}

static void step(struct race *race)
{
    uint32_t what = (uint32_t)dice_roll(&race->dice, 100);
    if (what < 30)
        happen(race);
    else if (what < 55)
        say(race);
    else if (what < 80)
        claim(race);
    else if (what < 95)
        outcome(race);
    else if (what < 96)
        merge(race);
    else
        engine_world_tick(&race->w, TIME_MINUTE_MS / 2);
}

TEST(consent, withdrawals_that_race_with_sends_win_from_the_record_on_that_told_them)
{
    uint64_t seed = dice_seed("consent_race");
    int      sent = 0, dropped = 0, refused = 0;
    for (int run = 0; run < 6; run++) {
        struct race *race = calloc(1, sizeof *race);
        race->w = engine_world_open();
        race->dice = (struct dice){ .state = seed + (uint64_t)run };
        begin(race);
        for (int i = 0; i < STEPS; i++)
            step(race);
        sent += race->sent;
        dropped += race->dropped;
        refused += race->refused;
        engine_world_close(&race->w);
        free(race);
    }
    /* It was a race, and not a walk-over. */
    assert_true(sent > 500 && dropped > 200 && refused > 500);
}
