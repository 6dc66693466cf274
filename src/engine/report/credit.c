#include "engine/report/credit.h"

#include "engine/vec.h"

static const char *const MODELS[CREDIT_MODELS] = { "last", "first", "linear" };
static const char *const TOUCHES[CREDIT_TOUCHES] = { "clicked", "opened", "received" };

enum credit_model credit_model_of(struct str word)
{
    int model = 0;
    while (model < CREDIT_MODELS && !str_eq(word, str_of(MODELS[model])))
        model++;
    return (enum credit_model)model;
}

const char *credit_model_word(enum credit_model model)
{
    return MODELS[model];
}

const char *credit_touch_word(enum credit_touch touch)
{
    return TOUCHES[touch];
}

void credit_done(struct credit *credit)
{
    VEC_DONE(credit);
}

static bool is_too_late(const struct letter_touch *touch, int64_t at_ms, uint32_t seq)
{
    return touch->at_ms > at_ms || (touch->at_ms == at_ms && touch->seq >= seq);
}

/* How many touches there were before the order. */
static uint32_t before(const struct letters *letters, int64_t at_ms, uint32_t seq)
{
    uint32_t low = 0, high = letters->touches.count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_too_late(&letters->touches.items[middle], at_ms, seq))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static bool is_of(const struct letters *letters, const struct letter_touch *touch,
                  enum credit_touch kind)
{
    static const enum letter_came came[CREDIT_TOUCHES] = { LETTER_CLICKED, LETTER_OPENED,
                                                           LETTER_SENT };
    return touch->kind == came[kind] &&
           (kind != CREDIT_RECEIVED || letter_is_delivered(&letters->all.items[touch->letter]));
}

/* Of one kind of touch, from the newest within the window to the oldest; then turned about. */
static enum err kind_find(const struct credit_rule *rule, struct letters *letters, int64_t at_ms,
                          uint32_t count, enum credit_touch kind, struct credit *out)
{
    for (uint32_t i = 0; i < letters->all.count; i++)
        letters->all.items[i].mark = 0;
    for (uint32_t i = count; i > 0; i--) {
        const struct letter_touch *touch = &letters->touches.items[i - 1];
        if (at_ms - touch->at_ms > rule->within_ms[kind])
            break;
        if (!is_of(letters, touch, kind))
            continue;
        if (rule->model == CREDIT_FIRST)
            out->count = 0; /* an older one is the first */
        else if (letters->all.items[touch->letter].mark++ > 0)
            continue;
        TRY(VEC_ADD(out, touch->letter));
        if (rule->model == CREDIT_LAST)
            break;
    }
    for (uint32_t i = 0; i < out->count / 2; i++) {
        uint32_t last = out->items[out->count - 1 - i];
        out->items[out->count - 1 - i] = out->items[i];
        out->items[i] = last;
    }
    return OK;
}

enum err credit_find(const struct credit_rule *rule, struct letters *letters, int64_t at_ms,
                     uint32_t seq, struct credit *out)
{
    uint32_t count = before(letters, at_ms, seq);
    out->count = 0;
    for (int kind = 0; kind < CREDIT_TOUCHES && out->count == 0; kind++)
        if (rule->within_ms[kind] > 0)
            TRY(kind_find(rule, letters, at_ms, count, (enum credit_touch)kind, out));
    return OK;
}

int64_t credit_part(int64_t money, uint32_t i, uint32_t count)
{
    return money / count + (i < (uint32_t)(money % count) ? 1 : 0);
}
