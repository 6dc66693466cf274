/* What a rehearsal answers. */
#include "base/time.h"
#include "run/api/rehearsing.h"

/* ---- who they are ---- */

struct naming {
    struct call *call;
    uint32_t     people[ASK_NAMES];
    struct str   users[ASK_NAMES]; /* empty: none has one */
    uint32_t     count;
    enum err     err;
};

static struct str user_of(const struct engine *engine, uint32_t person)
{
    const struct people *people = engine_people(engine);
    uint32_t             member = person, at;
    enum identity_kind   kind;
    struct str           text;
    if (people_is_nobody(people, person))
        return STR_NONE;
    do {
        at = PROFILE_NONE;
        while (people_identity(people, member, &at, &kind, &text))
            if (kind == IDENTITY_USER)
                return text;
        member = people_get(people, member)->next;
    } while (member != person);
    return STR_NONE;
}

static bool naming_ask(struct engine *engine, struct task *task)
{
    struct naming *naming = task->context;
    naming->err = OK;
    for (uint32_t i = 0; i < naming->count; i++) {
        naming->users[i] = str_copy(naming->call->arena, user_of(engine, naming->people[i]));
        if (naming->users[i].ptr == NULL)
            naming->err = ERR_MEMORY;
    }
    return true;
}

static enum err name(struct naming *naming)
{
    TRY(call_ask(naming->call, naming_ask, naming));
    return naming->err;
}

static void person_write(struct buf *out, bool *first, uint32_t person, struct str user)
{
    write_person(out, first, "id", person);
    if (user.len > 0)
        write_text(out, first, "userId", user);
}

/* ---- counts ---- */

static void reasons_write(struct buf *out, bool *first, const char *key, const char *what,
                          const struct rehearse_reasons *reasons)
{
    if (reasons->count == 0)
        return;
    json_write_key(out, first, key);
    buf_char(out, '[');
    for (uint32_t i = 0; i < reasons->count; i++) {
        bool inner = true;
        buf_str(out, i == 0 ? STR("{") : STR(",{"));
        write_text(out, &inner, what, reasons->items[i].text);
        write_int(out, &inner, "count", (int64_t)reasons->items[i].count);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void node_write(struct buf *out, const struct rehearse_node *node)
{
    bool first = true;
    buf_char(out, '{');
    write_text(out, &first, "id", node->id);
    write_text(out, &first, "kind", str_of(node->kind));
    if (node->template.len > 0)
        write_text(out, &first, "template", node->template);
    write_int(out, &first, "arrived", (int64_t)node->arrived);
    write_int(out, &first, "waiting", (int64_t)node->waiting);
    reasons_write(out, &first, "took", "way", &node->took);
    if (node->template.len > 0) {
        write_int(out, &first, "sent", (int64_t)node->sent);
        write_int(out, &first, "queued", (int64_t)node->queued);
    }
    reasons_write(out, &first, "held", "reason", &node->held);
    reasons_write(out, &first, "delayed", "reason", &node->delayed);
    buf_char(out, '}');
}

static void days_write(struct buf *out, bool *first, const struct rehearse_result *result,
                       const struct rehearse_journey *journey)
{
    char date[TIME_TEXT_BYTES];
    bool any = false;
    json_write_key(out, first, "days");
    buf_char(out, '[');
    for (uint32_t i = 0; i < result->days; i++) {
        bool inner = true;
        if (journey->entered_on[i] == 0 && journey->sent_on[i] == 0)
            continue;
        buf_str(out, any ? STR(",{") : STR("{"));
        any = true;
        time_write(result->day_ms + i * TIME_DAY_MS, date);
        write_text(out, &inner, "day", str_slice(str_of(date), 0, 10));
        write_int(out, &inner, "entered", journey->entered_on[i]);
        write_int(out, &inner, "sent", journey->sent_on[i]);
        buf_char(out, '}');
    }
    buf_char(out, ']');
}

static void sample_write(struct buf *out, const struct rehearse_journey *journey,
                         const struct rehearse_sample *one, struct str user)
{
    bool first = true;
    buf_char(out, '{');
    person_write(out, &first, one->person, user);
    write_time(out, &first, "entered", one->entered_ms);
    if (one->node < journey->nodes_count)
        write_text(out, &first, "node", journey->nodes[one->node].id);
    if (one->ended.len > 0)
        write_text(out, &first, "ended", one->ended);
    write_int(out, &first, "sent", one->sent);
    buf_char(out, '}');
}

static enum err samples_write(struct call *call, bool *first,
                              const struct rehearse_journey *journey)
{
    json_write_key(&call->out, first, "sample");
    buf_char(&call->out, '[');
    for (uint32_t from = 0; from < journey->sample_count; from += ASK_NAMES) {
        struct naming naming = { .call = call };
        for (uint32_t i = from; i < journey->sample_count && naming.count < ASK_NAMES; i++)
            naming.people[naming.count++] = journey->sample[i].person;
        TRY(name(&naming));
        for (uint32_t i = 0; i < naming.count; i++) {
            if (from + i > 0)
                buf_char(&call->out, ',');
            sample_write(&call->out, journey, &journey->sample[from + i], naming.users[i]);
        }
    }
    buf_char(&call->out, ']');
    return OK;
}

static enum err journey_write(struct call *call, const struct rehearse_result *result,
                              const struct rehearse_journey *journey)
{
    struct buf *out = &call->out;
    bool        first = true;
    buf_char(out, '{');
    write_text(out, &first, "journey", journey->name);
    write_int(out, &first, "people", (int64_t)journey->people);
    write_int(out, &first, "entries", (int64_t)journey->entries);
    write_int(out, &first, "inside", (int64_t)journey->inside);
    write_int(out, &first, "sent", (int64_t)journey->sent);
    write_int(out, &first, "held", (int64_t)journey->held);
    write_int(out, &first, "goals", (int64_t)journey->goals);
    if (journey->goals_held_out > 0)
        write_int(out, &first, "goals_held_out", (int64_t)journey->goals_held_out);
    reasons_write(out, &first, "not_entered", "reason", &journey->refused);
    reasons_write(out, &first, "ended", "reason", &journey->ended);
    json_write_key(out, &first, "nodes");
    buf_char(out, '[');
    for (uint16_t i = 0; i < journey->nodes_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        node_write(out, &journey->nodes[i]);
    }
    buf_char(out, ']');
    days_write(out, &first, result, journey);
    TRY(samples_write(call, &first, journey));
    buf_char(out, '}');
    return OK;
}

static enum err counts_write(struct rehearsing *r, bool *first)
{
    const struct rehearse_result *result = &r->result;
    struct buf                   *out = &r->ask.call->out;
    write_int(out, first, "looked_at", (int64_t)result->people);
    write_int(out, first, "events", (int64_t)result->events);
    write_int(out, first, "steps", (int64_t)result->steps);
    if (result->given_up > 0)
        write_int(out, first, "given_up", (int64_t)result->given_up);
    json_write_key(out, first, "journeys");
    buf_char(out, '[');
    for (uint32_t i = 0; i < result->journeys_count; i++) {
        if (i > 0)
            buf_char(out, ',');
        TRY(journey_write(r->ask.call, result, &result->journeys[i]));
    }
    buf_char(out, ']');
    return OK;
}

/* ---- one person ---- */

static void line_write(struct rehearsing *r, const struct rehearse_line *line)
{
    struct buf *out = &r->ask.call->out;
    bool        first = true;
    bool        is_step = line->kind == DECISION_STEP;
    buf_char(out, '{');
    write_time(out, &first, "at", line->at_ms);
    write_text(out, &first, "what", str_of(decision_name(line->kind)));
    write_text(out, &first, "journey", r->result.journeys[line->journey].name);
    if (line->node.len > 0)
        write_text(out, &first, "node", line->node);
    if (line->template.len > 0)
        write_text(out, &first, "template", line->template);
    if (line->text.len > 0)
        write_text(out, &first, is_step ? "took" : "reason", line->text);
    if (line->due_ms != TIME_NEVER)
        write_time(out, &first, "until", line->due_ms);
    buf_char(out, '}');
}

static enum err path_write(struct rehearsing *r, bool *first)
{
    struct call  *call = r->ask.call;
    struct naming naming = { .call = call, .count = 1 };
    bool          inner = true;
    naming.people[0] = r->ask.view->root[r->person];
    TRY(name(&naming));
    json_write_key(&call->out, first, "person");
    buf_char(&call->out, '{');
    person_write(&call->out, &inner, naming.people[0], naming.users[0]);
    write_int(&call->out, &inner, "events", r->path.events);
    json_write_key(&call->out, &inner, "path");
    buf_char(&call->out, '[');
    for (uint32_t i = 0; i < r->path.count; i++) {
        if (i > 0)
            buf_char(&call->out, ',');
        line_write(r, &r->path.items[i]);
    }
    buf_str(&call->out, STR("]}"));
    return OK;
}

static void assumptions_write(struct buf *out, bool *first)
{
    static const char *const all[] = {
        "Nobody opens or clicks what was never sent; opens and clicks that happened count.",
        "A message is sent at the instant at which it may go, and arrives.",
        "People are who they are known to be today.",
        "Nobody was in the journeys before the window.",
        "Codes never run out, webhooks answer nothing, and sending is on.",
    };
    json_write_key(out, first, "assumes");
    buf_char(out, '[');
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (i > 0)
            buf_char(out, ',');
        json_write_str(out, str_of(all[i]));
    }
    buf_char(out, ']');
}

enum err rehearsing_answer(struct rehearsing *r)
{
    struct buf *out = &r->ask.call->out;
    bool        first = true;
    buf_char(out, '{');
    write_int(out, &first, "seq", r->ask.view->seq);
    write_time(out, &first, "from", r->conf.from_ms);
    write_time(out, &first, "to", r->conf.to_ms);
    TRY(r->who.len > 0 ? path_write(r, &first) : counts_write(r, &first));
    assumptions_write(out, &first);
    buf_char(out, '}');
    return OK;
}
