#include "engine/base/mem.h"

#include <stdlib.h>
#include <string.h>

static void *
heap_resize(void *context, void *block, size_t old_bytes, size_t new_bytes)
{
    (void)context;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_bytes);
}

const struct mem mem_heap = {.resize = heap_resize};

void *
mem_resize(const struct mem *mem, void *block, size_t old_bytes, size_t new_bytes)
{
    return mem->resize(mem->context, block, old_bytes, new_bytes);
}

void *
mem_alloc_zeroed(const struct mem *mem, size_t bytes)
{
    void *block = mem->resize(mem->context, NULL, 0, bytes);
    if (block != NULL) {
        memset(block, 0, bytes);
    }
    return block;
}

void
mem_free(const struct mem *mem, void *block, size_t bytes)
{
    if (block != NULL) {
        mem->resize(mem->context, block, bytes, 0);
    }
}
