#include "proto/import.h"

#include "proto/words.h"

/* What tables of friends have beside what can be changed. */
static const char *const PASSED[] = {"name",   "added", "blocked",    "forgotten",
                                     "hidden", "score", "enrolments", "scenarios"};

static void
suggest(const struct definitions *definitions, struct span name, struct buf *out_error)
{
    struct suggestion suggestion;
    suggestion_begin(&suggestion, name);
    suggestion_offer(&suggestion, span_cstr("tags"));
    suggestion_offer(&suggestion, span_cstr("mark"));
    for (uint32_t i = 0; i < definitions->field_names.count; i++) {
        if (definitions->field_names.items[i].in_force) {
            suggestion_offer(&suggestion, span_cstr(definitions->field_names.items[i].text));
        }
    }
    if (suggestion_found(&suggestion)) {
        buf_printf(out_error, " - did you mean '%.*s'?", span_fmt(suggestion.best));
    }
}

static bool
is_passed(struct span name)
{
    for (size_t i = 0; i < sizeof(PASSED) / sizeof(PASSED[0]); i++) {
        if (span_equal_cstr(name, PASSED[i])) {
            return true;
        }
    }
    return false;
}

/* False: there is no such column. */
static bool
read_column(const struct definitions *definitions, struct span name, struct import_column *out)
{
    uint32_t field = names_find(&definitions->field_names, name);
    *out = (struct import_column){.kind = IMPORT_PASSED, .field = NO_ID, .name = name};
    if (span_equal_cstr(name, "id") || span_equal_cstr(name, "user id") ||
        span_equal_cstr(name, "user_id")) {
        out->kind = IMPORT_ID;
    } else if (span_equal_cstr(name, "number") || span_equal_cstr(name, "friend")) {
        out->kind = IMPORT_NUMBER;
    } else if (span_equal_cstr(name, "tags")) {
        out->kind = IMPORT_TAGS;
    } else if (span_equal_cstr(name, "mark")) {
        out->kind = IMPORT_MARK;
    } else if (field != NO_ID) {
        out->kind = IMPORT_FIELD;
        out->field = field;
    } else {
        return is_passed(name);
    }
    return true;
}

bool
import_begin(struct import *import, const struct definitions *definitions,
             const struct csv_row *header, struct arena *arena, struct buf *out_error)
{
    bool who = false;
    *import = (struct import){.definitions = definitions, .column_count = header->count};
    import->columns = arena_alloc(arena, (header->count + 1) * sizeof(*import->columns));
    for (uint32_t i = 0; i < header->count; i++) {
        if (!read_column(definitions, header->cells[i], &import->columns[i])) {
            buf_printf(out_error, "no column '%.*s' is known", span_fmt(header->cells[i]));
            suggest(definitions, header->cells[i], out_error);
            return false;
        }
        who = who || import->columns[i].kind <= IMPORT_NUMBER;
    }
    if (!who) {
        buf_append_cstr(out_error, "the first row has no column 'id' (or 'number')");
    }
    return who;
}

static struct span
cell_of(const struct csv_row *row, uint32_t column)
{
    return column < row->count ? row->cells[column] : (struct span){0};
}

uint32_t
import_friend(const struct import *import, const struct state *state, const struct csv_row *row,
              struct span *out_who)
{
    uint32_t friend = NO_ID;
    *out_who = (struct span){0};
    for (uint32_t i = 0; i < import->column_count && friend == NO_ID; i++) {
        struct span cell = cell_of(row, i);
        int64_t number;
        if (import->columns[i].kind > IMPORT_NUMBER || cell.len == 0) {
            continue;
        }
        *out_who = out_who->len == 0 ? cell : *out_who;
        if (import->columns[i].kind == IMPORT_ID) {
            friend = state_find_friend(state, cell);
        } else if (words_number(cell, &number) && number >= 0 && number < state->friends.count) {
            friend = (uint32_t)number;
        }
    }
    return friend != NO_ID && state_friend(state, friend)->forgotten ? NO_ID : friend;
}

/* A row's inputs while they are made. */
struct making {
    const struct import *import;
    struct arena *arena;
    uint32_t friend;
    struct input *inputs;
    uint32_t count;
    struct buf *out_error;
};

static struct input *
add(struct making *making, enum input_kind kind)
{
    making->inputs =
        arena_grow(making->arena, making->inputs, making->count, sizeof(*making->inputs));
    struct input *input = &making->inputs[making->count++];
    *input = (struct input){.kind = kind};
    return input;
}

/* "vip -old": names, each added, or taken away behind a minus. */
static bool
read_tags(struct making *making, struct span cell)
{
    const struct names *names = &making->import->definitions->tag_names;
    for (struct span word = words_next(&cell); word.len > 0; word = words_next(&cell)) {
        bool sign = word.data[0] == '+' || word.data[0] == '-', remove = word.data[0] == '-';
        struct span name = sign ? span_of(word.data + 1, word.len - 1) : word;
        uint32_t tag = names_find(names, name);
        if (tag == NO_ID) {
            buf_printf(making->out_error, "no tag '%.*s'", span_fmt(name));
            return false;
        }
        struct input *input = add(making, INPUT_TAG);
        input->u.tag.friend = making->friend;
        input->u.tag.tag = tag;
        input->u.tag.add = !remove;
    }
    return true;
}

static bool
read_field(struct making *making, const struct import_column *column, struct span cell)
{
    const struct definitions *definitions = making->import->definitions;
    enum field_type type = definitions->fields[column->field].type;
    const struct zone *zone = definitions->account.zone;
    int64_t number = 0;
    bool good = type == FIELD_NUMBER     ? words_number(cell, &number)
                : type == FIELD_DATE     ? words_date(cell, &number)
                : type == FIELD_DATETIME ? words_datetime(cell, zone, &number)
                                         : true;
    if (!good) {
        buf_printf(making->out_error, "'%.*s' is no %s", span_fmt(cell),
                   type == FIELD_NUMBER ? "whole number"
                   : type == FIELD_DATE ? "date: write 2026-06-01"
                                        : "instant: write 2026-06-01 10:00");
        return false;
    }
    struct input *input = add(making, INPUT_FIELD);
    input->u.field.friend = making->friend;
    input->u.field.field = column->field;
    input->u.field.number = number;
    if (type == FIELD_TEXT || type == FIELD_IMAGE || type == FIELD_FILE) {
        input->u.field.text = cell;
    }
    return true;
}

static bool
read_mark(struct making *making, struct span cell)
{
    uint32_t mark = names_find(&making->import->definitions->mark_names, cell);
    if (mark == NO_ID && !span_equal_cstr(cell, "none")) {
        buf_printf(making->out_error, "no mark '%.*s'", span_fmt(cell));
        return false;
    }
    struct input *input = add(making, INPUT_MARK);
    input->u.mark.friend = making->friend;
    input->u.mark.mark = mark;
    return true;
}

bool
import_row(const struct import *import, uint32_t friend, const struct csv_row *row,
           struct arena *arena, struct input **out_inputs, uint32_t *out_count,
           struct buf *out_error)
{
    struct making making = {
        .import = import, .arena = arena, .friend = friend, .out_error = out_error};
    bool good = row->count <= import->column_count;
    if (!good) {
        buf_printf(out_error, "%u cells under %u columns", row->count, import->column_count);
    }
    for (uint32_t i = 0; i < import->column_count && good; i++) {
        const struct import_column *column = &import->columns[i];
        struct span cell = cell_of(row, i);
        if (cell.len == 0) {
            continue;
        }
        switch (column->kind) {
        case IMPORT_TAGS:
            good = read_tags(&making, cell);
            break;
        case IMPORT_MARK:
            good = read_mark(&making, cell);
            break;
        case IMPORT_FIELD:
            good = read_field(&making, column, cell);
            break;
        case IMPORT_ID:
        case IMPORT_NUMBER:
        case IMPORT_PASSED:
            break;
        }
        if (!good) {
            buf_printf(out_error, " (column '%.*s')", span_fmt(column->name));
        }
    }
    *out_inputs = making.inputs;
    *out_count = making.count;
    return good;
}
