/* The log keeps what it was given, in order. Tests with a loop run over both backends: 0 on disk, 1 in
 * memory. Children are forked before anything is open. What it notices of damage: test_log_damage.c. */
#include "tests/store/log_helpers.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define DAY_MS INT64_C(86400000)

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

/* A cursor reads rows ahead: the window ends within the batch more than once, and holes are holes. */
START_TEST(rows_read_ahead_are_the_rows_of_the_log)
{
    enum { EVENTS = 1000 };
    struct log *log = claim(_i);
    struct buf events = {0}, texts = {0}, row = {0};
    static struct log_content content[EVENTS];
    uint32_t count = 0;
    ck_assert_ptr_nonnull(buf_reserve(&texts, (size_t)EVENTS * 1000));
    for (uint32_t i = 0; i < EVENTS; i++) {
        log_events_add(&events, span_cstr("event"));
        memset(texts.data + i * 1000, (int)('a' + i % 26), 1000);
        if (i % 3 != 1) {
            content[count++] = (struct log_content){i + 1, span_of(texts.data + i * 1000, i)};
        }
    }
    const uint64_t erase[] = {7, 500, 900};
    struct log_batch batch = {.event_count = EVENTS,
                              .events = buf_span(&events),
                              .content = content,
                              .content_count = count,
                              .erase = erase,
                              .erase_count = 3};
    ck_assert_int_eq(log_append(log, &batch, 1), RC_OK);
    struct log_cursor *cursor;
    struct log_batch_view view;
    ck_assert_int_eq(log_cursor_open(log, 1, &cursor), RC_OK);
    ck_assert_int_eq(log_cursor_next(cursor, &view), RC_OK);
    for (uint32_t i = 0; i < 3 * EVENTS; i++) { /* forward, again, and by leaps */
        uint64_t seq = 1 + (i < 2 * EVENTS ? i : i * 7919) % EVENTS;
        struct span ahead = {0};
        enum rc rc = log_cursor_content(cursor, seq, &ahead);
        ck_assert_int_eq(rc, log_read_content(log, seq, &row));
        ck_assert(rc == RC_OK ? span_equal(ahead, buf_span(&row)) : ahead.data == NULL);
    }
    log_cursor_close(cursor);
    buf_fini(&events);
    buf_fini(&texts);
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
    struct log_place place = log_place(log);
    log_close(log);

    log = claim(ON_DISK);
    ck_assert_uint_eq(log_newest(log), 4);
    ck_assert_int_eq(log_newest_time(log), START_MS + 1);
    ck_assert_uint_eq(log_place(log).inode, place.inode);
    ck_assert_uint_eq(log_place(log).birth_ns, place.birth_ns);
    ck_assert(!log_place(log).replaced);
    ck_assert_uint_ne(place.inode, 0);
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
    const char *const places[] = {".", "log"};
    uint32_t files = 0;
    for (uint32_t i = 0; i < 2; i++) {
        char path[80];
        struct stat file;
        snprintf(path, sizeof(path), "%s/%s", directory, places[i]);
        ck_assert_int_eq(stat(path, &file), 0);
        ck_assert_int_eq(file.st_mode & 0777, 0700);
        DIR *dir = opendir(path);
        for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
            ck_assert_int_eq(fstatat(dirfd(dir), entry->d_name, &file, 0), 0);
            ck_assert_msg(S_ISDIR(file.st_mode) || (file.st_mode & 0777) == 0600, "%s",
                          entry->d_name);
            files += S_ISREG(file.st_mode);
        }
        closedir(dir);
    }
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
    char log_path[80];
    snprintf(log_path, sizeof(log_path), "%s/log", directory);
    if (geteuid() == 0) { /* root may write anywhere: become somebody else */
        ck_assert_int_eq(chmod(directory, 0555), 0);
        ck_assert_int_eq(chmod(log_path, 0555), 0);
        for (uint32_t i = 0; i < 3; i++) {
            const char *const names[] = {"log/data.mdb", "log/lock.mdb", "claim.lock"};
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
        ck_assert_int_eq(chmod(log_path, 0500), 0);
    }
    ck_assert_int_eq(noticed(""), RC_END);
    if (getuid() == 0) {
        ck_assert_int_eq(seteuid(0), 0);
    }
    ck_assert_int_eq(chmod(directory, 0700), 0);
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
    tcase_add_loop_test(both, rows_read_ahead_are_the_rows_of_the_log, 0, BACKENDS);
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
    tcase_add_test(disk, what_was_acknowledged_survives_a_kill);
    tcase_add_test(disk, a_reader_works_beside_a_running_writer);
    tcase_add_test(disk, a_read_only_directory_can_be_read);
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
