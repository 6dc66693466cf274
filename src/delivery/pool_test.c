/* The pool against a scripted server, and against postfix's smtp-sink. */
#include "delivery/pool.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"
#include "delivery/desk_test.h"
#include "delivery/peer_test.h"

#define LETTER STR("Subject: hello\r\n\r\n.dots\r\n..\r\nbye\r\n")

enum { PATIENCE_MS = 20000 };

static struct pool_conf conf_for(uint16_t port)
{
    struct pool_conf conf = { .host = "127.0.0.1",
                              .port = port,
                              .ehlo_name = "dult.example",
                              .connections_max = 2,
                              .backoff = { 50, 200 },
                              .limits = smtp_limits_make(),
                              .stop_ms = 5000,
                              .seed = 7719 };
    for (int phase = 0; phase < SMTP_PHASE_IDLE; phase++)
        conf.limits.phase_ms[phase] = 5000;
    return conf;
}

struct stage {
    struct loop    *loop;
    struct peer    *peer;
    struct channel *channel;
    struct desk     desk;
};

static void stage_open(struct stage *s, const struct peer_conf *peer, struct pool_conf *conf,
                       int count)
{
    struct problem problem;
    s->loop = loop_open();
    assert_non_null(s->loop);
    s->peer = peer_open(peer);
    conf->port = peer_port(s->peer);
    desk_init(&s->desk, count, "x.example", LETTER);
    struct channel_calls calls = desk_calls(&s->desk);
    assert_ok(pool_open(s->loop, conf, &calls, &s->channel, &problem));
}

static void stage_close(struct stage *s)
{
    channel_close(s->channel);
    peer_close(s->peer);
    loop_close(s->loop);
    for (int i = 0; i < s->desk.count; i++)
        assert_int_equal(s->desk.done[i], i < s->desk.given ? 1 : 0);
    desk_done(&s->desk);
}

TEST(pool, messages_arrive_once_and_unstuffed)
{
    struct stage     s;
    struct peer_conf peer = { 0 };
    struct pool_conf conf = conf_for(0);
    stage_open(&s, &peer, &conf, 200);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 200);
    assert_string_equal(s.desk.outcomes[7].text, "Ok: queued as PEER");
    assert_int_equal(peer_counts(s.peer).messages, 200);
    assert_int_equal(peer_counts(s.peer).doubles, 0);
    assert_true(peer_counts(s.peer).connections <= 2);
    assert_true(str_eq(peer_last(s.peer), LETTER));
    stage_close(&s);
}

TEST(pool, replies_split_into_single_bytes_change_nothing)
{
    struct stage     s;
    struct peer_conf peer = { .bytewise = true };
    struct pool_conf conf = conf_for(0);
    stage_open(&s, &peer, &conf, 20);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 20);
    stage_close(&s);
}

TEST(pool, a_server_without_pipelining_is_served_step_by_step)
{
    struct stage     s;
    struct peer_conf peer = { .offers = "250 peer\r\n" };
    struct pool_conf conf = conf_for(0);
    conf.messages_per_connection_max = 7;
    stage_open(&s, &peer, &conf, 50);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 50);
    assert_in_range(peer_counts(s.peer).connections, 8, 12);
    stage_close(&s);
}

/* The heart of it: a connection that ends at any point, by a drop or by silence. */
static void end_at(enum peer_stage stage, enum peer_fault fault, enum delivery_result expected)
{
    struct stage     s;
    struct peer_conf peer = { .fault = fault, .stage = stage };
    struct pool_conf conf = conf_for(0);
    conf.connections_max = 1;
    for (int phase = 0; phase < SMTP_PHASE_IDLE; phase++)
        conf.limits.phase_ms[phase] = 200;
    stage_open(&s, &peer, &conf, 1);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    if (s.desk.outcomes[0].result != expected)
        fail_msg("stage %d, fault %d: %s (%s)", stage, fault,
                 delivery_result_name(s.desk.outcomes[0].result), s.desk.outcomes[0].text);
    stage_close(&s);
}

TEST(pool, a_lost_connection_is_in_doubt_only_after_the_dot)
{
    for (enum peer_fault fault = PEER_DROPS; fault <= PEER_STALLS; fault++) {
        end_at(PEER_GREETING, fault, DELIVERY_DEFERRED);
        end_at(PEER_EHLO, fault, DELIVERY_DEFERRED);
        end_at(PEER_MAIL, fault, DELIVERY_DEFERRED);
        end_at(PEER_RCPT, fault, DELIVERY_DEFERRED);
        end_at(PEER_DATA, fault, DELIVERY_DEFERRED);
        end_at(PEER_DOT, fault, DELIVERY_UNKNOWN);
        end_at(PEER_AFTER, fault, DELIVERY_SENT);
    }
}

/* The content fits into the kernel's buffers, so its dot is gone before the server hangs up. */
TEST(pool, a_content_larger_than_the_buffers_is_not_in_doubt_in_its_middle)
{
    static char data[32 * 1024 * 1024];
    memset(data, 'x', sizeof data);
    for (size_t i = 78; i + 2 < sizeof data; i += 80)
        memcpy(data + i, "\r\n", 2);
    memcpy(data + sizeof data - 2, "\r\n", 2);

    struct stage     s;
    struct peer_conf peer = { .fault = PEER_STALLS, .stage = PEER_DATA, .says = NULL };
    struct pool_conf conf = conf_for(0);
    peer.fault = PEER_SAYS; /* 354, and then the peer reads lines as commands, each answered */
    peer.says = "354 go\r\n421 full\r\n";
    conf.connections_max = 1;
    stage_open(&s, &peer, &conf, 1);
    s.desk.messages[0].data = (struct str){ data, sizeof data };
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    assert_int_equal(s.desk.outcomes[0].result, DELIVERY_DEFERRED);
    stage_close(&s);
}

TEST(pool, refusals_keep_the_connection_and_harm_only_their_message)
{
    static const struct {
        enum peer_stage      stage;
        const char          *says;
        enum delivery_result result;
    } table[] = {
        { PEER_MAIL, "550 5.7.1 not you\r\n", DELIVERY_FAILED },
        { PEER_RCPT, "550 5.1.1 no such user\r\n", DELIVERY_FAILED },
        { PEER_RCPT, "450 4.2.1 busy\r\n", DELIVERY_DEFERRED },
        { PEER_DOT, "554 5.6.0 content\r\n", DELIVERY_FAILED },
        { PEER_DOT, "451 4.3.0 later\r\n", DELIVERY_DEFERRED },
        { PEER_DATA, "451 4.3.0 later\r\n", DELIVERY_DEFERRED },
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct stage     s;
        struct peer_conf peer = {
            .fault = PEER_SAYS, .stage = table[i].stage, .says = table[i].says, .faults = 5
        };
        struct pool_conf conf = conf_for(0);
        conf.connections_max = 1;
        if (table[i].stage == PEER_DATA)
            peer.faults = 0;
        stage_open(&s, &peer, &conf, 20);
        assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
        int refused = peer.faults == 0 ? 20 : 5;
        assert_int_equal(desk_count(&s.desk, table[i].result), refused);
        assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 20 - refused);
        assert_int_equal(peer_counts(s.peer).connections, 1);
        stage_close(&s);
    }
}

TEST(pool, a_message_on_a_dead_kept_connection_moves_and_is_not_deferred)
{
    struct stage     s;
    struct peer_conf peer = { .fault = PEER_DROPS, .stage = PEER_AFTER };
    struct pool_conf conf = conf_for(0);
    stage_open(&s, &peer, &conf, 30);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 30);
    assert_int_equal(peer_counts(s.peer).messages, 30);
    stage_close(&s);
}

TEST(pool, random_drops_lose_nothing_and_double_nothing)
{
    for (enum peer_stage stage = PEER_GREETING; stage <= PEER_AFTER; stage++) {
        struct stage     s;
        struct peer_conf peer = { .fault = PEER_DROPS, .stage = stage, .faults = 6 };
        struct pool_conf conf = conf_for(0);
        if (stage == PEER_STARTTLS || stage == PEER_AUTH)
            continue;
        conf.connections_max = 3;
        stage_open(&s, &peer, &conf, 100);
        assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
        assert_int_equal(peer_counts(s.peer).doubles, 0);
        for (int i = 0; i < 100; i++) {
            bool mailed = peer_mailed(s.peer, i) == 1;
            if (s.desk.outcomes[i].result == DELIVERY_SENT)
                assert_true(mailed);
            if (s.desk.outcomes[i].result == DELIVERY_DEFERRED)
                assert_false(mailed);
        }
        stage_close(&s);
    }
}

TEST(pool, a_host_that_is_down_defers_what_was_given_and_asks_for_no_more)
{
    struct stage     s;
    struct peer_conf peer = { .fault = PEER_DROPS, .stage = PEER_GREETING, .faults = 4 };
    struct pool_conf conf = conf_for(0);
    conf.connections_max = 1;
    stage_open(&s, &peer, &conf, 40);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    int deferred = desk_count(&s.desk, DELIVERY_DEFERRED);
    assert_in_range(deferred, 1, 2); /* no more than the places that had been offered */
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 40 - deferred);
    stage_close(&s);
}

TEST(pool, a_recalled_message_comes_back_unless_it_has_begun)
{
    struct stage     s;
    struct peer_conf peer = {
        .fault = PEER_STALLS, .stage = PEER_MAIL, .faults = 1, .offers = "250 peer\r\n"
    };
    struct pool_conf conf = conf_for(0);
    conf.connections_max = 1;
    conf.limits.phase_ms[SMTP_PHASE_MAIL] = 2000;
    stage_open(&s, &peer, &conf, 2);
    assert_false(desk_run(&s.desk, s.channel, 100));
    assert_true(peer_wait(s.peer, 0, 1));
    channel_recall(s.channel, (const uint64_t[]){ 99, 1, 2 }, 3); /* 1 is begun: goes its way */
    assert_int_equal(s.desk.done_count, 1);
    assert_true(desk_wait_done(&s.desk, 2, PATIENCE_MS));
    assert_int_equal(s.desk.outcomes[1].result, DELIVERY_RETURNED);
    assert_int_equal(s.desk.outcomes[0].result, DELIVERY_DEFERRED);
    assert_int_equal(peer_counts(s.peer).messages, 0);
    stage_close(&s);
}

TEST(pool, stopping_finishes_what_is_in_flight_and_returns_the_rest)
{
    struct stage     s;
    struct peer_conf peer = { .bytewise = true, .offers = "250 peer\r\n" };
    struct pool_conf conf = conf_for(0);
    conf.connections_max = 4;
    stage_open(&s, &peer, &conf, 1000);
    assert_false(desk_run(&s.desk, s.channel, 100));
    channel_stop(s.channel);
    assert_int_equal(s.desk.done_count, s.desk.given);
    int sent = desk_count(&s.desk, DELIVERY_SENT);
    assert_int_equal(sent, peer_counts(s.peer).messages);
    assert_int_equal(sent + desk_count(&s.desk, DELIVERY_RETURNED), s.desk.given);
    assert_int_equal(channel_give(s.channel, &s.desk.messages[999]), ERR_WAIT);
    stage_close(&s);
}

TEST(pool, stopping_does_not_wait_for_ever_and_tells_the_truth)
{
    struct stage     s;
    struct peer_conf peer = { .fault = PEER_STALLS, .stage = PEER_DOT };
    struct pool_conf conf = conf_for(0);
    conf.stop_ms = 100;
    stage_open(&s, &peer, &conf, 2);
    assert_false(desk_run(&s.desk, s.channel, 100));
    assert_true(peer_wait(s.peer, 2, 2));
    channel_stop(s.channel);
    assert_int_equal(desk_count(&s.desk, DELIVERY_UNKNOWN), 2);
    stage_close(&s);
}

TEST(pool, an_end_without_a_time_waits_for_a_late_answer_until_it_is_to_be_in_time)
{
    struct stage         s;
    struct channel_stats stats;
    struct peer_conf     peer = { .fault = PEER_STALLS, .stage = PEER_DOT };
    struct pool_conf     conf = conf_for(0);
    conf.stop_ms = 100;
    stage_open(&s, &peer, &conf, 2);
    assert_false(desk_run(&s.desk, s.channel, 100));
    assert_true(peer_wait(s.peer, 2, 2));
    channel_end(s.channel, false);
    usleep(400000);
    channel_stats_read(s.channel, &stats);
    assert_false(stats.stopped);
    assert_int_equal(desk_count(&s.desk, DELIVERY_UNKNOWN), 0);
    channel_stop(s.channel);
    channel_stats_read(s.channel, &stats);
    assert_true(stats.stopped);
    assert_int_equal(desk_count(&s.desk, DELIVERY_UNKNOWN), 2);
    stage_close(&s);
}

TEST(pool, nobody_may_give_more_than_was_offered)
{
    struct stage     s;
    struct peer_conf peer = { .fault = PEER_STALLS, .stage = PEER_GREETING };
    struct pool_conf conf = conf_for(0);
    conf.stop_ms = 50;
    stage_open(&s, &peer, &conf, 5);
    assert_true(desk_wait_places(&s.desk, 4, PATIENCE_MS));
    for (int i = 0; i < 4; i++)
        assert_ok(channel_give(s.channel, &s.desk.messages[i]));
    assert_int_equal(channel_give(s.channel, &s.desk.messages[4]), ERR_LIMIT);
    s.desk.given = 4;
    stage_close(&s);
}

TEST(pool, the_throttle_holds_across_connections)
{
    struct stage     s;
    struct peer_conf peer = { 0 };
    struct pool_conf conf = conf_for(0);
    conf.throttle = (struct throttle_conf){ .per_s = 50, .burst = 1 };
    stage_open(&s, &peer, &conf, 26);
    int64_t from_us = time_mono_us();
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    assert_true(time_mono_us() - from_us >= 25 * 20000);
    stage_close(&s);
}

/* Nothing here hangs on the clock: the first message stalls for longer than anyone is patient, and
 * that the second never began is seen by what comes back when the channel stops. */
TEST(pool, one_domain_does_not_take_all_connections)
{
    struct stage     s;
    struct peer_conf peer = {
        .fault = PEER_STALLS, .stage = PEER_DOT, .faults = 1, .victim = "@x.example"
    };
    struct pool_conf conf = conf_for(0);
    conf.domain_messages_max = 1;
    conf.limits.phase_ms[SMTP_PHASE_DOT] = 2 * PATIENCE_MS;
    conf.stop_ms = 100;
    stage_open(&s, &peer, &conf, 3);
    s.desk.messages[2].to = STR("m2@Y.example"); /* the others share x.example */
    assert_true(desk_run_until(&s.desk, s.channel, 1, PATIENCE_MS));
    assert_int_equal(s.desk.done[2], 1);
    assert_int_equal(s.desk.outcomes[2].result, DELIVERY_SENT);
    assert_true(peer_wait(s.peer, 2, 1));
    channel_stop(s.channel);
    assert_int_equal(s.desk.outcomes[0].result, DELIVERY_UNKNOWN);
    assert_int_equal(s.desk.outcomes[1].result, DELIVERY_RETURNED);
    assert_int_equal(peer_mailed(s.peer, 1), 0);
    stage_close(&s);
}

/* The limit is of what is under way, not of a day: the next of the domain goes when one is done. */
TEST(pool, a_domain_at_its_limit_goes_on_when_one_of_its_messages_is_done)
{
    struct stage     s;
    struct peer_conf peer = { 0 };
    struct pool_conf conf = conf_for(0);
    conf.domain_messages_max = 1;
    stage_open(&s, &peer, &conf, 20);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    assert_int_equal(desk_count(&s.desk, DELIVERY_SENT), 20);
    stage_close(&s);
}

TEST(pool, an_address_that_cannot_be_said_fails_without_a_connection)
{
    struct stage     s;
    struct peer_conf peer = { 0 };
    struct pool_conf conf = conf_for(0);
    stage_open(&s, &peer, &conf, 1);
    s.desk.messages[0].to = STR("ada@x.example>\r\nRCPT TO:<eve@x.example");
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    assert_int_equal(s.desk.outcomes[0].result, DELIVERY_FAILED);
    assert_int_equal(s.desk.outcomes[0].blame, BLAME_RECIPIENT);
    assert_int_equal(peer_counts(s.peer).connections, 0);
    stage_close(&s);
}

TEST(pool, idle_connections_are_asked_and_then_ended)
{
    struct stage         s;
    struct peer_conf     peer = { 0 };
    struct pool_conf     conf = conf_for(0);
    struct channel_stats now;
    conf.limits.noop_ms = 30;
    conf.limits.phase_ms[SMTP_PHASE_IDLE] = 150;
    stage_open(&s, &peer, &conf, 1);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    do {
        usleep(20000);
        channel_stats_read(s.channel, &now);
    } while (now.connections > 0);
    for (int i = 0; i < 500 && peer_counts(s.peer).noops == 0; i++)
        usleep(20000); /* it reads a little later what was said before the end */
    assert_true(peer_counts(s.peer).noops > 0);
    assert_int_equal(now.connections, 0);
    assert_int_equal(now.results[DELIVERY_SENT], 1);
    stage_close(&s);
}

/* --- TLS and AUTH --- */

#define STARTTLS_OFFERS "250-peer\r\n250-PIPELINING\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"

struct certificate {
    char     path[64];
    SSL_CTX *tls;
};

static struct certificate certificate_make(void)
{
    struct certificate c;
    snprintf(c.path, sizeof c.path, "/tmp/delivery_test.%d.pem", (int)getpid());
    c.tls = peer_tls(c.path);
    return c;
}

static void certificate_done(struct certificate *c)
{
    unlink(c->path);
    SSL_CTX_free(c->tls);
}

static void run_tls(struct peer_conf *peer, struct pool_conf *conf, int count, int sent)
{
    struct stage s;
    stage_open(&s, peer, conf, count);
    assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
    if (desk_count(&s.desk, DELIVERY_SENT) != sent)
        fail_msg("sent %d: %s", desk_count(&s.desk, DELIVERY_SENT), s.desk.outcomes[0].text);
    assert_int_equal(peer_counts(s.peer).messages, sent);
    if (sent > 0) {
        assert_true(peer_counts(s.peer).in_tls > 0);
        assert_true(str_eq(peer_last(s.peer), LETTER));
    }
    stage_close(&s);
}

TEST(pool, starttls_and_auth_with_a_certificate_we_know)
{
    struct certificate c = certificate_make();
    struct peer_conf peer = { .offers = STARTTLS_OFFERS, .tls = c.tls, .auth = "AGFkYQBzZWNyZXQ=" };
    struct pool_conf conf = conf_for(0);
    conf.tls = SMTP_TLS_REQUIRED;
    conf.trust.ca_file = c.path;
    conf.user = "ada";
    conf.password = "secret";
    run_tls(&peer, &conf, 50, 50);
    conf.host = "localhost";
    run_tls(&peer, &conf, 5, 5);
    conf.password = "wrong";
    run_tls(&peer, &conf, 2, 0);
    certificate_done(&c);
}

TEST(pool, tls_from_the_first_byte)
{
    struct certificate c = certificate_make();
    struct peer_conf   peer = { .tls_at_once = true, .tls = c.tls };
    struct pool_conf   conf = conf_for(0);
    conf.tls = SMTP_TLS_IMPLICIT;
    conf.trust.ca_file = c.path;
    run_tls(&peer, &conf, 50, 50);
    certificate_done(&c);
}

TEST(pool, a_certificate_we_do_not_know_gets_no_mail_unless_told_so)
{
    struct certificate c = certificate_make();
    struct peer_conf   peer = { .offers = STARTTLS_OFFERS, .tls = c.tls };
    struct pool_conf   conf = conf_for(0);
    conf.tls = SMTP_TLS_OFFERED;
    run_tls(&peer, &conf, 2, 0);
    conf.trust.no_verify = true;
    run_tls(&peer, &conf, 2, 2);
    certificate_done(&c);
}

TEST(pool, bytes_injected_behind_starttls_get_no_mail)
{
    struct certificate c = certificate_make();
    struct peer_conf   peer = { .offers = STARTTLS_OFFERS, .tls = c.tls, .inject = true };
    struct pool_conf   conf = conf_for(0);
    conf.tls = SMTP_TLS_REQUIRED;
    conf.trust.ca_file = c.path;
    run_tls(&peer, &conf, 2, 0);
    certificate_done(&c);
}

TEST(pool, within_tls_a_drop_is_in_doubt_only_after_the_dot)
{
    struct certificate c = certificate_make();
    for (enum peer_stage stage = PEER_MAIL; stage <= PEER_DOT; stage++) {
        struct stage     s;
        struct peer_conf peer = {
            .offers = STARTTLS_OFFERS, .tls = c.tls, .fault = PEER_DROPS, .stage = stage
        };
        struct pool_conf conf = conf_for(0);
        conf.tls = SMTP_TLS_REQUIRED;
        conf.trust.ca_file = c.path;
        conf.connections_max = 1;
        if (stage == PEER_BODY)
            continue; /* the dot may be gone by then, or not */
        stage_open(&s, &peer, &conf, 1);
        assert_true(desk_run(&s.desk, s.channel, PATIENCE_MS));
        assert_int_equal(s.desk.outcomes[0].result,
                         stage == PEER_DOT ? DELIVERY_UNKNOWN : DELIVERY_DEFERRED);
        stage_close(&s);
    }
    certificate_done(&c);
}

/* --- a real server --- */

static int connect_to(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                              .sin_port = htons(port) };
    int                fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int                code = connect(fd, (struct sockaddr *)&at, sizeof at);
    close(fd);
    return code;
}

static pid_t sink_start(uint16_t port)
{
    char where[32];
    snprintf(where, sizeof where, "127.0.0.1:%u", port);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/usr/sbin/smtp-sink", "smtp-sink", "-u", "nobody", where, "100", (char *)NULL);
        _exit(127);
    }
    return pid;
}

static bool has_ended(pid_t pid)
{
    siginfo_t info = { .si_pid = 0 };
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

/* Whoever answers there may be somebody else, and then ours has ended. */
static bool sink_answers(pid_t pid, uint16_t port)
{
    bool answers = false;
    for (int i = 0; i < 500 && !answers && !has_ended(pid); i++) {
        usleep(20000);
        answers = connect_to(port) == 0;
    }
    usleep(100000);
    return answers && !has_ended(pid);
}

/* At a port that nobody has, of those that the system gives to nobody by itself. */
static pid_t sink_open(uint16_t *port)
{
    enum { TRIES = 20, PORT_LEAST = 10000, PORTS = 22000 };
    for (int i = 0; i < TRIES; i++) {
        *port = (uint16_t)(PORT_LEAST + hash_random_seed() % PORTS);
        if (connect_to(*port) == 0)
            continue;
        pid_t pid = sink_start(*port);
        if (sink_answers(pid, *port))
            return pid;
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    fail();
    return -1;
}

TEST(pool, ten_thousand_messages_over_ten_connections_to_a_real_sink)
{
    if (access("/usr/sbin/smtp-sink", X_OK) != 0 || geteuid() != 0) {
        print_message("skipped: smtp-sink (of postfix) is not here, or we are not root\n");
        skip();
    }
    uint16_t         port;
    pid_t            pid = sink_open(&port);
    struct loop     *loop = loop_open();
    struct pool_conf conf = conf_for(port);
    struct channel  *channel;
    struct desk      desk;
    struct problem   problem;
    conf.connections_max = 10;
    desk_init(&desk, 10000, "x.example", LETTER);
    struct channel_calls calls = desk_calls(&desk);
    assert_ok(pool_open(loop, &conf, &calls, &channel, &problem));
    bool                 all = desk_run(&desk, channel, 60000);
    struct channel_stats now;
    channel_stats_read(channel, &now);
    channel_close(channel);
    loop_close(loop);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    assert_true(all);
    assert_int_equal(desk_count(&desk, DELIVERY_SENT), 10000);
    assert_int_equal(now.connects, 10);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(desk.done[i], 1);
    desk_done(&desk);
}
