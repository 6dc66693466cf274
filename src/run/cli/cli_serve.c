#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run/cli/cli.h"
#include "run/cli/files.h"
#include "run/log.h"
#include "run/serve.h"

static bool has_way_out(const struct cli *cli)
{
    char ways[4400];
    snprintf(ways, sizeof ways, "%.4000s/ways.json", cli->data);
    return config_has(&cli->config, CONFIG_SMTP_URL) || config_has(&cli->config, CONFIG_OUTBOX) ||
           config_has(&cli->config, CONFIG_WAYS) || access(ways, F_OK) == 0;
}

static void greet(const struct cli *cli, const struct serve *serve)
{
    const char *origin = serve_origin(serve), *self = program_invocation_name;
    printf("Dult listens on %s, with its data in %s.\n", origin, cli->data);
    printf("\nTo send a first event, in a second terminal:\n\n"
           "    %s key create --data %s --kind write --name site\n"
           "    curl -u KEY: %s/v1/track -H 'content-type: application/json' \\\n"
           "        -d '{\"userId\":\"ada\",\"event\":\"Signed Up\"}'\n"
           "    %s show --data %s ada\n",
           self, cli->data, origin, self, cli->data);
    if (serve_owner_token(serve)[0] != '\0')
        printf("\nNobody owns this workspace yet. Once, and within an hour, this makes the owner's "
               "key:\n\n    curl -X POST %s/api/v1/owner -H 'content-type: application/json' \\\n"
               "        -d '{\"token\":\"%s\"}'\n",
               origin, serve_owner_token(serve));
    if (!has_way_out(cli))
        printf("\nMail is not sent: neither smtp nor outbox is set, so messages wait. "
               "`dult serve --help` tells how.\n");
    fflush(stdout);
}

/* What is wrong is told, and the old one goes on. */
static void reload(struct serve *serve)
{
    struct problem problem = { .where = "" };
    if (serve_reload(serve, &problem) != OK)
        log_problem(LOG_ERROR, &problem);
    else
        log_say(LOG_INFO, "The certificate was read again.");
    problem = (struct problem){ .where = "" };
    if (serve_reload_ways(serve, &problem) != OK)
        log_problem(LOG_ERROR, &problem);
    else
        log_say(LOG_INFO, "The ways out were read again.");
}

/* Ends when told to; SIGHUP is obeyed and the wait goes on. */
static void wait_for_end(struct serve *serve, const sigset_t *signals)
{
    int number;
    for (;;) {
        if (sigwait(signals, &number) != 0 || number != SIGHUP) {
            log_say(LOG_INFO,
                    "Ending: requests under way are answered, mail in flight is finished.");
            return;
        }
        reload(serve);
    }
}

enum cli_exit cli_serve(struct cli *cli)
{
    struct problem problem = { .where = "" };
    struct serve  *serve = NULL;
    sigset_t       signals;
    char           socket[4096];

    enum err err = cli_config_read(cli, &problem);
    if (err == OK)
        err = files_folder_make(cli->data, &problem);
    if (err != OK)
        return cli_fail(cli, err, &problem);
    /* Before any thread starts, so that only sigwait below hears them. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);

    snprintf(socket, sizeof socket, "%s/" SERVE_SOCKET_NAME, cli->data);
    struct serve_conf conf = { .dir = cli->data, .config = &cli->config, .socket_path = socket };
    err = serve_open(&serve, &conf, &problem);
    if (err != OK)
        return cli_fail(cli, err, &problem);
    greet(cli, serve);
    wait_for_end(serve, &signals);
    serve_close(serve);
    return CLI_OK;
}
