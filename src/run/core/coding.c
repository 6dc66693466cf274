/* What a turn of the engine's thread has to do with discount codes. */
#include <string.h>

#include "run/core/core_inside.h"
#include "run/core/minting.h"
#include "run/core/redeeming.h"
#include "run/log.h"

enum { MINTING_PAUSE_MS = 1000 };

static void added(struct core *core, struct batch *batch, struct str name,
                  const struct store_code *codes, uint32_t count)
{
    struct codes_state state;
    uint32_t           pool = program_codes(engine_program(core->engine), name);
    if (!engine_codes_state(core->engine, pool, &state))
        core_fatal(core, "codes of no pool");
    for (uint32_t i = 0; i < count; i++) {
        batch->codes = grown(batch->arena, batch->codes, batch->codes_count, &batch->codes_room,
                             sizeof *batch->codes);
        if (batch->codes == NULL)
            core_fatal(core, "no memory for a batch");
        batch->codes[batch->codes_count] = codes[i];
        batch->codes[batch->codes_count++].key = store_code_key(pool, state.had - count + 1 + i);
    }
}

void codes_keep(struct core *core, struct batch *batch, const struct entry *entry)
{
    if (entry->codes != NULL)
        added(core, batch, entry->record.name, entry->codes, entry->record.count);
}

/* A store that is busy is asked soon again; what may last is told once, and waited for. */
static bool is_soon(struct core *core, enum err err, struct str name, int64_t now_ms)
{
    if (err == ERR_MEMORY)
        core_fatal(core, "no memory for codes");
    if (err == ERR_WAIT)
        return true;
    if (core->minting_next_ms == 0)
        log_say(LOG_ERROR, "no codes of \"%.*s\" could be drawn (%s): tried again each second",
                STR_ARG(name), err_name(err));
    core->minting_next_ms = now_ms + MINTING_PAUSE_MS;
    return false;
}

/* Those that were drawn last must be on disk, or they could not be compared with. */
bool codes_mint(struct core *core, struct batch *batch, int64_t now_ms)
{
    struct codes_state state;
    struct store_code *codes = NULL;
    if (!engine_codes_wanted(core->engine, MINTING_LEAST, &state)) {
        core->minting_next_ms = 0;
        return false;
    }
    if (now_ms < core->minting_next_ms)
        return false;
    if (core->minted_seq > atomic_load(&core->committed_seq))
        return true;
    enum err err = minting_draw(core->reader, state.def, batch->arena, MINTING_COUNT, &codes);
    if (err != OK)
        return is_soon(core, err, state.name, now_ms);
    core->minting_next_ms = 0;
    own_record(core, batch,
               (struct record){ .kind = RECORD_CODES,
                                .received_ms = now_ms,
                                .name = state.name,
                                .count = MINTING_COUNT });
    core->minted_seq = core->seq;
    added(core, batch, state.name, codes, MINTING_COUNT);
    return false;
}

void codes_tell(struct core *core)
{
    struct codes_state state;
    struct problem     problem;
    while (engine_codes_low(core->engine, &state)) {
        (void)problem_format(&problem, ERR_LIMIT, "codes",
                             state.left == 0 ? "Messages that take one wait: dult codes import "
                                               "NAME FILE sends them on their way."
                                             : "Add some in time: dult codes import NAME FILE.",
                             "Of the codes \"%.*s\" %u are left.", STR_ARG(state.name), state.left);
        core_tell(core, state.left == 0 ? LOG_ERROR : LOG_WARNING, &problem);
    }
}

/* ---- redeemed ---- */

static struct entry entry_of(struct core *core, struct batch *batch, const struct entry *order,
                             const struct redemption *redemption)
{
    struct json *properties = ARENA_NEW(batch->arena, struct json);
    struct str   body =
        str_format(batch->arena, "{\"properties\":%.*s}", STR_ARG(redemption->properties));
    if (properties == NULL || body.ptr == NULL ||
        json_parse_once(batch->arena, redemption->properties, properties, NULL) != OK)
        core_fatal(core, "no memory for a batch");
    return (struct entry){ .record = { .kind = RECORD_MESSAGE,
                                       .flags = order->record.flags & RECORD_HISTORICAL,
                                       .name = EVENT_CODE_REDEEMED,
                                       .at_ms = order->record.at_ms,
                                       .received_ms = order->record.received_ms,
                                       .profile = redemption->profile,
                                       .message = redemption->message,
                                       .properties = properties },
                           .message_id = redemption->message_id,
                           .body = body };
}

void codes_order_keep(struct core *core, struct batch *batch, const struct store_code_order *order)
{
    batch->orders = grown(batch->arena, batch->orders, batch->orders_count, &batch->orders_room,
                          sizeof *batch->orders);
    if (batch->orders == NULL)
        core_fatal(core, "no memory for a batch");
    batch->orders[batch->orders_count++] = *order;
}

/* Of the batches that are not on disk yet. */
static bool is_kept(const struct batch *batch, const struct redemption *redemption)
{
    for (size_t i = 0; i < batch->orders_count; i++)
        if (batch->orders[i].key == redemption->key &&
            str_eq(batch->orders[i].order_id, redemption->order_id))
            return true;
    return false;
}

uint32_t codes_redeemed(struct core *core, struct batch *batch, const struct entry *order,
                        struct redeemed **out)
{
    struct redemption     *found = NULL;
    uint32_t               count = 0, kept = 0, profile = batch->out.profile;
    struct redeeming_order in = { .event = order->record.name,
                                  .message_id = order->message_id,
                                  .properties = order->record.properties,
                                  .profile = profile,
                                  .seq = batch->out.seq,
                                  .at_ms = order->record.at_ms };
    if (order->record.kind != RECORD_TRACK || profile == PROFILE_NONE ||
        !engine_codes_hear(core->engine, order->record.name))
        return 0;
    found = ARENA_ARRAY(batch->arena, REDEEMING_CODES_MAX, struct redemption);
    *out = ARENA_ARRAY(batch->arena, REDEEMING_CODES_MAX, struct redeemed);
    if (found == NULL || *out == NULL)
        core_fatal(core, "no memory for a batch");
    /* An order is not refused for this: what cannot be read now is a disk that fails. */
    enum err err = redeeming_find(core->reader, core->engine, &in, batch->arena, found, &count);
    if (err == ERR_WAIT)
        err = redeeming_find(core->reader, core->engine, &in, batch->arena, found, &count);
    if (err == ERR_MEMORY)
        core_fatal(core, "no memory for a batch");
    if (err != OK)
        log_say(LOG_ERROR, "an order's codes could not be looked up (%s)", err_name(err));
    for (uint32_t i = 0; err == OK && i < count; i++) {
        if (is_kept(batch, &found[i]))
            continue;
        (*out)[kept++] = (struct redeemed){
            .entry = entry_of(core, batch, order, &found[i]),
            .order = { found[i].key, found[i].order_id, order->record.at_ms,
                       (uint64_t)profile + 1 },
        };
    }
    return kept;
}
