#include "engine/recipients.h"

#include <stdlib.h>
#include <string.h>

/* Who of a packed page has neither of its two letters. */
struct odd {
    uint16_t place;
    char     letter;
};

/* Of a packed page: bits where both letters are there, then the odd ones by place; of an open one:
 * a letter each. */
struct recipients_page {
    bool     is_changed, is_packed, has_bits;
    bool     is_kept_open; /* it was looked at since it changed, and is none to be packed */
    char     common[2];    /* the bit's letters */
    uint16_t odd_count;
    uint8_t  bytes[];
};

enum { BITS_BYTES = RECIPIENTS_PAGE / 8 };
_Static_assert(RECIPIENTS_ODD_MAX *(int)sizeof(struct odd) + BITS_BYTES < RECIPIENTS_PAGE,
               "a packed page is smaller than an open one");

static const char LETTERS[RECIPIENT_STATES + 1] = ".qsdSfucbamkeho";

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
    [RECIPIENT_HELD_OUT] = "held_out",
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

/* ---- pages ---- */

static size_t page_bytes(const struct recipients_page *page)
{
    size_t bytes = !page->is_packed ? RECIPIENTS_PAGE : page->has_bits ? BITS_BYTES : 0;
    return sizeof *page + bytes + page->odd_count * sizeof(struct odd);
}

static struct odd odd_at(const struct recipients_page *page, uint32_t i)
{
    struct odd odd;
    memcpy(&odd, page->bytes + (page->has_bits ? BITS_BYTES : 0) + i * sizeof odd, sizeof odd);
    return odd;
}

static char common_at(const struct recipients_page *page, uint32_t place)
{
    return page->common[page->has_bits && (page->bytes[place / 8] >> place % 8 & 1) != 0];
}

static char letter_at(const struct recipients_page *page, uint32_t place)
{
    if (!page->is_packed)
        return (char)page->bytes[place];
    for (uint32_t i = 0; i < page->odd_count; i++)
        if (odd_at(page, i).place == place)
            return odd_at(page, i).letter;
    return common_at(page, place);
}

static void letters_write(const struct recipients_page *page, char letters[RECIPIENTS_PAGE])
{
    if (!page->is_packed) {
        memcpy(letters, page->bytes, RECIPIENTS_PAGE);
        return;
    }
    for (uint32_t place = 0; place < RECIPIENTS_PAGE; place++)
        letters[place] = common_at(page, place);
    for (uint32_t i = 0; i < page->odd_count; i++)
        letters[odd_at(page, i).place] = odd_at(page, i).letter;
}

static struct recipients_page *page_new(void)
{
    struct recipients_page *page = calloc(1, sizeof *page + RECIPIENTS_PAGE);
    if (page != NULL)
        memset(page->bytes, LETTERS[RECIPIENT_NONE], RECIPIENTS_PAGE);
    return page;
}

static enum err pages_grow(struct recipients *recipients, uint32_t number)
{
    if (number < recipients->pages_count)
        return OK;
    uint32_t count =
        number + 1 > 2 * recipients->pages_count ? number + 1 : 2 * recipients->pages_count;
    struct recipients_page **pages =
        realloc(recipients->pages, count * sizeof(struct recipients_page *));
    if (pages == NULL)
        return ERR_MEMORY;
    for (uint32_t i = recipients->pages_count; i < count; i++)
        pages[i] = NULL;
    recipients->pages = pages;
    recipients->pages_count = count;
    return OK;
}

/* It may be packed, as far as is known. */
static void loose_note(struct recipients *recipients, uint32_t number)
{
    recipients->loose_count++;
    if (number < recipients->loose_from)
        recipients->loose_from = number;
}

/* The page with its letters, to write to. NULL without memory. */
static struct recipients_page *page_open(struct recipients *recipients, uint32_t number)
{
    if (pages_grow(recipients, number) != OK)
        return NULL;
    struct recipients_page *page = recipients->pages[number], *opened;
    if (page != NULL && !page->is_packed) {
        if (page->is_kept_open)
            loose_note(recipients, number);
        page->is_kept_open = false;
        return page;
    }
    opened = page_new();
    if (opened == NULL)
        return NULL;
    if (page != NULL)
        letters_write(page, (char *)opened->bytes);
    free(page);
    loose_note(recipients, number);
    return recipients->pages[number] = opened;
}

/* The two letters that most have. */
static void common_find(const struct recipients_page *page, char common[2], uint32_t *others)
{
    uint32_t counts[RECIPIENT_STATES] = { 0 };
    int      first = 0, second = 1;
    for (uint32_t place = 0; place < RECIPIENTS_PAGE; place++)
        counts[state_of((char)page->bytes[place])]++;
    if (counts[second] > counts[first]) {
        first = 1;
        second = 0;
    }
    for (int i = 2; i < RECIPIENT_STATES; i++)
        if (counts[i] > counts[first]) {
            second = first;
            first = i;
        } else if (counts[i] > counts[second]) {
            second = i;
        }
    common[0] = LETTERS[first];
    common[1] = LETTERS[second];
    *others = RECIPIENTS_PAGE - counts[first] - counts[second];
}

static void packed_fill(struct recipients_page *packed, const struct recipients_page *page)
{
    uint32_t   done = 0;
    struct odd odd;
    uint8_t   *list = packed->bytes + (packed->has_bits ? BITS_BYTES : 0);
    for (uint32_t place = 0; place < RECIPIENTS_PAGE; place++) {
        char letter = (char)page->bytes[place];
        if (letter == packed->common[1])
            packed->bytes[place / 8] |= (uint8_t)(1 << place % 8);
        if (letter == packed->common[0] || letter == packed->common[1])
            continue;
        odd = (struct odd){ .place = (uint16_t)place, .letter = letter };
        memcpy(list + done++ * sizeof odd, &odd, sizeof odd);
    }
}

static bool is_loose(const struct recipients_page *page)
{
    return page != NULL && !page->is_packed && !page->is_kept_open;
}

/* It stays open where it would hardly be smaller, or without memory. */
static void page_pack(struct recipients *recipients, uint32_t number)
{
    struct recipients_page *page = recipients->pages[number], *packed;
    struct recipients_page  about = { .is_packed = true };
    uint32_t                others;
    common_find(page, about.common, &others);
    about.has_bits = memchr(page->bytes, about.common[1], RECIPIENTS_PAGE) != NULL;
    about.odd_count = (uint16_t)others;
    recipients->loose_count--;
    page->is_kept_open = true;
    if (others > RECIPIENTS_ODD_MAX || (packed = calloc(1, page_bytes(&about))) == NULL)
        return;
    *packed = about;
    packed_fill(packed, page);
    free(page);
    recipients->pages[number] = packed;
}

/* A late change of what is over long since is a page to look at, of whatever many. */
static void pages_pack(struct recipients *recipients)
{
    uint32_t *at = &recipients->loose_from;
    for (int n = 0; recipients->is_over && recipients->loose_count > 0 && n < RECIPIENTS_PACKED_MAX;
         ++*at)
        if (is_loose(recipients->pages[*at])) {
            page_pack(recipients, *at);
            n++;
        }
    if (recipients->loose_count == 0)
        *at = recipients->pages_count;
}

void recipients_over(struct recipients *recipients, bool is_over)
{
    recipients->is_over = is_over;
}

size_t recipients_bytes(const struct recipients *recipients)
{
    size_t bytes = recipients->pages_count * sizeof(struct recipients_page *);
    for (uint32_t i = 0; i < recipients->pages_count; i++)
        bytes += recipients->pages[i] == NULL ? 0 : page_bytes(recipients->pages[i]);
    return bytes;
}

/* ---- one and all ---- */

enum recipient_state recipients_get(const struct recipients *recipients, uint32_t profile)
{
    uint32_t number = profile / RECIPIENTS_PAGE;
    if (number >= recipients->pages_count || recipients->pages[number] == NULL)
        return RECIPIENT_NONE;
    return state_of(letter_at(recipients->pages[number], profile % RECIPIENTS_PAGE));
}

enum err recipients_set(struct recipients *recipients, uint32_t profile, enum recipient_state state)
{
    enum recipient_state before = recipients_get(recipients, profile);
    if (before == state)
        return OK;
    struct recipients_page *page = page_open(recipients, profile / RECIPIENTS_PAGE);
    if (page == NULL)
        return ERR_MEMORY;
    recipients->counts[before] -= before != RECIPIENT_NONE;
    recipients->counts[state] += state != RECIPIENT_NONE;
    page->bytes[profile % RECIPIENTS_PAGE] = (uint8_t)LETTERS[state];
    recipients->changed_count += !page->is_changed;
    page->is_changed = true;
    if (profile / RECIPIENTS_PAGE < recipients->changed_from)
        recipients->changed_from = profile / RECIPIENTS_PAGE;
    return OK;
}

/* The first place from `from` on whose letter is of the states; RECIPIENTS_PAGE: none. */
static uint32_t page_next(const struct recipients_page *page, uint32_t bits, uint32_t from)
{
    uint32_t k = 0;
    while (page->is_packed && k < page->odd_count && odd_at(page, k).place < from)
        k++;
    for (uint32_t place = from; place < RECIPIENTS_PAGE; place++) {
        bool is_odd = page->is_packed && k < page->odd_count && odd_at(page, k).place == place;
        char letter = !page->is_packed ? (char)page->bytes[place]
                      : is_odd         ? odd_at(page, k++).letter
                                       : common_at(page, place);
        if ((bits >> state_of(letter) & 1) != 0)
            return place;
    }
    return RECIPIENTS_PAGE;
}

uint32_t recipients_next(const struct recipients *recipients, uint32_t bits, uint32_t from)
{
    uint32_t place = from % RECIPIENTS_PAGE;
    for (uint32_t number = from / RECIPIENTS_PAGE; number < recipients->pages_count; number++) {
        if (recipients->pages[number] != NULL &&
            (place = page_next(recipients->pages[number], bits, place)) < RECIPIENTS_PAGE)
            return number * RECIPIENTS_PAGE + place;
        place = 0;
    }
    return UINT32_MAX;
}

bool recipients_changed(struct recipients *recipients, uint32_t *number, struct str *text)
{
    for (; recipients->changed_count > 0; recipients->changed_from++) {
        struct recipients_page *page = recipients->pages[recipients->changed_from];
        if (page == NULL || !page->is_changed)
            continue;
        page->is_changed = false;
        recipients->changed_count--;
        *number = recipients->changed_from;
        *text = (struct str){ (const char *)page->bytes, RECIPIENTS_PAGE };
        return true;
    }
    recipients->changed_from = recipients->pages_count;
    pages_pack(recipients);
    return false;
}

enum err recipients_load(struct recipients *recipients, uint32_t number, struct str text)
{
    struct recipients_page *page = page_open(recipients, number);
    if (page == NULL)
        return ERR_MEMORY;
    if (text.len != RECIPIENTS_PAGE)
        return ERR_CORRUPT;
    for (uint32_t i = 0; i < RECIPIENTS_PAGE; i++) {
        enum recipient_state before = state_of((char)page->bytes[i]), now = state_of(text.ptr[i]);
        if (now == RECIPIENT_STATES)
            return ERR_CORRUPT;
        recipients->counts[before] -= before != RECIPIENT_NONE;
        recipients->counts[now] += now != RECIPIENT_NONE;
        page->bytes[i] = (uint8_t)text.ptr[i];
    }
    recipients->changed_count -= page->is_changed;
    page->is_changed = false;
    if (recipients->is_over)
        page_pack(recipients, number);
    return OK;
}
