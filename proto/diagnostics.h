/* diagnostics - what is wrong with a set of files, gathered so that all of it is said at once.
 *
 * Shape    the struct and the printing are in proto/definition.h; here is how messages get in.
 * Units    lines and columns from 1, in characters.
 * Errors   beyond DIAGNOSTICS_MAX only the counts grow.
 * Owner    everything is copied into the diagnostics' own arena.
 */
#ifndef PROTO_DIAGNOSTICS_H
#define PROTO_DIAGNOSTICS_H

#include "proto/definition.h"

#include <stdarg.h>

enum { DIAGNOSTICS_MAX = 1000 };

/* The text of a file without a byte order mark; line 1 begins where it begins. */
struct span source_text(const struct source_file *file);
/* A line (from 1) without its end; empty when the file has fewer. */
struct span source_line(const struct source_file *file, uint32_t line);

/* caret_characters 0 underlines one character. */
void diagnostics_add(struct diagnostics *diagnostics, bool warning, const struct source_file *file,
                     uint32_t line, uint32_t column, uint32_t caret_characters, const char *format,
                     va_list arguments) __attribute__((format(printf, 7, 0)));

/* Nothing more is kept: what a message would cost to make can be saved. */
static inline bool
diagnostics_full(const struct diagnostics *diagnostics)
{
    return diagnostics->count == DIAGNOSTICS_MAX;
}

/* By file, line and column; what stands at the same place keeps its order. */
void diagnostics_sort(struct diagnostics *diagnostics);

#endif
