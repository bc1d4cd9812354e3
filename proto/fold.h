/* fold - texts as `fold: yes` compares them: width, case and kana alike (SPEC R29).
 *
 * Shape    NFKC, then case folding, then katakana to hiragana; folding a folded text changes nothing.
 * Units    UTF-8.
 * Errors   none: bytes that are no UTF-8 stay as they are.
 * Owner    the result is in the arena.
 */
#ifndef PROTO_FOLD_H
#define PROTO_FOLD_H

#include "engine/base/arena.h"

struct span fold_text(struct span text, struct arena *arena);

#endif
