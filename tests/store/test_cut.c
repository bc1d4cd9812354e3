/* Where batches are cut: the arithmetic of pages holds against LMDB itself. */
#include "store/cut.h"

#include <check.h>
#include <lmdb.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PAGE_BYTES = 4096 };

static char directory[64];
static MDB_env *env;
static MDB_dbi table;
static uint64_t random_state;

static uint64_t
draw(uint64_t bound)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % bound;
}

static void
setup(void)
{
    const char *wanted = getenv("SEED");
    uint64_t seed = wanted != NULL ? strtoull(wanted, NULL, 10) : (uint64_t)time(NULL);
    printf("SEED=%llu\n", (unsigned long long)seed);
    random_state = seed * 0x9e3779b97f4a7c15U + 1;
    snprintf(directory, sizeof(directory), "cut-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    MDB_txn *txn;
    ck_assert_int_eq(mdb_env_create(&env), 0);
    ck_assert_int_eq(mdb_env_set_mapsize(env, (size_t)1 << 30), 0);
    ck_assert_int_eq(mdb_env_open(env, directory, MDB_NOSYNC, 0600), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, NULL, 0, &table), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
}

static void
teardown(void)
{
    char command[100];
    mdb_env_close(env);
    snprintf(command, sizeof(command), "rm -rf %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static void
append(MDB_txn *txn, uint64_t number, size_t bytes)
{
    static uint8_t value[1 << 20];
    uint8_t key[8];
    for (int i = 0; i < 8; i++) {
        key[i] = (uint8_t)(number >> (56 - 8 * i));
    }
    MDB_val k = {sizeof(key), key}, v = {bytes, value};
    ck_assert_int_eq(mdb_put(txn, table, &k, &v, MDB_APPEND), 0);
}

static MDB_stat
stat_of(MDB_txn *txn)
{
    MDB_stat stat;
    ck_assert_int_eq(mdb_stat(txn, table, &stat), 0);
    return stat;
}

/* Every leaf that the model thinks begins does begin, and no other. */
START_TEST(the_model_knows_how_full_a_leaf_is)
{
    struct cut cut;
    MDB_txn *txn;
    size_t leaves = 0;
    cut_init(&cut, PAGE_BYTES);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    for (uint64_t number = 1; number <= 5000; number++) {
        size_t before = cut.leaf_left, bytes = 1 + draw(draw(4) == 0 ? 20000 : 2100);
        append(txn, number, bytes);
        cut_placed(&cut, bytes);
        leaves += cut.leaf_left > before || number == 1;
        ck_assert_uint_eq(stat_of(txn).ms_leaf_pages, leaves);
    }
    mdb_txn_abort(txn);
}
END_TEST

/* Writes passes of about so many bytes; how many times as much room they take. */
static double
room_taken(size_t pass_bytes)
{
    enum { FRAME = 58, EVENT = 30 };
    struct cut cut;
    MDB_txn *txn;
    size_t written = 0;
    uint64_t number = 1;
    cut_init(&cut, PAGE_BYTES);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    while (written < 1000000) {
        size_t rest = pass_bytes / EVENT * EVENT;
        written += rest;
        while (rest > 0) {
            size_t best = cut_best(&cut, rest + FRAME);
            ck_assert_uint_gt(best, FRAME);
            size_t events = (best - FRAME) / EVENT * EVENT;
            events = events < EVENT ? EVENT : events > rest ? rest : events;
            append(txn, number++, events + FRAME);
            cut_placed(&cut, events + FRAME);
            rest -= events;
        }
    }
    MDB_stat stat = stat_of(txn);
    mdb_txn_abort(txn);
    size_t pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
    return (double)(pages * PAGE_BYTES) / (double)written;
}

/* PERFORMANCE P13. Passes of 100 and of 1,000 events, and of sizes around the edges of pages. */
START_TEST(little_of_the_pages_stays_empty)
{
    static const size_t PASSES[] = {1500, 2000, 2100, 3000, 3500, 4000, 4200, 6000, 8300};
    for (size_t i = 0; i < sizeof(PASSES) / sizeof(PASSES[0]); i++) {
        double taken = room_taken(PASSES[i]);
        ck_assert_msg(taken <= 1.25, "passes of %zu bytes take %.3f times that", PASSES[i], taken);
    }
    for (size_t bytes = 20000; bytes < 300000; bytes += 7001) {
        double taken = room_taken(bytes);
        ck_assert_msg(taken <= 1.1, "passes of %zu bytes take %.3f times that", bytes, taken);
    }
}
END_TEST

START_TEST(where_there_are_no_pages_nothing_is_cut)
{
    struct cut cut;
    cut_init(&cut, 0);
    cut_placed(&cut, 3000);
    ck_assert_uint_eq(cut_best(&cut, 100000), 100000);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("cut");
    TCase *tc = tcase_create("cut");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 60);
    tcase_add_test(tc, the_model_knows_how_full_a_leaf_is);
    tcase_add_test(tc, little_of_the_pages_stays_empty);
    tcase_add_test(tc, where_there_are_no_pages_nothing_is_cut);
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
