/*
 * erasure: what is left of the decisions about people who were erased.
 *
 * Loading applies all stored decisions again, and some of theirs carry others: numbers of profiles
 * are given in order, a merge that was undone moved what others had, an enrollment begun by one
 * profile may have gone on with another. Those stay, bare of all but numbers and the names of
 * definitions. An identity that the erased took over from somebody (a shared device) is taken
 * out of the other's row, too: else it would be theirs again after the next start.
 *
 *      PROFILE, MERGE, UNMERGE                    bare
 *      of an enrollment or message that went     bare (it stays in checkpoint rows, too)
 *        over to a living person by a merge,
 *        or that another one had begun
 *      ERASED                                     whole: it stands for the rest
 *      all else                                   nothing
 *      PROFILE, IDENTITY of a living profile      bare, when the identity moved on to an erased
 *                                                 one (so in checkpoint rows: checkpoint_pruned)
 *
 * Always true   an engine loaded from what is left is the one that was told of the erasure.
 * Cost          a bit a profile; of the erased 24 bytes an enrollment or message, each looked at
 * for each merge that absorbed one of them, and for each undone; 28 a broadcast's key; and the
 * texts of their identities.
 * Knows not     how decisions are stored; they are shown twice, in order.
 */
#ifndef DULT_ENGINE_ERASURE_H
#define DULT_ENGINE_ERASURE_H

#include "base/json.h"
#include "engine/decision.h"
#include "engine/profile/people.h"

struct erasure;

struct erasure *erasure_open(void); /* NULL without memory */
void            erasure_close(struct erasure *erasure);

/* First the profiles. ERR_MEMORY. */
MUST enum err erasure_add(struct erasure *erasure, uint32_t profile);
bool          erasure_has(const struct erasure *erasure, uint32_t profile);

/* Then every decision once, by id; `detail` counts, what is read from it does not. ERR_MEMORY. */
MUST enum err erasure_see(struct erasure *erasure, const struct decision *decision);

enum erasure_rest { ERASURE_NOTHING, ERASURE_BARE, ERASURE_WHOLE };
/* After all: what is left of this one. */
enum erasure_rest erasure_rest(const struct erasure *erasure, const struct decision *decision);

/* Is nothing left of the enrollment or message that one of them began, or of all under a
 * broadcast's key? */
bool erasure_drops(const struct erasure *erasure, uint64_t id);

/* Was one of them ever absorbed by another person, who then has what they had? */
bool erasure_was_absorbed(const struct erasure *erasure, uint32_t profile);

/* Did the identity go to one of them after record `seq`? Then a living profile's checkpoint row of
 * that record has it still. */
bool erasure_took(const struct erasure *erasure, enum identity_kind kind, struct str text,
                  uint64_t seq);

/* The detail of a bare one. */
void erasure_bare(const struct json *detail, struct buf *out);

#endif
