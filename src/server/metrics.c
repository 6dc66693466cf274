#include "server/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum kind { COUNTER, GAUGE, HISTOGRAM, ASKED_COUNTER, ASKED_GAUGE };

struct metric {
    enum kind       kind;
    const char     *name, *help, *labels;
    _Atomic int64_t value; /* a histogram's sum */
    double (*ask)(void *);
    void           *context;
    double          scale;
    size_t          bounds_count;
    int64_t         bounds[METRICS_BUCKETS_MAX];
    _Atomic int64_t buckets[METRICS_BUCKETS_MAX + 1];
};

struct metrics {
    pthread_mutex_t lock; /* for registering only */
    size_t          count;
    struct metric   all[METRICS_MAX];
};

struct metrics *metrics_open(void)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics != NULL)
        pthread_mutex_init(&metrics->lock, NULL);
    return metrics;
}

void metrics_close(struct metrics *metrics)
{
    if (metrics == NULL)
        return;
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

static struct metric *add(struct metrics *metrics, enum kind kind, const char *name,
                          const char *help, const char *labels)
{
    struct metric *metric = NULL;
    pthread_mutex_lock(&metrics->lock);
    if (metrics->count < METRICS_MAX) {
        metric = &metrics->all[metrics->count++];
        metric->kind = kind;
        metric->name = name;
        metric->help = help;
        metric->labels = labels;
    }
    pthread_mutex_unlock(&metrics->lock);
    return metric;
}

struct metric *metrics_counter(struct metrics *metrics, const char *name, const char *help,
                               const char *labels)
{
    return add(metrics, COUNTER, name, help, labels);
}

struct metric *metrics_gauge(struct metrics *metrics, const char *name, const char *help,
                             const char *labels)
{
    return add(metrics, GAUGE, name, help, labels);
}

struct metric *metrics_histogram(struct metrics *metrics, const char *name, const char *help,
                                 const char *labels, const int64_t *bounds, size_t bounds_count,
                                 double scale)
{
    struct metric *metric = add(metrics, HISTOGRAM, name, help, labels);
    assert(bounds_count <= METRICS_BUCKETS_MAX);
    if (metric == NULL)
        return NULL;
    for (size_t i = 1; i < bounds_count; i++)
        assert(bounds[i - 1] < bounds[i]);
    memcpy(metric->bounds, bounds, bounds_count * sizeof bounds[0]);
    metric->bounds_count = bounds_count;
    metric->scale = scale;
    return metric;
}

struct metric *metrics_ask(struct metrics *metrics, const char *name, const char *help,
                           const char *labels, bool is_counter, double (*ask)(void *context),
                           void *context)
{
    struct metric *metric =
        add(metrics, is_counter ? ASKED_COUNTER : ASKED_GAUGE, name, help, labels);
    if (metric == NULL)
        return NULL;
    metric->ask = ask;
    metric->context = context;
    return metric;
}

void metrics_add(struct metric *metric, int64_t by)
{
    if (metric == NULL)
        return;
    assert(metric->kind == GAUGE || (metric->kind == COUNTER && by >= 0));
    atomic_fetch_add_explicit(&metric->value, by, memory_order_relaxed);
}

void metrics_set(struct metric *metric, int64_t value)
{
    if (metric == NULL)
        return;
    assert(metric->kind == GAUGE);
    atomic_store_explicit(&metric->value, value, memory_order_relaxed);
}

void metrics_observe(struct metric *metric, int64_t value)
{
    size_t at = 0;
    if (metric == NULL)
        return;
    assert(metric->kind == HISTOGRAM);
    while (at < metric->bounds_count && value > metric->bounds[at])
        at++;
    atomic_fetch_add_explicit(&metric->buckets[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&metric->value, value, memory_order_relaxed);
}

int64_t metrics_value(const struct metric *metric)
{
    int64_t sum = 0;
    if (metric == NULL)
        return 0;
    if (metric->kind != HISTOGRAM)
        return atomic_load_explicit(&metric->value, memory_order_relaxed);
    for (size_t i = 0; i <= metric->bounds_count; i++)
        sum += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
    return sum;
}

/* ---- text ---- */

static void write_series(struct buf *out, const struct metric *metric, const char *suffix)
{
    buf_format(out, "%s%s", metric->name, suffix);
    if (metric->labels != NULL)
        buf_format(out, "{%s}", metric->labels);
    buf_char(out, ' ');
}

static void write_histogram(struct buf *out, const struct metric *metric)
{
    const char *labels = metric->labels == NULL ? "" : metric->labels;
    const char *comma = metric->labels == NULL ? "" : ",";
    int64_t     sum = 0;
    for (size_t i = 0; i <= metric->bounds_count; i++) {
        sum += atomic_load_explicit(&metric->buckets[i], memory_order_relaxed);
        buf_format(out, "%s_bucket{%s%sle=\"", metric->name, labels, comma);
        if (i < metric->bounds_count)
            buf_format(out, "%g", (double)metric->bounds[i] * metric->scale);
        else
            buf_str(out, STR("+Inf"));
        buf_format(out, "\"} %lld\n", (long long)sum);
    }
    write_series(out, metric, "_sum");
    buf_format(out, "%.17g\n",
               (double)atomic_load_explicit(&metric->value, memory_order_relaxed) * metric->scale);
    write_series(out, metric, "_count");
    buf_format(out, "%lld\n", (long long)sum);
}

static void write_head(struct buf *out, const struct metric *metric)
{
    static const char *const kinds[] = { "counter", "gauge", "histogram", "counter", "gauge" };
    buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
               kinds[metric->kind]);
}

void metrics_write(struct metrics *metrics, struct buf *out)
{
    pthread_mutex_lock(&metrics->lock);
    size_t count = metrics->count;
    pthread_mutex_unlock(&metrics->lock);
    for (size_t i = 0; i < count; i++) {
        const struct metric *metric = &metrics->all[i];
        if (i == 0 || strcmp(metrics->all[i - 1].name, metric->name) != 0)
            write_head(out, metric);
        if (metric->kind == HISTOGRAM) {
            write_histogram(out, metric);
            continue;
        }
        write_series(out, metric, "");
        if (metric->ask != NULL)
            buf_format(out, "%.17g\n", metric->ask(metric->context));
        else
            buf_format(out, "%lld\n", (long long)metrics_value(metric));
    }
}
