#include "run/send/way.h"

#include <math.h>

uint32_t way_plan_limit(const struct way_plan *plan, int64_t day)
{
    uint32_t most = plan->per_day > 0 ? plan->per_day : UINT32_MAX;
    if (plan->first_day == 0)
        return most;
    if (day < plan->from_day)
        return 0;
    double grown = plan->first_day * pow(plan->grow, (double)(day - plan->from_day));
    return grown < most ? (uint32_t)grown : most;
}
