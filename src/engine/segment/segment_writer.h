/*
 * segment_writer: what the two files that write the text form share.
 *
 *      segment_write.c         and, or, not; comparisons, days, what a person belongs to
 *      segment_write_event.c   what happened
 */
#ifndef DULT_ENGINE_SEGMENT_WRITER_H
#define DULT_ENGINE_SEGMENT_WRITER_H

#include "engine/segment/segment_words.h"

void writer_node(struct buf *out, const struct segment_node *node, bool in_where);
/* A condition in brackets, or one that needs none. */
void writer_grouped(struct buf *out, const struct segment_node *node, bool in_where, bool brackets);
bool writer_is_group(const struct segment_node *node); /* and, or */
void writer_key(struct buf *out, struct str key, bool is_property);
/* "= 3", "in (1, 2)", "exists" */
void writer_test(struct buf *out, const struct segment_compare *compare);
/* DID, FIRST_DID, LAST_DID, AGGREGATE, THEN, THEN_NOT, FUNNEL */
void writer_behaviour(struct buf *out, const struct segment_node *node);

#endif
