/* A data directory that was copied, moved or restored sends nothing until it is released (SPEC R45). */
#include "daemon/held.h"
#include "tests/daemon/fixture.h"

#include <unistd.h>

#define ANNA "U0000000000000000000000000000000a"
#define BERT "U0000000000000000000000000000000b"

static const char SHOP[] =
    "account: {name: A shop}\n"
    "tags: {all: [seen]}\n"
    "templates: {T_hello: Hello, T_first: One, T_second: Two, T_third: Three, T_back: Again}\n"
    "friend_add:\n"
    "  new: {do: [ {start: S_welcome} ]}\n"
    "scenarios:\n"
    "  S_welcome:\n"
    "    steps:\n"
    "      hello: {when: now, send: T_hello}\n"
    "      first: {when: 1h after start, send: T_first}\n"
    "      tagged: {when: 90m after start, do: [ {tag: +seen} ]}\n"
    "      second: {when: 2h after start, send: T_second}\n"
    "      third: {when: 4h after start, send: T_third}\n"
    "auto_replies:\n"
    "  back: {exact: again, send: T_back}\n";

static char root[64], data[80], copy[80], machine[80];

static void shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void
shell(const char *format, ...)
{
    char command[600];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    ck_assert_int_eq(system(command), 0);
}

static void
setup(void)
{
    strcpy(root, "held-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    snprintf(data, sizeof(data), "%s/data", root);
    snprintf(copy, sizeof(copy), "%s/copy", root);
    snprintf(machine, sizeof(machine), "%s/machine-id", root);
    shell("echo 0123456789abcdef > %s", machine);
    fixture_begin();
    fixture_start(data, data, machine);
    apply_yaml(SHOP);
    follows(ANNA); /* 10:00: hello, by reply */
}

static void
teardown(void)
{
    fixture_close();
    shell("rm -rf %s", root);
}

static void
restart(const char *directory)
{
    fixture_kill();
    fixture_start(directory, directory, machine);
}

static json_t *
status(void)
{
    return call_api("GET", "/v1/status", "", NULL);
}

static void
expect_status(const char *path, const char *wanted)
{
    json_t *tree = status();
    ck_assert_msg(strcmp(value_at(tree, path), wanted) == 0, "%s is %s, not %s", path,
                  value_at(tree, path), wanted);
    json_decref(tree);
}

static void
release(const char *from)
{
    char body[100];
    snprintf(body, sizeof(body), "{\"from\":\"%s\"}", from);
    json_decref(call_api("POST", "/v1/release", body, NULL));
    fixture_settle(&fixture);
}

/* "T_first sent, T_second skipped restored, ..." of a friend, as `why` tells it. */
static void
expect_why(const char *friend, const char *wanted)
{
    char path[100], text[600] = "";
    snprintf(path, sizeof(path), "/v1/friends/%s/why", friend);
    json_t *tree = call_api("GET", path, "", NULL);
    const json_t *rows = json_object_get(tree, "deliveries");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *reason = json_string_value(json_object_get(row, "reason"));
        const char *source = json_string_value(json_object_get(row, "source"));
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s %s%s%s",
                 i == 0 ? "" : ", ",
                 strrchr(source, '/') == NULL ? source : strrchr(source, '/') + 1,
                 json_string_value(json_object_get(row, "outcome")), reason == NULL ? "" : " ",
                 reason == NULL ? "" : reason);
    }
    ck_assert_str_eq(text, wanted);
    json_decref(tree);
}

/* ---- when it is held ---- */

static void
nothing_changed(void)
{
}

static void
deleted_lock_files(void)
{
    shell("rm %s/claim.lock %s/log/lock.mdb", data, data);
}

static void
moved(void)
{
    shell("mv %s %s && cp -a %s %s", data, copy, copy, data); /* the copy is for the teardown */
    strcpy(data, copy);
}

static void
copied(void)
{
    shell("cp -a %s %s", data, copy);
    strcpy(data, copy);
}

static void
restored_as_a_new_file(void)
{
    shell("cp %s/log/data.mdb %s/saved && rm %s/log/data.mdb && cp %s/saved %s/log/data.mdb", data,
          root, data, root, data);
}

static void
restored_in_place(void)
{
    shell("cp %s/older.mdb %s/log/data.mdb", root, data); /* keeps inode and birth time */
}

static void
on_another_machine(void)
{
    shell("echo fedcba9876543210 > %s", machine);
}

static const struct {
    const char *name;
    void (*happens)(void);
    const char *differs; /* NULL: not held */
} CASES[] = {
    {"nothing changed", nothing_changed, NULL},
    {"lock files were deleted", deleted_lock_files, NULL},
    {"moved", moved, "path"},
    {"copied", copied, "path"},
    {"restored as a new file", restored_as_a_new_file, "data file"},
    {"restored in place", restored_in_place, "newest event"},
    {"on another machine", on_another_machine, "machine"},
};
enum { CASE_COUNT = sizeof(CASES) / sizeof(CASES[0]) };

START_TEST(a_directory_that_is_not_the_one_claimed_last_is_held)
{
    shell("cp %s/log/data.mdb %s/older.mdb", data, root);
    follows(BERT);
    fixture_kill();
    CASES[_i].happens();
    fixture_start(data, data, machine);
    bool held = CASES[_i].differs != NULL;
    ck_assert_msg(held_by_claim(fixture.core) == held, "%s", CASES[_i].name);
    expect_status("copied.differs", held ? CASES[_i].differs : "absent");
    uint32_t pushes = fixture.push_count;
    advance_to("2026-06-01 11:00");
    ck_assert_msg((fixture.push_count == pushes) == held, "%s", CASES[_i].name);
    for (int i = 0; i < 2; i++) { /* and so it stays, until it is released */
        restart(data);
        ck_assert_int_eq(held_by_claim(fixture.core), held);
    }
}
END_TEST

START_TEST(an_empty_directory_is_never_held)
{
    fixture_kill();
    fixture_start(copy, copy, machine);
    ck_assert(!held_by_claim(fixture.core));
}
END_TEST

START_TEST(status_tells_the_gap)
{
    fixture_kill();
    copied();
    fixture_start(data, data, machine);
    advance_to("2026-06-01 12:30");
    expect_status("copied.machine", "0123456789abcdef");
    expect_status("copied.claimed", "2026-06-01T10:00:00.000+09:00");
    expect_status("copied.due", "1");
    expect_status("copied.due_since", "2026-06-01T11:00:00.000+09:00");
    json_t *tree = status();
    const char *held = json_string_value(json_object_get(tree, "held"));
    ck_assert_ptr_nonnull(strstr(held, "1 delivery is due since 2026-06-01T11:00:00.000+09:00"));
    ck_assert_ptr_nonnull(strstr(held, "another path"));
    json_decref(tree);
}
END_TEST

/* ---- while it is held ---- */

START_TEST(held_webhooks_are_recorded_and_decided_and_nothing_is_sent)
{
    fixture_kill();
    copied();
    fixture_start(data, data, machine);
    uint32_t asked = fixture.push_count + fixture.reply_count;
    follows(BERT);
    ck_assert_uint_eq(fixture.push_count + fixture.reply_count, asked);
    expect_status("friends.count", "2");
    expect_why("1", "hello pending");
    release("2026-06-01 10:00"); /* LINE's token is still good */
    ck_assert_uint_eq(fixture.push_count + fixture.reply_count, asked + 1);
    expect_why("1", "hello sent, first pending");
}
END_TEST

/* ---- release ---- */

START_TEST(release_skips_what_was_due_before_and_goes_on)
{
    fixture_kill();
    copied();
    fixture_start(data, data, machine);
    advance_to("2026-06-01 12:30");
    uint32_t pushes = fixture.push_count;
    release("2026-06-01 12:00");
    /* 11:00 and the tag of 11:30 are of the former life; 12:00 is not. */
    ck_assert_uint_eq(fixture.push_count, pushes + 1);
    expect_why("0", "hello sent, first skipped restored, tagged skipped restored, second sent, "
                    "third pending");
    expect_status("held", "null");
    restart(data);
    ck_assert(!held_by_claim(fixture.core));
    advance_to("2026-06-01 15:00");
    ck_assert_uint_eq(fixture.push_count, pushes + 2);
}
END_TEST

START_TEST(what_was_skipped_at_release_stays_skipped_after_a_kill)
{
    fixture_kill();
    copied();
    fixture_start(data, data, machine);
    advance_to("2026-06-01 11:10");
    uint32_t pushes = fixture.push_count;
    json_decref(call_api("POST", "/v1/release", "{\"from\":\"now\"}", NULL));
    restart(data); /* before anything was taken */
    fixture_settle(&fixture);
    ck_assert_uint_eq(fixture.push_count, pushes);
    expect_why("0", "hello sent, first skipped restored, tagged pending");
}
END_TEST

START_TEST(requests_of_the_former_life_end_unknown_and_are_never_repeated)
{
    ck_assert_int_eq(
        advance_begin(&fixture.advance, FIXTURE_START_MS + MS_PER_HOUR, fixture_arrived, &fixture),
        RC_OK);
    while (fixture.push_count == 0) {
        fixture_pass(&fixture);
    }
    uint64_t newest = core_state(fixture.core)->seq;
    fixture_kill(); /* LINE has not answered */
    copied();
    if (_i == 1) { /* longer ago than a key lives: even that is not booked while it is held */
        ck_assert_int_eq(clock_set(&fixture.clock, FIXTURE_START_MS + MS_PER_DAY + MS_PER_HOUR),
                         RC_OK);
    }
    fixture_start(data, data, machine);
    fixture_settle(&fixture);
    ck_assert_uint_eq(core_state(fixture.core)->seq, newest + 1); /* the claim */
    ck_assert_uint_eq(fixture.push_count, 1);
    expect_status("copied.due", "1");
    json_t *answer = call_api("POST", "/v1/release", "{\"from\":\"now\"}", NULL);
    ck_assert_str_eq(value_at(answer, "unknown"), "1");
    json_decref(answer);
    fixture_settle(&fixture);
    ck_assert_uint_eq(fixture.push_count, 1);
    if (_i == 1) {
        expect_why("0", "hello sent, first unknown restored, tagged skipped restored, "
                        "second skipped restored, third skipped restored");
        return;
    }
    expect_why("0", "hello sent, first unknown restored, tagged pending");
    advance_to("2026-06-01 12:00");
    ck_assert_uint_eq(fixture.push_count, 2); /* and the next step comes */
}
END_TEST

START_TEST(answers_planned_in_the_former_life_are_cancelled)
{
    fixture.status = 500;
    fixture_kill();
    copied();
    fixture_start(data, data, machine);
    ck_assert_uint_eq(
        post_webhook(event_body(
            ANNA, "message", ",\"message\":{\"type\":\"text\",\"id\":\"1\",\"text\":\"again\"}")),
        200);
    fixture_settle(&fixture);
    advance_to("2026-06-01 10:30");
    uint32_t asked = fixture.push_count + fixture.reply_count;
    release("now");
    ck_assert_uint_eq(fixture.push_count + fixture.reply_count, asked);
    expect_why("0", "hello sent, back cancelled restored, first pending");
}
END_TEST

START_TEST(there_is_nothing_to_release_when_nothing_is_held)
{
    static const char *const BODIES[] = {"{\"from\":\"now\"}", "{\"from\":\"some day\"}", "{}"};
    static const unsigned STATUS[] = {409, 400, 400};
    unsigned got;
    uint64_t before = core_state(fixture.core)->seq;
    json_decref(call_api("POST", "/v1/release", BODIES[_i], &got));
    ck_assert_uint_eq(got, STATUS[_i]);
    ck_assert_uint_eq(core_state(fixture.core)->seq, before);
}
END_TEST

/* ---- the clock behind the log (T6) ---- */

START_TEST(a_clock_that_is_behind_is_noticed_again_after_our_own_claim)
{
    advance_to("2026-06-01 12:00");
    fixture_kill();
    for (int i = 0; i < 3; i++) { /* each claim is logged at the wrong, earlier time */
        clock_init_virtual(&fixture.clock, FIXTURE_START_MS);
        fixture_start(data, data, machine);
        ck_assert(core_clock_behind(fixture.core));
        ck_assert_int_gt(core_newest_found_ms(fixture.core), FIXTURE_START_MS);
        fixture_kill();
    }
    clock_init_virtual(&fixture.clock, FIXTURE_START_MS + 3 * MS_PER_HOUR);
    fixture_start(data, data, machine);
    ck_assert(!core_clock_behind(fixture.core));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("held");
    TCase *tc = tcase_create("copies");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, a_directory_that_is_not_the_one_claimed_last_is_held, 0, CASE_COUNT);
    tcase_add_test(tc, an_empty_directory_is_never_held);
    tcase_add_test(tc, status_tells_the_gap);
    tcase_add_test(tc, held_webhooks_are_recorded_and_decided_and_nothing_is_sent);
    tcase_add_test(tc, release_skips_what_was_due_before_and_goes_on);
    tcase_add_test(tc, what_was_skipped_at_release_stays_skipped_after_a_kill);
    tcase_add_loop_test(tc, requests_of_the_former_life_end_unknown_and_are_never_repeated, 0, 2);
    tcase_add_test(tc, answers_planned_in_the_former_life_are_cancelled);
    tcase_add_loop_test(tc, there_is_nothing_to_release_when_nothing_is_held, 0, 3);
    tcase_add_test(tc, a_clock_that_is_behind_is_noticed_again_after_our_own_claim);
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
