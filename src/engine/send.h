/*
 * send: a message that a program asks for, beside every journey.
 *
 *      RECORD_SEND  name        EVENT_MESSAGE_REQUESTED
 *                   body        the template's name
 *                   user_id     a person as engine_find names one; or empty
 *                   properties  {"template": its name, "to"?: an address}; what stands on the
 * timeline
 *
 * It becomes an event of the person ("Message Requested") and an intent like a journey's, with
 * enrollment 0 and that event as its trigger: claimed, checked, frozen and sent like every other.
 *
 * Whose message is it?
 *      a person          theirs, to their address, or to `to` where that is given
 *      a new userId      with `to`: somebody new, as an event would make them
 *      `to` alone        that of the address itself: somebody known only as "email:ADDRESS" (in
 * lower case), made when first written to. No userId, device or external id ever ties to that name,
 * so an address still merges nobody; and because nobody's consent is known there, only
 * transactional templates may go to one.
 *
 * Refused with a problem, and nothing kept: an unknown template, nobody of that name and no `to`,
 * no address at all, no consent that could be asked.
 */
#ifndef DULT_ENGINE_SEND_H
#define DULT_ENGINE_SEND_H

#include "engine/record.h"

#define SEND_ADDRESS_PREFIX STR("email:")

#endif
