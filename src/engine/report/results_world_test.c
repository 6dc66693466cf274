#include "engine/report/results_world_test.h"

#include "base/test.h"
#include "base/time.h"
#include "engine/behaviour/edition.h"
#include "engine/behaviour/view.h"

const char *const        MAIL_TEMPLATES[3] = { "short", "long", "other" };
const char *const        MAIL_BROADCASTS[3] = { "", "spring", "autumn" };
const char *const        MAIL_CURRENCIES[4] = { "", "NOK", "eur", "SEK" };
const struct results_arm MAIL_ARMS[2] = { { { "spring", 6 }, { "long", 4 }, { "b", 1 } },
                                          { { "spring", 6 }, { "short", 5 }, { "a", 1 } } };

static const char *const NAMES[] = { "Message Sent",         "Message Failed",
                                     "Message Bounced",      "Message Bounced",
                                     "Message Opened",       "Message Clicked",
                                     "Message Unsubscribed", "Message Complained",
                                     "Message Replied",      "Message Delivered" };

int mail_roll(struct mail *mail, int sides)
{
    mail->seed = mail->seed * 1664525u + 1013904223u;
    return (int)(mail->seed >> 8) % sides;
}

static const struct json *object(struct world *w, struct str text)
{
    struct json *value = ARENA_NEW(w->arena, struct json);
    assert_ok(json_parse_once(w->arena, text, value, NULL));
    return value;
}

uint32_t mail_person(struct mail *mail, int who)
{
    struct world *w = &mail->world;
    struct str    user = str_format(w->arena, "u%d", who);
    return people_root(engine_people(w->engine), engine_find(w->engine, user));
}

uint32_t mail_whose(struct mail *mail, int message)
{
    return mail_person(mail, mail->whose[message]);
}

static void tell(struct mail *mail, const struct told *told)
{
    struct world *w = &mail->world;
    int           m = told->message;
    struct str    text =
        str_format(w->arena,
                   told->kind == SENT ? "{\"message\":\"%d\",\"template\":\"%s\",\"broadcast\":\"%"
                                        "s\",\"class\":\"%s\",\"machine\":%s}"
                                      : "{\"message\":%d,\"template\":\"%s\",\"broadcast\":\"%s\","
                                        "\"class\":\"%s\",\"machine\":%s}",
                   m + 1, MAIL_TEMPLATES[mail->template[m]], MAIL_BROADCASTS[mail->broadcast[m]],
                   told->kind == HARD ? "hard" : "soft", told->is_machine ? "true" : "false");
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_MESSAGE,
                                                    .name = str_of(NAMES[told->kind]),
                                                    .profile = mail_whose(mail, m),
                                                    .message = (uint64_t)m + 1,
                                                    .at_ms = told->at_ms,
                                                    .properties = object(w, text) }));
}

static const char *const DEEDS[] = { "Order Completed", "Order Refunded", "Order Cancelled" };

/* Ids are few, so that some are told twice and most returns find an order. */
static void buy(struct mail *mail)
{
    struct world  *w = &mail->world;
    struct bought *one = &mail->bought[mail->bought_count++];
    int            kind = mail_roll(mail, 6);
    *one = (struct bought){ .who = mail_roll(mail, MAIL_PEOPLE),
                            .kind = kind == 4   ? 1
                                    : kind == 5 ? 2
                                                : 0,
                            .id = mail_roll(mail, 20),
                            .currency = mail_roll(mail, 4),
                            .cents = mail_roll(mail, 10) == 0 ? -1 : mail_roll(mail, 100000),
                            .at_ms = w->now_ms };
    struct str id = str_format(w->arena, one->id % 2 == 0 ? "%d" : "\"%d\"", one->id);
    struct str value = one->cents < 0 ? STR("")
                                      : str_format(w->arena,
                                                   one->id % 3 == 0 ? ",\"total\":%d.%02d"
                                                                    : ",\"revenue\":\"%d.%02d\"",
                                                   one->cents / 100, one->cents % 100);
    struct str currency = one->currency == 0 ? STR("")
                                             : str_format(w->arena, ",\"currency\":\"%s\"",
                                                          MAIL_CURRENCIES[one->currency]);
    struct str text = str_format(w->arena, "{\"order_id\":%.*s%.*s%.*s}", STR_ARG(id),
                                 STR_ARG(value), STR_ARG(currency));
    assert_ok(
        engine_world_tell(w, (struct record){ .kind = RECORD_TRACK,
                                              .user_id = str_format(w->arena, "u%d", one->who),
                                              .name = str_of(DEEDS[one->kind]),
                                              .properties = object(w, text) }));
}

void mail_open(struct mail *mail, unsigned seed)
{
    *mail = (struct mail){ .world = engine_world_open(), .seed = seed };
    struct world *w = &mail->world;
    for (int i = 0; i < MAIL_PEOPLE; i++)
        assert_ok(engine_world_tell(
            w, (struct record){ .kind = RECORD_IDENTIFY,
                                .user_id = str_format(w->arena, "u%d", i),
                                .properties = object(w, STR("{\"email\":\"a@x.no\"}")) }));
    for (int m = 0; m < MAIL_MESSAGES; m++) {
        mail->whose[m] = mail_roll(mail, MAIL_PEOPLE);
        mail->template[m] = mail_roll(mail, 3);
        mail->broadcast[m] = mail_roll(mail, 3);
    }
    for (int i = 0; i < MAIL_TOLD; i++) {
        struct told *told = &mail->told[i];
        *told =
            (struct told){ .message = mail_roll(mail, MAIL_MESSAGES),
                           .kind = mail_roll(mail, 2) == 0 ? SENT : mail_roll(mail, CONFIRMED + 1),
                           .is_machine = mail_roll(mail, 3) == 0 };
        engine_world_tick(w, 1 + mail_roll(mail, (int)TIME_MINUTE_MS));
        told->at_ms = w->now_ms;
        tell(mail, told);
        if (mail_roll(mail, 4) == 0 && mail->bought_count < MAIL_ORDERS) {
            engine_world_tick(w, 1 + mail_roll(mail, (int)TIME_MINUTE_MS));
            buy(mail);
        }
        if (mail_roll(mail, 200) == 0) { /* two turn out to be one */
            int a = mail_roll(mail, MAIL_PEOPLE), b = mail_roll(mail, MAIL_PEOPLE);
            (void)engine_world_tell(
                w, (struct record){ .kind = RECORD_ALIAS,
                                    .user_id = str_format(w->arena, "u%d", a),
                                    .previous_id = str_format(w->arena, "u%d", b) });
        }
    }
}

/* Whatever is no refusal says that it went, and ends what was refused before it did. */
struct fate mail_fate(const struct mail *mail, int message)
{
    struct fate fate = { .sent_ms = 0 };
    for (int i = 0; i < MAIL_TOLD; i++) {
        const struct told *told = &mail->told[i];
        if (told->message != message)
            continue;
        if (!fate.is_told)
            fate.sent_ms = told->at_ms;
        fate.is_told = true;
        bool is_refusal = told->kind == FAILED || told->kind == HARD || told->kind == SOFT;
        if (told->kind == SENT && !fate.was[SENT])
            fate.was[FAILED] = fate.was[HARD] = fate.was[SOFT] = false;
        if (!is_refusal && !fate.was[SENT])
            fate.sent_ms = told->at_ms;
        fate.was[SENT] = fate.was[SENT] || !is_refusal;
        if (told->is_machine && (told->kind == OPENED || told->kind == CLICKED))
            fate.by_machine[told->kind] = true;
        else
            fate.was[told->kind] = true;
    }
    return fate;
}

struct asked mail_ask(struct mail *mail, struct results_question question, uint32_t parts)
{
    struct asked       asked = { .results = results_make() };
    const struct dict *keys = engine_program(mail->world.engine)->names[NAME_PROPERTY];
    asked.edition = engine_edition(mail->world.engine);
    assert_ok(view_make(&asked.view, asked.edition, NULL));
    struct report report = { .view = asked.view, .at_ms = mail->world.now_ms };
    question.arms = MAIL_ARMS;
    question.arms_count = 2;
    question.keys = (struct letters_keys){ .message = dict_find(keys, STR("message")),
                                           .entry = dict_find(keys, STR("entry")),
                                           .class = dict_find(keys, STR("class")),
                                           .broadcast = dict_find(keys, STR("broadcast")) };
    for (uint32_t i = 0; i < parts; i++) {
        struct results part = results_make();
        assert_ok(results_run(&report, &question, report_part(&report, i, parts), &part));
        assert_ok(results_add(&asked.results, &part));
        results_done(&part);
    }
    return asked;
}

void asked_done(struct asked *asked)
{
    results_done(&asked->results);
    view_drop(asked->view);
    edition_drop(asked->edition);
}
