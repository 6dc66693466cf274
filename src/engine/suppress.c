/*
 * What puts an address on the list of suppressions, and takes it off: see suppression.h.
 */
#include "engine/inside.h"

#include <string.h>

#include "engine/reach.h"
#include "engine/vec.h"

enum { TRIES_MAX = 32 }; /* of a person's messages: the newest */

enum err suppress(struct engine *engine, struct out *out, struct suppression entry)
{
    TRY(suppressions_put(engine->suppressions, &entry));
    if (out->suppressions_count == out->suppressions_room) {
        size_t              room = out->suppressions_room == 0 ? 16 : out->suppressions_room * 2;
        struct suppression *items = ARENA_ARRAY(out->arena, room, struct suppression);
        if (items == NULL)
            return ERR_MEMORY;
        for (size_t i = 0; i < out->suppressions_count; i++)
            items[i] = out->suppressions[i];
        out->suppressions = items;
        out->suppressions_room = room;
    }
    if (entry.said.len > SUPPRESSION_SAID_BYTES_MAX)
        entry.said = str_slice(entry.said, 0, SUPPRESSION_SAID_BYTES_MAX);
    entry.address = str_copy(out->arena, entry.address);
    entry.said = str_copy(out->arena, entry.said);
    out->suppressions[out->suppressions_count++] = entry;
    return entry.address.ptr == NULL || entry.said.ptr == NULL ? ERR_MEMORY : OK;
}

/* ---- soft bounces in a row ---- */

/* By which channel the message went; e-mail where an older event does not say. */
static bool is_by(const struct facts *facts, uint32_t bag, struct str channel)
{
    struct bag_item item;
    uint32_t        at = 0;
    if (!bag_next_of(bag_at(facts->bags, bag), &at, OWN_KEY_CHANNEL, &item) ||
        item.value.kind != JSON_STRING)
        return str_eq(channel, STR("email"));
    return str_eq(item.value.string, channel);
}

/* A message that went out or came back. */
struct attempt {
    uint64_t message;
    int64_t  at_ms;
    bool     is_back;
};

struct attempts {
    struct attempt items[TRIES_MAX]; /* newest first */
    uint32_t       count;
    int64_t        alive_ms; /* the last instant the person opened or clicked */
};

static bool is_told(const struct facts *facts, uint32_t bag, uint16_t key, struct str text)
{
    struct bag_item item;
    uint32_t        at = 0;
    return bag_next_of(bag_at(facts->bags, bag), &at, key, &item) &&
           item.value.kind == JSON_STRING && str_eq(item.value.string, text);
}

static uint64_t message_of(const struct facts *facts, uint32_t bag, uint16_t key)
{
    struct bag_item item;
    uint32_t        at = 0;
    int64_t         message;
    if (!bag_next_of(bag_at(facts->bags, bag), &at, key, &item))
        return 0;
    if (item.value.kind == JSON_INT)
        return (uint64_t)item.value.integer;
    bool is_text = item.value.kind == JSON_STRING;
    return is_text && str_to_int(item.value.string, &message) == OK ? (uint64_t)message : 0;
}

static bool is_by_machine(const struct facts *facts, uint32_t bag)
{
    struct bag_item item;
    uint32_t        at = 0;
    return bag_next_of(bag_at(facts->bags, bag), &at, OWN_KEY_MACHINE, &item) &&
           item.value.kind == JSON_BOOL && item.value.truth;
}

static void attempt_add(struct attempts *all, struct attempt attempt)
{
    uint32_t i = 0;
    for (i = 0; i < all->count; i++)
        if (attempt.message != 0 && all->items[i].message == attempt.message) {
            all->items[i].is_back = all->items[i].is_back || attempt.is_back;
            return;
        }
    for (i = all->count; i > 0 && all->items[i - 1].at_ms < attempt.at_ms; i--)
        if (i < TRIES_MAX)
            all->items[i] = all->items[i - 1];
    if (i < TRIES_MAX)
        all->items[i] = attempt;
    all->count += all->count < TRIES_MAX;
}

/* What is looked at: one channel's messages, and where they say what came of them. */
struct asked_row {
    uint16_t   message_key, class_key;
    struct str channel;
};

/* From the newest on, so that of many the oldest are left out. */
static void attempts_of_run(const struct asked_row *asked, const struct facts *facts,
                            const struct run *run, struct attempts *all)
{
    uint32_t seen = 0;
    for (uint32_t i = run->count; i > 0 && seen < 2 * TRIES_MAX; i--) {
        uint16_t name = run->name[i - 1];
        uint32_t bag = run->bag[i - 1];
        bool     back =
            name == OWN_MESSAGE_BOUNCED && is_told(facts, bag, asked->class_key, STR("soft"));
        if (name >= RUN_OWN_NAMES || !is_by(facts, bag, asked->channel))
            continue;
        bool alive = name == OWN_MESSAGE_OPENED || name == OWN_MESSAGE_CLICKED;
        if (alive && run->at_ms[i - 1] > all->alive_ms && !is_by_machine(facts, bag))
            all->alive_ms = run->at_ms[i - 1];
        if (name != OWN_MESSAGE_SENT && !back)
            continue;
        attempt_add(all, (struct attempt){ message_of(facts, bag, asked->message_key),
                                           run->at_ms[i - 1], back });
        seen++;
    }
}

static bool is_soft_in_a_row(struct engine *engine, uint32_t person, struct str channel,
                             int64_t since_ms)
{
    const struct dict *properties = engine->program->names[NAME_PROPERTY];
    struct asked_row   asked = { dict_find(properties, STR("message")),
                                 dict_find(properties, STR("class")), channel };
    struct attempts    all = { .alive_ms = since_ms };
    struct known       known;
    uint32_t           back = 0;
    int64_t            first_ms = 0, last_ms = 0;
    known_make(&known, engine, person, engine->now_ms);
    for (uint32_t i = 0; i < known.facts.runs_count; i++)
        attempts_of_run(&asked, &known.facts, &known.facts.runs[i], &all);
    for (uint32_t i = 0; i < all.count && all.items[i].at_ms > all.alive_ms; i++) {
        const struct attempt *attempt = &all.items[i];
        if (!attempt->is_back && attempt->at_ms < engine->now_ms - SUPPRESSION_BACK_MS)
            break;
        if (!attempt->is_back)
            continue; /* it may come back yet */
        last_ms = back == 0 ? attempt->at_ms : last_ms;
        first_ms = attempt->at_ms;
        back++;
    }
    return back >= SUPPRESSION_SOFT_MAX && last_ms - first_ms >= SUPPRESSION_SOFT_MS;
}

/* ---- what came back ---- */

static enum suppression_reason reason_of(struct engine *engine, const struct record *record,
                                         uint32_t person, int64_t lifted_ms)
{
    struct str class = json_get_str(record->properties, STR("class"));
    if (str_eq(record->name, EVENT_MESSAGE_COMPLAINED))
        return SUPPRESSION_COMPLAINT;
    if (str_eq(class, STR("hard")))
        return SUPPRESSION_HARD;
    struct str channel = json_get_str(record->properties, STR("channel"));
    if (str_is_empty(channel))
        channel = STR("email");
    if (str_eq(class, STR("stop"))) /* said to the carrier, which told us */
        return SUPPRESSION_MANUAL;
    bool soft = str_eq(class, STR("soft")) && is_soft_in_a_row(engine, person, channel, lifted_ms);
    return soft ? SUPPRESSION_SOFT : SUPPRESSION_LIFTED;
}

enum err suppress_heard(struct engine *engine, const struct record *record, uint32_t person,
                        struct out *out)
{
    char       bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str address, told = json_get_str(record->properties, STR("recipient"));
    bool       ours = str_eq(record->name, EVENT_MESSAGE_BOUNCED) ||
                str_eq(record->name, EVENT_MESSAGE_COMPLAINED);
    if (!ours || suppression_address(told, bytes, &address) != OK)
        return OK;
    const struct suppression *have = suppressions_find(engine->suppressions, address);
    bool                      lifted = have != NULL && have->reason == SUPPRESSION_LIFTED;
    if (have != NULL && (!lifted || record->at_ms <= have->at_ms))
        return OK; /* it is on the list, or it is forgiven */
    enum suppression_reason reason = reason_of(engine, record, person, lifted ? have->at_ms : 0);
    if (reason == SUPPRESSION_LIFTED)
        return OK;
    return suppress(engine, out,
                    (struct suppression){ .reason = reason,
                                          .address = address,
                                          .said = json_get_str(record->properties, STR("said")),
                                          .at_ms = record->at_ms,
                                          .seq = record->seq });
}

/* ---- by hand ---- */

enum err apply_suppression(struct engine *engine, const struct record *record, struct out *out,
                           struct problem *problem)
{
    char                      bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str                address;
    bool                      lift = (record->flags & RECORD_LEAVE) != 0;
    const struct suppression *have = NULL;
    if (suppression_address(record->name, bytes, &address) != OK)
        return problem_set(problem, ERR_INPUT, "address", "This is no address.",
                           "Give one like ada@shop.example, without a name beside it, a number "
                           "like +4791234567, or \"1 Harbour Road, 5003 Bergen, NO\".");
    have = suppressions_find(engine->suppressions, address);
    bool                    is_on = have != NULL && have->reason != SUPPRESSION_LIFTED;
    enum suppression_reason reason = SUPPRESSION_MANUAL;
    struct str class = json_get_str(record->properties, STR("class"));
    if (class.len > 0 && !suppression_of(class, &reason))
        return problem_set(problem, ERR_INPUT, "class", "There is no such reason.",
                           "Use hard, soft, complaint or manual.");
    if (lift)
        reason = SUPPRESSION_LIFTED;
    if (lift && !is_on)
        return problem_set(problem, ERR_ABSENT, "address", "The address is not suppressed.", "");
    if (!lift && is_on)
        return OK; /* what is known of it says more */
    return suppress(engine, out,
                    (struct suppression){ .reason = reason,
                                          .address = address,
                                          .said = json_get_str(record->properties, STR("reason")),
                                          .at_ms = engine->now_ms,
                                          .seq = record->seq });
}

static enum err suppress_erase(struct engine *engine, struct out *out, struct str told)
{
    char       bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str address;
    if (suppression_address(told, bytes, &address) != OK ||
        suppressions_find(engine->suppressions, address) == NULL)
        return OK;
    return suppress(engine, out, (struct suppression){ .address = address, .is_erased = true });
}

enum err suppress_erase_person(struct engine *engine, struct out *out, uint32_t person)
{
    static const enum consent_channel channels[] = { CHANNEL_EMAIL, CHANNEL_SMS, CHANNEL_POST };
    for (size_t i = 0; i < sizeof channels / sizeof channels[0]; i++) {
        char       bytes[REACH_BYTES_MAX];
        struct str address;
        struct str why = reach_address(engine, person, channels[i], bytes, &address);
        if (str_is_empty(why))
            TRY(suppress_erase(engine, out, address));
    }
    return OK;
}

/* ---- loading and asking ---- */

enum err engine_load_suppression(struct engine *engine, const struct suppression *entry)
{
    return suppressions_put(engine->suppressions, entry);
}

const struct suppression *engine_suppression(const struct engine *engine, struct str told)
{
    char       bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str address;
    if (suppression_address(told, bytes, &address) != OK)
        return NULL;
    return suppressions_find(engine->suppressions, address);
}

uint32_t engine_suppressions(const struct engine *engine)
{
    return suppressions_count(engine->suppressions);
}

struct str engine_address(const struct engine *engine, uint32_t profile)
{
    char       bytes[REACH_BYTES_MAX];
    struct str address;
    (void)reach_address(engine, people_root(engine->people, profile), CHANNEL_EMAIL, bytes,
                        &address);
    return address;
}
