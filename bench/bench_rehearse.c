/* bench_rehearse - how many rows of rehearsal files a second: inputs acted on and expectations compared.
 *
 *     bench_rehearse [--json] [FILE…]      default: those of tests/cases
 *
 * Each file is read and run with its variants, the definitions compiled anew, as `stepctl rehearse` does in
 * CI. Processor time, median of rounds. The control compiles the same definitions and rehearses nothing. */
#include "daemon/zones.h"
#include "tools/common/files.h"
#include "tools/stepctl/rehearsal.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 7 };

static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void
fail(const char *path, const char *what)
{
    fprintf(stderr, "bench_rehearse: %s: %s\n", path, what);
    exit(1);
}

static uint32_t
rows_of(const struct rehearsal_variant *variant)
{
    uint32_t rows = variant->inputs.count;
    for (int list = 0; list < LIST_COUNT; list++) {
        rows += variant->compared[list] ? variant->expected[list].count : 0;
    }
    return rows;
}

/* Returns its rows; run: not only read and compiled. */
static uint32_t
rehearse(const char *path, struct zone_source zones, bool run)
{
    struct rehearsal *rehearsal = NULL;
    struct diagnostics diagnostics;
    struct arena *arena = arena_new();
    uint32_t rows = 0;
    diagnostics_init(&diagnostics);
    if (rehearsal_read(path, zones, &diagnostics, &rehearsal) != RC_OK) {
        fail(path, "cannot be read");
    }
    for (uint32_t i = 0; run && i < rehearsal->variant_count; i++) {
        struct rehearsal_result result;
        struct rehearsal_differences differences;
        if (rehearsal_run(rehearsal, &rehearsal->variants[i], KILL_NEVER, arena, &diagnostics,
                          &result) != RC_OK) {
            fail(path, "cannot be run");
        }
        rehearsal_compare(&rehearsal->variants[i], &result, arena, &differences);
        if (differences.count > 0) {
            fail(path, "differs");
        }
        rows += rows_of(&rehearsal->variants[i]);
    }
    diagnostics_fini(&diagnostics);
    rehearsal_free(rehearsal);
    arena_free(arena);
    return rows;
}

static int
double_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double
median_of(char *const *paths, size_t count, bool run, uint32_t *out_rows)
{
    double rounds[ROUNDS];
    struct zones *zones = zones_new(NULL);
    for (int i = 0; i < ROUNDS; i++) {
        double begun_s = now_s();
        *out_rows = 0;
        for (size_t file = 0; file < count; file++) {
            *out_rows += rehearse(paths[file], zones_source(zones), run);
        }
        rounds[i] = now_s() - begun_s;
    }
    zones_free(zones);
    qsort(rounds, ROUNDS, sizeof(rounds[0]), double_compare);
    return rounds[ROUNDS / 2];
}

int
main(int argc, char **argv)
{
    bool json = argc > 1 && strcmp(argv[1], "--json") == 0;
    char *const *paths = argv + 1 + json;
    size_t count = (size_t)(argc - 1 - json);
    glob_t found = {0};
    if (count == 0) {
        if (glob("tests/cases/*.yaml", 0, NULL, &found) != 0) {
            fail("tests/cases/*.yaml", "there is none; run it from the top of the checkout");
        }
        paths = found.gl_pathv;
        count = found.gl_pathc;
    }
    uint32_t rows, none;
    double whole_s = median_of(paths, count, true, &rows);
    double read_s = median_of(paths, count, false, &none);
    if (json) {
        printf("{\"bench\":\"rehearse\",\"metric\":\"rows_per_s\",\"n\":%u,\"value\":%.0f,"
               "\"unit\":\"1/s\",\"peer\":\"reading alone\",\"peer_value\":%.0f,\"ratio\":%.2f}\n",
               rows, rows / whole_s, rows / read_s, read_s / whole_s);
    } else {
        printf("%zu files, %u rows: %.1f ms, of which reading and compiling %.1f ms; %.0f rows/s\n",
               count, rows, whole_s * 1e3, read_s * 1e3, rows / whole_s);
    }
    globfree(&found);
    return 0;
}
