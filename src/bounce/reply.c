#include "bounce/reply.h"

#include "bounce/mail.h"
#include "bounce/scan.h"

/* Without the letters outside ASCII, which come in several charsets. */
static const char LEAVING[] =
    "unsubscribe|unsubscribing|opt out|opt-out|optout|remove me|take me off|no more emails|"
    "stop sending|meld meg av|avmeld|slett meg fra|ikke send|avprenumerera|avsluta prenumeration|"
    "avanm|ta bort mig|afmelden|meld me af|meld mij af|uitschrijven|schrijf me uit|abmelden|"
    "abbestellen|austragen|melden sie mich ab|keine e-mails mehr|keine mails mehr|sabonner|"
    "sinscrire|sabonnement|sinscription|plus recevoir";

static const char ABSENCES[] =
    "out of office|out of the office|automatic reply|auto reply|autoreply|auto-reply|vacation|"
    "automatisk svar|autosvar|frav|automatische antwort|abwesen|automatisch antwoord|afwezig|"
    "ponse automatique|absence";

static const char QUOTES_BEGIN[] =
    "-----|________|begin forwarded|opprinnelig melding|"
    "original message|ursprungligt meddelande|oorspronkelijk bericht|"
    "message d'origine";

/* ---- the head ---- */

static bool is_field(struct arena *arena, struct str head, const char *name, const char *words)
{
    struct str value;
    return mail_field(arena, head, name, 0, &value) &&
           (words == NULL || scan_has_one(scan_flat(arena, value, REPLY_TEXT_BYTES_MAX), words));
}

static bool is_automatic(struct arena *arena, struct str head, struct str subject)
{
    struct str value;
    if (mail_field(arena, head, "auto-submitted", 0, &value) && !scan_starts_nocase(value, "no"))
        return true;
    return is_field(arena, head, "precedence", "bulk|junk|list|auto") ||
           is_field(arena, head, "x-autoreply", NULL) ||
           is_field(arena, head, "x-autorespond", NULL) ||
           is_field(arena, head, "x-auto-response-suppress", "all|oof") ||
           is_field(arena, head, "from", "mailer-daemon|postmaster@|no-reply@|noreply@") ||
           scan_has_one(subject, ABSENCES);
}

/* "<token@domain>": what stands before the @ of the last one. */
static struct str local_of(struct str ids)
{
    struct str found = STR_NONE;
    for (size_t at = 0; (at = str_find_char(ids, at, '<')) < ids.len; at++) {
        size_t end = str_find_char(ids, at, '@');
        if (end < ids.len)
            found = str_slice(ids, at + 1, end);
    }
    return found;
}

/* ---- what they said ---- */

/* "On Monday Ada wrote:", "Den 3. mai skrev Ada:", "Am ... schrieb ...:" and the like. */
static bool ends_in_quote(struct str flat)
{
    return scan_has_one(flat, QUOTES_BEGIN) ||
           (flat.len > 0 && flat.ptr[flat.len - 1] == ':' &&
            scan_has_one(flat, "wrote|skrev|schrieb|schreef|crit"));
}

static struct str said_of(struct arena *arena, const struct mail *mail)
{
    struct str  rest = mail->parts_count == 0 ? STR_NONE : mail->parts[0].body, line;
    size_t      end = 0;
    const char *from = rest.ptr;
    while (scan_line(&rest, &line)) {
        struct str flat = scan_flat(arena, str_trim(line), REPLY_TEXT_BYTES_MAX);
        if (scan_starts_nocase(str_trim(line), ">") || ends_in_quote(str_trim(flat)) ||
            str_eq(str_trim(line), STR("--")))
            break;
        end = (size_t)(line.ptr + line.len - from);
    }
    return str_trim(scan_flat(arena, (struct str){ from, end }, REPLY_TEXT_BYTES_MAX));
}

static uint32_t words_of(struct str flat)
{
    uint32_t words = flat.len > 0;
    for (size_t i = 0; i < flat.len; i++)
        words += flat.ptr[i] == ' ';
    return words;
}

static bool asks(struct str flat)
{
    bool stops = scan_starts_nocase(flat, "stop") && words_of(flat) <= 3;
    return flat.len > 0 && words_of(flat) <= REPLY_WORDS_MAX &&
           (stops || scan_has_one(flat, LEAVING));
}

/* An answer to "How to unsubscribe" does not ask for it by its subject. */
static bool is_answer(struct str subject)
{
    return scan_starts_nocase(subject, "re:") || scan_starts_nocase(subject, "sv:") ||
           scan_starts_nocase(subject, "aw:") || scan_starts_nocase(subject, "antw:") ||
           scan_starts_nocase(subject, "fwd:") || scan_starts_nocase(subject, "fw:");
}

enum err reply_read(struct arena *arena, struct str bytes, struct reply *out)
{
    struct mail *mail = ARENA_NEW(arena, struct mail);
    struct str   ids = STR_NONE, subject = STR_NONE;
    if (mail == NULL)
        return ERR_MEMORY;
    *out = (struct reply){ .subject = STR_NONE };
    TRY(mail_read(arena, bytes, mail));
    if (mail_field(arena, mail->head, "subject", 0, &subject))
        out->subject = str_slice(subject, 0, REPLY_TEXT_BYTES_MAX);
    struct str flat = str_trim(scan_flat(arena, subject, REPLY_TEXT_BYTES_MAX));
    if (mail_field(arena, mail->head, "references", 0, &ids))
        out->about = local_of(ids);
    if (mail_field(arena, mail->head, "in-reply-to", 0, &ids) && local_of(ids).len > 0)
        out->about = local_of(ids);
    if (mail_field(arena, mail->head, "message-id", 0, &ids))
        out->id = str_slice(ids, 0, REPLY_TEXT_BYTES_MAX);
    out->is_automatic = is_automatic(arena, mail->head, flat);
    out->unsubscribes =
        !out->is_automatic && ((!is_answer(flat) && asks(flat)) || asks(said_of(arena, mail)));
    return OK;
}
