#include "engine/segment/segment_program.h"

static bool has_narrow(const uint16_t *list, uint32_t count, uint16_t id)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == id)
            return true;
    return false;
}

static bool has_wide(const uint32_t *list, uint32_t count, uint32_t id)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] == id)
            return true;
    return false;
}

bool segment_needs_event(const struct segment_program *program, uint16_t event)
{
    return (program->needs_anything && event >= RUN_DEEDS) ||
           ((program->events_mask >> (event % 64) & 1) != 0 &&
            has_narrow(program->events, program->events_count, event));
}

bool segment_needs_trait(const struct segment_program *program, uint16_t trait)
{
    return has_narrow(program->traits, program->traits_count, trait);
}

bool segment_needs_segment(const struct segment_program *program, uint32_t segment)
{
    return has_wide(program->segments, program->segments_count, segment);
}

bool segment_needs_list(const struct segment_program *program, uint32_t list)
{
    return has_wide(program->lists, program->lists_count, list);
}
