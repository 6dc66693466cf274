#include "engine/report/someone.h"

#include "engine/known.h"

static struct facts facts_of(const struct someone *someone, const struct report *report)
{
    struct facts facts = known_facts(someone->person, someone->runs, 0, report->view->bags);
    facts.now_ms = report->at_ms;
    facts.seq_max = report->view->seq;
    facts.zone = report->zone;
    facts.zones = report->zones;
    return facts;
}

void someone_nobody(struct someone *someone, const struct report *report)
{
    someone->view = report->view;
    someone->person = UINT32_MAX - 1;
    someone->facts = facts_of(someone, report);
}

void someone_make(struct someone *someone, const struct report *report, uint32_t person)
{
    const struct view *view = report->view;
    uint32_t           count = 0, member = person;
    someone->view = view;
    someone->person = person;
    someone->facts = facts_of(someone, report);
    do {
        count += view_runs(view, member, someone->runs + count);
        member = view->next[member];
    } while (member != person && count + VIEW_LEVELS_MAX <= SOMEONE_RUNS_MAX);
    someone->facts.runs_count = count;
}

bool someone_is_known(const struct someone *someone)
{
    const struct view *view = someone->view;
    uint32_t there = view_profiles_by(view, someone->facts.now_ms), member = someone->person;
    do
        if (member < there)
            return true;
    while ((member = view->next[member]) != someone->person);
    for (uint32_t r = 0; r < someone->facts.runs_count; r++)
        if (someone->runs[r].count > 0 && someone->runs[r].at_ms[0] <= someone->facts.now_ms)
            return true;
    return false;
}
