/* Cells of a cross analysis beside a plain count, friend by friend. */
#include "engine/cross.h"
#include "engine/tables.h"
#include "tests/engine/random_life.h"

#include <check.h>

enum { FRIENDS = 500, TAGS = 3, AREAS = 4 };

static struct state state;
static uint32_t area_of[FRIENDS], tags_of[FRIENDS];
static int64_t points_of[FRIENDS];

static const char *const AREA_NAMES[] = {"", "関東", "関西", "九州"};
static struct name names[TAGS] = {{"a", true}, {"b", true}, {"c", true}};
static const struct field FIELDS[] = {{.type = FIELD_TEXT},
                                      {FIELD_NUMBER, .has_start = true, .start = 2}};

static void
random_state(uint64_t *seed)
{
    state_init(&state);
    state.definitions->account.zone = &tokyo;
    state.definitions->tag_names = (struct names){names, TAGS};
    state.definitions->fields = FIELDS;
    state.definitions->field_names.count = 2;
    for (uint32_t i = 0; i < FRIENDS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "U%u", i);
        uint32_t friend = tables_add_friend(&state, span_cstr(id));
        uint64_t what = next_random(seed);
        area_of[i] = (uint32_t)(what % AREAS);
        tags_of[i] = (uint32_t)(what >> 8 & 7);
        points_of[i] = 2;
        if (area_of[i] != 0) {
            tables_put_text(&state, friend, 0, span_cstr(AREA_NAMES[area_of[i]]));
        }
        if (what >> 16 & 1) {
            points_of[i] = (int64_t)(what >> 20 & 63) - 20;
            tables_put_number(&state, friend, 1, points_of[i]);
        }
        for (uint32_t tag = 0; tag < TAGS; tag++) {
            tables_set_tag(&state, friend, tag, tags_of[i] >> tag & 1);
        }
    }
}

/* The plain way: of the friends of an area with a tag, and (within) with the first tag as well. */
static void
plainly(struct span area, uint32_t tag, bool within, uint64_t *out_count, int64_t *out_sum)
{
    *out_count = 0;
    *out_sum = 0;
    for (uint32_t i = 0; i < FRIENDS; i++) {
        bool is_in = span_equal(area, span_cstr(AREA_NAMES[area_of[i]])) &&
                     (tags_of[i] >> tag & 1) && (!within || (tags_of[i] & 1));
        *out_count += is_in;
        *out_sum += is_in ? points_of[i] : 0;
    }
}

START_TEST(cells_are_what_a_plain_count_finds)
{
    uint64_t seed = 1234567 + (uint64_t)_i * 97;
    random_state(&seed);
    struct arena *arena = arena_new();
    static struct cross_axis rows, columns;
    const uint32_t tags[] = {2, 0, 1};
    ck_assert(cross_by_field(&state, 0, arena, &rows));
    columns.count = 0;
    for (uint32_t i = 0; i < TAGS; i++) {
        struct cross_set *set = &columns.sets[columns.count++];
        *set = (struct cross_set){.label = span_cstr(names[tags[i]].text)};
        set_keep(&set->members, state.tags[tags[i]]);
    }
    ck_assert_uint_eq(rows.count, AREAS);
    for (int within = 0; within < 2; within++) {
        uint64_t counts[AREAS * TAGS];
        int64_t sums[AREAS * TAGS];
        const struct bitmap *only = within ? state.tags[0] : NULL;
        cross_count(&rows, &columns, only, counts);
        cross_sum(&state, &rows, &columns, only, 1, sums);
        for (uint32_t cell = 0; cell < AREAS * TAGS; cell++) {
            uint64_t count;
            int64_t sum;
            plainly(rows.sets[cell / TAGS].label, tags[cell % TAGS], within, &count, &sum);
            ck_assert_msg(counts[cell] == count && sums[cell] == sum, "seed %d, cell %u", _i, cell);
        }
    }
    cross_axis_fini(&rows);
    cross_axis_fini(&columns);
    arena_free(arena);
    state_fini(&state);
}
END_TEST

START_TEST(an_axis_of_too_many_values_is_refused)
{
    static struct cross_axis axis;
    uint64_t seed = 5;
    random_state(&seed);
    struct arena *arena = arena_new();
    for (uint32_t i = 0; i <= CROSS_SETS_MAX; i++) {
        tables_put_number(&state, i, 1, 1000 + i);
    }
    ck_assert(!cross_by_field(&state, 1, arena, &axis));
    cross_axis_fini(&axis);
    ck_assert(cross_by_added(&state, true, arena, &axis));
    ck_assert_uint_eq(axis.count, 1);
    cross_axis_fini(&axis);
    arena_free(arena);
    state_fini(&state);
}
END_TEST

static Suite *
suite(void)
{
    Suite *s = suite_create("cross");
    TCase *tc = tcase_create("cross");
    tcase_add_loop_test(tc, cells_are_what_a_plain_count_finds, 0, 6);
    tcase_add_test(tc, an_axis_of_too_many_values_is_refused);
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
