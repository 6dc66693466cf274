/*
 * credit: which of a person's messages an order is put to.
 *
 *      clicked ----------------- 5 days ------------->|
 *                          opened ------- 1 day ----->| order
 *                          received ----- 1 day ----->|
 *
 * The strongest touch decides: messages that a person clicked within the window before the order;
 * where there is none, those that they opened; else those that went and did not come back. Of these
 *
 *      last      the one touched last
 *      first     the one touched first
 *      linear    all of them, in equal parts
 *
 * A machine's opens and clicks touch nobody. A touch of the same record as the order, or after it,
 * came too late.
 */
#ifndef DULT_ENGINE_REPORT_CREDIT_H
#define DULT_ENGINE_REPORT_CREDIT_H

#include "engine/report/letters.h"

enum credit_model { CREDIT_LAST, CREDIT_FIRST, CREDIT_LINEAR, CREDIT_MODELS };
enum credit_touch { CREDIT_CLICKED, CREDIT_OPENED, CREDIT_RECEIVED, CREDIT_TOUCHES };

struct credit_rule {
    enum credit_model model;
    int64_t           within_ms[CREDIT_TOUCHES]; /* 0: such a touch never counts */
};

/* "last", "first", "linear"; CREDIT_MODELS for none. "clicked", "opened", "received". */
enum credit_model credit_model_of(struct str word);
const char       *credit_model_word(enum credit_model model);
const char       *credit_touch_word(enum credit_touch touch);

/* The letters that share an order: their numbers, each once, in the order they were touched. */
struct credit {
    uint32_t *items;
    uint32_t  count, room;
};

void credit_done(struct credit *credit);
/* Of an order told by that record. Uses the letters' marks. ERR_MEMORY. */
MUST enum err credit_find(const struct credit_rule *rule, struct letters *letters, int64_t at_ms,
                          uint32_t seq, struct credit *out);
/* Part i of so much: the parts add up to it exactly. */
int64_t credit_part(int64_t money, uint32_t i, uint32_t count);

#endif
