/* rc - the outcomes a caller can act on; every foreign error is translated into one of these.
 *
 * Shape    one enum; RC_OK is 0. rc_name() gives the word for messages.
 * Units    none.
 * Errors   this is them. Assertions are for our own mistakes and stay on in release builds.
 * Owner    constants only.
 */
#ifndef ENGINE_BASE_RC_H
#define ENGINE_BASE_RC_H

#define MUST_USE __attribute__((warn_unused_result))

enum rc {
    RC_OK = 0,
    RC_END,       /* a cursor or stream has nothing more */
    RC_AGAIN,     /* not now; the same call may succeed later */
    RC_NOT_FOUND, /* the thing named does not exist */
    RC_EXISTS,    /* the thing named exists already */
    RC_INVALID,   /* input that breaks its rule */
    RC_NOT_YET,   /* named by SPEC, not built yet */
    RC_CORRUPT,   /* bytes from disk or wire that do not hold together */
    RC_NEWER,     /* written by a newer major version */
    RC_FENCED,    /* somebody else wrote, or we did and forgot */
    RC_BUSY,      /* held by another process */
    RC_FULL,      /* no room: disk, map or a bound of ours */
    RC_TOO_LARGE, /* one value over its limit */
    RC_REFUSED,   /* not permitted: access, permissions, a rule */
    RC_IO,        /* the operating system failed us */
    RC_NO_MEMORY,
};

const char *rc_name(enum rc rc);

#endif
