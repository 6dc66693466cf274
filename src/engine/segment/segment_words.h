/*
 * segment_words: the words that the two faces of a condition have in common.
 */
#ifndef DULT_ENGINE_SEGMENT_WORDS_H
#define DULT_ENGINE_SEGMENT_WORDS_H

#include "base/buf.h"
#include "engine/segment/segment_tree.h"

/* What names stand for: a person's traits, an event's properties, or those of a list's element. */
enum segment_scope { SCOPE_PERSON, SCOPE_EVENT, SCOPE_ELEMENT };

/* Words that mean something in the text form, and so are no names there unless quoted. */
bool segment_is_keyword(struct str word);
/* May the name stand in the text without quotes? */
bool segment_is_plain_name(struct str name);

/* "sum", "distinct count", "first time": what stands before "of" (GAP: before the event). */
const char *segment_fold_word(enum segment_fold fold);
/* "sum", "distinct", "first_time": the member of JSON that names it. */
const char *segment_fold_member(enum segment_fold fold);
bool        segment_fold_takes_property(enum segment_fold fold);
bool        segment_fold_is_number(enum segment_fold fold); /* else it is tested as a trait is */
/* May it go without a property? */
bool segment_fold_is_of_events(enum segment_fold fold);

/* "=", "!=", ..., "starts with", "does not exist"; as the text form and "op" of JSON write it. */
const char *segment_test_word(enum segment_test test);
bool        segment_test_of(struct str word, enum segment_test *out);
bool        segment_test_is_order(enum segment_test test);   /* = != > >= < <= */
bool        segment_test_takes_list(enum segment_test test); /* in, not in, between */

/* "received", "opened", "entered", "reached the goal of"; NULL for events and anything. */
const char *segment_subject_word(enum segment_subject subject);
const char *segment_subject_member(enum segment_subject subject);     /* of JSON: "reached_goal" */
bool        segment_subject_is_message(enum segment_subject subject); /* RECEIVED .. UNSUBSCRIBED */
/* "message", "journey", "broadcast"; as both faces write it. Of what a message says: "template". */
const char *segment_of_word(enum segment_of of);
const char *segment_of_property(enum segment_of of);
bool        segment_subject_is_journey(enum segment_subject subject);
bool        segment_subject_has_hits(enum segment_subject subject); /* OPENED, CLICKED */

/* "today", "yesterday", "this week", ..., "last year": both faces write them alike. */
const char *segment_calendar_word(enum segment_unit unit, uint32_t back);
bool        segment_calendar_of(struct str words, struct segment_window *out);

/* "granted", "refused", "unknown", "pending" */
const char *segment_consent_word(enum segment_consent consent);
bool        segment_consent_of(struct str word, enum segment_consent *out);

/* A whole number as JSON_INT, so that 1 and 1.0 are written alike. */
struct json segment_number(struct json number);

/* 2026-01-31, or 2026-01-31T12:00:00.000Z */
void segment_write_date(struct buf *out, int64_t at_ms, bool is_day);
void segment_write_length(struct buf *out, int64_t length_ms);

#endif
