#include "server/metrics.h"

#include <pthread.h>

#include "base/json.h"
#include "base/test.h"
#include "server/query.h"
#include "server/refused.h"

static double ask_seven(void *context)
{
    return *(double *)context;
}

TEST(metrics, the_text_is_what_prometheus_reads)
{
    static const int64_t         bounds[] = { 1000, 10000 };
    double                       seven = 7;
    SCOPED(buf_donep) struct buf out = buf_make(10000);
    struct metrics              *metrics = metrics_open();
    struct metric *good = metrics_counter(metrics, "a_total", "Answers.", "status=\"2xx\"");
    struct metric *bad = metrics_counter(metrics, "a_total", "Answers.", "status=\"5xx\"");
    struct metric *open = metrics_gauge(metrics, "open", "Connections.", NULL);
    struct metric *time = metrics_histogram(metrics, "s", "Time.", NULL, bounds, 2, 1e-6);
    metrics_ask(metrics, "held", "Bytes.", NULL, false, ask_seven, &seven);

    metrics_add(good, 3);
    metrics_add(bad, 1);
    metrics_set(open, 5);
    metrics_add(open, -2);
    metrics_observe(time, 1000);
    metrics_observe(time, 1001);
    metrics_observe(time, 500000);
    assert_int_equal(metrics_value(time), 3);
    metrics_write(metrics, &out);
    assert_ok(buf_err(&out));
    assert_str(buf_view(&out),
               "# HELP a_total Answers.\n# TYPE a_total counter\n"
               "a_total{status=\"2xx\"} 3\na_total{status=\"5xx\"} 1\n"
               "# HELP open Connections.\n# TYPE open gauge\nopen 3\n"
               "# HELP s Time.\n# TYPE s histogram\n"
               "s_bucket{le=\"0.001\"} 1\ns_bucket{le=\"0.01\"} 2\ns_bucket{le=\"+Inf\"} 3\n"
               "s_sum 0.50200100000000003\ns_count 3\n"
               "# HELP held Bytes.\n# TYPE held gauge\nheld 7\n");
    metrics_close(metrics);
}

static void *count_up(void *context)
{
    for (int i = 0; i < 100000; i++)
        metrics_add(context, 1);
    return NULL;
}

TEST(metrics, no_count_is_lost_between_threads)
{
    struct metrics *metrics = metrics_open();
    struct metric  *counter = metrics_counter(metrics, "a", "b", NULL);
    pthread_t       threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, counter), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(metrics_value(counter), 400000);
    metrics_close(metrics);
}

TEST(refused, the_last_two_hundred_are_kept_newest_first_and_escaped)
{
    SCOPED(buf_donep) struct buf       out = buf_make(1 << 20);
    SCOPED(arena_closep) struct arena *arena = arena_open(4 << 20);
    struct refused                    *refused = refused_open();
    struct json                        json;
    for (int i = 1; i <= 250; i++) {
        struct http_refusal refusal = { .peer = STR("10.0.0.1"),
                                        .method = STR("POST"),
                                        .path = STR("/v1/\"x\""),
                                        .status = i,
                                        .what = STR("a \x01 b"),
                                        .remedy = STR("c") };
        refused_add(refused, &refusal, i);
    }
    refused_write(refused, &out);
    assert_ok(buf_err(&out));
    assert_ok(json_parse_once(arena, buf_view(&out), &json, NULL));
    int64_t total, first, last;
    assert_true(json_get_int(&json, STR("total"), &total));
    assert_int_equal(total, 250);
    assert_int_equal(json_get(&json, STR("refused"))->count, 200);
    assert_true(json_get_int(json_path(&json, STR("refused.0")), STR("status"), &first));
    assert_true(json_get_int(json_path(&json, STR("refused.199")), STR("status"), &last));
    assert_int_equal(first, 250);
    assert_int_equal(last, 51);
    assert_str(json_get_str(json_path(&json, STR("refused.0")), STR("path")), "/v1/\"x\"");
    refused_close(refused);
}

TEST(query, the_first_parameter_of_a_name_is_decoded)
{
    static const struct {
        const char *query, *name, *value; /* NULL: absent */
    } table[] = {
        { "a=1&b=2", "b", "2" },
        { "a=1&a=2", "a", "1" },
        { "q=caf%C3%A9+au%20lait", "q", "caf\xc3\xa9 au lait" },
        { "a%5B%5D=x", "a[]", "x" },
        { "a", "a", "" },
        { "a=", "a", "" },
        { "&&a=1=2&", "a", "1=2" },
        { "ab=1", "a", NULL },
        { "a=%zz", "a", NULL },
        { "a=%4", "a", NULL },
        { "", "a", NULL },
        { "=x", "", NULL },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        SCOPED(buf_donep) struct buf out = buf_make(100);
        bool has = query_get(str_of(table[i].query), str_of(table[i].name), &out);
        assert_int_equal(has, table[i].value != NULL);
        if (has)
            assert_str(buf_view(&out), table[i].value);
    }
}
