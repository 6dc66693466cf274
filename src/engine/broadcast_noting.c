/*
 * What becomes of a broadcast's messages: noted for each recipient where decisions are applied, and
 * what a claim asks of it.
 */
#include "base/hash.h"
#include "engine/broadcast.h"
#include "engine/broadcasting.h"
#include "engine/reach.h"

enum {
    BEHIND_SENDING_MS = 2000, /* before it is looked at again whether the other one got it */
    BEHIND_DEFERRED_MS = 20000,
};

enum recipient_state recipient_of_reason(struct str reason)
{
    static const struct {
        const char          *begins;
        enum recipient_state state;
    } all[] = {
        { "unsubscribed", RECIPIENT_NO_CONSENT },
        { "not confirmed yet", RECIPIENT_NO_CONSENT },
        { "never said yes", RECIPIENT_NO_CONSENT },
        { "suppressed", RECIPIENT_SUPPRESSED },
        { "no e-mail address", RECIPIENT_NO_ADDRESS },
        { "no telephone number", RECIPIENT_NO_ADDRESS },
        { "the telephone number", RECIPIENT_NO_ADDRESS },
        { "no postal address", RECIPIENT_NO_ADDRESS },
        { "the postal address", RECIPIENT_NO_ADDRESS },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (str_starts(reason, str_of(all[i].begins)))
            return all[i].state;
    return str_eq(reason, BROADCAST_WHY_CANCELLED) ? RECIPIENT_CANCELLED
           : str_eq(reason, BROADCAST_WHY_ERASED)  ? RECIPIENT_ERASED
           : str_eq(reason, BROADCAST_WHY_ADDRESS) || str_eq(reason, BROADCAST_WHY_PERSON)
               ? RECIPIENT_TWICE
               : RECIPIENT_HELD;
}

uint64_t broadcast_address_hash(const struct engine *engine, struct str address)
{
    char       bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str plain;
    if (str_is_empty(address))
        return 0;
    uint64_t hash = hash_str(suppression_address(address, bytes, &plain) == OK ? plain : address,
                             engine->conf.seed);
    return hash == 0 ? 1 : hash;
}

/* ---- noting ---- */

/* The address is taken by whoever was claimed last. */
static enum err address_take(const struct engine *engine, struct broadcast_run *run,
                             uint32_t profile, struct str address)
{
    uint64_t hash = broadcast_address_hash(engine, address);
    return hash == 0 ? OK : addresses_put(&run->addresses, hash, profile);
}

static enum recipient_state state_after(const struct decision *d)
{
    switch (d->kind) {
    case DECISION_INTENT:
    case DECISION_RETURNED:
        return RECIPIENT_WAITING;
    case DECISION_CLAIMED:
        return RECIPIENT_SENDING;
    case DECISION_DEFERRED:
    case DECISION_WAITING: /* for its hour: others are looked at meanwhile */
        return RECIPIENT_DEFERRED;
    case DECISION_SENT:
        return RECIPIENT_SENT;
    case DECISION_FAILED:
        return RECIPIENT_FAILED;
    case DECISION_UNKNOWN:
        return RECIPIENT_UNKNOWN;
    case DECISION_DROPPED:
        return recipient_of_reason(d->text);
    case DECISION_HELD_OUT:
        return RECIPIENT_HELD_OUT;
    default:
        return RECIPIENT_NONE;
    }
}

enum err broadcast_note(struct engine *engine, uint64_t enrollment, const struct decision *d)
{
    if (!broadcast_is_key(enrollment))
        return OK;
    uint32_t              profile = broadcast_profile_of_key(enrollment);
    struct broadcast_run *run = broadcast_run_of(engine, broadcast_of_key(enrollment));
    if (run == NULL)
        return ERR_MEMORY;
    enum recipient_state state = state_after(d);
    TRY(recipients_set(&run->recipients, profile, state));
    if (state == RECIPIENT_SENDING)
        TRY(address_take(engine, run, profile, d->text));
    /* What comes back to a queue that nobody claims from any more is to be taken out of it. */
    bool is_back = state == RECIPIENT_WAITING || state == RECIPIENT_DEFERRED;
    if (run->is_cancelled && is_back) {
        run->looking.cursor = 0;
        run->round_ms = engine->now_ms;
        engine->broadcasts_moved = true;
    }
    broadcast_settle(engine, run);
    return OK;
}

enum err broadcast_note_erased(struct engine *engine, const struct message *message)
{
    struct broadcast_run *run;
    if (!broadcast_is_key(message->enrollment))
        return OK;
    run = broadcast_run_of(engine, broadcast_of_key(message->enrollment));
    if (run == NULL)
        return ERR_MEMORY;
    TRY(recipients_set(&run->recipients, broadcast_profile_of_key(message->enrollment),
                       message->state == MESSAGE_QUEUED ? RECIPIENT_ERASED : RECIPIENT_UNKNOWN));
    broadcast_settle(engine, run);
    return OK;
}

/* ---- at the claim ---- */

bool broadcast_holds(const struct engine *engine, const struct message *message)
{
    if (!broadcast_is_key(message->enrollment))
        return false;
    const struct broadcast_run *run =
        broadcast_run_get(engine, broadcast_of_key(message->enrollment));
    return run->is_paused || run->is_cancelled;
}

#define WENT_THERE (RECIPIENT_BIT(RECIPIENT_SENT) | RECIPIENT_BIT(RECIPIENT_UNKNOWN))

static bool has(const struct broadcast_run *run, uint32_t profile, uint32_t bits)
{
    return (bits >> recipients_get(&run->recipients, profile) & 1) != 0;
}

bool broadcast_may_go(const struct engine *engine, uint64_t key)
{
    const struct broadcast_run *run = broadcast_run_get(engine, broadcast_of_key(key));
    uint32_t                    profile = broadcast_profile_of_key(key);
    uint32_t                    bits = RECIPIENTS_OPEN | RECIPIENT_BIT(RECIPIENT_NONE);
    if (!run->is_cancelled) /* else there is no retry */
        bits |= BROADCAST_RETRIED;
    return !people_is_nobody(engine->people, profile) && has(run, profile, bits);
}

/* Did it go to them under another of their numbers? */
static bool has_twin(const struct engine *engine, const struct broadcast_run *run, uint32_t own)
{
    for (uint32_t member = people_get(engine->people, own)->next; member != own;
         member = people_get(engine->people, member)->next)
        if (has(run, member, WENT_THERE))
            return true;
    return false;
}

/* Who has the address, or MAP_NONE; for whom it failed has it, too, and may be tried again. */
static uint32_t holder_of(const struct engine *engine, const struct broadcast_run *run,
                          struct str address)
{
    return addresses_find(&run->addresses, broadcast_address_hash(engine, address));
}

/* Is `other` still to be waited for? Of two who were put off the lower number goes first, so that
 * never each waits for the other. */
static int64_t behind_ms(const struct broadcast_run *run, uint32_t own, uint32_t other)
{
    if (has(run, other, RECIPIENT_BIT(RECIPIENT_SENDING)))
        return BEHIND_SENDING_MS;
    return other < own && has(run, other, RECIPIENT_BIT(RECIPIENT_DEFERRED)) ? BEHIND_DEFERRED_MS
                                                                             : 0;
}

int64_t broadcast_behind_ms(const struct engine *engine, const struct message *message,
                            struct str address)
{
    if (!broadcast_is_key(message->enrollment))
        return 0;
    uint32_t                    own = broadcast_profile_of_key(message->enrollment);
    const struct broadcast_run *run =
        broadcast_run_get(engine, broadcast_of_key(message->enrollment));
    uint32_t holder = holder_of(engine, run, address);
    int64_t  most_ms = holder == MAP_NONE || holder == own ? 0 : behind_ms(run, own, holder);
    for (uint32_t member = people_get(engine->people, own)->next; member != own;
         member = people_get(engine->people, member)->next) {
        int64_t its_ms = behind_ms(run, own, member);
        most_ms = its_ms > most_ms ? its_ms : most_ms;
    }
    return most_ms;
}

struct str broadcast_unfit(const struct message *message, const struct template_def *template)
{
    if (!broadcast_is_key(message->enrollment))
        return STR_NONE;
    return template->transactional ? STR("the template became one for receipts")
           : !channel_is_to_person(template->channel)
               ? STR("the template goes to no person any more")
               : STR_NONE;
}

struct str broadcast_why_not(const struct engine *engine, const struct message *message,
                             struct str address)
{
    if (!broadcast_is_key(message->enrollment))
        return STR_NONE;
    uint32_t                    own = broadcast_profile_of_key(message->enrollment);
    const struct broadcast_run *run =
        broadcast_run_get(engine, broadcast_of_key(message->enrollment));
    if (has_twin(engine, run, own))
        return BROADCAST_WHY_PERSON;
    uint32_t holder = holder_of(engine, run, address);
    bool     is_taken = holder != MAP_NONE && holder != own &&
                    has(run, holder, WENT_THERE | RECIPIENT_BIT(RECIPIENT_FAILED));
    return is_taken ? BROADCAST_WHY_ADDRESS : STR_NONE;
}
