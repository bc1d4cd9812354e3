/* Answers, bookings, conversions: what the rehearsals of R30, R36 and R39 cannot see from outside. */
#include "tests/engine/shop_acts.h"

#include <check.h>

static struct shop shop;
static struct calendar *calendars;
static uint32_t a, b, c;

static void
open_shop(void)
{
    shop_open(&shop);
    calendars = shop_acts(&shop);
    shop_apply(&shop);
    shop_act(&shop, INPUT_FOLLOW, "A", NULL);
    shop_act(&shop, INPUT_FOLLOW, "B", NULL);
    shop_act(&shop, INPUT_FOLLOW, "C", NULL);
    a = state_find_friend(engine_state(shop.engine), span_cstr("A"));
    b = state_find_friend(engine_state(shop.engine), span_cstr("B"));
    c = state_find_friend(engine_state(shop.engine), span_cstr("C"));
    (void)shop_deliver(&shop);
}

static void
close_shop(void)
{
    shop_close(&shop);
}

static const struct state *
state(void)
{
    return engine_state(shop.engine);
}

START_TEST(a_new_answer_replaces_the_whole_of_the_old_one)
{
    shop_answers(&shop, a, OPTION_FEW, "first");
    ck_assert_str_eq(state_text(state(), state_answer(state(), a, 0, 1)->text), "first");
    shop_answers(&shop, a, OPTION_MANY, NULL);
    ck_assert_ptr_null(state_answer(state(), a, 0, 1));
    ck_assert_uint_eq(state_answer(state(), a, NO_ID, 0)->option, OPTION_MANY);
    ck_assert(state_has_answered(state(), a, 0));
    ck_assert(!state_has_answered(state(), b, 0));
}
END_TEST

START_TEST(a_choice_is_counted_by_whose_newest_answer_it_is)
{
    shop_answers(&shop, a, OPTION_FEW, NULL);
    shop_answers(&shop, b, OPTION_FEW, NULL);
    shop_answers(&shop, c, OPTION_FEW, NULL); /* two may */
    ck_assert_uint_eq(shop_count(&shop, EVENT_FORM_REFUSED), 1);
    ck_assert_uint_eq(shop_event(&shop, EVENT_FORM_REFUSED, 0)->u.form.option, OPTION_FEW);
    ck_assert(!state_has_answered(state(), c, 0));
    ck_assert_uint_eq(state_choice_count(state(), 0, 0, OPTION_FEW), 2);
    shop_answers(&shop, a, OPTION_MANY, NULL);
    shop_answers(&shop, c, OPTION_FEW, NULL);
    ck_assert_uint_eq(state_choice_count(state(), 0, 0, OPTION_FEW), 2);
    ck_assert_uint_eq(state_choice_count(state(), 0, 0, OPTION_MANY), 1);
}
END_TEST

START_TEST(a_cancelled_booking_gives_its_row_to_the_friends_next_one_there)
{
    int64_t day = jst(6, 5, 0, 0, 0);
    shop_books(&shop, INPUT_BOOK, a, CALENDAR_DAYS, day);
    shop_books(&shop, INPUT_CANCEL_BOOKING, a, CALENDAR_DAYS, 0);
    ck_assert_uint_eq(state_open_booking(state(), a, CALENDAR_DAYS, shop.now_ms), NO_ID);
    ck_assert_uint_eq(state_newest_booking(state(), a, CALENDAR_DAYS), 0);
    shop_books(&shop, INPUT_BOOK, b, CALENDAR_DAYS, day);
    shop_books(&shop, INPUT_BOOK, a, CALENDAR_DAYS, day + MS_PER_DAY);
    ck_assert_uint_eq(state()->bookings.count, 2);
    ck_assert_uint_eq(state_open_booking(state(), a, NO_ID, shop.now_ms), 0);
    ck_assert_uint_eq(state_open_booking(state(), a, CALENDAR_EVENT, shop.now_ms), NO_ID);
}
END_TEST

START_TEST(a_change_to_the_last_place_is_not_in_its_own_way)
{
    int64_t day = jst(6, 5, 0, 0, 0);
    shop_books(&shop, INPUT_BOOK, a, CALENDAR_DAYS, day);
    shop_books(&shop, INPUT_BOOK, b, CALENDAR_DAYS, day);
    shop_books(&shop, INPUT_CHANGE_BOOKING, a, CALENDAR_DAYS, day);
    ck_assert_uint_eq(shop_count(&shop, EVENT_BOOKING_REFUSED), 0);
    const struct event *changed = shop_event(&shop, EVENT_BOOKING_CHANGED, 0);
    ck_assert_int_eq(changed->u.booking.from_ms, day);
    shop_books(&shop, INPUT_BOOK, c, CALENDAR_DAYS, day);
    ck_assert_int_eq(shop_event(&shop, EVENT_BOOKING_REFUSED, 0)->u.booking.reason, REASON_FULL);
}
END_TEST

START_TEST(a_booking_whose_body_books_again_comes_to_an_end)
{
    struct calendar *days = &calendars[CALENDAR_DAYS];
    struct action *action = arena_alloc(shop.definitions->arena, sizeof(*action));
    action->kind = ACTION_BOOK;
    action->u.book.calendar = CALENDAR_DAYS;
    action->u.book.slot = NO_ID;
    action->u.book.at_ms = jst(6, 7, 0, 0, 0);
    days->per_friend = 0;
    days->capacity = 1000;
    days->on_book = (struct body){action, 1, false};
    shop_books(&shop, INPUT_BOOK, a, CALENDAR_DAYS, jst(6, 5, 0, 0, 0));
    ck_assert_uint_gt(state()->bookings.count, 1);
    ck_assert_uint_le(state()->bookings.count, 20);
}
END_TEST

START_TEST(only_the_first_counts_where_only_the_first_counts)
{
    shop_converts(&shop, a, CONVERSION_FIRST);
    shop_converts(&shop, a, CONVERSION_FIRST);
    shop_converts(&shop, b, CONVERSION_FIRST);
    shop_converts(&shop, a, CONVERSION_EVERY);
    shop_converts(&shop, a, CONVERSION_EVERY);
    ck_assert_uint_eq(shop_count(&shop, EVENT_CONVERTED), 5);
    ck_assert_uint_eq(state_conversion_total(state(), CONVERSION_FIRST), 2);
    ck_assert_uint_eq(state_conversion_total(state(), CONVERSION_EVERY), 2);
    ck_assert_uint_eq(state_converted_count(state(), CONVERSION_EVERY), 1);
    ck_assert(!state_has_converted(state(), b, CONVERSION_EVERY));
}
END_TEST

/* --- what a calendar offers --- */

START_TEST(hours_across_midnight_belong_to_the_day_they_begin_on)
{
    const struct opening friday = {.days = 1 << 4, .from_min = 22 * 60, .to_min = 26 * 60};
    const struct calendar bar = {.hours = &friday, .hours_count = 1, .slot_ms = MS_PER_HOUR};
    /* 2026-06-05 is a Friday. */
    ck_assert(calendar_offers(&bar, &tokyo, jst(6, 5, 22, 0, 0)));
    ck_assert(calendar_offers(&bar, &tokyo, jst(6, 6, 1, 0, 0)));
    ck_assert(!calendar_offers(&bar, &tokyo, jst(6, 6, 2, 0, 0)));
    ck_assert(!calendar_offers(&bar, &tokyo, jst(6, 6, 22, 0, 0)));
    ck_assert(!calendar_offers(&bar, &tokyo, jst(6, 5, 1, 0, 0)));
    ck_assert(!calendar_offers(&bar, &tokyo, jst(6, 5, 22, 0, 1)));
}
END_TEST

START_TEST(a_closed_day_takes_its_night_with_it)
{
    const struct opening nights = {.days = 0x7f, .from_min = 22 * 60, .to_min = 26 * 60};
    const struct day_range closed = {civil_local_day(&tokyo, jst(6, 5, 12, 0, 0)),
                                     civil_local_day(&tokyo, jst(6, 5, 12, 0, 0))};
    const struct calendar bar = {.hours = &nights,
                                 .hours_count = 1,
                                 .closed = &closed,
                                 .closed_count = 1,
                                 .slot_ms = MS_PER_HOUR};
    ck_assert(calendar_offers(&bar, &tokyo, jst(6, 5, 1, 0, 0))); /* of the 4th */
    ck_assert(!calendar_offers(&bar, &tokyo, jst(6, 5, 22, 0, 0)));
    ck_assert(!calendar_offers(&bar, &tokyo, jst(6, 6, 1, 0, 0)));
    ck_assert(calendar_offers(&bar, &tokyo, jst(6, 6, 22, 0, 0)));
}
END_TEST

START_TEST(deadlines_count_back_from_the_slot)
{
    int64_t at_ms = jst(6, 13, 14, 0, 0);
    const struct deadline start = {.kind = DEADLINE_START};
    const struct deadline hours = {.kind = DEADLINE_BEFORE, .before_ms = 2 * MS_PER_HOUR};
    const struct deadline days = {.kind = DEADLINE_DAYS_BEFORE_AT, .days = 1, .at_min = 18 * 60};
    const struct deadline fixed = {.kind = DEADLINE_AT, .at_ms = jst(6, 1, 0, 0, 0)};
    ck_assert_int_eq(calendar_deadline(&start, &tokyo, at_ms), at_ms);
    ck_assert_int_eq(calendar_deadline(&hours, &tokyo, at_ms), jst(6, 13, 12, 0, 0));
    ck_assert_int_eq(calendar_deadline(&days, &tokyo, at_ms), jst(6, 12, 18, 0, 0));
    ck_assert_int_eq(calendar_deadline(&fixed, &tokyo, at_ms), jst(6, 1, 0, 0, 0));
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("acts");
    TCase *t = tcase_create("acts");
    tcase_add_checked_fixture(t, open_shop, close_shop);
    tcase_add_test(t, a_new_answer_replaces_the_whole_of_the_old_one);
    tcase_add_test(t, a_choice_is_counted_by_whose_newest_answer_it_is);
    tcase_add_test(t, a_cancelled_booking_gives_its_row_to_the_friends_next_one_there);
    tcase_add_test(t, a_change_to_the_last_place_is_not_in_its_own_way);
    tcase_add_test(t, a_booking_whose_body_books_again_comes_to_an_end);
    tcase_add_test(t, only_the_first_counts_where_only_the_first_counts);
    tcase_add_test(t, hours_across_midnight_belong_to_the_day_they_begin_on);
    tcase_add_test(t, a_closed_day_takes_its_night_with_it);
    tcase_add_test(t, deadlines_count_back_from_the_slot);
    suite_add_tcase(s, t);
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
