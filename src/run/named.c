#include "run/named.h"

bool named_in(struct str text, struct str name)
{
    if (str_is_empty(name))
        return false;
    for (size_t at = 0; (at = str_find(text, at, name)) < text.len; at++) {
        size_t end = at + name.len;
        char   quote = at > 0 ? text.ptr[at - 1] : '\0';
        if ((quote == '"' || quote == '\'') && end < text.len &&
            (text.ptr[end] == quote || text.ptr[end] == '\\'))
            return true;
    }
    return false;
}
