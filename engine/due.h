/* due - owners whose instant has come, waiting to be taken: one queue a message class.
 *
 * Shape    the wheel holds owners by wake instant; due_expire() gives those that have come, for the
 *          queues. A planned answer joins its queue at once. An owner is a kind and a row index. Entries
 *          are hints: whoever takes one looks at the row again.
 *          A row that is armed again leaves a stale entry behind. Of a row only one entry can agree
 *          with it, so what the wheel holds beyond the rows is stale for sure: from 7/5 of the rows
 *          and some thousands on, every sixteenth arming sweeps a chunk of the wheel, which so stays at
 *          12 bytes a row.
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

/* Arms the wheel for an owner that waits, at its row's wake instant. */
void due_arm(struct due *due, const struct state *state, int64_t wake_ms, struct owner owner);
void due_push(struct due *due, enum message_class message_class, struct owner owner);
/* The first owner of the most urgent class that has one. */
bool due_pop(struct due *due, struct owner *out_owner);
/* Takes owners whose instant has come and whose rows still say so out of the wheel, in order, at most
 * DUE_SHARE of them; returns how many. When 0, there may be more unless wheel_next() lies ahead. */
enum { DUE_SHARE = 1024 };
size_t due_expire(struct due *due, const struct state *state, int64_t now_ms,
                  struct owner out_owners[DUE_SHARE]);

#endif
