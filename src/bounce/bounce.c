#include "bounce/bounce.h"

#include <string.h>

#include "base/buf.h"
#include "bounce/kind.h"
#include "bounce/letter.h"
#include "bounce/mail.h"
#include "bounce/notice.h"
#include "bounce/report.h"
#include "bounce/scan.h"

enum { SAID_BYTES_MAX = 1000, LETTER_BYTES_MAX = 64 << 10 };

_Static_assert((int)BOUNCE_MAIL_BYTES_MAX == (int)MAIL_BYTES_MAX, "one bound, two names");
_Static_assert((int)BOUNCE_RECIPIENTS_MAX == (int)REPORT_RECIPIENTS_MAX, "every group has a place");

/* One mail on its way through. */
struct reading {
    struct arena   *arena;
    struct mail     mail;
    struct str      letter;   /* what the server wrote, without copies */
    struct str      returned; /* what came back: a message or its head */
    struct str      sender;   /* whom the bounce was sent to */
    struct report   report;
    struct bounces *out;
};

const char *bounce_class_name(enum bounce_class class)
{
    static const char *const names[] = { "none", "soft", "hard", "complaint" };
    return names[class];
}

static struct str field(const struct reading *reading, const char *name)
{
    struct str value = STR_NONE;
    (void)mail_field(reading->arena, reading->mail.head, name, 0, &value);
    return value;
}

static struct str returned_field(const struct reading *reading, const char *name)
{
    struct str value = STR_NONE;
    (void)mail_field(reading->arena, reading->returned, name, 0, &value);
    return value;
}

static struct str address_in(struct str text)
{
    struct str address;
    return scan_address(text, 0, &address) < text.len ? address : STR_NONE;
}

/* ---- what there is to read ---- */

/* The texts as one, each without its copy of what was returned. */
static void letter_gather(struct reading *reading, enum mail_kind kind)
{
    SCOPED(buf_donep) struct buf letter = buf_make(LETTER_BYTES_MAX);
    for (int i = 0; i < reading->mail.parts_count; i++) {
        const struct mail_part *part = &reading->mail.parts[i];
        if (part->kind != kind)
            continue;
        size_t     end = letter_end(reading->arena, part->body);
        struct str rest = str_slice(part->body, end, part->body.len);
        size_t     room = LETTER_BYTES_MAX - letter.len;
        if (reading->returned.len == 0)
            reading->returned = rest;
        buf_str(&letter, str_slice(part->body, 0, end < room ? end : room));
        if (letter.len < LETTER_BYTES_MAX)
            buf_char(&letter, '\n');
    }
    reading->letter = str_copy(reading->arena, (struct str){ letter.ptr, letter.len });
}

/* The address a bounce was delivered to stands in one of these, by mail server. */
static struct str path_token(const struct reading *reading)
{
    static const char *const fields[] = { "delivered-to", "x-original-to", "envelope-to", "to" };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        struct str address = address_in(field(reading, fields[i]));
        size_t     at = str_find_char(address, 0, '@');
        if (str_starts(address, STR("b-")) && at < address.len)
            return str_slice(address, 2, at);
    }
    return STR_NONE;
}

static void gather(struct reading *reading)
{
    for (int i = 0; i < reading->mail.parts_count && reading->returned.len == 0; i++)
        if (reading->mail.parts[i].kind == MAIL_RETURNED)
            reading->returned = reading->mail.parts[i].body;
    letter_gather(reading, MAIL_TEXT);
    if (str_trim(reading->letter).len == 0)
        letter_gather(reading, MAIL_HTML);
    reading->sender = address_in(field(reading, "to"));
    reading->out->token = returned_field(reading, "x-dult-message");
    reading->out->path = path_token(reading);
}

/* ---- answers ---- */

static bool is_told(const struct bounces *out, struct str recipient)
{
    for (size_t i = 0; i < out->count; i++)
        if (str_eq(out->items[i].recipient, recipient))
            return true;
    return false;
}

/* What goes on from here is UTF-8, whatever charset came in. */
static struct str as_utf8(struct arena *arena, struct str text)
{
    if (str_is_utf8(text))
        return text;
    char *copy = arena_alloc(arena, text.len + 1);
    for (size_t i = 0; copy != NULL && i < text.len; i++)
        copy[i] = (unsigned char)text.ptr[i] < 0x80 ? text.ptr[i] : '?';
    return copy == NULL ? STR_NONE : (struct str){ copy, text.len };
}

static void tell(struct reading *reading, struct str recipient, struct bounce bounce)
{
    bounce.recipient = as_utf8(reading->arena, scan_lower(reading->arena, str_trim(recipient)));
    bounce.said = as_utf8(reading->arena, bounce.said);
    if (reading->out->count < BOUNCE_RECIPIENTS_MAX && !is_told(reading->out, bounce.recipient))
        reading->out->items[reading->out->count++] = bounce;
}

static struct bounce bounce_of(struct arena *arena, const struct evidence *evidence)
{
    struct verdict verdict = verdict_of(evidence);
    struct bounce  bounce = {
         .status = verdict.status,
         .class = verdict.is_hard                      ? BOUNCE_HARD
                  : verdict.reason == REASON_DELIVERED ? BOUNCE_NONE
                                                       : BOUNCE_SOFT,
         .reason = str_of(reason_name(verdict.reason)),
         .said = str_slice(verdict.said, 0, SAID_BYTES_MAX),
    };
    if (bounce.status.len == 0)
        bounce.status = reason_status(arena, verdict.reason, verdict.is_temporary);
    return bounce;
}

static void tell_verdict(struct reading *reading, struct str recipient,
                         const struct evidence *evidence)
{
    tell(reading, recipient, bounce_of(reading->arena, evidence));
}

enum err bounce_reply(struct arena *arena, struct str reply, bool is_to_rcpt, struct bounce *out)
{
    struct evidence evidence = { .words = scan_flat(arena, reply, SAID_BYTES_MAX),
                                 .action = ACTION_FAILED,
                                 .stage = is_to_rcpt ? STAGE_RCPT : STAGE_DATA,
                                 .is_verbatim = true };
    if (reply.len > 0 && evidence.words.len == 0)
        return ERR_MEMORY;
    *out = bounce_of(arena, &evidence);
    out->said = as_utf8(arena, out->said);
    return OK;
}

/* ---- complaints ---- */

static void tell_complaint(struct reading *reading, struct str recipient, bool is_complaint)
{
    tell(reading, recipient,
         (struct bounce){ .class = is_complaint ? BOUNCE_COMPLAINT : BOUNCE_NONE,
                          .reason = str_of(reason_name(REASON_FEEDBACK)) });
}

/* Everyone whom the fields of that name hold. */
static void tell_fields(struct reading *reading, struct str head, const char *name,
                        bool is_complaint)
{
    struct str value, address;
    for (int nth = 0;
         nth < BOUNCE_RECIPIENTS_MAX && mail_field(reading->arena, head, name, nth, &value); nth++)
        for (size_t at = scan_address(value, 0, &address); at < value.len;
             at = scan_address(value, at + address.len, &address))
            tell_complaint(reading, address, is_complaint);
}

/* RFC 5965. A report on failed authentication is about somebody's forgery, not about a wish. */
static bool complaint_read(struct reading *reading)
{
    static const char *const in_report[] = { "original-rcpt-to", "removal-recipient", NULL };
    static const char *const in_returned[] = { "x-hmxmroriginalrecipient", "to", "x-original-to",
                                               "delivered-to", NULL };
    struct str               report = STR_NONE, type = STR_NONE;
    for (int i = 0; i < reading->mail.parts_count && report.len == 0; i++)
        if (reading->mail.parts[i].kind == MAIL_FEEDBACK)
            report = reading->mail.parts[i].body;
    bool is_hotmail =
        scan_find_nocase(reading->returned, 0, "x-hmxmroriginalrecipient:") < reading->returned.len;
    if (report.len == 0 && !is_hotmail)
        return false;
    (void)mail_field(reading->arena, report, "feedback-type", 0, &type);
    bool is_complaint = !scan_starts_nocase(type, "auth-failure") &&
                        !scan_starts_nocase(type, "not-spam") && !scan_starts_nocase(type, "dkim");
    for (int i = 0; in_report[i] != NULL && reading->out->count == 0; i++)
        tell_fields(reading, report, in_report[i], is_complaint);
    struct str head = str_slice(reading->returned, 0, mail_head_end(reading->returned));
    for (int i = 0; in_returned[i] != NULL && reading->out->count == 0; i++)
        tell_fields(reading, head, in_returned[i], is_complaint);
    if (reading->out->count == 0)
        tell_complaint(reading, STR_NONE, is_complaint); /* the token may know whose it is */
    return true;
}

/* ---- delivery reports ---- */

static void report_gather(struct reading *reading)
{
    for (int i = 0; i < reading->mail.parts_count; i++)
        if (reading->mail.parts[i].kind == MAIL_STATUS)
            (void)report_read(reading->mail.parts[i].body, &reading->report);
    /* A gateway that makes a text of everything. */
    if (reading->report.count == 0 &&
        scan_find_nocase(reading->letter, 0, "final-recipient:") < reading->letter.len)
        (void)report_read(reading->letter, &reading->report);
}

/* X-Failed-Recipients: Exim's habit, and Google's. */
static void failed_fields(struct reading *reading, struct letter *failed)
{
    struct str value, address;
    failed->count = 0;
    for (int nth = 0; nth < LETTER_RECIPIENTS_MAX && mail_field(reading->arena, reading->mail.head,
                                                                "x-failed-recipients", nth, &value);
         nth++)
        for (size_t at = scan_address(value, 0, &address);
             at < value.len && failed->count < LETTER_RECIPIENTS_MAX;
             at = scan_address(value, at + address.len, &address))
            failed->items[failed->count++] = (struct letter_recipient){ address, PLACE_STRONG };
}

static bool letters_meet(const struct letter *a, const struct letter *b)
{
    for (size_t i = 0; i < a->count; i++)
        for (size_t k = 0; k < b->count; k++)
            if (str_eq_nocase(a->items[i].address, b->items[k].address))
                return true;
    return false;
}

/* Whom the letter is about. The field goes before, unless the letter plainly names others. */
static void letter_of(struct reading *reading, struct letter *letter)
{
    struct letter failed;
    letter->count = 0;
    failed_fields(reading, &failed);
    letter_recipients(reading->arena, reading->letter, letter);
    letter_choose(letter, reading->sender);
    bool is_plain = letter->count > 0 && letter->items[0].place == PLACE_STRONG;
    if (failed.count > 0 && (!is_plain || letters_meet(&failed, letter)))
        *letter = failed;
}

/* Whom the returned message was for, when nothing else tells. */
static struct str returned_to(const struct reading *reading)
{
    static const char *const fields[] = { "to", "x-original-to", "delivered-to", "cc", NULL };
    struct str               address = STR_NONE;
    for (int i = 0; fields[i] != NULL && address.len == 0; i++)
        address = address_in(returned_field(reading, fields[i]));
    return address.len > 0 ? address : address_in(field(reading, "subject"));
}

/* Amazon SES takes a mail for a whole domain; "mailbox does not exist" is then a rule's answer. */
static bool is_rule(const struct report *report)
{
    return scan_starts_nocase(report->reporter, "inbound-smtp.");
}

static void tell_report(struct reading *reading, const struct letter *letter)
{
    for (size_t i = 0; i < reading->report.count; i++) {
        const struct report_item *item = &reading->report.items[i];
        struct str                recipient = item->recipient;
        if (recipient.len == 0)
            recipient = letter->count > 0 ? letter->items[0].address : returned_to(reading);
        struct str      section = letter_words(reading->arena, reading->letter, letter, recipient);
        struct evidence evidence = {
            .words = scan_flat(reading->arena, item->said, LETTER_WORDS_BYTES_MAX),
            .around = section,
            .status = item->status,
            .action = item->action,
            .category = reason_of_category(item->category),
            .is_verbatim = true,
            .is_rule = is_rule(&reading->report),
        };
        evidence.stage = verdict_stage(evidence.words);
        if (evidence.stage == STAGE_UNKNOWN)
            evidence.stage = verdict_stage(section);
        tell_verdict(reading, recipient, &evidence);
    }
}

/* ---- letters ---- */

static void tell_letter(struct reading *reading, struct letter *letter)
{
    if (letter->count == 0) {
        struct str to = returned_to(reading);
        if (to.len == 0 && reading->out->token.len == 0)
            return;
        letter->items[letter->count++] = (struct letter_recipient){ to, PLACE_WEAK };
    }
    for (size_t i = 0; i < letter->count; i++) {
        struct str words =
            letter_words(reading->arena, reading->letter, letter, letter->items[i].address);
        struct evidence evidence = { .words = words, .stage = verdict_stage(words) };
        tell_verdict(reading, letter->items[i].address, &evidence);
    }
}

/* ---- the whole ---- */

static bool notice_tell(struct reading *reading)
{
    enum notice_kind kind = notice_read(reading->arena, reading->letter, &reading->report);
    struct letter    none = { .count = 0 };
    if (kind == NOTICE_COMPLAINT)
        for (size_t i = 0; i < reading->report.count; i++)
            tell_complaint(reading, reading->report.items[i].recipient, true);
    else if (kind != NOTICE_NONE) {
        reading->letter = STR_NONE;
        tell_report(reading, &none);
    }
    return kind != NOTICE_NONE;
}

static void tell_all(struct reading *reading)
{
    struct letter letter;
    if (complaint_read(reading) || notice_tell(reading))
        return;
    report_gather(reading);
    if (reading->report.count == 0 &&
        !kind_is_failure(reading->arena, reading->mail.head, reading->letter))
        return;
    letter_of(reading, &letter);
    if (reading->report.count == 0 && letter.count == 0 &&
        scan_find_nocase(reading->returned, 0, "final-recipient:") < reading->returned.len)
        (void)report_read(reading->returned, &reading->report); /* passed on as a text */
    if (reading->report.count > 0)
        tell_report(reading, &letter);
    else
        tell_letter(reading, &letter);
}

enum err bounce_read(struct arena *arena, struct str mail, struct bounces *out)
{
    struct bounces bounces = { ARENA_ARRAY(arena, BOUNCE_RECIPIENTS_MAX, struct bounce), 0,
                               STR_NONE };
    struct reading reading = { .arena = arena, .out = &bounces };
    reading.report.items = ARENA_ARRAY(arena, REPORT_RECIPIENTS_MAX, struct report_item);
    if (bounces.items == NULL || reading.report.items == NULL)
        return ERR_MEMORY;
    TRY(mail_read(arena, mail, &reading.mail));
    gather(&reading);
    tell_all(&reading);
    *out = bounces;
    return OK;
}
