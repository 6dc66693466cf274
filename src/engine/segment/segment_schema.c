#include "engine/segment/segment.h"

extern const char dult_segment_schema[], dult_segment_schema_end[];
__asm__(".section .rodata\n"
        ".global dult_segment_schema\ndult_segment_schema:\n"
        ".incbin \"" DULT_SEGMENT_SCHEMA "\"\n"
        ".global dult_segment_schema_end\ndult_segment_schema_end:\n"
        ".byte 0\n"
        ".previous\n");

struct str segment_schema(void)
{
    return (struct str){ dult_segment_schema,
                         (size_t)(dult_segment_schema_end - dult_segment_schema) };
}
