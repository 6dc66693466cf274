/* What a claim freezes of a template with variants and blocks. */
#include <string.h>

#include "base/test.h"
#include "base/time.h"
#include "engine/engine_world_test.h"

#define JOURNEY                                                                                    \
    "{\"journey\":\"greet\",\"trigger\":{\"event\":\"Order Completed\"},\"reentry\":\"always\","   \
    "\"nodes\":[{\"id\":\"m\",\"email\":\"welcome\"}]}"

static void identify(struct world *w, const char *user, const char *traits)
{
    struct json value;
    assert_ok(json_parse_once(w->arena, str_of(traits), &value, NULL));
    assert_ok(engine_world_tell(
        w,
        (struct record){ .kind = RECORD_IDENTIFY, .user_id = str_of(user), .properties = &value }));
}

static void template(struct world *w, const char *name, const char *text)
{
    assert_ok(engine_world_define(w, DEFINE_TEMPLATE, name, text));
}

static struct world mailing(const char *base)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_WORKSPACE, "workspace",
                                  "{\"language\":\"nb\",\"currency\":\"NOK\"}"));
    template(&w, "welcome", base);
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "greet", JOURNEY));
    return w;
}

/* An order, and the decision of the claim that follows. */
static const struct decision *claimed(struct world *w, const char *user)
{
    engine_world_order(w, user, 1);
    assert_ok(engine_world_tell(w, (struct record){ .kind = RECORD_CLAIM, .count = 1 }));
    const struct decision *last = &w->out.decisions[w->out.decisions_count - 1];
    assert_int_equal(last->kind, DECISION_CLAIMED);
    return last;
}

/* The name of the variant that is claimed for the user. */
static struct str variant_of(struct world *w, const char *user)
{
    struct json detail;
    assert_ok(json_parse_once(w->arena, claimed(w, user)->detail, &detail, NULL));
    const struct json  *variant = json_get(&detail, STR("variant"));
    const struct claim *claim = &w->out.claims[w->out.claims_count - 1];
    if (variant == NULL) {
        assert_int_equal(claim->variant, 0);
        return STR_NONE;
    }
    int64_t version = 0;
    assert_true(json_get_int(variant, STR("version"), &version));
    assert_int_equal(claim->variant_version, version);
    struct str name = json_get_str(variant, STR("name"));
    assert_true(
        str_eq(program_name(engine_program(w->engine), NAME_TEMPLATE, claim->variant - 1), name));
    return name;
}

static struct str why_of(struct world *w, const char *user)
{
    struct json detail;
    assert_ok(json_parse_once(w->arena, claimed(w, user)->detail, &detail, NULL));
    return json_get_str(json_get(&detail, STR("variant")), STR("why"));
}

#define PLAIN "subject: s\n--- html\nx"

TEST(tailor, a_claim_names_the_variant_of_the_persons_language_and_why)
{
    struct world w = mailing(PLAIN);
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"locale\":\"pt-BR\"}");
    identify(&w, "bo", "{\"email\":\"bo@x.example\",\"language\":\"sv\"}");
    identify(&w, "cy", "{\"email\":\"cy@x.example\",\"language\":\"de\",\"country\":\"Austria\"}");
    assert_str(variant_of(&w, "ada"), ""); /* it has none */
    template(&w, "welcome.pt", PLAIN);
    assert_str(variant_of(&w, "ada"), "welcome.pt");
    template(&w, "welcome.pt-BR", PLAIN);
    assert_str(variant_of(&w, "ada"), "welcome.pt-BR");
    assert_str(why_of(&w, "ada"), "language pt-BR (trait)");
    assert_str(variant_of(&w, "bo"), "welcome");
    assert_str(why_of(&w, "bo"), "the base: no variant fits better language sv (trait)");
    template(&w, "welcome.nb", PLAIN);
    assert_str(variant_of(&w, "bo"), "welcome.nb");
    assert_str(why_of(&w, "bo"), "language nb (workspace)");
    template(&w, "welcome.de.AT", PLAIN);
    assert_str(why_of(&w, "cy"), "language de (trait), country AT (trait)");
    engine_world_close(&w);
}

TEST(tailor, a_deleted_variant_is_nobodys_and_may_come_back)
{
    struct world w = mailing(PLAIN);
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"language\":\"nb\"}");
    template(&w, "welcome.nb", PLAIN);
    assert_str(variant_of(&w, "ada"), "welcome.nb");
    assert_ok(engine_world_define(&w, DEFINE_TEMPLATE, "welcome.nb", ""));
    assert_str(variant_of(&w, "ada"), "");
    template(&w, "welcome.nb", PLAIN);
    assert_str(variant_of(&w, "ada"), "welcome.nb");
    engine_world_close(&w);
}

TEST(tailor, a_variant_that_was_there_before_its_base_is_found_too)
{
    struct world w = engine_world_open();
    template(&w, "welcome.nb", PLAIN);
    template(&w, "welcome", PLAIN);
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "greet", JOURNEY));
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"language\":\"nb\"}");
    assert_str(variant_of(&w, "ada"), "welcome.nb");
    engine_world_close(&w);
}

TEST(tailor, a_base_that_says_its_language_stands_in_the_chain_with_it)
{
    struct world w = mailing("subject: s\nlanguage: en\n--- html\nx");
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"language\":\"en-GB\"}");
    template(&w, "welcome.nb", PLAIN); /* the workspace's language */
    assert_str(variant_of(&w, "ada"), "welcome");
    engine_world_close(&w);
}

TEST(tailor, currency_is_the_persons_or_the_workspaces)
{
    struct world w = mailing(PLAIN);
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"currency\":\"EUR\"}");
    identify(&w, "bo", "{\"email\":\"bo@x.example\"}");
    template(&w, "welcome.EUR", PLAIN);
    template(&w, "welcome.NOK", PLAIN);
    assert_str(variant_of(&w, "ada"), "welcome.EUR");
    assert_str(variant_of(&w, "bo"), "welcome.NOK");
    engine_world_close(&w);
}

/* ---- blocks ---- */

#define ASKING                                                                                     \
    "subject: s\nwhen rich: sum of amount of \"Order Completed\" >= 100\n--- html\n"               \
    "{% if person.segments contains \"vip\" %}a{% endif %}{% if when.rich %}b{% endif %}"

static struct str frozen(struct world *w, const char *user)
{
    return claimed(w, user)->computed;
}

TEST(tailor, what_a_text_asks_is_answered_at_the_claim_and_frozen)
{
    struct world w = engine_world_open();
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "vip", "plan = \"pro\""));
    template(&w, "welcome", ASKING);
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "greet", JOURNEY));
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"plan\":\"pro\"}");
    identify(&w, "bo", "{\"email\":\"bo@x.example\"}");
    assert_str(frozen(&w, "ada"), "{\"segments\":[\"vip\"],\"$when\":{\"rich\":false}}");
    assert_str(frozen(&w, "bo"), "{\"segments\":[],\"$when\":{\"rich\":false}}");
    engine_world_order(&w, "bo", 100);
    assert_ok(engine_world_tell(&w, (struct record){ .kind = RECORD_CLAIM, .count = 10 }));
    assert_str(frozen(&w, "bo"), "{\"segments\":[],\"$when\":{\"rich\":true}}");
    engine_world_close(&w);
}

TEST(tailor, what_snippets_ask_is_answered_where_some_are_rendered)
{
    struct world w = mailing("subject: s\n--- html\n{% render 'offer' %}");
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "vip", "plan = \"pro\""));
    assert_ok(engine_world_define(&w, DEFINE_SNIPPET, "offer",
                                  "{% if person.segments contains 'vip' %}x{% endif %}"));
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"plan\":\"pro\"}");
    assert_str(frozen(&w, "ada"), "{\"segments\":[\"vip\"]}");
    assert_ok(engine_world_define(&w, DEFINE_SNIPPET, "offer", "nothing is asked"));
    assert_str(frozen(&w, "ada"), "");
    template(&w, "welcome", PLAIN);
    assert_ok(engine_world_define(&w, DEFINE_SNIPPET, "offer",
                                  "{% if person.segments contains 'vip' %}x{% endif %}"));
    assert_str(frozen(&w, "ada"), "");
    engine_world_close(&w);
}

TEST(tailor, a_variant_asks_its_own_questions)
{
    struct world w = mailing(PLAIN);
    template(&w, "welcome.nb", "subject: s\nwhen all: everyone\n--- html\nx");
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"language\":\"nb\"}");
    assert_str(frozen(&w, "ada"), "{\"$when\":{\"all\":true}}");
    engine_world_close(&w);
}

static enum err check(struct world *w, const char *text)
{
    return program_check(engine_program(w->engine), DEFINE_TEMPLATE, STR("t"), str_of(text),
                         &w->problem);
}

TEST(tailor, a_segment_that_is_not_there_is_refused_when_the_text_is_saved)
{
    struct world w = engine_world_open();
    assert_int_equal(check(&w, ASKING), ERR_ABSENT);
    assert_string_equal(w.problem.what, "There is no segment \"vip\".");
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "vip", "plan = \"pro\""));
    assert_ok(check(&w, ASKING));
    assert_int_equal(check(&w, "subject: s\nwhen x: in segment \"vop\"\n--- html\nx"), ERR_ABSENT);
    assert_int_equal(check(&w, "subject: s\nwhen x: plan is is\n--- html\nx"), ERR_INPUT);
    assert_int_equal(check(&w, "subject: s\nwhen 1x: everyone\n--- html\nx"), ERR_INPUT);
    assert_int_equal(check(&w, "subject: s\nwhen x: everyone\nwhen x: everyone\n--- html\nx"),
                     ERR_INPUT);
    engine_world_close(&w);
}

TEST(tailor, a_stored_text_whose_segment_is_gone_still_loads_and_says_no)
{
    struct world w = engine_world_open();
    template(&w, "welcome", ASKING); /* the record is taken: only the check refuses */
    assert_ok(engine_world_define(&w, DEFINE_JOURNEY, "greet", JOURNEY));
    identify(&w, "ada", "{\"email\":\"ada@x.example\"}");
    assert_str(frozen(&w, "ada"), "{\"segments\":[],\"$when\":{\"rich\":false}}");
    engine_world_close(&w);
}

TEST(tailor, a_draft_answers_as_the_claim_would_and_decides_nothing)
{
    struct world w = mailing(PLAIN);
    assert_ok(engine_world_define(&w, DEFINE_SEGMENT, "vip", "plan = \"pro\""));
    template(&w, "welcome.nb", ASKING);
    identify(&w, "ada", "{\"email\":\"ada@x.example\",\"plan\":\"pro\",\"language\":\"nb\"}");
    size_t             decided = w.out.decisions_count;
    struct claim       claim;
    struct str         variant;
    struct claim_draft draft = { .person = engine_find(w.engine, STR("ada")),
                                 .template_id =
                                     program_template(engine_program(w.engine), STR("welcome")),
                                 .problem = &w.problem };
    assert_ok(engine_claim_draft(w.engine, &draft, w.arena, &claim, &variant));
    assert_str(claim.address, "ada@x.example");
    assert_str(claim.computed, "{\"segments\":[\"vip\"],\"$when\":{\"rich\":false}}");
    assert_true(variant.len > 0);
    draft.text = STR("subject: s\nwhen it: plan = \"pro\"\n--- html\nx");
    assert_ok(engine_claim_draft(w.engine, &draft, w.arena, &claim, &variant));
    assert_str(claim.computed, "{\"$when\":{\"it\":true}}");
    assert_true(variant.len == 0);
    draft.text = STR("subject: s\nwhen it: plan is is\n--- html\nx");
    assert_int_equal(engine_claim_draft(w.engine, &draft, w.arena, &claim, &variant), ERR_INPUT);
    assert_int_equal(w.out.decisions_count, decided);
    engine_world_close(&w);
}
