/* One request as a description says, and what an answer means. */
#include <string.h>

#include "base/test.h"
#include "run/send/gateway.h"

#define DESCRIPTION                                                                                \
    "{\"name\":\"mine\",\"channel\":\"sms\",\"needs\":[\"key\"],\"request\":{\"method\":\"POST\"," \
    "\"url\":\"https://sms.example/{{ message.to | url_encode }}\","                               \
    "\"headers\":{\"X-Key\":\"{{ settings.key }}\",\"X-None\":\"{{ settings.none }}\"},"           \
    "\"form\":{\"text\":\"{{ message.text }}\",\"none\":\"{{ message.none }}\","                   \
    "\"to\":{\"name\":\"{{ message.name }}\"}}},"                                                  \
    "\"answer\":{\"id\":\"list.0.id\",\"code\":\"error\",\"text\":\"reason\",\"hard\":[\"gone\"]," \
    "\"stop\":[\"stopped\"],\"later\":[\"7\"]}}"

struct house {
    struct gateway *gateway;
    struct arena   *arena;
    struct problem  problem;
};

static struct json object_of(struct arena *arena, const char *text)
{
    struct json root;
    assert_ok(json_parse_once(arena, str_of(text), &root, NULL));
    return root;
}

static struct house house_of(const char *description, const char *settings)
{
    struct house house = { .arena = arena_open(8 << 20) };
    struct json  set = object_of(house.arena, settings);
    assert_ok(gateway_open(&house.gateway, str_of(description), &set, &house.problem));
    return house;
}

static void house_close(struct house *house)
{
    gateway_close(house->gateway);
    arena_close(house->arena);
}

TEST(gateway, a_request_is_what_the_description_says_and_what_is_empty_is_left_out)
{
    struct house         house = house_of(DESCRIPTION, "{\"key\":\"s3cret\"}");
    struct fetch_request request;
    struct json          message =
        object_of(house.arena, "{\"to\":\"+4791\",\"text\":\"a & b\",\"name\":\"\xc3\x85se\"}");
    assert_ok(gateway_request(house.gateway, &message, house.arena, &request, &house.problem));
    assert_string_equal(request.url, "https://sms.example/%2B4791");
    assert_string_equal(request.headers[0], "X-Key: s3cret");
    assert_string_equal(request.headers[1], "Content-Type: application/x-www-form-urlencoded");
    assert_null(request.headers[2]);
    assert_true(str_eq(request.body, STR("text=a%20%26%20b&to%5Bname%5D=%C3%85se")));
    assert_false(request.repeatable);
    house_close(&house);
}

static struct gateway_answer answered(int status, const char *body)
{
    struct house          house = house_of(DESCRIPTION, "{\"key\":\"k\"}");
    struct fetch_response response = { .err = OK, .status = status, .body = str_of(body) };
    struct gateway_answer answer;
    gateway_answer(house.gateway, &response, house.arena, &answer);
    house_close(&house);
    return answer;
}

TEST(gateway, an_answer_is_sent_later_failed_or_a_dead_address)
{
    assert_int_equal(answered(201, "{\"list\":[{\"id\":17}]}").outcome.result, DELIVERY_SENT);
    assert_string_equal(answered(201, "{\"list\":[{\"id\":17}]}").id, "17");
    assert_int_equal(answered(200, "no JSON").outcome.result, DELIVERY_SENT);
    assert_int_equal(answered(429, "").outcome.result, DELIVERY_DEFERRED);
    assert_int_equal(answered(503, "").outcome.result, DELIVERY_DEFERRED);
    assert_int_equal(answered(400, "{\"error\":7}").outcome.result, DELIVERY_DEFERRED);
    assert_int_equal(answered(400, "{\"error\":8}").outcome.result, DELIVERY_FAILED);
    assert_false(answered(400, "{\"error\":8}").is_hard);
    assert_true(answered(400, "{\"error\":\"gone\"}").is_hard);
    assert_true(answered(403, "{\"error\":\"stopped\"}").is_stop);
    assert_int_equal(answered(302, "").outcome.result, DELIVERY_FAILED);
}

TEST(gateway, a_service_that_answers_200_to_everything_is_judged_by_its_code)
{
    struct house house =
        house_of(gateway_built_in(STR("vonage")), "{\"key\":\"k\",\"secret\":\"s\"}");
    struct fetch_response sent = { .err = OK,
                                   .status = 200,
                                   .body = STR("{\"messages\":[{\"status\":\"0\"}]}") };
    struct fetch_response hurried = { .err = OK,
                                      .status = 200,
                                      .body = STR("{\"messages\":[{\"status\":\"1\"}]}") };
    struct fetch_response odd = { .err = OK, .status = 200, .body = STR("<html>") };
    struct gateway_answer answer;
    gateway_answer(house.gateway, &sent, house.arena, &answer);
    assert_int_equal(answer.outcome.result, DELIVERY_SENT);
    gateway_answer(house.gateway, &hurried, house.arena, &answer);
    assert_int_equal(answer.outcome.result, DELIVERY_DEFERRED);
    gateway_answer(house.gateway, &odd, house.arena, &answer);
    assert_int_equal(answer.outcome.result, DELIVERY_FAILED);
    house_close(&house);
}

TEST(gateway, a_lost_answer_is_unknown_unless_a_key_makes_a_second_request_safe)
{
    struct house          sms = house_of(DESCRIPTION, "{\"key\":\"k\"}");
    struct house          post = house_of(gateway_built_in(STR("lob")), "{\"key\":\"k\"}");
    struct fetch_response lost = { .err = ERR_IO, .in_doubt = true, .text = "reset" };
    struct fetch_response unheard = { .err = ERR_IO, .text = "refused" };
    struct gateway_answer answer;
    gateway_answer(sms.gateway, &lost, sms.arena, &answer);
    assert_int_equal(answer.outcome.result, DELIVERY_UNKNOWN);
    gateway_answer(sms.gateway, &unheard, sms.arena, &answer);
    assert_int_equal(answer.outcome.result, DELIVERY_DEFERRED);
    gateway_answer(post.gateway, &lost, post.arena, &answer);
    assert_int_equal(answer.outcome.result, DELIVERY_DEFERRED);
    house_close(&sms);
    house_close(&post);
}

TEST(gateway, a_description_that_cannot_work_is_refused_when_it_is_opened)
{
    static const struct {
        const char *description, *settings;
    } all[] = {
        { DESCRIPTION, "{}" }, /* what it needs is not set */
        { "{\"name\":\"x\",\"channel\":\"email\",\"request\":{\"url\":\"u\"}}", "{}" },
        { "{\"name\":\"x\",\"channel\":\"sms\",\"request\":{}}", "{}" },
        { "{\"name\":\"x\",\"channel\":\"sms\",\"request\":{\"url\":\"{{ a\"}}", "{}" },
        { "no JSON", "{}" },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
        struct json                        settings = object_of(arena, all[i].settings);
        struct gateway                    *gateway = NULL;
        struct problem                     problem = { .what = "" };
        assert_int_equal(gateway_open(&gateway, str_of(all[i].description), &settings, &problem),
                         ERR_INPUT);
        assert_true(problem.what[0] != '\0');
    }
}

TEST(gateway, every_description_that_is_built_in_can_be_opened)
{
    static const char *const names[] = { "twilio", "vonage", "gateway", "slack", "webhook", "lob" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct house house = house_of(gateway_built_in(str_of(names[i])),
                                      "{\"account\":\"a\",\"token\":\"t\",\"key\":\"k\",\"secret\":"
                                      "\"s\",\"url\":\"http://u\"}");
        assert_true(str_eq(gateway_name(house.gateway), str_of(names[i])));
        house_close(&house);
    }
}
