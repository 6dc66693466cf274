/*
 * Clients that are slow, that leave, that wait, and many at once.
 */
#include "server/http_rig_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/time.h"

TEST(http, a_slow_sender_is_cut_however_busily_it_drips)
{
    static const char *const table[] = {
        "POST / HTTP/1.1\r\nHost: "
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\naaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    struct rig *rig = rig_open((struct http_conf){ .request_ms_max = 300 });
    for (size_t row = 0; row < 2; row++) {
        char    text[TEXT_BYTES];
        int     fd = rig_dial(rig);
        int64_t start_us = time_mono_us();
        size_t  cut = row == 0 ? 20 : 50, len = strlen(table[row]);
        rig_say(fd, (struct str){ table[row], cut });
        for (size_t i = cut; i < len; i++) {
            rig_say(fd, (struct str){ table[row] + i, 1 });
            if (recv(fd, text, 1, MSG_PEEK | MSG_DONTWAIT) == 1)
                break;
            usleep(50000);
        }
        assert_true(rig_hear_all(fd, text, sizeof text));
        assert_int_equal(atoi(text + 9), 408);
        assert_in_range(time_mono_us() - start_us, 250000, 5000000);
        close(fd);
    }
    rig_close(rig);
}

TEST(http, an_idle_connection_is_closed_without_a_word)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ .idle_ms_max = 200 });
    int         fd = rig_dial(rig);
    struct str  body;
    assert_true(rig_hear_all(fd, text, sizeof text));
    assert_str(str_of(text), "");
    close(fd);
    fd = rig_dial(rig);
    rig_say(fd, STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(rig_hear_one(fd, text, sizeof text, &body));
    assert_true(rig_hear_all(fd, text, sizeof text));
    assert_str(str_of(text), "");
    close(fd);
    rig_close(rig);
}

TEST(http, a_client_who_closed_its_half_still_gets_its_answer)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ 0 });
    int         fd = rig_dial(rig);
    rig_say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n"));
    shutdown(fd, SHUT_WR);
    while (atomic_load(&rig->held_count) == 0)
        usleep(1000);
    usleep(50000);
    rig_let_go(rig);
    assert_true(rig_hear_all(fd, text, sizeof text));
    assert_int_equal(rig_count_of(text, "HTTP/1.1 200"), 2);
    close(fd);
    rig_close(rig);
}

TEST(http, an_answer_for_a_client_who_left_is_dropped)
{
    struct rig   *rig = rig_open((struct http_conf){ 0 });
    struct linger abrupt = { 1, 0 };
    int           fd = rig_dial(rig);
    rig_say(fd, STR("POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na"));
    while (atomic_load(&rig->held_count) == 0)
        usleep(1000);
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
    close(fd);
    while (http_stats(rig->server).connections > 0)
        usleep(1000);
    assert_int_equal(http_stats(rig->server).owed, 1);
    rig_let_go(rig);
    while (http_stats(rig->server).owed > 0)
        usleep(1000);
    assert_int_equal(http_stats(rig->server).dropped, 1);
    assert_int_equal(http_stats(rig->server).held_bytes, 0);
    rig_close(rig);
}

TEST(http, whoever_works_for_a_client_can_see_that_it_left)
{
    struct rig *rig = rig_open((struct http_conf){ 0 });
    void       *request = NULL;
    int         fd = rig_dial(rig), waited_ms = 0;
    rig_say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(queue_take(rig->held, &request, 1, -1), 1);
    assert_false(http_is_left(request));
    close(fd);
    while (!http_is_left(request) && waited_ms++ < 5000)
        usleep(1000);
    assert_true(http_is_left(request));
    assert_ok(queue_put(rig->line, request));
    rig_close(rig);
}

TEST(http, who_waits_too_long_for_an_answer_is_told_503)
{
    char        text[TEXT_BYTES];
    struct rig *rig = rig_open((struct http_conf){ .answer_ms_max = 200 });
    assert_int_equal(rig_ask(rig, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"), text), 503);
    rig_let_go(rig);
    while (http_stats(rig->server).dropped == 0)
        usleep(1000);
    rig_close(rig);
}

/* A body that is lent: who lent it is told once that it is theirs again. */
static void lent_back(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
}

static void lend(struct http_request *request, atomic_int *back)
{
    http_reply(request, &(struct http_answer){ .status = 200,
                                               .body = STR("lent"),
                                               .is_body_lasting = true,
                                               .body_done = lent_back,
                                               .body_context = back });
}

TEST(http, a_lent_body_is_given_back_once_whether_it_was_read_or_not)
{
    struct rig *rig = rig_open((struct http_conf){ 0 });
    atomic_int  back = 0;
    char        text[TEXT_BYTES];
    struct str  body;
    void       *request = NULL;
    int         fd = rig_dial(rig);
    rig_say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(queue_take(rig->held, &request, 1, -1), 1);
    lend(request, &back);
    assert_true(rig_hear_one(fd, text, sizeof text, &body));
    assert_str(body, "lent");
    while (atomic_load(&back) == 0)
        usleep(1000);

    rig_say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(queue_take(rig->held, &request, 1, -1), 1);
    close(fd);
    while (!http_is_left(request))
        usleep(1000);
    lend(request, &back);
    while (atomic_load(&back) == 1)
        usleep(1000);
    rig_close(rig);
    assert_int_equal(atomic_load(&back), 2);
}

/* Answered `wait_ms` before its time: when it is heard, in ms after that. */
static int64_t heard_late_ms(struct rig *rig, int64_t wait_ms, bool is_closing)
{
    char       text[TEXT_BYTES];
    struct str body;
    void      *request = NULL;
    int        fd = rig_dial(rig);
    int64_t    due_ms = time_mono_us() / 1000 + wait_ms;
    rig_say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(queue_take(rig->held, &request, 1, -1), 1);
    http_reply(request, &(struct http_answer){
                            .status = 200, .body = STR("late"), .not_before_ms = due_ms });
    if (is_closing)
        rig_close(rig);
    assert_true(rig_hear_one(fd, text, sizeof text, &body));
    assert_str(body, "late");
    close(fd);
    return time_mono_us() / 1000 - due_ms;
}

TEST(http, an_answer_that_is_to_wait_is_written_after_its_time_and_by_a_server_that_stops_at_once)
{
    struct rig *rig = rig_open((struct http_conf){ 0 });
    assert_in_range(heard_late_ms(rig, 120, false), 0, 5000);
    assert_true(heard_late_ms(rig, 30000, true) < 0);
}

TEST(http, an_answer_with_a_time_of_its_own_is_given_up_then_and_its_body_given_back)
{
    enum { LARGE_BYTES = 64 << 20 }; /* more than the system takes ahead */
    struct rig *rig = rig_open((struct http_conf){ .write_ms_max = 3600000 });
    atomic_int  back = 0;
    void       *request = NULL;
    char       *large = calloc(1, LARGE_BYTES);
    int         fd = rig_dial(rig), waited_ms = 0;
    rig_say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(queue_take(rig->held, &request, 1, -1), 1);
    http_reply(request, &(struct http_answer){ .status = 200,
                                               .body = { large, LARGE_BYTES },
                                               .is_body_lasting = true,
                                               .body_done = lent_back,
                                               .body_context = &back,
                                               .write_ms_max = 300 });
    while (atomic_load(&back) == 0 && waited_ms++ < 10000)
        usleep(1000); /* nobody reads */
    assert_int_equal(atomic_load(&back), 1);
    close(fd);
    rig_close(rig);
    free(large);
}

TEST(http, who_says_that_it_takes_longer_has_longer)
{
    struct rig *rig = rig_open((struct http_conf){ .answer_ms_max = 1 });
    char        text[TEXT_BYTES];
    struct str  body;
    void       *request = NULL;
    int         fd = rig_dial(rig);
    rig_say(fd, STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_int_equal(queue_take(rig->held, &request, 1, -1), 1);
    http_take_longer(request, 60000);
    usleep(700000); /* two looks at the deadlines */
    assert_ok(queue_put(rig->line, request));
    assert_true(rig_hear_one(fd, text, sizeof text, &body));
    assert_true(str_starts(str_of(text), STR("HTTP/1.1 200")));
    close(fd);
    rig_close(rig);
}

TEST(http, connections_beyond_an_address_s_bound_are_turned_away)
{
    char        text[TEXT_BYTES];
    struct str  body;
    int         fds[6];
    struct rig *rig = rig_open((struct http_conf){ .address_connections_max = 4, .loops = 1 });
    for (int i = 0; i < 6; i++) {
        fds[i] = rig_dial(rig);
        rig_say(fds[i], STR("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert_int_equal(rig_hear_one(fds[i], text, sizeof text, &body), i < 4);
    }
    assert_int_equal(http_stats(rig->server).turned_away, 2);
    for (int i = 0; i < 6; i++)
        close(fds[i]);
    while (http_stats(rig->server).connections > 0)
        usleep(1000);
    assert_int_equal(rig_ask(rig, STR("GET / HTTP/1.0\r\n\r\n"), text), 200);
    rig_close(rig);
}

enum { CLIENT_THREADS = 4, CLIENT_CONNECTIONS = 50, CLIENT_ROUNDS = 20 };

struct crowd {
    struct rig *rig;
    int         index;
    int         right;
};

static void *crowd_run(void *context)
{
    struct crowd *crowd = context;
    int           fds[CLIENT_CONNECTIONS];
    for (int i = 0; i < CLIENT_CONNECTIONS; i++)
        fds[i] = rig_dial(crowd->rig);
    for (int round = 0; round < CLIENT_ROUNDS; round++) {
        char       text[TEXT_BYTES];
        struct str body;
        for (int i = 0; i < CLIENT_CONNECTIONS; i++) {
            int len =
                sprintf(text, "POST /%d/%d/%d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc",
                        crowd->index, i, round);
            rig_say(fds[i], (struct str){ text, (size_t)len });
        }
        for (int i = 0; i < CLIENT_CONNECTIONS; i++) {
            char wanted[128];
            sprintf(wanted, "POST /%d/%d/%d? 127.0.0.1 http 3 abc", crowd->index, i, round);
            crowd->right +=
                rig_hear_one(fds[i], text, sizeof text, &body) && str_eq(body, str_of(wanted));
        }
    }
    for (int i = 0; i < CLIENT_CONNECTIONS; i++)
        close(fds[i]);
    return NULL;
}

TEST(http, two_hundred_connections_each_get_their_own_answers)
{
    struct rig  *rig = rig_open((struct http_conf){ 0 });
    struct crowd crowds[CLIENT_THREADS];
    pthread_t    threads[CLIENT_THREADS];
    int          all = CLIENT_THREADS * CLIENT_CONNECTIONS * CLIENT_ROUNDS, right = 0;
    for (int i = 0; i < CLIENT_THREADS; i++) {
        crowds[i] = (struct crowd){ rig, i, 0 };
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_run, &crowds[i]), 0);
    }
    for (int i = 0; i < CLIENT_THREADS; i++) {
        pthread_join(threads[i], NULL);
        right += crowds[i].right;
    }
    assert_int_equal(right, all);
    assert_int_equal(http_stats(rig->server).requests, all);
    assert_int_equal(http_stats(rig->server).status[2], all);
    rig_close(rig);
}

TEST(http, a_batch_of_answers_costs_one_wake_a_loop)
{
    enum { MANY = 100 };
    int         fds[MANY];
    struct rig *rig = rig_open((struct http_conf){ .loops = 1 });
    for (int i = 0; i < MANY; i++) {
        fds[i] = rig_dial(rig);
        rig_say(fds[i], STR("GET /hold HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    while (atomic_load(&rig->held_count) < MANY)
        usleep(1000);
    uint64_t          before = http_stats(rig->server).wakes;
    struct http_batch batch = http_batch_make(rig->server);
    void             *item;
    while (queue_take(rig->held, &item, 1, 0) == 1)
        rig_answer(&batch, item);
    http_batch_send(&batch);
    for (int i = 0; i < MANY; i++) {
        char       text[TEXT_BYTES];
        struct str body;
        assert_true(rig_hear_one(fds[i], text, sizeof text, &body));
        close(fds[i]);
    }
    assert_int_equal(http_stats(rig->server).wakes - before, 1);
    rig_close(rig);
}
