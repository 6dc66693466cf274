/* Descriptions of providers: what is asked, and what answers mean. */
#include "run/send/provider.h"

#include <stdio.h>
#include <string.h>

#include "base/test.h"

#define HEAD "{\"provider\":\"p\",\"settings\":[{\"name\":\"key\",\"secret\":true}],"
#define REQUEST "\"request\":{\"url\":\"https://p.example/{{ message.id }}\""

struct scene {
    struct arena        *arena;
    struct provider     *provider;
    struct json          settings;
    struct fetch_request request;
    struct problem       problem;
};

static const struct provider_message LETTER = {
    .id = { "7-x", 3 },
    .message_id = { "x@tents.example", 15 },
    .subject = { "A \"line\" \xc3\xa5\n", 12 },
    .html = { "<p>1 & 2</p>", 12 },
    .text = { "1 & 2 = 3", 9 },
    .from = { "ada@tents.example", 17 },
    .from_name = { "Ada \"of\" \\", 10 },
    .to = { "eve@x.example", 13 },
    .mime = { "From: a\r\nList-Id: <news.x>,\r\n more\r\nSubject: b\r\nX-A: 1\r\n\r\nList-Id: "
              "no\r\n",
              71 },
};

static void scene_open(struct scene *s, const char *text)
{
    struct json_member member = { STR("key"), { .kind = JSON_STRING, .string = STR("s3cret") } };
    struct json        given = { .kind = JSON_OBJECT, .count = 1, .members = &member };
    *s = (struct scene){ .arena = arena_open(1 << 24) };
    enum err err = provider_parse(&s->provider, str_of(text), "p.json", &s->problem);
    if (err != OK)
        print_error("%s\n", s->problem.what);
    assert_ok(err);
    assert_ok(
        provider_settings_fill(s->provider, s->arena, &given, &s->settings, "p", &s->problem));
}

static struct str ask(struct scene *s)
{
    assert_ok(provider_ask(s->provider, &s->settings, &LETTER, 1440938160000, s->arena, &s->request,
                           &s->problem));
    return s->request.body;
}

static bool has_header(const struct scene *s, const char *line)
{
    for (int i = 0; i < FETCH_HEADERS_MAX && s->request.headers[i] != NULL; i++)
        if (strcmp(s->request.headers[i], line) == 0)
            return true;
    return false;
}

static void scene_close(struct scene *s)
{
    provider_close(s->provider);
    arena_close(s->arena);
}

static void is(struct str found, const char *wanted)
{
    if (!str_eq(found, str_of(wanted)))
        print_error("%.*s\n", STR_ARG(found));
    assert_true(str_eq(found, str_of(wanted)));
}

TEST(provider, a_json_body_is_escaped_and_what_renders_to_nothing_is_left_out)
{
    struct scene s;
    scene_open(
        &s, HEAD REQUEST
        ",\"json\":{\"s\":\"{{ message.subject }}\",\"none\":\"{{ message.reply_to }}\","
        "\"plain\":\"\",\"n\":{\"deep\":[true,1,\"{{ message.nothing }}\",\"{{ message.to }}\"]},"
        "\"raw\":{\"$message\":\"base64\"},\"j\":{\"$json\":\"[{{ message.to | json }}]\"},"
        "\"h\":{\"$json\":\"{% for h in message.headers %}{{ h.value | json }}{% endfor %}\"}},"
        "\"headers\":{\"X-Key\":\"{{ settings.key }}\",\"X-None\":\"{{ message.reply_to }}\"}}}");
    is(ask(&s), "{\"s\":\"A \\\"line\\\" \xc3\xa5\\n\",\"plain\":\"\",\"n\":{\"deep\":[true,1,"
                "\"eve@x.example\"]},\"raw\":"
                "\"RnJvbTogYQ0KTGlzdC1JZDogPG5ld3MueD4sDQogbW9yZQ0KU3ViamVjdDogYg0KWC1BOiAxDQoNCkxp"
                "c3QtSWQ6IG5vDQo=\",\"j\":[\"eve@x.example\"],"
                "\"h\":\"<news.x>, more\"\"1\"}");
    assert_string_equal(s.request.url, "https://p.example/7-x");
    assert_string_equal(s.request.method, "POST");
    assert_true(has_header(&s, "X-Key: s3cret"));
    assert_true(has_header(&s, "Content-Type: application/json"));
    assert_int_equal(s.request.repeatable, false);
    assert_null(s.request.headers[2]);
    scene_close(&s);
}

TEST(provider, a_form_is_escaped_and_a_list_stands_several_times)
{
    struct scene s;
    scene_open(&s, HEAD REQUEST
               ",\"form\":{\"a b\":\"{{ message.text }}\",\"l\":[\"x\",\"{{ message.to }}\"],"
               "\"none\":\"{{ message.reply_to }}\"},"
               "\"auth\":{\"basic\":{\"user\":\"api\",\"password\":\"{{ settings.key }}\"}}},"
               "\"idempotency\":{\"header\":\"Key\",\"value\":\"{{ message.id }}\"}}");
    is(ask(&s), "a%20b=1%20%26%202%20%3D%203&l=x&l=eve%40x.example");
    assert_true(has_header(&s, "Authorization: Basic YXBpOnMzY3JldA=="));
    assert_true(has_header(&s, "Key: 7-x"));
    assert_true(s.request.repeatable);
    scene_close(&s);
}

TEST(provider, an_object_in_a_form_is_told_by_its_members)
{
    struct scene s;
    scene_open(
        &s, HEAD REQUEST
        ",\"form\":{\"to\":{\"name\":\"{{ message.to }}\",\"none\":\"{{ message.reply_to }}\"},"
        "\"x\":\"1\"}}}");
    is(ask(&s), "to%5Bname%5D=eve%40x.example&x=1");
    scene_close(&s);
}

TEST(provider, a_method_may_be_the_messages_own)
{
    struct scene s;
    scene_open(&s, HEAD REQUEST ",\"method\":\"{% if message.to %}PUT{% endif %}\"}}");
    ask(&s);
    assert_string_equal(s.request.method, "PUT");
    assert_null(s.request.headers[0]); /* without a body there is no type */
    scene_close(&s);
}

TEST(provider, a_multipart_body_has_the_message_as_it_is)
{
    struct scene s;
    scene_open(&s, HEAD REQUEST
               ",\"multipart\":{\"to\":\"{{ message.to }}\",\"message\":{\"$message\":\"mime\","
               "\"file\":\"m.eml\",\"type\":\"message/rfc822\"}}}}");
    struct str body = ask(&s);
    assert_true(str_find(body, 0, LETTER.mime) < body.len);
    assert_true(str_find(body, 0,
                         STR("name=\"message\"; filename=\"m.eml\"\r\nContent-Type: "
                             "message/rfc822\r\n\r\nFrom: a\r\n")) < body.len);
    assert_true(str_starts(body, STR("--dult-")));
    scene_close(&s);
}

TEST(provider, a_mailbox_with_quotes_in_its_name_is_still_one)
{
    struct scene s;
    scene_open(&s, HEAD REQUEST ",\"body\":\"{{ message.from_mailbox }}\",\"type\":\"text/x\"}}");
    is(ask(&s), "\"Ada \\\"of\\\" \\\\\" <ada@tents.example>");
    assert_true(has_header(&s, "Content-Type: text/x"));
    scene_close(&s);
}

/* ---- answers ---- */

TEST(provider, answers_mean_what_the_rules_say_and_else_what_their_status_says)
{
    static const struct {
        int                  status;
        const char          *body;
        enum delivery_result result;
        enum delivery_blame  blame;
        const char          *text;
    } cases[] = {
        { 200, "{\"id\":\"a-1\",\"code\":0}", DELIVERY_SENT, BLAME_NONE, "a-1" },
        { 202, "", DELIVERY_SENT, BLAME_NONE, "h-2" },
        { 200, "{\"code\":406,\"error\":{\"text\":\"gone\\n\"}}", DELIVERY_FAILED, BLAME_RECIPIENT,
          "HTTP 200: gone " },
        { 422, "{\"code\":5,\"message\":\"no\"}", DELIVERY_FAILED, BLAME_POLICY, "HTTP 422: no" },
        { 400, "{\"code\":\"paused\"}", DELIVERY_DEFERRED, BLAME_POLICY,
          "HTTP 400: {\"code\":\"paused\"}" },
        { 429, "slow", DELIVERY_DEFERRED, BLAME_POLICY, "HTTP 429: slow" },
        { 401, "", DELIVERY_DEFERRED, BLAME_POLICY, "HTTP 401: " },
        { 503, "", DELIVERY_DEFERRED, BLAME_CONNECTION, "HTTP 503: " },
        { 504, "", DELIVERY_UNKNOWN, BLAME_CONNECTION, "HTTP 504: " },
        { 400, "{\"code\":\"407\"}", DELIVERY_FAILED, BLAME_POLICY,
          "HTTP 400: {\"code\":\"407\"}" },
        { 200, "{\"code\":\"407\"}", DELIVERY_FAILED, BLAME_RECIPIENT,
          "HTTP 200: {\"code\":\"407\"}" },
        { 400, "{\"code\":\"PAUSED\"}", DELIVERY_DEFERRED, BLAME_POLICY,
          "HTTP 400: {\"code\":\"PAUSED\"}" },
        { 302, "", DELIVERY_FAILED, BLAME_POLICY, "HTTP 302: " },
    };
    struct scene s;
    scene_open(&s, HEAD REQUEST
               "},\"answer\":{\"rules\":[{\"status\":\"2xx\",\"when\":{\"code\":[406,407]},"
               "\"is\":\"recipient\"},{\"status\":400,\"when\":{\"code\":\"paused\"},\"is\":"
               "\"account\"}],\"id\":[\"id\",\"header:X-Id\"],\"error\":[\"error.text\","
               "\"message\"]}}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct provider_answer answer;
        struct fetch_response  response = { .status = cases[i].status,
                                            .body = str_of(cases[i].body),
                                            .headers = STR("HTTP/1.1 202 x\r\nx-id: h-2\r\n\r\n") };
        provider_read(s.provider, &response, &answer);
        struct delivery_outcome out = answer.outcome;
        assert_int_equal(out.result, cases[i].result);
        assert_int_equal(out.blame, cases[i].blame);
        assert_string_equal(out.text, cases[i].text);
        assert_int_equal(out.wait_ms > 0,
                         cases[i].result == DELIVERY_DEFERRED && cases[i].blame == BLAME_POLICY);
    }
    scene_close(&s);
}

/* ---- what is wrong ---- */

TEST(provider, a_broken_description_is_refused_with_its_place)
{
    static const struct {
        const char *text, *what;
    } cases[] = {
        { "{", "the text: is not a JSON object" },
        { "{\"request\":{}}", "provider: has no name" },
        { HEAD "\"x\":1}", "\"x\" is unknown" },
        { HEAD "\"channel\":\"pigeon\"}", "channel: is none of" },
        { HEAD "\"title\":\"t\"}", "request: is missing" },
        { HEAD "\"request\":{}}", "url: is missing" },
        { HEAD REQUEST ",\"json\":{},\"form\":{}}}", "has more than one body" },
        { HEAD REQUEST ",\"json\":{\"a\":\"{{ x\"}}}", "request: " },
        { HEAD REQUEST ",\"json\":{\"a\":{\"$message\":\"x\"}}}}", "$message: is none of" },
        { HEAD REQUEST ",\"auth\":{\"magic\":{}}}}", "request.auth: is none of" },
        { HEAD REQUEST "},\"answer\":{\"rules\":[{\"status\":\"6xx\",\"is\":\"sent\"}]}}",
          "a status is neither" },
        { "{\"name\":\"x\",\"channel\":\"sms\",\"request\":{\"url\":\"u\"}}",
          "as descriptions of services were before" },
        { HEAD REQUEST "},\"receipts\":{\"proof\":{\"by\":\"body\",\"setting\":\"key\"}}}",
          "the name of a header is missing" },
        { HEAD REQUEST "},\"receipts\":{\"proof\":{\"by\":\"secret\",\"setting\":\"x\"}}}",
          "`setting` is none of the settings" },
        { HEAD REQUEST "},\"answer\":{\"rules\":[{\"is\":\"fine\"}]}}", "`is` is none of" },
        { HEAD REQUEST "},\"steps\":[{\"request\":{\"url\":\"u\"}}]}", "steps: one has no name" },
        { HEAD REQUEST "},\"steps\":[{\"name\":\"a\",\"request\":{\"url\":\"u\"}},{\"name\":\"a\","
                       "\"request\":{\"url\":\"u\"}}]}",
          "steps: one has no name of its own" },
        { HEAD REQUEST "},\"steps\":[{\"name\":\"a\",\"when\":\"\",\"request\":{\"url\":\"u\"}}]}",
          "steps: has a member that is unknown" },
        { HEAD REQUEST "},\"steps\":[{},{},{},{},{}]}", "steps: is not a list of at most 4" },
        { HEAD REQUEST
          "},\"idempotency\":{\"header\":\"K\",\"value\":\"v\",\"hours\":24},\"steps\":[{"
          "\"name\":\"a\",\"request\":{\"url\":\"u\"}}]}",
          "idempotency.hours: does not go with steps" },
        { HEAD REQUEST "},\"pdf\":{\"x\":\"1\",\"y\":\"1\",\"width\":\"1\",\"height\":\"1\"}}",
          "pdf: is no object of a provider of post" },
        { HEAD "\"channel\":\"post\"," REQUEST "},\"pdf\":{\"x\":\"1\"}}",
          "pdf: needs x, y, width and height" },
        { HEAD
          "\"channel\":\"post\"," REQUEST
          ",\"json\":{\"a\":[{\"$message\":\"pdf\"}]}},\"pdf\":{\"x\":\"1\",\"y\":\"1\",\"width\":"
          "\"1\",\"height\":\"1\"}}",
          "json: a file cannot stand in it" },
        { HEAD "\"channel\":\"post\"," REQUEST ",\"form\":{\"a\":{\"$message\":\"pdf\"}}}}",
          "form: a file cannot stand in it" },
        { HEAD REQUEST ",\"body\":{\"$message\":\"pdf\"}}}", "pdf: is missing" },
        { HEAD REQUEST
          "},\"steps\":[{\"name\":\"a\",\"request\":{\"url\":\"u\",\"multipart\":{\"f\":{"
          "\"$message\":\"pdf\"}}}}]}",
          "pdf: is missing" },
        { HEAD REQUEST
          "},\"steps\":[{\"name\":\"a\",\"request\":{\"url\":\"u\"},\"needs\":[\"1\",\"2\","
          "\"3\",\"4\",\"5\"]}]}",
          "paths: there are more than four" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct provider *provider = NULL;
        struct problem   problem = { .what = "" };
        assert_int_equal(provider_parse(&provider, str_of(cases[i].text), "p.json", &problem),
                         ERR_INPUT);
        if (strstr(problem.what, cases[i].what) == NULL)
            print_error("%s\n", problem.what);
        assert_non_null(strstr(problem.what, cases[i].what));
    }
}

TEST(provider, each_one_built_in_can_be_read_asks_by_https_and_judges_its_examples)
{
    uint32_t count = 0;
    for (const char *name; (name = provider_builtin_name(count)) != NULL; count++) {
        struct provider *provider = NULL;
        struct problem   problem = { .what = "" };
        struct str       text = provider_builtin(str_of(name));
        if (provider_parse(&provider, text, name, &problem) != OK)
            print_error("%s: %s\n", name, problem.what);
        assert_non_null(provider);
        assert_true(str_eq(provider_name(provider), str_of(name)));
        assert_true(str_find(text, 0, STR("http://")) == text.len);
        if (provider_examples(provider, name, &problem) != OK)
            print_error("%s\n", problem.what);
        assert_ok(provider_examples(provider, name, &problem));
        provider_close(provider);
    }
    assert_true(count >= 10);
    assert_int_equal(provider_builtin(STR("pigeon")).len, 0);
}

TEST(provider, an_example_that_comes_out_otherwise_is_named)
{
    struct scene s;
    scene_open(&s, HEAD REQUEST "},\"examples\":{\"answers\":[{\"status\":200,\"is\":\"sent\"},"
                                "{\"status\":400,\"body\":{},\"is\":\"sent\"}]}}");
    assert_int_equal(provider_examples(s.provider, "p", &s.problem), ERR_INPUT);
    assert_non_null(strstr(s.problem.what, "examples.answers.1: by the rules it is refused"));
    scene_close(&s);
}

TEST(provider, a_receipt_means_what_the_rules_say_and_a_text_without_a_status_is_an_answer)
{
    static const struct {
        const char    *told;
        enum text_kind kind;
    } cases[] = {
        { "{\"s\":\"delivered\",\"i\":17}", TEXT_DELIVERED },
        { "{\"s\":\"failed\",\"c\":30005}", TEXT_DEAD },
        { "{\"s\":\"failed\",\"c\":\"30005\"}", TEXT_DEAD },
        { "{\"s\":\"failed\",\"c\":1}", TEXT_FAILED },
        { "{\"s\":\"queued\",\"t\":\"x\"}", TEXT_OTHER },
        { "{\"t\":\"Stop it\"}", TEXT_ANSWER },
        { "{}", TEXT_OTHER },
    };
    struct scene s;
    scene_open(&s, HEAD REQUEST
               "},\"receipts\":{\"proof\":{\"by\":\"secret\",\"setting\":\"key\"},\"id\":\"i\","
               "\"status\":\"s\",\"text\":\"t\",\"rules\":[{\"when\":{\"s\":\"delivered\"},\"is\":"
               "\"delivered\"},{\"when\":{\"s\":\"failed\",\"c\":[30005]},\"is\":\"recipient\"},"
               "{\"when\":{\"s\":\"failed\"},\"is\":\"failed\"}]}}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json       told;
        struct text_event event;
        assert_ok(json_parse_once(s.arena, str_of(cases[i].told), &told, NULL));
        provider_receipt(s.provider, &told, s.arena, &event);
        assert_int_equal(event.kind, cases[i].kind);
        if (i == 0)
            is(event.id, "17");
    }
    scene_close(&s);
}

/* ---- steps ---- */

static struct fetch_response answer_of(const char *body)
{
    return (struct fetch_response){ .err = OK, .status = 200, .body = str_of(body) };
}

TEST(provider, what_a_step_was_answered_the_next_ones_and_the_message_see)
{
    struct scene            s;
    struct provider_message message = LETTER;
    struct json             steps = { .kind = JSON_NULL };
    char                    lack[PROVIDER_LACK_BYTES];
    scene_open(
        &s, HEAD
        "\"channel\":\"post\",\"pdf\":{\"x\":\"22\",\"y\":\"60\",\"width\":\"85\",\"height\":"
        "\"25\"},\"steps\":[{\"name\":\"place\",\"request\":{\"method\":\"GET\",\"url\":"
        "\"https://p.example/place\",\"auth\":{\"bearer\":\"{{ token }}\"}}},"
        "{\"name\":\"file\",\"request\":{\"method\":\"PUT\",\"url\":\"{{ steps.place.data.url }}\","
        "\"body\":{\"$message\":\"pdf\"},\"type\":\"application/pdf\"}}],"
        "\"request\":{\"url\":\"https://p.example/letters\",\"type\":\"application/vnd.api+json\","
        "\"json\":{\"file\":\"{{ steps.place.data.url }}\",\"none\":\"{{ steps.file.x }}\"}}}");
    message.steps = &steps;
    message.access = STR("tok");
    message.pdf = STR("%PDF-\0x");

    const struct provider *step = provider_step(s.provider, 0);
    assert_ok(provider_ask(step, &s.settings, &message, 0, s.arena, &s.request, &s.problem));
    assert_string_equal(s.request.method, "GET");
    assert_int_equal(s.request.body.len, 0);
    assert_true(has_header(&s, "Authorization: Bearer tok"));
    struct fetch_response response =
        answer_of("{\"data\":{\"url\":\"https://f.example/1?a=b&c\"}}");
    assert_ok(provider_step_take(step, &response, s.arena, &steps, lack));

    step = provider_step(s.provider, 1);
    s.request = (struct fetch_request){ .method = NULL };
    assert_ok(provider_ask(step, &s.settings, &message, 0, s.arena, &s.request, &s.problem));
    assert_string_equal(s.request.method, "PUT");
    assert_string_equal(s.request.url, "https://f.example/1?a=b&c");
    assert_true(str_eq(s.request.body, message.pdf));
    assert_true(has_header(&s, "Content-Type: application/pdf"));
    assert_false(has_header(&s, "Authorization: Bearer tok"));
    response = answer_of("<ok/>"); /* no JSON is nothing to be seen */
    assert_ok(provider_step_take(step, &response, s.arena, &steps, lack));

    assert_null(provider_step(s.provider, 2));
    s.request = (struct fetch_request){ .method = NULL };
    assert_ok(provider_ask(s.provider, &s.settings, &message, 0, s.arena, &s.request, &s.problem));
    is(s.request.body, "{\"file\":\"https://f.example/1?a=b&c\"}");
    assert_true(has_header(&s, "Content-Type: application/vnd.api+json"));
    scene_close(&s);
}

TEST(provider, what_a_step_needs_has_to_be_in_its_answer)
{
    static const struct {
        const char *body, *lack;
    } cases[] = {
        { "{\"url\":\"u\",\"list\":[{\"n\":0}]}", NULL },
        { "{\"url\":\" \",\"list\":[{\"n\":0}]}", "its answer has no url" },
        { "{\"url\":null,\"list\":[{\"n\":0}]}", "its answer has no url" },
        { "{\"url\":\"u\",\"list\":[]}", "its answer has no list.0.n" },
        { "<html>", "its answer has no url" },
        { "", "its answer has no url" },
    };
    struct scene s;
    scene_open(
        &s, HEAD REQUEST
        "},\"steps\":[{\"name\":\"a\",\"request\":{\"url\":\"u\"},\"needs\":[\"url\","
        "\"list.0.n\"],\"examples\":{\"answers\":[{\"body\":{\"url\":\"u\"},\"is\":\"sent\"}]}}]}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char                  lack[PROVIDER_LACK_BYTES] = "";
        struct json           steps = { .kind = JSON_NULL };
        struct fetch_response response = answer_of(cases[i].body);
        enum err              err =
            provider_step_take(provider_step(s.provider, 0), &response, s.arena, &steps, lack);
        assert_int_equal(err, cases[i].lack == NULL ? OK : ERR_ABSENT);
        assert_string_equal(lack, cases[i].lack == NULL ? "" : cases[i].lack);
    }
    assert_int_equal(provider_examples(s.provider, "p", &s.problem), ERR_INPUT);
    assert_string_equal(s.problem.what,
                        "examples.answers.0: its answer has no list.0.n, which is needed");
    scene_close(&s);
}

TEST(provider, what_an_example_answers_may_be_told_as_the_text_it_is)
{
    struct scene s;
    scene_open(
        &s, HEAD REQUEST
        "},\"steps\":[{\"name\":\"a\",\"request\":{\"url\":\"u\"},\"needs\":[\"url\"],"
        "\"examples\":{\"answers\":[{\"body\":\"{\\\"url\\\":\\\"u\\\"}\",\"is\":\"sent\"}]}}]}");
    assert_ok(provider_examples(s.provider, "p", &s.problem));
    scene_close(&s);
}

TEST(provider, a_price_is_taken_where_both_number_and_currency_are_told)
{
    static const struct {
        const char *body, *currency;
        double      price;
    } cases[] = {
        { "{\"p\":1.25,\"c\":\"CHF\"}", "CHF", 1.25 }, { "{\"p\":2,\"c\":\"EUR\"}", "EUR", 2 },
        { "{\"p\":null,\"c\":\"EUR\"}", "", 0 },       { "{\"p\":1.25}", "", 0 },
        { "{\"p\":1.25,\"c\":\"EURO\"}", "", 0 },      { "", "", 0 },
    };
    struct scene s;
    scene_open(&s, HEAD REQUEST "},\"answer\":{\"price\":\"p\",\"currency\":\"c\"}}");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct provider_answer answer;
        struct fetch_response  response = answer_of(cases[i].body);
        provider_read(s.provider, &response, &answer);
        assert_true(answer.price == cases[i].price);
        assert_string_equal(answer.currency, cases[i].currency);
    }
    scene_close(&s);
}

TEST(provider, a_token_of_a_receipt_may_be_the_name_of_a_file)
{
    struct scene      s;
    struct json       told;
    struct text_event event;
    scene_open(&s, HEAD REQUEST "},\"receipts\":{\"proof\":{\"by\":\"secret\",\"setting\":\"key\"},"
                                "\"token\":[\"included.0.name\",\"included.1.name\"]}}");
    assert_ok(json_parse_once(s.arena, STR("{\"included\":[{\"x\":1},{\"name\":\"aB-_9.pdf\"}]}"),
                              &told, NULL));
    provider_receipt(s.provider, &told, s.arena, &event);
    is(event.token, "aB-_9");
    scene_close(&s);
}
