/* client - stepctl's side of the API: which socket, one call, what its refusals mean.
 *
 * Shape    a call goes out, its JSON comes back; with -o json the commands print just that.
 * Units    exit codes of tools/common/options.h.
 * Errors   said on stderr with the daemon's own words and hint; the exit code comes back.
 * Owner    the caller owns the JSON it gets; bodies given are taken.
 */
#ifndef TOOLS_STEPCTL_CLIENT_H
#define TOOLS_STEPCTL_CLIENT_H

#include "tools/common/options.h"
#include "tools/common/table.h"
#include <jansson.h>

/* -s SOCKET, else $STEPD_SOCKET, else /run/stepd/NAME/stepd.sock with NAME of -a or "default". */
void client_socket_path(const struct invocation *invocation, struct buf *out_path);

/* One request. EXIT_DONE for any whole answer, whatever its status. body (may be NULL) is taken. */
int client_request(const struct invocation *invocation, const char *method, const char *path,
                   json_t *body, unsigned *out_status, json_t **out_json);

/* Says what the daemon refused and returns the exit code for it. */
int client_refused(const struct invocation *invocation, unsigned status, const json_t *answer);

/* client_request() where anything but 2xx is a refusal. */
int client_call(const struct invocation *invocation, const char *method, const char *path,
                json_t *body, json_t **out_json);

/* client_call(), then the answer as JSON where that is wanted, else as `show` puts it for people. body is taken. */
typedef void (*client_show_fn)(const struct invocation *invocation, const json_t *answer);
int client_show(const struct invocation *invocation, const char *method, const char *path,
                json_t *body, client_show_fn show);

bool client_wants_json(const struct invocation *invocation);
/* --lang, else the language of the environment. CSV is for programs too and stays English. */
bool client_is_japanese(const struct invocation *invocation);
bool client_wants_csv(const struct invocation *invocation);
bool client_wants_colour(const struct invocation *invocation, int fd);
void client_print_json(const json_t *json);
/* For people, or as CSV with -o csv. */
void client_print_table(const struct invocation *invocation, const struct table *table);

/* The sentences under "warnings", beside what is printed: on the standard error. */
void client_print_warnings(const json_t *answer);

/* A table of objects of the API, a row each; an object alone is one row. */
struct client_column {
    const char *heading, *member;
    enum client_cell { CELL_TEXT, CELL_NUMBER, CELL_INSTANT } cell;
};
void client_print_rows(const struct invocation *invocation, const json_t *rows,
                       const struct client_column *columns, size_t column_count);

/* A member as text for people: "-" for null and missing, a list joined by commas. */
void cell_of(struct table *table, const json_t *object, const char *member);
/* An instant of the API as "2026-06-01 10:15:00". */
void cell_of_instant(struct table *table, const json_t *object, const char *member);

#endif
