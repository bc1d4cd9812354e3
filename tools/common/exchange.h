/* exchange - a request to LINE and what was answered, as a line of JSON: what conformance is judged by.
 *
 * Shape    {"method","path","retry_key","body","status","answer"}; body and answer as JSON where they are
 *          JSON, else as text or null. `fakeline serve --record` writes every request, `stepctl rehearse
 *          --requests` those that a rehearsal's LINE took; tests/conformance reads both.
 * Units    none.
 * Errors   what cannot be written shows in ferror() of the file.
 * Owner    everything is borrowed. A line is out of the program before the call returns.
 */
#ifndef TOOLS_COMMON_EXCHANGE_H
#define TOOLS_COMMON_EXCHANGE_H

#include "engine/base/span.h"

#include <jansson.h>
#include <stdio.h>

struct exchange {
    const char *method, *path;
    struct span retry_key; /* empty: none */
    struct span body;
    unsigned status;      /* 0: nobody heard the answer */
    const json_t *answer; /* NULL: not kept */
};

void exchange_write(FILE *file, const struct exchange *exchange);

#endif
