#include "engine/recipients.h"

#include <stdlib.h>
#include <string.h>

struct recipients_page {
    bool is_changed;
    char letters[RECIPIENTS_PAGE];
};

static const char LETTERS[RECIPIENT_STATES + 1] = ".qsdSfucbamkeh";

static const char *const WORDS[RECIPIENT_STATES] = {
    [RECIPIENT_NONE] = "none",
    [RECIPIENT_WAITING] = "waiting",
    [RECIPIENT_SENDING] = "sending",
    [RECIPIENT_DEFERRED] = "deferred",
    [RECIPIENT_SENT] = "sent",
    [RECIPIENT_FAILED] = "failed",
    [RECIPIENT_UNKNOWN] = "unknown",
    [RECIPIENT_NO_CONSENT] = "no_consent",
    [RECIPIENT_SUPPRESSED] = "suppressed",
    [RECIPIENT_NO_ADDRESS] = "no_address",
    [RECIPIENT_TWICE] = "twice",
    [RECIPIENT_CANCELLED] = "cancelled",
    [RECIPIENT_ERASED] = "erased",
    [RECIPIENT_HELD] = "held",
};

const char *recipient_word(enum recipient_state state)
{
    return WORDS[state];
}

enum recipient_state recipient_of_word(struct str word)
{
    for (int i = 1; i < RECIPIENT_STATES; i++)
        if (str_eq(word, str_of(WORDS[i])))
            return (enum recipient_state)i;
    return RECIPIENT_NONE;
}

static enum recipient_state state_of(char letter)
{
    const char *at = letter == '\0' ? NULL : strchr(LETTERS, letter);
    return at == NULL ? RECIPIENT_STATES : (enum recipient_state)(at - LETTERS);
}

void recipients_done(struct recipients *recipients)
{
    for (uint32_t i = 0; i < recipients->pages_count; i++)
        free(recipients->pages[i]);
    free(recipients->pages);
    *recipients = (struct recipients){ .pages = NULL };
}

static struct recipients_page *page_open(struct recipients *recipients, uint32_t number)
{
    if (number >= recipients->pages_count) {
        uint32_t count =
            number + 1 > 2 * recipients->pages_count ? number + 1 : 2 * recipients->pages_count;
        struct recipients_page **pages =
            realloc(recipients->pages, count * sizeof(struct recipients_page *));
        if (pages == NULL)
            return NULL;
        for (uint32_t i = recipients->pages_count; i < count; i++)
            pages[i] = NULL;
        recipients->pages = pages;
        recipients->pages_count = count;
    }
    if (recipients->pages[number] == NULL) {
        struct recipients_page *page = malloc(sizeof *page);
        if (page == NULL)
            return NULL;
        page->is_changed = false;
        memset(page->letters, LETTERS[RECIPIENT_NONE], sizeof page->letters);
        recipients->pages[number] = page;
    }
    return recipients->pages[number];
}

enum recipient_state recipients_get(const struct recipients *recipients, uint32_t profile)
{
    uint32_t number = profile / RECIPIENTS_PAGE;
    if (number >= recipients->pages_count || recipients->pages[number] == NULL)
        return RECIPIENT_NONE;
    return state_of(recipients->pages[number]->letters[profile % RECIPIENTS_PAGE]);
}

enum err recipients_set(struct recipients *recipients, uint32_t profile, enum recipient_state state)
{
    enum recipient_state    before = recipients_get(recipients, profile);
    struct recipients_page *page = page_open(recipients, profile / RECIPIENTS_PAGE);
    if (page == NULL)
        return ERR_MEMORY;
    if (before == state)
        return OK;
    recipients->counts[before] -= before != RECIPIENT_NONE;
    recipients->counts[state] += state != RECIPIENT_NONE;
    page->letters[profile % RECIPIENTS_PAGE] = LETTERS[state];
    page->is_changed = true;
    if (profile / RECIPIENTS_PAGE < recipients->changed_from)
        recipients->changed_from = profile / RECIPIENTS_PAGE;
    return OK;
}

uint32_t recipients_next(const struct recipients *recipients, uint32_t bits, uint32_t from)
{
    for (uint32_t number = from / RECIPIENTS_PAGE; number < recipients->pages_count; number++) {
        const struct recipients_page *page = recipients->pages[number];
        uint32_t first = number == from / RECIPIENTS_PAGE ? from % RECIPIENTS_PAGE : 0;
        for (uint32_t i = first; page != NULL && i < RECIPIENTS_PAGE; i++)
            if ((bits >> state_of(page->letters[i]) & 1) != 0)
                return number * RECIPIENTS_PAGE + i;
    }
    return UINT32_MAX;
}

bool recipients_changed(struct recipients *recipients, uint32_t *number, struct str *text)
{
    for (; recipients->changed_from < recipients->pages_count; recipients->changed_from++) {
        struct recipients_page *page = recipients->pages[recipients->changed_from];
        if (page == NULL || !page->is_changed)
            continue;
        page->is_changed = false;
        *number = recipients->changed_from;
        *text = (struct str){ page->letters, sizeof page->letters };
        return true;
    }
    return false;
}

enum err recipients_load(struct recipients *recipients, uint32_t number, struct str text)
{
    struct recipients_page *page = page_open(recipients, number);
    if (page == NULL)
        return ERR_MEMORY;
    if (text.len != sizeof page->letters)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < RECIPIENTS_PAGE; i++) {
        enum recipient_state before = state_of(page->letters[i]), now = state_of(text.ptr[i]);
        if (now == RECIPIENT_STATES)
            return ERR_CORRUPT;
        recipients->counts[before] -= before != RECIPIENT_NONE;
        recipients->counts[now] += now != RECIPIENT_NONE;
        page->letters[i] = text.ptr[i];
    }
    page->is_changed = false;
    return OK;
}
