/*
 * reach: where a message goes by its channel, and whether the person wants it there.
 *
 *      email     trait email
 *      sms       trait phone, dialled from anywhere by the person's country (profile/phone.h)
 *      post      trait address {street, city, postal_code, state, country}, complete for its
 * country webhook, staff   the template says where: nothing is asked of the person
 *
 * An address of post is one line, "1 Harbour Road, 5003 Bergen, NO": a letter that comes back takes
 * that line off the list of places that are written to, and who moves is written to again.
 *
 * Pure; asked at the claim, in order with everything else.
 */
#ifndef DULT_ENGINE_REACH_H
#define DULT_ENGINE_REACH_H

#include "engine/channel.h"

enum { REACH_BYTES_MAX = 320 };

struct engine;
struct state;

/* *address lies in `bytes` or lives until the next event. Why there is none, or the empty text. */
struct str reach_address(const struct engine *engine, uint32_t person, enum consent_channel channel,
                         char bytes[REACH_BYTES_MAX], struct str *address);

/*
 * Stricter than what a condition calls consent (known.c): each refusal of all topics or of this
 * one, by all channels or by this one, holds until the same is granted.
 */
bool reach_refuses(const struct state *state, uint32_t topic, enum consent_channel channel);

/* People who could be written to by the channel: an address that is not suppressed, and not all of
 * it refused. From profile *from on, at most `most` profiles; true at the end. */
bool reach_all(const struct engine *engine, enum consent_channel channel, uint32_t *from,
               uint32_t most, uint64_t *people);

#endif
