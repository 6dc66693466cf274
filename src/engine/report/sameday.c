#include "engine/report/sameday.h"

#include <stdlib.h>

#include "base/zone.h"
#include "engine/behaviour/view.h"
#include "engine/vec.h"

struct wrote {
    int64_t  day;
    uint32_t journey;
};

struct walk {
    const struct sameday_question *question;
    struct letters                 letters;
    uint32_t                      *last; /* by pair: whom it counted last, plus 1 */
    struct sameday_pair           *pairs;
    struct {
        struct wrote *items;
        uint32_t      count, room;
    } wrote;
};

static uint32_t journey_of(const struct sameday_question *q, struct str name)
{
    uint32_t from = 0, to = q->count;
    while (from < to) {
        uint32_t middle = from + (to - from) / 2;
        int      order = str_cmp(q->journeys[middle], name);
        if (order == 0)
            return middle;
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return UINT32_MAX;
}

static int by_day(const void *a, const void *b)
{
    const struct wrote *x = a, *y = b;
    if (x->day != y->day)
        return x->day < y->day ? -1 : 1;
    return x->journey < y->journey ? -1 : x->journey > y->journey;
}

/* The days and journeys of one person, in order, each once. */
static enum err gather(struct walk *walk, uint32_t root)
{
    const struct sameday_question *q = walk->question;
    uint32_t                       kept = 0;
    walk->wrote.count = 0;
    TRY(letters_read(&walk->letters, root));
    for (uint32_t i = 0; i < walk->letters.all.count; i++) {
        const struct letter *letter = &walk->letters.all.items[i];
        if (!letter_is(letter, LETTER_SENT) || letter->journey.len == 0 ||
            letter->sent_ms < q->from_ms || letter->sent_ms >= q->to_ms)
            continue;
        uint32_t journey = journey_of(q, letter->journey);
        int64_t  day = zone_day_of(walk->letters.report->zone, letter->sent_ms);
        if (journey != UINT32_MAX)
            TRY(VEC_ADD(&walk->wrote, (struct wrote){ day, journey }));
    }
    if (walk->wrote.count > 1)
        qsort(walk->wrote.items, walk->wrote.count, sizeof walk->wrote.items[0], by_day);
    for (uint32_t i = 0; i < walk->wrote.count; i++)
        if (i == 0 || by_day(&walk->wrote.items[i], &walk->wrote.items[kept - 1]) != 0)
            walk->wrote.items[kept++] = walk->wrote.items[i];
    walk->wrote.count = kept;
    return OK;
}

static void pairs_count(struct walk *walk, uint32_t root)
{
    const struct wrote *wrote = walk->wrote.items;
    for (uint32_t b = 1; b < walk->wrote.count; b++)
        for (uint32_t a = b; a-- > 0 && wrote[a].day == wrote[b].day;) {
            uint32_t at = wrote[a].journey * walk->question->count + wrote[b].journey;
            walk->pairs[at].days++;
            walk->pairs[at].people += walk->last[at] != root + 1;
            walk->last[at] = root + 1;
        }
}

enum err sameday_run(const struct report *report, const struct sameday_question *question,
                     struct report_range range, struct sameday_pair *pairs)
{
    size_t      count = (size_t)question->count * question->count;
    struct walk walk = { .question = question,
                         .letters = { .report = report, .keys = question->keys },
                         .last = calloc(count + 1, sizeof(uint32_t)),
                         .pairs = pairs };
    enum err    err = walk.last == NULL ? ERR_MEMORY : OK;
    for (uint32_t p = range.from; p < range.to && err == OK; p++) {
        if (report->view->root[p] != p || (report->among != NULL && !report_bit(report->among, p)))
            continue;
        err = gather(&walk, p);
        if (err == OK)
            pairs_count(&walk, p);
    }
    letters_done(&walk.letters);
    VEC_DONE(&walk.wrote);
    free(walk.last);
    return err;
}

void sameday_add(const struct sameday_question *question, struct sameday_pair *into,
                 const struct sameday_pair *from)
{
    size_t count = (size_t)question->count * question->count;
    for (size_t i = 0; i < count; i++) {
        into[i].people += from[i].people;
        into[i].days += from[i].days;
    }
}
