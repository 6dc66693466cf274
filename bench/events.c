#include "events.h"

#include <string.h>

#include "base/time.h"

enum {
    ID_DIGITS = 16,
    PERSON_DIGITS = 7 /* as history.c */,
    TIME_CHARS = 24,
    MOODS = 20,
    PRODUCTS = 5000
};

static const char *const shop_names[] = {
    "Product Viewed",   "Product List Viewed", "Product Added",     "Product Removed",
    "Cart Viewed",      "Checkout Started",    "Order Completed",   "Coupon Applied",
    "Product Searched", "Product Shared",      "Wishlist Added",    "Review Written",
    "Guide Read",       "Video Watched",       "Support Contacted", "Store Located",
    "Promotion Viewed", "Promotion Clicked",   "Size Guide Opened", "Stock Alert Set",
};
enum { NAMES = sizeof shop_names / sizeof *shop_names };

/* xorshift64*: quick and even enough for a load. */
static uint64_t next(struct events *events)
{
    uint64_t x = events->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    events->random = x;
    return x * UINT64_C(2685821657736338717);
}

static uint32_t below(struct events *events, uint32_t count)
{
    return (uint32_t)((next(events) >> 32) * count >> 32);
}

/* Evenly from 0 up to 1. */
static double share(struct events *events)
{
    return (double)(next(events) >> 11) / (double)(UINT64_C(1) << 53);
}

static uint32_t person_draw(struct events *events)
{
    if (events->names_count == 0 && below(events, 1000) < EVENTS_NEW_PER_MILLE)
        return events->people + events->born++;
    double u = share(events);
    return (uint32_t)(u * u * u * events->people);
}

struct events events_make(uint32_t people, uint64_t seed)
{
    struct events events = { .random = seed * 2 + 1, .people = people };
    events.id_next = seed << 40; /* runs with other seeds make other ids */
    events_clock(&events, 0);
    return events;
}

bool events_names(struct events *events, const char *names)
{
    double all = 0, sum = 0;
    for (events->names_count = 0; *names != '\0';) {
        size_t len = strcspn(names, ",");
        if (events->names_count == EVENTS_NAMES_MAX || len == 0 || len >= sizeof events->names[0])
            return false;
        memcpy(events->names[events->names_count], names, len);
        events->names[events->names_count++][len] = '\0';
        names += len + (names[len] == ',');
    }
    for (uint32_t k = 0; k < events->names_count; k++)
        all += 1.0 / (k + 1);
    for (uint32_t k = 0; k < events->names_count; k++)
        events->shares[k] = (sum += 1.0 / (k + 1)) / all;
    return events->names_count > 0;
}

void events_clock(struct events *events, int64_t now_ms)
{
    char text[TIME_TEXT_BYTES];
    memcpy(events->time, time_write(now_ms, text), TIME_CHARS);
    events->time[TIME_CHARS] = '\0';
}

static void digits(char *out, uint64_t value, int count)
{
    for (int i = count - 1; i >= 0; i--, value /= 10)
        out[i] = (char)('0' + value % 10);
}

static void hex(char *out, uint64_t value)
{
    for (int i = ID_DIGITS - 1; i >= 0; i--, value >>= 4)
        out[i] = "0123456789abcdef"[value & 15];
}

/* Notes where the field that comes next will stand, and leaves room for it. */
static size_t field(struct buf *out, const char *before, int chars)
{
    buf_format(out, "%s", before);
    size_t at = out->len;
    buf_format(out, "%.*s", chars, "000000000000000000000000");
    return at;
}

static void append_head(struct events_body *body, const char *type)
{
    struct events_spot *spot = &body->spots[body->count++];
    struct buf         *out = &body->bytes;

    buf_format(out, "{\"type\":\"%s\"", type);
    spot->id = field(out, ",\"messageId\":\"", ID_DIGITS);
    spot->person = field(out, "\",\"userId\":\"u", PERSON_DIGITS);
    spot->time = field(out, "\",\"timestamp\":\"", TIME_CHARS);
}

static void append_track(struct events *events, struct events_body *body, const char *name)
{
    uint32_t product = below(events, PRODUCTS);

    append_head(body, "track");
    buf_format(&body->bytes,
               "\",\"event\":\"%s\",\"properties\":{\"product\":\"tent-%04u\",\"price\":%u.50,"
               "\"quantity\":%u,\"currency\":\"NOK\",\"url\":\"https://tents.example/p/%04u\"},"
               "\"context\":{\"library\":{\"name\":\"load\",\"version\":\"1.0.0\"},"
               "\"ip\":\"203.0.113.9\",\"locale\":\"nb-NO\"}}",
               name, product, 100 + product, 1 + product % 3, product);
}

static void append_named(struct events *events, struct events_body *body)
{
    double   drawn = share(events);
    uint32_t k = 0;
    while (k + 1 < events->names_count && drawn > events->shares[k])
        k++;
    append_head(body, "track");
    buf_format(&body->bytes, "\",\"event\":\"%s\",\"properties\":{\"revenue\":%u.%02u}}",
               events->names[k], below(events, 500), below(events, 100));
}

void events_append(struct events *events, struct events_body *body)
{
    uint32_t draw = below(events, 1000);

    if (events->names_count > 0)
        append_named(events, body);
    else if (draw < EVENTS_SIGN_UP_PER_MILLE)
        append_track(events, body, "Signed Up");
    else if (draw < EVENTS_SIGN_UP_PER_MILLE + EVENTS_IDENTIFY_PER_MILLE) {
        append_head(body, "identify");
        buf_format(&body->bytes, "\",\"traits\":{\"mood\":\"m%u\",\"country\":\"NO\"}}",
                   below(events, MOODS));
    } else {
        append_track(events, body, shop_names[below(events, NAMES)]);
    }
}

static void patch(struct events *events, struct events_body *body, uint32_t index, uint32_t person)
{
    char                     *bytes = body->bytes.ptr;
    const struct events_spot *spot = &body->spots[index];

    hex(bytes + spot->id, events->id_next++);
    digits(bytes + spot->person, person, PERSON_DIGITS);
    memcpy(bytes + spot->time, events->time, TIME_CHARS);
    events->made++;
}

void events_append_person(struct events *events, struct events_body *body, uint32_t person)
{
    append_head(body, "identify");
    buf_format(&body->bytes,
               "\",\"traits\":{\"email\":\"u%08u@x.example\",\"mood\":\"m%u\",\"country\":\"NO\"}}",
               person, below(events, MOODS));
    patch(events, body, body->count - 1, person);
}

void events_patch(struct events *events, struct events_body *body)
{
    for (uint32_t i = 0; i < body->count; i++)
        patch(events, body, i, person_draw(events));
}
