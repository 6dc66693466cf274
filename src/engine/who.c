/*
 * Whose record is it? The rules, strongest first:
 *
 *   - a userId is a person; an anonymousId is a person until it is tied to a userId
 *   - a record with both ties them: the anonymous history joins the known person
 *   - a device that already belongs to another known person is shared: its history stays where it
 *     is, and what it does anonymously from then on belongs to nobody known
 *   - two known persons become one only by alias
 *   - an external id (context.externalIds) ties an anonymous person to a known one, never two known
 *     ones; an e-mail address ties nobody
 */
#include "engine/inside.h"

enum { EXTERNAL_IDS_MAX = 10 };

static enum err profile_new(struct engine *engine, const struct record *record, struct out *out,
                            enum identity_kind kind, struct str text, uint32_t *profile)
{
    *profile = people_count(engine->people);
    return decide(engine, out,
                  (struct decision){ .kind = DECISION_PROFILE,
                                     .profile = *profile,
                                     .at_ms = record->received_ms,
                                     .subject = (uint64_t)kind,
                                     .text = text });
}

static enum err identity_give(struct engine *engine, const struct record *record, struct out *out,
                              uint32_t profile, enum identity_kind kind, struct str text)
{
    return decide(engine, out,
                  (struct decision){ .kind = DECISION_IDENTITY,
                                     .profile = profile,
                                     .at_ms = record->received_ms,
                                     .subject = (uint64_t)kind,
                                     .text = text });
}

/* Which of two enrollments in one journey goes on: the one furthest, then the older. */
static bool further(const struct enrollment *a, const struct enrollment *b)
{
    return a->node != b->node ? a->node > b->node : a->id < b->id;
}

/*
 * Which of the two ends by the merge; NULL: both go on. One journey holds a person once (a key, or
 * as often as it says at once: `is_full`), and who was let in anywhere is none who was held out:
 * that one's goal is theirs, and not the journey's lack.
 */
static const struct enrollment *loser_of(const struct enrollment *a, const struct enrollment *b,
                                         bool is_full)
{
    if (a->journey != b->journey)
        return NULL;
    if (a->is_held != b->is_held)
        return a->is_held ? a : b;
    if (is_full && a->key == b->key && enrollment_is_inside(a) && enrollment_is_inside(b))
        return further(a, b) ? b : a;
    return NULL;
}

/* Is it inside more often than it may be? Once a key. */
static bool is_full(const struct engine *engine, const struct state *state,
                    const struct enrollment *e)
{
    const struct journey_version *version =
        program_journey_version(engine->program, e->journey, e->version);
    uint32_t count = 0, most = version == NULL || e->key != 0 ? 1 : version->journey.at_once;
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        const struct enrollment *one = &state->rare->enrollments.items[i];
        count += one->journey == e->journey && one->key == e->key && enrollment_is_inside(one);
    }
    return count > most;
}

static enum err enrollments_settle(struct engine *engine, const struct record *record,
                                   struct out *out, uint32_t person)
{
    const struct state *state = people_state_get(engine->people, person);
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++)
        for (uint32_t k = i + 1; k < state->rare->enrollments.count; k++) {
            const struct enrollment *a = &state->rare->enrollments.items[i],
                                    *b = &state->rare->enrollments.items[k];
            const struct enrollment *loser = loser_of(a, b, is_full(engine, state, a));
            uint64_t                 id = loser == NULL ? 0 : loser->id;
            if (loser == NULL)
                continue;
            TRY(decide(
                engine, out,
                (struct decision){ .kind = loser->is_held ? DECISION_UNREACHED : DECISION_ENDED,
                                   .profile = person,
                                   .at_ms = record->received_ms,
                                   .subject = id,
                                   .object = loser->node,
                                   .text = STR("merged") }));
            TRY(outbox_drop_of(engine, out, person, id, STR("merged")));
            return enrollments_settle(engine, record, out, person); /* the list has changed */
        }
    return OK;
}

static enum err merge(struct engine *engine, const struct record *record, struct out *out,
                      uint32_t into, uint32_t from, struct str why)
{
    uint32_t both =
        people_ring_count(engine->people, into) + people_ring_count(engine->people, from);
    if (both > RING_PROFILES_MAX)
        return OK; /* a shared account: kept apart */
    TRY(wakes_before(engine, out, into, record->received_ms));
    TRY(wakes_before(engine, out, from, record->received_ms));
    TRY(decide(engine, out,
               (struct decision){ .kind = DECISION_MERGE,
                                  .profile = into,
                                  .at_ms = record->received_ms,
                                  .subject = people_root(engine->people, from),
                                  .text = why }));
    TRY(own_refusals_tell(engine, out, people_root(engine->people, into), STR("merged")));
    return enrollments_settle(engine, record, out, people_root(engine->people, into));
}

static bool is_known(const struct engine *engine, uint32_t profile)
{
    return people_has_kind(engine->people, profile, IDENTITY_USER);
}

/* An anonymousId that comes together with the userId of `user`. */
static enum err device_tie(struct engine *engine, const struct record *record, struct out *out,
                           uint32_t user, struct who *who)
{
    struct people *people = engine->people;
    uint32_t       device = people_find(people, IDENTITY_ANONYMOUS, record->anonymous_id);
    if (device == PROFILE_NONE)
        return identity_give(engine, record, out, user, IDENTITY_ANONYMOUS, record->anonymous_id);
    uint32_t device_root = people_root(people, device), user_root = people_root(people, user);
    if (device_root == user_root || people_get(people, device)->shared)
        return OK;
    if (!is_known(engine, device_root)) {
        who->fresh = true;
        return merge(engine, record, out, user_root, device_root, STR("seen together"));
    }
    /* Another known person's device: from now on its anonymous events are nobody's known. */
    TRY(profile_new(engine, record, out, IDENTITY_ANONYMOUS, record->anonymous_id, &who->also));
    return decide(engine, out,
                  (struct decision){ .kind = DECISION_SHARED,
                                     .profile = who->also,
                                     .at_ms = record->received_ms,
                                     .subject = device,
                                     .text = record->anonymous_id });
}

/*
 * An anonymousId that a known person's record brought, now alone: it gets a profile of its own,
 * joined to that person, so that an undo can tell its events apart.
 */
static enum err device_own(struct engine *engine, const struct record *record, struct out *out,
                           uint32_t owner, struct who *who)
{
    uint32_t           at = PROFILE_NONE;
    enum identity_kind kind;
    struct str         text;
    while (people_identity(engine->people, owner, &at, &kind, &text))
        if (kind == IDENTITY_USER)
            break;
    if (at == PROFILE_NONE) {
        who->profile = owner;
        return OK;
    }
    TRY(profile_new(engine, record, out, IDENTITY_ANONYMOUS, record->anonymous_id, &who->profile));
    TRY(merge(engine, record, out, people_root(engine->people, owner), who->profile,
              STR("seen together")));
    /* Where the ring was full the device is a person of its own, and new. */
    who->fresh = people_root(engine->people, who->profile) == who->profile;
    return OK;
}

static enum err external_tie(struct engine *engine, const struct record *record, struct out *out,
                             struct str text, struct who *who)
{
    struct people *people = engine->people;
    uint32_t       owner = people_find(people, IDENTITY_EXTERNAL, text);
    if (owner == PROFILE_NONE)
        return identity_give(engine, record, out, who->profile, IDENTITY_EXTERNAL, text);
    uint32_t a = people_root(people, owner), b = people_root(people, who->profile);
    if (a == b || (is_known(engine, a) && is_known(engine, b)))
        return OK;
    who->fresh = true;
    bool keep_a = is_known(engine, a) || !is_known(engine, b);
    return merge(engine, record, out, keep_a ? a : b, keep_a ? b : a, STR("same external id"));
}

static enum err externals(struct engine *engine, const struct record *record, struct out *out,
                          struct who *who)
{
    const struct json *ids = json_get(record->context, STR("externalIds"));
    if (ids == NULL || ids->kind != JSON_ARRAY)
        return OK;
    for (uint32_t i = 0; i < ids->count && i < EXTERNAL_IDS_MAX; i++) {
        struct str id = json_get_str(&ids->items[i], STR("id"));
        struct str type = json_get_str(&ids->items[i], STR("type"));
        if (str_is_empty(id) || str_is_empty(type) || str_eq_nocase(type, STR("email")) ||
            id.len + type.len + 1 > IDENTITY_BYTES_MAX)
            continue;
        struct str text = str_format(out->arena, "%.*s:%.*s", STR_ARG(type), STR_ARG(id));
        if (text.ptr == NULL)
            return ERR_MEMORY;
        TRY(external_tie(engine, record, out, text, who));
    }
    return OK;
}

enum err who_of(struct engine *engine, const struct record *record, struct out *out,
                enum identity_kind kind, struct str text, struct who *who)
{
    *who = (struct who){ .profile = people_find(engine->people, kind, text), .also = PROFILE_NONE };
    who->fresh = who->profile == PROFILE_NONE;
    return who->fresh ? profile_new(engine, record, out, kind, text, &who->profile) : OK;
}

enum err who_resolve(struct engine *engine, const struct record *record, struct out *out,
                     struct who *who)
{
    *who = (struct who){ .profile = PROFILE_NONE, .also = PROFILE_NONE };
    bool               user = !str_is_empty(record->user_id);
    enum identity_kind kind = user ? IDENTITY_USER : IDENTITY_ANONYMOUS;
    struct str         text = user ? record->user_id : record->anonymous_id;

    who->profile = people_find(engine->people, kind, text);
    if (who->profile == PROFILE_NONE) {
        TRY(profile_new(engine, record, out, kind, text, &who->profile));
        who->fresh = true;
    } else if (!user) {
        TRY(device_own(engine, record, out, who->profile, who));
    }
    if (user && !str_is_empty(record->anonymous_id))
        TRY(device_tie(engine, record, out, who->profile, who));
    if (record->context != NULL)
        TRY(externals(engine, record, out, who));
    return OK;
}

enum err who_alias(struct engine *engine, const struct record *record, struct out *out,
                   struct who *who)
{
    struct people *people = engine->people;
    TRY(who_resolve(engine, record, out, who));
    uint32_t old = people_find(people, IDENTITY_USER, record->previous_id);
    if (old == PROFILE_NONE)
        old = people_find(people, IDENTITY_ANONYMOUS, record->previous_id);
    if (old == PROFILE_NONE) {
        who->fresh = true;
        return identity_give(engine, record, out, who->profile, IDENTITY_ANONYMOUS,
                             record->previous_id);
    }
    uint32_t into = people_root(people, who->profile), from = people_root(people, old);
    if (into == from)
        return OK;
    who->fresh = true;
    return merge(engine, record, out, into, from, STR("alias"));
}
