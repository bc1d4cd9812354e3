/* bench_segments - conditions over ten million friends beside bare CRoaring, in one run (PERFORMANCE P12).
 *
 * Tags of several densities, scattered and in runs; every expression has three operators, and the control
 * is what somebody who knows CRoaring would write for it by hand, counting included. Dates and numbers
 * are columns. --sqlite also asks the sqlite3 command, where there is one, over a table in memory.
 * Processor time, medians of rounds that take turns; --json prints an object a line. */
#include "engine/column_scan.h"
#include "engine/segment.h"
#include "engine/tables.h"

#include <roaring/roaring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15, TAGS = 4 };

static double
now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

static void
fail(const char *what)
{
    fprintf(stderr, "bench_segments: %s\n", what);
    exit(1);
}

static uint64_t
next_random(void)
{
    static uint64_t random = 88172645463325252u;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random;
}

/* ---- the friends ---- */

/* A half and a tenth at random, one in 300 at random, and every second thousand (a campaign's days). */
static bool
is_tagged(uint32_t friend, int tag)
{
    switch (tag) {
    case 0:
        return next_random() % 2 == 0;
    case 1:
        return next_random() % 10 == 0;
    case 2:
        return next_random() % 300 == 0;
    default:
        return friend / 1000 % 2 == 0;
    }
}

static void
make_tags(struct state *state, uint32_t friends)
{
    uint32_t *members = malloc(friends * sizeof(*members));
    if (members == NULL) {
        fail("no memory");
    }
    for (int tag = 0; tag < TAGS; tag++) {
        uint32_t count = 0;
        for (uint32_t friend = 0; friend < friends; friend ++) {
            if (is_tagged(friend, tag)) {
                members[count++] = friend;
            }
        }
        set_add_all(tables_tag_slot(state, (uint32_t)tag), members, count);
    }
    free(members);
}

/* ---- three operators, in words, as postfix, and by hand ---- */

typedef const roaring_bitmap_t *tag_set;
typedef uint64_t (*by_hand_fn)(tag_set a, tag_set b, tag_set c, tag_set d, uint64_t friends);

static uint64_t
and_and_not(tag_set a, tag_set b, tag_set c, tag_set d, uint64_t friends)
{
    (void)d, (void)friends;
    roaring_bitmap_t *x = roaring_bitmap_and(a, b);
    uint64_t count = roaring_bitmap_andnot_cardinality(x, c);
    roaring_bitmap_free(x);
    return count;
}

static uint64_t
or_or_and(tag_set a, tag_set b, tag_set c, tag_set d, uint64_t friends)
{
    (void)friends;
    roaring_bitmap_t *x = roaring_bitmap_or(b, c);
    roaring_bitmap_or_inplace(x, d);
    uint64_t count = roaring_bitmap_and_cardinality(a, x);
    roaring_bitmap_free(x);
    return count;
}

static uint64_t
or_and_not(tag_set a, tag_set b, tag_set c, tag_set d, uint64_t friends)
{
    (void)d, (void)friends;
    roaring_bitmap_t *x = roaring_bitmap_or(a, b);
    uint64_t count = roaring_bitmap_andnot_cardinality(x, c);
    roaring_bitmap_free(x);
    return count;
}

static uint64_t
not_or_not(tag_set a, tag_set b, tag_set c, tag_set d, uint64_t friends)
{
    (void)d;
    roaring_bitmap_t *x = roaring_bitmap_or(a, b); /* not a and not b, but for c */
    uint64_t count = friends - roaring_bitmap_andnot_cardinality(x, c);
    roaring_bitmap_free(x);
    return count;
}

static uint64_t
and_or_and(tag_set a, tag_set b, tag_set c, tag_set d, uint64_t friends)
{
    (void)friends;
    roaring_bitmap_t *x = roaring_bitmap_and(a, b);
    roaring_bitmap_t *y = roaring_bitmap_and(c, d);
    uint64_t count = roaring_bitmap_or_cardinality(x, y);
    roaring_bitmap_free(x);
    roaring_bitmap_free(y);
    return count;
}

#define TAG(n)                                                                                     \
    {                                                                                              \
        .kind = CONDITION_TAG, .id = n                                                             \
    }
#define AND                                                                                        \
    {                                                                                              \
        .kind = CONDITION_AND                                                                      \
    }
#define OR                                                                                         \
    {                                                                                              \
        .kind = CONDITION_OR                                                                       \
    }
#define NOT                                                                                        \
    {                                                                                              \
        .kind = CONDITION_NOT                                                                      \
    }

static const struct expression {
    const char *text, *sql;
    struct condition_op ops[8];
    uint32_t op_count;
    by_hand_fn by_hand;
} EXPRESSIONS[] = {
    {"a and b and not c",
     "a and b and not c",
     {TAG(0), TAG(1), AND, TAG(2), NOT, AND},
     6,
     and_and_not},
    {"a and (b or c or d)",
     "a and (b or c or d)",
     {TAG(0), TAG(1), TAG(2), OR, TAG(3), OR, AND},
     7,
     or_or_and},
    {"(a or b) and not c",
     "(a or b) and not c",
     {TAG(0), TAG(1), OR, TAG(2), NOT, AND},
     6,
     or_and_not},
    {"not (a or b) or c",
     "not (a or b) or c",
     {TAG(0), TAG(1), OR, NOT, TAG(2), OR},
     6,
     not_or_not},
    {"a and b or c and d",
     "a and b or c and d",
     {TAG(0), TAG(1), AND, TAG(2), TAG(3), AND, OR},
     7,
     and_or_and},
};
enum { EXPRESSION_COUNT = sizeof(EXPRESSIONS) / sizeof(EXPRESSIONS[0]) };

/* ---- figures ---- */

static int
double_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), double_compare);
    return values[count / 2];
}

static bool json;

static void
print_figure(const char *metric, const char *what, size_t n, double value, const char *peer,
             double peer_value)
{
    double ratio = peer_value > 0 ? value / peer_value : 0;
    if (json) {
        printf(
            "{\"bench\":\"segments\",\"metric\":\"%s\",\"scene\":\"%s\",\"n\":%zu,\"value\":%.3f,"
            "\"unit\":\"ms\",\"peer\":\"%s\",\"peer_value\":%.3f,\"ratio\":%.3f}\n",
            metric, what, n, value, peer, peer_value, ratio);
    } else if (peer_value > 0) {
        printf("%-14s %-22s %9.3f %9.3f %7.2f  %s\n", metric, what, value, peer_value, ratio, peer);
    } else {
        printf("%-14s %-22s %9.3f\n", metric, what, value);
    }
}

/* What one of our own takes, and how many it found. */
static double
time_condition(const struct inquiry *inquiry, const struct condition *condition,
               uint64_t *out_count)
{
    double begun_ms = now_ms();
    *out_count = segment_count(inquiry, condition);
    return now_ms() - begun_ms;
}

static void
run_tags(const struct state *state, double *out_each)
{
    struct inquiry inquiry = {.state = state};
    double all[EXPRESSION_COUNT], all_by_hand[EXPRESSION_COUNT];
    tag_set tags[TAGS];
    for (int i = 0; i < TAGS; i++) {
        tags[i] = (tag_set)state->tags[i];
    }
    for (int e = 0; e < EXPRESSION_COUNT; e++) {
        const struct expression *expression = &EXPRESSIONS[e];
        const struct condition condition = {expression->ops, expression->op_count};
        double ours[ROUNDS], by_hand[ROUNDS];
        for (int i = 0; i < ROUNDS; i++) {
            uint64_t count, wanted;
            ours[i] = time_condition(&inquiry, &condition, &count);
            double begun_ms = now_ms();
            wanted = expression->by_hand(tags[0], tags[1], tags[2], tags[3], state->friends.count);
            by_hand[i] = now_ms() - begun_ms;
            if (count != wanted) {
                fail("the two disagree"); /* then the figures mean nothing */
            }
        }
        all[e] = median(ours, ROUNDS);
        all_by_hand[e] = median(by_hand, ROUNDS);
        out_each[e] = all[e];
        print_figure("three_tags", expression->text, state->friends.count, all[e], "CRoaring",
                     all_by_hand[e]);
    }
    print_figure("three_tags_ms", "median", state->friends.count, median(all, EXPRESSION_COUNT),
                 "CRoaring", median(all_by_hand, EXPRESSION_COUNT));
}

static void
usage(void)
{
    fprintf(stderr, "usage: bench_segments [--json] [--sqlite] [FRIENDS]\n");
    exit(2);
}

/* ---- columns: a date of everybody, a number of every second, areas ---- */

enum { F_DAY, F_POINTS, F_AREA, AREAS = 8 };

/* A column after the other, as they are read from a checkpoint. */
static void
make_columns(struct columns *columns, uint32_t friends)
{
    for (uint32_t friend = 0; friend < friends; friend ++) {
        columns_put_number(columns, F_DAY, friend, 7000 + (int64_t)(next_random() % 15000));
    }
    for (uint32_t friend = 0; friend < friends; friend += 2) {
        columns_put_number(columns, F_POINTS, friend, (int64_t)(next_random() % 1000));
    }
    for (uint32_t friend = 0; friend < friends; friend ++) {
        columns_put_text(columns, F_AREA, friend, 16 * (1 + (uint32_t)(next_random() % AREAS)));
    }
}

/* The control of a scan: reading the same bytes and doing nothing with them. */
static double
time_reading(const struct columns *columns, uint32_t field, uint32_t friends)
{
    int64_t sum = 0;
    double begun_ms = now_ms();
    for (uint32_t chunk = 0; chunk < friends / COLUMN_CHUNK_ROWS; chunk++) {
        const struct column_narrow *narrow =
            (const struct column_narrow *)columns_number_chunk(columns, field, chunk);
        for (int i = 0; i < COLUMN_CHUNK_ROWS; i++) {
            sum += narrow->values[i];
        }
    }
    double took_ms = now_ms() - begun_ms;
    if (sum == 0) {
        fail("the column is empty"); /* and the loop is not thrown away */
    }
    return took_ms;
}

static void
run_columns(uint32_t friends)
{
    struct columns columns;
    columns_init(&columns);
    make_columns(&columns, friends);
    double day[ROUNDS], points[ROUNDS], area[ROUNDS], reading[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        struct bitmap *set;
        double begun_ms = now_ms();
        set = column_scan_range(&columns, F_DAY, 10000, 10365, false, friends);
        day[i] = now_ms() - begun_ms;
        set_free(set);
        begun_ms = now_ms();
        set = column_scan_range(&columns, F_POINTS, 500, INT64_MAX, false, friends);
        points[i] = now_ms() - begun_ms;
        set_free(set);
        begun_ms = now_ms();
        set = column_scan_text(&columns, F_AREA, 32, friends);
        area[i] = now_ms() - begun_ms;
        set_free(set);
        reading[i] = time_reading(&columns, F_DAY, friends);
    }
    double bare = median(reading, ROUNDS);
    print_figure("date_field_ms", "a year of dates", friends, median(day, ROUNDS), "reading it",
                 bare);
    print_figure("number_field_ms", "points >= 500", friends, median(points, ROUNDS), "reading it",
                 bare);
    print_figure("choice_field_ms", "area = x", friends, median(area, ROUNDS), "reading it", bare);
    columns_fini(&columns);
}

/* ---- SQLite, where somebody has its command ---- */

/* The same densities, a column a tag, counted by the same words. Times as its own .timer has them. */
static void
run_sqlite(uint32_t friends, const double *ours)
{
    char line[600];
    FILE *script = fopen("/tmp/bench_segments.sql", "w");
    if (script == NULL) {
        fail("no room for a script in /tmp");
    }
    fprintf(script,
            "create table f(a int, b int, c int, d int);\n"
            "with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < %u)\n"
            "insert into f select random() & 1, abs(random()) %% 10 = 0,\n"
            "  abs(random()) %% 300 = 0, (i / 1000) & 1 from n;\n.timer on\n",
            friends);
    for (int e = 0; e < EXPRESSION_COUNT; e++) {
        fprintf(script, "select count(*) from f where %s;\n", EXPRESSIONS[e].sql);
    }
    fclose(script);
    FILE *answers = popen("sqlite3 :memory: < /tmp/bench_segments.sql 2>/dev/null", "r");
    int e = 0;
    while (answers != NULL && fgets(line, sizeof(line), answers) != NULL) {
        double real_s = 0;
        if (sscanf(line, "Run Time: real %lf", &real_s) == 1 && e < EXPRESSION_COUNT) {
            print_figure("three_tags", EXPRESSIONS[e].text, friends, ours[e], "SQLite",
                         real_s * 1e3);
            e++;
        }
    }
    if (answers == NULL || pclose(answers) != 0 || e == 0) {
        fprintf(stderr, "bench_segments: skipped SQLite: there is no sqlite3 command\n");
    }
    remove("/tmp/bench_segments.sql");
}

int
main(int argc, char **argv)
{
    uint32_t friends = 10000000;
    bool sqlite = false;
    for (int i = 1; i < argc; i++) {
        char *end = NULL;
        if (strcmp(argv[i], "--json") == 0) {
            json = true;
        } else if (strcmp(argv[i], "--sqlite") == 0) {
            sqlite = true;
        } else {
            friends = (uint32_t)strtoul(argv[i], &end, 10);
            if (*end != '\0' || friends < 100000) {
                usage();
            }
        }
    }
    struct state state;
    state_init(&state);
    make_tags(&state, friends);
    state.friends.count = friends; /* tags ask no row */
    if (!json) {
        printf("%u friends, processor time in ms, medians of %d rounds\n", friends, ROUNDS);
        printf("%-14s %-22s %9s %9s %7s\n", "metric", "condition", "stepd", "control", "ratio");
    }
    double ours[EXPRESSION_COUNT];
    run_tags(&state, ours);
    state.friends.count = 0;
    state_fini(&state);
    run_columns(friends);
    if (sqlite) {
        run_sqlite(friends, ours);
    }
    return 0;
}
