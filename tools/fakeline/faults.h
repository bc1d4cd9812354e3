/* faults - what is to go wrong, and how often: a queue of faults, each used up by the requests it meets.
 *
 * Shape    a request takes the first fault that names its endpoint (or any) and, where the fault names a
 *          user, one of its recipients. A request meets at most one.
 * Units    real milliseconds for delays.
 * Errors   RC_INVALID with a sentence for a fault that makes no sense.
 * Owner    faults_new() and faults_free(); a fault taken is a plain value.
 */
#ifndef FAKELINE_FAULTS_H
#define FAKELINE_FAULTS_H

#include "engine/base/rc.h"
#include <jansson.h>
#include <stdint.h>

enum fault_kind {
    FAULT_NONE,
    FAULT_STATUS,             /* refused with a status and a message */
    FAULT_DELAY,              /* handled at once, answered later */
    FAULT_STALL_AFTER_ACCEPT, /* handled, never answered */
    FAULT_RESET,              /* not handled, connection reset */
    FAULT_RESET_AFTER_ACCEPT, /* handled, connection reset */
};

struct fault {
    enum fault_kind kind;
    unsigned status;
    int64_t delay_ms;
    char message[256];
};

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *faults);
void faults_clear(struct faults *faults);

/* {"endpoint","kind","status","message","delay_ms","times","user"} as in docs/api.md. */
MUST_USE enum rc faults_add(struct faults *faults, const json_t *fault, const char **out_problem);
/* users: an array of the ids the request is about, or NULL. */
struct fault faults_take(struct faults *faults, const char *endpoint, const json_t *users);
size_t faults_count(const struct faults *faults); /* uses that are left, of all faults */

const char *fault_kind_name(enum fault_kind kind);

#endif
