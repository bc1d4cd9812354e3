/* The log keeps what it was given, in order, and notices when it did not. Tests with a loop run over both
 * backends: 0 on disk, 1 in memory. LMDB must not cross a fork, so environments are opened inside the
 * test's own process, and children are forked before anything is open. */
#include "engine/base/checksum.h"
#include "store/batch.h"
#include "store/log.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ON_DISK, IN_MEMORY, BACKENDS };
#define DAY_MS INT64_C(86400000)
#define START_MS INT64_C(1780000000000)

static char directory[64];
static const uint8_t run_id[LOG_RUN_ID_BYTES] = "run-id-of-a-test";

static void
setup(void)
{
    strcpy(directory, "log-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void
remove_directory(void)
{
    DIR *dir = opendir(directory);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            unlinkat(dirfd(dir), entry->d_name, 0);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    rmdir(directory);
}

static struct log *
open_with(int backend, struct log_options options)
{
    struct log *log = NULL;
    enum rc rc = log_open(backend == IN_MEMORY ? NULL : directory, &options, &log);
    ck_assert_msg(rc == RC_OK, "log_open: %s: %s", rc_name(rc), log_error(NULL));
    if (options.mode == LOG_CLAIM) {
        log_set_run_id(log, run_id);
    }
    return log;
}

static struct log *
claim(int backend)
{
    return open_with(backend, (struct log_options){.mode = LOG_CLAIM});
}

/* Appends `count` events "e1", "e2", ... by their numbers. */
static enum rc
append(struct log *log, uint32_t count, int64_t time_ms)
{
    struct buf events = {0}, text = {0};
    uint64_t first = log_newest(log) + 1;
    for (uint32_t i = 0; i < count; i++) {
        buf_clear(&text);
        buf_printf(&text, "e%llu", (unsigned long long)(first + i));
        log_events_add(&events, buf_span(&text));
    }
    struct log_batch batch = {
        .time_ms = time_ms, .event_count = count, .events = buf_span(&events)};
    enum rc rc = log_append(log, &batch, first);
    buf_fini(&events);
    buf_fini(&text);
    return rc;
}

static enum rc
append_id(struct log *log, const char *id, int64_t time_ms)
{
    struct buf events = {0};
    struct span ids[] = {span_cstr(id)};
    log_events_add(&events, span_cstr("x"));
    struct log_batch batch = {.time_ms = time_ms,
                              .event_count = 1,
                              .events = buf_span(&events),
                              .ids = ids,
                              .id_count = 1};
    enum rc rc = log_append(log, &batch, log_newest(log) + 1);
    buf_fini(&events);
    return rc;
}

static bool
knows(struct log *log, const char *id)
{
    bool known = false;
    ck_assert_int_eq(log_knows_id(log, span_cstr(id), &known), RC_OK);
    return known;
}

/* Reads from `from` to the end; how many events were seen, and what ended it. */
static uint64_t
read_all(struct log *log, uint64_t from, enum rc *out_rc)
{
    struct log_cursor *cursor = NULL;
    struct log_batch_view view;
    uint64_t count = 0;
    ck_assert_int_eq(log_cursor_open(log, from, &cursor), RC_OK);
    while ((*out_rc = log_cursor_next(cursor, &view)) == RC_OK) {
        struct span rest = view.events, event;
        uint64_t seq = view.first_seq;
        while (log_events_next(&rest, &event) == RC_OK) {
            char expected[32];
            snprintf(expected, sizeof(expected), "e%llu", (unsigned long long)seq++);
            ck_assert_msg(span_equal_cstr(event, expected), "not %s: %.*s", expected,
                          span_fmt(event));
            count++;
        }
        ck_assert_uint_eq(seq, view.first_seq + view.event_count);
        ck_assert_mem_eq(view.run_id, run_id, LOG_RUN_ID_BYTES);
    }
    log_cursor_close(cursor);
    return count;
}

START_TEST(what_was_appended_is_read_back)
{
    struct log *log = claim(_i);
    ck_assert_uint_eq(log_newest(log), 0);
    for (uint32_t i = 1; i <= 50; i++) {
        ck_assert_int_eq(append(log, i % 7 + 1, START_MS + i), RC_OK);
    }
    uint64_t newest = log_newest(log);
    ck_assert_uint_eq(log_durable(log), newest);
    ck_assert_int_eq(log_newest_time(log), START_MS + 50);
    enum rc rc;
    ck_assert_uint_eq(read_all(log, 1, &rc), newest);
    ck_assert_int_eq(rc, RC_END);
    log_close(log);
}
END_TEST

START_TEST(a_cursor_starts_with_the_batch_that_holds_its_number)
{
    struct log *log = claim(_i);
    ck_assert_int_eq(append(log, 3, START_MS), RC_OK);
    ck_assert_int_eq(append(log, 3, START_MS), RC_OK);
    const uint64_t first_of[] = {1, 1, 1, 1, 4, 4, 4};
    for (uint64_t from = 0; from <= 6; from++) {
        struct log_cursor *cursor;
        struct log_batch_view view;
        ck_assert_int_eq(log_cursor_open(log, from, &cursor), RC_OK);
        ck_assert_int_eq(log_cursor_next(cursor, &view), RC_OK);
        ck_assert_uint_eq(view.first_seq, first_of[from]);
        log_cursor_close(cursor);
    }
    enum rc rc;
    ck_assert_uint_eq(read_all(log, 7, &rc), 0);
    ck_assert_int_eq(rc, RC_END);
    log_close(log);
}
END_TEST

START_TEST(a_cursor_at_the_end_sees_what_is_appended_later)
{
    struct log *log = claim(_i);
    struct log_cursor *cursor;
    struct log_batch_view view;
    ck_assert_int_eq(append(log, 2, START_MS), RC_OK);
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_OK);
    ck_assert_int_eq(log_cursor_next(cursor, &view), RC_OK);
    ck_assert_int_eq(log_cursor_next(cursor, &view), RC_END);
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    ck_assert_int_eq(log_cursor_next(cursor, &view), RC_OK);
    ck_assert_uint_eq(view.first_seq, 3);
    log_cursor_close(cursor);
    log_close(log);
}
END_TEST

START_TEST(an_append_with_another_number_than_the_next_is_fenced)
{
    struct log *log = claim(_i);
    struct buf events = {0};
    log_events_add(&events, span_cstr("e1"));
    struct log_batch batch = {.event_count = 1, .events = buf_span(&events)};
    ck_assert_int_eq(log_append(log, &batch, 2), RC_FENCED);
    ck_assert_int_eq(log_append(log, &batch, 0), RC_FENCED);
    ck_assert_int_eq(log_append(log, &batch, 1), RC_OK);
    ck_assert_int_eq(log_append(log, &batch, 1), RC_FENCED);
    ck_assert_uint_eq(log_newest(log), 1);
    buf_fini(&events);
    log_close(log);
}
END_TEST

START_TEST(a_batch_over_the_limit_is_refused_and_the_log_goes_on)
{
    struct log *log = claim(_i);
    struct buf events = {0}, big = {0};
    ck_assert_ptr_nonnull(buf_reserve(&big, LOG_BATCH_BYTES_MAX));
    memset(big.data, 'x', big.len);
    log_events_add(&events, buf_span(&big));
    struct log_batch batch = {.event_count = 1, .events = buf_span(&events)};
    ck_assert_int_eq(log_append(log, &batch, 1), RC_TOO_LARGE);
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    buf_fini(&events);
    buf_fini(&big);
    log_close(log);
}
END_TEST

START_TEST(content_lies_beside_its_event)
{
    struct log *log = claim(_i);
    struct buf events = {0}, row = {0};
    for (int i = 0; i < 3; i++) {
        log_events_add(&events, span_cstr("event"));
    }
    char *large = malloc(300000); /* definitions are larger than a batch may be */
    memset(large, 'd', 300000);
    const struct log_content content[] = {{1, span_cstr("one")}, {3, span_of(large, 300000)}};
    struct log_batch batch = {
        .event_count = 3, .events = buf_span(&events), .content = content, .content_count = 2};
    ck_assert_int_eq(log_append(log, &batch, 1), RC_OK);
    ck_assert_int_eq(log_read_content(log, 1, &row), RC_OK);
    ck_assert(span_equal_cstr(buf_span(&row), "one"));
    ck_assert_int_eq(log_read_content(log, 2, &row), RC_NOT_FOUND);
    ck_assert_int_eq(log_read_content(log, 4, &row), RC_NOT_FOUND);

    struct log_cursor *cursor;
    struct log_batch_view view;
    struct span span;
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_OK);
    ck_assert_int_eq(log_cursor_next(cursor, &view), RC_OK);
    ck_assert_int_eq(log_cursor_content(cursor, 3, &span), RC_OK);
    ck_assert(span_equal(span, span_of(large, 300000)));
    ck_assert_int_eq(log_cursor_content(cursor, 2, &span), RC_NOT_FOUND);
    log_cursor_close(cursor);
    free(large);
    buf_fini(&events);
    buf_fini(&row);
    log_close(log);
}
END_TEST

START_TEST(an_id_is_known_for_thirty_days_and_no_longer)
{
    struct log *log = claim(_i);
    ck_assert(!knows(log, "01HXA"));
    ck_assert_int_eq(append_id(log, "01HXA", START_MS), RC_OK);
    ck_assert(knows(log, "01HXA"));
    ck_assert(!knows(log, "01HXB"));
    ck_assert_int_eq(append(log, 1, START_MS + 30 * DAY_MS), RC_OK);
    ck_assert(knows(log, "01HXA"));
    ck_assert_int_eq(append(log, 1, START_MS + 30 * DAY_MS + 1), RC_OK);
    ck_assert(!knows(log, "01HXA"));
    log_close(log);
}
END_TEST

START_TEST(an_id_seen_again_is_known_for_thirty_more_days)
{
    struct log *log = claim(_i);
    ck_assert_int_eq(append_id(log, "again", START_MS), RC_OK);
    ck_assert_int_eq(append_id(log, "again", START_MS + 20 * DAY_MS), RC_OK);
    ck_assert_int_eq(append(log, 1, START_MS + 40 * DAY_MS), RC_OK);
    ck_assert(knows(log, "again"));
    ck_assert_int_eq(append(log, 1, START_MS + 51 * DAY_MS), RC_OK);
    ck_assert(!knows(log, "again"));
    log_close(log);
}
END_TEST

START_TEST(many_ids_come_and_go)
{
    struct log *log = claim(_i);
    char id[32];
    for (int i = 0; i < 400; i++) { /* one every four hours, for 66 days */
        snprintf(id, sizeof(id), "id-%d", i);
        ck_assert_int_eq(append_id(log, id, START_MS + i * (DAY_MS / 6)), RC_OK);
    }
    for (int i = 0; i < 400; i++) {
        snprintf(id, sizeof(id), "id-%d", i);
        ck_assert_msg(knows(log, id) == (i >= 399 - 180), "%s", id);
    }
    log_close(log);
}
END_TEST

static void
note_durable(void *context, uint64_t seq)
{
    *(uint64_t *)context = seq;
}

START_TEST(durability_is_told)
{
    struct log *log = claim(_i);
    uint64_t durable = 0;
    log_on_durable(log, note_durable, &durable);
    ck_assert_int_eq(append(log, 5, START_MS), RC_OK);
    ck_assert_uint_eq(durable, 5);
    log_close(log);
}
END_TEST

/* ---- on disk only ---- */

START_TEST(a_log_survives_close_and_reopen)
{
    struct log *log = claim(ON_DISK);
    ck_assert_int_eq(append(log, 3, START_MS), RC_OK);
    ck_assert_int_eq(append_id(log, "kept", START_MS + 1), RC_OK);
    uint64_t inode = log_inode(log);
    log_close(log);

    log = claim(ON_DISK);
    ck_assert_uint_eq(log_newest(log), 4);
    ck_assert_int_eq(log_newest_time(log), START_MS + 1);
    ck_assert_uint_eq(log_inode(log), inode);
    ck_assert_uint_ne(inode, 0);
    ck_assert(knows(log, "kept"));
    ck_assert_int_eq(append(log, 1, START_MS + 2), RC_OK);
    log_close(log);

    log = open_with(ON_DISK, (struct log_options){.mode = LOG_READ});
    ck_assert_uint_eq(log_newest(log), 5);
    ck_assert_int_eq(append(log, 1, START_MS), RC_REFUSED);
    log_close(log);
}
END_TEST

START_TEST(ids_expire_by_the_time_at_open)
{
    struct log *log = claim(ON_DISK);
    ck_assert_int_eq(append_id(log, "old", START_MS), RC_OK);
    log_close(log);
    log = open_with(ON_DISK,
                    (struct log_options){.mode = LOG_CLAIM, .now_ms = START_MS + 31 * DAY_MS});
    ck_assert(!knows(log, "old"));
    log_close(log);
}
END_TEST

START_TEST(a_second_claim_is_refused_while_the_first_holds)
{
    struct log *log = claim(ON_DISK), *second = NULL;
    const struct log_options options = {.mode = LOG_CLAIM};
    ck_assert_int_eq(log_open(directory, &options, &second), RC_BUSY);
    ck_assert_ptr_null(second);
    ck_assert_ptr_nonnull(strstr(log_error(NULL), "claimed"));
    log_close(log);
    ck_assert_int_eq(log_open(directory, &options, &second), RC_OK);
    log_close(second);
}
END_TEST

START_TEST(there_is_nothing_to_read_where_no_log_is)
{
    struct log *log = NULL;
    const struct log_options options = {.mode = LOG_READ};
    ck_assert_int_eq(log_open(directory, &options, &log), RC_NOT_FOUND);
    ck_assert_int_eq(log_open("no/such/directory", &options, &log), RC_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(log_error(NULL), "no/such/directory"));
}
END_TEST

START_TEST(files_are_private_and_do_not_cross_exec)
{
    rmdir(directory); /* so that the log makes it */
    umask(0);
    struct log *log = claim(ON_DISK);
    ck_assert_int_eq(append(log, 1, START_MS), RC_OK);
    struct stat stat_of;
    ck_assert_int_eq(stat(directory, &stat_of), 0);
    ck_assert_int_eq(stat_of.st_mode & 0777, 0700);
    DIR *dir = opendir(directory);
    uint32_t files = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.') {
            ck_assert_int_eq(fstatat(dirfd(dir), entry->d_name, &stat_of, 0), 0);
            ck_assert_msg((stat_of.st_mode & 0777) == 0600, "%s", entry->d_name);
            files++;
        }
    }
    closedir(dir);
    ck_assert_uint_ge(files, 3);
    for (int fd = 3; fd < 64; fd++) {
        char path[64], target[512];
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        ssize_t len = readlink(path, target, sizeof(target) - 1);
        if (len > 0 && (target[len] = '\0', strstr(target, directory) != NULL)) {
            ck_assert_msg((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0, "%s", target);
        }
    }
    log_close(log);
}
END_TEST

START_TEST(a_failed_append_ends_the_log)
{
    struct log *log = open_with(
        ON_DISK, (struct log_options){.mode = LOG_CLAIM, .map_bytes = (size_t)128 * 1024});
    enum rc rc = RC_OK;
    uint64_t acknowledged = 0;
    for (uint32_t i = 0; i < 10000 && rc == RC_OK; i++) {
        acknowledged = log_durable(log);
        rc = append(log, 100, START_MS);
    }
    ck_assert_int_eq(rc, RC_FULL);
    ck_assert_ptr_nonnull(strstr(log_error(log), "appending"));
    bool known;
    struct log_cursor *cursor = NULL;
    struct buf row = {0};
    ck_assert_int_eq(append(log, 1, START_MS), RC_FULL);
    ck_assert_int_eq(log_knows_id(log, span_cstr("x"), &known), RC_FULL);
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_FULL);
    ck_assert_int_eq(log_read_content(log, 1, &row), RC_FULL);
    log_close(log);

    log = claim(ON_DISK); /* with the default map: all that was acknowledged is there */
    ck_assert_uint_eq(log_newest(log), acknowledged);
    ck_assert_uint_eq(read_all(log, 1, &rc), acknowledged);
    ck_assert_int_eq(rc, RC_END);
    log_close(log);
}
END_TEST

/* Changes the stored bytes behind the log's back. */
static void
raw(void (*change)(MDB_txn *txn, MDB_dbi dbi, uint64_t a, uint64_t b), uint64_t a, uint64_t b)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 4), 0);
    ck_assert_int_eq(mdb_env_open(env, directory, MDB_NOSYNC, 0600), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, "batches", 0, &dbi), 0);
    change(txn, dbi, a, b);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static uint8_t raw_value[4096];
static size_t raw_len;

static void
raw_get(MDB_txn *txn, MDB_dbi dbi, uint64_t seq)
{
    uint8_t bytes[8];
    big_endian_put(bytes, seq, 8);
    MDB_val key = {8, bytes}, value;
    ck_assert_int_eq(mdb_get(txn, dbi, &key, &value), 0);
    ck_assert_uint_le(value.mv_size, sizeof(raw_value));
    memcpy(raw_value, value.mv_data, value.mv_size);
    raw_len = value.mv_size;
}

static void
raw_put(MDB_txn *txn, MDB_dbi dbi, uint64_t seq)
{
    uint8_t bytes[8];
    big_endian_put(bytes, seq, 8);
    MDB_val key = {8, bytes}, value = {raw_len, raw_value};
    ck_assert_int_eq(mdb_put(txn, dbi, &key, &value, 0), 0);
}

static void
flip(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t at)
{
    raw_get(txn, dbi, seq);
    raw_value[at % raw_len] ^= 0x20;
    raw_put(txn, dbi, seq);
}

static void
shorten(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t len)
{
    raw_get(txn, dbi, seq);
    raw_len = (size_t)len;
    raw_put(txn, dbi, seq);
}

static void
delete_batch(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t unused)
{
    (void)unused;
    uint8_t bytes[8];
    big_endian_put(bytes, seq, 8);
    MDB_val key = {8, bytes};
    ck_assert_int_eq(mdb_del(txn, dbi, &key, NULL), 0);
}

static void
move_batch(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t to)
{
    raw_get(txn, dbi, seq);
    delete_batch(txn, dbi, seq, 0);
    raw_put(txn, dbi, to);
}

static void
replace_batch(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t count)
{
    struct buf events = {0}, bytes = {0};
    for (uint64_t i = 0; i < 2; i++) {
        log_events_add(&events, span_cstr("forged"));
    }
    struct batch_header header = {.first_seq = seq, .event_count = (uint32_t)count, .time_ms = 1};
    memcpy(header.run_id, run_id, sizeof(run_id));
    batch_encode(&header, buf_span(&events), &bytes);
    memcpy(raw_value, bytes.data, bytes.len);
    raw_len = bytes.len;
    raw_put(txn, dbi, seq);
    buf_fini(&events);
    buf_fini(&bytes);
}

/* Opens for reading and reads everything; what was noticed, and where. */
static enum rc
noticed(const char *place)
{
    struct log *log = NULL;
    const struct log_options options = {.mode = LOG_READ};
    enum rc rc = log_open(directory, &options, &log);
    if (rc != RC_OK) {
        ck_assert_msg(strstr(log_error(NULL), place) != NULL, "%s", log_error(NULL));
        return rc;
    }
    struct log_cursor *cursor;
    struct log_batch_view view;
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_OK);
    while ((rc = log_cursor_next(cursor, &view)) == RC_OK) {
    }
    if (rc != RC_END) {
        ck_assert_msg(strstr(log_error(log), place) != NULL, "%s", log_error(log));
    }
    log_cursor_close(cursor);
    log_close(log);
    return rc;
}

/* Three batches of two events each: 1, 3, 5. */
static void
three_batches(void)
{
    struct log *log = claim(ON_DISK);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(append(log, 2, START_MS + i), RC_OK);
    }
    log_close(log);
}

START_TEST(a_flipped_byte_anywhere_in_a_batch_is_noticed)
{
    const uint64_t seqs[] = {1, 3, 5};
    const char *const places[] = {"batch at event 1:", "batch at event 3:", "batch at event 5:"};
    uint64_t seq = seqs[_i];
    three_batches();
    ck_assert_int_eq(noticed(""), RC_END);
    for (size_t at = 0; at == 0 || at < raw_len; at++) {
        raw(flip, seq, at);
        ck_assert_msg(noticed(places[_i]) == RC_CORRUPT, "byte %zu", at);
        raw(flip, seq, at);
    }
    ck_assert_int_eq(noticed(""), RC_END);
}
END_TEST

START_TEST(a_batch_cut_short_is_noticed)
{
    three_batches();
    raw(flip, 3, 0);
    raw(flip, 3, 0);
    for (size_t len = raw_len; len-- > 0;) {
        raw(shorten, 3, len);
        ck_assert_int_eq(noticed("batch at event 3:"), RC_CORRUPT);
    }
}
END_TEST

START_TEST(a_missing_batch_is_noticed)
{
    three_batches();
    raw(delete_batch, 3, 0);
    ck_assert_int_eq(noticed("batch at event 5: events before it are missing"), RC_CORRUPT);
    struct log *log = open_with(ON_DISK, (struct log_options){.mode = LOG_READ});
    enum rc rc;
    ck_assert_uint_eq(read_all(log, 3, &rc), 0); /* a cursor that would begin in the hole */
    ck_assert_int_eq(rc, RC_CORRUPT);
    log_close(log);
}
END_TEST

START_TEST(a_missing_beginning_is_noticed)
{
    three_batches();
    raw(delete_batch, 1, 0);
    ck_assert_int_eq(noticed("batch at event 3: events before it are missing"), RC_CORRUPT);
}
END_TEST

START_TEST(a_batch_under_another_number_is_noticed)
{
    three_batches();
    raw(move_batch, 3, 4);
    ck_assert_int_eq(noticed("batch at event 4: it lies under another number"), RC_CORRUPT);
}
END_TEST

START_TEST(a_batch_of_another_log_is_noticed)
{
    three_batches();
    raw(replace_batch, 3, 2); /* sound by itself, but not what batch 5 was written after */
    ck_assert_int_eq(noticed("batch at event 3: it does not continue"), RC_CORRUPT);
}
END_TEST

START_TEST(a_batch_with_another_count_is_noticed)
{
    three_batches();
    raw(replace_batch, 3, 3);
    ck_assert_int_eq(noticed("batch at event 3: it holds another number of events"), RC_CORRUPT);
}
END_TEST

static void
newer_version(MDB_txn *txn, MDB_dbi dbi, uint64_t seq, uint64_t unused)
{
    (void)unused;
    replace_batch(txn, dbi, seq, 2);
    raw_value[5] = BATCH_VERSION + 1;
    raw_len -= BATCH_CHECKSUM_BYTES;
    uint64_t checksum = checksum_of(raw_value, raw_len);
    big_endian_put(raw_value + raw_len, checksum, BATCH_CHECKSUM_BYTES);
    raw_len += BATCH_CHECKSUM_BYTES;
    raw_put(txn, dbi, seq);
}

START_TEST(a_batch_of_a_newer_version_is_told_apart)
{
    three_batches();
    raw(newer_version, 5, 0);
    ck_assert_int_eq(noticed("newer version"), RC_NEWER);
}
END_TEST

/* ---- with another process ---- */

/* Claims, appends without end and reports each acknowledged number. Never returns. */
static void
append_for_ever(int report_fd)
{
    struct log *log = claim(ON_DISK);
    for (uint32_t i = 0;; i++) {
        if (append(log, i % 5 + 1, START_MS + i) != RC_OK) {
            _exit(1);
        }
        uint64_t durable = log_durable(log);
        if (write(report_fd, &durable, sizeof(durable)) != sizeof(durable)) {
            _exit(1);
        }
    }
}

static pid_t
start_writer(int *out_fd)
{
    int fds[2];
    ck_assert_int_eq(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(fds[0]);
        append_for_ever(fds[1]);
    }
    close(fds[1]);
    *out_fd = fds[0];
    return pid;
}

static uint64_t
next_report(int fd)
{
    uint64_t durable = 0;
    ck_assert_int_eq(read(fd, &durable, sizeof(durable)), sizeof(durable));
    return durable;
}

START_TEST(what_was_acknowledged_survives_a_kill)
{
    for (uint32_t round = 1; round <= 5; round++) {
        int fd;
        pid_t pid = start_writer(&fd);
        uint64_t acknowledged = 0, more;
        for (uint32_t i = 0; i < round * 20; i++) {
            acknowledged = next_report(fd);
        }
        ck_assert_int_eq(kill(pid, SIGKILL), 0);
        ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
        while (read(fd, &more, sizeof(more)) == sizeof(more)) {
            acknowledged = more;
        }
        close(fd);
        struct log *log = claim(ON_DISK);
        ck_assert_uint_ge(log_newest(log), acknowledged);
        enum rc rc;
        ck_assert_uint_eq(read_all(log, 1, &rc), log_newest(log));
        ck_assert_int_eq(rc, RC_END);
        log_close(log);
    }
}
END_TEST

START_TEST(a_reader_works_beside_a_running_writer)
{
    int fd;
    pid_t pid = start_writer(&fd);
    uint64_t acknowledged = next_report(fd);
    struct log *log = open_with(ON_DISK, (struct log_options){.mode = LOG_READ});
    for (uint32_t i = 0; i < 20; i++) {
        acknowledged = next_report(fd);
        enum rc rc;
        ck_assert_uint_ge(read_all(log, 1, &rc), acknowledged);
        ck_assert_int_eq(rc, RC_END);
    }
    log_close(log);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(fd);
}
END_TEST

START_TEST(a_read_only_directory_can_be_read)
{
    three_batches();
    if (geteuid() == 0) { /* root may write anywhere: become somebody else */
        ck_assert_int_eq(chmod(directory, 0555), 0);
        for (uint32_t i = 0; i < 3; i++) {
            const char *const names[] = {"data.mdb", "lock.mdb", "claim.lock"};
            char path[128];
            snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
            ck_assert_int_eq(chmod(path, 0444), 0);
        }
        int here = open(".", O_RDONLY | O_DIRECTORY);
        ck_assert_int_eq(setegid(65534), 0);
        ck_assert_int_eq(seteuid(65534), 0);
        if (faccessat(here, directory, R_OK | X_OK, AT_EACCESS) != 0) {
            puts("skipped: the build directory is not open to other users");
            ck_assert_int_eq(seteuid(0), 0);
            return;
        }
        close(here);
    } else {
        ck_assert_int_eq(chmod(directory, 0500), 0);
    }
    ck_assert_int_eq(noticed(""), RC_END);
    if (getuid() == 0) {
        ck_assert_int_eq(seteuid(0), 0);
    }
    ck_assert_int_eq(chmod(directory, 0700), 0);
}
END_TEST

/* The one example of docs/format.md, so that the page stays true. */
START_TEST(the_format_page_shows_these_bytes)
{
    const struct batch_header header = {.run_id = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7,
                                                   0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf},
                                        .first_seq = 12,
                                        .event_count = 1,
                                        .time_ms = INT64_C(1780276500000),
                                        .checksum_before = UINT64_C(0x1122334455667788)};
    const uint8_t tag_added[] = {0x96, 0x1e, 0x07, 0x03, 0xc0, 0x92, 0x05, 0xcd, 0x03, 0xe8, 0x02};
    struct buf events = {0}, bytes = {0}, hex = {0};
    log_events_add(&events, span_of(tag_added, sizeof(tag_added)));
    batch_encode(&header, buf_span(&events), &bytes);

    FILE *file = fopen(STEPD_SOURCE_DIR "/docs/format.md", "r");
    ck_assert_ptr_nonnull(file);
    char line[512];
    while (fgets(line, sizeof(line), file) != NULL) {
        unsigned offset, byte;
        int at = 0;
        if (line[0] != ' ' || sscanf(line, "    %2x  %n", &offset, &at) != 1 || at != 8 ||
            offset != hex.len) {
            continue;
        }
        for (int used; sscanf(line + at, "%2x%n", &byte, &used) == 1 && used == 2; at += 3) {
            buf_append_byte(&hex, (uint8_t)byte);
        }
    }
    fclose(file);
    struct buf expected = {0};
    for (size_t i = 0; i < bytes.len; i++) {
        buf_printf(&expected, "%02x ", bytes.data[i]);
    }
    ck_assert_msg(span_equal(buf_span(&hex), buf_span(&bytes)), "the bytes are %s",
                  buf_cstr(&expected));
    buf_fini(&expected);
    buf_fini(&events);
    buf_fini(&bytes);
    buf_fini(&hex);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("log");
    TCase *both = tcase_create("both");
    tcase_add_checked_fixture(both, setup, remove_directory);
    tcase_add_loop_test(both, what_was_appended_is_read_back, 0, BACKENDS);
    tcase_add_loop_test(both, a_cursor_starts_with_the_batch_that_holds_its_number, 0, BACKENDS);
    tcase_add_loop_test(both, a_cursor_at_the_end_sees_what_is_appended_later, 0, BACKENDS);
    tcase_add_loop_test(both, an_append_with_another_number_than_the_next_is_fenced, 0, BACKENDS);
    tcase_add_loop_test(both, a_batch_over_the_limit_is_refused_and_the_log_goes_on, 0, BACKENDS);
    tcase_add_loop_test(both, content_lies_beside_its_event, 0, BACKENDS);
    tcase_add_loop_test(both, an_id_is_known_for_thirty_days_and_no_longer, 0, BACKENDS);
    tcase_add_loop_test(both, an_id_seen_again_is_known_for_thirty_more_days, 0, BACKENDS);
    tcase_add_loop_test(both, many_ids_come_and_go, 0, BACKENDS);
    tcase_add_loop_test(both, durability_is_told, 0, BACKENDS);
    tcase_set_timeout(both, 30);
    suite_add_tcase(s, both);

    TCase *disk = tcase_create("disk");
    tcase_add_checked_fixture(disk, setup, remove_directory);
    tcase_set_timeout(disk, 60);
    tcase_add_test(disk, a_log_survives_close_and_reopen);
    tcase_add_test(disk, ids_expire_by_the_time_at_open);
    tcase_add_test(disk, a_second_claim_is_refused_while_the_first_holds);
    tcase_add_test(disk, there_is_nothing_to_read_where_no_log_is);
    tcase_add_test(disk, files_are_private_and_do_not_cross_exec);
    tcase_add_test(disk, a_failed_append_ends_the_log);
    tcase_add_loop_test(disk, a_flipped_byte_anywhere_in_a_batch_is_noticed, 0, 3);
    tcase_add_test(disk, a_batch_cut_short_is_noticed);
    tcase_add_test(disk, a_missing_batch_is_noticed);
    tcase_add_test(disk, a_missing_beginning_is_noticed);
    tcase_add_test(disk, a_batch_under_another_number_is_noticed);
    tcase_add_test(disk, a_batch_of_another_log_is_noticed);
    tcase_add_test(disk, a_batch_with_another_count_is_noticed);
    tcase_add_test(disk, a_batch_of_a_newer_version_is_told_apart);
    tcase_add_test(disk, what_was_acknowledged_survives_a_kill);
    tcase_add_test(disk, a_reader_works_beside_a_running_writer);
    tcase_add_test(disk, a_read_only_directory_can_be_read);
    tcase_add_test(disk, the_format_page_shows_these_bytes);
    suite_add_tcase(s, disk);
    return s;
}

int
main(void)
{
    SRunner *r = srunner_create(suite());
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
