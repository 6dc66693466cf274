/*
 * topic_words: a topic as people read it, in their language.
 *
 *     languages, the first that has a text counts:
 *         the person's   nb-NO, then nb      (no and nn are read as nb where there is no text of
 * theirs) the workspace's, English, the first that is there no text at all: the topic's id
 */
#ifndef DULT_RUN_SEND_TOPIC_WORDS_H
#define DULT_RUN_SEND_TOPIC_WORDS_H

#include "base/json.h"

struct data_in;

struct topic_words {
    struct str name, description, language; /* language: of the text; empty: it is the id */
};

/* Of the document of topics (engine/topics.h); `document` may be null. */
const struct json *topic_find(const struct json *document, struct str id);
struct topic_words topic_words_of(const struct json *document, struct str id,
                                  const struct str *languages, uint32_t count);

/* The member of an object by languages that fits the wanted one: nb for nb-NO; NULL. */
const struct json_member *language_member(const struct json *by_language, struct str wanted);

/* The languages that pages and the mail that asks to confirm are written in. */
struct str house_language(const struct str *languages, uint32_t count);
/* What the link out of a mail is called in one of them. */
struct str unsubscribe_word(struct str house_language);

/* `topic` of a template's data. ERR_MEMORY. */
MUST enum err topic_data(const struct data_in *in, struct arena *arena, const struct json *person,
                         struct json *out);

#endif
