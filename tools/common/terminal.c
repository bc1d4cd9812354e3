#include "tools/common/terminal.h"

#include <stdlib.h>
#include <unistd.h>
#include <utf8proc.h>

bool
terminal_has_colour(int fd, bool refused)
{
    const char *no_color = getenv("NO_COLOR");
    const char *term = getenv("TERM");
    return !refused && (no_color == NULL || no_color[0] == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0 && isatty(fd) == 1;
}

bool
terminal_is_japanese(void)
{
    const char *const names[] = {"LC_ALL", "LC_MESSAGES", "LANG"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0') {
            return strncmp(value, "ja", 2) == 0;
        }
    }
    return false;
}

const char *
terminal_begin(bool colour, enum terminal_style style)
{
    if (!colour) {
        return "";
    }
    switch (style) {
    case STYLE_PLAIN:
        return "";
    case STYLE_HEADING:
        return "\x1b[1m";
    case STYLE_GOOD:
        return "\x1b[32m";
    case STYLE_BAD:
        return "\x1b[31m";
    case STYLE_CAREFUL:
        return "\x1b[33m";
    case STYLE_FAINT:
        return "\x1b[2m";
    }
    return "";
}

const char *
terminal_end(bool colour, enum terminal_style style)
{
    return colour && style != STYLE_PLAIN ? "\x1b[0m" : "";
}

size_t
terminal_width(struct span text)
{
    size_t width = 0;
    for (size_t at = 0; at < text.len;) {
        utf8proc_int32_t character = 0;
        utf8proc_ssize_t used =
            utf8proc_iterate(text.data + at, (utf8proc_ssize_t)(text.len - at), &character);
        if (used <= 0) {
            width++;
            at++;
            continue;
        }
        int columns = utf8proc_charwidth(character);
        width += columns > 0 ? (size_t)columns : 0;
        at += (size_t)used;
    }
    return width;
}
