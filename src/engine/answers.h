/*
 * answers: what webhooks answered, for the later nodes of a journey.
 *
 *      node "crm" --request--> 200 {"score": 81}  =>  Notice Sent {message: 17, answer: "..."}
 *      node "mail"  {{ journey.answers.crm.body.score }}
 *
 * A claim freezes the numbers of those events, which never change, as "$answers" among what was
 * computed; run/send/render_answers.h reads them. What failed has an answer, too (Message Failed).
 *
 *      "$answers": {"of": 12, "seqs": [81, 97]}     of: the enrollment; 0: any, of a preview
 *
 * A node may wait for its own answer: {"message": "crm", "answer_within": "10 minutes"}. The
 * journey goes on when it is known what became of the message, at the latest after that time.
 *
 * Bounds        the ANSWERS_MAX newest.
 * Cost          a look through the person's events of two names, for messages of journeys alone.
 */
#ifndef DULT_ENGINE_ANSWERS_H
#define DULT_ENGINE_ANSWERS_H

#include "engine/inside.h"

enum { ANSWERS_MAX = 16 };

/* Appends "$answers", where there are any. */
void answers_write(const struct engine *engine, const struct claim *claim, uint64_t enrollment,
                   struct buf *out, bool *first);

/* The enrollment that stands at the node that the message is of, and waits for its answer; 0: none
 * does. */
uint64_t answers_awaited(const struct engine *engine, uint32_t profile, uint64_t message);

/* Its message came to an end: it goes on. */
MUST enum err answers_heard(struct engine *engine, struct out *out, uint32_t profile,
                            uint64_t enrollment);
/* The same within a step of the person. */
MUST enum err answers_go_on(struct step *step, uint64_t enrollment);

#endif
