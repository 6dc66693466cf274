/* Recipients packed: the same answers, in a fraction of the memory. */
#include "engine/recipients.h"

#include <stdlib.h>
#include <string.h>

#include "base/test.h"

enum { PEOPLE = 8 * RECIPIENTS_PAGE + 300 };

static unsigned below(unsigned *seed, unsigned most)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (*seed >> 8) % most;
}

/* Nobody beyond a half; `odd` of a thousand have any state. */
static enum recipient_state drawn(unsigned *seed, unsigned odd)
{
    if (below(seed, 1000) < odd)
        return (enum recipient_state)below(seed, RECIPIENT_STATES);
    return below(seed, 2) == 0 ? RECIPIENT_NONE : RECIPIENT_SENT;
}

static void given(struct recipients *r)
{
    uint32_t   page;
    struct str text;
    while (recipients_changed(r, &page, &text))
        assert_int_equal(text.len, RECIPIENTS_PAGE);
}

static void same(const struct recipients *r, const enum recipient_state *twin)
{
    uint64_t counts[RECIPIENT_STATES] = { 0 };
    uint32_t wanted = RECIPIENT_BIT(RECIPIENT_FAILED) | RECIPIENT_BIT(RECIPIENT_HELD), at = 0;
    for (uint32_t p = 0; p < PEOPLE; p++) {
        assert_int_equal(recipients_get(r, p), twin[p]);
        counts[twin[p]] += twin[p] != RECIPIENT_NONE;
        if ((wanted >> twin[p] & 1) == 0)
            continue;
        at = recipients_next(r, wanted, at);
        assert_int_equal(at++, p);
    }
    assert_int_equal(recipients_next(r, wanted, at), UINT32_MAX);
    assert_memory_equal(r->counts, counts, sizeof counts);
}

TEST(recipients, packed_they_say_the_same_and_are_changed_and_loaded_as_before)
{
    static enum recipient_state twin[PEOPLE];
    for (unsigned seed = 1, draw = 1; seed <= 20; seed++) {
        struct recipients r = { .pages = NULL }, loaded = { .pages = NULL };
        uint32_t          page;
        struct str        text;
        for (uint32_t p = 0; p < PEOPLE; p++) {
            twin[p] = drawn(&draw, seed < 10 ? seed * seed : 400);
            assert_ok(recipients_set(&r, p, twin[p]));
        }
        given(&r);
        recipients_over(&r, true);
        given(&r);
        same(&r, twin);
        for (int i = 0; i < 50; i++) {
            uint32_t p = below(&draw, PEOPLE);
            assert_ok(recipients_set(&r, p, twin[p] = drawn(&draw, 500)));
        }
        same(&r, twin);
        recipients_over(&loaded, true);
        for (uint32_t p = 0; p < PEOPLE; p += RECIPIENTS_PAGE) /* all pages, once more */
            assert_ok(recipients_set(&r, p, RECIPIENT_NONE)), twin[p] = RECIPIENT_NONE;
        for (uint32_t p = 1; p < PEOPLE; p += RECIPIENTS_PAGE)
            assert_ok(recipients_set(&r, p, twin[p] = RECIPIENT_HELD));
        while (recipients_changed(&r, &page, &text))
            assert_ok(recipients_load(&loaded, page, text));
        same(&r, twin);
        recipients_done(&r);
        recipients_done(&loaded);
    }
}

TEST(recipients, when_all_is_over_a_person_takes_a_bit_and_where_all_got_it_nothing)
{
    struct recipients all = { .pages = NULL }, half = { .pages = NULL };
    unsigned          seed = 7;
    for (uint32_t p = 0; p < PEOPLE; p++) {
        assert_ok(recipients_set(&all, p, RECIPIENT_SENT));
        assert_ok(recipients_set(&half, p, drawn(&seed, 10)));
    }
    given(&all);
    given(&half);
    assert_true(recipients_bytes(&all) > PEOPLE);
    recipients_over(&all, true);
    recipients_over(&half, true);
    given(&all);
    given(&half);
    assert_true(recipients_bytes(&all) < PEOPLE / 20);
    assert_true(recipients_bytes(&half) < PEOPLE / 4);
    assert_ok(recipients_set(&half, 0, RECIPIENT_SENT));
    uint64_t before = half.counts[RECIPIENT_WAITING];
    recipients_over(&half, false); /* and is as it was when somebody is to get it again */
    assert_ok(recipients_set(&half, 0, RECIPIENT_WAITING));
    assert_int_equal(half.counts[RECIPIENT_WAITING], before + 1);
    recipients_done(&all);
    recipients_done(&half);
}

/* Of each page many have each of three letters, so that it is not packed. */
static void motley(struct recipients *r, uint32_t pages)
{
    static const enum recipient_state states[] = { RECIPIENT_SENT, RECIPIENT_NO_CONSENT,
                                                   RECIPIENT_TWICE };
    for (uint32_t p = 0; p < pages * RECIPIENTS_PAGE; p++)
        assert_ok(recipients_set(r, p, states[p % 3]));
}

TEST(recipients, a_late_change_is_one_page_to_look_at_however_many_are_open)
{
    enum { PAGES = 3 * RECIPIENTS_PACKED_MAX };
    struct recipients r = { .pages = NULL };
    uint32_t          page;
    struct str        text;
    motley(&r, PAGES);
    given(&r);
    assert_int_equal(r.loose_count, PAGES);
    recipients_over(&r, true);
    for (uint32_t left = PAGES; left > 0; left -= RECIPIENTS_PACKED_MAX) { /* so many in one go */
        assert_int_equal(r.loose_count, left);
        assert_false(recipients_changed(&r, &page, &text));
    }
    assert_int_equal(r.loose_count, 0);
    assert_ok(recipients_set(&r, 5 * RECIPIENTS_PAGE, RECIPIENT_FAILED));
    assert_int_equal(r.loose_count, 1);
    assert_int_equal(r.loose_from, 5);
    assert_true(recipients_changed(&r, &page, &text));
    assert_int_equal(page, 5);
    assert_false(recipients_changed(&r, &page, &text));
    assert_int_equal(r.loose_count, 0);
    assert_true(r.loose_from >= PAGES && r.changed_from >= PAGES);
    for (uint32_t p = 0; p < RECIPIENTS_PAGE; p++) /* one that came to be of one letter is packed */
        assert_ok(recipients_set(&r, 7 * RECIPIENTS_PAGE + p, RECIPIENT_SENT));
    size_t before = recipients_bytes(&r);
    given(&r);
    assert_true(recipients_bytes(&r) < before - RECIPIENTS_PAGE / 2);
    recipients_done(&r);
}
