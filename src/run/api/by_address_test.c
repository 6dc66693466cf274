/* Who has an address: beside a naive look at everything told, in a base and beyond it. */
#include "run/api/by_address.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/test.h"
#include "engine/behaviour/edition.h"
#include "engine/behaviour/timeline.h"
#include "engine/behaviour/view.h"
#include "engine/own.h"
#include "engine/profile/people.h"

enum { PROFILES = 60, ADDRESSES = 25, EMAIL = 1, OTHER = 2, TOLD = 300 };

struct world {
    struct timeline *timeline;
    struct people   *people;
    struct dict     *keys;
    uint64_t         random;
    uint32_t         seq;
    bool             has[PROFILES][ADDRESSES];
};

static uint32_t draw(struct world *w, uint32_t below)
{
    w->random = hash_u64(w->random, 31);
    return (uint32_t)(w->random >> 24) % below;
}

static struct str address_of(char text[32], uint32_t number, bool is_large)
{
    snprintf(text, 32, is_large ? "P%u@X.Example" : "p%u@x.example", number);
    return str_of(text);
}

static void told(struct world *w, uint32_t profile, const char *key, struct str value)
{
    SCOPED(buf_donep) struct buf bag = buf_make(1000);
    struct json_member           member = { str_of(key), { .kind = JSON_STRING, .string = value } };
    struct json                  object = { .kind = JSON_OBJECT, .members = &member, .count = 1 };
    struct timeline_event        event = {
               .profile = profile, .name = OWN_TRAITS, .seq = ++w->seq, .at_ms = w->seq
    };
    assert_ok(bag_write(&bag, w->keys, &object, NULL));
    assert_ok(timeline_bag_add(w->timeline, buf_view(&bag), &event.bag));
    assert_ok(timeline_add(w->timeline, event));
}

static void some_are_told(struct world *w)
{
    char text[32];
    for (uint32_t i = 0; i < TOLD; i++) {
        uint32_t profile = draw(w, PROFILES), number = draw(w, ADDRESSES - 5);
        if (draw(w, 3) == 0) {
            told(w, profile, "other", address_of(text, number, false));
            continue;
        }
        if (draw(w, 8) != 0)
            continue; /* most addresses are one person's */
        told(w, profile, "email", address_of(text, number, draw(w, 2) == 0));
        w->has[profile][number] = true;
    }
}

static void base_make(struct world *w)
{
    size_t bytes;
    assert_ok(timeline_freeze(w->timeline, w->seq, &bytes));
    void *region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(region != MAP_FAILED);
    assert_ok(timeline_write(w->timeline, region, &bytes));
    timeline_swap(w->timeline, region, bytes);
}

static bool is_among(const uint32_t *people, uint32_t count, uint32_t person)
{
    for (uint32_t i = 0; i < count; i++)
        if (people[i] == person)
            return true;
    return false;
}

static void all_are_found(struct world *w, struct by_address *index)
{
    struct edition *edition =
        edition_make(w->timeline, people_rings(w->people),
                     (struct moment){ w->seq, people_count(w->people), (int64_t)w->seq,
                                      people_arrivals(w->people) });
    struct view *view;
    char         text[32];
    assert_non_null(edition);
    assert_ok(view_make(&view, edition, NULL));
    for (uint32_t number = 0; number < ADDRESSES; number++) {
        uint32_t people[BY_ADDRESS_MOST], count, naive = 0;
        assert_ok(by_address_find(index, view, EMAIL, address_of(text, number, number % 2 == 0),
                                  people, &count));
        for (uint32_t profile = 0; profile < PROFILES; profile++) {
            naive += w->has[profile][number];
            assert_int_equal(is_among(people, count, profile), w->has[profile][number]);
        }
        assert_int_equal(count, naive);
    }
    view_drop(view);
    edition_drop(edition);
}

TEST(by_address, finds_whoever_was_told_to_have_it_in_one_base_and_the_next_and_beyond)
{
    struct world       w = { .timeline = timeline_open(), .people = people_open(1), .random = 7 };
    struct by_address *index = by_address_open();
    uint32_t           number;
    uint16_t           key;
    w.keys = dict_open();
    assert_ok(dict_intern(w.keys, STR("zero"), &key));
    assert_ok(dict_intern(w.keys, STR("email"), &key));
    assert_int_equal(key, EMAIL);
    for (uint32_t i = 0; i < PROFILES; i++)
        assert_ok(people_add(w.people, 1, &number));
    all_are_found(&w, index); /* nobody was told anything */
    for (int round = 0; round < 4; round++) {
        some_are_told(&w);
        all_are_found(&w, index);
        base_make(&w);
        all_are_found(&w, index);
    }
    by_address_close(index);
    dict_close(w.keys);
    people_close(w.people);
    timeline_close(w.timeline);
}
