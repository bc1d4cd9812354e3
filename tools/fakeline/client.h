/* client - the sub-commands that talk to a running fakeline.
 *
 * Shape    each turns its options into one call of docs/api.md and prints the answer: a table, or with -o
 *          json what came.
 * Units    none.
 * Errors   the exit codes of options.h; sentences on stderr.
 * Owner    nothing is kept.
 */
#ifndef FAKELINE_CLIENT_H
#define FAKELINE_CLIENT_H

#include "tools/fakeline/options.h"

int client_run(const struct options *options);

#endif
