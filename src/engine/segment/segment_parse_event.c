#include "engine/segment/segment_parser.h"

/* ---- what happened */

/* The verb at the present word; EVENT when it is none. */
static enum segment_subject verb(const struct parser *p)
{
    static const struct {
        const char          *word;
        enum segment_subject subject;
    } verbs[] = {
        { "received", SEGMENT_RECEIVED },         { "opened", SEGMENT_OPENED },
        { "clicked", SEGMENT_CLICKED },           { "bounced", SEGMENT_BOUNCED },
        { "unsubscribed", SEGMENT_UNSUBSCRIBED }, { "entered", SEGMENT_ENTERED },
        { "finished", SEGMENT_FINISHED },         { "reached", SEGMENT_REACHED_GOAL },
    };
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (parser_is_word(p, verbs[i].word))
            return verbs[i].subject;
    return SEGMENT_EVENT;
}

/*
 * A verb is one only before its target: opened = yes is about a trait of that name. Before a text
 * it is one, too: opened "welcome" is short for opened message "welcome".
 */
static bool is_verb(const struct parser *p)
{
    enum segment_subject subject = verb(p);
    if (subject == SEGMENT_EVENT)
        return false;
    struct parser next = parser_ahead(p);
    if (subject == SEGMENT_REACHED_GOAL)
        return parser_is_word(&next, "the");
    if (next.token.kind == TOKEN_TEXT)
        return true;
    if (segment_subject_is_journey(subject))
        return parser_is_word(&next, "journey");
    return parser_is_word(&next, "any") || parser_is_word(&next, "message") ||
           (subject == SEGMENT_UNSUBSCRIBED && parser_is_word(&next, "from"));
}

bool parser_is_happening(const struct parser *p)
{
    bool anything = parser_is_word(p, "anything") && !parser_next_is_word(p, "of") &&
                    !parser_next_is_word(p, "with");
    return p->token.kind == TOKEN_TEXT || anything || is_verb(p);
}

static enum err journey_name(struct parser *p, struct str *out)
{
    static const char remedy[] = "Write for example: entered journey \"welcome\".";
    TRY(parser_want_word(p, "journey", remedy));
    return parser_quoted(p, "the name of a journey in quotes", remedy, out);
}

/* by a machine, by anyone */
static enum err hits(struct parser *p, enum segment_hits *out)
{
    static const char remedy[] = "Write: by a machine, or by anyone.";
    TRY(parser_advance(p));
    if (parser_is_word(p, "anyone")) {
        *out = SEGMENT_BY_ANYONE;
        return parser_advance(p);
    }
    if (!parser_is_word(p, "a"))
        return parser_expected(p, "a machine or anyone", remedy);
    TRY(parser_advance(p));
    *out = SEGMENT_BY_MACHINES;
    return parser_want_word(p, "machine", remedy);
}

/* After "of": journey "x", broadcast "y" */
static enum err message_of(struct parser *p, struct segment_match *m)
{
    static const char remedy[] = "Write for example: received any message of broadcast \"spring\".";
    if (!parser_is_word(p, "broadcast")) {
        m->of = SEGMENT_OF_JOURNEY;
        return journey_name(p, &m->name);
    }
    m->of = SEGMENT_OF_BROADCAST;
    TRY(parser_advance(p));
    return parser_quoted(p, "the name of a broadcast in quotes", remedy, &m->name);
}

/* any message, message "welcome", any message of journey "x" or of broadcast "y" */
static enum err message_target(struct parser *p, struct segment_match *m)
{
    static const char remedy[] =
        "Write: opened any message, opened message \"welcome\", or any message of journey \"x\".";
    bool any = parser_is_word(p, "any"), named = p->token.kind == TOKEN_TEXT;
    if (!named && !any && !parser_is_word(p, "message"))
        return parser_expected(p, "any message or message", remedy);
    if (any)
        TRY(parser_advance(p));
    if (!named)
        TRY(parser_want_word(p, "message", remedy));
    if (parser_is_word(p, "of")) {
        TRY(parser_advance(p));
        TRY(message_of(p, m));
    } else if (!any) {
        m->of = SEGMENT_OF_MESSAGE;
        TRY(parser_quoted(p, "the name of a message in quotes", remedy, &m->name));
    }
    return segment_subject_has_hits(m->subject) && parser_is_word(p, "by") ? hits(p, &m->hits) : OK;
}

/* After the verb's first word. */
static enum err verb_target(struct parser *p, struct segment_match *m)
{
    static const char remedy[] = "Write for example: reached the goal of journey \"welcome\".";
    if (m->subject == SEGMENT_UNSUBSCRIBED && parser_is_word(p, "from"))
        TRY(parser_advance(p));
    if (segment_subject_is_message(m->subject))
        return message_target(p, m);
    if (m->subject == SEGMENT_REACHED_GOAL) {
        TRY(parser_want_word(p, "the", remedy));
        TRY(parser_want_word(p, "goal", remedy));
        TRY(parser_want_word(p, "of", remedy));
    }
    if (p->token.kind == TOKEN_TEXT)
        return parser_quoted(p, "the name of a journey in quotes", remedy, &m->name);
    return journey_name(p, &m->name);
}

enum err parser_happening(struct parser *p, struct segment_match *match)
{
    if (is_verb(p)) {
        match->subject = verb(p);
        TRY(parser_advance(p));
        return verb_target(p, match);
    }
    if (parser_is_word(p, "anything")) {
        match->subject = SEGMENT_ANYTHING;
        return parser_advance(p);
    }
    return parser_quoted(p, "the name of an event in quotes",
                         "Write for example: did \"Order Completed\".", &match->event);
}

/* ---- one after another */

static enum err where_if(struct parser *p, struct segment_match *match)
{
    if (!parser_is_word(p, "where"))
        return OK;
    TRY(parser_advance(p));
    return parser_part_in(p, SCOPE_EVENT, &match->where);
}

/* A happening and its where, without a window. */
static enum err one_step(struct parser *p, struct segment_match *match)
{
    TRY(parser_happening(p, match));
    return where_if(p, match);
}

/* within 1 hour, with the same cart_id, and for a funnel a window; in any order. */
static enum err span(struct parser *p, struct segment_node *node, bool takes_window,
                     const char *remedy)
{
    static const char same_remedy[] = "Write for example: with the same cart_id.";
    struct clauses    seen = { 0 };
    for (;;) {
        if (parser_is_word(p, "within")) {
            if (node->within_ms != 0)
                return parser_twice(p, "within");
            TRY(parser_advance(p));
            TRY(parser_length(p, &node->within_ms));
        } else if (parser_is_word(p, "with")) {
            if (node->same.len != 0)
                return parser_twice(p, "with the same");
            TRY(parser_advance(p));
            TRY(parser_want_word(p, "the", same_remedy));
            TRY(parser_want_word(p, "same", same_remedy));
            TRY(parser_key(p, &node->same));
        } else if (takes_window && parser_is_window(p, &seen)) {
            if (seen.window)
                return parser_twice(p, "window of time");
            seen.window = true;
            TRY(parser_window(p, &node->match.window));
        } else {
            return node->within_ms != 0 ? OK : parser_expected(p, "within", remedy);
        }
    }
}

/* What follows "then": no "B", never opened ..., nothing, "B", opened ... */
static enum err then(struct parser *p, struct segment_node *node, const struct clauses *seen)
{
    if (seen->times)
        return parser_fail(p, &p->token, ERR_INPUT,
                           "a sequence begins with one event, not a number of them",
                           "Leave out the number of times.");
    if (parser_is_word(p, "and"))
        TRY(parser_advance(p));
    TRY(parser_advance(p));
    bool nothing = parser_is_word(p, "nothing");
    bool no = nothing || parser_is_word(p, "no") || parser_is_word(p, "never");
    if (no)
        TRY(parser_advance(p));
    node->kind = no ? SEGMENT_THEN_NOT : SEGMENT_THEN;
    node->times_count = 0;
    if (nothing)
        node->then.subject = SEGMENT_ANYTHING;
    else
        TRY(parser_happening(p, &node->then));
    TRY(where_if(p, &node->then));
    return span(p, node, false, "Write for example: then \"Order Completed\" within 1 hour.");
}

static bool is_then_ahead(const struct parser *p)
{
    return parser_is_word(p, "then") ||
           (parser_is_word(p, "and") && parser_next_is_word(p, "then"));
}

static enum err steps(struct parser *p, struct segment_node *node)
{
    static const char remedy[] =
        "Write for example: reached step 2 of (\"Viewed\", \"Ordered\") within 1 hour.";
    struct segment_match *list = ARENA_ARRAY(p->arena, SEGMENT_STEPS_MAX, struct segment_match);
    if (list == NULL)
        return ERR_MEMORY;
    node->steps = list;
    TRY(parser_want_word(p, "of", remedy));
    TRY(parser_want_sign(p, "(", remedy));
    for (;;) {
        if (node->steps_count == SEGMENT_STEPS_MAX)
            return parser_fail(p, &p->token, ERR_LIMIT, "there are more than 12 steps",
                               "Leave out steps in the middle.");
        TRY(one_step(p, &list[node->steps_count]));
        node->steps_count++;
        if (!parser_is_sign(p, ","))
            break;
        TRY(parser_advance(p));
    }
    TRY(parser_want_sign(p, ")", "Separate the steps by commas and close the bracket."));
    return span(p, node, true, remedy);
}

static enum err step_number(struct parser *p, uint32_t *out)
{
    static const char remedy[] = "Write for example: reached step 2 but not step 3 of (...).";
    int64_t           number = 0;
    TRY(parser_want_word(p, "step", remedy));
    struct segment_token at = p->token;
    TRY(parser_whole_number(p, remedy, &number));
    if (number < 1 || number > SEGMENT_STEPS_MAX)
        return parser_fail(p, &at, ERR_INPUT, "there is no such step",
                           "Count the steps in the brackets from 1.");
    *out = (uint32_t)number;
    return OK;
}

/* reached step 2 but not step 3 of ("A", "B" where x = 1, "C") within 1 hour */
static enum err funnel(struct parser *p, struct segment_node *node)
{
    struct segment_token at = p->token;
    node->kind = SEGMENT_FUNNEL;
    TRY(parser_advance(p));
    TRY(step_number(p, &node->step));
    if (parser_is_word(p, "but")) {
        TRY(parser_advance(p));
        TRY(parser_want_word(p, "not", "Write for example: but not step 3."));
        TRY(step_number(p, &node->not_step));
    }
    TRY(steps(p, node));
    return parser_refuse(p, &at, segment_steps_fault(node));
}

/* ---- behaviour */

/* "did" and what, or a verb and its target. */
static enum err did_what(struct parser *p, const char *remedy, struct segment_match *match)
{
    if (!is_verb(p))
        TRY(parser_want_word(p, "did", remedy));
    return parser_happening(p, match);
}

static enum err did(struct parser *p, struct segment_node *node)
{
    struct clauses seen = { 0 };
    node->times = SEGMENT_TIMES_AT_LEAST;
    node->times_count = 1;
    TRY(did_what(p, "Write for example: did \"Order Completed\".", &node->match));
    TRY(parser_clauses(p, &node->match, node, &seen));
    return is_then_ahead(p) ? then(p, node, &seen) : OK;
}

/* never did "A", did not "A" */
static enum err never_did(struct parser *p, struct segment_node *node)
{
    static const char remedy[] = "Write for example: never did \"Order Completed\".";
    struct clauses    seen = { 0 };
    bool              after = parser_is_word(p, "did");
    TRY(parser_advance(p));
    node->times = SEGMENT_TIMES_AT_MOST;
    if (after) {
        TRY(parser_advance(p));
        TRY(parser_happening(p, &node->match));
    } else {
        TRY(did_what(p, remedy, &node->match));
    }
    TRY(parser_clauses(p, &node->match, NULL, &seen));
    if (is_then_ahead(p))
        return parser_fail(p, &p->token, ERR_INPUT, "never does not go with a sequence",
                           "Write: not did \"...\" then \"...\" within ...");
    return OK;
}

static enum err first_or_last(struct parser *p, struct segment_node *node)
{
    struct clauses seen = { 0 };
    node->kind = parser_is_word(p, "first") ? SEGMENT_FIRST_DID : SEGMENT_LAST_DID;
    TRY(parser_advance(p));
    TRY(did_what(p, "Write for example: last did \"Visited\" more than 30 days ago.",
                 &node->match));
    TRY(parser_clauses(p, &node->match, NULL, &seen));
    if (!seen.window)
        return parser_expected(p, "a time",
                               "Add for example: more than 30 days ago, since 2026-01-01.");
    return OK;
}

static bool is_funnel(const struct parser *p)
{
    return parser_is_word(p, "reached") && parser_next_is_word(p, "step");
}

bool parser_is_behaviour(const struct parser *p)
{
    return parser_is_word(p, "did") || parser_is_word(p, "never") || parser_is_word(p, "first") ||
           parser_is_word(p, "last") || is_verb(p) || is_funnel(p);
}

enum err parser_behaviour(struct parser *p, const struct segment_node **out)
{
    struct segment_node *node;
    TRY(parser_node(p, SEGMENT_DID, &node));
    *out = node;
    if (is_funnel(p))
        return funnel(p, node);
    if (parser_is_word(p, "first") || parser_is_word(p, "last"))
        return first_or_last(p, node);
    bool never =
        parser_is_word(p, "never") || (parser_is_word(p, "did") && parser_next_is_word(p, "not"));
    return never ? never_did(p, node) : did(p, node);
}
