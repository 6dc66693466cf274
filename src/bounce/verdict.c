#include "bounce/verdict.h"

#include <string.h>

#include "bounce/scan.h"

enum { CORE_BYTES_MAX = 500 };

/* ---- the stage ---- */

static const struct {
    const char *phrase;
    enum stage  stage;
} STAGES[] = {
    { "in reply to rcpt to", STAGE_RCPT },
    { "after rcpt to", STAGE_RCPT },
    { "rcpt command", STAGE_RCPT },
    { "our rcpt to", STAGE_RCPT },
    { "[rcpt_to]", STAGE_RCPT },
    { "not like recipient", STAGE_RCPT },
    { "rejected recipient", STAGE_RCPT },
    { "<<< rcpt to", STAGE_RCPT },
    { "response to rcpt to", STAGE_RCPT },
    { "rcpt to:<", STAGE_RCPT },
    { "in reply to end of data", STAGE_DATA },
    { "in reply to data", STAGE_DATA },
    { "after end of data", STAGE_DATA },
    { "after pipelined end of data", STAGE_DATA },
    { "after data", STAGE_DATA },
    { "data command", STAGE_DATA },
    { "our final data", STAGE_DATA },
    { "failed after i sent the message", STAGE_DATA },
    { "[data]", STAGE_DATA },
    { "smtp command data", STAGE_DATA },
    { "(data)", STAGE_DATA },
    { "in reply to mail from", STAGE_MAIL },
    { "after mail from", STAGE_MAIL },
    { "our mail from", STAGE_MAIL },
    { "[mail_from]", STAGE_MAIL },
    { "sender was rejected", STAGE_MAIL },
    { "rejected mail from", STAGE_MAIL },
    { "refused to talk to me", STAGE_CONNECT },
    { "after initial connection", STAGE_CONNECT },
    { "in reply to ehlo", STAGE_CONNECT },
    { "in reply to helo", STAGE_CONNECT },
    { "after ehlo", STAGE_CONNECT },
    { "after helo", STAGE_CONNECT },
    { "greeting failed", STAGE_CONNECT },
    { "(state 14)", STAGE_RCPT }, /* Gmail's own numbers */
    { "(state 15)", STAGE_DATA },
    { "(state 16)", STAGE_DATA },
    { "(state 17)", STAGE_DATA },
    { "(state 18)", STAGE_DATA },
};

/* With pipelining ">>> DATA" was said before the answer to RCPT came; these tell what it was. */
static const char NO_RECIPIENTS[] = "need rcpt|no valid recipients";

/* sendmail's transcript: the last ">>> command" before the first refusal "<<< 5". */
static enum stage transcript_stage(struct str flat)
{
    static const struct {
        const char *command;
        enum stage  stage;
    } commands[] = {
        { "rcpt", STAGE_RCPT },    { "data", STAGE_DATA },    { ".", STAGE_DATA },
        { "mail", STAGE_MAIL },    { "ehlo", STAGE_CONNECT }, { "helo", STAGE_CONNECT },
        { "lhlo", STAGE_CONNECT },
    };
    size_t four = str_find(flat, 0, STR("<<< 4")), five = str_find(flat, 0, STR("<<< 5"));
    size_t end = four < five ? four : five, last = flat.len;
    if (end == flat.len)
        return STAGE_UNKNOWN;
    for (size_t at = str_find(flat, 0, STR(">>> ")); at < end;
         at = str_find(flat, at + 1, STR(">>> ")))
        last = at;
    struct str command = str_slice(flat, last + 4, flat.len);
    for (size_t i = 0; last < end && i < sizeof commands / sizeof commands[0]; i++)
        if (str_starts(command, str_of(commands[i].command)))
            return commands[i].stage;
    return STAGE_UNKNOWN;
}

enum stage verdict_stage(struct str flat)
{
    enum stage stage = scan_has_one(flat, NO_RECIPIENTS) ? STAGE_RCPT : transcript_stage(flat);
    for (size_t i = 0; stage == STAGE_UNKNOWN && i < sizeof STAGES / sizeof STAGES[0]; i++)
        if (scan_has(flat, STAGES[i].phrase))
            stage = STAGES[i].stage;
    return stage;
}

/* ---- the verdict ---- */

static bool is_general(struct str status)
{
    return status.len == 0 || str_ends(status, STR(".0.0"));
}

/* A field Status is often only its class ("5.0.0") while the far side's own words have more. */
static struct str status_of(const struct evidence *evidence)
{
    struct str said = STR_NONE;
    if (!is_general(evidence->status))
        return evidence->status;
    if (scan_status(evidence->words.len > 0 ? evidence->words : evidence->around, &said) &&
        !is_general(said))
        return said;
    return evidence->status.len > 0 ? evidence->status : said;
}

/* Said by a server about its own mailboxes, so that no dialogue is needed. */
static const char OWN[] =
    "not listed in|name is not recognized|unknown recipient|not in directory|"
    "final delivery userid|no mailbox here|no such mailbox|recipnotfound|"
    "unknown local part|unknown local-part|unrouteable|no such user|unknown user:|"
    "invalid recipient|user not exist";

/* Does the code speak of the address itself? */
static bool names_address(struct str status)
{
    static const char *const codes[] = { ".1.0", ".1.1", ".1.3", ".1.4", ".1.10", NULL };
    for (int i = 0; codes[i] != NULL; i++)
        if (str_eq(str_slice(status, 1, status.len), str_of(codes[i])))
            return true;
    return false;
}

/* A reply that repeats the recipient speaks of the recipient. */
static bool repeats_recipient(const struct evidence *evidence)
{
    return evidence->is_verbatim && scan_has(evidence->words, ">: user unknown");
}

/*
 * "No such user" is about the recipient only where the recipient was refused. After DATA the same
 * words come from a filter behind the mailbox; where neither the stage nor a code tells (5.1.1), a
 * sentence is too thin to strike somebody off for good.
 */
static enum reason user_at_stage(const struct evidence *evidence, struct str status)
{
    if (evidence->stage == STAGE_MAIL || evidence->stage == STAGE_CONNECT)
        return REASON_REJECTED;
    if (evidence->is_rule)
        return REASON_FILTERED;
    if (names_address(status) || evidence->category == REASON_USERUNKNOWN ||
        evidence->stage == STAGE_RCPT)
        return REASON_USERUNKNOWN;
    bool is_plain = scan_has_one(evidence->words, OWN) || repeats_recipient(evidence);
    return evidence->stage == STAGE_UNKNOWN && is_plain ? REASON_USERUNKNOWN : REASON_FILTERED;
}

/* Said by the server that looked the domain up, so that no dialogue is needed. */
static const char LOOKED_UP[] =
    "host unknown|unknown host|host not found|no such domain|nxdomain|name not found|"
    "name server|unrouteable|not reachable|domain not found|non-existent host";

/*
 * The same for a domain: a reply about a domain may as well speak of ours, unless it was given to
 * RCPT, a code says whose it is, or there was no reply at all.
 */
static enum reason host_at_stage(const struct evidence *evidence, struct str status,
                                 bool is_temporary)
{
    bool names_host = str_ends(status, STR(".1.2")) || str_ends(status, STR(".4.4"));
    if (evidence->stage == STAGE_MAIL)
        return REASON_REJECTED;
    if (evidence->stage == STAGE_CONNECT)
        return REASON_BLOCKED;
    if (is_temporary)
        return REASON_NETWORKERROR;
    if (names_host || evidence->stage == STAGE_RCPT || scan_reply(evidence->words) == 0 ||
        scan_has_one(evidence->words, LOOKED_UP))
        return REASON_HOSTUNKNOWN;
    return REASON_REJECTED;
}

static enum reason reason_at_stage(const struct evidence *evidence, enum reason reason,
                                   struct str status, bool is_temporary)
{
    if (reason == REASON_USERUNKNOWN)
        return user_at_stage(evidence, status);
    if (reason == REASON_HOSTUNKNOWN)
        return host_at_stage(evidence, status, is_temporary);
    return reason;
}

/*
 * The far side's own sentence: from the first reply code to the next that differs. What stands
 * around it is the server's boilerplate, which says "message", "policy" and "size" of everything.
 */
static struct str core_of(struct str words)
{
    int    reply, next_reply = 0;
    size_t begin = scan_reply_at(words, 0, &reply), next = begin;
    if (begin == words.len)
        return STR_NONE;
    do
        next = scan_reply_at(words, next + 3, &next_reply);
    while (next < words.len && next_reply == reply);
    if (begin > 0 && words.ptr[begin - 1] == '[') {
        size_t end = str_find_char(words, begin, ']');
        next = end < next ? end : next;
    }
    return str_slice(words, begin, next < begin + CORE_BYTES_MAX ? next : begin + CORE_BYTES_MAX);
}

static bool is_refused(struct str words)
{
    static const char words_of[] = "rejected|refused|denied|not accepted";
    return scan_has_one(words, words_of);
}

/* Code and sentence agree that there is nobody: what else the sentence has is decoration. */
static bool is_nobody(struct str core, struct str status)
{
    static const char nobody[] =
        "user unknown|unknown user|no such user|does not exist|doesn't exist|user not found|"
        "no such mailbox|recipnotfound";
    return names_address(status) && scan_has_one(core, nobody) && !scan_has(core, "sender");
}

/* The sentence, then the code, then what stands around them. */
static enum reason reason_of(const struct evidence *evidence, struct str status)
{
    enum reason by_status = reason_of_status(status);
    enum reason reason = evidence->category;
    struct str  core = core_of(evidence->words);
    if (reason == REASON_UNDEFINED && is_nobody(core, status))
        reason = REASON_USERUNKNOWN;
    if (reason == REASON_UNDEFINED)
        reason = reason_of_words(core);
    if (reason == REASON_UNDEFINED)
        reason = reason_of_words(evidence->words);
    if (reason == REASON_UNDEFINED)
        reason = by_status;
    if (reason == REASON_UNDEFINED)
        reason = reason_of_words(core_of(evidence->around));
    if (reason == REASON_UNDEFINED)
        reason = reason_of_words(evidence->around);
    if (reason == REASON_UNDEFINED && evidence->action == ACTION_DELAYED)
        reason = REASON_EXPIRED;
    if (reason == REASON_UNDEFINED && is_refused(evidence->words))
        reason = REASON_REJECTED;
    return reason;
}

struct verdict verdict_of(const struct evidence *evidence)
{
    struct str     words = evidence->words.len > 0 ? evidence->words : evidence->around;
    struct str     core = core_of(words);
    struct verdict verdict = { .status = status_of(evidence), .said = core.len > 0 ? core : words };
    int            reply = scan_reply(evidence->words);
    verdict.is_temporary = str_starts(verdict.status, STR("4")) ||
                           evidence->action == ACTION_DELAYED || (reply >= 400 && reply < 500);
    if (evidence->action == ACTION_DELIVERED) {
        verdict.reason = REASON_DELIVERED;
        return verdict;
    }
    verdict.reason = reason_at_stage(evidence, reason_of(evidence, verdict.status), verdict.status,
                                     verdict.is_temporary);
    verdict.is_hard = reason_is_hard(verdict.reason) && !verdict.is_temporary;
    return verdict;
}
