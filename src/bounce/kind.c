#include "bounce/kind.h"

#include "bounce/mail.h"
#include "bounce/mail_decode.h"
#include "bounce/scan.h"

enum { FIELD_LOOKED_AT_BYTES = 500, LETTER_LOOKED_AT_BYTES = 4 << 10 };

static struct str field(struct arena *arena, struct str head, const char *name)
{
    struct str value = STR_NONE;
    (void)mail_field(arena, head, name, 0, &value);
    return value;
}

static struct str subject_of(struct arena *arena, struct str head)
{
    struct str words = mail_decode_words(arena, field(arena, head, "subject"));
    return scan_flat(arena, words, FIELD_LOOKED_AT_BYTES);
}

/* Automatic answers (RFC 3834) that are not failure notices. */
static bool is_automatic_answer(struct arena *arena, struct str head)
{
    static const char subjects[] =
        "auto reply|auto-reply|autoreply|automatic reply|out of office|out of the office|"
        "vacation|autorespon|auto respon|auto:|away from|automatische antwort|"
        "réponse automatique|abwesenheit|respuesta automática";
    struct str subject = subject_of(arena, head);
    struct str submitted = field(arena, head, "auto-submitted");
    return scan_has_one(subject, subjects) || scan_starts_nocase(submitted, "auto-replied") ||
           field(arena, head, "x-autoreply").len > 0 ||
           field(arena, head, "x-autorespond").len > 0 ||
           scan_starts_nocase(field(arena, head, "precedence"), "auto_reply");
}

static bool is_from_daemon(struct arena *arena, struct str head)
{
    static const char daemons[] =
        "mailer-daemon|postmaster|post_master|mail delivery|mail daemon|maildaemon|"
        "mailerdaemon|mail administrator|system administrator|mail system|mailer@|mailadm|"
        "mdaemon|delivery subsystem|bounce";
    struct str from = scan_flat(arena, field(arena, head, "from"), FIELD_LOOKED_AT_BYTES);
    return from.len == 0 || str_eq(from, STR("<>")) || scan_has_one(from, daemons) ||
           field(arena, head, "x-failed-recipients").len > 0;
}

bool kind_is_failure(struct arena *arena, struct str head, struct str letter)
{
    static const char subjects[] =
        "undeliver|delivery|failure|returned mail|returned to sender|mail error|"
        "error sending|mail failed|mail system error|could not be|failed|rejected|bounce|"
        "warning|not member|not a member|loop alert";
    static const char plain[] =
        "could not be delivered|couldn't be delivered|was not delivered|unable to deliver|"
        "delivery failed|delivery has failed|not deliverable|not delivered to|"
        "cannot be delivered|can't be delivered";
    static const char words[] =
        "not be delivered|undeliver|delivery|unable to deliver|failed|failure|rejected|"
        "could not|couldn't|not reach|returned|unknown|error|permanent|not a member|"
        "duplicated";
    struct str subject = subject_of(arena, head);
    if (is_from_daemon(arena, head))
        return true;
    if (is_automatic_answer(arena, head) || str_starts(subject, STR("re:")))
        return false;
    struct str flat = scan_flat(arena, letter, LETTER_LOOKED_AT_BYTES);
    return scan_has_one(flat, plain) ||
           (scan_has_one(subject, subjects) && scan_has_one(flat, words));
}
