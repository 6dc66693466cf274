/* Counting people, previewing a draft, and listing who is in a segment. */
#include "run/api/counting.h"

enum { SAMPLE_DEFAULT = 10, SAMPLE_MAX = 100 };

static enum err sample_write(struct ask *ask, const uint64_t *bits, uint32_t most, const char *key,
                             bool *first)
{
    uint32_t next;
    json_write_key(&ask->call->out, first, key);
    buf_char(&ask->call->out, '[');
    TRY(ask_write_people(ask, bits, 0, most, &next));
    buf_char(&ask->call->out, ']');
    return OK;
}

static enum err count_write(struct ask *ask, const struct counting *counting, uint32_t sample)
{
    struct buf *out = &ask->call->out;
    bool        first = true;
    buf_char(out, '{');
    counting_write(counting, out, &first);
    ask_write_point(ask, out, &first);
    TRY(ask_write_condition(ask, counting->condition, "condition", &first));
    TRY(sample_write(ask, counting->matching, sample, "sample", &first));
    if (counting->is_comparing) {
        TRY(sample_write(ask, counting->entering, sample, "entering_sample", &first));
        TRY(sample_write(ask, counting->leaving, sample, "leaving_sample", &first));
    }
    buf_char(out, '}');
    return OK;
}

/* What is asked, in a body or in a query. */
struct count_words {
    struct str         segment, compare, text;
    const struct json *condition; /* NULL: `text` */
    uint32_t           sample;
};

static enum err count_ask(struct ask *ask, const struct count_words *words)
{
    struct counting            counting = { .matching = NULL };
    const struct segment_node *tree = NULL;
    if (words->segment.len == 0)
        TRY(condition_read(ask->call, words->text, words->condition, &tree));
    TRY(counting_of(ask, &counting, tree, words->segment));
    if (words->compare.len > 0)
        TRY(counting_compare(ask, &counting, words->compare));
    TRY(counting_run(ask, &counting));
    return count_write(ask, &counting, words->sample);
}

static enum err count_answer(struct call *call, const struct json *body,
                             const struct count_words *words)
{
    struct ask ask;
    enum err   err = ask_open(&ask, call, body);
    if (err == OK)
        err = count_ask(&ask, words);
    ask_close(&ask);
    return err;
}

enum err segment_count(struct call *call)
{
    struct count_words words = { .segment = call_query(call, "segment"),
                                 .compare = call_query(call, "compare"),
                                 .text = call_query(call, "condition"),
                                 .sample = SAMPLE_DEFAULT };
    return count_answer(call, NULL, &words);
}

enum err segment_count_post(struct call *call)
{
    struct json body;
    int64_t     sample = SAMPLE_DEFAULT;
    TRY(call_body(call, &body));
    struct count_words words = { .segment = json_get_str(&body, STR("segment")),
                                 .compare = json_get_str(&body, STR("compare")),
                                 .condition = json_get(&body, STR("condition")) };
    (void)json_get_int(&body, STR("sample"), &sample);
    if (sample < 0 || sample > SAMPLE_MAX)
        return problem_set(&call->problem, ERR_INPUT, "sample", "This is no number from 0 to 100.",
                           "For more people ask for a segment's members.");
    words.sample = (uint32_t)sample;
    return count_answer(call, &body, &words);
}

/* ---- members ---- */

static enum err members_ask(struct ask *ask, const struct json *body,
                            const struct segment_node *tree, struct str name)
{
    struct counting counting = { .matching = NULL };
    bool            first = true;
    TRY(counting_of(ask, &counting, tree, name));
    TRY(counting_run(ask, &counting));
    buf_char(&ask->call->out, '{');
    write_int(&ask->call->out, &first, "count", (int64_t)counting.count);
    ask_write_point(ask, &ask->call->out, &first);
    buf_char(&ask->call->out, ',');
    return ask_write_page(ask, counting.matching, body);
}

enum err segment_members(struct call *call)
{
    struct ask ask;
    enum err   err = ask_open(&ask, call, NULL);
    if (err == OK)
        err = members_ask(&ask, NULL, NULL, call_param(call, "name"));
    ask_close(&ask);
    return err;
}

/* The same for a condition that is not saved. */
enum err segment_people(struct call *call)
{
    struct ask                 ask;
    struct json                body;
    const struct segment_node *tree = NULL;
    TRY(call_body(call, &body));
    struct str name = json_get_str(&body, STR("segment"));
    if (name.len == 0)
        TRY(condition_read(call, STR_NONE, json_get(&body, STR("condition")), &tree));
    enum err err = ask_open(&ask, call, &body);
    if (err == OK)
        err = members_ask(&ask, &body, tree, name);
    ask_close(&ask);
    return err;
}
