/*
 * vec: small arrays that grow, for state that lives as long as a profile.
 *
 *     struct lists { struct list_entry *items; uint32_t count, room; };
 *     VEC_ADD(&lists, entry)            -> OK or ERR_MEMORY, the vec unchanged
 */
#ifndef DULT_ENGINE_VEC_H
#define DULT_ENGINE_VEC_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Makes room for one more; returns the items, moved perhaps, or NULL. */
static inline void *vec_room(void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    uint32_t more = *room + *room / 4 + 1; /* most stay small, and there are millions */
    void    *grown = realloc(items, (size_t)more * size);
    if (grown != NULL)
        *room = more;
    return grown;
}

#define VEC_ADD(vec, ...)                                                                          \
    __extension__({                                                                                \
        void *vec_items_ =                                                                         \
            vec_room((vec)->items, (vec)->count, &(vec)->room, sizeof *(vec)->items);              \
        if (vec_items_ != NULL) {                                                                  \
            (vec)->items = vec_items_;                                                             \
            (vec)->items[(vec)->count++] = __VA_ARGS__;                                            \
        }                                                                                          \
        vec_items_ != NULL ? OK : ERR_MEMORY;                                                      \
    })

/* Removes item i, keeping the order; the last one takes the memory with it. */
#define VEC_REMOVE(vec, i)                                                                         \
    do {                                                                                           \
        memmove(&(vec)->items[i], &(vec)->items[(i) + 1],                                          \
                ((vec)->count - (i)-1) * sizeof *(vec)->items);                                    \
        if (--(vec)->count == 0)                                                                   \
            VEC_DONE(vec);                                                                         \
    } while (0)

#define VEC_DONE(vec)                                                                              \
    do {                                                                                           \
        free((vec)->items);                                                                        \
        memset((vec), 0, sizeof *(vec));                                                           \
    } while (0)

#endif
