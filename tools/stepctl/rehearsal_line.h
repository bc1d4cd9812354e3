/* rehearsal_line - LINE as a rehearsal needs it: answers at once, and remembers what it accepted.
 *
 * Shape    a line_client whose requests are judged when they come and answered when
 *          scripted_line_answer() is called. Retry keys live 24 h (a repeated one is 409), reply
 *          tokens serve once and for one minute (FACTS 2.1, 2.3); faults are scripted per friend.
 * Units    UTC milliseconds of the virtual clock.
 * Errors   none: what LINE would refuse it answers as LINE does.
 * Owner    scripted_line_new()/scripted_line_free(); it outlives the daemon that is killed. The
 *          client inside is borrowed by one daemon at a time.
 */
#ifndef TOOLS_STEPCTL_REHEARSAL_LINE_H
#define TOOLS_STEPCTL_REHEARSAL_LINE_H

#include "daemon/line_client.h"
#include "engine/base/arena.h"
#include "tools/stepctl/rehearsal.h"

struct scripted_line;

struct accepted { /* what LINE took for one friend, once; of a multicast each has a row */
    int64_t at_ms;
    enum line_endpoint endpoint;
    bool reply;
    bool again;       /* of the same request as the row before */
    struct span user; /* whom it reaches */
    struct span key;  /* retry key of a push, token of a reply */
    struct span body;
};

struct scripted_line *scripted_line_new(struct arena *arena);
void scripted_line_free(struct scripted_line *line);
struct line_client *scripted_line_client(struct scripted_line *line);

/* A reply token handed out with a webhook, good for one minute from at_ms. */
void scripted_line_issue(struct scripted_line *line, struct span token, struct span user,
                         int64_t at_ms);
/* The next `times` requests for this friend go wrong. */
void scripted_line_fault(struct scripted_line *line, struct span user, enum line_fault fault,
                         uint32_t status, uint32_t times);

/* Answers what has come in so far; returns how many. */
uint32_t scripted_line_answer(struct scripted_line *line);
/* Answers are on their way and none is a scripted fault: whether or not they are heard, friends see
 * the same. (A refusal that nobody hears is another story: the daemon must then try again.) */
bool scripted_line_may_cut(const struct scripted_line *line);
/* The daemon died: what LINE has accepted stays accepted, and nobody hears the answers. */
void scripted_line_forget(struct scripted_line *line);

const struct accepted *scripted_line_accepted(const struct scripted_line *line,
                                              uint32_t *out_count);

#endif
