/* What a day and a month allow, over starts and over lists of ways. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"
#include "base/time.h"
#include "run/send/sender_inside.h"

enum { PATH_BYTES = 96 };
#define NOW_MS INT64_C(1772366400000) /* 2026-03-01 */

static const struct way_conf LOB = { .name = "lob", .plan = { .per_month = 3 } },
                             RELAY = { .name = "relay", .plan = { .per_day = 100 } },
                             CARDS = { .name = "my cards", .plan = { .per_month = 5 } },
                             FREE = { .name = "lob" };

/* A sender with these ways, that has read what was counted. */
static struct sender *house(const char *dir, const struct way_conf *const *ways, uint32_t count)
{
    struct sender *sender = calloc(1, sizeof *sender);
    struct problem problem;
    assert_non_null(sender);
    snprintf(sender->counts_dir, sizeof sender->counts_dir, "%s", dir);
    sender->ways_count = count;
    for (uint32_t i = 0; i < count; i++) {
        sender->slots[i] = (struct way){ .sender = sender, .number = i, .conf = ways[i] };
        sender->ways[i] = &sender->slots[i];
    }
    assert_ok(counts_read(sender, &problem));
    return sender;
}

/* How many of `most` go by it. */
static uint32_t go(struct sender *sender, uint32_t way, uint32_t most, int64_t now_ms)
{
    uint32_t count = 0;
    while (count < most && counts_has_one(sender->ways[way], now_ms) &&
           counts_take(sender->ways[way], now_ms))
        count++;
    return count;
}

static void folder_end(const char *dir)
{
    static const char *const files[] = { "ways-today", "ways-month" };
    char                     path[PATH_BYTES];
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    rmdir(dir);
}

TEST(sender_counts, a_way_put_back_within_its_month_goes_on_where_it_was)
{
    char                         dir[] = "/tmp/dult-counts-XXXXXX";
    const struct way_conf *const both[] = { &LOB, &RELAY }, *const other[] = { &RELAY, &CARDS },
                                 *const unbound[] = { &FREE, &CARDS };
    assert_non_null(mkdtemp(dir));
    struct sender *sender = house(dir, both, 2);
    assert_int_equal(go(sender, 0, 2, NOW_MS), 2);
    free(sender);

    sender = house(dir, other, 2); /* lob is not told; others count in the same file */
    assert_int_equal(go(sender, 1, 2, NOW_MS), 2);
    assert_int_equal(go(sender, 0, 7, NOW_MS), 7);
    free(sender);

    sender = house(dir, unbound, 2); /* told without a bound */
    assert_int_equal(go(sender, 0, 10, NOW_MS), 10);
    assert_int_equal(go(sender, 1, 1, NOW_MS), 1);
    free(sender);

    sender = house(dir, both, 2);
    assert_int_equal(go(sender, 0, 9, NOW_MS), 1);
    assert_int_equal(counts_today(sender->ways[1], NOW_MS), 10); /* ahead: two parts of five */
    free(sender);

    sender = house(dir, both, 2); /* the next month is a new one, and the old lines go with it */
    assert_int_equal(go(sender, 0, 9, NOW_MS + 40 * TIME_DAY_MS), 3);
    free(sender);
    sender = house(dir, other, 2);
    assert_int_equal(go(sender, 1, 9, NOW_MS + 40 * TIME_DAY_MS), 5);
    free(sender);
    folder_end(dir);
}
