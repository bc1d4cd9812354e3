/* steplog over a data directory made here: what it prints, and how it ends. Runs the program itself, from
 * the build directory. */
#include "tests/tools/steplog_fixture.h"

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

START_TEST(digest_is_that_of_the_state)
{
    char digest[32];
    snprintf(digest, sizeof(digest), "%016llx",
             (unsigned long long)state_digest(engine_state(engine)));
    ck_assert_int_eq(run_in("digest", ""), EXIT_GOOD);
    assert_says(digest);
    ck_assert_int_eq(run_in("digest", "--until 3"), EXIT_GOOD);
    assert_silent_about(digest);
}
END_TEST

START_TEST(grep_finds_what_meets_every_condition)
{
    static const struct {
        const char *conditions;
        int code;
        size_t events;
    } rows[] = {
        {"", EXIT_GOOD, 7},
        {"--kind tag_added", EXIT_GOOD, 2},
        {"--kind tag_added,claimed", EXIT_GOOD, 3},
        {"--kind 30 --friend 1", EXIT_GOOD, 1},
        {"--friend Ubbbb", EXIT_GOOD, 3},
        {"--friend 1", EXIT_GOOD, 3},
        {"--friend Unobody", EXIT_NOTHING, 0},
        {"--from 3 --until 5", EXIT_GOOD, 3},
        {"--from '2026-06-01 10:15:03' --until '2026-06-01 10:15:05'", EXIT_GOOD, 3},
        {"--friend Ubbbb --from 5", EXIT_GOOD, 2},
        {"--from '2027-01-01 00:00'", EXIT_NOTHING, 0},
        {"--kind dance", EXIT_WRONG_USE, 0},
        {"--tag vip", EXIT_NOTHING, 0},
        {"--from yesterday", EXIT_WRONG_USE, 0},
    };
    ck_assert_int_eq(run_in("grep -o json", rows[_i].conditions), rows[_i].code);
    if (rows[_i].code == EXIT_GOOD) {
        ck_assert_uint_eq(lines(), rows[_i].events);
        ck_assert_int_eq(run_in("grep", rows[_i].conditions), EXIT_GOOD);
        ck_assert_uint_eq(lines(), rows[_i].events + 1); /* the headings */
    }
}
END_TEST

START_TEST(stat_counts_by_kind_and_by_day)
{
    ck_assert_int_eq(run_in("stat", "-o json"), EXIT_GOOD);
    assert_says("\"events\":7,");
    assert_says("\"batches\":7,");
    assert_says("\"with_words\":4,");
    assert_says("\"remembered_ids\":7,");
    assert_says("\"readers\":0,");
    assert_says("{\"kind\":\"tag_added\",\"events\":2,");
    assert_says("{\"day\":\"2026-06-01\",\"events\":7,");
    ck_assert_int_eq(run_in("stat", ""), EXIT_GOOD);
    assert_says("map_bytes           68719476736");
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
    snprintf(path, sizeof(path), "%s/log/data.mdb", directory);
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
    snprintf(path, sizeof(path), "%s/log/data.mdb", directory);
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

/* Where a page is missing, reading ends by a signal: every command says what that means. */
START_TEST(a_file_cut_short_is_told_in_words)
{
    close_log();
    char path[128];
    snprintf(path, sizeof(path), "%s/log/data.mdb", directory);
    struct stat file;
    int told = 0;
    ck_assert_int_eq(stat(path, &file), 0);
    for (off_t size = file.st_size - 4096; size > 0; size -= 4096) {
        static const char *const COMMANDS[] = {"tail", "replay", "verify", "stat", "export"};
        ck_assert_int_eq(truncate(path, size), 0);
        for (size_t i = 0; i < sizeof(COMMANDS) / sizeof(COMMANDS[0]); i++) {
            int code = run_in(COMMANDS[i], "");
            ck_assert_msg(code == EXIT_GOOD || code == EXIT_BAD || code == EXIT_NOTHING,
                          "%s of %lld bytes ended with %d:\n%s", COMMANDS[i], (long long)size, code,
                          buf_cstr(&output));
            told += strstr(buf_cstr(&output), "was cut short") != NULL;
        }
    }
    ck_assert_int_gt(told, 0);
}
END_TEST

static const struct {
    const char *arguments;
    int code;
    const char *says;
} WRONG_CALLS[] = {
    {"tail -d no/such/place", EXIT_NOTHING, "no/such/place"},
    {"tail", EXIT_WRONG_USE, "-d DIR"},
    {"checkpoint", EXIT_WRONG_USE, "-d DIR"},
    {"compact", EXIT_WRONG_USE, "-d DIR"},
    {"import no/such/file x", EXIT_NOTHING, "cannot open no/such/file"},
    {"dance", EXIT_WRONG_USE, "unknown command 'dance'"},
    {"tail -d . -n 0", EXIT_WRONG_USE, "-n wants a number"},
    {"tail -d . -o xml", EXIT_WRONG_USE, "is one of table|json, not 'xml'"},
    {"--help", EXIT_GOOD, "steplog verify /backup/shop"},
};

START_TEST(what_is_missing_or_not_built_is_said)
{
    ck_assert_int_eq(run(WRONG_CALLS[_i].arguments), WRONG_CALLS[_i].code);
    assert_says(WRONG_CALLS[_i].says);
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
    tcase_add_test(tc, digest_is_that_of_the_state);
    tcase_add_loop_test(tc, grep_finds_what_meets_every_condition, 0, 14);
    tcase_add_test(tc, stat_counts_by_kind_and_by_day);
    tcase_add_test(tc, verify_agrees_with_a_clean_stop);
    tcase_add_test(tc, verify_notices_a_digest_that_replay_does_not_give);
    tcase_add_test(tc, verify_names_a_damaged_batch);
    tcase_add_test(tc, verify_names_damaged_words);
    tcase_add_test(tc, verify_survives_damaged_pages);
    tcase_add_test(tc, a_file_cut_short_is_told_in_words);
    tcase_add_loop_test(tc, what_is_missing_or_not_built_is_said, 0,
                        (int)(sizeof(WRONG_CALLS) / sizeof(WRONG_CALLS[0])));
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
