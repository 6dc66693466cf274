/*
 * links: lets a mail tell that it was opened and where it was clicked, without touching its layout.
 *
 * The tracked URL is spliced over the old one in the original bytes; every other byte stays, so
 * conditional comments for Outlook, odd quoting and white space survive.
 *
 *     <a class=b href="https://shop.example/?a=1&amp;b=2">
 *                     |------------ taken out ---------|
 *                     "{public_url}/c/{token}?u=https%3A%2F%2Fshop.example%2F%3Fa%3D1%26b%3D2"
 *
 * Tracked are http and https links in <a> and <area>. Left alone: mailto:, tel:, #, relative and
 * other links, our own (unsubscribe, view), links marked data-dult-track="no", links inside
 * comments (Outlook's VML buttons), and URLs over LINKS_URL_BYTES_MAX. The open pixel, and a hidden
 * link that only programs follow, stand before </body>, or at the end. Plain text bodies are not
 * handled here: their URLs are left as they are, because there a reader sees the URL itself.
 *
 * Always true   taking the splices out of the result gives the original bytes.
 * Knows not     what to add to a URL: that is utm.h.
 */
#ifndef DULT_MESSAGE_LINKS_H
#define DULT_MESSAGE_LINKS_H

#include "base/buf.h"
#include "message/html.h"
#include "message/token.h"

enum {
    LINKS_URL_BYTES_MAX = 2000, /* tripled by escapes it still fits a request line of 8 KB */
    LINKS_PUBLIC_URL_BYTES_MAX = 200,
};

/* Whose mail it is, and where its links lead. */
struct links_conf {
    const struct token_keys *keys;
    struct str               public_url; /* passed links_public_url_check */
    uint32_t                 profile;
    uint64_t                 message;
};

/* `was` bytes at `from` in the original became `now` bytes at `to` in the result. */
struct links_splice {
    size_t from, was, to, now;
};

struct links_splices {
    struct links_splice *at; /* in order */
    size_t               count;
};

/* http or https, a host, safe between quotes and angle brackets, and no '/' at the end. */
MUST enum err links_public_url_check(struct str url, struct problem *problem);

/* Appends the HTML with tracked links and the pixel. `splices` (may be NULL) lie in the arena. */
MUST enum err links_track(const struct links_conf *conf, const struct html *html,
                          struct arena *arena, struct buf *out, struct links_splices *splices);

/* True when some link of the mail leads to our unsubscribe page; the same for a text body. */
bool links_has_unsubscribe(const struct html *html, struct str public_url);
bool links_text_has_unsubscribe(struct str text, struct str public_url);

/*
 * The URL a reader's program would ask for: white space and control characters go, what is not
 * ASCII is escaped, so that it can stand in a Location header. False unless http or https.
 */
bool links_target(struct str href, struct buf *out);

/* "{public_url}/c/{token}?u={target, escaped}" */
void links_click_url(const struct links_conf *conf, struct str target, struct buf *out);
/* The other side: the text after "/c/" and the decoded `u`; ERR_DENIED when they are not a pair. */
MUST enum err links_click_read(const struct token_keys *keys, struct str token, struct str target,
                               struct token *out);

/* "{public_url}/{q|g|d}/{token}?{query}", the query sealed in the token: token_read's `extra`. */
void links_sealed_url(const struct links_conf *conf, enum token_purpose purpose, struct str query,
                      struct buf *out);

/* "{public_url}/{o|u|v|p|s|h}/{token}", and ".gif" after a pixel's. */
void links_url(const struct links_conf *conf, enum token_purpose purpose, struct buf *out);

#endif
