/*
 * ledger: ready messages out of the queue, each claimed before its first byte and settled after
 * its last, both on disk; beside delivery_bench, which sends the same bytes without all that.
 *
 *     ledger DIR HOST PORT [messages [connections [bytes]]]
 *
 * DIR is empty. So many people sign up, a journey writes to each; then the doors are opened.
 * Nothing is composed or signed: bench/mailing measures that. Prints {"rate", "commits", "cpu_us"}:
 * messages a second, commits and microseconds of this process's processor time a message.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/time.h"
#include "run/send/sender.h"

enum { BATCH = 500, BATCH_ARENA_BYTES = 8 << 20, POLL_US = 2000 };

static struct str letter; /* what everyone gets */

static void need(enum err code, const struct problem *problem, const char *what)
{
    if (code == OK)
        return;
    fprintf(stderr, "ledger: %s: %s %s %s\n", what, err_name(code), problem->where, problem->what);
    exit(1);
}

static void letter_make(size_t bytes)
{
    struct buf out = buf_make(bytes + 1024);
    buf_str(&out, STR("Subject: bench\r\n\r\n"));
    while (out.len < bytes)
        buf_str(&out,
                STR("Light enough for the ridge, and dry in a gale. Light enough to go.\r\n"));
    need(buf_err(&out), &(struct problem){ 0 }, "letter");
    letter = buf_view(&out); /* lives as long as the program */
}

/* In the place of rendering. */
static enum err make(const struct claim *claim, struct arena *arena, struct rendered *out)
{
    out->mail.message_id =
        str_format(arena, "%llu@bench.example", (unsigned long long)claim->message);
    out->mail.envelope_from = STR("shop@bench.example");
    out->mail.envelope_to = str_copy(arena, claim->address);
    buf_str(&out->mail.message, letter);
    TRY(buf_err(&out->mail.message));
    return out->mail.message_id.ptr == NULL || out->mail.envelope_to.ptr == NULL ? ERR_MEMORY : OK;
}

/* ---- a shop and its people ---- */

static void tell(struct core *core, struct entry *entries, uint32_t count)
{
    struct task task = { .entries = entries, .entries_count = count };
    need(core_run(core, &task), &task.problem, "records");
    if (task.refused > 0)
        need(task.err, &task.problem, "a record");
}

static void define(struct core *core, enum definition_kind kind, const char *name, const char *text)
{
    struct entry entry = { .record = { .kind = RECORD_DEFINE,
                                       .at_ms = time_now_ms(),
                                       .received_ms = time_now_ms(),
                                       .definition_kind = kind,
                                       .name = str_of(name),
                                       .body = str_of(text) },
                           .body = STR("{}") };
    tell(core, &entry, 1);
}

static void entry_make(struct arena *arena, struct record record, const char *key, struct str json,
                       struct entry *out)
{
    struct json *value = ARENA_NEW(arena, struct json);
    need(json_parse_once(arena, json, value, NULL), &(struct problem){ 0 }, "json");
    record.at_ms = record.received_ms = time_now_ms();
    record.properties = value;
    *out = (struct entry){ .record = record,
                           .body = str_format(arena, "{\"%s\":%.*s}", key, STR_ARG(json)) };
}

static void people_sign_up(struct core *core, uint32_t from, uint32_t count)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(BATCH_ARENA_BYTES);
    struct entry *entries = ARENA_ARRAY(arena, 2 * (size_t)count, struct entry);
    for (uint32_t i = 0; i < count; i++) {
        struct str user = str_format(arena, "u%u", from + i);
        struct str traits = str_format(arena, "{\"email\":\"u%u@x.example\"}", from + i);
        entry_make(arena, (struct record){ .kind = RECORD_IDENTIFY, .user_id = user }, "traits",
                   traits, &entries[2 * i]);
        entry_make(
            arena,
            (struct record){ .kind = RECORD_TRACK, .user_id = user, .name = STR("Signed Up") },
            "properties", STR("{\"plan\":\"gold\"}"), &entries[2 * i + 1]);
    }
    tell(core, entries, 2 * count);
}

static void shop_open(struct core *core, uint32_t people)
{
    define(core, DEFINE_WORKSPACE, "workspace",
           "{\"name\":\"Tents\",\"address\":\"1 Harbour Road\","
           "\"sender\":{\"name\":\"Ada\",\"email\":\"ada@bench.example\"}}");
    define(core, DEFINE_TEMPLATE, "welcome",
           "subject: Welcome\n--- html\n<html><body><p>Welcome</p></body></html>\n");
    define(core, DEFINE_JOURNEY, "welcome",
           "{\"journey\":\"welcome\",\"trigger\":{\"event\":\"Signed Up\"},"
           "\"nodes\":[{\"id\":\"hello\",\"email\":\"welcome\"}]}");
    for (uint32_t from = 0; from < people; from += BATCH)
        people_sign_up(core, from, people - from < BATCH ? people - from : BATCH);
}

/* ---- measuring ---- */

static double cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void measure(struct core *core, struct sender *sender, uint32_t messages)
{
    struct problem      problem = { 0 };
    struct sender_stats stats;
    uint64_t            commits = core_stats(core).commits;
    double              cpu = cpu_us();
    int64_t             from_us = time_mono_us();
    need(sender_start(sender, &problem), &problem, "sender");
    while (stats = sender_stats(sender), stats.sent + stats.failed + stats.unknown < messages)
        usleep(POLL_US);
    double seconds = (double)(time_mono_us() - from_us) / 1e6;
    printf("{\"rate\":%.0f,\"commits\":%.4f,\"cpu_us\":%.1f,\"sent\":%llu}\n", messages / seconds,
           (double)(core_stats(core).commits - commits) / messages, (cpu_us() - cpu) / messages,
           (unsigned long long)stats.sent);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: ledger DIR HOST PORT [messages [connections [bytes]]]\n");
        return 2;
    }
    char               url[320];
    uint32_t           messages = argc > 4 ? (uint32_t)atoi(argv[4]) : 50000;
    struct core       *core;
    struct sender     *sender;
    struct problem     problem = { 0 };
    struct sender_conf conf = { .public_url = "http://127.0.0.1:8080",
                                .smtp_url = url,
                                .ehlo_name = "bench.example",
                                .tls = SENDER_TLS_OFF,
                                .connections = argc > 5 ? (uint32_t)atoi(argv[5]) : 10,
                                .make = make };
    snprintf(url, sizeof url, "smtp://%s:%s", argv[2], argv[3]);
    letter_make(argc > 6 ? (size_t)atoi(argv[6]) : 10240);
    need(core_open(&core, &(struct core_conf){ .dir = argv[1] }, &problem), &problem, "core");
    need(sender_open(&sender, core, &conf, &problem), &problem, "sender");
    need(core_start(core), &problem, "core");
    shop_open(core, messages);
    measure(core, sender, messages);
    sender_close(sender);
    core_close(core);
    return 0;
}
