#include "engine/short_memory_test.h"

#include <execinfo.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/test.h"

/* With sanitizers a run takes ten times as long, so only some of the ways are failed there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { EVERY = 8 };
#else
enum { EVERY = 1 };
#endif

enum { DEPTH = 10, WAYS_MAX = 1 << 16 };

/* The ways by which memory was asked for in a run before, as hashes; 0: a free place. */
static uint64_t  ways[WAYS_MAX];
static int       ways_count;
static uintptr_t stack_top; /* of the life's caller; 0: nothing fails now */
static bool      has_failed, nothing_fails;
static int64_t   alive; /* allocated during the life and not freed */
static void     *failed_at[DEPTH];

/* Every part of Dult keeps frame pointers; a library's frame may be garbage, which is then not
 * followed out of the stack. */
__attribute__((no_sanitize("address"), noinline)) static uint64_t way_here(void **callers)
{
    uint64_t         hash = 1469598103934665603u;
    const uintptr_t *frame = __builtin_frame_address(0);
    for (int i = 0; i < DEPTH; i++) {
        uintptr_t next = frame[0];
        callers[i] = (void *)frame[1];
        hash = (hash ^ frame[1]) * 1099511628211u;
        if (next <= (uintptr_t)frame || next >= stack_top || next % sizeof next != 0)
            break;
        frame = (const uintptr_t *)next;
    }
    return hash | 1;
}

/* Is memory to fail now? At most once in a run, where none failed before. */
static bool fails(void)
{
    void *callers[DEPTH] = { 0 };
    if (stack_top == 0 || has_failed || nothing_fails)
        return false;
    uint64_t way = way_here(callers);
    size_t   at = way % WAYS_MAX;
    while (ways[at] != 0 && ways[at] != way)
        at = (at + 1) % WAYS_MAX;
    if (ways[at] == way)
        return false;
    ways[at] = way;
    if (++ways_count % EVERY != 0)
        return false;
    has_failed = true;
    memcpy(failed_at, callers, sizeof callers);
    return true;
}

/* ---- what the linker puts in the place of the originals, of engine_test only ---- */

struct arena;
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
char *__real_strndup(const char *text, size_t most);
void *__real_realloc(void *old, size_t bytes);
void  __real_free(void *old);
void *__real_arena_alloc(struct arena *arena, size_t bytes);
void *__real_arena_bytes(struct arena *arena, size_t bytes);
void *__real_arena_array(struct arena *arena, size_t count, size_t size);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
char *__wrap_strndup(const char *text, size_t most);
void *__wrap_realloc(void *old, size_t bytes);
void  __wrap_free(void *old);
void *__wrap_arena_alloc(struct arena *arena, size_t bytes);
void *__wrap_arena_bytes(struct arena *arena, size_t bytes);
void *__wrap_arena_array(struct arena *arena, size_t count, size_t size);

static void *born(void *made)
{
    alive += made != NULL && stack_top != 0;
    return made;
}

void *__wrap_malloc(size_t bytes)
{
    return fails() ? NULL : born(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : born(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t bytes)
{
    if (fails())
        return NULL;
    void *grown = __real_realloc(old, bytes);
    return old == NULL ? born(grown) : grown;
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return fails() ? NULL : born(__real_aligned_alloc(alignment, bytes));
}

char *__wrap_strndup(const char *text, size_t most)
{
    return fails() ? NULL : born(__real_strndup(text, most));
}

void __wrap_free(void *old)
{
    alive -= old != NULL && stack_top != 0;
    __real_free(old);
}

void *__wrap_arena_alloc(struct arena *arena, size_t bytes)
{
    return fails() ? NULL : __real_arena_alloc(arena, bytes);
}

void *__wrap_arena_bytes(struct arena *arena, size_t bytes)
{
    return fails() ? NULL : __real_arena_bytes(arena, bytes);
}

void *__wrap_arena_array(struct arena *arena, size_t count, size_t size)
{
    return fails() ? NULL : __real_arena_array(arena, count, size);
}

/* ---- lives ---- */

/* Places as addr2line reads them. */
static void place_print(int at_run, enum err err)
{
    int depth = 0;
    while (depth < DEPTH && failed_at[depth] != NULL)
        depth++;
    print_error("run %d: %s, %lld allocations left; memory failed at\n", at_run, err_name(err),
                (long long)alive);
    backtrace_symbols_fd(failed_at, depth, STDERR_FILENO);
}

__attribute__((noinline)) static enum err run(short_memory_live *live, const void *context,
                                              uint64_t *told)
{
    *told = 0;
    has_failed = false;
    alive = 0;
    stack_top = (uintptr_t)__builtin_frame_address(0);
    enum err err = live(context, told);
    stack_top = 0;
    return err;
}

int short_memory_everywhere(short_memory_live *live, const void *context)
{
    uint64_t right, told;
    int      bad = 0, runs = 0;
    memset(ways, 0, sizeof ways);
    ways_count = 0;
    nothing_fails = true;
    assert_ok(run(live, context, &right));
    nothing_fails = false;
    do {
        enum err err = run(live, context, &told);
        if (alive == 0 && ((has_failed && err == ERR_MEMORY) || (err == OK && told == right)))
            continue;
        bad++;
        place_print(runs, err);
    } while (has_failed && ++runs < WAYS_MAX / 2);
    assert_int_equal(bad, 0);
    assert_in_range(runs, ways_count >= EVERY, WAYS_MAX / 2 - 1); /* an end was found */
    return ways_count;
}

uint64_t short_memory_tell(uint64_t told, struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        told = (told ^ (unsigned char)text.ptr[i]) * 1099511628211u;
    return (told ^ text.len) * 1099511628211u;
}
