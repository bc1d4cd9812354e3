/* mem - where engine, proto and store get their memory, so that a test can fail the n-th request.
 *
 * Shape    one resize function in the manner of realloc, with the old size, behind a context.
 * Units    bytes.
 * Errors   NULL when there is no memory; the old block is then untouched.
 * Owner    whoever asked frees, with the same struct mem and the size asked for.
 */
#ifndef ENGINE_BASE_MEM_H
#define ENGINE_BASE_MEM_H

#include <stddef.h>

struct mem {
    /* new_bytes 0 frees; block NULL allocates. New bytes are not zeroed. */
    void *(*resize)(void *context, void *block, size_t old_bytes, size_t new_bytes);
    void *context;
};

/* The process's own heap. */
extern const struct mem mem_heap;

void *mem_alloc_zeroed(const struct mem *mem, size_t bytes);
void *mem_resize(const struct mem *mem, void *block, size_t old_bytes, size_t new_bytes);
void mem_free(const struct mem *mem, void *block, size_t bytes);

#endif
