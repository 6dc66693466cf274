/*
 * question: what a mail asks, as it is defined (questions/NAME.json).
 *
 *     {"kind": "nps", "days": 60, "change": true, "comment": true,
 *      "texts": {"en": {"question": "Would you recommend us?", "low": "Never", "high": "Gladly",
 *                       "comment": "Why?", "thanks": "Thank you!"}},
 *      "then": [{"answers": ["9", "10"], "redirect": "https://www.trustpilot.com/review/x"},
 *               {"answers": ["0", "1", "2"], "trait": {"name": "unhappy", "value": true},
 *                "consent": {"topic": "offers", "channel": "email", "state": "refused"}}]}
 *
 *      kind      answers           score     the text of an answer, unless "answers": {"yes":
 * "Sure"} yes_no    yes, no           1, 0      Yes, No in the language of the text stars     1 ...
 * 5           1 ... 5   the number nps       0 ... 10          0 ... 10  the number choice    those
 * of "choices": [{"id": "price", "score": 2}]       none but what is said
 *
 *      change    may an answer be given anew; else the first stands            true unless said
 *      days      how long the links of a mail lead to the page                 60 unless said
 *      then      what an answer does: every rule that names it, or names none, in order;
 *                the first redirect and the first thanks count
 *
 * Always true   what was parsed lies in the arena and borrows nothing from the text; ids are of
 *               letters, digits, '_' and '-', so that they stand in an address as they are.
 * Errors        ERR_INPUT with where = "then[0].redirect"; ERR_LIMIT; ERR_MEMORY.
 */
#ifndef DULT_RUN_SEND_QUESTION_H
#define DULT_RUN_SEND_QUESTION_H

#include "base/json.h"
#include "engine/channel.h"
#include "engine/consent.h"

enum {
    QUESTION_NAME_BYTES_MAX = 64, /* of an answer's id, too */
    QUESTION_ANSWERS_MAX = 20,
    QUESTION_RULES_MAX = 20,
    QUESTION_LANGUAGES_MAX = 50,
    QUESTION_WORDS_BYTES_MAX = 500, /* of one text */
    QUESTION_COMMENT_BYTES_MAX = 2000,
    QUESTION_TOPIC_BYTES_MAX = 200,
    QUESTION_URL_BYTES_MAX = 2000,
    QUESTION_DAYS = 60,
    QUESTION_DAYS_MAX = 400,
};

enum question_kind { QUESTION_YES_NO, QUESTION_STARS, QUESTION_NPS, QUESTION_CHOICE };

struct question_answer {
    struct str id;
    bool       has_score;
    int64_t    score;
};

struct question_rule {
    uint32_t             answers; /* a bit for each, by place */
    struct str           topic;   /* of a word of consent; empty: none */
    enum consent_channel channel;
    enum consent_state   state; /* granted or refused */
    struct str           trait; /* empty: none is set */
    const struct json   *value; /* NULL: the answer itself */
    struct str           redirect;
    const struct json   *thanks; /* by language; NULL: the question's */
};

struct question {
    struct str             name;
    enum question_kind     kind;
    bool                   may_change, asks_comment;
    uint32_t               days;
    struct question_answer answers[QUESTION_ANSWERS_MAX];
    uint32_t               answers_count;
    struct question_rule   rules[QUESTION_RULES_MAX];
    uint32_t               rules_count;
    const struct json     *texts; /* by language */
};

/* Letters, digits, '_' and '-', 1 to 64 of them, the first a letter or a digit. */
bool question_is_name(struct str name);
/* For questions of other kinds of definition, too: ERR_INPUT with a problem. */
MUST enum err question_name_check(struct str name, struct problem *problem);

MUST enum err question_parse(struct arena *arena, struct str name, struct str text,
                             struct question *out, struct problem *problem);

/* The place of an answer's id; answers_count: it has none such. */
uint32_t question_answer_at(const struct question *question, struct str id);

/* As somebody reads it who reads the first of these languages that it is written in, else English,
 * else the first there is. */
struct question_words {
    struct str         language;                             /* of the texts */
    struct str         question, comment, thanks, low, high; /* all but the first may be empty */
    const struct json *answers;                              /* by id; may be NULL */
};
struct question_words question_words(const struct question *question, const struct str *languages,
                                     uint32_t count);
struct str question_answer_text(const struct question *question, const struct question_words *words,
                                uint32_t at);
/* Of the rule, by the same choice of language; empty: it has none. */
struct str question_rule_thanks(const struct question_rule *rule, const struct str *languages,
                                uint32_t count);

/* What a trait becomes by the answer: the rule's value, or yes as true, a score, an id. */
struct json question_trait_value(const struct question *question, const struct question_rule *rule,
                                 uint32_t answer);

#endif
