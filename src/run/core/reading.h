/*
 * reading: what readers see of the engine, without its thread.
 *
 *      engine thread --edition--> batch --> commit --reading_publish--> the newest edition
 *                                                                            |  on demand
 *      readers <------------- a view, shared by all who ask meanwhile <------+
 *
 * With each batch goes the edition of the timeline that the batch ends at, and it is published when
 * the batch is on disk: so readers see at most the last committed record. A view is made on the
 * thread of whoever asks first, from the newest edition and with the view before as help; the rest
 * share it. Nobody holds up the engine for it.
 *
 * Always true   a view is whole and never changes; views given later are never older.
 * Cost          one edition is kept always; one view while it is used, and READING_IDLE_US after.
 */
#ifndef DULT_RUN_READING_H
#define DULT_RUN_READING_H

#include "engine/behaviour/view.h"

#define READING_IDLE_US                                                                            \
    INT64_C(60000000) /* a person looks at one answer before the next question                     \
                       */

struct reading;

struct reading *reading_open(void); /* NULL without memory */
void            reading_close(struct reading *reading);

/* Takes the caller's hold over, and gives the edition before, which is now the caller's to drop
 * (NULL: there was none). Any thread; cheap. */
struct edition *reading_publish(struct reading *reading, struct edition *edition);

/* The newest view, held for the caller: view_drop it. ERR_WAIT: nothing was published yet;
 * ERR_MEMORY. */
MUST enum err reading_view(struct reading *reading, struct view **out);

/* Drops a view that nobody asked for lately. */
void reading_idle(struct reading *reading);

#endif
