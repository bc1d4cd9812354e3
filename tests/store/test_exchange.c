/* An open log goes on in files written anew, and loses nothing: no event, no words, no remembered id; until
 * the exchange is finished, the files in place are the former ones. */
#include "store/chunk.h"
#include "store/data_directory.h"
#include "store/exchange.h"
#include "tests/store/log_helpers.h"

#include <sys/wait.h>

static char part[96];
static struct buf error;

static void
setup_part(void)
{
    setup();
    snprintf(part, sizeof(part), "%s/" DATA_DIRECTORY_COMPACT, directory);
}

static void
teardown_part(void)
{
    buf_fini(&error);
    remove_directory();
}

static struct log *
open_log(bool writer_thread)
{
    return open_with(ON_DISK,
                     (struct log_options){.mode = LOG_CLAIM, .writer_thread = writer_thread});
}

/* One event "eN" with words "wN" and an id "iN", erasing the words of another where that is not 0. */
static void
append_one(struct log *log, uint64_t erase)
{
    uint64_t seq = log_newest(log) + 1;
    struct buf events = {0}, text = {0}, row = {0}, id = {0};
    buf_printf(&text, "e%llu", (unsigned long long)seq);
    buf_printf(&row, "w%llu", (unsigned long long)seq);
    buf_printf(&id, "i%llu", (unsigned long long)seq);
    log_events_add(&events, buf_span(&text));
    const struct span ids[] = {buf_span(&id)};
    const struct log_content content = {seq, buf_span(&row)};
    const struct log_batch batch = {.time_ms = START_MS + (int64_t)seq,
                                    .event_count = 1,
                                    .events = buf_span(&events),
                                    .content = &content,
                                    .content_count = 1,
                                    .ids = ids,
                                    .id_count = 1,
                                    .erase = &erase,
                                    .erase_count = erase != 0};
    ck_assert_int_eq(log_append(log, &batch, seq), RC_OK);
    buf_fini(&events);
    buf_fini(&text);
    buf_fini(&row);
    buf_fini(&id);
}

static void
append_some(struct log *log, int count)
{
    for (int i = 0; i < count; i++) {
        append_one(log, 0);
    }
}

static struct log *
open_part(void)
{
    struct log *copy = NULL;
    const struct log_options options = {.mode = LOG_CLAIM};
    ck_assert_int_eq(log_open(part, &options, &copy), RC_OK);
    return copy;
}

/* Brings the copy up to date, as steplog does; how many content rows it erased on the way. */
static uint64_t
copy_all(struct log *log)
{
    struct log *copy = open_part();
    struct log_chunks *chunks = NULL;
    struct log_chunk chunk;
    const char *what;
    uint64_t erased = 0;
    ck_assert_int_eq(log_wait(log), RC_OK);
    enum rc rc = log_chunks_open_after(log, copy, &chunks);
    while (rc == RC_OK) {
        uint64_t rows = 0;
        rc = log_chunks_next(chunks, &chunk);
        if (rc == RC_OK) {
            rc = log_chunk_write(copy, &chunk, &what);
        } else if (rc == RC_AGAIN) {
            rc = log_chunks_erase_too(chunks, copy, &rows);
        }
        erased += rows;
    }
    ck_assert_msg(rc == RC_END, "%s: %s", rc_name(rc), log_chunks_error(chunks));
    log_chunks_close(chunks);
    log_close(copy);
    return erased;
}

static void
assert_begins(struct log *log, enum rc wanted, struct exchange **out)
{
    buf_clear(&error);
    enum rc rc = exchange_begin(log, out, &error);
    ck_assert_msg(rc == wanted, "%s, not %s: %s", rc_name(rc), rc_name(wanted), buf_cstr(&error));
    ck_assert(rc == RC_OK || error.len > 0);
}

/* Every event up to the newest, its words but for one, its id. */
static void
assert_whole(struct log *log, uint64_t newest, uint64_t erased)
{
    enum rc rc;
    struct buf row = {0}, text = {0};
    ck_assert_uint_eq(log_newest(log), newest);
    ck_assert_uint_eq(read_all(log, 1, &rc), newest);
    ck_assert_int_eq(rc, RC_END);
    for (uint64_t seq = 1; seq <= newest; seq++) {
        bool known = false;
        buf_clear(&text);
        buf_printf(&text, "i%llu", (unsigned long long)seq);
        ck_assert_int_eq(log_knows_id(log, buf_span(&text), &known), RC_OK);
        ck_assert_msg(known, "%s", buf_cstr(&text));
        rc = log_read_content(log, seq, &row);
        ck_assert_msg(rc == (seq == erased ? RC_NOT_FOUND : RC_OK), "words of %s", buf_cstr(&text));
        ((uint8_t *)text.data)[0] = 'w';
        ck_assert(seq == erased || span_equal(buf_span(&row), buf_span(&text)));
    }
    buf_fini(&row);
    buf_fini(&text);
}

static bool
part_is_there(void)
{
    return access(part, F_OK) == 0;
}

/* _i: with a writer thread, without. */
START_TEST(the_log_goes_on_in_the_new_files)
{
    struct log *log = open_log(_i == 0);
    struct exchange *exchange;
    append_some(log, 40);
    copy_all(log);
    append_some(log, 7); /* the tail */
    ck_assert_int_eq(log_wait(log), RC_OK);
    uint64_t before = log_place(log).inode;

    assert_begins(log, RC_OK, &exchange);
    ck_assert_uint_ne(log_place(log).inode, before);
    append_one(log, 0);
    ck_assert_int_eq(exchange_finish(exchange, &error), RC_OK);
    exchange_close(exchange);
    ck_assert(!part_is_there());
    append_some(log, 5);
    ck_assert_int_eq(log_wait(log), RC_OK);
    assert_whole(log, 53, 0);
    uint64_t now = log_place(log).inode;
    log_close(log);

    log = open_log(false);
    ck_assert_uint_eq(log_place(log).inode, now);
    ck_assert(!log_place(log).replaced);
    assert_whole(log, 53, 0);
    log_close(log);
}
END_TEST

START_TEST(a_log_can_be_exchanged_again_and_again)
{
    struct log *log = open_log(true);
    for (int i = 0; i < 5; i++) {
        struct exchange *exchange;
        append_some(log, 10);
        copy_all(log);
        append_some(log, 2);
        assert_begins(log, RC_OK, &exchange);
        append_one(log, 0);
        ck_assert_int_eq(exchange_finish(exchange, &error), RC_OK);
        exchange_close(exchange);
    }
    ck_assert_int_eq(log_wait(log), RC_OK);
    assert_whole(log, 65, 0);
    log_close(log);
}
END_TEST

/* Killed in between: what is in place is the former log, with all that was acknowledged. */
START_TEST(without_a_finish_the_former_files_are_in_place)
{
    struct log *log = open_log(true);
    struct exchange *exchange;
    append_some(log, 20);
    copy_all(log);
    append_some(log, 3);
    assert_begins(log, RC_OK, &exchange);
    append_one(log, 0);
    exchange_close(exchange);
    log_close(log);

    log = open_log(false);
    ck_assert(!log_place(log).replaced);
    assert_whole(log, 23, 0);
    ck_assert(!part_is_there()); /* the claim cleared it away */
    log_close(log);
}
END_TEST

START_TEST(words_erased_since_the_copy_are_erased_in_it_first)
{
    struct log *log = open_log(true);
    struct exchange *exchange;
    append_some(log, 20);
    copy_all(log);
    append_one(log, 4);
    assert_begins(log, RC_AGAIN, &exchange);
    append_some(log, 2); /* it goes on as before */
    ck_assert_uint_eq(copy_all(log), 1);
    assert_begins(log, RC_OK, &exchange);
    append_one(log, 0);
    ck_assert_int_eq(exchange_finish(exchange, &error), RC_OK);
    exchange_close(exchange);
    assert_whole(log, 24, 4);
    log_close(log);
}
END_TEST

START_TEST(a_copy_that_is_far_behind_is_brought_nearer)
{
    enum { BIG = 200 * 1024, COUNT = EXCHANGE_TAIL_BYTES_MAX / BIG + 20 };
    struct log *log = open_log(false);
    struct exchange *exchange;
    static uint8_t bytes[BIG];
    append_some(log, 1);
    copy_all(log);
    for (int i = 0; i < COUNT; i++) {
        struct buf events = {0};
        log_events_add(&events, span_of(bytes, BIG));
        const struct log_batch batch = {
            .time_ms = START_MS, .event_count = 1, .events = buf_span(&events)};
        ck_assert_int_eq(log_append(log, &batch, log_newest(log) + 1), RC_OK);
        buf_fini(&events);
    }
    assert_begins(log, RC_AGAIN, &exchange);
    ck_assert_str_eq(buf_cstr(&error), "the copy is too far behind");
    assert_begins(log, RC_OK, &exchange); /* what it wrote was not for nothing */
    ck_assert_int_eq(exchange_finish(exchange, &error), RC_OK);
    exchange_close(exchange);
    ck_assert_uint_eq(log_newest(log), COUNT + 1);
    log_close(log);
}
END_TEST

static void
no_copy(struct log *log)
{
    (void)log;
}

static void
copy_of_another_log(struct log *log)
{
    (void)log;
    struct log *other = open_part();
    log_set_run_id(other, (const uint8_t *)"run of another!!");
    append_some(other, 3);
    log_close(other);
}

static void
longer_copy_of_another_log(struct log *log)
{
    struct log *other = open_part();
    log_set_run_id(other, (const uint8_t *)"run of another!!");
    append_some(other, (int)log_newest(log) + 5);
    log_close(other);
}

static struct log *held;

static void
copy_still_held(struct log *log)
{
    copy_all(log);
    held = open_part();
}

static void
damaged_copy(struct log *log)
{
    char path[160];
    copy_all(log);
    snprintf(path, sizeof(path), "%s/log/data.mdb", part);
    ck_assert_int_eq(truncate(path, 4096), 0);
}

static const struct {
    void (*make)(struct log *log);
    enum rc rc;
} REFUSED[] = {
    {no_copy, RC_NOT_FOUND},
    {copy_of_another_log, RC_REFUSED},
    {longer_copy_of_another_log, RC_REFUSED},
    {copy_still_held, RC_BUSY},
    {damaged_copy, RC_CORRUPT},
};
enum { REFUSED_COUNT = sizeof(REFUSED) / sizeof(REFUSED[0]) };

START_TEST(what_is_no_copy_of_it_is_refused_and_the_log_goes_on)
{
    struct log *log = open_log(true);
    struct exchange *exchange;
    append_some(log, 20);
    ck_assert_int_eq(log_wait(log), RC_OK);
    uint64_t before = log_place(log).inode;
    REFUSED[_i].make(log);
    assert_begins(log, REFUSED[_i].rc, &exchange);
    ck_assert_uint_eq(log_place(log).inode, before);
    append_some(log, 2);
    ck_assert_int_eq(log_wait(log), RC_OK);
    assert_whole(log, 22, 0);
    log_close(held);
    log_close(log);
}
END_TEST

/* Two processes in the life of a daemon: a reader opened before goes on with what was then. */
START_TEST(a_reader_from_before_keeps_what_it_opened)
{
    struct log *log = open_log(true);
    struct exchange *exchange;
    append_some(log, 20);
    ck_assert_int_eq(log_wait(log), RC_OK);
    fflush(stdout);
    int ready[2], go[2];
    ck_assert_int_eq(pipe(ready), 0);
    ck_assert_int_eq(pipe(go), 0);
    log_close(log);
    pid_t reader = fork(); /* before anything is open */
    if (reader == 0) {
        const struct log_options options = {.mode = LOG_READ};
        struct log *old = NULL;
        char byte;
        enum rc rc;
        bool good = log_open(directory, &options, &old) == RC_OK && write(ready[1], "r", 1) == 1 &&
                    read(go[0], &byte, 1) == 1 && read_all(old, 1, &rc) == 20 && rc == RC_END;
        log_close(old);
        _exit(good ? 0 : 1);
    }
    char byte;
    log = open_log(true);
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    copy_all(log);
    assert_begins(log, RC_OK, &exchange);
    ck_assert_int_eq(exchange_finish(exchange, &error), RC_OK);
    exchange_close(exchange);
    append_some(log, 200); /* would use the pages again that the reader looks at */
    ck_assert_int_eq(log_wait(log), RC_OK);
    ck_assert_int_eq(write(go[1], "g", 1), 1);
    int status = 0;
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_whole(log, 220, 0);
    log_close(log);
}
END_TEST

START_TEST(files_put_where_they_were_before_are_not_taken_for_an_empty_log)
{
    struct log *log = open_log(false);
    char command[256];
    append_some(log, 3);
    log_close(log);
    snprintf(command, sizeof(command), "mv %s/log/data.mdb %s/ && rm -r %s/log", directory,
             directory, directory);
    ck_assert_int_eq(system(command), 0);
    const struct log_options options = {.mode = _i == 0 ? LOG_CLAIM : LOG_READ};
    ck_assert_int_eq(log_open(directory, &options, &log), RC_REFUSED);
    ck_assert_ptr_nonnull(strstr(log_error(NULL), "move it to"));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("exchange");
    TCase *tc = tcase_create("exchange");
    tcase_add_checked_fixture(tc, setup_part, teardown_part);
    tcase_set_timeout(tc, 60);
    tcase_add_loop_test(tc, the_log_goes_on_in_the_new_files, 0, 2);
    tcase_add_test(tc, a_log_can_be_exchanged_again_and_again);
    tcase_add_test(tc, without_a_finish_the_former_files_are_in_place);
    tcase_add_test(tc, words_erased_since_the_copy_are_erased_in_it_first);
    tcase_add_test(tc, a_copy_that_is_far_behind_is_brought_nearer);
    tcase_add_loop_test(tc, what_is_no_copy_of_it_is_refused_and_the_log_goes_on, 0, REFUSED_COUNT);
    tcase_add_test(tc, a_reader_from_before_keeps_what_it_opened);
    tcase_add_loop_test(tc, files_put_where_they_were_before_are_not_taken_for_an_empty_log, 0, 2);
    suite_add_tcase(s, tc);
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
