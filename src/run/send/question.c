#include "run/send/question.h"

#include <stdio.h>
#include <string.h>

#include "run/send/topic_words.h"

/* ---- names ---- */

bool question_is_name(struct str name)
{
    bool good = name.len >= 1 && name.len <= QUESTION_NAME_BYTES_MAX;
    for (size_t i = 0; good && i < name.len; i++) {
        char c = name.ptr[i];
        bool is_word = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        good = is_word || (i > 0 && (c == '_' || c == '-'));
    }
    return good;
}

enum err question_name_check(struct str name, struct problem *problem)
{
    return question_is_name(name)
               ? OK
               : problem_set(problem, ERR_INPUT, "name",
                             "A name has 1 to 64 letters, digits, '_' and '-', and begins with one "
                             "of the first two.",
                             "Rename it: templates write it as it is.");
}

/* ---- what is wrong ---- */

static enum err fault(struct problem *problem, const char *where, const char *what,
                      const char *remedy)
{
    return problem_set(problem, ERR_INPUT, where, what, remedy);
}

static enum err keys_check(const struct json *object, const char *const *known, size_t count,
                           const char *where, struct problem *problem)
{
    for (uint32_t i = 0; i < object->count; i++) {
        size_t k = 0;
        while (k < count && !str_eq(object->members[i].key, str_of(known[k])))
            k++;
        if (k == count)
            return problem_format(problem, ERR_INPUT, where, "Look for a misspelt word.",
                                  "There is no such setting: \"%.*s\".",
                                  STR_ARG(str_slice(object->members[i].key, 0, 60)));
    }
    return OK;
}

#define KEYS_CHECK(object, known, where, problem)                                                  \
    keys_check(object, known, sizeof(known) / sizeof(known)[0], where, problem)

static enum err flag_read(const struct json *root, const char *key, bool *out,
                          struct problem *problem)
{
    const struct json *value = json_get(root, str_of(key));
    if (value == NULL)
        return OK;
    if (value->kind != JSON_BOOL)
        return fault(problem, key, "This is neither true nor false.", "Write true or false.");
    *out = value->truth;
    return OK;
}

/* ---- answers ---- */

static void answer_add(struct question *question, struct str id, bool has_score, int64_t score)
{
    question->answers[question->answers_count++] = (struct question_answer){ id, has_score, score };
}

static void scale_add(struct question *question, int from, int to)
{
    static const char *const digits[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10" };
    for (int i = from; i <= to; i++)
        answer_add(question, str_of(digits[i]), true, i);
}

static enum err choice_read(struct question *question, const struct json *item,
                            struct problem *problem)
{
    static const char *const known[] = { "id", "score" };
    struct str               id = json_get_str(item, STR("id"));
    const struct json       *score = json_get(item, STR("score"));
    if (item->kind != JSON_OBJECT || !question_is_name(id))
        return fault(problem, "choices", "A choice has no id of letters, digits, '_' and '-'.",
                     "Write [{\"id\": \"price\"}, {\"id\": \"service\"}].");
    TRY(KEYS_CHECK(item, known, "choices", problem));
    if (question_answer_at(question, id) < question->answers_count)
        return fault(problem, "choices", "Two choices have one id.", "Give each its own.");
    if (score != NULL &&
        (score->kind != JSON_INT || score->integer < -1000000 || score->integer > 1000000))
        return fault(problem, "choices", "A score is no whole number.",
                     "Write a number, or leave it out.");
    answer_add(question, id, score != NULL, score == NULL ? 0 : score->integer);
    return OK;
}

static enum err choices_read(struct question *question, const struct json *root,
                             struct problem *problem)
{
    const struct json *list = json_get(root, STR("choices"));
    if (question->kind != QUESTION_CHOICE)
        return list == NULL ? OK
                            : fault(problem, "choices", "Only the kind \"choice\" has choices.",
                                    "Leave them out, or change the kind.");
    if (list == NULL || list->kind != JSON_ARRAY || list->count < 2 ||
        list->count > QUESTION_ANSWERS_MAX)
        return fault(problem, "choices", "There are not 2 to 20 choices.",
                     "Write [{\"id\": \"price\"}, {\"id\": \"service\"}].");
    for (uint32_t i = 0; i < list->count; i++)
        TRY(choice_read(question, &list->items[i], problem));
    return OK;
}

static enum err kind_read(struct question *question, const struct json *root,
                          struct problem *problem)
{
    static const char *const words[] = { "yes_no", "stars", "nps", "choice" };
    struct str               word = json_get_str(root, STR("kind"));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(word, str_of(words[i]))) {
            question->kind = (enum question_kind)i;
            if (question->kind == QUESTION_YES_NO) {
                answer_add(question, STR("yes"), true, 1);
                answer_add(question, STR("no"), true, 0);
            }
            if (question->kind == QUESTION_STARS)
                scale_add(question, 1, 5);
            if (question->kind == QUESTION_NPS)
                scale_add(question, 0, 10);
            return choices_read(question, root, problem);
        }
    return fault(problem, "kind", "There is no such kind of question.",
                 "Write \"yes_no\", \"stars\", \"nps\" or \"choice\".");
}

uint32_t question_answer_at(const struct question *question, struct str id)
{
    uint32_t at = 0;
    while (at < question->answers_count && !str_eq(question->answers[at].id, id))
        at++;
    return at;
}

/* ---- texts ---- */

static bool is_words(const struct json *value)
{
    return value == NULL ||
           (value->kind == JSON_STRING && value->string.len <= QUESTION_WORDS_BYTES_MAX);
}

static bool is_language(struct str code)
{
    bool good = code.len >= 2 && code.len <= 35;
    for (size_t i = 0; good && i < code.len; i++) {
        char c = code.ptr[i];
        good = c == '-' || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    }
    return good;
}

static enum err answer_texts_check(const struct question *question, const struct json *text,
                                   const char *where, struct problem *problem)
{
    const struct json *answers = json_get(text, STR("answers"));
    for (uint32_t i = 0; i < question->answers_count && question->kind == QUESTION_CHOICE; i++)
        if (str_is_empty(json_get_str(answers, question->answers[i].id)))
            return problem_format(
                problem, ERR_INPUT, where, "Write \"answers\": {\"price\": \"The price\"}.",
                "The choice \"%.*s\" has no text.", STR_ARG(question->answers[i].id));
    if (answers == NULL)
        return OK;
    if (answers->kind != JSON_OBJECT)
        return fault(problem, where, "\"answers\" is no object of texts by id.",
                     "Write {\"yes\": \"Sure\"}.");
    for (uint32_t i = 0; i < answers->count; i++)
        if (question_answer_at(question, answers->members[i].key) == question->answers_count ||
            !is_words(&answers->members[i].value))
            return problem_format(problem, ERR_INPUT, where, "Texts have at most 500 bytes.",
                                  "There is no answer \"%.*s\", or its text is too long.",
                                  STR_ARG(str_slice(answers->members[i].key, 0, 60)));
    return OK;
}

static enum err text_check(const struct question *question, const struct json_member *member,
                           struct problem *problem)
{
    static const char *const known[] = {
        "question", "comment", "thanks", "low", "high", "answers"
    };
    const struct json *text = &member->value;
    char               where[60];
    snprintf(where, sizeof where, "texts.%.*s", STR_ARG(str_slice(member->key, 0, 40)));
    if (!is_language(member->key))
        return fault(problem, "texts", "A text is under something that is no language.",
                     "Write codes such as en, nb, de or pt-BR.");
    if (text->kind != JSON_OBJECT || str_is_empty(json_get_str(text, STR("question"))))
        return fault(problem, where, "It has no text for the question.",
                     "Write {\"question\": \"Would you recommend us?\"}.");
    TRY(KEYS_CHECK(text, known, where, problem));
    for (size_t i = 0; i + 1 < sizeof known / sizeof known[0]; i++)
        if (!is_words(json_get(text, str_of(known[i]))))
            return problem_format(problem, ERR_INPUT, where, "Write a text of at most 500 bytes.",
                                  "\"%s\" is no text, or too long.", known[i]);
    return answer_texts_check(question, text, where, problem);
}

static enum err texts_read(struct question *question, const struct json *root,
                           struct problem *problem)
{
    const struct json *texts = json_get(root, STR("texts"));
    if (texts == NULL || texts->kind != JSON_OBJECT || texts->count == 0 ||
        texts->count > QUESTION_LANGUAGES_MAX)
        return fault(problem, "texts", "There are no texts by language.",
                     "Write {\"en\": {\"question\": \"Would you recommend us?\"}}.");
    for (uint32_t i = 0; i < texts->count; i++)
        TRY(text_check(question, &texts->members[i], problem));
    question->texts = texts;
    return OK;
}

/* ---- what an answer does ---- */

static enum err rule_answers_read(const struct question *question, const struct json *list,
                                  const char *where, struct question_rule *out,
                                  struct problem *problem)
{
    out->answers = (1u << question->answers_count) - 1;
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count == 0)
        return fault(problem, where, "\"answers\" is no list of answers.",
                     "Write [\"9\", \"10\"], or leave it out for every answer.");
    out->answers = 0;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct json *item = &list->items[i];
        char               digits[24];
        struct str         id = item->kind == JSON_STRING ? item->string : STR_NONE;
        if (item->kind == JSON_INT) {
            snprintf(digits, sizeof digits, "%lld", (long long)item->integer);
            id = str_of(digits);
        }
        uint32_t at = question_answer_at(question, id);
        if (at == question->answers_count)
            return problem_format(problem, ERR_INPUT, where, "Name answers of this question.",
                                  "There is no answer \"%.*s\".", STR_ARG(str_slice(id, 0, 60)));
        out->answers |= 1u << at;
    }
    return OK;
}

static enum err consent_read(const struct json *consent, const char *where,
                             struct question_rule *out, struct problem *problem)
{
    static const char *const known[] = { "topic", "channel", "state" };
    static const char        remedy[] =
        "Write {\"topic\": \"news\", \"channel\": \"email\", \"state\": \"granted\"}.";
    if (consent == NULL)
        return OK;
    out->topic = json_get_str(consent, STR("topic"));
    if (str_is_empty(out->topic) || out->topic.len > QUESTION_TOPIC_BYTES_MAX)
        return fault(problem, where, "The word of consent is about no topic.", remedy);
    TRY(KEYS_CHECK(consent, known, where, problem));
    if (!channel_of(json_get_str(consent, STR("channel")), &out->channel))
        return fault(problem, where, "There is no such channel.", remedy);
    if (!consent_of(json_get_str(consent, STR("state")), &out->state) ||
        (out->state != CONSENT_GRANTED && out->state != CONSENT_REFUSED))
        return fault(problem, where, "The state is neither granted nor refused.", remedy);
    return OK;
}

static enum err trait_read(const struct json *trait, const char *where, struct question_rule *out,
                           struct problem *problem)
{
    static const char *const known[] = { "name", "value" };
    if (trait == NULL)
        return OK;
    out->trait = json_get_str(trait, STR("name"));
    out->value = json_get(trait, STR("value"));
    if (str_is_empty(out->trait) || out->trait.len > 100 || out->trait.ptr[0] == '$')
        return fault(problem, where, "The trait has no name, or one that is not for you to set.",
                     "Write {\"name\": \"happy\", \"value\": true}.");
    if (out->value != NULL && (out->value->kind > JSON_STRING ||
                               !is_words(out->value->kind == JSON_STRING ? out->value : NULL)))
        return fault(problem, where, "The trait's value is no text, number, true or false.",
                     "Leave it out to take the answer itself.");
    return KEYS_CHECK(trait, known, where, problem);
}

/* Where the person is led on to: written here, never by who follows the link. */
static bool is_redirect(struct str url)
{
    struct str rest = str_slice(url, strlen("https://"), url.len);
    size_t     host = 0;
    if (!str_starts(url, STR("https://")) || url.len > QUESTION_URL_BYTES_MAX)
        return false;
    while (host < rest.len && rest.ptr[host] != '/' && rest.ptr[host] != '?' &&
           rest.ptr[host] != '#')
        host++;
    for (size_t i = 0; i < rest.len; i++) {
        unsigned char c = (unsigned char)rest.ptr[i];
        if (c <= ' ' || c >= 0x7F || strchr("\"'<>\\^`{|}", c) != NULL || (i < host && c == '@'))
            return false;
    }
    return host > 0 && str_find_char(str_slice(rest, 0, host), 0, '.') < host;
}

static enum err thanks_read(const struct json *thanks, const char *where, struct question_rule *out,
                            struct problem *problem)
{
    bool good = thanks == NULL || (thanks->kind == JSON_OBJECT && thanks->count > 0 &&
                                   thanks->count <= QUESTION_LANGUAGES_MAX);
    for (uint32_t i = 0; good && thanks != NULL && i < thanks->count; i++)
        good = is_language(thanks->members[i].key) &&
               thanks->members[i].value.kind == JSON_STRING && is_words(&thanks->members[i].value);
    out->thanks = thanks;
    return good ? OK
                : fault(problem, where, "\"thanks\" is no text by language.",
                        "Write {\"en\": \"Thank you!\"}.");
}

static enum err rule_read(struct question *question, const struct json *item, uint32_t at,
                          struct problem *problem)
{
    static const char *const known[] = { "answers", "consent", "trait", "redirect", "thanks" };
    struct question_rule    *rule = &question->rules[question->rules_count];
    const struct json       *redirect = json_get(item, STR("redirect"));
    char                     where[40];
    snprintf(where, sizeof where, "then[%u]", at);
    if (item->kind != JSON_OBJECT)
        return fault(problem, where, "This is no rule.",
                     "Write {\"answers\": [\"yes\"], \"trait\": {\"name\": \"happy\"}}.");
    TRY(KEYS_CHECK(item, known, where, problem));
    *rule = (struct question_rule){ .state = CONSENT_UNKNOWN };
    TRY(rule_answers_read(question, json_get(item, STR("answers")), where, rule, problem));
    TRY(consent_read(json_get(item, STR("consent")), where, rule, problem));
    TRY(trait_read(json_get(item, STR("trait")), where, rule, problem));
    TRY(thanks_read(json_get(item, STR("thanks")), where, rule, problem));
    if (redirect != NULL && (redirect->kind != JSON_STRING || !is_redirect(redirect->string)))
        return fault(problem, where, "The redirect is no https address of a host.",
                     "Write \"https://www.trustpilot.com/review/shop.example\".");
    rule->redirect = redirect == NULL ? STR_NONE : redirect->string;
    question->rules_count++;
    return OK;
}

static enum err rules_read(struct question *question, const struct json *root,
                           struct problem *problem)
{
    const struct json *list = json_get(root, STR("then"));
    if (list == NULL)
        return OK;
    if (list->kind != JSON_ARRAY || list->count > QUESTION_RULES_MAX)
        return fault(problem, "then", "This is no list of at most 20 rules.",
                     "Write [{\"answers\": [\"yes\"], ...}].");
    for (uint32_t i = 0; i < list->count; i++)
        TRY(rule_read(question, &list->items[i], i, problem));
    return OK;
}

/* ---- all of it ---- */

static enum err days_read(struct question *question, const struct json *root,
                          struct problem *problem)
{
    int64_t days = QUESTION_DAYS;
    if (json_get(root, STR("days")) != NULL &&
        (!json_get_int(root, STR("days"), &days) || days < 1 || days > QUESTION_DAYS_MAX))
        return fault(problem, "days", "This is no number of days from 1 to 400.",
                     "Write a number, or leave it out for 60.");
    question->days = (uint32_t)days;
    return OK;
}

enum err question_parse(struct arena *arena, struct str name, struct str text, struct question *out,
                        struct problem *problem)
{
    static const char *const known[] = { "kind",  "days",    "change", "comment",
                                         "texts", "choices", "then" };
    struct json             *root = ARENA_NEW(arena, struct json);
    struct question          question = { .name = str_copy(arena, name), .may_change = true };
    if (root == NULL || question.name.ptr == NULL)
        return ERR_MEMORY;
    TRY(question_name_check(name, problem));
    TRY(json_parse_once(arena, text, root, problem));
    if (root->kind != JSON_OBJECT)
        return fault(problem, "", "This is no question.", "Write {\"kind\": \"yes_no\", ...}.");
    TRY(KEYS_CHECK(root, known, "", problem));
    TRY(kind_read(&question, root, problem));
    TRY(days_read(&question, root, problem));
    TRY(flag_read(root, "change", &question.may_change, problem));
    TRY(flag_read(root, "comment", &question.asks_comment, problem));
    TRY(texts_read(&question, root, problem));
    TRY(rules_read(&question, root, problem));
    *out = question;
    return OK;
}

/* ---- as somebody reads it ---- */

static const struct json_member *member_of(const struct json *by_language,
                                           const struct str *languages, uint32_t count)
{
    const struct json_member *found = NULL;
    for (uint32_t i = 0; found == NULL && i < count; i++)
        found = language_member(by_language, languages[i]);
    if (found == NULL)
        found = language_member(by_language, STR("en"));
    return found != NULL ? found : &by_language->members[0];
}

struct question_words question_words(const struct question *question, const struct str *languages,
                                     uint32_t count)
{
    const struct json_member *member = member_of(question->texts, languages, count);
    const struct json        *text = &member->value;
    return (struct question_words){ .language = member->key,
                                    .question = json_get_str(text, STR("question")),
                                    .comment = json_get_str(text, STR("comment")),
                                    .thanks = json_get_str(text, STR("thanks")),
                                    .low = json_get_str(text, STR("low")),
                                    .high = json_get_str(text, STR("high")),
                                    .answers = json_get(text, STR("answers")) };
}

/* In the language of the question, so that a text does not change its language halfway. */
static struct str yes_or_no(struct str language, bool is_yes)
{
    static const struct {
        const char *language, *yes, *no;
    } words[] = {
        { "en", "Yes", "No" }, { "nb", "Ja", "Nei" },  { "sv", "Ja", "Nej" },
        { "nl", "Ja", "Nee" }, { "de", "Ja", "Nein" }, { "fr", "Oui", "Non" },
    };
    struct str house = house_language(&language, 1);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (str_eq(house, str_of(words[i].language)))
            return str_of(is_yes ? words[i].yes : words[i].no);
    return str_of(is_yes ? words[0].yes : words[0].no);
}

struct str question_answer_text(const struct question *question, const struct question_words *words,
                                uint32_t at)
{
    struct str id = question->answers[at].id, text = json_get_str(words->answers, id);
    if (text.len > 0)
        return text;
    return question->kind == QUESTION_YES_NO ? yes_or_no(words->language, at == 0) : id;
}

struct str question_rule_thanks(const struct question_rule *rule, const struct str *languages,
                                uint32_t count)
{
    return rule->thanks == NULL ? STR_NONE
                                : member_of(rule->thanks, languages, count)->value.string;
}

struct json question_trait_value(const struct question *question, const struct question_rule *rule,
                                 uint32_t answer)
{
    const struct question_answer *given = &question->answers[answer];
    if (rule->value != NULL)
        return *rule->value;
    if (question->kind == QUESTION_YES_NO)
        return (struct json){ .kind = JSON_BOOL, .truth = answer == 0 };
    if (question->kind != QUESTION_CHOICE)
        return (struct json){ .kind = JSON_INT, .integer = given->score };
    return (struct json){ .kind = JSON_STRING, .string = given->id };
}
