#include "store/cut.h"

enum {
    PAGE_HEADER_BYTES = 16,
    NODE_BYTES = 8 + 8 + 2, /* of an inline value: its header, its key, its index */
    BIG_NODE_BYTES = NODE_BYTES + 8,
    PIECE_BYTES_MIN = 256, /* a smaller piece saves less room than its header takes */
};

static size_t
inline_max(const struct cut *cut)
{
    size_t half = (cut->page_bytes - PAGE_HEADER_BYTES) / 2;
    return half - NODE_BYTES;
}

static size_t
even(size_t bytes)
{
    return bytes + bytes % 2;
}

void
cut_init(struct cut *cut, size_t page_bytes)
{
    *cut = (struct cut){.page_bytes = page_bytes};
}

size_t
cut_best(const struct cut *cut, size_t wanted)
{
    if (cut->page_bytes == 0) {
        return wanted;
    }
    size_t pages = (wanted + PAGE_HEADER_BYTES) / cut->page_bytes;
    if (pages > 0) {
        return pages * cut->page_bytes - PAGE_HEADER_BYTES;
    }
    size_t most = inline_max(cut);
    most = wanted < most ? wanted : most;
    size_t fits = cut->leaf_left > NODE_BYTES ? cut->leaf_left - NODE_BYTES : 0;
    return fits >= PIECE_BYTES_MIN && fits < most ? fits : most;
}

void
cut_placed(struct cut *cut, size_t bytes)
{
    if (cut->page_bytes == 0) {
        return;
    }
    size_t node = bytes > inline_max(cut) ? BIG_NODE_BYTES : NODE_BYTES + even(bytes);
    if (node > cut->leaf_left) {
        cut->leaf_left = cut->page_bytes - PAGE_HEADER_BYTES;
    }
    cut->leaf_left -= node;
}
