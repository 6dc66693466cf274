#include "engine/report/letters.h"

#include <stdlib.h>

#include "engine/behaviour/view.h"
#include "engine/own.h"
#include "engine/vec.h"

void letters_done(struct letters *letters)
{
    VEC_DONE(&letters->said);
    VEC_DONE(&letters->all);
    VEC_DONE(&letters->touches);
}

/* ---- gathered ---- */

static bool is_wanted(const struct letters *letters, uint16_t name)
{
    if (name >= OWN_MESSAGE_SENT && name <= OWN_MESSAGE_DELIVERED)
        return true;
    return letters->also != NULL && (letters->also[name / 64] >> (name % 64) & 1) != 0;
}

static enum err run_gather(struct letters *letters, const struct run *run)
{
    for (uint32_t i = 0; i < run->count && run->at_ms[i] <= letters->report->at_ms; i++)
        if (is_wanted(letters, run->name[i]))
            TRY(VEC_ADD(&letters->said,
                        (struct letters_said){ run->at_ms[i], run->seq[i], run->bag[i],
                                               letters->said.count, run->name[i] }));
    return OK;
}

static int by_time(const void *a, const void *b)
{
    const struct letters_said *x = a, *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

static enum err gather(struct letters *letters, uint32_t root)
{
    const struct view *view = letters->report->view;
    struct run         runs[VIEW_LEVELS_MAX];
    uint32_t           member = root;
    letters->said.count = 0;
    do {
        uint32_t count = view_runs(view, member, runs);
        for (uint32_t i = 0; i < count; i++)
            TRY(run_gather(letters, &runs[i]));
        member = view->next[member];
    } while (member != root);
    if (letters->said.count > 1)
        qsort(letters->said.items, letters->said.count, sizeof letters->said.items[0], by_time);
    return OK;
}

/* ---- what was said ---- */

/* A number, which senders tell as a text. */
static int64_t number_of(struct bag bag, uint16_t key)
{
    struct json value;
    int64_t     number = 0;
    if (key == DICT_NONE || !bag_find(bag, key, &value))
        return 0;
    if (value.kind == JSON_INT)
        return value.integer;
    return value.kind == JSON_STRING && str_to_int(value.string, &number) == OK ? number : 0;
}

static bool is_machine(struct bag bag)
{
    struct json value;
    return bag_find(bag, OWN_KEY_MACHINE, &value) && value.kind == JSON_BOOL && value.truth;
}

/* What the event says of the message; 0: nothing that is counted. */
static uint32_t came_of(const struct letters *letters, uint16_t name, struct bag bag)
{
    switch (name) {
    case OWN_MESSAGE_SENT:
        return LETTER_SENT;
    case OWN_MESSAGE_FAILED:
        return LETTER_FAILED;
    case OWN_MESSAGE_BOUNCED:
        return str_eq(bag_text(bag, letters->keys.class), STR("hard")) ? LETTER_HARD : LETTER_SOFT;
    case OWN_MESSAGE_OPENED:
        return is_machine(bag) ? LETTER_OPENED_MACHINE : LETTER_OPENED;
    case OWN_MESSAGE_CLICKED:
        return is_machine(bag) ? LETTER_CLICKED_MACHINE : LETTER_CLICKED;
    case OWN_MESSAGE_UNSUBSCRIBED:
        return LETTER_UNSUBSCRIBED;
    case OWN_MESSAGE_COMPLAINED:
        return LETTER_COMPLAINED;
    case OWN_MESSAGE_REPLIED:
        return LETTER_REPLIED;
    default:
        return LETTER_CONFIRMED;
    }
}

static uint32_t letter_find(const struct letters *letters, int64_t message)
{
    uint32_t i = letters->all.count; /* most of what comes is of the newest */
    while (i > 0 && letters->all.items[i - 1].message != message)
        i--;
    return i == 0 ? letters->all.count : i - 1;
}

static enum err touch(struct letters *letters, const struct letters_said *said, uint32_t letter,
                      uint32_t kind)
{
    return VEC_ADD(&letters->touches,
                   (struct letter_touch){ said->at_ms, said->seq, letter, (enum letter_came)kind });
}

/* A refusal before it went is over; whatever came of it proves that it went. */
static enum err came(struct letters *letters, const struct letters_said *said, uint32_t at,
                     uint32_t what)
{
    struct letter *letter = &letters->all.items[at];
    const uint32_t refused =
        (uint32_t)LETTER_HARD | (uint32_t)LETTER_SOFT | (uint32_t)LETTER_FAILED;
    bool is_sent = what == LETTER_SENT;
    if ((what & refused) == 0 && !letter_is(letter, LETTER_SENT)) {
        letter->sent_ms = said->at_ms;
        letter->seq = said->seq;
        letter->came = is_sent ? letter->came & ~refused : letter->came;
        letter->came |= LETTER_SENT;
        TRY(touch(letters, said, at, LETTER_SENT));
        letter = &letters->all.items[at];
    }
    letter->came |= what;
    if (letter_is(letter, LETTER_OPENED))
        letter->came &= ~(uint32_t)LETTER_OPENED_MACHINE;
    if (letter_is(letter, LETTER_CLICKED))
        letter->came &= ~(uint32_t)LETTER_CLICKED_MACHINE;
    return what == LETTER_OPENED || what == LETTER_CLICKED ? touch(letters, said, at, what) : OK;
}

static struct str first_of(struct str have, struct str told)
{
    return have.len > 0 ? have : told;
}

static enum err said_read(struct letters *letters, const struct letters_said *said)
{
    struct bag bag = bag_at(letters->report->view->bags, said->bag);
    int64_t    message = number_of(bag, letters->keys.message);
    uint32_t   at = letter_find(letters, message);
    if (message == 0)
        return OK; /* of none that we know */
    if (at == letters->all.count)
        TRY(VEC_ADD(
            &letters->all,
            (struct letter){ .message = message, .sent_ms = said->at_ms, .seq = said->seq }));
    /* What is told of a message before its sending (an open that came first) may not say all. */
    struct letter *letter = &letters->all.items[at];
    letter->template = first_of(letter->template, bag_text(bag, OWN_KEY_TEMPLATE));
    letter->journey = first_of(letter->journey, bag_text(bag, OWN_KEY_JOURNEY));
    letter->broadcast = first_of(letter->broadcast, bag_text(bag, letters->keys.broadcast));
    if (letter->entry == 0)
        letter->entry = number_of(bag, letters->keys.entry);
    return came(letters, said, at, came_of(letters, said->name, bag));
}

enum err letters_read(struct letters *letters, uint32_t root)
{
    letters->all.count = letters->touches.count = 0;
    TRY(gather(letters, root));
    for (uint32_t i = 0; i < letters->said.count; i++)
        if (letters->said.items[i].name >= OWN_MESSAGE_SENT &&
            letters->said.items[i].name <= OWN_MESSAGE_DELIVERED)
            TRY(said_read(letters, &letters->said.items[i]));
    return OK;
}
