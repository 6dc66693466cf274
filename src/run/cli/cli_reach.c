#include "run/cli/cli_reach.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/time.h"
#include "run/cli/files.h"

static enum err open_own(struct reach *reach, struct cli *cli, struct problem *problem)
{
    char path[SERVE_PATH_BYTES_MAX];
    snprintf(reach->socket_name, sizeof reach->socket_name, "dult-%ld.sock", (long)getpid());
    TRY(client_socket_path(cli->data, reach->socket_name, path, &reach->folder));
    struct serve_conf conf = {
        .dir = cli->data, .config = &cli->config, .socket_path = path, .is_private = true
    };
    enum err err = serve_open(&reach->serve, &conf, problem);
    if (err == OK)
        err = client_open(&reach->client, cli->data, reach->socket_name, problem);
    return err;
}

static enum err folder_ready(const struct cli *cli, bool is_making, struct problem *problem)
{
    struct stat stat_;
    if (is_making)
        return files_folder_make(cli->data, problem);
    if (stat(cli->data, &stat_) == 0 && S_ISDIR(stat_.st_mode))
        return OK;
    return problem_set(problem, ERR_ABSENT, cli->data, "There is no such data folder.",
                       "Name it with --data DIR; `dult serve --data DIR` makes one.");
}

static void hold_on(void)
{
    struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
    nanosleep(&pause, NULL);
}

static enum err silent(const struct cli *cli, const struct problem *held, struct problem *problem)
{
    struct problem told = *held; /* names who holds it */
    (void)problem_format(problem, ERR_CONFLICT, cli->data,
                         "If a server is starting, wait for it. If it hangs, end it; its log tells "
                         "more.",
                         "%.150s, and it does not answer on its socket.", told.what);
    return ERR_CONFLICT;
}

enum err reach_open(struct reach *reach, struct cli *cli, bool is_making, struct problem *problem)
{
    int64_t until_us = time_mono_us() + (int64_t)REACH_WAIT_MS * 1000;
    *reach = (struct reach){ .folder = -1 };
    signal(SIGPIPE, SIG_IGN);
    enum err err = folder_ready(cli, is_making, problem);
    if (err == OK)
        err = cli_config_read(cli, problem);
    while (err == OK) {
        err = client_open(&reach->client, cli->data, SERVE_SOCKET_NAME, problem);
        if (err != ERR_ABSENT)
            return err;
        struct problem held = { .where = "" };
        err = open_own(reach, cli, &held);
        if (err == OK)
            return OK;
        reach_close(reach);
        bool is_held = err == ERR_CONFLICT && str_ends(str_of(held.where), STR("/lock"));
        if (!is_held || time_mono_us() > until_us) {
            *problem = held;
            return is_held ? silent(cli, &held, problem) : err;
        }
        hold_on();
        err = OK;
    }
    return err;
}

void reach_close(struct reach *reach)
{
    client_close(reach->client);
    serve_close(reach->serve);
    if (reach->folder > 0)
        close(reach->folder);
    *reach = (struct reach){ .folder = -1 };
}

void reach_closep(struct reach *reach)
{
    reach_close(reach);
}
