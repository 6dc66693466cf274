/*
 * Every definition with one thing wrong in it: each value in the place of others, each member gone,
 * under another name or twice. The check and the definition say the same of it; what is refused is
 * refused with its place, and leaves everything as it was.
 */
#include <string.h>

#include "base/test.h"
#include "engine/program.h"

enum {
    LONG_BYTES = 2100, /* longer than any name, title or description may be */
    LONG_ITEMS = 300,  /* more than lists have */
    SHOWN = 12,
};

struct base {
    enum definition_kind kind;
    const char          *name, *text;
};

#define PAPER "subject: s\ntopic: news\n--- html\nx"
#define STEP "\"nodes\":[{\"id\":\"m\",\"email\":\"hello\"}]}"

/* Each builds on those before. */
static const struct base BASES[] = {
    { DEFINE_WORKSPACE, "workspace",
      "{\"name\":\"x\",\"timezone\":\"UTC\",\"language\":\"en\",\"currency\":\"NOK\",\"lists\":"
      "[\"friends\",{\"id\":\"foes\"}],\"topics\":[\"news\"]}" },
    { DEFINE_TOPICS, "topics",
      "{\"topics\":[{\"id\":\"news\",\"confirm\":[\"form\",\"api\"],\"channels\":[\"email\"],"
      "\"opt_in\":true,\"texts\":{\"en\":{\"name\":\"News\",\"description\":\"x\"}}},"
      "{\"id\":\"offers\"}],\"confirm\":{\"days\":7,\"mails\":3,\"template\":\"c\"}}" },
    { DEFINE_SEGMENT, "vip", "did \"Order\" at least 2 times" },
    { DEFINE_SEGMENT, "all", "in segment \"vip\" or plan = \"pro\"" },
    { DEFINE_TRAIT, "spent", "sum of amount of \"Order\" in the last 30 days" },
    { DEFINE_SEGMENT, "spenders", "spent > 10" },
    { DEFINE_SCORE, "lead",
      "{\"score\":\"lead\",\"half_life\":\"14 days\",\"rules\":[{\"event\":\"Order\",\"where\":"
      "\"size > 5\",\"points\":30,\"most\":3},{\"condition\":\"size > 50\",\"points\":-10}],"
      "\"lines\":[{\"name\":\"warm\",\"at\":20},{\"name\":\"hot\",\"at\":50}]}" },
    { DEFINE_STAGES, "stages",
      "{\"stages\":[{\"name\":\"visitor\",\"when\":\"everyone\",\"title\":\"V\",\"goal\":\"g\"},"
      "{\"name\":\"customer\",\"when\":\"did \\\"Order\\\" in the last 30 days\"}]}" },
    { DEFINE_RETENTION, "retention",
      "{\"events\":\"90 days\",\"by_event\":{\"Visit\":\"10 days\"}}" },
    { DEFINE_LIMITS, "limits",
      "{\"note\":\"n\",\"quiet\":[{\"from\":\"monday or friday 21:00\",\"to\":\"08:00\","
      "\"channels\":[\"email\",\"sms\"]}],\"limits\":[{\"most\":1,\"in\":\"6 hours\",\"wait\":\"2 "
      "days\",\"channel\":\"email\",\"topic\":\"news\"}]}" },
    { DEFINE_CODES, "gift", "{\"kind\":\"pool\",\"expires\":\"2 days\",\"low\":10}" },
    { DEFINE_CODES, "spring", "{\"kind\":\"fixed\",\"code\":\"SPRING\"}" },
    { DEFINE_CODES, "made",
      "{\"kind\":\"generated\",\"prefix\":\"A-\",\"length\":8,\"expires\":\"2026-12-31\","
      "\"redeemed\":{\"event\":\"Order\",\"properties\":[\"coupon\"]}}" },
    { DEFINE_RATES, "rates",
      "{\"base\":\"NOK\",\"rates\":[{\"date\":\"2026-01-01\",\"currency\":\"EUR\",\"rate\":11.5},"
      "{\"date\":\"2026-01-02\",\"currency\":\"EUR\",\"rate\":11.75}]}" },
    { DEFINE_SENDING, "sending",
      "{\"state\":\"on\",\"why\":\"w\",\"hours\":24,\"bounces\":{\"percent\":5,\"least\":100},"
      "\"complaints\":{\"percent\":1,\"least\":200},\"domains\":[{\"domain\":\"x.example\",\"why\":"
      "\"full\"}]}" },
    { DEFINE_QUESTION, "why", "{\"kind\":\"choice\",\"choices\":[{\"id\":\"price\"}]}" },
    { DEFINE_TOUCHPOINT, "shop",
      "{\"title\":\"The shop\",\"stage\":\"customer\",\"source\":\"shop\",\"events\":[\"Order\","
      "{\"event\":\"Cart\",\"where\":\"total > 5\"}],\"feeling\":\"safe\",\"note\":\"n\"}" },
    { DEFINE_TEMPLATE, "hello", PAPER },
    { DEFINE_TEMPLATE, "other", PAPER },
    { DEFINE_SNIPPET, "foot", "{% if person.segments contains 'vip' %}x{% endif %}" },
    { DEFINE_TEMPLATE, "asks",
      "subject: s\ntopic: news\nchannel: email\nlanguage: en\nwhen loyal: did \"Order\" in the "
      "last "
      "9 days\n--- html\n{% if person.segments contains 'vip' %}x{% endif %}{% if loyal %}y{% "
      "endif "
      "%}{{ codes.gift.code }}{% include 'foot' %}" },
    { DEFINE_TEMPLATE, "text", "channel: sms\ntransactional: yes\n--- text\ny" },
    { DEFINE_JOURNEY, "all",
      "{\"journey\":\"all\",\"trigger\":{\"event\":\"Order\",\"where\":\"n > 1\","
      "\"key\":\"id\"},\"at_once\":3,\"reentry\":\"after 2 days\",\"exit_when\":\"did \\\"Left\\\" "
      "since entry\",\"audience\":\"plan = \\\"pro\\\"\",\"audience_at\":\"each step\","
      "\"holdout\":{\"share\":5,\"name\":\"h\"},\"priority\":3,"
      "\"goal\":{\"condition\":\"did \\\"Paid\\\" since entry\",\"within\":\"7 days\",\"target\":"
      "15,\"value\":\"amount\"},\"exit_on_goal\":false,\"nodes\":["
      "{\"id\":\"w\",\"wait\":\"1 day\",\"next\":\"u\"},"
      "{\"id\":\"u\",\"wait_until\":\"monday 10:00\"},"
      "{\"id\":\"b\",\"wait_until\":\"3 days before ends at 10:00\"},"
      "{\"id\":\"f\",\"wait_for\":\"did \\\"A\\\" since entry\",\"within\":\"1 day\"},"
      "{\"id\":\"e\",\"wait_for\":{\"event\":\"B\",\"where\":\"c = 1\"},\"within\":\"1 day\","
      "\"yes\":\"t\",\"timeout\":\"s\"},"
      "{\"id\":\"s\",\"split\":\"in segment \\\"vip\\\"\",\"yes\":\"m\",\"no\":\"t\"},"
      "{\"id\":\"h\",\"split\":[{\"share\":30,\"next\":\"m\",\"name\":\"a\"},{\"share\":70,"
      "\"next\":\"t\"}]},"
      "{\"id\":\"k\",\"split\":[{\"if\":\"n = 1\",\"next\":\"m\"},{\"if\":\"n = 2\",\"next\":"
      "\"t\"}],\"else\":\"r\"},"
      "{\"id\":\"t\",\"set\":{\"plan\":\"pro\",\"n\":{\"from\":\"event.n\"},\"o\":{\"from\":"
      "\"trait.x\"},\"p\":[1,\"a\"]}},"
      "{\"id\":\"r\",\"record\":{\"event\":\"Told\",\"properties\":{\"plan\":\"x\",\"b\":true}}},"
      "{\"id\":\"l\",\"join_list\":\"friends\"},{\"id\":\"v\",\"leave_list\":\"friends\"},"
      "{\"id\":\"c\",\"consent\":{\"topic\":\"news\",\"state\":\"unsubscribed\"}},"
      "{\"id\":\"m\",\"message\":[\"text\",\"hello\"],\"next\":\"end\"},"
      "{\"id\":\"end\",\"exit\":true}]}" },
    { DEFINE_JOURNEY, "test",
      "{\"journey\":\"test\",\"trigger\":{\"segment\":\"vip\"},\"reentry\":\"always\","
      "\"goal\":{\"condition\":\"did \\\"Paid\\\" since entry\",\"within\":\"7 days\"},\"nodes\":["
      "{\"id\":\"x\",\"experiment\":\"n\",\"hypothesis\":\"h\",\"variants\":[{\"name\":\"a\","
      "\"next\":\"m\",\"share\":40},{\"name\":\"b\",\"next\":\"w\",\"share\":60}],\"winner\":{"
      "\"people\":10,\"decide_after\":\"3 days\",\"by\":\"goal\",\"sure\":95}},"
      "{\"id\":\"m\",\"email\":\"hello\"},{\"id\":\"w\",\"wait\":\"1 day\"}]}" },
    { DEFINE_JOURNEY, "page",
      "{\"journey\":\"page\",\"trigger\":{\"left_segment\":\"vip\"},\"sequence\":[{\"day\":0,"
      "\"email\":\"hello\"},{\"day\":3,\"at\":\"10:00\",\"email\":\"other\",\"unless\":{\"did\":"
      "\"Paid\"}},{\"day\":5,\"message\":[\"text\",\"hello\"],\"unless\":\"did \\\"Paid\\\"\"}]}" },
    { DEFINE_JOURNEY, "clock",
      "{\"journey\":\"clock\",\"trigger\":{\"schedule\":\"monday "
      "10:00\",\"segment\":\"vip\"}," STEP },
    { DEFINE_JOURNEY, "date",
      "{\"journey\":\"date\",\"trigger\":{\"date\":\"3 days before ends at 10:00\"}," STEP },
    { DEFINE_JOURNEY, "stage",
      "{\"journey\":\"stage\",\"trigger\":{\"stage\":\"customer\"}," STEP },
    { DEFINE_JOURNEY, "list", "{\"journey\":\"list\",\"trigger\":{\"list\":\"friends\"}," STEP },
    { DEFINE_JOURNEY, "after",
      "{\"journey\":\"after\",\"trigger\":{\"finished_journey\":\"all\"}," STEP },
    { DEFINE_JOURNEY, "read", "{\"journey\":\"read\",\"trigger\":{\"opened\":\"any\"}," STEP },
    { DEFINE_JOURNEY, "src", "{\"journey\":\"src\",\"trigger\":{\"clicked\":\"any\"}," STEP },
    { DEFINE_JOURNEY_STATE, "all", "{\"state\":\"paused\",\"at\":1767225600000}" },
    { DEFINE_JOURNEY_CHOICE, "test/x",
      "{\"journey\":\"test\",\"node\":\"x\",\"experiment\":\"n\",\"variant\":\"a\",\"at\":"
      "1767225600000,\"how\":\"sure\",\"counted\":[{\"name\":\"a\",\"people\":10,\"reached\":2},"
      "{\"name\":\"b\",\"people\":9,\"reached\":1}]}" },
    { DEFINE_BROADCAST, "spring",
      "{\"broadcast\":\"spring\",\"template\":\"hello\",\"audience\":\"plan = \\\"pro\\\"\","
      "\"topic\":\"news\",\"when\":{\"at\":\"2026-12-01T08:00:00Z\"},\"throttle\":100,\"priority\":"
      "4,\"holdout\":{\"share\":5}}" },
    { DEFINE_BROADCAST, "local",
      "{\"broadcast\":\"local\",\"template\":\"hello\",\"audience\":\"everyone\",\"when\":{"
      "\"local\":\"2026-12-01 best hour or 08:00\"}}" },
    { DEFINE_BROADCAST, "test",
      "{\"broadcast\":\"test\",\"audience\":{\"trait\":\"plan\",\"op\":\"=\",\"value\":\"pro\"},"
      "\"experiment\":{"
      "\"name\":\"n\",\"hypothesis\":\"h\",\"variants\":[{\"name\":\"a\",\"template\":\"hello\","
      "\"share\":50},{\"name\":\"b\",\"template\":\"other\",\"share\":50}],\"winner\":{\"share\":"
      "40,\"decide_after\":\"4 hours\",\"by\":\"goal\",\"goal\":\"did \\\"Paid\\\"\"}}}" },
};

enum { BASES_COUNT = sizeof BASES / sizeof BASES[0] };

/* ---- one thing wrong ---- */

static const char *const VALUES[] = {
    "null",
    "true",
    "-1",
    "0",
    "1",
    "0.5",
    "101",
    "1e300",
    "99999999999",
    "\"\"",
    "\"x\"",
    "\"a: b\"",
    "\"*\"",
    "\"0 days\"",
    "\"2 hours\"",
    "\"99999 days\"",
    "\"2026-13-45\"",
    "\"everyone\"",
    "\"did \\\"Order\\\"\"",
    "\"no ( condition\"",
    "\"birthday\"",
    "\"best hour\"",
    "\"Score Crossed\"",
    "[]",
    "{}",
    "[null]",
    "[[1]]",
    "{\"zz\":1}",
    "{\"from\":\"\"}",
    "{\"event\":\"\"}",
    "[\"hello\",\"hello\"]",
    "{\"trait\":\"plan\"}",
};

/* What else may become of a value: AS and beyond are its place or its name. */
enum {
    LONG = sizeof VALUES / sizeof VALUES[0],
    MANY,
    TWICE,
    GONE,
    RENAMED,
    NAMELESS,
    LONG_NAMED,
    MORE,
    CHANGES
};

struct change {
    uint32_t at, seen; /* the value's number; counted while writing */
    int      what;
};

static void value_write(struct buf *out, const struct json *value, struct change *c);

static void long_write(struct buf *out)
{
    buf_char(out, '"');
    for (int i = 0; i < LONG_BYTES; i++)
        buf_char(out, 'x');
    buf_char(out, '"');
}

static void repeated_write(struct buf *out, const struct json *value, int times)
{
    for (int i = 0; i < times; i++) {
        buf_char(out, i == 0 ? '[' : ',');
        json_write(out, value);
    }
    buf_char(out, ']');
}

static void other_write(struct buf *out, const struct json *value, struct change *c)
{
    if (c->what < LONG)
        buf_str(out, str_of(VALUES[c->what]));
    else if (c->what == LONG)
        long_write(out);
    else if (c->what == MANY || c->what == TWICE)
        repeated_write(out, value, c->what == MANY ? LONG_ITEMS : 2);
    else
        json_write(out, value);
}

static void member_write(struct buf *out, const struct json_member *member, struct change *c,
                         bool *first)
{
    bool is_it = c->seen == c->at;
    if (is_it && c->what == GONE) {
        c->seen++;
        return;
    }
    if (!*first)
        buf_char(out, ',');
    *first = false;
    if (is_it && c->what == LONG_NAMED)
        long_write(out);
    else
        json_write_str(out, is_it && c->what == RENAMED    ? STR("zz")
                            : is_it && c->what == NAMELESS ? STR("")
                                                           : member->key);
    buf_char(out, ':');
    value_write(out, &member->value, c);
    if (is_it && c->what == MORE)
        buf_str(out, STR(",\"zz\":1"));
}

static void value_write(struct buf *out, const struct json *value, struct change *c)
{
    bool first = true;
    if (c->seen++ == c->at && c->what < GONE) {
        other_write(out, value, c);
        return;
    }
    if (value->kind == JSON_OBJECT) {
        buf_char(out, '{');
        for (uint32_t i = 0; i < value->count; i++)
            member_write(out, &value->members[i], c, &first);
        buf_char(out, '}');
    } else if (value->kind == JSON_ARRAY) {
        buf_char(out, '[');
        for (uint32_t i = 0; i < value->count; i++) {
            if (c->seen == c->at && c->what == GONE) {
                c->seen++;
                continue;
            }
            buf_str(out, first ? STR("") : STR(","));
            first = false;
            value_write(out, &value->items[i], c);
        }
        buf_char(out, ']');
    } else {
        json_write(out, value);
    }
}

/* ---- what is in force ---- */

struct sweep {
    struct program *program;
    uint32_t        version;
    uint64_t        tried, taken, wrong;
};

static uint64_t mixed(uint64_t hash, const void *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 1099511628211u;
    return hash;
}

/* Nothing that was refused has another version, another text or another memory. */
static uint64_t in_force(const struct program *p)
{
    uint64_t hash = 1469598103934665603u;
    for (uint32_t i = 0; i < p->segments.count; i++)
        hash = mixed(hash, &p->segments.items[i].arena, sizeof p->segments.items[i].arena);
    for (uint32_t i = 0; i < p->computed.count; i++)
        hash = mixed(hash, &p->computed.items[i].arena, sizeof p->computed.items[i].arena);
    for (uint32_t i = 0; i < p->broadcasts.count; i++)
        hash = mixed(hash, &p->broadcasts.items[i].arena, sizeof p->broadcasts.items[i].arena);
    for (uint32_t i = 0; i < p->codes.count; i++)
        hash = mixed(hash, &p->codes.items[i].version, sizeof p->codes.items[i].version);
    for (uint32_t i = 0; i < p->templates.count; i++)
        hash = mixed(hash, &p->templates.items[i].version, sizeof p->templates.items[i].version);
    for (uint32_t i = 0; i < p->journeys.count; i++)
        hash = mixed(mixed(mixed(hash, &p->journeys.items[i].count, sizeof(uint32_t)),
                           &p->journeys.items[i].choices.count, sizeof(uint32_t)),
                     &p->journeys.items[i].state_version, sizeof(uint32_t));
    const uint32_t versions[] = { p->stages.version, p->retention.version, p->topics.version,
                                  p->limits.version, p->papers.count,      p->sending.version };
    hash = mixed(hash, versions, sizeof versions);
    return mixed(hash, &p->rates_arena, sizeof p->rates_arena);
}

/* These are read when they are told, and checked by nobody before. */
static bool is_checked(enum definition_kind kind)
{
    return kind != DEFINE_SENDING && kind != DEFINE_QUESTION;
}

/* Once taken these are loaded also where a zone, a segment or a pool is gone by now. */
static bool is_lenient(enum definition_kind kind)
{
    return kind == DEFINE_WORKSPACE || kind == DEFINE_TEMPLATE || kind == DEFINE_SNIPPET;
}

static enum err define(struct sweep *s, const struct base *base, struct str text,
                       struct problem *problem)
{
    uint32_t number;
    *problem = (struct problem){ .where = "" };
    return program_define(s->program, base->kind, str_of(base->name), text, ++s->version, &number,
                          problem);
}

static void base_define(struct sweep *s, const struct base *base)
{
    struct problem problem;
    if (define(s, base, str_of(base->text), &problem) != OK)
        fail_msg("%s: %s: %s", base->name, problem.where, problem.what);
}

static void one_try(struct sweep *s, const struct base *base, struct str text)
{
    struct problem problem, checked = { .where = "" };
    uint64_t       before = in_force(s->program);
    enum err       check = is_checked(base->kind)
                               ? program_check(s->program, base->kind, str_of(base->name), text, &checked)
                               : OK;
    bool           as_before = before == in_force(s->program);
    enum err       err = define(s, base, text, &problem);
    as_before = as_before && (err == OK || before == in_force(s->program));
    s->tried++;
    s->taken += err == OK;
    bool is_same =
        check == err && (problem.what[0] == '\0' || strcmp(problem.what, checked.what) == 0);
    bool is_gone = text.len == 0 && err == ERR_ABSENT; /* deleting what is not there */
    bool is_kept = err == OK && is_lenient(base->kind);
    bool is_said = err == OK || problem.what[0] != '\0' || checked.what[0] != '\0';
    if (as_before && (is_same || is_kept || is_gone || !is_checked(base->kind)) &&
        (is_said || is_gone))
        return;
    if (s->wrong++ < SHOWN)
        print_error("%.40s: %.300s%s\n  check: %s: %s: %s\n  define: %s: %s: %s\n", base->name,
                    text.ptr, as_before ? "" : "\n  changed", err_name(check), checked.where,
                    checked.what, err_name(err), problem.where, problem.what);
}

static void try_and_mend(struct sweep *s, const struct base *base, struct str text)
{
    uint64_t taken = s->taken;
    one_try(s, base, text);
    if (s->taken > taken)
        base_define(s, base);
}

/* Cut anywhere, and with another sign anywhere. */
static void text_sweep(struct sweep *s, struct arena *arena, const struct base *base)
{
    static const char signs[] = "\"'(:,%{}\n 0x";
    struct str        text = str_copy(arena, str_of(base->text));
    char             *bytes = (char *)(uintptr_t)text.ptr;
    for (size_t at = 0; at < text.len; at++) {
        char was = bytes[at];
        for (size_t k = 0; k + 1 < sizeof signs; k++) {
            bytes[at] = signs[k];
            try_and_mend(s, base, text);
        }
        bytes[at] = was;
        try_and_mend(s, base, str_slice(text, 0, at)); /* nothing at all: it is deleted */
    }
}

/* The whole of it under names that are none, or others'. */
static void name_sweep(struct sweep *s, const struct base *base)
{
    static char              long_name[LONG_BYTES + 1];
    static const char *const names[] = { "",         "zz",       "a: b", "score lead: warm",
                                         "stage: x", "begin: x", "$x",   long_name };
    memset(long_name, 'x', LONG_BYTES);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct base    other = { base->kind, names[i], base->text };
        struct problem problem;
        uint64_t       taken = s->taken;
        one_try(s, &other, str_of(base->text));
        if (s->taken > taken)
            (void)define(s, &other, STR(""), &problem);
        else
            one_try(s, &other, STR("")); /* of what is not there nothing is deleted */
    }
}

static void base_sweep(struct sweep *s, struct arena *arena, const struct base *base)
{
    SCOPED(buf_donep) struct buf text = buf_make(64 << 20);
    struct json                  root;
    uint32_t                     values = UINT32_MAX;
    assert_ok(json_parse_once(arena, str_of(base->text), &root, NULL));
    for (uint32_t at = 0; at < values; at++)
        for (int what = 0; what < CHANGES; what++) {
            struct change c = { .at = at, .what = what };
            buf_reset(&text);
            value_write(&text, &root, &c);
            values = what == NAMELESS ? c.seen : values; /* nothing was left out */
            assert_ok(buf_err(&text));
            buf_char(&text, '\0');
            try_and_mend(s, base, (struct str){ text.ptr, text.len - 1 });
        }
    try_and_mend(s, base, STR(""));
}

TEST(program_sweep, one_thing_wrong_is_refused_with_its_place_and_changes_nothing)
{
    struct sweep  s = { .version = 0 };
    struct arena *arena = arena_open(1 << 20);
    assert_ok(program_open(&s.program));
    for (uint32_t i = 0; i < BASES_COUNT; i++)
        base_define(&s, &BASES[i]);
    for (uint32_t i = 0; i < BASES_COUNT; i++)
        if (BASES[i].text[0] == '{' && BASES[i].text[1] != '%')
            base_sweep(&s, arena, &BASES[i]);
        else
            text_sweep(&s, arena, &BASES[i]);
    for (uint32_t i = 0; i < BASES_COUNT; i++)
        name_sweep(&s, &BASES[i]);
    print_message("  %llu tried, %llu taken\n", (unsigned long long)s.tried,
                  (unsigned long long)s.taken);
    assert_int_equal(s.wrong, 0);
    assert_true(s.taken > 100 && s.taken < s.tried / 2);
    arena_close(arena);
    program_close(s.program);
}
