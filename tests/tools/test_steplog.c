/* steplog over a data directory made here: what it prints, and how it ends. Runs the program itself, from
 * the build directory. */
#include "engine/engine.h"
#include "proto/event.h"
#include "store/log.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_GOOD = 0, EXIT_BAD = 1, EXIT_WRONG_USE = 2, EXIT_NOTHING = 3 };
#define AT_MS INT64_C(1780276500000) /* 2026-06-01 10:15 in Tokyo */

static char directory[64];
static struct log *log_of_test;
static struct engine *engine;
static struct buf output;
static const uint8_t salt[EVENT_SALT_BYTES] = "salt of the test";
static const struct engine_calls NO_CALLS;

/* One event a batch; the engine follows, so that its digest can be recorded. */
static void
append(struct event event, const char *word)
{
    struct buf bytes = {0}, row = {0}, framed = {0};
    const struct span words[] = {span_cstr(word)};
    event.seq = log_newest(log_of_test) + 1;
    event.at_ms = AT_MS + (int64_t)event.seq * 1000;
    event.words = words;
    event.word_count = word == NULL ? 0 : 1;
    if (event.friend != NO_ID && event.friend < engine_state(engine)->friend_count) {
        event.friend_prev = engine_state(engine)->friends[event.friend].newest_seq;
    }
    event_encode(&event, salt, &bytes, &row);
    log_events_add(&framed, buf_span(&bytes));
    const struct log_content content = {event.seq, buf_span(&row)};
    const struct log_batch batch = {.time_ms = event.at_ms,
                                    .event_count = 1,
                                    .events = buf_span(&framed),
                                    .content = &content,
                                    .content_count = row.len > 0};
    ck_assert_int_eq(log_append(log_of_test, &batch, event.seq), RC_OK);
    engine_apply(engine, &event);
    buf_fini(&bytes);
    buf_fini(&row);
    buf_fini(&framed);
}

static void
append_stop(uint64_t wrong_by)
{
    struct event stopped = {.kind = EVENT_STOPPED, .friend = NO_ID};
    stopped.u.stopped.digest = state_digest(engine_state(engine)) ^ wrong_by;
    append(stopped, NULL);
}

/* 1 claimed, 2 and 4 friends, 3 and 5 tags, 6 a message, 7 a delivery with a token. */
static void
setup(void)
{
    const struct log_options options = {.mode = LOG_CLAIM};
    const uint8_t run_id[LOG_RUN_ID_BYTES] = {7};
    strcpy(directory, "steplog-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_eq(log_open(directory, &options, &log_of_test), RC_OK);
    log_set_run_id(log_of_test, run_id);
    engine = engine_new(&NO_CALLS);

    struct event claimed = {.kind = EVENT_CLAIMED, .friend = NO_ID};
    claimed.u.claimed.path = span_cstr("/somewhere");
    append(claimed, NULL);
    for (uint32_t friend = 0; friend < 2; friend ++) {
        struct event added = {.kind = EVENT_FRIEND_ADDED, .friend = friend};
        struct event tagged = {.kind = EVENT_TAG_ADDED,
                               .friend = friend,
                               .source = {SOURCE_OPERATOR, 1000, 0},
                               .u.tag = {.tag = 4}};
        append(added, friend == 0 ? "Uaaaa" : "Ubbbb");
        append(tagged, NULL);
    }
    struct event message = {.kind = EVENT_MESSAGE_RECEIVED, .friend = 0};
    message.u.act.button = message.u.act.choice = NO_ID;
    append(message, "こんにちは");
    struct event planned = {.kind = EVENT_DELIVERY_PLANNED, .friend = 1};
    planned.u.delivery.item_count = 2;
    planned.u.delivery.items[0] = (struct delivery_item){.template = 3, .enrolment = NO_ID};
    planned.u.delivery.items[1] = (struct delivery_item){.template = 5, .enrolment = NO_ID};
    append(planned, "canary-token");
}

static void
close_log(void)
{
    log_close(log_of_test);
    log_of_test = NULL;
}

static void
teardown(void)
{
    close_log();
    engine_free(engine);
    buf_fini(&output);
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

/* Runs "steplog ARGUMENTS" with both streams in `output`; returns its exit code. */
static int
run(const char *arguments)
{
    char command[512], block[4096];
    snprintf(command, sizeof(command), "bin/steplog %s 2>&1", arguments);
    buf_clear(&output);
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    for (size_t got; (got = fread(block, 1, sizeof(block), pipe)) > 0;) {
        buf_append(&output, block, got);
    }
    int status = pclose(pipe);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int
run_in(const char *command, const char *more)
{
    char arguments[256];
    snprintf(arguments, sizeof(arguments), "%s -d %s %s", command, directory, more);
    return run(arguments);
}

static void
assert_says(const char *text)
{
    ck_assert_msg(strstr(buf_cstr(&output), text) != NULL, "no '%s' in:\n%s", text,
                  buf_cstr(&output));
}

static void
assert_silent_about(const char *text)
{
    ck_assert_msg(strstr(buf_cstr(&output), text) == NULL, "'%s' in:\n%s", text, buf_cstr(&output));
}

static size_t
lines(void)
{
    size_t count = 0;
    for (const char *at = buf_cstr(&output); *at != '\0'; at++) {
        count += *at == '\n';
    }
    return count;
}

START_TEST(tail_prints_the_newest_events)
{
    ck_assert_int_eq(run_in("tail", "-n 2 -o json"), EXIT_GOOD);
    ck_assert_uint_eq(lines(), 2);
    assert_says("\"kind\":\"message_received\"");
    assert_says("こんにちは");
    assert_silent_about("canary-token");
    ck_assert_int_eq(run_in("tail", "-n 3"), EXIT_GOOD);
    ck_assert_uint_eq(lines(), 4); /* with the headings */
    ck_assert_int_eq(run_in("tail", ""), EXIT_GOOD);
    assert_says("operator 1000");
    assert_says("items=3+5");
    assert_says("2026-06-01T10:15:07  "); /* to the second, in the account's zone */
}
END_TEST

START_TEST(the_directory_may_come_first)
{
    char arguments[128];
    snprintf(arguments, sizeof(arguments), "tail %s -n 1 -o json", directory);
    ck_assert_int_eq(run(arguments), EXIT_GOOD);
    ck_assert_uint_eq(lines(), 1);
    snprintf(arguments, sizeof(arguments), "show %s 3", directory);
    ck_assert_int_eq(run(arguments), EXIT_GOOD);
    assert_says("\"tag_added\"");
}
END_TEST

START_TEST(show_prints_one_event)
{
    ck_assert_int_eq(run_in("show", "2"), EXIT_GOOD);
    assert_says("\"user_id\": \"Uaaaa\"");
    assert_says("2026-06-01T10:15:02.000+09:00");
    ck_assert_int_eq(run_in("show", "99"), EXIT_NOTHING);
    ck_assert_int_eq(run_in("show", "two"), EXIT_WRONG_USE);
}
END_TEST

START_TEST(a_friends_life_is_told_from_the_beginning)
{
    const char *const names[] = {"0", "Uaaaa"};
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(run_in("friend -o json", names[i]), EXIT_GOOD);
        ck_assert_uint_eq(lines(), 3);
        const char *text = buf_cstr(&output);
        const char *added = strstr(text, "friend_added"), *tag = strstr(text, "tag_added"),
                   *message = strstr(text, "message_received");
        ck_assert(added != NULL && added < tag && tag < message);
        assert_silent_about("\"friend\":1");
    }
    ck_assert_int_eq(run_in("friend", "2"), EXIT_NOTHING);
    ck_assert_int_eq(run_in("friend", "Unobody"), EXIT_NOTHING);
}
END_TEST

START_TEST(replay_prints_counts_and_the_digest)
{
    char digest[32];
    snprintf(digest, sizeof(digest), "\"digest\":\"%016llx\"",
             (unsigned long long)state_digest(engine_state(engine)));
    ck_assert_int_eq(run_in("replay", "-o json"), EXIT_GOOD);
    assert_says("\"events\":7,");
    assert_says("\"friends\":2,");
    assert_says("\"deliveries_planned\":1,");
    assert_says(digest);
    ck_assert_int_eq(run_in("replay -o json", "--until 3"), EXIT_GOOD);
    assert_says("\"friends\":1,");
    ck_assert_int_eq(run_in("replay -o json", "--until '2026-06-01 10:15:02'"), EXIT_GOOD);
    assert_says("\"events\":2,");
    ck_assert_int_eq(run_in("replay", "--until yesterday"), EXIT_WRONG_USE);
}
END_TEST

START_TEST(verify_agrees_with_a_clean_stop)
{
    append_stop(0);
    ck_assert_int_eq(run_in("verify", "-o json"), EXIT_GOOD);
    assert_says("\"good\":true");
    assert_says("\"stops_checked\":1");
    ck_assert_int_eq(run_in("verify", ""), EXIT_GOOD);
}
END_TEST

START_TEST(verify_notices_a_digest_that_replay_does_not_give)
{
    append_stop(1);
    ck_assert_int_eq(run_in("verify", "-o json"), EXIT_BAD);
    assert_says("\"good\":false");
    assert_says("event 8: the stop recorded digest");
}
END_TEST

/* Overwrites every place in the data file where `text` stands. */
static void
damage(const char *text)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/data.mdb", directory);
    struct stat file;
    ck_assert_int_eq(stat(path, &file), 0);
    size_t size = (size_t)file.st_size;
    uint8_t *bytes = malloc(size);
    int fd = open(path, O_RDWR | O_CLOEXEC), found = 0;
    ck_assert_int_eq(read(fd, bytes, size), file.st_size);
    for (uint8_t *at = bytes;
         (at = memmem(at, size - (size_t)(at - bytes), text, strlen(text))) != NULL; at++) {
        *at ^= 1;
        found++;
    }
    ck_assert_int_gt(found, 0);
    ck_assert_int_eq(pwrite(fd, bytes, size, 0), file.st_size);
    close(fd);
    free(bytes);
}

START_TEST(verify_names_a_damaged_batch)
{
    close_log();
    damage("/somewhere");
    ck_assert_int_eq(run_in("verify", ""), EXIT_BAD);
    assert_says("batch at event 1: checksum does not match");
}
END_TEST

START_TEST(verify_names_damaged_words)
{
    close_log();
    damage("Ubbbb");
    ck_assert_int_eq(run_in("verify", ""), EXIT_BAD);
    assert_says("event 4: its words do not match");
}
END_TEST

/* Whatever the damage, it ends with 1 and never by a signal. */
START_TEST(verify_survives_damaged_pages)
{
    close_log();
    char path[128];
    snprintf(path, sizeof(path), "%s/data.mdb", directory);
    struct stat file;
    ck_assert_int_eq(stat(path, &file), 0);
    uint8_t saved[4096], noise[4096];
    memset(noise, 0xa5, sizeof(noise));
    int fd = open(path, O_RDWR | O_CLOEXEC), noticed = 0;
    for (off_t page = 2 * 4096; page + 4096 <= file.st_size; page += 4096) {
        ck_assert_int_eq(pread(fd, saved, sizeof(saved), page), 4096);
        ck_assert_int_eq(pwrite(fd, noise, sizeof(noise), page), 4096);
        int code = run_in("verify", "");
        ck_assert_msg(code == EXIT_GOOD || code == EXIT_BAD, "page %lld: %d\n%s",
                      (long long)(page / 4096), code, buf_cstr(&output));
        noticed += code == EXIT_BAD;
        ck_assert_int_eq(pwrite(fd, saved, sizeof(saved), page), 4096);
    }
    close(fd);
    ck_assert_int_gt(noticed, 0);
    ck_assert_int_eq(run_in("verify", ""), EXIT_GOOD);
}
END_TEST

START_TEST(what_is_missing_or_not_built_is_said)
{
    static const struct {
        const char *arguments;
        int code;
        const char *says;
    } rows[] = {
        {"tail -d no/such/place", EXIT_NOTHING, "no/such/place"},
        {"tail", EXIT_WRONG_USE, "-d DIR"},
        {"backup x", EXIT_WRONG_USE, "not yet: backup"},
        {"compact", EXIT_WRONG_USE, "not yet: compact"},
        {"tail -f -d .", EXIT_WRONG_USE, "not yet: tail -f"},
        {"dance", EXIT_WRONG_USE, "unknown command 'dance'"},
        {"tail -d . -n 0", EXIT_WRONG_USE, "-n wants a number"},
        {"tail -d . -o xml", EXIT_WRONG_USE, "is one of table|json, not 'xml'"},
        {"--help", EXIT_GOOD, "steplog verify /backup/shop"},
    };
    ck_assert_int_eq(run(rows[_i].arguments), rows[_i].code);
    assert_says(rows[_i].says);
}
END_TEST

static Suite *
suite(void)
{
    unsetenv("STEPD_DATA_DIR");
    setenv("LC_ALL", "C.UTF-8", 1);
    Suite *s = suite_create("steplog");
    TCase *tc = tcase_create("steplog");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, tail_prints_the_newest_events);
    tcase_add_test(tc, the_directory_may_come_first);
    tcase_add_test(tc, show_prints_one_event);
    tcase_add_test(tc, a_friends_life_is_told_from_the_beginning);
    tcase_add_test(tc, replay_prints_counts_and_the_digest);
    tcase_add_test(tc, verify_agrees_with_a_clean_stop);
    tcase_add_test(tc, verify_notices_a_digest_that_replay_does_not_give);
    tcase_add_test(tc, verify_names_a_damaged_batch);
    tcase_add_test(tc, verify_names_damaged_words);
    tcase_add_test(tc, verify_survives_damaged_pages);
    tcase_add_loop_test(tc, what_is_missing_or_not_built_is_said, 0, 9);
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
