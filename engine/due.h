/* due - owners whose instant has come, waiting to be taken: one queue a message class.
 *
 * Shape    the wheel holds owners by wake instant; due_tick() moves those that have come into the
 *          queues. A planned answer joins its queue at once. An owner is a kind and a row index. Entries are hints: whoever takes one looks at the row again.
 * Units    UTC milliseconds.
 * Errors   out of memory ends the process.
 * Owner    inside struct engine; nothing of it reaches the digest, all of it is rebuilt from rows.
 */
#ifndef ENGINE_DUE_H
#define ENGINE_DUE_H

#include "engine/state.h"
#include "engine/wheel.h"

enum owner_kind { OWNER_ENROLMENT = 0, OWNER_DELIVERY = 1, OWNER_BROADCAST = 2 };
struct owner {
    enum owner_kind kind;
    uint32_t index;
};

struct due_queue { /* a ring */
    struct owner *items;
    uint32_t head, count, capacity;
};

struct due {
    struct wheel *wheel;
    struct due_queue queues[CLASS_COUNT];
};

void due_init(struct due *due, int64_t now_ms);
void due_fini(struct due *due);

void due_arm(struct due *due, int64_t wake_ms, struct owner owner);
void due_push(struct due *due, enum message_class message_class, struct owner owner);
/* The first owner of the most urgent class that has one. */
bool due_pop(struct due *due, struct owner *out_owner);
/* The next owner out of the wheel whose row still says so; false when there is none now. */
bool due_expire(struct due *due, const struct state *state, int64_t now_ms,
                struct owner *out_owner);

#endif
