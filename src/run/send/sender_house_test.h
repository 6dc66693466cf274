/*
 * sender_house: what tests of sending stand on: a mail server that does as it is told, and a real
 * core, store and sender in a folder of their own.
 */
#ifndef DULT_RUN_SENDER_HOUSE_TEST_H
#define DULT_RUN_SENDER_HOUSE_TEST_H

#include <pthread.h>
#include <unistd.h>

#include "base/time.h"
#include "run/send/sender.h"

enum { MAILS_MAX = 8192, MAIL_BYTES = 65536, CALLERS_MAX = 64, HOUSE_PATIENCE_MS = 20000 };

enum fault { FAULT_NONE, FAULT_REFUSES_RCPT, FAULT_CUTS_AFTER_DOT, FAULT_STALLS_AFTER_DOT };

struct post {
    int             listener;
    uint16_t        port;
    pthread_t       accepter, callers[CALLERS_MAX];
    int             fds[CALLERS_MAX], callers_count;
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    enum fault      fault;
    bool            closing, released;
    int             dots; /* how many messages came to their dot */
    int             count;
    char           *mails[MAILS_MAX];
    int64_t         at_us[MAILS_MAX];
};

struct house {
    char            dir[64];
    struct core    *core;
    struct secrets *secrets;
    struct trial   *trial; /* NULL: live */
    struct sender  *sender;
    struct arena   *arena;
};

/* Decisions of a kind in the store, and the last one's detail. */
struct house_count {
    uint32_t kind;
    int      count;
    char     detail[512];
};

#define HOUSE_WELCOME                                                                              \
    "subject: Welcome, {{ person.first_name }}\ntopic: news\n--- html\n"                           \
    "<html><body><p>Hello {{ person.first_name }}, {{ event.plan }} is yours.</p>"                 \
    "<p><a href=\"https://shop.example/start\">Begin</a></p></body></html>\n"

/* A port of 0: any. */
struct post *post_open(enum fault fault, uint16_t port);
/* Ends its threads; what it took can be read from then on. */
void post_stop(struct post *post);
void post_close(struct post *post);
/* Waits for so many dots; how many there are. */
int   post_wait(struct post *post, int dots, int64_t wait_ms);
void *post_release(void *arg);
/* A dir of NULL: a new one. */
void house_open(struct house *house, const char *dir, const struct sender_conf *wanted);
/* A new one, whose mails all stay in its outbox. */
void house_open_on_trial(struct house *house, const struct sender_conf *wanted);
void house_stop(struct house *house);
void house_remove(const struct house *house);
void house_close(struct house *house);
void house_tell(struct house *house, struct record record, const char *key, const char *json);
void house_define(struct house *house, enum definition_kind kind, const char *name,
                  const char *text);
void house_shop(struct house *house, const char *template);
void house_identify(struct house *house, const char *user, const char *traits);
void house_sign_up(struct house *house, const char *user);
void house_ada_signs_up(struct house *house);
struct sender_conf house_conf(const struct post *post, char *url, size_t room);
struct house_count house_decisions(struct house *house, uint32_t kind);
void               house_newcomer(struct house *house, int number);
/* The newcomers from 0 on, together in a few tasks. */
void house_crowd(struct house *house, int count);

/* Waits until the numbers are so; the last ones seen. */
#define WAIT_FOR(house, stats, condition)                                                          \
    do {                                                                                           \
        int64_t end_ms_ = time_now_ms() + HOUSE_PATIENCE_MS;                                       \
        while ((stats) = sender_stats((house)->sender), !(condition) && time_now_ms() < end_ms_)   \
            usleep(2000);                                                                          \
        assert_true(condition);                                                                    \
    } while (0)

#endif
