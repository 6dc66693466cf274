#include "store/sqlite_store.h"

#include <stdint.h>

/* The SQL files, as they are, between two labels each; DULT_STORE_SQL is their folder. */
#define EMBED(symbol, file)                                                                        \
    __asm__(".section .rodata\n"                                                                   \
            ".global " #symbol "\n" #symbol ":\n"                                                  \
            ".incbin \"" DULT_STORE_SQL "/" file "\"\n"                                            \
            ".byte 0\n"                                                                            \
            ".previous\n");                                                                        \
    extern const char symbol[]

EMBED(dult_sql_001_tables, "001_tables.sql");
EMBED(dult_sql_002_views, "002_views.sql");
EMBED(dult_sql_003_since, "003_since.sql");
EMBED(dult_sql_004_suppression, "004_suppression.sql");
EMBED(dult_sql_005_messages, "005_messages.sql");
EMBED(dult_sql_006_requests, "006_requests.sql");
EMBED(dult_sql_007_codes, "007_codes.sql");
EMBED(dult_sql_008_kinds, "008_kinds.sql");

const char *sqlite_migration(int version)
{
    static const char *const texts[SQLITE_SCHEMA_VERSION] = {
        dult_sql_001_tables,   dult_sql_002_views,    dult_sql_003_since, dult_sql_004_suppression,
        dult_sql_005_messages, dult_sql_006_requests, dult_sql_007_codes, dult_sql_008_kinds,
    };
    assert(version >= 1 && version <= SQLITE_SCHEMA_VERSION);
    return texts[version - 1];
}
