#include "run/core/redeeming.h"

#include <string.h>

enum {
    PROPERTIES_BYTES_MAX = 4096,
    GIVEN_MAX = 64, /* of a fixed code to one person: under more an order is not looked for */
};

struct finding {
    struct store_reader          *reader;
    const struct engine          *engine;
    const struct redeeming_order *order;
    struct arena                 *arena;
    struct str                    order_id;
    struct redemption            *out;
    uint32_t                      count;
};

/* ---- what the order says ---- */

/* "881", or the number 881. */
static struct str text_of(struct arena *arena, const struct json *value)
{
    SCOPED(buf_donep) struct buf text = buf_make(64);
    if (value == NULL)
        return STR_NONE;
    if (value->kind == JSON_STRING)
        return str_trim(value->string);
    if (value->kind != JSON_INT)
        return STR_NONE;
    json_write(&text, value);
    return str_copy(arena, buf_view(&text));
}

/* Who tells no order's number has an order an event. */
static struct str order_of(const struct redeeming_order *order, struct arena *arena)
{
    static const char *const names[] = { "order_id", "orderId", "order_number", "checkout_id" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct str text = text_of(arena, json_get(order->properties, str_of(names[i])));
        if (text.len > 0)
            return str_slice(text, 0, REDEEMING_ORDER_BYTES_MAX);
    }
    return order->message_id.len > 0
               ? str_slice(order->message_id, 0, REDEEMING_ORDER_BYTES_MAX)
               : str_format(arena, "event %llu", (unsigned long long)order->seq);
}

static const struct json *first_of(const struct json *object, const char *const *names)
{
    for (; *names != NULL; names++)
        if (json_get(object, str_of(*names)) != NULL)
            return json_get(object, str_of(*names));
    return NULL;
}

/* ---- whose code it was ---- */

struct wanted {
    struct arena     *arena;
    uint32_t          pool;
    struct str        text;  /* of a fixed code, as the order names it */
    int64_t           at_ms; /* of the order: what is given later it cannot have used */
    bool              is_found;
    struct store_code code;
    uint64_t          keys[GIVEN_MAX + 1]; /* under which the order may have been told before */
    uint32_t          keys_count;
};

static enum err given_each(void *ctx, const struct store_code *row)
{
    struct wanted *wanted = ctx;
    if (row->key >> 32 != wanted->pool || row->given_ms == 0)
        return OK;
    wanted->code = *row;
    wanted->code.text = str_copy(wanted->arena, row->text);
    wanted->is_found = wanted->code.text.ptr != NULL;
    wanted->keys[0] = row->key;
    wanted->keys_count = 1;
    return wanted->is_found ? ERR_LIMIT : ERR_MEMORY; /* it was the one */
}

static enum err pooled_find(const struct finding *finding, struct str text, struct wanted *out)
{
    char     bytes[CODE_BYTES_MAX];
    enum err err = store_codes_named(finding->reader, codes_fold(text, bytes), given_each, out);
    return err == ERR_LIMIT ? OK : err;
}

/* Each time it was given, as it was called then; found is the last time before the order. */
static enum err fixed_each(void *ctx, const struct store_code *row)
{
    struct wanted *wanted = ctx;
    if (row->given_ms == 0 || !str_eq_nocase(row->text, wanted->text))
        return OK;
    if (wanted->keys_count < GIVEN_MAX)
        wanted->keys[wanted->keys_count++] = row->key;
    if (row->given_ms > wanted->at_ms || (wanted->is_found && row->key < wanted->code.key))
        return OK;
    wanted->code = *row;
    wanted->code.text = str_copy(wanted->arena, row->text);
    wanted->is_found = wanted->code.text.ptr != NULL;
    return wanted->is_found ? OK : ERR_MEMORY;
}

/* Given to anyone that the person is. */
static enum err fixed_find(const struct finding *finding, struct wanted *out)
{
    const struct people *people = engine_people(finding->engine);
    uint32_t             profile = finding->order->profile;
    uint64_t             from = store_code_key(out->pool, 1);
    do {
        TRY(store_codes_of(finding->reader, (uint64_t)profile + 1, from,
                           store_code_key(out->pool, UINT32_MAX), fixed_each, out));
        profile = people_get((struct people *)people, profile)->next;
    } while (profile != finding->order->profile);
    out->keys[out->keys_count++] = store_code_key(out->pool, 0);
    return OK;
}

static enum err order_each(void *ctx, const struct store_code_order *row)
{
    (void)row;
    *(bool *)ctx = true;
    return OK;
}

static enum err was_ordered(const struct finding *finding, const struct wanted *wanted, bool *out)
{
    *out = false;
    for (uint32_t i = 0; i < wanted->keys_count && !*out; i++)
        TRY(store_code_orders(finding->reader, wanted->keys[i], finding->order_id, order_each,
                              out));
    return OK;
}

/* ---- what is told ---- */

static void member(struct buf *out, bool *first, const char *key, struct str text)
{
    if (text.len == 0)
        return;
    json_write_key(out, first, key);
    json_write_str(out, text);
}

static void flag(struct buf *out, bool *first, const char *key, bool value)
{
    json_write_key(out, first, key);
    buf_str(out, value ? STR("true") : STR("false"));
}

static void money_write(const struct finding *finding, struct buf *out, bool *first)
{
    static const char *const values[] = { "total", "revenue", "value", NULL };
    const struct json       *value = first_of(finding->order->properties, values);
    double                   number;
    if (value == NULL || !json_to_real(value, &number))
        return;
    json_write_key(out, first, "value");
    json_write(out, value);
    member(out, first, "currency",
           str_slice(json_get_str(finding->order->properties, STR("currency")), 0, 8));
}

static struct str name_of(const struct finding *finding, enum name_kind kind, uint32_t number)
{
    const struct program *program = engine_program((struct engine *)finding->engine);
    return number == 0 ? STR_NONE : program_name(program, kind, number - 1);
}

static bool is_owner(const struct finding *finding, const struct wanted *wanted)
{
    const struct people *people = engine_people(finding->engine);
    return wanted->is_found && wanted->code.profile > 0 &&
           people_root(people, (uint32_t)(wanted->code.profile - 1)) ==
               people_root(people, finding->order->profile);
}

static enum err properties_write(const struct finding *finding, const struct codes_state *state,
                                 const struct wanted *wanted, struct str code, struct str *out)
{
    SCOPED(buf_donep) struct buf text = buf_make(PROPERTIES_BYTES_MAX);
    const struct store_code     *given = &wanted->code;
    bool                         first = true;
    buf_char(&text, '{');
    member(&text, &first, "code", code);
    member(&text, &first, "pool", state->name);
    member(&text, &first, "order_id", finding->order_id);
    flag(&text, &first, "by_owner", is_owner(finding, wanted));
    flag(&text, &first, "expired",
         given->expires_ms > 0 && finding->order->at_ms >= given->expires_ms + 1000);
    member(&text, &first, "journey", name_of(finding, NAME_JOURNEY, given->journey));
    member(&text, &first, "template", name_of(finding, NAME_TEMPLATE, given->template_id));
    if (given->message > 0) {
        json_write_key(&text, &first, "message");
        buf_int(&text, (int64_t)given->message);
    }
    money_write(finding, &text, &first);
    buf_char(&text, '}');
    TRY(buf_err(&text));
    *out = str_copy(finding->arena, buf_view(&text));
    return out->ptr == NULL ? ERR_MEMORY : OK;
}

static enum err redemption_add(struct finding *finding, const struct codes_state *state,
                               const struct wanted *wanted, struct str code)
{
    const struct people *people = engine_people(finding->engine);
    bool                 is_told = false;
    struct redemption    made = { .pool = state->pool,
                                  .key = wanted->is_found ? wanted->code.key
                                                          : store_code_key(state->pool, 0),
                                  .message = wanted->code.message,
                                  .order_id = finding->order_id,
                                  .profile = finding->order->profile };
    if (wanted->is_found && wanted->code.profile > 0 &&
        !people_is_nobody(people, (uint32_t)(wanted->code.profile - 1)))
        made.profile = (uint32_t)(wanted->code.profile - 1);
    for (uint32_t i = 0; i < finding->count; i++)
        if (finding->out[i].key == made.key)
            return OK; /* named twice by one order */
    TRY(was_ordered(finding, wanted, &is_told));
    if (is_told)
        return OK;
    TRY(properties_write(finding, state, wanted, code, &made.properties));
    uint64_t named = state->def->kind == CODES_FIXED ? store_code_key(state->pool, 0) : made.key;
    made.message_id = str_format(finding->arena, "code:%llu:%.*s", (unsigned long long)named,
                                 STR_ARG(made.order_id));
    if (made.message_id.ptr == NULL)
        return ERR_MEMORY;
    finding->out[finding->count++] = made;
    return OK;
}

/* ---- which codes it names ---- */

static enum err code_try(struct finding *finding, const struct codes_state *state, struct str text)
{
    text = str_trim(text);
    struct wanted wanted = {
        .arena = finding->arena, .pool = state->pool, .text = text, .at_ms = finding->order->at_ms
    };
    bool is_fixed = state->def->kind == CODES_FIXED;
    if (!codes_is_code(text) || finding->count == REDEEMING_CODES_MAX)
        return OK;
    TRY(is_fixed ? fixed_find(finding, &wanted) : pooled_find(finding, text, &wanted));
    if (!wanted.is_found && !(is_fixed && str_eq_nocase(text, str_of(state->def->text))))
        return OK;
    return redemption_add(finding, state, &wanted,
                          wanted.is_found ? wanted.code.text : str_of(state->def->text));
}

/* A text, which may name several with commas between; or a list of texts or of {"code"}. */
static enum err value_try(struct finding *finding, const struct codes_state *state,
                          const struct json *value)
{
    struct str rest, piece;
    if (value == NULL)
        return OK;
    if (value->kind == JSON_STRING) {
        rest = value->string;
        while (rest.len > 0 && str_split(&rest, ',', &piece))
            TRY(code_try(finding, state, piece));
    }
    for (uint32_t i = 0; value->kind == JSON_ARRAY && i < value->count && i < REDEEMING_CODES_MAX;
         i++) {
        const struct json *item = &value->items[i];
        TRY(code_try(finding, state,
                     item->kind == JSON_STRING ? item->string : json_get_str(item, STR("code"))));
    }
    return OK;
}

static enum err pool_try(struct finding *finding, const struct codes_state *state)
{
    const char *name;
    for (uint32_t i = 0; (name = codes_property(state->def, i)) != NULL; i++)
        TRY(value_try(finding, state, json_path(finding->order->properties, str_of(name))));
    return OK;
}

enum err redeeming_find(struct store_reader *reader, const struct engine *engine,
                        const struct redeeming_order *order, struct arena *arena,
                        struct redemption out[REDEEMING_CODES_MAX], uint32_t *count)
{
    struct finding     finding = { .reader = reader,
                                   .engine = engine,
                                   .order = order,
                                   .arena = arena,
                                   .order_id = order_of(order, arena),
                                   .out = out };
    struct codes_state state;
    *count = 0;
    if (order->properties == NULL || order->properties->kind != JSON_OBJECT)
        return OK;
    for (uint32_t i = 0; i < engine_codes_count(engine); i++)
        if (engine_codes_state(engine, i, &state) && str_eq(order->event, str_of(state.def->event)))
            TRY(pool_try(&finding, &state));
    *count = finding.count;
    return OK;
}
