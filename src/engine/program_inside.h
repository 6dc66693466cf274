/*
 * program_inside: what the files of program share. Nobody else includes this.
 */
#ifndef DULT_ENGINE_PROGRAM_INSIDE_H
#define DULT_ENGINE_PROGRAM_INSIDE_H

#include "engine/program.h"

/* program_names.c: the number of the name, or SEGMENT_NO_ID. */
uint32_t program_number(const struct program *program, enum name_kind kind, struct str name);

/* program_hearing.c: enters and takes out who must hear of what. ERR_MEMORY. */
MUST enum err segment_index(struct program *program, uint32_t number,
                            const struct segment_program *p);
void segment_unindex(struct program *program, uint32_t number, const struct segment_program *p);
MUST enum err journey_index(struct program *program, uint32_t number);
void          journey_unindex(struct program *program, uint32_t number);

/* program_segments.c: see program_define and program_check. */
MUST enum err segment_define(struct program *program, struct str name, struct str text,
                             uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err segment_check(struct program *program, struct str name, struct str text,
                            struct problem *problem);
/* Puts the segment in the place of what was there, whose arena it closes, and tells who must hear
 * of it. ERR_MEMORY. */
MUST enum err program_segment_put(struct program *program, uint32_t number, struct segment_def def);

/* journey/standstill.c: see program_define and program_check. */
MUST enum err journey_state_define(struct program *program, struct str name, struct str text,
                                   uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err journey_state_check(const struct program *program, struct str name, struct str text,
                                  struct problem *problem);

/* journey/choosing.c: see program_define and program_check. */
MUST enum err journey_choice_define(struct program *program, struct str name, struct str text,
                                    uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err journey_choice_check(const struct program *program, struct str text,
                                   struct problem *problem);
void          journey_choices_done(struct journey_def *def);
/* After the journey's live version, or what was chosen in it, is another. */
void journey_contests_count(struct program *program, uint32_t journey);

/* program_beginnings.c: the segment that stands for a stage or the calendar; without `grow` only
 * whether it could be. Those of no live journey are taken away. A name that is Dult's own:
 * ERR_INPUT. */
MUST enum err beginning_put(struct program *program, const struct journey *journey, bool grow,
                            uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err beginnings_tidy(struct program *program, uint32_t version);
MUST enum err beginning_name_check(struct str segment, struct problem *problem);

/* program_journeys.c, program_templates.c, program_workspace.c: see program_define and
 * program_check. */
MUST enum err journey_define(struct program *program, struct str name, struct str text,
                             uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err journey_check(struct program *program, struct str name, struct str text,
                            struct problem *problem);
void          journey_version_close(struct journey_version *version);
MUST enum err template_define(struct program *program, struct str name, struct str text,
                              uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err template_check(struct program *program, struct str name, struct str text,
                             struct problem *problem);
MUST enum err snippet_define(struct program *program, struct str name, struct str text);
MUST enum err snippet_check(struct program *program, struct str text, struct problem *problem);
void          templates_done(struct program *program);

/* program_blocks.c: what the text asks about its reader. `head`: the lines before the bodies, empty
 * of a snippet. ERR_INPUT for a condition that cannot be read, ERR_LIMIT for too many. */
MUST enum err template_blocks_read(struct template_blocks *out, struct str head, struct str text,
                                   struct problem *problem);
void          template_blocks_done(struct template_blocks *blocks);
/* Of a template's text what needs no program. For template_blocks_done(&out->blocks). */
MUST enum err template_draft_read(struct str text, struct template_def *out,
                                  struct problem *problem);
/* Is everything there that is asked for? ERR_ABSENT. */
MUST enum err template_blocks_check(struct program *program, const struct template_blocks *blocks,
                                    struct problem *problem);
MUST enum err workspace_define(struct program *program, struct str text, uint32_t version,
                               struct problem *problem);
MUST enum err workspace_check(const struct program *program, struct str text,
                              struct problem *problem);

/* program_computed.c: see program_define and program_check. */
MUST enum err computed_define(struct program *program, struct str name, struct str text,
                              uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err computed_check(struct program *program, struct str name, struct str text,
                             struct problem *problem);
void          computed_done(struct program *program);

/* program_computed.c: all that depends on the trait (empty: on the stages) compiled anew; nothing
 * is changed unless OK. */
MUST enum err program_users_anew(struct program *program, struct str trait,
                                 struct problem *problem);

/* ERR_CONFLICT naming who asks for `name`, when `asks` says so of anyone: "The `what` ...". */
typedef bool  program_asks_fn(const struct program *program, const struct segment_node *tree,
                              struct str name);
MUST enum err program_unused_check(const struct program *program, program_asks_fn *asks,
                                   const char *what, struct str name, struct problem *problem);

/* Does it name the segment? */
bool program_asks_segment(const struct program *program, const struct segment_node *tree,
                          struct str name);

/* Puts a computed trait, or a score, in the place of its name; takes `def`. */
MUST enum err computed_put(struct program *program, struct str name, struct computed_def def,
                           struct problem *problem);
MUST enum err computed_delete(struct program *program, const char *what, struct str name,
                              uint32_t *number, struct problem *problem);

/* program_scores.c: see program_define and program_check. */
MUST enum err score_define(struct program *program, struct str name, struct str text,
                           uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err score_check(struct program *program, struct str name, struct str text,
                          struct problem *problem);
/* ERR_CONFLICT: the segment is a line, and only its score changes it. */
MUST enum err score_line_check(const struct program *program, struct str name,
                               struct problem *problem);
/* Does a rule of any score ask for the trait? Then it cannot be a computed one. */
bool scores_ask_trait(const struct program *program, struct str name);

/* program_stages.c: see program_define and program_check. */
MUST enum err stages_define(struct program *program, struct str text, uint32_t version,
                            struct problem *problem);
MUST enum err stages_check(struct program *program, struct str text, struct problem *problem);
/* ERR_CONFLICT: the segment is a stage, and only the stages' document changes it. */
MUST enum err stage_segment_check(const struct program *program, struct str name,
                                  struct problem *problem);

/* program_touchpoints.c: see program_define and program_check. */
MUST enum err touchpoint_define(struct program *program, struct str name, struct str text,
                                uint32_t version, struct problem *problem);
MUST enum err touchpoint_check(struct program *program, struct str name, struct str text,
                               struct problem *problem);

/* program_topics.c: see program_define and program_check. */
MUST enum err topics_define(struct program *program, struct str text, uint32_t version,
                            struct problem *problem);
MUST enum err topics_check(struct str text, struct problem *problem);

/* program_topics.c, too: limits.h. */
MUST enum err limits_define(struct program *program, struct str text, uint32_t version,
                            struct problem *problem);
MUST enum err limits_check(struct str text, struct problem *problem);

/* program_codes.c: see program_define and program_check. */
MUST enum err codes_define(struct program *program, struct str name, struct str text,
                           uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err codes_check(const struct program *program, struct str name, struct str text,
                          struct problem *problem);

/* program_broadcasts.c: see program_define and program_check. */
MUST enum err broadcast_define(struct program *program, struct str name, struct str text,
                               uint32_t version, uint32_t *number, struct problem *problem);
MUST enum err broadcast_check(struct program *program, struct str name, struct str text,
                              struct problem *problem);
void          broadcasts_done(struct program *program);

/* program_retention.c: see program_define and program_check. */
MUST enum err program_retention_define(struct program *program, struct str text, uint32_t version,
                                       struct problem *problem);
MUST enum err program_retention_check(const struct program *program, struct str text,
                                      struct problem *problem);

/* program_rates.c */
MUST enum err rates_define(struct program *program, struct str text, struct problem *problem);
MUST enum err rates_check(struct str text, struct problem *problem);

#endif
