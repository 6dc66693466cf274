/*
 * plain: the text a person reads whose mail program shows no HTML.
 *
 * Made from the same tree as the tracked links, but from the original one: its URLs are the
 * writer's own, because here they are read by people.
 *
 *     <h1>Hello</h1> <p>Two <b>new</b> tents:</p>        Hello
 *     <ul><li>Ridge <li>Dome</ul>                        (empty line)
 *     <p><a href="https://x.example/">See them</a></p>   Two new tents:
 *                                                        (empty line)
 *                                                        - Ridge
 *                                                        - Dome
 *                                                        (empty line)
 *                                                        See them (https://x.example/)
 *
 * Blocks become paragraphs, lists get "- " or "1. ", quotes "> ", cells of a data table are parted
 * by " | " (in a layout table by a space), images speak by their alt text. Style, script, head
 * and what is hidden (hidden, display:none, visibility:hidden) say nothing. No line is wrapped.
 *
 * Always true   lines end in '\n', none ends in a space, at most one empty line stands between two
 *               paragraphs, and no control character comes through.
 */
#ifndef DULT_MESSAGE_PLAIN_H
#define DULT_MESSAGE_PLAIN_H

#include "base/buf.h"
#include "message/html.h"

/* Does the style attribute declare `declaration`, "display:none"? White space and case are nothing.
 */
bool plain_style_has(struct str style, const char *declaration);
/* Is it an element that nobody sees? */
bool plain_hides(const struct html *html, const struct html_node *node);

void plain_write(const struct html *html, struct buf *out);

#endif
