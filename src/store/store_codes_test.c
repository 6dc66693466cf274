/* Discount codes in the store: put there, given, used, and what an erasure leaves. */
#include "store/store_fixture.h"

struct seen {
    struct store_code       code;
    struct store_code_order order;
    char                    text[64];
    int                     count;
};

static enum err see_code(void *ctx, const struct store_code *row)
{
    struct seen *seen = ctx;
    seen->code = *row;
    str_to_cstr(row->text, seen->text, sizeof seen->text);
    seen->count++;
    return OK;
}

static enum err see_order(void *ctx, const struct store_code_order *row)
{
    struct seen *seen = ctx;
    seen->order = *row;
    seen->count++;
    return OK;
}

enum { POOL = 3, FIXED = 4 };

/* Three codes of a pool, the first two given; a fixed one given once; an order of the first. */
static void shop(struct store *store)
{
    const struct store_code codes[] = {
        { .key = store_code_key(POOL, 1), .text = STR("A-1"), .fold = STR("a-1") },
        { .key = store_code_key(POOL, 2), .text = STR("A-2"), .fold = STR("a-2") },
        { .key = store_code_key(POOL, 3), .text = STR("A-3"), .fold = STR("a-3") },
    };
    const struct store_code given[] = {
        { .key = store_code_key(POOL, 1),
          .profile = 7,
          .message = 70,
          .given_ms = 5,
          .expires_ms = 9 },
        { .key = store_code_key(POOL, 2),
          .profile = 8,
          .message = 80,
          .given_ms = 6,
          .expires_ms = 9 },
        { .key = store_code_key(FIXED, 1), .text = STR("HI"), .profile = 7, .given_ms = 6 },
    };
    const struct store_code_order orders[] = {
        { store_code_key(POOL, 1), STR("881"), 7, 7 },
        { store_code_key(POOL, 1), STR("882"), 6, 8 },
    };
    assert_ok(store_commit(store, &(struct store_batch){ .codes = codes, .codes_count = 3 }));
    assert_ok(store_commit(
        store, &(struct store_batch){
                   .given = given, .given_count = 3, .orders = orders, .orders_count = 2 }));
}

TEST(store_codes, a_code_is_found_by_its_spelling_its_owner_and_its_number)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = fixture_open(&fixture, 0);
    struct store_reader               *reader;
    struct store_code                  code;
    struct store_codes_count           count;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .count = 0 };
    shop(store);
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_codes_named(reader, STR("a-1"), see_code, &seen));
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.text, "A-1");
    assert_true(seen.code.profile == 7 && seen.code.redeemed_ms == 6 && seen.code.orders == 2);
    assert_ok(store_codes_of(reader, 7, store_code_key(FIXED, 0), store_code_key(FIXED, 9),
                             see_code, &seen));
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.text, "HI");
    assert_ok(store_code_get(reader, arena, store_code_key(POOL, 3), &code));
    assert_true(str_eq(code.text, STR("A-3")) && code.given_ms == 0);
    assert_int_equal(store_code_get(reader, arena, store_code_key(POOL, 4), &code), ERR_ABSENT);
    assert_ok(
        store_codes_count(reader, store_code_key(POOL, 0), store_code_key(POOL, 9), 10, &count));
    assert_true(count.given == 2 && count.redeemed == 1 && count.expired == 1 && count.orders == 2);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store_codes, an_order_uses_a_code_once)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store        *store = fixture_open(&fixture, 0);
    struct store_reader *reader;
    struct seen          seen = { .count = 0 };
    shop(store);
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_code_orders(reader, store_code_key(POOL, 1), STR("881"), see_order, &seen));
    assert_int_equal(seen.count, 1);
    assert_ok(store_code_orders(reader, store_code_key(POOL, 1), STR("999"), see_order, &seen));
    assert_ok(store_code_orders(reader, store_code_key(POOL, 2), STR("881"), see_order, &seen));
    assert_int_equal(seen.count, 1);
    assert_ok(store_code_orders(reader, store_code_key(POOL, 1), STR_NONE, see_order, &seen));
    assert_int_equal(seen.count, 3);
    const struct store_code_order again = { store_code_key(POOL, 1), STR("881"), 9, 7 };
    assert_ok(store_commit(store, &(struct store_batch){ .orders = &again, .orders_count = 1 }));
    assert_ok(store_codes_named(reader, STR("a-1"), see_code, &seen));
    assert_int_equal(seen.code.orders, 2);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store_codes, what_the_erased_had_stays_spent_and_is_nobodys)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store        *store = fixture_open(&fixture, 0);
    struct store_reader *reader;
    struct seen          seen = { .count = 0 };
    const uint64_t       owners[] = { 7 };
    shop(store);
    assert_ok(store_erase(store, &(struct store_erasure){ .owners = owners, .owners_count = 1 }));
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_codes_named(reader, STR("a-1"), see_code, &seen));
    assert_true(seen.code.profile == 0 && seen.code.message == 0 && seen.code.given_ms == 5);
    assert_ok(store_codes_named(reader, STR("a-2"), see_code, &seen));
    assert_true(seen.code.profile == 8 && seen.code.message == 80);
    seen.count = 0;
    assert_ok(store_code_orders(reader, store_code_key(POOL, 1), STR_NONE, see_order, &seen));
    assert_int_equal(seen.count, 2); /* or an order that is told again would count again */
    assert_ok(store_code_orders(reader, store_code_key(POOL, 1), STR("881"), see_order, &seen));
    assert_true(seen.order.profile == 0);
    assert_ok(store_code_orders(reader, store_code_key(POOL, 1), STR("882"), see_order, &seen));
    assert_true(seen.order.profile == 8);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}
