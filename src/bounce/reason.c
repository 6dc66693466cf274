#include "bounce/reason.h"

#include "bounce/scan.h"

static const struct {
    const char *name, *status; /* the status without its first digit */
    bool        is_hard;
} REASON_TABLE[REASONS] = {
    [REASON_UNDEFINED] = { "undefined", ".0.0", false },
    [REASON_AUTHFAILURE] = { "authfailure", ".7.26", false },
    [REASON_BADREPUTATION] = { "badreputation", ".7.1", false },
    [REASON_BLOCKED] = { "blocked", ".7.1", false },
    [REASON_CONTENTERROR] = { "contenterror", ".6.0", false },
    [REASON_DELIVERED] = { "delivered", ".0.0", false },
    [REASON_EXCEEDLIMIT] = { "exceedlimit", ".2.3", false },
    [REASON_EXPIRED] = { "expired", ".4.7", false },
    [REASON_FEEDBACK] = { "feedback", ".0.0", false },
    [REASON_FILTERED] = { "filtered", ".2.0", false },
    [REASON_HASMOVED] = { "hasmoved", ".1.6", true },
    [REASON_HOSTUNKNOWN] = { "hostunknown", ".1.2", true },
    [REASON_MAILBOXFULL] = { "mailboxfull", ".2.2", false },
    [REASON_MAILERERROR] = { "mailererror", ".3.0", false },
    [REASON_MESGTOOBIG] = { "mesgtoobig", ".3.4", false },
    [REASON_NETWORKERROR] = { "networkerror", ".4.0", false },
    [REASON_NORELAYING] = { "norelaying", ".7.1", false },
    [REASON_NOTACCEPT] = { "notaccept", ".1.10", true },
    [REASON_NOTCOMPLIANT] = { "notcompliantrfc", ".5.0", false },
    [REASON_ONHOLD] = { "onhold", ".0.0", false },
    [REASON_POLICY] = { "policyviolation", ".7.0", false },
    [REASON_RATELIMITED] = { "speeding", ".7.1", false },
    [REASON_REJECTED] = { "rejected", ".1.8", false },
    [REASON_REQUIREPTR] = { "requireptr", ".7.25", false },
    [REASON_SECURITY] = { "securityerror", ".7.0", false },
    [REASON_SPAM] = { "spamdetected", ".7.1", false },
    [REASON_SUSPEND] = { "suspend", ".2.1", false },
    [REASON_SYNTAX] = { "syntaxerror", ".5.2", false },
    [REASON_SYSTEMERROR] = { "systemerror", ".3.0", false },
    [REASON_SYSTEMFULL] = { "systemfull", ".3.1", false },
    [REASON_TOOMANYCONN] = { "toomanyconn", ".3.2", false },
    [REASON_USERUNKNOWN] = { "userunknown", ".1.1", true },
    [REASON_VIRUS] = { "virusdetected", ".7.1", false },
};

/*
 * From the particular to the general; the first row with a phrase in the text decides. Phrases are
 * flat (lower case, single blanks), as short as is safe, and divided by "|".
 */
static const struct {
    enum reason reason;
    const char *phrases;
} WORDS[] = {
    { REASON_BLOCKED, "accept mail from|accepting mail from|accept email from|accept messages from|"
                      "accept connections from|accept any mail from" },
    { REASON_REQUIREPTR,
      "reverse dns|bad dns ptr|name lookup failed|ptr record|reverse lookup|reverse hostname|"
      "reverse host name|no ptr|rdns|cannot resolve your address|cannot find your hostname|"
      "cannot find your reverse|mismatches client ip|unable to resolve your|fix reverse|"
      "without reverse|reverse mapping|reverse-dns|reverse ptr|ptr entry|client host name|"
      "unresolvable relay host name|5.7.25|4.7.25|all mail servers must have a ptr|"
      "valid reverse|forward-confirmed" },
    { REASON_NOTACCEPT,
      "null mx|nullmx|does not accept mail|doesn't accept mail|indicated no smtp service|"
      "doesn't receive email|does not receive email|does not receive mail|"
      "name server: .: host not found|we do not accept mail|host/domain does not accept mail|"
      "does not accept any mail|this server does not accept incoming" },
    { REASON_MAILBOXFULL,
      "mailbox full|mailbox is full|mailbox size limit|over quota|overquota|over-quota|"
      "quota exceed|exceeded quota|exceed quota|exceeds quota|exceeded storage|"
      "exceeded its storage|exceeded the storage|quota violation|account is full|"
      "inbox is full|inbox full|out of storage|storage limit|out of disk space|"
      "exceeded the disk|disk quota|mail box full|maildir over|mailfolder is full|"
      "folder is full|exceeded his|exceeded mail|size limit for the|mailbox exceeds allowed|"
      "would exceed mailbox|would be over the quota|account has reached its|"
      "mailbox has exceeded|user is over|over the allowed quota|not enough storage space in|"
      "not enough disk space|too much mail data|mailbox quota|recipient reached disk quota|"
      "is currently too large|no space left for|exceeding|account is over|"
      "mailbox has reached|has reached his quota|insufficient space in mailbox|quotaexceed|"
      "overthequota|problem with quota|box is full|mailbox_full|boite du destinataire pleine|"
      "boite aux lettres pleine|boîte du destinataire|buzon lleno|postfach ist voll|"
      "postfach voll|casella piena|delivery to file failed: quota|its storage|"
      "user's mailbox is overflow|full mailbox|mail quota|mbox is full|cannot store any more|"
      "storage exceeded|has exceeded the limit|mailbox would exceed|"
      "retry limit reached: mailbox" },
    { REASON_SYSTEMFULL,
      "insufficient system storage|insufficient disk space|no space left on device|"
      "insufficient system resource|requested mail action aborted: exceeded|mail system full|"
      "system is full|out of memory|queue disk full" },
    { REASON_EXCEEDLIMIT,
      "message length exceeds administrative limit|message exceeds recipient|"
      "exceeds recipient's|exceeds the limit of recipient|message too large for this rec|"
      "5.2.3" },
    { REASON_MESGTOOBIG,
      "message too big|message size exceeds|message too large|exceeds maximum message|"
      "exceeded maximum message|maximum message size|size limit exceeded|max message size|"
      "message is too big|message is too large|too large to deliver|line limit exceeded|"
      "message exceeded max|message header size|size exceeds limit|exceeded maximum allowed|"
      "exceeds fixed limit|exceeds fixed maximum|file exceeds limit|file too big|"
      "larger than the current|message file too big|too big|exceeds the maximum|"
      "exceeds size limit|larger than maximum" },
    { REASON_VIRUS,
      "virus|malware|trojan|infected|mcspamsignature|potentially executable|banned file|worm " },
    { REASON_AUTHFAILURE,
      "dmarc|spf:|unauthenticated email|unauthenticated mail|spf check|spf fail|spf validation|"
      "spf error|spf record|(spf)|fails spf|failed spf| spf |dkim|sender policy framework|"
      "5.7.26|5.7.509|5.7.515|4.7.26|5.7.20|5.7.21|5.7.22|5.7.23|5.7.24|4.7.27|5.7.28|5.7.30|"
      "multiple authentication checks failed|authentication information|"
      "authentication checks|openspf.org|spf-result|not authorized to send from|"
      "is not allowed to send from|not authorized to send for|email authentication|sender id" },
    { REASON_SPAM,
      "spam|unsolicited|content rejected|considered bulk|bulk email|junk mail|junk email|"
      "identified as junk|blacklisted url|rejected due to content|content of this message|"
      "message content|rejected by content|cloudmark|classified as|rejected as bulk|"
      "x-ham-report|ube,|contains uri|surbl|contains a url|blocked by our bulk|"
      "rule imposed as|phishing|suspicious content|suspicious links|looks like|"
      "transaction failed because of message|dt:spm|mt:spm|likely suspicious|"
      "appears to be unsolicited|spm|rejected by an anti|high probability" },
    { REASON_BADREPUTATION,
      "reputation|[tss0|unexpected volume or user complaints|[ts01]|[ts02]|[ts03]|"
      "user complaints|[tsf0|low sender score|senderscore" },
    { REASON_RATELIMITED,
      "rate limit|frequency limited|rate-limit|ratelimit|receiving mail at a rate|"
      "too many messages|too much mail|too many mails|throttl|sending rate|"
      "exceeded the maximum number of|receiving mail too quickly|message rate|hourly limit|"
      "daily limit|number of messages|sent too many|please slow|slow down|sender rate|"
      "too fast|exceeded their quota|sending limit|unusual rate|overrate" },
    { REASON_TOOMANYCONN,
      "too many connection|too many concurrent|too many recipients|too many session|"
      "maximum number of connection|maximum connection|all available ips|max connection|"
      "too many simultaneous|connection limit|concurrent connection|too many hosts|"
      "connection rate|recipients exceeded|maximum number of recipients" },
    { REASON_EXPIRED,
      "greylist|gray list|grey list|graylist|greylisting|connection timed out|"
      "operation timed out|delivery time expired|could not deliver for the last|"
      "retry time not reached|retry timeout exceeded|delivery expired|message expired|"
      "queue too long|could not be delivered for|not delivered within|"
      "been in the queue too long|conversation with|timed out while|connection refused|"
      "not responding|delivery attempts failed|has been frozen|no more tries|gave up after|"
      "lifetime expired|timed out|was not delivered for|will be retried|still being retried|"
      "has not yet been|will keep trying|temporarily unable to deliver|delayed|"
      "server did not accept our requests to connect|unable to connect|could not connect|"
      "no route to host|network is unreachable|lost connection|connection reset|"
      "connection dropped|have been failing for a long time|warning message|still trying|"
      "timeout" },
    { REASON_MAILERERROR,
      "command output:|unknown mailer error|pipe to|procmail|exit code|exited with|"
      "mailer error|command failed|x-unix|command died|child process" },
    { REASON_NETWORKERROR, "host not found, try again" },
    { REASON_HOSTUNKNOWN, "host or domain name not found|type=mx: host not found|no such domain|"
                          "dns lookup failure: host|domain name not found|nxdomain|"
                          "mx records point to non-existent" },
    { REASON_NETWORKERROR,
      "too many hops|hop count|mail loop|loops back|mail forwarding loop|routing loop|"
      "lookup failure|temporary lookup|loop detected|looping|name server timeout|"
      "maximum allowed times|malformed or unexpected name server|malformed name server|"
      "name service error for|dns lookup fail|unable to resolve route|message is looping|"
      "dns error|maximum hop|list of mail exchangers|too many received" },
    { REASON_HASMOVED,
      "user has moved|recipient has moved|mailbox has moved|mailbox has been moved|"
      "address has been changed|address has changed|has been replaced by|"
      "no longer at this address" },
    { REASON_FILTERED, "recipient preferences|filtered by|refused by the recipient|user reject|"
                       "rejected by the recipient" },
    { REASON_SUSPEND,
      "disabled|suspended|inactive|deactivated|temporary locked|temporarily locked|"
      "account locked|is locked|frozen|account has been blocked|account is blocked|"
      "account expired|expired account|not active|no longer active|account closed|"
      "been closed|account has been|account is not|temporarily unavailable account|"
      "not accepting mail|not accepting any mail|blocked account|discontinued|dormant|"
      "mailbox temporarily|account temporarily|cannot receive mail|is unavailable for mail|"
      "isn't receiving mail|not currently receiving|isn't accepting|currently suspended|"
      "account not authorized|mailbox currently|terminated|invalid/inactive|dosn't allow|"
      "vdelivermail: account|paused" },
    { REASON_NORELAYING,
      "relaying denied|relay access denied|no relaying|not permitted to relay|"
      "unable to relay|relay not permitted|relaying not permitted|relay denied|"
      "relaying is not|not allowed to relay|relay is not|that domain isn't in my list|"
      "relay operation|relaying prohibited|cannot relay|relay not allowed|not relay|"
      "mail server requires authentication when attempting to send|relaying mail to|"
      "relaying disallowed|relay disallowed|is not a gateway|insecure mail relay|"
      "send to a non-local e-mail|we do not relay|not local|unauthorized relay|"
      "by itself can not" },
    { REASON_BLOCKED,
      "blacklist|black list|blocklist|block list|blocked using|rbl|dnsbl|spamhaus|spamcop|"
      "barracudanetworks|is listed|are listed|listed at|client host rejected|"
      "client host blocked|your ip|ip address is|bad ip|banned sending ip|ip blocked|"
      "network blocked|host blocked|blocked by|connection blocked|invalid ip for|"
      "access from ip|connections from your|from your host|from your ip|"
      "not accept mail from your|denied by policy: ip|refused due to|connection refused by|"
      "connect from ip|has been blocked|your server|your network|missing reverse|sending ip|"
      "service refuse|service refused|no access from mail server|dynamic ip|dialup|"
      "dynamic host|is blocked|your mail server|the ip address|ip not allowed|"
      "unacceptable ehlo|helo command rejected|bad helo|invalid helo|invalid ehlo|ehlo/helo|"
      "helo name|s3140|s3150|blocked for|blocked due|we do not accept mail from dynamic|"
      "client ip|your access to|access denied by|you are not allowed to connect|"
      "refused to talk to me: 5|refused to talk to me: 4|connections will not be accepted|"
      "domain is blocked|esmtp not accepting connections|ip is|bad dns ptr|all mail from|"
      "hosts with|sorry, your|your email provider|server access forbidden|no dns a-data|"
      "cannot resolve the|dnsrbl" },
    { REASON_REJECTED,
      "sender address rejected|sender rejected|sender was rejected|sender denied|"
      "domain of sender address|sender verify|sender domain|rejected mail from|"
      "server rejected mail from|sender address|invalid sender|bad sender|sender refused|"
      "sender not|sender is not|sender unknown|unknown sender|unauthorized sender|"
      "mail from rejected|envelope sender|sender's|from address|rejected your mail from|"
      "return path|return-path|access denied (in reply to mail|sender verification|"
      "email address is on senderfilterconfig|you are not permitted to post|"
      "may not have permission|permission to post|not have permission|sender hostname|"
      "restricted by sender|not allowed to send|only for authenticated|emetteur invalide|"
      "sending domain|senders are|closed-list|not on the allowed|requires that all senders|"
      "moderat" },
    { REASON_NOTCOMPLIANT,
      "rfc 5322|rfc5322|rfc 2822|rfc2822|rfc 822|multiple addresses in from|not rfc|"
      "rfc compliant|rfc-compliant|bare lf|bare line feed|bare newline|missing from|"
      "missing date|missing header|invalid header|duplicate header|headers are not accepted|"
      "header are not accepted|malformed header|improper use of|messages missing a valid|"
      "rfc 1035" },
    { REASON_SECURITY,
      "authentication required|authentication is required|auth required|"
      "must issue a starttls|starttls|tls required|encryption|certificate|"
      "authentication failed|authentication fail|verification fail|starttls is required|tls |"
      "password|not authenticated|unauthorized|account not subscribed to ses|"
      "executable files|insecure" },
    { REASON_POLICY,
      "policy|protocol violation|policies|security policy|denied by the rule|blocked by rule|"
      "transport.rules|rejectmessage|administratively prohibited|administrative prohibition|"
      "not allowed by|prohibited|you have exceeded|closed for|restricted|you're not allowed|"
      "not authorized|delivery not authorized|message refused|this message was rejected|"
      "email not accepted|message rejected|mail rejected" },
    { REASON_CONTENTERROR,
      "charset|attachment|conversion|mime |unacceptable|improper mime|8-bit|not supported by|"
      "content-type|bare cr|header error|header too" },
    { REASON_SYSTEMERROR,
      "internal system error|internal error|local error|local configuration error|"
      "server configuration|configuration error|could not load drd|"
      "can't create user output file|server error|system error|service unavailable; |"
      "mail server failure|processing error|transaction failed|temporary system problem|"
      "temporary problem|temporary local problem|temporary error|operating system|ldap|"
      "i/o error|unable to open|cannot open|try again later|try later|essayer plus tard|"
      "resources temporarily|service not available|temporarily unavailable|"
      "closing transmission channel|system resources|under maintenance|storage driver|"
      "temporarily deferred|temporary failure|timed-out|service currently unavailable|"
      "not ready|error in processing" },
    { REASON_HOSTUNKNOWN,
      "host not found|host unknown|unknown host|no such domain|domain not found|"
      "unrouteable address|unroutable address|domain does not exist|domain doesn't exist|"
      "domain must exist|host or domain name not found|nxdomain|illegal host|illegal domain|"
      "bad destination system|bad destination mailbox domain|recipient domain must|"
      "domain is not reachable|no mx|mx record|not a valid domain|"
      "no such host|name or service not known|domain couldn't be found|"
      "couldn't find any host|no route to domain|unrouteable mail domain|hostname unknown|"
      "name server: host|domain unknown|unknown domain|domain name not found|"
      "couldn't be found or|cannot resolve|host does not exist|host lookup did not complete|"
      "domain currently not|server doesn't exist|dns server returned answer with no data|"
      "mail domain mentioned|no longer valid domain" },
    { REASON_USERUNKNOWN,
      "user unknown|not known|unknown user|no such user|no such recipient|no such mailbox|no "
      "mailbox|"
      "no such address|mailbox not found|mailbox unavailable|does not exist|doesn't exist|"
      "do not exist|not exist|no such account|no such person|unknown recipient|"
      "recipient unknown|unknown address|address unknown|invalid recipient|"
      "recipient not found|recipnotfound|user not found|account not found|address not found|"
      "not a valid mailbox|invalid mailbox|invalid address|invalid user|not known here|"
      "not our customer|unknown mailbox|mailbox unknown|unknown account|unknown local part|"
      "unknown local-part|account that you tried|not listed in public|not listed in domino|"
      "final delivery userid|is not recognized|no account|unknown or illegal alias|"
      "illegal alias|wasn't found|was not found|could not be found|couldn't be found|"
      "cannot find recipient|recipient is not|recipient address rejected: access denied|"
      "recipient address rejected.|user not exist|destinataire invalide|destinataire inconnu|"
      "destinatario inexistente|usuario desconocido|unbekannter empf|empfaenger unbekannt|"
      "no valid recipient|name is not recognized|not a known user|user doesn't|user does not|"
      "undeliverable address|undeliverable:|bad destination mailbox|mailbox name not allowed|"
      "addressee unknown|isn't a valid|is not a valid|not a valid|no user|not in directory|"
      "no longer employed|no longer works|no longer with|no longer available|no longer valid|"
      "mailnotfound|unknown or invalid|email address you entered|possibly incorrect|"
      "bad address|not valid|unknown|non-existent|nonexistent" },
    { REASON_SYNTAX, "syntax error|bad sequence|command unrecognized|not implemented" },
};

const char *reason_name(enum reason reason)
{
    return REASON_TABLE[reason].name;
}

bool reason_is_hard(enum reason reason)
{
    return REASON_TABLE[reason].is_hard;
}

enum reason reason_of_words(struct str flat)
{
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++)
        if (scan_has_one(flat, WORDS[i].phrases))
            return WORDS[i].reason;
    return REASON_UNDEFINED;
}

enum reason reason_of_status(struct str status)
{
    static const struct {
        const char *tail; /* behind the first digit */
        enum reason reason;
    } codes[] = {
        { ".1.0", REASON_USERUNKNOWN },   { ".1.1", REASON_USERUNKNOWN },
        { ".1.2", REASON_HOSTUNKNOWN },   { ".1.3", REASON_USERUNKNOWN },
        { ".1.4", REASON_USERUNKNOWN },   { ".1.6", REASON_HASMOVED },
        { ".1.7", REASON_REJECTED },      { ".1.8", REASON_REJECTED },
        { ".1.9", REASON_SYSTEMERROR },   { ".1.10", REASON_USERUNKNOWN },
        { ".2.0", REASON_FILTERED },      { ".2.1", REASON_SUSPEND },
        { ".2.2", REASON_MAILBOXFULL },   { ".2.3", REASON_EXCEEDLIMIT },
        { ".2.4", REASON_FILTERED },      { ".3.0", REASON_SYSTEMERROR },
        { ".3.1", REASON_SYSTEMFULL },    { ".3.2", REASON_TOOMANYCONN },
        { ".3.3", REASON_SYSTEMERROR },   { ".3.4", REASON_MESGTOOBIG },
        { ".3.5", REASON_SYSTEMERROR },   { ".4.1", REASON_EXPIRED },
        { ".4.2", REASON_NETWORKERROR },  { ".4.3", REASON_NETWORKERROR },
        { ".4.4", REASON_HOSTUNKNOWN },   { ".4.5", REASON_SYSTEMFULL },
        { ".4.6", REASON_NETWORKERROR },  { ".4.7", REASON_EXPIRED },
        { ".4.14", REASON_NETWORKERROR }, { ".5.3", REASON_TOOMANYCONN },
        { ".6.0", REASON_CONTENTERROR },  { ".7.0", REASON_SECURITY },
        { ".7.1", REASON_BLOCKED },       { ".7.25", REASON_REQUIREPTR },
        { ".7.26", REASON_AUTHFAILURE },  { ".7.27", REASON_NOTACCEPT },
        { ".7.13", REASON_SUSPEND },
    };
    struct str tail = str_slice(status, 1, status.len);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (str_eq(tail, str_of(codes[i].tail)))
            return codes[i].reason;
    return str_starts(tail, STR(".7.")) ? REASON_POLICY : REASON_UNDEFINED;
}

enum reason reason_of_category(struct str category)
{
    static const struct {
        const char *name;
        enum reason reason;
    } categories[] = {
        { "bad-mailbox", REASON_USERUNKNOWN },     { "bad-domain", REASON_HOSTUNKNOWN },
        { "quota-issues", REASON_MAILBOXFULL },    { "inactive-mailbox", REASON_SUSPEND },
        { "spam-related", REASON_SPAM },           { "virus-related", REASON_VIRUS },
        { "policy-related", REASON_POLICY },       { "content-related", REASON_CONTENTERROR },
        { "relaying-issues", REASON_NORELAYING },  { "message-expired", REASON_EXPIRED },
        { "no-answer-from-host", REASON_EXPIRED }, { "bad-connection", REASON_NETWORKERROR },
        { "routing-errors", REASON_NETWORKERROR }, { "invalid-sender", REASON_REJECTED },
    };
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++)
        if (str_eq_nocase(category, str_of(categories[i].name)))
            return categories[i].reason;
    return REASON_UNDEFINED;
}

struct str reason_status(struct arena *arena, enum reason reason, bool is_temporary)
{
    char first = reason == REASON_DELIVERED ? '2' : is_temporary ? '4' : '5';
    return str_format(arena, "%c%s", first, REASON_TABLE[reason].status);
}
