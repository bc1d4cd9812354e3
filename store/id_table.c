#include "store/id_table.h"

#include "store/batch.h"

#include <assert.h>
#include <stdlib.h>

/* Open addressing, linear probing, at most half full. */
struct id_slot {
    struct log_id id;
    int64_t number; /* EMPTY: not used */
};
#define EMPTY INT64_MIN

void
id_table_fini(struct id_table *table)
{
    free(table->slots);
    *table = (struct id_table){0};
}

static struct id_slot *
slot_of(struct id_slot *slots, size_t count, const struct log_id *id)
{
    /* ids are checksums already: any eight of their bytes spread well */
    size_t at = (size_t)big_endian_get(id->bytes, 8) & (count - 1);
    while (slots[at].number != EMPTY && memcmp(&slots[at].id, id, sizeof(*id)) != 0) {
        at = (at + 1) & (count - 1);
    }
    return &slots[at];
}

enum rc
id_table_reserve(struct id_table *table, size_t more, int64_t least)
{
    if (2 * (table->used + more) <= table->slot_count) {
        return RC_OK;
    }
    size_t kept = 0, count = 64;
    for (size_t i = 0; i < table->slot_count; i++) {
        kept += table->slots[i].number != EMPTY && table->slots[i].number >= least;
    }
    while (count < 4 * (kept + more)) {
        count *= 2;
    }
    struct id_slot *slots = malloc(count * sizeof(*slots));
    if (slots == NULL) {
        return RC_NO_MEMORY;
    }
    for (size_t i = 0; i < count; i++) {
        slots[i].number = EMPTY;
    }
    for (size_t i = 0; i < table->slot_count; i++) {
        const struct id_slot *old = &table->slots[i];
        if (old->number != EMPTY && old->number >= least) {
            *slot_of(slots, count, &old->id) = *old;
        }
    }
    free(table->slots);
    *table = (struct id_table){.slots = slots, .slot_count = count, .used = kept};
    return RC_OK;
}

void
id_table_put(struct id_table *table, const struct log_id *id, int64_t number)
{
    assert(2 * table->used < table->slot_count);
    struct id_slot *slot = slot_of(table->slots, table->slot_count, id);
    table->used += slot->number == EMPTY;
    *slot = (struct id_slot){*id, number};
}

bool
id_table_find(const struct id_table *table, const struct log_id *id, int64_t *out_number)
{
    if (table->slot_count == 0) {
        return false;
    }
    const struct id_slot *slot = slot_of(table->slots, table->slot_count, id);
    if (slot->number == EMPTY) {
        return false;
    }
    *out_number = slot->number;
    return true;
}
