/*
 * An engine for which memory is short, wherever it asks for some: it says so, or decides what it
 * would have decided. All that definitions can say is defined, and every kind of record told.
 */
#include "base/test.h"
#include "base/time.h"
#include "engine/engine_telling_test.h"
#include "engine/short_memory_test.h"

static enum err life_live(const void *context, uint64_t *told)
{
    struct telling t = { 0 };
    enum err       err = telling_open(&t);
    if (err == OK)
        err = telling_lines(&t, context);
    *told = t.told;
    telling_close(&t);
    return err;
}

#define PAPER "subject: s\ntopic: news\n--- html\n{{ person.traits.name }}"

TEST(engine_memory, definitions_are_taken_whole_or_not_at_all)
{
    static const struct line lines[] = {
        DEFINE(WORKSPACE, "workspace", "{\"name\":\"x\",\"timezone\":\"UTC\"}"),
        DEFINE(TOPICS, "topics",
               "{\"topics\":[{\"id\":\"news\",\"confirm\":[\"form\"]},{\"id\":\"offers\"}],"
               "\"confirm\":{\"days\":7,\"mails\":3}}"),
        DEFINE(SEGMENT, "vip", "did \"Order\" at least 2 times and email exists"),
        DEFINE(SEGMENT, "all", "in segment \"vip\" or plan = \"pro\""),
        DEFINE(SEGMENT, "vip", "in segment \"all\""), /* a circle */
        DEFINE(TRAIT, "spent", "sum of amount of \"Order\" in the last 30 days"),
        DEFINE(SEGMENT, "spenders", "spent > 10 or trait \"other\" contains \"x\""),
        DEFINE(SCORE, "lead",
               "{\"score\":\"lead\",\"half_life\":\"14 days\",\"rules\":[{\"event\":\"Order\","
               "\"points\":30},{\"condition\":\"size > 50\",\"points\":10}],"
               "\"lines\":[{\"name\":\"warm\",\"at\":20}]}"),
        DEFINE(STAGES, "stages",
               "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},{\"name\":\"customer\","
               "\"when\":\"did \\\"Order\\\" in the last 30 days\"}]}"),
        DEFINE(RETENTION, "retention",
               "{\"events\":\"90 days\",\"by_event\":{\"Visit\":\"10 days\"}}"),
        DEFINE(LIMITS, "limits",
               "{\"quiet\":[{\"from\":\"monday or friday 21:00\",\"to\":\"08:00\"}],\"limits\":[{"
               "\"most\":1,\"in\":\"6 hours\",\"wait\":\"2 days\",\"channel\":\"email\"}]}"),
        DEFINE(CODES, "gift", "{\"kind\":\"pool\",\"expires\":\"2 days\"}"),
        DEFINE(CODES, "spring", "{\"kind\":\"fixed\",\"code\":\"SPRING\"}"),
        DEFINE(CODES, "made",
               "{\"kind\":\"generated\",\"prefix\":\"A-\",\"length\":8,\"expires\":\"1 days\"}"),
        DEFINE(SNIPPET, "foot", "{% if person.segments contains 'vip' %}x{% endif %}"),
        DEFINE(QUESTION, "why", "{\"kind\":\"choice\",\"choices\":[{\"id\":\"price\"}]}"),
        DEFINE(TEMPLATE, "hello", PAPER),
        DEFINE(TEMPLATE, "gift",
               "subject: s\ntopic: news\n--- html\n{{ codes.gift.code }} {{ codes.made.code }}"
               "{% include 'foot' %}{% if person.segments contains 'vip' %}x{% endif %}"),
        DEFINE(TEMPLATE, "text", "channel: sms\n--- text\ny"),
        DEFINE(TEMPLATE, "gone", PAPER),
        DEFINE(TEMPLATE, "gone", ""),
        DEFINE(RATES, "rates",
               "{\"base\":\"NOK\",\"rates\":[{\"date\":\"2026-01-01\",\"currency\":\"EUR\","
               "\"rate\":11.5}]}"),
        DEFINE(SENDING, "sending", "{\"state\":\"on\"}"),
        DEFINE(JOURNEY, "all",
               "{\"journey\":\"all\",\"trigger\":{\"event\":\"Order\",\"key\":\"id\"},\"reentry\":"
               "\"after 2 days\",\"exit_when\":\"did \\\"Left\\\" since entry\",\"goal\":{"
               "\"condition\":\"did \\\"Paid\\\" since entry\",\"within\":\"7 days\",\"target\":"
               "15,\"value\":\"amount\"},\"nodes\":["
               "{\"id\":\"w\",\"wait\":\"1 day\"},"
               "{\"id\":\"u\",\"wait_until\":\"monday 10:00\"},"
               "{\"id\":\"f\",\"wait_for\":\"did \\\"A\\\" since entry\",\"within\":\"1 day\"},"
               "{\"id\":\"e\",\"wait_for\":{\"event\":\"B\",\"where\":\"c = 1\"},\"within\":\"1 "
               "day\"},"
               "{\"id\":\"s\",\"split\":\"in segment \\\"vip\\\"\",\"yes\":\"m\"},"
               "{\"id\":\"t\",\"set\":{\"plan\":\"pro\",\"n\":{\"from\":\"event.n\"}}},"
               "{\"id\":\"r\",\"record\":{\"event\":\"Told\",\"properties\":{\"plan\":\"x\"}}},"
               "{\"id\":\"m\",\"email\":\"hello\"},{\"id\":\"end\",\"exit\":true}]}"),
        DEFINE(JOURNEY, "page",
               "{\"journey\":\"page\",\"trigger\":{\"segment\":\"vip\"},\"sequence\":[{\"day\":0,"
               "\"email\":\"hello\"},{\"day\":3,\"at\":\"10:00\",\"email\":\"gift\"}]}"),
        DEFINE(JOURNEY, "clock",
               "{\"journey\":\"clock\",\"trigger\":{\"schedule\":\"monday 10:00\",\"segment\":"
               "\"vip\"},\"nodes\":[{\"id\":\"m\",\"email\":\"hello\"}]}"),
        DEFINE(JOURNEY, "date",
               "{\"journey\":\"date\",\"trigger\":{\"date\":\"3 days before ends at 10:00\"},"
               "\"audience\":\"in segment \\\"vip\\\"\",\"audience_at\":\"each step\","
               "\"nodes\":[{\"id\":\"m\",\"message\":[\"text\",\"hello\"]}]}"),
        DEFINE(BROADCAST, "spring",
               "{\"broadcast\":\"spring\",\"template\":\"hello\",\"audience\":\"plan = \\\"pro\\\""
               "\"}"),
        DEFINE(JOURNEY_STATE, "all", "{\"state\":\"paused\",\"at\":1767225600000}"),
        DEFINE(JOURNEY, "page", ""),
        DEFINE(SEGMENT, "spenders", ""),
        DEFINE(TRAIT, "spent", ""),
        DEFINE(SCORE, "lead", ""),
        PASSES(1),
        END,
    };
    assert_true(short_memory_everywhere(life_live, lines) > 400);
}

TEST(engine_memory, what_people_do_is_decided_as_ever_or_not_at_all)
{
    static const struct line lines[] = {
        DEFINE(TOPICS, "topics", "{\"topics\":[{\"id\":\"news\"},{\"id\":\"offers\"}]}"),
        DEFINE(CODES, "made",
               "{\"kind\":\"generated\",\"prefix\":\"A-\",\"length\":8,\"expires\":\"1 days\"}"),
        DEFINE(TEMPLATE, "hello",
               "subject: s\ntopic: news\n--- html\n{{ codes.made.code }}"
               "{% if person.segments contains 'vip' %}x{% endif %}"),
        DEFINE(SEGMENT, "vip", "did \"Order\" at least 1 times in the last 2 days"),
        DEFINE(TRAIT, "spent", "sum of amount of \"Order\" in the last 30 days"),
        DEFINE(SEGMENT, "spent", "spent > 5"),
        DEFINE(STAGES, "stages",
               "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},{\"name\":\"customer\","
               "\"when\":\"did \\\"Order\\\" in the last 3 days\"}]}"),
        DEFINE(SCORE, "lead",
               "{\"score\":\"lead\",\"rules\":[{\"event\":\"Order\",\"points\":30}],"
               "\"lines\":[{\"name\":\"warm\",\"at\":20}]}"),
        DEFINE(JOURNEY, "all",
               "{\"journey\":\"all\",\"trigger\":{\"event\":\"Order\",\"key\":\"id\"},\"reentry\":"
               "\"always\",\"exit_when\":\"did \\\"Left\\\" since entry\",\"goal\":{"
               "\"condition\":\"did \\\"Paid\\\" since entry\",\"within\":\"7 days\",\"value\":"
               "\"amount\"},\"nodes\":["
               "{\"id\":\"m\",\"email\":\"hello\"},"
               "{\"id\":\"t\",\"set\":{\"plan\":\"pro\",\"n\":{\"from\":\"event.n\"}}},"
               "{\"id\":\"r\",\"record\":{\"event\":\"Told\",\"properties\":{\"plan\":\"x\"}}},"
               "{\"id\":\"f\",\"wait_for\":{\"event\":\"B\",\"where\":\"c = 1\"},\"within\":\"1 "
               "day\"},"
               "{\"id\":\"s\",\"split\":\"in segment \\\"vip\\\"\",\"yes\":\"w\"},"
               "{\"id\":\"w\",\"wait\":\"1 day\"},"
               "{\"id\":\"end\",\"exit\":true}]}"),
        DEFINE(BROADCAST, "spring",
               "{\"broadcast\":\"spring\",\"template\":\"hello\",\"audience\":\"everyone\"}"),
        IS("ada", "{\"email\":\"ada@x.example\",\"name\":\"Ada\",\"a\":{\"b\":[1,2.5,true]}}"),
        { .kind = RECORD_TRACK, .anonymous = "d1", .name = "Visit" },
        { .kind = RECORD_IDENTIFY, .who = "ada", .anonymous = "d1", .text = "{}" },
        { .kind = RECORD_PAGE, .who = "ada", .name = "Price", .text = "{\"url\":\"/x\"}" },
        { .kind = RECORD_GROUP, .who = "ada", .name = "g1", .text = "{\"size\":5}" },
        { .kind = RECORD_LIST, .who = "ada", .name = "friends" },
        { .kind = RECORD_CONSENT,
          .who = "ada",
          .name = "news",
          .text = "{\"state\":\"subscribed\",\"how\":\"form\",\"source\":\"form\"}" },
        DID("ada", "Order", "{\"id\":\"o1\",\"amount\":7,\"n\":3}"),
        CLAIMS,
        { .kind = RECORD_OUTCOME },
        { .kind = RECORD_MESSAGE, .who = "ada", .name = "Message Clicked", .text = "{}" },
        { .kind = RECORD_BROADCAST, .name = "spring", .text = "{\"act\":\"launch\"}" },
        PASSES(TIME_HOUR_MS),
        CLAIMS,
        { .kind = RECORD_OUTCOME },
        DID("ada", "B", "{\"c\":1}"),
        IS("bo", "{\"email\":\"bo@x.example\"}"),
        DID("bo", "Order", "{\"id\":\"o2\",\"amount\":9}"),
        DID("bo", "Paid", "{\"amount\":9}"),
        { .kind = RECORD_MESSAGE, .who = "bo", .name = "Message Bounced", .text = "{}" },
        { .kind = RECORD_SUPPRESSION, .name = "bo@x.example", .text = "{\"reason\":\"by hand\"}" },
        { .kind = RECORD_ENROLL,
          .who = "bo",
          .name = "Journey Entry Requested",
          .anonymous = "all",
          .text = "{\"journey\":\"all\",\"id\":\"o3\"}" },
        { .kind = RECORD_ENROLL,
          .who = "bo",
          .name = "Journey Exit Requested",
          .anonymous = "all",
          .flags = RECORD_LEAVE,
          .text = "{\"journey\":\"all\"}" },
        PASSES(TIME_DAY_MS),
        { .kind = RECORD_ALIAS, .who = "ada", .anonymous = "d2" },
        PASSES(3 * TIME_DAY_MS),
        { .kind = RECORD_ERASE, .who = "bo" },
        PASSES(30 * TIME_DAY_MS),
        END,
    };
    assert_true(short_memory_everywhere(life_live, lines) > 400);
}

#define NODES(more)                                                                                \
    "{\"journey\":\"j\",\"trigger\":{\"event\":\"Order\"},\"reentry\":\"always\",\"audience\":"    \
    "\"email exists\",\"audience_at\":\"each step\",\"goal\":{\"condition\":\"did \\\"Paid\\\" "   \
    "since "                                                                                       \
    "entry\",\"within\":\"7 days\"},\"nodes\":[" more                                              \
    "{\"id\":\"x\",\"variants\":[{\"name\":\"a\",\"next\":\"m\"},{\"name\":\"b\",\"next\":\"l\"}]" \
    ","                                                                                            \
    "\"winner\":{\"people\":1,\"decide_after\":\"1 hour\"}},"                                      \
    "{\"id\":\"m\",\"message\":[\"text\",\"hello\"]},"                                             \
    "{\"id\":\"l\",\"join_list\":\"friends\"},{\"id\":\"v\",\"leave_list\":\"friends\"},"          \
    "{\"id\":\"c\",\"consent\":{\"topic\":\"offers\",\"state\":\"unsubscribed\"}},"                \
    "{\"id\":\"h\",\"message\":\"hook\",\"answer_within\":\"2 hours\"},"                           \
    "{\"id\":\"u\",\"wait_until\":\"09:00\"},{\"id\":\"w\",\"wait\":\"9 days\"}]}"

#define ACT(what)                                                                                  \
    {                                                                                              \
        .kind = RECORD_BROADCAST, .name = "spring", .text = "{\"act\":\"" what "\"}"               \
    }
#define PUBLISHED(with, as)                                                                        \
    {                                                                                              \
        .kind = RECORD_DEFINE, .define = DEFINE_JOURNEY, .name = "j", .flags = (with),             \
        .text = (as)                                                                               \
    }

/* What is said by hand, published anew over those inside, paused, counted, and taken back. */
TEST(engine_memory, what_is_published_anew_and_chosen_is_decided_as_ever_or_not_at_all)
{
    static const struct line lines[] = {
        DEFINE(TOPICS, "topics",
               "{\"topics\":[{\"id\":\"news\",\"confirm\":[\"form\"]},{\"id\":\"offers\"}]}"),
        DEFINE(CODES, "gift", "{\"kind\":\"pool\",\"low\":1}"),
        DEFINE(TEMPLATE, "hello", "subject: s\ntopic: offers\n--- html\n{{ codes.gift.code }}"),
        DEFINE(TEMPLATE, "other", "subject: s\ntopic: offers\n--- html\nx"),
        DEFINE(TEMPLATE, "confirm", "subject: s\ntransactional: yes\n--- html\nx"),
        DEFINE(TEMPLATE, "text", "channel: sms\ntopic: offers\n--- text\ny"),
        DEFINE(TEMPLATE, "hook", "channel: webhook\nurl: https://x.example\n--- body\nhi"),
        DEFINE(SEGMENT, "vip", "did \"Order\" at least 2 times"),
        DEFINE(STAGES, "stages",
               "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\"},{\"name\":\"customer\","
               "\"when\":\"did \\\"Order\\\"\"}]}"),
        DEFINE(JOURNEY, "j", NODES("")),
        DEFINE(
            JOURNEY, "stage",
            "{\"journey\":\"stage\",\"trigger\":{\"stage\":\"customer\"},\"nodes\":[{\"id\":\"w\","
            "\"wait\":\"1 day\"}]}"),
        DEFINE(
            BROADCAST, "spring",
            "{\"broadcast\":\"spring\",\"audience\":\"email exists\",\"experiment\":{\"variants\":["
            "{\"name\":\"a\",\"template\":\"hello\"},{\"name\":\"b\",\"template\":\"other\"}],"
            "\"winner\":{\"share\":40,\"decide_after\":\"4 hours\",\"by\":\"clicked\"}}}"),
        IS("ada", "{\"email\":\"ada@x.example\",\"phone\":\"+4790000001\"}"),
        IS("bo", "{\"email\":\"bo@x.example\"}"),
        IS("cy", "{\"email\":\"cy@x.example\"}"),
        DID("ada", "Order", "{\"n\":1}"),
        DID("bo", "Order", "{\"n\":2}"),
        DID("cy", "Order", "{\"n\":3}"),
        SAYS("cy", "news", "subscribed"),
        CLAIMS,
        { .kind = RECORD_OUTCOME },
        ACT("launch"),
        PASSES(TIME_MINUTE_MS),
        { .kind = RECORD_CODES,
          .name = "gift",
          .count = 3,
          .text = "{\"codes\":[\"A\",\"B\",\"C\"]}" },
        CLAIMS,
        OUTCOME(DEFERRED),
        ACT("pause"),
        DEFINE(JOURNEY_STATE, "j", "{\"state\":\"paused\",\"at\":1767225660000}"),
        PUBLISHED(RECORD_MOVE, NODES("{\"id\":\"n0\",\"set\":{\"plan\":\"pro\"}},")),
        PASSES(TIME_MINUTE_MS),
        PUBLISHED(RECORD_BACKFILL,
                  NODES("{\"id\":\"n0\",\"set\":{\"plan\":\"pro\"}},{\"id\":\"n1\","
                        "\"email\":\"other\"},")),
        DEFINE(JOURNEY_STATE, "j", "{\"state\":\"running\",\"at\":1767225720000}"),
        PASSES(TIME_MINUTE_MS),
        ACT("resume"),
        DEFINE(JOURNEY_CHOICE, "j/x",
               "{\"journey\":\"j\",\"node\":\"x\",\"experiment\":\"j/x\",\"variant\":\"b\",\"at\":"
               "1767225780000}"),
        DID("ada", "Order", "{\"n\":4}"),
        DID("bo", "Paid", "{\"n\":5}"),
        PASSES(2 * TIME_HOUR_MS),
        CLAIMS,
        OUTCOME(RETURNED),
        { .kind = RECORD_MESSAGE,
          .who = "bo",
          .name = "Message Answered",
          .text = "{\"status\":200,\"journey\":\"j\",\"node\":\"h\"}" },
        { .kind = RECORD_DEFINE,
          .define = DEFINE_SEGMENT,
          .name = "vip",
          .flags = RECORD_FIRE,
          .text = "did \"Order\" at least 1 times" },
        { .kind = RECORD_DEFINE,
          .define = DEFINE_JOURNEY,
          .name = "in",
          .flags = RECORD_LAUNCH,
          .text = "{\"journey\":\"in\",\"trigger\":{\"segment\":\"vip\"},\"nodes\":[{\"id\":\"w\","
                  "\"wait\":\"1 day\"}]}" },
        PASSES(TIME_HOUR_MS),
        { .kind = RECORD_ALIAS, .who = "ada", .anonymous = "bo" },
        PARTED,
        DEFINE(RETENTION, "retention",
               "{\"events\":\"1 days\",\"by_event\":{\"Order\":\"2 days\"}}"),
        PASSES(4 * TIME_HOUR_MS),
        CLAIMS,
        OUTCOME(FAILED),
        ACT("retry-failed"),
        PASSES(TIME_HOUR_MS),
        CLAIMS,
        { .kind = RECORD_OUTCOME },
        ACT("cancel"),
        DEFINE(JOURNEY_STATE, "j", "{\"state\":\"stopped\",\"at\":1767254580000}"),
        PASSES(3 * TIME_DAY_MS),
        { .kind = RECORD_RETAIN },
        PASSES(TIME_DAY_MS),
        { .kind = RECORD_RETAINED },
        { .kind = RECORD_ERASE, .who = "cy" },
        DEFINE(WORKSPACE, "workspace", "{\"name\":\"x\",\"timezone\":\"UTC\"}"),
        PASSES(TIME_DAY_MS),
        END,
    };
    assert_true(short_memory_everywhere(life_live, lines) > 400);
}
