#include "engine/column_scan.h"

#include "engine/set_writer.h"

#include <string.h>

enum { CHUNKS_PER_BLOCK = SET_BLOCK_BITS / COLUMN_CHUNK_ROWS };

/* Four values at a time, as every processor of today has it: what a comparison finds is a mask of ones in
 * the value's lane, and each value of a group of 32 has a bit of its own there, so that gathering is `and`
 * and `or` alone. */
typedef int32_t lanes __attribute__((vector_size(16)));
typedef uint32_t wrapping_lanes __attribute__((vector_size(16)));

enum { LANES = 4, GROUP = 32, GROUPS = COLUMN_CHUNK_ROWS / GROUP };

static const uint32_t BIT_OF[GROUP] = {
    1u << 0,  1u << 1,  1u << 2,  1u << 3,  1u << 4,  1u << 5,  1u << 6,  1u << 7,
    1u << 8,  1u << 9,  1u << 10, 1u << 11, 1u << 12, 1u << 13, 1u << 14, 1u << 15,
    1u << 16, 1u << 17, 1u << 18, 1u << 19, 1u << 20, 1u << 21, 1u << 22, 1u << 23,
    1u << 24, 1u << 25, 1u << 26, 1u << 27, 1u << 28, 1u << 29, 1u << 30, 1u << 31,
};

static lanes
lanes_at(const void *values, size_t index)
{
    lanes at;
    memcpy(&at, (const uint32_t *)values + index, sizeof(at));
    return at;
}

static lanes
lanes_of(uint32_t value)
{
    int32_t each = (int32_t)value;
    return (lanes){each, each, each, each};
}

static uint64_t
gathered(lanes bits)
{
    return (uint32_t)(bits[0] | bits[1] | bits[2] | bits[3]);
}

/* One comparison tests both ends of a range: value - low <= span, unsigned; lanes compare signed, so
 * both sides are moved by the sign bit. */
static void
match_narrow(const int32_t *values, int32_t low, uint32_t span, uint64_t *out)
{
    const uint32_t sign = UINT32_C(1) << 31;
    const wrapping_lanes from = (wrapping_lanes)lanes_of((uint32_t)low + sign);
    const lanes limit = lanes_of(span ^ sign);
    for (size_t group = 0; group < GROUPS; group++) {
        lanes outside = {0};
        for (size_t i = 0; i < GROUP; i += LANES) {
            lanes moved = (lanes)((wrapping_lanes)lanes_at(values, group * GROUP + i) - from);
            outside |= (moved > limit) & lanes_at(BIT_OF, i);
        }
        uint64_t inside = ~gathered(outside) & UINT32_MAX;
        out[group / 2] |= inside << GROUP * (group % 2);
    }
}

static void
match_text(const uint32_t *values, uint32_t text, uint64_t *out)
{
    const lanes wanted = lanes_of(text);
    for (size_t group = 0; group < GROUPS; group++) {
        lanes same = {0};
        for (size_t i = 0; i < GROUP; i += LANES) {
            same |= (lanes_at(values, group * GROUP + i) == wanted) & lanes_at(BIT_OF, i);
        }
        out[group / 2] |= gathered(same) << GROUP * (group % 2);
    }
}

/* Datetimes and huge numbers: one by one, without branches. */
static void
match_wide(const int64_t *values, int64_t low, uint64_t span, uint64_t *out)
{
    for (size_t word = 0; word < COLUMN_CHUNK_WORDS; word++) {
        uint64_t bits = 0;
        for (size_t i = 0; i < 64; i++) {
            uint64_t inside = (uint64_t)values[64 * word + i] - (uint64_t)low <= span;
            bits |= inside << i;
        }
        out[word] = bits;
    }
}

/* What fits into 32 bits of a range; false: nothing. */
static bool
narrow_range(int64_t low, int64_t high, int32_t *out_low, uint32_t *out_span)
{
    int64_t from = low < INT32_MIN ? INT32_MIN : low;
    int64_t to = high > INT32_MAX ? INT32_MAX : high;
    if (from > to) {
        return false;
    }
    *out_low = (int32_t)from;
    *out_span = (uint32_t)(to - from);
    return true;
}

/* --- one pass, whatever is asked --- */

struct asked;
struct scan {
    const struct columns *columns;
    uint32_t field;
    bool unset_too;
    int64_t low, high;   /* ranges */
    uint32_t text;       /* one text */
    struct asked *asked; /* many */
};

/* Sets the bits (zero before) of a chunk of friends whose value is wanted, and which of them have one. */
typedef void (*chunk_fn)(const struct scan *scan, uint32_t chunk, uint64_t *out_bits,
                         uint64_t *out_present);

static struct bitmap *
run(const struct scan *scan, chunk_fn match, uint32_t friend_count)
{
    struct set_writer *writer = set_writer_begin();
    uint32_t blocks = friend_count / SET_BLOCK_BITS + (friend_count % SET_BLOCK_BITS != 0);
    for (uint32_t block = 0; block < blocks; block++) {
        uint32_t left = friend_count - block * SET_BLOCK_BITS; /* friends from its first on */
        for (uint32_t i = 0; i < CHUNKS_PER_BLOCK && i * COLUMN_CHUNK_ROWS < left; i++) {
            uint64_t present[COLUMN_CHUNK_WORDS] = {0};
            uint64_t *bits = &writer->words[i * COLUMN_CHUNK_WORDS];
            match(scan, block * CHUNKS_PER_BLOCK + i, bits, present);
            for (uint32_t word = 0; word < COLUMN_CHUNK_WORDS; word++) {
                bits[word] &= present[word];
                bits[word] |= scan->unset_too ? ~present[word] : 0;
            }
        }
        if (left < SET_BLOCK_BITS) { /* nobody stands behind the last friend */
            writer->words[left / 64] &= (UINT64_C(1) << left % 64) - 1;
            memset(&writer->words[left / 64 + 1], 0,
                   (SET_BLOCK_WORDS - left / 64 - 1) * sizeof(uint64_t));
        }
        set_writer_add(writer, block);
    }
    return set_writer_done(writer);
}

static void
match_range(const struct scan *scan, uint32_t chunk, uint64_t *out_bits, uint64_t *out_present)
{
    const struct column_numbers *numbers = columns_number_chunk(scan->columns, scan->field, chunk);
    int32_t low;
    uint32_t span;
    if (numbers == NULL) {
        return;
    }
    memcpy(out_present, numbers->present, sizeof(numbers->present));
    if (scan->low > scan->high) {
        return;
    }
    if (numbers->is_wide) {
        match_wide(((const struct column_wide *)numbers)->values, scan->low,
                   (uint64_t)scan->high - (uint64_t)scan->low, out_bits);
    } else if (narrow_range(scan->low, scan->high, &low, &span)) {
        match_narrow(((const struct column_narrow *)numbers)->values, low, span, out_bits);
    }
}

struct bitmap *
column_scan_range(const struct columns *columns, uint32_t field, int64_t low, int64_t high,
                  bool unset_too, uint32_t friend_count)
{
    struct scan scan = {.columns = columns, .field = field, .unset_too = unset_too};
    scan.low = low;
    scan.high = high;
    return run(&scan, match_range, friend_count);
}

static void
match_one(const struct scan *scan, uint32_t chunk, uint64_t *out_bits, uint64_t *out_present)
{
    const struct column_texts *texts = columns_text_chunk(scan->columns, scan->field, chunk);
    if (texts != NULL) {
        memcpy(out_present, texts->present, sizeof(texts->present));
        match_text(texts->values, scan->text, out_bits);
    }
}

struct bitmap *
column_scan_text(const struct columns *columns, uint32_t field, uint32_t text,
                 uint32_t friend_count)
{
    struct scan scan = {.columns = columns, .field = field, .text = text};
    return run(&scan, match_one, friend_count);
}

/* Texts repeat (areas, products): what was answered of one lately is remembered. */
enum { MEMORY_SLOTS = 1024 };
struct asked {
    column_text_fn wanted;
    void *context;
    uint32_t text[MEMORY_SLOTS]; /* 0: nothing */
    bool answer[MEMORY_SLOTS];
};

static bool
ask(struct asked *asked, uint32_t text)
{
    uint32_t slot = text % MEMORY_SLOTS;
    if (text == 0) {
        return asked->wanted(asked->context, text);
    }
    if (asked->text[slot] != text) {
        asked->text[slot] = text;
        asked->answer[slot] = asked->wanted(asked->context, text);
    }
    return asked->answer[slot];
}

static void
match_many(const struct scan *scan, uint32_t chunk, uint64_t *out_bits, uint64_t *out_present)
{
    const struct column_texts *texts = columns_text_chunk(scan->columns, scan->field, chunk);
    if (texts == NULL) {
        return;
    }
    memcpy(out_present, texts->present, sizeof(texts->present));
    for (uint32_t word = 0; word < COLUMN_CHUNK_WORDS; word++) {
        for (uint64_t left = texts->present[word]; left != 0; left &= left - 1) {
            uint32_t bit = (uint32_t)__builtin_ctzll(left);
            if (ask(scan->asked, texts->values[64 * word + bit])) {
                out_bits[word] |= UINT64_C(1) << bit;
            }
        }
    }
}

struct bitmap *
column_scan_texts(const struct columns *columns, uint32_t field, column_text_fn wanted,
                  void *context, bool unset_too, uint32_t friend_count)
{
    struct asked asked = {.wanted = wanted, .context = context};
    struct scan scan = {.columns = columns, .field = field, .unset_too = unset_too};
    scan.asked = &asked;
    return run(&scan, match_many, friend_count);
}

static void
match_present(const struct scan *scan, uint32_t chunk, uint64_t *out_bits, uint64_t *out_present)
{
    const struct column_numbers *numbers = columns_number_chunk(scan->columns, scan->field, chunk);
    const struct column_texts *texts = columns_text_chunk(scan->columns, scan->field, chunk);
    for (uint32_t word = 0; word < COLUMN_CHUNK_WORDS; word++) {
        out_present[word] = (numbers == NULL ? 0 : numbers->present[word]) |
                            (texts == NULL ? 0 : texts->present[word]);
        out_bits[word] = out_present[word];
    }
}

struct bitmap *
column_scan_present(const struct columns *columns, uint32_t field, uint32_t friend_count)
{
    struct scan scan = {.columns = columns, .field = field};
    return run(&scan, match_present, friend_count);
}
