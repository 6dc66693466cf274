/*
 * files: a workspace as a marketer keeps it, read from a folder.
 *
 *     shop/workspace.json              one
 *     shop/topics.json                 what people may say yes or no to
 *     shop/traits/total_spent.txt      computed traits
 *     shop/scores/lead.json            points by rules, and lines to cross
 *     shop/stages.json                 all stages
 *     shop/segments/vip.segment        names are those of the files
 *     shop/codes/spring.json           a pool of discount codes
 *     shop/snippets/footer.liquid      what templates share
 *     shop/questions/nps.json          what mails ask
 *     shop/files/guide.pdf             what they hand out; files/guide.json, its settings, if any
 *     shop/templates/welcome.email     and welcome.nb.email, a variant of it
 *     shop/journeys/welcome.json
 *     shop/broadcasts/spring.json
 *     shop/touchpoints/checkout.json   where customers meet the house
 *
 * They are given in the order in which they can be defined: the workspace, topics, traits, scores,
 * stages, segments with those they name before them, codes, snippets, questions, files, templates,
 * journeys, broadcasts, touchpoints. A ring of segments is refused with its path.
 *
 * Always true   each file is read whole and is UTF-8, but one to be handed out: its text is what it
 *               would be defined as, with its hash, and its bytes are read when they are sent; a
 * hidden file (".x") is left alone; any other that fits nowhere is refused, because a misspelt
 * ending is a lost journey. Knows not     whether what they say is right: the API judges.
 */
#ifndef DULT_RUN_FILES_H
#define DULT_RUN_FILES_H

#include "base/str.h"

enum {
    FILES_MAX = 5000,            /* of one folder */
    FILES_BYTES_MAX = 256 << 20, /* all of them together */
    FILE_BYTES_MAX = 1 << 20,    /* as the API takes */
};

enum file_kind {
    FILE_WORKSPACE,
    FILE_TOPICS,
    FILE_LIMITS,
    FILE_RATES,
    FILE_TRAIT,
    FILE_SCORE,
    FILE_STAGES,
    FILE_SEGMENT,
    FILE_CODES,
    FILE_SNIPPET,
    FILE_QUESTION,
    FILE_HANDOUT,
    FILE_TEMPLATE,
    FILE_JOURNEY,
    FILE_BROADCAST,
    FILE_TOUCHPOINT,
};
enum { FILE_KINDS = 16 };

struct file {
    enum file_kind kind;
    struct str     name; /* "vip"; the workspace, topics, limits and stages have none */
    struct str     path; /* "segments/vip.segment", below the folder */
    struct str     text;
    struct str     content; /* where the bytes of a FILE_HANDOUT lie */
};

struct files {
    struct file *items;
    uint32_t     count;
};

/* "workspace", "template" ... and their folder in the API: "templates" ... */
const char *file_kind_name(enum file_kind kind);
const char *file_kind_folder(enum file_kind kind);
/* One document without a name: the workspace, the topics, the stages. */
bool file_kind_is_single(enum file_kind kind);

/* Everything lies in `arena`. ERR_ABSENT: no such folder; ERR_INPUT: a file that fits nowhere. */
MUST enum err files_read(struct arena *arena, const char *folder, struct files *out,
                         struct problem *problem);
/* Puts them in the order in which they can be defined. ERR_INPUT: segments that name each other. */
MUST enum err files_order(struct arena *arena, struct files *files, struct problem *problem);

/* One file whole, NUL behind it. ERR_ABSENT, ERR_IO, ERR_LIMIT. */
MUST enum err files_read_one(struct arena *arena, const char *path, size_t bytes_max,
                             struct str *out, struct problem *problem);

/* A file's bytes, mapped; for files_unmap. ERR_ABSENT, ERR_IO, ERR_LIMIT, ERR_INPUT: it is empty.
 */
MUST enum err files_map(const char *path, struct str *out, struct problem *problem);
void          files_unmap(struct str bytes);

/* Makes a folder for this user alone, with those above it. OK when it is there. ERR_IO. */
MUST enum err files_folder_make(const char *path, struct problem *problem);

#endif
