#include "run/send/render_data.h"
#include "run/send/linked.h"
#include "run/send/render_answers.h"
#include "run/send/render_codes.h"
#include "run/send/topic_words.h"

#include <stdio.h>

enum { MEMBERS_MAX = 4096 }; /* of one level; a person with more traits is a table */

/* An object that grows; the last of a key wins. */
struct object {
    struct json_member *members;
    uint32_t            count, room;
    struct arena       *arena;
    bool                failed;
};

static struct object object_make(struct arena *arena, uint32_t room)
{
    return (struct object){ .members = ARENA_ARRAY(arena, room, struct json_member),
                            .room = room,
                            .arena = arena };
}

static void put(struct object *object, struct str key, struct json value)
{
    if (object->members == NULL || object->failed) {
        object->failed = true;
        return;
    }
    for (uint32_t i = 0; i < object->count; i++)
        if (str_eq(object->members[i].key, key)) {
            object->members[i].value = value;
            return;
        }
    if (object->count == object->room)
        object->failed = true;
    else
        object->members[object->count++] = (struct json_member){ key, value };
}

static struct json json_of_str(struct str text)
{
    return (struct json){ .kind = JSON_STRING, .string = text };
}

static struct json json_of_object(const struct object *object)
{
    return (struct json){ .kind = JSON_OBJECT, .count = object->count, .members = object->members };
}

enum err data_merge(struct arena *arena, const struct json *a, const struct json *b,
                    struct json *out)
{
    if (a->kind != JSON_OBJECT || b->kind != JSON_OBJECT) {
        *out = *b;
        return OK;
    }
    struct object merged = object_make(arena, a->count + b->count);
    for (uint32_t i = 0; i < a->count && i < MEMBERS_MAX; i++)
        put(&merged, a->members[i].key, a->members[i].value);
    for (uint32_t i = 0; i < b->count && i < MEMBERS_MAX; i++) {
        struct json        value = b->members[i].value;
        const struct json *old = json_get(a, b->members[i].key);
        if (old != NULL)
            TRY(data_merge(arena, old, &b->members[i].value, &value));
        put(&merged, b->members[i].key, value);
    }
    if (merged.failed)
        return ERR_MEMORY;
    *out = json_of_object(&merged);
    return OK;
}

/* ---- the person ---- */

struct person {
    const struct data_in *in;
    struct arena         *arena;
    struct json           traits;
    struct str            user_id;
};

static enum err traits_each(void *ctx, const struct store_event *row)
{
    struct person *person = ctx;
    struct json    body;
    if (row->user_id.len > 0)
        person->user_id = str_copy(person->arena, row->user_id);
    if (json_parse(person->in->parser, person->arena, row->body, &body, NULL) != OK)
        return ERR_CORRUPT;
    const struct json *traits = json_get(&body, STR("traits"));
    if (traits == NULL || traits->kind != JSON_OBJECT)
        return OK;
    return data_merge(person->arena, &person->traits, traits, &person->traits);
}

/* What the claim froze beside the person's traits. */
struct frozen {
    struct json when, codes, answers;
};

static enum err frozen_take(const struct data_in *in, struct arena *arena,
                            const struct json_member *member, struct object *traits,
                            struct frozen *out)
{
    if (str_eq(member->key, STR("$codes")))
        return render_codes(in->reader, arena, &member->value, &out->codes);
    if (str_eq(member->key, STR("$answers")))
        return render_answers(in, arena, &member->value, &out->answers);
    if (str_eq(member->key, STR("$when"))) /* what the text's conditions said */
        out->when = member->value;
    else
        put(traits, member->key, member->value);
    return OK;
}

static enum err person_make(const struct data_in *in, struct arena *arena, struct str event_user,
                            struct json *out, struct frozen *frozen)
{
    struct person person = {
        .in = in, .arena = arena, .traits = { .kind = JSON_OBJECT }, .user_id = event_user
    };
    uint64_t *seqs = ARENA_ARRAY(arena, in->claim->trait_seqs_count, uint64_t);
    if (seqs == NULL)
        return ERR_MEMORY;
    for (uint32_t i = 0; i < in->claim->trait_seqs_count; i++)
        seqs[i] = in->claim->trait_seqs[i];
    TRY(store_events_by_seqs(in->reader, seqs, in->claim->trait_seqs_count, traits_each, &person));
    struct str id =
        person.user_id.len > 0 ? person.user_id : str_format(arena, "p%u", in->claim->profile + 1);
    struct json computed = { .kind = JSON_OBJECT };
    if (in->claim->computed.len > 0 &&
        (json_parse(in->parser, arena, in->claim->computed, &computed, NULL) != OK ||
         computed.kind != JSON_OBJECT))
        return ERR_CORRUPT;
    struct object all = object_make(arena, person.traits.count + computed.count + 1);
    for (uint32_t i = 0; i < person.traits.count; i++)
        put(&all, person.traits.members[i].key, person.traits.members[i].value);
    for (uint32_t i = 0; i < computed.count; i++) /* they win over what was told */
        TRY(frozen_take(in, arena, &computed.members[i], &all, frozen));
    put(&all, STR("id"), json_of_str(id));
    *out = json_of_object(&all);
    return all.failed ? ERR_MEMORY : OK;
}

/* ---- the event ---- */

static struct str event_name(const struct store_event *row, struct str name)
{
    if (name.len > 0)
        return name;
    return row->kind == STORE_EVENT_IDENTIFY ? STR("Identify") : STR_NONE;
}

static enum err event_object(struct arena *arena, struct str name, const struct json *properties,
                             struct json *out)
{
    struct json empty = { .kind = JSON_OBJECT };
    if (properties == NULL || properties->kind != JSON_OBJECT)
        properties = &empty;
    struct object event = object_make(arena, properties->count + 2);
    for (uint32_t i = 0; i < properties->count; i++)
        put(&event, properties->members[i].key, properties->members[i].value);
    put(&event, STR("properties"), *properties);
    if (name.len > 0)
        put(&event, STR("name"), json_of_str(name));
    *out = json_of_object(&event);
    return event.failed ? ERR_MEMORY : OK;
}

static enum err event_members(const struct data_in *in, struct arena *arena,
                              const struct store_event *row, struct asked *asked, struct json *out)
{
    struct json body;
    struct str  name = STR_NONE;
    if (row->name != 0)
        TRY(parts_name(in->parts, STORE_NAME_EVENT, row->name, arena, &name));
    if (json_parse(in->parser, arena, row->body, &body, NULL) != OK)
        return ERR_CORRUPT;
    if (row->kind == STORE_EVENT_REQUEST)
        TRY(asked_read(in->reader, arena, row->seq, &body, in->wants_files, asked));
    const char *seen = row->kind == STORE_EVENT_REQUEST ? "data" : "properties";
    return event_object(arena, event_name(row, name), json_get(&body, str_of(seen)), out);
}

/* Without a triggering event there is an empty one, so that what asks it is reported as missing. */
static enum err event_make(const struct data_in *in, struct arena *arena, struct json *out,
                           struct str *user_id, struct asked *asked)
{
    struct store_event row;
    *out = (struct json){ .kind = JSON_OBJECT };
    *user_id = STR_NONE;
    if (in->event != NULL)
        return event_object(arena, json_get_str(in->event, STR("name")),
                            json_get(in->event, STR("properties")), out);
    if (in->claim->event_seq == 0)
        return OK;
    enum err err = store_event_get(in->reader, arena, in->claim->event_seq, &row);
    if (err == ERR_ABSENT)
        return OK; /* erased since, or a moment that kept no event */
    TRY(err);
    *user_id = row.user_id;
    return event_members(in, arena, &row, asked, out);
}

/* ---- all of it ---- */

static enum err linked_put(const struct data_in *in, struct arena *arena, const struct json *person,
                           struct object *root, struct str *safe_html)
{
    struct linked_in wanted = { .links = &in->links,
                                .parts = in->parts,
                                .email = in->email,
                                .languages = { json_get_str(person, STR("language")),
                                               json_get_str(person, STR("locale")),
                                               in->workspace->language },
                                .now_ms = in->now_ms };
    struct linked    linked;
    TRY(linked_make(&wanted, arena, &linked));
    put(root, STR("questions"), linked.questions);
    put(root, STR("files"), linked.files);
    *safe_html = linked.html;
    return OK;
}

enum err data_make(const struct data_in *in, struct arena *arena, struct asked *asked,
                   struct json *out, struct str *safe_html)
{
    struct json   person, event, topic;
    struct frozen frozen = { .when.kind = JSON_OBJECT,
                             .codes.kind = JSON_OBJECT,
                             .answers.kind = JSON_OBJECT };
    struct str    user_id;
    struct object links = object_make(arena, 4), journey = object_make(arena, 2);
    struct object workspace = object_make(arena, 2), root = object_make(arena, 11);
    struct object template = object_make(arena, 2);
    *asked = (struct asked){ .reply_to = STR_NONE };
    TRY(event_make(in, arena, &event, &user_id, asked));
    TRY(person_make(in, arena, user_id, &person, &frozen));
    put(&links, STR("unsubscribe"), json_of_str(in->urls->unsubscribe));
    put(&links, STR("view"), json_of_str(in->urls->view));
    put(&links, STR("preferences"), json_of_str(in->urls->preferences));
    put(&links, STR("confirm"), json_of_str(in->urls->confirm));
    if (in->journey.len > 0)
        put(&journey, STR("name"), json_of_str(in->journey));
    put(&journey, STR("answers"), frozen.answers);
    if (in->workspace->name.len > 0)
        put(&workspace, STR("name"), json_of_str(in->workspace->name));
    if (in->workspace->address.len > 0)
        put(&workspace, STR("address"), json_of_str(in->workspace->address));
    if (in->template_name.len > 0)
        put(&template, STR("name"), json_of_str(in->template_name));
    if (in->topic.len > 0)
        put(&template, STR("topic"), json_of_str(in->topic));
    put(&root, STR("person"), person);
    put(&root, STR("when"), frozen.when);
    put(&root, STR("codes"), frozen.codes);
    put(&root, STR("template"), json_of_object(&template));
    put(&root, STR("event"), event);
    put(&root, STR("links"), json_of_object(&links));
    put(&root, STR("journey"), json_of_object(&journey));
    TRY(topic_data(in, arena, &person, &topic));
    put(&root, STR("topic"), topic);
    put(&root, STR("workspace"), json_of_object(&workspace));
    TRY(linked_put(in, arena, &person, &root, safe_html));
    *out = json_of_object(&root);
    return root.failed || links.failed || journey.failed || workspace.failed || template.failed
               ? ERR_MEMORY
               : OK;
}
