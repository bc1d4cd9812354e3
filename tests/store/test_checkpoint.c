/* Checkpoint files: whole or not there, two kept, and told apart from those of another log, another
 * version, or a later time (RELIABILITY C14, C15). */
#include "tests/store/checkpoint_file.h"
#include "tests/store/log_helpers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

static const char IMAGE[] = "the state as bytes";
static struct buf bytes;

static struct checkpoint
checkpoint_of(struct log *log, uint64_t seq)
{
    struct checkpoint checkpoint = {.state_version = 3, .digest = 77};
    ck_assert_int_eq(checkpoint_place(log, seq, &checkpoint), RC_OK);
    return checkpoint;
}

static void
write_of(struct log *log, uint64_t seq)
{
    struct buf error = {0};
    struct checkpoint checkpoint = checkpoint_of(log, seq);
    enum rc rc =
        checkpoint_file_write(directory, &checkpoint, span_of(IMAGE, sizeof(IMAGE)), &error);
    ck_assert_msg(rc == RC_OK, "%s", buf_cstr(&error));
    buf_fini(&error);
}

static enum rc
read_of(uint64_t seq, struct checkpoint *out)
{
    const char *why = "";
    enum rc rc = checkpoint_file_read(directory, seq, &bytes, out, &why);
    ck_assert(rc == RC_OK || why[0] != '\0');
    return rc;
}

static void
teardown(void)
{
    buf_fini(&bytes);
    remove_directory();
}

/* Names of files in the directory that begin so. */
static uint32_t
files_named(const char *prefix)
{
    uint32_t count = 0;
    DIR *dir = opendir(directory);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        count += strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
    }
    closedir(dir);
    return count;
}

START_TEST(a_checkpoint_reads_as_it_was_written)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    write_of(log, 4);
    struct checkpoint back;
    ck_assert_int_eq(read_of(4, &back), RC_OK);
    ck_assert_uint_eq(back.seq, 4);
    ck_assert_uint_eq(back.state_version, 3);
    ck_assert_uint_eq(back.digest, 77);
    ck_assert_int_eq(back.time_ms, START_MS + 1);
    ck_assert_mem_eq(back.run_id, run_id, LOG_RUN_ID_BYTES);
    ck_assert(span_equal(buf_span(&bytes), span_of(IMAGE, sizeof(IMAGE))));
    ck_assert_int_eq(checkpoint_judge(&back, 3, log), CHECKPOINT_GOOD);
    struct stat file;
    struct buf path = {0};
    checkpoint_path(directory, 4, &path);
    ck_assert_int_eq(stat(buf_cstr(&path), &file), 0);
    ck_assert_int_eq(file.st_mode & 0777, 0600); /* it holds names */
    buf_fini(&path);
    log_close(log);
}
END_TEST

START_TEST(a_checkpoint_stands_at_the_end_of_a_batch)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    struct checkpoint checkpoint = {0};
    ck_assert_int_eq(checkpoint_place(log, 3, &checkpoint), RC_INVALID);
    ck_assert_int_eq(checkpoint_place(log, 7, &checkpoint), RC_END);
    log_close(log);
}
END_TEST

START_TEST(the_two_newest_are_kept)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    write_of(log, 2);
    write_of(log, 4);
    write_of(log, 6);
    write_of(log, 6); /* again: no third */
    struct checkpoint_list list;
    ck_assert_int_eq(checkpoint_list(directory, &list), RC_OK);
    ck_assert_uint_eq(list.count, 2);
    ck_assert_uint_eq(list.items[0].seq, 6);
    ck_assert_uint_eq(list.items[1].seq, 4);
    ck_assert_uint_gt(list.items[0].bytes, sizeof(IMAGE));
    checkpoint_list_fini(&list);
    ck_assert_uint_eq(files_named("checkpoint-"), 2);
    log_close(log);
}
END_TEST

START_TEST(other_names_are_not_taken_for_checkpoints)
{
    static const char *const names[] = {"checkpoint-1", "checkpoint-0000000000000000000x",
                                        "checkpoint-99999999999999999999",
                                        "checkpoint-00000000000000000001.1.tmp", "notes"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct buf path = {0};
        buf_printf(&path, "%s/%s", directory, names[i]);
        close(open(buf_cstr(&path), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        buf_fini(&path);
    }
    struct checkpoint_list list;
    ck_assert_int_eq(checkpoint_list(directory, &list), RC_OK);
    ck_assert_uint_eq(list.count, 0);
    checkpoint_list_fini(&list);
    ck_assert_int_eq(checkpoint_list("no/such/directory", &list), RC_NOT_FOUND);
}
END_TEST

/* What a kill -9 in the middle of writing leaves goes with the next; what is being written stays. */
START_TEST(leftovers_of_a_killed_writer_are_removed)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    struct buf dead = {0}, alive = {0};
    buf_printf(&dead, "%s/checkpoint-00000000000000000004.1.tmp", directory);
    buf_printf(&alive, "%s/checkpoint-00000000000000000004.2.tmp", directory);
    close(open(buf_cstr(&dead), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    int fd = open(buf_cstr(&alive), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
    write_of(log, 2);
    ck_assert_int_ne(access(buf_cstr(&dead), F_OK), 0);
    ck_assert_int_eq(access(buf_cstr(&alive), F_OK), 0);
    close(fd);
    buf_fini(&dead);
    buf_fini(&alive);
    log_close(log);
}
END_TEST

static void
flip(const char *path, off_t at, uint8_t bits)
{
    uint8_t byte;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_eq(pread(fd, &byte, 1, at), 1);
    byte ^= bits;
    ck_assert_int_eq(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

START_TEST(every_flipped_bit_is_noticed)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    write_of(log, 4);
    struct buf path = {0};
    struct stat file;
    struct checkpoint back;
    checkpoint_path(directory, 4, &path);
    ck_assert_int_eq(stat(buf_cstr(&path), &file), 0);
    for (off_t at = 0; at < file.st_size; at++) {
        uint8_t bits = (uint8_t)(1U << at % 8);
        flip(buf_cstr(&path), at, bits);
        ck_assert_msg(read_of(4, &back) == RC_CORRUPT, "byte %lld", (long long)at);
        flip(buf_cstr(&path), at, bits);
    }
    ck_assert_int_eq(read_of(4, &back), RC_OK);
    for (off_t size = file.st_size - 1; size >= 0; size--) {
        ck_assert_int_eq(truncate(buf_cstr(&path), size), 0);
        ck_assert_msg(read_of(4, &back) == RC_CORRUPT, "size %lld", (long long)size);
    }
    ck_assert_int_eq(unlink(buf_cstr(&path)), 0);
    ck_assert_int_eq(read_of(4, &back), RC_NOT_FOUND);
    buf_fini(&path);
    log_close(log);
}
END_TEST

/* Pieces of all sizes, smaller and larger than what gathers: given, and asked for otherwise. */
struct pieces {
    const uint8_t *image;
    size_t len, piece;
};

static void
fill_in_pieces(void *context, struct checkpoint_writer *writer)
{
    const struct pieces *pieces = context;
    for (size_t at = 0, size = pieces->piece; at < pieces->len; at += size, size = size * 7 + 1) {
        size = size > pieces->len - at ? pieces->len - at : size;
        checkpoint_put(writer, pieces->image + at, size);
    }
}

START_TEST(an_image_passes_through_in_pieces_of_any_size)
{
    enum { LEN = 3 * 1024 * 1024 + 5 };
    const size_t asked[] = {1000, 256 * 1024, 256 * 1024 + 1, LEN};
    three_batches();
    struct log *log = claim(ON_DISK);
    uint8_t *image = malloc(LEN), *back = calloc(1, LEN);
    for (size_t i = 0; i < LEN; i++) {
        image[i] = (uint8_t)(i * i >> 8);
    }
    struct pieces pieces = {.image = image, .len = LEN, .piece = (size_t)_i};
    struct checkpoint head = checkpoint_of(log, 4);
    struct checkpoint_reader *reader;
    struct buf error = {0};
    const char *why = "";
    ck_assert_int_eq(checkpoint_write(directory, &head, fill_in_pieces, &pieces, &error), RC_OK);
    ck_assert_uint_eq(head.image_bytes, LEN);
    ck_assert_int_eq(checkpoint_open(directory, 4, &head, &reader, &why), RC_OK);
    for (size_t at = 0, i = 0; at < LEN; i++) {
        size_t size = asked[i % 4] > LEN - at ? LEN - at : asked[i % 4];
        ck_assert_int_eq(checkpoint_get(reader, back + at, size), RC_OK);
        at += size;
    }
    ck_assert_mem_eq(image, back, LEN);
    ck_assert_int_eq(checkpoint_get(reader, back, 1), RC_CORRUPT); /* it has no more */
    ck_assert_int_eq(checkpoint_close(reader, &why), RC_CORRUPT);
    ck_assert_int_eq(checkpoint_open(directory, 4, &head, &reader, &why), RC_OK);
    ck_assert_int_eq(checkpoint_get(reader, back, 10), RC_OK);
    ck_assert_int_eq(checkpoint_close(reader, &why), RC_OK); /* it need not be read to its end */
    free(image);
    free(back);
    log_close(log);
}
END_TEST

START_TEST(a_checkpoint_under_another_number_is_refused)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    write_of(log, 4);
    struct buf from = {0}, to = {0};
    struct checkpoint back;
    checkpoint_path(directory, 4, &from);
    checkpoint_path(directory, 6, &to);
    ck_assert_int_eq(rename(buf_cstr(&from), buf_cstr(&to)), 0);
    ck_assert_int_eq(read_of(6, &back), RC_CORRUPT);
    buf_fini(&from);
    buf_fini(&to);
    log_close(log);
}
END_TEST

START_TEST(another_state_version_is_told_apart)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    struct checkpoint checkpoint = checkpoint_of(log, 4);
    ck_assert_int_eq(checkpoint_judge(&checkpoint, 3, log), CHECKPOINT_GOOD);
    ck_assert_int_eq(checkpoint_judge(&checkpoint, 4, log), CHECKPOINT_OTHER_STATE);
    ck_assert_int_eq(checkpoint_judge(&checkpoint, 2, log), CHECKPOINT_OTHER_STATE);
    log_close(log);
}
END_TEST

START_TEST(a_checkpoint_of_another_log_is_told_apart)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    struct checkpoint checkpoint = checkpoint_of(log, 4), other = checkpoint;
    other.batch_checksum ^= 1;
    ck_assert_int_eq(checkpoint_judge(&other, 3, log), CHECKPOINT_FOREIGN);
    other = checkpoint;
    other.run_id[0] ^= 1;
    ck_assert_int_eq(checkpoint_judge(&other, 3, log), CHECKPOINT_FOREIGN);
    other = checkpoint;
    other.seq = 3; /* no batch ends there */
    ck_assert_int_eq(checkpoint_judge(&other, 3, log), CHECKPOINT_FOREIGN);
    log_close(log);
}
END_TEST

/* Later than the log: harmless when the log is another, a loss when it is the same run's. */
START_TEST(a_log_that_lost_its_end_is_told_from_one_that_was_replaced)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    struct checkpoint checkpoint = checkpoint_of(log, 6);
    checkpoint.seq = 8;
    ck_assert_int_eq(checkpoint_judge(&checkpoint, 3, log), CHECKPOINT_LOG_CUT);
    checkpoint.run_id[0] ^= 1;
    ck_assert_int_eq(checkpoint_judge(&checkpoint, 3, log), CHECKPOINT_AHEAD);
    log_close(log);
    struct log *empty = claim(IN_MEMORY);
    ck_assert_int_eq(checkpoint_judge(&checkpoint, 3, empty), CHECKPOINT_AHEAD);
    log_close(empty);
}
END_TEST

START_TEST(dropping_leaves_none)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    uint32_t count = 9;
    write_of(log, 4);
    write_of(log, 6);
    ck_assert_int_eq(checkpoint_drop(directory, UINT64_MAX, &count), RC_OK);
    ck_assert_uint_eq(count, 2);
    ck_assert_uint_eq(files_named("checkpoint-"), 0);
    ck_assert_int_eq(checkpoint_drop(directory, UINT64_MAX, &count), RC_OK);
    ck_assert_uint_eq(count, 0);
    log_close(log);
}
END_TEST

START_TEST(a_disk_that_refuses_leaves_the_older_one_and_says_so)
{
    three_batches();
    struct log *log = claim(ON_DISK);
    write_of(log, 4);
    struct checkpoint checkpoint = checkpoint_of(log, 6), back;
    struct buf error = {0};
    ck_assert_int_eq(
        checkpoint_file_write("no/such/directory", &checkpoint, (struct span){0}, &error),
        RC_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(buf_cstr(&error), "cannot write no/such/directory"));
    ck_assert_int_eq(read_of(4, &back), RC_OK);
    buf_fini(&error);
    log_close(log);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("checkpoint");
    TCase *tc = tcase_create("checkpoint");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_checkpoint_reads_as_it_was_written);
    tcase_add_test(tc, a_checkpoint_stands_at_the_end_of_a_batch);
    tcase_add_test(tc, the_two_newest_are_kept);
    tcase_add_test(tc, other_names_are_not_taken_for_checkpoints);
    tcase_add_test(tc, leftovers_of_a_killed_writer_are_removed);
    tcase_add_test(tc, every_flipped_bit_is_noticed);
    tcase_add_loop_test(tc, an_image_passes_through_in_pieces_of_any_size, 1, 5);
    tcase_add_test(tc, a_checkpoint_under_another_number_is_refused);
    tcase_add_test(tc, another_state_version_is_told_apart);
    tcase_add_test(tc, a_checkpoint_of_another_log_is_told_apart);
    tcase_add_test(tc, a_log_that_lost_its_end_is_told_from_one_that_was_replaced);
    tcase_add_test(tc, dropping_leaves_none);
    tcase_add_test(tc, a_disk_that_refuses_leaves_the_older_one_and_says_so);
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
