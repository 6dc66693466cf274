/* What is erased is in no file of the folder, and what is left of it takes its place. */
#include "store/store.h"

#include "base/hash.h"
#include "store/store_fixture.h"

static bool folder_contains(const char *dir, const char *needle)
{
    static char bytes[8 << 20];
    bool        found = false;
    DIR        *folder = opendir(dir);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        FILE *file = fopen(path, "r");
        if (file == NULL)
            continue;
        size_t len = fread(bytes, 1, sizeof bytes, file);
        found |= memmem(bytes, len, needle, strlen(needle)) != NULL;
        fclose(file);
    }
    closedir(folder);
    return found;
}

TEST(store, what_is_erased_is_in_no_file_of_the_folder)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    static char   long_body[40000];
    memset(long_body, 'y', sizeof long_body);
    memcpy(long_body + 30000, "SECRET-ada", 10); /* on a page of its own */
    struct store_event events[] = {
        { .seq = 1, .user_id = STR("SECRET-ada"), .body = STR("{}"), .profile = 3 },
        { .seq = 2, .body = { long_body, sizeof long_body }, .profile = 3 },
        { .seq = 3, .user_id = STR("KEPT-bob"), .profile = 4 },
        { .seq = 4, .message_id = STR("SECRET-ada"), .profile = 3 },
    };
    struct store_decision    decision = { .id = 1, .profile = 3, .detail = STR("SECRET-ada") };
    struct store_state       checkpoint = { .profile = 3, .state = STR("SECRET-ada") };
    struct store_rejected    rejected = { .body = STR("SECRET-ada") };
    struct store_suppression suppression = { .address = STR("SECRET-ada") };
    struct store_file        file = {
               .seq = 4, .number = 1, .name = STR("a"), .type = STR("a/b"), .content = STR("SECRET-ada")
    };
    assert_ok(store_commit(store, &(struct store_batch){ .events = events,
                                                         .events_count = 4,
                                                         .decisions = &decision,
                                                         .decisions_count = 1,
                                                         .states = &checkpoint,
                                                         .states_count = 1,
                                                         .rejected = &rejected,
                                                         .rejected_count = 1,
                                                         .suppressions = &suppression,
                                                         .suppressions_count = 1,
                                                         .files = &file,
                                                         .files_count = 1 }));
    assert_ok(store_scrub(store, NULL)); /* so that it is in the database, not only in the WAL */
    assert_true(folder_contains(fixture.dir, "SECRET-ada"));
    assert_ok(store_erase(store, &(struct store_erasure){ .events = (uint64_t[]){ 1, 2, 4 },
                                                          .events_count = 3,
                                                          .decisions = (uint64_t[]){ 1 },
                                                          .decisions_count = 1,
                                                          .profiles = (uint64_t[]){ 3 },
                                                          .profiles_count = 1,
                                                          .rejected = (uint64_t[]){ 1 },
                                                          .rejected_count = 1,
                                                          .addresses = &suppression.address,
                                                          .addresses_count = 1 }));
    assert_ok(store_scrub(store, NULL));
    assert_false(folder_contains(fixture.dir, "SECRET-ada"));
    assert_true(folder_contains(fixture.dir, "KEPT-bob"));
    store_close(store);
    store = fixture_open(&fixture, 0);
    struct store_last last;
    assert_ok(store_last(store, &last)); /* keys of erased rows are not given away again */
    assert_int_equal(last.seq, 4);
    assert_int_equal(last.decision, 1);
    store_close(store);
    fixture_done(&fixture);
}

/* A page that is rebuilt keeps, where nothing lies, what moved to its neighbour: SQLite's own
 * overwriting leaves one of these people in about two hundred. */
TEST(store, what_pages_kept_of_rows_that_moved_is_erased_with_the_rows)
{
    enum { PEOPLE = 400, ROUNDS = 5, ERASED = 240, STATE_BYTES_MAX = 720 };
    struct fixture fixture;
    uint64_t       random = 7;
    char           mark[16], text[STATE_BYTES_MAX];
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    for (uint64_t round = 0; round < ROUNDS; round++)
        for (uint64_t p = 0; p < PEOPLE; p++) {
            size_t len = 0;
            snprintf(mark, sizeof mark, "MARK%05d.", (int)p);
            random = hash_u64(random, 1);
            for (uint64_t i = random % 60 + 1; i > 0; i--)
                len += (size_t)snprintf(text + len, sizeof text - len, "%s", mark);
            struct store_state row = { .profile = p + 1, .seq = round, .state = { text, len } };
            assert_ok(
                store_commit(store, &(struct store_batch){ .states = &row, .states_count = 1 }));
        }
    for (uint64_t p = 0; p < ERASED; p++) {
        random = hash_u64(random, 1);
        uint64_t           profile = (p * 7 + 3) % PEOPLE + 1; /* 7 and 400 have no common factor */
        struct store_state bare = { .profile = profile,
                                    .seq = ROUNDS - 1,
                                    .state = { text, random % 60 + 1 } };
        memset(text, 'x', 61);
        assert_ok(
            store_erase(store, &(struct store_erasure){ .states = &bare, .states_count = 1 }));
        assert_ok(store_scrub(store, NULL));
    }
    for (uint64_t p = 0; p < ERASED; p++) {
        snprintf(mark, sizeof mark, "MARK%05d.", (int)((p * 7 + 3) % PEOPLE));
        if (folder_contains(fixture.dir, mark))
            fail_msg("%s is still there", mark);
    }
    snprintf(mark, sizeof mark, "MARK%05d.", (ERASED * 7 + 3) % PEOPLE);
    assert_true(folder_contains(fixture.dir, mark)); /* the first of those that stay */
    store_close(store);
    fixture_done(&fixture);
}

TEST(store, what_is_left_of_rows_takes_their_place_in_the_same_transaction)
{
    struct fixture fixture;
    fixture_make(&fixture);
    struct store         *store = fixture_open(&fixture, 0);
    struct store_decision decisions[] = {
        { .id = 1, .seq = 1, .profile = 3, .kind = 1, .detail = STR("{\"id\":\"SECRET-ada\"}") },
        { .id = 2, .seq = 1, .profile = 3, .kind = 4, .detail = STR("SECRET-ada") },
    };
    struct store_state checkpoint = { .profile = 3, .seq = 1, .state = STR("SECRET-ada") };
    assert_ok(store_commit(store, &(struct store_batch){ .decisions = decisions,
                                                         .decisions_count = 2,
                                                         .states = &checkpoint,
                                                         .states_count = 1 }));
    decisions[0].detail = STR("{}");
    checkpoint.state = STR("bare");
    struct store_meta meta = { STR("erased"), STR("1") };
    assert_ok(store_erase(store, &(struct store_erasure){ .decisions = (uint64_t[]){ 2 },
                                                          .decisions_count = 1,
                                                          .bare = decisions,
                                                          .bare_count = 1,
                                                          .states = &checkpoint,
                                                          .states_count = 1,
                                                          .metas = &meta,
                                                          .metas_count = 1 }));
    assert_ok(store_scrub(store, NULL));
    assert_false(folder_contains(fixture.dir, "SECRET-ada"));
    struct store_reader  *reader = NULL;
    struct arena         *arena = arena_open(1 << 16);
    struct store_decision row;
    struct str            value;
    assert_ok(store_reader_open(store, "test", &reader));
    assert_ok(store_decision_get(reader, arena, 1, &row));
    assert_true(str_eq(row.detail, STR("{}")) && row.kind == 1 && row.profile == 3);
    assert_int_equal(store_decision_get(reader, arena, 2, &row), ERR_ABSENT);
    assert_ok(store_meta_get(reader, arena, STR("erased"), &value));
    assert_true(str_eq(value, STR("1")));
    arena_close(arena);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}
