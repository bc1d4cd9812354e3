#include "engine/columns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Both kinds of chunk begin with the bits, so that all but the values is one code. */

static uint32_t
chunk_of(uint32_t friend)
{
    return friend / COLUMN_CHUNK_ROWS;
}

static uint32_t
place_of(uint32_t friend)
{
    return friend % COLUMN_CHUNK_ROWS;
}

static bool
has(const uint64_t *present, uint32_t friend)
{
    uint32_t place = place_of(friend);
    return (present[place / 64] >> place % 64 & 1) != 0;
}

static bool
is_empty(const uint64_t *present)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < COLUMN_CHUNK_WORDS; i++) {
        any |= present[i];
    }
    return any == 0;
}

static void *
zeros_behind(void *block, size_t old_bytes, size_t new_bytes)
{
    uint8_t *grown = realloc(block, new_bytes);
    assert(grown != NULL);
    memset(grown + old_bytes, 0, new_bytes - old_bytes);
    return grown;
}

static void
make_room(struct columns *columns, uint32_t field)
{
    if (field >= columns->count) {
        size_t old_bytes = columns->count * sizeof(struct column);
        size_t new_bytes = (field + 1) * sizeof(struct column);
        columns->numbers = zeros_behind(columns->numbers, old_bytes, new_bytes);
        columns->texts = zeros_behind(columns->texts, old_bytes, new_bytes);
        columns->count = field + 1;
    }
}

static void
make_chunk(struct column *column, uint32_t chunk, size_t chunk_bytes)
{
    if (chunk >= column->chunk_count) {
        uint32_t room = column->chunk_count == 0 ? 4 : column->chunk_count;
        while (room <= chunk) {
            room *= 2;
        }
        column->chunks = zeros_behind(column->chunks, column->chunk_count * sizeof(void *),
                                      room * sizeof(void *));
        column->chunk_count = room;
    }
    if (column->chunks[chunk] == NULL) {
        column->chunks[chunk] = zeros_behind(NULL, 0, chunk_bytes);
    }
}

/* The friend's chunk, made where there is none, with the friend's bit set. */
static void *
claim(struct column *column, uint32_t friend, size_t chunk_bytes)
{
    uint32_t chunk = chunk_of(friend);
    make_chunk(column, chunk, chunk_bytes);
    uint64_t *present = column->chunks[chunk];
    if (!has(present, friend)) {
        uint32_t place = place_of(friend);
        present[place / 64] |= UINT64_C(1) << place % 64;
        column->set_count++;
    }
    return present;
}

/* The friend's chunk when the friend has a value in it, else NULL. */
static void *
find(const struct column *columns, uint32_t count, uint32_t field, uint32_t friend)
{
    if (field >= count || chunk_of(friend) >= columns[field].chunk_count) {
        return NULL;
    }
    void *chunk = columns[field].chunks[chunk_of(friend)];
    return chunk != NULL && has(chunk, friend) ? chunk : NULL;
}

/* The value is zeroed already. True: nobody in the chunk has one any more. */
static bool
release(struct column *column, uint32_t friend)
{
    uint64_t *present = column->chunks[chunk_of(friend)];
    uint32_t place = place_of(friend);
    present[place / 64] &= ~(UINT64_C(1) << place % 64);
    column->set_count--;
    return is_empty(present);
}

static void
free_chunk(struct column *column, uint32_t chunk)
{
    free(column->chunks[chunk]);
    column->chunks[chunk] = NULL;
}

static bool
fits(int64_t number)
{
    return number >= INT32_MIN && number <= INT32_MAX;
}

static int64_t
number_at(const struct column_numbers *chunk, uint32_t place)
{
    return chunk->is_wide ? ((const struct column_wide *)chunk)->values[place]
                          : ((const struct column_narrow *)chunk)->values[place];
}

static void
set_number(struct column_numbers *chunk, uint32_t place, int64_t number)
{
    if (chunk->is_wide) {
        ((struct column_wide *)chunk)->values[place] = number;
    } else {
        assert(fits(number));
        ((struct column_narrow *)chunk)->values[place] = (int32_t)number;
    }
}

static struct column_numbers *
widened(struct column_numbers *chunk)
{
    struct column_wide *wide = zeros_behind(NULL, 0, sizeof(*wide));
    wide->head = *chunk;
    wide->head.is_wide = 1;
    for (uint32_t i = 0; i < COLUMN_CHUNK_ROWS; i++) {
        wide->values[i] = number_at(chunk, i);
    }
    free(chunk);
    return &wide->head;
}

static void
drop_number(struct columns *columns, uint32_t field, uint32_t friend)
{
    struct column_numbers *chunk = find(columns->numbers, columns->count, field, friend);
    if (chunk != NULL) {
        set_number(chunk, place_of(friend), 0);
        if (release(&columns->numbers[field], friend)) {
            free_chunk(&columns->numbers[field], chunk_of(friend));
        }
    }
}

static void
drop_text(struct columns *columns, uint32_t field, uint32_t friend)
{
    struct column_texts *chunk = find(columns->texts, columns->count, field, friend);
    if (chunk != NULL) {
        chunk->values[place_of(friend)] = 0;
        if (release(&columns->texts[field], friend)) {
            free_chunk(&columns->texts[field], chunk_of(friend));
        }
    }
}

static void
fini(struct column *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t chunk = 0; chunk < columns[i].chunk_count; chunk++) {
            free_chunk(&columns[i], chunk);
        }
        free(columns[i].chunks);
    }
    free(columns);
}

void
columns_init(struct columns *columns)
{
    *columns = (struct columns){0};
}

void
columns_fini(struct columns *columns)
{
    fini(columns->numbers, columns->count);
    fini(columns->texts, columns->count);
    *columns = (struct columns){0};
}

void
columns_put_number(struct columns *columns, uint32_t field, uint32_t friend, int64_t number)
{
    make_room(columns, field);
    drop_text(columns, field, friend);
    struct column *column = &columns->numbers[field];
    struct column_numbers *chunk = claim(column, friend, sizeof(struct column_narrow));
    if (!chunk->is_wide && !fits(number)) {
        chunk = widened(chunk);
        column->chunks[chunk_of(friend)] = chunk;
    }
    set_number(chunk, place_of(friend), number);
}

void
columns_put_text(struct columns *columns, uint32_t field, uint32_t friend, uint32_t text)
{
    make_room(columns, field);
    drop_number(columns, field, friend);
    struct column_texts *chunk = claim(&columns->texts[field], friend, sizeof(struct column_texts));
    chunk->values[place_of(friend)] = text;
}

void
columns_drop(struct columns *columns, uint32_t field, uint32_t friend)
{
    drop_number(columns, field, friend);
    drop_text(columns, field, friend);
}

bool
columns_number(const struct columns *columns, uint32_t field, uint32_t friend, int64_t *out_number)
{
    const struct column_numbers *chunk = find(columns->numbers, columns->count, field, friend);
    if (chunk == NULL) {
        return false;
    }
    *out_number = number_at(chunk, place_of(friend));
    return true;
}

bool
columns_text(const struct columns *columns, uint32_t field, uint32_t friend, uint32_t *out_text)
{
    const struct column_texts *chunk = find(columns->texts, columns->count, field, friend);
    if (chunk == NULL) {
        return false;
    }
    *out_text = chunk->values[place_of(friend)];
    return true;
}

const struct column_numbers *
columns_number_chunk(const struct columns *columns, uint32_t field, uint32_t chunk)
{
    bool known = field < columns->count && chunk < columns->numbers[field].chunk_count;
    return known ? columns->numbers[field].chunks[chunk] : NULL;
}

const struct column_texts *
columns_text_chunk(const struct columns *columns, uint32_t field, uint32_t chunk)
{
    bool known = field < columns->count && chunk < columns->texts[field].chunk_count;
    return known ? columns->texts[field].chunks[chunk] : NULL;
}

static uint32_t
count_bits(uint64_t word)
{
    word -= word >> 1 & UINT64_C(0x5555555555555555);
    word = (word & UINT64_C(0x3333333333333333)) + (word >> 2 & UINT64_C(0x3333333333333333));
    word = (word + (word >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (uint32_t)((word * UINT64_C(0x0101010101010101)) >> 56);
}

/* Are all friends with a value below the limit? */
static bool
is_below(const uint64_t *present, uint32_t chunk, uint32_t limit)
{
    uint32_t highest = 0;
    for (uint32_t word = 0; word < COLUMN_CHUNK_WORDS; word++) {
        if (present[word] != 0) {
            highest = word * 64 + 64 - (uint32_t)__builtin_clzll(present[word]);
        }
    }
    return (uint64_t)chunk * COLUMN_CHUNK_ROWS + highest <= limit;
}

static void
get_chunk(struct column *column, struct stream *stream, uint32_t chunk, size_t chunk_bytes,
          uint32_t limit)
{
    make_chunk(column, chunk, chunk_bytes);
    uint64_t *present = column->chunks[chunk];
    stream_bytes(stream, present, chunk_bytes);
    stream_check(stream, is_below(present, chunk, limit), "a column is of friends who are none");
    for (uint32_t word = 0; word < COLUMN_CHUNK_WORDS; word++) {
        column->set_count += count_bits(present[word]);
    }
}

/* The chunks there are, each with its place and size. */
static void
stream_column(struct column *column, struct stream *stream, bool of_numbers, uint32_t limit)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < column->chunk_count; i++) {
        count += column->chunks[i] != NULL;
    }
    count = stream_count(stream, count, sizeof(struct column_texts));
    for (uint32_t from = 0; count > 0 && stream->rc == RC_OK; count--) {
        uint32_t chunk = from;
        while (!stream_reads(stream) && column->chunks[chunk] == NULL) {
            chunk++;
        }
        bool wide = of_numbers && !stream_reads(stream) &&
                    ((struct column_numbers *)column->chunks[chunk])->is_wide != 0;
        stream_u32(stream, &chunk);
        stream_bool(stream, &wide);
        stream_check(stream, chunk >= from && (uint64_t)chunk * COLUMN_CHUNK_ROWS < limit,
                     "a column is of friends who are none");
        size_t chunk_bytes = !of_numbers ? sizeof(struct column_texts)
                             : wide      ? sizeof(struct column_wide)
                                         : sizeof(struct column_narrow);
        if (stream->rc == RC_OK && stream_reads(stream)) {
            get_chunk(column, stream, chunk, chunk_bytes, limit);
        } else if (stream->rc == RC_OK) {
            stream_bytes(stream, column->chunks[chunk], chunk_bytes);
        }
        if (stream->rc == RC_OK && of_numbers) {
            stream_check(stream, ((struct column_numbers *)column->chunks[chunk])->is_wide == wide,
                         "a column's numbers are of another size");
            ((struct column_numbers *)column->chunks[chunk])->is_wide = wide;
        }
        from = chunk + 1;
    }
}

void
columns_stream(struct columns *columns, struct stream *stream, uint32_t limit)
{
    uint32_t count = stream_count(stream, columns->count, 2 * sizeof(uint32_t));
    if (stream_reads(stream) && count > 0) {
        make_room(columns, count - 1);
    }
    for (uint32_t field = 0; field < count; field++) {
        stream_column(&columns->numbers[field], stream, true, limit);
        stream_column(&columns->texts[field], stream, false, limit);
    }
}

size_t
columns_bytes(const struct columns *columns)
{
    size_t bytes = 2 * columns->count * sizeof(struct column);
    for (uint32_t i = 0; i < columns->count; i++) {
        const struct column *numbers = &columns->numbers[i], *texts = &columns->texts[i];
        bytes += (numbers->chunk_count + texts->chunk_count) * sizeof(void *);
        for (uint32_t j = 0; j < numbers->chunk_count; j++) {
            const struct column_numbers *chunk = numbers->chunks[j];
            if (chunk != NULL) {
                bytes += chunk->is_wide ? sizeof(struct column_wide) : sizeof(struct column_narrow);
            }
        }
        for (uint32_t j = 0; j < texts->chunk_count; j++) {
            bytes += texts->chunks[j] == NULL ? 0 : sizeof(struct column_texts);
        }
    }
    return bytes;
}
