#include "proto/fold.h"

#include <stdlib.h>
#include <utf8proc.h>

/* The katakana that have a hiragana stand exactly this far behind it. */
enum { KANA_DISTANCE = 0x60 };

static utf8proc_int32_t
fold_kana(utf8proc_int32_t codepoint)
{
    bool letter = codepoint >= 0x30a1 && codepoint <= 0x30f6;
    bool iteration = codepoint == 0x30fd || codepoint == 0x30fe;
    return letter || iteration ? codepoint - KANA_DISTANCE : codepoint;
}

/* Each is three bytes of UTF-8 before and after. */
static void
fold_all_kana(uint8_t *text, size_t len)
{
    for (size_t at = 0; at < len;) {
        utf8proc_int32_t codepoint;
        utf8proc_ssize_t bytes =
            utf8proc_iterate(text + at, (utf8proc_ssize_t)(len - at), &codepoint);
        if (bytes <= 0) {
            at++;
            continue;
        }
        if (fold_kana(codepoint) != codepoint) {
            utf8proc_encode_char(fold_kana(codepoint), text + at);
        }
        at += (size_t)bytes;
    }
}

struct span
fold_text(struct span text, struct arena *arena)
{
    utf8proc_uint8_t *folded = NULL;
    /* Case folding may undo a composition, so it is composed again with it. */
    utf8proc_ssize_t len = text.len == 0
                               ? 0
                               : utf8proc_map(text.data, (utf8proc_ssize_t)text.len, &folded,
                                              UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT |
                                                  UTF8PROC_CASEFOLD);
    if (len <= 0) {
        free(folded);
        return arena_span(arena, text);
    }
    fold_all_kana(folded, (size_t)len);
    struct span result = arena_span(arena, span_of(folded, (size_t)len));
    free(folded);
    return result;
}
