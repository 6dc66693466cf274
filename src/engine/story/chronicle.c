#include "engine/story/chronicle.h"

#include "base/time.h"
#include "engine/consent.h"

static struct str name_of(const struct stage *stage, enum name_kind kind, uint64_t number)
{
    return program_name(engine_program(stage->engine), kind, (uint32_t)number);
}

/* The decision that a later one names. */
static const struct decision *decision_of(const struct stage *stage, uint64_t id)
{
    for (size_t i = stage->out.decisions_count; i > 0; i--)
        if (stage->out.decisions[i - 1].id == id)
            return &stage->out.decisions[i - 1];
    return NULL;
}

static void key_say(struct buf *out, const struct decision *d)
{
    if (d->key.len > 0)
        buf_format(out, " by %.*s", STR_ARG(d->key));
}

static void reason_say(struct buf *out, const struct decision *d)
{
    if (d->text.len > 0)
        buf_format(out, ": %.*s", STR_ARG(d->text));
}

static void message_say(const struct stage *stage, const struct decision *d, const char *word,
                        struct buf *out)
{
    const struct decision *intent = d->kind == DECISION_INTENT ? d : decision_of(stage, d->subject);
    struct str template = intent == NULL ? STR_NONE : name_of(stage, NAME_TEMPLATE, intent->other);
    buf_format(out, "message %.*s %s", STR_ARG(template), word);
    if (d->kind != DECISION_INTENT)
        reason_say(out, d);
}

/* False: nothing that people would ask about. */
static bool say(const struct stage *stage, const struct decision *d, struct buf *out)
{
    char due[TIME_TEXT_BYTES];
    switch (d->kind) {
    case DECISION_ENTERED:
        buf_format(out, "enters segment %.*s", STR_ARG(name_of(stage, NAME_SEGMENT, d->subject)));
        return true;
    case DECISION_LEFT:
        buf_format(out, "leaves segment %.*s", STR_ARG(name_of(stage, NAME_SEGMENT, d->subject)));
        return true;
    case DECISION_JOINED:
        buf_format(out, "joins list %.*s", STR_ARG(name_of(stage, NAME_LIST, d->subject)));
        return true;
    case DECISION_DEPARTED:
        buf_format(out, "leaves list %.*s", STR_ARG(name_of(stage, NAME_LIST, d->subject)));
        return true;
    case DECISION_CONSENT:
        buf_format(out, "consent to %.*s: %.*s", STR_ARG(name_of(stage, NAME_TOPIC, d->subject)),
                   STR_ARG(consent_word((enum consent_state)d->object)));
        return true;
    case DECISION_ENROLLED:
        buf_format(out, "enters journey %.*s", STR_ARG(name_of(stage, NAME_JOURNEY, d->subject)));
        key_say(out, d);
        reason_say(out, d);
        return true;
    case DECISION_HELD_OUT:
        buf_format(out, "is held out of %s %.*s",
                   broadcast_is_key(d->subject) ? "broadcast" : "journey",
                   STR_ARG(broadcast_is_key(d->subject)
                               ? name_of(stage, NAME_BROADCAST, broadcast_of_key(d->subject))
                               : name_of(stage, NAME_JOURNEY, d->subject)));
        return true;
    case DECISION_GOAL:
        buf_format(out, "reaches the goal of journey %.*s",
                   STR_ARG(name_of(stage, NAME_JOURNEY, d->journey)));
        return true;
    case DECISION_NOT_ENROLLED:
        buf_format(out, "does not enter journey %.*s",
                   STR_ARG(name_of(stage, NAME_JOURNEY, d->subject)));
        key_say(out, d);
        reason_say(out, d);
        return true;
    case DECISION_STEP:
        buf_format(out, "journey %.*s: %.*s", STR_ARG(name_of(stage, NAME_JOURNEY, d->journey)),
                   STR_ARG(d->node));
        if (d->text.len > 0)
            buf_format(out, " (%.*s)", STR_ARG(d->text));
        if (d->due_ms != TIME_NEVER)
            buf_format(out, " until %.16s", time_write(d->due_ms, due));
        return true;
    case DECISION_MOVED:
        buf_format(out, "goes on by a new version of journey %.*s at %.*s",
                   STR_ARG(name_of(stage, NAME_JOURNEY, d->journey)), STR_ARG(d->node));
        return true;
    case DECISION_ENDED:
        buf_format(out, "leaves journey %.*s", STR_ARG(name_of(stage, NAME_JOURNEY, d->journey)));
        reason_say(out, d);
        return true;
    case DECISION_INTENT:
        message_say(stage, d, "queued", out);
        return true;
    case DECISION_SENT:
        message_say(stage, d, "sent", out);
        return true;
    case DECISION_DROPPED:
        message_say(stage, d, "not sent", out);
        return true;
    case DECISION_WAITING:
        message_say(stage, d, "waits", out);
        if (d->due_ms != TIME_NEVER)
            buf_format(out, ", until %.16s", time_write(d->due_ms, due));
        return true;
    case DECISION_PARKED:
        buf_str(out, STR("too much followed from one thing; the rest was left"));
        return true;
    default:
        return false;
    }
}

void chronicle_write(const struct stage *stage, uint32_t person, uint32_t most, struct buf *out)
{
    const struct people *people = engine_people(stage->engine);
    size_t               from = stage->out.decisions_count;
    uint32_t             lines = 0;
    for (; from > 0 && lines < most; from--) {
        size_t                 len = out->len;
        const struct decision *d = &stage->out.decisions[from - 1];
        if (people_root(people, d->profile) == people_root(people, person))
            lines += say(stage, d, out);
        out->len = len; /* only counted */
    }
    for (size_t i = from; i < stage->out.decisions_count; i++) {
        const struct decision *d = &stage->out.decisions[i];
        size_t                 len = out->len;
        char                   at[TIME_TEXT_BYTES];
        if (people_root(people, d->profile) != people_root(people, person))
            continue;
        buf_format(out, "        %.16s  ", time_write(d->at_ms, at));
        if (say(stage, d, out))
            buf_char(out, '\n');
        else
            out->len = len;
    }
}
