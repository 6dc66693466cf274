/* dult key, dult owner: who may send and ask. */
#include <inttypes.h>
#include <string.h>

#include "run/cli/cli_talk.h"

static void body_member(struct buf *body, bool *first, const char *name, const char *value)
{
    if (value == NULL)
        return;
    json_write_key(body, first, name);
    json_write_str(body, str_of(value));
}

/* The key alone on the first line, so that a script can take it from there. */
static void key_print(const struct cli *cli, struct talk *talk, const char *kind)
{
    if (cli->is_json) {
        talk_print_json(&talk->answer);
        return;
    }
    printf("%s\n", talk_text(talk, &talk->answer, "key"));
    fprintf(stderr, "This is shown once, and not kept. %s\n",
            strcmp(kind, "write") == 0
                ? "Send it as the user name of Basic authentication: curl -u KEY: ..."
                : "Send it as: Authorization: Bearer KEY");
}

static enum cli_exit create(struct cli *cli, const char *kind, const char *name, const char *scopes)
{
    struct talk talk;
    bool        first = true;
    enum err    err = talk_open(&talk, cli, true);
    if (err == OK) {
        buf_char(&talk.body, '{');
        body_member(&talk.body, &first, "kind", kind);
        body_member(&talk.body, &first, "name", name);
        body_member(&talk.body, &first, "scopes", scopes);
        buf_char(&talk.body, '}');
        talk_path(&talk, "/api/v1/keys", NULL, NULL);
        err = talk_ask(&talk, "POST");
    }
    if (err == OK)
        key_print(cli, &talk, kind);
    return talk_end(&talk, err, CLI_OK);
}

static enum err key_line(void *context, const struct json *item)
{
    struct talk *talk = context;
    int64_t      id = 0;
    (void)json_get_int(item, STR("id"), &id);
    printf("%4" PRId64 "  %-6s %-24s %-32s %s%s\n", id, talk_text(talk, item, "kind"),
           talk_text(talk, item, "name"), talk_text(talk, item, "scopes"),
           json_get(item, STR("revoked")) != NULL ? "revoked " : "since ",
           talk_text(talk, item, json_get(item, STR("revoked")) != NULL ? "revoked" : "created"));
    return OK;
}

static enum cli_exit list(struct cli *cli)
{
    struct talk talk;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK) {
        talk_path(&talk, "/api/v1/keys", NULL, NULL);
        err = cli->is_json ? talk_ask(&talk, "GET") : talk_all(&talk, key_line, &talk);
    }
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    return talk_end(&talk, err, CLI_OK);
}

static enum cli_exit revoke(struct cli *cli, const char *id)
{
    struct talk talk;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK) {
        talk_path(&talk, "/api/v1/keys/", id, NULL);
        err = talk_ask(&talk, "DELETE");
    }
    if (err == OK && cli->is_json)
        talk_print_json(&talk.answer);
    else if (err == OK)
        printf("Key %s opens nothing any more.\n", id);
    return talk_end(&talk, err, CLI_OK);
}

enum cli_exit cli_key(struct cli *cli)
{
    const char *verb = cli->words[0], *kind = cli_value(cli, "kind");
    if (strcmp(verb, "create") == 0 && cli->words_count == 1) {
        kind = kind == NULL ? "write" : kind;
        return create(cli, kind, cli_has(cli, "name") ? cli_value(cli, "name") : kind,
                      cli_value(cli, "scopes"));
    }
    if (strcmp(verb, "list") == 0 && cli->words_count == 1)
        return list(cli);
    if (strcmp(verb, "revoke") == 0 && cli->words_count == 2)
        return revoke(cli, cli->words[1]);
    return cli_usage(cli, "A key is created, listed or revoked.", "`dult help key` shows how.");
}

enum cli_exit cli_owner(struct cli *cli)
{
    if (strcmp(cli->words[0], "create") != 0)
        return cli_usage(cli, "An owner is created.", "Try: dult owner create --name ADA");
    return create(cli, "owner", cli_has(cli, "name") ? cli_value(cli, "name") : "owner", NULL);
}
