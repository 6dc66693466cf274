#include "engine/report/results_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/vec.h"

static const char *const BYS[RESULTS_BYS] = { "message", "node", "variant", "journey",
                                              "broadcast" };
#define OTHER ((struct results_key){ .of = RESULTS_BYS, .whole = STR("(other)") })

enum results_by results_by_of(struct str word)
{
    int by = 0;
    while (by < RESULTS_BYS && !str_eq(word, str_of(BYS[by])))
        by++;
    return (enum results_by)by;
}

const char *results_by_word(enum results_by by)
{
    return BYS[by];
}

/* ---- rows ---- */

struct results results_make(void)
{
    return (struct results){ .places = map_make() };
}

void results_done(struct results *results)
{
    map_done(&results->places);
    VEC_DONE(&results->rows);
}

static uint64_t hash_of(const struct results_key *key)
{
    uint64_t hash = hash_str(key->whole, (uint64_t)key->of + 1);
    return hash_str(key->variant, hash_str(key->node, hash));
}

static bool key_is(const void *owner, uint32_t value, const void *wanted)
{
    const struct results     *results = owner;
    const struct results_key *have = &results->rows.items[value].key, *key = wanted;
    return have->of == key->of && str_eq(have->whole, key->whole) &&
           str_eq(have->node, key->node) && str_eq(have->variant, key->variant);
}

enum err results_row(struct results *results, const struct results_key *key, uint32_t *row)
{
    *row = map_find(&results->places, hash_of(key), key_is, results, key);
    if (*row != MAP_NONE)
        return OK;
    const struct results_key other = OTHER;
    if (results->rows.count + 1 >= RESULTS_ROWS_MAX && !(key->of == other.of))
        return results_row(results, &other, row);
    TRY(VEC_ADD(&results->rows, (struct results_row){ .key = *key }));
    *row = results->rows.count - 1;
    return map_add(&results->places, hash_of(key), *row);
}

const struct results_row *results_find(const struct results *results, const struct results_key *key)
{
    uint32_t row = map_find(&results->places, hash_of(key), key_is, results, key);
    return row == MAP_NONE ? NULL : &results->rows.items[row];
}

static int by_name(const void *a, const void *b)
{
    const struct results_key *x = &((const struct results_row *)a)->key;
    const struct results_key *y = &((const struct results_row *)b)->key;
    if (x->of != y->of)
        return x->of < y->of ? -1 : 1;
    int order = str_cmp(x->whole, y->whole);
    order = order == 0 ? str_cmp(x->node, y->node) : order;
    return order == 0 ? str_cmp(x->variant, y->variant) : order;
}

/* The places are of no use afterwards. */
void results_sort(struct results *results)
{
    map_done(&results->places);
    results->places = map_make();
    if (results->rows.count > 1)
        qsort(results->rows.items, results->rows.count, sizeof results->rows.items[0], by_name);
}

/* ---- counted ---- */

void results_letter_count(struct results_count *count, const struct letter *letter)
{
    bool is_delivered = letter_is_delivered(letter);
    count->tried++;
    count->sent += letter_is(letter, LETTER_SENT);
    count->delivered += is_delivered;
    count->confirmed += is_delivered && letter_is(letter, LETTER_CONFIRMED);
    count->hard += letter_is(letter, LETTER_HARD);
    count->soft += letter_is(letter, LETTER_SOFT) && !letter_is(letter, LETTER_HARD);
    count->failed += letter_is(letter, LETTER_FAILED);
    count->opened += letter_is(letter, LETTER_OPENED);
    count->clicked += letter_is(letter, LETTER_CLICKED);
    count->opened_machine += letter_is(letter, LETTER_OPENED_MACHINE);
    count->clicked_machine += letter_is(letter, LETTER_CLICKED_MACHINE);
    count->complained += letter_is(letter, LETTER_COMPLAINED);
    count->unsubscribed += letter_is(letter, LETTER_UNSUBSCRIBED);
    count->replied += letter_is(letter, LETTER_REPLIED);
}

static void count_add(struct results_count *into, const struct results_count *from)
{
    into->tried += from->tried;
    into->sent += from->sent;
    into->delivered += from->delivered;
    into->confirmed += from->confirmed;
    into->hard += from->hard;
    into->soft += from->soft;
    into->failed += from->failed;
    into->opened += from->opened;
    into->clicked += from->clicked;
    into->opened_machine += from->opened_machine;
    into->clicked_machine += from->clicked_machine;
    into->complained += from->complained;
    into->unsubscribed += from->unsubscribed;
    into->replied += from->replied;
}

static void worth_sum(struct results_worth *into, const struct results_worth *from)
{
    into->orders += from->orders;
    into->people += from->people;
    into->revenue = money_add(into->revenue, from->revenue);
    into->squares += from->squares;
}

void results_missing_add(struct results *out, const struct orders_missing *one)
{
    uint32_t i = 0;
    while (i < out->missing_count &&
           memcmp(out->missing[i].currency, one->currency, sizeof one->currency) != 0)
        i++;
    if (i == ORDERS_MISSING_MAX)
        i--;
    if (i == out->missing_count) {
        out->missing[out->missing_count++] = *one;
        if (i == ORDERS_MISSING_MAX - 1)
            memset(out->missing[i].currency, 0, sizeof one->currency);
        return;
    }
    out->missing[i].orders += one->orders;
    out->missing[i].amount = money_add(out->missing[i].amount, one->amount);
    if (one->first_ms < out->missing[i].first_ms)
        out->missing[i].first_ms = one->first_ms;
}

enum err results_add(struct results *into, const struct results *from)
{
    count_add(&into->all, &from->all);
    worth_sum(&into->total, &from->total);
    worth_sum(&into->put, &from->put);
    worth_sum(&into->without, &from->without);
    into->returned = money_add(into->returned, from->returned);
    into->untold += from->untold;
    into->strays += from->strays;
    into->unreadable += from->unreadable;
    for (uint32_t i = 0; i < from->missing_count; i++)
        results_missing_add(into, &from->missing[i]);
    for (uint32_t i = 0; i < from->rows.count; i++) {
        uint32_t row;
        TRY(results_row(into, &from->rows.items[i].key, &row));
        count_add(&into->rows.items[row].count, &from->rows.items[i].count);
        worth_sum(&into->rows.items[row].worth, &from->rows.items[i].worth);
    }
    return OK;
}

/* ---- whose a message is ---- */

int results_arm_cmp(const void *a, const void *b)
{
    const struct results_arm *x = a, *y = b;
    int                       order = str_cmp(x->broadcast, y->broadcast);
    return order == 0 ? str_cmp(x->template, y->template) : order;
}

const struct results_arm *results_arm_of(const struct results_arm *arms, uint32_t count,
                                         struct str broadcast, struct str template)
{
    struct results_arm wanted = { .broadcast = broadcast, .template = template };
    if (count == 0 || str_is_empty(broadcast))
        return NULL;
    return bsearch(&wanted, arms, count, sizeof arms[0], results_arm_cmp);
}
