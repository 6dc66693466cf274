/* Whose hits are these? Each row of a case is one hit: kind, link, when, from where. */
#include "run/api/sieve.h"

#include <stdio.h>

#include "base/test.h"

enum { SIEVE_HERE_MAX = 8 };
static const struct sieve_conf conf = { .wait_ms = 5000, .soon_ms = 3000 };

static struct hit hit(enum hit_kind kind, uint64_t link, int64_t at_ms, const char *address)
{
    struct hit made = {
        .kind = kind, .message = 7, .link = link, .at_ms = at_ms, .sent_ms = -1000000
    };
    snprintf(made.address, sizeof made.address, "%s", address);
    return made;
}

static const char *sign(const struct hit *one)
{
    return one->sign == NULL ? "a person" : one->sign;
}

TEST(sieve, who_reads_and_follows_one_link_is_a_person)
{
    struct hit hits[] = { hit(HIT_OPEN, 0, 0, "a"), hit(HIT_CLICK, 1, 4000, "a"),
                          hit(HIT_CLICK, 1, 4500, "a"), hit(HIT_CLICK, 2, 5000, "a") };
    sieve_judge(hits, 4, &conf);
    for (int i = 0; i < 4; i++)
        assert_string_equal(sign(&hits[i]), "a person");
}

TEST(sieve, the_hidden_link_marks_what_came_before_it_and_after_it)
{
    struct hit hits[] = { hit(HIT_OPEN, 0, 0, "a"),      hit(HIT_CLICK, 1, 1000, "b"),
                          hit(HIT_TRAP, 9, 4000, "c"),   hit(HIT_CLICK, 2, 8500, "b"),
                          hit(HIT_CLICK, 2, 30000, "c"), hit(HIT_CLICK, 2, 30000, "d") };
    hits[5].message = 7;
    sieve_judge(hits, 6, &conf);
    for (int i = 0; i < 5; i++)
        assert_string_equal(sign(&hits[i]), "hidden link");
    assert_string_equal(sign(&hits[5]), "a person"); /* who reads it half a minute later */
}

TEST(sieve, three_links_at_once_are_a_program_and_two_are_not)
{
    struct hit hits[] = { hit(HIT_OPEN, 0, 500, "a"), hit(HIT_CLICK, 1, 0, "a"),
                          hit(HIT_CLICK, 2, 900, "b"), hit(HIT_CLICK, 3, 1900, "c"),
                          hit(HIT_CLICK, 3, 9000, "a") };
    sieve_judge(hits, 3, &conf);
    assert_string_equal(sign(&hits[1]), "a person");
    sieve_judge(hits, 5, &conf);
    for (int i = 0; i < 4; i++)
        assert_string_equal(sign(&hits[i]), "burst");
    assert_string_equal(sign(&hits[4]), "a person");
}

TEST(sieve, links_of_two_messages_are_no_burst)
{
    struct hit hits[] = { hit(HIT_CLICK, 1, 0, "a"), hit(HIT_CLICK, 2, 100, "a"),
                          hit(HIT_CLICK, 3, 200, "a") };
    hits[1].message = 8;
    sieve_judge(hits, 3, &conf);
    for (int i = 0; i < 3; i++)
        assert_string_equal(sign(&hits[i]), "a person");
}

TEST(sieve, before_the_mail_can_have_been_read_nobody_follows_its_links)
{
    struct hit hits[] = { hit(HIT_CLICK, 1, 2999, "a"), hit(HIT_CLICK, 1, 3000, "a"),
                          hit(HIT_OPEN, 0, 9000, "a"), hit(HIT_OPEN, 0, 9000, "a") };
    hits[0].sent_ms = hits[1].sent_ms = 0;
    hits[2].sent_ms = INT64_MAX; /* the server has not even answered yet */
    hits[3].sent_ms = INT64_MIN; /* nobody knows when */
    sieve_judge(hits, 4, &conf);
    assert_string_equal(sign(&hits[0]), "too soon");
    assert_string_equal(sign(&hits[1]), "a person");
    assert_string_equal(sign(&hits[2]), "too soon");
    assert_string_equal(sign(&hits[3]), "a person");
}
