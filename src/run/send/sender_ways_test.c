/* Several ways out: which one a message goes by, and that receipts wait for nobody. */
#include <stdio.h>
#include <string.h>

#include "base/test.h"
#include "run/core/begun.h"
#include "run/send/sender_house_test.h"
#include "run/send/sender_inside.h"

static struct way_conf way_to(const char *name, const struct post *post, char *url, size_t room)
{
    snprintf(url, room, "smtp://127.0.0.1:%u", post->port);
    return (struct way_conf){ .name = name, .kind = WAY_SMTP, .smtp_url = url, .connections = 2 };
}

static struct sender_conf conf_of(const struct way_conf *ways, uint32_t count)
{
    return (struct sender_conf){ .ways = ways, .ways_count = count, .retry_ms = 200 };
}

#define RECEIPT                                                                                    \
    "subject: Your receipt\ntransactional: yes\ntopic: receipts\n--- html\n<p>Thank you.</p>\n"
#define NEWS "subject: News\ntopic: news\n--- html\n<p>Much is new.</p>\n"

/* A journey that mails a template when an event happens. */
static void journey_of(struct house *house, const char *name, const char *event,
                       const char *template)
{
    char text[512];
    snprintf(text, sizeof text,
             "{\"journey\":\"%s\",\"trigger\":{\"event\":\"%s\"},\"reentry\":\"always\",\"nodes\":"
             "[{\"id\":\"mail\",\"email\":\"%s\"},{\"id\":\"done\",\"exit\":true}]}",
             name, event, name);
    house_define(house, DEFINE_TEMPLATE, name, template);
    house_define(house, DEFINE_JOURNEY, name, text);
}

static void happens(struct house *house, const char *user, const char *event)
{
    house_tell(
        house,
        (struct record){ .kind = RECORD_TRACK, .user_id = str_of(user), .name = str_of(event) },
        "properties", "{}");
}

static void shop_open(struct house *house)
{
    house_shop(house, HOUSE_WELCOME);
    journey_of(house, "receipt", "Bought", RECEIPT);
    journey_of(house, "news", "Published", NEWS);
    house_identify(house, "ada", "{\"email\":\"ada@example.com\",\"first_name\":\"Ada\"}");
}

TEST(ways, what_the_first_way_cannot_send_goes_by_the_second_and_the_first_comes_back_by_itself)
{
    struct house        house;
    struct sender_stats stats;
    struct way_stats    ways[WAYS_MAX];
    char                urls[2][64];
    struct post        *first = post_open(FAULT_NONE, 0), *second = post_open(FAULT_NONE, 0);
    struct way_conf     list[] = { way_to("first", first, urls[0], sizeof urls[0]),
                                   way_to("second", second, urls[1], sizeof urls[1]) };
    struct sender_conf  conf = conf_of(list, 2);
    uint16_t            port = first->port;
    post_close(first);
    house_open(&house, NULL, &conf);
    shop_open(&house);
    for (int i = 0; i < 20; i++)
        happens(&house, "ada", "Published");
    assert_int_equal(post_wait(second, 20, HOUSE_PATIENCE_MS), 20);
    WAIT_FOR(&house, stats, stats.sent == 20 && stats.reporting == 0);
    assert_int_equal(stats.deferred, 0); /* nobody had to wait for a next try */
    assert_int_equal(sender_ways(house.sender, ways), 2);
    assert_false(ways[0].is_open);
    assert_true(ways[0].passed_on >= 1);
    assert_int_equal(ways[1].sent, 20);

    first = post_open(FAULT_NONE, port);
    int64_t end_ms = time_now_ms() + HOUSE_PATIENCE_MS;
    while (sender_ways(house.sender, ways), !ways[0].is_open && time_now_ms() < end_ms)
        usleep(10000);
    assert_true(ways[0].is_open);
    for (int i = 0; i < 5; i++)
        happens(&house, "ada", "Published");
    assert_int_equal(post_wait(first, 5, HOUSE_PATIENCE_MS), 5);
    WAIT_FOR(&house, stats, stats.sent == 25 && stats.reporting == 0);
    house_close(&house);
    assert_int_equal(second->dots, 20);
    post_close(first);
    post_close(second);
}

TEST(ways, what_may_have_been_sent_never_goes_by_another_way)
{
    struct house        house;
    struct sender_stats stats;
    char                urls[2][64];
    struct post        *first = post_open(FAULT_CUTS_AFTER_DOT, 0);
    struct post        *second = post_open(FAULT_NONE, 0);
    struct way_conf     list[] = { way_to("first", first, urls[0], sizeof urls[0]),
                                   way_to("second", second, urls[1], sizeof urls[1]) };
    struct sender_conf  conf = conf_of(list, 2);
    house_open(&house, NULL, &conf);
    shop_open(&house);
    happens(&house, "ada", "Published");
    WAIT_FOR(&house, stats, stats.unknown == 1 && stats.reporting == 0);
    assert_int_equal(post_wait(second, 1, 500), 0);
    house_close(&house);
    assert_int_equal(first->dots, 1);
    post_close(first);
    post_close(second);
}

/* How many a kill at this moment would leave in doubt. */
static int in_doubt_now(const struct house *house)
{
    enum { MESSAGES = 100 };
    struct begun  *begun;
    struct problem problem;
    int            count = 0;
    assert_ok(begun_open(&begun, house->dir, &problem));
    for (uint64_t message = 1; message < MESSAGES; message++)
        count += begun_look(begun, message) == BEGUN_MAY;
    begun_close(begun);
    return count;
}

TEST(ways, what_waits_for_its_second_way_is_in_no_doubt)
{
    static const struct str news[] = { { "news", 4 } };
    struct house            house;
    struct way_stats        ways[WAYS_MAX];
    char                    urls[2][64];
    pthread_t               releaser;
    int64_t                 end_ms = time_now_ms() + HOUSE_PATIENCE_MS;
    struct post            *first = post_open(FAULT_NONE, 0);
    struct post            *second = post_open(FAULT_STALLS_AFTER_DOT, 0);
    struct way_conf         list[] = { way_to("first", first, urls[0], sizeof urls[0]),
                                       way_to("second", second, urls[1], sizeof urls[1]) };
    struct sender_conf      conf = conf_of(list, 2);
    post_close(first);
    list[0].topics = news;
    list[0].topics_count = list[1].connections = 1;
    house_open(&house, NULL, &conf);
    shop_open(&house);
    do {
        happens(&house, "ada", "Bought"); /* until each place of the second way is taken */
        usleep(20000);
        assert_int_equal(sender_ways(house.sender, ways), 2);
    } while (ways[1].channel.offered > 0 && time_now_ms() < end_ms);
    happens(&house, "ada", "Published");
    while (sender_ways(house.sender, ways), ways[0].passed_on == 0 && time_now_ms() < end_ms)
        usleep(2000);
    assert_int_equal(ways[0].passed_on, 1);
    assert_true(ways[1].waiting > 0);
    assert_int_equal(in_doubt_now(&house), ways[1].in_flight);
    assert_int_equal(pthread_create(&releaser, NULL, post_release, second), 0);
    house_close(&house);
    pthread_join(releaser, NULL);
    post_close(second);
}

TEST(ways, a_refused_recipient_is_nobody_elses_business)
{
    struct house        house;
    struct sender_stats stats;
    char                urls[2][64];
    struct post        *first = post_open(FAULT_REFUSES_RCPT, 0);
    struct post        *second = post_open(FAULT_NONE, 0);
    struct way_conf     list[] = { way_to("first", first, urls[0], sizeof urls[0]),
                                   way_to("second", second, urls[1], sizeof urls[1]) };
    struct sender_conf  conf = conf_of(list, 2);
    house_open(&house, NULL, &conf);
    shop_open(&house);
    happens(&house, "ada", "Published");
    WAIT_FOR(&house, stats, stats.failed == 1 && stats.reporting == 0);
    house_close(&house);
    assert_int_equal(second->dots, 0);
    post_close(first);
    post_close(second);
}

TEST(ways, each_topic_goes_by_the_way_that_is_for_it_and_one_for_none_is_held_back)
{
    static const struct str news[] = { { "news", 4 } }, receipts[] = { { "receipts", 8 } };
    struct house            house;
    struct sender_stats     stats;
    char                    urls[2][64];
    struct post            *first = post_open(FAULT_NONE, 0), *second = post_open(FAULT_NONE, 0);
    struct way_conf         list[] = { way_to("news", first, urls[0], sizeof urls[0]),
                                       way_to("receipts", second, urls[1], sizeof urls[1]) };
    list[0].topics = news;
    list[1].topics = receipts;
    list[0].topics_count = list[1].topics_count = 1;
    struct sender_conf conf = conf_of(list, 2);
    house_open(&house, NULL, &conf);
    shop_open(&house);
    journey_of(&house, "offer", "Offered", "subject: Offer\ntopic: offers\n--- text\nCheap.\n");
    for (int i = 0; i < 10; i++) {
        happens(&house, "ada", "Published");
        happens(&house, "ada", "Bought");
    }
    happens(&house, "ada", "Offered");
    WAIT_FOR(&house, stats, stats.sent == 20 && stats.held == 1 && stats.reporting == 0);
    assert_non_null(strstr(house_decisions(&house, STORE_DECISION_MESSAGE_DROPPED).detail,
                           "no way out is for email of topic"));
    house_close(&house);
    assert_int_equal(first->dots, 10);
    assert_int_equal(second->dots, 10);
    for (int i = 0; i < 10; i++) {
        assert_non_null(strstr(first->mails[i], "Subject: News"));
        assert_non_null(strstr(second->mails[i], "Subject: Your receipt"));
    }
    post_close(first);
    post_close(second);
}

/* So many people from number `first` on become known, and something is published for each. */
static void subscribers_hear(struct house *house, int first, int count)
{
    struct arena *arena = arena_open(64 << 20);
    struct entry *entries = ARENA_ARRAY(arena, 2 * (size_t)count, struct entry);
    struct task   task = { .entries = entries, .entries_count = 2 * (uint32_t)count };
    for (int i = 0; i < count; i++) {
        struct record about = { .user_id = str_format(arena, "s%d", first + i),
                                .at_ms = time_now_ms(),
                                .received_ms = time_now_ms() };
        struct str    traits = str_format(arena, "{\"email\":\"s%d@example.com\"}", first + i);
        struct json  *properties = ARENA_NEW(arena, struct json);
        assert_ok(json_parse_once(arena, traits, properties, NULL));
        about.kind = RECORD_IDENTIFY;
        about.properties = properties;
        entries[2 * i] =
            (struct entry){ .record = about,
                            .body = str_format(arena, "{\"traits\":%.*s}", STR_ARG(traits)) };
        about.kind = RECORD_TRACK;
        about.properties = NULL;
        about.name = STR("Published");
        entries[2 * i + 1] = (struct entry){ .record = about, .body = STR("{}") };
    }
    assert_ok(core_run(house->core, &task));
    assert_int_equal(task.refused, 0);
    arena_close(arena);
}

/* The whole queue is there before the receipt is; the way sends 50 a second. */
TEST(ways, a_receipt_behind_ten_thousand_newsletters_is_among_the_next_few_to_go)
{
    enum { LETTERS = 10000, AHEAD = 12 };
    struct house        house;
    struct sender_stats stats;
    char                url[64];
    struct post        *post = post_open(FAULT_NONE, 0);
    struct way_conf     way = way_to("only", post, url, sizeof url);
    struct sender_conf  conf = conf_of(&way, 1);
    way.per_second = 50;
    house_open(&house, NULL, &conf);
    shop_open(&house);
    for (int i = 0; i < LETTERS; i += LETTERS / 20)
        subscribers_hear(&house, i, LETTERS / 20);
    int before = post_wait(post, 1, HOUSE_PATIENCE_MS);
    assert_true(before < LETTERS / 2);
    before = post_wait(post, 0, 0);
    int64_t told_us = time_mono_us();
    happens(&house, "ada", "Bought");
    int receipt = -1;
    for (int64_t end_ms = time_now_ms() + HOUSE_PATIENCE_MS; receipt < 0 && time_now_ms() < end_ms;
         usleep(2000)) {
        pthread_mutex_lock(&post->lock);
        for (int i = before; i < post->count && receipt < 0; i++)
            if (strstr(post->mails[i], "Subject: Your receipt") != NULL)
                receipt = i;
        pthread_mutex_unlock(&post->lock);
    }
    assert_true(receipt >= 0);
    print_message("the receipt went out %lld ms after it was decided, %d letters before it\n",
                  (long long)((post->at_us[receipt] - told_us) / 1000), receipt - before);
    assert_true(receipt - before <= AHEAD);
    stats = sender_stats(house.sender);
    assert_true(stats.sent < LETTERS / 2);
    house_close(&house);
    post_close(post);
}

TEST(ways, through_an_outage_of_a_day_a_message_is_claimed_some_thousand_times_and_not_each_second)
{
    int claims = 0;
    for (int64_t down_ms = 0; down_ms < TIME_DAY_MS; claims++) {
        int64_t pause_ms = closed_pause_ms(down_ms);
        assert_in_range(pause_ms, TIME_SECOND_MS, TIME_MINUTE_MS);
        assert_true(pause_ms == TIME_SECOND_MS || pause_ms <= down_ms / 2);
        down_ms += pause_ms;
    }
    assert_in_range(claims, 1000, 1500);
}
