/*
 * Keys: the list is immutable and swapped whole, so a request looks without a lock. Lists that were
 * replaced stay until the end: people change keys by hand, so there are few.
 */
#include "run/api/api_inside.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/time.h"

enum { KEY_TEXT_MAX = 200, SCOPES_TEXT_MAX = 400, SOURCES_MAX = UINT16_MAX };

struct keys {
    struct keys    *older;
    struct arena   *arena;
    struct auth_key write[API_KEYS_MAX], bearer[API_KEYS_MAX];
    struct str      write_names[API_KEYS_MAX];
    size_t          write_count, bearer_count;
    bool            has_owner;
};

/* ---- the list ---- */

static enum err key_each(void *ctx, const struct store_credential *row)
{
    struct keys                 *keys = ctx;
    SCOPED(buf_donep) struct buf bytes = buf_make(sizeof(struct auth_hash));
    struct auth_key              key = { .id = row->id, .is_revoked = row->revoked_ms != 0 };
    if (key.is_revoked)
        return OK;
    if (hex_read(&bytes, row->hash) != OK || bytes.len != sizeof key.hash.bytes)
        return ERR_CORRUPT;
    memcpy(key.hash.bytes, bytes.ptr, sizeof key.hash.bytes);
    key.scopes = str_copy(keys->arena, row->scopes);
    bool    is_write = str_eq(row->kind, STR("write"));
    size_t *count = is_write ? &keys->write_count : &keys->bearer_count;
    if (*count == API_KEYS_MAX)
        return OK;
    if (is_write)
        keys->write_names[*count] = str_copy(keys->arena, row->name);
    keys->has_owner = keys->has_owner || str_eq(row->kind, STR("owner"));
    (is_write ? keys->write : keys->bearer)[(*count)++] = key;
    return OK;
}

enum err keys_load(struct api *api, struct store_reader *reader)
{
    struct keys *keys = calloc(1, sizeof *keys);
    if (keys == NULL)
        return ERR_MEMORY;
    keys->arena = arena_open(API_KEYS_MAX * SCOPES_TEXT_MAX * 4);
    enum err err =
        keys->arena == NULL ? ERR_MEMORY : store_credentials_read(reader, key_each, keys);
    if (err != OK) {
        arena_close(keys->arena);
        free(keys);
        return err;
    }
    keys->older = atomic_load(&api->keys);
    atomic_store(&api->keys, keys);
    return OK;
}

void keys_done(struct api *api)
{
    struct keys *keys = atomic_load(&api->keys);
    while (keys != NULL) {
        struct keys *older = keys->older;
        arena_close(keys->arena);
        free(keys);
        keys = older;
    }
}

/* ---- who may what ---- */

uint32_t keys_write_key(struct api *api, struct str text)
{
    struct keys           *keys = atomic_load(&api->keys);
    const struct auth_key *key = auth_key_find(keys->write, keys->write_count, text);
    return key == NULL ? 0 : (uint32_t)key->id;
}

bool keys_is_source(struct api *api, struct str name)
{
    const struct keys *keys = atomic_load(&api->keys);
    for (size_t i = 0; i < keys->write_count; i++)
        if (str_eq(keys->write_names[i], name))
            return true;
    return false;
}

/* "read" is every ":read", "write" every ":write"; keys are only for who was given "keys:admin". */
static bool allows(struct str granted, struct str wanted)
{
    return auth_scopes_allow(granted, wanted) ||
           (str_ends(wanted, STR(":read")) && auth_scopes_allow(granted, STR("read"))) ||
           (str_ends(wanted, STR(":write")) && auth_scopes_allow(granted, STR("write")));
}

static const struct auth_key *bearer_of(struct api *api, struct http_request *request)
{
    struct auth_claim claim;
    struct keys      *keys = atomic_load(&api->keys);
    auth_claim_read(http_header(request, STR("authorization")), &claim);
    if (claim.kind != AUTH_BEARER)
        return NULL;
    return auth_key_find(keys->bearer, keys->bearer_count, claim.secret);
}

static enum err authorize_write(struct api *api, struct http_request *request, uint64_t *who,
                                struct problem *problem)
{
    struct auth_claim claim;
    auth_claim_read(http_header(request, STR("authorization")), &claim);
    struct str key = auth_claim_write_key(&claim);
    if (key.len == 0) /* it may stand in the body */
        return OK;
    *who = keys_write_key(api, key);
    if (*who != 0)
        return OK;
    return problem_set(problem, ERR_INPUT, "authorization", "This is not a write key of ours.",
                       "Make one with `dult key create --kind write`, and send it as the user name "
                       "of Basic authentication or as \"writeKey\" in the body.");
}

enum err keys_authorize(void *context, struct http_request *request, const struct route *route,
                        uint64_t *who, struct problem *problem)
{
    struct api *api = context;
    if (route->need == ROUTE_WRITE_KEY)
        return authorize_write(api, request, who, problem);
    const struct auth_key *key = bearer_of(api, request);
    if (key == NULL)
        return problem_set(problem, ERR_INPUT, "authorization", "This address needs a key.",
                           "Send \"Authorization: Bearer KEY\" with a key of `dult key create "
                           "--kind api`.");
    *who = key->id;
    if (allows(key->scopes, str_of(route->scope)))
        return OK;
    return problem_format(problem, ERR_DENIED, "authorization", "Use a key that has this scope.",
                          "This needs the scope \"%s\".", route->scope);
}

/* ---- the list as people see it ---- */

struct listing {
    struct buf *out;
    bool        any;
};

static enum err list_each(void *ctx, const struct store_credential *row)
{
    struct listing *listing = ctx;
    bool            first = true;
    if (listing->any)
        buf_char(listing->out, ',');
    listing->any = true;
    buf_char(listing->out, '{');
    write_int(listing->out, &first, "id", row->id);
    write_text(listing->out, &first, "kind", row->kind);
    write_text(listing->out, &first, "name", row->name);
    write_text(listing->out, &first, "scopes", row->scopes);
    write_time(listing->out, &first, "created", row->created_ms);
    if (row->revoked_ms != 0)
        write_time(listing->out, &first, "revoked", row->revoked_ms);
    buf_char(listing->out, '}');
    return OK;
}

enum err keys_list(struct call *call)
{
    struct listing listing = { .out = &call->out };
    buf_str(&call->out, STR("{\"items\":["));
    TRY(store_credentials_read(call->desk->reader, list_each, &listing));
    write_next(&call->out, STR_NONE);
    return OK;
}

/* ---- making and revoking ---- */

static bool is_word(struct str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!((word.ptr[i] >= 'a' && word.ptr[i] <= 'z') || word.ptr[i] == ':' ||
              word.ptr[i] == '*'))
            return false;
    return word.len > 0;
}

/* "read,write" and "read write" are the same. A key gives nobody more than its maker has. */
static enum err scopes_read(struct call *call, struct str text, struct str *out)
{
    char        *kept = arena_alloc(call->arena, text.len + 1);
    struct keys *keys = atomic_load(&call->api->keys);
    struct str   rest, word, mine = STR("*");
    if (kept == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < text.len; i++)
        kept[i] = text.ptr[i] == ',' ? ' ' : text.ptr[i];
    rest = *out = (struct str){ kept, text.len };
    for (size_t i = 0; i < keys->bearer_count && !http_is_local(call->request); i++)
        if (keys->bearer[i].id == route_who(call->request))
            mine = keys->bearer[i].scopes;
    while (str_split(&rest, ' ', &word)) {
        if (word.len == 0)
            continue;
        if (!is_word(word))
            return problem_format(&call->problem, ERR_INPUT, "scopes",
                                  "Use words such as read, "
                                  "write, profiles:read, keys:admin or *.",
                                  "\"%.*s\" is no scope.", STR_ARG(word));
        if (!allows(mine, word))
            return problem_format(&call->problem, ERR_DENIED, "scopes", "Ask an owner.",
                                  "You cannot give \"%.*s\", which you do not have.",
                                  STR_ARG(word));
    }
    return OK;
}

static enum err secret_keep(struct call *call, struct store_credential *row, const char *prefix,
                            struct str chosen, char *text)
{
    struct auth_hash             hash;
    SCOPED(buf_donep) struct buf hex = buf_make(2 * sizeof hash.bytes);
    if (chosen.len > 0) {
        str_to_cstr(chosen, text, KEY_TEXT_MAX);
        hash = auth_hash_of(chosen);
    } else {
        auth_secret_make(prefix, text, &hash);
    }
    hex_write(&hex, (struct str){ (const char *)hash.bytes, sizeof hash.bytes });
    TRY(buf_err(&hex));
    row->hash = buf_view(&hex);
    row->created_ms = time_now_ms();
    pthread_mutex_lock(&call->api->lock);
    enum err err = store_credential_add(core_store(call->api->conf.core), row, &row->id);
    if (err == OK)
        err = keys_load(call->api, call->desk->reader);
    pthread_mutex_unlock(&call->api->lock);
    row->hash = STR_NONE;
    return err;
}

static void key_write(struct call *call, const struct store_credential *row, const char *text)
{
    bool first = true;
    call->status = 201;
    buf_char(&call->out, '{');
    write_int(&call->out, &first, "id", row->id);
    write_text(&call->out, &first, "kind", row->kind);
    write_text(&call->out, &first, "name", row->name);
    write_text(&call->out, &first, "scopes", row->scopes);
    write_text(&call->out, &first, "key", str_of(text));
    buf_char(&call->out, '}');
}

static bool has_room(struct call *call, bool is_write)
{
    struct keys *keys = atomic_load(&call->api->keys);
    return (is_write ? keys->write_count : keys->bearer_count) < API_KEYS_MAX;
}

static enum err key_add(struct call *call, struct store_credential *row, const char *prefix,
                        struct str chosen)
{
    char text[KEY_TEXT_MAX];
    if (!has_room(call, str_eq(row->kind, STR("write"))))
        return problem_set(&call->problem, ERR_LIMIT, "keys",
                           "There are 1,000 valid keys of this "
                           "kind, and no more may be.",
                           "Revoke those that nobody uses.");
    TRY(secret_keep(call, row, prefix, chosen, text));
    key_write(call, row, text);
    return OK;
}

enum err keys_add(struct call *call)
{
    struct json body;
    TRY(call_body(call, &body));
    struct str              kind = json_get_str(&body, STR("kind"));
    struct str              chosen = json_get_str(&body, STR("key"));
    struct str              scopes = json_get_str(&body, STR("scopes"));
    struct store_credential row = { .kind = kind, .name = json_get_str(&body, STR("name")) };
    bool                    is_write = str_eq(kind, STR("write"));
    if (!is_write && !str_eq(kind, STR("api")) && !str_eq(kind, STR("owner")))
        return problem_set(&call->problem, ERR_INPUT, "kind", "This is no kind of key.",
                           "Use write, api or owner.");
    if (row.name.len == 0 || row.name.len > KEY_TEXT_MAX || scopes.len > SCOPES_TEXT_MAX)
        return problem_set(&call->problem, ERR_INPUT, "name",
                           "A key needs a name of at most 200 "
                           "bytes.",
                           "Name it after who will use it.");
    if (chosen.len > 0 && (!is_write || chosen.len < 16 || chosen.len >= KEY_TEXT_MAX))
        return problem_set(&call->problem, ERR_INPUT, "key",
                           "Only a write key may be chosen, of 16 "
                           "to 199 bytes.",
                           "Leave `key` out to have one made.");
    if (str_eq(kind, STR("owner")))
        scopes = STR("*");
    else if (is_write)
        scopes = STR_NONE;
    else if (scopes.len == 0)
        scopes = STR("read");
    TRY(scopes_read(call, scopes, &row.scopes));
    return key_add(call, &row, is_write ? "dw_" : "dk_", chosen);
}

enum err keys_revoke(struct call *call)
{
    int64_t id;
    if (str_to_int(call_param(call, "id"), &id) != OK || id < 1 || id > UINT32_MAX)
        return problem_set(&call->problem, ERR_INPUT, "id", "This is no key's number.",
                           "Take it from the list of keys.");
    pthread_mutex_lock(&call->api->lock);
    enum err err =
        store_credential_revoke(core_store(call->api->conf.core), (uint32_t)id, time_now_ms());
    if (err == OK)
        err = keys_load(call->api, call->desk->reader);
    pthread_mutex_unlock(&call->api->lock);
    if (err == ERR_ABSENT)
        return problem_set(&call->problem, err, "id", "There is no valid key of that number.",
                           "Look at the list of keys.");
    TRY(err);
    buf_format(&call->out, "{\"id\":%lld,\"revoked\":true}", (long long)id);
    return OK;
}

/* ---- the first owner ---- */

bool api_has_keys(struct api *api)
{
    struct keys *keys = atomic_load(&api->keys);
    return keys->write_count + keys->bearer_count > 0;
}

enum err api_owner_token(struct api *api, char *out)
{
    struct keys *keys = atomic_load(&api->keys);
    if (keys->has_owner)
        return ERR_CONFLICT;
    pthread_mutex_lock(&api->lock);
    api->owner = auth_once_make(time_now_ms() + AUTH_ONCE_MS, out);
    pthread_mutex_unlock(&api->lock);
    return OK;
}

enum err owner_claim(struct call *call)
{
    struct json body;
    TRY(call_body(call, &body));
    pthread_mutex_lock(&call->api->lock);
    bool is_right =
        auth_once_take(&call->api->owner, json_get_str(&body, STR("token")), time_now_ms());
    pthread_mutex_unlock(&call->api->lock);
    if (!is_right)
        return problem_set(&call->problem, ERR_DENIED, "token",
                           "This token is wrong, used or older "
                           "than an hour.",
                           "Start Dult again for a new one, or use `dult owner "
                           "create`.");
    struct store_credential row = { .kind = STR("owner"),
                                    .scopes = STR("*"),
                                    .name = json_get_str(&body, STR("name")) };
    if (row.name.len == 0 || row.name.len > KEY_TEXT_MAX)
        row.name = STR("owner");
    return key_add(call, &row, "dk_", STR_NONE);
}
