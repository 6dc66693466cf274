/*
 * A mail in a browser. The page is made anew of what the message was claimed with: the records
 * named in its CLAIMED decision never change, so it says what the mail said. Looking changes
 * nothing and is not counted.
 *
 *      token --> INTENT decision (template, journey, topic)
 *            --> head of the profile it was claimed for --> newest CLAIMED of that message
 */
#include "base/encode.h"
#include "run/api/page.h"

#include "run/send/render.h"

enum {
    TOKEN_TEXT_READ_MAX = 200,
    VIEW_DECISIONS_MAX = 10000, /* since the mail, about one profile: 50 ms of looking */
    VIEW_TRAIT_SEQS_MAX = 256,  /* as many as a claim has */
};

/* What a view is made of; texts lie in the call's arena. */
struct view {
    struct call *call;
    struct token token;
    struct claim claim;
    uint64_t     head; /* the newest decision about the profile; 0: none */
    int64_t      at_ms;
    bool         is_claimed;
};

/* ---- the claim, from what is stored ---- */

static uint32_t number_of(const struct json *object, struct str key)
{
    int64_t value = 0;
    return json_get_int(object, key, &value) && value >= 0 && value <= UINT32_MAX ? (uint32_t)value
                                                                                  : 0;
}

static enum err intent_read(struct view *view)
{
    struct call          *call = view->call;
    struct store_decision row;
    struct json           detail;
    TRY(store_decision_get(call->desk->reader, call->arena, view->token.message, &row));
    if (row.kind != STORE_DECISION_MESSAGE_QUEUED)
        return ERR_ABSENT;
    TRY(json_parse(call->desk->parser, call->arena, row.detail, &detail, NULL));
    view->claim = (struct claim){ .message = view->token.message,
                                  .profile = view->token.profile,
                                  .template_id = number_of(&detail, STR("template_id")),
                                  .journey = number_of(&detail, STR("journey_id")),
                                  .topic = number_of(&detail, STR("topic_id")) };
    return OK;
}

static bool head_ask(struct engine *engine, struct task *task)
{
    struct view         *view = task->context;
    const struct people *people = engine_people(engine);
    if (view->token.profile < people_count(people))
        view->head = people_get(people, view->token.profile)->head;
    return true;
}

/* As they were when the message was claimed. */
static enum err computed_read(struct view *view, const struct json *computed)
{
    SCOPED(buf_donep) struct buf text = buf_make(2 * CLAIM_COMPUTED_BYTES_MAX);
    if (computed == NULL)
        return OK;
    json_write(&text, computed);
    TRY(buf_err(&text));
    view->claim.computed = str_copy(view->call->arena, buf_view(&text));
    return view->claim.computed.ptr == NULL ? ERR_MEMORY : OK;
}

static enum err claimed_read(struct view *view, const struct decision *claimed)
{
    struct arena *arena = view->call->arena;
    struct json   detail;
    uint32_t     *seqs = ARENA_ARRAY(arena, VIEW_TRAIT_SEQS_MAX, uint32_t);
    if (seqs == NULL)
        return ERR_MEMORY;
    TRY(json_parse(view->call->desk->parser, arena, claimed->detail, &detail, NULL));
    const struct json *traits = json_get(&detail, STR("traits"));
    if (traits == NULL || traits->kind != JSON_ARRAY)
        return ERR_ABSENT;
    view->claim.attempt = claimed->object;
    view->claim.address = str_copy(arena, json_get_str(&detail, STR("to")));
    view->claim.event_seq = number_of(&detail, STR("event"));
    view->claim.template_version = number_of(&detail, STR("version"));
    for (uint32_t i = 0; i < traits->count && i < VIEW_TRAIT_SEQS_MAX; i++)
        if (traits->items[i].kind == JSON_INT)
            seqs[view->claim.trait_seqs_count++] = (uint32_t)traits->items[i].integer;
    view->claim.trait_seqs = seqs;
    TRY(computed_read(view, json_get(&detail, STR("computed"))));
    const struct json *variant = json_get(&detail, STR("variant"));
    if (variant != NULL) {
        view->claim.variant = number_of(variant, STR("id")) + 1;
        view->claim.variant_version = number_of(variant, STR("version"));
    }
    view->at_ms = claimed->at_ms;
    view->is_claimed = true;
    return view->claim.address.ptr == NULL ? ERR_MEMORY : OK;
}

/* Newest first; ERR_LIMIT ends the reading. */
static enum err claimed_each(void *ctx, const struct store_decision *row)
{
    struct view    *view = ctx;
    struct decision decision;
    if (row->id <= view->token.message)
        return ERR_LIMIT;
    decision_of_row(row, &decision);
    if (decision.kind != DECISION_CLAIMED || decision.subject != view->token.message)
        return OK;
    TRY(claimed_read(view, &decision));
    return ERR_LIMIT;
}

/* ERR_ABSENT where there is no such message, or it was never on its way. */
static enum err view_read(struct view *view)
{
    TRY(intent_read(view));
    TRY(call_ask(view->call, head_ask, view));
    if (view->head == 0)
        return ERR_ABSENT;
    enum err err = store_story_read(view->call->desk->reader, view->head, VIEW_DECISIONS_MAX,
                                    claimed_each, view);
    if (err != OK && err != ERR_LIMIT)
        return err;
    return view->is_claimed ? OK : ERR_ABSENT;
}

/* ---- the page ---- */

static void text_write(struct buf *out, const struct rendered *rendered)
{
    buf_str(out, STR("<!doctype html><html><head><meta charset=\"utf-8\"><title>"));
    html_escape(out, rendered->subject);
    buf_str(out, STR("</title></head><body><pre style=\"white-space:pre-wrap\">"));
    html_escape(out, rendered->text);
    buf_str(out, STR("</pre></body></html>"));
}

static void view_reply(struct call *call, const struct rendered *rendered)
{
    if (rendered->html.len > 0)
        buf_str(&call->out, rendered->html);
    else
        text_write(&call->out, rendered);
    if (buf_err(&call->out) == OK) /* else the desk says so */
        page_reply(call, 200,
                   STR("img-src http: https: data:; style-src 'unsafe-inline'; form-action 'none'"),
                   buf_view(&call->out));
}

static bool token_get(struct view *view)
{
    const struct api_conf *conf = &view->call->api->conf;
    struct str             text = call_param(view->call, "token");
    return conf->tokens != NULL && conf->secrets != NULL && text.len > 0 &&
           text.len <= TOKEN_TEXT_READ_MAX &&
           token_read(conf->tokens, TOKEN_VIEW, text, STR_NONE, &view->token) == OK;
}

enum err track_view(struct call *call)
{
    struct view     view = { .call = call };
    struct rendered rendered = { .reason = "" };
    struct render  *render = NULL;
    enum err        err = token_get(&view) ? view_read(&view) : ERR_ABSENT;
    if (err == OK)
        err = call_render(call, &render);
    if (err == OK)
        err = render_page(render, &view.claim, view.at_ms, call->arena, &rendered);
    if (err == ERR_ABSENT || err == ERR_INPUT) /* never sent, or what it was made of is gone */
        return track_nowhere(call);
    TRY(err);
    view_reply(call, &rendered);
    return OK;
}
