/*
 * cli_talk: what the commands share when they ask the API and tell the answer.
 *
 * A path is written piece by piece, each value escaped:
 *
 *     talk_path(&path, "/api/v1/profiles/", who, "/explain");
 *     talk_query(&path, "journey", name);
 */
#ifndef DULT_RUN_CLI_TALK_H
#define DULT_RUN_CLI_TALK_H

#include "run/cli/cli_reach.h"

enum {
    TALK_PATH_BYTES_MAX = 8 * 1024, /* the server's bound for a request's line */
    TALK_BODY_BYTES_MAX = 32 << 20,
    TALK_ARENA_BYTES_MAX = 512 << 20,
};

/* A question and its answer: opens, asks, closes. Zero is closed. */
struct talk {
    struct cli    *cli;
    struct reach   reach;
    struct arena  *arena;
    struct problem problem;
    struct buf     path, body;
    struct json    answer;
    /* How a person is shown one of a list; set by who calls talk_list, talk_one or talk_item. */
    void (*line)(struct talk *talk, const struct json *one);
};

MUST enum err talk_open(struct talk *talk, struct cli *cli, bool is_making);
void          talk_close(struct talk *talk);

/* Begins talk->path: literal, escaped value, literal; the last two may be NULL. */
void talk_path(struct talk *talk, const char *start, const char *value, const char *end);
void talk_path_more(struct talk *talk, const char *value); /* one more escaped value at its end */
void talk_query(struct talk *talk, const char *name, const char *value); /* NULL value: nothing */

/* Asks path with body; both are empty again afterwards. The answer is in talk->answer. */
MUST enum err talk_ask(struct talk *talk, const char *method);
/* Every item of a list, page after page: each is called until it says otherwise than OK. */
typedef enum err talk_each(void *context, const struct json *item);
MUST enum err    talk_all(struct talk *talk, talk_each *each, void *context);

/* Shows one as talk->line has it, or as JSON where that is asked for. The context is the talk. */
MUST enum err talk_item(void *talk, const struct json *one);
/* Asks for a list and shows each; asks talk->path for one and shows it. */
MUST enum err talk_list(struct talk *talk, const char *path);
MUST enum err talk_one(struct talk *talk, const char *method);

/* Ends the command: says what failed, or gives `code`. Closes. */
enum cli_exit talk_end(struct talk *talk, enum err err, enum cli_exit code);

/* Says which names of the answer's "unseen" nobody ever told, on the error stream. */
void talk_print_unseen(struct talk *talk);

void talk_print_json(const struct json *value); /* in one line, for a person in many */
/* A member's text, "" when absent; terminated, in the arena. */
const char *talk_text(struct talk *talk, const struct json *object, const char *key);
long long   talk_number(const struct json *object, const char *key); /* 0 when absent */

#endif
