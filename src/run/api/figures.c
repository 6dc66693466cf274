#include "run/api/figures.h"

struct odds_count figures_count(uint64_t of, uint64_t successes)
{
    const uint64_t most = UINT64_C(1) << 30;
    of = of < most ? of : most;
    return (struct odds_count){ of, successes < of ? successes : of };
}

void figure_write(struct buf *out, bool *first, const char *key, double value)
{
    json_write_key(out, first, key);
    json_write_real(out, value);
}

void figures_write(struct buf *out, bool *first, const char *key, struct odds_range range)
{
    bool inner = true;
    json_write_key(out, first, key);
    buf_char(out, '{');
    figure_write(out, &inner, "low", range.low);
    figure_write(out, &inner, "middle", range.middle);
    figure_write(out, &inner, "high", range.high);
    buf_char(out, '}');
}

void figures_rate_write(struct buf *out, bool *first, const char *key, uint64_t of,
                        uint64_t successes)
{
    if (of > 0)
        figures_write(out, first, key, odds_of(figures_count(of, successes), FIGURES_SURE));
}
