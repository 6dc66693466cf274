#include "message/compose.h"

#include "message/address.h"
#include "message/html.h"
#include "message/plain.h"

enum {
    URL_BYTES_MAX = LINKS_PUBLIC_URL_BYTES_MAX + 3 + TOKEN_TEXT_BYTES_MAX + 4,
    FEEDBACK_BYTES_MAX = 400,
    FEEDBACK_TAG_BYTES_MAX = 64,
    /* Guesses, so that a buf is seldom made larger: of the pixel, of all fields. */
    TRACKED_BYTES_MORE = 1024,
    HEAD_BYTES_USUAL = 4096,
};

static const struct str return_prefix = { "b-", 2 };

/* A return path's local part must fit where RFC 5321 has 64 bytes. */
_Static_assert(TOKEN_TEXT_BYTES_MAX + 2 <= ADDRESS_LOCAL_BYTES_MAX, "the return path fits");

/* The buf's text in the arena; closes the buf. */
static enum err settle(struct buf *made, struct arena *arena, struct str *out)
{
    enum err code = buf_err(made);
    if (code == OK) {
        struct str copy = str_copy(arena, buf_view(made));
        if (copy.ptr == NULL)
            code = ERR_MEMORY;
        else
            *out = copy;
    }
    buf_done(made);
    return code;
}

static struct links_conf conf_of(const struct compose_keys *keys, struct compose_who who)
{
    return (struct links_conf){ keys->token, who.public_url, who.profile, who.message };
}

enum err compose_links(const struct compose_keys *keys, struct compose_who who, struct arena *arena,
                       struct compose_urls *out, struct problem *problem)
{
    TRY(links_public_url_check(who.public_url, problem));
    struct links_conf   conf = conf_of(keys, who);
    struct compose_urls urls;
    struct buf          made = buf_make(URL_BYTES_MAX);
    links_url(&conf, TOKEN_UNSUBSCRIBE, &made);
    TRY(settle(&made, arena, &urls.unsubscribe));
    links_url(&conf, TOKEN_VIEW, &made);
    TRY(settle(&made, arena, &urls.view));
    links_url(&conf, TOKEN_PREFERENCES, &made);
    TRY(settle(&made, arena, &urls.preferences));
    links_url(&conf, TOKEN_CONFIRM, &made);
    TRY(settle(&made, arena, &urls.confirm));
    *out = urls;
    return OK;
}

/* --- envelope and identifiers ------------------------------------------------------------- */

static struct token token_of(const struct compose_in *in)
{
    return (struct token){ TOKEN_MESSAGE, in->who.profile, in->who.message };
}

static enum err message_id_make(const struct compose_keys *keys, const struct compose_in *in,
                                struct arena *arena, struct str *out)
{
    if (in->message_id.len > 0) {
        *out = in->message_id;
        return OK;
    }
    struct buf made = buf_make(TOKEN_TEXT_BYTES_MAX + 1 + ADDRESS_BYTES_MAX);
    token_write(keys->token, token_of(in), STR_NONE, &made);
    buf_char(&made, '@');
    buf_str(&made, in->message_id_domain.len > 0 ? in->message_id_domain
                                                 : address_domain(in->from.address));
    return settle(&made, arena, out);
}

/* Whoever has no mail program with the button may write there: one address a message. */
static enum err leaving_address_make(const struct compose_keys *keys, const struct compose_in *in,
                                     struct arena *arena, struct str *out)
{
    *out = in->unsubscribe_address;
    if (in->unsubscribe_address.len > 0 || in->return_domain.len == 0)
        return OK;
    struct buf made = buf_make(ADDRESS_LOCAL_BYTES_MAX + 1 + ADDRESS_BYTES_MAX);
    buf_str(&made, STR("u-"));
    token_write_caseless(keys->token, token_of(in), &made);
    buf_char(&made, '@');
    buf_str(&made, in->return_domain);
    return settle(&made, arena, out);
}

static enum err envelope_from_make(const struct compose_keys *keys, const struct compose_in *in,
                                   struct arena *arena, struct str *out, struct problem *problem)
{
    if (in->return_domain.len == 0) {
        *out = in->from.address;
        return OK;
    }
    TRY(address_domain_check(in->return_domain, "return_domain", problem));
    struct buf made = buf_make(ADDRESS_LOCAL_BYTES_MAX + 1 + ADDRESS_BYTES_MAX);
    buf_str(&made, return_prefix);
    token_write_caseless(keys->token, token_of(in), &made);
    buf_char(&made, '@');
    buf_str(&made, in->return_domain);
    TRY(settle(&made, arena, out));
    return address_check(*out, "return_domain", problem);
}

/* Tags are names people chose; what cannot stand in the field becomes '_'. */
static void feedback_tag_write(struct str tag, struct buf *out)
{
    tag = str_slice(tag, 0, FEEDBACK_TAG_BYTES_MAX);
    for (size_t i = 0; i < tag.len; i++) {
        char c = tag.ptr[i];
        bool same = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '-' || c == '.';
        buf_char(out, same ? c : '_');
    }
}

static enum err feedback_make(const struct compose_in *in, struct arena *arena, struct str *out)
{
    if (in->feedback_sender.len == 0)
        return OK;
    struct buf made = buf_make(FEEDBACK_BYTES_MAX);
    for (int i = 0; i < COMPOSE_FEEDBACK_TAGS; i++) {
        feedback_tag_write(in->feedback[i], &made);
        buf_char(&made, ':');
    }
    feedback_tag_write(in->feedback_sender, &made);
    return settle(&made, arena, out);
}

static enum err dult_message_make(const struct compose_keys *keys, const struct compose_in *in,
                                  struct arena *arena, struct str *out)
{
    struct buf made = buf_make(TOKEN_TEXT_BYTES_MAX);
    token_write(keys->token, token_of(in), STR_NONE, &made);
    return settle(&made, arena, out);
}

/* --- bodies ------------------------------------------------------------------------------- */

/* The bodies as they will be sent; the bufs hold what had to be made. */
struct bodies {
    struct buf tracked, plain;
    struct str html, text;
    bool       has_unsubscribe_link;
};

static void bodies_donep(struct bodies *bodies)
{
    buf_done(&bodies->tracked);
    buf_done(&bodies->plain);
}

static enum err bodies_make(const struct compose_keys *keys, const struct compose_in *in,
                            struct arena *arena, struct bodies *bodies, struct problem *problem)
{
    SCOPED(html_closep) struct html *html = NULL;
    bodies->html = in->html;
    bodies->text = in->text;
    if (in->html.len == 0) {
        bodies->has_unsubscribe_link = links_text_has_unsubscribe(in->text, in->who.public_url);
        return OK;
    }
    TRY(html_parse(&html, in->html, problem));
    bodies->has_unsubscribe_link = links_has_unsubscribe(html, in->who.public_url);
    if (in->text.len == 0) {
        buf_expect(&bodies->plain, in->html.len);
        plain_write(html, &bodies->plain);
        TRY(buf_err(&bodies->plain));
        bodies->text = buf_view(&bodies->plain);
    }
    if (in->tracking) {
        struct links_conf conf = conf_of(keys, in->who);
        buf_expect(&bodies->tracked, in->html.len + in->html.len / 4 + TRACKED_BYTES_MORE);
        TRY(links_track(&conf, html, arena, &bodies->tracked, NULL));
        bodies->html = buf_view(&bodies->tracked);
    }
    return OK;
}

/* --- the call ----------------------------------------------------------------------------- */

static enum err message_write(const struct compose_keys *keys, const struct compose_in *in,
                              const struct mime_message *mime, struct buf *out,
                              struct problem *problem)
{
    if (keys->dkim_count == 0)
        return mime_write(mime, out, problem);
    SCOPED(buf_donep) struct buf plain = buf_make(COMPOSE_BYTES_MAX);
    buf_expect(&plain, mime->html.len + mime->text.len + HEAD_BYTES_USUAL);
    TRY(mime_write(mime, &plain, problem));
    buf_expect(out, plain.len + HEAD_BYTES_USUAL);
    TRY(dkim_sign(keys->dkim, keys->dkim_count, buf_view(&plain), in->date_ms, out));
    buf_str(out, buf_view(&plain));
    return buf_err(out);
}

enum err compose(const struct compose_keys *keys, const struct compose_in *in, struct arena *arena,
                 struct compose_out *out, struct problem *problem)
{
    SCOPED(bodies_donep)
    struct bodies bodies = { buf_make(COMPOSE_BYTES_MAX), buf_make(COMPOSE_BYTES_MAX), in->html,
                             in->text, false };
    struct compose_out  made = { .urls = { STR_NONE, STR_NONE, STR_NONE, STR_NONE } };
    struct mime_message mime = { .from = in->from,
                                 .to = in->to,
                                 .reply_to = in->reply_to,
                                 .subject = in->subject,
                                 .date_ms = in->date_ms,
                                 .list_id = in->list_id,
                                 .files = in->files,
                                 .files_count = in->files_count };
    if (in->who.public_url.len > 0 || in->unsubscribe || in->tracking)
        TRY(compose_links(keys, in->who, arena, &made.urls, problem));
    TRY(message_id_make(keys, in, arena, &made.message_id));
    TRY(feedback_make(in, arena, &mime.feedback_id));
    TRY(dult_message_make(keys, in, arena, &mime.dult_message));
    TRY(bodies_make(keys, in, arena, &bodies, problem));
    mime.message_id = made.message_id;
    mime.html = bodies.html;
    mime.text = bodies.text;
    if (in->unsubscribe) {
        mime.unsubscribe_url = made.urls.unsubscribe;
        TRY(leaving_address_make(keys, in, arena, &mime.unsubscribe_address));
    }
    buf_reset(&out->message);
    TRY(message_write(keys, in, &mime, &out->message, problem));
    TRY(envelope_from_make(keys, in, arena, &made.envelope_from, problem));
    made.envelope_to = in->to.address;
    made.subject = str_copy(arena, in->subject);
    made.html = str_copy(arena, bodies.html);
    made.text = str_copy(arena, bodies.text);
    if (made.subject.ptr == NULL || made.html.ptr == NULL || made.text.ptr == NULL)
        return ERR_MEMORY;
    made.has_unsubscribe_link = bodies.has_unsubscribe_link;
    made.message = out->message;
    *out = made;
    return OK;
}

/* --- what comes back ---------------------------------------------------------------------- */

enum err compose_return_path_read(const struct token_keys *keys, struct str address,
                                  struct token *out)
{
    struct str local = str_slice(address, 0, str_find_char(address, 0, '@'));
    if (!str_eq_nocase(str_slice(local, 0, return_prefix.len), return_prefix))
        return ERR_DENIED;
    return token_read_caseless(keys, TOKEN_MESSAGE, str_slice(local, return_prefix.len, local.len),
                               out);
}

enum err compose_message_id_read(const struct token_keys *keys, struct str message_id,
                                 struct token *out)
{
    message_id = str_trim(message_id);
    if (str_starts(message_id, STR("<")))
        message_id = str_slice(message_id, 1, message_id.len);
    return token_read(keys, TOKEN_MESSAGE,
                      str_slice(message_id, 0, str_find_char(message_id, 0, '@')), STR_NONE, out);
}
