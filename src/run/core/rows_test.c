#include "run/core/core_inside.h"

#include "base/test.h"

enum { KINDS_MAX = 256 };

static bool is_engine_kind(uint32_t kind)
{
    return !str_eq(str_of(decision_name((enum decision_kind)kind)), STR("decision"));
}

/* As DECISION_CONSENT is kept by its object, and a step by whether it waits. */
static struct decision decision_make(uint32_t kind, uint32_t object, int64_t due_ms)
{
    return (struct decision){ .id = 9,
                              .seq = 8,
                              .profile = 7,
                              .kind = (enum decision_kind)kind,
                              .subject = 3,
                              .object = object,
                              .other = 5,
                              .due_ms = due_ms };
}

TEST(rows, every_decision_comes_back_from_its_row_as_what_it_was)
{
    uint32_t kinds = 0;
    bool     taken[KINDS_MAX] = { 0 };
    for (uint32_t kind = 0; kind < KINDS_MAX; kind++) {
        if (!is_engine_kind(kind))
            continue;
        kinds++;
        for (uint32_t object = 0; object < 2; object++) {
            struct decision d = decision_make(kind, object, object == 0 ? TIME_NEVER : 1), back;
            struct store_decision row;
            decision_to_row(&d, &row);
            decision_of_row(&row, &back);
            assert_int_equal(back.kind, kind);
            assert_int_equal(back.profile, d.profile);
            assert_in_range(row.kind, 1, KINDS_MAX - 1);
            if (d.kind != DECISION_INTENT) { /* its node is in the detail */
                assert_int_equal(back.subject, d.subject);
                assert_int_equal(back.object, d.object);
            }
            assert_true(object == 1 || !taken[row.kind]);
            taken[row.kind] = true;
        }
    }
    assert_int_equal(kinds, 31);
}

TEST(rows, a_row_is_read_as_a_kind_that_is_written_as_it_or_as_none)
{
    uint32_t read = 0;
    for (uint32_t kind = 0; kind < KINDS_MAX; kind++) {
        struct store_decision row = { .profile = 1, .kind = kind }, again = { 0 };
        struct decision       d;
        decision_of_row(&row, &d);
        if (d.kind == DECISION_NONE)
            continue;
        read++;
        for (uint32_t object = 0; object < 4 && again.kind != kind; object++) {
            struct decision told = decision_make(d.kind, object, object == 0 ? TIME_NEVER : 1);
            decision_to_row(&told, &again);
        }
        assert_int_equal(again.kind, kind);
    }
    assert_int_equal(read, 35); /* with three more words of consent, and a step that waits */
}
