/* What may go, and not yet: by example, and at random beside a model that counts on its fingers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/describe.h"
#include "engine/engine_world_test.h"
#include "engine/lane.h"
#include "engine/program_inside.h"

enum { KINDS = 4, SENT_MAX = 4000 };

/* Each has a journey of its name, begun by the event of its name. */
static const struct {
    const char *name, *text, *journey;
    bool        is_receipt, is_sms, is_news;
} MAILS[KINDS] = {
    { "news", "subject: s\ntopic: news\n--- html\nhi", "", false, false, true },
    { "offer", "subject: s\ntopic: offers\n--- html\nhi", "\"priority\":8,", false, false, false },
    { "text", "channel: sms\ntopic: news\n--- text\nhi", "\"priority\":2,", false, true, true },
    { "receipt", "subject: s\ntransactional: yes\n--- html\nhi", "", true, false, false },
};

static void identify(struct world *w, const char *user, const char *traits)
{
    struct json value;
    assert_ok(json_parse_once(w->arena, str_of(traits), &value, NULL));
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = str_of(user), .properties = &value }));
}

#define ADA "{\"email\":\"ada@example.com\",\"phone\":\"+4740000001\"}"

static void journey_write(char journey[300], uint32_t i)
{
    snprintf(journey, 300,
             "{\"journey\":\"%s\",\"trigger\":{\"event\":\"%s\"},\"reentry\":\"always\",%s"
             "\"nodes\":[{\"id\":\"m\",\"message\":\"%s\"}]}",
             MAILS[i].name, MAILS[i].name, MAILS[i].journey, MAILS[i].name);
}

static struct world shop(const char *limits)
{
    struct world w = engine_world_open();
    for (uint32_t i = 0; i < KINDS; i++) {
        char journey[300];
        journey_write(journey, i);
        assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, MAILS[i].name, MAILS[i].text));
        assert_ok(engine_world_define(&w, DEFINE_JOURNEY, MAILS[i].name, journey));
    }
    if (limits[0] != '\0')
        assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits", limits));
    identify(&w, "ada", ADA);
    return w;
}

static void happens(struct world *w, const char *event)
{
    assert_ok(engine_world_tell(
        w, (struct record){ .kind = RECORD_TRACK, .user_id = STR("ada"), .name = str_of(event) }));
}

/* One is claimed; NULL: none may go. */
static const struct claim *claim(struct world *w)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    return w->out.claims_count == before ? NULL : &w->out.claims[before];
}

static void answer(struct world *w, const struct claim *claim, enum outcome_kind kind)
{
    struct json_member members[] = {
        { STR("channel"), { .kind = JSON_STRING, .string = channel_name(claim->channel) } },
        { STR("template"),
          { .kind = JSON_STRING,
            .string =
                program_name(engine_program(w->engine), NAME_TEMPLATE, claim->template_id) } },
    };
    struct json properties = { .kind = JSON_OBJECT, .count = 2, .members = members };
    bool        is_sent = kind == OUTCOME_SENT;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_OUTCOME,
                                                    .name = is_sent ? EVENT_MESSAGE_SENT : STR_NONE,
                                                    .profile = claim->profile,
                                                    .message = claim->message,
                                                    .properties = is_sent ? &properties : NULL,
                                                    .outcome = { .message = claim->message,
                                                                 .kind = kind,
                                                                 .retry_at_ms = w->now_ms + 1 } }));
}

/* What goes now, one after the other: "news offer ". */
static const char *goes(struct world *w)
{
    static char         names[200];
    const struct claim *one;
    names[0] = '\0';
    while ((one = claim(w)) != NULL) {
        struct claim kept = *one;
        struct str name = program_name(engine_program(w->engine), NAME_TEMPLATE, kept.template_id);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%.*s ", STR_ARG(name));
        answer(w, &kept, OUTCOME_SENT);
    }
    return names;
}

static uint32_t decided(const struct world *w, enum decision_kind kind, const char *reason)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == kind &&
                 str_find(w->out.decisions[i].detail, 0, str_of(reason)) <
                     w->out.decisions[i].detail.len;
    return count;
}

TEST(holding, at_night_a_mail_waits_and_a_receipt_does_not)
{
    struct world w = shop("{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}");
    happens(&w, "news"); /* midnight */
    happens(&w, "receipt");
    assert_string_equal(goes(&w), "receipt ");
    assert_int_equal(decided(&w, DECISION_WAITING, "quiet hours"), 1);
    assert_true(engine_outbox_next_ms(w.engine, LANES_ALL) <= T0 + 8 * TIME_HOUR_MS);
    engine_world_tick(&w, 8 * TIME_HOUR_MS - 1);
    assert_string_equal(goes(&w), "");
    engine_world_tick(&w, 1);
    assert_string_equal(goes(&w), "news ");
    engine_world_close(&w);
}

TEST(holding, night_is_where_the_person_lives)
{
    struct world w = shop("{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}");
    identify(&w, "ada", "{\"timezone\":\"Far/East\"}"); /* 14:00 there */
    happens(&w, "news");
    assert_string_equal(goes(&w), "news ");
    engine_world_close(&w);
}

TEST(holding, one_too_many_is_held_back_with_the_reason)
{
    struct world w = shop("{\"limits\":[{\"most\":2,\"in\":\"7 days\"}]}");
    for (int i = 0; i < 3; i++) {
        happens(&w, "news");
        happens(&w, "receipt"); /* counts for nothing */
    }
    assert_string_equal(goes(&w), "receipt receipt receipt news news ");
    assert_int_equal(decided(&w, DECISION_DROPPED, "at most 2 in 7 days"), 1);
    engine_world_tick(&w, 7 * TIME_DAY_MS - 1);
    happens(&w, "text");
    assert_string_equal(goes(&w), "");
    engine_world_tick(&w, 1);
    happens(&w, "text");
    assert_string_equal(goes(&w), "text ");
    engine_world_close(&w);
}

TEST(holding, one_too_many_waits_for_its_turn_as_long_as_it_may)
{
    struct world w = shop("{\"limits\":[{\"most\":1,\"in\":\"1 day\",\"channel\":\"email\","
                          "\"wait\":\"36 hours\"}]}");
    happens(&w, "news");
    happens(&w, "news");
    happens(&w, "news");
    happens(&w, "text"); /* not by email */
    assert_string_equal(goes(&w), "news text ");
    assert_int_equal(decided(&w, DECISION_WAITING, "at most 1 by email in 1 day"), 2);
    engine_world_tick(&w, TIME_DAY_MS);
    assert_string_equal(goes(&w), "news ");
    /* The third would go after two days, and waits for one and a half. */
    assert_int_equal(decided(&w, DECISION_DROPPED, "at most 1 by email in 1 day"), 1);
    engine_world_close(&w);
}

TEST(holding, a_topic_is_counted_by_itself)
{
    struct world w = shop("{\"limits\":[{\"most\":1,\"in\":\"1 day\",\"topic\":\"news\"}]}");
    happens(&w, "news");
    happens(&w, "text");
    happens(&w, "offer");
    happens(&w, "offer");
    assert_string_equal(goes(&w), "news offer offer ");
    assert_int_equal(decided(&w, DECISION_DROPPED, "of \\\"news\\\""), 1);
    engine_world_close(&w);
}

TEST(holding, of_those_who_wait_together_the_more_important_goes)
{
    struct world w = shop("{\"limits\":[{\"most\":1,\"in\":\"1 day\"}]}");
    happens(&w, "text");
    happens(&w, "news");
    happens(&w, "offer"); /* priority 8 */
    assert_string_equal(goes(&w), "offer ");
    engine_world_tick(&w, TIME_MINUTE_MS); /* who gave way is looked at again */
    assert_string_equal(goes(&w), "");
    assert_int_equal(decided(&w, DECISION_DROPPED, "at most"), 2);
    engine_world_close(&w);
}

TEST(holding, who_will_not_go_takes_nobodys_turn)
{
    struct world w = shop("{\"limits\":[{\"most\":1,\"in\":\"1 day\"}]}");
    assert_ok(engine_world_tell(
        &w, (struct record){
                .kind = RECORD_CONSENT,
                .profile = engine_find(w.engine, STR("ada")),
                .name = STR("offers"),
                .properties = &(struct json){
                    .kind = JSON_OBJECT,
                    .count = 1,
                    .members = &(struct json_member){
                        STR("state"), { .kind = JSON_STRING, .string = STR("refused") } } } }));
    happens(&w, "news");
    happens(&w, "offer"); /* refused, and of priority 8 */
    assert_string_equal(goes(&w), "news ");
    engine_world_close(&w);
}

TEST(holding, what_is_on_its_way_or_in_doubt_counts_and_a_retry_is_counted_once)
{
    struct world w = shop("{\"limits\":[{\"most\":1,\"in\":\"1 day\"}]}");
    happens(&w, "news");
    struct claim first = *claim(&w);
    happens(&w, "offer");
    assert_null(claim(&w)); /* on its way */
    assert_int_equal(decided(&w, DECISION_DROPPED, "at most"), 1);
    answer(&w, &first, OUTCOME_DEFERRED);
    engine_world_tick(&w, 2);
    first = *claim(&w); /* had its turn */
    answer(&w, &first, OUTCOME_UNKNOWN);
    happens(&w, "offer");
    assert_null(claim(&w)); /* may have arrived */
    assert_int_equal(decided(&w, DECISION_DROPPED, "at most"), 2);
    engine_world_tick(&w, TIME_DAY_MS); /* and not for ever */
    happens(&w, "offer");
    assert_string_equal(goes(&w), "offer ");
    engine_world_close(&w);
}

TEST(holding, what_is_due_at_night_is_counted_in_the_morning)
{
    struct world w = shop("{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}],"
                          "\"limits\":[{\"most\":1,\"in\":\"6 hours\",\"wait\":\"4 hours\"}]}");
    engine_world_tick(&w, 20 * TIME_HOUR_MS);
    happens(&w, "news");
    assert_string_equal(goes(&w), "news ");
    engine_world_tick(&w, 90 * TIME_MINUTE_MS);
    happens(&w, "news"); /* not before two o'clock, and it is night */
    assert_string_equal(goes(&w), "");
    engine_world_tick(&w, 630 * TIME_MINUTE_MS);
    assert_string_equal(goes(&w), "news ");
    happens(&w, "news"); /* at two in the afternoon: longer than it waits */
    assert_string_equal(goes(&w), "");
    engine_world_tick(&w, 3 * TIME_HOUR_MS);
    happens(&w, "news");
    assert_string_equal(goes(&w), "");
    assert_int_equal(decided(&w, DECISION_DROPPED, "at most 1 in 6 hours"), 1);
    engine_world_tick(&w, 3 * TIME_HOUR_MS);
    assert_string_equal(goes(&w), "news ");
    engine_world_close(&w);
}

/* All that a store would have of it: names, definitions, two events and the decisions. */
static struct engine *loaded(const struct world *w, const char *limits, const struct json *traits)
{
    struct engine      *engine;
    struct json_parser *parser = json_parser_open();
    size_t              next = 0;
    assert_ok(
        engine_open(&engine, (struct engine_conf){ .seed = 2,
                                                   .next_decision = w->out.decisions_count + 1,
                                                   .lateness_ms = LATENESS_MS_DEFAULT,
                                                   .zones = w->zones }));
    for (size_t i = 0; i < w->out.names_count; i++)
        assert_ok(engine_load_name(engine, (enum name_kind)w->out.names[i].kind, w->out.names[i].id,
                                   w->out.names[i].text));
    for (uint32_t i = 0; i < KINDS; i++) {
        char journey[300];
        assert_ok(engine_load_definition(engine, DEFINE_TEMPLATE, str_of(MAILS[i].name),
                                         str_of(MAILS[i].text), 2 * i + 1));
        journey_write(journey, i);
        assert_ok(engine_load_definition(engine, DEFINE_JOURNEY, str_of(MAILS[i].name),
                                         str_of(journey), 2 * i + 2));
    }
    assert_ok(engine_load_definition(engine, DEFINE_LIMITS, STR("limits"), str_of(limits),
                                     2 * KINDS + 1));
    for (uint64_t seq = 1; seq <= w->seq; seq++) {
        if (seq == 2 * KINDS + 2)
            assert_ok(
                engine_load_event(engine, RECORD_IDENTIFY, 0, (uint32_t)seq, T0, STR_NONE, traits));
        if (seq == 2 * KINDS + 3)
            assert_ok(
                engine_load_event(engine, RECORD_TRACK, 0, (uint32_t)seq, T0, STR("news"), NULL));
        for (; next < w->out.decisions_count && w->out.decisions[next].seq == seq; next++) {
            struct decision d = w->out.decisions[next];
            assert_ok(engine_load_decision(engine, parser, w->arena, &d));
        }
    }
    assert_ok(engine_load_end(engine, w->seq, w->now_ms));
    json_parser_close(parser);
    return engine;
}

TEST(holding, a_loaded_engine_lets_it_wait_as_long)
{
    static const char limits[] = "{\"quiet\":[{\"from\":\"21:00\",\"to\":\"08:00\"}]}";
    struct world      w = shop(limits);
    struct json       traits;
    assert_ok(json_parse_once(w.arena, STR(ADA), &traits, NULL));
    happens(&w, "news");
    assert_string_equal(goes(&w), "");
    struct engine               *engine = loaded(&w, limits, &traits);
    SCOPED(buf_donep) struct buf was = buf_make(1 << 16), is = buf_make(1 << 16);
    describe(w.engine, &was);
    describe(engine, &is);
    buf_char(&was, '\0');
    buf_char(&is, '\0');
    assert_string_equal(is.ptr, was.ptr);
    assert_non_null(strstr(is.ptr, "due 1767254400000")); /* at eight */
    engine_close(engine);
    engine_world_close(&w);
}

TEST(holding, without_a_document_all_goes_again)
{
    struct world w = shop("{\"limits\":[{\"most\":1,\"in\":\"1 day\"}]}");
    happens(&w, "news");
    assert_string_equal(goes(&w), "news ");
    assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits", ""));
    happens(&w, "news");
    assert_string_equal(goes(&w), "news ");
    assert_int_equal(engine_world_define(&w, DEFINE_LIMITS, "limits", ""), ERR_ABSENT);
    engine_world_close(&w);
}

/* ---- at random ---- */

struct model {
    struct limits_def def;
    struct {
        int     kind;
        int64_t at_ms;
    } sent[SENT_MAX];
    int sent_count;
    struct {
        uint64_t id;
        int      kind;
        int64_t  held_ms; /* when first told to wait; 0 */
        bool     is_done;
    } queued[SENT_MAX];
    int queued_count;
};

static bool counts(const struct limits_most *most, int kind)
{
    return !MAILS[kind].is_receipt &&
           (most->channel == CHANNEL_ALL || (most->channel == CHANNEL_SMS) == MAILS[kind].is_sms) &&
           (most->topic == 0 || MAILS[kind].is_news);
}

static bool has_room(const struct model *m, const struct limits_most *most, int64_t at_ms)
{
    uint32_t count = 0;
    for (int i = 0; i < m->sent_count; i++)
        count += counts(most, m->sent[i].kind) && m->sent[i].at_ms > at_ms - most->in_ms;
    return count < most->most;
}

static bool is_quiet(const struct model *m, int kind, int64_t at_ms)
{
    return limits_quiet_until_ms(&m->def, MAILS[kind].is_sms ? CHANNEL_SMS : CHANNEL_EMAIL, NULL,
                                 at_ms) > at_ms;
}

/* The one limit that has no room, or NULL. */
static const struct limits_most *full_one(const struct model *m, int kind, int64_t at_ms)
{
    for (uint32_t i = 0; i < m->def.most_count; i++)
        if (counts(&m->def.most[i], kind) && !has_room(m, &m->def.most[i], at_ms))
            return &m->def.most[i];
    return NULL;
}

static int place_of(const struct model *m, uint64_t id)
{
    for (int i = 0; i < m->queued_count; i++)
        if (m->queued[i].id == id)
            return i;
    fail_msg("nobody knows message %llu", (unsigned long long)id);
    return -1;
}

static void judge(struct world *w, struct model *m, size_t from)
{
    for (size_t i = from; i < w->out.decisions_count; i++) {
        const struct decision *d = &w->out.decisions[i];
        if (d->kind == DECISION_INTENT) {
            int kind = 0;
            while (!str_eq(program_name(engine_program(w->engine), NAME_TEMPLATE, d->other),
                           str_of(MAILS[kind].name)))
                kind++;
            assert_true(m->queued_count < SENT_MAX);
            m->queued[m->queued_count].id = d->id;
            m->queued[m->queued_count++].kind = kind;
            continue;
        }
        if (d->kind != DECISION_CLAIMED && d->kind != DECISION_WAITING &&
            d->kind != DECISION_DROPPED)
            continue;
        int                       at = place_of(m, d->subject), kind = m->queued[at].kind;
        const struct limits_most *full = full_one(m, kind, w->now_ms);
        if (d->kind == DECISION_CLAIMED) {
            assert_true(MAILS[kind].is_receipt || (full == NULL && !is_quiet(m, kind, w->now_ms)));
            m->queued[at].is_done = true;
            m->sent[m->sent_count].kind = kind;
            m->sent[m->sent_count++].at_ms = w->now_ms;
            continue;
        }
        assert_false(MAILS[kind].is_receipt);
        int64_t since_ms = m->queued[at].held_ms == 0 ? w->now_ms : m->queued[at].held_ms;
        if (d->kind == DECISION_WAITING) {
            assert_true(d->due_ms > w->now_ms);
            if (is_quiet(m, kind, w->now_ms)) { /* until then, and no longer */
                assert_true(is_quiet(m, kind, d->due_ms - 1) && !is_quiet(m, kind, d->due_ms));
                continue;
            } else {
                assert_non_null(full);
                assert_true(has_room(m, full, d->due_ms) && !has_room(m, full, d->due_ms - 1));
                assert_true(d->due_ms <= since_ms + full->wait_ms);
            }
            m->queued[at].held_ms = since_ms;
        } else {
            assert_non_null(full);
            assert_false(is_quiet(m, kind, w->now_ms));
            assert_false(has_room(m, full, since_ms + full->wait_ms));
            m->queued[at].is_done = true;
        }
    }
}

static void limits_random(struct buf *text)
{
    static const char *const channels[] = { "", ",\"channel\":\"email\"", ",\"channel\":\"sms\"",
                                            ",\"topic\":\"news\"" };
    buf_str(text, STR("{\"quiet\":["));
    for (int i = rand() % 3; i > 0; i--)
        buf_format(text, "{\"from\":\"%s%02d:00\",\"to\":\"%02d:30\"}%s",
                   rand() % 2 ? "" : "monday or thursday ", rand() % 24, rand() % 24,
                   i > 1 ? "," : "");
    buf_str(text, STR("],\"limits\":["));
    for (int i = rand() % 3; i > 0; i--)
        buf_format(text, "{\"most\":%d,\"in\":\"%d hours\"%s%s}%s", 1 + rand() % 4,
                   1 + rand() % 100, channels[rand() % 4],
                   rand() % 2 ? ",\"wait\":\"20 hours\"" : "", i > 1 ? "," : "");
    buf_str(text, STR("]}"));
}

static enum err topic_number(void *context, struct str name, uint32_t *number)
{
    *number = program_number(context, NAME_TOPIC, name);
    return OK;
}

TEST(holding, random_weeks_agree_with_a_model_that_counts)
{
    for (unsigned seed = 1; seed <= 60; seed++) {
        SCOPED(buf_donep) struct buf text = buf_make(4096);
        struct model                *m = calloc(1, sizeof *m);
        struct world                 w = shop("");
        struct limits_topics         topics = { topic_number, engine_program(w.engine) };
        struct problem               problem;
        assert_non_null(m);
        srand(seed);
        do { /* now and then nothing would be left of the day */
            buf_reset(&text);
            limits_random(&text);
            buf_char(&text, '\0');
        } while (limits_parse(str_of(text.ptr), &topics, &m->def, &problem) != OK);
        assert_ok(engine_world_define(&w, DEFINE_LIMITS, "limits", text.ptr));
        for (int i = 0; i < 250; i++) {
            size_t from = w.out.decisions_count;
            if (rand() % 3 > 0)
                happens(&w, MAILS[rand() % KINDS].name);
            else
                engine_world_tick(&w, rand() % (10 * (int)TIME_HOUR_MS));
            judge(&w, m, from);
            for (;;) { /* each look is judged by what was known then */
                from = w.out.decisions_count;
                const struct claim *one = claim(&w);
                judge(&w, m, from);
                if (one == NULL)
                    break;
                struct claim kept = *one;
                answer(&w, &kept, OUTCOME_SENT);
            }
        }
        int64_t next_ms, end_ms = w.now_ms + 60 * TIME_DAY_MS; /* nobody waits for ever */
        while ((next_ms = engine_outbox_next_ms(w.engine, LANES_ALL)) < end_ms) {
            size_t from = w.out.decisions_count;
            engine_world_tick(&w, next_ms > w.now_ms ? next_ms - w.now_ms : 1);
            for (const struct claim *one; (one = claim(&w)) != NULL;) {
                struct claim kept = *one;
                judge(&w, m, from);
                from = w.out.decisions_count;
                answer(&w, &kept, OUTCOME_SENT);
            }
            judge(&w, m, from);
        }
        for (int i = 0; i < m->queued_count; i++)
            assert_true(m->queued[i].is_done);
        free(m);
        engine_world_close(&w);
    }
}
