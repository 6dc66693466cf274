/*
 * Between the claim, which is in the store, and the first byte: what is withdrawn then is not sent.
 * The maker of the mail stands still, so that there is such a moment.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/test.h"
#include "run/send/sender_house_test.h"
#include "run/send/sender_inside.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    uint64_t        message; /* that is being made */
    bool            goes_on;
} maker = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };

static enum err make(const struct claim *claim, struct arena *arena, struct rendered *out)
{
    pthread_mutex_lock(&maker.lock);
    maker.message = claim->message;
    pthread_cond_broadcast(&maker.moved);
    while (!maker.goes_on)
        pthread_cond_wait(&maker.moved, &maker.lock);
    pthread_mutex_unlock(&maker.lock);
    out->mail.message_id = str_format(arena, "%llu@x.example", (unsigned long long)claim->message);
    out->mail.envelope_from = STR("shop@x.example");
    out->mail.envelope_to = str_copy(arena, claim->address);
    buf_str(&out->mail.message, STR("Subject: hello\r\n\r\nhello\r\n"));
    return buf_err(&out->mail.message);
}

static void let_go(void)
{
    pthread_mutex_lock(&maker.lock);
    maker.goes_on = true;
    pthread_cond_broadcast(&maker.moved);
    pthread_mutex_unlock(&maker.lock);
}

struct world {
    struct house        house;
    struct sender_stats stats;
    struct post        *post;
    char                url[64];
};

/* Ada's mail is claimed, and is being made. */
static void world_open(struct world *w, bool is_on_trial)
{
    *w = (struct world){ .post = post_open(FAULT_NONE, 0) };
    struct sender_conf conf = house_conf(w->post, w->url, sizeof w->url);
    conf.make = make;
    maker.message = 0;
    maker.goes_on = false;
    if (is_on_trial)
        house_open_on_trial(&w->house, &conf);
    else
        house_open(&w->house, NULL, &conf);
    house_shop(&w->house, HOUSE_WELCOME);
    house_ada_signs_up(&w->house);
    pthread_mutex_lock(&maker.lock);
    while (maker.message == 0)
        pthread_cond_wait(&maker.moved, &maker.lock);
    pthread_mutex_unlock(&maker.lock);
    assert_int_equal(house_decisions(&w->house, STORE_DECISION_MESSAGE_SENDING).count, 1);
}

static void world_close(struct world *w, int dots)
{
    house_close(&w->house);
    assert_int_equal(w->post->dots, dots);
    post_close(w->post);
}

static void unsubscribes(struct world *w, uint32_t profile)
{
    house_tell(&w->house,
               (struct record){ .kind = RECORD_CONSENT, .profile = profile, .name = STR("news") },
               "properties", "{\"state\":\"unsubscribed\",\"how\":\"test\"}");
}

static void is_suppressed(struct world *w, const char *address)
{
    house_tell(&w->house, (struct record){ .kind = RECORD_SUPPRESSION, .name = str_of(address) },
               "properties", "{\"state\":\"suppressed\"}");
}

static void is_erased(struct world *w)
{
    house_tell(&w->house, (struct record){ .kind = RECORD_ERASE, .profile = 0 }, NULL, NULL);
}

static void wait_dropped(struct world *w, const char *reason)
{
    while (house_decisions(&w->house, STORE_DECISION_MESSAGE_DROPPED).count == 0)
        usleep(2000);
    assert_non_null(
        strstr(house_decisions(&w->house, STORE_DECISION_MESSAGE_DROPPED).detail, reason));
}

TEST(sender_recall, who_unsubscribes_after_the_claim_and_before_the_first_byte_is_not_sent_to)
{
    struct world w;
    world_open(&w, false);
    unsubscribes(&w, 0);
    let_go();
    WAIT_FOR(&w.house, w.stats, w.stats.returned == 1 && w.stats.queued == 0);
    wait_dropped(&w, "unsubscribed");
    world_close(&w, 0);
}

TEST(sender_recall, an_address_suppressed_meanwhile_is_not_sent_to)
{
    struct world w;
    world_open(&w, false);
    is_suppressed(&w, "Ada@Example.com");
    let_go();
    WAIT_FOR(&w.house, w.stats, w.stats.returned == 1);
    wait_dropped(&w, "");
    world_close(&w, 0);
}

TEST(sender_recall, when_sending_is_stopped_what_is_not_begun_waits_and_goes_when_it_goes_on)
{
    struct world w;
    world_open(&w, false);
    house_define(&w.house, DEFINE_SENDING, "sending", "{\"state\":\"stopped\"}");
    let_go();
    WAIT_FOR(&w.house, w.stats, w.stats.returned == 1);
    assert_int_equal(post_wait(w.post, 1, 300), 0);
    house_define(&w.house, DEFINE_SENDING, "sending", "{\"state\":\"on\"}");
    WAIT_FOR(&w.house, w.stats, w.stats.sent == 1);
    world_close(&w, 1);
}

TEST(sender_recall, when_all_is_called_back_what_is_not_begun_is_looked_at_anew_and_goes)
{
    struct world w;
    world_open(&w, false);
    assert_ok(sender_recall_all(w.house.sender));
    let_go();
    WAIT_FOR(&w.house, w.stats, w.stats.sent == 1);
    assert_int_equal(w.stats.returned, 1);
    world_close(&w, 1);
}

TEST(sender_recall, another_persons_word_keeps_nobody_elses_mail)
{
    struct world w;
    world_open(&w, false);
    house_identify(&w.house, "bob", "{\"email\":\"bob@example.com\"}");
    unsubscribes(&w, 1);
    is_suppressed(&w, "bob@example.com");
    let_go();
    WAIT_FOR(&w.house, w.stats, w.stats.sent == 1);
    assert_int_equal(w.stats.returned, 0);
    world_close(&w, 1);
}

TEST(sender_recall, who_is_erased_meanwhile_is_not_sent_to)
{
    struct world w;
    world_open(&w, false);
    is_erased(&w);
    let_go();
    WAIT_FOR(&w.house, w.stats, w.stats.returned == 1);
    world_close(&w, 0);
}

/* ---- what a channel has ---- */

/* How often a channel is spoken to, and of how many at most. */
static struct {
    const struct channel_ops *ops;
    int                       calls;
    size_t                    most;
} heard;

static void hear(struct channel *channel, const uint64_t *ids, size_t count)
{
    heard.calls++;
    heard.most = count > heard.most ? count : heard.most;
    heard.ops->recall(channel, ids, count);
}

TEST(sender_recall, all_that_a_channel_has_is_called_back_by_one_word)
{
    enum { CONNECTIONS = 4, GIVEN = 2 * CONNECTIONS - 1, MESSAGES = 20 }; /* a place is reserved */
    struct house       house;
    struct way_stats   ways[WAYS_MAX];
    int64_t            end_ms = time_now_ms() + HOUSE_PATIENCE_MS;
    char               url[64];
    pthread_t          releaser;
    struct post       *post = post_open(FAULT_STALLS_AFTER_DOT, 0);
    struct sender_conf conf = house_conf(post, url, sizeof url);
    conf.connections = CONNECTIONS;
    house_open(&house, NULL, &conf);
    house_shop(&house, HOUSE_WELCOME);
    house_crowd(&house, MESSAGES);
    assert_int_equal(post_wait(post, CONNECTIONS, HOUSE_PATIENCE_MS), CONNECTIONS);
    while (sender_ways(house.sender, ways), ways[0].channel.offered > 1 && time_now_ms() < end_ms)
        usleep(2000);
    assert_int_equal(ways[0].in_flight, GIVEN);
    struct channel    *channel = house.sender->ways[0]->channel;
    struct channel_ops ops = *channel->ops;
    heard.ops = channel->ops;
    heard.calls = 0;
    heard.most = 0;
    ops.recall = hear;
    channel->ops = &ops;
    house_define(&house, DEFINE_SENDING, "sending", "{\"state\":\"stopped\"}");
    channel->ops = heard.ops;
    assert_int_equal(heard.calls, 1);
    assert_int_equal(heard.most, GIVEN);
    assert_int_equal(pthread_create(&releaser, NULL, post_release, post), 0);
    house_close(&house);
    pthread_join(releaser, NULL);
    assert_in_range(post->dots, CONNECTIONS, GIVEN); /* a next envelope may have been said */
    post_close(post);
}

/* ---- on trial, while the mail is being written ---- */

/* Whoever opens the file to write waits until the lease is given up. */
static int outbox_hold(const struct house *house)
{
    char path[256];
    signal(SIGIO, SIG_IGN); /* somebody waits for the lease */
    snprintf(path, sizeof path, "%s/outbox", house->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/outbox/tmp", house->dir);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/outbox/tmp/%llu@x.example", house->dir,
             (unsigned long long)maker.message);
    int fd = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
    return fd;
}

static void outbox_wait(int fd)
{
    while (fcntl(fd, F_GETLEASE) == F_RDLCK)
        usleep(1000); /* F_UNLCK: somebody wants it */
}

static int outbox_count(const struct house *house)
{
    char path[256];
    int  count = 0;
    snprintf(path, sizeof path, "%s/outbox/new", house->dir);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

TEST(sender_recall, who_is_erased_while_a_trials_mail_is_being_written_leaves_none_in_the_outbox)
{
    struct world w;
    world_open(&w, true);
    int fd = outbox_hold(&w.house);
    let_go();
    outbox_wait(fd);
    is_erased(&w);
    house_identify(&w.house, "bob", "{}"); /* what was told of the erasure is done by now */
    assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    close(fd);
    WAIT_FOR(&w.house, w.stats, w.stats.returned == 1);
    assert_int_equal(outbox_count(&w.house), 0);
    world_close(&w, 0);
}

TEST(sender_recall, what_was_written_into_a_trials_outbox_undisturbed_stays_there)
{
    struct world w;
    world_open(&w, true);
    int fd = outbox_hold(&w.house);
    let_go();
    outbox_wait(fd);
    assert_int_equal(fcntl(fd, F_SETLEASE, F_UNLCK), 0);
    close(fd);
    WAIT_FOR(&w.house, w.stats, w.stats.sent == 1);
    assert_int_equal(outbox_count(&w.house), 1);
    world_close(&w, 0);
}
