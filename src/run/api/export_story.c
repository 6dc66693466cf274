/* What was decided about a person: in words, each thing with its steps. */
#include "run/api/exporting.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "engine/vec.h"
#include "message/token.h"
#include "run/send/teller.h"

/* ---- one decision ---- */

static bool is_instant(struct str key)
{
    return str_eq(key, STR("due")) || str_eq(key, STR("retry_at")) || str_eq(key, STR("since")) ||
           str_eq(key, STR("until")) || str_eq(key, STR("expires"));
}

/* Numbers of names: what they name stands beside them, or is put there. */
static bool number_name(const struct export *export, struct str key, int64_t number,
                        const char **as, struct str *name)
{
    *as = NULL;
    *name = STR_NONE;
    if (str_eq(key, STR("journey_id"))) {
        *as = "journey";
        *name = export_name(export, NAME_JOURNEY, (uint64_t)number);
    } else if (str_eq(key, STR("topic_id"))) {
        *as = "topic";
        *name = export_name(export, NAME_TOPIC, (uint64_t)number);
    }
    return *as != NULL || str_eq(key, STR("template_id")) || str_eq(key, STR("codes_id")) ||
           str_eq(key, STR("node_number"));
}

static void member_write(struct export *export, const struct json *detail, uint32_t i, bool *first)
{
    struct buf                  *out = &export->spool.out;
    struct str                   key = detail->members[i].key, name;
    const struct json           *value = &detail->members[i].value;
    const char                  *as;
    SCOPED(buf_donep) struct buf text = buf_make(DECISION_DETAIL_BYTES_MAX);
    buf_str(&text, key);
    buf_char(&text, '\0');
    if (buf_err(&text) != OK)
        return;
    if (value->kind == JSON_INT && is_instant(key)) {
        write_time(out, first, buf_view(&text).ptr, value->integer);
        return;
    }
    if (value->kind == JSON_INT && number_name(export, key, value->integer, &as, &name)) {
        if (as != NULL && json_get(detail, str_of(as)) == NULL)
            write_text(out, first, as, name);
        return;
    }
    json_write_key(out, first, buf_view(&text).ptr);
    json_write(out, value);
}

enum err export_detail(struct export *export, struct str text, bool *first)
{
    struct json detail = { .kind = JSON_NULL };
    if (text.len > 0)
        TRY(json_parse(export->call->desk->parser, export->row, text, &detail, NULL));
    for (uint32_t i = 0; detail.kind == JSON_OBJECT && i < detail.count; i++)
        member_write(export, &detail, i, first);
    return OK;
}

enum err export_decision(struct export *export, const struct decision *d, const char *type)
{
    struct buf *out = &export->spool.out;
    bool        first = true;
    buf_char(out, '{');
    write_text(out, &first, "type", str_of(type));
    write_time(out, &first, "at", d->at_ms);
    write_int(out, &first, "record", (int64_t)d->seq);
    if (d->kind == DECISION_MERGE)
        write_person(out, &first, "from", (uint32_t)d->subject);
    if (d->kind == DECISION_MERGE || d->kind == DECISION_UNMERGE || d->kind == DECISION_PROFILE)
        write_person(out, &first, "profile", d->profile);
    TRY(export_detail(export, d->detail, &first));
    buf_char(out, '}');
    return OK;
}

enum err export_decision_get(struct export *export, uint64_t id, struct decision *out)
{
    struct store_decision row;
    arena_reset(export->row);
    TRY(store_decision_get(export->call->desk->reader, export->row, id, &row));
    decision_of_row(&row, out);
    return OK;
}

/* ---- lists of decisions ---- */

static enum err decisions_write(struct export *export, const struct export_ids *ids)
{
    bool any = false;
    for (uint32_t i = 0; i < ids->count; i++) {
        struct decision d;
        enum err        err = export_decision_get(export, ids->items[i], &d);
        if (err == ERR_ABSENT)
            continue; /* erased a moment ago: the whole is thrown away at the end */
        TRY(err);
        export_item(export, &any);
        TRY(export_decision(export, &d, decision_name(d.kind)));
        TRY(export_item_end(export));
    }
    return OK;
}

enum err export_history(struct export *export)
{
    export_list(export, "history");
    TRY(decisions_write(export, &export->history));
    export_list_end(export);
    return OK;
}

enum err export_consents(struct export *export)
{
    buf_str(&export->spool.out, STR(",\n\"consent\":{\"standing\":["));
    buf_str(&export->spool.out, buf_view(&export->standing));
    buf_str(&export->spool.out, STR("],\n\"said\":["));
    TRY(decisions_write(export, &export->consents));
    buf_str(&export->spool.out, STR("]}"));
    return OK;
}

/* ---- things with steps ---- */

static int refs_in_order(const void *a, const void *b)
{
    const struct export_ref *x = a, *y = b;
    if (x->about != y->about)
        return x->about < y->about ? -1 : 1;
    if (x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    uint64_t i = x->id == 0 ? UINT64_MAX : x->id, k = y->id == 0 ? UINT64_MAX : y->id;
    return i < k ? -1 : i > k;
}

static void refs_sort(struct export_refs *refs)
{
    if (refs->count > 1)
        qsort(refs->items, refs->count, sizeof *refs->items, refs_in_order);
}

static uint32_t refs_end(const struct export_refs *refs, uint32_t from)
{
    uint32_t end = from;
    while (end < refs->count && refs->items[end].about == refs->items[from].about)
        end++;
    return end;
}

/* What a merge brought was begun by a profile that may be another person's again: of that only the
 * name of what was begun is told, which is nobody's. */
static enum err enrollment_write(struct export *export, uint32_t from, uint32_t end)
{
    struct buf     *out = &export->spool.out;
    struct decision begun;
    uint64_t        about = export->enrollments.items[from].about;
    bool            first = true, any = false;
    enum err        err = export_decision_get(export, about, &begun);
    if (err != OK && err != ERR_ABSENT)
        return err;
    buf_char(out, '{');
    write_int(out, &first, "enrollment", (int64_t)about);
    if (err == OK)
        write_text(out, &first, "journey", export_name(export, NAME_JOURNEY, begun.subject));
    buf_str(out, STR(",\"path\":["));
    for (uint32_t i = from; i < end; i++) {
        struct decision d;
        err = export_decision_get(export, export->enrollments.items[i].id, &d);
        if (err == ERR_ABSENT)
            continue;
        TRY(err);
        export_item(export, &any);
        TRY(export_decision(export, &d, decision_name(d.kind)));
    }
    buf_str(out, STR("]}"));
    return OK;
}

enum err export_enrollments(struct export *export)
{
    bool any = false;
    refs_sort(&export->enrollments);
    export_list(export, "enrollments");
    for (uint32_t from = 0, end; from < export->enrollments.count; from = end) {
        end = refs_end(&export->enrollments, from);
        export_item(export, &any);
        TRY(enrollment_write(export, from, end));
        TRY(export_item_end(export));
    }
    export_list_end(export);
    return OK;
}

/* ---- messages ---- */

struct sums {
    uint32_t           opened[2], clicked[2]; /* by people, by machines */
    const char        *state;
    uint32_t           claimed_for; /* PROFILE_NONE: never */
    enum decision_kind last;
};

static enum err step_decision(struct export *export, uint64_t id, struct sums *sums)
{
    struct decision d;
    struct json     detail;
    TRY(export_decision_get(export, id, &d));
    sums->state = message_state_name(d.kind);
    sums->last = d.kind;
    if (d.kind == DECISION_CLAIMED) {
        sums->claimed_for = d.profile;
        TRY(json_parse(export->call->desk->parser, export->row, d.detail, &detail, NULL));
        TRY(export_address(export, json_get_str(&detail, STR("to"))));
    }
    return export_decision(export, &d, message_state_name(d.kind));
}

/* The event stands whole among the events; here its number. */
static enum err step_event(struct export *export, uint64_t seq, struct sums *sums)
{
    struct buf        *out = &export->spool.out;
    struct store_event row;
    struct json        body;
    bool               first = true;
    arena_reset(export->row);
    TRY(store_event_get(export->call->desk->reader, export->row, seq, &row));
    TRY(json_parse(export->call->desk->parser, export->row, row.body, &body, NULL));
    const char *word = message_event_word(row.name);
    bool        machine = json_get_bool(json_get(&body, STR("properties")), STR("machine"), false);
    sums->opened[machine] += strcmp(word, "opened") == 0;
    sums->clicked[machine] += strcmp(word, "clicked") == 0;
    buf_char(out, '{');
    write_text(out, &first, "type", str_of(word));
    write_time(out, &first, "at", row.at_ms);
    write_int(out, &first, "record", (int64_t)seq);
    if (machine)
        buf_str(out, STR(",\"machine\":true"));
    buf_char(out, '}');
    return OK;
}

/* What a program asked for: its key, and the names of the files that went with it. */
static enum err asked_write(struct export *export, uint64_t seq, bool *first)
{
    struct store_event row;
    struct json        body;
    struct buf        *out = &export->spool.out;
    enum err           err = store_event_get(export->call->desk->reader, export->row, seq, &row);
    if (err == ERR_ABSENT || (err == OK && !export_is_member(export, row.profile)))
        return OK;
    TRY(err);
    TRY(json_parse(export->call->desk->parser, export->row, row.body, &body, NULL));
    write_text(out, first, "key", row.message_id);
    const struct json *files = json_get(&body, STR("files"));
    if (files == NULL)
        return OK;
    json_write_key(out, first, "files");
    json_write(out, files);
    return OK;
}

static enum err intent_write(struct export *export, uint64_t message, bool *first)
{
    struct decision intent;
    struct json     detail;
    int64_t         seq;
    struct buf     *out = &export->spool.out;
    enum err        err = export_decision_get(export, message, &intent);
    write_int(out, first, "message", (int64_t)message);
    if (err == ERR_ABSENT)
        return OK;
    TRY(err);
    TRY(json_parse(export->call->desk->parser, export->row, intent.detail, &detail, NULL));
    write_text(out, first, "template", json_get_str(&detail, STR("template")));
    write_text(out, first, "channel", json_get_str(&detail, STR("channel")));
    write_text(out, first, "journey", json_get_str(&detail, STR("journey")));
    write_text(out, first, "broadcast", json_get_str(&detail, STR("broadcast")));
    return json_get(&detail, STR("asked")) != NULL && json_get_int(&detail, STR("event"), &seq)
               ? asked_write(export, (uint64_t)seq, first)
               : OK;
}

/* Where the mail can be read again: made anew of what it was made of. */
static void view_write(struct export *export, uint64_t message, const struct sums *sums,
                       bool *first)
{
    const struct api_conf       *conf = &export->call->api->conf;
    SCOPED(buf_donep) struct buf link = buf_make(HTTP_BODY_BYTES_MAX);
    if (conf->tokens == NULL || conf->public_url.len == 0 || sums->last != DECISION_SENT ||
        sums->claimed_for == PROFILE_NONE)
        return;
    buf_str(&link, conf->public_url);
    buf_str(&link, STR("/v/"));
    token_write(conf->tokens, (struct token){ TOKEN_VIEW, sums->claimed_for, message }, STR_NONE,
                &link);
    if (buf_err(&link) == OK)
        write_text(&export->spool.out, first, "view", buf_view(&link));
}

static void count_write(struct buf *out, bool *first, const char *key, const uint32_t counts[2])
{
    bool inner = true;
    json_write_key(out, first, key);
    buf_char(out, '{');
    write_int(out, &inner, "byPeople", counts[0]);
    write_int(out, &inner, "byMachines", counts[1]);
    buf_char(out, '}');
}

static enum err message_write(struct export *export, uint32_t from, uint32_t end)
{
    struct buf *out = &export->spool.out;
    struct sums sums = { .claimed_for = PROFILE_NONE };
    uint64_t    message = export->messages.items[from].about;
    bool        first = true, any = false;
    buf_char(out, '{');
    TRY(intent_write(export, message, &first));
    buf_str(out, STR(",\"steps\":["));
    for (uint32_t i = from; i < end; i++) {
        const struct export_ref *ref = &export->messages.items[i];
        size_t                   before = out->len;
        bool                     had = any;
        export_item(export, &any);
        enum err err = ref->id != 0 ? step_decision(export, ref->id, &sums)
                                    : step_event(export, ref->seq, &sums);
        if (err == ERR_ABSENT) { /* what is kept no longer */
            out->len = before;
            any = had;
            continue;
        }
        TRY(err);
    }
    buf_char(out, ']');
    write_text(out, &first, "state", str_of(sums.state));
    count_write(out, &first, "opened", sums.opened);
    count_write(out, &first, "clicked", sums.clicked);
    view_write(export, message, &sums, &first);
    buf_char(out, '}');
    return OK;
}

enum err export_messages(struct export *export)
{
    bool any = false;
    refs_sort(&export->messages);
    export_list(export, "messages");
    for (uint32_t from = 0, end; from < export->messages.count; from = end) {
        end = refs_end(&export->messages, from);
        export_item(export, &any);
        TRY(message_write(export, from, end));
        TRY(export_item_end(export));
    }
    export_list_end(export);
    return OK;
}
