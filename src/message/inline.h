/*
 * inline: a mail's style rules, written into the elements they mean.
 *
 * Outlook and others read little of a <style> element; a style attribute is read by all. So each
 * rule whose selectors are known (css.h) is moved: first what has the lower specificity, then, of
 * equal ones, what comes first; then the element's own style; then what is !important.
 *
 *     <style>p { color: red } a:hover { color: blue }</style> <p class=x>Hi</p>
 *     <style> a:hover { color: blue }</style> <p style="color:red;" class=x>Hi</p>
 *
 * The rest stays where it is: media queries, pseudo classes, @font-face, and a <style> with a media
 * of its own, data-dult-inline="no" or Liquid tags. The text may be a Liquid template: {{ values }}
 * are moved like others. Where Liquid decides on classes or brings in snippets, rules are copied
 * and not moved, because what they mean cannot be seen yet. An attribute with Liquid that breaks
 * the quotes around it is left as it is.
 *
 * Always true   every byte outside <style> and style attributes stays, and every line keeps its
 *               number: a rule leaves its line breaks behind.
 * Cost          looks at each selector and element, at most INLINE_WORK_MAX; done once for each
 *               version of a template.
 * Errors        ERR_LIMIT with the remedy, then the text is better sent as it is.
 */
#ifndef DULT_MESSAGE_INLINE_H
#define DULT_MESSAGE_INLINE_H

#include "base/buf.h"

enum { INLINE_WORK_MAX = 20 << 20 /* looks: half a second, for 1,000 rules and 10,000 elements */ };

/* Appends `html` with its rules moved. */
MUST enum err inline_styles(struct str html, struct buf *out, struct problem *problem);

/* Does {% render %} or {% include %} bring in what cannot be seen here? */
bool inline_has_snippets(struct str text);

#endif
