#include "engine/report/report.h"

#include "engine/behaviour/view.h"
#include "engine/segment/segment_program.h"

size_t report_words(const struct report *report)
{
    return ((size_t)report->view->profiles + 63) / 64;
}

struct report_range report_part(const struct report *report, uint32_t part, uint32_t parts)
{
    uint64_t profiles = report->view->profiles;
    uint64_t words = report_words(report);
    uint64_t from = words * part / parts * 64, to = words * (part + 1) / parts * 64;
    return (struct report_range){ (uint32_t)(from < profiles ? from : profiles),
                                  (uint32_t)(to < profiles ? to : profiles) };
}

uint64_t report_bits_count(const uint64_t *bits, struct report_range range)
{
    uint64_t count = 0;
    for (uint32_t word = range.from / 64; word < (range.to + 63) / 64; word++)
        count += (uint64_t)__builtin_popcountll(bits[word]);
    return count;
}

enum err report_event_check(const struct segment_program *program, const char *where,
                            struct problem *problem)
{
    const struct segment_op *op = program->ops;
    if (program->ops_count == 0 || op->kind != SEGMENT_DID || op->next != program->ops_count)
        return problem_set(problem, ERR_INPUT, where, "this is not one event",
                           "Write did \"Event\", with or without where.");
    if (op->times != SEGMENT_TIMES_AT_LEAST || op->times_count != 1 ||
        op->match.window.kind != SEGMENT_EVER)
        return problem_set(problem, ERR_INPUT, where, "an event has no times and no window here",
                           "Leave them out: the report has its own.");
    return OK;
}

enum err report_periods_check(struct report_periods periods, struct problem *problem)
{
    if (periods.count == 0)
        return problem_set(problem, ERR_INPUT, "periods", "there is no period",
                           "Ask for at least one.");
    if (periods.count > REPORT_PERIODS_MAX)
        return problem_format(problem, ERR_LIMIT, "periods", "Ask for longer or fewer periods.",
                              "%u periods are more than %d", periods.count, REPORT_PERIODS_MAX);
    for (uint32_t i = 0; i < periods.count; i++)
        if (periods.at_ms[i] >= periods.at_ms[i + 1])
            return problem_format(problem, ERR_INPUT, "periods",
                                  "Give the borders in order of time.",
                                  "period %u does not end after it began", i + 1);
    return OK;
}
