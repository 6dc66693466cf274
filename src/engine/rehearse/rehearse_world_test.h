/*
 * rehearse_world: a life on a stage (story/stage.h), and its rehearsal. Shared by the tests.
 */
#ifndef DULT_ENGINE_REHEARSE_WORLD_TEST_H
#define DULT_ENGINE_REHEARSE_WORLD_TEST_H

#include "engine/rehearse/rehearse.h"
#include "engine/story/stage.h"

#define T0 INT64_C(1767225600000) /* 2026-01-01 */

enum { DEFINITIONS_MAX = 24, NAMES_MAX = 4000 };

struct rehearse_world {
    struct stage               life;
    struct zones              *zones;
    struct arena              *arena;
    struct rehearse_definition definitions[DEFINITIONS_MAX];
    uint32_t                   definitions_count;
    struct rehearse_name       names[NAMES_MAX];
    struct suppressions       *suppressed;
    struct view               *view;
    struct rehearsal          *rehearsal;
    struct rehearse_hand      *hand;
    struct rehearse_result     result;
    struct problem             problem;
};

struct rehearse_world *rehearse_world_open(void);
void                   rehearse_world_close(struct rehearse_world *w);

/* In life and for the rehearsal: of journeys those of the rehearsal go through it. */
enum err rehearse_world_define(struct rehearse_world *w, enum definition_kind kind,
                               const char *name, struct str text);
/* For the rehearsal alone; in the place of one of that name. */
void rehearse_world_draft(struct rehearse_world *w, enum definition_kind kind, const char *name,
                          struct str text);

void rehearse_world_until(struct rehearse_world *w, int64_t at_ms);
void rehearse_world_tell(struct rehearse_world *w, struct record record);
void rehearse_world_event(struct rehearse_world *w, const char *user, const char *event,
                          const char *properties);
void rehearse_world_traits(struct rehearse_world *w, const char *user, const char *traits);

/* What is rehearsed, borrowed from the world. */
struct rehearse_conf rehearse_world_conf(struct rehearse_world *w, int64_t from_ms, int64_t to_ms);
/* Rehearses all that was lived so far, in `hands` parts, into w->result. */
enum err rehearse_world_run(struct rehearse_world *w, int64_t from_ms, int64_t to_ms,
                            uint32_t hands);

/* What life decided about the person's journeys and their messages, and what the rehearsal did:
 * a line each. */
struct str rehearse_world_lived(struct rehearse_world *w, uint32_t person, int64_t to_ms);
struct str rehearse_world_path(struct rehearse_world *w, uint32_t person);

const struct rehearse_journey *rehearse_world_journey(const struct rehearse_world *w,
                                                      const char                  *name);
const struct rehearse_node    *rehearse_world_node(const struct rehearse_journey *journey,
                                                   const char                    *id);
uint64_t rehearse_world_count(struct rehearse_reasons reasons, const char *text);

#endif
