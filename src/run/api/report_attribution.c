/* What did messages lead to? Orders and revenue by message, node, variant, journey, broadcast. */
#include <string.h>

#include "base/time.h"
#include "run/api/attributing.h"
#include "run/api/figures.h"
#include "run/api/report_kind.h"
#include "run/api/results_write.h"

struct attributed {
    struct ask             *ask;
    const struct json      *body;
    int64_t                 from_ms, to_ms;
    struct attributing      asked;
    struct results_question question;
    struct results          hands[CREW_THREADS_MAX];
    uint32_t                hands_count;
    bool                    is_again; /* asked once more, in the currency that was found */
};

static enum err attribution_read(struct ask *ask, const struct json *body, void *question)
{
    struct attributed *of = question;
    struct str         by = json_get_str(body, STR("by"));
    uint32_t           number;
    of->ask = ask;
    of->body = body;
    of->question.by = by.len == 0 ? RESULTS_MESSAGE : results_by_of(by);
    of->question.broadcast = json_get_str(body, STR("broadcast"));
    if (of->question.by == RESULTS_BYS)
        return problem_set(&ask->call->problem, ERR_INPUT, "by", "This tells no messages apart.",
                           "Write message, node, variant, journey or broadcast.");
    return ask_key(ask, NAME_PROPERTY, STR("message"), &number); /* the zone comes with it */
}

/* ---- which number is opened ---- */

static enum err pick_what(struct call *call, const struct json *pick, uint32_t *came)
{
    static const struct {
        const char *word;
        uint32_t    came;
    } words[] = {
        { "ordered", 0 },
        { "sent", LETTER_SENT },
        { "delivered", LETTER_CONFIRMED }, /* read as: it went and did not come back */
        { "bounced", (uint32_t)LETTER_HARD | (uint32_t)LETTER_SOFT },
        { "opened", LETTER_OPENED },
        { "clicked", LETTER_CLICKED },
        { "complained", LETTER_COMPLAINED },
        { "unsubscribed", LETTER_UNSUBSCRIBED },
    };
    struct str what = json_get_str(pick, STR("what"));
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if ((what.len == 0 && i == 0) || str_eq(what, str_of(words[i].word))) {
            *came = words[i].came;
            return OK;
        }
    return problem_set(&call->problem, ERR_INPUT, "pick.what", "There is no such number.",
                       "Write ordered, sent, delivered, bounced, opened, clicked, complained or "
                       "unsubscribed.");
}

static enum err pick_read(struct attributed *of, const struct report_pick *from)
{
    static const struct {
        const char     *word;
        enum results_by by;
    } words[] = { { "message", RESULTS_MESSAGE },
                  { "journey", RESULTS_JOURNEY },
                  { "broadcast", RESULTS_BROADCAST } };
    struct results_pick *pick = &of->question.pick;
    pick->bits = from->bits;
    TRY(pick_what(of->ask->call, from->body, &pick->came));
    pick->of =
        json_get_bool(from->body, STR("without"), false) ? RESULTS_PICK_WITHOUT : RESULTS_PICK_ALL;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        const struct json *name = json_get(from->body, str_of(words[i].word));
        if (name == NULL || name->kind != JSON_STRING)
            continue;
        pick->of = RESULTS_PICK_KEY;
        pick->key = (struct results_key){ .of = words[i].by,
                                          .whole = name->string,
                                          .node = json_get_str(from->body, STR("node")),
                                          .variant = json_get_str(from->body, STR("variant")) };
        return OK;
    }
    if (pick->of == RESULTS_PICK_WITHOUT || json_get_bool(from->body, STR("all"), false))
        return OK;
    return problem_set(&of->ask->call->problem, ERR_INPUT, "pick", "This names no row.",
                       "Name it as the report does, such as {\"message\": \"welcome\", \"what\": "
                       "\"clicked\"}, or {\"all\": true}, {\"without\": true}.");
}

static enum err attribution_ready(struct ask *ask, void *question, struct report_pick *pick)
{
    struct attributed *of = question;
    TRY(words_span(ask, 30 * TIME_DAY_MS, &of->from_ms, &of->to_ms));
    TRY(attributing_load(ask->call, of->body, &of->asked));
    attributing_put(&of->asked, &of->question);
    of->question.from_ms = of->from_ms;
    of->question.to_ms = of->to_ms;
    if (pick->bits != NULL)
        TRY(pick_read(of, pick));
    for (; of->hands_count < ask_hands(ask); of->hands_count++)
        of->hands[of->hands_count] = results_make();
    return OK;
}

static enum err attribution_part(void *question, uint32_t hand, struct report_range range)
{
    struct attributed *of = question;
    return results_run(&of->ask->report, &of->question, range, &of->hands[hand]);
}

static void attribution_done(void *question)
{
    struct attributed *of = question;
    for (uint32_t i = 0; i < of->hands_count; i++)
        results_done(&of->hands[i]);
}

/* ---- written ---- */

static void per_message_write(struct buf *out, bool *first, const struct results_worth *worth,
                              uint64_t sent)
{
    if (sent > 0)
        figure_write(out, first, "per_message", (double)worth->revenue / MONEY_UNIT / (double)sent);
}

static void key_write(const struct attributed *of, const struct results_key *key, struct buf *out,
                      bool *first)
{
    if (key->of == RESULTS_BYS) {
        write_text(out, first, results_by_word(of->question.by), key->whole);
        buf_str(out, STR(",\"other\":true"));
        return;
    }
    write_text(out, first, results_by_word(key->of), key->whole);
    if (of->question.by == RESULTS_NODE || key->node.len > 0)
        write_text(out, first, "node", key->node);
    if (key->variant.len > 0)
        write_text(out, first, "variant", key->variant);
}

static void rows_write(const struct attributed *of, const struct results *all, struct buf *out,
                       bool *first)
{
    json_write_key(out, first, "rows");
    buf_char(out, '[');
    for (uint32_t i = 0; i < all->rows.count; i++) {
        const struct results_row *row = &all->rows.items[i];
        bool                      inner = true;
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        key_write(of, &row->key, out, &inner);
        results_count_write(out, &inner, &row->count);
        attributing_worth_write(out, &inner, &row->worth);
        per_message_write(out, &inner, &row->worth, row->count.sent);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void worth_object(struct buf *out, bool *first, const char *key,
                         const struct results_worth *worth)
{
    bool inner = true;
    json_write_key(out, first, key);
    buf_char(out, '{');
    attributing_worth_write(out, &inner, worth);
    buf_char(out, '}');
}

static enum err hands_add(struct attributed *of)
{
    for (uint32_t i = 1; i < of->hands_count; i++)
        TRY(results_add(&of->hands[0], &of->hands[i]));
    return OK;
}

/* Once more, where everything was in a currency that nobody had named. */
static enum err ask_again(struct attributed *of)
{
    for (uint32_t i = 0; i < of->hands_count; i++) {
        results_done(&of->hands[i]);
        of->hands[i] = results_make();
    }
    TRY(ask_share(of->ask, attribution_part, of));
    return hands_add(of);
}

static enum err attribution_write(struct ask *ask, void *question, bool *first)
{
    struct attributed *of = question;
    struct buf        *out = &ask->call->out;
    struct results    *all = &of->hands[0];
    bool               inner = true;
    TRY(hands_add(of));
    if (attributing_retry(&of->asked, all))
        TRY(ask_again(of));
    results_sort(all);
    write_text(out, first, "by", str_of(results_by_word(of->question.by)));
    if (of->question.broadcast.len > 0)
        write_text(out, first, "broadcast", of->question.broadcast);
    words_span_write(out, first, of->from_ms, of->to_ms);
    attributing_rule_write(&of->asked, all, out, first);
    worth_object(out, first, "total", &all->total);
    worth_object(out, first, "without", &all->without);
    figure_write(out, first, "returned", (double)all->returned / MONEY_UNIT);
    json_write_key(out, first, "all");
    buf_char(out, '{');
    results_count_write(out, &inner, &all->all);
    attributing_worth_write(out, &inner, &all->put);
    per_message_write(out, &inner, &all->put, all->all.sent);
    buf_char(out, '}');
    rows_write(of, all, out, first);
    return OK;
}

const struct report_kind report_attribution = { "attribution",    sizeof(struct attributed),
                                                attribution_read, attribution_ready,
                                                attribution_part, attribution_write,
                                                attribution_done };
