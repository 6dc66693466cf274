#define PCRE2_CODE_UNIT_WIDTH 8
#include "engine/segment/segment_pattern.h"

#include <pcre2.h>
#include <stdio.h>

enum { HEAP_KIB_MAX = 1024, MESSAGE_BYTES_MAX = 128 };

struct segment_pattern {
    pcre2_code          *code;
    pcre2_match_context *context;
};

static void pattern_done(void *what)
{
    struct segment_pattern *pattern = what;
    pcre2_match_context_free(pattern->context);
    pcre2_code_free(pattern->code);
}

static enum err refuse(const char *where, int code, size_t at, struct problem *problem)
{
    PCRE2_UCHAR message[MESSAGE_BYTES_MAX];
    if (code == PCRE2_ERROR_HEAP_FAILED || code == PCRE2_ERROR_NOMEMORY)
        return ERR_MEMORY;
    pcre2_get_error_message(code, message, sizeof message);
    return problem_format(problem, ERR_INPUT, where,
                          "Correct the pattern there; a backslash before a sign takes it as it is.",
                          "the pattern cannot be read at character %zu: %s", at + 1,
                          (const char *)message);
}

static enum err compile(struct segment_pattern *pattern, struct str text, const char *where,
                        struct problem *problem)
{
    const uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
    int            code;
    size_t         at;
    pattern->code = pcre2_compile((PCRE2_SPTR)(text.ptr == NULL ? "" : text.ptr), text.len, options,
                                  &code, &at, NULL);
    if (pattern->code == NULL)
        return refuse(where, code, at, problem);
    pattern->context = pcre2_match_context_create(NULL);
    if (pattern->context == NULL)
        return ERR_MEMORY;
    pcre2_set_match_limit(pattern->context, SEGMENT_PATTERN_STEPS_MAX);
    pcre2_set_heap_limit(pattern->context, HEAP_KIB_MAX);
    /* Where there is no machine code for this processor the pattern is read step by step. */
    (void)pcre2_jit_compile(pattern->code, PCRE2_JIT_COMPLETE);
    return OK;
}

enum err segment_pattern_make(struct arena *arena, struct str text, const char *where,
                              const struct segment_pattern **out, struct problem *problem)
{
    struct segment_pattern *pattern = ARENA_NEW(arena, struct segment_pattern);
    if (text.len > SEGMENT_PATTERN_BYTES_MAX)
        return problem_set(problem, ERR_INPUT, where, "the pattern has more than 1000 bytes",
                           "Shorten it, or join two conditions by \"or\".");
    if (pattern == NULL || !arena_defer(arena, pattern_done, pattern))
        return ERR_MEMORY;
    TRY(compile(pattern, text, where, problem));
    *out = pattern;
    return OK;
}

bool segment_pattern_matches(const struct segment_pattern *pattern, struct str text)
{
    const char *bytes = text.ptr == NULL ? "" : text.ptr;
    if (text.len > SEGMENT_PATTERN_TEXT_BYTES_MAX)
        return false;
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (data == NULL)
        return false;
    int found =
        pcre2_match(pattern->code, (PCRE2_SPTR)bytes, text.len, 0, 0, data, pattern->context);
    if (found == PCRE2_ERROR_JIT_STACKLIMIT) /* machine code has a small stack; memory is larger */
        found = pcre2_match(pattern->code, (PCRE2_SPTR)bytes, text.len, 0, PCRE2_NO_JIT, data,
                            pattern->context);
    pcre2_match_data_free(data);
    return found >= 0;
}
