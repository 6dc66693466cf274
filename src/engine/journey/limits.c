#include "engine/journey/limits.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "engine/journey/until.h"

enum { ARENA_BYTES_MAX = 1 << 20, EVERY_DAY = 0x7F, DAYS_LOOKED = 8, LENGTH_BYTES = 32 };

#define FOR_EVER_MS (DAYS_LOOKED * TIME_DAY_MS)

struct reading {
    const struct limits_topics *topics;
    struct limits_def          *out;
    struct problem             *problem;
    const char                 *list; /* "quiet" or "limits" */
    uint32_t                    at;
};

static enum err wrong(const struct reading *r, const char *field, const char *what,
                      const char *remedy)
{
    char where[64];
    snprintf(where, sizeof where, "%s[%u]%s%s", r->list, r->at, field[0] == '\0' ? "" : ".", field);
    return problem_set(r->problem, ERR_INPUT, where, what, remedy);
}

static enum err members_check(const struct reading *r, const struct json *object,
                              const char *const *known, size_t known_count, const char *remedy)
{
    if (object->kind != JSON_OBJECT)
        return wrong(r, "", "This is no object.", remedy);
    for (uint32_t i = 0; i < object->count; i++) {
        size_t k = 0;
        while (k < known_count && !str_eq(object->members[i].key, str_of(known[k])))
            k++;
        if (k == known_count)
            return wrong(r, "", "There is no such setting.", remedy);
    }
    return OK;
}

/* ---- quiet hours ---- */

static enum err time_read(const struct reading *r, const struct json *object, const char *field,
                          bool has_days, struct until *out)
{
    struct problem ignored;
    struct str     text = json_get_str(object, str_of(field));
    if (!str_is_empty(text) && until_parse(text, out, &ignored) == OK && out->kind == UNTIL_TIME &&
        !out->is_best && (has_days || out->days == EVERY_DAY))
        return OK;
    return wrong(r, field,
                 has_days ? "Here is no time of day, with or without days of the week."
                          : "Here is no time of day.",
                 has_days ? "Write \"21:00\", or \"saturday or sunday 00:00\"."
                          : "Write \"08:00\"; \"00:00\" is the end of the day.");
}

static enum err channels_read(const struct reading *r, const struct json *list, uint8_t *out)
{
    bool good = list == NULL || (list->kind == JSON_ARRAY && list->count > 0);
    *out = list == NULL ? 1U << CHANNEL_EMAIL | 1U << CHANNEL_SMS | 1U << CHANNEL_PUSH : 0;
    for (uint32_t i = 0; good && list != NULL && i < list->count; i++) {
        enum consent_channel channel = CHANNEL_ALL;
        good = list->items[i].kind == JSON_STRING && channel_of(list->items[i].string, &channel) &&
               channel != CHANNEL_ALL;
        *out |= (uint8_t)(1U << channel);
    }
    return good ? OK
                : wrong(r, "channels", "These are no channels.",
                        "Write such as [\"sms\", \"push\"], or leave it out.");
}

static enum err quiet_read(const struct reading *r, const struct json *item)
{
    static const char *const known[] = { "from", "to", "channels" };
    struct until             from, to;
    struct limits_quiet      quiet = { 0 };
    TRY(members_check(r, item, known, sizeof known / sizeof known[0],
                      "Use from, to and channels: {\"from\": \"21:00\", \"to\": \"08:00\"}."));
    TRY(time_read(r, item, "from", true, &from));
    TRY(time_read(r, item, "to", false, &to));
    TRY(channels_read(r, json_get(item, STR("channels")), &quiet.channels));
    quiet.days = from.days;
    quiet.from_ms = from.time_ms;
    quiet.to_ms = to.time_ms;
    r->out->quiet[r->out->quiet_count++] = quiet;
    return OK;
}

/* ---- limits ---- */

static enum err length_read(const struct reading *r, const struct json *object, const char *field,
                            int64_t most_ms, int64_t *out)
{
    struct str text = json_get_str(object, str_of(field));
    if (time_length_parse(text, out) == OK && *out >= LIMITS_IN_MS_MIN && *out <= most_ms)
        return OK;
    char most[LENGTH_BYTES], where[64];
    snprintf(where, sizeof where, "%s[%u].%s", r->list, r->at, field);
    return problem_format(r->problem, ERR_INPUT, where, "Write such as \"1 day\" or \"7 days\".",
                          "This is no length from 1 minute to %s.",
                          time_length_write(most_ms, most, sizeof most));
}

static enum err topic_read(const struct reading *r, const struct json *value, uint32_t *out)
{
    *out = 0;
    if (value == NULL)
        return OK;
    if (value->kind != JSON_STRING || str_is_empty(value->string) ||
        value->string.len > LIMITS_TOPIC_BYTES_MAX || str_eq(value->string, STR("*")))
        return wrong(r, "topic", "A topic has a name of 1 to 128 bytes.",
                     "Name one, or leave it out: it is then all of them together.");
    return r->topics == NULL ? OK : r->topics->number_of(r->topics->context, value->string, out);
}

static enum err most_read(const struct reading *r, const struct json *item)
{
    static const char *const known[] = { "most", "in", "channel", "topic", "wait" };
    const struct json       *channel = json_get(item, STR("channel"));
    struct limits_most       most = { .channel = CHANNEL_ALL };
    int64_t                  number;
    TRY(members_check(r, item, known, sizeof known / sizeof known[0],
                      "Use most, in, channel, topic and wait: {\"most\": 3, \"in\": \"7 days\"}."));
    if (!json_get_int(item, STR("most"), &number) || number < 1 || number > LIMITS_MOST_MAX)
        return wrong(r, "most", "This is no number from 1 to 100.",
                     "Write how many somebody gets at the most, such as 3.");
    most.most = (uint32_t)number;
    TRY(length_read(r, item, "in", LIMITS_IN_MS_MAX, &most.in_ms));
    if (channel != NULL &&
        (channel->kind != JSON_STRING || !channel_of(channel->string, &most.channel) ||
         most.channel == CHANNEL_ALL))
        return wrong(r, "channel", "This is no channel by which a message goes to a person.",
                     "Write \"email\", \"sms\", \"push\" or \"post\", or leave it out.");
    TRY(topic_read(r, json_get(item, STR("topic")), &most.topic));
    if (json_get(item, STR("wait")) != NULL)
        TRY(length_read(r, item, "wait", LIMITS_WAIT_MS_MAX, &most.wait_ms));
    r->out->most[r->out->most_count++] = most;
    return OK;
}

/* ---- the document ---- */

static enum err list_read(struct reading *r, const struct json *root, const char *name,
                          uint32_t room,
                          enum err (*take)(const struct reading *, const struct json *))
{
    const struct json *list = json_get(root, str_of(name));
    r->list = name;
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > room)
        return problem_format(r->problem, ERR_INPUT, name,
                              "Write {\"quiet\": [{\"from\": \"21:00\", \"to\": \"08:00\"}], "
                              "\"limits\": [{\"most\": 3, \"in\": \"7 days\"}]}.",
                              "This is no list of at most %u.", room);
    for (r->at = 0; r->at < list->count; r->at++)
        TRY(take(r, &list->items[r->at]));
    return OK;
}

enum err limits_parse(struct str text, const struct limits_topics *topics, struct limits_def *out,
                      struct problem *problem)
{
    SCOPED(arena_closep) struct arena *scratch = arena_open(ARENA_BYTES_MAX);
    struct limits_def                  def = { .version = out->version };
    struct reading                     r = { .topics = topics, .out = &def, .problem = problem };
    struct json                        root;
    if (scratch == NULL)
        return ERR_MEMORY;
    TRY(json_parse_once(scratch, text, &root, problem));
    if (root.kind != JSON_OBJECT)
        return problem_set(problem, ERR_INPUT, "limits", "Limits are a JSON object.",
                           "Begin with {\"quiet\": [...]} or {\"limits\": [...]}.");
    for (uint32_t i = 0; i < root.count; i++)
        if (!str_eq(root.members[i].key, STR("quiet")) &&
            !str_eq(root.members[i].key, STR("limits")) &&
            !str_eq(root.members[i].key, STR("note")))
            return problem_set(problem, ERR_INPUT, root.members[i].key.ptr,
                               "There is no such setting.", "Use quiet, limits or note.");
    TRY(list_read(&r, &root, "quiet", LIMITS_QUIET_MAX, quiet_read));
    TRY(list_read(&r, &root, "limits", LIMITS_MAX, most_read));
    for (int channel = CHANNEL_ALL + 1; channel < CHANNELS; channel++)
        if (limits_quiet_until_ms(&def, (enum consent_channel)channel, NULL, 0) >= FOR_EVER_MS)
            return problem_format(problem, ERR_INPUT, "quiet",
                                  "Leave some time free; to stop sending there is dult sending "
                                  "stop.",
                                  "These quiet hours leave no minute of the week free for %.*s.",
                                  STR_ARG(channel_name((enum consent_channel)channel)));
    *out = def;
    return OK;
}

bool limits_priority_read(const struct json *object, uint8_t *out)
{
    int64_t value = PRIORITY_DEFAULT;
    if (json_get(object, STR("priority")) != NULL && !json_get_int(object, STR("priority"), &value))
        return false;
    *out = (uint8_t)value;
    return value >= 1 && value <= PRIORITY_MAX;
}

/* ---- asked ---- */

static int weekday(int64_t day) /* since 1970-01-01, a Thursday; 0 is Monday */
{
    return (int)((day % 7 + 7 + 3) % 7);
}

/* The end of what began on that day, where it holds now; now_ms where not. */
static int64_t quiet_end_ms(const struct limits_quiet *quiet, const struct zone *zone, int64_t day,
                            int64_t now_ms)
{
    if ((quiet->days >> weekday(day) & 1) == 0)
        return now_ms;
    int64_t start = day * TIME_DAY_MS, next = quiet->to_ms <= quiet->from_ms ? TIME_DAY_MS : 0;
    int64_t end_ms = zone_instant_ms(zone, start + next + quiet->to_ms);
    return zone_instant_ms(zone, start + quiet->from_ms) <= now_ms && now_ms < end_ms ? end_ms
                                                                                      : now_ms;
}

/* The latest end of what holds then. */
static int64_t quiet_step_ms(const struct limits_def *def, enum consent_channel channel,
                             const struct zone *zone, int64_t now_ms)
{
    int64_t end_ms = now_ms, today = zone_day_of(zone, now_ms);
    for (uint32_t i = 0; i < def->quiet_count; i++)
        for (int64_t day = today - 1; (def->quiet[i].channels >> channel & 1) && day <= today;
             day++) {
            int64_t ms = quiet_end_ms(&def->quiet[i], zone, day, now_ms);
            end_ms = ms > end_ms ? ms : end_ms;
        }
    return end_ms;
}

int64_t limits_quiet_until_ms(const struct limits_def *def, enum consent_channel channel,
                              const struct zone *zone, int64_t now_ms)
{
    int64_t until_ms = now_ms;
    while (until_ms < now_ms + FOR_EVER_MS) {
        int64_t next_ms = quiet_step_ms(def, channel, zone, until_ms);
        if (next_ms == until_ms)
            break;
        until_ms = next_ms;
    }
    return until_ms;
}

bool limits_counts(const struct limits_most *most, enum consent_channel channel, uint32_t topic)
{
    return channel_is_to_person(channel) &&
           (most->channel == CHANNEL_ALL || most->channel == channel) &&
           (most->topic == 0 || most->topic == topic);
}

struct str limits_say(const struct limits_most *most, struct str topic,
                      char bytes[LIMITS_WHY_BYTES_MAX])
{
    char       length[LENGTH_BYTES];
    struct str by = channel_name(most->channel);
    struct str about = most->topic == 0 ? STR_NONE : topic;
    int        len =
        snprintf(bytes, LIMITS_WHY_BYTES_MAX, "at most %u%s%.*s%s%.*s%s in %s", most->most,
                 str_is_empty(by) ? "" : " by ", STR_ARG(by), most->topic == 0 ? "" : " of \"",
                 STR_ARG(about), most->topic == 0 ? "" : "\"",
                 time_length_write(most->in_ms, length, sizeof length));
    return (struct str){ bytes, (size_t)len };
}
