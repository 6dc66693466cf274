/*
 * publishing: a definition's text made so, by whoever sends it or takes an older one up again.
 */
#ifndef DULT_RUN_PUBLISHING_H
#define DULT_RUN_PUBLISHING_H

#include "run/api/api_inside.h"

/* api_definitions.c: checks the text, counts, and defines it unless ?dry=1; writes the answer. */
MUST enum err definition_publish(struct call *call, enum definition_kind kind, struct str name,
                                 struct str text);

/* journey_versions.c: the versions of a journey, one of them, what it changed, and an older one
 * published again. */
call_run journey_versions, journey_version_show, journey_changes, journey_rollback;
/* Writes {"journey", "rules", "nodes"}: what differs from one text to another. */
MUST enum err journey_changes_write(struct call *call, struct str name, struct str from,
                                    struct str to);

/* journey_drafts.c: texts beside the published ones. */
enum { JOURNEY_DRAFTS_MAX = 1000 };
call_run journey_drafts, journey_draft_show, journey_draft_changes, journey_draft_put,
    journey_draft_delete, journey_draft_publish;
/* The draft of that journey, in the call's arena, read by whoever has no desk, too. ERR_ABSENT with
 * a problem. */
MUST enum err journey_draft_text(struct call *call, struct store_reader *reader, struct str name,
                                 struct str *text);

#endif
