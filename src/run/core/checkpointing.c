#include "run/core/checkpointing.h"

enum {
    CLOSING_PART = 16, /* of the records between two rounds that are worth one at the end */
    IDLE_PART = 4,     /* ... and when nobody waits */
    ROUND_PART = 2,    /* ... during which a round is written */
};

static uint64_t every(const struct checkpointing *checkpointing)
{
    if (checkpointing->every > 0)
        return checkpointing->every;
    return checkpointing->people > CHECKPOINTING_RECORDS_MIN ? checkpointing->people
                                                             : CHECKPOINTING_RECORDS_MIN;
}

bool checkpointing_is_due(const struct checkpointing *checkpointing)
{
    uint64_t part = checkpointing->is_closing ? CLOSING_PART
                    : checkpointing->is_idle  ? IDLE_PART
                                              : 1;
    return checkpointing->is_wanted || checkpointing->since >= every(checkpointing) / part;
}

uint32_t checkpointing_rows(const struct checkpointing *checkpointing)
{
    if (checkpointing->is_closing)
        return CHECKPOINTING_ROWS_CLOSING;
    if (checkpointing->is_idle)
        return CHECKPOINTING_ROWS_IDLE;
    uint64_t rows =
        checkpointing->fresh * ROUND_PART * checkpointing->people / every(checkpointing) + 1;
    return rows < UINT32_MAX ? (uint32_t)rows : UINT32_MAX;
}
