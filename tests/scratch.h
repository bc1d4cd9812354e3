/* scratch - directories that a test makes for itself, gone with all that is in them.
 *
 * Shape    scratch_remove() takes a directory away however deep it is.
 * Units    none.
 * Errors   none: what cannot be removed stays for a look.
 * Owner    the caller's names.
 */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <ftw.h>
#include <stdio.h>

static inline int
scratch_remove_one(const char *path, const struct stat *file, int kind, struct FTW *place)
{
    (void)file;
    (void)kind;
    (void)place;
    (void)remove(path);
    return 0;
}

static inline void
scratch_remove(const char *directory)
{
    enum { DESCRIPTORS = 8 };
    (void)nftw(directory, scratch_remove_one, DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
}

#endif
