/* due - owners whose instant has come, waiting to be taken: by class, and in a class by what they will send.
 *
 * Shape    the wheel holds owners by wake instant; due_expire() gives those that have come. A class has a
 *          line for what sends nothing, one for replies, one for what is sent to one friend alone, and
 *          one for each content that many may get in one request (SPEC R46). A line is a ring; of the
 *          lines of a class the one goes whose first has waited longest. Entries are hints: whoever takes one looks at the row again.
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

#include "engine/engine.h"
#include "engine/state.h"
#include "engine/wheel.h"

enum owner_kind { OWNER_ENROLMENT = 0, OWNER_DELIVERY = 1, OWNER_BROADCAST = 2 };
struct owner {
    enum owner_kind kind;
    uint32_t index;
};

/* What a line holds. From CONTENT_COMMON on: the same for all of the line (due_content()). */
enum { CONTENT_NONE = 0, CONTENT_REPLY = 1, CONTENT_OWN = 2, CONTENT_COMMON = 16 };

struct due_entry {
    struct owner owner;
    uint64_t number; /* of its push: in a class, what came first goes first */
};
struct due_line { /* a ring */
    uint64_t content;
    struct due_entry *items;
    uint32_t head, count, capacity;
};

struct due_class {
    struct due_line *lines;
    uint32_t line_count, line_capacity;
    uint32_t total; /* owners in all of them */
};

struct due {
    struct wheel *wheel;
    struct due_class classes[CLASS_COUNT];
    uint64_t pushed; /* ever */
};

void due_init(struct due *due, int64_t now_ms);
void due_fini(struct due *due);

/* Arms the wheel for an owner that waits, at its row's wake instant. */
void due_arm(struct due *due, const struct state *state, int64_t wake_ms, struct owner owner);
void due_push(struct due *due, enum message_class message_class, uint64_t content,
              struct owner owner);
/* The content of what has waited longest, in the most urgent class that has one which may go; false: none may. */
bool due_next_content(struct due *due, const struct take_permit *permit,
                      enum message_class *out_class, uint64_t *out_content);
/* The first owner of that line; false when it is empty, or, in_turn, when another line of the class has one
 * that has waited longer. */
bool due_pop(struct due *due, enum message_class message_class, uint64_t content, bool in_turn,
             struct owner *out_owner);
bool due_has(const struct due *due, const struct take_permit *permit);
/* Takes owners whose instant has come and whose rows still say so out of the wheel, in order, at most
 * DUE_SHARE of them; returns how many. When 0, there may be more unless wheel_next() lies ahead. */
enum { DUE_SHARE = 1024 };
size_t due_expire(struct due *due, const struct state *state, int64_t now_ms,
                  struct owner out_owners[DUE_SHARE]);

/* May what has this content go? `count`: of them wait together. */
bool due_may(const struct take_permit *permit, uint64_t content, uint32_t count);

#endif
