/*
 * template: Liquid, from text to bytes.
 *
 * A template is read once into a flat program and rendered many times, from several threads at
 * once. The language is Shopify's Liquid: every standard tag and filter, white space control,
 * snippets. What a customer must never receive is an error text or a gap where a name should be,
 * so both are told to the caller instead: the report lists what was missing and what went wrong.
 *
 *      text --parse--> ops, paths, expressions --render(data)--> bytes + report
 *                           (never changed again)
 *
 * Always true   a render ends: work, output, memory and depth are bounded, and reaching a bound is
 *               ERR_LIMIT. The same template, data and now_ms give the same bytes.
 * Missing       a path that leads to nothing (or to null) is reported once, unless `default`
 *               replaced it or it was only tested (if, unless, case).
 * Cost          about 1 us for a kilobyte with a dozen values; no allocation but the scratch arena.
 * Knows not     the clock, files, the network. Snippets come from a callback.
 */
#ifndef DULT_TEMPLATE_TEMPLATE_H
#define DULT_TEMPLATE_TEMPLATE_H

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "base/zone.h"

/* A whole catalogue pasted into one mail is still below this; more is a mistake. */
#define TEMPLATE_SOURCE_BYTES_MAX ((size_t)1 << 20)
/* Blocks in blocks and brackets in brackets; people stop below ten, the C stack at thousands. */
#define TEMPLATE_NESTING_MAX 100
/* Snippets in snippets, which also stops one that calls itself. */
#define TEMPLATE_SNIPPET_DEPTH_MAX 20
/* Work in one render: an operation, a loop iteration or 64 bytes touched; well below a second. */
#define TEMPLATE_STEPS_MAX ((int64_t)1000000)
/* Gmail clips at 102 KB and servers refuse at some 10 MB; nobody reads 4 MiB. */
#define TEMPLATE_OUTPUT_BYTES_MAX ((size_t)4 << 20)
/* One string or list built by filters; doubling in a loop ends here. */
#define TEMPLATE_VALUE_BYTES_MAX ((size_t)1 << 20)
/* The compiled form with its snippets. */
#define TEMPLATE_PROGRAM_BYTES_MAX ((size_t)64 << 20)
/* Different variables in a template with its snippets. */
enum { TEMPLATE_NAMES_MAX = 4096 };
/* A report is read by a person, who mends the first few. */
enum { TEMPLATE_MISSING_MAX = 32, TEMPLATE_FAULTS_MAX = 8, TEMPLATE_FAULT_BYTES = 160 };

struct template;
struct locales;

enum template_strictness {
    TEMPLATE_STRICT,  /* Shopify's "strict": the expression grammar is enforced */
    TEMPLATE_STRICT2, /* Shopify's "strict2": the whole of every tag is enforced */
    TEMPLATE_LAX,     /* Shopify's "lax": what cannot be read is skipped, unknown filters too */
};

/*
 * Puts the source of snippet `name` into *source, copied into `arena`; ERR_ABSENT when there is
 * none. Called while parsing, and while rendering for `include` with a computed name; in the
 * latter case from any rendering thread.
 */
typedef enum err template_snippet(void *owner, struct str name, struct arena *arena,
                                  struct str *source);

struct template_conf {
    enum template_strictness strictness;
    template_snippet        *snippet; /* NULL: there are no snippets */
    void                    *snippet_owner;
};

struct template_render_conf {
    bool       escape_html;   /* escape every output but literals, captures and `| raw` */
    struct str safe_html;     /* where texts of the data lie that are HTML already; or empty */
    bool       show_errors;   /* "Liquid error: ..." stands where a fault was, as Shopify's does */
    bool       stop_at_error; /* the first fault ends the render with ERR_INPUT */
    bool       stop_at_missing; /* the first missing path ends the render with ERR_ABSENT */
    int64_t    now_ms;          /* what 'now' means to the date filter */

    /* The reader, for money, number, percent, local_date, local_time and in_zone. */
    struct str          language; /* "nb-NO"; empty: English */
    struct str          currency; /* of money without one; "EUR", or empty */
    const struct zone  *zone;     /* NULL: UTC */
    const struct zones *zones;    /* where in_zone looks names up */
    struct locales     *locales;  /* formatters, kept between renders of one thread; may be NULL */

    int64_t steps_max;        /* 0: TEMPLATE_STEPS_MAX */
    size_t  output_bytes_max; /* 0: TEMPLATE_OUTPUT_BYTES_MAX */
};

struct template_missing {
    struct str path;    /* "person.first_name"; borrowed from template or scratch */
    struct str snippet; /* empty: the template itself */
    uint32_t   line;
};

struct template_fault {
    char       what[TEMPLATE_FAULT_BYTES];
    struct str snippet;
    uint32_t   line;
};

struct template_report {
    uint32_t                missing_count; /* entries below; each path once */
    uint32_t                fault_count;   /* entries below */
    uint32_t                fault_total;   /* also those that did not fit */
    struct template_missing missing[TEMPLATE_MISSING_MAX];
    struct template_fault   faults[TEMPLATE_FAULTS_MAX];
    struct problem          problem; /* why the render was stopped; empty when it was not */
};

struct template_variable {
    struct str path;     /* as written, "event.items" */
    struct str snippet;  /* empty: the template itself */
    uint32_t   line;     /* of its first use */
    bool       optional; /* every use is tested or has a `default` */
};

/*
 * Reads a template and the snippets it names. ERR_INPUT with *problem ("line:column", fault,
 * remedy) for what is broken, ERR_LIMIT for what is too large or too deep. `conf` may be NULL.
 */
MUST enum err template_parse(struct template **out, struct str source,
                             const struct template_conf *conf, struct problem *problem);
void          template_close(struct template *t); /* NULL is nothing */
void          template_closep(struct template **t);

/*
 * Appends to `out`. OK also when the report lists missing paths or faults: whether such a message
 * may go is the caller's to say. ERR_LIMIT at a bound, ERR_MEMORY when `scratch` is full; then
 * `out` holds a part and report->problem says why. `report` is filled anew and must not be NULL.
 */
MUST enum err template_render(const struct template *t, struct arena *scratch,
                              const struct json *data, const struct template_render_conf *conf,
                              struct buf *out, struct template_report *report);

/* Whether it renders or includes snippets, so that it is another one when they change. */
bool template_has_snippets(const struct template *t);

/* The paths that a template reads from its data, each once, in order of first use. */
size_t                          template_variables_count(const struct template *t);
const struct template_variable *template_variables(const struct template *t);

/*
 * Runs the conformance cases in a text (Golden Liquid's JSON), appending the name of each failure
 * to `out` and at the end "N passed, N failed". ERR_INPUT when the text is no list of cases.
 */
MUST enum err template_cases_run(struct str text, struct buf *out, int *passed, int *failed);

#endif
