/* What the files of domain_look share: domain_look.c (keys, policies, all of it), domain_spf.c (who
 * may send), domain_wants.c (what services want). */
#ifndef DULT_RUN_DOMAIN_INSIDE_H
#define DULT_RUN_DOMAIN_INSIDE_H

#include "run/send/domain_look.h"

struct looking {
    struct dns               *dns;
    const struct domain_what *what;
    struct arena             *arena;
    int64_t                   until_us;
    struct domain_report     *out;
};

void look_say(struct look_row *row, enum look_state state, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void look_ask(struct looking *looking, struct dns_question *questions, uint32_t count);
/* NULL: there is no room for more. */
struct look_row *look_row_add(struct looking *looking, const char *about, struct str name,
                              const char *type);
void             look_found(struct look_row *row, struct str record);
/* How many records begin with the tag, as "v=spf1"; the first of them, and all as found. */
uint32_t look_tagged(const struct dns_question *question, const char *tag, struct look_row *row,
                     struct str *first);
/* The value of a tag in "v=DKIM1; p=...", without white space, cut where there is no room. */
bool look_tag(struct str record, char tag, char *out, size_t room);

/* One for each service, and one for each mail server. */
enum { SPF_WANTED_MAX = DOMAIN_WANTS_MAX + DOMAIN_HOSTS_MAX + 1 };

/* domain_spf.c: the record of the name, asked already, has to name each of `wanted`, of which there
 * are at most SPF_WANTED_MAX. */
void spf_look(struct looking *looking, const struct dns_question *question,
              const struct str *wanted, uint32_t wanted_count);
/* What names a mail server in such a record; empty: nothing is known of it. */
struct str spf_way_out(struct arena *arena, struct str smtp_host);

/* domain_wants.c: all that services want; `done` is a name whose SPF record was looked at. */
void wants_look(struct looking *looking, struct str done);
/* The mechanisms that they want in that name's record; `wanted` has DOMAIN_WANTS_MAX. */
uint32_t wants_spf(const struct domain_what *what, struct str name, struct str *wanted);

#endif
