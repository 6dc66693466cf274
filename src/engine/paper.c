#include "engine/paper.h"

#include <stdlib.h>
#include <string.h>

#include "engine/vec.h"

static void paper_free(struct paper *paper)
{
    free((char *)(uintptr_t)paper->name.ptr);
    free((char *)(uintptr_t)paper->text.ptr);
}

void papers_done(struct papers *papers)
{
    for (uint32_t i = 0; i < papers->count; i++)
        paper_free(&papers->items[i]);
    VEC_DONE(papers);
}

static bool is_of(const struct paper *paper, enum definition_kind kind, struct str name)
{
    return paper->kind == kind && str_eq(paper->name, name);
}

const struct paper *papers_find(const struct papers *papers, enum definition_kind kind,
                                struct str name, uint32_t version)
{
    for (uint32_t i = papers->count; i-- > 0;)
        if (is_of(&papers->items[i], kind, name) &&
            (version == 0 || papers->items[i].version == version))
            return &papers->items[i];
    return NULL;
}

static void drop(struct papers *papers, uint32_t at)
{
    paper_free(&papers->items[at]);
    VEC_REMOVE(papers, at);
}

/* The oldest of the name, until there are at most `most`. */
static void versions_cut(struct papers *papers, enum definition_kind kind, struct str name,
                         uint32_t most)
{
    uint32_t have = 0;
    for (uint32_t i = papers->count; i-- > 0;)
        if (is_of(&papers->items[i], kind, name) && ++have > most)
            drop(papers, i);
}

/* How many names of the kind there are: versions of a name need not lie together. */
static uint32_t names_count(const struct papers *papers, enum definition_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < papers->count; i++)
        count += papers->items[i].kind == kind &&
                 papers_find(papers, kind, papers->items[i].name, 0)->version ==
                     papers->items[i].version;
    return count;
}

static struct str copy_of(struct str text)
{
    char *copy = malloc(text.len + 1);
    if (copy == NULL)
        return STR_NONE;
    memcpy(copy, text.ptr, text.len);
    return (struct str){ copy, text.len };
}

static enum err paper_add(struct papers *papers, struct paper like)
{
    struct paper paper = { like.kind, like.version, copy_of(like.name), copy_of(like.text) };
    enum err     err = paper.name.ptr == NULL || paper.text.ptr == NULL ? ERR_MEMORY : OK;
    if (err == OK)
        err = VEC_ADD(papers, paper);
    if (err != OK)
        paper_free(&paper);
    return err;
}

enum err papers_take(struct papers *papers, enum definition_kind kind, struct str name,
                     struct str text, uint32_t version, struct problem *problem)
{
    bool is_there = papers_find(papers, kind, name, 0) != NULL;
    if (text.len == 0 && !is_there)
        return problem_set(problem, ERR_ABSENT, "name", "There is none of that name.",
                           "Look at the list.");
    if (text.len == 0) {
        versions_cut(papers, kind, name, 0);
        return OK;
    }
    if (text.len > PAPER_TEXT_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "body", "It is longer than 64 KB.", "Shorten it.");
    if (!is_there && names_count(papers, kind) >= PAPERS_MAX)
        return problem_set(problem, ERR_LIMIT, "name", "There are 1,000 of them already.",
                           "Delete those that no mail leads to any more.");
    TRY(paper_add(papers, (struct paper){ kind, version, name, text }));
    versions_cut(papers, kind, name, kind == DEFINE_FILE ? PAPER_VERSIONS_MAX : 1);
    return OK;
}
