#include "engine/experiment/hypothesis.h"

bool hypothesis_is_good(const struct json *value)
{
    return value == NULL || (value->kind == JSON_STRING && value->string.len > 0 &&
                             value->string.len <= HYPOTHESIS_BYTES_MAX);
}
