/*
 * page: what people see who follow a link of ours: one heading, some words, a form with one button.
 *
 * The words are data (src/run/pages/words.json), in the languages of topic_words.h. A page asks no
 * other host for anything, runs no script and may not be framed; it works with a keyboard, a screen
 * reader, and at four times the size.
 *
 *     page_open(call, languages, count, house, &page);
 *     page_heading(&page, "saved_title");
 *     page_words(&page, "saved_text", STR_NONE);
 *     return page_send(&page, 200);
 */
#ifndef DULT_RUN_API_PAGE_H
#define DULT_RUN_API_PAGE_H

#include "run/api/api_inside.h"

enum { PAGE_LANGUAGES_MAX = 8 };

struct page {
    struct call       *call;
    struct str         language; /* of the house's words */
    const struct json *words;
    struct str         house; /* may be empty */
    struct str         go_on; /* where the browser goes at once; empty: it stays */
    struct buf         out;
};

/* Languages are tried in order; those that the browser asks for come after them. ERR_MEMORY. */
MUST enum err page_open(struct call *call, const struct str *languages, uint32_t count,
                        struct str house, struct page *out);
/* Answers, and frees what page_open took. */
MUST enum err page_send(struct page *page, int status);

/* Answers with HTML that strangers see: not kept, not found by search engines, telling no other
 * site where its reader came from, not framed; of all that a page could load or do only what
 * `allowed` says, in the words of a content security policy. */
void page_reply(struct call *call, int status, struct str allowed, struct str html);

struct str page_word(const struct page *page, const char *key);
/* Its first heading; the title of the window, too. */
void page_heading(struct page *page, const char *key);
/* The same with words of its own, and no heading yet: the page writes one. */
void page_title(struct page *page, struct str title);
/* A paragraph; {} in the words is `about`, escaped. */
void page_words(struct page *page, const char *key, struct str about);

/* <form>, hidden fields, the button that ends it. */
void page_form(struct page *page);
void page_hidden(struct page *page, const char *name, struct str value);
void page_button(struct page *page, const char *action, const char *key, bool is_quiet);

/* The mail that asks to confirm, as a new workspace has it. */
struct str page_confirm_email(void);

#endif
