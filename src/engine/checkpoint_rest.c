/* What is left of rows that were written before an erasure. */
#include <string.h>

#include "engine/checkpoint.h"
#include "engine/checkpoint_row.h"
#include "engine/erasure.h"

/* The bytes of a part; false: the row ends before it does. */
static bool part_take(struct str *rest, const struct row_head *head, int part, size_t size,
                      struct str *bytes)
{
    uint32_t count = head->counts[part];
    if (count > rest->len / size)
        return false;
    *bytes = str_slice(*rest, 0, count * size);
    *rest = str_slice(*rest, count * size, rest->len);
    return true;
}

static bool parts_take(struct str rest, const struct row_head *head, struct str parts[PARTS])
{
    struct rare  rare = { .enrollments = { .count = 0 } };
    struct rarer rarer = { .consents = { .count = 0 } };
    struct state state = { .rare = &rare, .rarer = &rarer };
    struct part  all[PARTS];
    char         kind;
    struct str   text;
    row_parts(&state, all);
    for (uint32_t i = 0; i < head->identities; i++)
        if (!row_identity_take(&rest, &kind, &text))
            return false;
    for (int i = 0; i < PARTS; i++)
        if (!part_take(&rest, head, i, all[i].size, &parts[i]))
            return false;
    return rest.len == 0;
}

/* Whether the item with that id stays; with no erasure they all do. */
static bool is_kept(const struct erasure *erasure, uint64_t id)
{
    return erasure == NULL || !erasure_drops(erasure, id);
}

static void enrollments_keep(struct str *rest, const struct erasure *erasure, struct row_head *head,
                             struct buf *out)
{
    struct enrollment enrollment;
    while (row_bytes_take(rest, &enrollment, sizeof enrollment))
        if (is_kept(erasure, enrollment.id)) {
            row_bytes_add(out, &enrollment, sizeof enrollment);
            head->counts[PART_ENROLLMENTS]++;
        }
}

static void messages_keep(struct str *rest, const struct erasure *erasure, struct row_head *head,
                          struct buf *out)
{
    struct message message;
    while (row_bytes_take(rest, &message, sizeof message))
        if (is_kept(erasure, message.id)) {
            row_bytes_add(out, &message, sizeof message);
            head->counts[PART_MESSAGES]++;
        }
}

static void codes_keep(struct str *rest, const struct erasure *erasure, struct row_head *head,
                       struct buf *out)
{
    struct code_given given;
    while (row_bytes_take(rest, &given, sizeof given))
        if (is_kept(erasure, given.of)) {
            row_bytes_add(out, &given, sizeof given);
            head->counts[PART_CODES]++;
        }
}

enum err checkpoint_bare(struct str state, const struct erasure *erasure, uint32_t profile,
                         struct buf *out)
{
    struct row_head head;
    struct str      parts[PARTS];
    if (!row_bytes_take(&state, &head, sizeof head) || !row_is_ours(&head) ||
        !parts_take(state, &head, parts))
        return ERR_CORRUPT;
    struct row_head bare = { .version = head.version,
                             .root = head.root,
                             .next = head.next,
                             .arrived_ms = head.arrived_ms,
                             .head = head.head,
                             .wake_ms = TIME_NEVER,
                             .flags = head.flags & ROW_ERASED };
    buf_reset(out);
    row_bytes_add(out, &bare, sizeof bare);
    enrollments_keep(&parts[PART_ENROLLMENTS], erasure, &bare, out);
    if (erasure == NULL || erasure_was_absorbed(erasure, profile)) {
        buf_str(out, parts[PART_PASTS]);
        bare.counts[PART_PASTS] = head.counts[PART_PASTS];
    }
    messages_keep(&parts[PART_MESSAGES], erasure, &bare, out);
    buf_str(out, parts[PART_MERGES]);
    bare.counts[PART_MERGES] = head.counts[PART_MERGES];
    codes_keep(&parts[PART_CODES], erasure, &bare, out);
    TRY(buf_err(out));
    memcpy(out->ptr, &bare, sizeof bare);
    return OK;
}

enum err checkpoint_pruned(struct str state, const struct erasure *erasure, uint64_t seq,
                           struct buf *out)
{
    struct row_head head;
    struct str      text, rest = state;
    char            kind;
    buf_reset(out);
    if (!row_bytes_take(&rest, &head, sizeof head) || !row_is_ours(&head))
        return ERR_CORRUPT;
    uint32_t identities = head.identities;
    row_bytes_add(out, &head, sizeof head);
    for (uint32_t i = 0; i < identities; i++) {
        struct str all = rest;
        if (!row_identity_take(&rest, &kind, &text))
            return ERR_CORRUPT;
        if (erasure_took(erasure, (enum identity_kind)kind, text, seq))
            head.identities--;
        else
            buf_str(out, str_slice(all, 0, all.len - rest.len));
    }
    buf_str(out, rest);
    TRY(buf_err(out));
    memcpy(out->ptr, &head, sizeof head);
    if (head.identities == identities)
        buf_reset(out);
    return OK;
}
