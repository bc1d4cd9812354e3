/* standing - what the daemon knows of itself while it runs; one plain struct between the doors.
 *
 * Shape    station and main write it, the API, the webhook and the doors read it.
 * Units    none.
 * Errors   none.
 * Owner    main embeds it; texts are inside.
 */
#ifndef DAEMON_STANDING_H
#define DAEMON_STANDING_H

#include <stdbool.h>

struct standing {
    bool stopping;         /* nothing new is taken in or sent any more */
    bool read_only;        /* no room to write: nothing is taken in or sent until there is */
    char held[160];        /* why nothing is sent, for people; empty: it is not held */
    char listen[100];      /* the TCP door with its true port */
    char bot_user_id[100]; /* as LINE told it; empty: not known yet, destinations go unchecked */
};

#endif
