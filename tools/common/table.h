/* table - rows for people, aligned by display width, or as CSV for their spreadsheets; nothing is ever
 * cut.
 *
 * Shape    columns first (heading, alignment), then rows cell by cell, then one print. A column is as
 *          wide as its widest cell; the last left-aligned one gets no trailing blanks. Control
 *          characters in cells (names and texts are written by strangers) are shown as \xNN.
 * Units    columns of a terminal.
 * Errors   a failed allocation ends the process, as everywhere in tools/.
 * Owner    table_new()/table_free(); headings are borrowed constants, cells are copied.
 */
#ifndef TOOLS_COMMON_TABLE_H
#define TOOLS_COMMON_TABLE_H

#include "engine/base/buf.h"
#include "tools/common/terminal.h"

struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table *table_new(void);
void table_free(struct table *table);

/* Before the first row. heading NULL in every column: no line of headings. */
void table_column(struct table *table, const char *heading, enum table_align align);

/* The column given last is at least so wide: tables printed one after the other stay aligned. */
void table_column_at_least(struct table *table, size_t width);

/* Begins a row; cells not given stay empty, more cells than columns are our own mistake. */
void table_row(struct table *table);
void table_cell(struct table *table, struct span text);
void table_cell_cstr(struct table *table, const char *text); /* NULL: none */
/* Nothing is known here: "-", in CSV an empty cell. */
void table_cell_none(struct table *table);
void table_cell_printf(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Colours the cell given last. */
void table_style(struct table *table, enum terminal_style style);

size_t table_row_count(const struct table *table);

/* Appends the table to out, a line a row. */
void table_print(const struct table *table, bool colour, struct buf *out);

/* The same as CSV: a byte order mark (Excel reads UTF-8 by it), a line of headings, CRLF, cells as they
 * are and in quotes where they need it. Texts that a spreadsheet would compute (names and answers are
 * written by strangers) get a quote in front: a leading =, +, - or @ that begins no number. */
void table_print_csv(const struct table *table, struct buf *out);

#endif
