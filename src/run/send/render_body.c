/* Pieces that are put into a body somebody else wrote: the way out, the preheader. */
#include "base/buf.h"
#include "base/encode.h"
#include "message/html.h"
#include "run/send/render_parts.h"

/* Its lines under each other. */
static void lines_escape(struct buf *out, struct str text)
{
    struct str line;
    for (bool first = true; text.len > 0 && str_split(&text, '\n', &line); first = false) {
        if (!first)
            buf_str(out, STR("<br>"));
        html_escape(out, line);
    }
}

/* The last place where `tag` ("</body") begins, or the length; the first when asked for. */
static size_t tag_find(struct str html, struct str tag, bool first)
{
    size_t found = html.len;
    for (size_t i = 0; i + tag.len <= html.len; i++) {
        if (html.ptr[i] != '<' || !str_eq_nocase(str_slice(html, i, i + tag.len), tag))
            continue;
        found = i;
        if (first)
            break;
    }
    return found;
}

static enum err spliced(struct arena *arena, struct str *html, size_t at, struct buf *piece)
{
    struct buf out = buf_make(HTML_BYTES_MAX * 2);
    buf_str(&out, str_slice(*html, 0, at));
    buf_str(&out, buf_view(piece));
    buf_str(&out, str_slice(*html, at, html->len));
    enum err   err = buf_err(&out) != OK ? buf_err(&out) : buf_err(piece);
    struct str made = err == OK ? str_copy(arena, buf_view(&out)) : STR_NONE;
    buf_done(&out);
    buf_done(piece);
    if (err != OK)
        return err;
    if (made.ptr == NULL)
        return ERR_MEMORY;
    *html = made;
    return OK;
}

enum err footer_html(struct arena *arena, const struct footer *footer, struct str *html)
{
    struct buf piece = buf_make(16384);
    buf_str(&piece, STR("<div style=\"margin:24px 0 0;padding:12px 0;font:12px/18px sans-serif;"
                        "color:#555555;text-align:center\">"));
    if (footer->name.len > 0 || footer->address.len > 0) {
        lines_escape(&piece, footer->name);
        buf_str(&piece, footer->name.len > 0 && footer->address.len > 0 ? STR(", ") : STR_NONE);
        lines_escape(&piece, footer->address);
        buf_str(&piece, STR("<br>"));
    }
    buf_str(&piece, STR("<a href=\""));
    html_escape(&piece, footer->url);
    buf_str(&piece, STR("\" style=\"color:#555555\">"));
    html_escape(&piece, footer->word);
    buf_str(&piece, STR("</a></div>\n"));
    return spliced(arena, html, tag_find(*html, STR("</body"), false), &piece);
}

enum err footer_text(struct arena *arena, const struct footer *footer, struct str *text)
{
    struct buf piece = buf_make(16384);
    buf_str(&piece, STR("\n\n-- \n"));
    if (footer->name.len > 0)
        buf_str(&piece, footer->name);
    buf_str(&piece, footer->name.len > 0 && footer->address.len > 0 ? STR(", ") : STR_NONE);
    buf_str(&piece, footer->address);
    buf_char(&piece, '\n');
    buf_str(&piece, footer->word);
    buf_str(&piece, STR(": "));
    buf_str(&piece, footer->url);
    buf_char(&piece, '\n');
    return spliced(arena, text, text->len, &piece);
}

enum err body_preheader(struct arena *arena, struct str preheader, struct str *html)
{
    if (preheader.len == 0 || html->len == 0)
        return OK;
    struct buf piece = buf_make(preheader.len + 256);
    buf_str(&piece, STR("<div style=\"display:none;max-height:0;overflow:hidden;mso-hide:all\">"));
    buf_str(&piece, preheader); /* escaped when it was rendered */
    buf_str(&piece, STR("</div>"));
    size_t at = tag_find(*html, STR("<body"), true);
    at = at == html->len ? 0 : str_find_char(*html, at, '>') + 1;
    return spliced(arena, html, at > html->len ? 0 : at, &piece);
}
