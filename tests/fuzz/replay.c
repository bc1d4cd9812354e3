/* Drives a fuzz target without libFuzzer: every file of a folder as it is, then changed by a seed, so
 * that what a fuzzer once found stays found and ./dev test needs no other compiler.
 *
 *   fuzz_NAME FOLDER [CHANGES [SEED]]
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 1 << 20, CHANGES_DEFAULT = 200, SPARE = 64 };

static uint8_t original[INPUT_MAX], changed[INPUT_MAX + SPARE];

static uint64_t
random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t
below(uint64_t *state, size_t bound)
{
    return bound == 0 ? 0 : (size_t)(random_next(state) % bound);
}

/* One change, as bytes are hurt on disks and wires: a flip, a cut, a piece doubled, a run overwritten. */
static size_t
change(uint64_t *seed, size_t size)
{
    size_t at = below(seed, size);
    switch (random_next(seed) % 4) {
    case 0:
        if (size > 0) {
            changed[at] ^= (uint8_t)(1u << (random_next(seed) % 8));
        }
        return size;
    case 1:
        return at;
    case 2: {
        size_t piece = below(seed, size - at < SPARE ? size - at : SPARE);
        memmove(changed + at + piece, changed + at, size - at);
        return size + piece;
    }
    default: {
        static const uint8_t telling[] = {0x00, 0x7f, 0x80, 0xff, '{', '[', '"', '\n'};
        size_t run = below(seed, size - at < 8 ? size - at : 8);
        memset(changed + at, telling[random_next(seed) % sizeof(telling)], run);
        return size;
    }
    }
}

/* A copy that ends where its bytes end, so that a read beyond them is seen. */
static void
feed(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);
    if (copy == NULL) {
        abort();
    }
    memcpy(copy, bytes, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void
replay_file(const char *path, uint32_t changes, uint64_t *seed)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(original, 1, sizeof(original), file);
    fclose(file);
    feed(original, size);
    for (uint32_t i = 0; i < changes; i++) {
        memcpy(changed, original, size);
        size_t now = change(seed, size);
        if (random_next(seed) % 2 == 0 && now <= INPUT_MAX) {
            now = change(seed, now);
        }
        feed(changed, now > INPUT_MAX ? INPUT_MAX : now);
    }
}

int
main(int argc, char **argv)
{
    if (argc < 2 || argc > 4) {
        fprintf(stderr, "usage: %s FOLDER [CHANGES [SEED]]\n", argv[0]);
        return 2;
    }
    uint32_t changes = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : CHANGES_DEFAULT;
    uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
    printf("seed %" PRIu64 ", %u changes a file\n", seed, changes);
    fflush(stdout);
    seed = seed * 2 + 1; /* never zero */
    struct dirent **entries = NULL;
    int count = scandir(argv[1], &entries, NULL, alphasort);
    int files = 0;
    for (int i = 0; i < count; i++) {
        char path[4096];
        if (entries[i]->d_name[0] != '.') {
            snprintf(path, sizeof(path), "%s/%s", argv[1], entries[i]->d_name);
            replay_file(path, changes, &seed);
            files++;
        }
        free(entries[i]);
    }
    free(entries);
    printf("%d files\n", files);
    return files > 0 ? 0 : 1; /* an empty folder tests nothing */
}
