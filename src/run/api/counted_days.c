/* Two journeys that wrote to the same people on the same day, by the messages on record. */
#include "run/api/counted_inside.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/time.h"
#include "engine/report/sameday.h"

_Static_assert((int)COUNTED_GROUPS_MAX <= (int)SAMEDAY_JOURNEYS_MAX, "journeys are asked at once");

struct same_day {
    struct counted         *counted;
    struct sameday_question question;
    struct sameday_pair    *hands[CREW_THREADS_MAX];
};

static bool keys_ask(struct engine *engine, struct task *task)
{
    struct same_day   *day = task->context;
    const struct dict *keys = engine_program(engine)->names[NAME_PROPERTY];
    /* Days are the workspace's also where nothing was compiled before. */
    day->counted->ask->report.zone = engine_program(engine)->zone;
    day->question.keys = (struct letters_keys){ .message = dict_find(keys, STR("message")),
                                                .entry = dict_find(keys, STR("entry")),
                                                .class = dict_find(keys, STR("class")),
                                                .broadcast = dict_find(keys, STR("broadcast")) };
    return true;
}

static enum err day_part(void *context, uint32_t hand, struct report_range range)
{
    struct same_day *day = context;
    return sameday_run(&day->counted->ask->report, &day->question, range, day->hands[hand]);
}

static void day_write(char text[COUNTED_TEXT_BYTES], struct str other,
                      const struct sameday_pair *pair)
{
    snprintf(text, COUNTED_TEXT_BYTES,
             "%" PRIu64 " people were written to by this journey and by \"%.*s\" on the same day, "
             "%" PRIu64 " times in the last %d days.",
             pair->people, STR_ARG(counted_shown(other)), pair->days, COUNTED_DAYS);
}

static enum err day_tell(struct counted *counted, const struct sameday_pair *pair, uint32_t a,
                         uint32_t b)
{
    const struct counted_group *journeys = counted->names->journeys;
    char                        what[COUNTED_TEXT_BYTES], mirrored[COUNTED_TEXT_BYTES];
    day_write(what, journeys[a].name, pair);
    day_write(mirrored, journeys[b].name, pair);
    return counted_tell(
        counted, (struct finding){ "journey", "same day", what,
                                   "Let one wait or not begin for who is in the other, or set how "
                                   "much a person gets a day in limits.json.",
                                   journeys[b].name, journeys[a].name, pair->people, mirrored });
}

enum err counted_days(struct counted *counted)
{
    uint32_t         count = counted->names->journeys_count;
    struct arena    *arena = counted->call->arena;
    int64_t          at_ms = counted->ask->report.at_ms;
    struct same_day *day = ARENA_NEW(arena, struct same_day);
    struct str      *names = ARENA_ARRAY(arena, count + 1, struct str);
    if (day == NULL || names == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < count; i++)
        names[i] = counted->names->journeys[i].name;
    *day = (struct same_day){ .counted = counted,
                              .question = { .journeys = names,
                                            .count = count,
                                            .from_ms = at_ms - COUNTED_DAYS * TIME_DAY_MS,
                                            .to_ms = at_ms + 1 } };
    TRY(call_ask(counted->call, keys_ask, day));
    for (uint32_t i = 0; i < ask_hands(counted->ask); i++)
        if ((day->hands[i] = ARENA_ARRAY(arena, (size_t)count * count + 1, struct sameday_pair)) ==
            NULL)
            return ERR_MEMORY;
    TRY(ask_share(counted->ask, day_part, day));
    for (uint32_t i = 1; i < ask_hands(counted->ask); i++)
        sameday_add(&day->question, day->hands[0], day->hands[i]);
    for (uint32_t b = 1; b < count; b++)
        for (uint32_t a = 0; a < b; a++)
            if (day->hands[0][a * count + b].people >= COUNTED_PEOPLE_LEAST)
                TRY(day_tell(counted, &day->hands[0][a * count + b], a, b));
    return OK;
}
