/*
 * Broadcasts as they are kept with each batch and loaded again, and questions about them.
 */
#include <stdlib.h>

#include "engine/broadcast.h"
#include "engine/broadcasting.h"
#include "engine/reach.h"
#include "engine/vec.h"

/* ---- kept ---- */

bool engine_broadcasts_moved(struct engine *engine)
{
    bool moved = engine->broadcasts_moved;
    engine->broadcasts_moved = false;
    return moved;
}

/* A run without an experiment's phases is written as before there were any. */
enum { FIELDS = 17, TEST_FIELDS = 4 + 2 * DEAL_ARMS_MAX, ALL_FIELDS = FIELDS + TEST_FIELDS };

static void fields_write(const int64_t *fields, int count, bool first, struct buf *out)
{
    for (int k = 0; k < count; k++) {
        if (k > 0 || !first)
            buf_char(out, ':');
        buf_int(out, fields[k]);
    }
}

static void test_write(const struct broadcast_test *test, struct buf *out)
{
    int64_t fields[TEST_FIELDS] = { test->phase, test->chosen, test->how, test->chosen_ms };
    for (int i = 0; i < DEAL_ARMS_MAX; i++) {
        fields[4 + 2 * i] = (int64_t)test->counts[i].of;
        fields[5 + 2 * i] = (int64_t)test->counts[i].successes;
    }
    fields_write(fields, TEST_FIELDS, false, out);
}

void engine_broadcasts_write(const struct engine *engine, struct buf *out)
{
    for (uint32_t i = 0; i < engine->broadcasts.count; i++) {
        const struct broadcast_run *run = &engine->broadcasts.items[i];
        if (!run->is_launched)
            continue;
        const int64_t fields[FIELDS] = {
            i,
            run->is_paused,
            run->is_cancelled,
            run->launched_ms,
            run->start_ms,
            run->finished_ms,
            run->looking.cursor,
            run->looking.end,
            run->round_ms,
            run->later_ms,
            run->retrying.cursor,
            run->retrying.end,
            run->retries,
            (int64_t)run->expected,
            run->slot_us,
            run->ready_ms,
            run->recipients.pages_count,
        };
        fields_write(fields, FIELDS, true, out);
        if (run->test.phase != BROADCAST_PLAIN || run->test.counts[0].of > 0)
            test_write(&run->test, out);
        buf_char(out, ';');
    }
}

static enum err test_load(const int64_t f[TEST_FIELDS], struct broadcast_test *out)
{
    if (f[0] < 0 || f[0] >= BROADCAST_PHASES || f[1] < 0 || f[1] > DEAL_ARMS_MAX || f[2] < 0 ||
        f[2] > WINNER_AHEAD)
        return ERR_CORRUPT;
    *out = (struct broadcast_test){ .phase = (enum broadcast_phase)f[0],
                                    .chosen = (uint32_t)f[1],
                                    .how = (enum winner_how)f[2],
                                    .chosen_ms = f[3] };
    for (int i = 0; i < DEAL_ARMS_MAX; i++) {
        out->counts[i] = (struct odds_count){ (uint64_t)f[4 + 2 * i], (uint64_t)f[5 + 2 * i] };
        if (f[5 + 2 * i] < 0 || f[5 + 2 * i] > f[4 + 2 * i] || f[4 + 2 * i] > UINT32_MAX)
            return ERR_CORRUPT;
    }
    return OK;
}

static enum err run_load(struct engine *engine, const int64_t f[ALL_FIELDS])
{
    if (f[0] < 0 || f[0] >= BROADCASTS_MAX || f[16] < 0 || f[16] > UINT32_MAX / RECIPIENTS_PAGE + 1)
        return ERR_CORRUPT;
    struct broadcast_run *run = broadcast_run_of(engine, (uint32_t)f[0]);
    if (run == NULL)
        return ERR_MEMORY;
    run->is_launched = true;
    run->is_paused = f[1] != 0;
    run->is_cancelled = f[2] != 0;
    run->launched_ms = f[3];
    run->start_ms = f[4];
    run->finished_ms = f[5];
    run->looking = (struct broadcast_round){ (uint32_t)f[6], (uint32_t)f[7] };
    run->round_ms = f[8];
    run->later_ms = f[9];
    run->retrying = (struct broadcast_round){ (uint32_t)f[10], (uint32_t)f[11] };
    run->retries = (uint32_t)f[12];
    run->expected = (uint64_t)f[13];
    run->slot_us = f[14];
    run->ready_ms = f[15];
    run->pages_stored = (uint32_t)f[16];
    TRY(test_load(f + FIELDS, &run->test));
    recipients_over(&run->recipients, run->finished_ms != 0);
    engine->broadcasts_open += run->finished_ms == 0;
    return OK;
}

enum err engine_broadcasts_load(struct engine *engine, struct str text)
{
    struct str rest = text, one, field;
    while (str_split(&rest, ';', &one)) {
        int64_t fields[ALL_FIELDS] = { 0 };
        int     n = 0;
        if (one.len == 0)
            continue;
        while (n < ALL_FIELDS && str_split(&one, ':', &field))
            if (str_to_int(field, &fields[n++]) != OK)
                return ERR_CORRUPT;
        if ((n != FIELDS && n != ALL_FIELDS) || str_split(&one, ':', &field))
            return ERR_CORRUPT;
        TRY(run_load(engine, fields));
    }
    return OK;
}

bool engine_broadcast_page(struct engine *engine, uint32_t *number, uint32_t *page,
                           struct str *text)
{
    for (uint32_t i = 0; i < engine->broadcasts.count; i++)
        if (recipients_changed(&engine->broadcasts.items[i].recipients, page, text)) {
            *number = i;
            return true;
        }
    return false;
}

uint32_t engine_broadcast_pages(const struct engine *engine, uint32_t number)
{
    return broadcast_run_get(engine, number)->pages_stored;
}

enum err engine_broadcast_page_load(struct engine *engine, uint32_t number, uint32_t page,
                                    struct str text)
{
    struct broadcast_run *run = broadcast_run_of(engine, number);
    return run == NULL ? ERR_MEMORY : recipients_load(&run->recipients, page, text);
}

static enum err addresses_add(struct engine *engine, const struct broadcast_def *def,
                              struct broadcast_run *run, uint32_t bits)
{
    for (uint32_t p = recipients_next(&run->recipients, bits, 0); p != UINT32_MAX;
         p = recipients_next(&run->recipients, bits, p + 1)) {
        char       bytes[REACH_BYTES_MAX];
        struct str address = STR_NONE;
        if (p >= people_count(engine->people) || people_is_nobody(engine->people, p))
            continue;
        uint32_t             template_id = broadcast_template_of(engine, def, run, p);
        enum consent_channel channel = program_template_at(engine->program, template_id)->channel;
        (void)reach_address(engine, people_root(engine->people, p), channel, bytes, &address);
        uint64_t hash = broadcast_address_hash(engine, address);
        if (hash != 0 && addresses_find(&run->addresses, hash) == MAP_NONE)
            TRY(addresses_put(&run->addresses, hash, p));
    }
    return OK;
}

/* Who got it has the address, then whom it is on its way to: before one who was put off, or for
 * whom it failed, and who has come to have the same one since. */
enum err broadcast_addresses_make(struct engine *engine, uint32_t number)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, number);
    struct broadcast_run       *run = broadcast_run_of(engine, number);
    if (run == NULL)
        return ERR_MEMORY;
    addresses_done(&run->addresses);
    TRY(addresses_add(engine, def, run,
                      RECIPIENT_BIT(RECIPIENT_SENT) | RECIPIENT_BIT(RECIPIENT_UNKNOWN)));
    TRY(addresses_add(engine, def, run, RECIPIENT_BIT(RECIPIENT_SENDING)));
    TRY(addresses_add(engine, def, run, RECIPIENT_BIT(RECIPIENT_DEFERRED)));
    return addresses_add(engine, def, run, RECIPIENT_BIT(RECIPIENT_FAILED));
}

enum err broadcasts_loaded(struct engine *engine)
{
    for (uint32_t i = 0; i < engine->broadcasts.count; i++)
        if (broadcast_is_under_way(&engine->broadcasts.items[i])) {
            TRY(broadcast_addresses_make(engine, i));
        } else {
            addresses_done(&engine->broadcasts.items[i].addresses);
        }
    return OK;
}

/* ---- questions ---- */

static const char *const STATE_WORDS[] = {
    [BROADCAST_DRAFT] = "draft",         [BROADCAST_SCHEDULED] = "scheduled",
    [BROADCAST_RUNNING] = "running",     [BROADCAST_PAUSED] = "paused",
    [BROADCAST_CANCELLED] = "cancelled", [BROADCAST_CANCELLING] = "cancelling",
    [BROADCAST_FINISHED] = "finished",
};

const char *broadcast_state_word(enum broadcast_state state)
{
    return STATE_WORDS[state];
}

const char *broadcast_phase_word(enum broadcast_phase phase)
{
    static const char *const words[BROADCAST_PHASES] = { "dealt", "testing", "tested", "asked",
                                                         "chosen" };
    return words[phase];
}

static enum broadcast_state state_of(const struct engine *engine, const struct broadcast_run *run)
{
    return !run->is_launched   ? BROADCAST_DRAFT
           : run->is_cancelled ? run->finished_ms == 0 ? BROADCAST_CANCELLING : BROADCAST_CANCELLED
           : run->finished_ms != 0          ? BROADCAST_FINISHED
           : run->is_paused                 ? BROADCAST_PAUSED
           : run->start_ms > engine->now_ms ? BROADCAST_SCHEDULED
                                            : BROADCAST_RUNNING;
}

uint32_t engine_broadcasts(const struct engine *engine)
{
    return engine->program->broadcasts.count;
}

bool engine_broadcast(const struct engine *engine, uint32_t number, struct broadcast_status *out)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, number);
    const struct broadcast_run *run = broadcast_run_get(engine, number);
    if (def->arena == NULL)
        return false;
    *out = (struct broadcast_status){ .def = def,
                                      .state = state_of(engine, run),
                                      .launched_ms = run->launched_ms,
                                      .start_ms = run->start_ms,
                                      .finished_ms = run->finished_ms,
                                      .next_ms = broadcast_next_ms(run),
                                      .expected = run->expected,
                                      .looked = run->looking.cursor,
                                      .all = run->looking.end,
                                      .is_looking =
                                          broadcast_is_under_way(run) && broadcast_is_looking(run),
                                      .retries = run->retries,
                                      .test = run->test };
    if (run->test.phase == BROADCAST_TESTED)
        out->decides_ms = run->round_ms;
    out->is_lost = out->state == BROADCAST_PAUSED && out->is_looking &&
                   !broadcast_audience_stands(engine, def);
    for (int i = 0; i < RECIPIENT_STATES; i++)
        out->counts[i] = run->recipients.counts[i];
    return true;
}

uint32_t engine_broadcast_people(const struct engine *engine, uint32_t number, uint32_t bits,
                                 uint32_t *from, uint32_t *people, enum recipient_state *states,
                                 uint32_t room)
{
    const struct recipients *recipients = &broadcast_run_get(engine, number)->recipients;
    uint32_t                 count = 0, p = recipients_next(recipients, bits, *from);
    for (; p != UINT32_MAX && count < room; p = recipients_next(recipients, bits, p + 1)) {
        if (people_is_nobody(engine->people, p))
            continue; /* erased: still counted, and nobody */
        people[count] = people_root(engine->people, p);
        if (states != NULL)
            states[count] = recipients_get(recipients, p);
        count++;
    }
    *from = p;
    return count;
}

/* ---- before a launch ---- */

struct broadcast_seen {
    struct addresses       addresses;
    struct arena          *arena;
    struct segment_program audience;
};

void broadcast_preview_done(struct broadcast_preview *preview)
{
    if (preview->seen == NULL)
        return;
    addresses_done(&preview->seen->addresses);
    arena_close(preview->seen->arena);
    free(preview->seen);
    preview->seen = NULL;
}

static enum err seen_open(const struct engine *engine, const struct broadcast_def *def,
                          struct broadcast_preview *preview)
{
    struct segment_names names = program_names(engine->program, false);
    preview->seen = calloc(1, sizeof *preview->seen);
    if (preview->seen == NULL)
        return ERR_MEMORY;
    preview->first_ms = preview->last_ms = TIME_NEVER;
    preview->seen->arena = arena_open(PROGRAM_ARENA_BYTES_MAX);
    return preview->seen->arena == NULL ? ERR_MEMORY
                                        : segment_compile(preview->seen->arena, def->audience.tree,
                                                          &names, &preview->seen->audience, NULL);
}

/* As the claim would have it. */
static enum err would_be(const struct engine *engine, struct broadcast_preview *preview,
                         uint32_t person, enum recipient_state *out)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, preview->number);
    const struct broadcast_run *none = broadcast_run_get(engine, UINT32_MAX);
    uint32_t                    template_id = broadcast_template_of(engine, def, none, person);
    enum consent_channel channel = program_template_at(engine->program, template_id)->channel;
    char                 who[16];
    if (holdout_has(&def->holdout, deal_person(engine, person, who))) {
        *out = RECIPIENT_HELD_OUT;
        return OK;
    }
    struct message message = { .template_id = template_id,
                               .topic = def->topic,
                               .journey = JOURNEY_NONE };
    char           bytes[REACH_BYTES_MAX];
    struct str     address = STR_NONE;
    struct str     why = consent_why_not(engine, person, &message, channel);
    if (str_is_empty(why))
        why = reach_address(engine, person, channel, bytes, &address);
    const struct suppression *known =
        str_is_empty(why) ? engine_suppression(engine, address) : NULL;
    if (known != NULL)
        why = suppression_why(known->reason);
    *out = str_is_empty(why) ? RECIPIENT_WAITING : recipient_of_reason(why);
    uint64_t hash = broadcast_address_hash(engine, address);
    if (*out != RECIPIENT_WAITING || hash == 0)
        return OK;
    if (addresses_find(&preview->seen->addresses, hash) != MAP_NONE)
        *out = RECIPIENT_TWICE;
    return *out == RECIPIENT_TWICE ? OK : addresses_put(&preview->seen->addresses, hash, person);
}

static void local_note(const struct engine *engine, const struct broadcast_def *def,
                       struct broadcast_preview *preview, uint32_t person)
{
    int64_t due_ms = broadcast_due_ms(engine, def, person);
    if (due_ms <= engine->now_ms) {
        preview->passed++;
        return;
    }
    if (due_ms < preview->first_ms)
        preview->first_ms = due_ms;
    if (preview->last_ms == TIME_NEVER || due_ms > preview->last_ms)
        preview->last_ms = due_ms;
}

enum err broadcast_preview_step(const struct engine *engine, struct broadcast_preview *preview,
                                uint32_t most, bool *done)
{
    const struct broadcast_def *def = program_broadcast_at(engine->program, preview->number);
    uint32_t                    all = people_count(engine->people);
    if (def->arena == NULL)
        return ERR_ABSENT;
    if (preview->seen == NULL)
        TRY(seen_open(engine, def, preview));
    for (; preview->cursor < all && most > 0; most--, preview->cursor++) {
        uint32_t             p = preview->cursor;
        enum recipient_state state;
        if (people_root(engine->people, p) != p || people_is_nobody(engine->people, p) ||
            !engine_ask(engine, &preview->seen->audience, p, engine->now_ms).holds)
            continue;
        preview->audience++;
        TRY(would_be(engine, preview, p, &state));
        preview->counts[state]++;
        if (state == RECIPIENT_WAITING && def->when == BROADCAST_LOCAL)
            local_note(engine, def, preview, p);
    }
    *done = preview->cursor == all;
    return OK;
}
