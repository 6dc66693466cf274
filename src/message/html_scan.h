/*
 * html_scan: HTML cut into tags and texts, as the HTML standard's tokenizer does (13.2.5).
 *
 *     <p class=a>Fish &amp; chips<!-- x --></p>
 *     |- start -||---- text ----||- none -||end|
 *
 * Comments, doctypes and what browsers take for one ("<?xml ...>") are passed over. A text is not
 * decoded yet. What an element like <style> holds is one text: whoever asks for the tokens says so
 * with html_scan_raw after its start tag. A tag that the text ends in is none.
 *
 * Always true   tokens come in the order of their bytes and do not overlap; every place is one in
 *               the text handed in.
 * Cost          a pass over the bytes; attributes are kept in one growing list.
 * Errors        ERR_LIMIT for more than HTML_ATTRIBUTES_MAX attributes of one tag.
 */
#ifndef DULT_MESSAGE_HTML_SCAN_H
#define DULT_MESSAGE_HTML_SCAN_H

#include "message/html_tag.h"

enum { HTML_ATTRIBUTES_MAX = 100 /* of one tag; finding a name twice costs the square of it */ };

enum html_token_kind { HTML_TOKEN_END, HTML_TOKEN_TEXT, HTML_TOKEN_START, HTML_TOKEN_END_TAG };

/* As it is written; `from` and `bytes` are the value's place with its quotes, 0 bytes: no value. */
struct html_attribute {
    struct str name, value;
    uint32_t   from, bytes;
};

struct html_token {
    enum html_token_kind kind;
    enum html_tag        tag;
    struct str           name; /* as it is written */
    uint32_t             from, to;
    uint32_t             attributes, attributes_count; /* places in the scan's list */
    bool                 is_self_closing;
};

struct html_scan {
    struct str             text;
    size_t                 at;
    struct html_attribute *attributes; /* the caller's to free */
    uint32_t               attributes_count, attributes_room;
    enum html_tag          raw;
    bool                   has_doctype; /* <!DOCTYPE html ...> was passed */
};

/* `text` is at most 4 GB - 1. The next token; HTML_TOKEN_END again and again at the end. */
MUST enum err html_scan_next(struct html_scan *scan, struct html_token *token);
/* The next token is all that stands before the element's end tag. */
void html_scan_raw(struct html_scan *scan, enum html_tag tag);

#endif
