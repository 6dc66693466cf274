/* chronicle: what a stage decided about one person, a line each, for people to read. */
#ifndef DULT_ENGINE_CHRONICLE_H
#define DULT_ENGINE_CHRONICLE_H

#include "base/buf.h"
#include "engine/story/stage.h"

/* Appends the latest `most` lines, oldest first. */
void chronicle_write(const struct stage *stage, uint32_t person, uint32_t most, struct buf *out);

#endif
