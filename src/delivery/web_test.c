/* The channel by HTTP against a service that fails in every way it can. */
#include "delivery/web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "base/time.h"
#include "delivery/desk_test.h"
#include "delivery/service_test.h"

#define DATA "Subject: Hello\r\n\r\nHello\r\n"

struct scene {
    struct service *service;
    struct loop    *loop;
    struct channel *channel;
    struct desk     desk;
    bool            has_key, refuses_inside;
    int             full;
    char            url[64];
    struct web_conf conf;
};

static enum err make(void *ctx, const struct delivery_message *message, struct arena *arena,
                     struct fetch_request *out, struct problem *problem)
{
    struct scene *s = ctx;
    (void)problem;
    *out = (struct fetch_request){
        .method = "POST",
        .url = s->url,
        .headers = { s->has_key ? "Key: k" : NULL },
        .body =
            str_format(arena, "to=%.*s&text=%.*s", STR_ARG(message->to), STR_ARG(message->data)),
        .repeatable = s->has_key,
    };
    return OK;
}

static bool answer(void *ctx, const struct delivery_message *message,
                   const struct fetch_response *response, struct delivery_outcome *out)
{
    int status = response->status;
    (void)ctx;
    (void)message;
    enum delivery_result result = status == 200   ? DELIVERY_SENT
                                  : status == 422 ? DELIVERY_FAILED
                                                  : DELIVERY_DEFERRED;
    enum delivery_blame  blame = status == 200   ? BLAME_NONE
                                 : status == 422 ? BLAME_RECIPIENT
                                 : status == 429 ? BLAME_POLICY
                                                 : BLAME_CONNECTION;
    *out = delivery_outcome_make(result, blame, "as it said");
    return false;
}

static void scene_open(struct scene *s, int count, const struct service_conf *conf)
{
    const struct web_calls web = { make, answer, s };
    struct problem         problem = { .what = "" };
    s->service = service_open(conf);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/send", service_port(s->service));
    s->conf.fetch.allow_inside = !s->refuses_inside;
    if (s->conf.backoff.first_ms == 0)
        s->conf.backoff = (struct backoff_conf){ 20, 100 };
    s->loop = loop_open();
    desk_init(&s->desk, count, "example.com", STR(DATA));
    const struct channel_calls calls = desk_calls(&s->desk);
    assert_ok(web_open(s->loop, &s->conf, &web, &calls, &s->channel, &problem));
}

static void scene_close(struct scene *s)
{
    channel_close(s->channel);
    loop_close(s->loop);
    desk_done(&s->desk);
    service_close(s->service);
}

TEST(web, each_message_is_asked_for_once_over_few_kept_connections)
{
    struct scene s = { .conf = { .connections_max = 4 } };
    scene_open(&s, 200, &(struct service_conf){ .late_ms = 1 });
    assert_true(desk_run(&s.desk, s.channel, 20000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 200);
    struct service_counts counts = service_counts(s.service);
    assert_int_equal(counts.taken, 200);
    assert_int_equal(counts.doubles, 0);
    assert_in_range(counts.connections, 1, 4);
    assert_in_range(counts.at_once_most, 2, 4);
    scene_close(&s);
}

TEST(web, a_kept_connection_that_dies_under_a_whole_request_leaves_it_unknown_and_asked_for_once)
{
    struct scene s = { .conf = { .connections_max = 1 } };
    scene_open(&s, 6, &(struct service_conf){ .fault = SERVICE_DROPS, .from = 2, .faults = 1 });
    assert_true(desk_run(&s.desk, s.channel, 20000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_UNKNOWN), 1);
    int deferred = desk_count(&s.desk, DELIVERY_DEFERRED);
    assert_in_range(deferred, 0, 1); /* the one that waited behind it */
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 5 - deferred);
    assert_int_equal(service_counts(s.service).taken, 6 - deferred);
    assert_int_equal(service_counts(s.service).doubles, 0);
    scene_close(&s);
}

TEST(web, with_a_key_what_is_in_doubt_is_asked_again_until_there_is_an_answer)
{
    struct scene s = { .conf = { .connections_max = 2 }, .has_key = true };
    scene_open(
        &s, 10,
        &(struct service_conf){ .fault = SERVICE_DROPS, .from = 3, .faults = 3, .by_key = true });
    assert_true(desk_run(&s.desk, s.channel, 20000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 10);
    assert_int_equal(service_counts(s.service).doubles, 0);
    assert_true(service_counts(s.service).requests > 10);
    scene_close(&s);
}

TEST(web, no_answer_in_time_is_unknown_and_the_service_is_left_alone_for_a_while)
{
    struct scene         s = { .conf = {
                                   .connections_max = 4, .timeout_ms = 200, .backoff = { 60000, 60000 } } };
    struct channel_stats stats;
    scene_open(&s, 40, &(struct service_conf){ .fault = SERVICE_STALLS, .faults = 1000 });
    assert_true(desk_run_until(&s.desk, s.channel, 8, 5000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_UNKNOWN), 4);
    assert_int_equal(desk_count(&s.desk, DELIVERY_DEFERRED), s.desk.done_count - 4);
    channel_stats_read(s.channel, &stats);
    assert_true(stats.down_ms > 10000);
    assert_int_equal(service_counts(s.service).taken, 4); /* the others were never asked for */
    scene_close(&s);
}

static void full_read(void *ctx)
{
    struct scene *s = ctx;
    s->full = loop_full(s->loop);
}

TEST(web, who_waits_for_a_place_is_known_to_the_loop)
{
    struct scene s = { .conf = { .connections_max = 4, .timeout_ms = 20000, .stop_ms = 100 } };
    scene_open(&s, 40, &(struct service_conf){ .fault = SERVICE_STALLS, .faults = 1000 });
    loop_call(s.loop, full_read, &s);
    assert_int_equal(s.full, 0);
    assert_false(desk_run_until(&s.desk, s.channel, 1, 200)); /* all places are taken */
    loop_call(s.loop, full_read, &s);
    assert_int_equal(s.full, 1);
    channel_close(s.channel);
    s.channel = NULL;
    loop_call(s.loop, full_read, &s);
    assert_int_equal(s.full, 0);
    scene_close(&s);
}

TEST(web, where_each_message_names_its_own_host_trouble_with_one_closes_nothing)
{
    struct scene         s = { .conf = { .connections_max = 4,
                                         .many_hosts = true,
                                         .timeout_ms = 200,
                                         .backoff = { 60000, 60000 } } };
    struct channel_stats stats;
    scene_open(&s, 12, &(struct service_conf){ .fault = SERVICE_STALLS, .faults = 4 });
    assert_true(desk_run(&s.desk, s.channel, 20000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_UNKNOWN), 4);
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 8);
    channel_stats_read(s.channel, &stats);
    assert_int_equal(stats.down_ms, 0);
    scene_close(&s);
}

TEST(web, a_request_that_was_not_read_whole_is_deferred_and_goes_later)
{
    struct scene s = { .conf = { .connections_max = 1 } };
    struct str   large = { calloc(1, 8 << 20), 8 << 20 };
    memset((char *)large.ptr, 'x', large.len);
    memcpy((char *)large.ptr + large.len - 2, "\r\n", 2);
    scene_open(&s, 1, &(struct service_conf){ .fault = SERVICE_CUTS, .faults = 1 });
    s.desk.messages[0].data = large;
    assert_true(desk_run(&s.desk, s.channel, 20000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_DEFERRED), 1);
    assert_int_equal(s.desk.outcomes[0].blame, BLAME_CONNECTION);
    scene_close(&s);
    free((char *)large.ptr);
}

TEST(web, asked_to_wait_it_waits_and_gives_back_what_it_had)
{
    struct scene         s = { .conf = { .connections_max = 1 } };
    struct channel_stats stats;
    scene_open(&s, 20,
               &(struct service_conf){
                   .fault = SERVICE_SAYS,
                   .from = 3,
                   .faults = 1,
                   .says = "HTTP/1.1 429 Slow\r\nRetry-After: 2\r\nContent-Length: 0\r\n\r\n" });
    int64_t start_ms = time_mono_us() / 1000;
    assert_true(desk_run(&s.desk, s.channel, 20000));
    int64_t took_ms = time_mono_us() / 1000 - start_ms;
    assert_true(took_ms >= 2000);
    int deferred = desk_count(&s.desk, DELIVERY_DEFERRED);
    assert_in_range(deferred, 1, 2); /* the one, and the one that waited behind it */
    for (int i = 0; i < 20; i++)
        if (s.desk.outcomes[i].result == DELIVERY_DEFERRED)
            assert_int_equal(s.desk.outcomes[i].wait_ms, 2000);
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 20 - deferred);
    channel_stats_read(s.channel, &stats);
    assert_int_equal(stats.down_ms, 0);
    scene_close(&s);
}

TEST(web, a_service_that_was_away_is_found_again_and_nothing_is_lost)
{
    struct scene s = { .conf = { .connections_max = 4 } };
    scene_open(&s, 60,
               &(struct service_conf){ .fault = SERVICE_SAYS,
                                       .faults = 5,
                                       .says = "HTTP/1.1 503 Away\r\nContent-Length: 0\r\n\r\n" });
    assert_true(desk_run(&s.desk, s.channel, 20000));
    int deferred = desk_count(&s.desk, DELIVERY_DEFERRED);
    assert_true(deferred >= 5);
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 60 - deferred);
    assert_int_equal(service_counts(s.service).taken, 60 - deferred);
    scene_close(&s);
}

TEST(web, a_refused_recipient_closes_nothing)
{
    struct scene s = { .conf = { .connections_max = 1 } };
    scene_open(
        &s, 10,
        &(struct service_conf){ .fault = SERVICE_SAYS,
                                .from = 2,
                                .faults = 3,
                                .says = "HTTP/1.1 422 Unknown\r\nContent-Length: 0\r\n\r\n" });
    assert_true(desk_run(&s.desk, s.channel, 20000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_FAILED), 3);
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 7);
    scene_close(&s);
}

TEST(web, an_inside_address_is_not_called_and_nothing_counts_as_sent)
{
    struct scene s = { .conf = { .backoff = { 60000, 60000 } }, .refuses_inside = true };
    scene_open(&s, 3, &(struct service_conf){ .fault = SERVICE_FINE });
    assert_true(desk_run(&s.desk, s.channel, 5000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_DEFERRED), 3);
    assert_int_equal(s.desk.outcomes[0].blame, BLAME_POLICY);
    assert_int_equal(service_counts(s.service).connections, 0);
    scene_close(&s);
}

TEST(web, at_most_so_many_are_under_way_to_one_domain)
{
    struct scene s = { .conf = { .connections_max = 8, .domain_messages_max = 2 } };
    scene_open(&s, 40, &(struct service_conf){ .late_ms = 5 });
    assert_true(desk_run(&s.desk, s.channel, 20000));
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 40);
    assert_int_equal(service_counts(s.service).at_once_most, 2);
    scene_close(&s);
}

/* So many are under way: what was given a moment ago need not have been asked for. */
static void wait_for_requests(struct scene *s, int count)
{
    for (int i = 0; i < 2000 && service_counts(s->service).requests < count; i++)
        usleep(5000);
    assert_int_equal(service_counts(s->service).requests, count);
}

TEST(web, stopping_finishes_what_is_under_way_and_returns_the_rest)
{
    struct scene s = { .conf = { .connections_max = 2 } };
    scene_open(&s, 4, &(struct service_conf){ .late_ms = 1000 });
    assert_true(desk_wait_places(&s.desk, 4, 5000));
    assert_false(desk_run_until(&s.desk, s.channel, 4, 100));
    wait_for_requests(&s, 2);
    channel_stop(s.channel);
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 2);
    assert_int_equal(desk_count(&s.desk, DELIVERY_RETURNED), 2);
    scene_close(&s);
}

TEST(web, an_end_without_a_time_waits_for_a_late_answer)
{
    struct channel_stats stats = { .stopped = false };
    struct scene         s = { .conf = { .connections_max = 2, .stop_ms = 50 } };
    scene_open(&s, 2, &(struct service_conf){ .late_ms = 400 });
    assert_true(desk_wait_places(&s.desk, 2, 5000));
    assert_false(desk_run_until(&s.desk, s.channel, 2, 100));
    wait_for_requests(&s, 2);
    channel_end(s.channel, false);
    for (int tries = 0; !stats.stopped && tries < 1000; tries++, usleep(10000))
        channel_stats_read(s.channel, &stats);
    assert_true(stats.stopped);
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 2);
    scene_close(&s);
}
