#include "run/api/results_write.h"

#include "run/api/figures.h"

void results_count_write(struct buf *out, bool *first, const struct results_count *count)
{
    bool inner = true;
    write_int(out, first, "tried", (int64_t)count->tried);
    write_int(out, first, "sent", (int64_t)count->sent);
    write_int(out, first, "delivered", (int64_t)count->delivered);
    write_int(out, first, "confirmed", (int64_t)count->confirmed);
    json_write_key(out, first, "bounced");
    buf_char(out, '{');
    write_int(out, &inner, "hard", (int64_t)count->hard);
    write_int(out, &inner, "soft", (int64_t)count->soft);
    buf_char(out, '}');
    write_int(out, first, "failed", (int64_t)count->failed);
    write_int(out, first, "opened", (int64_t)count->opened);
    write_int(out, first, "clicked", (int64_t)count->clicked);
    inner = true;
    json_write_key(out, first, "machine");
    buf_char(out, '{');
    write_int(out, &inner, "opened", (int64_t)count->opened_machine);
    write_int(out, &inner, "clicked", (int64_t)count->clicked_machine);
    buf_char(out, '}');
    write_int(out, first, "complained", (int64_t)count->complained);
    write_int(out, first, "unsubscribed", (int64_t)count->unsubscribed);
    write_int(out, first, "replied", (int64_t)count->replied);
}

void results_rates_write(struct buf *out, bool *first, const struct results_count *count)
{
    bool inner = true;
    json_write_key(out, first, "rates");
    buf_char(out, '{');
    figures_rate_write(out, &inner, "delivered", count->tried, count->delivered);
    figures_rate_write(out, &inner, "opened", count->delivered, count->opened);
    figures_rate_write(out, &inner, "clicked", count->delivered, count->clicked);
    figures_rate_write(out, &inner, "complained", count->delivered, count->complained);
    figures_rate_write(out, &inner, "unsubscribed", count->delivered, count->unsubscribed);
    buf_char(out, '}');
}
