/* platform - all that one fakeline knows: the account it plays, its users, tokens, faults, what it accepted.
 *
 * Shape    a plain struct that the doors share; no clock, no sockets: time arrives with each request.
 * Units    as its members say.
 * Errors   none.
 * Owner    platform_init() and platform_fini(); the texts are borrowed from the caller for its life.
 */
#ifndef FAKELINE_PLATFORM_H
#define FAKELINE_PLATFORM_H

#include "tools/fakeline/accepted.h"
#include "tools/fakeline/faults.h"
#include "tools/fakeline/ids.h"
#include "tools/fakeline/rows.h"
#include "tools/fakeline/tokens.h"
#include "tools/fakeline/users.h"

struct platform {
    const char *secret;
    const char *token; /* channel access token; NULL: any will do */
    const char *bot_user_id;
    uint64_t quota; /* messages a month; 0: no limit */
    struct ids ids;
    struct users *users;
    struct tokens *tokens;
    struct faults *faults;
    struct accepted *accepted;
    struct rows requests;
};

void platform_init(struct platform *platform, uint64_t run);
void platform_fini(struct platform *platform);
void
platform_reset(struct platform *platform); /* forgets all but the account and the ids given out */

#endif
