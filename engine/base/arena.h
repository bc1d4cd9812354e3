/* arena - memory that is given back all at once: a pass's inputs and events, one set of definitions.
 *
 * Shape    a bump allocator over growing chunks. arena_reset() keeps the newest chunk for the next pass.
 * Units    bytes; every block is aligned for any type and zeroed.
 * Errors   a failed allocation ends the process (docs/adr/0001): the log covers it.
 * Owner    arena_new()/arena_free(). Blocks live until reset or free.
 */
#ifndef ENGINE_BASE_ARENA_H
#define ENGINE_BASE_ARENA_H

#include "engine/base/span.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
void arena_reset(struct arena *arena);

void *arena_alloc(struct arena *arena, size_t bytes);
/* Copies; the copy is terminated by a NUL that the span does not count. */
struct span arena_span(struct arena *arena, struct span span);
char *arena_cstr(struct arena *arena, struct span span);
/* A copy of an array in a block twice as large when count is a power of two: for lists that grow. */
void *arena_grow(struct arena *arena, void *items, uint32_t count, size_t item_bytes);

#endif
