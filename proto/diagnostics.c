#include "proto/diagnostics.h"

#include "proto/words.h"

#include <stdio.h>
#include <stdlib.h>

void
diagnostics_init(struct diagnostics *diagnostics)
{
    *diagnostics = (struct diagnostics){.arena = arena_new()};
}

void
diagnostics_fini(struct diagnostics *diagnostics)
{
    if (diagnostics == NULL) {
        return;
    }
    arena_free(diagnostics->arena);
    *diagnostics = (struct diagnostics){0};
}

struct span
source_text(const struct source_file *file)
{
    if (words_starts_with(file->text, "\xef\xbb\xbf")) {
        return span_of(file->text.data + 3, file->text.len - 3);
    }
    return file->text;
}

struct span
source_line(const struct source_file *file, uint32_t line)
{
    struct span rest = source_text(file);
    for (uint32_t i = 1;; i++) {
        const uint8_t *end = rest.len == 0 ? NULL : memchr(rest.data, '\n', rest.len);
        size_t length = end == NULL ? rest.len : (size_t)(end - rest.data);
        if (i == line) {
            bool carriage = length > 0 && rest.data[length - 1] == '\r';
            return span_of(rest.data, carriage ? length - 1 : length);
        }
        if (end == NULL) {
            return span_of(NULL, 0);
        }
        rest = span_of(end + 1, rest.len - length - 1);
    }
}

/* A value that is used twice, as an image that is its own preview, is wrong once. */
static bool
repeats_last(const struct diagnostics *diagnostics, uint32_t line, uint32_t column,
             const char *message)
{
    if (diagnostics->count == 0) {
        return false;
    }
    const struct diagnostic *last = &diagnostics->items[diagnostics->count - 1];
    return last->line == line && last->column == column && strcmp(last->message, message) == 0;
}

void
diagnostics_add(struct diagnostics *diagnostics, bool warning, const struct source_file *file,
                uint32_t line, uint32_t column, uint32_t caret_characters, const char *format,
                va_list arguments)
{
    char *message = NULL;
    if (vasprintf(&message, format, arguments) < 0) {
        abort(); /* no memory: docs/adr/0001 */
    }
    bool repeated = repeats_last(diagnostics, line, column, message);
    diagnostics->error_count += warning || repeated ? 0 : 1;
    diagnostics->warning_count += warning && !repeated ? 1 : 0;
    if (repeated || diagnostics_full(diagnostics)) {
        free(message);
        return;
    }
    struct arena *arena = diagnostics->arena;
    struct diagnostic *item;
    diagnostics->items =
        arena_grow(arena, diagnostics->items, diagnostics->count, sizeof(*diagnostics->items));
    item = &diagnostics->items[diagnostics->count++];
    *item = (struct diagnostic){.warning = warning,
                                .file = "",
                                .line = line,
                                .column = column,
                                .caret_columns = caret_characters == 0 ? 1 : caret_characters,
                                .message = arena_cstr(arena, span_cstr(message))};
    free(message);
    if (file == NULL) {
        return;
    }
    item->file = arena_cstr(arena, file->name);
    struct span source = source_line(file, line);
    if (source.data != NULL && words_utf8_valid(source) == source.len) {
        item->source_line = arena_cstr(arena, source);
    }
}

static int
diagnostic_compare(const struct diagnostic *a, const struct diagnostic *b)
{
    int order = strcmp(a->file, b->file);
    if (order != 0) {
        return order;
    }
    if (a->line != b->line) {
        return a->line < b->line ? -1 : 1;
    }
    return a->column == b->column ? 0 : a->column < b->column ? -1 : 1;
}

void
diagnostics_sort(struct diagnostics *diagnostics)
{
    for (uint32_t i = 1; i < diagnostics->count; i++) { /* at most 1,000, nearly in order */
        struct diagnostic moved = diagnostics->items[i];
        uint32_t j = i;
        for (; j > 0 && diagnostic_compare(&moved, &diagnostics->items[j - 1]) < 0; j--) {
            diagnostics->items[j] = diagnostics->items[j - 1];
        }
        diagnostics->items[j] = moved;
    }
}

/* The first characters of a text. */
static struct span
first_characters(struct span text, uint32_t characters)
{
    size_t end = 0;
    for (uint32_t i = 0; i < characters && end < text.len; i++) {
        end++;
        while (end < text.len && (text.data[end] & 0xc0) == 0x80) {
            end++;
        }
    }
    return span_of(text.data, end);
}

/* The source line for a terminal: what would move the cursor becomes a blank. */
static void
print_source(struct span source, struct buf *out)
{
    for (size_t i = 0; i < source.len; i++) {
        uint8_t byte = source.data[i];
        buf_append_byte(out, byte < 0x20 || byte == 0x7f ? ' ' : byte);
    }
}

static void
print_fill(char fill, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        buf_append_byte(out, (uint8_t)fill);
    }
}

/* Tabs are shown as one blank, so they must be counted as one too. */
static uint32_t
columns_shown(struct span text)
{
    uint32_t columns = words_display_columns(text);
    for (size_t i = 0; i < text.len; i++) {
        columns += text.data[i] < 0x20 || text.data[i] == 0x7f ? 1 : 0;
    }
    return columns;
}

static void
print_item(const struct diagnostic *item, bool colour, struct buf *out)
{
    const char *paint = !colour ? "" : item->warning ? "\033[33m" : "\033[31m";
    const char *plain = colour ? "\033[0m" : "";
    buf_printf(out, "%s:%u:%u: %s%s:%s %s\n", item->file, item->line, item->column, paint,
               item->warning ? "warning" : "error", plain, item->message);
    if (item->source_line == NULL) {
        return;
    }
    struct span source = span_cstr(item->source_line);
    struct span before = first_characters(source, item->column - 1);
    struct span after = words_after(source, before);
    uint32_t caret = columns_shown(first_characters(after, item->caret_columns));
    buf_printf(out, "%5u | ", item->line);
    print_source(source, out);
    buf_append_cstr(out, "\n      | ");
    print_fill(' ', columns_shown(before), out);
    buf_append_cstr(out, paint);
    buf_append_byte(out, '^');
    print_fill('~', caret > 1 ? caret - 1 : 0, out);
    buf_append_cstr(out, plain);
    buf_append_byte(out, '\n');
}

static uint32_t
file_count(const struct diagnostics *diagnostics)
{
    uint32_t files = 0;
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        bool known = false;
        for (uint32_t j = 0; j < i && !known; j++) {
            known = strcmp(diagnostics->items[j].file, diagnostics->items[i].file) == 0;
        }
        files += known ? 0 : 1;
    }
    return files;
}

void
diagnostics_print(const struct diagnostics *diagnostics, bool colour, struct buf *out)
{
    if (diagnostics->error_count + diagnostics->warning_count == 0) {
        return;
    }
    for (uint32_t i = 0; i < diagnostics->count; i++) {
        print_item(&diagnostics->items[i], colour, out);
    }
    uint32_t files = file_count(diagnostics);
    if (files == 1) {
        buf_append_cstr(out, diagnostics->items[0].file);
    } else {
        buf_printf(out, "%u files", files);
    }
    const char *separator = ": ";
    if (diagnostics->error_count > 0) {
        buf_printf(out, ": %u error%s", diagnostics->error_count,
                   diagnostics->error_count == 1 ? "" : "s");
        separator = ", ";
    }
    if (diagnostics->warning_count > 0) {
        buf_printf(out, "%s%u warning%s", separator, diagnostics->warning_count,
                   diagnostics->warning_count == 1 ? "" : "s");
    }
    buf_append_cstr(out, diagnostics->error_count > 0 ? "; nothing was changed\n" : "\n");
}
