#include "engine/suppression.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/vec.h"

struct suppressions {
    uint64_t   seed;
    struct map by_address;
    struct {
        struct suppression *items; /* addresses are malloc'ed; erased ones have none */
        uint32_t            count, room;
    } all;
    uint32_t suppressed;
};

static const struct {
    const char *word, *why;
} reasons[SUPPRESSION_REASONS] = {
    [SUPPRESSION_LIFTED] = { "lifted", "" },
    [SUPPRESSION_HARD] = { "hard", "suppressed: the address does not exist (hard bounce)" },
    [SUPPRESSION_SOFT] = { "soft", "suppressed: 5 messages in a row came back (soft bounces)" },
    [SUPPRESSION_COMPLAINT] = { "complaint", "suppressed: the recipient complained" },
    [SUPPRESSION_MANUAL] = { "manual", "suppressed by hand" },
};

const char *suppression_word(enum suppression_reason reason)
{
    return reasons[reason].word;
}

bool suppression_of(struct str word, enum suppression_reason *out)
{
    for (int i = 0; i < SUPPRESSION_REASONS; i++)
        if (str_eq(word, str_of(reasons[i].word))) {
            *out = (enum suppression_reason)i;
            return true;
        }
    return false;
}

struct str suppression_why(enum suppression_reason reason)
{
    return str_of(reasons[reason].why);
}

static bool is_email(struct str text)
{
    size_t at = str_find_char(text, 0, '@');
    return at > 0 && at + 1 < text.len && str_find_char(text, at + 1, '@') == text.len;
}

static bool is_phone(struct str text)
{
    enum { DIGITS_MIN = 7, DIGITS_MAX = 15 };
    for (size_t i = 1; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > DIGITS_MIN && text.len <= 1 + DIGITS_MAX && text.ptr[0] == '+';
}

/* Street, city, country. */
static bool is_postal(struct str text)
{
    size_t comma = str_find(text, 0, STR(", "));
    return comma > 0 && comma < text.len && str_find(text, comma + 1, STR(", ")) < text.len &&
           str_find_char(text, 0, '@') == text.len;
}

enum err suppression_address(struct str text, char *out, struct str *address)
{
    text = str_trim(text);
    bool postal = is_postal(text);
    if (text.len > SUPPRESSION_ADDRESS_BYTES_MAX || (!postal && !is_email(text) && !is_phone(text)))
        return ERR_INPUT;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if ((unsigned char)c < ' ' || (c == ' ' && !postal) || c == 0x7f)
            return ERR_INPUT;
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 'a' - 'A') : c;
    }
    *address = (struct str){ out, text.len };
    return OK;
}

/* ---- the list ---- */

struct suppressions *suppressions_open(uint64_t seed)
{
    struct suppressions *all = calloc(1, sizeof *all);
    if (all == NULL)
        return NULL;
    all->seed = seed;
    all->by_address = map_make();
    return all;
}

void suppressions_close(struct suppressions *all)
{
    if (all == NULL)
        return;
    for (uint32_t i = 0; i < all->all.count; i++)
        free((char *)all->all.items[i].address.ptr);
    VEC_DONE(&all->all);
    map_done(&all->by_address);
    free(all);
}

static bool is_address(const void *owner, uint32_t value, const void *address)
{
    const struct suppressions *all = owner;
    return str_eq(all->all.items[value].address, *(const struct str *)address);
}

static uint32_t place_of(const struct suppressions *all, struct str address)
{
    return map_find(&all->by_address, hash_str(address, all->seed), is_address, all, &address);
}

const struct suppression *suppressions_find(const struct suppressions *all, struct str address)
{
    uint32_t i = place_of(all, address);
    return i == MAP_NONE ? NULL : &all->all.items[i];
}

/* Its place stays empty until the next start. */
static void remove_at(struct suppressions *all, uint32_t i)
{
    struct suppression *entry = &all->all.items[i];
    all->suppressed -= entry->reason != SUPPRESSION_LIFTED;
    map_remove(&all->by_address, hash_str(entry->address, all->seed), i);
    free((char *)entry->address.ptr);
    *entry = (struct suppression){ .reason = SUPPRESSION_LIFTED };
}

static enum err add(struct suppressions *all, struct str address, uint32_t *i)
{
    char *copy = strndup(address.ptr, address.len);
    if (copy == NULL)
        return ERR_MEMORY;
    struct suppression fresh = { .address = { copy, address.len } };
    *i = all->all.count;
    enum err err = *i < SUPPRESSIONS_MAX ? VEC_ADD(&all->all, fresh) : ERR_LIMIT;
    if (err == OK) {
        err = map_add(&all->by_address, hash_str(address, all->seed), *i);
        all->all.count -= err != OK;
    }
    if (err != OK)
        free(copy);
    return err;
}

enum err suppressions_put(struct suppressions *all, const struct suppression *entry)
{
    uint32_t i = place_of(all, entry->address);
    if (entry->is_erased) {
        if (i != MAP_NONE)
            remove_at(all, i);
        return OK;
    }
    if (i == MAP_NONE)
        TRY(add(all, entry->address, &i));
    struct suppression *kept = &all->all.items[i];
    all->suppressed += entry->reason != SUPPRESSION_LIFTED;
    all->suppressed -= kept->reason != SUPPRESSION_LIFTED;
    kept->reason = entry->reason;
    kept->at_ms = entry->at_ms;
    kept->seq = entry->seq;
    return OK;
}

uint32_t suppressions_count(const struct suppressions *all)
{
    return all->suppressed;
}
