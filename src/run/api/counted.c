#include "run/api/counted_inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/channel.h"

/* ---- what there is ---- */

struct naming {
    struct call          *call;
    struct counted_names *out;
    bool                  is_full;
};

static void name_add(struct naming *naming, struct counted_group *groups, uint32_t *count,
                     struct str name, bool writes)
{
    if (*count == COUNTED_GROUPS_MAX) {
        naming->out->left_out++;
        return;
    }
    struct counted_group *group = &groups[(*count)++];
    *group =
        (struct counted_group){ .name = str_copy(naming->call->arena, name), .writes = writes };
    naming->is_full = naming->is_full || group->name.ptr == NULL;
}

static bool writes(const struct program *program, const struct journey *journey)
{
    for (uint16_t i = 0; i < journey->nodes_count; i++) {
        const struct node *node = &journey->nodes[i];
        uint32_t           number =
            node->kind != NODE_MESSAGE ? SEGMENT_NO_ID : program_template(program, node->template);
        if (number != SEGMENT_NO_ID &&
            channel_is_to_person(program_template_at(program, number)->channel))
            return true;
    }
    return false;
}

static bool names_ask(struct engine *engine, struct task *task)
{
    struct naming        *naming = task->context;
    const struct program *program = engine_program(engine);
    for (uint32_t i = 0; i < program->segments.count; i++) {
        const struct segment_def *def = &program->segments.items[i];
        if (def->arena != NULL && !def->is_stage && !def->is_line && !def->is_beginning)
            name_add(naming, naming->out->segments, &naming->out->segments_count,
                     program_name(program, NAME_SEGMENT, i), false);
    }
    for (uint32_t i = 0; i < program->journeys.count; i++) {
        const struct journey_version *live = program_journey_live(program, i);
        if (live != NULL)
            name_add(naming, naming->out->journeys, &naming->out->journeys_count,
                     live->journey.name, writes(program, &live->journey));
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    const struct counted_group *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

enum err counted_names(struct call *call, struct counted_names *out)
{
    struct naming naming = { .call = call, .out = out };
    *out = (struct counted_names){
        .segments = ARENA_ARRAY(call->arena, COUNTED_GROUPS_MAX, struct counted_group),
        .journeys = ARENA_ARRAY(call->arena, COUNTED_GROUPS_MAX, struct counted_group),
    };
    if (out->segments == NULL || out->journeys == NULL)
        return ERR_MEMORY;
    TRY(call_ask(call, names_ask, &naming));
    if (out->segments_count > 1)
        qsort(out->segments, out->segments_count, sizeof out->segments[0], by_name);
    if (out->journeys_count > 1)
        qsort(out->journeys, out->journeys_count, sizeof out->journeys[0], by_name);
    return naming.is_full ? ERR_MEMORY : OK;
}

/* ---- a finding ---- */

enum err counted_tell(struct counted *counted, struct finding finding)
{
    struct buf *out = counted->out;
    bool        first = true;
    buf_str(out, *counted->any ? STR(",{") : STR("{"));
    *counted->any = true;
    write_text(out, &first, "kind", str_of(finding.kind));
    write_text(out, &first, "name", finding.name);
    if (finding.other.len > 0)
        write_text(out, &first, "other", finding.other);
    write_text(out, &first, "severity", STR("warning"));
    write_text(out, &first, "part", str_of(finding.kind));
    write_text(out, &first, "about", str_of(finding.about));
    write_int(out, &first, "line", 1);
    write_text(out, &first, "what", str_of(finding.what));
    if (finding.mirrored != NULL)
        write_text(out, &first, "mirrored", str_of(finding.mirrored));
    write_text(out, &first, "remedy", str_of(finding.remedy));
    if (finding.people > 0)
        write_int(out, &first, "people", (int64_t)finding.people);
    buf_char(out, '}');
    return buf_err(out);
}

struct str counted_shown(struct str name)
{
    return str_slice(name, 0, COUNTED_NAME_SHOWN);
}

/* ---- who is in both ---- */

static enum err bits_take(struct counted *counted, uint32_t place, uint64_t **out)
{
    size_t bytes = report_words(&counted->ask->report) * sizeof(uint64_t);
    *out = NULL;
    if (place >= counted->pool_count && (place + 1) * bytes > COUNTED_BITS_BYTES_MAX)
        return OK; /* left out */
    if (place >= counted->pool_count) {
        counted->pool[place] = ask_bits(counted->ask);
        if (counted->pool[place] == NULL)
            return ERR_MEMORY;
        counted->pool_count = place + 1;
    }
    memset(counted->pool[place], 0, bytes);
    *out = counted->pool[place];
    return OK;
}

/* In the segment; in the journey within the last 90 days. */
static enum err member_read(struct counted *counted, const struct counted_group *group,
                            bool is_journey, const struct segment_node **out)
{
    SCOPED(buf_donep) struct buf text = buf_make(8 * COUNTED_TEXT_BYTES);
    buf_str(&text, is_journey ? STR("in journey ") : STR("in segment "));
    json_write_str(&text, group->name);
    if (is_journey) {
        buf_str(&text, STR(" or entered journey "));
        json_write_str(&text, group->name);
        buf_format(&text, " in the last %d days", COUNTED_DAYS);
    }
    TRY(buf_err(&text));
    struct str kept = str_copy(counted->call->arena, buf_view(&text));
    return kept.ptr == NULL
               ? ERR_MEMORY
               : segment_parse(counted->call->arena, kept, out, &counted->call->problem);
}

static enum err member_compile(struct counted *counted, const struct counted_group *group,
                               bool is_journey, uint32_t *number)
{
    struct ask_condition condition = { .where = "check" };
    ask_anew(counted->ask);
    TRY(member_read(counted, group, is_journey, &condition.tree));
    TRY(ask_condition(counted->ask, condition, number));
    return ask_compile(counted->ask);
}

static enum err group_count(struct counted *counted, struct counted_group *group, bool is_journey,
                            uint32_t *place)
{
    uint32_t number;
    TRY(bits_take(counted, *place, &group->bits));
    if (group->bits == NULL) {
        counted->names->left_out++;
        return OK;
    }
    enum err err = member_compile(counted, group, is_journey, &number);
    if (err == ERR_ABSENT || err == ERR_INPUT || err == ERR_LIMIT) {
        counted->call->problem = (struct problem){ 0 };
        counted->names->left_out++; /* deleted meanwhile, or too large with what it names */
        return OK;
    }
    TRY(err);
    TRY(ask_match(counted->ask, &counted->ask->conditions[number].program, group->bits));
    group->people = ask_count(counted->ask, group->bits);
    *place += group->people > 0; /* nobody's bitmap is free again */
    return OK;
}

static uint64_t both(const struct counted *counted, const struct counted_group *a,
                     const struct counted_group *b)
{
    size_t   words = report_words(&counted->ask->report);
    uint64_t count = 0;
    for (size_t i = 0; i < words; i++)
        count += (uint64_t)__builtin_popcountll(a->bits[i] & b->bits[i]);
    return count;
}

/* Sizes that differ by more cannot be so much alike. */
static bool may_be_alike(uint64_t a, uint64_t b)
{
    uint64_t less = a < b ? a : b, more = a < b ? b : a;
    return less >= COUNTED_PEOPLE_LEAST && 100 * less >= COUNTED_ALIKE_PERCENT * more;
}

static void alike_write(char text[COUNTED_TEXT_BYTES], struct str other, uint64_t both,
                        uint64_t either)
{
    snprintf(text, COUNTED_TEXT_BYTES,
             "Nearly the same people are in segment \"%.*s\": %" PRIu64 " of %" PRIu64
             " in either are in both.",
             STR_ARG(counted_shown(other)), both, either);
}

static enum err alike_tell(struct counted *counted, const struct counted_group *a,
                           const struct counted_group *b)
{
    char what[COUNTED_TEXT_BYTES], mirrored[COUNTED_TEXT_BYTES];
    if (!may_be_alike(a->people, b->people))
        return OK;
    uint64_t in_both = both(counted, a, b), either = a->people + b->people - in_both;
    if (100 * in_both < COUNTED_ALIKE_PERCENT * either)
        return OK;
    alike_write(what, a->name, in_both, either);
    alike_write(mirrored, b->name, in_both, either);
    return counted_tell(counted, (struct finding){ "segment", "overlap", what,
                                                   "Keep one of them, and let what asks for the "
                                                   "other ask for it.",
                                                   b->name, a->name, in_both, mirrored });
}

static void together_write(char text[COUNTED_TEXT_BYTES], struct str other, uint64_t people)
{
    snprintf(text, COUNTED_TEXT_BYTES,
             "%" PRIu64
             " people were in this journey and in \"%.*s\" in the last %d days, and both write.",
             people, STR_ARG(counted_shown(other)), COUNTED_DAYS);
}

static enum err together_tell(struct counted *counted, const struct counted_group *a,
                              const struct counted_group *b)
{
    char     what[COUNTED_TEXT_BYTES], mirrored[COUNTED_TEXT_BYTES];
    uint64_t in_both = both(counted, a, b);
    if (in_both < COUNTED_PEOPLE_LEAST)
        return OK;
    together_write(what, a->name, in_both);
    together_write(mirrored, b->name, in_both);
    return counted_tell(
        counted,
        (struct finding){
            "journey", "together", what,
            "Let one exit or not begin while somebody is in the other, or set limits.json.",
            b->name, a->name, in_both, mirrored });
}

typedef enum err pair_tell(struct counted *counted, const struct counted_group *a,
                           const struct counted_group *b);

static enum err pairs_tell(struct counted *counted, struct counted_group *groups, uint32_t count,
                           bool is_journey, pair_tell *pair)
{
    uint32_t place = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!is_journey || groups[i].writes)
            TRY(group_count(counted, &groups[i], is_journey, &place));
    for (uint32_t b = 1; b < count; b++) {
        TRY(ask_go_on(counted->ask));
        for (uint32_t a = 0; a < b && groups[b].people > 0; a++)
            if (groups[a].people > 0)
                TRY(pair(counted, &groups[a], &groups[b]));
    }
    return OK;
}

enum err counted_write(struct ask *ask, struct counted_names *names, struct buf *out, bool *any)
{
    struct counted *counted = ARENA_NEW(ask->call->arena, struct counted);
    if (counted == NULL)
        return ERR_MEMORY;
    counted->ask = ask;
    counted->call = ask->call;
    counted->names = names;
    counted->out = out;
    counted->any = any;
    TRY(pairs_tell(counted, names->segments, names->segments_count, false, alike_tell));
    TRY(pairs_tell(counted, names->journeys, names->journeys_count, true, together_tell));
    TRY(counted_days(counted));
    for (uint32_t i = 0; i < names->journeys_count; i++)
        TRY(counted_ways(counted, names->journeys[i].name));
    return counted_unused(counted);
}
