/*
 * dict: names and dense numbers, both ways.
 *
 * A workspace has few event names and property keys and very many events, so an event carries two
 * bytes and the name is kept once here.
 *
 *      "Signed Up" -> 0     "Order Completed" -> 1     ...     the 60,017th name -> DICT_OTHER
 *
 * Always true   ids are given in order of first sight, from 0, and never change; so storing the
 *               names in order of id and interning them again gives the same dictionary.
 * Cost          one look-up in a hash map; a name costs its bytes and about 32 more.
 * Knows not     what the names are for: events, properties and traits each have their own.
 */
#ifndef DULT_ENGINE_DICT_H
#define DULT_ENGINE_DICT_H

#include "base/str.h"

enum {
    DICT_NAMES_MAX = 60016,    /* what a uint16_t holds, with room for the reserved ids */
    DICT_NAME_BYTES_MAX = 512, /* longer names are nobody's intention; they count as other */
    DICT_NONE = 65534,         /* the id of no name: matches nothing */
    DICT_OTHER = 65535,        /* the id of every name that found no place */
};

struct dict;

struct dict *dict_open(void); /* NULL without memory */
void         dict_close(struct dict *dict);
void         dict_closep(struct dict **dict);

/* The id of the name, or DICT_NONE. */
uint16_t dict_find(const struct dict *dict, struct str name);

/*
 * The id of the name, which is given one if it has none. DICT_OTHER (and counted) when the
 * dictionary is full or the name too long. ERR_MEMORY leaves the dictionary as it was.
 */
MUST enum err dict_intern(struct dict *dict, struct str name, uint16_t *out);

/* Gives the next id to a text under which it is not found: to no name, or to one that has another
 * id. DICT_OTHER when the dictionary is full. ERR_MEMORY. */
MUST enum err dict_bury(struct dict *dict, struct str text, uint16_t *out);

/* The name; empty for DICT_NONE, "other" for DICT_OTHER. Lives as long as the dictionary. */
struct str dict_text(const struct dict *dict, uint16_t id);
uint32_t   dict_count(const struct dict *dict);
/* How often dict_intern had to answer DICT_OTHER. */
uint64_t dict_other_count(const struct dict *dict);

_Static_assert(DICT_NAMES_MAX < DICT_NONE, "the reserved ids are never given to a name");

#endif
