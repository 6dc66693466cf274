/*
 * render_answers: what the webhooks of a journey answered, as a later template of it sees it.
 *
 *      claimed   {"of": 12, "seqs": [81, 97]}          (engine/answers.h)
 *      seen      {"crm": {"status": 200, "body": {"score": 81}}}     by the node's id
 *
 * The event has the answer's status and its first 4 KB; the decision that queued the message has
 * the node. A body that is JSON, whole, is seen as what it says; any other as its text. Of a node
 * that was passed twice the last answer is seen; of one that nobody answered there is none.
 */
#ifndef DULT_RUN_RENDER_ANSWERS_H
#define DULT_RUN_RENDER_ANSWERS_H

#include "run/send/render_data.h"

/* `claimed`: what the claim froze as "$answers". All lies in the arena. ERR_CORRUPT; errors of the
 * store. */
MUST enum err render_answers(const struct data_in *in, struct arena *arena,
                             const struct json *claimed, struct json *out);

#endif
