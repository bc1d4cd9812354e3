/* simulation - what a run ahead comes to: deliveries by day, by source and by friend.
 *
 * Shape    simulation_see() takes every event of engine_run_ahead(); the rest reads what it gathered. Counts by
 *          source and reason are the engine's own measures (engine/measure.h), less those of before.
 * Units    local days of the account's zone.
 * Errors   a failed allocation ends the process, as everywhere in tools/.
 * Owner    simulation_init()/simulation_fini(); borrows the engine.
 */
#ifndef TOOLS_STEPCTL_SIMULATION_H
#define TOOLS_STEPCTL_SIMULATION_H

#include "engine/ahead.h"

enum { SIMULATION_DAYS_MAX = 400, SIMULATION_ROWS_MAX = 100000 };

struct simulation_day {
    uint64_t pushes, replies, by_class[CLASS_COUNT], skipped, held;
    uint64_t people, people_twice; /* who get a push that day, and who get two or more */
    uint64_t by_hour[24];
};

struct simulation_row { /* who would get what when */
    int64_t at_ms;
    uint32_t friend;
    struct source source;
    uint32_t template;
    enum delivery_how how;
};

struct simulation {
    const struct engine *engine;
    const struct zone *zone;
    int64_t first_day, day_count;
    struct simulation_day days[SIMULATION_DAYS_MAX];
    uint32_t quota_used; /* the most of any month, as far as the run saw */
    struct simulation_row *rows;
    uint32_t row_count, rows_wanted;
    uint64_t *counted_before; /* the engine's measures when the run began */
    uint32_t counted_rows;
    uint32_t *last_day; /* by friend: of their newest push, counted from 1; 0: none */
    uint32_t *on_last_day;
    uint32_t friend_room;
    /* The day and hour of the instant seen last. */
    int64_t known_ms, known_day;
    int32_t known_hour;
};

void simulation_init(struct simulation *simulation, const struct engine *engine, int64_t from_ms,
                     int64_t until_ms, uint32_t rows_wanted);
void simulation_fini(struct simulation *simulation);
void simulation_see(void *simulation, const struct event *event);

/* Calls fn for every measure that grew in the run, with how much; the row's own count is not to be read. */
typedef void (*simulation_fn)(void *context, const struct measure_row *row, uint64_t grown);
void simulation_each_grown(const struct simulation *simulation, simulation_fn fn, void *context);

#endif
