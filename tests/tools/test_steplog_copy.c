/* backup, compact, export and import: the same log somewhere else, in another form, without what is erased. */
#include "tests/tools/steplog_fixture.h"

#include <lmdb.h>
#include <string.h>

static char other[96];

static void
setup_two(void)
{
    setup();
    snprintf(other, sizeof(other), "%s-other", directory);
}

static void
remove_other(void)
{
    char command[512];
    snprintf(command, sizeof(command), "rm -rf '%s' '%s.part' '%s.jsonl'", other, other, other);
    ck_assert_int_eq(system(command), 0);
}

static void
teardown_two(void)
{
    remove_other();
    teardown();
}

/* The text of a directory's log, with everything in it. */
static char *
text_of(const char *place)
{
    char arguments[128];
    snprintf(arguments, sizeof(arguments), "export -d %s", place);
    ck_assert_int_eq(run(arguments), EXIT_GOOD);
    return strdup(buf_cstr(&output));
}

static void
assert_same_log(const char *a, const char *b)
{
    char *one = text_of(a), *two = text_of(b);
    ck_assert_msg(strcmp(one, two) == 0, "%s:\n%s%s:\n%s", a, one, b, two);
    ck_assert_ptr_nonnull(strstr(one, "\"id\":"));
    free(one);
    free(two);
}

START_TEST(a_backup_beside_a_writer_is_the_same_log)
{
    ck_assert_int_eq(run_in("backup -o json", other), EXIT_GOOD);
    assert_says("\"events\":7,");
    assert_same_log(directory, other);
    char arguments[128];
    snprintf(arguments, sizeof(arguments), "verify %s", other);
    ck_assert_int_eq(run(arguments), EXIT_GOOD);
    /* The writer goes on, and the next backup has that too. */
    append_stop(0);
    remove_other();
    ck_assert_int_eq(run_in("backup -o json", other), EXIT_GOOD);
    assert_says("\"events\":8,");
}
END_TEST

START_TEST(a_backup_never_overwrites)
{
    ck_assert_int_eq(mkdir(other, 0700), 0); /* an empty directory is as good as none */
    ck_assert_int_eq(run_in("backup", other), EXIT_GOOD);
    ck_assert_int_eq(run_in("backup", other), EXIT_NOT_NOW);
    assert_says("is not empty");
    assert_same_log(directory, other);
}
END_TEST

START_TEST(a_backup_where_there_is_no_room_says_so_and_leaves_nothing)
{
    char command[256], inside[128];
    ck_assert_int_eq(mkdir(other, 0700), 0);
    snprintf(command, sizeof(command), "mount -t tmpfs -o size=40k none %s 2>/dev/null", other);
    if (geteuid() != 0 || system(command) != 0) {
        puts("skipped: a small file system cannot be mounted here (needs root)");
        return;
    }
    snprintf(inside, sizeof(inside), "%s/backup", other);
    int code = run_in("backup", inside);
    snprintf(command, sizeof(command), "test -z \"$(ls %s)\"", other);
    bool nothing_left = system(command) == 0;
    snprintf(command, sizeof(command), "umount %s", other);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(code, EXIT_NOT_NOW);
    assert_says("KiB are free");
    ck_assert(nothing_left);
}
END_TEST

START_TEST(a_rate_is_a_number)
{
    ck_assert_int_eq(run_in("backup --rate fast", other), EXIT_WRONG_USE);
    ck_assert_int_eq(run_in("backup --rate 0", other), EXIT_GOOD);
}
END_TEST

START_TEST(what_a_killed_backup_left_is_cleared)
{
    char part[256];
    snprintf(part, sizeof(part), "%s.part", other);
    ck_assert_int_eq(mkdir(part, 0700), 0);
    snprintf(part, sizeof(part), "cp -r %s/log %s.part/", directory, other);
    ck_assert_int_eq(system(part), 0);
    ck_assert_int_eq(run_in("backup", other), EXIT_GOOD);
    assert_same_log(directory, other);
}
END_TEST

START_TEST(a_damaged_log_is_not_backed_up)
{
    close_log();
    char command[256];
    snprintf(command, sizeof(command), "perl -pi -e 's/Ubbbb/Ubbbc/g' %s/log/data.mdb", directory);
    ck_assert_int_eq(system(command), 0);
    ck_assert_int_eq(run_in("backup", other), EXIT_BAD);
    assert_says("event 4: its words do not match");
    ck_assert_int_ne(access(other, F_OK), 0);
}
END_TEST

static int
import_text(const char *text)
{
    char path[128], arguments[512];
    snprintf(path, sizeof(path), "%s.jsonl", other);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    snprintf(arguments, sizeof(arguments), "import -o json %s %s", path, other);
    return run(arguments);
}

START_TEST(an_import_is_the_log_that_was_exported)
{
    append_stop(0);
    char *text = text_of(directory);
    ck_assert_int_eq(import_text(text), EXIT_GOOD);
    assert_says("\"events\":8,");
    assert_same_log(directory, other);
    free(text);
}
END_TEST

START_TEST(without_words_the_numbers_are_the_same)
{
    char digest[32];
    snprintf(digest, sizeof(digest), "\"digest\":\"%016llx\"",
             (unsigned long long)state_digest(engine_state(engine)));
    ck_assert_int_eq(run_in("export --no-words", ""), EXIT_GOOD);
    assert_silent_about("Uaaaa");
    assert_silent_about("こんにちは");
    assert_silent_about("\"row\"");
    char *text = strdup(buf_cstr(&output));
    ck_assert_int_eq(import_text(text), EXIT_GOOD);
    assert_says(digest);
    free(text);
}
END_TEST

/* Line by line: left out, twice, and with one character of its bytes, row or numbers changed. */
START_TEST(a_text_that_was_changed_is_refused)
{
    char *text = text_of(directory);
    size_t refused = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        struct buf without = {0}, twice = {0}, changed = {0};
        buf_append(&without, text, (size_t)(line - text));
        buf_append_cstr(&without, end + 1);
        buf_append(&twice, text, (size_t)(end + 1 - text));
        buf_append_cstr(&twice, line);
        buf_append_cstr(&changed, text);
        const char *const marks[] = {"\"bytes\":\"", "\"row\":\"", "\"run_id\":\"",
                                     "\"checksum\":\""};
        for (size_t i = 0; i < 4; i++) {
            char *at = strstr(line, marks[i]);
            if (at != NULL && at < end) {
                char *victim = (char *)changed.data + (at - text) + strlen(marks[i]) + 2;
                *victim = *victim == 'a' ? 'b' : 'a';
            }
        }
        bool is_id = strncmp(line, "{\"id\"", 5) == 0; /* ids stand for themselves */
        bool was_changed = strcmp(buf_cstr(&changed), text) != 0;
        const struct {
            struct buf *text;
            bool to_be_refused;
        } tries[] = {{&without, !is_id}, {&twice, !is_id}, {&changed, was_changed}};
        for (size_t i = 0; i < 3; i++) {
            if (tries[i].to_be_refused) {
                int code = import_text(buf_cstr(tries[i].text));
                ck_assert_msg(code == EXIT_BAD, "try %zu of line %.60s ended with %d:\n%s", i, line,
                              code, buf_cstr(&output));
                ck_assert_int_ne(access(other, F_OK), 0);
                refused++;
            }
        }
        buf_fini(&without);
        buf_fini(&twice);
        buf_fini(&changed);
    }
    ck_assert_uint_gt(refused, 40);
    free(text);
}
END_TEST

/* ---- compact ---- */

/* Deletes a content row, as forgetting does. */
static void
erase_words(uint64_t seq)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi content;
    uint8_t bytes[8] = {[7] = (uint8_t)seq};
    char path[128];
    snprintf(path, sizeof(path), "%s/log", directory);
    MDB_val key = {sizeof(bytes), bytes};
    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_set_maxdbs(env, 4), 0);
    ck_assert_int_eq(mdb_env_open(env, path, MDB_NOTLS, 0600), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, "content", 0, &content), 0);
    ck_assert_int_eq(mdb_del(txn, content, &key, NULL), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static bool
directory_holds(const char *text)
{
    char command[128];
    snprintf(command, sizeof(command), "grep -rqF '%s' %s", text, directory);
    return system(command) == 0;
}

START_TEST(compact_leaves_no_byte_of_erased_words)
{
    close_log();
    erase_words(6);
    ck_assert(directory_holds("こんにちは")); /* in a page that is free, or in the rest of one */
    ck_assert_int_eq(run_in("compact", ""), EXIT_GOOD);
    ck_assert(!directory_holds("こんにちは"));
    ck_assert(directory_holds("Ubbbb"));
    ck_assert_int_eq(run_in("verify", ""), EXIT_GOOD);
    assert_says("of message_received  1");
}
END_TEST

/* As the daemon reads it; empty where there is none. */
static struct span
machine_id(void)
{
    static char text[64];
    FILE *file = fopen("/etc/machine-id", "re");
    if (file != NULL) {
        if (fgets(text, sizeof(text), file) == NULL) {
            text[0] = '\0';
        }
        fclose(file);
    }
    text[strcspn(text, "\n")] = '\0';
    return span_cstr(text);
}

static void
append_claim(void)
{
    char path[128], *real = realpath(directory, NULL);
    struct stat file;
    snprintf(path, sizeof(path), "%s/log/data.mdb", directory);
    ck_assert_int_eq(stat(path, &file), 0);
    struct event claimed = {.kind = EVENT_CLAIMED, .friend = NO_ID};
    claimed.u.claimed.inode = file.st_ino;
    claimed.u.claimed.machine = machine_id();
    claimed.u.claimed.path = span_cstr(real);
    append(claimed, NULL);
    free(real);
}

static uint64_t
inode_of_data(void)
{
    char path[128];
    struct stat file;
    snprintf(path, sizeof(path), "%s/log/data.mdb", directory);
    ck_assert_int_eq(stat(path, &file), 0);
    return file.st_ino;
}

START_TEST(compact_claims_the_new_file_for_the_directory_it_was_in)
{
    append_claim();
    close_log();
    uint64_t before = inode_of_data();
    ck_assert_int_eq(run_in("compact", ""), EXIT_GOOD);
    ck_assert_uint_ne(inode_of_data(), before);
    char inode[64];
    snprintf(inode, sizeof(inode), "\"inode\":%llu", (unsigned long long)inode_of_data());
    ck_assert_int_eq(run_in("show -o json", "9"), EXIT_GOOD);
    assert_says("\"kind\":\"claimed\"");
    assert_says(inode);
    ck_assert_int_eq(run_in("verify", ""), EXIT_GOOD);
}
END_TEST

START_TEST(compact_does_not_make_an_original_of_a_copy)
{
    close_log(); /* its claim names another place and file */
    ck_assert_int_eq(run_in("compact", ""), EXIT_GOOD);
    ck_assert_int_eq(run_in("show", "8"), EXIT_NOTHING);
}
END_TEST

START_TEST(compact_refuses_where_the_holder_says_no_socket)
{
    uint64_t before = inode_of_data();
    ck_assert_int_eq(run_in("compact", ""), EXIT_NOT_NOW);
    assert_says("another process has");
    ck_assert_int_eq(run_in("compact --socket nowhere.sock", ""), EXIT_NO_ANSWER);
    assert_says("no answer on nowhere.sock");
    ck_assert_uint_eq(inode_of_data(), before);
    close_log();
    ck_assert_int_eq(run_in("compact", ""), EXIT_GOOD);
    ck_assert_uint_ne(inode_of_data(), before);
}
END_TEST

START_TEST(a_reader_does_not_keep_compact_from_working)
{
    close_log();
    const struct log_options options = {.mode = LOG_READ};
    ck_assert_int_eq(log_open(directory, &options, &log_of_test), RC_OK);
    uint64_t before = inode_of_data(), newest = log_newest(log_of_test);
    ck_assert_int_eq(run_in("compact", ""), EXIT_GOOD);
    ck_assert_uint_ne(inode_of_data(), before);
    struct buf row = {0};
    ck_assert_int_eq(log_read_content(log_of_test, 6, &row), RC_OK); /* as it was when opened */
    ck_assert_uint_eq(log_newest(log_of_test), newest);
    buf_fini(&row);
    close_log();
}
END_TEST

START_TEST(compact_leaves_one_checkpoint_and_no_word_that_was_erased_in_any)
{
    char name[128];
    ck_assert_int_eq(run_in("checkpoint", ""), EXIT_GOOD); /* of event 7, with the words */
    struct event forgotten = {.kind = EVENT_FRIEND_FORGOTTEN, .friend = 1};
    append(forgotten, NULL);
    close_log();
    erase_words(4);
    erase_words(7);
    ck_assert(directory_holds("Ubbbb"));
    ck_assert_int_eq(run_in("compact -o json", ""), EXIT_GOOD);
    assert_says("\"checkpoints_dropped\":1");
    snprintf(name, sizeof(name), "%s/checkpoint-%020d", directory, 8);
    ck_assert_int_eq(access(name, F_OK), 0);
    ck_assert(!directory_holds("Ubbbb"));
    ck_assert(!directory_holds("canary-token"));
    ck_assert(directory_holds("Uaaaa"));
}
END_TEST

static Suite *
suite(void)
{
    unsetenv("STEPD_DATA_DIR");
    setenv("LC_ALL", "C.UTF-8", 1);
    Suite *s = suite_create("steplog_copy");
    TCase *tc = tcase_create("copy");
    tcase_add_checked_fixture(tc, setup_two, teardown_two);
    tcase_set_timeout(tc, 120);
    tcase_add_test(tc, a_backup_beside_a_writer_is_the_same_log);
    tcase_add_test(tc, a_backup_never_overwrites);
    tcase_add_test(tc, a_backup_where_there_is_no_room_says_so_and_leaves_nothing);
    tcase_add_test(tc, a_rate_is_a_number);
    tcase_add_test(tc, what_a_killed_backup_left_is_cleared);
    tcase_add_test(tc, a_damaged_log_is_not_backed_up);
    tcase_add_test(tc, an_import_is_the_log_that_was_exported);
    tcase_add_test(tc, without_words_the_numbers_are_the_same);
    tcase_add_test(tc, a_text_that_was_changed_is_refused);
    tcase_add_test(tc, compact_leaves_no_byte_of_erased_words);
    tcase_add_test(tc, compact_claims_the_new_file_for_the_directory_it_was_in);
    tcase_add_test(tc, compact_does_not_make_an_original_of_a_copy);
    tcase_add_test(tc, compact_refuses_where_the_holder_says_no_socket);
    tcase_add_test(tc, a_reader_does_not_keep_compact_from_working);
    tcase_add_test(tc, compact_leaves_one_checkpoint_and_no_word_that_was_erased_in_any);
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
