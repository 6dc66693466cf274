#include "engine/consent.h"

static const char *const words[] = {
    [CONSENT_REFUSED] = "unsubscribed",
    [CONSENT_GRANTED] = "subscribed",
    [CONSENT_PENDING] = "pending",
    [CONSENT_UNKNOWN] = "unknown",
};
static const char *const told[] = {
    [CONSENT_REFUSED] = "refused",
    [CONSENT_GRANTED] = "granted",
    [CONSENT_PENDING] = "pending",
    [CONSENT_UNKNOWN] = "unknown",
};
enum { STATES = sizeof words / sizeof words[0] };

struct str consent_word(enum consent_state state)
{
    return str_of((size_t)state < STATES ? words[state] : words[CONSENT_REFUSED]);
}

struct str consent_told(enum consent_state state)
{
    return str_of((size_t)state < STATES ? told[state] : told[CONSENT_REFUSED]);
}

bool consent_of(struct str word, enum consent_state *out)
{
    for (int i = 0; i < STATES; i++)
        if (str_eq(word, str_of(words[i])) || str_eq(word, str_of(told[i]))) {
            *out = (enum consent_state)i;
            return true;
        }
    return false;
}

enum consent_state consent_of_told(struct str word)
{
    enum consent_state state = CONSENT_REFUSED;
    (void)consent_of(word, &state);
    return state;
}

enum consent_source consent_source_of(struct str word)
{
    static const char *const sources[CONSENT_SOURCES_ASKED] = { "api", "form", "import" };
    for (int i = 0; i < CONSENT_SOURCES_ASKED; i++)
        if (str_eq(word, str_of(sources[i])))
            return (enum consent_source)i;
    return CONSENT_SOURCES_ASKED;
}
