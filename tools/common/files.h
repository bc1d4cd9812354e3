/* files - reading definition files: a file, or every *.yaml of a folder and below.
 *
 * Shape    the folder's files in the order LANGUAGE 1 wants: by name, folders and files together, by
 *          bytes, so that 10-account.yaml comes before 20-welcome.yaml whatever the locale.
 * Units    bytes; one file has at most 1 MiB (the checker says so), a folder at most 1,000 files.
 * Errors   RC_NOT_FOUND, RC_REFUSED, RC_TOO_LARGE, RC_IO, with the words in out_error.
 * Owner    names and texts live in the arena given.
 */
#ifndef TOOLS_COMMON_FILES_H
#define TOOLS_COMMON_FILES_H

#include "engine/base/arena.h"
#include "proto/definition.h"

struct source_files {
    struct source_file *items;
    uint32_t count;
};

/* Appends the file, or the folder's files, to *files. A folder without any is RC_NOT_FOUND. */
MUST_USE enum rc files_read(const char *path, struct arena *arena, struct source_files *files,
                            struct buf *out_error);

#endif
