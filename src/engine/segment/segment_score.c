/*
 * A score: what it is at an instant, and the instant at which time alone takes it over a number.
 *
 *      points
 *        |\__                        each event's points halve with every half-life; a rule gives
 *     ---|---\____--- most           at most `most`, so what it gives stays level for a while and
 *        |        \______            then falls; conditions give all or nothing
 *        +------------------> time
 *
 * Points are summed in millionths times 2^62, in 128 bits, with a power of two of our own, so that
 * the sum is the same on every machine and in whatever order events lie. What is compared and shown
 * is that sum, rounded to a millionth.
 *
 * From now on all that decays does so by one factor, so the score between two instants at which a
 * rule comes down from its `most` goes one way, and the instant of crossing is found by halves.
 */
#include "engine/segment/segment_scan.h"

enum { ONE_BITS = 62, STEPS = 31, HALVES_MAX = 62, FLAT_BITS = 40, EVENTS_SHOWN = 5 };

#define ONE (UINT64_C(1) << ONE_BITS)
#define LN2 UINT64_C(3196577161300663915)    /* times 2^62 */
#define SCORE_NUMBER_MAX ((__int128)1 << 64) /* no score comes near: in millionths */

/* 2^(-2^-i), i from 1; times 2^62. */
static const uint64_t roots[STEPS] = {
    UINT64_C(3260954456333195553), UINT64_C(3877950241171266237), UINT64_C(4228934724888366668),
    UINT64_C(4416165660797809419), UINT64_C(4512867096753504463), UINT64_C(4562008997483360349),
    UINT64_C(4586780255215411731), UINT64_C(4599216278082138665), UINT64_C(4605446927862164404),
    UINT64_C(4608565417332308035), UINT64_C(4610125453837388245), UINT64_C(4610905670110601999),
    UINT64_C(4611295827762151833), UINT64_C(4611490918967884501), UINT64_C(4611588467665893036),
    UINT64_C(4611637242788701951), UINT64_C(4611661630543559956), UINT64_C(4611673824469352645),
    UINT64_C(4611679921444339948), UINT64_C(4611682969934856344), UINT64_C(4611684494180870228),
    UINT64_C(4611685256304066092), UINT64_C(4611685637365711255), UINT64_C(4611685827896545643),
    UINT64_C(4611685923161965790), UINT64_C(4611685970794676601), UINT64_C(4611685994611032191),
    UINT64_C(4611686006519210032), UINT64_C(4611686012473298964), UINT64_C(4611686015450343433),
    UINT64_C(4611686016938865668)
};

static uint64_t times(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b >> ONE_BITS);
}

/* 2^(-age / half), times 2^62; nothing is left after 62 half-lives. */
static uint64_t decay(int64_t age_ms, int64_t half_ms)
{
    int64_t halves = age_ms / half_ms;
    if (halves >= HALVES_MAX)
        return 0;
    uint64_t part =
        (uint64_t)(((unsigned __int128)(age_ms % half_ms) << ONE_BITS) / (uint64_t)half_ms);
    uint64_t left = ONE;
    for (int i = 0; i < STEPS; i++)
        if ((part >> (ONE_BITS - 1 - i) & 1) != 0)
            left = times(left, roots[i]);
    uint64_t rest = part & ((UINT64_C(1) << (ONE_BITS - STEPS)) - 1);
    left -= times(left, times(rest, LN2)); /* 2^-x is 1 - x ln 2, so near to 0 */
    return left >> halves;
}

/* a >= 0. */
static __int128 scaled(__int128 a, uint64_t by)
{
    unsigned __int128 high = (unsigned __int128)a >> ONE_BITS;
    uint64_t          low = (uint64_t)a & (ONE - 1);
    return (__int128)(high * by + ((unsigned __int128)low * by >> ONE_BITS));
}

static __int128 least(__int128 a, __int128 b)
{
    return a < b ? a : b;
}

/* ---- what it is now ---- */

struct part {
    __int128 sum, most; /* of an event's rule, without its sign */
    int      sign;
};

struct score_now {
    struct part parts[SEGMENT_SCORE_RULES_MAX];
    uint32_t    count;
    __int128    fixed; /* of the conditions */
    __int128    error; /* no reckoning ahead is farther off */
    int64_t     now_ms, half_ms, until_ms;
};

static int64_t from_ms(const struct segment_asking *asking, const struct segment_score *score)
{
    return score->half_life_ms == 0 ? INT64_MIN
                                    : asking->facts->now_ms - HALVES_MAX * score->half_life_ms;
}

static __int128 points_of(const struct segment_score *score, const struct segment_score_rule *rule,
                          int64_t age_ms)
{
    __int128 points = rule->points_micro < 0 ? -rule->points_micro : rule->points_micro;
    return points * (score->half_life_ms == 0 ? ONE : decay(age_ms, score->half_life_ms));
}

static struct part part_of(const struct segment_asking *asking, const struct segment_score *score,
                           const struct segment_score_rule *rule,
                           const struct segment_match_op *match, uint32_t *events)
{
    struct part         part = { .sign = rule->points_micro < 0 ? -1 : 1 };
    struct segment_span span = { from_ms(asking, score), asking->facts->now_ms };
    struct segment_scan scan;
    struct segment_hit  hit;
    part.most = rule->most_micro == 0 ? (__int128)1 << 126 : (__int128)rule->most_micro << ONE_BITS;
    *events = 0;
    segment_scan_newest(&scan, asking, match, span);
    while (segment_scan_take_newest(&scan, &hit)) {
        part.sum += points_of(score, rule, asking->facts->now_ms - hit.at_ms);
        ++*events;
    }
    return part;
}

/* What is dated ahead comes to count then. */
static int64_t pending_ms(const struct segment_asking *asking, const struct segment_match_op *match)
{
    struct segment_span span = { asking->facts->now_ms + 1, INT64_MAX };
    struct segment_scan scan;
    struct segment_hit  hit;
    segment_scan_oldest(&scan, asking, match, span);
    return segment_scan_peek_oldest(&scan, &hit) ? hit.at_ms : TIME_NEVER;
}

static void score_read(const struct segment_asking *asking, uint32_t at, struct score_now *now)
{
    const struct segment_score *score = asking->ops[at].score;
    int64_t                     turn_ms = TIME_NEVER;
    struct segment_asking       noting = { asking->ops, asking->facts, &turn_ms };
    uint32_t                    op = at + 1, events;
    now->now_ms = asking->facts->now_ms;
    now->half_ms = score->half_life_ms;
    now->until_ms = TIME_NEVER;
    now->count = 0;
    now->fixed = now->error = 0;
    for (uint32_t i = 0; i < score->count; i++, op = asking->ops[op].next) {
        const struct segment_score_rule *rule = &score->rules[i];
        if (!rule->is_event) {
            struct verdict v = segment_eval_op(asking, op);
            now->fixed += v.holds ? (__int128)rule->points_micro * (__int128)ONE : 0;
            now->until_ms = earlier_ms(now->until_ms, v.until_ms);
            continue;
        }
        const struct segment_match_op *match = &asking->ops[op].match;
        struct part                    part = part_of(&noting, score, rule, match, &events);
        now->until_ms = earlier_ms(now->until_ms, pending_ms(&noting, match));
        now->error += ((__int128)events << 6) *
                      (rule->points_micro < 0 ? -rule->points_micro : rule->points_micro);
        now->error += (part.sum >> 50) + 1024;
        now->parts[now->count++] = part;
    }
    now->until_ms = earlier_ms(now->until_ms, turn_ms);
}

/* At a later instant, but for what comes or ceases to hold till then. */
static __int128 score_at(const struct score_now *now, int64_t at_ms)
{
    uint64_t left = now->half_ms == 0 ? ONE : decay(at_ms - now->now_ms, now->half_ms);
    __int128 sum = now->fixed;
    for (uint32_t i = 0; i < now->count; i++)
        sum += now->parts[i].sign * least(scaled(now->parts[i].sum, left), now->parts[i].most);
    return sum;
}

static __int128 micro_of(__int128 sum)
{
    __int128 half = (__int128)1 << (ONE_BITS - 1);
    return (sum + half) >> ONE_BITS;
}

static struct json number_of(__int128 micro)
{
    if (micro % 1000000 == 0)
        return (struct json){ .kind = JSON_INT, .integer = (int64_t)(micro / 1000000) };
    return (struct json){ .kind = JSON_REAL, .real = (double)micro / 1e6 };
}

/* ---- when it crosses ---- */

struct crossing {
    const struct score_now       *now;
    const struct segment_compare *compare;
    __int128                      sum; /* now */
};

/* At that instant the score lies on the same side of each number as now, for certain. */
static bool is_safe(const struct crossing *crossing, int64_t at_ms)
{
    __int128 sum = score_at(crossing->now, at_ms), error = crossing->now->error;
    __int128 half = (__int128)1 << (ONE_BITS - 1);
    for (uint32_t i = 0; i < crossing->compare->values_count; i++) {
        __int128 micro;
        if (!segment_micro(&crossing->compare->values[i].value, &micro) ||
            micro > SCORE_NUMBER_MAX || micro < -SCORE_NUMBER_MAX)
            continue;
        for (int side = -1; side <= 1; side += 2) {
            __int128 edge = micro * (__int128)ONE + side * half;
            if (crossing->sum >= edge ? sum - error < edge : sum + error >= edge)
                return false;
        }
    }
    return true;
}

static int64_t first_unsafe(const struct crossing *crossing, int64_t safe_ms, int64_t unsafe_ms)
{
    while (unsafe_ms - safe_ms > 1) {
        int64_t middle = safe_ms + (unsafe_ms - safe_ms) / 2;
        if (is_safe(crossing, middle))
            safe_ms = middle;
        else
            unsafe_ms = middle;
    }
    return unsafe_ms;
}

/* The first instant at which the rule gives less than its `most`. */
static int64_t release_ms(const struct score_now *now, const struct part *part, int64_t end_ms)
{
    int64_t high = end_ms, low = now->now_ms;
    if (part->sum <= part->most)
        return low;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (scaled(part->sum, decay(middle - now->now_ms, now->half_ms)) >= part->most)
            low = middle;
        else
            high = middle;
    }
    return high;
}

/* The releases in order, then the end, when nothing is left. */
static uint32_t stops_find(const struct score_now *now, int64_t *stops)
{
    int64_t  end_ms = now->now_ms + HALVES_MAX * now->half_ms;
    uint32_t count = 0;
    for (uint32_t i = 0; i < now->count; i++) {
        int64_t  at_ms = release_ms(now, &now->parts[i], end_ms);
        uint32_t k = count++;
        for (; k > 0 && stops[k - 1] > at_ms; k--)
            stops[k] = stops[k - 1];
        stops[k] = at_ms;
    }
    stops[count++] = end_ms;
    return count;
}

/* So nearly level beside a number that a millisecond decides nothing: looked at again a little
 * later, for what differs is beyond what the sum can tell. */
static bool is_flat(const struct score_now *now)
{
    __int128 all = 0, net = 0;
    for (uint32_t i = 0; i < now->count; i++) {
        all += least(now->parts[i].sum, now->parts[i].most);
        net += now->parts[i].sum < now->parts[i].most ? now->parts[i].sign * now->parts[i].sum : 0;
    }
    return (net < 0 ? -net : net) < all >> FLAT_BITS;
}

static int64_t turns_ms(const struct crossing *crossing)
{
    const struct score_now *now = crossing->now;
    int64_t                 stops[SEGMENT_SCORE_RULES_MAX + 1], from = now->now_ms;
    __int128                all = 0;
    for (uint32_t i = 0; i < now->count; i++)
        all += now->parts[i].sum;
    if (now->half_ms == 0 || all == 0)
        return TIME_NEVER;
    uint32_t count = stops_find(now, stops);
    for (uint32_t i = 0; i < count; i++) {
        if (stops[i] <= from)
            continue;
        if (is_safe(crossing, stops[i])) {
            from = stops[i];
            continue;
        }
        int64_t turn_ms = first_unsafe(crossing, from, stops[i]);
        int64_t later = now->half_ms >> 12;
        return turn_ms == now->now_ms + 1 && is_flat(now) && later > 1 ? now->now_ms + later
                                                                       : turn_ms;
    }
    return TIME_NEVER;
}

struct verdict segment_eval_score(const struct segment_asking *asking, uint32_t at)
{
    struct score_now now; /* large, and filled as far as it is read */
    score_read(asking, at, &now);
    struct crossing crossing = { &now, &asking->ops[at].compare, score_at(&now, now.now_ms) };
    struct json     value = number_of(micro_of(crossing.sum));
    struct verdict  v = segment_compare_value(asking->facts, crossing.compare, &value);
    v.until_ms = earlier_ms(v.until_ms, earlier_ms(now.until_ms, turns_ms(&crossing)));
    return v;
}

struct json segment_score_value(const struct segment_asking *asking, uint32_t at, int64_t *until_ms)
{
    struct score_now now;
    score_read(asking, at, &now);
    __int128 sum = score_at(&now, now.now_ms);
    *until_ms = now.until_ms;
    if (now.half_ms != 0 && sum != now.fixed)
        *until_ms = earlier_ms(*until_ms, now.now_ms + 1);
    return number_of(micro_of(sum));
}

/* ---- why ---- */

static void write_number(struct buf *out, bool *first, const char *key, __int128 micro)
{
    struct json number = number_of(micro);
    json_write_key(out, first, key);
    json_write(out, &number);
}

/* The newest, each with what it gives by itself. */
static void write_events(const struct segment_asking *asking, const struct segment_score *score,
                         const struct segment_score_rule *rule,
                         const struct segment_match_op *match, struct buf *out, bool *first)
{
    struct segment_span span = { from_ms(asking, score), asking->facts->now_ms };
    struct segment_scan scan;
    struct segment_hit  hit;
    json_write_key(out, first, "events");
    buf_char(out, '[');
    segment_scan_newest(&scan, asking, match, span);
    for (int i = 0; i < EVENTS_SHOWN && segment_scan_take_newest(&scan, &hit); i++) {
        bool     inner = true;
        __int128 points = points_of(score, rule, asking->facts->now_ms - hit.at_ms);
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        json_write_key(out, &inner, "seq");
        buf_int(out, hit.seq);
        json_write_key(out, &inner, "at");
        segment_write_instant(out, hit.at_ms);
        write_number(out, &inner, "gives", micro_of(rule->points_micro < 0 ? -points : points));
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void write_rule(const struct segment_asking *asking, const struct segment_score *score,
                       uint32_t i, uint32_t op, struct buf *out)
{
    const struct segment_score_rule *rule = &score->rules[i];
    bool                             first = true;
    buf_str(out, i == 0 ? STR("{") : STR(",{"));
    json_write_key(out, &first, "rule");
    json_write_str(out, rule->text);
    write_number(out, &first, "points", rule->points_micro);
    if (!rule->is_event) {
        bool holds = segment_eval_op(asking, op).holds;
        json_write_key(out, &first, "holds");
        buf_str(out, holds ? STR("true") : STR("false"));
        write_number(out, &first, "gives", holds ? rule->points_micro : 0);
    } else {
        const struct segment_match_op *match = &asking->ops[op].match;
        uint32_t                       events;
        struct part                    part = part_of(asking, score, rule, match, &events);
        if (rule->most_micro > 0)
            write_number(out, &first, "most", rule->most_micro);
        write_number(out, &first, "gives", micro_of(part.sign * least(part.sum, part.most)));
        json_write_key(out, &first, "count");
        buf_int(out, events);
        write_events(asking, score, rule, match, out, &first);
    }
    buf_char(out, '}');
}

void segment_score_explain(const struct segment_asking *asking, uint32_t at, struct buf *out,
                           bool *first)
{
    const struct segment_score *score = asking->ops[at].score;
    int64_t                     until_ms;
    struct json                 value = segment_score_value(asking, at, &until_ms);
    uint32_t                    op = at + 1;
    json_write_key(out, first, "value");
    json_write(out, &value);
    json_write_key(out, first, "half_life_ms");
    buf_int(out, score->half_life_ms);
    json_write_key(out, first, "rules");
    buf_char(out, '[');
    for (uint32_t i = 0; i < score->count; i++, op = asking->ops[op].next)
        write_rule(asking, score, i, op, out);
    buf_char(out, ']');
}
