/* Codes that are given though nobody may see them: named only within a condition. */
#include "run/send/email_check.h"

#include <stdio.h>
#include <string.h>

#include "engine/codes.h"

/* One tag or output of Liquid. */
struct piece {
    struct str inside; /* with its braces */
    struct str word;   /* the first of a tag: "if"; empty: an output */
    size_t     at;
};

static bool piece_next(struct str text, size_t *from, struct piece *out)
{
    for (size_t at = *from; (at = str_find_char(text, at, '{')) + 1 < text.len; at++) {
        char kind = text.ptr[at + 1];
        if (kind != '{' && kind != '%')
            continue;
        size_t end = str_find(text, at, kind == '{' ? STR("}}") : STR("%}"));
        if (end >= text.len)
            return false;
        struct str word = str_slice(text, at + 2, end);
        if (str_starts(word, STR("-")))
            word = str_slice(word, 1, word.len);
        word = str_trim(word);
        size_t len = 0;
        while (len < word.len && word.ptr[len] >= 'a' && word.ptr[len] <= 'z')
            len++;
        *out = (struct piece){ .inside = str_slice(text, at, end + 2),
                               .word = kind == '%' ? str_slice(word, 0, len) : STR_NONE,
                               .at = at };
        *from = end + 2;
        return true;
    }
    return false;
}

static bool is_one_of(struct str word, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_eq(word, str_of(*words)))
            return true;
    return false;
}

/* What may be shown or not, and its end. */
static int depth_change(struct str word)
{
    static const char *const begins[] = { "if", "unless", "case", "for", "tablerow", NULL };
    static const char *const ends[] = { "endif",  "endunless",   "endcase",
                                        "endfor", "endtablerow", NULL };
    return is_one_of(word, begins) ? 1 : is_one_of(word, ends) ? -1 : 0;
}

/* Being asked about is no way of being seen. */
static bool is_asking(struct str word)
{
    static const char *const asking[] = { "if", "elsif", "unless", "case", "when", NULL };
    return is_one_of(word, asking);
}

/* The pools of a text: all, and those seen by whoever reads it; where each was named first. */
struct mentions {
    struct str      names[CODES_A_TEMPLATE_MAX];
    bool            is_seen[CODES_A_TEMPLATE_MAX];
    enum check_part part[CODES_A_TEMPLATE_MAX];
    uint32_t        line[CODES_A_TEMPLATE_MAX];
    uint32_t        count;
};

static void mention(struct mentions *all, struct str name, bool is_seen, enum check_part part,
                    uint32_t line)
{
    uint32_t i = 0;
    while (i < all->count && !str_eq(all->names[i], name))
        i++;
    if (i == CODES_A_TEMPLATE_MAX)
        return;
    if (i == all->count) {
        all->names[all->count++] = name;
        all->part[i] = part;
        all->line[i] = line;
    }
    all->is_seen[i] = all->is_seen[i] || is_seen;
}

static void part_read(struct str text, enum check_part part, struct mentions *all)
{
    struct piece piece;
    size_t       from = 0, seen = 0;
    uint32_t     line = 1;
    int          depth = 0;
    while (piece_next(text, &from, &piece)) {
        struct str names[CODES_A_TEMPLATE_MAX];
        uint32_t   count = 0;
        for (; seen < piece.at; seen++)
            line += text.ptr[seen] == '\n';
        depth += depth_change(piece.word);
        if (codes_named(piece.inside, names, &count) != OK)
            continue;
        for (uint32_t i = 0; i < count; i++)
            mention(all, names[i], depth <= 0 && !is_asking(piece.word), part, line);
    }
}

void codes_judge(const struct email_file *file, struct check_findings *out)
{
    struct mentions all = { .count = 0 };
    part_read(file->subject.text, CHECK_SUBJECT, &all);
    part_read(file->preheader.text, CHECK_PREHEADER, &all);
    part_read(file->html.text, CHECK_HTML, &all);
    part_read(file->text.text, CHECK_TEXT, &all);
    for (uint32_t i = 0; i < all.count; i++) {
        struct check_finding finding = {
            .severity = CHECK_WARNING,
            .part = all.part[i],
            .line = all.line[i],
            .about = "codes",
            .remedy = "Send a variant or a template of its own to those who shall have none."
        };
        if (all.is_seen[i])
            continue;
        snprintf(finding.what, sizeof finding.what,
                 "A code of \"%.*s\" is taken for everybody, also for those who are not shown it.",
                 STR_ARG(str_slice(all.names[i], 0, 60)));
        finding_add(out, finding);
    }
}
