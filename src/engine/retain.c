#include "engine/retain.h"

#include <stdlib.h>
#include <string.h>

#include "engine/inside.h"
#include "engine/vec.h"

enum { ASKS_A_CLOCK = 4000 }; /* of segments, of one clock record */

void retaining_done(struct retaining *retaining)
{
    retention_done(&retaining->in_force);
    retention_done(&retaining->coming);
    VEC_DONE(&retaining->segments);
    free(retaining->merged.profiles);
    free(retaining->asked.profiles);
}

/* ---- when ---- */

bool engine_retention_is_due(struct engine *engine, bool may_lengthen)
{
    struct retaining *r = &engine->retaining;
    struct retention  wanted;
    int64_t           day = engine->now_ms / TIME_DAY_MS;
    uint32_t          version = engine->program->retention.version;
    if (r->is_coming || (r->seen_day == day && r->seen_version == version))
        return false;
    if (program_retention_at(engine->program, engine->now_ms, &wanted) != OK)
        return false; /* no memory just now */
    bool is_same = retention_eq(&wanted, &r->in_force);
    bool is_longer = retention_is_longer(&wanted, &r->in_force);
    retention_done(&wanted);
    if (is_same) {
        r->seen_day = day;
        r->seen_version = version;
    }
    return !is_same && (may_lengthen || !is_longer);
}

enum err retain_apply(struct engine *engine)
{
    struct retaining *r = &engine->retaining;
    if (r->is_coming)
        return ERR_CONFLICT;
    TRY(program_retention_at(engine->program, engine->now_ms, &r->coming));
    r->is_coming = true;
    r->coming_seq = engine->seq;
    return OK;
}

bool engine_retention_is_coming(const struct engine *engine)
{
    return engine->retaining.is_coming;
}

enum err engine_retention_tell(struct engine *engine)
{
    return timeline_retain(engine->timeline, engine->retaining.coming);
}

void engine_retention_merged(struct engine *engine)
{
    struct retaining *r = &engine->retaining;
    free(r->merged.profiles);
    timeline_outlived_take(engine->timeline, &r->merged);
    r->is_merged = true;
}

bool retain_hides_any(const struct engine *engine)
{
    const struct retaining *r = &engine->retaining;
    return retention_hides_any(&r->in_force) || (r->is_coming && retention_hides_any(&r->coming));
}

bool retain_hides(const struct engine *engine, uint16_t name, int64_t at_ms)
{
    const struct retaining *r = &engine->retaining;
    return retention_hides(&r->in_force, name, at_ms) ||
           (r->is_coming && retention_hides(&r->coming, name, at_ms));
}

/* ---- who is asked ---- */

static enum err asked_reach(struct outlived *asked, uint32_t bytes)
{
    if (bytes <= asked->bytes)
        return OK;
    unsigned char *grown = realloc(asked->profiles, bytes);
    if (grown == NULL)
        return ERR_MEMORY;
    memset(grown + asked->bytes, 0, bytes - asked->bytes);
    asked->profiles = grown;
    asked->bytes = bytes;
    return OK;
}

/* Those whom this merge took events from, beside those not yet asked because of one before. */
static enum err asked_add(struct engine *engine, bool everyone)
{
    struct retaining *r = &engine->retaining;
    uint32_t          all = people_count(engine->people) / 8 + 1;
    TRY(asked_reach(&r->asked, r->merged.bytes));
    TRY(asked_reach(&r->asked, everyone ? all : 0));
    if (everyone)
        memset(r->asked.profiles, 0xFF, r->asked.bytes);
    for (uint32_t i = 0; i < r->merged.bytes; i++)
        r->asked.profiles[i] |= r->merged.profiles[i];
    r->cursor = 0;
    return OK;
}

/* Segments that see far enough back to miss what is gone; who is unsure what is takes all. */
static enum err segments_find(struct engine *engine)
{
    static const struct retention anything = { NULL, 0, INT64_MAX };
    struct retaining             *r = &engine->retaining;
    const struct program         *program = engine->program;
    const struct retention       *gone = r->is_unsure ? &anything : &r->in_force;
    r->segments.count = 0;
    for (uint32_t i = 0; i < program->segments.count; i++) {
        const struct segment_def *def = &program->segments.items[i];
        if (def->arena != NULL && segment_sees(&def->program, gone, engine->now_ms))
            TRY(VEC_ADD(&r->segments, i));
    }
    return OK;
}

static enum err asking_begin(struct engine *engine, bool everyone)
{
    struct retaining *r = &engine->retaining;
    if (!everyone && r->merged.events == 0 && !r->is_asking)
        return OK;
    TRY(asked_add(engine, everyone));
    TRY(segments_find(engine));
    r->is_asking = true;
    return OK;
}

enum err retained_apply(struct engine *engine)
{
    struct retaining *r = &engine->retaining;
    if (!r->is_coming || !r->is_merged)
        return ERR_CONFLICT;
    retention_done(&r->in_force);
    r->in_force = r->coming;
    r->coming = retention_none();
    r->is_coming = r->is_merged = false;
    r->seq = engine->seq;
    r->base_seq = r->coming_seq;
    r->seen_version = 0;
    r->removed += r->merged.events;
    TRY(asking_begin(engine, r->is_unsure));
    r->is_unsure = false;
    free(r->merged.profiles);
    r->merged = (struct outlived){ 0 };
    return OK;
}

/* ---- asking ---- */

static bool has_bit(const struct outlived *asked, uint32_t profile)
{
    return profile / 8 < asked->bytes && (asked->profiles[profile / 8] >> profile % 8 & 1) != 0;
}

bool retain_concerns(const struct engine *engine, uint32_t root)
{
    const struct retaining *r = &engine->retaining;
    uint32_t                member = root;
    if (!r->is_asking)
        return false;
    do {
        if (has_bit(&r->asked, member))
            return true;
        member = people_get(engine->people, member)->next;
    } while (member != root);
    return false;
}

static void is_asked(struct engine *engine, uint32_t root)
{
    struct outlived *asked = &engine->retaining.asked;
    uint32_t         member = root;
    do {
        if (member / 8 < asked->bytes)
            asked->profiles[member / 8] &= (unsigned char)~(1 << member % 8);
        member = people_get(engine->people, member)->next;
    } while (member != root);
}

static uint32_t members_of(const struct engine *engine, uint32_t root)
{
    const struct state *state = people_state_get(engine->people, root);
    uint32_t            count = 0;
    for (uint32_t i = 0; i < state->memberships.count; i++)
        count += memberships_at(&state->memberships, i).in;
    return count;
}

enum err retain_ask(struct engine *engine, struct out *out, uint32_t root)
{
    struct retaining *r = &engine->retaining;
    struct step       step;
    int64_t           wake_ms = people_get(engine->people, root)->wake_ms;
    int64_t           at_ms = wake_ms < engine->now_ms ? wake_ms : engine->now_ms;
    hear_forget(engine, root);
    TRY(step_begin(&step, engine, out, root, at_ms, true));
    is_asked(engine, root);
    uint64_t before = engine->memberships_changed;
    uint32_t in = members_of(engine, root);
    for (uint32_t i = 0; i < r->segments.count; i++)
        TRY(membership_ask(&step, r->segments.items[i]));
    TRY(journeys_look(&step, LOOK_ALL, 0));
    TRY(step_run(&step));
    /* Each change is one more in or one less: from both sums the two numbers follow. */
    uint64_t changed = engine->memberships_changed - before;
    int64_t  more = (int64_t)members_of(engine, root) - in;
    r->entered += (uint64_t)((int64_t)changed + more) / 2;
    r->left += (uint64_t)((int64_t)changed - more) / 2;
    return OK;
}

enum err retain_go_on(struct engine *engine, struct out *out)
{
    struct retaining *r = &engine->retaining;
    uint32_t          all = people_count(engine->people), each = r->segments.count + 1;
    uint32_t          most = ASKS_A_CLOCK / each + 1;
    for (; r->cursor < all && most > 0; r->cursor++) {
        if (r->cursor % 8 == 0 && r->cursor / 8 < r->asked.bytes &&
            r->asked.profiles[r->cursor / 8] == 0)
            r->cursor += 7; /* none of these eight */
        else if (has_bit(&r->asked, r->cursor)) {
            TRY(wakes_before(engine, out, r->cursor, engine->now_ms));
            most--;
        }
    }
    if (r->cursor < all)
        return OK;
    free(r->asked.profiles);
    r->asked = (struct outlived){ 0 };
    r->is_asking = false;
    return OK;
}

/* ---- to be told, and to be kept ---- */

struct engine_retention engine_retention(const struct engine *engine)
{
    const struct retaining *r = &engine->retaining;
    return (struct engine_retention){ .in_force = r->in_force,
                                      .seq = r->seq,
                                      .is_coming = r->is_coming,
                                      .is_asking = r->is_asking,
                                      .older = r->older,
                                      .removed = r->removed,
                                      .entered = r->entered,
                                      .left = r->left };
}

uint64_t engine_retention_base_seq(const struct engine *engine)
{
    return engine->retaining.base_seq;
}

/* The record that announced what is coming tells one announcement from the next. */
void engine_retention_write(const struct engine *engine, struct buf *out)
{
    const struct retaining *r = &engine->retaining;
    if (r->seq == 0 && !r->is_coming && !r->is_unsure)
        return;
    buf_format(out, "%llu:%llu:%d:%llu|", (unsigned long long)r->seq,
               (unsigned long long)r->base_seq, r->is_asking,
               r->is_coming ? (unsigned long long)r->coming_seq : (unsigned long long)r->is_unsure);
    retention_text_write(&r->in_force, own_to_store, out);
}

static enum err numbers_read(struct str text, int64_t *numbers, int count)
{
    struct str one;
    for (int i = 0; i < count; i++)
        if (!str_split(&text, ':', &one) || str_to_int(one, &numbers[i]) != OK)
            return ERR_CORRUPT;
    return OK;
}

/*
 * What was announced is announced anew by whoever loads; but a base may have been made by it
 * already, so that nobody knows from whom it took events: everyone is asked at once, and again when
 * it is in force.
 */
enum err engine_retention_load(struct engine *engine, struct str text)
{
    struct retaining *r = &engine->retaining;
    struct str        head;
    int64_t           numbers[4];
    if (text.len == 0)
        return OK;
    if (!str_split(&text, '|', &head))
        return ERR_CORRUPT;
    TRY(numbers_read(head, numbers, 4));
    retention_done(&r->in_force);
    TRY(retention_text_read(text, own_of_store, &r->in_force));
    r->seq = (uint64_t)numbers[0];
    r->base_seq = (uint64_t)numbers[1];
    r->is_asking = numbers[2] == 1; /* engine_load_end begins with everyone */
    r->is_unsure = numbers[3] != 0;
    return OK;
}

enum err retain_loaded(struct engine *engine)
{
    struct retaining *r = &engine->retaining;
    bool              is_older = engine->loaded_seq > 0 && engine->loaded_seq < r->seq;
    if (!r->is_asking && !is_older && !r->is_unsure)
        return OK;
    r->is_asking = false;
    return asking_begin(engine, true);
}
