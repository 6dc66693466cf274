/*
 * own: what Dult itself puts on a person's timeline, under names and properties of its own.
 *
 *      $identify    the traits of one identify call, by the numbers of traits
 *      $list        {list: number, joined}
 *      $consent     {topic: number (0: all), channel?, state: "granted" | "refused" | "pending" |
 *                    "unknown"}
 *      $journey     {journey: number, what: enum own_what, node?, id: the enrollment,
 *                    took?: which way, chosen?: true where a winner was, back?: true of a step
 * given later, reason?: why it was left, or what let them in, value?: of the goal} $context
 * {country, zone, locale} Message ...  {channel, template: name, journey: name, machine, ...}
 * Notice Sent  the same of what went out because of the person, but not to them Message Requested
 * {template: name, to?: where to, else the person's own address}
 *
 * What else Dult says about somebody by itself (enum own_told) stands under names as others have
 * them: conditions, triggers and timelines know them, they are kept as long as any event. But it is
 * nothing that the person did: a score that falls by time alone is no sign of life. This is the one
 * list of such names; whoever adds one, adds it there.
 *
 * So whatever a condition asks is told by events, and any past moment is answered as the present
 * one is. What was decided (a list joined) is put there where decisions are applied, under the
 * decision's instant and record; live and on load alike.
 *
 * Always true   the names below have these numbers in every dictionary of a program; a stranger's
 *               event is never counted under one of them, so nobody opens a mail by saying so.
 */
#ifndef DULT_ENGINE_OWN_H
#define DULT_ENGINE_OWN_H

#include "engine/behaviour/dict.h"
#include "engine/behaviour/run.h"
#include "engine/profile/place.h"

enum own_event {
    OWN_TRAITS = 0,
    OWN_LIST,
    OWN_CONSENT,
    OWN_JOURNEY,
    OWN_CONTEXT, /* up to here told by nobody but the engine, and in nobody's list of events */
    OWN_MESSAGE_SENT,
    OWN_MESSAGE_FAILED,
    OWN_MESSAGE_BOUNCED,
    OWN_MESSAGE_OPENED,
    OWN_MESSAGE_CLICKED,
    OWN_MESSAGE_UNSUBSCRIBED,
    OWN_MESSAGE_COMPLAINED,
    OWN_MESSAGE_REPLIED,
    OWN_MESSAGE_DELIVERED,
    OWN_NOTICE_SENT,
    OWN_MESSAGE_REQUESTED,
    OWN_EVENTS, /* none is left free below RUN_OWN_NAMES */
};

_Static_assert((int)OWN_EVENTS <= (int)RUN_OWN_NAMES, "all lie below what people do");

/* Said by Dult of somebody, done by nobody; whoever tells an event of these names. */
enum own_told {
    OWN_SCORE_CROSSED = RUN_OWN_NAMES,
    OWN_JOURNEY_ENTRY,
    OWN_JOURNEY_EXIT,
    OWN_CODE_REDEEMED, /* by an order, that of somebody else perhaps */
    OWN_TOLD_END,
};

_Static_assert((int)OWN_TOLD_END <= (int)RUN_DEEDS, "all lie below what people do");

/*
 * The numbers of events in the store, which are older than the names in enum own_told:
 *
 *      here    0 .. 15   16 .. 31 (told)   32 ..          DICT_NONE, DICT_OTHER
 *      store   0 .. 15   60016 .. 60031    16 ..          the same
 */
enum { OWN_STORED_TOLD = DICT_NAMES_MAX, OWN_TOLD_ROOM = RUN_DEEDS - RUN_OWN_NAMES };

static inline uint32_t own_to_store(uint32_t event)
{
    return event < RUN_OWN_NAMES || event >= DICT_NONE ? event
           : event < RUN_DEEDS                         ? OWN_STORED_TOLD + (event - RUN_OWN_NAMES)
                                                       : event - OWN_TOLD_ROOM;
}

static inline uint32_t own_of_store(uint32_t number)
{
    return number < RUN_OWN_NAMES || number >= DICT_NONE ? number
           : number >= OWN_STORED_TOLD ? RUN_OWN_NAMES + (number - OWN_STORED_TOLD)
                                       : number + OWN_TOLD_ROOM;
}

enum own_key {
    OWN_KEY_LIST,
    OWN_KEY_JOINED,
    OWN_KEY_TOPIC,
    OWN_KEY_CHANNEL,
    OWN_KEY_STATE,
    OWN_KEY_JOURNEY,
    OWN_KEY_WHAT,
    OWN_KEY_NODE,
    OWN_KEY_TEMPLATE,
    OWN_KEY_MACHINE,
    OWN_KEY_COUNTRY,
    OWN_KEY_ZONE,
    OWN_KEY_LOCALE,
    OWN_KEY_ID,
    OWN_KEYS, /* "to" of a requested message has no number of its own: older folders lack it */
};

/* What is told of a journey; a number, for each message leaves three such events behind. */
enum own_what { OWN_ENTERED = 1, OWN_AT, OWN_FINISHED, OWN_GOAL, OWN_LEFT, OWN_HELD_OUT };

/* Traits that the house itself reads: those of place.h, and the old name of one. */
enum own_trait { OWN_TRAIT_ZONE = PLACE_TRAITS, OWN_TRAITS_COUNT };

/* Gives the names their numbers; the dictionaries are empty. */
MUST enum err own_names(struct dict *events, struct dict *properties, struct dict *traits);

/* Kept beside what a person did: in no list of events that people read, but for $identify. */
static inline bool own_is_hidden(uint16_t event)
{
    return event >= OWN_LIST && event <= OWN_CONTEXT;
}

#endif
