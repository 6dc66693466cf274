/* dult sending: is it on or stopped; stopped and resumed by hand; what is in doubt, settled. */
#include <stdio.h>
#include <string.h>

#include "run/cli/cli_talk.h"

static long long number(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_get_int(object, str_of(key), &value);
    return value;
}

static void print(struct talk *talk)
{
    const struct json *answer = &talk->answer;
    const char        *why = talk_text(talk, answer, "why");
    const char        *since = talk_text(talk, answer, "since");
    if (talk->cli->is_json) {
        talk_print_json(answer);
        return;
    }
    printf("Sending is %s", talk_text(talk, answer, "state"));
    if (since[0] != '\0')
        printf(" since %.16s (%s)", since, talk_text(talk, answer, "author"));
    printf("%s%s.\n", why[0] == '\0' ? "" : ": ", why);
    const struct json *domains = json_get(answer, STR("domains"));
    for (uint32_t i = 0; domains != NULL && i < domains->count; i++)
        printf("Sending from %s is stopped: %s.\n", talk_text(talk, &domains->items[i], "domain"),
               talk_text(talk, &domains->items[i], "why"));
    printf("In the last %lld hours %lld e-mails were sent, %lld bounced for good and %lld were "
           "complained of.\n",
           number(answer, "hours"), number(answer, "sent"), number(answer, "bounced"),
           number(answer, "complained"));
}

/* All domains but the one that goes on; all go on where none is named. */
static void domains_write(struct buf *out, const struct json *now, const char *domain)
{
    bool any = false;
    buf_str(out, STR(",\"domains\":["));
    for (uint32_t i = 0; now != NULL && i < now->count; i++) {
        if (domain == NULL ||
            str_eq_nocase(json_get_str(&now->items[i], STR("domain")), str_of(domain)))
            continue;
        buf_str(out, any ? STR(",") : STR(""));
        any = true;
        json_write(out, &now->items[i]);
    }
    buf_char(out, ']');
}

static bool is_among(const struct json *now, const char *domain)
{
    for (uint32_t i = 0; now != NULL && i < now->count; i++)
        if (str_eq_nocase(json_get_str(&now->items[i], STR("domain")), str_of(domain)))
            return true;
    return false;
}

/* `dult sending resume news.shop.example` */
static enum err resume_domain(struct talk *talk, const char *domain)
{
    talk_path(talk, "/api/v1/sending", NULL, NULL);
    TRY(talk_ask(talk, "GET"));
    const struct json *now = json_get(&talk->answer, STR("domains"));
    if (!is_among(now, domain))
        return problem_format(&talk->problem, ERR_ABSENT, "domain",
                              "`dult sending` lists those that are stopped.",
                              "Sending from %s is not stopped.", domain);
    buf_format(&talk->body, "{\"state\":\"%s\"", talk_text(talk, &talk->answer, "state"));
    domains_write(&talk->body, now, domain);
    buf_char(&talk->body, '}');
    talk_path(talk, "/api/v1/sending", NULL, NULL);
    return talk_ask(talk, "PUT");
}

static void body_write(struct talk *talk, const char *state)
{
    const char *why = cli_value(talk->cli, "why");
    buf_format(&talk->body, "{\"state\":\"%s\"", state);
    if (why != NULL) {
        buf_str(&talk->body, STR(",\"why\":"));
        json_write_str(&talk->body, str_of(why));
    }
    buf_char(&talk->body, '}');
}

static enum err change(struct talk *talk, const char *state)
{
    talk_path(talk, "/api/v1/sending", NULL, NULL);
    body_write(talk, state);
    if (strcmp(state, "on") == 0) {
        talk->body.len--; /* the brace at the end */
        domains_write(&talk->body, NULL, NULL);
        buf_char(&talk->body, '}');
    }
    return talk_ask(talk, "PUT");
}

static enum err settle(struct talk *talk, const char *id, const char *state)
{
    talk_path(talk, "/api/v1/messages/", id, "/settle");
    body_write(talk, state);
    return talk_ask(talk, "POST");
}

static enum cli_exit settle_run(struct cli *cli)
{
    struct talk talk;
    const char *state = cli->words_count == 3 ? cli->words[2] : "";
    if (strcmp(state, "sent") != 0 && strcmp(state, "failed") != 0)
        return cli_usage(cli, "A message is settled as sent or failed.",
                         "`dult sending settle 918 sent`; `dult sending unknown` lists them.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK)
        err = settle(&talk, cli->words[1], state);
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK)
        printf("Message %s is %s.\n", cli->words[1], state);
    return talk_end(&talk, err, CLI_OK);
}

/* The newest ones. */
static enum cli_exit unknown_run(struct cli *cli)
{
    struct talk talk;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK) {
        talk_path(&talk, "/api/v1/messages?state=unknown", NULL, NULL);
        err = talk_ask(&talk, "GET");
    }
    const struct json *items = err == OK ? json_get(&talk.answer, STR("items")) : NULL;
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    for (uint32_t i = 0; items != NULL && !cli->is_json && i < items->count; i++)
        printf("%lld  %.16s  %s  %s  %s\n", number(&items->items[i], "id"),
               talk_text(&talk, &items->items[i], "at"), talk_text(&talk, &items->items[i], "to"),
               talk_text(&talk, &items->items[i], "template"),
               talk_text(&talk, &items->items[i], "reason"));
    if (items != NULL && !cli->is_json && items->count == 0)
        printf("No message is in doubt.\n");
    return talk_end(&talk, err, CLI_OK);
}

enum cli_exit cli_sending(struct cli *cli)
{
    struct talk talk;
    const char *word = cli->words_count == 0 ? "show" : cli->words[0];
    bool        is_show = strcmp(word, "show") == 0, is_stop = strcmp(word, "stop") == 0;
    if (strcmp(word, "settle") == 0)
        return settle_run(cli);
    if (strcmp(word, "unknown") == 0)
        return unknown_run(cli);
    if (!is_show && !is_stop && strcmp(word, "resume") != 0)
        return cli_usage(cli, "Sending is shown, stopped or resumed.",
                         "`dult help sending` shows how.");
    enum err err = talk_open(&talk, cli, false);
    if (err == OK && is_show) {
        talk_path(&talk, "/api/v1/sending", NULL, NULL);
        err = talk_ask(&talk, "GET");
    } else if (err == OK) {
        err = !is_stop && cli->words_count > 1 ? resume_domain(&talk, cli->words[1])
                                               : change(&talk, is_stop ? "stopped" : "on");
    }
    if (err == OK)
        print(&talk);
    return talk_end(&talk, err, CLI_OK);
}
