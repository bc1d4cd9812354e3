#include "proto/definition_writer.h"

#include "proto/line_message.h"
#include "proto/words.h"

static void
cut(struct writer *writer, struct insertion insertion)
{
    struct arena *arena = writer->compiler->arena;
    writer->parts = arena_grow(arena, writer->parts, writer->count, sizeof(*writer->parts));
    writer->insertions =
        arena_grow(arena, writer->insertions, writer->count, sizeof(*writer->insertions));
    writer->parts[writer->count] = arena_span(arena, buf_span(&writer->json));
    writer->insertions[writer->count] = insertion;
    writer->count++;
    buf_clear(&writer->json);
}

static void
literal(struct writer *writer, struct span text)
{
    if (writer->plain) {
        buf_append_span(&writer->json, text);
        return;
    }
    struct buf quoted = {0};
    json_append_string(&quoted, text);
    if (quoted.rc == RC_OK) {
        buf_append(&writer->json, quoted.data + 1, quoted.len - 2);
    }
    buf_fini(&quoted);
    writer->units += words_utf16_units(text);
}

static void
insertion(struct writer *writer, const struct yaml_node *node, struct span whole)
{
    struct insertion value;
    if (compile_insertion(writer->compiler, node, whole, &value)) {
        cut(writer, value);
    }
}

void
writer_text(struct writer *writer, const struct yaml_node *node)
{
    struct span rest = node->text;
    writer->units = 0;
    buf_append_cstr(&writer->json, writer->plain ? "" : "\"");
    while (rest.len > 0) {
        size_t open = words_find(rest, "{{");
        literal(writer, span_of(rest.data, open));
        rest = span_of(rest.data + open, rest.len - open);
        if (rest.len == 0) {
            break;
        }
        size_t close = words_find(rest, "}}");
        if (close == rest.len) {
            compile_error(writer->compiler, node, span_of(rest.data, 2), "'{{' is never closed");
            break;
        }
        struct span whole = span_of(rest.data, close + 2);
        insertion(writer, node, whole);
        rest = words_after(rest, whole);
    }
    buf_append_cstr(&writer->json, writer->plain ? "" : "\"");
}

void
writer_finish(struct writer *writer)
{
    struct arena *arena = writer->compiler->arena;
    writer->parts = arena_grow(arena, writer->parts, writer->count, sizeof(*writer->parts));
    writer->parts[writer->count] = arena_span(arena, buf_span(&writer->json));
    buf_fini(&writer->json);
}
