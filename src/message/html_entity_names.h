/* html_entity_names: the table that html_entity looks in. */
#ifndef DULT_MESSAGE_HTML_ENTITY_NAMES_H
#define DULT_MESSAGE_HTML_ENTITY_NAMES_H

#include <stdbool.h>

enum {
    HTML_ENTITIES_COUNT = 2125,
    HTML_ENTITY_NAME_BYTES_MAX = 31,
    HTML_ENTITY_OPEN_BYTES_MAX = 6, /* of those that need no semicolon; the shortest has 2 */
};

struct html_entity {
    const char *name; /* without '&' and ';' */
    const char *text;
    bool        is_open; /* needs no semicolon */
};

extern const struct html_entity HTML_ENTITIES[HTML_ENTITIES_COUNT];

#endif
