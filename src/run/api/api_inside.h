/*
 * api_inside: what the api's own files share.
 *
 *      api.c            opening, desks, answers        api_timeline.c     one person's story
 *      routes.c         the table                      api_explain.c      why, and why not
 *      api_keys.c       keys and who may what          api_segments.c     counting people
 *      api_collect.c    events in                      api_definitions.c  what was defined
 *      tracking.c       links of our mails             api_messages.c     what was sent
 *      unsubscribing.c  the way out                    preferences.c      all topics, and undo
 *      confirming.c     double opt-in                  visitor.c, page.c  who looks; what they see
 *      tracking_view.c  a mail in a browser           machine.c          people or programs
 *      api_profiles.c   people                         api_stats.c        numbers, health, lists
 *      api_form.c       sign-ups from other sites  by_address.c       whom they may mean
 *      api_export.c     all of a person         exporting.h        its parts: export_*.c
 *      api_erasures.c   people forgotten for good      api_suppressions.c  addresses not sent to
 *      api_returned.c   returned mail                  trail.c            from token to message
 *      api_preview.c    a mail for one person          api_people.c       a mail for many, its gaps
 *      api_domains.c    what the DNS says              drafting.h         what these share
 *      api_consent.c    what people said               saying.c           a word with its proof
 *      api_sending.c    stopped, or not                api_stage.c        one person's stage
 *      api_trying.c     a test of a template
 *      api_live.c       live, or on trial             api_codes.c        discount codes
 *      api_send.c       messages asked for by programs  api_message.c      one, with all its steps
 *      api_settle.c     one whose answer was lost       api_enroll.c       into a journey by hand
 *      questions.c      what mails ask                 downloads.c        what they hand out
 *      api_broadcasts.c one message to many
 *      api_files.c      files put, listed, deleted     file_shelf.c       their bytes
 *      rehearsing.c     drafts run over history: rehearsing_*.c
 *      rehearsals.c     the same as a job that is looked at
 *      api_check.c      what drawings hide      counted.c          with people counted
 *      api_map.c        the customer journey    seeing.c           what was seen of a touchpoint
 *
 * A call is one request at a desk (or a job's question, without a request). It returns OK with the
 * answer in `out`, or an error with a problem; the desk answers either.
 */
#ifndef DULT_RUN_API_INSIDE_H
#define DULT_RUN_API_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/queue.h"
#include "run/api/api.h"
#include "run/api/crew.h"
#include "run/api/newest.h"
#include "run/api/routes.h"
#include "run/api/running.h"
#include "server/attempts.h"
#include "server/auth.h"

enum {
    CALL_ARENA_BYTES_MAX = 256 << 20,
    CALL_ANSWER_BYTES_MAX = 64 << 20,
    CALL_LIMIT_DEFAULT = 100,
    STORY_MAX = 100000, /* decisions of one person that are looked at */
};

struct by_address;
struct file_shelf;
struct rehearsals;
struct render;
struct rendered;
struct keys;  /* api_keys.c: an immutable list of keys */
struct tally; /* api_messages.c: how many messages are in which state */

struct desk {
    struct api          *api;
    struct queue        *queue; /* borrowed */
    pthread_t            thread;
    bool                 is_running;
    struct store_reader *reader;
    struct json_parser  *parser;
    struct render       *render; /* made when a mail is first looked at in a browser */
};

enum { API_DOMAINS_KEPT = 16 };

/* Whether mail from a domain is believed, asked not long ago. */
struct domain_kept {
    char    domain[256];
    int64_t asked_us;
    bool    is_known, is_authenticated;
};

struct api {
    struct api_conf        conf;
    struct sender *_Atomic sender; /* NULL: nothing is sent from here */
    struct route          *routes;
    size_t                 routes_count;
    struct queue          *quick, *slow; /* requests for the first desk, and for the others */
    struct desk            desks[API_DESKS];
    struct crew           *crew;         /* for questions that ask everyone */
    struct desk           *report_desks; /* one a thread of the crew */
    struct running         running;
    struct rehearsals     *rehearsals;
    _Atomic(struct keys *) keys;
    pthread_mutex_t        lock;        /* changing keys, the owner's token, domains */
    pthread_mutex_t        codes_lock;  /* held from looking which codes are new to their record */
    pthread_mutex_t        drafts_lock; /* held from looking which drafts there are to a record */
    struct auth_once       owner;
    struct domain_kept     domains[API_DOMAINS_KEPT]; /* under the lock */
    uint32_t               domains_next;
    struct tally          *tally;
    struct sieve          *sieve; /* NULL: opens and clicks wait for nothing */
    struct file_shelf     *files; /* NULL: there is no folder to keep any in */
    struct metric         *report_seconds;
    struct attempts       *signups;      /* by address, of forms of other sites */
    struct by_address     *by_address;   /* whom a form may mean */
    struct newest_text     newest;       /* workspace.json, as it is now */
    atomic_bool            is_exporting; /* one at a time: each may take a disk's room */
    atomic_uint            exports_read; /* made, and not read to their end */
    int64_t                opened_ms;
};

struct call {
    struct api          *api;
    struct desk         *desk;
    struct http_request *request; /* NULL: nobody waits for an answer (rehearsals.h) */
    struct arena        *arena;
    struct buf           out;
    int                  status;      /* 200 unless said */
    struct str           type;        /* application/json unless said */
    bool                 is_answered; /* by the call itself, now or later */
    int64_t              answer_ms;   /* as http_answer's not_before_ms; 0: at once */
    struct problem       problem;
};

/* The desk's part: waits for the answer. ERR_WAIT with a problem when the core has no room. */
MUST enum err call_ask(struct call *call, core_ask *ask, void *context);
/* The same for records; the first refused one's error and problem. `task` may be NULL. */
MUST enum err call_submit(struct call *call, struct entry *entries, uint32_t count,
                          struct task *task);

/* Parameters of the path and of the query, decoded into the arena. */
struct str    call_param(struct call *call, const char *name);
struct str    call_query(struct call *call, const char *name);
bool          call_flag(struct call *call, const char *name); /* "1" or "true" */
MUST enum err call_limit(struct call *call, uint32_t *limit);
/* An instant; `absent` when it is not given. */
MUST enum err call_time(struct call *call, const char *name, int64_t absent, int64_t *out_ms);
/* The body as a JSON object; empty is an empty object. */
MUST enum err call_body(struct call *call, struct json *out);
/* The person named by {who}: their root. ERR_ABSENT with a problem. On the engine thread. */
uint32_t      call_find(const struct engine *engine, struct str who);
MUST enum err call_nobody(struct call *call, struct str who);

/* The desk's, made when it is first wanted. ERR_ABSENT with a problem where mail cannot be made. */
MUST enum err call_render(struct call *call, struct render **out);

void write_time(struct buf *out, bool *first, const char *key, int64_t at_ms);
void write_text(struct buf *out, bool *first, const char *key, struct str text);
void write_int(struct buf *out, bool *first, const char *key, int64_t value);
void write_person(struct buf *out, bool *first, const char *key, uint32_t profile);
/* A state's name: "sent", "held" ... NULL when the decision is not about a message. */
const char *message_state_name(enum decision_kind kind);
void        write_raw(struct buf *out, bool *first, const char *key, struct str json);
/* A page's end: ],"next":... ; an empty cursor is null. */
void write_next(struct buf *out, struct str cursor);

/* Engine's words for a stored row, as rows.c has them. */
void decision_of_row(const struct store_decision *row, struct decision *decision);

int  api_status(enum err err);
void api_problem_reply(struct http_request *request, enum err err, const struct problem *problem);

/* api_channels.c: what a text message is, and costs where the number is known */
/* The ways that count now, held until ways_file_close; NULL: there are none. */
struct ways_file *call_ways(struct call *call);
void channels_measure_write(struct call *call, struct str text, struct str e164, bool *first);
/* A message that is no e-mail, as a preview shows it; its text is not written. */
void channels_notice_write(struct call *call, const struct claim *claim,
                           const struct rendered *made, bool *first);

/* api_keys.c */
MUST enum err keys_load(struct api *api, struct store_reader *reader);
void          keys_done(struct api *api);
/* The id of the write key, or 0. */
uint32_t         keys_write_key(struct api *api, struct str text);
bool             keys_is_source(struct api *api, struct str name); /* of a write key in force */
router_authorize keys_authorize;

/* api_messages.c */
struct tally *tally_open(void);
void          tally_close(struct tally *tally);
struct message_counts {
    uint64_t due, sent, unknown, failed, held, queued, waiting, sending;
};
MUST enum err tally_count(struct call *call, struct message_counts *out);
void          message_counts_write(struct buf *out, const struct message_counts *counts);

/* unsubscribing.c: the page for a link that is not ours, or leads to nothing any more. */
MUST enum err track_nowhere(struct call *call);
/* The same for a link with something sealed beside its token. */
MUST enum err track_nowhere_sealed(struct call *call, enum token_purpose purpose,
                                   struct str sealed);

/* api_definitions.c: a new version, by whoever asks; OK and the old one's where nothing changes. */
MUST enum err definition_change(struct call *call, enum definition_kind kind, struct str name,
                                struct str text, uint64_t *version, bool *is_changed);

/* api_sending.c: {"state":...}, with what was counted. */
MUST enum err sending_write(struct call *call, struct buf *out);

/* api_profiles.c: the person as GET /api/v1/profiles/{who} shows one. On the engine thread. */
void profile_write(struct engine *engine, uint32_t person, struct buf *out);

/* api_consent.c: may the person be written to about each topic by each channel? Items of a list; on
 * the engine thread. */
void consent_standings_write(struct engine *engine, uint32_t person, struct buf *out);

/* api_consent.c: why may the person be written to about the topic, or not? */
MUST enum err consent_explain(struct call *call, struct str topic);

/* api_stats.c */
void stats_register(struct api *api);

#endif
