/* What may be asked for again, over crashes. */
#include "run/send/doubts.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test.h"

static struct doubts *open_in(const char *dir)
{
    struct doubts *doubts = NULL;
    struct problem problem;
    assert_ok(doubts_open(&doubts, dir, &problem));
    return doubts;
}

static void note(struct doubts *doubts, uint64_t message, int64_t first_ms)
{
    struct doubt doubt = { .message = message, .first_ms = first_ms, .account = 0xabcdef };
    strcpy(doubt.way, "a way");
    doubts_note(doubts, &doubt);
}

static void remove_all(const char *dir)
{
    char path[80];
    snprintf(path, sizeof path, "%s/in-doubt", dir);
    unlink(path);
    rmdir(dir);
}

TEST(doubts, what_was_asked_for_is_known_after_a_crash_and_what_was_lifted_is_not)
{
    char           dir[] = "/tmp/dult-doubts-XXXXXX", path[80];
    struct doubt   found;
    struct doubts *doubts;
    assert_non_null(mkdtemp(dir));
    doubts = open_in(dir);
    note(doubts, 7, 1000);
    note(doubts, 8, 2000);
    note(doubts, 7, 9000); /* asked for again: its first time counts */
    note(doubts, 9, 3000);
    assert_true(doubts_lift(doubts, 8));
    snprintf(path, sizeof path, "%s/in-doubt", dir);
    FILE *file = fopen(path, "a");
    fputs("+ 10 4000 abcdef a w", file); /* the crash came in the middle of a line */
    (void)fclose(file);

    struct doubts *later = open_in(dir); /* as after kill -9: the first one never closed */
    assert_true(doubts_find(later, 7, &found));
    assert_true(found.was_here && found.first_ms == 1000 && found.account == 0xabcdef);
    assert_string_equal(found.way, "a way");
    assert_false(doubts_find(later, 8, &found));
    assert_true(doubts_find(later, 9, &found));
    assert_false(doubts_find(later, 10, &found));
    doubts_forget(later, 7);
    doubts_forget(later, 9);
    assert_false(doubts_find(later, 7, &found));
    doubts_close(later);
    doubts_close(doubts);
    doubts = open_in(dir);
    assert_false(doubts_find(doubts, 9, &found));
    doubts_close(doubts);
    remove_all(dir);
}

TEST(doubts, what_was_settled_after_a_crash_is_not_there_after_the_next_one)
{
    char           dir[] = "/tmp/dult-doubts-XXXXXX";
    struct doubt   found;
    struct doubts *first, *second, *third;
    assert_non_null(mkdtemp(dir));
    first = open_in(dir);
    note(first, 7, 1000);
    note(first, 9, 3000);
    second = open_in(dir);
    doubts_forget(second, 7);
    third = open_in(dir); /* 9 was in doubt all the time, so the file was never empty */
    assert_false(doubts_find(third, 7, &found));
    assert_true(doubts_find(third, 9, &found));
    doubts_close(first);
    doubts_close(second);
    doubts_close(third);
    remove_all(dir);
}

TEST(doubts, of_too_many_lines_the_newest_count_and_there_is_room_for_more)
{
    enum { LINES = 5000 };
    char           dir[] = "/tmp/dult-doubts-XXXXXX", path[80];
    struct doubt   found;
    struct doubts *doubts;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/in-doubt", dir);
    FILE *file = fopen(path, "w");
    for (int i = 1; i <= LINES; i++)
        fprintf(file, "+ %d %d abcdef a way\n", i, i);
    (void)fclose(file);
    doubts = open_in(dir);
    assert_true(doubts_find(doubts, LINES, &found));
    assert_false(doubts_find(doubts, 1, &found));
    note(doubts, LINES + 1, 9000);
    assert_true(doubts_keep(doubts, LINES + 1));
    doubts_close(doubts);
    remove_all(dir);
}

TEST(doubts, what_is_not_noted_is_not_kept)
{
    struct doubts *doubts = open_in(NULL);
    note(doubts, 7, 1000);
    assert_true(doubts_keep(doubts, 7));
    assert_false(doubts_keep(doubts, 8));
    doubts_close(doubts);
}

/* So many bytes of a file and no more, as on a disk that is full. */
static void disk_bound(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

TEST(doubts, a_line_that_could_not_be_written_lifts_nothing_and_swallows_no_other)
{
    char           dir[] = "/tmp/dult-doubts-XXXXXX", path[80];
    struct doubt   found;
    struct stat    about;
    struct doubts *doubts, *later;
    assert_non_null(mkdtemp(dir));
    doubts = open_in(dir);
    note(doubts, 7, 1000);
    snprintf(path, sizeof path, "%s/in-doubt", dir);
    assert_int_equal(stat(path, &about), 0);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    disk_bound((rlim_t)about.st_size + 2);
    bool is_lifted = doubts_lift(doubts, 7);
    disk_bound(RLIM_INFINITY);
    signal(SIGXFSZ, before);
    assert_false(is_lifted);
    assert_true(doubts_find(doubts, 7, &found));
    note(doubts, 8, 2000);
    later = open_in(dir);
    assert_true(doubts_find(later, 7, &found));
    assert_true(doubts_find(later, 8, &found));
    doubts_close(later);
    doubts_close(doubts);
    remove_all(dir);
}

TEST(doubts, without_a_folder_they_are_known_until_the_end)
{
    struct doubts *doubts = open_in(NULL);
    struct doubt   found;
    note(doubts, 7, 1000);
    assert_true(doubts_find(doubts, 7, &found));
    assert_true(doubts_lift(doubts, 7));
    assert_false(doubts_find(doubts, 7, &found));
    doubts_close(doubts);
}

/* The account of a way whose settings are these. */
static uint64_t account(const char *settings_of, const char *given_text)
{
    SCOPED(arena_closep) struct arena *arena = arena_open(1 << 24);
    struct problem                     problem;
    struct provider                   *provider = NULL;
    struct json                        given;
    struct str                         text = str_format(arena,
                                                         "{\"provider\":\"p\",\"settings\":[%s],"
                                                                                 "\"request\":{\"url\":\"https://p.example/\"}}",
                                                         settings_of);
    assert_ok(provider_parse(&provider, text, "p.json", &problem));
    assert_ok(json_parse_once(arena, str_of(given_text), &given, NULL));
    struct way_conf way = { .name = "a", .kind = WAY_HTTP, .provider = provider };
    assert_ok(provider_settings_fill(provider, arena, &given, &way.settings, "p", &problem));
    uint64_t found = doubts_account(&way);
    provider_close(provider);
    return found;
}

TEST(doubts, an_exchanged_secret_is_another_account_unless_a_setting_names_the_account)
{
    const char *by_key = "{\"name\":\"key\",\"secret\":true},{\"name\":\"url\",\"default\":\"u\"}";
    const char *by_id = "{\"name\":\"id\",\"account\":true,\"default\":\"\"},"
                        "{\"name\":\"key\",\"secret\":true},{\"name\":\"url\",\"default\":\"u\"}";
    assert_true(account(by_key, "{\"key\":\"1\"}") == account(by_key, "{\"key\":\"1\"}"));
    assert_true(account(by_key, "{\"key\":\"1\"}") != account(by_key, "{\"key\":\"2\"}"));
    uint64_t one = account(by_id, "{\"id\":\"AC1\",\"key\":\"1\"}");
    assert_true(one == account(by_id, "{\"id\":\"AC1\",\"key\":\"2\"}"));
    assert_true(one != account(by_id, "{\"id\":\"AC2\",\"key\":\"1\"}"));
    assert_true(one != account(by_id, "{\"id\":\"AC1\",\"key\":\"1\",\"url\":\"other\"}"));
    /* Not given, it names none. */
    assert_true(account(by_id, "{\"key\":\"1\"}") != account(by_id, "{\"key\":\"2\"}"));
}
