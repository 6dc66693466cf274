/* dult liquid: does our Liquid agree with a file of cases? */
#include "run/cli/cli.h"
#include "run/cli/files.h"
#include "template/template.h"

enum { CASES_BYTES_MAX = 64 << 20, SAID_BYTES_MAX = 64 << 20 };

enum cli_exit cli_liquid(struct cli *cli)
{
    SCOPED(arena_closep) struct arena *arena = arena_open((size_t)2 * CASES_BYTES_MAX);
    SCOPED(buf_donep) struct buf       said = buf_make(SAID_BYTES_MAX);
    struct problem                     problem = { .where = "" };
    struct str                         text;
    int                                passed = 0, failed = 0;
    const char                        *path = cli_value(cli, "cases");
    if (path == NULL)
        return cli_usage(cli, "Which cases?", "Name their file: dult liquid --cases FILE");
    if (arena == NULL)
        return CLI_IO;
    enum err err = files_read_one(arena, path, CASES_BYTES_MAX, &text, &problem);
    if (err == OK && (err = template_cases_run(text, &said, &passed, &failed)) != OK)
        (void)problem_set(&problem, err, path, "These are no Liquid cases.",
                          "Name a JSON file in Golden Liquid's format.");
    if (err != OK)
        return cli_fail(cli, err, &problem);
    if (cli->is_json)
        printf("{\"passed\":%d,\"failed\":%d}\n", passed, failed);
    else
        printf("%.*s", STR_ARG(buf_view(&said)));
    return failed == 0 ? CLI_OK : CLI_NO;
}
