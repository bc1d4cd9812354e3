/* users - what was declared about LINE users; everybody else is a friend.
 *
 * Shape    any id that is not empty is a known user who blocks nobody, until declared otherwise.
 * Units    none.
 * Errors   RC_INVALID with a sentence for a declaration that makes no sense.
 * Owner    users_new() and users_free().
 */
#ifndef FAKELINE_USERS_H
#define FAKELINE_USERS_H

#include "engine/base/rc.h"
#include <jansson.h>
#include <stdbool.h>

struct users;

struct users *users_new(void);
void users_free(struct users *users);
void users_clear(struct users *users);

/* {"blocked":bool,"unknown":bool,"profile":{…} or null}; what is absent stays as it was. A null profile is a user
 * who does not show theirs. */
MUST_USE enum rc users_declare(struct users *users, const char *id, const json_t *declaration,
                               const char **out_problem);

bool users_is_blocked(const struct users *users, const char *id);
bool users_is_unknown(const struct users *users, const char *id);
/* What GET profile answers, as a new reference; NULL where LINE says 404. */
json_t *users_profile(const struct users *users, const char *id);

#endif
