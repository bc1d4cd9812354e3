#include "tools/common/table.h"

#include "engine/base/arena.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

enum { COLUMNS_MAX = 16, GAP_COLUMNS = 2 };

struct cell {
    struct span text; /* as shown */
    struct span raw;  /* as given; empty where there is none */
    size_t width;
    enum terminal_style style;
};

struct column {
    const char *heading;
    enum table_align align;
    size_t width;
};

struct table {
    struct arena *arena;
    struct column columns[COLUMNS_MAX];
    uint32_t column_count;
    struct cell **rows; /* column_count cells each */
    uint32_t row_count;
    uint32_t cell_count; /* given in the current row */
};

struct table *
table_new(void)
{
    struct arena *arena = arena_new();
    struct table *table = arena_alloc(arena, sizeof(*table));
    table->arena = arena;
    return table;
}

void
table_free(struct table *table)
{
    if (table != NULL) {
        arena_free(table->arena);
    }
}

void
table_column(struct table *table, const char *heading, enum table_align align)
{
    assert(table->row_count == 0);
    assert(table->column_count < COLUMNS_MAX);
    table->columns[table->column_count++] = (struct column){
        .heading = heading, .align = align, .width = terminal_width(span_cstr(heading))};
}

void
table_column_at_least(struct table *table, size_t width)
{
    assert(table->row_count == 0 && table->column_count > 0);
    struct column *column = &table->columns[table->column_count - 1];
    column->width = column->width < width ? width : column->width;
}

void
table_row(struct table *table)
{
    assert(table->column_count > 0);
    table->rows = arena_grow(table->arena, table->rows, table->row_count, sizeof(*table->rows));
    table->rows[table->row_count++] =
        arena_alloc(table->arena, table->column_count * sizeof(struct cell));
    table->cell_count = 0;
}

/* What a terminal would obey instead of showing is spelled out. */
static struct span
harmless(struct arena *arena, struct span text)
{
    struct buf shown = {0};
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.data[i];
        if (byte == '\n') {
            buf_append_cstr(&shown, "\\n");
        } else if (byte < 0x20 || byte == 0x7f) {
            buf_printf(&shown, "\\x%02x", byte);
        } else if (byte == 0xc2 && i + 1 < text.len && text.data[i + 1] < 0xa0) {
            buf_printf(&shown, "\\u%02x", text.data[++i]); /* C1: 0x9b begins sequences too */
        } else {
            buf_append_byte(&shown, byte);
        }
    }
    struct span copy = arena_span(arena, buf_span(&shown));
    buf_fini(&shown);
    return copy;
}

void
table_cell(struct table *table, struct span text)
{
    assert(table->row_count > 0);
    assert(table->cell_count < table->column_count);
    struct span shown = harmless(table->arena, text);
    struct column *column = &table->columns[table->cell_count];
    struct cell *cell = &table->rows[table->row_count - 1][table->cell_count++];
    *cell = (struct cell){
        .text = shown, .raw = arena_span(table->arena, text), .width = terminal_width(shown)};
    if (cell->width > column->width) {
        column->width = cell->width;
    }
}

void
table_cell_cstr(struct table *table, const char *text)
{
    if (text == NULL) {
        table_cell_none(table);
    } else {
        table_cell(table, span_cstr(text));
    }
}

void
table_cell_none(struct table *table)
{
    table_cell(table, span_cstr("-"));
    table->rows[table->row_count - 1][table->cell_count - 1].raw = span_of(NULL, 0);
}

void
table_cell_printf(struct table *table, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    assert(len >= 0 && (size_t)len < sizeof(text)); /* numbers and short words only */
    table_cell(table, span_of(text, (size_t)len));
}

void
table_style(struct table *table, enum terminal_style style)
{
    assert(table->row_count > 0 && table->cell_count > 0);
    table->rows[table->row_count - 1][table->cell_count - 1].style = style;
}

size_t
table_row_count(const struct table *table)
{
    return table->row_count;
}

static void
append_blanks(struct buf *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buf_append_byte(out, ' ');
    }
}

/* Blanks wait in *pending until something follows them, so that no line ends in blanks. */
static void
append_cell(const struct column *column, const struct cell *cell, bool colour, size_t *pending,
            struct buf *out)
{
    size_t padding = column->width - cell->width;
    if (column->align == TABLE_RIGHT) {
        *pending += padding;
    }
    if (cell->text.len > 0) {
        append_blanks(out, *pending);
        *pending = 0;
        buf_append_cstr(out, terminal_begin(colour, cell->style));
        buf_append_span(out, cell->text);
        buf_append_cstr(out, terminal_end(colour, cell->style));
    } else {
        *pending += cell->width;
    }
    if (column->align == TABLE_LEFT) {
        *pending += padding;
    }
    *pending += GAP_COLUMNS;
}

void
table_print(const struct table *table, bool colour, struct buf *out)
{
    bool has_heading = false;
    for (uint32_t i = 0; i < table->column_count; i++) {
        has_heading = has_heading || table->columns[i].heading != NULL;
    }
    if (has_heading) {
        size_t pending = 0;
        for (uint32_t i = 0; i < table->column_count; i++) {
            struct span text = span_cstr(table->columns[i].heading);
            struct cell cell = {
                .text = text, .width = terminal_width(text), .style = STYLE_HEADING};
            append_cell(&table->columns[i], &cell, colour, &pending, out);
        }
        buf_append_byte(out, '\n');
    }
    for (uint32_t row = 0; row < table->row_count; row++) {
        size_t pending = 0;
        for (uint32_t i = 0; i < table->column_count; i++) {
            append_cell(&table->columns[i], &table->rows[row][i], colour, &pending, out);
        }
        buf_append_byte(out, '\n');
    }
}

/* "-12", "+3", "4.5": what begins with a sign and may stay a number. */
static bool
is_number(struct span text)
{
    size_t from = text.len > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    for (size_t i = from; i < text.len; i++) {
        if ((text.data[i] < '0' || text.data[i] > '9') && text.data[i] != '.') {
            return false;
        }
    }
    return text.len > from;
}

static void
append_csv(struct span text, struct buf *out)
{
    bool computes = text.len > 0 && memchr("=+-@", text.data[0], 4) != NULL && !is_number(text);
    bool quoted = computes;
    for (size_t i = 0; i < text.len && !quoted; i++) {
        quoted = text.data[i] == ',' || text.data[i] == '"' || text.data[i] < 0x20;
    }
    buf_append_cstr(out, quoted ? "\"" : "");
    buf_append_cstr(out, computes ? "'" : "");
    for (size_t i = 0; i < text.len; i++) {
        buf_append_cstr(out, text.data[i] == '"' ? "\"" : "");
        buf_append_byte(out, text.data[i]);
    }
    buf_append_cstr(out, quoted ? "\"" : "");
}

void
table_print_csv(const struct table *table, struct buf *out)
{
    buf_append_cstr(out, "\xef\xbb\xbf");
    for (uint32_t i = 0; i < table->column_count; i++) {
        buf_append_cstr(out, i == 0 ? "" : ",");
        append_csv(span_cstr(table->columns[i].heading), out);
    }
    buf_append_cstr(out, "\r\n");
    for (uint32_t row = 0; row < table->row_count; row++) {
        for (uint32_t i = 0; i < table->column_count; i++) {
            buf_append_cstr(out, i == 0 ? "" : ",");
            append_csv(table->rows[row][i].raw, out);
        }
        buf_append_cstr(out, "\r\n");
    }
}
