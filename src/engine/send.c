#include "engine/send.h"

#include "engine/inside.h"
#include "engine/reach.h"

/* The person of a bare address. */
static enum err who_address(struct engine *engine, const struct record *record, struct out *out,
                            struct str address, struct who *who)
{
    char       bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str plain;
    TRY(suppression_address(address, bytes, &plain));
    struct str text =
        str_format(out->arena, "%.*s%.*s", STR_ARG(SEND_ADDRESS_PREFIX), STR_ARG(plain));
    return text.ptr == NULL ? ERR_MEMORY
                            : who_of(engine, record, out, IDENTITY_EXTERNAL, text, who);
}

static enum err who_asked(struct engine *engine, const struct record *record, struct out *out,
                          struct str to, struct who *who)
{
    if (str_is_empty(record->user_id))
        return who_address(engine, record, out, to, who);
    uint32_t known = engine_find(engine, record->user_id);
    if (known == PROFILE_NONE)
        return who_of(engine, record, out, IDENTITY_USER, record->user_id, who);
    *who = (struct who){ .profile = known, .also = PROFILE_NONE };
    return OK;
}

/* An address of the template's channel. */
static enum err to_check(const struct template_def *template, struct str to,
                         struct problem *problem)
{
    char       bytes[SUPPRESSION_ADDRESS_BYTES_MAX];
    struct str plain;
    if (str_is_empty(to))
        return OK;
    if (template->channel != CHANNEL_EMAIL && template->channel != CHANNEL_SMS)
        return problem_set(problem, ERR_INPUT, "to", "What goes by this channel takes no `to`.",
                           "Leave it out: the person or the template says where it goes.");
    bool good = suppression_address(to, bytes, &plain) == OK;
    if (template->channel == CHANNEL_SMS)
        return good && plain.ptr[0] == '+'
                   ? OK
                   : problem_set(problem, ERR_INPUT, "to", "This is no number to text.",
                                 "Write it as +4791234567.");
    if (good && str_find_char(plain, 0, '@') < plain.len)
        return OK;
    return problem_format(problem, ERR_INPUT, "to", "Write it as ada@shop.example.",
                          "\"%.*s\" is no e-mail address.", STR_ARG(to));
}

/* Somebody known who has an address. */
static enum err person_check(struct engine *engine, const struct record          *record,
                             const struct template_def *template, struct problem *problem)
{
    char       bytes[REACH_BYTES_MAX];
    struct str address;
    uint32_t   known = engine_find(engine, record->user_id);
    if (known == PROFILE_NONE)
        return problem_format(problem, ERR_ABSENT, "person",
                              "Tell who it is by an identify call first, or give `to`.",
                              "Nobody is known as \"%.*s\".", STR_ARG(record->user_id));
    struct str why = reach_address(engine, people_root(engine->people, known), template->channel,
                                   bytes, &address);
    return str_is_empty(why)
               ? OK
               : problem_format(problem, ERR_INPUT, "person",
                                "Give `to`, or tell the address by an identify call.",
                                "This person cannot be written to: %.*s.", STR_ARG(why));
}

/* Nobody's consent is known of a bare address, and one by another channel could be claimed by an
 * external id. */
static enum err bare_check(const struct template_def *template, struct str to,
                           struct problem *problem)
{
    if (str_is_empty(to))
        return problem_set(problem, ERR_INPUT, "person", "The message is for nobody.",
                           "Give `person`, or `to` with an address, or both.");
    if (!template->transactional)
        return problem_set(problem, ERR_INPUT, "person",
                           "This template is not transactional, and of a bare address no consent "
                           "is known.",
                           "Give `person`, or write \"transactional: yes\" into the template.");
    return template->channel == CHANNEL_EMAIL
               ? OK
               : problem_set(problem, ERR_INPUT, "person", "Only e-mail goes to a bare address.",
                             "Give `person`, too.");
}

/* Everything is looked at before anything is changed. */
static enum err asked_check(struct engine *engine, const struct record     *record,
                            const struct template_def *template, struct str to,
                            struct problem *problem)
{
    if (template->version == 0)
        return problem_format(problem, ERR_ABSENT, "template", "`dult show templates` lists them.",
                              "There is no template \"%.*s\".", STR_ARG(record->body));
    if (record->user_id.len > IDENTITY_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, "person", "The id is longer than 512 bytes.",
                           "Use the id under which your own database knows the person.");
    TRY(to_check(template, to, problem));
    if (str_is_empty(record->user_id))
        return bare_check(template, to, problem);
    return str_is_empty(to) ? person_check(engine, record, template, problem) : OK;
}

static enum err intent_decide(struct engine *engine, struct out *out, uint32_t person,
                              uint32_t number, uint32_t request)
{
    const struct template_def *template = program_template_at(engine->program, number);
    out->intents++;
    out->message = engine->next_decision;
    return decide(engine, out,
                  (struct decision){ .kind = DECISION_INTENT,
                                     .profile = person,
                                     .at_ms = engine->now_ms,
                                     .other = number,
                                     .topic = template->topic,
                                     .is_asked = true,
                                     .channel = template->channel,
                                     .journey = JOURNEY_NONE,
                                     .event = request });
}

enum err apply_send(struct engine *engine, const struct record *record, struct out *out,
                    struct problem *problem)
{
    struct timeline_event event = { .at_ms = record->at_ms };
    struct str            to = json_get_str(record->properties, STR("to"));
    uint32_t              number = program_template(engine->program, record->body);
    struct who            who;
    bool                  added;
    TRY(asked_check(engine, record, program_template_at(engine->program, number), to, problem));
    TRY(who_asked(engine, record, out, to, &who));
    out->profile = event.profile = who.profile;
    TRY(wakes_before(engine, out, who.profile, record->received_ms));
    event.seq = (uint32_t)engine->number;
    TRY(event_put(engine, RECORD_MESSAGE, &event, record->name, record->properties, &added));
    TRY(event_follow(engine, record, out, &event, added, who.fresh));
    return intent_decide(engine, out, people_root(engine->people, who.profile), number, event.seq);
}

/* ---- where it goes ---- */

/* The request among the person's events: its bag. */
static bool request_find(const struct known *known, uint32_t seq, struct bag *out)
{
    for (uint32_t r = 0; r < known->facts.runs_count; r++) {
        const struct run *run = &known->facts.runs[r];
        for (uint32_t i = run->count; i > 0; i--)
            if (run->seq[i - 1] == seq && run->name[i - 1] == OWN_MESSAGE_REQUESTED) {
                *out = bag_at(known->facts.bags, run->bag[i - 1]);
                return true;
            }
    }
    return false;
}

struct str send_address(const struct engine *engine, uint32_t person, const struct message *message,
                        enum consent_channel channel, char *bytes, struct str *address)
{
    struct known known;
    struct bag   bag;
    struct json  to;
    uint16_t     key = dict_find(engine->program->names[NAME_PROPERTY], STR("to"));
    *address = STR_NONE;
    known_make(&known, engine, person, engine->now_ms);
    if (!request_find(&known, message->trigger_seq, &bag))
        return STR("what was asked for is another person's since two were parted");
    if (key == DICT_NONE || !bag_find(bag, key, &to) || to.kind != JSON_STRING)
        return reach_address(engine, person, channel, bytes, address);
    *address = to.string;
    return STR_NONE;
}
