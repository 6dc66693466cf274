/*
 * mapping: what a row of somebody's file means, said in a small JSON file.
 *
 *     {
 *       "mapping": "cdnow",                       a name; "about" may say more
 *       "format": "csv" | "whitespace" | "fixed" | "ndjson",
 *       "separator": ";",                         csv only; "," unless said
 *       "widths": [5, 8, 2],                      fixed only: bytes of each column
 *       "header": true,                           does the first row name the columns? csv: yes
 *       "columns": ["customer", "date"],          their names, where no header does (or to rename)
 *       "each_row": { ... } or [ { ... }, ... ]   the records that a row becomes
 *     }
 *
 * A record is written as the message it becomes, in Segment's shape: type, event, name, category,
 * userId, anonymousId, previousId, groupId, messageId, timestamp, properties, traits, context,
 * integrations. Each value in it is one of
 *     "text with {column}"                        text; {{ and }} are braces; absent when every
 *                                                 column in it is empty
 *     12, true, null                              a constant
 *     {"column":"date", "type":..., "format":..., "default":...}
 *     {"text":"{first} {last}", "type":...}       a template with a type
 *     {"city":"{city}"}  ["{a}","{b}"]            objects and lists of these
 * type: "text" (as it is; for ndjson any JSON), "number", "integer", "boolean" (true/false, yes/no,
 * y/n, t/f, 1/0), "date". An empty field is absent unless there is a "default". A date's format is
 * "iso" (unless said), "epoch", "epoch_ms" or made of %Y %m %d %H %M %S %y %b %z %% and what
 * stands between; times without a zone are UTC. `timestamp` is a date unless it says otherwise.
 * In ndjson a column is a dotted path: "customer.address.0.city".
 *     "skip_when": [{"column":"email","empty":true}, {"column":"kind","is":"test"}]
 * beside the others leaves this record of a row out when one of them is so.
 *
 * Always true   a mapping that was parsed has no unknown word, no unknown column (where the columns
 *               are known) and no value of a wrong kind; problems name place and remedy.
 * Knows not     files, and what a good event is: event.h judges what comes out.
 */
#ifndef DULT_INTAKE_MAPPING_H
#define DULT_INTAKE_MAPPING_H

#include "base/json.h"
#include "intake/csv.h"

enum {
    MAPPING_BYTES_MAX = 256 * 1024, /* it is written by hand */
    MAPPING_RECORDS_MAX = 16,       /* of one row */
    MAPPING_COLUMNS_MAX = CSV_FIELDS_MAX,
};

struct mapping;

/* Parses a mapping file into `arena`, which must outlive it. */
MUST enum err mapping_parse(struct arena *arena, struct str text, struct mapping **out,
                            struct problem *problem);

struct str       mapping_name(const struct mapping *mapping);
struct csv_shape mapping_shape(const struct mapping *mapping);
bool             mapping_has_header(const struct mapping *mapping);
bool             mapping_is_ndjson(const struct mapping *mapping);
uint32_t         mapping_records(const struct mapping *mapping); /* of one row, at most */

/* Takes the header row: finds each column by name. ERR_INPUT when one is missing. */
MUST enum err mapping_bind(struct mapping *mapping, const struct csv_row *header,
                           struct problem *problem);

/* A row as the mapping sees it: fields, or one JSON object (ndjson). */
struct mapping_row {
    const struct csv_row *csv;
    const struct json    *object; /* NULL unless ndjson */
};

/* Why a row was not taken; all in static storage or the mapping's arena. */
struct mapping_refusal {
    struct str field, reason, remedy;
};

/* ERR_INPUT when the row has not as many fields as there are columns. */
MUST enum err mapping_row_check(const struct mapping *mapping, const struct mapping_row *row,
                                struct mapping_refusal *refusal);

/*
 * The message that record `index` of a row becomes, built in `arena`. ERR_ABSENT when skip_when
 * leaves it out; ERR_INPUT with *refusal when a field cannot be converted; ERR_MEMORY.
 */
MUST enum err mapping_message(const struct mapping *mapping, struct arena *arena,
                              const struct mapping_row *row, uint32_t index, struct json *out,
                              struct mapping_refusal *refusal);

#endif
