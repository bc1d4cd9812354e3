#include "engine/base/rc.h"

const char *
rc_name(enum rc rc)
{
    switch (rc) {
    case RC_OK:
        return "ok";
    case RC_END:
        return "end";
    case RC_AGAIN:
        return "again";
    case RC_NOT_FOUND:
        return "not found";
    case RC_EXISTS:
        return "exists";
    case RC_INVALID:
        return "invalid";
    case RC_NOT_YET:
        return "not yet";
    case RC_CORRUPT:
        return "corrupt";
    case RC_NEWER:
        return "written by a newer version";
    case RC_FENCED:
        return "fenced";
    case RC_BUSY:
        return "busy";
    case RC_FULL:
        return "full";
    case RC_TOO_LARGE:
        return "too large";
    case RC_REFUSED:
        return "refused";
    case RC_IO:
        return "i/o error";
    case RC_NO_MEMORY:
        return "out of memory";
    }
    return "unknown";
}
