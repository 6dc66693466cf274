#include "engine/erasure.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/map.h"
#include "engine/broadcast.h"
#include "engine/vec.h"

enum { DETAIL_BYTES_MAX = 8 * IDENTITY_BYTES_MAX };

/* Something that later decisions name by the id of its first. */
struct begun {
    uint64_t id;
    uint64_t key;        /* of a broadcast; 0: none's */
    uint32_t person;     /* whose it is by now */
    bool     is_sent;    /* a message that is final, and nobody's any more */
    bool     is_carried; /* it went over to a living person */
};

/* An identity that was given to one of them, as the decision's detail says it. */
struct given {
    uint64_t kind, id, seq; /* of the last decision that gave it */
    char    *detail;        /* malloc'ed */
    size_t   len;
};

/* All that was queued under a broadcast's key by one of them. */
struct begun_key {
    uint64_t key;
    bool     is_carried; /* any of it */
};

struct erasure {
    unsigned char *bits;
    uint32_t       bytes;
    struct {
        struct begun_key *items;
        uint32_t          count, room;
    } keys;
    struct map by_key; /* -> keys */
    struct {
        struct begun *items; /* by id */
        uint32_t      count, room;
    } begun;
    struct {
        uint32_t *items;
        uint32_t  count, room;
    } absorbed; /* by anyone */
    struct {
        struct given *items;
        uint32_t      count, room;
    } given;
    struct map by_detail; /* -> given */
};

struct erasure *erasure_open(void)
{
    struct erasure *erasure = calloc(1, sizeof *erasure);
    if (erasure != NULL) {
        erasure->by_key = map_make();
        erasure->by_detail = map_make();
    }
    return erasure;
}

void erasure_close(struct erasure *erasure)
{
    if (erasure == NULL)
        return;
    for (uint32_t i = 0; i < erasure->given.count; i++)
        free(erasure->given.items[i].detail);
    VEC_DONE(&erasure->given);
    VEC_DONE(&erasure->keys);
    map_done(&erasure->by_key);
    VEC_DONE(&erasure->begun);
    VEC_DONE(&erasure->absorbed);
    map_done(&erasure->by_detail);
    free(erasure->bits);
    free(erasure);
}

/* ---- whom ---- */

enum err erasure_add(struct erasure *erasure, uint32_t profile)
{
    uint32_t byte = profile / 8;
    if (byte >= erasure->bytes) {
        unsigned char *grown = realloc(erasure->bits, (size_t)byte + 1);
        if (grown == NULL)
            return ERR_MEMORY;
        memset(grown + erasure->bytes, 0, byte + 1 - erasure->bytes);
        erasure->bits = grown;
        erasure->bytes = byte + 1;
    }
    erasure->bits[byte] |= (unsigned char)(1 << profile % 8);
    return OK;
}

bool erasure_has(const struct erasure *erasure, uint32_t profile)
{
    return profile / 8 < erasure->bytes && (erasure->bits[profile / 8] >> profile % 8 & 1) != 0;
}

/* ---- enrollments and messages ---- */

/* The enrollment or message that the decision begins or is about; 0 for none. */
static uint64_t subject_of(const struct decision *d)
{
    switch (d->kind) {
    case DECISION_ENROLLED:
    case DECISION_HELD_OUT:
    case DECISION_INTENT:
        return d->id;
    case DECISION_STEP:
    case DECISION_MOVED:
    case DECISION_ENDED:
    case DECISION_GOAL:
    case DECISION_UNREACHED:
    case DECISION_CLAIMED:
    case DECISION_SENT:
    case DECISION_FAILED:
    case DECISION_UNKNOWN:
    case DECISION_DROPPED:
    case DECISION_DEFERRED:
    case DECISION_RETURNED:
    case DECISION_CODE:
    case DECISION_WAITING:
        return d->subject;
    default:
        return 0;
    }
}

static struct begun *begun_find(const struct erasure *erasure, uint64_t id)
{
    uint32_t low = 0, high = erasure->begun.count;
    while (low < high) {
        uint32_t      middle = low + (high - low) / 2;
        struct begun *begun = &erasure->begun.items[middle];
        if (begun->id == id)
            return begun;
        if (begun->id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* What is in doubt is not: it goes over by a merge, and is settled there. */
static bool is_final(enum decision_kind kind)
{
    return kind == DECISION_SENT || kind == DECISION_FAILED || kind == DECISION_DROPPED;
}

static bool key_is(const void *owner, uint32_t value, const void *wanted)
{
    return ((const struct erasure *)owner)->keys.items[value].key == *(const uint64_t *)wanted;
}

static struct begun_key *key_find(const struct erasure *erasure, uint64_t key)
{
    uint32_t i = map_find(&erasure->by_key, hash_u64(key, 1), key_is, erasure, &key);
    return i == MAP_NONE ? NULL : &erasure->keys.items[i];
}

static enum err key_note(struct erasure *erasure, uint64_t key)
{
    if (key == 0 || key_find(erasure, key) != NULL)
        return OK;
    TRY(VEC_ADD(&erasure->keys, (struct begun_key){ .key = key }));
    return map_add(&erasure->by_key, hash_u64(key, 1), erasure->keys.count - 1);
}

static void begun_carry(struct erasure *erasure, struct begun *begun)
{
    struct begun_key *key = begun->key == 0 ? NULL : key_find(erasure, begun->key);
    begun->is_carried = true;
    if (key != NULL)
        key->is_carried = true;
}

/* Who stays has what the absorbed one had, also when the two are parted again: messages that wait,
 * and enrollments; those that have ended too, for a journey may be entered once only. */
static enum err begun_move(struct erasure *erasure, const struct decision *d)
{
    uint32_t from = (uint32_t)d->subject;
    if (!erasure_has(erasure, from))
        return OK;
    for (uint32_t i = 0; i < erasure->begun.count; i++) {
        struct begun *begun = &erasure->begun.items[i];
        if (begun->person != from || begun->is_sent)
            continue;
        begun->person = d->profile;
        if (!erasure_has(erasure, d->profile))
            begun_carry(erasure, begun);
    }
    return VEC_ADD(&erasure->absorbed, from);
}

/* When a merge is undone a broadcast's message may go back, and on to whoever absorbs that profile:
 * it is not followed, and stays bare. */
static void begun_part(struct erasure *erasure, uint32_t person)
{
    for (uint32_t i = 0; i < erasure->begun.count; i++) {
        struct begun *begun = &erasure->begun.items[i];
        if (begun->key != 0 && begun->person == person && !begun->is_sent)
            begun_carry(erasure, begun);
    }
}

bool erasure_was_absorbed(const struct erasure *erasure, uint32_t profile)
{
    for (uint32_t i = 0; i < erasure->absorbed.count; i++)
        if (erasure->absorbed.items[i] == profile)
            return true;
    return false;
}

static enum err begun_note(struct erasure *erasure, const struct decision *d)
{
    if (d->kind == DECISION_MERGE)
        return begun_move(erasure, d);
    if (d->kind == DECISION_UNMERGE)
        begun_part(erasure, d->profile);
    if ((d->kind == DECISION_ENROLLED || d->kind == DECISION_HELD_OUT ||
         d->kind == DECISION_INTENT) &&
        erasure_has(erasure, d->profile)) {
        bool     is_cast = d->kind == DECISION_INTENT && broadcast_is_key(d->subject);
        uint64_t key = is_cast ? d->subject : 0;
        TRY(key_note(erasure, key));
        return VEC_ADD(&erasure->begun,
                       (struct begun){ .id = d->id, .person = d->profile, .key = key });
    }
    struct begun *begun = is_final(d->kind) ? begun_find(erasure, d->subject) : NULL;
    if (begun != NULL)
        begun->is_sent = true;
    return OK;
}

/* All that was queued under a broadcast's key: a code is the key's, whichever of them took it. */
static bool key_drops(const struct erasure *erasure, uint64_t key)
{
    if (!erasure_has(erasure, broadcast_profile_of_key(key)))
        return false; /* whoever parted took it along */
    const struct begun_key *begun = key_find(erasure, key);
    return begun != NULL && !begun->is_carried;
}

bool erasure_drops(const struct erasure *erasure, uint64_t id)
{
    if (broadcast_is_key(id))
        return key_drops(erasure, id);
    const struct begun *begun = begun_find(erasure, id);
    return begun != NULL && !begun->is_carried;
}

/* ---- identities ---- */

static bool gives_identity(const struct decision *d)
{
    return d->kind == DECISION_PROFILE || d->kind == DECISION_IDENTITY;
}

static uint64_t given_hash(const struct decision *d)
{
    return hash_str(d->detail, d->subject);
}

static bool given_is(const void *owner, uint32_t value, const void *wanted)
{
    const struct given    *given = &((const struct erasure *)owner)->given.items[value];
    const struct decision *d = wanted;
    return given->kind == d->subject &&
           str_eq((struct str){ given->detail, given->len }, d->detail);
}

static struct given *given_find(const struct erasure *erasure, const struct decision *d)
{
    uint32_t i = map_find(&erasure->by_detail, given_hash(d), given_is, erasure, d);
    return i == MAP_NONE ? NULL : &erasure->given.items[i];
}

static enum err given_note(struct erasure *erasure, const struct decision *d)
{
    struct given *have = given_find(erasure, d);
    if (have != NULL) {
        have->id = d->id;
        have->seq = d->seq;
        return OK;
    }
    struct given given = { d->subject, d->id, d->seq, strndup(d->detail.ptr, d->detail.len),
                           d->detail.len };
    if (given.detail == NULL)
        return ERR_MEMORY;
    enum err err = VEC_ADD(&erasure->given, given);
    if (err != OK) {
        free(given.detail);
        return err;
    }
    return map_add(&erasure->by_detail, given_hash(d), erasure->given.count - 1);
}

bool erasure_took(const struct erasure *erasure, enum identity_kind kind, struct str text,
                  uint64_t seq)
{
    SCOPED(buf_donep) struct buf detail = buf_make(DETAIL_BYTES_MAX);
    bool                         first = true;
    if (erasure->given.count == 0)
        return false;
    buf_char(&detail, '{');
    json_write_key(&detail, &first, "id");
    json_write_str(&detail, text);
    buf_char(&detail, '}');
    struct decision     giving = { .subject = (uint64_t)kind, .detail = buf_view(&detail) };
    const struct given *given = buf_err(&detail) == OK ? given_find(erasure, &giving) : NULL;
    return given != NULL && given->seq > seq;
}

/* ---- decisions ---- */

enum err erasure_see(struct erasure *erasure, const struct decision *d)
{
    TRY(begun_note(erasure, d));
    return gives_identity(d) && erasure_has(erasure, d->profile) ? given_note(erasure, d) : OK;
}

static enum erasure_rest rest_of_living(const struct erasure *erasure, const struct decision *d)
{
    if (!gives_identity(d))
        return ERASURE_WHOLE;
    const struct given *given = given_find(erasure, d);
    return given != NULL && given->id > d->id ? ERASURE_BARE : ERASURE_WHOLE;
}

enum erasure_rest erasure_rest(const struct erasure *erasure, const struct decision *d)
{
    if (!erasure_has(erasure, d->profile))
        return rest_of_living(erasure, d);
    switch (d->kind) {
    case DECISION_ERASED:
        return ERASURE_WHOLE;
    case DECISION_PROFILE:
    case DECISION_MERGE:
    case DECISION_UNMERGE:
        return ERASURE_BARE;
    default:
        return subject_of(d) == 0 || erasure_drops(erasure, subject_of(d)) ? ERASURE_NOTHING
                                                                           : ERASURE_BARE;
    }
}

void erasure_bare(const struct json *detail, struct buf *out)
{
    static const char *const keys[] = { "broadcast",   "journey",  "journey_id",  "node",
                                        "node_number", "template", "template_id", "topic_id",
                                        "version",     "event",    "visit",       "due",
                                        "retry_at",    "codes",    "codes_id",    "expires",
                                        "held_out",    "key_id",   "back" };
    bool                     first = true;
    buf_char(out, '{');
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct json *value = json_get(detail, str_of(keys[i]));
        if (value == NULL)
            continue;
        json_write_key(out, &first, keys[i]);
        json_write(out, value);
    }
    buf_char(out, '}');
}
