/*
 * Any text taken as a question is refused with a place, a reason and a remedy; or it is a question
 * that holds when its text is gone: every answer is found by its id, every rule names answers that
 * there are, and a reader of whatever language has words to read.
 */
#include <stdlib.h>
#include <string.h>

#include "run/send/question.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_BYTES = 16 << 20 };

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void answers_hold(const struct question *question)
{
    must(question->answers_count >= 1 && question->answers_count <= QUESTION_ANSWERS_MAX);
    for (uint32_t i = 0; i < question->answers_count; i++) {
        must(question_is_name(question->answers[i].id));
        must(question_answer_at(question, question->answers[i].id) == i);
    }
    must(question_answer_at(question, STR("no such answer")) == question->answers_count);
}

static void rules_hold(const struct question *question)
{
    for (uint32_t r = 0; r < question->rules_count; r++) {
        const struct question_rule *rule = &question->rules[r];
        must(rule->answers != 0 && rule->answers >> question->answers_count == 0);
        must(rule->redirect.len == 0 || str_starts(rule->redirect, STR("https://")));
        must(rule->topic.len == 0 || rule->state == CONSENT_GRANTED ||
             rule->state == CONSENT_REFUSED);
        for (uint32_t i = 0; i < question->answers_count && rule->trait.len > 0; i++)
            must(question_trait_value(question, rule, i).kind != JSON_OBJECT);
    }
}

static void words_hold(const struct question *question)
{
    static const char *const readers[] = { "en", "nb", "zh-Hant", "", "\xff" };
    for (size_t i = 0; i < sizeof readers / sizeof readers[0]; i++) {
        struct str            language = str_of(readers[i]);
        struct question_words words = question_words(question, &language, 1);
        must(words.question.len > 0 && words.question.len <= QUESTION_WORDS_BYTES_MAX);
        must(str_is_utf8(words.question) && words.language.len > 0);
        for (uint32_t a = 0; a < question->answers_count; a++)
            must(question_answer_text(question, &words, a).len > 0);
        for (uint32_t r = 0; r < question->rules_count; r++)
            if (question->rules[r].thanks != NULL)
                must(str_is_utf8(question_rule_thanks(&question->rules[r], &language, 1)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(ARENA_BYTES);
    struct question                    question;
    struct problem                     problem = { .where = "" };
    char                              *text = malloc(size + 1);
    if (arena == NULL || text == NULL)
        abort();
    memcpy(text, data, size);
    enum err err =
        question_parse(arena, STR("asked"), (struct str){ text, size }, &question, &problem);
    free(text); /* nothing of it is borrowed */
    if (err == OK) {
        must(question.days >= 1 && question.days <= QUESTION_DAYS_MAX);
        answers_hold(&question);
        rules_hold(&question);
        words_hold(&question);
    } else if (err == ERR_INPUT)
        must(problem.what[0] != '\0' && problem.remedy[0] != '\0');
    return 0;
}
