/*
 * metrics: numbers for the operator's own dashboard, in Prometheus's text form.
 *
 * Registered once at the start, counted without a lock from any thread, written when asked. A
 * histogram has fixed bounds and costs two atomic additions an observation.
 *
 *     requests = metrics_counter(metrics, "dult_requests_total", "Requests answered.",
 *                                "status=\"2xx\"");
 *     metrics_add(requests, 1);
 *
 * Always true   registering ends before counting begins; a metric lives as long as its registry.
 * Not           labels made of what strangers send: the number of series is fixed at the start.
 */
#ifndef DULT_SERVER_METRICS_H
#define DULT_SERVER_METRICS_H

#include "base/buf.h"

enum {
    METRICS_MAX = 512,
    METRICS_BUCKETS_MAX = 20,
};

struct metrics;
struct metric;

struct metrics *metrics_open(void); /* NULL without memory */
void            metrics_close(struct metrics *metrics);

/*
 * Names, help and labels are borrowed for good (literals). `labels` may be NULL. Series of one
 * name stand together when they are registered one after the other. NULL when METRICS_MAX is
 * reached; all calls below take NULL as nothing.
 */
struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               const char *labels);
struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             const char *labels);
/* `bounds` rise; their unit is the metric's, `scale` what one unit of it is in the text
 * (bounds in us, scale 1e-6: written in seconds). */
struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help,
                                 const char *labels, const int64_t *bounds, size_t bounds_count,
                                 double scale);
/* A gauge that is asked for its value when the text is written. */
struct metric *metrics_ask(struct metrics *metrics, const char *name, const char *help,
                           const char *labels, bool is_counter, double (*ask)(void *context),
                           void *context);

void    metrics_add(struct metric *metric, int64_t by);        /* counter or gauge */
void    metrics_set(struct metric *metric, int64_t value);     /* gauge */
void    metrics_observe(struct metric *metric, int64_t value); /* histogram */
int64_t metrics_value(const struct metric *metric);            /* a histogram's count */

/* The whole text, content type METRICS_TYPE. */
void metrics_write(struct metrics *metrics, struct buf *out);
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

#endif
