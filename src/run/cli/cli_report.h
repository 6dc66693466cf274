/*
 * cli_report: what the files of `dult report` share.
 *
 *      cli_report.c        the words of the command -> the body of the question -> the answer
 *      cli_report_show.c   the answer as a table a person reads
 *      cli_report_csv.c    the answer as rows for a spreadsheet
 *      cli_report_stages.c both, of the report over the stages
 */
#ifndef DULT_RUN_CLI_REPORT_H
#define DULT_RUN_CLI_REPORT_H

#include "run/cli/cli_talk.h"

enum { REPORT_TEXT_BYTES = 64 };

/* One report: its word on the command line, its name in the API, its table and its rows. */
struct report_command {
    const char *word, *name;
    int         words_least, words_most; /* of events */
    void (*show)(struct talk *talk);
    void (*csv)(struct talk *talk);
};

/* step=2,dropped -> {"step":2,"dropped":true}; what is no number is a text, and so is what stands
 * in quotes, where commas are: value="Oslo, Norway". */
void report_pick_write(const char *text, struct buf *body);

/* "3 days", "2 h", "45 s": two figures are enough for a person. */
char *report_length(int64_t length_ms, char out[REPORT_TEXT_BYTES]);
/* A JSON value as a person writes it; "(none)", "(other)" and "all" for groups that are no value.
 */
char *report_group(const struct json *row, char out[REPORT_TEXT_BYTES]);
/* "Order Completed" of the condition did "Order Completed". */
char *report_event(struct str condition, char out[REPORT_TEXT_BYTES]);

/* Members of an answer; 0 and an empty list where there is none. */
int64_t            report_int(const struct json *object, const char *key);
double             report_real(const struct json *object, const char *key);
const struct json *report_list(const struct json *object, const char *key);
int64_t            report_at(const struct json *list, uint32_t i); /* a number of a list */

/* One field of a row for a spreadsheet, quoted where it must be, and what stands after it. */
void report_csv_field(struct str text, char after);
/* "group" and "value" of a row, for a spreadsheet. */
void report_csv_group(const struct json *row);
/* What everything below is about, and of which moment. */
void report_title(struct talk *talk, const char *what);

void report_show_trends(struct talk *talk);
void report_show_funnel(struct talk *talk);
void report_show_retention(struct talk *talk);
void report_show_spread(struct talk *talk);
void report_show_growth(struct talk *talk);
void report_show_attribution(struct talk *talk); /* cli_report_attribution.c */
void report_show_stages(struct talk *talk);

void report_csv_trends(struct talk *talk);
void report_csv_funnel(struct talk *talk);
void report_csv_retention(struct talk *talk);
void report_csv_spread(struct talk *talk);
void report_csv_growth(struct talk *talk);
void report_csv_attribution(struct talk *talk);

/* A field of a row: quoted where it must be; and its end, a comma or a line's. */
void report_csv_field(struct str text, char after);
void report_csv_real(double value, char after);
void report_csv_stages(struct talk *talk);

#endif
