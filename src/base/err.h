/*
 * err: what to do next, in one small number.
 *
 * A function that can fail returns an `enum err` marked MUST. The code says what the caller
 * should do, not where it went wrong; where a person has to read it, a `struct problem`
 * beside it names the place, the fault and the remedy.
 *
 * Always true   results behind pointers are written only when OK is returned.
 * Knows not     logging: library code returns, the edge says it once.
 */
#ifndef DULT_BASE_ERR_H
#define DULT_BASE_ERR_H

enum err {
    OK = 0,
    ERR_WAIT,     /* over capacity or not ready: the same call may succeed later */
    ERR_INPUT,    /* the sender's mistake: the same bytes will never succeed */
    ERR_ABSENT,   /* what was named is not there */
    ERR_LIMIT,    /* a stated bound was reached */
    ERR_DENIED,   /* the caller may not do this */
    ERR_CONFLICT, /* something else holds or has changed what was named */
    ERR_IO,       /* disk or network failed */
    ERR_CORRUPT,  /* our own bytes lie */
    ERR_MEMORY,   /* no memory, or an arena's bound reached */
};

/* Forbids ignoring a result. */
#define MUST __attribute__((warn_unused_result))

/* Hands an error up; the only macro that returns. */
#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum err try_err_ = (call);                                                                \
        if (try_err_ != OK)                                                                        \
            return try_err_;                                                                       \
    } while (0)

/* Closes what is not memory when its scope ends: SCOPED(file_closep) struct file *f = NULL; */
#define SCOPED(closep) __attribute__((cleanup(closep)))

/* A short English name of the code, for logs and JSON: "input", "absent" ... Static storage. */
const char *err_name(enum err code);

/*
 * problem: a mistake told to a person. `where` names a field, a file or a place in a text
 * ("batch[3].userId", "segments/vip.segment:2:14"); `what` is the fault, `remedy` what to do.
 * All three are terminated and cut, never overrun. An empty `what` means no problem.
 */
struct problem {
    char where[160];
    char what[240];
    char remedy[240];
};

/* Fills *p (which may be NULL) and returns `code`, so that `return problem_set(...)` reads well. */
enum err problem_set(struct problem *p, enum err code, const char *where, const char *what,
                     const char *remedy);

/* The same with formats: `where` as text, then a printf format for `what`; remedy as text. */
enum err problem_format(struct problem *p, enum err code, const char *where, const char *remedy,
                        const char *what_format, ...) __attribute__((format(printf, 5, 6)));

#endif
