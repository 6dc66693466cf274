#include "engine/brake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/time.h"

struct brake_conf brake_conf_make(void)
{
    return (struct brake_conf){ .hours = 24, .bounces = { 500, 20 }, .complaints = { 30, 5 } };
}

/* ---- the definition ---- */

static enum err fault(struct problem *problem, const char *field, const char *what,
                      const char *remedy)
{
    return problem_set(problem, ERR_INPUT, field, what, remedy);
}

static enum err limit_read(const struct json *root, const char *key, struct brake_limit *out,
                           struct problem *problem)
{
    const struct json *object = json_get(root, str_of(key));
    const struct json *percent = json_get(object, STR("percent"));
    int64_t            least;
    if (object == NULL)
        return OK;
    double value = out->permyriad / 100.0;
    if (percent != NULL && !json_to_real(percent, &value))
        return fault(problem, key, "percent is no number.", "Write 5, or 0.3.");
    if (!(value >= 0.01 && value <= 100))
        return fault(problem, key, "percent is not from 0.01 to 100.", "Write 5, or 0.3.");
    out->permyriad = (uint32_t)(value * 100 + 0.5);
    if (json_get(object, STR("least")) == NULL)
        return OK;
    if (!json_get_int(object, STR("least"), &least) || least < 1 || least > 1000000)
        return fault(problem, key, "least is no number from 1 to 1,000,000.", "Write 20.");
    out->least = (uint32_t)least;
    return OK;
}

static enum err stopped_read(const struct json *root, struct brake_conf *out,
                             struct problem *problem)
{
    const struct json *list = json_get(root, STR("domains"));
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > BRAKE_STOPPED_MAX)
        return fault(problem, "domains", "This is no list of at most 8 domains.",
                     "Write [{\"domain\": \"news.shop.example\"}], or [] for none.");
    for (uint32_t i = 0; i < list->count; i++) {
        struct brake_stopped *stopped = &out->stopped[out->stopped_count++];
        struct str            domain = json_get_str(&list->items[i], STR("domain"));
        struct str            why = json_get_str(&list->items[i], STR("why"));
        if (domain.len == 0 || domain.len >= BRAKE_DOMAIN_BYTES || !str_is_utf8(domain))
            return fault(problem, "domains", "One of them has no domain.",
                         "Write {\"domain\": \"news.shop.example\"}.");
        why = str_slice(why, 0, BRAKE_WHY_BYTES_MAX);
        str_to_cstr(domain, stopped->domain, sizeof stopped->domain);
        str_to_cstr(str_is_utf8(why) ? why : STR_NONE, stopped->why, sizeof stopped->why);
    }
    return OK;
}

static enum err root_read(const struct json *root, struct brake_conf *out, struct problem *problem)
{
    int64_t    hours = out->hours;
    struct str state = json_get_str(root, STR("state"));
    if (root->kind != JSON_OBJECT ||
        !(str_is_empty(state) || str_eq(state, STR("on")) || str_eq(state, STR("stopped"))))
        return fault(problem, "state", "There is no such state.", "Write \"on\" or \"stopped\".");
    if (json_get(root, STR("hours")) != NULL &&
        (!json_get_int(root, STR("hours"), &hours) || hours < 1 || hours > BRAKE_HOURS_MAX))
        return fault(problem, "hours", "This is no number from 1 to 168.", "Write 24.");
    out->hours = (uint32_t)hours;
    out->is_stopped = str_eq(state, STR("stopped"));
    out->stops_receipts = json_get_bool(root, STR("transactional"), false);
    struct str why = str_slice(json_get_str(root, STR("why")), 0, BRAKE_WHY_BYTES_MAX);
    str_to_cstr(str_is_utf8(why) ? why : STR_NONE, out->why, sizeof out->why);
    TRY(stopped_read(root, out, problem));
    TRY(limit_read(root, "bounces", &out->bounces, problem));
    return limit_read(root, "complaints", &out->complaints, problem);
}

enum err brake_parse(struct str text, struct brake_conf *out, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(1 << 20);
    struct brake_conf                  made = brake_conf_make();
    struct json                        root;
    if (scratch == NULL)
        return ERR_MEMORY;
    if (text.len > 0) {
        TRY(json_parse_once(scratch, text, &root, problem));
        TRY(root_read(&root, &made, problem));
    }
    *out = made;
    return OK;
}

static void limit_write(struct buf *out, const char *key, struct brake_limit limit)
{
    buf_format(out, ",\"%s\":{\"percent\":%u.%02u,\"least\":%u}", key, limit.permyriad / 100,
               limit.permyriad % 100, limit.least);
}

void brake_write(const struct brake_conf *conf, struct buf *out)
{
    buf_format(out, "{\"state\":\"%s\",\"why\":", conf->is_stopped ? "stopped" : "on");
    json_write_str(out, str_of(conf->why));
    buf_format(out, ",\"hours\":%u,\"transactional\":%s", conf->hours,
               conf->stops_receipts ? "true" : "false");
    limit_write(out, "bounces", conf->bounces);
    limit_write(out, "complaints", conf->complaints);
    buf_str(out, STR(",\"domains\":["));
    for (uint32_t i = 0; i < conf->stopped_count; i++) {
        buf_str(out, i == 0 ? STR("{\"domain\":") : STR(",{\"domain\":"));
        json_write_str(out, str_of(conf->stopped[i].domain));
        buf_str(out, STR(",\"why\":"));
        json_write_str(out, str_of(conf->stopped[i].why));
        buf_char(out, '}');
    }
    buf_str(out, STR("]}"));
}

bool brake_has_stopped(const struct brake_conf *conf, struct str domain)
{
    for (uint32_t i = 0; i < conf->stopped_count && domain.len > 0; i++)
        if (str_eq_nocase(str_of(conf->stopped[i].domain), domain))
            return true;
    return false;
}

/* ---- by domain ---- */

struct brake *brake_of(struct brake_domains *domains, struct str domain)
{
    for (uint32_t i = 0; i < domains->count; i++)
        if (str_eq_nocase(str_of(domains->names[i]), domain))
            return domains->brakes[i];
    if (domain.len == 0 || domain.len >= BRAKE_DOMAIN_BYTES || domains->count == BRAKE_DOMAINS_MAX)
        return NULL;
    struct brake *brake = calloc(1, sizeof *brake);
    if (brake == NULL)
        return NULL; /* it is counted with all */
    str_to_cstr(domain, domains->names[domains->count], BRAKE_DOMAIN_BYTES);
    domains->brakes[domains->count++] = brake;
    return brake;
}

bool brake_has_others(const struct brake_domains *domains, const struct brake *brake,
                      uint32_t hours, int64_t now_ms)
{
    for (uint32_t i = 0; i < domains->count; i++)
        if (domains->brakes[i] != brake && brake_counts(domains->brakes[i], hours, now_ms).sent > 0)
            return true;
    return false;
}

void brake_domains_done(struct brake_domains *domains)
{
    for (uint32_t i = 0; i < domains->count; i++)
        free(domains->brakes[i]);
    domains->count = 0;
}

/* ---- counting ---- */

static uint64_t less(uint64_t from, uint64_t of)
{
    return from > of ? from - of : 0;
}

void brake_subtract(struct brake *from, const struct brake *of)
{
    for (int i = 0; i < BRAKE_HOURS_MAX; i++)
        if (from->hour[i] == of->hour[i]) {
            from->counts[i].sent = less(from->counts[i].sent, of->counts[i].sent);
            from->counts[i].bounced = less(from->counts[i].bounced, of->counts[i].bounced);
            from->counts[i].complained = less(from->counts[i].complained, of->counts[i].complained);
        }
}

void brake_reset(struct brake *brake)
{
    memset(brake, 0, sizeof *brake);
}

void brake_hear(struct brake *brake, enum brake_event event, int64_t now_ms)
{
    int64_t  hour = now_ms / TIME_HOUR_MS;
    uint32_t place = (uint32_t)(hour % BRAKE_HOURS_MAX);
    if (brake->hour[place] != hour) {
        brake->hour[place] = hour;
        brake->counts[place] = (struct brake_counts){ 0 };
    }
    struct brake_counts *counts = &brake->counts[place];
    counts->sent += event == BRAKE_SENT;
    counts->bounced += event == BRAKE_BOUNCED;
    counts->complained += event == BRAKE_COMPLAINED;
}

struct brake_counts brake_counts(const struct brake *brake, uint32_t hours, int64_t now_ms)
{
    struct brake_counts sum = { 0 };
    int64_t             last = now_ms / TIME_HOUR_MS;
    for (int i = 0; i < BRAKE_HOURS_MAX; i++)
        if (brake->hour[i] > last - (int64_t)hours && brake->hour[i] <= last) {
            sum.sent += brake->counts[i].sent;
            sum.bounced += brake->counts[i].bounced;
            sum.complained += brake->counts[i].complained;
        }
    return sum;
}

static bool is_over(uint64_t part, uint64_t whole, struct brake_limit limit)
{
    return part >= limit.least && part * 10000 > whole * limit.permyriad;
}

bool brake_is_due(const struct brake *brake, const struct brake_conf *conf, int64_t now_ms,
                  char why[BRAKE_WHY_BYTES_MAX + 1])
{
    struct brake_counts sum = brake_counts(brake, conf->hours, now_ms);
    bool                bounces = is_over(sum.bounced, sum.sent, conf->bounces);
    bool                complaints = is_over(sum.complained, sum.sent, conf->complaints);
    if (!bounces && !complaints)
        return false;
    snprintf(why, BRAKE_WHY_BYTES_MAX + 1, "%llu of %llu messages of the last %u hours %s",
             (unsigned long long)(bounces ? sum.bounced : sum.complained),
             (unsigned long long)sum.sent, conf->hours,
             bounces ? "bounced for good" : "were complained of");
    return true;
}
