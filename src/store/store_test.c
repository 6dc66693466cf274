/* What goes into the store comes out of it; store_open_test.c opens it, store_erase_test.c takes
 * away. */
#include "store/store.h"

#include "store/store_fixture.h"

/* ---- a batch comes back as it went in ---- */

struct seen {
    struct store_event       event;
    struct store_decision    decision;
    struct store_name        name;
    struct store_definition  definition;
    struct store_rejected    rejected;
    struct store_state       state;
    struct store_credential  credential;
    struct store_suppression suppression;
    struct arena            *arena;
    int                      count;
};

static struct str kept(struct seen *seen, struct str s)
{
    return s.len == 0 ? s : str_copy(seen->arena, s);
}

static enum err see_name(void *ctx, const struct store_name *row)
{
    struct seen *seen = ctx;
    seen->name = *row;
    seen->name.text = kept(seen, row->text);
    seen->count++;
    return OK;
}

static enum err see_definition(void *ctx, const struct store_definition *row)
{
    struct seen *seen = ctx;
    seen->definition = *row;
    seen->definition.name = kept(seen, row->name);
    seen->definition.text = kept(seen, row->text);
    seen->definition.author = kept(seen, row->author);
    seen->count++;
    return OK;
}

static enum err see_rejected(void *ctx, const struct store_rejected *row)
{
    struct seen *seen = ctx;
    seen->rejected = *row;
    seen->rejected.reason = kept(seen, row->reason);
    seen->rejected.remedy = kept(seen, row->remedy);
    seen->count++;
    return OK;
}

static enum err see_state(void *ctx, const struct store_state *row)
{
    struct seen *seen = ctx;
    seen->state = *row;
    seen->state.state = kept(seen, row->state);
    seen->count++;
    return OK;
}

static enum err see_credential(void *ctx, const struct store_credential *row)
{
    struct seen *seen = ctx;
    seen->credential = *row;
    seen->credential.name = kept(seen, row->name);
    seen->count++;
    return OK;
}

static enum err see_story(void *ctx, const struct store_decision *row)
{
    struct seen *seen = ctx;
    seen->decision = *row;
    seen->decision.detail = kept(seen, row->detail);
    seen->count++;
    return OK;
}

static enum err see_event(void *ctx, const struct store_event *row)
{
    struct seen *seen = ctx;
    seen->event = *row;
    seen->event.body = kept(seen, row->body);
    seen->count++;
    return OK;
}

static struct store *example_store(struct fixture *fixture)
{
    static const struct store_event events[] = {
        { .seq = 1,
          .received_ms = 1767323045678,
          .at_ms = 1767323045000,
          .kind = STORE_EVENT_IDENTIFY,
          .flags = 5,
          .profile = 7,
          .user_id = STR("ada"),
          .message_id = STR("m1"),
          .body = STR("{\"traits\":{\"country\":\"NO\"}}") },
        { .seq = 2,
          .received_ms = 1767323046000,
          .at_ms = -5,
          .kind = STORE_EVENT_TRACK,
          .source = 1,
          .profile = 7,
          .name = 1,
          .anonymous_id = STR("anon"),
          .body = STR("{}") },
        { .seq = 3, .received_ms = 1767323047000, .at_ms = 0, .kind = STORE_EVENT_TIMER },
    };
    static const struct store_decision decisions[] = {
        { .id = 1, .seq = 1, .profile = 7, .kind = STORE_DECISION_SEGMENT_ENTERED, .subject = 3 },
        { .id = 2,
          .seq = 1,
          .profile = 7,
          .prev = 1,
          .kind = STORE_DECISION_JOURNEY_ENTERED,
          .subject = 4 },
        { .id = 3, .seq = 1, .profile = 8, .kind = STORE_DECISION_SEGMENT_ENTERED, .subject = 3 },
        { .id = 4,
          .seq = 2,
          .profile = 7,
          .prev = 2,
          .kind = STORE_DECISION_MESSAGE_QUEUED,
          .subject = 6,
          .object = 2,
          .detail = STR("{\"to\":\"ada@example.com\"}") },
        { .id = 5,
          .seq = 2,
          .profile = 7,
          .prev = 4,
          .kind = STORE_DECISION_SEGMENT_LEFT,
          .subject = 3 },
        { .id = 6,
          .seq = 2,
          .profile = 7,
          .prev = 5,
          .kind = STORE_DECISION_MESSAGE_SENT,
          .object = 4 },
        { .id = 7,
          .seq = 2,
          .profile = 7,
          .prev = 6,
          .kind = STORE_DECISION_MESSAGE_OPENED,
          .object = 4 },
        { .id = 8,
          .seq = 3,
          .profile = 7,
          .prev = 7,
          .kind = STORE_DECISION_JOURNEY_WAITING,
          .object = 2,
          .detail = STR("{\"node\":\"pause\"}") },
    };
    static const struct store_name names[] = {
        { .kind = STORE_NAME_EVENT, .id = 1, .text = STR("Signed Up") },
        { .kind = STORE_NAME_SEGMENT, .id = 3, .text = STR("vip") },
        { .kind = STORE_NAME_JOURNEY, .id = 4, .text = STR("welcome") },
        { .kind = STORE_NAME_TEMPLATE, .id = 6, .text = STR("hello") },
    };
    static const struct store_definition definitions[] = {
        { .id = 1,
          .seq = 1,
          .kind = STORE_DEFINITION_SEGMENT,
          .version = 1,
          .name = STR("vip"),
          .text = STR("revenue > 1"),
          .author = STR("kari") },
        { .id = 2,
          .seq = 2,
          .kind = STORE_DEFINITION_SEGMENT,
          .version = 2,
          .name = STR("vip"),
          .text = STR("revenue > 2"),
          .author = STR("kari") },
        { .id = 3,
          .seq = 2,
          .kind = STORE_DEFINITION_JOURNEY,
          .version = 1,
          .name = STR("old"),
          .text = STR("{}") },
        { .id = 4, .seq = 3, .kind = STORE_DEFINITION_JOURNEY, .version = 2, .name = STR("old") },
    };
    static const struct store_rejected rejected[] = {
        { .received_ms = 5, .reason = STR("no userId"), .remedy = STR("send one") },
    };
    static const struct store_state states[] = {
        { .profile = 7, .seq = 2, .state = { "\0\1\2", 3 } },
        { .profile = 8, .seq = 2, .state = STR("eight") },
    };
    struct store_batch batch = {
        .events = events,
        .events_count = 3,
        .decisions = decisions,
        .decisions_count = 8,
        .names = names,
        .names_count = 4,
        .definitions = definitions,
        .definitions_count = 4,
        .rejected = rejected,
        .rejected_count = 1,
        .states = states,
        .states_count = 2,
    };
    struct store *store = fixture_open(fixture, 0);
    assert_ok(store_commit(store, &batch));
    return store;
}

TEST(store, a_definition_that_replaces_is_the_only_one_of_its_kind_and_name)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                        *store = example_store(&fixture);
    SCOPED(arena_closep) struct arena   *arena = arena_open(1 << 20);
    struct seen                          seen = { .arena = arena };
    struct store_reader                 *reader;
    static const struct store_definition saved[] = {
        { .id = 5,
          .seq = 4,
          .kind = STORE_DEFINITION_SEGMENT,
          .version = 3,
          .name = STR("vip"),
          .text = STR("revenue > 3"),
          .replaces = true },
        { .id = 6,
          .seq = 5,
          .kind = STORE_DEFINITION_JOURNEY,
          .version = 3,
          .name = STR("vip"),
          .text = STR("{}") },
    };
    assert_ok(
        store_commit(store, &(struct store_batch){ .definitions = saved, .definitions_count = 2 }));
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_definitions_read(reader, 0, see_definition, &seen));
    assert_int_equal(seen.count, 4); /* of six both earlier ones of the segment went */
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_batch_is_read_back_as_it_was_written)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store *store = example_store(&fixture);
    store_close(store);
    store = fixture_open(&fixture, 0);

    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct store_reader               *reader;
    struct seen                        seen = { .arena = arena };
    struct store_event                 event;
    struct store_decision              decision;
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_event_get(reader, arena, 1, &event));
    assert_int_equal(event.received_ms, 1767323045678);
    assert_int_equal(event.flags, 5);
    assert_str(event.user_id, "ada");
    assert_null(event.anonymous_id.ptr);
    assert_str(event.body, "{\"traits\":{\"country\":\"NO\"}}");
    assert_int_equal(store_event_get(reader, arena, 4, &event), ERR_ABSENT);
    assert_ok(store_decision_get(reader, arena, 4, &decision));
    assert_int_equal(decision.object, 2);
    assert_str(decision.detail, "{\"to\":\"ada@example.com\"}");
    assert_ok(store_names_read(reader, see_name, &seen));
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.name.kind, STORE_NAME_TEMPLATE);
    assert_str(seen.name.text, "hello");
    assert_ok(store_definitions_read(reader, 2, see_definition, &seen));
    assert_int_equal(seen.count, 4 + 3);
    assert_int_equal(seen.definition.version, 2);
    assert_null(seen.definition.text.ptr);
    assert_ok(store_rejected_read(reader, 5, see_rejected, &seen));
    assert_int_equal(seen.rejected.id, 1);
    assert_str(seen.rejected.reason, "no userId");
    assert_ok(store_states_read(reader, 7, see_state, &seen));
    assert_str(seen.state.state, "eight");
    assert_int_equal(seen.count, 7 + 1 + 2);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_persons_story_is_read_by_following_the_chain)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = example_store(&fixture);
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .arena = arena };
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_story_read(reader, 8, 100, see_story, &seen));
    assert_int_equal(seen.count, 7); /* all but the other person's */
    assert_int_equal(seen.decision.id, 1);
    seen.count = 0;
    assert_ok(store_story_read(reader, 8, 2, see_story, &seen));
    assert_int_equal(seen.decision.id, 7);
    seen.count = 0;
    assert_ok(store_events_by_seqs(reader, (uint64_t[]){ 3, 9, 1 }, 3, see_event, &seen));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.event.seq, 1);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_state_replaces_the_one_before_and_a_meta_can_be_removed)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = example_store(&fixture);
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .arena = arena };
    struct str                         value;
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_commit(
        store, &(struct store_batch){
                   .states = &(struct store_state){ .profile = 8, .seq = 3, .state = STR("later") },
                   .states_count = 1,
                   .metas = &(struct store_meta){ STR("k"), STR("v") },
                   .metas_count = 1 }));
    assert_ok(store_states_read(reader, 0, see_state, &seen));
    assert_int_equal(seen.count, 2);
    assert_str(seen.state.state, "later");
    assert_int_equal(seen.state.seq, 3);
    assert_ok(store_meta_get(reader, arena, STR("k"), &value));
    assert_str(value, "v");
    assert_ok(store_commit(
        store, &(struct store_batch){ .metas = &(struct store_meta){ STR("k"), STR_NONE },
                                      .metas_count = 1 }));
    assert_int_equal(store_meta_get(reader, arena, STR("k"), &value), ERR_ABSENT);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, a_credential_is_added_listed_and_revoked_once)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = fixture_open(&fixture, 0);
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .arena = arena };
    uint32_t                           id = 0;
    struct store_credential            shop = {
                   .kind = STR("write"), .name = STR("shop"), .hash = STR("h"), .created_ms = 5
    };
    assert_ok(store_credential_add(store, &shop, &id));
    assert_int_equal(id, 1);
    assert_ok(store_credential_add(store, &shop, &id));
    assert_int_equal(id, 2);
    assert_ok(store_credential_revoke(store, 2, 77));
    assert_int_equal(store_credential_revoke(store, 2, 78), ERR_ABSENT);
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_credentials_read(reader, see_credential, &seen));
    assert_int_equal(seen.count, 2);
    assert_int_equal(seen.credential.revoked_ms, 77);
    assert_str(seen.credential.name, "shop");
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, the_rejected_list_keeps_its_newest_rows_only)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    enum { EXTRA = 1500, EACH = 500 };
    static struct store_rejected rows[EACH];
    struct store_upkeep          upkeep;
    for (int i = 0; i < EACH; i++)
        rows[i] = (struct store_rejected){ .received_ms = i, .reason = STR("r") };
    for (int i = 0; i < (STORE_REJECTED_MAX + EXTRA) / EACH; i++)
        assert_ok(
            store_commit(store, &(struct store_batch){ .rejected = rows, .rejected_count = EACH }));
    for (int i = 0; i < 3; i++)
        assert_ok(store_maintain(store, &upkeep));
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 24);
    struct seen                        seen = { .arena = arena };
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_rejected_read(reader, SIZE_MAX, see_rejected, &seen));
    assert_int_equal(seen.count, STORE_REJECTED_MAX);
    assert_int_equal(seen.rejected.id, EXTRA + 1);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

/* ---- what people see in plain SQL ---- */

TEST(store, views_show_the_latest_of_each_thing)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store           *store = example_store(&fixture);
    uint32_t                id;
    struct store_credential shop = { .kind = STR("write"), .name = STR("shop") };
    assert_ok(store_credential_add(store, &shop, &id));
    assert_sql(fixture.dir, "SELECT seq,received,at,kind,name,profile,source FROM events",
               "1|2026-01-02T03:04:05.678Z|2026-01-02T03:04:05.000Z|identify|-|7|dult|"
               "2|2026-01-02T03:04:06.000Z|1969-12-31T23:59:59.995Z|track|Signed Up|7|shop|"
               "3|2026-01-02T03:04:07.000Z|1970-01-01T00:00:00.000Z|timer|-|-|dult|");
    assert_sql(fixture.dir, "SELECT profile,segment,decision,since=entered FROM memberships",
               "8|vip|3|1|");
    assert_sql(fixture.dir, "SELECT enrollment,profile,journey,state,detail FROM enrollments",
               "2|7|welcome|waiting|{\"node\":\"pause\"}|");
    assert_sql(fixture.dir, "SELECT message,enrollment,template,state,opens,clicks FROM messages",
               "4|2|hello|sent|1|0|");
    assert_sql(fixture.dir, "SELECT profile,user_id,events,merged_into FROM profiles",
               "7|ada|2|-|");
    assert_sql(fixture.dir, "SELECT kind,name,version,author,text FROM definitions",
               "segment|vip|2|kari|revenue > 2|");
    store_close(store);
    fixture_done(&fixture);
}

/* ---- addresses and files ---- */

static enum err see_suppression(void *ctx, const struct store_suppression *row)
{
    struct seen *seen = ctx;
    seen->suppression = *row; /* the last: the oldest */
    seen->suppression.address = kept(seen, row->address);
    seen->count++;
    return OK;
}

TEST(store, a_suppression_replaces_the_one_of_its_address_and_is_listed_as_the_newest)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store                      *store = fixture_open(&fixture, 0);
    struct store_reader               *reader;
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 20);
    struct seen                        seen = { .arena = arena };
    const struct store_suppression     rows[] = {
            { .address = STR("a@x"), .reason = 1, .at_ms = 5, .seq = 1, .said = STR("no such user") },
            { .address = STR("b@x"), .reason = 4, .at_ms = 6, .seq = 2 },
            { .address = STR("c@x"), .reason = 4, .at_ms = 6, .seq = 2 },
            { .address = STR("a@x"), .reason = 0, .at_ms = 7, .seq = 3 },
            { .address = STR("c@x"), .is_erased = true },
    };
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_commit(store,
                           &(struct store_batch){ .suppressions = rows, .suppressions_count = 5 }));
    assert_ok(store_suppressions_read(reader, INT64_MAX, see_suppression, &seen));
    assert_int_equal(seen.count, 2);
    assert_str(seen.suppression.address, "b@x");
    assert_ok(store_suppressions_read(reader, seen.suppression.id + 1, see_suppression, &seen));
    assert_int_equal(seen.count, 3);
    assert_sql(fixture.dir, "SELECT address,reason,said FROM suppressions", "b@x|manual|-|");
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}

static enum err see_file(void *ctx, const struct store_file *row)
{
    struct seen *seen = ctx;
    assert_int_equal(row->number, seen->count + 1);
    assert_str(row->type, "text/plain");
    seen->count++;
    return row->content.len == row->number ? OK : ERR_CORRUPT;
}

TEST(store, the_files_of_a_request_are_read_in_order_and_go_with_it)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store           *store = fixture_open(&fixture, 0);
    struct store_reader    *reader;
    struct seen             seen = { 0 };
    const struct store_file rows[] = {
        { 7, 2, STR("b"), STR("text/plain"), { "\0\1", 2 } },
        { 7, 1, STR("a"), STR("text/plain"), STR("x") },
        { 8, 1, STR("c"), STR("text/plain"), STR("y") },
    };
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_commit(store, &(struct store_batch){ .files = rows, .files_count = 3 }));
    assert_ok(store_files_read(reader, 7, see_file, &seen));
    assert_int_equal(seen.count, 2);
    assert_ok(store_commit(
        store, &(struct store_batch){ .files_done = (uint64_t[]){ 7, 9 }, .files_done_count = 2 }));
    assert_sql(fixture.dir, "SELECT seq,name FROM file", "8|c|");
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}
