/* `stepctl simulate` beside a running daemon: what it foretells is what LINE then accepts, and asking changes
 * nothing. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <stdlib.h>

static struct world world;

static void
open_shop(void)
{
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    act(&world, "2031-06-01 10:20:30", "A", "postback", "survey_beginner");
    act(&world, "2031-06-01 20:30:00", "B", "follow", NULL);
    act(&world, "2031-06-01 23:00:00", "C", "follow", NULL);
}

static void
close_shop(void)
{
    world_close(&world);
}

/* Runs simulate with these words behind it, and reads its JSON. */
static json_t *
simulate(const char *option, const char *value)
{
    struct buf out = {0};
    const char *words[] = {"stepctl", "simulate", "--data", world.data, "--until", "+7d", "-n",
                           "1000",    "-o",       "json",   option,     value,     NULL};
    ck_assert_msg(run_tool(&out, words) == 0, "%s", buf_cstr(&out));
    json_t *answer = json_loads(buf_cstr(&out), 0, NULL);
    ck_assert_msg(answer != NULL, "%s", buf_cstr(&out));
    buf_fini(&out);
    return answer;
}

static void
append_foretold(const json_t *answer, struct buf *out)
{
    size_t index;
    const json_t *row;
    json_array_foreach(json_object_get(answer, "deliveries"), index, row)
    {
        const char *at = json_string_value(json_object_get(row, "at"));
        buf_printf(out, "%.10s %.8s %c %s %s\n", at, at + 11,
                   (int)('A' + json_integer_value(json_object_get(row, "friend"))),
                   json_string_value(json_object_get(row, "template")),
                   json_string_value(json_object_get(row, "how")));
    }
}

START_TEST(what_is_foretold_is_what_line_accepts)
{
    struct buf before = {0}, all = {0}, foretold = {0};
    accepted_lines(&world, &before);
    int64_t newest = status_number(&world, "log.newest");
    json_t *answer = simulate(NULL, NULL);
    append_foretold(answer, &foretold);
    ck_assert_int_gt((int)foretold.len, 0);
    ck_assert_int_eq(status_number(&world, "log.newest"), newest); /* nothing was decided */

    ck_assert_int_eq(advance(&world, "2031-06-08 23:00:00"), 200);
    accepted_lines(&world, &all);
    /* Each foretold line is among the accepted, and those before make up the rest. */
    size_t lines_before = 0, lines_all = 0, lines_foretold = 0;
    for (const char *at = buf_cstr(&before); *at != '\0'; at++) {
        lines_before += *at == '\n';
    }
    for (const char *at = buf_cstr(&all); *at != '\0'; at++) {
        lines_all += *at == '\n';
    }
    for (char *line = strtok((char *)(uintptr_t)buf_cstr(&foretold), "\n"); line != NULL;
         line = strtok(NULL, "\n")) {
        ck_assert_msg(strstr(buf_cstr(&all), line) != NULL, "never accepted: %s", line);
        lines_foretold++;
    }
    ck_assert_uint_eq(lines_before + lines_foretold, lines_all);
    json_decref(answer);
    buf_fini(&before);
    buf_fini(&all);
    buf_fini(&foretold);
}
END_TEST

START_TEST(other_definitions_are_tried_in_the_copy_alone)
{
    char path[200];
    snprintf(path, sizeof(path), "%s-other.yaml", world.data);
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fprintf(file, "account: {zone: Asia/Tokyo}\ntemplates: {T_hello: T_hello}\n"
                  "tags: {all: [answered, beginner, expert, read]}\nfields: {area: text}\n");
    fclose(file);
    json_t *answer = simulate("--with", path);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "deliveries")), 0);
    json_decref(answer);
    answer = simulate(NULL, NULL);
    ck_assert_uint_gt(json_array_size(json_object_get(answer, "deliveries")), 0);
    json_decref(answer);
    remove(path);
}
END_TEST

START_TEST(what_cannot_be_run_ahead_is_refused)
{
    struct buf out = {0};
    ck_assert_int_eq(run_tool(&out, (const char *[]){"stepctl", "simulate", "--data", world.data,
                                                     "--until", "yesterday", NULL}),
                     2);
    ck_assert_int_eq(run_tool(&out, (const char *[]){"stepctl", "simulate", "--data", world.data,
                                                     "--from", "2031-05-01", NULL}),
                     2);
    ck_assert_int_ne(
        run_tool(&out, (const char *[]){"stepctl", "simulate", "--data", "/nowhere/at/all", NULL}),
        0);
    buf_fini(&out);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("e2e_simulate");
    TCase *tc = tcase_create("simulate");
    tcase_set_timeout(tc, 120);
    tcase_add_checked_fixture(tc, open_shop, close_shop);
    tcase_add_test(tc, what_is_foretold_is_what_line_accepts);
    tcase_add_test(tc, other_definitions_are_tried_in_the_copy_alone);
    tcase_add_test(tc, what_cannot_be_run_ahead_is_refused);
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
