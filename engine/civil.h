/* civil - calendar arithmetic and time zones as data: "day 3 at 19:00" to an instant and back.
 *
 * Shape    a zone is a table of transitions; local times resolve against it by two rules (SPEC R4):
 *          a local time in a gap is the first instant after the gap, a doubled one its first
 *          occurrence. Dates are day numbers since 1970-01-01 (proleptic Gregorian), so day
 *          arithmetic is integer arithmetic.
 * Units    instants are UTC milliseconds; offsets are seconds east of UTC; a time of day is minutes
 *          0..1440 (1440 is the next midnight) where people write it, else seconds.
 * Errors   none: every instant between the years 1900 and 2200 resolves in every zone.
 * Owner    proto/tzif.h builds zones from the system's files; tables here only point to them.
 */
#ifndef ENGINE_CIVIL_H
#define ENGINE_CIVIL_H

#include "engine/base/span.h"
#include <stdbool.h>
#include <stdint.h>

#define MS_PER_SECOND INT64_C(1000)
#define MS_PER_MINUTE INT64_C(60000)
#define MS_PER_HOUR INT64_C(3600000)
#define MS_PER_DAY INT64_C(86400000)

/* One zone: offset_s[0] holds before at_s[0]; offset_s[i + 1] from at_s[i] on. */
struct zone {
    char *name; /* IANA name, e.g. Asia/Tokyo */
    uint32_t transition_count;
    int64_t *at_s;     /* ascending, UTC seconds */
    int32_t *offset_s; /* transition_count + 1 of them */
    uint64_t hash;     /* of the table; recorded, so that changed rules are noticed */
};

/* Zones by name; NULL for a name that is none. What it gives lives as long as the source. */
typedef const struct zone *(*zone_lookup_fn)(void *context, struct span name);
struct zone_source {
    zone_lookup_fn lookup;
    void *context;
};

struct civil_date {
    int32_t year;
    int32_t month; /* 1..12 */
    int32_t day;   /* 1..31 */
};

struct civil_time {
    struct civil_date date;
    int32_t hour, minute, second, millisecond;
    int32_t weekday;  /* 0 = Sunday */
    int32_t offset_s; /* that held at the instant */
};

int64_t civil_day_number(struct civil_date date);
struct civil_date civil_date_of(int64_t day_number);
bool civil_date_valid(struct civil_date date);

/* The local date (day number) and time at an instant. */
int64_t civil_local_day(const struct zone *zone, int64_t at_ms);
int32_t civil_local_second(const struct zone *zone, int64_t at_ms); /* of the day, 0..86399 */
struct civil_time civil_local(const struct zone *zone, int64_t at_ms);

/* The instant of a local date and second of the day (0..86400), by SPEC R4. */
int64_t civil_instant(const struct zone *zone, int64_t day_number, int32_t second_of_day);

/* A delivery window [open, close) in minutes of the day; open > close crosses midnight (SPEC R7). */
struct window {
    int16_t open_min;  /* -1: always open */
    int16_t close_min; /* up to 1440 */
};

bool window_is_open(struct window window, const struct zone *zone, int64_t at_ms);
/* The first instant >= at_ms at which the window is open. */
int64_t window_next_open(struct window window, const struct zone *zone, int64_t at_ms);

#endif
