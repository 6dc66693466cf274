/* What a provider tells later: that a message arrived, did not, or that somebody answered. */
#include <stdio.h>

#include "run/send/provider_inside.h"

static const char *const text_kind_words[] = {
    [TEXT_OTHER] = "nothing",  [TEXT_DELIVERED] = "delivered", [TEXT_FAILED] = "failed",
    [TEXT_DEAD] = "recipient", [TEXT_STOPPED] = "stop",        [TEXT_ANSWER] = "answer",
    [TEXT_ANSWER + 1] = NULL,
};

/* ---- the description ---- */

static enum err proof_read(struct reading *reading, const struct json *proof,
                           struct provider_proof *out)
{
    static const char *const kinds[] = { [TEXT_PROOF_SECRET] = "secret",
                                         [TEXT_PROOF_URL] = "url",
                                         [TEXT_PROOF_TIMED_BODY] = "timed_body",
                                         [TEXT_PROOF_BODY] = "body",
                                         [TEXT_PROOF_BODY + 1] = NULL };
    const struct provider   *provider = reading->provider;
    int                      kind = word_find(kinds, json_get_str(proof, STR("by")));
    if (kind < 0)
        return reading_fault(reading, "receipts.proof",
                             "`by` is none of secret, url, timed_body, body");
    *out = (struct provider_proof){ .kind = (enum text_proof)kind,
                                    .header = json_get_str(proof, STR("header")),
                                    .time_header = json_get_str(proof, STR("time_header")),
                                    .secret = json_get_str(proof, STR("setting")) };
    bool needs_header = out->kind != TEXT_PROOF_SECRET;
    if ((needs_header && out->header.len == 0) ||
        (out->kind == TEXT_PROOF_TIMED_BODY && out->time_header.len == 0))
        return reading_fault(reading, "receipts.proof", "the name of a header is missing");
    for (uint32_t i = 0; i < provider->settings_count; i++)
        if (str_eq(provider->settings[i].name, out->secret))
            return OK;
    return reading_fault(reading, "receipts.proof", "`setting` is none of the settings");
}

enum err receipts_read(struct reading *reading, const struct json *told)
{
    struct receipts *receipts = &reading->provider->receipts;
    if (told == NULL)
        return OK;
    if (told->kind != JSON_OBJECT)
        return reading_fault(reading, "receipts", "is not an object");
    const struct {
        const char   *key;
        struct paths *paths;
    } all[] = {
        { "id", &receipts->id },       { "status", &receipts->status }, { "code", &receipts->code },
        { "from", &receipts->from },   { "to", &receipts->to },         { "text", &receipts->text },
        { "token", &receipts->token },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        TRY(reading_paths(reading, json_get(told, str_of(all[i].key)), all[i].paths));
    TRY(reading_rules(reading, json_get(told, STR("rules")), text_kind_words, "receipts.rules",
                      receipts->rules, &receipts->rules_count));
    TRY(proof_read(reading, json_get(told, STR("proof")), &receipts->proof));
    receipts->proof.is_twiml = str_eq(json_get_str(told, STR("reply")), STR("twiml"));
    receipts->is_there = true;
    return OK;
}

bool provider_has_receipts(const struct provider *provider)
{
    return provider->receipts.is_there;
}

const struct provider_proof *provider_proof(const struct provider *provider)
{
    return &provider->receipts.proof;
}

/* ---- what is told ---- */

static struct str value_at(const struct paths *paths, const struct json *told, struct arena *arena)
{
    for (uint32_t i = 0; i < paths->count; i++) {
        const struct json *value = json_path(told, paths->items[i]);
        if (value != NULL && value->kind == JSON_STRING && value->string.len > 0)
            return value->string;
        if (value != NULL && value->kind == JSON_INT)
            return str_format(arena, "%lld", (long long)value->integer);
    }
    return STR_NONE;
}

void provider_receipt(const struct provider *provider, const struct json *told, struct arena *arena,
                      struct text_event *out)
{
    const struct receipts *receipts = &provider->receipts;
    *out = (struct text_event){ .id = value_at(&receipts->id, told, arena),
                                .status = value_at(&receipts->status, told, arena),
                                .code = value_at(&receipts->code, told, arena),
                                .from = value_at(&receipts->from, told, arena),
                                .to = value_at(&receipts->to, told, arena),
                                .text = value_at(&receipts->text, told, arena),
                                .token = value_at(&receipts->token, told, arena) };
    /* It may be the name of a file; no token has a dot in it. */
    out->token = str_slice(out->token, 0, str_find_char(out->token, 0, '.'));
    for (uint32_t i = 0; i < receipts->rules_count; i++)
        if (rule_fits(&receipts->rules[i], told)) {
            out->kind = (enum text_kind)receipts->rules[i].is;
            return;
        }
    /* Without a status it is no receipt: who wrote a text answers. */
    out->kind = out->status.len == 0 && out->text.len > 0 ? TEXT_ANSWER : TEXT_OTHER;
}

/* ---- examples ---- */

static enum err example_fault(const char *where, const char *list, uint32_t i, const char *found,
                              struct problem *problem)
{
    return problem_format(problem, ERR_INPUT, where,
                          "Mend the rules, or the example, if the service says something else.",
                          "examples.%s.%u: by the rules it is %s", list, i, found);
}

enum { EXAMPLE_BYTES_MAX = 32 * PROVIDER_BYTES_MAX }; /* one, as a tree */

static enum err answer_check(const struct provider *provider, const struct json *example,
                             const char *where, uint32_t i, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(EXAMPLE_BYTES_MAX);
    SCOPED(buf_donep) struct buf       body = buf_make(PROVIDER_BYTES_MAX);
    const struct json                 *told = json_get(example, STR("body"));
    struct fetch_response              response = { .err = OK, .status = 200 };
    struct json                        steps = { .kind = JSON_NULL };
    struct provider_answer             answer;
    char                               lack[PROVIDER_LACK_BYTES];
    int64_t                            status = 200;
    if (arena == NULL)
        return ERR_MEMORY;
    if (told != NULL && told->kind == JSON_STRING)
        buf_str(&body, told->string);
    else if (told != NULL)
        json_write(&body, told);
    TRY(buf_err(&body));
    (void)json_get_int(example, STR("status"), &status);
    response.status = (int)status;
    response.body = buf_view(&body);
    provider_read(provider, &response, &answer);
    const char *found = provider_verdict_words[answer.verdict];
    struct str  id = json_get_str(example, STR("id"));
    if (!str_eq(json_get_str(example, STR("is")), str_of(found)))
        return example_fault(where, "answers", i, found, problem);
    enum err err = answer.verdict == PROVIDER_SENT
                       ? provider_step_take(provider, &response, arena, &steps, lack)
                       : OK;
    if (err == ERR_MEMORY)
        return err;
    if (err != OK)
        return problem_format(problem, ERR_INPUT, where,
                              "Mend `needs`, or the example, if the service says more.",
                              "examples.answers.%u: %s, which is needed", i, lack);
    return id.len == 0 || str_eq(id, str_of(answer.id))
               ? OK
               : example_fault(where, "answers", i, answer.id, problem);
}

static enum err receipt_check(const struct provider *provider, const struct json *example,
                              const char *where, uint32_t i, struct problem *problem)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(PROVIDER_BYTES_MAX);
    const struct json                 *told = json_get(example, STR("body"));
    struct text_event                  event;
    if (arena == NULL)
        return ERR_MEMORY;
    provider_receipt(provider, told, arena, &event);
    const char *found = text_kind_words[event.kind];
    return str_eq(json_get_str(example, STR("is")), str_of(found))
               ? OK
               : example_fault(where, "receipts", i, found, problem);
}

enum err provider_examples(const struct provider *provider, const char *where,
                           struct problem *problem)
{
    const struct json *answers = json_get(provider->examples, STR("answers"));
    const struct json *receipts = json_get(provider->examples, STR("receipts"));
    for (uint32_t i = 0; answers != NULL && answers->kind == JSON_ARRAY && i < answers->count; i++)
        TRY(answer_check(provider, &answers->items[i], where, i, problem));
    for (uint32_t i = 0; receipts != NULL && receipts->kind == JSON_ARRAY && i < receipts->count;
         i++)
        TRY(receipt_check(provider, &receipts->items[i], where, i, problem));
    if (provider->check != NULL)
        TRY(provider_examples(provider->check, where, problem));
    for (uint32_t i = 0; i < provider->steps_count; i++)
        TRY(provider_examples(provider->steps[i], where, problem));
    return provider->token == NULL ? OK : provider_examples(provider->token, where, problem);
}
