/*
 * program_inside: what the files of program share. Nobody else includes this.
 */
#ifndef DULT_ENGINE_PROGRAM_INSIDE_H
#define DULT_ENGINE_PROGRAM_INSIDE_H

#include "engine/program.h"

/* program.c: puts the segment in the place of what was there, whose arena it closes, and tells who
 * must hear of it. ERR_MEMORY. */
MUST enum err program_segment_put(struct program *program, uint32_t number, struct segment_def def);

/* program_computed.c: see program_define and program_check. */
MUST enum err computed_define(struct program *program, struct str name, struct str text,
                              uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err computed_check(struct program *program, struct str name, struct str text,
                             struct problem *problem);
void          computed_done(struct program *program);

#endif
