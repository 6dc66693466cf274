/* dult export PERSON: all that is kept about a person, to the terminal or a new file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "run/cli/cli_talk.h"

/* It is about one person: for the owner's eyes, and never in the place of another file. */
static enum err file_open(const char *path, FILE **out, struct problem *problem)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (*out != NULL)
        return OK;
    return problem_format(problem, ERR_IO, path, "Name a file that is not there yet.",
                          "It cannot be written: %s.", strerror(errno));
}

enum cli_exit cli_export(struct cli *cli)
{
    struct talk talk;
    const char *path = cli_value(cli, "out");
    FILE       *to = stdout;
    enum err    err = talk_open(&talk, cli, false);
    if (err == OK && path != NULL)
        err = file_open(path, &to, &talk.problem);
    if (err != OK)
        return talk_end(&talk, err, CLI_OK);
    talk_path(&talk, "/api/v1/profiles/", cli->words[0], "/export");
    err = buf_err(&talk.path);
    if (err == OK)
        err = client_save(talk.reach.client, buf_view(&talk.path), to, &talk.problem);
    if (to != stdout && fclose(to) != 0 && err == OK)
        err = ERR_IO;
    if (err != OK && path != NULL)
        unlink(path); /* half of somebody */
    if (err == OK && path != NULL)
        fprintf(stderr, "All that is kept about %s is in %s.\n", cli->words[0], path);
    return talk_end(&talk, err, CLI_OK);
}
