/*
 * What a profile takes along when a merge is undone. Enrollments and what they queued stay with the
 * person who goes on; but a broadcast has a row for each profile, so its messages go with the
 * profile that their key names: else one of the two would get it twice and the other not at all.
 *
 * A message that is being sent stays until it is answered, for its answer says whose it was then;
 * one that comes back to the queue goes over at that moment. What is in doubt is settled where it
 * was sent from. The code of one that failed goes over then, too: a retry is queued over there.
 *
 * Cost          16 bytes for each message that was being sent at a parting, until it is answered.
 */
#include "engine/broadcast.h"
#include "engine/inside.h"
#include "engine/vec.h"

/* Whose the key's messages are: a root, or PROFILE_NONE for no broadcast's key. */
static uint32_t owner_of(const struct engine *engine, uint64_t key)
{
    return broadcast_is_key(key) ? people_root(engine->people, broadcast_profile_of_key(key))
                                 : PROFILE_NONE;
}

static bool has_message(const struct state *state, uint64_t key)
{
    for (uint32_t i = 0; i < state->rare->messages.count; i++)
        if (state->rare->messages.items[i].enrollment == key)
            return true;
    return false;
}

/* The codes of what has gone over. */
static enum err codes_move(struct engine *engine, struct state *from, uint32_t to)
{
    for (uint32_t i = 0; i < from->rarer->codes.count;) {
        struct code_given given = from->rarer->codes.items[i];
        struct state     *state;
        if (owner_of(engine, given.of) != to || has_message(from, given.of)) {
            i++;
            continue;
        }
        if ((state = people_state(engine->people, to)) == NULL)
            return ERR_MEMORY;
        TRY(STATE_ADD_RARER(state, codes, given));
        STATE_REMOVE_RARER(from, codes, i);
    }
    return OK;
}

enum err parting_move(struct engine *engine, uint32_t from, uint32_t to)
{
    struct state *state = people_state(engine->people, from), *its;
    if (state == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < state->rare->messages.count;) {
        struct message message = state->rare->messages.items[i];
        if (message.state != MESSAGE_QUEUED || owner_of(engine, message.enrollment) != to) {
            i++;
            continue;
        }
        if ((its = people_state(engine->people, to)) == NULL)
            return ERR_MEMORY;
        message.is_waiting = false; /* for codes: the pool knows the other person */
        TRY(STATE_ADD(its, messages, message));
        TRY(outbox_wait(engine, to, &message));
        STATE_REMOVE(state, messages, i);
    }
    return codes_move(engine, state, to);
}

/* ---- what is being sent ---- */

/* It was claimed for one of the two, and is found by that number where it is answered: of those who
 * became one after the claim, and parted before the answer, that may be the other. */
enum err parting_stay(struct engine *engine, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->messages.count; i++) {
        const struct message *message = &state->rare->messages.items[i];
        if (message->state != MESSAGE_SENDING)
            continue;
        parting_ended(engine, message->id);
        TRY(VEC_ADD(&engine->strays, (struct stray){ message->id, person }));
    }
    return OK;
}

void parting_ended(struct engine *engine, uint64_t message)
{
    for (uint32_t i = 0; i < engine->strays.count; i++)
        if (engine->strays.items[i].message == message) {
            VEC_REMOVE(&engine->strays, i);
            return;
        }
}

uint32_t parting_bearer(const struct engine *engine, uint32_t profile, uint64_t message)
{
    for (uint32_t i = 0; i < engine->strays.count; i++)
        if (engine->strays.items[i].message == message)
            profile = engine->strays.items[i].person;
    return people_is_nobody(engine->people, profile) ? PROFILE_NONE
                                                     : people_root(engine->people, profile);
}

/* ---- what comes back ---- */

static bool has_gone(const struct engine *engine, uint32_t person, uint64_t key)
{
    uint32_t owner = owner_of(engine, key);
    return owner != PROFILE_NONE && owner != person && !people_is_nobody(engine->people, owner);
}

uint32_t parting_holder(const struct engine *engine, uint32_t person, uint64_t key)
{
    return has_gone(engine, person, key) ? owner_of(engine, key) : person;
}

bool parting_is_nobodys(const struct engine *engine, const struct message *message)
{
    return broadcast_is_key(message->enrollment) &&
           people_is_nobody(engine->people, broadcast_profile_of_key(message->enrollment));
}

enum err parting_settle(struct engine *engine, uint32_t person, uint64_t key)
{
    if (!has_gone(engine, person, key))
        return OK;
    uint32_t owner = owner_of(engine, key);
    TRY(checkpoint_before(engine, owner));
    return parting_move(engine, person, owner);
}
