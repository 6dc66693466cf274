/*
 * tailor: what of a template is this person's, at the claim?
 *
 *      template --+--> which variant, and why          {"name":"welcome.nb","id":4,"version":812,
 *                 |                                     "why":"language nb-NO (trait)"}
 *                 +--> what its blocks ask             "segments":["vip"],"$when":{"loyal":true}
 *
 * Both are frozen with the claim: what is shown later, in a browser, is what was mailed.
 *
 * Always true   the choice rests on what is known of the person at the engine's now alone.
 * Cost          nothing for a template without variants and blocks; a block is compiled and asked
 *               for each claim, some microseconds.
 */
#ifndef DULT_ENGINE_TAILOR_H
#define DULT_ENGINE_TAILOR_H

#include "engine/inside.h"
#include "engine/program_inside.h"

/* Which text the message is made of: the base itself, or a variant of it. */
struct tailored {
    uint32_t   template_id, version;
    struct str why; /* JSON as above; empty where the template has no variants */
};

MUST enum err tailor_variant(const struct engine *engine, uint32_t person, uint32_t template_id,
                             struct arena *arena, struct tailored *out);

/*
 * Appends the answers as members of an object: those of `blocks`, and with `and_snippets` those
 * that any snippet asks. A segment or a name that is not there any more is answered no. ERR_LIMIT
 * when `out` has no room.
 */
MUST enum err tailor_blocks(const struct engine *engine, uint32_t person,
                            const struct template_blocks *blocks, bool and_snippets,
                            struct buf *out, bool *first);

#endif
