/* Parcels that rest or are ready, beside a plain list that is looked through each time. */
#include "daemon/shelf.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARCELS = 300, MOVES = 20000 };

static struct parcel parcels[PARCELS];
static uint64_t order[PARCELS]; /* when it became ready; the twin's only memory */

static int64_t
first_wake(void)
{
    int64_t first_ms = INT64_MAX;
    for (int i = 0; i < PARCELS; i++) {
        if (parcels[i].place == PARCEL_RESTING && parcels[i].wake_ms < first_ms) {
            first_ms = parcels[i].wake_ms;
        }
    }
    return first_ms;
}

static struct parcel *
longest_ready(enum line_endpoint endpoint, enum message_class message_class)
{
    int best = -1;
    for (int i = 0; i < PARCELS; i++) {
        if (parcels[i].place == PARCEL_READY && parcels[i].endpoint == endpoint &&
            parcels[i].message_class == message_class && (best < 0 || order[i] < order[best])) {
            best = i;
        }
    }
    return best < 0 ? NULL : &parcels[best];
}

static void
compare(const struct shelf *shelf)
{
    const struct parcel *resting = shelf_first_resting(shelf);
    ck_assert_int_eq(resting == NULL ? INT64_MAX : resting->wake_ms, first_wake());
    for (int i = 0; i < LINE_ENDPOINT_COUNT; i++) {
        for (int j = 0; j < CLASS_COUNT; j++) {
            ck_assert_ptr_eq(shelf_first_ready(shelf, (enum line_endpoint)i, (enum message_class)j),
                             longest_ready((enum line_endpoint)i, (enum message_class)j));
        }
    }
}

START_TEST(a_shelf_and_a_plain_list_give_the_same_parcels)
{
    struct shelf shelf = {0};
    srand((unsigned)_i + 1);
    printf("seed %d\n", _i + 1);
    for (int i = 0; i < PARCELS; i++) {
        parcels[i] = (struct parcel){.endpoint = (enum line_endpoint)(rand() % LINE_REPLY),
                                     .message_class = (enum message_class)(rand() % CLASS_COUNT)};
    }
    uint32_t resting = 0, ready = 0;
    for (uint64_t move = 0; move < MOVES; move++) {
        struct parcel *parcel = &parcels[rand() % PARCELS];
        resting -= parcel->place == PARCEL_RESTING;
        ready -= parcel->place == PARCEL_READY;
        shelf_remove(&shelf, parcel);
        if (rand() % 3 == 0) {
            parcel->wake_ms = rand() % 1000;
            shelf_rest(&shelf, parcel);
            resting++;
        } else if (rand() % 2 == 0) {
            order[parcel - parcels] = move;
            shelf_make_ready(&shelf, parcel);
            ready++;
        }
        ck_assert_uint_eq(shelf.resting_count, resting);
        ck_assert_uint_eq(shelf.ready_count, ready);
        if (move % 16 == 0) {
            compare(&shelf);
        }
    }
    shelf_fini(&shelf);
}
END_TEST

static Suite *
suite(void)
{
    Suite *suite = suite_create("shelf");
    TCase *tcase = tcase_create("twin");
    tcase_add_loop_test(tcase, a_shelf_and_a_plain_list_give_the_same_parcels, 0, 5);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    SRunner *runner = srunner_create(suite());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
