/* Random mail of random people, beside plain loops over who was written to when by which journey.
 */
#include "engine/report/sameday.h"

#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "base/zone.h"
#include "engine/behaviour/edition.h"
#include "engine/behaviour/view.h"
#include "engine/engine_world_test.h"

enum { PEOPLE = 12, MESSAGES = 260, JOURNEYS = 3 };

static const struct str NAMES[JOURNEYS] = { { "cart", 4 }, { "sale", 4 }, { "welcome", 7 } };

/* A message: journey JOURNEYS is none of those asked about, one more is no journey at all. */
struct told {
    int     who, journey;
    bool    failed;
    int64_t at_ms;
};

struct mail {
    struct world world;
    unsigned     seed;
    struct told  told[MESSAGES];
    uint32_t     root[PEOPLE];
};

static int roll(struct mail *mail, int sides)
{
    mail->seed = mail->seed * 1664525u + 1013904223u;
    return (int)(mail->seed >> 8) % sides;
}

static struct str user(struct mail *mail, int who)
{
    return str_format(mail->world.arena, "u%d", who);
}

static uint32_t person(struct mail *mail, int who)
{
    return people_root(engine_people(mail->world.engine),
                       engine_find(mail->world.engine, user(mail, who)));
}

static void tell(struct mail *mail, int number)
{
    struct world *w = &mail->world;
    struct told  *told = &mail->told[number];
    struct json  *properties = ARENA_NEW(w->arena, struct json);
    struct str    name = told->journey < JOURNEYS    ? NAMES[told->journey]
                         : told->journey == JOURNEYS ? STR("other")
                                                     : STR_NONE;
    struct str text = str_format(w->arena, "{\"message\":\"%d\",\"journey\":\"%.*s\"}", number + 1,
                                 STR_ARG(name));
    assert_ok(json_parse_once(w->arena, text, properties, NULL));
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_MESSAGE,
                            .name = told->failed ? STR("Message Failed") : STR("Message Sent"),
                            .profile = person(mail, told->who),
                            .message = (uint64_t)number + 1,
                            .at_ms = told->at_ms,
                            .properties = properties }));
}

static void mail_open(struct mail *mail, unsigned seed)
{
    *mail = (struct mail){ .world = engine_world_open(), .seed = seed };
    struct world *w = &mail->world;
    for (int i = 0; i < PEOPLE; i++)
        assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                                        .user_id = user(mail, i),
                                                        .name = STR("Came") }));
    for (int m = 0; m < MESSAGES; m++) {
        engine_world_tick(w, 1 + roll(mail, 2 * (int)TIME_HOUR_MS));
        mail->told[m] = (struct told){ .who = roll(mail, PEOPLE),
                                       .journey = roll(mail, JOURNEYS + 2),
                                       .failed = roll(mail, 8) == 0,
                                       .at_ms = w->now_ms };
        tell(mail, m);
        if (roll(mail, 60) == 0) /* two turn out to be one */
            (void)engine_world_tell(
                w, (struct record){ .kind = RECORD_ALIAS,
                                    .user_id = user(mail, roll(mail, PEOPLE)),
                                    .previous_id = user(mail, roll(mail, PEOPLE)) });
    }
    for (int i = 0; i < PEOPLE; i++)
        mail->root[i] = person(mail, i);
}

static bool wrote(const struct mail *mail, const struct sameday_question *q,
                  const struct zone *zone, uint32_t root, int journey, int64_t day)
{
    for (int m = 0; m < MESSAGES; m++) {
        const struct told *told = &mail->told[m];
        if (mail->root[told->who] == root && told->journey == journey && !told->failed &&
            told->at_ms >= q->from_ms && told->at_ms < q->to_ms &&
            zone_day_of(zone, told->at_ms) == day)
            return true;
    }
    return false;
}

static struct sameday_pair twin(const struct mail *mail, const struct sameday_question *q,
                                const struct zone *zone, int a, int b)
{
    struct sameday_pair pair = { 0 };
    int64_t             first = zone_day_of(zone, mail->told[0].at_ms) - 1;
    int64_t             last = zone_day_of(zone, mail->told[MESSAGES - 1].at_ms) + 1;
    for (int i = 0; i < PEOPLE; i++) {
        uint64_t days = 0;
        bool     is_first = true; /* several users may be one person */
        for (int k = 0; k < i; k++)
            is_first = is_first && mail->root[k] != mail->root[i];
        for (int64_t day = first; is_first && day <= last; day++)
            days += wrote(mail, q, zone, mail->root[i], a, day) &&
                    wrote(mail, q, zone, mail->root[i], b, day);
        pair.days += days;
        pair.people += days > 0;
    }
    return pair;
}

static void compare(struct mail *mail, const struct zone *zone, int64_t from_ms, int64_t to_ms)
{
    const struct dict      *keys = engine_program(mail->world.engine)->names[NAME_PROPERTY];
    struct edition         *edition = engine_edition(mail->world.engine);
    struct view            *view;
    struct sameday_pair     pairs[JOURNEYS * JOURNEYS] = { { 0 } };
    struct sameday_question q = { .keys = { .message = dict_find(keys, STR("message")),
                                            .entry = DICT_NONE,
                                            .class = DICT_NONE,
                                            .broadcast = DICT_NONE },
                                  .journeys = NAMES,
                                  .count = JOURNEYS,
                                  .from_ms = from_ms,
                                  .to_ms = to_ms };
    assert_ok(view_make(&view, edition, NULL));
    struct report report = { .view = view, .at_ms = mail->world.now_ms, .zone = zone };
    for (uint32_t i = 0; i < 3; i++) {
        struct sameday_pair part[JOURNEYS * JOURNEYS] = { { 0 } };
        assert_ok(sameday_run(&report, &q, report_part(&report, i, 3), part));
        sameday_add(&q, pairs, part);
    }
    uint64_t all = 0;
    for (int a = 0; a < JOURNEYS; a++)
        for (int b = 0; b < JOURNEYS; b++) {
            struct sameday_pair is = pairs[a * JOURNEYS + b];
            struct sameday_pair wanted =
                a < b ? twin(mail, &q, zone, a, b) : (struct sameday_pair){ 0 };
            assert_int_equal(is.days, wanted.days);
            assert_int_equal(is.people, wanted.people);
            all += is.days;
        }
    assert_true(all > 0 || to_ms - from_ms < TIME_DAY_MS);
    view_drop(view);
    edition_drop(edition);
}

TEST(sameday, counts_who_was_written_to_by_two_journeys_on_one_day_of_the_zone)
{
    static const struct zone far = { .name = { "far", 3 }, .offset_s = 9 * 3600 };
    for (unsigned seed = 1; seed <= 8; seed++) {
        static struct mail mail;
        mail_open(&mail, seed);
        int64_t end_ms = mail.world.now_ms + 1, begin_ms = mail.told[0].at_ms;
        compare(&mail, NULL, begin_ms, end_ms);
        compare(&mail, &far, begin_ms, end_ms);
        compare(&mail, NULL, mail.told[MESSAGES / 3].at_ms, mail.told[MESSAGES / 2].at_ms);
        engine_world_close(&mail.world);
    }
}
