/* Discount codes: what a definition may say, and who gets which number. */
#include "engine/codes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"
#include "engine/lane.h"

/* ---- definitions ---- */

static enum err parse(const char *text, struct codes_def *out)
{
    struct problem problem;
    return codes_parse(str_of(text), out, &problem);
}

TEST(codes, a_definition_says_all_or_is_refused)
{
    static const char *const bad[] = {
        "[]",
        "{}",
        "{\"kind\":\"lottery\"}",
        "{\"kind\":\"fixed\"}",
        "{\"kind\":\"fixed\",\"code\":\"A B\"}",
        "{\"kind\":\"pool\",\"code\":\"A\"}",
        "{\"kind\":\"pool\",\"prefix\":\"A\"}",
        "{\"kind\":\"pool\",\"low\":-1}",
        "{\"kind\":\"fixed\",\"code\":\"A\",\"low\":1}",
        "{\"kind\":\"generated\",\"length\":7}",
        "{\"kind\":\"generated\",\"length\":25}",
        "{\"kind\":\"generated\",\"prefix\":\"A,B\"}",
        "{\"kind\":\"pool\",\"expires\":\"soon\"}",
        "{\"kind\":\"pool\",\"expires\":\"0 days\"}",
        "{\"kind\":\"pool\",\"expires\":\"2 day\"}",
        "{\"kind\":\"pool\",\"expires\":\"2026-13-01\"}",
        "{\"kind\":\"pool\",\"expires\":14}",
        "{\"kind\":\"pool\",\"redeemed\":\"Order\"}",
        "{\"kind\":\"pool\",\"redeemed\":{\"properties\":[]}}",
        "{\"kind\":\"pool\",\"redeemed\":{\"event\":\"\"}}",
        "{\"kind\":\"pool\",\"exipres\":\"14 days\"}",
    };
    struct codes_def def;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse(bad[i], &def), ERR_INPUT);
    assert_ok(parse("{\"kind\":\"generated\",\"prefix\":\"T-\",\"expires\":\"1 day\"}", &def));
    assert_true(def.kind == CODES_GENERATED && def.length == CODES_LENGTH && def.days == 1);
    assert_string_equal(codes_property(&def, 0), "coupon");
    assert_string_equal(def.event, "Order Completed");
    assert_int_equal(def.low, 0);
    assert_ok(
        parse("{\"kind\":\"pool\",\"redeemed\":{\"event\":\"Paid\",\"properties\":[\"voucher\"]}}",
              &def));
    assert_int_equal(def.low, CODES_LOW);
    assert_string_equal(def.event, "Paid");
    assert_string_equal(codes_property(&def, 0), "voucher");
    assert_null(codes_property(&def, 1));
}

TEST(codes, the_last_second_is_that_of_a_day_where_the_person_lives)
{
    struct world       w = engine_world_open();
    const struct zone *east = zone_find(w.zones, STR("Far/East")); /* +14 h */
    struct codes_def   def;
    char               text[TIME_TEXT_BYTES];
    assert_ok(parse("{\"kind\":\"pool\",\"expires\":\"14 days\"}", &def));
    /* It is the 2nd there at 10:00 UTC on the 1st. */
    assert_string_equal(time_write(codes_expires_ms(&def, east, T0 + 10 * TIME_HOUR_MS), text),
                        "2026-01-16T09:59:59.000Z");
    assert_string_equal(time_write(codes_expires_ms(&def, NULL, T0 + 10 * TIME_HOUR_MS), text),
                        "2026-01-15T23:59:59.000Z");
    assert_ok(parse("{\"kind\":\"pool\",\"expires\":\"2026-03-01\"}", &def));
    assert_string_equal(time_write(codes_expires_ms(&def, NULL, T0), text),
                        "2026-03-01T23:59:59.000Z");
    assert_ok(parse("{\"kind\":\"pool\"}", &def));
    assert_true(codes_expires_ms(&def, NULL, T0) == TIME_NEVER);
    engine_world_close(&w);
}

TEST(codes, only_what_liquid_asks_for_is_named)
{
    static const struct {
        const char *text, *names;
    } cases[] = {
        { "{{ codes.spring.code }}", "spring " },
        { "{%- if codes['a-b'].code -%}{{codes[ \"c\" ].code}}{{ codes.a-b.code }}", "a-b c " },
        { "all codes.spring of {{ person.codes.x }} {{ barcodes.y }} {{ codes[event.pool] }}", "" },
        { "{{ codes", "" },
        { "{{ codes.", "" },
        { "{", "" },
        { "{{ 'a' | append: codes.one.code }} { codes.two }", "one " },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct str names[CODES_A_TEMPLATE_MAX];
        uint32_t   count;
        char       got[200] = "";
        assert_ok(codes_named(str_of(cases[i].text), names, &count));
        for (uint32_t k = 0; k < count; k++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%.*s ", STR_ARG(names[k]));
        assert_string_equal(got, cases[i].names);
    }
    struct str names[CODES_A_TEMPLATE_MAX];
    uint32_t   count;
    assert_int_equal(codes_named(STR("{{ codes.a codes.b codes.c codes.d codes.e codes.f codes.g "
                                     "codes.h codes.i }}"),
                                 names, &count),
                     ERR_LIMIT);
}

/* ---- who gets which ---- */

#define MAIL(pool) "subject: s\ntransactional: yes\n--- html\n{{ codes." pool ".code }}"

static struct world shop(void)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_CODES, "spring", "{\"kind\":\"pool\",\"low\":2}"));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "offer", MAIL("spring")));
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "plain",
                                  "subject: s\ntransactional: yes\n--- html\nx"));
    assert_ok(engine_world_define(
        &w, DEFINE_JOURNEY, "spring",
        "{\"journey\":\"spring\",\"trigger\":{\"event\":\"Order "
        "Completed\"},\"reentry\":\"always\","
        "\"nodes\":[{\"id\":\"a\",\"email\":\"offer\"},{\"id\":\"w\",\"wait\":\"1 day\"},"
        "{\"id\":\"b\",\"email\":\"offer\"}]}"));
    return w;
}

static void person(struct world *w, const char *user)
{
    char               email[64];
    struct json_member member = { STR("email"), { .kind = JSON_STRING } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    snprintf(email, sizeof email, "%s@shop.example", user);
    member.value.string = str_of(email);
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_IDENTIFY,
                                                    .user_id = str_of(user),
                                                    .properties = &object }));
}

static enum err add(struct world *w, const char *name, uint32_t count)
{
    return engine_world_tell(
        w, (struct record){ .kind = RECORD_CODES, .name = str_of(name), .count = count });
}

static size_t claims(struct world *w, uint32_t count)
{
    size_t before = w->out.claims_count;
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = count }));
    return w->out.claims_count - before;
}

static const struct claim *claim(struct world *w)
{
    return claims(w, 1) == 1 ? &w->out.claims[w->out.claims_count - 1] : NULL;
}

static enum err outcome(struct world *w, const struct claim *claim, enum outcome_kind kind)
{
    return engine_world_tell(
        w, (struct record){
               .kind = RECORD_OUTCOME,
               .profile = claim->profile,
               .outcome = { .message = claim->message, .kind = kind, .retry_at_ms = w->now_ms } });
}

/* The number that a claim gives of the pool; 0: none. */
static int64_t number(const struct claim *claim, const char *pool)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct json                        root;
    int64_t                            value = 0;
    if (claim == NULL || claim->computed.len == 0)
        return 0;
    assert_ok(json_parse_once(arena, claim->computed, &root, NULL));
    (void)json_get_int(json_get(json_get(&root, STR("$codes")), str_of(pool)), STR("number"),
                       &value);
    return value;
}

static uint32_t decisions(const struct world *w, enum decision_kind kind)
{
    uint32_t count = 0;
    for (size_t i = 0; i < w->out.decisions_count; i++)
        count += w->out.decisions[i].kind == kind;
    return count;
}

static struct codes_state pool_now(struct world *w, const char *name)
{
    struct codes_state state = { .had = 0 };
    assert_true(engine_codes_state(w->engine,
                                   program_codes(engine_program(w->engine), str_of(name)), &state));
    return state;
}

TEST(codes, a_message_waits_for_an_empty_pool_and_holds_up_no_other)
{
    struct world w = shop();
    person(&w, "ada");
    engine_world_order(&w, "ada", 1);
    assert_int_equal(claims(&w, 10), 0);
    assert_int_equal(claims(&w, 10), 0);
    assert_int_equal(decisions(&w, DECISION_WAITING), 1);
    assert_int_equal(pool_now(&w, "spring").waiting, 1);
    assert_true(engine_outbox_next_ms(w.engine, LANES_ALL) == TIME_NEVER ||
                engine_outbox_next_ms(w.engine, LANES_ALL) > w.now_ms);
    struct json_member member = { STR("template"),
                                  { .kind = JSON_STRING, .string = STR("plain") } };
    struct json        object = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_SEND,
                                                     .name = EVENT_MESSAGE_REQUESTED,
                                                     .body = STR("plain"),
                                                     .user_id = STR("ada"),
                                                     .properties = &object }));
    assert_int_equal(claims(&w, 10), 1);
    assert_ok(add(&w, "spring", 5));
    const struct claim *served = claim(&w);
    assert_int_equal(number(served, "spring"), 1);
    assert_int_equal(pool_now(&w, "spring").waiting, 0);
    assert_int_equal(pool_now(&w, "spring").left, 4);
    engine_world_close(&w);
}

TEST(codes, for_a_few_codes_a_few_who_wait_are_looked_at_and_what_they_leave_is_the_nexts)
{
    enum { PEOPLE = 40 };
    struct world w = shop();
    char         user[16];
    for (int i = 0; i < PEOPLE; i++) {
        snprintf(user, sizeof user, "u%d", i);
        person(&w, user);
        engine_world_order(&w, user, i + 1);
    }
    assert_int_equal(claims(&w, PEOPLE), 0);
    assert_int_equal(pool_now(&w, "spring").waiting, PEOPLE);
    assert_ok(add(&w, "spring", 3));
    assert_int_equal(pool_now(&w, "spring").waiting, PEOPLE - 3);
    for (int i = 0; i < 3; i += 2) /* the first and the third want nothing any more */
        assert_ok(
            engine_world_tell(&w, (struct record){ .kind = RECORD_ERASE, .profile = (uint32_t)i }));
    int served = 0;
    for (int i = 0; i < 5; i++)
        served += claims(&w, PEOPLE);
    assert_int_equal(served, 3);
    assert_int_equal(pool_now(&w, "spring").left, 0);
    assert_int_equal(pool_now(&w, "spring").waiting, PEOPLE - 5);
    engine_world_close(&w);
}

TEST(codes, one_enrollment_has_one_code_in_all_its_messages_and_tries)
{
    struct world w = shop();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(add(&w, "spring", 10));
    engine_world_order(&w, "ada", 1);
    const struct claim *first = claim(&w);
    assert_int_equal(number(first, "spring"), 1);
    assert_ok(outcome(&w, first, OUTCOME_DEFERRED));
    const struct claim *again = claim(&w);
    assert_int_equal(number(again, "spring"), 1);
    assert_ok(outcome(&w, again, OUTCOME_SENT));
    engine_world_order(&w, "bob", 1);
    assert_int_equal(number(claim(&w), "spring"), 2);
    engine_world_tick(&w, TIME_DAY_MS);
    int64_t a = number(claim(&w), "spring"), b = number(claim(&w), "spring");
    assert_true((a == 1 && b == 2) || (a == 2 && b == 1));
    engine_world_order(&w, "ada", 1); /* enters again: another enrollment */
    assert_int_equal(number(claim(&w), "spring"), 3);
    assert_int_equal(decisions(&w, DECISION_CODE), 3);
    engine_world_close(&w);
}

TEST(codes, who_watches_is_told_once_of_low_and_once_of_empty)
{
    struct world       w = shop();
    struct codes_state told;
    assert_ok(add(&w, "spring", 3));
    for (int i = 0; i < 3; i++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", i);
        person(&w, user);
        engine_world_order(&w, user, 1);
        assert_int_equal(claims(&w, 1), 1);
        bool is_told = engine_codes_low(w.engine, &told);
        assert_int_equal(is_told, i > 0);
        if (is_told)
            assert_int_equal(told.left, 2 - i);
        assert_false(engine_codes_low(w.engine, &told));
    }
    engine_world_close(&w);
}

TEST(codes, a_changed_definition_or_template_lets_those_go_who_wait)
{
    struct world w = shop();
    person(&w, "ada");
    person(&w, "bob");
    assert_ok(engine_world_define(&w, DEFINE_CODES, "spring",
                                  "{\"kind\":\"pool\",\"expires\":\"2025-12-31\"}"));
    assert_ok(add(&w, "spring", 1));
    engine_world_order(&w, "ada", 1);
    assert_int_equal(claims(&w, 1), 0); /* past their last day */
    assert_ok(engine_world_define(&w, DEFINE_CODES, "spring",
                                  "{\"kind\":\"pool\",\"expires\":\"2026-12-31\"}"));
    assert_int_equal(claims(&w, 1), 1);
    engine_world_order(&w, "bob", 1);
    assert_int_equal(claims(&w, 1), 0); /* used up */
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "offer",
                                  "subject: s\ntransactional: yes\n--- html\nx"));
    assert_int_equal(claims(&w, 1), 1);
    engine_world_close(&w);
}

TEST(codes, what_is_withdrawn_is_given_to_nobody)
{
    struct world w = shop();
    person(&w, "ada");
    assert_ok(add(&w, "spring", 5));
    assert_ok(engine_world_tell(
        &w, (struct record){ .kind = RECORD_CODES, .name = STR("spring"), .flags = RECORD_LEAVE }));
    engine_world_order(&w, "ada", 1);
    assert_int_equal(claims(&w, 1), 0);
    assert_ok(add(&w, "spring", 1));
    assert_int_equal(number(claim(&w), "spring"), 6);
    engine_world_close(&w);
}

TEST(codes, a_pool_that_is_used_stays_and_its_kind_too)
{
    struct world w = shop();
    assert_int_equal(engine_world_define(&w, DEFINE_CODES, "spring", ""), ERR_CONFLICT);
    assert_int_equal(engine_world_define(&w, DEFINE_CODES, "spring", "{\"kind\":\"generated\"}"),
                     ERR_CONFLICT);
    assert_int_equal(engine_world_define(&w, DEFINE_CODES, "no name", "{\"kind\":\"pool\"}"),
                     ERR_INPUT);
    assert_int_equal(engine_world_define(&w, DEFINE_CODES, "autumn", ""), ERR_ABSENT);
    assert_int_equal(add(&w, "autumn", 1), ERR_ABSENT);
    assert_int_equal(add(&w, "spring", 0), ERR_LIMIT);
    assert_int_equal(add(&w, "spring", CODES_A_RECORD_MAX + 1), ERR_LIMIT);
    for (uint32_t i = 0; i < CODES_LEFT_MAX / CODES_A_RECORD_MAX; i++)
        assert_ok(add(&w, "spring", CODES_A_RECORD_MAX));
    assert_int_equal(add(&w, "spring", 1), ERR_LIMIT);
    struct problem problem;
    assert_int_equal(program_check(engine_program(w.engine), DEFINE_TEMPLATE, STR("x"),
                                   STR(MAIL("autumn")), &problem),
                     ERR_ABSENT);
    assert_int_equal(program_check(engine_program(w.engine), DEFINE_SNIPPET, STR("x"),
                                   STR("{{ codes.spring.code }}"), &problem),
                     ERR_INPUT);
    engine_world_close(&w);
}

TEST(codes, numbers_outlive_a_load_and_those_who_wait_are_looked_at_again)
{
    struct world                 w = shop();
    SCOPED(buf_donep) struct buf text = buf_make(4096);
    person(&w, "ada");
    assert_ok(add(&w, "spring", 7));
    engine_world_order(&w, "ada", 1);
    assert_int_equal(claims(&w, 1), 1);
    engine_codes_write(w.engine, &text);
    struct world other = shop();
    assert_ok(engine_codes_load(other.engine, buf_view(&text)));
    assert_int_equal(pool_now(&other, "spring").had, 7);
    assert_int_equal(pool_now(&other, "spring").given, 1);
    assert_int_equal(engine_codes_load(other.engine, STR("x:1")), ERR_CORRUPT);
    engine_world_close(&other);
    engine_world_close(&w);
}

/* ---- at random: nobody shares, and what waits is what there are too few codes for ---- */

enum { PEOPLE = 12, STEPS = 400 };

static unsigned below(unsigned *seed, unsigned count)
{
    *seed = *seed * 1103515245u + 12345u;
    return (*seed >> 16) % count;
}

static void random_step(struct world *w, unsigned *seed)
{
    char user[16];
    snprintf(user, sizeof user, "u%u", below(seed, PEOPLE));
    switch (below(seed, 5)) {
    case 0:
        assert_ok(add(w, "spring", 1 + below(seed, 4)));
        return;
    case 1:
    case 2:
        engine_world_order(w, user, 1);
        return;
    case 3:
        engine_world_tick(w, (int64_t)(1 + below(seed, 30)) * TIME_HOUR_MS);
        return;
    default: {
        const struct claim *next = claim(w);
        if (next != NULL)
            assert_ok(outcome(w, next, below(seed, 3) == 0 ? OUTCOME_DEFERRED : OUTCOME_SENT));
    }
    }
}

/* By the claims alone: which enrollment had which number. */
struct seen {
    uint64_t of;
    int64_t  number;
};

static uint64_t owner(const struct world *w, uint64_t message)
{
    for (size_t i = 0; i < w->out.decisions_count; i++)
        if (w->out.decisions[i].id == message)
            return w->out.decisions[i].subject;
    return 0;
}

static void check_random(unsigned seed)
{
    struct world w = shop();
    unsigned     state_ = seed;
    for (int i = 0; i < PEOPLE; i++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", i);
        person(&w, user);
    }
    for (int i = 0; i < STEPS; i++)
        random_step(&w, &state_);
    while (claim(&w) != NULL) {}
    struct seen *seen = calloc(w.out.claims_count + 1, sizeof *seen);
    size_t       count = 0;
    for (size_t i = 0; i < w.out.claims_count; i++) {
        const struct claim *c = &w.out.claims[i];
        struct seen         now = { owner(&w, c->message), number(c, "spring") };
        assert_true(now.of != 0 && now.number > 0);
        for (size_t k = 0; k < count; k++)
            assert_true((seen[k].of == now.of) == (seen[k].number == now.number));
        seen[count++] = now;
    }
    free(seen);
    struct codes_state spring = pool_now(&w, "spring");
    assert_true(spring.given <= spring.had);
    assert_true(spring.waiting == 0 || spring.left == 0);
    engine_world_close(&w);
}

TEST(codes, no_two_enrollments_share_a_number_whatever_happens)
{
    for (unsigned seed = 1; seed <= 60; seed++)
        check_random(seed);
}

TEST(codes, a_code_is_typed_by_people_and_a_name_stands_in_a_template)
{
    static const char *const names[] = { "a", "Spring-26", "vip_only" };
    static const char *const no_names[] = { "", "-a", "2go", "a b", "a.b", "\xc3\xa6" };
    static const char *const no_codes[] = { "",    "=A",  "+A",  "-A",    "@A",   "A B",
                                            "A\"", "A,B", "A;B", "A\x7f", "A\xff" };
    char                     bytes[CODE_BYTES_MAX], long_text[CODE_BYTES_MAX + 2];
    struct str               folded = codes_fold(STR("Ab-Z9@[`{"), bytes);
    assert_str(folded, "ab-z9@[`{"); /* letters alone, and no others */
    memset(long_text, 'A', sizeof long_text);
    assert_int_equal(codes_fold((struct str){ long_text, sizeof long_text }, bytes).len,
                     CODE_BYTES_MAX);
    assert_true(codes_is_code((struct str){ long_text, CODE_BYTES_MAX }));
    assert_false(codes_is_code((struct str){ long_text, CODE_BYTES_MAX + 1 }));
    assert_true(codes_is_name((struct str){ long_text, CODES_NAME_BYTES_MAX }));
    assert_false(codes_is_name((struct str){ long_text, CODES_NAME_BYTES_MAX + 1 }));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_true(codes_is_name(str_of(names[i])));
    for (size_t i = 0; i < sizeof no_names / sizeof no_names[0]; i++)
        assert_false(codes_is_name(str_of(no_names[i])));
    for (size_t i = 0; i < sizeof no_codes / sizeof no_codes[0]; i++)
        assert_false(codes_is_code(str_of(no_codes[i])));
    assert_true(codes_is_code(STR("SPRING\xc3\x86-10")));
}
