/*
 * Between the claim, which is in the store, and the first byte: what is withdrawn then is not sent.
 * The maker of the mail stands still, so that there is such a moment.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "run/send/sender_house_test.h"

static struct {
    pthread_mutex_t lock;
    pthread_cond_t  moved;
    int             making;
    bool            goes_on;
} maker = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };

static enum err make(const struct claim *claim, struct arena *arena, struct rendered *out)
{
    pthread_mutex_lock(&maker.lock);
    maker.making++;
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

/* Ada's mail is claimed, and is being made. */
static void hold(struct house *house, struct sender_conf *conf, struct post *post, char url[64])
{
    *conf = house_conf(post, url, 64);
    conf->make = make;
    maker.making = 0;
    maker.goes_on = false;
    house_open(house, NULL, conf);
    house_shop(house, HOUSE_WELCOME);
    house_ada_signs_up(house);
    pthread_mutex_lock(&maker.lock);
    while (maker.making == 0)
        pthread_cond_wait(&maker.moved, &maker.lock);
    pthread_mutex_unlock(&maker.lock);
    assert_int_equal(house_decisions(house, STORE_DECISION_MESSAGE_SENDING).count, 1);
}

static void let_go(void)
{
    pthread_mutex_lock(&maker.lock);
    maker.goes_on = true;
    pthread_cond_broadcast(&maker.moved);
    pthread_mutex_unlock(&maker.lock);
}

TEST(sender_recall, who_unsubscribes_after_the_claim_and_before_the_first_byte_is_not_sent_to)
{
    struct house        house;
    struct sender_conf  conf;
    struct sender_stats stats;
    char                url[64];
    struct post        *post = post_open(FAULT_NONE, 0);
    hold(&house, &conf, post, url);
    house_tell(&house, (struct record){ .kind = RECORD_CONSENT, .profile = 0, .name = STR("news") },
               "properties", "{\"state\":\"unsubscribed\",\"how\":\"test\"}");
    let_go();
    WAIT_FOR(&house, stats, stats.returned == 1 && stats.queued == 0);
    while (house_decisions(&house, STORE_DECISION_MESSAGE_DROPPED).count == 0)
        usleep(2000);
    assert_non_null(
        strstr(house_decisions(&house, STORE_DECISION_MESSAGE_DROPPED).detail, "unsubscribed"));
    house_close(&house);
    assert_int_equal(post->dots, 0);
    post_close(post);
}

TEST(sender_recall, an_address_suppressed_meanwhile_is_not_sent_to)
{
    struct house        house;
    struct sender_conf  conf;
    struct sender_stats stats;
    char                url[64];
    struct post        *post = post_open(FAULT_NONE, 0);
    hold(&house, &conf, post, url);
    house_tell(&house,
               (struct record){ .kind = RECORD_SUPPRESSION, .name = STR("Ada@Example.com") },
               "properties", "{\"state\":\"suppressed\"}");
    let_go();
    WAIT_FOR(&house, stats, stats.returned == 1);
    while (house_decisions(&house, STORE_DECISION_MESSAGE_DROPPED).count == 0)
        usleep(2000);
    house_close(&house);
    assert_int_equal(post->dots, 0);
    post_close(post);
}

TEST(sender_recall, when_sending_is_stopped_what_is_not_begun_waits_and_goes_when_it_goes_on)
{
    struct house        house;
    struct sender_conf  conf;
    struct sender_stats stats;
    char                url[64];
    struct post        *post = post_open(FAULT_NONE, 0);
    hold(&house, &conf, post, url);
    house_define(&house, DEFINE_SENDING, "sending", "{\"state\":\"stopped\"}");
    let_go();
    WAIT_FOR(&house, stats, stats.returned == 1);
    assert_int_equal(post_wait(post, 1, 300), 0);
    house_define(&house, DEFINE_SENDING, "sending", "{\"state\":\"on\"}");
    WAIT_FOR(&house, stats, stats.sent == 1);
    house_close(&house);
    assert_int_equal(post->dots, 1);
    post_close(post);
}

TEST(sender_recall, when_all_is_called_back_what_is_not_begun_is_looked_at_anew_and_goes)
{
    struct house        house;
    struct sender_conf  conf;
    struct sender_stats stats;
    char                url[64];
    struct post        *post = post_open(FAULT_NONE, 0);
    hold(&house, &conf, post, url);
    assert_ok(sender_recall_all(house.sender));
    let_go();
    WAIT_FOR(&house, stats, stats.sent == 1);
    assert_int_equal(stats.returned, 1);
    house_close(&house);
    assert_int_equal(post->dots, 1);
    post_close(post);
}

TEST(sender_recall, another_persons_word_keeps_nobody_elses_mail)
{
    struct house        house;
    struct sender_conf  conf;
    struct sender_stats stats;
    char                url[64];
    struct post        *post = post_open(FAULT_NONE, 0);
    hold(&house, &conf, post, url);
    house_identify(&house, "bob", "{\"email\":\"bob@example.com\"}");
    house_tell(&house, (struct record){ .kind = RECORD_CONSENT, .profile = 1, .name = STR("news") },
               "properties", "{\"state\":\"unsubscribed\",\"how\":\"test\"}");
    house_tell(&house,
               (struct record){ .kind = RECORD_SUPPRESSION, .name = STR("bob@example.com") },
               "properties", "{\"state\":\"suppressed\"}");
    let_go();
    WAIT_FOR(&house, stats, stats.sent == 1);
    assert_int_equal(stats.returned, 0);
    house_close(&house);
    post_close(post);
}

TEST(sender_recall, who_is_erased_meanwhile_is_not_sent_to)
{
    struct house        house;
    struct sender_conf  conf;
    struct sender_stats stats;
    char                url[64];
    struct post        *post = post_open(FAULT_NONE, 0);
    hold(&house, &conf, post, url);
    house_tell(&house, (struct record){ .kind = RECORD_ERASE, .profile = 0 }, NULL, NULL);
    let_go();
    WAIT_FOR(&house, stats, stats.returned == 1);
    house_close(&house);
    assert_int_equal(post->dots, 0);
    post_close(post);
}
