/* dult domains: what the DNS says of the domains mail comes from, and what is to be published. */
#include <stdio.h>
#include <string.h>

#include "run/cli/domains_tell.h"

static enum err ask_one(struct talk *talk, const char *domain, bool *is_wrong)
{
    talk_path(talk, "/api/v1/domains", NULL, NULL);
    talk_query(talk, "domain", domain);
    TRY(talk_ask(talk, "GET"));
    if (talk->cli->is_json)
        talk_print_json(&talk->answer);
    else
        *is_wrong = domains_tell(talk) || *is_wrong;
    return OK;
}

enum cli_exit cli_domains(struct cli *cli)
{
    struct talk talk;
    bool        is_wrong = false;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK && cli->words_count == 0)
        err = ask_one(&talk, NULL, &is_wrong);
    for (int i = 0; err == OK && i < cli->words_count; i++)
        err = ask_one(&talk, cli->words[i], &is_wrong);
    return talk_end(&talk, err, is_wrong ? CLI_NO : CLI_OK);
}
