#include "engine/reach.h"

#include <stdio.h>
#include <string.h>

#include "engine/inside.h"
#include "engine/profile/phone.h"
#include "engine/profile/postal.h"

/* ---- traits ---- */

enum { NUMBER_BYTES_MAX = 24 };

/* A trait's text; a number as it is written (in `number`), for codes of post are often told so. */
static struct str trait_text(const struct known *known, const char *name,
                             char number[NUMBER_BYTES_MAX])
{
    struct facts_trait trait;
    uint16_t           key = dict_find(known->engine->program->names[NAME_TRAIT], str_of(name));
    if (key == DICT_NONE || !known->facts.ops->trait(&known->facts, key, &trait))
        return STR_NONE;
    if (trait.value.kind == JSON_STRING)
        return str_trim(trait.value.string);
    if (trait.value.kind != JSON_INT)
        return STR_NONE;
    snprintf(number, NUMBER_BYTES_MAX, "%lld", (long long)trait.value.integer);
    return str_of(number);
}

static struct str first_of(const struct known *known, const char *const *names,
                           char number[NUMBER_BYTES_MAX])
{
    struct str text = STR_NONE;
    for (; *names != NULL && str_is_empty(text); names++)
        text = trait_text(known, *names, number);
    return text;
}

static struct str country_code(struct str written)
{
    const char *code = place_country_code(written);
    return code == NULL ? STR_NONE : str_of(code);
}

/* The person's country as two letters, or the empty text; it may be a guess. */
static struct str country_of(const struct known *known)
{
    struct facts_trait trait;
    enum place_origin  origin = known_place(&known->facts, PLACE_COUNTRY, &trait);
    bool               known_at_all = origin != PLACE_UNKNOWN && trait.value.kind == JSON_STRING;
    return known_at_all ? country_code(trait.value.string) : STR_NONE;
}

/* ---- by channel ---- */

static struct str email_reach(const struct known *known, struct str *address)
{
    struct facts_trait trait;
    uint16_t           key = dict_find(known->engine->program->names[NAME_TRAIT], STR("email"));
    bool told = key != DICT_NONE && known->facts.ops->trait(&known->facts, key, &trait);
    if (!told || trait.value.kind != JSON_STRING ||
        str_find_char(trait.value.string, 0, '@') == trait.value.string.len)
        return STR("no e-mail address");
    *address = trait.value.string;
    return STR_NONE;
}

/* The country may be a guess: a wrong one makes a number that cannot be, far more often than
 * somebody else's. */
static struct str phone_reach(const struct known *known, char *bytes, struct str *address)
{
    char       number[NUMBER_BYTES_MAX];
    struct str country = country_of(known);
    struct str phone = trait_text(known, "phone", number);
    if (str_is_empty(phone))
        return STR("no telephone number");
    if (phone_e164(phone, country, bytes) != OK)
        return str_is_empty(country)
                   ? STR("the telephone number has no country code, and the country is not known")
                   : STR("the telephone number is none of its country");
    *address = str_of(bytes);
    return STR_NONE;
}

struct postal {
    struct postal_address is;
    char                  numbers[4][NUMBER_BYTES_MAX];
};

static void postal_read(const struct known *known, struct postal *out)
{
    static const char *const streets[] = { "address.street", "address.line1", "address.address1",
                                           NULL };
    static const char *const cities[] = { "address.city", NULL };
    static const char *const codes[] = { "address.postal_code", "address.postalCode", "address.zip",
                                         NULL };
    static const char *const countries[] = { "address.country", "country", NULL };
    static const char *const states[] = { "address.state", "address.province", NULL };
    out->is.street = first_of(known, streets, out->numbers[0]);
    out->is.city = first_of(known, cities, out->numbers[1]);
    out->is.code = first_of(known, codes, out->numbers[2]);
    out->is.country = country_code(first_of(known, countries, out->numbers[3])); /* no guess */
    out->is.state = first_of(known, states, out->numbers[3]);
}

static struct str post_reach(const struct known *known, char *bytes, struct str *address)
{
    struct postal                postal;
    const struct postal_address *is = &postal.is;
    postal_read(known, &postal);
    struct str why = postal_why(is);
    if (!str_is_empty(why))
        return why;
    int len = snprintf(bytes, REACH_BYTES_MAX, "%.*s, %.*s%s%.*s%s%.*s, %.*s", STR_ARG(is->street),
                       STR_ARG(is->code), is->code.len > 0 ? " " : "", STR_ARG(is->city),
                       is->state.len > 0 ? ", " : "", STR_ARG(is->state), STR_ARG(is->country));
    if (len < 0 || len >= REACH_BYTES_MAX)
        return STR("the postal address is longer than an address may be");
    for (int i = 0; i < len; i++) /* a street of two lines */
        if ((unsigned char)bytes[i] < ' ')
            bytes[i] = ' ';
    *address = (struct str){ bytes, (size_t)len };
    return STR_NONE;
}

struct str reach_address(const struct engine *engine, uint32_t person, enum consent_channel channel,
                         char bytes[REACH_BYTES_MAX], struct str *address)
{
    struct known known;
    *address = STR_NONE;
    if (!channel_is_to_person(channel))
        return STR_NONE;
    known_make(&known, engine, person, engine->now_ms);
    if (channel == CHANNEL_EMAIL)
        return email_reach(&known, address);
    return channel == CHANNEL_SMS ? phone_reach(&known, bytes, address)
                                  : post_reach(&known, bytes, address);
}

bool reach_refuses(const struct state *state, uint32_t topic, enum consent_channel channel)
{
    bool refused = false;
    for (uint32_t i = 0; i < state->rarer->consents.count && channel_is_to_person(channel); i++) {
        const struct consent *said = &state->rarer->consents.items[i];
        if (said->state == CONSENT_REFUSED && (said->topic == 0 || said->topic == topic) &&
            (said->channel == CHANNEL_ALL || said->channel == (uint8_t)channel))
            refused = true;
    }
    return refused;
}

/* ---- asked beside the claim ---- */

bool engine_reach(const struct engine *engine, uint32_t profile, enum consent_channel channel,
                  char bytes[REACH_BYTES_MAX], struct str *address)
{
    struct str why =
        reach_address(engine, people_root(engine->people, profile), channel, bytes, address);
    return str_is_empty(why) && address->len > 0;
}

uint32_t engine_by_phone(const struct engine *engine, struct str number, uint32_t from,
                         uint32_t most, uint32_t *people, uint32_t room, uint32_t *count)
{
    uint32_t all = people_count(engine->people);
    uint32_t end = all - from > most ? from + most : all;
    for (; from < end && *count < room; from++) {
        char       bytes[REACH_BYTES_MAX];
        struct str address;
        if (people_is_nobody(engine->people, from) || people_root(engine->people, from) != from)
            continue;
        if (engine_reach(engine, from, CHANNEL_SMS, bytes, &address) && str_eq(address, number))
            people[(*count)++] = from;
    }
    return from;
}

static bool can_reach(const struct engine *engine, uint32_t person, enum consent_channel channel)
{
    char       bytes[REACH_BYTES_MAX];
    struct str address;
    if (!str_is_empty(reach_address(engine, person, channel, bytes, &address)) ||
        reach_refuses(people_state_get(engine->people, person), 0, channel))
        return false;
    return engine_suppression(engine, address) == NULL;
}

bool reach_all(const struct engine *engine, enum consent_channel channel, uint32_t *from,
               uint32_t most, uint64_t *people)
{
    uint32_t all = people_count(engine->people);
    for (uint32_t looked = 0; looked < most && *from < all; looked++, ++*from)
        if (people_root(engine->people, *from) == *from && !people_is_nobody(engine->people, *from))
            *people += can_reach(engine, *from, channel);
    return *from >= all;
}
