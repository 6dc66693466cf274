#include "engine/segment/segment.h"
#include "engine/segment/segment_parser.h"

static enum err condition(struct parser *p, const struct segment_node **out);

/* ---- what a person belongs to */

/* Who asks for a share and names no seed gets the same people everywhere. */
#define SEED_DEFAULT STR("people")

/* 20% by "seed", 20% of people */
static enum err share(struct parser *p, struct segment_node *node, const char *remedy)
{
    double percent;
    if (p->token.kind != TOKEN_NUMBER || !json_to_real(&p->token.number, &percent))
        return parser_expected(p, "segment, list or a share", remedy);
    TRY(parser_refuse(p, &p->token, segment_share_fault(percent)));
    node->kind = SEGMENT_SHARE;
    node->percent = percent;
    node->name = SEED_DEFAULT;
    TRY(parser_advance(p));
    TRY(parser_want_sign(p, "%", remedy));
    bool of_people = parser_is_word(p, "of");
    if (of_people) {
        TRY(parser_advance(p));
        TRY(parser_want_word(p, "people", remedy));
        if (!parser_is_word(p, "by"))
            return OK;
    }
    TRY(parser_want_word(p, "by", remedy));
    return parser_quoted(p, "a seed in quotes", remedy, &node->name);
}

#define SHARE_REMEDY "Write: 20% of people, or in 20% by \"...\" for a draw of its own."

static bool is_share(const struct parser *p)
{
    struct parser next = parser_ahead(p);
    return p->token.kind == TOKEN_NUMBER && parser_is_sign(&next, "%");
}

/* `on = yes` is about a trait of that name. */
static bool is_membership(const struct parser *p)
{
    return parser_is_word(p, "in") || (parser_is_word(p, "on") && parser_next_is_word(p, "list"));
}

static enum err membership(struct parser *p, const struct segment_node **out)
{
    static const char remedy[] =
        "Write: in segment \"...\", in list, stage or journey \"...\", or in 20% by \"...\".";
    static const struct {
        const char       *word;
        enum segment_kind kind;
    } groups[] = {
        { "segment", SEGMENT_IN_SEGMENT },
        { "list", SEGMENT_IN_LIST },
        { "stage", SEGMENT_IN_STAGE },
        { "journey", SEGMENT_IN_JOURNEY },
    };
    struct segment_node *node;

    TRY(parser_node(p, SEGMENT_SHARE, &node));
    *out = node;
    if (is_share(p))
        return share(p, node, SHARE_REMEDY);
    TRY(parser_advance(p));
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (parser_is_word(p, groups[i].word))
            node->kind = groups[i].kind;
    if (node->kind == SEGMENT_SHARE)
        return share(p, node, remedy);
    TRY(parser_advance(p));
    TRY(parser_quoted(p, "a name in quotes", remedy, &node->name));
    if (node->kind != SEGMENT_IN_JOURNEY || !parser_is_word(p, "at"))
        return OK;
    TRY(parser_advance(p));
    return parser_quoted(p, "the name of a node in quotes",
                         "Write for example: in journey \"welcome\" at \"hello\".", &node->at);
}

static bool consent_word(const struct parser *p, enum segment_consent *out)
{
    for (int i = SEGMENT_GRANTED; i <= SEGMENT_PENDING; i++)
        if (parser_is_word(p, segment_consent_word((enum segment_consent)i))) {
            *out = (enum segment_consent)i;
            return true;
        }
    return false;
}

/* `consent = yes` is about a trait of that name. */
static bool is_consent(const struct parser *p)
{
    enum segment_consent consent;
    if (!parser_is_word(p, "consent"))
        return false;
    struct parser next = parser_ahead(p), after = parser_ahead(&next);
    return parser_is_word(&next, "to") || parser_is_word(&next, "by") ||
           (parser_is_word(&next, "is") && consent_word(&after, &consent));
}

/* A name that people leave without its quotes, as in: by email. */
static enum err quoted_or_bare(struct parser *p, const char *what, const char *remedy,
                               struct str *out)
{
    if (p->token.kind != TOKEN_WORD || segment_is_keyword(p->token.text))
        return parser_quoted(p, what, remedy, out);
    TRY(parser_refuse(p, &p->token, segment_name_fault(p->token.text)));
    *out = p->token.text;
    return parser_advance(p);
}

/* consent to "news" by "email" is granted */
static enum err consent(struct parser *p, const struct segment_node **out)
{
    static const char remedy[] = "Write for example: consent to \"news\" by \"email\" is granted, "
                                 "refused, pending or unknown.";
    struct segment_node *node;

    TRY(parser_node(p, SEGMENT_CONSENT, &node));
    *out = node;
    TRY(parser_advance(p));
    if (parser_is_word(p, "to")) {
        TRY(parser_advance(p));
        TRY(quoted_or_bare(p, "the name of a topic", remedy, &node->name));
    }
    if (parser_is_word(p, "by")) {
        TRY(parser_advance(p));
        TRY(quoted_or_bare(p, "the name of a channel", remedy, &node->at));
    }
    TRY(parser_want_word(p, "is", remedy));
    if (!consent_word(p, &node->consent))
        return parser_expected(p, "granted, refused, pending or unknown", remedy);
    return parser_advance(p);
}

/* `score = 5` is about a trait of that name. */
static bool is_score(const struct parser *p)
{
    struct parser next = parser_ahead(p);
    return parser_is_word(p, "score") && next.token.kind == TOKEN_TEXT;
}

/* score "lead" >= 50 */
static enum err score(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    struct str           name;
    TRY(parser_node(p, SEGMENT_COMPARE, &node));
    *out = node;
    TRY(parser_advance(p));
    TRY(parser_quoted(p, "the name of a score in quotes", "Write: score \"lead\" >= 50.", &name));
    node->compare.key =
        str_format(p->arena, "%.*s%.*s", STR_ARG(SEGMENT_SCORE_PREFIX), STR_ARG(name));
    return node->compare.key.ptr == NULL ? ERR_MEMORY : parser_test(p, &node->compare);
}

/* ---- the tree */

static enum err about_a_person(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    if (is_membership(p) || is_share(p))
        return membership(p, out);
    if (is_consent(p))
        return consent(p, out);
    if (is_score(p))
        return score(p, out);
    if (parser_is_anniversary(p))
        return parser_anniversary(p, out);
    if (parser_is_fold(p))
        return parser_fold(p, false, out);
    if (parser_is_behaviour(p))
        return parser_behaviour(p, out);
    TRY(parser_node(p, SEGMENT_EVERYONE, &node));
    *out = node;
    return parser_advance(p);
}

static bool is_person_ahead(const struct parser *p)
{
    return parser_is_word(p, "everyone") || is_membership(p) || is_share(p) || is_consent(p) ||
           is_score(p) || parser_is_anniversary(p) || parser_is_fold(p) || parser_is_behaviour(p);
}

static enum err primary(struct parser *p, const struct segment_node **out)
{
    if (parser_is_sign(p, "(")) {
        TRY(parser_deeper(p));
        TRY(parser_advance(p));
        TRY(condition(p, out));
        TRY(parser_want_sign(p, ")", "Join conditions with and or or, and close the bracket."));
        p->depth--;
        return OK;
    }
    if (!is_person_ahead(p)) {
        if (p->token.kind != TOKEN_WORD)
            return parser_expected(p, "a condition",
                                   "Write for example: did \"Signed Up\", or country = \"NO\".");
        return parser_about_name(p, out);
    }
    if (p->scope != SCOPE_PERSON)
        return parser_expected(p, "a property",
                               "where filters by the event's properties: where (revenue > 100).");
    return about_a_person(p, out);
}

static enum err unary(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    if (!parser_is_word(p, "not"))
        return primary(p, out);
    TRY(parser_deeper(p));
    TRY(parser_node(p, SEGMENT_NOT, &node));
    const struct segment_node **part = ARENA_ARRAY(p->arena, 1, const struct segment_node *);
    if (part == NULL)
        return ERR_MEMORY;
    TRY(parser_advance(p));
    TRY(unary(p, part));
    node->parts = part;
    node->parts_count = 1;
    p->depth--;
    *out = node;
    return OK;
}

enum err parser_part_in(struct parser *p, enum segment_scope scope, const struct segment_node **out)
{
    enum segment_scope outer = p->scope;
    p->scope = scope;
    enum err err = unary(p, out);
    p->scope = outer;
    return err;
}

typedef enum err parse_part(struct parser *p, const struct segment_node **out);

/* part {word part}; a chain of one is the part itself. */
static enum err chain(struct parser *p, enum segment_kind kind, parse_part *part,
                      const struct segment_node **out)
{
    const char                 *word = kind == SEGMENT_AND ? "and" : "or";
    const struct segment_node **parts = NULL;
    uint32_t                    count = 0;
    struct segment_node        *node = NULL;
    struct segment_token        first = p->token;

    TRY(part(p, out));
    while (parser_is_word(p, word)) {
        TRY(parser_advance(p));
        parts = parser_room(p, parts, count, sizeof parts[0]);
        if (parts == NULL)
            return ERR_MEMORY;
        if (count == 0) {
            TRY(parser_node(p, kind, &node));
            node->line = first.line;
            node->column = first.column;
            parts[count++] = *out;
        }
        TRY(part(p, &parts[count]));
        node->parts = parts;
        node->parts_count = ++count;
    }
    if (node != NULL)
        *out = node;
    return OK;
}

static enum err and_chain(struct parser *p, const struct segment_node **out)
{
    return chain(p, SEGMENT_AND, unary, out);
}

static enum err condition(struct parser *p, const struct segment_node **out)
{
    return chain(p, SEGMENT_OR, and_chain, out);
}

static enum err value(struct parser *p, const struct segment_node **out)
{
    if (!parser_is_fold(p))
        return parser_expected(p, "an aggregate",
                               "Write for example: sum of revenue of \"Order Completed\".");
    return parser_fold(p, true, out);
}

static enum err parse(struct arena *arena, struct str text, parse_part *whole,
                      const struct segment_node **out, struct problem *problem)
{
    const struct segment_node *node;
    if (text.len > SEGMENT_TEXT_BYTES_MAX)
        return problem_set(problem, ERR_LIMIT, "1:1", "the condition is longer than 65536 bytes",
                           "Split this into segments and ask with: in segment \"...\".");
    if (!str_is_utf8(text))
        return problem_set(problem, ERR_INPUT, "1:1", "the text is not UTF-8",
                           "Save the file as UTF-8.");
    struct str kept = str_copy(arena, text); /* the tree's names are borrowed from here */
    if (kept.ptr == NULL)
        return ERR_MEMORY;
    bool          is_short = false;
    struct parser p = { .arena = arena,
                        .lexer = segment_lexer_make(arena, kept, problem),
                        .problem = problem,
                        .is_short = &is_short };
    TRY(parser_advance(&p));
    enum err err = whole(&p, &node);
    TRY(is_short ? ERR_MEMORY : err);
    if (p.token.kind != TOKEN_END)
        return whole == value
                   ? parser_expected(&p, "the end", "Leave out what follows.")
                   : parser_expected(&p, "and, or or the end", "Join conditions with and or or.");
    TRY(segment_bounds(node, problem, "1:1"));
    *out = node;
    return OK;
}

enum err segment_parse(struct arena *arena, struct str text, const struct segment_node **out,
                       struct problem *problem)
{
    return parse(arena, text, condition, out, problem);
}

enum err segment_parse_value(struct arena *arena, struct str text, const struct segment_node **out,
                             struct problem *problem)
{
    return parse(arena, text, value, out, problem);
}
