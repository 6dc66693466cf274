/*
 * Killed at random moments: nobody is mailed twice, nobody is forgotten, and no more are in doubt
 * than the connections can hold. The child signs people up, or sends what waits as fast as it can,
 * and is killed; the parent is the mail server, and at the end opens the folder itself and counts.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/test.h"
#include "base/time.h"
#include "run/send/sender_house_test.h"

enum {
    KILLS = 8,
    PEOPLE_MAX = 4000,
    WAITING = 3000,
    CONNECTIONS = 2,
    IN_DOUBT_MAX = 2 * CONNECTIONS
};

struct tally {
    uint8_t mailed[PEOPLE_MAX];
    int     answered; /* people whose sign-up was answered */
    int     next;     /* who was not told of may be signed up all the same, and is passed over */
    int     twice;
    bool    is_loaded; /* all are signed up already */
};

/* Signs up one after the other until it is killed; each answer is told on the pipe. */
static _Noreturn void child_run(const char *dir, int port_fd, int told_fd, int first)
{
    struct house       house;
    uint16_t           port;
    char               url[64];
    struct sender_conf conf = { .connections = CONNECTIONS, .smtp_url = url };
    if (read(port_fd, &port, sizeof port) != sizeof port)
        _exit(1);
    snprintf(url, sizeof url, "smtp://127.0.0.1:%u", port);
    house_open(&house, dir, &conf);
    if (first == 0)
        house_shop(&house, HOUSE_WELCOME);
    for (int i = first; i < PEOPLE_MAX; i++) {
        house_newcomer(&house, i);
        if (write(told_fd, &i, sizeof i) != sizeof i)
            _exit(1);
    }
    for (;;)
        pause();
}

/* So many messages wait: there is nobody to take them. */
static void people_load(const char *dir)
{
    struct house       house;
    struct sender_conf conf = { .connections = CONNECTIONS,
                                .smtp_url = "smtp://127.0.0.1:9",
                                .retry_ms = 1 };
    house_open(&house, dir, &conf);
    house_shop(&house, HOUSE_WELCOME);
    house_crowd(&house, WAITING);
    house_stop(&house);
}

/* Sends what waits until it is killed. */
static _Noreturn void child_send(const char *dir, int port_fd, int told_fd)
{
    struct house       house;
    uint16_t           port;
    char               url[64];
    struct sender_conf conf = { .connections = CONNECTIONS, .smtp_url = url };
    if (read(port_fd, &port, sizeof port) != sizeof port)
        _exit(1);
    snprintf(url, sizeof url, "smtp://127.0.0.1:%u", port);
    house_open(&house, dir, &conf);
    if (write(told_fd, &(int){ 0 }, sizeof(int)) != sizeof(int))
        _exit(1);
    for (;;)
        pause();
}

static void post_count(struct post *post, struct tally *tally)
{
    post_stop(post);
    for (int i = 0; i < post->count; i++) {
        const char *to = strstr(post->mails[i], "\r\nTo: u");
        unsigned    person = to == NULL ? PEOPLE_MAX : (unsigned)atoi(to + strlen("\r\nTo: u"));
        if (person >= PEOPLE_MAX)
            fail_msg("a mail to nobody");
        tally->twice += tally->mailed[person]++ > 0;
    }
}

static void answer_note(struct tally *tally, int person)
{
    tally->answered++;
    tally->next = person + 2;
}

static void round_run(const char *dir, struct tally *tally, int64_t live_us)
{
    int port_pipe[2], told_pipe[2], person;
    assert_int_equal(pipe(port_pipe), 0);
    assert_int_equal(pipe(told_pipe), 0);
    pid_t child = fork(); /* before there are threads in this process */
    assert_true(child >= 0);
    if (child == 0) {
        close(told_pipe[0]);
        if (tally->is_loaded)
            child_send(dir, port_pipe[0], told_pipe[1]);
        child_run(dir, port_pipe[0], told_pipe[1], tally->next);
    }
    close(told_pipe[1]);
    struct post *post = post_open(FAULT_NONE, 0);
    assert_int_equal(write(port_pipe[1], &post->port, sizeof post->port), sizeof post->port);
    assert_int_equal(read(told_pipe[0], &person, sizeof person), sizeof person);
    answer_note(tally, person);
    usleep((useconds_t)live_us);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(told_pipe[0], &person, sizeof person) == sizeof person)
        answer_note(tally, person);
    post_count(post, tally);
    post_close(post);
    close(told_pipe[0]);
    close(port_pipe[0]);
    close(port_pipe[1]);
}

/* Everyone gets what is still due; then the ledger is compared with the letter boxes. */
static void ledger_check(const char *dir, struct tally *tally)
{
    struct house        house;
    char                url[64];
    struct sender_stats stats;
    struct post        *post = post_open(FAULT_NONE, 0);
    struct sender_conf  conf = house_conf(post, url, sizeof url);
    int                 mails = 0, sent, unknown, queued;
    int64_t             end_ms = time_now_ms() + HOUSE_PATIENCE_MS;
    house_open(&house, dir, &conf);
    do {
        usleep(5000);
        queued = house_decisions(&house, STORE_DECISION_MESSAGE_QUEUED).count;
        sent = house_decisions(&house, STORE_DECISION_MESSAGE_SENT).count;
        unknown = house_decisions(&house, STORE_DECISION_MESSAGE_UNKNOWN).count;
        stats = sender_stats(house.sender);
    } while ((sent + unknown < queued || stats.reporting > 0) && time_now_ms() < end_ms);
    house_stop(&house);
    post_count(post, tally);
    post_close(post);
    for (int i = 0; i < PEOPLE_MAX; i++)
        mails += tally->mailed[i];
    print_message("%d answered, %d due, %d sent, %d unknown, %d mails, %d twice\n", tally->answered,
                  queued, sent, unknown, mails, tally->twice);
    assert_int_equal(tally->twice, 0);
    assert_int_equal(sent + unknown, queued);
    assert_true(queued >= tally->answered);
    assert_in_range(mails, sent, sent + unknown);
    assert_in_range(unknown, 0, KILLS * IN_DOUBT_MAX);
    house_remove(&house);
}

TEST(sender_crash, killed_anywhere_nobody_is_mailed_twice_or_forgotten)
{
    char         dir[64] = "/tmp/dult-crash-XXXXXX";
    struct tally tally = { 0 };
    uint64_t     seed = hash_random_seed();
    assert_non_null(mkdtemp(dir));
    print_message("seed %llu\n", (unsigned long long)seed);
    for (int i = 0; i < KILLS; i++)
        round_run(dir, &tally, (int64_t)(hash_u64((uint64_t)i, seed) % 120000));
    ledger_check(dir, &tally);
}

/* Claims run ahead of places where it is fast; what was not begun is not in doubt, and goes. */
TEST(sender_crash, killed_at_full_speed_no_more_are_in_doubt_than_were_begun)
{
    char         dir[64] = "/tmp/dult-crash-XXXXXX";
    struct tally tally = { .is_loaded = true };
    uint64_t     seed = hash_random_seed();
    int          status;
    assert_non_null(mkdtemp(dir));
    print_message("seed %llu\n", (unsigned long long)seed);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        people_load(dir);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < KILLS; i++)
        round_run(dir, &tally, 20000 + (int64_t)(hash_u64((uint64_t)i, seed) % 150000));
    ledger_check(dir, &tally);
}
