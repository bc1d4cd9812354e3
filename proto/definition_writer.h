/* definition_writer - a template while it is being written: JSON, cut wherever a value goes in.
 *
 * Shape    what is literal is appended to `json`; each insertion cuts it off as a part. writer_finish() makes
 *          the last part, after which there is one more of them than of insertions. definition_template.c
 *          writes the short forms of LANGUAGE 5 with it, definition_object.c LINE's own objects.
 * Units    UTF-16 units, as LINE counts.
 * Errors   told by the compiler's diagnostics.
 * Owner    parts and insertions are in the compiler's arena; `json` is given back by writer_finish().
 */
#ifndef PROTO_DEFINITION_WRITER_H
#define PROTO_DEFINITION_WRITER_H

#include "proto/definition_compile.h"

struct writer {
    struct compiler *compiler;
    struct buf json;
    struct span *parts;
    struct insertion *insertions;
    uint32_t count;
    uint64_t units; /* literal UTF-16 units of the text written last */
    bool plain;     /* no JSON: the text as it stands */
};

/* A JSON string from a text with insertions. */
void writer_text(struct writer *writer, const struct yaml_node *node);
void writer_finish(struct writer *writer);

/* definition_object.c: a mapping with `type:` as the message object of LINE that it says it is. */
void writer_message_object(struct writer *writer, const struct yaml_node *node);

#endif
