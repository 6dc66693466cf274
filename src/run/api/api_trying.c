/*
 * A test of a template: POST /api/v1/templates/{name}/test. Written with a real person's data, sent
 * to the address given and nobody else, outside the ledger: nothing of it is on anybody's timeline.
 */
#include "run/api/api_inside.h"

#include <string.h>

#include "base/time.h"
#include "message/address.h"
#include "run/send/render.h"
#include "run/send/sender.h"

struct trying_call {
    struct call *call;
    struct str template, to, who;
    struct json        event; /* {"name", "properties"} */
    const struct json *data;
    struct claim       claim;
    bool               is_known, is_there;
    enum err           err;
};

static bool claim_ask(struct engine *engine, struct task *task)
{
    struct trying_call *trying = task->context;
    struct program     *program = engine_program(engine);
    uint32_t            number = program_template(program, trying->template);
    uint32_t            person = call_find(engine, trying->who);
    struct str          variant;
    struct claim_draft  draft = { .person = person,
                                  .template_id = number,
                                  .journey = JOURNEY_NONE,
                                  .problem = &trying->call->problem };
    trying->is_there = program_template_at(program, number)->version != 0;
    trying->is_known = person != PROFILE_NONE;
    trying->err = OK;
    if (trying->is_there && trying->is_known)
        trying->err =
            engine_claim_draft(engine, &draft, trying->call->arena, &trying->claim, &variant);
    return true;
}

static enum err body_read(struct trying_call *trying)
{
    struct call *call = trying->call;
    struct json  body;
    TRY(call_body(call, &body));
    trying->template = call_param(call, "name");
    trying->to = json_get_str(&body, STR("to"));
    trying->who = json_get_str(&body, STR("person"));
    trying->data = json_get(&body, STR("data"));
    TRY(address_check(trying->to, "to", &call->problem));
    if (trying->who.len == 0)
        return problem_set(&call->problem, ERR_INPUT, "person", "Whose data is it to be?",
                           "Give somebody who is known; nothing is sent to them.");
    if (trying->data != NULL && trying->data->kind != JSON_OBJECT)
        return problem_set(&call->problem, ERR_INPUT, "data", "This is not a JSON object.",
                           "Give what the template sees as `event`.");
    return OK;
}

static enum err claim_find(struct trying_call *trying)
{
    struct call *call = trying->call;
    TRY(call_ask(call, claim_ask, trying));
    if (!trying->is_there)
        return problem_format(&call->problem, ERR_ABSENT, "template",
                              "`dult show templates` lists them.", "There is no template \"%.*s\".",
                              STR_ARG(trying->template));
    if (!trying->is_known)
        return call_nobody(call, trying->who);
    TRY(trying->err);
    if (trying->claim.channel != CHANNEL_EMAIL)
        return problem_set(&call->problem, ERR_INPUT, "template", "Only e-mail can be tested so.",
                           "Look at the preview of this template.");
    trying->claim.address = trying->to;
    return OK;
}

static const struct json *event_of(struct trying_call *trying)
{
    struct json_member *members = ARENA_ARRAY(trying->call->arena, 2, struct json_member);
    if (trying->data == NULL || members == NULL)
        return NULL;
    members[0] =
        (struct json_member){ STR("name"), { .kind = JSON_STRING, .string = STR("Test") } };
    members[1] = (struct json_member){ STR("properties"), *trying->data };
    trying->event = (struct json){ .kind = JSON_OBJECT, .count = 2, .members = members };
    return &trying->event;
}

static enum err test_send(struct trying_call *trying, struct render *render,
                          struct delivery_outcome *outcome)
{
    struct call        *call = trying->call;
    struct rendered     rendered = { .subject = STR_NONE };
    struct render_draft draft = { .claim = &trying->claim,
                                  .name = trying->template,
                                  .event = event_of(trying) };
    rendered.mail.message = buf_make(COMPOSE_BYTES_MAX);
    enum err err = render_test(render, &draft, time_now_ms(), call->arena, &rendered);
    if (err == ERR_INPUT)
        problem_format(&call->problem, ERR_INPUT, "template",
                       "Give what is missing in `data`, or take another person.",
                       "It would be held back: %s", rendered.reason);
    if (err == OK) {
        struct sender_try tried = { &rendered, trying->claim };
        err = sender_try(call->api->sender, &tried, outcome);
    }
    buf_done(&rendered.mail.message);
    return err;
}

enum err template_test(struct call *call)
{
    struct trying_call      trying = { .call = call };
    struct delivery_outcome outcome;
    struct render          *render;
    bool                    first = true;
    TRY(body_read(&trying));
    TRY(claim_find(&trying));
    if (call->api->sender == NULL)
        return problem_set(&call->problem, ERR_WAIT, "to", "Nothing can be sent from here.",
                           "Start `dult serve` with a mail server or an outbox.");
    if (trial_state(call->api->conf.trial) == TRIAL_COPY)
        return problem_set(&call->problem, ERR_CONFLICT, "to", "This folder is a copy.",
                           "`dult live` says what that means.");
    TRY(call_render(call, &render));
    TRY(test_send(&trying, render, &outcome));
    buf_char(&call->out, '{');
    write_text(&call->out, &first, "result", str_of(delivery_result_name(outcome.result)));
    write_text(&call->out, &first, "to", trying.to);
    write_text(&call->out, &first, "said", str_of(outcome.text));
    buf_char(&call->out, '}');
    return OK;
}
