/*
 * What a crash, a full disk or a lying disk may do to a commit: nothing, or all of it.
 */
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/hash.h"
#include "base/time.h"
#include "store/store_fixture.h"

/* ---- kill -9 ---- */

enum { KILLS = 60, KILL_AFTER_US_MAX = 12000 };

static void commit_for_ever(struct fixture *fixture, _Atomic uint64_t *acknowledged)
{
    struct store       *store = NULL;
    struct store_upkeep upkeep;
    struct store_conf   conf = { .dir = str_of(fixture->dir), .wal_bytes_max = 2 << 20 };
    if (store_open(&store, &conf, NULL) != OK)
        _exit(3);
    for (uint64_t n = *acknowledged + 1;; n++) {
        struct store_batch batch = fixture_batch(fixture, n);
        if (store_commit(store, &batch) != OK)
            _exit(4);
        *acknowledged = n;
        if (store_maintain(store, &upkeep) != OK)
            _exit(5);
    }
}

TEST(store_crash, whatever_was_acknowledged_survives_kill_9_whole_and_nothing_by_halves)
{
    struct fixture    fixture;
    const char       *given = getenv("DULT_SEED");
    uint64_t          seed = given != NULL ? strtoull(given, NULL, 10) : hash_random_seed();
    _Atomic uint64_t *acknowledged =
        mmap(NULL, sizeof *acknowledged, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(acknowledged, MAP_FAILED);
    print_message("DULT_SEED=%llu\n", (unsigned long long)seed);
    fixture_make(&fixture);
    uint64_t there = 0;
    int      grown = 0;
    for (int kill_number = 0; kill_number < KILLS; kill_number++) {
        *acknowledged = there;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            commit_for_ever(&fixture, acknowledged);
        /* Some die while opening and recovering, most in the middle of the stream. */
        while (kill_number % 5 != 0 && *acknowledged == there && waitpid(child, NULL, WNOHANG) == 0)
            usleep(100);
        usleep((useconds_t)(hash_u64((uint64_t)kill_number, seed) % KILL_AFTER_US_MAX));
        kill(child, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status)); /* it did not end by itself */

        struct store *store = fixture_open(&fixture, 0);
        uint64_t      found = fixture_count(store);
        assert_true(found >= *acknowledged);     /* none lost */
        assert_true(found <= *acknowledged + 1); /* none invented */
        grown += found > there;
        there = found;
        store_close(store);
    }
    print_message("%d kills, %llu batches, %d rounds grew\n", KILLS, (unsigned long long)there,
                  grown);
    assert_true(grown >= KILLS / 2);
    struct store *store = fixture_open(&fixture, 0);
    assert_ok(store_check(store, NULL));
    store_close(store);
    fixture_done(&fixture);
    munmap((void *)acknowledged, sizeof *acknowledged);
}

/* ---- a disk that fails at its n-th write or sync: a shim over SQLite's file layer ---- */

static struct {
    bool armed, struck;
    bool for_good; /* every call from the n-th on, not that one alone */
    int  countdown, code;
} disk;

static sqlite3_vfs        disk_vfs, *real_vfs;
static sqlite3_io_methods disk_methods;

struct disk_file {
    sqlite3_file base;
    sqlite3_file real[]; /* real_vfs->szOsFile bytes */
};

#define REAL(file) (((struct disk_file *)(file))->real)

static int disk_fails(void)
{
    if (!disk.armed)
        return SQLITE_OK;
    if (disk.countdown > 0)
        disk.countdown--;
    if (disk.countdown > 0 || (disk.struck && !disk.for_good))
        return SQLITE_OK;
    disk.struck = true;
    return disk.code;
}

static int disk_write(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 at)
{
    int code = disk_fails();
    if (code != SQLITE_OK)
        return code;
    return REAL(file)->pMethods->xWrite(REAL(file), bytes, count, at);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = disk_fails();
    return code != SQLITE_OK ? code : REAL(file)->pMethods->xTruncate(REAL(file), size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    int code = disk_fails();
    if (code != SQLITE_OK)
        return SQLITE_IOERR_FSYNC;
    return REAL(file)->pMethods->xSync(REAL(file), flags);
}

static int disk_close(sqlite3_file *file)
{
    return REAL(file)->pMethods->xClose(REAL(file));
}

static int disk_read(sqlite3_file *file, void *bytes, int count, sqlite3_int64 at)
{
    return REAL(file)->pMethods->xRead(REAL(file), bytes, count, at);
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return REAL(file)->pMethods->xFileSize(REAL(file), size);
}

static int disk_lock(sqlite3_file *file, int level)
{
    return REAL(file)->pMethods->xLock(REAL(file), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
    return REAL(file)->pMethods->xUnlock(REAL(file), level);
}

static int disk_reserved(sqlite3_file *file, int *held)
{
    return REAL(file)->pMethods->xCheckReservedLock(REAL(file), held);
}

static int disk_control(sqlite3_file *file, int what, void *argument)
{
    return REAL(file)->pMethods->xFileControl(REAL(file), what, argument);
}

static int disk_sector(sqlite3_file *file)
{
    return REAL(file)->pMethods->xSectorSize(REAL(file));
}

static int disk_character(sqlite3_file *file)
{
    return REAL(file)->pMethods->xDeviceCharacteristics(REAL(file));
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return REAL(file)->pMethods->xShmMap(REAL(file), page, size, extend, out);
}

static int disk_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return REAL(file)->pMethods->xShmLock(REAL(file), offset, n, flags);
}

static void disk_shm_barrier(sqlite3_file *file)
{
    REAL(file)->pMethods->xShmBarrier(REAL(file));
}

static int disk_shm_unmap(sqlite3_file *file, int remove)
{
    return REAL(file)->pMethods->xShmUnmap(REAL(file), remove);
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *given)
{
    (void)vfs;
    int code = real_vfs->xOpen(real_vfs, name, REAL(file), flags, given);
    file->pMethods = REAL(file)->pMethods == NULL ? NULL : &disk_methods;
    return code;
}

static void disk_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    disk_methods = (sqlite3_io_methods){
        .iVersion = 2,
        .xClose = disk_close,
        .xRead = disk_read,
        .xWrite = disk_write,
        .xTruncate = disk_truncate,
        .xSync = disk_sync,
        .xFileSize = disk_size,
        .xLock = disk_lock,
        .xUnlock = disk_unlock,
        .xCheckReservedLock = disk_reserved,
        .xFileControl = disk_control,
        .xSectorSize = disk_sector,
        .xDeviceCharacteristics = disk_character,
        .xShmMap = disk_shm_map,
        .xShmLock = disk_shm_lock,
        .xShmBarrier = disk_shm_barrier,
        .xShmUnmap = disk_shm_unmap,
    };
    disk_vfs = *real_vfs;
    disk_vfs.pNext = NULL;
    disk_vfs.zName = "failing-disk";
    disk_vfs.szOsFile = real_vfs->szOsFile + (int)sizeof(struct disk_file);
    disk_vfs.xOpen = disk_open;
    assert_int_equal(sqlite3_vfs_register(&disk_vfs, 1), SQLITE_OK);
}

static void disk_arm(int n, int code, bool for_good)
{
    disk.armed = true;
    disk.struck = false;
    disk.countdown = n;
    disk.code = code;
    disk.for_good = for_good;
}

/*
 * Batch 3 meets the failure at the n-th call. Whatever the answer, there is no half batch; after a
 * failure that promises nothing was written, nothing is seen, and a second try leaves one copy.
 * False when n lies beyond the last call of a commit and its upkeep.
 */
static bool fault_round(int n, int code, bool for_good)
{
    struct fixture      fixture;
    struct store_upkeep upkeep;
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 128 << 10); /* small: upkeep has work each time */
    for (uint64_t i = 1; i <= 2; i++) {
        struct store_batch batch = fixture_batch(&fixture, i);
        assert_ok(store_commit(store, &batch));
    }
    struct store_batch batch = fixture_batch(&fixture, 3);
    disk_arm(n, code, for_good);
    enum err err = store_commit(store, &batch);
    enum err upkept = err == OK ? store_maintain(store, &upkeep) : OK;
    bool     struck = disk.struck;
    disk.armed = false;
    assert_true(err == OK || err == ERR_IO || err == ERR_CORRUPT);
    assert_true(upkept == OK || upkept == ERR_IO);
    assert_true(struck || (err == OK && upkept == OK));
    if (err == ERR_IO) {
        assert_int_equal(fixture_count(store), 2);
        assert_ok(store_commit(store, &batch));
    }
    if (err == ERR_CORRUPT) { /* unknown: refuse more, and load what is there */
        assert_int_equal(store_commit(store, &batch), ERR_CORRUPT);
        store_close(store);
        store = fixture_open(&fixture, 0);
        if (fixture_count(store) == 2)
            assert_ok(store_commit(store, &batch));
    }
    assert_int_equal(fixture_count(store), 3);
    assert_ok(store_check(store, NULL));
    store_close(store);
    store = fixture_open(&fixture, 0);
    assert_int_equal(fixture_count(store), 3);
    store_close(store);
    fixture_done(&fixture);
    return struck;
}

TEST(store_crash, a_disk_failing_at_any_call_leaves_nothing_and_a_retry_leaves_one_copy)
{
    static const int codes[] = { SQLITE_FULL, SQLITE_IOERR_WRITE };
    disk_install();
    for (size_t c = 0; c < sizeof codes / sizeof codes[0]; c++)
        for (int for_good = 0; for_good <= 1; for_good++) {
            int n = 1;
            while (fault_round(n, codes[c], for_good))
                n++;
            print_message("%d places failed with code %d\n", n - 1, codes[c]);
            assert_true(n > 10);
        }
    sqlite3_vfs_unregister(&disk_vfs);
    sqlite3_vfs_register(real_vfs, 1);
}

/* ---- memory that fails at the n-th request ---- */

static struct {
    sqlite3_mem_methods real;
    bool                armed, struck;
    int                 countdown;
} memory;

static bool memory_fails(void)
{
    if (!memory.armed || memory.countdown == 0 || --memory.countdown > 0)
        return false;
    return memory.struck = true;
}

static void *memory_malloc(int bytes)
{
    return memory_fails() ? NULL : memory.real.xMalloc(bytes);
}

static void *memory_realloc(void *old, int bytes)
{
    return memory_fails() ? NULL : memory.real.xRealloc(old, bytes);
}

static void memory_install(void)
{
    sqlite3_mem_methods failing;
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &memory.real), SQLITE_OK);
    failing = memory.real;
    failing.xMalloc = memory_malloc;
    failing.xRealloc = memory_realloc;
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
}

static void memory_remove(void)
{
    assert_int_equal(sqlite3_shutdown(), SQLITE_OK);
    assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &memory.real), SQLITE_OK);
}

TEST(store_crash, memory_failing_at_any_request_leaves_nothing_and_a_retry_leaves_one_copy)
{
    struct fixture fixture;
    memory_install();
    fixture_make(&fixture);
    struct store *store = fixture_open(&fixture, 0);
    uint64_t      n = 0;
    bool          struck = true;
    while (struck) { /* batch n meets the failure at the n-th request */
        struct store_batch batch = fixture_batch(&fixture, ++n);
        memory.struck = false;
        memory.countdown = (int)n;
        memory.armed = true;
        enum err err = store_commit(store, &batch);
        memory.armed = false;
        struck = memory.struck;
        assert_true(err == OK || (err == ERR_MEMORY && struck));
        assert_int_equal(fixture_count(store), err == OK ? n : n - 1);
        if (err != OK)
            assert_ok(store_commit(store, &batch));
        assert_int_equal(fixture_count(store), n);
    }
    print_message("%llu requests failed\n", (unsigned long long)n - 1);
    assert_true(n > 10);
    store_close(store);
    memory_remove();
    fixture_done(&fixture);
}

/* The harness must be able to notice: a half batch put there on purpose is found. */
TEST(store_crash, a_batch_that_lost_a_row_would_be_noticed)
{
    struct fixture     fixture;
    struct fixture_sum sum = { 0 };
    fixture_make(&fixture);
    struct store      *store = fixture_open(&fixture, 0);
    struct store_batch batch = fixture_batch(&fixture, 1);
    assert_ok(store_commit(store, &batch));
    assert_ok(store_erase(
        store, &(struct store_erasure){ .events = (uint64_t[]){ 5 }, .events_count = 1 }));
    struct store_reader *reader;
    assert_ok(store_reader_open(store, "planted", &reader));
    assert_ok(store_events_read(reader, 0, UINT64_MAX, fixture_event, &sum));
    assert_true(sum.wrong && sum.events == FIXTURE_EVENTS - 1);
    store_reader_close(reader);
    store_close(store);
    fixture_done(&fixture);
}
