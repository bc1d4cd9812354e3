/* LINE breaks every connection for a day; an operator then decides with stepctl what became of two messages. */
#include "tests/e2e/harness.h"
#include "tests/e2e/shop.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world world;

static void
open_world(void)
{
    world_open(&world);
    ck_assert(world_start(&world));
    ck_assert_int_eq(apply_yaml(&world, SHOP), 200);
}

static void
close_world(void)
{
    world_close(&world);
}

/* stepctl -o json with these words. */
static json_t *
stepctl(const char *verb, const char *delivery, const char *result)
{
    const char *argv[] = {"stepctl",  "-s", world.socket, "-o",   "json",
                          "delivery", verb, delivery,     result, NULL};
    struct buf out = {0};
    int code = run_tool(&out, argv);
    ck_assert_msg(code == 0, "stepctl delivery %s: %d: %s", verb, code, buf_cstr(&out));
    json_t *answer = json_loads(buf_cstr(&out), 0, NULL);
    ck_assert_ptr_nonnull(answer);
    buf_fini(&out);
    return answer;
}

static void
number_of_row(const json_t *answer, size_t row, char out[24])
{
    const json_t *delivery = json_array_get(json_object_get(answer, "deliveries"), row);
    snprintf(out, 24, "%lld", (long long)json_integer_value(json_object_get(delivery, "delivery")));
}

START_TEST(a_day_of_broken_connections_is_decided_with_stepctl)
{
    act(&world, "2031-06-01 10:15:00", "A", "follow", NULL);
    act(&world, "2031-06-01 10:20:00", "B", "follow", NULL);
    ck_assert_int_eq(advance(&world, "2031-06-01 10:30:00"), 200);
    json_decref(line_door(
        &world, "POST", "/fakeline/faults",
        json_pack("{s:s,s:s,s:i}", "endpoint", "push", "kind", "reset", "times", 100000), NULL));
    ck_assert_int_eq(advance(&world, "2031-06-02 11:00:00"), 200);
    expect_accepted(&world, (const char *[]){"2031-06-01 10:15:00 A T_hello reply",
                                             "2031-06-01 10:20:00 B T_hello reply", NULL});
    json_decref(line_door(&world, "POST", "/fakeline/reset", NULL, NULL));

    char a[24], b[24];
    json_t *answer = stepctl("unknown", NULL, NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "deliveries")), 2);
    number_of_row(answer, 0, a);
    number_of_row(answer, 1, b);
    json_decref(answer);
    json_decref(stepctl("mark", a, "sent"));
    json_decref(stepctl("resend", b, NULL));
    json_decref(stepctl("resend", b, NULL)); /* an operator's second thought changes nothing */
    world_kill(&world);
    ck_assert(world_start(&world));
    json_decref(stepctl("resend", b, NULL));
    ck_assert_int_eq(advance(&world, "2031-06-02 11:30:00"), 200);
    expect_accepted(&world, (const char *[]){"2031-06-02 11:00:00 B T_nudge push", NULL});
    answer = stepctl("unknown", NULL, NULL);
    ck_assert_uint_eq(json_array_size(json_object_get(answer, "deliveries")), 0);
    json_decref(answer);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("unknown");
    TCase *tcase = tcase_create("a day");
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, open_world, close_world);
    tcase_add_test(tcase, a_day_of_broken_connections_is_decided_with_stepctl);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
