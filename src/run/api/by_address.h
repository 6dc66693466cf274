/*
 * by_address: who was ever told to have that e-mail address?
 *
 *      base     | hash profile | hash profile | ...    sorted; made when it is first asked of a
 * base beyond   looked through each time: a few of a hundred events
 *
 * An address is a trait, and identifies nobody (docs/people.md), so the engine has no such index,
 * and most houses need none: it is made of a view (behaviour/view.h) for whom a form asks about.
 *
 * Always true   whoever has the address now, by the last committed record, is among those given;
 *               others may be, who had it once or never: ask the engine (engine_address).
 * Cost          8 bytes for each address told in the base; a pass over what was told, once a base,
 *               by one thread while the others wait; else a search by halves.
 */
#ifndef DULT_RUN_BY_ADDRESS_H
#define DULT_RUN_BY_ADDRESS_H

#include "base/str.h"

struct view;
struct by_address;

enum { BY_ADDRESS_MOST = 64 }; /* more people than that share no mailbox: none of them is meant */

struct by_address *by_address_open(void);                      /* NULL without memory */
void               by_address_close(struct by_address *index); /* NULL is nothing */

/*
 * Fills `people` with roots, each once; letters of either case. `trait` is the number of the trait
 * `email`. *count is more than BY_ADDRESS_MOST where there are too many. ERR_MEMORY. Any thread.
 */
MUST enum err by_address_find(struct by_address *index, const struct view *view, uint16_t trait,
                              struct str address, uint32_t people[BY_ADDRESS_MOST],
                              uint32_t *count);

#endif
