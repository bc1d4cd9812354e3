#include "proto/definition_names.h"

#include "engine/base/checksum.h"
#include "proto/words.h"

/* The slot that holds the name, or the free one where it would go. */
static uint32_t
slot_of(const struct name_table *table, struct span text)
{
    uint32_t mask = table->slot_count - 1;
    uint32_t slot = (uint32_t)checksum_of(text.data, text.len) & mask;
    while (table->slots[slot] != 0 &&
           !span_equal_cstr(text, table->names.items[table->slots[slot] - 1].text)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

/* Room for one more at a load of one half. */
static void
make_room(struct name_table *table)
{
    if (table->slot_count > 2 * (table->names.count + 1)) {
        return;
    }
    table->slot_count = table->slot_count == 0 ? 8 : table->slot_count * 2;
    table->slots = arena_alloc(table->arena, table->slot_count * sizeof(*table->slots));
    for (uint32_t id = 0; id < table->names.count; id++) {
        table->slots[slot_of(table, span_cstr(table->names.items[id].text))] = id + 1;
    }
}

static uint32_t
append(struct name_table *table, struct span text, bool in_force)
{
    make_room(table);
    struct names *names = &table->names;
    names->items = arena_grow(table->arena, names->items, names->count, sizeof(*names->items));
    names->items[names->count] =
        (struct name){.text = arena_cstr(table->arena, text), .in_force = in_force};
    names->count++;
    table->slots[slot_of(table, text)] = names->count;
    return names->count - 1;
}

void
name_table_load(struct name_table *table, struct arena *arena, const struct names *before)
{
    *table = (struct name_table){.arena = arena};
    make_room(table);
    for (uint32_t id = 0; before != NULL && id < before->count; id++) {
        append(table, span_cstr(before->items[id].text), false);
    }
}

uint32_t
name_table_add(struct name_table *table, struct span text)
{
    uint32_t slot = slot_of(table, text);
    if (table->slots[slot] == 0) {
        return append(table, text, true);
    }
    uint32_t id = table->slots[slot] - 1;
    table->names.items[id].in_force = true;
    return id;
}

uint32_t
name_table_find(const struct name_table *table, struct span text)
{
    uint32_t id = table->slots[slot_of(table, text)];
    return id == 0 || !table->names.items[id - 1].in_force ? NO_ID : id - 1;
}

bool
name_table_suggest(struct name_table *table, struct span word, struct span *out_name)
{
    enum { SUGGESTIONS_MAX = 1000, NAMES_LOOKED_AT = 1024 };
    struct suggestion suggestion;
    suggestion_begin(&suggestion, word);
    if (table->suggestions == SUGGESTIONS_MAX) {
        return false;
    }
    table->suggestions++;
    for (uint32_t id = 0; id < table->names.count && id < NAMES_LOOKED_AT; id++) {
        if (table->names.items[id].in_force) {
            suggestion_offer(&suggestion, span_cstr(table->names.items[id].text));
        }
    }
    *out_name = suggestion.best;
    return suggestion_found(&suggestion);
}
