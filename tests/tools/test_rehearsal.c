/* The rehearsal itself: it must see every difference, and say where a file is wrong. */
#include "daemon/zones.h"
#include "tools/stepctl/rehearsal.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define DEFINITIONS                                                                                \
    "templates: {T_a: 'こんにちは \"A\"', T_b: b}\n"                                          \
    "tags: {all: [vip]}\n"                                                                         \
    "friend_add:\n  new: {do: [ {send: T_a}, {start: S} ]}\n"                                      \
    "scenarios:\n  S:\n    steps:\n"                                                               \
    "      one: {when: 1h after start, send: T_b}\n"                                               \
    "      two: {when: 2h after start, if: tag:vip, send: T_b}\n"                                  \
    "rehearsal:\n  from: 2026-06-01 00:00\n  until: 2026-06-02 00:00\n"

#define INPUTS "  inputs:\n    - 2026-06-01 10:00:00 A follows\n"

static char path[64];
static struct arena *arena;
static struct zones *zones;
static struct diagnostics diagnostics;
static struct rehearsal *rehearsal;

static void
setup(void)
{
    strcpy(path, "/tmp/test_rehearsal.XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    arena = arena_new();
    zones = zones_new(NULL);
    diagnostics_init(&diagnostics);
    rehearsal = NULL;
}

static void
teardown(void)
{
    rehearsal_free(rehearsal);
    diagnostics_fini(&diagnostics);
    zones_free(zones);
    arena_free(arena);
    unlink(path);
}

static enum rc
read_text(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    return rehearsal_read(path, zones_source(zones), &diagnostics, &rehearsal);
}

static struct rehearsal_differences
run(enum rehearsal_kill kill)
{
    struct rehearsal_result result;
    struct rehearsal_differences differences;
    enum rc rc =
        rehearsal_run(rehearsal, &rehearsal->variants[0], kill, arena, &diagnostics, &result);
    ck_assert_msg(rc == RC_OK, "%s",
                  diagnostics.count > 0 ? diagnostics.items[0].message : rc_name(rc));
    rehearsal_compare(&rehearsal->variants[0], &result, arena, &differences);
    return differences;
}

static const char *
first_message(void)
{
    ck_assert_uint_gt(diagnostics.count, 0);
    return diagnostics.items[0].message;
}

START_TEST(what_was_expected_is_no_difference_however_it_is_ordered)
{
    ck_assert_int_eq(read_text(DEFINITIONS INPUTS
                               "  expect:\n"
                               "    deliveries:\n"
                               "      - 2026-06-01 11:00 A T_b push\n"
                               "      - 2026-06-01 10:00:00 A T_a reply with 'は \"A\"'\n"
                               "    unsent: [ 2026-06-01 12:00:00 A S/two skipped condition ]\n"),
                     RC_OK);
    const enum rehearsal_kill kills[] = {KILL_NEVER, KILL_BEFORE_INPUT, KILL_DECIDED, KILL_SENT};
    ck_assert_uint_eq(run(kills[_i]).count, 0);
}
END_TEST

/* Each expectation is wrong in one way; the diff must show both sides. */
static const struct {
    const char *expect, *missing, *unexpected;
} WRONG[] = {
    {"deliveries: [ 2026-06-01 10:00:00 A T_a reply, 2026-06-01 11:00:01 A T_b push ]",
     "2026-06-01 11:00:01 A T_b push", "2026-06-01 11:00:00 A T_b push"},
    {"deliveries: [ 2026-06-01 10:00:00 A T_a push, 2026-06-01 11:00:00 A T_b push ]",
     "2026-06-01 10:00:00 A T_a push", "2026-06-01 10:00:00 A T_a reply"},
    {"deliveries: [ 2026-06-01 10:00:00 A T_a reply ]", NULL, "2026-06-01 11:00:00 A T_b push"},
    {"deliveries: [ 2026-06-01 10:00:00 A T_a reply with 'さようなら', 2026-06-01 11:00:00 A T_b "
     "push ]",
     "2026-06-01 10:00:00 A T_a reply", "2026-06-01 10:00:00 A T_a reply"},
    {"deliveries: [ 2026-06-01 10:00:00 A T_a reply, 2026-06-01 11:00:00 A T_b push, 2026-06-01 "
     "11:00:00 A T_b push ]",
     "2026-06-01 11:00:00 A T_b push", NULL},
    {"unsent: []", NULL, "2026-06-01 12:00:00 A S/two skipped condition"},
    {"pending: [ 2026-06-03 12:00:00 A S/two ]", "2026-06-03 12:00:00 A S/two", NULL},
    {"refused: [ 2026-06-01 10:00:00 A S active ]", "2026-06-01 10:00:00 A S active", NULL},
    {"quota: [ 2026-06-01 11:00:00 2 ]", "2026-06-01 11:00:00 2", "2026-06-01 11:00:00 1"},
    {"state: [ 2026-06-01 11:30:00 A blocked tags=vip pending=2 ]",
     "2026-06-01 11:30:00 A blocked tags=vip pending=2",
     "2026-06-01 11:30:00 A active tags= pending=1"},
};

START_TEST(every_difference_is_seen)
{
    char text[2048];
    snprintf(text, sizeof(text), "%s  expect:\n    %s\n", DEFINITIONS INPUTS, WRONG[_i].expect);
    ck_assert_int_eq(read_text(text), RC_OK);
    struct rehearsal_differences differences = run(KILL_NEVER);
    bool missing = WRONG[_i].missing == NULL, unexpected = WRONG[_i].unexpected == NULL;
    for (uint32_t i = 0; i < differences.count; i++) {
        const struct rehearsal_difference *row = &differences.items[i];
        if (row->missing) {
            missing = missing || span_equal_cstr(row->text, WRONG[_i].missing);
        } else {
            unexpected = unexpected || span_equal_cstr(row->text, WRONG[_i].unexpected);
        }
    }
    struct buf shown = {0};
    rehearsal_print_differences(&differences, false, &shown);
    ck_assert_msg(missing && unexpected, "%s gave\n%s", WRONG[_i].expect, buf_cstr(&shown));
    ck_assert_uint_eq(differences.count, (WRONG[_i].missing != NULL ? 1U : 0U) +
                                             (WRONG[_i].unexpected != NULL ? 1U : 0U));
    buf_fini(&shown);
}
END_TEST

static const struct {
    const char *section, *message;
    uint32_t line, column;
} REFUSED[] = {
    {"  inputs:\n    - 2026-06-01 10:00:00 A folows\n", "did you mean 'follows'", 14, 29},
    {"  inputs:\n    - 2026-06-31 10:00:00 A follows\n", "not an instant", 14, 7},
    {"  inputs:\n    - 2026-06-01 10:00:00 A follows by x\n", "nothing more is expected", 14, 37},
    {"  inputs:\n    - 2026-06-01 10:00:00 operator tag A vip\n", "write +tag or -tag", 14, 42},
    {"  inputs:\n    - 2026-06-02 10:00:00 A follows\n", "outside from .. until", 14, 7},
    {"  inputs:\n    - 2026-06-01 10:00:00 line answers A 200\n", "expected 500, 400", 14, 42},
    {"  expect:\n    deliveries: [ 2026-06-01 10:00:00 A T_a ]\n", "this row ends too early", 14,
     19},
    {"  expect:\n    deliveries: [ 2026-06-01 10:00:00 A T_a mail ]\n", "expected reply or push",
     14, 45},
    {"  expect:\n    delivery: []\n", "no list 'delivery' to expect", 14, 5},
    {"  draws: rock\n", "'draws' is a list of rows", 13, 3},
    {"  inptus: []\n", "unknown key 'inptus'", 13, 3},
    {"  variants: {v: {without: [ 2026-06-01 10:00:00 A follows ]}}\n", "no such row among", 13,
     29},
};

START_TEST(a_wrong_file_is_told_with_its_place)
{
    char text[2048];
    snprintf(text, sizeof(text), "%s%s", DEFINITIONS, REFUSED[_i].section);
    ck_assert_int_eq(read_text(text), RC_INVALID);
    ck_assert_msg(strstr(first_message(), REFUSED[_i].message) != NULL, "%s", first_message());
    ck_assert_uint_eq(diagnostics.items[0].line, REFUSED[_i].line);
    ck_assert_uint_eq(diagnostics.items[0].column, REFUSED[_i].column);
}
END_TEST

static const struct {
    const char *input, *message;
} UNKNOWN[] = {
    {"operator tag A +gold", "no tag 'gold'"},
    {"operator field A x=1", "no field 'x'"},
    {"operator start A S_none", "no scenario 'S_none'"},
    {"operator start A S at_step=9", "no step '9'"},
    {"operator start B S", "no friend yet: 'B'"},
    {"operator apply v9", "no edit 'v9'"},
    {"line redelivers B", "nothing to deliver again for 'B'"},
    {"daemon up", "the daemon is up already:"},
};

START_TEST(a_row_that_names_nothing_ends_the_run)
{
    char text[2048];
    struct rehearsal_result result;
    snprintf(text, sizeof(text), "%s    - 2026-06-01 11:00:00 %s\n", DEFINITIONS INPUTS,
             UNKNOWN[_i].input);
    ck_assert_int_eq(read_text(text), RC_OK);
    ck_assert_int_eq(
        rehearsal_run(rehearsal, &rehearsal->variants[0], KILL_NEVER, arena, &diagnostics, &result),
        RC_INVALID);
    ck_assert_msg(strstr(first_message(), UNKNOWN[_i].message) != NULL, "%s", first_message());
    ck_assert_uint_eq(diagnostics.items[0].line, 15);
}
END_TEST

START_TEST(an_edit_that_is_wrong_is_told_at_its_name)
{
    struct rehearsal_result result;
    ck_assert_int_eq(read_text(DEFINITIONS INPUTS "    - 2026-06-01 10:30:00 operator apply v2\n"
                                                  "  edits: {v2: {templates: {T_b: none}}}\n"),
                     RC_OK);
    ck_assert_int_eq(
        rehearsal_run(rehearsal, &rehearsal->variants[0], KILL_NEVER, arena, &diagnostics, &result),
        RC_INVALID);
    ck_assert_ptr_nonnull(strstr(first_message(), "T_b"));
    ck_assert_uint_eq(diagnostics.items[0].line, 16);
    ck_assert_uint_eq(diagnostics.items[0].column, 11);
}
END_TEST

START_TEST(a_variant_changes_the_inputs_and_keeps_what_is_the_same)
{
    ck_assert_int_eq(
        read_text(DEFINITIONS INPUTS
                  "  expect:\n    refused: []\n    deliveries: []\n"
                  "  variants:\n    other:\n"
                  "      without: [ 2026-06-01 10:00 A follows ]\n"
                  "      also: [ 2026-06-01 09:00:00 B follows, 2026-06-01 08:00:00 C follows ]\n"
                  "      expect: {refused: same}\n"),
        RC_OK);
    ck_assert_uint_eq(rehearsal->variant_count, 2);
    const struct rehearsal_variant *variant = &rehearsal->variants[1];
    ck_assert_uint_eq(variant->inputs.count, 2);
    ck_assert(span_equal_cstr(variant->inputs.items[0].who, "C"));
    ck_assert(variant->compared[LIST_REFUSED]);
    ck_assert(!variant->compared[LIST_DELIVERIES]);
    ck_assert_uint_eq(rehearsal->variants[0].inputs.count, 1);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("rehearsal");
    TCase *tcase = tcase_create("rehearsal");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, what_was_expected_is_no_difference_however_it_is_ordered, 0, 4);
    tcase_add_loop_test(tcase, every_difference_is_seen, 0, sizeof(WRONG) / sizeof(WRONG[0]));
    tcase_add_loop_test(tcase, a_wrong_file_is_told_with_its_place, 0,
                        sizeof(REFUSED) / sizeof(REFUSED[0]));
    tcase_add_loop_test(tcase, a_row_that_names_nothing_ends_the_run, 0,
                        sizeof(UNKNOWN) / sizeof(UNKNOWN[0]));
    tcase_add_test(tcase, an_edit_that_is_wrong_is_told_at_its_name);
    tcase_add_test(tcase, a_variant_changes_the_inputs_and_keeps_what_is_the_same);
    suite_add_tcase(suite, tcase);
    return suite;
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
