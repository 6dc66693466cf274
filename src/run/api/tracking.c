/*
 * Links of our mails that people follow. What programs open and follow is recorded as theirs: by
 * what they say of themselves (machine.h), and by what else comes within a few seconds (sieve.h),
 * during which the reader has long been led on. Without that wait a click is redirected after it is
 * on disk. A GET never changes a consent.
 */
#include "run/api/tracking.h"

#include <string.h>

#include "base/hash.h"
#include "base/time.h"
#include "message/links.h"
#include "run/api/machine.h"
#include "run/api/sieve.h"
#include "run/returned/trail.h"

enum {
    TRAIL_ARENA_BYTES_MAX = 1 << 20,
    TOKEN_BYTES_READ_MAX = 200,
    TARGET_BYTES_MAX = 3 * LINKS_URL_BYTES_MAX,
};

/* A GIF of one transparent pixel. */
static const char pixel[] = "GIF89a\1\0\1\0\200\0\0\0\0\0\0\0\0!\371\4\1\0\0\0\0,\0\0\0\0\1\0\1\0"
                            "\0\2\2D\1\0;";

static enum err token_of(struct call *call, enum token_purpose purpose, struct trail *trail)
{
    struct str text = call_param(call, "token");
    trail->request = call->request;
    if (call->api->conf.tokens == NULL || text.len == 0 || text.len > TOKEN_BYTES_READ_MAX)
        return ERR_DENIED;
    if (purpose == TOKEN_OPEN && str_ends(text, STR(".gif")))
        text.len -= 4;
    if (purpose == TOKEN_CLICK) {
        trail->url = call_query(call, "u");
        TRY(links_click_read(call->api->conf.tokens, text, trail->url, &trail->token));
    } else {
        TRY(token_read(call->api->conf.tokens, purpose, text, STR_NONE, &trail->token));
    }
    struct trail_desk desk = { call->desk->reader, call->desk->parser, call->arena };
    return trail_read(&desk, trail);
}

/* ---- opens and clicks: recorded, then answered from the commit thread ---- */

static void pixel_reply(struct http_request *request)
{
    struct http_header headers[] = { { STR("Cache-Control"), STR("no-store") } };
    http_reply(request, &(struct http_answer){ .status = 200,
                                               .type = STR("image/gif"),
                                               .headers = headers,
                                               .headers_count = 1,
                                               .body = { pixel, sizeof pixel - 1 },
                                               .is_body_lasting = true });
}

static void redirect_reply(struct http_request *request, struct str url)
{
    struct http_header headers[] = { { STR("Location"), url },
                                     { STR("Cache-Control"), STR("no-store") },
                                     { STR("Referrer-Policy"), STR("no-referrer") } };
    http_reply(request,
               &(struct http_answer){ .status = 302, .headers = headers, .headers_count = 3 });
}

static void opened(struct task *task)
{
    pixel_reply(((struct trail *)task->context)->request);
}

static void clicked(struct task *task)
{
    struct trail *trail = task->context;
    redirect_reply(trail->request, trail->url);
}

static enum err trail_submit(struct call *call, const struct trail *from, struct str name,
                             core_done *done)
{
    struct arena *arena = arena_open(TRAIL_ARENA_BYTES_MAX);
    if (arena == NULL)
        return ERR_MEMORY;
    struct trail *trail = ARENA_NEW(arena, struct trail);
    struct task  *task = ARENA_NEW(arena, struct task);
    struct entry *entry = ARENA_NEW(arena, struct entry);
    enum err      err = ERR_MEMORY;
    if (trail != NULL && task != NULL && entry != NULL) {
        *trail = *from;
        trail->url = str_copy(arena, from->url);
        *task = (struct task){
            .arena = arena, .entries = entry, .entries_count = 1, .done = done, .context = trail
        };
        err = trail_entry(arena, trail, name, entry);
    }
    if (err == OK)
        err = core_submit(call->api->conf.core, task);
    if (err != OK)
        arena_close(arena);
    else
        call->is_answered = true;
    return err;
}

static struct str purpose_of(const struct http_request *request)
{
    static const char *const names[] = { "Sec-Purpose", "Purpose", "X-Moz" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!str_is_empty(http_header(request, str_of(names[i]))))
            return http_header(request, str_of(names[i]));
    return STR_NONE;
}

static const char *sign_of(const struct call *call, bool is_click)
{
    const struct http_request *request = call->request;
    return machine_sign(&(struct machine_hit){ .head = http_method(request) == GATE_HEAD,
                                               .click = is_click,
                                               .agent = http_header(request, STR("User-Agent")),
                                               .purpose = purpose_of(request),
                                               .address = http_peer(request),
                                               .networks = call->api->conf.networks });
}

/* It waits for what comes beside it (sieve.h), or is nobody's. False: it is to be recorded by
 * itself.
 */
static bool waits(struct call *call, const struct trail *trail, enum hit_kind kind)
{
    struct hit hit = { .kind = kind,
                       .message = trail->token.message,
                       .link = kind == HIT_TRAP ? UINT64_MAX : hash_str(trail->url, 1),
                       .at_ms = time_now_ms(),
                       .sent_ms = INT64_MIN,
                       .sign = trail->sign };
    if (trail->is_gone)
        return true; /* nothing of somebody erased is kept, not for a moment */
    str_to_cstr(http_peer(call->request), hit.address, sizeof hit.address);
    return call->api->sieve != NULL && sieve_take(call->api->sieve, trail, hit) == OK;
}

enum err track_open(struct call *call)
{
    struct trail trail = { 0 };
    enum err     err = token_of(call, TOKEN_OPEN, &trail);
    trail.sign = sign_of(call, false);
    trail.machine = trail.sign != NULL;
    if (err == OK && !waits(call, &trail, HIT_OPEN))
        err = trail_submit(call, &trail, EVENT_MESSAGE_OPENED, opened);
    if (call->is_answered)
        return OK;
    call->is_answered = true; /* a picture in any case: a reader cannot do anything about it */
    pixel_reply(call->request);
    return OK;
}

enum err track_click(struct call *call)
{
    struct trail                 trail = { 0 };
    SCOPED(buf_donep) struct buf target = buf_make(TARGET_BYTES_MAX);
    if (token_of(call, TOKEN_CLICK, &trail) != OK || !links_target(trail.url, &target))
        return track_nowhere(call);
    trail.url = buf_view(&target);
    trail.sign = sign_of(call, true);
    trail.machine = trail.sign != NULL;
    /* A reader who clicked gets where the link leads, also when it cannot be recorded now. */
    if (!waits(call, &trail, HIT_CLICK) &&
        trail_submit(call, &trail, EVENT_MESSAGE_CLICKED, clicked) == OK)
        return OK;
    call->is_answered = true;
    redirect_reply(call->request, trail.url);
    return OK;
}

const char *tracking_sign(const struct call *call)
{
    return sign_of(call, true);
}

void tracking_visited(struct call *call, const struct trail *from, struct str about)
{
    struct trail trail = *from;
    struct entry entry;
    trail.url = about;
    trail.sign = sign_of(call, true);
    trail.machine = trail.sign != NULL;
    if (waits(call, &trail, HIT_CLICK) ||
        trail_entry(call->arena, &trail, EVENT_MESSAGE_CLICKED, &entry) != OK)
        return;
    struct problem kept = call->problem;
    (void)!call_submit(call, &entry, 1, NULL);
    call->problem = kept;
}

/* The link that nobody sees. It leads nowhere, for everyone alike. */
enum err track_trap(struct call *call)
{
    struct trail trail = { .machine = true };
    enum err     err = token_of(call, TOKEN_TRAP, &trail);
    trail.sign = "hidden link";
    if (err == OK && !waits(call, &trail, HIT_TRAP)) {
        struct entry entry;
        err = trail_entry(call->arena, &trail, EVENT_MESSAGE_CLICKED, &entry);
        if (err == OK)
            err = call_submit(call, &entry, 1, NULL);
    }
    (void)err;
    return track_nowhere(call);
}
