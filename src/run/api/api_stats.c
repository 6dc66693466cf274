/* Is it well, how much is there, and who was turned away? */
#include "run/api/api_codes.h"

#include <stdio.h>

#include "base/time.h"
#include "engine/segment/segment.h"
#include "run/send/sender.h"

extern const char dult_openapi[], dult_openapi_end[];
__asm__(".section .rodata\n"
        ".global dult_openapi\ndult_openapi:\n"
        ".incbin \"" DULT_OPENAPI "\"\n"
        ".global dult_openapi_end\ndult_openapi_end:\n"
        ".byte 0\n"
        ".previous\n");

enum err openapi_show(struct call *call)
{
    buf_str(&call->out, (struct str){ dult_openapi, (size_t)(dult_openapi_end - dult_openapi) });
    return OK;
}

enum err segment_schema_show(struct call *call)
{
    buf_str(&call->out, segment_schema());
    return OK;
}

enum err health_show(struct call *call)
{
    struct core_stats stats = core_stats(call->api->conf.core);
    call->status = stats.failing ? 503 : 200;
    buf_format(&call->out, "{\"status\":\"%s\",\"version\":\"%s\",\"seq\":%llu}",
               stats.failing ? "commits fail" : "ok", DULT_VERSION, (unsigned long long)stats.seq);
    return OK;
}

/* ---- stats ---- */

static bool engine_ask_stats(struct engine *engine, struct task *task)
{
    *(struct engine_stats *)task->context = engine_stats(engine);
    return true;
}

static void core_write(struct buf *out, bool *first, const struct core_stats *stats)
{
    write_int(out, first, "seq", (int64_t)stats->seq);
    write_int(out, first, "records", (int64_t)stats->records);
    write_int(out, first, "duplicates", (int64_t)stats->duplicates);
    write_int(out, first, "refusedRecords", (int64_t)stats->refused);
    write_int(out, first, "waiting", (int64_t)stats->waiting);
    write_int(out, first, "commits", (int64_t)stats->commits);
    write_int(out, first, "commitFailures", (int64_t)stats->commit_failures);
    write_int(out, first, "merges", (int64_t)stats->merges);
    write_int(out, first, "checkpoints", (int64_t)stats->checkpoints);
    write_int(out, first, "loadMs", (int64_t)stats->load_ms);
}

static void way_write(struct buf *out, const struct way_stats *way)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "name", str_of(way->name));
    write_text(out, &first, "channel", channel_name(way->for_channel));
    json_write_key(out, &first, "open");
    buf_str(out, way->is_open ? STR("true") : STR("false"));
    if (way->opens_ms > 0)
        write_time(out, &first, "opens", way->opens_ms);
    write_int(out, &first, "sent", (int64_t)way->sent);
    write_int(out, &first, "passedOn", (int64_t)way->passed_on);
    write_int(out, &first, "inFlight", way->in_flight);
    write_int(out, &first, "waiting", way->waiting);
    write_int(out, &first, "connections", way->channel.connections);
    if (way->today_most < UINT32_MAX) {
        write_int(out, &first, "today", way->today);
        write_int(out, &first, "todayMost", way->today_most);
    }
    if (way->month_most > 0) {
        write_int(out, &first, "month", way->month);
        write_int(out, &first, "monthMost", way->month_most);
    }
    if (way->error_ms > 0) {
        write_text(out, &first, "error", str_of(way->error));
        write_time(out, &first, "errorAt", way->error_ms);
    }
    buf_char(out, '}');
}

/* How each way out is, in order. */
static void ways_write(struct buf *out, struct sender *sender)
{
    struct way_stats ways[WAYS_MAX];
    uint32_t         count = sender == NULL ? 0 : sender_ways(sender, ways);
    buf_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(out, ',');
        way_write(out, &ways[i]);
    }
    buf_char(out, ']');
}

enum err stats_show(struct call *call)
{
    struct engine_stats   engine;
    struct core_stats     core = core_stats(call->api->conf.core);
    struct message_counts messages;
    bool                  first = true;
    struct buf           *out = &call->out;
    TRY(call_ask(call, engine_ask_stats, &engine));
    TRY(tally_count(call, &messages));
    buf_char(out, '{');
    write_text(out, &first, "version", STR(DULT_VERSION));
    write_time(out, &first, "started", call->api->opened_ms);
    write_int(out, &first, "profiles", (int64_t)engine.profiles);
    write_int(out, &first, "events", (int64_t)engine.events);
    write_int(out, &first, "decisions", (int64_t)engine.decisions);
    write_int(out, &first, "timers", (int64_t)engine.timers);
    write_int(out, &first, "membershipsChanged", (int64_t)engine.memberships_changed);
    write_int(out, &first, "enrolled", (int64_t)engine.enrolled);
    write_int(out, &first, "parked", (int64_t)engine.parked);
    write_int(out, &first, "segmentsBeingApplied", (int64_t)engine.jobs_left);
    json_write_key(out, &first, "messages");
    message_counts_write(out, &messages);
    json_write_key(out, &first, "sending");
    TRY(sending_write(call, out));
    json_write_key(out, &first, "codes");
    TRY(codes_alerts_write(call, out));
    core_write(out, &first, &core);
    json_write_key(out, &first, "ways");
    ways_write(out, call->api->sender);
    if (call->api->conf.refused != NULL)
        write_int(out, &first, "requestsRefused", (int64_t)refused_count(call->api->conf.refused));
    buf_char(out, '}');
    return OK;
}

/* ---- rejected and refused ---- */

struct rejected_page {
    struct buf *out;
    uint64_t    below;
    uint32_t    limit, written;
    uint64_t    last;
    bool        more;
};

static enum err rejected_each(void *ctx, const struct store_rejected *row)
{
    struct rejected_page *page = ctx;
    bool                  first = true;
    if (row->id >= page->below)
        return OK;
    if (page->written == page->limit) {
        page->more = true;
        return OK;
    }
    page->last = row->id;
    buf_str(page->out, page->written++ == 0 ? STR("{") : STR(",{"));
    write_int(page->out, &first, "id", (int64_t)row->id);
    write_time(page->out, &first, "received", row->received_ms);
    write_int(page->out, &first, "source", row->source);
    write_text(page->out, &first, "messageId", row->message_id);
    write_text(page->out, &first, "field", row->field);
    write_text(page->out, &first, "reason", row->reason);
    write_text(page->out, &first, "remedy", row->remedy);
    write_text(page->out, &first, "body", row->body);
    buf_char(page->out, '}');
    return OK;
}

enum err rejected_list(struct call *call)
{
    struct rejected_page page = { .out = &call->out };
    struct str           text = call_query(call, "cursor");
    int64_t              below = INT64_MAX;
    char                 cursor[24] = "";
    TRY(call_limit(call, &page.limit));
    if (text.len > 0 && (str_to_int(text, &below) != OK || below < 1))
        return problem_set(&call->problem, ERR_INPUT, "cursor", "This is no cursor of ours.",
                           "Take it as it stands in `next`.");
    page.below = (uint64_t)below;
    buf_str(&call->out, STR("{\"items\":["));
    TRY(store_rejected_read(call->desk->reader, text.len > 0 ? STORE_REJECTED_MAX : page.limit + 1,
                            rejected_each, &page));
    if (page.more)
        snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)page.last);
    write_next(&call->out, str_of(cursor));
    return OK;
}

enum err refused_list(struct call *call)
{
    if (call->api->conf.refused == NULL)
        buf_str(&call->out, STR("{\"total\":0,\"refused\":[]}"));
    else
        refused_write(call->api->conf.refused, &call->out);
    return OK;
}

/* ---- metrics ---- */

#define CORE_NUMBER(field)                                                                         \
    static double ask_##field(void *context)                                                       \
    {                                                                                              \
        return (double)core_stats(((struct api *)context)->conf.core).field;                       \
    }
CORE_NUMBER(records)
CORE_NUMBER(duplicates)
CORE_NUMBER(refused)
CORE_NUMBER(commits)
CORE_NUMBER(commit_failures)
CORE_NUMBER(merges)
CORE_NUMBER(checkpoints)
CORE_NUMBER(seq)
CORE_NUMBER(waiting)
CORE_NUMBER(failing)

static double ask_commit_seconds(void *context)
{
    return (double)core_stats(((struct api *)context)->conf.core).commit_us_last / 1e6;
}

static double ask_engine_cpu(void *context)
{
    return (double)core_stats(((struct api *)context)->conf.core).engine_cpu_us / 1e6;
}

static double ask_commit_cpu(void *context)
{
    return (double)core_stats(((struct api *)context)->conf.core).commit_cpu_us / 1e6;
}

/* The engine's wait for readers, each time one asked; the dashboard's bound is the third. */
static double ask_wait(const struct api *api, double share)
{
    return (double)waits_percentile(core_waits(api->conf.core), share) / 1e9;
}

static double ask_wait_50(void *context)
{
    return ask_wait(context, 0.5);
}

static double ask_wait_99(void *context)
{
    return ask_wait(context, 0.99);
}

static double ask_wait_999(void *context)
{
    return ask_wait(context, 0.999);
}

static double ask_wait_count(void *context)
{
    return (double)core_waits(((struct api *)context)->conf.core)->total;
}

static double ask_wait_sum(void *context)
{
    return (double)core_waits(((struct api *)context)->conf.core)->sum_ns / 1e9;
}

static double ask_reports_waiting(void *context)
{
    return crew_waiting(((struct api *)context)->crew);
}

static void reports_register(struct api *api)
{
    static const int64_t     bounds_us[] = { 1000,    2000,    5000,     10000,   20000,
                                             50000,   100000,  200000,   500000,  1000000,
                                             2000000, 5000000, 10000000, 30000000 };
    static const char *const name = "dult_engine_reader_wait_seconds";
    static const char *const help = "How long a reader's question held the engine's thread.";
    struct metrics          *metrics = api->conf.metrics;
    if (metrics == NULL)
        return;
    (void)metrics_ask(metrics, name, help, "quantile=\"0.5\"", false, ask_wait_50, api);
    (void)metrics_ask(metrics, name, help, "quantile=\"0.99\"", false, ask_wait_99, api);
    (void)metrics_ask(metrics, name, help, "quantile=\"0.999\"", false, ask_wait_999, api);
    (void)metrics_ask(metrics, "dult_engine_reader_waits_total",
                      "Questions to the engine's thread.", NULL, true, ask_wait_count, api);
    (void)metrics_ask(metrics, "dult_engine_reader_wait_seconds_sum",
                      "All of the engine's wait for readers.", NULL, true, ask_wait_sum, api);
    (void)metrics_ask(metrics, "dult_reports_waiting", "Reports before the report threads.", NULL,
                      false, ask_reports_waiting, api);
    api->report_seconds =
        metrics_histogram(metrics, "dult_report_seconds", "How long questions to everyone took.",
                          NULL, bounds_us, sizeof bounds_us / sizeof bounds_us[0], 1e-6);
}

void stats_register(struct api *api)
{
    reports_register(api);
    static const struct {
        const char *name, *help;
        bool        is_counter;
        double (*ask)(void *context);
    } numbers[] = {
        { "dult_records_total", "Records kept.", true, ask_records },
        { "dult_duplicates_total", "Messages that were here before.", true, ask_duplicates },
        { "dult_records_refused_total", "Records the engine refused.", true, ask_refused },
        { "dult_commits_total", "Transactions.", true, ask_commits },
        { "dult_commit_failures_total", "Transactions to be tried again.", true,
          ask_commit_failures },
        { "dult_index_merges_total", "New bases of the index.", true, ask_merges },
        { "dult_checkpoints_total", "Checkpoints of the people's state.", true, ask_checkpoints },
        { "dult_seq", "The last record that is on disk.", false, ask_seq },
        { "dult_tasks_waiting", "Tasks before the engine.", false, ask_waiting },
        { "dult_failing", "1 while the disk takes nothing.", false, ask_failing },
        { "dult_commit_seconds", "How long the last transaction took.", false, ask_commit_seconds },
        { "dult_engine_cpu_seconds_total", "Processor time of the engine's thread.", true,
          ask_engine_cpu },
        { "dult_commit_cpu_seconds_total", "Processor time of the commit thread.", true,
          ask_commit_cpu },
    };
    for (size_t i = 0; api->conf.metrics != NULL && i < sizeof numbers / sizeof numbers[0]; i++)
        (void)metrics_ask(api->conf.metrics, numbers[i].name, numbers[i].help, NULL,
                          numbers[i].is_counter, numbers[i].ask, api);
}

/*
 * Who asks from this machine, and through no proxy, is let in without a key: that is how a
 * collector of metrics is set up. Others need the scope.
 */
static bool is_from_here(struct http_request *request)
{
    struct str peer = http_peer(request);
    bool       is_loopback = str_eq(peer, STR("::1")) || str_starts(peer, STR("127."));
    return http_is_local(request) ||
           (is_loopback && http_header(request, STR("x-forwarded-for")).len == 0 &&
            http_header(request, STR("forwarded")).len == 0);
}

enum err metrics_show(struct call *call)
{
    static const struct route wanted = { .need = ROUTE_SCOPE, .scope = "metrics:read" };
    uint64_t                  who;
    if (!is_from_here(call->request)) {
        enum err err = keys_authorize(call->api, call->request, &wanted, &who, &call->problem);
        if (err != OK) {
            call->is_answered = true;
            route_reply_problem(call->request, err == ERR_DENIED ? 403 : 401, "denied",
                                &call->problem);
            return OK;
        }
    }
    call->type = STR(METRICS_TYPE);
    if (call->api->conf.metrics != NULL)
        metrics_write(call->api->conf.metrics, &call->out);
    return codes_metrics_write(call, &call->out);
}
