#include "engine/journey/next.h"

#include "base/time.h"
#include "engine/inside.h"
#include "engine/journey/choosing.h"
#include "engine/segment/segment_key.h"

struct next {
    struct step             *step; /* nothing is decided in it */
    const struct journey    *journey;
    const struct enrollment *e;
    const struct zone       *zone;
    struct buf              *out;
};

static void text_write(struct next *next, bool *first, const char *key, struct str text)
{
    if (str_is_empty(text))
        return;
    json_write_key(next->out, first, key);
    json_write_str(next->out, text);
}

static void instant_write(struct next *next, bool *first, const char *key, int64_t at_ms)
{
    char text[TIME_TEXT_BYTES];
    text_write(next, first, key, str_of(time_write(at_ms, text)));
}

/* As the person's clock shows it, to the minute. */
static void local_write(struct next *next, bool *first, const char *key, int64_t at_ms)
{
    char    text[TIME_TEXT_BYTES];
    int64_t local_ms = at_ms + (next->zone == NULL ? 0 : zone_offset_ms(next->zone, at_ms));
    time_write(local_ms, text);
    text[10] = ' ';
    text_write(next, first, key, (struct str){ text, 16 });
}

static void condition_write(struct next *next, bool *first, const char *key,
                            const struct condition *condition)
{
    SCOPED(buf_donep) struct buf text = buf_make(SEGMENT_TEXT_BYTES_MAX);
    if (condition->tree == NULL)
        return;
    segment_write(&text, condition->tree);
    if (buf_err(&text) == ERR_MEMORY)
        next->out->err = ERR_MEMORY;
    text_write(next, first, key, buf_view(&text));
}

/* ---- a message that is not there yet ---- */

static struct str why_not(struct next *next, const struct message *message,
                          const struct template_def *template)
{
    const struct engine *engine = next->step->engine;
    uint32_t             person = next->step->person;
    char                 bytes[REACH_BYTES_MAX];
    struct str           address = STR_NONE;
    if (template->version == 0)
        return STR("the template was deleted");
    struct str why = consent_why_not(engine, person, message, template->channel);
    if (str_is_empty(why))
        why = reach_address(engine, person, template->channel, bytes, &address);
    const struct suppression *known =
        str_is_empty(why) ? engine_suppression(engine, address) : NULL;
    return known != NULL ? suppression_why(known->reason) : why;
}

/* Of quiet hours those at the instant at which it would be queued. */
static int64_t quiet_until_ms(const struct next *next, const struct template_def *template,
                              int64_t            at_ms)
{
    const struct limits_def *def = &next->step->engine->program->limits;
    if (def->quiet_count == 0 || template->transactional ||
        !channel_is_to_person(template->channel))
        return at_ms;
    return limits_quiet_until_ms(def, template->channel, next->zone, at_ms);
}

static void held_write(struct next *next, bool *first, int64_t until_ms, struct str why)
{
    instant_write(next, first, "not_before", until_ms);
    local_write(next, first, "not_before_local", until_ms);
    text_write(next, first, "held_by", why);
}

static struct message message_of(const struct next *next, struct str template)
{
    const struct program *program = next->step->engine->program;
    uint32_t              number = program_template(program, template);
    return (struct message){ .enrollment = next->e->id,
                             .due_ms = next->step->at_ms,
                             .state = MESSAGE_QUEUED,
                             .template_id = number,
                             .journey = next->e->journey,
                             .trigger_seq = next->e->trigger_seq,
                             .topic = program_template_at(program, number)->topic };
}

/* Of several templates the first that would go, else the first. */
static struct message message_choose(const struct next *next, const struct node *node, bool *goes)
{
    struct engine *engine = next->step->engine;
    for (uint16_t i = 0; i < node->templates_count; i++) {
        struct message one = message_of(next, node->templates[i]);
        *goes = outbox_would_go(engine, next->step->person, &one);
        if (*goes)
            return one;
    }
    *goes = false;
    return message_of(next, node->template);
}

static void message_write(struct next *next, bool *first, const struct node *node, int64_t at_ms)
{
    struct engine *engine = next->step->engine;
    uint32_t       person = next->step->person;
    bool           goes;
    struct message message = message_choose(next, node, &goes);
    const struct template_def *template = program_template_at(engine->program, message.template_id);
    char        bytes[LIMITS_WHY_BYTES_MAX];
    struct hold hold = { .until_ms = engine->now_ms };
    int64_t     quiet_ms = quiet_until_ms(next, template, at_ms);
    /* What they will have had by then is not known: only of what goes now is it asked. */
    if (goes && at_ms <= engine->now_ms)
        hold = holding_look(engine, person, &message, bytes);
    text_write(next, first, "template",
               program_name(engine->program, NAME_TEMPLATE, message.template_id));
    text_write(next, first, "channel", channel_name(template->channel));
    json_write_key(next->out, first, "goes");
    buf_str(next->out, goes && !hold.is_over ? STR("true") : STR("false"));
    if (!goes)
        text_write(next, first, "why_not", why_not(next, &message, template));
    else if (hold.is_over)
        text_write(next, first, "why_not", hold.why);
    else if (quiet_ms > at_ms)
        held_write(next, first, quiet_ms, HOLDING_WHY_QUIET);
    else if (hold.until_ms > at_ms && !str_eq(hold.why, HOLDING_WHY_QUIET))
        held_write(next, first, hold.until_ms,
                   hold.is_behind ? STR("one of higher priority goes first") : hold.why);
}

/* ---- the nodes of a way ---- */

static struct str word_of(const struct node *node)
{
    static const char *const words[] = {
        [NODE_MESSAGE] = "message",
        [NODE_WAIT] = "wait",
        [NODE_WAIT_UNTIL] = "wait_until",
        [NODE_WAIT_FOR] = "wait_for",
        [NODE_SPLIT] = "split",
        [NODE_EXIT] = "exit",
        [NODE_SET] = "set",
        [NODE_RECORD] = "record",
        [NODE_LIST] = "join_list",
        [NODE_CONSENT] = "consent",
        [NODE_START] = "start_journey",
    };
    if (node->kind == NODE_LIST && node->change.leaves)
        return STR("leave_list");
    return node->kind == NODE_SPLIT && node->is_experiment ? STR("variants")
                                                           : str_of(words[node->kind]);
}

/* Why it is taken, where a winner was ever chosen. */
static void choosing_write(struct next *next, bool *first, const struct choosing *choosing)
{
    bool inner = true;
    if (choosing->branch == NULL)
        return;
    if (choosing->choice == NULL) {
        text_write(next, first, "because", STR("it was taken before"));
        return;
    }
    text_write(next, first, "because", STR("it was chosen"));
    json_write_key(next->out, first, "chosen");
    buf_char(next->out, '{');
    text_write(next, &inner, "how", str_of(winner_how_word(choosing->choice->how)));
    instant_write(next, &inner, "at", choosing->choice->at_ms);
    buf_char(next->out, '}');
}

static const struct branch *branch_now(struct next *next, const struct node *node)
{
    const struct branch *branches = &next->journey->branches[node->branches];
    uint32_t chance = branches[0].share > 0 ? journey_chance(next->step, next->journey, node) : 0;
    for (uint16_t i = 0; i < node->branches_count; i++)
        if (branches[i].share > 0 ? chance < branches[i].share
                                  : journey_ask(next->step, &branches[i].when, next->e).holds)
            return &branches[i];
    return NULL;
}

/* Where it goes on at once, or JOURNEY_STAYS. */
static uint16_t node_write(struct next *next, const struct node *node, int64_t at_ms)
{
    char                 length[TIME_TEXT_BYTES];
    const struct branch *branch = NULL;
    bool                 first = true;
    uint16_t             on = node->next;
    buf_char(next->out, '{');
    text_write(next, &first, "node", node->id);
    text_write(next, &first, "does", word_of(node));
    if (node->kind == NODE_MESSAGE)
        message_write(next, &first, node, at_ms);
    if (node->wait_ms > 0)
        text_write(next, &first, node->kind == NODE_WAIT ? "length" : "within",
                   str_of(time_length_write(node->wait_ms, length, sizeof length)));
    if (node->kind == NODE_WAIT_FOR)
        condition_write(next, &first, "for", &next->journey->branches[node->branches].when);
    text_write(next, &first, "name", node->change.name);
    if (node->kind == NODE_SPLIT) {
        const struct choosing choosing = choosing_of(next->step, next->journey, next->e, node);
        branch = choosing.branch != NULL ? choosing.branch : branch_now(next, node);
        on = branch != NULL ? branch->next : node->otherwise;
        text_write(next, &first, "takes", branch != NULL ? branch->name : node->otherwise_name);
        choosing_write(next, &first, &choosing);
    }
    buf_char(next->out, '}');
    bool waits = node->kind == NODE_WAIT || node->kind == NODE_WAIT_UNTIL ||
                 node->kind == NODE_WAIT_FOR || (node->kind == NODE_MESSAGE && node->wait_ms > 0);
    return waits ? JOURNEY_STAYS : node->kind == NODE_EXIT ? JOURNEY_END : on;
}

static void then_write(struct next *next, bool *first, uint16_t at, int64_t at_ms)
{
    json_write_key(next->out, first, "then");
    buf_char(next->out, '[');
    for (int i = 0; i < NEXT_STEPS_MAX && at != JOURNEY_STAYS; i++) {
        if (i > 0)
            buf_char(next->out, ',');
        if (at >= next->journey->nodes_count) {
            buf_str(next->out, STR("{\"does\":\"end\"}"));
            break;
        }
        const struct node *node = &next->journey->nodes[at];
        at = node_write(next, node, at_ms);
        if (node->kind == NODE_EXIT)
            break;
    }
    buf_char(next->out, ']');
}

/* ---- where somebody stands ---- */

static void way_open(struct next *next, struct str way, struct str when, bool *first)
{
    *first = true;
    buf_char(next->out, '{');
    text_write(next, first, "way", way);
    text_write(next, first, "when", when);
}

static void way_in_time(struct next *next, struct str way, struct str when, uint16_t to)
{
    bool first;
    way_open(next, way, when, &first);
    instant_write(next, &first, "at", next->e->due_ms);
    then_write(next, &first, to, next->e->due_ms);
    buf_char(next->out, '}');
}

/* Whatever comes before its time would come now, for all that is known. */
static void ways_write(struct next *next, const struct node *node)
{
    int64_t now_ms = next->step->at_ms;
    bool    first;
    if (node->kind == NODE_WAIT_FOR) {
        const struct branch *branch = &next->journey->branches[node->branches];
        way_open(next, branch->name, STR_NONE, &first);
        condition_write(next, &first, "when", &branch->when);
        then_write(next, &first, branch->next, now_ms);
        buf_str(next->out, STR("},"));
        way_in_time(next, node->otherwise_name, STR("the time is over"), node->otherwise);
        return;
    }
    if (node->kind == NODE_MESSAGE) {
        way_open(next, STR_NONE, STR("it is known what became of the message"), &first);
        then_write(next, &first, node->next, now_ms);
        buf_str(next->out, STR("},"));
    }
    way_in_time(next, STR_NONE, STR("the time is over"), node->next);
}

static struct str waits_for(const struct node *node)
{
    switch (node->kind) {
    case NODE_WAIT:
        return STR("a length of time");
    case NODE_WAIT_UNTIL:
        return STR("a time or date");
    case NODE_WAIT_FOR:
        return node->is_event ? STR("an event") : STR("a condition");
    case NODE_MESSAGE:
        return STR("what becomes of the message");
    default:
        return STR_NONE;
    }
}

/* By what they are inside: what the event that began it said. */
static void key_write(struct next *next, bool *first)
{
    const struct facts *facts = &next->step->known.facts;
    struct json         value;
    char                bytes[32];
    for (uint32_t r = 0; r < facts->runs_count && next->e->key != 0; r++)
        for (uint32_t i = facts->runs[r].count; i > 0; i--) {
            const struct run *run = &facts->runs[r];
            if (run->seq[i - 1] != next->e->trigger_seq || run->name[i - 1] <= OWN_CONTEXT)
                continue;
            if (bag_find(bag_at(facts->bags, run->bag[i - 1]), next->journey->trigger.key, &value))
                text_write(next, first, "key", segment_key_text(&value, bytes));
            return;
        }
}

static void inside_write(struct next *next)
{
    const struct enrollment *e = next->e;
    const struct journey    *journey = next->journey;
    bool                     first = true;
    buf_char(next->out, '{');
    json_write_key(next->out, &first, "enrollment");
    buf_int(next->out, (int64_t)e->id);
    instant_write(next, &first, "entered", e->entered_ms);
    if (journey != NULL && !str_is_empty(journey->trigger.key_name))
        key_write(next, &first);
    if (journey != NULL && e->visit > 0 && e->node < journey->nodes_count &&
        e->due_ms != TIME_NEVER) {
        const struct node *node = &journey->nodes[e->node];
        text_write(next, &first, "node", node->id);
        text_write(next, &first, "waits_for", waits_for(node));
        instant_write(next, &first, "until", e->due_ms);
        local_write(next, &first, "until_local", e->due_ms);
        json_write_key(next->out, &first, "ways");
        buf_char(next->out, '[');
        ways_write(next, node);
        buf_char(next->out, ']');
    }
    if (journey != NULL) {
        condition_write(next, &first, "left_when", &journey->exit_when);
        if (journey->is_audience_kept)
            condition_write(next, &first, "stays_while", &journey->audience);
        int64_t goal_ms = goal_until_ms(journey, e->entered_ms);
        if (!e->has_goal && !journey->goal.stays && goal_ms > next->step->at_ms) {
            condition_write(next, &first, "goal", &journey->goal.condition);
            instant_write(next, &first, "goal_until", goal_ms);
        }
    }
    buf_char(next->out, '}');
}

void next_write(struct engine *engine, uint32_t person, uint32_t journey, struct buf *out)
{
    const struct state *state = people_state_get(engine->people, person);
    struct step         step = { .engine = engine,
                                 .person = people_root(engine->people, person),
                                 .at_ms = engine->now_ms,
                                 .own_heard = engine->own_count };
    struct next         next = { .step = &step, .out = out };
    bool                any = false;
    known_make(&step.known, engine, step.person, step.at_ms);
    if (step_is_machine(&step.known.facts)) {
        buf_str(out, STR("[]"));
        return;
    }
    next.zone = person_zone(engine, step.person);
    buf_char(out, '[');
    for (uint32_t i = 0; i < state->rare->enrollments.count; i++) {
        next.e = &state->rare->enrollments.items[i];
        if (next.e->journey != journey || !enrollment_is_inside(next.e))
            continue;
        const struct journey_version *version = journey_version_of(&step, next.e);
        next.journey = version == NULL ? NULL : &version->journey;
        if (any)
            buf_char(out, ',');
        any = true;
        inside_write(&next);
    }
    buf_char(out, ']');
}
