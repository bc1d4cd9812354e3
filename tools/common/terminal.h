/* terminal - how the tools look to people: display width, colour, language.
 *
 * Shape    width by wcwidth-like rules (a wide Japanese character is two columns), styles as escape
 *          sequences that are empty when colour is off, and the reader's language by the environment.
 * Units    columns of a terminal.
 * Errors   none: bytes that are no UTF-8 count one column each.
 * Owner    constants only.
 */
#ifndef TOOLS_COMMON_TERMINAL_H
#define TOOLS_COMMON_TERMINAL_H

#include "engine/base/span.h"

enum terminal_style {
    STYLE_PLAIN,
    STYLE_HEADING,
    STYLE_GOOD,
    STYLE_BAD,
    STYLE_CAREFUL,
    STYLE_FAINT,
};

/* True when fd is a terminal and neither the option --no-color (refused) nor NO_COLOR says no. */
bool terminal_has_colour(int fd, bool refused);

/* True when LC_ALL, LC_MESSAGES or LANG (the first that is set) asks for Japanese. */
bool terminal_is_japanese(void);

/* The sequence that begins a style, and the one that ends any; "" without colour. */
const char *terminal_begin(bool colour, enum terminal_style style);
const char *terminal_end(bool colour, enum terminal_style style);

size_t terminal_width(struct span text);

#endif
